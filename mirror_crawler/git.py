"""Running the real git: without questions, without the operator's own repositories, with a time limit.

Whatever is secret goes to git in the environment, which other users of the machine cannot read. Command lines they can.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, NamedTuple

LOCAL_SECONDS = 3600.0
"""Time limit of what only this machine's disk can delay."""

_PASSED_ON = re.compile(
    r"GIT_(SSH|SSH_COMMAND|SSH_VARIANT|SSL_\w+|HTTP_\w+|PROXY_\w+|EXEC_PATH|CONFIG_(GLOBAL|SYSTEM|NOSYSTEM))"
)
"""Of git's variables only those that say how to reach others; GIT_DIR and the like are about other repositories."""
_UNASKED = {
    "LC_ALL": "C",  # its messages are read
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "",
    "GCM_INTERACTIVE": "never",
    "SSH_ASKPASS": "",  # and there is no terminal, so ssh asks nobody either, whatever ssh the operator has set
    "SSH_ASKPASS_REQUIRE": "never",
}
_HARDENED = ("-c", "core.fsync=committed,reference", "-c", "core.hooksPath=/dev/null", "-c", "gc.autoDetach=false")
_CONTROL = re.compile(r"\x1b\[[0-9;]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_IDLE_TALK = re.compile(
    r"hint:|To |Please make sure|and the repository exists|warning: redirecting|fast-import: dumping crash report"
    r"|error: failed to push some refs|remote:\s*$|Everything up-to-date"
)
_LONGEST = 300


class GitError(Exception):
    """Git could not do something; one line that says what and why."""


class Answer(NamedTuple):
    """How a command of git ended; ``code`` is None when it was ended for taking too long."""

    code: int | None
    out: bytes
    err: str

    @property
    def reason(self) -> str:
        """What it said of a failure, in one line."""
        lines = (" ".join(_CONTROL.sub("", line).split()) for line in self.err.splitlines())
        told = "; ".join(dict.fromkeys(line for line in lines if line and not _IDLE_TALK.match(line)))
        if self.code is None:
            return "it took too long"
        return _shortened(told) or f"git ended with {self.code}"


def check_installed() -> None:
    """Raise GitError, with the mend, when there is no git."""
    if shutil.which("git") is None:
        raise GitError("git is not installed; install it (Debian: apt-get install git)")


def ask(
    directory: Path | str,
    *words: str,
    given: bytes = b"",
    config: Iterable[tuple[str, str]] = (),
    secrets: Mapping[str, str] | None = None,
    seconds: float = LOCAL_SECONDS,
) -> Answer:
    """Run a command of git on the repository at ``directory``.

    ``given`` is its input. ``config`` and ``secrets`` (more variables) go to it in the environment. Input and output
    are files, so no process that it leaves behind holds us up. Raises GitError when git cannot be started.
    """
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        source.write(given)
        source.seek(0)
        process = _start(directory, words, _environment(config, secrets), source, out, err)
        code = _code(process, seconds)
        return Answer(code, _content(out), _content(err).decode(errors="replace"))


def tell(directory: Path, *words: str, given: bytes = b"") -> bytes:
    """:func:`ask` of something that must succeed; its output. Raises GitError with the reason when it does not."""
    answer = ask(directory, *words, given=given)
    if answer.code != 0:
        raise GitError(f"git {words[0]}: {answer.reason}")
    return answer.out


@contextlib.contextmanager
def talk(directory: Path, *words: str) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """Run a command of git while the caller writes to its input and reads its output.

    Raises GitError when it fails, or ends before all is written. When the caller fails it is ended by force.
    """
    with tempfile.TemporaryFile() as err:
        process = _start(directory, words, _environment((), None), subprocess.PIPE, subprocess.PIPE, err)
        assert process.stdin is not None  # noqa: S101  (for the type checker)
        assert process.stdout is not None  # noqa: S101
        try:
            try:
                yield process.stdin, process.stdout
                process.stdin.close()
            except BrokenPipeError:
                process.wait()
            code = process.wait()
        finally:
            _end(process)
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
            process.stdout.close()
        if code:
            raise GitError(f"git {words[0]}: {Answer(code, b'', _content(err).decode(errors='replace')).reason}")


def _start(
    directory: Path | str,
    words: Iterable[str],
    environment: Mapping[str, str],
    source: IO[bytes] | int,
    out: IO[bytes] | int,
    err: IO[bytes],
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(  # noqa: S603 - fixed words and our own paths
            ["git", *_HARDENED, f"--git-dir={directory}", *words],  # noqa: S607 - the operator's git
            stdin=source,
            stdout=out,
            stderr=err,
            env=environment,
            start_new_session=True,  # no terminal to ask on; what it starts can be ended with it
        )
    except OSError as error:
        raise GitError(f"git cannot be started: {error.strerror}") from None


def _code(process: subprocess.Popen[bytes], seconds: float) -> int | None:
    """How a process ended; None when it was ended for taking longer than ``seconds``.

    Popen has a time limit, too, but sleeps between looks, for longer than most commands of git take.
    """
    late = threading.Event()

    def give_up() -> None:
        late.set()
        _end(process)

    timer = threading.Timer(seconds, give_up)
    timer.start()
    try:
        code = process.wait()
    finally:
        timer.cancel()
        _end(process)
    return None if late.is_set() else code


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process that is still at work, and what it started."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):  # it has just ended
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _environment(config: Iterable[tuple[str, str]], secrets: Mapping[str, str] | None) -> dict[str, str]:
    ours = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("GIT_", "MIRROR_")) or _PASSED_ON.fullmatch(name)
    }
    pairs = list(config)
    told = {"GIT_CONFIG_COUNT": str(len(pairs))} if pairs else {}
    for number, (key, value) in enumerate(pairs):
        told |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return ours | _UNASKED | told | dict(secrets or {})


def _content(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read()


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
