"""An orderly end of a run: what waits to be sent is dropped, and what is on its way is given a moment to come."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Self

from scrapy import signals
from scrapy.exceptions import IgnoreRequest
from scrapy.utils.asyncio import create_looping_call

from mirror_crawler.run import Run, extension_of

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

GLANCE = 0.5
"""Seconds between two looks at whether the run is being ended."""
PATIENCE = 5.0
"""Seconds that an answer may still take then. A container is commonly killed ten seconds after it was told to stop."""
ENDING = "not sent: the run is being ended"
GIVEN_UP = "given up: the run is being ended"


class RunEndedError(IgnoreRequest):
    """A request was not sent, or not waited for any longer, because the run is being ended: as if it had never left the
    scheduler. It is no failure of what was asked for, and counts as no try.
    """

    def __init__(self, why: str = ENDING) -> None:
        super().__init__(why)


class Ending:
    """Extension: empties the downloader while the run is being ended.

    Scrapy waits for all that has left its scheduler. Left alone, a slot would hand its requests over one delay after
    another, and a server that never answers would be waited for until DOWNLOAD_TIMEOUT: a run would not end before it
    is killed. Nothing tells when somebody stops the crawler, so it is looked for.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self._watch = create_looping_call(self.glance)
        self._under_way: dict[asyncio.Timeout, float] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Scrapy's factory."""
        ending = cls(crawler)
        crawler.signals.connect(ending.spider_opened, signals.spider_opened)
        crawler.signals.connect(ending.spider_closed, signals.spider_closed)
        return ending

    @classmethod
    def of(cls, crawler: Crawler) -> Self:
        """That of a crawl."""
        return extension_of(crawler, cls)

    def spider_opened(self) -> None:
        """Begin to look."""
        self._watch.start(GLANCE, now=False)

    def spider_closed(self) -> None:
        """Nothing is on its way any more."""
        self._watch.stop()

    def glance(self) -> None:
        """Drop what waits, and set what is under way a limit, if the run is being ended."""
        if not Run.of(self.crawler).ending:
            return
        drop_waiting(self.crawler, RunEndedError, ENDING)
        now = asyncio.get_running_loop().time()
        for limit, patience in self._under_way.items():
            if limit.when() is None:
                limit.reschedule(now + patience)

    @contextlib.asynccontextmanager
    async def waited_for(self, patience: float) -> AsyncIterator[None]:
        """What is awaited within is cancelled ``patience`` seconds after the run has begun to end: RunEndedError."""
        try:
            async with asyncio.timeout(None) as limit:
                self._under_way[limit] = patience
                try:
                    yield
                finally:
                    del self._under_way[limit]
        except TimeoutError:
            if not limit.expired():
                raise
            raise RunEndedError(GIVEN_UP) from None


def drop_waiting(crawler: Crawler, kind: type[IgnoreRequest], cause: str) -> None:
    """What waits in the downloader's slots is not sent: each request fails with an error of ``kind``."""
    for slot in crawler.engine.downloader.slots.values():
        while slot.queue:
            _, waiting = slot.queue.popleft()
            waiting.errback(kind(cause))
