"""What the sample outlets offer beside their lists: epochtimes a feed of each section, ntdtv a news sitemap.

Forms: FACTS A2 and B2. What they do not say (the form of dates in feeds, the zone of the sitemap) is drawn in the
likeliest way: RFC 822 with an offset in the feeds, and in the sitemap the Beijing clock with a false ``Z``.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterable, Sequence
from email.utils import format_datetime

from tests.site.furniture import escape
from tests.site.stories import BEIJING, SECTIONS, Story, section_url

SITEMAP = "https://www.ntdtv.com/assets/uploads/sitemap/sitemap_news_gb.xml.gz"

_ITEMS = 30
_IN_SITEMAP = 100
_BODY = re.compile(rb"<!-- article content begin -->\n(.*)\n<!-- article content end -->", re.DOTALL)


def feed_url(section: str) -> str:
    """The address of a section's feed."""
    return section_url("epochtimes", section).replace(".htm", ".xml")


def feed(section: str, stories: Sequence[Story]) -> bytes:
    """The feed of a section with the first of ``stories`` (the newest) and their bodies; some links are ``http``."""
    items = "".join(
        f"<item><title>{escape(story.title)}</title>"
        f"<link>{story.url if place % 2 else story.url.replace('https:', 'http:')}</link>"
        f"<pubDate>{format_datetime(story.moment)}</pubDate><description>{escape(story.summary)}</description>"
        f"<content:encoded><![CDATA[{_body(story)}]]></content:encoded></item>\n"
        for place, story in enumerate(stories[:_ITEMS])
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0" '
        'xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel>\n'
        f"<title>{SECTIONS['epochtimes'][section]} - 大纪元</title><link>{section_url('epochtimes', section)}</link>\n"
        f"{items}</channel></rss>\n"
    ).encode()


def sitemap(stories: Iterable[Story]) -> bytes:
    """The news sitemap, gzipped: the newest of ``stories`` that are in simplified script."""
    newest = sorted((story for story in stories if "/gb/" in story.url), key=lambda story: story.moment, reverse=True)
    entries = "".join(
        f"<url><loc>{story.url}</loc><news:news><news:publication><news:name>新唐人</news:name>"
        "<news:language>zh-cn</news:language></news:publication><news:publication_date>"
        f"{story.moment.astimezone(BEIJING):%Y-%m-%dT%H:%M:%SZ}</news:publication_date>"
        f"<news:title>{escape(story.title)}</news:title></news:news></url>\n"
        for story in newest[:_IN_SITEMAP]
    )
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" '
        f'xmlns:news="http://www.google.com/schemas/sitemap-news/0.9">\n{entries}</urlset>\n'
    )
    return gzip.compress(text.encode(), mtime=0)


def _body(story: Story) -> str:
    """The article's body (without the picture above it), as far as its page is of today's template."""
    found = _BODY.search(b"".join(story.page))
    return found[1].decode().replace("]]>", "]]]]><![CDATA[>") if found else ""
