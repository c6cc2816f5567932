"""The tree of pages into git repositories, and from there to their remotes.

The tree itself has no ``.git``. What was written since the last commit is known from the outbox, so the cost is that of
what changed; the whole tree is read only when a repository is not at the commit that this mirror left it at.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING, Literal, NamedTuple

from mirror_crawler.clock import BEIJING
from mirror_crawler.closed import ClosedVolume
from mirror_crawler.config import SettingError
from mirror_crawler.differences import Differences, joined
from mirror_crawler.git import GitError
from mirror_crawler.locks import FileLock
from mirror_crawler.paths import HOME
from mirror_crawler.repository import Change, Repository
from mirror_crawler.volumes import VOLUME

if TYPE_CHECKING:
    from mirror_crawler.git import Answer
    from mirror_crawler.remotes import Remote
    from mirror_crawler.tree import Tree
    from mirror_crawler.volumes import Volumes
    from mirror_crawler.writer import PageWriter

State = Literal["up to date", "pushed", "waiting", "unreachable", "diverged", "refused"]
"""What became of a remote.

``waiting``: nothing was offered to it, since another one has to be asked first. ``unreachable``: it did not answer, or
not in time. ``diverged``: it has commits that this mirror has not. ``refused``: it answered, and did not want it.
"""

_ANSWER_SECONDS = 60.0
_REFUSALS = (
    *("Authentication failed", "could not read Username", "could not read Password", "Permission denied"),
    *("Host key verification failed", "access denied", "requested URL returned error: 4", "HTTP 4", "not found"),
    *("not exported", "remote:", "remote rejected", "exceeds"),
)
"""In what git says when the other side answered, and said no."""
_FULL = 0.9
_ASSET = re.compile(r"assets/[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]{32}\.webp")


class Result(NamedTuple):
    """What became of a remote, by its name; ``why`` says more when it has not got everything."""

    remote: str
    state: State
    why: str = ""

    @property
    def reached(self) -> bool:
        """Whether the remote has everything now."""
        return self.state in ("up to date", "pushed")

    @property
    def line(self) -> str:
        """All of it in one line."""
        return f"{self.remote}: {self.state}{f' ({self.why})' if self.why else ''}"


@dataclasses.dataclass(slots=True)
class Report:
    """What was published: the first lines of the commits that were made, and each remote's result."""

    commits: list[str] = dataclasses.field(default_factory=list)
    results: list[Result] = dataclasses.field(default_factory=list)


class Publisher:
    """Publishes the tree that ``writer`` writes."""

    def __init__(self, writer: PageWriter) -> None:
        self._writer = writer
        self._config = writer.config
        self._outbox = writer.store.outbox

    def publish(self, at: datetime, *, whole: bool = False) -> Report:
        """Commit what has changed, ``at`` this time, and bring every remote up to date.

        ``whole``: read the whole tree, with what others than the mirror have put there. One process at a time; pages
        may be written as soon as the commits are made. Raises GitError when nothing could be committed, OSError when
        the tree cannot be read, StoreError.
        """
        report = Report()
        with FileLock(self._config.data / "publish.lock"):
            self._see_volumes()
            for volume in self._volumes():
                report.results += self._begin(volume)
            if report.results:
                return report
            with FileLock(self._config.data / "pages.lock"):
                report.commits += self._commit_all(at, whole=whole)
                if self._is_full(at):
                    report.commits += self._begin_volume(at)
            for volume in self._volumes():
                report.results += self._deliver(volume)
                self._repository(volume).tidy()
        return report

    def _see_volumes(self) -> None:
        self._writer.read_volumes()
        told = self._writer.volumes
        if told.newest == 1 and told.first_days:
            raise GitError(
                f"the mirror has {len(told.first_days) + 1} volumes: "
                f"MIRROR_BASE_URL and MIRROR_REMOTES must contain {VOLUME}"
            )

    def _volumes(self) -> range:
        return range(1, self._writer.volumes.newest + 1)

    def _repository(self, volume: int) -> Repository:
        repository = Repository(self._config.data / "publish" / f"{volume}.git", self._config.branch)
        repository.open()
        return repository

    # --- the commits --------------------------------------------------------------------------------------------------

    def _commit_all(self, at: datetime, *, whole: bool) -> list[str]:
        """Commit what differs to the volume that it belongs to; the first lines of the messages."""
        newest = self._writer.volumes.newest
        if newest > 1 and self._repository(newest).tip() is None:
            self._writer.write_lists()  # the whole of them: until now they were those of the volume before
        self._check_tree()
        tips, messages = {}, []
        for volume in self._volumes():
            repository = self._repository(volume)
            message = self._commit(repository, volume, at, whole=whole)
            messages += [message] if message else []
            if (tip := repository.tip()) is not None:
                tips[repository.name] = tip
        if tips:
            self._outbox.settle(self._writer.root, tips)
        return messages

    def _check_tree(self) -> None:
        """Neither a tree nor a store that was named by mistake may make a mirror without pages."""
        try:
            self._writer.check_store()
        except SettingError as error:
            raise GitError(str(error)) from error
        if self._writer.has_pages() and not self._writer.tree.has(HOME):
            raise GitError(
                f"MIRROR_OUTPUT: {self._writer.root} has no home page, though the store has articles: "
                "name the tree that is to be published, or make it with `scrapy render`"
            )

    def _commit(self, repository: Repository, volume: int, at: datetime, *, whole: bool) -> str | None:
        """Commit what differs; the first line of the message, None when nothing does."""
        root, tree, tip = self._writer.root, self._writer.tree, repository.tip()
        share = Share(self._writer.volumes, volume, tree)
        settled = tip is not None and self._outbox.published(repository.name) == (root, tip)
        paths: Iterator[tuple[str, str | None]]
        if tip is not None and settled and not whole:
            paths = repository.hashes(tip, share.of_changed(self._outbox.waiting(root)))
        else:
            paths = joined(share.of_tree(), share.of_commit(repository.files(tip)))
        closed = self._closed(repository, volume, tip, settled=settled)

        def content(path: str) -> bytes | None:
            return closed.read(path) if closed and path in closed else tree.read(path)

        with Differences() as differences:
            for path, old in chain(paths, closed.files() if closed else ()):
                differences.add(path, old, content(path))
            if differences:
                changes = (Change(path, content(path)) for path in differences)
                message, author = differences.message, self._config.author
                repository.commit(changes, parent=tip, message=message, author=author, at=at)
            if closed:
                self._writer.store.set_tree_look(str(repository.directory), self._writer.look)
            return differences.summary if differences else None

    def _closed(self, repository: Repository, volume: int, tip: str | None, *, settled: bool) -> ClosedVolume | None:
        """What an earlier volume keeps, when that is to look otherwise: as the tree does since it was written last."""
        store, look = self._writer.store, self._writer.look
        if tip is None or volume == self._writer.volumes.newest or store.tree_look(self._writer.root) != look:
            return None
        if settled and store.tree_look(str(repository.directory)) == look:
            return None
        return ClosedVolume(self._writer, repository, tip, volume)

    # --- the next volume ----------------------------------------------------------------------------------------------

    def _is_full(self, at: datetime) -> bool:
        """Whether the newest volume comes near its limit. The rest of it is for later changes of its articles."""
        limit, volumes = self._config.repo_limit, self._writer.volumes
        if limit is None or _day_after(at) <= max(volumes.first_days, default=""):
            return False
        return self._repository(volumes.newest).size() > limit * _FULL

    def _begin_volume(self, at: datetime) -> list[str]:
        """Close the newest volume with a home page that leads to the next one, and begin that."""
        number = self._writer.volumes.newest + 1
        repository = self._repository(number - 1)
        message = f"Go on in volume {number}"
        home = [Change(HOME, self._writer.last_home())]
        author = self._config.author
        tip = repository.commit(home, parent=repository.tip(), message=message, author=author, at=at)
        if (look := self._writer.store.tree_look(self._writer.root)) is not None:
            self._writer.store.set_tree_look(str(repository.directory), look)
        self._outbox.settle(self._writer.root, {repository.name: tip}, (number, _day_after(at)))
        self._writer.read_volumes()
        return [message, *self._commit_all(at, whole=False)]

    # --- the remotes --------------------------------------------------------------------------------------------------

    def _remotes(self, volume: int) -> list[Remote]:
        return [remote.of(volume) for remote in self._config.remotes]

    def _begin(self, volume: int) -> list[Result]:
        """Where there is no commit yet, go on from the first remote that has one.

        A new beginning would be refused by a remote that has commits, for ever. So when none of those that answer has
        one, the others must answer first; the results are then why nothing is published.
        """
        repository, remotes = self._repository(volume), self._remotes(volume)
        if repository.tip() is not None or self._has_just_begun(volume):
            return []
        results = []
        for remote in remotes:
            answer, tip = repository.remote_tip(remote, _ANSWER_SECONDS)
            if tip is not None:
                # Only who has all of it can tell how large it is.
                whole = self._config.repo_limit is not None
                answer = repository.fetch(remote, whole=whole, seconds=self._config.push_seconds)
                if answer.code == 0:
                    return []
            results.append(_failed(remote, answer) if answer.code != 0 else None)
        if not any(results):
            return []
        waits = "the others must tell first whether they have this mirror; mend them or take them out of MIRROR_REMOTES"
        return [
            result or Result(remote.name, "waiting", waits) for remote, result in zip(remotes, results, strict=True)
        ]

    def _has_just_begun(self, volume: int) -> bool:
        """Whether nobody can have a commit of a volume; not in a store that was restored and has published nothing."""
        published = [self._outbox.published(self._repository(number).name) for number in (1, volume)]
        return published[0] is not None and published[1] is None

    def _deliver(self, volume: int) -> list[Result]:
        """Bring every remote up to date, each whatever becomes of the others."""
        repository, remotes = self._repository(volume), self._remotes(volume)
        tip = repository.tip()
        return [self._bring(repository, remote, remotes, tip) for remote in remotes if tip is not None]

    def _bring(self, repository: Repository, remote: Remote, remotes: Sequence[Remote], tip: str) -> Result:
        answer, theirs = repository.remote_tip(remote, _ANSWER_SECONDS)
        if answer.code != 0:
            return _failed(remote, answer)
        if theirs == tip:
            return Result(remote.name, "up to date")
        if repository.is_shallow and (theirs is None or not repository.knows(theirs)):
            self._deepen(repository, [other for other in remotes if other != remote])
        if theirs is not None and not (repository.knows(theirs) and repository.leads_to(theirs, tip)):
            return _diverged(remote, repository)
        answer = repository.push(remote, tip, theirs, self._config.push_seconds)
        if answer.code == 0:
            return Result(remote.name, "pushed")
        if "[rejected]" in answer.out.decode():  # somebody else was faster
            return _diverged(remote, repository)
        return _failed(remote, answer)

    def _deepen(self, repository: Repository, others: Iterable[Remote]) -> None:
        """Get the whole history from one of the remotes: a remote that has none of it takes no part of it."""
        for other in others:
            if repository.deepen(other, self._config.push_seconds).code == 0:
                return


def _day_after(at: datetime) -> str:
    """The day after a moment, where the outlets have their days."""
    return f"{at.astimezone(BEIJING) + timedelta(days=1):%Y-%m-%d}"


def _failed(remote: Remote, answer: Answer) -> Result:
    """A remote that did not answer, or not as it should."""
    said = answer.err + answer.out.decode()
    refused = answer.code is not None and any(sign in said for sign in _REFUSALS)
    verdicts = [line.rpartition("\t")[2] for line in answer.out.decode().splitlines() if line.startswith("!")]
    return Result(remote.name, "refused" if refused else "unreachable", ": ".join([*verdicts, answer.reason]))


def _diverged(remote: Remote, repository: Repository) -> Result:
    mend = (
        f"it has commits that this mirror has not: remove the branch there, or {repository.directory} to go on from it"
    )
    return Result(remote.name, "diverged", mend)


# --- what a volume has ------------------------------------------------------------------------------------------------


class Share:
    """What of a tree a volume has: the pages that belong to it, and the pictures that they show."""

    def __init__(self, volumes: Volumes, volume: int, tree: Tree) -> None:
        self._volumes = volumes
        self._volume = volume
        self._tree = tree

    def of_changed(self, changed: Iterable[str]) -> Iterator[str]:
        """Of the files that have changed those of this volume, then the pictures on its pages among them."""
        if self._volumes.newest == 1:
            yield from changed
            return
        shown: set[str] = set()
        for path in changed:
            if not _ASSET.fullmatch(path):
                if self._has(path):
                    shown |= self._shown_on(path)
                    yield path
            elif not self._tree.has(path):
                yield path
        yield from sorted(shown)

    def of_tree(self) -> Iterator[str]:
        """Of all files those of this volume, in order."""
        return (path for path in self._tree.files() if path in self._shown or self._has(path))

    def of_commit(self, files: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
        """Of the files of the volume's last commit those that may change: not what it keeps from when it was newest."""
        for path, old in files:
            if self._has(path) or path in self._shown or (_ASSET.fullmatch(path) and not self._tree.has(path)):
                yield path, old

    def _has(self, path: str) -> bool:
        if self._volumes.newest == 1:
            return True
        return not _ASSET.fullmatch(path) and self._volumes.of(path) == self._volume

    @functools.cached_property
    def _shown(self) -> set[str]:
        """The pictures on all pages of this volume."""
        if self._volumes.newest == 1:
            return set()
        return set().union(*map(self._shown_on, filter(self._has, self._tree.files())))

    def _shown_on(self, path: str) -> set[str]:
        """The pictures on a page, if it is one."""
        page = self._tree.read(path) if path.endswith(".md") else None
        return set(_ASSET.findall((page or b"").decode(errors="replace")))
