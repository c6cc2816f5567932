"""What several test files share: a small world, a server for it, a mirror, and the loop of crawls in this process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import coverage
import pytest

from tests.mirror import Mirror, Reactor, news
from tests.site import SampleSite
from tests.site.world import World
from tests.splash import SplashServer, splash_python


@pytest.fixture(scope="module", autouse=True)
def tracing(request: pytest.FixtureRequest) -> Iterator[None]:
    """No coverage in modules marked ``untraced``, nor in the commands they start: whole crawls take twice as long with
    it, and what they run is covered by the tests of its own modules.
    """
    running = coverage.Coverage.current()
    if running is None or request.node.get_closest_marker("untraced") is None:
        yield
        return
    running.stop()
    with mock.patch.dict(os.environ):
        for name in [name for name in os.environ if name.startswith("COVERAGE_")]:
            del os.environ[name]
        yield
    running.start()


@pytest.fixture(scope="session")
def reactor() -> Iterator[Reactor]:
    with Reactor() as running:
        yield running


@pytest.fixture(scope="session")
def running() -> Iterator[SplashServer]:
    """A real Splash; what needs it is skipped where there is none."""
    python = splash_python()
    if python is None:
        pytest.skip("Splash is not installed: run make splash-install")
    with SplashServer(python) as started:
        yield started


@pytest.fixture
def world() -> World:
    """Twelve articles of each outlet in one section each, five to a list page."""
    return World([*news("epochtimes", 12), *news("ntdtv", 12)], per_page=5)


@pytest.fixture
def site(world: World) -> Iterator[SampleSite]:
    with SampleSite(world) as running:
        yield running


@pytest.fixture
def mirror(tmp_path: Path, site: SampleSite, reactor: Reactor) -> Mirror:
    return Mirror(tmp_path, site, reactor)
