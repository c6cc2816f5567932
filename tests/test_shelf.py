"""Which pictures are wanted, which are kept, and which pages hear of it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from mirror_crawler.clock import in_utc
from mirror_crawler.items import Article, Picture
from mirror_crawler.shelf import Target, picture_target
from mirror_crawler.statements import MAX_TRIES
from mirror_crawler.store import ArticleStore, Stale
from tests.test_items import ARTICLE

OUTLET, RUN, AT = "epochtimes", "20261122T000000Z", "2026-11-22T01:37:17+00:00"
A, B, C = (f"https://i.epochtimes.com/assets/uploads/{name}.jpg" for name in "abc")


def asset(name: str) -> str:
    return name * 32


def picture(url: str, name: str = "a", **changes: object) -> Picture:
    made = Picture(outlet=OUTLET, url=url, asset=asset(name), width=800, height=533, stored_at=AT)
    return dataclasses.replace(made, **changes)  # type: ignore[arg-type]


def article(number: int, title: str = "题") -> Article:
    url = f"https://www.epochtimes.com/gb/26/10/1/n{number}.htm"
    return dataclasses.replace(
        ARTICLE, article_id=f"n{number}", url=url, title=title, content_hash=f"{title}{number}", revision=1
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ArticleStore]:
    with ArticleStore(f"sqlite:///{tmp_path / 'mirror.db'}") as opened:
        yield opened


def put(store: ArticleStore, number: int, *urls: str, title: str = "题") -> None:
    store.put_article(article(number, title), RUN, {picture_target(url) for url in urls})


def due(store: ArticleStore) -> set[str]:
    """The articles whose pages are to be written again; afterwards none is."""
    store.place()
    found = store.stale(99)
    store.settle(found)
    return {page.id for page in found if page.kind == "article"}


class TestWanted:
    def test_from_the_moment_an_article_shows_them(self, store: ArticleStore) -> None:
        assert store.pictures.wanted(OUTLET, 9) == []
        put(store, 1, B, A)
        put(store, 2, A)
        assert store.pictures.wanted(OUTLET, 9) == [A, B]
        assert store.pictures.wanted(OUTLET, 1) == [A]
        assert store.pictures.wanted("ntdtv", 9) == []

    def test_fewest_tries_first_until_given_up(self, store: ArticleStore) -> None:
        put(store, 1, A, B, C)
        store.pictures.failed(A, "HTTP 500", AT, lasting=False)
        assert store.pictures.wanted(OUTLET, 9) == [B, C, A]
        store.pictures.failed(B, "HTTP 404", AT, lasting=True)
        assert store.pictures.wanted(OUTLET, 9) == [C, A]
        for days in range(1, MAX_TRIES):
            assert store.pictures.settled([A, B, C]) == {B}
            at = datetime.fromisoformat(AT) + timedelta(days=days)
            for moment in (at, at + timedelta(hours=23)):  # what lasts for a day is one try
                store.pictures.failed(A, "HTTP 500", in_utc(moment), lasting=False)
        assert store.pictures.wanted(OUTLET, 9) == [C]
        assert store.pictures.settled([A, B, C, "https://i.epochtimes.com/other.jpg"]) == {A, B}

    def test_one_by_one(self, store: ArticleStore) -> None:
        put(store, 1, A, B, C)
        store.pictures.failed(B, "HTTP 404", AT, lasting=True)
        store.pictures.keep(picture(C))
        assert [url for url in (A, B, C, f"{A}?other") if store.pictures.wants(url)] == [A]

    def test_not_once_no_page_shows_them(self, store: ArticleStore) -> None:
        put(store, 1, A, B)
        put(store, 1, B, title="新题")
        assert store.pictures.wanted(OUTLET, 9) == [B]

    def test_of_an_outlet_that_may_not_ask_for_them(self, store: ArticleStore) -> None:
        """A store of an older format gave each picture to the outlet that showed it first."""
        with store.database.write() as db:
            db.execute("INSERT INTO pictures (url, outlet, tries) VALUES (?, 'ntdtv', 9)", [A])
        put(store, 1, A)
        assert store.pictures.wanted(OUTLET, 9) == [A]
        store.pictures.keep(picture(A))
        put(store, 2, A)
        assert store.pictures.wanted(OUTLET, 9) == []

    def test_unchanged_article_changes_nothing(self, store: ArticleStore) -> None:
        put(store, 1, A)
        store.pictures.failed(A, "HTTP 404", AT, lasting=True)
        put(store, 1, A, C)
        assert store.pictures.wanted(OUTLET, 9) == []


class TestKept:
    def test_pages_that_show_it_are_due(self, store: ArticleStore) -> None:
        put(store, 1, A)
        put(store, 2, A, B)
        put(store, 3, B)
        assert due(store) == {"n1", "n2", "n3"}
        assert store.pictures.keep(picture(A))
        assert due(store) == {"n1", "n2"}
        assert store.pictures.wanted(OUTLET, 9) == [B]
        assert store.pictures.settled([A, B]) == {A}

    def test_is_shown_by_the_articles_that_have_it(self, store: ArticleStore) -> None:
        put(store, 1, A, B)
        put(store, 2, C)
        store.pictures.keep(picture(A, "a"))
        store.pictures.keep(picture(C, "c"))
        assert store.pictures.shown([(OUTLET, "n1")]) == {A: asset("a")}
        assert store.pictures.shown([(OUTLET, "n1"), (OUTLET, "n2"), (OUTLET, "n3")]) == {A: asset("a"), C: asset("c")}
        assert store.pictures.shown([]) == {}

    def test_one_that_no_article_has_is_not_kept(self, store: ArticleStore) -> None:
        assert not store.pictures.keep(picture(A))
        put(store, 1, A)
        assert store.pictures.keep(picture(A))
        assert not store.pictures.keep(picture(A, "b"))
        assert store.pictures.shown([(OUTLET, "n1")]) == {A: asset("a")}

    def test_lost_is_wanted_again(self, store: ArticleStore) -> None:
        put(store, 1, A, B)
        store.pictures.failed(A, "HTTP 500", AT, lasting=False)
        store.pictures.keep(picture(A))
        store.pictures.lost(asset("b"))
        assert store.pictures.wanted(OUTLET, 9) == [B]
        store.pictures.lost(asset("a"))
        assert store.pictures.wanted(OUTLET, 9) == [A, B]
        assert store.pictures.shown([(OUTLET, "n1")]) == {}
        assert store.pictures.keep(picture(A))

    def test_lost_is_so_at_all_its_addresses_and_their_pages_are_due(self, store: ArticleStore) -> None:
        put(store, 1, A)
        put(store, 2, B)
        store.pictures.keep(picture(A))
        store.pictures.keep(picture(B))
        store.place()
        store.settle(store.stale(99))
        store.pictures.lost(asset("a"))
        assert store.pictures.wanted(OUTLET, 9) == [A, B]
        assert {page.id for page in store.stale(99) if page.kind == "article"} == {"n1", "n2"}

    def test_links_to_pictures_are_no_targets_of_lists(self, store: ArticleStore) -> None:
        put(store, 1, A)
        store.place()
        assert store.held({Target("", "picture", A), Target(OUTLET, "article", "n1")}).keys() == {
            Target(OUTLET, "article", "n1")
        }


class TestRecords:
    def test_export_and_restore(self, store: ArticleStore, tmp_path: Path) -> None:
        put(store, 1, A, B)
        store.pictures.keep(picture(B, "b"))
        store.pictures.keep(picture(A, "a"))
        lines = list(store.records())
        assert [json.loads(line)["url"] for line in lines[1:]] == [A, B]
        assert Picture.from_record(json.loads(lines[1])) == picture(A)
        with ArticleStore(f"sqlite:///{tmp_path / 'copy.db'}") as copy:
            known = article(1)
            assert copy.restore(known, {picture_target(A), picture_target(B)})
            due(copy)
            assert copy.restore(picture(A))
            assert copy.restore(picture(B, "b"))
            assert not copy.restore(picture(A, "c"))
            assert due(copy) == {"n1"}
            assert copy.pictures.wanted(OUTLET, 9) == []
            assert list(copy.records()) == lines

    def test_restore_before_the_article(self, store: ArticleStore) -> None:
        assert store.restore(picture(A))
        put(store, 1, A)
        assert store.pictures.wanted(OUTLET, 9) == []
        assert store.pictures.shown([(OUTLET, "n1")]) == {A: asset("a")}
        assert Stale(OUTLET, "article", "n1", 0) not in store.stale(9)

    def test_of_one_outlet_and_of_late(self, store: ArticleStore) -> None:
        ntdtv = "https://i.ntdtv.com/assets/uploads/a.jpg"
        store.restore(picture(A))
        store.restore(picture(ntdtv, outlet="ntdtv", stored_at="2026-11-23T00:00:00+00:00"))
        urls = {
            name: [json.loads(line)["url"] for line in store.records(*arguments)]
            for name, arguments in {
                "all": (),
                "one": (OUTLET,),
                "other": ("ntdtv",),
                "late": (None, "2026-11-22T01:37:18+00:00"),
                "then": (None, AT),
            }.items()
        }
        assert urls == {"all": [A, ntdtv], "one": [A], "other": [ntdtv], "late": [ntdtv], "then": [A, ntdtv]}


@pytest.mark.parametrize("name", ["", "a" * 31, "A" * 32, "../" + "a" * 29, "a" * 31 + "g"])
def test_a_picture_s_name_is_a_hash(name: str) -> None:
    with pytest.raises(ValueError, match="asset: "):
        picture(A, asset=name)
