"""What a run is worth, what it may publish, and who is told: against outlets whose pages change between runs."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import re
import shlex
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import time_machine

from mirror_crawler import paths
from mirror_crawler.outlet import OutletSpider, load_outlets
from tests.life import LONG_AFTER, page_of, rewritten
from tests.mirror import SECTION, Mirror, article_requests, fingerprint, news
from tests.site import Answer, SampleSite, answers, changes
from tests.site.stories import HOSTS, Story, section_url
from tests.site.world import World

pytestmark = pytest.mark.untraced

OTHER = {"epochtimes": "ntdtv", "ntdtv": "epochtimes"}


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(LONG_AFTER) as moved:
        yield moved


def headline_renamed(world: World, outlet: str) -> World:
    return changes.redrawn(world, outlet, lambda page: page.replace("<h1", "<h5").replace("og:title", "og:name"))


def without_dateline(story: Story) -> Story:
    page = re.sub("【新唐人北京时间[^】]*讯】", "", b"".join(story.page).decode())
    return dataclasses.replace(story, page=(page.encode(),))


def timeless(page: str) -> str:
    """The page without clock and metadata."""
    page = re.sub(r'(?<=<div class="time">)(?:<span>)?[^<]+(?:</span>)?', "", page)
    return re.sub(r'"date(?:Published|Modified)": "[^"]*", ', "", page)


def spider_of(mirror: Mirror, outlet: str) -> type[OutletSpider]:
    return load_outlets(mirror.settings())[outlet]


def last_report(mirror: Mirror, outlet: str) -> dict[str, Any]:
    """The report of the latest run, which the store and a file of its own must tell alike."""
    with mirror.store() as store:
        (run,) = store.last_runs(outlet, 1)
    kept: dict[str, Any] = json.loads((mirror.data / "runs" / f"{outlet}-{run.run}.json").read_text(encoding="utf-8"))
    assert kept == run.report
    return kept


@dataclasses.dataclass(frozen=True, kw_only=True)
class Template:
    """A change of an outlet's template: what it is, what the run that meets it is worth, and what is named."""

    change: Callable[[World, str], World]
    verdict: str
    field: str
    selector: str


TEMPLATES = {
    "body": Template(change=changes.body_renamed, verdict="failed", field="body", selector="body"),
    "headline": Template(change=headline_renamed, verdict="failed", field="title", selector="title"),
    "every-time": Template(change=changes.clock_dropped, verdict="failed", field="time", selector="time"),
    "clock": Template(
        change=lambda world, outlet: changes.clock_dropped(world, outlet, wholly=False),
        verdict="degraded",
        field="clock",
        selector="time",
    ),
    "section": Template(change=changes.section_dropped, verdict="degraded", field="section", selector="section"),
    "list": Template(change=changes.lists_emptied, verdict="failed", field="list", selector="list"),
}


@pytest.mark.usefixtures("clock")
class TestTemplate:
    @pytest.mark.parametrize("outlet", ["epochtimes"])
    @pytest.mark.parametrize("name", TEMPLATES)
    def test_turns_the_verdict_and_is_named(
        self, mirror: Mirror, site: SampleSite, world: World, outlet: str, name: str
    ) -> None:
        template = TEMPLATES[name]
        tags = sorted(list_id for owner, kind, list_id in world.lists if (owner, kind) == (outlet, "tag"))[:3]
        arguments = {"section": SECTION[outlet], "tag": ",".join(tags)}
        assert mirror.crawl(outlet, **arguments).verdict == "ok"
        new = news(outlet, 6, start=12)
        site.serve(template.change(world.changed(*new), outlet))
        outcome = mirror.crawl(outlet, **arguments)
        assert outcome.verdict == template.verdict
        report = last_report(mirror, outlet)
        assert report["verdict"] == template.verdict
        finding = report["findings"][0]
        assert (finding["level"], finding["field"]) == (template.verdict, template.field)
        assert finding["selector"] == spider_of(mirror, outlet).selectors()[template.selector]
        assert finding["selector"] in finding["what"]
        assert len(set(finding["examples"])) == 3
        if name == "list":
            assert (finding["count"], finding["of"]) == (4, 4)
            assert all("/n1" not in url and "/a1" not in url for url in finding["examples"])
        else:
            assert (finding["count"], finding["of"]) == (6, 6)
            assert set(finding["examples"]) <= {story.url for story in new}
        assert outcome.faults[0].startswith(finding["what"])

    @pytest.mark.parametrize(
        ("name", "outlet"),
        [("body", "epochtimes"), ("every-time", "ntdtv")],
        ids=lambda word: word,
    )
    def test_publishes_nothing_until_it_is_mended(
        self, mirror: Mirror, site: SampleSite, world: World, tmp_path: Path, outlet: str, name: str
    ) -> None:
        """Neither at once nor with a good run of the other outlet; then all of it comes, as if nothing had been."""
        other = OTHER[outlet]
        never = Mirror(tmp_path / "never", site, mirror.reactor)
        for each in (mirror, never):
            for of in (outlet, other):
                assert each.crawl(of, section=SECTION[of]).verdict == "ok"
        before = mirror.written()
        new = news(outlet, 6, start=12)
        late = world.changed(*new, *news(other, 2, start=12))
        site.serve(TEMPLATES[name].change(late, outlet))
        for _ in range(2):
            assert mirror.crawl(outlet, section=SECTION[outlet]).verdict == "failed"
            assert rewritten(mirror, before) == set()
        for each in (mirror, never):
            assert each.crawl(other, section=SECTION[other]).stats["articles/new"] == 2
        assert fingerprint(mirror.files()) == fingerprint(never.files())
        site.serve(late)
        arguments = {"section": SECTION[outlet], "refresh": "all"}
        assert mirror.crawl(outlet, **arguments).verdict == "ok"
        assert never.crawl(outlet, **arguments).verdict == "ok"
        ours, theirs = fingerprint(mirror.files()), fingerprint(never.files())
        # With the times went the datelines, which are part of the text: that they are back is a revision.
        revised = {page_of(story) for story in new} if name == "every-time" else set()
        histories = {paths.history_path(page) for page in revised}
        assert {path for path in ours if ours[path] != theirs.get(path)} == revised | histories
        assert theirs.keys() == ours.keys() - histories
        assert mirror.ask("verify") == 0


@pytest.mark.usefixtures("clock")
class TestNothingIsPublished:
    @pytest.fixture
    def revised(self, world: World) -> World:
        """The world with an article under another title, and with what makes a run fail."""
        story = changes.edited(news("epochtimes", 12)[10], title="未发布的标题", added="未发布的段落。")
        return changes.redrawn(
            world.changed(story, *news("epochtimes", 9, start=12)),
            "epochtimes",
            lambda page: page if story.title in page else page.replace('id="artbody"', "").replace("post_content", "x"),
        )

    def test_of_a_revision_either(
        self, mirror: Mirror, site: SampleSite, world: World, revised: World, tmp_path: Path
    ) -> None:
        """Nor is its title told by the pages that a good run of the other outlet writes."""
        never = Mirror(tmp_path / "never", site, mirror.reactor)
        for each in (mirror, never):
            for outlet in HOSTS:
                each.crawl(outlet, section=SECTION[outlet])
        before = mirror.written()
        site.serve(revised)
        outcome = mirror.crawl("epochtimes", section="nsc413")
        assert (outcome.verdict, outcome.stats["articles/revised"]) == ("failed", 1)
        assert rewritten(mirror, before) == set()
        site.serve(revised.changed(*news("ntdtv", 1, start=12)))
        for each in (mirror, never):
            each.crawl("ntdtv", section="prog204")
        assert "未发布" not in "".join(page.decode() for page in mirror.files().values())
        assert fingerprint(mirror.files()) == fingerprint(never.files())

    def test_what_fails_for_long_is_not_given_up(self, mirror: Mirror, site: SampleSite, world: World) -> None:
        """Although no list page that is asked for names it any more when the template can be read again."""
        mirror.crawl("epochtimes", section="nsc413")
        late = world.changed(*news("epochtimes", 11, start=12))
        site.serve(changes.body_renamed(late, "epochtimes"))
        for _ in range(6):
            mirror.crawl("epochtimes", section="nsc413")
        site.serve(late.changed(*news("epochtimes", 6, start=23)))
        for _ in range(2):
            assert mirror.crawl("epochtimes", section="nsc413").verdict == "ok"
        assert len(mirror.articles()) == 29

    def test_articles_whose_time_was_not_found_are_read_again(
        self, mirror: Mirror, site: SampleSite, world: World
    ) -> None:
        """So a run in which nothing else is new is not taken for a good one, and no article stays without its time."""
        new = [without_dateline(story) for story in news("ntdtv", 6, start=12)]
        late = world.changed(*new)
        broken = changes.redrawn(late, "ntdtv", timeless)
        mirror.crawl("ntdtv", section="prog204")
        site.serve(broken)
        for _ in range(3):
            assert mirror.crawl("ntdtv", section="prog204").verdict == "failed"
        site.serve(late)
        outcome = mirror.crawl("ntdtv", section="prog204")
        assert (outcome.verdict, outcome.stats["articles/amended"]) == ("ok", 6)
        for story in new:
            assert mirror.articles()["ntdtv", story.article_id]["published_at"] == story.published_at
        site.requests.clear()
        assert mirror.crawl("ntdtv", section="prog204").verdict == "ok"
        assert article_requests(site.requests) == []

    def test_of_a_first_run(self, mirror: Mirror, site: SampleSite, world: World) -> None:
        site.serve(changes.clock_dropped(world, "epochtimes"))
        assert mirror.crawl("epochtimes", section="nsc413").verdict == "failed"
        assert mirror.files() == {}
        assert mirror.crawl("ntdtv", section="prog204").verdict == "ok"
        assert not any(path.startswith("epochtimes") for path in mirror.files())
        assert "大纪元" not in mirror.files()["README.md"].decode()


class TestOtherVerdicts:
    def test_a_list_of_several_that_is_empty(self, mirror: Mirror, site: SampleSite, world: World) -> None:
        stories = [
            dataclasses.replace(story, sections=("nsc413",) if place % 2 else ("nsc418",))
            for place, story in enumerate(news("epochtimes", 12))
        ]
        site.serve(World(stories))
        site.set(section_url("epochtimes", "nsc418"), "<!DOCTYPE html><main><h1>国际新闻</h1></main>")
        outcome = mirror.crawl("epochtimes", section="nsc413,nsc418")
        assert outcome.verdict == "degraded"
        finding = last_report(mirror, "epochtimes")["findings"][0]
        assert (finding["field"], finding["count"], finding["of"]) == ("list", 1, 2)
        assert finding["examples"] == [section_url("epochtimes", "nsc418")]
        assert page_of(stories[1]) in mirror.files()  # what is degraded is published

    def test_bodies_that_are_cut_short(self, mirror: Mirror, site: SampleSite, clock: time_machine.Traveller) -> None:
        """Against those of the last thirty days, and of no more."""
        site.serve(World(news("epochtimes", 24)))
        assert mirror.crawl("epochtimes", section="nsc413").verdict == "ok"
        short = [shortened(story) for story in news("epochtimes", 24, start=24)]
        site.serve(World([*news("epochtimes", 24), *short]))
        clock.shift(timedelta(days=29))
        assert mirror.crawl("epochtimes", section="nsc413").verdict == "degraded"
        report = last_report(mirror, "epochtimes")
        finding = report["findings"][0]
        assert (finding["field"], finding["count"], len(finding["examples"])) == ("body", 24, 3)
        assert finding["selector"] == spider_of(mirror, "epochtimes").selectors()["body"]
        assert report["body_length"]["count"] == 24
        clock.shift(timedelta(days=2))
        shorter = [shortened(story) for story in news("epochtimes", 24, start=48)]
        site.serve(World([*news("epochtimes", 24), *short, *shorter]))
        assert mirror.crawl("epochtimes", section="nsc413").verdict == "ok"


def shortened(story: Story) -> Story:
    """The article with one short paragraph."""
    text = b"".join(story.page).decode()
    between = r"(?s)(<!-- article content begin -->).*(<!-- article content end -->)"
    return dataclasses.replace(story, page=(re.sub(between, r"\1<p>石桥重开。</p>\2", text).encode(),))


class Receiver(BaseHTTPRequestHandler):
    """Notes what is posted."""

    posted: list[dict[str, Any]]

    def do_POST(self) -> None:
        self.posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - so it is called
        """Say nothing."""


@contextlib.contextmanager
def receiver() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A web server: its address, and what was posted to it so far."""
    posted: list[dict[str, Any]] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Noted", (Receiver,), {"posted": posted}))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook", posted
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.usefixtures("clock")
def test_hooks_are_called_when_the_verdict_changes(
    mirror: Mirror, site: SampleSite, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")  # the outlets are behind a proxy here
    told = mirror.root / "told.jsonl"
    script = (
        "import os, sys; print(sys.stdin.read(), os.environ['MIRROR_VERDICT'], sep='\\t', file=open(sys.argv[1], 'a'))"
    )
    broken = changes.body_renamed(world.changed(*news("epochtimes", 6, start=12)), "epochtimes")
    mended = world.changed(*news("epochtimes", 6, start=12))
    seen = []
    with receiver() as (url, posted):
        hooks = {"MIRROR_HOOK_URL": url, "MIRROR_HOOK_COMMAND": shlex.join([sys.executable, "-c", script, str(told)])}
        for serving in (world, world, broken, broken, mended, mended):
            site.serve(serving)
            verdict = mirror.crawl("epochtimes", hooks, section="nsc413").verdict
            seen.append((verdict, len(posted)))
    assert seen == [("ok", 0), ("ok", 0), ("failed", 1), ("failed", 1), ("ok", 2), ("ok", 2)]
    assert [(post["verdict_before"], post["verdict"]) for post in posted] == [("ok", "failed"), ("failed", "ok")]
    with mirror.store() as store:
        reports = [run.report for run in reversed(store.last_runs("epochtimes", 9))]
    assert posted == [reports[2] | {"verdict_before": "ok"}, reports[4] | {"verdict_before": "failed"}]
    lines = [line.split("\t") for line in told.read_text(encoding="utf-8").splitlines()]
    assert [(json.loads(report), verdict) for report, verdict in lines] == [(posted[0], "failed"), (posted[1], "ok")]


class TestCommand:
    """The exit codes and what is shown, with the real commands."""

    def test_health_of_a_life(self, mirror: Mirror, site: SampleSite, world: World) -> None:
        run = ("crawl", "epochtimes", "-a", "section=nsc413")
        new = news("epochtimes", 6, start=12)
        assert mirror.crawl("epochtimes", section="nsc413").verdict == "ok"
        assert mirror.ask("health") == 0
        site.serve(changes.body_renamed(world.changed(*new), "epochtimes"))
        failed = mirror.command(*run)
        assert failed.returncode == 1
        assert "! no body in 6 of 6 articles (#artbody, div.post_content, .whitebg): https://" in failed.stderr
        shown = mirror.command("health")
        assert shown.returncode == 1
        assert [line.split()[1] for line in shown.stdout.splitlines()[2:]] == ["failed", "ok"]
        assert "no body in 6 of 6 articles" in shown.stdout
        site.serve(changes.section_dropped(world.changed(*new), "epochtimes"))
        degraded = mirror.command(*run, MIRROR_LOG="json")
        assert degraded.returncode == 4
        told = [json.loads(line) for line in degraded.stderr.splitlines()]
        assert {line["outlet"] for line in told} == {"epochtimes"}
        assert told[-1]["logger"] == "mirror_crawler.progress"
        assert (told[-1]["verdict"], told[-1]["counts"]["articles new"]) == ("degraded", 6)
        assert told[-1]["findings"][0].startswith("no section in 6 of 6 articles")
        shown = mirror.command("health", "epochtimes", "--json", "--last", "2")
        assert shown.returncode == 4
        reports = [json.loads(line) for line in shown.stdout.splitlines()]
        assert [report["verdict"] for report in reports] == ["degraded", "failed"]
        assert reports[0] == last_report(mirror, "epochtimes")

    def test_an_outlet_that_cannot_be_reached(self, mirror: Mirror, site: SampleSite) -> None:
        site.storm(Answer(status=500), of="www.")
        ended = mirror.command("crawl", "epochtimes", "-a", "section=nsc413")
        assert (ended.returncode, ended.stdout) == (1, "")
        assert "robots.txt of www.epochtimes.com: HTTP 500" in ended.stderr
        assert "Traceback" not in ended.stderr
        assert mirror.command("health", "epochtimes").returncode == 1
        site.calm()
        site.storm(answers.gone(404), of="nsc413")
        assert mirror.command("crawl", "epochtimes", "-a", "section=nsc413").returncode == 1
