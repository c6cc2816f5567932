"""Telling the operator that an outlet's verdict has changed: a command and a web address of the operator's choice.

A hook gets the run's report as one JSON object, with the verdict of the run before as ``verdict_before``. One that
fails is a line in the log and nothing else. Of its address only the host is logged: the rest may hold a secret.
"""

from __future__ import annotations

import base64
import json
import logging
import os
import shlex
import signal
import subprocess
import tempfile
import threading
from collections.abc import Mapping
from http.client import HTTPException
from typing import IO, Any
from urllib import request
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urlsplit, urlunsplit

logger = logging.getLogger(__name__)

_COMMAND_SECONDS = 60.0
_POST_SECONDS = 15.0
_TAIL = 2_000
_LONGEST_LINE = 200


def check_command(command: str) -> None:
    """Raise ValueError, with the mend, when a command cannot be taken apart into words."""
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise ValueError(f"cannot be read as a command ({error}); mend its quotes") from None
    if command and not words:
        raise ValueError("holds no command")


def check_url(url: str) -> None:
    """Raise ValueError, with the mend, when an address is no http(s) address."""
    if url and _host(url) is None:
        raise ValueError("must be an http(s) address")


def changed(verdict: str, before: str | None) -> bool:
    """Whether a verdict is news after that of the run before. Of a first run, which has none, only a bad one is."""
    return verdict != (before or "ok")


def announce(report: Mapping[str, Any], before: str | None, *, command: str, url: str) -> None:
    """Tell both hooks of a run whose verdict differs from the one before; an empty ``command`` or ``url`` is no hook.

    ``report`` is that of health.py, ``before`` the verdict of the outlet's run before it, None when there was none.
    Returns when both have answered or have had their time. Raises nothing.
    """
    if not changed(report["verdict"], before):
        return
    body = json.dumps({**report, "verdict_before": before}, ensure_ascii=False).encode()
    if command:
        about = {"OUTLET": report["outlet"], "VERDICT": report["verdict"], "VERDICT_BEFORE": before or ""}
        if failure := _run(command, body, {f"MIRROR_{name}": value for name, value in about.items()}):
            logger.warning("The hook command failed: %s", failure)
    if url and (failure := _posted(url, body)):
        logger.warning("The hook at %s failed: %s", _host(url), failure)


# --- the command ------------------------------------------------------------------------------------------------------


def _run(command: str, body: bytes, environment: Mapping[str, str]) -> str:
    """Run a command with ``body`` as its input; empty when it succeeded, else why not.

    Input and output are files, so a command that reads nothing, says much, or leaves a process behind holds nobody up.
    """
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as said:
        given.write(body)
        given.seek(0)
        try:
            process = subprocess.Popen(  # noqa: S603 - the operator's own command
                shlex.split(command),
                stdin=given,
                stdout=said,
                stderr=subprocess.STDOUT,
                env={**os.environ, **environment},
                start_new_session=True,
            )
        except OSError as error:
            return f"cannot be started: {error.strerror}"
        try:
            code = process.wait(_COMMAND_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return f"took longer than {_COMMAND_SECONDS:g} s and was ended"
        ended = f"exit code {code}" if code >= 0 else f"ended by signal {-code}"
        return f"{ended}{_last_line(said)}" if code else ""


def _last_line(said: IO[bytes]) -> str:
    """The end of what a command said, to stand behind its exit code."""
    said.seek(max(said.seek(0, os.SEEK_END) - _TAIL, 0))
    lines = said.read().decode(errors="replace").split("\n")
    last = next((" ".join(line.split()) for line in reversed(lines) if line.strip()), "")
    return f": {last[:_LONGEST_LINE]}" if last else ""


# --- the address ------------------------------------------------------------------------------------------------------


def _posted(url: str, body: bytes) -> str:
    """POST ``body`` within the time limit; empty when it was taken, else why not.

    The limit of urllib is one for each step of a request, and none for the look-up of a name: a thread has one for all.
    """
    outcome = []
    thread = threading.Thread(target=lambda: outcome.append(_post(url, body)), name="hook", daemon=True)
    thread.start()
    thread.join(_POST_SECONDS)
    return outcome[0] if outcome else f"no answer within {_POST_SECONDS:g} s"


def _post(url: str, body: bytes) -> str:
    address, headers = _without_user(url)
    try:
        post = request.Request(address, body, headers, method="POST")  # noqa: S310 - the opener speaks HTTP only
        with _opener().open(post, timeout=_POST_SECONDS):
            return ""
    except HTTPError as error:
        error.close()
        return f"HTTP {error.code}"
    except URLError as error:
        return str(error.reason)
    except (OSError, HTTPException, ValueError) as error:
        return type(error).__name__  # their texts may quote the address


def _opener() -> request.OpenerDirector:
    """What speaks HTTP, through the environment's proxies, and nothing else: redirects are errors."""
    opener = request.OpenerDirector()
    for handler in (
        request.ProxyHandler,
        request.HTTPHandler,
        request.HTTPSHandler,
        request.HTTPDefaultErrorHandler,
        request.HTTPErrorProcessor,
    ):
        opener.add_handler(handler())
    return opener


def _without_user(url: str) -> tuple[str, dict[str, str]]:
    """An address without user name and password, and the headers of the request, with them where there are any."""
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    headers = {"Content-Type": "application/json", "User-Agent": "mirror_crawler/1"}
    if at:
        headers["Authorization"] = f"Basic {base64.b64encode(unquote(user).encode()).decode()}"
    return urlunsplit((parts.scheme, host, parts.path, parts.query, "")), headers


def _host(url: str) -> str | None:
    """Scheme and host of an http(s) address: all of it that is no secret. None when it is none."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return None
    return f"{parts.scheme}://{parts.hostname}{port}" if parts.scheme in ("http", "https") and parts.hostname else None
