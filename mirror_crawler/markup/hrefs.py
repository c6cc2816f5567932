"""Addresses as they may stand in a body, made of what editors wrote."""

from __future__ import annotations

import functools
import re
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

_ADDRESS_LIMIT = 4_000
_JUNK = " \t\r\n\f\u3000\xa0\"'“”‘’。;\\"
_ENCODED_JUNK = re.compile(r"%22|%27|%E2%80%9[89CD]|%E3%80%82", re.IGNORECASE)
"""What editors glue to addresses: quotes, a full stop, a semicolon (FACTS A1, B1)."""

_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?)*")
_PLAIN = re.compile(
    r"https?://[a-z0-9](?:[a-z0-9-]{0,60}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,60}[a-z0-9])?){1,3}"
    r"/(?:[A-Za-z0-9/._~@:-]++|%(?!22|27|E2%80%9[89CD]|E3%80%82)[0-9A-F]{2})*+"
)
"""Most addresses: nothing about them needs a change."""

_TRACKING = re.compile(r"(?:utm_\w+|fbclid|gclid|ref_src)(?:=|$)")
_BARE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ESCAPED = re.compile(r"%[0-9a-f]{2}", re.IGNORECASE)
_ADVERT = re.compile(
    r"https?://(?:ads?\.|(?:[^/]*\.)?(?:doubleclick\.net|googlesyndication\.com|googleadservices\.com|adnxs\.com"
    r"|googletagmanager\.com|google-analytics\.com|amazon-adsystem\.com|taboola\.com|outbrain\.com|dable\.io"
    r"|criteo\.(?:com|net)|scorecardresearch\.com|rubiconproject\.com|pubmatic\.com|openx\.net"
    r"|adservice\.google\.[a-z.]+)(?:[:/?#]|$)"
    r"|www\.facebook\.com/(?:tr\b|(?:v[\d.]+/)?plugins/(?!video|post))|platform\.twitter\.com/widgets)"
)


class Page:
    """The page that a body is of, for the addresses in it."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._itself = (safe_address(address, "") or "").partition("#")[0]

    def elsewhere(self, raw: str | None) -> str | None:
        """The address of something that is neither an advertisement nor a place in the page itself."""
        address = safe_address(raw, self.address) if raw else None
        if address and (is_advert(address) or ("#" in address and address.partition("#")[0] == self._itself)):
            return None
        return address


def is_advert(address: str) -> bool:
    """Of an advertiser, or of something that only counts visitors."""
    return _ADVERT.match(address) is not None


def safe_address(raw: str, base: str) -> str | None:
    """An address as it may stand in a body: absolute http(s), ASCII, no user information, no tracking parameters.

    None for anything else, and for what a second pass would change: what is kept is stable.
    """
    if len(raw) <= _ADDRESS_LIMIT and _PLAIN.fullmatch(raw):
        return raw
    return _stable_address(raw, "" if raw.startswith(("http://", "https://")) else base)


@functools.lru_cache(maxsize=8192)
def _stable_address(raw: str, base: str) -> str | None:
    found = _cleaned_address(raw, base)
    return found if found and (_PLAIN.fullmatch(found) or _cleaned_address(found, "") == found) else None


def _cleaned_address(raw: str, base: str) -> str | None:
    raw = _without_junk(raw) if len(raw) <= _ADDRESS_LIMIT else ""
    if not raw or raw.startswith("#"):
        return None
    try:
        parts = urlsplit(urljoin(base, raw))
        host, port = (parts.hostname or "").encode("idna").decode(), parts.port
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or "@" in parts.netloc or not _HOST.fullmatch(host):
        return None
    query = parts.query
    if "utm_" in query or "clid" in query or "ref_src" in query:
        query = "&".join(part for part in query.split("&") if not _TRACKING.match(part))
    place = (_ascii(part) for part in (parts.path or "/", query, parts.fragment))
    address = urlunsplit((parts.scheme, host if port is None else f"{host}:{port}", *place))
    return address if len(address) <= _ADDRESS_LIMIT else None


def _without_junk(raw: str) -> str:
    raw = raw.strip(_JUNK)
    while match := _ENCODED_JUNK.match(raw):
        raw = raw[match.end() :].lstrip(_JUNK)
    while match := _ENCODED_JUNK.search(raw, max(0, len(raw) - 9)):
        if match.end() != len(raw):
            break
        raw = raw[: match.start()].rstrip(_JUNK)
    return raw


def _ascii(part: str) -> str:
    """Percent-encode what is not plain in a URL; escapes that are there stay, in upper case."""
    part = quote(_BARE_PERCENT.sub("%25", part), safe="%/:?=&+$,;@!*~()-._[]#", errors="replace")
    return _ESCAPED.sub(lambda match: match[0].upper(), part) if "%" in part else part
