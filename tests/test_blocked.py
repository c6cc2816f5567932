"""Refusals: what is one, what is not, and that a run that is refused ends instead of hammering."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from scrapy import Request
from scrapy.http import HtmlResponse, Response
from scrapy.utils.test import get_crawler

from mirror_crawler import pace
from mirror_crawler.blocked import IN_A_ROW, Blocked, is_challenge
from mirror_crawler.gate import NotSentError
from tests.mirror import Mirror, article_requests, news
from tests.site import Answer, SampleSite
from tests.site.world import World, list_address

FIXTURES = Path(__file__).parent / "fixtures"
STORIES = news("epochtimes", 40)
URLS = " ".join(story.url for story in STORIES)
FIRST = STORIES[0]
ROBOTS = "https://www.epochtimes.com/robots.txt"
ONE_BY_ONE = {"CONCURRENT_REQUESTS": 1}
"""A slot of one request sends the next before the answer to the last is read."""
CHALLENGE = (FIXTURES / "epochtimes" / "not-challenge" / "page.html").read_bytes()
FORBIDDEN = Answer(status=403)
CHALLENGED = Answer(parts=(CHALLENGE,))
GOOD = Answer(parts=FIRST.page)
FURNITURE = (
    "<nav>" + "".join(f'<a href="/gb/nsc{number}.htm">新闻栏目第{number}号</a>' for number in range(150)) + "</nav>"
)
INTERSTITIAL = (
    "<!DOCTYPE html><html lang=zh-CN><head><title>{title}</title></head><body><h1>www.epochtimes.com</h1>"
    "<noscript>请启用JavaScript</noscript>{marks}</body></html>"
)


def page(html: str | bytes, status: int = 200, headers: dict[str, str] | None = None) -> HtmlResponse:
    body = html if isinstance(html, bytes) else html.encode()
    return HtmlResponse(FIRST.url, status=status, body=body, headers=headers or {}, encoding="utf-8")


def interstitial(*, title: str = "www.epochtimes.com", marks: str = "") -> str:
    return INTERSTITIAL.format(title=title, marks=marks)


class TestIsChallenge:
    @pytest.mark.parametrize("status", [200, 403, 429, 503])
    def test_whatever_its_status(self, status: int) -> None:
        assert is_challenge(page(CHALLENGE, status))

    @pytest.mark.parametrize(
        "response",
        [
            pytest.param(page("", 403, {"cf-mitigated": "challenge"}), id="header"),
            pytest.param(Response(FIRST.url, headers={"CF-Mitigated": "Challenge"}), id="header-without-text"),
            pytest.param(page(interstitial(title="Just a moment...")), id="title"),
            pytest.param(page(interstitial(title=" Just a moment… ")), id="title-ellipsis"),
            pytest.param(page(interstitial(title="请稍候…")), id="title-simplified"),
            pytest.param(page(f"<style>{'a{}' * 2_000}</style><title>请稍候…</title><p>x"), id="title-after-much"),
            pytest.param(page(interstitial(title="請稍候...")), id="title-traditional"),
            pytest.param(page(interstitial(marks='<div class="x cf-turnstile"></div>')), id="turnstile"),
            pytest.param(page(interstitial(marks='<div class="cf-challenge"></div>')), id="class"),
            pytest.param(page(interstitial(marks='<div id="cf-challenge-running"></div>')), id="running"),
            pytest.param(page(interstitial(marks='<form action="/x?__cf_chl_f_tk=1"></form>')), id="form"),
            pytest.param(page(interstitial(marks="<script>window._cf_chl_opt={}</script>")), id="options"),
            pytest.param(
                page(interstitial(marks='<script src="/cdn-cgi/challenge-platform/h/b/orchestrate/v1"></script>')),
                id="script",
            ),
            pytest.param(
                page(interstitial(marks='<script>a.src="/cdn-cgi/challenge-platform/h/g/x"</script>')),
                id="script-of-a-script",
            ),
            pytest.param(
                page(interstitial(marks=f"<script>window._cf_chl_opt={{a:'{'x' * 5000}'}}</script>")),
                id="long-script",
            ),
        ],
    )
    def test_by_what_it_is_made_of(self, response: Response) -> None:
        assert is_challenge(response)

    @pytest.mark.parametrize(
        "response",
        [
            pytest.param(page("<title>403 Forbidden</title><h1>Forbidden</h1>", 403), id="forbidden"),
            pytest.param(page(""), id="empty"),
            pytest.param(page(interstitial()), id="no-mark"),
            pytest.param(page("", 403, {"cf-mitigated": "block"}), id="another-header"),
            pytest.param(Response(FIRST.url, body=CHALLENGE), id="no-text"),
            pytest.param(
                page(interstitial(title="Just a moment... 读者为何打不开网站", marks="<p>Just a moment...</p>")),
                id="longer-title",
            ),
            pytest.param(
                page(
                    interstitial(
                        marks="<p>网页里有 cf-turnstile、cf-challenge 和 window._cf_chl_opt，"
                        "脚本来自 /cdn-cgi/challenge-platform/h/b/orchestrate/</p>"
                    )
                ),
                id="written-about",
            ),
            pytest.param(
                page(interstitial(marks='<script src="/cdn-cgi/challenge-platform/scripts/jsd/main.js"></script>')),
                id="watching-script",
            ),
            pytest.param(
                page(interstitial(title="Just a moment...", marks='<article class="cf-turnstile">短讯</article>')),
                id="an-article",
            ),
            pytest.param(
                page(interstitial(title="Just a moment...", marks=f'<link rel="canonical" href="{FIRST.url}">')),
                id="says-its-address",
            ),
            pytest.param(page(interstitial(title="Just a moment...", marks=FURNITURE)), id="much-text"),
            pytest.param(page(b"<title>Just a moment...</title>" + b"<div>" * 200_000), id="nested-without-end"),
        ],
    )
    def test_not_by_what_it_says(self, response: Response) -> None:
        assert not is_challenge(response)

    def test_an_article_about_challenge_pages_with_parts_of_one(self) -> None:
        """The widget stands beside its form, the script watches, title and text are about nothing else."""
        parts = (
            '<script>window._cf_chl_opt={}</script><form><div class="cf-turnstile"></div></form>'
            "<p>Just a moment... cf-challenge challenge-platform</p></body>"
        )
        html = b"".join(FIRST.page).decode().replace("</body>", parts)
        assert parts in html
        assert not is_challenge(page(html))

    def test_no_sample_page_is_one_but_that(self) -> None:
        pages = sorted(FIXTURES.glob("*/*/page.html"))
        assert len(pages) > 20
        assert [path.parent.name for path in pages if is_challenge(page(path.read_bytes()))] == ["not-challenge"]


class MoodySite(SampleSite):
    """Gives the answers of ``mood`` to the requests for articles, in their order; then the pages themselves."""

    mood: list[Answer | None]

    def answer(self, url: str) -> Answer:
        given = super().answer(url)
        if "/gb/26/" in url and self.mood:
            return self.mood.pop(0) or given
        return given


@pytest.fixture
def site(world: World) -> Iterator[MoodySite]:
    with MoodySite(World(STORIES)) as running:
        running.mood = []
        yield running


class TestRun:
    @pytest.mark.untraced
    @pytest.mark.parametrize(
        ("answer", "counter", "cause"),
        [
            pytest.param(FORBIDDEN, "blocked/forbidden", "HTTP 403", id="forbidden"),
            pytest.param(CHALLENGED, "blocked/challenge", "challenge page", id="challenge"),
        ],
    )
    def test_that_is_refused_ends(
        self, mirror: Mirror, site: MoodySite, answer: Answer, counter: str, cause: str
    ) -> None:
        site.mood = [answer] * 40
        outcome = mirror.crawl("epochtimes", ONE_BY_ONE, url=URLS)
        assert outcome.verdict == "blocked"
        assert outcome.stats[counter] == IN_A_ROW
        assert len(article_requests(site.requests)) == IN_A_ROW
        assert outcome.faults[0].startswith(f"the outlet blocks the crawl ({cause}: {IN_A_ROW})")
        assert mirror.articles() == {}

    @pytest.mark.untraced
    def test_what_waits_for_its_turn_is_not_waited_for(self, mirror: Mirror, site: MoodySite) -> None:
        """Sent one after another, what had passed all middlewares would take a minute to be given up."""
        site.mood = [FORBIDDEN] * 40
        slow = {"CONCURRENT_REQUESTS_PER_DOMAIN": 8, "DOWNLOAD_DELAY": 0.1, "CONCURRENT_REQUESTS": 40}
        outcome = mirror.crawl("epochtimes", slow, url=URLS)
        assert outcome.verdict == "blocked"
        assert len(article_requests(site.requests)) < 20
        assert outcome.stats["articles/failed/not sent: the run was ended because the outlet refuses it"] > 10

    def test_what_waits_for_the_end_of_a_rest_is_not_sent(
        self, mirror: Mirror, site: MoodySite, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pace, "BROKEN_REST", 20.0)
        site.mood = [Answer(status=503, delay=0.3), *[Answer(status=403, delay=0.6)] * 39]
        at_once = {"CONCURRENT_REQUESTS_PER_DOMAIN": 8, "DOWNLOAD_DELAY": 0.005}
        outcome = mirror.crawl("epochtimes", at_once, url=URLS)
        assert outcome.verdict == "blocked"
        assert IN_A_ROW < len(article_requests(site.requests)) <= 8

    def test_refusals_of_both_kinds_are_counted_together(self, mirror: Mirror, site: MoodySite) -> None:
        site.mood = [FORBIDDEN, CHALLENGED, Answer(status=403, parts=(CHALLENGE,)), CHALLENGED, FORBIDDEN]
        outcome = mirror.crawl("epochtimes", ONE_BY_ONE, url=URLS)
        assert (outcome.stats["blocked/forbidden"], outcome.stats["blocked/challenge"]) == (2, 3)
        assert outcome.verdict == "blocked"

    @pytest.mark.untraced
    @pytest.mark.parametrize("between", [None, Answer(status=404)], ids=["page", "gone"])
    def test_a_good_answer_between_begins_anew(self, mirror: Mirror, site: MoodySite, between: Answer | None) -> None:
        site.mood = [*[FORBIDDEN] * 4, between, *[CHALLENGED] * 4]
        outcome = mirror.crawl("epochtimes", ONE_BY_ONE, url=URLS)
        assert outcome.verdict != "blocked"
        assert len(article_requests(site.requests)) == 40

    def test_another_bad_answer_between_does_not(self, mirror: Mirror, site: MoodySite) -> None:
        site.mood = [FORBIDDEN, FORBIDDEN, Answer(status=400), FORBIDDEN, FORBIDDEN, FORBIDDEN]
        assert mirror.crawl("epochtimes", ONE_BY_ONE, url=URLS).verdict == "blocked"
        assert len(article_requests(site.requests)) == 6

    @pytest.mark.parametrize("status", [200, 503])
    def test_a_challenge_page_is_asked_for_once(
        self, mirror: Mirror, site: MoodySite, monkeypatch: pytest.MonkeyPatch, status: int
    ) -> None:
        monkeypatch.setattr(pace, "BROKEN_REST", 0.0)
        site.set(FIRST.url, CHALLENGE, status=status)
        outcome = mirror.crawl("epochtimes", url=FIRST.url)
        assert site.asked(FIRST.url) == [FIRST.url]
        assert outcome.failures == [f"article {FIRST.url}: challenge page"]
        assert outcome.stats["blocked/challenge"] == 1
        assert "articles/second_look" not in outcome.stats

    def test_a_list_behind_a_challenge_is_a_fault(self, mirror: Mirror, site: MoodySite) -> None:
        first = list_address("epochtimes", "section", "nsc413", 1)
        site.set(first, CHALLENGE)
        outcome = mirror.crawl("epochtimes", section="nsc413")
        assert outcome.verdict == "failed"
        assert outcome.stats["lists/failed"] == 1
        assert site.asked(first) == [first]

    @pytest.mark.parametrize("body", [b"", CHALLENGE], ids=["plain", "challenge"])
    def test_a_forbidden_robots_txt_is_no_refusal(self, mirror: Mirror, site: MoodySite, body: bytes) -> None:
        """RFC 9309 2.3.1.3: then there are no rules."""
        site.set(ROBOTS, body, status=403)
        outcome = mirror.crawl("epochtimes", url=FIRST.url)
        assert outcome.verdict == "ok"
        assert not any(key.startswith("blocked/") for key in outcome.stats)

    def test_a_challenge_page_for_robots_txt_leaves_nothing_to_ask(
        self, mirror: Mirror, site: MoodySite, caplog: pytest.LogCaptureFixture
    ) -> None:
        site.set(ROBOTS, CHALLENGE)
        outcome = mirror.crawl("epochtimes", url=URLS)
        assert outcome.verdict == "blocked"
        assert site.asked() == [ROBOTS]
        assert f"a challenge page instead of {ROBOTS}" in caplog.text


class TestClosedForGood:
    """Articles that nobody may read stay wanted; each run asks for them, and none must end for them."""

    @pytest.fixture
    def closed(self, mirror: Mirror, site: MoodySite) -> list[str]:
        """The addresses of articles that could not be had before, and cannot now."""
        stories = news("epochtimes", 12, start=100)
        mirror.crawl("epochtimes", url=FIRST.url)
        with mirror.store() as store:
            for story in stories:
                site.set(story.url, status=403)
                store.note_failure("epochtimes", story.article_id, story.url, "HTTP 403", "2026-11-21T00:00:00+00:00")
        site.requests.clear()
        return [story.url for story in stories]

    def test_they_end_no_run_that_is_served_and_are_soon_left(
        self, mirror: Mirror, site: MoodySite, closed: list[str]
    ) -> None:
        outcome = mirror.crawl("epochtimes", ONE_BY_ONE, section="nsc413")
        assert outcome.verdict == "ok"
        assert outcome.stats["articles/new"] == 39
        assert outcome.stats["blocked/forbidden"] == len(set(closed) & set(site.asked())) >= IN_A_ROW

    @pytest.mark.untraced
    def test_they_count_where_nothing_else_is_served(self, mirror: Mirror, site: MoodySite, closed: list[str]) -> None:
        site.set(list_address("epochtimes", "section", "nsc413", 1), status=403)
        outcome = mirror.crawl("epochtimes", ONE_BY_ONE, section="nsc413")
        assert outcome.verdict == "blocked"
        assert len(site.asked("/gb/")) == IN_A_ROW


def test_nothing_is_sent_once_the_run_is_blocked() -> None:
    crawler = get_crawler()
    blocked = Blocked(crawler)
    blocked.process_request(Request(FIRST.url))
    pace.Pace.of(crawler).stopped = True
    with pytest.raises(NotSentError, match=r"^not sent: the run was ended because the outlet refuses it$"):
        blocked.process_request(Request(FIRST.url))
