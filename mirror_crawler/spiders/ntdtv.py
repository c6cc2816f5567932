"""ntdtv.com (新唐人). Facts: FACTS B1 (addresses), B3 (lists), B4 (articles), B5 (credits)."""

import re
from typing import ClassVar

from mirror_crawler.addresses import Addresses
from mirror_crawler.credits import NTDTV
from mirror_crawler.outlet import OutletSpider
from mirror_crawler.pages import ArticlePage, ListPage


class NtdtvArticlePage(ArticlePage):  # noqa: D101  (its base class is the manual)
    TITLE = ".article_title h1, .main_title h1, .main_title, main h1"
    BODY = "div.post_content[itemprop=articleBody], [itemprop=articleBody], .article_content"
    CLOCK = ".article_info .time, .article_info time"
    BREADCRUMB = "#breadcrumb a, .breadcrumb a, .breadcrumbs a, a.breadcrumbs"
    OUTSIDE_BODY = ".featured_image, .featured_video, .article_title, .article_info, .main_title"
    CREDITS = NTDTV
    UPDATE_LABEL_MEANS_UPDATE = True
    BOLD_HEADINGS = True


class NtdtvSpider(OutletSpider):
    """新唐人, simplified script."""

    name = "ntdtv"
    title = "新唐人"
    list_page = ListPage
    article_page = NtdtvArticlePage
    addresses = Addresses(
        hosts=frozenset(f"{prefix}ntdtv.com" for prefix in ("www.", "www2.", "cn.", "m.", "")),
        image_hosts=frozenset(("i.ntdtv.com",)),
        article=re.compile(
            r"(?:/xtr)?/(?P<script>gb|b5)/(?P<year>20\d{2})/(?P<month>\d{1,2})/(?P<day>\d{1,2})"
            r"/a(?P<number>[1-9]\d{3,11})\.html?"
        ),
        article_id="a{number}",
        article_url="https://www.ntdtv.com/{script}/{year:04d}/{month:02d}/{day:02d}/a{number}.html",
        section=re.compile(
            r"(?:/xtr)?/(?P<script>gb|b5)/(?P<id>prog\d+|headline-news|instant-news|editor-pickup|culture-world|commentary"
            r"|news/[a-z-]+|programs/[a-z0-9-]+)(?:[/_](?P<page>[1-9]\d{0,5}))?(?:\.html?)?/?"
        ),
        section_url="https://www.ntdtv.com/{script}/{id}",
        section_forms=dict.fromkeys(("headline-news", "instant-news"), "https://www.ntdtv.com/{script}/{id}.html"),
        tag=re.compile(r"/(?P<script>gb|b5)/(?P<slug>[^/]+)\.htm"),
        tag_url="https://www.ntdtv.com/{script}/{id}.htm",
    )
    feeds = ("https://www.ntdtv.com/gb/feed",)
    sitemaps = ("https://www.ntdtv.com/assets/uploads/sitemap/sitemap_news_gb.xml.gz",)
    default_sections = tuple(f"prog{number}" for number in (202, 203, 204, 424, 647, 1138, 1530, 1695, 1699))
    sections: ClassVar = {
        "prog202": "国际新闻", "prog203": "美国新闻", "prog204": "大陆新闻", "prog205": "港澳新闻", "prog207": "评论",
        "prog208": "财经新闻", "prog209": "科教新闻", "prog210": "娱乐新闻", "prog211": "体育新闻",
        "prog424": "法轮功专题", "prog647": "文史", "prog1138": "中国时局", "prog1255": "健康", "prog1530": "专题",
        "prog1695": "百年真相", "prog1699": "党史专题", "headline-news": "头条新闻", "instant-news": "即时新闻",
        "commentary": "评论", "editor-pickup": "编辑精选", "culture-world": "文化", "news/china": "中国新闻",
    }  # fmt: skip
