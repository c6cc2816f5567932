"""The mirror asks the outlet's own hosts only, wherever its pages and redirects lead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self, cast

from scrapy import Request
from scrapy.exceptions import IgnoreRequest
from scrapy.utils.httpobj import urlparse_cached

from mirror_crawler.run import Run

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from mirror_crawler.outlet import OutletSpider


class OutletHostsOnly:
    """Refuses every request that leaves the outlet's hosts, be it a redirect, a retry or a spider's mistake.

    Scrapy's own middleware lets retried requests pass, and with them their redirects.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Scrapy's factory."""
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        """Raise IgnoreRequest for a foreign host."""
        spider = cast("OutletSpider", self.crawler.spider)
        if spider.addresses.path_of(request.url) is None:
            Run.of(self.crawler).count("requests/foreign_host")
            raise IgnoreRequest(f"Not a host of the outlet: {urlparse_cached(request).netloc:.100}")
