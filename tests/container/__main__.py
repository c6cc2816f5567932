"""Build the images and live with them for some minutes: ``python -m tests.container [--pull | --replay]``.

With docker or podman where one runs; without, by doing what the Dockerfile says (``--replay`` asks for that). Without
``--pull`` the images are built on stand-ins for Debian's and Python's official ones, see base.py.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
import traceback

from tests.container.base import BUILD, UnavailableError
from tests.container.checks import Checks, Host
from tests.container.dockerfile import DockerfileError
from tests.container.engine import find_engine
from tests.container.replay import Replay
from tests.site import SampleSite
from tests.site.world import default_world

UNAVAILABLE = 3


def find_host(*, pull: bool, replay: bool) -> Host:
    """An engine, or without one the replay; UnavailableError when neither is possible."""
    if not replay:
        try:
            engine = find_engine(pull=pull)
            engine.prepare()
            return engine
        except UnavailableError as error:
            if pull:
                raise
            sys.stdout.write(f"{error}\n")
    return Replay()


def take_steps(host: Host) -> int:
    """Take the steps one after the other until one fails; 0 when none does."""
    passed = failed = 0
    with SampleSite(default_world()) as site:
        for step in Checks(host, site).steps:
            started = time.monotonic()
            try:
                step()
            except (AssertionError, DockerfileError, ValueError, subprocess.SubprocessError):
                failed = 1
                sys.stdout.write(f"FAILED {step.__name__}\n{traceback.format_exc()}")
                break
            passed += 1
            sys.stdout.write(f"{step.__name__}: {time.monotonic() - started:.0f} s\n")
            sys.stdout.flush()
    sys.stdout.write(f"{passed} passed, {failed} failed\n")
    return failed


def main() -> int:
    """0 when all goes well, 1 when a step fails, 3 when the trial cannot be made here."""
    parser = argparse.ArgumentParser(prog="python -m tests.container", description="Build and try the container image.")
    ways = parser.add_mutually_exclusive_group()
    ways.add_argument("--pull", action="store_true", help="build on the base image that the Dockerfile names")
    ways.add_argument("--replay", action="store_true", help="do what the Dockerfile says, without an engine")
    asked = parser.parse_args()
    BUILD.mkdir(parents=True, exist_ok=True)
    try:
        host = find_host(pull=asked.pull, replay=asked.replay)
        sys.stdout.write(f"container-check with {host.name}\n")
        host.clean()
        try:
            return take_steps(host)
        finally:
            host.clean()
    except UnavailableError as error:
        sys.stderr.write(f"container-check: {error}\n")
        return UNAVAILABLE


if __name__ == "__main__":
    sys.exit(main())
