"""``scrapy render``: the tree follows from the store alone."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import pytest

from mirror_crawler.commands.render import Command
from tests.mirror import (
    SECTION,
    Mirror,
    Reactor,
    contents,
    dead_links,
    fingerprint,
    fullest_directory,
    news,
    unreachable,
)
from tests.site import SampleSite
from tests.site.changes import clock_dropped
from tests.site.load import many
from tests.site.world import World


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, reactor: Reactor) -> Iterator[Mirror]:
    """Both outlets, with sections and tags; tests that change it make it right again."""
    with SampleSite(World(many("epochtimes", 60) + many("ntdtv", 15))) as site:
        mirror = Mirror(tmp_path_factory.mktemp("render"), site, reactor)
        assert mirror.crawl("epochtimes", section="nsc413,nsc418", tag="渡轮,5g").faults == []
        assert mirror.crawl("ntdtv", section="prog204").faults == []
        yield mirror


@pytest.mark.untraced
def test_leaves_right_pages_alone(shared: Mirror, capsys: pytest.CaptureFixture[str]) -> None:
    before, times = shared.files(), shared.written()
    assert shared.ask("render") == 0
    assert capsys.readouterr().err == f"0 pages written, {len(before)} unchanged, 0 removed\n"
    assert (shared.files(), shared.written()) == (before, times)


@pytest.mark.untraced
def test_elsewhere_makes_the_tree_that_the_crawls_made(shared: Mirror, tmp_path: Path) -> None:
    for _ in range(2):
        assert shared.ask("render", "--output", str(tmp_path / "tree")) == 0
        assert fingerprint(contents(tmp_path / "tree")) == fingerprint(shared.files())


@pytest.mark.untraced
@pytest.mark.parametrize("theme", ["github", "classic"])
def test_theme(shared: Mirror, tmp_path: Path, theme: str) -> None:
    assert shared.ask("render", "--theme", theme, "--output", str(tmp_path)) == 0
    files = contents(tmp_path)
    assert files.keys() == shared.files().keys()
    assert (fingerprint(files) == fingerprint(shared.files())) == (theme == "github")
    assert (unreachable(files), dead_links(files)) == (set(), set())
    assert fullest_directory(files) < 1000
    first = files
    assert shared.ask("render", "--theme", theme, "--output", str(tmp_path)) == 0
    assert contents(tmp_path) == first


def test_says_which_outlet_it_holds_back(
    mirror: Mirror, site: SampleSite, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its latest run failed: what that stored is shown nowhere."""
    for outlet in ("epochtimes", "ntdtv"):
        mirror.crawl(outlet, section=SECTION[outlet])
    before = fingerprint(mirror.files())
    site.serve(clock_dropped(world.changed(*news("epochtimes", 6, start=12)), "epochtimes"))
    assert mirror.crawl("epochtimes", section="nsc413").verdict == "failed"
    capsys.readouterr()
    assert mirror.ask("verify") == 0
    assert mirror.ask("render") == mirror.ask("render", "--check") == mirror.ask("verify", "--repair") == 0
    told = capsys.readouterr().err
    assert told.splitlines()[1] == "epochtimes: as published last; its latest run was not good, or has not ended"
    assert "ntdtv: " not in told
    assert fingerprint(mirror.files()) == before


@pytest.mark.untraced
def test_check_of_a_right_tree(shared: Mirror, capsys: pytest.CaptureFixture[str]) -> None:
    assert shared.ask("render", "--check") == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.untraced
def test_check_names_what_differs_and_writes_nothing(shared: Mirror, capsys: pytest.CaptureFixture[str]) -> None:
    article = next(path for path in sorted(shared.files()) if path.startswith("epochtimes/2026/"))
    for path in ("README.md", "ntdtv/sections/prog204/README.md"):
        (shared.output / path).write_bytes(b"something else")
    (shared.output / article).unlink()
    times = shared.written()
    assert shared.ask("render", "--check") == 1
    assert sorted(capsys.readouterr().out.splitlines()) == ["README.md", article, "ntdtv/sections/prog204/README.md"]
    assert shared.written() == times
    assert shared.ask("render") == 0
    assert capsys.readouterr().err.startswith("3 pages written, ")
    assert shared.ask("render", "--check") == 0


@pytest.mark.untraced
def test_other_paths_leave_no_old_page_behind(
    shared: Mirror, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    elsewhere = {"MIRROR_OUTPUT": str(tmp_path), "MIRROR_BASE_URL": "https://mirror.example"}
    assert shared.ask("render", settings=elsewhere) == 0
    before = contents(tmp_path)
    by_hand = next(path for path in sorted(before) if "/2026/" in path and path.endswith(".md"))
    (tmp_path / by_hand).write_bytes(b"edited")
    moved = {"MIRROR_OUTPUT": str(tmp_path), "MIRROR_PATH": "{outlet}/{section}/{article_id}.md"}
    assert shared.ask("render", "--check", settings=moved) == 1
    named = set(capsys.readouterr().out.splitlines())
    assert shared.ask("render", settings=moved) == 0
    after = contents(tmp_path)
    assert {path for path in after if "/2026/" in path} == {by_hand}
    assert unreachable(after) == {by_hand}
    assert named >= before.keys() - after.keys()
    capsys.readouterr()
    assert shared.ask("render", "--check", settings=moved) == 1
    assert capsys.readouterr().out == f"{by_hand}\n"


def test_a_store_named_by_mistake_empties_no_tree(
    shared: Mirror, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = shared.files()
    for words in ([], ["--check"]):
        assert shared.ask("render", *words, settings={"MIRROR_DATA": str(tmp_path / "typo")}) == 2
        out, err = capsys.readouterr()
        assert (out, err.count("\n")) == ("", 1)
        assert err.startswith(f"scrapy render: MIRROR_DATA={tmp_path}/typo: the store has no article, though the tree ")
    assert shared.files() == before


def test_an_empty_store_has_nothing_to_write(mirror: Mirror, capsys: pytest.CaptureFixture[str]) -> None:
    assert mirror.ask("render") == 0
    assert capsys.readouterr().err == f"the store in {mirror.data} has no article: there is nothing to write\n"
    assert mirror.files() == {}


def test_a_full_disk_is_one_line(
    shared: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(path: str, _: bytes) -> None:
        raise OSError(28, "No space left on device", path)

    monkeypatch.setattr("mirror_crawler.tree._write_file", full)
    assert shared.ask("render", "--output", str(tmp_path)) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"scrapy render: cannot write {tmp_path}")
    assert "No space left on device" in line


def test_check_of_a_tree_that_is_not_there(shared: Mirror, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert shared.ask("render", "--check", "--output", str(tmp_path / "none")) == 1
    assert set(capsys.readouterr().out.splitlines()) == shared.files().keys()
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(["extra"], "unknown argument 'extra'", id="argument"),
        pytest.param(["--theme", "nosuch"], "MIRROR_THEME or MIRROR_THEME_DIR: ", id="theme"),
        pytest.param(["--output", "/dev/null/tree"], "MIRROR_OUTPUT=/dev/null/tree: ", id="output"),
    ],
)
def test_misuse_is_one_line(shared: Mirror, capsys: pytest.CaptureFixture[str], words: list[str], said: str) -> None:
    assert shared.ask("render", *words) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(f"scrapy render: {said}")
    assert printed.err.count("\n") == 1


@pytest.mark.untraced
def test_the_real_command(shared: Mirror) -> None:
    shared.site.requests.clear()
    ended = shared.command("render", "--check")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert shared.site.requests == []


def test_only_for_scrapys_command_line() -> None:
    with pytest.raises(RuntimeError):
        Command().run([], argparse.Namespace())
    assert Command().short_desc()
