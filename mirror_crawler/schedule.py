"""When which outlet is crawled: cron expressions, and the loop that starts the crawls and waits for their ends.

Times are UTC, so no hour of the year is missing or there twice. :class:`Timetable` decides and knows no process;
:class:`Scheduler` has the processes and knows no calendar. Both get their clock from outside.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import itertools
import json
import shlex
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol, Self

from cronsim import CronSim, CronSimError

from mirror_crawler import feeds
from mirror_crawler.arguments import check_repeated
from mirror_crawler.clock import in_utc
from mirror_crawler.health import EXIT_CODES, MISUSED

_FIELDS = (5, 6)
_NICKNAMES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
}
_LONGEST_SLEEP = 60.0
"""Seconds after which the time of day is read again: it may have been set, and the machine may have slept."""
_MEANINGS = {code: verdict for verdict, code in EXIT_CODES.items() if verdict != "killed"} | {MISUSED: "misused"}
"""Exit code of a crawl → in a word how it ended."""
_LEVELS = {"ok": "INFO", "busy": "WARNING", "degraded": "WARNING"}


class ScheduleError(ValueError):
    """A schedule that cannot be meant; the message is one line that names the entry and the mend."""


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """Crawl ``outlet`` with ``arguments`` (of ``scrapy crawl OUTLET``) whenever ``expression`` says."""

    outlet: str
    expression: str
    arguments: tuple[str, ...] = ()

    @classmethod
    def read(cls, given: Sequence[str]) -> Self:
        """From the words ``outlet cron-expression [arguments]``; ScheduleError when they cannot be meant."""
        line, (outlet, *words) = " ".join(given), given
        if words and words[0].startswith("@"):
            if words[0] not in _NICKNAMES:
                raise ScheduleError(f"{line!r}: unknown {words[0]}; use {', '.join(_NICKNAMES)} or five fields")
            words[:1] = _NICKNAMES[words[0]].split()
        end = next((place for place, word in enumerate(words) if word.startswith("-")), len(words))
        entry = cls(outlet, " ".join(words[:end]), tuple(words[end:]))
        if end not in _FIELDS:
            raise ScheduleError(f"{line!r}: use OUTLET MINUTE HOUR DAY MONTH WEEKDAY [-a NAME=VALUE …]")
        try:
            entry.after(datetime.now(UTC))
        except CronSimError as error:
            raise ScheduleError(f"{line!r}: {str(error)[:1].lower()}{str(error)[1:]} in {entry.expression}") from None
        except StopIteration:
            raise ScheduleError(f"{line!r}: {entry.expression} never comes") from None
        return entry

    def after(self, moment: datetime) -> datetime:
        """The first time after ``moment`` at which it is due."""
        return next(self.times(moment))

    def times(self, moment: datetime) -> Iterator[datetime]:
        """All times after ``moment`` at which it is due."""
        return CronSim(self.expression, moment)

    def given(self, option: str) -> dict[str, str]:
        """What its ``-a NAME=VALUE`` (arguments) or ``-s NAME=VALUE`` (settings) give.

        ScheduleError when there is anything but those, ArgumentError when an argument is given twice.
        """
        options, values = self.arguments[::2], self.arguments[1::2]
        if len(options) > len(values) or {*options} - {"-a", "-s"} or not all("=" in value for value in values):
            raise ScheduleError(f"{str(self)!r}: behind the times only -a NAME=VALUE and -s NAME=VALUE can stand")
        pairs = zip(options, (value.partition("=") for value in values), strict=True)
        found = [(name, value) for kind, (name, _, value) in pairs if kind == option]
        if option == "-a":
            check_repeated(name for name, _ in found)
        return dict(found)

    def __str__(self) -> str:
        return " ".join((self.outlet, self.expression, *(shlex.quote(word) for word in self.arguments)))


def read_schedule(text: str) -> list[Entry]:
    """The entries of a schedule: one a line, or several with ``;`` between them; lines that begin with ``#`` are
    remarks. ScheduleError when one cannot be read, when one is there twice or there is none.
    """
    lines = (line for line in text.splitlines() if not line.lstrip().startswith("#"))
    entries = [Entry.read(words) for line in lines for words in _split(line)]
    if not entries:
        raise ScheduleError("names no crawl; an example: epochtimes 17 * * * *; ntdtv 47 * * * *")
    for entry in entries:
        if entries.count(entry) > 1:
            raise ScheduleError(f"{str(entry)!r} is there twice")
    return entries


def _split(line: str) -> list[list[str]]:
    """The words of each entry of a line. Quotes are those of a shell; a ``;`` within them parts nothing."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=";")
    lexer.commenters = ""
    lexer.whitespace_split = True
    try:
        words = list(lexer)
    except ValueError as error:
        raise ScheduleError(f"{line.strip()!r} cannot be read ({error}); mend its quotes") from None
    parts = itertools.groupby(words, key=lambda word: bool(word) and not word.strip(";"))
    return [list(part) for ends, part in parts if not ends]


class Clock(Protocol):
    """The time of day, and waiting."""

    def now(self) -> datetime:
        """The time in UTC."""

    def sleep(self, seconds: float) -> Awaitable[None]:
        """Wait."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The time in UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


class Timetable:
    """When each entry is due next, and when it was last served, which a file keeps over restarts.

    A time that passes while nobody is there, or while another crawl of the outlet is at work, is made up for by one
    crawl, however many times have passed. An entry that the file does not know waits for its first time.

    Args:
        entries: the schedule.
        path: the file.
        clock: tells the time.
        jitter: seconds by which the next crawl begins later than it is due; asked anew for each.
        complain: is told when the file cannot be written. The crawls go on: only a restart would miss it.

    """

    def __init__(
        self,
        entries: Iterable[Entry],
        path: Path,
        clock: Clock,
        jitter: Callable[[], float],
        complain: Callable[[str], None],
    ) -> None:
        self._path = path
        self._complain = complain
        self._clock = clock
        self._jitter = jitter
        known, now = _read(path), clock.now()
        # A time that lies ahead was noted under a clock that was wrong.
        self._served = {entry: min(known.get(str(entry), now), now) for entry in entries}
        self.next = {entry: self._due(entry) for entry in self._served}
        self._write()

    def due(self, busy: Iterable[str]) -> Iterator[Entry]:
        """The entries that are to be served now, one of an outlet at most and none of those that are ``busy``.

        Each is noted as served when it is given out: a crawl that takes the machine down is not repeated without end.
        """
        now, taken = self._clock.now(), set(busy)
        for entry in sorted(self.next, key=self.next.__getitem__):
            if self.next[entry] <= now and entry.outlet not in taken:
                taken.add(entry.outlet)
                self._served[entry] = now
                self.next[entry] = self._due(entry)
                self._write()
                yield entry

    def seconds_left(self, busy: Iterable[str]) -> float:
        """Until the next entry is due that is of no ``busy`` outlet; a minute at most."""
        taken, now = set(busy), self._clock.now()
        waits = [(moment - now).total_seconds() for entry, moment in self.next.items() if entry.outlet not in taken]
        return max(0.0, min([_LONGEST_SLEEP, *waits]))

    def _due(self, entry: Entry) -> datetime:
        return max(entry.after(self._served[entry]), self._clock.now()) + timedelta(seconds=self._jitter())

    def _write(self) -> None:
        served = {str(entry): in_utc(moment) for entry, moment in self._served.items()}
        try:
            feeds.write_feed(self._path, [json.dumps(served, ensure_ascii=False)])
        except OSError as error:
            self._complain(f"{self._path}: cannot be written: {error.strerror}")


def _read(path: Path) -> Mapping[str, datetime]:
    """When each entry was last served. A file that is not there, or not ours, tells of none."""
    try:
        served = json.loads(path.read_text(encoding="utf-8"))
        return {line: datetime.fromisoformat(moment).astimezone(UTC) for line, moment in served.items()}
    except (FileNotFoundError, ValueError, AttributeError, TypeError):
        return {}


class Crawl(Protocol):
    """A crawl under way, as :class:`asyncio.subprocess.Process` is one."""

    async def wait(self) -> int:
        """Its exit code, when it has ended; negative when a signal ended it."""

    def terminate(self) -> None:
        """Ask it to end in order. ProcessLookupError when it has ended."""


class Scheduler:
    """Starts what is due until it is stopped, one crawl of an outlet at a time, and tells how each ended.

    Args:
        timetable: what is due when.
        clock: tells the time and waits.
        launch: starts the crawl of an entry; OSError when it cannot.
        tell: is told level, outlet, message and verdict of each start (without a verdict) and of each end.

    """

    def __init__(
        self,
        timetable: Timetable,
        clock: Clock,
        launch: Callable[[Entry], Awaitable[Crawl]],
        tell: Callable[[str, str, str, str], None],
    ) -> None:
        self._timetable = timetable
        self._clock = clock
        self._launch = launch
        self._tell = tell
        self._running: dict[str, asyncio.Task[None]] = {}
        self._crawls: dict[str, Crawl] = {}
        self._stop = asyncio.Event()

    async def run(self) -> None:
        """Serve the timetable. Returns when it has been stopped and every crawl has come to its end."""
        stopped = asyncio.create_task(self._stop.wait())
        while not self._stop.is_set():
            for entry in self._timetable.due(self._running):
                self._running[entry.outlet] = asyncio.create_task(self._crawl(entry))
            sleeper = asyncio.ensure_future(self._clock.sleep(self._timetable.seconds_left(self._running)))
            await asyncio.wait({stopped, sleeper, *self._running.values()}, return_when=asyncio.FIRST_COMPLETED)
            sleeper.cancel()
            self._running = {outlet: task for outlet, task in self._running.items() if not task.done()}
        await asyncio.gather(*self._running.values())

    def stop(self) -> None:
        """Start nothing more, and ask every crawl to end in order. A second time it makes them end at once."""
        self._stop.set()
        for crawl in self._crawls.values():
            with contextlib.suppress(ProcessLookupError):
                crawl.terminate()

    async def _crawl(self, entry: Entry) -> None:
        """One crawl from its start to its end."""
        started = self._clock.now()
        self._tell("INFO", entry.outlet, f"crawl started: {entry}", "")
        try:
            crawl = self._crawls[entry.outlet] = await self._launch(entry)
        except OSError as error:
            self._tell("ERROR", entry.outlet, f"the crawl cannot be started: {error.strerror}", "failed")
            return
        if self._stop.is_set():
            self.stop()  # it was on its way when the others were told
        code = await crawl.wait()
        del self._crawls[entry.outlet]
        verdict = _MEANINGS.get(code, "failed") if code >= 0 else "killed"
        ended = f"exit code {code}" if code >= 0 else f"signal {-code}"
        seconds = (self._clock.now() - started).total_seconds()
        self._tell(_LEVELS.get(verdict, "ERROR"), entry.outlet, f"{verdict} after {seconds:.0f} s ({ended})", verdict)
