"""``scrapy import``: JSON lines, of an export or of feeds, into the store."""  # noqa: N999 - the name is that of the command

from __future__ import annotations

import argparse
import contextlib
import gzip
import sys
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby, islice
from pathlib import Path
from typing import BinaryIO, cast

from scrapy.commands import ScrapyCommand
from scrapy.exceptions import UsageError

from mirror_crawler import feeds
from mirror_crawler.command_line import opened_store, refuse_in_one_line
from mirror_crawler.items import Article
from mirror_crawler.links import LinkFinder
from mirror_crawler.outlet import load_outlets
from mirror_crawler.records import read_record
from mirror_crawler.store import ArticleStore, Record

_BATCH = 200
"""Lines to one transaction."""


class Command(ScrapyCommand):
    """Exit code 0: every line is stored now. 1: some lines or files could not be taken. 2: asked wrongly."""

    requires_project = True
    requires_crawler_process = False

    def syntax(self) -> str:
        """Shown by ``scrapy import -h``."""
        return "FILE..."

    def short_desc(self) -> str:
        """Shown by ``scrapy -h``."""
        return "Restore the store from JSON lines: of an export or of feeds; .gz too, - for standard input"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """None of its own."""
        super().add_options(parser)
        refuse_in_one_line(self, parser)

    def run(self, args: list[str], opts: argparse.Namespace) -> None:  # noqa: ARG002 - Scrapy calls it so
        """Take file after file, feeds run by run, report every line that cannot go in, and count."""
        if self.settings is None:
            raise RuntimeError("not started by Scrapy's command line")
        if not args:
            raise UsageError("name the files to import, - for standard input")
        outlets = {name: outlet.addresses for name, outlet in load_outlets(self.settings).items()}
        with opened_store(self.settings) as (config, store):
            taker = _Taker(store, LinkFinder(outlets, config.images_per_article))
            for run, names in _by_run(args):
                if run:
                    taker.take_run(names)
                else:
                    taker.take(names)
        tally = taker.tally
        sys.stderr.write(f"{tally['new']} records imported, {tally['known']} known, {tally['broken']} broken\n")
        if tally["broken"]:
            self.exitcode = 1


def _by_run(files: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    """What is to go in one after the other: a run and its feeds, or "" and other files, as they are named.

    Feeds that are named in a row come in the order of their runs, which is not that of their names: articles and
    listings of a run belong together, and a later run revises what earlier ones brought.
    """
    for _, in_a_row in groupby(files, lambda name: bool(_run_of(name))):
        for run, together in groupby(sorted(in_a_row, key=_run_of), _run_of):
            yield run, list(together)


def _run_of(name: str) -> str:
    return feeds.run_of(Path(name))


class _Taker:
    """Takes files into the store, reports every line that cannot go in, and counts."""

    def __init__(self, store: ArticleStore, links: LinkFinder) -> None:
        self.store = store
        self.links = links
        self.tally: Counter[str] = Counter()

    def take_run(self, names: Iterable[str]) -> None:
        """Take the feeds of a run. Their lines stand in the order of storing; places are given as the run gave them,
        by publication when all is stored.

        Only if something waits for its place, new or not: an import that was cut off before may have left the half of
        a later run without places, which must wait for the other half.
        """
        waiting: set[str] = set()
        for name in names:
            for batch in self._batches(name):
                waiting |= self.store.waiting_outlets(self._store(name, batch, at_once=False))
        for outlet in sorted(waiting):
            if self.store.is_published(outlet):  # else what a crawl that goes on, or failed, brought waits there, too
                self.store.place(outlet)

    def take(self, names: Iterable[str]) -> None:
        """Take files whose lines stand in the order of their places, as those of an export do."""
        for name in names:
            for batch in self._batches(name):
                self._store(name, batch, at_once=True)

    def _batches(self, name: str) -> Iterator[list[tuple[int, bytes]]]:
        """The lines of a file with their numbers, so many as go into one transaction."""
        begun = False
        try:
            with _opened(name) as file:
                lines = enumerate(file, 1)
                while batch := list(islice(lines, _BATCH)):
                    begun = True
                    yield batch
        except (OSError, EOFError, zlib.error) as error:  # what gzip raises for a damaged file
            self._refuse(name, f"cannot be read{' further' if begun else ''}: {error}")

    def _store(self, name: str, batch: Iterable[tuple[int, bytes]], *, at_once: bool) -> list[Record]:
        """Store the good lines of a batch in one transaction, and return their items; report the others.

        ``at_once`` is that of :meth:`ArticleStore.restore_all`.
        """
        numbers, items = [], []
        for number, line in batch:
            if not line.strip():
                continue
            try:
                item = read_record(line, self.links.outlets)
            except ValueError as error:
                self._refuse(f"{name}:{number}", str(error))
                continue
            numbers.append(number)
            items.append((item, self.links.ties_of(item) if isinstance(item, Article) else set()))
        for number, outcome in zip(numbers, self.store.restore_all(items, at_once=at_once), strict=True):
            if isinstance(outcome, ValueError):
                self._refuse(f"{name}:{number}", str(outcome))
            else:
                self.tally["new" if outcome else "known"] += 1
        return [item for item, _ in items]

    def _refuse(self, place: str, reason: str) -> None:
        sys.stderr.write(f"{place}: {reason}\n")
        self.tally["broken"] += 1


@contextlib.contextmanager
def _opened(name: str) -> Iterator[BinaryIO]:
    if name == "-":
        yield sys.stdin.buffer
        return
    with gzip.open(name) if name.endswith(".gz") else Path(name).open("rb") as file:
        yield cast(BinaryIO, file)
