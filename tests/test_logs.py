"""The log as JSON lines: a process that says all there is to say, and the lines themselves."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from scrapy.settings import Settings

from mirror_crawler import logs
from tests import mirror

PROCESS = """
import logging, sys, warnings
import scrapy
from scrapy.crawler import CrawlerProcess
from scrapy.settings import Settings
from mirror_crawler import logs

class Speaker(scrapy.Spider):
    name = "speaker"
    start_urls = ["data:,x"]

    def parse(self, response):
        logs.name_run("epochtimes", "20261122T010000Z")
        logging.getLogger("mirror_crawler.run").warning("列表 %s:\\n%s", 1, "no article link")
        warnings.warn("an old way")
        raise KeyError("a mistake")

settings = Settings({"MIRROR_LOG": "json", "LOG_LEVEL": sys.argv[1], "TELNETCONSOLE_ENABLED": False})
if len(sys.argv) > 2:
    settings.set("LOG_FILE", sys.argv[2])
logs.take_over(settings)
process = CrawlerProcess(settings)
process.crawl(Speaker)
process.start()
raise SystemError("the end")
"""


def spoken(*words: str) -> subprocess.CompletedProcess[str]:
    return mirror.run("-c", PROCESS, *words)


@pytest.fixture(scope="module")
def told() -> list[dict[str, Any]]:
    """Everything that a process says from its start to its end."""
    ended = spoken("DEBUG")
    assert (ended.returncode, ended.stdout) == (1, "")
    return [json.loads(line) for line in ended.stderr.splitlines()]


@pytest.mark.untraced
class TestProcess:
    def said(self, told: list[dict[str, Any]], start: str) -> dict[str, Any]:
        (found,) = (entry for entry in told if entry["message"].startswith(start))
        return found

    def test_from_the_first_line_to_the_last(self, told: list[dict[str, Any]]) -> None:
        assert told[0]["message"].startswith("Scrapy ")
        assert told[0]["logger"] == "scrapy.utils.log"
        assert told[-1]["message"] == "SystemError: the end"
        assert told[-1]["error"].startswith("Traceback")
        assert all(entry.keys() >= {"time", "level", "logger", "message"} for entry in told)

    def test_the_run_is_named_once_it_is_known(self, told: list[dict[str, Any]]) -> None:
        index = told.index(self.said(told, "列表 "))
        named = {"outlet": "epochtimes", "run": "20261122T010000Z"}
        assert told[index] == told[index] | named | {
            "level": "WARNING",
            "logger": "mirror_crawler.run",
            "message": "列表 1:\nno article link",
        }
        assert "run" not in told[index - 1]
        assert all(entry.items() >= named.items() for entry in told[index:])

    def test_warnings(self, told: list[dict[str, Any]]) -> None:
        entry = next(entry for entry in told if "an old way" in entry["message"])
        assert (entry["level"], entry["logger"]) == ("WARNING", "py.warnings")

    def test_exceptions(self, told: list[dict[str, Any]]) -> None:
        entry = self.said(told, "Spider error processing")
        assert entry["level"] == "ERROR"
        assert entry["error"].endswith("KeyError: 'a mistake'")

    def test_level_and_file_are_those_of_the_settings(self, tmp_path: Path) -> None:
        ended = spoken("ERROR", str(tmp_path / "log"))
        assert (ended.stdout, ended.stderr) == ("", "")
        entries = [json.loads(line) for line in (tmp_path / "log").read_text(encoding="utf-8").splitlines()]
        assert [entry["level"] for entry in entries] == ["ERROR", "CRITICAL"]


class TestTakeOver:
    @pytest.fixture(autouse=True)
    def restored(self) -> Iterator[None]:
        handlers, hook, show = logging.root.handlers[:], sys.excepthook, warnings.showwarning
        yield
        logging.captureWarnings(capture=False)
        for handler in logging.root.handlers[:]:
            if handler not in handlers:
                logging.root.removeHandler(handler)
                handler.close()
        sys.excepthook, warnings.showwarning = hook, show

    def test_for_people_everything_stays(self) -> None:
        handlers, hook = logging.root.handlers[:], sys.excepthook
        settings = Settings({"MIRROR_LOG": "human"})
        logs.take_over(settings)
        logs.name_run("epochtimes", "1")
        assert (logging.root.handlers, sys.excepthook, settings.getbool("LOG_ENABLED")) == (handlers, hook, True)

    @pytest.mark.parametrize(("append", "kept"), [(True, "earlier\n"), (False, "")])
    def test_file(self, tmp_path: Path, *, append: bool, kept: str) -> None:
        path = tmp_path / "log"
        path.write_text("earlier\n")
        settings = Settings({"MIRROR_LOG": "json", "LOG_FILE": str(path), "LOG_FILE_APPEND": append})
        logs.take_over(settings)
        assert path.read_text() == kept
        assert (settings["LOG_FILE"], settings.getbool("LOG_ENABLED")) == (None, False)

    def test_no_log_at_all(self) -> None:
        before = logging.root.handlers[:]
        logs.take_over(Settings({"MIRROR_LOG": "json", "LOG_ENABLED": False}))
        (added,) = (handler for handler in logging.root.handlers if handler not in before)
        assert isinstance(added, logging.NullHandler)

    def test_a_file_that_cannot_be_opened(self, tmp_path: Path) -> None:
        before = logging.root.handlers[:]
        with pytest.raises(FileNotFoundError):
            logs.take_over(Settings({"MIRROR_LOG": "json", "LOG_FILE": str(tmp_path / "missing" / "log")}))
        assert logging.root.handlers == before

    def test_what_ends_the_process_is_told(self, capsys: pytest.CaptureFixture[str]) -> None:
        logs.take_over(Settings({"MIRROR_LOG": "json", "LOG_LEVEL": "WARNING"}))
        try:
            raise KeyError("a mistake")
        except KeyError as error:
            sys.excepthook(KeyError, error, error.__traceback__)
        told = json.loads(capsys.readouterr().err)
        assert (told["level"], told["message"]) == ("CRITICAL", "KeyError: 'a mistake'")
        assert "test_logs.py" in told["error"]


@pytest.mark.untraced
def test_scrapy_leaves_the_log_to_us(tmp_path: Path) -> None:
    """Its handler, made after ours, must be one that writes nowhere."""
    code = (
        "import logging\nfrom scrapy.settings import Settings\nfrom scrapy.utils.log import configure_logging\n"
        "from mirror_crawler import logs\n"
        "settings = Settings({'MIRROR_LOG': 'json'}); logs.take_over(settings); configure_logging(settings)\n"
        "logging.getLogger('x').warning('once')"
    )
    ended = mirror.run("-c", code)
    assert ended.returncode == 0
    assert [json.loads(line)["message"] for line in ended.stderr.splitlines()] == ["once"]


class TestLine:
    def test_of_a_moment(self) -> None:
        told = json.loads(logs.line("INFO", "mirror_crawler.progress", "完", at=1_763_776_800.1234, outlet="ntdtv"))
        assert told == {
            "time": "2025-11-22T02:00:00.123+00:00",
            "level": "INFO",
            "logger": "mirror_crawler.progress",
            "message": "完",
            "outlet": "ntdtv",
        }

    def test_what_is_empty_is_left_out(self) -> None:
        told = json.loads(logs.line("INFO", "x", "", outlet="", run=None, report={"verdict": "ok"}))
        assert told.keys() == {"time", "level", "logger", "message", "report"}
        assert told["report"] == {"verdict": "ok"}

    @pytest.mark.parametrize("odd", ["\n\u2028\x85\r", "\ud800", "𠮷🙂", '"\\'])
    def test_no_text_breaks_it(self, odd: str) -> None:
        line = logs.line("INFO", "x", odd, path=Path("/x"))
        assert line.isascii()
        assert len(line.splitlines()) == 1
        assert json.loads(line)["message"] == odd

    def test_a_record_without_traceback(self) -> None:
        record = logging.makeLogRecord({"name": "x", "levelname": "INFO", "msg": "%s", "args": ("y",)})
        record.exc_info = (None, None, None)
        told = json.loads(logs.JsonFormatter().format(record))
        assert told.keys() == {"time", "level", "logger", "message"}
        assert told["message"] == "y"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (None, "12:00 it is done\n"),
        ({"MIRROR_LOG": "human"}, "12:00 it is done\n"),
        (
            {"MIRROR_LOG": "json"},
            {"level": "INFO", "logger": "mirror_crawler.x", "message": "it is done", "outlet": "a"},
        ),
    ],
)
def test_what_a_command_says(
    settings: dict[str, str] | None, said: str | dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    logs.tell(settings, "INFO", "mirror_crawler.x", "12:00 it is done", message="it is done", outlet="a", verdict="")
    told = capsys.readouterr().err
    if isinstance(said, str):
        assert told == said
    else:
        assert json.loads(told).items() >= said.items()
