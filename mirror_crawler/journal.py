"""How far the walk of each list has come, kept in the store so that a walk that is cut off can be taken up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mirror_crawler.store import ArticleStore, Validator, Walk

if TYPE_CHECKING:
    from mirror_crawler.addresses import ListAddress


class Journal:
    """The walks of one run of ``outlet``; ``window`` names the days that they are for, empty for all.

    What a page named is stored by the time the page after it comes, for items are stored in their order. So the page
    after it moves the note of the walk on, and makes the state of the page that was read (its validator) known: a 304
    must never stand for articles that a kill has cost. The last page's turn is :meth:`settle`.
    """

    def __init__(self, store: ArticleStore, outlet: str, window: str) -> None:
        self._store = store
        self._outlet = outlet
        self._window = window
        self._left_off: dict[tuple[str, str], Walk] = {}
        self._ended: set[tuple[str, str]] = set()
        self._read: dict[tuple[str, str], tuple[str, Validator]] = {}
        self._is_whole = True

    def begun(self, origin: ListAddress, name: str) -> None:
        """The first page of a list has come."""
        walk = self._store.walk_begin(self._outlet, *_key(origin), name, self._window)
        if walk is not None:
            self._left_off[_key(origin)] = walk

    def was_cut_off(self, origin: ListAddress) -> bool:
        """Whether an earlier walk of the list did not come to its end."""
        return _key(origin) in self._left_off

    def left_off(self, origin: ListAddress) -> Walk | None:
        """Where an earlier walk of the list was cut off, if that is known and this one is not there yet."""
        walk = self._left_off.get(_key(origin))
        return walk if walk is not None and walk.next_url else None

    def lost_place(self, origin: ListAddress) -> None:
        """Where an earlier walk was cut off is not where it was. The note stays until this one has gone further."""
        self._left_off[_key(origin)] = self._left_off[_key(origin)]._replace(next_url="")

    def came_to(self, origin: ListAddress, url: str, page: int) -> None:
        """A further page of a list has come: all that the pages before it name is stored."""
        self._make_known(_key(origin))
        left = self.left_off(origin)
        if left is not None and page >= left.page:
            self._left_off[_key(origin)] = left._replace(next_url="")  # the two walks are one from here on
            left = None
        if self._is_whole and left is None:
            self._store.walk_at(self._outlet, *_key(origin), url, page, self._window)

    def found_new(self, origin: ListAddress) -> None:
        """Something new stands in front of where an earlier walk was cut off. What lies between is not all known until
        this walk comes to known ground: cut off before, it leaves no place behind to go on from.
        """
        if self.left_off(origin) is not None:
            self._store.walk_at(self._outlet, *_key(origin), "", 1, self._window)

    def read(self, origin: ListAddress, url: str, state: Validator) -> None:
        """A page was read; ``state`` holds once all that it named is stored: never in a run for some days alone."""
        if not self._window:
            self._read[_key(origin)] = url, state

    def source_read(self, url: str, state: Validator) -> None:
        """A feed or sitemap was read; ``state`` holds once all that it named is stored or wanted."""
        if not self._window:
            self._read["", url] = url, state

    def ended(self, origin: ListAddress) -> None:
        """The walk came to its end; noted in the store once all it found is stored."""
        self._ended.add(_key(origin))

    def item_lost(self) -> None:
        """Not all that was read got into the store: nothing further is noted, so the next run reads it again."""
        self._is_whole = False

    def settle(self, *, finished: bool = True) -> None:
        """Every item of the run is stored: note which walks came to their end, and the state of their last pages.

        Only a ``finished`` run has asked for all that was named. What a list names is wanted all the same; what a feed
        or sitemap names is not, so it must be sent again.
        """
        if not self._is_whole:
            return
        for kind, place in list(self._read):
            if finished or kind:
                self._make_known((kind, place))
        for kind, list_id in sorted(self._ended):
            self._store.walk_end(self._outlet, kind, list_id, self._window)

    def _make_known(self, key: tuple[str, str]) -> None:
        if self._is_whole and key in self._read:
            self._store.put_validators(dict([self._read.pop(key)]))


def _key(origin: ListAddress) -> tuple[str, str]:
    return origin.kind, origin.list_id
