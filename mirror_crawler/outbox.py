"""What of a tree is not published yet, and which commit each repository was left at.

A path is noted before its file is written or removed, and forgotten in the transaction that notes the commit it is in.
So a kill at any moment leaves a path noted too often, never too rarely.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from mirror_crawler import statements as sql
from mirror_crawler.database import Database
from mirror_crawler.items import Volume


class Published(NamedTuple):
    """The commit ``tip`` holds what the tree at ``root`` was, but for the paths noted since."""

    root: str
    tip: str


def volume_records(db: sqlite3.Connection) -> Iterator[str]:
    """The JSON lines of the volumes after the first, in order."""
    for number, row in enumerate(db.execute(sql.VOLUMES), 2):
        yield Volume(volume=number, first_day=row["first_day"]).to_json()


def restore_volume(db: sqlite3.Connection, volume: Volume) -> bool:
    """Take over what a record says. False: the volume is known. ValueError for one that does not follow those known."""
    days = [row["first_day"] for row in db.execute(sql.VOLUMES)]
    if volume.volume <= len(days) + 1:
        if days[volume.volume - 2] != volume.first_day:
            raise ValueError(f"volume {volume.volume} begins with {days[volume.volume - 2]} here")
        return False
    if volume.volume > len(days) + 2 or volume.first_day <= max(days, default=""):
        raise ValueError(f"volume {volume.volume} does not follow volume {len(days) + 1}")
    db.execute(sql.BEGIN_VOLUME, {"number": volume.volume, "first_day": volume.first_day})
    return True


class Outbox:
    """The paths that wait, by the root of their tree, and the state of the repositories, by name."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, root: str, paths: Collection[str]) -> None:
        """These files are about to be written or removed. A tree that was never published is published whole, so of
        such a tree nothing is noted.
        """
        if paths:
            with self._database.write() as db:
                db.execute(sql.NOTE_UNPUBLISHED, {"root": root, "keys": json.dumps(list(paths))})

    def waiting(self, root: str) -> Iterator[str]:
        """The noted paths, in the order of their bytes."""
        with self._database.read(snapshot=True) as db:
            for row in db.execute(sql.UNPUBLISHED, {"root": root}):
                yield row["path"]

    def published(self, repository: str) -> Published | None:
        """What was published last to a repository."""
        rows = self._database.rows(sql.PUBLISHED, repository=repository)
        return Published._make(rows[0]) if rows else None

    def settle(self, root: str, tips: Mapping[str, str], next_volume: tuple[int, str] | None = None) -> None:
        """All of the tree at ``root`` is committed; the repositories are at these commits.

        Nothing may have been noted since the paths were read: pages.lock sees to that. ``next_volume``: a volume with
        this number and first day begins.
        """
        with self._database.write() as db:
            for repository, tip in tips.items():
                db.execute(sql.SET_PUBLISHED, {"repository": repository, "root": root, "tip": tip})
            db.execute(sql.FORGET_UNPUBLISHED, {"root": root})
            if next_volume is not None:
                db.execute(sql.BEGIN_VOLUME, dict(zip(("number", "first_day"), next_volume, strict=True)))

    def first_days(self) -> list[str]:
        """The first days of the volumes after the first."""
        return [row["first_day"] for row in self._database.rows(sql.VOLUMES)]
