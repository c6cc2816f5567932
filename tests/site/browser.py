"""Pages in a real browser: headless Chromium, driven over a pipe, that can reach nothing but the machine it runs on.

All that it asks for goes to :class:`Recorder`, whatever the host: what is the mirror's is served, what is not is noted
and refused. So a page that loads something from outside is found out, and nothing leaves the machine.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote, urlsplit

ORIGIN = "http://mirror.test"
"""Where the mirror is for the browser. The name is reserved (RFC 6761): it is nobody's."""

_PATIENCE = 60.0
_SWITCHES = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--no-first-run"),
    *("--no-startup-window", "--disable-background-networking", "--disable-component-update", "--disable-extensions"),
    "--proxy-server=127.0.0.1:9",
)
"""What the browser itself asks its maker for meets a closed door; pages have a way out of their own."""


def chromium() -> str | None:
    """The program, None when it is not installed."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Recorder:
    """A proxy that serves ``files`` (path → type and content) at :data:`ORIGIN` and notes what else it is asked for."""

    def __init__(self, files: Mapping[str, tuple[str, bytes]]) -> None:
        self.served: list[str] = []
        self.missing: list[str] = []
        self.outside: list[str] = []
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                recorder.answer(self)

            def do_CONNECT(self) -> None:
                recorder.outside.append(f"https://{self.path}")
                recorder.refuse(self, 403)

            def log_message(self, *_: object) -> None:
                """Nothing of this is news."""

        self._files = files
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Serve a file of the mirror, or note that it has none such, or that something else was asked for."""
        if not request.path.startswith(f"{ORIGIN}/"):
            self.outside.append(request.path)
            self.refuse(request, 403)
            return
        path = unquote(urlsplit(request.path).path).removeprefix("/")
        if path not in self._files:
            self.missing.append(path)
            self.refuse(request, 404)
            return
        self.served.append(path)
        kind, content = self._files[path]
        request.send_response(200)
        request.send_header("Content-Type", kind)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)

    def refuse(self, request: BaseHTTPRequestHandler, status: int) -> None:
        """Answer without a page; the browser may have left."""
        with contextlib.suppress(ConnectionError):
            request.send_response(status)
            request.send_header("Content-Length", "0")
            request.end_headers()

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), name="recorder", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


class Browser:
    """One page of a browser whose only way out is ``proxy``. Speaks the DevTools protocol."""

    def __init__(self, proxy: str) -> None:
        self._proxy = proxy
        self._last = 0
        self._session = ""

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            profile = stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
            command_end, ours = os.pipe()
            theirs, answer_end = os.pipe()
            self._commands = stack.enter_context(os.fdopen(ours, "wb", buffering=0))
            self._answers = stack.enter_context(os.fdopen(theirs, "rb"))
            self._process = self._start(profile, command_end, answer_end)
            stack.callback(self._stop)
            context = self._ask("Target.createBrowserContext", proxyServer=self._proxy, proxyBypassList="<-loopback>")[
                "browserContextId"
            ]
            target = self._ask("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
            self._session = self._ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
            self._ask("Page.enable")
            self._ask("Page.setLifecycleEventsEnabled", enabled=True)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def open(self, address: str, *, width: int = 1200, height: int = 800) -> None:
        """Go to a page in a window of this size, in CSS pixels, and wait until it asks for nothing more."""
        self._ask(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 700
        )
        loader = self._ask("Page.navigate", url=address)["loaderId"]
        for event in self._events():
            if event.get("method") == "Page.lifecycleEvent":
                what = event["params"]
                if (what["loaderId"], what["name"]) == (loader, "networkIdle"):
                    return

    def value(self, expression: str) -> Any:
        """What a JavaScript expression is worth on the page."""
        answer = self._ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def screenshot(self) -> bytes:
        """A PNG picture of the window."""
        return base64.b64decode(self._ask("Page.captureScreenshot", format="png")["data"])

    def _start(self, profile: str, commands: int, answers: int) -> subprocess.Popen[bytes]:
        program = chromium()
        assert program is not None, "Chromium is not installed"
        # The browser reads commands from descriptor 3 and answers on descriptor 4.
        words = [
            *("bash", "-c", f'exec "$@" 3<&{commands} 4>&{answers}', "bash", program, "--remote-debugging-pipe"),
            *(*_SWITCHES, f"--user-data-dir={profile}"),
        ]
        try:
            return subprocess.Popen(
                words, pass_fds=(commands, answers), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
        finally:
            os.close(commands)
            os.close(answers)

    def _stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(_PATIENCE)
        finally:
            self._process.kill()

    def _ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._last += 1
        message = {"id": self._last, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        self._commands.write(json.dumps(message).encode() + b"\0")
        for answer in self._events():
            if answer.get("id") == self._last:
                assert "error" not in answer, (method, answer)
                result: dict[str, Any] = answer["result"]
                return result
        raise AssertionError(f"the browser ended before it answered to {method}")

    def _events(self) -> Iterator[dict[str, Any]]:
        """Messages of the browser as they come, until it ends."""
        message = bytearray()
        watchdog = threading.Timer(_PATIENCE, self._process.kill)
        watchdog.start()
        try:
            while byte := self._answers.read(1):
                if byte == b"\0":
                    yield json.loads(message)
                    message.clear()
                else:
                    message += byte
        finally:
            watchdog.cancel()
