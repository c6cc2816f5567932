"""``scrapy publish``: the tree as a commit in a git repository, pushed to its remotes."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime

from mirror_crawler import git
from mirror_crawler.command_line import TreeCommand
from mirror_crawler.git import GitError
from mirror_crawler.publish import Publisher
from mirror_crawler.writer import PageWriter


class Command(TreeCommand):
    """Exit code 0: every remote has everything. 1: some remote has not, or the commit failed. 2: asked wrongly."""

    tree_fault_code = 1

    def short_desc(self) -> str:
        """Shown by ``scrapy -h``."""
        return "Commit what changed in the tree of pages, and push it to the remotes"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """How much is read."""
        super().add_options(parser)
        parser.add_argument(
            "--all",
            action="store_true",
            help="read the whole tree, with files that were put there or edited by hand, not only what was written",
        )

    def writes(self, opts: argparse.Namespace) -> bool:  # noqa: ARG002  (see TreeCommand)
        """Always: what of the tree is published is noted."""
        return True

    def work(self, writer: PageWriter, opts: argparse.Namespace) -> None:
        """Publish, and say what became of it."""
        try:
            git.check_installed()
            report = Publisher(writer).publish(datetime.now(UTC), whole=opts.all)
        except GitError as error:
            self.end(str(error), 1)
            return
        waits = any(result.state == "waiting" for result in report.results)
        for commit in report.commits or ([] if waits else ["Nothing has changed"]):
            sys.stderr.write(f"{commit}\n")
        for result in report.results:
            (sys.stderr if result.reached else sys.stdout).write(f"{result.line}\n")
        self.exitcode = 0 if all(result.reached for result in report.results) else 1
