"""The two items of the project, the record of a picture, and their one-line JSON form.

An :class:`Article` is what a page says; a :class:`Listing` is the fact that a section or tag named an article.
Membership lives only in listings, so an article never depends on the order of the crawl. A :class:`Picture` is the fact
that a picture is kept, and under which name.
docs/output-format.md describes every field; docs/article.schema.json, listing.schema.json and picture.schema.json check
them.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import re
import types
import typing
from collections.abc import Mapping
from typing import Any, Literal, Self

SCHEMA = 1
"""Version of the record format; the field ``schema`` of every article."""

PublishedSource = Literal["clock", "metadata", "dateline", "none"]
ListKind = Literal["section", "tag"]

_ID = re.compile(r"[a-z][a-z0-9]{0,30}")
_DAY = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])")
_ASSET = re.compile(r"[0-9a-f]{32}")
_HALF_PAIR = re.compile(r"[\ud800-\udfff]")
"""JSON can spell it, UTF-8 and databases cannot."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A picture of an article: its real address (never a lazy placeholder), alternative text and caption."""

    url: str
    alt: str = ""
    caption: str = ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Embed:
    """Something of another site shown in an article: ``kind`` such as ``youtube`` or ``tweet``, and its address."""

    kind: str
    url: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """The section that an article's own breadcrumb names."""

    id: str
    name: str


class _Record:
    """JSON form of an item; fields in the order of their declaration."""

    __slots__ = ("_json",)

    def to_json(self) -> str:
        """One JSON object without a line end, non-ASCII characters as they are.

        Made once and kept with the item: the store and the feed both ask for it, and to make it takes as long as to
        store it.
        """
        text: str = getattr(self, "_json", "")
        if not text:
            text = json.dumps(self, ensure_ascii=False, default=_fields_of)
            object.__setattr__(self, "_json", text)  # the fields are frozen, and so is what they say
        return text

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """Make the item from a parsed JSON object.

        A field that has a default may be absent. Raises ValueError naming the field when one is missing, unknown or
        of another type.
        """
        return typing.cast(Self, _build(cls, record, ""))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Article(_Record):
    """One version of one article. ``(outlet, article_id)`` is its key everywhere.

    ``published_at`` and ``modified_at`` are ISO 8601 with the outlet's offset; ``first_seen_at`` and ``fetched_at``
    are UTC. With ``published_source`` ``dateline`` only the day is known and the time of day is 00:00.
    ``withdrawn_at`` is when (UTC) the outlet was seen to have taken the article down, None while it stands there.
    """

    schema: int = SCHEMA
    outlet: str
    article_id: str
    url: str
    language: str
    title: str
    authors: list[str]
    editor: str | None
    published_at: str | None
    modified_at: str | None
    published_source: PublishedSource
    section: Section | None
    tags: list[str]
    lead_image: Image | None
    images: list[Image]
    embeds: list[Embed]
    body_html: str
    text: str
    content_hash: str
    revision: int = 1
    first_seen_at: str
    fetched_at: str
    withdrawn_at: str | None = None

    def __post_init__(self) -> None:
        _check_key(self.outlet, self.article_id)

    @classmethod
    def from_stored(cls, record: Mapping[str, Any]) -> Self:
        """:meth:`from_record` for what was an article before: nothing is checked again."""
        section, lead = record["section"], record["lead_image"]
        built = {
            "section": Section(**section) if section else None,
            "lead_image": Image(**lead) if lead else None,
            "images": [Image(**image) for image in record["images"]],
            "embeds": [Embed(**embed) for embed in record["embeds"]],
        }
        return cls(**{**record, **built})

    @property
    def key(self) -> tuple[str, str]:
        """``(outlet, article_id)``."""
        return self.outlet, self.article_id


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Listing(_Record):
    """A section or tag page named an article: at ``position`` (from 1) of ``page`` (from 1), seen at a UTC time."""

    outlet: str
    list_kind: ListKind
    list_id: str
    list_name: str
    article_id: str
    url: str
    title: str
    page: int
    position: int
    seen_at: str

    def __post_init__(self) -> None:
        _check_key(self.outlet, self.article_id)
        if not self.list_id:
            raise ValueError("list_id: empty")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Picture(_Record):
    """A picture that pages show is kept: ``url`` is its address in articles, ``asset`` its name under ``images/``.

    The name is made of its content, see album.py. ``width`` and ``height`` are pixels, ``stored_at`` is a UTC time.
    """

    outlet: str
    url: str
    asset: str
    width: int
    height: int
    stored_at: str

    def __post_init__(self) -> None:
        if not _ASSET.fullmatch(self.asset):
            raise ValueError(f"asset: {self.asset!r:.60} is not 32 digits of 0-9 and a-f")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Volume(_Record):
    """A mirror went on in another repository, its ``volume``-th (from 2), with the articles from ``first_day`` on.

    That is the day in the address of an article, as yyyy-mm-dd; see volumes.py.
    """

    volume: int
    first_day: str

    def __post_init__(self) -> None:
        if self.volume < 2:
            raise ValueError(f"volume: {self.volume} is not from 2")
        if not _DAY.fullmatch(self.first_day):
            raise ValueError(f"first_day: {self.first_day!r:.60} is not a day such as 2026-11-22")


def content_hash(title: str, lead_image: Image | None, body_html: str) -> str:
    """SHA-256 (hex) of what a reader sees: headline, lead picture with caption, body. No time of ours enters it."""
    lead = [lead_image.url, lead_image.caption] if lead_image else None
    seen = json.dumps([title, lead, body_html], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(seen.encode()).hexdigest()


def reads_the_same(one: Article, other: Article) -> bool:
    """Whether two versions are the same to a reader, be their hashes equal or not.

    What may change behind the same words is left out: where links lead (the outlets link their keywords by machine,
    FACTS A1), and from which size or copy of a picture a page is served. What is embedded counts with its address.
    """
    return _as_read(one) == _as_read(other)


_UNSEEN = re.compile(r'<a href="(?P<embed>[^"]*)"></a>|<a href="[^"]*">|</a>|(?<=<img src=")(?P<picture>[^"]*)')
_SIZE = re.compile(r"-\d{2,4}x\d{2,4}(?=\.\w{3,4}$)")
"""The outlets' mark of a smaller copy of a picture (FACTS A3, A4)."""


def _as_read(article: Article) -> tuple[str, tuple[str, str] | None, str]:
    lead = article.lead_image
    return article.title, (_picture(lead.url), lead.caption) if lead else None, _UNSEEN.sub(_seen, article.body_html)


def _seen(match: re.Match[str]) -> str:
    if match["picture"] is not None:
        return _picture(match["picture"])
    return f"[{match['embed']}]" if match["embed"] is not None else ""


def _picture(url: str) -> str:
    """The address of a picture without what tells its copies apart."""
    return _SIZE.sub("", url.partition("?")[0])


def _check_key(outlet: str, article_id: str) -> None:
    """Keys become paths and SQL keys: only short lower-case words pass, wherever the item came from."""
    for name, value in (("outlet", outlet), ("article_id", article_id)):
        if not _ID.fullmatch(value):
            raise ValueError(f"{name}: {value!r} is not a short word of a-z and 0-9")


def _fields_of(item: Any) -> dict[str, Any]:
    """What the JSON encoder asks for at every dataclass; much faster than dataclasses.asdict, which copies."""
    kind: Any = type(item)
    return {name: getattr(item, name) for name in _hints(kind)}


@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


@functools.cache
def _required(kind: type) -> frozenset[str]:
    fields: tuple[dataclasses.Field[Any], ...] = dataclasses.fields(kind)
    return frozenset(field.name for field in fields if field.default is dataclasses.MISSING)


def _build(kind: Any, value: Any, where: str) -> Any:
    """Check ``value`` (parsed JSON) against the annotation ``kind`` and build dataclasses on the way."""
    if dataclasses.is_dataclass(kind):
        return _build_object(kind, value, where)
    origin = typing.get_origin(kind)
    if origin is types.UnionType:
        if value is None:
            return None
        (kind,) = (arm for arm in typing.get_args(kind) if arm is not type(None))
        return _build(kind, value, where)
    if origin is list and isinstance(value, list):
        (item,) = typing.get_args(kind)
        return [_build(item, entry, where) for entry in value]
    if origin is Literal and value in typing.get_args(kind):
        return value
    if origin is None and type(value) is kind:
        if kind is str and _HALF_PAIR.search(value):
            raise ValueError(f"{where.rstrip('.')}: half a surrogate pair")
        return value
    expected = " or ".join(typing.get_args(kind)) if origin is Literal else kind.__name__
    raise ValueError(f"{where.rstrip('.')}: {value!r:.60} is not {expected}")


def _build_object(kind: Any, value: Any, where: str) -> Any:
    if not isinstance(value, Mapping):
        raise ValueError(f"{where.rstrip('.') or 'record'}: not an object")
    hints = _hints(kind)
    if missing := _required(kind) - value.keys():
        raise ValueError(f"{where}{min(missing)}: missing")
    if unknown := value.keys() - hints.keys():
        raise ValueError(f"{where}{min(unknown)}: unknown field")
    built = {name: _build(hint, value[name], f"{where}{name}.") for name, hint in hints.items() if name in value}
    return kind(**built)
