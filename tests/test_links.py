"""What a page links to, as identities."""

from __future__ import annotations

import dataclasses

import pytest

from mirror_crawler.items import Article, Image
from mirror_crawler.links import LinkFinder, body_links
from mirror_crawler.shelf import picture_target
from mirror_crawler.spiders.epochtimes import EpochtimesSpider
from mirror_crawler.spiders.ntdtv import NtdtvSpider
from mirror_crawler.store import Target
from tests.test_items import ARTICLE

OUTLETS = {"epochtimes": EpochtimesSpider.addresses, "ntdtv": NtdtvSpider.addresses}
BODY = (
    '<p><a href="https://www.epochtimes.com/gb/26/10/1/n14860002.htm">一</a>'
    '<a href="http://cn.epochtimes.com/b5/26/10/1/n14860002.htm">又一</a>'
    '<a href="https://www.ntdtv.com/gb/2026/10/07/a104130001.html">二</a>'
    '<a href="https://www.epochtimes.com/gb/tag/%E7%B2%AE%E4%BB%93.html">三</a>'
    '<a href="https://www.ntdtv.com/gb/prog204">四</a>'
    '<a href="https://www.example.org/?a=1&amp;b=2">五</a></p>'
    '<p><a href="https://www.youtube.com/watch?v=abcdefghijk"></a></p>'
)


@pytest.mark.parametrize(
    ("href", "target"),
    [
        ("https://www.epochtimes.com/gb/26/10/1/n14860002.htm", Target("epochtimes", "article", "n14860002")),
        ("https://www.ntdtv.com/gb/2026/10/07/a104130001.html", Target("ntdtv", "article", "a104130001")),
        ("https://www.ntdtv.com/gb/水车.htm", Target("ntdtv", "tag", "水车")),
        ("https://www.epochtimes.com/gb/nsc413_2.htm", Target("epochtimes", "section", "nsc413")),
        ("https://www.example.org/gb/nsc413.htm", None),
        ("", None),
    ],
)
def test_find_target(href: str, target: Target | None) -> None:
    assert LinkFinder(OUTLETS).find(href) == target


def test_body_links_are_addresses_each_once() -> None:
    assert body_links(BODY + BODY)[4:] == [
        "https://www.ntdtv.com/gb/prog204",
        "https://www.example.org/?a=1&b=2",
        "https://www.youtube.com/watch?v=abcdefghijk",
    ]


def test_text_that_looks_like_a_link_is_none() -> None:
    assert body_links("<p>&lt;a href=&quot;https://www.example.org/&quot;&gt;</p>") == []


def test_targets_of_an_article() -> None:
    article = dataclasses.replace(ARTICLE, body_html=BODY, tags=["图书馆", "粮仓"])
    assert LinkFinder(OUTLETS).targets_of(article) == {
        Target("epochtimes", "article", "n14860002"),
        Target("ntdtv", "article", "a104130001"),
        Target("epochtimes", "tag", "粮仓"),
        Target("epochtimes", "tag", "图书馆"),
        Target("ntdtv", "section", "prog204"),
        Target("epochtimes", "section", "nsc413"),
    }


def test_an_article_is_no_target_of_its_own() -> None:
    article = dataclasses.replace(ARTICLE, section=None, tags=[], body_html=f'<p><a href="{ARTICLE.url}">这</a></p>')
    assert LinkFinder(OUTLETS).targets_of(article) == set()


def pictures_in(*urls: str, lead: str = "") -> Article:
    images = [Image(url=url) for url in urls]
    return dataclasses.replace(ARTICLE, lead_image=Image(url=lead) if lead else None, images=images)


PICTURES = [f"https://i.epochtimes.com/assets/uploads/{name}.jpg" for name in "abcd"]


def test_pictures_are_those_at_the_outlet_s_hosts_the_lead_first() -> None:
    a, b, c, _ = PICTURES
    article = pictures_in(b, "https://i.ntdtv.com/assets/uploads/x.jpg", a, b, "https://images.example/y.jpg", lead=c)
    assert LinkFinder(OUTLETS).pictures_of(article) == [c, b, a]
    assert LinkFinder(OUTLETS).pictures_of(pictures_in()) == []


def test_pictures_of_an_outlet_that_is_known_no_more_are_all() -> None:
    article = pictures_in("https://elsewhere.example/a.jpg")
    assert LinkFinder(OUTLETS).pictures_of(article) == []
    assert LinkFinder({}).pictures_of(article) == ["https://elsewhere.example/a.jpg"]


def test_a_page_is_tied_to_as_many_pictures_as_it_shows() -> None:
    a, b, c, d = PICTURES
    links = LinkFinder(OUTLETS, most_pictures=2)
    article = pictures_in(a, b, c, lead=d)
    assert links.ties_of(article) == links.targets_of(article) | {picture_target(d), picture_target(a)}
    assert LinkFinder(OUTLETS, 0).ties_of(article) == links.targets_of(article)
