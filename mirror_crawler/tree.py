"""The tree of pages on disk. Files are replaced whole, never written in place, and left alone when nothing changed."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

_NO_FILE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO)


class Tree:
    """The directory that the world sees."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._root = str(root)

    def write(self, path: str, content: bytes | Path) -> bool:
        """Make ``path`` (relative, ``/`` between names) hold ``content``; True when the file had to be written.

        A Path is another file, whose content the name of ours stands for.
        Pages can be made anew from the store, so they are not forced to disk one by one.
        """
        if not self.differs(path, content):
            return False
        self.replace(path, content)
        return True

    def replace(self, path: str, content: bytes | Path) -> None:
        """:meth:`write` of a file that is known to differ."""
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

    def differs(self, path: str, content: bytes | Path) -> bool:
        """Whether the file is missing or holds something else; of another file, only the size is compared."""
        try:
            if isinstance(content, Path):
                return os.stat(self._place(path)).st_size != content.stat().st_size  # noqa: PTH116  (see _place)
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

    def read(self, path: str) -> bytes | None:
        """What a file holds; None for what is no file: missing, a directory, a link that leads out of the tree."""
        try:
            descriptor = os.open(f"{self._root}/{path}", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError as error:
            if error.errno in _NO_FILE:
                return None
            raise
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return None
            with open(descriptor, "rb", closefd=False) as file:
                return file.read()
        finally:
            os.close(descriptor)

    def files(self, directory: str = "") -> Iterator[str]:
        """Every file of the mirror, in the order of the bytes of the paths; see :func:`is_ours`."""
        found: list[bytes] = []
        with contextlib.suppress(FileNotFoundError), os.scandir(f"{self._root}/{directory}") as entries:
            ours = (entry for entry in entries if is_ours(entry.name) and not entry.is_symlink())
            found.extend(os.fsencode(entry.name) + b"/" * entry.is_dir() for entry in ours)
        for name in map(os.fsdecode, sorted(found)):
            if name.endswith("/"):
                yield from self.files(f"{directory}{name}")
            else:
                yield f"{directory}{name}"

    def _place(self, path: str) -> str:
        """Where ``path`` lies on disk; a string, since to make a Path takes as long as to write a page."""
        parts = path.split("/")
        if path.startswith("/") or any(part in ("", ".", "..") or "\0" in part or "\\" in part for part in parts):
            raise ValueError(f"{path!r} would leave the tree")
        return f"{self._root}/{path}"


def _write_file(path: str, content: bytes | Path) -> None:
    """What Path.write_bytes does, without the questions that Python's file objects ask the system first."""
    if isinstance(content, Path):
        content = content.read_bytes()  # a copy: what somebody does to a file of the tree must not reach its source
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
    try:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(file, rest) :]
    finally:
        os.close(file)


def is_ours(path: str) -> bool:
    """Whether a file in the tree is of the mirror. Names with a dot in front are not: .git, .gitattributes, .….part."""
    return not (path.startswith(".") or "/." in path)


def digest(content: bytes) -> str:
    """SHA-256 of a file's content, in hex."""
    return hashlib.sha256(content).hexdigest()
