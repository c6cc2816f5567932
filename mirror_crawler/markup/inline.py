"""The text of a block: pieces as the source has them, made into segments as they are written.

White space is collapsed as a browser does it, and beyond that as Chinese is set: a line end of the source next to a
wide character is nothing, and so is a space that a machine put at the edge of a link between two of them.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterator
from typing import TypeAlias

Formats: TypeAlias = tuple[str, ...]
"""The inline formats around a text, outermost first, each as its start tag."""

Piece: TypeAlias = tuple[str, Formats, int]
"""Text as the source has it, its formats, and which ``a`` element it stands in (0: none; also links not kept)."""

Segment: TypeAlias = tuple[str, Formats]
"""Text as it is written, and its formats. A line break is a line feed."""

BR = "\x00"
WHITE = " \t\n\r\f"
_BLANK = WHITE + "\xa0\u1680\u180e\u2000-\u200d\u2028\u2029\u202f\u205f\u2060\u3000\ufeff"
EDGE = _BLANK.replace("\u2000-\u200d", "".join(map(chr, range(0x2000, 0x200E))))
_EDGE_OR_BR = EDGE + BR
_WHITE_OR_BR = WHITE + BR
_GAP = re.compile(f"[{WHITE}][{WHITE}]*")
"""Not written with ``+``: a search that begins with a plain set is twice as fast, and this is the one that counts."""

_BLANKS = re.compile(f"[{_BLANK}]+")
_BLANK_LINES = re.compile(r"(?:[ \t]*\n)+")
CONTROL = re.compile(
    r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
)
"""Control characters, halves of surrogate pairs, non-characters, and the marks that reverse the text after them."""


@functools.lru_cache(maxsize=8192)
def _wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in ("W", "F")


def paragraphs(pieces: list[Piece]) -> list[list[Segment]]:
    """Pieces → paragraphs of segments: white space collapsed, blank edges stripped, blank paragraphs left out.

    Two or more line breaks in a row separate paragraphs.
    """
    if len(pieces) == 1:
        text, formats, _ = pieces[0]
        text = _collapsed(text.strip(EDGE))
        return [[(text, formats)]] if text else []
    breaks = [text for text, _, _ in pieces].count(BR)
    parts = _parts(pieces) if breaks > 1 else [pieces]
    return [segments for part in parts if (segments := _segments(part))]


def _parts(pieces: list[Piece]) -> Iterator[list[Piece]]:
    """Part at line breaks with nothing but blanks between them, which end the part before."""
    part: list[Piece] = []
    breaks = 0
    for piece in pieces:
        if piece[0] == BR:
            breaks += 1
        elif breaks and piece[0].strip(EDGE):
            if breaks > 1:
                yield part
                part = []
            breaks = 0
        part.append(piece)
    yield part


def _segments(pieces: list[Piece]) -> list[Segment]:
    """Pieces without blank edges, each gap between words replaced by what it is worth."""
    found: list[Segment] = []
    gap, left, link_before = "", "", 0
    before: Formats = ()
    for text, formats, link in _without_edges(pieces):
        words, after = text, ""
        if text[0] in _WHITE_OR_BR or text[-1] in _WHITE_OR_BR:
            rest = text.lstrip(_WHITE_OR_BR)
            gap += text[: len(text) - len(rest)]
            words = rest.rstrip(_WHITE_OR_BR)
            after = rest[len(words) :]
            if not words:
                continue
        if gap and found and (worth := _worth(gap, left, words[0], at_link=link != link_before)):
            # No format begins or ends with a space: it has those that both neighbours share.
            found.append((worth, before[: depth_shared(before, formats)]))
        found.append((_collapsed(words), formats))
        gap, left, before, link_before = after, words[-1], formats, link
    return found


def _without_edges(pieces: list[Piece]) -> list[Piece]:
    """Without the blanks and line breaks before the first visible character and after the last."""
    start, end = 0, len(pieces)
    while start < end and not pieces[start][0].strip(_EDGE_OR_BR):
        start += 1
    while start < end and not pieces[end - 1][0].strip(_EDGE_OR_BR):
        end -= 1
    kept = pieces[start:end]
    if kept:
        text, formats, link = kept[0]
        kept[0] = text.lstrip(EDGE), formats, link
        text, formats, link = kept[-1]
        kept[-1] = text.rstrip(EDGE), formats, link
    return kept


def _worth(gap: str, left: str, right: str, *, at_link: bool) -> str:
    """What white space and line breaks between two characters come to: a line break, a space, or nothing.

    Nothing is a line end of the source next to a wide character, for Chinese is written without spaces, and any
    white space between two of them where a link begins or ends (FACTS C7: links set by a machine).
    """
    if BR in gap:
        return "\n"
    if "\n" in gap or "\r" in gap:
        return "" if _wide(left) or _wide(right) else " "
    return "" if at_link and _wide(left) and _wide(right) else " "


def _collapsed(words: str) -> str:
    """A piece without white space at its edges, each gap in it replaced by what it is worth."""
    if words.isprintable() and "  " not in words:
        return words  # most pieces: the plain space is the only printable white space, and alone it stays
    return _GAP.sub(_inner_worth, words)


def _inner_worth(gap: re.Match[str]) -> str:
    """:func:`_worth` of a gap inside a piece."""
    if gap[0] == " ":
        return " "
    return _worth(gap[0], gap.string[gap.start() - 1], gap.string[gap.end()], at_link=False)


def joined(paragraphs: list[list[Segment]]) -> list[Segment]:
    """Paragraphs as lines of one, for what must not be split."""
    found: list[Segment] = []
    for segments in paragraphs:
        if found:
            before, after = found[-1][1], segments[0][1]
            found.append(("\n", before[: depth_shared(before, after)]))
        found += segments
    return found


def depth_shared(one: Formats, other: Formats) -> int:
    """How many formats from the outermost on are the same."""
    if one == other:
        return len(one)
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return count


def preformatted(pieces: list[Piece]) -> list[list[Segment]]:
    """The lines of a ``pre`` as they stand, without blank lines at the top and blanks at the end."""
    plain = [re.sub(r"\r\n?", "\n", text).replace(BR, "\n").replace("\f", " ") for text, _, _ in pieces]
    whole = "".join(plain)
    top = _BLANK_LINES.match(whole)
    start, end = top.end() if top else 0, len(whole.rstrip(EDGE))
    segments: list[Segment] = []
    position = 0
    for text, (_, formats, _) in zip(plain, pieces, strict=True):
        if kept := text[max(0, start - position) : max(0, end - position)]:
            segments.append((kept, formats))
        position += len(text)
    return [segments] if segments else []


def one_line(text: str) -> str:
    """Text for an attribute: no control characters, white space of any kind as single spaces."""
    return _BLANKS.sub(" ", CONTROL.sub("", text)).strip()


def text_of(segments: list[Segment]) -> str:
    """Their text, without formats."""
    return "".join([text for text, _ in segments])
