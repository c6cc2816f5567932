"""What an operator sees while a run goes on and when it has ended."""

from __future__ import annotations

import asyncio
import io
import json
import re
import sys
from collections.abc import Iterator

import pytest
from scrapy.utils.test import get_crawler

from mirror_crawler.locks import FileLock
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
    asyncio.run(Run.of(crawler).spider_opened())
    yield Progress(crawler, terminal)
    asyncio.run(Run.of(crawler).engine_stopped())


COUNTS = {
    "lists/pages": 3,
    "articles/new": 1200,
    "articles/revised": 1,
    "articles/known": 7,
    "articles/failed": 2,
    "downloader/response_count": 90,
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
    assert "\n  ! 1 items were lost to exceptions, see the log\n  ! the crawl was stopped before its end; " in table
    assert "\n  ! article https://www.epochtimes.com/x: HTTP 404\n" in table
    assert "Failed articles" not in table


def test_table_of_what_changed(progress: Progress) -> None:
    for key, number in {
        "articles/revised": 3,
        "articles/unchanged": 40,
        "articles/withdrawn": 2,
        "articles/returned": 1,
        "downloader/request_count": 90,
        "http/not_modified": 60,
    }.items():
        progress.run.count(key, number)
    lines = progress.table(1).splitlines()
    assert "  articles revised             3   (40 unchanged)" in lines
    assert "  articles withdrawn           2   (1 returned)" in lines
    assert "  requests                    90   (60 not modified)" in lines


@pytest.mark.parametrize(("reason", "level"), [("finished", "INFO"), ("shutdown", "WARNING"), ("store", "ERROR")])
def test_summary_is_one_line_of_json(progress: Progress, reason: str, level: str) -> None:
    for key, number in COUNTS.items():
        progress.run.count(key, number)
    progress.run.spider_closed(reason)
    text = progress.summary(61.4)
    assert (text.count("\n"), text[-1]) == (1, "\n")
    told = json.loads(text)
    assert (told["level"], told["logger"]) == (level, "mirror_crawler.progress")
    assert (told["outlet"], told["run"]) == ("epochtimes", progress.run.name)
    assert told["message"] == f"{progress.run.verdict} after 61 s"
    assert told["verdict"] == progress.run.verdict
    assert told.get("findings", []) == [finding.line for finding in progress.run.judgement.findings]
    assert (told["counts"]["articles new"], told["counts"]["bytes"]) == (1200, 1_234_567)


@pytest.mark.parametrize("log", ["human", "json"])
def test_a_run_that_leaves_has_no_table(mirror: Mirror, capsys: pytest.CaptureFixture[str], log: str) -> None:
    with FileLock(mirror.data / "runs" / "epochtimes.lock"):
        mirror.crawl("epochtimes", {"MIRROR_LOG": log}, section="nsc413")
    assert capsys.readouterr().err == ""


@pytest.mark.untraced
def test_a_collector_of_logs_sees_no_line_that_is_not_json(
    mirror: Mirror, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though it may look like a terminal."""
    monkeypatch.setattr(sys, "stderr", terminal)
    mirror.crawl("epochtimes", {"MIRROR_LOG": "json"}, section="nsc413")
    (line,) = terminal.getvalue().splitlines()
    assert json.loads(line)["counts"]["articles new"] == 12


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


@pytest.mark.untraced
def test_a_log_sees_the_table_only(mirror: Mirror, capsys: pytest.CaptureFixture[str]) -> None:
    mirror.crawl("epochtimes", section="nsc413")
    printed = capsys.readouterr()
    assert re.fullmatch(r"epochtimes \d{8}T\d{6}Z: ok after \d+ s\n(?:  [^!\r\n][^\r\n]*\n)+", printed.err)
    assert printed.out == ""
