"""How far walks have come: what a note of the journal lets the next run skip must be stored, whenever this one ends."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mirror_crawler.addresses import ListAddress
from mirror_crawler.journal import Journal
from mirror_crawler.store import ArticleStore, Validator, Walk

OUTLET = "epochtimes"
WINDOW = "2026-11-01..2026-11-22"


def url(page: int, list_id: str = "nsc413") -> str:
    return f"https://www.epochtimes.com/gb/{list_id}{f'_{page}' if page > 1 else ''}.htm"


def state(page: int) -> Validator:
    return Validator(f'"{page}"', "", url(page + 1))


SECTION = ListAddress(kind="section", list_id="nsc413", url=url(1))
OTHER = ListAddress(kind="section", list_id="nsc418", url=url(1, "nsc418"))
TAG = ListAddress(kind="tag", list_id="nsc413", url="https://www.epochtimes.com/gb/tag/nsc413.html")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ArticleStore]:
    with ArticleStore(f"sqlite:///{tmp_path}/mirror.db") as opened:
        yield opened


@pytest.fixture
def run(store: ArticleStore) -> Callable[..., Journal]:
    """The journal of another run."""
    return lambda window="": Journal(store, OUTLET, window)


Runs = Callable[..., Journal]


def walk(journal: Journal, *pages: int, origin: ListAddress = SECTION) -> None:
    """Read these pages of a list, one after the other."""
    for page in pages:
        if page == 1:
            journal.begun(origin, "大陆")
        else:
            journal.came_to(origin, url(page, origin.list_id), page)
        journal.read(origin, url(page, origin.list_id), state(page))


def known(store: ArticleStore, list_id: str = "nsc413") -> list[int]:
    """The pages of a list whose state is known."""
    return [page for page in range(1, 10) if store.validator(url(page, list_id))]


def left_off(journal: Journal, origin: ListAddress = SECTION) -> Walk | None:
    journal.begun(origin, "大陆")
    assert journal.was_cut_off(origin) or journal.left_off(origin) is None
    return journal.left_off(origin)


class TestStates:
    def test_of_a_page_is_known_once_the_next_one_comes(self, store: ArticleStore, run: Runs) -> None:
        journal = run()
        walk(journal, 1)
        assert known(store) == []
        journal.came_to(SECTION, url(2), 2)
        assert known(store) == [1]
        journal.read(SECTION, url(2), state(2))
        assert known(store) == [1]
        walk(journal, 3, 4)
        assert known(store) == [1, 2, 3]
        assert store.validator(url(3)) == state(3)

    def test_of_the_last_page_at_the_end_of_the_run(self, store: ArticleStore, run: Runs) -> None:
        journal = run()
        walk(journal, 1, 2)
        journal.ended(SECTION)
        assert known(store) == [1]
        journal.settle()
        assert known(store) == [1, 2]

    def test_of_the_last_page_of_a_walk_that_was_not_ended(self, store: ArticleStore, run: Runs) -> None:
        journal = run()
        walk(journal, 1, 2)
        journal.settle()
        assert known(store) == [1, 2]

    @pytest.mark.parametrize("finished", [True, False])
    def test_of_a_feed_in_a_run_that_asked_for_all(self, store: ArticleStore, run: Runs, finished: bool) -> None:
        """What a list names is wanted without having been asked for; what a feed names is not."""
        journal, feed = run(), "https://www.epochtimes.com/feed"
        walk(journal, 1)
        journal.source_read(feed, state(1))
        journal.settle(finished=finished)
        assert (known(store), store.validator(feed)) == ([1], state(1) if finished else None)

    def test_of_one_list_say_nothing_of_another(self, store: ArticleStore, run: Runs) -> None:
        journal = run()
        walk(journal, 1)
        walk(journal, 1, 2, 3, origin=OTHER)
        assert (known(store), known(store, "nsc418")) == ([], [1, 2])

    def test_of_a_page_that_was_not_sent_stays(self, store: ArticleStore, run: Runs) -> None:
        walk(first := run(), 1, 2)
        first.settle()
        second = run()
        second.begun(SECTION, "大陆")
        second.came_to(SECTION, url(2), 2)
        second.settle()
        assert [store.validator(url(page)) for page in (1, 2)] == [state(1), state(2)]

    def test_is_not_known_to_a_run_for_some_days(self, store: ArticleStore, run: Runs) -> None:
        """It leaves out what the page names of other days, and a 304 would hide that from all runs to come."""
        journal = run(WINDOW)
        walk(journal, 1, 2, 3)
        journal.settle()
        assert known(store) == []

    def test_that_the_outlet_does_not_give_any_more(self, store: ArticleStore, run: Runs) -> None:
        walk(first := run(), 1)
        first.settle()
        second = run()
        second.begun(SECTION, "大陆")
        second.read(SECTION, url(1), Validator("", ""))
        second.settle()
        assert known(store) == []


class TestPlace:
    def test_of_a_new_list_is_not_known(self, run: Runs) -> None:
        journal = run()
        journal.begun(SECTION, "大陆")
        assert not journal.was_cut_off(SECTION)
        assert journal.left_off(SECTION) is None

    def test_after_the_end_is_not_known(self, run: Runs) -> None:
        walk(first := run(), 1, 2, 3)
        first.ended(SECTION)
        first.settle()
        second = run()
        second.begun(SECTION, "大陆")
        assert not second.was_cut_off(SECTION)

    def test_killed_before_all_was_stored_is_cut_off(self, run: Runs) -> None:
        walk(first := run(), 1, 2, 3)
        first.ended(SECTION)
        assert left_off(run()) == Walk(url(3), 3)

    def test_killed_on_the_first_page_is_cut_off_somewhere(self, run: Runs) -> None:
        walk(run(), 1)
        second = run()
        second.begun(SECTION, "大陆")
        assert second.was_cut_off(SECTION)
        assert second.left_off(SECTION) is None

    def test_is_that_of_its_own_list(self, run: Runs) -> None:
        walk(run(), 1, 2)
        journal = run()
        assert left_off(journal, OTHER) is None
        assert left_off(journal, TAG) is None
        assert not journal.was_cut_off(SECTION)

    def test_is_that_of_its_own_days(self, run: Runs) -> None:
        walk(run(WINDOW), 1, 2, 3, 4)
        walk(run(), 1, 2)
        assert left_off(run(WINDOW)) == Walk(url(4), 4)
        assert left_off(run()) == Walk(url(2), 2)
        ended = run(WINDOW)
        walk(ended, 1)
        ended.ended(SECTION)
        ended.settle()
        assert left_off(run(WINDOW)) is None
        assert left_off(run()) == Walk(url(2), 2)

    def test_does_not_go_back_while_old_ground_is_walked(self, run: Runs) -> None:
        walk(run(), 1, 2, 3, 4, 5)
        for last in (1, 2, 3, 4):
            walk(run(), *range(1, last + 1))
            assert left_off(run()) == Walk(url(5), 5)

    def test_goes_on_from_where_it_was(self, run: Runs) -> None:
        walk(run(), 1, 2, 3, 4, 5)
        walk(run(), 1, 5, 6, 7)
        assert left_off(run()) == Walk(url(7), 7)

    def test_is_lost_when_something_new_stands_before_it(self, run: Runs) -> None:
        """The pages between page 1 and page 5 may hold what nobody has seen: the next run may not jump over them."""
        walk(run(), 1, 2, 3, 4, 5)
        journal = run()
        walk(journal, 1)
        journal.found_new(SECTION)
        walk(journal, 2)
        third = run()
        third.begun(SECTION, "大陆")
        assert third.was_cut_off(SECTION)
        assert third.left_off(SECTION) is None

    def test_is_known_again_on_known_ground(self, run: Runs) -> None:
        walk(run(), 1, 2, 3, 4, 5)
        journal = run()
        walk(journal, 1)
        journal.found_new(SECTION)
        walk(journal, 2, 5)
        assert left_off(run()) == Walk(url(5), 5)

    def test_new_things_on_new_ground_are_as_usual(self, run: Runs) -> None:
        walk(run(), 1)
        journal = run()
        for page in (1, 2, 3):
            walk(journal, page)
            journal.found_new(SECTION)
        assert left_off(run()) == Walk(url(3), 3)

    def test_end_of_one_list_leaves_the_others_open(self, run: Runs) -> None:
        journal = run()
        for origin in (SECTION, OTHER):
            walk(journal, 1, 2, origin=origin)
        journal.ended(OTHER)
        journal.settle()
        assert left_off(run()) == Walk(url(2), 2)
        assert left_off(run(), OTHER) is None

    def test_settling_twice_is_settling(self, store: ArticleStore, run: Runs) -> None:
        journal = run()
        walk(journal, 1)
        journal.ended(SECTION)
        journal.settle()
        journal.settle()
        assert known(store) == [1]
        assert left_off(run()) is None


def test_nothing_is_noted_once_an_item_was_lost(store: ArticleStore, run: Runs) -> None:
    journal = run()
    walk(journal, 1, 2)
    journal.item_lost()
    walk(journal, 3)
    journal.ended(SECTION)
    journal.settle()
    assert known(store) == [1]
    assert left_off(run()) == Walk(url(2), 2)
