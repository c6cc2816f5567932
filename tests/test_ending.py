"""A run that is ended in order: what it does not send any more is lost to nobody, and is not waited for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from scrapy.crawler import Crawler

from mirror_crawler import ending, pace, stopping
from mirror_crawler.pace import Pace
from mirror_crawler.run import Run
from mirror_crawler.spiders.epochtimes import EpochtimesSpider
from tests.mirror import Mirror, news
from tests.site import SampleSite, answers
from tests.site.world import World, list_address
from tests.test_run import begun, ended

LIST = list_address("epochtimes", "section", "nsc413", 1)
ROBOTS = "https://www.epochtimes.com/robots.txt"
STOPPED = ["the crawl was stopped before its end; the next run goes on"]


def waits_in_slot(crawler: Crawler, number: int = 1) -> bool:
    slot = crawler.engine.downloader.slots.get("epochtimes")
    return slot is not None and len(slot.queue) >= number


def waits_in_rest(crawler: Crawler) -> bool:
    """A request that is to be tried again waits for the end of the rest that its first answer asked for."""
    slot = crawler.engine.downloader.slots.get("epochtimes")
    return slot is not None and Pace.of(crawler).rests > 0 and bool(slot.transferring)


@pytest.fixture(autouse=True)
def looked_for_often(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (ending, pace):
        monkeypatch.setattr(module, "GLANCE", 0.02)


class TestStop:
    @pytest.mark.parametrize(
        ("asked", "answer", "waits"),
        [
            pytest.param(ROBOTS, "User-agent: *\nCrawl-delay: 600\n", waits_in_slot, id="list-for-its-turn"),
            pytest.param(LIST, answers.too_many(300), waits_in_rest, id="list-in-a-rest"),
            pytest.param(ROBOTS, answers.too_many(300), waits_in_rest, id="robots.txt-in-a-rest"),
        ],
    )
    def test_what_waits_is_dropped(
        self, mirror: Mirror, site: SampleSite, asked: str, answer: Any, waits: Callable[[Crawler], bool]
    ) -> None:
        if isinstance(answer, str):
            site.set(asked, answer)
        else:
            site.set_sequence(asked, answer)
        outcome = mirror.crawl_until(waits, "epochtimes", section="nsc413")
        assert (outcome.verdict, outcome.faults) == ("degraded", STOPPED)
        assert site.asked() == [ROBOTS, LIST][: 1 + (asked == LIST)]
        assert not {"lists/failed", "robotstxt/forbidden"} & set(outcome.stats)
        site.reset(asked)
        assert mirror.crawl("epochtimes", section="nsc413").stats["articles/new"] == 12

    def test_articles_cost_no_try(self, mirror: Mirror, site: SampleSite) -> None:
        site.serve(World(news("epochtimes", 12), per_page=12))
        one_by_one = {"CONCURRENT_REQUESTS_PER_DOMAIN": 1, "DOWNLOAD_DELAY": 0.02}

        def slowed_down(crawler: Crawler) -> bool:
            """As if the outlet had a long Crawl-delay, from its third article on."""
            if len(site.asked("/n148")) < 3:
                return False
            crawler.engine.downloader.slots["epochtimes"].delay = 600
            return waits_in_slot(crawler)

        outcome = mirror.crawl_until(slowed_down, "epochtimes", one_by_one, section="nsc413")
        assert (outcome.verdict, outcome.faults, outcome.failures) == ("degraded", STOPPED, [])
        stored = outcome.stats["articles/new"]
        assert len(mirror.articles()) == stored
        assert len([path for path in mirror.files() if "/n148" in path]) == stored
        with mirror.store() as store:
            assert {row.article_id for row in store.wanted("epochtimes", 99)} == {
                story.article_id for story in news("epochtimes", 12)
            } - {article_id for _, article_id in mirror.articles()}
        site.requests.clear()
        assert mirror.crawl("epochtimes", section="nsc413").stats["articles/new"] == 12 - stored


def test_a_run_that_is_ended_by_itself_does_not_wait_either(mirror: Mirror, site: SampleSite) -> None:
    """Nothing that came now could be stored."""
    site.set(ROBOTS, "User-agent: *\nCrawl-delay: 600\n")

    def fails(crawler: Crawler) -> bool:
        if waits_in_slot(crawler):
            Run.of(crawler).problem("MIRROR_DB: x is full")
            Run.of(crawler).abort("store")
        return False

    outcome = mirror.crawl_until(fails, "epochtimes", section="nsc413")
    assert (outcome.verdict, outcome.faults) == ("failed", ["MIRROR_DB: x is full"])
    assert site.asked() == [ROBOTS]


@pytest.mark.parametrize("asked", [True, False], ids=["told-to-stop", "left-alone"])
def test_a_splash_that_was_not_waited_for_is_no_obstacle(
    mirror: Mirror, monkeypatch: pytest.MonkeyPatch, asked: bool
) -> None:
    async def nobody_there(_: EpochtimesSpider) -> str:
        monkeypatch.setattr(stopping.stop, "asked", asked)
        return "no Splash answers"

    monkeypatch.setattr(EpochtimesSpider, "obstacle", nobody_there)
    run = begun(mirror)
    assert run.aborted is not asked
    ended(run, "shutdown")
    findings = [finding.what for finding in run.judgement.findings]
    assert (run.verdict, findings) == (("degraded", STOPPED) if asked else ("failed", ["no Splash answers"]))
