"""What stands between the spider and the outlet: whom it asks, how fast, what it leaves out and when a walk ends."""

from __future__ import annotations

import itertools
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from scrapy.http import Response

from mirror_crawler.pace import DEFAULT_REST, LONGEST_REST, rest_after, retry_after
from tests.mirror import Mirror, article_requests, news
from tests.site import Answer, SampleSite
from tests.site.world import TRAPS, World, list_address

ROBOTS = "https://www.epochtimes.com/robots.txt"
HOME = "https://www.epochtimes.com/gb/"
FIRST = news("epochtimes", 1)[0]


class ClockedSite(SampleSite):
    """Notes when it was asked for what."""

    def answer(self, url: str) -> Answer:
        self.times = [*getattr(self, "times", []), (time.monotonic(), url)]
        return super().answer(url)


class TestRobotsTxt:
    def test_of_many_waiting_requests_none_goes_through(self, mirror: Mirror, site: SampleSite) -> None:
        """Scrapy's own middleware gives the parsed file to the first of them only."""
        site.set(ROBOTS, "User-agent: *\nDisallow: /gb/26/\n", delay=0.3)
        urls = [story.url for story in news("epochtimes", 30)]
        outcome = mirror.crawl("epochtimes", url=" ".join(urls))
        assert site.asked() == [ROBOTS]
        assert outcome.stats["robotstxt/forbidden"] == 30
        assert outcome.faults == ["30 articles failed and only 0 could be read"]
        assert outcome.failures[0].endswith(": Forbidden by robots.txt")

    def test_holds_for_redirects(self, mirror: Mirror, site: SampleSite) -> None:
        site.set(FIRST.url, status=302, headers={"Location": f"{HOME}private/x.htm"})
        outcome = mirror.crawl("epochtimes", url=FIRST.url)
        assert site.asked("private") == []
        assert outcome.failures == [f"article {FIRST.url}: Forbidden by robots.txt"]

    def test_rules_for_us_are_those_that_name_us(self, mirror: Mirror, site: SampleSite) -> None:
        site.set(ROBOTS, "User-agent: *\nDisallow: /\n\nUser-agent: mirror_crawler\nDisallow: /gb/private/\n")
        assert mirror.crawl("epochtimes", url=FIRST.url).verdict == "ok"

    @pytest.mark.parametrize("body", ["", "User-agent: *\nDisallow: /"], ids=["empty", "looks-like-rules"])
    def test_an_outlet_without_rules_is_crawled(self, mirror: Mirror, site: SampleSite, body: str) -> None:
        """RFC 9309 2.3.1.3."""
        site.set(ROBOTS, body, status=404)
        outcome = mirror.crawl("epochtimes", section="nsc413")
        assert (outcome.verdict, outcome.stats["articles/new"]) == ("ok", 12)
        assert len(site.asked(ROBOTS)) == 1

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
    def test_rules_that_cannot_be_had_forbid_everything(
        self, mirror: Mirror, site: SampleSite, answer: Answer, settings: dict[str, str], cause: str
    ) -> None:
        """RFC 9309 2.3.1.4."""
        site.set_sequence(ROBOTS, answer)
        urls = [story.url for story in news("epochtimes", 12)]
        outcome = mirror.crawl("epochtimes", settings, url=" ".join(urls))
        assert set(site.asked()) == {ROBOTS}
        assert outcome.verdict == "failed"
        assert outcome.faults == [
            f"robots.txt of www.epochtimes.com: {cause}; nothing is fetched from there until it can be read",
            "12 articles failed and only 0 could be read",
        ]

    def test_rules_that_come_late_count(
        self, mirror: Mirror, site: SampleSite, caplog: pytest.LogCaptureFixture
    ) -> None:
        site.set_sequence(ROBOTS, Answer(status=503), Answer(parts=(b"User-agent: *\nAllow: /",)))
        outcome = mirror.crawl("epochtimes", section="nsc413")
        assert (outcome.verdict, outcome.stats["articles/new"]) == ("ok", 12)
        site.set(ROBOTS, status=500)
        assert mirror.crawl("epochtimes", section="nsc413").verdict == "failed"
        assert "Traceback" not in caplog.text


class TestOutletHostsOnly:
    @pytest.mark.parametrize(
        "target",
        [
            pytest.param("https://evil.example/gb/26/4/30/n14800000.htm", id="foreign"),
            pytest.param("https://www.ntdtv.com/gb/2026/05/01/a104110000.html", id="the-other-outlet"),
            pytest.param("https://www.epochtimes.com.evil.example/", id="look-alike"),
            pytest.param("https://www.epochtimes.com:8443/gb/", id="port"),
            pytest.param("https://user@www.epochtimes.com/gb/", id="user-information"),
            pytest.param("file:///etc/passwd", id="file"),
        ],
    )
    @pytest.mark.parametrize("retried", [False, True], ids=["at-once", "after-503"])
    def test_a_redirect_leads_nowhere_else(self, mirror: Mirror, site: SampleSite, target: str, retried: bool) -> None:
        """Scrapy's own middleware lets retried requests pass, and with them their redirects."""
        redirect = Answer(status=302, headers={"Location": target})
        site.set_sequence(FIRST.url, *([Answer(status=503)] if retried else []), redirect)
        outcome = mirror.crawl("epochtimes", url=FIRST.url)
        assert set(site.asked()) == {ROBOTS, FIRST.url}
        assert outcome.verdict == "failed"
        assert mirror.articles() == {}

    def test_a_list_that_moved_to_another_host_is_a_fault(self, mirror: Mirror, site: SampleSite) -> None:
        site.set(
            list_address("epochtimes", "section", "nsc413", 1),
            status=301,
            headers={"Location": "https://evil.example/"},
        )
        outcome = mirror.crawl("epochtimes", section="nsc413")
        assert outcome.stats["requests/foreign_host"] == 1
        assert outcome.faults == ["list https://evil.example/: Not a host of the outlet: evil.example"]

    def test_a_pager_that_leads_elsewhere_is_not_followed(self, mirror: Mirror, site: SampleSite) -> None:
        first, second = (list_address("epochtimes", "section", "nsc413", page) for page in (1, 2))
        site.set(first, site.page(first).replace(second, "https://evil.example/2.htm"))
        outcome = mirror.crawl("epochtimes", section="nsc413")
        assert (outcome.verdict, outcome.stats["articles/new"]) == ("ok", 5)
        assert {url.split("/")[2] for url in site.asked()} == {"www.epochtimes.com"}


class TestRest:
    @pytest.fixture
    def site(self, world: World) -> Iterator[ClockedSite]:
        with ClockedSite(world) as running:
            yield running

    @pytest.mark.parametrize("status", [429, 503])
    def test_holds_the_whole_outlet_back(self, mirror: Mirror, site: ClockedSite, status: int) -> None:
        """A pause can only be longer than asked for, so this says nothing of the machine's speed."""
        asking = Answer(status=status, headers={"Retry-After": "1"})
        site.set_sequence(FIRST.url, asking, Answer(parts=FIRST.page))
        urls = [FIRST.url, *(story.url for story in news("epochtimes", 12)[1:])]
        # Without any delay Scrapy 2.19 sends all that is queued at once, however many requests a slot may have.
        one_by_one = {"CONCURRENT_REQUESTS_PER_DOMAIN": 1, "DOWNLOAD_DELAY": 0.005}
        outcome = mirror.crawl("epochtimes", one_by_one, url=" ".join(urls))
        assert (outcome.verdict, outcome.stats["articles/new"]) == ("ok", 12)
        assert outcome.stats["requests/slowed_down"] == 1
        moment = next(at for at, url in site.times if url == FIRST.url)
        following = [at - moment for at, url in site.times if at > moment]
        assert len(following) == 12
        assert min(following) > 0.95

    def test_asks_again_until_it_is_let(self, mirror: Mirror, site: ClockedSite) -> None:
        full = Answer(status=429, headers={"Retry-After": "0"})
        site.set_sequence(FIRST.url, full, full, Answer(parts=FIRST.page))
        assert mirror.crawl("epochtimes", url=FIRST.url).verdict == "ok"
        assert site.asked(FIRST.url) == [FIRST.url] * 3

    def test_an_outlet_that_is_only_broken_is_not_waited_for(self, mirror: Mirror, site: ClockedSite) -> None:
        site.set(FIRST.url, status=503)
        outcome = mirror.crawl("epochtimes", url=FIRST.url)
        assert outcome.failures == [f"article {FIRST.url}: HTTP 503"]
        assert "requests/slowed_down" not in outcome.stats
        assert site.asked(FIRST.url) == [FIRST.url] * 4

    def test_a_rest_does_not_keep_a_run_from_being_ended(self, mirror: Mirror, site: ClockedSite) -> None:
        site.set(FIRST.url, status=429)
        with mirror.start("crawl", "epochtimes", "-a", "section=nsc413") as process:
            assert process.stderr is not None
            assert "answered 429; waiting 120 s" in process.stderr.readline()
            time.sleep(0.3)  # by now the request that is to be tried again waits for the end of the rest
            process.send_signal(signal.SIGTERM)
            said = process.stderr.read()
        assert process.returncode == 1
        assert "not sent: the run was ended while the outlet rested" in said
        assert "the crawl ended early: shutdown" in said


class TestRetryAfter:
    NOW = datetime(2026, 11, 22, 1, 0, 0, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("status", "header", "seconds"),
        [
            pytest.param(429, None, DEFAULT_REST, id="429"),
            pytest.param(429, "5", 5.0, id="429-stated"),
            pytest.param(503, "5", 5.0, id="503-stated"),
            pytest.param(503, None, 0.0, id="503"),
            pytest.param(200, "5", 0.0, id="200"),
            pytest.param(503, "86400", LONGEST_REST, id="a-day"),
        ],
    )
    def test_is_what_an_answer_asks_for(self, status: int, header: str | None, seconds: float) -> None:
        headers = {"Retry-After": header} if header else {}
        assert rest_after(Response("https://www.epochtimes.com/", status=status, headers=headers), self.NOW) == seconds

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


class TestSkipStored:
    def test_what_is_stored_is_not_asked_for_by_url_either(self, mirror: Mirror, site: SampleSite) -> None:
        mirror.crawl("epochtimes", url=FIRST.url)
        site.requests.clear()
        outcome = mirror.crawl("epochtimes", url=FIRST.url)
        assert (outcome.verdict, outcome.stats["articles/known"]) == ("ok", 1)
        assert site.asked() == []

    def test_pages_says_how_far_to_go(self, mirror: Mirror) -> None:
        outcome = mirror.crawl("epochtimes", section="nsc413", pages="2")
        assert (outcome.stats["lists/pages"], outcome.stats["articles/new"]) == (2, 10)

    def test_a_walk_ends_where_a_page_brings_nothing_new(self, mirror: Mirror, site: SampleSite) -> None:
        assert mirror.crawl("epochtimes", section="nsc413", pages="1").stats["articles/new"] == 5
        again = mirror.crawl("epochtimes", section="nsc413")
        assert (again.verdict, again.stats["lists/pages"]) == ("ok", 1)
        site.serve(World(news("epochtimes", 13), per_page=5))
        more = mirror.crawl("epochtimes", section="nsc413")
        assert (more.stats["lists/pages"], more.stats["articles/new"]) == (3, 8)

    def test_pages_all_goes_through_the_known(self, mirror: Mirror) -> None:
        mirror.crawl("epochtimes", section="nsc413", pages="1")
        outcome = mirror.crawl("epochtimes", section="nsc413", pages="all")
        assert (outcome.stats["lists/pages"], outcome.stats["articles/new"]) == (3, 7)

    @pytest.mark.parametrize("repeated", [1, 2], ids=["all-of-the-page-before", "some-of-it"])
    def test_a_pager_that_never_ends_is_left(
        self, mirror: Mirror, site: SampleSite, caplog: pytest.LogCaptureFixture, repeated: int
    ) -> None:
        pages = [list_address("epochtimes", "section", "nsc413", page) for page in range(1, 9)]
        stories = news("epochtimes", 2)
        for number, (here, following) in enumerate(itertools.pairwise(pages)):
            named = stories if number == 0 else stories[-repeated:]
            links = "".join(f'<h3><a href="{story.url}">{story.title}</a></h3>' for story in named)
            pager = f'<a class="next page-numbers" href="{following}">下一页</a>'
            site.set(here, f"<!DOCTYPE html><main><h1>大陆新闻</h1>{links}{pager}</main>")
        outcome = mirror.crawl("epochtimes", section="nsc413", pages="all")
        assert (outcome.verdict, outcome.stats["lists/pages"], outcome.stats["articles/new"]) == ("ok", 2, 2)
        assert f"List page {pages[1]} only repeats the page before it; the list ends there" in caplog.text
        assert mirror.crawl("epochtimes", section="nsc413").stats["lists/pages"] == 1

    def test_a_walk_is_bounded_unless_all_pages_are_asked_for(self, mirror: Mirror) -> None:
        bounded = mirror.crawl("epochtimes", {"MIRROR_MAX_LIST_PAGES": "2"}, section="nsc413")
        assert (bounded.verdict, bounded.stats["lists/pages"]) == ("ok", 2)
        whole = mirror.crawl("epochtimes", {"MIRROR_MAX_LIST_PAGES": "2"}, section="nsc413", pages="all")
        assert whole.stats["lists/pages"] == 3

    def test_a_list_page_that_fails_keeps_the_walk_open(self, mirror: Mirror, site: SampleSite) -> None:
        second = list_address("epochtimes", "section", "nsc413", 2)
        site.set(second, status=500)
        failed = mirror.crawl("epochtimes", section="nsc413")
        assert failed.faults == [f"list {second}: HTTP 500"]
        assert failed.stats["articles/new"] == 5
        bounded = mirror.crawl("epochtimes", section="nsc413", pages="1")
        assert bounded.verdict == "ok"
        site.reset(second)
        healed = mirror.crawl("epochtimes", section="nsc413")
        assert (healed.verdict, healed.stats["articles/new"]) == ("ok", 7)
        assert mirror.crawl("epochtimes", section="nsc413").stats["lists/pages"] == 1

    def test_a_later_list_page_without_articles_is_the_end(
        self, mirror: Mirror, site: SampleSite, caplog: pytest.LogCaptureFixture
    ) -> None:
        second = list_address("epochtimes", "section", "nsc413", 2)
        site.set(second, "<!DOCTYPE html><main><h1>大陆新闻</h1></main>")
        outcome = mirror.crawl("epochtimes", section="nsc413")
        assert outcome.faults == []
        assert f"List page {second} names no article; the list ends there" in caplog.text
        assert mirror.crawl("epochtimes", section="nsc413").stats["lists/pages"] == 1

    @pytest.mark.parametrize("status", [200, 404, 500])
    def test_a_first_list_page_that_fails_is_reported_and_costs_only_itself(
        self, mirror: Mirror, site: SampleSite, status: int
    ) -> None:
        site.set(TRAPS["no-entries"], "<!DOCTYPE html><h1>维护中</h1>", status=status)
        outcome = mirror.crawl("epochtimes", url=f"{TRAPS['no-entries']} {HOME}nsc413.htm")
        assert outcome.verdict == "failed"
        assert len(outcome.faults) == 1
        assert outcome.faults[0].startswith(
            f"list {TRAPS['no-entries']}: {'no article link' if status == 200 else f'HTTP {status}'}"
        )
        assert outcome.stats["articles/new"] == 12

    def test_a_page_that_is_no_article_gets_a_second_look(self, mirror: Mirror, site: SampleSite) -> None:
        site.set_sequence(
            FIRST.url, Answer(parts=("<!DOCTYPE html><title>请稍候</title>".encode(),)), Answer(parts=FIRST.page)
        )
        outcome = mirror.crawl("epochtimes", url=FIRST.url)
        assert (outcome.verdict, outcome.stats["articles/second_look"], outcome.stats["articles/new"]) == ("ok", 1, 1)
        assert mirror.crawl("epochtimes", section="nsc413").stats["articles/new"] == 11

    @pytest.mark.parametrize("trap", ["no-body", "soft-404", "challenge"])
    def test_one_second_look_is_enough(self, mirror: Mirror, site: SampleSite, trap: str) -> None:
        outcome = mirror.crawl("epochtimes", url=TRAPS[trap])
        assert site.asked(TRAPS[trap]) == [TRAPS[trap]] * 2
        assert (outcome.verdict, outcome.stats["articles/failed"]) == ("failed", 1)
        assert outcome.failures[0].startswith(f"article {TRAPS[trap]}: ")

    def test_an_article_that_failed_arrives_with_the_next_run(self, mirror: Mirror, site: SampleSite) -> None:
        site.set(FIRST.url, status=503)
        outcome = mirror.crawl("epochtimes", section="nsc413")
        assert (outcome.verdict, outcome.failures) == ("ok", [f"article {FIRST.url}: HTTP 503"])
        site.reset(FIRST.url)
        site.requests.clear()
        later = mirror.crawl("epochtimes", section="nsc413")
        assert (later.stats["articles/wanted"], later.stats["articles/new"]) == (1, 1)
        assert article_requests(site.requests) == [FIRST.url]
        assert ("epochtimes", FIRST.article_id) in mirror.articles()

    def test_an_article_that_is_gone_is_not_asked_for_for_ever(self, mirror: Mirror, site: SampleSite) -> None:
        site.set(FIRST.url, status=404)
        for _ in range(7):
            mirror.crawl("epochtimes", section="nsc413")
        assert site.asked(FIRST.url) == [FIRST.url] * 5

    def test_wanted_articles_wait_while_single_articles_are_asked_for(self, mirror: Mirror, site: SampleSite) -> None:
        site.set(FIRST.url, status=404)
        mirror.crawl("epochtimes", section="nsc413")
        site.requests.clear()
        mirror.crawl("epochtimes", url=TRAPS["no-body"])
        assert site.asked(FIRST.url) == []

    def test_a_fault_of_ours_is_counted_and_shown(
        self, mirror: Mirror, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        from mirror_crawler.pages import ArticlePage

        def broken(page: ArticlePage, outlet: str, fetched_at: str) -> None:
            raise KeyError("a mistake")

        monkeypatch.setattr(ArticlePage, "article", broken)
        outcome = mirror.crawl("epochtimes", url=FIRST.url)
        assert outcome.failures == [f"article {FIRST.url}: KeyError in {FIRST.url}"]
        assert outcome.verdict == "failed"
        assert "a mistake" in caplog.text
