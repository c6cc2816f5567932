"""What waits to be published, and what it waits for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mirror_crawler.outbox import Outbox, Published
from mirror_crawler.store import ArticleStore

ROOT, OTHER = "/srv/output", "/srv/elsewhere"


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    with ArticleStore(f"sqlite:///{tmp_path / 'mirror.db'}") as store:
        yield store.outbox


def test_nothing_is_noted_of_a_tree_that_was_never_published(outbox: Outbox) -> None:
    outbox.note(ROOT, ["a.md"])
    outbox.settle(OTHER, {"1.git": "4f1c"})
    outbox.note(ROOT, ["a.md"])
    assert list(outbox.waiting(ROOT)) == []


def test_notes_each_path_once_in_order(outbox: Outbox) -> None:
    outbox.settle(ROOT, {"1.git": "4f1c"})
    outbox.note(ROOT, [])
    outbox.note(ROOT, ["o/b.md", "o/渡轮.md", "o-a.md"])
    outbox.note(ROOT, ["o/b.md", "a.md"])
    assert list(outbox.waiting(ROOT)) == ["a.md", "o-a.md", "o/b.md", "o/渡轮.md"]
    assert list(outbox.waiting(OTHER)) == []


def test_settles_one_tree(outbox: Outbox) -> None:
    outbox.settle(ROOT, {"1.git": "1"})
    outbox.note(ROOT, ["a.md"])
    outbox.settle(OTHER, {"2.git": "2"})
    assert list(outbox.waiting(ROOT)) == ["a.md"]
    outbox.settle(ROOT, {"1.git": "3"})
    assert list(outbox.waiting(ROOT)) == []
    assert outbox.published("1.git") == Published(ROOT, "3")
    assert outbox.published("2.git") == Published(OTHER, "2")
    assert outbox.published("3.git") is None
