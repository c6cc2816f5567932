"""``scrapy publish``: the tree as a commit in a git repository, pushed to its remotes."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime

from scrapy.commands import ScrapyCommand

from mirror_crawler import git
from mirror_crawler.config import MirrorConfig, SettingError
from mirror_crawler.git import GitError
from mirror_crawler.outlet import load_outlets
from mirror_crawler.publish import Publisher, Report
from mirror_crawler.store import ArticleStore, StoreError
from mirror_crawler.writer import PageWriter


class Command(ScrapyCommand):
    """Exit code 0: every remote has everything. 1: some remote has not, or the commit failed. 2: asked wrongly."""

    requires_project = True
    requires_crawler_process = False

    def short_desc(self) -> str:
        """Shown by ``scrapy -h``."""
        return "Commit what changed in the tree of pages, and push it to the remotes"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Place, and how much is read."""
        super().add_options(parser)
        parser.add_argument("--output", metavar="DIR", help="root of the tree (setting MIRROR_OUTPUT)")
        parser.add_argument(
            "--all",
            action="store_true",
            help="read the whole tree, with files that were put there or edited by hand, not only what was written",
        )

    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:
        """The option is the setting of the same meaning, for this once."""
        super().process_options(args, opts)
        if opts.output and self.settings is not None:
            self.settings.set("MIRROR_OUTPUT", opts.output, priority="cmdline")

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Publish, and say what became of it."""
        if self.settings is None:
            raise RuntimeError("not started by Scrapy's command line")
        try:
            if args:
                raise SettingError(f"unknown argument {args[0]!r}")
            git.check_installed()
            config = MirrorConfig.from_settings(self.settings)
            config.prepare()
            with ArticleStore(config.database) as store:
                writer = PageWriter(store, config, load_outlets(self.settings))
                self._publish(Publisher(writer), whole=opts.all)
        except (SettingError, StoreError) as error:
            self._end(str(error), 2)
        except GitError as error:
            self._end(str(error), 1)
        except OSError as error:
            self._end(f"{error.filename or config.output}: {error.strerror}", 1)

    def _publish(self, publisher: Publisher, *, whole: bool) -> None:
        report: Report = publisher.publish(datetime.now(UTC), whole=whole)
        waits = any(result.state == "waiting" for result in report.results)
        for commit in report.commits or ([] if waits else ["Nothing has changed"]):
            sys.stderr.write(f"{commit}\n")
        for result in report.results:
            (sys.stderr if result.reached else sys.stdout).write(f"{result.line}\n")
        self.exitcode = 0 if all(result.reached for result in report.results) else 1

    def _end(self, reason: str, code: int) -> None:
        sys.stderr.write(f"scrapy publish: {reason}\n")
        self.exitcode = code
