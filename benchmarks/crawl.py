"""How fast a crawl is beside a spider that only fetches, and how much memory it takes.

    python -m benchmarks.crawl speed  [--articles 2000] [--rounds 3] [--outlet epochtimes]
    python -m benchmarks.crawl bare   [--articles 2000] [--rounds 3]
    python -m benchmarks.crawl memory [--articles 500 5000]

The sample outlet runs in a process of its own and serves generated articles of the size of real ones (60 to 70 KB).
``speed`` runs both sides in turn, each in a fresh process with a fresh store, and compares the best round of each, then
round by round.
A round lasts from the first request that reaches the outlet to the end of the crawler's process: its start-up does not
count, the pages and indexes written at its end do. Both sides must fetch the same number of pages, or there is no
result. ``memory`` is the peak resident size of the crawler's process.
"""

from __future__ import annotations

import argparse
import dataclasses
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

from scrapy.settings import Settings
from scrapy.spiderloader import SpiderLoader

from tests.site.load import many
from tests.site.server import Answer, SampleSite
from tests.site.world import World, list_address

REPO = Path(__file__).parent.parent
PACE = {
    "CONCURRENT_REQUESTS": "32",
    "CONCURRENT_REQUESTS_PER_DOMAIN": "32",
    "DOWNLOAD_DELAY": "0",
    "AUTOTHROTTLE_ENABLED": "False",
    "ROBOTSTXT_OBEY": "True",
    "LOG_LEVEL": "WARNING",
}
_WEIGHT = 9
_PER_PAGE = 30


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One crawl: pages answered with 200 (robots.txt not counted), seconds, peak memory in MiB."""

    pages: int
    seconds: float
    memory: float

    @property
    def pace(self) -> float:
        """Pages a second."""
        return self.pages / self.seconds


class BenchmarkError(Exception):
    """A crawl failed, or the two sides did not do the same work."""


class TimedSite(SampleSite):
    """Counts pages and notes when the first request came (``time.monotonic``, one clock for all processes)."""

    pages = 0
    first: float | None = None

    def answer(self, url: str) -> Answer:
        """What the world serves, counted."""
        if self.first is None:
            self.first = time.monotonic()
        answer = super().answer(url)
        self.pages += answer.status == 200 and not url.endswith("/robots.txt")
        return answer


def serve(outlet: str, articles: int, pipe: Connection) -> None:
    """The outlet's process: tells its proxy address, then, when asked, the counts since it was last asked."""
    world = World(many(outlet, articles, weight=_WEIGHT), weight=_WEIGHT, per_page=_PER_PAGE)
    with TimedSite(world) as site:
        pipe.send(site.proxy)
        while pipe.recv() == "counts":
            pipe.send((site.first, site.pages))
            site.first, site.pages = None, 0
            site.requests.clear()


@contextmanager
def outlet_process(outlet: str, articles: int) -> Iterator[tuple[str, Connection]]:
    """The outlet in its own process: the address of its proxy, and the pipe to ask it for its counts."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(outlet, articles, there))
    process.start()
    try:
        yield here.recv(), here
    finally:
        here.send("stop")
        process.join()


def crawl(command: Sequence[str], proxy: str, pipe: Connection, cwd: Path, extra: dict[str, str]) -> Round:
    """Run one crawler to its end and measure it."""
    pace = [word for name, value in PACE.items() for word in ("-s", f"{name}={value}")]
    proxies = {"http_proxy": proxy, "https_proxy": proxy, "no_proxy": ""}
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "scrapy", *command, *pace],
            cwd=cwd,
            env=os.environ | proxies | extra,
            stdout=log,
            stderr=log,
        )
        _, status, usage = os.wait4(process.pid, 0)
        end = time.monotonic()
        process.returncode = os.waitstatus_to_exitcode(status)
        pipe.send("counts")
        first, pages = pipe.recv()
        if process.returncode or first is None:
            log.seek(0)
            raise BenchmarkError(f"{command} ended with {process.returncode}:\n{log.read()[-4000:]}")
    return Round(pages=pages, seconds=end - first, memory=usage.ru_maxrss / 1024)


def crawl_bare(outlet: str, articles: int, proxy: str, pipe: Connection) -> Round:
    """Fetch what the project fetches by default, and do nothing with it."""
    with tempfile.TemporaryDirectory() as directory:
        urls = Path(directory) / "urls"
        urls.write_text("\n".join(default_pages(outlet, articles)), encoding="utf-8")
        spider = str(REPO / "benchmarks" / "bare.py")
        return crawl(["runspider", spider, "-a", f"urls={urls}"], proxy, pipe, Path(directory), {})


def crawl_project(outlet: str, proxy: str, pipe: Connection) -> Round:
    """The project's own command with a fresh store and tree."""
    with tempfile.TemporaryDirectory() as directory:
        places = {"MIRROR_DATA": f"{directory}/data", "MIRROR_OUTPUT": f"{directory}/output", "MIRROR_IMAGES": "none"}
        return crawl(["crawl", outlet, "-a", "pages=all"], proxy, pipe, REPO, places)


def default_pages(outlet: str, articles: int) -> list[str]:
    """The list pages of the outlet's default sections and every article, as the project meets them."""
    spider = SpiderLoader(Settings({"SPIDER_MODULES": ["mirror_crawler.spiders"]})).load(outlet)
    world = World(many(outlet, articles))
    lists = [
        list_address(outlet, "section", section, page)
        for section in spider.default_sections  # type: ignore[attr-defined]  # the loader knows Scrapy's class
        for page in range(1, -(-len(world.lists[outlet, "section", section]) // _PER_PAGE) + 1)
    ]
    return [*lists, *(story.url for story in world.truth.values())]


def measure_speed(outlet: str, articles: int, rounds: int, *, both: bool) -> None:
    """Print the pace of both sides and their ratio; only that of the bare spider unless ``both``.

    On a machine that others use, too, the best rounds of the two may be of different times: then the median of what
    each round says for itself tells more.
    """
    bare, project = [], []
    with outlet_process(outlet, articles) as (proxy, pipe):
        for number in range(1, rounds + 1):
            bare.append(crawl_bare(outlet, articles, proxy, pipe))
            show(f"round {number}  bare   ", bare[-1])
            if not both:
                continue
            project.append(crawl_project(outlet, proxy, pipe))
            show(f"round {number}  project", project[-1])
            if project[-1].pages != bare[-1].pages:
                raise BenchmarkError("the two sides fetched different numbers of pages")
    best = max(result.pace for result in bare)
    print(f"best of {rounds}: bare {best:.0f} pages/s")
    if both:
        mine = max(result.pace for result in project)
        print(f"best of {rounds}: project {mine:.0f} pages/s, ratio {mine / best:.2f}")
        ratios = [ours.pace / other.pace for ours, other in zip(project, bare, strict=True)]
        print(f"round by round: ratio {min(ratios):.2f} to {max(ratios):.2f}, median {statistics.median(ratios):.2f}")


def measure_memory(outlet: str, sizes: Sequence[int]) -> None:
    """Print the project's peak memory at each number of articles."""
    peaks = []
    for articles in sizes:
        with outlet_process(outlet, articles) as (proxy, pipe):
            result = crawl_project(outlet, proxy, pipe)
        show(f"{articles:6} articles", result)
        peaks.append(result.memory)
    print(f"difference {peaks[-1] - peaks[0]:+.0f} MiB")


def show(label: str, result: Round) -> None:
    """One line about one crawl."""
    print(
        f"{label}  {result.pages:6} pages {result.seconds:7.1f} s {result.pace:7.0f} pages/s {result.memory:5.0f} MiB",
        flush=True,
    )


def main() -> None:
    """Read the arguments and measure; exit code 1 with the cause when there is no result."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.crawl", description=__doc__.splitlines()[0])
    parser.add_argument("mode", choices=["speed", "bare", "memory"])
    parser.add_argument("--articles", type=int, nargs="+", help="default: 2000; memory: 500 5000")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--outlet", default="epochtimes", choices=["epochtimes", "ntdtv"])
    options = parser.parse_args()
    try:
        if options.mode == "memory":
            measure_memory(options.outlet, options.articles or [500, 5000])
        else:
            articles = (options.articles or [2000])[0]
            measure_speed(options.outlet, articles, options.rounds, both=options.mode == "speed")
    except BenchmarkError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
