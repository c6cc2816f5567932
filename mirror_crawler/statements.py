"""The statements of :class:`mirror_crawler.store.ArticleStore` as SQL text, made by SQLAlchemy once, at import.

They run on the driver's own connections: a stored article takes ten of them, and SQLAlchemy's execution would cost
several times what SQLite does. Parameters are named, and carry the names of the columns; in an UPDATE, where those
names stand for the new values, ``for_…`` tells which row is meant. ``keys`` is a JSON list.
"""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import (
    ClauseElement,
    ColumnElement,
    FromClause,
    Integer,
    Table,
    Text,
    and_,
    bindparam,
    case,
    column,
    delete,
    exists,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    table,
    tuple_,
    union_all,
    update,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.sqlite import Insert
from sqlalchemy.dialects.sqlite import insert as upsert

from mirror_crawler.paths import ENTRIES_PER_PAGE
from mirror_crawler.schema import (
    articles,
    entries,
    files,
    gone,
    links,
    listings,
    lists,
    pictures,
    published,
    runs,
    stale,
    trees,
    unplaced,
    unpublished,
    validators,
    versions,
    volumes,
    walks,
    wanted,
)

MAX_TRIES = 5
"""A wanted article that failed this often is not asked for any more."""

_ALL: ColumnElement[str] = literal("all", Text)


def _is(table: FromClause, *names: str) -> ColumnElement[bool]:
    """Each named column equals the parameter of that name."""
    return and_(*(table.c[name] == bindparam(name, type_=table.c[name].type) for name in names))


def _for(table: Table, *names: str) -> ColumnElement[bool]:
    """:func:`_is` for the row of an UPDATE, which reserves the names of the columns for their new values."""
    return and_(*(table.c[name] == bindparam(f"for_{name}") for name in names))


def _same(left: FromClause, right: FromClause, *names: str) -> ColumnElement[bool]:
    return and_(*(left.c[name] == right.c[name] for name in names))


def _one_of(*columns: ColumnElement[Any]) -> ColumnElement[bool]:
    """The column is in the list ``keys``, or the tuple of columns in the list of lists ``keys``."""
    keys = func.json_each(bindparam("keys", type_=Text)).table_valued("value")
    if len(columns) == 1:
        return columns[0].in_(select(keys.c.value))
    places = (func.json_extract(keys.c.value, f"$[{place}]") for place in range(len(columns)))
    return tuple_(*columns).in_(select(*places))


def _insert(table: Table, *leave_out: str) -> Insert:
    """INSERT with a parameter for each column but those left out."""
    names = [column.name for column in table.c if column.name not in leave_out]
    return upsert(table).values({name: bindparam(name) for name in names})


def _sql(statement: ClauseElement) -> str:
    """The text of a statement, its constants written into it."""
    compiled = statement.compile(dialect=sqlite.dialect(paramstyle="named"))
    binds = getattr(compiled, "binds", {})
    constants = {f":{name}": _constant(bind.value) for name, bind in binds.items() if not bind.required}
    return re.sub(r":\w+", lambda name: constants.get(name[0], name[0]), str(compiled))


def _constant(value: str | int) -> str:
    return str(value) if isinstance(value, int) else f"'{value}'"


def _columns(table: Table, *leave_out: str) -> list[ColumnElement[Any]]:
    return [column for column in table.c if column.name not in leave_out]


_queue = unplaced.alias("queue")


def _waits(outlet: ColumnElement[str], article_id: ColumnElement[str]) -> ColumnElement[bool]:
    """The article has no place among all articles of its outlet yet."""
    return exists().where(
        _queue.c.outlet == outlet,
        _queue.c.kind == "all",
        _queue.c.list_id == "",
        _queue.c.article_id == article_id,
    )


_LIST = ("outlet", "kind", "list_id")
_ARTICLE = ("outlet", "article_id")
_PAGE = ["outlet", "kind", "id", "part"]
_LISTING_OF_ENTRY = and_(_same(listings, entries, *_LIST), listings.c.article_id == entries.c.member)

# --- runs ---

RUN_EXISTS = _sql(select(runs.c.run).where(_is(runs, "outlet", "run")))
BEGIN_RUN = _sql(_insert(runs, "finished_at", "verdict", "report", "looked_until"))
END_RUN = _sql(
    update(runs)
    .where(_for(runs, "outlet", "run"))
    .values({name: bindparam(name) for name in ("finished_at", "verdict", "report", "looked_until")})
)
UNFINISHED_RUNS = _sql(select(runs.c.run).where(_is(runs, "outlet"), runs.c.finished_at.is_(None)).order_by(runs.c.run))
LAST_RUNS = _sql(
    select(runs.c.run, runs.c.started_at, runs.c.finished_at, runs.c.verdict, runs.c.report)
    .where(_is(runs, "outlet"))
    .order_by(runs.c.run.desc())
    .limit(bindparam("count", type_=Integer))
)
BEGIN_PUBLISHING = _sql(update(runs).where(_for(runs, "outlet", "run")).values(verdict=literal("publishing", Text)))
VERDICT = _sql(select(runs.c.verdict).where(_is(runs, "outlet", "run")))
GOOD_VERDICTS = ("ok", "degraded")
"""Runs that end so publish what they brought."""
_IS_PUBLISHED = or_(
    *(runs.c.verdict == literal(verdict, Text) for verdict in (*GOOD_VERDICTS, "publishing")),
    func.json_extract(runs.c.report, "$.published") == literal(1, Integer),  # killed meanwhile, or could not keep all
)
IS_PUBLISHED = _sql(
    select(func.coalesce(_IS_PUBLISHED, literal(0, Integer)))
    .where(_is(runs, "outlet"))
    .order_by(runs.c.run.desc())
    .limit(1)
)
LOOKED_UNTIL = _sql(
    select(runs.c.looked_until)
    .where(_is(runs, "outlet"), runs.c.looked_until.is_not(None))
    .order_by(runs.c.run.desc())
    .limit(1)
)
ARTICLES_OF_RUN = _sql(select(versions.c.record).where(_is(versions, "outlet", "run")).order_by(versions.c.number))
LISTINGS_OF_RUN = _sql(select(listings.c.record).where(_is(listings, "outlet", "run")).order_by(listings.c.number))

# --- articles ---

STORED = _sql(select(articles.c.article_id).where(_is(articles, "outlet"), _one_of(articles.c.article_id)))
ARTICLE_URLS = _sql(
    select(articles.c.article_id, articles.c.url).where(_is(articles, "outlet"), _one_of(articles.c.article_id))
)
ARTICLE = _sql(select(*_columns(articles, *_ARTICLE)).where(_is(articles, *_ARTICLE)))
VERSION_RECORD = _sql(select(versions.c.record).where(_is(versions, *_ARTICLE, "revision")))
CURRENT = _sql(
    select(versions.c.record)
    .join_from(articles, versions, _same(articles, versions, *_ARTICLE, "revision"))
    .where(_one_of(articles.c.outlet, articles.c.article_id))
)
REVISIONS = _sql(select(versions.c.record).where(_is(versions, *_ARTICLE)).order_by(versions.c.revision))
# What a run brought is published by it or by the next good one. A record that a bad run put in the place of an earlier
# one of the same revision is taken for that run's, so the revision before it is taken for the published one. Not
# where it only tells of a withdrawal: such a record still says when the page was fetched, which was before the bad run.


def _of_last_good(name: str) -> ColumnElement[str]:
    latest = select(runs.c[name]).where(_is(runs, "outlet"), _IS_PUBLISHED).order_by(runs.c.run.desc()).limit(1)
    return latest.scalar_subquery()


_WITHDRAWN_SINCE = and_(
    versions.c.run > _of_last_good("run"),
    func.json_extract(versions.c.record, "$.withdrawn_at").is_not(None),
    func.json_extract(versions.c.record, "$.fetched_at") <= _of_last_good("finished_at"),
)
PUBLISHED_VERSIONS = _sql(
    select(versions.c.article_id, versions.c.record, _WITHDRAWN_SINCE.label("withdrawn"))
    .where(
        _is(versions, "outlet"),
        _one_of(versions.c.article_id),
        or_(
            versions.c.revision == 1,
            versions.c.run.is_(None),
            versions.c.run <= _of_last_good("run"),
            _WITHDRAWN_SINCE,
        ),
    )
    .order_by(versions.c.revision)
)
CHANGED_SINCE_PUBLISHED = _sql(
    select(versions.c.article_id).distinct().where(_is(versions, "outlet"), versions.c.run > _of_last_good("run"))
)
ADD_VERSION = _sql(_insert(versions, "number"))
AMEND_VERSION = _sql(
    update(versions)
    .where(_for(versions, *_ARTICLE, "revision"))
    .values({name: bindparam(name) for name in ("run", "at", "record")})
)
SET_ARTICLE = _sql(_insert(articles).prefix_with("OR REPLACE"))
DROP_LINKS = _sql(delete(links).where(_is(links, *_ARTICLE)))
ADD_LINKS = _sql(_insert(links).prefix_with("OR IGNORE"))
QUEUE_ARTICLE = _sql(
    insert(unplaced).from_select(
        [*_LIST, "article_id"],
        union_all(
            select(bindparam("outlet", type_=Text), _ALL, literal("", Text), bindparam("article_id", type_=Text)),
            select(*(listings.c[name] for name in (*_LIST, "article_id"))).where(_is(listings, *_ARTICLE)),
        ),
    )
)
HELD_ARTICLES = _sql(
    select(
        articles.c.outlet,
        articles.c.article_id,
        articles.c.title,
        articles.c.url,
        articles.c.published_at,
        articles.c.section_id,
        articles.c.revision,
    ).where(_one_of(articles.c.outlet, articles.c.article_id), ~_waits(articles.c.outlet, articles.c.article_id))
)

DUE_LOOKS = _sql(
    select(articles.c.article_id, articles.c.url)
    .where(
        _is(articles, "outlet"),
        articles.c.order_key > bindparam("after", type_=Text),
        articles.c.order_key <= bindparam("upto", type_=Text),
        articles.c.title.like(bindparam("title", type_=Text)),
    )
    .order_by(articles.c.order_key)
)
ARTICLE_IDS = _sql(
    select(articles.c.article_id, articles.c.url)
    .where(_is(articles, "outlet"), articles.c.article_id > bindparam("after", type_=Text))
    .order_by(articles.c.article_id)
    .limit(bindparam("count", type_=Integer))
)

# --- what the outlet has not any more, and what it says of the state of its pages ---

GONE = _sql(select(gone.c.run, gone.c.at, gone.c.withdrawn_at).where(_is(gone, *_ARTICLE)))
GONE_SINCE = _sql(
    select(func.count().label("number")).where(_is(gone, "outlet"), gone.c.at >= bindparam("since", type_=Text))
)
SET_GONE = _sql(_insert(gone).prefix_with("OR REPLACE"))
DROP_GONE = _sql(delete(gone).where(_is(gone, *_ARTICLE)))
WITHDRAWN = _sql(
    select(gone.c.article_id).where(_is(gone, "outlet"), _one_of(gone.c.article_id), gone.c.withdrawn_at.is_not(None))
)
VALIDATOR = _sql(select(validators.c.etag, validators.c.modified, validators.c.next_url).where(_is(validators, "url")))
_VALIDATOR = _insert(validators)
_NEW_VALIDATOR = {name: _VALIDATOR.excluded[name] for name in ("etag", "modified", "next_url")}
SET_VALIDATOR = _sql(
    _VALIDATOR.on_conflict_do_update(
        index_elements=["url"],
        set_=_NEW_VALIDATOR,
        where=or_(*(validators.c[name] != new for name, new in _NEW_VALIDATOR.items())),
    )
)
DROP_VALIDATOR = _sql(delete(validators).where(_is(validators, "url")))

# --- listings and lists ---

LISTED = _sql(
    select(listings.c.article_id, func.json_extract(listings.c.record, "$.title").label("title")).where(
        _is(listings, *_LIST), _one_of(listings.c.article_id)
    )
)
LISTING_RECORD = _sql(select(listings.c.record).where(_is(listings, *_LIST, "article_id")))
RETITLE_LISTING = _sql(update(listings).where(_for(listings, *_LIST, "article_id")).values(record=bindparam("record")))
ADD_LISTING = _sql(_insert(listings, "number").prefix_with("OR IGNORE"))
LISTS_OF_ARTICLE = _sql(
    select(listings.c.kind, listings.c.list_id).where(_is(listings, *_ARTICLE)).order_by(listings.c.number)
)
KNOW_LIST = _sql(_insert(lists, "size", "volume").prefix_with("OR IGNORE"))
QUEUE_LISTING = _sql(_insert(unplaced))
_WALK = (*_LIST, "window")
WALK = _sql(select(walks.c.next_url, walks.c.page).where(_is(walks, *_WALK)))
SET_WALK = _sql(_insert(walks).prefix_with("OR REPLACE"))
END_WALK = _sql(delete(walks).where(_is(walks, *_WALK)))
HELD_LISTS = _sql(
    select(lists.c.outlet, lists.c.kind, lists.c.list_id, lists.c.name, lists.c.volume).where(
        _one_of(lists.c.outlet, lists.c.kind, lists.c.list_id), lists.c.size > 0
    )
)
LIST_SIZE = _sql(select(lists.c.size).where(_is(lists, *_LIST)))
LIST_NAME = _sql(select(lists.c.name).where(_is(lists, *_LIST)))
LISTS = _sql(
    select(lists.c.list_id, lists.c.name)
    .where(_is(lists, "outlet", "kind"), lists.c.size > 0)
    .order_by(lists.c.list_id)
)

# --- wanted articles ---

WANT = _sql(_insert(wanted, "tries", "cause", "at").prefix_with("OR IGNORE"))
_WISH = _insert(wanted, "tries", "cause", "at")
WANT_AGAIN = _sql(_WISH.on_conflict_do_update(index_elements=list(_ARTICLE), set_={"tries": 0}))
DROP_WANTED = _sql(delete(wanted).where(_is(wanted, *_ARTICLE)))
_STORED = exists().where(_same(articles, wanted, *_ARTICLE))
WANTED = _sql(
    select(wanted.c.article_id, wanted.c.url, _STORED.label("stored"))
    .where(_is(wanted, "outlet"), wanted.c.tries < MAX_TRIES)
    .order_by(wanted.c.tries, wanted.c.article_id)
    .limit(bindparam("count", type_=Integer))
)


def _another_try(table: Table) -> dict[str, ColumnElement[Any]]:
    """What a failure sets. It counts as a try; one that is ``passing`` not within a day of the last that did."""
    at: ColumnElement[str] = bindparam("at", type_=Text)
    day_before = func.strftime("%Y-%m-%dT%H:%M:%S+00:00", at, "-1 day")
    counts = or_(table.c.at.is_(None), bindparam("passing", type_=Integer) == 0, table.c.at <= day_before)
    return {
        "tries": table.c.tries + case((counts, 1), else_=0),
        "cause": bindparam("cause", type_=Text),
        "at": case((counts, at), else_=table.c.at),
    }


_ANOTHER_TRY = _another_try(wanted)
NOTE_FAILURE = _sql(
    _insert(wanted, "tries").values(tries=1).on_conflict_do_update(index_elements=list(_ARTICLE), set_=_ANOTHER_TRY)
)
FAILED_AGAIN = _sql(update(wanted).where(_for(wanted, *_ARTICLE)).values(_ANOTHER_TRY))
WANT_GIVEN_UP = _sql(update(wanted).where(_for(wanted, "outlet"), wanted.c.tries >= MAX_TRIES).values(tries=0))
UNDATED = _sql(
    select(articles.c.article_id, articles.c.url)
    .join_from(unplaced, articles, _same(unplaced, articles, *_ARTICLE))
    .join(versions, _same(versions, articles, *_ARTICLE, "revision"))
    .where(
        _is(unplaced, "outlet"),
        unplaced.c.kind == "all",
        func.json_extract(versions.c.record, "$.published_source") == "none",
    )
)

# --- places in lists ---

NEXT_UNPLACED = _sql(
    select(*(unplaced.c[name] for name in _LIST))
    .where(tuple_(*(unplaced.c[name] for name in _LIST)) > tuple_(*(bindparam(name, type_=Text) for name in _LIST)))
    .order_by(*(unplaced.c[name] for name in _LIST))
    .limit(1)
)
# An article takes its place among all articles first: what a section or a tag lists has a page.
_READY = or_(unplaced.c.kind == "all", ~_waits(unplaced.c.outlet, unplaced.c.article_id))
IS_READY = _sql(select(unplaced.c.outlet).where(_is(unplaced, *_LIST, "article_id"), _READY))
PLACE_UNPLACED = _sql(
    insert(entries).from_select(
        [*_LIST, "seq", "member"],
        select(
            *(unplaced.c[name] for name in _LIST),
            bindparam("size", type_=Integer)
            + func.row_number().over(order_by=(articles.c.order_key, articles.c.article_id)),
            unplaced.c.article_id,
        )
        .join_from(unplaced, articles, _same(unplaced, articles, *_ARTICLE))
        .where(_is(unplaced, *_LIST), _READY),
    )
)
DROP_UNPLACED = _sql(delete(unplaced).where(_is(unplaced, *_LIST), _READY))
ADD_ENTRY = _sql(_insert(entries))
_NEWEST_VOLUME = select(func.coalesce(func.max(volumes.c.number), literal(1, Integer))).scalar_subquery()
_RESIZE = _insert(lists, "volume").values(volume=_NEWEST_VOLUME)
RESIZE = _sql(
    _RESIZE.on_conflict_do_update(
        index_elements=list(_LIST),
        set_={
            "size": _RESIZE.excluded.size,
            "volume": case((lists.c.size == 0, _RESIZE.excluded.volume), else_=lists.c.volume),
        },
    )
)
FIRST_LISTING = _sql(
    select(listings.c.record)
    .join_from(entries, listings, _LISTING_OF_ENTRY)
    .where(_is(entries, *_LIST), entries.c.seq == 1)
)
NAME_LIST = _sql(update(lists).where(_for(lists, *_LIST)).values(name=bindparam("name")))

_ARTICLE_OF_ENTRY = and_(articles.c.outlet == entries.c.outlet, articles.c.article_id == entries.c.member)
_RANGE = entries.c.seq.between(bindparam("first", type_=Integer), bindparam("last", type_=Integer))
_ARTICLE_IN_LIST = [articles.c[name] for name in ("title", "url", "published_at", "order_key", "section_id")]
_ENTRY = select(entries.c.seq, entries.c.member, *_ARTICLE_IN_LIST).join_from(entries, articles, _ARTICLE_OF_ENTRY)
ENTRIES = _sql(_ENTRY.where(_is(entries, *_LIST), _RANGE).order_by(entries.c.seq))
# Two ways to the newest entries of a list, see ArticleStore.newest.
_NEWEST = and_(_is(entries, *_LIST), entries.c.seq <= bindparam("last", type_=Integer))
_COUNT: ColumnElement[int] = bindparam("count", type_=Integer)
NEWEST_BY_SORTING = _sql(
    _ENTRY.where(_NEWEST).order_by(articles.c.order_key.desc(), entries.c.member.desc()).limit(_COUNT)
)
_PLACE = select(entries.c.seq).where(_NEWEST, entries.c.member == articles.c.article_id)
NEWEST_BY_ORDER = _sql(
    select(_PLACE.scalar_subquery().label("seq"), articles.c.article_id.label("member"), *_ARTICLE_IN_LIST)
    .where(_is(articles, "outlet"), _PLACE.exists())
    .order_by(articles.c.order_key.desc(), articles.c.article_id.desc())
    .limit(_COUNT)
)
NEWEST_OF = _sql(_ENTRY.where(_NEWEST, _one_of(entries.c.member)))
_TAG_OF_ENTRY = and_(lists.c.outlet == entries.c.outlet, lists.c.kind == "tag", lists.c.list_id == entries.c.member)
TAG_ENTRIES = _sql(
    select(entries.c.seq, entries.c.member, lists.c.name)
    .join_from(entries, lists, _TAG_OF_ENTRY)
    .where(_is(entries, *_LIST), _RANGE)
    .order_by(entries.c.seq)
)

# --- pages to write ---

MARK = _sql(_insert(stale, "stamp").prefix_with("OR REPLACE"))
_MARK_ALL = insert(stale).prefix_with("OR REPLACE")
MARK_LINKING = _sql(
    _MARK_ALL.from_select(
        _PAGE,
        select(links.c.outlet, literal("article", Text), links.c.article_id, literal(0, Integer)).where(
            _is(links, "to_outlet", "to_kind", "to_id")
        ),
    )
)
_UNPLACED = select(unplaced.c.article_id).where(_is(unplaced, *_LIST))
MARK_UNPLACED = _sql(
    _MARK_ALL.from_select(
        _PAGE,
        union_all(
            select(unplaced.c.outlet, literal("article", Text), unplaced.c.article_id, literal(0, Integer)).where(
                _is(unplaced, *_LIST)
            ),
            # Not a join: SQLite would go through all links to articles of the outlet instead of through the queue.
            select(links.c.outlet, literal("article", Text), links.c.article_id, literal(0, Integer)).where(
                links.c.to_outlet == bindparam("outlet", type_=Text),
                links.c.to_kind == "article",
                links.c.to_id.in_(_UNPLACED),
            ),
        ),
    )
)
MARK_ENTRIES = _sql(
    _MARK_ALL.from_select(
        _PAGE,
        select(entries.c.outlet, entries.c.kind, entries.c.list_id, (entries.c.seq - 1) // ENTRIES_PER_PAGE + 1).where(
            _is(entries, "outlet", "member"), entries.c.kind != "tags"
        ),
    )
)
STALE = _sql(
    select(stale.c.outlet, stale.c.kind, stale.c.id, stale.c.part, stale.c.stamp)
    .where(
        _is(stale, "kind"),
        ~_one_of(stale.c.outlet),
        (stale.c.kind != "article") | ~_waits(stale.c.outlet, stale.c.id),
    )
    .order_by(stale.c.outlet, stale.c.id, stale.c.part)
    .limit(bindparam("count", type_=Integer))
)
SETTLE = _sql(delete(stale).where(_is(stale, "stamp")))
ALL_ARTICLES = _sql(
    select(articles.c.outlet, articles.c.article_id)
    .where(~_waits(articles.c.outlet, articles.c.article_id))
    .order_by(articles.c.outlet, articles.c.article_id)
)
ALL_LISTS = _sql(
    select(lists.c.outlet, lists.c.kind, lists.c.list_id, lists.c.size)
    .where(lists.c.size > 0)
    .order_by(lists.c.outlet, lists.c.kind, lists.c.list_id)
)
FILE_HASHES = _sql(select(files.c.path, files.c.sha256).where(_is(files, "root"), _one_of(files.c.path)))
RECORD_FILE = _sql(_insert(files).prefix_with("OR REPLACE"))
FORGET_FILE = _sql(delete(files).where(_is(files, "root", "path")))
TREE_LOOK = _sql(select(trees.c.look).where(_is(trees, "root")))
TREES = _sql(select(trees.c.root).order_by(trees.c.root))
SET_TREE_LOOK = _sql(_insert(trees).prefix_with("OR REPLACE"))
_implied = table("implied", column("path", Text))
MAKE_IMPLIED = "CREATE TEMP TABLE implied (path TEXT PRIMARY KEY) WITHOUT ROWID"
DROP_IMPLIED = "DROP TABLE temp.implied"
ADD_IMPLIED = "INSERT OR IGNORE INTO temp.implied VALUES (:path)"
LEFT_OVER = _sql(
    select(files.c.path, files.c.sha256).where(_is(files, "root"), ~exists().where(_implied.c.path == files.c.path))
)

# --- pictures ---

_WISH_FOR = _insert(pictures, "tries", "asset", "width", "height", "cause", "at")
_OTHERS = and_(pictures.c.outlet != _WISH_FOR.excluded.outlet, pictures.c.asset.is_(None))
WANT_PICTURE = _sql(
    _WISH_FOR.on_conflict_do_update(  # it was seen at another outlet, which may not ask for it
        index_elements=["url"], set_={"outlet": _WISH_FOR.excluded.outlet, "tries": 0}, where=_OTHERS
    )
)
_LINK_TO_PICTURE = and_(
    links.c.to_outlet == literal("", Text), links.c.to_kind == "picture", links.c.to_id == pictures.c.url
)
WANTED_PICTURES = _sql(
    select(pictures.c.url)
    .where(
        _is(pictures, "outlet"),
        pictures.c.asset.is_(None),
        pictures.c.tries < MAX_TRIES,
        exists().where(_LINK_TO_PICTURE),  # no later revision has taken it off the page
    )
    .order_by(pictures.c.tries, pictures.c.url)
    .limit(bindparam("count", type_=Integer))
)
WANTS_PICTURE = _sql(
    select(pictures.c.url).where(_is(pictures, "url"), pictures.c.asset.is_(None), pictures.c.tries < MAX_TRIES)
)
SETTLED_PICTURES = _sql(
    select(pictures.c.url).where(
        _one_of(pictures.c.url), or_(pictures.c.asset.is_not(None), pictures.c.tries >= MAX_TRIES)
    )
)
SHOWN_PICTURES = _sql(
    select(pictures.c.url, pictures.c.asset)
    .distinct()
    .join_from(links, pictures, _LINK_TO_PICTURE)
    .where(_one_of(links.c.outlet, links.c.article_id), pictures.c.asset.is_not(None))
)
KEPT_PICTURES = _sql(
    select(pictures.c.url, pictures.c.asset).where(_one_of(pictures.c.url), pictures.c.asset.is_not(None))
)
KEEP_PICTURE = _sql(
    update(pictures)
    .where(_for(pictures, "url"), pictures.c.asset.is_(None))
    .values({name: bindparam(name) for name in ("asset", "width", "height", "cause", "at")})
)
FAIL_PICTURE = _sql(update(pictures).where(_for(pictures, "url")).values(_another_try(pictures)))
GIVE_UP_PICTURE = _sql(
    update(pictures)
    .where(_for(pictures, "url"))
    .values(tries=MAX_TRIES, cause=bindparam("cause", type_=Text), at=bindparam("at", type_=Text))
)
LOSE_PICTURE = _sql(
    update(pictures).where(_for(pictures, "asset")).values(asset=null(), tries=0).returning(pictures.c.url)
)
# An article is about to show other pictures: those that it showed may be shown by nothing then.
LEAVE_PICTURES = _sql(
    _MARK_ALL.from_select(
        _PAGE,
        select(links.c.outlet, literal("picture", Text), pictures.c.asset, literal(0, Integer))
        .distinct()
        .join_from(links, pictures, _LINK_TO_PICTURE)
        .where(_is(links, *_ARTICLE), pictures.c.asset.is_not(None)),
    )
)
LEFT_PICTURES = _sql(
    select(stale.c.outlet, stale.c.kind, stale.c.id, stale.c.part, stale.c.stamp).where(stale.c.kind == "picture")
)
SHOWN_ASSETS = _sql(
    select(pictures.c.asset).where(_one_of(pictures.c.asset), exists().where(_LINK_TO_PICTURE)).distinct()
)
NAMED_ASSETS = _sql(select(pictures.c.asset).where(_one_of(pictures.c.asset)).distinct())
ANY_ASSET = _sql(select(pictures.c.asset).where(pictures.c.asset.is_not(None)).limit(1))
PICTURE_RECORDS = _sql(
    select(*_columns(pictures, "tries", "cause"))
    .where(
        pictures.c.asset.is_not(None),
        func.substr(pictures.c.at, 1, 19) >= bindparam("since", type_=Text),
        or_(bindparam("outlet", type_=Text) == "", _is(pictures, "outlet")),
    )
    .order_by(pictures.c.url)
)
_RESTORED = _insert(pictures, "tries", "cause")
RESTORE_PICTURE = _sql(
    _RESTORED.on_conflict_do_update(
        index_elements=["url"],
        set_={name: _RESTORED.excluded[name] for name in ("outlet", "asset", "width", "height", "at")},
        where=pictures.c.asset.is_(None),
    )
)

# --- publishing ---

_PATHS = func.json_each(bindparam("keys", type_=Text)).table_valued("value")
_ROOT: ColumnElement[str] = bindparam("root", type_=Text)
NOTE_UNPUBLISHED = _sql(
    insert(unpublished)
    .prefix_with("OR IGNORE")
    .from_select(["root", "path"], select(_ROOT, _PATHS.c.value).where(exists().where(published.c.root == _ROOT)))
)
UNPUBLISHED = _sql(select(unpublished.c.path).where(_is(unpublished, "root")).order_by(unpublished.c.path))
FORGET_UNPUBLISHED = _sql(delete(unpublished).where(_is(unpublished, "root")))
PUBLISHED = _sql(select(published.c.root, published.c.tip).where(_is(published, "repository")))
SET_PUBLISHED = _sql(_insert(published).prefix_with("OR REPLACE"))
VOLUMES = _sql(select(volumes.c.first_day).order_by(volumes.c.number))
BEGIN_VOLUME = _sql(_insert(volumes))

# --- exchange: the order of records is what place() makes of them, so that reading them back makes it again ---

NEXT_OUTLET = {
    table.name: _sql(select(func.min(table.c.outlet)).where(table.c.outlet > bindparam("outlet", type_=Text)))
    for table in (articles, listings)
}
_SINCE = bindparam("since", type_=Text)
PLACED_RECORDS = _sql(
    select(versions.c.record)
    .join_from(
        entries, versions, and_(versions.c.outlet == entries.c.outlet, versions.c.article_id == entries.c.member)
    )
    .where(_is(entries, *_LIST), versions.c.at >= _SINCE)
    .order_by(entries.c.seq, versions.c.revision)
)
UNPLACED_RECORDS = _sql(
    select(versions.c.record)
    .join_from(unplaced, articles, _same(unplaced, articles, *_ARTICLE))
    .join(versions, _same(versions, articles, *_ARTICLE))
    .where(_is(unplaced, *_LIST), versions.c.at >= _SINCE)
    .order_by(articles.c.order_key, articles.c.article_id, versions.c.revision)
)
SECTIONS_TO_EXPORT = _sql(
    select(lists.c.list_id).where(_is(lists, "outlet"), lists.c.kind == "section").order_by(lists.c.list_id)
)
_tags = entries.alias("tags")
TAGS_TO_EXPORT = _sql(
    select(lists.c.list_id)
    .outerjoin_from(
        lists,
        _tags,
        and_(
            _tags.c.outlet == lists.c.outlet,
            _tags.c.kind == "tags",
            _tags.c.list_id == "",
            _tags.c.member == lists.c.list_id,
        ),
    )
    .where(_is(lists, "outlet"), lists.c.kind == "tag")
    .order_by(
        case((_tags.c.seq.is_not(None), 0), (exists().where(_same(unplaced, lists, *_LIST)), 1), else_=2),
        _tags.c.seq,
        lists.c.list_id,
    )
)
LISTING_RECORDS = _sql(
    select(listings.c.record)
    .outerjoin_from(
        listings,
        entries,
        _LISTING_OF_ENTRY,
    )
    .outerjoin(articles, _same(listings, articles, *_ARTICLE))
    .where(_is(listings, *_LIST), listings.c.at >= _SINCE)
    .order_by(
        entries.c.seq.is_(None),
        entries.c.seq,
        articles.c.order_key.is_(None),
        articles.c.order_key,
        listings.c.article_id,
    )
)
