"""The sample outlets as sites whose pages are built by script: the same pages, of which only the head is sent as HTML.

A browser that has run the script has what the plain page has.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from tests.site.world import World

WAITING = '<div id="artbody"><p>加载中…</p></div>'
"""What stands in a page before its script has run: it looks like a body."""
_PAGE = re.compile(r"(?P<head>.*<body[^>]*>)(?P<body>.*)</body>", re.DOTALL)

_WRITE = "document.body.innerHTML = {text};"
_LATER = "setTimeout(function () {{ document.body.innerHTML = {text} }}, 150);"
_MODERN = "const write = async (text) => {{ document.body.innerHTML = text?.trim() ?? '' }}; write({text});"
_FETCH = (
    "var request = new XMLHttpRequest(); request.open('GET', {data});"
    "request.onload = function () {{ if (request.status === 200) document.body.innerHTML ="
    " JSON.parse(request.responseText).html }}; request.send();"
)


def scripted(world: World, ways: Sequence[Callable[[str, str], str]] = ()) -> World:
    """The world with every list and article built by script, in each of ``ways`` in turn: some at once, some a while
    later, some from data that the script fetches.
    """
    ways = ways or (at_once, later, loading)
    after = copy.copy(world)
    after.pages = dict(world.pages)
    listed = [address for addresses in world.list_pages.values() for address in addresses]
    for place, url in enumerate([*listed, *(story.url for story in world.truth.values())]):
        page = b"".join(world.pages[url]).decode()
        way = ways[place % len(ways)]
        after.pages[url] = (way(page, url).encode(),)
        if way is loading:
            after.pages[data_url(url)] = (data(page),)
    return after


def at_once(page: str, url: str = "") -> str:
    """The page, its body written by a script that has its text."""
    return _shell(page, _WRITE, url)


def later(page: str, url: str = "") -> str:
    """The same, some time after the page was loaded."""
    return _shell(page, _LATER, url)


def loading(page: str, url: str) -> str:
    """The same, with a body that the script fetches from :func:`data_url`."""
    return _shell(page, _FETCH, url)


def modern(page: str, url: str = "") -> str:
    """The same, in JavaScript of 2020."""
    return _shell(page, _MODERN, url)


def data(page: str) -> bytes:
    """What the script of :func:`loading` fetches."""
    return json.dumps({"html": _parts(page)["body"]}, ensure_ascii=False).encode()


def data_url(url: str) -> str:
    """Where it fetches it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/wp-json/{parts.path.strip('/').replace('/', '_')}.json"


def with_script(script: str, page: str) -> str:
    """The page with one script more, which runs first."""
    return page.replace("<body", f"<script>{script}</script><body", 1)


def _shell(page: str, script: str, url: str) -> str:
    parts = _parts(page)
    text = script.format(text=_literal(parts["body"]), data=_literal(data_url(url)) if url else "''")
    return f"{parts['head']}{WAITING}<script>{text}</script></body></html>"


def _parts(page: str) -> dict[str, str]:
    found = _PAGE.fullmatch(page.rpartition("</html>")[0])
    if found is None:
        raise ValueError("the page has no body")
    return found.groupdict()


def _literal(text: str) -> str:
    """Text as a script spells it, without what would end the script."""
    return json.dumps(text, ensure_ascii=False).replace("</", "<\\/").replace("<!--", "<\\!--")
