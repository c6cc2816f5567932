"""``scrapy import``: JSON lines, of an export or of feeds, into the store."""  # noqa: N999 - the name is that of the command

from __future__ import annotations

import argparse
import contextlib
import gzip
import sys
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO, cast

from scrapy.commands import ScrapyCommand
from scrapy.exceptions import UsageError

from mirror_crawler.command_line import opened_store, refuse_in_one_line
from mirror_crawler.items import Article
from mirror_crawler.links import LinkFinder
from mirror_crawler.outlet import load_outlets
from mirror_crawler.records import read_record
from mirror_crawler.store import ArticleStore

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
        """Take file after file, report every line that cannot go in, and count."""
        if self.settings is None:
            raise RuntimeError("not started by Scrapy's command line")
        if not args:
            raise UsageError("name the files to import, - for standard input")
        outlets = {name: outlet.addresses for name, outlet in load_outlets(self.settings).items()}
        tally: Counter[str] = Counter()
        with opened_store(self.settings) as (config, store):
            links = LinkFinder(outlets, config.images_per_article)
            for name in args:
                tally += self._take(store, name, links)
        sys.stderr.write(f"{tally['new']} records imported, {tally['known']} known, {tally['broken']} broken\n")
        if tally["broken"]:
            self.exitcode = 1

    def _take(self, store: ArticleStore, name: str, links: LinkFinder) -> Counter[str]:
        tally: Counter[str] = Counter()
        try:
            with _opened(name) as file:
                lines = enumerate(file, 1)
                while batch := list(islice(lines, _BATCH)):
                    tally += _take_batch(store, name, batch, links)
        except (OSError, EOFError, zlib.error) as error:  # what gzip raises for a damaged file
            _report(name, f"cannot be read{' further' if tally else ''}: {error}")
            tally["broken"] += 1
        return tally


def _take_batch(store: ArticleStore, name: str, batch: Iterable[tuple[int, bytes]], links: LinkFinder) -> Counter[str]:
    """Store the good lines of a batch in one transaction; report the others."""
    tally: Counter[str] = Counter()
    numbers, items = [], []
    for number, line in batch:
        if not line.strip():
            continue
        try:
            item = read_record(line, links.outlets)
        except ValueError as error:
            _report(f"{name}:{number}", str(error))
            tally["broken"] += 1
            continue
        numbers.append(number)
        items.append((item, links.ties_of(item) if isinstance(item, Article) else set()))
    for number, outcome in zip(numbers, store.restore_all(items), strict=True):
        if isinstance(outcome, ValueError):
            _report(f"{name}:{number}", str(outcome))
            tally["broken"] += 1
        else:
            tally["new" if outcome else "known"] += 1
    return tally


def _report(place: str, reason: str) -> None:
    sys.stderr.write(f"{place}: {reason}\n")


@contextlib.contextmanager
def _opened(name: str) -> Iterator[BinaryIO]:
    if name == "-":
        yield sys.stdin.buffer
        return
    with gzip.open(name) if name.endswith(".gz") else Path(name).open("rb") as file:
        yield cast(BinaryIO, file)
