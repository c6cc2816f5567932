"""How a page is fetched: through Splash or directly. Imported by crawls only: Scrapy's client takes long to load."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import cached_property
from typing import TYPE_CHECKING, cast

from mirror_crawler.browser import RENDER
from mirror_crawler.pace import PatientHandler
from mirror_crawler.run import Run

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from mirror_crawler.outlet import OutletSpider
    from mirror_crawler.splash import Splash


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


class PageHandler(PatientHandler):
    """Download handler: asks at the outlet's pace, and for pages that scripts build through Splash."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._browser = Browser(crawler, super().fetch, self._end_run)

    async def fetch(self, request: Request) -> Response:
        """The outlet's answer."""
        return await self._browser.fetch(request)

    def _end_run(self, problem: str) -> None:
        run = Run.of(self.crawler)
        run.problem(problem)
        run.abort("splash")
