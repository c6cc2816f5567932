"""What is kept of a run, also when the disk is full: its report, the file of it, and what earlier ones say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mirror_crawler import reports
from mirror_crawler.health import BodyLengths, Tally
from mirror_crawler.reports import KEPT, ReportFile, earlier_lengths
from mirror_crawler.store import StoreError
from tests.mirror import Mirror
from tests.test_health import address, judged, lose, saw
from tests.test_run import begun, ended, last_verdicts

STARTED, FINISHED = "2026-11-22T01:00:00+00:00", "2026-11-22T01:02:30+00:00"
RUN = "20261122T010000Z"


def report(tally: Tally, **stats: Any) -> dict[str, Any]:
    return reports.report(
        outlet="epochtimes",
        run=RUN,
        started_at=STARTED,
        finished_at=FINISHED,
        verdict=judged(tally),
        tally=tally,
        stats=stats,
    )


class TestReport:
    def test_says_all(self) -> None:
        tally = lose(saw(Tally(), 3, section=None), 1, "no body (#artbody)", "body")
        tally.saw_list(address(1), 30, first=True)
        tally.lost_list(address(2), "HTTP 404")
        counts = {"downloader/request_count": 7, "downloader/response_bytes": 70_000, "articles/new": 3}
        told = report(tally, **counts, finish_reason="finished", flag=True)
        findings, fields = told.pop("findings"), told.pop("fields")
        assert told == {
            "schema": 1,
            "outlet": "epochtimes",
            "run": RUN,
            "started_at": STARTED,
            "finished_at": FINISHED,
            "seconds": 150.0,
            "verdict": "degraded",
            "counts": counts,
            "causes": {"no body": 1, "HTTP 404": 1},
            "lists": {"had": 1, "lost": 1},
            "body_length": {"count": 3, "median": 4},
            "requests": 7,
            "bytes": 70_000,
        }
        assert [(finding["field"], finding["count"], finding["of"]) for finding in findings] == [
            (None, 1, 2),
            ("section", 3, 3),
        ]
        assert {name: (fields[name]["filled"], fields[name]["of"]) for name in fields} == {
            "title": (4, 4),
            "body": (3, 4),
            "time": (3, 3),
            "clock": (3, 3),
            "section": (0, 3),
            "authors": (3, 3),
            "editor": (3, 3),
            "tags": (3, 3),
            "lead_image": (0, 3),
        }

    def test_of_a_run_without_a_request(self) -> None:
        told = report(Tally())
        assert (told["requests"], told["bytes"], told["verdict"]) == (0, 0, "ok")


def test_lengths_of_earlier_runs() -> None:
    def told(median: int, count: int, started_at: str = STARTED, **changed: Any) -> dict[str, Any]:
        lengths = {"count": count, "median": median}
        return {"schema": 1, "started_at": started_at, "findings": [], "body_length": lengths, **changed}

    found = [
        told(100, 5),
        told(200, 9),
        told(300, 5),
        told(9, 99, findings=[{"field": "body"}]),
        told(9, 99, "2026-10-22T01:00:00+00:00"),
        {},
        {"articles/new": 3},
    ]
    assert earlier_lengths(found, "2026-10-23T01:00:00+00:00") == BodyLengths(19, 200)
    assert earlier_lengths(found[3:], "2026-10-23T01:00:00+00:00") is None
    assert earlier_lengths([told(0, 0)], STARTED) is None


class TestFile:
    @pytest.fixture
    def file(self, tmp_path: Path) -> ReportFile:
        return ReportFile(tmp_path, "epochtimes", RUN)

    @pytest.mark.parametrize("reserved", [True, False], ids=["as-usual", "its-room-was-removed"])
    def test_is_whole(self, file: ReportFile, reserved: bool) -> None:
        if reserved:
            file.reserve()
        assert file.read() is None
        file.write(report(Tally()))
        assert [path.name for path in file.path.parent.iterdir()] == [f"epochtimes-{RUN}.json"]
        assert json.loads(file.path.read_text(encoding="utf-8")) == file.read() == report(Tally())

    def test_takes_its_room_before_it_is_written(self, file: ReportFile) -> None:
        """What is written needs no further room: a disk that fills up meanwhile does not silence it."""
        file.reserve()
        (taken,) = file.path.parent.iterdir()
        before = taken.stat()
        assert before.st_size > 2 * len(json.dumps(report(lose(saw(Tally(), 9), 9))))
        file.write(report(Tally()))
        assert file.path.stat().st_ino == before.st_ino

    def test_of_a_killed_run_leaves_no_room_taken(self, file: ReportFile, tmp_path: Path) -> None:
        file.reserve()
        other = ReportFile(tmp_path, "ntdtv", RUN)
        other.reserve()
        ReportFile(tmp_path, "epochtimes", "20261122T020000Z").reserve()
        left = sorted(path.name for path in file.path.parent.iterdir())
        assert left == ["epochtimes-20261122T020000Z.json.part", f"ntdtv-{RUN}.json.part"]

    def test_is_one_of_a_bounded_number(self, file: ReportFile) -> None:
        """The oldest of the outlet go, none of another's, and nothing that is no report."""
        directory = file.path.parent
        directory.mkdir()
        names = [f"epochtimes-202610{day:02}T{hour:02}0000Z.json" for day in range(1, 31) for hour in range(24)]
        others = ["ntdtv-20200101T000000Z.json", "schedule.json", "epochtimes.lock"]
        for name in (*names[: KEPT + 5], *others):
            (directory / name).touch()
        file.write(report(Tally()))
        left = {path.name for path in directory.iterdir()}
        assert left == {*names[6 : KEPT + 5], file.path.name, *others}

    @pytest.mark.parametrize("content", [b"", b"\0" * 9, b"[]", b"{}", b'{"schema": 2}', b"\xff"])
    def test_that_is_none_is_not_read(self, file: ReportFile, content: bytes) -> None:
        file.path.parent.mkdir()
        file.path.write_bytes(content)
        assert file.read() is None


class TestRunThatTheStoreCannotEnd:
    """A full disk keeps the store from noting how a run ended; the file tells it to whoever asks, and the next run
    tells the store.
    """

    FULL = "MIRROR_DB: x cannot grow because the disk is full"

    @pytest.fixture
    def full(self, mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> str:
        """The name of such a run."""

        def fail(*_: Any, **__: Any) -> None:
            raise StoreError(self.FULL)

        run = begun(mirror)
        monkeypatch.setattr(run.store, "end_run", fail)
        ended(run)
        assert run.verdict == "failed"
        assert last_verdicts(mirror) == [None]
        return run.name

    def test_is_shown_as_it_ended(self, mirror: Mirror, full: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert mirror.ask("health", "epochtimes") == 1
        (row,) = capsys.readouterr().out.splitlines()[2:]
        assert row.split()[:2] == [full, "failed"]
        assert row.endswith(self.FULL)

    def test_is_noted_by_the_next(self, mirror: Mirror, full: str, caplog: pytest.LogCaptureFixture) -> None:
        ended(begun(mirror))
        assert last_verdicts(mirror) == ["ok", "failed"]
        with mirror.store() as store:
            noted = store.last_runs("epochtimes", 2)[1]
        assert noted.report == ReportFile(mirror.data, "epochtimes", full).read()
        assert noted.finished_at == noted.report["finished_at"]
        assert [finding["what"] for finding in noted.report["findings"]] == [self.FULL]
        assert f"Run {full} of epochtimes ended as failed and could not keep all; its feeds are complete now" in (
            caplog.text
        )

    def test_is_killed_when_its_file_is_lost_too(self, mirror: Mirror, full: str) -> None:
        ReportFile(mirror.data, "epochtimes", full).path.unlink()
        assert mirror.ask("health", "epochtimes") == 1
        ended(begun(mirror))
        assert last_verdicts(mirror) == ["ok", "killed"]


def test_a_feed_that_could_not_be_stored_is_what_the_run_is_remembered_for(mirror: Mirror) -> None:
    run = begun(mirror)
    run.count("feedexport/failed_count/AtomicFileStorage")
    ended(run)
    ended(begun(mirror))
    with mirror.store() as store:
        noted = store.last_runs("epochtimes", 2)[1]
    assert noted.verdict == "failed"
    assert noted.report["findings"][0]["what"].startswith("a feed could not be stored")
