"""``scrapy health``: the last runs as a table or as JSON lines, and the exit code by the last verdict."""

from __future__ import annotations

import argparse
import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from scrapy.exceptions import UsageError
from scrapy.settings import Settings

from mirror_crawler import reports
from mirror_crawler.commands.health import Command
from mirror_crawler.health import Finding, Tally, Verdict
from mirror_crawler.locks import FileLock
from mirror_crawler.store import ArticleStore
from tests import mirror

FINDING = Finding(
    level="failed",
    what="no body in 30 of 30 articles (#artbody)",
    field="body",
    selector="#artbody",
    count=30,
    of=30,
    examples=["https://www.epochtimes.com/gb/26/11/22/n1.htm", "https://www.epochtimes.com/gb/26/11/22/n2.htm"],
)
OTHER = Finding(level="degraded", what="1 of 9 lists could not be had (HTTP 404: 1)")
STATS = {
    "articles/new": 1_200,
    "articles/revised": 3,
    "articles/amended": 2,
    "articles/returned": 1,
    "articles/withdrawn": 4,
    "articles/failed": 31,
    "downloader/request_count": 1_300,
}


class History:
    """The runs of a mirror, one an hour."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.address = f"sqlite:///{data / 'mirror.db'}"
        self.hour = 0

    @contextlib.contextmanager
    def store(self) -> Iterator[ArticleStore]:
        with ArticleStore(self.address) as store:
            yield store

    def began(self, outlet: str = "epochtimes") -> str:
        """A run that has begun; its name."""
        self.hour += 1
        with self.store() as store:
            return store.begin_run(outlet, f"2026-11-22T{self.hour:02}:00:00+00:00")

    def ended(
        self, verdict: Any = "ok", outlet: str = "epochtimes", *findings: Finding, stats: Mapping[str, int] = STATS
    ) -> str:
        """A run that has ended; its name."""
        run = self.began(outlet)
        tally = Tally()
        for _ in range(9):
            tally.kept_list(first=True)
        finished = f"2026-11-22T{self.hour:02}:02:30+00:00"
        told = reports.report(
            outlet=outlet,
            run=run,
            started_at=f"2026-11-22T{self.hour:02}:00:00+00:00",
            finished_at=finished,
            verdict=Verdict(verdict=verdict, findings=list(findings)),
            tally=tally,
            stats=stats,
        )
        with self.store() as store:
            store.end_run(outlet, run, finished_at=finished, verdict=verdict, report=told)
        return run

    def killed(self, outlet: str = "epochtimes") -> str:
        """A run that was killed, as the run after it noted; its name."""
        run = self.began(outlet)
        with self.store() as store:
            store.end_run(outlet, run, finished_at="2026-11-22T23:00:00+00:00", verdict="killed", report={})
        return run

    def lock(self, outlet: str = "epochtimes") -> FileLock:
        return FileLock(self.data / "runs" / f"{outlet}.lock")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = Settings()
    made.setmodule("mirror_crawler.settings")
    made.setdict({"MIRROR_DATA": str(tmp_path / "data"), "MIRROR_DB": ""}, priority="cmdline")
    return made


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "data")


def ask(settings: Settings, *words: str) -> int:
    """Run the command as Scrapy's command line does; its exit code."""
    command = Command()
    command.settings = settings
    parser = argparse.ArgumentParser(conflict_handler="resolve")
    command.add_options(parser)
    options, arguments = parser.parse_known_args(list(words))
    command.process_options(arguments, options)
    command.run(arguments, options)
    return command.exitcode


class TestTable:
    def test_shows_the_last_runs_the_newest_first(
        self, settings: Settings, history: History, capsys: pytest.CaptureFixture[str]
    ) -> None:
        killed = history.killed()
        good = history.ended()
        bad = history.ended("failed", "epochtimes", FINDING, OTHER, stats={"articles/failed": 30})
        assert ask(settings) == 1
        printed = capsys.readouterr()
        assert printed.out.splitlines() == [
            "epochtimes",
            "  run               verdict   minutes  lists      new  updated  withdrawn  failed",
            f"  {bad}  failed        2.5      9        0        0          0      30  {FINDING.line}",
            f"  {good}  ok            2.5      9    1,200        6          4      31",
            f"  {killed}  killed          -      -        -        -          -       -",
        ]
        assert FINDING.line.endswith("(#artbody): " + " ".join(FINDING.examples))
        assert printed.err == ""

    @pytest.mark.untraced
    @pytest.mark.parametrize(("words", "shown"), [((), 10), (("--last", "2"), 2), (("--last", "99"), 12)])
    def test_of_so_many_runs(
        self,
        settings: Settings,
        history: History,
        words: tuple[str, ...],
        shown: int,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        runs = [history.ended() for _ in range(12)]
        assert ask(settings, *words) == 0
        lines = capsys.readouterr().out.splitlines()[2:]
        assert [line.split()[0] for line in lines] == runs[::-1][:shown]

    def test_a_run_of_an_earlier_program_left_no_report_of_this_form(
        self, settings: Settings, history: History, capsys: pytest.CaptureFixture[str]
    ) -> None:
        run = history.began()
        with history.store() as store:
            store.end_run(
                "epochtimes",
                run,
                finished_at="2026-11-22T01:00:09+00:00",
                verdict="ok",
                report={"articles/new": 3},
            )
        assert ask(settings) == 0
        assert capsys.readouterr().out.splitlines()[-1].split() == [run, "ok", *("-" * 6)]


class TestOutlets:
    def test_all_that_have_been_crawled(
        self, settings: Settings, history: History, capsys: pytest.CaptureFixture[str]
    ) -> None:
        history.ended(outlet="ntdtv")
        assert ask(settings) == 0
        history.ended("degraded", "epochtimes", OTHER)
        assert ask(settings) == 4
        heads = [line for line in capsys.readouterr().out.splitlines() if not line.startswith(" ")]
        assert heads == ["ntdtv", "epochtimes", "ntdtv"]

    def test_those_asked_for(self, settings: Settings, history: History, capsys: pytest.CaptureFixture[str]) -> None:
        history.ended("failed")
        history.ended(outlet="ntdtv")
        assert ask(settings, "ntdtv") == 0
        assert "epochtimes" not in capsys.readouterr().out
        assert ask(settings, "ntdtv", "epochtimes") == 1

    def test_one_without_a_run(self, settings: Settings, history: History, capsys: pytest.CaptureFixture[str]) -> None:
        history.ended()
        assert ask(settings, "ntdtv", "epochtimes") == 1
        printed = capsys.readouterr()
        assert printed.out.startswith("epochtimes\n")
        assert printed.err == "scrapy health: ntdtv: no run yet; scrapy crawl ntdtv makes one\n"

    def test_no_run_at_all(self, settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
        assert ask(settings) == 1
        assert capsys.readouterr() == ("", "scrapy health: no run yet; scrapy crawl OUTLET makes one\n")


@pytest.mark.untraced
@pytest.mark.parametrize(("verdict", "code"), [("ok", 0), ("failed", 1), ("degraded", 4), ("blocked", 5)])
def test_the_exit_code_is_that_of_the_last_verdict(
    settings: Settings, history: History, verdict: str, code: int
) -> None:
    history.ended("failed" if verdict == "ok" else "ok")
    history.ended(verdict)
    assert ask(settings) == code


class TestRunsWithoutVerdict:
    def test_one_that_goes_on_is_shown_and_the_one_before_it_decides(
        self, settings: Settings, history: History, capsys: pytest.CaptureFixture[str]
    ) -> None:
        history.ended("degraded", "epochtimes", OTHER)
        run = history.began()
        with history.lock():
            assert ask(settings, "--last", "1") == 4
        assert capsys.readouterr().out.splitlines()[2:] == [
            f"  {run}  running         -      -        -        -          -       -"
        ]

    def test_one_that_was_killed_has_failed(
        self, settings: Settings, history: History, capsys: pytest.CaptureFixture[str]
    ) -> None:
        history.ended()
        run = history.began()
        for left in (False, True):  # its lock file may be there: that nobody holds it tells
            if left:
                history.lock().path.parent.mkdir()
                history.lock().path.touch()
            assert ask(settings, "--last", "1") == 1
            assert capsys.readouterr().out.splitlines()[2].split()[:2] == [run, "killed"]

    def test_of_two_only_the_last_can_be_going_on(
        self, settings: Settings, history: History, capsys: pytest.CaptureFixture[str]
    ) -> None:
        runs = [history.began(), history.began()]
        with history.lock():
            assert ask(settings) == 1
        shown = [line.split()[:2] for line in capsys.readouterr().out.splitlines()[2:]]
        assert shown == [[runs[1], "running"], [runs[0], "killed"]]

    def test_one_that_ends_while_we_look_was_not_killed(
        self, settings: Settings, history: History, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run = history.began()

        def ends(_: Path) -> bool:
            with history.store() as store:
                store.end_run("epochtimes", run, finished_at="2026-11-22T01:00:09+00:00", verdict="ok", report={})
            return False

        monkeypatch.setattr("mirror_crawler.commands.health._is_locked", ends)
        assert ask(settings) == 0

    def test_a_first_one_that_goes_on(
        self, settings: Settings, history: History, capsys: pytest.CaptureFixture[str]
    ) -> None:
        history.began()
        with history.lock():
            assert ask(settings) == 1
        assert capsys.readouterr().err == "scrapy health: epochtimes: its first run is going on\n"

    def test_a_lock_that_we_may_not_touch_is_taken_for_held(
        self, settings: Settings, history: History, capsys: pytest.CaptureFixture[str]
    ) -> None:
        history.began()
        history.lock().path.mkdir(parents=True)  # cannot be opened as a file
        ask(settings)
        assert " running " in capsys.readouterr().out


class TestJson:
    def test_is_the_reports(self, settings: Settings, history: History, capsys: pytest.CaptureFixture[str]) -> None:
        history.ended("failed", "epochtimes", FINDING)
        history.ended(outlet="ntdtv")
        assert ask(settings, "--json") == 1
        with history.store() as store:
            kept = [store.last_runs(outlet, 1)[0].report for outlet in ("epochtimes", "ntdtv")]
        assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == kept
        assert kept[0]["findings"][0]["examples"] == FINDING.examples

    def test_of_runs_without_report(
        self, settings: Settings, history: History, capsys: pytest.CaptureFixture[str]
    ) -> None:
        killed, run = history.killed(), history.began()
        with history.lock():
            assert ask(settings, "--json") == 1
        going_on, earlier = map(json.loads, capsys.readouterr().out.splitlines())
        assert going_on == {
            "schema": 1,
            "outlet": "epochtimes",
            "run": run,
            "started_at": "2026-11-22T02:00:00+00:00",
            "finished_at": None,
            "verdict": "running",
            "findings": [],
        }
        assert (earlier["run"], earlier["verdict"]) == (killed, "killed")


class TestMisuse:
    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (("dafahao",), "no outlet 'dafahao'; use epochtimes or ntdtv"),
            (("--last", "0"), "--last 0: use a whole number from 1"),
            (("--last", "-3"), "--last -3: use"),
            (("--last", "ten"), "--last ten: use"),
            (("--last", "9" * 30), "use a whole number"),
        ],
    )
    def test_is_told(self, settings: Settings, words: tuple[str, ...], said: str) -> None:
        with pytest.raises(UsageError, match=said):
            ask(settings, *words)

    def test_a_store_that_cannot_be_used(self, settings: Settings) -> None:
        settings.set("MIRROR_DB", "data/mirror.db", priority="cmdline")
        with pytest.raises(UsageError, match="MIRROR_DB"):
            ask(settings)

    def test_it_needs_the_command_line(self) -> None:
        with pytest.raises(RuntimeError, match="not started by Scrapy's command line"):
            Command().run([], argparse.Namespace())


@pytest.mark.untraced
@pytest.mark.parametrize(
    ("words", "code", "said"),
    [(("epochtimes", "--json"), 5, '"verdict": "blocked"'), (("dafahao",), 2, "no outlet 'dafahao'")],
    ids=["blocked", "misused"],
)
def test_the_real_command(history: History, words: tuple[str, ...], code: int, said: str) -> None:
    """With the exit codes that Scrapy's command line makes of it."""
    history.ended("blocked")
    ended = mirror.run("health", *words, "-s", f"MIRROR_DATA={history.data}")
    assert ended.returncode == code
    assert said in ended.stdout + ended.stderr
