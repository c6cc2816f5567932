"""``scrapy crawl``, the real command: what arrives, what it costs to come again, and what survives a kill."""

from __future__ import annotations

import argparse
import concurrent.futures
import contextlib
import dataclasses
import gzip
import json
import os
import re
import shutil
import signal
import sqlite3
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import pytest

from mirror_crawler import paths
from mirror_crawler.commands.crawl import Command
from mirror_crawler.health import EXIT_CODES
from mirror_crawler.items import Article, Listing
from mirror_crawler.locks import FileLock
from mirror_crawler.spiders.ntdtv import NtdtvSpider
from tests.life import page_of
from tests.mirror import (
    REPO,
    SECTION,
    Mirror,
    Reactor,
    article_requests,
    dead_links,
    fingerprint,
    fullest_directory,
    news,
    unreachable,
    wait_until,
)
from tests.site import SampleSite
from tests.site.server import Request
from tests.site.stories import HOSTS, Story
from tests.site.world import TRAPS, World, default_world, list_address

OUTLETS = ("epochtimes", "ntdtv")


def everything(world: World, outlet: str) -> dict[str, str]:
    """The arguments that ask for every list of an outlet in the world."""
    lists = [(kind, name) for owner, kind, name in world.lists if owner == outlet]
    return {
        "section": ",".join(sorted(name for kind, name in lists if kind == "section")),
        "tag": ",".join(sorted(name for kind, name in lists if kind == "tag")),
        "pages": "all",
    }


def words(outlet: str, arguments: dict[str, str]) -> list[str]:
    return ["crawl", outlet, *(part for name, value in arguments.items() for part in ("-a", f"{name}={value}"))]


class Whole(NamedTuple):
    """A mirror of all that the sample outlets have; both outlets were crawled at the same time."""

    mirror: Mirror
    world: World
    outside: Path
    codes: dict[str, int]
    said: dict[str, str]
    requests: list[Request]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, reactor: Reactor) -> Iterator[Whole]:
    world = default_world(24)
    root, outside = tmp_path_factory.mktemp("whole"), tmp_path_factory.mktemp("outside")
    with SampleSite(world) as site:
        mirror = Mirror(root, site, reactor)
        elsewhere: dict[str, Any] = {
            "cwd": outside,
            "HOME": str(outside),
            "TMPDIR": str(outside),
            "PYTHONPATH": str(REPO),
            "SCRAPY_SETTINGS_MODULE": "mirror_crawler.settings",
        }
        with concurrent.futures.ThreadPoolExecutor() as pool:
            runs = {
                outlet: pool.submit(mirror.command, *words(outlet, everything(world, outlet)), **elsewhere)
                for outlet in OUTLETS
            }
        done = {outlet: run.result() for outlet, run in runs.items()}
        yield Whole(
            mirror,
            world,
            outside,
            {outlet: run.returncode for outlet, run in done.items()},
            {outlet: run.stdout + run.stderr for outlet, run in done.items()},
            list(site.requests),
        )


@pytest.mark.untraced
class TestWholeMirror:
    def test_ends_well_and_says_so(self, whole: Whole) -> None:
        """A table, and not a word besides."""
        assert whole.codes == dict.fromkeys(OUTLETS, 0), whole.said
        for outlet in OUTLETS:
            first, *table = whole.said[outlet].removesuffix("\n").split("\n")
            assert re.fullmatch(rf"{outlet} \d{{8}}T\d{{6}}Z: ok after \d+ s", first)
            assert [line for line in table if not re.fullmatch(r"  [^!\r]+", line)] == []
            count = len(whole.world.listed(outlet))
            assert f"\n  articles new      {count:>12,}" in whole.said[outlet]

    @pytest.mark.parametrize("outlet", OUTLETS)
    def test_every_article_arrives(self, whole: Whole, outlet: str) -> None:
        stored = whole.mirror.articles()
        expected = whole.world.listed(outlet)
        assert {identity for owner, identity in stored if owner == outlet} == expected
        truth = {identity: facts_of(whole.world.truth[outlet, identity]) for identity in expected}
        assert {identity: read(stored[outlet, identity]) for identity in expected} == truth

    @pytest.mark.parametrize("outlet", OUTLETS)
    def test_every_listing_arrives_once(self, whole: Whole, outlet: str) -> None:
        fed = [(r["list_kind"], r["list_id"], r["article_id"]) for r in whole.mirror.fed(outlet, "listings")]
        truth = [
            (kind, name, identity)
            for (owner, kind, name), ids in whole.world.lists.items()
            if owner == outlet
            for identity in ids
        ]
        assert sorted(fed) == sorted(truth)
        stored = {identity: whole.mirror.memberships(outlet, identity) for identity in whole.world.listed(outlet)}
        assert stored == {identity: whole.world.memberships(outlet, identity) for identity in stored}

    @pytest.mark.parametrize("outlet", OUTLETS)
    def test_every_article_is_in_one_feed(self, whole: Whole, outlet: str) -> None:
        fed = whole.mirror.fed(outlet, "articles")
        stored = {key[1]: record for key, record in whole.mirror.articles().items() if key[0] == outlet}
        assert len(fed) == len(stored)
        assert {record["article_id"]: record for record in fed} == stored
        for record in fed:
            Article.from_record(record)
        for record in whole.mirror.fed(outlet, "listings"):
            Listing.from_record(record)

    def test_feeds_are_named_by_outlet_and_start_and_read_well(self, whole: Whole) -> None:
        feeds = whole.mirror.feed_files()
        names = [path.relative_to(whole.mirror.data / "feeds").as_posix().partition("-")[0] for path in feeds]
        assert names == [f"{outlet}/{kind}" for outlet in OUTLETS for kind in ("articles", "listings")]
        for path in feeds:
            content = path.read_text(encoding="utf-8")
            assert content.endswith("}\n")
            assert "\\u" not in content

    def test_each_article_is_asked_for_once(self, whole: Whole) -> None:
        asked = Counter(article_requests(whole.requests))
        assert set(asked.values()) == {1}
        assert len(asked) == sum(len(whole.world.listed(outlet)) for outlet in OUTLETS)

    def test_no_host_but_the_outlets_own_is_asked(self, whole: Whole) -> None:
        assert {request.url.split("/")[2] for request in whole.requests} == set(HOSTS.values())
        assert {request.method for request in whole.requests} == {"GET"}

    def test_asks_for_robots_txt_first_and_says_who_asks(self, whole: Whole) -> None:
        for host in HOSTS.values():
            asked = [request.url for request in whole.requests if request.url.startswith(f"https://{host}/")]
            assert asked[0] == f"https://{host}/robots.txt"
            assert Counter(asked)[asked[0]] == 1
        agents = {request.headers["user-agent"] for request in whole.requests}
        assert agents == {"mirror_crawler/1 (news mirror)"}
        assert not any({"cookie", "referer"} & request.headers.keys() for request in whole.requests)

    def test_no_orphan_no_dead_link_no_wide_directory(self, whole: Whole) -> None:
        files = whole.mirror.files()
        assert unreachable(files) == set()
        assert dead_links(files) == set()
        assert fullest_directory(files) < 1000
        held = {path for path in files if path.endswith(".md")}
        assert {page_of(whole.world.truth[o, i]) for o in OUTLETS for i in whole.world.listed(o)} <= held

    def test_writes_nothing_elsewhere(self, whole: Whole) -> None:
        assert [path for path in whole.outside.iterdir() if not path.name.startswith(".coverage")] == []
        assert sorted(path.name for path in whole.mirror.root.iterdir()) == ["data", "output"]
        assert {path.suffix for path in whole.mirror.output.rglob("*") if path.is_file()} == {".md"}
        kept = [path.relative_to(whole.mirror.data) for path in whole.mirror.data.rglob("*") if path.is_file()]
        assert {path.parts[0] for path in kept} == {"mirror.db", "feeds", "runs"}
        assert [path.suffix for path in kept if path.parts[0] == "runs"] == [".json"] * len(OUTLETS)

    @pytest.mark.parametrize("order", [OUTLETS, OUTLETS[::-1]], ids="-then-".join)
    def test_is_what_one_outlet_after_the_other_makes(
        self, whole: Whole, tmp_path: Path, order: tuple[str, ...]
    ) -> None:
        other = Mirror(tmp_path, whole.mirror.site, whole.mirror.reactor)
        for outlet in order:
            assert other.crawl(outlet, None, **everything(whole.world, outlet)).faults == []
        assert fingerprint(other.files()) == fingerprint(whole.mirror.files())

    def test_second_run_fetches_no_article_and_touches_no_file(self, whole: Whole) -> None:
        mirror = whole.mirror
        before, times, feeds = fingerprint(mirror.files()), mirror.written(), mirror.feed_files()
        mirror.site.requests.clear()
        with concurrent.futures.ThreadPoolExecutor() as pool:
            asked = [words(outlet, everything(whole.world, outlet)) for outlet in OUTLETS]
            for again in pool.map(lambda command: mirror.command(*command), asked):
                assert again.returncode == 0, again.stderr
                assert f"articles new      {0:>12,}" in again.stderr
        assert article_requests(mirror.site.requests) == []
        assert fingerprint(mirror.files()) == before
        assert mirror.written() == times
        assert mirror.feed_files() == feeds


def facts_of(story: Story) -> dict[str, Any]:
    """What an article's record must say, from the truth."""
    return {
        "url": story.url,
        "title": story.title,
        "published_at": story.published_at,
        "modified_at": story.modified_at,
        "published_source": story.published_source,
        "section": story.section,
        "tags": list(story.tags),
        "authors": list(story.authors),
        "editor": story.editor,
    }


def read(record: dict[str, Any]) -> dict[str, Any]:
    """The same of a record."""
    section = record["section"]
    facts = {name: record[name] for name in facts_of(_ANY)}
    return facts | {"section": (section["id"], section["name"]) if section else None}


_ANY = Story(outlet="", article_id="", url="", title="", published_at=None)


@pytest.mark.untraced
def test_without_arguments_the_default_sections_are_crawled(mirror: Mirror, site: SampleSite) -> None:
    names = (*NtdtvSpider.default_sections, "prog205")
    stories = [
        dataclasses.replace(story, sections=(name,))
        for story, name in zip(news("ntdtv", len(names)), names, strict=True)
    ]
    site.serve(World(stories))
    ended = mirror.command("crawl", "ntdtv", PYTHONWARNINGS="error")  # those of Python itself are told by tests only
    assert ended.returncode == 0, ended.stderr
    assert "Warning" not in ended.stderr
    lists = {name for story in stories[:-1] for kind, name in mirror.memberships("ntdtv", story.article_id)}
    assert lists == set(NtdtvSpider.default_sections)
    assert mirror.articles().keys() == {("ntdtv", story.article_id) for story in stories[:-1]}
    assert site.asked("prog205") == []


@pytest.mark.untraced
class TestIncrement:
    def test_three_new_articles_change_their_pages_and_the_last_of_each_list(
        self, tmp_path: Path, reactor: Reactor
    ) -> None:
        with SampleSite(World(news("epochtimes", 60))) as site:
            mirror = Mirror(tmp_path, site, reactor)
            assert mirror.crawl("epochtimes", section="nsc413").faults == []
            before, times = mirror.files(), mirror.written()
            new = news("epochtimes", 3, start=60)
            site.serve(World(news("epochtimes", 60) + new))
            site.requests.clear()
            outcome = mirror.crawl("epochtimes", section="nsc413")
        assert sorted(article_requests(site.requests)) == sorted(story.url for story in new)
        changed = {path for path, moment in mirror.written().items() if times.get(path) != moment}
        assert changed == {
            *map(page_of, new),
            "epochtimes/sections/nsc413/README.md",
            "epochtimes/sections/nsc413/pages/0/2.md",
            "epochtimes/README.md",
            "epochtimes/pages/0/2.md",
            "README.md",
        }
        assert outcome.stats["pages/written"] == len(changed)
        assert "第63号消息" in mirror.files()["epochtimes/sections/nsc413/README.md"].decode()
        assert all(mirror.files()[path] == content for path, content in before.items() if path not in changed)

    def test_an_article_listed_by_a_second_section_is_not_fetched_again(self, mirror: Mirror, site: SampleSite) -> None:
        story = news("epochtimes", 1)[0]
        tag = story.tags[0]
        mirror.crawl("epochtimes", section="nsc413")
        page = page_of(story)
        before = mirror.files()[page]
        site.requests.clear()
        assert mirror.crawl("epochtimes", tag=tag).faults == []
        assert article_requests(site.requests) == []
        assert mirror.memberships("epochtimes", story.article_id) == {("section", "nsc413"), ("tag", tag)}
        after = mirror.files()
        assert after[page] != before
        front = paths.front_path(paths.list_directory("epochtimes", "tag", tag))
        assert f"({paths.relative(page, front)})" in after[page].decode()
        assert (unreachable(after), dead_links(after)) == (set(), set())


@pytest.mark.untraced
class TestTree:
    """The tree is made anew whenever it cannot be what the store implies."""

    def test_an_emptied_tree_is_made_again(self, mirror: Mirror) -> None:
        mirror.crawl("epochtimes", section="nsc413")
        before = mirror.files()
        shutil.rmtree(mirror.output)
        assert mirror.crawl("epochtimes", section="nsc413").stats["pages/written"] == len(before)
        assert mirror.files() == before

    def test_another_look_reaches_every_page(self, mirror: Mirror) -> None:
        mirror.crawl("epochtimes", section="nsc413")
        before = mirror.files()
        classic = {"MIRROR_THEME": "classic", "MIRROR_BASE_URL": "https://mirror.example"}
        mirror.crawl("epochtimes", classic, section="nsc413")
        assert mirror.ask("render", "--check", settings=classic) == 0
        mirror.crawl("epochtimes", section="nsc413")
        assert mirror.files() == before


@pytest.mark.untraced
class TestKilled:
    """A run that ends with SIGKILL, and the one that comes after it."""

    @pytest.fixture
    def never(self, tmp_path: Path, mirror: Mirror) -> dict[str, str]:
        """The tree of a run that nothing disturbed."""
        undisturbed = Mirror(tmp_path / "never", mirror.site, mirror.reactor)
        assert undisturbed.crawl("epochtimes", section="nsc413").faults == []
        mirror.site.requests.clear()
        return fingerprint(undisturbed.files())

    def go_on(self, mirror: Mirror, never: dict[str, str]) -> None:
        """The next run completes the tree, and the feeds hold each article and each listing once."""
        assert mirror.crawl("epochtimes", section="nsc413").faults == []
        assert fingerprint(mirror.files()) == never
        fed = Counter(record["article_id"] for record in mirror.fed("epochtimes", "articles"))
        assert fed == Counter(story.article_id for story in news("epochtimes", 12))
        assert Counter(record["article_id"] for record in mirror.fed("epochtimes", "listings")) == fed
        assert {path.suffix for path in mirror.feed_files()} == {".jsonl"}

    def test_among_the_articles(self, mirror: Mirror, site: SampleSite, never: dict[str, str]) -> None:
        stuck = news("epochtimes", 12)[9].url
        site.set(stuck, hang=True)
        mirror.kill_when(lambda: has_stored(mirror, 3), "crawl", "epochtimes", "-a", "section=nsc413")
        assert not mirror.output.exists() or not mirror.files()
        kept = {identity for _, identity in mirror.articles()}
        site.reset(stuck)
        site.requests.clear()
        self.go_on(mirror, never)
        wanted = {story.url for story in news("epochtimes", 12) if story.article_id not in kept}
        assert set(article_requests(site.requests)) == wanted

    def test_between_list_pages(self, mirror: Mirror, site: SampleSite, never: dict[str, str]) -> None:
        """The next run finds nothing new on the first page and goes on nevertheless."""
        second = list_address("epochtimes", "section", "nsc413", 2)
        site.set(second, hang=True)
        mirror.kill_when(lambda: has_stored(mirror, 5), "crawl", "epochtimes", "-a", "section=nsc413")
        site.reset(second)
        self.go_on(mirror, never)

    def test_among_the_pages(self, mirror: Mirror, never: dict[str, str]) -> None:
        """A pipe in the place of an unfinished page holds the writer up for as long as it takes to kill it."""
        page = mirror.output / page_of(news("epochtimes", 12)[6])
        page.parent.mkdir(parents=True)
        obstacle = page.with_name(f".{page.name}.part")
        os.mkfifo(obstacle)
        mirror.kill_when(lambda: len(mirror.written()) > 1, "crawl", "epochtimes", "-a", "section=nsc413")
        assert "README.md" not in mirror.files()
        obstacle.unlink()
        self.go_on(mirror, never)
        assert mirror.site.asked(news("epochtimes", 12)[0].article_id) == [news("epochtimes", 12)[0].url]


def has_stored(mirror: Mirror, count: int) -> bool:
    if not (mirror.data / "mirror.db").exists():
        return False
    return sum(request.status == 200 for request in list(mirror.site.requests) if "/n148" in request.url) >= count and (
        len(mirror.articles()) >= count
    )


@pytest.mark.untraced
class TestEnd:
    """How a run that does not go as wished ends."""

    def test_sigterm_is_an_orderly_end(self, mirror: Mirror, site: SampleSite) -> None:
        slow = news("epochtimes", 12)[9]
        site.set(slow.url, b"".join(slow.page), delay=1.0)
        with mirror.start("crawl", "epochtimes", "-a", "section=nsc413") as process:
            wait_until(lambda: slow.url in site.asked())
            process.send_signal(signal.SIGTERM)
            _, said = process.communicate(timeout=30)
        assert process.returncode == EXIT_CODES["degraded"], said
        assert "! the crawl was stopped before its end; the next run goes on\n" in said
        stored = {identity for _, identity in mirror.articles()}
        assert stored
        assert {record["article_id"] for record in mirror.fed("epochtimes", "articles")} == stored
        assert {path.suffix for path in mirror.feed_files()} == {".jsonl"}
        files = mirror.files()
        assert (unreachable(files), dead_links(files)) == (set(), set())
        assert {Path(path).stem for path in files if "/2026/" in path} == stored

    def test_full_disk(self, mirror: Mirror, site: SampleSite, tmp_path: Path) -> None:
        """What was stored before stays, and the next run completes the mirror."""
        full = mirror.command("crawl", "epochtimes", "-a", "section=nsc413", limit=256)
        assert full.returncode == 1, full.stderr
        assert "Traceback" not in full.stderr
        assert mirror.crawl("epochtimes", section="nsc413").faults == []
        other = Mirror(tmp_path / "other", site, mirror.reactor)
        other.crawl("epochtimes", section="nsc413")
        assert fingerprint(mirror.files()) == fingerprint(other.files())
        fed = Counter(record["article_id"] for record in mirror.fed("epochtimes", "articles"))
        assert fed == Counter(story.article_id for story in news("epochtimes", 12))

    @pytest.mark.parametrize(
        ("others", "verdict", "articles"),
        [(" https://www.epochtimes.com/gb/nsc413.htm", "degraded", 12), ("", "failed", 0)],
        ids=["one-of-two", "all"],
    )
    def test_empty_first_list_page(self, mirror: Mirror, others: str, verdict: str, articles: int) -> None:
        ended = mirror.command("crawl", "epochtimes", "-a", f"url={TRAPS['no-entries']}{others}")
        assert ended.returncode == EXIT_CODES[verdict]
        told = [line for line in ended.stderr.splitlines() if "nf1001" in line and line.startswith("  !")]
        assert len(told) == 1
        assert "no article link" in told[0]
        assert "Traceback" not in ended.stderr
        assert len(mirror.articles()) == articles

    def test_while_another_run_is_at_work(self, mirror: Mirror, site: SampleSite) -> None:
        """One line, an exit code of its own, no request; and no trace in the store."""
        with FileLock(mirror.data / "runs" / "epochtimes.lock"):
            ended = mirror.command("crawl", "epochtimes", "-a", "section=nsc413")
        assert (ended.returncode, ended.stdout) == (EXIT_CODES["busy"], "")
        assert "this one leaves (MIRROR_BUSY=leave)" in ended.stderr
        assert ended.stderr.count("\n") == 1
        assert site.requests == []
        with mirror.store() as store:
            assert store.last_runs("epochtimes", 1) == []


class TestJsonLog:
    """With MIRROR_LOG=json all that the process says is one JSON object a line."""

    def said(self, mirror: Mirror, *words: str, **environment: Any) -> tuple[int, list[dict[str, Any]]]:
        ended = mirror.command("crawl", *words, MIRROR_LOG="json", **environment)
        assert ended.stdout == ""
        return ended.returncode, [json.loads(line) for line in ended.stderr.splitlines()]

    @pytest.mark.untraced
    def test_a_good_run_says_how_it_ended(self, mirror: Mirror) -> None:
        code, (told,) = self.said(mirror, "epochtimes", "-a", "section=nsc413")
        with mirror.store() as store:
            (run,) = store.last_runs("epochtimes", 1)
        assert code == 0
        facts = {key: told[key] for key in ("level", "logger", "outlet", "run", "verdict")}
        assert facts == {
            "level": "INFO",
            "logger": "mirror_crawler.progress",
            "outlet": "epochtimes",
            "run": run.run,
            "verdict": "ok",
        }
        assert told["counts"]["articles new"] == 12

    @pytest.mark.untraced
    def test_warnings_belong_to_a_run(self, mirror: Mirror, site: SampleSite) -> None:
        bad = news("epochtimes", 1)[0].url
        site.set(bad, status=404)
        code, told = self.said(mirror, "epochtimes", "-a", f"url={bad}")
        assert code == EXIT_CODES["failed"]
        assert [line["level"] for line in told] == ["WARNING", "ERROR"]
        assert told[0]["message"] == f"Article {bad}: HTTP 404"
        assert told[0]["run"] == told[1]["run"]
        assert told[1]["findings"] == [f"1 of 1 articles could not be had (HTTP 404: 1): {bad}"]

    @pytest.mark.parametrize(
        ("words", "environment", "said"),
        [
            pytest.param(("bbc",), {}, "scrapy crawl: no outlet 'bbc'", id="outlet"),
            pytest.param(
                ("ntdtv", "-a", "since=soon"),
                {},
                "scrapy crawl: since='soon': no day",
                id="argument",
                marks=pytest.mark.untraced,
            ),
            pytest.param(
                ("ntdtv",),
                {"MIRROR_BUSY": "hurry"},
                "scrapy crawl: MIRROR_BUSY=hurry",
                id="setting",
                marks=pytest.mark.untraced,
            ),
        ],
    )
    def test_a_mistake(self, mirror: Mirror, words: tuple[str, ...], environment: dict[str, str], said: str) -> None:
        code, (told,) = self.said(mirror, *words, **environment)
        assert (code, told["level"]) == (2, "ERROR")
        assert told["message"].startswith(said)


@pytest.mark.untraced
class TestHostilePages:
    """A page that nobody can read costs only itself."""

    @pytest.mark.parametrize(
        ("body", "cause"),
        [
            pytest.param(b"<!DOCTYPE html><body>" + b"<div>" * 200_000, "nested too deeply", id="nested"),
            pytest.param(b"<!DOCTYPE html><body>" + b"x" * 20_000_000, "DownloadCancelledError", id="20-MB"),
            pytest.param(b"", "no headline", id="empty"),
            pytest.param(bytes(range(256)) * 400, "cannot be decoded as text", id="bytes"),
            pytest.param(b"\x00" * 100_000, "no headline", id="nul"),
            pytest.param("<h1 class=title>题</h1>".encode("utf-16"), "no body", id="utf-16"),
        ],
    )
    def test_costs_only_itself(self, mirror: Mirror, site: SampleSite, body: bytes, cause: str) -> None:
        bad = news("epochtimes", 12)[3].url
        site.set(bad, body)
        outcome = mirror.crawl("epochtimes", section="nsc413")
        assert (outcome.verdict, outcome.stats["articles/new"], outcome.stats["articles/failed"]) == ("ok", 11, 1)
        assert outcome.failures[0].startswith(f"article {bad}: {cause}")

    @pytest.mark.parametrize(
        ("answer", "cause"),
        [
            pytest.param(
                {"headers": {"Content-Type": "image/jpeg"}, "body": b"\xff\xd8\xff\xe0"},
                "cannot be decoded as text",
                id="image",
            ),
            pytest.param({"body": "<h1>题</h1>" * 9, "cut": True}, "ResponseDataLossError", id="cut-off"),
            pytest.param({"status": 302, "headers": {"Location": "/gb/"}}, "", id="sent-home"),
            pytest.param(
                {"status": 302, "headers": {"Location": news("epochtimes", 2)[1].url}}, "led to another", id="sent-on"
            ),
            pytest.param(
                {"status": 302, "headers": {"Location": news("epochtimes", 12)[3].url}},
                "max redirections reached",
                id="in-a-circle",
            ),
            pytest.param({"status": 404}, "HTTP 404", id="gone"),
            pytest.param({"status": 403}, "HTTP 403", id="forbidden"),
        ],
    )
    def test_so_does_an_answer_that_is_no_page(
        self, mirror: Mirror, site: SampleSite, answer: dict[str, Any], cause: str
    ) -> None:
        bad = news("epochtimes", 12)[3].url
        site.set(bad, **answer)
        outcome = mirror.crawl("epochtimes", section="nsc413")
        assert (outcome.verdict, outcome.stats["articles/new"], outcome.stats["articles/failed"]) == ("ok", 11, 1)
        assert outcome.failures[0].startswith(f"article {bad}: {cause}")

    def test_so_does_one_that_was_sent_small(
        self, mirror: Mirror, site: SampleSite, caplog: pytest.LogCaptureFixture
    ) -> None:
        """50 MB in 50 kB, which are not unpacked further than a page may be large."""
        packed = gzip.compress(b"<!DOCTYPE html><body>" + b"x" * 50_000_000)
        bad = news("epochtimes", 12)[3].url
        site.set(bad, packed, headers={"Content-Encoding": "gzip"})
        outcome = mirror.crawl("epochtimes", section="nsc413")
        assert (outcome.verdict, outcome.stats["articles/new"], outcome.stats["articles/failed"]) == ("ok", 11, 1)
        (failure,) = outcome.failures
        assert failure.startswith(f"article {bad}: Ignored response")
        assert "exceeded DOWNLOAD_MAXSIZE" in failure
        assert failure.replace("article", "Article", 1) in caplog.messages

    @pytest.mark.parametrize(
        ("encoding", "declared"), [("gb18030", "gb2312"), ("utf-8", "gb2312"), ("utf-8", "big5")], ids="-declared-".join
    )
    def test_encodings_are_told_apart(self, mirror: Mirror, site: SampleSite, encoding: str, declared: str) -> None:
        story = news("epochtimes", 1)[0]
        page = site.page(story.url).replace('charset="utf-8"', f'charset="{declared}"')
        site.set(story.url, page.encode(encoding), headers={"Content-Type": "text/html"})
        assert mirror.crawl("epochtimes", url=story.url).failures == []
        assert mirror.articles()["epochtimes", story.article_id]["title"] == story.title


@pytest.mark.untraced
class TestAddresses:
    STORY = news("epochtimes", 1)[0]

    def test_all_spellings_lead_to_one_article(self, mirror: Mirror, site: SampleSite) -> None:
        path = self.STORY.url.removeprefix("https://www.epochtimes.com")
        spellings = [
            f"http://www.epochtimes.com{path}",
            f"https://epochtimes.com{path}?utm_source=x",
            f"http://cn.epochtimes.com{path}#top",
            f"https://m.epochtimes.com{path}",
            f"http://www.dajiyuan.com{path}",
        ]
        outcome = mirror.crawl("epochtimes", url=" ".join(spellings))
        assert (outcome.verdict, outcome.stats["articles/new"]) == ("ok", 1)
        assert article_requests(site.requests) == [self.STORY.url]

    @pytest.mark.parametrize("outlet", OUTLETS)
    def test_a_list_that_names_an_article_in_many_ways_lists_it_once(
        self, mirror: Mirror, site: SampleSite, outlet: str
    ) -> None:
        address = list_address(outlet, "section", SECTION[outlet], 3)
        story = news(outlet, 1)[0]
        other = story.url.replace("/gb/", "/b5/")
        ways = [
            story.url.replace("https:", "http:"),
            story.url + "?from=list",
            f" {story.url};",
            story.url.replace("www.", "cn."),
            story.url.replace("/gb/", "/xtr/gb/") if outlet == "ntdtv" else story.url,
            other,
        ]
        block = "".join(f'<div class="one_post"><div class="title"><a href="{way}">题</a></div></div>' for way in ways)
        site.set(address, f"<!DOCTYPE html><main><h1>大陆新闻</h1>{block}</main>")
        outcome = mirror.crawl(outlet, url=address)
        assert (outcome.verdict, outcome.stats["articles/new"], outcome.stats["listings/new"]) == ("ok", 1, 1)
        assert article_requests(site.requests) == [story.url]
        (listing,) = mirror.fed(outlet, "listings")
        assert (listing["page"], listing["position"], listing["list_id"]) == (3, 1, SECTION[outlet])

    def test_the_traditional_page_of_an_article(self, mirror: Mirror, site: SampleSite) -> None:
        twin = self.STORY.url.replace("/gb/", "/b5/")
        site.set(twin, site.page(self.STORY.url).replace("/gb/", "/b5/"))
        assert mirror.crawl("epochtimes", url=twin).verdict == "ok"
        stored = mirror.articles()["epochtimes", self.STORY.article_id]
        assert (stored["url"], stored["language"]) == (twin, "zh-Hant")
        assert mirror.crawl("epochtimes", section="nsc413").stats["articles/new"] == 11
        assert self.STORY.url not in site.asked()

    def test_both_scripts_of_an_article_are_one(self, mirror: Mirror, site: SampleSite) -> None:
        outcome = mirror.crawl("epochtimes", url=f"{self.STORY.url} {self.STORY.url.replace('/gb/', '/b5/')}")
        assert (outcome.verdict, outcome.stats["articles/new"]) == ("ok", 1)
        assert article_requests(site.requests) == [self.STORY.url]

    def test_a_list_by_address_begins_there(self, mirror: Mirror, site: SampleSite) -> None:
        outcome = mirror.crawl("epochtimes", url=list_address("epochtimes", "section", "nsc413", 2))
        assert (outcome.stats["lists/pages"], outcome.stats["articles/new"]) == (2, 7)

    def test_a_file_of_addresses(self, mirror: Mirror, tmp_path: Path) -> None:
        urls = [story.url for story in news("epochtimes", 3)]
        (tmp_path / "urls.txt").write_text("\n".join(["# 三篇", *urls, ""]), encoding="utf-8")
        outcome = mirror.crawl("epochtimes", url=f"@{tmp_path / 'urls.txt'}")
        assert (outcome.verdict, outcome.stats["articles/new"]) == ("ok", 3)

    def test_a_pager_in_a_circle_is_left(self, mirror: Mirror, site: SampleSite) -> None:
        pages = [list_address("epochtimes", "section", "nsc413", page) for page in (1, 2, 3)]
        back = f'<a class="next page-numbers" href="{pages[0]}">下一页</a>'
        site.set(pages[2], site.page(pages[2]).replace("</main>", f"{back}</main>"))
        outcome = mirror.crawl("epochtimes", section="nsc413", pages="all")
        assert (outcome.verdict, outcome.stats["lists/pages"]) == ("ok", 3)
        assert site.asked("nsc413") == pages

    def test_two_sections_that_moved_to_one_page_are_both_read(self, mirror: Mirror, site: SampleSite) -> None:
        target = list_address("epochtimes", "section", "nsc413", 1)
        for section in ("nsc412", "nsc418"):
            site.set(f"https://www.epochtimes.com/gb/{section}.htm", status=301, headers={"Location": target})
        outcome = mirror.crawl("epochtimes", section="nsc412,nsc418", pages="1")
        assert (outcome.faults, outcome.stats["lists/pages"], outcome.stats["listings/new"]) == ([], 2, 10)

    def test_a_pager_of_another_form_is_followed(self, mirror: Mirror, site: SampleSite) -> None:
        first, second = (list_address("epochtimes", "section", "nsc413", page) for page in (1, 2))
        moved = "https://www.epochtimes.com/gb/nsc413/page/2/"
        site.set(first, site.page(first).replace(second, moved))
        site.set(moved, site.page(second))
        outcome = mirror.crawl("epochtimes", section="nsc413")
        assert (outcome.stats["lists/pages"], outcome.stats["articles/new"]) == (3, 12)
        assert second not in site.asked()


class TestMistakes:
    """What an operator can ask wrongly: one line, exit code 2, no request."""

    @pytest.mark.untraced
    @pytest.mark.parametrize(
        ("words", "said"),
        [
            pytest.param([], "name one outlet; use epochtimes or ntdtv", id="no-outlet"),
            pytest.param(["epochtimes", "ntdtv"], "name one outlet; use epochtimes or ntdtv", id="two-outlets"),
            pytest.param(["bbc"], "no outlet 'bbc'; use epochtimes or ntdtv", id="outlet"),
            pytest.param(
                ["ntdtv", "-a", "sectoin=x"], "unknown argument 'sectoin'; use section, tag, url, pages", id="argument"
            ),
            pytest.param(
                ["ntdtv", "-a", "section=nsc413"], "section=nsc413: unknown section; use prog202, ", id="section"
            ),
            pytest.param(["ntdtv", "-a", "tag=a/b"], "tag='a/b': cannot be a tag", id="tag"),
            pytest.param(["ntdtv", "-a", "since=soon"], "since='soon': no day; use YYYY-MM-DD", id="since"),
            pytest.param(["ntdtv", "-a", "source=mail"], "source='mail': no source of this outlet", id="source"),
            pytest.param(["ntdtv", "-a", "refresh=x"], "refresh='x': neither the id of an article", id="refresh"),
            pytest.param(["ntdtv", "-a", "pages=0"], "pages=0: use a number from 1, or all", id="pages"),
            pytest.param(
                ["ntdtv", "-a", f"url={news('epochtimes', 1)[0].url}"], "url=https://www.epochtimes.com/", id="url"
            ),
            pytest.param(
                ["ntdtv", "-a", "url=@/no/such/file"], "url=@/no/such/file: cannot read the file", id="url-file"
            ),
        ],
    )
    def test_an_argument(self, mirror: Mirror, capsys: pytest.CaptureFixture[str], words: list[str], said: str) -> None:
        assert mirror.ask("crawl", *words) == 2
        self.is_one_line(capsys, f"scrapy crawl: {said}")

    @pytest.mark.untraced
    @pytest.mark.parametrize(
        "setting",
        [
            {"MIRROR_THEME": "nosuch"},
            {"MIRROR_LINKS": "dead"},
            {"MIRROR_IMAGES": "stolen"},
            {"MIRROR_MAX_LIST_PAGES": "0"},
            {"MIRROR_REVISIT_HOURS": "soon"},
            {"MIRROR_BUSY": "hurry"},
            {"MIRROR_LOG": "xml"},
            {"MIRROR_HOOK_URL": "ftp://x"},
            {"MIRROR_HOOK_COMMAND": "'"},
            {"MIRROR_PATH": "../{outlet}/{article_id}.md"},
            {"MIRROR_BASE_URL": "ftp://x"},
            {"MIRROR_THEME_DIR": "/no/such/directory"},
            {"MIRROR_FOOTER": "@/no/such/file"},
            {"MIRROR_DB": "mysql://host/db"},
            {"MIRROR_OUTPUT": "/dev/null/output"},
            {"MIRROR_DATA": "/dev/null/data"},
        ],
        ids=lambda setting: next(iter(setting)),
    )
    def test_a_setting(self, mirror: Mirror, capsys: pytest.CaptureFixture[str], setting: dict[str, str]) -> None:
        assert mirror.ask("crawl", "epochtimes", settings=setting) == 2
        self.is_one_line(capsys, f"scrapy crawl: {next(iter(setting))}")

    def test_a_directory_without_the_right_to_write(self, mirror: Mirror, capsys: pytest.CaptureFixture[str]) -> None:
        with mock.patch("os.access", return_value=False):
            assert mirror.ask("crawl", "epochtimes") == 2
        self.is_one_line(capsys, "scrapy crawl: MIRROR_DATA=")

    def test_private_data_inside_the_published_tree(self, mirror: Mirror, capsys: pytest.CaptureFixture[str]) -> None:
        assert mirror.ask("crawl", "epochtimes", settings={"MIRROR_DATA": str(mirror.output / "data")}) == 2
        self.is_one_line(capsys, "scrapy crawl: MIRROR_DATA=")

    def test_a_store_that_is_none(self, mirror: Mirror, capsys: pytest.CaptureFixture[str]) -> None:
        mirror.data.mkdir()
        (mirror.data / "mirror.db").write_bytes(b"no database at all, " * 100)
        assert mirror.ask("crawl", "epochtimes") == 2
        self.is_one_line(capsys, "scrapy crawl: MIRROR_DB: ")

    def test_a_store_of_a_later_version(self, mirror: Mirror, capsys: pytest.CaptureFixture[str]) -> None:
        with mirror.store():
            pass
        with contextlib.closing(sqlite3.connect(mirror.data / "mirror.db")) as db:
            db.execute("PRAGMA user_version = 9999")
        assert mirror.ask("crawl", "epochtimes") == 2
        self.is_one_line(capsys, "scrapy crawl: MIRROR_DB: ")

    def test_a_store_that_another_process_holds(
        self, mirror: Mirror, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr("mirror_crawler.schema.BUSY_SECONDS", 0.01)
        with contextlib.closing(sqlite3.connect(mirror.root / "locked.db")) as db:
            db.execute("BEGIN EXCLUSIVE")
            code = mirror.ask("crawl", "epochtimes", settings={"MIRROR_DB": f"sqlite:///{mirror.root / 'locked.db'}"})
        assert code == 2
        self.is_one_line(capsys, "scrapy crawl: MIRROR_DB: ")

    def is_one_line(self, capsys: pytest.CaptureFixture[str], beginning: str) -> None:
        printed = capsys.readouterr()
        assert printed.out == ""
        assert printed.err.startswith(beginning)
        assert printed.err.count("\n") == 1
        assert printed.err.endswith("\n")

    def test_a_log_file_that_cannot_be_written(self, mirror: Mirror, capsys: pytest.CaptureFixture[str]) -> None:
        assert mirror.ask("crawl", "epochtimes", settings={"LOG_FILE": "/no/such/place"}) == 2
        self.is_one_line(capsys, "scrapy crawl: LOG_FILE=/no/such/place: No such file or directory; ")

    @pytest.mark.untraced
    def test_the_real_command(self, mirror: Mirror, site: SampleSite) -> None:
        refused = mirror.command("crawl", "epochtimes", "-a", "section=nsc1")
        assert (refused.returncode, refused.stdout) == (2, "")
        assert refused.stderr.startswith("scrapy crawl: section=nsc1: unknown section; use nsc412, ")
        assert refused.stderr.count("\n") == 1
        assert site.requests == []

    def test_only_for_scrapys_command_line(self) -> None:
        with pytest.raises(RuntimeError):
            Command().run(["epochtimes"], argparse.Namespace())
        assert Command().short_desc()
