"""Rest when the outlet asks for it: the last thing before a request leaves, the first that sees its answer."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from scrapy import Request
from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from scrapy.utils.asyncio import sleep

from mirror_crawler.run import Run

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

logger = logging.getLogger(__name__)

DEFAULT_REST = 120.0
"""Seconds after a 429 that states no Retry-After (FACTS A7)."""
LONGEST_REST = 600.0
_GLANCE = 0.5
"""Seconds between two looks at whether the run is being ended."""


class PatientHandler(HTTP11DownloadHandler):
    """Downloads, and holds the whole outlet back after 429 or a 503 with Retry-After.

    A download handler and no middleware: requests that wait in the downloader's queue have passed every middleware,
    and would be sent into the rest that the outlet asked for.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self.crawler = crawler

    async def download_request(self, request: Request) -> Response:
        """The answer to ``request``, which is sent once the outlet has had its rest."""
        run = Run.of(self.crawler)
        while (left := run.resting_until - time.monotonic()) > 0:
            if not self.crawler.crawling:
                raise IgnoreRequest("not sent: the run was ended while the outlet rested")
            await sleep(min(left, _GLANCE))
        response = await super().download_request(request)
        rest = rest_after(response, datetime.now(UTC))
        if rest > 0:
            run.count("requests/slowed_down")
            logger.warning("%s answered %s; waiting %.0f s", request.url, response.status, rest)
            run.resting_until = max(run.resting_until, time.monotonic() + rest)
        return response


def rest_after(response: Response, now: datetime) -> float:
    """The seconds for which an answer asks to be left alone; 0 when it does not."""
    if response.status not in (429, 503):
        return 0.0
    stated = retry_after(response.headers.get("Retry-After"), now)
    if stated is None:
        return DEFAULT_REST if response.status == 429 else 0.0
    return min(stated, LONGEST_REST)


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
