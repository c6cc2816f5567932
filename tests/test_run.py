"""A run: its name and lock, its feeds after a kill, its verdict, its report, who is told, and its feeds."""

from __future__ import annotations

import asyncio
import json
import logging
import shlex
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from scrapy import Request
from scrapy.utils.test import get_crawler

from mirror_crawler import feeds
from mirror_crawler import run as run_module
from mirror_crawler.health import MANY_BODIES, Expectations
from mirror_crawler.locks import FileLock
from mirror_crawler.run import KNOWN_TO_FAIL, Run
from mirror_crawler.spiders.epochtimes import EpochtimesSpider
from mirror_crawler.store import StoreError
from tests.mirror import Mirror, news, wait_until
from tests.site import SampleSite
from tests.site.changes import body_renamed
from tests.site.world import TRAPS, World
from tests.test_pipelines import article, listing

EARLIER = "2026-11-21T00:00:00+00:00"
SECTION = "https://www.epochtimes.com/gb/nsc413.htm"


def begun(mirror: Mirror, **settings: Any) -> Run:
    """A run that has begun, without a crawl."""
    crawler = get_crawler(EpochtimesSpider, dict(mirror.settings(**settings)))
    crawler.spider = crawler._create_spider()
    crawler.engine = mock.Mock(close_spider_async=mock.AsyncMock())
    run = Run.of(crawler)
    asyncio.run(run.spider_opened())
    return run


def ended(run: Run, reason: str = "finished") -> None:
    run.spider_closed(reason)
    asyncio.run(run.engine_stopped())


def last_verdicts(mirror: Mirror) -> list[str | None]:
    """The verdicts of the outlet's runs, newest first."""
    with mirror.store() as store:
        return [run.verdict for run in store.last_runs("epochtimes", 9)]


@pytest.mark.untraced
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

    def test_the_run_of_another_outlet_is_left_alone(self, mirror: Mirror) -> None:
        with mirror.store() as store:
            other = store.begin_run("ntdtv", EARLIER)
        ended(begun(mirror))
        with mirror.store() as store:
            assert store.unfinished_runs("ntdtv") == [other]


class TestOneAtATime:
    """While a run of an outlet goes on, no other works on the same store."""

    def test_the_other_leaves(self, mirror: Mirror, caplog: pytest.LogCaptureFixture) -> None:
        first = begun(mirror)
        first.store.put_article(article(content_hash="1"), first.name)
        second = begun(mirror)
        assert (second.refused, second.name, second.verdict, second.publishes) == (True, "", "busy", False)
        ended(second, "busy")
        assert mirror.feed_files() == []
        assert "Another run of epochtimes is at work on this store; this one leaves (MIRROR_BUSY=leave)" in caplog.text
        with mirror.store() as store:
            assert [run.run for run in store.last_runs("epochtimes", 9)] == [first.name]
            assert store.unfinished_runs("epochtimes") == [first.name]
        ended(first)
        assert last_verdicts(mirror) == ["ok"]

    @pytest.mark.untraced
    def test_a_crawl_that_leaves_asks_for_nothing(
        self, mirror: Mirror, site: SampleSite, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
    ) -> None:
        mirror.data.mkdir()
        with FileLock(mirror.data / "runs" / "epochtimes.lock"):
            outcome = mirror.crawl("epochtimes", section="nsc413")
        assert (outcome.verdict, site.requests, mirror.files()) == ("busy", [], {})
        assert [record.levelname for record in caplog.records if record.levelno >= logging.WARNING] == ["ERROR"]
        assert capsys.readouterr().err == ""
        assert last_verdicts(mirror) == []
        assert mirror.crawl("epochtimes", section="nsc413").verdict == "ok"

    @pytest.mark.untraced
    def test_another_outlet_does_not_care(self, mirror: Mirror) -> None:
        first = begun(mirror)
        assert mirror.crawl("ntdtv", section="prog204").verdict == "ok"
        ended(first)

    @pytest.mark.untraced
    def test_the_other_waits_if_it_is_told_to(
        self, mirror: Mirror, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(run_module, "_BETWEEN_TRIES", 0.01)
        first, outcomes = begun(mirror), []
        waiting = threading.Thread(
            target=lambda: outcomes.append(mirror.crawl("epochtimes", {"MIRROR_BUSY": "wait"}, section="nsc413"))
        )
        waiting.start()
        wait_until(lambda: "is at work on this store; waiting for its end" in caplog.text)
        assert mirror.site.requests == []
        ended(first)
        waiting.join()
        (outcome,) = outcomes
        assert (outcome.verdict, outcome.stats["articles/new"]) == ("ok", 12)
        assert last_verdicts(mirror) == ["ok", "ok"]


class TestBeginning:
    @pytest.mark.parametrize(
        ("where", "error"),
        [
            pytest.param("mirror_crawler.store.ArticleStore.begin_run", StoreError("MIRROR_DB: x is full"), id="store"),
            pytest.param("mirror_crawler.locks.os.open", PermissionError(13, "Permission denied"), id="lock"),
        ],
    )
    def test_that_fails_ends_the_run(
        self, mirror: Mirror, monkeypatch: pytest.MonkeyPatch, where: str, error: Exception
    ) -> None:
        """A crawl without a name would store articles that no feed brings."""

        def broken(*_: Any) -> None:
            raise error

        with monkeypatch.context() as patch:
            patch.setattr(where, broken)
            outcome = mirror.crawl("epochtimes", section="nsc413")
        assert outcome.verdict == "failed"
        assert outcome.faults == [str(error)]
        assert (mirror.site.requests, mirror.files()) == ([], {})
        assert mirror.crawl("epochtimes", section="nsc413").verdict == "ok"

    @pytest.mark.parametrize(
        ("error", "faults"),
        [
            pytest.param(StoreError("MIRROR_DB: x is full"), ["MIRROR_DB: x is full"], id="store"),
            pytest.param(KeyError("a mistake"), ["the crawl ended early: start_error"], id="of-ours"),
        ],
    )
    def test_that_fails_on_the_way_does_too(
        self, mirror: Mirror, monkeypatch: pytest.MonkeyPatch, error: Exception, faults: list[str], caplog: Any
    ) -> None:
        """Scrapy itself would end with exit code 0."""

        def broken(*_: Any) -> None:
            raise error

        with monkeypatch.context() as patch:
            patch.setattr("mirror_crawler.store.ArticleStore.wanted", broken)
            outcome = mirror.crawl("epochtimes", section="nsc413")
        assert (outcome.verdict, outcome.faults) == ("failed", faults)
        assert ("Traceback" in caplog.text) is isinstance(error, KeyError)
        assert mirror.crawl("epochtimes", section="nsc413").verdict == "ok"


class TestVerdict:
    @pytest.mark.untraced
    @pytest.mark.parametrize(
        ("counts", "reason", "verdict", "fault"),
        [
            pytest.param({}, "finished", "ok", None, id="nothing-to-do"),
            pytest.param({"articles/new": 3}, "finished", "ok", None, id="good"),
            pytest.param({"items/lost": 1}, "finished", "failed", "1 items were lost to exceptions", id="exception"),
            pytest.param({"pages/failed": 1}, "finished", "failed", "pages could not be written", id="pages"),
            pytest.param(
                {"feedexport/failed_count/AtomicFileStorage": 1}, "finished", "failed", "a feed could not", id="feed"
            ),
            pytest.param({}, "shutdown", "degraded", "the crawl was stopped before its end", id="shutdown"),
            pytest.param({}, "store", "failed", "the crawl ended early: store", id="store"),
            pytest.param({}, "blocked", "blocked", "the outlet blocks the crawl", id="blocked"),
            pytest.param({}, "", "failed", "the crawl ended early: it never started", id="never-started"),
        ],
    )
    def test_of_a_run(
        self, mirror: Mirror, counts: dict[str, int], reason: str, verdict: str, fault: str | None
    ) -> None:
        run = begun(mirror)
        for key, number in counts.items():
            run.count(key, number)
        ended(run, reason)
        assert run.verdict == verdict
        assert [(fault or "") in finding.what for finding in run.judgement.findings] == ([True] if fault else [])
        unended = "feed" in str(counts)
        assert last_verdicts(mirror) == [None if unended else verdict]

    @pytest.mark.untraced
    @pytest.mark.parametrize(
        ("failed", "read", "verdict"),
        [(1, 0, "failed"), (4, 3, "failed"), (3, 3, "degraded"), (3, 27, "ok"), (2, 9, "ok")],
        ids=["all-failed", "most-failed", "half-failed", "a-tenth", "a-few"],
    )
    @pytest.mark.parametrize("field", [None, "body"], ids=["not-had", "not-readable"])
    def test_of_articles_that_failed(
        self, mirror: Mirror, failed: int, read: int, verdict: str, field: str | None
    ) -> None:
        run = begun(mirror)
        for number in range(read):
            run.tally.saw_article(article(article_id=f"n{number}"))
        for request in article_requests_of(run, failed):
            run.article_failed(request, "no body (#artbody)", field=field, selector="#artbody" if field else None)
        assert (run.counted("articles/failed"), run.counted("articles/failed/no body")) == (failed, failed)
        assert run.counted("articles/unreadable") == (failed if field else 0)
        ended(run)
        assert run.verdict == verdict

    def test_articles_that_failed_before_say_nothing_of_this_run(self, mirror: Mirror) -> None:
        run = begun(mirror)
        for request in article_requests_of(run, 4):
            run.article_failed(request.replace(meta={KNOWN_TO_FAIL: True}), "HTTP 404")
        ended(run)
        assert (run.verdict, run.counted("articles/failed_again"), run.counted("articles/failed")) == ("ok", 4, 4)

    @pytest.mark.untraced
    def test_is_by_what_the_outlet_is_expected_to_bring(self, mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
        assert mirror.crawl("epochtimes", section="nsc413", pages="1").verdict == "ok"
        monkeypatch.setattr(EpochtimesSpider, "expectations", Expectations(list_entries=6))
        mirror.site.validators = False
        outcome = mirror.crawl("epochtimes", section="nsc413", pages="1")
        assert outcome.verdict == "failed"
        (fault,) = outcome.faults
        assert fault.startswith(f"fewer than 6 article links in 1 of 1 lists ({EpochtimesSpider.list_page.ENTRIES})")

    @pytest.mark.untraced
    def test_body_lengths_are_held_against_those_of_the_last_days(self, mirror: Mirror) -> None:
        def ran(length: int) -> Run:
            run = begun(mirror)
            for number in range(MANY_BODIES):
                run.tally.saw_article(article(article_id=f"n{number}", text="文" * length))
            run.spider_idle()
            run.conclude()
            assert run.publishes
            ended(run)
            return run

        assert [ran(length).verdict for length in (300, 300, 30, 300)] == ["ok", "ok", "degraded", "ok"]

    @pytest.mark.untraced
    @pytest.mark.parametrize("lost", [1, 2], ids=["one", "all"])
    def test_of_lists(self, mirror: Mirror, site: SampleSite, lost: int) -> None:
        site.set(TRAPS["no-entries"], "<!DOCTYPE html><h1>维护中</h1>")
        other = SECTION if lost == 1 else SECTION.replace("413", "9999")
        outcome = mirror.crawl("epochtimes", url=f"{TRAPS['no-entries']} {other}")
        assert outcome.verdict == ("degraded" if lost == 1 else "failed")
        assert bool(mirror.files()) == (lost == 1)

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
        full_disk = "[Errno 28] No space left on device"
        assert outcome.faults == [
            f"the report could not be written: {full_disk}",
            "a feed could not be stored; the next run will write it",
        ]
        assert {path.suffix for path in mirror.feed_files()} == {".part"}
        assert mirror.crawl("epochtimes", section="nsc413").stats["runs/finished_after_kill"] == 1
        feeds = mirror.feed_files()
        assert {path.suffix for path in feeds} == {".jsonl"}
        with mirror.store() as store:
            stored = sorted(store.records())
        assert sorted(line for path in feeds for line in path.read_text(encoding="utf-8").splitlines()) == stored

    @pytest.mark.untraced
    def test_a_few_failures_are_shown_all_are_counted(self, mirror: Mirror, site: SampleSite) -> None:
        stories = news("epochtimes", 9)
        for story in stories:
            site.set(story.url, status=404)
        outcome = mirror.crawl("epochtimes", section="nsc413")
        assert (outcome.stats["articles/failed"], outcome.stats["articles/failed/HTTP 404"]) == (9, 9)
        assert len(outcome.failures) == 5
        (fault,) = outcome.faults
        assert fault.startswith("9 of 12 articles could not be had (HTTP 404: 9): ")


def test_a_fault_of_ours_at_the_end_is_one_of_the_run(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise KeyError("a mistake")

    run = begun(mirror)
    monkeypatch.setattr(run.store, "end_run", broken)
    run.spider_idle()
    with pytest.raises(KeyError):
        ended(run)
    assert (run.verdict, run.over.is_set()) == ("failed", True)


@pytest.mark.parametrize(("reason", "verdict"), [("blocked", "blocked"), ("store", "failed")])
def test_what_ends_a_run_is_not_forgotten_when_nothing_is_left_to_do(mirror: Mirror, reason: str, verdict: str) -> None:
    """The last page that was asked for may be the one that ends it; Scrapy then says that it has finished."""
    run = begun(mirror)

    async def end() -> None:
        run.abort(reason)
        run.spider_idle()
        run.spider_closed("finished")
        await run.engine_stopped()

    asyncio.run(end())
    assert (run.verdict, last_verdicts(mirror)) == (verdict, [verdict])


class TestStoreThatFails:
    """What the store cannot take ends the run with one line, wherever it is noticed."""

    FULL = StoreError("MIRROR_DB: x cannot grow because the disk is full")

    @pytest.mark.parametrize("method", ["walk_begin", "note_failure"])
    def test_ends_the_run(
        self, mirror: Mirror, site: SampleSite, monkeypatch: pytest.MonkeyPatch, method: str, caplog: Any
    ) -> None:
        def full(*_: Any, **__: Any) -> None:
            raise self.FULL

        site.set(news("epochtimes", 12)[11].url, status=404)
        monkeypatch.setattr(f"mirror_crawler.store.ArticleStore.{method}", full)
        outcome = mirror.crawl("epochtimes", section="nsc413")
        assert outcome.faults == [str(self.FULL)]
        assert "Traceback" not in caplog.text

    def test_is_told_when_the_run_cannot_be_ended(
        self, mirror: Mirror, monkeypatch: pytest.MonkeyPatch, caplog: Any
    ) -> None:
        def full(*_: Any, **__: Any) -> None:
            raise self.FULL

        run = begun(mirror)
        monkeypatch.setattr(run.store, "end_run", full)
        ended(run)
        assert [finding.what for finding in run.judgement.findings] == [str(self.FULL)]
        assert not (mirror.data / "runs" / "epochtimes.lock").exists()

    def test_is_told_once(self, mirror: Mirror) -> None:
        run = begun(mirror)

        async def fail() -> None:
            for _ in range(3):
                with run.storing():
                    raise self.FULL

        asyncio.run(fail())
        ended(run, "store")
        assert [finding.what for finding in run.judgement.findings] == [str(self.FULL)]


class TestReport:
    @pytest.mark.untraced
    def test_is_a_file_and_in_the_store(self, mirror: Mirror) -> None:
        outcome = mirror.crawl("epochtimes", section="nsc413")
        with mirror.store() as store:
            (noted,) = store.last_runs("epochtimes", 2)
        path = mirror.data / "runs" / f"epochtimes-{noted.run}.json"
        assert [found.name for found in path.parent.iterdir()] == [path.name]
        told = json.loads(path.read_text(encoding="utf-8"))
        assert told == noted.report
        assert {key: told[key] for key in ("schema", "outlet", "run", "started_at", "finished_at", "verdict")} == {
            "schema": 1,
            "outlet": "epochtimes",
            "run": noted.run,
            "started_at": noted.started_at,
            "finished_at": noted.finished_at,
            "verdict": "ok",
        }
        assert (told["counts"]["articles/new"], told["counts"]["pages/written"], told["findings"]) == (12, 17, [])
        assert told["requests"] == outcome.stats["downloader/request_count"] == len(mirror.site.requests)
        assert told["fields"]["title"] == {"filled": 12, "of": 12}
        assert told["lists"] == {"had": 1, "lost": 0}

    @pytest.mark.untraced
    def test_names_the_selector_that_found_nothing(self, mirror: Mirror, site: SampleSite, world: World) -> None:
        site.serve(body_renamed(world, "epochtimes"))
        outcome = mirror.crawl("epochtimes", section="nsc413")
        assert (outcome.verdict, outcome.stats["articles/failed"], mirror.files()) == ("failed", 12, {})
        with mirror.store() as store:
            (noted,) = store.last_runs("epochtimes", 1)
        (finding,) = noted.report["findings"]
        assert (finding["field"], finding["selector"]) == ("body", EpochtimesSpider.article_page.BODY)
        assert (finding["count"], finding["of"], len(finding["examples"])) == (12, 12, 3)

    def test_that_cannot_be_written_is_a_fault(self, mirror: Mirror) -> None:
        run = begun(mirror)
        obstacle = mirror.data / "runs" / f"epochtimes-{run.name}.json"
        obstacle.mkdir()
        ended(run)
        assert (run.verdict, last_verdicts(mirror)) == ("failed", ["failed"])
        assert "Is a directory" in run.judgement.findings[0].what


class TestHooks:
    """Somebody is told when an outlet's verdict changes."""

    @pytest.fixture
    def told(self, tmp_path: Path) -> Callable[[], list[tuple[str, str | None]]]:
        """What the hook was told: (verdict, verdict before)."""

        def read() -> list[tuple[str, str | None]]:
            files = sorted(tmp_path.glob("told-*.json"), key=lambda path: int(path.stem.partition("-")[2]))
            reports = [json.loads(path.read_text(encoding="utf-8")) for path in files]
            return [(report["verdict"], report["verdict_before"]) for report in reports]

        return read

    @pytest.fixture
    def hook(self, tmp_path: Path) -> dict[str, str]:
        code = (
            "import pathlib, sys; place = pathlib.Path(sys.argv[1]); number = len(list(place.glob('told-*.json')));"
            "(place / f'told-{number}.json').write_text(sys.stdin.read(), encoding='utf-8')"
        )
        return {"MIRROR_HOOK_COMMAND": shlex.join([sys.executable, "-c", code, str(tmp_path)])}

    @pytest.mark.untraced
    def test_only_on_a_change(
        self, mirror: Mirror, hook: dict[str, str], told: Callable[[], list[tuple[str, str | None]]]
    ) -> None:
        for reason in ("finished", "finished", "store", "store", "shutdown", "finished"):
            ended(begun(mirror, **hook), reason)
        assert told() == [("failed", "ok"), ("degraded", "failed"), ("ok", "degraded")]

    @pytest.mark.untraced
    def test_of_a_first_run_only_if_it_is_bad(
        self, mirror: Mirror, hook: dict[str, str], told: Callable[[], list[tuple[str, str | None]]]
    ) -> None:
        ended(begun(mirror, **hook), "store")
        assert told() == [("failed", None)]

    @pytest.mark.untraced
    def test_a_killed_run_is_a_change(
        self, mirror: Mirror, hook: dict[str, str], told: Callable[[], list[tuple[str, str | None]]]
    ) -> None:
        ended(begun(mirror, **hook))
        with mirror.store() as store:
            store.begin_run("epochtimes", datetime.now(UTC).isoformat())
        ended(begun(mirror, **hook))
        assert last_verdicts(mirror) == ["ok", "killed", "ok"]
        assert told() == [("ok", "killed")]

    def test_with_the_report(self, mirror: Mirror, hook: dict[str, str], tmp_path: Path, site: SampleSite) -> None:
        site.set(SECTION, "<!DOCTYPE html><h1>维护中</h1>")
        assert mirror.crawl("epochtimes", hook, section="nsc413").verdict == "failed"
        (path,) = (mirror.data / "runs").glob("*.json")
        report = json.loads((tmp_path / "told-0.json").read_text(encoding="utf-8"))
        assert report == {**json.loads(path.read_text(encoding="utf-8")), "verdict_before": None}

    def test_that_fails_changes_nothing(self, mirror: Mirror, caplog: pytest.LogCaptureFixture) -> None:
        run = begun(mirror, MIRROR_HOOK_COMMAND="/no/such/command", MIRROR_HOOK_URL="http://127.0.0.1:9/?secret")
        ended(run, "shutdown")
        assert (run.verdict, last_verdicts(mirror)) == ("degraded", ["degraded"])
        assert [record.message.partition(" failed: ")[0] for record in caplog.records] == [
            "The hook command",
            "The hook at http://127.0.0.1:9",
        ]

    def test_are_not_called_by_a_run_that_leaves(
        self, mirror: Mirror, hook: dict[str, str], told: Callable[[], list[tuple[str, str | None]]]
    ) -> None:
        first = begun(mirror)
        ended(begun(mirror, **hook), "busy")
        ended(first)
        assert told() == []


def article_requests_of(run: Run, count: int) -> list[Request]:
    """Requests for so many articles of the sample outlet."""
    found = (run.spider.addresses.find_article(story.url) for story in news("epochtimes", count))
    return [run.spider.article_request(address) for address in found if address is not None]


def test_a_crawler_without_the_extension_is_a_mistake() -> None:
    with pytest.raises(RuntimeError, match="is not enabled"):
        Run.of(get_crawler())


def test_a_run_before_its_spider_has_no_outlet(mirror: Mirror) -> None:
    crawler = get_crawler(EpochtimesSpider, dict(mirror.settings()))
    run = Run.of(crawler)
    assert run.outlet == ""
    assert run.verdict == "failed"
    asyncio.run(run.engine_stopped())
    with mirror.store() as store:
        assert store.last_runs("", 1) == []


@pytest.mark.untraced
class TestFeeds:
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
