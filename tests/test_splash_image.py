"""The image of Splash in deploy/splash: its Dockerfile fits the files beside it. ``make container-check`` builds it."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from tests.mirror import REPO
from tests.site import SampleSite

SPLASH = REPO / "deploy" / "splash"
_CONTINUED = re.compile(r"\\\n\s*")
INSTRUCTIONS = [
    line.partition(" ")[::2]
    for line in _CONTINUED.sub("", (SPLASH / "Dockerfile").read_text(encoding="utf-8")).splitlines()
    if line and not line.startswith("#")
]


def said(instruction: str) -> str:
    """What the one such instruction says."""
    (found,) = (rest for name, rest in INSTRUCTIONS if name == instruction)
    return found


def test_only_known_instructions_stand_in_it_and_in_order() -> None:
    assert [name for name, _ in INSTRUCTIONS] == [
        *("ARG", "FROM", "LABEL", "COPY", "RUN", "ENV", "USER", "EXPOSE", "HEALTHCHECK", "CMD")
    ]


def test_what_it_copies_is_there_and_what_it_runs_is_copied() -> None:
    *sources, target = said("COPY").split()
    assert all((SPLASH / source).is_file() for source in sources)
    python, script, *options = json.loads(said("CMD"))
    assert script == f"{target}launch.py"
    assert "launch.py" in sources
    assert options == ["--ip=0.0.0.0"]  # else the mirror's container cannot reach it
    installer, environment = said("RUN").split(" && ")[0].split()
    assert installer == f"{target}install"
    assert python == f"{environment}/bin/python"
    assert {"install", "requirements.txt"} < set(sources)  # the one reads the other beside itself


def test_the_installer_can_be_read_and_executed() -> None:
    assert (SPLASH / "install").stat().st_mode & 0o111
    assert subprocess.run(["sh", "-n", str(SPLASH / "install")], check=False).returncode == 0


def test_it_runs_as_the_user_that_it_makes() -> None:
    user, group = said("USER").split(":")
    assert f"groupadd --gid {group} " in said("RUN")
    assert f"useradd --uid {user} " in said("RUN")
    assert int(user) > 0


@pytest.mark.parametrize(("status", "healthy"), [pytest.param(200, True, id="up"), pytest.param(502, False, id="down")])
def test_its_health_is_that_of_the_server(site: SampleSite, status: int, healthy: bool) -> None:
    site.set("/_ping", status=status)
    command = json.loads(said("HEALTHCHECK").partition("CMD ")[2])
    code = command[2].replace("http://127.0.0.1:8050", site.proxy)
    assert site.proxy in code
    assert f":{said('EXPOSE')}/" in command[2]
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True)
    assert (done.returncode == 0) is healthy
