"""Hours in which the outlet gives nothing cost no article, and what came only in part is none."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine

from mirror_crawler.clock import in_utc
from mirror_crawler.statements import MAX_TRIES
from tests.life import LONG_AFTER
from tests.mirror import Mirror, news
from tests.site import Answer, SampleSite
from tests.site.world import World, list_address
from tests.test_run import begun, ended

pytestmark = pytest.mark.untraced

STORIES = news("epochtimes", 12)
NEWEST = STORIES[11]
LIST = list_address("epochtimes", "section", "nsc413", 1)


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(LONG_AFTER) as moved:
        yield moved


class TestOutage:
    @pytest.mark.parametrize(("status", "verdict"), [(502, "failed"), (403, "blocked")])
    def test_of_articles_while_lists_go_on(
        self, mirror: Mirror, site: SampleSite, world: World, clock: time_machine.Traveller, status: int, verdict: str
    ) -> None:
        """No further run of it is bad, since what failed before says nothing of a run."""
        mirror.crawl("epochtimes", section="nsc413")
        new = news("epochtimes", 5, start=12)
        site.serve(world.changed(*new))
        for story in new:
            site.set(story.url, status=status)
        verdicts = []  # of one list page, so that no answer comes between the refusals
        for _ in range(MAX_TRIES + 1):
            clock.shift(timedelta(hours=1))
            verdicts.append(mirror.crawl("epochtimes", {"RETRY_TIMES": 0}, section="nsc413", pages="1").verdict)
        assert verdicts == [verdict, *["ok"] * MAX_TRIES]
        for story in new:
            site.reset(story.url)
        assert mirror.crawl("epochtimes", section="nsc413").stats["articles/new"] == 5

    @pytest.mark.parametrize("reason", ["blocked", "store"])
    def test_of_many_days_is_made_good_by_the_run_that_ends_it(self, mirror: Mirror, reason: str) -> None:
        def wanted() -> list[str]:
            with mirror.store() as store:
                return [row.article_id for row in store.wanted("epochtimes", 9)]

        run = begun(mirror)
        for _ in range(MAX_TRIES):
            run.store.note_failure("epochtimes", NEWEST.article_id, NEWEST.url, "HTTP 403", in_utc(LONG_AFTER))
        ended(run, reason)
        assert wanted() == []
        run = begun(mirror)
        run.spider_idle()
        run.conclude()
        ended(run)
        assert wanted() == [NEWEST.article_id]


class TestPart:
    """An answer of which the end is missing is asked for again, and never taken for all."""

    @staticmethod
    def half(page: bytes, **how: Any) -> Answer:
        return Answer(parts=(page[: len(page) // 2],), **how)

    def test_is_no_article(self, mirror: Mirror, site: SampleSite) -> None:
        site.set_sequence(NEWEST.url, self.half(b"".join(NEWEST.page), status=206))
        outcome = mirror.crawl("epochtimes", {"RETRY_TIMES": 1}, section="nsc413")
        assert (outcome.stats["articles/new"], outcome.stats["articles/failed"]) == (11, 1)
        assert site.asked(NEWEST.url) == [NEWEST.url] * 2

    def test_is_no_list(self, mirror: Mirror, site: SampleSite) -> None:
        site.set_sequence(LIST, self.half(site.page(LIST).encode(), sized=False))
        outcome = mirror.crawl("epochtimes", {"RETRY_TIMES": 1}, section="nsc413")
        assert (outcome.verdict, outcome.stats["lists/failed"], mirror.articles()) == ("failed", 1, {})
        assert site.asked(LIST) == [LIST] * 2
        site.reset(LIST)
        assert mirror.crawl("epochtimes", section="nsc413").stats["articles/new"] == 12
