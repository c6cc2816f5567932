"""Being told to stop in the first moments of a command, before Scrapy or the scheduler could hear it."""

from __future__ import annotations

import runpy
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from scrapy import Spider
from scrapy.crawler import Crawler

from mirror_crawler import settings
from mirror_crawler.commands import crawl
from mirror_crawler.health import EXIT_CODES
from mirror_crawler.locks import FileLock
from mirror_crawler.stopping import SIGNALS, Stop, held_back, stop
from tests.mirror import PLAIN, REPO, Mirror, wait_until

LISTENING = """
import signal
from mirror_crawler.stopping import stop
stop.begin(["scrapy", "{command}"])
for _ in range({times}):
    signal.raise_signal({number})
print("asked" if stop.asked else "not asked")
"""


def listened(command: str, *, times: int, number: int = signal.SIGTERM) -> subprocess.CompletedProcess[str]:
    code = LISTENING.format(command=command, times=times, number=int(number))
    return subprocess.run([sys.executable, "-c", code], cwd=REPO, capture_output=True, text=True, check=False)


@pytest.mark.untraced
@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("command", ["crawl", "schedule"])
def test_the_first_signal_is_kept(command: str, number: int) -> None:
    done = listened(command, times=1, number=number)
    assert (done.returncode, done.stdout) == (0, "asked\n"), done.stderr


@pytest.mark.untraced
@pytest.mark.parametrize("number", SIGNALS)
def test_the_second_one_kills(number: int) -> None:
    assert listened("crawl", times=2, number=number).returncode == -number


@pytest.mark.untraced
def test_other_commands_can_be_ended_at_any_time() -> None:
    assert listened("render", times=1).returncode == -signal.SIGTERM


def told_to_stop(mirror: Mirror, *words: str, number: int, **environment: str) -> subprocess.CompletedProcess[str]:
    """Start the real command with the signal sent before Python has begun."""
    places = {"MIRROR_DATA": str(mirror.data), "MIRROR_OUTPUT": str(mirror.output)}
    with held_back():
        process = subprocess.Popen(
            [sys.executable, "-m", "scrapy", *words],
            cwd=REPO,
            env=mirror.site.environment | PLAIN | places | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    process.send_signal(number)
    with process:
        out, err = process.communicate(timeout=60)
    return subprocess.CompletedProcess(words, process.returncode, out, err)


@pytest.mark.untraced
def test_a_crawl_that_has_not_begun(mirror: Mirror) -> None:
    done = told_to_stop(mirror, "crawl", "epochtimes", number=signal.SIGTERM)
    assert (done.returncode, done.stderr) == (
        EXIT_CODES["degraded"],
        "scrapy crawl: it was told to stop before it began\n",
    )
    assert mirror.site.requests == []
    assert not (mirror.data / "runs").exists()


@pytest.mark.untraced
def test_a_schedule_that_has_not_begun(mirror: Mirror) -> None:
    done = told_to_stop(
        mirror, "schedule", number=signal.SIGINT, MIRROR_SCHEDULE="epochtimes * * * * * *", MIRROR_JITTER="0"
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.endswith("Z schedule: stopped\n")
    assert mirror.site.requests == []
    assert not list((mirror.data / "runs").glob("*.lock"))


def test_a_crawl_that_is_being_opened(mirror: Mirror) -> None:
    """It is opened and then ended in order: its run has an end, its lock is given back."""
    lock = FileLock(mirror.data / "runs" / "epochtimes.lock")
    lock.acquire()
    with mirror.start("crawl", "epochtimes", "-a", "section=nsc413", MIRROR_BUSY="wait") as process:
        assert process.stderr is not None
        assert "waiting for its end" in process.stderr.readline()
        with sqlite3.connect(mirror.data / "mirror.db", isolation_level=None) as other:
            other.execute("begin immediate")  # so that the run cannot take its name
            lock.release()
            wait_until(lambda: lock.path.exists() or process.poll() is not None)
            process.send_signal(signal.SIGTERM)
            other.execute("rollback")
        _, said = process.communicate(timeout=60)
    assert process.returncode == EXIT_CODES["degraded"], said
    assert "! the crawl was stopped before its end; the next run goes on\n" in said
    assert not lock.path.exists()
    with mirror.store() as store:
        assert [run.verdict for run in store.last_runs("epochtimes", 10)] == ["degraded"]


def test_a_crawl_that_waits_for_another_one(mirror: Mirror) -> None:
    """It has done nothing, so it leaves as if it had not waited."""
    with (
        FileLock(mirror.data / "runs" / "epochtimes.lock"),
        mirror.start("crawl", "epochtimes", MIRROR_BUSY="wait") as process,
    ):
        assert process.stderr is not None
        assert "waiting for its end" in process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=60)
    assert process.returncode == EXIT_CODES["busy"], said
    assert mirror.site.requests == []


def test_a_child_hears_a_signal_once_it_listens() -> None:
    """The signals wait as long as they are held back, here too."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    with held_back():
        assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) >= set(SIGNALS)
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before


@pytest.fixture
def restored() -> Iterator[None]:
    handlers = {number: signal.getsignal(number) for number in SIGNALS}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


def test_a_second_signal_is_sent_again_to_kill(restored: None) -> None:
    stop = Stop()
    stop.asked = True
    with held_back():
        stop._hear(signal.SIGTERM, None)
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
        assert signal.sigpending() == {signal.SIGTERM}
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # which drops it


def test_a_crawl_without_an_engine_does_not_work_yet() -> None:
    assert not crawl._works(Crawler(Spider))


@pytest.mark.parametrize(("command", "heeds"), [("crawl", True), ("schedule", True), ("render", False)])
def test_settings_begin_it(restored: None, monkeypatch: pytest.MonkeyPatch, command: str, heeds: bool) -> None:
    """They are what Scrapy imports first. An interrupt that raised something in an import could be lost there."""
    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(sys, "argv", ["scrapy", command])
    runpy.run_path(str(Path(settings.__file__)))
    assert signal.getsignal(signal.SIGINT) == (stop._hear if heeds else before)


def test_who_asks_late_is_told_at_once(restored: None) -> None:
    acts: list[int] = []
    stop = Stop()
    stop.begin(["scrapy", "-L", "crawl"])
    signal.raise_signal(signal.SIGTERM)
    stop.listen(lambda: acts.append(1))
    assert acts == [1]


def test_who_listens_is_told(restored: None) -> None:
    acts: list[int] = []
    stop = Stop()
    stop.listen(lambda: acts.append(1))
    assert not stop.asked
    signal.raise_signal(signal.SIGINT)
    assert (stop.asked, acts) == (True, [1])
