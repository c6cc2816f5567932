"""The tree on disk: files replaced whole, unchanged ones not touched, nothing outside."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

import pytest

from mirror_crawler.tree import Tree, digest


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path / "output")


def names(tree: Tree) -> list[str]:
    return sorted(path.relative_to(tree.root).as_posix() for path in tree.root.rglob("*") if path.is_file())


def test_writes_and_replaces(tree: Tree) -> None:
    assert tree.write("e/tags/图书馆/README.md", "一".encode())
    assert tree.write("e/tags/图书馆/README.md", "二".encode())
    assert (tree.root / "e/tags/图书馆/README.md").read_text(encoding="utf-8") == "二"
    assert names(tree) == ["e/tags/图书馆/README.md"]


def test_leaves_alone_what_would_not_change(tree: Tree) -> None:
    tree.write("a.md", b"x")
    before = (tree.root / "a.md").stat()
    assert not tree.write("a.md", b"x")
    after = (tree.root / "a.md").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_replaces_instead_of_writing_in_place(tree: Tree) -> None:
    tree.write("a.md", b"x")
    with (tree.root / "a.md").open("rb") as reader:
        tree.write("a.md", b"longer")
        assert reader.read() == b"x"


def test_a_failed_write_leaves_the_old_page_and_nothing_else(tree: Tree) -> None:
    tree.write("a.md", b"old")

    def fail(_self: Path, _target: Path) -> Path:
        raise OSError(28, "No space left on device")

    with mock.patch.object(Path, "replace", fail), pytest.raises(OSError, match="No space left"):
        tree.write("a.md", b"new")
    assert (tree.root / "a.md").read_bytes() == b"old"
    assert names(tree) == ["a.md"]


def test_takes_up_what_a_kill_left_behind(tree: Tree) -> None:
    tree.root.mkdir()
    (tree.root / ".a.md.part").write_bytes(b"half")
    tree.write("a.md", b"whole")
    assert names(tree) == ["a.md"]


@pytest.mark.parametrize(
    ("path", "content", "differs"),
    [("a.md", b"x", False), ("a.md", b"y", True), ("b.md", b"x", True), ("a.md/b.md", b"x", True)],
    ids=["same", "changed", "missing", "below a file"],
)
def test_differs(tree: Tree, path: str, content: bytes, differs: bool) -> None:
    tree.write("a.md", b"x")
    assert tree.differs(path, content) is differs


@pytest.mark.parametrize(
    "path", ["", "/etc/x", "../x", "a/../../x", "a/..", "./a", "a//b", "a/", "a\0b", "a\\b", "..\\x"]
)
def test_never_leaves_the_tree(tree: Tree, path: str) -> None:
    for act in (tree.write, tree.differs):
        with pytest.raises(ValueError, match="would leave the tree"):
            act(path, b"x")
    assert not tree.root.exists()


def test_digest() -> None:
    assert digest(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


class TestAnotherFile:
    """A picture is a file already, and what is done to the tree must not reach it."""

    @pytest.fixture
    def picture(self, tmp_path: Path) -> Path:
        made = tmp_path / "album" / "ab.webp"
        made.parent.mkdir()
        made.write_bytes(b"picture")
        return made

    def test_takes_its_place(self, tree: Tree, picture: Path) -> None:
        assert tree.write("assets/a/ab.webp", picture)
        assert tree.write("assets/b/ab.webp", picture)
        assert not tree.write("assets/a/ab.webp", picture)
        assert names(tree) == ["assets/a/ab.webp", "assets/b/ab.webp"]
        assert (tree.root / "assets/a/ab.webp").read_bytes() == b"picture"
        assert (tree.root / "assets/a/ab.webp").stat().st_nlink == 1

    def test_takes_that_of_half_a_file(self, tree: Tree, picture: Path) -> None:
        tree.write("ab.webp", b"pict")
        (tree.root / ".ab.webp.part").write_bytes(b"left by a kill")
        assert tree.differs("ab.webp", picture)
        assert tree.write("ab.webp", picture)
        assert names(tree) == ["ab.webp"]
        assert not tree.differs("ab.webp", picture)

    def test_that_is_gone_leaves_the_tree_as_it_is(self, tree: Tree, picture: Path) -> None:
        picture.unlink()
        with pytest.raises(FileNotFoundError):
            tree.write("a/ab.webp", picture)
        assert names(tree) == []
