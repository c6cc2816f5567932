"""Hourly runs when nothing is new: they cost a request for each list, and a 304 never hides anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import time_machine

from tests.life import LONG_AFTER, State, list_requests, statuses
from tests.mirror import SECTION, Mirror, article_requests, fingerprint, news
from tests.site import SampleSite
from tests.site.load import many
from tests.site.stories import HOSTS, SECTIONS, section_url
from tests.site.world import World, list_address

STORIES = news("epochtimes", 12)
FIRST_PAGE = list_address("epochtimes", "section", "nsc413", 1)


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(LONG_AFTER) as moved:
        yield moved


class TestCost:
    @pytest.mark.untraced
    @pytest.mark.parametrize("outlet", ["epochtimes"])
    def test_a_request_for_each_list_and_nothing_written(self, mirror: Mirror, site: SampleSite, outlet: str) -> None:
        sections = list(SECTIONS[outlet])[:4]
        site.serve(World(many(outlet, 40), per_page=5))
        assert mirror.crawl(outlet, section=",".join(sections)).verdict == "ok"
        before = State.of(mirror)
        site.requests.clear()
        outcome = mirror.crawl(outlet, section=",".join(sections))
        assert outcome.verdict == "ok"
        robots = f"https://{HOSTS[outlet]}/robots.txt"
        assert sorted(site.asked()) == sorted([robots, *(section_url(outlet, section) for section in sections)])
        assert statuses(site, "/gb/") == [304] * 4
        assert outcome.stats["http/not_modified"] == 4
        assert outcome.stats.get("lists/pages", 0) == 0  # none was read
        assert State.of(mirror) == before
        with mirror.store() as store:
            last, first = store.last_runs(outlet, 2)
        assert (last.verdict, last.report["requests"]) == ("ok", 5)
        assert first.report["counts"]["articles/new"] > 0

    @pytest.mark.untraced
    def test_of_walks_to_the_end(self, mirror: Mirror, site: SampleSite) -> None:
        """Where a page goes on is known although it is not sent; and what changed behind such pages is found."""
        older, *stories = news("epochtimes", 13)
        site.serve(World(stories, per_page=5))
        pages = [list_address("epochtimes", "section", "nsc413", page) for page in (1, 2, 3)]
        mirror.crawl("epochtimes", section="nsc413", pages="all")
        before = State.of(mirror)
        site.requests.clear()
        assert mirror.crawl("epochtimes", section="nsc413", pages="all").verdict == "ok"
        assert (list_requests(site), statuses(site, "nsc413")) == (pages, [304] * 3)
        assert State.of(mirror) == before
        site.serve(World([older, *stories], per_page=5))
        site.requests.clear()
        outcome = mirror.crawl("epochtimes", section="nsc413", pages="all")
        assert (list_requests(site), statuses(site, "nsc413")) == (pages, [304, 304, 200])
        assert (outcome.stats["articles/new"], article_requests(site.requests)) == (1, [older.url])

    def test_of_articles_that_are_looked_at(
        self, mirror: Mirror, site: SampleSite, clock: time_machine.Traveller
    ) -> None:
        clock.move_to(STORIES[-1].moment)
        mirror.crawl("epochtimes", section="nsc413")
        before = State.of(mirror)
        clock.shift(3600 * 40)
        site.requests.clear()
        outcome = mirror.crawl("epochtimes", section="nsc413")
        assert len(article_requests(site.requests)) == 12
        assert outcome.stats["http/not_modified"] == 13
        assert outcome.stats["articles/not_modified"] == 12
        assert outcome.stats.get("articles/unchanged", 0) == 0  # none was read
        assert State.of(mirror) == before


def says(etag: str, modified: str) -> Callable[[SampleSite, int], None]:
    """A server that says so of its first list page; both with the number of its state in the place of ``{}``."""

    def state(site: SampleSite, number: int) -> None:
        site.set_validators(FIRST_PAGE, etag=etag.format(number), modified=modified.format(number))

    return state


@pytest.mark.untraced
class TestValidators:
    DAY = "Mon, 0{} Jun 2026 00:00:00 GMT"

    @pytest.mark.parametrize(
        ("state", "status", "sent"),
        [
            pytest.param(says('"list-{}"', DAY), 304, {"if-none-match", "if-modified-since"}, id="both"),
            pytest.param(says('"list-{}"', ""), 304, {"if-none-match"}, id="etag"),
            pytest.param(says('W/"list-{}"', ""), 304, {"if-none-match"}, id="weak-etag"),
            pytest.param(says("", DAY), 304, {"if-modified-since"}, id="last-modified"),
            pytest.param(says("", ""), 200, set(), id="none"),
        ],
    )
    def test_what_the_server_said_is_said_to_it(
        self,
        mirror: Mirror,
        site: SampleSite,
        world: World,
        state: Callable[[SampleSite, int], None],
        status: int,
        sent: set[str],
    ) -> None:
        state(site, 1)
        mirror.crawl("epochtimes", section="nsc413")
        before = State.of(mirror)
        site.requests.clear()
        assert mirror.crawl("epochtimes", section="nsc413").verdict == "ok"
        assert statuses(site) == [200, status]
        assert site.requests[1].headers.keys() & {"if-none-match", "if-modified-since"} == sent
        assert State.of(mirror) == before
        new = news("epochtimes", 1, start=12)
        site.serve(world.changed(*new))
        state(site, 2)
        site.requests.clear()
        assert mirror.crawl("epochtimes", section="nsc413").stats["articles/new"] == 1
        assert article_requests(site.requests) == [new[0].url]

    def test_a_server_that_gives_them_up(self, mirror: Mirror, site: SampleSite) -> None:
        """What it said before is not sent for ever."""
        mirror.crawl("epochtimes", section="nsc413")
        site.validators = False
        for _ in range(2):
            site.requests.clear()
            assert mirror.crawl("epochtimes", section="nsc413").verdict == "ok"
            assert statuses(site) == [200, 200]
        assert "if-none-match" not in site.requests[1].headers


@pytest.mark.untraced
class TestHidesNothing:
    """An article that a list named and that is not stored is asked for, whatever the list says the next time."""

    def test_after_a_kill(self, tmp_path_factory: pytest.TempPathFactory, mirror: Mirror, site: SampleSite) -> None:
        stuck = [STORIES[11], STORIES[8], STORIES[4]]
        for story in stuck:
            site.set(story.url, hang=True)
        mirror.kill_when(lambda: stored(mirror) == 9, "crawl", "epochtimes", "-a", "section=nsc413")
        for story in stuck:
            site.reset(story.url)
        site.requests.clear()
        assert mirror.crawl("epochtimes", section="nsc413").verdict == "ok"
        assert list(zip(list_requests(site), statuses(site, "nsc413"), strict=True)) == [
            (FIRST_PAGE, 304),  # the page after it had come, so its listings were stored
            (list_address("epochtimes", "section", "nsc413", 3), 200),  # it was the last
        ]
        assert sorted(article_requests(site.requests)) == sorted(story.url for story in stuck)
        never = Mirror(tmp_path_factory.mktemp("never"), site, mirror.reactor)
        never.crawl("epochtimes", section="nsc413")
        assert fingerprint(mirror.files()) == fingerprint(never.files())

    def test_after_a_failure(self, mirror: Mirror, site: SampleSite) -> None:
        site.set(STORIES[7].url, status=500)
        assert mirror.crawl("epochtimes", section="nsc413").stats["articles/failed"] == 1
        for _ in range(2):
            site.requests.clear()
            assert mirror.crawl("epochtimes", section="nsc413").stats["articles/failed_again"] == 1
            assert statuses(site, "nsc413") == [304]
        site.reset(STORIES[7].url)
        site.requests.clear()
        outcome = mirror.crawl("epochtimes", section="nsc413")
        assert (outcome.stats["articles/new"], article_requests(site.requests)) == (1, [STORIES[7].url])
        assert statuses(site, "nsc413") == [304]

    def test_in_another_list(self, mirror: Mirror, site: SampleSite) -> None:
        """A list that was left unread because its walk ended before is read when it is asked for to its end."""
        mirror.crawl("epochtimes", section="nsc413", pages="1")
        site.requests.clear()
        assert mirror.crawl("epochtimes", section="nsc413", pages="all").stats["articles/new"] == 7
        assert statuses(site, "nsc413") == [304, 200, 200]

    def test_when_only_one_page_was_asked_for(self, mirror: Mirror, site: SampleSite) -> None:
        """``pages=1`` ends a walk in good order, so a page without news ends the next one."""
        mirror.crawl("epochtimes", section=SECTION["epochtimes"], pages="1")
        site.requests.clear()
        mirror.crawl("epochtimes", section=SECTION["epochtimes"])
        assert list_requests(site) == [FIRST_PAGE]


def stored(mirror: Mirror) -> int:
    """The number of articles in the store."""
    return len(mirror.articles()) if (mirror.data / "mirror.db").exists() else 0
