"""The home page and the lists that a closed volume keeps in its repository, and not in the tree.

They stay as they were when the next volume began, but for what pages look like: when that changes, or the mirror moves
to another address, they are made anew. How far each list went is read from the last commit, which has its pages.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from mirror_crawler import paths
from mirror_crawler.lists import ListPages, last_page
from mirror_crawler.store import ArticleStore, ListPageKind

if TYPE_CHECKING:
    from mirror_crawler.repository import Repository
    from mirror_crawler.writer import PageWriter


_Key = tuple[str, ListPageKind, str]
"""A list: its outlet, kind and id."""


class ClosedVolume:
    """What volume ``number`` keeps since commit ``tip`` of its repository, as ``writer`` would write it now."""

    def __init__(self, writer: PageWriter, repository: Repository, tip: str, number: int) -> None:
        self._writer = writer
        self._number = number
        self._renderer = writer.config.renderer()
        self._renderer.volumes = dataclasses.replace(writer.volumes, of_lists=number)
        self._kept = {path: old for path, old in repository.files(tip) if self._keeps(path)}
        extent = Kept(writer.store, self._kept, repository, tip)
        self._pages = ListPages(writer.store, writer.config, writer.outlets, self._renderer, extent)
        writer.hold_back()
        self._pages.held_back = writer.held_back
        self._places = dict(extent.pages())

    def _keeps(self, path: str) -> bool:
        """Whether a file of the commit is not one of the volume's own: those are in the tree."""
        return _page(path).endswith(".md") and self._writer.volumes.of(path) != self._number

    def __contains__(self, path: str) -> bool:
        return path in self._kept

    def files(self) -> Iterator[tuple[str, str]]:
        """Every file that is kept and made from the store, with its hash in the commit."""
        for path, old in self._kept.items():
            page = _page(path)
            if page == paths.HOME or page in self._places or self._renderer.volumes.of(path) != self._number:
                yield path, old

    def read(self, path: str) -> bytes | None:
        """What one of :meth:`files` is to hold; None for the page of an article that belongs to a later volume."""
        page = _page(path)
        if self._renderer.volumes.of(path) != self._number:
            return None
        if path != page:
            return self._renderer.share_code(page)
        if page == paths.HOME:
            made = self._pages.home(self._number + 1)
        else:
            outlet, kind, list_id, part = self._places[page]
            list_of = (outlet, kind, list_id)
            made = self._pages.numbered(*list_of, part) if part else self._pages.front(*list_of)
        return next(made)[1]  # behind it comes its share code


class Kept:
    """How far the lists go (:class:`mirror_crawler.lists.Extent`) whose pages are among the files of a commit."""

    def __init__(self, store: ArticleStore, files: Mapping[str, str], repository: Repository, tip: str) -> None:
        self._store = store
        self._files = files
        last = {self._last_page(key): key for outlet in self.outlets() for key in self._keys(outlet)}
        self._sizes = {last[path]: self._size(last[path], path, page) for path, page in repository.contents(tip, last)}

    def outlets(self) -> list[str]:
        """See Extent."""
        return [outlet for outlet in self._store.outlets() if self._has(outlet, "all")]

    def lists(self, outlet: str, kind: str) -> list[tuple[str, str]]:
        """See Extent."""
        return [found for found in self._store.lists(outlet, kind) if self._has(outlet, kind, found[0])]

    def list_size(self, outlet: str, kind: ListPageKind, list_id: str) -> int:
        """See Extent."""
        return self._sizes.get((outlet, kind, list_id), 0)

    def pages(self) -> Iterator[tuple[str, tuple[str, ListPageKind, str, int]]]:
        """Every page of a list with the list and the number of the page; 0 is the front page."""
        for (outlet, kind, list_id), size in self._sizes.items():
            directory = paths.list_directory(outlet, kind, list_id)
            yield paths.front_path(directory), (outlet, kind, list_id, 0)
            for part in range(1, last_page(size) + 1):
                yield paths.numbered_path(directory, part), (outlet, kind, list_id, part)

    def _has(self, outlet: str, kind: str, list_id: str = "") -> bool:
        return paths.front_path(paths.list_directory(outlet, kind, list_id)) in self._files

    def _keys(self, outlet: str) -> Iterator[_Key]:
        yield outlet, "all", ""
        if self._has(outlet, "tags"):
            yield outlet, "tags", ""
        yield from ((outlet, "section", list_id) for list_id, _ in self.lists(outlet, "section"))
        yield from ((outlet, "tag", list_id) for list_id, _ in self.lists(outlet, "tag"))

    def _last_page(self, key: _Key) -> str:
        directory = paths.list_directory(*key)
        part = last_page(self._store.list_size(*key))
        while part > 1 and paths.numbered_path(directory, part) not in self._files:
            part -= 1
        return paths.numbered_path(directory, part)

    def _size(self, key: _Key, path: str, page: bytes) -> int:
        """The place of the last entry that the last numbered page names."""
        outlet, kind, list_id = key
        before = (int(path.rpartition("/")[2].removesuffix(".md")) - 1) * paths.ENTRIES_PER_PAGE
        entries = self._store.entries(outlet, kind, list_id, before + 1, before + paths.ENTRIES_PER_PAGE)
        if kind == "tags":
            named = [entry.seq for entry in entries if self._has(outlet, "tag", entry.member)]
        else:
            words = set(re.findall(r"[0-9a-z]+", page.decode(errors="replace")))
            named = [entry.seq for entry in entries if entry.member in words]
        return max(named, default=before + len(entries))


def _page(path: str) -> str:
    """The page that a file is, or is the share code of."""
    return path.removesuffix(".png")
