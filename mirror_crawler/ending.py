"""An orderly end of a run: what still waits to be sent is dropped, and only what is on its way is waited for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from scrapy import signals
from scrapy.exceptions import IgnoreRequest
from scrapy.utils.asyncio import create_looping_call

from mirror_crawler.run import Run

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

GLANCE = 0.5
"""Seconds between two looks at whether the run is being ended."""
ENDING = "not sent: the run is being ended"


class RunEndedError(IgnoreRequest):
    """A request was not sent because the run is being ended: as if it had never left the scheduler. It is no failure
    of what was asked for, and counts as no try.
    """

    def __init__(self, why: str = ENDING) -> None:
        super().__init__(why)


class Ending:
    """Extension: empties the downloader's queues while the run is being ended.

    Scrapy waits for all that has left its scheduler. Left alone, a slot would hand these requests over one delay after
    another, and with a long Crawl-delay a run would not end before it is killed. Nothing tells when somebody stops the
    crawler, so it is looked for.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self._watch = create_looping_call(self.glance)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Scrapy's factory."""
        ending = cls(crawler)
        crawler.signals.connect(ending.spider_opened, signals.spider_opened)
        crawler.signals.connect(ending.spider_closed, signals.spider_closed)
        return ending

    def spider_opened(self) -> None:
        """Begin to look."""
        self._watch.start(GLANCE, now=False)

    def spider_closed(self) -> None:
        """Nothing is on its way any more."""
        self._watch.stop()

    def glance(self) -> None:
        """Drop what waits, if the run is being ended."""
        if Run.of(self.crawler).ending:
            drop_waiting(self.crawler, RunEndedError, ENDING)


def drop_waiting(crawler: Crawler, kind: type[IgnoreRequest], cause: str) -> None:
    """What waits in the downloader's slots is not sent: each request fails with an error of ``kind``."""
    for slot in crawler.engine.downloader.slots.values():
        while slot.queue:
            _, waiting = slot.queue.popleft()
            waiting.errback(kind(cause))
