"""The tree follows the store: which files are written, what stands on them, and that nothing leaves the tree."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from scrapy.settings import Settings

from mirror_crawler.config import MirrorConfig
from mirror_crawler.items import Image, Picture, Section
from mirror_crawler.outlet import load_outlets
from mirror_crawler.recovery import finish
from mirror_crawler.store import ArticleStore
from mirror_crawler.tree import Tree, digest
from mirror_crawler.verify import Verifier
from mirror_crawler.writer import PageWriter
from tests.mirror import Mirror, contents, dead_links, unreachable
from tests.test_store import LATER, OUTLET, RUN, article, listing


class TestTree:
    @pytest.fixture
    def tree(self, tmp_path: Path) -> Tree:
        return Tree(tmp_path / "tree")

    def test_writes_what_differs(self, tree: Tree) -> None:
        assert tree.differs("a/b.md", b"1")
        assert tree.write("a/b.md", b"1")
        written = (tree.root / "a" / "b.md").stat().st_mtime_ns
        assert not tree.write("a/b.md", b"1")
        assert (tree.root / "a" / "b.md").stat().st_mtime_ns == written
        assert tree.write("a/b.md", b"2")
        assert contents(tree.root) == {"a/b.md": b"2"}

    def test_replaces_a_file_whole(self, tree: Tree) -> None:
        tree.write("a.md", b"old")
        with (tree.root / "a.md").open("rb") as reader:
            tree.write("a.md", b"new")
            assert reader.read() == b"old"

    def test_takes_up_what_a_kill_left(self, tree: Tree) -> None:
        tree.root.mkdir()
        (tree.root / ".a.md.part").write_bytes(b"half")
        tree.write("a.md", b"whole")
        assert contents(tree.root) == {"a.md": b"whole"}

    @pytest.mark.parametrize("path", ["/etc/x", "../x", "a/../../x", "a//b", "./a", "", "a/", "a\\..\\b", "a\0b"])
    def test_nothing_leaves_it(self, tree: Tree, path: str) -> None:
        with pytest.raises(ValueError, match="would leave the tree"):
            tree.write(path, b"1")
        with pytest.raises(ValueError, match="would leave the tree"):
            tree.differs(path, b"1")
        assert not tree.root.exists()

    def test_a_write_that_fails_leaves_the_page_and_no_rest(self, tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
        tree.write("a.md", b"old")

        def fills_up(file: int, content: bytes) -> int:
            monkeypatch.setattr(os, "write", mock.Mock(side_effect=OSError(28, "No space left on device")))
            return os.pwrite(file, content[:1], 0)

        monkeypatch.setattr(os, "write", fills_up)
        with pytest.raises(OSError, match="No space"):
            tree.write("a.md", b"new")
        assert contents(tree.root) == {"a.md": b"old"}

    def test_a_directory_in_the_way_leaves_no_rest(self, tree: Tree) -> None:
        (tree.root / "a.md" / "b").mkdir(parents=True)
        with pytest.raises(OSError, match=r"a\.md"):
            tree.write("a.md", b"1")
        assert contents(tree.root) == {}

    def test_a_file_where_a_directory_must_be_is_a_difference(self, tree: Tree) -> None:
        tree.write("a", b"1")
        assert tree.differs("a/b.md", b"1")

    def test_digest(self) -> None:
        assert digest(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = Settings()
    made.setmodule("mirror_crawler.settings")
    made.setdict({"MIRROR_DATA": str(tmp_path / "data"), "MIRROR_OUTPUT": str(tmp_path / "output")}, "cmdline")
    return made


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ArticleStore]:
    with ArticleStore(f"sqlite:///{tmp_path / 'data' / 'mirror.db'}") as opened:
        yield opened


@pytest.fixture
def writer(store: ArticleStore, settings: Settings) -> PageWriter:
    return PageWriter(store, MirrorConfig.from_settings(settings), load_outlets(settings))


def put(writer: PageWriter, number: int, *, listed: bool = True, **changes: Any) -> None:
    """An article, and its listing in nsc413."""
    item = article(number, **changes)
    if listed:
        writer.store.put_listing(listing(number, outlet=item.outlet), RUN)
    writer.store.put_article(item, RUN, writer.links.targets_of(item))


def update(writer: PageWriter, outlet: str = OUTLET) -> set[str]:
    """Write what is stale; the paths of the files that changed."""
    before = contents(writer.tree.root) if writer.tree.root.exists() else {}
    tally = writer.write_stale(outlet)
    changed = {path for path, content in contents(writer.tree.root).items() if before.get(path) != content}
    assert tally.written == len(changed)
    return changed


def page(writer: PageWriter, path: str) -> str:
    return (writer.tree.root / path).read_text(encoding="utf-8")


LISTS = {"README.md", "epochtimes/README.md", "epochtimes/sections/nsc413/README.md"}


class TestStale:
    def test_first_article(self, writer: PageWriter) -> None:
        put(writer, 1000)
        numbered = {"epochtimes/pages/0/1.md", "epochtimes/sections/nsc413/pages/0/1.md"}
        assert update(writer) == {"epochtimes/2021/03/04/n1000.md"} | LISTS | numbered
        assert update(writer) == set()

    def test_an_empty_store_needs_no_page(self, writer: PageWriter) -> None:
        assert writer.write_stale(OUTLET).written == 0
        assert not writer.tree.root.exists()

    @pytest.mark.untraced
    def test_a_full_numbered_page_stays_as_it_is(self, writer: PageWriter) -> None:
        for number in range(50):
            put(writer, 1000 + number)
        update(writer)
        put(writer, 2000)
        second = {"epochtimes/pages/0/2.md", "epochtimes/sections/nsc413/pages/0/2.md"}
        assert update(writer) == {"epochtimes/2021/03/04/n2000.md"} | LISTS | second
        files = contents(writer.tree.root)
        assert (unreachable(files), dead_links(files)) == (set(), set())

    def test_newest_first(self, writer: PageWriter) -> None:
        for number, hour in ((1000, 9), (1001, 11), (1002, 10)):
            put(writer, number, title=f"题{hour}", hour=hour)
        update(writer)
        for path in (*LISTS, "epochtimes/pages/0/1.md"):
            text = page(writer, path)
            assert text.index("题11") < text.index("题10") < text.index("题9")

    def test_newest_first_after_older_ones_came(self, writer: PageWriter) -> None:
        put(writer, 5000, title="最新", hour=23)
        update(writer)
        for number in range(1000, 1120):
            put(writer, number, hour=8)
        update(writer)
        for path in LISTS:
            first = next(line for line in page(writer, path).splitlines() if ".md)" in line and line.startswith("-"))
            assert "最新" in first, path

    @pytest.mark.parametrize(("number", "hour"), [(5000, 1), (1007, 23)], ids=["newest-dated-back", "old-dated-on"])
    def test_newest_first_as_published_last(self, writer: PageWriter, number: int, hour: int) -> None:
        """What a failed run changed of the times changes nothing on the home page that another outlet's run writes."""
        store = writer.store
        run = store.begin_run(OUTLET, "2026-11-20T03:37:17+00:00")
        for each in range(1000, 1120):
            store.put_article(article(each, hour=8), run)
        store.put_article(article(5000, title="最新", hour=22), run)
        update(writer)
        store.end_run(OUTLET, run, finished_at="2026-11-20T03:40:17+00:00", verdict="ok", report={})
        before = contents(writer.tree.root)
        run = store.begin_run(OUTLET, LATER)
        store.put_article(article(number, hour=hour, fetched_at=LATER, body_html="<p>别的。</p>"), run)
        store.end_run(OUTLET, run, finished_at=LATER, verdict="failed", report={})
        assert list(writer.differing()) == []
        store.set_tree_look(writer.root, "another")  # all is made anew
        writer.write_stale("ntdtv")
        assert contents(writer.tree.root) == before

    def test_a_link_comes_alive_when_its_target_arrives(self, writer: PageWriter) -> None:
        body = '<p>见<a href="https://www.epochtimes.com/gb/21/3/4/n1001.htm">前文</a>。</p>'
        put(writer, 1000, body_html=body)
        update(writer)
        assert "n1001.md" not in page(writer, "epochtimes/2021/03/04/n1000.md")
        put(writer, 1001)
        assert "epochtimes/2021/03/04/n1000.md" in update(writer)
        assert "[前文](n1001.md)" in page(writer, "epochtimes/2021/03/04/n1000.md")

    def test_a_link_to_the_other_outlet_comes_alive_with_its_run(self, writer: PageWriter) -> None:
        url = "https://www.ntdtv.com/gb/2021/03/04/a103000001.html"
        put(writer, 1000, body_html=f'<p>见<a href="{url}">他处</a>。</p>')
        update(writer)
        there = {"outlet": "ntdtv", "article_id": "a103000001", "url": url, "section": None}
        put(writer, 9, listed=False, **there)
        assert update(writer) == set()
        assert {"ntdtv/2021/03/04/a103000001.md", "epochtimes/2021/03/04/n1000.md"} <= update(writer, "ntdtv")
        assert "(../../../../ntdtv/2021/03/04/a103000001.md)" in page(writer, "epochtimes/2021/03/04/n1000.md")
        assert "ntdtv/README.md" in page(writer, "README.md")

    def test_a_tag_list_that_begins(self, writer: PageWriter) -> None:
        put(writer, 1000, tags=["茶叶"])
        update(writer)
        writer.store.put_listing(listing(1000, "茶叶", "tag", list_name="茶叶"), RUN)
        changed = update(writer)
        (front,) = (path for path in changed if path.endswith("/茶叶/README.md"))
        assert {"epochtimes/2021/03/04/n1000.md", "epochtimes/tags/README.md", "epochtimes/README.md"} <= changed
        assert f"({front.removeprefix('epochtimes/tags/')})" in page(writer, "epochtimes/tags/README.md")
        assert "(tags/README.md)" in page(writer, "epochtimes/README.md")

    def test_a_run_cut_off_while_writing_is_made_good(
        self, writer: PageWriter, store: ArticleStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for number in range(5):
            put(writer, 1000 + number)

        def full(*_: Any) -> None:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(Tree, "replace", full)
            with pytest.raises(OSError, match="No space"):
                writer.write_stale(OUTLET)
        assert len(update(writer)) == 5 + 5
        assert list(writer.differing()) == []

    def test_files_are_noted_with_their_hash(self, writer: PageWriter, tmp_path: Path) -> None:
        put(writer, 1000)
        update(writer)
        with contextlib.closing(sqlite3.connect(tmp_path / "data" / "mirror.db")) as db:
            noted = dict(db.execute("SELECT path, sha256 FROM files"))
        assert noted == {path: digest(content) for path, content in contents(writer.tree.root).items()}


PLACE = "epochtimes/2021/03/04/n1000"


class TestHistory:
    def test_comes_with_the_second_revision(self, writer: PageWriter) -> None:
        put(writer, 1000, title="题一", text="桥通了。")
        assert f"{PLACE}.history.md" not in update(writer)
        put(writer, 1000, listed=False, title="题二", text="桥通了。\n\n来的人很多。")
        assert {f"{PLACE}.md", f"{PLACE}.history.md"} <= update(writer)
        assert "(n1000.history.md)" in page(writer, f"{PLACE}.md")
        history = page(writer, f"{PLACE}.history.md")
        assert "> 改前：题**一**\n>\n> 改后：题**二**\n" in history
        assert "> 来的人很多。" in history
        files = contents(writer.tree.root)
        assert (unreachable(files), dead_links(files)) == (set(), set())

    def test_tells_of_all_revisions(self, writer: PageWriter) -> None:
        for number in (1, 2, 3):
            put(writer, 1000, listed=number == 1, title=f"题{number}")
        assert f"{PLACE}.history.md" in update(writer)
        assert page(writer, f"{PLACE}.history.md").count("\n## ") == 3

    def test_is_part_of_the_tree(self, writer: PageWriter) -> None:
        put(writer, 1000, title="题一")
        put(writer, 1000, listed=False, title="题二")
        put(writer, 1001)
        update(writer)
        assert list(writer.differing()) == []
        tally = writer.write_all()
        assert (tally.written, tally.removed) == (0, 0)
        (writer.tree.root / f"{PLACE}.history.md").unlink()
        assert list(writer.differing()) == [f"{PLACE}.history.md"]
        assert writer.write_all().written == 1

    @pytest.mark.untraced
    def test_has_its_share_code(self, store: ArticleStore, settings: Settings) -> None:
        settings.set("MIRROR_BASE_URL", "https://mirror.example/news", "cmdline")
        writer = PageWriter(store, MirrorConfig.from_settings(settings), load_outlets(settings))
        put(writer, 1000, title="题一")
        put(writer, 1000, listed=False, title="题二")
        names = {path.partition("n1000.")[2] for path in update(writer) if "n1000." in path}
        assert names == {"md", "md.png", "history.md", "history.md.png"}
        assert list(writer.differing()) == []


def test_a_withdrawn_article_keeps_its_page_which_says_so(writer: PageWriter) -> None:
    put(writer, 1000, text="桥通了。")
    update(writer)
    (stored,) = writer.store.articles([(OUTLET, "n1000")])
    writer.store.withdraw(dataclasses.replace(stored, withdrawn_at="2026-11-23T00:00:00+00:00"), RUN)
    before = page(writer, f"{PLACE}.md")
    assert update(writer) == {f"{PLACE}.md"}
    lines = page(writer, f"{PLACE}.md").split("\n")
    notice = [line for line in lines if "2026-11-23 08:00 北京时间" in line]
    assert len(notice) == 1
    assert notice[0].startswith("> ")
    lines[lines.index(notice[0]) : lines.index(notice[0]) + 2] = []
    assert "\n".join(lines) == before


UPLOADS = "https://i.epochtimes.com/assets/uploads"


class TestPicturesTakenOff:
    """A revision shows other pictures: the run that writes it takes out of the tree what nothing shows any more."""

    @pytest.fixture
    def writer(self, store: ArticleStore, settings: Settings) -> PageWriter:
        """A tree that was published, so that what changes is noted."""
        writer = PageWriter(store, MirrorConfig.from_settings(settings), load_outlets(settings))
        store.outbox.settle(writer.root, {"1.git": "0" * 40})
        return writer

    def show(self, writer: PageWriter, number: int, *names: str, **changes: Any) -> None:
        """An article shows pictures, which are fetched; ``a`` and ``a2`` have the same content."""
        images = [Image(url=f"{UPLOADS}/{name}.jpg", alt="", caption="") for name in names]
        body = "".join(f'<img src="{image.url}" alt="">' for image in images) + "<p>桥。</p>"
        item = article(number, images=images, body_html=body, **changes)
        writer.store.put_article(item, RUN, writer.links.ties_of(item))
        for name, image in zip(names, images, strict=True):
            asset = writer.album.put(f"RIFF {name[0]}".encode())
            row = Picture(
                outlet=item.outlet, url=image.url, asset=asset, width=8, height=8, stored_at=article(1).fetched_at
            )
            writer.store.pictures.keep(row)

    def assets(self, writer: PageWriter) -> list[str]:
        return sorted(file.read_text()[-1] for file in writer.tree.root.rglob("*.webp"))

    def test_are_removed(self, writer: PageWriter) -> None:
        self.show(writer, 1000, "a", "b")
        writer.write_stale(OUTLET)
        (gone,) = (path for path, content in contents(writer.tree.root).items() if content == b"RIFF b")
        writer.store.outbox.settle(writer.root, {})
        self.show(writer, 1000, "a", title="改")
        assert writer.write_stale(OUTLET).removed == 1
        assert self.assets(writer) == ["a"]
        assert gone in writer.store.outbox.waiting(writer.root)
        assert writer.store.file_hashes(writer.root, [gone]) == {}
        assert list(writer.differing()) == []
        assert writer.write_stale(OUTLET).removed == 0

    def test_stay_when_another_article_shows_them(self, writer: PageWriter) -> None:
        self.show(writer, 1000, "a", "b")
        self.show(writer, 1001, "b")
        self.show(writer, 1002, "a2")  # the same picture at another address
        writer.write_stale(OUTLET)
        self.show(writer, 1000, title="改")
        assert writer.write_stale(OUTLET).removed == 0
        assert self.assets(writer) == ["a", "b"]
        self.show(writer, 1002, title="改")
        assert writer.write_stale(OUTLET).removed == 1
        assert self.assets(writer) == ["b"]

    def test_stay_while_the_run_is_not_published(self, writer: PageWriter) -> None:
        """The pages in the tree are then those of before, and show them."""
        self.show(writer, 1000, "a")
        writer.write_stale(OUTLET)
        run = writer.store.begin_run(OUTLET, "2026-11-22T00:00:00+00:00")
        self.show(writer, 1000, "b", title="改")
        assert writer.write_stale("ntdtv").removed == 0
        assert self.assets(writer) == ["a"]
        writer.store.begin_publishing(OUTLET, run)
        assert writer.write_stale(OUTLET).removed == 1
        assert self.assets(writer) == ["b"]

    def test_edited_by_hand_stay(self, writer: PageWriter) -> None:
        self.show(writer, 1000, "a")
        writer.write_stale(OUTLET)
        (file,) = writer.tree.root.rglob("*.webp")
        file.write_bytes(b"mine")
        self.show(writer, 1000, title="改")
        assert writer.write_stale(OUTLET).removed == 0
        assert file.read_bytes() == b"mine"

    def test_a_repair_clears_the_album_of_what_no_record_names(self, writer: PageWriter) -> None:
        long_ago = 1_000_000_000
        stray = writer.album.place(writer.album.put(b"RIFF stray"))
        recent = writer.album.place(writer.album.put(b"RIFF recent"))
        unfinished = stray.with_name(f".{stray.stem}.1.part")
        unfinished.write_bytes(b"half")
        os.utime(stray, (long_ago, long_ago))
        os.utime(unfinished, (long_ago, long_ago))
        assert list(Verifier(writer, repair=True).problems()) == []  # a store without pictures is not believed
        self.show(writer, 1000, "a", "b")
        self.show(writer, 1000, "a", title="改")  # the other one may come back, so it is kept
        writer.write_stale(OUTLET)
        for file in writer.album.files():
            if file != recent:
                os.utime(file, (long_ago, long_ago))
        assert list(Verifier(writer).problems()) == []
        assert [problem[:2] for problem in Verifier(writer, repair=True).problems()] == [
            ("extra", str(file)) for file in sorted([stray, unfinished])
        ]
        assert sorted(file.read_bytes() for file in writer.album.files()) == [b"RIFF a", b"RIFF b", b"RIFF recent"]


@pytest.mark.untraced
class TestAll:
    def test_is_what_was_written_bit_by_bit(self, writer: PageWriter) -> None:
        for number in range(1000, 1120, 20):
            for offset in range(20):
                put(writer, number + offset)
            update(writer)
        files = contents(writer.tree.root)
        assert list(writer.differing()) == []
        tally = writer.write_all()
        assert (tally.written, tally.unchanged) == (0, len(files))
        for path in files:
            (writer.tree.root / path).unlink()
        assert set(writer.differing()) == files.keys()
        assert writer.write_all().written == len(files)
        assert contents(writer.tree.root) == files


class TestShareCode:
    @pytest.mark.untraced
    @pytest.mark.parametrize("base", ["", "https://mirror.example/news"], ids=["off", "on"])
    def test_stands_beside_the_page(self, mirror: Mirror, base: str) -> None:
        mirror.crawl("epochtimes", {"MIRROR_BASE_URL": base}, section="nsc413")
        pictures = {path for path, content in mirror.files().items() if content.startswith(b"\x89PNG")}
        pages = {path for path in mirror.files() if path.endswith(".md")}
        assert len(pages) > 12
        assert pictures == ({f"{path}.png" for path in pages} if base else set())
        assert dead_links(mirror.files()) == set()


def test_an_outlet_without_a_spider_keeps_its_pages(writer: PageWriter) -> None:
    """Its name stands for what it would call itself."""
    put(writer, 1, listed=False, outlet="gone", section=None)
    update(writer, "gone")
    assert "gone" in page(writer, "README.md")
    assert list(writer.differing()) == []


class TestHeldBack:
    """Of an outlet whose latest run was not good, the tree shows what it published last, whoever writes it anew."""

    @staticmethod
    def ran(writer: PageWriter, verdict: str, *puts: dict[str, Any], publish: bool = True) -> None:
        """A run that stores these articles, and publishes them if it may."""
        store = writer.store
        name = store.begin_run(OUTLET, "2026-11-22T01:00:00+00:00")
        for changes in puts:
            item = article(**changes)
            store.put_listing(listing(changes["number"]), name)
            store.put_article(item, name, writer.links.targets_of(item))
        store.end_run(OUTLET, name, finished_at="2026-11-22T01:01:00+00:00", verdict=verdict, report={})
        if publish and verdict == "ok":
            update(writer)

    @pytest.fixture
    def failed(self, writer: PageWriter) -> dict[str, bytes]:
        """The tree as the last good run left it; after it, a bad one stored a new article and a revision of each."""
        self.ran(writer, "ok", {"number": 1, "title": "题一"}, {"number": 2, "title": "题二"})
        self.ran(writer, "failed", {"number": 1, "title": "题一改"})
        self.ran(writer, "ok")
        left = contents(writer.tree.root)
        changed = (
            {"number": number, "title": "坏题", "text": "坏。", "body_html": "<p>坏。</p>"} for number in (1, 2, 3)
        )
        self.ran(writer, "failed", *changed)
        return left

    def test_is_what_is_there(self, writer: PageWriter, failed: dict[str, bytes]) -> None:
        assert list(writer.differing()) == []
        tally = writer.write_all()
        assert (tally.written, tally.removed, contents(writer.tree.root)) == (0, 0, failed)
        assert dict(file for batch in writer.implied() for file in batch) == failed

    def test_is_what_a_new_tree_gets(self, writer: PageWriter, failed: dict[str, bytes]) -> None:
        for path in failed:
            (writer.tree.root / path).unlink()
        writer.write_all()
        assert contents(writer.tree.root) == failed

    def test_is_what_another_look_is_given(
        self, writer: PageWriter, failed: dict[str, bytes], settings: Settings
    ) -> None:
        """Also when the run of another outlet finds that the look has changed."""
        settings.set("MIRROR_THEME", "classic", "cmdline")
        other = PageWriter(writer.store, MirrorConfig.from_settings(settings), load_outlets(settings))
        other.write_stale("ntdtv")
        pages = contents(writer.tree.root)
        assert pages.keys() == failed.keys()
        changed = {path for path in failed if pages[path] != failed[path]}
        assert changed >= {f"epochtimes/2021/03/04/n{number}.md" for number in (1, 2)}
        assert "坏" not in "".join(page.decode() for page in pages.values())

    @pytest.mark.untraced
    def test_lists_go_on_in_the_next_volume(
        self, writer: PageWriter, failed: dict[str, bytes], settings: Settings
    ) -> None:
        """What they lead to is at another address then, though the look is the same."""
        settings.set("MIRROR_BASE_URL", "https://mirror.example/{volume}", "cmdline")
        other = PageWriter(writer.store, MirrorConfig.from_settings(settings), load_outlets(settings))
        other.write_all()
        lists = {path for path in failed if path.endswith(("README.md", "pages/0/1.md"))}
        other.store.outbox.settle(other.root, {"1.git": "0" * 40}, (2, "2026-11-23"))
        other.write_lists()
        for path in lists:
            assert "https://mirror.example/1/epochtimes/2021/03/04/n1.md" in page(other, path)
        assert list(other.differing()) == []

    @pytest.mark.untraced
    def test_follows_with_the_next_good_run(self, writer: PageWriter, failed: dict[str, bytes]) -> None:
        writer.write_all()
        self.ran(writer, "ok")
        assert list(writer.differing()) == []
        assert contents(writer.tree.root).keys() > failed.keys()
        assert sum("坏。" in page.decode() for page in contents(writer.tree.root).values()) == 5

    def test_is_the_killed_run_that_had_begun_to_publish(self, writer: PageWriter) -> None:
        """Its verdict was final; the run after it notes that it was killed."""
        self.ran(writer, "ok", {"number": 1})
        killed = writer.store.begin_run(OUTLET, "2026-11-22T01:00:00+00:00")
        writer.store.put_article(article(1, "改"), killed)
        writer.store.begin_publishing(OUTLET, killed)
        update(writer)
        left = contents(writer.tree.root)
        finish(writer.store, writer.config.data, OUTLET, killed, "2026-11-22T01:05:00+00:00")
        assert writer.store.last_runs(OUTLET, 1)[0].verdict == "killed"
        self.ran(writer, "failed", {"number": 1, "title": "坏题"})
        for path in left:
            (writer.tree.root / path).unlink()
        writer.write_all()
        assert contents(writer.tree.root) == left

    def test_needs_no_run(self, writer: PageWriter) -> None:
        """What was imported is shown."""
        put(writer, 1)
        assert writer.write_all().written > 0

    def test_of_a_first_run_is_nothing(self, writer: PageWriter) -> None:
        self.ran(writer, "failed", {"number": 1})
        writer.write_all()
        assert contents(writer.tree.root).keys() == {"README.md"}
        assert "epochtimes" not in page(writer, "README.md")


class TestAsItWasLeft:
    """A failed run changes all that a page can be made of; the tree of what its outlet published does not follow it."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        settings.set("MIRROR_PATH", "{section}/{outlet}/{article_id}.md", "cmdline")
        settings.set("MIRROR_BASE_URL", "https://mirror.example", "cmdline")
        return settings

    @staticmethod
    def show(writer: PageWriter, run: str, number: int, name: str, **changes: Any) -> None:
        """An article that shows a kept picture, and links to the first one."""
        image = Image(url=f"{UPLOADS}/{name}.jpg", alt="", caption="")
        link = article(1001).url if number != 1001 else article(1002).url
        body = f'<p><a href="{link}">桥</a></p><img src="{image.url}" alt="">'
        item = article(number, images=[image], body_html=body, **changes)
        writer.store.put_listing(listing(number), run)
        writer.store.put_article(item, run, writer.links.ties_of(item))
        asset = writer.album.put(f"RIFF {name}".encode())
        row = Picture(outlet=OUTLET, url=image.url, asset=asset, width=8, height=8, stored_at=item.fetched_at)
        writer.store.pictures.keep(row)

    @staticmethod
    def end(writer: PageWriter, run: str, verdict: str) -> None:
        writer.store.end_run(OUTLET, run, finished_at="2026-11-22T02:00:00+00:00", verdict=verdict, report={})

    @pytest.fixture
    def left(self, writer: PageWriter) -> dict[str, bytes]:
        """The tree as it was left; what failed after it is known to the store as far as it is ever published."""
        run = writer.store.begin_run(OUTLET, "2026-11-22T01:00:00+00:00")
        for number in (1001, 1002, 1003):
            self.show(writer, run, number, f"a{number}", hour=number % 10)
        self.end(writer, run, "ok")
        writer.write_stale(OUTLET)
        left = contents(writer.tree.root)
        run = writer.store.begin_run(OUTLET, "2026-11-22T02:00:00+00:00")
        moved = {"section": Section(id="nsc418", name="国际"), "published_at": "2026-11-22T09:00:00+08:00"}
        self.show(writer, run, 1001, "b", title="坏题", fetched_at="2026-11-22T02:00:01+00:00", **moved)
        (stored,) = writer.store.articles([(OUTLET, "n1002")])
        writer.store.withdraw(dataclasses.replace(stored, withdrawn_at="2026-11-22T02:00:02+00:00"), run)
        self.show(writer, run, 1004, "c")
        self.end(writer, run, "failed")
        return left

    @pytest.mark.untraced
    def test_is_right(self, writer: PageWriter, left: dict[str, bytes]) -> None:
        assert list(writer.differing()) == []
        assert list(Verifier(writer).problems()) == list(Verifier(writer, repair=True).problems()) == []
        tally = writer.write_all()
        assert (tally.written, tally.removed, contents(writer.tree.root)) == (0, 0, left)

    @pytest.mark.untraced
    def test_is_made_anew(self, writer: PageWriter, left: dict[str, bytes]) -> None:
        for path in left:
            (writer.tree.root / path).unlink()
        assert set(writer.differing()) == left.keys()
        writer.write_all()
        assert contents(writer.tree.root) == left
        assert list(Verifier(writer).problems()) == []

    @pytest.mark.untraced
    def test_is_what_an_edited_page_becomes(self, writer: PageWriter, left: dict[str, bytes]) -> None:
        edited = {"nsc413/epochtimes/n1001.md", "epochtimes/sections/nsc413/README.md"}
        for path in edited:
            (writer.tree.root / path).write_bytes(b"mine")
        assert {problem[:2] for problem in Verifier(writer).problems() if problem.kind != "orphan"} == {
            ("edited", path) for path in edited
        }
        assert set(writer.differing()) == edited
        assert all(problem.mended for problem in Verifier(writer, repair=True).problems())
        assert contents(writer.tree.root) == left

    @pytest.mark.untraced
    def test_stands_on_the_home_page_of_another_run(self, writer: PageWriter, left: dict[str, bytes]) -> None:
        put(writer, 9, outlet="ntdtv", url="https://www.ntdtv.com/gb/2021/03/04/a9.html", listed=False)
        changed = update(writer, "ntdtv")
        assert {path for path in changed if path in left} == {"README.md"}
        named = [
            [line for line in home.splitlines() if b"/epochtimes/" in line]
            for home in (left["README.md"], contents(writer.tree.root)["README.md"])
        ]
        assert named[0] == named[1] != []
        assert list(writer.differing()) == []

    @pytest.mark.untraced
    def test_does_not_lose_what_nobody_can_tell(self, writer: PageWriter, left: dict[str, bytes]) -> None:
        """A record that was replaced in place may tell of another section, day and author than the page did."""
        run = writer.store.begin_run(OUTLET, "2026-11-22T03:00:00+00:00")
        (stored,) = writer.store.articles([(OUTLET, "n1003")])
        later = dataclasses.replace(stored, authors=["某"], withdrawn_at="2026-11-22T03:00:01+00:00")
        later = dataclasses.replace(later, fetched_at="2026-11-22T03:00:00+00:00")
        writer.store.withdraw(later, run)
        self.end(writer, run, "failed")
        assert list(writer.differing()) == []
        assert list(Verifier(writer, repair=True).problems()) == []
        assert contents(writer.tree.root) == left

    def test_keeps_files_that_the_store_does_not_imply(self, writer: PageWriter, left: dict[str, bytes]) -> None:
        """Such as the page of an article at the place that its section gave it, and a picture that only it shows."""
        ours = {"other/epochtimes/n7.md", "other/epochtimes/n7.history.md.png", "epochtimes/tags/00/x/README.md"}
        ours.add("assets/00/00/x.webp")
        theirs, edited = "other/ntdtv/a7.md", "other/epochtimes/n8.md"
        for path in {*ours, theirs, edited}:
            writer.tree.write(path, b"once")
            writer.store.record_files(writer.root, {path: digest(b"once")})
        (writer.tree.root / edited).write_bytes(b"mine")
        assert set(writer.differing()) == {theirs, edited}
        extra = {problem.path for problem in Verifier(writer, repair=True).problems() if problem.kind == "extra"}
        assert extra == {theirs, edited}
        assert contents(writer.tree.root).keys() == {*left, *ours, edited}
        writer.write_all()
        assert contents(writer.tree.root).keys() == {*left, *ours, edited}

    @pytest.mark.parametrize("repaired", [False, True])
    def test_is_not_what_another_look_left_halfway(
        self,
        writer: PageWriter,
        left: dict[str, bytes],
        settings: Settings,
        monkeypatch: pytest.MonkeyPatch,
        repaired: bool,
    ) -> None:
        settings.set("MIRROR_THEME", "classic", "cmdline")
        other = PageWriter(writer.store, MirrorConfig.from_settings(settings), load_outlets(settings))
        if repaired:
            assert all(problem.mended for problem in Verifier(other, repair=True).problems())
        else:
            monkeypatch.setattr(other.lists, "home", mock.Mock(side_effect=OSError(28, "No space left on device")))
            with pytest.raises(OSError, match="No space"):
                other.write_all()
        assert contents(writer.tree.root)["epochtimes/README.md"] != left["epochtimes/README.md"]
        assert "epochtimes/README.md" in set(writer.differing())
        writer.write_all()
        assert contents(writer.tree.root) == left
