"""What a run that could not end itself leaves undone: its feeds, and how it ended."""

from __future__ import annotations

from pathlib import Path

from mirror_crawler import feeds
from mirror_crawler.reports import ReportFile
from mirror_crawler.store import ArticleStore


def finish(store: ArticleStore, data: Path, outlet: str, run: str, at: str) -> str:
    """Write the feeds of a run from what it stored, and note in the store how it ended; the same in a few words.

    That is what its report's file says, if it came so far: then a full disk kept the rest. A run without one was
    killed, and ends ``at`` this moment (UTC, ISO 8601). OSError or StoreError when it cannot be done now.
    """
    for kind, lines in (("articles", store.run_articles(outlet, run)), ("listings", store.run_listings(outlet, run))):
        feeds.write_feed(feeds.feed_path(data, outlet, kind, run), lines)
    told = ReportFile(data, outlet, run).read()
    if told is None:
        report = {"outlet": outlet, "run": run, "verdict": "killed"}
        store.end_run(outlet, run, finished_at=at, verdict="killed", report=report)
        return "had been killed"
    store.end_run(outlet, run, finished_at=told["finished_at"], verdict=told["verdict"], report=told)
    return f"ended as {told['verdict']} and could not keep all"
