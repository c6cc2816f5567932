"""The walk over a parsed tree: what each node is taken for."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from html import escape, unescape
from typing import ClassVar

from selectolax.lexbor import LexborNode

from mirror_crawler.items import Embed
from mirror_crawler.markup.blocks import CELLS, EmbedLink, Picture, Rule, Text
from mirror_crawler.markup.builder import BLOCK, INLINE, Builder, Frame
from mirror_crawler.markup.counts import Counts
from mirror_crawler.markup.elements import (
    BLOCKS,
    BOXES,
    CAPTION_CLASSES,
    FORMATS,
    QUOTE_ADDRESSES,
    QUOTE_CLASSES,
    REMOVED,
    TEXTS,
    Attributes,
    is_junk,
)
from mirror_crawler.markup.embeds import embed_of
from mirror_crawler.markup.hrefs import Page
from mirror_crawler.markup.inline import CONTROL, EDGE, WHITE
from mirror_crawler.markup.media import PLAYERS, announced
from mirror_crawler.markup.pictures import alternative_text, is_picture_file, picture_address, swallowed_text


@dataclasses.dataclass(slots=True)
class _Quote:
    """A post of another site quoted with its text: the last link to it in the text, or the address in an attribute."""

    embed: Embed | None
    linked: bool = False


class Walker:
    """Walks a tree without recursion and tells :attr:`blocks` what it holds."""

    def __init__(self, base_url: str) -> None:
        self.blocks = Builder()
        self.counts = Counts()
        self.embeds: dict[str, Embed] = {}
        self._page = Page(base_url)
        self._quote: _Quote | None = None
        self._lazy = False
        """The last thing met was a picture without a real address."""

    def walk(self, node: LexborNode | None) -> None:
        """Take in ``node`` and everything after it on its level, with all that is inside."""
        close = self.blocks.close
        stack: list[tuple[LexborNode, Frame]] = []
        while True:
            while node is not None:
                tag = node.tag
                if tag == "-text":
                    self._add_text(node.text_content or "")
                elif (frame := self._enter(node, tag)) is not None:
                    child = node.child
                    if child is not None:
                        stack.append((node, frame))
                        node = child
                        continue
                    close(frame)
                node = node.next
            if not stack:
                break
            node, frame = stack.pop()
            close(frame)
            node = node.next
        self.blocks.end_paragraph()

    def _enter(self, node: LexborNode, tag: str | None) -> Frame | None:
        """Begin an element; None when its contents are not to be walked."""
        if tag is None or tag[0] in "-!":
            self.counts.removed("comment")
            return None
        attributes: Attributes = node.attributes
        if attributes and is_junk(attributes):
            self.counts.removed(tag)
            return None
        if enter := self._ENTER.get(tag):
            return enter(self, node, tag, attributes)
        if tag in REMOVED:
            self.counts.removed(tag)
            return None
        self.counts.unwrapped(tag)
        if attributes and (frame := self._enter_marked(attributes)):
            return frame
        if tag in BLOCKS:
            self.blocks.end_paragraph()
            return BLOCK
        return INLINE

    def _enter_marked(self, attributes: Attributes) -> Frame | None:
        """Elements that a class or attribute makes something else: captions, players, quoted posts."""
        classes = (attributes.get("class") or "").split()
        if not CAPTION_CLASSES.isdisjoint(classes) and self.blocks.takes_caption():
            return self.blocks.open_caption()
        if "wp-caption" in classes:
            return self.blocks.open_figure()
        if quote := self._quote_of(attributes):
            return self._quote_frame(quote, self.blocks.open_block())
        if embed := announced(classes, attributes):
            self._add_embed(embed)
        return None

    # text

    def _add_text(self, text: str) -> None:
        words = text.strip(WHITE)
        if not words.isprintable() and CONTROL.search(words):
            text, number = CONTROL.subn("", text)
            self.counts.total["removed/control"] += number
        self.blocks.add_text(text)
        if self._lazy and text.strip(EDGE):
            self._lazy = False

    def _enter_text(self, _node: LexborNode, tag: str, attributes: Attributes) -> Frame:
        if attributes:
            if frame := self._enter_marked(attributes):
                return frame
            self.counts.attributes(attributes)
        return self.blocks.open_text(TEXTS[tag], strong=tag == "dt")

    def _enter_format(self, _node: LexborNode, tag: str, attributes: Attributes) -> Frame:
        self.counts.attributes(attributes)
        return self.blocks.open_format(f"<{FORMATS[tag]}>")

    def _add_break(self, _node: LexborNode, _tag: str, attributes: Attributes) -> None:
        self.counts.attributes(attributes)
        self.blocks.add_break()

    # links

    def _enter_link(self, node: LexborNode, _tag: str, attributes: Attributes) -> Frame | None:
        address = self._page.elsewhere(attributes.get("href"))
        if address is None:
            self.counts.unwrapped("a")
            return self.blocks.open_link(None)
        self.counts.attributes(attributes, "href")
        if node.child is None:
            self._empty_link(node, address)
            return None
        if self._quote and (embed := embed_of(address)):
            self._quote.embed, self._quote.linked = embed, True
        return self.blocks.open_link(f'<a href="{escape(address)}">')

    def _empty_link(self, node: LexborNode, address: str) -> None:
        """Alone in a paragraph and leading to something embeddable it is an embed, else nothing."""
        parent = node.parent
        alone = node.prev is None and node.next is None and parent is not None and parent.tag == "p"
        if alone and (embed := embed_of(address)):
            self._add_embed(embed)
        else:
            self.counts.removed("a")

    # blocks

    def _add_rule(self, _node: LexborNode, _tag: str, attributes: Attributes) -> None:
        self.counts.attributes(attributes)
        self.blocks.append(Rule())

    def _enter_box(self, _node: LexborNode, tag: str, attributes: Attributes) -> Frame:
        kind = BOXES[tag]
        quote = self._quote_of(attributes) if attributes else None
        frame = self.blocks.open_box(kind, _spans(attributes) if kind in CELLS else "")
        if frame is None:
            self.counts.unwrapped(tag)
            frame = self.blocks.open_block()
        else:
            self.counts.attributes(attributes, *(("colspan", "rowspan") if kind in CELLS else ()))
        return self._quote_frame(quote, frame) if quote else frame

    def _enter_figure(self, _node: LexborNode, _tag: str, attributes: Attributes) -> Frame:
        self.counts.attributes(attributes)
        return self.blocks.open_figure()

    def _enter_caption(self, _node: LexborNode, _tag: str, attributes: Attributes) -> Frame:
        self.counts.attributes(attributes)
        return self.blocks.open_caption()

    # pictures

    def _add_image(self, _node: LexborNode, _tag: str, attributes: Attributes) -> None:
        address = picture_address(attributes, self._page.address)
        self._lazy = address is None
        if address is None:
            self.counts.removed("img")
        else:
            self._add_picture(address, attributes)
            self.counts.attributes(attributes, "src", "alt")
        if swallowed := swallowed_text(attributes):
            self.blocks.end_paragraph()
            self.counts.unwrapped("swallowed-text")
            self._add_text(swallowed)
            self.blocks.end_paragraph()

    def _add_picture(self, address: str, attributes: Attributes) -> None:
        link = self.blocks.link
        if link and is_picture_file(unescape(link.removeprefix('<a href="').removesuffix('">'))):
            self.counts.unwrapped("a")
            link = ""
        self.blocks.add_picture(Picture(address, alternative_text(attributes), link))

    def _enter_noscript(self, node: LexborNode, _tag: str, _attributes: Attributes) -> None:
        """Gone, but for the picture of a lazy image that has no real address itself (FACTS C4, C6)."""
        self.counts.removed("noscript")
        image = node.css_first("img") if self._lazy else None
        attributes = {} if image is None else image.attributes
        if address := picture_address(attributes, self._page.address):
            self._lazy = False
            self._add_picture(address, attributes)

    # embeds

    def _enter_player(self, node: LexborNode, tag: str, attributes: Attributes) -> None:
        if embed := PLAYERS[tag](node, attributes, self._page):
            self._add_embed(embed)
        else:
            self.counts.removed(tag)

    def _add_embed(self, embed: Embed) -> None:
        """Record an embed and let a link stand for it; one that was there already stands where it stood first."""
        self.blocks.end_paragraph()
        if embed.url in self.embeds:
            return
        self.embeds[embed.url] = embed
        if embed_of(embed.url):
            self.blocks.append(EmbedLink(embed.url))
        else:
            # Nothing but the address itself can tell a reader what this is.
            self.blocks.append(Text("p", [(embed.url, (f'<a href="{escape(embed.url)}">',))]))

    def _quote_of(self, attributes: Attributes) -> _Quote | None:
        classes = (attributes.get("class") or "").split()
        if self._quote or QUOTE_CLASSES.isdisjoint(classes):
            return None
        addresses = (attributes.get(name) for name in QUOTE_ADDRESSES)
        return _Quote(next((embed for address in addresses if address and (embed := embed_of(address))), None))

    def _quote_frame(self, quote: _Quote, frame: Frame) -> Frame:
        """A quoted post keeps its text, and the link in it; without such a link one is put after it."""
        self._quote = quote

        def finish() -> None:
            self._quote = None
            if quote.embed and quote.linked:
                self.embeds.setdefault(quote.embed.url, quote.embed)
            elif quote.embed:
                self._add_embed(quote.embed)

        frame.finish = finish
        return frame

    _ENTER: ClassVar[dict[str, Callable[[Walker, LexborNode, str, Attributes], Frame | None]]] = {
        **dict.fromkeys(TEXTS, _enter_text),
        **dict.fromkeys(FORMATS, _enter_format),
        **dict.fromkeys(BOXES, _enter_box),
        **dict.fromkeys(PLAYERS, _enter_player),
        "a": _enter_link,
        "br": _add_break,
        "figcaption": _enter_caption,
        "figure": _enter_figure,
        "hr": _add_rule,
        "img": _add_image,
        "noscript": _enter_noscript,
    }


def _spans(attributes: Attributes) -> str:
    found = ((name, attributes.get(name) or "") for name in ("colspan", "rowspan"))
    return "".join(
        f' {name}="{int(span)}"' for name, span in found if re.fullmatch(r"0*[1-9]\d?", span) and int(span) > 1
    )
