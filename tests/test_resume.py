"""A walk that is taken up where it was cut off skips pages: what has moved onto them meanwhile must not be lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.life import list_requests
from tests.mirror import Mirror, news
from tests.site import SampleSite
from tests.site.stories import Story
from tests.site.world import World, list_address
from tests.test_walks import is_open

STORIES = news("epochtimes", 12)
PAGES = [list_address("epochtimes", "section", "nsc413", page) for page in range(1, 8)]


def without(first: int, count: int) -> list[Story]:
    """The articles without some, counted from the newest."""
    newest_first = STORIES[::-1]
    return [*newest_first[:first], *newest_first[first + count :]][::-1]


def lacking(mirror: Mirror, stories: list[Story]) -> set[str]:
    """The articles that are not stored."""
    return {story.article_id for story in stories} - {article_id for _, article_id in mirror.articles()}


@pytest.fixture
def cut_off(mirror: Mirror, site: SampleSite) -> Mirror:
    """A mirror that has read three of six pages, of two articles each."""
    site.serve(World(STORIES, per_page=2))
    site.set(PAGES[3], status=500)
    mirror.crawl("epochtimes", {"RETRY_TIMES": 0}, section="nsc413")
    assert len(mirror.articles()) == 6
    site.reset(PAGES[3])
    site.requests.clear()
    return mirror


class TestEntriesThatWereTakenOut:
    """They draw all that follow towards the front."""

    @pytest.mark.untraced
    def test_less_than_a_page(self, cut_off: Mirror, site: SampleSite) -> None:
        """The walk goes on with the last page that was read, so nothing is missed."""
        site.serve(World(left := without(2, 1), per_page=2))
        outcome = cut_off.crawl("epochtimes", section="nsc413")
        assert (outcome.verdict, lacking(cut_off, left), is_open(cut_off)) == ("ok", set(), False)
        assert list_requests(site) == [PAGES[0], *PAGES[2:6]]

    @pytest.mark.untraced
    @pytest.mark.parametrize("arguments", [{}, {"until": "2026-12-31"}], ids=["all", "days"])
    def test_a_page_or_more(self, cut_off: Mirror, site: SampleSite, arguments: dict[str, str], tmp_path: Path) -> None:
        if "until" in arguments:
            cut_off = Mirror(tmp_path / "days", site, cut_off.reactor)
            site.set(PAGES[3], status=500)
            cut_off.crawl("epochtimes", {"RETRY_TIMES": 0}, section="nsc413", **arguments)
            site.reset(PAGES[3])
            site.requests.clear()
        site.serve(World(left := without(2, 3), per_page=2))
        outcome = cut_off.crawl("epochtimes", section="nsc413", **arguments)
        assert (outcome.verdict, lacking(cut_off, left)) == ("ok", set())
        assert list_requests(site) == [PAGES[0], PAGES[2], *PAGES[1:5]]
        site.requests.clear()
        if not arguments:
            assert cut_off.crawl("epochtimes", section="nsc413").verdict == "ok"
            assert list_requests(site) == PAGES[:1]

    @pytest.mark.untraced
    def test_while_others_came(self, cut_off: Mirror, site: SampleSite) -> None:
        left = [*without(2, 3), *news("epochtimes", 2, start=12)]
        site.serve(World(left, per_page=2))
        assert cut_off.crawl("epochtimes", section="nsc413").verdict == "ok"
        assert lacking(cut_off, left) == set()

    def test_and_the_walk_back_is_cut_off_too(self, cut_off: Mirror, site: SampleSite) -> None:
        site.serve(World(left := without(2, 3), per_page=2))
        site.set(PAGES[1], status=500)
        assert cut_off.crawl("epochtimes", {"RETRY_TIMES": 0}, section="nsc413").verdict == "degraded"
        site.reset(PAGES[1])
        assert cut_off.crawl("epochtimes", section="nsc413").verdict == "ok"
        assert lacking(cut_off, left) == set()

    @pytest.mark.parametrize(
        ("count", "status"), [(8, 200), (8, 404), (10, 404)], ids=["empty", "gone", "all-but-the-first"]
    )
    def test_so_many_that_the_page_is_not_there_any_more(
        self, cut_off: Mirror, site: SampleSite, count: int, status: int
    ) -> None:
        site.serve(World(left := without(2, count), per_page=2))
        site.set(PAGES[2], "<!DOCTYPE html><main><h1>大陆新闻</h1></main>", status=status)
        outcome = cut_off.crawl("epochtimes", section="nsc413")
        assert (outcome.verdict, lacking(cut_off, left), is_open(cut_off)) == ("ok", set(), False)
        assert list_requests(site) == [PAGES[0], PAGES[2], *PAGES[1 : len(left) // 2]]


def test_a_walk_that_has_not_come_to_its_days_goes_on_without_a_look_back(mirror: Mirror, site: SampleSite) -> None:
    """Nothing of what it passed is stored, and nothing of it is missed."""
    site.serve(World(STORIES, per_page=2))
    site.set(PAGES[3], status=500)
    mirror.crawl("epochtimes", {"RETRY_TIMES": 0}, section="nsc413", until="2026-04-20")
    site.reset(PAGES[3])
    site.requests.clear()
    mirror.crawl("epochtimes", section="nsc413", until="2026-04-20")
    assert list_requests(site) == [PAGES[0], *PAGES[2:6]]
