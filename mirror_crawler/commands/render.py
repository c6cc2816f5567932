"""``scrapy render``: every page anew from the store, without network."""

from __future__ import annotations

import argparse
import sys

from mirror_crawler.command_line import TreeCommand
from mirror_crawler.render import PageOptions
from mirror_crawler.theme import FILE
from mirror_crawler.writer import PageWriter


class Command(TreeCommand):
    """Exit code 0: the tree is what the store implies. 1: with ``--check``, it is not. 2: asked wrongly."""

    tree_fault = "cannot write {place}: {reason}; what is missing is written next time"

    _old_address: str | None = None
    """MIRROR_BASE_URL as it is set, when this run was given another one."""

    def short_desc(self) -> str:
        """Shown by ``scrapy -h``."""
        return "Render all pages anew from the store, without network"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Theme, address, and whether to write at all."""
        super().add_options(parser)
        parser.add_argument("--theme", metavar="NAME", help="theme of the pages (setting MIRROR_THEME)")
        parser.add_argument(
            "--base-url", metavar="ADDRESS", help="where the tree is published from now on (setting MIRROR_BASE_URL)"
        )
        parser.add_argument("--check", action="store_true", help="write nothing; print the paths of files that differ")

    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:
        """Options are the settings of the same meaning, for this once."""
        super().process_options(args, opts)
        if self.settings is None:
            return
        if opts.theme:
            self.settings.set("MIRROR_THEME", opts.theme, priority="cmdline")
        if opts.base_url is not None:  # an empty address takes all addresses out of the pages
            self._old_address = str(self.settings["MIRROR_BASE_URL"]).rstrip("/")
            self.settings.set("MIRROR_BASE_URL", opts.base_url, priority="cmdline")

    def writes(self, opts: argparse.Namespace) -> bool:
        """Unless it only compares."""
        return not opts.check

    def work(self, writer: PageWriter, opts: argparse.Namespace) -> None:
        """Render, or compare."""
        writer.check_store()
        if not writer.store.outlets():
            sys.stderr.write(f"the store in {writer.config.data} has no article: there is nothing to write\n")
            return
        if opts.check:
            for path in writer.differing():
                self.exitcode = 1
                sys.stdout.write(f"{path}\n")
            return
        tally = writer.write_all()
        sys.stderr.write(f"{tally.written} pages written, {tally.unchanged} unchanged, {tally.removed} removed\n")
        for outlet in sorted(writer.held_back):
            sys.stderr.write(f"{outlet}: as published last; its latest run was not good, or has not ended\n")
        self._remind(writer.config.pages)

    def _remind(self, pages: PageOptions) -> None:
        """What the operator has to do after a move, so that the old address does not come back."""
        old, new = self._old_address, pages.base_url
        if old is None or old == new:
            return
        sys.stderr.write(f"MIRROR_BASE_URL is {old or 'empty'}: set it to {new or 'nothing'} before the next command\n")
        for name, text in (("MIRROR_NAVIGATION", pages.navigation), ("MIRROR_FOOTER", pages.footer)):
            if old and old in text:
                sys.stderr.write(f"{name} or {FILE} still has {old}: write {{base_url}} there, and render again\n")
        if old in pages.homes:
            sys.stderr.write(f"MIRROR_HOMES still has {old}: take it out when the mirror is not there any more\n")
