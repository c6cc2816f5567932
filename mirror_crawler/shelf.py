"""Which pictures the pages want to show, which of them are kept, and under which name.

A picture is known by its address as articles give it. Articles are tied to their pictures by links, so that a picture
that arrives marks the pages that show it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from mirror_crawler import statements as sql
from mirror_crawler.database import Database
from mirror_crawler.items import Picture

_PICTURE = "picture"


class Target(NamedTuple):
    """What a page depends on: ``kind`` is ``article``, ``section`` or ``tag``, or see :func:`picture_target`."""

    outlet: str
    kind: str
    id: str


def picture_target(url: str) -> Target:
    """The picture at an address; which outlet it belongs to, the address tells."""
    return Target("", _PICTURE, url)


class Pictures:
    """The pictures of the store at ``database``. Times are UTC ISO 8601, given by the caller."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def wanted(self, outlet: str, limit: int) -> list[str]:
        """The addresses of pictures that pages show and that are still to be had, fewest tries first."""
        return [row["url"] for row in self._database.rows(sql.WANTED_PICTURES, outlet=outlet, count=limit)]

    def wants(self, url: str) -> bool:
        """Whether a picture that a stored article shows is still to be had."""
        return bool(self._database.rows(sql.WANTS_PICTURE, url=url))

    def settled(self, urls: Collection[str]) -> set[str]:
        """Those of some pictures (of about an article) that are kept, or were given up."""
        return {row["url"] for row in self._database.rows(sql.SETTLED_PICTURES, keys=json.dumps(list(urls)))}

    def shown(self, keys: Iterable[tuple[str, str]]) -> dict[str, str]:
        """Address → name of the kept pictures of the articles with these keys (about a batch of them)."""
        rows = self._database.rows(sql.SHOWN_PICTURES, keys=json.dumps(list(keys)))
        return {row["url"]: row["asset"] for row in rows}

    def kept(self, urls: Collection[str]) -> dict[str, str]:
        """Address → name of those of some pictures (of about a batch of articles) that are kept."""
        rows = self._database.rows(sql.KEPT_PICTURES, keys=json.dumps(list(urls)))
        return {row["url"]: row["asset"] for row in rows}

    def keep(self, picture: Picture) -> bool:
        """A picture is kept: the pages that show it are to be written again. False for one that no article has."""
        row = {"for_url": picture.url, "asset": picture.asset, "width": picture.width, "height": picture.height}
        with self._database.write() as db:
            if not db.execute(sql.KEEP_PICTURE, {**row, "cause": None, "at": picture.stored_at}).rowcount:
                return False
            _mark_pages(db, picture.url)
            return True

    def failed(self, url: str, cause: str, at: str, *, lasting: bool) -> None:
        """A picture could not be had: one try more, but one a day at most, so that it outlasts an outage of its host.
        It is given up at once when it is no use to ask again.
        """
        values = {"for_url": url, "cause": cause, "at": at}
        with self._database.write() as db:
            if lasting:
                db.execute(sql.GIVE_UP_PICTURE, values)
            else:
                db.execute(sql.FAIL_PICTURE, values | {"passing": 1})

    def left(self, held_back: Collection[str]) -> tuple[list[int], list[str]]:
        """The kept pictures that revised articles have shown, and that no article shows now, by name; and the marks of
        all that were looked at, to be settled when these are out of the tree.

        Not those of the outlets ``held_back``, whose pages in the tree may show them still.
        """
        marks = self._database.rows(sql.LEFT_PICTURES)
        staying = {mark["id"] for mark in marks if mark["outlet"] in held_back}
        due = [mark for mark in marks if mark["outlet"] not in held_back]
        names = {mark["id"] for mark in due} - staying
        shown = {row["asset"] for row in self._database.rows(sql.SHOWN_ASSETS, keys=json.dumps(list(names)))}
        return [mark["stamp"] for mark in due], sorted(names - shown)

    def settle(self, stamps: Collection[int]) -> None:
        """What was marked with these is done; see :meth:`left`."""
        if stamps:
            with self._database.write() as db:
                db.executemany(sql.SETTLE, [{"stamp": stamp} for stamp in stamps])

    def any(self) -> bool:
        """Whether any picture is kept."""
        return bool(self._database.rows(sql.ANY_ASSET))

    def named(self, names: Collection[str]) -> set[str]:
        """Those of some names that a kept picture has."""
        return {row["asset"] for row in self._database.rows(sql.NAMED_ASSETS, keys=json.dumps(list(names)))}

    def lost(self, name: str) -> None:
        """The file of this name is gone: whatever was kept under it is wanted again, and not to be shown meanwhile."""
        with self._database.write() as db:
            for row in db.execute(sql.LOSE_PICTURE, {"for_asset": name}).fetchall():
                _mark_pages(db, row["url"])


def want(db: sqlite3.Connection, outlet: str, targets: Iterable[Target]) -> None:
    """The pages of an outlet show the pictures among ``targets`` from now on."""
    rows = [{"outlet": outlet, "url": target.id} for target in targets if target.kind == _PICTURE]
    if rows:
        db.executemany(sql.WANT_PICTURE, rows)


def leave(db: sqlite3.Connection, outlet: str, article_id: str) -> None:
    """An article is about to show other pictures than it does."""
    db.execute(sql.LEAVE_PICTURES, {"outlet": outlet, "article_id": article_id})


def restore(db: sqlite3.Connection, picture: Picture) -> bool:
    """Take over what a record says. False: a picture of this address is kept already."""
    row = {"outlet": picture.outlet, "url": picture.url, "asset": picture.asset, "at": picture.stored_at}
    measures = {"width": picture.width, "height": picture.height}
    if not db.execute(sql.RESTORE_PICTURE, {**row, **measures}).rowcount:
        return False
    _mark_pages(db, picture.url)
    return True


def records(db: sqlite3.Connection, outlet: str, since: str) -> Iterator[str]:
    """The JSON lines of kept pictures (of one outlet unless it is empty), by address; ``since`` in the form of
    versions.at.
    """
    for row in db.execute(sql.PICTURE_RECORDS, {"outlet": outlet, "since": since}):
        yield Picture(
            outlet=row["outlet"],
            url=row["url"],
            asset=row["asset"],
            width=row["width"],
            height=row["height"],
            stored_at=row["at"],
        ).to_json()


def _mark_pages(db: sqlite3.Connection, url: str) -> None:
    """The pages that show a picture are to be written again."""
    target = picture_target(url)
    db.execute(sql.MARK_LINKING, {"to_outlet": target.outlet, "to_kind": target.kind, "to_id": target.id})
