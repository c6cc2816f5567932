"""How far a crawl reaches: into the past by days, through cut-off walks, and by feeds and sitemaps."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import time_machine

from tests.life import LONG_AFTER, list_requests, statuses
from tests.mirror import SECTION, Mirror, Reactor, article_requests, fingerprint, news
from tests.site import Answer, SampleSite, answers
from tests.site.feeds import SITEMAP, feed_url
from tests.site.stories import BEIJING, Story
from tests.site.world import World, list_address

pytestmark = pytest.mark.untraced


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(LONG_AFTER) as moved:
        yield moved


def day_of(story: Story) -> str:
    """The day in Beijing on which an article came out."""
    assert story.published_at is not None
    return datetime.fromisoformat(story.published_at).astimezone(BEIJING).date().isoformat()


def drafted(story: Story, days: int) -> Story:
    """The article under an address of so many days before: it was begun then."""
    moment = story.moment - timedelta(days=days)
    before, _, name = story.url.rpartition("/")
    root = before.rsplit("/", 3)[0]
    day = f"{moment:%Y/%m/%d}" if story.outlet == "ntdtv" else f"{moment.year % 100}/{moment.month}/{moment.day}"
    url = f"{root}/{day}/{name}"
    page = b"".join(story.page).replace(story.url.encode(), url.encode())
    return dataclasses.replace(story, url=url, page=(page,))


def stored(mirror: Mirror) -> set[str]:
    """The ids of the stored articles."""
    return {article_id for _, article_id in mirror.articles()}


def ids(stories: list[Story]) -> set[str]:
    return {story.article_id for story in stories}


@pytest.mark.parametrize("outlet", ["epochtimes"])
class TestDays:
    """Fifty articles of five days; some were begun two days before they came out."""

    @pytest.fixture
    def stories(self, outlet: str) -> list[Story]:
        return [drafted(story, 2) if place % 9 == 0 else story for place, story in enumerate(news(outlet, 150)[::3])]

    @pytest.fixture
    def pages(self, site: SampleSite, stories: list[Story], outlet: str) -> tuple[str, ...]:
        """The addresses of the list's pages; each has about a third of a day."""
        world = World(stories, per_page=4)
        site.serve(world)
        return world.list_pages[outlet, "section", SECTION[outlet]]

    @pytest.mark.parametrize(
        ("since", "until"),
        [
            pytest.param("2026-05-04", "2026-05-04", id="a-day"),
            pytest.param("2026-05-05", "", id="since"),
            pytest.param("", "2026-05-01", id="until"),
        ],
    )
    def test_are_those_in_beijing(
        self,
        mirror: Mirror,
        site: SampleSite,
        pages: tuple[str, ...],
        stories: list[Story],
        outlet: str,
        since: str,
        until: str,
    ) -> None:
        asked = {name: day for name, day in (("since", since), ("until", until)) if day}
        outcome = mirror.crawl(outlet, section=SECTION[outlet], **asked)
        wanted = [story for story in stories if since <= day_of(story) <= (until or "9999")]
        assert 0 < len(wanted) < 30
        assert (outcome.verdict, stored(mirror)) == ("ok", ids(wanted))
        walked = list_requests(site)
        assert walked == list(pages[: len(walked)])
        assert (len(walked) < len(pages)) is bool(since)  # behind the first day nothing is asked for
        near = [story for story in stories if story.url in article_requests(site.requests)]
        assert all(
            abs(datetime.fromisoformat(day_of(a)) - datetime.fromisoformat(since or until)).days <= 4 for a in near
        )

    def test_are_gone_through_whatever_is_stored(
        self, mirror: Mirror, site: SampleSite, pages: tuple[str, ...], stories: list[Story], outlet: str
    ) -> None:
        """A walk for some days goes past what is known, and hides nothing from a walk for all."""
        mirror.crawl(outlet, section=SECTION[outlet], pages="2")
        mirror.crawl(outlet, section=SECTION[outlet], since="2026-05-02", until="2026-05-02")
        known = ids([story for story in stories if day_of(story) == "2026-05-02"]) | ids(stories[-8:])
        assert stored(mirror) == known
        site.requests.clear()
        mirror.crawl(outlet, section=SECTION[outlet], pages="all")
        assert stored(mirror) == ids(stories)
        assert len(article_requests(site.requests)) == len(stories) - len(known)
        assert list_requests(site) == list(pages)


OUTLET, LISTS = "epochtimes", "nsc413"
WORDS = ("crawl", OUTLET, "-a", f"section={LISTS}", "-a", "pages=all")


def page(number: int) -> str:
    return list_address(OUTLET, "section", LISTS, number)


class TestBackFill:
    """Forty list pages of one article, cut off by SIGKILL."""

    STORIES = news(OUTLET, 40)

    @pytest.fixture
    def world(self) -> World:
        return World(self.STORIES, per_page=1)

    @staticmethod
    def killed_at(mirror: Mirror, site: SampleSite, number: int, *words: str) -> None:
        """Run until a list page is asked for, which does not come; end the run there."""
        site.set(page(number), hang=True)
        site.requests.clear()
        mirror.kill_when(lambda: page(number) in site.asked(), *(words or WORDS))
        site.reset(page(number))
        site.requests.clear()

    @pytest.fixture(scope="class")
    @classmethod
    def left(cls, tmp_path_factory: pytest.TempPathFactory, reactor: Reactor) -> Path:
        """What a killed run leaves, to be copied."""
        with SampleSite(World(cls.STORIES, per_page=1)) as site:
            mirror = Mirror(tmp_path_factory.mktemp("left"), site, reactor)
            cls.killed_at(mirror, site, 26)
        return mirror.root

    @pytest.fixture
    def cut_off(self, mirror: Mirror, left: Path) -> Mirror:
        """A mirror whose first walk ended at page 26 of 40."""
        shutil.copytree(left, mirror.root, dirs_exist_ok=True)
        return mirror

    def whole(self, mirror: Mirror, site: SampleSite, root: Path, world: World) -> None:
        """Everything is stored, once, and the tree is that of a run that nothing disturbed."""
        never = Mirror(root / "never", site, mirror.reactor)
        never.crawl(OUTLET, section=LISTS, pages="all")
        assert stored(mirror) == world.listed(OUTLET) == stored(never)
        fed = [record["article_id"] for record in mirror.fed(OUTLET, "articles")]
        assert sorted(fed) == sorted(world.listed(OUTLET))
        with mirror.store() as here, never.store() as there:
            assert here.list_size(OUTLET, "section", LISTS) == there.list_size(OUTLET, "section", LISTS)
        assert fingerprint(mirror.files()) == fingerprint(never.files())

    @pytest.mark.parametrize("arguments", [{}, {"pages": "all"}], ids=["default", "all"])
    def test_goes_on_where_it_was(
        self, cut_off: Mirror, site: SampleSite, world: World, tmp_path: Path, arguments: dict[str, str]
    ) -> None:
        outcome = cut_off.crawl(OUTLET, section=LISTS, **arguments)
        assert outcome.verdict == "ok"
        assert list_requests(site) == [page(1), *map(page, range(25, 41))]
        assert (statuses(site, "nsc413")[0], outcome.stats["lists/resumed"]) == (304, 1)
        self.whole(cut_off, site, tmp_path, world)
        site.requests.clear()
        cut_off.crawl(OUTLET, section=LISTS)
        assert list_requests(site) == [page(1)]

    def test_finds_what_came_meanwhile(self, cut_off: Mirror, site: SampleSite, world: World, tmp_path: Path) -> None:
        world = world.changed(*news(OUTLET, 5, start=40))
        site.serve(world)
        assert cut_off.crawl(OUTLET, section=LISTS).stats["lists/resumed"] == 1
        assert list_requests(site) == [*map(page, range(1, 7)), *map(page, range(25, 46))]
        self.whole(cut_off, site, tmp_path, world)

    @pytest.mark.parametrize("number", [3, 35], ids=["before-known-ground", "behind-it"])
    def test_is_cut_off_twice(
        self, cut_off: Mirror, site: SampleSite, world: World, tmp_path: Path, number: int
    ) -> None:
        """The third run goes on where the second was, unless that had not come to known ground on top yet: then it
        goes through all.
        """
        world = world.changed(*news(OUTLET, 8, start=40))
        site.serve(world)
        self.killed_at(cut_off, site, number)
        world = world.changed(*news(OUTLET, 3, start=48))
        site.serve(world)
        assert cut_off.crawl(OUTLET, section=LISTS).verdict == "ok"
        pages = range(1, 52) if number == 3 else (1, 2, 3, 4, *range(34, 52))
        assert list_requests(site) == list(map(page, pages))
        self.whole(cut_off, site, tmp_path, world)

    def test_of_some_days(self, mirror: Mirror, site: SampleSite) -> None:
        """Each span of days has a walk of its own, and that for all days does not take it for its own."""
        self.killed_at(mirror, site, 26, *WORDS[:-2], "-a", "until=2026-05-01")
        mirror.crawl(OUTLET, section=LISTS, until="2026-05-01")
        resumed = list_requests(site)
        assert stored(mirror) == ids([story for story in self.STORIES if day_of(story) == "2026-05-01"])
        assert resumed[0] == page(1)
        assert page(40) in resumed
        site.requests.clear()
        mirror.crawl(OUTLET, section=LISTS, pages="all")
        assert list_requests(site) == list(map(page, range(1, 41)))
        assert stored(mirror) == ids(self.STORIES)


class TestSources:
    def test_feed(self, mirror: Mirror, site: SampleSite) -> None:
        outcome = mirror.crawl("epochtimes", section="nsc413", source="feed")
        assert (outcome.verdict, outcome.stats["sources/feed"]) == ("ok", 1)
        assert list_requests(site) == [feed_url("nsc413")]
        assert stored(mirror) == ids(news("epochtimes", 12))
        assert mirror.fed("epochtimes", "listings") == []

    def test_sitemap(self, mirror: Mirror, site: SampleSite) -> None:
        """It knows articles that no list names."""
        loose = dataclasses.replace(news("ntdtv", 1, start=12)[0], sections=())
        site.serve(World([*news("ntdtv", 12), loose], per_page=5))
        outcome = mirror.crawl("ntdtv", section="prog204", source="lists,sitemap")
        assert (outcome.verdict, outcome.stats["sources/sitemap"]) == ("ok", 1)
        assert len(list_requests(site)) == 4
        assert stored(mirror) == ids([*news("ntdtv", 12), loose])
        assert len(article_requests(site.requests)) == 13
        files = mirror.files()
        assert any(path.endswith(f"{loose.article_id}.md") for path in files)

    def test_what_they_name_is_asked_for_once(self, mirror: Mirror, site: SampleSite) -> None:
        mirror.crawl("epochtimes", section="nsc413", source="lists,feed")
        assert len(article_requests(site.requests)) == len(set(article_requests(site.requests))) == 12
        before = fingerprint(mirror.files())
        site.requests.clear()
        outcome = mirror.crawl("epochtimes", section="nsc413", source="lists,feed")
        assert (outcome.verdict, article_requests(site.requests)) == ("ok", [])
        assert fingerprint(mirror.files()) == before

    def test_what_failed_is_asked_for_again(self, mirror: Mirror, site: SampleSite) -> None:
        """Although nothing names it but a feed."""
        story = news("epochtimes", 12)[5]
        site.set(story.url, status=500)
        mirror.crawl("epochtimes", section="nsc413", source="feed")
        site.reset(story.url)
        site.set(feed_url("nsc413"), status=404)
        assert mirror.crawl("epochtimes", section="nsc413", source="feed").stats["articles/new"] == 1
        assert story.article_id in stored(mirror)

    @pytest.mark.parametrize(
        "answer",
        [
            pytest.param(answers.gone(404), id="gone"),
            pytest.param(Answer(status=500), id="broken"),
            pytest.param(Answer(parts=(b"<!DOCTYPE html><p>no feed</p>",)), id="a-page"),
            pytest.param(Answer(parts=(b"\x1f\x8bno gzip",)), id="bad-gzip"),
            pytest.param(Answer(parts=(b"",)), id="empty"),
            pytest.param(answers.sent_home("epochtimes"), id="sent-home"),
        ],
    )
    @pytest.mark.parametrize(
        ("outlet", "source", "address"),
        [("epochtimes", "feed", feed_url("nsc413")), ("ntdtv", "sitemap", SITEMAP)],
        ids=["feed", "sitemap"],
    )
    def test_absent_ones_cost_nothing(
        self, mirror: Mirror, site: SampleSite, outlet: str, source: str, address: str, answer: Answer
    ) -> None:
        site.set_sequence(address, answer)
        outcome = mirror.crawl(outlet, section=SECTION[outlet], source=f"lists,{source}")
        assert (outcome.verdict, outcome.faults, outcome.stats["sources/absent"]) == ("ok", [], 1)
        assert stored(mirror) == ids(news(outlet, 12))

    def test_of_some_days(self, mirror: Mirror, site: SampleSite) -> None:
        stories = news("epochtimes", 60)
        site.serve(World(stories))
        mirror.crawl("epochtimes", section="nsc413", source="feed", since="2026-05-02", until="2026-05-02")
        in_feed = sorted(stories, key=lambda story: story.moment)[-30:]
        assert stored(mirror) == ids([story for story in in_feed if day_of(story) == "2026-05-02"])
