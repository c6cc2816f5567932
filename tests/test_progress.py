"""What an operator sees while a run goes on and when it has ended."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterator

import pytest
from scrapy.utils.test import get_crawler

from mirror_crawler.progress import Progress
from mirror_crawler.run import Run
from mirror_crawler.spiders.epochtimes import EpochtimesSpider
from tests.mirror import Mirror, news
from tests.site import SampleSite


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal() -> Terminal:
    return Terminal()


@pytest.fixture
def progress(mirror: Mirror, terminal: Terminal) -> Iterator[Progress]:
    crawler = get_crawler(EpochtimesSpider, dict(mirror.settings()))
    crawler.spider = crawler._create_spider()
    Run.of(crawler).spider_opened()
    yield Progress(crawler, terminal)
    Run.of(crawler).engine_stopped()


COUNTS = {
    "lists/pages": 3,
    "articles/new": 1200,
    "articles/revised": 1,
    "articles/known": 7,
    "articles/failed": 2,
    "response_received_count": 90,
    "downloader/response_bytes": 1_234_567,
}


def test_line(progress: Progress) -> None:
    for key, number in COUNTS.items():
        progress.run.count(key, number)
    assert progress.line(30) == "epochtimes: 3 lists, articles 1201 new, 7 known, 2 failed, 3.0 pages/s"
    assert progress.line(0).endswith(" 90.0 pages/s")


def test_the_line_is_written_over_the_last_one(progress: Progress, terminal: Terminal) -> None:
    progress.tick()
    progress.tick()
    assert terminal.getvalue().count("\r\033[Kepochtimes: ") == 2
    assert "\n" not in terminal.getvalue()


def test_table_of_a_good_run(progress: Progress) -> None:
    for key, number in COUNTS.items():
        progress.run.count(key, number)
    progress.run.spider_closed("finished")
    lines = progress.table(61.4).splitlines()
    assert lines[0] == f"epochtimes {progress.run.name}: ok after 61 s"
    assert "  articles new             1,200   (7 known)" in lines
    assert "  bytes                1,234,567" in lines
    assert "  Failed articles are asked for again by the next runs." in lines
    assert lines[-1] == f"  pages in {progress.run.config.output}, feeds in {progress.run.config.data}/feeds/epochtimes"


def test_table_of_a_bad_run(progress: Progress) -> None:
    progress.run.count("items/lost")
    progress.run.failures.append("article https://www.epochtimes.com/x: HTTP 404")
    progress.run.spider_closed("shutdown")
    table = progress.table(1)
    assert ": failed after 1 s\n" in table
    assert "\n  ! the crawl ended early: shutdown\n  ! 1 items were lost to exceptions, see the log\n" in table
    assert "\n  ! article https://www.epochtimes.com/x: HTTP 404\n" in table
    assert "Failed articles" not in table


def test_a_terminal_sees_the_line_come_and_go(
    mirror: Mirror, site: SampleSite, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", terminal)
    story = news("epochtimes", 1)[0]
    site.set(story.url, b"".join(story.page), delay=1.2)
    mirror.crawl("epochtimes", url=story.url)
    written = terminal.getvalue()
    assert len(re.findall(r"\r\x1b\[Kepochtimes: 0 lists, articles 0 new", written)) >= 2
    shown = written.rpartition("\r\033[K")[2]
    assert re.match(r"epochtimes \d{8}T\d{6}Z: ok after \d+ s\n", shown)


def test_a_log_sees_the_table_only(mirror: Mirror, capsys: pytest.CaptureFixture[str]) -> None:
    mirror.crawl("epochtimes", section="nsc413")
    printed = capsys.readouterr()
    assert re.match(r"epochtimes \d{8}T\d{6}Z: ok after \d+ s\n", printed.err)
    assert "\r" not in printed.err
    assert printed.out == ""
