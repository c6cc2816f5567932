"""Rest when the outlet asks for it: the last thing before a request leaves, the first that sees its answer."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, ClassVar
from weakref import WeakKeyDictionary

from scrapy import Request
from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.http import Response
from scrapy.utils.asyncio import sleep

from mirror_crawler.ending import GLANCE, RunEndedError, drop_waiting
from mirror_crawler.gate import Gate, NotSentError
from mirror_crawler.run import PICTURE, Run

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

logger = logging.getLogger(__name__)

DEFAULT_REST = 120.0
"""Seconds of the first rest after a 429 that states no Retry-After (FACTS A7)."""
BROKEN_REST = 30.0
"""Seconds of the first rest after such a 503: it may be a fault of one page only."""
LONGEST_REST = 600.0
MOST_RESTS = 6
"""So many rests in a row without a good answer end the run."""
_ASKING = (429, 503)
"""Answers that ask for a rest."""
NOT_SENT = "not sent: the run was ended because the outlet refuses it"


class Pace:
    """When the outlet of one crawl may be asked again, and whether at all.

    Attributes:
        not_before: of time.monotonic(); nothing is sent earlier.
        rests: how often in a row the outlet has asked for a rest.
        stopped: the outlet refuses the crawl, and nothing is sent any more.

    """

    _all: ClassVar[WeakKeyDictionary[Crawler, Pace]] = WeakKeyDictionary()

    def __init__(self) -> None:
        self.not_before = 0.0
        self.rests = 0
        self.stopped = False
        self._began = -math.inf

    @classmethod
    def of(cls, crawler: Crawler) -> Pace:
        """The pace of a crawl; each address scheme has a download handler of its own, and all keep the same pace."""
        return cls._all.setdefault(crawler, cls())

    def answered(self, response: Response, sent: float) -> float:
        """Take note of the answer to a request that was sent at ``sent`` (time.monotonic()).

        Returns the seconds of the rest that it asks for, 0.0 when it asks for none. Each further one is twice as long,
        unless a good answer came between. What was sent before a rest says nothing about whether the rest was enough.
        """
        after_rest = sent >= self._began
        if response.status not in _ASKING:
            if after_rest and is_good(response):
                self.rests = 0
            return 0.0
        now = time.monotonic()
        if after_rest:
            self.rests += 1
            self._began = now
        rest = rest_after(response, datetime.now(UTC), self.rests)
        self.not_before = max(self.not_before, now + rest)
        return rest


class PatientHandler(HTTP11DownloadHandler):
    """Downloads, and holds the whole outlet back after 429 or 503.

    A download handler and no middleware: requests that wait in the downloader's queue have passed every middleware,
    and would be sent into the rest that the outlet asked for.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self.crawler = crawler

    async def download_request(self, request: Request) -> Response:
        """The answer to ``request``, which is sent once the outlet has had its rest."""
        pace = Pace.of(self.crawler)
        await self._take_turn(request, pace)
        if request.meta.get(PICTURE):
            return await self._picture(request)
        sent = time.monotonic()
        response = await self.fetch(request)
        before = pace.rests
        rest = pace.answered(response, sent)
        if response.status in _ASKING:
            run = Run.of(self.crawler)
            run.count("requests/slowed_down")
            run.tally.refused_by_outlet(request.url, f"HTTP {response.status}")
            if pace.rests >= MOST_RESTS:
                stop(self.crawler, f"asked {pace.rests} times in a row to be left alone (HTTP {response.status})")
            elif pace.rests > before:
                logger.warning("%s answered %s; waiting %.0f s", request.url, response.status, rest)
        return response

    async def fetch(self, request: Request) -> Response:
        """The outlet's answer."""
        return await super().download_request(request)

    async def _picture(self, request: Request) -> Response:
        """The answer to a request for a picture; a run that is told to stop does not wait for it."""
        run = Run.of(self.crawler)
        gate = Gate.of(self.crawler)
        gate.check(request, run)
        answer = asyncio.ensure_future(super().download_request(request))
        while not (await asyncio.wait({answer}, timeout=GLANCE))[0]:
            if run.ending:
                answer.cancel()
                raise RunEndedError("given up: the run is being ended")
        gate.answered(request, answer.result())
        return answer.result()

    async def _take_turn(self, request: Request, pace: Pace) -> None:
        """Wait for the end of a rest. Those that waited leave one by one, as far apart as the slot sends them.

        Nobody has a turn any more once the outlet refuses the crawl (NotSentError), or the run is being ended
        (RunEndedError).
        """
        run, waited = Run.of(self.crawler), False
        while (left := pace.not_before - time.monotonic()) > 0 and not run.ending:
            waited = True
            await sleep(min(left, GLANCE))
        if pace.stopped:
            raise NotSentError(NOT_SENT)
        if run.ending:
            raise RunEndedError
        if waited:
            slot = self.crawler.engine.downloader.slots.get(request.meta["download_slot"])
            pace.not_before = time.monotonic() + (slot.download_delay() if slot else 0.0)


def stop(crawler: Crawler, cause: str) -> None:
    """The outlet refuses the crawl: end the run as blocked. What waits to be sent is not sent any more."""
    pace = Pace.of(crawler)
    if pace.stopped:
        return
    pace.stopped = True
    Run.of(crawler).block(cause)
    drop_waiting(crawler, NotSentError, NOT_SENT)


def is_good(response: Response) -> bool:
    """Whether an answer is an ordinary one: the outlet serves us. That a page is gone is one, a refusal is not."""
    return response.status < 400 or response.status in (404, 410)


def rest_after(response: Response, now: datetime, times: int = 1) -> float:
    """The seconds for which an answer asks to be left alone, 0 when it does not; twice as long for every further one
    of ``times`` in a row.
    """
    if response.status not in _ASKING:
        return 0.0
    stated = retry_after(response.headers.get("Retry-After"), now)
    if stated is None:
        stated = DEFAULT_REST if response.status == 429 else BROKEN_REST
    return min(stated * 2.0 ** (times - 1), LONGEST_REST)


def retry_after(header: bytes | None, now: datetime) -> float | None:
    """The seconds that a Retry-After header (RFC 9110 10.2.3: seconds or a date) asks to wait; None if it is none."""
    text = (header or b"").decode("latin-1").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds())
