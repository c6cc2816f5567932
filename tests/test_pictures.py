"""Local pictures: asked for at the outlet's own hosts, kept once, shown by both themes, never the cost of anything."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from PIL import Image
from scrapy.crawler import Crawler

from mirror_crawler.album import Album
from mirror_crawler.gate import IN_A_ROW
from mirror_crawler.pictures import FetchPictures
from mirror_crawler.references import references
from mirror_crawler.statements import MAX_TRIES
from tests.life import page_of
from tests.mirror import Mirror, Outcome, Reactor, contents, dead_links, fingerprint, news, unreachable
from tests.site import Answer, SampleSite, answers
from tests.site.changes import edited
from tests.site.pictures import encoded, view
from tests.site.world import World

OUTLET = "epochtimes"
STORIES = news(OUTLET, 4)  # the first has no picture, the second and fourth one in the body too
STORY = STORIES[1]
UPLOADS = "https://i.epochtimes.com/assets/uploads/2026/05/"
LEAD, INSIDE = f"{UPLOADS}id13000001-sample-600x400.jpg", f"{UPLOADS}id13500001-sample-600x400.jpg"
ROBOTS = "https://i.epochtimes.com/robots.txt"
LOCAL = {"MIRROR_IMAGES": "local"}
ONE_BY_ONE = LOCAL | {"CONCURRENT_REQUESTS_PER_DOMAIN": "1", "DOWNLOAD_DELAY": "0.001"}
"""Without any delay Scrapy sends all that waits at once."""


@pytest.fixture
def world() -> World:
    return World(STORIES, per_page=5)


def crawl(mirror: Mirror, settings: dict[str, str] = LOCAL, **arguments: str) -> Outcome:
    return mirror.crawl(OUTLET, settings, **(arguments or {"section": "nsc413"}))


def rows(mirror: Mirror) -> dict[str, dict[str, Any]]:
    """What the store knows of pictures, by address."""
    with contextlib.closing(sqlite3.connect(mirror.data / "mirror.db")) as db:
        db.row_factory = sqlite3.Row
        return {row["url"]: dict(row) for row in db.execute("SELECT * FROM pictures")}


def asked(site: SampleSite) -> list[str]:
    """The pictures that were asked for."""
    return site.asked("/assets/uploads/")


def page(mirror: Mirror, number: int = 1) -> str:
    return mirror.files()[page_of(STORIES[number])].decode()


def shown(mirror: Mirror, number: int = 1) -> list[str]:
    """The names of the mirror's own pictures on an article's page."""
    return [Path(path).stem for path in references(page(mirror, number)).shown]


def kept(mirror: Mirror) -> list[str]:
    """The names of the pictures in the album."""
    return sorted(path.stem for path in (mirror.data / "images").rglob("*.webp"))


class Crawled:
    """A mirror with local pictures, crawled twice, that all tests of a class look at."""

    def __init__(self, mirror: Mirror, **settings: str) -> None:
        self.mirror = mirror
        self.outcome = crawl(mirror, LOCAL | settings)
        self.requests = list(mirror.site.requests)
        self.files = mirror.files()
        mirror.site.requests.clear()
        self.again = crawl(mirror, LOCAL | settings)
        self.asked_again = mirror.site.asked()


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory, reactor: Reactor) -> Iterator[Crawled]:
    with SampleSite(World(STORIES, per_page=5)) as site:
        yield Crawled(Mirror(tmp_path_factory.mktemp("mirror"), site, reactor))


@pytest.mark.untraced
class TestGood:
    def test_run_and_counters(self, crawled: Crawled) -> None:
        stats = crawled.outcome.stats
        assert crawled.outcome.verdict == "ok"
        assert stats["articles/new"] == 4
        assert stats["pictures/stored"] == 5
        assert not any(key.startswith("pictures/failed") for key in stats)

    def test_each_is_asked_for_once_and_robots_txt_before(self, crawled: Crawled) -> None:
        urls = [request.url for request in crawled.requests if "//i." in request.url]
        assert urls[0] == ROBOTS
        assert len(urls) == len(set(urls)) == 6

    def test_request_tells_nothing_of_the_page(self, crawled: Crawled) -> None:
        headers = next(request.headers for request in crawled.requests if request.url == LEAD)
        assert headers["accept"] == "image/*,*/*;q=0.5"
        assert not headers.keys() & {"referer", "cookie", "if-none-match"}

    def test_second_run_asks_for_none(self, crawled: Crawled) -> None:
        assert not [url for url in crawled.asked_again if "//i." in url]
        assert crawled.again.verdict == "ok"
        assert fingerprint(crawled.mirror.files()) == fingerprint(crawled.files)

    def test_pages_show_them_with_caption(self, crawled: Crawled) -> None:
        text = page(crawled.mirror)
        lead, inside = shown(crawled.mirror)
        assert f"](../../../../assets/{lead[:2]}/{lead[2:4]}/{lead}.webp)  \n*" in text
        assert text.index(lead) < text.index(inside)
        assert "![](../" in text  # the one in the body has no alternative text
        assert f"![{STORY.title}](../" in text
        assert references(page(crawled.mirror, 0)).shown == []

    def test_files_are_what_their_names_say(self, crawled: Crawled) -> None:
        assets = {path: content for path, content in crawled.files.items() if path.startswith("assets/")}
        assert {Path(path).stem for path in assets} == set(kept(crawled.mirror))
        assert len(assets) == 5
        for content in assets.values():
            with Image.open(io.BytesIO(content)) as image:
                assert (image.format, image.size) == ("WEBP", (600, 400))
        assert [row["tries"] for row in rows(crawled.mirror).values()] == [0] * 5
        assert {(row["width"], row["height"]) for row in rows(crawled.mirror).values()} == {(600, 400)}

    def test_what_is_done_to_the_tree_does_not_reach_the_album(self, crawled: Crawled) -> None:
        (name, *_) = kept(crawled.mirror)
        album = Album(crawled.mirror.data / "images").place(name)
        shown = crawled.mirror.output / "assets" / name[:2] / name[2:4] / f"{name}.webp"
        assert album.read_bytes() == shown.read_bytes()
        assert not album.samefile(shown)

    def test_nothing_is_loaded_from_outside_and_nothing_is_dead(self, crawled: Crawled) -> None:
        pages = {path: content.decode() for path, content in crawled.files.items() if path.endswith(".md")}
        assert [references(text).outside for text in pages.values()] == [[]] * len(pages)
        assert dead_links(crawled.files) == set()
        assert unreachable(crawled.files) == set()
        assert crawled.mirror.ask("verify", settings=LOCAL) == 0

    @pytest.mark.parametrize("theme", ["github", "classic"])
    def test_render_makes_another_tree_without_network(
        self, crawled: Crawled, tmp_path: Path, theme: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        settings = LOCAL | {"MIRROR_OUTPUT": str(tmp_path / "tree"), "MIRROR_THEME": theme}
        assert crawled.mirror.ask("render", settings=settings) == 0
        made = contents(tmp_path / "tree")
        assert made.keys() == crawled.files.keys()
        assert dead_links(made) == set()
        assert crawled.mirror.ask("render", "--check", settings=settings) == 0
        assert crawled.mirror.ask("verify", settings=settings) == 0
        assert crawled.mirror.ask("render", settings=settings) == 0
        assert ": 0 pages written" not in capsys.readouterr().err
        if theme == "github":
            assert made == crawled.files

    @pytest.mark.parametrize("images", ["none", "remote"])
    def test_other_modes_have_no_assets(self, crawled: Crawled, tmp_path: Path, images: str) -> None:
        settings = {"MIRROR_OUTPUT": str(tmp_path / "tree")}
        assert crawled.mirror.ask("render", settings=settings | LOCAL) == 0
        assert crawled.mirror.ask("render", settings=settings | {"MIRROR_IMAGES": images}) == 0
        made = contents(tmp_path / "tree")
        assert not [path for path in made if path.startswith("assets")]
        assert references(made[page_of(STORY)].decode()).outside == ([LEAD, INSIDE] if images == "remote" else [])


def test_other_copies_of_a_picture_are_not_asked_for(mirror: Mirror, site: SampleSite) -> None:
    """They make no revision, so no page would show them."""
    crawl(mirror, url=STORY.url)
    smaller = LEAD.replace("600x400", "300x200")
    site.serve(World([edited(STORY, replaced={INSIDE: INSIDE.replace("600x400", "300x200")})]))
    site.set(STORY.url, site.page(STORY.url).replace(LEAD, smaller))
    site.requests.clear()
    outcome = crawl(mirror, refresh=STORY.article_id)
    assert outcome.stats["articles/unchanged"] == 1
    assert site.asked("//i.") == []
    assert outcome.verdict == "ok"
    assert set(rows(mirror)) == {LEAD, INSIDE}


class TestVerify:
    @pytest.fixture
    def settings(self, crawled: Crawled, tmp_path: Path) -> dict[str, str]:
        """Those of a tree of its own."""
        made = LOCAL | {"MIRROR_OUTPUT": str(tmp_path / "tree")}
        assert crawled.mirror.ask("render", settings=made) == 0
        return made

    @pytest.mark.untraced
    @pytest.mark.parametrize(
        ("damage", "told"),
        [
            (lambda asset: asset.unlink(), "missing"),
            (lambda asset: replace(asset, b"half"), "edited"),
            (lambda asset: replace(asset.with_name(f".{asset.name}.part"), b"half"), "extra"),
        ],
        ids=["missing", "edited", "unfinished"],
    )
    def test_mends(
        self,
        crawled: Crawled,
        settings: dict[str, str],
        damage: Callable[[Path], object],
        told: str,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        tree = Path(settings["MIRROR_OUTPUT"])
        damage(next(tree.rglob("*.webp")))
        capsys.readouterr()
        assert crawled.mirror.ask("verify", settings=settings) == 1
        assert told in {line.split("\t")[0] for line in capsys.readouterr().out.splitlines()}
        assert crawled.mirror.ask("verify", "--repair", settings=settings) == 0
        assert crawled.mirror.ask("verify", settings=settings) == 0
        assert contents(tree) == crawled.files

    def test_finds_what_nothing_shows(self, crawled: Crawled, settings: dict[str, str]) -> None:
        tree = Path(settings["MIRROR_OUTPUT"])
        replace(tree / "assets/00/00" / f"{'0' * 32}.webp", b"picture")
        assert crawled.mirror.ask("verify", settings=settings) == 1
        assert crawled.mirror.ask("verify", settings=settings | {"MIRROR_IMAGES": "none"}) == 1

    @pytest.mark.untraced
    def test_damaged_in_the_album_too(
        self, crawled: Crawled, settings: dict[str, str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        tree = Path(settings["MIRROR_OUTPUT"])
        asset = next(tree.rglob("*.webp"))
        whole = asset.read_bytes()
        kept = crawled.mirror.data / "images" / asset.relative_to(tree / "assets")
        asset.write_bytes(b"half")
        capsys.readouterr()
        path = asset.relative_to(tree).as_posix()
        assert crawled.mirror.ask("verify", settings=settings) == 1
        assert capsys.readouterr().out.split("\t")[:2] == ["edited", path]
        try:
            kept.write_bytes(b"half")
            assert crawled.mirror.ask("verify", settings=settings) == 1
            told = capsys.readouterr().out.splitlines()
            assert [line.split("\t")[:2] for line in told] == [["edited", path], ["damaged", str(kept)]]
            assert told[1].endswith(f"{crawled.mirror.output / path} is whole")  # the other tree of this store
        finally:
            kept.write_bytes(whole)
        assert crawled.mirror.ask("verify", "--repair", settings=settings) == 0
        assert asset.read_bytes() == whole


def replace(file: Path, content: bytes) -> None:
    """Put a file in the place of another, whose other names stay what they are."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    file.write_bytes(content)


@pytest.mark.untraced
class TestMoved:
    def test_to_another_machine_by_export_and_import(self, crawled: Crawled, tmp_path: Path) -> None:
        assert crawled.mirror.ask("export", "--output", str(tmp_path / "all.jsonl")) == 0
        other = Mirror(tmp_path / "other", crawled.mirror.site, crawled.mirror.reactor)
        shutil.copytree(crawled.mirror.data / "images", other.data / "images")
        assert other.ask("import", str(tmp_path / "all.jsonl")) == 0
        assert other.ask("export", "--output", str(tmp_path / "again.jsonl")) == 0
        assert (tmp_path / "again.jsonl").read_bytes() == (tmp_path / "all.jsonl").read_bytes()
        assert other.ask("render", settings=LOCAL) == 0
        assert fingerprint(other.files()) == fingerprint(crawled.files)
        crawled.mirror.site.requests.clear()
        assert crawl(other).verdict == "ok"
        assert crawled.mirror.site.asked("//i.") == []

    def test_without_the_pictures_they_are_fetched_again(self, crawled: Crawled, tmp_path: Path) -> None:
        assert crawled.mirror.ask("export", "--output", str(tmp_path / "all.jsonl")) == 0
        other = Mirror(tmp_path / "other", crawled.mirror.site, crawled.mirror.reactor)
        assert other.ask("import", str(tmp_path / "all.jsonl")) == 0
        assert other.ask("render", settings=LOCAL) == 0
        assert not dead_links(other.files())
        assert crawl(other).stats["pictures/stored"] == 5
        assert fingerprint(other.files()) == fingerprint(crawled.files)


@pytest.mark.untraced
class TestOfEarlierArticles:
    def test_other_modes_ask_for_none_and_want_them_all(self, mirror: Mirror, site: SampleSite) -> None:
        assert crawl(mirror, {"MIRROR_IMAGES": "remote"}).verdict == "ok"
        assert site.asked("//i.") == []
        assert {row["asset"] for row in rows(mirror).values()} == {None}
        assert len(rows(mirror)) == 5
        before = page(mirror)
        outcome = crawl(mirror)
        assert (outcome.verdict, outcome.stats["pictures/stored"]) == ("ok", 5)
        assert len(shown(mirror)) == 2
        assert page(mirror) != before

    def test_are_not_asked_for_by_runs_for_single_articles(self, mirror: Mirror, site: SampleSite) -> None:
        crawl(mirror, {"MIRROR_IMAGES": "none"})
        crawl(mirror, url=STORY.url)
        crawl(mirror, since="2026-05-01", section="nsc413")
        assert asked(site) == []

    def test_of_a_page_that_was_revised_without_them_are_not_wanted(self, mirror: Mirror, site: SampleSite) -> None:
        crawl(mirror, {"MIRROR_IMAGES": "none"})
        without = edited(STORY, replaced={f'src="{INSIDE}"': 'src=""', f'href="{INSIDE}"': ""})
        site.serve(World([*STORIES, without], per_page=5))
        crawl(mirror, {"MIRROR_IMAGES": "none"}, refresh=STORY.article_id)
        crawl(mirror)
        assert INSIDE not in asked(site)
        assert LEAD in asked(site)

    def test_of_a_page_that_was_revised_come_with_it(self, mirror: Mirror, site: SampleSite) -> None:
        crawl(mirror)
        other = f"{UPLOADS}id1-other-300x200.png"
        site.serve(World([*STORIES, edited(STORY, replaced={INSIDE: other})], per_page=5))
        site.requests.clear()
        outcome = crawl(mirror, refresh=STORY.article_id)
        assert asked(site) == [other]
        assert (outcome.stats["articles/revised"], outcome.stats["pictures/known"]) == (1, 1)
        assert rows(mirror)[other]["asset"] in shown(mirror)
        assert mirror.ask("verify", settings=LOCAL) == 0


BAD: dict[str, tuple[Answer, bool]] = {
    "HTTP 404": (answers.gone(404), True),
    "HTTP 410": (answers.gone(410), True),
    "HTTP 403": (answers.forbidden(), False),
    "HTTP 429": (answers.too_many(600), False),
    "HTTP 503": (answers.unavailable(600), False),
    "HTTP 500": (Answer(status=500), False),
    "HTTP 304 without being asked for it": (Answer(status=304), False),
    "challenge page": (answers.challenge(), False),
    "challenge page, 403": (answers.challenge(status=403), False),
    "no picture": (answers.error_page(OUTLET), True),
    "no picture, empty": (Answer(parts=(b"",)), True),
    "too small": (Answer(parts=(encoded(Image.new("RGB", (1, 1)), "GIF"),)), True),
    "truncated": (Answer(parts=(encoded(view("cut", 600, 400), "JPEG")[:9000],)), False),
    "ResponseDataLossError": (Answer(parts=(encoded(view("cut", 600, 400), "JPEG"),), cut=True), False),
    "too big": (Answer(parts=(b"\xff\xd8\xff" + bytes(70_000),)), True),
    "too big, unsized": (Answer(parts=(b"\xff\xd8\xff" + bytes(70_000),), sized=False), True),
    "Not a host of the outlet: evil.example": (answers.moved("https://evil.example/a.jpg"), True),
    "Not a host of the outlet: i.epochtimes.com": (answers.moved("http://i.epochtimes.com/assets/uploads/a.jpg"), True),
    "Not a host of the outlet: i.epochtimes.com:8443": (answers.moved("https://i.epochtimes.com:8443/a.jpg"), True),
    "Forbidden by robots.txt": (answers.moved("https://i.epochtimes.com/assets/private/a.jpg"), False),
}
"""Cause → how the leads of as many articles are answered, and whether it is no use to ask again."""

WITH_LEAD = [story for story in news(OUTLET, 25) if story.thumbnail and int(story.article_id[1:]) % 5][: len(BAD)]


@pytest.fixture(scope="class")
def damaged(tmp_path_factory: pytest.TempPathFactory, reactor: Reactor) -> Iterator[Crawled]:
    """A mirror of articles whose leads are :data:`BAD`."""
    with SampleSite(World(WITH_LEAD)) as site, mock.patch("mirror_crawler.gate.IN_A_ROW", 1000):
        for story, (answer, _) in zip(WITH_LEAD, BAD.values(), strict=True):
            site.set_sequence(story.thumbnail, answer)
        yield Crawled(Mirror(tmp_path_factory.mktemp("mirror"), site, reactor), MIRROR_IMAGE_MAX_BYTES="60000")


class TestBad:
    """Each lead cannot be had for another cause; the articles are there, with its caption and their other picture."""

    def test_no_article_and_no_verdict(self, damaged: Crawled) -> None:
        outcome = damaged.outcome
        assert (outcome.verdict, outcome.faults, outcome.failures) == ("ok", [], [])
        assert outcome.stats["articles/new"] == outcome.stats["pictures/failed"] == len(BAD)
        assert outcome.stats["pictures/too_big"] == 2
        assert not any(key.startswith(("blocked/", "requests/slowed_down")) for key in outcome.stats)
        assert {request.url.split("/")[2] for request in damaged.requests} == {"www.epochtimes.com", "i.epochtimes.com"}
        assert not [request.url for request in damaged.requests if request.url.startswith("http:")]

    @pytest.mark.untraced
    @pytest.mark.parametrize("cause", BAD)
    def test_cause(self, damaged: Crawled, cause: str) -> None:
        story = WITH_LEAD[list(BAD).index(cause)]
        row, lasting = rows(damaged.mirror)[story.thumbnail], BAD[cause][1]
        cause = cause.partition(", ")[0]
        assert (row["asset"], row["cause"]) == (None, cause)
        assert row["tries"] == (MAX_TRIES if lasting else 1)
        assert (story.thumbnail in damaged.asked_again) is not lasting
        assert damaged.outcome.stats[f"pictures/failed/{cause}"] >= 1
        found = references(damaged.files[page_of(story)].decode())
        assert len(found.shown) == int(story.article_id[1:]) % 2
        assert found.outside == []
        assert "／大纪元）" in damaged.files[page_of(story)].decode()


class TestSometimesBad:
    @pytest.mark.untraced
    def test_comes_with_a_later_run(self, mirror: Mirror, site: SampleSite) -> None:
        site.set(LEAD, status=500)
        crawl(mirror)
        before = mirror.written()
        site.reset(LEAD)
        site.requests.clear()
        outcome = crawl(mirror)
        assert asked(site) == [LEAD]
        assert (outcome.stats["pictures/stored"], outcome.stats["pages/written"]) == (1, 2)
        assert shown(mirror) == [rows(mirror)[url]["asset"] for url in (LEAD, INSIDE)]
        changed = {path for path, moment in mirror.written().items() if before.get(path) != moment}
        assert changed == {page_of(STORY), next(path for path in changed if path.startswith("assets/"))}

    @pytest.mark.untraced
    def test_a_redirect_within_the_hosts_is_followed(self, mirror: Mirror, site: SampleSite) -> None:
        site.set_sequence(LEAD, answers.moved(f"{UPLOADS}elsewhere.png"))
        crawl(mirror, url=STORY.url)
        assert rows(mirror)[LEAD]["asset"] in shown(mirror)

    def test_a_full_disk(self, mirror: Mirror, site: SampleSite, caplog: pytest.LogCaptureFixture) -> None:
        with mock.patch.object(Album, "put", side_effect=OSError(28, "No space left on device")):
            outcome = crawl(mirror, ONE_BY_ONE)
        assert outcome.verdict == "ok"
        assert "No space left on device" in caplog.text
        assert [row["tries"] for row in rows(mirror).values()] == [0] * 5
        assert crawl(mirror).stats["pictures/stored"] == 5

    def test_a_fault_of_ours(self, mirror: Mirror, caplog: pytest.LogCaptureFixture) -> None:
        with mock.patch.object(FetchPictures, "_kept", side_effect=RuntimeError("a fault")):
            outcome = crawl(mirror, url=STORY.url)
        assert (outcome.verdict, outcome.faults) == ("ok", [])
        assert f"RuntimeError in {LEAD}" in caplog.text


class TestHosts:
    def test_one_that_only_refuses_is_left_alone(
        self, mirror: Mirror, site: SampleSite, caplog: pytest.LogCaptureFixture
    ) -> None:
        site.serve(World(news(OUTLET, 9), per_page=5))
        site.storm(answers.forbidden(), of="i.epochtimes.com/assets")
        outcome = crawl(mirror, ONE_BY_ONE)
        assert (outcome.verdict, outcome.stats["articles/new"]) == ("ok", 9)
        assert len(asked(site)) == outcome.stats["pictures/failed"] == IN_A_ROW
        assert outcome.stats["pictures/left_alone"] == len(rows(mirror)) - IN_A_ROW > 3
        assert sorted(row["tries"] for row in rows(mirror).values())[-IN_A_ROW - 1 :] == [0] + [1] * IN_A_ROW
        assert caplog.text.count("is left alone in this run") == 1

    @pytest.mark.untraced
    def test_a_good_answer_between_is_enough(self, mirror: Mirror, site: SampleSite) -> None:
        site.serve(World(news(OUTLET, 9), per_page=5))
        site.storm(answers.unavailable(), count=IN_A_ROW - 1, of="i.epochtimes.com/assets")
        outcome = crawl(mirror, ONE_BY_ONE)
        assert outcome.stats["pictures/failed"] == IN_A_ROW - 1
        assert len(asked(site)) == len(rows(mirror))

    @pytest.mark.parametrize(
        "answer", [answers.challenge(), Answer(cut=True, parts=(b"Disallow",))], ids=["200", "cut"]
    )
    def test_without_its_robots_txt_nothing_is_asked_there(
        self, mirror: Mirror, site: SampleSite, answer: Answer
    ) -> None:
        site.set_sequence(ROBOTS, answer)
        outcome = crawl(mirror)
        assert (outcome.verdict, outcome.faults) == ("ok", [])
        assert len(site.asked(ROBOTS)) == 1
        assert asked(site) == []
        assert outcome.stats["pictures/failed/Forbidden by robots.txt"] == 5

    def test_foreign_ones_are_not_asked(self, mirror: Mirror, site: SampleSite) -> None:
        foreign = "https://images.example/b.jpg"
        site.serve(World([edited(STORY, replaced={INSIDE: foreign})]))
        crawl(mirror, url=STORY.url)
        assert rows(mirror).keys() == {LEAD}
        with contextlib.closing(sqlite3.connect(mirror.data / "mirror.db")) as db, db:  # as an older store had it
            db.execute("INSERT INTO pictures (url, outlet) VALUES (?, ?)", [foreign, OUTLET])
            db.execute("INSERT INTO links VALUES (?, ?, '', 'picture', ?)", [OUTLET, STORY.article_id, foreign])
        outcome = crawl(mirror)
        assert site.asked("images.example") == []
        assert rows(mirror)[foreign]["tries"] == MAX_TRIES
        assert outcome.stats["pictures/failed/not at a host of the outlet"] == 1

    @pytest.mark.untraced
    def test_the_outlet_s_own_may_serve_them_too(self, mirror: Mirror, site: SampleSite) -> None:
        own = "https://www.epochtimes.com/assets/uploads/map.png"
        site.set(own, encoded(view("map", 1200, 300), "PNG"))
        site.serve(World([edited(STORY, replaced={INSIDE: own.replace("https", "http")})]))
        crawl(mirror, url=STORY.url)
        (row,) = (row for url, row in rows(mirror).items() if "map.png" in url)
        assert (row["width"], row["height"]) == (800, 200)
        assert site.asked("map.png") == [own]

    def test_two_articles_share_a_picture(self, mirror: Mirror, site: SampleSite) -> None:
        other = edited(STORIES[3], replaced={f"{UPLOADS}id13500003-sample-600x400.jpg": INSIDE})
        site.serve(World([STORY, other]))
        crawl(mirror)
        assert asked(site).count(INSIDE) == 1
        assert set(shown(mirror, 1)) & set(shown(mirror, 3)) == {rows(mirror)[INSIDE]["asset"]}

    @pytest.mark.parametrize(
        ("host", "slots"), [("i", {f"{OUTLET}.pictures"}), ("www", {OUTLET, f"{OUTLET}.pictures"})], ids=["i", "www"]
    )
    def test_crawl_delay_holds_for_what_it_is_said_of(
        self, mirror: Mirror, site: SampleSite, host: str, slots: set[str]
    ) -> None:
        site.set(f"https://{host}.epochtimes.com/robots.txt", "User-agent: *\nCrawl-delay: 0.01\n")
        with mock.patch.dict(os.environ, site.environment):
            crawler = mirror.reactor.crawl(OUTLET, mirror.settings(**LOCAL), {"url": STORY.url})
        delays = {name: slot["delay"] for name, slot in crawler.engine.downloader.per_slot_settings.items()}
        assert delays == dict.fromkeys(slots, 0.01)


@pytest.mark.untraced
class TestBudgets:
    def test_of_a_run(self, mirror: Mirror, site: SampleSite) -> None:
        outcome = crawl(mirror, ONE_BY_ONE | {"MIRROR_IMAGES_PER_RUN_BYTES": "1"})
        (first,) = asked(site)
        assert (outcome.verdict, outcome.stats["pictures/stored"]) == ("ok", 1)
        assert outcome.stats["pictures/over_budget"] == 4
        assert {row["tries"] for row in rows(mirror).values()} == {0}
        assert crawl(mirror).stats["pictures/stored"] == 4
        assert asked(site).count(first) == 1

    @pytest.mark.parametrize(("most", "urls"), [("1", {LEAD}), ("0", set())])
    def test_of_an_article(self, mirror: Mirror, site: SampleSite, most: str, urls: set[str]) -> None:
        settings = LOCAL | {"MIRROR_IMAGES_PER_ARTICLE": most, "MIRROR_IMAGE_WIDTH": "150"}
        outcome = crawl(mirror, settings, url=STORY.url)
        assert set(asked(site)) == set(rows(mirror)) == urls
        assert outcome.stats["pictures/beyond_article"] == 2 - len(urls)
        assert len(shown(mirror)) == len(urls)
        assert "的清晨" in page(mirror)
        assert {(row["width"], row["height"]) for row in rows(mirror).values()} <= {(150, 100)}


@pytest.mark.untraced
class TestLost:
    def test_tree(self, mirror: Mirror, site: SampleSite) -> None:
        crawl(mirror)
        before = mirror.files()
        shutil.rmtree(mirror.output)
        site.requests.clear()
        crawl(mirror)
        assert site.asked("//i.") == []
        assert fingerprint(mirror.files()) == fingerprint(before)

    def test_album(self, mirror: Mirror, site: SampleSite) -> None:
        """What stands in the tree is enough for the tree."""
        crawl(mirror)
        before = mirror.files()
        shutil.rmtree(mirror.data / "images")
        assert mirror.ask("render", settings=LOCAL) == mirror.ask("verify", settings=LOCAL) == 0
        assert fingerprint(mirror.files()) == fingerprint(before)

    def test_both(self, mirror: Mirror, site: SampleSite) -> None:
        crawl(mirror)
        before = mirror.files()
        shutil.rmtree(mirror.data / "images")
        shutil.rmtree(mirror.output / "assets")
        assert mirror.ask("render", "--check", settings=LOCAL) == 1
        assert {row["asset"] is None for row in rows(mirror).values()} == {False}
        assert mirror.ask("render", settings=LOCAL) == 0
        assert (shown(mirror), dead_links(mirror.files())) == ([], set())
        site.requests.clear()
        assert crawl(mirror).stats["pictures/stored"] == 5
        assert fingerprint(mirror.files()) == fingerprint(before)


class TestStop:
    @pytest.mark.parametrize(
        ("settings", "number"),
        [
            pytest.param({}, 1, id="one-is-under-way-and-never-comes"),
            pytest.param({"DOWNLOAD_SLOTS": {f"{OUTLET}.pictures": {"delay": 600}}}, 0, id="all-wait-for-their-turn"),
        ],
    )
    def test_a_run_that_is_told_to_stop_does_not_wait(
        self, mirror: Mirror, site: SampleSite, settings: dict[str, Any], number: int
    ) -> None:
        site.serve(World(news(OUTLET, 8), per_page=5))
        site.storm(Answer(hang=True), of="i.epochtimes.com/assets")

        def waits(crawler: Crawler) -> bool:
            if len(asked(site)) < number or len(site.asked("/n148")) < 8:
                return False
            return bool(crawler.engine.downloader.slots[f"{OUTLET}.pictures"].queue)

        outcome = mirror.crawl_until(waits, OUTLET, ONE_BY_ONE | settings, section="nsc413")
        assert outcome.verdict == "degraded"
        assert len(asked(site)) == number
        assert {row["tries"] for row in rows(mirror).values()} == {0}
        assert len([path for path in mirror.files() if "/n148" in path]) == 8
        site.calm()
        assert crawl(mirror).verdict == "ok"
        assert len(kept(mirror)) == len(rows(mirror))
