"""Runs that are not alone, and outlets that want to be left alone."""

from __future__ import annotations

import concurrent.futures
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import time_machine

from mirror_crawler import pace
from mirror_crawler import run as run_module
from mirror_crawler.blocked import IN_A_ROW
from mirror_crawler.locks import FileLock
from tests.life import LONG_AFTER, State
from tests.mirror import FAST, SECTION, ClockedSite, Mirror, article_requests, fingerprint, news, wait_until
from tests.site import Answer, answers
from tests.site.world import World, robots

pytestmark = pytest.mark.untraced

STORIES = news("epochtimes", 12)
WORDS = ("crawl", "epochtimes", "-a", "section=nsc413")


@pytest.fixture
def site(world: World) -> Iterator[ClockedSite]:
    with ClockedSite(world) as running:
        yield running


class TestTwoAtOnce:
    def test_the_second_leaves_and_a_killed_one_is_in_nobodys_way(self, mirror: Mirror, site: ClockedSite) -> None:
        site.set(STORIES[11].url, hang=True)
        with mirror.start(*WORDS) as first:
            try:
                wait_until(lambda: STORIES[11].url in site.asked() or first.poll() is not None)
                site.requests.clear()
                second = mirror.command(*WORDS)
                asked = site.asked()
                other = mirror.crawl("ntdtv", section="prog204")
            finally:
                first.kill()
                first.communicate()
        assert (second.returncode, second.stdout) == (3, "")
        assert second.stderr.count("\n") == 1
        assert (
            "Another run of epochtimes is at work on this store; this one leaves (MIRROR_BUSY=leave)" in second.stderr
        )
        assert "https://www.epochtimes.com/robots.txt" not in asked  # what every run asks for first
        with mirror.store() as store:
            assert len(store.last_runs("epochtimes", 9)) == 1
        assert other.verdict == "ok"
        site.reset(STORIES[11].url)
        assert mirror.crawl("epochtimes", section="nsc413").verdict == "ok"
        with mirror.store() as store:
            assert sorted(str(run.verdict) for run in store.last_runs("epochtimes", 9)) == ["killed", "ok"]
        assert len(mirror.articles()) == 24

    def test_the_second_waits(self, mirror: Mirror, site: ClockedSite, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(run_module, "_BETWEEN_TRIES", 0.01)
        lock = FileLock(mirror.data / "runs" / "epochtimes.lock")
        assert lock.acquire()
        tries: list[Path] = []
        real = FileLock.acquire

        def counted(lock: FileLock, *, wait: bool = False) -> bool:
            tries.append(lock.path)
            return real(lock, wait=wait)

        monkeypatch.setattr(FileLock, "acquire", counted)
        with concurrent.futures.ThreadPoolExecutor() as pool:
            waiting = pool.submit(mirror.crawl, "epochtimes", {"MIRROR_BUSY": "wait"}, section="nsc413")
            wait_until(lambda: len(tries) > 5 or waiting.done())
            asked = site.asked()
            lock.release()
            outcome = waiting.result()
        assert asked == []
        assert (outcome.verdict, outcome.stats["articles/new"]) == ("ok", 12)


class TestStorm:
    """A pause can only be longer than asked for, so this says nothing of the machine's speed."""

    @pytest.mark.parametrize("stated", [1, None], ids=["stated", "not-stated"])
    @pytest.mark.parametrize("how", [answers.too_many, answers.unavailable])
    @pytest.mark.parametrize("outlet", ["epochtimes"])
    def test_holds_back_the_whole_outlet_and_costs_nothing(
        self,
        mirror: Mirror,
        site: ClockedSite,
        monkeypatch: pytest.MonkeyPatch,
        outlet: str,
        how: Callable[[int | None], Answer],
        stated: int | None,
    ) -> None:
        for name in ("DEFAULT_REST", "BROKEN_REST"):
            monkeypatch.setattr(pace, name, 60.0 if stated else 0.3)
        site.storm(how(stated), count=1, of=news(outlet, 12)[9].url)
        one_by_one = {"CONCURRENT_REQUESTS_PER_DOMAIN": 1, "DOWNLOAD_DELAY": 0.002}
        outcome = mirror.crawl(outlet, one_by_one, section=SECTION[outlet])
        assert (outcome.verdict, outcome.stats["articles/new"], outcome.failures) == ("ok", 12, [])
        assert outcome.stats["requests/slowed_down"] == 1
        times = [at for at, _ in site.times]
        (stormy,) = [place for place, request in enumerate(site.requests) if request.status in (429, 503)]
        assert times[stormy + 1] - times[stormy] > (0.99 if stated else 0.29)

    def test_crawl_delay(self, mirror: Mirror, site: ClockedSite, world: World) -> None:
        site.set("https://www.epochtimes.com/robots.txt", robots(crawl_delay=0.1))
        assert mirror.crawl("epochtimes", FAST, section="nsc413", pages="1").verdict == "ok"
        times = [at for at, _ in site.times]
        assert len(times) == 7
        # A request may be held up on its way, and the next be not.
        assert times[-1] - times[0] > 0.5
        assert sum(later - earlier > 0.08 for earlier, later in itertools.pairwise(times)) >= 5

    @pytest.mark.parametrize(
        "answer", [pytest.param(answers.forbidden(), id="403"), pytest.param(answers.challenge(), id="challenge")]
    )
    def test_of_refusals_ends_the_run(self, mirror: Mirror, site: ClockedSite, world: World, answer: Answer) -> None:
        """It asks for no more than is under way by then, publishes nothing and loses nothing."""
        mirror.crawl("epochtimes", section="nsc413")
        before = State.of(mirror)
        after = world.changed(*news("epochtimes", 60, start=12))
        site.serve(after)
        site.storm(answer, of="/26/")
        site.requests.clear()
        refused = mirror.command(*WORDS)
        assert refused.returncode == 5, refused.stderr
        assert ": blocked after " in refused.stderr
        assert (
            IN_A_ROW <= len(article_requests(site.requests)) <= IN_A_ROW + int(FAST["CONCURRENT_REQUESTS_PER_DOMAIN"])
        )
        assert State.of(mirror).written == before.written
        assert mirror.ask("health", "epochtimes") == 5
        site.calm()
        assert mirror.crawl("epochtimes", section="nsc413").verdict == "ok"
        assert {article_id for _, article_id in mirror.articles()} == after.listed("epochtimes")
        assert mirror.ask("health", "epochtimes") == 0

    def test_of_refused_lists_ends_the_run_and_withdraws_nothing(self, mirror: Mirror, site: ClockedSite) -> None:
        with time_machine.travel(LONG_AFTER):
            mirror.crawl("epochtimes", section="nsc413")
            before = fingerprint(mirror.files())
            site.storm(answers.forbidden())
            for _ in range(3):
                outcome = mirror.crawl("epochtimes", refresh="all", section="nsc413")
                assert outcome.verdict == "blocked"
            assert {record["withdrawn_at"] for record in mirror.articles().values()} == {None}
            assert fingerprint(mirror.files()) == before
            site.calm()
            assert mirror.crawl("epochtimes", refresh="all", section="nsc413").stats["articles/unchanged"] == 12
            assert fingerprint(mirror.files()) == before
