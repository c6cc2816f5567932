"""Which pictures are asked for, and what becomes of those that come.

An article is stored at once, whatever becomes of its pictures. Nothing that happens to a picture costs an article,
changes a verdict or counts as a refusal of the outlet; what could not be had is asked for again by later runs.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self, cast

from scrapy import Request, signals
from scrapy.exceptions import DownloadCancelledError, IgnoreRequest, NotConfigured
from scrapy.http import Response
from scrapy.spidermiddlewares.httperror import HttpError

from mirror_crawler.album import Album
from mirror_crawler.blocked import ChallengeError
from mirror_crawler.clock import in_utc
from mirror_crawler.gate import Gate, NotSentError, asked_host
from mirror_crawler.hosts import ForeignHostError
from mirror_crawler.images import ImageError, prepare
from mirror_crawler.items import Article, Picture
from mirror_crawler.links import LinkFinder
from mirror_crawler.outlet import cause_of
from mirror_crawler.robots import pictures_slot
from mirror_crawler.run import PICTURE, Run

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from twisted.python.failure import Failure

logger = logging.getLogger(__name__)

_WANTED_A_RUN = 1_000
_AFTER_PAGES = -100  # priority of requests
_GONE = (404, 410)


class FetchPictures:
    """Spider middleware: after each article asks for its pictures, and for those that earlier runs could not get.

    What comes is made ready in a thread of its own, one picture at a time, so that no more than one is in memory
    decoded.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.run = Run.of(crawler)
        if self.run.config.pages.images != "local":
            raise NotConfigured
        self.gate = Gate.of(crawler)
        self.album = Album(self.run.config.images)
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="pictures")

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Scrapy's factory."""
        pictures = cls(crawler)
        crawler.signals.connect(pictures.spider_opened, signals.spider_opened)
        crawler.signals.connect(pictures.spider_closed, signals.spider_closed)
        return pictures

    def spider_opened(self) -> None:
        """Give pictures the operator's delay."""
        slots = self.crawler.engine.downloader.per_slot_settings
        slots.setdefault(pictures_slot(self.run.outlet), {"delay": self.crawler.settings.getfloat("DOWNLOAD_DELAY")})
        self.links = LinkFinder({self.run.outlet: self.run.spider.addresses}, self.run.config.images_per_article)

    def spider_closed(self) -> None:
        """Let go of the thread; nothing is on its way any more."""
        self._pool.shutdown(wait=False)

    # --- what is asked for ----------------------------------------------------------------------------------------

    async def process_start(self, start: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """The requests of the run; then pictures that are still to be had, in runs that look at whole lists."""
        async for thing in start:
            yield thing
        plan = self.run.spider.plan
        if (plan.lists or plan.feeds or plan.sitemaps) and plan.window is None and not self.run.aborted:
            with self.run.storing():
                for request in self._requests(self.run.store.pictures.wanted(self.run.outlet, _WANTED_A_RUN)):
                    yield request

    async def process_spider_output(
        self,
        response: Response,  # noqa: ARG002 - Scrapy calls it so
        result: AsyncIterator[Any],
    ) -> AsyncIterator[Any]:
        """What a page gave; after an article requests for its pictures, unless they are kept already."""
        async for thing in result:
            yield thing
            if isinstance(thing, Article) and thing.withdrawn_at is None:
                shown = self.links.pictures_shown(thing)
                with self.run.storing():
                    settled = self.run.store.pictures.settled(shown)
                    self.run.count("pictures/known", len(settled))
                    for request in self._requests(url for url in shown if url not in settled):
                        yield request

    def _requests(self, urls: Iterable[str]) -> Iterator[Request]:
        for url in urls:
            address = self.run.spider.addresses.picture_url(url)
            if address is None:
                self._lost(url, "not at a host of the outlet", lasting=True)
            elif self.run.first_time(PICTURE, url):
                yield self._request(url, address)

    def _request(self, url: str, address: str) -> Request:
        return Request(
            address,
            callback=self.arrived,
            errback=self.failed,
            headers={"Accept": "image/*,*/*;q=0.5"},
            priority=_AFTER_PAGES,
            meta={
                PICTURE: url,
                "download_slot": pictures_slot(self.run.outlet),
                "download_maxsize": self.run.config.image_bytes,
                "download_warnsize": 0,
                "dont_retry": True,  # the next run does
                "autothrottle_dont_adjust_delay": True,  # its lower bound is one for all slots
            },
            dont_filter=True,  # first_time does, for an address may lead to another by a redirect
        )

    # --- what comes back ------------------------------------------------------------------------------------------

    async def arrived(self, response: Response) -> None:
        """Keep a picture, and have the pages that show it written again."""
        request = cast("Request", response.request)
        self.gate.served(asked_host(request))
        try:
            picture = await asyncio.get_running_loop().run_in_executor(
                self._pool, self._kept, request.meta[PICTURE], response.body
            )
        except ImageError as error:
            self._lost(request.meta[PICTURE], str(error), lasting=error.lasting)
        except OSError as error:
            self.gate.closed.add(asked_host(request))
            self.run.count("pictures/failed")
            logger.error("Pictures cannot be kept in %s: %s", self.album.root, error.strerror)
        else:
            with self.run.storing():
                self.run.count("pictures/stored", self.run.store.pictures.keep(picture))

    def _kept(self, url: str, content: bytes) -> Picture:
        """Make a picture ready and put it into the album."""
        prepared = prepare(content, width=self.run.config.image_width)
        return Picture(
            outlet=self.run.outlet,
            url=url,
            asset=self.album.put(prepared.webp),
            width=prepared.width,
            height=prepared.height,
            stored_at=in_utc(datetime.now(UTC)),
        )

    def failed(self, failure: Failure) -> Iterator[Any]:
        """A picture could not be had, or was not asked for."""
        request: Request = failure.request  # type: ignore[attr-defined]
        error, url = failure.value, request.meta[PICTURE]
        if isinstance(error, NotSentError) or self.run.ending:
            return iter(())
        if isinstance(error, DownloadCancelledError):
            self.gate.spent += self.run.config.image_bytes
            self.run.count("pictures/too_big")
            self._lost(url, "too big", lasting=True)
            return iter(())
        status = error.response.status if isinstance(error, HttpError) else 0
        self._lost(url, cause_of(failure), lasting=status in _GONE or isinstance(error, ForeignHostError))
        if status in _GONE:
            self.gate.served(asked_host(request))
        elif not status and (not isinstance(error, IgnoreRequest) or isinstance(error, ChallengeError)):
            self.gate.refused(asked_host(request))  # what has a status was judged when it came
        return iter(())

    def _lost(self, url: str, cause: str, *, lasting: bool) -> None:
        self.run.count("pictures/failed")
        self.run.count(f"pictures/failed/{cause[:60]}")
        logger.info("Picture %s: %s", url, cause)
        with self.run.storing():
            self.run.store.pictures.failed(url, cause, in_utc(datetime.now(UTC)), lasting=lasting)
