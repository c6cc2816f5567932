"""The pictures that are kept, one file for each content, under ``images/`` in the private data directory.

Their place there is what makes them last: a tree that was lost, or another one, gets its pictures from here without
network. A name is the beginning of the SHA-256 of the file, so it tells whether the file is whole.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from mirror_crawler.tree import digest

_DIGITS = 32
_NO_PICTURE = (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.EIO)


class Album:
    """The pictures under a directory, which is made when the first one comes."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, webp: bytes) -> str:
        """Keep a picture, on disk when this returns; its name. A damaged file of this name is replaced.

        OSError when it cannot be written.
        """
        name = digest(webp)[:_DIGITS]
        place = self.place(name)
        if read_whole(place) is not None:
            return name
        place.parent.mkdir(parents=True, exist_ok=True)
        unfinished = place.with_name(f".{name}.{os.getpid()}.part")
        try:
            with unfinished.open("wb") as file:
                file.write(webp)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(place)
        except OSError:
            unfinished.unlink(missing_ok=True)
            raise
        return name

    def place(self, name: str) -> Path:
        """Where the picture of this name lies, if it is kept."""
        return self.root / name[:2] / name[2:4] / f"{name}.webp"

    def files(self) -> Iterator[Path]:
        """Everything that lies in the album, unfinished files too, directory by directory."""
        for shard in sorted(self.root.glob("*/*/")):
            yield from sorted(shard.iterdir())


def read_whole(file: Path) -> bytes | None:
    """The content of a picture's file, here or in a tree; None when it is not what the file's name stands for.

    OSError when that cannot be told, as of a file that may not be read: it must not be taken for lost.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        if error.errno in _NO_PICTURE:
            return None
        raise
    return content if digest(content)[:_DIGITS] == file.stem else None


def find_whole(files: Iterable[Path]) -> Path | None:
    """The first of some files of a picture that is whole; None when none is."""
    return next((file for file in files if read_whole(file) is not None), None)
