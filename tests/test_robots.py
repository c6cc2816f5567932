"""robots.txt: what it forbids is not fetched, and no request is sent sooner than it asks."""

from __future__ import annotations

import asyncio
import itertools
import os
from typing import Any
from unittest import mock

import pytest
from scrapy.core.downloader import Slot
from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.crawler import Crawler
from scrapy.extensions.throttle import AutoThrottle
from scrapy.http import Request, Response
from scrapy.robotstxt import ProtegoRobotParser, PythonRobotParser

from mirror_crawler import pace, robots
from mirror_crawler.handler import PageHandler
from mirror_crawler.robots import asked_delay
from mirror_crawler.run import Run
from tests.mirror import Mirror, news
from tests.site import Answer, SampleSite

ROBOTS = "https://www.epochtimes.com/robots.txt"
OTHER_HOST = "https://cn.epochtimes.com"
HOME = "https://www.epochtimes.com/gb/"
FIRST, SECOND, THIRD = (story.url for story in news("epochtimes", 3))


@pytest.fixture(autouse=True)
def no_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "BROKEN_REST", 0.0)


class TestRules:
    @pytest.mark.untraced
    def test_of_many_waiting_requests_none_goes_through(self, mirror: Mirror, site: SampleSite) -> None:
        """Scrapy's own middleware gives the parsed file to the first of them only."""
        site.set(ROBOTS, "User-agent: *\nDisallow: /gb/26/\n", delay=0.3)
        urls = [story.url for story in news("epochtimes", 30)]
        outcome = mirror.crawl("epochtimes", url=" ".join(urls))
        assert site.asked() == [ROBOTS]
        assert outcome.stats["robotstxt/forbidden"] == 30
        assert outcome.verdict == "failed"
        assert outcome.failures[0].endswith(": Forbidden by robots.txt")

    def test_holds_for_redirects(self, mirror: Mirror, site: SampleSite) -> None:
        site.set(FIRST, status=302, headers={"Location": f"{HOME}private/x.htm"})
        outcome = mirror.crawl("epochtimes", url=FIRST)
        assert site.asked("private") == []
        assert outcome.failures == [f"article {FIRST}: Forbidden by robots.txt"]

    def test_those_that_name_us_are_for_us(self, mirror: Mirror, site: SampleSite) -> None:
        site.set(ROBOTS, "User-agent: *\nDisallow: /\n\nUser-agent: mirror_crawler\nDisallow: /gb/private/\n")
        assert mirror.crawl("epochtimes", url=FIRST).verdict == "ok"

    @pytest.mark.untraced
    @pytest.mark.parametrize("body", ["", "User-agent: *\nDisallow: /"], ids=["empty", "looks-like-rules"])
    def test_an_outlet_without_any_is_crawled(self, mirror: Mirror, site: SampleSite, body: str) -> None:
        """RFC 9309 2.3.1.3."""
        site.set(ROBOTS, body, status=404)
        outcome = mirror.crawl("epochtimes", section="nsc413")
        assert (outcome.verdict, outcome.stats["articles/new"]) == ("ok", 12)
        assert len(site.asked(ROBOTS)) == 1

    @pytest.mark.untraced
    @pytest.mark.parametrize(
        ("answer", "settings", "cause"),
        [
            pytest.param(Answer(status=503), {}, "HTTP 503", id="status"),
            pytest.param(Answer(status=302), {}, "HTTP 302", id="redirect-to-nowhere"),
            pytest.param(
                Answer(status=302, headers={"Location": "https://evil.example/robots.txt"}),
                {},
                "Not a host of the outlet: evil.example",
                id="foreign-host",
            ),
            pytest.param(
                Answer(parts=(b"#" * 300,)), {"DOWNLOAD_MAXSIZE": "200"}, "DownloadCancelledError", id="no-download"
            ),
        ],
    )
    def test_where_they_cannot_be_had_nothing_is_fetched(
        self,
        mirror: Mirror,
        site: SampleSite,
        caplog: pytest.LogCaptureFixture,
        answer: Answer,
        settings: dict[str, str],
        cause: str,
    ) -> None:
        """RFC 9309 2.3.1.4."""
        site.set_sequence(ROBOTS, answer)
        urls = [story.url for story in news("epochtimes", 12)]
        outcome = mirror.crawl("epochtimes", settings, url=" ".join(urls))
        assert set(site.asked()) == {ROBOTS}
        assert outcome.verdict == "failed"
        said = f"robots.txt of www.epochtimes.com: {cause}; nothing is fetched from there until it can be read"
        assert said in outcome.faults
        assert "Traceback" not in caplog.text

    def test_that_come_late_count(self, mirror: Mirror, site: SampleSite, caplog: pytest.LogCaptureFixture) -> None:
        site.set_sequence(ROBOTS, Answer(status=503), Answer(parts=(b"User-agent: *\nAllow: /",)))
        outcome = mirror.crawl("epochtimes", section="nsc413")
        assert (outcome.verdict, outcome.stats["articles/new"]) == ("ok", 12)
        site.set(ROBOTS, status=500)
        assert mirror.crawl("epochtimes", section="nsc413").verdict == "failed"
        assert "Traceback" not in caplog.text


class TestAskedDelay:
    @pytest.mark.parametrize(
        ("rules", "seconds"),
        [
            pytest.param("User-agent: *\nCrawl-delay: 10", 10.0, id="for-all"),
            pytest.param(
                "User-agent: mirror_crawler\nCrawl-delay: 2.5\n\nUser-agent: *\nCrawl-delay: 10", 2.5, id="us"
            ),
            pytest.param("User-agent: mirror_crawler\nDisallow:\n\nUser-agent: *\nCrawl-delay: 10", 0.0, id="not-us"),
            pytest.param("User-agent: otherbot\nCrawl-delay: 10", 0.0, id="another"),
            pytest.param("User-agent: *\nRequest-rate: 1/5", 5.0, id="rate"),
            pytest.param("User-agent: *\nRequest-rate: 30/1m", 2.0, id="rate-by-the-minute"),
            pytest.param("User-agent: *\nRequest-rate: 1/20 0900-1700", 20.0, id="rate-by-day"),
            pytest.param("User-agent: *\nCrawl-delay: 3\nRequest-rate: 1/5", 5.0, id="both-rate"),
            pytest.param("User-agent: *\nCrawl-delay: 7\nRequest-rate: 1/5", 7.0, id="both-delay"),
            pytest.param("User-agent: *\nDisallow: /x", 0.0, id="none"),
            pytest.param("User-agent: *\nCrawl-delay: -5", 0.0, id="negative"),
            pytest.param("User-agent: *\nCrawl-delay: nan", 0.0, id="not-a-number"),
            pytest.param("User-agent: *\nCrawl-delay: soon", 0.0, id="word"),
            pytest.param("", 0.0, id="empty"),
        ],
    )
    def test_is_what_the_rules_say(self, rules: str, seconds: float) -> None:
        assert asked_delay(ProtegoRobotParser(rules.encode(), None), "mirror_crawler") == seconds

    def test_another_parser_knows_the_delay_only(self) -> None:
        rules = PythonRobotParser(b"User-agent: *\nCrawl-delay: 3\nRequest-rate: 1/5", None)
        assert asked_delay(rules, "mirror_crawler") == 3.0


class TestPace:
    """The outlet's one slot, as a crawl leaves it."""

    @staticmethod
    def crawled(mirror: Mirror, settings: dict[str, Any], *urls: str) -> Crawler:
        """A crawl of ``urls`` with robots.txt as the site has it, at its end."""
        with mock.patch.dict(os.environ, mirror.site.environment):
            return mirror.reactor.crawl("epochtimes", mirror.settings(**settings), {"url": " ".join(urls or (FIRST,))})

    @pytest.mark.untraced
    @pytest.mark.parametrize(
        ("settings", "delay", "jitter"),
        [
            pytest.param({}, 0.05, 0.0, id="no-delay-of-ours"),
            pytest.param({"DOWNLOAD_DELAY": 0.01}, 0.05, 0.0, id="smaller"),
            pytest.param({"DOWNLOAD_DELAY": 0.1}, 0.1, 0.5, id="larger"),
            pytest.param({"DOWNLOAD_DELAY": 0.0625}, 0.0625, 0.2, id="larger-but-not-always"),
            pytest.param({"DOWNLOAD_DELAY": 0.1, "DOWNLOAD_DELAY_JITTER": 0.1}, 0.1, 0.1, id="little-chance"),
            pytest.param({"DOWNLOAD_SLOTS": {"epochtimes": {"delay": 0.1}}}, 0.1, 0.5, id="larger-for-the-outlet"),
            pytest.param({"DOWNLOAD_SLOTS": {"epochtimes": {"jitter": 0.9}}}, 0.05, 0.0, id="wild-chance"),
        ],
    )
    def test_is_as_asked_or_slower(
        self, mirror: Mirror, site: SampleSite, settings: dict[str, Any], delay: float, jitter: float
    ) -> None:
        """``jitter`` is the share of the delay by which chance may shorten it."""
        site.set(ROBOTS, "User-agent: *\nCrawl-delay: 0.05\n")
        crawler = self.crawled(mirror, settings)
        assert Run.of(crawler).verdict == "ok"
        assert crawler.stats.get_value("robotstxt/crawl_delay") == 0.05
        slots = crawler.engine.downloader.slots
        assert list(slots) == ["epochtimes"]
        assert [slots["epochtimes"].delay, slots["epochtimes"].jitter] == pytest.approx([delay, jitter])
        slots.clear()  # Scrapy forgets a slot that was idle for a minute

        async def asked_again() -> Slot:
            _, slot = crawler.engine.downloader._get_slot(Request(FIRST, meta={"download_slot": "epochtimes"}))
            crawler.engine.downloader.close()
            return slot

        anew = asyncio.run_coroutine_threadsafe(asked_again(), mirror.reactor.loop).result(10)
        assert [anew.delay, anew.jitter] == pytest.approx([delay, jitter])

    @pytest.mark.parametrize(
        ("bounds", "shortest"),
        [
            pytest.param({}, 0.05, id="as-asked"),
            pytest.param({"AUTOTHROTTLE_MAX_DELAY": 0.01}, 0.05, id="more-than-its-most"),
            pytest.param({"DOWNLOAD_DELAY": 0.1}, 0.1, id="ours-is-longer"),
        ],
    )
    def test_autothrottle_goes_no_faster(
        self, mirror: Mirror, site: SampleSite, bounds: dict[str, float], shortest: float
    ) -> None:
        site.set(ROBOTS, "User-agent: *\nCrawl-delay: 0.05\n")
        own = {"AUTOTHROTTLE_ENABLED": True, "AUTOTHROTTLE_START_DELAY": 0.2, "AUTOTHROTTLE_TARGET_CONCURRENCY": 1e6}
        crawler = self.crawled(mirror, own | bounds, FIRST, SECOND, THIRD)
        throttle, slot = crawler.get_extension(AutoThrottle), crawler.engine.downloader.slots["epochtimes"]
        assert throttle is not None
        for _ in range(20):
            throttle._adjust_delay(slot, 0.0, Response(FIRST))
        assert slot.delay == pytest.approx(shortest)
        assert slot.delay * (1 - slot.jitter) == pytest.approx(0.05)

    @pytest.mark.untraced
    def test_no_request_is_sent_sooner(self, mirror: Mirror, site: SampleSite, monkeypatch: pytest.MonkeyPatch) -> None:
        site.set(ROBOTS, "User-agent: *\nCrawl-delay: 0.1\n")
        sent = []
        real = HTTP11DownloadHandler.download_request

        def noted(handler: PageHandler, request: Request) -> Any:
            sent.append((request.url, handler.crawler.engine.downloader.slots["epochtimes"].lastseen))
            return real(handler, request)

        monkeypatch.setattr(HTTP11DownloadHandler, "download_request", noted)
        self.crawled(mirror, {"DOWNLOAD_DELAY": 0.01}, FIRST, SECOND, THIRD)
        assert sent[0][0] == ROBOTS
        assert {url for url, _ in sent} == {ROBOTS, FIRST, SECOND, THIRD}
        gaps = [later - earlier for (_, earlier), (_, later) in itertools.pairwise(sent)]
        assert min(gaps) >= 0.1 - 1e-6

    @pytest.mark.untraced
    @pytest.mark.parametrize(("delay", "in_force"), [(0.08, 0.08), (0.01, 0.05)], ids=["slower", "faster"])
    def test_the_slowest_host_sets_it(self, mirror: Mirror, site: SampleSite, delay: float, in_force: float) -> None:
        site.set(ROBOTS, "User-agent: *\nCrawl-delay: 0.05\n")
        site.set(f"{OTHER_HOST}/robots.txt", f"User-agent: *\nCrawl-delay: {delay}\n")
        site.set(FIRST, status=302, headers={"Location": FIRST.replace("https://www.epochtimes.com", OTHER_HOST)})
        crawler = self.crawled(mirror, {})
        assert f"{OTHER_HOST}/robots.txt" in site.asked()
        assert crawler.engine.downloader.slots["epochtimes"].delay == in_force
        assert crawler.stats.get_value("robotstxt/crawl_delay") == in_force

    def test_more_than_a_run_can_bear_is_cut(
        self, mirror: Mirror, site: SampleSite, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(robots, "LONGEST_DELAY", 0.05)
        site.set(ROBOTS, "User-agent: *\nCrawl-delay: 86400\n")
        crawler = self.crawled(mirror, {})
        assert crawler.engine.downloader.slots["epochtimes"].delay == 0.05
        assert "robots.txt of www.epochtimes.com asks for 86400 s between requests; taken as 0.05 s" in caplog.text

    def test_is_ours_where_the_outlet_does_not_care(self, mirror: Mirror) -> None:
        crawler = self.crawled(mirror, {"DOWNLOAD_DELAY": 0.03})
        slot = crawler.engine.downloader.slots["epochtimes"]
        assert (slot.delay, slot.jitter) == (0.03, 0.5)
        assert crawler.stats.get_value("robotstxt/crawl_delay") is None
