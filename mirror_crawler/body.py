"""What the themes agree on about a body: where a link leads, and how pictures and embeds are named.

A body is HTML in the closed vocabulary that ``markup`` makes. It is parsed once per page; :func:`tokens` gives it
back as HTML with the choices of the page applied.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Literal, NamedTuple

from selectolax.lexbor import LexborHTMLParser, LexborNode

from mirror_crawler.labels import Labels
from mirror_crawler.markup import embed_of

LinkMode = Literal["neutral", "keep"]

_ADDRESS = re.compile(
    r"(?:(?:https?|ftp)://|www\.)(?:[!-;=?-_a-~]*[A-Za-z0-9/=_#%+-])?"
    r"|(?:(?:mailto|xmpp):[A-Za-z0-9.+_-]{0,64}|[A-Za-z0-9.+_-]{1,64})@[A-Za-z0-9_-]*\.[A-Za-z0-9._-]+",
    re.IGNORECASE,
)

_BLANKS = re.compile(r"[\x00-\x20\x7f]+")
_SPACE = re.compile(r"[ \t\n\r\f]+")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """How one page shows a body.

    ``resolve`` maps an absolute address to the relative link to that page of the mirror, or None. ``picture`` maps the
    address of a picture to what the page loads in its place, or None: words stand for it then.
    """

    labels: Labels
    resolve: Callable[[str], str | None]
    picture: Callable[[str], str | None] = lambda _: None
    links: LinkMode = "neutral"

    def live(self, href: str) -> str | None:
        """Where a link to ``href`` leads on this page; None when it must not be a link."""
        return self.resolve(href) or (href if self.links == "keep" else None)

    def embed_label(self, href: str) -> str:
        """The label of an embed, which stands in a body as a link without text."""
        embed = embed_of(href)
        return self.labels.embed_named(embed.kind if embed else "")


class Token(NamedTuple):
    """A piece of HTML: a tag as it is written, or escaped text."""

    kind: Literal["open", "close", "void", "text"]
    markup: str


def parse(body_html: str) -> LexborNode:
    """The container node of a body."""
    container = LexborHTMLParser(body_html).body
    assert container is not None, "the parser always makes a body"  # noqa: S101  (for the type checker)
    return container


def text_of(node: LexborNode) -> str:
    """Text of a node or text node as a browser shows it: runs of ASCII white space are one space."""
    return evened(node.text_content or "" if node.tag == "-text" else node.text(deep=True))


def evened(text: str) -> str:
    """``text`` with each run of ASCII white space as one space."""
    uneven = "\n" in text or "  " in text or "\t" in text or "\r" in text or "\f" in text
    return _SPACE.sub(" ", text) if uneven else text  # most are even, and `in` is much quicker than a search


def one_line(text: str) -> str:
    """``text`` without line ends and control characters; spaces of other scripts stay."""
    return _BLANKS.sub(" ", text).strip(" ")


def may_hold_address(text: str) -> bool:
    """Whether it is worth the while to look for addresses in ``text``; most texts have none."""
    return "://" in text or "@" in text or ("." in text and "www." in text.lower())


def split_addresses(text: str) -> Iterator[tuple[str, bool]]:
    """``text`` in parts, each with whether it is an address that code hosts turn into a live link (web or e-mail)."""
    start = 0
    if may_hold_address(text):
        for match in _ADDRESS.finditer(text):
            if match.start() > start:
                yield text[start : match.start()], False
            yield match[0], True
            start = match.end()
    if start < len(text):
        yield text[start:], False


def escape_html(text: str) -> str:
    """``text`` for HTML text or a quoted attribute."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def tokens(
    container: LexborNode,
    choices: Choices,
    *,
    neutral_tag: str = "",
    rename: Mapping[str, str] | None = None,
    code_addresses: bool = False,
) -> Iterator[Token]:
    """The content of ``container`` as HTML, in document order; an explicit stack, so depth costs no recursion.

    A neutral link becomes an element ``neutral_tag`` that carries its address, or only its content when that is
    empty. ``code_addresses`` puts addresses in the text into ``code``, where no host makes links of them.
    """
    names = rename or {}
    stack: list[LexborNode | Token] = list(reversed(list(container.iter(include_text=True))))
    while stack:
        node = stack.pop()
        if isinstance(node, Token):
            yield node
        elif node.tag == "-text":
            yield from _text(node, code_addresses=code_addresses)
        elif node.tag == "img":
            yield _image(node, choices)
        elif node.tag in ("br", "hr"):
            yield Token("void", f"<{node.tag}/>")
        else:
            opening, closing = _element(node, choices, neutral_tag, names)
            yield from opening
            stack.extend(reversed(closing))
            stack.extend(reversed(list(node.iter(include_text=True))))
            if node.tag == "a" and not text_of(node).strip() and node.css_first("img") is None:
                stack.extend(reversed(_embed(node, choices, code_addresses=code_addresses)))


def _text(node: LexborNode, *, code_addresses: bool) -> Iterator[Token]:
    parent = node.parent
    if parent is not None and parent.tag == "pre":
        # A raw HTML block ends at an empty line, so line ends are written as references.
        yield Token("text", escape_html(node.text_content or "").replace("\n", "&#10;"))
    else:
        yield from _written(text_of(node), code_addresses=code_addresses)


def _written(text: str, *, code_addresses: bool) -> Iterator[Token]:
    if not code_addresses:
        yield Token("text", escape_html(text))
        return
    for part, is_address in split_addresses(text):
        if is_address:
            yield Token("open", "<code>")
        yield Token("text", escape_html(part))
        if is_address:
            yield Token("close", "</code>")


def _image(node: LexborNode, choices: Choices) -> Token:
    alt = node.attributes.get("alt") or ""
    address = shown_at(node, choices)
    if address is not None:
        return Token("void", f'<img alt="{escape_html(alt)}" src="{escape_html(address)}"/>')
    figure = node.parent if node.parent is not None and node.parent.tag == "figure" else None
    if figure is not None and any(shown_at(other, choices) is not None for other in figure.css("img")):
        return Token("text", "")  # its caption stands under those that are shown
    captioned = figure is not None and figure.css_first("figcaption") is not None
    return Token("text", choices.labels.picture + ("" if captioned else escape_html(alt)))


def shown_at(image: LexborNode, choices: Choices) -> str | None:
    """What the page loads for an ``img``, None when it shows words."""
    return choices.picture(image.attributes.get("src") or "")


def _element(
    node: LexborNode, choices: Choices, neutral_tag: str, names: Mapping[str, str]
) -> tuple[list[Token], list[Token]]:
    """The opening and closing tags of an element; none for what shows only its content."""
    tag = names.get(node.tag or "", node.tag or "")
    attributes = [(name, value or "") for name, value in node.attributes.items()]
    if node.tag == "a":
        href = node.attributes.get("href") or ""
        live = choices.live(href)
        tag = "a" if live else neutral_tag
        attributes = [("href", live or href)]
    if not tag:
        return [], []
    written = "".join(f' {name}="{escape_html(value)}"' for name, value in attributes)
    return [Token("open", f"<{tag}{written}>")], [Token("close", f"</{tag}>")]


def _embed(node: LexborNode, choices: Choices, *, code_addresses: bool) -> list[Token]:
    href = node.attributes.get("href") or ""
    label = choices.embed_label(href)
    text = label if choices.live(href) else f"{label}{choices.labels.colon}{href}"
    return list(_written(text, code_addresses=code_addresses))
