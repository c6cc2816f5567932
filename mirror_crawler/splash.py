"""Pages through a Splash server, with scrapy-splash: imported only when SPLASH_URL is set.

scrapy-splash 0.11.1 (of 2025) does not run on Scrapy 2.19 as its manual wires it, as downloader middlewares. Here it is
asked by the download handler instead: to every middleware a page that Splash fetches is a request to the outlet like
any other, with the outlet's own answer. That makes most cures needless; this is what became of each trouble:

* It imports ``canonicalize_url`` from a place that Scrapy 2.16 gave up: put back below, before the import.
* Its slot policy asks Scrapy for ``_get_slot_key``, which is gone: ``SlotPolicy.SCRAPY_DEFAULT`` does not ask, and the
  request has the outlet's slot already.
* Its middlewares have signatures that Scrapy deprecates: called from here, with the spider, nobody warns.
* ``SplashDeduplicateArgsMiddleware`` cannot read asynchronous output: left out. It only saves sending the script again.
* Requests to Splash look like foreign ones to checks of hosts, to robots.txt, to proxies and retries: they are made
  behind all of these.
* A site that is told ``Accept-Encoding: br`` sends what WebKit cannot read; scrapy-splash has HttpCompressionMiddleware
  moved to 810 for that. Here the header is not passed on, and ``Content-Encoding`` is not passed back.
* ``SplashRequestFingerprinter`` keeps rendered pages apart from others in an HTTP cache; see browser.py.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import sys
from collections.abc import Awaitable, Callable, Collection
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

import scrapy.utils.url
import w3lib.url
from scrapy import Request
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
    ResponseDataLossError,
)
from scrapy.http import Headers, HtmlResponse, Response
from scrapy.utils.asyncio import sleep

from mirror_crawler.browser import RENDER, UNRENDERED, splash_address
from mirror_crawler.encoding import decoded
from mirror_crawler.ending import RunEndedError
from mirror_crawler.gate import NotSentError
from mirror_crawler.pages import PageError, parsed

vars(scrapy.utils.url).setdefault("canonicalize_url", w3lib.url.canonicalize_url)

from scrapy_splash import SlotPolicy, SplashJsonResponse, SplashMiddleware, SplashRequestFingerprinter  # noqa: E402

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

__all__ = ["Splash", "SplashRequestFingerprinter"]

logger = logging.getLogger(__name__)

Download = Callable[[Request], Awaitable[Response]]
"""How a request is sent; Scrapy's own download handler."""

COMES_BACK = 60.0
"""Seconds for which a Splash that does not answer is waited for."""
_NOT_SENT_TO_SPLASH = "not sent: Splash cannot be used"
_BETWEEN_PINGS = 0.5
_PING_TIMEOUT = 5.0
_LONGEST = 85.0
"""Seconds for one page: Splash refuses more than 90, unless it is started with another ``--max-timeout``."""
_AS_JSON = 8
"""Times by which a page can grow in an answer of Splash: 6 as JSON without what is not ASCII, 4/3 as base64."""
_NOT_SENT = ("Accept-Encoding", "Proxy-Authorization")
_NOT_PASSED_BACK = ("Content-Encoding", "Content-Length", "Content-Type", "Transfer-Encoding")
"""What does not hold for the page as Splash gives it: whole, unpacked, in UTF-8."""
_VALIDATORS = ("ETag", "Last-Modified")
_GONE = (DownloadConnectionRefusedError, DownloadFailedError, ResponseDataLossError, OSError)
"""What a download ends with when Splash is not there, or ends in the midst of it."""
_ERRORS: dict[str, type[Exception]] = {
    "network1": DownloadConnectionRefusedError,
    "network2": ResponseDataLossError,
    "network3": CannotResolveHostError,
    "network4": DownloadTimeoutError,
    "network5": DownloadTimeoutError,
    "webkit102": IgnoreRequest,  # something to be saved to a file
}
"""Qt's errors as what Scrapy raises where it downloads itself."""
_SILENT = ["script", "style", "noscript", "template"]
_SHOWS = "img, iframe, video, audio, table"


class Splash:
    """A Splash server, and how a page is asked through it.

    ``hosts`` are all that pages may load from; ``give_up`` is told once when the server cannot be used, and why.
    """

    def __init__(
        self, crawler: Crawler, download: Download, hosts: Collection[str], give_up: Callable[[str], None]
    ) -> None:
        self.crawler = crawler
        self.address = splash_address(crawler.settings)
        self._download = download
        self._hosts = sorted(hosts)
        self._tell = give_up
        self._patience = crawler.settings.getint("MIRROR_RENDER_WAIT")
        authorization = self.address.authorization or None
        self._middleware = SplashMiddleware(
            crawler, self.address.url, SlotPolicy.SCRAPY_DEFAULT, log_400=True, auth=authorization
        )
        self._script = files("mirror_crawler").joinpath("splash.lua").read_text(encoding="utf-8")
        self._given_up = False
        self._under_way = 0
        self._one_by_one = asyncio.Lock()

    async def fetch(self, request: Request) -> Response:
        """What the outlet answers to ``request``: its status and headers, and the page as its scripts have built it.

        Redirects are answers too, so Scrapy follows them, or not. A page that was not built in time has the flag
        :data:`browser.UNRENDERED`. Raises what a download raises; NotSentError when Splash cannot be used,
        RunEndedError when it is away and the run is told to stop, and IgnoreRequest for a page that is no text or
        larger than DOWNLOAD_MAXSIZE.
        """
        answer = await self._answer(request)
        markup = _misread(request, answer)
        built = await self._answer(request, markup) if markup else answer
        return _outlets_answer(request, answer, built)

    async def _answer(self, request: Request, markup: str = "") -> Any:
        """The ``SplashJsonResponse`` with what splash.lua returns; ``markup`` is the page, if it was fetched before."""
        asked = self._middleware.process_request(self._order(request, markup), self.crawler.spider)
        raw = await self._ask(asked)
        answer = self._middleware.process_response(asked, raw, self.crawler.spider)
        if raw.status != 200 or not isinstance(answer, SplashJsonResponse):
            raise self._failure(raw)
        if "failed" in answer.data:
            reason = answer.data["failed"]
            if reason == "large":
                raise IgnoreRequest(f"larger than {self._largest(request)} bytes (DOWNLOAD_MAXSIZE)")
            raise _ERRORS.get(reason, DownloadFailedError)(f"no page ({reason} in Splash)")
        return answer

    def _largest(self, request: Request) -> int:
        maximum = int(request.meta.get("download_maxsize", self.crawler.settings.getint("DOWNLOAD_MAXSIZE")))
        return maximum or sys.maxsize

    def _order(self, request: Request, markup: str) -> Request:
        """The page with all that the script has to know, as scrapy-splash takes it."""
        timeout = min(float(request.meta.get("download_timeout") or _LONGEST), _LONGEST)
        largest = self._largest(request)
        args = {
            "built": json.dumps(request.meta[RENDER]["args"]["built"]),
            "lua_source": self._script,
            "origins": [f"{scheme}://{host}/" for host in self._hosts for scheme in ("https", "http")],
            "allowed_domains": ",".join(self._hosts),  # looser than the origins, but Splash's own
            "patience": min(self._patience, timeout / 2),
            "largest": largest,
            "timeout": timeout,
            "via": _proxy(request),
            **({"markup": markup} if markup else {}),
        }
        headers = {name: value for name, value in request.headers.items() if name.decode() not in _NOT_SENT}
        options = {**request.meta[RENDER], "args": args, "slot_policy": SlotPolicy.SCRAPY_DEFAULT}
        meta = {RENDER: options, "download_timeout": timeout, "download_maxsize": _AS_JSON * largest}
        return Request(request.url, headers=headers, meta=meta)

    async def _ask(self, asked: Request) -> Response:
        """Splash's answer. One that ends is waited for; the pages that it had are then asked for one by one, which
        shows of which of them it ends.
        """
        async with self._one_by_one:  # before others
            pass
        try:
            return await self._sent(asked)
        except _GONE as error:
            logger.warning("Splash at %s is gone (%s); waiting for it", self.address.url, type(error).__name__)
        async with self._one_by_one:
            while await self._comes_back():
                others = self._under_way
                try:
                    return await self._sent(asked)
                except _GONE:
                    if not others:
                        raise IgnoreRequest("Splash ended twice while it had this page") from None
            if not self.crawler.crawling:
                raise RunEndedError
            self._give_up(f"Splash at {self.address.url} cannot be reached (SPLASH_URL)")
        raise NotSentError(_NOT_SENT_TO_SPLASH)

    async def _sent(self, asked: Request) -> Response:
        if self._given_up:
            raise NotSentError(_NOT_SENT_TO_SPLASH)
        self._under_way += 1
        try:
            return await self._download(asked)
        finally:
            self._under_way -= 1

    async def _comes_back(self) -> bool:
        ping = Request(
            urljoin(self.address.url, "_ping"), headers=self.address.headers, meta={"download_timeout": _PING_TIMEOUT}
        )
        waited = 0.0
        while waited < COMES_BACK and not self._given_up and self.crawler.crawling:
            try:
                if (await self._download(ping.copy())).status == 200:
                    return True
            except (*_GONE, DownloadTimeoutError):
                pass
            await sleep(_BETWEEN_PINGS)
            waited += _BETWEEN_PINGS
        return False

    def _failure(self, raw: Response) -> Exception:
        """What an answer that is Splash's own means: it was too slow, out of order, or does not do what it is told."""
        if raw.status == 504:
            return DownloadTimeoutError("Splash did not get the page in time")
        if raw.status >= 500:
            return DownloadFailedError(f"Splash answers HTTP {raw.status}")
        if raw.status == 400:  # scrapy-splash has logged it; Lua ran out of what Splash grants it, for example
            return IgnoreRequest("Splash could not run its script on the page")
        said = f"HTTP {raw.status} {raw.body[:200]!r}"
        self._give_up(f"Splash at {self.address.url} refuses to work: {said} (SPLASH_URL)")
        return NotSentError(_NOT_SENT_TO_SPLASH)

    def _give_up(self, problem: str) -> None:
        """Tell that what needs Splash would fail page by page."""
        if not self._given_up:
            self._given_up = True
            self._tell(problem)


def _outlets_answer(request: Request, answer: Any, built: Any) -> HtmlResponse:
    """The outlet's ``answer`` to ``request``, with the page as it was ``built``, maybe by a second call of Splash."""
    said = answer if built.status == 200 else built  # data that asks for a rest speaks for the page
    headers = Headers({name: b"\n".join(values).split(b"\n") for name, values in said.headers.items()})
    for name in _NOT_PASSED_BACK:
        headers.pop(name, None)
    if answer.data["loaded"] or built.data["loaded"]:
        for name in _VALIDATORS:  # they speak for the empty page, which stays as it is when the news change
            headers.pop(name, None)
    seen = built.data.get("built")
    is_built = _is_built(built.body, request.meta[RENDER]["args"]["built"]) if seen is None else seen
    return HtmlResponse(
        request.url,
        status=said.status,
        headers=headers,
        body=built.body,
        encoding="utf-8",
        flags=[] if is_built else [UNRENDERED],
        request=request,
    )


def _is_built(body: bytes, selectors: Collection[str]) -> bool:
    """Whether a page has what it must, judged by its markup: for pages into which Splash cannot look."""
    try:
        page = parsed(body)
    except PageError:
        return False
    page.strip_tags(_SILENT)
    found = (node for selector in selectors for node in page.css(selector))
    return any(node.text().strip() or node.css_first(_SHOWS) is not None for node in found)


def _misread(request: Request, answer: Any) -> str:
    """The page as the crawler reads its bytes, when WebKit took them for something else; empty when both agree.

    WebKit believes what is declared, and takes for Latin what declares nothing.
    """
    sent, charset = answer.data.get("sent"), answer.data.get("charset")
    if not sent or not charset or (body := base64.b64decode(sent)).isascii():
        return ""
    page = HtmlResponse(request.url, headers={"Content-Type": answer.headers.get("Content-Type") or b""}, body=body)
    markup = decoded(page)
    if markup is None:
        raise IgnoreRequest("cannot be decoded as text")
    text = markup.decode() if isinstance(markup, bytes) else markup
    try:
        return "" if body.decode(charset) == text else text
    except (LookupError, TypeError, ValueError):  # no encoding, no text at all: a page can say what it likes
        return text


def _proxy(request: Request) -> dict[str, Any] | None:
    """The proxy that Scrapy would take, as the script wants it."""
    address = request.meta.get("proxy")
    if not address:
        return None
    parts = urlsplit(address)
    proxy: dict[str, Any] = {"host": parts.hostname, "port": parts.port or 80}
    if (header := request.headers.get("Proxy-Authorization")) is not None:
        user, _, password = base64.b64decode(header.split()[-1]).decode().partition(":")
        proxy |= {"username": user, "password": password}
    return proxy
