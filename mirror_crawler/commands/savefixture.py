"""``scrapy savefixture``: one page of an outlet, fetched or from a file, as a new case of the tests."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from scrapy.commands import ScrapyCommand
from scrapy.crawler import CrawlerProcessBase
from scrapy.exceptions import UsageError
from scrapy.settings import BaseSettings
from scrapy.utils.conf import closest_scrapy_cfg

from mirror_crawler import fixtures
from mirror_crawler.browser import check_splash, rendered_kinds, splash_problem
from mirror_crawler.command_line import refuse_in_one_line
from mirror_crawler.config import MirrorConfig, SettingError
from mirror_crawler.outlet import OutletSpider, load_outlets
from mirror_crawler.proxy import check_proxies


class Command(ScrapyCommand):
    """Exit code 0: the page is saved. 1: it cannot be had, or not be written. 2: asked wrongly."""

    requires_project = True

    def syntax(self) -> str:
        """Shown by ``scrapy savefixture -h``."""
        return "OUTLET URL [--case NAME] [--file PAGE] [--render splash|none]"

    def short_desc(self) -> str:
        """Shown by ``scrapy -h``."""
        return "Save a page as a fixture of the tests"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """The name, and where the page is taken from and put."""
        super().add_options(parser)
        refuse_in_one_line(self, parser)
        parser.add_argument("--case", metavar="NAME", help="name of the case (default: the id of what the page shows)")
        parser.add_argument("--file", metavar="PAGE", help="take the page from this file; nothing is fetched")
        parser.add_argument(
            "--render",
            choices=("splash", "none"),
            help="fetch the page through Splash, or without it (default: as the outlet and MIRROR_RENDER say)",
        )
        parser.add_argument("--into", metavar="DIR", help="where the outlets' fixtures are (default: tests/fixtures)")

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Get the page and save it, then say what the selectors of today read on it."""
        if self.settings is None or self.crawler_process is None:
            raise RuntimeError("not started by Scrapy's command line")
        outlets = load_outlets(self.settings)
        if len(args) != 2 or args[0] not in outlets:
            raise UsageError(f"name one of the outlets {', '.join(outlets)} and the address of one of its pages")
        outlet, url = outlets[args[0]], args[1]
        directory = self._directory(outlet, url, opts)
        try:
            check_proxies(self.settings, outlets)
            selector = "" if opts.file else _selector(self.settings, outlet, url, opts.render)
        except SettingError as error:
            raise UsageError(str(error)) from None
        answer = _from_file(url, opts.file) if opts.file else _fetched(self.crawler_process, outlet, url, selector)
        if answer is None:
            self.exitcode = 1
        else:
            self._save(outlet, directory, *answer)

    def _directory(self, outlet: type[OutletSpider], url: str, opts: argparse.Namespace) -> Path:
        try:
            fixtures.kind_of(outlet, url)
        except ValueError as error:
            raise UsageError(str(error)) from None
        name = fixtures.name_of(outlet, url) if opts.case is None else opts.case
        if not fixtures.CASE.fullmatch(name):
            raise UsageError("--case NAME: name the case with a–z, 0–9 and hyphens")
        root = Path(opts.into) if opts.into else Path(closest_scrapy_cfg()).parent / "tests" / "fixtures"
        directory = root / outlet.name / name
        if directory.exists():
            raise UsageError(f"{directory} exists; choose another name with --case")
        return directory

    def _save(self, outlet: type[OutletSpider], directory: Path, url: str, body: bytes) -> None:
        try:
            meta, fault = fixtures.describe(outlet, url, body)
            fixtures.save(directory, body, meta)
        except (ValueError, OSError) as error:
            self.exitcode = 1
            _say(str(error))
            return
        sys.stdout.write(f"{directory}\n")
        read = f"the selectors read it not: {fault}" if fault else "the selectors can read it"
        sys.stderr.write(
            f"{meta['kind']}: {read}. Put invented words into page.html, correct meta.json, then run "
            f"pytest tests/test_fixtures.py -k {directory.name}\n"
        )


def _from_file(url: str, file: str) -> tuple[str, bytes]:
    try:
        return url, Path(file).read_bytes()
    except OSError as error:
        raise UsageError(f"--file {file}: {error.strerror}") from None


def _say(what: str) -> None:
    sys.stderr.write(f"scrapy savefixture: {what}\n")


def _selector(settings: BaseSettings, outlet: type[OutletSpider], url: str, asked: str | None) -> str:
    """By what one can tell that scripts have built the page; empty when it needs no browser. SettingError when it needs
    one, and none can be used.
    """
    kind = fixtures.kind_of(outlet, url)
    rendered = rendered_kinds(outlet.scripted, asked or MirrorConfig.from_settings(settings).render)
    if kind == "other" or kind not in rendered:
        return ""
    check_splash(settings, outlet.name, (kind,))
    if problem := splash_problem(settings):
        raise SettingError(problem)
    return outlet.rendered_by(kind)


def _fetched(
    process: CrawlerProcessBase, outlet: type[OutletSpider], url: str, selector: str
) -> tuple[str, bytes] | None:
    """The page with its final address; None, told on standard error, when it cannot be had."""
    from mirror_crawler.one_page import OnePage  # Scrapy imports every command, whichever is asked for

    answers: list[tuple[str, bytes]] = []
    _ = process.crawl(OnePage, outlet, url, answers, _say, selector)  # awaited by start()
    process.start()
    return answers[0] if answers else None
