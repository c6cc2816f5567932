"""``scrapy schedule``: a crawl of each outlet whenever its cron expression says, in one process that stays."""

from __future__ import annotations

import argparse
import asyncio
import random
import re
import sys
from collections.abc import Mapping
from datetime import datetime
from itertools import islice

from scrapy.commands import ScrapyCommand
from scrapy.exceptions import UsageError
from scrapy.settings import BaseSettings

from mirror_crawler import logs
from mirror_crawler.clock import in_utc
from mirror_crawler.command_line import refuse_in_one_line
from mirror_crawler.config import MirrorConfig, SettingError
from mirror_crawler.health import EXIT_CODES
from mirror_crawler.locks import FileLock
from mirror_crawler.outlet import OutletSpider, load_outlets
from mirror_crawler.preflight import REFUSALS, check_crawl
from mirror_crawler.schedule import Entry, ScheduleError, Scheduler, SystemClock, Timetable, read_schedule
from mirror_crawler.scrapy_settings import check_settings, give
from mirror_crawler.stopping import SIGNALS, held_back, stop

_NUMBER = re.compile(r"[1-9][0-9]{0,3}")


class Command(ScrapyCommand):
    """Exit code 0: it was stopped (SIGTERM, SIGINT) and its crawls have ended in order. 2: asked wrongly. 3: another
    one serves this MIRROR_DATA.
    """

    requires_project = True
    requires_crawler_process = False

    def syntax(self) -> str:
        """Shown by ``scrapy schedule -h``."""
        return "[--next N]"

    def short_desc(self) -> str:
        """Shown by ``scrapy -h``."""
        return "Crawl whenever MIRROR_SCHEDULE says, until stopped"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """A look at the schedule."""
        super().add_options(parser)
        refuse_in_one_line(self, parser)
        parser.add_argument("--next", metavar="N", help="print the next N times of each entry (UTC), crawl nothing")

    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:
        """Settings of the command line."""
        if self.settings is None:
            raise RuntimeError("not started by Scrapy's command line")
        try:
            give(self.settings, dict(word.split("=", 1) for word in opts.set if "=" in word))
        except SettingError as error:
            raise UsageError(str(error)) from None
        super().process_options(args, opts)

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Check all that can be checked, then serve."""
        if self.settings is None:
            raise RuntimeError("not started by Scrapy's command line")
        if args:
            raise UsageError(f"unknown argument {args[0]!r}")
        if opts.next is not None and not _NUMBER.fullmatch(opts.next):
            raise UsageError(f"--next {opts.next}: use a whole number from 1")
        try:
            config, entries = _checked(self.settings)
        except SettingError as error:
            raise UsageError(str(error)) from error
        if opts.next:
            self._show(entries, int(opts.next))
            return
        lock = FileLock(config.data / "runs" / "schedule.lock")
        if not lock.acquire():
            self._tell("ERROR", "", f"another scrapy schedule serves MIRROR_DATA={config.data}; this one leaves", "")
            self.exitcode = EXIT_CODES["busy"]
            return
        try:
            asyncio.run(self._serve(config, entries, opts.set))
        finally:
            lock.release()

    def _show(self, entries: list[Entry], count: int) -> None:
        now = SystemClock().now()
        for entry in entries:
            times = " ".join(_short(moment) for moment in islice(entry.times(now), count))
            sys.stdout.write(f"{entry}\t{times}\n")

    async def _serve(self, config: MirrorConfig, entries: list[Entry], settings: list[str]) -> None:
        clock = SystemClock()
        jitter = random.SystemRandom()
        timetable = Timetable(
            entries,
            config.data / "runs" / "schedule.json",
            clock,
            jitter=lambda: jitter.uniform(0, config.jitter),
            complain=lambda message: self._tell("ERROR", "", message, ""),
        )
        # What was set on our command line holds for the crawls too; what the entry itself says goes before it.
        passed_on = [word for setting in settings for word in ("-s", setting)]

        starting = asyncio.Lock()  # two at once would each put back what the other has changed of the signals

        async def launch(entry: Entry) -> asyncio.subprocess.Process:
            # In a session of its own: Ctrl-C on a terminal would reach it twice, and the second one kills.
            command = (sys.executable, "-m", "scrapy", "crawl", entry.outlet, *passed_on, *entry.arguments)
            async with starting:
                with held_back():  # what is passed on to it waits until it can hear
                    return await asyncio.create_subprocess_exec(
                        *command, stdin=asyncio.subprocess.DEVNULL, start_new_session=True
                    )

        scheduler = Scheduler(timetable, clock, launch, self._tell)
        for number in SIGNALS:
            asyncio.get_running_loop().add_signal_handler(number, scheduler.stop)
        if stop.asked:
            scheduler.stop()
        for entry, moment in timetable.next.items():
            self._tell("INFO", entry.outlet, f"next crawl at {_short(moment)}: {entry}", "")
        await scheduler.run()
        self._tell("INFO", "", "stopped", "")

    def _tell(self, level: str, outlet: str, message: str, verdict: str) -> None:
        """One line on standard error."""
        for_people = f"{_short(SystemClock().now())} {outlet or 'schedule'}: {message}"
        told = {"message": message, "outlet": outlet, "verdict": verdict}
        logs.tell(self.settings, level, "mirror_crawler.schedule", for_people, **told)


def _checked(settings: BaseSettings) -> tuple[MirrorConfig, list[Entry]]:
    """The settings and the schedule; SettingError for what every crawl would refuse."""
    config = MirrorConfig.from_settings(settings)
    outlets = load_outlets(settings)
    try:
        entries = read_schedule(config.schedule)
        for entry in entries:
            _check(entry, outlets, settings)
    except ScheduleError as error:
        raise SettingError(f"MIRROR_SCHEDULE: {error}") from None
    return config, entries


def _check(entry: Entry, outlets: Mapping[str, type[OutletSpider]], settings: BaseSettings) -> None:
    """ScheduleError for an entry that no crawl could serve, under the settings that it gives itself."""
    if entry.outlet not in outlets:
        raise ScheduleError(f"{str(entry)!r}: no outlet {entry.outlet!r}; use {' or '.join(outlets)}")
    its_own = settings.copy()
    try:
        give(its_own, entry.given("-s"))
        check_settings(its_own)
        check_crawl(its_own, outlets, entry.outlet, entry.given("-a"))
    except REFUSALS as error:
        raise ScheduleError(f"{str(entry)!r}: {error}") from None


def _short(moment: datetime) -> str:
    return in_utc(moment).replace("+00:00", "Z")
