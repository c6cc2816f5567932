"""The contract of every outlet that the spider loader finds, without network."""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast
from unittest import mock

import pytest
from scrapy import Request, Spider
from scrapy.exceptions import DownloadTimeoutError, IgnoreRequest, ResponseDataLossError
from scrapy.http import HtmlResponse, Response
from scrapy.settings import Settings
from scrapy.spiderloader import SpiderLoader
from scrapy.spidermiddlewares.httperror import HttpError
from scrapy.utils.test import get_crawler
from twisted.python.failure import Failure

from mirror_crawler.arguments import ArgumentError
from mirror_crawler.blocked import ChallengeError
from mirror_crawler.credits import CreditRules
from mirror_crawler.ending import RunEndedError
from mirror_crawler.gate import NotSentError
from mirror_crawler.items import Article, Listing
from mirror_crawler.outlet import OutletSpider, load_outlets
from mirror_crawler.pages import ArticlePage, GonePageError, ListPage, PageError
from mirror_crawler.run import Run


def settings() -> Settings:
    made = Settings()
    made.setmodule("mirror_crawler.settings")
    return made


OUTLETS = load_outlets(settings())
LATE_OR_GONE = (
    "start_requests",
    "make_requests_from_url",
    "start_urls",
    "allowed_domains",
    "download_delay",
    "user_agent",
    "download_timeout",
    "download_maxsize",
    "max_concurrent_requests",
    "http_user",
    "http_pass",
    "handle_httpstatus_list",
)
"""What Scrapy no longer calls, or what would bind an operator's hands."""

outlet = pytest.mark.parametrize("spider", OUTLETS.values(), ids=OUTLETS)


DEFAULT_SECTIONS = {
    "epochtimes": "nsc412 nsc413 nsc415 nsc418 nsc422 nsc423 nsc424 nsc993 nf4514",
    "ntdtv": "prog202 prog203 prog204 prog424 prog647 prog1138 prog1530 prog1695 prog1699",
}
"""What a crawl without arguments asks for: a change of it is one of what all such mirrors hold."""


def collect(generator: Any) -> list[Any]:
    async def run() -> list[Any]:
        return [item async for item in generator]

    return asyncio.run(run())


def response_to(request: Request, body: str) -> HtmlResponse:
    return HtmlResponse(request.url, body=body.encode(), request=request)


@pytest.fixture
def made() -> Iterator[Callable[..., OutletSpider]]:
    """A function that makes a spider with a run that only counts."""

    def make(spider: type[OutletSpider], **arguments: str) -> OutletSpider:
        return spider.from_crawler(get_crawler(spider), **arguments)

    with mock.patch.object(Run, "of", return_value=mock.create_autospec(Run, instance=True)):
        yield make


def test_every_spider_is_an_outlet() -> None:
    loader = SpiderLoader.from_settings(settings())
    assert sorted(OUTLETS) == sorted(loader.list())
    assert {"epochtimes", "ntdtv"} <= OUTLETS.keys()


def test_what_is_no_outlet_is_left_out() -> None:
    found = settings()
    found.set("SPIDER_MODULES", ["mirror_crawler.spiders", "tests.test_spiders"])
    assert "elsewhere" in SpiderLoader.from_settings(found).list()
    assert "elsewhere" not in load_outlets(found)


class Elsewhere(Spider):
    name = "elsewhere"


@outlet
class TestOutlet:
    def test_module_is_short_and_named_after_it(self, spider: type[OutletSpider]) -> None:
        path = Path(inspect.getfile(spider))
        assert path.stem == spider.name
        assert len(path.read_text(encoding="utf-8").splitlines()) < 60

    def test_states_what_it_is(self, spider: type[OutletSpider]) -> None:
        assert re.fullmatch(r"[a-z][a-z0-9]*", spider.name)
        assert spider.title
        assert spider.__doc__
        assert issubclass(spider.list_page, ListPage)
        assert issubclass(spider.article_page, ArticlePage)
        assert isinstance(spider.article_page.CREDITS, CreditRules)

    def test_has_nothing_that_scrapy_gave_up(self, spider: type[OutletSpider]) -> None:
        assert [name for name in LATE_OR_GONE if hasattr(spider, name)] == []
        assert spider.custom_settings is None

    def test_default_sections(self, spider: type[OutletSpider]) -> None:
        assert spider.default_sections == tuple(DEFAULT_SECTIONS[spider.name].split())
        assert set(spider.default_sections) <= spider.sections.keys()
        assert all(name.strip() for name in spider.sections.values())

    def test_start_asks_for_the_default_sections(
        self, spider: type[OutletSpider], made: Callable[..., OutletSpider]
    ) -> None:
        requests = collect(made(spider).start())
        assert [request.url for request in requests] == [
            spider.addresses.list_url("section", name) for name in spider.default_sections
        ]
        assert {request.meta["download_slot"] for request in requests} == {spider.name}
        assert all(spider.addresses.path_of(request.url) for request in requests)

    def test_start_asks_for_what_is_asked(self, spider: type[OutletSpider], made: Callable[..., OutletSpider]) -> None:
        article = article_url(spider)
        lists, pages = collect(made(spider, tag="水车", url=article).start())
        assert lists.cb_kwargs["origin"].list_id == "水车"
        assert pages.url == article
        assert pages.priority > lists.priority

    def test_refuses_what_cannot_be_meant(self, spider: type[OutletSpider]) -> None:
        with pytest.raises(ArgumentError):
            spider(section="no-such-section")

    def test_list_page(self, spider: type[OutletSpider], made: Callable[..., OutletSpider]) -> None:
        crawler = made(spider)
        request = next(iter(collect(crawler.start())))
        page = response_to(
            request,
            f'<title>要闻 | 站名</title><main><div class="one_post"><div class="title"><a href="{article_url(spider)}">'
            f'水车</a></div></div><a class="next page-numbers" href="{request.url}?page=2">下一页</a></main>',
        )
        listing, article, following = collect(crawler.parse_list(page, **request.cb_kwargs))
        assert isinstance(listing, Listing)
        assert (listing.list_name, listing.title, listing.page, listing.position) == ("要闻", "水车", 1, 1)
        assert article.url == article_url(spider)
        assert (following.cb_kwargs["page"], following.cb_kwargs["name"]) == (2, "要闻")
        assert following.cb_kwargs["origin"] == request.cb_kwargs["origin"]
        assert following.cb_kwargs["before"] == (listing.article_id,)

    def test_list_page_without_a_name_is_named_as_we_know_it(
        self, spider: type[OutletSpider], made: Callable[..., OutletSpider]
    ) -> None:
        crawler = made(spider)
        request = next(iter(collect(crawler.start())))
        page = response_to(request, f'<main><a href="{article_url(spider)}">水车</a></main>')
        listing, _ = collect(crawler.parse_list(page, **request.cb_kwargs))
        assert listing.list_name == spider.sections[spider.default_sections[0]]

    def test_list_page_without_an_article_is_an_error(
        self, spider: type[OutletSpider], made: Callable[..., OutletSpider]
    ) -> None:
        crawler = made(spider)
        request = next(iter(collect(crawler.start())))
        with pytest.raises(PageError, match="no article link"):
            collect(crawler.parse_list(response_to(request, "<main><p>维护中</p></main>"), **request.cb_kwargs))

    @pytest.mark.untraced
    def test_article_page(self, spider: type[OutletSpider], made: Callable[..., OutletSpider]) -> None:
        crawler = made(spider, url=article_url(spider))
        request = next(iter(collect(crawler.start())))
        (article,) = collect(crawler.parse_article(response_to(request, article_page(spider)), **request.cb_kwargs))
        assert isinstance(article, Article)
        assert (article.outlet, article.title, article.body_html) == (spider.name, "水车", "<p>水车转了起来。</p>")
        assert cast(mock.Mock, crawler.run).count.mock_calls == [mock.call("markup/removed/script", 1)]

    def test_article_page_whose_clocks_disagree_is_counted(
        self, spider: type[OutletSpider], made: Callable[..., OutletSpider]
    ) -> None:
        crawler = made(spider, url=article_url(spider))
        request = next(iter(collect(crawler.start())))
        with mock.patch.object(ArticlePage, "_clock", autospec=True) as clock:
            clock.return_value = mock.Mock(published_at=None, modified_at=None, published_source="none", disputed=True)
            collect(crawler.parse_article(response_to(request, article_page(spider)), **request.cb_kwargs))
        assert mock.call("articles/clock_disputed") in cast(mock.Mock, crawler.run).count.mock_calls

    @pytest.mark.untraced
    @pytest.mark.parametrize("status", [404, 410])
    def test_article_that_is_not_there(
        self, spider: type[OutletSpider], made: Callable[..., OutletSpider], status: int
    ) -> None:
        crawler = made(spider, url=article_url(spider))
        request = next(iter(collect(crawler.start())))
        answer = HtmlResponse(request.url, body=article_page(spider).encode(), status=status)
        with pytest.raises(GonePageError, match=f"^HTTP {status}$"):
            collect(crawler.parse_article(answer, **request.cb_kwargs))

    @pytest.mark.parametrize(
        ("links", "canonical", "gone"),
        [
            pytest.param(5, "home", True, id="a-list"),
            pytest.param(4, "home", False, id="a-few-links"),
            pytest.param(5, "itself", False, id="an-unreadable-article-with-links"),
            pytest.param(5, "", False, id="not-said"),
        ],
    )
    def test_article_page_with_a_list_in_its_place(
        self, spider: type[OutletSpider], made: Callable[..., OutletSpider], links: int, canonical: str, gone: bool
    ) -> None:
        crawler = made(spider, url=article_url(spider))
        request = next(iter(collect(crawler.start())))
        urls = [article_url(spider).replace("14860001", f"1486001{number}") for number in range(links)]
        places = {"home": request.url.partition("/gb/")[0] + "/gb/", "itself": request.url, "": ""}
        head = f'<link rel="canonical" href="{places[canonical]}">' if canonical else ""
        body = "".join(f'<h3><a href="{url}">水车</a></h3>' for url in urls)
        answer = response_to(request, f"<title>要闻</title>{head}<main>{body}</main>")
        with pytest.raises(PageError) as caught:
            collect(crawler.parse_article(answer, **request.cb_kwargs))
        assert isinstance(caught.value, GonePageError) is gone
        assert caught.value.field == (None if gone else "title")

    def test_article_page_that_says_that_there_is_none(
        self, spider: type[OutletSpider], made: Callable[..., OutletSpider]
    ) -> None:
        crawler = made(spider, url=article_url(spider))
        request = next(iter(collect(crawler.start())))
        answer = response_to(request, "<title>页面不存在</title><p>请看别的。</p>")
        with pytest.raises(GonePageError, match=r"^soft 404: a page without an article$"):
            collect(crawler.parse_article(answer, **request.cb_kwargs))

    def test_states_the_selectors_of_its_fields(self, spider: type[OutletSpider]) -> None:
        found = spider.selectors()
        assert found.keys() == {"title", "body", "time", "section", "tags", "lead_image", "list"}
        assert all(found.values())
        assert (found["body"], found["list"]) == (spider.article_page.BODY, spider.list_page.ENTRIES)

    def test_expects_something_of_its_pages(self, spider: type[OutletSpider]) -> None:
        assert spider.expectations.list_entries >= 1
        assert {"title", "body", "time"} <= spider.expectations.missing.keys()

    def test_article_page_that_led_to_another_article(
        self, spider: type[OutletSpider], made: Callable[..., OutletSpider]
    ) -> None:
        crawler = made(spider, url=article_url(spider))
        request = next(iter(collect(crawler.start())))
        other = HtmlResponse(article_url(spider).replace("14860001", "14860002"), body=article_page(spider).encode())
        with pytest.raises(PageError, match=r"^led to another article \([an]14860002\)$"):
            collect(crawler.parse_article(other, **request.cb_kwargs))


def article_url(spider: type[OutletSpider]) -> str:
    date = {"script": "gb", "year": 2026, "short_year": 26, "month": 10, "day": 7}
    url = spider.addresses.article_url.format(number="14860001", **date)
    assert spider.addresses.find_article(url) is not None
    return url


def article_page(spider: type[OutletSpider]) -> str:
    return (
        '<main><div class="article_title"><h1 class="title">水车</h1></div>'
        '<div id="artbody" class="post_content" itemprop="articleBody"><p>水车转了起来。</p>'
        "<script>1</script></div></main>"
    )


SITEMAP = "https://www.ntdtv.com/assets/uploads/sitemap/sitemap_news_gb.xml.gz"


class TestSources:
    """Feeds and sitemaps; how they are read: test_discovery.py."""

    def requests(self, spider: OutletSpider, url: str, body: str, **arguments: Any) -> list[Request]:
        response = Response(url, body=body.encode())
        return cast(list[Request], collect(spider.parse_source(response, **arguments)))

    def sitemap(self, kind: str, *urls: str) -> str:
        child = "url" if kind == "urlset" else "sitemap"
        entries = "".join(f"<{child}><loc>{url}</loc></{child}>" for url in urls)
        return f'<{kind} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{entries}</{kind}>'

    def feed(self, *items: str) -> str:
        return f'<rss version="2.0"><channel>{"".join(f"<item>{item}</item>" for item in items)}</channel></rss>'

    def test_start_asks_for_what_the_outlet_has(self, made: Callable[..., OutletSpider]) -> None:
        spider = made(OUTLETS["ntdtv"], source="feed,sitemap")
        requests = collect(spider.start())
        assert [request.url for request in requests] == [*spider.feeds, *spider.sitemaps]
        assert [request.cb_kwargs for request in requests] == [
            {"source": "feed", "depth": 0},
            {"source": "sitemap", "depth": 0},
        ]
        assert {request.meta["download_slot"] for request in requests} == {"ntdtv"}

    def test_a_feed_names_articles_by_link_or_else_by_guid(self, made: Callable[..., OutletSpider]) -> None:
        url = article_url(OUTLETS["ntdtv"])
        other = url.replace("14860001", "14860002")
        body = self.feed(
            f"<title>一</title><link>{url}</link><guid>{other}</guid>",
            f"<title>二</title><link>https://www.ntdtv.com/?p=1</link><guid>{other}</guid>",
            "<title>三</title><link>https://example.org/</link>",
        )
        spider = made(OUTLETS["ntdtv"])
        found = self.requests(spider, "https://www.ntdtv.com/gb/feed", body, source="feed", depth=0)
        assert [request.url for request in found] == [url, other]
        cast(mock.Mock, spider.run).count.assert_called_once_with("sources/feed")

    def test_a_sitemap_names_articles_and_other_sitemaps(self, made: Callable[..., OutletSpider]) -> None:
        spider, url = made(OUTLETS["ntdtv"]), article_url(OUTLETS["ntdtv"])
        found = self.requests(
            spider, SITEMAP, self.sitemap("urlset", url, "https://x.example/"), source="sitemap", depth=0
        )
        assert [request.url for request in found] == [url]
        index = self.sitemap("sitemapindex", *(f"https://www.ntdtv.com/{number}.xml" for number in range(30)))
        further = self.requests(spider, SITEMAP, index, source="sitemap", depth=1)
        assert [request.url for request in further] == [f"https://www.ntdtv.com/{number}.xml" for number in range(20)]
        assert {request.cb_kwargs["depth"] for request in further} == {2}
        assert self.requests(spider, SITEMAP, index, source="sitemap", depth=2) == []

    @pytest.mark.parametrize(("since", "count"), [("2026-10-08", 1), ("2026-10-20", 0)])
    def test_only_articles_of_the_window_are_asked_for(
        self, made: Callable[..., OutletSpider], since: str, count: int
    ) -> None:
        """The day in the address of the article is the 7th of October; it may have been published later."""
        spider = made(OUTLETS["ntdtv"], source="sitemap", since=since)
        body = self.sitemap("urlset", article_url(OUTLETS["ntdtv"]))
        assert len(self.requests(spider, SITEMAP, body, source="sitemap", depth=0)) == count

    def test_what_is_none_is_an_error(self, made: Callable[..., OutletSpider]) -> None:
        for source in ("feed", "sitemap"):
            with pytest.raises(PageError):
                self.requests(made(OUTLETS["ntdtv"]), SITEMAP, "<!DOCTYPE html><h1>x</h1>", source=source, depth=0)


class TestFailures:
    @pytest.mark.untraced
    @pytest.mark.parametrize(
        ("error", "cause", "passing"),
        [
            *(
                pytest.param(
                    HttpError(HtmlResponse("https://www.epochtimes.com/", status=status)),
                    f"HTTP {status}",
                    status not in (404, 410, 451),
                    id=str(status),
                )
                for status in (403, 404, 408, 410, 429, 451, 500, 503, 504)
            ),
            (IgnoreRequest("Forbidden by robots.txt"), "Forbidden by robots.txt", False),
            (NotSentError("not sent"), "not sent", True),
            (ChallengeError("challenge page"), "challenge page", True),
            (DownloadTimeoutError("slow"), "DownloadTimeoutError", True),
            (ResponseDataLossError(), "ResponseDataLossError", True),
        ],
    )
    def test_are_told_to_the_run(
        self, made: Callable[..., OutletSpider], error: Exception, cause: str, passing: bool
    ) -> None:
        """Of an article also whether the cause may pass: what is no fault of the article then counts less."""
        spider = made(OUTLETS["epochtimes"])
        failure = Failure(error)  # type: ignore[no-untyped-call]
        failure.request = request = Request("https://www.epochtimes.com/")  # type: ignore[attr-defined]
        for told in (spider.list_failed, spider.article_failed, spider.source_failed):
            assert list(told(failure)) == []
        run = cast(mock.Mock, spider.run)
        run.list_failed.assert_called_once_with(request, cause)
        run.article_failed.assert_called_once_with(request, cause, passing=passing)
        run.source_failed.assert_called_once_with(request, cause)

    def test_what_was_dropped_at_the_end_is_none(self, made: Callable[..., OutletSpider]) -> None:
        spider = made(OUTLETS["epochtimes"])
        failure = Failure(RunEndedError())  # type: ignore[no-untyped-call]
        failure.request = Request("https://www.epochtimes.com/")  # type: ignore[attr-defined]
        for told in (spider.list_failed, spider.article_failed, spider.source_failed):
            assert list(told(failure)) == []
        assert cast(mock.Mock, spider.run).mock_calls == []
