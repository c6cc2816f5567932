"""``scrapy crawl OUTLET``: Scrapy's own command with checks before the first request and a verdict at the end."""

from __future__ import annotations

import argparse
import asyncio
import logging
from typing import TYPE_CHECKING, cast

from scrapy.commands.crawl import Command as ScrapyCrawl

from mirror_crawler import logs
from mirror_crawler.arguments import ArgumentError, check_repeated
from mirror_crawler.command_line import refuse_in_one_line
from mirror_crawler.config import SettingError
from mirror_crawler.health import EXIT_CODES, MISUSED
from mirror_crawler.outlet import load_outlets
from mirror_crawler.preflight import REFUSALS, check_crawl
from mirror_crawler.run import Run
from mirror_crawler.scrapy_settings import check_settings, give
from mirror_crawler.stopping import stop

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

_MOMENT = 0.02
"""Seconds between two looks whether a crawl that is to be ended has begun."""


class Command(ScrapyCrawl):
    """Exit code: that of the verdict (health.EXIT_CODES); 1 too when the crawl could not start; 2 when it was asked
    wrongly and sent no request; 4 too when it was told to stop before it began.
    """

    _ending: asyncio.Task[None] | None = None
    _refusal = ""

    def short_desc(self) -> str:
        """Shown by ``scrapy -h``."""
        return "Crawl an outlet into the store and the tree of pages"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Those of Scrapy's own command."""
        super().add_options(parser)
        refuse_in_one_line(self, parser)

    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:
        """Settings of the command line, checked; then the log, which has to be ours before Scrapy makes its own."""
        if self.settings is None:
            raise RuntimeError("not started by Scrapy's command line")
        try:
            check_repeated(word.partition("=")[0] for word in opts.spargs)
            give(self.settings, dict(word.split("=", 1) for word in opts.set if "=" in word))
            super().process_options(args, opts)
            check_settings(self.settings)
            logs.take_over(self.settings)
        except (ArgumentError, SettingError) as error:
            self._refuse(str(error))
        except OSError as error:
            self._refuse(f"{error.filename}: cannot be written: {error.strerror}; give another --pidfile")

    def _refuse(self, reason: str) -> None:
        self._refusal = reason
        self.requires_crawler_process = False  # it could not be made

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Check everything that can be checked, crawl, and turn the verdict into the exit code."""
        if self._refusal:
            self._leave(self._refusal, MISUSED)
            return
        if self.settings is None or self.crawler_process is None:
            raise RuntimeError("not started by Scrapy's command line")
        outlets = load_outlets(self.settings)
        if len(args) != 1 or args[0] not in outlets:
            asked = f"no outlet {args[0]!r}" if len(args) == 1 else "name one outlet"
            self._leave(f"{asked}; use {' or '.join(outlets)}", MISUSED)
            return
        try:
            check_crawl(self.settings, outlets, args[0], opts.spargs)
        except REFUSALS as error:
            self._leave(str(error), MISUSED)
            return
        if stop.asked:
            self._leave("it was told to stop before it began", EXIT_CODES["degraded"])
            return
        # Scrapy's handlers leave out what is below this level, but a record of every page and item is made for them.
        logging.getLogger().setLevel(self.settings["LOG_LEVEL"])
        crawler = self._create_crawler(args[0])
        crawl = cast("asyncio.Task[None]", self.crawler_process.crawl(crawler, **opts.spargs))  # awaited by start()
        loop = crawl.get_loop()
        stop.listen(lambda: loop.call_soon_threadsafe(self._end, crawler, crawl))
        self.crawler_process.start(install_signal_handlers=False)
        stop.over()
        failed = self.crawler_process.bootstrap_failed
        self.exitcode = EXIT_CODES["failed" if failed else Run.of(crawler).verdict]

    def _end(self, crawler: Crawler, crawl: asyncio.Task[None]) -> None:
        """End a crawl in order; one that is only being opened once it has been, for Scrapy would just let go of it."""
        if crawl.done() or _works(crawler):
            self._ending = asyncio.ensure_future(crawler.stop_async())
        else:
            crawl.get_loop().call_later(_MOMENT, self._end, crawler, crawl)

    def _leave(self, message: str, code: int) -> None:
        logs.tell(self.settings, "ERROR", "mirror_crawler.commands.crawl", f"scrapy crawl: {message}")
        self.exitcode = code


def _works(crawler: Crawler) -> bool:
    try:
        return crawler.engine.running
    except RuntimeError:  # Scrapy has not made it yet
        return False
