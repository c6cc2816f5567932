"""What the tests of a mirror's life share: what they look at between two runs."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from mirror_crawler import paths
from tests.mirror import Mirror, article_requests, fingerprint
from tests.site import SampleSite
from tests.site.stories import Story

LONG_AFTER = datetime(2026, 9, 1, 12, tzinfo=UTC)
"""When the generated articles are weeks old, so that none is looked at again because of its age."""


def page_of(story: Story) -> str:
    """The path of an article's page in the tree."""
    return paths.article_path(
        paths.PATTERN,
        outlet=story.outlet,
        article_id=story.article_id,
        url=story.url,
        published_at=story.published_at,
        section="",
    )


def section_pages(outlet: str, section: str, part: int = 1) -> set[str]:
    """The pages of the tree that name the articles of a section of less than a numbered page."""
    lists = [paths.list_directory(outlet, "section", section), paths.list_directory(outlet, "all", "")]
    return {
        paths.HOME,
        *(paths.front_path(directory) for directory in lists),
        *(paths.numbered_path(directory, part) for directory in lists),
    }


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """All that a run may change: when each file of the tree was written, its hash, the feeds, the records."""

    written: dict[str, int]
    files: dict[str, str]
    feeds: list[str]
    records: list[str]

    @classmethod
    def of(cls, mirror: Mirror) -> State:
        with mirror.store() as store:
            records = list(store.records())
        return cls(
            written=mirror.written(),
            files=fingerprint(mirror.files()),
            feeds=[path.name for path in mirror.feed_files()],
            records=records,
        )


def rewritten(mirror: Mirror, before: Mapping[str, int]) -> set[str]:
    """The files of the tree that were written since :meth:`Mirror.written` was ``before``, and those that are gone."""
    now = mirror.written()
    return {path for path in before.keys() | now.keys() if before.get(path) != now.get(path)}


def list_requests(site: SampleSite) -> list[str]:
    """The addresses asked for that are neither articles nor robots.txt, in order."""
    articles = set(article_requests(site.requests))
    return [url for url in site.asked() if url not in articles and not url.endswith("/robots.txt")]


def statuses(site: SampleSite, part: str = "") -> list[int]:
    """How the requests whose address contains ``part`` were answered."""
    return [request.status for request in site.requests if part in request.url]


def revisions(mirror: Mirror, story: Story) -> list[dict[str, Any]]:
    """The stored versions of an article, oldest first."""
    with mirror.store() as store:
        return [dataclasses.asdict(version) for version in store.revisions(story.outlet, story.article_id)]
