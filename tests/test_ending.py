"""A run that is ended in order: what it does not send any more is lost to nobody, and is not waited for."""

from __future__ import annotations

import contextlib
import signal
import socketserver
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from scrapy import Request
from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.crawler import Crawler
from scrapy.http import Response
from scrapy.utils.test import get_crawler

from mirror_crawler import ending, handler, pace, stopping
from mirror_crawler.ending import Ending
from mirror_crawler.health import EXIT_CODES
from mirror_crawler.pace import Pace
from mirror_crawler.run import Run
from mirror_crawler.spiders.epochtimes import EpochtimesSpider
from tests.mirror import Mirror, news, wait_until
from tests.site import SampleSite, answers
from tests.site.world import World, list_address
from tests.test_run import begun, ended

LIST = list_address("epochtimes", "section", "nsc413", 1)
ROBOTS = "https://www.epochtimes.com/robots.txt"
ARTICLE = news("epochtimes", 12)[5]
NO_TIME_LIMIT = {"DOWNLOAD_TIMEOUT": 600}
"""Of a request; a test is given up earlier."""
FAILURES = {"articles/failed", "lists/failed", "robotstxt/forbidden", "retry/count"}
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


class DeafSplash(socketserver.ThreadingTCPServer):
    """Says that it is there, and takes pages without ever answering."""

    daemon_threads = True

    class RequestHandlerClass(socketserver.StreamRequestHandler):
        """One connection."""

        server: DeafSplash

        def handle(self) -> None:
            line = self.rfile.readline()
            if b"/_ping" in line:
                self.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 13\r\nConnection: close\r\n\r\n{"maxrss": 1}')
                return
            self.server.asked.append(line)
            with contextlib.suppress(ConnectionError):
                while self.rfile.readline():
                    pass
            self.server.left.set()

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), self.RequestHandlerClass)
        self.asked: list[bytes] = []
        self.left = threading.Event()

    @property
    def url(self) -> str:
        """For SPLASH_URL."""
        return f"http://127.0.0.1:{self.server_address[1]}"


@pytest.fixture
def deaf_splash() -> Iterator[DeafSplash]:
    with DeafSplash() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


class TestUnderWay:
    """What is on its way gets a moment when the run is to end, and is then given up as if it had never been sent."""

    @pytest.fixture(autouse=True)
    def patience(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(handler, "PATIENCE", 0.1)

    @pytest.mark.parametrize("asked", [ROBOTS, LIST, ARTICLE.url], ids=["robots.txt", "list", "article"])
    def test_what_is_never_answered_is_given_up(self, mirror: Mirror, site: SampleSite, asked: str) -> None:
        site.set(asked, hang=True)
        outcome = mirror.crawl_until(lambda _: asked in site.asked(), "epochtimes", NO_TIME_LIMIT, section="nsc413")
        assert (outcome.verdict, outcome.faults, outcome.failures) == ("degraded", STOPPED, [])
        assert not FAILURES & set(outcome.stats)
        assert site.asked().count(asked) == 1
        site.reset(asked)
        mirror.crawl("epochtimes", section="nsc413")
        assert len(mirror.articles()) == 12

    def test_so_is_an_answer_that_never_ends(self, mirror: Mirror, site: SampleSite) -> None:
        """A kilobyte is announced, and some of it comes."""
        site.set(ARTICLE.url, "400\r\n<!DOCTYPE html>", headers={"Transfer-Encoding": "chunked"})
        outcome = mirror.crawl_until(
            lambda _: ARTICLE.url in site.asked(), "epochtimes", NO_TIME_LIMIT, url=ARTICLE.url
        )
        assert (outcome.verdict, outcome.faults, outcome.failures) == ("degraded", STOPPED, [])
        assert not FAILURES & set(outcome.stats)

    def test_so_it_is_when_a_limit_of_scrapy_ends_the_run(self, mirror: Mirror, site: SampleSite) -> None:
        site.set(ARTICLE.url, hang=True)
        outcome = mirror.crawl("epochtimes", NO_TIME_LIMIT | {"CLOSESPIDER_ITEMCOUNT": 3}, section="nsc413")
        assert (outcome.verdict, outcome.faults, outcome.failures) == ("degraded", STOPPED, [])
        assert not FAILURES & set(outcome.stats)

    def test_so_is_a_page_in_splash(self, mirror: Mirror, deaf_splash: DeafSplash) -> None:
        outcome = mirror.crawl_until(
            lambda _: bool(deaf_splash.asked),
            "epochtimes",
            NO_TIME_LIMIT | {"SPLASH_URL": deaf_splash.url},
            section="nsc413",
            render="splash",
        )
        assert (outcome.verdict, outcome.faults) == ("degraded", STOPPED)
        assert not FAILURES & set(outcome.stats)
        assert len(deaf_splash.asked) == 1
        assert deaf_splash.left.wait(10)  # Splash sees the connection close, and lets go of the page

    def test_what_comes_in_time_is_kept(
        self, mirror: Mirror, site: SampleSite, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(handler, "PATIENCE", 600.0)
        site.set(ARTICLE.url, b"".join(ARTICLE.page), delay=0.3)
        outcome = mirror.crawl_until(lambda _: ARTICLE.url in site.asked(), "epochtimes", url=ARTICLE.url)
        assert (outcome.verdict, outcome.stats["articles/new"]) == ("degraded", 1)

    def test_a_download_that_is_too_slow_by_itself_is_a_failure(
        self, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The limit of a run that is being ended shows as the same error."""
        download = HTTP11DownloadHandler.download_request

        async def slow(handler: HTTP11DownloadHandler, request: Request) -> Response:
            if request.url == ARTICLE.url:
                raise TimeoutError
            return await download(handler, request)

        monkeypatch.setattr(HTTP11DownloadHandler, "download_request", slow)
        assert mirror.crawl("epochtimes", url=ARTICLE.url).failures == [f"article {ARTICLE.url}: TimeoutError"]


@pytest.mark.untraced
def test_the_real_command_ends_long_before_its_time_limits(mirror: Mirror, site: SampleSite) -> None:
    site.set(ARTICLE.url, hang=True)
    with mirror.start("crawl", "epochtimes", "-a", "section=nsc413", "-s", "DOWNLOAD_TIMEOUT=600") as process:
        wait_until(lambda: ARTICLE.url in site.asked() or process.poll() is not None)
        process.send_signal(signal.SIGTERM)
        try:
            _, said = process.communicate(timeout=50)
        finally:
            process.kill()
    assert process.returncode == EXIT_CODES["degraded"], said
    assert said.count("  ! ") == 1
    assert "! the crawl was stopped before its end; the next run goes on\n" in said


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


def test_a_crawler_without_the_extension_is_a_mistake() -> None:
    with pytest.raises(RuntimeError, match="is not enabled"):
        Ending.of(get_crawler())
