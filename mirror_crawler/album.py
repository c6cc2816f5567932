"""The pictures that are kept, one file for each content, under ``images/`` in the private data directory.

Their place there is what makes them last: a tree that was lost, or another one, gets its pictures from here without
network. A name is the beginning of the SHA-256 of the file, so it tells whether the file is whole.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from mirror_crawler.tree import digest

_DIGITS = 32


class Album:
    """The pictures under a directory, which is made when the first one comes."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, webp: bytes) -> str:
        """Keep a picture, on disk when this returns; its name. OSError when it cannot be written."""
        name = digest(webp)[:_DIGITS]
        place = self.place(name)
        if self.has(name):
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

    def has(self, name: str) -> bool:
        """Whether the picture of this name is kept."""
        return self.place(name).is_file()

    def files(self) -> Iterator[Path]:
        """Everything that lies in the album, unfinished files too, directory by directory."""
        for shard in sorted(self.root.glob("*/*/")):
            yield from sorted(shard.iterdir())


def read_whole(file: Path) -> bytes | None:
    """The content of a picture's file, here or in a tree; None when it is not what the file's name stands for."""
    try:
        content = file.read_bytes()
    except OSError:
        return None
    return content if digest(content)[:_DIGITS] == file.stem else None
