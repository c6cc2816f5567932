"""Which pages need a browser, because scripts build them, and what has to be there for it. Nothing of Splash is
imported unless SPLASH_URL is set.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from http.client import HTTPException
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urljoin, urlsplit
from urllib.request import ProxyHandler, build_opener

from scrapy.exceptions import IgnoreRequest
from scrapy.utils.request import RequestFingerprinter

from mirror_crawler.config import SettingError
from mirror_crawler.pace import PatientHandler

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from scrapy.settings import BaseSettings

PageKind = Literal["list", "article"]
KINDS: tuple[PageKind, ...] = ("list", "article")
RENDER = "splash"
"""Request meta key of scrapy-splash: the page is fetched through Splash, with these options."""
UNRENDERED = "unrendered"
"""Flag of a response: its scripts did not build the page."""

STARTS = 10.0
"""Seconds for which a Splash that was just started is waited for before a crawl."""
_BETWEEN_PINGS = 0.5
_PING_TIMEOUT = 5.0
_PING_ANSWER = 1_000
_FORM = "use the address of a Splash server, like http://127.0.0.1:8050 (make splash starts one)"


def rendered_kinds(declared: Collection[PageKind], asked: str) -> frozenset[PageKind]:
    """The kinds of pages that are fetched through Splash: those that the outlet declares, all or none of them when
    ``splash`` or ``none`` is asked for.
    """
    return frozenset({"splash": KINDS, "none": ()}.get(asked, tuple(declared)))


def options(selector: str) -> dict[str, Any]:
    """What a request for a page carries under :data:`RENDER`; ``selector`` finds something once the page is built."""
    return {"endpoint": "execute", "args": {"built": selector.split(", ")}}


def is_rendered(response: Response) -> bool:
    """Whether a page is as its scripts build it, or needed none."""
    return UNRENDERED not in response.flags


def check_splash(settings: BaseSettings, outlet: str, kinds: Collection[PageKind]) -> None:
    """Raise SettingError when ``kinds`` of an outlet's pages need Splash and there is none."""
    url = str(settings["SPLASH_URL"] or "")
    if not url:
        if kinds:
            pages = " and ".join(f"{kind} pages" for kind in KINDS if kind in kinds)
            raise SettingError(f"SPLASH_URL: is not set, and the {pages} of {outlet} are built by scripts; {_FORM}")
        return
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise SettingError(f"SPLASH_URL={url}: {_FORM}")
    if kinds and (cause := _silence(url)):
        raise SettingError(f"SPLASH_URL={url}: no Splash answers there ({cause}); {_FORM}")


def _silence(url: str) -> str:
    """Why no Splash answers at ``url``; empty when one does."""
    opener = build_opener(ProxyHandler({}))
    deadline = time.monotonic() + STARTS
    while True:
        try:
            with opener.open(urljoin(url, "_ping"), timeout=_PING_TIMEOUT) as answer:
                return "" if b"maxrss" in answer.read(_PING_ANSWER) else "another server does"
        except (OSError, HTTPException) as error:
            cause = str(getattr(error, "reason", error))
        if time.monotonic() > deadline:
            return cause
        time.sleep(_BETWEEN_PINGS)


class PageHandler(PatientHandler):
    """Download handler: what needs a browser is asked through Splash, all else directly, both at the outlet's pace."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._splash = None
        if crawler.settings["SPLASH_URL"]:
            from mirror_crawler.splash import Splash

            self._splash = Splash(crawler, super().fetch)

    async def fetch(self, request: Request) -> Response:
        """The outlet's answer. A page that needs a browser is never asked without one: it would look empty."""
        if RENDER not in request.meta:
            return await super().fetch(request)
        if self._splash is None:
            raise IgnoreRequest("not sent: it needs Splash, and SPLASH_URL is not set")
        return await self._splash.fetch(request)


class Fingerprinter:
    """Tells requests apart: a page as its scripts build it is another than the page as it is sent."""

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Any:
        """Scrapy's own, or that of scrapy-splash."""
        if not crawler.settings["SPLASH_URL"]:
            return RequestFingerprinter.from_crawler(crawler)
        from mirror_crawler.splash import SplashRequestFingerprinter

        return SplashRequestFingerprinter.from_crawler(crawler)
