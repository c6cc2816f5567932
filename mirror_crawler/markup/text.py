"""A body in the closed vocabulary → its text."""

from __future__ import annotations

import re
from html import unescape

_NO_GAP = re.compile(r"</?(?:a|strong|em|su[bp]|code|img)\b[^>]*>|</p>(?=<p>)")
"""Tags that separate nothing, or only what the next tag separates too. Most are such, so they are taken out first."""

_TOKEN = re.compile(r"<(/?)([a-z][a-z0-9]*)[^>]*>|([^<]+)")
_BLOCKS = frozenset(["p", "h2", "h3", "h4", "blockquote", "ul", "ol", "li", "pre", "hr", "figure", "figcaption"])


def plain_text(body_html: str) -> str:
    """The text of a body in the closed vocabulary: a blank line between blocks, list items and captions included.

    ``br`` is a line end; a table row is a line with its cells separated by tabs; pictures and empty links are
    nothing.
    """
    text = _PlainText()
    for closing, name, words in _TOKEN.findall(_NO_GAP.sub("", body_html)):
        if words:
            text.add(unescape(words))
        else:
            text.tag(name, closing=bool(closing))
    return "".join(text.parts)


class _PlainText:
    """Text parts with what separates them: nothing, tabs, a line end or a blank line."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self._gap = ""
        self._tables = 0
        self._first_cell = True
        self._cell_is_empty = True

    def add(self, text: str) -> None:
        """A run of text."""
        if self._gap and self.parts:
            self.parts.append(self._gap)
        self._gap = ""
        self._cell_is_empty = False
        self.parts.append(text)

    def tag(self, name: str, *, closing: bool) -> None:
        """A start or end tag."""
        if name in _BLOCKS:
            self._separate("\n" if self._tables else "\n\n")
        elif name == "br":
            self.add("\n")
        elif name == "table":
            self._tables += -1 if closing else 1
            self._separate("\n" if self._tables - (not closing) else "\n\n")
        elif name == "tr" and not closing:
            self._gap = "\n\n" if "\n\n" in self._gap else "\n"
            self._first_cell = True
        elif name in ("td", "th") and not closing:
            self._begin_cell()

    def _begin_cell(self) -> None:
        if not self._first_cell:
            self._gap = self._gap + "\t" if self._cell_is_empty else "\t"
        self._first_cell, self._cell_is_empty = False, True

    def _separate(self, gap: str) -> None:
        """At least ``gap``; where a cell has just begun, its tab is enough."""
        if self._gap == gap or (gap == "\n" and self._gap.endswith("\t")):
            return
        self._gap = max(self._gap.rstrip("\t"), gap, key=len)
