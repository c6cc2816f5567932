"""The schedule: what a line means, what is due when, the loop with crawls that are none, and the real command."""

from __future__ import annotations

import asyncio
import dataclasses
import heapq
import itertools
import json
import os
import signal
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from scrapy.exceptions import UsageError

from mirror_crawler.locks import FileLock
from mirror_crawler.schedule import Entry, ScheduleError, Scheduler, SystemClock, Timetable, read_schedule
from tests.mirror import Mirror

START = datetime(2026, 11, 22, 8, 0, 30, tzinfo=UTC)
HOURLY = Entry("epochtimes", "17 * * * *")
OTHER = Entry("ntdtv", "47 * * * *")


def at(hour: int, minute: int, second: int = 0) -> datetime:
    return START.replace(hour=hour, minute=minute, second=second)


class VirtualClock:
    """Its time goes on to the next waking of a sleeper whenever everything waits."""

    def __init__(self, now: datetime = START) -> None:
        self._now = now
        self._sleepers: list[tuple[datetime, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()

    def now(self) -> datetime:
        return self._now

    def sleep(self, seconds: float) -> asyncio.Future[None]:
        waking: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + timedelta(seconds=seconds), next(self._numbers), waking))
        return waking

    async def run_until(self, end: datetime) -> None:
        while True:
            for _ in range(10):  # steps until everything waits again
                await asyncio.sleep(0)
            if not self._sleepers or self._sleepers[0][0] > end:
                self._now = end
                return
            self._now, _, waking = heapq.heappop(self._sleepers)
            if not waking.done():
                waking.set_result(None)


@dataclasses.dataclass
class FakeCrawl:
    """A crawl that takes some virtual time and ends early when it is asked to."""

    clock: VirtualClock
    seconds: float
    code: int = 0
    asked: int = 0
    ended: bool = False

    async def wait(self) -> int:
        left = self.seconds
        while left > 0 and not self.asked:
            await self.clock.sleep(min(left, 60))
            left -= 60
        if self.asked:
            await self.clock.sleep(5)  # what an orderly end takes
            self.code = 4
        self.ended = True
        return self.code

    def terminate(self) -> None:
        if self.ended:
            raise ProcessLookupError
        self.asked += 1


class World:
    """A scheduler in virtual time; remembers which entry was started when, and what was told."""

    def __init__(
        self,
        path: Path,
        *entries: Entry,
        now: datetime = START,
        jitter: Callable[[], float] = lambda: 0.0,
        seconds: Mapping[str, float] | None = None,
        code: int = 0,
    ) -> None:
        self.clock = VirtualClock(now)
        self.started: list[tuple[str, str]] = []
        self.told: list[tuple[str, ...]] = []
        self.crawls: list[FakeCrawl] = []
        self.seconds = seconds or {}
        self.code = code
        self.complaints: list[str] = []
        file = path / "runs" / "schedule.json"
        self.table = Timetable(entries, file, self.clock, jitter, self.complaints.append)
        self.scheduler = Scheduler(self.table, self.clock, self.launch, lambda *told: self.told.append(told))

    async def launch(self, entry: Entry) -> FakeCrawl:
        self.started.append((entry.outlet, f"{self.clock.now():%H:%M:%S}"))
        self.crawls.append(FakeCrawl(self.clock, self.seconds.get(entry.outlet, 10), self.code))
        return self.crawls[-1]

    def until(self, end: datetime) -> list[tuple[str, str]]:
        """Run to a time, then as if the machine had gone down."""

        async def run() -> None:
            task = asyncio.create_task(self.scheduler.run())
            await self.clock.run_until(end)
            for other in asyncio.all_tasks() - {asyncio.current_task()}:
                other.cancel()
            await asyncio.gather(task, return_exceptions=True)

        asyncio.run(run())
        return self.started


# --- what a line means ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        pytest.param("epochtimes 17 * * * *", [HOURLY], id="one"),
        pytest.param("epochtimes 17 * * * *; ntdtv 47 * * * *", [HOURLY, OTHER], id="semicolon"),
        pytest.param("# by day\n\nepochtimes 17 * * * *\n  ntdtv  47 *  * * *;\n", [HOURLY, OTHER], id="lines"),
        pytest.param("ntdtv @daily", [Entry("ntdtv", "0 0 * * *")], id="nickname"),
        pytest.param("ntdtv 30 */15 * * * *", [Entry("ntdtv", "30 */15 * * * *")], id="seconds"),
        pytest.param(
            "ntdtv 0 3 * * SUN -a pages=all -s 'X=a b'",
            [Entry("ntdtv", "0 3 * * SUN", ("-a", "pages=all", "-s", "X=a b"))],
            id="arguments",
        ),
        pytest.param(
            """ntdtv 1 * * * * -s 'X=a;b' -s Y="c ; d"; epochtimes 17 * * * *;;""",
            [Entry("ntdtv", "1 * * * *", ("-s", "X=a;b", "-s", "Y=c ; d")), HOURLY],
            id="semicolon in quotes",
        ),
        pytest.param(
            "ntdtv 1 * * * * -s X=#a;epochtimes 17 * * * *",
            [Entry("ntdtv", "1 * * * *", ("-s", "X=#a")), HOURLY],
            id="no remark",
        ),
    ],
)
def test_read(text: str, entries: list[Entry]) -> None:
    assert read_schedule(text) == entries


def test_an_entry_reads_as_it_was_written() -> None:
    line = "ntdtv 0 3 * * SUN -a pages=all -s 'X=a b'"
    (entry,) = read_schedule(line)
    assert str(entry) == line
    assert entry.given("-a") == {"pages": "all"}
    assert entry.given("-s") == {"X": "a b"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "names no crawl; an example: ", id="empty"),
        pytest.param("# nothing", "names no crawl; an example: ", id="remark"),
        pytest.param("ntdtv * * *", "'ntdtv * * *': use OUTLET MINUTE HOUR DAY MONTH WEEKDAY", id="too short"),
        pytest.param("ntdtv * * * * * * *", "use OUTLET MINUTE HOUR DAY MONTH WEEKDAY", id="too long"),
        pytest.param("ntdtv 61 * * * *", "'ntdtv 61 * * * *': bad minute in 61 * * * *", id="minute"),
        pytest.param("ntdtv * * */20 * 1L", "* * */20 * 1L never comes", id="never"),
        pytest.param("ntdtv @often", "unknown @often; use @hourly, @daily, ", id="nickname"),
        pytest.param("ntdtv '17 * * * *", "cannot be read (No closing quotation); mend its quotes", id="quotes"),
        pytest.param("ntdtv 1 * * * *; ntdtv 1 * * * *", "'ntdtv 1 * * * *' is there twice", id="twice"),
    ],
)
def test_unreadable(text: str, message: str) -> None:
    with pytest.raises(ScheduleError) as refused:
        read_schedule(text)
    assert message in str(refused.value)


@pytest.mark.parametrize("arguments", ["-a", "-a pages", "-L DEBUG", "-a pages=1 -s", "-a pages=1 3"])
def test_arguments_that_are_none(arguments: str) -> None:
    (entry,) = read_schedule(f"ntdtv 1 * * * * {arguments}")
    with pytest.raises(ScheduleError, match="only -a NAME=VALUE and -s NAME=VALUE"):
        entry.given("-a")


# --- what is due when -------------------------------------------------------------------------------------------------


def test_each_at_its_time(tmp_path: Path) -> None:
    assert World(tmp_path, HOURLY, OTHER).until(at(10, 0)) == [
        ("epochtimes", "08:17:00"),
        ("ntdtv", "08:47:00"),
        ("epochtimes", "09:17:00"),
        ("ntdtv", "09:47:00"),
    ]


def test_jitter_delays_each_start_anew(tmp_path: Path) -> None:
    delays = iter([5.0, 50.0, 0.0])
    world = World(tmp_path, HOURLY, jitter=lambda: next(delays))
    assert world.until(at(10, 0)) == [("epochtimes", "08:17:05"), ("epochtimes", "09:17:50")]


def test_what_was_missed_is_made_up_for_once(tmp_path: Path) -> None:
    World(tmp_path, HOURLY, OTHER).until(at(8, 30))
    assert World(tmp_path, HOURLY, OTHER, now=at(12, 0)).until(at(12, 30)) == [
        ("epochtimes", "12:00:00"),
        ("ntdtv", "12:00:00"),
        ("epochtimes", "12:17:00"),
    ]


def test_what_was_missed_waits_for_the_jitter_too(tmp_path: Path) -> None:
    World(tmp_path, HOURLY).until(at(8, 10))
    assert World(tmp_path, HOURLY, now=at(12, 0), jitter=lambda: 7).until(at(12, 10)) == [("epochtimes", "12:00:07")]


def test_a_short_restart_repeats_nothing(tmp_path: Path) -> None:
    World(tmp_path, HOURLY).until(at(8, 17, 5))  # the crawl is killed in the middle
    assert World(tmp_path, HOURLY, now=at(8, 18)).until(at(9, 0)) == []


def test_a_new_entry_waits_for_its_time(tmp_path: Path) -> None:
    World(tmp_path, HOURLY).until(at(8, 30))
    changed = Entry("epochtimes", "0 0 * * *")
    assert World(tmp_path, changed, now=at(12, 0)).until(at(23, 59)) == []


def test_a_clock_that_was_ahead_stops_nothing(tmp_path: Path) -> None:
    World(tmp_path, HOURLY, now=START + timedelta(days=4000)).until(START + timedelta(days=4000, hours=2))
    assert World(tmp_path, HOURLY).until(at(8, 20)) == [("epochtimes", "08:17:00")]


@pytest.mark.parametrize("content", ["", "[]", '{"epochtimes 17 * * * *": 3}', '{"epochtimes 17 * * * *": "x"}'])
def test_a_damaged_memory_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "schedule.json").write_text(content)
    assert World(tmp_path, HOURLY).until(at(8, 20)) == [("epochtimes", "08:17:00")]


def test_a_full_disk_stops_no_crawl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(tmp_path, HOURLY)

    def full(path: Path, lines: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mirror_crawler.feeds.write_feed", full)
    assert world.until(at(9, 30)) == [("epochtimes", "08:17:00"), ("epochtimes", "09:17:00")]
    assert (
        world.complaints == [f"{tmp_path / 'runs' / 'schedule.json'}: cannot be written: No space left on device"] * 2
    )


# --- the crawls -------------------------------------------------------------------------------------------------------


def test_one_crawl_of_an_outlet_at_a_time(tmp_path: Path) -> None:
    """What falls due meanwhile, however often, is one crawl afterwards; another outlet does not wait."""
    deep = Entry("epochtimes", "20 8 * * *", ("-a", "pages=all"))
    world = World(tmp_path, HOURLY, deep, OTHER, seconds={"epochtimes": 3 * 3600})
    assert world.until(at(14, 0)) == [
        ("epochtimes", "08:17:00"),
        ("ntdtv", "08:47:00"),
        ("ntdtv", "09:47:00"),
        ("ntdtv", "10:47:00"),
        ("epochtimes", "11:17:00"),
        ("ntdtv", "11:47:00"),
        ("ntdtv", "12:47:00"),
        ("ntdtv", "13:47:00"),
    ]
    begun = [message for _, outlet, message, _ in world.told if outlet == "epochtimes" and "started" in message]
    assert begun == [f"crawl started: {HOURLY}", f"crawl started: {deep}"]


@pytest.mark.parametrize(
    ("code", "level", "said"),
    [
        (0, "INFO", "ok after 10 s (exit code 0)"),
        (1, "ERROR", "failed after 10 s (exit code 1)"),
        (2, "ERROR", "misused after 10 s (exit code 2)"),
        (3, "WARNING", "busy after 10 s (exit code 3)"),
        (4, "WARNING", "degraded after 10 s (exit code 4)"),
        (5, "ERROR", "blocked after 10 s (exit code 5)"),
        (77, "ERROR", "failed after 10 s (exit code 77)"),
        (-9, "ERROR", "killed after 10 s (signal 9)"),
    ],
)
def test_how_a_crawl_ended_is_told_in_one_line(tmp_path: Path, code: int, level: str, said: str) -> None:
    world = World(tmp_path, HOURLY, code=code)
    world.until(at(8, 30))
    assert world.told == [
        ("INFO", "epochtimes", "crawl started: epochtimes 17 * * * *", ""),
        (level, "epochtimes", said, said.partition(" ")[0]),
    ]


def test_a_crawl_that_cannot_be_started_stops_nothing(tmp_path: Path) -> None:
    world = World(tmp_path, HOURLY)

    async def launch(entry: Entry) -> FakeCrawl:
        raise OSError(12, "Cannot allocate memory")

    world.scheduler._launch = launch
    world.until(at(9, 30))
    failed = ("ERROR", "epochtimes", "the crawl cannot be started: Cannot allocate memory", "failed")
    assert [told for told in world.told if told[0] == "ERROR"] == [failed, failed]


def stopped(world: World, when: datetime, *, again: float | None = None) -> list[int]:
    """Stop at a time, perhaps again some seconds later; how often each crawl was asked to end."""

    async def run() -> None:
        task = asyncio.create_task(world.scheduler.run())
        await world.clock.run_until(when)
        world.scheduler.stop()
        if again is not None:
            await world.clock.run_until(when + timedelta(seconds=again))
            world.scheduler.stop()
        await world.clock.run_until(when + timedelta(hours=3))
        assert task.done()
        await task

    asyncio.run(run())
    return [crawl.asked for crawl in world.crawls]


def test_stopping_while_nothing_runs(tmp_path: Path) -> None:
    world = World(tmp_path, HOURLY)
    assert stopped(world, at(8, 30)) == [0]
    assert [message for *_, message, _ in world.told][-1] == "ok after 10 s (exit code 0)"


def test_stopping_waits_for_the_orderly_end_of_every_crawl(tmp_path: Path) -> None:
    world = World(tmp_path, HOURLY, Entry("ntdtv", "18 * * * *"), seconds={"epochtimes": 7200, "ntdtv": 7200})
    assert stopped(world, at(8, 20)) == [1, 1]
    assert {(outlet, verdict) for _, outlet, _, verdict in world.told if verdict} == {
        ("epochtimes", "degraded"),
        ("ntdtv", "degraded"),
    }


def test_a_second_stop_is_passed_on_too(tmp_path: Path) -> None:
    world = World(tmp_path, HOURLY, seconds={"epochtimes": 7200})
    assert stopped(world, at(8, 20), again=1) == [2]


def test_a_crawl_that_has_just_ended_is_no_trouble(tmp_path: Path) -> None:
    world = World(tmp_path, HOURLY)
    world.scheduler._crawls["epochtimes"] = FakeCrawl(world.clock, 0, ended=True)
    world.scheduler.stop()


def test_a_crawl_that_is_being_started_is_stopped_too(tmp_path: Path) -> None:
    world = World(tmp_path, HOURLY, seconds={"epochtimes": 7200})
    launch = world.launch

    async def slowly(entry: Entry) -> FakeCrawl:
        await world.clock.sleep(60)
        return await launch(entry)

    world.scheduler._launch = slowly
    assert stopped(world, at(8, 17, 30)) == [1]


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_clock_of_the_machine() -> None:
    async def slept() -> timedelta:
        clock = SystemClock()
        before = clock.now()
        await clock.sleep(0.001)
        return clock.now() - before

    assert timedelta(0) < asyncio.run(slept()) < timedelta(hours=1)


def ask(mirror: Mirror, schedule: str, *words: str, **settings: str) -> int:
    return mirror.ask("schedule", *words, settings={"MIRROR_SCHEDULE": schedule, **settings})


@pytest.mark.parametrize(
    ("schedule", "words", "settings", "message"),
    [
        pytest.param("", (), {}, "MIRROR_SCHEDULE: names no crawl", id="no schedule"),
        pytest.param("example @daily", (), {}, "no outlet 'example'; use epochtimes or ntdtv", id="outlet"),
        pytest.param("ntdtv @daily -a pages=x", (), {}, "'ntdtv 0 0 * * * -a pages=x': pages=x", id="argument"),
        pytest.param("@/no/such/file", (), {}, "MIRROR_SCHEDULE=@/no/such/file: cannot read the file", id="file"),
        pytest.param("ntdtv @daily", (), {"MIRROR_JITTER": "-1"}, "MIRROR_JITTER=-1: use a whole number", id="jitter"),
        pytest.param("ntdtv @daily", (), {"MIRROR_PROXY": "x"}, "MIRROR_PROXY: use the address", id="proxy"),
        pytest.param("ntdtv @daily", ("now",), {}, "unknown argument 'now'", id="word"),
        pytest.param(
            "ntdtv @daily; epochtimes @hourly -a render=splash",
            (),
            {},
            "MIRROR_SCHEDULE: 'epochtimes 0 * * * * -a render=splash': SPLASH_URL: is not set",
            id="splash",
        ),
        pytest.param(
            "ntdtv @daily -s MIRROR_THEME=x",
            (),
            {},
            "'ntdtv 0 0 * * * -s MIRROR_THEME=x': MIRROR_THEME",
            id="theme",
        ),
        pytest.param(
            "ntdtv @daily -s MIRROR_REVISIT_HOURS=x", (), {}, "-s MIRROR_REVISIT_HOURS=x': MIRROR_REVIS", id="setting"
        ),
        pytest.param("ntdtv @daily -s DOWNLOAD_DELAY=x", (), {}, "x': DOWNLOAD_DELAY=x: use a number", id="number"),
        pytest.param(
            "ntdtv @daily -s ROBOTSTXT_OBEY=x", (), {}, "x': ROBOTSTXT_OBEY=x: use True or False", id="on or off"
        ),
        pytest.param("ntdtv @daily -s LOG_LEVEL=x", (), {}, "MIRROR_LOG_LEVEL=x: use DEBUG", id="level"),
        pytest.param("ntdtv @daily -s FEEDS=oops", (), {}, "FEEDS=oops': FEEDS=oops: use a JSON", id="no object"),
        pytest.param("ntdtv @daily", ("-s", "FEEDS=oops"), {}, "FEEDS=oops: use a JSON", id="no object for all"),
        pytest.param("ntdtv @daily -s JOBDIR=/dev/null/x", (), {}, "x': JOBDIR=/dev/null/x: Not a dir", id="place"),
        pytest.param("ntdtv @daily -a pages=1 -a pages=2", (), {}, "pages= is given 2 times", id="twice"),
        pytest.param("ntdtv @daily -a section=none", (), {}, "-a section=none': section=none", id="section"),
        pytest.param("ntdtv @daily -a colour=red", (), {}, "-a colour=red': ", id="unknown argument"),
        pytest.param(
            "ntdtv @daily", (), {"MIRROR_DB": "sqlite:////dev/null/x.db"}, "'ntdtv 0 0 * * *': MIRROR_DB", id="db"
        ),
        pytest.param("ntdtv @daily", ("--next", "0"), {}, "--next 0: use a whole number from 1", id="next"),
    ],
)
def test_refused(mirror: Mirror, schedule: str, words: tuple[str, ...], settings: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError) as refused:
        ask(mirror, schedule, *words, **settings)
    assert message in str(refused.value)


def test_entries_that_publish_need_git(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(mirror.root))
    with pytest.raises(UsageError, match=r"'ntdtv 0 0 \* \* \* -s MIRROR_PUBLISH=1': git is not installed"):
        ask(mirror, "ntdtv @daily -s MIRROR_PUBLISH=1")


def test_next_times(mirror: Mirror, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "schedule").write_text("# the mirror\nepochtimes 0 0 1 1 *\nntdtv 0 12 L 2 * -a pages=2\n")
    assert ask(mirror, f"@{tmp_path / 'schedule'}", "--next", "2") == 0
    year = datetime.now(UTC).year
    first, second = capsys.readouterr().out.splitlines()
    assert first == f"epochtimes 0 0 1 1 *\t{year + 1}-01-01T00:00:00Z {year + 2}-01-01T00:00:00Z"
    assert second.startswith("ntdtv 0 12 L 2 * -a pages=2\t")


def test_one_schedule_to_a_mirror(mirror: Mirror, capsys: pytest.CaptureFixture[str]) -> None:
    with FileLock(mirror.data / "runs" / "schedule.lock"):
        assert ask(mirror, "ntdtv @daily") == 3
    assert f"another scrapy schedule serves MIRROR_DATA={mirror.data}" in capsys.readouterr().err


@pytest.mark.parametrize("mode", ["human", "json"])
def test_serving(
    mirror: Mirror, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], mode: str
) -> None:
    """A crawl is started as its entry says, in a session of its own; SIGTERM ends the schedule."""
    commands: list[tuple[str, ...]] = []

    class Ending:
        async def wait(self) -> int:
            os.kill(os.getpid(), signal.SIGTERM)
            return 4

        def terminate(self) -> None:
            raise ProcessLookupError

    async def start(*command: str, start_new_session: bool, **options: object) -> Ending:
        assert start_new_session
        assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) >= {signal.SIGTERM, signal.SIGINT}
        commands.append(command)
        return Ending()

    monkeypatch.setattr(asyncio, "create_subprocess_exec", start)
    schedule = "epochtimes * * * * * * -a pages=1"
    assert ask(mirror, schedule, "-s", "DOWNLOAD_DELAY=2", MIRROR_JITTER="0", MIRROR_LOG=mode) == 0
    assert commands == [
        (sys.executable, "-m", "scrapy", "crawl", "epochtimes", "-s", "DOWNLOAD_DELAY=2", "-a", "pages=1")
    ]
    told = capsys.readouterr().err.splitlines()
    if mode == "human":
        words = [line.partition(" ")[2] for line in told]
        assert words[0].startswith("epochtimes: next crawl at ")
        assert words[1:] == [
            "epochtimes: crawl started: epochtimes * * * * * * -a pages=1",
            "epochtimes: degraded after 0 s (exit code 4)",
            "schedule: stopped",
        ]
    else:
        records = [json.loads(line) for line in told]
        assert [(record.get("outlet"), record.get("verdict"), record["level"]) for record in records] == [
            ("epochtimes", None, "INFO"),
            ("epochtimes", None, "INFO"),
            ("epochtimes", "degraded", "WARNING"),
            (None, None, "INFO"),
        ]
