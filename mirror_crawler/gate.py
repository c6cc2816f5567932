"""What of an outlet's pictures may still be sent for: budgets, hosts that refuse, a run that is being ended."""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING, ClassVar, Self
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from scrapy import Request
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response

from mirror_crawler.ending import RunEndedError
from mirror_crawler.robots import is_robotstxt
from mirror_crawler.run import PICTURE, Run

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

logger = logging.getLogger(__name__)

IN_A_ROW = 5
"""So many refusals and faults without a good answer between: the host is left alone for the rest of the run."""
_REFUSALS = (403, 429)


class NotSentError(IgnoreRequest):
    """A request was not sent, for a reason that is none of its own."""


class Gate:
    """The pictures of one crawl.

    Attributes:
        spent: bytes of pictures that came.
        closed: hosts that are left alone.

    """

    _all: ClassVar[WeakKeyDictionary[Crawler, Gate]] = WeakKeyDictionary()

    def __init__(self) -> None:
        self.spent = 0
        self.closed: set[str] = set()
        self._faults: Counter[str] = Counter()

    @classmethod
    def of(cls, crawler: Crawler) -> Gate:
        """The gate of a crawl."""
        return cls._all.setdefault(crawler, cls())

    def check(self, request: Request, run: Run) -> None:
        """Raise NotSentError for a picture that must wait for the next run; RunEndedError in one that is being ended,
        for a robots.txt too, since nobody needs it.
        """
        if run.ending:
            raise RunEndedError
        if is_robotstxt(request):
            return
        if asked_host(request) in self.closed:
            run.count("pictures/left_alone")
            raise NotSentError("not sent: its host refused others")
        if self.spent >= run.config.images_bytes:
            run.count("pictures/over_budget")
            raise NotSentError("not sent: the run has fetched as many bytes of pictures as it may")

    def answered(self, request: Request, response: Response) -> None:
        """Take note of an answer as soon as it is there, since the next request leaves then."""
        if is_robotstxt(request):
            return
        self.spent += len(response.body)
        if response.status in _REFUSALS or response.status >= 500:
            self.refused(asked_host(request))

    def served(self, host: str) -> None:
        """A host gave a picture, or says that it has it not."""
        self._faults[host] = 0

    def refused(self, host: str) -> None:
        """A host gave nothing that could be used."""
        self._faults[host] += 1
        if self._faults[host] >= IN_A_ROW and host not in self.closed:
            self.closed.add(host)
            logger.warning("%s gave none of %d pictures in a row; it is left alone in this run", host, IN_A_ROW)


class PictureGate:
    """Downloader middleware: what would not be sent any more does not wait for its turn."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Scrapy's factory."""
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        """Raise NotSentError for what no stored article wants, and see :meth:`Gate.check`.

        Not before this moment is the article stored that shows the picture; and it may have been stored as it was
        before, with another copy of it.
        """
        url, run = request.meta.get(PICTURE), Run.of(self.crawler)
        if url:
            Gate.of(self.crawler).check(request, run)
            if not is_robotstxt(request) and not _is_wanted(run, url):
                raise NotSentError("not sent: no stored article wants it")


def _is_wanted(run: Run, url: str) -> bool:
    with run.storing():
        return run.store.pictures.wants(url)
    return False


def asked_host(request: Request) -> str:
    """Where a picture was asked for in the first place, whatever a redirect led to."""
    urls: list[str] = request.meta.get("redirect_urls") or [request.url]
    return urlsplit(urls[0]).netloc
