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
from mirror_crawler.album import Album, find_whole, read_whole
from mirror_crawler.config import MirrorConfig, SettingError
from mirror_crawler.history import changes
from mirror_crawler.items import Article
from mirror_crawler.links import LinkFinder
from mirror_crawler.lists import ListPages, page_path
from mirror_crawler.locks import FileLock
from mirror_crawler.render import ArticlePlace, Link
from mirror_crawler.store import ArticleStore, Held, Stale, Target
from mirror_crawler.tree import Tree, digest
from mirror_crawler.volumes import Volumes

if TYPE_CHECKING:
    from mirror_crawler.outlet import OutletSpider

_BATCH = 200


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
    run that is known to be good writes what becomes due from then on, be it by the hand of another's.

    What the tree has of an outlet that is held back is right as it was written last, unless pages are to look otherwise
    now: then, and where a file is missing or was edited, it is made anew from what the outlet published last. Its new
    articles get no place in the lists.
    """

    def __init__(self, store: ArticleStore, config: MirrorConfig, outlets: Mapping[str, type[OutletSpider]]) -> None:
        self.store = store
        self.config = config
        self.outlets = outlets
        self.links = LinkFinder({name: outlet.addresses for name, outlet in outlets.items()})
        self.renderer = config.renderer()
        self.lists = ListPages(store, config, outlets, self.renderer)
        self.tree = Tree(config.output)
        self.album = Album(config.images)
        self.damaged: dict[str, Path | None] = {}
        """Pictures whose file in the album is gone or damaged, by name: a whole copy of it, None when there is none."""
        self._standing: frozenset[str] = frozenset()  # outlets that are held back in a tree of our look
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
            self.hold_back(besides=outlet)
            anew = self.has_pages() and (self.store.tree_look(self.root) != self.look or not self.tree.has(paths.HOME))
            self.leave_other_look()
            self.store.place(outlet)
            while due := self.store.stale(_BATCH, held_back=self.held_back):
                self._write(self._pages(due), tally)
                self.store.settle(due)
            self._remove_pictures(tally)
            if anew:
                self._write_everything(tally)
            elif self.has_pages():  # nothing notes that the home page is due; most often its bytes are right
                self._write(self.lists.home(), tally)
            self._finish()
        return tally

    def write_all(self) -> Tally:
        """Write every page that the store implies; pages whose bytes are right are not touched."""
        tally = Tally()
        with FileLock(self.config.data / "pages.lock"):
            self.read_volumes()
            self.hold_back()
            self.leave_other_look()
            for outlet in self.store.outlets():
                if outlet not in self.held_back:
                    self.store.place(outlet)
            self._write_everything(tally)
            self._finish()
        return tally

    def write_lists(self) -> None:
        """Write the home page and all lists as they are in the newest volume. The caller has pages.lock."""
        self.read_volumes()
        self.hold_back()
        self._standing = frozenset()  # what lists lead to is at another address in another volume
        for due in _batches(page for page in self.store.all_pages() if page.kind != "article"):
            self._write(self._pages(due), Tally())
        self._write(self.lists.home(), Tally())

    def last_home(self) -> bytes:
        """The home page with which the newest volume is closed: it leads to the next one. The caller has pages.lock."""
        self.hold_back()
        return dict(self.lists.home(self.volumes.newest + 1))[paths.HOME]

    def _finish(self) -> None:
        self.store.set_tree_look(self.root, self.look)

    def differing(self) -> Iterator[str]:
        """The pages that are missing, differ from what the store implies, or are left over. Writes nothing."""
        self.hold_back()
        for due in _batches(self.store.all_pages()):
            yield from (path for path, content in self._pages(due) if self.tree.differs(path, content))
        yield from (path for path, content in self.lists.home() if self.tree.differs(path, content))
        yield from (path for path in self._left_over() if self.tree.has(path))

    def implied(self) -> Iterator[list[tuple[str, bytes]]]:
        """Every file that the store implies, with its content, in batches; the front page of a list may come twice."""
        self.hold_back()
        for due in _batches(self.store.all_pages()):
            yield from self._pictures(due)
            yield [(path, content) for path, content in self._pages(due) if isinstance(content, bytes)]
        if self.has_pages() or self.tree.has(paths.HOME):
            yield list(self.lists.home())

    def _pictures(self, due: Iterable[Stale]) -> Iterator[list[tuple[str, bytes]]]:
        """The pictures on the pages that are due, each read from the file that has it whole."""
        keys = [(page.outlet, page.id) for page in due if page.kind == "article"]
        for name in sorted(set(self._shown(keys).values())):
            content = read_whole(self.album.place(name))
            if content is None and (copy := self._copy(name)):
                content = read_whole(copy)
            if content is not None:
                yield [(paths.asset_path(name), content)]

    def _write_everything(self, tally: Tally) -> None:
        for due in _batches(self.store.all_pages()):
            self._write(self._pages(due), tally)
        self._write(self.lists.home(), tally)
        self._remove(self._left_over(), tally)

    def _left_over(self) -> dict[str, str]:
        """Files that were written and are not part of the tree now: path → SHA-256."""
        written = self.store.left_over_files(self.root, self._implied())
        return {path: sha256 for path, sha256 in written if not self.stands(path, sha256)}

    def _remove_pictures(self, tally: Tally) -> None:
        """Remove from the tree what revised articles showed and nothing shows any more."""
        marks, names = self.store.pictures.left(self.held_back)
        self._remove(self.store.file_hashes(self.root, [paths.asset_path(name) for name in names]), tally)
        self.store.pictures.settle(marks)

    def _remove(self, files: Mapping[str, str], tally: Tally) -> None:
        """Remove files that hold what was written last (path → SHA-256)."""
        self.touching(files)
        removed = [path for path, sha256 in files.items() if self.tree.remove(path, sha256)]
        self.store.forget_files(self.root, removed)
        tally.removed += len(removed)

    @property
    def held_back(self) -> frozenset[str]:
        """The outlets that are held back."""
        return self.lists.held_back

    def hold_back(self, besides: str = "") -> None:
        """See which outlets are held back now, ``besides`` the one whose run writes."""
        outlets = (name for name in self.store.outlets() if name != besides)
        self.lists.held_back = frozenset(name for name in outlets if not self.store.is_published(name))
        in_our_look = self.store.tree_look(self.root) == self.look
        self._standing = self.held_back if in_our_look else frozenset()

    def leave_other_look(self) -> None:
        """Files may be written in our look from now on: until all are, a tree that had another has none."""
        if self.store.tree_look(self.root) not in (None, self.look):
            self.store.set_tree_look(self.root, "")

    def stands(self, path: str, sha256: str) -> bool:
        """Whether a file holds what was written last (``sha256``) and may be of an outlet that is held back: then it
        is part of the tree, even where the store cannot tell any more that it is implied. See :meth:`hold_back`.
        """
        of_these = paths.is_asset(path) or any(paths.is_of(self.config.path, name, path) for name in self._standing)
        if not self._standing or not of_these:
            return False
        there = self.tree.read(path)
        return there is not None and digest(there) == sha256

    def check_store(self) -> None:
        """SettingError when the store is another one than that of the tree, as after a slip in MIRROR_DATA."""
        if not self.store.outlets() and self.tree.has(paths.HOME):
            raise SettingError(
                f"MIRROR_DATA={self.config.data}: the store has no article, though the tree {self.root} has pages: "
                "name the store that they were made from, or bring its articles back with `scrapy import`"
            )

    def has_pages(self) -> bool:
        """Whether the store implies any page."""
        return any(self.store.list_size(outlet, "all", "") for outlet in self.store.outlets())

    def _implied(self) -> Iterator[str]:
        """The path of every file that the store implies; some more than once."""
        for due in _batches(self.store.all_pages()):
            targets = {Target(page.outlet, "article", page.id) for page in due if not page.part}
            articles = self.store.held(targets, self.held_back)
            for target, held in articles.items():
                path = page_path(self.config.path, target, held)
                yield from self._files_of(path)
                if held.revision > 1:
                    yield from self._files_of(paths.history_path(path))
            for page in due:
                if page.part:
                    directory = paths.list_directory(page.outlet, page.kind, page.id)
                    yield from self._files_of(paths.front_path(directory))
                    yield from self._files_of(paths.numbered_path(directory, page.part))
            shown = self._shown([(page.outlet, page.id) for page in due if not page.part])
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
        for name in list(self.damaged):
            self.mend(name)
        tally.written += len(differing)
        tally.unchanged += len(files) - len(differing)

    def touching(self, files: Collection[str]) -> None:
        """These files are about to be written or removed, so they have to be published."""
        self.store.outbox.note(self.root, files)

    def _pages(self, due: Sequence[Stale]) -> Iterator[_File]:
        """The files of what is due, each with what it is to hold; see :meth:`_made`."""
        standing = [page for page in due if page.outlet in self._standing]
        if standing:
            yield from self._as_left(list(self._made(standing)))
        yield from self._made([page for page in due if page.outlet not in self._standing])

    def _as_left(self, files: Sequence[_File]) -> Iterator[_File]:
        """Some files: with what they hold, where that is what was written last."""
        written = self.store.file_hashes(self.root, [path for path, _ in files])
        for path, content in files:
            there = self.tree.read(path) if path in written and isinstance(content, bytes) else None
            yield path, content if there is None or digest(there) != written[path] else there

    def _made(self, due: Sequence[Stale]) -> Iterator[_File]:
        """The files of what is due, made from the store: an article's page (and history), a list's numbered pages and
        front page.
        """
        yield from self._article_pages([(page.outlet, page.id) for page in due if page.kind == "article"])
        lists = sorted((page.outlet, page.kind, page.id, page.part) for page in due if page.kind != "article")
        for (outlet, kind, list_id), parts in groupby(lists, key=lambda page: page[:3]):
            for *_, part in parts:
                yield from self.lists.numbered(outlet, kind, list_id, part)
            yield from self.lists.front(outlet, kind, list_id)

    # --- articles ---------------------------------------------------------------------------------------------------

    def _article_pages(self, keys: Sequence[tuple[str, str]]) -> Iterator[_File]:
        articles = self._articles(keys)
        wanted = {article.key: self.links.targets_of(article) for article in articles}
        outlets = {Target(article.outlet, "all", "") for article in articles}
        held = self.store.held(outlets.union(*wanted.values()), self.held_back)
        kept = self._kept(keys)
        yield from {paths.asset_path(name): file for name, file in kept.values()}.items()
        pictures = {url: paths.asset_path(name) for url, (name, _) in kept.items()}
        for article in articles:
            path = paths.path_of(self.config.path, article)
            place = self._place_of(article, path, held, pictures)
            yield from self.renderer.files(path, self.renderer.article(article, place))
            if article.revision > 1:
                told = changes(islice(self.store.revisions(*article.key), article.revision))
                yield from self.renderer.files(paths.history_path(path), self.renderer.history(article, place, told))

    def _articles(self, keys: Sequence[tuple[str, str]]) -> list[Article]:
        return [*self.store.articles([key for key in keys if key[0] not in self.held_back]), *self._published(keys)]

    def _published(self, keys: Sequence[tuple[str, str]]) -> Iterator[Article]:
        """Those of some articles whose outlets are held back, as these published them last."""
        for outlet in self.held_back:
            ids = [article_id for name, article_id in keys if name == outlet]
            yield from self.store.published(outlet, ids).values()

    def _place_of(
        self, article: Article, path: str, held: Mapping[Target, Held], pictures: Mapping[str, str]
    ) -> ArticlePlace:
        def link(target: Target) -> str | None:
            there = held.get(target)
            return self.volumes.link(path, page_path(self.config.path, target, there), there.volume) if there else None

        def resolve(href: str) -> str | None:
            target = self.links.find(href)
            return link(target) if target else None

        def list_link(kind: str, list_id: str, name: str) -> Link:
            target = Target(article.outlet, kind, list_id)
            return Link(title=held[target].title if target in held else name, path=link(target))

        section, outlet = article.section, self.lists.outlet_link(article.outlet)
        return ArticlePlace(
            path=path,
            resolve=resolve,
            picture=pictures.get,
            outlet=dataclasses.replace(outlet, path=link(Target(article.outlet, "all", ""))),
            section=list_link("section", section.id, section.name) if section else None,
            tags=[list_link("tag", tag, tag) for tag in article.tags],
        )

    # --- pictures ---------------------------------------------------------------------------------------------------

    def _kept(self, keys: Sequence[tuple[str, str]]) -> dict[str, tuple[str, Path]]:
        """Address → name and file of the pictures that the pages of some articles show.

        One whose file is whole in a tree only will do. One that is nowhere whole is shown in words.
        """
        files = ((url, name, self._file(name)) for url, name in self._shown(keys).items())
        return {url: (name, file) for url, name, file in files if file is not None}

    def _file(self, name: str) -> Path | None:
        """The file that has a picture whole. None is read while the tree has one of the same size as the album."""
        if name in self.damaged:
            return self.damaged[name]
        ours = self.album.place(name)
        whole = not self.tree.differs(paths.asset_path(name), ours) or read_whole(ours) is not None
        return ours if whole else self._copy(name)

    def _copy(self, name: str) -> Path | None:
        """The copy that a tree has of a damaged picture, which is noted."""
        if name not in self.damaged:
            roots = dict.fromkeys([self.root, *self.store.trees()])
            self.damaged[name] = find_whole(Path(root, paths.asset_path(name)) for root in roots)
        return self.damaged[name]

    def mend(self, name: str) -> None:
        """Put a damaged picture back into the album; one that is nowhere whole is wanted again, by all its addresses.

        Nothing shows the tree's damaged copy then; it goes, lest it be taken for the one that comes. OSError when
        album or tree cannot be written.
        """
        if copy := self.damaged[name]:
            self.album.put(copy.read_bytes())
        else:
            content = self.tree.read(path := paths.asset_path(name))
            if content is not None:
                self._remove({path: digest(content)}, Tally())
            self.store.pictures.lost(name)
        del self.damaged[name]

    def _shown(self, keys: Sequence[tuple[str, str]]) -> dict[str, str]:
        """Address → name of the pictures that the pages of some articles show."""
        if self.config.pages.images != "local":
            return {}
        current = [key for key in keys if key[0] not in self.held_back]
        earlier = [url for article in self._published(keys) for url in self.links.pictures_shown(article)]
        return self.store.pictures.shown(current) | self.store.pictures.kept(earlier)


def _digest(content: bytes | Path) -> str:
    return digest(content if isinstance(content, bytes) else content.read_bytes())


def _batches(pages: Iterable[Stale]) -> Iterator[list[Stale]]:
    remaining = iter(pages)
    while batch := list(islice(remaining, _BATCH)):
        yield batch
