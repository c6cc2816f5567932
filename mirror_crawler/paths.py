"""Where things lie in the tree of pages. Pure: an identity in, a relative path with ``/`` out.

No name that comes from outside becomes a path as it is: ids are words of a-z and 0-9, list ids are reduced to
letters, digits, ``-`` and ``_``, and what that would not keep apart is told apart by a hash. No directory grows past
1,000 entries: days, shards of tags and shards of numbered pages see to it.
"""

from __future__ import annotations

import functools
import hashlib
import re
import string
from collections.abc import Collection
from datetime import datetime

from mirror_crawler.clock import in_utc
from mirror_crawler.items import Article

PATTERN = "{outlet}/{year}/{month}/{day}/{article_id}.md"
"""Default place of an article's page (DESIGN of the tree: docs/output-format.md)."""

ENTRIES_PER_PAGE = 50
"""Articles on one numbered page of a list; fixed, since numbered pages never change once full."""

HOME = "README.md"
"""The mirror's home page; code hosts show a README when a reader opens the directory, so every list has one too."""

_PAGES_PER_DIRECTORY = 400  # and as many share codes
_SLUG_BYTES = 60
_RESERVED = frozenset(("readme", "pages", "con", "prn", "aux", "nul")) | {
    f"{port}{number}" for port in ("com", "lpt") for number in range(1, 10)
}
"""Names of our own, and those that a clone on Windows cannot have."""
_FIELDS = {"outlet", "section", "year", "month", "day", "article_id"}
_URL_DAY = re.compile(r"/(\d{1,4})/(\d{1,2})/(\d{1,2})/")


def check_pattern(pattern: str) -> None:
    """Raise ValueError when ``pattern`` cannot name article pages: unknown field, no id, or leaves the tree."""
    try:
        parsed = [parts for parts in string.Formatter().parse(pattern) if parts[1] is not None]
    except ValueError as error:
        raise ValueError(f"{pattern!r}: {error}") from None
    fields = {name or "" for _, name, _, _ in parsed}
    if any(spec or conversion for _, _, spec, conversion in parsed):
        raise ValueError(f"{pattern!r} has a field with ':' or '!'; a field is a name in braces")
    if unknown := fields - _FIELDS:
        raise ValueError(f"{pattern!r} has unknown field {{{min(unknown)}}}; use {_braced(_FIELDS)}")
    if not {"outlet", "article_id"} <= fields:
        raise ValueError(f"{pattern!r} must contain {{outlet}} and {{article_id}}")
    parts = pattern.split("/")
    if pattern.startswith("/") or not pattern.endswith(".md") or any(part.strip(". ") == "" for part in parts):
        raise ValueError(f"{pattern!r} must be a relative path without '..' that ends in .md")
    if "\\" in pattern or any(ord(character) < 32 for character in pattern):
        raise ValueError(f"{pattern!r} has a character that a path cannot have")


def article_path(
    pattern: str, *, outlet: str, article_id: str, url: str, published_at: str | None, section: str
) -> str:
    """The page of an article under the root of the tree.

    The day is the one in the article's own address, which never changes, so a page never moves; the publication day
    serves outlets whose addresses have none. It is a place, not a time: FACTS A1 says why the two days differ.
    """
    match = _URL_DAY.search(url)
    if match:
        year, month, day = (int(part) for part in match.groups())
        year += 2000 if year < 100 else 0
    else:
        year, month, day = (int(part) for part in (published_at or "0000-00-00")[:10].split("-"))
    return pattern.format(
        outlet=outlet,
        article_id=article_id,
        year=f"{year:04d}",
        month=f"{month:02d}",
        day=f"{day:02d}",
        section=directory_name(section) if section else "other",
    )


def path_of(pattern: str, article: Article) -> str:
    """:func:`article_path` of an item."""
    return article_path(
        pattern,
        outlet=article.outlet,
        article_id=article.article_id,
        url=article.url,
        published_at=article.published_at,
        section=article.section.id if article.section else "",
    )


def history_path(article_page: str) -> str:
    """The page, beside an article's page, that tells how the outlet changed the article."""
    return f"{article_page.removesuffix('.md')}.history.md"


def code_path(page: str) -> str:
    """The picture, beside a page, of the QR code of the page's public address."""
    return f"{page}.png"


def asset_path(name: str) -> str:
    """A picture in the tree; ``name`` is 32 hexadecimal digits made of its content, so it is ours and never changes."""
    return f"assets/{name[:2]}/{name[2:4]}/{name}.webp"


def is_asset(path: str) -> bool:
    """Whether a file of the tree is a picture that pages of articles show, see :func:`asset_path`."""
    return path.startswith("assets/")


def is_of(pattern: str, outlet: str, path: str) -> bool:
    """Whether a file of the tree belongs to an outlet: the page of a list or an article, or what lies beside one;
    ``pattern`` is MIRROR_PATH.
    """
    page = path.removesuffix(".png").removesuffix(".md").removesuffix(".history")
    return path.startswith(f"{outlet}/") or _pages_of(pattern, outlet).fullmatch(page) is not None


@functools.lru_cache(maxsize=100)
def _pages_of(pattern: str, outlet: str) -> re.Pattern[str]:
    """What the paths of an outlet's articles look like, without their .md."""
    expression = ""
    for text, name, _, _ in string.Formatter().parse(pattern.removesuffix(".md")):
        field = re.escape(outlet) if name == "outlet" else "[^/]+"
        expression += re.escape(text) + (field if name else "")
    return re.compile(expression)


def list_directory(outlet: str, kind: str, list_id: str) -> str:
    """The directory of a list: ``kind`` is ``section``, ``tag``, ``all`` (every article of the outlet) or ``tags``
    (every tag of the outlet).
    """
    if kind == "all":
        return outlet
    if kind == "tags":
        return f"{outlet}/tags"
    name = directory_name(list_id)
    if kind == "tag":
        shard = hashlib.sha256(list_id.encode()).hexdigest()[:2]
        return f"{outlet}/tags/{shard}/{name}"
    return f"{outlet}/sections/{name}"


def front_path(directory: str) -> str:
    """The front page of a list: its newest articles."""
    return f"{directory}/README.md"


def numbered_path(directory: str, number: int) -> str:
    """Numbered page ``number`` (from 1, the oldest) of a list."""
    return f"{directory}/pages/{(number - 1) // _PAGES_PER_DIRECTORY}/{number}.md"


def directory_name(list_id: str) -> str:
    """A list id as the name of a directory: itself when it is plain and short, else what is plain of it and a hash."""
    plain = re.sub(r"[^\w-]+", "-", list_id).strip("-")
    hashed = re.search(r"(?:^|-)[0-9a-f]{12}$", plain)  # looks like a name that is told apart by its hash
    if plain == list_id and len(plain.encode()) <= _SLUG_BYTES and plain.lower() not in _RESERVED and not hashed:
        return plain
    kept = plain.encode()[: _SLUG_BYTES - 13].decode(errors="ignore")
    return f"{kept}-{hashlib.sha256(list_id.encode()).hexdigest()[:12]}".lstrip("-")


def relative(source: str, target: str) -> str:
    """The link from page ``source`` to page ``target``, both paths under the root of the tree."""
    here, there = source.split("/")[:-1], target.split("/")
    shared = 0
    while shared < min(len(here), len(there) - 1) and here[shared] == there[shared]:
        shared += 1
    return "/".join([".."] * (len(here) - shared) + there[shared:])


def _braced(fields: Collection[str]) -> str:
    return " ".join(f"{{{name}}}" for name in sorted(fields))


def order_key(article: Article) -> str:
    """What articles of a list are ordered by: the publication instant in UTC, or the day of the address at 00:00.

    ISO 8601 in one zone, so keys compare as strings.
    """
    if article.published_at:
        return in_utc(datetime.fromisoformat(article.published_at))
    day = article_path("{year}-{month}-{day}", outlet="", article_id="", url=article.url, published_at=None, section="")
    return f"{day}T00:00:00+00:00"
