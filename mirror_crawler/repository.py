"""A bare git repository that grows by one commit at a time, told of the changes and nothing else.

No work tree and no index: the cost of a commit is that of what changed. One process at a time may use it; a kill at any
moment leaves it at a whole commit.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import shutil
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import IO, NamedTuple

from mirror_crawler import git
from mirror_crawler.git import Answer, GitError
from mirror_crawler.remotes import NICKNAME, Remote

_QUESTIONS = 100
"""Asked before the answers are read; both fit into the pipes."""
_BLOB = re.compile(rb"([0-9a-f]{40}) blob (\d+)")
_ESCAPED = {ord(character): f"\\{character}" for character in '"\\'} | {ord("\n"): "\\n"}
_LEFT_BY_KILLS = ("*.lock", "refs/**/*.lock", "objects/info/**/*.lock", "objects/pack/tmp_*")
_FETCH = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-gc")
_CRASH_REPORTS = "fast_import_crash_*"
_OF_THE_MACHINE = re.compile(
    r"No space left|Out of diskspace|quota exceeded|File too large|Permission denied|not permitted"
    r"|Read-only file system|annot allocate memory|[Oo]ut of memory|Too many open files|git cannot be started"
)
"""In what git says when it fails at its own repository, and something else than the repository is to be mended."""
_CUT_OFF = re.compile(r"hung up|unpack failed|unpacker error|eof before|early EOF|corrupt|unable to read|bad object")
"""In what git says when a push broke off; whose fault it was, that does not tell."""


class Change(NamedTuple):
    """A file that is to be different in the next commit; ``content`` None: it is to be gone."""

    path: str
    content: bytes | None


class Repository:
    """The repository in ``directory``, of which one branch is used.

    Methods raise GitError; its line has the mend when the repository is damaged.
    """

    def __init__(self, directory: Path, branch: str) -> None:
        self.directory = directory.absolute()
        self.name = directory.name
        self._ref = f"refs/heads/{branch}"

    def open(self) -> None:
        """Make it when it is missing; remove what a process left that was killed or found the disk full."""
        if not self.directory.is_dir():
            unfinished = self.directory.with_name(f"{self.directory.name}.part")
            shutil.rmtree(unfinished, ignore_errors=True)
            self.directory.parent.mkdir(parents=True, exist_ok=True)
            git.tell(unfinished, "init", "--quiet", "--bare", "--template=", "--object-format=sha1", str(unfinished))
            git.tell(unfinished, "symbolic-ref", "HEAD", self._ref)
            unfinished.replace(self.directory)
        for pattern in (*_LEFT_BY_KILLS, _CRASH_REPORTS):
            for left in self.directory.glob(pattern):
                left.unlink(missing_ok=True)

    # --- what it holds ------------------------------------------------------------------------------------------------

    def tip(self) -> str | None:
        """The id of the last commit; None as long as there is none."""
        answer = git.ask(self.directory, "rev-parse", "--verify", "--quiet", f"{self._ref}^{{commit}}")
        if answer.code not in (0, 1) or "broken ref" in answer.err:
            raise self._fault(GitError(f"git rev-parse: {answer.reason}"))
        return answer.out.decode().strip() or None

    def hashes(self, tip: str, paths: Iterable[str]) -> Iterator[tuple[str, str | None]]:
        """Each path with the hash of its file in a commit, None when it has none. Paths have no line ends."""
        with self._talk("cat-file", "--batch-check") as (source, out):
            for path, found in _found(tip, paths, source, out):
                yield path, found[1].decode() if found else None

    def files(self, tip: str | None) -> Iterator[tuple[str, str]]:
        """Every file of a commit with its hash, in the order of the bytes of their paths."""
        if tip is None:
            return
        with self._talk("ls-tree", "-r", "-z", "--full-tree", tip) as (_, out):
            rest = b""
            while block := out.read(1 << 16):
                *entries, rest = (rest + block).split(b"\0")
                for entry in entries:
                    about, _, path = entry.partition(b"\t")
                    yield path.decode(errors="surrogateescape"), about.split()[2].decode()

    def contents(self, tip: str, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Each path with what its file in a commit holds; a path that the commit does not have is left out."""
        with self._talk("cat-file", "--batch") as (source, out):
            for path, found in _found(tip, paths, source, out):
                if found:
                    content = out.read(int(found[2]))
                    out.read(1)  # a line end
                    yield path, content

    def size(self) -> int:
        """How large it is on disk, in bytes."""
        told = dict(line.split(": ", 1) for line in self._tell("count-objects", "-v").decode().splitlines())
        return (int(told["size"]) + int(told["size-pack"])) * 1024

    # --- making a commit ----------------------------------------------------------------------------------------------

    def commit(self, changes: Iterable[Change], *, parent: str | None, message: str, author: str, at: datetime) -> str:
        """Make a commit after ``parent`` and return its id. ``changes`` are in the order of their paths."""
        head = f"commit {self._ref}\ncommitter {author} {int(at.timestamp())} +0000\n"
        with self._talk("fast-import", "--quiet", "--done", "--date-format=raw") as (source, _):
            source.write(head.encode() + _data(message.encode()))
            if parent is not None:
                source.write(b"from %s\n" % parent.encode())
            for path, content in changes:
                if content is None:
                    source.write(b"D %s\n" % _quoted(path))
                else:
                    source.write(b"M 100644 inline %s\n%s" % (_quoted(path), _data(content)))
            source.write(b"done\n")  # a stream that ends without it makes no commit
        return self._tell("rev-parse", self._ref).decode().strip()

    def tidy(self) -> None:
        """Pack what has piled up, when it is worth the time. What is not packed now can be later."""
        git.ask(self.directory, "gc", "--auto", "--quiet")

    # --- when it is damaged -------------------------------------------------------------------------------------------

    def _tell(self, *words: str) -> bytes:
        try:
            return git.tell(self.directory, *words)
        except GitError as error:
            raise self._fault(error) from None

    @contextlib.contextmanager
    def _talk(self, *words: str) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
        try:
            with git.talk(self.directory, *words) as pipes:
                yield pipes
        except GitError as error:
            raise self._fault(error) from None

    def _fault(self, error: GitError) -> GitError:
        """What is told of a failure at this repository alone. There git fails for what the machine lacks, or because
        the repository is damaged.
        """
        if _OF_THE_MACHINE.search(str(error)):
            return GitError(f"{self.directory}: {error}")
        return GitError(
            f"{self.directory} is damaged ({error}): remove it, and the next `scrapy publish` goes on from a remote"
        )

    # --- others -------------------------------------------------------------------------------------------------------

    def knows(self, commit: str) -> bool:
        """Whether it has a commit."""
        return git.ask(self.directory, "cat-file", "-e", f"{commit}^{{commit}}").code == 0

    def leads_to(self, earlier: str, later: str) -> bool:
        """Whether one commit, which it has, comes before another or is the same."""
        answer = git.ask(self.directory, "merge-base", "--is-ancestor", earlier, later)
        if answer.code not in (0, 1):
            raise self._fault(GitError(f"git merge-base: {answer.reason}"))
        return answer.code == 0

    @property
    def is_shallow(self) -> bool:
        """Whether it has only the newest part of the history."""
        return (self.directory / "shallow").exists()

    def remote_tip(self, remote: Remote, seconds: float) -> tuple[Answer, str | None]:
        """Ask a remote for its last commit; None when it has none or did not answer well."""
        answer = self._reach(remote, "ls-remote", NICKNAME, self._ref, seconds=seconds)
        return answer, answer.out.decode().partition("\t")[0] or None if answer.code == 0 else None

    def fetch(self, remote: Remote, *, whole: bool, seconds: float) -> Answer:
        """Begin with the branch of a remote: its last commit, or its ``whole`` history."""
        depth = [] if whole else ["--depth=1"]
        return self._reach(remote, *_FETCH, *depth, NICKNAME, f"{self._ref}:{self._ref}", seconds=seconds)

    def deepen(self, remote: Remote, seconds: float) -> Answer:
        """Get from a remote the part of the history that is missing here."""
        return self._reach(remote, *_FETCH, "--unshallow", NICKNAME, self._ref, seconds=seconds)

    def push(self, remote: Remote, tip: str, theirs: str | None, seconds: float) -> Answer:
        """Offer the commit ``tip`` to a remote whose last one is ``theirs``.

        By its id: for the name of a branch that cannot be read, git would remove the branch there.
        """
        words = ("push", "--porcelain", "--no-verify", "--no-signed", "--no-follow-tags", NICKNAME)
        answer = self._reach(remote, *words, f"{tip}:{self._ref}", seconds=seconds)
        if answer.code and _CUT_OFF.search(answer.err + answer.out.decode()):
            self._read_all(tip, theirs)
        return answer

    def _read_all(self, tip: str, theirs: str | None) -> None:
        """Read what a push has to send, as a push does, so that a fault of this side is told as such."""
        with self._talk("pack-objects", "--revs", "--stdout", "--quiet") as (source, out):
            source.write(f"{tip}\n{f'^{theirs}' if theirs else ''}\n".encode())
            source.close()
            while out.read(1 << 16):
                pass

    def _reach(self, remote: Remote, *words: str, seconds: float) -> Answer:
        answer = git.ask(self.directory, *words, config=remote.config, secrets=remote.secrets, seconds=seconds)
        return answer._replace(
            out=remote.redacted(answer.out.decode(errors="replace")).encode(), err=remote.redacted(answer.err)
        )


def _found(
    tip: str, paths: Iterable[str], source: IO[bytes], out: IO[bytes]
) -> Iterator[tuple[str, re.Match[bytes] | None]]:
    """Each path with what ``cat-file`` says of its file in a commit, its hash and size; None when it has none. What
    else follows in ``out`` is the caller's to read.
    """
    remaining = iter(paths)
    while batch := list(islice(remaining, _QUESTIONS)):
        source.write(b"".join(b"%s:%s\n" % (tip.encode(), path.encode()) for path in batch))
        source.flush()
        for path in batch:
            yield path, _BLOB.fullmatch(out.readline().rstrip(b"\n"))


def blob_hash(content: bytes) -> str:
    """What git calls a file with this content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _data(content: bytes) -> bytes:
    return b"data %d\n%s\n" % (len(content), content)


def _quoted(path: str) -> bytes:
    """A path as fast-import reads it: C-style quotes around it, raw bytes within."""
    return f'"{path.translate(_ESCAPED)}"'.encode(errors="surrogateescape")
