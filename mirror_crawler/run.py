"""One run of one outlet: its store, its name, its lock, its tally and how it ended.

The extension is built before all others, so pipelines, middlewares and feeds find it with :meth:`Run.of`.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from scrapy import Request, signals

from mirror_crawler import feeds
from mirror_crawler.config import MirrorConfig
from mirror_crawler.locks import FileLock
from mirror_crawler.store import ArticleStore, StoreError

if TYPE_CHECKING:
    from scrapy import Spider
    from scrapy.crawler import Crawler

    from mirror_crawler.addresses import ListAddress

logger = logging.getLogger(__name__)

_EXAMPLES = 5
_FEW, _TENTH = 3, 10
"""So many unreadable articles that are more than a tenth of all are no accident any more."""
KNOWN_TO_FAIL = "known_to_fail"
"""Request meta key: an earlier run could not get this article."""


class Run:
    """A run from the opening of the spider to the storing of its feeds.

    A run that is killed leaves its row in the store unended and its lock free. The next run of the outlet then writes
    the feeds that the killed one could not finish, from what it had stored.
    """

    def __init__(self, crawler: Crawler, config: MirrorConfig, store: ArticleStore) -> None:
        self.crawler = crawler
        self.config = config
        self.store = store
        self.name = ""
        self.failures: list[str] = []
        self.problems: list[str] = []
        self.resting_until = 0.0  # of time.monotonic(): the outlet asked not to be asked before; see pace.py
        self._reason = ""
        self._cut_off: set[tuple[str, str]] = set()
        self._ended: set[tuple[str, str]] = set()
        self._lock: FileLock | None = None
        self._closing: asyncio.Task[None] | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Scrapy's factory: opens the store."""
        config = MirrorConfig.from_settings(crawler.settings)
        config.prepare()
        run = cls(crawler, config, ArticleStore(config.database))
        crawler.signals.connect(run.spider_opened, signals.spider_opened)
        crawler.signals.connect(run.spider_closed, signals.spider_closed)
        crawler.signals.connect(run.engine_stopped, signals.engine_stopped)
        crawler.signals.connect(run.item_error, signals.item_error)
        return run

    @classmethod
    def of(cls, crawler: Crawler) -> Self:
        """The run of a crawler."""
        run = crawler.get_extension(cls)
        if run is None:
            raise RuntimeError("the extension mirror_crawler.run.Run is not enabled")
        return run

    @property
    def outlet(self) -> str:
        """The name of the outlet."""
        return self.crawler.spider.name if self.crawler.spider else ""

    # --- life -----------------------------------------------------------------------------------------------------

    def spider_opened(self) -> None:
        """Name the run, lock it, and finish the feeds of runs that were killed."""
        # One start at a time: a run that has a name and no lock yet would look like a killed one.
        with self._lock_of("start"):
            self.name = self.store.begin_run(self.outlet, datetime.now(UTC).isoformat(timespec="seconds"))
            self._lock = self._lock_of(self.name)
            self._lock.acquire()
            for name in self.store.unfinished_runs(self.outlet):
                if name != self.name:
                    self._finish_killed(name)
        # What start-up made lives as long as the process, and a page leaves few cycles behind: the garbage collector
        # at its default (700, 10, 10) took a tenth of the time of a page.
        gc.freeze()
        gc.set_threshold(50_000, 20, 20)

    def spider_closed(self, reason: str) -> None:
        """Note how the crawl ended."""
        self._reason = reason

    def item_error(self) -> None:
        """An exception in a pipeline: an item was lost through a fault of ours."""
        self.count("items/lost")

    def engine_stopped(self) -> None:
        """End the run; its feeds are stored by now. One that could not be stored is written by the next run."""
        if self.name and not self._feed_failed():
            report = {
                key: value for key, value in self.crawler.stats.get_stats().items() if isinstance(value, (int, str))
            }
            finished = datetime.now(UTC).isoformat(timespec="seconds")
            try:
                self.store.end_run(self.outlet, self.name, finished_at=finished, verdict=self.verdict, report=report)
            except StoreError as error:
                self.problem(str(error))
        if self._lock is not None:
            self._lock.release()
        self.store.close()

    def _finish_killed(self, name: str) -> None:
        with contextlib.closing(self._lock_of(name)) as lock:
            if not lock.acquire():
                return
            for kind, lines in (
                ("articles", self.store.run_articles(self.outlet, name)),
                ("listings", self.store.run_listings(self.outlet, name)),
            ):
                feeds.write_feed(feeds.feed_path(self.config.data, self.outlet, kind, name), lines)
            finished = datetime.now(UTC).isoformat(timespec="seconds")
            self.store.end_run(self.outlet, name, finished_at=finished, verdict="killed", report={})
            self.count("runs/finished_after_kill")
            logger.warning("Run %s of %s had been killed; its feeds are complete now", name, self.outlet)

    def _lock_of(self, name: str) -> FileLock:
        return FileLock(self.config.data / "runs" / f"{self.outlet}-{name}.lock")

    def abort(self, reason: str) -> None:
        """End the crawl in order; what is under way is finished."""
        if self._closing is None and self.crawler.engine is not None:
            self._closing = asyncio.create_task(self.crawler.engine.close_spider_async(reason=reason))

    def store_failed(self, error: StoreError) -> None:
        """Nothing further can be kept: end the run, so the next one fetches what this one could not store."""
        self.problem(str(error))
        self.abort("store")

    @contextlib.contextmanager
    def _storing(self) -> Iterator[None]:
        try:
            yield
        except StoreError as error:
            self.store_failed(error)

    # --- tally ----------------------------------------------------------------------------------------------------

    def count(self, key: str, number: int = 1) -> None:
        """Add to a counter of the run; docs/operations.md lists them."""
        if number:
            self.crawler.stats.inc_value(key, number)

    def counted(self, key: str) -> int:
        """A counter's value."""
        return int(self.crawler.stats.get_value(key, 0))

    def list_failed(self, request: Request, cause: str) -> None:
        """A list page could not be had, or names no article. The walk stays open, so the next run goes through it."""
        self.count("lists/failed")
        self.problem(f"list {request.url}: {cause}")

    def article_failed(self, request: Request, cause: str, *, unreadable: bool = False) -> None:
        """An article could not be had; ``unreadable`` when its page came and is not what a template of ours expects."""
        address = request.cb_kwargs["address"]
        if request.meta.get(KNOWN_TO_FAIL):
            self.count("articles/failed_again")
        elif unreadable:
            self.count("articles/unreadable")
        self.article_lost(address.article_id, address.url, cause)

    def article_lost(self, article_id: str, url: str, cause: str) -> None:
        """An article did not get into the store. It is wanted from now on, and asked for again by later runs."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        with self._storing():
            self.store.note_failure(self.outlet, article_id, url, cause, now)
        self.count("articles/failed")
        self.count(f"articles/failed/{cause.partition(' (')[0][:60]}")
        logger.warning("Article %s: %s", url, cause)
        if len(self.failures) < _EXAMPLES:
            self.failures.append(f"article {url}: {cause}")

    def problem(self, message: str) -> None:
        """Something for which the run has failed, told once."""
        if message not in self.problems:
            logger.error("%s", message)
            self.problems.append(message)

    # --- list walks -----------------------------------------------------------------------------------------------

    def walk_begun(self, origin: ListAddress, name: str) -> None:
        """The first page of a list has come."""
        with self._storing():
            if self.store.walk_begin(self.outlet, origin.kind, origin.list_id, name):
                self._cut_off.add((origin.kind, origin.list_id))

    def was_cut_off(self, origin: ListAddress) -> bool:
        """Whether an earlier walk of the list did not come to its end."""
        return (origin.kind, origin.list_id) in self._cut_off

    def walk_ended(self, origin: ListAddress) -> None:
        """The walk came to its end; noted in the store once all it found is stored."""
        self._ended.add((origin.kind, origin.list_id))

    def settle_walks(self) -> None:
        """Note in the store which walks came to their end. Called when every item of the run is stored."""
        for kind, list_id in sorted(self._ended):
            self.store.walk_end(self.outlet, kind, list_id)

    # --- verdict --------------------------------------------------------------------------------------------------

    @property
    def verdict(self) -> str:
        """``ok`` or ``failed``: a run that was cut short, lost a list or most of its articles, or could not write."""
        return "failed" if self.faults() else "ok"

    def faults(self) -> list[str]:
        """Why the run failed, one line each; empty when it did not."""
        faults = list(self.problems)
        if self._reason != "finished":
            faults.append(f"the crawl ended early: {self._reason or 'it never started'}")
        # An article that has failed before says nothing about this run.
        failed = self.counted("articles/failed") - self.counted("articles/failed_again")
        had = self.counted("articles/new") + self.counted("articles/revised") + self.counted("articles/unchanged")
        if failed > had:
            faults.append(f"{failed} articles failed and only {had} could be read")
        elif (unreadable := self.counted("articles/unreadable")) >= _FEW and unreadable * _TENTH > failed + had:
            faults.append(f"{unreadable} of {failed + had} articles could not be read: has a template changed?")
        for key, what in (
            ("items/lost", "items were lost to exceptions, see the log"),
            ("pages/failed", "pages could not be written"),
        ):
            if number := self.counted(key):
                faults.append(f"{number} {what}")
        if self._feed_failed():
            faults.append("a feed could not be stored; the next run will write it")
        return faults

    def _feed_failed(self) -> bool:
        return any(key.startswith("feedexport/failed_count") for key in self.crawler.stats.get_stats())


def feed_parameters(parameters: dict[str, Any], spider: Spider) -> dict[str, Any]:
    """What feed addresses may contain beside Scrapy's own: ``%(data)s``, the data directory, and ``%(run)s``."""
    return {**parameters, "data": spider.settings["MIRROR_DATA"], "run": Run.of(spider.crawler).name}
