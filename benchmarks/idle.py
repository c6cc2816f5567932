"""What a run costs that finds nothing new, in a small store and in a large one.

    python -m benchmarks.idle [--articles 1000 1000000] [--rounds 3] [--outlet epochtimes]

The sample outlet's lists name the same 300 articles at each size, and answer 304 to who has seen them. A first crawl
fetches those; the rest of the store are short articles of the years before, written straight into its tables as copies
of the rows that the crawl left for one article, for the store's own methods would take a quarter of an hour. After one
run to settle, the best of the rounds counts: from the start of ``scrapy crawl OUTLET`` to the end of its process. A run
that asks for an article, changes a file of the tree or does not end with 0 gives no result.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.crawl import PACE, REPO, BenchmarkError
from mirror_crawler.items import Article
from mirror_crawler.schema import metadata
from mirror_crawler.store import ArticleStore
from tests.mirror import article_requests
from tests.site import SampleSite
from tests.site.load import many
from tests.site.world import World

_NAMED = 300
"""Articles that the outlet's lists name."""
_FIRST_NUMBER = 1_000_000
"""In the ids of copies; those of the sample outlets are higher."""
_FIRST_DAY = datetime(2001, 1, 1, tzinfo=UTC)
_YEARS = 25
_NAMING = ("article_id", "member", "path", "url")
"""Columns that say which article a row is about."""
_PASSING = ("runs", "stale", "wanted", "unplaced")
"""Tables of which a store at rest has no rows for an article."""

_Row = dict[str, Any]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One run: seconds, peak memory in MiB, requests, and how many of them were answered with 304."""

    seconds: float
    memory: float
    requests: int
    unchanged: int


class Mirror:
    """A mirror of the sample outlet in a directory of its own."""

    def __init__(self, directory: Path, site: SampleSite, outlet: str) -> None:
        self.site = site
        self.outlet = outlet
        self.data, self.output = directory / "data", directory / "output"

    def crawl(self) -> Round:
        """Run the command to its end and measure it."""
        pace = [word for name, value in PACE.items() for word in ("-s", f"{name}={value}")]
        command = [sys.executable, "-m", "scrapy", "crawl", self.outlet, *pace]
        places = {"MIRROR_DATA": str(self.data), "MIRROR_OUTPUT": str(self.output), "MIRROR_IMAGES": "none"}
        self.site.requests.clear()
        with tempfile.TemporaryFile("w+") as log:
            begin = time.monotonic()
            process = subprocess.Popen(
                command, cwd=REPO, env=self.site.environment | places, stdout=log, stderr=subprocess.STDOUT
            )
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.monotonic() - begin
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode:
                log.seek(0)
                raise BenchmarkError(f"{command} ended with {process.returncode}:\n{log.read()[-4000:]}")
        requests = self.site.requests
        unchanged = sum(request.status == 304 for request in requests)
        return Round(seconds=seconds, memory=usage.ru_maxrss / 1024, requests=len(requests), unchanged=unchanged)

    def idle(self) -> Round:
        """:meth:`crawl`, and be sure that nothing was new."""
        before = self._files()
        result = self.crawl()
        if asked := article_requests(self.site.requests):
            raise BenchmarkError(f"{len(asked)} articles were asked for, {asked[0]} among them")
        if changed := before ^ self._files():
            raise BenchmarkError(f"files have changed, {min(changed)[0]} among them")
        return result

    def _files(self) -> set[tuple[str, int]]:
        return {(str(path), path.stat().st_mtime_ns) for path in self.output.rglob("*") if path.is_file()}

    def fill(self, size: int) -> None:
        """Copy an article of the store until there are ``size``."""
        file = self.data / "mirror.db"
        story = many(self.outlet, _NAMED)[-1]
        with ArticleStore(f"sqlite:///{file}") as store:
            (model,) = store.articles([(self.outlet, story.article_id)])
            missing = size - store.list_size(self.outlet, "all", "")
        with contextlib.closing(sqlite3.connect(file)) as db:
            db.row_factory = sqlite3.Row
            db.execute("PRAGMA journal_mode = OFF")  # nothing here has to survive a crash
            db.execute("PRAGMA synchronous = OFF")
            with db:
                copy_article(db, model, missing)


class Copy(NamedTuple):
    """What tells one copy of an article from another."""

    article_id: str
    title: str
    moment: str
    content_hash: str


def copy_article(db: sqlite3.Connection, model: Article, count: int) -> None:
    """Put ``count`` copies of an article into every table that says something about it.

    They have short bodies, ids of their own and are spread over the years; they have their places in the lists.
    """
    for table in metadata.sorted_tables:
        naming = [name for name in _NAMING if name in table.c]
        if table.name in _PASSING or not naming:
            continue
        rows = db.execute(f"SELECT * FROM {table.name} WHERE instr({naming[0]}, ?)", [model.article_id]).fetchall()
        for row in map(dict, rows):
            insert(db, table.name, row_copies(row, model, count, next_place(db, row)))
    sizes = "UPDATE lists SET size = (SELECT max(seq) FROM entries e WHERE (e.outlet, e.kind, e.list_id) = "
    db.execute(f"{sizes}(lists.outlet, lists.kind, lists.list_id)) WHERE size > 0")


def next_place(db: sqlite3.Connection, row: _Row) -> int:
    """The next place in the list that a row of entries is of; 0 for a row of another table."""
    if "seq" not in row:
        return 0
    key = [row[name] for name in ("outlet", "kind", "list_id")]
    (last,) = db.execute("SELECT max(seq) FROM entries WHERE (outlet, kind, list_id) = (?, ?, ?)", key).fetchone()
    return int(last) + 1


def row_copies(row: _Row, model: Article, count: int, place: int) -> Iterator[_Row]:
    """``row`` for each copy; ``place`` is that of the first one in its list."""
    if "record" in row and "revision" in row:
        row = row | {"record": short_record(model)}
    own = row.keys() & Copy._fields
    moments = row.keys() & {"published_at", "order_key", "first_seen_at"}
    named = [name for name, value in row.items() if isinstance(value, str) and model.article_id in value]
    for index, copy in enumerate(copies(model, count)):
        values = {name: row[name].replace(model.article_id, copy.article_id) for name in named}
        values |= {name: getattr(copy, name) for name in own}
        values |= dict.fromkeys(moments, copy.moment)
        if "record" in values:
            values["record"] = copy_record(values["record"], copy)
        if "number" in row:  # counted by the database
            values["number"] = None
        if "seq" in row:
            values["seq"] = place + index
        yield row | values


def copies(model: Article, count: int) -> Iterator[Copy]:
    """Articles of the years before, the oldest first."""
    step = timedelta(days=365 * _YEARS) / count
    for index in range(count):
        moment = (_FIRST_DAY + index * step).isoformat(timespec="seconds")
        article_id = f"{model.article_id[0]}{_FIRST_NUMBER + index}"
        yield Copy(article_id, f"往年第{index + 1}号消息", moment, f"{index:064x}")


def short_record(model: Article) -> str:
    """The record of an article with hardly a body; marks stand in the place of what :class:`Copy` holds."""
    bare = dataclasses.replace(model, body_html="<p>短。</p>", text="短。", images=[], embeds=[], lead_image=None)
    bare = dataclasses.replace(bare, published_at="<moment>", modified_at="<moment>", fetched_at="<moment>")
    return dataclasses.replace(bare, first_seen_at="<moment>", title="<title>", content_hash="<content_hash>").to_json()


def copy_record(record: str, copy: Copy) -> str:
    """A record of :func:`short_record` with what its marks stand for; one without marks as it is."""
    for name in ("title", "moment", "content_hash"):
        record = record.replace(f"<{name}>", getattr(copy, name))
    return record


def insert(db: sqlite3.Connection, table: str, rows: Iterable[_Row]) -> None:
    """Insert rows of one form."""
    rows = iter(rows)
    first = next(rows, None)
    if first is None:
        return
    statement = f"INSERT INTO {table} ({', '.join(first)}) VALUES ({', '.join(f':{name}' for name in first)})"
    db.execute(statement, first)
    db.executemany(statement, rows)


def measure(outlet: str, sizes: Sequence[int], rounds: int) -> None:
    """Print what the runs took at each size, and the ratio of the last size to the first; the sizes take turns."""
    results: dict[int, list[Round]] = {size: [] for size in sizes}
    with tempfile.TemporaryDirectory() as directory, SampleSite(World(many(outlet, _NAMED))) as site:
        mirrors = {size: Mirror(Path(directory, str(size)), site, outlet) for size in results}
        for size, mirror in mirrors.items():
            mirror.crawl()
            mirror.fill(size)
            mirror.crawl()
        for number in range(1, rounds + 1):
            for size, mirror in mirrors.items():
                results[size].append(mirror.idle())
                show(f"round {number}  {size:9,} articles", results[size][-1])
    best = {size: min(result.seconds for result in done) for size, done in results.items()}
    took = ", ".join(f"{size:,} articles {seconds:.2f} s" for size, seconds in best.items())
    print(f"best of {rounds}: {took}, ratio {best[sizes[-1]] / best[sizes[0]]:.2f}")


def show(label: str, result: Round) -> None:
    """One line about one run."""
    print(
        f"{label}  {result.seconds:6.2f} s  {result.requests:3} requests, {result.unchanged} answered with 304"
        f"  {result.memory:5.0f} MiB",
        flush=True,
    )


def main() -> None:
    """Read the arguments and measure; exit code 1 with the cause when there is no result."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.idle", description=__doc__.splitlines()[0])
    parser.add_argument("--articles", type=int, nargs="+", default=[1_000, 1_000_000], help="default: 1000 1000000")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--outlet", default="epochtimes", choices=["epochtimes", "ntdtv"])
    options = parser.parse_args()
    if min(options.articles) <= _NAMED:
        parser.error(f"--articles: use more than {_NAMED}")
    try:
        measure(options.outlet, options.articles, options.rounds)
    except BenchmarkError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
