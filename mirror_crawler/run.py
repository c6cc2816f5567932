"""One run of one outlet: its store, its name, its lock, what it saw, how it ended and who is told.

The extension is built before all others, so pipelines, middlewares and feeds find it with :meth:`Run.of`.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from scrapy import Request, signals
from scrapy.utils.asyncio import sleep

from mirror_crawler import health, hooks, logs, recovery, reports
from mirror_crawler.clock import in_utc
from mirror_crawler.config import MirrorConfig
from mirror_crawler.git import GitError
from mirror_crawler.items import Article
from mirror_crawler.journal import Journal
from mirror_crawler.locks import FileLock
from mirror_crawler.stopping import stop
from mirror_crawler.store import ArticleStore, StoreError, Validator

if TYPE_CHECKING:
    from scrapy import Spider
    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from twisted.python.failure import Failure

    from mirror_crawler.outlet import OutletSpider
    from mirror_crawler.publish import Publisher

logger = logging.getLogger(__name__)

_EXAMPLES = 5
_RECENT, _RUNS_OF_A_MONTH = 10, 1_000
_BETWEEN_TRIES = 1.0
_LATELY = timedelta(hours=72)
KNOWN_TO_FAIL = "known_to_fail"
"""Request meta key: an earlier run could not get this article."""
PICTURE = "picture"
"""Request meta key: a picture's address as articles give it. What its answer is says nothing of the outlet."""


_Extension = TypeVar("_Extension")


def extension_of(crawler: Crawler, kind: type[_Extension]) -> _Extension:
    """A crawl's extension; RuntimeError when its settings leave that out."""
    extension = crawler.get_extension(kind)
    if extension is None:
        raise RuntimeError(f"the extension {kind.__module__}.{kind.__qualname__} is not enabled")
    return extension


class Run:
    """A run from the opening of the spider to the storing of its feeds.

    One at a time for each outlet and store. A run that is killed leaves its row in the store unended and its lock
    free. The next run of the outlet then writes the feeds that the killed one could not finish, from what it stored.
    """

    def __init__(self, crawler: Crawler, config: MirrorConfig, store: ArticleStore) -> None:
        self.crawler = crawler
        self.config = config
        self.store = store
        self.name = ""
        self.started = datetime.now(UTC)
        self.tally = health.Tally()
        self.failures: list[str] = []
        self.states: dict[str, Validator] = {}  # of articles on their way to the store, by address
        self.looked_until: str | None = None
        self.publisher: Publisher | None = None  # once the pages are written, when they are to be published
        self.over = asyncio.Event()  # the verdict is final, and the report is kept
        self.refused = False  # another run of the outlet is at work, so this one asks for nothing
        self._asked: set[tuple[str, ...]] = set()
        self._reason = ""
        self._before: Mapping[str, Any] = {}  # report of the latest run that came to an end
        self._file: reports.ReportFile | None = None
        self._verdict_before: str | None = None
        self._earlier: health.BodyLengths | None = None
        self._lock: FileLock | None = None
        self._closing: asyncio.Task[None] | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Scrapy's factory: opens the store."""
        config = MirrorConfig.from_settings(crawler.settings)
        config.prepare()
        run = cls(crawler, config, ArticleStore(config.database))
        crawler.signals.connect(run.spider_opened, signals.spider_opened)
        crawler.signals.connect(run.spider_idle, signals.spider_idle)
        crawler.signals.connect(run.spider_closed, signals.spider_closed)
        crawler.signals.connect(run.engine_stopped, signals.engine_stopped)
        crawler.signals.connect(run.spider_error, signals.spider_error)
        crawler.signals.connect(run.item_error, signals.item_error)
        return run

    @classmethod
    def of(cls, crawler: Crawler) -> Self:
        """The run of a crawler."""
        return extension_of(crawler, cls)

    @property
    def outlet(self) -> str:
        """The name of the outlet."""
        return self.crawler.spider.name if self.crawler.spider else ""

    @property
    def spider(self) -> OutletSpider:
        """The outlet's spider."""
        return cast("OutletSpider", self.crawler.spider)

    @cached_property
    def journal(self) -> Journal:
        """How far its walks have come."""
        return Journal(self.store, self.outlet, self.spider.plan.window_name)

    # --- life -----------------------------------------------------------------------------------------------------

    async def spider_opened(self) -> None:
        """Be the only run of the outlet, take a name, and finish the feeds of runs that were killed."""
        try:
            if await self._have_the_outlet():
                self._begin()
                obstacle = await self.spider.obstacle()
                if obstacle and not stop.asked:  # told to stop, it has not waited until the end
                    self.problem(obstacle)
                    self.abort("obstacle")
            else:
                self.refused = True
                self.abort("busy")
        except (OSError, StoreError) as error:
            self.problem(str(error))
            self.abort("store")

    def _begin(self) -> None:
        self.started = datetime.now(UTC)
        self.name = self.store.begin_run(self.outlet, in_utc(self.started))
        logs.name_run(self.outlet, self.name)
        logs.make_no_more_than(self.crawler.settings["LOG_LEVEL"])
        self.tally.gone_lately = self.store.gone_since(self.outlet, in_utc(self.started - _LATELY))
        for name in self.store.unfinished_runs(self.outlet):
            if name != self.name:
                how = recovery.finish(self.store, self.config.data, self.outlet, name, in_utc(self.started))
                self.count("runs/finished_after_kill")
                logger.warning("Run %s of %s %s; its feeds are complete now", name, self.outlet, how)
        earlier = self.store.last_runs(self.outlet, _RECENT)[1:]
        self._verdict_before = earlier[0].verdict if earlier else None
        self._before = next((run.report for run in earlier if "findings" in run.report), {})
        self._file = reports.ReportFile(self.config.data, self.outlet, self.name)
        self._file.reserve()
        # What start-up made lives as long as the process, and a page leaves few cycles behind: the garbage collector
        # at its default (700, 10, 10) took a tenth of the time of a page.
        gc.freeze()
        gc.set_threshold(50_000, 20, 20)

    async def _have_the_outlet(self) -> bool:
        """Take the outlet's lock, waiting for it if the operator wants that."""
        self._lock = FileLock(self.config.data / "runs" / f"{self.outlet}.lock")
        if self._lock.acquire():
            return True
        if not self.config.waits_when_busy:
            logger.error("Another run of %s is at work on this store; this one leaves (MIRROR_BUSY=leave)", self.outlet)
            return False
        logger.warning("Another run of %s is at work on this store; waiting for its end", self.outlet)
        while not self._lock.acquire():
            if stop.asked:
                return False
            await sleep(_BETWEEN_TRIES)
        return True

    def spider_idle(self) -> None:
        """Nothing is left to be done: the crawl came to its end by itself."""
        self._reason = self._reason or "finished"

    def spider_closed(self, reason: str) -> None:
        """Note how the crawl ended. One that we end may have come to its end by itself meanwhile."""
        if not self.aborted:
            self._reason = reason

    def spider_error(self, failure: Failure, response: Response) -> None:
        """An exception of ours in the reading of a page, or in what decides where to go from it: it costs the page."""
        request = cast("Request", response.request)
        cause = f"{type(failure.value).__name__} in {request.url:.200}"  # of a failed download there is no response
        if request.meta.get(PICTURE):
            logger.error("%s", cause)
        elif "origin" in request.cb_kwargs:
            self.list_failed(request, cause)
        elif "address" in request.cb_kwargs:
            self.article_failed(request, cause)
        else:
            self.problem(cause)

    def item_error(self) -> None:
        """An exception in a pipeline: an item was lost through a fault of ours."""
        self.count("items/lost")
        self.journal.item_lost()

    async def engine_stopped(self) -> None:
        """End the run; its feeds are stored by now. One that could not be stored is written by the next run."""
        try:
            await self._publish()
            report = self._end() if self.name else None
        except Exception as error:  # Scrapy shows it, and would take the run for a good one
            self.problem(f"{type(error).__name__} at the end of the run, see the log")
            raise
        finally:
            if self._lock is not None:
                self._lock.release()
            self.store.close()
            self.over.set()
        if report is not None:
            command, url = self.config.hook_command, self.config.hook_url
            await asyncio.to_thread(hooks.announce, report, self._verdict_before, command=command, url=url)

    async def _publish(self) -> None:
        """Bring the tree to the remotes, in a thread, so signals are still answered. One that lacks it is a finding."""
        if self.publisher is None or not self.judgement.publishes:
            return
        try:
            report = await asyncio.to_thread(self.publisher.publish, datetime.now(UTC))
        except (GitError, OSError, StoreError, ValueError) as error:  # ValueError: a template of the operator's
            self.tally.not_published(str(error))
            return
        self.count("publish/commits", len(report.commits))
        for result in report.results:
            self.count("publish/reached" if result.reached else "publish/missed")
            if not result.reached:
                self.tally.not_published(result.line)

    def _end(self) -> dict[str, Any]:
        """Keep the report, in the store and in a file. What cannot be kept makes the run fail, and the other tells.

        The store is not told of a run whose feeds are not whole: the next one finishes it as it does killed ones.
        """
        finished_at = in_utc(datetime.now(UTC))
        ended = self._feed_failed() or self._end_in_store(finished_at)
        try:
            if self._file is not None:
                self._file.write(self._report(finished_at))
        except OSError as error:
            self.problem(f"the report could not be written: {error}")
            if ended and not self._feed_failed():
                self._end_in_store(finished_at)
        return self._report(finished_at)

    def _end_in_store(self, finished_at: str) -> bool:
        judgement = self.judgement
        try:
            self.store.end_run(
                self.outlet,
                self.name,
                finished_at=finished_at,
                verdict=judgement.verdict,
                report=self._report(finished_at),
                looked_until=self.looked_until if self._reason == "finished" and judgement.publishes else None,
            )
        except StoreError as error:
            self.problem(str(error))
            return False
        return True

    def _report(self, finished_at: str) -> dict[str, Any]:
        return reports.report(
            outlet=self.outlet,
            run=self.name,
            started_at=in_utc(self.started),
            finished_at=finished_at,
            verdict=self.judgement,
            tally=self.tally,
            stats=self.crawler.stats.get_stats(),
        )

    def abort(self, reason: str) -> None:
        """End the crawl in order; what is under way is finished."""
        if self._closing is None:
            self._reason = reason
            self._closing = asyncio.create_task(self.crawler.engine.close_spider_async(reason=reason))

    @property
    def aborted(self) -> bool:
        """Whether the crawl is being ended early."""
        return self._closing is not None

    @property
    def ending(self) -> bool:
        """Whether the crawl is being ended: by ourselves, because it was told to stop, or by a limit like
        CLOSESPIDER_TIMEOUT, which only the engine's own slot shows.
        """
        slot = self.crawler.engine._slot  # noqa: SLF001
        return self.aborted or not self.crawler.crawling or (slot is not None and slot.closing is not None)

    def block(self, cause: str) -> None:
        """The outlet refuses the crawl: end it early instead of insisting."""
        if self._closing is None:
            logger.error("%s refuses the crawl: %s; it is left alone", self.outlet, cause)
        self.abort("blocked")

    def store_failed(self, error: StoreError) -> None:
        """Nothing further can be kept: end the run, so the next one fetches what this one could not store."""
        self.problem(str(error))
        self.journal.item_lost()
        self.abort("store")

    @contextlib.contextmanager
    def storing(self) -> Iterator[None]:
        """What the store cannot do here ends the run in order."""
        try:
            yield
        except StoreError as error:
            self.store_failed(error)

    # --- what it asks for and gets --------------------------------------------------------------------------------

    def first_time(self, *key: str) -> bool:
        """Is this asked for the first time in the run?

        Scrapy's own filter goes by address, so it would drop without a word what a redirect leads to when something
        else was asked for there.
        """
        known = key in self._asked
        self._asked.add(key)
        return not known

    def ask_again(self, *key: str) -> None:
        """What was asked for may be asked for once more."""
        self._asked.discard(key)

    def count(self, key: str, number: int = 1) -> None:
        """Add to a counter of the run; docs/operations.md lists them."""
        if number:
            self.crawler.stats.inc_value(key, number)

    def counted(self, key: str) -> int:
        """A counter's value."""
        return int(self.crawler.stats.get_value(key, 0))

    def list_failed(
        self, request: Request, cause: str, *, field: str | None = None, selector: str | None = None
    ) -> None:
        """A list page could not be had, or names no article. The walk stays open, so the next run goes through it."""
        self.count("lists/failed")
        self.tally.lost_list(request.url, cause, field, selector)
        logger.error("List %s: %s", request.url, cause)

    def source_failed(self, request: Request, cause: str) -> None:
        """A feed or sitemap could not be had or is none; the run goes on without it."""
        self.count("sources/absent")
        plan = self.spider.plan
        if not plan.lists and self.counted("sources/absent") == len(plan.feeds) + len(plan.sitemaps):
            self.problem("none of the feeds and sitemaps that were asked for can be read")
        logger.warning("%s %s: %s", request.cb_kwargs["source"].capitalize(), request.url, cause)

    def article_failed(
        self,
        request: Request,
        cause: str,
        *,
        field: str | None = None,
        selector: str | None = None,
        passing: bool = False,
    ) -> None:
        """An article could not be had, or its page has not what ``selector`` looks for.

        A ``passing`` cause says nothing of the article.
        """
        address = request.cb_kwargs["address"]
        again = bool(request.meta.get(KNOWN_TO_FAIL))
        self.count("articles/failed_again", again)
        self.count("articles/unreadable", field is not None and not again)
        self.tally.lost_article(address.url, cause, field, selector, again=again)
        self.article_lost(address.article_id, address.url, cause, passing=passing)

    def article_lost(self, article_id: str, url: str, cause: str, *, passing: bool = False) -> None:
        """An article did not get into the store. It is wanted from now on, and asked for again by later runs."""
        with self.storing():
            at = in_utc(datetime.now(UTC))
            self.store.note_failure(self.outlet, article_id, url, cause, at, passing=passing)
        self.count("articles/failed")
        self.count(f"articles/failed/{cause.partition(' (')[0][:60]}")
        logger.warning("Article %s: %s", url, cause)
        if len(self.failures) < _EXAMPLES:
            self.failures.append(f"article {url}: {cause}")

    def found_gone(self, article_id: str, url: str) -> Article | None:
        """The outlet has a stored article not any more; the article as withdrawn when another run has found so too."""
        with self.storing():
            return self.store.note_gone(self.outlet, article_id, url, self.name, in_utc(datetime.now(UTC)))
        return None

    def problem(self, message: str) -> None:
        """Something for which the run has failed, told once."""
        if message not in self.tally.problems:
            logger.error("%s", message)
            self.tally.problem(message)

    def _revise_wanted(self) -> None:
        """What a template cost that could not be read is asked for again: an article whose time was not found, by the
        next run, which thereby sees whether it is mended; one that was given up, when it is. So is what an outlet
        that refused the crawl cost.
        """
        if self.verdict == "failed":
            self.store.want_undated(self.outlet)
        elif self.publishes and self._before.get("verdict") in ("failed", "blocked"):
            self.store.want_given_up(self.outlet)

    # --- verdict --------------------------------------------------------------------------------------------------

    @property
    def verdict(self) -> str:
        """How the run ended in one word; docs/operations.md says what each means."""
        return "busy" if self.refused else self.judgement.verdict

    def conclude(self) -> None:
        """The crawl is over, and all that it brought is stored: note how far it came, look up what it is held against,
        and what later runs are to ask for again. From now on the verdict changes only by what goes wrong in keeping
        and publishing. StoreError when that cannot be done.
        """
        # Scrapy tells its reason only after this. A crawl that did not come to its end by itself was told to stop.
        self._reason = self._reason or "shutdown"
        if not self.name:
            return
        self.journal.settle(finished=self._reason == "finished")
        if self.tally.body_lengths.count >= health.MANY_BODIES:
            told = (run.report for run in self.store.last_runs(self.outlet, _RUNS_OF_A_MONTH))
            since = self.started - timedelta(days=health.BODY_DAYS)
            self._earlier = reports.earlier_lengths(told, in_utc(since))
        self._revise_wanted()

    @property
    def publishes(self) -> bool:
        """Whether the tree may follow the store."""
        return not self.refused and self.judgement.publishes

    @property
    def judgement(self) -> health.Verdict:
        """The verdict with all that speaks against the run."""
        spider = self.spider if self.crawler.spider else None
        return health.judge(
            self.tally,
            spider.expectations if spider else health.Expectations(),
            spider.selectors() if spider else {},
            self._earlier,
            reason=self._reason,
            before=self._before,
            items_lost=self.counted("items/lost"),
            pages_failed=bool(self.counted("pages/failed")),
            feed_failed=self._feed_failed(),
        )

    def _feed_failed(self) -> bool:
        return any(key.startswith("feedexport/failed_count") for key in self.crawler.stats.get_stats())


def feed_parameters(parameters: dict[str, Any], spider: Spider) -> dict[str, Any]:
    """What feed addresses may contain beside Scrapy's own: ``%(data)s``, the data directory, and ``%(run)s``."""
    return {**parameters, "data": spider.settings["MIRROR_DATA"], "run": Run.of(spider.crawler).name}
