"""What a run is worth: the verdict on what it saw."""

from __future__ import annotations

from typing import Any

import pytest

from mirror_crawler import health
from mirror_crawler.health import BodyLengths, Expectations, Finding, Tally, Verdict
from mirror_crawler.items import Article
from tests.test_pipelines import article

SELECTORS = {"title": "h1.title", "body": "#artbody", "time": ".info time", "section": ".crumbs a", "list": ".post a"}


def address(number: int) -> str:
    return f"https://www.epochtimes.com/gb/26/11/22/n{number}.htm"


def page(number: int, **changed: Any) -> Article:
    return article(article_id=f"n{number}", url=address(number), **changed)


def saw(tally: Tally, count: int, *, start: int = 1, **changed: Any) -> Tally:
    for number in range(start, start + count):
        tally.saw_article(page(number, **changed))
    return tally


def lose(
    tally: Tally,
    count: int,
    cause: str = "HTTP 500",
    field: str | None = None,
    *,
    start: int = 900,
    again: bool = False,
) -> Tally:
    for number in range(start, start + count):
        tally.lost_article(address(number), cause, field, SELECTORS[field] if field else None, again=again)
    return tally


def judged(
    tally: Tally,
    expectations: Expectations = Expectations(),  # noqa: B008 - it is frozen
    earlier: BodyLengths | None = None,
    reason: str = "finished",
    **more: Any,
) -> Verdict:
    return health.judge(tally, expectations, SELECTORS, earlier, reason=reason, **more)


def only(verdict: Verdict) -> Finding:
    (finding,) = verdict.findings
    return finding


class TestEnd:
    def test_a_run_with_nothing_new_is_ok(self) -> None:
        tally = Tally()
        tally.kept_list(first=True)
        assert judged(tally) == Verdict(verdict="ok", findings=[])

    @pytest.mark.parametrize(
        ("reason", "what"),
        [("store", "the crawl ended early: store"), ("", "the crawl ended early: it never started")],
    )
    def test_early(self, reason: str, what: str) -> None:
        verdict = judged(saw(Tally(), 5), reason=reason)
        assert (verdict.verdict, only(verdict).what, verdict.publishes) == ("failed", what, False)

    def test_early_for_a_cause_that_is_told(self) -> None:
        tally = saw(Tally(), 5)
        tally.problem("MIRROR_DB: x is full")
        assert only(judged(tally, reason="store")).what == "MIRROR_DB: x is full"

    @pytest.mark.parametrize("reason", ["shutdown", "closespider_timeout", "memusage_exceeded"])
    def test_one_that_was_stopped_publishes_what_it_has(self, reason: str) -> None:
        verdict = judged(saw(Tally(), 5), reason=reason)
        what = "the crawl was stopped before its end; the next run goes on"
        assert (verdict.verdict, only(verdict).what, verdict.publishes) == ("degraded", what, True)

    def test_blocked_is_told_first_whatever_it_cost(self) -> None:
        tally = Tally()
        tally.problem("robots.txt of www.epochtimes.com: HTTP 403")
        for number in range(5):
            tally.refused_by_outlet(address(number), "HTTP 403" if number else "challenge page")
            tally.lost_list(address(number), "HTTP 403")
        verdict = judged(tally, reason="blocked")
        assert (verdict.verdict, verdict.publishes) == ("blocked", False)
        assert [finding.level for finding in verdict.findings] == ["blocked", "failed", "failed"]
        assert verdict.findings[0].line == (
            "the outlet blocks the crawl (HTTP 403: 4, challenge page: 1): " + " ".join(map(address, range(3)))
        )

    def test_blocked_without_a_note_of_the_cause(self) -> None:
        assert only(judged(Tally(), reason="blocked")).line == "the outlet blocks the crawl (no cause noted)"

    def test_problems_are_told_once_and_in_one_line(self) -> None:
        tally = Tally()
        for _ in range(2):
            tally.problem("MIRROR_DB: x cannot grow\n because the disk is full")
        verdict = judged(tally)
        assert (verdict.verdict, only(verdict).line) == (
            "failed",
            "MIRROR_DB: x cannot grow because the disk is full",
        )

    def test_there_are_never_many_problems(self) -> None:
        tally = Tally()
        for number in range(1000):
            tally.problem(f"problem {number}")
        assert len(judged(tally).findings) == 20

    @pytest.mark.parametrize(
        ("fault", "what"),
        [
            ({"items_lost": 2}, "2 items were lost to exceptions, see the log"),
            ({"pages_failed": True}, "pages could not be written"),
            ({"feed_failed": True}, "a feed could not be stored; the next run will write it"),
        ],
    )
    def test_faults_of_ours(self, fault: dict[str, Any], what: str) -> None:
        verdict = judged(saw(Tally(), 5), **fault)
        assert (verdict.verdict, only(verdict).what) == ("failed", what)


class TestLists:
    def test_all_empty(self) -> None:
        tally = Tally()
        for number in range(4):
            tally.lost_list(address(number), "no article link (.post a)", "list", ".post a")
        verdict = judged(tally)
        assert verdict.verdict == "failed"
        assert only(verdict) == Finding(
            level="failed",
            what="no article link in 4 of 4 lists (.post a)",
            field="list",
            selector=".post a",
            count=4,
            of=4,
            examples=[address(number) for number in range(3)],
        )

    @pytest.mark.parametrize("kept", [True, False], ids=["as-it-was", "read"])
    def test_some_lost(self, *, kept: bool) -> None:
        tally = Tally()
        if kept:
            tally.kept_list(first=True)
        else:
            tally.saw_list(address(1), 30, first=True)
        tally.lost_list(address(2), "HTTP 404")
        verdict = judged(tally)
        assert (verdict.verdict, verdict.publishes) == ("degraded", True)
        assert only(verdict).line == f"1 of 2 lists could not be had (HTTP 404: 1): {address(2)}"

    def test_one_empty_and_one_lost_are_all(self) -> None:
        tally = Tally()
        tally.lost_list(address(1), "HTTP 404")
        tally.lost_list(address(2), "no article link", "list", ".post a")
        assert [(finding.level, finding.count, finding.of) for finding in judged(tally).findings] == [
            ("failed", 1, 2),
            ("failed", 1, 2),
        ]

    def test_thin_first_pages_are_like_lost_ones(self) -> None:
        tally = Tally()
        for number, entries in enumerate((30, 4, 5, 0)):
            tally.saw_list(address(number), entries, first=True)
        tally.saw_list(address(9), 1, first=False)
        tally.kept_list(first=False)
        verdict = judged(tally, Expectations(list_entries=5))
        assert verdict.verdict == "degraded"
        assert only(verdict).line == (
            f"fewer than 5 article links in 2 of 4 lists (.post a): {address(3)} {address(1)}"
        )
        assert judged(tally, Expectations(list_entries=31)).verdict == "failed"
        assert judged(tally, Expectations(list_entries=0)).verdict == "ok"


class TestFields:
    """The lack of a field, by the number of articles with it, and without."""

    @pytest.mark.parametrize(
        ("field", "has", "lacks", "verdict"),
        [
            pytest.param("body", 27, 3, "ok", id="a-tenth-of-the-bodies"),
            pytest.param("body", 26, 3, "degraded", id="more-than-a-tenth"),
            pytest.param("body", 10, 2, "ok", id="a-few"),
            pytest.param("body", 5, 5, "degraded", id="half"),
            pytest.param("body", 5, 6, "failed", id="more-than-half"),
            pytest.param("body", 0, 1, "failed", id="the-only-one"),
            pytest.param("body", 1, 2, "ok", id="two-of-three"),
            pytest.param("title", 200, 4, "ok", id="a-fiftieth-of-the-titles"),
            pytest.param("title", 140, 3, "degraded", id="more-than-a-fiftieth"),
            pytest.param("title", 3, 4, "failed", id="more-than-half-the-titles"),
        ],
    )
    def test_of_pages_that_became_no_article(self, field: str, has: int, lacks: int, verdict: str) -> None:
        told = judged(lose(saw(Tally(), has), lacks, f"no {field}", field))
        assert told.verdict == verdict
        if verdict != "ok":
            assert only(told) == Finding(
                level=told.verdict,  # type: ignore[arg-type]
                what=f"no {field} in {lacks} of {has + lacks} articles ({SELECTORS[field]})",
                field=field,
                selector=SELECTORS[field],
                count=lacks,
                of=has + lacks,
                examples=[address(900 + number) for number in range(min(lacks, 3))],
            )

    @pytest.mark.parametrize(
        ("field", "lacking", "has", "lacks", "verdict"),
        [
            pytest.param("time", {"published_source": "none"}, 26, 3, "degraded", id="some-times"),
            pytest.param("time", {"published_source": "none"}, 5, 6, "failed", id="most-times"),
            pytest.param("time", {"published_source": "none"}, 0, 1, "failed", id="the-only-time"),
            pytest.param("clock", {"published_source": "metadata"}, 4, 4, "ok", id="half-the-clocks"),
            pytest.param("clock", {"published_source": "dateline"}, 4, 5, "degraded", id="most-clocks"),
            pytest.param("clock", {"published_source": "metadata"}, 0, 2, "ok", id="two-clocks"),
            pytest.param("section", {"section": None}, 4, 5, "degraded", id="most-sections"),
            pytest.param("section", {"section": None}, 0, 2, "ok", id="two-sections"),
        ],
    )
    def test_of_articles(self, field: str, lacking: dict[str, Any], has: int, lacks: int, verdict: str) -> None:
        told = judged(saw(saw(Tally(), has), lacks, start=500, **lacking))
        assert told.verdict == verdict
        if verdict != "ok":
            finding = only(told)
            selector = SELECTORS["time" if field == "clock" else field]
            assert (finding.field, finding.selector, finding.count, finding.of) == (field, selector, lacks, has + lacks)
            assert finding.line.startswith(
                f"no {field} in {lacks} of {has + lacks} articles ({selector}): {address(500)}"
            )

    def test_an_outlet_may_expect_otherwise(self) -> None:
        tally = saw(Tally(), 9, authors=[], section=None)
        expected = Expectations(missing={"authors": 0.9})
        assert only(judged(tally, expected)).line.startswith("no authors in 9 of 9 articles (): ")

    def test_a_page_without_title_says_nothing_of_its_body(self) -> None:
        tally = lose(lose(saw(Tally(), 1), 5, "no headline", "title"), 5, "no body", "body", start=950)
        told = judged(tally)
        assert [(finding.field, finding.count, finding.of) for finding in told.findings] == [
            ("body", 5, 6),
            ("title", 5, 11),
        ]

    def test_the_selector_of_the_page_is_told_before_that_of_the_outlet(self) -> None:
        tally = Tally()
        tally.lost_article(address(1), "no body", "body", ".older-layout")
        tally.lost_article(address(2), "no body", "body")
        assert only(judged(tally)).selector == ".older-layout"


class TestPagesThatFailedBefore:
    def test_say_nothing_about_this_run(self) -> None:
        tally = lose(Tally(), 4, "no body", "body", again=True)
        lose(tally, 4, again=True)
        assert judged(tally).verdict == "ok"
        assert judged(tally, before={"findings": []}).verdict == "ok"

    def test_but_a_template_is_not_mended_until_a_page_shows_it(self) -> None:
        broken = judged(lose(Tally(), 4, "no body", "body"))
        before = {"findings": [{"field": finding.field} for finding in broken.findings]}
        tally = lose(lose(Tally(), 2, "no body", "body", start=950), 4, "no body", "body", again=True)
        told = judged(tally, before=before)
        assert only(told).line == (
            f"no body in 6 of 6 articles (#artbody): {address(950)} {address(951)} {address(900)}"
        )
        assert told.verdict == "failed"
        mended = saw(lose(Tally(), 4, "no body", "body", again=True), 1)
        assert judged(mended, before=before).verdict == "ok"
        other = {"findings": [{"field": "section"}, {"field": None}]}
        assert judged(lose(Tally(), 4, "no body", "body", again=True), before=other).verdict == "ok"


class TestLostArticles:
    @pytest.mark.parametrize(
        ("had", "lost", "verdict"),
        [
            pytest.param(0, 1, "failed", id="the-only-one"),
            pytest.param(3, 4, "failed", id="most"),
            pytest.param(3, 3, "degraded", id="half"),
            pytest.param(27, 3, "ok", id="a-tenth"),
            pytest.param(26, 3, "degraded", id="more-than-a-tenth"),
            pytest.param(5, 2, "ok", id="a-few"),
        ],
    )
    def test_share(self, had: int, lost: int, verdict: str) -> None:
        tally = saw(Tally(), had - had // 2)
        for _ in range(had // 2):
            tally.kept_article()
        told = judged(lose(tally, lost))
        assert told.verdict == verdict
        if verdict != "ok":
            line = f"{lost} of {had + lost} articles could not be had (HTTP 500: {lost}): {address(900)}"
            assert only(told).line.startswith(line)

    def test_causes_are_told_the_most_frequent_first(self) -> None:
        tally = lose(lose(Tally(), 1, "HTTP 404"), 2, "TimeoutError")
        assert "(TimeoutError: 2, HTTP 404: 1)" in only(judged(tally)).what

    def test_many_that_are_gone_may_be_a_fault_of_the_outlet(self) -> None:
        tally = saw(Tally(), 2)
        for number in range(3):
            assert judged(tally).verdict == "ok"
            tally.gone_article(address(number))
        told = judged(tally)
        assert (told.verdict, only(told).count, only(told).of) == ("degraded", 3, 5)
        assert judged(saw(tally, 1)).verdict == "ok"


class TestBodyLength:
    @pytest.mark.parametrize(
        ("length", "earlier", "verdict"),
        [
            pytest.param(40, BodyLengths(20, 120), "ok", id="a-third"),
            pytest.param(39, BodyLengths(20, 120), "degraded", id="shorter"),
            pytest.param(60, BodyLengths(20, 20), "ok", id="three-times"),
            pytest.param(61, BodyLengths(20, 20), "degraded", id="longer"),
            pytest.param(0, BodyLengths(20, 0), "ok", id="none-ever"),
            pytest.param(1, BodyLengths(19, 100), "ok", id="few-earlier"),
            pytest.param(1, None, "ok", id="none-earlier"),
        ],
    )
    def test_against_earlier_runs(self, length: int, earlier: BodyLengths | None, verdict: str) -> None:
        tally = saw(Tally(), 20, text="字" * length)
        told = judged(tally, earlier=earlier)
        assert told.verdict == verdict
        assert judged(saw(Tally(), 19, text="字" * length), earlier=earlier).verdict == "ok"
        if verdict != "ok":
            assert earlier is not None
            finding = only(told)
            assert (finding.field, finding.selector, finding.count) == ("body", "#artbody", 20)
            assert finding.what.startswith(
                f"the body of 20 articles has {length} characters in the median, {earlier.median} in the last 30 days"
            )

    def test_examples_are_the_odd_ones(self) -> None:
        tally = Tally()
        for number in range(40):
            tally.saw_article(page(number, text="字" * (number * 7 % 40)))
        lengths = {address(number): number * 7 % 40 for number in range(40)}
        short = only(judged(tally, earlier=BodyLengths(50, 900))).examples
        assert [lengths[url] for url in short] == [0, 1, 2]
        longest = only(judged(tally, earlier=BodyLengths(50, 1))).examples
        assert [lengths[url] for url in longest] == [39, 38, 37]

    @pytest.mark.untraced
    def test_median_is_exact_to_three_per_cent_and_bounded(self) -> None:
        tally = Tally()
        for length in range(1, 4002):
            tally.saw_article(page(1, text="字" * length))
        assert tally.body_lengths.count == 4001
        assert 2001 * 0.97 <= tally.body_lengths.median <= 2001
        assert len(tally._lengths) < 300


def test_causes_are_a_bounded_number() -> None:
    tally = Tally()
    for number in range(1000):
        tally.lost_article(address(number), f"cause number {number}")
    assert len(tally.causes) == 101
    assert tally.causes["other"] == 900
    assert sum(tally.lost_articles.causes.values()) == tally.lost_articles.count == 1000


def test_a_page_that_is_lost_twice_is_one_example() -> None:
    tally = lose(lose(Tally(), 1), 1)
    assert only(judged(tally)).examples == [address(900)]


@pytest.mark.parametrize(
    ("verdicts", "worst", "code"),
    [
        ([], "ok", 0),
        (["ok", "degraded"], "degraded", 4),
        (["blocked", "degraded"], "blocked", 5),
        (["blocked", "killed"], "killed", 1),
        (["failed", "blocked", "ok"], "failed", 1),
        (["ok", "of another program"], "failed", 1),
    ],
)
def test_worst(verdicts: list[str], worst: str, code: int) -> None:
    assert health.worst(verdicts) == worst
    assert health.EXIT_CODES[worst] == code


def test_every_verdict_has_its_exit_code() -> None:
    codes = {name: code for name, code in health.EXIT_CODES.items() if name != "killed"}
    assert len({*codes.values(), health.MISUSED}) == len(codes) + 1
