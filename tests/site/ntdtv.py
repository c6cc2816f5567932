"""Pages of the sample ntdtv: article pages with the clocks of 2026 and of 2021, programme pages, lists.

The markup follows FACTS B3 and B4. Earlier eras are found as static pages under tests/fixtures.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from tests.site import furniture
from tests.site.furniture import escape
from tests.site.stories import SECTIONS, Story, section_url

HOME = "https://www.ntdtv.com/gb/"


def address(number: int, published: datetime) -> str:
    """The address of an article."""
    return f"{HOME}{published:%Y/%m/%d}/a{number}.html"


def lead(image: str, caption: str, alt: str) -> str:
    """The picture above an article."""
    return (
        f'<div class="featured_image"><a href="{image}"><figure><img width="868" height="488" src="{image}" '
        f'alt="{escape(alt)}"></figure></a><span class="caption">{escape(caption)}</span></div>'
    )


def video(identity: str) -> str:
    """The player that stands in place of the picture on programme pages."""
    return f'<div class="featured_video"><iframe src="https://www.youtube.com/embed/{identity}?rel=0"></iframe></div>'


def page(
    *,
    url: str,
    title: str,
    published: datetime,
    modified: datetime,
    body: str,
    section: str,
    tags: Sequence[str],
    lead: str = "",
    bare_clock: bool = False,
    weight: int = 1,
) -> tuple[bytes, ...]:
    """An article page. ``bare_clock`` is the form of 2021: a clock without a word about what it shows.

    JSON-LD prints the Beijing clock with a false ``Z`` (FACTS B4); ``lead`` is a picture, a player or nothing.
    """
    clock = f"<span>{published:%Y-%m-%d %H:%M}</span>" if bare_clock else f"北京时间：{published:%Y-%m-%d %H:%M}"
    level = f'<a href="{section_url("ntdtv", section)}">{SECTIONS["ntdtv"][section]}</a>'
    keywords = escape(",".join(tags))
    top = (
        f'<!DOCTYPE html>\n<html lang="zh-Hans"><head><meta charset="utf-8">\n'
        f"<title>{escape(title)} | 新唐人中文电视台在线</title>\n"
        f'<link rel="canonical" href="{url}"><meta property="og:title" content="{escape(title)}">\n'
        f'<meta name="keywords" content="{keywords}"><meta name="author" content="新唐人电视台">\n'
        f"{json_ld(url, title, published, modified)}\n"
    )
    related = furniture.links([(furniture.HOT[0][0], furniture.hot_url("ntdtv", furniture.HOT[0][1]))], "related")
    middle = (
        f'<div id="breadcrumb"><a href="{HOME}">首页</a> &gt; <a href="{HOME}news">新闻</a> &gt; '
        f"{level} &gt; {level}</div>\n"
        f'<div class="article_title"><h1>{escape(title)}</h1></div>\n'
        f'<div class="article_info"><div class="time">{clock}</div>'
        f'<div class="print_link"><a href="?print">打印</a></div></div>\n<div class="article_content">{lead}\n'
        f'<div class="post_content" itemprop="articleBody">\n{body}\n<div class="single_ad"></div>'
        f'<div class="post_related"><h3>相关文章</h3>{related}</div></div></div>\n'
    )
    before, after = _around(weight)
    return top.encode(), before, middle.encode(), after


def _around(weight: int) -> tuple[bytes, bytes]:
    """The furniture before and after an article."""
    before = (
        f'{furniture.scripts(weight)}</head>\n<body class="single"><header>{furniture.menu("ntdtv", weight)}</header>\n'
        '<div id="content">\n'
    )
    after = (
        f'{furniture.comments(weight)}<div class="post_hot">{furniture.hot_list("ntdtv", weight)}</div>'
        f"{furniture.advertisements(weight * 2)}</div>\n"
        f"<footer>{furniture.menu('ntdtv', weight)}</footer></body></html>\n"
    )
    return before.encode(), after.encode()


def json_ld(url: str, title: str, published: datetime, modified: datetime) -> str:
    """The metadata block: the station as author, the Beijing clock with a false ``Z``."""
    article = {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "mainEntityOfPage": {"@type": "WebPage", "@id": url},
        "url": url,
        "headline": title,
        "datePublished": f"{published:%Y-%m-%dT%H:%M:%SZ}",
        "dateModified": f"{modified:%Y-%m-%dT%H:%M:%SZ}",
        "author": {"@type": "Organization", "name": "新唐人电视台"},
        "articleBody": "元数据里的正文不可用作正文。",
    }
    text = json.dumps(article, ensure_ascii=False).replace("<", "\\u003c")
    return f'<script type="application/ld+json">{text}</script>'


def list_page(
    name: str, stories: Sequence[Story], number: int, pages: Sequence[str], *, weight: int = 1
) -> tuple[bytes, ...]:
    """A list page: two links an entry, some addresses with a leading space, an advertisement among the entries."""
    entries = [
        f'\n<div class="one_post"><a href="{" " if n % 7 == 3 else ""}{story.url}"><img class="lazy" '
        f'src="data:image/gif;base64,R0lGODlhAQABAAAAACw=" data-src="{story.thumbnail}"></a><div class="text">'
        f'<div class="title"><a href="{story.url}">{escape(story.title)}</a></div></div>'
        f'<div class="excerpt">{escape(story.summary)}</div></div>'
        for n, story in enumerate(stories)
    ]
    entries.insert(len(entries) // 2, f'\n<div class="one_post">{furniture.advertisements(1)}</div>')
    if stories and number % 2 == 0:
        entries.insert(1, entries[0])
    numbers = [n for n in range(1, len(pages) + 1) if abs(n - number) < 4 or n == len(pages)]
    pager = "".join(f'<a class="page-numbers" href="{pages[n - 1]}">{n:,}</a>' for n in numbers)
    if number < len(pages):
        pager += f'<a class="next page-numbers" href="{pages[number]}">下一页</a>'
    return (
        f'<!DOCTYPE html>\n<html lang="zh-Hans"><head><meta charset="utf-8"><title>{escape(name)} | 新唐人</title>\n'
        f"{furniture.scripts(weight)}</head><body><header>{furniture.menu('ntdtv', weight)}</header>\n".encode(),
        f'<h1 class="block_title">{escape(name)}</h1><div class="post_list"><div class="list_wrapper">'
        f'{"".join(entries)}</div>\n<div class="pagination">{pager}</div></div>\n'.encode(),
        f'<div class="post_hot">{furniture.hot_list("ntdtv", weight)}</div>{furniture.advertisements(weight)}'
        "</body></html>\n".encode(),
    )
