"""ListPage and ArticlePage against small invented pages: field by field, era by era. Whole pages: test_fixtures.py."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Sequence
from typing import Any

import pytest
from scrapy.http import HtmlResponse, Response, TextResponse

from mirror_crawler.items import Embed, Image, Section
from mirror_crawler.pages import ArticlePage, EmptyListError, GonePageError, ListPage, Page, PageError, text_of
from mirror_crawler.spiders.epochtimes import EpochtimesArticlePage, EpochtimesListPage, EpochtimesSpider
from mirror_crawler.spiders.ntdtv import NtdtvArticlePage, NtdtvSpider

E, N = "https://www.epochtimes.com", "https://www.ntdtv.com"
LIST = f"{E}/gb/nsc413.htm"
ARTICLE = f"{E}/gb/26/10/7/n14860001.htm"
BODY = "<div id=artbody><p>夜读灯亮到十点。</p></div>"
CLEAN = "<p>夜读灯亮到十点。</p>"


def listed(html: str, url: str = LIST) -> EpochtimesListPage:
    return EpochtimesListPage(html, url, EpochtimesSpider.addresses)


def ids(page: ListPage) -> list[str]:
    return [entry.address.article_id for entry in page.entries()]


def epochtimes(html: str, url: str = ARTICLE) -> EpochtimesArticlePage:
    return EpochtimesArticlePage(html, url, EpochtimesSpider.addresses)


def ntdtv(html: str, url: str = f"{N}/gb/2026/10/07/a104130001.html") -> NtdtvArticlePage:
    return NtdtvArticlePage(html, url, NtdtvSpider.addresses)


def ld_json(**node: Any) -> str:
    return f'<script type="application/ld+json">{json.dumps({"url": ARTICLE, "datePublished": "x"} | node)}</script>'


def texts(page: Page, selector: str) -> list[str]:
    return [text_of(node) for node in page.tree.css(selector)]


class TestParsing:
    def page(self, body: bytes, **arguments: Any) -> Page:
        return Page.from_response(HtmlResponse(ARTICLE, body=body, **arguments), EpochtimesSpider.addresses)

    @pytest.mark.parametrize(
        ("body", "headers"),
        [
            pytest.param("<h1>书</h1>".encode(), {}, id="undeclared"),
            pytest.param("<meta charset=gb2312><h1>书</h1>".encode(), {}, id="falsely declared in the page"),
            pytest.param(
                "<h1>书</h1>".encode(), {"Content-Type": "text/html; charset=big5"}, id="falsely in the answer"
            ),
            pytest.param("<meta charset=gb2312><h1>书</h1>".encode("gb2312"), {}, id="gb2312"),
        ],
    )
    def test_utf_8_wins_when_the_bytes_are(self, body: bytes, headers: dict[str, str]) -> None:
        assert texts(self.page(body, headers=headers), "h1") == ["书"]

    @pytest.mark.parametrize(
        ("encoding", "url", "declared"),
        [
            pytest.param("gb18030", ARTICLE, "utf-8", id="gb18030 called utf-8"),
            pytest.param("big5", ARTICLE.replace("/gb/", "/b5/"), "utf-8", id="big5 called utf-8"),
            pytest.param("gb18030", ARTICLE, "", id="gb18030 undeclared"),
            pytest.param("gb18030", ARTICLE, "iso-8859-1", id="gb18030 under a server's default"),
            pytest.param("gb18030", ARTICLE.replace("/gb/", "/b5/"), "gb2312", id="declared against its address"),
            pytest.param("big5", ARTICLE, "big5", id="big5 declared"),
            pytest.param("utf-16", ARTICLE, "", id="byte order mark"),
        ],
    )
    @pytest.mark.parametrize("markup", ["", "<!-- -->" * 5_000], ids=["bare", "in much markup"])
    def test_another_encoding_is_read_as_what_it_is(self, encoding: str, url: str, declared: str, markup: str) -> None:
        title = "水車與粮倉" if encoding == "gb18030" else "水車與糧倉"
        headers = {"Content-Type": f"text/html; charset={declared}"} if declared else {}
        answer = HtmlResponse(url, body=f"{markup}<h1>{title}</h1>".encode(encoding), headers=headers)
        assert texts(Page.from_response(answer, EpochtimesSpider.addresses), "h1") == [title]

    def test_a_few_broken_bytes_cost_only_themselves(self) -> None:
        page = self.page("<h1>书</h1>".encode() + "<p>文</p>".encode() * 100 + b"<h2>a\xe6\x96b</h2>")
        assert (texts(page, "h1"), texts(page, "h2")) == (["书"], ["a\ufffdb"])

    @pytest.mark.parametrize(
        "body",
        [
            pytest.param(b"<h1>" + b"\xff\xfe\xff" * 100 + b"</h1>", id="no text"),
            pytest.param("<h1>书</h1>".encode() * 20 + b"\xff" * 5, id="too much broken"),
            pytest.param(
                "<!-- --><p>书</p>".encode() * 100 + b"\xff" + "夜读灯亮到十点".encode("gb18030") * 3,
                id="two encodings",
            ),
        ],
    )
    def test_what_no_encoding_explains_is_no_page(self, body: bytes) -> None:
        with pytest.raises(PageError, match=r"^cannot be decoded as text$"):
            self.page(body, headers={"Content-Type": "text/html; charset=utf-8"})

    def test_a_byte_order_mark_is_no_text(self) -> None:
        page = self.page("\ufeff<head><title>书</title></head><body><p>文</p>".encode())
        assert texts(page, "head > title") == ["书"]

    def test_nul_is_nothing(self) -> None:
        assert texts(self.page(b"<h1>\0a\0b</h1>"), "h1") == ["ab"]

    @pytest.mark.parametrize("kind", [Response, TextResponse])
    def test_what_is_no_text_is_no_page(self, kind: type[Response]) -> None:
        answer = kind(ARTICLE, body=b"<h1>a</h1>")
        if isinstance(answer, TextResponse):
            assert texts(Page.from_response(answer, EpochtimesSpider.addresses), "h1") == ["a"]
        else:
            with pytest.raises(PageError, match=r"^not an HTML page$"):
                Page.from_response(answer, EpochtimesSpider.addresses)

    @pytest.mark.parametrize(
        "html",
        [
            pytest.param("<div>" * 30_000, id="deep"),
            pytest.param("<DIV x='<'>" * 30_000, id="deep with attributes"),
            pytest.param("<a " * 500_000, id="tags that never end"),
        ],
    )
    def test_nesting_that_would_take_hours_is_refused(self, html: str) -> None:
        with pytest.raises(PageError, match=r"^nested too deeply$"):
            epochtimes(html)

    @pytest.mark.untraced
    @pytest.mark.parametrize(
        "html",
        [
            pytest.param("<p>文<br>" * 30_000, id="paragraphs without end"),
            pytest.param("<div><b>文</b></div></i>" * 10_000, id="flat"),
            pytest.param("<svg>" + "<path d=x />" * 30_000, id="empty elements"),
            pytest.param("<div>" * 400, id="a little deep"),
        ],
    )
    def test_large_pages_are_read(self, html: str) -> None:
        assert epochtimes(f"<h1 class=title>题</h1>{html}").title == "题"

    def test_meta(self) -> None:
        page = epochtimes('<meta name=a content=" x \n y "><meta property=a content=z><meta name=b><meta content=c>')
        assert (page.meta("a"), page.meta("b"), page.meta("c")) == ("x y", "", "")

    def test_meta_after_what_ends_the_head(self) -> None:
        page = epochtimes('<head><noscript><img src=/pixel></noscript><meta property="a" content="x"></head>')
        assert page.meta("a") == "x"


class TestListName:
    @pytest.mark.parametrize(
        ("html", "name"),
        [
            ("<h1>站</h1><main><h1 class=block_title> 大陆\n新闻 </h1></main>", "大陆 新闻"),
            ("<h1>站</h1><main><h1>大陆新闻</h1></main>", "大陆新闻"),
            ("<head><title>大陆新闻 | 大纪元</title></head>", "大陆新闻"),
            ("<head><title>大陆新闻 - 大纪元</title></head><h1></h1>", "大陆新闻"),
            ("<h1>新冠-19</h1>", "新冠-19"),
            ("<svg><title>图标</title></svg>", ""),
            ("", ""),
        ],
    )
    def test_name(self, html: str, name: str) -> None:
        assert listed(html).name == name


def post(number: int, title: str = "题", href: str = "") -> str:
    href = href or f"{E}/gb/26/10/7/n{number}.htm"
    return (
        f'<div class="one_post x"><a href="{href}"><img></a><div class="title"><a href="{href}">{title}</a></div></div>'
    )


class TestEntries:
    def test_in_order_each_once(self) -> None:
        page = listed(f"<main>{post(333)}{post(111)}{post(333, '另一题')}{post(222)}</main>")
        assert [(entry.address.article_id, entry.title) for entry in page.entries()] == [
            ("n333", "题"),
            ("n111", "题"),
            ("n222", "题"),
        ]

    def test_top_stories_come_first(self) -> None:
        top = '<h2><a href="/gb/26/10/7/n100.htm">头</a></h2><a href="/gb/26/10/7/n101.htm"><img><h2>条</h2></a>'
        assert ids(listed(f"<main>{top}{post(111)}</main>")) == ["n100", "n101", "n111"]

    @pytest.mark.parametrize(
        "html",
        [
            pytest.param(
                '<div id="artlist"><div class="posts column"><div class="arttitle column">{}</div></div></div>',
                id="2015",
            ),
            pytest.param('<div class="newyork"><ul><li>{}</li></ul></div>', id="city"),
            pytest.param('<div class="clear"><div class="info">{}</div></div>', id="tag of 2017"),
            pytest.param(
                '<div class="post_list left_col"><div class="one_post"><div class="title">{}</div></div></div>',
                id="2021",
            ),
            pytest.param("<main><section><h3>{}</h3></section></main>", id="unknown layout"),
            pytest.param('<div class="post_list"><span>{}</span></div>', id="unknown layout of posts"),
        ],
    )
    def test_every_generation(self, html: str) -> None:
        assert ids(listed(html.format(f'<a href="{ARTICLE}">题</a>'))) == ["n14860001"]

    def test_an_unknown_layout_is_read_whole_though_it_has_a_top_story(self) -> None:
        html = f'<main><h2><a href="{ARTICLE}">头</a></h2><p><a href="{E}/gb/26/10/7/n111.htm">题</a></p></main>'
        assert ids(listed(html)) == ["n14860001", "n111"]

    @pytest.mark.parametrize("place", ["aside", "nav", "footer", "header"])
    def test_furniture_names_no_entries(self, place: str) -> None:
        assert ids(listed(f"<main><{place}><ul>{post(111)}</ul></{place}>{post(222)}</main>")) == ["n222"]
        assert ids(listed(f"<main><{place}><a href={ARTICLE}>x</a></{place}></main>")) == []

    @pytest.mark.parametrize(
        "href",
        [
            "",
            "#",
            "javascript:void(0)",
            "https://ads.example.org/gb/26/10/7/n111.htm",
            f"{E}/gb/nf1351518.htm#14862423",
            f"{E}/gb/26/10/7/n１１１.htm",
            f"{E}/gb/nsc418.htm",
        ],
    )
    def test_other_links_are_passed_over(self, href: str) -> None:
        assert ids(listed(f"<main>{post(0, href=href)}{post(222)}</main>")) == ["n222"]

    def test_junk_around_the_address(self) -> None:
        page = listed(f"<main>{post(0, href=' http://cn.epochtimes.com/gb/26/10/7/n111.htm;')}</main>")
        assert [entry.address.url for entry in page.entries()] == [f"{E}/gb/26/10/7/n111.htm"]

    def test_title_from_where_there_is_one(self) -> None:
        html = f'<div class="newyork"><ul><li><a href="{ARTICLE}"><img></a><a href="{ARTICLE}">甲\n乙</a></li>'
        assert [entry.title for entry in listed(html).entries()] == ["甲 乙"]
        html = f'<div class="newyork"><ul><li><a href="{ARTICLE}" title=" 甲 "><img></a></li>'
        assert [entry.title for entry in listed(html).entries()] == ["甲"]

    def test_first_spelling_of_the_address_stays(self) -> None:
        html = '<div class="newyork"><ul><li><a href="/b5/26/10/7/n111.htm"></a><a href="/gb/26/10/7/n111.htm">甲</a>'
        assert [entry.address.language for entry in listed(html).entries()] == ["zh-Hant"]

    def test_ntdtv(self) -> None:
        html = (
            '<div class="post_list"><div class="one_post"><script></script></div><div class="one_post">'
            '<a href="/gb/2026/10/07/a104130001.html"><img></a><div class="text"><div class="title">'
            '<a href=" http://www.ntdtv.com/xtr/gb/2026/10/07/a104130001.html">题</a></div></div></div></div>'
        )
        page = ListPage(html, f"{N}/gb/prog204", NtdtvSpider.addresses)
        assert [(entry.address.article_id, entry.title) for entry in page.entries()] == [("a104130001", "题")]


class TestNextPage:
    @pytest.mark.parametrize(
        "link",
        [
            pytest.param('<a class="next page-numbers" href="nsc413_2.htm">后</a>', id="class"),
            pytest.param('<a rel="next" href="nsc413_2.htm">→</a>', id="rel"),
            pytest.param(
                '<div class="pagination"><a rel="nofollow next" href="nsc413_2.htm">…</a></div>', id="rel list"
            ),
            pytest.param('<div class="menu_page"><a href="nsc413_2.htm"> &gt; </a></div>', id="2015"),
            pytest.param('<div class="pagination"><a href="nsc413_2.htm">下一页</a></div>', id="words"),
            pytest.param('<div class="pagination"><a href="nsc413_2.htm">下一頁 »</a></div>', id="words and arrow"),
            pytest.param('<div class="pagination"><a href="nsc413_2.htm">Next ›</a></div>', id="English"),
            pytest.param('<div class="pagination"><a href="nsc413_2.htm">2</a></div>', id="number"),
            pytest.param('<a class="page-numbers" href="http://cn.epochtimes.com/gb/nsc413_2.htm#x">2</a>', id="alias"),
        ],
    )
    def test_is_what_the_pager_links(self, link: str) -> None:
        assert listed(f"<main>{link}</main>").next_url(1) == f"{E}/gb/nsc413_2.htm"

    @pytest.mark.parametrize("href", ["?page=2", "/gb/nsc413/page/2", "nsc413-2.htm?a=b&amp;c=d"])
    def test_a_changed_form_is_followed(self, href: str) -> None:
        found = listed(f'<a class="next" rel=next href="{href}">下一页</a>').next_url(1)
        assert found is not None
        assert found.startswith(E)
        assert found.endswith(href.replace("&amp;", "&"))

    def test_thousands(self) -> None:
        html = "".join(f'<a class="page-numbers" href="nsc413_{number}.htm">{number:,}</a>' for number in (1233, 1234))
        assert listed(html, f"{E}/gb/nsc413_1233.htm").next_url(1233) == f"{E}/gb/nsc413_1234.htm"
        assert listed(html, f"{E}/gb/nsc413_1234.htm").next_url(1234) is None

    def test_the_mark_is_worth_more_than_the_number(self) -> None:
        html = (
            '<a class="page-numbers" href="nsc413_2.htm">2</a><a class="next page-numbers" href="nsc413_5.htm">&gt;</a>'
        )
        assert listed(html, f"{E}/gb/nsc413_4.htm").next_url(1) == f"{E}/gb/nsc413_5.htm"

    @pytest.mark.parametrize(
        "html",
        [
            pytest.param("", id="no pager"),
            pytest.param('<a class="prev page-numbers" href="nsc413_8.htm">上一页</a>', id="only back"),
            pytest.param('<div class="menu_page"><a href="nsc413_99.htm">&gt;&gt;</a></div>', id="to the end"),
            pytest.param('<a class="next page-numbers" href="#">下一页</a>', id="this page"),
            pytest.param('<a class="next page-numbers" href="nsc413.htm#top">下一页</a>', id="this page again"),
            pytest.param('<a class="next page-numbers">下一页</a>', id="no address"),
            pytest.param('<a class="next page-numbers" href="javascript:void(0)">下一页</a>', id="script"),
            pytest.param('<a class="next page-numbers" href="https://www.example.org/2">下一页</a>', id="elsewhere"),
            pytest.param('<a class="next page-numbers" href="https://[::1/2">下一页</a>', id="broken"),
            pytest.param('<p>下一页</p><a href="nsc413_2.htm">下一页</a>', id="outside the pager"),
        ],
    )
    def test_none(self, html: str) -> None:
        assert listed(html).next_url(1) is None

    def test_a_dead_link_does_not_hide_a_live_one(self) -> None:
        html = (
            '<a class="next page-numbers" href="javascript:x">&gt;</a><a class="page-numbers" href="nsc413_2.htm">2</a>'
        )
        assert listed(html).next_url(1) == f"{E}/gb/nsc413_2.htm"

    def test_never_leaves_the_host(self) -> None:
        html = f'<a rel="next" href="{E}//www.example.org/gb/nsc413_2.htm">下一页</a>'
        assert listed(html).next_url(1) == f"{E}//www.example.org/gb/nsc413_2.htm"

    def test_of_a_tag_with_another_spelling_of_itself(self) -> None:
        html = '<a rel=next href="/gb/tag/%e5%9b%be.html">下一页</a>'
        assert listed(html, f"{E}/gb/tag/%E5%9B%BE.html").next_url(1) is None


class TestTitle:
    @pytest.mark.parametrize(
        ("html", "title"),
        [
            ("<main><h1>站</h1><h1 class=title> 甲\n　乙 </h1></main>", "甲 乙"),
            ("<div class=titles><h1>甲</h1></div><main><h1>站</h1></main>", "甲"),
            ("<div class='arttop arttop2'><h1>甲</h1></div>", "甲"),
            ("<h1>站</h1><h1 class=blue18>甲</h1>", "甲"),
            ("<main><h1>甲</h1></main>", "甲"),
            ("<h1 class=title></h1><h1 class=title>甲</h1>", "甲"),
            ("<h1 class=title>&lt;甲&gt; &amp; *乙*</h1>", "<甲> & *乙*"),
            ('<meta property="og:title" content="甲 - 乙 - 大纪元新闻网">', "甲 - 乙"),
            ('<meta property="og:title" content="甲 | 新唐人">', "甲"),
            ('<title>甲 | 大纪元</title><meta property="og:title" content="甲">', "甲"),
        ],
    )
    def test_epochtimes(self, html: str, title: str) -> None:
        assert epochtimes(html).title == title

    @pytest.mark.parametrize(
        "html",
        [
            "<div class=article_title><h1>甲</h1></div>",
            "<div class=main_title>甲</div>",
            "<div class=main_title><h1>甲</h1><span>日期</span></div>",
        ],
    )
    def test_ntdtv(self, html: str) -> None:
        assert ntdtv(f"<h1>站</h1>{html}").title == "甲"

    def test_a_page_without_is_no_article(self) -> None:
        with pytest.raises(PageError, match=r"^no headline \(h1\.title, "):
            epochtimes(f"<title>题</title>{BODY}").article("epochtimes", "x")


class TestAddress:
    @pytest.mark.parametrize(
        ("canonical", "url"),
        [
            pytest.param(
                "http://www.epochtimes.com/gb/26/10/6/n14860001.htm", f"{E}/gb/26/10/6/n14860001.htm", id="other day"
            ),
            pytest.param(f"{E}/gb/26/10/7/n99999.htm", ARTICLE, id="other article"),
            pytest.param(f"{E}/b5/26/10/7/n14860001.htm", ARTICLE, id="other script"),
            pytest.param("https://www.example.org/gb/26/10/7/n14860001.htm", ARTICLE, id="other site"),
            pytest.param(f"{E}/", ARTICLE, id="front page"),
        ],
    )
    def test_canonical_link(self, canonical: str, url: str) -> None:
        assert epochtimes(f'<link rel="canonical" href="{canonical}">').address.url == url

    def test_canonical_link_without_address(self) -> None:
        assert epochtimes("<link rel=canonical>").address.url == ARTICLE

    def test_canonical_link_in_capitals(self) -> None:
        assert epochtimes(f'<LINK REL="Canonical" href="{ARTICLE}?x">').stated.canonical == f"{ARTICLE}?x"

    def test_what_only_looks_like_a_statement(self) -> None:
        stated = epochtimes(
            '<link rel=icon content=x href="/icon"><script content=x>{}</script><meta property=og:title>'
            "<div itemprop=name content=x><iframe src=https://www.youtube.com/embed/abcdefghijk></iframe></div>"
        ).stated
        assert (stated.metas, stated.canonical, stated.scripts, stated.players) == ({}, "", [], [])

    def test_a_page_that_led_elsewhere_is_no_article(self) -> None:
        with pytest.raises(PageError, match=r"^led to no article \(https://www\.epochtimes\.com/gb/\)$"):
            epochtimes(f"<h1 class=title>题</h1>{BODY}", f"{E}/gb/").article("epochtimes", "x")


class TestBody:
    @pytest.mark.parametrize(
        "html",
        [
            pytest.param(BODY, id="artbody"),
            pytest.param("<div id=artbody><div id=article_wrap><p>夜读灯亮到十点。</p></div></div>", id="2013 video"),
            pytest.param("<div class=whitebg><p>夜读灯亮到十点。</p></div>", id="2013 culture"),
            pytest.param("<div class=post_content><p>夜读灯亮到十点。</p></div>", id="post_content"),
            pytest.param(
                "<div id=artbody><header><time>更新</time></header><p>夜读灯亮到十点。</p></div>", id="2019 header"
            ),
            pytest.param("<div id=artbody><h1>题</h1><p>夜读灯亮到十点。</p></div>", id="headline again"),
            pytest.param(f"<div class=whitebg><p>旧</p></div>{BODY}", id="first alternative wins"),
        ],
    )
    def test_epochtimes(self, html: str) -> None:
        assert epochtimes(f"<h1 class=title>题</h1>{html}").body.html == CLEAN

    @pytest.mark.parametrize(
        "html",
        [
            "<div class=article_content><div itemprop=articleBody><p>夜读灯亮到十点。</p></div><p>外</p></div>",
            "<section itemprop=articleBody><p>夜读灯亮到十点。</p></section>",
            "<div class=article_content><p>夜读灯亮到十点。</p></div>",
            (
                "<div class=article_content><div class=article_title><h1>题</h1></div>"
                "<p class=article_info>时间</p><p class=featured_image><img src=/a.jpg></p>"
                "<p>夜读灯亮到十点。</p></div>"
            ),
            "<div class=article_content><h1 class=main_title>旧题</h1><p>夜读灯亮到十点。</p></div>",
        ],
        ids=["2026", "itemprop", "2012", "2012 with its head inside", "another headline inside"],
    )
    def test_ntdtv(self, html: str) -> None:
        assert ntdtv(f"<div class=article_title><h1>题</h1></div>{html}").body.html == CLEAN

    def test_nested_copy_is_part_of_the_body_once(self) -> None:
        html = "<div id=artbody><p>一</p><div id=artbody class=post_content><p>二</p></div><p>三</p></div>"
        assert epochtimes(html).body.html == "<p>一</p><p>二</p><p>三</p>"

    def test_a_body_in_several_containers_is_one(self) -> None:
        html = (
            "<div id=artbody><p>一</p><img src=/a.jpg><script></script></div>"
            '<div id=artbody><p>二</p><iframe src="https://www.youtube.com/embed/abcdefghijk"></iframe><script></script></div>'
        )
        body = epochtimes(html).body
        assert body.html.startswith("<p>一</p><figure>")
        assert body.html.endswith('<p>二</p><p><a href="https://www.youtube.com/watch?v=abcdefghijk"></a></p>')
        assert (len(body.images), len(body.embeds), body.removed["removed/script"]) == (1, 1, 2)

    def test_another_heading_of_the_first_level_stays(self) -> None:
        assert "节" in epochtimes("<h1 class=title>题</h1><div id=artbody><h1>节</h1><p>文</p></div>").body.html

    def test_bold_headings_are_ntdtvs(self) -> None:
        html = "<div class={} id=artbody><p>首。</p><p><b>小标题</b></p><p>文。</p></div>"
        assert ntdtv(html.format("article_content")).body.html == "<p>首。</p><h2>小标题</h2><p>文。</p>"
        assert epochtimes(html.format("x")).body.html == "<p>首。</p><p><strong>小标题</strong></p><p>文。</p>"

    @pytest.mark.parametrize("html", ["", "<p>文</p>", "<main><h1>题</h1></main>"])
    def test_none(self, html: str) -> None:
        with pytest.raises(PageError, match=r"^no body \(#artbody, "):
            _ = epochtimes(html).body

    @pytest.mark.parametrize("inside", ["", "<p> </p>", "<script>1</script>", "<p>&nbsp;</p><aside>广告</aside>"])
    def test_nothing_in_it(self, inside: str) -> None:
        with pytest.raises(PageError, match=r"^no text in the body \(#artbody, "):
            _ = epochtimes(f"<div id=artbody>{inside}</div>").body

    @pytest.mark.parametrize(
        "inside", ["加载中…", "<p>正在加载...</p>", "<div><span>Loading</span>&hellip;</div>", "內容載入中，請稍候。"]
    )
    def test_that_is_still_to_come(self, inside: str) -> None:
        """A page whose scripts did not run."""
        with pytest.raises(PageError, match=r"^no text in the body \(#artbody, "):
            _ = epochtimes(f"<div id=artbody>{inside}</div>").body

    @pytest.mark.parametrize(
        "inside", ["<p>加载中…</p><p>渡轮复航</p>", "加载中的货轮", "加载中<img src=/a.jpg width=600 height=400>"]
    )
    def test_that_only_speaks_of_loading(self, inside: str) -> None:
        assert epochtimes(f"<div id=artbody>{inside}</div>").body.html


class TestLeadVideo:
    @pytest.mark.parametrize(
        ("html", "embed"),
        [
            (
                '<iframe src="https://www.youtube.com/embed/abcdefghijk?rel=0"></iframe>',
                Embed(kind="youtube", url="https://www.youtube.com/watch?v=abcdefghijk"),
            ),
            (
                '<iframe data-src="//www.youtube.com/embed/abcdefghijk"></iframe>',
                Embed(kind="youtube", url="https://www.youtube.com/watch?v=abcdefghijk"),
            ),
            (
                "<video><source src=/assets/a.mp4?x=1&amp;y=2></video>",
                Embed(kind="video", url=f"{N}/assets/a.mp4?x=1&y=2"),
            ),
        ],
    )
    def test_stands_before_the_body(self, html: str, embed: Embed) -> None:
        body = ntdtv(f"<div class=featured_video>{html}</div><div class=article_content><p>文</p></div>").body
        assert body.embeds == [embed]
        assert body.html == f'<p><a href="{embed.url.replace("&", "&amp;")}"></a></p><p>文</p>'

    def test_is_not_said_twice(self) -> None:
        frame = '<iframe src="https://www.youtube.com/embed/abcdefghijk"></iframe>'
        body = ntdtv(f"<div class=featured_video>{frame}</div><div class=article_content><p>文</p>{frame}</div>").body
        assert len(body.embeds) == body.html.count("watch?v=") == 1

    @pytest.mark.parametrize(
        "html",
        [
            "<iframe></iframe>",
            "<video></video>",
            "<video><source></video>",
            "<iframe src=https://ads.example/></iframe>",
        ],
    )
    def test_none(self, html: str) -> None:
        assert ntdtv(f"<div class=featured_video>{html}</div>").lead_embed is None

    def test_alone_is_an_article(self) -> None:
        frame = '<iframe src="https://www.youtube.com/embed/abcdefghijk"></iframe>'
        page = ntdtv(f"<div class=article_content><div class=featured_video>{frame}</div></div>")
        assert page.body.html == '<p><a href="https://www.youtube.com/watch?v=abcdefghijk"></a></p>'


class TestLeadImage:
    @pytest.mark.parametrize(
        "html",
        [
            pytest.param(
                '<div class=featured_image><img src=/a.jpg alt="灯"><div class=caption>图 说</div></div>', id="inside"
            ),
            pytest.param(
                "<div class=featured_image><img src=/a.jpg alt=灯></div> <div class=caption>图 说</div>", id="after"
            ),
            pytest.param(
                "<div class=featured_image><figure><img src=/blank.gif data-src=/a.jpg alt=' 灯'>"
                "<noscript><img src=/a.jpg alt=灯></noscript><figcaption>图\n说</figcaption></figure></div>",
                id="lazy",
            ),
            pytest.param(
                "<div class=arttop><a href=/full.jpg><img src=/a.jpg alt=灯></a><p class=caption>图 说</p></div>",
                id="arttop",
            ),
            pytest.param(
                "<div class=featured_image></div><div class=featured_image><img src=data:x><img src=/a.jpg alt=灯>"
                "<span class=caption>图 说</span></div>",
                id="after an empty one",
            ),
        ],
    )
    def test_image(self, html: str) -> None:
        assert epochtimes(html).lead_image == Image(url=f"{E}/a.jpg", alt="灯", caption="图 说")

    @pytest.mark.parametrize(
        "after", ["<div><p class=caption>图 说</p></div>", "<figure><figcaption>图<br>说</figcaption></figure>"]
    )
    def test_a_caption_that_is_all_of_what_follows(self, after: str) -> None:
        html = "<div class=featured_image><img src=/a.jpg></div>"
        image = epochtimes(html + after).lead_image
        assert image is not None
        assert image.caption.replace(" ", "") == "图说"

    def test_a_caption_in_what_follows_is_that_of_another_picture(self) -> None:
        html = "<div class=featured_image><img src=/a.jpg></div>"
        body = "<div id=artbody><p>文</p><figure><img src=/b.jpg><figcaption>别的图</figcaption></figure></div>"
        assert epochtimes(html + body).lead_image == Image(url=f"{E}/a.jpg", alt="", caption="")

    def test_without_caption(self) -> None:
        html = "<div class=featured_image><img src=/a.jpg></div><p>文</p><div class=caption>别的图</div>"
        assert epochtimes(html).lead_image == Image(url=f"{E}/a.jpg")

    @pytest.mark.parametrize(
        "html",
        [
            "<img src=/a.jpg>",
            "<div class=featured_image></div>",
            "<div class=featured_image><img src=data:image/gif;base64,x></div>",
            "<div itemprop=articleBody><div class=featured_image><img src=/a.jpg></div></div>",
        ],
    )
    def test_none(self, html: str) -> None:
        assert epochtimes(html).lead_image is None

    def test_is_not_in_the_body_too(self) -> None:
        page = ntdtv("<div class=article_content><div class=featured_image><img src=/a.jpg></div><p>文</p></div>")
        assert page.lead_image is not None
        assert (page.body.html, page.body.images) == ("<p>文</p>", [])


class TestSection:
    @pytest.mark.parametrize(
        ("html", "section"),
        [
            (
                '<a class=breadcrumbs href="/gb/">首页</a><a class=breadcrumbs href="/gb/nsc413.htm"> 大陆\n新闻 </a>',
                Section(id="nsc413", name="大陆 新闻"),
            ),
            (
                (
                    '<div id=breadcrumb><a href="/gb/ncid277.htm">中国</a><a href="/gb/nsc994.htm">社会</a>'
                    f'<a href="/gb/nsc994.htm">社会</a><a href="{ARTICLE}">题</a><a href="/gb/tag/x.html">标签</a>'
                    '<a href="/gb/nsc1.htm"></a></div>'
                ),
                Section(id="nsc994", name="社会"),
            ),
            ('<nav><a href="/gb/nsc413.htm">大陆新闻</a></nav>', None),
            ("<a class=breadcrumbs>首页</a>", None),
        ],
    )
    def test_section(self, html: str, section: Section | None) -> None:
        assert epochtimes(html).section == section


class TestTags:
    @pytest.mark.parametrize(
        ("html", "tags"),
        [
            (
                (
                    '<a rel=tag href="/gb/tag/%E5%9B%BE.html">图</a><a rel=tag href="/gb/tag/%e5%9b%be.html">图</a>'
                    '<a rel=tag href="/gb/tag/mq-9b.html">MQ 9B</a>'
                ),
                ["图", "mq-9b"],
            ),
            ('<a rel=tag href="https://www.example.org/">别处</a><a rel=tag>USCC</a><a rel=tag></a>', ["别处", "uscc"]),
            ('<a href="/gb/tag/x.html">x</a><meta name=keywords content="图, 书，灯、图, ,../x">', ["图", "书", "灯"]),
            ('<a rel=tag href="/gb/tag/x.html">x</a><meta name=keywords content="图">', ["x"]),
            ("", []),
        ],
        ids=["links", "links elsewhere", "metadata", "links before metadata", "none"],
    )
    def test_tags(self, html: str, tags: Sequence[str]) -> None:
        assert epochtimes(html).tags == tags


class TestClock:
    @pytest.mark.parametrize(
        "html",
        [
            "<div class=info><time datetime=D>更新 T</time></div>",
            "<div id=artbody><header><time datetime=D>更新 T</time></header><p>文</p></div>",
            "<div class='mbottom10 columns'><time datetime=D>更新 T</time></div>",
            "<div class=art-head><time datetime=D>更新 T</time></div>",
        ],
    )
    def test_every_era_of_epochtimes(self, html: str) -> None:
        other = "<div id=comments><time datetime=X>昨天</time></div>"
        assert epochtimes(html + other).clocks == [("更新 T", "D")]

    def test_day_of_2013(self) -> None:
        assert epochtimes("<div class=art-head><h1>题</h1><span>2013年11月3日</span></div>").clocks == [
            ("2013年11月3日", "")
        ]

    def test_ntdtv(self) -> None:
        assert ntdtv("<div class=article_info><div class=time><span>T</span></div></div><time>x</time>").clocks == [
            ("T", "")
        ]

    def test_none(self) -> None:
        assert epochtimes("<p>2026-10-07</p>").clocks == []

    def test_a_clock_in_the_body_is_read_before_it_goes(self) -> None:
        page = epochtimes(
            "<h1 class=title>题</h1><div id=artbody><header><time datetime=2019-03-06T08:00:00+08:00>"
            "更新: 2019-03-05 8:14 PM</time></header><p>文</p></div>"
        )
        article = page.article("epochtimes", "x")
        assert (article.published_at, article.modified_at) == ("2019-03-05T20:14:00+08:00", "2019-03-06T08:00:00+08:00")
        assert (article.published_source, article.body_html) == ("clock", "<p>文</p>")

    @pytest.mark.parametrize(
        ("published", "disputed"), [("2026-10-08T00:29:39Z", False), ("2026-10-08T11:11:11Z", True)]
    )
    def test_contradiction_is_noted(self, published: str, disputed: bool) -> None:
        page = epochtimes(
            ld_json(datePublished=published)
            + f"<h1 class=title>题</h1><div class=info><time>更新 2026-10-08 12:29 AM</time></div>{BODY}"
        )
        article = page.article("epochtimes", "x")
        assert (article.published_at or "").startswith("2026-10-08T00:29")
        assert page.disputed_clock is disputed

    def test_metadata_of_the_page(self) -> None:
        html = '<meta property="article:published_time" content="2019-03-05T20:14:00+08:00"><h1 class=title>题</h1>'
        article = epochtimes(html + BODY).article("epochtimes", "x")
        assert (article.published_at, article.published_source) == ("2019-03-05T20:14:00+08:00", "metadata")


class TestJsonLd:
    @pytest.mark.parametrize(
        "node",
        [
            pytest.param({"url": ARTICLE}, id="url"),
            pytest.param({"@id": f"{ARTICLE}#article"}, id="id"),
            pytest.param({"mainEntityOfPage": {"@id": "http://cn.epochtimes.com/gb/26/10/7/n14860001.htm"}}, id="page"),
            pytest.param({"mainEntityOfPage": ARTICLE, "url": None}, id="page as text"),
            pytest.param({"url": "/b5/26/10/7/n14860001.htm"}, id="twin"),
        ],
    )
    def test_the_node_of_this_article(self, node: dict[str, Any]) -> None:
        other = {"url": f"{E}/gb/26/10/7/n99999.htm", "datePublished": "other"}
        data = [{"@graph": [other, "x", {"@type": "WebSite"}, node | {"datePublished": "this"}]}, other]
        page = epochtimes(f'<script type="application/ld+json">{json.dumps(data)}</script>')
        assert page.json_ld["datePublished"] == "this"

    @pytest.mark.parametrize(
        "script",
        [
            "",
            "{",
            "null",
            "[1, []]",
            '{"url": 1, "datePublished": "x"}',
            f'{{"url": "{ARTICLE}"}}',
            f'{{"url": "{E}/", "datePublished": "x"}}',
            '{"url": "https://[::1/", "datePublished": "x"}',
            "[" * 100_000,
            '{"n": ' + "1" * 5_000 + "}",
        ],
        ids=["empty", "cut off", "null", "lists", "number", "undated", "other page", "broken", "deep", "huge number"],
    )
    def test_none(self, script: str) -> None:
        assert epochtimes(f'<script type="application/ld+json">{script}</script>').json_ld == {}

    def test_a_broken_script_does_not_hide_a_good_one(self) -> None:
        page = epochtimes('<script type="application/ld+json">{,}</script>' + ld_json(datePublished="this"))
        assert page.json_ld["datePublished"] == "this"

    def test_line_ends_in_texts_are_borne(self) -> None:
        script = f'{{"url": "{ARTICLE}", "datePublished": "x", "description": "一\n二"}}'
        assert epochtimes(f'<script type="application/ld+json">{script}</script>').json_ld != {}


class TestMetadataAuthors:
    @pytest.mark.parametrize(
        ("author", "names"),
        [
            ({"@type": "Person", "name": "林知远"}, ["林知远"]),
            ([{"name": "林知远"}, {"name": "Anna Field"}, {"name": "林知远"}], ["林知远", "Anna Field"]),
            ("林知远", ["林知远"]),
            ({"@type": "Organization", "name": "青禾通讯社"}, []),
            ({"name": "大纪元"}, []),
            ({"name": "新唐人電視台"}, []),
            ({"name": "The Epoch Times"}, []),
            ({"name": ["x"]}, []),
            ({"name": "长" * 41}, []),
            ({"name": "  "}, []),
            ({"name": "\ud800林"}, ["?林"]),
            (None, []),
            (7, []),
        ],
    )
    def test_names(self, author: Any, names: Sequence[str]) -> None:
        assert epochtimes(ld_json(author=author)).metadata_authors() == names

    def test_meta_element(self) -> None:
        assert epochtimes('<meta name=author content="林知远">').metadata_authors() == ["林知远"]
        assert epochtimes('<meta name=author content="大紀元">').metadata_authors() == []

    def test_serve_where_the_text_names_nobody(self) -> None:
        head = ld_json(author={"name": "林知远"}) + "<h1 class=title>题</h1>"
        assert epochtimes(head + BODY).article("epochtimes", "x").authors == ["林知远"]
        text = "<div id=artbody><p>【大纪元2026年10月08日讯】（大纪元记者苏晚晴报导）文。</p></div>"
        assert epochtimes(head + text).article("epochtimes", "x").authors == ["苏晚晴"]


class TestDateline:
    def test_serves_where_there_is_no_clock(self) -> None:
        text = "<h1 class=title>题</h1><div id=artbody><p>【大纪元10月08日讯】文。</p></div>"
        article = epochtimes(text).article("epochtimes", "x")
        assert (article.published_at, article.published_source) == ("2026-10-08T00:00:00+08:00", "dateline")

    def test_an_address_with_an_impossible_day_is_no_help(self) -> None:
        text = "<h1 class=title>题</h1><div id=artbody><p>【大纪元10月08日讯】文。</p></div>"
        article = epochtimes(text, f"{E}/gb/26/2/31/n14860001.htm").article("epochtimes", "x")
        assert (article.published_at, article.published_source) == (None, "none")


def test_an_outlet_whose_addresses_have_no_day() -> None:
    addresses = dataclasses.replace(
        EpochtimesSpider.addresses,
        article=re.compile(r"/(?P<script>gb)/(?P<year>20\d\d)-(?P<month>\d\d)-(?P<day>\d\d)-(?P<number>\d+)\.htm"),
        article_url="https://www.epochtimes.com/{script}/{number}.htm",
    )
    page = EpochtimesArticlePage(f"<h1 class=title>题</h1>{BODY}", f"{E}/gb/2026-10-07-123.htm", addresses)
    assert page.article("epochtimes", "x").url == f"{E}/gb/123.htm"


def test_article_takes_everything_together() -> None:
    html = """<a class=breadcrumbs href="/gb/nsc413.htm">大陆新闻</a><h1 class=title>题</h1>
        <div class=featured_image><img src=/a.jpg></div>
        <div id=artbody><p>【大纪元2026年10月08日讯】（大纪元记者林知远报导）文<a href="/gb/tag/x.html">字</a>。</p>
        <p><img src=/b.jpg></p><iframe src="https://www.youtube.com/embed/abcdefghijk"></iframe>
        <p>责任编辑：方若水#</p></div><a rel=tag href="/gb/tag/图.html">图</a>"""
    article = epochtimes(html).article("epochtimes", "2026-10-10T00:00:00+00:00")
    assert (article.outlet, article.article_id, article.url, article.language) == (
        "epochtimes",
        "n14860001",
        ARTICLE,
        "zh-Hans",
    )
    assert (article.authors, article.editor, article.tags) == (["林知远"], "方若水", ["图"])
    assert article.section == Section(id="nsc413", name="大陆新闻")
    assert article.lead_image == Image(url=f"{E}/a.jpg")
    assert article.images == [Image(url=f"{E}/b.jpg")]
    assert [embed.kind for embed in article.embeds] == ["youtube"]
    assert article.text == "【大纪元2026年10月08日讯】（大纪元记者林知远报导）文字。\n\n责任编辑：方若水#"
    assert article.first_seen_at == article.fetched_at == "2026-10-10T00:00:00+00:00"
    assert (article.revision, article.content_hash) == (1, "")
    assert isinstance(epochtimes(html), ArticlePage)


class TestWhatAPageIs:
    CANONICAL = f'<link rel=canonical href="{ARTICLE}">'

    @pytest.mark.parametrize(
        ("html", "claims"),
        [
            pytest.param(CANONICAL, True, id="canonical"),
            pytest.param(f'<link rel=canonical href="{ARTICLE.replace("/gb/", "/b5/")}">', True, id="other-script"),
            pytest.param(ld_json(), True, id="json-ld"),
            pytest.param(
                '<meta property="article:published_time" content="2026-10-07T08:00:00Z">', True, id="published-time"
            ),
            pytest.param(f'<link rel=canonical href="{E}/gb/26/10/7/n14860002.htm">', False, id="of-another-article"),
            pytest.param(f'<link rel=canonical href="{LIST}">', False, id="of-a-list"),
            pytest.param("<link rel=canonical>", False, id="of-nothing"),
            pytest.param(ld_json(url=LIST), False, id="json-ld-of-another-page"),
            pytest.param("<title>题</title><h1>题</h1>", False, id="nothing-said"),
        ],
    )
    def test_claims_an_article(self, html: str, claims: bool) -> None:
        assert epochtimes(html).claims_an_article is claims

    @pytest.mark.parametrize(
        ("html", "stands_for_another"),
        [
            pytest.param(CANONICAL, False, id="this-article"),
            pytest.param(f'<link rel=canonical href="{E}/gb/">', True, id="the-home-page"),
            pytest.param(f'<link rel=canonical href="{E}/gb/26/10/7/n14860002.htm">', True, id="another-article"),
            pytest.param(f'<link rel=canonical href="{E}/gb/">{ld_json()}', False, id="contradicted"),
            pytest.param("<link rel=canonical>", False, id="nothing"),
            pytest.param("<h1>题</h1>", False, id="nothing-said"),
        ],
    )
    def test_stands_for_another(self, html: str, stands_for_another: bool) -> None:
        assert epochtimes(html).stands_for_another is stands_for_another

    @pytest.mark.parametrize(
        "words",
        [
            "404",
            "404 Not Found | 大纪元",
            "Page not found",
            "页面不存在",
            "頁面不存在",
            "未找到页面",
            "无法找到该页",
            "沒有找到您要的頁面",
            "文章已被删除 已删除",
            "該文已經移除",
        ],
    )
    @pytest.mark.parametrize("element", ["title", "h1"])
    def test_is_error_page(self, words: str, element: str) -> None:
        html = f"<{element}>{words}</{element}>"
        assert epochtimes(html).is_error_page
        assert not epochtimes(html + self.CANONICAL).is_error_page

    @pytest.mark.parametrize("words", ["水车转了起来", "第1404号消息", "维护中", "门牌404号的邻居", ""])
    def test_other_pages_are_none(self, words: str) -> None:
        page = epochtimes(f"<title>{words}</title>{self.CANONICAL if '404' in words else ''}<p>404 页面不存在</p>")
        assert not page.is_error_page


class TestPageError:
    def test_lacking_says_what_and_where(self) -> None:
        error = PageError.lacking("title", "h1.title, h1", "headline")
        assert (str(error), error.field, error.selector) == ("no headline (h1.title, h1)", "title", "h1.title, h1")
        assert str(PageError.lacking("body", "#artbody")) == "no body (#artbody)"
        assert isinstance(EmptyListError.lacking("list", "a"), EmptyListError)

    def test_any_other_lacks_nothing(self) -> None:
        PageError.lacking("title", "h1")
        error = PageError("nested too deeply")
        assert (error.field, error.selector) == (None, None)

    @pytest.mark.parametrize(
        ("html", "field", "selector"),
        [
            ("<div id=artbody><p>文</p></div>", "title", EpochtimesArticlePage.TITLE),
            ("<h1 class=title>题</h1>", "body", EpochtimesArticlePage.BODY),
            ("<h1 class=title>题</h1><div id=artbody></div>", "body", EpochtimesArticlePage.BODY),
        ],
    )
    def test_of_an_article_page_names_its_selector(self, html: str, field: str, selector: str) -> None:
        with pytest.raises(PageError) as caught:
            epochtimes(html).article("epochtimes", "2026-10-07T01:00:00+00:00")
        assert (caught.value.field, caught.value.selector) == (field, selector)
        assert not isinstance(caught.value, GonePageError)

    @pytest.mark.parametrize("url", [LIST, f"{E}/gb/"])
    def test_of_a_page_that_is_no_article_says_that_it_is_gone(self, url: str) -> None:
        with pytest.raises(GonePageError, match=rf"^led to no article \({re.escape(url)}\)$"):
            epochtimes(f"<h1 class=title>题</h1>{BODY}", url).article("epochtimes", "2026-10-07T01:00:00+00:00")
