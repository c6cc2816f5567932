"""A feed or sitemap → the articles that it names. Pure: bytes in, no crawler, no network.

Both are XML that anybody may have broken or baited, so a file is read as a stream and no tree is built of it: only the
few fields of one entry at a time are in memory, whatever else it holds. Nothing outside the file is ever read, and
libxml2 bounds what the entities it declares may grow to.
"""

from __future__ import annotations

import contextlib
import dataclasses
import struct
import zlib
from collections.abc import Mapping

from lxml import etree  # type: ignore[import-untyped]  # it has no stubs
from scrapy.utils.gz import gunzip

from mirror_crawler.pages import PageError

MOST_ENTRIES = 50_000
"""Entries that are read; as many as the protocol of sitemaps allows."""
MOST_ELEMENTS = 40 * MOST_ENTRIES
"""Elements that are read, of whatever kind; news sitemaps have about ten an entry."""
LONGEST = 32 * 1024 * 1024
"""Bytes that a packed file may unpack to."""

_GZIP = b"\x1f\x8b"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r"))
"""Characters that XML cannot hold; at some of them, libxml2 gives up."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FeedEntry:
    """One entry of a feed. ``link`` and ``guid`` are addresses or not, as the outlet pleases, and one may be empty:
    the article is what ``Addresses.find_article`` finds in the first that leads to one.
    """

    link: str
    guid: str
    title: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SitemapEntry:
    """One address of a sitemap. ``title`` and ``published`` are empty unless it is a news sitemap; the zone that
    ``published`` states is no more to be trusted than those of pages (FACTS B2).
    """

    url: str
    title: str
    published: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Sitemap:
    """A sitemap: the pages it names, or, when it is an index, the addresses of further sitemaps."""

    entries: list[SitemapEntry]
    sitemaps: list[str]


def feed_entries(body: bytes) -> list[FeedEntry]:
    """The entries of an RSS 2.0 or Atom feed in order, none when it is empty; PageError when it is no feed."""
    reader = _read(body, "feed", {"rss": "item", "feed": "entry"}, _FEED_FIELDS)
    entries = [FeedEntry(**(_NO_FEED_ENTRY | record)) for record in reader.records]
    return [entry for entry in entries if entry.link or entry.guid]


def sitemap_entries(body: bytes) -> Sitemap:
    """What a sitemap names, plain or packed by gzip; PageError when it is no sitemap."""
    reader = _read(body, "sitemap", {"urlset": "url", "sitemapindex": "sitemap"}, _SITEMAP_FIELDS)
    records = [record for record in reader.records if "url" in record]
    if reader.root == "sitemapindex":
        return Sitemap(entries=[], sitemaps=[record["url"] for record in records])
    return Sitemap(entries=[SitemapEntry(**(_NO_SITEMAP_ENTRY | record)) for record in records], sitemaps=[])


_FEED_FIELDS = {"link": "link", "guid": "guid", "id": "guid", "title": "title"}
_NO_FEED_ENTRY = {"link": "", "guid": "", "title": ""}

_SITEMAP_FIELDS = {
    "loc": "url",
    "+news/title": "title",
    "+news/publication_date": "published",
    "news/title": "title",  # the prefix was never declared
    "news/publication_date": "published",
}
_NO_SITEMAP_ENTRY = {"url": "", "title": "", "published": ""}


def _read(body: bytes, what: str, roots: Mapping[str, str], fields: Mapping[str, str]) -> _Reader:
    """Read a file of one kind as far as it can be read. ``roots``: name of the root → name of its entries."""
    body = _unpacked(body, what).lstrip()  # a declaration of the encoding counts only at the very beginning
    if not body.startswith(_UTF_16):
        body = body.translate(None, _CONTROLS)
    reader = _Reader(roots, fields)
    # What is UTF-8 is UTF-8, whatever it declares (FACTS A7).
    parser = etree.XMLParser(
        target=reader, recover=True, resolve_entities="internal", encoding="utf-8" if _is_utf8(body) else None
    )
    with contextlib.suppress(_EnoughError):
        etree.fromstring(body, parser)
    if reader.root not in roots:
        raise PageError(f"no {what} (<{reader.root:.40}>)" if reader.root else f"no {what} (not XML)")
    return reader


def _unpacked(body: bytes, what: str) -> bytes:
    if not body.startswith(_GZIP):
        return body
    try:
        return gunzip(body, max_size=LONGEST)
    except (OSError, EOFError, struct.error, zlib.error):
        raise PageError(f"no {what} (cannot be unpacked)") from None
    except ValueError:  # Scrapy's own class for it is private
        raise PageError(f"no {what} (unpacks to more than {LONGEST // 1024 // 1024} MiB)") from None


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


class _EnoughError(Exception):
    """Ends the parsing of a file."""


class _Reader:
    """What lxml tells what it reads (its "parser target"). Gathers ``records``, one an entry: field → text.

    A field is known by the names of the elements that lead to it from the entry, joined by ``/``. A name begins with
    ``+`` where the namespace changes, which tells ``media:title`` from the entry's own ``title``.
    """

    def __init__(self, roots: Mapping[str, str], fields: Mapping[str, str]) -> None:
        self.root = ""
        self.records: list[dict[str, str]] = []
        self._roots, self._fields = roots, fields
        self._root_namespace = ""
        self._elements = 0
        self._record: dict[str, str] | None = None
        self._path: list[str] = []
        self._namespaces: list[str] = []
        self._field, self._field_depth = "", 0
        self._text: list[str] = []

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """An element begins."""
        namespace, _, name = tag.rpartition("}")
        self._elements += 1
        if not self.root:
            self.root, self._root_namespace = name, namespace
            if name not in self._roots:
                raise _EnoughError
        if self._elements > MOST_ELEMENTS:
            raise _EnoughError
        if name == self._roots[self.root] and namespace == self._root_namespace:
            self._entry_ends()  # if one is open, its end tag is missing
            self._record, self._path, self._namespaces = {}, [], [namespace]
        elif self._record is not None:
            self._path.append(name if namespace == self._namespaces[-1] else f"+{name}")
            self._namespaces.append(namespace)
            if not self._field:
                self._field_begins(self._record, attributes)

    def end(self, tag: str) -> None:  # noqa: ARG002  (lxml says which)
        """An element ends."""
        if self._record is None:
            return
        if not self._path:
            self._entry_ends()
            return
        if self._field and len(self._path) == self._field_depth:
            text = " ".join("".join(self._text).split())
            if text:
                self._record.setdefault(self._field, text)
            self._field = ""
        self._path.pop()
        self._namespaces.pop()

    def data(self, text: str) -> None:
        """Text goes on."""
        if self._field:
            self._text.append(text)

    def close(self) -> None:
        """The file ends. An entry that is still open is cut off, and so perhaps is its address."""

    def _field_begins(self, record: dict[str, str], attributes: Mapping[str, str]) -> None:
        self._field = self._fields.get("/".join(self._path), "")
        self._field_depth, self._text = len(self._path), []
        # Atom puts the address in an attribute, and other relations than the article itself beside it.
        address = attributes.get("href", "").strip()
        if self._field == "link" and address and attributes.get("rel", "alternate") == "alternate":
            record.setdefault("link", address)

    def _entry_ends(self) -> None:
        if self._record:
            self.records.append(self._record)
        self._record, self._field = None, ""
        if len(self.records) == MOST_ENTRIES:
            raise _EnoughError
