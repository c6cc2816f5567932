"""The tables behind :class:`mirror_crawler.store.ArticleStore`, how the database is opened, and how it says no.

Three groups of tables. *Records* (versions, listings, runs) are what was crawled. *State* (articles, lists, walks,
entries, unplaced, wanted, gone, validators, links) is kept beside them so that no question needs a scan. *Pages*
(pictures, stale, trees, files, unpublished, published, volumes) say what pages show and which have to be written again,
what was written last where, and what of it is not published yet.
"""

from __future__ import annotations

import contextlib
import functools
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

from sqlalchemy import Column, Index, Integer, MetaData, Table, Text, UniqueConstraint, make_url
from sqlalchemy.dialects.sqlite import dialect
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import Pool, QueuePool
from sqlalchemy.schema import CreateIndex, CreateTable

VERSION = 4
"""Version of these tables, kept in the database itself. ``_STEPS`` leads to each from the one before."""

BUSY_SECONDS = 60
"""How long a writer waits for the writer of another process."""

_APPLICATION = 0x6D697272
_WAL_TRIES = 100
_WAL_PAGES = 8000  # default 1000; an article touches about 15 pages, and each checkpoint waits for the disk

metadata = MetaData()


def _key(name: str) -> Column[str]:
    return Column(name, Text, primary_key=True)


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def _maybe(name: str) -> Column[str | None]:
    return Column(name, Text)


def _number(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False)


versions = Table(
    "versions",
    metadata,
    Column("number", Integer, primary_key=True),  # the order of storing
    _text("outlet"),
    _text("article_id"),
    _number("revision"),
    _maybe("run"),  # null: came from a file
    _text("at"),  # fetched_at to the second, in UTC, without offset
    _text("record"),  # the JSON line, exactly as it is exported
    UniqueConstraint("outlet", "article_id", "revision"),
    Index("versions_of_run", "outlet", "run"),
)

listings = Table(
    "listings",
    metadata,
    Column("number", Integer, primary_key=True),
    _text("outlet"),
    _text("kind"),
    _text("list_id"),
    _text("article_id"),
    _maybe("run"),
    _text("at"),  # seen_at, in the form of versions.at
    _text("record"),
    UniqueConstraint("outlet", "kind", "list_id", "article_id"),
    Index("listings_of_article", "outlet", "article_id"),
    Index("listings_of_run", "outlet", "run"),
)

runs = Table(
    "runs",
    metadata,
    _key("outlet"),
    _key("run"),
    _text("started_at"),
    _maybe("finished_at"),
    _maybe("verdict"),
    _maybe("report"),  # a JSON object
    _maybe("looked_until"),  # the run looked again at every young article that was due before
    sqlite_with_rowid=False,
)
Index("runs_unfinished", runs.c.outlet, runs.c.run, sqlite_where=runs.c.finished_at.is_(None))

articles = Table(
    "articles",
    metadata,
    _key("outlet"),
    _key("article_id"),
    _number("revision"),  # the current one
    _text("content_hash"),
    _text("first_seen_at"),
    _text("url"),
    _text("title"),
    _maybe("published_at"),
    _text("order_key"),
    _text("section_id"),  # empty: none
    sqlite_with_rowid=False,
)
Index("articles_by_order", articles.c.outlet, articles.c.order_key)

lists = Table(
    "lists",
    metadata,
    _key("outlet"),
    _key("kind"),
    _key("list_id"),
    _text("name"),
    Column("size", Integer, nullable=False, server_default="0"),  # entries; 0: the mirror has no page for this list
    Column("volume", Integer, nullable=False, server_default="1"),  # the newest one when the list got its first entry
    sqlite_with_rowid=False,
)

walks = Table(
    "walks",
    metadata,
    # A row is a walk of the pages of a list that did not end.
    _key("outlet"),
    _key("kind"),
    _key("list_id"),
    _key("window"),  # the days that were asked for; empty: all
    _text("next_url"),  # all that the pages before this one name is stored; empty: nothing is known
    _number("page"),  # its number
    sqlite_with_rowid=False,
)

entries = Table(
    "entries",
    metadata,
    _key("outlet"),
    _key("kind"),
    _key("list_id"),
    Column("seq", Integer, primary_key=True, autoincrement=False),  # from 1, without gaps, for ever
    _text("member"),  # an article id; in the list of tags a tag
    Index("entries_of_member", "outlet", "member"),
    sqlite_with_rowid=False,
)

unplaced = Table(
    "unplaced",
    metadata,
    _key("outlet"),
    _key("kind"),
    _key("list_id"),
    _key("article_id"),
    sqlite_with_rowid=False,
)

wanted = Table(
    "wanted",
    metadata,
    # Listed and not stored, or stored and to be looked at again.
    _key("outlet"),
    _key("article_id"),
    _text("url"),
    Column("tries", Integer, nullable=False, server_default="0"),
    _maybe("cause"),  # of the last failure
    _maybe("at"),  # of the last failure that counted as a try
    Index("wanted_by_tries", "outlet", "tries", "article_id"),
    sqlite_with_rowid=False,
)

gone = Table(
    "gone",
    metadata,
    # Stored articles that the outlet has not any more.
    _key("outlet"),
    _key("article_id"),
    _text("run"),  # the first run that did not find it
    _text("at"),
    _maybe("withdrawn_at"),  # a second run did not find it either
    sqlite_with_rowid=False,
)

validators = Table(
    "validators",
    metadata,
    # What the outlet said of the state of a page; sent back, it saves both sides an unchanged page (RFC 9110 13).
    _key("url"),
    _text("etag"),
    _text("modified"),
    _text("next_url"),  # of a list page: where the list goes on
    sqlite_with_rowid=False,
)

pictures = Table(
    "pictures",
    metadata,
    # What the pages of articles want to show, by its address at the outlet; asset null: it is still to be fetched.
    _key("url"),
    _text("outlet"),
    Column("tries", Integer, nullable=False, server_default="0"),
    _maybe("asset"),  # its content address
    Column("width", Integer),  # pixels, as it is kept
    Column("height", Integer),
    _maybe("cause"),  # of the last failure
    _maybe("at"),
    sqlite_with_rowid=False,
)
Index("pictures_missing", pictures.c.outlet, pictures.c.tries, sqlite_where=pictures.c.asset.is_(None))
Index("pictures_by_asset", pictures.c.asset, sqlite_where=pictures.c.asset.is_not(None))

links = Table(
    "links",
    metadata,
    _key("outlet"),
    _key("article_id"),
    _key("to_outlet"),
    _key("to_kind"),
    _key("to_id"),
    Index("links_to", "to_outlet", "to_kind", "to_id"),
    sqlite_with_rowid=False,
)

stale = Table(
    "stale",
    metadata,
    # Never used twice: a page marked again while it is being written keeps its new mark.
    Column("stamp", Integer, primary_key=True),
    _text("outlet"),
    _text("kind"),  # picture: one that an article of the outlet may have ceased to show; id is its content address
    _text("id"),
    _number("part"),
    UniqueConstraint("kind", "outlet", "id", "part"),
    sqlite_autoincrement=True,
)

trees = Table(
    "trees",
    metadata,
    _key("root"),  # the directory of a tree of pages, or of a repository with the lists that a closed volume keeps
    _text("look"),  # what its pages depend on beside the records: theme, templates, settings
    sqlite_with_rowid=False,
)

unpublished = Table(
    "unpublished",
    metadata,
    # Files that were written or removed, or are about to be, since a tree was committed last.
    _key("root"),
    _key("path"),
    sqlite_with_rowid=False,
)

published = Table(
    "published",
    metadata,
    # The commit that each repository was left at, and the tree that it holds.
    _key("repository"),
    _text("root"),
    _text("tip"),
    sqlite_with_rowid=False,
)

volumes = Table(
    "volumes",
    metadata,
    # The repositories after the first that a mirror fills one after the other.
    Column("number", Integer, primary_key=True, autoincrement=False),  # from 2
    _text("first_day"),  # yyyy-mm-dd in the path of the first articles that belong to it
)

files = Table("files", metadata, _key("root"), _key("path"), _text("sha256"), sqlite_with_rowid=False)


class StoreError(Exception):
    """The store cannot be used: one line that names the setting ``MIRROR_DB`` and what to do."""


_OURS = f"this user's (chown -R {os.geteuid()}:{os.getegid()})"
_MENDS = {
    "unable to open": f"cannot be opened; make its directory writable and {_OURS}, or name a file elsewhere",
    "readonly": f"cannot be written; make the file and its directory {_OURS}, where nothing is mounted read-only",
    "locked": f"has been locked by another process for over {BUSY_SECONDS} s; wait for that process or end it",
    "not a database": "is not a database; move the file away or give another address",
    "disk is full": "cannot grow because the disk is full; free some space and start again, nothing stored is lost",
    "malformed": "is damaged; move it away and restore it from the JSON lines with `scrapy import`",
}


@contextlib.contextmanager
def told(file: str) -> Iterator[None]:
    """Turn what the database reports about ``file`` into a :class:`StoreError`; mistakes of ours stay as they are."""
    try:
        yield
    except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
        raise
    except sqlite3.DatabaseError as error:
        mend = next((mend for sign, mend in _MENDS.items() if sign in str(error)), f"failed: {error}")
        raise StoreError(f"MIRROR_DB: {file} {mend}") from error


def open_pool(address: str) -> tuple[Pool, str]:
    """Connections to the database at ``address`` (``sqlite:///path``), and the path of its file.

    Makes the directory and the tables when they are missing. Connections begin no transaction by themselves and give
    rows that are read by the names of columns. Raises StoreError.
    """
    file = _file(address)
    directory = Path(file).parent
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        cause = f"cannot make {directory}: {error.strerror}"
        raise StoreError(f"MIRROR_DB, or MIRROR_DATA where that is not set: {cause}; give another") from error
    with told(file), contextlib.closing(_connect(file)) as connection:
        _use_wal(connection)
        connection.execute("BEGIN IMMEDIATE")
        with connection:
            _create(connection, file)
    return QueuePool(lambda: cast(DBAPIConnection, _connect(file))), file


def _file(address: str) -> str:
    """The path in ``address``; an address may hold a password, so a wrong one is not repeated."""
    advice = "give an address such as sqlite:///data/mirror.db"
    try:
        url = make_url(address)
    except ArgumentError:
        raise StoreError(f"MIRROR_DB is not a database address; {advice}") from None
    if url.drivername not in ("sqlite", "sqlite+pysqlite"):
        raise StoreError(f"MIRROR_DB: databases of kind {url.drivername} are not supported; {advice}")
    if not url.database or url.database == ":memory:" or url.host or url.query:
        raise StoreError(f"MIRROR_DB names no file, or more than a file; {advice}")
    return url.database


def _connect(file: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        file,
        timeout=BUSY_SECONDS,
        isolation_level=None,  # transactions begin where the store says so, not before each first write
        check_same_thread=False,  # the pool lends a connection to one thread at a time
        cached_statements=256,
    )
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(f"PRAGMA wal_autocheckpoint = {_WAL_PAGES}")
    return connection


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch a new database to its journal mode; SQLite does not wait by itself for another process doing the same."""
    left = _WAL_TRIES
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            left -= 1
            if not left or "locked" not in str(error):
                raise
        time.sleep(BUSY_SECONDS / _WAL_TRIES)


def _create(connection: sqlite3.Connection, file: str) -> None:
    """Make the tables of an empty database, bring older ones up to date; refuse a database that is not ours or newer.

    In the caller's transaction, so a kill leaves the tables as they were.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    if application == _APPLICATION:
        if version > VERSION:
            raise StoreError(
                f"MIRROR_DB: {file} was written by a newer version of this program (format {version}, known is "
                f"{VERSION}); update the program or give another address"
            )
        if version < VERSION:
            for step in _STEPS[version:]:
                step(connection)
            _mark_as_ours(connection)
        return
    if connection.execute("SELECT 1 FROM sqlite_master").fetchone():
        raise StoreError(f"MIRROR_DB: {file} is a database of another program; give another address")
    for statement in _statements():
        connection.execute(statement)
    _mark_as_ours(connection)


def _mark_as_ours(connection: sqlite3.Connection) -> None:
    connection.execute(f"PRAGMA application_id = {_APPLICATION}")
    connection.execute(f"PRAGMA user_version = {VERSION}")


@functools.cache
def _statements() -> tuple[str, ...]:
    """Those that make each table and its indexes; SQLAlchemy takes several times as long for them as SQLite does."""

    def text(element: CreateTable | CreateIndex) -> str:
        return str(element.compile(dialect=dialect()))

    return tuple(
        statement
        for table in metadata.sorted_tables
        for statement in (text(CreateTable(table)), *(text(CreateIndex(index)) for index in table.indexes))
    )


def _to_2(connection: sqlite3.Connection) -> None:
    """Looks again, withdrawals, conditional requests, and walks that know how far they came."""
    for statement in _TO_2.split(";\n"):
        connection.execute(statement)


def _to_3(connection: sqlite3.Connection) -> None:
    """Pictures of our own, and publishing. Stored articles want their pictures from now on."""
    for statement in _TO_3.split(";\n"):
        connection.execute(statement)


def _to_4(connection: sqlite3.Connection) -> None:
    """Which addresses have the same picture."""
    for statement in _TO_4.split(";\n"):
        connection.execute(statement)


_TO_2 = """
CREATE TABLE walks (outlet TEXT NOT NULL, kind TEXT NOT NULL, list_id TEXT NOT NULL, window TEXT NOT NULL,
    next_url TEXT NOT NULL, page INTEGER NOT NULL, PRIMARY KEY (outlet, kind, list_id, window)) WITHOUT ROWID;
INSERT INTO walks SELECT outlet, kind, list_id, '', '', 1 FROM lists WHERE walking = 1;
ALTER TABLE lists DROP COLUMN walking;
CREATE TABLE gone (outlet TEXT NOT NULL, article_id TEXT NOT NULL, run TEXT NOT NULL, at TEXT NOT NULL,
    withdrawn_at TEXT, PRIMARY KEY (outlet, article_id)) WITHOUT ROWID;
CREATE TABLE validators (url TEXT NOT NULL, etag TEXT NOT NULL, modified TEXT NOT NULL, next_url TEXT NOT NULL,
    PRIMARY KEY (url)) WITHOUT ROWID;
CREATE INDEX articles_by_order ON articles (outlet, order_key);
ALTER TABLE runs ADD COLUMN looked_until TEXT;
UPDATE versions SET record = substr(record, 1, length(record) - 1) || ', "withdrawn_at": null}'
"""
"""Spelled out and not made from the tables above, which go on to change: it leads to version 2 for ever."""

_TO_3 = """
CREATE TABLE pictures (url TEXT NOT NULL, outlet TEXT NOT NULL, tries INTEGER DEFAULT '0' NOT NULL, asset TEXT,
    width INTEGER, height INTEGER, cause TEXT, at TEXT, PRIMARY KEY (url)) WITHOUT ROWID;
CREATE INDEX pictures_missing ON pictures (outlet, tries) WHERE asset IS NULL;
CREATE TABLE unpublished (root TEXT NOT NULL, path TEXT NOT NULL, PRIMARY KEY (root, path)) WITHOUT ROWID;
CREATE TABLE published (repository TEXT NOT NULL, root TEXT NOT NULL, tip TEXT NOT NULL, PRIMARY KEY (repository))
    WITHOUT ROWID;
ALTER TABLE lists ADD COLUMN volume INTEGER DEFAULT '1' NOT NULL;
CREATE TABLE volumes (number INTEGER NOT NULL, first_day TEXT NOT NULL, PRIMARY KEY (number));
CREATE TEMP TABLE shown AS SELECT v.outlet, v.article_id, picture.value ->> 'url' AS url
    FROM articles AS a JOIN versions AS v USING (outlet, article_id, revision),
    json_each(json_insert(v.record -> 'images', '$[#]', v.record -> 'lead_image')) AS picture
    WHERE picture.value ->> 'url' IS NOT NULL;
INSERT OR IGNORE INTO pictures (url, outlet) SELECT url, outlet FROM shown;
INSERT OR IGNORE INTO links SELECT outlet, article_id, '', 'picture', url FROM shown;
DROP TABLE shown
"""

_TO_4 = "CREATE INDEX pictures_by_asset ON pictures (asset) WHERE asset IS NOT NULL"

_STEPS: tuple[Callable[[sqlite3.Connection], None], ...] = (lambda _: None, _to_2, _to_3, _to_4)
"""What brings the tables from each version (their place here) to the next; there was no version 0."""
