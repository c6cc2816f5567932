"""The tree as commits, and each remote's way to them, with real git."""

from __future__ import annotations

import dataclasses
import errno
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from scrapy.settings import Settings

from mirror_crawler import publish
from mirror_crawler.config import MirrorConfig
from mirror_crawler.git import Answer, GitError
from mirror_crawler.publish import Publisher, Report, Result
from mirror_crawler.remotes import read_remotes
from mirror_crawler.repository import Repository
from mirror_crawler.store import ArticleStore
from mirror_crawler.tree import Tree
from mirror_crawler.writer import PageWriter
from tests.mirror import REPO, contents
from tests.repositories import WebHost, bare, daemon, files, free_port, git, refuse, somebody_commits, subjects, tip

NOW = datetime(2026, 11, 22, 1, 37, 17, tzinfo=UTC)
SECRET = "ghp-4f1c-top-secret"


@dataclasses.dataclass
class Desk:
    """A tree without articles, its store and its hosts."""

    root: Path
    store: ArticleStore
    remotes: str = ""

    @property
    def output(self) -> Path:
        return self.root / "output"

    @property
    def repository(self) -> Path:
        return self.root / "data" / "publish" / "1.git"

    def config(self, **settings: Any) -> MirrorConfig:
        made = Settings()
        made.setmodule("mirror_crawler.settings")
        places = {"MIRROR_DATA": str(self.root / "data"), "MIRROR_OUTPUT": str(self.output)}
        made.setdict(places | {"MIRROR_REMOTES": self.remotes} | settings, "cmdline")
        return MirrorConfig.from_settings(made)

    def writer(self, **settings: Any) -> PageWriter:
        return PageWriter(self.store, self.config(**settings), {})

    def write(self, **texts: str | None) -> None:
        """Write pages of the outlet ``o``, or remove those of None, as the writer does."""
        writer = self.writer()
        writer.touching([f"o/{name}.md" for name in texts])
        for name, text in texts.items():
            if text is None:
                (self.output / "o" / f"{name}.md").unlink()
            else:
                writer.tree.write(f"o/{name}.md", text.encode())

    def publish(self, *, whole: bool = False, **settings: Any) -> Report:
        return Publisher(self.writer(**settings)).publish(NOW, whole=whole)

    def host(self, name: str) -> Path:
        """A new empty repository, pushed to from now on."""
        made = bare(self.root / f"{name}.git")
        self.remotes = f"{self.remotes} {made}".strip()
        return made


def open_store(root: Path) -> ArticleStore:
    return ArticleStore(f"sqlite:///{root / 'data' / 'mirror.db'}")


@pytest.fixture(autouse=True, scope="module")
def one_theme() -> Iterator[None]:
    """Compiled once for all mirrors of this module."""
    renderer = MirrorConfig.renderer(Desk(Path("nowhere"), mock.Mock()).config())
    with mock.patch.object(MirrorConfig, "renderer", return_value=renderer):
        yield


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with open_store(tmp_path) as store:
        yield Desk(tmp_path, store)


def states(report: Report) -> list[str]:
    return [result.state for result in report.results]


class TestCommit:
    def test_first_is_the_whole_tree(self, desk: Desk) -> None:
        desk.write(a="1", b="2")
        desk.writer().tree.write('tags/5f/渡轮 "号"/README.md', "渡轮".encode())
        report = desk.publish()
        assert report == Report(commits=["Publish 3 pages: 3 new"])
        assert files(desk.repository) == contents(desk.output)
        assert git(desk.repository, "log", "--format=%an <%ae> %cd", "--date=iso", "main") == (
            "mirror_crawler <mirror@localhost> 2026-11-22 01:37:17 +0000\n"
        )

    @pytest.mark.untraced
    def test_message_has_the_counts(self, desk: Desk) -> None:
        desk.write(a="1", b="2", c="3")
        desk.writer().tree.write("about.md", b"home")
        desk.publish()
        desk.write(a="changed", b=None, d="4", e="5")
        writer = desk.writer()
        writer.touching(["p/x.md", "o/a.md.png", "about.md"])
        writer.tree.write("p/x.md", b"6")
        writer.tree.write("o/a.md.png", b"code")
        writer.tree.write("about.md", b"home 2")
        assert desk.publish().commits == ["Publish 6 pages: 3 new, 2 changed, 1 removed"]
        assert git(desk.repository, "log", "-1", "--format=%b", "main").splitlines() == [
            "o: 2 new, 1 changed, 1 removed",
            "p: 1 new",
            "and 1 other file",
            "",
        ]
        assert files(desk.repository) == contents(desk.output)

    def test_of_other_files_alone(self, desk: Desk) -> None:
        desk.writer().tree.write("a.png", b"1")
        assert desk.publish().commits == ["Publish 1 file"]

    @pytest.mark.untraced
    def test_nothing_changed_is_no_commit(self, desk: Desk) -> None:
        desk.write(a="1")
        desk.publish()
        before = tip(desk.repository)
        assert desk.publish().commits == []
        desk.write(a="1")  # noted, and the same
        assert desk.publish().commits == []
        assert tip(desk.repository) == before
        assert list(desk.store.outbox.waiting(desk.writer().root)) == []

    def test_an_empty_tree_is_nothing(self, desk: Desk) -> None:
        desk.host("a")
        assert desk.publish() == Report()

    @pytest.mark.untraced
    def test_only_what_was_noted_is_read(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        desk.write(**{f"n{number}": "1" for number in range(250)})
        desk.publish()
        read: list[str] = []
        monkeypatch.setattr(Tree, "files", lambda *_: pytest.fail("the tree was walked"))
        original = Tree.read

        def note(tree: Tree, path: str) -> bytes | None:
            read.append(path)
            return original(tree, path)

        monkeypatch.setattr(Tree, "read", note)
        desk.write(n7="2", n8="3")
        assert desk.publish().commits == ["Publish 2 pages: 2 changed"]
        assert set(read) == {"o/n7.md", "o/n8.md"}
        monkeypatch.undo()
        assert files(desk.repository) == contents(desk.output)

    def test_whole_sees_what_was_done_by_hand(self, desk: Desk) -> None:
        desk.write(a="1", b="2", d="4")
        desk.publish()
        (desk.output / "o" / "a.md").write_text("by hand", encoding="utf-8")
        (desk.output / "o" / "d.md").unlink()
        (desk.output / "LICENSE").write_text("free", encoding="utf-8")
        (desk.output / "o" / "a\nb").write_text("odd", encoding="utf-8")
        assert desk.publish().commits == []
        assert desk.publish(whole=True).commits == ["Publish 2 pages: 1 changed, 1 removed"]
        assert files(desk.repository) == contents(desk.output)

    def test_a_file_in_the_place_of_a_directory_and_back(self, desk: Desk) -> None:
        def swap(old: str, new: str) -> None:
            writer = desk.writer()
            writer.touching([old, new])
            (desk.output / old).unlink()
            if "/" in old:
                (desk.output / old).parent.rmdir()
            writer.tree.write(new, b"1")

        desk.writer().tree.write("x.md", b"1")
        desk.publish()
        swap("x.md", "x.md/README.md")
        assert desk.publish().commits == ["Publish 2 pages: 1 new, 1 removed"]
        assert files(desk.repository) == contents(desk.output)
        swap("x.md/README.md", "x.md")
        desk.publish()
        assert files(desk.repository) == contents(desk.output) == {"x.md": b"1"}

    def test_what_is_not_the_mirrors_stays_out(self, desk: Desk) -> None:
        desk.write(a="1")
        (desk.output / ".env").write_text(SECRET, encoding="utf-8")
        (desk.output / "o" / ".b.md.part").write_text("half", encoding="utf-8")
        (desk.output / "o" / "link.md").symlink_to(desk.output / ".env")
        (desk.output / "linked").symlink_to(desk.root)
        desk.writer().touching(["o/link.md"])
        desk.publish()
        desk.publish(whole=True)
        assert files(desk.repository) == {"o/a.md": b"1"}

    @pytest.mark.untraced
    @pytest.mark.parametrize("lost", ["other root", "other store", "other repository", "killed before it was noted"])
    def test_the_whole_tree_when_the_commit_is_not_the_noted_one(self, desk: Desk, lost: str) -> None:
        desk.write(a="1", b="2")
        desk.publish()
        if lost == "other root":
            moved = desk.output.rename(desk.root / "elsewhere")
            (moved / "o" / "a.md").write_bytes(b"new")
            assert desk.publish(MIRROR_OUTPUT=str(moved)).commits == ["Publish 1 page: 1 changed"]
            return
        if lost == "other store":
            desk.store.close()
            (desk.root / "data" / "mirror.db").unlink()
            desk.store = open_store(desk.root)
        elif lost == "other repository":
            somebody_commits(desk.repository, "o/z.md", "z")
        else:
            desk.store.outbox.settle(desk.writer().root, {"1.git": "0" * 40})
        (desk.output / "o" / "a.md").write_bytes(b"new")  # nobody has noted it
        assert desk.publish().commits[0].startswith("Publish ")
        assert files(desk.repository) == contents(desk.output)
        desk.store.close()

    def test_a_file_that_cannot_be_read_is_not_taken_for_a_removed_one(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        desk.write(a="1")
        desk.publish()
        desk.write(a="2")
        original = os.open

        def failing(path: str | Path, *more: Any) -> int:
            if str(path).endswith("/o/a.md"):
                raise OSError(errno.EIO, "Input/output error", path)
            return original(path, *more)

        with monkeypatch.context() as patch:
            patch.setattr(os, "open", failing)
            with pytest.raises(OSError, match="Input/output error"):
                desk.publish()
        assert desk.publish().commits == ["Publish 1 page: 1 changed"]

    def test_own_branch_and_author(self, desk: Desk) -> None:
        desk.write(a="1")
        host = desk.host("a")
        desk.publish(MIRROR_GIT_BRANCH="pages/新", MIRROR_GIT_AUTHOR="编辑 Bee <>")
        assert subjects(host, "pages/新") == ["Publish 1 page: 1 new"]
        assert git(host, "log", "--format=%an <%ae>|%cn <%ce>", "pages/新") == "编辑 Bee <>|编辑 Bee <>\n"

    def test_the_operators_own_configuration_does_not_matter(
        self, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        theirs = bare(tmp_path / "theirs.git")
        monkeypatch.setenv("GIT_DIR", str(theirs))
        monkeypatch.setenv("GIT_INDEX_FILE", "/nowhere")
        monkeypatch.setenv("GIT_TRACE", "1")
        host = desk.host("a")
        desk.write(a="1")
        assert states(desk.publish()) == ["pushed"]
        assert tip(host) == tip(desk.repository)
        assert git(theirs, "for-each-ref") == ""

    def test_a_commit_that_fails_is_one_line(self, desk: Desk) -> None:
        desk.write(a="1")
        desk.publish()
        before = tip(desk.repository)
        desk.write(a="2")
        objects = desk.repository / "objects"
        objects.rename(objects.with_name("away"))
        objects.write_text("no directory", encoding="utf-8")
        with pytest.raises(GitError, match=r"^[^\n]+/1\.git is damaged \(git \w[\w-]*: [^\n]+$"):
            desk.publish()
        objects.unlink()
        (desk.repository / "away").rename(objects)
        assert tip(desk.repository) == before
        assert desk.publish().commits == ["Publish 1 page: 1 changed"]


MOMENTS = {
    "while it compares": "Tree.read = dying(1, Tree.read)",
    "in the commit": "Tree.read = dying(3, Tree.read)",
    "after the commit": "Outbox.settle = dying(1, Outbox.settle)",
    "before the push": "Repository.push = dying(1, Repository.push)",
}
_KILLER = """
import os, sys
from pathlib import Path
from mirror_crawler.outbox import Outbox
from mirror_crawler.repository import Repository
from mirror_crawler.tree import Tree
from tests.test_publish import Desk, open_store

def dying(times, original):
    count = iter(range(1, times + 1))
    def call(*arguments, **named):
        if next(count) == times:
            os.kill(os.getpid(), 9)
        return original(*arguments, **named)
    return call

for moment, root in zip(sys.argv[1::2], sys.argv[2::2]):
    if not os.fork():
        exec(moment)
        Desk(Path(root), open_store(Path(root)), f"{root}/a.git").publish()
        os._exit(0)
    print(os.WTERMSIG(os.wait()[1]))
"""


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """For each moment a mirror of two pages that was killed while it published a change of both."""
    roots = {moment: tmp_path_factory.mktemp("killed") for moment in MOMENTS}
    for root in roots.values():
        with open_store(root) as store:
            desk = Desk(root, store)
            desk.host("a")
            desk.write(a="1", b="2")
            desk.publish()
            desk.write(a="3", b="4")
    words = [word for moment, root in roots.items() for word in (MOMENTS[moment], str(root))]
    command = [sys.executable, "-c", _KILLER, *words]
    signals = subprocess.run(command, cwd=REPO, check=True, capture_output=True, text=True).stdout.split()
    assert signals == [str(signal.SIGKILL.value)] * len(MOMENTS)
    return roots


class TestKilled:
    """A kill at any moment: the next publish has everything, and no commit is half."""

    @pytest.mark.untraced
    @pytest.mark.parametrize("moment", MOMENTS)
    def test_nothing_is_lost(self, killed: dict[str, Path], moment: str) -> None:
        root = killed[moment]
        with open_store(root) as store:
            desk = Desk(root, store, f"{root}/a.git")
            host = root / "a.git"
            git(desk.repository, "fsck", "--strict")
            assert len(subjects(desk.repository)) == (1 if moment in ("while it compares", "in the commit") else 2)
            assert len(subjects(host)) == 1
            assert states(desk.publish()) == ["pushed"]
            assert files(host) == contents(desk.output) == {"o/a.md": b"3", "o/b.md": b"4"}
            assert len(subjects(host)) == 2

    def test_locks_and_reports_of_killed_processes_are_removed(self, desk: Desk) -> None:
        desk.write(a="1")
        desk.publish(MIRROR_GIT_BRANCH="a/b")
        desk.write(a="2")
        locks = ("refs/heads/a/b.lock", "HEAD.lock", "config.lock", "packed-refs.lock", "gc.pid.lock")
        unfinished = desk.repository / "objects" / "pack" / "tmp_pack_1"
        for name in (*locks, "objects/info/commit-graph.lock", "fast_import_crash_1", unfinished):
            (desk.repository / name).write_text("", encoding="utf-8")
        assert desk.publish(MIRROR_GIT_BRANCH="a/b").commits == ["Publish 1 page: 1 changed"]
        assert not list(desk.repository.rglob("*.lock"))
        assert not list(desk.repository.glob("fast_import_crash_*"))
        assert not unfinished.exists()

    def test_a_repository_that_was_being_made_is_made_anew(self, desk: Desk) -> None:
        unfinished = desk.repository.with_name("1.git.part")
        (unfinished / "refs").mkdir(parents=True)
        desk.write(a="1")
        assert desk.publish().commits == ["Publish 1 page: 1 new"]
        assert not unfinished.exists()

    @pytest.mark.untraced
    def test_two_at_the_same_time(self, desk: Desk) -> None:
        host = desk.host("a")
        desk.write(**{f"n{number}": "1" for number in range(50)})
        reports: list[Report] = []

        def publish_what_came(number: int) -> None:
            desk.write(**{f"n{number}": "2"})
            reports.append(desk.publish())

        threads = [threading.Thread(target=publish_what_came, args=[number]) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert {state for report in reports for state in states(report)} <= {"pushed", "up to date"}
        assert len(reports) == 4
        assert files(host) == contents(desk.output)


def object_file(repository: Path, name: str) -> Path:
    """The file of an object that is not packed."""
    number = git(repository, "rev-parse", name).strip()
    return repository / "objects" / number[:2] / number[2:]


def cut_off(file: Path) -> None:
    """As a disk does that was switched off, or is failing."""
    file.chmod(0o644)
    file.write_bytes(file.read_bytes()[:10])


DAMAGES: dict[str, Callable[[Path], object]] = {
    "no HEAD": lambda repository: (repository / "HEAD").unlink(),
    "a broken configuration": lambda repository: (repository / "config").write_text("[core", encoding="utf-8"),
    "an empty branch": lambda repository: (repository / "refs" / "heads" / "main").write_bytes(b""),
    "half a commit": lambda repository: cut_off(object_file(repository, "main")),
    "half a directory": lambda repository: cut_off(object_file(repository, "main:o")),
    "half a file": lambda repository: cut_off(object_file(repository, "main:o/b.md")),
}


class TestDamaged:
    """The repository of the mirror itself cannot be read. TestNewMachine tries the mend that is told."""

    @pytest.mark.parametrize("damage", DAMAGES)
    def test_it_is_named_and_not_the_remote(self, desk: Desk, damage: str) -> None:
        host = desk.host("a")
        desk.write(a="1", b="2")
        desk.publish()
        before = tip(host)
        desk.remotes = ""
        desk.write(b="3")
        desk.publish()  # what is damaged was not pushed yet
        desk.remotes = str(host)
        desk.write(a="4")
        DAMAGES[damage](desk.repository)
        with pytest.raises(GitError) as caught:
            desk.publish()
        said = str(caught.value)
        assert said.startswith(f"{desk.repository} is damaged (git ")
        assert said.endswith("): remove it, and the next `scrapy publish` goes on from a remote")
        assert "\n" not in said
        assert tip(host) == before

    def test_a_damaged_remote_is_the_remotes_fault(self, desk: Desk) -> None:
        host = desk.host("a")
        desk.write(a="1", b="2")
        desk.publish()
        cut_off(object_file(host, "main:o"))
        desk.write(b="3")
        (result,) = desk.publish().results
        assert result.state in ("refused", "unreachable")
        assert states(desk.publish()) == [result.state]

    def test_a_full_disk_is_not_damage(self, desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        desk.write(a="1")
        desk.publish()
        desk.write(a="2")
        full = "fatal: sha1 file 'tmp_pack_1' write error. Out of diskspace"
        program = tmp_path / "bin" / "git"
        program.parent.mkdir()
        program.write_text(
            "#!/bin/sh\n"
            f'case "$*" in *fast-import*) cat > /dev/null; echo "{full}" >&2; exit 128 ;; esac\n'
            f'exec {shutil.which("git")} "$@"\n',
            encoding="utf-8",
        )
        program.chmod(0o755)
        with monkeypatch.context() as patch:
            patch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
            with pytest.raises(GitError, match=re.escape(f"{desk.repository}: git fast-import: {full}")):
                desk.publish()
        assert desk.publish().commits == ["Publish 1 page: 1 changed"]


class TestRemotes:
    @pytest.mark.untraced
    def test_each_by_itself(self, desk: Desk) -> None:
        first, second, third = (desk.host(name) for name in "abc")
        desk.write(a="1")
        assert states(desk.publish()) == ["pushed"] * 3
        assert states(desk.publish()) == ["up to date"] * 3
        shutil.move(first, first.with_name("moved"))
        refuse(second, "remote storage limit of 1 GB is exceeded\x1b[31m")
        desk.write(a="2")
        gone, refused, reached = desk.publish().results
        assert (gone.state, refused.state, reached.state) == ("unreachable", "refused", "pushed")
        assert "does not appear to be a git repository" in gone.why
        said = "remote: remote storage limit of 1 GB is exceeded"
        assert refused.why == f"[remote rejected] (pre-receive hook declined): {said}"
        assert refused.line == f"{second}: refused ({refused.why})"
        assert (tip(third), len(subjects(second))) == (tip(desk.repository), 1)
        shutil.move(first.with_name("moved"), first)
        (second / "hooks" / "pre-receive").unlink()
        assert desk.publish() == Report(
            results=[Result(str(first), "pushed"), Result(str(second), "pushed"), Result(str(third), "up to date")]
        )

    @pytest.mark.untraced
    def test_a_later_one_gets_everything(self, desk: Desk) -> None:
        desk.write(a="1")
        desk.publish()
        desk.write(a="2")
        host = desk.host("late")
        desk.remotes = host.as_uri()
        assert states(desk.publish()) == ["pushed"]
        assert subjects(host) == ["Publish 1 page: 1 changed", "Publish 1 page: 1 new"]

    @pytest.mark.untraced
    def test_a_daemon_down_and_up_again(self, desk: Desk) -> None:
        host = bare(desk.root / "hosts" / "m.git")
        port = free_port()
        desk.remotes = f"git://127.0.0.1:{port}/m.git"
        desk.write(a="1")
        with daemon(host.parent, port):
            assert states(desk.publish()) == ["pushed"]
        desk.write(a="2")
        (result,) = desk.publish().results
        assert (result.state, result.remote) == ("unreachable", desk.remotes)
        assert "Connection refused" in result.why
        refuse(host, "This branch is protected")
        with daemon(host.parent, port):
            (result,) = desk.publish().results
            assert (result.state, "This branch is protected" in result.why) == ("refused", True)
            (host / "hooks" / "pre-receive").unlink()
            assert states(desk.publish()) == ["pushed"]
        assert tip(host) == tip(desk.repository)

    def test_one_that_has_other_commits_is_never_forced(self, desk: Desk) -> None:
        host, other = desk.host("a"), desk.host("b")
        desk.write(a="1")
        desk.publish()
        somebody_commits(host, "LICENSE", "free")
        theirs = tip(host)
        desk.write(a="2")
        diverged, pushed = desk.publish().results
        assert (diverged.state, pushed.state) == ("diverged", "pushed")
        assert str(desk.repository) in diverged.why
        assert tip(host) == theirs
        # The mend that the line names: go on from the remote.
        shutil.rmtree(desk.repository)
        assert states(desk.publish()) == ["pushed", "diverged"]
        assert files(host) == contents(desk.output)
        assert git(host, "rev-list", "main").split()[1] == theirs
        assert tip(other) != tip(host)

    def test_one_that_somebody_was_faster_at(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        host = desk.host("a")
        desk.write(a="1")
        desk.publish()
        desk.write(a="2")
        original = Repository.push

        def late(*arguments: Any) -> Any:
            somebody_commits(host, "x", "1")
            return original(*arguments)

        monkeypatch.setattr(Repository, "push", late)
        assert states(desk.publish()) == ["diverged"]

    def test_one_that_never_answers(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(publish, "_ANSWER_SECONDS", 0.3)
        desk.write(a="1")
        desk.publish()
        with socket.create_server(("127.0.0.1", 0)) as server:
            desk.remotes = f"git://127.0.0.1:{server.getsockname()[1]}/m.git"
            (result,) = desk.publish().results
        assert (result.state, result.why) == ("unreachable", "it took too long")

    def test_a_push_that_takes_too_long_is_ended(self, desk: Desk) -> None:
        host = desk.host("a")
        hook = host / "hooks" / "pre-receive"
        hook.write_text("#!/bin/sh\nexec sleep 60\n", encoding="utf-8")
        hook.chmod(0o755)
        desk.write(a="1")
        (result,) = desk.publish(MIRROR_PUSH_SECONDS="1").results
        assert (result.state, result.why) == ("unreachable", "it took too long")


class TestNewMachine:
    """The repository is lost: the history goes on from a remote."""

    @pytest.fixture
    def moved(self, desk: Desk) -> Desk:
        desk.host("a")
        desk.write(a="1")
        desk.publish()
        desk.write(a="2")
        desk.publish()
        shutil.rmtree(desk.repository)
        return desk

    @pytest.mark.untraced
    def test_goes_on(self, moved: Desk) -> None:
        host = Path(moved.remotes)
        assert (moved.publish().commits, len(subjects(host))) == ([], 2)
        moved.write(b="3")
        assert moved.publish().commits == ["Publish 1 page: 1 new"]
        assert len(subjects(host)) == 3
        assert (moved.repository / "shallow").exists()

    @pytest.mark.untraced
    def test_what_is_not_the_mirrors_stays(self, moved: Desk) -> None:
        host = Path(moved.remotes)
        for path in (".github/pages.yml", "docs/.nojekyll", "LICENSE"):
            somebody_commits(host, path, "theirs")
        assert moved.publish().commits == ["Publish 1 file"]  # the licence is not in the tree
        assert files(host).keys() == contents(moved.output).keys() | {".github/pages.yml", "docs/.nojekyll"}

    def test_from_the_first_that_has_it_though_another_is_down(self, moved: Desk) -> None:
        host = Path(moved.remotes)
        empty = bare(moved.root / "empty.git")
        moved.remotes = f"{moved.root}/gone.git {empty} {host}"
        moved.write(b="3")
        assert states(moved.publish()) == ["unreachable", "pushed", "pushed"]
        assert tip(empty) == tip(host)
        assert len(subjects(empty)) == 3  # the missing part of the history was fetched for it

    @pytest.mark.untraced
    def test_waits_when_one_that_may_have_it_is_down(self, moved: Desk) -> None:
        empty = bare(moved.root / "empty.git")
        host = Path(moved.remotes)
        host.rename(moved.root / "away.git")
        moved.remotes = f"{host} {empty}"
        report = moved.publish()
        assert (report.commits, states(report)) == ([], ["unreachable", "waiting"])
        (moved.root / "away.git").rename(host)
        assert states(moved.publish()) == ["up to date", "pushed"]

    def test_not_from_one_that_tells_what_it_has_and_does_not_give_it(
        self, moved: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        broken = Answer(128, b"", "fatal: early EOF")
        with monkeypatch.context() as patch:
            patch.setattr(Repository, "fetch", mock.Mock(return_value=broken))
            assert moved.publish().results == [Result(moved.remotes, "unreachable", "fatal: early EOF")]
        assert states(moved.publish()) == ["up to date"]

    def test_without_the_rest_of_the_history_an_empty_one_refuses(self, moved: Desk) -> None:
        moved.publish()
        moved.remotes = str(bare(moved.root / "empty.git"))
        (result,) = moved.publish().results
        assert (result.state, "shallow update not allowed" in result.why) == ("refused", True)

    @pytest.mark.untraced
    def test_only_remotes_without_a_commit_are_a_new_beginning(self, moved: Desk) -> None:
        moved.remotes = str(bare(moved.root / "empty.git"))
        report = moved.publish()
        assert (report.commits, states(report)) == (["Publish 1 page: 1 new"], ["pushed"])


@pytest.mark.parametrize(
    ("login", "expected", "state"),
    [
        pytest.param(f"me:{SECRET}", f"me:{SECRET}", "pushed", id="user and password"),
        pytest.param(SECRET, f"{SECRET}:", "pushed", id="a token alone"),
        pytest.param(f"x-access-token:{SECRET}%2F%40", f"x-access-token:{SECRET}/@", "pushed", id="encoded"),
        pytest.param(f"me:{SECRET}", "me:another", "refused", id="wrong"),
    ],
)
@pytest.mark.untraced
def test_a_secret_goes_to_its_host_and_nowhere_else(
    desk: Desk,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    login: str,
    expected: str,
    state: str,
) -> None:
    monkeypatch.setenv("GIT_TRACE_CURL", "1")
    caplog.set_level("DEBUG")
    host = bare(desk.root / "hosts" / "m.git")
    desk.write(a="1")
    desk.publish()
    with WebHost(host.parent, expected) as web:
        desk.remotes = f"http://{login}@{web.name}/m.git"
        (result,) = desk.publish().results
    assert (result.state, result.remote) == (state, f"http://{web.name}/m.git")
    assert (git(host, "for-each-ref") != "") == (state == "pushed")
    assert any(b"remote-http" in line for line in web.command_lines)
    said = "\n".join([repr(result), caplog.text, repr(desk.writer().config)]).encode()
    written = [path.read_bytes() for path in desk.root.rglob("*") if path.is_file()]
    for secret in (SECRET, web.logins[-1].split()[1]):
        assert secret.encode() not in b"\n".join([said, *web.command_lines, *written])


def test_remotes_are_named_without_what_is_secret() -> None:
    (remote,) = read_remotes(f"https://me:{SECRET}@host.example:8443/me/m-{{volume}}.git")
    assert remote.of(3).name == "https://host.example:8443/me/m-3.git"
