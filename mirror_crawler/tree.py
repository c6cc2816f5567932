"""The tree of pages on disk. Files are replaced whole, never written in place, and left alone when nothing changed."""

from __future__ import annotations

import hashlib
from pathlib import Path


class Tree:
    """The directory that the world sees."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, path: str, content: bytes) -> bool:
        """Make ``path`` (relative, ``/`` between names) hold ``content``; True when the file had to be written.

        Pages can be made anew from the store, so they are not forced to disk one by one.
        """
        if not self.differs(path, content):
            return False
        target = self._place(path)
        # One name for the unfinished file, so what a kill leaves behind is taken up by the next write of the page.
        unfinished = target.with_name(f".{target.name}.part")
        try:
            try:
                unfinished.write_bytes(content)
            except FileNotFoundError:
                target.parent.mkdir(parents=True, exist_ok=True)
                unfinished.write_bytes(content)
            unfinished.replace(target)
        except OSError:
            unfinished.unlink(missing_ok=True)
            raise
        return True

    def differs(self, path: str, content: bytes) -> bool:
        """Whether the file is missing or holds something else."""
        try:
            return self._place(path).read_bytes() != content
        except (FileNotFoundError, NotADirectoryError):
            return True

    def remove(self, path: str, sha256: str) -> bool:
        """Remove a file that still holds what was written; False, and nothing done, when it was edited by hand."""
        target = self._place(path)
        try:
            if digest(target.read_bytes()) != sha256:
                return False
            target.unlink()
        except (FileNotFoundError, NotADirectoryError):
            return True
        for directory in target.parents:
            if directory == self.root or any(directory.iterdir()):
                break
            directory.rmdir()
        return True

    def has(self, path: str) -> bool:
        """Whether there is such a file."""
        return self._place(path).is_file()

    def _place(self, path: str) -> Path:
        parts = path.split("/")
        if path.startswith("/") or any(part in ("", ".", "..") or "\0" in part or "\\" in part for part in parts):
            raise ValueError(f"{path!r} would leave the tree")
        return self.root.joinpath(*parts)


def digest(content: bytes) -> str:
    """SHA-256 of a file's content, in hex."""
    return hashlib.sha256(content).hexdigest()
