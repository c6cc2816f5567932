"""``scrapy crawl OUTLET``: Scrapy's own command with checks before the first request and a verdict at the end."""

from __future__ import annotations

import argparse
import logging
import sys

from scrapy.commands.crawl import Command as ScrapyCrawl
from scrapy.exceptions import UsageError

from mirror_crawler import git, logs
from mirror_crawler.arguments import ArgumentError
from mirror_crawler.browser import check_splash
from mirror_crawler.config import MirrorConfig, SettingError
from mirror_crawler.git import GitError
from mirror_crawler.health import EXIT_CODES, MISUSED
from mirror_crawler.outlet import load_outlets
from mirror_crawler.proxy import check_proxies
from mirror_crawler.run import Run
from mirror_crawler.store import ArticleStore, StoreError


class Command(ScrapyCrawl):
    """Exit code: that of the verdict (health.EXIT_CODES); 1 too when the crawl could not start; 2 when it was asked
    wrongly and sent no request.
    """

    def short_desc(self) -> str:
        """Shown by ``scrapy -h``."""
        return "Crawl an outlet into the store and the tree of pages"

    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:
        """Settings of the command line; then the log, which has to be ours before Scrapy makes its own."""
        super().process_options(args, opts)
        if self.settings is not None:
            level = str(self.settings["LOG_LEVEL"])
            if level not in logging.getLevelNamesMapping():
                raise UsageError(f"MIRROR_LOG_LEVEL={level}: use DEBUG, INFO, WARNING or ERROR")
            try:
                logs.take_over(self.settings)
            except OSError as error:
                raise UsageError(f"LOG_FILE: {error}") from None

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Check everything that can be checked, crawl, and turn the verdict into the exit code."""
        if self.settings is None or self.crawler_process is None:
            raise RuntimeError("not started by Scrapy's command line")
        outlets = load_outlets(self.settings)
        if len(args) != 1 or args[0] not in outlets:
            asked = f"no outlet {args[0]!r}" if len(args) == 1 else "name one outlet"
            self._refuse(f"{asked}; use {' or '.join(outlets)}")
            return
        try:
            outlet = outlets[args[0]]
            plan = outlet.read_plan(opts.spargs)
            check_proxies(self.settings, outlets)
            config = MirrorConfig.from_settings(self.settings)
            check_splash(self.settings, args[0], outlet.rendered_in(plan, config.render))
            config.prepare()
            config.renderer()
            if config.publishes:
                git.check_installed()
            ArticleStore(config.database).close()
        except (ArgumentError, GitError, SettingError, StoreError) as error:
            self._refuse(str(error))
            return
        # Scrapy's handlers leave out what is below this level, but a record of every page and item is made for them.
        logging.getLogger().setLevel(self.settings["LOG_LEVEL"])
        crawler = self._create_crawler(args[0])
        _ = self.crawler_process.crawl(crawler, **opts.spargs)  # awaited by start()
        self.crawler_process.start()
        failed = self.crawler_process.bootstrap_failed
        self.exitcode = EXIT_CODES["failed" if failed else Run.of(crawler).verdict]

    def _refuse(self, message: str) -> None:
        said = f"scrapy crawl: {message}"
        if self.settings is not None and self.settings["MIRROR_LOG"] == "json":
            said = logs.line("ERROR", "mirror_crawler.commands.crawl", said)
        sys.stderr.write(f"{said}\n")
        self.exitcode = MISUSED
