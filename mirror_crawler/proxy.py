"""Which proxy an outlet is asked through: the operator's for this outlet, the one for all, or the environment's."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from scrapy.exceptions import NotConfigured

from mirror_crawler.config import SettingError, text_or_file

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler

SETTING = "MIRROR_PROXY"
_FORM = "use the address of an http proxy, like http://host:3128 or http://user:password@host:3128"
_UNUSABLE = re.compile(r"[\s\x00-\x1f\x7f\\]")


class OutletProxy:
    """Downloader middleware: sends every request of the outlet, those for robots.txt too, through its own proxy.

    It must stand before Scrapy's HttpProxyMiddleware, which takes the credentials out of the address, and which asks
    the environment (``http_proxy``, ``https_proxy``, ``no_proxy``) where no setting names a proxy.
    """

    def __init__(self, address: str) -> None:
        self._address = address

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Scrapy's factory. SettingError for a proxy that cannot be used; disabled when none is set."""
        address = proxy_of(crawler.settings, crawler.spider.name if crawler.spider else "")
        if not address:
            raise NotConfigured
        return cls(address)

    def process_request(self, request: Request) -> None:
        """Name the proxy."""
        request.meta["proxy"] = self._address


def proxy_of(settings: Mapping[str, Any], outlet: str) -> str:
    """The address of the proxy for ``outlet``: MIRROR_PROXY_<OUTLET>, else MIRROR_PROXY; empty when neither is set.
    Each may be ``@file``.

    SettingError for one that cannot be used; its message never shows the value, which may hold a password.
    """
    for name in (f"{SETTING}_{outlet.upper()}", SETTING):
        if address := text_or_file(name, str(settings.get(name) or "")).strip():
            _check(name, address)
            return address
    return ""


def check_proxies(settings: Mapping[str, Any], outlets: Iterable[str]) -> None:
    """Raise SettingError when a MIRROR_PROXY* setting cannot be used or names no outlet: what was meant to go through a
    proxy must not leave without it.
    """
    known = {f"{SETTING}_{outlet.upper()}": outlet for outlet in outlets}
    for name in settings:
        if name.startswith(f"{SETTING}_") and name not in known:
            raise SettingError(f"{name}: no such outlet; use {' or '.join((SETTING, *known))}")
    for outlet in known.values():
        proxy_of(settings, outlet)


def _check(name: str, address: str) -> None:
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or port == 0 or _UNUSABLE.search(address) or not address.isascii():
        raise SettingError(f"{name}: {_FORM}")
    if parts.scheme == "https":
        raise SettingError(f"{name}: an https proxy cannot be used for https pages; {_FORM}")
    if parts.scheme != "http" or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise SettingError(f"{name}: {_FORM}")
