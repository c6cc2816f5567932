"""How far the lists went that a closed volume keeps, read from its pages alone. Moving them is in test_volumes.py."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mirror_crawler.closed import Kept
from mirror_crawler.repository import Change, Repository
from mirror_crawler.store import ArticleStore
from tests.test_store import OUTLET, RUN, article, listing

NOW = datetime(2026, 11, 22, tzinfo=UTC)
SECTION = "epochtimes/sections/nsc413"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ArticleStore]:
    """Fifty-two articles in one section, the last two in another, each with a tag that has a list."""
    with ArticleStore(f"sqlite:///{tmp_path / 'mirror.db'}") as opened:
        for number in range(1000, 1052):
            opened.put_article(article(number), RUN)
            opened.put_listing(listing(number), RUN)
        for number, tag in ((1050, "渡轮"), (1051, "5g")):
            opened.put_listing(listing(number, "nsc412"), RUN)
            opened.put_listing(listing(number, tag, "tag", list_name=tag), RUN)
        opened.place()
        yield opened


def kept(store: ArticleStore, directory: Path, **pages: str) -> Kept:
    """The lists of a commit of these pages; ``__`` in a name stands for ``/``."""
    repository = Repository(directory / "1.git", "main")
    repository.open()
    files = {f"{path.replace('__', '/')}.md": text for path, text in sorted(pages.items())}
    changes = [Change(path, text.encode()) for path, text in files.items()]
    tip = repository.commit(changes, parent=None, message="1", author="M <m@localhost>", at=NOW)
    return Kept(store, dict(repository.files(tip)), repository, tip)


def test_up_to_the_last_entry_that_a_page_names(store: ArticleStore, tmp_path: Path) -> None:
    lists = kept(
        store,
        tmp_path,
        epochtimes__README="",
        epochtimes__pages__0__1="[桥](../../2021/03/04/n1000.md) [n1001](../../2021/03/04/n1001.md) [桥](xn1002.md)",
        epochtimes__sections__nsc413__README="",
        epochtimes__sections__nsc413__pages__0__1="",
        epochtimes__sections__nsc413__pages__0__2="[桥](https://git.example/old/2021/03/04/n1050.md)",
    )
    assert lists.outlets() == [OUTLET]
    assert lists.lists(OUTLET, "section") == [("nsc413", "名nsc413")]
    assert lists.list_size(OUTLET, "all", "") == 2
    assert lists.list_size(OUTLET, "section", "nsc413") == 51
    assert lists.list_size(OUTLET, "section", "nsc412") == 0
    assert lists.list_size(OUTLET, "tags", "") == 0


def test_a_page_that_names_none_has_all(store: ArticleStore, tmp_path: Path) -> None:
    """As with a template of the operator's that leads to articles in a way of its own."""
    lists = kept(store, tmp_path, epochtimes__README="", epochtimes__pages__0__1="")
    assert lists.list_size(OUTLET, "all", "") == 50


def test_the_tags_are_those_that_have_a_list(store: ArticleStore, tmp_path: Path) -> None:
    pages = ("README", "pages__0__1", "tags__README", "tags__pages__0__1", "tags__f5__渡轮__README")
    lists = kept(store, tmp_path, **{f"epochtimes__{page}": "" for page in pages})
    assert [list_id for list_id, _ in lists.lists(OUTLET, "tag")] == ["渡轮"]
    tags = [entry.member for entry in store.entries(OUTLET, "tags", "", 1, 9)]
    assert lists.list_size(OUTLET, "tags", "") == tags.index("渡轮") + 1
