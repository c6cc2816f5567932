"""``scrapy schedule`` with real crawls of the sample outlets. What is due when is tested in test_schedule.py."""

from __future__ import annotations

import signal

import pytest

from tests.mirror import Mirror, article_requests, wait_until

pytestmark = pytest.mark.untraced


def test_a_crawl_that_is_under_way_ends_in_order(mirror: Mirror) -> None:
    """SIGTERM goes on to the crawl: what it has is published and reported, and only then does the schedule end."""
    schedule = "ntdtv * * * * * * -a section=prog204 -s DOWNLOAD_DELAY=0.5"
    with mirror.start("schedule", MIRROR_SCHEDULE=schedule, MIRROR_JITTER="0") as process:
        try:
            wait_until(lambda: len(article_requests(mirror.site.requests)) >= 2 or process.poll() is not None)
            process.send_signal(signal.SIGTERM)
            _, said = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 0, said
    assert "Z ntdtv: degraded after " in said
    assert said.endswith("Z schedule: stopped\n")
    assert list((mirror.data / "runs").glob("ntdtv-*.json"))
    assert not list((mirror.data / "runs").glob("*.lock"))
    assert list(mirror.output.rglob("a*.md"))
