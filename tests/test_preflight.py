"""What ``scrapy crawl`` checks before its first request, and how it leaves. Each mistake is in test_crawl.py."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest
from scrapy.settings import Settings

from mirror_crawler.commands.crawl import Command
from mirror_crawler.health import EXIT_CODES, MISUSED
from mirror_crawler.stopping import stop
from tests.mirror import Mirror

UNUSED = ("logfile", "loglevel", "nolog", "pidfile", "pdb", "output", "overwrite_output")
"""Options of Scrapy's that are not given."""


@pytest.mark.parametrize(
    ("words", "settings", "said"),
    [
        pytest.param((), {}, "name one outlet; use epochtimes or ntdtv", id="no outlet"),
        pytest.param(("bbc",), {}, "no outlet 'bbc'; use epochtimes or ntdtv", id="outlet"),
        pytest.param(("ntdtv", "-a", "pages=x"), {}, "pages=x", id="argument"),
        pytest.param(("ntdtv",), {"DOWNLOAD_DELAY": "soon"}, "DOWNLOAD_DELAY=soon: use a number", id="number"),
        pytest.param(("ntdtv",), {"LOG_LEVEL": "loud"}, "MIRROR_LOG_LEVEL=loud: use DEBUG, INFO", id="level"),
        pytest.param(("ntdtv",), {"LOG_FILE": "/dev/null/log"}, "LOG_FILE=/dev/null/log: Not a dir", id="log file"),
        pytest.param(("ntdtv", "-s", "FEEDS=oops"), {}, "FEEDS=oops: use a JSON object", id="no object"),
        pytest.param(("ntdtv", "-a", "pages=1", "-a", "pages=2"), {}, "pages= is given 2 times", id="twice"),
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


def test_what_cannot_be_is_refused_before_scrapy_makes_its_process() -> None:
    """Which would end in a traceback with these settings."""
    command = Command()
    command.settings = Settings()
    command.settings.setmodule("mirror_crawler.settings")
    command.settings.set("LOG_FILE", "/dev/null/log", "cmdline")
    command.process_options([], argparse.Namespace(set=[], spargs=[], **dict.fromkeys(UNUSED)))
    assert not command.requires_crawler_process


def test_without_scrapy_around_it() -> None:
    for act in (Command().run, Command().process_options):
        with pytest.raises(RuntimeError, match="not started by Scrapy's command line"):
            act(["ntdtv"], argparse.Namespace())
