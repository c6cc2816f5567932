"""Is the tree what it should be? A check of every file against the store, and of the pages as a reader meets them.

Files are compared with what the store implies; then links, pictures and sizes are looked at as they stand on disk, so
pages that somebody edited are judged by what they say now. A tree may have more files than memory could hold: they
are noted in a temporary database on disk.
"""

from __future__ import annotations

import contextlib
import functools
import os
import posixpath
import re
import sqlite3
import stat
import time
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Literal, NamedTuple, Self
from urllib.parse import unquote

from mirror_crawler import paths
from mirror_crawler.locks import FileLock
from mirror_crawler.references import host_of, references
from mirror_crawler.render import PageOptions
from mirror_crawler.tree import digest
from mirror_crawler.writer import PageWriter

Kind = Literal["missing", "edited", "outdated", "extra", "dead link", "orphan", "limit", "outside", "damaged"]
"""What can be wrong.

``missing``: the store implies the file. ``edited``: it is not what was written last. ``outdated``: it is, but the store
implies something else. ``extra``: nothing implies it. ``dead link``: a page leads to, or shows, a file that is not
there. ``orphan``: no chain of links leads from the home page to a page. ``limit``: a code host would not show all of
it. ``outside``: a page makes browsers load something from elsewhere, unless that is what the settings ask for.
``damaged``: a kept picture in the private data directory is gone, or not what its name stands for.
"""

MOST_ENTRIES = 1000
"""Entries of one directory that code hosts list."""

LARGEST_PAGE = 1 << 20
"""Bytes of a page that code hosts show as a page."""

LARGEST_FILE = 50 << 20
"""Bytes of a file that code hosts take without a warning."""

_A_DAY = 24 * 3600.0  # seconds
_BATCH = 200
_ANSWERS_KEPT = 50_000
_UNFINISHED = re.compile(r"(?:.*/)?\.[^/]+\.(?:md|png|webp)\.part")


class Problem(NamedTuple):
    """Something wrong with ``path`` (a file or directory of the tree); ``mended`` says that it was put right."""

    kind: Kind
    path: str
    what: str
    mended: bool = False


class Verifier:
    """Checks the tree that ``writer`` writes; with ``repair`` puts right what the store knows how to."""

    def __init__(self, writer: PageWriter, *, repair: bool = False) -> None:
        self._writer = writer
        self._store = writer.store
        self._tree = writer.tree
        self._root = str(writer.config.output)
        self._repair = repair
        options = writer.config.pages
        self._allowed = _hosts_asked_for(options) if options.images != "remote" else None

    def problems(self) -> Iterator[Problem]:
        """Everything that is wrong, file by file; nothing else may write pages meanwhile, so other runs wait.

        Raises OSError when the tree cannot be read, StoreError, and sqlite3.OperationalError when there is no room
        for the temporary database.
        """
        with FileLock(self._writer.config.data / "pages.lock"), _Notes() as notes:
            yield from self._against_store(notes)
            yield from self._damaged_pictures()
            wide = self._walk(notes)
            yield from self._extra_files(notes)
            yield from self._too_wide(wide)
            yield from self._pages(notes)
            yield from (Problem("orphan", path, f"no link from {paths.HOME} leads here") for path in notes.orphans())
            if self._repair:
                yield from self._album()

    def _damaged_pictures(self) -> Iterator[Problem]:
        """What :meth:`_against_store` met in the album."""
        for name, copy in sorted(self._writer.damaged.items()):
            file = self._writer.album.place(name)
            fault = "not what its name stands for" if file.exists() else "gone"
            mend = f"{copy} is whole" if copy else "there is no whole copy; it is to be fetched again"
            problem = Problem("damaged", str(file), f"a kept picture is {fault}; {mend}")
            yield self._mend(problem, name) if self._repair else problem

    def _mend(self, problem: Problem, name: str) -> Problem:
        try:
            self._writer.mend(name)
        except OSError as error:
            return _not_mended(problem, error)
        return problem._replace(mended=True)

    def _album(self) -> Iterator[Problem]:
        """Remove from the album what a killed run has left, or what was copied there: files that no record names.

        Not those of the last day: a run that is at work, or an import, may be about to name them. Nor any when the
        store knows no picture, for then it is more likely that the store is the wrong one.
        """
        if not self._store.pictures.any():
            return
        files = (file for file in self._writer.album.files() if _is_old(file))
        while batch := list(islice(files, _BATCH)):
            named = self._store.pictures.named([file.stem for file in batch])
            for file in batch:
                if file.suffix != ".webp" or file.stem not in named:
                    file.unlink(missing_ok=True)
                    yield Problem("extra", str(file), "a kept picture that no record names", mended=True)

    # --- against the store --------------------------------------------------------------------------------------------

    def _against_store(self, notes: _Notes) -> Iterator[Problem]:
        if self._repair:
            self._writer.leave_other_look()
        for batch in self._writer.implied():
            wrong = [(path, content) for path, content in batch if notes.imply(path) and self._read(path) != content]
            recorded = self._store.file_hashes(self._writer.root, [path for path, _ in wrong])
            if self._repair:
                self._writer.touching([path for path, _ in wrong])
            found = [self._difference(path, content, recorded.get(path)) for path, content in wrong]
            mended = {path for _, path, _, mended in found if mended}
            hashes = {path: digest(content) for path, content in wrong if path in mended}
            self._store.record_files(self._writer.root, hashes)
            yield from found

    def _difference(self, path: str, content: bytes, recorded: str | None) -> Problem:
        held = self._read(path)
        if held is None:
            problem = Problem("missing", path, "the store has it, the tree has not")
        elif digest(held) == recorded:
            problem = Problem("outdated", path, "the store says otherwise now")
        else:
            problem = Problem("edited", path, "not what was written last")
        return self._write(problem, content) if self._repair else problem

    def _write(self, problem: Problem, content: bytes) -> Problem:
        place = self._place(problem.path)
        try:
            if place.is_symlink():
                place.unlink()
            self._tree.write(problem.path, content)
        except OSError as error:
            return _not_mended(problem, error)
        return problem._replace(mended=True)

    def _read(self, path: str) -> bytes | None:
        """What a file holds, None when it is missing; empty, which no page is, for anything but a file of our size."""
        place = self._place(path)
        try:
            found = place.lstat()
            if not stat.S_ISREG(found.st_mode) or found.st_size > LARGEST_FILE:
                return b""
            return place.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def _place(self, path: str) -> Path:
        return Path(self._root, path)

    # --- what is there ------------------------------------------------------------------------------------------------

    def _walk(self, notes: _Notes) -> list[str]:
        """Note every file of the tree; the directories that are too wide."""
        wide, waiting = [], [""]
        while waiting:
            directory = waiting.pop()
            count = 0
            for entry in self._entries(directory):
                count += 1
                path = posixpath.join(directory, entry.name)
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(path)
                else:
                    notes.found(path, entry.stat(follow_symlinks=False).st_size)
            if count > MOST_ENTRIES:
                wide.append(directory)
        return wide

    def _entries(self, directory: str) -> Iterator[os.DirEntry[str]]:
        """What lies in a directory. In the root, names with a dot are not of the mirror: .git, .gitattributes, …"""
        with contextlib.suppress(FileNotFoundError), os.scandir(self._place(directory)) as entries:
            for entry in entries:
                if directory or not entry.name.startswith(".") or _UNFINISHED.fullmatch(entry.name):
                    yield entry

    def _extra_files(self, notes: _Notes) -> Iterator[Problem]:
        extra = (path for _, path, _ in notes.files(extra=True))
        while files := list(islice(extra, _BATCH)):
            recorded = self._store.file_hashes(self._writer.root, files)
            files = [path for path in files if path not in recorded or not self._writer.stands(path, recorded[path])]
            if self._repair:
                self._writer.touching(files)
            for path in files:
                problem = self._extra_file(path, recorded.get(path))
                if problem.mended:
                    notes.removed(path)
                    self._store.forget_files(self._writer.root, [path])
                yield problem

    def _extra_file(self, path: str, recorded: str | None) -> Problem:
        if _UNFINISHED.fullmatch(path):
            problem = Problem("extra", path, "left by a write that was cut off")
        elif recorded is None:
            return Problem("extra", path, "not written by the mirror")
        else:
            problem = Problem("extra", path, "written once, but the store does not have it now")
        if not self._repair:
            return problem
        try:
            if recorded is None:
                self._place(path).unlink()
            elif not self._tree.remove(path, recorded):
                return problem._replace(what=f"{problem.what}; not removed: edited since")
        except OSError as error:
            return _not_mended(problem, error)
        return problem._replace(mended=True)

    def _too_wide(self, directories: Iterable[str]) -> Iterator[Problem]:
        for directory in directories:  # counted again: a repair may have removed some
            count = sum(1 for _ in self._entries(directory))
            if count > MOST_ENTRIES:
                yield Problem("limit", directory or ".", f"{count:,} entries; hosts list {MOST_ENTRIES:,}")

    # --- pages as a reader meets them ---------------------------------------------------------------------------------

    def _pages(self, notes: _Notes) -> Iterator[Problem]:
        # The same few lists are linked from most pages.
        find = functools.lru_cache(maxsize=_ANSWERS_KEPT)(functools.partial(self._find, notes))
        for number, path, size in notes.files():
            is_page = path.endswith(".md")
            limit = LARGEST_PAGE if is_page else LARGEST_FILE
            if size > limit:
                yield Problem(
                    "limit", path, f"{size:,} bytes; hosts show {'pages' if is_page else 'files'} to {limit:,}"
                )
            elif is_page:
                found = references((self._read(path) or b"").decode(errors="replace"), self._writer.volumes.path_at)
                links = {target: find(target) for target in _targets(path, found.links)}
                shown = {target: find(target) for target in _targets(path, found.shown)}
                notes.lead(number, filter(None, links.values()))
                yield from _dead(path, "links to", links)
                yield from _dead(path, "shows", shown)
                yield from self._outside(path, found.outside)

    def _find(self, notes: _Notes, target: str) -> int | None:
        """The number of the file that a link opens, 0 for what is there but no file of the mirror, None: it is dead.

        Hosts show a directory with its README.
        """
        number = notes.number(target) or notes.number(posixpath.normpath(posixpath.join(target, "README.md")))
        if number:
            return number
        if target.split("/")[0] == "..":
            return None
        return 0 if os.path.exists(self._place(target)) else None  # noqa: PTH110  (False for names too long, too)

    def _outside(self, path: str, addresses: Iterable[str]) -> Iterator[Problem]:
        if self._allowed is not None:
            for address in addresses:
                if host_of(address) not in self._allowed:
                    yield Problem("outside", path, f"loads {address}")


def _is_old(file: Path) -> bool:
    """Whether a file has been there for a day; not when it has just gone."""
    with contextlib.suppress(FileNotFoundError):
        return file.stat().st_mtime < time.time() - _A_DAY
    return False


def _dead(path: str, verb: str, answers: Mapping[str, int | None]) -> Iterator[Problem]:
    for target, number in answers.items():
        if number is None:
            yield Problem("dead link", path, f"{verb} {target}, which is not there")


def _not_mended(problem: Problem, error: OSError) -> Problem:
    return problem._replace(what=f"{problem.what}; not mended: {error.strerror}")


# --- what the store implies -------------------------------------------------------------------------------------------


def _targets(path: str, addresses: Iterable[str]) -> Iterator[str]:
    """The paths in the tree that relative addresses on page ``path`` stand for; for code hosts ``/`` is the root."""
    directory = posixpath.dirname(path)
    for local in map(unquote, addresses):
        yield posixpath.normpath(local.lstrip("/") if local.startswith("/") else posixpath.join(directory, local))


def _hosts_asked_for(options: PageOptions) -> set[str]:
    """Hosts from which the operator's own settings let pages load something."""
    written = [references(text).outside for text in (options.navigation, options.footer)]
    addresses = [options.counter, options.base_url, *written[0], *written[1]]
    return {host_of(address) for address in addresses if address}


# --- notes ------------------------------------------------------------------------------------------------------------


class _Notes:
    """Every file that the store implies or the tree has, and which page leads to which; on disk, gone when closed.

    Names are kept as bytes: a file that somebody put into the tree may have a name that is no text.
    """

    _TABLES = """
        CREATE TABLE files (
            number INTEGER PRIMARY KEY,
            path BLOB NOT NULL UNIQUE,
            implied INTEGER NOT NULL DEFAULT 0,
            size INTEGER -- null: the tree does not have it
        );
        CREATE TABLE leads (source INTEGER, target INTEGER, PRIMARY KEY (source, target)) WITHOUT ROWID;
    """
    _ORPHANS = """
        WITH RECURSIVE reached (number) AS (
            SELECT number FROM files WHERE path = :home
            UNION SELECT leads.target FROM reached JOIN leads ON leads.source = reached.number
        )
        SELECT path FROM files
        WHERE size IS NOT NULL AND substr(path, -3) = :page AND number NOT IN (SELECT number FROM reached)
        ORDER BY path
    """

    def __enter__(self) -> Self:
        self._db = sqlite3.connect("", isolation_level=None)  # a file without a name, which goes with the process
        self._db.execute("PRAGMA journal_mode = OFF")  # nothing is ever taken back
        self._db.execute("PRAGMA cache_size = -32768")
        self._db.executescript(self._TABLES)
        return self

    def __exit__(self, *_exception: object) -> None:
        self._db.close()

    def imply(self, path: str) -> bool:
        """The store implies a file; False when that is known."""
        done = self._db.execute("INSERT OR IGNORE INTO files (path, implied) VALUES (?, 1)", [os.fsencode(path)])
        return bool(done.rowcount)

    def found(self, path: str, size: int) -> None:
        """The tree has a file."""
        self._db.execute(
            "INSERT INTO files (path, size) VALUES (?, ?) ON CONFLICT (path) DO UPDATE SET size = excluded.size",
            [os.fsencode(path), size],
        )

    def removed(self, path: str) -> None:
        """The tree does not have a file any more."""
        self._db.execute("UPDATE files SET size = NULL WHERE path = ?", [os.fsencode(path)])

    def number(self, path: str) -> int | None:
        """The number of a file that the tree has."""
        row = self._db.execute(
            "SELECT number FROM files WHERE path = ? AND size IS NOT NULL", [os.fsencode(path)]
        ).fetchone()
        return row[0] if row else None

    def files(self, *, extra: bool = False) -> Iterator[tuple[int, str, int]]:
        """Number, path and size of every file that the tree has, by path; or only of those that nothing implies."""
        wanted = "AND NOT implied" if extra else ""
        statement = (
            "SELECT number, path, size FROM files "  # noqa: S608  (both texts are ours)
            f"WHERE path > ? AND size IS NOT NULL {wanted} ORDER BY path LIMIT {_BATCH}"
        )
        last = b""
        while rows := self._db.execute(statement, [last]).fetchall():
            last = rows[-1][1]
            yield from ((number, os.fsdecode(path), size) for number, path, size in rows)

    def lead(self, source: int, targets: Iterable[int]) -> None:
        """A page links to files."""
        self._db.executemany("INSERT OR IGNORE INTO leads VALUES (?, ?)", [(source, target) for target in targets])

    def orphans(self) -> Iterator[str]:
        """Pages that no chain of links reaches from the home page; none without a home page to start from."""
        if self.number(paths.HOME) is None:
            return
        for (path,) in self._db.execute(self._ORPHANS, {"home": os.fsencode(paths.HOME), "page": b".md"}):
            yield os.fsdecode(path)
