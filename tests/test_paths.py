"""The tree: articles by day, lists by directory, no name from outside as it is, no directory past 1,000 entries."""

from __future__ import annotations

import dataclasses
import posixpath
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirror_crawler import paths
from mirror_crawler.items import Section
from tests.test_items import ARTICLE


def path(pattern: str = paths.PATTERN, **changes: str | None) -> str:
    given_: dict[str, str | None] = {
        "outlet": "epochtimes",
        "article_id": "n13465147",
        "url": "https://www.epochtimes.com/gb/21/12/8/n13465147.htm",
        "published_at": "2022-01-02T00:10:00+08:00",
        "section": "nsc413",
    }
    return paths.article_path(pattern, **(given_ | changes))  # type: ignore[arg-type]


class TestArticlePath:
    def test_default_is_the_day_of_the_address(self) -> None:
        assert path() == "epochtimes/2021/12/08/n13465147.md"

    def test_long_year(self) -> None:
        url = "https://www.ntdtv.com/gb/2026/01/07/a104138636.html"
        assert path(outlet="ntdtv", article_id="a104138636", url=url) == "ntdtv/2026/01/07/a104138636.md"

    def test_publication_day_where_the_address_has_none(self) -> None:
        assert path(url="https://news.example.org/post/7") == "epochtimes/2022/01/02/n13465147.md"

    def test_no_day_at_all(self) -> None:
        assert path(url="https://news.example.org/post/7", published_at=None) == "epochtimes/0000/00/00/n13465147.md"

    @pytest.mark.parametrize(
        ("section", "directory"), [("nsc413", "nsc413"), ("", "other"), ("news/china", "news-china-2d1eaa21a6e1")]
    )
    def test_section(self, section: str, directory: str) -> None:
        made = path("{outlet}/{section}/{article_id}.md", section=section)
        assert re.sub(r"-[0-9a-f]{12}/", "-2d1eaa21a6e1/", made) == f"epochtimes/{directory}/n13465147.md"

    def test_of_an_article(self) -> None:
        assert paths.path_of("{outlet}/{section}/{article_id}.md", ARTICLE) == "epochtimes/nsc413/n14860001.md"

    def test_of_an_article_without_section(self) -> None:
        article = dataclasses.replace(ARTICLE, section=None)
        assert paths.path_of("{outlet}/{section}/{article_id}.md", article) == "epochtimes/other/n14860001.md"


@pytest.mark.parametrize(
    "pattern", [paths.PATTERN, "{outlet}/{article_id}/page.md", "{outlet}/{article_id}.history.md"]
)
def test_a_history_lies_beside_its_article_and_is_no_article(pattern: str) -> None:
    history = paths.history_path(path(pattern))
    assert history == f"{path(pattern)[:-3]}.history.md"
    assert posixpath.dirname(history) == posixpath.dirname(path(pattern))
    assert history not in {path(pattern), path(pattern, article_id="history")}


class TestCheckPattern:
    @pytest.mark.parametrize(
        "pattern",
        [
            paths.PATTERN,
            "{outlet}/{section}/{year}{month}/{article_id}.md",
            "pages/{outlet}-{article_id}.md",
            "{outlet}/{article_id}/page.md",
        ],
    )
    def test_good(self, pattern: str) -> None:
        paths.check_pattern(pattern)
        assert path(pattern).endswith(".md")

    @pytest.mark.parametrize(
        ("pattern", "reason"),
        [
            ("", "must contain"),
            ("{outlet}/{year}.md", "must contain {outlet} and {article_id}"),
            ("{article_id}.md", "must contain"),
            ("{outlet}/{title}/{article_id}.md", "unknown field {title}"),
            ("{outlet}/{}/{article_id}.md", "unknown field {}"),
            ("{outlet.name}/{outlet}/{article_id}.md", "unknown field"),
            ("{outlet}/{article_id[0]}/{article_id}.md", "unknown field"),
            ("{outlet}/{article_id:d}.md", "a field is a name in braces"),
            ("{outlet}/{article_id:>900}.md", "a field is a name in braces"),
            ("{outlet!x}/{article_id}.md", "a field is a name in braces"),
            ("{outlet/{article_id}.md", "'{outlet/{article_id}.md'"),
            ("{outlet}/{article_id}}.md", "Single '}'"),
            ("/{outlet}/{article_id}.md", "relative path"),
            ("{outlet}/../{article_id}.md", "relative path"),
            ("{outlet}/./{article_id}.md", "relative path"),
            ("{outlet}//{article_id}.md", "relative path"),
            ("{outlet}/ /{article_id}.md", "relative path"),
            ("{outlet}/{article_id}.html", "ends in .md"),
            ("{outlet}\\{article_id}.md", "character"),
            ("{outlet}/{article_id}\n.md", "character"),
        ],
    )
    def test_bad(self, pattern: str, reason: str) -> None:
        with pytest.raises(ValueError, match=re.escape(reason)):
            paths.check_pattern(pattern)


class TestLists:
    @pytest.mark.parametrize(
        ("kind", "list_id", "directory"),
        [
            ("all", "", "epochtimes"),
            ("tags", "", "epochtimes/tags"),
            ("section", "nsc413", "epochtimes/sections/nsc413"),
            ("tag", "图书馆", "epochtimes/tags/26/图书馆"),
        ],
    )
    def test_directory(self, kind: str, list_id: str, directory: str) -> None:
        assert paths.list_directory("epochtimes", kind, list_id) == directory

    def test_front_page_is_what_a_host_shows(self) -> None:
        assert paths.front_path("epochtimes/sections/nsc413") == f"epochtimes/sections/nsc413/{paths.HOME}"

    @pytest.mark.parametrize(
        ("number", "place"), [(1, "x/pages/0/1.md"), (400, "x/pages/0/400.md"), (401, "x/pages/1/401.md")]
    )
    def test_numbered_page(self, number: int, place: str) -> None:
        assert paths.numbered_path("x", number) == place

    def test_no_directory_of_numbered_pages_grows_past_a_thousand(self) -> None:
        made = [paths.numbered_path("x", number) for number in range(1, 5001)]
        assert len(set(made)) == 5000
        directories = [posixpath.dirname(place) for place in made]
        assert max(map(directories.count, set(directories))) < 1000

    @pytest.mark.untraced
    def test_no_directory_of_tags_grows_past_a_thousand(self) -> None:
        made = {paths.list_directory("x", "tag", f"标签{number}") for number in range(20_000)}
        directories = [posixpath.dirname(place) for place in made]
        shards = {shard: directories.count(shard) for shard in set(directories)}
        assert len(made) == 20_000
        assert len(shards) <= 256
        assert max(shards.values()) < 1000


class TestDirectoryName:
    @pytest.mark.parametrize("name", ["nsc413", "ncVideo_Radio", "相互宝", "mq-9b", "610", "图书馆" * 6])
    def test_plain(self, name: str) -> None:
        assert paths.directory_name(name) == name

    @pytest.mark.parametrize(
        ("name", "kept"),
        [
            ("../x", "x"),
            ("..", ""),
            ("-x-", "x"),
            ("a/b", "a-b"),
            ("甲 乙", "甲-乙"),
            ("c#", "c"),
            ("😀", ""),
            ("CON", "CON"),
            ("aux", "aux"),
            ("com1", "com1"),
            ("README", "README"),
            ("pages", "pages"),
            ("图" * 60, "图" * 15),
            ("deadbeef0123", "deadbeef0123"),
        ],
    )
    def test_told_apart_by_a_hash(self, name: str, kept: str) -> None:
        made = paths.directory_name(name)
        assert re.fullmatch(f"{kept}-[0-9a-f]{{12}}" if kept else "[0-9a-f]{12}", made)

    @pytest.mark.parametrize("name", ["甲 乙", "😀", "c#"])
    def test_no_plain_name_is_that_of_another(self, name: str) -> None:
        taken = paths.directory_name(name)
        assert paths.directory_name(taken) != taken

    @pytest.mark.untraced
    @given(st.text(min_size=1, max_size=200))
    def test_is_one_harmless_name(self, name: str) -> None:
        made = paths.directory_name(name)
        assert re.fullmatch(r"[\w-]+", made)
        assert not made.startswith("-")
        assert len(made.encode()) <= 60

    @pytest.mark.untraced
    @given(st.sets(st.text(alphabet="aA-_/. 图", min_size=1, max_size=6), min_size=2, max_size=20))
    def test_keeps_apart(self, names: set[str]) -> None:
        assert len({paths.directory_name(name) for name in names}) == len(names)


@pytest.mark.parametrize(
    ("source", "target", "link"),
    [
        ("README.md", "epochtimes/README.md", "epochtimes/README.md"),
        ("e/2026/10/07/n1.md", "e/2026/10/08/n2.md", "../08/n2.md"),
        ("e/2026/10/07/n1.md", "README.md", "../../../../README.md"),
        ("e/2026/10/07/n1.md", "e/2026/10/07/n2.md", "n2.md"),
    ],
)
def test_relative(source: str, target: str, link: str) -> None:
    assert paths.relative(source, target) == link


@pytest.mark.parametrize("pattern", [paths.PATTERN, "{section}/a.{outlet}/{article_id}.md", "{outlet}-{article_id}.md"])
def test_whose_a_file_is(pattern: str) -> None:
    own = path(pattern)
    pages = [own, paths.history_path(own), paths.front_path(paths.list_directory("epochtimes", "tag", "5g"))]
    for file in (*pages, *map(paths.code_path, pages)):
        assert paths.is_of(pattern, "epochtimes", file)
        assert not paths.is_of(pattern, "ntdtv", file)
    for file in (paths.HOME, paths.code_path(paths.HOME), paths.asset_path("0" * 32)):
        assert not paths.is_of(pattern, "epochtimes", file)
    assert paths.is_asset(paths.asset_path("0" * 32))


class TestOrderKey:
    @pytest.mark.parametrize(
        ("published_at", "key"),
        [
            ("2026-10-08T00:29:39+08:00", "2026-10-07T16:29:39+00:00"),
            ("2026-10-08T00:29:39.500+08:00", "2026-10-07T16:29:39+00:00"),
            ("2026-10-07T16:29:39+00:00", "2026-10-07T16:29:39+00:00"),
            (None, "2026-10-07T00:00:00+00:00"),
        ],
    )
    def test_key(self, published_at: str | None, key: str) -> None:
        assert paths.order_key(dataclasses.replace(ARTICLE, published_at=published_at)) == key

    def test_keys_compare_as_their_instants(self) -> None:
        earlier = dataclasses.replace(ARTICLE, published_at="2026-10-08T07:00:00+08:00")
        later = dataclasses.replace(
            ARTICLE, published_at="2026-10-07T23:30:00+00:00", section=Section(id="x", name="x")
        )
        assert paths.order_key(earlier) < paths.order_key(later)
