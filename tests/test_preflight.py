"""What ``scrapy crawl`` checks before its first request, and how it leaves. Each mistake is in test_crawl.py."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest
from scrapy.exceptions import UsageError

from mirror_crawler.commands.crawl import Command
from mirror_crawler.health import EXIT_CODES, MISUSED
from mirror_crawler.stopping import stop
from tests.mirror import Mirror


@pytest.mark.parametrize(
    ("words", "settings", "said"),
    [
        pytest.param((), {}, "name one outlet; use epochtimes or ntdtv", id="no outlet"),
        pytest.param(("bbc",), {}, "no outlet 'bbc'; use epochtimes or ntdtv", id="outlet"),
        pytest.param(("ntdtv", "-a", "pages=x"), {}, "pages=x", id="argument"),
        pytest.param(("ntdtv",), {"DOWNLOAD_DELAY": "soon"}, "DOWNLOAD_DELAY=soon: use a number", id="number"),
        pytest.param(("ntdtv",), {"ROBOTSTXT_OBEY": "so"}, "ROBOTSTXT_OBEY=so: use True or False", id="on or off"),
    ],
)
def test_refused(
    mirror: Mirror,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    settings: dict[str, str],
    said: str,
) -> None:
    assert mirror.ask("crawl", *words, settings=settings) == MISUSED
    told = capsys.readouterr().err
    assert told.startswith(f"scrapy crawl: {said}")
    assert told.count("\n") == 1


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"LOG_LEVEL": "loud"}, "MIRROR_LOG_LEVEL=loud: use DEBUG, INFO, WARNING or ERROR"),
        ({"MIRROR_LOG": "json", "LOG_FILE": "/dev/null/log"}, "LOG_FILE: "),
    ],
)
def test_a_log_that_cannot_be(mirror: Mirror, settings: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError) as refused:
        mirror.ask("crawl", "ntdtv", settings=settings)
    assert str(refused.value).startswith(said)


def test_told_to_stop_meanwhile(
    mirror: Mirror, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(stop, "asked", True)
    assert mirror.ask("crawl", "ntdtv") == EXIT_CODES["degraded"]
    assert capsys.readouterr().err == "scrapy crawl: it was told to stop before it began\n"
    assert mirror.site.requests == []


def test_the_checks_leave_directories_and_store_behind(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stop, "asked", True)
    mirror.ask("crawl", "ntdtv")
    made = {path.relative_to(mirror.root) for path in mirror.root.rglob("*")}
    assert made == {Path("data"), Path("data/mirror.db"), Path("output")}


def test_without_scrapy_around_it() -> None:
    with pytest.raises(RuntimeError, match="not started by Scrapy's command line"):
        Command().run(["ntdtv"], argparse.Namespace())
