"""``scrapy verify``: every kind of fault is found, in a tree that nobody told about it, and what can be is mended."""

from __future__ import annotations

import argparse
import os
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from mirror_crawler import verify, writer
from mirror_crawler.commands.verify import Command
from mirror_crawler.config import MirrorConfig
from mirror_crawler.locks import FileLock
from mirror_crawler.outlet import load_outlets
from mirror_crawler.store import ArticleStore
from mirror_crawler.tree import Tree
from mirror_crawler.verify import LARGEST_FILE, LARGEST_PAGE, MOST_ENTRIES, Verifier
from mirror_crawler.writer import PageWriter
from tests.mirror import Mirror, Reactor, contents, dead_links, fingerprint, unreachable
from tests.site import SampleSite
from tests.site.load import many
from tests.site.world import World

FRONT = "epochtimes/sections/nsc413/README.md"


class Checked:
    """A tree of its own, rendered from a store that all tests of this file share, and the command that checks it."""

    def __init__(self, mirror: Mirror, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.mirror, self.root, self.capsys = mirror, root, capsys
        self.settings = {"MIRROR_OUTPUT": str(root)}

    def render(self, **settings: str) -> dict[str, bytes]:
        """Make the tree; what is in it."""
        self.settings |= settings
        assert self.mirror.ask("render", settings=self.settings) == 0
        self.capsys.readouterr()
        return contents(self.root)

    def verify(self, *words: str, **settings: str) -> tuple[int, list[tuple[str, str, str]], list[str]]:
        """Exit code, problems on standard output, lines on standard error."""
        code = self.mirror.ask("verify", *words, settings=self.settings | settings)
        out, err = self.capsys.readouterr()
        problems = [line.split("\t") for line in out.splitlines()]
        return code, [(kind, path, what) for kind, path, what in problems], err.splitlines()

    def faults(self, *words: str, **settings: str) -> set[tuple[str, str]]:
        """Kind and path of every problem."""
        code, problems, _ = self.verify(*words, **settings)
        found = {(kind, path) for kind, path, _ in problems}
        assert code == bool(found)
        assert len(set(problems)) == len(problems)
        return found

    def put(self, path: str, content: str | bytes = b"", *, append: bool = False) -> None:
        """Put a file into the tree, or add to one, as an operator's hand would."""
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        data = content.encode() if isinstance(content, str) else content
        place.write_bytes(place.read_bytes() + data if append else data)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, reactor: Reactor) -> Iterator[Mirror]:
    """Both outlets, with sections and tags."""
    with SampleSite(World(many("epochtimes", 12) + many("ntdtv", 4))) as site:
        mirror = Mirror(tmp_path_factory.mktemp("verify"), site, reactor)
        assert mirror.crawl("epochtimes", section="nsc413,nsc418", tag="渡轮,5g").faults == []
        assert mirror.crawl("ntdtv", section="prog204").faults == []
        yield mirror


@pytest.fixture
def checked(shared: Mirror, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Checked:
    return Checked(shared, tmp_path / "tree", capsys)


def articles(files: Mapping[str, bytes]) -> list[str]:
    return sorted(path for path in files if "/2026/" in path and path.endswith(".md"))


class TestRightTree:
    @pytest.mark.untraced
    @pytest.mark.parametrize("theme", ["github", "classic"])
    @pytest.mark.parametrize(
        "options",
        [
            {},
            {
                "MIRROR_BASE_URL": "https://mirror.example/news",
                "MIRROR_COUNTER": "https://count.example/c",
                "MIRROR_NAVIGATION": "[首页]({root}/README.md?) ![图](https://nav.example/{article_id}.png)",
                "MIRROR_FOOTER": "<img src='//foot.example/a.png'>\n[站](https://else.example/)",
            },
            {"MIRROR_IMAGES": "remote", "MIRROR_LINKS": "keep", "MIRROR_BASE_URL": "https://mirror.example"},
        ],
        ids=["plain", "with all that settings can add", "remote"],
    )
    def test_says_nothing(self, checked: Checked, theme: str, options: dict[str, str]) -> None:
        files = checked.render(MIRROR_THEME=theme, **options)
        assert checked.verify() == (0, [], [])
        assert checked.verify("--repair") == (0, [], ["0 mended, 0 left"])
        assert fingerprint(contents(checked.root)) == fingerprint(files)

    def test_what_is_not_the_mirrors_is_left_alone(self, checked: Checked) -> None:
        checked.render()
        checked.put(".git/objects/00/1", b"x")
        checked.put(".gitattributes", "* -text")
        checked.put(".github/help.md", "[题](nowhere.md)")
        assert checked.faults() == set()

    def test_of_an_empty_store_is_none(self, mirror: Mirror, tmp_path: Path) -> None:
        assert mirror.ask("verify") == 0
        assert not mirror.output.exists()


class TestAgainstTheStore:
    @pytest.mark.untraced
    def test_missing(self, checked: Checked) -> None:
        first, second, *_ = articles(checked.render())
        (checked.root / first).unlink()
        shutil.rmtree((checked.root / second).parent)
        missing = {path for kind, path in checked.faults() if kind == "missing"}
        assert missing == set(articles(checked.mirror.files())) - set(articles(contents(checked.root)))
        assert {first, second} <= missing

    @pytest.mark.untraced
    def test_edited_and_outdated(self, checked: Checked) -> None:
        edited = articles(checked.render())[0]
        checked.put(edited, "\n由人改动。\n", append=True)
        assert checked.faults() == {("edited", edited)}
        assert checked.faults(MIRROR_TITLE="改名") == {("edited", edited), ("outdated", "README.md")}

    @pytest.mark.untraced
    def test_an_edit_that_happens_to_be_right_is_right(self, checked: Checked) -> None:
        checked.render()
        assert checked.mirror.ask("render", "--output", str(checked.root), settings={"MIRROR_TITLE": "改名"}) == 0
        renamed = (checked.root / "README.md").read_bytes()
        checked.render()
        checked.put("README.md", renamed)
        assert checked.faults(MIRROR_TITLE="改名") == set()
        assert checked.faults() == {("edited", "README.md")}

    def test_a_page_that_is_no_file(self, checked: Checked, tmp_path: Path) -> None:
        files = checked.render()
        directory, link, huge = articles(files)[:3]
        (checked.root / directory).unlink()
        (checked.root / directory).mkdir()
        (tmp_path / "elsewhere.md").write_bytes(files[link])
        (checked.root / link).unlink()
        (checked.root / link).symlink_to(tmp_path / "elsewhere.md")
        os.truncate(checked.root / huge, LARGEST_FILE + 1)
        faults = checked.faults()
        assert {("edited", directory), ("edited", link), ("edited", huge), ("limit", huge)} <= faults
        code, problems, said = checked.verify("--repair")
        assert code == 1
        assert ("edited", directory, "not what was written last; not mended: Is a directory") in problems
        assert not {link, huge} & {problem[1] for problem in problems}
        assert said[-1].startswith("2 mended, ")
        assert not (checked.root / link).is_symlink()
        assert (tmp_path / "elsewhere.md").read_bytes() == files[link]

    @pytest.mark.untraced
    def test_a_pipe_is_not_read(self, checked: Checked) -> None:
        checked.render()
        os.mkfifo(checked.root / "pipe.md")
        assert ("extra", "pipe.md") in checked.faults()

    @pytest.mark.untraced
    def test_extra(self, checked: Checked) -> None:
        old = articles(checked.render())
        files = checked.render(MIRROR_PATH="{outlet}/{section}/{article_id}.md")
        checked.put(old[0], "由人所写")
        checked.put("CNAME", "mirror.example")
        checked.put("epochtimes/.README.md.part", "半")
        checked.put(".README.md.part", "半")
        checked.put("epochtimes/.DS_Store")
        extra = {old[0], "CNAME", "epochtimes/.README.md.part", ".README.md.part", "epochtimes/.DS_Store"}
        assert {path for kind, path in checked.faults() if kind == "extra"} == extra
        assert not set(old) & files.keys()

    @pytest.mark.untraced
    def test_what_another_place_of_articles_leaves(self, checked: Checked) -> None:
        old = articles(checked.render())
        moved = {"MIRROR_PATH": "{outlet}/{section}/{article_id}.md"}
        extra = {path for kind, path in checked.faults(**moved) if kind == "extra"}
        assert extra == set(old)
        checked.put(old[0], "由人所写")
        code, problems, said = checked.verify("--repair", **moved)
        assert (code, {problem[:2] for problem in problems}) == (1, {("extra", old[0]), ("orphan", old[0])})
        assert problems[0][2].endswith("; not removed: edited since")
        assert f"mended\textra\t{old[1]}\twritten once, but the store does not have it now" in said
        assert articles(contents(checked.root)) == [old[0]]
        assert checked.mirror.ask("render", "--check", settings=checked.settings | moved) == 1
        assert checked.capsys.readouterr().out == f"{old[0]}\n"

    @pytest.mark.untraced
    def test_names_that_nobody_expects(self, checked: Checked) -> None:
        checked.render()
        checked.put("epochtimes/a\tb\n.txt")
        checked.put(os.fsdecode(b"epochtimes/\xff.txt"))
        checked.put(os.fsdecode(b"epochtimes/\xff/\xfe.md"), "[题](../README.md)")
        _, problems, _ = checked.verify("--repair")
        assert [problem[:2] for problem in problems] == [
            ("extra", "epochtimes/a\ufffdb\ufffd.txt"),
            ("extra", "epochtimes/?.txt"),
            ("extra", "epochtimes/?/?.md"),
            ("orphan", "epochtimes/?/?.md"),
        ]

    def test_nothing_is_there(self, checked: Checked) -> None:
        assert checked.faults() == {("missing", path) for path in checked.mirror.files()}
        assert not checked.root.exists()


class TestLinks:
    def test_dead(self, checked: Checked) -> None:
        checked.render()
        written = {
            "[题](nowhere.md)": "links to epochtimes/nowhere.md",
            "[题][1]\n\n[1]: ../reference.md": "links to reference.md",
            "[题](/root.md)": "links to root.md",
            "<a class=x\nhref='tags/directory/'>题</a>": "links to epochtimes/tags/directory",
            "[题](%E6%B2%A1%E6%9C%89.md#顶)": "links to epochtimes/没有.md",
            "[题](../../README.md)": "links to ../README.md",
            "[题](../README.md/x)": "links to README.md/x",
            f"[题]({'x' * 300}.md)": f"links to epochtimes/{'x' * 300}.md",
            "![图](nowhere.png)": "shows epochtimes/nowhere.png",
            "<img src=html.png>": "shows epochtimes/html.png",
        }
        checked.put("epochtimes/README.md", "\n\n" + "\n\n".join([*written, *written]), append=True)
        code, problems, _ = checked.verify()
        assert code == 1
        assert sorted(problems) == sorted(
            [("edited", "epochtimes/README.md", "not what was written last")]
            + [("dead link", "epochtimes/README.md", f"{said}, which is not there") for said in written.values()]
        )

    @pytest.mark.untraced
    def test_alive(self, checked: Checked) -> None:
        checked.render()
        checked.put(".github/help.md")
        written = [
            "[题](tags) [题](tags/) [题](.) [题](..) [题](/) [题](/README.md)",
            "[题](pages/0) [题](../.github/help.md)",
            "[题](../README.md?plain=1#top) [题](#none)",
            "[题](https://elsewhere.example/nowhere.md) [题](mailto:a@b.example)",
            "`[题](nowhere.md)` <!-- <a href='nowhere.md'> -->",
            "<ok href='nowhere.md'>题</ok>",
        ]
        checked.put("epochtimes/README.md", "\n\n" + "\n\n".join(written), append=True)
        assert checked.faults() == {("edited", "epochtimes/README.md")}

    @pytest.mark.untraced
    def test_to_missing_pages(self, checked: Checked) -> None:
        gone = articles(checked.render())[0]
        (checked.root / gone).unlink()
        faults = checked.faults()
        dead = {("dead link", page) for page, _ in dead_links(contents(checked.root))}
        assert faults == {("missing", gone), *dead}
        assert dead

    @pytest.mark.untraced
    def test_share_codes(self, checked: Checked) -> None:
        page = articles(checked.render(MIRROR_BASE_URL="https://mirror.example"))[0]
        (checked.root / f"{page}.png").unlink()
        assert checked.faults() == {("missing", f"{page}.png"), ("dead link", page)}

    @pytest.mark.untraced
    def test_orphans(self, checked: Checked) -> None:
        checked.render()
        checked.put("a/lost.md", "[题](also.md)")
        checked.put("a/also.md", "[题](lost.md) [题](../README.md)")
        checked.put("a/picture.txt")
        extra = {("extra", f"a/{name}") for name in ("lost.md", "also.md", "picture.txt")}
        assert checked.faults() == extra | {("orphan", "a/lost.md"), ("orphan", "a/also.md")}
        checked.put("ntdtv/README.md", "\n[题](../a/lost.md)\n", append=True)
        assert checked.faults() == extra | {("edited", "ntdtv/README.md")}

    @pytest.mark.untraced
    def test_a_directory_leads_to_its_page(self, checked: Checked) -> None:
        checked.render()
        checked.put("a/README.md", "")
        checked.put("README.md", "\n[题](a)\n", append=True)
        assert checked.faults() == {("extra", "a/README.md"), ("edited", "README.md")}

    @pytest.mark.untraced
    def test_a_picture_of_a_page_is_no_way_to_it(self, checked: Checked) -> None:
        checked.render()
        checked.put("a/lost.md", "")
        checked.put("README.md", "\n![图](a/lost.md)\n", append=True)
        assert ("orphan", "a/lost.md") in checked.faults()

    @pytest.mark.untraced
    def test_pages_that_a_cut_list_loses(self, checked: Checked) -> None:
        files = checked.render()
        for path in [path for path in files if path.startswith("epochtimes/") and "/2026/" not in path]:
            checked.put(path, "")
        orphans = {path for kind, path in checked.faults() if kind == "orphan"}
        assert orphans == unreachable(contents(checked.root))
        assert orphans

    @pytest.mark.untraced
    def test_without_a_home_page_only_that_is_said(self, checked: Checked) -> None:
        checked.render()
        (checked.root / "README.md").unlink()
        assert {kind for kind, _ in checked.faults()} == {"missing", "dead link"}


class TestLimits:
    @pytest.mark.untraced
    def test_directory(self, checked: Checked) -> None:
        checked.render()
        for number in range(MOST_ENTRIES + 1):
            checked.put(f"a/{number}.txt")
        _, problems, _ = checked.verify()
        assert [problem for problem in problems if problem[0] == "limit"] == [
            ("limit", "a", "1,001 entries; hosts list 1,000")
        ]
        (checked.root / "a" / "0.txt").unlink()
        assert {kind for kind, _ in checked.faults()} == {"extra"}

    def test_directory_that_a_repair_empties(self, checked: Checked) -> None:
        checked.render()
        for number in range(MOST_ENTRIES):
            checked.put(f".{number}.md.part")
        assert ("limit", ".") in checked.faults()
        assert checked.verify("--repair")[0] == 0

    @pytest.mark.untraced
    @pytest.mark.parametrize(
        ("name", "limit", "what"),
        [("a.md", LARGEST_PAGE, "pages to 1,048,576"), ("a.png", LARGEST_FILE, "files to 52,428,800")],
    )
    def test_file(self, checked: Checked, name: str, limit: int, what: str) -> None:
        checked.render()
        checked.put(name)
        os.truncate(checked.root / name, limit)
        assert "limit" not in {kind for kind, _ in checked.faults()}
        os.truncate(checked.root / name, limit + 1)
        _, problems, _ = checked.verify()
        assert ("limit", name, f"{limit + 1:,} bytes; hosts show {what}") in problems


class TestOutside:
    def test_only_what_the_settings_ask_for(self, checked: Checked) -> None:
        checked.render(MIRROR_COUNTER="https://count.example/c")
        text = "![图](https://else.example/a.png) <img src=//count.example/b> [题](https://link.example/)"
        checked.put("README.md", f"\n{text}\n", append=True)
        _, problems, _ = checked.verify()
        assert problems[1:] == [("outside", "README.md", "loads https://else.example/a.png")]
        assert checked.faults(MIRROR_COUNTER="") >= {("outside", page) for page in articles(contents(checked.root))}

    def test_remote_pictures_are_asked_for(self, checked: Checked) -> None:
        checked.render(MIRROR_IMAGES="remote")
        checked.put("README.md", "\n![图](https://else.example/a.png)\n", append=True)
        assert checked.faults() == {("edited", "README.md")}
        assert "outside" in {kind for kind, _ in checked.faults(MIRROR_IMAGES="none")}


class TestRepair:
    @pytest.mark.untraced
    @pytest.mark.parametrize("theme", ["github", "classic"])
    def test_makes_the_tree_that_render_makes(
        self, checked: Checked, theme: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(verify, "_BATCH", 7)
        monkeypatch.setattr(writer, "_BATCH", 7)
        files = checked.render(MIRROR_THEME=theme)
        first, second, *_ = articles(files)
        shutil.rmtree((checked.root / first).parent)
        checked.put(second, "![图](https://else.example/a.png) [题](nowhere.md)")
        checked.put(FRONT, "")
        checked.put("ntdtv/.README.md.part", "半")
        assert {kind for kind, _ in checked.faults()} == {
            "missing",
            "edited",
            "extra",
            "dead link",
            "orphan",
            "outside",
        }
        code, problems, said = checked.verify("--repair", MIRROR_TITLE="改名")
        assert (code, problems) == (0, [])
        assert f"mended\tedited\t{FRONT}\tnot what was written last" in said
        assert "mended\toutdated\tREADME.md\tthe store says otherwise now" in said
        assert said[-1] == f"{len(said) - 1} mended, 0 left"
        assert checked.faults(MIRROR_TITLE="改名") == set()
        assert checked.faults() == {("outdated", "README.md")}  # what the repair wrote is noted as ours
        assert checked.verify("--repair")[0] == 0
        assert fingerprint(contents(checked.root)) == fingerprint(files)

    @pytest.mark.untraced
    def test_makes_a_tree_that_is_not_there(self, checked: Checked) -> None:
        code, problems, said = checked.verify("--repair")
        assert (code, problems, said[-1]) == (0, [], f"{len(said) - 1} mended, 0 left")
        assert fingerprint(contents(checked.root)) == fingerprint(checked.mirror.files())

    def test_leaves_what_it_cannot_write(self, checked: Checked, monkeypatch: pytest.MonkeyPatch) -> None:
        first, second, *_ = articles(checked.render())
        checked.put(first, "改")
        checked.put(second, "改")
        checked.put("a/.b.md.part")
        write, unlink = Tree.write, Path.unlink

        def refuse(tree: Tree, path: str, content: bytes) -> bool:
            if path == first:
                raise OSError(28, "No space left on device")
            return write(tree, path, content)

        def keep(path: Path, **options: Any) -> None:
            if path.name == ".b.md.part":
                raise PermissionError(13, "Permission denied")
            unlink(path, **options)

        monkeypatch.setattr(Tree, "write", refuse)
        monkeypatch.setattr(Path, "unlink", keep)
        code, problems, said = checked.verify("--repair")
        assert (code, said[-1]) == (1, "1 mended, 2 left")
        assert problems == [
            ("edited", first, "not what was written last; not mended: No space left on device"),
            ("extra", "a/.b.md.part", "left by a write that was cut off; not mended: Permission denied"),
        ]

    @pytest.mark.untraced
    def test_the_next_run_has_nothing_to_write(self, mirror: Mirror) -> None:
        mirror.crawl("epochtimes", section="nsc413")
        page = articles(mirror.files())[0]
        (mirror.output / page).write_bytes(b"edited")
        assert mirror.ask("verify", "--repair") == 0
        written = mirror.written()
        assert mirror.crawl("epochtimes", section="nsc413").stats.get("pages/written", 0) == 0
        assert mirror.written() == written


@pytest.mark.untraced
def test_front_pages_are_named_once(checked: Checked, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their numbered pages may come in several batches."""
    checked.render()
    (checked.root / "epochtimes/README.md").unlink()
    monkeypatch.setattr(verify, "_BATCH", 1)
    monkeypatch.setattr(writer, "_BATCH", 1)
    _, problems, _ = checked.verify()
    assert [problem[1] for problem in problems if problem[0] == "missing"] == ["epochtimes/README.md"]


@pytest.mark.untraced
def test_nobody_else_writes_pages_meanwhile(checked: Checked) -> None:
    checked.render()
    settings = checked.mirror.settings(**checked.settings)
    config = MirrorConfig.from_settings(settings)
    with ArticleStore(config.database) as store:
        checked.put("CNAME")
        problems = Verifier(PageWriter(store, config, load_outlets(settings))).problems()
        assert next(problems).path == "CNAME"
        lock = FileLock(config.data / "pages.lock")
        assert not lock.acquire()
        assert list(problems) == []
        assert lock.acquire()
        lock.release()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(["extra"], "unknown argument 'extra'", id="argument"),
        pytest.param(["--repair", "--output", "/dev/null/tree"], "MIRROR_OUTPUT=/dev/null/tree: ", id="output"),
        pytest.param(["--output", __file__], f"cannot read {__file__}: Not a directory", id="a file"),
    ],
)
def test_misuse_is_one_line(shared: Mirror, capsys: pytest.CaptureFixture[str], words: list[str], said: str) -> None:
    capsys.readouterr()
    assert shared.ask("verify", *words) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"scrapy verify: {said}")


def test_no_room_for_notes_is_one_line(checked: Checked, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr("mirror_crawler.verify._Notes.imply", full)
    code, problems, said = checked.verify()
    assert (code, problems) == (2, [])
    (line,) = said
    assert line.startswith("scrapy verify: no room for a temporary database: database or disk is full; set TMPDIR")


@pytest.mark.untraced
def test_the_real_command(shared: Mirror, tmp_path: Path) -> None:
    shared.site.requests.clear()
    shutil.copytree(shared.output, tmp_path / "copy")
    with (tmp_path / "copy" / FRONT).open("a", encoding="utf-8") as page:
        page.write("由人所写")
    ended = shared.command("verify", "--output", str(tmp_path / "copy"))
    assert (ended.returncode, ended.stderr) == (1, "")
    assert ended.stdout == f"edited\t{FRONT}\tnot what was written last\n"
    assert shared.site.requests == []


def test_only_for_scrapys_command_line() -> None:
    with pytest.raises(RuntimeError):
        Command().run([], argparse.Namespace())
    assert Command().short_desc()
