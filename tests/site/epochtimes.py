"""Pages of the sample epochtimes: the two article templates in use since 2020 and the lists of two generations.

The markup follows FACTS A3 and A4. Earlier eras are found as static pages under tests/fixtures.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from tests.site import furniture
from tests.site.furniture import escape
from tests.site.stories import BEIJING, SECTIONS, Story, section_url, tag_url

HOME = "https://www.epochtimes.com/gb/"
BLANK = "https://www.epochtimes.com/assets/themes/djy/images/blank.gif"


def address(number: int, published: datetime) -> str:
    """The address of an article. Its date is the day in America when the article came out (FACTS A1)."""
    return f"{HOME}{published.year % 100}/{published.month}/{published.day}/n{number}.htm"


def lead(image: str, caption: str, alt: str) -> str:
    """The lazy picture above an article: a placeholder, the real address beside it, and a twin without script."""
    return (
        f'<div class="featured_image"><a href="{image}" class="cboxElement"><img class="lazy wp-post-image" '
        f'src="{BLANK}" data-src="{image}" alt="{escape(alt)}"><noscript><img width="600" height="400" src="{image}" '
        f'alt="{escape(alt)}" /></noscript></a><div class="caption">{escape(caption)}</div></div>'
    )


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
    second_layout: bool = False,
    weight: int = 1,
) -> tuple[bytes, ...]:
    """An article page. The second layout has its clock inside the body and its title in ``.arttop``.

    JSON-LD prints the Beijing clock with a false ``Z``; the word before the publication clock is 更新 (FACTS A4).
    """
    clock = f'<time datetime="{modified.isoformat()}">更新 {printed(published)}</time>'
    clock += '<span class="pageview">人气 1,234</span>'
    if second_layout:
        heading = f'<div class="arttop arttop2"><h1 class="title">{escape(title)}</h1>{lead}</div>'
        body = f'<header class="art-head">{clock}</header>{body}'
        container = '<div id="artbody" class="post_content" itemprop="articleBody">'
    else:
        heading = (
            f'<div class="titles"><h1 class="title">{escape(title)}</h1></div><div class="info">{clock}</div>{lead}'
        )
        container = '<div id="artbody" itemprop="articleBody">'
    name = SECTIONS["epochtimes"][section]
    keywords = " ".join(f'<a rel="tag" href="{tag_url("epochtimes", tag)}">{escape(tag)}</a>' for tag in tags)
    top = (
        f'<!DOCTYPE html>\n<html lang="zh-Hans"><head><meta charset="utf-8">\n'
        f"<title>{' | '.join([escape(title), *map(escape, tags), '大纪元'])}</title>\n"
        f'<link rel="canonical" href="{url}">'
        f'<link rel="alternate" hreflang="zh-Hant" href="{url.replace("/gb/", "/b5/")}">\n'
        f'<meta property="og:title" content="{escape(title)} - 大纪元"><meta property="og:url" content="{url}">\n'
        f"{json_ld(url, title, published, modified)}\n"
    )
    middle = (
        f'<div id="breadcrumb"><a class="breadcrumbs" href="{HOME}">大纪元</a> &gt; '
        f'<a class="breadcrumbs" href="{section_url("epochtimes", section)}">{name}</a></div>\n'
        f'<div class="article">{heading}\n{container}<!-- article content begin -->\n{body}\n'
        "<!-- article content end -->\n"
        f'<aside class="in-article"><p>推荐专题</p></aside><div id="recommend_post"><h3>推荐阅读</h3>'
        f"{furniture.links([(furniture.HOT[0][0], furniture.hot_url('epochtimes', furniture.HOT[0][1]))], 'recommend')}"
        f'</div><div id="below_article_ad">{furniture.advertisements(1)}</div></div></div>\n'
        f'<div class="tags">关键字: {keywords}</div>\n'
    )
    before, after = _around(weight)
    return top.encode(), before, middle.encode(), after


def _around(weight: int) -> tuple[bytes, bytes]:
    """The furniture before and after an article."""
    before = (
        f'{furniture.scripts(weight)}</head>\n<body class="single"><header id="masthead">'
        f'{furniture.menu("epochtimes", weight)}</header>\n<main id="main"><div class="main_content">\n'
    )
    after = (
        f'<div class="related-posts"><h3>相关新闻</h3><div class="post-title"><a href="'
        f'{furniture.hot_url("epochtimes", furniture.HOT[1][1])}">{furniture.HOT[1][0]}</a></div></div>\n'
        f'{furniture.comments(weight)}</div>\n<aside id="sidebar">{furniture.hot_list("epochtimes", weight)}'
        f"{furniture.advertisements(weight * 2)}</aside></main>\n<footer>{furniture.menu('epochtimes', weight)}"
        "<p>Copyright© 2000 - 2026</p></footer></body></html>\n"
    )
    return before.encode(), after.encode()


def printed(moment: datetime) -> str:
    """The clock as the page prints it: twelve hours, ``12:05 AM`` five minutes after midnight."""
    return f"{moment:%Y-%m-%d} {moment.hour % 12 or 12}:{moment:%M} {'AM' if moment.hour < 12 else 'PM'}"


def json_ld(url: str, title: str, published: datetime, modified: datetime) -> str:
    """The metadata block: another node first, then the article with the Beijing clock and a false ``Z``."""
    article = {
        "@type": "NewsArticle",
        "url": url,
        "headline": title,
        "datePublished": f"{published:%Y-%m-%dT%H:%M:%SZ}",
        "dateModified": f"{modified:%Y-%m-%dT%H:%M:%SZ}",
        "author": {"@type": "Organization", "name": "大纪元"},
    }
    other = {"@type": "WebSite", "url": "https://www.epochtimes.com/", "datePublished": "2000-05-20T00:00:00Z"}
    graph = {"@context": "https://schema.org", "@graph": [other, article]}
    text = json.dumps(graph, ensure_ascii=False).replace("<", "\\u003c")
    return f'<script type="application/ld+json">{text}</script>'


def list_page(
    name: str, stories: Sequence[Story], number: int, pages: Sequence[str], *, weight: int = 1
) -> tuple[bytes, ...]:
    """A list page since 2021: ``pages`` are the addresses of all pages of the list, ``number`` counts from 1.

    Page 1 has a headline block on top that repeats the first article; every third page repeats an entry; one entry
    is an advertisement without a link (FACTS A3).
    """
    entries = [_post(story) for story in stories]
    entries.insert(
        len(entries) // 2, '<div class="one_post ad"><script>googletag.cmd.push(function(){});</script></div>'
    )
    if stories and number % 3 == 0:
        entries.insert(3, _post(stories[0]))
    headline = ""
    if stories and number == 1:
        first = stories[0]
        link = f'<a href="{first.url.replace("https:", "http:")}"><h2>{escape(first.title)}</h2></a>'
        headline = f'<div class="headline">{link}</div>'
    numbers = [n for n in range(1, len(pages) + 1) if abs(n - number) < 3 or n in (1, len(pages))]
    pager = "".join(
        f'<span class="page-numbers current">{n:,}</span>'
        if n == number
        else f'<a class="page-numbers" href="{pages[n - 1]}">{n:,}</a>'
        for n in numbers
    )
    if number < len(pages):
        pager += f'<a class="next page-numbers" href="{pages[number]}">下一页 »</a>'
    return (
        _list_head(name, weight).encode(),
        f'<main id="main"><h1 class="block_title">{escape(name)}</h1>{headline}\n<div class="post_list left_col">'
        f'{"".join(entries)}\n<div class="pagination">{pager}</div></div></main>\n'.encode(),
        _list_foot(weight).encode(),
    )


def _post(story: Story) -> str:
    day = story.moment.astimezone(BEIJING)
    return (
        f'\n<div class="one_post"><div class="img"><a href="{story.url}"><img class="lazy" src="{BLANK}" '
        f'data-src="{story.thumbnail}"></a></div><div class="text"><div class="title"><a href="{story.url}">'
        f'{escape(story.title)}</a></div><div class="excerpt">{escape(story.summary)}</div><div class="info">'
        f'<span class="date">{day.month}月{day.day}日</span><span class="pageview">人气 99</span></div></div></div>'
    )


def old_list_page(
    name: str, stories: Sequence[Story], number: int, pages: Sequence[str], *, weight: int = 1
) -> tuple[bytes, ...]:
    """A list page of 2015 to 2019: junk around addresses, and a pager whose only sure link is ``>``."""
    junk = (" {}", "{};", "{}?utm_source=list", "{}#comments", "“{}”", "{}")
    entries = "".join(
        f'\n<div class="posts column"><div class="arttitle column"><a href="{junk[n % len(junk)].format(story.url)}">'
        f'{escape(story.title)}</a></div><div class="thumb"><a href="{story.url.replace("https:", "http:")}">'
        f'<img src="{BLANK}" data-src="{story.thumbnail}"></a></div><div class="content">{escape(story.summary)}</div>'
        f'<div class="large-6 medium-6 small-12 column post-date">{story.moment:%Y-%m-%d}</div></div>'
        for n, story in enumerate(stories)
    )
    following = f'<a href="{pages[number]}"> &gt; </a>' if number < len(pages) else ""
    return (
        _list_head(name, weight).encode(),
        f'<h1 class="block_title">{escape(name)}</h1><div id="artlist">{entries}</div>\n<div class="menu_page">'
        f'<a href="{pages[0]}">1</a>{following}</div>\n'.encode(),
        _list_foot(weight).encode(),
    )


def _list_head(name: str, weight: int) -> str:
    return (
        f'<!DOCTYPE html>\n<html lang="zh-Hans"><head><meta charset="utf-8"><title>{escape(name)} | 大纪元</title>\n'
        f"{furniture.scripts(weight)}</head><body><header>{furniture.menu('epochtimes', weight)}</header>\n"
    )


def _list_foot(weight: int) -> str:
    return (
        f'<aside id="sidebar">{furniture.hot_list("epochtimes", weight)}{furniture.advertisements(weight)}</aside>\n'
        "<footer><p>Copyright© 2000 - 2026</p></footer></body></html>\n"
    )
