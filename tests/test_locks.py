"""FileLock: one holder at a time, and none left behind by a killed process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from unittest import mock

import pytest

from mirror_crawler.locks import FileLock

HOLDER = """
import sys, pathlib
from mirror_crawler.locks import FileLock
FileLock(pathlib.Path(sys.argv[1])).acquire() and print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "runs" / "x.lock"


def test_one_holder_at_a_time(path: Path) -> None:
    first, second = FileLock(path), FileLock(path)
    assert first.acquire()
    assert not second.acquire()
    first.release()
    assert second.acquire()
    second.release()


def test_leaves_no_file(path: Path) -> None:
    with FileLock(path):
        assert path.exists()
    assert not path.exists()


def test_is_released_when_the_work_fails(path: Path) -> None:
    with pytest.raises(RuntimeError), FileLock(path):
        raise RuntimeError
    assert FileLock(path).acquire()


def test_release_without_holding_takes_nothing_away(path: Path) -> None:
    holder = FileLock(path)
    holder.acquire()
    FileLock(path).close()
    assert path.exists()
    assert not FileLock(path).acquire()


def test_with_waits(path: Path) -> None:
    holder, entered, order = FileLock(path), threading.Event(), []
    holder.acquire()

    def wait() -> None:
        entered.set()
        with FileLock(path):
            order.append("waiter")

    waiter = threading.Thread(target=wait)
    waiter.start()
    entered.wait()
    order.append("holder")
    holder.release()
    waiter.join()
    assert order == ["holder", "waiter"]


@pytest.mark.parametrize("gone", ["removed", "replaced"])
def test_a_lock_on_a_file_that_is_gone_is_none(path: Path, gone: str) -> None:
    """Between our opening and locking the file its holder removed it; another may hold a new one by now."""
    lock, opened = FileLock(path), []
    really_open = os.open

    def open_and_lose(name: Path, flags: int, mode: int) -> int:
        descriptor = really_open(name, flags, mode)
        opened.append(descriptor)
        if len(opened) == 1:
            path.unlink()
            if gone == "replaced":
                path.write_bytes(b"")
        return descriptor

    with mock.patch("os.open", open_and_lose):
        assert lock.acquire()
    assert len(opened) == 2
    assert not FileLock(path).acquire()
    lock.release()


@pytest.mark.untraced
def test_a_killed_process_leaves_it_free(path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert not FileLock(path).acquire()
        holder.send_signal(signal.SIGKILL)
    assert path.exists()
    assert FileLock(path).acquire()
