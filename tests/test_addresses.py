"""Addresses: what is an article, what a list, what neither, and the one spelling of each (FACTS A1, B1)."""

from __future__ import annotations

import unicodedata
from datetime import date
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirror_crawler.addresses import Addresses, ArticleAddress, ListAddress, tag_slug
from mirror_crawler.spiders.epochtimes import EpochtimesSpider
from mirror_crawler.spiders.ntdtv import NtdtvSpider

EPOCHTIMES, NTDTV = EpochtimesSpider.addresses, NtdtvSpider.addresses
E, N = "https://www.epochtimes.com", "https://www.ntdtv.com"
ARTICLE = f"{E}/gb/21/12/28/n13465147.htm"


class TestEpochtimesArticle:
    @pytest.mark.parametrize(
        "href",
        [
            pytest.param(ARTICLE, id="canonical"),
            pytest.param("http://www.epochtimes.com/gb/21/12/28/n13465147.htm", id="http"),
            pytest.param("HTTPS://WWW.EPOCHTIMES.COM/gb/21/12/28/n13465147.htm", id="upper-case host"),
            pytest.param("//www.epochtimes.com/gb/21/12/28/n13465147.htm", id="no scheme"),
            pytest.param("/gb/21/12/28/n13465147.htm", id="path"),
            pytest.param("../28/n13465147.htm", id="relative"),
            pytest.param("http://cn.epochtimes.com/gb/21/12/28/n13465147.htm", id="cn alias"),
            pytest.param("http://m.epochtimes.com/gb/21/12/28/n13465147.htm", id="m alias"),
            pytest.param("https://epochtimes.com/gb/21/12/28/n13465147.htm", id="apex"),
            pytest.param("http://www.dajiyuan.com/gb/21/12/28/n13465147.htm", id="old name"),
            pytest.param(f"{E}/gb/2021/12/28/n13465147.htm", id="year of four digits"),
            pytest.param(f"{E}/gb/21/12/28/n13465147.html", id="html"),
            pytest.param(f"{E}/gb/21/12/28/n13465147p.htm", id="print suffix"),
            pytest.param(f"{ARTICLE}?utm_source=x&a=b#c", id="query and fragment"),
            pytest.param(f"{ARTICLE};", id="semicolon"),
            pytest.param(f"{ARTICLE}。", id="full stop"),
            pytest.param(f"{ARTICLE}%E3%80%82", id="encoded full stop"),
            pytest.param(f"{ARTICLE})”", id="bracket and quote"),
            pytest.param(f" \n{ARTICLE}\t", id="white space"),
            pytest.param(f"“{ARTICLE}”", id="curly quotes"),
            pytest.param(f"%E2%80%9C{ARTICLE}%E2%80%9D", id="encoded curly quotes"),
            pytest.param(f'\\"{ARTICLE}\\"', id="backslash quotes"),
            pytest.param(f"&quot;{ARTICLE}&quot;", id="escaped twice"),
            pytest.param(f'"{ARTICLE}";', id="quotes and semicolon"),
            pytest.param(f"{ARTICLE}/car-tour_157", id="photo slide"),
            pytest.param(f"{ARTICLE}147", id="page of a special topic"),
            pytest.param(f"https://www.google.com/url?q={ARTICLE}&sa=D", id="search engine"),
            pytest.param(
                "https://www.google.com.hk/url?sa=t&url=https%3A%2F%2Fwww.epochtimes.com%2Fgb%2F21%2F12%2F28%2Fn13465147.htm",
                id="search engine, encoded",
            ),
        ],
    )
    def test_one_spelling(self, href: str) -> None:
        base = f"{E}/gb/21/12/27/n13400000.htm"
        assert EPOCHTIMES.find_article(href, base) == ArticleAddress(
            article_id="n13465147", url=ARTICLE, language="zh-Hans"
        )

    def test_the_traditional_twin_has_the_same_id(self) -> None:
        found = EPOCHTIMES.find_article(ARTICLE.replace("/gb/", "/b5/"))
        assert found == ArticleAddress(article_id="n13465147", url=ARTICLE.replace("/gb/", "/b5/"), language="zh-Hant")

    @pytest.mark.parametrize(
        ("path", "canonical"),
        [
            ("/gb/1/1/10/n32192.htm", "/gb/1/1/10/n32192.htm"),
            ("/gb/01/01/09/n32192.htm", "/gb/1/1/9/n32192.htm"),
            ("/gb/2001/1/10/n32192.htm", "/gb/1/1/10/n32192.htm"),
            ("/b5/8/1/16/n1979443.htm", "/b5/8/1/16/n1979443.htm"),
        ],
    )
    def test_short_dates(self, path: str, canonical: str) -> None:
        found = EPOCHTIMES.find_article(E + path)
        assert found is not None
        assert found.url == E + canonical

    @pytest.mark.parametrize(
        "href",
        [
            pytest.param("", id="empty"),
            pytest.param("#top", id="fragment"),
            pytest.param("/gb/21/12/28/n13465147.htm", id="relative without a base"),
            pytest.param(f"javascript:{ARTICLE}", id="javascript"),
            pytest.param("mailto:x@www.epochtimes.com", id="mail"),
            pytest.param(ARTICLE.replace(".com", ".com:443"), id="port"),
            pytest.param(ARTICLE.replace("www", "x@www"), id="user information"),
            pytest.param(ARTICLE.replace(".com", ".com@evil.example"), id="host as user"),
            pytest.param(ARTICLE.replace(".com", ".com%2f@evil.example"), id="encoded slash in the host"),
            pytest.param(ARTICLE.replace(".com", ".com\\@evil.example"), id="backslash in the host"),
            pytest.param(ARTICLE.replace(".com", ".com.evil.example"), id="look-alike suffix"),
            pytest.param(ARTICLE.replace("www.epoch", "www.theepoch"), id="other company"),
            pytest.param(ARTICLE.replace("www", "hk"), id="other host"),
            pytest.param(ARTICLE.replace(".com", ".com."), id="dot after the host"),
            pytest.param(ARTICLE.replace(".com", "。com"), id="ideographic dot"),
            pytest.param(f"https://proxy.example/dmirror/https/{ARTICLE[8:]}", id="proxy"),
            pytest.param("https://www.google.com/url?sa=t", id="search engine without target"),
            pytest.param(f"https://www.google.com.evil.example/url?q={ARTICLE}", id="look-alike of a search engine"),
            pytest.param("https://[::1/gb/21/12/28/n13465147.htm", id="broken host"),
            pytest.param(f"{E}/gb/21/13/28/n13465147.htm", id="month 13"),
            pytest.param(f"{E}/gb/21/12/32/n13465147.htm", id="day 32"),
            pytest.param(f"{E}/gb/21/0/0/n13465147.htm", id="day 0"),
            pytest.param(f"{E}/gb/21/12/28/n1.htm", id="number too short"),
            pytest.param(f"{E}/gb/21/12/28/n12345678901.htm", id="number too long"),
            pytest.param(f"{E}/gb/21/12/28/n013465147.htm", id="a second spelling of a number"),
            pytest.param(f"{E}/gb/21/12/28/n１３４６５.htm", id="full-width digits"),
            pytest.param(f"{E}/gb/٢١/12/28/n13465147.htm", id="Arabic digits"),
            pytest.param(f"{E}/gb/21/12/28/n13465147/", id="no extension"),
            pytest.param(f"{E}/x/gb/21/12/28/n13465147.htm", id="longer path"),
            pytest.param(f"{E}/en/21/12/28/n13465147.htm", id="other script"),
            pytest.param(f"{E}/gb/nf1351518.htm#14862423", id="portal form"),
            pytest.param(f"{E}/gb/9p.htm", id="special page"),
            pytest.param("http://epochtimes.com/news/epochnews/newscontent.asp?ID=28454", id="form of before 2001"),
        ],
    )
    def test_none(self, href: str) -> None:
        assert EPOCHTIMES.find_article(href) is None


class TestNtdtvArticle:
    @pytest.mark.parametrize(
        "href",
        [
            f"{N}/gb/2026/10/07/a104138636.html",
            f"{N}/gb/2026/10/7/a104138636.html",
            f"{N}/gb/2026/10/07/a104138636.htm",
            f" {N}/gb/2026/10/07/a104138636.html?utm_source=x",
            "http://www.ntdtv.com/xtr/gb/2026/10/07/a104138636.html",
            "http://www2.ntdtv.com/gb/2026/10/07/a104138636.html",
            "http://cn.ntdtv.com/gb/2026/10/07/a104138636.html",
            "https://ntdtv.com/gb/2026/10/07/a104138636.html",
        ],
    )
    def test_one_spelling(self, href: str) -> None:
        assert NTDTV.find_article(href) == ArticleAddress(
            article_id="a104138636", url=f"{N}/gb/2026/10/07/a104138636.html", language="zh-Hans"
        )

    @pytest.mark.parametrize(
        "href",
        [
            f"{N}/gb/26/10/07/a104138636.html",
            f"{N}/gb/0026/10/07/a104138636.html",
            f"{N}/gb/2026/10/07/a012345.html",
            f"{N}/gb/2026/10/07/104138636.html",
            f"{N}/gb/dongtaiwang.html?id=104138636",
            "https://www.ntdtv.com.tw/b5/20260101/news/1.html",
            "https://www.ntd.com/title_104138636.html",
            "https://www.ntd.tv/2026/10/07/title",
            "https://i.ntdtv.com/gb/2026/10/07/a104138636.html",
        ],
    )
    def test_none(self, href: str) -> None:
        assert NTDTV.find_article(href) is None


def section(list_id: str, url: str, page: int = 1) -> ListAddress:
    return ListAddress(kind="section", list_id=list_id, url=url, page=page)


def tag(list_id: str, url: str, page: int = 1) -> ListAddress:
    return ListAddress(kind="tag", list_id=list_id, url=url, page=page)


class TestEpochtimesList:
    @pytest.mark.parametrize(
        ("path", "found"),
        [
            ("/gb/nsc413.htm", section("nsc413", f"{E}/gb/nsc413.htm")),
            ("/gb/nsc413_2.htm", section("nsc413", f"{E}/gb/nsc413.htm", 2)),
            ("/gb/nsc413_1234.htm?x#y", section("nsc413", f"{E}/gb/nsc413.htm", 1234)),
            ("/b5/nsc413.htm", section("nsc413", f"{E}/b5/nsc413.htm")),
            ("/gb/ncid277.htm", section("ncid277", f"{E}/gb/ncid277.htm")),
            ("/gb/news413_3.htm", section("news413", f"{E}/gb/news413.htm", 3)),
            ("/gb/nf4514.htm", section("nf4514", f"{E}/gb/nf4514.htm")),
            ("/gb/nf1334917.htm147", section("nf1334917", f"{E}/gb/nf1334917.htm")),
            ("/gb/nf1351518.htm#14862423", section("nf1351518", f"{E}/gb/nf1351518.htm")),
            ("/gb/n24hr_2.htm", section("n24hr", f"{E}/gb/n24hr.htm", 2)),
            ("/gb/nscfreezone.htm", section("nscfreezone", f"{E}/gb/nscfreezone.htm")),
            ("/gb/ncVideo_Radio_12.htm", section("ncVideo_Radio", f"{E}/gb/ncVideo_Radio.htm", 12)),
            ("/gb/tag/%E5%9B%BE.html", tag("图", f"{E}/gb/tag/%E5%9B%BE.html")),
            ("/gb/tag/%e5%9b%be.html", tag("图", f"{E}/gb/tag/%E5%9B%BE.html")),
            ("/gb/tag/图.html", tag("图", f"{E}/gb/tag/%E5%9B%BE.html")),
            ("/gb/tag/图.2.html", tag("图", f"{E}/gb/tag/%E5%9B%BE.html", 2)),
            ("/b5/tag/圖.html", tag("圖", f"{E}/b5/tag/%E5%9C%96.html")),
            ("/gb/tag/USCC.html", tag("uscc", f"{E}/gb/tag/uscc.html")),
            ("/gb/tag/web3.0.html", tag("web3.0", f"{E}/gb/tag/web3.0.html")),
            ("/gb/tag/c%23.html", tag("c#", f"{E}/gb/tag/c%23.html")),
            ("/gb/tag/50%25.html", tag("50%", f"{E}/gb/tag/50%25.html")),
            (
                "/gb/tag/" + unicodedata.normalize("NFD", "café") + ".html",
                tag("café", f"{E}/gb/tag/caf%C3%A9.html"),
            ),
        ],
    )
    def test_found(self, path: str, found: ListAddress) -> None:
        assert EPOCHTIMES.find_list(E + path) == found

    @pytest.mark.parametrize(
        "path",
        [
            "/",
            "/gb/",
            "/gb/9p.htm",
            "/gb/nsc413.xml",
            "/gb/nsc413_0.htm",
            "/gb/nsc413_02.htm",
            "/gb/nsc413_1234567.htm",
            f"/gb/nsc413_{'1' * 5000}.htm",
            "/gb/nsc４１３.htm",
            "/gb/nsc.htm",
            "/gb/21/12/28/n13465147.htm",
            "/gb/tag/.html",
            "/gb/tag/%20.html",
            "/gb/tag/a%2Fb.html",
            "/gb/tag/..%2f..%2fetc.html",
            "/gb/tag/..html",
            "/gb/tag/%00.html",
            "/gb/tag/a%0Ab.html",
            "/gb/tag/%E5.html",
            "/gb/tag/%E2%80%AE.html",
            "/gb/tag/" + "图" * 101 + ".html",
        ],
    )
    def test_none(self, path: str) -> None:
        assert EPOCHTIMES.find_list(E + path) is None

    def test_another_site_has_no_list(self) -> None:
        assert EPOCHTIMES.find_list("https://www.ntdtv.com/gb/nsc413.htm") is None


class TestNtdtvList:
    @pytest.mark.parametrize(
        ("path", "found"),
        [
            ("/gb/prog204", section("prog204", f"{N}/gb/prog204")),
            ("/gb/prog204/", section("prog204", f"{N}/gb/prog204")),
            ("/gb/prog204/2", section("prog204", f"{N}/gb/prog204", 2)),
            ("/gb/prog204_2.html", section("prog204", f"{N}/gb/prog204", 2)),
            ("/gb/prog204.html", section("prog204", f"{N}/gb/prog204")),
            ("/xtr/gb/prog204.html", section("prog204", f"{N}/gb/prog204")),
            ("/gb/prog422848.htm", section("prog422848", f"{N}/gb/prog422848")),
            ("/gb/headline-news.html", section("headline-news", f"{N}/gb/headline-news.html")),
            ("/gb/headline-news.html?page=2", section("headline-news", f"{N}/gb/headline-news.html")),
            ("/b5/instant-news.html", section("instant-news", f"{N}/b5/instant-news.html")),
            ("/gb/commentary", section("commentary", f"{N}/gb/commentary")),
            ("/gb/news/china/2", section("news/china", f"{N}/gb/news/china", 2)),
            ("/gb/programs/slow-towns-2", section("programs/slow-towns-2", f"{N}/gb/programs/slow-towns-2")),
            ("/gb/武汉.htm", tag("武汉", f"{N}/gb/%E6%AD%A6%E6%B1%89.htm")),
            ("/gb/%E6%AD%A6%e6%b1%89.htm", tag("武汉", f"{N}/gb/%E6%AD%A6%E6%B1%89.htm")),
            ("/gb/442749.htm", tag("442749", f"{N}/gb/442749.htm")),
            ("/gb/610.htm", tag("610", f"{N}/gb/610.htm")),
            ("/gb/NBA.htm", tag("nba", f"{N}/gb/nba.htm")),
        ],
    )
    def test_found(self, path: str, found: ListAddress) -> None:
        assert NTDTV.find_list(N + path) == found

    @pytest.mark.parametrize(
        "path",
        [
            "/",
            "/gb/",
            "/gb/donation.html",
            "/gb/search.html?q=x&x=1&y=2",
            "/gb/program-schedule",
            "/gb/dongtaiwang.html?id=104138636",
            "/gb/prog204/0",
            "/xtr/gb/news204.xml",
            "/gb/2026/10/07/a104138636.html",
        ],
    )
    def test_none(self, path: str) -> None:
        assert NTDTV.find_list(N + path) is None


@pytest.mark.parametrize(
    ("addresses", "href", "target"),
    [
        (EPOCHTIMES, ARTICLE, ("article", "n13465147")),
        (EPOCHTIMES, f"{E}/gb/nsc413_2.htm", ("section", "nsc413")),
        (EPOCHTIMES, f"{E}/b5/tag/%e5%9b%be.html", ("tag", "图")),
        (NTDTV, f"{N}/gb/prog204/3", ("section", "prog204")),
        (NTDTV, ARTICLE, None),
        (EPOCHTIMES, f"{E}/", None),
        (EPOCHTIMES, f"{E}/gb/9p.htm", None),
    ],
)
def test_find_target(addresses: Addresses, href: str, target: tuple[str, str] | None) -> None:
    assert addresses.find_target(href) == target


@pytest.mark.parametrize("outlet", [EpochtimesSpider, NtdtvSpider])
def test_canonical_addresses_of_sections_lead_back(outlet: type[EpochtimesSpider | NtdtvSpider]) -> None:
    for script in ("gb", "b5"):
        for name in outlet.sections:
            url = outlet.addresses.list_url("section", name, script)
            assert outlet.addresses.find_list(url) == section(name, url)


@pytest.mark.untraced
@pytest.mark.parametrize("addresses", [EPOCHTIMES, NTDTV], ids=["epochtimes", "ntdtv"])
@given(text=st.text(max_size=30))
def test_canonical_addresses_of_tags_lead_back(addresses: Addresses, text: str) -> None:
    slug = tag_slug(text)
    if slug is not None:
        url = addresses.list_url("tag", slug)
        found = addresses.find_list(url)
        # A slug that ends in a number is the spelling of a page (epochtimes), or that of a programme (ntdtv).
        if found != tag(slug, url):
            assert found is not None
            assert found.page > 1 or found.kind == "section" or slug.startswith(f"{found.list_id}.")
            assert url.isascii()


@pytest.mark.untraced
@pytest.mark.parametrize("addresses", [EPOCHTIMES, NTDTV], ids=["epochtimes", "ntdtv"])
@given(href=st.text(), base=st.sampled_from(["", ARTICLE, f"{N}/gb/prog204"]))
def test_any_text_is_looked_at_without_complaint(addresses: Addresses, href: str, base: str) -> None:
    found = addresses.find_article(href, base)
    assert found is None or addresses.find_article(found.url) == found
    addresses.find_list(href, base)


@pytest.mark.untraced
@given(path=st.text(alphabet="/.ab-_%E5;,“”\\?#gbnsc413.htm 图１&"))
def test_plain_addresses_are_read_as_any_other(path: str) -> None:
    """A scheme in capitals keeps an address from being taken for one that needs no cleaning."""
    assert EPOCHTIMES.path_of(f"{E}/{path}") == EPOCHTIMES.path_of(f"HTTPS{E[5:]}/{path}")


class TestTagSlug:
    @pytest.mark.parametrize(
        ("text", "slug"),
        [
            ("相互宝", "相互宝"),
            (" MQ-9B ", "mq-9b"),
            ("DNA检测", "dna检测"),
            ("Ä", "Ä"),
            ("cafe\u0301", "café"),
            ("Elon   Musk", "elon musk"),
            ("甲\u3000乙", "甲 乙"),
            ("610", "610"),
            ("😀", "😀"),
            ("CON", "con"),
            ("a.b", "a.b"),
            ("x" * 100, "x" * 100),
        ],
    )
    def test_slug(self, text: str, slug: str) -> None:
        assert tag_slug(text) == slug

    @pytest.mark.parametrize(
        "text",
        ["", "  ", ".", "..", "...", "a/b", "../x", "a\\b", "a\0b", "a\nb", "a\x85b", "a\u2028b", "\u202ex", "\ufffd"],
    )
    def test_none(self, text: str) -> None:
        assert tag_slug(text) is None

    @pytest.mark.parametrize("text", ["\ud800", "x" * 101], ids=["half a pair", "too long"])
    def test_none_either(self, text: str) -> None:
        assert tag_slug(text) is None

    @pytest.mark.untraced
    @given(st.text(max_size=120))
    def test_is_its_own_slug(self, text: str) -> None:
        slug = tag_slug(text)
        assert slug is None or tag_slug(slug) == slug


class TestDay:
    @pytest.mark.parametrize(
        ("url", "day"),
        [
            pytest.param(ARTICLE, date(2021, 12, 28), id="two-digits"),
            pytest.param(f"{E}/gb/1/1/2/n1234.htm", date(2001, 1, 2), id="one-digit"),
            pytest.param(f"{E}/gb/1999/1/2/n1234.htm", date(1999, 1, 2), id="before-2000"),
            pytest.param(f"{N}/gb/2026/05/01/a104110000.html", date(2026, 5, 1), id="four-digits"),
            pytest.param(f"{E}/gb/21/2/30/n13465147.htm", None, id="no-such-day"),
            pytest.param(f"{E}/gb/n13465147.htm", None, id="none"),
        ],
    )
    def test_is_that_of_the_address(self, url: str, day: date | None) -> None:
        assert ArticleAddress(article_id="n1", url=url, language="zh-Hans").day == day

    @pytest.mark.untraced
    @pytest.mark.parametrize("addresses", [EPOCHTIMES, NTDTV], ids=["epochtimes", "ntdtv"])
    @given(day=st.dates(date(2000, 1, 1), date(2099, 12, 31)))
    def test_is_read_from_any_canonical_address(self, addresses: Addresses, day: date) -> None:
        url = addresses.article_url.format(
            script="gb", number="104110000", year=day.year, short_year=day.year % 100, month=day.month, day=day.day
        )
        found = addresses.find_article(url)
        assert found is not None
        assert found.day == day


class TestPictures:
    @pytest.mark.parametrize(
        ("addresses", "url", "asked"),
        [
            (EPOCHTIMES, "https://i.epochtimes.com/assets/a.jpg", "https://i.epochtimes.com/assets/a.jpg"),
            (EPOCHTIMES, "http://i.epochtimes.com/a.jpg?w=1", "https://i.epochtimes.com/a.jpg?w=1"),
            (EPOCHTIMES, "HTTPS://I.Epochtimes.com/A.jpg", "https://I.Epochtimes.com/A.jpg"),
            (EPOCHTIMES, "https://www.epochtimes.com/assets/a.png", "https://www.epochtimes.com/assets/a.png"),
            (NTDTV, "https://i.ntdtv.com/a.jpg", "https://i.ntdtv.com/a.jpg"),
        ],
    )
    def test_of_the_outlet(self, addresses: Addresses, url: str, asked: str) -> None:
        assert addresses.picture_url(url) == asked

    @pytest.mark.parametrize(
        "url",
        [
            "https://i.ntdtv.com/a.jpg",
            "https://i.epochtimes.com:443/a.jpg",
            "https://user@i.epochtimes.com/a.jpg",
            "https://i.epochtimes.com.evil.example/a.jpg",
            "https://evil.example/i.epochtimes.com/a.jpg",
            "https://i.epochtimes.com\\@evil.example/a.jpg",
            "https://i.epochtimes.com?@evil.example/a.jpg",
            "//i.epochtimes.com/a.jpg",
            "ftp://i.epochtimes.com/a.jpg",
            "javascript://i.epochtimes.com/a.jpg",
            "data:image/png;base64,AAAA",
            "",
        ],
    )
    def test_of_nobody_we_ask(self, url: str) -> None:
        assert EPOCHTIMES.picture_url(url) is None

    @pytest.mark.untraced
    @given(st.text(max_size=60))
    def test_never_leads_elsewhere(self, text: str) -> None:
        for url in (text, f"https://{text}", f"https://i.epochtimes.com{text}"):
            asked = EPOCHTIMES.picture_url(url)
            if asked is not None:
                assert urlsplit(asked).scheme == "https"
                assert urlsplit(asked).netloc.lower() in EPOCHTIMES.hosts | EPOCHTIMES.image_hosts
