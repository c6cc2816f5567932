"""Which articles are asked for, and what becomes of the answers: those not stored, and second looks at stored ones."""

from __future__ import annotations

import contextlib
import itertools
import sqlite3
from datetime import UTC, datetime, timedelta

import pytest

from mirror_crawler.looks import look_spans
from mirror_crawler.pages import ArticlePage
from mirror_crawler.store import StoreError
from tests.mirror import Mirror, article_requests, news
from tests.site import Answer, SampleSite
from tests.site.answers import error_page, gone, sent_home, sent_to_list
from tests.site.changes import edited
from tests.site.feeds import SITEMAP, feed_url
from tests.site.world import TRAPS, World, list_address

FIRST, SECOND = news("epochtimes", 2)
SECTION = list_address("epochtimes", "section", "nsc413", 1)
NO_LOOKS = {"MIRROR_REVISIT_HOURS": "0"}


class TestLookSpans:
    NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("hours", "gaps"),
        [
            (1, [1]),
            (2, [1, 2]),
            (3, [1, 2]),
            (4, [1, 2, 4]),
            (72, [1, 2, 4, 8, 16, 32, 64]),
            (64, [1, 2, 4, 8, 16, 32, 64]),
            (63, [1, 2, 4, 8, 16, 32]),
        ],
    )
    def test_are_further_and_further_back(self, hours: int, gaps: list[int]) -> None:
        since = self.NOON - timedelta(minutes=20)
        spans = look_spans(since, self.NOON, hours)
        assert spans == [(since - timedelta(hours=gap), self.NOON - timedelta(hours=gap)) for gap in gaps]

    @pytest.mark.parametrize("minutes", [10, 60, 100])
    def test_reach_each_article_once_an_offset(self, minutes: int) -> None:
        """However often the runs come, no moment lies between two of them or in both."""
        ends = [self.NOON + timedelta(minutes=minutes) * number for number in range(100)]
        for offset in range(7):
            spans = [look_spans(since, until, 72)[offset] for since, until in itertools.pairwise(ends)]
            assert all(before[1] == after[0] for before, after in itertools.pairwise(spans))


@pytest.mark.untraced
class TestNotStored:
    def test_what_is_stored_is_not_asked_for_by_url_either(self, mirror: Mirror, site: SampleSite) -> None:
        mirror.crawl("epochtimes", url=FIRST.url)
        site.requests.clear()
        outcome = mirror.crawl("epochtimes", url=FIRST.url)
        assert (outcome.verdict, outcome.stats["articles/known"]) == ("ok", 1)
        assert site.asked() == []

    def test_an_article_that_failed_arrives_with_the_next_run(self, mirror: Mirror, site: SampleSite) -> None:
        site.set(FIRST.url, status=500)
        outcome = mirror.crawl("epochtimes", section="nsc413")
        assert (outcome.verdict, outcome.failures) == ("ok", [f"article {FIRST.url}: HTTP 500"])
        site.reset(FIRST.url)
        site.requests.clear()
        later = mirror.crawl("epochtimes", section="nsc413")
        assert (later.stats["articles/wanted"], later.stats["articles/new"]) == (1, 1)
        assert article_requests(site.requests) == [FIRST.url]
        assert ("epochtimes", FIRST.article_id) in mirror.articles()

    @pytest.mark.parametrize("status", [404, 410])
    def test_an_article_that_is_gone_is_not_asked_for_for_ever(
        self, mirror: Mirror, site: SampleSite, status: int
    ) -> None:
        site.set(FIRST.url, status=status)
        for _ in range(7):
            outcome = mirror.crawl("epochtimes", section="nsc413")
            assert outcome.failures in ([f"article {FIRST.url}: HTTP {status}"], [])
        assert site.asked(FIRST.url) == [FIRST.url] * 5

    def test_wanted_articles_wait_while_single_articles_are_asked_for(self, mirror: Mirror, site: SampleSite) -> None:
        site.set(FIRST.url, status=404)
        mirror.crawl("epochtimes", section="nsc413")
        site.requests.clear()
        mirror.crawl("epochtimes", url=TRAPS["no-body"])
        assert site.asked(FIRST.url) == []


@pytest.mark.untraced
class TestSecondTry:
    def test_of_a_page_that_is_no_article(self, mirror: Mirror, site: SampleSite) -> None:
        site.set_sequence(
            FIRST.url, Answer(parts=("<!DOCTYPE html><title>维护中</title>".encode(),)), Answer(parts=FIRST.page)
        )
        outcome = mirror.crawl("epochtimes", url=FIRST.url)
        assert (outcome.verdict, outcome.stats["articles/second_look"], outcome.stats["articles/new"]) == ("ok", 1, 1)
        assert mirror.crawl("epochtimes", section="nsc413").stats["articles/new"] == 11

    def test_one_is_enough(self, mirror: Mirror, site: SampleSite) -> None:
        outcome = mirror.crawl("epochtimes", url=TRAPS["no-body"])
        assert site.asked(TRAPS["no-body"]) == [TRAPS["no-body"]] * 2
        assert (outcome.verdict, outcome.stats["articles/failed"]) == ("failed", 1)
        assert outcome.failures[0].startswith(f"article {TRAPS['no-body']}: no body (")

    def test_what_is_gone_needs_none(self, mirror: Mirror, site: SampleSite) -> None:
        outcome = mirror.crawl("epochtimes", url=TRAPS["soft-404"])
        assert site.asked(TRAPS["soft-404"]) == [TRAPS["soft-404"]]
        assert (outcome.verdict, outcome.stats["articles/failed"]) == ("failed", 1)
        assert outcome.failures == [f"article {TRAPS['soft-404']}: soft 404: a page without an article"]

    def test_of_a_look_is_a_look(self, mirror: Mirror, site: SampleSite, world: World) -> None:
        mirror.crawl("epochtimes", section="nsc413")
        changed = edited(FIRST, added="补充一段。")
        site.serve(world.changed(changed))
        site.set_sequence(FIRST.url, Answer(parts=(b"<!DOCTYPE html><h1>x</h1>",)), Answer(parts=changed.page))
        outcome = mirror.crawl("epochtimes", refresh=FIRST.article_id)
        assert (outcome.verdict, outcome.stats["articles/second_look"]) == ("ok", 1)
        assert (outcome.stats["articles/revised"], outcome.stats["pages/written"] > 0) == (1, True)


class TestGone:
    """A stored article that the outlet has not any more: two runs must have found so."""

    @pytest.mark.parametrize(
        "answer",
        [
            pytest.param(gone(404), id="404"),
            pytest.param(gone(410), id="410"),
            pytest.param(sent_home("epochtimes"), id="sent-home"),
            pytest.param(sent_to_list("epochtimes", "nsc413"), id="sent-to-a-list"),
            pytest.param(error_page("epochtimes"), id="error-page"),
        ],
    )
    def test_is_withdrawn_by_the_second_run(self, mirror: Mirror, site: SampleSite, answer: Answer) -> None:
        mirror.crawl("epochtimes", NO_LOOKS, section="nsc413")
        site.set_sequence(FIRST.url, answer)
        first = mirror.crawl("epochtimes", NO_LOOKS, refresh=f"{FIRST.article_id},{SECOND.article_id}")
        assert (first.verdict, first.stats["articles/gone"], first.stats["articles/unchanged"]) == ("ok", 1, 1)
        assert mirror.articles()["epochtimes", FIRST.article_id]["withdrawn_at"] is None
        second = mirror.crawl("epochtimes", NO_LOOKS, section="nsc413")
        assert (second.verdict, second.stats["articles/withdrawn"]) == ("ok", 1)
        assert mirror.articles()["epochtimes", FIRST.article_id]["withdrawn_at"] is not None

    def test_but_not_when_the_page_is_only_broken(self, mirror: Mirror, site: SampleSite) -> None:
        mirror.crawl("epochtimes", NO_LOOKS, section="nsc413")
        site.set(FIRST.url, site.page(FIRST.url).replace('id="artbody"', ""))
        for _ in range(2):
            outcome = mirror.crawl("epochtimes", NO_LOOKS, refresh=FIRST.article_id)
            assert ("articles/gone" in outcome.stats, outcome.stats["articles/failed"]) == (False, 1)
        assert mirror.articles()["epochtimes", FIRST.article_id]["withdrawn_at"] is None

    def test_is_looked_at_again_when_a_list_names_it(self, mirror: Mirror, site: SampleSite, world: World) -> None:
        mirror.crawl("epochtimes", NO_LOOKS, section="nsc413")
        site.set(FIRST.url, status=404)
        for _ in range(2):
            mirror.crawl("epochtimes", NO_LOOKS, refresh=FIRST.article_id)
        site.reset(FIRST.url)
        assert mirror.crawl("epochtimes", NO_LOOKS, tag=FIRST.tags[0]).stats["articles/returned"] == 1
        assert mirror.articles()["epochtimes", FIRST.article_id]["withdrawn_at"] is None

    def test_a_store_that_cannot_note_it_ends_the_run(
        self, mirror: Mirror, site: SampleSite, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        mirror.crawl("epochtimes", NO_LOOKS, section="nsc413")
        site.set(FIRST.url, status=404)

        def full(*_: object) -> None:
            raise StoreError("MIRROR_DB: x is full")

        monkeypatch.setattr("mirror_crawler.store.ArticleStore.note_gone", full)
        outcome = mirror.crawl("epochtimes", NO_LOOKS, refresh=FIRST.article_id)
        assert outcome.faults == ["MIRROR_DB: x is full"]


class TestRefresh:
    @pytest.mark.untraced
    def test_asks_for_the_page_itself(self, mirror: Mirror, site: SampleSite) -> None:
        mirror.crawl("epochtimes", section="nsc413")
        site.requests.clear()
        outcome = mirror.crawl("epochtimes", refresh=f"{FIRST.article_id},{FIRST.url}")
        (request,) = [request for request in site.requests if request.url == FIRST.url]
        assert (request.status, "if-none-match" in request.headers) == (200, False)
        assert (outcome.verdict, outcome.stats["articles/unchanged"]) == ("ok", 1)
        assert site.asked("nsc413") == []

    def test_of_what_is_not_stored(self, mirror: Mirror, site: SampleSite, caplog: pytest.LogCaptureFixture) -> None:
        outcome = mirror.crawl("epochtimes", refresh=FIRST.article_id)
        assert (outcome.verdict, outcome.stats["articles/unknown"], site.requests) == ("ok", 1, [])
        assert f"refresh={FIRST.article_id}: no such article is stored" in caplog.text

    def test_of_all_comes_in_batches(self, mirror: Mirror, site: SampleSite, monkeypatch: pytest.MonkeyPatch) -> None:
        mirror.crawl("epochtimes", section="nsc413")
        site.requests.clear()
        monkeypatch.setattr("mirror_crawler.looks._BATCH", 5)
        outcome = mirror.crawl("epochtimes", refresh="all", url=FIRST.url)
        assert (outcome.verdict, outcome.stats["articles/unchanged"]) == ("ok", 12)
        asked = article_requests(site.requests)
        assert sorted(asked) == sorted(story.url for story in news("epochtimes", 12))

    @pytest.mark.parametrize("refresh", [FIRST.article_id, "all"])
    def test_of_what_is_no_address_any_more(self, mirror: Mirror, site: SampleSite, refresh: str) -> None:
        """An address form that the outlet's module does not know any more costs nothing but the look."""
        mirror.crawl("epochtimes", url=FIRST.url)
        with mirror.store() as store:
            (stored,) = store.articles([("epochtimes", FIRST.article_id)])
        site.requests.clear()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                "mirror_crawler.store.ArticleStore.urls", lambda *_: {stored.article_id: "https://old.example/1"}
            )
            batches = [[(stored.article_id, "https://old.example/1")], []]
            patch.setattr("mirror_crawler.store.ArticleStore.article_ids", lambda *_: batches.pop(0))
            outcome = mirror.crawl("epochtimes", refresh=refresh)
        assert (outcome.verdict, site.requests) == ("ok", [])


class TestAge:
    """The hours after its publication at which an article is looked at; what a week brings: test_life_updates.py."""

    @pytest.mark.untraced
    @pytest.mark.parametrize(("hours", "looks"), [("0", 0), ("72", 1)])
    def test_as_the_operator_says(self, mirror: Mirror, site: SampleSite, hours: str, looks: int) -> None:
        now = datetime.now(UTC)
        mirror.crawl("epochtimes", section="nsc413")
        with mirror.store() as store:
            (stored,) = store.articles([("epochtimes", FIRST.article_id)])
            (run,) = store.last_runs("epochtimes", 1)
            later = now - timedelta(hours=3)
            store.end_run(
                "epochtimes",
                run.run,
                finished_at=later.isoformat(),
                verdict="ok",
                report={},
                looked_until=(now - timedelta(hours=2)).isoformat(timespec="seconds"),
            )
            made_young(mirror, stored.article_id, now - timedelta(hours=2, minutes=30))
        site.requests.clear()
        outcome = mirror.crawl("epochtimes", {"MIRROR_REVISIT_HOURS": hours}, section="nsc413")
        assert outcome.verdict == "ok"
        assert article_requests(site.requests) == [FIRST.url] * looks
        assert outcome.stats.get("articles/not_modified", 0) == looks


def made_young(mirror: Mirror, article_id: str, moment: datetime) -> None:
    """Let an article be published at a moment."""
    with contextlib.closing(sqlite3.connect(mirror.data / "mirror.db")) as db, db:
        key = moment.strftime("%Y-%m-%dT%H:%M:%S")
        db.execute("UPDATE articles SET order_key = ? WHERE article_id = ?", (key, article_id))


class TestSources:
    @pytest.mark.untraced
    def test_a_feed_brings_articles_without_listings(self, mirror: Mirror, site: SampleSite) -> None:
        outcome = mirror.crawl("epochtimes", source="feed", section="nsc413")
        assert (outcome.verdict, outcome.stats["articles/new"], outcome.stats["sources/feed"]) == ("ok", 12, 1)
        assert "listings/new" not in outcome.stats
        assert site.asked("nsc413") == [feed_url("nsc413")]

    @pytest.mark.untraced
    def test_a_sitemap_too(self, mirror: Mirror, site: SampleSite) -> None:
        outcome = mirror.crawl("ntdtv", source="sitemap")
        assert (outcome.verdict, outcome.stats["articles/new"], outcome.stats["sources/sitemap"]) == ("ok", 12, 1)
        assert site.asked("prog") == []

    @pytest.mark.untraced
    def test_beside_lists_each_article_once(self, mirror: Mirror, site: SampleSite) -> None:
        outcome = mirror.crawl("ntdtv", source="lists,sitemap", section="prog204")
        assert (outcome.verdict, outcome.stats["articles/new"], outcome.stats["listings/new"]) == ("ok", 12, 12)
        assert len(article_requests(site.requests)) == 12

    @pytest.mark.parametrize(
        ("answer", "cause"),
        [
            pytest.param(Answer(status=404), "HTTP 404", id="absent"),
            pytest.param(Answer(parts=(b"<!DOCTYPE html><h1>404</h1>",)), "", id="no-sitemap"),
            pytest.param(
                Answer(status=302, headers={"Location": "https://evil.example/"}), "Not a host of", id="elsewhere"
            ),
        ],
    )
    def test_that_is_not_there_is_no_fault(
        self, mirror: Mirror, site: SampleSite, caplog: pytest.LogCaptureFixture, answer: Answer, cause: str
    ) -> None:
        site.set_sequence(SITEMAP, answer)
        outcome = mirror.crawl("ntdtv", source="lists,sitemap", section="prog204")
        assert (outcome.verdict, outcome.stats["articles/new"], outcome.stats["sources/absent"]) == ("ok", 12, 1)
        (told,) = [record.message for record in caplog.records if record.name == "mirror_crawler.run"]
        assert told.startswith("Sitemap https://")
        assert cause in told
        assert "Traceback" not in caplog.text

    def test_that_has_not_changed_is_not_read(self, mirror: Mirror, site: SampleSite) -> None:
        mirror.crawl("ntdtv", source="sitemap")
        site.set(SITEMAP, status=304)
        outcome = mirror.crawl("ntdtv", source="sitemap")
        assert (outcome.verdict, outcome.stats["http/not_modified"]) == ("ok", 1)
        assert "sources/sitemap" not in outcome.stats

    def test_a_fault_of_ours_is_shown(
        self, mirror: Mirror, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def broken(_: bytes) -> None:
            raise KeyError("a mistake")

        monkeypatch.setattr("mirror_crawler.outlet.sitemap_entries", broken)
        outcome = mirror.crawl("ntdtv", source="sitemap")
        assert (outcome.verdict, outcome.faults) == ("failed", [f"KeyError in {SITEMAP}"])
        assert "a mistake" in caplog.text
        assert "Traceback" in caplog.text

    def test_are_bounded_by_the_window(self, mirror: Mirror, site: SampleSite) -> None:
        outcome = mirror.crawl("ntdtv", source="sitemap", until="2020-01-01")
        assert (outcome.verdict, article_requests(site.requests)) == ("ok", [])


@pytest.mark.untraced
class TestWindow:
    def test_the_page_knows_better_than_its_address(self, mirror: Mirror, site: SampleSite) -> None:
        """Published on the last day before the window, though its address may lie in it."""
        day = FIRST.moment.date()
        outcome = mirror.crawl("epochtimes", section="nsc413", since=(day + timedelta(days=1)).isoformat())
        assert FIRST.url in article_requests(site.requests)
        assert outcome.stats["articles/other_days"] >= 1
        assert ("epochtimes", FIRST.article_id) not in mirror.articles()
        with mirror.store() as store:
            assert store.wanted("epochtimes", 99) == []

    def test_single_articles_are_taken_whenever_they_were_published(self, mirror: Mirror) -> None:
        mirror.crawl("epochtimes", url=FIRST.url)
        outcome = mirror.crawl("epochtimes", refresh=FIRST.article_id, section="nsc413", until="2020-01-01")
        assert (outcome.verdict, outcome.stats["articles/unchanged"]) == ("ok", 1)


def test_a_fault_of_ours_is_counted_and_shown(
    mirror: Mirror, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(page: ArticlePage, outlet: str, fetched_at: str) -> None:
        raise KeyError("a mistake")

    monkeypatch.setattr(ArticlePage, "article", broken)
    outcome = mirror.crawl("epochtimes", url=FIRST.url)
    assert outcome.failures == [f"article {FIRST.url}: KeyError in {FIRST.url}"]
    assert outcome.verdict == "failed"
    assert "a mistake" in caplog.text
