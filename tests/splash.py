"""A real Splash server for tests, where Splash is installed."""

from __future__ import annotations

import os
import socket
import subprocess
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.mirror import REPO, wait_until

LAUNCHER = REPO / "deploy" / "splash" / "launch.py"


def splash_python() -> Path | None:
    """The Python that has Splash: SPLASH_PYTHON names it, ``make splash`` installs it; None where there is none."""
    python = Path(os.environ.get("SPLASH_PYTHON") or REPO / ".venv-splash" / "bin" / "python")
    return python if python.exists() else None


class SplashServer:
    """Splash on loopback: ``with SplashServer(python) as splash: … splash.url``. The launcher ends it when it stands
    still for ``stuck`` seconds.
    """

    def __init__(self, python: Path, stuck: int = 20) -> None:
        self._python = python
        self._stuck = stuck
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]

    @property
    def url(self) -> str:
        """For setting SPLASH_URL."""
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._process = subprocess.Popen(
            [str(self._python), str(LAUNCHER), f"--port={self._port}", "--verbosity=0"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"SPLASH_STUCK": str(self._stuck)},
        )
        wait_until(lambda: self.answers or self._process.poll() is not None)
        assert self._process.poll() is None, "Splash does not start"

    def stop(self) -> None:
        """Stop it."""
        self._process.terminate()
        self._process.wait()
        wait_until(lambda: not self.answers)

    @property
    def child(self) -> int:
        """The process id of Splash itself, which the launcher looks after."""
        return int(Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()[0])

    @property
    def answers(self) -> bool:
        """Whether it answers."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(f"{self.url}/_ping", timeout=0.5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
