"""Coverage is measured where it is asked for and nowhere else, also in the processes of pytest-xdist."""

from __future__ import annotations

import os

import coverage
import pytest


def measured() -> set[bool]:
    """Whether this process is measured, and whether a command that it starts would be."""
    return {coverage.Coverage.current() is not None, "COVERAGE_PROCESS_CONFIG" in os.environ}


def test_where_it_is_asked_for(pytestconfig: pytest.Config) -> None:
    assert measured() == {bool(pytestconfig.getoption("cov_source", default=None))}


@pytest.mark.untraced
def test_not_in_what_is_marked() -> None:
    assert measured() == {False}
