"""What a run is worth: what it saw, what was to be expected, and the verdict.

Pure. A :class:`Tally` is filled while the run goes on, :func:`judge` holds it against the outlet's
:class:`Expectations`. What is kept of it all is made in reports.py.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal

from mirror_crawler.items import Article

Level = Literal["degraded", "failed", "blocked"]
VerdictName = Literal["ok", "degraded", "failed", "blocked"]
"""How a run ended. Beside these there are ``busy``, a run that did not begin, and ``killed``, one that never ended."""

BODY_DAYS = 30
"""So many days back body lengths are compared with."""
MISUSED = 2
"""Exit code of a command that was asked wrongly."""
EXIT_CODES: Mapping[str, int] = {"ok": 0, "failed": 1, "killed": 1, "busy": 3, "degraded": 4, "blocked": 5}
"""Exit code for each verdict, of ``scrapy crawl`` and ``scrapy health`` alike."""
PUBLISHED = ("ok", "degraded")
"""Verdicts after which the world may see what the run brought."""
_RISING = ("ok", "degraded", "blocked", "killed", "failed")

_EXAMPLES = 3
_FEW, _TENTH = 3, 10
MANY_BODIES = 20
_BELIEVED = 5
_MOST_CAUSES, _MOST_PROBLEMS = 100, 20
_EXACT_BITS = 6

_UNREADABLE = ("title", "body")
"""Fields without which a page becomes no article, in the order in which they are looked for."""
_PARTS: Mapping[str, Callable[[Article], object]] = {
    "time": lambda article: article.published_source != "none",
    "clock": lambda article: article.published_source == "clock",
    "section": lambda article: article.section,
    "authors": lambda article: article.authors,
    "editor": lambda article: article.editor,
    "tags": lambda article: article.tags,
    "lead_image": lambda article: article.lead_image,
}
"""The other fields → whether an article has them."""
_NEEDED = ("title", "body", "time")
"""Fields without which pages are not worth publishing: the lack of others never makes a run fail."""
_STOPS = ("shutdown", "closespider_", "memusage_")
"""How the reasons begin with which Scrapy ends a crawl that is told to stop, or that meets a limit of its settings."""
_SELECTORS = {"clock": "time"}
"""Field → the name of its selector where that is another."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Expectations:
    """What a run of an outlet must bring.

    Attributes:
        list_entries: the first page of a list names at least so many articles.
        missing: field → the largest share of a run's articles that may be without it; fields as in the record, and
            ``time`` (no time of publication is known) and ``clock`` (none is printed; one from elsewhere was taken).
        body_change: the run's median body length lies between the earlier median divided and multiplied by this.

    """

    list_entries: int = 1
    missing: Mapping[str, float] = dataclasses.field(
        default_factory=lambda: {"title": 0.02, "body": 0.1, "time": 0.1, "clock": 0.5, "section": 0.5}
    )
    body_change: float = 3.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was not as it should be: ``count`` of ``of``, the selector that found nothing, some addresses."""

    level: Level
    what: str
    field: str | None = None
    selector: str | None = None
    count: int = 0
    of: int = 0
    examples: list[str] = dataclasses.field(default_factory=list)

    @property
    def line(self) -> str:
        """All of it in one line."""
        return line_of(self.what, self.examples)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How a run ended, and why: the worst findings first."""

    verdict: VerdictName
    findings: list[Finding]

    @property
    def publishes(self) -> bool:
        """Whether the run may change what the world sees."""
        return self.verdict in PUBLISHED


@dataclasses.dataclass(frozen=True, slots=True)
class BodyLengths:
    """How many bodies, and the median of their lengths in characters."""

    count: int
    median: int


@dataclasses.dataclass(slots=True)
class _Seen:
    """A count with the first few addresses that it counts."""

    count: int = 0
    examples: list[str] = dataclasses.field(default_factory=list)

    def add(self, url: str) -> None:
        self.count += 1
        if len(self.examples) < _EXAMPLES and url not in self.examples:
            self.examples.append(url)


@dataclasses.dataclass(slots=True)
class _Lost(_Seen):
    """Pages that could not be had, with their causes."""

    causes: Counter[str] = dataclasses.field(default_factory=Counter)

    def lose(self, url: str, cause: str) -> None:
        self.add(url)
        _count_cause(self.causes, cause)

    @property
    def why(self) -> str:
        """The causes, most frequent first."""
        return ", ".join(f"{cause}: {number}" for cause, number in self.causes.most_common(_EXAMPLES))


class Tally:
    """What a run saw. Its size does not grow with the number of pages."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.unpublished: list[str] = []
        self.causes: Counter[str] = Counter()
        self.selectors: dict[str, str] = {}
        self.read = 0
        self.kept = 0
        self.gone = _Seen()
        self.gone_lately = 0
        self.refused = _Lost()
        self.failed_again = 0
        self.lost_articles = _Lost()
        self.lacking = {field: _Seen() for field in (*_UNREADABLE, *_PARTS)}
        self.lacking_again = {field: _Seen() for field in _UNREADABLE}
        self.lists_had = 0
        self.lost_lists = _Lost()
        self.empty_lists = _Seen()
        self._entries: Counter[int] = Counter()
        self._fewest: list[tuple[int, str]] = []
        self._lengths: Counter[int] = Counter()
        self._shortest: list[tuple[int, str]] = []
        self._longest: list[tuple[int, str]] = []

    # --- articles -------------------------------------------------------------------------------------------------

    def saw_article(self, article: Article) -> None:
        """An article was read, be it new or as it was."""
        self.read += 1
        for field, has in _PARTS.items():
            if not has(article):
                self.lacking[field].add(article.url)
        length = len(article.text)
        self._lengths[_rounded(length)] += 1
        _keep_least(self._shortest, length, article.url)
        _keep_least(self._longest, -length, article.url)

    def kept_article(self) -> None:
        """The outlet says that an article is as it was (304)."""
        self.kept += 1

    def gone_article(self, url: str) -> None:
        """A stored article is not at the outlet any more."""
        self.gone.add(url)

    @property
    def gone_beyond_belief(self) -> bool:
        """Whether more is gone than is there, so that the outlet is rather out of order than cleaning up.

        What earlier runs of the last hours found gone (``gone_lately``) counts: an outage meets a few looks in each.
        """
        return max(self.gone.count, self.gone_lately) > _BELIEVED + self.read + self.kept

    def lost_article(
        self, url: str, cause: str, field: str | None = None, selector: str | None = None, *, again: bool = False
    ) -> None:
        """A page did not become an article: it could not be had, or ``selector`` did not find its ``field``.

        ``again`` when an earlier run could not get the article either: that says little about this run.
        """
        _count_cause(self.causes, cause)
        self.failed_again += again
        if field in _UNREADABLE:
            self._note_selector(field, selector)
            (self.lacking_again if again else self.lacking)[field].add(url)
        elif not again:
            self.lost_articles.lose(url, cause)

    def refused_by_outlet(self, url: str, cause: str) -> None:
        """The outlet answered with a refusal or a challenge instead of a page."""
        self.refused.lose(url, cause)

    # --- lists ----------------------------------------------------------------------------------------------------

    def saw_list(self, url: str, entries: int, *, first: bool) -> None:
        """A list page was read; ``first`` when it is the one at which a walk begins."""
        if first:
            self.lists_had += 1
            self._entries[entries] += 1
            _keep_least(self._fewest, entries, url)

    def kept_list(self, *, first: bool) -> None:
        """The outlet says that a list page is as it was (304)."""
        self.lists_had += first

    def lost_list(self, url: str, cause: str, field: str | None = None, selector: str | None = None) -> None:
        """A list page could not be had, or names no article (``field`` is then ``list``)."""
        _count_cause(self.causes, cause)
        if field == "list":
            self._note_selector(field, selector)
            self.empty_lists.add(url)
        else:
            self.lost_lists.lose(url, cause)

    def thin_lists(self, least: int) -> _Seen:
        """The first pages that name fewer than ``least`` articles."""
        count = sum(number for entries, number in self._entries.items() if entries < least)
        return _Seen(count, [url for entries, url in self._fewest if entries < least])

    @property
    def lists_lost(self) -> int:
        """List pages that could not be had or name no article."""
        return self.empty_lists.count + self.lost_lists.count

    # --- the rest -------------------------------------------------------------------------------------------------

    def problem(self, message: str) -> None:
        """Something for which the run has failed, whatever else it brought. Told once."""
        message = " ".join(message.split())
        if message not in self.problems and len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(message)

    def not_published(self, message: str) -> None:
        """What the world does not see yet, and why."""
        self.unpublished.append(" ".join(message.split()))

    @property
    def unreadable(self) -> int:
        """Pages that came and became no article for lack of a field; not those that failed before."""
        return sum(self.lacking[field].count for field in _UNREADABLE)

    def known_of(self, field: str) -> int:
        """Of how many pages it is known whether they have ``field``: a page without title is read no further."""
        if field == "title":
            return self.read + self.unreadable
        return self.read + (self.lacking["body"].count if field == "body" else 0)

    @property
    def body_lengths(self) -> BodyLengths:
        """The bodies of this run; the median to three per cent."""
        return median(self._lengths)

    def unusual_bodies(self, *, short: bool) -> list[str]:
        """Where the shortest bodies are, or the longest."""
        return [url for _, url in (self._shortest if short else self._longest)]

    def _note_selector(self, field: str, selector: str | None) -> None:
        if selector:
            self.selectors[field] = selector


def judge(
    tally: Tally,
    expectations: Expectations,
    selectors: Mapping[str, str],
    earlier: BodyLengths | None,
    *,
    reason: str,
    before: Mapping[str, Any] | None = None,
    items_lost: int = 0,
    pages_failed: bool = False,
    feed_failed: bool = False,
) -> Verdict:
    """The verdict on a run.

    Args:
        tally: what the run saw.
        expectations: what its outlet must bring.
        selectors: the outlet's selectors by field: ``title``, ``body``, ``time``, ``section``, ``list``.
        earlier: the bodies of the last days; see :func:`earlier_lengths`.
        reason: why the crawl ended, as Scrapy says: ``finished`` when it came to its end, ``blocked`` when the outlet
            refuses it, empty when it never started.
        before: the report of the run before this one.
        items_lost: items that exceptions in pipelines cost.
        pages_failed: the tree could not be written.
        feed_failed: a feed could not be stored.

    """
    selectors = {**selectors, **tally.selectors}
    findings = [
        *_endings(tally, reason),
        *_list_findings(tally, expectations, selectors),
        *_field_findings(tally, expectations, selectors, lacking_in(before or {})),
        *_lost_findings(tally),
        *_body_findings(tally.body_lengths, earlier, tally, expectations, selectors),
        *_own_faults(items_lost, pages_failed=pages_failed, feed_failed=feed_failed),
    ]
    findings.sort(key=lambda finding: ("blocked", "failed", "degraded").index(finding.level))
    return Verdict(verdict=findings[0].level if findings else "ok", findings=findings)


def _endings(tally: Tally, reason: str) -> Iterator[Finding]:
    if reason == "blocked":
        refused = tally.refused
        what = f"the outlet blocks the crawl ({refused.why or 'no cause noted'})"
        yield Finding(level="blocked", what=what, count=refused.count, examples=refused.examples)
    for problem in tally.problems:
        yield Finding(level="failed", what=problem)
    if reason.startswith(_STOPS):
        yield Finding(level="degraded", what="the crawl was stopped before its end; the next run goes on")
    elif reason not in ("finished", "blocked") and not tally.problems:  # these say why
        yield Finding(level="failed", what=f"the crawl ended early: {reason or 'it never started'}")
    for message in tally.unpublished:
        yield Finding(level="degraded", what=f"not published: {message}")


def _list_findings(tally: Tally, expectations: Expectations, selectors: Mapping[str, str]) -> Iterator[Finding]:
    thin, selector = tally.thin_lists(expectations.list_entries), selectors.get("list", "")
    of = tally.lists_had + tally.lists_lost
    level: Level = "failed" if tally.lists_lost + thin.count >= of else "degraded"
    where = f"of {of} lists ({selector})"
    for seen, what in (
        (tally.empty_lists, f"no article link in {tally.empty_lists.count} {where}"),
        (thin, f"fewer than {expectations.list_entries} article links in {thin.count} {where}"),
    ):
        if seen.count:
            yield Finding(
                level=level,
                what=what,
                field="list",
                selector=selector,
                count=seen.count,
                of=of,
                examples=seen.examples,
            )
    if (lost := tally.lost_lists).count:
        what = f"{lost.count} of {of} lists could not be had ({lost.why})"
        yield Finding(level=level, what=what, count=lost.count, of=of, examples=lost.examples)


def _field_findings(
    tally: Tally, expectations: Expectations, selectors: Mapping[str, str], lacking_before: frozenset[str]
) -> Iterator[Finding]:
    told = set()
    for field, allowed in expectations.missing.items():
        lacking, of = tally.lacking[field], tally.known_of(field)
        again = tally.lacking_again.get(field)
        if again is not None and not tally.read and field in lacking_before:
            # Nothing has been read since, so what fails again shows that nothing is mended yet.
            examples = [*lacking.examples, *again.examples][:_EXAMPLES]
            lacking, of = _Seen(lacking.count + again.count, examples), of + again.count
        level = _level(field, lacking.count, of, allowed)
        if level is None or (field == "clock" and "time" in told):
            continue
        told.add(field)
        selector = selectors.get(_SELECTORS.get(field, field), "")
        yield Finding(
            level=level,
            what=f"no {field} in {lacking.count} of {of} articles ({selector})",
            field=field,
            selector=selector,
            count=lacking.count,
            of=of,
            examples=lacking.examples,
        )


def _level(field: str, missing: int, of: int, allowed: float) -> Level | None:
    """What the lack of a field in ``missing`` of ``of`` articles means; a few are an accident, if they are not all."""
    needed = field in _NEEDED
    if missing < (min(_FEW, of) if needed else _FEW) or missing <= allowed * of:
        return None
    return "failed" if needed and missing * 2 > of else "degraded"


def _lost_findings(tally: Tally) -> Iterator[Finding]:
    lost, had = tally.lost_articles, tally.read + tally.kept
    of = had + lost.count + tally.unreadable
    if lost.count > had or (lost.count >= _FEW and lost.count * _TENTH > of):
        level: Level = "failed" if lost.count > had else "degraded"
        what = f"{lost.count} of {of} articles could not be had ({lost.why})"
        yield Finding(level=level, what=what, count=lost.count, of=of, examples=lost.examples)
    if (gone := tally.gone).count >= _FEW and gone.count > had:
        what = f"{gone.count} of {had + gone.count} articles are gone at the outlet: are they, or is it out of order?"
        yield Finding(level="degraded", what=what, count=gone.count, of=had + gone.count, examples=gone.examples)


def _body_findings(
    now: BodyLengths,
    earlier: BodyLengths | None,
    tally: Tally,
    expectations: Expectations,
    selectors: Mapping[str, str],
) -> Iterator[Finding]:
    if earlier is None or min(now.count, earlier.count) < MANY_BODIES:
        return
    length, usual, change = max(now.median, 1), max(earlier.median, 1), expectations.body_change
    if usual / change <= length <= usual * change:
        return
    selector = selectors.get("body", "")
    yield Finding(
        level="degraded",
        what=f"the body of {now.count} articles has {now.median} characters in the median, {earlier.median} in the "
        f"last {BODY_DAYS} days ({selector})",
        field="body",
        selector=selector,
        count=now.count,
        of=now.count,
        examples=tally.unusual_bodies(short=length < usual),
    )


def _own_faults(items_lost: int, *, pages_failed: bool, feed_failed: bool) -> Iterator[Finding]:
    if items_lost:
        what = f"{items_lost} items were lost to exceptions, see the log"
        yield Finding(level="failed", what=what, count=items_lost)
    if pages_failed:
        yield Finding(level="failed", what="pages could not be written")
    if feed_failed:
        yield Finding(level="failed", what="a feed could not be stored; the next run will write it")


def lacking_in(report: Mapping[str, Any]) -> frozenset[str]:
    """The fields that a report found missing."""
    return frozenset(finding["field"] for finding in report.get("findings", ()) if finding["field"])


def worst(verdicts: Iterable[str]) -> str:
    """The worst of some verdicts; one that is unknown here is as bad as ``failed``."""
    known = (verdict if verdict in _RISING else "failed" for verdict in verdicts)
    return max(known, key=_RISING.index, default="ok")


def line_of(what: str, examples: Iterable[str]) -> str:
    """A finding in one line."""
    addresses = " ".join(examples)
    return f"{what}: {addresses}" if addresses else what


# --- bounded counting -------------------------------------------------------------------------------------------------


def _rounded(length: int) -> int:
    """A length to its first six binary digits, so that there are few different ones."""
    surplus = max(length.bit_length() - _EXACT_BITS, 0)
    return length >> surplus << surplus


def median(lengths: Mapping[int, int]) -> BodyLengths:
    """The median of lengths that are given with the number of each; 0 of none."""
    count, passed = sum(lengths.values()), 0
    for length in sorted(lengths):
        passed += lengths[length]
        if passed * 2 >= count:
            return BodyLengths(count, length)
    return BodyLengths(0, 0)


def _keep_least(kept: list[tuple[int, str]], value: int, url: str) -> None:
    """Keep the few addresses with the least values."""
    if len(kept) < _EXAMPLES or value < kept[-1][0]:
        kept.append((value, url))
        kept.sort()
        del kept[_EXAMPLES:]


def _count_cause(causes: Counter[str], cause: str) -> None:
    """Count a cause without what is in brackets; causes that name addresses could be any number."""
    short = cause.partition(" (")[0][:60]
    causes[short if short in causes or len(causes) < _MOST_CAUSES else "other"] += 1
