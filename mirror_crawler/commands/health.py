"""``scrapy health``: how the last runs went."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from scrapy.commands import ScrapyCommand
from scrapy.exceptions import UsageError

from mirror_crawler import health
from mirror_crawler.command_line import opened_store, refuse_in_one_line
from mirror_crawler.locks import FileLock
from mirror_crawler.outlet import load_outlets
from mirror_crawler.reports import SCHEMA, ReportFile
from mirror_crawler.store import ArticleStore, Run

_RUNNING = "running"
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")
_COLUMNS = {
    "run": "<16",
    "verdict": "<8",
    "minutes": ">7",
    "lists": ">5",
    "new": ">7",
    "updated": ">7",
    "withdrawn": ">9",
    "failed": ">6",
}
"""Heading → format of its cells."""
_UPDATED = ("articles/revised", "articles/amended", "articles/returned")


class Command(ScrapyCommand):
    """Exit code: that of the worst of the last verdicts of the outlets. 1: also when there is none. 2: asked wrongly.

    A run that goes on is shown; the one before it decides.
    """

    requires_project = True
    requires_crawler_process = False

    def syntax(self) -> str:
        """Shown by ``scrapy health -h``."""
        return "[OUTLET ...] [--last N] [--json]"

    def short_desc(self) -> str:
        """Shown by ``scrapy -h``."""
        return "Show how the last runs went; the exit code tells the verdict"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """How many runs, and in what form."""
        super().add_options(parser)
        refuse_in_one_line(self, parser)
        parser.add_argument("--last", metavar="N", default="10", help="show so many runs of each outlet (default: 10)")
        parser.add_argument("--json", action="store_true", help="the reports, one JSON object a line, newest first")

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Show the runs of the outlets asked for; without any, of all that have been crawled."""
        if self.settings is None:
            raise RuntimeError("not started by Scrapy's command line")
        outlets = list(load_outlets(self.settings))
        for name in args:
            if name not in outlets:
                raise UsageError(f"no outlet {name!r}; use {' or '.join(outlets)}")
        if not _NUMBER.fullmatch(opts.last):
            raise UsageError(f"--last {opts.last}: use a whole number from 1")
        count = int(opts.last)
        with opened_store(self.settings) as (config, store):
            histories = {name: _history(store, config.data, name, count + 1) for name in args or outlets}
        if not args:
            histories = {name: runs for name, runs in histories.items() if runs}
        for name, runs in histories.items():
            lines = _json_lines(runs[:count]) if opts.json else _table(name, runs[:count])
            sys.stdout.writelines(f"{line}\n" for line in lines)
        self.exitcode = _exit_code(histories)


def _history(store: ArticleStore, data: Path, outlet: str, count: int) -> list[dict[str, Any]]:
    """The reports of the latest runs, newest first. A run without a verdict is going on, was killed, or could tell
    nothing but its file how it ended.
    """
    runs, over = store.last_runs(outlet, count), None
    if runs and runs[0].verdict is None and not _is_locked(data / "runs" / f"{outlet}.lock"):
        over = runs[0].run
        runs = store.last_runs(outlet, count)  # unless it has ended just now
    told = []
    for run in runs:
        if run.verdict is not None:
            told.append(_told(outlet, run, run.verdict, run.report))
        elif run is runs[0] and run.run != over:
            told.append(_told(outlet, run, _RUNNING))
        else:
            told.append(_told(outlet, run, "killed", ReportFile(data, outlet, run.run).read()))
    return told


def _is_locked(path: Path) -> bool:
    """Whether a run holds the lock of its outlet. One that we may not touch is taken for held."""
    if not path.exists():
        return False
    lock = FileLock(path)
    try:
        if not lock.acquire():
            return True
    except OSError:
        return True
    lock.release()
    return False


def _told(outlet: str, run: Run, verdict: str, report: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The report of a run; of one that has none what else is known."""
    known = {
        "schema": SCHEMA,
        "outlet": outlet,
        "run": run.run,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "verdict": verdict,
        "findings": [],
    }
    return {**known, **report} if report and report.get("schema") == SCHEMA else known


def _exit_code(histories: Mapping[str, list[dict[str, Any]]]) -> int:
    """By the worst of the verdicts; says which outlets have none."""
    last = {name: next((run for run in runs if run["verdict"] != _RUNNING), None) for name, runs in histories.items()}
    for name, run in last.items():
        if run is None:
            state = "its first run is going on" if histories[name] else f"no run yet; scrapy crawl {name} makes one"
            sys.stderr.write(f"scrapy health: {name}: {state}\n")
    if not last:
        sys.stderr.write("scrapy health: no run yet; scrapy crawl OUTLET makes one\n")
    verdicts = [run["verdict"] if run else "failed" for run in last.values()]
    return health.EXIT_CODES[health.worst(verdicts or ["failed"])]


def _json_lines(runs: list[dict[str, Any]]) -> Iterator[str]:
    return (json.dumps(run, ensure_ascii=False) for run in runs)


def _table(outlet: str, runs: list[dict[str, Any]]) -> Iterator[str]:
    """A row for each run; behind it the first finding, the worst."""
    if runs:
        yield outlet
        yield _row(_COLUMNS)
    for run in runs:
        first = next(iter(run["findings"]), None)
        finding = health.line_of(first["what"], first["examples"]) if first else ""
        yield f"{_row(_cells(run))}  {finding}".rstrip()


def _cells(run: Mapping[str, Any]) -> tuple[str, ...]:
    """The cells of a row; ``-`` where the run left no report."""
    if "counts" not in run:
        return run["run"], run["verdict"], *("-" * 6)
    counted = run["counts"].get
    numbers = (
        run["lists"]["had"],
        counted("articles/new", 0),
        sum(counted(key, 0) for key in _UPDATED),
        counted("articles/withdrawn", 0),
        counted("articles/failed", 0),
    )
    return run["run"], run["verdict"], f"{run['seconds'] / 60:,.1f}", *(f"{number:,}" for number in numbers)


def _row(cells: Iterable[str]) -> str:
    return "  " + "  ".join(f"{cell:{form}}" for cell, form in zip(cells, _COLUMNS.values(), strict=True))
