"""epochtimes.com (大纪元). Facts: FACTS A1 (addresses), A3 (lists), A4 (articles), A5 (credits)."""

import re
from typing import ClassVar

from mirror_crawler.addresses import Addresses
from mirror_crawler.credits import EPOCHTIMES
from mirror_crawler.outlet import OutletSpider
from mirror_crawler.pages import ArticlePage, ListPage


class EpochtimesListPage(ListPage):  # noqa: D101  (its base class is the manual)
    ENTRIES = ".one_post .title a, #artlist .arttitle a, .newyork li a, .clear .info a"
    TOP = "main h2 > a, main a:has(> h2), .headline a"


class EpochtimesArticlePage(ArticlePage):  # noqa: D101  (its base class is the manual)
    TITLE = "h1.title, .titles h1, .arttop h1, h1.blue18, main h1"
    BODY = "#artbody, div.post_content, .whitebg"
    LEAD = ".featured_image, .arttop"
    CLOCK = ".info time, #artbody > header time, .art-head time, .mbottom10 > time, .art-head > span"
    OUTSIDE_BODY = ".featured_image"
    CREDITS = EPOCHTIMES


class EpochtimesSpider(OutletSpider):
    """大纪元, simplified script; the traditional twin of an article has the same id."""

    name = "epochtimes"
    title = "大纪元"
    list_page = EpochtimesListPage
    article_page = EpochtimesArticlePage
    addresses = Addresses(
        hosts=frozenset(f"{prefix}epochtimes.com" for prefix in ("www.", "cn.", "m.", ""))
        | {"www.dajiyuan.com", "dajiyuan.com"},
        image_hosts=frozenset(("i.epochtimes.com",)),
        article=re.compile(
            r"/(?P<script>gb|b5)/(?P<year>\d{1,2}|20\d{2})/(?P<month>\d{1,2})/(?P<day>\d{1,2})"
            r"/n(?P<number>[1-9]\d{2,9})p?\.html?"
        ),
        article_id="n{number}",
        article_url="https://www.epochtimes.com/{script}/{short_year}/{month}/{day}/n{number}.htm",
        section=re.compile(
            r"/(?P<script>gb|b5)/(?P<id>(?:nsc|ncid|nf|news)\d+|n24hr|nscfreezone|nc[A-Za-z][A-Za-z_]*?)"
            r"(?:_(?P<page>[1-9]\d{0,5}))?\.htm"
        ),
        section_url="https://www.epochtimes.com/{script}/{id}.htm",
        tag=re.compile(r"/(?P<script>gb|b5)/tag/(?P<slug>[^/]+?)(?:\.(?P<page>[1-9]\d{0,5}))?\.html"),
        tag_url="https://www.epochtimes.com/{script}/tag/{id}.html",
    )
    section_feed = "https://www.epochtimes.com/{script}/{id}.xml"
    default_sections = ("nsc412", "nsc413", "nsc415", "nsc418", "nsc422", "nsc423", "nsc424", "nsc993", "nf4514")
    sections: ClassVar = {
        "nsc412": "美国新闻", "nsc413": "大陆新闻", "nsc414": "台湾新闻", "nsc415": "港澳新闻", "nsc418": "国际新闻",
        "nsc419": "科技新闻", "nsc420": "财经新闻", "nsc422": "纪元社论", "nsc423": "专栏文集", "nsc424": "纪元特稿",
        "nsc993": "自由广场", "nsc994": "社会新闻", "nsc1004": "台湾地方", "nsc1025": "评论", "nsc1002": "健康",
        "nsc2007": "文化", "nsc2008": "生活", "nf4514": "头条要闻", "n24hr": "即时新闻", "ncid277": "中国",
        "ncid278": "人权", "ncid1349361": "台湾", "ncid1349362": "香港",
    }  # fmt: skip
