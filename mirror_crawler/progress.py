"""What an operator sees: a line a second on a terminal, and a table at the end of the run."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any, Self, TextIO

from scrapy import signals
from scrapy.utils.asyncio import create_looping_call

from mirror_crawler import logs
from mirror_crawler.run import Run

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

_SUMMARY = (
    ("list pages", "lists/pages", "lists/not_modified", "not modified"),
    ("listings new", "listings/new", "listings/known", "known"),
    ("articles new", "articles/new", "articles/known", "known"),
    ("articles revised", "articles/revised", "articles/unchanged", "unchanged"),
    ("articles withdrawn", "articles/withdrawn", "articles/returned", "returned"),
    ("articles failed", "articles/failed", "articles/second_look", "asked for twice"),
    ("pages written", "pages/written", "pages/unchanged", "unchanged"),
    ("pictures new", "pictures/stored", "pictures/failed", "failed"),
    ("requests", "downloader/request_count", "http/not_modified", "not modified"),
    ("bytes", "downloader/response_bytes", None, ""),
)


class Progress:
    """Writes to standard error; the progress line only on a terminal, so scheduled runs stay quiet."""

    def __init__(self, crawler: Crawler, stream: TextIO) -> None:
        self.crawler = crawler
        self.stream = stream
        self._started = time.monotonic()
        self._ticking = create_looping_call(self.tick)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Scrapy's factory."""
        progress = cls(crawler, sys.stderr)
        crawler.signals.connect(progress.spider_opened, signals.spider_opened)
        crawler.signals.connect(progress.engine_stopped, signals.engine_stopped)
        return progress

    @property
    def run(self) -> Run:
        """The run that is shown."""
        return Run.of(self.crawler)

    def spider_opened(self) -> None:
        """Start the clock, and the line where somebody may look at it."""
        self._started = time.monotonic()
        if self.stream.isatty() and not self.run.config.logs_json:
            self._ticking.start(1.0)

    def tick(self) -> None:
        """Write the progress line over the last one."""
        self.stream.write(f"\r\033[K{self.line(time.monotonic() - self._started)}")
        self.stream.flush()

    def line(self, seconds: float) -> str:
        """The state of the run after ``seconds``."""
        counted = self.run.counted
        new = counted("articles/new") + counted("articles/revised")
        pace = counted("downloader/response_count") / max(seconds, 1.0)
        return (
            f"{self.run.outlet}: {counted('lists/pages')} lists, "
            f"articles {new} new, {counted('articles/known')} known, {counted('articles/failed')} failed, "
            f"{pace:.1f} pages/s"
        )

    async def engine_stopped(self) -> None:
        """Write the table when the verdict is final."""
        await self.run.over.wait()
        self.show_end()

    def show_end(self) -> None:
        """Write the table."""
        if self._ticking.running:
            self._ticking.stop()
            self.stream.write("\r\033[K")
        seconds = time.monotonic() - self._started
        if self.run.refused:
            return
        self.stream.write(self.summary(seconds) if self.run.config.logs_json else self.table(seconds))
        self.stream.flush()

    def summary(self, seconds: float) -> str:
        """The end of the run as one line of JSON."""
        run = self.run
        level = {"ok": "INFO", "degraded": "WARNING"}.get(run.verdict, "ERROR")
        message = f"{run.verdict} after {seconds:.0f} s"
        findings = [finding.line for finding in run.judgement.findings]
        counts = {name: run.counted(key) for name, key, *_ in _SUMMARY}
        told: dict[str, Any] = {"verdict": run.verdict, "findings": findings, "counts": counts}
        return logs.line(level, __name__, message, at=None, outlet=run.outlet, run=run.name, **told) + "\n"

    def table(self, seconds: float) -> str:
        """The summary of a run that took ``seconds``."""
        rows = [f"{self.run.outlet} {self.run.name}: {self.run.verdict} after {seconds:.0f} s"]
        for name, key, beside, label in _SUMMARY:
            extra = f"   ({self.run.counted(beside):,} {label})" if beside and self.run.counted(beside) else ""
            rows.append(f"  {name:<18}{self.run.counted(key):>12,}{extra}")
        findings = [finding.line for finding in self.run.judgement.findings]
        rows += [f"  ! {message}" for message in (*findings, *self.run.failures)]
        if self.run.counted("articles/failed"):
            rows.append("  Failed articles are asked for again by the next runs.")
        rows.append(f"  pages in {self.run.config.output}, feeds in {self.run.config.data / 'feeds' / self.run.outlet}")
        return "\n".join(rows) + "\n"
