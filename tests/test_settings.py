"""What the settings make of the project before anybody changes one: polite, bounded, and listening to nobody."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest
from scrapy.extensions.feedexport import FeedExporter
from scrapy.extensions.telnet import TelnetConsole
from scrapy.settings import Settings
from scrapy.utils.test import get_crawler

from mirror_crawler import settings as module
from mirror_crawler.spiders.epochtimes import EpochtimesSpider
from tests.mirror import Mirror, news
from tests.site import SampleSite


def made(monkeypatch: pytest.MonkeyPatch, **environment: str) -> dict[str, Any]:
    """The settings of a process that is started with this environment."""
    for name in ("MIRROR_CONTACT", "MIRROR_LOG_LEVEL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return runpy.run_path(str(Path(module.__file__)))


def test_the_user_agent_says_who_asks_and_where_to_complain(monkeypatch: pytest.MonkeyPatch) -> None:
    assert made(monkeypatch)["USER_AGENT"] == "mirror_crawler/1 (news mirror)"
    told = made(monkeypatch, MIRROR_CONTACT="mirror@example.org")
    assert told["USER_AGENT"] == "mirror_crawler/1 (news mirror; +mirror@example.org)"
    assert told["USER_AGENT"].startswith(told["ROBOTSTXT_USER_AGENT"])


@pytest.mark.usefixtures("reactor")
def test_asks_an_outlet_slowly_unless_told_otherwise() -> None:
    settings = Settings()
    settings.setmodule("mirror_crawler.settings")
    assert settings.getbool("ROBOTSTXT_OBEY")
    assert settings.getfloat("DOWNLOAD_DELAY") >= 1
    assert settings.getint("CONCURRENT_REQUESTS_PER_DOMAIN") <= 2
    assert settings.getbool("AUTOTHROTTLE_ENABLED")
    settings.set("DOWNLOAD_DELAY", "0.25", "cmdline")
    crawler = get_crawler(EpochtimesSpider, dict(settings))
    assert crawler._create_spider().settings.getfloat("DOWNLOAD_DELAY") == 0.25  # no outlet has a pace of its own


def test_nobody_can_reach_into_a_crawl(mirror: Mirror) -> None:
    """Scrapy opens a telnet console, and takes orders from other processes, unless it is told not to."""
    crawler = get_crawler(EpochtimesSpider, dict(mirror.settings()))
    assert crawler.get_extension(FeedExporter) is not None
    assert crawler.get_extension(TelnetConsole) is None
    assert not any("remote" in type(extension).__name__.lower() for extension in crawler.extensions.middlewares)


@pytest.mark.untraced
def test_a_page_that_does_not_come_costs_only_itself(mirror: Mirror, site: SampleSite) -> None:
    story = news("epochtimes", 12)[11]
    site.set(story.url, hang=True)
    outcome = mirror.crawl("epochtimes", {"DOWNLOAD_TIMEOUT": 0.3, "RETRY_TIMES": 0}, section="nsc413")
    assert (outcome.verdict, outcome.stats["articles/new"]) == ("ok", 11)
    assert outcome.failures == [f"article {story.url}: DownloadTimeoutError"]
