"""Where the walk of a list goes on and where it ends: spider middleware for list pages."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Self, cast

from scrapy import Request
from scrapy.http import Response

from mirror_crawler.conditional import CONDITIONAL, NOT_MODIFIED, asked_url, validator_of
from mirror_crawler.items import Listing
from mirror_crawler.journal import Journal
from mirror_crawler.looks import as_look
from mirror_crawler.pages import EmptyListError, PageError
from mirror_crawler.pipelines import plain
from mirror_crawler.run import Run
from mirror_crawler.store import Walk

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from mirror_crawler.addresses import ListAddress

logger = logging.getLogger(__name__)

_GONE = (404, 410)
_RESUMED = "resumed"
"""Request meta key: the page at which an earlier walk was cut off, asked for without the pages before it."""


class Walks:
    """Takes known listings out of a list page, and decides whether the page after it is asked for.

    A list is walked until one whole page brings no listing that is new to the store, unless ``pages=`` or a window of
    days says otherwise. A walk that is cut off leaves a note of how far it came: the next one goes there as soon as a
    page brings nothing new, for what lies between is known. It is, unless entries were taken out of the list since,
    which draws those that follow towards the front; then the walk comes back and goes through all. Whatever is asked
    for, a walk ends at a page that names only articles of the page before it.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.run = Run.of(crawler)
        self._skipped: dict[ListAddress, Request] = {}  # for the first of the pages that a resumed walk passed over

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Scrapy's factory."""
        return cls(crawler)

    @property
    def journal(self) -> Journal:
        """How far the walks have come."""
        return self.run.journal

    async def process_start(self, start: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """The plan's requests, those for lists marked as asked for."""
        async for request in start:
            if "origin" not in request.cb_kwargs:
                yield request
            elif self._first_time(request):
                yield self._asked(request)

    async def process_spider_output(self, response: Response, result: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """Of a list page: its new listings, requests for its articles, and the request for the page after it."""
        request = _request(response)
        if "origin" not in request.cb_kwargs:
            async for thing in result:
                yield thing
            return
        with self.run.storing():
            if response.status == NOT_MODIFIED:
                for thing in self._kept_page(request):
                    yield thing
                return
            if request.meta.get(_RESUMED) and response.status in _GONE:
                for thing in self._back(request):
                    yield thing
                return
            found = [thing async for thing in result]
            if any(isinstance(thing, Listing) for thing in found):  # otherwise it could not be had, and was told
                for thing in self._read_page(response, found):
                    yield thing

    def _kept_page(self, request: Request) -> Iterator[Request]:
        """The page is as it was, and all that it named is stored or wanted: only where the list goes on is of use."""
        origin, page = request.cb_kwargs["origin"], request.cb_kwargs["page"]
        first = page == origin.page
        self.run.count("lists/not_modified")
        self.run.tally.kept_list(first=first)
        self._came_to(origin, request, request.cb_kwargs["name"])
        known = self.run.store.validator(asked_url(request))
        following = None
        if known is not None and known.next_url:
            following = self.run.spider.list_request(known.next_url, origin, page + 1, request.cb_kwargs["name"])
        yield from self._following(following, origin, page, new=False)

    def _read_page(self, response: Response, found: list[Any]) -> Iterator[Listing | Request]:
        arguments = _request(response).cb_kwargs
        origin, page = arguments["origin"], arguments["page"]
        listings = [thing for thing in found if isinstance(thing, Listing)]
        articles = {
            thing.cb_kwargs["address"].article_id: thing
            for thing in found
            if isinstance(thing, Request) and "address" in thing.cb_kwargs
        }
        following = next((thing for thing in found if isinstance(thing, Request) and "origin" in thing.cb_kwargs), None)
        if _request(response).meta.get(_RESUMED) and not self._is_known_ground(origin, listings[0], articles):
            yield from self._back(_request(response))
            return
        self.run.tally.saw_list(response.url, len(listings), first=page == origin.page)
        self._came_to(origin, _request(response), listings[0].list_name)
        if following is not None and {listing.article_id for listing in listings} <= set(arguments["before"]):
            logger.warning("List page %s only repeats the page before it; the list ends there", response.url)
            following = None
        state = validator_of(response, following.url if following is not None else "")
        window = self.run.spider.plan.window
        past = window is not None and all(window.is_past(_day(articles[each.article_id])) for each in listings)
        listings = [each for each in listings if window is None or window.may_hold(_day(articles[each.article_id]))]
        ids = [each.article_id for each in listings]
        known = self.run.store.listed(self.run.spider.name, origin.kind, origin.list_id, ids)
        self.run.count("listings/known", len(known))
        yield from (each for each in listings if each.article_id not in known)
        titles = {each.article_id: plain(each.title) for each in listings if each.article_id in known}
        retitled = {article_id: title for article_id, title in titles.items() if title and title != known[article_id]}
        self.run.store.note_titles(self.run.spider.name, origin.kind, origin.list_id, retitled)
        for each in listings:
            request = articles[each.article_id]
            yield as_look(request, wanted=True) if each.article_id in retitled else request
        if new := len(known) < len(listings):
            self.journal.found_new(origin)
        self.journal.read(origin, asked_url(_request(response)), state)
        yield from self._following(None if past else following, origin, page, new=new)

    def _came_to(self, origin: ListAddress, request: Request, name: str) -> None:
        page = request.cb_kwargs["page"]
        if page == origin.page:
            self.journal.begun(origin, name)
        else:
            self.journal.came_to(origin, asked_url(request), page)

    def _following(self, following: Request | None, origin: ListAddress, page: int, *, new: bool) -> Iterator[Request]:
        """The request for the page that the walk goes on with, if it goes on."""
        if following is not None and not self._first_time(following):
            following = None  # a pager that goes in a circle
        plan, left = self.run.spider.plan, self.journal.left_off(origin)
        out_of_reach = left is not None and self._is_bounded and left.page > self.run.config.max_list_pages
        if left is not None and left.page > page + 1 and not (new or plan.pages or out_of_reach):
            following = self._resumed(left, origin, following)
        cut_off = self.journal.was_cut_off(origin) and not out_of_reach
        if following is not None and self._goes_on(page - origin.page + 1, more=new or cut_off):
            yield self._asked(following)
        elif not out_of_reach and (following is None or not cut_off or plan.pages == 0):
            self.journal.ended(origin)

    def _resumed(self, left: Walk, origin: ListAddress, following: Request | None) -> Request | None:
        """The request for the page at which an earlier walk was cut off: what lies between is known."""
        name = following.cb_kwargs["name"] if following is not None else ""
        resumed = self.run.spider.list_request(left.next_url, origin, left.page, name)
        if not self._first_time(resumed):
            return None
        self.run.count("lists/resumed")
        if following is not None:
            self._skipped[origin] = following
        return resumed.replace(meta={**resumed.meta, _RESUMED: True, "handle_httpstatus_list": [NOT_MODIFIED, *_GONE]})

    def _is_known_ground(self, origin: ListAddress, first: Listing, articles: Mapping[str, Request]) -> bool:
        """Whether all is known that stands before the page to which a walk has jumped, by the ``first`` listing there:
        it was read before, or is later than all days that are asked for.
        """
        window, day = self.run.spider.plan.window, _day(articles[first.article_id])
        if window is not None and not window.may_hold(day):
            return not window.is_past(day)
        return bool(self.run.store.listed(self.run.spider.name, origin.kind, origin.list_id, [first.article_id]))

    def _back(self, resumed: Request) -> Iterator[Request]:
        """From a page to which a walk has jumped: the request for the pages that it passed over. The page is read when
        the walk comes to it again.
        """
        origin = resumed.cb_kwargs["origin"]
        logger.info("Entries were taken out of the list in front of %s; the walk goes through all", resumed.url)
        self.journal.lost_place(origin)
        self.run.ask_again(origin.kind, origin.list_id, asked_url(resumed))
        if (skipped := self._skipped.pop(origin, None)) is not None:
            yield self._asked(skipped)
        else:
            self.journal.ended(origin)

    @property
    def _is_bounded(self) -> bool:
        """Whether MIRROR_MAX_LIST_PAGES bounds the walks. Those that go further keep their notes meanwhile."""
        return self.run.spider.plan.pages == 0 and not self.run.spider.plan.bounded_by_window

    def _goes_on(self, walked: int, *, more: bool) -> bool:
        """Whether a walk goes on after so many pages; ``more``: there may be something new on the next one."""
        plan = self.run.spider.plan
        if self._is_bounded:
            return more and walked < self.run.config.max_list_pages
        return not plan.pages or walked < plan.pages

    def _asked(self, request: Request) -> Request:
        """The request as it is sent. A walk for some days has to read each page: it does not know what it skipped."""
        return request.replace(meta={**request.meta, CONDITIONAL: self.run.spider.plan.window is None})

    def _first_time(self, request: Request) -> bool:
        origin = request.cb_kwargs["origin"]
        return self.run.first_time(origin.kind, origin.list_id, request.url)

    def process_spider_exception(self, response: Response, exception: Exception) -> Iterable[Any] | None:
        """A list page that is none costs only itself; faults of ours go on to :meth:`run.Run.spider_error`."""
        request = _request(response)
        if "origin" not in request.cb_kwargs or not isinstance(exception, PageError):
            return None
        origin = request.cb_kwargs["origin"]
        if isinstance(exception, EmptyListError) and request.meta.get(_RESUMED):
            return list(self._back(request))
        if isinstance(exception, EmptyListError) and request.cb_kwargs["page"] > origin.page:
            logger.warning("List page %s names no article; the list ends there", response.url)
            self.journal.ended(origin)
        else:
            self.run.list_failed(request, str(exception), field=exception.field, selector=exception.selector)
        return ()


def _day(request: Request) -> Any:
    return request.cb_kwargs["address"].day


def _request(response: Response) -> Request:
    return cast("Request", response.request)
