"""What outlets do to articles after their publication, and what becomes of it in the mirror."""

from __future__ import annotations

import contextlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
import time_machine

from mirror_crawler import paths
from tests.life import LONG_AFTER, State, list_requests, page_of, revisions, rewritten, section_pages
from tests.mirror import SECTION, Mirror, article_requests, dead_links, links_of, news, unreachable
from tests.site import SampleSite, answers, changes
from tests.site.stories import Story
from tests.site.world import World, list_address

pytestmark = pytest.mark.untraced

STORIES = news("epochtimes", 12)
LIST = list_address("epochtimes", "section", "nsc413", 1)


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(LONG_AFTER) as moved:
        yield moved


_OLD, _UPDATING, _FRESH, _LATE = (news("epochtimes", 1, start=start)[0] for start in (0, 299, 300, 340))
_UPDATING = changes.edited(_UPDATING, title="台风消息（持续更新）")
_FIRST_RUN = _FRESH.moment + timedelta(minutes=10)
_RUNS = [timedelta(hours=hour) for hour in (*range(18), *range(20, 84, 4), *range(96, 169, 24))]
"""A week of runs: hourly at first."""


class TestYoungArticles:
    def test_a_week(self, mirror: Mirror, site: SampleSite, clock: time_machine.Traveller) -> None:
        """They are looked at soon at first and rarely later, from whenever they come; old ones are not; those that
        say that they are updated are in every run. It leaves no trace, for nothing has changed.
        """
        world = World([_OLD, _UPDATING, _FRESH])
        site.serve(world)
        asked: dict[str, list[timedelta]] = defaultdict(list)
        states: list[State] = []
        for age in _RUNS:
            clock.move_to(_FIRST_RUN + age)
            if _LATE.moment < _FIRST_RUN + age:
                site.serve(world.changed(_LATE))
            site.requests.clear()
            assert mirror.crawl("epochtimes", section="nsc413").verdict == "ok"
            for url in article_requests(site.requests):
                asked[url].append(age)
            if _LATE.url in asked:
                states = [states[0] if states else State.of(mirror), State.of(mirror)]
        gaps = [timedelta(hours=2**power) for power in range(7)]
        assert asked[_FRESH.url] == [timedelta(), *gaps]
        came = _LATE.moment - _FIRST_RUN
        first, *looks = asked[_LATE.url]
        assert came < first < came + gaps[0]
        assert looks == sorted({next(age for age in _RUNS if age >= came + gap) for gap in gaps})
        young = [age for age in _RUNS if _FIRST_RUN + age - _UPDATING.moment < timedelta(hours=72)]
        assert (asked[_UPDATING.url], len(young)) == (young, 31)
        assert asked[_OLD.url] == [timedelta()]
        assert states[0] == states[1]

    @pytest.mark.parametrize(
        ("hours", "looks"),
        [pytest.param(0, 0, id="never"), pytest.param(3, 2, id="short"), pytest.param(72, 3, id="default")],
    )
    def test_for_as_long_as_the_operator_says(
        self, mirror: Mirror, site: SampleSite, clock: time_machine.Traveller, hours: int, looks: int
    ) -> None:
        site.serve(World([_FRESH]))
        for hour in range(6):
            clock.move_to(_FIRST_RUN + timedelta(hours=hour))
            mirror.crawl("epochtimes", {"MIRROR_REVISIT_HOURS": str(hours)}, section="nsc413")
        assert len(article_requests(site.requests)) == 1 + looks

    def test_once_after_a_pause(self, mirror: Mirror, site: SampleSite, clock: time_machine.Traveller) -> None:
        """Several looks that were missed are made up for by one; the next is due as if none had been missed."""
        site.serve(World([_FRESH]))
        for hour, asked in ((0, 1), (20, 1), (31, 0), (32, 1)):
            clock.move_to(_FIRST_RUN + timedelta(hours=hour))
            site.requests.clear()
            mirror.crawl("epochtimes", section="nsc413")
            assert len(article_requests(site.requests)) == asked

    def test_again_when_the_run_that_should_have_was_not_good(
        self, mirror: Mirror, site: SampleSite, clock: time_machine.Traveller
    ) -> None:
        site.serve(World([_FRESH]))
        clock.move_to(_FIRST_RUN)
        mirror.crawl("epochtimes", section="nsc413")
        clock.shift(3600)
        site.storm(answers.forbidden())
        assert mirror.crawl("epochtimes", section="nsc413").verdict == "failed"
        site.calm()
        clock.shift(600)
        site.requests.clear()
        mirror.crawl("epochtimes", section="nsc413")
        assert article_requests(site.requests) == [_FRESH.url]


@pytest.mark.usefixtures("clock")
class TestLists:
    def test_another_title_in_a_list(self, mirror: Mirror, site: SampleSite) -> None:
        """The article is looked at once, though its page says what it said."""
        mirror.crawl("epochtimes", section="nsc413")
        site.set(LIST, site.page(LIST).replace(STORIES[9].title, "改过的标题"))
        before = State.of(mirror)
        site.requests.clear()
        outcome = mirror.crawl("epochtimes", section="nsc413")
        assert article_requests(site.requests) == [STORIES[9].url]
        assert outcome.stats["articles/not_modified"] == 1
        after = State.of(mirror)
        assert (after.written, after.feeds) == (before.written, before.feeds)
        site.requests.clear()
        mirror.crawl("epochtimes", section="nsc413")
        assert article_requests(site.requests) == []

    def test_another_title_and_another_page(self, mirror: Mirror, site: SampleSite, world: World) -> None:
        story = changes.edited(STORIES[8], title="石桥重开 居民夜游")
        mirror.crawl("epochtimes", section="nsc413")
        before, written = mirror.files(), mirror.written()
        site.serve(world.changed(story))
        site.requests.clear()
        outcome = mirror.crawl("epochtimes", section="nsc413")
        assert (outcome.stats["articles/revised"], article_requests(site.requests)) == (1, [story.url])
        page = page_of(story)
        assert rewritten(mirror, written) == {page, paths.history_path(page), *section_pages("epochtimes", "nsc413")}
        files = mirror.files()
        for path in (page, *section_pages("epochtimes", "nsc413")):
            assert story.title in files[path].decode()
            assert STORIES[8].title in before[path].decode()
            assert STORIES[8].title not in files[path].decode()

    def test_a_look_that_was_not_answered_is_tried_again(self, mirror: Mirror, site: SampleSite, world: World) -> None:
        story = changes.edited(STORIES[8], title="石桥重开 居民夜游")
        mirror.crawl("epochtimes", section="nsc413")
        site.serve(world.changed(story))
        site.set(story.url, status=500)
        assert mirror.crawl("epochtimes", section="nsc413").stats["articles/failed"] == 1
        site.reset(story.url)
        assert mirror.crawl("epochtimes", section="nsc413").stats["articles/revised"] == 1
        assert mirror.articles()[story.outlet, story.article_id]["title"] == story.title


@pytest.mark.usefixtures("clock")
class TestRefresh:
    def test_of_some_articles_whatever_their_age(self, mirror: Mirror, site: SampleSite) -> None:
        mirror.crawl("epochtimes", section="nsc413")
        before = State.of(mirror)
        site.requests.clear()
        asked = [STORIES[2], STORIES[7]]
        outcome = mirror.crawl("epochtimes", refresh=",".join(story.article_id for story in asked))
        assert sorted(article_requests(site.requests)) == [story.url for story in asked]
        assert list_requests(site) == []
        assert not any("if-none-match" in request.headers for request in site.requests)
        assert (outcome.verdict, outcome.stats["articles/unchanged"]) == ("ok", 2)
        assert State.of(mirror) == before

    def test_of_all(self, mirror: Mirror, site: SampleSite, world: World) -> None:
        mirror.crawl("epochtimes", section="nsc413")
        site.serve(world.changed(changes.edited(STORIES[3], added="又及。"), *news("epochtimes", 2, start=12)))
        site.requests.clear()
        outcome = mirror.crawl("epochtimes", refresh="all")
        assert sorted(article_requests(site.requests)) == sorted(story.url for story in STORIES)
        assert (outcome.stats["articles/revised"], outcome.stats["articles/unchanged"]) == (1, 11)
        assert outcome.stats.get("articles/new", 0) == 0

    def test_of_all_and_the_lists(self, mirror: Mirror, site: SampleSite, world: World) -> None:
        mirror.crawl("epochtimes", section="nsc413")
        site.serve(world.changed(*news("epochtimes", 2, start=12)))
        site.requests.clear()
        outcome = mirror.crawl("epochtimes", refresh="all", section="nsc413")
        assert (outcome.stats["articles/new"], len(article_requests(site.requests))) == (2, 14)

    def test_of_what_is_not_stored(self, mirror: Mirror, site: SampleSite) -> None:
        outcome = mirror.crawl("epochtimes", refresh=STORIES[0].article_id)
        assert (outcome.stats["articles/unknown"], article_requests(site.requests)) == (1, [])
        assert mirror.files() == {}


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("outlet", ["epochtimes"])
class TestSameContent:
    @pytest.mark.parametrize(
        "change", [changes.redecorated, changes.retracked, changes.relazied, changes.edited], ids=lambda f: f.__name__
    )
    def test_is_no_revision_whatever_else_changes(
        self, mirror: Mirror, site: SampleSite, world: World, outlet: str, change: Callable[[Story], Story]
    ) -> None:
        """``edited`` with nothing else only sets the page's clock of its last modification forward."""
        mirror.crawl(outlet, section=SECTION[outlet])
        before = State.of(mirror)
        site.serve(world.changed(*(changed_if_possible(change, story) for story in news(outlet, 12))))
        site.requests.clear()
        outcome = mirror.crawl(outlet, refresh="all")
        assert len(article_requests(site.requests)) == 12
        assert (outcome.verdict, outcome.stats["articles/unchanged"]) == ("ok", 12)
        assert State.of(mirror) == before


def changed_if_possible(change: Callable[[Story], Story], story: Story) -> Story:
    """The story after a change, or as it is if it has nothing to be changed."""
    with contextlib.suppress(ValueError):
        return change(story)
    return story


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("outlet", ["epochtimes"])
class TestRevision:
    def test_is_everywhere(self, mirror: Mirror, site: SampleSite, world: World, outlet: str) -> None:
        story = news(outlet, 12)[3]
        mirror.crawl(outlet, section=SECTION[outlet])
        before, written = mirror.articles()[outlet, story.article_id], mirror.written()
        site.serve(world.changed(changes.edited(story, added="又及：石桥昨夜重开。", dropped=4)))
        assert mirror.crawl(outlet, refresh=story.article_id).stats["articles/revised"] == 1
        page = page_of(story)
        history = paths.history_path(page)
        assert rewritten(mirror, written) == {page, history}
        files = mirror.files()
        assert "又及：石桥昨夜重开。" in files[page].decode()
        assert history in links_of(page, files[page].decode())
        told = files[history].decode()
        gone = next(
            text
            for text in before["text"].split("\n\n")
            if text not in mirror.articles()[outlet, story.article_id]["text"]
        )
        assert "又及：石桥昨夜重开。" in told
        assert gone in told
        first, second = revisions(mirror, story)
        assert (first["revision"], second["revision"]) == (1, 2)
        assert first["body_html"] == before["body_html"]
        assert second["first_seen_at"] == first["first_seen_at"]
        fed = [record for record in mirror.fed(outlet, "articles") if record["article_id"] == story.article_id]
        assert [record["revision"] for record in fed] == [1, 2]
        assert fed[1] == json.loads(json.dumps(mirror.articles()[outlet, story.article_id]))
        assert (unreachable(files), dead_links(files)) == (set(), set())
        assert mirror.ask("verify") == 0

    def test_follows_revision(self, mirror: Mirror, site: SampleSite, world: World, outlet: str) -> None:
        """Back to what it said first is a revision too; its history tells of each."""
        story = news(outlet, 12)[5]
        mirror.crawl(outlet, section=SECTION[outlet])
        for version in (changes.edited(story, added="第二版。"), changes.edited(story, added="第三版。"), story):
            site.serve(world.changed(version))
            assert mirror.crawl(outlet, refresh=story.article_id).stats["articles/revised"] == 1
        stored = revisions(mirror, story)
        assert [version["revision"] for version in stored] == [1, 2, 3, 4]
        assert stored[3]["content_hash"] == stored[0]["content_hash"]
        told = mirror.files()[paths.history_path(page_of(story))].decode()
        assert told.index("第三版。") < told.index("第二版。")
        assert mirror.ask("verify") == 0

    def test_comes_with_a_look_at_a_young_article(
        self, mirror: Mirror, site: SampleSite, world: World, clock: time_machine.Traveller, outlet: str
    ) -> None:
        story = news(outlet, 12)[11]
        clock.move_to(story.moment + timedelta(minutes=5))
        mirror.crawl(outlet, section=SECTION[outlet])
        for hours, added in enumerate(("一改。", "再改。"), 1):
            site.serve(world.changed(changes.edited(story, added=added, hours=hours)))
            clock.shift(3600)
            assert mirror.crawl(outlet, section=SECTION[outlet]).stats["articles/revised"] == 1
            assert added in mirror.files()[page_of(story)].decode()
