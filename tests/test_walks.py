"""How far lists are walked: where a walk ends, goes on and is taken up again."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from mirror_crawler.pages import ListPage
from mirror_crawler.store import StoreError
from tests.mirror import Mirror, Outcome, article_requests, news
from tests.site import SampleSite
from tests.site.world import TRAPS, World, list_address

HOME = "https://www.epochtimes.com/gb/"
PAGES = [list_address("epochtimes", "section", "nsc413", page) for page in range(1, 10)]

validators = pytest.mark.parametrize("validators", [True, False], ids=["with-304", "without-304"])


def walked(outcome: Outcome) -> int:
    """The list pages that were asked for, be they sent or as they were."""
    return int(outcome.stats.get("lists/pages", 0) + outcome.stats.get("lists/not_modified", 0))


def is_open(mirror: Mirror, window: str = "") -> bool:
    """Whether the last walk of the section, for these days, was cut off."""
    with mirror.store() as store:
        walk = store.walk_begin("epochtimes", "section", "nsc413", "大陆新闻", window)
        if walk is None:
            store.walk_end("epochtimes", "section", "nsc413", window)
    return walk is not None


class TestEnd:
    @pytest.mark.untraced
    def test_pages_says_how_far_to_go(self, mirror: Mirror) -> None:
        outcome = mirror.crawl("epochtimes", section="nsc413", pages="2")
        assert (outcome.stats["lists/pages"], outcome.stats["articles/new"]) == (2, 10)

    @pytest.mark.untraced
    @validators
    def test_is_where_a_page_brings_nothing_new(self, mirror: Mirror, site: SampleSite, validators: bool) -> None:
        site.validators = validators
        assert mirror.crawl("epochtimes", section="nsc413", pages="1").stats["articles/new"] == 5
        again = mirror.crawl("epochtimes", section="nsc413")
        assert (again.verdict, walked(again)) == ("ok", 1)
        assert again.stats.get("lists/not_modified", 0) == validators
        site.serve(World(news("epochtimes", 13), per_page=5))
        more = mirror.crawl("epochtimes", section="nsc413")
        assert (more.stats["lists/pages"], more.stats["articles/new"]) == (3, 8)

    @pytest.mark.untraced
    @validators
    def test_pages_all_goes_through_the_known(self, mirror: Mirror, site: SampleSite, validators: bool) -> None:
        site.validators = validators
        mirror.crawl("epochtimes", section="nsc413", pages="1")
        outcome = mirror.crawl("epochtimes", section="nsc413", pages="all")
        assert (walked(outcome), outcome.stats["articles/new"]) == (3, 7)
        again = mirror.crawl("epochtimes", section="nsc413", pages="all")
        assert (walked(again), again.stats.get("lists/not_modified", 0)) == (3, 3 * validators)
        assert article_requests(site.requests) == list(dict.fromkeys(article_requests(site.requests)))

    @validators
    @pytest.mark.parametrize("repeated", [1, 2], ids=["some-of-it", "all-of-the-page-before"])
    def test_is_where_a_pager_begins_to_repeat(
        self, mirror: Mirror, site: SampleSite, caplog: pytest.LogCaptureFixture, repeated: int, validators: bool
    ) -> None:
        site.validators = validators
        stories = news("epochtimes", 2)
        for number, (here, following) in enumerate(itertools.pairwise(PAGES)):
            named = stories if number == 0 else stories[-repeated:]
            links = "".join(f'<h3><a href="{story.url}">{story.title}</a></h3>' for story in named)
            pager = f'<a class="next page-numbers" href="{following}">下一页</a>'
            site.set(here, f"<!DOCTYPE html><main><h1>大陆新闻</h1>{links}{pager}</main>")
        outcome = mirror.crawl("epochtimes", section="nsc413", pages="all")
        assert (outcome.verdict, outcome.stats["lists/pages"], outcome.stats["articles/new"]) == ("ok", 2, 2)
        assert f"List page {PAGES[1]} only repeats the page before it; the list ends there" in caplog.text
        assert walked(mirror.crawl("epochtimes", section="nsc413")) == 1
        assert walked(mirror.crawl("epochtimes", section="nsc413", pages="all")) == 2

    @validators
    def test_is_where_a_pager_leads_back(self, mirror: Mirror, site: SampleSite, validators: bool) -> None:
        site.validators = validators
        back = f'<a class="next page-numbers" href="{PAGES[0]}">下一页</a>'
        site.set(PAGES[2], site.page(PAGES[2]).replace("</main>", f"{back}</main>"))
        for _ in range(2):
            site.requests.clear()
            outcome = mirror.crawl("epochtimes", section="nsc413", pages="all")
            assert (outcome.verdict, site.asked("nsc413")) == ("ok", PAGES[:3])

    @pytest.mark.untraced
    def test_is_where_the_operator_says_unless_all_pages_are_asked_for(self, mirror: Mirror) -> None:
        bounded = mirror.crawl("epochtimes", {"MIRROR_MAX_LIST_PAGES": "2"}, section="nsc413")
        assert (bounded.verdict, walked(bounded)) == ("ok", 2)
        whole = mirror.crawl("epochtimes", {"MIRROR_MAX_LIST_PAGES": "2"}, section="nsc413", pages="all")
        assert walked(whole) == 3

    def test_is_a_later_page_without_articles(
        self, mirror: Mirror, site: SampleSite, caplog: pytest.LogCaptureFixture
    ) -> None:
        site.set(PAGES[1], "<!DOCTYPE html><main><h1>大陆新闻</h1></main>")
        outcome = mirror.crawl("epochtimes", section="nsc413")
        assert (outcome.verdict, outcome.faults) == ("ok", [])
        assert f"List page {PAGES[1]} names no article; the list ends there" in caplog.text
        assert walked(mirror.crawl("epochtimes", section="nsc413")) == 1

    @pytest.mark.untraced
    def test_of_a_list_that_is_asked_for_twice_is_one(self, mirror: Mirror, site: SampleSite) -> None:
        again = f"{PAGES[0].replace('https:', 'http:')}?from=menu"
        outcome = mirror.crawl("epochtimes", section="nsc413", url=again)
        assert (outcome.verdict, outcome.stats["lists/pages"]) == ("ok", 3)
        assert site.asked("nsc413") == PAGES[:3]


@pytest.mark.untraced
def test_a_list_in_the_other_script_brings_its_articles(mirror: Mirror, site: SampleSite) -> None:
    stories = news("epochtimes", 12)
    for address in (PAGES[0], *(story.url for story in stories)):
        site.set(address.replace("/gb/", "/b5/"), site.page(address).replace("/gb/", "/b5/"))
    outcome = mirror.crawl("epochtimes", url=PAGES[0].replace("/gb/", "/b5/"), pages="1")
    assert (outcome.verdict, outcome.stats["articles/new"]) == ("ok", 5)
    assert {record["language"] for record in mirror.articles().values()} == {"zh-Hant"}
    assert not any("/gb/" in address for address in site.asked())
    with mirror.store() as store:
        assert store.list_size("epochtimes", "section", "nsc413") == 5


class TestWindow:
    """The generated articles of the world were all published within a few days."""

    NEWEST = max(story.moment for story in news("epochtimes", 12)).date().isoformat()

    @pytest.mark.untraced
    @pytest.mark.parametrize("pages", [None, "all", "1"])
    def test_in_the_past_is_looked_for(self, mirror: Mirror, site: SampleSite, pages: str | None) -> None:
        """Later articles are stepped over, and what comes first is no reason to stop."""
        bounds = {"since": "2020-01-01", "until": "2020-01-31"} | ({"pages": pages} if pages else {})
        outcome = mirror.crawl("epochtimes", section="nsc413", **bounds)
        assert (outcome.verdict, walked(outcome)) == ("ok", 1 if pages == "1" else 3)
        assert article_requests(site.requests) == []
        assert mirror.articles() == {}

    def test_ends_the_walk_at_a_page_before_it(self, mirror: Mirror, site: SampleSite) -> None:
        site.serve(World(news("epochtimes", 300), per_page=50))
        stories = news("epochtimes", 300)
        newest = max(story.moment for story in stories).date()
        expected = {story.article_id for story in stories if story.moment.date() == newest}
        outcome = mirror.crawl("epochtimes", section="nsc413", since=newest.isoformat())
        assert {identity for _, identity in mirror.articles()} == expected
        assert outcome.verdict == "ok"
        assert 1 < walked(outcome) < 6
        assert not is_open(mirror, f"{newest}..")

    @pytest.mark.untraced
    def test_reads_every_page(self, mirror: Mirror, site: SampleSite) -> None:
        """A 304 would not say which articles of the page are of these days."""
        mirror.crawl("epochtimes", section="nsc413")
        site.requests.clear()
        outcome = mirror.crawl("epochtimes", section="nsc413", since="2020-01-01")
        assert (outcome.stats["lists/pages"], outcome.stats.get("http/not_modified", 0)) == (3, 0)
        assert not any("if-none-match" in request.headers for request in site.requests)

    @pytest.mark.untraced
    def test_leaves_what_lies_outside_to_other_runs(self, mirror: Mirror) -> None:
        mirror.crawl("epochtimes", section="nsc413", until="2020-01-01")
        later = mirror.crawl("epochtimes", section="nsc413")
        assert (later.stats["listings/new"], later.stats["articles/new"]) == (12, 12)


class TestCutOff:
    @pytest.mark.untraced
    def test_a_page_that_fails_keeps_the_walk_open(self, mirror: Mirror, site: SampleSite) -> None:
        site.set(PAGES[1], status=500)
        failed = mirror.crawl("epochtimes", section="nsc413")
        assert failed.faults == [f"1 of 2 lists could not be had (HTTP 500: 1): {PAGES[1]}"]
        assert (failed.verdict, failed.stats["articles/new"]) == ("degraded", 5)
        bounded = mirror.crawl("epochtimes", section="nsc413", pages="1")
        assert (bounded.verdict, is_open(mirror)) == ("ok", True)
        site.reset(PAGES[1])
        healed = mirror.crawl("epochtimes", section="nsc413")
        assert (healed.verdict, healed.stats["articles/new"], is_open(mirror)) == ("ok", 7, False)
        assert walked(mirror.crawl("epochtimes", section="nsc413")) == 1

    @pytest.mark.untraced
    @validators
    def test_the_next_walk_goes_to_where_it_was(self, mirror: Mirror, site: SampleSite, validators: bool) -> None:
        site.validators = validators
        stories = news("epochtimes", 30)
        site.serve(World(stories, per_page=5))
        site.set(PAGES[4], status=500)
        assert mirror.crawl("epochtimes", section="nsc413").stats["articles/new"] == 20
        site.reset(PAGES[4])
        site.requests.clear()
        healed = mirror.crawl("epochtimes", section="nsc413")
        assert (healed.verdict, healed.stats["articles/new"], healed.stats["lists/resumed"]) == ("ok", 10, 1)
        resumed = site.asked("nsc413")
        assert resumed[0] == PAGES[0]
        assert resumed[-2:] == PAGES[4:6]
        assert len(resumed) < 6
        site.requests.clear()
        mirror.crawl("epochtimes", section="nsc413")
        assert site.asked("nsc413") == PAGES[:1]

    def test_a_number_of_pages_is_not_exceeded_by_it(self, mirror: Mirror, site: SampleSite) -> None:
        site.serve(World(news("epochtimes", 30), per_page=5))
        site.set(PAGES[4], status=500)
        mirror.crawl("epochtimes", section="nsc413")
        site.reset(PAGES[4])
        site.requests.clear()
        assert mirror.crawl("epochtimes", section="nsc413", pages="2").verdict == "ok"
        assert site.asked("nsc413") == PAGES[:2]
        assert mirror.crawl("epochtimes", section="nsc413").stats["articles/new"] == 10

    @pytest.mark.untraced
    def test_where_a_list_is_shorter_now_the_walk_ends(self, mirror: Mirror, site: SampleSite) -> None:
        site.serve(World(news("epochtimes", 30), per_page=5))
        site.set(PAGES[4], status=500)
        mirror.crawl("epochtimes", section="nsc413")
        site.serve(World(news("epochtimes", 12), per_page=5))
        site.set(PAGES[4], "<!DOCTYPE html><main><h1>大陆新闻</h1></main>")
        assert mirror.crawl("epochtimes", section="nsc413").verdict == "ok"
        site.requests.clear()
        mirror.crawl("epochtimes", section="nsc413")
        assert len(site.asked("nsc413")) == 1


class TestFailures:
    @pytest.mark.untraced
    @pytest.mark.parametrize("status", [200, 404, 500])
    def test_of_a_first_page_is_reported_and_costs_only_itself(
        self, mirror: Mirror, site: SampleSite, status: int
    ) -> None:
        site.set(TRAPS["no-entries"], "<!DOCTYPE html><h1>维护中</h1>", status=status)
        outcome = mirror.crawl("epochtimes", url=f"{TRAPS['no-entries']} {HOME}nsc413.htm")
        assert outcome.verdict == "degraded"
        (fault,) = outcome.faults
        what = "no article link in 1" if status == 200 else "1"
        assert fault.startswith(f"{what} of 2 lists ")
        assert (f"HTTP {status}" in fault) == (status != 200)
        assert fault.endswith(f": {TRAPS['no-entries']}")
        assert outcome.stats["articles/new"] == 12

    def test_of_ours_is_counted_and_shown(
        self, mirror: Mirror, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def broken(page: ListPage) -> None:
            raise KeyError("a mistake")

        monkeypatch.setattr(ListPage, "entries", broken)
        outcome = mirror.crawl("epochtimes", section="nsc413")
        (fault,) = outcome.faults
        assert fault.startswith("1 of 1 lists could not be had (KeyError in ")
        assert outcome.verdict == "failed"
        assert "a mistake" in caplog.text

    def test_of_ours_in_the_walk_itself_is_too(self, mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(*_: Any, **__: Any) -> bool:
            raise KeyError("a mistake")

        with monkeypatch.context() as patch:
            patch.setattr("mirror_crawler.walks.Walks._goes_on", broken)
            outcome = mirror.crawl("epochtimes", section="nsc413")
        (fault,) = outcome.faults
        assert fault.startswith("1 of 2 lists could not be had (KeyError in ")
        assert is_open(mirror)

    def test_of_the_store_ends_the_run(self, mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(*_: Any) -> None:
            raise StoreError("MIRROR_DB: x is full")

        with monkeypatch.context() as patch:
            patch.setattr("mirror_crawler.store.ArticleStore.listed", full)
            outcome = mirror.crawl("epochtimes", section="nsc413")
        assert outcome.faults == ["MIRROR_DB: x is full"]
        assert mirror.crawl("epochtimes", section="nsc413").stats["articles/new"] == 12
