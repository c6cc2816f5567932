"""Articles that the outlet takes back: kept, marked, and never so by mistake."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
import time_machine

from tests.life import LONG_AFTER, State, page_of, revisions, rewritten
from tests.mirror import SECTION, Mirror, article_requests, dead_links, news, unreachable
from tests.site import Answer, SampleSite, answers, changes
from tests.site.stories import section_url
from tests.site.world import World

pytestmark = pytest.mark.untraced


def list_in_its_place(outlet: str) -> Answer:
    """A list under the address of an article."""
    address = section_url(outlet, SECTION[outlet])
    entries = "".join(
        f'<div class="one_post"><div class="title"><a href="{story.url}">{story.title}</a></div></div>'
        for story in news(outlet, 6)
    )
    page = f'<!DOCTYPE html><link rel="canonical" href="{address}"><main><h1>大陆新闻</h1>{entries}</main>'
    return Answer(parts=(page.encode(),))


GONE: dict[str, Callable[[str], Answer]] = {
    "404": lambda _: answers.gone(404),
    "410": lambda _: answers.gone(410),
    "home": answers.sent_home,
    "list": lambda outlet: answers.sent_to_list(outlet, SECTION[outlet]),
    "list-in-its-place": list_in_its_place,
    "error-page": answers.error_page,
}
"""How an outlet says that it has an article not any more."""
NOTICE = "原站已撤下此文"


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(LONG_AFTER) as moved:
        yield moved


@pytest.mark.parametrize("outlet", ["epochtimes"])
@pytest.mark.parametrize("how", GONE)
def test_seen_gone_in_two_runs(
    mirror: Mirror, site: SampleSite, clock: time_machine.Traveller, outlet: str, how: str
) -> None:
    """The first look is only told, and the next run looks again by itself; then it is withdrawn, once and for all."""
    story = news(outlet, 12)[4]
    mirror.crawl(outlet, section=SECTION[outlet])
    before, stored = State.of(mirror), mirror.articles()[outlet, story.article_id]
    site.set_sequence(story.url, GONE[how](outlet))
    clock.shift(timedelta(days=1))
    first = mirror.crawl(outlet, refresh=story.article_id)
    assert (first.verdict, first.stats["articles/gone"], first.stats.get("articles/withdrawn", 0)) == ("ok", 1, 0)
    assert State.of(mirror) == before
    clock.shift(timedelta(days=1))
    site.requests.clear()
    second = mirror.crawl(outlet, section=SECTION[outlet])
    assert (second.verdict, second.stats["articles/withdrawn"]) == ("ok", 1)
    assert article_requests(site.requests) == [story.url]
    assert rewritten(mirror, before.written) == {page_of(story)}
    page = mirror.files()[page_of(story)].decode()
    assert NOTICE in page
    assert "2026-09-03" in page
    record = mirror.articles()[outlet, story.article_id]
    assert record == stored | {"withdrawn_at": record["withdrawn_at"]}
    assert record["withdrawn_at"].startswith("2026-09-03T12:00")
    fed = [line for line in mirror.fed(outlet, "articles") if line["article_id"] == story.article_id]
    assert fed == [stored, record]
    after = State.of(mirror)
    site.requests.clear()
    assert mirror.crawl(outlet, section=SECTION[outlet]).verdict == "ok"
    assert article_requests(site.requests) == []
    assert State.of(mirror) == after
    assert mirror.ask("verify") == 0


class TestNotWithdrawn:
    STORY = news("epochtimes", 12)[4]

    @pytest.fixture
    def seen_gone(self, mirror: Mirror, site: SampleSite) -> SampleSite:
        """The site of a mirror that has seen the article gone once."""
        mirror.crawl("epochtimes", section="nsc413")
        site.set_sequence(self.STORY.url, answers.gone(404))
        mirror.crawl("epochtimes", refresh=self.STORY.article_id)
        site.requests.clear()
        return site

    def test_when_it_is_named_twice_in_a_run(self, mirror: Mirror, site: SampleSite) -> None:
        mirror.crawl("epochtimes", section="nsc413")
        site.set_sequence(self.STORY.url, answers.gone(404))
        site.requests.clear()
        again = f"{self.STORY.article_id},{self.STORY.article_id},{self.STORY.url.replace('/gb/', '/b5/')}"
        outcome = mirror.crawl("epochtimes", refresh=again, url=self.STORY.url)
        assert article_requests(site.requests) == [self.STORY.url]
        assert (outcome.stats["articles/gone"], outcome.stats.get("articles/withdrawn", 0)) == (1, 0)

    def test_when_it_was_there_between(self, mirror: Mirror, seen_gone: SampleSite) -> None:
        seen_gone.reset(self.STORY.url)
        assert mirror.crawl("epochtimes", section="nsc413").stats["articles/unchanged"] == 1
        seen_gone.set_sequence(self.STORY.url, answers.gone(404))
        again = mirror.crawl("epochtimes", refresh=self.STORY.article_id)
        assert (again.stats["articles/gone"], again.stats.get("articles/withdrawn", 0)) == (1, 0)
        assert mirror.crawl("epochtimes", section="nsc413").stats["articles/withdrawn"] == 1

    @pytest.mark.parametrize(
        "answer",
        [
            pytest.param(Answer(status=500), id="server-error"),
            pytest.param(answers.forbidden(), id="forbidden"),
            pytest.param(answers.challenge(), id="challenge"),
            pytest.param(Answer(parts=(b"",)), id="nothing"),
            pytest.param(answers.moved(news("epochtimes", 12)[6].url), id="another-article"),
        ],
    )
    def test_by_an_answer_that_says_nothing(self, mirror: Mirror, seen_gone: SampleSite, answer: Answer) -> None:
        """It does not count as a sighting, and does not end the matter either."""
        seen_gone.set_sequence(self.STORY.url, answer)
        outcome = mirror.crawl("epochtimes", section="nsc413")
        assert seen_gone.asked(self.STORY.url)
        assert outcome.stats.get("articles/gone", 0) == 0
        assert mirror.articles()["epochtimes", self.STORY.article_id]["withdrawn_at"] is None
        seen_gone.set_sequence(self.STORY.url, answers.gone(404))
        assert mirror.crawl("epochtimes", section="nsc413").stats["articles/withdrawn"] == 1

    @pytest.mark.parametrize("how", GONE)
    def test_when_it_was_never_there(self, mirror: Mirror, site: SampleSite, how: str) -> None:
        """A first look is told and not stored, and tried again by later runs until it comes."""
        site.set_sequence(self.STORY.url, GONE[how]("epochtimes"))
        for _ in range(3):
            outcome = mirror.crawl("epochtimes", section="nsc413")
            assert (outcome.verdict, outcome.stats["articles/failed"]) == ("ok", 1)
            assert outcome.failures[0].startswith(f"article {self.STORY.url}: ")
            assert ("epochtimes", self.STORY.article_id) not in mirror.articles()
        site.reset(self.STORY.url)
        assert mirror.crawl("epochtimes", section="nsc413").stats["articles/new"] == 1
        assert mirror.articles()["epochtimes", self.STORY.article_id]["withdrawn_at"] is None


class TestReturn:
    STORY = news("epochtimes", 12)[4]

    @pytest.fixture
    def withdrawn(self, mirror: Mirror, site: SampleSite) -> State:
        """The state of a mirror, whose article was withdrawn, before that."""
        mirror.crawl("epochtimes", section="nsc413")
        before = State.of(mirror)
        site.set_sequence(self.STORY.url, answers.gone(410))
        mirror.crawl("epochtimes", refresh=self.STORY.article_id)
        assert mirror.crawl("epochtimes", section="nsc413").stats["articles/withdrawn"] == 1
        site.reset(self.STORY.url)
        return before

    def test_with_the_same_content(self, mirror: Mirror, withdrawn: State) -> None:
        outcome = mirror.crawl("epochtimes", refresh=self.STORY.article_id)
        assert outcome.stats["articles/returned"] == 1
        assert State.of(mirror).files == withdrawn.files
        (stored,) = revisions(mirror, self.STORY)
        assert stored["withdrawn_at"] is None
        fed = [
            record for record in mirror.fed("epochtimes", "articles") if record["article_id"] == self.STORY.article_id
        ]
        assert [bool(record["withdrawn_at"]) for record in fed] == [False, True, False]

    @pytest.mark.usefixtures("withdrawn")
    def test_with_other_content(self, mirror: Mirror, site: SampleSite, world: World) -> None:
        site.serve(world.changed(changes.edited(self.STORY, added="补充说明。")))
        assert mirror.crawl("epochtimes", refresh=self.STORY.article_id).stats["articles/revised"] == 1
        files = mirror.files()
        assert NOTICE not in files[page_of(self.STORY)].decode()
        first, second = revisions(mirror, self.STORY)
        assert first["withdrawn_at"] is not None
        assert (second["revision"], second["withdrawn_at"]) == (2, None)
        assert (unreachable(files), dead_links(files)) == (set(), set())
        assert mirror.ask("verify") == 0

    @pytest.mark.usefixtures("withdrawn")
    def test_is_noticed_when_a_list_names_it(self, mirror: Mirror, site: SampleSite, world: World) -> None:
        site.serve(world.changed(without={self.STORY.article_id}))
        mirror.crawl("epochtimes", section="nsc413", pages="all")
        site.serve(world)
        outcome = mirror.crawl("epochtimes", section="nsc413", pages="all")
        assert outcome.stats["articles/returned"] == 1

    @pytest.mark.usefixtures("withdrawn")
    def test_and_withdrawn_anew(self, mirror: Mirror, site: SampleSite) -> None:
        """By two looks again, not by the one that was needed last."""
        mirror.crawl("epochtimes", refresh=self.STORY.article_id)
        site.set_sequence(self.STORY.url, answers.gone(404))
        outcome = mirror.crawl("epochtimes", refresh=self.STORY.article_id)
        assert (outcome.stats["articles/gone"], outcome.stats.get("articles/withdrawn", 0)) == (1, 0)
        assert mirror.crawl("epochtimes", section="nsc413").stats["articles/withdrawn"] == 1


def headline_renamed(world: World, outlet: str) -> World:
    return changes.redrawn(world, outlet, lambda page: page.replace("<h1", "<h5").replace("og:title", "og:name"))


def wholly_new(world: World, outlet: str) -> World:
    """Nothing is where it was, neither in the body nor in the head, and many articles are named beside this one."""
    links = "".join(f'<h2><a href="{story.url}">{story.title}</a></h2>' for story in news(outlet, 9))

    def change(page: str) -> str:
        page = re.sub(r'<link rel="canonical"[^>]*>|<script type="application/ld\+json">.*?</script>', "", page)
        page = re.sub(r'id="artbody"|(?:class|itemprop)="(?:post_content|article_content|articleBody)"', "", page)
        return page.replace('<meta property="', '<meta name="').replace("</h1>", f"</h1><main>{links}</main>", 1)

    return changes.redrawn(world, outlet, change)


@pytest.mark.parametrize("outlet", ["epochtimes"])
@pytest.mark.parametrize(
    "template", [changes.body_renamed, headline_renamed, wholly_new, changes.clock_dropped, changes.lists_emptied]
)
def test_another_template_withdraws_nothing(
    mirror: Mirror, site: SampleSite, world: World, outlet: str, template: Callable[[World, str], World]
) -> None:
    mirror.crawl(outlet, section=SECTION[outlet])
    site.serve(template(world, outlet))
    kept = template in (changes.clock_dropped, changes.lists_emptied)
    for _ in range(2):
        outcome = mirror.crawl(outlet, refresh="all", section=SECTION[outlet])
        assert outcome.stats.get("articles/gone", 0) == 0
        assert kept or outcome.stats["articles/failed"] == 12
    assert {record["withdrawn_at"] for record in mirror.articles().values()} == {None}
    assert NOTICE not in "".join(page.decode() for page in mirror.files().values())
    site.serve(world)
    assert mirror.crawl(outlet, refresh="all").verdict == "ok"
    assert {record["withdrawn_at"] for record in mirror.articles().values()} == {None}


def test_an_outlet_that_has_nothing_any_more_is_out_of_order(
    mirror: Mirror, site: SampleSite, clock: time_machine.Traveller
) -> None:
    stories = news("epochtimes", 12)
    mirror.crawl("epochtimes", section=SECTION["epochtimes"])
    for story in stories:
        site.set_sequence(story.url, answers.gone())
    withdrawn = 0
    for _ in range(4):
        clock.shift(timedelta(hours=12))  # what is believed of an outage is counted over three days
        outcome = mirror.crawl("epochtimes", refresh="all")
        assert outcome.verdict == "degraded"
        withdrawn += outcome.stats.get("articles/withdrawn", 0)
    assert withdrawn <= 5


def test_a_young_article_comes_back_after_an_outage(
    mirror: Mirror, site: SampleSite, clock: time_machine.Traveller
) -> None:
    story = news("epochtimes", 12)[4]
    clock.move_to(datetime.fromisoformat(story.published_at or "") + timedelta(minutes=30))
    mirror.crawl("epochtimes", section=SECTION["epochtimes"])
    site.set_sequence(story.url, answers.gone())
    withdrawn = back = 0
    for hour in range(10):
        clock.shift(timedelta(hours=1))
        if hour == 6:
            site.reset(story.url)
        outcome = mirror.crawl("epochtimes", section=SECTION["epochtimes"])
        withdrawn += outcome.stats.get("articles/withdrawn", 0)
        back += outcome.stats.get("articles/returned", 0)
    assert (withdrawn, back) == (1, 1)
    assert NOTICE not in mirror.files()[page_of(story)].decode()
