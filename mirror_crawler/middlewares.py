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
from scrapy.utils.misc import build_from_crawler
from twisted.internet.defer import Deferred

from mirror_crawler.items import Listing
from mirror_crawler.pages import EmptyListError, PageError
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
    or an earlier walk of it was cut off: then it is walked through, or what the cut left out would stay out. Whatever
    is asked for, a walk ends at a page that names only articles of the page before it.
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
            if {listing.article_id for listing in listings} <= set(arguments["before"]):
                requests = self._without_following(requests, response.url)
            for thing in self._new_of_page(listings, requests, arguments["origin"], arguments["page"]):
                yield thing

    @staticmethod
    def _without_following(requests: list[Request], url: str) -> list[Request]:
        """The requests of a list page that only repeats the page before it: its pager may never end."""
        articles = [request for request in requests if "origin" not in request.cb_kwargs]
        if len(articles) < len(requests):
            logger.warning("List page %s only repeats the page before it; the list ends there", url)
        return articles

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
            if isinstance(exception, EmptyListError) and request.cb_kwargs["page"] > request.cb_kwargs["origin"].page:
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
            self.run.article_failed(request, cause, unreadable=True)
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
    """Scrapy's robots.txt check, mended in two ways.

    Of several requests that wait for one robots.txt, Scrapy 2.14 to 2.19 gives the parsed file to the first only and
    lets the others through unchecked. And it takes any answer for rules, and none for leave to fetch everything: here
    HTTP 4xx means that there are no rules (RFC 9309 2.3.1.3), and where the file cannot be had nothing is fetched
    (2.3.1.4).
    """

    async def robot_parser(self, request: Request) -> RobotParser | None:
        """The rules of the request's host, None when it has none."""
        parser = await super().robot_parser(request)
        if parser is None:
            waited = self._parsers.get(urlparse_cached(request).netloc)
            parser = None if isinstance(waited, Deferred) else waited
        return parser

    async def _parse_robots(self, response: Response, netloc: str, request: Request) -> None:
        if 400 <= response.status < 500:
            response = response.replace(body=b"")
        elif not 200 <= response.status < 300:
            raise IgnoreRequest(f"HTTP {response.status}")  # Scrapy logs other exceptions with their traceback
        await super()._parse_robots(response, netloc, request)

    def _robots_error(self, exc: Exception, netloc: str) -> None:
        cause = str(exc) if isinstance(exc, IgnoreRequest) else type(exc).__name__
        run = Run.of(self.crawler)
        run.count(f"robotstxt/exception_count/{type(exc)}")
        run.problem(f"robots.txt of {netloc}: {cause}; nothing is fetched from there until it can be read")
        waited = self._parsers[netloc]
        nothing: RobotParser = build_from_crawler(self._parserimpl, self.crawler, b"User-agent: *\nDisallow: /")
        self._parsers[netloc] = nothing
        cast("Deferred[RobotParser | None]", waited).callback(nothing)


def _request(response: Response) -> Request:
    return cast("Request", response.request)
