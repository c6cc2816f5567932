"""``scrapy verify``: is the tree what it should be, and can it be put right?"""

from __future__ import annotations

import argparse
import re
import sqlite3
import sys

from scrapy.commands import ScrapyCommand

from mirror_crawler.config import MirrorConfig, SettingError
from mirror_crawler.outlet import load_outlets
from mirror_crawler.store import ArticleStore, StoreError
from mirror_crawler.verify import Problem, Verifier
from mirror_crawler.writer import PageWriter

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class Command(ScrapyCommand):
    """Exit code 0: nothing is wrong, or nothing any more. 1: the problems on standard output. 2: asked wrongly."""

    requires_project = True
    requires_crawler_process = False

    def short_desc(self) -> str:
        """Shown by ``scrapy -h``."""
        return "Check the tree of pages: files, links, limits, outside requests"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Place, and whether to put things right."""
        super().add_options(parser)
        parser.add_argument("--output", metavar="DIR", help="root of the tree (setting MIRROR_OUTPUT)")
        parser.add_argument(
            "--repair",
            action="store_true",
            help="write pages that are missing or not right anew, and remove files that were ours",
        )

    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:
        """The option is the setting of the same meaning, for this once."""
        super().process_options(args, opts)
        if opts.output and self.settings is not None:
            self.settings.set("MIRROR_OUTPUT", opts.output, priority="cmdline")

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Check, and repair when asked to."""
        if self.settings is None:
            raise RuntimeError("not started by Scrapy's command line")
        try:
            if args:
                raise SettingError(f"unknown argument {args[0]!r}")
            config = MirrorConfig.from_settings(self.settings)
            if opts.repair:
                config.prepare()
            with ArticleStore(config.database) as store:
                self._verify(PageWriter(store, config, load_outlets(self.settings)), repair=opts.repair)
        except (SettingError, StoreError) as error:
            self._refuse(str(error))
        except OSError as error:
            self._refuse(f"cannot read {error.filename or self.settings['MIRROR_OUTPUT']}: {error.strerror}")
        except sqlite3.OperationalError as error:
            self._refuse(f"no room for a temporary database: {error}; set TMPDIR to a directory that has some")

    def _verify(self, writer: PageWriter, *, repair: bool) -> None:
        mended = left = 0
        for problem in Verifier(writer, repair=repair).problems():
            if problem.mended:
                mended += 1
                sys.stderr.write(f"mended\t{_line(problem)}\n")
            else:
                left += 1
                sys.stdout.write(f"{_line(problem)}\n")
        if repair:
            sys.stderr.write(f"{mended} mended, {left} left\n")
        self.exitcode = 1 if left else 0

    def _refuse(self, reason: str) -> None:
        sys.stderr.write(f"scrapy verify: {reason}\n")
        self.exitcode = 2


def _line(problem: Problem) -> str:
    """Kind, path and explanation, apart by tabs; names that somebody else gave cannot break the line."""
    fields = (problem.kind, problem.path, problem.what)
    line = "\t".join(_CONTROL.sub("\N{REPLACEMENT CHARACTER}", field) for field in fields)
    return line.encode(errors="replace").decode()
