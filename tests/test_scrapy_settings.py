"""Which of Scrapy's own settings a command line may give, and how."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import scrapy
from scrapy.settings import Settings, default_settings

from mirror_crawler.config import SettingError
from mirror_crawler.scrapy_settings import SECONDS, check_settings, give


@pytest.fixture
def settings() -> Settings:
    settings = Settings()
    settings.setmodule("mirror_crawler.settings")
    return settings


def given(settings: Settings, name: str, value: str) -> None:
    give(settings, {name: value})
    check_settings(settings)


@pytest.mark.parametrize(
    ("name", "value", "mend"),
    [
        ("FEEDS", "oops", "use a JSON object"),
        ("FEEDS", "[1]", "use a JSON object"),
        ("FEEDS", '{"a.jsonl": 1}', "use a JSON object of objects"),
        ("ROBOTSTXT_OBEY", "so", "use True or False"),
        ("CONCURRENT_REQUESTS", "1.5", "use a whole number from 1"),
        ("CONCURRENT_REQUESTS", "0", "use a whole number from 1"),
        ("RETRY_TIMES", "-1", "use a whole number from 0"),
        ("RETRY_PRIORITY_ADJUST", "low", "use a whole number"),
        ("DOWNLOAD_DELAY", "nan", "use a number from 0"),
        ("DOWNLOAD_DELAY", "inf", "use a number from 0"),
        ("DOWNLOAD_DELAY", "-3", "use a number from 0"),
        ("RETRY_HTTP_CODES", "abc", "use numbers with commas between them"),
        ("RETRY_EXCEPTIONS", "none.Such", "none.Such cannot be imported"),
        ("SPIDER_MODULES", "none.such", "none.such cannot be imported"),
        ("EXTENSIONS", '{"none.Such": 1}', "none.Such cannot be imported"),
        ("EXTENSIONS", '{"scrapy.Spider": "first"}', "scrapy.Spider has the order first; use a number"),
        ("DOWNLOAD_HANDLERS", '{"http": "none"}', "none cannot be imported"),
        ("SCHEDULER", "nope", "nope cannot be imported"),
        ("TWISTED_REACTOR", "nope", "leave the setting out"),
        ("FORCE_CRAWLER_PROCESS", "1", "leave the setting out"),
        ("REFERRER_POLICY", "never", "use a policy of the W3C"),
        ("LOG_ENCODING", "klingon", "use an encoding, such as utf-8"),
        ("LOG_LEVEL", "LOUD", "use DEBUG, INFO, WARNING or ERROR"),
        ("RETRY_GIVE_UP_LOG_LEVEL", "LOUD", "use DEBUG, INFO, WARNING or ERROR"),
        ("MIRROR_LOG_LEVEL", "DEBUG", "is read from the environment only; on a command line use -L LEVEL"),
        ("MIRROR_CONTACT", "me@example.org", "is read from the environment only; set it there"),
        ("LOG_FILE", "/dev/null/x", "Not a directory; set it to a file that can be written"),
        ("JOBDIR", "/proc/x", "set it to a directory that can be written"),
    ],
)
def test_refused_in_one_line(settings: Settings, name: str, value: str, mend: str) -> None:
    with pytest.raises(SettingError) as refused:
        given(settings, name, value)
    said = str(refused.value)
    assert name in said
    assert mend in said
    assert "\n" not in said


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FEEDS", "{}"),
        ("FEEDS", '{"a.jsonl": {"format": "jsonlines"}}'),
        ("ROBOTSTXT_OBEY", "true"),
        ("CONCURRENT_REQUESTS", "1"),
        ("DOWNLOAD_DELAY", "0.25"),
        ("DOWNLOAD_TIMEOUT", "7.5"),
        ("DEPTH_PRIORITY", "-1"),
        ("RETRY_HTTP_CODES", "500,429"),
        ("RETRY_HTTP_CODES", ""),
        ("RETRY_EXCEPTIONS", "builtins.OSError"),
        ("HTTPCACHE_IGNORE_SCHEMES", "file,data"),
        ("SPIDER_MODULES", "mirror_crawler.spiders"),
        ("EXTENSIONS", '{"none.Such": null, "scrapy.Spider": 1}'),
        ("DOWNLOAD_HANDLERS", '{"http": "scrapy.Spider", "ftp": null}'),
        ("SCHEDULER", "scrapy.core.scheduler.Scheduler"),
        ("STATS_CLASS", "scrapy.statscollectors.DummyStatsCollector"),
        ("TWISTED_REACTOR", "twisted.internet.asyncioreactor.AsyncioSelectorReactor"),
        ("REFERRER_POLICY", "origin"),
        ("LOG_ENCODING", "utf-16"),
        ("LOG_LEVEL", "DEBUG"),
        ("RETRY_GIVE_UP_LOG_LEVEL", "INFO"),
        ("LOG_FILE", ""),
        ("MY_OWN", "anything"),
    ],
)
def test_taken(settings: Settings, name: str, value: str) -> None:
    given(settings, name, value)


def test_what_the_project_sets_is_taken(settings: Settings) -> None:
    check_settings(settings)


def test_places_are_made(settings: Settings, tmp_path: Path) -> None:
    give(settings, {"LOG_FILE": str(tmp_path / "log"), "JOBDIR": str(tmp_path / "jobs" / "first")})
    (tmp_path / "log").write_text("earlier\n")
    check_settings(settings)
    assert (tmp_path / "log").read_text() == "earlier\n"
    assert (tmp_path / "jobs" / "first").is_dir()


def test_which_numbers_may_have_a_fraction_is_what_scrapy_reads_so() -> None:
    sources = (path.read_text(encoding="utf-8") for path in Path(scrapy.__file__).parent.rglob("*.py"))
    read = {name for text in sources for name in re.findall(r'getfloat\(\s*"([A-Z_]+)"', text)}
    assert {name for name in read if type(getattr(default_settings, name, None)) is int} == {*SECONDS}
