"""An operator's first days with the images, against the sample outlets on loopback: the steps that have to go well."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from tests.container.base import MIRROR, SPLASH, Recipe
from tests.mirror import article_requests, news, wait_until
from tests.site import Answer, SampleSite, scripted
from tests.site.world import World

_FAST = ("-s", "DOWNLOAD_DELAY=0.05", "-s", "AUTOTHROTTLE_ENABLED=False")
_CRAWL = ("crawl", "epochtimes", "-a", "section=nsc413", *_FAST)
_LARGEST = {MIRROR.name: 250_000_000, SPLASH.name: 600_000_000}
"""Bytes that an image may have beyond its base."""
_SPLASH_URL = "http://127.0.0.1:8050"


class Host(Protocol):
    """What builds images and runs containers of them: the image's user, a read-only root, no capabilities, its volumes,
    the network of the machine. Of one name only one container runs.
    """

    @property
    def name(self) -> str:
        """For people."""

    def build(self, recipe: Recipe) -> tuple[int, int]:
        """Build an image; its bytes and those of its base."""

    def run(
        self, words: Sequence[str], environment: Mapping[str, str], program: Sequence[str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a container of the mirror to its end; ``program`` takes the place of the image's entry point."""

    def start(
        self, name: str, words: Sequence[str], environment: Mapping[str, str], recipe: Recipe = MIRROR
    ) -> subprocess.Popen[str]:
        """Start a container, and come back as soon as it runs. Its standard error comes with its standard output."""

    def stop(self, name: str) -> None:
        """Tell a container to end, with the signal that the image names."""

    def is_healthy(self, name: str) -> bool:
        """What the image's own health check says in a running container."""

    def clean(self) -> None:
        """Leave no container and no volume behind."""


class Checks:
    """The steps, on one host."""

    def __init__(self, host: Host, site: SampleSite) -> None:
        self.host = host
        self.site = site
        self._network = dict.fromkeys(("http_proxy", "https_proxy"), site.proxy)

    @property
    def steps(self) -> list[Callable[[], None]]:
        """All of them, in their order; each needs those before it."""
        return [
            self.build,
            self.contents,
            self.outlets,
            self.stopped_at_once,
            self.stopped,
            self.resumed,
            self.nothing_new,
            self.healthy,
            self.scheduled,
            self.stopped_before_a_tick,
            self.build_splash,
            self.rendered,
        ]

    # --- containers -------------------------------------------------------------------------------------------------

    def mirror(self, *words: str) -> str:
        """Run ``scrapy WORDS`` to its end; what it printed."""
        return self._printed(self.host.run(words, self._network))

    def shell(self, script: str) -> str:
        """Run a script as the image's user; what it printed."""
        return self._printed(self.host.run([script], self._network, ["sh", "-c"]))

    @contextlib.contextmanager
    def running(
        self, name: str, words: Sequence[str], environment: Mapping[str, str], recipe: Recipe = MIRROR
    ) -> Iterator[subprocess.Popen[str]]:
        """A container under way, not waited for when something goes wrong."""
        with self.host.start(name, words, environment, recipe) as process:
            try:
                yield process
            finally:
                process.kill()

    def _printed(self, done: subprocess.CompletedProcess[str]) -> str:
        assert done.returncode == 0, f"exit code {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def reports(self) -> list[dict[str, Any]]:
        """The reports of all runs that have ended, newest first."""
        printed = self.host.run(["health", "epochtimes", "--last", "100", "--json"], self._network).stdout
        reports = [json.loads(line) for line in printed.splitlines()]
        return [report for report in reports if report["verdict"] != "running"]

    def tree(self) -> str:
        """Path, time and size of every file of the tree."""
        return self.shell("find /output -type f -printf '%P %T@ %s\\n' | sort")

    def locked(self) -> str:
        """The locks that are there, held or left behind."""
        return self.shell("find /data/runs -name '*.lock' 2>/dev/null || true")

    # --- steps ------------------------------------------------------------------------------------------------------

    def build(self) -> None:
        """The image can be built, and is small."""
        self._build(MIRROR)

    def _build(self, recipe: Recipe) -> None:
        size, base = self.host.build(recipe)
        sys.stdout.write(f"  {size / 1e6:.0f} MB, of which {base / 1e6:.0f} MB are the base image\n")
        assert size - base < _LARGEST[recipe.name], "what has made it so large?"

    def contents(self) -> None:
        """The user, the root that cannot be written, and what is not inside."""
        assert self.shell("id -u; id -g").split() == ["10001", "10001"]
        assert self.shell("grep CapEff /proc/self/status; grep NoNewPrivs /proc/self/status").split()[1::2] == [
            "0000000000000000",
            "1",
        ]
        assert self.shell("touch /x /opt/mirror/x 2>&1 || echo refused").strip().endswith("refused")
        assert self.shell("touch /data/x /output/x /tmp/x && rm /data/x /output/x && echo fine") == "fine\n"
        absent = "gcc cc make chromium chromium-browser google-chrome pytest"
        assert self.shell(f"for name in {absent}; do command -v $name; done; true") == ""
        assert "No module named pip" in self.shell("/opt/mirror/bin/python -m pip 2>&1 || true")
        assert self.shell("ls /opt/mirror/app").split() == ["mirror_crawler", "scrapy.cfg"]

    def outlets(self) -> None:
        """``list`` names the outlets."""
        assert self.mirror("list").split() == ["epochtimes", "ntdtv"]

    def stopped_at_once(self) -> None:
        """SIGTERM as soon as the container runs: an orderly end, without a request."""
        before = len(self.site.requests)
        with self.running("early", _CRAWL, self._network) as run:
            self.host.stop("early")
            said, _ = run.communicate(timeout=60)
        assert run.returncode == 4, said
        assert len(self.site.requests) == before
        assert self.locked() == ""

    def stopped(self) -> None:
        """SIGTERM in the middle of a crawl, while the outlet does not answer: an orderly end that waits for no
        request's time limit, nothing lost, what came is published.
        """
        before, known = len(self.site.requests), len(self.reports())
        with self.running("crawl", [*_CRAWL[:4], "-s", "DOWNLOAD_DELAY=0.5"], self._network) as run:
            wait_until(lambda: len(article_requests(self.site.requests[before:])) >= 3 or run.poll() is not None)
            self.site.storm(Answer(hang=True))
            wait_until(lambda: self.site.requests[-1].status == 0 or run.poll() is not None)
            self.host.stop("crawl")
            said, _ = run.communicate(timeout=60)
        self.site.calm()
        assert run.returncode == 4, said
        assert "the crawl was stopped before its end" in said
        reports = self.reports()
        assert (len(reports), reports[0]["verdict"]) == (known + 1, "degraded")
        assert self.locked() == ""
        assert self.tree()

    def resumed(self) -> None:
        """The second run brings the rest, and the tree is what it should be."""
        self.mirror(*_CRAWL)
        report = self.reports()[0]
        assert report["verdict"] == "ok"
        assert report["counts"]["articles/new"] > 0
        assert self.mirror("verify") == ""
        self.mirror("render", "--check")

    def nothing_new(self) -> None:
        """The third finds nothing new and touches no file."""
        before = self.tree()
        self.mirror(*_CRAWL)
        assert self.tree() == before

    def healthy(self) -> None:
        """The health of the mirror as its command and its exit code tell it."""
        assert "ok" in self.mirror("health", "--last", "1")

    def scheduled(self) -> None:
        """Two ticks of the schedule; the image's health check; SIGTERM ends schedule and crawl in order."""
        earlier = len(self.reports())
        entry = " ".join(("epochtimes", "*/2 * * * * *", *_CRAWL[2:]))
        with self.running("schedule", [], self._schedule(entry)) as run:
            # With the third report there the second crawl has certainly ended.
            wait_until(lambda: len(self.reports()) >= earlier + 3 or run.poll() is not None)
            assert self.host.is_healthy("schedule")
            self.host.stop("schedule")
            said, _ = run.communicate(timeout=60)
        assert run.returncode == 0, said
        told = [json.loads(line) for line in said.splitlines()]
        ours = [line for line in told if line["logger"] == "mirror_crawler.schedule"]
        assert [line["verdict"] for line in ours if "verdict" in line][:2] == ["ok", "ok"], said
        assert {line["verdict"] for line in ours if "verdict" in line} <= {"ok", "degraded"}, said
        assert ours[-1]["message"] == "stopped"
        assert {report["verdict"] for report in self.reports()} <= {"ok", "degraded"}
        assert self.locked() == ""

    def stopped_before_a_tick(self) -> None:
        """SIGTERM as soon as the schedule's container runs: an orderly end, without a crawl."""
        before = len(self.site.requests)
        with self.running("schedule", [], self._schedule("epochtimes @monthly")) as run:
            self.host.stop("schedule")
            said, _ = run.communicate(timeout=60)
        assert run.returncode == 0, said
        assert len(self.site.requests) == before
        assert self.locked() == ""

    def build_splash(self) -> None:
        """The image of Splash can be built."""
        self._build(SPLASH)

    def rendered(self) -> None:
        """Of pages that scripts build, fetched through a container of Splash, the mirror makes the tree that it makes
        of the same pages without scripts. Splash ends at once when it is told to.
        """
        plain = World(news("epochtimes", 5), per_page=3)
        self.site.serve(plain)
        expected = self._tree_of("plain")
        self.site.serve(scripted.scripted(plain, [scripted.at_once]))
        with self.running("splash", [], {}, SPLASH) as server:
            wait_until(lambda: server.poll() is not None or _answers())
            assert self.host.is_healthy("splash")
            before = len(self.site.requests)
            found = self._tree_of("rendered", "-a", "render=splash")
            self.host.stop("splash")
            said, _ = server.communicate(timeout=30)
        assert server.returncode == 0, said
        pages = [request for request in self.site.requests[before:] if request.url in plain.pages]
        by_browser = {request.url for request in pages if "br" not in request.headers["accept-encoding"]}
        assert by_browser >= {story.url for story in plain.truth.values()}
        assert found == expected
        assert expected.count("/n148") >= len(plain.truth)

    def _tree_of(self, name: str, *words: str) -> str:
        """Crawl into a mirror of that name beside the other one; path and content of every file of its tree."""
        places = {"MIRROR_DATA": f"/data/{name}", "MIRROR_OUTPUT": f"/output/{name}", "SPLASH_URL": _SPLASH_URL}
        self._printed(self.host.run([*_CRAWL, *words], self._network | places))
        return self.shell(f"cd /output/{name} && find . -type f -exec sha256sum {{}} + | sort")

    def _schedule(self, entry: str) -> dict[str, str]:
        return self._network | {"MIRROR_SCHEDULE": entry, "MIRROR_JITTER": "0", "MIRROR_LOG": "json"}


def _answers() -> bool:
    """Whether there is a Splash."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{_SPLASH_URL}/_ping", timeout=1) as answer:
            return b"maxrss" in answer.read()
    except OSError:
        return False
