"""The spider of an outlet: lists, feeds and sitemaps → article requests. It parses nothing and knows no store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar, Self

from scrapy import Request, Spider
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from scrapy.settings import BaseSettings
from scrapy.spiderloader import SpiderLoader
from scrapy.utils.misc import load_object
from twisted.python.failure import Failure

from mirror_crawler.addresses import Addresses, ArticleAddress, ListAddress
from mirror_crawler.arguments import Plan, read_plan
from mirror_crawler.blocked import ChallengeError
from mirror_crawler.browser import RENDER, PageKind, is_rendered, options, rendered_kinds, splash_problem
from mirror_crawler.clock import BEIJING, in_utc
from mirror_crawler.conditional import CONDITIONAL
from mirror_crawler.discovery import feed_entries, sitemap_entries
from mirror_crawler.ending import RunEndedError
from mirror_crawler.gate import NotSentError
from mirror_crawler.health import Expectations
from mirror_crawler.items import Article, Listing
from mirror_crawler.pages import ArticlePage, EmptyListError, GonePageError, ListPage, PageError
from mirror_crawler.run import Run

_GONE = (404, 410)
_REFUSED = 403
_LIKE_A_LIST = 5
_DEEPEST_SITEMAP, _MOST_SITEMAPS = 2, 20
_ARTICLES_FIRST = 10
"""Articles are fetched before further list pages, so the queue never holds more than a few pages' worth of requests."""


class OutletSpider(Spider):
    """Base of every outlet's spider; a subclass states what its outlet is like and usually overrides no method.

    Attributes:
        name: the outlet's name in commands, paths and records: a short word of a-z and 0-9.
        title: what the outlet calls itself; the heading of its home page.
        addresses: its URL forms.
        list_page, article_page: the page classes that hold its selectors.
        sections: id → name of the sections that ``-a section=`` takes.
        default_sections: the sections of a run without arguments.
        section_feed: the form of the address of a section's feed, with ``{id}``; empty when sections have none.
        feeds, sitemaps: addresses of those of the whole outlet.
        scripted: the kinds of its pages (``list``, ``article``) that scripts build, so that they need a browser.
        script_hosts: hosts beside the outlet's own from which such pages load their scripts or their text.
        expectations: what a run must bring, see health.py.

    """

    title: ClassVar[str]
    addresses: ClassVar[Addresses]
    list_page: ClassVar[type[ListPage]]
    article_page: ClassVar[type[ArticlePage]]
    sections: ClassVar[Mapping[str, str]]
    default_sections: ClassVar[Sequence[str]]
    section_feed: ClassVar[str] = ""
    feeds: ClassVar[Sequence[str]] = ()
    sitemaps: ClassVar[Sequence[str]] = ()
    scripted: ClassVar[Collection[PageKind]] = ()
    script_hosts: ClassVar[frozenset[str]] = frozenset()
    expectations: ClassVar[Expectations] = Expectations()

    def __init__(self, name: str | None = None, **arguments: str) -> None:
        super().__init__(name)
        self.plan = self.read_plan(arguments)
        self.rendered = self.rendered_in(self.plan, "declared")

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:
        """Scrapy's factory."""
        spider = super().from_crawler(crawler, *args, **kwargs)
        spider.rendered = cls.rendered_in(spider.plan, crawler.settings["MIRROR_RENDER"])
        return spider

    @classmethod
    def rendered_in(cls, plan: Plan, setting: str) -> frozenset[PageKind]:
        """The kinds of pages that are fetched through Splash, by the argument, else the setting, else ``scripted``."""
        return rendered_kinds(cls.scripted, plan.render or setting)

    @classmethod
    def read_plan(cls, arguments: Mapping[str, str]) -> Plan:
        """What ``arguments`` ask for; ArgumentError in one line when they cannot be meant.

        Names that start with ``_`` belong to the scheduler that started the crawl (Scrapyd's ``_job``).
        """
        ours = {name: value for name, value in arguments.items() if not name.startswith("_")}
        return read_plan(
            ours,
            cls.addresses,
            cls.sections,
            cls.default_sections,
            section_feed=cls.section_feed,
            feeds=cls.feeds,
            sitemaps=cls.sitemaps,
            today=datetime.now(BEIJING).date(),
        )

    @classmethod
    def selectors(cls) -> dict[str, str]:
        """The selectors on which the fields of a record rest, for whoever has to mend them."""
        return {
            "title": cls.article_page.TITLE,
            "body": cls.article_page.BODY,
            "time": cls.article_page.CLOCK,
            "section": cls.article_page.BREADCRUMB,
            "tags": cls.article_page.TAGS,
            "lead_image": cls.article_page.LEAD,
            "list": cls.list_page.ENTRIES,
        }

    @property
    def run(self) -> Run:
        """The run that this spider works for."""
        return Run.of(self.crawler)

    async def obstacle(self) -> str:
        """Why there is no use in asking for any page, found out before the first request; empty when there is."""
        return await asyncio.to_thread(splash_problem, self.settings) if self.rendered else ""

    async def start(self) -> AsyncIterator[Request]:
        """The lists, feeds, sitemaps and articles of the plan."""
        for address in self.plan.lists:
            yield self.list_request(address.url, address, address.page)
        for url in self.plan.feeds:
            yield self.source_request(url, "feed")
        for url in self.plan.sitemaps:
            yield self.source_request(url, "sitemap")
        for article in self.plan.articles:
            yield self.article_request(article)

    def list_request(
        self, url: str, origin: ListAddress, page: int, name: str = "", before: tuple[str, ...] = ()
    ) -> Request:
        """A request for page number ``page`` of the list ``origin``, which calls itself ``name``; ``before`` are the
        ids of the articles that the page before it names.
        """
        return Request(
            url,
            callback=self.parse_list,
            errback=self.list_failed,
            cb_kwargs={"origin": origin, "page": page, "name": name, "before": before},
            meta=self._meta("list", 304),
            dont_filter=True,  # walks.Walks asks for each page once
        )

    def source_request(self, url: str, source: str, depth: int = 0) -> Request:
        """A request for a feed or a sitemap; ``depth`` is that of a sitemap in indexes of sitemaps."""
        return Request(
            url,
            callback=self.parse_source,
            errback=self.source_failed,
            cb_kwargs={"source": source, "depth": depth},
            meta={"download_slot": self.name, "handle_httpstatus_list": [304], CONDITIONAL: self.plan.window is None},
            dont_filter=True,
        )

    def article_request(self, address: ArticleAddress) -> Request:
        """A request for one article by its canonical address."""
        return Request(
            address.url,
            callback=self.parse_article,
            errback=self.article_failed,
            cb_kwargs={"address": address},
            meta=self._meta("article", 304, *_GONE),
            dont_filter=True,
            priority=_ARTICLES_FIRST,
        )

    @classmethod
    def rendered_by(cls, kind: PageKind) -> str:
        """The selector of what a page has once its scripts have built it."""
        if kind == "list":
            return cls.list_page.RENDERED or cls.list_page.ENTRIES
        return cls.article_page.RENDERED or cls.article_page.BODY

    def _meta(self, kind: PageKind, *statuses: int) -> dict[str, Any]:
        """The meta of a request; answers with ``statuses`` come back to the spider."""
        meta: dict[str, Any] = {"download_slot": self.name, "handle_httpstatus_list": list(statuses)}
        return meta | ({RENDER: options(self.rendered_by(kind))} if kind in self.rendered else {})

    async def parse_list(
        self,
        response: Response,
        origin: ListAddress,
        page: int,
        name: str,
        before: tuple[str, ...],  # noqa: ARG002  (Scrapy hands over all that the request carries)
    ) -> AsyncIterator[Listing | Request]:
        """What a list page says: a listing and a request for every article, and a request for the page after it.

        What is stored already is taken out by :class:`looks.Looks`, and where to stop is decided (by ``before``, among
        others) by :class:`walks.Walks`.
        """
        if not is_rendered(response):
            self.run.count("lists/unrendered")
            raise PageError.lacking("list", self.rendered_by("list"), "rendered list")
        parsed = self.list_page.from_response(response, self.addresses)
        entries = parsed.entries()
        self.run.count("lists/pages")
        if not entries:
            raise EmptyListError.lacking("list", self.list_page.ENTRIES, "article link")
        name = name or parsed.name or self.sections.get(origin.list_id, origin.list_id)
        seen_at = utc_now()
        for position, entry in enumerate(entries, 1):
            yield Listing(
                outlet=self.name,
                list_kind=origin.kind,
                list_id=origin.list_id,
                list_name=name,
                article_id=entry.address.article_id,
                url=entry.address.url,
                title=entry.title,
                page=page,
                position=position,
                seen_at=seen_at,
            )
            yield self.article_request(entry.address)
        if following := parsed.next_url(page):
            named = tuple(entry.address.article_id for entry in entries)
            yield self.list_request(following, origin, page + 1, name, named)

    async def parse_source(self, response: Response, source: str, depth: int) -> AsyncIterator[Request]:
        """Requests for the articles that a feed or sitemap names, and for the sitemaps in an index of them.

        What comes in this way has no listing: only the pages of a list say what it holds.
        """
        self.run.count(f"sources/{source}")
        if source == "feed":
            links = [[entry.link, entry.guid] for entry in feed_entries(response.body)]
        else:
            sitemap = sitemap_entries(response.body)
            links = [[entry.url] for entry in sitemap.entries]
            if depth < _DEEPEST_SITEMAP:
                for url in sitemap.sitemaps[:_MOST_SITEMAPS]:
                    yield self.source_request(url, source, depth + 1)
        for places in links:
            address = next(filter(None, (self.addresses.find_article(place, response.url) for place in places)), None)
            if address is not None and (self.plan.window is None or self.plan.window.may_hold(address.day)):
                yield self.article_request(address)

    async def parse_article(self, response: Response, address: ArticleAddress) -> AsyncIterator[Article]:
        """The article of a page; PageError when the page is none, or another; GonePageError when there is none now."""
        if response.status in _GONE:
            raise GonePageError(f"HTTP {response.status}")
        parsed = self.article_page.from_response(response, self.addresses)
        try:
            if not is_rendered(response):
                self.run.count("articles/unrendered")
                raise PageError.lacking("body", self.rendered_by("article"), "rendered body")
            article = parsed.article(self.name, utc_now())
        except GonePageError:
            raise
        except PageError as error:
            if parsed.is_error_page or (parsed.stands_for_another and self._is_list(response)):
                raise GonePageError("soft 404: a page without an article") from error
            raise
        if article.article_id != address.article_id:
            raise PageError(f"led to another article ({article.article_id})")
        for what, number in parsed.body.removed.items():
            self.run.count(f"markup/{what}", number)
        if parsed.disputed_clock:
            self.run.count("articles/clock_disputed")
            self.logger.info("The clocks of %s contradict each other", article.url)
        yield article

    def _is_list(self, response: Response) -> bool:
        """Whether a page names articles as list pages do."""
        return len(self.list_page.from_response(response, self.addresses).entries()) >= _LIKE_A_LIST

    def source_failed(self, failure: Failure) -> Iterator[Any]:
        """A feed or sitemap could not be fetched. The outlet may have given it up, and lists bring the same."""
        request: Request = failure.request  # type: ignore[attr-defined]
        if not isinstance(failure.value, RunEndedError):
            self.run.source_failed(request, cause_of(failure))
        return iter(())

    def list_failed(self, failure: Failure) -> Iterator[Any]:
        """A list page could not be fetched."""
        request: Request = failure.request  # type: ignore[attr-defined]
        if not isinstance(failure.value, RunEndedError):
            self.run.list_failed(request, cause_of(failure))
        return iter(())

    def article_failed(self, failure: Failure) -> Iterator[Any]:
        """An article page could not be fetched."""
        request: Request = failure.request  # type: ignore[attr-defined]
        if not isinstance(failure.value, RunEndedError):
            self.run.article_failed(request, cause_of(failure), passing=self._may_pass(failure))
        return iter(())

    def _may_pass(self, failure: Failure) -> bool:
        """Whether a failed download says nothing of the page: it was not sent for, the outlet refuses us, or Scrapy
        takes the cause for one that passes (its settings RETRY_HTTP_CODES and RETRY_EXCEPTIONS).
        """
        response = getattr(failure.value, "response", None)
        if response is not None:
            return response.status in (_REFUSED, *map(int, self.settings.getlist("RETRY_HTTP_CODES")))
        passing = tuple(map(load_object, self.settings.getlist("RETRY_EXCEPTIONS")))
        return isinstance(failure.value, (NotSentError, ChallengeError, *passing))


def cause_of(failure: Failure) -> str:
    """A failed download in a word or two: ``HTTP 404``, ``DownloadTimeoutError``, ``Forbidden by robots.txt``."""
    response = getattr(failure.value, "response", None)
    if response is not None:
        return f"HTTP {response.status}"
    return str(failure.value) if isinstance(failure.value, IgnoreRequest) else type(failure.value).__name__


def utc_now() -> str:
    """The time now, see :func:`mirror_crawler.clock.in_utc`."""
    return in_utc(datetime.now(UTC))


def load_outlets(settings: BaseSettings) -> dict[str, type[OutletSpider]]:
    """Every outlet that the project has a spider for, by name."""
    loader = SpiderLoader.from_settings(settings)
    spiders = ((name, loader.load(name)) for name in sorted(loader.list()))
    return {name: spider for name, spider in spiders if issubclass(spider, OutletSpider)}
