"""What stands on the home page and on the pages of lists, read from the store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from mirror_crawler import paths
from mirror_crawler.render import HomeView, Link, ListView, OutletView
from mirror_crawler.store import ArticleStore, Entry, Held, ListPageKind, Target, newest_first

if TYPE_CHECKING:
    from mirror_crawler.config import MirrorConfig
    from mirror_crawler.outlet import OutletSpider
    from mirror_crawler.render import Renderer

_LATEST = 10
_LINKED_PAGES = 5


class Extent(Protocol):
    """Which lists there are, and how long they are. For most that is what the store has; a closed volume keeps less."""

    def outlets(self) -> list[str]:
        """The outlets that have any article."""

    def lists(self, outlet: str, kind: str) -> list[tuple[str, str]]:
        """``(list_id, name)`` of the lists of a kind, by id."""

    def list_size(self, outlet: str, kind: ListPageKind, list_id: str) -> int:
        """How many places a list has; 0 when there is no such list."""


class ListPages:
    """The home page and the pages of lists, as far as ``extent`` goes; where they are, ``renderer`` knows.

    Methods give files of the tree with their contents: a page, and its share code. The outlets ``held_back`` stand on
    them as they were published last.
    """

    def __init__(
        self,
        store: ArticleStore,
        config: MirrorConfig,
        outlets: Mapping[str, type[OutletSpider]],
        renderer: Renderer,
        extent: Extent | None = None,
    ) -> None:
        self._store = store
        self._config = config
        self._outlets = outlets
        self._renderer = renderer
        self._extent = extent or store
        self.held_back: frozenset[str] = frozenset()

    def numbered(self, outlet: str, kind: ListPageKind, list_id: str, number: int) -> Iterator[tuple[str, bytes]]:
        """Numbered page ``number``. It names nothing that later articles change, so a full page stays as it is."""
        path = paths.numbered_path(paths.list_directory(outlet, kind, list_id), number)
        first = (number - 1) * paths.ENTRIES_PER_PAGE + 1
        last = min(first + paths.ENTRIES_PER_PAGE - 1, self._extent.list_size(outlet, kind, list_id))
        entries = self._entries(outlet, kind, list_id, first, last)
        return self._list_page(outlet, kind, list_id, path, entries, linked=[number - 1], number=number)

    def front(self, outlet: str, kind: ListPageKind, list_id: str) -> Iterator[tuple[str, bytes]]:
        """The front page: the newest entries, as many as stand on the last two numbered pages, and links to the last
        few of them.
        """
        path = paths.front_path(paths.list_directory(outlet, kind, list_id))
        size = self._extent.list_size(outlet, kind, list_id)
        last = last_page(size)
        first = max(0, last - 2) * paths.ENTRIES_PER_PAGE + 1
        if kind == "tags":
            entries = self._entries(outlet, kind, list_id, first, size)
        else:
            entries = self._newest(outlet, kind, list_id, size - first + 1)
        linked = range(last, last - _LINKED_PAGES, -1)
        return self._list_page(outlet, kind, list_id, path, entries, linked=linked, number=None)

    def home(self, later: int | None = None) -> Iterator[tuple[str, bytes]]:
        """The home page; ``later`` is the volume that goes on where this one ends."""
        views = (self._outlet_view(outlet) for outlet in self._extent.outlets())
        volumes = self._renderer.volumes
        view = HomeView(
            outlets=[view for view in views if view.latest],  # without, its first run is still at work
            earlier=[self._volume_link(number) for number in range(volumes.of(paths.HOME) - 1, 0, -1)],
            later=self._volume_link(later) if later is not None else None,
            language=self._config.pages.language,
        )
        return self._renderer.files(paths.HOME, self._renderer.home(view))

    def outlet_link(self, outlet: str) -> Link:
        """An outlet's front page."""
        title = self._outlets[outlet].title if outlet in self._outlets else outlet
        return Link(title=title, path=paths.front_path(paths.list_directory(outlet, "all", "")))

    def _newest(self, outlet: str, kind: ListPageKind, list_id: str, count: int) -> list[Entry]:
        size = self._extent.list_size(outlet, kind, list_id)
        return self._store.newest(outlet, kind, list_id, count, size, published=outlet in self.held_back)

    def _entries(self, outlet: str, kind: ListPageKind, list_id: str, first: int, last: int) -> list[Entry]:
        return self._store.entries(outlet, kind, list_id, first, last, published=outlet in self.held_back)

    def _list_page(
        self,
        outlet: str,
        kind: ListPageKind,
        list_id: str,
        path: str,
        entries: Sequence[Entry],
        *,
        linked: Iterable[int],
        number: int | None,
    ) -> Iterator[tuple[str, bytes]]:
        directory = paths.list_directory(outlet, kind, list_id)
        front = number is None
        view = ListView(
            path=path,
            language=self._config.pages.language,
            outlet=self.outlet_link(outlet),
            kind=kind,
            name=self._name(outlet, kind, list_id),
            entries=[self._entry_link(outlet, kind, entry) for entry in newest_first(entries)],
            number=number,
            front=paths.front_path(directory),
            numbered=[Link(title=str(page), path=paths.numbered_path(directory, page)) for page in linked if page > 0],
            sections=self._section_links(outlet) if front and kind == "all" else [],
            tags=self._tags_link(outlet) if front and kind == "all" else None,
        )
        return self._renderer.files(path, self._renderer.list_page(view))

    def _entry_link(self, outlet: str, kind: ListPageKind, entry: Entry) -> Link:
        if kind == "tags":
            directory = paths.list_directory(outlet, "tag", entry.member)
            return Link(title=entry.title, path=paths.front_path(directory))
        path = page_path(self._config.path, Target(outlet, "article", entry.member), entry)
        return Link(title=entry.title, path=self._renderer.volumes.link(paths.HOME, path), day=entry.day)

    def _outlet_view(self, outlet: str) -> OutletView:
        newest = self._newest(outlet, "all", "", _LATEST)
        return OutletView(
            link=self.outlet_link(outlet),
            sections=self._section_links(outlet),
            latest=[self._entry_link(outlet, "all", entry) for entry in newest],
        )

    def _volume_link(self, number: int) -> Link:
        labels = self._renderer.labels(self._config.pages.language)
        return Link(title=labels.volume.format(number=number), path=self._renderer.volumes.home(number))

    def _section_links(self, outlet: str) -> list[Link]:
        return [
            Link(title=name, path=paths.front_path(paths.list_directory(outlet, "section", list_id)))
            for list_id, name in self._extent.lists(outlet, "section")
        ]

    def _tags_link(self, outlet: str) -> Link | None:
        if not self._extent.list_size(outlet, "tags", ""):
            return None
        words = self._renderer.labels(self._config.pages.language)
        return Link(title=words.tags, path=paths.front_path(paths.list_directory(outlet, "tags", "")))

    def _name(self, outlet: str, kind: ListPageKind, list_id: str) -> str:
        if kind in ("all", "tags"):
            return self.outlet_link(outlet).title
        return self._store.list_name(outlet, kind, list_id)


def last_page(size: int) -> int:
    """The number of the last numbered page of a list with so many places."""
    return -(-size // paths.ENTRIES_PER_PAGE)


def page_path(pattern: str, target: Target, row: Entry | Held) -> str:
    """Where the page of a target lies; ``pattern`` is MIRROR_PATH, ``row`` what the store says of the target."""
    if target.kind != "article":
        return paths.front_path(paths.list_directory(target.outlet, target.kind, target.id))
    return paths.article_path(
        pattern,
        outlet=target.outlet,
        article_id=target.id,
        url=row.url,
        published_at=row.published_at,
        section=row.section_id or "",
    )
