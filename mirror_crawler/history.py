"""What an outlet changed in an article from one revision to the next, as a reader would see it. Pure.

Texts are compared block by block; blocks that resemble each other are one that was changed, and within it the words
that differ are told. How that looks on a page is the business of render.py and the templates.
"""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

from mirror_crawler.body import split_addresses
from mirror_crawler.items import Article, Image

Part = Literal["title", "lead", "text", "picture"]
Kind = Literal["added", "removed", "changed", "kept"]

_COUNTED: tuple[Kind, ...] = ("changed", "added", "removed")

_ALIKE = 0.4
"""Blocks that share less than this are two, not one that was changed."""

_MOST_PAIRS = 250 * 250
_MOST_BLOCKS = 10_000
_MOST_WORDS = 5_000
"""Limits of what is compared, far beyond real articles, so that no page can keep a run busy for long: pairs of old and
new blocks, blocks and words of both sides. What is beyond them counts as removed and added.
"""

_MOST_TEXT = 150_000
"""Characters of a page's details; with marks and escapes a page stays below what hosts show (1 MiB)."""

_FRAME = 20
"""Characters of labels and marks around an edit, and around a text in it."""

_SIZE = re.compile(r"-\d{2,4}x\d{2,4}(?=\.\w{3,4}$)")
"""The outlets' mark of a smaller copy of a picture (FACTS A3, A4)."""

_BLANK_LINES = re.compile(r"\n{2,}")
_SPACE = re.compile(r"\s+")
_WORD = re.compile(r"[^\W_\u2e80-\U0003ffff]+(?:[.,:'’][^\W_\u2e80-\U0003ffff]+)*|.", re.DOTALL)
"""A word or number of other scripts as a whole (``1,204``), a Chinese character by itself."""


class Run(NamedTuple):
    """A piece of text, and whether it differs from the other version."""

    text: str
    differs: bool = False


Text = tuple[Run, ...]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One thing that was done to a part of an article.

    ``added`` has texts in ``after``, ``removed`` in ``before``, ``changed`` one in each. ``kept`` stands for
    ``count`` blocks that stayed the same and has no text.
    """

    kind: Kind
    part: Part
    before: tuple[Text, ...] = ()
    after: tuple[Text, ...] = ()
    count: int = 1

    @property
    def size(self) -> int:
        """About how many characters a page needs for it."""
        runs = [run.text for text in (*self.before, *self.after) for run in text]
        return _FRAME + sum(_FRAME + len(text) for text in runs)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What happened between two neighbouring revisions.

    ``older_at`` and ``newer_at`` are when they were fetched (UTC). ``source_modified_at`` is the time of change that
    the newer version tells, if it tells another than the older one. ``withdrawn_at`` is set when the older version
    had been taken down before the newer one appeared. ``edits`` is empty when a reader sees no difference, and when
    ``left_out`` says so; ``counts`` tells in any case how often each kind of edit occurs (without ``kept``).
    """

    older: int
    newer: int
    older_at: str
    newer_at: str
    source_modified_at: str | None
    withdrawn_at: str | None
    edits: tuple[Edit, ...]
    counts: Mapping[Kind, int]
    left_out: bool = False


def changes(revisions: Iterable[Article]) -> list[Change]:
    """What changed, newest first; ``revisions`` are those of one article, oldest first, only two held at a time.

    Details of early changes are left out where the whole would grow too long for a page.
    """
    found = [_change(older, newer) for older, newer in pairwise(revisions)]
    found.reverse()
    room = _MOST_TEXT
    for index, change in enumerate(found):
        room -= sum(edit.size for edit in change.edits)
        if room < 0:
            found[index] = dataclasses.replace(change, edits=(), left_out=True)
    return found


def _change(older: Article, newer: Article) -> Change:
    edits = (*_titles(older, newer), *_leads(older, newer), *_texts(older, newer), *_pictures(older, newer))
    counts: Counter[Kind] = Counter()
    for edit in edits:
        counts[edit.kind] += max(len(edit.before), len(edit.after))
    return Change(
        older=older.revision,
        newer=newer.revision,
        older_at=older.fetched_at,
        newer_at=newer.fetched_at,
        source_modified_at=newer.modified_at if newer.modified_at != older.modified_at else None,
        withdrawn_at=older.withdrawn_at,
        edits=edits if any(edit.kind != "kept" for edit in edits) else (),
        counts={kind: counts[kind] for kind in _COUNTED if counts[kind]},
    )


def _titles(older: Article, newer: Article) -> Iterator[Edit]:
    if older.title != newer.title:
        yield _changed("title", older.title, newer.title)


def _changed(part: Part, before: str, after: str) -> Edit:
    if not before:
        return Edit(kind="added", part=part, after=(_plain(after),))
    if not after:
        return Edit(kind="removed", part=part, before=(_plain(before),))
    old, new = _marked(before, after)
    return Edit(kind="changed", part=part, before=(old,), after=(new,))


_Opcode = tuple[str, int, int, int, int]


def _opcodes(old: Sequence[Hashable], new: Sequence[Hashable], most: int) -> Sequence[_Opcode]:
    """What difflib says; all of it replaced where there is too much to compare."""
    if len(old) + len(new) > most and list(old) != list(new):
        return [("replace", 0, len(old), 0, len(new))]
    return SequenceMatcher(None, old, new).get_opcodes()


# Pictures


def _leads(older: Article, newer: Article) -> Iterator[Edit]:
    before, after = older.lead_image, newer.lead_image
    if _file(before) != _file(after):
        yield _changed("lead", _shown(before), _shown(after))
    elif before and after and before.caption != after.caption:
        yield _changed("lead", before.caption, after.caption)


def _pictures(older: Article, newer: Article) -> Iterator[Edit]:
    """Pictures of the bodies by their files; captions that are part of the text were compared with it."""
    old, new = _pictures_of(older), _pictures_of(newer)
    for tag, first, last, start, end in _opcodes(list(old), list(new), _MOST_BLOCKS):
        if tag == "equal":
            continue
        before, after = list(old.values())[first:last], list(new.values())[start:end]
        if len(before) == len(after):
            yield from (_changed("picture", *pair) for pair in zip(before, after, strict=True))
            continue
        if before:
            yield Edit(kind="removed", part="picture", before=tuple(map(_plain, before)))
        if after:
            yield Edit(kind="added", part="picture", after=tuple(map(_plain, after)))


def _pictures_of(article: Article) -> dict[tuple[str, str, int], str]:
    """What a page tells of each picture of the body, by file, caption (when no text has it) and occurrence."""
    captions = {_SPACE.sub("", block) for block in _blocks(article.text)}
    found: dict[tuple[str, str, int], str] = {}
    seen: Counter[tuple[str, str]] = Counter()
    for image in article.images:
        caption = "" if _SPACE.sub("", image.caption) in captions else image.caption
        key = (_file(image), caption)
        seen[key] += 1
        found[(*key, seen[key])] = _shown(image)
    return found


def _file(image: Image | None) -> str:
    """What stays of an address when a picture moves to another host or is shown in another size."""
    return _SIZE.sub("", urlsplit(image.url).path) if image else ""


def _shown(image: Image | None) -> str:
    return f"{image.caption or image.alt} {image.url}".strip() if image else ""


# Text


def _blocks(text: str) -> list[str]:
    """The blocks of a text; of a table each row, for a table with one changed cell would be hard to read."""
    blocks = [block.strip("\n") for block in _BLANK_LINES.split(text)]
    return [row for block in blocks if block.strip() for row in (block.split("\n") if "\t" in block else [block])]


def _texts(older: Article, newer: Article) -> Iterator[Edit]:
    old, new = _blocks(older.text), _blocks(newer.text)
    for tag, first, last, start, end in _opcodes(old, new, _MOST_BLOCKS):
        if tag == "equal":
            yield Edit(kind="kept", part="text", count=last - first)
        else:
            yield from _replaced(old[first:last], new[start:end])


def _replaced(old: Sequence[str], new: Sequence[str]) -> Iterator[Edit]:
    """Blocks of which none stayed as it was: changed ones in pairs, and between them what was removed or added."""
    row = column = 0
    for left, right in [*_alike(old, new), (len(old), len(new))]:
        if row < left:
            yield Edit(kind="removed", part="text", before=tuple(map(_plain, old[row:left])))
        if column < right:
            yield Edit(kind="added", part="text", after=tuple(map(_plain, new[column:right])))
        if left < len(old):
            yield _changed("text", old[left], new[right])
        row, column = left + 1, right + 1


def _alike(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int]]:
    """Which block became which: the pairs, in order on both sides, that have most in common altogether."""
    if not old or not new or len(old) * len(new) > _MOST_PAIRS:
        return []
    likeness = _likenesses(old, new)
    # best[row][column]: the most that the blocks from there on can have in common
    best = [[0.0] * (len(new) + 1) for _ in range(len(old) + 1)]
    for row in reversed(range(len(old))):
        for column in reversed(range(len(new))):
            paired = best[row + 1][column + 1] + likeness[row][column]
            best[row][column] = max(paired, best[row + 1][column], best[row][column + 1])
    pairs = []
    row = column = 0
    while row < len(old) and column < len(new):
        if best[row][column] == best[row + 1][column]:
            row += 1
        elif best[row][column] == best[row][column + 1]:
            column += 1
        else:
            pairs.append((row, column))
            row, column = row + 1, column + 1
    return pairs


def _likenesses(old: Sequence[str], new: Sequence[str]) -> list[list[float]]:
    """For each pair the share of neighbouring characters that both have (0 to 1); 0 for what is not alike."""
    left, right = [_neighbours(text) for text in old], [_neighbours(text) for text in new]
    shares = [[2 * len(one & other) / (len(one) + len(other)) for other in right] for one in left]
    return [[share if share >= _ALIKE else 0.0 for share in row] for row in shares]


def _neighbours(text: str) -> set[str]:
    bounded = f"\n{text}\n"
    return {bounded[index : index + 2] for index in range(len(bounded) - 1)}


# Words


def _words(text: str) -> list[str]:
    """What is compared within a block. An address stays whole: marks in it would keep pages from showing it as one."""
    parts = split_addresses(text)
    return [word for part, is_address in parts for word in ([part] if is_address else _WORD.findall(part))]


def _plain(text: str) -> Text:
    return (Run(text),) if text else ()


def _marked(before: str, after: str) -> tuple[Text, Text]:
    """Both texts with what differs marked; nothing is marked when they have too little in common for that to help."""
    old, new = _words(before), _words(after)
    codes = _joined(_opcodes(old, new, _MOST_WORDS), old)
    common = sum(last - first for equal, first, last, _, _ in codes if equal)
    if 2 * common < _ALIKE * (len(old) + len(new)):
        return _plain(before), _plain(after)
    return (
        _runs([(old[first:last], equal) for equal, first, last, _, _ in codes]),
        _runs([(new[start:end], equal) for equal, _, _, start, end in codes]),
    )


def _joined(codes: Sequence[_Opcode], old: Sequence[str]) -> list[tuple[bool, int, int, int, int]]:
    """Stretches that are equal or not; a single equal character between two that differ is swallowed by them."""
    joined: list[tuple[bool, int, int, int, int]] = []
    for tag, first, last, start, end in codes:
        at_an_end = not joined or last == len(old)
        equal = tag == "equal" and (at_an_end or len("".join(old[first:last])) > 1)
        if joined and not equal and not joined[-1][0]:
            _, first, _, start, _ = joined.pop()
        joined.append((equal, first, last, start, end))
    return joined


def _runs(parts: Iterable[tuple[Sequence[str], bool]]) -> Text:
    """Runs of text. A mark on punctuation alone could hardly be seen: it takes the word before it along."""
    runs: list[Run] = []
    for words, equal in parts:
        if not words:
            continue
        text = "".join(words)
        if not equal and runs and not any(character.isalnum() for character in text):
            earlier = _words(runs.pop().text)
            runs += _plain("".join(earlier[:-1]))
            text = earlier[-1] + text
        runs.append(Run(text, not equal))
    return tuple(runs)
