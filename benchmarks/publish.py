"""What it costs to publish three changed pages of a small tree and of a large one.

    python -m benchmarks.publish [--pages 1000 100000] [--rounds 3]

The pages lie by days as those of articles do, a hundred to a day, with share codes beside them. The first publishing
of each tree is not counted. Then three pages are written anew, as the writer of a mirror does it, and published to a
bare repository on the same disk: once in this process, which shows the cost of the commit and the push alone, and once
by ``scrapy publish`` from the start of the process to its end. A round that does not make exactly one commit of three
files gives no result.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from scrapy.settings import Settings

from benchmarks.crawl import REPO, BenchmarkError
from mirror_crawler.config import MirrorConfig
from mirror_crawler.publish import Publisher
from mirror_crawler.store import ArticleStore
from mirror_crawler.writer import PageWriter
from tests.repositories import bare, git

_A_DAY = 100
_FIRST_DAY = date(2024, 1, 1)
_CHANGED = 3
_TEXT = "\n\n".join(f"第{number}段：" + "山谷里的新桥今天落成。" * 8 for number in range(12))
_CODE = b"\x89PNG" + bytes(400)


@dataclasses.dataclass(frozen=True, slots=True)
class Round:
    """Seconds of one publishing: in this process, and as a command."""

    inside: float
    command: float


class Mirror:
    """A tree of pages in a directory of its own, published once."""

    def __init__(self, directory: Path, pages: int) -> None:
        self.places = {
            "MIRROR_DATA": str(directory / "data"),
            "MIRROR_OUTPUT": str(directory / "output"),
            "MIRROR_REMOTES": str(bare(directory / "host.git")),
        }
        self.host = directory / "host.git"
        settings = Settings()
        settings.setmodule("mirror_crawler.settings")
        settings.setdict(self.places, "cmdline")
        config = MirrorConfig.from_settings(settings)
        config.prepare()
        self.writer = PageWriter(ArticleStore(config.database), config, {})
        self.pages = pages
        for number in range(pages):
            self.writer.tree.write(self.path(number), self.page(number, 0))
            self.writer.tree.write(f"{self.path(number)}.png", _CODE + number.to_bytes(4))
        self.publish()
        os.sync()  # or the disk would go on to be busy with all this while the rounds are measured

    def path(self, number: int) -> str:
        """Where a page lies."""
        day = _FIRST_DAY + timedelta(days=number // _A_DAY)
        return f"epochtimes/{day:%Y/%m/%d}/n{1_000_000 + number}.md"

    def page(self, number: int, version: int) -> bytes:
        """A page of some kB."""
        return f"# 第{number}号消息\n\n{_TEXT}\n\n{version}\n".encode()

    def change(self, version: int) -> None:
        """Write three pages anew, far from each other."""
        numbers = range(0, self.pages, self.pages // _CHANGED + 1)
        self.writer.touching([self.path(number) for number in numbers])
        for number in numbers:
            self.writer.tree.write(self.path(number), self.page(number, version))

    def publish(self) -> float:
        """Publish in this process; the seconds it took."""
        begin = time.monotonic()
        report = Publisher(self.writer).publish(datetime.now(UTC))
        seconds = time.monotonic() - begin
        if [result.state for result in report.results] != ["pushed"]:
            raise BenchmarkError(f"not pushed: {report}")
        return seconds

    def command(self) -> float:
        """Publish by the command; the seconds it took."""
        begin = time.monotonic()
        ended = subprocess.run(
            [sys.executable, "-m", "scrapy", "publish", *(f"--set={name}={at}" for name, at in self.places.items())],
            cwd=REPO,
            capture_output=True,
            text=True,
        )
        seconds = time.monotonic() - begin
        if ended.returncode:
            raise BenchmarkError(f"scrapy publish ended with {ended.returncode}: {ended.stdout}{ended.stderr}")
        return seconds

    def round(self, number: int) -> Round:
        """Change and publish, twice."""
        self.change(2 * number)
        inside = self.publish()
        self.check(2 * number)
        self.change(2 * number + 1)
        command = self.command()
        self.check(2 * number + 1)
        return Round(inside, command)

    def check(self, commits: int) -> None:
        """Be sure that the host has got one commit of three files."""
        made = int(git(self.host, "rev-list", "--count", "main"))
        changed = len(git(self.host, "diff-tree", "-r", "--name-only", "main^", "main").splitlines())
        if (made, changed) != (commits, _CHANGED):
            raise BenchmarkError(f"{made} commits, the last one of {changed} files")


def measure(sizes: Sequence[int], rounds: int) -> None:
    """Print what each publishing took, and the ratio of the last size to the first."""
    best: dict[int, Round] = {}
    for size in sizes:
        with tempfile.TemporaryDirectory() as directory:
            mirror = Mirror(Path(directory), size)
            done = [mirror.round(number) for number in range(1, rounds + 1)]
            for number, result in enumerate(done, 1):
                print(f"round {number}  {size:9,} pages  {result.inside:6.2f} s  as a command {result.command:6.2f} s")
            best[size] = Round(min(result.inside for result in done), min(result.command for result in done))
    for name in ("inside", "command"):
        took = {size: getattr(result, name) for size, result in best.items()}
        told = ", ".join(f"{size:,} pages {seconds:.2f} s" for size, seconds in took.items())
        print(f"{name}: best of {rounds}: {told}, ratio {took[sizes[-1]] / took[sizes[0]]:.2f}")


def main() -> None:
    """Read the arguments and measure; exit code 1 with the cause when there is no result."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.publish", description=__doc__.splitlines()[0])
    parser.add_argument("--pages", type=int, nargs="+", default=[1_000, 100_000], help="default: 1000 100000")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    if min(options.pages) < _CHANGED:
        parser.error(f"--pages: use {_CHANGED} or more")
    try:
        measure(options.pages, options.rounds)
    except BenchmarkError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
