"""The project in a real Scrapyd: the egg is deployed and a crawl is scheduled as docs/operations.md says."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.mirror import FAST, PLAIN, REPO, Mirror, wait_until

pytestmark = [
    pytest.mark.untraced,
    pytest.mark.skipif(
        find_spec("scrapyd") is None or find_spec("scrapyd_client") is None,
        reason="Scrapyd is not installed: pip install -r requirements-dev.txt",
    ),
]
BIN = Path(sys.executable).parent


@pytest.fixture
def scrapyd(mirror: Mirror, tmp_path: Path) -> Iterator[str]:
    """The address of a Scrapyd whose crawls write into ``mirror``."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    home = tmp_path / "scrapyd"
    home.mkdir()
    shipped = (REPO / "deploy" / "scrapyd" / "scrapyd.conf").read_text(encoding="utf-8")
    (home / "scrapyd.conf").write_text(shipped.replace("6800", str(port)) + "poll_interval = 0.2\n")
    places = PLAIN | {"MIRROR_DATA": str(mirror.data), "MIRROR_OUTPUT": str(mirror.output)}
    command = [BIN / "scrapyd"]
    with (
        (tmp_path / "scrapyd.log").open("w") as log,
        subprocess.Popen(command, cwd=home, env=mirror.site.environment | places, stdout=log, stderr=log) as server,
    ):
        address = f"http://127.0.0.1:{port}"
        try:
            wait_until(lambda: answers(address) or server.poll() is not None, every=0.1)
            yield address
        finally:
            server.terminate()


def ask(address: str, name: str, **parameters: Any) -> dict[str, Any]:
    """Ask Scrapyd's interface; with parameters by POST."""
    data = urllib.parse.urlencode(parameters, doseq=True).encode() if "spider" in parameters else None
    query = "" if data else f"?{urllib.parse.urlencode(parameters)}"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{address}/{name}.json{query}", data, timeout=30) as answer:
        told: dict[str, Any] = json.load(answer)
    return told


def answers(address: str) -> bool:
    try:
        return bool(ask(address, "daemonstatus")["status"] == "ok")
    except OSError:
        return False


def deploy(address: str, project: Path) -> None:
    """A copy of what the egg is made of, so that nothing is built in the checkout; then the documented command."""
    project.mkdir()
    for name in ("scrapy.cfg", "setup.py"):
        shutil.copy(REPO / name, project)
    shutil.copytree(REPO / "mirror_crawler", project / "mirror_crawler", ignore=shutil.ignore_patterns("__pycache__"))
    config = project / "scrapy.cfg"
    config.write_text(config.read_text().replace("http://127.0.0.1:6800/", f"{address}/"))
    command = [str(BIN / "scrapyd-deploy"), "--version", "1"]
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    done = subprocess.run(
        command, cwd=project, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert '"status": "ok"' in done.stdout, done.stdout + done.stderr
    assert '"spiders": 2' in done.stdout


def test_deployed_scheduled_and_done(scrapyd: str, mirror: Mirror, tmp_path: Path) -> None:
    deploy(scrapyd, tmp_path / "project")
    settings = [f"{name}={value}" for name, value in FAST.items()]
    job = ask(scrapyd, "schedule", project="mirror_crawler", spider="ntdtv", section="prog204", setting=settings)[
        "jobid"
    ]
    wait_until(lambda: bool(ask(scrapyd, "listjobs", project="mirror_crawler")["finished"]), every=0.1)
    logged = (tmp_path / "scrapyd" / "logs" / "mirror_crawler" / "ntdtv" / f"{job}.log").read_text(encoding="utf-8")
    assert [path.name for path in (mirror.data / "runs").glob("ntdtv-*.json")], logged
    assert len(mirror.articles()) == 12
    assert mirror.ask("render", "--check") == 0
    assert mirror.ask("health", "ntdtv") == 0
