"""The pictures of README.md and docs/: ``python -m tests.site.screenshots``, with the packages of ``make test``.

Crawls the sample outlet, renders it in both themes, and takes pictures of an article, a section and the home page as a
code host shows them, on a phone and on a desk. Needs Chromium (Debian: chromium, fonts-noto-cjk) and no internet.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

from tests.site.browser import ORIGIN, Browser, Recorder, chromium
from tests.site.host import document, shown
from tests.site.server import SampleSite
from tests.site.world import World, default_world

IMAGES = Path(__file__).parent.parent.parent / "docs" / "images"
THEMES = ("github", "classic")
PAGES = {
    "article": "epochtimes/2026/10/07/n14860001.md",
    "section": "epochtimes/sections/nsc413/README.md",
    "home": "README.md",
}
WIDTHS = {"phone": 390, "desk": 1200}
MIRROR = {
    "MIRROR_TITLE": "江城新闻镜像",
    "MIRROR_BASE_URL": "https://git.example/jiangcheng/news/blob/main",
    "MIRROR_HOMES": "https://other.example/news",
    "MIRROR_NAVIGATION": "[首页]({root}/README.md) &nbsp;|&nbsp; [大纪元]({root}/epochtimes/README.md) &nbsp;|&nbsp; "
    "[新唐人]({root}/ntdtv/README.md) &nbsp;|&nbsp; [关于本站](https://git.example/jiangcheng/news/wiki)",
}
_HIGHEST = {"phone": 2000, "desk": 1500}
_QUALITY = 60  # of WebP: text stays sharp, and a picture stays under 80 kB


def main() -> int:
    """Make every picture anew; returns 1 when something that is needed is missing."""
    if chromium() is None:
        sys.stderr.write("Chromium is needed; on Debian: apt-get install chromium fonts-noto-cjk\n")
        return 1
    with tempfile.TemporaryDirectory() as place, SampleSite(_world()) as site:
        data = {"MIRROR_DATA": f"{place}/data", "MIRROR_IMAGES": "local", **MIRROR}
        environment = os.environ | site.environment | data
        for outlet in ("epochtimes", "ntdtv"):
            crawl = ["crawl", outlet, "-s", "DOWNLOAD_DELAY=0", "-s", "AUTOTHROTTLE_ENABLED=False"]
            _scrapy(*crawl, MIRROR_OUTPUT=f"{place}/github", **environment)
        for theme in THEMES:
            _scrapy("render", MIRROR_THEME=theme, MIRROR_OUTPUT=f"{place}/{theme}", **environment)
        _take(Path(place))
    return 0


def _world() -> World:
    """The sample outlets without the article whose headline is there to break pages."""
    return World(story for story in default_world(20).truth.values() if "<b>" not in story.title)


def _scrapy(*words: str, **environment: str) -> None:
    subprocess.run([sys.executable, "-m", "scrapy", *words], env=environment, check=True)


def _take(place: Path) -> None:
    served = {}
    for theme in THEMES:
        tree = place / theme
        for file in filter(Path.is_file, tree.rglob("*")):
            path, content = f"{theme}/{file.relative_to(tree).as_posix()}", file.read_bytes()
            if file.suffix == ".md":
                served[path] = ("text/html", document(shown(content.decode())).encode())
            else:
                served[path] = (f"image/{file.suffix[1:]}", content)
    IMAGES.mkdir(parents=True, exist_ok=True)
    with Recorder(served) as recorder, Browser(recorder.address) as browser:
        for theme in THEMES:
            for page, path in PAGES.items():
                for device, width in WIDTHS.items():
                    browser.open(f"{ORIGIN}/{theme}/{path}", width=width, height=600)
                    height = min(browser.value("document.documentElement.scrollHeight"), _HIGHEST[device])
                    browser.open(f"{ORIGIN}/{theme}/{path}", width=width, height=height)
                    _keep(browser.screenshot(), IMAGES / f"{theme}-{page}-{device}.webp")


def _keep(screenshot: bytes, file: Path) -> None:
    with Image.open(io.BytesIO(screenshot)) as image:
        image.convert("RGB").save(file, "WEBP", quality=_QUALITY, method=6)
    sys.stdout.write(f"{file.name}: {file.stat().st_size:,} bytes\n")


if __name__ == "__main__":
    sys.exit(main())
