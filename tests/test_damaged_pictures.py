"""A kept picture whose file is gone or damaged: its last whole copy puts it back; without one it is fetched again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest
from scrapy.settings import Settings

from mirror_crawler.album import Album
from mirror_crawler.config import MirrorConfig
from mirror_crawler.items import Image, Picture
from mirror_crawler.outlet import load_outlets
from mirror_crawler.paths import asset_path
from mirror_crawler.store import ArticleStore
from mirror_crawler.tree import digest
from mirror_crawler.verify import Problem, Verifier
from mirror_crawler.writer import PageWriter
from tests.mirror import contents, dead_links
from tests.test_store import OUTLET, RUN, SEEN, article

UPLOADS = "https://i.epochtimes.com/assets/uploads"
WHOLE = b"RIFF a"
ASSET = digest(WHOLE)[:32]
PATH = asset_path(ASSET)
A, ALSO_A, B = (f"{UPLOADS}/{name}.jpg" for name in ("a", "also-a", "b"))
DAMAGES = pytest.mark.parametrize("damaged", [None, b"RIF", b"JUNK a"], ids=["gone", "cut", "of the same size"])


def show(writer: PageWriter, number: int, **pictures: bytes) -> None:
    """An article shows pictures (name → content), which are fetched."""
    urls = {f"{UPLOADS}/{name.replace('_', '-')}.jpg": content for name, content in pictures.items()}
    body = "".join(f'<img src="{url}" alt="">' for url in urls) + "<p>桥。</p>"
    item = article(number, images=[Image(url=url, alt="", caption="") for url in urls], body_html=body)
    writer.store.put_article(item, RUN, writer.links.ties_of(item))
    for url, content in urls.items():
        asset = writer.album.put(content)
        writer.store.pictures.keep(Picture(outlet=item.outlet, url=url, asset=asset, width=8, height=8, stored_at=SEEN))


class Desk:
    """A store with two articles that show one picture, by two addresses, and its tree; each command opens it anew."""

    def __init__(self, store: ArticleStore, root: Path) -> None:
        self.store, self.root = store, root
        show(self.writer(), 1000, a=WHOLE, b=b"RIFF b")
        show(self.writer(), 1001, also_a=WHOLE)
        self.writer().write_all()

    def writer(self, tree: str = "output") -> PageWriter:
        settings = Settings()
        settings.setmodule("mirror_crawler.settings")
        places = {"MIRROR_DATA": str(self.root / "data"), "MIRROR_OUTPUT": str(self.root / tree)}
        settings.setdict(places, "cmdline")
        return PageWriter(self.store, MirrorConfig.from_settings(settings), load_outlets(settings))

    @property
    def kept(self) -> Path:
        return self.writer().album.place(ASSET)

    def copy(self, tree: str = "output") -> Path:
        return self.root / tree / PATH

    def files(self, tree: str = "output") -> dict[str, bytes]:
        return contents(self.root / tree)

    def wanted(self) -> list[str]:
        return self.store.pictures.wanted(OUTLET, 9)

    def verify(self, tree: str = "output", *, repair: bool = False) -> list[Problem]:
        return list(Verifier(self.writer(tree), repair=repair).problems())


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with ArticleStore(f"sqlite:///{tmp_path / 'data' / 'mirror.db'}") as store:
        yield Desk(store, tmp_path)


def damage(file: Path, damaged: bytes | None) -> None:
    """Write something else into a file, or remove it."""
    if damaged is None:
        file.unlink()
    else:
        file.write_bytes(damaged)


class TestVerify:
    @pytest.mark.untraced
    @DAMAGES
    def test_names_the_file_and_a_repair_takes_the_trees_copy(self, desk: Desk, damaged: bytes | None) -> None:
        before = desk.files()
        damage(desk.kept, damaged)
        fault = "not what its name stands for" if damaged else "gone"
        told = Problem("damaged", str(desk.kept), f"a kept picture is {fault}; {desk.copy()} is whole")
        assert desk.verify() == [told]
        assert not desk.kept.exists() or desk.kept.read_bytes() == damaged
        assert desk.verify(repair=True) == [told._replace(mended=True)]
        assert desk.kept.read_bytes() == WHOLE
        assert desk.verify() == []
        assert (desk.files(), desk.wanted()) == (before, [])

    @DAMAGES
    def test_without_a_whole_copy_a_repair_shows_words_and_it_is_fetched_again(
        self, desk: Desk, damaged: bytes | None
    ) -> None:
        before = desk.files()
        damage(desk.kept, damaged)
        damage(desk.copy(), damaged)
        (told,) = (problem for problem in desk.verify() if problem.kind == "damaged")
        assert told.what.endswith("; there is no whole copy; it is to be fetched again")
        assert desk.wanted() == []
        assert told._replace(mended=True) in desk.verify(repair=True)
        assert desk.wanted() == [A, ALSO_A]
        assert desk.verify() == []
        files = desk.files()
        assert dead_links(files) == set()
        assert [path for path, content in files.items() if ASSET.encode() in content] == []
        show(desk.writer(), 1000, a=WHOLE, b=b"RIFF b")  # the next run fetches it
        show(desk.writer(), 1001, also_a=WHOLE)
        desk.writer().write_stale(OUTLET)
        assert (desk.files(), desk.verify()) == (before, [])

    @pytest.mark.untraced
    @DAMAGES
    def test_the_trees_copy_is_mended_as_ever(self, desk: Desk, damaged: bytes | None) -> None:
        damage(desk.copy(), damaged)
        assert {(problem.kind, problem.path) for problem in desk.verify()} >= {
            ("missing" if damaged is None else "edited", PATH)
        }
        desk.verify(repair=True)
        assert (desk.copy().read_bytes(), desk.verify()) == (WHOLE, [])

    def test_what_cannot_be_put_back_is_left(self, desk: Desk) -> None:
        desk.kept.write_bytes(b"RIF")
        with mock.patch.object(Album, "put", side_effect=OSError(28, "No space left on device")):
            (left,) = desk.verify(repair=True)
        assert (left.kind, left.mended) == ("damaged", False)
        assert left.what.endswith("; not mended: No space left on device")
        assert desk.copy().read_bytes() == WHOLE


class TestRender:
    @pytest.mark.untraced
    @pytest.mark.parametrize("damaged", [None, b"RIF"], ids=["gone", "cut"])
    def test_leaves_the_good_copy_and_puts_it_back(self, desk: Desk, damaged: bytes | None) -> None:
        before = desk.files()
        damage(desk.kept, damaged)
        assert list(desk.writer().differing()) == []
        assert not desk.kept.exists() or desk.kept.read_bytes() == damaged
        assert desk.writer().write_all().written == 0
        assert (desk.kept.read_bytes(), desk.files(), desk.wanted()) == (WHOLE, before, [])

    def test_another_tree_takes_the_copy_that_one_has(self, desk: Desk) -> None:
        desk.kept.write_bytes(b"RIF")
        desk.writer("other").write_all()
        assert desk.files("other") == desk.files()
        assert (desk.kept.read_bytes(), desk.wanted()) == (WHOLE, [])

    def test_without_a_whole_copy_shows_words_on_every_page(self, desk: Desk) -> None:
        desk.kept.write_bytes(b"RIF")
        desk.copy().unlink()
        desk.writer().write_all()
        assert desk.wanted() == [A, ALSO_A]
        assert list(desk.writer().differing()) == []
        assert dead_links(desk.files()) == set()

    def test_a_page_that_is_due_for_another_reason_is_enough(self, desk: Desk) -> None:
        """And the other page that shows the picture, which was not due, is written too."""
        desk.kept.write_bytes(b"RIF")
        desk.copy().unlink()
        show(desk.writer(), 1000, b=b"RIFF new", a=b"RIFF other")
        desk.store.pictures.lost(digest(b"RIFF b")[:32])
        desk.writer().write_stale(OUTLET)
        assert desk.wanted() == [A, ALSO_A, B]
        assert dead_links(desk.files()) == set()

    def test_reads_no_picture_that_needs_no_writing(self, desk: Desk) -> None:
        with mock.patch("mirror_crawler.album.digest", side_effect=AssertionError("a picture was read")):
            assert desk.writer().write_all().written == 0

    def test_one_that_may_not_be_read_is_not_lost(self, desk: Desk) -> None:
        desk.copy().unlink()
        denied = PermissionError(13, "Permission denied")
        with mock.patch.object(Path, "read_bytes", side_effect=denied), pytest.raises(PermissionError):
            desk.writer().write_all()
        assert desk.wanted() == []
