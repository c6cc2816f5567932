"""How a page is fetched: at the outlet's pace, through Splash or directly.

Imported by crawls only: Scrapy's client takes long to load.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from functools import cached_property
from typing import TYPE_CHECKING, cast

from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler

from mirror_crawler.browser import RENDER
from mirror_crawler.ending import PATIENCE, Ending
from mirror_crawler.gate import Gate
from mirror_crawler.pace import ASKING, MOST_RESTS, Pace, stop, take_turn
from mirror_crawler.run import PICTURE, Run

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from mirror_crawler.outlet import OutletSpider
    from mirror_crawler.splash import Splash

logger = logging.getLogger(__name__)


class Browser:
    """How the pages of one crawl are had: what needs a browser through Splash, all else directly.

    ``give_up`` is told once when Splash cannot be used, and why.
    """

    def __init__(
        self, crawler: Crawler, download: Callable[[Request], Awaitable[Response]], give_up: Callable[[str], None]
    ) -> None:
        self._crawler = crawler
        self._download = download
        self._give_up = give_up

    async def fetch(self, request: Request) -> Response:
        """The outlet's answer. A page that needs a browser is never asked without one: it would look empty."""
        if RENDER in request.meta:
            return await self._splash.fetch(request)
        return await self._download(request)

    @cached_property
    def _splash(self) -> Splash:
        """Made when the first page needs it: only then is the spider known, and with it the outlet's hosts."""
        from mirror_crawler.splash import Splash

        spider = cast("OutletSpider", self._crawler.spider)
        return Splash(self._crawler, self._download, spider.addresses.hosts | spider.script_hosts, self._give_up)


class PageHandler(HTTP11DownloadHandler):
    """Asks at the outlet's pace, and for pages that scripts build through Splash; holds the whole outlet back after 429
    or 503.

    A download handler and no middleware: requests that wait in the downloader's queue have passed every middleware,
    and would be sent into the rest that the outlet asked for.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self.crawler = crawler
        self._browser = Browser(crawler, super().download_request, self._end_run)

    async def download_request(self, request: Request) -> Response:
        """The answer to ``request``, which is sent once the outlet has had its rest."""
        pace = Pace.of(self.crawler)
        await take_turn(self.crawler, request)
        if request.meta.get(PICTURE):
            return await self._picture(request)
        sent = time.monotonic()
        async with Ending.of(self.crawler).waited_for(PATIENCE):
            response = await self._browser.fetch(request)
        before = pace.rests
        rest = pace.answered(response, sent)
        if response.status in ASKING:
            run = Run.of(self.crawler)
            run.count("requests/slowed_down")
            run.tally.refused_by_outlet(request.url, f"HTTP {response.status}")
            if pace.rests >= MOST_RESTS:
                stop(self.crawler, f"asked {pace.rests} times in a row to be left alone (HTTP {response.status})")
            elif pace.rests > before:
                logger.warning("%s answered %s; waiting %.0f s", request.url, response.status, rest)
        return response

    async def _picture(self, request: Request) -> Response:
        """The answer to a request for a picture; a run that is told to stop does not wait for it."""
        gate = Gate.of(self.crawler)
        gate.check(request, Run.of(self.crawler))
        async with Ending.of(self.crawler).waited_for(0.0):
            response = await super().download_request(request)
        gate.answered(request, response)
        return response

    def _end_run(self, problem: str) -> None:
        run = Run.of(self.crawler)
        run.problem(problem)
        run.abort("splash")
