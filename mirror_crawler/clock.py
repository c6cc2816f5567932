"""When an article was published and last changed, from all the clocks of its page.

Both outlets show the same trap: JSON-LD ends in ``Z`` but is the +08:00 wall clock, and the word 更新 ("updated")
stands before the publication clock on one of them and before a real update clock on the other (FACTS A4 and B4,
"Time"). So a doubtful clock is not believed alone: comparing it with one whose zone is known tells whether its ``Z`` is
false or genuine. The date in the address is no evidence at all (FACTS A1).

Pure functions over text that a spider has already taken out of the page.
"""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta, timezone
from itertools import chain, product

from mirror_crawler.items import PublishedSource

BEIJING = timezone(timedelta(hours=8))
"""The zone of both outlets' clocks; China has no summer time."""

FIRST_YEAR, LAST_YEAR = 2000, 2099
"""Years outside are slips or nonsense: the older outlet went online in 2000 (FACTS A6)."""

_FALSE_UTC = timedelta(0)
_GENUINE_UTC = timedelta(hours=8)
_LONGEST_TEXT = 4_000
"""Characters of a text that are read; a clock takes 40, the rest is for the white space of the template."""

_ISO = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})[T ](?P<clock>[0-9]{2}:[0-9]{2}(?::[0-9]{2})?)(?:[.,][0-9]+)?"
    r"\s*(?P<zone>Z|[+-][0-9:]+)?",
    re.IGNORECASE,
)
_PRINTED = re.compile(
    r"(?<![0-9])(?P<year>[0-9]{4})\s*[-/.年]\s*(?P<month>[0-9]{1,2})\s*[-/.月]\s*(?P<day>[0-9]{1,2})(?![0-9])\s*日?"
    r"(?:\s*(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2}))?(?![0-9:])\s*(?P<half>[AP]M)?)?",
    re.IGNORECASE,
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ClockEvidence:
    """Everything on a page that tells its times, as text; what a page lacks stays empty.

    ``printed``: texts of the elements that show a clock, such as ``更新 2026-10-08 3:29 AM`` or
    ``北京时间：2026-10-07 10:35``; one text may hold several clocks. ``update_label_means_update``: whether 更新 before
    a printed clock is to be taken at its word (ntdtv, FACTS B4) or not (epochtimes, FACTS A4). ``attribute``: the
    ``datetime`` of the ``time`` element, the last change. ``ld_*`` and ``meta_*``: JSON-LD of this very article and
    ``article:published_time`` / ``article:modified_time``. ``dateline``: the Beijing day named in the text.
    """

    printed: tuple[str, ...] = ()
    update_label_means_update: bool = False
    attribute: str = ""
    ld_published: str = ""
    ld_modified: str = ""
    meta_published: str = ""
    meta_modified: str = ""
    dateline: date | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """The two times of an article, ISO 8601 with +08:00 and seconds, and what the first one rests on.

    ``published_source`` is ``clock`` (a printed clock), ``metadata``, ``dateline`` (only the day is known, 00:00) or
    ``none``. ``disputed`` says that evidence disagrees or that a zone had to be assumed; the value is the best guess.
    """

    published_at: str | None
    modified_at: str | None
    published_source: PublishedSource
    disputed: bool


def in_utc(moment: datetime) -> str:
    """A moment (with a zone) as every time of ours is written: UTC, ISO 8601 to the second."""
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def read_clock(evidence: ClockEvidence) -> Clock:
    """Weigh the evidence of one page. Never raises: a text that is no time of 2000 to 2099 is no evidence."""
    page = _Page.of(evidence)
    shift = _shift(page)
    published, source, disputed = _publication(page, shift)
    modified = _modification(page, shift)
    return Clock(
        published_at=published.isoformat(timespec="seconds") if published else None,
        modified_at=modified.isoformat(timespec="seconds") if modified else None,
        published_source=source,
        disputed=disputed,
    )


@dataclasses.dataclass(frozen=True, slots=True)
class _Stamp:
    """A machine-readable time. One without a believable zone is ``doubtful``: its wall clock, taken as +08:00."""

    wall: datetime
    doubtful: bool

    def at(self, shift: timedelta) -> datetime:
        return self.wall + shift if self.doubtful else self.wall


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Page:
    """The evidence, parsed. ``published`` and ``modified`` hold the machine-readable times, most trusted first."""

    clocks: list[datetime]
    update_clocks: list[datetime]
    day: date | None
    published: list[_Stamp]
    modified: list[_Stamp]

    @classmethod
    def of(cls, evidence: ClockEvidence) -> _Page:
        clocks: list[datetime] = []
        update_clocks: list[datetime] = []
        days: list[date] = []
        for label, moment, day_only in _printed(evidence.printed):
            if evidence.update_label_means_update and "更新" in label:
                # The day of a change says nothing of the publication, and too little of the change.
                if not day_only:
                    update_clocks.append(moment)
            elif day_only:
                days.append(moment.date())
            else:
                clocks.append(moment)
        if evidence.dateline and FIRST_YEAR <= evidence.dateline.year <= LAST_YEAR:
            days.append(evidence.dateline)
        return cls(
            clocks=clocks,
            update_clocks=update_clocks,
            day=days[0] if days else None,
            published=_stamps(evidence.ld_published, evidence.meta_published),
            modified=_stamps(evidence.attribute, evidence.ld_modified, evidence.meta_modified),
        )


def _shift(page: _Page) -> timedelta | None:
    """What turns the wall clock of this page's doubtful stamps into the true one, or None when nothing decides.

    The false ``Z`` is the known habit of both outlets, so it is tried first. The last pairs find an update clock
    printed without a label; they come after those of the publication, lest a publication clock be mistaken for one.
    """
    for pairs in (
        [*product(_doubtful(page.modified), chain(_stated(page.modified), page.update_clocks))],
        [*product(_doubtful(page.published), chain(page.clocks, _stated(page.published)))],
        [*product(_doubtful(page.modified), page.clocks)],
    ):
        for shift in (_FALSE_UTC, _GENUINE_UTC):
            if any(_same_minute(stamp.at(shift), witness) for stamp, witness in pairs):
                return shift
    if not page.clocks:
        for stamp in _doubtful(page.published):
            fitting = [shift for shift in (_FALSE_UTC, _GENUINE_UTC) if stamp.at(shift).date() == page.day]
            if len(fitting) == 1:
                return fitting[0]
    return None


def _publication(page: _Page, shift: timedelta | None) -> tuple[datetime | None, PublishedSource, bool]:
    """The publication time, its source, and whether it is disputed."""
    known = _known(page.published, shift)
    if page.clocks:
        for clock, moment in product(page.clocks, known):
            if _same_minute(clock, moment):
                return moment, "clock", False
        clock = page.clocks[0]
        if known and any(_same_minute(clock, change) for change in _known(page.modified, shift)):
            return known[0], "metadata", False
        return clock, "clock", bool(page.published)
    if stated := list(_stated(page.published)):
        agree = len(known) == len(page.published) and all(_same_minute(moment, stated[0]) for moment in known)
        return known[0] if agree else stated[0], "metadata", not agree
    if known:
        return known[0], "metadata", not all(_same_minute(moment, known[0]) for moment in known)
    if page.published:
        # Nothing decides the zone: assume what both outlets are known to do.
        return page.published[0].at(_FALSE_UTC), "metadata", True
    if page.day:
        return datetime.combine(page.day, time(), BEIJING), "dateline", False
    return None, "none", False


def _modification(page: _Page, shift: timedelta | None) -> datetime | None:
    if known := _known(page.modified, shift):
        return known[0]
    if page.modified:
        return page.modified[0].at(_FALSE_UTC)
    return max(page.update_clocks, default=None)


def _known(stamps: Iterable[_Stamp], shift: timedelta | None) -> list[datetime]:
    """The true times of the stamps whose zone is known."""
    return [stamp.at(shift or _FALSE_UTC) for stamp in stamps if shift is not None or not stamp.doubtful]


def _stated(stamps: Iterable[_Stamp]) -> Iterator[datetime]:
    return (stamp.wall for stamp in stamps if not stamp.doubtful)


def _doubtful(stamps: Iterable[_Stamp]) -> Iterator[_Stamp]:
    return (stamp for stamp in stamps if stamp.doubtful)


def _same_minute(one: datetime, other: datetime) -> bool:
    return one.replace(second=0) == other.replace(second=0)


def _stamps(*texts: str) -> list[_Stamp]:
    return [stamp for text in texts if text and (stamp := _stamp(text))]


def _stamp(text: str) -> _Stamp | None:
    """Parse ISO 8601 with a time of day. An offset is taken as it says; ``Z`` or nothing is doubtful."""
    match = _ISO.fullmatch(_plain(text))
    if not match:
        return None
    day, clock, zone = match.group("day", "clock", "zone")
    doubtful = zone is None or zone in "Zz"
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}{'+08:00' if doubtful else zone}").astimezone(BEIJING)
    except (ValueError, OverflowError):
        return None
    return _Stamp(moment, doubtful) if FIRST_YEAR <= moment.year <= LAST_YEAR else None


def _printed(texts: Iterable[str]) -> Iterator[tuple[str, datetime, bool]]:
    """Every printed clock: the text before it, its time, and whether only its day is printed."""
    for text in map(_plain, texts):
        end = 0
        for match in _PRINTED.finditer(text):
            label, end = text[end : match.start()], match.end()
            moment = _printed_moment(match)
            if moment and FIRST_YEAR <= moment.year <= LAST_YEAR:
                yield label, moment, match["hour"] is None


def _printed_moment(match: re.Match[str]) -> datetime | None:
    half = (match["half"] or "").upper()
    hour = int(match["hour"] or 0)
    if half == "AM" and hour == 12:
        hour = 0
    # "15:20 PM" has one meaning only, "15:20 AM" has none.
    if half == "PM" and hour < 12:
        hour += 12
    elif half == "AM" and hour > 12:
        return None
    try:
        return datetime(
            int(match["year"]),
            int(match["month"]),
            int(match["day"]),
            hour,
            int(match["minute"] or 0),
            int(match["second"] or 0),
            tzinfo=BEIJING,
        )
    except ValueError:
        return None


def _plain(text: str) -> str:
    """Full-width digits and colons as ASCII, white space collapsed."""
    text = text[:_LONGEST_TEXT]
    return " ".join((text if text.isascii() else unicodedata.normalize("NFKC", text)).split())
