"""What is asked of Splash, and what becomes of its answers. test_splash_crawl.py does it with a real one."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import sys
from collections.abc import Mapping
from typing import Any

import pytest
from scrapy import Request
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
)
from scrapy.http import HtmlResponse, Response, TextResponse
from scrapy.utils.test import get_crawler

from mirror_crawler import splash
from mirror_crawler.browser import RENDER, is_rendered, options
from mirror_crawler.ending import RunEndedError
from mirror_crawler.gate import NotSentError
from mirror_crawler.spiders.epochtimes import EpochtimesSpider
from tests.mirror import news

FIRST = news("epochtimes", 1)[0].url
SPLASH = "http://splash.example:8050"
PAGE: dict[str, Any] = {
    "http_status": 200,
    "html": "<p>渡轮复航</p>",
    "built": True,
    "loaded": False,
    "headers": [
        {"name": "ETag", "value": '"1"'},
        {"name": "Last-Modified", "value": "Sun, 11 Oct 2020 14:38:10 GMT"},
        {"name": "Set-Cookie", "value": "a=1\nb=2"},
        {"name": "Content-Encoding", "value": "gzip"},
        {"name": "Content-Type", "value": "text/html; charset=big5"},
    ],
}
"""What splash.lua returns for a page."""


def read_as(charset: object, sent: bytes | None) -> dict[str, Any]:
    """What it returns for a page that it did not take for UTF-8."""
    headers = [{"name": "Content-Type", "value": "text/html"}, *PAGE["headers"][:-1]]
    return {**PAGE, "headers": headers, "charset": charset, "sent": base64.b64encode(sent).decode() if sent else None}


class Server:
    """Stands for the download handler and a Splash behind it: gives one answer after the other, the last ever after."""

    def __init__(
        self, *answers: Response | Exception | Mapping[str, Any], status: int = 200, url: str = SPLASH
    ) -> None:
        self._answers = [*answers] or [{}]
        self._status = status
        self.asked: list[Request] = []
        settings = {"SPLASH_URL": url, "MIRROR_RENDER_WAIT": "10", "DOWNLOAD_MAXSIZE": 1_000}
        crawler = get_crawler(EpochtimesSpider, settings)
        crawler.spider, crawler.crawling = EpochtimesSpider(), True
        self.problems: list[str] = []
        hosts = EpochtimesSpider.addresses.hosts | {"static.example"}
        self.splash = splash.Splash(crawler, self.download, hosts, self.problems.append)

    async def download(self, request: Request) -> Response:
        self.asked.append(request)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, Response):
            return answer
        headers = {"Content-Type": "application/json"}
        return TextResponse(request.url, self._status, headers, json.dumps(answer).encode())

    def fetch(self, headers: Mapping[str, str] | None = None, **meta: Any) -> Response:
        meta = {RENDER: options("#artbody p, .old p"), "download_timeout": 180, "download_slot": "epochtimes", **meta}
        return asyncio.run(self.splash.fetch(Request(FIRST, headers=headers, meta=meta)))

    @property
    def order(self) -> dict[str, Any]:
        """What the first request to Splash says."""
        return dict(json.loads(self.asked[0].body))

    def pings(self) -> int:
        return sum(request.url == f"{SPLASH}/_ping" for request in self.asked)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(splash, "COMES_BACK", 0.02)
    monkeypatch.setattr(splash, "_BETWEEN_PINGS", 0.01)


class TestTheOrder:
    def test_is_a_script_that_asks_only_the_outlet(self) -> None:
        server = Server(PAGE)
        server.fetch()
        (asked,) = server.asked
        assert (asked.url, asked.method) == (f"{SPLASH}/execute", "POST")
        order = server.order
        assert (order["url"], json.loads(order["built"])) == (FIRST, ["#artbody p", ".old p"])
        assert "function main(splash, args)" in order["lua_source"]
        origins = {"https://www.epochtimes.com/", "http://dajiyuan.com/", "https://static.example/"}
        assert origins < set(order["origins"])
        assert all(origin.endswith("/") for origin in order["origins"])
        assert order["allowed_domains"].split(",") == sorted({*EpochtimesSpider.addresses.hosts, "static.example"})

    @pytest.mark.parametrize(
        ("meta", "largest"),
        [
            pytest.param({}, 1_000, id="setting"),
            pytest.param({"download_maxsize": 20}, 20, id="of-the-request"),
            pytest.param({"download_maxsize": 0}, sys.maxsize, id="without"),
        ],
    )
    def test_bounds_the_page_and_leaves_room_for_it_in_the_answer(self, meta: dict[str, Any], largest: int) -> None:
        server = Server(PAGE)
        server.fetch(**meta)
        assert server.order["largest"] == largest
        assert server.asked[0].meta["download_maxsize"] > 6 * largest

    @pytest.mark.parametrize(
        ("timeout", "given", "patience"), [pytest.param(180, 85, 10, id="long"), pytest.param(8, 8, 4, id="short")]
    )
    def test_takes_no_longer_than_splash_allows(self, timeout: float, given: float, patience: float) -> None:
        server = Server(PAGE)
        server.fetch(download_timeout=timeout)
        assert (server.order["timeout"], server.order["patience"]) == (given, patience)
        assert server.asked[0].meta["download_timeout"] == given + 5  # then Splash has told

    def test_passes_on_what_the_outlet_may_see(self) -> None:
        server = Server(PAGE)
        word = "Basic d2FuZzpwQHNzLzo="  # wang:p@ss/:
        server.fetch(
            {"If-None-Match": '"1"', "Accept-Encoding": "br", "Proxy-Authorization": word},
            proxy="http://proxy.example:3128",
        )
        assert server.order["headers"] == {"If-None-Match": '"1"'}
        via = {"host": "proxy.example", "port": 3128, "username": "wang", "password": "p@ss/:"}
        assert server.order["via"] == via
        assert "proxy" not in server.asked[0].meta

    def test_names_a_proxy_without_password(self) -> None:
        server = Server(PAGE)
        server.fetch(proxy="http://proxy.example")
        assert server.order["via"] == {"host": "proxy.example", "port": 80}

    def test_leaves_the_request_as_it_is(self) -> None:
        """It is sent again after a failure, and after a redirect."""
        server = Server(PAGE)
        given = options("p")
        server.fetch(**{RENDER: given})
        assert given == options("p")


class TestTheAnswer:
    def test_is_that_of_the_outlet(self) -> None:
        page = Server(PAGE).fetch()
        assert isinstance(page, HtmlResponse)
        assert (page.url, page.status, page.text, page.encoding) == (FIRST, 200, "<p>渡轮复航</p>", "utf-8")
        assert is_rendered(page)
        assert page.headers.getlist("Set-Cookie") == [b"a=1", b"b=2"]
        assert page.headers["ETag"] == b'"1"'
        assert not {b"Content-Encoding", b"Content-Type"} & page.headers.keys()

    def test_has_no_validators_when_scripts_loaded_data(self) -> None:
        page = Server({**PAGE, "loaded": True}).fetch()
        assert list(page.headers) == [b"Set-Cookie"]

    def test_that_was_not_built_is_marked(self) -> None:
        assert not is_rendered(Server({**PAGE, "built": False}).fetch())

    @pytest.mark.parametrize(
        ("html", "rendered"),
        [
            pytest.param('<div id="artbody"><p>渡轮复航</p></div>', True, id="text"),
            pytest.param('<div class="old"><p><img src="a.jpg"></p></div>', True, id="picture"),
            pytest.param('<div id="artbody"><p> \n<script>var body = 1</script></p></div>', False, id="script-only"),
            pytest.param("<p>渡轮复航</p>", False, id="elsewhere"),
            pytest.param(f"<div id='artbody'><p>渡轮复航</p>{'<div>' * 9_000}", False, id="nested-without-end"),
        ],
    )
    def test_into_which_splash_cannot_look_is_judged_here(self, html: str, rendered: bool) -> None:
        unseen = {name: value for name, value in PAGE.items() if name != "built"}
        assert is_rendered(Server({**unseen, "html": html}).fetch()) is rendered

    @pytest.mark.parametrize(
        ("charset", "sent"),
        [
            pytest.param("UTF-8", None, id="right"),
            pytest.param("GBK", "<p>渡轮复航</p>".encode("gbk"), id="right-too"),
            pytest.param("ISO-8859-1", b"<p>ferry</p>", id="ascii"),
        ],
    )
    def test_that_was_read_rightly_is_built_once(self, charset: str, sent: bytes | None) -> None:
        server = Server(read_as(charset, sent))
        assert server.fetch().text == "<p>渡轮复航</p>"
        assert len(server.asked) == 1

    @pytest.mark.parametrize(
        ("charset", "encoding"),
        [
            pytest.param("ISO-8859-1", "utf-8", id="latin"),
            pytest.param("GBK", "utf-8", id="falsely-declared"),
            pytest.param("ISO-8859-1", "gb18030", id="nothing-declared"),
            pytest.param("x-nonsense", "utf-8", id="unknown"),
            pytest.param("x\0", "utf-8", id="no-name"),
            pytest.param("idna", "utf-8", id="no-charset"),
            pytest.param({"a": 1}, "utf-8", id="no-text"),
        ],
    )
    def test_that_was_misread_is_built_again_from_what_was_sent(self, charset: object, encoding: str) -> None:
        again = {**PAGE, "loaded": True, "headers": {}}
        server = Server(read_as(charset, "<p>今日渡轮复航</p>".encode(encoding)), again)
        page = server.fetch()
        assert json.loads(server.asked[1].body)["markup"] == "<p>今日渡轮复航</p>"
        assert "markup" not in server.order
        assert page.text == "<p>渡轮复航</p>"
        assert list(page.headers) == [b"Set-Cookie"]  # of the first answer, without validators

    def test_whose_data_asks_for_a_rest_when_it_is_built_again(self) -> None:
        asks = {**PAGE, "http_status": 503, "headers": [{"name": "Retry-After", "value": "7"}]}
        page = Server(read_as("ISO-8859-1", "渡轮".encode()), asks).fetch()
        assert (page.status, page.headers["Retry-After"]) == (503, b"7")

    def test_that_is_no_text_costs_the_page(self) -> None:
        with pytest.raises(IgnoreRequest, match="cannot be decoded as text"):
            Server(read_as("ISO-8859-1", b"\xff" * 99)).fetch()

    def test_that_is_too_large_costs_the_page(self) -> None:
        with pytest.raises(IgnoreRequest, match=r"^larger than 1000 bytes \(DOWNLOAD_MAXSIZE\)$"):
            Server({"failed": "large"}).fetch()

    @pytest.mark.parametrize("status", [304, 404])
    def test_without_a_page_has_its_status(self, status: int) -> None:
        page = Server({**PAGE, "http_status": status, "html": "", "headers": {}}).fetch()
        assert (page.status, page.body) == (status, b"")

    @pytest.mark.parametrize(
        ("reason", "error"),
        [
            pytest.param("network1", DownloadConnectionRefusedError, id="refused"),
            pytest.param("network3", CannotResolveHostError, id="no-such-host"),
            pytest.param("network5", DownloadTimeoutError, id="too-slow"),
            pytest.param("network99", DownloadFailedError, id="unknown"),
            pytest.param("webkit102", IgnoreRequest, id="no-page"),
        ],
    )
    def test_that_did_not_come_is_a_failure_of_the_download(self, reason: str, error: type[Exception]) -> None:
        with pytest.raises(error, match=f"{reason} in Splash"):
            Server({"failed": reason}).fetch()

    @pytest.mark.parametrize(
        ("status", "error"), [pytest.param(504, DownloadTimeoutError, id="504"), (500, DownloadFailedError)]
    )
    def test_of_splash_itself_is_none_of_the_outlet(self, status: int, error: type[Exception]) -> None:
        with pytest.raises(error, match="Splash"):
            Server({"error": status}, status=status).fetch()

    def test_that_the_script_failed_costs_the_page(self) -> None:
        server = Server({"error": 400, "type": "ScriptError"}, status=400)
        with pytest.raises(IgnoreRequest, match="could not run its script on the page"):
            server.fetch()
        assert server.problems == []

    @pytest.mark.parametrize("status", [403, 404])
    def test_that_it_will_not_do_it_ends_the_run(self, status: int) -> None:
        self.refused(Server({"error": status, "description": "no Lua here"}, status=status), status)

    def test_that_is_no_json_ends_the_run(self) -> None:
        self.refused(
            Server(TextResponse(f"{SPLASH}/execute", body=b"<p>hello", headers={"Content-Type": "text/html"})), 200
        )

    @staticmethod
    def refused(server: Server, status: int) -> None:
        for _ in range(2):
            with pytest.raises(NotSentError, match="not sent: Splash cannot be used"):
                server.fetch()
        assert len(server.asked) == 1
        (problem,) = server.problems
        assert problem.startswith(f"Splash at {SPLASH} refuses to work: HTTP {status}")


class TestAServerThatEnds:
    def test_is_waited_for_and_asked_again(self) -> None:
        up = TextResponse(f"{SPLASH}/_ping")
        server = Server(DownloadFailedError(), DownloadConnectionRefusedError(), up, PAGE)
        assert server.fetch().status == 200
        assert server.pings() == 2

    def test_ends_the_run_when_it_stays_away(self) -> None:
        server = Server(DownloadConnectionRefusedError())
        with pytest.raises(NotSentError, match="not sent: Splash cannot be used"):
            server.fetch()
        assert server.problems == [f"Splash at {SPLASH} cannot be reached (SPLASH_URL)"]

    def test_twice_under_one_page_costs_the_page(self) -> None:
        up = TextResponse(f"{SPLASH}/_ping")
        server = Server(DownloadFailedError(), up, DownloadFailedError(), up)
        with pytest.raises(IgnoreRequest, match="Splash ended twice while it had this page"):
            server.fetch()
        assert server.problems == []

    def test_under_one_page_costs_not_the_pages_beside_it(self) -> None:
        server = Server(PAGE)
        under_way: list[asyncio.Future[Response]] = []

        async def download(request: Request) -> Response:
            if request.url.endswith("_ping"):
                return TextResponse(request.url)
            answer: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
            under_way.append(answer)
            await asyncio.sleep(0.01)
            if json.loads(request.body)["url"] == FIRST:
                for each in under_way:
                    if not each.done():
                        each.set_exception(DownloadFailedError())
            elif not answer.done():
                answer.set_result(await Server.download(server, request))
            return await answer

        async def fetch_all() -> list[Response | BaseException]:
            meta = {RENDER: options("#artbody p"), "download_timeout": 180, "download_slot": "epochtimes"}
            pages = [FIRST, *(FIRST.replace(".htm", f"{number}.htm") for number in range(3))]
            return await asyncio.gather(
                *(server.splash.fetch(Request(url, meta=dict(meta))) for url in pages), return_exceptions=True
            )

        server.splash._download = download
        culprit, *others = asyncio.run(fetch_all())
        assert str(culprit) == "Splash ended twice while it had this page"
        assert [isinstance(answer, Response) and answer.status for answer in others] == [200] * 3

    def test_is_not_waited_for_when_the_run_is_ended(self) -> None:
        server = Server(DownloadConnectionRefusedError())
        server.splash.crawler.crawling = False
        with pytest.raises(RunEndedError):
            server.fetch()
        assert server.pings() == 0
        assert server.problems == []


class TestAPassword:
    URL = "http://wang:p%40ss@splash.example:8050"
    WORD = b"Basic d2FuZzpwQHNz"  # wang:p@ss

    def test_goes_with_every_request(self) -> None:
        server = Server(DownloadFailedError(), TextResponse(f"{SPLASH}/_ping"), PAGE, url=self.URL)
        server.fetch()
        assert [request.url for request in server.asked] == [
            f"{SPLASH}/{path}" for path in ("execute", "_ping", "execute")
        ]
        assert [request.headers["Authorization"] for request in server.asked] == [self.WORD] * 3
        assert "headers" not in server.order  # the outlet gets none

    @pytest.mark.parametrize(
        "answer",
        [
            pytest.param(DownloadConnectionRefusedError(), id="nobody-there"),
            pytest.param(TextResponse(f"{SPLASH}/execute", 401), id="refused"),
        ],
    )
    def test_is_never_told(self, answer: Response | Exception, caplog: pytest.LogCaptureFixture) -> None:
        server = Server(answer, url=self.URL)
        with caplog.at_level(logging.DEBUG), pytest.raises(IgnoreRequest) as error:
            server.fetch()
        told = f"{server.problems} {error.value} {caplog.text}"
        assert f"Splash at {SPLASH}" in told
        assert not any(secret in told for secret in ("wang", "p%40ss", "p@ss", self.WORD.decode()))
