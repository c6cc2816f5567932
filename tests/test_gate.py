"""What of the pictures may still be sent for."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from scrapy import Request
from scrapy.http import Response

from mirror_crawler.ending import RunEndedError
from mirror_crawler.gate import IN_A_ROW, Gate, NotSentError, asked_host

HOST = "i.epochtimes.com"
PICTURE = Request(f"https://{HOST}/a.jpg")
MOVED = Request("https://other.example/b.jpg", meta={"redirect_urls": [PICTURE.url]})
ROBOTS = Request(f"https://{HOST}/robots.txt", meta={"dont_obey_robotstxt": True})


@pytest.fixture
def gate() -> Gate:
    return Gate()


def run(*, ending: bool = False, budget: int = 1000) -> Any:
    """As much of a run as a gate looks at; ``counts`` are what it counted."""
    counts: list[str] = []
    return SimpleNamespace(
        ending=ending, config=SimpleNamespace(images_bytes=budget), counts=counts, count=lambda key: counts.append(key)
    )


def answer(request: Request, status: int = 200, body: bytes = b"12345") -> Response:
    return Response(request.url, status=status, body=body, request=request)


def refused(gate: Gate, request: Request, status: int = 403, times: int = IN_A_ROW) -> None:
    for _ in range(times):
        gate.answered(request, answer(request, status))


class TestCheck:
    def test_is_open_at_first(self, gate: Gate) -> None:
        gate.check(PICTURE, run())
        gate.check(ROBOTS, run())

    @pytest.mark.parametrize("request_", [PICTURE, ROBOTS], ids=["picture", "robots.txt"])
    def test_nothing_leaves_when_the_run_ends(self, gate: Gate, request_: Request) -> None:
        with pytest.raises(RunEndedError, match="being ended"):
            gate.check(request_, run(ending=True))

    def test_budget(self, gate: Gate) -> None:
        told = run(budget=10)
        gate.answered(PICTURE, answer(PICTURE))
        gate.check(PICTURE, told)
        gate.answered(PICTURE, answer(PICTURE, 404))
        with pytest.raises(NotSentError, match="as many bytes"):
            gate.check(PICTURE, told)
        gate.check(ROBOTS, told)
        assert told.counts == ["pictures/over_budget"]

    def test_host_that_is_left_alone(self, gate: Gate) -> None:
        told = run()
        refused(gate, PICTURE)
        for request in (PICTURE, MOVED):
            with pytest.raises(NotSentError, match="refused others"):
                gate.check(request, told)
        gate.check(Request("https://www.epochtimes.com/a.jpg"), told)
        gate.check(ROBOTS, told)
        assert told.counts == ["pictures/left_alone"] * 2


class TestAnswered:
    @pytest.mark.parametrize("status", [403, 429, 500, 503])
    def test_refusals_in_a_row_close(self, gate: Gate, status: int) -> None:
        refused(gate, PICTURE, status, IN_A_ROW - 1)
        assert gate.closed == set()
        refused(gate, MOVED, status, 1)
        assert gate.closed == {HOST}

    @pytest.mark.parametrize("status", [200, 301, 404, 410])
    def test_others_do_not(self, gate: Gate, status: int) -> None:
        refused(gate, PICTURE, status, 2 * IN_A_ROW)
        assert gate.closed == set()

    def test_a_picture_between_opens_again(self, gate: Gate) -> None:
        refused(gate, PICTURE, times=IN_A_ROW - 1)
        gate.served(HOST)
        refused(gate, PICTURE, times=IN_A_ROW - 1)
        assert gate.closed == set()

    def test_robots_txt_is_none(self, gate: Gate) -> None:
        refused(gate, ROBOTS, 503, 2 * IN_A_ROW)
        assert (gate.closed, gate.spent) == (set(), 0)

    def test_is_told_once(self, gate: Gate, caplog: pytest.LogCaptureFixture) -> None:
        refused(gate, PICTURE, times=3 * IN_A_ROW)
        assert [record.getMessage() for record in caplog.records] == [
            f"{HOST} gave none of 5 pictures in a row; it is left alone in this run"
        ]


def test_host_is_the_one_that_was_asked() -> None:
    assert [asked_host(request) for request in (PICTURE, MOVED, ROBOTS)] == [HOST, HOST, HOST]
