"""What stands around an article on the sample outlets' pages: menus, advertisements, scripts, hot lists, comments.

``weight`` is how much of it: 1 for a page that a person can read through, 10 for as much as the real pages carry.
None of its words belong to an article, and several of them look as if they did.
"""

from __future__ import annotations

import functools
import html
from collections.abc import Iterable

from tests.site.stories import SECTIONS, section_url

_SCRIPT = (
    "(function(w,d){w.dataLayer=w.dataLayer||[];function g(){w.dataLayer.push(arguments)}g('js',new Date());"
    'var t=\'<div id="artbody"><p>loading…</p></div>\';d.querySelectorAll(".lazy").forEach(function(e){'
    "e.src=e.dataset.src||t})})(window,document);"
)

HOT = (
    ("青禾镇图书馆延长开放时间", 14700001),
    ("白鹭湾渡轮恢复夜间班次", 14700002),
    ("云栖县茶农迎来秋收", 14700003),
    ("南岭天文台拍到罕见流星雨", 14700004),
)
"""Headlines and numbers of the hot list, which stands on every page and belongs to none."""


def escape(text: str) -> str:
    """Text as HTML text or attribute value."""
    return html.escape(text, quote=True)


def links(entries: Iterable[tuple[str, str]], kind: str) -> str:
    """A list of links (title, address)."""
    items = "".join(f'<li><a href="{url}" title="{escape(title)}">{escape(title)}</a></li>' for title, url in entries)
    return f'<ul class="{kind}">{items}</ul>'


@functools.cache
def menu(outlet: str, weight: int) -> str:
    """The navigation: every section of the outlet, and sub-menus to make up the weight."""
    sections = list(SECTIONS[outlet].items())[: 6 * weight]
    entries = "".join(
        f'<li class="menu-item"><a href="{section_url(outlet, section)}">{name}</a>'
        + links([(f"{name}{n}", f"{section_url(outlet, section)}#sub{n}") for n in range(weight - 1)], "sub-menu")
        + "</li>"
        for section, name in sections
    )
    return f'<nav id="menu"><ul>{entries}</ul></nav>'


@functools.cache
def scripts(weight: int) -> str:
    """Scripts and styles for a page's head."""
    return f"<script>{_SCRIPT * weight}</script><style>{'.one_post .title a{color:#111} ' * weight * 4}</style>"


@functools.cache
def advertisements(count: int) -> str:
    """Advertising boxes."""
    return "".join(
        f'<div class="ad-slot" id="div-gpt-ad-16000000{n:02d}-0" data-google-query-id="CJ{n}">'
        f'<script>googletag.cmd.push(function(){{googletag.display("div-gpt-ad-16000000{n:02d}-0")}});</script>'
        f'<ins class="adsbygoogle" style="display:block" data-ad-slot="{n}">广告</ins></div>'
        for n in range(count)
    )


@functools.cache
def hot_list(outlet: str, weight: int) -> str:
    """The sidebar: links to articles that have nothing to do with the page."""
    return f"<h3>热门新闻</h3>{links(((title, hot_url(outlet, number)) for title, number in HOT * weight), 'hot')}"


def hot_url(outlet: str, number: int) -> str:
    """The address of an article of the hot list."""
    if outlet == "epochtimes":
        return f"https://www.epochtimes.com/gb/26/9/1/n{number}.htm"
    return f"https://www.ntdtv.com/gb/2026/09/01/a{number - 14700000 + 104100000}.html"


@functools.cache
def comments(weight: int) -> str:
    """Readers' comments, with paragraphs of their own."""
    comment = (
        '<div class="comment"><p>读者留言不是正文。</p><time datetime="2026-01-01T00:00:00+08:00">1月1日</time></div>'
    )
    return f'<div id="comments"><h3>评论</h3>{comment * weight}</div>'
