"""``scrapy export``: the store as JSON lines."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Generator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from scrapy.commands import ScrapyCommand
from scrapy.exceptions import UsageError

from mirror_crawler.command_line import opened_store, refuse_in_one_line


class Command(ScrapyCommand):
    """Exit code 0: all was written. 1: the output cannot be written. 2: asked wrongly."""

    requires_project = True
    requires_crawler_process = False

    def syntax(self) -> str:
        """Shown by ``scrapy export -h``."""
        return "--output FILE|- [--since TIME] [--outlet NAME]"

    def short_desc(self) -> str:
        """Shown by ``scrapy -h``."""
        return "Write all articles with their revisions, and all listings, as JSON lines"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Where to, and how much of it."""
        super().add_options(parser)
        refuse_in_one_line(self, parser)
        parser.add_argument(
            "--output", metavar="FILE", help="file to replace once all is written; - is standard output"
        )
        parser.add_argument("--since", metavar="TIME", help="only what was fetched or seen since then (ISO 8601; UTC)")
        parser.add_argument("--outlet", metavar="NAME", help="only this outlet")

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Stream the records of the store."""
        if self.settings is None:
            raise RuntimeError("not started by Scrapy's command line")
        if args:
            raise UsageError(f"unknown argument {args[0]!r}")
        if not opts.output:
            raise UsageError("--output FILE is missing; - is standard output")
        since = _moment(opts.since) if opts.since else None
        with opened_store(self.settings) as (_, store):
            if opts.outlet and not store.has_records(opts.outlet):
                stored = ", ".join(store.outlets()) or "none"
                raise UsageError(f"--outlet {opts.outlet}: nothing of it is stored; stored outlets: {stored}")
            self._write(store.records(opts.outlet, since), opts.output)

    def _write(self, lines: Generator[str, None, None], output: str) -> None:
        count = 0
        try:
            with contextlib.closing(lines), _opened(output) as file:
                for count, line in enumerate(lines, 1):  # noqa: B007  (counted for afterwards)
                    file.write(line.encode() + b"\n")
        except OSError as error:
            self.exitcode = 1
            if isinstance(error, BrokenPipeError):  # or Python would report it once more when it flushes at its end
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.stderr.write(f"scrapy export: cannot write {output}: {error.strerror}\n")
            return
        sys.stderr.write(f"{count} records exported\n")


def _moment(text: str) -> str:
    """A time as ISO 8601 with offset; a time without one, or a day alone, is taken as UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--since {text}: use ISO 8601, such as 2026-11-22 or 2026-11-22T01:37:17Z") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat()


@contextlib.contextmanager
def _opened(output: str) -> Iterator[BinaryIO]:
    """Standard output, or a file that takes the place of ``output`` once it is complete and on disk."""
    if output == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    target = Path(output)
    unfinished = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with unfinished.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
