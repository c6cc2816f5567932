"""Build the image and live with it for some minutes: ``python -m tests.container [--pull]``.

The steps are those of an operator's first day, against the sample outlets on loopback, in containers with the image's
own user, a read-only root and no capabilities. Without ``--pull`` the image is built on a stand-in for the official
Python image, which is Debian with Python too: the same release of Debian with its own Python, made by mmdebstrap.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
import traceback
from collections.abc import Callable

from tests.container.engine import Engine, NoEngineError, find_engine
from tests.mirror import REPO, article_requests, wait_until
from tests.site import SampleSite
from tests.site.world import default_world

BUILD = REPO / "build" / "container"
IMAGE, STAND_IN = "localhost/mirror_check", "localhost/mirror_check_python"
PACKAGES = "ca-certificates,netbase,python3,python3-pip,tzdata"  # what the official image has and we use
VOLUMES = ("mirror_check_data", "mirror_check_output")
NO_ENGINE = 3
FAST = ("-s", "DOWNLOAD_DELAY=0.05", "-s", "AUTOTHROTTLE_ENABLED=False")
CRAWL = ("crawl", "epochtimes", "-a", "section=nsc413", *FAST)


class Check:
    """One trial of one image."""

    def __init__(self, engine: Engine, site: SampleSite) -> None:
        self.engine = engine
        self.site = site

    # --- containers -------------------------------------------------------------------------------------------------

    def options(self, *more: str) -> list[str]:
        """How every container runs, as in compose.yaml."""
        network = dict.fromkeys(("http_proxy", "https_proxy"), self.site.proxy)
        return [
            "run",
            "--rm",
            "--network=host",
            "--read-only",
            "--tmpfs=/tmp",
            "--cap-drop=ALL",
            "--security-opt=no-new-privileges",
            f"--volume={VOLUMES[0]}:/data",
            f"--volume={VOLUMES[1]}:/output",
            *(f"--env={name}={value}" for name, value in network.items()),
            *more,
        ]

    def mirror(self, *words: str, code: int = 0) -> str:
        """Run ``scrapy WORDS`` in a container to its end; what it printed on standard output."""
        done = self.engine.ask(*self.options(IMAGE, *words))
        assert done.returncode == code, f"exit code {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def shell(self, script: str) -> str:
        """Run a script in a container, as the image's user."""
        return self.engine.must(*self.options("--entrypoint=sh", IMAGE, "-c", script))

    def reports(self) -> list[dict[str, object]]:
        """The reports of all runs that have ended, newest first."""
        printed = self.engine.ask(*self.options(IMAGE, "health", "epochtimes", "--last", "100", "--json")).stdout
        reports = [json.loads(line) for line in printed.splitlines()]
        return [report for report in reports if report["verdict"] != "running"]

    def tree(self) -> str:
        """Path, time and size of every file of the tree."""
        return self.shell("find /output -type f -printf '%P %T@ %s\\n' | sort")

    # --- steps ------------------------------------------------------------------------------------------------------

    def build(self) -> None:
        """Build the image; it is small and holds no tools to build with."""
        self.engine.must("build", f"--build-arg=PYTHON={STAND_IN}", f"--tag={IMAGE}", str(REPO), seconds=1800)
        size, base = (
            int(self.engine.must("image", "inspect", "--format={{.Size}}", name)) for name in (IMAGE, STAND_IN)
        )
        sys.stdout.write(f"  {size / 1e6:.0f} MB, of which {base / 1e6:.0f} MB are the base image\n")
        assert size - base < 250e6, "what has made it so large?"

    def contents(self) -> None:
        """The user, the root that cannot be written, and what is not inside."""
        assert self.shell("id -u; id -g").split() == ["10001", "10001"]
        assert self.shell("touch /x /opt/mirror/x 2>&1 || echo refused").strip().endswith("refused")
        assert self.shell("touch /data/x /output/x /tmp/x && rm /data/x /output/x && echo fine") == "fine\n"
        absent = "gcc cc make chromium chromium-browser google-chrome pytest"
        assert self.shell(f"for name in {absent}; do command -v $name; done; true") == ""
        assert "No module named pip" in self.shell("/opt/mirror/bin/python -m pip 2>&1 || true")
        assert self.shell("ls /opt/mirror/app").split() == ["mirror_crawler", "scrapy.cfg"]

    def outlets(self) -> None:
        """``list`` names the outlets."""
        assert self.mirror("list").split() == ["epochtimes", "ntdtv"]

    def stopped(self) -> None:
        """SIGTERM in the middle of a crawl: an orderly end, nothing lost, what came is published."""
        before = len(self.site.requests)
        with self.engine.start(
            *self.options("--name=mirror_check_crawl", IMAGE, *CRAWL[:4], "-s", "DOWNLOAD_DELAY=0.5")
        ) as run:
            wait_until(lambda: len(article_requests(self.site.requests[before:])) >= 3 or run.poll() is not None)
            self.engine.must("stop", "--time=60", "mirror_check_crawl")
            said, _ = run.communicate(timeout=60)
        assert run.returncode == 4, said
        assert "the crawl was stopped before its end" in said
        (report,) = self.reports()
        assert report["verdict"] == "degraded"
        assert self.tree()

    def resumed(self) -> None:
        """The second run brings the rest, and the tree is what it should be."""
        self.mirror(*CRAWL)
        report = self.reports()[0]
        assert report["verdict"] == "ok"
        assert report["counts"]["articles/new"] > 0  # type: ignore[index]
        assert self.mirror("verify") == ""
        self.mirror("render", "--check")

    def nothing_new(self) -> None:
        """The third finds nothing new and touches no file."""
        before = self.tree()
        self.mirror(*CRAWL)
        assert self.tree() == before

    def healthy(self) -> None:
        """The health of the mirror as its command and its exit code tell it."""
        assert "ok" in self.mirror("health", "--last", "1")

    def scheduled(self) -> None:
        """Two ticks of the schedule; the engine's health check; SIGTERM ends the container in order."""
        earlier = len(self.reports())
        entry = " ".join(("epochtimes", "*/2 * * * * *", *CRAWL[2:]))
        environment = {"MIRROR_SCHEDULE": entry, "MIRROR_JITTER": "0", "MIRROR_LOG": "json"}
        settings = [f"--env={name}={value}" for name, value in environment.items()]
        with self.engine.start(*self.options("--name=mirror_check_schedule", *settings, IMAGE)) as run:
            # With the third report there the second crawl has certainly ended.
            wait_until(lambda: len(self.reports()) >= earlier + 3 or run.poll() is not None)
            self.engine.must(*self.health_check("mirror_check_schedule"))
            self.engine.must("stop", "--time=60", "mirror_check_schedule")
            said, _ = run.communicate(timeout=60)
        assert run.returncode == 0, said
        told = [json.loads(line) for line in said.splitlines()]
        ours = [line for line in told if line["logger"] == "mirror_crawler.schedule"]
        assert [line["verdict"] for line in ours if "verdict" in line][:2] == ["ok", "ok"]
        assert ours[-1]["message"] == "stopped"
        assert self.shell("ls /data/runs | grep lock || true") == ""

    def health_check(self, name: str) -> list[str]:
        """What asks the image's own health check in a running container."""
        if self.engine.name == "podman":
            return ["healthcheck", "run", name]
        shown = self.engine.must("image", "inspect", "--format={{json .Config.Healthcheck.Test}}", IMAGE)
        return ["exec", name, *json.loads(shown)[1:]]

    @property
    def steps(self) -> list[Callable[[], None]]:
        """All of them, in their order; each needs those before it."""
        return [
            self.build,
            self.contents,
            self.outlets,
            self.stopped,
            self.resumed,
            self.nothing_new,
            self.healthy,
            self.scheduled,
        ]


def make_base(engine: Engine, *, pull: bool) -> None:
    """Have an image to build on under the name of the stand-in."""
    if pull:
        dockerfile = (REPO / "Dockerfile").read_text(encoding="utf-8")
        name = next(line.partition("=")[2] for line in dockerfile.splitlines() if line.startswith("ARG PYTHON="))
        engine.must("pull", name)
        engine.must("tag", name, STAND_IN)
    elif engine.ask("image", "inspect", STAND_IN).returncode:
        if shutil.which("mmdebstrap") is None:
            raise NoEngineError("mmdebstrap is not installed: apt-get install mmdebstrap, or use --pull")
        archive = BUILD / "python.tar"
        command = ["mmdebstrap", "--quiet", "--variant=apt", f"--include={PACKAGES}", "bookworm", str(archive)]
        subprocess.run([*command, "http://deb.debian.org/debian"], check=True, timeout=1800)
        engine.must("import", str(archive), STAND_IN)
        archive.unlink()


def clean(engine: Engine) -> None:
    """Remove the volumes and containers of an earlier trial."""
    engine.ask("rm", "--force", "mirror_check_crawl", "mirror_check_schedule")
    engine.ask("volume", "rm", "--force", *VOLUMES)


def main() -> int:
    """Take the steps one after the other until one fails; 0 when none does, 3 when no engine runs here."""
    parser = argparse.ArgumentParser(prog="python -m tests.container", description="Build and try the container image.")
    parser.add_argument("--pull", action="store_true", help="build on the base image that the Dockerfile names")
    pull = parser.parse_args().pull
    BUILD.mkdir(parents=True, exist_ok=True)
    try:
        engine = find_engine(BUILD / "storage")
        sys.stdout.write(f"container-check with {engine.name}\n")
        began = time.monotonic()
        make_base(engine, pull=pull)
    except NoEngineError as error:
        sys.stderr.write(f"container-check: {error}\n")
        return NO_ENGINE
    sys.stdout.write(f"base image: {time.monotonic() - began:.0f} s\n")
    passed = failed = 0
    clean(engine)
    with SampleSite(default_world()) as site:
        for step in Check(engine, site).steps:
            started = time.monotonic()
            try:
                step()
            except (AssertionError, ValueError, subprocess.SubprocessError):
                failed = 1
                sys.stdout.write(f"FAILED {step.__name__}\n{traceback.format_exc()}")
                break
            passed += 1
            sys.stdout.write(f"{step.__name__}: {time.monotonic() - started:.0f} s\n")
            sys.stdout.flush()
    clean(engine)
    sys.stdout.write(f"{passed} passed, {failed} failed\n")
    return failed


if __name__ == "__main__":
    sys.exit(main())
