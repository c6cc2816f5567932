"""The mirror asks the outlet's own hosts only, wherever its pages and redirects lead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self, cast

from scrapy import Request
from scrapy.exceptions import IgnoreRequest
from scrapy.utils.httpobj import urlparse_cached

from mirror_crawler.robots import is_robotstxt
from mirror_crawler.run import PICTURE, Run

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from mirror_crawler.outlet import OutletSpider


class ForeignHostError(IgnoreRequest):
    """A request would leave the outlet's hosts."""


class OutletHostsOnly:
    """Refuses every request that leaves the outlet's hosts, be it a redirect, a retry or a spider's mistake.

    The hosts that serve an outlet's pictures are asked for these and for their robots.txt only, by https only.
    Scrapy's own middleware lets retried requests pass, and with them their redirects.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Scrapy's factory."""
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        """Raise ForeignHostError for a foreign host."""
        addresses = cast("OutletSpider", self.crawler.spider).addresses
        is_picture = request.meta.get(PICTURE)
        if not is_picture and addresses.path_of(request.url) is not None:
            return
        if (is_picture or is_robotstxt(request)) and addresses.picture_url(request.url) == request.url:
            return
        Run.of(self.crawler).count("requests/foreign_host")
        raise ForeignHostError(f"Not a host of the outlet: {urlparse_cached(request).netloc:.100}")
