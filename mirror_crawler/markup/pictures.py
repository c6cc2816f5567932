"""Pictures: the real address of an ``img``, and what its other attributes hold."""

from __future__ import annotations

import re

from selectolax.lexbor import LexborNode

from mirror_crawler.markup.elements import Attributes
from mirror_crawler.markup.hrefs import is_advert, safe_address
from mirror_crawler.markup.inline import one_line

_PICTURE_FILE = re.compile(r"\.(?:jpe?g|png|gif|webp|bmp|avif)(?:[?#]|$)", re.IGNORECASE)
_PLACEHOLDER = re.compile(
    r"/(?:blank|spacer|placeholder|loading|lazy(?:load)?|transparent|trans|pixel|clear|empty|1x1|gr[ae]y|dot)"
    r"(?:[-_]?\d+(?:x\d+)?)?\.(?:gif|png|svg|webp|jpe?g)(?:[?#]|$)",
    re.IGNORECASE,
)
_NO_SIZE = ("0", "1")
_HAN = re.compile(r"[\u3400-\u9fff]")


def image_address(node: LexborNode, base_url: str) -> str | None:
    """The real address of an ``img``, past lazy loading (FACTS C4); None for placeholders and tracking pixels."""
    return picture_address(node.attributes, base_url)


def picture_address(attributes: Attributes, base: str) -> str | None:
    """:func:`image_address` of an ``img`` with these attributes."""
    if is_hidden(attributes):
        return None
    for name in ("data-src", "data-original", "data-lazy-src", "data-srcset", "srcset", "src"):
        value = attributes.get(name)
        if not value:
            continue
        address = safe_address(_largest(value) if name.endswith("srcset") else value, base)
        if address and not _PLACEHOLDER.search(address) and not is_advert(address):
            return address
    return None


def is_picture_file(address: str) -> bool:
    """By its name: a picture, not a page with a picture."""
    return _PICTURE_FILE.search(address) is not None


def is_hidden(attributes: Attributes) -> bool:
    """Too small to be seen: it is there to count visitors."""
    return attributes.get("width") in _NO_SIZE or attributes.get("height") in _NO_SIZE


def alternative_text(attributes: Attributes) -> str:
    """The ``alt`` text on one line."""
    return one_line(attributes.get("alt") or "")


def _largest(srcset: str) -> str:
    """The candidate of a ``srcset`` with the greatest width or density."""
    sized = []
    for candidate in re.split(r",\s+", srcset.strip()):
        address, _, size = candidate.strip(" ,").partition(" ")
        number = re.fullmatch(r"\s*(\d{1,6}(?:\.\d{1,3})?)[wx]", size)
        sized.append((float(number[1]) if number else 0.0, address))
    return max(sized, key=lambda pair: pair[0])[1]


def swallowed_text(attributes: Attributes) -> str:
    """Text that an ``img`` without its closing bracket took for attributes (FACTS A4).

    From the first name with Han characters up to the next ``<``; ordinary attributes in between are none of it.
    """
    words: list[str] = []
    for name, value in attributes.items():
        if not words and not _HAN.search(name):
            continue
        if value and not _HAN.search(name):
            continue
        word, bracket, _ = name.partition("<")
        words.append(f"{word}={value}" if value else word)
        if bracket:
            break
    return " ".join(words)
