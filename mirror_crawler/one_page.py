"""One page of an outlet, fetched as a crawl would, without a store and a run.

Imported only where a page is fetched: Scrapy's client takes long to load.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any, cast

from scrapy import Request, Spider
from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.crawler import Crawler
from scrapy.http import Response
from twisted.python.failure import Failure

from mirror_crawler.browser import RENDER, is_rendered, options
from mirror_crawler.handler import Browser
from mirror_crawler.outlet import OutletSpider, cause_of


class OnePage(Spider):
    """Fetches one page: same user agent, robots.txt, proxies, browser as in a crawl.

    It comes into ``answers``, with its final address; ``say`` is told what went wrong. ``selector`` finds something on
    a page that its scripts have built; empty for one that needs no browser.
    """

    custom_settings = {  # noqa: RUF012 - Scrapy states its type
        "EXTENSIONS": {},
        "SPIDER_MIDDLEWARES": {},
        "ITEM_PIPELINES": {},
        "FEEDS": {},
        "DOWNLOAD_HANDLERS": dict.fromkeys(("http", "https"), "mirror_crawler.one_page.OnePageHandler"),
        "DOWNLOADER_MIDDLEWARES": {"mirror_crawler.proxy.OutletProxy": 740},
    }

    def __init__(
        self,
        outlet: type[OutletSpider],
        url: str,
        answers: list[tuple[str, bytes]],
        say: Callable[[str], None],
        selector: str = "",
    ) -> None:
        super().__init__(outlet.name)
        self.addresses = outlet.addresses
        self.script_hosts = outlet.script_hosts
        self.say = say
        self._url = url
        self._answers = answers
        self._selector = selector

    async def start(self) -> AsyncIterator[Any]:
        """The one request."""
        meta = {RENDER: options(self._selector)} if self._selector else {}
        yield Request(self._url, self.parse, errback=self.failed, meta=meta)

    def parse(self, response: Response) -> None:
        """Keep the page with its final address."""
        if not is_rendered(response):
            self.say(f"{response.url}: its scripts built nothing that {self._selector} finds; it is saved as it is")
        self._answers.append((response.url, response.body))

    def failed(self, failure: Failure) -> None:
        """Say why there is none."""
        self.say(f"{self._url}: {cause_of(failure)}")


class OnePageHandler(HTTP11DownloadHandler):
    """Download handler: through Splash what scripts build. A single page needs no pace."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)

        def give_up(problem: str) -> None:
            cast("OnePage", crawler.spider).say(problem)

        self._browser = Browser(crawler, super().download_request, give_up)

    async def download_request(self, request: Request) -> Response:
        """The outlet's answer."""
        return await self._browser.fetch(request)
