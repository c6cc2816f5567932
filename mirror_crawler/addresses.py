"""The URL forms of an outlet: which address is an article, which a list, and the one canonical spelling of each; and
which is a picture of the outlet's own.

Pure functions of the address. A spider module states its outlet's forms as an :class:`Addresses` value
(shared facts: FACTS A1 and B1); nothing here knows an outlet.
"""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from collections.abc import Mapping
from datetime import date
from urllib.parse import parse_qs, quote, unquote, urljoin, urlsplit

from mirror_crawler.items import ListKind

LANGUAGES = {"gb": "zh-Hans", "b5": "zh-Hant"}
"""The script directory of both outlets and the language it means."""

_QUOTES = "\"'“”‘’\\"
_QUOTE = r"(?:%(?:22|27|E2%80%9[89CD])|&(?:quot|[lr][sd]quo|#3[49]);)"
_ENCODED_QUOTES = re.compile(rf"^{_QUOTE}+|{_QUOTE}+$", re.IGNORECASE)
_TRAILING_JUNK = ";,。、；，)）”\"' \u3000"
_HTM = re.compile(r"\.html?(?![a-z])")
_PLAIN = re.compile(
    r"https?://([a-z0-9.-]+)(/(?!.*/\.)[^\s?#;,\"'\\“”‘’，。、；）)]*+)(?<!%2[27])(?<!%[eE]2%80%9[89cdCD])"
)
"""Most addresses: absolute, and nothing glued to them."""

_DAY = re.compile(r"/(\d{1,4})/(\d{1,2})/(\d{1,2})/")
_SLUG_LIMIT = 100
_CAPITALS = re.compile(r"[A-Z]+")
_NO_SLUG = re.compile(r"[/\\\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffd]")
"""What would be a path, a control character, a mark of reading direction or the remains of broken escapes."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ArticleAddress:
    """An article's identity as its address tells it. ``url`` is canonical; ``language`` is BCP 47."""

    article_id: str
    url: str
    language: str

    @property
    def day(self) -> date | None:
        """The day in the address, None when it is no real one. It is near the day of publication (FACTS A1, B1)."""
        match = _DAY.search(self.url)
        if match is None:
            return None
        year, month, day = (int(part) for part in match.groups())
        try:
            return date(year + 2000 if year < 100 else year, month, day)
        except ValueError:
            return None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ListAddress:
    """A list page's identity: ``url`` is its canonical address, ``page`` counts from 1."""

    kind: ListKind
    list_id: str
    url: str
    page: int = 1


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """The URL forms of one outlet. Pictures lie at its ``hosts`` and at the ``image_hosts``.

    The patterns match the path of a cleaned address and name their parts: ``script`` (``gb`` or ``b5``), for an
    article ``year month day number``, for a list ``id`` or ``slug`` and perhaps ``page``. The formats build canonical
    addresses from them, ``section_forms`` those of sections (by id) whose address has another form.
    """

    hosts: frozenset[str]
    image_hosts: frozenset[str] = frozenset()
    article: re.Pattern[str]
    article_id: str
    article_url: str
    section: re.Pattern[str]
    section_url: str
    tag: re.Pattern[str]
    tag_url: str
    section_forms: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def path_of(self, href: str, base: str = "") -> str | None:
        """The path of ``href`` without the junk that pages glue to it, or None when it leaves the outlet's hosts.

        User information, ports and look-alike hosts are refused (FACTS A1); query and fragment are dropped.
        """
        if plain := _PLAIN.fullmatch(href):
            return _up_to_htm(plain[2]) if plain[1] in self.hosts else None
        address = _unwrap(_ENCODED_QUOTES.sub("", href.strip().strip(_QUOTES)).strip())
        try:
            parts = urlsplit(urljoin(base, address))
            if parts.scheme not in ("http", "https") or parts.netloc.lower() not in self.hosts:
                return None
        except ValueError:
            return None
        return _up_to_htm(parts.path).rstrip(_TRAILING_JUNK)

    def picture_url(self, address: str) -> str | None:
        """The https address at which a picture of the outlet's own is had, None for one that lies elsewhere.

        User information and ports are refused, as in :meth:`path_of`.
        """
        scheme, separator, rest = address.partition("://")
        host = rest.partition("/")[0].lower()
        known = host in self.image_hosts or host in self.hosts
        return f"https://{rest}" if separator and scheme.lower() in ("http", "https") and known else None

    def find_article(self, href: str, base: str = "") -> ArticleAddress | None:
        """The article that ``href`` (seen on a page at ``base``) leads to, or None."""
        path = self.path_of(href, base)
        return self._article_at(path) if path else None

    def find_list(self, href: str, base: str = "") -> ListAddress | None:
        """The section or tag list that ``href`` leads to, or None. An article address is never a list."""
        path = self.path_of(href, base)
        return self._list_at(path) if path and not self.article.fullmatch(path) else None

    def find_target(self, href: str, base: str = "") -> tuple[str, str] | None:
        """What a link leads to: ``("article", id)``, ``("section", id)``, ``("tag", slug)`` or None."""
        path = self.path_of(href, base)
        if not path:
            return None
        if self.article.fullmatch(path):
            article = self._article_at(path)
            return ("article", article.article_id) if article else None
        found = self._list_in(path)
        return found[:2] if found else None

    def _article_at(self, path: str) -> ArticleAddress | None:
        match = self.article.fullmatch(path) if path.isascii() else None
        if match is None:
            return None
        script, number = match.group("script", "number")
        year, month, day = map(int, match.group("year", "month", "day"))
        if not (1 <= month <= 12 and 1 <= day <= 31):
            return None
        date = {"year": year, "short_year": year % 100 if year >= 2000 else year, "month": month, "day": day}
        return ArticleAddress(
            article_id=self.article_id.format(number=number),
            url=self.article_url.format(script=script, number=number, **date),
            language=LANGUAGES[script],
        )

    def _list_at(self, path: str) -> ListAddress | None:
        found = self._list_in(path)
        if found is None:
            return None
        kind, list_id, match = found
        page = int(match.groupdict().get("page") or 1)
        return ListAddress(kind=kind, list_id=list_id, url=self.list_url(kind, list_id, match["script"]), page=page)

    def _list_in(self, path: str) -> tuple[ListKind, str, re.Match[str]] | None:
        if path.isascii() and (match := self.section.fullmatch(path)):
            return "section", match["id"], match
        if (match := self.tag.fullmatch(path)) and (slug := tag_slug(unquote(match["slug"]))):
            return "tag", slug, match
        return None

    def list_url(self, kind: ListKind, list_id: str, script: str = "gb") -> str:
        """The canonical address of the first page of a list."""
        if kind == "tag":
            return self.tag_url.format(script=script, id=quote(list_id, safe=""))
        form = self.section_forms.get(list_id, self.section_url)
        return form.format(script=script, id=quote(list_id, safe="/"))


def _up_to_htm(path: str) -> str:
    """A path without what is glued to its ``.htm`` or ``.html``."""
    found = _HTM.search(path)
    return path[: found.end()] if found else path


def tag_slug(text: str) -> str | None:
    """The slug of a tag: NFC, white space collapsed, ASCII letters in lower case; None for what no tag can be
    (FACTS A1: tag pages).
    """
    slug = unicodedata.normalize("NFC", text.strip())
    if _NO_SLUG.search(slug):
        return None
    slug = _CAPITALS.sub(lambda match: match[0].lower(), " ".join(slug.split()))
    return slug if 0 < len(slug) <= _SLUG_LIMIT and set(slug) != {"."} else None


def _unwrap(address: str) -> str:
    """The target of a search engine's redirect address; any other address as it is."""
    parts: Mapping[str, list[str]] = {}
    if re.match(r"https?://www\.google\.[a-z]{2,3}(?:\.[a-z]{2})?/url\?", address):
        parts = parse_qs(urlsplit(address).query)
    return (parts.get("q") or parts.get("url") or [address])[0]
