"""Real git repositories for tests: bare ones that stand for hosts, a daemon that serves them, and what is in them."""

from __future__ import annotations

import base64
import contextlib
import io
import os
import socket
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

_ALONE = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")} | {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Somebody",
    "GIT_AUTHOR_EMAIL": "somebody@localhost",
    "GIT_COMMITTER_NAME": "Somebody",
    "GIT_COMMITTER_EMAIL": "somebody@localhost",
}


def git(directory: Path, *words: str, given: str = "") -> str:
    """What a command of git says about a repository."""
    command = ["git", f"--git-dir={directory}", *words]
    return subprocess.run(command, input=given, env=_ALONE, check=True, capture_output=True, text=True).stdout


def bare(directory: Path) -> Path:
    """A new repository, as a host makes one."""
    subprocess.run(["git", "init", "--quiet", "--bare", str(directory)], env=_ALONE, check=True)
    return directory


def tip(directory: Path, branch: str = "main") -> str:
    """The id of the last commit."""
    return git(directory, "rev-parse", branch).strip()


def subjects(directory: Path, branch: str = "main") -> list[str]:
    """The first lines of all messages, newest first."""
    return git(directory, "log", "--format=%s", branch).splitlines()


def files(directory: Path, branch: str = "main") -> dict[str, bytes]:
    """Every file of the last commit: path → content."""
    command = ["git", f"--git-dir={directory}", "archive", "--format=tar", branch]
    archive = subprocess.run(command, env=_ALONE, check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        extracted = {member.name: opened.extractfile(member) for member in opened}
        return {name: file.read() for name, file in extracted.items() if file is not None}


def somebody_commits(directory: Path, path: str, content: str, branch: str = "main") -> None:
    """Another one's commit on top of the branch, made at the host."""
    exists = subprocess.run(["git", f"--git-dir={directory}", "rev-parse", branch], env=_ALONE, capture_output=True)
    parent = "" if exists.returncode else f"from refs/heads/{branch}^0\n"
    stream = f"commit refs/heads/{branch}\ncommitter S <s@localhost> 1700000000 +0000\ndata 5\nMine\n{parent}"
    git(directory, "fast-import", "--quiet", given=f"{stream}M 100644 inline {path}\ndata {len(content)}\n{content}\n")


def refuse(directory: Path, words: str) -> None:
    """Let a repository refuse every push."""
    hook = directory / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\necho '{words}' >&2\nexit 1\n", encoding="utf-8")
    hook.chmod(0o755)


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextlib.contextmanager
def daemon(directory: Path, port: int) -> Iterator[None]:
    """Serve the repositories under a directory at ``git://127.0.0.1:port/``."""
    command = ["git", "daemon", "--export-all", "--enable=receive-pack", "--listen=127.0.0.1", f"--port={port}"]
    started = [*command, f"--base-path={directory}", "--reuseaddr", "--informative-errors"]
    with subprocess.Popen(started, env=_ALONE, stderr=subprocess.DEVNULL) as process:
        try:
            while process.poll() is None:
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                    break
            assert process.poll() is None, "the daemon did not start"
            yield
        finally:
            process.terminate()


class WebHost(ThreadingHTTPServer):
    """Serves the repositories under a directory over HTTP, to who logs in as ``user:password``; 403 to others.

    ``logins`` are the Authorization headers that came, ``command_lines`` those of all processes while it was asked.
    """

    def __init__(self, directory: Path, login: str) -> None:
        super().__init__(("127.0.0.1", 0), _WebHandler)
        self.directory = directory
        self.expected = f"Basic {base64.b64encode(login.encode()).decode()}"
        self.logins: list[str] = []
        self.command_lines: list[bytes] = []
        self._thread = threading.Thread(target=self.serve_forever)

    @property
    def name(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()


class _WebHandler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        host = self.server
        assert isinstance(host, WebHost)
        for process in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):  # it has ended
                host.command_lines.append(process.read_bytes())
        login = self.headers.get("Authorization", "")
        host.logins.append(login)
        if login != host.expected:
            self.send_response(403 if login else 401)
            self.send_header("WWW-Authenticate", 'Basic realm="mirror"')
            self.end_headers()
            self.wfile.write(f"{login} may not push".encode())
            return
        path, _, query = self.path.partition("?")
        environment = _ALONE | {
            "GIT_PROJECT_ROOT": str(host.directory),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REMOTE_USER": "me",
            "REQUEST_METHOD": self.command,
        }
        given = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        answer = subprocess.run(["git", "http-backend"], input=given, env=environment, capture_output=True, check=True)
        head, _, body = answer.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        self.send_response(int(headers.pop("Status", "200").split()[0]))
        for header in headers.items():
            self.send_header(*header)
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, format: str, *args: Any) -> None: ...  # noqa: A002  (the name is the library's)
