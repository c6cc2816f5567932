"""The way of an item: one spelling, no nonsense, once a run, stored, written."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any
from unittest import mock

import pytest
from scrapy.crawler import Crawler
from scrapy.exceptions import DropItem
from scrapy.utils.test import get_crawler

from mirror_crawler import paths
from mirror_crawler.items import Article, Image, Listing, Section, content_hash
from mirror_crawler.pipelines import Deduplicate, Normalise, Store, Validate, WritePages, plain
from mirror_crawler.run import Run
from mirror_crawler.spiders.epochtimes import EpochtimesSpider
from mirror_crawler.store import StoreError, Validator, Wanted
from tests.mirror import Mirror, news

URL = "https://www.epochtimes.com/gb/26/11/22/n14900001.htm"


def article(**changed: Any) -> Article:
    made = Article(
        outlet="epochtimes",
        article_id="n14900001",
        url=URL,
        language="zh-Hans",
        title="溪上新桥通行",
        authors=["林知远"],
        editor="苏晚晴",
        published_at="2026-11-22T08:00:00+08:00",
        modified_at=None,
        published_source="clock",
        section=Section(id="nsc413", name="大陆新闻"),
        tags=["渡轮"],
        lead_image=None,
        images=[],
        embeds=[],
        body_html="<p>桥通了。</p>",
        text="桥通了。",
        content_hash="",
        first_seen_at="2026-11-22T01:00:00+00:00",
        fetched_at="2026-11-22T01:00:00+00:00",
    )
    return dataclasses.replace(made, **changed)


def listing(**changed: Any) -> Listing:
    made = Listing(
        outlet="epochtimes",
        list_kind="section",
        list_id="nsc413",
        list_name="大陆新闻",
        article_id="n14900001",
        url=URL,
        title="溪上新桥通行",
        page=1,
        position=1,
        seen_at="2026-11-22T01:00:00+00:00",
    )
    return dataclasses.replace(made, **changed)


class TestNormalise:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            pytest.param("  一\t二\n三 ", "一 二 三", id="white-space"),
            pytest.param("一\x00二\x1b[31m三\x7f", "一 二 [31m三", id="control-characters"),
            pytest.param("一\u2028二\u2029三", "一 二 三", id="line-separators"),
            pytest.param("\u202e反\u202c \u2066正\u2069", "反 正", id="reading-direction"),
            pytest.param("\ufeff题", "题", id="byte-order-mark"),
            pytest.param("cafe\u0301", "café", id="nfc"),
            pytest.param("**题** <b> [x](y)", "**题** <b> [x](y)", id="markup-is-text"),
        ],
    )
    def test_a_line_of_text(self, text: str, expected: str) -> None:
        assert plain(text) == expected

    def test_every_text_of_an_article(self) -> None:
        dirty = article(
            title=" 溪上\n新桥 ",
            authors=["林知远 ", "林知远", " "],
            editor=" \n",
            section=Section(id="nsc413", name="大陆\n新闻"),
            tags=["渡轮", "渡轮\u200e".strip("\u200e"), "茶叶 "],
            lead_image=Image(url="https://i.epochtimes.com/a.jpg", alt="桥\n", caption=" 新桥。"),
            images=[Image(url="https://i.epochtimes.com/b.jpg", alt="", caption="桥\t下")],
        )
        clean = Normalise().process_item(dirty)
        assert isinstance(clean, Article)
        assert (clean.title, clean.authors, clean.editor) == ("溪上 新桥", ["林知远"], None)
        assert clean.section == Section(id="nsc413", name="大陆 新闻")
        assert clean.tags == ["渡轮", "茶叶"]
        assert clean.lead_image == Image(url="https://i.epochtimes.com/a.jpg", alt="桥", caption="新桥。")
        assert clean.images == [Image(url="https://i.epochtimes.com/b.jpg", alt="", caption="桥 下")]
        assert clean.content_hash == content_hash(clean.title, clean.lead_image, clean.body_html)

    def test_the_hash_is_that_of_what_a_reader_sees(self) -> None:
        def hashed(**changed: Any) -> str:
            clean = Normalise().process_item(article(**changed))
            assert isinstance(clean, Article)
            return clean.content_hash

        assert hashed() == hashed(fetched_at="2027-01-01T00:00:00+00:00", tags=[], section=None, title=" 溪上新桥通行")
        image = Image(url="https://i.epochtimes.com/a.jpg")
        others = [hashed(title="溪上新桥"), hashed(body_html="<p>桥断了。</p>"), hashed(lead_image=image)]
        assert len({hashed(), *others}) == 4

    def test_a_listing(self) -> None:
        clean = Normalise().process_item(listing(list_name=" 大陆\n新闻", title="溪上\x00新桥"))
        assert clean == listing(list_name="大陆 新闻", title="溪上 新桥")


@pytest.fixture
def crawler(mirror: Mirror) -> Any:
    """A crawler with its run begun, as pipelines find it."""
    made = get_crawler(EpochtimesSpider, dict(mirror.settings()))
    made.spider = made._create_spider()
    run = Run.of(made)
    asyncio.run(run.spider_opened())
    yield made
    run.spider_closed("finished")
    asyncio.run(run.engine_stopped())


@pytest.mark.parametrize(("length", "shown"), [(300, "题" * 300), (301, "题" * 299 + "…")])
def test_a_line_without_end_is_cut(length: int, shown: str) -> None:
    assert plain("题" * length) == shown


class TestValidate:
    @pytest.mark.parametrize(
        ("item", "reason"),
        [
            pytest.param(article(outlet="ntdtv"), "outlet 'ntdtv' is not this spider's", id="outlet"),
            pytest.param(listing(outlet="ntdtv"), "outlet 'ntdtv' is not this spider's", id="listing-outlet"),
            pytest.param(article(title=""), "no title or no body", id="no-title"),
            pytest.param(article(body_html=""), "no title or no body", id="no-body"),
            pytest.param(
                article(published_at="2026-11-22T08:00:00"), "published_at '2026-11-22T08:00:00' is", id="naive"
            ),
            pytest.param(article(modified_at="gestern"), "modified_at 'gestern' is no time", id="no-time"),
        ],
    )
    def test_stops(
        self, crawler: Crawler, caplog: pytest.LogCaptureFixture, item: Article | Listing, reason: str
    ) -> None:
        with pytest.raises(DropItem, match=reason):
            Validate.from_crawler(crawler).process_item(item)
        run = Run.of(crawler)
        assert run.counted("items/invalid") == 1
        assert item.url in caplog.text
        kept = isinstance(item, Article) and item.outlet == "epochtimes"
        wanted = [Wanted(item.article_id, item.url, stored=False)] if kept else []
        assert run.store.wanted("epochtimes", 9) == wanted
        assert run.counted("articles/failed") == len(wanted)

    @pytest.mark.untraced
    @pytest.mark.parametrize(
        "item",
        [
            article(),
            article(published_at=None, published_source="none"),
            listing(),
            listing(title=""),
            article(title="题" * 300),
        ],
        ids=["article", "without-time", "listing", "listing-without-title", "long-title"],
    )
    def test_lets_through(self, crawler: Crawler, item: Article | Listing) -> None:
        assert Validate.from_crawler(crawler).process_item(item) is item


class TestDeduplicate:
    def test_each_thing_once_a_run(self) -> None:
        once = Deduplicate()
        tag, other = listing(list_kind="tag", list_id="nsc413"), listing(list_id="nsc418")
        different: list[Article | Listing] = [article(), listing(), tag, other]
        assert [once.process_item(item) for item in different] == different
        again: list[Article | Listing] = [article(title="另一题"), listing(page=3, position=9)]
        for item in again:
            with pytest.raises(DropItem, match="a second"):
                once.process_item(item)


class TestStore:
    def test_stores_and_counts(self, crawler: Crawler) -> None:
        store = Store.from_crawler(crawler)
        item = article(content_hash="1")
        assert store.process_item(item) == item
        with pytest.raises(DropItem, match="is stored as it is"):
            store.process_item(item)
        other = article(content_hash="2", body_html="<p>桥断了。</p>", text="桥断了。")
        revised = store.process_item(dataclasses.replace(other, first_seen_at="2027-01-01T00:00:00+00:00"))
        assert revised == dataclasses.replace(other, revision=2)
        assert store.process_item(listing()) == listing()
        with pytest.raises(DropItem):
            store.process_item(listing(page=2))
        counted = {name: Run.of(crawler).counted(f"articles/{name}") for name in ("new", "unchanged", "revised")}
        assert counted == {"new": 1, "unchanged": 1, "revised": 1}
        assert (Run.of(crawler).counted("listings/new"), Run.of(crawler).counted("listings/known")) == (1, 1)

    def test_withdraws(self, crawler: Crawler) -> None:
        run, store = Run.of(crawler), Store.from_crawler(crawler)
        store.process_item(article(content_hash="1"))
        gone = article(content_hash="1", withdrawn_at="2026-11-23T01:00:00+00:00")
        assert store.process_item(gone) == gone
        assert run.counted("articles/withdrawn") == 1
        assert run.store.withdrawn("epochtimes", ["n14900001"]) == {"n14900001"}
        assert store.process_item(article(content_hash="1")).withdrawn_at is None  # type: ignore[union-attr]
        assert run.counted("articles/returned") == 1

    def test_keeps_the_state_of_the_page_with_the_article(self, crawler: Crawler) -> None:
        run, store = Run.of(crawler), Store.from_crawler(crawler)
        run.states[URL] = Validator('"a"', "")
        assert run.store.validator(URL) is None
        store.process_item(article(content_hash="1"))
        assert run.store.validator(URL) == Validator('"a"', "")
        assert run.states == {}

    def test_a_store_that_fails_ends_the_run(self, mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(*_: Any) -> None:
            raise StoreError("MIRROR_DB: x cannot grow because the disk is full")

        monkeypatch.setattr("mirror_crawler.store.ArticleStore.put_article", full)
        outcome = mirror.crawl("epochtimes", section="nsc413")
        assert outcome.faults == ["MIRROR_DB: x cannot grow because the disk is full"]
        assert mirror.articles() == {}
        monkeypatch.undo()
        assert mirror.crawl("epochtimes", section="nsc413").stats["articles/new"] == 12


class TestWritePages:
    @pytest.mark.parametrize(
        ("error", "said"),
        [
            (OSError(28, "No space left on device"), "/output: No space left on device; free some space"),
            (PermissionError(13, "Permission denied", "/x/y.md"), "/x/y.md: Permission denied; make it this user's ("),
            (StoreError("MIRROR_DB: x is damaged"), "MIRROR_DB: x is damaged"),
        ],
        ids=["full-disk", "rights", "store"],
    )
    def test_pages_that_cannot_be_written_are_a_fault(
        self,
        mirror: Mirror,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
        error: Exception,
        said: str,
    ) -> None:
        def fail(*_: Any) -> None:
            raise error

        monkeypatch.setattr("mirror_crawler.writer.PageWriter.write_stale", fail)
        outcome = mirror.crawl("epochtimes", section="nsc413")
        assert outcome.verdict == "failed"
        assert said in caplog.text
        assert not mirror.files()
        monkeypatch.undo()
        later = mirror.crawl("epochtimes", section="nsc413")
        assert (later.verdict, later.stats["pages/written"]) == ("ok", 12 + 5)

    def test_a_fault_of_ours_is_one_of_the_run(self, mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(*_: Any) -> None:
            raise KeyError("a mistake")

        monkeypatch.setattr("mirror_crawler.writer.PageWriter.write_stale", broken)
        outcome = mirror.crawl("epochtimes", section="nsc413")
        assert (outcome.verdict, outcome.faults) == ("failed", ["pages could not be written"])

    @pytest.mark.untraced
    @pytest.mark.parametrize(("reason", "published"), [("finished", True), ("shutdown", True), ("store", False)])
    def test_follows_the_verdict(self, crawler: Crawler, mirror: Mirror, reason: str, published: bool) -> None:
        """What a bad run stored is published by the next good one."""
        Store.from_crawler(crawler).process_item(article(content_hash="1"))
        run = Run.of(crawler)
        if reason == "finished":
            run.spider_idle()
        elif reason == "store":
            crawler.engine = mock.Mock(close_spider_async=mock.AsyncMock())

        async def close() -> None:
            if reason == "store":
                run.abort(reason)
            await WritePages.from_crawler(crawler).close_spider()

        asyncio.run(close())
        assert bool(mirror.files()) is published
        assert bool(run.counted("pages/written")) is published

    @pytest.mark.untraced
    def test_a_revised_article_is_written_again(self, mirror: Mirror) -> None:
        assert mirror.crawl("epochtimes", section="nsc413").stats["pages/written"] == 17
        story = news("epochtimes", 1)[0]
        with mirror.store() as store:
            (stored,) = store.articles([("epochtimes", story.article_id)])
            revised = dataclasses.replace(stored, body_html="<p>更正。</p>", text="更正。", content_hash="x")
            store.put_article(revised, "20261122T000000Z")
        outcome = mirror.crawl("epochtimes", section="nsc413")
        assert outcome.stats["pages/written"] == 2
        page = paths.article_path(
            paths.PATTERN,
            outlet="epochtimes",
            article_id=story.article_id,
            url=story.url,
            published_at=stored.published_at,
            section="",
        )
        changed = {path for path, content in mirror.files().items() if "更正。" in content.decode()}
        assert changed == {page, paths.history_path(page)}


def test_pipelines_stand_in_this_order(mirror: Mirror) -> None:
    order = sorted(mirror.settings().getdict("ITEM_PIPELINES").items(), key=lambda pair: pair[1])
    expected = [Normalise, Validate, Deduplicate, Store, WritePages]
    assert [name for name, _ in order] == [f"mirror_crawler.pipelines.{pipeline.__name__}" for pipeline in expected]
