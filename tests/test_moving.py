"""Moving house: a mirror gets another public address, and nothing but what says so changes."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.mirror import SECTION, Mirror, Reactor, contents, dead_links, decoded, fingerprint, news, unreachable
from tests.site import SampleSite
from tests.site.world import World

OLD = "https://git.example/old/news/blob/main"
NEW = "https://host.example/new"
OTHER = "https://third.example/m"


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory, reactor: Reactor) -> Iterator[Mirror]:
    """Both outlets, one article of which has a history."""
    world = World([*news("epochtimes", 3), *news("ntdtv", 1)])
    with SampleSite(world) as site:
        mirror = Mirror(tmp_path_factory.mktemp("moving"), site, reactor)
        for outlet in ("epochtimes", "ntdtv"):
            assert mirror.crawl(outlet, section=SECTION[outlet]).verdict == "ok"
        with mirror.store() as store:
            (article,) = store.articles([("epochtimes", world.lists["epochtimes", "section", "nsc413"][0])])
            store.put_article(
                dataclasses.replace(article, title="改过的标题", content_hash="1" * 64), "20261122T000000Z"
            )
        yield mirror


@pytest.fixture
def tree(crawled: Mirror, tmp_path: Path) -> Mirror:
    """The same mirror with a tree of its own, at the old address."""
    return dataclasses.replace(crawled, root=tmp_path)


def render(tree: Mirror, crawled: Mirror, *words: str, **settings: str) -> int:
    return tree.ask("render", *words, settings={"MIRROR_DATA": str(crawled.data), **settings})


def pages(files: Mapping[str, bytes]) -> dict[str, str]:
    return {path: content.decode() for path, content in files.items() if path.endswith(".md")}


def homes_of(page: str) -> list[str]:
    """The addresses of the mirror that a page shows as text, in its share block."""
    return [match.rstrip("`") for match in re.findall(r"^(?:- )?`?(https://\S+/[^/]+\.md)`?(?: <br/>)?$", page, re.M)]


@pytest.mark.untraced
@pytest.mark.parametrize("theme", ["github", "classic"])
@pytest.mark.parametrize("images", ["none", "remote"])
def test_every_page_shows_its_address_as_text_and_as_code(
    tree: Mirror, crawled: Mirror, theme: str, images: str
) -> None:
    look = {"MIRROR_THEME": theme, "MIRROR_IMAGES": images, "MIRROR_BASE_URL": f"{OLD}/"}
    assert render(tree, crawled, **look) == 0
    files = tree.files()
    assert any(path.endswith(".history.md") for path in files)
    assert any("/pages/0/" in path for path in files)
    for path, page in pages(files).items():
        assert homes_of(page) == [f"{OLD}/{path}"]
        assert decoded(files[f"{path}.png"]) == f"{OLD}/{path}"
    assert dead_links(files) == set()
    assert unreachable(files) == set()
    assert tree.ask("verify", settings={"MIRROR_DATA": str(crawled.data), **look}) == 0


@pytest.mark.untraced
@pytest.mark.parametrize("theme", ["github", "classic"])
def test_a_move_leaves_no_old_address_behind(
    tree: Mirror, crawled: Mirror, capsys: pytest.CaptureFixture[str], theme: str
) -> None:
    look = {"MIRROR_THEME": theme, "MIRROR_BASE_URL": OLD, "MIRROR_FOOTER": "[这里]({base_url}/README.md)"}
    assert render(tree, crawled, **look) == 0
    before = tree.files()
    (tree.output / "about.md").write_text("by hand", encoding="utf-8")
    (tree.output / "assets").mkdir()
    (tree.output / "assets" / "a.webp").write_bytes(b"a picture")
    times = tree.written()
    capsys.readouterr()

    assert render(tree, crawled, "--base-url", NEW, **look) == 0

    after = tree.files()
    assert after.keys() == before.keys() | {"about.md", "assets/a.webp"}
    assert [path for path, content in after.items() if b"git.example" in content] == []
    for path, page in pages(before).items():
        assert after[path].decode() == page.replace(OLD, NEW)
        assert decoded(after[f"{path}.png"]) == f"{NEW}/{path}"
    untouched = {path for path, time in tree.written().items() if times[path] == time}
    assert untouched == {"about.md", "assets/a.webp"}
    assert capsys.readouterr().err == (
        f"{len(before)} pages written, 0 unchanged, 0 removed\n"
        f"MIRROR_BASE_URL is {OLD}: set it to {NEW} before the next command\n"
    )


@pytest.mark.untraced
def test_to_move_to_where_it_is_writes_nothing_and_says_nothing(
    tree: Mirror, crawled: Mirror, capsys: pytest.CaptureFixture[str]
) -> None:
    assert render(tree, crawled, MIRROR_BASE_URL=OLD) == 0
    times = tree.written()
    capsys.readouterr()
    assert render(tree, crawled, "--base-url", f"{OLD}/", MIRROR_BASE_URL=f"{OLD}/") == 0
    assert tree.written() == times
    assert capsys.readouterr().err == f"0 pages written, {len(times)} unchanged, 0 removed\n"


def test_to_the_first_address_and_back_to_none(
    tree: Mirror, crawled: Mirror, capsys: pytest.CaptureFixture[str]
) -> None:
    assert render(tree, crawled) == 0
    plain = tree.files()
    assert not any(path.endswith(".png") or b"https://host" in content for path, content in plain.items())
    assert render(tree, crawled, "--base-url", NEW) == 0
    assert capsys.readouterr().err.endswith(f"MIRROR_BASE_URL is empty: set it to {NEW} before the next command\n")
    assert len(tree.files()) == 2 * len(plain)
    assert render(tree, crawled, "--base-url", "", MIRROR_BASE_URL=NEW) == 0
    assert fingerprint(tree.files()) == fingerprint(plain)
    assert capsys.readouterr().err.endswith(f"MIRROR_BASE_URL is {NEW}: set it to nothing before the next command\n")


def test_an_old_address_in_the_operators_own_texts_is_named(
    tree: Mirror, crawled: Mirror, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = {
        "MIRROR_NAVIGATION": f"[首页]({OLD}/README.md)",
        "MIRROR_FOOTER": "页脚",
        "MIRROR_HOMES": f"{OLD}/ {OTHER}",
    }
    assert render(tree, crawled, "--base-url", NEW, MIRROR_BASE_URL=OLD, **texts) == 0
    assert capsys.readouterr().err.splitlines()[2:] == [
        f"MIRROR_NAVIGATION or mirror.toml still has {OLD}: write {{base_url}} there, and render again",
        f"MIRROR_HOMES still has {OLD}: take it out when the mirror is not there any more",
    ]


@pytest.mark.untraced
def test_a_check_of_a_move_only_names_what_would_change(
    tree: Mirror, crawled: Mirror, capsys: pytest.CaptureFixture[str]
) -> None:
    assert render(tree, crawled, MIRROR_BASE_URL=OLD) == 0
    times = tree.written()
    capsys.readouterr()
    assert render(tree, crawled, "--check", "--base-url", NEW, MIRROR_BASE_URL=OLD) == 1
    printed = capsys.readouterr()
    assert set(printed.out.splitlines()) == times.keys()
    assert printed.err == ""
    assert tree.written() == times


@pytest.mark.untraced
@pytest.mark.parametrize("words", [["--base-url", "host.example"], ["--base-url", "https://me:word@host.example/"]])
def test_an_address_that_is_none_is_one_line(
    tree: Mirror, crawled: Mirror, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    assert render(tree, crawled, *words) == 2
    said = capsys.readouterr().err
    assert said.startswith("scrapy render: MIRROR_BASE_URL")
    assert said.count("\n") == 1
    assert "word@" not in said
    assert not tree.output.exists()


@pytest.mark.untraced
@pytest.mark.parametrize("theme", ["github", "classic"])
def test_other_homes_stand_on_every_page(tree: Mirror, crawled: Mirror, theme: str) -> None:
    homes = {"MIRROR_BASE_URL": NEW, "MIRROR_HOMES": f" {OTHER}/\n{NEW}/ {OLD} {OTHER}"}
    assert render(tree, crawled, MIRROR_THEME=theme, **homes) == 0
    files = tree.files()
    for path, page in pages(files).items():
        assert homes_of(page) == [f"{NEW}/{path}", f"{OTHER}/{path}", f"{OLD}/{path}"]
        assert decoded(files[f"{path}.png"]) == f"{NEW}/{path}"
    assert "本页的其他地址" in files["README.md"].decode()


@pytest.mark.untraced
def test_the_next_crawl_follows_the_setting(tree: Mirror, crawled: Mirror) -> None:
    look = {"MIRROR_DATA": str(crawled.data), "MIRROR_OUTPUT": str(tree.output)}
    assert render(tree, crawled, MIRROR_BASE_URL=OLD) == 0
    assert crawled.crawl("ntdtv", {**look, "MIRROR_BASE_URL": NEW}, section="prog204").verdict == "ok"
    moved = contents(tree.output)
    assert [path for path, content in moved.items() if b"git.example" in content] == []
    assert decoded(moved["README.md.png"]) == f"{NEW}/README.md"
