"""What a real Splash and splash.lua make of single pages, without a crawl around them."""

from __future__ import annotations

import asyncio
import gzip
import json
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.error import HTTPError

import pytest
from scrapy import Request
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response, TextResponse
from scrapy.utils.test import get_crawler

from mirror_crawler.browser import RENDER, is_rendered, options
from mirror_crawler.spiders.epochtimes import EpochtimesSpider
from mirror_crawler.splash import Splash
from tests.mirror import news
from tests.site import Answer, SampleSite
from tests.site.world import World
from tests.splash import SplashServer

pytestmark = pytest.mark.untraced

STORY = news("epochtimes", 1)[0]
BESIDE = "https://www.epochtimes.com/gb/wp-json/text"
WRITE = "document.getElementById('artbody').innerHTML = '<p>渡轮复航</p>'"
PAGE = "<!DOCTYPE html><html><head>{head}</head><body><div id='artbody'>加载中</div><script src='{src}'></script>"
LARGEST = 100_000


@pytest.fixture
def world() -> World:
    return World([STORY], per_page=1)


class Tab:
    """Asks a real Splash for :data:`STORY`, and keeps what Splash returned in ``said``."""

    def __init__(self, server: SplashServer, site: SampleSite) -> None:
        self.said: list[dict[str, Any]] = []
        self.problems: list[str] = []
        self._site = site
        settings = {"SPLASH_URL": server.url, "MIRROR_RENDER_WAIT": 1, "DOWNLOAD_MAXSIZE": LARGEST}
        crawler = get_crawler(EpochtimesSpider, settings)
        crawler.spider, crawler.crawling = EpochtimesSpider(), True
        self._splash = Splash(crawler, self._download, EpochtimesSpider.addresses.hosts, self.problems.append)

    async def _download(self, request: Request) -> Response:
        return await asyncio.to_thread(self._asked, request)

    def _asked(self, request: Request) -> Response:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        headers = {str(name): str(value) for name, value in request.headers.to_unicode_dict().items()}
        try:
            with opener.open(urllib.request.Request(request.url, request.body, headers), timeout=60) as answer:
                body = answer.read()
                self.said.append(json.loads(body))
                return TextResponse(request.url, answer.status, {"Content-Type": "application/json"}, body)
        except HTTPError as error:
            return TextResponse(request.url, error.code, {"Content-Type": "application/json"}, error.read())

    def open(self, body: str | bytes = b"", headers: Mapping[str, str] | None = None, **answer: Any) -> Response:
        """What comes of the page when the outlet answers so."""
        parts = (body.encode() if isinstance(body, str) else body,)
        self._site.set_sequence(STORY.url, Answer(parts=parts, headers=headers or {}, **answer))
        meta = {RENDER: options("#artbody > p"), "download_timeout": 20, "proxy": self._site.proxy}
        return asyncio.run(self._splash.fetch(Request(STORY.url, headers={"User-Agent": "a reader"}, meta=meta)))


@pytest.fixture
def tab(running: SplashServer, site: SampleSite) -> Tab:
    site.set(BESIDE, WRITE, headers={"Content-Type": "text/javascript; charset=utf-8"})
    return Tab(running, site)


def written(head: str = "<meta charset='utf-8'>") -> str:
    """A page whose text a script writes."""
    return PAGE.format(head=head, src=BESIDE)


class TestPolicies:
    """Pages whose Content-Security-Policy says what their scripts may do, and says nothing of ``eval``."""

    @pytest.mark.parametrize(
        ("head", "headers"),
        [
            pytest.param("", {"Content-Security-Policy": "default-src 'self'"}, id="header"),
            pytest.param('<meta http-equiv="Content-Security-Policy" content="script-src \'self\'">', {}, id="meta"),
        ],
    )
    def test_are_no_hindrance(self, tab: Tab, head: str, headers: dict[str, str]) -> None:
        page = tab.open(written(f"<meta charset='utf-8'>{head}"), headers)
        assert is_rendered(page)
        assert "<p>渡轮复航</p>" in page.text
        assert tab.said[0]["built"] is True  # it was looked at, not just waited for

    def test_that_let_no_script_run_leave_the_page_as_it_was_sent(self, tab: Tab) -> None:
        page = tab.open(written(), {"Content-Security-Policy": "sandbox"})
        assert not is_rendered(page)
        assert "加载中" in page.text

    def test_a_page_that_breaks_its_own_browser_is_judged_by_its_markup(self, tab: Tab) -> None:
        broken = "<script>Array.prototype.some = null; document.querySelectorAll = null</script>"
        assert is_rendered(tab.open(written() + broken))
        assert "built" not in tab.said[0]


@pytest.mark.parametrize(
    ("status", "headers"),
    [(204, {}), (205, {}), pytest.param(304, {"Content-Length": str(LARGEST + 1)}, id="304-of-a-large-page")],
)
def test_an_answer_without_a_page_is_an_answer(tab: Tab, status: int, headers: dict[str, str]) -> None:
    page = tab.open(headers=headers, status=status)
    assert (page.status, page.body) == (status, b"")


class TestPagesWithoutMeasure:
    """They cost themselves and nothing else, however their size becomes known."""

    HUGE = f"<!DOCTYPE html><meta charset='utf-8'><div id='artbody'>{'<p>渡轮复航</p>' * (LARGEST // 10)}</div>"

    @pytest.mark.parametrize(
        ("body", "answer"),
        [
            pytest.param(HUGE.encode(), {}, id="stated"),
            pytest.param(HUGE.encode(), {"sized": False}, id="not-stated"),
            pytest.param(gzip.compress(HUGE.encode()), {"headers": {"Content-Encoding": "gzip"}}, id="packed"),
            pytest.param(
                f"{written()}<script>document.write(Array({LARGEST}).join('渡'))</script>".encode(),
                {},
                id="made-by-script",
            ),
        ],
    )
    def test(self, tab: Tab, running: SplashServer, body: bytes, answer: dict[str, Any]) -> None:
        before = running.child
        with pytest.raises(IgnoreRequest, match=f"^larger than {LARGEST} bytes"):
            tab.open(body, **answer)
        assert running.child == before
        assert is_rendered(tab.open(written()))

    def test_what_is_no_page_is_no_answer(self, tab: Tab) -> None:
        with pytest.raises(IgnoreRequest, match=r"^no page \(webkit102 in Splash\)$"):
            tab.open(b"\x00", {"Content-Type": "application/octet-stream"})

    def test_a_script_without_measure_is_not_loaded(self, tab: Tab, site: SampleSite) -> None:
        site.set(BESIDE, f"{WRITE} //{'x' * LARGEST}", headers={"Content-Type": "text/javascript; charset=utf-8"})
        assert not is_rendered(tab.open(written()))


class TestPagesThatFight:
    """They cost no more than any other page."""

    @pytest.mark.parametrize(
        "script",
        [
            pytest.param("window.close()", id="closed"),
            pytest.param("delete window.close; window.close()", id="closed-anyway"),
            pytest.param("Window.prototype.close.call(window)", id="closed-by-its-kind"),
            pytest.param(
                "var f = document.createElement('iframe'); document.documentElement.appendChild(f);"
                "f.contentWindow.close.call(window); f.contentWindow.Window.prototype.close.call(window)",
                id="closed-by-a-frame",
            ),
            pytest.param(
                "Object.defineProperty(document, 'characterSet', {get: function () { return {a: 1} }})", id="object"
            ),
        ],
    )
    def test(self, tab: Tab, script: str) -> None:
        page = tab.open(written(f"<meta charset='utf-8'><script>{script}</script>"))
        assert is_rendered(page)
        assert "<p>渡轮复航</p>" in page.text


class TestEncodings:
    """A page is read as it is without Splash: its bytes are believed more than what is said of them."""

    @pytest.mark.parametrize(
        ("encoding", "kind", "calls"),
        [
            pytest.param("utf-8", "text/html; charset=utf-8", 1, id="declared"),
            pytest.param("gbk", "text/html; charset=gb2312", 1, id="declared-gbk"),
            pytest.param("utf-8", "text/html", 2, id="not-declared"),
            pytest.param("gbk", "text/html", 2, id="not-declared-gbk"),
            pytest.param("utf-8", "text/html; charset=iso-8859-1", 2, id="falsely-declared"),
        ],
    )
    def test(self, tab: Tab, site: SampleSite, encoding: str, kind: str, calls: int) -> None:
        page = tab.open((written(head="<title>今日新闻</title>") + "<p>港口").encode(encoding), {"Content-Type": kind})
        assert is_rendered(page)
        assert "<title>今日新闻</title>" in page.text
        assert "<p>渡轮复航</p>" in page.text
        assert "<p>港口" in page.text
        assert len(tab.said) == calls
        assert site.asked(STORY.url) == [STORY.url]

    def test_a_misread_page_leads_nowhere_either(self, tab: Tab, site: SampleSite) -> None:
        away = "<script>location.href = '/gb/private/'</script><iframe src='/gb/private/'></iframe>"
        tab.open(written(head="<title>今日新闻</title>") + away, {"Content-Type": "text/html"})
        assert len(tab.said) == 2
        assert site.asked("private") == []
