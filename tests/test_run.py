"""A run: its name and lock, its feeds after a kill, its verdict; and the locks and feeds themselves."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from scrapy.utils.test import get_crawler

from mirror_crawler import feeds
from mirror_crawler.locks import FileLock
from mirror_crawler.run import Run
from mirror_crawler.spiders.epochtimes import EpochtimesSpider
from mirror_crawler.store import StoreError
from tests.mirror import REPO, Mirror, news
from tests.site import SampleSite
from tests.test_pipelines import article, listing

EARLIER = "2026-11-21T00:00:00+00:00"


def begun(mirror: Mirror) -> Run:
    """A run that has begun, without a crawl."""
    crawler = get_crawler(EpochtimesSpider, dict(mirror.settings()))
    crawler.spider = crawler._create_spider()
    run = Run.of(crawler)
    run.spider_opened()
    return run


def ended(run: Run, reason: str = "finished") -> None:
    run.spider_closed(reason)
    run.engine_stopped()


class TestFeedsOfKilledRuns:
    @pytest.fixture
    def killed(self, mirror: Mirror) -> str:
        """A run that stored an article and a listing and was killed."""
        with mirror.store() as store:
            name = store.begin_run("epochtimes", EARLIER)
            store.put_article(article(content_hash="1"), name)
            store.put_listing(listing(), name)
        directory = mirror.data / "feeds" / "epochtimes"
        directory.mkdir(parents=True)
        (directory / f"articles-{name}.jsonl.part").write_text('{"half a li', encoding="utf-8")
        return name

    def test_the_next_run_completes_them(self, mirror: Mirror, killed: str, caplog: pytest.LogCaptureFixture) -> None:
        run = begun(mirror)
        assert run.name != killed
        ended(run)
        assert [path.name for path in mirror.feed_files()] == [f"articles-{killed}.jsonl", f"listings-{killed}.jsonl"]
        assert [record["article_id"] for record in mirror.fed("epochtimes", "articles")] == ["n14900001"]
        assert mirror.fed("epochtimes", "listings") == [json.loads(listing().to_json())]
        assert f"Run {killed} of epochtimes had been killed" in caplog.text
        with mirror.store() as store:
            latest, earlier = store.last_runs("epochtimes", 2)
        assert (latest.run, latest.verdict) == (run.name, "ok")
        assert (earlier.run, earlier.verdict) == (killed, "killed")

    def test_only_once(self, mirror: Mirror, killed: str) -> None:
        ended(begun(mirror))
        for path in mirror.feed_files():
            path.unlink()
        ended(begun(mirror))
        assert mirror.feed_files() == []

    def test_a_killed_run_that_stored_nothing_leaves_no_feed(self, mirror: Mirror) -> None:
        with mirror.store() as store:
            name = store.begin_run("epochtimes", EARLIER)
        directory = mirror.data / "feeds" / "epochtimes"
        directory.mkdir(parents=True)
        (directory / f"articles-{name}.jsonl.part").touch()
        ended(begun(mirror))
        assert mirror.feed_files() == []

    def test_a_run_that_goes_on_is_left_alone(self, mirror: Mirror) -> None:
        first = begun(mirror)
        first.store.put_article(article(content_hash="1"), first.name)
        second = begun(mirror)
        assert second.name != first.name
        assert mirror.feed_files() == []
        ended(second)
        with mirror.store() as store:
            assert store.unfinished_runs("epochtimes") == [first.name]
        ended(first)

    def test_the_run_of_another_outlet_is_left_alone(self, mirror: Mirror) -> None:
        with mirror.store() as store:
            other = store.begin_run("ntdtv", EARLIER)
        ended(begun(mirror))
        with mirror.store() as store:
            assert store.unfinished_runs("ntdtv") == [other]


class TestVerdict:
    @pytest.mark.parametrize(
        ("counts", "reason", "fault"),
        [
            pytest.param({}, "finished", None, id="nothing-to-do"),
            pytest.param({"articles/failed": 3, "articles/new": 3}, "finished", None, id="half-failed"),
            pytest.param({"articles/failed": 3, "articles/revised": 3}, "finished", None, id="half-failed-revised"),
            pytest.param(
                {"articles/failed": 1}, "finished", "1 articles failed and only 0 could be read", id="all-failed"
            ),
            pytest.param(
                {"articles/failed": 4, "articles/new": 3}, "finished", "4 articles failed and only 3", id="most-failed"
            ),
            pytest.param(
                {"articles/failed": 3, "articles/unreadable": 3, "articles/new": 26},
                "finished",
                "3 of 29 articles could not be read",
                id="a-template-of-several",
            ),
            pytest.param(
                {"articles/failed": 3, "articles/unreadable": 3, "articles/new": 27}, "finished", None, id="a-tenth"
            ),
            pytest.param(
                {"articles/failed": 2, "articles/unreadable": 2, "articles/new": 9}, "finished", None, id="a-few"
            ),
            pytest.param({"items/lost": 1}, "finished", "1 items were lost to exceptions", id="exception"),
            pytest.param({"pages/failed": 1}, "finished", "pages could not be written", id="pages"),
            pytest.param({"articles/failed": 4, "articles/failed_again": 4}, "finished", None, id="only-known-to-fail"),
            pytest.param({}, "shutdown", "the crawl ended early: shutdown", id="shutdown"),
            pytest.param({}, "", "the crawl ended early: it never started", id="never-started"),
        ],
    )
    def test_of_a_run(self, mirror: Mirror, counts: dict[str, int], reason: str, fault: str | None) -> None:
        run = begun(mirror)
        for key, number in counts.items():
            run.count(key, number)
        ended(run, reason)
        assert run.verdict == ("failed" if fault else "ok")
        assert [(fault or "") in said for said in run.faults()] == ([True] if fault else [])
        with mirror.store() as store:
            (noted,) = store.last_runs("epochtimes", 1)
        assert noted.verdict == run.verdict
        assert counts.items() <= noted.report.items()
        assert noted.finished_at is not None

    def test_an_exception_in_a_pipeline_is_a_fault(self, mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(*_: Any) -> None:
            raise KeyError("a mistake")

        monkeypatch.setattr("mirror_crawler.pipelines.content_hash", broken)
        outcome = mirror.crawl("epochtimes", url=news("epochtimes", 1)[0].url)
        assert outcome.faults == ["1 items were lost to exceptions, see the log"]

    def test_a_feed_that_cannot_be_stored_is_a_fault(self, mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(*_: Any) -> None:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr("mirror_crawler.feeds.os.fsync", full)
            outcome = mirror.crawl("epochtimes", section="nsc413")
        assert outcome.faults == ["a feed could not be stored; the next run will write it"]
        assert {path.suffix for path in mirror.feed_files()} == {".part"}
        assert mirror.crawl("epochtimes", section="nsc413").stats["runs/finished_after_kill"] == 1
        feeds = mirror.feed_files()
        assert {path.suffix for path in feeds} == {".jsonl"}
        with mirror.store() as store:
            stored = sorted(store.records())
        assert sorted(line for path in feeds for line in path.read_text(encoding="utf-8").splitlines()) == stored

    def test_a_few_failures_are_shown_all_are_counted(self, mirror: Mirror, site: SampleSite) -> None:
        stories = news("epochtimes", 9)
        for story in stories:
            site.set(story.url, status=404)
        outcome = mirror.crawl("epochtimes", section="nsc413")
        assert (outcome.stats["articles/failed"], outcome.stats["articles/failed/HTTP 404"]) == (9, 9)
        assert len(outcome.failures) == 5
        assert outcome.faults == ["9 articles failed and only 3 could be read"]


class TestStoreThatFails:
    """What the store cannot take ends the run with one line, wherever it is noticed."""

    FULL = StoreError("MIRROR_DB: x cannot grow because the disk is full")

    @pytest.mark.parametrize("method", ["walk_begin", "note_failure"])
    def test_ends_the_run(
        self, mirror: Mirror, site: SampleSite, monkeypatch: pytest.MonkeyPatch, method: str, caplog: Any
    ) -> None:
        def full(*_: Any) -> None:
            raise self.FULL

        site.set(news("epochtimes", 12)[11].url, status=404)
        monkeypatch.setattr(f"mirror_crawler.store.ArticleStore.{method}", full)
        outcome = mirror.crawl("epochtimes", section="nsc413")
        assert outcome.faults == [str(self.FULL), "the crawl ended early: store"]
        assert "Traceback" not in caplog.text

    def test_is_told_when_the_run_cannot_be_ended(
        self, mirror: Mirror, monkeypatch: pytest.MonkeyPatch, caplog: Any
    ) -> None:
        def full(*_: Any, **__: Any) -> None:
            raise self.FULL

        run = begun(mirror)
        monkeypatch.setattr(run.store, "end_run", full)
        ended(run)
        assert run.faults() == [str(self.FULL)]
        assert not list((mirror.data / "runs").iterdir())


def test_a_crawler_without_the_extension_is_a_mistake() -> None:
    with pytest.raises(RuntimeError, match="is not enabled"):
        Run.of(get_crawler())


def test_a_run_before_its_spider_has_no_outlet(mirror: Mirror) -> None:
    crawler = get_crawler(EpochtimesSpider, dict(mirror.settings()))
    run = Run.of(crawler)
    assert run.outlet == ""
    run.engine_stopped()
    with mirror.store() as store:
        assert store.last_runs("", 1) == []


class TestFileLock:
    def test_is_for_one_holder(self, tmp_path: Path) -> None:
        first, second = FileLock(tmp_path / "a" / "lock"), FileLock(tmp_path / "a" / "lock")
        assert first.acquire()
        assert not second.acquire()
        first.release()
        assert second.acquire()
        second.release()
        assert not (tmp_path / "a" / "lock").exists()

    def test_release_without_holding_it_takes_nothing_away(self, tmp_path: Path) -> None:
        holder, other = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
        with holder:
            other.release()
            assert not other.acquire()

    def test_waits_for_another_process(self, tmp_path: Path) -> None:
        code = (
            "import sys; from pathlib import Path; from mirror_crawler.locks import FileLock\n"
            "with FileLock(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read(); Path(sys.argv[2]).touch()"
        )
        command = [sys.executable, "-c", code, str(tmp_path / "lock"), str(tmp_path / "done")]
        with subprocess.Popen(command, cwd=REPO, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            assert child.stdin is not None
            assert child.stdout.readline() == "held\n"
            assert not FileLock(tmp_path / "lock").acquire()
            child.stdin.close()
            with FileLock(tmp_path / "lock"):
                assert (tmp_path / "done").exists()

    def test_a_killed_holder_leaves_it_free(self, tmp_path: Path) -> None:
        code = (
            "import sys, time; from pathlib import Path; from mirror_crawler.locks import FileLock\n"
            "FileLock(Path(sys.argv[1])).acquire(); print('held', flush=True); time.sleep(60)"
        )
        command = [sys.executable, "-c", code, str(tmp_path / "lock")]
        with subprocess.Popen(command, cwd=REPO, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            child.stdout.readline()
            child.kill()
        with contextlib.closing(FileLock(tmp_path / "lock")) as lock:
            assert lock.acquire()

    def test_a_lock_file_that_the_last_holder_removed_is_made_anew(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Between our opening and locking it, the holder before us took it away."""
        path = tmp_path / "lock"
        real, opened = os.open, Counter[str]()

        def slow_open(name: str, flags: int, mode: int) -> int:
            descriptor = real(name, flags, mode)
            opened["times"] += 1
            if opened["times"] == 1:
                path.unlink()
            return descriptor

        monkeypatch.setattr("mirror_crawler.locks.os.open", slow_open)
        with FileLock(path):
            assert path.exists()
        assert opened["times"] == 2


class TestFeeds:
    def test_a_feed_is_whole_or_absent(self, tmp_path: Path) -> None:
        path = feeds.feed_path(tmp_path, "epochtimes", "articles", "20261122T000000Z")
        assert path == tmp_path / "feeds" / "epochtimes" / "articles-20261122T000000Z.jsonl"
        assert feeds.write_feed(path, ['{"题": 1}', "{}"]) == 2
        assert path.read_bytes() == '{"题": 1}\n{}\n'.encode()
        assert feeds.write_feed(path.with_name("none.jsonl"), []) == 0
        assert [found.name for found in path.parent.iterdir()] == [path.name]

    def test_is_where_the_setting_says(self, mirror: Mirror) -> None:
        """Feeds of killed runs are written to the place that the setting FEEDS states for those of others."""
        mirror.crawl("epochtimes", section="nsc413")
        with mirror.store() as store:
            (run,) = store.last_runs("epochtimes", 1)
        expected = [feeds.feed_path(mirror.data, "epochtimes", kind, run.run) for kind in ("articles", "listings")]
        assert mirror.feed_files() == expected

    def test_the_operators_own_feeds(self, mirror: Mirror, tmp_path: Path) -> None:
        target = tmp_path / "own.jsonl"
        for overwrite, lines in ((True, 5), (False, 12), (True, 0)):
            mine = {
                str(target): {
                    "format": "jsonlines",
                    "overwrite": overwrite,
                    "item_classes": ["mirror_crawler.items.Article"],
                }
            }
            mirror.crawl("epochtimes", {"FEEDS": mine}, section="nsc413", pages="1" if lines == 5 else "all")
            if lines:
                assert len(target.read_text(encoding="utf-8").splitlines()) == lines
        assert list(tmp_path.glob("*.part")) == []
