"""Conditional requests: what the outlet said of a page's state is said to it again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Response
from scrapy.utils.test import get_crawler

from mirror_crawler.conditional import CONDITIONAL, Conditional, asked_url, validator_of
from mirror_crawler.run import Run
from mirror_crawler.spiders.epochtimes import EpochtimesSpider
from mirror_crawler.store import Validator
from tests.mirror import SECTION, Mirror, news
from tests.site import SampleSite
from tests.site.stories import section_url

URL = "https://www.epochtimes.com/gb/nsc413.htm"
MOMENT = "Sun, 22 Nov 2026 01:02:00 GMT"


@pytest.fixture
def crawler(mirror: Mirror) -> Iterator[Crawler]:
    made = get_crawler(EpochtimesSpider, dict(mirror.settings()))
    yield made
    asyncio.run(Run.of(made).engine_stopped())


class TestRequest:
    @pytest.mark.untraced
    @pytest.mark.parametrize(
        ("state", "headers"),
        [
            pytest.param(None, {}, id="nothing-known"),
            pytest.param(Validator('"a"', ""), {b"If-None-Match": [b'"a"']}, id="etag"),
            pytest.param(Validator("", MOMENT), {b"If-Modified-Since": [MOMENT.encode()]}, id="date"),
            pytest.param(
                Validator('W/"a"', MOMENT, "https://www.epochtimes.com/gb/nsc413_2.htm"),
                {b"If-None-Match": [b'W/"a"'], b"If-Modified-Since": [MOMENT.encode()]},
                id="both",
            ),
        ],
    )
    def test_says_what_is_known(
        self, crawler: Crawler, state: Validator | None, headers: dict[bytes, list[bytes]]
    ) -> None:
        if state is not None:
            Run.of(crawler).store.put_validators({URL: state})
        request = Request(URL, meta={CONDITIONAL: True})
        Conditional.from_crawler(crawler).process_request(request)
        assert request.headers == headers

    @pytest.mark.parametrize("meta", [{}, {CONDITIONAL: False}], ids=["not-said", "said"])
    def test_that_wants_the_page_gets_it(self, crawler: Crawler, meta: dict[str, bool]) -> None:
        Run.of(crawler).store.put_validators({URL: Validator('"a"', MOMENT)})
        request = Request(URL, meta=meta)
        Conditional.from_crawler(crawler).process_request(request)
        assert request.headers == {}

    def test_after_a_redirect_speaks_of_the_page_that_was_meant(self, crawler: Crawler) -> None:
        moved = Request(f"{URL}?page=1", meta={CONDITIONAL: True, "redirect_urls": [URL, f"{URL}?"]})
        Run.of(crawler).store.put_validators({URL: Validator('"a"', ""), moved.url: Validator('"b"', "")})
        assert asked_url(moved) == URL
        Conditional.from_crawler(crawler).process_request(moved)
        assert moved.headers["If-None-Match"] == b'"a"'


class TestResponse:
    @pytest.mark.parametrize(("status", "counted"), [(304, 1), (200, 0), (404, 0)])
    def test_what_was_not_sent_is_counted(self, crawler: Crawler, status: int, counted: int) -> None:
        request, response = Request(URL, headers={"If-None-Match": '"a"'}), Response(URL, status=status)
        assert Conditional.from_crawler(crawler).process_response(request, response) is response
        assert Run.of(crawler).counted("http/not_modified") == counted

    @pytest.mark.parametrize(
        ("headers", "state"),
        [
            pytest.param({}, Validator("", ""), id="none"),
            pytest.param({"ETag": ' "a" ', "Last-Modified": MOMENT}, Validator('"a"', MOMENT), id="both"),
            pytest.param({"ETag": f'"{"a" * 600}"', "Last-Modified": MOMENT}, Validator("", MOMENT), id="endless"),
            pytest.param({"ETag": b'"\xe9"'}, Validator("", ""), id="not-ascii"),
            pytest.param({"ETag": b'"a\tb"'}, Validator("", ""), id="control-character"),
        ],
    )
    def test_state_is_what_can_be_sent_back(self, headers: dict[str, str], state: Validator) -> None:
        response = Response(URL, headers=headers)
        assert validator_of(response) == state
        following = "https://www.epochtimes.com/gb/nsc413_2.htm"
        assert validator_of(response, following) == state._replace(next_url=following)


@pytest.mark.untraced
@pytest.mark.parametrize("what", ["list", "article"])
def test_a_304_that_nobody_asked_for_is_a_failure(mirror: Mirror, site: SampleSite, what: str) -> None:
    story = news("epochtimes", 12)[4]
    site.set(section_url("epochtimes", SECTION["epochtimes"]) if what == "list" else story.url, status=304)
    outcome = mirror.crawl("epochtimes", section=SECTION["epochtimes"])
    if what == "list":
        assert outcome.verdict == "failed"
        assert "HTTP 304 without being asked for it" in outcome.faults[0]
    else:
        assert outcome.failures == [f"article {story.url}: HTTP 304 without being asked for it"]
        with mirror.store() as store:
            assert [wanted.article_id for wanted in store.wanted("epochtimes", 9)] == [story.article_id]
