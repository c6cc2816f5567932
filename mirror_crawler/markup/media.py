"""Elements that play or show something of another address: frames, films, old plug-ins, players that scripts make."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from selectolax.lexbor import LexborNode

from mirror_crawler.items import Embed
from mirror_crawler.markup.elements import Attributes
from mirror_crawler.markup.embeds import embed_of
from mirror_crawler.markup.hrefs import Page, safe_address
from mirror_crawler.markup.pictures import is_hidden


def announced(classes: list[str], attributes: Attributes) -> Embed | None:
    """The embed that an element announces which only a script would fill (FACTS A4)."""
    name = attributes.get("data-id") or ""
    viewer = re.match(r"DV-viewer-(\d+)", attributes.get("id") or "")
    address = ""
    if "player-container" in classes:
        address = f"https://vs.youmaker.com/assets/player/{name.removeprefix('player-')}"
    elif "infogram-embed" in classes:
        address = f"https://infogram.com/{name}"
    elif viewer:
        address = f"https://www.documentcloud.org/documents/{viewer[1]}"
    embed = embed_of(address) if address else None
    return embed if embed and embed.kind != "frame" else None


def _in_frame(_node: LexborNode, attributes: Attributes, page: Page) -> Embed | None:
    sources = (attributes.get(name) for name in ("data-src", "data-lazy-src", "src"))
    return None if is_hidden(attributes) else _first("frame", sources, page)


def _in_film(node: LexborNode, attributes: Attributes, page: Page) -> Embed | None:
    """What the element holds besides its sources is for browsers that cannot play it."""
    sources = [attributes.get("src"), *(source.attributes.get("src") for source in node.css("source"))]
    return _first(node.tag or "", sources, page)


def _first(kind: str, sources: Iterable[str | None], page: Page) -> Embed | None:
    """The first usable address; an embed of this kind when the address itself does not tell."""
    address = next((found for source in sources if (found := page.elsewhere(source))), None)
    return (embed_of(address) or Embed(kind=kind, url=address)) if address else None


def _in_plugin(node: LexborNode, attributes: Attributes, page: Page) -> Embed | None:
    """``object`` and ``embed``, the players of before 2015: kept when the address is a known one."""
    inner = [part.attributes for part in node.css("embed, param")] if node.tag == "object" else []
    for found in (attributes, *inner):
        for name in ("src", "data", "value"):
            address = page.elsewhere(found.get(name))
            if address and (embed := embed_of(address)):
                return embed
    return None


def _in_script(_node: LexborNode, attributes: Attributes, page: Page) -> Embed | None:
    """One kind of player is nothing else than a script (FACTS A4, B4)."""
    source = attributes.get("src")
    embed = embed_of(safe_address(source, page.address) or "") if source else None
    return embed if embed and embed.kind == "youmaker" else None


PLAYERS: Mapping[str, Callable[[LexborNode, Attributes, Page], Embed | None]] = {
    "audio": _in_film,
    "embed": _in_plugin,
    "iframe": _in_frame,
    "object": _in_plugin,
    "script": _in_script,
    "video": _in_film,
}
"""By element: what it plays. It is removed with its contents in any case; None: nothing is kept of it."""
