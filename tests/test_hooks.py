"""Hooks: real commands, and a real server that is posted to."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import socket
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from mirror_crawler import hooks

REPORT = {"schema": 1, "outlet": "epochtimes", "run": "20261122T010000Z", "verdict": "failed", "findings": ["无正文"]}


class Receiver:
    """A web server that notes what is posted to it."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str], Any]] = []
        self.status = 204
        self.location = ""
        self.may_answer = threading.Event()
        self.may_answer.set()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.requests.append((self.path, dict(self.headers), json.loads(body)))
                receiver.may_answer.wait()
                self.send_response(receiver.status)
                if receiver.location:
                    self.send_header("Location", receiver.location)
                self.end_headers()

            def do_GET(self) -> None:
                receiver.requests.append((self.path, {}, "GET"))

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - so it is called
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self) -> Receiver:
        threading.Thread(target=self.server.serve_forever, args=(0.01,)).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.may_answer.set()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    with Receiver() as running:
        yield running


def python(code: str, *words: str) -> str:
    """A command that runs ``code``."""
    return shlex.join([sys.executable, "-c", code, *words])


def announce(before: str | None = "ok", *, command: str = "", url: str = "") -> None:
    hooks.announce(REPORT, before, command=command, url=url)


class TestWhen:
    @pytest.mark.parametrize(
        ("verdict", "before", "news"),
        [
            ("ok", "ok", False),
            ("failed", "failed", False),
            ("failed", "ok", True),
            ("ok", "degraded", True),
            ("blocked", "failed", True),
            ("ok", "killed", True),
            ("ok", None, False),
            ("degraded", None, True),
        ],
    )
    def test_the_verdict_has_changed(self, receiver: Receiver, verdict: str, before: str | None, *, news: bool) -> None:
        hooks.announce({**REPORT, "verdict": verdict}, before, command="", url=receiver.host)
        assert len(receiver.requests) == news

    def test_without_hooks_nothing_happens(self, caplog: pytest.LogCaptureFixture) -> None:
        announce()
        assert caplog.messages == []


class TestCommand:
    def test_gets_the_report_and_both_verdicts(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        code = (
            "import os, sys, json; names = ('OUTLET', 'VERDICT', 'VERDICT_BEFORE', 'KEPT')\n"
            "told = [json.load(sys.stdin.buffer), *(os.environ['MIRROR_' + name] for name in names)]\n"
            "open(sys.argv[1], 'w').write(json.dumps(told))"
        )
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("MIRROR_KEPT", "kept")
            announce("ok", command=python(code, str(tmp_path / "two words")))
        told = json.loads((tmp_path / "two words").read_text())
        assert told == [{**REPORT, "verdict_before": "ok"}, "epochtimes", "failed", "ok", "kept"]
        assert caplog.messages == []

    @pytest.mark.untraced
    def test_after_a_first_run_there_is_no_verdict_before(self, tmp_path: Path) -> None:
        code = "import os, sys, json; open(sys.argv[1], 'w').write(repr((os.environ['MIRROR_VERDICT_BEFORE'], json.load(sys.stdin.buffer)['verdict_before'])))"  # noqa: E501
        announce(None, command=python(code, str(tmp_path / "out")))
        assert (tmp_path / "out").read_text() == "('', None)"

    @pytest.mark.untraced
    @pytest.mark.parametrize(
        ("code", "failure"),
        [
            pytest.param("import sys; sys.exit(3)", "exit code 3", id="silent"),
            pytest.param("print('one')\nprint('no\\troute\\n\\n')\nexit(1)", "exit code 1: no route", id="says-why"),
            pytest.param("print('x' * 500); exit(1)", f"exit code 1: {'x' * 200}", id="long-line"),
            pytest.param("import os; os.write(2, b'\\xff' * 9999); exit(1)", f"exit code 1: {'�' * 200}", id="bytes"),
            pytest.param("import os; os.kill(os.getpid(), 9)", "ended by signal 9", id="killed"),
        ],
    )
    def test_that_fails_is_one_line(self, code: str, failure: str, caplog: pytest.LogCaptureFixture) -> None:
        announce(command=python(code))
        assert caplog.messages == [f"The hook command failed: {failure}"]

    def test_that_is_not_there(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        announce(command=f"{tmp_path}/notify --token abc")
        assert caplog.messages == ["The hook command failed: cannot be started: No such file or directory"]

    @pytest.mark.untraced
    def test_may_say_much_read_nothing_and_leave_a_process(self, caplog: pytest.LogCaptureFixture) -> None:
        """With pipes each of the three would hold the run up."""
        code = "import subprocess; print('x' * 1_000_000); subprocess.Popen(['sleep', '5'])"
        announce(command=python(code))
        assert caplog.messages == []

    def test_is_ended_with_what_it_started(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        os.mkfifo(tmp_path / "held")
        reader = os.open(tmp_path / "held", os.O_RDONLY | os.O_NONBLOCK)
        monkeypatch.setattr(hooks, "_COMMAND_SECONDS", 1.5)
        announce(command=shlex.join(["sh", "-c", 'sleep 300 > "$0" & wait', str(tmp_path / "held")]))
        assert caplog.messages == ["The hook command failed: took longer than 1.5 s and was ended"]
        os.set_blocking(reader, True)
        with open(reader, "rb") as held:  # noqa: PTH123 - a descriptor; its end comes when no process holds the other
            assert held.read() == b""


class TestAddress:
    def test_is_posted_the_report(self, receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
        announce("degraded", url=f"{receiver.host}/hook/7?token=abc#part")
        ((path, headers, body),) = receiver.requests
        assert path == "/hook/7?token=abc"
        assert headers["Content-Type"] == "application/json"
        assert "Authorization" not in headers
        assert body == {**REPORT, "verdict_before": "degraded"}
        assert caplog.messages == []

    def test_user_and_password_become_a_header(self, receiver: Receiver) -> None:
        announce(url=receiver.host.replace("//", "//me:p%40ss@"))
        ((_, headers, _),) = receiver.requests
        assert headers["Authorization"] == "Basic bWU6cEBzcw=="  # me:p@ss
        assert "@" not in headers["Host"]

    def test_goes_through_the_proxy_of_the_environment(
        self, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("http_proxy", receiver.host)
        announce(url="http://hooks.example/7")
        assert [path for path, _, _ in receiver.requests] == ["http://hooks.example/7"]

    @pytest.mark.parametrize("status", [301, 302, 307, 308, 404, 500], ids=lambda status: f"HTTP-{status}")
    def test_that_refuses_or_sends_elsewhere(
        self, receiver: Receiver, status: int, caplog: pytest.LogCaptureFixture
    ) -> None:
        receiver.status = status
        receiver.location = f"{receiver.host}/elsewhere"
        announce(url=f"{receiver.host.replace('//', '//me:secret@')}/secret?token=secret")
        assert len(receiver.requests) == 1
        assert caplog.messages == [f"The hook at {receiver.host} failed: HTTP {status}"]

    def test_where_nobody_listens(self, caplog: pytest.LogCaptureFixture, receiver: Receiver) -> None:
        with contextlib.closing(socket.socket()) as unused:
            unused.bind(("127.0.0.1", 0))
            host = f"http://127.0.0.1:{unused.getsockname()[1]}"
            announce(url=f"{host}/secret")
        assert caplog.messages == [f"The hook at {host} failed: [Errno 111] Connection refused"]

    def test_that_speaks_no_http(self, caplog: pytest.LogCaptureFixture, receiver: Receiver) -> None:
        announce(url=f"{receiver.host}/a secret\x7f")
        assert caplog.messages == [f"The hook at {receiver.host} failed: InvalidURL"]

    def test_that_does_not_answer(
        self, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        receiver.may_answer.clear()
        monkeypatch.setattr(hooks, "_POST_SECONDS", 0.2)
        announce(url=receiver.host)
        (said,) = caplog.messages
        assert said.startswith(f"The hook at {receiver.host} failed: ")
        assert said.endswith(("no answer within 0.2 s", "TimeoutError", "timed out"))

    def test_that_answers_in_drops(self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
        """Each step is quick; only the whole is late."""
        ended = threading.Event()

        def slow(url: str, body: bytes) -> str:
            ended.wait()
            return ""

        monkeypatch.setattr(hooks, "_post", slow)
        monkeypatch.setattr(hooks, "_POST_SECONDS", 0.05)
        announce(url="https://hooks.example:8443/secret")
        ended.set()
        assert caplog.messages == ["The hook at https://hooks.example:8443 failed: no answer within 0.05 s"]

    def test_a_failing_command_does_not_stop_it(self, receiver: Receiver) -> None:
        announce(command="false", url=receiver.host)
        assert len(receiver.requests) == 1


class TestChecks:
    @pytest.mark.parametrize("command", ["", "notify", "sh -c 'mail -s \"$MIRROR_VERDICT\" me'"])
    def test_good_command(self, command: str) -> None:
        hooks.check_command(command)

    @pytest.mark.parametrize(("command", "said"), [("sh -c 'x", "No closing quotation"), (" ", "holds no command")])
    def test_bad_command(self, command: str, said: str) -> None:
        with pytest.raises(ValueError, match=said):
            hooks.check_command(command)

    @pytest.mark.parametrize("url", ["", "https://hooks.example/x?y=1", "http://me:pw@[::1]:8080/"])
    def test_good_address(self, url: str) -> None:
        hooks.check_url(url)

    @pytest.mark.parametrize("url", ["hooks.example", "file:///etc/passwd", "https://", "http://x:port/", "http://[x/"])
    def test_bad_address(self, url: str) -> None:
        with pytest.raises(ValueError, match=r"must be an http\(s\) address"):
            hooks.check_url(url)
