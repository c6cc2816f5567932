"""What stands between the spider and the outlet.

Spider middleware: :class:`SkipStored` takes out what is stored and decides where a list walk ends.
Downloader middlewares: :class:`OutletHostsOnly` and :class:`RobotsTxt` keep the crawl where it may be.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Self, cast

from scrapy import Request
from scrapy.downloadermiddlewares.robotstxt import RobotsTxtMiddleware
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from scrapy.utils.httpobj import urlparse_cached
from twisted.internet.defer import Deferred

from mirror_crawler.items import Listing
from mirror_crawler.pages import PageError
from mirror_crawler.run import KNOWN_TO_FAIL, Run

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.robotstxt import RobotParser

    from mirror_crawler.addresses import ListAddress
    from mirror_crawler.outlet import OutletSpider

logger = logging.getLogger(__name__)

_WANTED_A_RUN = 1_000
_SECOND_LOOK = "second_look"


class SkipStored:
    """Drops requests for stored articles and listings that are known, ends list walks, and deals with bad pages.

    A list is walked until one whole page brings no listing that is new to the store, unless ``pages=`` says otherwise
    or an earlier walk of it was cut off: then it is walked through, or what the cut left out would stay out.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.run = Run.of(crawler)
        self._asked: set[tuple[str, ...]] = set()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Scrapy's factory."""
        return cls(crawler)

    @property
    def spider(self) -> OutletSpider:
        """The outlet's spider."""
        return cast("OutletSpider", self.crawler.spider)

    async def process_start(self, start: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """The plan's requests without stored articles; then the articles that earlier runs named but could not get."""
        async for request in start:
            address = request.cb_kwargs.get("address")
            if address is None:
                origin = request.cb_kwargs["origin"]
                self._first_time(origin.kind, origin.list_id, request.url)
                yield request
            elif self.run.store.stored(self.spider.name, [address.article_id]):
                self.run.count("articles/known")
            elif self._first_time(address.article_id):
                yield request
        if self.spider.plan.lists:
            for _, url in self.run.store.wanted(self.spider.name, _WANTED_A_RUN):
                address = self.spider.addresses.find_article(url)
                if address is not None and self._first_time(address.article_id):
                    self.run.count("articles/wanted")
                    request = self.spider.article_request(address)
                    yield request.replace(meta={**request.meta, KNOWN_TO_FAIL: True})

    async def process_spider_output(self, response: Response, result: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """An article passes; of a list page, what is new."""
        arguments = _request(response).cb_kwargs
        if "origin" not in arguments:
            async for item in result:
                yield item
            return
        found = [thing async for thing in result]
        listings = [thing for thing in found if isinstance(thing, Listing)]
        requests = [thing for thing in found if isinstance(thing, Request)]
        if listings:  # otherwise the page could not be had, and the spider has said so
            for thing in self._new_of_page(listings, requests, arguments["origin"], arguments["page"]):
                yield thing

    def _new_of_page(
        self, listings: list[Listing], requests: list[Request], origin: ListAddress, page: int
    ) -> Iterator[Listing | Request]:
        ids = [listing.article_id for listing in listings]
        store, outlet = self.run.store, self.spider.name
        if page == origin.page:
            self.run.walk_begun(origin, listings[0].list_name)
        known = store.listed(outlet, origin.kind, origin.list_id, ids)
        self.run.count("listings/known", len(known))
        yield from (listing for listing in listings if listing.article_id not in known)
        stored = store.stored(outlet, ids)
        self.run.count("articles/known", len(stored))
        following = None
        for request in requests:
            if "origin" in request.cb_kwargs:
                following = request
            elif (article_id := request.cb_kwargs["address"].article_id) not in stored and self._first_time(article_id):
                yield request
        if following is not None and not self._first_time(origin.kind, origin.list_id, following.url):
            following = None  # a pager that goes in a circle
        if following is not None and self._goes_on(origin, page, new=len(known) < len(listings)):
            yield following
        elif following is None or not self.run.was_cut_off(origin) or self.spider.plan.pages == 0:
            self.run.walk_ended(origin)

    def _first_time(self, *key: str) -> bool:
        """Is this asked for the first time in the run?

        Scrapy's own filter goes by address, so it would drop without a word what a redirect leads to when something
        else was asked for there.
        """
        known = key in self._asked
        self._asked.add(key)
        return not known

    def process_spider_exception(self, response: Response, exception: Exception) -> Iterable[Any] | None:
        """A page that is not what it should be costs only itself: an article gets a second look, then it is counted.

        Other exceptions are faults of ours; they are counted too, and Scrapy logs them with their traceback.
        """
        request = _request(response)
        cause = f"{type(exception).__name__} in {response.url:.200}"
        if isinstance(exception, PageError):
            cause = str(exception)
        if "address" not in request.cb_kwargs:
            if isinstance(exception, PageError) and request.cb_kwargs["page"] > request.cb_kwargs["origin"].page:
                logger.warning("List page %s names no article; the list ends there", response.url)
                self.run.walk_ended(request.cb_kwargs["origin"])
                return ()
            self.run.list_failed(request, cause)
        elif isinstance(exception, PageError) and not request.meta.get(_SECOND_LOOK):
            self.run.count("articles/second_look")
            again = self.spider.article_request(request.cb_kwargs["address"])
            marks = {_SECOND_LOOK: True, KNOWN_TO_FAIL: request.meta.get(KNOWN_TO_FAIL, False)}
            return (again.replace(meta={**again.meta, **marks}),)
        else:
            self.run.article_failed(request, cause)
        return () if isinstance(exception, PageError) else None

    def _goes_on(self, origin: ListAddress, page: int, *, new: bool) -> bool:
        pages, walked = self.spider.plan.pages, page - origin.page + 1
        if pages is None:
            return True
        if pages:
            return walked < pages
        return walked < self.run.config.max_list_pages and (new or self.run.was_cut_off(origin))


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


class RobotsTxt(RobotsTxtMiddleware):
    """Scrapy's robots.txt check, mended: of several requests that wait for one robots.txt, Scrapy 2.14 to 2.19 gives
    the parsed file to the first only and lets the others through unchecked.
    """

    async def robot_parser(self, request: Request) -> RobotParser | None:
        """The rules of the request's host, None when it has none."""
        parser = await super().robot_parser(request)
        if parser is None:
            waited = self._parsers.get(urlparse_cached(request).netloc)
            parser = None if isinstance(waited, Deferred) else waited
        return parser


def _request(response: Response) -> Request:
    return cast("Request", response.request)
