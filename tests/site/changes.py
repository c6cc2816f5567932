"""What happens to the sample outlets between two runs of a crawl. Nothing here changes what it is given.

Of articles: :func:`edited` changes what a reader reads; :func:`redecorated`, :func:`retracked` and :func:`relazied`
change a page and nothing that is read. ``world.changed(edited(story, …), *new, without=[…])`` is the world after it.

Of templates, for all pages of an outlet at once: :func:`body_renamed`, :func:`clock_dropped`, :func:`section_dropped`,
:func:`lists_emptied`. Change the articles first: ``changed`` draws a world's lists anew.

All raise ValueError when there is nothing to change, so no test goes through because a template here has changed.
"""

from __future__ import annotations

import copy
import dataclasses
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from tests.site.furniture import HOT, escape
from tests.site.stories import Story
from tests.site.world import World

_BODY = {
    "epochtimes": ("<!-- article content begin -->\n", "\n<!-- article content end -->"),
    "ntdtv": ('itemprop="articleBody">\n', '\n<div class="single_ad">'),
}
_PIXEL = "data:image/gif;base64,R0lGODlhAQABAAAAACw="
_JUNK = (
    '\n<aside class="in-article"><p>又一个推荐专题</p></aside><script>track("again")</script>'
    '<ins class="adsbygoogle" data-ad-slot="77">广告</ins><p>&nbsp;</p>'
)

# --- of articles ---------------------------------------------------------------------------------------------------


def edited(
    story: Story,
    *,
    title: str = "",
    added: str = "",
    dropped: int | None = None,
    replaced: Mapping[str, str] | None = None,
    hours: float = 1.0,
) -> Story:
    """The article as its editors changed it.

    Another ``title``, on the page and in lists; a paragraph ``added`` after the first; the plain paragraph number
    ``dropped`` (from 0) taken out; words ``replaced`` in the body, wherever they stand. The page's clock of the last
    modification goes on by ``hours``; with nothing else it is all that changes.
    """
    text = _text(story)
    if title:
        text = _replaced(text, escape(story.title), escape(title)).replace(_json(story.title), _json(title))
    if added or dropped is not None or replaced:
        before, body, after = _split(story, text)
        if dropped is not None:
            paragraphs = re.findall(r"<p>(?!<).*?</p>", body)
            body = _replaced(body, paragraphs[dropped], "")
        for old, new in (replaced or {}).items():
            body = _replaced(body, old, new)
        if added:
            body = body.replace("</p>", f"</p>\n<p>{escape(added)}</p>", 1)
        text = before + body + after
    text, modified = _modified(story, text, hours)
    return _with(story, text, title=title or story.title, modified_at=modified)


def redecorated(story: Story) -> Story:
    """Other furniture: menu, hot list, comments, views, and advertisements in the midst of the body."""
    before, body, after = _split(story, _text(story))
    text = before + body.replace("</p>", f"</p>{_JUNK}", 1) + after
    text = _replaced(text, '<nav id="menu"><ul>', '<nav id="menu"><ul><li class="menu-item"><a href="/gb/">新</a></li>')
    text = _replaced(text, HOT[0][0], "石桥区的新邮筒")
    text = _replaced(text, "<h3>评论</h3>", '<h3>评论</h3><div class="comment"><p>又一条留言。</p></div>')
    return _with(story, text.replace("人气 1,234", "人气 98,765"))


def retracked(story: Story) -> Story:
    """Other tracking: parameters of links in the body, and a picture of one pixel that counts readers."""
    before, body, after = _split(story, _text(story))
    tracked = re.sub(r"\b(utm_source|ref_src)=\w+", r"\1=other&amp;fbclid=Iw0sample", body)
    tracked = re.sub(r'(href="https://www\.(?:epochtimes|ntdtv)\.com/[^"?#]+)"', r'\1?utm_campaign=again"', tracked)
    pixel = '<img src="https://www.google-analytics.com/collect?v=2" width="1" height="1">'
    return _with(story, before + _checked(body, tracked.replace("</p>", f"{pixel}</p>", 1)) + after)


def relazied(story: Story) -> Story:
    """Other lazy loading: what was loaded at once has a placeholder, and what had one keeps its address elsewhere."""
    start, region, rest = _text(story).partition("<h1")
    text = re.sub(r"<img [^>]*>", _relazied_image, rest)
    return _with(story, start + region + _checked(rest, text))


def _relazied_image(match: re.Match[str]) -> str:
    image = match[0]
    if "data-src=" in image:
        image = re.sub(r' src="[^"]*"', f' src="{_PIXEL}"', image)
        return image.replace("data-src=", "data-original=")
    return re.sub(r' src="([^"]*)"', rf' src="{_PIXEL}" data-src="\1" loading="lazy"', image)


def _modified(story: Story, text: str, hours: float) -> tuple[str, str | None]:
    """The text of the page with its clock of the last modification set forward, and the new clock."""
    if story.modified_at is None:
        return text, None
    moment = datetime.fromisoformat(story.modified_at)
    later = moment + timedelta(hours=hours)
    text = text.replace(f'datetime="{moment.isoformat()}"', f'datetime="{later.isoformat()}"')
    stated = '"dateModified": "{:%Y-%m-%dT%H:%M:%SZ}"'
    return _replaced(text, stated.format(moment), stated.format(later)), later.isoformat()


# --- of templates --------------------------------------------------------------------------------------------------


def redrawn(world: World, outlet: str, change: Callable[[str], str]) -> World:
    """The world with ``change`` done to every article page of an outlet."""
    drawn = {story.url: _text(story) for (owner, _), story in world.truth.items() if owner == outlet}
    changed = {url: (page.encode(),) for url, old in drawn.items() if (page := change(old)) != old}
    return _with_pages(world, changed)


def body_renamed(world: World, outlet: str) -> World:
    """The container of the body has another name."""
    old = r'id="artbody"|class="(?:post_content|article_content)"|itemprop="articleBody"'
    return redrawn(world, outlet, lambda page: re.sub(old, 'class="story"', page))


def clock_dropped(world: World, outlet: str, *, wholly: bool = True) -> World:
    """No page says when it was published: neither its clock nor its metadata nor its dateline.

    Not ``wholly``: only the clock is gone, and the other two still speak.
    """
    times = r"<time [^>]*>更新 [^<]*</time>|(?<=<div class=\"time\">)(?:<span>)?[^<]+(?:</span>)?"
    if wholly:
        times += r'|"date(?:Published|Modified)": "[^"]*", |【(?:大纪元|新唐人北京时间)[^】]*讯】'
    return redrawn(world, outlet, lambda page: re.sub(times, "", page))


def section_dropped(world: World, outlet: str) -> World:
    """No page has a breadcrumb."""
    return redrawn(world, outlet, lambda page: re.sub(r'<div id="breadcrumb">.*?</div>', "", page))


def lists_emptied(world: World, outlet: str) -> World:
    """The pages of all lists are there, and name no article."""
    pages = {
        address: world.list_page(key, page, ())
        for key, addresses in world.list_pages.items()
        for page, address in enumerate(addresses, 1)
        if key[0] == outlet
    }
    return _with_pages(world, pages)


def _with_pages(world: World, pages: Mapping[str, tuple[bytes, ...]]) -> World:
    if not pages:
        raise ValueError("no page is changed by this")
    after = copy.copy(world)
    after.pages = {**world.pages, **pages}
    return after


# --- text ----------------------------------------------------------------------------------------------------------


def _text(story: Story) -> str:
    return b"".join(story.page).decode()


def _with(story: Story, text: str, **facts: str | None) -> Story:
    return dataclasses.replace(story, page=(text.encode(),), **facts)  # type: ignore[arg-type]


def _split(story: Story, text: str) -> tuple[str, str, str]:
    """What stands before, in and after the body."""
    begin, end = _BODY[story.outlet]
    before, found, rest = text.partition(begin)
    body, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"{story.url} is not drawn with today's template")
    return before + found, body, closed + after


def _replaced(text: str, old: str, new: str) -> str:
    if old not in text:
        raise ValueError(f"{old!r} is not there")
    return text.replace(old, new)


def _checked(before: str, after: str) -> str:
    if before == after:
        raise ValueError("nothing to change")
    return after


def _json(text: str) -> str:
    """Text as the JSON of a page spells it."""
    return text.replace("\\", "\\\\").replace('"', '\\"')
