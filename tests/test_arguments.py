"""The -a arguments: what they mean, and one clear line for those that cannot be meant."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from mirror_crawler.addresses import ListAddress
from mirror_crawler.arguments import ArgumentError, Plan
from mirror_crawler.outlet import OutletSpider
from mirror_crawler.spiders.epochtimes import EpochtimesSpider
from mirror_crawler.spiders.ntdtv import NtdtvSpider

E = "https://www.epochtimes.com"
ARTICLE = f"{E}/gb/26/10/7/n14860001.htm"


def plan(**arguments: str) -> Plan:
    return EpochtimesSpider.read_plan(arguments)


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
        assert plan(_job="1", section="nsc413") == plan(section="nsc413")


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


class TestRefused:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"sections": "nsc413"}, "unknown argument 'sections'; use section, tag, url, pages"),
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
        with pytest.raises(ArgumentError) as caught:
            EpochtimesSpider.read_plan(arguments)
        assert str(caught.value).startswith(message)
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 500

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
