"""Start Splash 3.5 (of 2020) on today's Python, with Debian's PyQt5 and QtWebKit. The arguments are Splash's own.

Splash is not maintained any more. What it needs to run on Python 3.11 is done here, before any of it is imported. This
also takes from pages what none of an outlet needs, and starts Splash again when a page has ended it. A page can still
make it use much memory: limit that from outside.
"""

from __future__ import annotations

import functools
import json
import os
import signal
import subprocess
import sys
import types
from typing import Any

DEFAULTS = (
    "--browser-engines=webkit",
    "--disable-xvfb",
    "--disable-ui",
    "--disable-browser-caches",
    "--allowed-schemes=http,https,data",
    "--ip=127.0.0.1",
    "--dont-log-args=lua_source,headers,via,markup",
)
"""Go before the given arguments, which win. Splash's own listen to the whole network and log proxies' passwords."""

STUCK = int(os.environ.get("SPLASH_STUCK", "20"))
"""Seconds without a sign of life after which Splash is ended and started again."""
_CHILD = "SPLASH_LAUNCHED"


def mend_json() -> None:
    """Splash calls ``json.loads(…, encoding=…)``, which Python has not taken since 3.9."""
    loads = json.loads

    @functools.wraps(loads)
    def without_encoding(*args: Any, encoding: str | None = None, **kwargs: Any) -> Any:  # noqa: ARG001
        return loads(*args, **kwargs)

    json.loads = without_encoding


def mend_qt() -> None:
    """Splash gives floats where Qt wants whole numbers; Python has refused to turn them since 3.10."""
    from PyQt5 import QtCore

    class QTimer(QtCore.QTimer):
        def start(self, *msec: float) -> None:
            super().start(*map(int, msec))

    class QPoint(QtCore.QPoint):
        def __init__(self, *args: Any) -> None:
            super().__init__(*(int(arg) if isinstance(arg, float) else arg for arg in args))

    QtCore.QTimer, QtCore.QPoint = QTimer, QPoint


def mend_lua() -> None:
    """Splash's scripts are Lua 5.2; lupa's default is a newer Lua."""
    import lupa.lua52

    sys.modules["lupa"] = lupa.lua52


def do_without_chromium() -> None:
    """Splash imports Qt's Chromium although only WebKit is asked for; a hollow module satisfies it."""
    hollow = types.ModuleType("PyQt5.QtWebEngineWidgets")
    for name in ("QWebEngineProfile", "QWebEnginePage", "QWebEngineView", "QWebEngineSettings"):
        setattr(hollow, name, type(name, (), {"httpUserAgent": lambda self: ""}))  # noqa: ARG005
    for name in ("Normal", "Abnormal", "Crashed", "Killed"):
        setattr(hollow.QWebEnginePage, f"{name}TerminationStatus", name)  # type: ignore[attr-defined]
    sys.modules["PyQt5.QtWebEngineWidgets"] = hollow


def close_side_doors() -> None:
    """Take WebSockets and workers from every frame of every page before its scripts run: what they connect to is no
    request that Splash's filters and scripts could see. And ``close``: WebKit stops all that a closed window loads,
    without a word to Splash, which would wait for the page until its time is over.

    Frames keep the window that they were made with, since the crawler's script lets none of them go anywhere. There is
    no signal of a frame connected here: PyQt then loses some of Splash's own, and pages never finish.
    """
    from splash.engines.webkit.browser_tab import WebkitBrowserTab
    from splash.engines.webkit.webpage import WebkitWebPage

    create, clear = WebkitWebPage.__init__, WebkitBrowserTab._on_javascript_window_object_cleared

    def create_bare(page: Any, *args: Any, **kwargs: Any) -> None:
        create(page, *args, **kwargs)
        page.frameCreated.connect(_strip)

    def clear_and_strip(tab: Any) -> None:
        clear(tab)
        _strip(tab.web_page.mainFrame())

    WebkitWebPage.__init__ = create_bare
    WebkitBrowserTab._on_javascript_window_object_cleared = clear_and_strip


def _strip(frame: Any) -> None:
    frame.evaluateJavaScript(
        "['WebSocket', 'Worker', 'SharedWorker'].forEach(function (name) { delete window[name] });"
        "delete Window.prototype.close;"
        "Object.defineProperty(window, 'close', {value: function () {}});"
        "null"  # else Qt would turn the whole window into a value
    )


def look_past_policies() -> None:
    """Look at pages whose Content-Security-Policy forbids ``eval``: Splash hands all that a script asks of a page to
    the page's own ``eval``. Where that is refused it is evaluated from outside, where the policy does not reach.
    """
    from splash.engines.webkit.browser_tab import WebkitBrowserTab
    from splash.errors import JsError
    from splash.jsutils import get_sanitized_result_js

    evaluate = WebkitBrowserTab.evaljs

    def evaluate_anyway(tab: Any, expression: str, *args: Any, **kwargs: Any) -> Any:
        try:
            return evaluate(tab, expression, *args, **kwargs)
        except JsError as error:
            if error.args[0].get("js_error_type") != "EvalError":
                raise
        return tab.web_page.mainFrame().evaluateJavaScript(get_sanitized_result_js(f"({expression})"))

    WebkitBrowserTab.evaljs = evaluate_anyway


def keep_passwords() -> None:
    """Splash puts the password of a proxy into every request; over https that is read by the site and not the proxy,
    which gets it from Qt when it asks.
    """
    from PyQt5.QtCore import QByteArray
    from splash.network_manager import ProxiedQNetworkAccessManager

    choose = ProxiedQNetworkAccessManager._handle_custom_proxies

    def choose_silently(manager: Any, request: Any) -> None:
        choose(manager, request)
        if request.url().scheme() == "https":
            request.setRawHeader(b"Proxy-Authorization", QByteArray())

    ProxiedQNetworkAccessManager._handle_custom_proxies = choose_silently


def end_when_stuck() -> None:
    """Have the kernel end this process when Splash stands still: nothing else stops a script without an end."""
    from twisted.internet import reactor, task

    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    alive = task.LoopingCall(signal.alarm, STUCK)
    reactor.callWhenRunning(alive.start, STUCK / 4)  # type: ignore[attr-defined]


def serve() -> None:
    """Mend, then run Splash until it is told to stop."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # no X server
    mend_json()
    mend_qt()
    mend_lua()
    do_without_chromium()
    sys.argv[1:1] = DEFAULTS
    from splash import server

    install = server.install_qtreactor

    def install_and_prepare(verbose: bool) -> None:
        install(verbose)  # nothing that takes Twisted's reactor may be imported before
        close_side_doors()
        look_past_policies()
        keep_passwords()
        end_when_stuck()

    server.install_qtreactor = install_and_prepare
    server.main()


def keep_running() -> int:
    """Run Splash in a process of its own, and start another when a page has ended it; returns its exit code."""
    command = [sys.executable, __file__, *sys.argv[1:]]
    children: list[subprocess.Popen[bytes]] = []

    def stop(*_: object) -> None:
        for child in children:
            child.terminate()
        sys.exit(0)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    while True:
        children[:] = [subprocess.Popen(command, env=os.environ | {_CHILD: "1"})]  # noqa: S603
        code = children[0].wait()
        if code >= 0:  # below 0: ended by a signal
            return code
        sys.stderr.write(f"Splash ended by signal {-code}; starting it again\n")


if __name__ == "__main__":
    if os.environ.pop(_CHILD, ""):
        serve()
    else:
        sys.exit(keep_running())
