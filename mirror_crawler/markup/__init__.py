"""Hostile markup → the closed vocabulary of ``body_html``; the only code that meets what a page really sent.

The parsed tree is walked once, without recursion (``walker``). The walk never copies markup: it fills a small tree of
blocks (``builder``, ``blocks``: paragraphs, figures, lists, tables …) and the text of each block as pieces with their
inline formats (``inline``). Blocks are then tidied (``tidy``) and written (``writer``), so the result is well-formed
by construction, an HTML5 parser reads back exactly what was written, and cleaning it again changes nothing.

What comes out (docs/output-format.md): ``p h2 h3 h4 blockquote ul ol li a strong em sub sup code pre br hr figure
figcaption img table thead tbody tr th td`` with ``href src alt colspan rowspan``; addresses absolute http(s), ASCII.
An embed is a paragraph with an empty link, ``<p><a href="https://www.youtube.com/watch?v=ID"></a></p>``: what the
link says depends on the language of the page it is shown on. An empty link anywhere else does not survive.
"""

from __future__ import annotations

import dataclasses
from collections import Counter

from selectolax.lexbor import LexborHTMLParser, LexborNode

from mirror_crawler.items import Embed, Image
from mirror_crawler.markup.embeds import embed_of
from mirror_crawler.markup.pictures import image_address
from mirror_crawler.markup.text import plain_text
from mirror_crawler.markup.tidy import set_headings, tidy
from mirror_crawler.markup.walker import Walker
from mirror_crawler.markup.writer import Writer

__all__ = ["CleanBody", "clean", "embed_of", "image_address", "plain_text", "sanitise"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CleanBody:
    """A body in the closed vocabulary and what was found in it.

    ``removed`` counts what did not pass, by keys ``removed/<element>`` (gone with its contents),
    ``unwrapped/<element>`` (its contents stay) and ``attribute/<name>`` (of an element that stays).
    """

    html: str
    images: list[Image]
    embeds: list[Embed]
    removed: Counter[str]


def sanitise(html: str, base_url: str) -> str:
    """Any markup → the closed vocabulary. ``base_url`` resolves relative addresses. Idempotent."""
    root = LexborHTMLParser(html, is_fragment=True).root
    return _clean(root, base_url, bold_headings=False).html


def clean(node: LexborNode, base_url: str, *, bold_headings: bool = False) -> CleanBody:
    """The children of a parsed container → :class:`CleanBody`; the tree is not changed.

    ``bold_headings`` turns short bold-only paragraphs into ``h2``, as one outlet sets its sub-headings
    (FACTS B4, C8).
    """
    return _clean(node.child, base_url, bold_headings=bold_headings)


def _clean(first: LexborNode | None, base_url: str, *, bold_headings: bool) -> CleanBody:
    walker = Walker(base_url)
    walker.walk(first)
    body = walker.blocks.body
    tidy(body)
    if bold_headings:
        set_headings(body.children, walker.blocks.pictured)
    writer = Writer()
    for block in body.children:
        writer.write(block)
    return CleanBody(
        html="".join(writer.parts),
        images=writer.images,
        embeds=list(walker.embeds.values()),
        removed=walker.counts.total,
    )
