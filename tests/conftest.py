"""What several test files share: a small world, a server for it, a mirror, and the loop of crawls in this process."""

from __future__ import annotations

import os
import pkgutil
from collections.abc import Generator, Iterator
from importlib import import_module
from pathlib import Path

import coverage
import pytest

import mirror_crawler
from tests.mirror import Mirror, Reactor, news
from tests.site import SampleSite
from tests.site.world import World
from tests.splash import SplashServer, splash_python


class Tracing:
    """Coverage of this process: measured while our modules are imported, and by tests without the mark ``untraced``.

    Python calls the tracer for every line that it runs, not for ours alone: crawls and the collection of the tests take
    twice as long with it.
    """

    def __init__(self) -> None:
        self._stopped: list[coverage.Coverage] = []
        self._told: dict[str, str] = {}

    def stop(self) -> None:
        """Measure nothing from now on, neither here nor in the commands that tests start."""
        while running := coverage.Coverage.current():  # in a process of pytest-xdist there are several, one in another
            running.stop()
            self._stopped.append(running)
        for name in [name for name in os.environ if name.startswith("COVERAGE_")]:
            self._told[name] = os.environ.pop(name)

    def go_on(self) -> None:
        """Measure again, if that was asked for at all."""
        while self._stopped:
            self._stopped.pop().start()
        os.environ.update(self._told)


_TRACING = Tracing()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """All of ours is imported before, since an import runs the lines of a module that are in no function."""
    for module in pkgutil.walk_packages(mirror_crawler.__path__, "mirror_crawler."):
        import_module(module.name)
    _TRACING.stop()
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    if item.get_closest_marker("untraced"):
        _TRACING.stop()
    else:
        _TRACING.go_on()
    return (yield)


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
