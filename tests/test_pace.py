"""How the whole outlet is left alone when it asks for it, and when the crawl gives up."""

from __future__ import annotations

import itertools
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from scrapy import Request
from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.http import Response

from mirror_crawler import pace
from mirror_crawler.handler import PageHandler
from mirror_crawler.health import EXIT_CODES
from mirror_crawler.pace import (
    BROKEN_REST,
    DEFAULT_REST,
    LONGEST_REST,
    MOST_RESTS,
    Pace,
    rest_after,
    retry_after,
)
from tests.mirror import ClockedSite, Mirror, article_requests, news
from tests.site import Answer
from tests.site.world import World

STORIES = news("epochtimes", 12)
FIRST = STORIES[0]
ONE_BY_ONE = {"CONCURRENT_REQUESTS_PER_DOMAIN": 1, "DOWNLOAD_DELAY": 0.005}
"""Without any delay Scrapy 2.19 sends all that is queued at once, however many requests a slot may have."""


@pytest.fixture
def site(world: World) -> Iterator[ClockedSite]:
    with ClockedSite(world) as running:
        yield running


def answer(status: int, after: str | None = None) -> Response:
    return Response(FIRST.url, status=status, headers={"Retry-After": after} if after else {})


def rests_of(kept: Pace, *answers: Response) -> list[float]:
    """The rests asked for by answers to requests that were sent one after the other."""
    return [kept.answered(response, time.monotonic()) for response in answers]


class TestPace:
    @pytest.mark.parametrize(
        ("asking", "rests"),
        [
            pytest.param(answer(429), [120, 240, 480, 600, 600], id="429"),
            pytest.param(answer(503), [30, 60, 120, 240, 480], id="503"),
            pytest.param(answer(429, "5"), [5, 10, 20, 40, 80], id="429-stated"),
            pytest.param(answer(503, "200"), [200, 400, 600, 600, 600], id="503-stated"),
            pytest.param(answer(429, "0"), [0, 0, 0, 0, 0], id="no-time"),
        ],
    )
    def test_every_further_rest_is_twice_as_long(self, asking: Response, rests: list[float]) -> None:
        kept = Pace()
        assert rests_of(kept, *[asking] * 5) == rests
        assert kept.rests == 5

    def test_a_rest_holds_until_its_end(self) -> None:
        kept, begun = Pace(), time.monotonic()
        kept.answered(answer(429), begun)
        assert begun + DEFAULT_REST <= kept.not_before <= time.monotonic() + DEFAULT_REST

    @pytest.mark.parametrize("status", [200, 301, 304, 404, 410])
    def test_a_good_answer_begins_anew(self, status: int) -> None:
        assert rests_of(Pace(), answer(503), answer(503), answer(status), answer(503)) == [30, 60, 0, 30]

    @pytest.mark.parametrize("status", [400, 403, 500, 502])
    def test_another_bad_answer_does_not(self, status: int) -> None:
        assert rests_of(Pace(), answer(503), answer(503), answer(status), answer(503)) == [30, 60, 0, 120]

    def test_what_was_under_way_does_not_double(self) -> None:
        kept, sent = Pace(), time.monotonic()
        time.sleep(0.001)
        assert [kept.answered(answer(429), sent) for _ in range(4)] == [120] * 4
        assert kept.rests == 1
        assert rests_of(kept, answer(429)) == [240]

    def test_what_was_under_way_can_ask_for_longer(self) -> None:
        kept, sent = Pace(), time.monotonic()
        for asking in (answer(503), answer(429, "500"), answer(503)):
            kept.answered(asking, sent)
            time.sleep(0.001)
        assert kept.not_before > sent + 500

    def test_a_good_answer_that_was_under_way_says_nothing_of_the_rest(self) -> None:
        kept, sent = Pace(), time.monotonic()
        time.sleep(0.001)
        assert rests_of(kept, answer(429)) == [120]
        kept.answered(answer(200), sent)
        assert rests_of(kept, answer(429)) == [240]


class TestRest:
    """A pause can only be longer than asked for, so this says nothing of the machine's speed."""

    @pytest.mark.untraced
    @pytest.mark.parametrize("stated", [True, False], ids=["stated", "not-stated"])
    @pytest.mark.parametrize("status", [429, 503])
    def test_holds_the_whole_outlet_back(
        self, mirror: Mirror, site: ClockedSite, monkeypatch: pytest.MonkeyPatch, status: int, stated: bool
    ) -> None:
        for name in ("DEFAULT_REST", "BROKEN_REST"):
            monkeypatch.setattr(pace, name, 1.0)
        asking = Answer(status=status, headers={"Retry-After": "1"} if stated else {})
        site.set_sequence(FIRST.url, asking, Answer(parts=FIRST.page))
        outcome = mirror.crawl("epochtimes", ONE_BY_ONE, url=" ".join(story.url for story in STORIES))
        assert (outcome.verdict, outcome.stats["articles/new"]) == ("ok", 12)
        assert outcome.stats["requests/slowed_down"] == 1
        moment = next(at for at, url in site.times if url == FIRST.url)
        following = [at - moment for at, url in site.times if at > moment]
        assert len(following) == 12
        assert min(following) > 0.95

    @pytest.mark.untraced
    def test_those_that_waited_leave_one_by_one(
        self, mirror: Mirror, site: ClockedSite, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pace, "DEFAULT_REST", 0.5)
        site.set_sequence(FIRST.url, Answer(status=429), Answer(parts=FIRST.page))
        held: list[float] = []
        real = HTTP11DownloadHandler.download_request

        def noted(handler: PageHandler, request: Request) -> Any:
            held.append(Pace.of(handler.crawler).not_before)
            return real(handler, request)

        monkeypatch.setattr(HTTP11DownloadHandler, "download_request", noted)
        spaced = {"DOWNLOAD_DELAY": 0.05, "DOWNLOAD_DELAY_JITTER": 0, "CONCURRENT_REQUESTS_PER_DOMAIN": 8}
        outcome = mirror.crawl("epochtimes", spaced, url=" ".join(story.url for story in STORIES))
        assert outcome.stats["articles/new"] == 12
        turns = sorted(set(held) - {0.0})
        assert len(turns) > 3
        assert min(later - earlier for earlier, later in itertools.pairwise(turns)) >= 0.05 - 1e-6

    def test_asks_again_until_it_is_let(self, mirror: Mirror, site: ClockedSite) -> None:
        full = Answer(status=429, headers={"Retry-After": "0"})
        site.set_sequence(FIRST.url, full, full, Answer(parts=FIRST.page))
        assert mirror.crawl("epochtimes", url=FIRST.url).verdict == "ok"
        assert site.asked(FIRST.url) == [FIRST.url] * 3

    def test_a_page_that_stays_broken_is_given_up(
        self, mirror: Mirror, site: ClockedSite, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pace, "BROKEN_REST", 0.0)
        site.set(FIRST.url, status=503)
        outcome = mirror.crawl("epochtimes", url=FIRST.url)
        assert outcome.failures == [f"article {FIRST.url}: HTTP 503"]
        assert outcome.stats["requests/slowed_down"] == 4
        assert site.asked(FIRST.url) == [FIRST.url] * 4

    @pytest.mark.parametrize("status", [429, 503])
    def test_an_outlet_that_wants_nothing_but_rest_is_left(
        self,
        mirror: Mirror,
        site: ClockedSite,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
        status: int,
    ) -> None:
        for name in ("DEFAULT_REST", "BROKEN_REST"):
            monkeypatch.setattr(pace, name, 0.001)
        for story in STORIES:
            site.set(story.url, status=status)
        outcome = mirror.crawl("epochtimes", ONE_BY_ONE, url=" ".join(story.url for story in STORIES))
        assert outcome.verdict == "blocked"
        assert outcome.faults[0].startswith(f"the outlet blocks the crawl (HTTP {status}: {MOST_RESTS})")
        assert f"asked {MOST_RESTS} times in a row to be left alone (HTTP {status})" in caplog.text
        assert len(article_requests(site.requests)) == MOST_RESTS

    @pytest.mark.untraced
    def test_does_not_keep_a_run_from_being_ended(self, mirror: Mirror, site: ClockedSite) -> None:
        site.set(FIRST.url, status=429)
        with mirror.start("crawl", "epochtimes", "-a", "section=nsc413") as process:
            try:
                assert process.stderr is not None
                assert any("answered 429; waiting 120 s" in line for line in process.stderr)
                time.sleep(0.3)  # by now the request that is to be tried again waits for the end of the rest
                process.send_signal(signal.SIGTERM)
                _, said = process.communicate(timeout=30)
            finally:
                process.kill()
        assert process.returncode == EXIT_CODES["degraded"]
        assert "! the crawl was stopped before its end; the next run goes on\n" in said
        assert said.count("  ! ") == 1


class TestRetryAfter:
    NOW = datetime(2026, 11, 22, 1, 0, 0, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("status", "header", "seconds"),
        [
            pytest.param(429, None, DEFAULT_REST, id="429"),
            pytest.param(429, "5", 5.0, id="429-stated"),
            pytest.param(503, "5", 5.0, id="503-stated"),
            pytest.param(503, None, BROKEN_REST, id="503"),
            pytest.param(200, "5", 0.0, id="200"),
            pytest.param(503, "86400", LONGEST_REST, id="a-day"),
        ],
    )
    def test_is_what_an_answer_asks_for(self, status: int, header: str | None, seconds: float) -> None:
        assert rest_after(answer(status, header), self.NOW) == seconds

    @pytest.mark.parametrize(
        ("header", "seconds"),
        [
            pytest.param(None, None, id="absent"),
            pytest.param(b"", None, id="empty"),
            pytest.param(b"7", 7.0, id="seconds"),
            pytest.param(b" 30 ", 30.0, id="white-space"),
            pytest.param(b"0", 0.0, id="zero"),
            pytest.param(b"9" * 400, 999_999_999.0, id="endless"),
            pytest.param(b"-5", None, id="negative"),
            pytest.param("٧".encode(), None, id="other-digits"),
            pytest.param(b"\xb2", None, id="superscript"),
            pytest.param(b"soon", None, id="word"),
            pytest.param(b"Sun, 22 Nov 2026 01:02:00 GMT", 120.0, id="date"),
            pytest.param(b"Sun, 22 Nov 2026 01:02:00 -0000", 120.0, id="date-without-zone"),
            pytest.param(b"Sun, 22 Nov 2026 00:00:00 GMT", 0.0, id="date-past"),
            pytest.param(b"Sun, 99 Nov 2026 01:02:00 GMT", None, id="no-date"),
        ],
    )
    def test_is_read(self, header: bytes | None, seconds: float | None) -> None:
        assert retry_after(header, self.NOW) == seconds
