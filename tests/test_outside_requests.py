"""Pages in a real browser: they load nothing from outside the mirror, and what they load is there.

The browser shows the pages of a host that takes nothing out, so nothing depends on a host's goodwill.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mirror import Mirror, Reactor, contents
from tests.site import SampleSite
from tests.site.browser import ORIGIN, Browser, Recorder, chromium
from tests.site.host import document, rendered
from tests.site.stories import HOSTS
from tests.site.world import FIXTURES, World, written

pytestmark = pytest.mark.skipif(chromium() is None, reason="Chromium is not installed (Debian: chromium)")

THEMES = ["github", "classic"]
IMAGES = ["local", "none", "remote"]
CASES = [
    *(f"epochtimes/{case}" for case in ("hostile-body", "players", "gallery", "tweets", "infogram-only", "tables")),
    *(f"ntdtv/{case}" for case in ("featured-video", "youmaker", "tables-gallery", "long-caption-lead")),
]
_BROKEN = """
    [...document.querySelectorAll("iframe")].flatMap(frame => [...frame.contentDocument.images]
        .filter(image => !image.complete || image.naturalWidth == 0)
        .map(image => frame.getAttribute("src") + " " + image.getAttribute("src")))
"""


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory, reactor: Reactor) -> Iterator[Mirror]:
    """Articles in which there is most that could be loaded."""
    ids = {json.loads((FIXTURES / case / "meta.json").read_text())["truth"]["article_id"] for case in CASES}
    world = World(story for outlet in HOSTS for story in written(outlet) if story.article_id in ids)
    assert len(world.truth) == len(CASES)
    with SampleSite(world) as site:
        mirror = Mirror(tmp_path_factory.mktemp("browser"), site, reactor)
        for outlet in HOSTS:
            urls = " ".join(story.url for story in world.truth.values() if story.outlet == outlet)
            assert mirror.crawl(outlet, {"MIRROR_IMAGES": "local"}, url=urls).failures == []
        yield mirror


@pytest.fixture(scope="module")
def trees(crawled: Mirror, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, bytes]]:
    """The files of the mirror by ``theme-images``."""
    made = {}
    for theme in THEMES:
        for images in IMAGES:
            output = tmp_path_factory.mktemp(f"{theme}-{images}")
            look = {"MIRROR_THEME": theme, "MIRROR_IMAGES": images, "MIRROR_BASE_URL": "https://git.example/m"}
            assert crawled.ask("render", "--output", str(output), settings=look) == 0
            made[f"{theme}-{images}"] = contents(output)
    return made


@pytest.fixture(scope="module")
def recorder(trees: dict[str, dict[str, bytes]]) -> Iterator[Recorder]:
    """The trees as a host serves them, their pages rendered."""
    served: dict[str, tuple[str, bytes]] = {}
    for name, files in trees.items():
        for path, content in files.items():
            if path.endswith(".md"):
                served[f"{name}/{path}"] = ("text/html", document(rendered(content.decode()), style=False).encode())
            else:
                served[f"{name}/{path}"] = (f"image/{Path(path).suffix[1:]}", content)
    for images in IMAGES:  # one start of the browser and one page for many: the tests are to be quick
        pages = [path for path in served if path.endswith(".md") and path.split("/")[0].endswith(images)]
        frames = "".join(f'<iframe src="/{path}"></iframe>' for path in pages)
        served[images] = ("text/html", document(frames, style=False).encode())
    with Recorder(served) as running:
        yield running


@pytest.fixture(scope="module")
def browser(recorder: Recorder) -> Iterator[Browser]:
    with Browser(recorder.address) as running:
        yield running


@pytest.fixture(autouse=True)
def unasked(recorder: Recorder) -> None:
    for asked in (recorder.served, recorder.missing, recorder.outside):
        asked.clear()


@pytest.mark.untraced
@pytest.mark.parametrize("images", ["local", "none"])
def test_pages_load_nothing_from_outside(
    browser: Browser, recorder: Recorder, trees: dict[str, dict[str, bytes]], images: str
) -> None:
    browser.open(f"{ORIGIN}/{images}")
    assert recorder.outside == []
    assert recorder.missing == []
    expected = {images}
    for theme in THEMES:
        tree = trees[f"{theme}-{images}"]
        pages = {path for path in tree if path.endswith(".md")}
        assert len(pages) > len(CASES)
        assets = {path for path in tree if path.startswith("assets/")}
        assert (len(assets) > 5) == (images == "local")
        codes = {f"{path}.png" for path in pages}
        expected |= {f"{theme}-{images}/{path}" for path in pages | assets | codes}
    assert set(recorder.served) == expected
    assert browser.value(_BROKEN) == []


def test_remote_pictures_are_what_the_check_would_see(browser: Browser, recorder: Recorder) -> None:
    browser.open(f"{ORIGIN}/remote")
    assert {address.rpartition(":")[0] for address in recorder.outside} >= {"https://i.epochtimes.com"}
    assert browser.value(_BROKEN) != []
