"""The tree of pages on disk. Files are replaced whole, never written in place, and left alone when nothing changed."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path


class Tree:
    """The directory that the world sees."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._root = str(root)

    def write(self, path: str, content: bytes) -> bool:
        """Make ``path`` (relative, ``/`` between names) hold ``content``; True when the file had to be written.

        Pages can be made anew from the store, so they are not forced to disk one by one.
        """
        if not self.differs(path, content):
            return False
        target = self._place(path)
        # One name for the unfinished file, so what a kill leaves behind is taken up by the next write of the page.
        directory, name = os.path.split(target)
        unfinished = f"{directory}/.{name}.part"
        try:
            try:
                _write_file(unfinished, content)
            except FileNotFoundError:
                Path(directory).mkdir(parents=True, exist_ok=True)
                _write_file(unfinished, content)
            Path(unfinished).replace(target)
        except OSError:
            Path(unfinished).unlink(missing_ok=True)
            raise
        return True

    def differs(self, path: str, content: bytes) -> bool:
        """Whether the file is missing or holds something else."""
        try:
            with open(self._place(path), "rb", buffering=0) as file:  # noqa: PTH123  (see _place)
                return file.read() != content
        except (FileNotFoundError, NotADirectoryError):
            return True

    def remove(self, path: str, sha256: str) -> bool:
        """Remove a file that still holds what was written; False, and nothing done, when it was edited by hand."""
        target = Path(self._place(path))
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
        return Path(self._place(path)).is_file()

    def _place(self, path: str) -> str:
        """Where ``path`` lies on disk; a string, since to make a Path takes as long as to write a page."""
        parts = path.split("/")
        if path.startswith("/") or any(part in ("", ".", "..") or "\0" in part or "\\" in part for part in parts):
            raise ValueError(f"{path!r} would leave the tree")
        return f"{self._root}/{path}"


def _write_file(path: str, content: bytes) -> None:
    """What Path.write_bytes does, without the questions that Python's file objects ask the system first."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
    try:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(file, rest) :]
    finally:
        os.close(file)


def digest(content: bytes) -> str:
    """SHA-256 of a file's content, in hex."""
    return hashlib.sha256(content).hexdigest()
