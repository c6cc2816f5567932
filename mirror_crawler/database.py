"""How the store's parts get at their one SQLite file: transactions that write, connections that read."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from typing import Any, cast

from sqlalchemy.pool import PoolProxiedConnection

from mirror_crawler.schema import open_pool, told


class Database:
    """The database at ``address``, made when it is missing; usable from several threads.

    Every method raises StoreError when the database cannot be used.
    """

    def __init__(self, address: str) -> None:
        self._pool, self._file = open_pool(address)
        # SQLite has one writer at a time; threads that queue here need not poll for it.
        self._lock = threading.Lock()
        self._writer = self._pool.connect()

    def close(self) -> None:
        """Give the file back. What streams from it and was not read to its end must be closed before."""
        self._writer.close()
        self._pool.dispose()

    @contextlib.contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One transaction that no other writer comes into."""
        with self._lock, told(self._file):
            db = _driver(self._writer)
            db.execute("BEGIN IMMEDIATE")
            with db:
                yield db

    @contextlib.contextmanager
    def read(self, *, snapshot: bool = False) -> Iterator[sqlite3.Connection]:
        """A connection to read from; with ``snapshot`` everything read is the state of one moment."""
        with told(self._file), contextlib.closing(self._pool.connect()) as lent:
            db = _driver(lent)
            if snapshot:
                db.execute("BEGIN")  # ended by the pool, which rolls back what is given back
            yield db

    def rows(self, statement: str, **values: object) -> list[sqlite3.Row]:
        """All rows that a statement finds."""
        with self.read() as db:
            return db.execute(statement, values).fetchall()

    def stream(self, statement: str, **values: object) -> Iterator[str]:
        """The column ``record`` of all rows that a statement finds, as they are at one moment."""
        with self.read(snapshot=True) as db:
            for row in db.execute(statement, values):
                yield row["record"]


def value(db: sqlite3.Connection, statement: str, values: Mapping[str, object]) -> Any:
    """The first column of the first row, or None."""
    row = db.execute(statement, values).fetchone()
    return row[0] if row else None


def _driver(lent: PoolProxiedConnection) -> sqlite3.Connection:
    return cast(sqlite3.Connection, lent.driver_connection)
