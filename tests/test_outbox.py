"""What waits to be published, and what it waits for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from mirror_crawler.items import Volume
from mirror_crawler.outbox import Outbox, Published
from mirror_crawler.records import read_record
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


class TestVolumes:
    """Their records lead an empty store to the same volumes."""

    def volume(self, number: int, first_day: str) -> Volume:
        return Volume(volume=number, first_day=first_day)

    def test_there_and_back(self, tmp_path: Path) -> None:
        with ArticleStore(f"sqlite:///{tmp_path / 'a.db'}") as store:
            store.outbox.settle("/srv", {"1.git": "1" * 40}, (2, "2026-11-23"))
            store.outbox.settle("/srv", {"2.git": "2" * 40}, (3, "2027-01-01"))
            lines = list(store.records())
            assert list(store.records("epochtimes")) == []
        assert list(map(json.loads, lines)) == [
            {"volume": 2, "first_day": "2026-11-23"},
            {"volume": 3, "first_day": "2027-01-01"},
        ]
        with ArticleStore(f"sqlite:///{tmp_path / 'b.db'}") as store:
            items = [(read_record(line.encode(), {}), ()) for line in lines]
            assert store.restore_all(items) == [True, True]
            assert store.restore_all(items) == [False, False]
            assert store.outbox.first_days() == ["2026-11-23", "2027-01-01"]
            assert list(store.records()) == lines

    @pytest.mark.parametrize(
        ("number", "first_day", "said"),
        [
            (2, "2026-11-24", "volume 2 begins with 2026-11-23 here"),
            (4, "2027-01-01", "volume 4 does not follow volume 2"),
            (3, "2026-11-23", "volume 3 does not follow volume 2"),
        ],
    )
    def test_that_cannot_be(self, tmp_path: Path, number: int, first_day: str, said: str) -> None:
        with ArticleStore(f"sqlite:///{tmp_path / 'a.db'}") as store:
            assert store.restore(self.volume(2, "2026-11-23"))
            with pytest.raises(ValueError, match=f"^{said}$"):
                store.restore(self.volume(number, first_day))
