"""``scrapy schedule`` with real crawls of the sample outlets. What is due when is tested in test_schedule.py."""

from __future__ import annotations

import signal
from urllib.parse import urlsplit

import pytest

from tests.mirror import Mirror, article_requests, wait_until

pytestmark = pytest.mark.untraced


def test_crawls_that_are_under_way_end_in_order(mirror: Mirror) -> None:
    """SIGTERM goes on to the crawls, which have begun at the same moment: what they have is published and reported, and
    only then does the schedule end.
    """
    schedule = (
        "epochtimes * * * * * * -a section=nsc413 -s DOWNLOAD_DELAY=0.5;"
        "ntdtv * * * * * * -a section=prog204 -s DOWNLOAD_DELAY=0.5"
    )
    with mirror.start("schedule", MIRROR_SCHEDULE=schedule, MIRROR_JITTER="0") as process:
        try:
            wait_until(lambda: len(crawled(mirror)) == 2 or process.poll() is not None)
            process.send_signal(signal.SIGTERM)
            _, said = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 0, said
    assert "Z epochtimes: degraded after " in said
    assert "Z ntdtv: degraded after " in said
    assert said.endswith("Z schedule: stopped\n")
    assert list((mirror.data / "runs").glob("epochtimes-*.json"))
    assert list((mirror.data / "runs").glob("ntdtv-*.json"))
    assert not list((mirror.data / "runs").glob("*.lock"))
    assert list(mirror.output.rglob("n*.md"))
    assert list(mirror.output.rglob("a*.md"))


def crawled(mirror: Mirror) -> set[str]:
    """The hosts that were asked for articles."""
    return {urlsplit(url).netloc for url in article_requests(mirror.site.requests)}
