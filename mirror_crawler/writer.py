"""The tree follows the store: which pages are due, what stands on them, and writing them.

Effects are here and in tree.py only; how a page looks is render.py's business. The cost is that of what changed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import groupby, islice
from pathlib import Path
from typing import TYPE_CHECKING

from mirror_crawler import paths
from mirror_crawler.album import Album, read_whole
from mirror_crawler.config import MirrorConfig
from mirror_crawler.history import changes
from mirror_crawler.items import Article
from mirror_crawler.links import LinkFinder
from mirror_crawler.locks import FileLock
from mirror_crawler.render import ArticlePlace, HomeView, Link, ListView, OutletView
from mirror_crawler.store import ArticleStore, Entry, Held, ListPageKind, Stale, Target
from mirror_crawler.tree import Tree, digest
from mirror_crawler.volumes import Volumes

if TYPE_CHECKING:
    from mirror_crawler.outlet import OutletSpider

_BATCH = 200
_LATEST = 10
_LINKED_PAGES = 5


_File = tuple[str, bytes | Path]
"""A file of the tree and its content; of a picture, the file that has it."""


@dataclasses.dataclass(slots=True)
class Tally:
    """What became of the pages that were due: how many were written, were right already, or removed."""

    written: int = 0
    unchanged: int = 0
    removed: int = 0


class PageWriter:
    """Renders pages of the store and puts them into the tree.

    Outlets whose latest run is not to be published are held back: it failed, or it is not known yet whether it will. A
    run that is known to be good writes what becomes due from then on, be it by the hand of another's. The pages of an
    outlet that is held back are those of what it published last, and its new articles get no place in the lists.
    """

    def __init__(self, store: ArticleStore, config: MirrorConfig, outlets: Mapping[str, type[OutletSpider]]) -> None:
        self.store = store
        self.config = config
        self.outlets = outlets
        self.held_back: frozenset[str] = frozenset()
        self.links = LinkFinder({name: outlet.addresses for name, outlet in outlets.items()})
        self.renderer = config.renderer()
        self.tree = Tree(config.output)
        self.album = Album(config.images)
        self._lost: set[str] = set()  # addresses of pictures whose files are gone
        self.root = str(config.output.resolve())
        self.read_volumes()
        self.look = f"{config.path} {self.renderer.look}"

    def read_volumes(self) -> None:
        """See which volumes there are now. Whoever has pages.lock may begin one."""
        first_days = tuple(self.store.outbox.first_days())
        self.volumes = Volumes(self.config.path, self.config.pages.base_url, first_days)
        self.renderer.volumes = self.volumes

    def write_stale(self, outlet: str) -> Tally:
        """Give the new articles of ``outlet`` their places in the lists and write every page that is due.

        Other outlets' pages are among them when they link to what came, unless the outlet is held back. All pages are
        due when the tree is another than last time, was removed, or is to look otherwise. One process at a time: the
        home page stands for what all outlets have.
        """
        tally = Tally()
        with FileLock(self.config.data / "pages.lock"):
            self.read_volumes()
            self._hold_back(besides=outlet)
            anew = self.has_pages() and (self.store.tree_look(self.root) != self.look or not self.tree.has(paths.HOME))
            self.store.place(outlet)
            while due := self.store.stale(_BATCH, held_back=self.held_back):
                self._write(self._pages(due), tally)
                self.store.settle(due)
            if anew:
                self._write_everything(tally)
            elif self.has_pages():  # nothing notes that the home page is due; most often its bytes are right
                self._write(self._home(), tally)
            self._finish()
        return tally

    def write_all(self) -> Tally:
        """Write every page that the store implies; pages whose bytes are right are not touched."""
        tally = Tally()
        with FileLock(self.config.data / "pages.lock"):
            self.read_volumes()
            self._hold_back()
            for outlet in self.store.outlets():
                if outlet not in self.held_back:
                    self.store.place(outlet)
            self._write_everything(tally)
            self._finish()
        return tally

    def write_lists(self) -> None:
        """Write the home page and all lists as they are in the newest volume. The caller has pages.lock."""
        self.read_volumes()
        self._hold_back()
        for due in _batches(page for page in self.store.all_pages() if page.kind != "article"):
            self._write(self._pages(due), Tally())
        self._write(self._home(), Tally())

    def last_home(self) -> bytes:
        """The home page with which the newest volume is closed: it leads to the next one. The caller has pages.lock."""
        number = self.volumes.newest + 1
        later = Link(title=self._volume_name(number), path=self.volumes.home(number))
        self._hold_back()
        return self.renderer.home(self._home_view(later)).encode()

    def _finish(self) -> None:
        self.store.pictures.lost(self._lost)
        self.store.set_tree_look(self.root, self.look)

    def differing(self) -> Iterator[str]:
        """The pages that are missing, differ from what the store implies, or are left over. Writes nothing."""
        self._hold_back()
        for due in _batches(self.store.all_pages()):
            yield from (path for path, content in self._pages(due) if self.tree.differs(path, content))
        yield from (path for path, content in self._home() if self.tree.differs(path, content))
        yield from (path for path, _ in self.store.left_over_files(self.root, self._implied()) if self.tree.has(path))

    def implied(self) -> Iterator[list[tuple[str, bytes]]]:
        """Every file that the store implies, with its content, in batches; the front page of a list may come twice."""
        self._hold_back()
        for due in _batches(self.store.all_pages()):
            files = list(self._pages(due))
            yield [(path, content) for path, content in files if isinstance(content, bytes)]
            for path, place in files:
                if not isinstance(place, bytes) and (content := read_whole(place)) is not None:
                    yield [(path, content)]
        if self.has_pages() or self.tree.has(paths.HOME):
            yield [(path, content) for path, content in self._home() if isinstance(content, bytes)]

    def _write_everything(self, tally: Tally) -> None:
        for due in _batches(self.store.all_pages()):
            self._write(self._pages(due), tally)
        self._write(self._home(), tally)
        left_over = self.store.left_over_files(self.root, self._implied())
        self.touching([path for path, _ in left_over])
        removed = [path for path, sha256 in left_over if self.tree.remove(path, sha256)]
        self.store.forget_files(self.root, removed)
        tally.removed += len(removed)

    def _hold_back(self, besides: str = "") -> None:
        """See which outlets are held back now, ``besides`` the one whose run writes."""
        outlets = (name for name in self.store.outlets() if name != besides)
        self.held_back = frozenset(name for name in outlets if not self.store.is_published(name))

    def has_pages(self) -> bool:
        """Whether the store implies any page."""
        return any(self.store.list_size(outlet, "all", "") for outlet in self.store.outlets())

    def _implied(self) -> Iterator[str]:
        """The path of every file that the store implies; some more than once."""
        for due in _batches(self.store.all_pages()):
            articles = self.store.held({Target(page.outlet, "article", page.id) for page in due if not page.part})
            for target, held in articles.items():
                path = self._path(target, held)
                yield from self._files_of(path)
                if held.revision > 1:
                    yield from self._files_of(paths.history_path(path))
            for page in due:
                if page.part:
                    directory = paths.list_directory(page.outlet, page.kind, page.id)
                    yield from self._files_of(paths.front_path(directory))
                    yield from self._files_of(paths.numbered_path(directory, page.part))
            if self._keeps_pictures:
                shown = self.store.pictures.shown((page.outlet, page.id) for page in due if not page.part)
                yield from map(paths.asset_path, shown.values())
        yield from self._files_of(paths.HOME)

    def _files_of(self, path: str) -> list[str]:
        """The files of a page: itself, and its share code."""
        return [path, paths.code_path(path)] if self.config.pages.base_url else [path]

    def _write(self, pages: Iterable[_File], tally: Tally) -> None:
        files = list(pages)
        differing = {path: content for path, content in files if self.tree.differs(path, content)}
        self.touching(differing)
        for path, content in differing.items():
            self.tree.replace(path, content)
        self.store.record_files(self.root, {path: _digest(content) for path, content in differing.items()})
        tally.written += len(differing)
        tally.unchanged += len(files) - len(differing)

    def touching(self, files: Collection[str]) -> None:
        """These files are about to be written or removed, so they have to be published."""
        self.store.outbox.note(self.root, files)

    def _pages(self, due: Sequence[Stale]) -> Iterator[_File]:
        """The files of what is due: an article's page (and history), a list's numbered pages and front page."""
        yield from self._article_pages([(page.outlet, page.id) for page in due if page.kind == "article"])
        lists = sorted((page.outlet, page.kind, page.id, page.part) for page in due if page.kind != "article")
        for (outlet, kind, list_id), parts in groupby(lists, key=lambda page: page[:3]):
            for *_, part in parts:
                yield from self._numbered_page(outlet, kind, list_id, part)
            yield from self._front_page(outlet, kind, list_id)

    def _page(self, path: str, text: str) -> Iterator[_File]:
        """The files of one page: itself, and its share code."""
        yield path, text.encode()
        if code := self.renderer.share_code(path):
            yield paths.code_path(path), code

    # --- articles ---------------------------------------------------------------------------------------------------

    def _article_pages(self, keys: Sequence[tuple[str, str]]) -> Iterator[_File]:
        articles = self._articles(keys)
        wanted = {article.key: self.links.targets_of(article) for article in articles}
        outlets = {Target(article.outlet, "all", "") for article in articles}
        held = self.store.held(outlets.union(*wanted.values()))
        kept = self._kept(keys)
        yield from {paths.asset_path(name): file for name, file in kept.values()}.items()
        pictures = {url: paths.asset_path(name) for url, (name, _) in kept.items()}
        for article in articles:
            path = paths.path_of(self.config.path, article)
            place = self._place_of(article, path, held, pictures)
            yield from self._page(path, self.renderer.article(article, place))
            if article.revision > 1:
                told = changes(islice(self.store.revisions(*article.key), article.revision))
                yield from self._page(paths.history_path(path), self.renderer.history(article, place, told))

    def _articles(self, keys: Sequence[tuple[str, str]]) -> list[Article]:
        articles = self.store.articles([key for key in keys if key[0] not in self.held_back])
        for outlet in self.held_back:
            ids = [article_id for name, article_id in keys if name == outlet]
            articles += self.store.published(outlet, ids).values() if ids else ()
        return articles

    def _place_of(
        self, article: Article, path: str, held: Mapping[Target, Held], pictures: Mapping[str, str]
    ) -> ArticlePlace:
        def link(target: Target) -> str | None:
            there = held.get(target)
            return self.volumes.link(path, self._path(target, there), there.volume) if there else None

        def resolve(href: str) -> str | None:
            target = self.links.find(href)
            return link(target) if target else None

        def list_link(kind: str, list_id: str, name: str) -> Link:
            target = Target(article.outlet, kind, list_id)
            return Link(title=held[target].title if target in held else name, path=link(target))

        section = article.section
        return ArticlePlace(
            path=path,
            resolve=resolve,
            picture=pictures.get,
            outlet=Link(title=self._outlet_title(article.outlet), path=link(Target(article.outlet, "all", ""))),
            section=list_link("section", section.id, section.name) if section else None,
            tags=[list_link("tag", tag, tag) for tag in article.tags],
        )

    @property
    def _keeps_pictures(self) -> bool:
        return self.config.pages.images == "local"

    def _kept(self, keys: Sequence[tuple[str, str]]) -> dict[str, tuple[str, Path]]:
        """Address → name and file of the pictures that the pages of some articles show.

        One whose file is in the tree only will do. One that is gone from both is shown in words, and wanted again.
        """
        found = {}
        shown = self.store.pictures.shown(keys) if self._keeps_pictures else {}
        for url, name in shown.items():
            if self.album.has(name):
                found[url] = name, self.album.place(name)
            elif self.tree.has(path := paths.asset_path(name)):
                found[url] = name, self.config.output / path
            else:
                self._lost.add(url)
        return found

    # --- lists ------------------------------------------------------------------------------------------------------

    def _numbered_page(self, outlet: str, kind: ListPageKind, list_id: str, number: int) -> Iterator[_File]:
        """Numbered page ``number``. It names nothing that later articles change, so a full page stays as it is."""
        path = paths.numbered_path(paths.list_directory(outlet, kind, list_id), number)
        first = (number - 1) * paths.ENTRIES_PER_PAGE + 1
        entries = self._entries(outlet, kind, list_id, first, first + paths.ENTRIES_PER_PAGE - 1)
        return self._list_page(outlet, kind, list_id, path, entries, linked=[number - 1], number=number)

    def _front_page(self, outlet: str, kind: ListPageKind, list_id: str) -> Iterator[_File]:
        """The front page: what stands on the last two numbered pages, and links to the last few of them."""
        path = paths.front_path(paths.list_directory(outlet, kind, list_id))
        last = -(-self.store.list_size(outlet, kind, list_id) // paths.ENTRIES_PER_PAGE)
        entries = self._newest(outlet, kind, list_id)
        linked = range(last, last - _LINKED_PAGES, -1)
        return self._list_page(outlet, kind, list_id, path, entries, linked=linked, number=None)

    def _newest(self, outlet: str, kind: ListPageKind, list_id: str) -> list[Entry]:
        size = self.store.list_size(outlet, kind, list_id)
        last = -(-size // paths.ENTRIES_PER_PAGE)
        return self._entries(outlet, kind, list_id, max(0, last - 2) * paths.ENTRIES_PER_PAGE + 1, size)

    def _entries(self, outlet: str, kind: ListPageKind, list_id: str, first: int, last: int) -> list[Entry]:
        entries = self.store.entries(outlet, kind, list_id, first, last)
        if outlet not in self.held_back or kind == "tags":
            return entries
        published = self.store.published(outlet, [entry.member for entry in entries])
        return [entry._replace(title=published[entry.member].title) for entry in entries]

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
    ) -> Iterator[_File]:
        directory = paths.list_directory(outlet, kind, list_id)
        front = number is None
        view = ListView(
            path=path,
            language=self.config.pages.language,
            outlet=self._outlet_link(outlet),
            kind=kind,
            name=self._list_name(outlet, kind, list_id),
            entries=[self._entry_link(outlet, kind, entry) for entry in _newest_first(entries)],
            number=number,
            front=paths.front_path(directory),
            numbered=[Link(title=str(page), path=paths.numbered_path(directory, page)) for page in linked if page > 0],
            sections=self._section_links(outlet) if front and kind == "all" else [],
            tags=self._tags_link(outlet) if front and kind == "all" else None,
        )
        return self._page(path, self.renderer.list_page(view))

    def _entry_link(self, outlet: str, kind: ListPageKind, entry: Entry) -> Link:
        if kind == "tags":
            directory = paths.list_directory(outlet, "tag", entry.member)
            return Link(title=entry.title, path=paths.front_path(directory))
        path = self.volumes.link(paths.HOME, self._path(Target(outlet, "article", entry.member), entry))
        return Link(title=entry.title, path=path, day=entry.day)

    # --- home -------------------------------------------------------------------------------------------------------

    def _home(self) -> Iterator[_File]:
        return self._page(paths.HOME, self.renderer.home(self._home_view()))

    def _home_view(self, later: Link | None = None) -> HomeView:
        outlets = []
        for outlet in self.store.outlets():
            newest = _newest_first(self._newest(outlet, "all", ""))[:_LATEST]
            if not newest:  # its first run is still at work
                continue
            outlets.append(
                OutletView(
                    link=self._outlet_link(outlet),
                    sections=self._section_links(outlet),
                    latest=[self._entry_link(outlet, "all", entry) for entry in newest],
                )
            )
        volumes = range(self.volumes.newest - 1, 0, -1)
        return HomeView(
            outlets=outlets,
            earlier=[Link(title=self._volume_name(number), path=self.volumes.home(number)) for number in volumes],
            later=later,
            language=self.config.pages.language,
        )

    def _volume_name(self, number: int) -> str:
        return self.renderer.labels(self.config.pages.language).volume.format(number=number)

    # --- names and places -------------------------------------------------------------------------------------------

    def _outlet_title(self, outlet: str) -> str:
        return self.outlets[outlet].title if outlet in self.outlets else outlet

    def _outlet_link(self, outlet: str) -> Link:
        return Link(title=self._outlet_title(outlet), path=paths.front_path(paths.list_directory(outlet, "all", "")))

    def _section_links(self, outlet: str) -> list[Link]:
        return [
            Link(title=name, path=paths.front_path(paths.list_directory(outlet, "section", list_id)))
            for list_id, name in self.store.lists(outlet, "section")
        ]

    def _tags_link(self, outlet: str) -> Link | None:
        if not self.store.list_size(outlet, "tags", ""):
            return None
        words = self.renderer.labels(self.config.pages.language)
        return Link(title=words.tags, path=paths.front_path(paths.list_directory(outlet, "tags", "")))

    def _list_name(self, outlet: str, kind: ListPageKind, list_id: str) -> str:
        if kind in ("all", "tags"):
            return self._outlet_link(outlet).title
        return self.store.list_name(outlet, kind, list_id)

    def _path(self, target: Target, row: Entry | Held) -> str:
        if target.kind != "article":
            return paths.front_path(paths.list_directory(target.outlet, target.kind, target.id))
        return paths.article_path(
            self.config.path,
            outlet=target.outlet,
            article_id=target.id,
            url=row.url,
            published_at=row.published_at,
            section=row.section_id or "",
        )


def _digest(content: bytes | Path) -> str:
    return digest(content if isinstance(content, bytes) else content.read_bytes())


def _batches(pages: Iterable[Stale]) -> Iterator[list[Stale]]:
    remaining = iter(pages)
    while batch := list(islice(remaining, _BATCH)):
        yield batch


def _newest_first(entries: Iterable[Entry]) -> list[Entry]:
    return sorted(entries, key=lambda entry: (entry.order_key, entry.member), reverse=True)
