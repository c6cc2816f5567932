"""What the mirror knows: articles with all their revisions, listings, places in lists, pages to write, runs.

One SQLite file that several processes and threads use at once. Each public method is one transaction, so a process
killed at any moment leaves the store as it was before or after a call, never between. Nothing here reads a clock:
times are given by the caller, as UTC ISO 8601.
"""

from __future__ import annotations

import dataclasses
import json
import sqlite3
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple, Self, TypeVar

from mirror_crawler import shelf
from mirror_crawler import statements as sql
from mirror_crawler.database import Database, value
from mirror_crawler.items import Article, Listing, Picture, Volume, reads_the_same
from mirror_crawler.outbox import Outbox, restore_volume, volume_records
from mirror_crawler.paths import ENTRIES_PER_PAGE, order_key
from mirror_crawler.schema import StoreError
from mirror_crawler.shelf import Target

__all__ = [
    "ArticleStore",
    "Entry",
    "Held",
    "ListPageKind",
    "Outcome",
    "PageKind",
    "Record",
    "Run",
    "Stale",
    "StoreError",
    "Target",
    "Validator",
    "Walk",
    "Wanted",
    "newest_first",
]

ListPageKind = Literal["section", "tag", "all", "tags"]
PageKind = Literal["article", "section", "tag", "all", "tags"]

UPDATE_MARK = "更新"
"""In a headline: the article goes on to change (FACTS A7)."""


PAGE_KINDS: tuple[PageKind, ...] = ("article", "section", "tag", "all", "tags")
"""``all`` is the list of every article of an outlet, ``tags`` the list of every tag; both have an empty list id."""

Record = Article | Listing | Picture | Volume
"""What an export has a line for."""

_ListKey = dict[str, str]
"""The three columns that name a list."""


class Held(NamedTuple):
    """A target that the mirror has a page for; ``title`` is an article's headline or a list's name.

    The rest is for :func:`mirror_crawler.paths.article_path`, and empty for a list. ``volume`` is for a list: the
    newest one when it began.
    """

    title: str
    url: str = ""
    published_at: str | None = None
    section_id: str = ""
    revision: int = 1
    volume: int = 1


_Place = TypeVar("_Place", "Entry", Held)


class Stale(NamedTuple):
    """A page to be written: ``part`` is the number of a numbered page of a list (from 1), 0 for an article."""

    outlet: str
    kind: PageKind
    id: str
    part: int
    stamp: int = 0


class Entry(NamedTuple):
    """A place in a list: ``seq`` counts from 1, the oldest; ``member`` is an article id.

    In the list of tags ``member`` is a tag, ``title`` its name, and the rest is empty.
    """

    seq: int
    member: str
    title: str
    url: str = ""
    published_at: str | None = None
    order_key: str = ""
    section_id: str = ""

    @property
    def day(self) -> str:
        """The day of publication at the outlet (of the address when nothing else is known), as ``2026-11-22``."""
        return (self.published_at or self.order_key)[:10]


def newest_first(entries: Iterable[Entry]) -> list[Entry]:
    """Articles by publication, the latest first; tags by their slugs, backwards."""
    return sorted(entries, key=lambda entry: (entry.order_key, entry.member), reverse=True)


Outcome = Literal["new", "revised", "amended", "returned", "unchanged"]
"""What a page said beside what is stored: ``revised`` is other content; ``amended`` the same content with a clock or a
section that had not been read before; ``returned`` the same content after a withdrawal.
"""

_EVIDENCE: dict[str, int] = {"none": 0, "dateline": 1, "metadata": 2, "clock": 3}
"""What each published_source is worth."""


class Validator(NamedTuple):
    """What the outlet said of the state of a page: its ETag and Last-Modified headers, empty when it sent none.

    ``next_url`` is for list pages: where the list goes on, empty on the last page.
    """

    etag: str
    modified: str
    next_url: str = ""


class Walk(NamedTuple):
    """A walk of a list that was cut off: what the pages before number ``page`` name is stored.

    ``next_url`` is the address of that page; empty when nothing is known.
    """

    next_url: str
    page: int


class Wanted(NamedTuple):
    """An article to be asked for: one that is not stored, or a stored one to be looked at again."""

    article_id: str
    url: str
    stored: bool


class Run(NamedTuple):
    """A run of a spider; ``finished_at`` and ``verdict`` are None while it goes on or when it was killed."""

    run: str
    started_at: str
    finished_at: str | None
    verdict: str | None
    report: dict[str, Any]


class ArticleStore:
    """The database at ``address`` (setting ``MIRROR_DB``), made when it is missing.

    A context manager; usable from several threads. Every method raises StoreError when the database cannot be used.
    """

    def __init__(self, address: str) -> None:
        self.database = Database(address)
        self.outbox = Outbox(self.database)
        self.pictures = shelf.Pictures(self.database)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the file back. A generator of this store that was not read to its end must be closed before."""
        self.database.close()

    # --- runs ---

    def begin_run(self, outlet: str, started_at: str) -> str:
        """Note that a run began and return its name: the start as ``20261122T013717Z``, or the next free second."""
        moment = datetime.fromisoformat(started_at).astimezone(UTC)
        with self.database.write() as db:
            while True:
                run = moment.strftime("%Y%m%dT%H%M%SZ")
                if db.execute(sql.RUN_EXISTS, {"outlet": outlet, "run": run}).fetchone() is None:
                    break
                moment += timedelta(seconds=1)
            db.execute(sql.BEGIN_RUN, {"outlet": outlet, "run": run, "started_at": started_at})
        return run

    def end_run(
        self,
        outlet: str,
        run: str,
        *,
        finished_at: str,
        verdict: str,
        report: Mapping[str, Any],
        looked_until: str | None = None,
    ) -> None:
        """Note how a run ended; ``report`` is anything that JSON can say.

        ``looked_until``: the run looked again at every article that was due until then; None when it did not. Of a
        run that had begun to publish, and ends with another verdict than a good one, the report says so.
        """
        key = {"for_outlet": outlet, "for_run": run}
        values = {"finished_at": finished_at, "verdict": verdict, "looked_until": looked_until}
        with self.database.write() as db:
            publishing = value(db, sql.VERDICT, {"outlet": outlet, "run": run}) == "publishing"
            told = {"published": True} if publishing and verdict not in sql.GOOD_VERDICTS else {}
            text = json.dumps({**report, **told}, ensure_ascii=False)
            db.execute(sql.END_RUN, {**key, **values, "report": text})

    def unfinished_runs(self, outlet: str) -> list[str]:
        """Runs that began and did not end, oldest first: killed ones, and those that go on right now."""
        return [row["run"] for row in self.database.rows(sql.UNFINISHED_RUNS, outlet=outlet)]

    def last_runs(self, outlet: str, count: int) -> list[Run]:
        """The latest runs, newest first."""
        rows = self.database.rows(sql.LAST_RUNS, outlet=outlet, count=count)
        return [
            Run(
                row["run"],
                row["started_at"],
                row["finished_at"],
                row["verdict"] if row["finished_at"] else None,
                json.loads(row["report"] or "{}"),
            )
            for row in rows
        ]

    def begin_publishing(self, outlet: str, run: str) -> None:
        """A run that has not ended yet is good, so what it brought may be published: see :meth:`is_published`."""
        with self.database.write() as db:
            db.execute(sql.BEGIN_PUBLISHING, {"for_outlet": outlet, "for_run": run})

    def is_published(self, outlet: str) -> bool:
        """Whether what the outlet's latest run brought may be published: it ended well, or had begun to publish."""
        with self.database.read() as db:
            return value(db, sql.IS_PUBLISHED, {"outlet": outlet}) in (1, None)

    def looked_until(self, outlet: str) -> str | None:
        """The moment (UTC) until which young articles were looked at again by the latest run that did so."""
        rows = self.database.rows(sql.LOOKED_UNTIL, outlet=outlet)
        return rows[0]["looked_until"] if rows else None

    def run_articles(self, outlet: str, run: str) -> Iterator[str]:
        """The JSON lines of the article versions that a run stored, in the order of storing."""
        return self.database.stream(sql.ARTICLES_OF_RUN, outlet=outlet, run=run)

    def run_listings(self, outlet: str, run: str) -> Iterator[str]:
        """The JSON lines of the listings that a run stored, in the order of storing."""
        return self.database.stream(sql.LISTINGS_OF_RUN, outlet=outlet, run=run)

    # --- crawl ---

    def stored(self, outlet: str, ids: Collection[str]) -> set[str]:
        """Those of some article ids (about a page of them) that are stored."""
        return {row["article_id"] for row in self.database.rows(sql.STORED, outlet=outlet, keys=json.dumps(list(ids)))}

    def listed(self, outlet: str, kind: str, list_id: str, ids: Collection[str]) -> dict[str, str]:
        """Those of some article ids (about a page of them) that a list is known to name → the title it showed last."""
        rows = self.database.rows(sql.LISTED, outlet=outlet, kind=kind, list_id=list_id, keys=json.dumps(list(ids)))
        return {row["article_id"]: row["title"] for row in rows}

    def put_article(
        self, article: Article, run: str, targets: Collection[Target] = (), validator: Validator | None = None
    ) -> tuple[Article, Outcome]:
        """Store what a page says now; the article as it is stored, and what that is beside what was known.

        As stored it has its revision and the ``first_seen_at`` of the first. Nothing but the validator is written when
        it is unchanged. ``targets``: what links in the body lead to, and the pictures that the page shows, so that it
        is written again when the mirror gets one of them; the pictures are wanted from now on. The article is not
        wanted any more, and not gone.
        Raises ValueError when a time cannot be read.
        """
        with self.database.write() as db:
            known = _current(db, *article.key)
            stored, outcome = _compare(db, article, known)
            if outcome in ("new", "revised"):
                _keep_version(db, stored, known, run, targets)
            elif outcome != "unchanged":
                _amend(db, stored, run, None)
            if known is not None:
                _settle_look(db, *article.key)
            if validator is not None:
                _keep_validator(db, article.url, validator)
        return stored, outcome

    def put_listing(self, listing: Listing, run: str) -> bool:
        """:meth:`put_listings` of one."""
        return self.put_listings([listing], run)[0]

    def put_listings(self, found: Sequence[Listing], run: str) -> list[bool]:
        """Store what list pages say, in one transaction. For each: is it new? A known one is left as it is.

        An article that is not stored becomes wanted; a stored one gets a place in the list with the next
        :meth:`place`.
        """
        with self.database.write() as db:
            return [_keep_listing(db, listing, run) for listing in found]

    def note_titles(self, outlet: str, kind: str, list_id: str, titles: Mapping[str, str]) -> None:
        """A list shows known articles (id → title) under other titles than before: they are to be looked at again."""
        if not titles:
            return
        of_list = _list_key(outlet, kind, list_id)
        with self.database.write() as db:
            for article_id, title in titles.items():
                record = value(db, sql.LISTING_RECORD, {**of_list, "article_id": article_id})
                listing = dataclasses.replace(Listing.from_record(json.loads(record)), title=title)
                of_listing = {**_for(of_list), "for_article_id": article_id}
                db.execute(sql.RETITLE_LISTING, {**of_listing, "record": _record(listing)})
                db.execute(sql.WANT_AGAIN, {"outlet": outlet, "article_id": article_id, "url": listing.url})

    def wanted(self, outlet: str, limit: int) -> list[Wanted]:
        """Articles that were listed or failed and are not stored, or are to be looked at again, fewest tries first."""
        rows = self.database.rows(sql.WANTED, outlet=outlet, count=limit)
        return [Wanted(row["article_id"], row["url"], bool(row["stored"])) for row in rows]

    def note_failure(
        self, outlet: str, article_id: str, url: str, cause: str, at: str, *, passing: bool = False
    ) -> None:
        """An article could not be had: it stays wanted, with one try more; where the cause is ``passing`` and says
        nothing of the article, with one a day at most, so that it outlasts an outage of the outlet.

        A stored one that is not wanted does not become so: it will be looked at again in its time.
        """
        key = {"outlet": outlet, "article_id": article_id}
        failure = {"cause": cause, "at": at, "passing": int(passing)}
        with self.database.write() as db:
            if _current(db, outlet, article_id) is None:
                db.execute(sql.NOTE_FAILURE, {**key, "url": url, **failure})
            else:
                db.execute(sql.FAILED_AGAIN, {**_for(key), **failure})

    def drop_wanted(self, outlet: str, article_id: str) -> None:
        """An article is not to be asked for, although it was listed."""
        with self.database.write() as db:
            db.execute(sql.DROP_WANTED, {"outlet": outlet, "article_id": article_id})

    def want_undated(self, outlet: str) -> None:
        """Articles whose time of publication is not known, and that have no place in a list yet, are to be read again,
        whatever the outlet says of the state of their pages.
        """
        with self.database.write() as db:
            for row in db.execute(sql.UNDATED, {"outlet": outlet}).fetchall():
                db.execute(sql.WANT_AGAIN, {"outlet": outlet, "article_id": row["article_id"], "url": row["url"]})
                db.execute(sql.DROP_VALIDATOR, {"url": row["url"]})

    def want_given_up(self, outlet: str) -> None:
        """Articles that failed too often to be asked for are asked for again."""
        with self.database.write() as db:
            db.execute(sql.WANT_GIVEN_UP, {"for_outlet": outlet})

    def walk_begin(self, outlet: str, kind: str, list_id: str, name: str, window: str = "") -> Walk | None:
        """A walk of the pages of a list begins; ``window`` names the days that it is for, empty for all.

        The earlier walk for the same when it did not end: a page that brings nothing new does not mean then that the
        rest is known.
        """
        key = {**_list_key(outlet, kind, list_id), "window": window}
        with self.database.write() as db:
            row = db.execute(sql.WALK, key).fetchone()
            if row is None:
                db.execute(sql.SET_WALK, {**key, "next_url": "", "page": 1})
            db.execute(sql.KNOW_LIST, {**_list_key(outlet, kind, list_id), "name": name})
        return Walk(row["next_url"], row["page"]) if row is not None else None

    def walk_at(self, outlet: str, kind: str, list_id: str, next_url: str, page: int, window: str = "") -> None:
        """The walk of a list has come to page number ``page`` at ``next_url``; what those before it name is stored."""
        key = {**_list_key(outlet, kind, list_id), "window": window}
        with self.database.write() as db:
            db.execute(sql.SET_WALK, {**key, "next_url": next_url, "page": page})

    def walk_end(self, outlet: str, kind: str, list_id: str, window: str = "") -> None:
        """The walk of a list came to its end."""
        with self.database.write() as db:
            db.execute(sql.END_WALK, {**_list_key(outlet, kind, list_id), "window": window})

    # --- looking again ---

    def due_looks(self, outlet: str, spans: Iterable[tuple[str, str]], updating_after: str) -> dict[str, str]:
        """``article_id`` → address of the articles to be looked at again because of their age.

        Those whose order key (see :func:`mirror_crawler.paths.order_key`) lies in one of the ``spans``, (after,
        up to and with); and those after ``updating_after`` whose title says that it is an update (FACTS A7).
        """
        found: dict[str, str] = {}
        asked = [(after, upto, "%") for after, upto in spans]
        asked.append((updating_after, "9999", f"%{UPDATE_MARK}%"))
        with self.database.read() as db:
            for after, upto, title in asked:
                rows = db.execute(sql.DUE_LOOKS, {"outlet": outlet, "after": after, "upto": upto, "title": title})
                found.update((row["article_id"], row["url"]) for row in rows)
        return found

    def article_ids(self, outlet: str, after: str, limit: int) -> list[tuple[str, str]]:
        """``(article_id, url)`` of stored articles with ids after ``after``, in the order of their ids."""
        rows = self.database.rows(sql.ARTICLE_IDS, outlet=outlet, after=after, count=limit)
        return [(row["article_id"], row["url"]) for row in rows]

    def urls(self, outlet: str, ids: Collection[str]) -> dict[str, str]:
        """The addresses of those of some articles that are stored."""
        rows = self.database.rows(sql.ARTICLE_URLS, outlet=outlet, keys=json.dumps(list(ids)))
        return {row["article_id"]: row["url"] for row in rows}

    def looked(self, outlet: str, article_id: str) -> None:
        """A look was told that an article is unchanged: it is not wanted any more, and not gone."""
        with self.database.write() as db:
            _settle_look(db, outlet, article_id)

    def note_gone(self, outlet: str, article_id: str, url: str, run: str, at: str) -> Article | None:
        """The outlet has a stored article not any more, says a look of ``run``.

        The first run that says so makes it wanted, so that the next one looks again; another run gets the article
        with ``withdrawn_at``, to be stored with :meth:`withdraw`. None in all other cases.
        """
        key = {"outlet": outlet, "article_id": article_id}
        with self.database.write() as db:
            current = _current(db, outlet, article_id)
            if current is None:
                return None
            known = db.execute(sql.GONE, key).fetchone()
            if known is None:
                db.execute(sql.SET_GONE, {**key, "run": run, "at": at, "withdrawn_at": None})
                db.execute(sql.WANT_AGAIN, {**key, "url": url})
                db.execute(sql.DROP_VALIDATOR, {"url": url})  # if it comes back it is read again
                return None
            if known["withdrawn_at"] is not None:
                db.execute(sql.DROP_WANTED, key)
                return None
            if known["run"] == run:
                return None
            return dataclasses.replace(_version(db, key, current["revision"]), withdrawn_at=at)

    def gone_since(self, outlet: str, since: str) -> int:
        """How many stored articles were found gone at or after a time (UTC, ISO 8601), and not found again."""
        return int(self.database.rows(sql.GONE_SINCE, outlet=outlet, since=since)[0]["number"])

    def withdraw(self, article: Article, run: str) -> None:
        """Note in its record that the outlet has an article not any more, since ``withdrawn_at``."""
        with self.database.write() as db:
            _amend(db, article, run, None)
            db.execute(sql.DROP_WANTED, {"outlet": article.outlet, "article_id": article.article_id})

    def withdrawn(self, outlet: str, ids: Collection[str]) -> set[str]:
        """Those of some article ids that the outlet had not any more when they were looked at last."""
        return {
            row["article_id"] for row in self.database.rows(sql.WITHDRAWN, outlet=outlet, keys=json.dumps(list(ids)))
        }

    def revisions(self, outlet: str, article_id: str) -> Iterator[Article]:
        """All versions of an article, oldest first."""
        lines = self.database.stream(sql.REVISIONS, outlet=outlet, article_id=article_id)
        return (Article.from_stored(json.loads(line)) for line in lines)

    def validator(self, url: str) -> Validator | None:
        """What the outlet said last of the state of the page at ``url``; None when it did not."""
        rows = self.database.rows(sql.VALIDATOR, url=url)
        return Validator._make(rows[0]) if rows else None

    def put_validators(self, found: Mapping[str, Validator]) -> None:
        """Note what the outlet says of the state of pages, address → validator. All they name must be stored."""
        if found:
            with self.database.write() as db:
                for url, validator in found.items():
                    _keep_validator(db, url, validator)

    # --- pages ---

    def place(self, outlet: str | None = None) -> None:
        """Give every unplaced article (of one outlet) the next places of its lists, by publication within a list.

        One transaction a list. What is placed keeps its place for ever. An article is *held* by the mirror, so that
        pages link to it, from the moment it has its place among all articles of its outlet.
        """
        after = _list_key(outlet or "", "")
        while True:
            with self.database.write() as db:
                found = db.execute(sql.NEXT_UNPLACED, after).fetchone()
                if found is None or outlet not in (None, found["outlet"]):
                    return
                after = {name: found[name] for name in after}
                _place_list(db, after)

    def stale(self, limit: int, kinds: Iterable[PageKind] = PAGE_KINDS, held_back: Collection[str] = ()) -> list[Stale]:
        """Pages to write again, at most ``limit``: kind by kind in the order given, by outlet and id within.

        Articles without a place are left out: the run that stored them is still at work, or its outlet's next run
        will place them. So are pages of the outlets ``held_back``.
        """
        found: list[Stale] = []
        with self.database.read() as db:
            for kind in kinds:
                values = {"kind": kind, "count": limit - len(found), "keys": json.dumps(list(held_back))}
                rows = db.execute(sql.STALE, values)
                found.extend(Stale(*row) for row in rows)
        return found

    def settle(self, pages: Sequence[Stale]) -> None:
        """These pages were written. One that was marked again meanwhile stays stale."""
        if pages:
            with self.database.write() as db:
                db.executemany(sql.SETTLE, [{"stamp": page.stamp} for page in pages])

    def all_pages(self) -> Iterator[Stale]:
        """Every page of a held article and every numbered page that the store implies, with stamp 0."""
        with self.database.read(snapshot=True) as db:
            for row in db.execute(sql.ALL_ARTICLES):
                yield Stale(row["outlet"], "article", row["article_id"], 0)
            for row in db.execute(sql.ALL_LISTS):
                for part in range(1, _part(row["size"]) + 1):
                    yield Stale(row["outlet"], row["kind"], row["list_id"], part)

    def articles(self, keys: Collection[tuple[str, str]]) -> list[Article]:
        """The current versions of the articles with these keys; those not stored are left out. In no fixed order."""
        rows = self.database.rows(sql.CURRENT, keys=json.dumps(list(keys)))
        return [Article.from_stored(json.loads(row["record"])) for row in rows]

    def held(self, targets: Collection[Target], held_back: Collection[str] = ()) -> dict[Target, Held]:
        """Those targets that the mirror has a page for, with what a link to them needs; articles of the outlets
        ``held_back`` as they were published last.
        """
        wanted_articles = [(target.outlet, target.id) for target in targets if target.kind == "article"]
        wanted_lists = [tuple(target) for target in targets if target.kind != "article"]
        found: dict[Target, Held] = {}
        if wanted_articles:
            for row in self.database.rows(sql.HELD_ARTICLES, keys=json.dumps(wanted_articles)):
                held = Held(row["title"], row["url"], row["published_at"], row["section_id"], row["revision"])
                found[Target(row["outlet"], "article", row["article_id"])] = held
        if wanted_lists:
            for row in self.database.rows(sql.HELD_LISTS, keys=json.dumps(wanted_lists)):
                held = Held(row["name"], volume=row["volume"])
                found[Target(row["outlet"], row["kind"], row["list_id"])] = held
        for outlet in held_back:
            ids = [target.id for target in found if target.kind == "article" and target.outlet == outlet]
            for article_id, article in self.published(outlet, ids).items():
                target = Target(outlet, "article", article_id)
                found[target] = _as_in(article, found[target])
        return found

    def entries(
        self, outlet: str, kind: str, list_id: str, first: int, last: int, *, published: bool = False
    ) -> list[Entry]:
        """The places ``first`` to ``last`` of a list, both included, oldest first; with ``published``, the articles as
        they were published last.
        """
        statement = sql.TAG_ENTRIES if kind == "tags" else sql.ENTRIES
        rows = self.database.rows(statement, outlet=outlet, kind=kind, list_id=list_id, first=first, last=last)
        if kind == "tags":
            return [Entry(row["seq"], row["member"], row["name"]) for row in rows]
        return self._entries(outlet, rows, published=published)

    def newest(
        self, outlet: str, kind: str, list_id: str, count: int, last: int, *, published: bool = False
    ) -> list[Entry]:
        """The ``count`` articles among the places up to ``last`` of a list that were published last, newest first; with
        ``published``, as they were published last. Other than the last places, for old articles may come late.
        """
        if not published:
            return self._entries(outlet, self._newest(outlet, kind, list_id, count, last), published=False)
        # What changed since may have been among the newest before, or be among them only now.
        changed = [row["article_id"] for row in self.database.rows(sql.CHANGED_SINCE_PUBLISHED, outlet=outlet)]
        key = {"outlet": outlet, "kind": kind, "list_id": list_id, "last": last}
        rows = self._newest(outlet, kind, list_id, count + len(changed), last)
        rows += self.database.rows(sql.NEWEST_OF, **key, keys=json.dumps(changed))
        return newest_first(dict.fromkeys(self._entries(outlet, rows, published=True)))[:count]

    def _newest(self, outlet: str, kind: str, list_id: str, count: int, last: int) -> list[sqlite3.Row]:
        """Either all places are sorted, or the outlet's articles are gone through until enough of the list are found,
        whichever is likely to be less. Only in a long list that had nothing new for years it is much: all that came
        since is gone through.
        """
        few = last * last <= count * self.list_size(outlet, "all", "")
        statement = sql.NEWEST_BY_SORTING if few else sql.NEWEST_BY_ORDER
        return self.database.rows(statement, outlet=outlet, kind=kind, list_id=list_id, count=count, last=last)

    def _entries(self, outlet: str, rows: Iterable[sqlite3.Row], *, published: bool) -> list[Entry]:
        found = [Entry._make(row) for row in rows]
        if published:
            articles = self.published(outlet, [entry.member for entry in found])
            found = [_as_in(articles[entry.member], entry) for entry in found]
        return found

    def list_name(self, outlet: str, kind: str, list_id: str) -> str:
        """The name of a section or tag list: the one its first place came with, so its pages never change for it."""
        rows = self.database.rows(sql.LIST_NAME, outlet=outlet, kind=kind, list_id=list_id)
        return rows[0]["name"] if rows else list_id

    def published(self, outlet: str, ids: Collection[str]) -> dict[str, Article]:
        """Some articles (about a page of them) as the last run that was published left them, by id."""
        if not ids:
            return {}
        rows = self.database.rows(sql.PUBLISHED_VERSIONS, outlet=outlet, keys=json.dumps(list(ids)))
        latest = {row["article_id"]: row for row in rows}
        return {article_id: _before_withdrawal(row) for article_id, row in latest.items()}

    def list_size(self, outlet: str, kind: str, list_id: str) -> int:
        """How many places a list has; 0 for a list that the mirror does not hold."""
        rows = self.database.rows(sql.LIST_SIZE, outlet=outlet, kind=kind, list_id=list_id)
        return rows[0]["size"] if rows else 0

    def lists(self, outlet: str, kind: str) -> list[tuple[str, str]]:
        """``(list_id, name)`` of the lists of a kind that the mirror holds, by id."""
        return [(row["list_id"], row["name"]) for row in self.database.rows(sql.LISTS, outlet=outlet, kind=kind)]

    def outlets(self) -> list[str]:
        """The outlets of which an article is stored."""
        with self.database.read() as db:
            return list(_outlets(db, "articles"))

    def file_hashes(self, root: str, paths: Collection[str]) -> dict[str, str]:
        """SHA-256 of what was written last to each of these paths of the tree at ``root``; a path not recorded is
        left out.
        """
        rows = self.database.rows(sql.FILE_HASHES, root=root, keys=json.dumps(list(paths)))
        return {row["path"]: row["sha256"] for row in rows}

    def record_files(self, root: str, hashes: Mapping[str, str]) -> None:
        """Note what was written to the tree at ``root``: path → SHA-256."""
        if hashes:
            rows = [{"root": root, "path": path, "sha256": sha256} for path, sha256 in hashes.items()]
            with self.database.write() as db:
                db.executemany(sql.RECORD_FILE, rows)

    def forget_files(self, root: str, paths: Collection[str]) -> None:
        """These files are no longer part of the tree."""
        if paths:
            with self.database.write() as db:
                db.executemany(sql.FORGET_FILE, [{"root": root, "path": path} for path in paths])

    def left_over_files(self, root: str, implied: Iterable[str]) -> list[tuple[str, str]]:
        """Files recorded for the tree at ``root`` that are not among the ``implied`` paths, with their SHA-256."""
        with self.database.read() as db:
            db.execute(sql.MAKE_IMPLIED)  # on disk, so any number of paths will do
            try:
                with db:
                    db.execute("BEGIN")
                    db.executemany(sql.ADD_IMPLIED, ({"path": path} for path in implied))
                return [tuple(row) for row in db.execute(sql.LEFT_OVER, {"root": root})]
            finally:
                db.execute(sql.DROP_IMPLIED)

    def tree_look(self, root: str) -> str | None:
        """What the pages of the tree at ``root`` were last written with, see :meth:`set_tree_look`."""
        rows = self.database.rows(sql.TREE_LOOK, root=root)
        return rows[0]["look"] if rows else None

    def trees(self) -> list[str]:
        """The directories that have a look, see :meth:`set_tree_look`: all trees that were ever written."""
        return [row["root"] for row in self.database.rows(sql.TREES)]

    def set_tree_look(self, root: str, look: str) -> None:
        """Every page of the tree at ``root`` is written with ``look``: theme, templates, settings."""
        with self.database.write() as db:
            db.execute(sql.SET_TREE_LOOK, {"root": root, "look": look})

    # --- exchange ---

    def has_records(self, outlet: str) -> bool:
        """Is anything of this outlet stored, be it a single listing?"""
        with self.database.read() as db:
            return any(outlet in _outlets(db, table) for table in sql.NEXT_OUTLET)

    def records(self, outlet: str | None = None, since: str | None = None) -> Generator[str, None, None]:
        """The JSON lines of all volumes after the first; of all revisions of all articles, then of all listings, in the
        order of their places; then of the pictures that are kept, by their addresses.

        Volumes are of the mirror, so those of one ``outlet`` come without. They come first: a list that is read after
        them is one of the newest, so no page of an earlier volume takes it for its own. ``since`` (ISO 8601 with an
        offset) leaves out what was fetched or seen before. The lines are those of one moment, whatever is stored
        meanwhile.
        """
        after = _second(since) if since else ""
        with self.database.read(snapshot=True) as db:
            if not outlet:
                yield from volume_records(db)
            for name in [outlet] if outlet else _outlets(db, "articles"):
                key = {**_list_key(name, "all"), "since": after}
                for statement in (sql.PLACED_RECORDS, sql.UNPLACED_RECORDS):
                    yield from (row["record"] for row in db.execute(statement, key))
            for name in [outlet] if outlet else _outlets(db, "listings"):
                for kind, statement in (("section", sql.SECTIONS_TO_EXPORT), ("tag", sql.TAGS_TO_EXPORT)):
                    for row in db.execute(statement, {"outlet": name}):
                        key = {**_list_key(name, kind, row["list_id"]), "since": after}
                        yield from (line["record"] for line in db.execute(sql.LISTING_RECORDS, key))
            yield from shelf.records(db, outlet or "", after)

    def restore(self, item: Record, targets: Collection[Target] = ()) -> bool:
        """Store an item read from a record, with a place in its lists at once. False: it is already there.

        Only a listing of an article that waits for its own place gets none before :meth:`place`.
        Raises ValueError for a revision that does not follow those stored.
        """
        (outcome,) = self.restore_all([(item, targets)])
        if isinstance(outcome, ValueError):
            raise outcome
        return outcome

    def restore_all(
        self, items: Iterable[tuple[Record, Collection[Target]]], *, at_once: bool = True
    ) -> list[bool | ValueError]:
        """:meth:`restore` of several in one transaction.

        An item that cannot go in has its ValueError as outcome, and the others go in. Not ``at_once``: they wait for
        their places until :meth:`place`, as what a crawl stores does.
        """
        outcomes: list[bool | ValueError] = []
        with self.database.write() as db:
            for item, targets in items:
                try:
                    if isinstance(item, Article):
                        outcomes.append(_restore_article(db, item, targets, at_once=at_once))
                    elif isinstance(item, Picture):
                        outcomes.append(shelf.restore(db, item))
                    elif isinstance(item, Volume):
                        outcomes.append(restore_volume(db, item))
                    else:
                        outcomes.append(_restore_listing(db, item, at_once=at_once))
                except ValueError as error:
                    outcomes.append(error)
        return outcomes

    def waiting_outlets(self, items: Iterable[Record]) -> set[str]:
        """The outlets of those items for which :meth:`place` has a place to give."""
        with self.database.read() as db:
            return {item.outlet for item in items if isinstance(item, Article | Listing) and _waits_for_place(db, item)}


def _current(db: sqlite3.Connection, outlet: str, article_id: str) -> sqlite3.Row | None:
    """The row of an article as it is now."""
    rows = db.execute(sql.ARTICLE, {"outlet": outlet, "article_id": article_id}).fetchall()
    return rows[0] if rows else None


def _outlets(db: sqlite3.Connection, table: str) -> Iterator[str]:
    """The outlets in a table, one jump in its index for each."""
    outlet = value(db, sql.NEXT_OUTLET[table], {"outlet": ""})
    while outlet is not None:
        yield outlet
        outlet = value(db, sql.NEXT_OUTLET[table], {"outlet": outlet})


def _second(moment: str) -> str:
    """A moment to the second, in UTC and without offset: text that compares as the time does."""
    parsed = datetime.fromisoformat(moment)
    if parsed.tzinfo is None:
        raise ValueError(f"{moment!r} has no offset")
    return parsed.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat()


def _part(seq: int) -> int:
    """The numbered page on which a place stands."""
    return (seq - 1) // ENTRIES_PER_PAGE + 1


def _record(item: Article | Listing) -> str:
    """The JSON line of an item. Raises ValueError (UnicodeEncodeError) when it holds half a surrogate pair."""
    text = item.to_json()
    text.encode()
    return text


def _version(db: sqlite3.Connection, key: Mapping[str, str], revision: int) -> Article:
    """A stored version of an article."""
    return Article.from_stored(json.loads(value(db, sql.VERSION_RECORD, {**key, "revision": revision})))


def _settle_look(db: sqlite3.Connection, outlet: str, article_id: str) -> None:
    """An article was looked at and is there."""
    key = {"outlet": outlet, "article_id": article_id}
    db.execute(sql.DROP_WANTED, key)
    db.execute(sql.DROP_GONE, key)


def _keep_validator(db: sqlite3.Connection, url: str, validator: Validator) -> None:
    if validator.etag or validator.modified:
        db.execute(sql.SET_VALIDATOR, {"url": url, **validator._asdict()})
    else:  # the outlet said something once, and does not any more
        db.execute(sql.DROP_VALIDATOR, {"url": url})


def _compare(db: sqlite3.Connection, article: Article, known: sqlite3.Row | None) -> tuple[Article, Outcome]:
    """What a page says now beside the current version (row ``known``) of the article, as it is to be stored."""
    if known is None:
        return article if article.revision == 1 else dataclasses.replace(article, revision=1), "new"
    current = _version(db, {"outlet": article.outlet, "article_id": article.article_id}, known["revision"])
    if article.content_hash != known["content_hash"] and not reads_the_same(article, current):
        revision = known["revision"] + 1
        return dataclasses.replace(article, revision=revision, first_seen_at=known["first_seen_at"]), "revised"
    # What the version says stays as it is, with the hash of it: a mirror that has the older record knows it by that.
    same = dataclasses.replace(article, **{name: getattr(current, name) for name in _KEPT})
    if current.withdrawn_at is not None:
        return same, "returned"
    if _says_more(article, current):
        return same, "amended"
    return current, "unchanged"


_KEPT = (
    *("title", "lead_image", "images", "embeds", "body_html", "text", "content_hash"),
    *("revision", "first_seen_at"),
)
"""What another record of the same version has as the one before."""


def _says_more(article: Article, current: Article) -> bool:
    """Whether a page gives a better clock than was read before, or a section where there was none."""
    gained = _EVIDENCE[article.published_source] - _EVIDENCE[current.published_source]
    return gained > 0 or (gained == 0 and article.section is not None and current.section is None)


def _amend(db: sqlite3.Connection, article: Article, run: str | None, targets: Collection[Target] | None) -> None:
    """Store another record of the current version of an article, and mark what it changes.

    ``targets`` are those of :meth:`ArticleStore.put_article`; None when the links are as they were.
    """
    known = _current(db, *article.key)
    if known is None or known["revision"] != article.revision:
        raise ValueError(f"{article.article_id} has no current revision {article.revision}")
    current = _row(article)
    _replace_record(db, article, run)
    _make_current(db, article, current, known, targets)


def _replace_record(db: sqlite3.Connection, article: Article, run: str | None) -> None:
    """Store another record of a version of an article."""
    of_version = {
        "for_outlet": article.outlet,
        "for_article_id": article.article_id,
        "for_revision": article.revision,
    }
    db.execute(sql.AMEND_VERSION, {**of_version, "run": run, "at": _evidence_at(article), "record": _record(article)})


def _keep_version(
    db: sqlite3.Connection, article: Article, known: sqlite3.Row | None, run: str | None, targets: Collection[Target]
) -> None:
    """Store a version that comes after ``known`` (the row of the current one), and mark what it changes."""
    current = _row(article)
    version = {
        "outlet": article.outlet,
        "article_id": article.article_id,
        "revision": article.revision,
        "run": run,
        "at": _evidence_at(article),
    }
    db.execute(sql.ADD_VERSION, {**version, "record": _record(article)})
    _make_current(db, article, current, known, targets)


def _evidence_at(article: Article) -> str:
    """When the outlet was seen to say, or not to say any more, what a record tells. Raises ValueError."""
    return _second(article.withdrawn_at or article.fetched_at)


def _row(article: Article) -> dict[str, Any]:
    """What is known of an article beside its key. Raises ValueError, so it is asked for before anything is written."""
    return {
        "revision": article.revision,
        "content_hash": article.content_hash,
        "first_seen_at": article.first_seen_at,
        "url": article.url,
        "title": article.title,
        "published_at": article.published_at,
        "order_key": order_key(article),
        "section_id": article.section.id if article.section else "",
    }


def _as_in(article: Article, place: _Place) -> _Place:
    """A place with what this version of its article says."""
    row = _row(article)
    return place._replace(**{name: row[name] for name in place._fields if name in row})


def _before_withdrawal(row: sqlite3.Row) -> Article:
    """The article of a row of PUBLISHED_VERSIONS, as it was published."""
    article = Article.from_stored(json.loads(row["record"]))
    return dataclasses.replace(article, withdrawn_at=None) if row["withdrawn"] else article


def _make_current(
    db: sqlite3.Connection,
    article: Article,
    current: dict[str, Any],
    known: sqlite3.Row | None,
    targets: Collection[Target] | None,
) -> None:
    """An article is from now on what this version says, its row ``current``; ``known`` is the row of what it was."""
    key = {"outlet": article.outlet, "article_id": article.article_id}
    db.execute(sql.SET_ARTICLE, {**key, **current})
    if article.withdrawn_at is not None:
        db.execute(sql.SET_GONE, {**key, "run": "", "at": article.withdrawn_at, "withdrawn_at": article.withdrawn_at})
        db.execute(sql.DROP_VALIDATOR, {"url": article.url})  # if it comes back it is read again
    elif known is not None:
        db.execute(sql.DROP_GONE, key)
    if known is not None and targets is not None:
        shelf.leave(db, article.outlet, article.article_id)
        db.execute(sql.DROP_LINKS, key)
    if targets:
        rows = [{"to_outlet": to.outlet, "to_kind": to.kind, "to_id": to.id, **key} for to in targets]
        db.executemany(sql.ADD_LINKS, rows)
        shelf.want(db, article.outlet, targets)
    if known is None:  # its page is due, and links to it come alive, when it gets its place
        db.execute(sql.DROP_WANTED, key)
        db.execute(sql.QUEUE_ARTICLE, key)
        return
    _mark(db, article.outlet, "article", article.article_id, 0)
    changed = {name for name, value in current.items() if known[name] != value}
    if changed & {"url", "published_at", "section_id"}:  # what the path of the page may be made of
        _mark_linking(db, Target(article.outlet, "article", article.article_id))
    if changed & {"url", "published_at", "section_id", "title", "order_key"}:
        db.execute(sql.MARK_ENTRIES, {"outlet": article.outlet, "member": article.article_id})


def _keep_listing(db: sqlite3.Connection, listing: Listing, run: str | None) -> bool:
    """Store a listing unless it is known; queue its article for a place, or want it."""
    of_list = _list_key(listing.outlet, listing.list_kind, listing.list_id)
    row = {**of_list, "article_id": listing.article_id, "run": run, "at": _second(listing.seen_at)}
    if not db.execute(sql.ADD_LISTING, {**row, "record": _record(listing)}).rowcount:
        return False
    db.execute(sql.KNOW_LIST, {**of_list, "name": listing.list_name})
    if _current(db, listing.outlet, listing.article_id) is None:
        key = {"outlet": listing.outlet, "article_id": listing.article_id}
        db.execute(sql.WANT, {**key, "url": listing.url})
    else:
        db.execute(sql.QUEUE_LISTING, {**of_list, "article_id": listing.article_id})
    return True


def _restore_article(db: sqlite3.Connection, article: Article, targets: Collection[Target], *, at_once: bool) -> bool:
    known = _current(db, *article.key)
    newest = known["revision"] if known is not None else 0
    if not 1 <= article.revision <= newest + 1:
        raise ValueError(f"revision {article.revision} of {article.article_id} without revision {newest + 1}")
    if article.revision <= newest:
        stored = _version(db, {"outlet": article.outlet, "article_id": article.article_id}, article.revision)
        if stored.content_hash != article.content_hash:
            raise ValueError(f"revision {article.revision} of {article.article_id} is stored with other content")
        if not _is_later(article, stored):
            return False
        if article.revision == newest:
            _amend(db, article, None, targets)
        else:
            _replace_record(db, article, None)
            _mark(db, article.outlet, "article", article.article_id, 0)  # it tells of its history
        return True
    _keep_version(db, article, known, None, targets)
    if known is None and at_once:
        of_article = {"outlet": article.outlet, "article_id": article.article_id}
        _place_list(db, _list_key(article.outlet, "all"))
        for row in db.execute(sql.LISTS_OF_ARTICLE, of_article).fetchall():
            _place_list(db, _list_key(article.outlet, row["kind"], row["list_id"]))
    return True


def _is_later(article: Article, stored: Article) -> bool:
    """Whether a record of the same revision comes from a later look."""
    return _evidence_at(article) > _evidence_at(stored)


def _restore_listing(db: sqlite3.Connection, listing: Listing, *, at_once: bool) -> bool:
    if not _keep_listing(db, listing, None):
        return False
    if at_once:
        _place_list(db, _list_key(listing.outlet, listing.list_kind, listing.list_id))
    return True


def _waits_for_place(db: sqlite3.Connection, item: Article | Listing) -> bool:
    """A listing of an article that waits itself does not: it is the article that lets both have their places."""
    of_list = (item.list_kind, item.list_id) if isinstance(item, Listing) else ("all",)
    key = {**_list_key(item.outlet, *of_list), "article_id": item.article_id}
    return value(db, sql.IS_READY, key) is not None


def _place_list(db: sqlite3.Connection, key: _ListKey) -> None:
    """Give the unplaced articles of one list the next places; all of them, or those that the mirror holds."""
    size = _size(db, key)
    db.execute(sql.PLACE_UNPLACED, {**key, "size": size})
    if key["kind"] == "all":
        db.execute(sql.MARK_UNPLACED, key)
    placed = db.execute(sql.DROP_UNPLACED, key).rowcount
    if placed:
        _grow(db, key, size, placed)


def _grow(db: sqlite3.Connection, key: _ListKey, size: int, added: int) -> None:
    """A list of ``size`` got ``added`` more entries: mark the numbered pages on which they stand."""
    db.execute(sql.RESIZE, {**key, "name": "", "size": size + added})
    for part in range(_part(size + 1), _part(size + added) + 1):
        _mark(db, key["outlet"], key["kind"], key["list_id"], part)
    if not size and key["kind"] in ("section", "tag"):
        _begin_list(db, key)


def _begin_list(db: sqlite3.Connection, key: _ListKey) -> None:
    """A section or tag list got its first entry, so the mirror has pages for it: name it, and mark what links to it."""
    outlet, kind, list_id = key["outlet"], key["kind"], key["list_id"]
    name = json.loads(value(db, sql.FIRST_LISTING, key))["list_name"]
    db.execute(sql.NAME_LIST, {**_for(key), "name": name})
    _mark_linking(db, Target(outlet, kind, list_id))
    _mark(db, outlet, "all", "", _part(_size(db, _list_key(outlet, "all"))))  # its front page names the sections
    if kind == "tag":
        tags = _list_key(outlet, "tags")
        count = _size(db, tags)
        db.execute(sql.ADD_ENTRY, {**tags, "seq": count + 1, "member": list_id})
        _grow(db, tags, count, 1)


def _list_key(outlet: str, kind: str, list_id: str = "") -> _ListKey:
    return {"outlet": outlet, "kind": kind, "list_id": list_id}


def _for(key: _ListKey) -> dict[str, str]:
    """The key of a row to update; the plain names are those of new values."""
    return {f"for_{name}": value for name, value in key.items()}


def _size(db: sqlite3.Connection, key: _ListKey) -> int:
    return value(db, sql.LIST_SIZE, key) or 0


def _mark(db: sqlite3.Connection, outlet: str, kind: str, page_id: str, part: int) -> None:
    db.execute(sql.MARK, {"outlet": outlet, "kind": kind, "id": page_id, "part": part})


def _mark_linking(db: sqlite3.Connection, target: Target) -> None:
    """Mark the pages whose bodies link to something that the mirror has from now on."""
    db.execute(sql.MARK_LINKING, {"to_outlet": target.outlet, "to_kind": target.kind, "to_id": target.id})
