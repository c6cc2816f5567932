"""The tree follows the store: which pages are due, what stands on them, and writing them.

Effects are here and in tree.py only; how a page looks is render.py's business. The cost is that of what changed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import groupby, islice
from typing import TYPE_CHECKING

from mirror_crawler import paths
from mirror_crawler.config import MirrorConfig
from mirror_crawler.history import changes
from mirror_crawler.items import Article
from mirror_crawler.links import LinkFinder
from mirror_crawler.locks import FileLock
from mirror_crawler.render import ArticlePlace, HomeView, Link, ListView, OutletView
from mirror_crawler.store import ArticleStore, Entry, Held, ListPageKind, Stale, Target
from mirror_crawler.tree import Tree, digest

if TYPE_CHECKING:
    from mirror_crawler.outlet import OutletSpider

_BATCH = 200
_LATEST = 10
_LINKED_PAGES = 5


@dataclasses.dataclass(slots=True)
class Tally:
    """What became of the pages that were due: how many were written, were right already, or removed."""

    written: int = 0
    unchanged: int = 0
    removed: int = 0


class PageWriter:
    """Renders pages of the store and puts them into the tree."""

    def __init__(self, store: ArticleStore, config: MirrorConfig, outlets: Mapping[str, type[OutletSpider]]) -> None:
        self.store = store
        self.config = config
        self.outlets = outlets
        self.links = LinkFinder({name: outlet.addresses for name, outlet in outlets.items()})
        self.renderer = config.renderer()
        self.tree = Tree(config.output)
        self.root = str(config.output.resolve())
        self.look = f"{config.path} {self.renderer.look}"

    def write_stale(self, outlet: str) -> Tally:
        """Give the new articles of ``outlet`` their places in the lists and write every page that is due.

        Other outlets' pages are among them when they link to what came, unless the outlet is held back. All pages are
        due when the tree is another than last time, was removed, or is to look otherwise. One process at a time: the
        home page stands for what all outlets have.
        """
        tally = Tally()
        with FileLock(self.config.data / "pages.lock"):
            anew = self._has_pages() and (self.store.tree_look(self.root) != self.look or not self.tree.has(paths.HOME))
            self.store.place(outlet)
            held_back = self._held_back(outlet)
            while due := self.store.stale(_BATCH, held_back=held_back):
                self._write(self._pages(due), tally)
                self.store.settle(due)
            if anew:
                self._write_everything(tally)
            elif self._has_pages():  # nothing notes that the home page is due; most often its bytes are right
                self._write([self._home(held_back)], tally)
            self.store.set_tree_look(self.root, self.look)
        return tally

    def write_all(self) -> Tally:
        """Write every page that the store implies; pages whose bytes are right are not touched."""
        tally = Tally()
        with FileLock(self.config.data / "pages.lock"):
            self.store.place()
            self._write_everything(tally)
            self.store.set_tree_look(self.root, self.look)
        return tally

    def differing(self) -> Iterator[str]:
        """The pages that are missing, differ from what the store implies, or are left over. Writes nothing."""
        for due in _batches(self.store.all_pages()):
            yield from (path for path, content in self._pages(due) if self.tree.differs(path, content))
        home = self._home()
        if self.tree.differs(*home):
            yield home[0]
        yield from (path for path, _ in self.store.left_over_files(self.root, self._implied()) if self.tree.has(path))

    def implied(self) -> Iterator[list[tuple[str, bytes]]]:
        """Every file that the store implies, with its content, in batches; the front page of a list may come twice."""
        for due in _batches(self.store.all_pages()):
            yield list(self._pages(due))
        if self._has_pages() or self.tree.has(paths.HOME):
            yield [self._home()]

    def _write_everything(self, tally: Tally) -> None:
        for due in _batches(self.store.all_pages()):
            self._write(self._pages(due), tally)
        self._write([self._home()], tally)
        left_over = self.store.left_over_files(self.root, self._implied())
        removed = [path for path, sha256 in left_over if self.tree.remove(path, sha256)]
        self.store.forget_files(self.root, removed)
        tally.removed += len(removed)

    def _held_back(self, outlet: str) -> list[str]:
        """The other outlets whose latest run is not to be published: it failed, or it is not known yet whether it will.
        A run that is known to be good writes what becomes due from then on, be it by the hand of another's.
        """
        return [name for name in self.store.outlets() if name != outlet and not self.store.is_published(name)]

    def _has_pages(self) -> bool:
        return any(self.store.list_size(outlet, "all", "") for outlet in self.store.outlets())

    def _implied(self) -> Iterator[str]:
        """The path of every file that the store implies; some more than once."""
        for due in _batches(self.store.all_pages()):
            articles = self.store.held({Target(page.outlet, "article", page.id) for page in due if not page.part})
            for target, held in articles.items():
                path = self._path(target, held)
                yield path
                if self.config.pages.base_url:
                    yield f"{path}.png"
                if held.revision > 1:
                    yield paths.history_path(path)
            for page in due:
                if page.part:
                    directory = paths.list_directory(page.outlet, page.kind, page.id)
                    yield paths.front_path(directory)
                    yield paths.numbered_path(directory, page.part)
        yield paths.HOME

    def _write(self, pages: Iterable[tuple[str, bytes]], tally: Tally) -> None:
        written = {}
        for path, content in pages:
            if self.tree.write(path, content):
                written[path] = digest(content)
            else:
                tally.unchanged += 1
        self.store.record_files(self.root, written)
        tally.written += len(written)

    def _pages(self, due: Sequence[Stale]) -> Iterator[tuple[str, bytes]]:
        """The files of what is due: an article's page (share code, history), a list's numbered pages and front page."""
        yield from self._article_pages([(page.outlet, page.id) for page in due if page.kind == "article"])
        lists = sorted((page.outlet, page.kind, page.id, page.part) for page in due if page.kind != "article")
        for (outlet, kind, list_id), parts in groupby(lists, key=lambda page: page[:3]):
            for *_, part in parts:
                yield self._numbered_page(outlet, kind, list_id, part)
            yield self._front_page(outlet, kind, list_id)

    # --- articles ---------------------------------------------------------------------------------------------------

    def _article_pages(self, keys: Sequence[tuple[str, str]]) -> Iterator[tuple[str, bytes]]:
        articles = self.store.articles(keys)
        wanted = {article.key: self.links.targets_of(article) for article in articles}
        held = self._held(set().union(*wanted.values())) if wanted else {}
        for article in articles:
            path = paths.path_of(self.config.path, article)
            place = self._place_of(article, path, held)
            yield path, self.renderer.article(article, place).encode()
            if code := self.renderer.share_code(path):
                yield f"{path}.png", code
            if article.revision > 1:
                told = changes(self.store.revisions(*article.key))
                yield paths.history_path(path), self.renderer.history(article, place, told).encode()

    def _place_of(self, article: Article, path: str, held: Mapping[Target, Link]) -> ArticlePlace:
        def resolve(href: str) -> str | None:
            target = self.links.find(href)
            link = held.get(target) if target else None
            return link.path if link else None

        def list_link(kind: str, list_id: str, name: str) -> Link:
            return held.get(Target(article.outlet, kind, list_id)) or Link(title=name, path=None)

        section = article.section
        return ArticlePlace(
            path=path,
            resolve=resolve,
            outlet=self._outlet_link(article.outlet),
            section=list_link("section", section.id, section.name) if section else None,
            tags=[list_link("tag", tag, tag) for tag in article.tags],
        )

    def _held(self, targets: set[Target]) -> dict[Target, Link]:
        """Which targets have a page in the mirror, and where."""
        return {
            target: Link(title=held.title, path=self._path(target, held))
            for target, held in self.store.held(targets).items()
        }

    # --- lists ------------------------------------------------------------------------------------------------------

    def _numbered_page(self, outlet: str, kind: ListPageKind, list_id: str, number: int) -> tuple[str, bytes]:
        """Numbered page ``number``. It names nothing that later articles change, so a full page stays as it is."""
        path = paths.numbered_path(paths.list_directory(outlet, kind, list_id), number)
        first = (number - 1) * paths.ENTRIES_PER_PAGE + 1
        entries = self.store.entries(outlet, kind, list_id, first, first + paths.ENTRIES_PER_PAGE - 1)
        return path, self._list_page(outlet, kind, list_id, path, entries, linked=[number - 1], number=number)

    def _front_page(self, outlet: str, kind: ListPageKind, list_id: str) -> tuple[str, bytes]:
        """The front page: what stands on the last two numbered pages, and links to the last few of them."""
        path = paths.front_path(paths.list_directory(outlet, kind, list_id))
        last = -(-self.store.list_size(outlet, kind, list_id) // paths.ENTRIES_PER_PAGE)
        entries = self._newest(outlet, kind, list_id)
        linked = range(last, last - _LINKED_PAGES, -1)
        return path, self._list_page(outlet, kind, list_id, path, entries, linked=linked, number=None)

    def _newest(self, outlet: str, kind: ListPageKind, list_id: str) -> list[Entry]:
        size = self.store.list_size(outlet, kind, list_id)
        last = -(-size // paths.ENTRIES_PER_PAGE)
        return self.store.entries(outlet, kind, list_id, max(0, last - 2) * paths.ENTRIES_PER_PAGE + 1, size)

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
    ) -> bytes:
        directory = paths.list_directory(outlet, kind, list_id)
        front = number is None
        view = ListView(
            path=path,
            language="zh-Hans",
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
        return self.renderer.list_page(view).encode()

    def _entry_link(self, outlet: str, kind: ListPageKind, entry: Entry) -> Link:
        if kind == "tags":
            directory = paths.list_directory(outlet, "tag", entry.member)
            return Link(title=entry.title, path=paths.front_path(directory))
        return Link(title=entry.title, path=self._path(Target(outlet, "article", entry.member), entry), day=entry.day)

    # --- home -------------------------------------------------------------------------------------------------------

    def _home(self, held_back: Collection[str] = ()) -> tuple[str, bytes]:
        """The home page; the outlets ``held_back`` stand on it as they were published last."""
        outlets = []
        for outlet in self.store.outlets():
            newest = _newest_first(self._newest(outlet, "all", ""))[:_LATEST]
            if not newest:  # its first run is still at work
                continue
            if outlet in held_back:
                titles = self.store.published_titles(outlet, [entry.member for entry in newest])
                newest = [entry._replace(title=titles[entry.member]) for entry in newest]
            outlets.append(
                OutletView(
                    link=self._outlet_link(outlet),
                    sections=self._section_links(outlet),
                    latest=[self._entry_link(outlet, "all", entry) for entry in newest],
                )
            )
        return paths.HOME, self.renderer.home(HomeView(path=paths.HOME, outlets=outlets)).encode()

    # --- names and places -------------------------------------------------------------------------------------------

    def _outlet_link(self, outlet: str) -> Link:
        title = self.outlets[outlet].title if outlet in self.outlets else outlet
        return Link(title=title, path=paths.front_path(paths.list_directory(outlet, "all", "")))

    def _section_links(self, outlet: str) -> list[Link]:
        return [
            Link(title=name, path=paths.front_path(paths.list_directory(outlet, "section", list_id)))
            for list_id, name in self.store.lists(outlet, "section")
        ]

    def _tags_link(self, outlet: str) -> Link | None:
        if not self.store.list_size(outlet, "tags", ""):
            return None
        return Link(title="", path=paths.front_path(paths.list_directory(outlet, "tags", "")))

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


def _batches(pages: Iterable[Stale]) -> Iterator[list[Stale]]:
    remaining = iter(pages)
    while batch := list(islice(remaining, _BATCH)):
        yield batch


def _newest_first(entries: Iterable[Entry]) -> list[Entry]:
    return sorted(entries, key=lambda entry: (entry.order_key, entry.member), reverse=True)
