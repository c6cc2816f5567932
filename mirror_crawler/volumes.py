"""A mirror that has outgrown one repository: which volume a page is in, and how pages of different volumes link.

Pure. An article belongs to the volume of the day in its path, for ever; so it needs nothing but the first day of each
volume. The home page and all lists belong to the newest volume. A volume keeps those that it had when the next one
began, so its own pages go on to link to them.
"""

from __future__ import annotations

import dataclasses
import functools
import re
import string
from collections.abc import Sequence
from urllib.parse import quote, unquote

from mirror_crawler.paths import HOME

VOLUME = "{volume}"
"""In the addresses of a mirror and of its remotes: the number of the volume."""

_DAY = ("year", "month", "day")
_DIGITS = {"year": r"\d{4}", "month": r"\d\d", "day": r"\d\d"}


def has_days(pattern: str) -> bool:
    """Whether paths of the ``pattern`` (MIRROR_PATH) tell the day of an article."""
    return all(f"{{{name}}}" in pattern for name in _DAY)


@dataclasses.dataclass(frozen=True)
class Volumes:
    """The volumes of a mirror.

    ``pattern`` is MIRROR_PATH, ``base_url`` MIRROR_BASE_URL (with ``{volume}``, or there is one volume for ever),
    ``first_days`` the first days (yyyy-mm-dd) of the second volume and all after it. ``of_lists`` is the volume whose
    home page and lists are meant: the newest (None), or one before it, for those that it keeps.
    """

    pattern: str = ""
    base_url: str = ""
    first_days: Sequence[str] = ()
    of_lists: int | None = None

    @property
    def newest(self) -> int:
        """The number of the newest volume; the first is 1."""
        return len(self.first_days) + 1 if VOLUME in self.base_url else 1

    def of(self, path: str) -> int:
        """The volume of a file: of an article's page and what lies beside it by its day, else that of lists."""
        day = self._day(path) if self.newest > 1 else None
        return self.of_lists or self.newest if day is None else 1 + sum(first <= day for first in self.first_days)

    def fill(self, address: str, path: str) -> str:
        """An address with ``{volume}`` as it is for the volume of a file."""
        return address.replace(VOLUME, str(self.of(path)))

    def home(self, volume: int) -> str:
        """The public address of the home page of a volume."""
        return f"{self.base_url.replace(VOLUME, str(volume)).rstrip('/')}/{HOME}"

    def link(self, source: str, target: str, since: int = 1) -> str:
        """What page ``source`` links to page ``target`` by: its path when the repository of ``source`` has it, else its
        public address. ``since`` is the volume that was the newest when a list began.
        """
        here, there = self.of(source), self.of(target)
        if here == there or (since <= here and self._day(target) is None):
            return target
        return f"{self.fill(self.base_url, target).rstrip('/')}/{quote(target)}"

    def path_at(self, address: str) -> str | None:
        """The path (encoded as in addresses) of a page by its public address; None when it is none of this mirror."""
        match = self._addresses.match(address) if VOLUME in self.base_url else None
        if match is None or self.of(unquote(match[2])) != int(match[1]):
            return None
        return match[2]

    def _day(self, path: str) -> str | None:
        """The day in the path of a file that belongs to an article."""
        match = self._paths.fullmatch(path)
        return "-".join(match.group(*_DAY)) if match else None

    @functools.cached_property
    def _paths(self) -> re.Pattern[str]:
        parts, seen = [], set()
        for literal, name, *_ in string.Formatter().parse(self.pattern):
            parts.append(re.escape(literal))
            if name in _DAY:
                parts.append(f"(?P={name})" if name in seen else f"(?P<{name}>{_DIGITS[name]})")
                seen.add(name)
            elif name:
                parts.append("[^/]+")
        return re.compile("".join(parts) + r"(?:\.png)?")

    @functools.cached_property
    def _addresses(self) -> re.Pattern[str]:
        first, *others = map(re.escape, self.base_url.rstrip("/").split(VOLUME))
        again = r"\1".join(others)
        return re.compile(rf"{first}([1-9]\d*){again}/([^?#]+)")
