"""A mirror in a directory of its own, and the two ways in which tests make it: the real command, and in this process.

The command is what an operator runs, so what a run is worth in the end is tested with it. A crawl in this process does
the same with the same settings and costs a tenth of the time; it serves where only one case of many is looked at.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import dataclasses
import functools
import hashlib
import io
import json
import os
import posixpath
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from html import unescape
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from unittest import mock
from urllib.parse import unquote

import cmarkgfm
import zxingcpp
from PIL import Image
from scrapy import Spider, signals
from scrapy.commands import ScrapyCommand
from scrapy.crawler import Crawler
from scrapy.settings import Settings
from scrapy.spiderloader import SpiderLoader
from scrapy.utils.reactor import install_reactor

from mirror_crawler.run import Run
from mirror_crawler.store import ArticleStore
from tests import quick
from tests.site import SampleSite
from tests.site.load import many
from tests.site.server import Answer, Request
from tests.site.stories import Story

REPO = Path(__file__).parent.parent
FAST = {"DOWNLOAD_DELAY": "0", "AUTOTHROTTLE_ENABLED": "False", "CONCURRENT_REQUESTS_PER_DOMAIN": "16"}
PLAIN = {"MIRROR_IMAGES": "none"}
"""What mirrors of tests are made with unless they are about pictures."""
SECTION = {"epochtimes": "nsc413", "ntdtv": "prog204"}
"""The one section of :func:`news`."""
_PATIENCE = 60.0


def news(outlet: str, count: int, *, start: int = 0) -> list[Story]:
    """Generated articles that stand in one section of their outlet."""
    return [dataclasses.replace(story, sections=(SECTION[outlet],)) for story in many(outlet, count, start=start)]


class ClockedSite(SampleSite):
    """Notes when it was asked for what."""

    def answer(self, url: str) -> Answer:
        self.times = [*getattr(self, "times", []), (time.monotonic(), url)]
        return super().answer(url)


@functools.cache
def _spider(name: str) -> type[Spider]:
    """A spider of the project; Scrapy's runner would copy all settings for each crawl to find it."""
    settings = Settings()
    settings.setmodule("mirror_crawler.settings")
    return SpiderLoader.from_settings(settings).load(name)


def never(_: Crawler) -> bool:
    """When a crawl is told to stop that comes to its end by itself."""
    return False


class Reactor:
    """The event loop in which crawls of this process run: in a thread, since Twisted's can be started only once."""

    def __init__(self) -> None:
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="crawls", daemon=True)

    def _run(self) -> None:
        install_reactor("twisted.internet.asyncioreactor.AsyncioSelectorReactor")
        self.reactor: Any = import_module("twisted.internet.reactor")
        self.loop = asyncio.get_event_loop()
        self.reactor.callWhenRunning(self._ready.set)
        self.reactor.run(installSignalHandlers=False)
        self.loop.close()

    def crawl(
        self,
        spider: str | type[Spider],
        settings: Settings,
        arguments: Mapping[str, Any],
        stop_when: Callable[[Crawler], bool] = never,
    ) -> Crawler:
        """Run one crawl to its end; it is told to stop as soon as ``stop_when`` says so."""

        async def run() -> Crawler:
            sys.settrace(threading.gettrace())  # coverage may have been off and on again since this thread began
            crawler = Crawler(_spider(spider) if isinstance(spider, str) else spider, settings)
            opened = asyncio.Event()
            crawler.signals.connect(opened.set, signals.spider_opened)
            crawl = asyncio.ensure_future(crawler.crawl_async(**arguments))
            while stop_when is not never and not crawl.done():
                if opened.is_set() and stop_when(crawler):
                    await crawler.stop_async()
                    break
                await asyncio.sleep(0.01)
            await crawl
            return crawler

        done: Future[Crawler] = asyncio.run_coroutine_threadsafe(run(), self.loop)
        return done.result(_PATIENCE)

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.reactor.callFromThread(self.reactor.stop)
        self._thread.join()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a crawl in this process ended."""

    verdict: str
    faults: list[str]
    failures: list[str]
    stats: dict[str, Any]


@dataclasses.dataclass(frozen=True, slots=True)
class Mirror:
    """A mirror under ``root``, crawled from ``site``."""

    root: Path
    site: SampleSite
    reactor: Reactor

    @property
    def data(self) -> Path:
        """Setting MIRROR_DATA."""
        return self.root / "data"

    @property
    def output(self) -> Path:
        """Setting MIRROR_OUTPUT."""
        return self.root / "output"

    # --- making it --------------------------------------------------------------------------------------------------

    def settings(self, **changed: Any) -> Settings:
        """The project's settings for this mirror, without waits."""
        settings = Settings()
        settings.setmodule("mirror_crawler.settings")
        places = {"MIRROR_DATA": str(self.data), "MIRROR_OUTPUT": str(self.output)}
        settings.setdict(FAST | PLAIN | places | changed, priority="cmdline")
        return settings

    def crawl(self, outlet: str, settings: Mapping[str, Any] | None = None, /, **arguments: str) -> Outcome:
        """Crawl in this process."""
        return self.crawl_until(never, outlet, settings, **arguments)

    def crawl_until(
        self,
        stop_when: Callable[[Crawler], bool],
        outlet: str,
        settings: Mapping[str, Any] | None = None,
        /,
        **arguments: str,
    ) -> Outcome:
        """Crawl in this process; the crawl is told to stop as soon as ``stop_when`` says so."""
        with mock.patch.dict(os.environ, self.site.environment):
            crawler = self.reactor.crawl(outlet, self.settings(**(settings or {})), arguments, stop_when)
        run = Run.of(crawler)
        return Outcome(
            verdict=run.verdict,
            faults=[finding.line for finding in run.judgement.findings],
            failures=run.failures,
            stats=dict(crawler.stats.get_stats()),
        )

    def ask(self, name: str, *words: str, settings: Mapping[str, Any] | None = None) -> int:
        """Run ``scrapy NAME WORDS`` in this process; its exit code. A crawl must be refused before it begins."""
        command: ScrapyCommand = import_module(f"mirror_crawler.commands.{name}").Command()
        command.settings = self.settings(**(settings or {}))
        command.crawler_process = mock.NonCallableMock(spec=[])
        parser = argparse.ArgumentParser(conflict_handler="resolve")
        command.add_options(parser)
        options, arguments = parser.parse_known_args(list(words))
        command.process_options(arguments, options)
        command.run(arguments, options)
        return command.exitcode

    def start(
        self, *words: str, cwd: Path = REPO, limit: int | None = None, **environment: str
    ) -> subprocess.Popen[str] | quick.Process:
        """Start ``scrapy WORDS`` in ``cwd``; ``limit`` (KiB) is what a file may grow to: like a full disk.

        It is the real command, or a quick one where that is the same: see :func:`quick.serves`.
        """
        if words[0] == "crawl":
            words += tuple(part for name, value in FAST.items() for part in ("-s", f"{name}={value}"))
        places = {"MIRROR_DATA": str(self.data), "MIRROR_OUTPUT": str(self.output)}
        whole = self.site.environment | PLAIN | places | environment
        command = [sys.executable, "-m", "scrapy", *words]
        if limit is not None:  # a file of coverage would meet the limit first
            whole = {name: value for name, value in whole.items() if not name.startswith("COVERAGE_")}
            command = ["sh", "-c", f'ulimit -f {limit * 2}; exec "$@"', "sh", *command]
        elif quick.serves(cwd, whole):
            return quick.Process(words, whole)
        return _started(command, cwd, whole)

    def command(
        self, *words: str, cwd: Path = REPO, limit: int | None = None, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run ``scrapy WORDS`` to its end."""
        return _ended(self.start(*words, cwd=cwd, limit=limit, **environment), words)

    def kill_when(self, reached: Callable[[], bool], *words: str) -> None:
        """Start ``scrapy WORDS`` and end it with SIGKILL once ``reached`` says so."""
        with self.start(*words) as process:
            try:
                wait_until(lambda: reached() or process.poll() is not None)
                assert process.poll() is None, process.communicate()
            finally:
                process.kill()
                process.communicate()

    # --- looking at it ----------------------------------------------------------------------------------------------

    def files(self) -> dict[str, bytes]:
        """Every file of the tree: relative path → content."""
        return contents(self.output)

    def written(self) -> dict[str, int]:
        """When every file of the tree was written: relative path → nanoseconds."""
        return {
            path.relative_to(self.output).as_posix(): path.stat().st_mtime_ns
            for path in self.output.rglob("*")
            if path.is_file()
        }

    @contextlib.contextmanager
    def store(self) -> Iterator[ArticleStore]:
        """The store, open."""
        with ArticleStore(f"sqlite:///{self.data / 'mirror.db'}") as store:
            yield store

    def articles(self) -> dict[tuple[str, str], dict[str, Any]]:
        """The articles of the store by key, as an export writes them."""
        return {(r["outlet"], r["article_id"]): r for r in self._records() if "body_html" in r}

    def memberships(self, outlet: str, article_id: str) -> set[tuple[str, str]]:
        """The lists that name an article."""
        return {
            (r["list_kind"], r["list_id"])
            for r in self._records()
            if "list_kind" in r and (r["outlet"], r["article_id"]) == (outlet, article_id)
        }

    def _records(self) -> list[dict[str, Any]]:
        with self.store() as store:
            return [json.loads(line) for line in store.records()]

    def feed_files(self) -> list[Path]:
        """All there is under the feeds' directory, finished or not."""
        return sorted(path for path in (self.data / "feeds").rglob("*") if path.is_file())

    def fed(self, outlet: str, kind: str) -> list[dict[str, Any]]:
        """The records of all feeds of a kind (``articles`` or ``listings``), run by run."""
        feeds = sorted((self.data / "feeds" / outlet).glob(f"{kind}-*.jsonl"))
        return [json.loads(line) for feed in feeds for line in feed.read_text(encoding="utf-8").splitlines()]


def start(*words: str) -> subprocess.Popen[str] | quick.Process:
    """Start ``scrapy WORDS``, or ``python WORDS`` when the first is ``-c``; or a quick one where that is the same."""
    if quick.serves(REPO, os.environ):
        return quick.Process(words, os.environ)
    return _started([sys.executable, *(words if words[0] == "-c" else ("-m", "scrapy", *words))], REPO, os.environ)


def run(*words: str) -> subprocess.CompletedProcess[str]:
    """Run what :func:`start` starts to its end."""
    return _ended(start(*words), words)


def _started(command: Sequence[str], cwd: Path, environment: Mapping[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command,
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _ended(process: subprocess.Popen[str] | quick.Process, words: Sequence[str]) -> subprocess.CompletedProcess[str]:
    with process:
        try:
            out, err = process.communicate(timeout=_PATIENCE)
        finally:
            process.kill()
    return subprocess.CompletedProcess(words, process.wait(), out, err)


def article_requests(requests: Iterable[Request]) -> list[str]:
    """The addresses of articles among what was asked for."""
    return [request.url for request in requests if re.search(r"/\d+/[na]\d+\.html?$", request.url)]


def contents(directory: Path) -> dict[str, bytes]:
    """Relative path → content of every file under a directory."""
    return {
        path.relative_to(directory).as_posix(): path.read_bytes() for path in directory.rglob("*") if path.is_file()
    }


def decoded(code: bytes) -> str:
    """What the QR code in a picture says, read by a decoder that is not the encoder's."""
    with Image.open(io.BytesIO(code)) as image:
        (found,) = zxingcpp.read_barcodes(image)
    return found.text


def fingerprint(files: Mapping[str, bytes]) -> dict[str, str]:
    """Relative path → short hash: a difference then reads as a few paths, not as pages of bytes."""
    return {path: hashlib.sha256(content).hexdigest()[:12] for path, content in files.items()}


def wait_until(reached: Callable[[], bool], every: float = 0.005) -> None:
    """Wait for something that another process or thread does; look ``every`` so many seconds."""
    deadline = time.monotonic() + _PATIENCE
    while not reached():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(every)


_LINK = re.compile(r'<(?:a|ok) href="([^"]*)"|<img src="([^"]*)"')


def links_of(path: str, page: str) -> set[str]:
    """The paths in the tree that a page leads to or shows, once it is rendered as a code host would."""
    rendered = cmarkgfm.github_flavored_markdown_to_html(page, cmarkgfm.Options.CMARK_OPT_UNSAFE)
    found = {unquote(unescape(match[1] or match[2])) for match in _LINK.finditer(rendered)}
    local = {link.partition("#")[0] for link in found if not re.match(r"[a-z][a-z0-9+.-]*:|//|#", link)}
    return {posixpath.normpath(posixpath.join(posixpath.dirname(path), link)) for link in local}


def unreachable(files: Mapping[str, bytes]) -> set[str]:
    """Pages that no chain of links leads to from the home page."""
    pages = {path for path in files if path.endswith(".md")}
    waiting, reached = {"README.md"}, set[str]()
    while waiting:
        path = waiting.pop()
        reached.add(path)
        waiting |= (links_of(path, files[path].decode()) & pages) - reached
    return pages - reached


def dead_links(files: Mapping[str, bytes]) -> set[tuple[str, str]]:
    """Links of pages to files that are not there: (page, target)."""
    pages = {path: content.decode() for path, content in files.items() if path.endswith(".md")}
    return {(path, target) for path, page in pages.items() for target in links_of(path, page) if target not in files}


def fullest_directory(paths: Collection[str]) -> int:
    """The number of entries of the directory that has most."""
    entries: dict[str, set[str]] = {}
    for path in paths:
        parts = path.split("/")
        for depth, name in enumerate(parts):
            entries.setdefault("/".join(parts[:depth]), set()).add(name)
    return max(len(names) for names in entries.values())
