"""``make demo``: it works, and leads to what it made."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from mirror_crawler.outlet import OutletSpider
from mirror_crawler.spiders.epochtimes import EpochtimesSpider
from mirror_crawler.spiders.ntdtv import NtdtvSpider
from tests.mirror import contents, news, unreachable
from tests.site.demo import main
from tests.site.stories import Story
from tests.site.world import World


def everywhere(spider: type[OutletSpider]) -> Story:
    """An article that stands in all sections which a crawl without arguments asks for."""
    return dataclasses.replace(news(spider.name, 1)[0], sections=tuple(spider.default_sections))


@pytest.mark.untraced
def test_says_where_to_look(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "demo"
    (place / "output").mkdir(parents=True)
    (place / "output" / "old.md").touch()
    stories = [everywhere(spider) for spider in (EpochtimesSpider, NtdtvSpider)]
    assert main(World(stories), place) == 0
    home, feeds = map(Path, re.findall(r"(?m)^The .*: +(\S+)$", capfd.readouterr().out))
    assert home.name == "README.md"
    assert unreachable(contents(home.parent)) == set()  # nor is the old page there any more
    for story in stories:
        assert story.title in (home.parent / story.outlet / "README.md").read_text(encoding="utf-8")
        kinds = sorted(path.name.partition("-")[0] for path in (feeds / story.outlet).iterdir())
        assert kinds == ["articles", "listings"]
