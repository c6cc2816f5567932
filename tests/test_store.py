"""The store: what it keeps and in which order, which pages it calls stale, and that no kill or full disk loses any."""

import concurrent.futures
import contextlib
import dataclasses
import itertools
import json
import random
import signal
import sqlite3
import threading
import tracemalloc
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from mirror_crawler import schema, statements
from mirror_crawler.clock import in_utc
from mirror_crawler.items import Article, Image, Listing, ListKind, Section, content_hash
from mirror_crawler.paths import ENTRIES_PER_PAGE
from mirror_crawler.store import ArticleStore, Entry, Held, Run, StoreError, Target, Validator, Walk, Wanted
from tests.mirror import start

OUTLET = "epochtimes"
OTHER = "ntdtv"
SEEN = "2026-11-22T01:37:17+00:00"
RUN = "20261122T013717Z"
NEXT = "20261122T023717Z"
"""The run after :data:`RUN`."""
LATER = "2026-11-22T02:37:17+00:00"


def article(number: int, title: str = "溪上新桥", hour: int = 8, **changes: Any) -> Article:
    body = f"<p>第{number}座桥在山谷里落成。</p>"
    values: dict[str, Any] = {
        "outlet": OUTLET,
        "article_id": f"n{number}",
        "url": f"https://www.epochtimes.com/gb/21/3/4/n{number}.htm",
        "language": "zh-Hans",
        "title": title,
        "authors": [],
        "editor": None,
        "published_at": f"2021-03-04T{hour:02d}:00:00+08:00",
        "modified_at": None,
        "published_source": "clock",
        "section": Section(id="nsc413", name="大陆新闻"),
        "tags": [],
        "lead_image": None,
        "images": [],
        "embeds": [],
        "body_html": body,
        "text": "桥",
        "first_seen_at": SEEN,
        "fetched_at": SEEN,
    } | changes
    values.setdefault("content_hash", content_hash(values["title"], None, values["body_html"]))
    return Article(**values)


def listing(number: int, list_id: str = "nsc413", kind: ListKind = "section", **changes: Any) -> Listing:
    values: dict[str, Any] = {
        "outlet": OUTLET,
        "list_kind": kind,
        "list_id": list_id,
        "list_name": f"名{list_id}",
        "article_id": f"n{number}",
        "url": f"https://www.epochtimes.com/gb/21/3/4/n{number}.htm",
        "title": "溪上新桥",
        "page": 1,
        "position": 1,
        "seen_at": SEEN,
    } | changes
    return Listing(**values)


def to_article(number: int, outlet: str = OUTLET) -> Target:
    return Target(outlet, "article", f"n{number}")


def page(kind: Any, page_id: str, part: int = 0) -> tuple[str, str, int]:
    return kind, page_id, part


def due(store: ArticleStore) -> set[tuple[str, str, int]]:
    """What is stale; settled, so the next call shows only what came since."""
    found = store.stale(10_000)
    store.settle(found)
    return {(row.kind, row.id, row.part) for row in found}


def members(store: ArticleStore, kind: str = "all", list_id: str = "") -> list[str]:
    return [entry.member for entry in store.entries(OUTLET, kind, list_id, 1, 10_000)]


@pytest.fixture
def address(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/mirror.db"


@pytest.fixture
def store(address: str) -> Iterator[ArticleStore]:
    with ArticleStore(address) as opened:
        yield opened


class TestOpening:
    def test_makes_missing_directories(self, tmp_path: Path) -> None:
        ArticleStore(f"sqlite:///{tmp_path}/a/b/mirror.db").close()
        assert (tmp_path / "a/b/mirror.db").exists()

    def test_uses_the_write_ahead_log(self, store: ArticleStore, tmp_path: Path) -> None:
        with sqlite3.connect(tmp_path / "mirror.db") as other:
            assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        other.close()

    def test_finds_again_what_was_stored(self, address: str) -> None:
        with ArticleStore(address) as store:
            store.put_article(article(1), RUN)
        with ArticleStore(address) as store:
            assert store.stored(OUTLET, ["n1"]) == {"n1"}

    @pytest.mark.parametrize(
        ("wrong", "said"),
        [
            pytest.param("data/mirror.db", "not a database address", id="path"),
            pytest.param("", "not a database address", id="empty"),
            pytest.param("postgresql://me:secret@host/db", "kind postgresql are not supported", id="dialect"),
            pytest.param("sqlite+aiosqlite:///x.db", "kind sqlite\\+aiosqlite are not supported", id="driver"),
            pytest.param("sqlite://", "names no file", id="memory"),
            pytest.param("sqlite:///:memory:", "names no file", id="named-memory"),
            pytest.param("sqlite:///x.db?mode=ro", "more than a file", id="options"),
            pytest.param("sqlite://host/x.db", "more than a file", id="host"),
        ],
    )
    def test_wrong_address_is_one_line_without_secrets(self, wrong: str, said: str) -> None:
        with pytest.raises(StoreError, match=f"^MIRROR_DB.*{said}.*sqlite:///data/mirror.db$") as caught:
            ArticleStore(wrong)
        assert "secret" not in str(caught.value)

    def test_directory_that_cannot_be_made(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(StoreError, match=r"^MIRROR_DB, or MIRROR_DATA .*: cannot make .*; give another$"):
            ArticleStore(f"sqlite:///{tmp_path}/file/mirror.db")

    def test_directory_instead_of_a_file(self, tmp_path: Path) -> None:
        with pytest.raises(StoreError, match=r"^MIRROR_DB: .* cannot be opened; "):
            ArticleStore(f"sqlite:///{tmp_path}")

    def test_file_that_is_no_database(self, tmp_path: Path) -> None:
        (tmp_path / "mirror.db").write_text("这是一封信，不是数据库。" * 100)
        with pytest.raises(StoreError, match=r"^MIRROR_DB: .* is not a database; "):
            ArticleStore(f"sqlite:///{tmp_path}/mirror.db")

    def test_database_of_another_program(self, tmp_path: Path) -> None:
        with sqlite3.connect(tmp_path / "mirror.db") as other:
            other.execute("CREATE TABLE birds (name)")
        other.close()
        with pytest.raises(StoreError, match="is a database of another program"):
            ArticleStore(f"sqlite:///{tmp_path}/mirror.db")

    def test_store_of_a_newer_version(self, address: str, tmp_path: Path) -> None:
        ArticleStore(address).close()
        with sqlite3.connect(tmp_path / "mirror.db") as other:
            other.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
        other.close()
        with pytest.raises(StoreError, match=r"was written by a newer version .*; update the program"):
            ArticleStore(address)

    def test_locked_store(self, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        ArticleStore(address).close()
        monkeypatch.setattr(schema, "BUSY_SECONDS", 0)
        other = sqlite3.connect(tmp_path / "mirror.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="has been locked by another process"):
            ArticleStore(address)
        other.close()

    def test_new_store_locked_by_another_maker(
        self, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(schema, "BUSY_SECONDS", 0)
        other = sqlite3.connect(tmp_path / "mirror.db", isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreError, match="has been locked by another process"):
            ArticleStore(address)
        other.close()

    @pytest.mark.parametrize(
        ("failures", "cause", "tries"),
        [
            pytest.param(3, "database is locked", 4, id="waits"),
            pytest.param(1000, "database is locked", schema._WAL_TRIES, id="gives-up"),
            pytest.param(1000, "disk I/O error", 1, id="other-cause"),
        ],
    )
    def test_waits_for_another_maker_to_set_the_journal(
        self, monkeypatch: pytest.MonkeyPatch, failures: int, cause: str, tries: int
    ) -> None:
        asked: list[str] = []

        class Connection:
            def execute(self, statement: str) -> None:
                asked.append(statement)
                if len(asked) <= failures:
                    raise sqlite3.OperationalError(cause)

        monkeypatch.setattr(schema, "BUSY_SECONDS", 0)
        with contextlib.suppress(sqlite3.OperationalError):
            schema._use_wal(cast(sqlite3.Connection, Connection()))
        assert len(asked) == tries

    @pytest.mark.untraced
    def test_many_processes_may_make_it_at_once(self, address: str) -> None:
        code = f"from mirror_crawler.store import ArticleStore; ArticleStore({address!r}).close()"
        for maker in [start("-c", code) for _ in range(4)]:
            with maker:
                assert (maker.communicate(timeout=60), maker.wait()) == (("", ""), 0)

    def test_store_that_cannot_be_written(self, store: ArticleStore) -> None:
        execute(store, "PRAGMA query_only = 1")
        with pytest.raises(StoreError, match=r"^MIRROR_DB: .* cannot be written; make the file "):
            store.put_article(article(1), RUN)

    def test_damage_is_told(self, store: ArticleStore) -> None:
        execute(store, "DROP TABLE files")
        with pytest.raises(StoreError, match=r"^MIRROR_DB: .* failed: no such table: files$"):
            store.file_hashes("tree", ["x"])

    def test_mistakes_of_the_program_are_not_hidden(self, store: ArticleStore) -> None:
        store.put_article(article(1), RUN)
        with pytest.raises(sqlite3.IntegrityError), store.database.write() as db:
            db.execute("INSERT INTO versions SELECT NULL, outlet, article_id, revision, run, at, record FROM versions")
        assert store.stored(OUTLET, ["n1"]) == {"n1"}


def execute(store: ArticleStore, statement: str) -> Any:
    connection: Any = store.database._writer.driver_connection
    return connection.execute(statement).fetchone()


class TestRuns:
    def test_named_by_their_start_in_utc(self, store: ArticleStore) -> None:
        assert store.begin_run(OUTLET, "2026-11-22T09:37:17+08:00") == "20261122T013717Z"

    def test_a_taken_name_gives_way_to_the_next_second(self, store: ArticleStore) -> None:
        names = [store.begin_run(OUTLET, "2026-12-31T23:59:58+00:00") for _ in range(3)]
        assert names == ["20261231T235958Z", "20261231T235959Z", "20270101T000000Z"]
        assert store.begin_run("ntdtv", "2026-12-31T23:59:58+00:00") == names[0]

    def test_unfinished_until_ended(self, store: ArticleStore) -> None:
        first, second = (store.begin_run(OUTLET, SEEN) for _ in range(2))
        store.begin_run("ntdtv", SEEN)
        assert store.unfinished_runs(OUTLET) == [first, second]
        store.end_run(OUTLET, first, finished_at=SEEN, verdict="ok", report={})
        assert store.unfinished_runs(OUTLET) == [second]

    def test_latest_first_with_their_reports(self, store: ArticleStore) -> None:
        first, second, third = (store.begin_run(OUTLET, SEEN) for _ in range(3))
        store.end_run(OUTLET, second, finished_at="2026-11-22T02:00:00+00:00", verdict="失败", report={"新": 3})
        assert store.last_runs(OUTLET, 2) == [
            Run(third, SEEN, None, None, {}),
            Run(second, SEEN, "2026-11-22T02:00:00+00:00", "失败", {"新": 3}),
        ]
        assert [run.run for run in store.last_runs(OUTLET, 9)] == [third, second, first]

    def test_know_what_they_stored_in_order(self, store: ArticleStore) -> None:
        kept = [store.put_article(article(number), RUN) for number in (3, 1, 2)]
        store.put_article(article(4), "another")
        named = [listing(number) for number in (5, 3)]
        store.put_listings(named, RUN)
        assert list(store.run_articles(OUTLET, RUN)) == [item.to_json() for item, _ in kept]
        assert list(store.run_listings(OUTLET, RUN)) == [item.to_json() for item in named]
        assert list(store.run_articles("ntdtv", RUN)) == []


class TestArticles:
    def test_new_one_is_revision_1(self, store: ArticleStore) -> None:
        assert store.put_article(article(1, revision=7), RUN) == (article(1, revision=1), "new")
        assert store.articles([(OUTLET, "n1")]) == [article(1, revision=1)]

    def test_same_content_writes_nothing(self, store: ArticleStore) -> None:
        store.put_article(article(1), RUN)
        store.place()
        due(store)
        before = list(store.records())
        again = article(1, fetched_at=LATER, first_seen_at=LATER)
        assert store.put_article(again, NEXT) == (article(1), "unchanged")
        assert (list(store.records()), due(store)) == (before, set())

    def test_other_content_is_the_next_revision_first_seen_as_before(self, store: ArticleStore) -> None:
        later: dict[str, Any] = {
            "first_seen_at": "2026-11-23T00:00:00+00:00",
            "fetched_at": "2026-11-23T00:00:00+00:00",
        }
        store.put_article(article(1), RUN)
        second = article(1, "溪上旧桥", revision=2, fetched_at=later["fetched_at"])
        third = article(1, revision=3, fetched_at=later["fetched_at"])
        assert store.put_article(article(1, "溪上旧桥", **later), RUN) == (second, "revised")
        assert store.put_article(article(1, **later), RUN) == (third, "revised")
        assert store.articles([(OUTLET, "n1")]) == [third]
        assert list(store.revisions(OUTLET, "n1")) == [article(1), second, third]

    def test_time_without_offset_is_refused(self, store: ArticleStore) -> None:
        with pytest.raises(ValueError, match="'2026-11-22T01:37:17' has no offset"):
            store.put_article(article(1, fetched_at="2026-11-22T01:37:17"), RUN)
        assert store.stored(OUTLET, ["n1"]) == set()

    def test_half_a_surrogate_pair_is_refused(self, store: ArticleStore) -> None:
        with pytest.raises(UnicodeEncodeError):
            store.put_article(article(1, "\ud800", content_hash="0" * 64), RUN)
        assert store.stored(OUTLET, ["n1"]) == set()

    def test_stored_ones_among_some(self, store: ArticleStore) -> None:
        store.put_article(article(1), RUN)
        store.put_article(article(2, outlet="ntdtv"), RUN)
        assert store.stored(OUTLET, ["n1", "n2", "n'3"]) == {"n1"}
        assert store.stored(OUTLET, []) == set()

    def test_unknown_keys_are_left_out(self, store: ArticleStore) -> None:
        store.put_article(article(1), RUN)
        assert store.articles([(OUTLET, "n1"), ("ntdtv", "n1"), (OUTLET, "n2")]) == [article(1)]


class TestListings:
    def test_new_once(self, store: ArticleStore) -> None:
        assert store.put_listing(listing(1), RUN)
        assert not store.put_listing(listing(1, title="另一个题目", page=2), RUN)
        assert store.put_listings([listing(1, "nsc418"), listing(1), listing(2)], RUN) == [True, False, True]
        assert [json.loads(line)["page"] for line in store.run_listings(OUTLET, RUN)] == [1, 1, 1]

    def test_listed_ones_among_some(self, store: ArticleStore) -> None:
        store.put_listings([listing(1), listing(2, "nsc418"), listing(3, "nsc413", "tag")], RUN)
        assert store.listed(OUTLET, "section", "nsc413", ["n1", "n2", "n3"]) == {"n1": "溪上新桥"}
        assert store.listed(OUTLET, "section", "nsc413", []) == {}

    def test_make_articles_wanted_until_stored(self, store: ArticleStore) -> None:
        store.put_article(article(1), RUN)
        store.put_listings([listing(1), listing(2), listing(2, "nsc418")], RUN)
        assert store.wanted(OUTLET, 9) == [Wanted("n2", listing(2).url, stored=False)]
        store.put_article(article(2), RUN)
        assert store.wanted(OUTLET, 9) == []


class TestFailures:
    def test_fewest_tries_first_and_not_for_ever(self, store: ArticleStore) -> None:
        for number, times in ((1, 2), (2, 1), (3, statements.MAX_TRIES)):
            for _ in range(times):
                store.note_failure(OUTLET, f"n{number}", listing(number).url, "HTTP 500", SEEN)
        store.put_listing(listing(4), RUN)
        assert [row.article_id for row in store.wanted(OUTLET, 9)] == ["n4", "n2", "n1"]
        assert [row.article_id for row in store.wanted(OUTLET, 1)] == ["n4"]
        assert execute(store, "SELECT cause, at FROM wanted WHERE article_id = 'n1'")[:] == ("HTTP 500", SEEN)

    @pytest.mark.parametrize("stored", [False, True], ids=["new", "look"])
    def test_that_pass_count_once_a_day(self, store: ArticleStore, stored: bool) -> None:
        """So an article outlasts an outage of days, and is given up all the same."""
        store.put_listing(listing(1), RUN)
        if stored:
            store.put_article(article(1), RUN)
            store.note_titles(OUTLET, "section", "nsc413", {"n1": "新题"})
        began = datetime.fromisoformat(SEEN)
        for hour in range(24 * (statements.MAX_TRIES - 1) + 1):
            assert is_wanted(store) == ["n1"], hour
            at = in_utc(began + timedelta(hours=hour))
            store.note_failure(OUTLET, "n1", listing(1).url, f"HTTP 50{hour % 10}", at, passing=True)
        assert is_wanted(store) == []
        assert execute(store, "SELECT tries, cause, at FROM wanted")[:] == (statements.MAX_TRIES, "HTTP 506", at)

    def test_that_last_count_after_one_that_passed(self, store: ArticleStore) -> None:
        for passing, tries in ((True, 1), (True, 1), (False, 2), (True, 2), (False, 3)):
            store.note_failure(OUTLET, "n1", listing(1).url, "x", SEEN, passing=passing)
            assert execute(store, "SELECT tries FROM wanted")[0] == tries

    def test_a_stored_article_is_not_wanted(self, store: ArticleStore) -> None:
        store.put_article(article(1), RUN)
        store.note_failure(OUTLET, "n1", article(1).url, "HTTP 500", SEEN)
        assert store.wanted(OUTLET, 9) == []


def photo(url: str, caption: str = "新桥（图片来源：样本）") -> Image:
    return Image(url=url, alt="桥", caption=caption)


def written(store: ArticleStore) -> tuple[int, list[bytes]]:
    """How many rows the store has written, and its bytes on disk."""
    connection: Any = store.database._writer.driver_connection
    return connection.total_changes, [Path(f"{store.database._file}{end}").read_bytes() for end in ("", "-wal")]


def seen_gone(store: ArticleStore, number: int, run: str = RUN, at: str = SEEN) -> Article | None:
    return store.note_gone(OUTLET, f"n{number}", article(number).url, run, at)


def withdraw(store: ArticleStore, number: int, at: str = LATER) -> Article:
    """Two runs find that the outlet has an article not any more."""
    assert seen_gone(store, number) is None
    found = seen_gone(store, number, NEXT, at)
    assert found is not None
    store.withdraw(found, NEXT)
    return found


def is_wanted(store: ArticleStore) -> list[str]:
    return [row.article_id for row in store.wanted(OUTLET, 99)]


class TestOutcomes:
    def test_unchanged_writes_not_a_byte(self, store: ArticleStore) -> None:
        kept = Validator("etag", "")
        store.put_article(article(1), RUN, [to_article(2)], kept)
        before = written(store)
        for targets in ([to_article(2)], []):
            again = article(1, fetched_at=LATER, first_seen_at=LATER, tags=["桥"], authors=["林小溪"])
            assert store.put_article(again, NEXT, targets, kept) == (article(1), "unchanged")
        assert written(store) == before

    def test_a_change_writes_some(self, store: ArticleStore) -> None:
        store.put_article(article(1), RUN)
        before = written(store)
        store.put_article(article(1, "新题"), NEXT)
        assert written(store) != before

    @pytest.mark.parametrize(
        ("was", "now"),
        [
            pytest.param({}, {"content_hash": "0" * 64}, id="hash-function"),
            pytest.param({"content_hash": "0" * 64}, {}, id="older-hash-function"),
            pytest.param(
                {"body_html": "<p>见桥。</p>"},
                {"body_html": '<p>见<a href="https://example.org/">桥</a>。</p>'},
                id="link",
            ),
            pytest.param(
                {"lead_image": photo("https://i.epochtimes.com/a-600x400.jpg")},
                {"lead_image": photo("https://i.epochtimes.com/a.jpg"), "content_hash": "0" * 64},
                id="size-of-a-picture",
            ),
        ],
    )
    def test_what_reads_the_same_is_no_revision(
        self, store: ArticleStore, was: dict[str, Any], now: dict[str, Any]
    ) -> None:
        store.put_article(article(1, **was), RUN)
        before = written(store)
        assert store.put_article(article(1, fetched_at=LATER, **now), NEXT) == (article(1, **was), "unchanged")
        assert written(store) == before

    @pytest.mark.parametrize(
        "now",
        [
            pytest.param({"title": "旧桥"}, id="title"),
            pytest.param({"body_html": "<p>第1座桥塌了。</p>"}, id="body"),
            pytest.param(
                {"lead_image": photo("https://i.epochtimes.com/b.jpg"), "content_hash": "0" * 64}, id="picture"
            ),
        ],
    )
    def test_what_reads_otherwise_is_one(self, store: ArticleStore, now: dict[str, Any]) -> None:
        store.put_article(article(1), RUN)
        stored, outcome = store.put_article(article(1, **now), NEXT)
        assert (stored.revision, outcome) == (2, "revised")

    @pytest.mark.untraced
    @pytest.mark.parametrize(
        ("was", "now", "outcome"),
        [
            *(
                pytest.param({"published_source": was}, {"published_source": now}, outcome, id=f"{was}-{now}")
                for was, now, outcome in [
                    ("none", "dateline", "amended"),
                    ("none", "clock", "amended"),
                    ("dateline", "metadata", "amended"),
                    ("metadata", "clock", "amended"),
                    ("clock", "clock", "unchanged"),
                    ("clock", "metadata", "unchanged"),
                    ("metadata", "dateline", "unchanged"),
                    ("dateline", "none", "unchanged"),
                ]
            ),
            pytest.param({"section": None}, {}, "amended", id="section-found"),
            pytest.param({}, {"section": None}, "unchanged", id="section-lost"),
            pytest.param({}, {"section": Section(id="nsc418", name="国际")}, "unchanged", id="section-other"),
            pytest.param({"section": None}, {"published_source": "none"}, "unchanged", id="section-found-clock-lost"),
        ],
    )
    def test_a_page_that_says_more(
        self, store: ArticleStore, was: dict[str, Any], now: dict[str, Any], outcome: str
    ) -> None:
        store.put_article(article(1, **was), RUN)
        read = article(1, fetched_at=LATER, first_seen_at=LATER, **now)
        expected = article(1, fetched_at=LATER, **now) if outcome == "amended" else article(1, **was)
        assert store.put_article(read, NEXT) == (expected, outcome)
        assert list(store.revisions(OUTLET, "n1")) == store.articles([(OUTLET, "n1")]) == [expected]
        assert list(store.run_articles(OUTLET, NEXT)) == [expected.to_json()] * (outcome == "amended")
        assert len(list(store.run_articles(OUTLET, RUN))) == (outcome == "unchanged")

    def test_amended_keeps_its_content_and_the_hash_of_it(self, store: ArticleStore) -> None:
        """What reads the same may differ in its bytes; a record whose hash is not that of its body is no record."""
        store.put_article(article(1, published_source="none", published_at=None), RUN)
        linked = '<p>第1座<a href="https://example.org/">桥</a>在山谷里落成。</p>'
        stored, outcome = store.put_article(article(1, body_html=linked, text="别"), NEXT)
        assert (stored, outcome) == (article(1), "amended")
        assert stored.content_hash == content_hash(stored.title, stored.lead_image, stored.body_html)

    def test_amended_after_a_change_of_the_hash_function(self, store: ArticleStore) -> None:
        store.put_article(article(1, published_source="none", content_hash="0" * 64), RUN)
        assert store.put_article(article(1), NEXT) == (article(1, content_hash="0" * 64), "amended")
        assert store.put_article(article(1), NEXT) == (article(1, content_hash="0" * 64), "unchanged")

    def test_amended_keeps_its_links(self, store: ArticleStore) -> None:
        store.put_article(article(1, published_source="none"), RUN, [to_article(2)])
        store.place()
        store.put_article(article(1), NEXT, [to_article(3)])
        due(store)
        for number in (2, 3):
            store.put_article(article(number), NEXT)
            store.place()
            assert (page("article", "n1") in due(store)) is (number == 2)

    def test_amended_time_marks_what_shows_it(self, store: ArticleStore) -> None:
        store.put_article(article(1, published_source="none", published_at=None), RUN)
        store.put_article(article(2, hour=9), RUN, [to_article(1)])
        store.put_listings([listing(1), listing(1, "桥", "tag")], RUN)
        store.place()
        due(store)
        store.put_article(article(1, hour=10), NEXT)
        assert due(store) == {
            page("article", "n1"), page("article", "n2"), page("all", "", 1),
            page("section", "nsc413", 1), page("tag", "桥", 1),
        }  # fmt: skip
        assert members(store) == ["n1", "n2"]

    def test_time_that_cannot_be_read_changes_nothing(self, store: ArticleStore) -> None:
        store.put_article(article(1, published_source="none"), RUN)
        for read in (article(1, published_at="早上"), article(1, "新题", published_at="早上")):
            with pytest.raises(ValueError, match="Invalid isoformat"):
                store.put_article(read, NEXT)
        assert store.articles([(OUTLET, "n1")]) == [article(1, published_source="none")]


class TestWithdrawal:
    def test_takes_two_runs(self, store: ArticleStore) -> None:
        store.put_article(article(1), RUN)
        store.place()
        due(store)
        before = list(store.records())
        for _ in range(3):
            assert seen_gone(store, 1) is None
        assert store.wanted(OUTLET, 9) == [Wanted("n1", article(1).url, stored=True)]
        assert seen_gone(store, 1, NEXT, LATER) == article(1, withdrawn_at=LATER)
        assert (list(store.records()), due(store), store.withdrawn(OUTLET, ["n1"])) == (before, set(), set())

    def test_is_said_again_until_it_is_stored(self, store: ArticleStore) -> None:
        """A kill between the look and the storing."""
        store.put_article(article(1), RUN)
        seen_gone(store, 1)
        for run in (NEXT, "20261122T033717Z"):
            assert seen_gone(store, 1, run, LATER) == article(1, withdrawn_at=LATER)
        assert is_wanted(store) == ["n1"]

    def test_once_stored_is_in_record_feed_export_and_page(self, store: ArticleStore) -> None:
        store.put_article(article(1), RUN)
        store.put_article(article(1, "新题"), RUN)
        store.put_article(article(2), RUN, [to_article(1)])
        store.put_listing(listing(1), RUN)
        store.place()
        due(store)
        found = withdraw(store, 1)
        assert found == article(1, "新题", revision=2, withdrawn_at=LATER)
        assert list(store.revisions(OUTLET, "n1")) == [article(1), found]
        assert store.articles([(OUTLET, "n1")]) == [found]
        assert list(store.run_articles(OUTLET, NEXT)) == [found.to_json()]
        assert list(store.records(since=LATER)) == [found.to_json()]
        assert due(store) == {page("article", "n1")}
        assert store.withdrawn(OUTLET, ["n1", "n2", "n3"]) == {"n1"}
        assert store.withdrawn(OTHER, ["n1"]) == set()
        assert is_wanted(store) == []

    def test_leaves_everything_in_its_place(self, store: ArticleStore) -> None:
        store.put_article(article(1), RUN)
        store.put_listing(listing(1), RUN)
        store.place()
        pages, held = list(store.all_pages()), store.held([to_article(1)])
        withdraw(store, 1)
        assert (list(store.all_pages()), store.held([to_article(1)])) == (pages, held)
        assert members(store) == members(store, "section", "nsc413") == ["n1"]

    def test_a_withdrawn_one_that_is_still_gone(self, store: ArticleStore) -> None:
        store.put_article(article(1), RUN)
        withdraw(store, 1)
        store.put_listing(listing(1), NEXT)
        store.note_titles(OUTLET, "section", "nsc413", {"n1": "新题"})
        before = list(store.records())
        assert seen_gone(store, 1, "20261123T000000Z", "2026-11-23T00:00:00+00:00") is None
        assert (is_wanted(store), list(store.records())) == ([], before)

    @pytest.mark.parametrize("back", ["put", "looked"])
    def test_seen_again_after_one_run_begins_anew(self, store: ArticleStore, back: str) -> None:
        store.put_article(article(1), RUN)
        seen_gone(store, 1)
        if back == "put":
            assert store.put_article(article(1), RUN)[1] == "unchanged"
        else:
            store.looked(OUTLET, "n1")
        assert is_wanted(store) == []
        assert seen_gone(store, 1, NEXT) is None
        assert is_wanted(store) == ["n1"]

    def test_comes_back(self, store: ArticleStore) -> None:
        store.put_article(article(1), RUN)
        store.place()
        withdraw(store, 1)
        due(store)
        back = article(1, fetched_at="2026-11-23T00:00:00+00:00")
        assert store.put_article(back, "20261123T000000Z") == (back, "returned")
        assert list(store.revisions(OUTLET, "n1")) == [back]
        assert list(store.run_articles(OUTLET, "20261123T000000Z")) == [back.to_json()]
        assert store.withdrawn(OUTLET, ["n1"]) == set()
        assert due(store) == {page("article", "n1")}
        assert store.put_article(back, "20261123T000000Z") == (back, "unchanged")
        assert seen_gone(store, 1, "20261124T000000Z") is None

    def test_comes_back_with_other_content(self, store: ArticleStore) -> None:
        store.put_article(article(1), RUN)
        gone = withdraw(store, 1)
        stored, outcome = store.put_article(article(1, "新题"), "20261123T000000Z")
        assert (stored, outcome) == (article(1, "新题", revision=2), "revised")
        assert list(store.revisions(OUTLET, "n1")) == [gone, stored]
        assert store.withdrawn(OUTLET, ["n1"]) == set()

    def test_of_an_older_revision_than_the_current_is_refused(self, store: ArticleStore) -> None:
        store.put_article(article(1), RUN)
        seen_gone(store, 1)
        found = seen_gone(store, 1, NEXT)
        assert found is not None
        store.put_article(article(1, "新题"), NEXT)
        with pytest.raises(ValueError, match="n1 has no current revision 1"):
            store.withdraw(found, NEXT)
        assert store.withdrawn(OUTLET, ["n1"]) == set()

    def test_of_an_article_that_is_not_stored(self, store: ArticleStore) -> None:
        assert [seen_gone(store, 1), seen_gone(store, 1, NEXT)] == [None, None]
        assert is_wanted(store) == []
        with pytest.raises(ValueError, match="n1 has no current revision 1"):
            store.withdraw(article(1, withdrawn_at=LATER), NEXT)
        store.put_article(article(1), NEXT)
        assert seen_gone(store, 1, "20261123T000000Z") is None

    def test_is_looked_for_without_its_validator(self, store: ArticleStore) -> None:
        store.put_article(article(1), RUN, (), Validator("etag", ""))
        store.put_article(article(2), RUN, (), Validator("etag", ""))
        seen_gone(store, 1)
        store.restore(article(2, withdrawn_at=LATER))
        assert [store.validator(article(number).url) for number in (1, 2)] == [None, None]

    def test_before_it_has_a_place(self, store: ArticleStore) -> None:
        store.put_article(article(1), RUN)
        withdraw(store, 1)
        assert store.stale(9) == []
        store.place()
        assert due(store) == {page("article", "n1"), page("all", "", 1)}

    def test_outlets_are_told_apart(self, store: ArticleStore) -> None:
        for outlet in (OUTLET, OTHER):
            store.put_article(article(1, outlet=outlet), RUN)
        seen_gone(store, 1)
        assert store.note_gone(OTHER, "n1", article(1).url, NEXT, LATER) is None
        assert store.wanted(OTHER, 9) == [Wanted("n1", article(1).url, stored=True)]


class TestWantedLooks:
    def test_any_answer_ends_them(self, store: ArticleStore) -> None:
        for number in (1, 2, 3, 4):
            store.put_article(article(number), RUN)
            store.put_listing(listing(number), RUN)
        store.note_titles(OUTLET, "section", "nsc413", {f"n{number}": "新题" for number in (1, 2, 3, 4)})
        assert is_wanted(store) == ["n1", "n2", "n3", "n4"]
        assert all(row.stored for row in store.wanted(OUTLET, 9))
        store.put_article(article(1), NEXT)
        store.put_article(article(2, "新题"), NEXT)
        store.looked(OUTLET, "n3")
        store.drop_wanted(OUTLET, "n4")
        assert is_wanted(store) == []

    def test_stored_and_not_stored_in_one_queue(self, store: ArticleStore) -> None:
        store.put_article(article(2), RUN)
        store.put_listings([listing(number) for number in (1, 2, 3)], RUN)
        store.note_titles(OUTLET, "section", "nsc413", {"n2": "新题"})
        store.note_failure(OUTLET, "n1", listing(1).url, "HTTP 500", SEEN)
        assert [(row.article_id, row.stored) for row in store.wanted(OUTLET, 9)] == [
            ("n2", True), ("n3", False), ("n1", False),
        ]  # fmt: skip
        assert [row.article_id for row in store.wanted(OUTLET, 2)] == ["n2", "n3"]
        assert store.wanted(OTHER, 9) == []

    def test_failed_looks_are_counted_and_given_up(self, store: ArticleStore) -> None:
        store.put_article(article(1), RUN)
        store.put_listing(listing(1), RUN)
        store.note_titles(OUTLET, "section", "nsc413", {"n1": "新题"})
        for failures in range(statements.MAX_TRIES):
            assert is_wanted(store) == ["n1"], failures
            store.note_failure(OUTLET, "n1", article(1).url, "HTTP 500", SEEN)
        assert is_wanted(store) == []
        assert execute(store, "SELECT tries, cause, at FROM wanted")[:] == (statements.MAX_TRIES, "HTTP 500", SEEN)

    @pytest.mark.parametrize("reason", ["title", "gone"])
    def test_a_new_reason_makes_new_tries(self, store: ArticleStore, reason: str) -> None:
        store.put_article(article(1), RUN)
        store.put_listing(listing(1), RUN)
        store.note_titles(OUTLET, "section", "nsc413", {"n1": "新题"})
        for _ in range(statements.MAX_TRIES):
            store.note_failure(OUTLET, "n1", article(1).url, "HTTP 500", SEEN)
        if reason == "title":
            store.note_titles(OUTLET, "section", "nsc413", {"n1": "又一题"})
        else:
            seen_gone(store, 1, NEXT)
        assert is_wanted(store) == ["n1"]

    def test_another_listing_of_a_failed_article_is_no_new_reason(self, store: ArticleStore) -> None:
        store.put_listing(listing(1), RUN)
        for _ in range(statements.MAX_TRIES):
            store.note_failure(OUTLET, "n1", listing(1).url, "HTTP 500", SEEN)
        store.put_listing(listing(1, "nsc418"), RUN)
        assert is_wanted(store) == []

    def test_looked_at_what_is_not_wanted(self, store: ArticleStore) -> None:
        store.put_article(article(1), RUN)
        before = written(store)
        store.looked(OUTLET, "n1")
        store.drop_wanted(OUTLET, "n1")
        assert written(store) == before


class TestTitles:
    def test_are_those_shown_last(self, store: ArticleStore) -> None:
        store.put_listings([listing(1), listing(2), listing(1, "nsc418")], RUN)
        store.note_titles(OUTLET, "section", "nsc413", {"n1": '新"题"'})
        assert store.listed(OUTLET, "section", "nsc413", ["n1", "n2"]) == {"n1": '新"题"', "n2": "溪上新桥"}
        assert store.listed(OUTLET, "section", "nsc418", ["n1"]) == {"n1": "溪上新桥"}
        assert list(store.records()) == [
            listing(1, title='新"题"').to_json(), listing(2).to_json(), listing(1, "nsc418").to_json(),
        ]  # fmt: skip

    def test_all_or_none(self, store: ArticleStore) -> None:
        store.put_listing(listing(1), RUN)
        with pytest.raises(UnicodeEncodeError):
            store.note_titles(OUTLET, "section", "nsc413", {"n1": "新题", "n2": "\ud800"} | {"n1": "\ud800"})
        assert store.listed(OUTLET, "section", "nsc413", ["n1"]) == {"n1": "溪上新桥"}

    def test_none(self, store: ArticleStore) -> None:
        before = written(store)
        store.note_titles(OUTLET, "section", "nsc413", {})
        assert written(store) == before

    def test_change_no_page(self, store: ArticleStore) -> None:
        store.put_article(article(1), RUN)
        store.put_listing(listing(1), RUN)
        store.place()
        due(store)
        store.note_titles(OUTLET, "section", "nsc413", {"n1": "新题"})
        assert due(store) == set()


class TestValidators:
    URL = "https://www.epochtimes.com/gb/nsc413.htm"

    @pytest.mark.parametrize(
        "said",
        [
            Validator('W/"1"', ""),
            Validator("", "Sun, 22 Nov 2026 01:37:17 GMT"),
            Validator('"1"', "Sun, 22 Nov 2026 01:37:17 GMT", "https://www.epochtimes.com/gb/nsc413_2.htm"),
        ],
    )
    def test_come_back_as_they_were(self, store: ArticleStore, said: Validator) -> None:
        assert store.validator(self.URL) is None
        store.put_validators({self.URL: said, "https://example.org/": Validator("x", "")})
        assert store.validator(self.URL) == said

    def test_last_one_counts(self, store: ArticleStore) -> None:
        for said in (Validator("1", "", "a"), Validator("1", "", "b"), Validator("1", "2", "b"), Validator("2", "2")):
            store.put_validators({self.URL: said})
            assert store.validator(self.URL) == said

    def test_same_again_writes_nothing(self, store: ArticleStore) -> None:
        store.put_validators({self.URL: Validator("1", "", "a")})
        before = written(store)
        store.put_validators({self.URL: Validator("1", "", "a")})
        store.put_validators({"https://example.org/": Validator("", "")})
        store.put_validators({})
        assert written(store) == before

    def test_outlet_that_says_nothing_any_more(self, store: ArticleStore) -> None:
        store.put_validators({self.URL: Validator("1", "", "a")})
        store.put_validators({self.URL: Validator("", "", "a")})
        assert store.validator(self.URL) is None

    def test_come_with_an_article(self, store: ArticleStore) -> None:
        url = article(1).url
        store.put_article(article(1), RUN, (), Validator("1", ""))
        assert store.validator(url) == Validator("1", "")
        store.put_article(article(1), RUN)
        assert store.validator(url) == Validator("1", "")
        assert store.put_article(article(1), RUN, (), Validator("2", ""))[1] == "unchanged"
        assert store.validator(url) == Validator("2", "")
        store.put_article(article(1, "新题"), RUN, (), Validator("", ""))
        assert store.validator(url) is None

    def test_not_without_their_article(self, store: ArticleStore) -> None:
        with pytest.raises(ValueError, match="has no offset"):
            store.put_article(article(1, fetched_at="2026-11-22T01:37:17"), RUN, (), Validator("1", ""))
        assert store.validator(article(1).url) is None


class TestWalks:
    LIST = (OUTLET, "section", "nsc413")

    def test_that_did_not_end_are_remembered(self, store: ArticleStore) -> None:
        assert store.walk_begin(*self.LIST, "大陆") is None
        assert store.walk_begin(*self.LIST, "大陆") == Walk("", 1)
        assert store.walk_begin(OUTLET, "tag", "nsc413", "大陆") is None
        assert store.walk_begin(OTHER, "section", "nsc413", "大陆") is None
        store.walk_end(*self.LIST)
        assert store.walk_begin(*self.LIST, "大陆") is None

    def test_where_they_were_cut_off(self, store: ArticleStore) -> None:
        store.walk_begin(*self.LIST, "大陆")
        for number in (2, 3):
            store.walk_at(*self.LIST, f"https://www.epochtimes.com/gb/nsc413_{number}.htm", number)
        for _ in range(2):
            assert store.walk_begin(*self.LIST, "大陆") == Walk("https://www.epochtimes.com/gb/nsc413_3.htm", 3)
        store.walk_at(*self.LIST, "", 1)
        assert store.walk_begin(*self.LIST, "大陆") == Walk("", 1)

    def test_each_window_has_its_own(self, store: ArticleStore) -> None:
        windows = ("", "2026-11-01..2026-11-22", "2026-10-01..2026-11-22")
        for number, window in enumerate(windows, 2):
            assert store.walk_begin(*self.LIST, "大陆", window) is None
            store.walk_at(*self.LIST, f"page {number}", number, window)
        store.walk_end(*self.LIST, windows[1])
        assert store.walk_begin(*self.LIST, "大陆") == Walk("page 2", 2)
        assert store.walk_begin(*self.LIST, "大陆", windows[1]) is None
        assert store.walk_begin(*self.LIST, "大陆", windows[2]) == Walk("page 4", 4)

    def test_make_no_page_for_their_list(self, store: ArticleStore) -> None:
        store.walk_begin(*self.LIST, "大陆")
        assert (store.list_name(*self.LIST), store.list_size(*self.LIST), store.lists(OUTLET, "section")) == (
            "大陆", 0, [],
        )  # fmt: skip


def clock(hour: int, minute: int = 0, day: int = 4) -> str:
    """An order key: 2021-03-04 in UTC."""
    return f"2021-03-{day:02d}T{hour:02d}:{minute:02d}:00+00:00"


class TestDueLooks:
    """:func:`article` publishes at ``hour`` in Beijing, eight hours ahead of the order keys."""

    NEVER = "2099"

    @pytest.mark.untraced
    @pytest.mark.parametrize(
        ("spans", "found"),
        [
            pytest.param([(clock(1), clock(3))], {"n10", "n11"}, id="up-to-is-in-after-is-out"),
            pytest.param([(clock(0, 59), clock(1))], {"n9"}, id="one-minute"),
            pytest.param([(clock(1), clock(1))], set(), id="empty"),
            pytest.param([(clock(3), clock(1))], set(), id="backward"),
            pytest.param([(clock(0), clock(1)), (clock(2), clock(3))], {"n9", "n11"}, id="two"),
            pytest.param([(clock(0), clock(2)), (clock(1), clock(3))], {"n9", "n10", "n11"}, id="overlapping"),
            pytest.param([], set(), id="none"),
        ],
    )
    def test_by_age(self, store: ArticleStore, spans: list[tuple[str, str]], found: set[str]) -> None:
        for hour in (8, 9, 10, 11, 12):
            store.put_article(article(hour, hour=hour), RUN)
            store.put_article(article(hour + 100, hour=hour, outlet=OTHER), RUN)
        assert store.due_looks(OUTLET, spans, self.NEVER) == {
            key: article(int(key.removeprefix("n"))).url for key in found
        }

    def test_each_moment_is_in_one_of_two_following_spans(self, store: ArticleStore) -> None:
        for hour in range(8, 14):
            store.put_article(article(hour, hour=hour), RUN)
        first = store.due_looks(OUTLET, [(clock(0), clock(2))], self.NEVER)
        second = store.due_looks(OUTLET, iter([(clock(2), clock(4))]), self.NEVER)
        assert (set(first), set(second)) == ({"n9", "n10"}, {"n11", "n12"})

    def test_updates_in_every_run_while_they_are_young(self, store: ArticleStore) -> None:
        for number, hour, title in ((1, 9, "【更新】新桥"), (2, 10, "新桥（更新中）"), (3, 10, "新桥"), (4, 8, "更新")):
            store.put_article(article(number, title, hour=hour), RUN)
        for _ in range(2):
            assert set(store.due_looks(OUTLET, [], clock(0, 59))) == {"n1", "n2"}
        assert set(store.due_looks(OUTLET, [], clock(1))) == {"n2"}
        assert set(store.due_looks(OUTLET, [(clock(1, 59), clock(2))], clock(1))) == {"n2", "n3"}

    def test_title_is_that_of_the_current_revision(self, store: ArticleStore) -> None:
        store.put_article(article(1, "【更新】新桥"), RUN)
        store.put_article(article(1, "新桥"), RUN)
        assert store.due_looks(OUTLET, [], clock(0, day=3)) == {}

    @pytest.mark.parametrize("title", ["新桥", "【更新】新桥"])
    def test_withdrawn_ones_may_come_back(self, store: ArticleStore, title: str) -> None:
        store.put_article(article(1, title), RUN)
        everything: Any = (OUTLET, [(clock(0, day=3), clock(0, day=5))], clock(0, day=3))
        seen_gone(store, 1)
        assert set(store.due_looks(*everything)) == {"n1"}
        found = seen_gone(store, 1, NEXT)
        assert found is not None
        store.withdraw(found, NEXT)
        assert set(store.due_looks(*everything)) == {"n1"}

    def test_what_was_found_gone_lately_is_counted(self, store: ArticleStore) -> None:
        for number in (1, 2):
            store.put_article(article(number), RUN)
        assert store.gone_since(OUTLET, clock(0, day=1)) == 0
        seen_gone(store, 1)
        assert (store.gone_since(OUTLET, SEEN), store.gone_since(OTHER, SEEN)) == (1, 0)
        assert store.gone_since(OUTLET, "9999") == 0

    def test_until_which_moment_runs_looked(self, store: ArticleStore) -> None:
        assert store.looked_until(OUTLET) is None
        ended: Any = {"finished_at": SEEN, "verdict": "ok", "report": {}}
        for looked in ("2026-11-22T01:00:00+00:00", "2026-11-22T02:00:00+00:00", None):
            store.end_run(OUTLET, store.begin_run(OUTLET, SEEN), **ended, looked_until=looked)
        store.begin_run(OUTLET, SEEN)
        store.end_run(OTHER, store.begin_run(OTHER, SEEN), **ended, looked_until="2026-11-22T09:00:00+00:00")
        assert store.looked_until(OUTLET) == "2026-11-22T02:00:00+00:00"
        assert store.looked_until("another") is None


class TestStoredArticles:
    def test_by_id_in_batches(self, store: ArticleStore) -> None:
        for number in (3, 1, 2):
            store.put_article(article(number), RUN)
        store.put_article(article(9, outlet=OTHER), RUN)
        first = store.article_ids(OUTLET, "", 2)
        assert first == [("n1", article(1).url), ("n2", article(2).url)]
        assert store.article_ids(OUTLET, first[-1][0], 2) == [("n3", article(3).url)]
        assert store.article_ids(OUTLET, "n3", 2) == []

    def test_their_addresses(self, store: ArticleStore) -> None:
        store.put_article(article(1), RUN)
        store.put_article(article(2, outlet=OTHER), RUN)
        assert store.urls(OUTLET, ["n1", "n2", "n3"]) == {"n1": article(1).url}
        assert store.urls(OUTLET, []) == {}

    def test_revisions_of_one_article_oldest_first(self, store: ArticleStore) -> None:
        for number in (1, 2):
            for title in "甲乙丙丁戊己庚辛壬癸子":
                store.put_article(article(number, title), RUN)
        found = list(store.revisions(OUTLET, "n1"))
        assert "".join(each.title for each in found) == "甲乙丙丁戊己庚辛壬癸子"
        assert [each.revision for each in found] == list(range(1, 12))
        assert list(store.revisions(OTHER, "n1")) == []


class TestPlaces:
    def test_by_publication_within_a_list_whatever_the_order_of_storing(self, store: ArticleStore) -> None:
        for number, hour in ((1, 9), (2, 8), (4, 7), (3, 7)):
            store.put_article(article(number, hour=hour), RUN)
            store.put_listing(listing(number), RUN)
        store.place()
        assert members(store) == members(store, "section", "nsc413") == ["n3", "n4", "n2", "n1"]

    def test_kept_for_ever(self, store: ArticleStore) -> None:
        store.put_article(article(1, hour=9), RUN)
        store.place()
        store.put_article(article(2, hour=8), RUN)
        store.place()
        assert [(entry.seq, entry.member) for entry in store.entries(OUTLET, "all", "", 1, 9)] == [(1, "n1"), (2, "n2")]

    def test_listing_may_come_before_or_after_the_article(self, store: ArticleStore) -> None:
        store.put_listing(listing(1), RUN)
        store.put_article(article(1), RUN)
        store.put_article(article(2, hour=9), RUN)
        store.put_listing(listing(2), RUN)
        store.put_listing(listing(3), RUN)
        store.place()
        assert members(store, "section", "nsc413") == ["n1", "n2"]
        assert store.list_size(OUTLET, "section", "nsc413") == 2

    def test_entries_show_what_an_index_prints(self, store: ArticleStore) -> None:
        store.put_article(article(1), RUN)
        store.put_article(article(2, "无日期", published_at=None, section=None), RUN)
        store.place()
        first, second = store.entries(OUTLET, "all", "", 1, 2)
        midnight = "2021-03-04T00:00:00+00:00"
        assert second == Entry(2, "n2", "无日期", article(2).url, None, midnight, "")
        assert first == Entry(1, "n1", "溪上新桥", article(1).url, article(1).published_at, midnight, "nsc413")
        assert (first.day, second.day) == ("2021-03-04", "2021-03-04")

    @pytest.mark.parametrize("kind", ["all", "section"])
    @pytest.mark.parametrize(("count", "last"), [(1, 24), (3, 24), (3, 8), (50, 24), (50, 5), (2, 0)])
    def test_newest_entries_wherever_they_stand(self, store: ArticleStore, kind: str, count: int, last: int) -> None:
        """Of the list of all articles they are looked for among these, of the short section by sorting it."""
        for hours in ((20, 4, 11), range(8), (21, 4, 12, 22), range(13, 22)):
            for hour in hours:
                number = hour * 100 + len(hours)
                store.put_article(article(number, hour=hour), RUN)
                if hour % 5 == 0 or hour == 4:
                    store.put_listing(listing(number), RUN)
            store.place()
        list_id = "nsc413" if kind == "section" else ""
        places = store.entries(OUTLET, kind, list_id, 1, last)
        newest = sorted(places, key=lambda entry: (entry.order_key, entry.member), reverse=True)
        assert store.newest(OUTLET, kind, list_id, count, last) == newest[:count]

    def test_range_of_entries(self, store: ArticleStore) -> None:
        for number in range(1, 6):
            store.put_article(article(number, hour=number), RUN)
        store.place()
        assert [entry.member for entry in store.entries(OUTLET, "all", "", 2, 4)] == ["n2", "n3", "n4"]

    def test_tags_have_a_list_of_their_own(self, store: ArticleStore) -> None:
        store.put_article(article(1), RUN)
        store.put_listings([listing(1, "桥", "tag"), listing(1, "n1", "tag"), listing(2, "空", "tag")], RUN)
        store.place()
        store.put_listing(listing(1, "a", "tag"), RUN)
        store.place()
        assert store.entries(OUTLET, "tags", "", 1, 9) == [
            Entry(1, "n1", "名n1"), Entry(2, "桥", "名桥"), Entry(3, "a", "名a"),
        ]  # fmt: skip

    def test_held_lists_by_id_with_the_name_of_their_first_place(self, store: ArticleStore) -> None:
        store.walk_begin(OUTLET, "section", "nsc413", "未定")
        store.put_listings([listing(2, list_name="后"), listing(1, list_name="先"), listing(3, "nsc999")], RUN)
        store.put_article(article(2, hour=9), RUN)
        store.put_article(article(1, hour=8), RUN)
        store.put_listing(listing(1, "nsc100"), RUN)
        store.place()
        store.put_article(article(4), RUN)
        store.put_listing(listing(4, list_name="改名"), RUN)
        store.place()
        assert store.lists(OUTLET, "section") == [("nsc100", "名nsc100"), ("nsc413", "先")]
        assert store.list_name(OUTLET, "section", "nsc413") == "先"
        assert store.list_name(OUTLET, "section", "nsc0") == "nsc0"
        assert store.list_size(OUTLET, "section", "nsc0") == 0

    def test_same_places_from_parts_or_at_once(self, tmp_path: Path) -> None:
        results = []
        for name, order in (("a", (1, 2, 3, 4)), ("b", (4, 2, 3, 1))):
            with ArticleStore(f"sqlite:///{tmp_path}/{name}.db") as store:
                for number in order:
                    store.put_listings([listing(number, f"标签{number % 2}", "tag"), listing(number)], RUN)
                    store.put_article(article(number, hour=number), RUN)
                store.place()
                results.append([members(store, "tags"), members(store, "tag", "标签0"), members(store)])
        assert results[0] == results[1]

    def test_outlets_are_those_with_an_article(self, store: ArticleStore) -> None:
        assert store.outlets() == []
        store.put_article(article(1, outlet="ntdtv"), RUN)
        store.put_article(article(1), RUN)
        store.put_listing(listing(1, outlet="another"), RUN)
        assert store.outlets() == [OUTLET, "ntdtv"]
        assert [store.has_records(name) for name in ("another", "ntdtv", "none")] == [True, True, False]


class TestStalePages:
    def test_new_article_its_page_and_its_places(self, store: ArticleStore) -> None:
        store.put_article(article(1), RUN)
        store.put_listing(listing(1), RUN)
        store.place()
        assert due(store) == {page("article", "n1"), page("all", "", 1), page("section", "nsc413", 1)}

    def test_three_more_articles_cost_what_they_change(self, store: ArticleStore) -> None:
        for number in range(ENTRIES_PER_PAGE + 5):
            store.put_article(article(number), RUN)
            store.put_listing(listing(number), RUN)
        store.place()
        due(store)
        for number in (900, 901, 902):
            store.put_article(article(number), RUN)
            store.put_listing(listing(number), RUN)
        store.place()
        own = {page("article", f"n{number}") for number in (900, 901, 902)}
        assert due(store) == own | {page("all", "", 2), page("section", "nsc413", 2)}

    @pytest.mark.parametrize(
        ("stored", "added", "parts"),
        [
            pytest.param(0, ENTRIES_PER_PAGE, {1}, id="fills-the-first"),
            pytest.param(ENTRIES_PER_PAGE, 1, {2}, id="begins-the-second"),
            pytest.param(ENTRIES_PER_PAGE - 1, 2, {1, 2}, id="over-the-edge"),
        ],
    )
    def test_numbered_pages(self, store: ArticleStore, stored: int, added: int, parts: set[int]) -> None:
        for number in range(stored):
            store.put_article(article(number), RUN)
        store.place()
        due(store)
        for number in range(stored, stored + added):
            store.put_article(article(number), RUN)
        store.place()
        assert {part for kind, _, part in due(store) if kind == "all"} == parts

    def test_pages_that_link_to_a_new_article(self, store: ArticleStore) -> None:
        store.put_article(article(1), RUN, [to_article(2), to_article(3)])
        store.put_article(article(5), RUN, [to_article(3)])
        store.place()
        due(store)
        store.put_article(article(2), RUN)
        assert due(store) == set()
        store.place()
        assert due(store) == {page("article", "n2"), page("article", "n1"), page("all", "", 1)}

    def test_links_are_those_of_the_current_revision(self, store: ArticleStore) -> None:
        store.put_article(article(1), RUN, [to_article(2)])
        store.put_article(article(1, "新题"), RUN, {to_article(3)})
        store.place()
        due(store)
        store.put_article(article(2), RUN)
        store.place()
        assert due(store) == {page("article", "n2"), page("all", "", 1)}
        store.put_article(article(3), RUN)
        store.place()
        assert due(store) == {page("article", "n3"), page("article", "n1"), page("all", "", 1)}

    @pytest.mark.parametrize("kind", ["section", "tag"])
    def test_pages_that_link_to_a_list_once_it_is_held(self, store: ArticleStore, kind: ListKind) -> None:
        store.put_article(article(1), RUN, [Target(OUTLET, kind, "桥")])
        store.place()
        due(store)
        store.put_article(article(2), RUN)
        store.put_listing(listing(2, "桥", kind), RUN)
        due(store)
        store.place()
        first = due(store)
        assert {page("article", "n1"), page(kind, "桥", 1), page("all", "", 1)} <= first
        assert (page("tags", "", 1) in first) is (kind == "tag")
        store.put_article(article(3), RUN)
        store.put_listing(listing(3, "桥", kind), RUN)
        store.place()
        assert due(store) == {page("article", "n3"), page(kind, "桥", 1), page("all", "", 1)}

    def test_a_new_list_of_old_articles_changes_the_outlets_front_page(self, store: ArticleStore) -> None:
        store.put_article(article(1), RUN)
        store.place()
        due(store)
        store.put_listing(listing(1), RUN)
        store.place()
        assert due(store) == {page("section", "nsc413", 1), page("all", "", 1)}

    @pytest.mark.untraced
    @pytest.mark.parametrize(
        ("changes", "also"),
        [
            pytest.param({"body_html": "<p>别样的桥。</p>"}, set(), id="body"),
            pytest.param(
                {"title": "旧桥"}, {page("all", "", 2), page("section", "nsc413", 2), page("tag", "桥", 1)}, id="title"
            ),
            pytest.param(
                {"published_at": "2021-03-05T08:00:00+08:00", "title": "旧桥"},
                {page("all", "", 2), page("section", "nsc413", 2), page("tag", "桥", 1), page("article", "n900")},
                id="time",
            ),
        ],
    )
    def test_revised_article(
        self, store: ArticleStore, changes: dict[str, Any], also: set[tuple[str, str, int]]
    ) -> None:
        for number in range(ENTRIES_PER_PAGE):
            store.put_article(article(number + 100, hour=10), RUN)
            store.put_listing(listing(number + 100), RUN)
        store.place()
        store.put_article(article(900, hour=11), RUN, [to_article(1)])
        store.put_article(article(1, hour=12), RUN)
        store.put_listings([listing(1), listing(900), listing(1, "桥", "tag"), listing(100, "n1", "tag")], RUN)
        store.place()
        due(store)
        store.put_article(article(1, hour=12, **changes), RUN)
        assert due(store) == {page("article", "n1")} | also

    def test_settling_keeps_what_was_marked_again(self, store: ArticleStore) -> None:
        store.put_article(article(1), RUN)
        store.put_article(article(2), RUN)
        store.place()
        first = store.stale(9, ["article"])
        store.put_article(article(1, "新题"), RUN)
        store.settle(first)
        (again,) = store.stale(9, ["article"])
        assert (again.id, again.stamp) != (first[0].id, first[0].stamp)
        assert again.id == "n1"
        store.settle([again])
        store.put_article(article(1, "又一题"), RUN)
        store.settle([again])
        assert [row.id for row in store.stale(9, ["article"])] == ["n1"]
        store.settle([])

    def test_limit_and_kinds(self, store: ArticleStore) -> None:
        for number in (3, 1, 2):
            store.put_article(article(number), RUN)
        store.place()
        assert [(row.kind, row.id) for row in store.stale(3)] == [
            ("article", "n1"),
            ("article", "n2"),
            ("article", "n3"),
        ]
        assert [row.kind for row in store.stale(9)] == ["article"] * 3 + ["all"]
        assert [row.kind for row in store.stale(2, ["all", "article"])] == ["all", "article"]
        assert store.stale(9, ["tag"]) == []

    def test_all_pages_are_those_that_the_store_implies(self, store: ArticleStore) -> None:
        for number in range(ENTRIES_PER_PAGE + 1):
            store.put_article(article(number), RUN)
        store.put_listings([listing(1, "桥", "tag"), listing(999, "nsc418")], RUN)
        store.place()
        pages = list(store.all_pages())
        assert {(row.kind, row.id, row.part) for row in pages} == due(store)
        assert {row.stamp for row in pages} == {0}
        assert len(pages) == ENTRIES_PER_PAGE + 1 + 4


class TestWithoutPlace:
    """What a run has stored shows nowhere before it is placed: another outlet's run may be writing pages meanwhile."""

    def test_neither_stale_nor_held_nor_among_all_pages(self, store: ArticleStore) -> None:
        store.put_article(article(1), RUN)
        store.put_listing(listing(1), RUN)
        asked = [to_article(1), Target(OUTLET, "section", "nsc413")]
        assert (store.stale(9), store.held(asked), list(store.all_pages())) == ([], {}, [])
        store.place()
        assert set(store.held(asked)) == set(asked)
        assert {row[:4] for row in store.stale(9)} == {row[:4] for row in store.all_pages()}
        assert due(store) == {page("article", "n1"), page("all", "", 1), page("section", "nsc413", 1)}

    def test_a_place_in_a_section_is_not_needed(self, store: ArticleStore) -> None:
        store.put_article(article(1), RUN)
        store.place()
        store.put_listing(listing(1), RUN)
        assert set(store.held([to_article(1)])) == {to_article(1)}
        assert page("article", "n1") in due(store)

    def test_revised_before_its_place(self, store: ArticleStore) -> None:
        store.put_article(article(1), RUN)
        store.put_article(article(1, "新题"), RUN)
        assert (store.stale(9), store.held([to_article(1)])) == ([], {})
        store.place()
        assert store.held([to_article(1)])[to_article(1)].title == "新题"
        assert due(store) == {page("article", "n1"), page("all", "", 1)}

    def test_takes_nothing_of_the_limit(self, store: ArticleStore) -> None:
        store.put_article(article(5, outlet=OTHER), RUN)
        store.place()
        for number in (1, 2, 3):
            store.put_article(article(number), RUN)
            store.put_article(article(number, "新题"), RUN)
        assert [(row.outlet, row.id) for row in store.stale(1)] == [(OTHER, "n5")]

    def test_is_in_no_list_before_it_is_among_all_articles(
        self, address: str, store: ArticleStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Another run of the outlet stores an article after the list of all articles was placed, before the rest."""
        store.put_article(article(1), RUN)
        store.put_listing(listing(1), RUN)
        transactions, begin = itertools.count(1), store.database.write
        with ArticleStore(address) as other:

            def write() -> contextlib.AbstractContextManager[sqlite3.Connection]:
                if next(transactions) == 2:
                    other.put_article(article(2), RUN)
                    other.put_listing(listing(2), RUN)
                return begin()

            monkeypatch.setattr(store.database, "write", write)
            store.place()
            assert next(transactions) > 3
            assert members(store) == members(store, "section", "nsc413") == ["n1"]
            store.place()
        assert members(store) == members(store, "section", "nsc413") == ["n1", "n2"]


TARGETS = [
    to_article(1), to_article(2), to_article(1, OTHER), to_article(2, OTHER),
    Target(OUTLET, "section", "nsc413"), Target(OTHER, "section", "nsc413"), Target(OTHER, "tag", "桥"),
]  # fmt: skip
"""What each article of :class:`TestTwoOutlets` links to."""


class TestTwoOutlets:
    @pytest.mark.parametrize("outlet", [OUTLET, OTHER])
    def test_placing_one_leaves_the_queue_of_the_other(self, store: ArticleStore, outlet: str) -> None:
        other = OTHER if outlet == OUTLET else OUTLET
        for name in (OUTLET, OTHER):
            store.put_article(article(1, outlet=name), RUN)
            store.put_listings([listing(1, outlet=name), listing(1, "桥", "tag", outlet=name)], RUN)
        store.place(outlet)
        lists = [("all", ""), ("section", "nsc413"), ("tag", "桥"), ("tags", "")]
        assert [store.list_size(outlet, *key) for key in lists] == [1] * 4
        assert [store.list_size(other, *key) for key in lists] == [0] * 4
        assert {row.outlet for row in store.stale(99)} == {row.outlet for row in store.all_pages()} == {outlet}
        assert set(store.held([to_article(1), to_article(1, OTHER)])) == {to_article(1, outlet)}
        store.place(other)
        assert [store.list_size(other, *key) for key in lists] == [1] * 4
        assert {row.outlet for row in store.stale(99)} == {OUTLET, OTHER}

    def test_placing_one_that_has_nothing(self, store: ArticleStore) -> None:
        for name in (OUTLET, OTHER):
            store.put_article(article(1, outlet=name), RUN)
        for name in ("a", "m", "z"):
            store.place(name)
        assert store.stale(9) == []

    @pytest.mark.parametrize(
        ("linking", "linked"),
        [
            pytest.param(OUTLET, OUTLET, id="within"),
            pytest.param(OUTLET, OTHER, id="to-the-later-name"),
            pytest.param(OTHER, OUTLET, id="to-the-earlier-name"),
        ],
    )
    def test_linking_pages_are_marked_at_placing(self, store: ArticleStore, linking: str, linked: str) -> None:
        store.put_article(article(1, outlet=linking), RUN, [to_article(2, linked)])
        store.place(linking)
        due(store)
        store.put_article(article(2, outlet=linked), RUN)
        assert due(store) == set()
        store.place(linked)
        assert due(store) == {page("article", "n1"), page("article", "n2"), page("all", "", 1)}

    def test_linking_pages_without_a_place_wait_for_theirs(self, store: ArticleStore) -> None:
        store.put_article(article(1), RUN, [to_article(2, OTHER)])
        store.put_article(article(2, outlet=OTHER), RUN)
        store.place(OTHER)
        assert due(store) == {page("article", "n2"), page("all", "", 1)}
        store.place(OUTLET)
        assert due(store) == {page("article", "n1"), page("all", "", 1)}

    @pytest.mark.parametrize("last", [OUTLET, OTHER])
    def test_same_pages_at_the_same_time_and_one_after_the_other(self, tmp_path: Path, last: str) -> None:
        first = OTHER if last == OUTLET else OUTLET
        one_by_one = [(first, "crawl"), (first, "write"), (last, "crawl"), (last, "write")]
        together = [(last, "crawl"), (first, "crawl"), (first, "write"), (last, "write")]
        trees = [
            tree_of(f"sqlite:///{tmp_path}/{number}.db", steps) for number, steps in enumerate([one_by_one, together])
        ]
        assert trees[0] == trees[1]
        assert trees[0][first, "article", "n1", 0] == sorted(TARGETS)


def tree_of(address: str, steps: list[tuple[str, str]]) -> dict[tuple[str, str, str, int], object]:
    """What stands on each page that is due when it is written: entries of a list, live links of an article."""
    tree: dict[tuple[str, str, str, int], object] = {}
    with ArticleStore(address) as store:
        for outlet, step in steps:
            if step == "crawl":
                for number in (1, 2):
                    store.put_listings(
                        [listing(number, outlet=outlet), listing(number, "桥", "tag", outlet=outlet)], RUN
                    )
                    store.put_article(article(number, hour=9 - number, outlet=outlet), RUN, TARGETS)
                continue
            store.place(outlet)
            for row in (found := store.stale(99)):
                tree[row[:4]] = sorted(store.held(TARGETS)) if row.kind == "article" else store.entries(*row[:3], 1, 99)
            store.settle(found)
        assert {row[:4] for row in store.all_pages()} == set(tree)
    return tree


class TestHeld:
    def test_articles_and_lists_that_have_a_page(self, store: ArticleStore) -> None:
        store.put_article(article(1), RUN)
        store.put_article(article(2, outlet="ntdtv", section=None), RUN)
        store.put_listings([listing(1, "桥", "tag"), listing(3)], RUN)
        store.place()
        tag, section = Target(OUTLET, "tag", "桥"), Target(OUTLET, "section", "nsc413")
        assert store.held({to_article(1), to_article(2), Target("ntdtv", "article", "n2"), tag, section}) == {
            to_article(1): Held("溪上新桥", article(1).url, article(1).published_at, "nsc413"),
            Target("ntdtv", "article", "n2"): Held("溪上新桥", article(2).url, article(2).published_at, ""),
            tag: Held("名桥"),
        }
        assert store.held([]) == {}

    @pytest.mark.untraced
    def test_any_number_of_targets(self, store: ArticleStore) -> None:
        store.put_article(article(7), RUN)
        store.place()
        assert set(store.held([to_article(number) for number in range(40_000)])) == {to_article(7)}


class TestFiles:
    def test_hashes_of_what_was_written(self, store: ArticleStore) -> None:
        store.record_files("tree", {"a.md": "1", "b.md": "2"})
        store.record_files("tree", {"a.md": "3"})
        assert store.file_hashes("tree", ["a.md", "b.md", "c.md"]) == {"a.md": "3", "b.md": "2"}
        store.forget_files("tree", ["a.md", "c.md"])
        assert store.file_hashes("tree", ["a.md", "b.md"]) == {"b.md": "2"}

    def test_trees_are_told_apart(self, store: ArticleStore) -> None:
        store.record_files("tree", {"a.md": "1"})
        store.record_files("other", {"a.md": "2"})
        store.forget_files("other", ["a.md"])
        assert (store.file_hashes("tree", ["a.md"]), store.file_hashes("other", ["a.md"])) == ({"a.md": "1"}, {})

    def test_what_nothing_implies_is_left_over(self, store: ArticleStore) -> None:
        store.record_files("tree", {"a.md": "1", "b.md": "2", "c.md": "3"})
        store.record_files("other", {"z.md": "9"})
        for _ in range(2):
            assert store.left_over_files("tree", iter(["a.md", "c.md", "a.md", "new.md"])) == [("b.md", "2")]
        assert store.left_over_files("tree", []) == [("a.md", "1"), ("b.md", "2"), ("c.md", "3")]

    def test_the_look_of_a_tree(self, store: ArticleStore) -> None:
        assert store.tree_look("tree") is None
        store.set_tree_look("tree", "one")
        store.set_tree_look("tree", "two")
        assert (store.tree_look("tree"), store.tree_look("other")) == ("two", None)

    def test_nothing_to_note(self, store: ArticleStore) -> None:
        store.record_files("tree", {})
        store.forget_files("tree", [])
        assert store.file_hashes("tree", []) == {}


def fill(store: ArticleStore, base: int = 0) -> None:
    """Every state an item can be in: revised, withdrawn, back again, placed, queued, listed but not stored, listed
    under another title, tags unsorted.
    """
    for number, hour in ((1, 9), (2, 8), (10, 7)):
        store.put_article(article(base + number, hour=hour), RUN)
        store.put_listings([listing(base + number), listing(base + number, "丙", "tag")], RUN)
    store.place()
    store.put_article(article(base + 1, "改过的题目", fetched_at="2026-11-23T00:00:00+00:00"), RUN)
    store.put_listings([listing(base + 2, "甲", "tag"), listing(base + 50, "甲", "tag"), listing(base + 51)], RUN)
    store.place()
    for number in (7, 6, 5):
        store.put_article(article(base + number, hour=20 - number), RUN)
        store.put_listings([listing(base + number), listing(base + number, "乙", "tag")], RUN)
    store.put_listings([listing(base + 60, "丁", "tag"), listing(base + 61), listing(base + 3, "nsc900")], RUN)
    for number in (2, 7, 10):
        withdraw(store, base + number)
    store.put_article(article(base + 7, hour=13, fetched_at="2026-11-22T03:37:17+00:00"), "20261122T033717Z")
    store.put_article(article(base + 10, "回来的桥", hour=7), "20261122T033717Z")
    store.note_titles(OUTLET, "section", "nsc413", {f"n{base + number}": "另一个题目" for number in (1, 6, 51)})
    for number in (1, 6):
        store.looked(OUTLET, f"n{base + number}")


def fill_others(store: ArticleStore) -> None:
    store.put_article(article(1, outlet="ntdtv", fetched_at="2026-11-24T00:00:00+00:00"), RUN)
    store.put_listing(listing(8, outlet="other"), RUN)


def item_of(line: str) -> Article | Listing:
    record = json.loads(line)
    return Listing.from_record(record) if "list_kind" in record else Article.from_record(record)


class TestExchange:
    def test_records_come_in_the_order_of_places(self, store: ArticleStore) -> None:
        fill(store)
        fill_others(store)
        items = [item_of(line) for line in store.records(OUTLET)]
        stored = [(item.article_id, item.revision) for item in items if isinstance(item, Article)]
        assert stored == [
            ("n10", 1), ("n10", 2), ("n2", 1), ("n1", 1), ("n1", 2), ("n7", 1), ("n6", 1), ("n5", 1),
        ]  # fmt: skip
        withdrawn = [
            (item.article_id, item.revision) for item in items if isinstance(item, Article) and item.withdrawn_at
        ]
        assert withdrawn == [("n10", 1), ("n2", 1)]
        retitled = [item.article_id for item in items if isinstance(item, Listing) and item.title == "另一个题目"]
        assert retitled == ["n1", "n6", "n51"]
        named = [(item.list_id, item.article_id) for item in items if isinstance(item, Listing)]
        assert [key for name, key in named if name == "nsc413"] == ["n10", "n2", "n1", "n7", "n6", "n5", "n51", "n61"]
        assert list(dict.fromkeys(name for name, _ in named)) == ["nsc413", "nsc900", "丙", "甲", "乙", "丁"]

    def test_lines_are_exactly_what_was_stored(self, store: ArticleStore) -> None:
        store.put_article(article(1), RUN)
        store.put_listing(listing(1), RUN)
        assert list(store.records()) == [article(1).to_json(), listing(1).to_json()]

    def test_export_import_export_is_the_same_to_the_byte(self, store: ArticleStore, tmp_path: Path) -> None:
        fill(store)
        fill_others(store)
        lines = list(store.records())
        with ArticleStore(f"sqlite:///{tmp_path}/copy.db") as copy:
            assert copy.restore_all([(item_of(line), ()) for line in lines]) == [True] * len(lines)
            assert list(copy.records()) == lines
            store.place()
            for key in [("all", ""), ("tags", ""), *(("section", name) for name, _ in store.lists(OUTLET, "section")),
                        *(("tag", name) for name, _ in store.lists(OUTLET, "tag"))]:  # fmt: skip
                assert copy.entries(OUTLET, *key, 1, 99) == store.entries(OUTLET, *key, 1, 99)
            assert list(copy.all_pages()) == list(store.all_pages())
            assert due(copy) == {(row.kind, row.id, row.part) for row in copy.all_pages()}
            assert copy.wanted(OUTLET, 99) == store.wanted(OUTLET, 99)
            everything = [f"n{number}" for number in range(100)]
            assert copy.withdrawn(OUTLET, everything) == store.withdrawn(OUTLET, everything) == {"n2"}
            assert list(copy.run_articles(OUTLET, RUN)) == []

    def test_listings_before_articles_give_places_on_arrival(self, store: ArticleStore) -> None:
        for item in (listing(1), listing(2), article(2), article(1)):
            assert store.restore(item)
        assert members(store, "section", "nsc413") == ["n2", "n1"]
        assert store.wanted(OUTLET, 9) == []

    def test_what_is_there_is_not_taken_twice(self, store: ArticleStore) -> None:
        fill(store)
        fill_others(store)
        lines = list(store.records())
        assert not any(store.restore(item_of(line)) for line in lines)
        assert list(store.records()) == lines

    def test_links_of_restored_articles_come_alive(self, store: ArticleStore) -> None:
        store.restore(article(1), [to_article(2), to_article(3)])
        due(store)
        store.put_article(article(2), RUN)
        store.place()
        assert page("article", "n1") in due(store)
        store.restore(article(3))
        assert due(store) == {page("article", "n1"), page("article", "n3"), page("all", "", 1)}

    def test_restored_articles_are_held_at_once(self, store: ArticleStore) -> None:
        store.restore_all([(article(1), ()), (article(2, outlet=OTHER), ())])
        assert len(store.held([to_article(1), to_article(2, OTHER)])) == 2

    def test_restored_listing_waits_for_the_place_of_its_article(self, store: ArticleStore) -> None:
        store.put_article(article(1), RUN)
        assert store.restore(listing(1))
        assert due(store) == set()
        assert store.list_size(OUTLET, "section", "nsc413") == 0
        store.place()
        assert members(store, "section", "nsc413") == ["n1"]

    @pytest.mark.parametrize(
        ("item", "said"),
        [
            pytest.param(article(9, revision=2), "revision 2 of n9 without revision 1", id="no-first"),
            pytest.param(article(1, "三", revision=3), "revision 3 of n1 without revision 2", id="gap"),
            pytest.param(article(1, revision=0), "revision 0 of n1 without", id="zero"),
            pytest.param(article(1, "别的"), "revision 1 of n1 is stored with other content", id="conflict"),
            pytest.param(article(8, fetched_at="早上"), "Invalid isoformat", id="time"),
            pytest.param(article(8, published_at="早上"), "Invalid isoformat", id="published"),
            pytest.param(listing(8, title="\udc00"), "surrogates not allowed", id="surrogate"),
        ],
    )
    def test_what_does_not_fit_is_refused_and_the_rest_goes_in(
        self, store: ArticleStore, item: Article | Listing, said: str
    ) -> None:
        store.put_article(article(1), RUN)
        with pytest.raises(ValueError, match=said):
            store.restore(item)
        outcomes = store.restore_all([(article(20), ()), (item, ()), (article(21), ())])
        assert [outcomes[0], outcomes[2]] == [True, True]
        assert isinstance(outcomes[1], ValueError)
        assert store.stored(OUTLET, ["n8", "n9", "n20", "n21"]) == {"n20", "n21"}

    @pytest.mark.parametrize(
        "since", ["2026-11-23T00:00:00+00:00", "2026-11-23T08:00:00+08:00", "2026-11-23T00:00:00Z"]
    )
    def test_since(self, store: ArticleStore, since: str) -> None:
        fill(store)
        fill_others(store)
        store.put_listing(listing(77, seen_at="2026-11-23T00:00:00.5+00:00"), RUN)
        found = [item_of(line) for line in store.records(since=since)]
        assert [(item.outlet, item.article_id) for item in found] == [(OUTLET, "n1"), ("ntdtv", "n1"), (OUTLET, "n77")]

    def test_one_moment_whatever_is_stored_meanwhile(self, store: ArticleStore) -> None:
        fill(store)
        fill_others(store)
        expected = list(store.records())
        lines = store.records()
        begun = list(itertools.islice(lines, 2))
        store.place()
        store.put_article(article(500), RUN)
        assert begun + list(lines) == expected

    def test_all_outlets_or_one(self, store: ArticleStore) -> None:
        fill(store)
        fill_others(store)
        outlets = {item_of(line).outlet for line in store.records()}
        assert outlets == {OUTLET, "ntdtv", "other"}
        assert {item_of(line).outlet for line in store.records("other")} == {"other"}


def records_of(number: int) -> list[Article]:
    """What one article was in the course of time: there, gone, back, changed, gone, back, changed once more."""
    moments = iter(f"2026-11-{day}T00:00:00+00:00" for day in range(10, 30))
    told = []
    for revision, title in ((1, "甲"), (2, "乙"), (3, "丙")):
        there = article(number, title, revision=revision, fetched_at=next(moments))
        told += [there, dataclasses.replace(there, withdrawn_at=next(moments))]
        told.append(dataclasses.replace(there, fetched_at=next(moments)))
    return told[:7]


class TestLaterEvidence:
    """Of several records of one revision the one with the latest evidence counts, whatever the order they come in."""

    def test_in_the_order_of_time(self, store: ArticleStore) -> None:
        told = records_of(1)
        assert [store.restore(record) for record in told] == [True] * 7
        assert list(store.revisions(OUTLET, "n1")) == [told[2], told[5], told[6]]
        assert store.withdrawn(OUTLET, ["n1"]) == set()

    @pytest.mark.untraced
    @pytest.mark.parametrize("seed", range(20))
    def test_in_any_order(self, store: ArticleStore, seed: int) -> None:
        told = records_of(1)
        shuffled = random.Random(seed).sample(told, len(told))
        for record in shuffled * 3:  # each time the next revision goes in
            store.restore_all([(record, ())])
        assert list(store.revisions(OUTLET, "n1")) == [told[2], told[5], told[6]]
        assert store.articles([(OUTLET, "n1")]) == [told[6]]
        assert store.withdrawn(OUTLET, ["n1"]) == set()

    def test_known_record_is_not_new(self, store: ArticleStore) -> None:
        gone = article(1, withdrawn_at=LATER)
        assert store.restore(gone)
        before = written(store)
        for record in (gone, article(1), article(1, withdrawn_at="2026-11-22T10:37:17+08:00")):
            assert not store.restore(record)
        assert written(store) == before

    def test_of_an_earlier_revision_changes_its_record_alone(self, store: ArticleStore) -> None:
        store.put_article(article(1), RUN)
        store.put_article(article(1, "新题"), RUN)
        store.place()
        due(store)
        assert store.restore(article(1, withdrawn_at=LATER))
        assert [each.withdrawn_at for each in store.revisions(OUTLET, "n1")] == [LATER, None]
        assert store.articles([(OUTLET, "n1")]) == [article(1, "新题", revision=2)]
        assert store.withdrawn(OUTLET, ["n1"]) == set()
        assert due(store) == {page("article", "n1")}

    def test_withdrawn_ones_are_known_as_such(self, store: ArticleStore) -> None:
        assert store.restore(article(1, withdrawn_at=LATER))
        store.put_article(article(2), RUN)
        assert store.restore(article(2, withdrawn_at=LATER))
        assert store.withdrawn(OUTLET, ["n1", "n2"]) == {"n1", "n2"}
        assert store.put_article(article(1), RUN)[1] == "returned"
        assert store.restore(article(2, fetched_at="2026-11-23T00:00:00+00:00"))
        assert store.withdrawn(OUTLET, ["n1", "n2"]) == set()

    def test_a_sighting_of_one_run_is_contradicted(self, store: ArticleStore) -> None:
        store.put_article(article(1), RUN)
        seen_gone(store, 1)
        assert store.restore(article(1, fetched_at=LATER))
        assert seen_gone(store, 1, NEXT) is None

    @pytest.mark.parametrize("time", ["早上", "2026-11-22T01:37:17"])
    @pytest.mark.parametrize("revision", [1, 2, 3])
    def test_time_that_cannot_be_read(self, store: ArticleStore, time: str, revision: int) -> None:
        store.put_article(article(1, "甲"), RUN)
        store.put_article(article(1, "乙"), RUN)
        before = list(store.records())
        record = article(1, " 甲乙丙"[revision], revision=revision, withdrawn_at=time)
        assert [type(outcome) for outcome in store.restore_all([(record, ()), (article(2), ())])] == [ValueError, bool]
        assert list(store.records()) == [*before, article(2).to_json()]


SCAN_ALLOWED = {"ALL_ARTICLES", "ALL_LISTS", "PICTURE_RECORDS", "NOTE_UNPUBLISHED", "TREES", "VOLUMES"}
"""Statements that are meant to read a whole table: for ``scrapy render`` and ``scrapy export``; and those that read one
with a row for each repository or tree.
"""


def all_statements() -> Iterator[tuple[str, str]]:
    for name, text in vars(statements).items():
        if name.isupper() and isinstance(text, str) and "TABLE temp" not in text and "TEMP TABLE" not in text:
            yield name, text
    yield from ((f"NEXT_OUTLET_{name}", text) for name, text in statements.NEXT_OUTLET.items())


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ArticleStore]:
    """To be asked how it would find things."""
    with ArticleStore(f"sqlite:///{tmp_path_factory.mktemp('empty')}/mirror.db") as opened:
        yield opened


@pytest.mark.untraced
@pytest.mark.parametrize(("name", "text"), [pytest.param(*pair, id=pair[0]) for pair in all_statements()])
def test_no_statement_scans_a_table(empty: ArticleStore, name: str, text: str) -> None:
    with empty.database.read() as db:
        db.execute(statements.MAKE_IMPLIED)
        parameters = dict.fromkeys(ALL_PARAMETERS)
        plan = [row["detail"] for row in db.execute(f"EXPLAIN QUERY PLAN {text}", parameters | {"keys": "[]"})]
        db.execute(statements.DROP_IMPLIED)
    harmless = ("VIRTUAL TABLE", "CONSTANT ROW", "SUBQUERY")  # the keys asked for, a literal row, the queue of one list
    scans = [step for step in plan if step.startswith("SCAN") and not any(word in step.upper() for word in harmless)]
    assert bool(scans) is (name in SCAN_ALLOWED), plan


@pytest.mark.parametrize(
    ("name", "step"),
    [
        *(
            pytest.param(name, "queue USING PRIMARY KEY (outlet=? AND kind=? AND list_id=? AND article_id=?)", id=name)
            for name in ("STALE", "HELD_ARTICLES", "PLACE_UNPLACED", "DROP_UNPLACED", "ALL_ARTICLES")
        ),
        pytest.param(
            "MARK_UNPLACED",
            "links USING COVERING INDEX links_to (to_outlet=? AND to_kind=? AND to_id=?)",
            id="MARK_UNPLACED",
        ),
    ],
)
def test_one_jump_in_the_index_for_each_article(empty: ArticleStore, name: str, step: str) -> None:
    table = step.split()[0]
    with empty.database.read() as db:
        parameters = dict.fromkeys(ALL_PARAMETERS) | {"keys": "[]"}
        rows = db.execute(f"EXPLAIN QUERY PLAN {getattr(statements, name)}", parameters)
        plan = [row["detail"] for row in rows]
    assert [found for found in plan if f" {table} " in found] == [f"SEARCH {step}"], plan


ALL_PARAMETERS = {column.name for table in schema.metadata.tables.values() for column in table.c} | {
    "count", "first", "last", "since", "after", "upto",
    "for_outlet", "for_run", "for_kind", "for_list_id", "for_article_id", "for_revision", "for_url", "for_asset",
    "more", "passing",
}  # fmt: skip


ASKED_FOR_FEW: dict[str, dict[str, object]] = {
    "DUE_LOOKS": {"after": clock(1, day=3), "upto": clock(2, day=3), "title": "%更新%"},
    "WANTED": {"count": 3},
    "ARTICLE_IDS": {"after": "n5", "count": 3},
    "LOOKED_UNTIL": {},
    "WITHDRAWN": {"keys": '["n7", "n8"]'},
    "LISTED": {"kind": "section", "list_id": "nsc413", "keys": '["n7", "n8"]'},
    "VALIDATOR": {"url": "https://www.epochtimes.com/n7"},
    "REVISIONS": {"article_id": "n7"},
}


@pytest.mark.untraced
@pytest.mark.parametrize("name", ASKED_FOR_FEW)
def test_few_are_found_among_many_as_fast_as_among_few(few_and_many: list[ArticleStore], name: str) -> None:
    """SQLite's own count of its steps."""
    costs = []
    for store in few_and_many:
        with store.database.read() as db:
            steps: list[int] = []
            db.set_progress_handler(lambda: steps.append(1), 1)  # noqa: B023 - called at once
            found = db.execute(getattr(statements, name), {"outlet": OUTLET, **ASKED_FOR_FEW[name]}).fetchall()
            db.set_progress_handler(None, 1)
        costs.append((len(steps), len(found)))
    assert costs[0] == costs[1]
    assert 0 < costs[0][1] <= 3


@pytest.fixture(scope="module")
def few_and_many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[ArticleStore]]:
    """Two stores, to be read only."""
    root = tmp_path_factory.mktemp("filled")
    with ArticleStore(f"sqlite:///{root}/few.db") as few, ArticleStore(f"sqlite:///{root}/many.db") as many:
        fill_many(few, range(20))
        fill_many(many, range(2_000))
        yield [few, many]


def fill_many(store: ArticleStore, numbers: range) -> None:
    """Old articles, of which numbers 7 and 8 appeared on a day of their own; each wanted, gone and listed."""
    with store.database.write() as db:
        for number in numbers:
            key = clock(1, number, day=3) if number in (7, 8) else f"2020-01-01T00:00:{number:05d}"
            row = (OUTLET, f"n{number}", "https://www.epochtimes.com/" + f"n{number}")
            record = listing(number).to_json()
            db.execute("INSERT INTO articles VALUES (?, ?, 1, '', '', ?, '更新', NULL, ?, '')", (*row, key))
            db.execute("INSERT INTO wanted VALUES (?, ?, ?, ?, NULL, NULL)", (*row, 9 * (number > 19)))
            db.execute("INSERT INTO gone VALUES (?, ?, ?, '', ?)", (*row, SEEN if number == 7 else None))
            db.execute("INSERT INTO validators VALUES (?, '1', '', '')", row[2:])
            db.execute("INSERT INTO versions VALUES (NULL, ?, ?, 1, ?, '', '{}')", row)
            values = (OUTLET, f"n{number}", record)
            db.execute("INSERT INTO listings VALUES (NULL, ?, 'section', 'nsc413', ?, NULL, '', ?)", values)
            db.execute("INSERT INTO runs VALUES (?, ?, '', '', 'ok', '{}', '')", (OUTLET, f"{number:05d}"))


def test_threads_share_a_store(store: ArticleStore) -> None:
    def work(worker: int) -> None:
        for number in range(20):
            store.put_listing(listing(number), RUN)
            store.put_article(article(1000 * worker + number), RUN)
            store.stored(OUTLET, ["n1"])

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(1, 9)))
    store.place()
    assert store.list_size(OUTLET, "all", "") == 160
    assert len(list(store.run_listings(OUTLET, RUN))) == 20


def test_two_stores_place_once(address: str, store: ArticleStore) -> None:
    for number in range(50):
        store.put_article(article(number), RUN)
    with ArticleStore(address) as other:
        threads = [threading.Thread(target=each.place) for each in (store, other)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(members(store)) == sorted(f"n{number}" for number in range(50))


def test_two_stores_agree_on_what_is_new(address: str, store: ArticleStore) -> None:
    numbers = range(40)

    def put(each: ArticleStore) -> list[str]:
        return [each.put_article(article(number), RUN)[1] for number in numbers]

    with ArticleStore(address) as other, concurrent.futures.ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(put, (store, other)))
    assert [sorted(pair) for pair in zip(*outcomes, strict=True)] == [["new", "unchanged"]] * len(numbers)
    assert sum(1 for _ in store.records()) == len(numbers)


def test_two_stores_agree_on_who_saw_it_gone_first(address: str, store: ArticleStore) -> None:
    for number in (numbers := range(40)):
        store.put_article(article(number), RUN)

    def look(each: ArticleStore, run: str) -> list[bool]:
        return [seen_gone(each, number, run) is None for number in numbers]

    with ArticleStore(address) as other, concurrent.futures.ThreadPoolExecutor(2) as pool:
        first, second = pool.map(look, (store, other), (RUN, NEXT))
    assert all(one is not another for one, another in zip(first, second, strict=True))


def test_records_are_not_held_in_memory(store: ArticleStore) -> None:
    texts = "桥" * 20_000
    for number in range(60):
        store.put_article(article(number, text=texts), RUN)
    lines = store.records()
    tracemalloc.start()
    try:
        assert sum(1 for _ in lines) == 60
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 10 * len(texts.encode())


WRITER = """
import itertools, sys
from tests.test_store import RUN, article, listing, to_article
from mirror_crawler.store import ArticleStore
store = ArticleStore(sys.argv[1])
for number in itertools.count():
    store.put_listings([listing(number), listing(number, f"标签{number % 7}", "tag")], RUN)
    store.put_article(article(number), RUN, [to_article(number + 1)])
    if number % 5 == 4:
        store.place()
        store.settle(store.stale(3))
    sys.stdout.write(f"{number}\\n")
    sys.stdout.flush()
"""


@pytest.mark.untraced
@pytest.mark.parametrize("acknowledged", [3, 20, 64])
def test_killed_writer_loses_nothing_it_acknowledged(address: str, acknowledged: int) -> None:
    with start("-c", WRITER, address) as child:
        assert child.stdout is not None
        seen = [int(line) for line in itertools.islice(child.stdout, acknowledged)]
        child.kill()
        seen += [int(line) for line in child.stdout if line.endswith("\n")]
        assert child.wait() == -signal.SIGKILL
    with ArticleStore(address) as store:
        assert execute(store, "PRAGMA integrity_check")[0] == "ok"
        ids = [f"n{number}" for number in seen]
        assert store.stored(OUTLET, ids) == set(store.listed(OUTLET, "section", "nsc413", ids)) == set(ids)
        store.place()
        stored = [item.article_id for item in map(item_of, store.records()) if isinstance(item, Article)]
        assert sorted(members(store)) == sorted(members(store, "section", "nsc413")) == sorted(stored)
        sizes = [store.list_size(OUTLET, "tag", name) for name, _ in store.lists(OUTLET, "tag")]
        assert sum(sizes) == len(stored)


def test_full_disk_is_told_and_loses_nothing(store: ArticleStore) -> None:
    pages = execute(store, "PRAGMA page_count")[0]
    execute(store, f"PRAGMA max_page_count = {pages + 10}")
    kept: list[str] = []

    def fill_up() -> None:
        for number in range(1000):
            store.put_article(article(number), RUN)
            kept.append(f"n{number}")

    with pytest.raises(StoreError, match=r"^MIRROR_DB: .* the disk is full; free some space"):
        fill_up()
    execute(store, "PRAGMA max_page_count = 1000000")
    assert kept
    assert store.stored(OUTLET, [f"n{number}" for number in range(1000)]) == set(kept)
    assert store.put_article(article(5000), RUN)[1] == "new"
    assert execute(store, "PRAGMA integrity_check")[0] == "ok"


def test_closed_store_gives_its_file_back(address: str, tmp_path: Path) -> None:
    store = ArticleStore(address)
    store.put_article(article(1), RUN)
    list(store.records())
    store.close()
    assert [file.name for file in tmp_path.iterdir()] == ["mirror.db"]


class TestPublishing:
    def test_an_outlet_without_a_run_is_published(self, store: ArticleStore) -> None:
        assert store.is_published(OUTLET)

    @pytest.mark.parametrize(
        ("verdict", "published"),
        [("ok", True), ("degraded", True), ("failed", False), ("blocked", False), ("killed", False)],
    )
    def test_is_what_the_latest_run_is_worth(self, store: ArticleStore, verdict: str, published: bool) -> None:
        for other in ("ok", "failed", verdict):
            run = store.begin_run(OUTLET, SEEN)
            store.end_run(OUTLET, run, finished_at=SEEN, verdict=other, report={})
        assert store.is_published(OUTLET) is published

    @pytest.mark.parametrize(("verdict", "told"), [("killed", {"published": True}), ("ok", {})])
    def test_is_not_taken_back_when_the_run_comes_to_a_bad_end(
        self, store: ArticleStore, verdict: str, told: dict[str, bool]
    ) -> None:
        run = store.begin_run(OUTLET, SEEN)
        store.put_article(article(1), run)
        store.put_article(article(1, "改"), run)
        store.begin_publishing(OUTLET, run)
        store.end_run(OUTLET, run, finished_at=SEEN, verdict=verdict, report={"run": run})
        assert store.is_published(OUTLET)
        assert store.last_runs(OUTLET, 1)[0].report == {"run": run, **told}
        bad = store.begin_run(OUTLET, LATER)
        store.put_article(article(1, "坏"), bad)
        store.end_run(OUTLET, bad, finished_at=LATER, verdict="failed", report={})
        assert store.published(OUTLET, ["n1"])["n1"].title == "改"
        assert not store.is_published(OUTLET)

    def test_of_a_run_that_goes_on_begins_when_it_is_known_to_be_good(self, store: ArticleStore) -> None:
        run = store.begin_run(OUTLET, SEEN)
        assert not store.is_published(OUTLET)
        store.begin_publishing(OUTLET, run)
        assert store.is_published(OUTLET)
        assert store.last_runs(OUTLET, 1)[0].verdict is None
        assert store.unfinished_runs(OUTLET) == [run]
