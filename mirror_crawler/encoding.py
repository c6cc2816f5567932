"""What the bytes of a page say, whatever encoding it claims. Pure."""

from __future__ import annotations

import contextlib
from codecs import BOM_UTF8
from collections.abc import Iterator

from scrapy.http import TextResponse
from w3lib.encoding import html_body_declared_encoding, http_content_type_encoding, read_bom

_RARE, _RARE_BEYOND_ASCII = 200, 10
"""A page is UTF-8 with a few broken bytes when less than one character in so many is broken."""


def decoded(response: TextResponse) -> str | bytes | None:
    """The text of a response, as bytes where these are UTF-8; None when no encoding explains it.

    UTF-8 wins over what is declared whenever the bytes are UTF-8 (FACTS A7), be it with a few broken ones; then comes
    what is declared, then the encodings of Chinese that a page may keep to itself.
    """
    body = response.body
    try:
        body.decode()
        return body.removeprefix(BOM_UTF8)  # the parser reads UTF-8: text would only be encoded again
    except UnicodeDecodeError:
        text = body.decode("utf-8-sig", "replace")
    broken, beyond_ascii = text.count("\ufffd"), len(text) - len(text.encode("ascii", "ignore"))
    # A short article in much markup has few characters that could be broken: then most of those that are not ASCII are.
    if broken * _RARE < len(text) and broken * _RARE_BEYOND_ASCII < beyond_ascii:
        return text
    guesses = ("big5", "gb18030") if "/b5/" in response.url else ("gb18030", "big5")
    for encoding in (*_declared(response), *guesses):
        with contextlib.suppress(UnicodeDecodeError):
            return body.decode(encoding).removeprefix("\ufeff")
    return None


def _declared(response: TextResponse) -> Iterator[str]:
    """The encodings that a response declares in its mark, its header and its markup, if a Chinese page can be in them.

    Servers declare Latin encodings by default, and nearly any bytes are valid in those. What Scrapy takes for the
    encoding of a page without any is a guess, and no good one for Chinese.
    """
    mark, _ = read_bom(response.body)
    header = http_content_type_encoding((response.headers.get("Content-Type") or b"").decode("latin-1"))
    for encoding in (mark, header, html_body_declared_encoding(response.body)):
        if encoding is not None and encoding != "utf-8":
            with contextlib.suppress(UnicodeEncodeError):
                "中".encode(encoding)
                yield encoding
