"""The tree of blocks between the walk and the writing."""

from __future__ import annotations

import dataclasses
from typing import TypeAlias

from mirror_crawler.markup.inline import Segment

LISTS = ("ul", "ol")
CELLS = ("td", "th")
"""Kinds of :class:`Box`."""


@dataclasses.dataclass(slots=True)
class Text:
    """A paragraph, heading or ``pre``. ``source`` numbers the element it comes from (0: none)."""

    kind: str
    segments: list[Segment]
    source: int = 0


@dataclasses.dataclass(slots=True)
class Picture:
    """An ``img``; ``link`` is the start tag of the link around it, or empty."""

    url: str
    alt: str
    link: str


@dataclasses.dataclass(slots=True)
class Figure:
    """Pictures under one caption (or none)."""

    pictures: list[Picture]
    caption: list[Segment]


@dataclasses.dataclass(slots=True)
class EmbedLink:
    """A paragraph with an empty link."""

    url: str


@dataclasses.dataclass(slots=True)
class Rule:
    """``hr``."""


@dataclasses.dataclass(slots=True)
class Box:
    """An element that holds blocks: a quote, list, item, table, section, row, cell, or the body itself (``""``).

    ``bare`` marks a list made for items that had none.
    """

    kind: str
    parent: Box | None = None
    depth: int = 0
    attributes: str = ""
    bare: bool = False
    children: list[Block] = dataclasses.field(default_factory=list)


Block: TypeAlias = Text | Figure | EmbedLink | Rule | Box
