"""The tree of blocks while it grows: what is open, and where the next thing goes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TypeAlias

from mirror_crawler.markup.blocks import LISTS, Block, Box, Figure, Picture, Text
from mirror_crawler.markup.inline import BR, WHITE, Formats, Piece, Segment, joined, paragraphs, preformatted

_DEPTH = 24
"""Lists, quotes and tables inside each other: what lies deeper keeps its text and loses its box."""

_LEVELS = {"table": 4, "ul": 2, "ol": 2}
"""How deep a box goes at least: a table its section, row and cell, a list its item."""

_INSIDE = {"thead": ("table",), "tbody": ("table",), "tr": ("thead", "tbody"), "td": ("tr",), "th": ("tr",)}


@dataclasses.dataclass(slots=True)
class _FigureContext:
    """A ``figure`` of the source: where its pictures go, and a caption that came before its picture."""

    box: Box
    start: int
    caption: list[Segment] = dataclasses.field(default_factory=list)


_State: TypeAlias = tuple[Box, str, Formats, int, int, _FigureContext | None]


@dataclasses.dataclass(slots=True)
class Frame:
    """What to do at an element's end: end the paragraph, go back to ``state``, ``finish``."""

    block: bool = False
    state: _State | None = None
    finish: Callable[[], None] | None = None


INLINE = Frame()
BLOCK = Frame(block=True)


class Builder:
    """Fills :attr:`body` with blocks. ``open_…`` begins an element; :meth:`close` ends it.

    Elements are closed in the reverse order of their opening. :attr:`pictured` numbers the elements that hold
    pictures, as ``Text.source`` does.
    """

    def __init__(self) -> None:
        self.body = self.box = Box("")
        self.pictured: set[int] = set()
        self._kind = "p"
        self._formats: Formats = ()
        self._link = 0
        self._source = 0
        self._serial = 0
        self._figure: _FigureContext | None = None
        self._run: list[Piece] = []
        self._captions: list[list[Segment]] = []

    def _state(self) -> _State:
        return self.box, self._kind, self._formats, self._link, self._source, self._figure

    def close(self, frame: Frame) -> None:
        """End the element that was opened last."""
        if frame.block:
            self.end_paragraph()
        if frame.state:
            self.box, self._kind, self._formats, self._link, self._source, self._figure = frame.state
        if frame.finish:
            frame.finish()

    # text

    def add_text(self, text: str) -> None:
        """Text as the source has it, without control characters."""
        if not self._run and self._kind != "pre":
            text = text.lstrip(WHITE)
        if text:
            self._run.append((text, self._formats, self._link))

    def add_break(self) -> None:
        """``br``."""
        if self._run or self._kind == "pre":
            self._run.append((BR, self._formats, self._link))

    def end_paragraph(self) -> None:
        """What comes next begins a block."""
        run = self._run
        if not run:
            return
        self._run = []
        if self._kind == "caption":
            self._captions += paragraphs(run)
            return
        found = preformatted(run) if self._kind == "pre" else paragraphs(run)
        if len(found) > 1 and self._kind != "p":
            found = [joined(found)]
        if found:
            children = self._place().children
            children += [Text(self._kind, segments, self._source) for segments in found]

    def open_block(self) -> Frame:
        """A block that leaves nothing of itself behind."""
        self.end_paragraph()
        return Frame(block=True, state=self._state())

    def open_text(self, kind: str, *, strong: bool = False) -> Frame:
        """A paragraph, heading or ``pre``."""
        frame = self.open_block()
        if self._kind in ("p", "pre") or (kind not in ("p", "pre") and self._kind != "caption"):
            self._kind = kind
        if strong:
            self._formats = self._with("<strong>")
        self._source = self._number()
        return frame

    def open_format(self, start_tag: str) -> Frame:
        """An inline format."""
        state = self._state()
        self._formats = self._with(start_tag)
        return Frame(state=state)

    def open_link(self, start_tag: str | None) -> Frame:
        """A link; None for one of which only the text is kept. A link inside a link takes its place."""
        state = self._state()
        self._link = self._number()
        if start_tag:
            self._formats = (*[one for one in self._formats if not one.startswith("<a ")], start_tag)
        return Frame(state=state)

    @property
    def link(self) -> str:
        """The start tag of the link that is open, or empty."""
        return next((one for one in self._formats if one.startswith("<a ")), "")

    def _with(self, start_tag: str) -> Formats:
        return self._formats if start_tag in self._formats else (*self._formats, start_tag)

    def _number(self) -> int:
        self._serial += 1
        return self._serial

    # boxes

    def append(self, block: Block) -> None:
        """A whole block."""
        self.end_paragraph()
        self._place().children.append(block)

    def _place(self) -> Box:
        """The box that a block goes into.

        What stands loose in a list is part of its last item, and what stands loose in a table goes beside it.
        """
        box = self.box
        while box.parent and box.kind in ("table", "thead", "tbody", "tr"):
            box = box.parent
        if box.kind not in LISTS:
            return box
        if not box.children:
            box.children.append(Box("li", box, box.depth + 1))
        item = box.children[-1]
        assert isinstance(item, Box)  # noqa: S101  lists hold items only
        return item

    def open_box(self, kind: str, attributes: str) -> Frame | None:
        """A box with attributes as they are written; None when it may not stand here."""
        frame = self.open_block()
        parent = self._parent_for(kind)
        if parent is None:
            return None
        self.box = Box(kind, parent, parent.depth + 1, attributes)
        parent.children.append(self.box)
        self._kind, self._figure = "p", None
        return frame

    def _parent_for(self, kind: str) -> Box | None:
        """Where a box of this kind may open; None: nowhere, its contents stay without it."""
        if self._kind == "caption":
            return None
        if kind in _INSIDE:
            return self.box if self.box.kind in _INSIDE[kind] else None
        if kind == "li":
            return self.box if self.box.kind in LISTS else self._bare_list()
        place = self._place()
        return place if place.depth + _LEVELS.get(kind, 1) <= _DEPTH else None

    def _bare_list(self) -> Box | None:
        """The list of items that stand outside any list (FACTS A4: pages of 2001)."""
        place = self._place()
        last = place.children[-1] if place.children else None
        if isinstance(last, Box) and last.bare:
            return last
        if place.depth + _LEVELS["ul"] > _DEPTH:
            return None
        made = Box("ul", place, place.depth + 1, bare=True)
        place.children.append(made)
        return made

    # pictures

    def add_picture(self, picture: Picture) -> None:
        """A picture: in the figure that is open, under its caption when that came before it, or in one of its own."""
        self.end_paragraph()
        self.pictured.add(self._source)
        figure = self._open_figure()
        context = self._figure
        inside = context is not None and context.box is self._place()
        if context and inside and figure and not context.caption:
            figure.pictures.append(picture)
            return
        made = Figure([picture], [])
        if context and inside:
            made.caption, context.caption = context.caption, []
        self._place().children.append(made)

    def open_figure(self) -> Frame:
        """An element around pictures and their caption."""
        frame = self.open_block()
        place = self._place()
        figure = self._figure = _FigureContext(place, len(place.children))

        def finish() -> None:
            if figure.caption:
                self._place().children.append(Text("p", figure.caption))

        frame.finish = finish
        return frame

    def takes_caption(self) -> bool:
        """Whether what comes next can stand under a picture."""
        return self._figure is not None or (not self._run and self._open_figure() is not None)

    def open_caption(self) -> Frame:
        """An element around a caption."""
        frame = self.open_block()
        if self._kind == "caption":
            return frame
        outer, self._captions = self._captions, []
        self._kind = "caption"

        def finish() -> None:
            caption, self._captions = self._captions, outer
            if caption:
                self._place_caption(joined(caption))

        frame.finish = finish
        return frame

    def _place_caption(self, caption: list[Segment]) -> None:
        """Under the picture before it, else kept for the picture after it in the same figure, else a paragraph."""
        if figure := self._open_figure():
            figure.caption = caption
        elif self._figure and not self._figure.caption:
            self._figure.caption = caption
        else:
            self._place().children.append(Text("p", caption))

    def _open_figure(self) -> Figure | None:
        """The figure written last, when it can still take a caption."""
        place = self._place()
        start = self._figure.start if self._figure and self._figure.box is place else 0
        last = place.children[-1] if len(place.children) > start else None
        return last if isinstance(last, Figure) and not last.caption else None
