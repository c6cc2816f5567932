"""The reports of runs: what is kept of a run, the file that it is written to, what earlier ones say."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from mirror_crawler import feeds
from mirror_crawler.health import BodyLengths, Tally, Verdict, lacking_in, median

SCHEMA = 1
"""Version of the report; its field ``schema``."""
KEPT = 400
"""So many of an outlet's reports stay as files, over two weeks of hourly runs. The store has them all."""

_ROOM = 32 * 1024
"""Bytes; a long report has about half as many."""


def report(
    *,
    outlet: str,
    run: str,
    started_at: str,
    finished_at: str,
    verdict: Verdict,
    tally: Tally,
    stats: Mapping[str, Any],
) -> dict[str, Any]:
    """What is kept of a run: anything that JSON can say. ``stats`` are Scrapy's, times ISO 8601 with offset."""
    seconds = (datetime.fromisoformat(finished_at) - datetime.fromisoformat(started_at)).total_seconds()
    lengths = tally.body_lengths
    return {
        "schema": SCHEMA,
        "outlet": outlet,
        "run": run,
        "started_at": started_at,
        "finished_at": finished_at,
        "seconds": seconds,
        "verdict": verdict.verdict,
        "findings": [dataclasses.asdict(finding) for finding in verdict.findings],
        "counts": {key: stats[key] for key in sorted(stats) if type(stats[key]) is int},
        "causes": dict(tally.causes.most_common()),
        "lists": {"had": tally.lists_had, "lost": tally.lists_lost},
        "fields": {
            field: {"filled": tally.known_of(field) - lacking.count, "of": tally.known_of(field)}
            for field, lacking in tally.lacking.items()
        },
        "body_length": {"count": lengths.count, "median": lengths.median},
        "requests": stats.get("downloader/request_count", 0),
        "bytes": stats.get("downloader/response_bytes", 0),
    }


def earlier_lengths(reports: Iterable[Mapping[str, Any]], since: str) -> BodyLengths | None:
    """The bodies of earlier runs that began at or after ``since`` (UTC, ISO 8601), by their reports.

    Runs whose bodies were not as they should be are left out, or they would soon be the measure. None when no run is
    left.
    """
    medians: Counter[int] = Counter()
    for told in reports:
        if told.get("schema") == SCHEMA and told["started_at"] >= since and "body" not in lacking_in(told):
            medians[told["body_length"]["median"]] += told["body_length"]["count"]
    lengths = median(medians)
    return lengths if lengths.count else None


class ReportFile:
    """The report of one run as a file of ``data``, the data directory: whole or absent.

    Its room is taken when the run begins. A disk that is full when the run ends keeps the store from noting how it
    ended; the file can still tell.
    """

    def __init__(self, data: Path, outlet: str, run: str) -> None:
        self._directory = data / "runs"
        self._outlet = outlet
        self.path = self._directory / f"{outlet}-{run}.json"

    def reserve(self) -> None:
        """Take room on the disk, and give up that of killed runs. Only the outlet's one run may do so. OSError when
        there is none.
        """
        for left in self._directory.glob(f"{self._outlet}-*.json.part"):
            left.unlink()
        self._directory.mkdir(parents=True, exist_ok=True)
        with self._unfinished.open("wb") as file:
            file.write(bytes(_ROOM))

    def write(self, told: Mapping[str, Any]) -> None:
        """Write the report, and remove the oldest beyond :data:`KEPT`. OSError when it cannot be written."""
        text = f"{json.dumps(told, ensure_ascii=False)}\n".encode()
        self._directory.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._unfinished, os.O_WRONLY | os.O_CREAT, 0o644)
        with os.fdopen(descriptor, "wb") as file:  # not emptied first: that would give the room away
            file.write(text)
            file.truncate()
            file.flush()
            os.fsync(file.fileno())
        self._unfinished.replace(self.path)
        self._remove_oldest()

    def read(self) -> dict[str, Any] | None:
        """The report; None when there is none that can be read."""
        with contextlib.suppress(OSError, ValueError):
            told = json.loads(self.path.read_bytes())
            if isinstance(told, dict) and told.get("schema") == SCHEMA:
                return told
        return None

    @property
    def _unfinished(self) -> Path:
        return feeds.unfinished(self.path)

    def _remove_oldest(self) -> None:
        """Names sort by time. What cannot be removed harms nobody and is tried again by the next run."""
        for old in sorted(self._directory.glob(f"{self._outlet}-*.json"))[:-KEPT]:
            with contextlib.suppress(OSError):
                old.unlink()
