"""What the next commit is to change: the files, and the message that counts them."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator

from mirror_crawler.repository import blob_hash
from mirror_crawler.tree import is_ours

_KINDS = ("new", "changed", "removed")


class Differences:
    """The files that a commit is to change, on disk when they are many, and their numbers."""

    def __init__(self) -> None:
        self._paths = tempfile.SpooledTemporaryFile(1 << 20)  # noqa: SIM115  (closed by __exit__)
        self._pages: Counter[tuple[str, str]] = Counter()
        self._others = 0

    def __enter__(self) -> Differences:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._paths.close()

    def add(self, path: str, old: str | None, content: bytes | None) -> None:
        """Note a file that has the hash ``old`` in the last commit, if it differs."""
        if old == (None if content is None else blob_hash(content)):
            return
        self._paths.write(path.encode(errors="surrogateescape") + b"\0")
        if path.endswith(".md"):
            kind = "new" if old is None else "changed" if content is not None else "removed"
            self._pages[path.rpartition("/")[0].partition("/")[0], kind] += 1
        else:
            self._others += 1

    def __bool__(self) -> bool:
        return bool(self._pages or self._others)

    def __iter__(self) -> Iterator[str]:
        """The paths, as they were noted."""
        self._paths.seek(0)
        rest = b""
        while block := self._paths.read(1 << 16):
            *paths, rest = (rest + block).split(b"\0")
            yield from (path.decode(errors="surrogateescape") for path in paths)

    @property
    def summary(self) -> str:
        """The first line of the message."""
        pages = sum(self._pages.values())
        if not pages:
            return f"Publish {_number(self._others, 'file')}"
        return f"Publish {_number(pages, 'page')}: {self._counts(directory for directory, _ in self._pages)}"

    @property
    def message(self) -> str:
        """The summary, then a line for each directory of the root."""
        directories = sorted({directory for directory, _ in self._pages if directory})
        lines = [f"{directory}: {self._counts([directory])}" for directory in directories]
        if self._others and self._pages:
            lines.append(f"and {_number(self._others, 'other file')}")
        return "\n".join([self.summary, *([""] if lines else []), *lines]) + "\n"

    def _counts(self, directories: Iterable[str]) -> str:
        wanted = set(directories)
        counts = {
            kind: sum(n for (name, k), n in self._pages.items() if k == kind and name in wanted) for kind in _KINDS
        }
        return ", ".join(f"{count:,} {kind}" for kind, count in counts.items() if count)


def _number(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def joined(there: Iterable[str], committed: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str | None]]:
    """Every path of the tree and of a commit, both in the order of their bytes, with its hash in the commit.

    What is not of the mirror is left out, so it stays in the commit as it is.
    """
    held = ((path, old) for path, old in committed if is_ours(path))
    path, old = next(held, (None, None))
    for found in there:
        while path is not None and _bytes(path) < _bytes(found):
            yield path, old
            path, old = next(held, (None, None))
        if path == found:
            yield found, old
            path, old = next(held, (None, None))
        else:
            yield found, None
    while path is not None:
        yield path, old
        path, old = next(held, (None, None))


def _bytes(path: str) -> bytes:
    return path.encode(errors="surrogateescape")
