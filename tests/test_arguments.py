"""The -a arguments: what they mean, and one clear line for those that cannot be meant."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirror_crawler.addresses import ListAddress
from mirror_crawler.arguments import ArgumentError, Plan, Window, read_plan
from mirror_crawler.outlet import OutletSpider
from mirror_crawler.spiders.epochtimes import EpochtimesSpider
from mirror_crawler.spiders.ntdtv import NtdtvSpider

E = "https://www.epochtimes.com"
N = "https://www.ntdtv.com"
ARTICLE = f"{E}/gb/26/10/7/n14860001.htm"
TODAY = date(2026, 11, 22)
SECTION_FEED = f"{E}/{{script}}/{{id}}.xml"
FEED, SITEMAP = f"{N}/gb/feed", f"{N}/assets/uploads/sitemap/sitemap_news_gb.xml.gz"


def plan(**arguments: str) -> Plan:
    """A plan of an outlet whose sections have feeds."""
    spider = EpochtimesSpider
    return read_plan(
        arguments,
        spider.addresses,
        spider.sections,
        spider.default_sections,
        section_feed=SECTION_FEED,
        today=TODAY,
    )


def other_plan(**arguments: str) -> Plan:
    """A plan of an outlet that has one feed and one sitemap as a whole."""
    spider = NtdtvSpider
    return read_plan(
        arguments,
        spider.addresses,
        spider.sections,
        spider.default_sections,
        feeds=[FEED],
        sitemaps=[SITEMAP],
        today=TODAY,
    )


def refusal(arguments: Mapping[str, str]) -> str:
    """The one line with which a plan is refused."""
    with pytest.raises(ArgumentError) as caught:
        plan(**arguments)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 500
    return message


def sections(made: Plan) -> list[str]:
    return [address.list_id for address in made.lists]


class TestLists:
    def test_nothing_asked(self) -> None:
        made = plan()
        assert sections(made) == list(EpochtimesSpider.default_sections)
        assert (made.articles, made.pages) == ((), 0)

    def test_only_pages_asked(self) -> None:
        assert sections(plan(pages="2")) == list(EpochtimesSpider.default_sections)

    def test_sections(self) -> None:
        assert plan(section="nsc413, nsc418，nsc413").lists == (
            ListAddress(kind="section", list_id="nsc413", url=f"{E}/gb/nsc413.htm"),
            ListAddress(kind="section", list_id="nsc418", url=f"{E}/gb/nsc418.htm"),
        )

    def test_tags(self) -> None:
        assert plan(tag="相互宝,USCC").lists == (
            ListAddress(kind="tag", list_id="相互宝", url=f"{E}/gb/tag/%E7%9B%B8%E4%BA%92%E5%AE%9D.html"),
            ListAddress(kind="tag", list_id="uscc", url=f"{E}/gb/tag/uscc.html"),
        )

    def test_sections_tags_and_addresses_together(self) -> None:
        made = plan(section="nsc413", tag="粮仓", url=f"{ARTICLE} {E}/gb/nsc418.htm")
        assert [(address.kind, address.list_id) for address in made.lists] == [
            ("section", "nsc413"),
            ("tag", "粮仓"),
            ("section", "nsc418"),
        ]
        assert [address.article_id for address in made.articles] == ["n14860001"]

    def test_names_of_the_scheduler_are_not_ours(self) -> None:
        assert EpochtimesSpider.read_plan({"_job": "1", "section": "nsc413"}) == plan(section="nsc413")


class TestUrl:
    def test_article(self) -> None:
        made = plan(url="http://cn.epochtimes.com/b5/26/10/7/n14860001.htm;")
        assert made.lists == ()
        assert [(address.url, address.language) for address in made.articles] == [
            (ARTICLE.replace("/gb/", "/b5/"), "zh-Hant")
        ]

    def test_section_that_is_not_ours_by_name(self) -> None:
        assert plan(url=f"{E}/gb/nsc529.htm").lists == (
            ListAddress(kind="section", list_id="nsc529", url=f"{E}/gb/nsc529.htm"),
        )

    @pytest.mark.parametrize(
        "url",
        [
            f"{E}/gb/nsc413_7.htm",
            f"“{E}/gb/nsc413_7.htm”",
            "http://cn.epochtimes.com/gb/nsc413_7.htm;",
            "//www.epochtimes.com/gb/nsc413_7.htm?x=1#y",
        ],
    )
    def test_later_page_of_a_list(self, url: str) -> None:
        url = url if not url.startswith("//") else f"https:{url}"
        assert plan(url=url).lists == (
            ListAddress(kind="section", list_id="nsc413", url=f"{E}/gb/nsc413_7.htm", page=7),
        )

    def test_list_with_an_extension_keeps_it(self) -> None:
        url = "https://www.ntdtv.com/gb/headline-news.html"
        assert [address.url for address in NtdtvSpider.read_plan({"url": url}).lists] == [url]

    def test_the_same_twice(self) -> None:
        assert len(plan(url=f"{ARTICLE} {ARTICLE}?utm_source=x {ARTICLE};").articles) == 1

    def test_file(self, tmp_path: Path) -> None:
        listed = tmp_path / "addresses.txt"
        listed.write_text(f"\ufeff{ARTICLE}\n\n  # a comment\n  {E}/gb/nsc418.htm  \n", encoding="utf-8")
        made = plan(url=f"@{listed}")
        assert ([address.article_id for address in made.articles], sections(made)) == (["n14860001"], ["nsc418"])

    @pytest.mark.parametrize("content", ["", "\n# nothing\n"], ids=["empty", "comments only"])
    def test_file_without_address(self, tmp_path: Path, content: str) -> None:
        listed = tmp_path / "addresses.txt"
        listed.write_text(content, encoding="utf-8")
        with pytest.raises(ArgumentError, match=f"^url=@{re.escape(str(listed))}: the file names no address"):
            plan(url=f"@{listed}")

    def test_file_of_another_encoding(self, tmp_path: Path) -> None:
        listed = tmp_path / "addresses.txt"
        listed.write_bytes("标签".encode("gb18030"))
        with pytest.raises(ArgumentError, match=r"cannot read the file: 'utf-8' codec"):
            plan(url=f"@{listed}")

    def test_no_file(self, tmp_path: Path) -> None:
        with pytest.raises(ArgumentError, match=r"missing\.txt: cannot read the file: .*No such file"):
            plan(url=f"@{tmp_path}/missing.txt")


class TestPages:
    @pytest.mark.parametrize(("text", "pages"), [("1", 1), ("250", 250), ("999999", 999_999), ("all", None)])
    def test_pages(self, text: str, pages: int | None) -> None:
        assert plan(pages=text).pages == pages

    @pytest.mark.parametrize("text", ["", "0", "-1", "1.5", "01", "ten", "ALL", " 1", "1２", "1000000"])
    def test_none(self, text: str) -> None:
        with pytest.raises(ArgumentError, match=r"^pages=.*: use a number from 1, or all$"):
            plan(pages=text)


class TestWindow:
    @pytest.mark.parametrize(
        ("arguments", "window", "name"),
        [
            pytest.param(
                {"since": "2026-11-01", "until": "2026-11-07"},
                Window(since=date(2026, 11, 1), until=date(2026, 11, 7)),
                "2026-11-01..2026-11-07",
                id="both",
            ),
            pytest.param(
                {"since": "2026-11-22", "until": "2026-11-22"},
                Window(since=TODAY, until=TODAY),
                "2026-11-22..2026-11-22",
                id="one day",
            ),
            pytest.param({"since": "2026-11-22"}, Window(since=TODAY), "2026-11-22..", id="since today"),
            pytest.param({"until": "2027-01-01"}, Window(until=date(2027, 1, 1)), "..2027-01-01", id="until later"),
            pytest.param({}, None, "", id="none"),
        ],
    )
    def test_asked(self, arguments: Mapping[str, str], window: Window | None, name: str) -> None:
        made = plan(**arguments)
        assert (made.window, made.window_name) == (window, name)
        assert sections(made) == list(EpochtimesSpider.default_sections)

    @pytest.mark.parametrize(
        ("arguments", "bounded"),
        [
            pytest.param({"since": "2026-11-01"}, True, id="window"),
            pytest.param({"until": "2026-11-01"}, True, id="open window"),
            pytest.param({"since": "2026-11-01", "pages": "3"}, False, id="window and pages"),
            pytest.param({"since": "2026-11-01", "pages": "all"}, False, id="window and all pages"),
            pytest.param({}, False, id="neither"),
        ],
    )
    def test_bounds_the_walk(self, arguments: Mapping[str, str], *, bounded: bool) -> None:
        assert plan(**arguments).bounded_by_window is bounded

    @pytest.mark.parametrize("name", ["since", "until"])
    @pytest.mark.parametrize(
        "text", ["", "2026", "2026-11", "2026-02-30", "2026-13-01", "0000-01-01", "20261101", "2026-W45-1", "2026-1-1",
                 "２026-11-01", "2026-11-01 ", "2026-11-01T00:00", "yesterday", "\n", "x" * 900]
    )  # fmt: skip
    def test_no_day(self, name: str, text: str) -> None:
        assert refusal({name: text}) == f"{name}={text!r:.60}: no day; use YYYY-MM-DD, a day in Beijing"

    def test_in_the_future(self) -> None:
        assert refusal({"since": "2026-11-23"}) == "since=2026-11-23: in the future; today is 2026-11-22 in Beijing"

    def test_ends_before_it_begins(self) -> None:
        message = refusal({"since": "2026-11-07", "until": "2026-11-06"})
        assert message == "since=2026-11-07 until=2026-11-06: ends before it begins"

    def test_open_at_both_ends(self) -> None:
        assert Window().name == ""
        assert Window().may_hold(TODAY)
        assert Window().holds(None, TODAY)

    @pytest.mark.parametrize(
        ("url_day", "may_hold", "is_past"),
        [
            pytest.param("2026-10-29", False, True, id="three days before"),
            pytest.param("2026-10-30", True, False, id="two days before"),
            pytest.param("2026-11-07", True, False, id="last day"),
            pytest.param("2026-11-08", True, False, id="day after"),
            pytest.param("2026-11-09", False, False, id="two days after"),
            pytest.param("0001-01-01", False, True, id="first day there is"),
            pytest.param("9999-12-31", False, False, id="last day there is"),
        ],
    )
    def test_by_the_day_of_an_address(self, url_day: str, *, may_hold: bool, is_past: bool) -> None:
        window, day = Window(since=date(2026, 11, 1), until=date(2026, 11, 7)), date.fromisoformat(url_day)
        assert (window.may_hold(day), window.is_past(day)) == (may_hold, is_past)

    def test_by_an_address_without_a_real_day(self) -> None:
        window = Window(since=TODAY, until=TODAY)
        assert (window.may_hold(None), window.is_past(None), window.holds(None, None)) == (True, False, True)

    @pytest.mark.parametrize(
        ("published_at", "holds"),
        [
            pytest.param("2026-11-01T00:00:00+08:00", True, id="first second"),
            pytest.param("2026-10-31T23:59:59+08:00", False, id="second before"),
            pytest.param("2026-10-31T16:00:00+00:00", True, id="first second in UTC"),
            pytest.param("2026-10-31T15:59:59+00:00", False, id="second before in UTC"),
            pytest.param("2026-11-07T23:59:59+08:00", True, id="last second"),
            pytest.param("2026-11-07T16:00:00Z", False, id="second after in UTC"),
        ],
    )
    def test_by_the_time_of_publication(self, published_at: str, *, holds: bool) -> None:
        window = Window(since=date(2026, 11, 1), until=date(2026, 11, 7))
        assert window.holds(published_at, date(2026, 11, 3)) is holds
        assert window.holds(published_at, None) is holds

    @pytest.mark.parametrize(("url_day", "holds"), [("2026-10-31", False), ("2026-11-01", True), ("2026-11-08", False)])
    def test_by_the_address_when_the_time_is_unknown(self, url_day: str, *, holds: bool) -> None:
        window = Window(since=date(2026, 11, 1), until=date(2026, 11, 7))
        assert window.holds(None, date.fromisoformat(url_day)) is holds

    @pytest.mark.untraced
    @given(
        st.one_of(st.none(), st.dates()),
        st.one_of(st.none(), st.dates()),
        st.dates(date(2, 1, 1), date(9998, 1, 1)),
        st.integers(-1, 2),
    )
    def test_nothing_that_it_holds_is_passed_over(
        self, since: date | None, until: date | None, url_day: date, days: int
    ) -> None:
        window = Window(since=since, until=until)
        published = (url_day + timedelta(days)).isoformat()
        if window.holds(f"{published}T12:00:00+08:00", url_day):
            assert window.may_hold(url_day)
        if window.is_past(url_day):
            assert not window.may_hold(url_day)
            assert window.is_past(url_day - timedelta(1))


class TestSource:
    def test_lists_are_the_default(self) -> None:
        for made in (plan(), other_plan()):
            assert (made.sources, made.feeds, made.sitemaps) == (("lists",), (), ())

    def test_feeds_of_the_default_sections(self) -> None:
        made = plan(source="feed")
        assert (made.lists, made.sources) == ((), ("feed",))
        assert made.feeds == tuple(f"{E}/gb/{name}.xml" for name in EpochtimesSpider.default_sections)

    def test_feeds_of_what_is_named(self) -> None:
        lists = f"{E}/b5/nsc418_3.htm {E}/gb/nsc413_2.htm {ARTICLE}"
        made = plan(source="lists, feed", section="nsc413", tag="粮仓", url=lists)
        assert len(made.lists) == 4
        assert made.feeds == (f"{E}/gb/nsc413.xml", f"{E}/b5/nsc418.xml")

    def test_feeds_and_sitemaps_of_the_outlet(self) -> None:
        made = other_plan(source="sitemap，feed,sitemap")
        assert (made.lists, made.feeds, made.sitemaps) == ((), (FEED,), (SITEMAP,))
        assert made.sources == ("sitemap", "feed")

    def test_sections_without_a_feed_of_their_own(self) -> None:
        made = other_plan(source="lists,feed,sitemap", section="prog204")
        assert (sections(made), made.feeds, made.sitemaps) == (["prog204"], (FEED,), (SITEMAP,))

    @pytest.mark.parametrize(
        ("arguments", "feeds"),
        [
            pytest.param({}, [f"{E}/gb/nsc413.xml", f"{E}/gb/feed"], id="nothing named"),
            pytest.param({"section": "nsc413"}, [f"{E}/gb/nsc413.xml"], id="a section named"),
            pytest.param({"tag": "粮仓"}, [f"{E}/gb/feed"], id="only what has no feed"),
        ],
    )
    def test_outlet_with_both_kinds_of_feeds(self, arguments: Mapping[str, str], feeds: list[str]) -> None:
        spider = EpochtimesSpider
        made = read_plan(
            {"source": "feed", **arguments},
            spider.addresses,
            spider.sections,
            ["nsc413"],
            section_feed=f"{E}/gb/{{id}}.xml",
            feeds=[f"{E}/gb/feed"],
        )
        assert list(made.feeds) == feeds

    def test_are_on_the_hosts_of_the_outlet(self) -> None:
        for url in plan(source="feed").feeds:
            assert EpochtimesSpider.addresses.path_of(url)
        for url in (FEED, SITEMAP):
            assert NtdtvSpider.addresses.path_of(url)
            assert NtdtvSpider.addresses.find_target(url) is None

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"source": "sitemap"}, "source='sitemap': no source of this outlet; it has lists, feed"),
            ({"source": "lists,rss"}, "source='rss': no source of this outlet; it has lists, feed"),
            ({"source": "Feed"}, "source='Feed': no source of this outlet; it has lists, feed"),
            ({"source": ""}, "source=: an empty name; give one or more, separated by commas"),
            (
                {"source": "feed", "tag": "粮仓"},
                "source=feed: nothing of what is asked for has a feed; name sections",
            ),
        ],
    )
    def test_refused(self, arguments: Mapping[str, str], message: str) -> None:
        assert refusal(arguments) == message

    def test_outlet_that_has_only_lists(self) -> None:
        with pytest.raises(ArgumentError, match=r"^source='feed': no source of this outlet; it has lists$"):
            read_plan({"source": "feed"}, EpochtimesSpider.addresses, ["nsc413"], ["nsc413"])


class TestRefresh:
    def test_none_asked(self) -> None:
        assert plan().refresh is None

    @pytest.mark.parametrize("text", ["all", " all ,all"])
    def test_all(self, text: str) -> None:
        made = plan(refresh=text)
        assert (made.refresh, made.lists) == ("all", ())

    def test_ids_and_addresses(self) -> None:
        other = "http://cn.epochtimes.com/b5/26/10/7/n14860003.htm;"
        made = plan(refresh=f"n14860002，{ARTICLE}?x=1 {other},n14860002\nn14860001")
        assert (made.refresh, made.lists, made.articles) == (("n14860002", "n14860001", "n14860003"), (), ())

    def test_with_lists(self) -> None:
        made = plan(refresh="n14860001", section="nsc413")
        assert (made.refresh, sections(made)) == (("n14860001",), ["nsc413"])

    def test_with_a_source(self) -> None:
        made = plan(refresh="n14860001", source="feed")
        assert (len(made.feeds), made.lists) == (len(EpochtimesSpider.default_sections), ())

    def test_ids_of_another_outlet(self) -> None:
        assert other_plan(refresh="a1256569").refresh == ("a1256569",)

    @pytest.mark.parametrize("text", ["", ",", "n14860001,,n14860002"])
    def test_empty(self, text: str) -> None:
        assert refusal({"refresh": text}).startswith(f"refresh={text}: an empty name")

    def test_all_and_others(self) -> None:
        assert refusal({"refresh": "n14860001,all"}).startswith("refresh: all is every stored article; give it alone")

    @pytest.mark.parametrize(
        "word",
        ["14860001", "N14860001", "a14860001", "n", "n1", "n12345678901", "n014860001", "n14860001p", "n1486{0}",
         "n14860001.htm", "n14860001/../x", "n１4860001", "ALL", f"{E}/gb/nsc413.htm",
         f"{N}/gb/2026/10/07/a104130001.html", "nn14860001", "n14860001;", "x" * 900],
    )  # fmt: skip
    def test_no_article(self, word: str) -> None:
        assert refusal({"refresh": f"n14860001,{word}"}) == (
            f"refresh={word!r:.200}: neither the id of an article, such as n14860001, nor the address of one; "
            "all is every stored article"
        )


class TestRender:
    @pytest.mark.parametrize("way", ["splash", "none"])
    def test_is_as_asked_and_nobody_else_s_business_otherwise(self, way: str) -> None:
        assert plan(render=way).render == way
        assert plan().render is None


class TestRefused:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (
                {"sections": "nsc413"},
                "unknown argument 'sections'; use section, tag, url, pages, since, until, source, refresh, render",
            ),
            ({"render": "yes"}, "render='yes': use splash or none"),
            ({"render": ""}, "render='': use splash or none"),
            ({"section": "nsc9"}, "section=nsc9: unknown section; use nsc412, nsc413"),
            ({"section": "NSC413"}, "section=NSC413: unknown section"),
            ({"section": ""}, "section=: an empty name"),
            ({"section": "nsc413,,nsc418"}, "section=nsc413,,nsc418: an empty name"),
            ({"tag": ""}, "tag=: an empty name"),
            ({"tag": "../x"}, "tag='../x': cannot be a tag"),
            ({"tag": "x" * 200}, "tag='xxx"),
            ({"url": " "}, "url=: empty"),
            ({"url": "https://www.ntdtv.com/gb/prog204"}, "url=https://www.ntdtv.com/gb/prog204: neither an article"),
            ({"url": "https://www.epochtimes.com/"}, "url=https://www.epochtimes.com/: neither an article nor a list"),
            ({"url": "/gb/nsc413.htm"}, "url=/gb/nsc413.htm: neither"),
        ],
    )
    def test_one_line_with_the_valid_choices(self, arguments: Mapping[str, str], message: str) -> None:
        assert refusal(arguments).startswith(message)

    @pytest.mark.parametrize(
        ("spider", "tag"),
        [
            pytest.param(NtdtvSpider, "prog204", id="a section"),
            pytest.param(NtdtvSpider, "search.html", id="a page of another kind"),
            pytest.param(EpochtimesSpider, "search.html", id="another tag"),
            pytest.param(EpochtimesSpider, "粮仓.2", id="a later page"),
        ],
    )
    def test_a_tag_whose_address_is_not_its_own(self, spider: type[OutletSpider], tag: str) -> None:
        with pytest.raises(ArgumentError, match=rf"^tag='{re.escape(tag)}': cannot be a tag; "):
            spider.read_plan({"tag": tag})

    def test_hosts_are_named(self) -> None:
        with pytest.raises(ArgumentError, match=r"its hosts are cn\.epochtimes\.com, dajiyuan\.com, epochtimes\.com"):
            plan(url="https://www.example.org/")
