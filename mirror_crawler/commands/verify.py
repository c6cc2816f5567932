"""``scrapy verify``: is the tree what it should be, and can it be put right?"""

from __future__ import annotations

import argparse
import re
import sqlite3
import sys
from typing import TYPE_CHECKING

from mirror_crawler.command_line import TreeCommand
from mirror_crawler.health import MISUSED
from mirror_crawler.writer import PageWriter

if TYPE_CHECKING:
    from mirror_crawler.verify import Problem

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class Command(TreeCommand):
    """Exit code 0: nothing is wrong, or nothing any more. 1: the problems on standard output. 2: asked wrongly."""

    tree_fault = "cannot read {place}: {reason}"

    def short_desc(self) -> str:
        """Shown by ``scrapy -h``."""
        return "Check the tree of pages: files, links, limits, outside requests"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Whether to put things right."""
        super().add_options(parser)
        parser.add_argument(
            "--repair",
            action="store_true",
            help="write pages that are missing or not right anew, and remove files that were ours",
        )

    def writes(self, opts: argparse.Namespace) -> bool:
        """Only to repair."""
        return bool(opts.repair)

    def work(self, writer: PageWriter, opts: argparse.Namespace) -> None:
        """Check, and repair when asked to."""
        from mirror_crawler.verify import Verifier  # with a parser of Markdown, which no other command needs

        writer.check_store()
        mended = left = 0
        try:
            for problem in Verifier(writer, repair=opts.repair).problems():
                if problem.mended:
                    mended += 1
                    sys.stderr.write(f"mended\t{_line(problem)}\n")
                else:
                    left += 1
                    sys.stdout.write(f"{_line(problem)}\n")
        except sqlite3.OperationalError as error:
            self.end(f"no room for a temporary database: {error}; set TMPDIR to a directory that has some", MISUSED)
            return
        if opts.repair:
            sys.stderr.write(f"{mended} mended, {left} left\n")
        self.exitcode = 1 if left else 0


def _line(problem: Problem) -> str:
    """Kind, path and explanation, apart by tabs; names that somebody else gave cannot break the line."""
    fields = (problem.kind, problem.path, problem.what)
    line = "\t".join(_CONTROL.sub("\N{REPLACEMENT CHARACTER}", field) for field in fields)
    return line.encode(errors="replace").decode()
