"""What of a page did not pass, counted under names that the page cannot choose freely."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

_NAMES = 100
"""Different keys: a page cannot fill the statistics with names it invents."""

_SANE_NAME = re.compile(r"[a-z][a-z0-9_-]{0,29}")


class Counts:
    """Fills :attr:`total`, which becomes ``CleanBody.removed``."""

    def __init__(self) -> None:
        self.total: Counter[str] = Counter()

    def removed(self, name: str) -> None:
        """An element with its contents."""
        self._count("removed", name)

    def unwrapped(self, name: str) -> None:
        """An element whose contents stay."""
        self._count("unwrapped", name)

    def attributes(self, names: Iterable[str], *kept: str) -> None:
        """Attributes of an element that stays, but for those kept."""
        for name in names:
            if name not in kept:
                self._count("attribute", name)

    def _count(self, what: str, name: str) -> None:
        key = f"{what}/{name}" if _SANE_NAME.fullmatch(name) else f"{what}/other"
        if key not in self.total and len(self.total) >= _NAMES:
            key = f"{what}/other"
        self.total[key] += 1
