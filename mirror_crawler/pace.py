"""Rest when the outlet asks for it, and the end of a run that it refuses. ``handler.py`` keeps to it."""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, ClassVar
from weakref import WeakKeyDictionary

from scrapy.utils.asyncio import sleep

from mirror_crawler.ending import GLANCE, RunEndedError, drop_waiting
from mirror_crawler.gate import NotSentError
from mirror_crawler.run import Run

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

DEFAULT_REST = 120.0
"""Seconds of the first rest after a 429 that states no Retry-After (FACTS A7)."""
BROKEN_REST = 30.0
"""Seconds of the first rest after such a 503: it may be a fault of one page only."""
LONGEST_REST = 600.0
MOST_RESTS = 6
"""So many rests in a row without a good answer end the run."""
ASKING = (429, 503)
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
        if response.status not in ASKING:
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


async def take_turn(crawler: Crawler, request: Request) -> None:
    """Wait for the end of a rest. Those that waited leave one by one, as far apart as the slot sends them.

    Nobody has a turn any more once the outlet refuses the crawl (NotSentError), or the run is being ended
    (RunEndedError).
    """
    pace, run, waited = Pace.of(crawler), Run.of(crawler), False
    while (left := pace.not_before - time.monotonic()) > 0 and not run.ending:
        waited = True
        await sleep(min(left, GLANCE))
    if pace.stopped:
        raise NotSentError(NOT_SENT)
    if run.ending:
        raise RunEndedError
    if waited:
        slot = crawler.engine.downloader.slots.get(request.meta["download_slot"])
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
    if response.status not in ASKING:
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
