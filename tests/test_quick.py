"""Commands that start quickly are what real ones are, know nothing of each other, and leave nothing behind."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import quick
from tests.mirror import REPO, wait_until

pytestmark = [pytest.mark.untraced, pytest.mark.skipif(sys.platform != "linux", reason="tests.quick is for Linux")]

PROBE = """
import gc, json, locale, logging, os, random, resource, signal, sys, threading, time, warnings
import scrapy

class Probe(scrapy.Spider):
    name = "probe"
    start_urls = ["data:,nothing"]

    def parse(self, response):
        if "WAIT" in os.environ:
            print("waiting", flush=True)
            time.sleep(600)

    def closed(self, reason):
        mask = os.umask(0o22)
        os.umask(mask)
        files = [f"/proc/self/fd/{number}" for number in os.listdir("/proc/self/fd")]
        state = {
            "arguments": sys.argv,
            "directory": os.getcwd(),
            "environment": dict(os.environ),
            "files": sorted((path, os.readlink(path).partition("[")[0]) for path in files if os.path.exists(path)),
            "garbage": [gc.isenabled(), gc.get_threshold(), gc.get_debug()],
            "group": [os.getpgrp(), os.getsid(0), os.nice(0)],
            "limits": [resource.getrlimit(getattr(resource, n)) for n in sorted(dir(resource)) if "RLIMIT_" in n],
            "locale": locale.setlocale(locale.LC_ALL),
            "zone": [time.tzname, time.timezone],
            "log": [logging.root.level, logging.root.disabled, *(type(h).__name__ for h in logging.root.handlers)],
            "loggers": sorted(
                (name, logger.level, logger.propagate, logger.disabled, len(logger.handlers))
                for name, logger in logging.Logger.manager.loggerDict.items() if isinstance(logger, logging.Logger)
            ),
            "mask": mask,
            "path": sys.path,
            "signals": [str(signal.getsignal(n)).partition(" at ")[0] for n in sorted(signal.valid_signals())],
            "blocked": [str(n) for n in signal.pthread_sigmask(signal.SIG_BLOCK, [])],
            "streams": [
                [s.encoding, s.errors, s.line_buffering, s.write_through, s.isatty()]
                for s in (sys.stdin, sys.stdout, sys.stderr)
            ],
            "hooks": [sys.excepthook is sys.__excepthook__, str(sys.gettrace()), warnings.showwarning.__qualname__],
            "threads": [thread.name for thread in threading.enumerate()],
            "warnings": sorted(str(entry) for entry in warnings.filters),
            "modules": sorted(name for name in sys.modules if name.partition(".")[0] != "tests"),
        }
        print(json.dumps({"state": state, "chance": random.random()}))
"""
OURS = ("EXTENSIONS", "DOWNLOADER_MIDDLEWARES", "SPIDER_MIDDLEWARES", "ITEM_PIPELINES", "FEEDS")
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}


@pytest.fixture
def probe(tmp_path: Path) -> tuple[str, ...]:
    """The words of a command that tells what process it is in."""
    path = tmp_path / "probe.py"
    path.write_text(PROBE, encoding="utf-8")
    return ("runspider", str(path), *(word for name in OURS for word in ("-s", f"{name}={{}}")))


def real(*words: str, **environment: str) -> tuple[int, str, str]:
    ended = subprocess.run(
        [sys.executable, *(words if words[0] == "-c" else ("-m", "scrapy", *words))],
        cwd=REPO,
        env=ENVIRONMENT | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    return ended.returncode, ended.stdout, ended.stderr


def swift(*words: str, **environment: str) -> tuple[int, str, str]:
    with quick.Process(words, ENVIRONMENT | environment) as process:
        out, err = process.communicate(timeout=60)
    return process.wait(), out, err


@contextlib.contextmanager
def waiting(probe: tuple[str, ...]) -> Iterator[quick.Process]:
    """A command that is at work and does not end by itself."""
    with quick.Process(probe, ENVIRONMENT | {"WAIT": "1"}) as process:
        try:
            assert process.stdout.readline() == "waiting\n"
            yield process
        finally:
            process.kill()


def told(ended: tuple[int, str, str]) -> dict[str, Any]:
    code, out, err = ended
    assert (code, err) == (0, "")
    said: dict[str, Any] = json.loads(out)
    return said


class TestIsLikeARealOne:
    def test_in_all_that_a_process_is(self, probe: tuple[str, ...]) -> None:
        one = told(real(*probe, MIRROR_TITLE="once", TZ="Asia/Shanghai"))["state"]
        other = told(swift(*probe, MIRROR_TITLE="once", TZ="Asia/Shanghai"))["state"]
        # A real one has not loaded what these arguments do not need.
        unneeded = set(other.pop("modules")) - set(one.pop("modules"))
        assert {name.partition(".")[0] for name in unneeded} <= {
            "mirror_crawler",
            "PIL",
            "concurrent",
            "markdown_it",
            "mdurl",
        }
        loggers = [logger for logger in other.pop("loggers") if logger[0] not in unneeded]
        assert loggers == one.pop("loggers")
        filters = [entry for entry in other.pop("warnings") if "PIL" not in entry]
        assert filters == one.pop("warnings")
        assert other == one

    @pytest.mark.parametrize(
        "words",
        [
            ("nonsense",),
            ("crawl", "epochtimes", "-a", "section=nsc1"),
            ("settings", "--get", "MIRROR_TITLE"),
            ("-c", "import os, sys; print(sys.argv, __name__, os.environ['MIRROR_TITLE']); sys.exit(3)", "-c", "茶"),
        ],
        ids=["unknown", "refused", "setting", "code"],
    )
    def test_in_what_it_says(self, words: tuple[str, ...]) -> None:
        assert swift(*words, MIRROR_TITLE="茶") == real(*words, MIRROR_TITLE="茶")


class TestKnowsNothingOfTheOthers:
    def test_environment(self) -> None:
        asked = ("settings", "--get", "MIRROR_TITLE")
        assert swift(*asked, MIRROR_TITLE="茶")[1] == "茶\n"
        assert swift(*asked)[1] == "\n"

    def test_chance(self, probe: tuple[str, ...]) -> None:
        assert told(swift(*probe))["chance"] != told(swift(*probe))["chance"]

    def test_files_of_one_at_work(self, probe: tuple[str, ...]) -> None:
        alone = told(swift(*probe))["state"]["files"]
        with waiting(probe):
            assert told(swift(*probe))["state"]["files"] == alone


class TestIsEnded:
    def test_by_a_signal(self, probe: tuple[str, ...]) -> None:
        with waiting(probe) as process:
            assert process.poll() is None
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(0)
            with pytest.raises(subprocess.TimeoutExpired):
                process.communicate(0)
            process.kill()
            assert process.communicate() == process.communicate() == ("", "")
            assert process.poll() == process.returncode == -signal.SIGKILL
            process.terminate()
            assert process.wait() == -signal.SIGKILL

    def test_with_the_server(self, probe: tuple[str, ...]) -> None:
        server = quick.Server()
        process = quick.Process(probe, ENVIRONMENT | {"WAIT": "1"}, server)
        assert process.stdout.readline() == "waiting\n"
        server.close()
        assert server.process.returncode == 0
        # That they are at their end says that it, too, has ended.
        assert (process.stdout.read(), process.stderr.read()) == ("", "")
        with pytest.raises(ConnectionError):
            process.poll()
        with pytest.raises(ConnectionError), process:
            pass

    def test_with_the_tests(self, probe: tuple[str, ...]) -> None:
        code = f"""
import os, signal
from tests import quick
process = quick.Process({probe!r}, os.environ | {{"WAIT": "1"}})
process.stdout.readline()
print(process.pid, quick.running().process.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
        ended = subprocess.run(
            [sys.executable, "-c", code], cwd=REPO, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True
        )
        assert ended.returncode == -signal.SIGKILL
        left = [Path("/proc", pid, "cmdline") for pid in ended.stdout.split()]
        assert len(left) == 2
        wait_until(lambda: not any(b"tests.quick" in path.read_bytes() for path in left if path.exists()))


@pytest.mark.parametrize(
    ("cwd", "changed", "served"),
    [
        (REPO, {}, True),
        (REPO, {"MIRROR_TITLE": "x", "http_proxy": "http://127.0.0.1:9"}, True),
        (REPO / "tests", {}, False),
        (REPO, {"COVERAGE_PROCESS_START": "x"}, False),
        (REPO, {"PYTHONHASHSEED": "7"}, False),
        (REPO, {"LC_ALL": "zh_CN.GB18030"}, False),
        (REPO, {"HOME": "/nowhere"}, False),
    ],
    ids=["same", "of-the-mirror", "elsewhere", "coverage", "interpreter", "locale", "home"],
)
def test_serves_only_what_would_be_the_same(cwd: Path, changed: dict[str, str], served: bool) -> None:
    assert quick.serves(cwd, ENVIRONMENT | changed) is served
