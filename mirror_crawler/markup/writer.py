"""Blocks → HTML."""

from __future__ import annotations

from html import escape

from mirror_crawler.items import Image
from mirror_crawler.markup.blocks import Block, Box, EmbedLink, Figure, Text
from mirror_crawler.markup.inline import Formats, Segment, depth_shared, text_of


class Writer:
    """Blocks → HTML in :attr:`parts`, and the pictures in their order in :attr:`images`."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.images: list[Image] = []

    def write(self, block: Block) -> None:
        """Append one block."""
        match block:
            case Text():
                self.parts.append(f"<{block.kind}>{_inline(block.segments, block.kind)}</{block.kind}>")
            case Figure():
                self._write_figure(block)
            case EmbedLink():
                self.parts.append(f'<p><a href="{escape(block.url)}"></a></p>')
            case Box():
                self._write_box(block)
            case _:
                self.parts.append("<hr>")

    def _write_box(self, box: Box) -> None:
        self.parts.append(f"<{box.kind}{box.attributes}>")
        paragraphs = [block for block in box.children if isinstance(block, EmbedLink) or _is_paragraph(block)]
        for block in box.children:
            alone = len(paragraphs) == 1 and block is box.children[0] and box.kind in ("li", "td", "th")
            if alone and isinstance(block, Text) and block.kind == "p":
                # The usual item or cell: one paragraph, which needs no element, perhaps with a list under it.
                self.parts.append(_inline(block.segments, "p"))
            else:
                self.write(block)
        self.parts.append(f"</{box.kind}>")

    def _write_figure(self, figure: Figure) -> None:
        self.parts.append("<figure>")
        caption = text_of(figure.caption)
        for picture in figure.pictures:
            image = f'<img src="{escape(picture.url)}" alt="{escape(picture.alt)}">'
            self.parts.append(f"{picture.link}{image}</a>" if picture.link else image)
            self.images.append(Image(url=picture.url, alt=picture.alt, caption=caption))
        if caption:
            self.parts.append(f"<figcaption>{_inline(figure.caption, 'figcaption')}</figcaption>")
        self.parts.append("</figure>")


def _is_paragraph(block: Block) -> bool:
    return isinstance(block, Text) and block.kind == "p"


def _inline(segments: list[Segment], kind: str) -> str:
    """Segments → text and inline elements, opening and closing as few as possible."""
    if len(segments) == 1 and not segments[0][1]:
        return _escaped(segments[0][0])
    parts: list[str] = []
    open_: Formats = ()
    for text, formats in segments:
        if formats != open_:
            shared = depth_shared(open_, formats)
            if open_:
                parts += _end_tags(open_[shared:])
            parts += formats[shared:]
            open_ = formats
        parts.append("<br>" if text == "\n" and kind != "pre" else _escaped(text))
    parts += _end_tags(open_)
    return "".join(parts)


def _escaped(text: str) -> str:
    return escape(text, quote=False) if "&" in text or "<" in text or ">" in text else text


def _end_tags(formats: Formats) -> list[str]:
    return ["</a>" if one.startswith("<a ") else f"</{one[1:]}" for one in reversed(formats)]
