"""What a page leads to and what it makes a browser load, as a code host shows it.

Pages may have been edited by hand, so Markdown and HTML are parsed by the rules of hosts and browsers (CommonMark with
tables, HTML5), not searched for what this program would write.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from markdown_it import MarkdownIt
from selectolax.lexbor import LexborHTMLParser, LexborNode

# Raw HTML stays whole: what one host takes out, another may let through. Bare addresses, which hosts make links of, are
# absolute and of no interest here. The preset's own bound of nesting is below what pages have in quotes and lists.
_MARKDOWN = MarkdownIt("commonmark", {"maxNesting": 100}).enable("table")

_REFERRING = (
    "[href], [src], [srcset], [imagesrcset], [poster], [background], [data], [style], style, image, use, feImage,"
    " meta[content]"
)
_LINKING = ("a", "area")
_HREFS = ("href", "xlink:href")
_LOADED_BY = {"object": ("data",), "link": ("href",), "image": _HREFS, "use": _HREFS, "feimage": _HREFS}
"""Element to the attributes that it, unlike others, loads something by; every element does by src and poster."""
_ABSOLUTE = re.compile(r"[a-z][a-z0-9+.-]*:|//", re.IGNORECASE)
_OUTSIDE = re.compile(r"(?:(?:https?|ftp|wss?):)?//|https?:", re.IGNORECASE)
_HOST = re.compile(r"(?:[a-z]+:)?/*(?:[^/?#@]*@)?([^/?#:]*)", re.IGNORECASE)
_CANDIDATE = re.compile(r"(?:^|,)\s*([^\s,]\S*)")
_CSS_ADDRESS = re.compile(r"""(?:url\(|@import)\s*["']?([^"')\s;]+)""", re.IGNORECASE)
_REFRESH = re.compile(r"""url\s*=\s*["']?([^"'\s]+)""", re.IGNORECASE)


class References(NamedTuple):
    """The addresses in a page, each once, as a browser reads them: relative ``links`` (without fragment and query),
    relative ones of what it ``shown`` (pictures and the like), and absolute ones of what it loads from ``outside``.
    """

    links: list[str]
    shown: list[str]
    outside: list[str]


def references(page: str, path_at: Callable[[str], str | None] = lambda _: None) -> References:
    """What a page (Markdown, with any HTML in it) leads to and loads, once a code host has rendered it.

    ``path_at`` tells which absolute addresses are those of pages of the mirror (in another of its volumes): their path
    in the tree, encoded. Links to them are as good as relative ones, and begin with ``/``.
    """
    links: dict[str, None] = {}
    loaded: dict[str, None] = {}
    for node in LexborHTMLParser(_MARKDOWN.render(page)).css(_REFERRING):
        if node.tag in _LINKING:
            address = _plain(node.attributes.get("href") or "")
            path = path_at(address)
            links[address if path is None else f"/{path}"] = None
        loaded.update((_plain(address), None) for address in _loaded(node))
    shown = [address for address in loaded if not _ABSOLUTE.match(address)]
    outside = [address for address in loaded if _OUTSIDE.match(address)]
    return References(_files(link for link in links if not _ABSOLUTE.match(link)), _files(shown), outside)


def _loaded(node: LexborNode) -> Iterator[str]:
    """The addresses that a browser asks for when it shows an element."""
    tag = (node.tag or "").lower()
    for name, value in node.attributes.items():
        if not value:
            continue
        if name in _LOADED_BY.get(tag, ()) or name in ("src", "poster", "background"):
            yield value
        elif name in ("srcset", "imagesrcset"):
            yield from (candidate.rstrip(",") for candidate in _CANDIDATE.findall(value))
        elif name == "style":
            yield from _CSS_ADDRESS.findall(value)
        elif name == "content" and tag == "meta":
            yield from _REFRESH.findall(value)
    if tag == "style":
        yield from _CSS_ADDRESS.findall(node.text(deep=True))


def _plain(address: str) -> str:
    """An address as browsers read it: no line ends in it, no spaces around it, a backslash is a slash."""
    return re.sub(r"[\t\n\r]", "", address).strip().replace("\\", "/")


def _files(addresses: Iterable[str]) -> list[str]:
    """Relative addresses without fragment and query; what leads to a place on the same page is left out."""
    files = (re.split("[?#]", address, maxsplit=1)[0] for address in addresses)
    return list(dict.fromkeys(filter(None, files)))


def host_of(address: str) -> str:
    """The host of an absolute address, in small letters; empty when it has none."""
    match = _HOST.match(address)
    return match[1].lower() if match else ""
