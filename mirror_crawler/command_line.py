"""What the commands share: opening the store, and telling every mistake of an operator in one line."""

from __future__ import annotations

import argparse
import contextlib
import sys
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import NoReturn

from scrapy.commands import ScrapyCommand
from scrapy.exceptions import UsageError
from scrapy.settings import BaseSettings

from mirror_crawler import logs
from mirror_crawler.config import MirrorConfig, SettingError, why_not_written
from mirror_crawler.health import MISUSED
from mirror_crawler.outlet import load_outlets
from mirror_crawler.store import ArticleStore, StoreError
from mirror_crawler.writer import PageWriter


def refuse_in_one_line(command: ScrapyCommand, parser: argparse.ArgumentParser) -> None:
    """Have what is wrong with the words after ``scrapy COMMAND``, and every UsageError of the command, told in one line
    with exit code 2.

    Scrapy leaves both to the parser, which prints the usage first; and options that are not known it takes for
    arguments, of which each command would complain in its own way. ``-`` alone is an argument: standard input. What
    follows ``--`` is none but arguments.
    """
    name = type(command).__module__.rpartition(".")[2]
    read = parser.parse_known_args

    def refuse(message: str) -> NoReturn:
        logs.tell(command.settings, "ERROR", type(command).__module__, f"scrapy {name}: {message}")
        sys.exit(MISUSED)

    def read_known(
        args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        try:
            options, arguments = read(args, namespace)
        except argparse.ArgumentError as error:
            refuse(f"{error}; scrapy {name} -h shows how to use it")
        end = arguments.index("--") if "--" in arguments else len(arguments)
        if unknown := [word for word in arguments[:end] if word.startswith("-") and word != "-"]:
            refuse(f"unknown option {unknown[0]!r}; scrapy {name} -h shows those that there are")
        return options, arguments[:end] + arguments[end + 1 :]

    parser.exit_on_error = False
    vars(parser).update(error=refuse, parse_known_args=read_known)


@contextlib.contextmanager
def opened_store(settings: BaseSettings) -> Iterator[tuple[MirrorConfig, ArticleStore]]:
    """The settings and their store. What is wrong with them is a UsageError, with which Scrapy ends a command."""
    try:
        config = MirrorConfig.from_settings(settings)
        with ArticleStore(config.database) as store:
            yield config, store
    except (SettingError, StoreError) as error:
        raise UsageError(str(error)) from error


class TreeCommand(ScrapyCommand):
    """A command on the tree of pages (option ``--output``) and the store that implies it.

    It takes no argument. What is wrong with settings or store is one line and exit code 2; what is wrong with the
    tree is the line ``tree_fault``, made of the ``place`` and the ``reason``, and exit code ``tree_fault_code``.
    """

    requires_project = True
    requires_crawler_process = False

    tree_fault = "{place}: {reason}"
    tree_fault_code = MISUSED

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """The place of the tree."""
        super().add_options(parser)
        refuse_in_one_line(self, parser)
        parser.add_argument("--output", metavar="DIR", help="root of the tree (setting MIRROR_OUTPUT)")

    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:
        """The option is the setting of the same meaning, for this once."""
        super().process_options(args, opts)
        if opts.output and self.settings is not None:
            self.settings.set("MIRROR_OUTPUT", opts.output, priority="cmdline")

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Open the store, and :meth:`work`."""
        if self.settings is None:
            raise RuntimeError("not started by Scrapy's command line")
        try:
            if args:
                raise SettingError(f"unknown argument {args[0]!r}")
            config = MirrorConfig.from_settings(self.settings)
            if self.writes(opts):
                config.prepare()
            with ArticleStore(config.database) as store:
                self.work(PageWriter(store, config, load_outlets(self.settings)), opts)
        except (SettingError, StoreError) as error:
            self.end(str(error), MISUSED)
        except OSError as error:
            place = error.filename or self.settings["MIRROR_OUTPUT"]
            self.end(self.tree_fault.format(place=place, reason=why_not_written(error)), self.tree_fault_code)

    @abstractmethod
    def writes(self, opts: argparse.Namespace) -> bool:
        """Whether data directory and tree must be writable."""

    @abstractmethod
    def work(self, writer: PageWriter, opts: argparse.Namespace) -> None:
        """Do what the command is for; ``writer`` is that of the tree."""

    def end(self, reason: str, code: int) -> None:
        """Say in one line why the command ends, and with which exit code."""
        name = type(self).__module__
        logs.tell(self.settings, "ERROR", name, f"scrapy {name.rpartition('.')[2]}: {reason}")
        self.exitcode = code
