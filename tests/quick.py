"""``python -m scrapy`` and ``python -c`` without our imports, which cost more than a second of every small crawl.

One process imports what crawls import, then forks for each command. A command so started differs from a real one in
nothing that a test could notice but its speed: tests/test_quick.py compares them. For Linux only.
"""

from __future__ import annotations

import atexit
import concurrent.futures
import contextlib
import ctypes
import functools
import gc
import json
import os
import pkgutil
import re
import runpy
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self

REPO = Path(__file__).parent.parent
_PR_SET_PDEATHSIG = 1
"""From linux/prctl.h: the signal that a process gets when its parent ends."""
_NUMBER = struct.Struct("i")
_READ_AT_START = re.compile(r"PYTHON|LC_|LANG|HOME$|LD_")
"""Variables that the interpreter and its libraries read before a command could change them."""


def _read_at_start(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if _READ_AT_START.match(name)}


_ENVIRONMENT = _read_at_start(os.environ)


def serves(cwd: Path, environment: Mapping[str, str]) -> bool:
    """Whether a command there, with that environment, would be the same as a real one.

    Not when its interpreter would start differently, or would find modules elsewhere; nor when its coverage is
    measured, as that begins before the first import.
    """
    return (
        sys.platform == "linux"
        and cwd == REPO
        and not any(name.startswith("COVERAGE_") for name in environment)
        and _read_at_start(environment) == _ENVIRONMENT
    )


# --- In the process of the tests --------------------------------------------------------------------------------------


class Process:
    """A command under way, ``scrapy WORDS``, or code when the first word is ``-c``; has of :class:`subprocess.Popen`
    what tests use.

    ConnectionError when the process that it is a fork of has ended.
    """

    def __init__(self, words: Sequence[str], environment: Mapping[str, str], server: Server | None = None) -> None:
        self.args = list(words) if words[0] == "-c" else ["scrapy", *words]
        self.returncode: int | None = None
        self._reading: list[concurrent.futures.Future[str]] = []
        out, err = os.pipe(), os.pipe()
        self.stdout, self.stderr = (os.fdopen(readable) for readable, _ in (out, err))
        self._status, theirs = socket.socketpair()
        with theirs, contextlib.ExitStack() as given:
            for _, writable in (out, err):
                given.callback(os.close, writable)
            (server or running()).ask(theirs.fileno(), out[1], err[1])
        self._status.sendall(json.dumps([self.args, dict(environment)]).encode())
        self._status.shutdown(socket.SHUT_WR)
        told, (self._process,), _, _ = socket.recv_fds(self._status, _NUMBER.size, 1)
        self.pid: int = _NUMBER.unpack(told)[0]

    def poll(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs."""
        return self._ended(0)

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code. :class:`subprocess.TimeoutExpired` when there is none after so many seconds."""
        code = self._ended(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return code

    def _ended(self, timeout: float | None) -> int | None:
        if self.returncode is None and select.select([self._status], [], [], timeout)[0]:
            told = self._status.recv(_NUMBER.size)
            if not told:
                raise ConnectionError("the process that forks commands has ended")
            self.returncode = _NUMBER.unpack(told)[0]
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """The rest of what it says on stdout and stderr, once it has ended; a timeout as in :meth:`wait`."""
        if not self._reading:
            readers = concurrent.futures.ThreadPoolExecutor(2)
            self._reading = [readers.submit(stream.read) for stream in (self.stdout, self.stderr)]
            readers.shutdown(wait=False)
        if concurrent.futures.wait(self._reading, timeout).not_done:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        self.wait(timeout)
        out, err = (said.result() for said in self._reading)
        return out, err

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._process, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        concurrent.futures.wait(self._reading)
        self.stdout.close()
        self.stderr.close()
        try:
            self.wait()
        finally:
            self._status.close()
            os.close(self._process)


class Server:
    """The process that forks, as its user sees it. It ends, and its commands with it, when its socket is closed."""

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.quick", str(theirs.fileno())],
                cwd=REPO,
                env=_ENVIRONMENT,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )

    def ask(self, *descriptors: int) -> None:
        """Have a command started: its socket, its stdout, its stderr."""
        socket.send_fds(self._control, [b"!"], descriptors)

    def close(self) -> None:
        """End the process."""
        self._control.close()
        self.process.wait()


_starting = threading.Lock()


@functools.cache
def _running() -> Server:
    server = Server()
    atexit.register(server.close)
    return server


def running() -> Server:
    """The server of this process, started when it is first asked for."""
    with _starting:
        return _running()


# --- In the process that forks ----------------------------------------------------------------------------------------

_LOADED_BY_SETTINGS = {
    "scrapy": "dupefilters logformatter pqueues squeues statscollectors",
    "scrapy.core.downloader.handlers": "datauri file ftp s3",
    "scrapy.downloadermiddlewares": "cookies defaultheaders downloadtimeout httpcache httpcompression httpproxy"
    " redirect retry stats useragent",
    "scrapy.extensions": "closespider corestats logcount logstats memdebug memusage spiderstate",
    "scrapy.spidermiddlewares": "referer start",
    "twisted.internet": "asyncioreactor",
}
"""What Scrapy and we import only when a crawl begins: package → modules."""
_NOT_BEFORE = ("mirror_crawler.settings", "mirror_crawler.splash", "twisted.internet.reactor")
"""The first reads the environment as it is imported, the second is only for runs with a Splash, the last chooses the
reactor.
"""


def _load() -> None:
    """Import what every command does. A warning, which would be lost to the command, is an error."""

    def refuse(message: Warning | str, category: type[Warning], *_: object, **__: object) -> NoReturn:
        raise message if isinstance(message, Warning) else category(message)

    shown, warnings.showwarning = warnings.showwarning, refuse
    import_module("scrapy.cmdline")
    for package in ("scrapy.commands", "mirror_crawler"):
        for module in pkgutil.walk_packages(import_module(package).__path__, f"{package}."):
            if module.name not in _NOT_BEFORE:
                import_module(module.name)
    for package, names in _LOADED_BY_SETTINGS.items():
        for name in names.split():
            import_module(f"{package}.{name}")
    warnings.showwarning = shown
    if early := [name for name in _NOT_BEFORE if name in sys.modules]:
        raise RuntimeError(f"imported before there is a command: {early}")


def _serve(control: socket.socket) -> list[int]:
    """Fork for each command, and tell it when its process ended.

    Returns in each of the forks, with the command's socket, stdout and stderr; and with nothing when the tests ended.
    """
    commands: dict[int, tuple[int, socket.socket]] = {}
    while True:
        ready, _, _ = select.select([control.fileno(), *commands], [], [])
        for process in set(ready) & set(commands):
            _report(process, *commands.pop(process))
        if control.fileno() not in ready:
            continue
        _, asked, _, _ = socket.recv_fds(control, 1, 3)
        pid = os.fork() if asked else 0
        if pid == 0:
            for resource in (control, *(status for _, status in commands.values())):
                resource.close()
            for process in commands:
                os.close(process)
            return asked
        for descriptor in asked[1:]:
            os.close(descriptor)
        status, process = socket.socket(fileno=asked[0]), os.pidfd_open(pid)
        commands[process] = pid, status
        with contextlib.suppress(OSError):
            socket.send_fds(status, [_NUMBER.pack(pid)], [process])


def _report(process: int, pid: int, status: socket.socket) -> None:
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.close(process)
    with status, contextlib.suppress(OSError):  # a test that did not wait for it
        status.sendall(_NUMBER.pack(code))


def _become(asked: list[int]) -> list[str]:
    """Be in a fork what a new process would be; its arguments, as in sys.argv, but ``-c`` is followed by its code."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    for target, descriptor in enumerate(asked[1:], start=1):
        os.dup2(descriptor, target)
        os.close(descriptor)
    with socket.socket(fileno=asked[0]) as status, status.makefile("rb") as said:
        words: list[str]
        words, environment = json.load(said)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    return words


def _main(descriptor: int) -> None:
    interrupted = signal.signal(signal.SIGINT, signal.SIG_IGN)  # the tests decide when they end
    _load()
    gc.collect()
    gc.freeze()  # else each fork goes through all that is loaded, once more as it ends; that was most of its time
    asked = _serve(socket.socket(fileno=descriptor))
    if asked:
        signal.signal(signal.SIGINT, interrupted)
        words = _become(asked)
        if words[0] == "-c":
            code = words.pop(1)
            sys.argv[:] = words
            exec(code, {"__name__": "__main__"})
        else:
            sys.argv[:] = words
            runpy.run_module("scrapy", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _main(int(sys.argv[1]))
