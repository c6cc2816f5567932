"""Which articles are asked for: those that are not stored, and stored ones that are to be looked at again.

Spider middleware, outermost: it sees every request for an article, whatever named it.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self, cast

from scrapy import Request, signals
from scrapy.http import Response

from mirror_crawler.clock import in_utc
from mirror_crawler.conditional import CONDITIONAL, NOT_MODIFIED, asked_url, validator_of
from mirror_crawler.items import Article
from mirror_crawler.pages import GonePageError, PageError
from mirror_crawler.run import KNOWN_TO_FAIL, Run

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

logger = logging.getLogger(__name__)

LOOK = "look"
"""Request meta key: the article is stored, and looked at again."""
WANTED = "wanted"
"""Request meta key: the store keeps the wish for this look until it was done."""
_SECOND_TRY = "second_try"

_WANTED_A_RUN = 1_000
_BATCH = 200


def as_look(request: Request, *, wanted: bool = False, conditional: bool = True) -> Request:
    """A request for an article as a look at what is stored of it."""
    return request.replace(meta={**request.meta, LOOK: True, WANTED: wanted, CONDITIONAL: conditional})


def look_spans(since: datetime, until: datetime, hours: int) -> list[tuple[datetime, datetime]]:
    """Publication moments (after, up to and with) of the articles that are due for a look between two moments.

    An article is due 1, 2, 4, 8 … hours after its publication, up to ``hours``: soon at first, rarely later.
    """
    gaps = [timedelta(hours=2**power) for power in range(hours.bit_length())]
    return [(since - gap, until - gap) for gap in gaps]


class Looks:
    """Drops requests for stored articles unless there is a reason to look again, and deals with what a look finds.

    Reasons: its age (:func:`look_spans`), a headline that says 更新, another title in a list, a withdrawal that a list
    contradicts, an earlier look that was not answered, ``refresh=``.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.run = Run.of(crawler)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Scrapy's factory."""
        return cls(crawler)

    # --- what is asked for ----------------------------------------------------------------------------------------

    async def process_start(self, start: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """The plan's requests without stored articles; articles that earlier runs named but could not get; looks."""
        if self.run.aborted:
            return
        with self.run.storing():
            async for request in start:
                for passed in self._asked([request]):
                    yield passed
            plan = self.run.spider.plan
            if (plan.lists or plan.feeds or plan.sitemaps) and plan.window is None:
                for request in (*self._wanted(), *self._due()):
                    yield request
            async for request in self._refreshed():
                yield request

    def _wanted(self) -> Iterable[Request]:
        for article_id, url, stored in self.run.store.wanted(self.run.spider.name, _WANTED_A_RUN):
            request = self._request_for(article_id, url)
            if request is None:
                continue
            if stored:
                yield as_look(request, wanted=True)
            else:
                self.run.count("articles/wanted")
                yield request.replace(meta={**request.meta, KNOWN_TO_FAIL: True})

    def _due(self) -> Iterable[Request]:
        hours, until = self.run.config.revisit_hours, self.run.started
        if not hours:
            return
        looked = self.run.store.looked_until(self.run.spider.name)
        since = datetime.fromisoformat(looked) if looked else until
        young = until - timedelta(hours=hours)
        spans = [
            (in_utc(max(after, young)), in_utc(upto)) for after, upto in look_spans(since, until, hours) if upto > young
        ]
        for article_id, url in self.run.store.due_looks(self.run.spider.name, spans, in_utc(young)).items():
            if (request := self._request_for(article_id, url)) is not None:
                yield as_look(request)
        self.run.looked_until = in_utc(until)

    async def _refreshed(self) -> AsyncIterator[Request]:
        """What ``refresh=`` asks for; all of it a batch at a time, so the queue does not hold the whole store."""
        asked = self.run.spider.plan.refresh or ()
        if asked != "all":
            urls = self.run.store.urls(self.run.spider.name, asked)
            for article_id in asked:
                if article_id not in urls:
                    self.run.count("articles/unknown")
                    logger.warning("refresh=%s: no such article is stored", article_id)
                elif (request := self._request_for(article_id, urls[article_id])) is not None:
                    yield as_look(request, conditional=False)
            return
        after = ""
        while batch := self.run.store.article_ids(self.run.spider.name, after, _BATCH):
            for article_id, url in batch:
                if (request := self._request_for(article_id, url)) is not None:
                    yield as_look(request, conditional=False)
            after = batch[-1][0]
            await self.crawler.signals.wait_for(signals.scheduler_empty)

    def _request_for(self, article_id: str, url: str) -> Request | None:
        """A request for an article by what the store knows of it; None when it is asked for already."""
        address = self.run.spider.addresses.find_article(url)
        if address is None or not self.run.first_time(article_id):
            return None
        return self.run.spider.article_request(address)

    def _asked(self, things: Sequence[Any]) -> Iterable[Any]:
        """``things`` (requests and items) without the requests for articles that need not be asked for."""
        wanted = [thing for thing in things if isinstance(thing, Request) and "address" in thing.cb_kwargs]
        ids = [request.cb_kwargs["address"].article_id for request in wanted if LOOK not in request.meta]
        stored = self.run.store.stored(self.run.spider.name, ids) if ids else set()
        withdrawn = self.run.store.withdrawn(self.run.spider.name, stored) if stored else set()
        self.run.count("articles/known", len(stored - withdrawn))
        for thing in things:
            if not isinstance(thing, Request) or "address" not in thing.cb_kwargs:
                yield thing
            elif (article_id := thing.cb_kwargs["address"].article_id) in withdrawn:
                if self.run.first_time(article_id):
                    yield as_look(thing)
            elif article_id not in stored and self.run.first_time(article_id):
                yield thing

    # --- what comes back ------------------------------------------------------------------------------------------

    async def process_spider_output(self, response: Response, result: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """Of an article's page its article, if it has to be read; of other pages what has to be asked for."""
        request = _request(response)
        if "source" in request.cb_kwargs and response.status == NOT_MODIFIED:
            return
        if "address" not in request.cb_kwargs:
            for thing in self._asked([thing async for thing in result]):
                yield thing
            if "source" in request.cb_kwargs:
                self.run.journal.source_read(asked_url(request), validator_of(response))
        elif response.status == NOT_MODIFIED:
            with self.run.storing():
                self._kept(request)
        else:
            async for thing in result:
                if not isinstance(thing, Article):
                    yield thing
                elif self._is_wished(thing, request):
                    self.run.states[thing.url] = validator_of(response)
                    yield thing

    def _kept(self, request: Request) -> None:
        """The outlet says that an article is as it was."""
        self.run.count("articles/not_modified")
        self.run.tally.kept_article()
        if request.meta.get(WANTED):
            self.run.store.looked(self.run.spider.name, request.cb_kwargs["address"].article_id)

    def _is_wished(self, article: Article, request: Request) -> bool:
        """Whether an article is of the days that were asked for; the page knows better than its address."""
        self.run.tally.saw_article(article)
        window, address = self.run.spider.plan.window, request.cb_kwargs["address"]
        if window is None or LOOK in request.meta or window.holds(article.published_at, address.day):
            return True
        self.run.count("articles/other_days")
        self.run.store.drop_wanted(self.run.spider.name, article.article_id)
        return False

    def process_spider_exception(self, response: Response, exception: Exception) -> Iterable[Any] | None:
        """A page that is not what it should be costs only itself: an article gets a second try, then it is counted.

        A stored article that the outlet has not any more is withdrawn when another run has found so before.
        Exceptions that are faults of ours go on to Scrapy's log and :meth:`run.Run.spider_error`.
        """
        request = _request(response)
        if not isinstance(exception, PageError) or "origin" in request.cb_kwargs:
            return None
        if "source" in request.cb_kwargs:
            self.run.source_failed(request, str(exception))
            return ()
        if isinstance(exception, GonePageError):
            return self._gone(request, exception)
        if not request.meta.get(_SECOND_TRY):
            self.run.count("articles/second_look")
            marks = {key: request.meta[key] for key in (LOOK, WANTED, KNOWN_TO_FAIL) if key in request.meta}
            again = self.run.spider.article_request(request.cb_kwargs["address"])
            return (again.replace(meta={**again.meta, **marks, _SECOND_TRY: True}),)
        self.run.article_failed(request, str(exception), field=exception.field, selector=exception.selector)
        return ()

    def _gone(self, request: Request, exception: GonePageError) -> Sequence[Article]:
        if not request.meta.get(LOOK):
            self.run.article_failed(request, str(exception))
            return ()
        address = request.cb_kwargs["address"]
        self.run.count("articles/gone")
        self.run.tally.gone_article(address.url)
        if self.run.tally.gone_beyond_belief:
            logger.warning("Article %s: %s; so are too many others to be believed", address.url, exception)
            return ()
        logger.warning("Article %s is not at the outlet any more: %s", address.url, exception)
        withdrawn = self.run.found_gone(address.article_id, address.url)
        return [withdrawn] if withdrawn is not None else []


def _request(response: Response) -> Request:
    return cast("Request", response.request)
