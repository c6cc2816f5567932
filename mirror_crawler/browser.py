"""Which pages need a browser, because scripts build them, and what has to be there for it. Nothing of Splash is
imported unless SPLASH_URL is set.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from http.client import HTTPException
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from urllib.error import HTTPError
from urllib.parse import unquote, urljoin, urlsplit
from urllib.request import ProxyHandler, build_opener
from urllib.request import Request as UrlRequest

from scrapy.utils.request import RequestFingerprinter
from w3lib.http import basic_auth_header

from mirror_crawler.config import SettingError, text_or_file
from mirror_crawler.stopping import stop

if TYPE_CHECKING:
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
"""Seconds for which a Splash that was just started is waited for at the start of a run."""
_BETWEEN_PINGS = 0.5
_PING_TIMEOUT = 5.0
_PING_ANSWER = 1_000
_NOT_YET = (502, 503, 504)
"""What stands before a Splash answers while that starts."""
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


class SplashAddress(NamedTuple):
    """Where a Splash server is. ``url`` can be shown; ``authorization`` is the header for what stands before the
    server and wants a password, empty for none.
    """

    url: str
    authorization: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """What every request to it carries."""
        return {"Authorization": self.authorization} if self.authorization else {}


def splash_address(settings: BaseSettings) -> SplashAddress:
    """The server that SPLASH_URL names, itself or in a file (``@file``); SettingError when it names none. Its message
    does not show the value, which may hold a password.
    """
    text = text_or_file("SPLASH_URL", str(settings["SPLASH_URL"])).strip()
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise SettingError(f"SPLASH_URL: {_FORM}")
    secret, _, host = parts.netloc.rpartition("@")
    user, _, password = secret.partition(":")
    authorization = basic_auth_header(unquote(user), unquote(password), "utf-8").decode() if secret else ""
    return SplashAddress(f"{parts.scheme}://{host}", authorization)


def check_splash(settings: BaseSettings, outlet: str, kinds: Collection[PageKind]) -> None:
    """Raise SettingError when ``kinds`` of an outlet's pages need Splash and SPLASH_URL names none."""
    if settings["SPLASH_URL"]:
        splash_address(settings)
    elif kinds:
        pages = " and ".join(f"{kind} pages" for kind in KINDS if kind in kinds)
        raise SettingError(f"SPLASH_URL: is not set, and the {pages} of {outlet} are built by scripts; {_FORM}")


def splash_problem(settings: BaseSettings) -> str:
    """Why the Splash that SPLASH_URL names cannot be used; empty when it answers. Asks it, for :data:`STARTS` seconds
    at most, or until this process is told to stop.
    """
    try:
        address = splash_address(settings)
    except SettingError as error:  # a scheduler of one's own may not go through the command, which would have refused
        return str(error)
    cause = _silence(address)
    return f"no Splash answers at {address.url} ({cause}); start it, or correct SPLASH_URL" if cause else ""


def _silence(address: SplashAddress) -> str:
    """Why no Splash answers; empty when one does."""
    opener = build_opener(ProxyHandler({}))
    ping = UrlRequest(urljoin(address.url, "_ping"), headers=address.headers)  # noqa: S310 - http or https
    deadline = time.monotonic() + STARTS
    while True:
        try:
            with opener.open(ping, timeout=_PING_TIMEOUT) as answer:
                return "" if b"maxrss" in answer.read(_PING_ANSWER) else "another server does"
        except HTTPError as error:
            if error.code not in _NOT_YET:
                return f"another server does, with HTTP {error.code}"
            cause = str(error.reason)
        except (OSError, HTTPException) as error:
            cause = str(getattr(error, "reason", error))
        if stop.asked or time.monotonic() > deadline:
            return cause
        time.sleep(_BETWEEN_PINGS)


class Fingerprinter:
    """Tells requests apart: a page as its scripts build it is another than the page as it is sent."""

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Any:
        """Scrapy's own, or that of scrapy-splash."""
        if not crawler.settings["SPLASH_URL"]:
            return RequestFingerprinter.from_crawler(crawler)
        from mirror_crawler.splash import SplashRequestFingerprinter

        return SplashRequestFingerprinter.from_crawler(crawler)
