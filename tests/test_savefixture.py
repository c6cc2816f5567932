"""A page becomes a case of the fixtures: by its file, by fetching it, and not at all."""

from __future__ import annotations

import argparse
import json
import os
import re
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from scrapy import Spider
from scrapy.exceptions import UsageError
from scrapy.http import HtmlResponse
from scrapy.settings import Settings
from scrapy.spidermiddlewares.httperror import HttpError
from twisted.python.failure import Failure

from mirror_crawler import browser, fixtures
from mirror_crawler.browser import UNRENDERED
from mirror_crawler.commands.savefixture import Command, _fetched
from mirror_crawler.one_page import OnePage
from tests.mirror import Mirror
from tests.test_fixtures import FIXTURES, META, OUTLETS

ARTICLE = "https://www.epochtimes.com/gb/26/10/7/n14860001.htm"
NOBODY = "http://127.0.0.1:9"
BODY, ENTRIES = (OUTLETS["epochtimes"].rendered_by(kind) for kind in ("article", "list"))


@pytest.mark.parametrize(
    ("case", "name"),
    [
        ("ntdtv/2026-header-clock", "a10"),
        ("epochtimes/list-2026-first", "list-nsc"),
        ("ntdtv/not-wrapper", ""),
        ("ntdtv/list-tag", ""),
    ],
)
def test_what_a_page_is(case: str, name: str) -> None:
    meta, outlet = META[case], OUTLETS[case.partition("/")[0]]
    assert fixtures.kind_of(outlet, meta["url"]) == meta["kind"]
    named = fixtures.name_of(outlet, meta["url"])
    assert named.startswith(name) if name else named == ""


@pytest.mark.parametrize("case", [case for case, meta in META.items() if meta["kind"] == "article"])
def test_the_draft_of_the_truth(case: str) -> None:
    """What is written for a page that is read rightly is what its author wrote, but for the hints about its text."""
    meta = META[case]
    body = (FIXTURES / case / "page.html").read_bytes()
    drafted, fault = fixtures.describe(OUTLETS[case.partition("/")[0]], meta["url"], body)
    assert fault == ""
    assert drafted["truth"] | {"contains": [], "lacks": []} == meta["truth"] | {"contains": [], "lacks": []}
    assert drafted.keys() == meta.keys()


def save(mirror: Mirror, *words: str) -> Path:
    assert mirror.ask("savefixture", *words, "--into", str(mirror.root)) == 0
    (made,) = mirror.root.glob("*/*/meta.json")
    return made.parent


def meta_of(case: Path) -> dict[str, Any]:
    meta: dict[str, Any] = json.loads((case / "meta.json").read_text(encoding="utf-8"))
    return meta


@pytest.mark.parametrize(
    ("body", "said"),
    [
        pytest.param(b"<h1 class='title'>x</h1><p>y", "the selectors read it not: no body (", id="no body"),
        pytest.param(None, "the selectors can read it", id="readable"),
    ],
)
def test_from_a_file(
    mirror: Mirror, tmp_path: Path, capsys: pytest.CaptureFixture[str], body: bytes | None, said: str
) -> None:
    page = tmp_path / "saved.html"
    page.write_bytes(body or (FIXTURES / "epochtimes" / "2026-arttop" / "page.html").read_bytes())
    case = save(
        mirror, "epochtimes", META["epochtimes/2026-arttop"]["url"], "--file", str(page), "--case", "new-layout"
    )
    assert (case.parent.name, case.name) == ("epochtimes", "new-layout")
    assert (case / "page.html").read_bytes() == page.read_bytes()
    assert meta_of(case)["kind"] == "article"
    assert meta_of(case)["truth"].keys() == META["epochtimes/2026-arttop"]["truth"].keys()
    told = capsys.readouterr()
    assert said in told.err
    assert told.out == f"{case}\n"


@pytest.mark.parametrize("case", ["epochtimes/list-2026-first", "epochtimes/list-empty", "ntdtv/not-wrapper"])
def test_what_is_no_article(mirror: Mirror, case: str) -> None:
    outlet, _, name = case.partition("/")
    page = FIXTURES / case / "page.html"
    made = meta_of(save(mirror, outlet, META[case]["url"], "--file", str(page), "--case", name))
    assert (made["kind"], made["url"]) == (META[case]["kind"], META[case]["url"])
    if case == "epochtimes/list-2026-first":
        assert made["truth"]["articles"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param((), "name one of the outlets epochtimes, ntdtv and the address", id="nothing"),
        pytest.param(("example", ARTICLE), "name one of the outlets", id="outlet"),
        pytest.param(("ntdtv", ARTICLE), f"{ARTICLE} is no page of ntdtv", id="foreign"),
        pytest.param(("epochtimes", ARTICLE, "--case", "../x"), "--case NAME: name the case with", id="case"),
        pytest.param(("epochtimes", ARTICLE, "--case", "2026-arttop"), "exists; choose another name", id="exists"),
        pytest.param(("ntdtv", "https://www.ntdtv.com/x"), "--case NAME: name the case with", id="nameless"),
        pytest.param(("epochtimes", ARTICLE, "--file", "/no/file"), "--file /no/file: No such file", id="file"),
    ],
)
def test_refused(mirror: Mirror, words: tuple[str, ...], message: str) -> None:
    with pytest.raises(UsageError) as refused:
        mirror.ask("savefixture", *words)
    assert message in str(refused.value)


def test_a_proxy_that_cannot_be_used(mirror: Mirror) -> None:
    with pytest.raises(UsageError, match="MIRROR_PROXY: use the address"):
        mirror.ask("savefixture", "epochtimes", ARTICLE, settings={"MIRROR_PROXY": "x"})


def test_a_page_that_leads_elsewhere(mirror: Mirror, capsys: pytest.CaptureFixture[str]) -> None:
    command = Command()
    command._save(OUTLETS["ntdtv"], mirror.root / "case", "https://elsewhere.example/", b"")
    assert command.exitcode == 1
    assert "https://elsewhere.example/ is no page of ntdtv" in capsys.readouterr().err


def test_what_is_no_text(mirror: Mirror, capsys: pytest.CaptureFixture[str]) -> None:
    noise = mirror.root / "noise"
    noise.write_bytes(bytes(range(256)) * 99)
    into = mirror.root / "fixtures"
    assert mirror.ask("savefixture", "epochtimes", ARTICLE, "--file", str(noise), "--into", str(into)) == 1
    assert capsys.readouterr().err == (
        f"scrapy savefixture: {ARTICLE}: what was got for it cannot be decoded as text; nothing is saved\n"
    )
    assert not into.exists()


class InThisProcess:
    """Of Scrapy's ``CrawlerProcess`` what the command uses."""

    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror

    def crawl(self, spider: type[Spider], *arguments: Any) -> None:
        names = ("outlet", "url", "answers", "say", "selector")
        self._crawl = spider, self._mirror.settings(), dict(zip(names, arguments, strict=True))

    def start(self) -> None:
        with mock.patch.dict(os.environ, self._mirror.site.environment):
            self._mirror.reactor.crawl(*self._crawl)


def test_a_page_and_its_address(mirror: Mirror) -> None:
    """What the outlet's robots.txt allows."""
    url = sample(mirror)
    process: Any = InThisProcess(mirror)
    assert _fetched(process, OUTLETS["epochtimes"], url, "") == (url, mirror.site.page(url).encode())
    assert [asked.endswith("/robots.txt") for asked in mirror.site.asked()] == [True, False]


@pytest.mark.untraced
def test_fetched(mirror: Mirror) -> None:
    url = sample(mirror)
    done = mirror.command("savefixture", "epochtimes", url, "--into", str(mirror.root))
    assert done.returncode == 0, done.stderr
    case = Path(done.stdout.strip())
    assert (case / "page.html").read_bytes().decode() == mirror.site.page(url)
    assert meta_of(case)["truth"]["article_id"] == case.name
    assert mirror.site.asked()[0].endswith("/robots.txt")


def test_not_to_be_had(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    failure = Failure(HttpError(HtmlResponse(ARTICLE, status=404)))  # type: ignore[no-untyped-call]
    OnePage(OUTLETS["epochtimes"], ARTICLE, [], said.append).failed(failure)
    assert said == [f"{ARTICLE}: HTTP 404"]
    monkeypatch.setattr("mirror_crawler.commands.savefixture._fetched", lambda *what: None)
    assert mirror.ask("savefixture", "epochtimes", ARTICLE, "--into", str(mirror.root)) == 1
    assert list(mirror.root.iterdir()) == []


class TestThroughSplash:
    """What it saves through a real one is in test_splash_crawl.py."""

    @pytest.mark.parametrize(
        ("words", "settings", "message"),
        [
            pytest.param(("--render", "splash"), {}, "^SPLASH_URL: is not set, and the article pages of", id="not-set"),
            pytest.param((), {"MIRROR_RENDER": "splash"}, "^SPLASH_URL: is not set", id="by-the-setting"),
            pytest.param(
                ("--render", "splash"), {"SPLASH_URL": NOBODY}, f"^no Splash answers at {NOBODY}", id="nobody-there"
            ),
            pytest.param((), {"MIRROR_RENDER": "yes"}, "^MIRROR_RENDER=yes: use", id="no-choice"),
        ],
    )
    def test_that_cannot_be_used_is_told_before_anything_is_asked(
        self,
        mirror: Mirror,
        monkeypatch: pytest.MonkeyPatch,
        words: tuple[str, ...],
        settings: dict[str, str],
        message: str,
    ) -> None:
        monkeypatch.setattr(browser, "STARTS", 0.0)
        with pytest.raises(UsageError, match=message):
            mirror.ask("savefixture", "epochtimes", ARTICLE, *words, settings={"SPLASH_URL": "", **settings})
        assert mirror.site.requests == []

    @pytest.mark.parametrize(
        ("url", "words", "selector"),
        [
            pytest.param(ARTICLE, (), BODY, id="declared"),
            pytest.param(ARTICLE, ("--render", "none"), "", id="not-wanted"),
            pytest.param("https://www.epochtimes.com/gb/nsc413.htm", (), "", id="not-declared"),
            pytest.param("https://www.epochtimes.com/gb/nsc413.htm", ("--render", "splash"), ENTRIES, id="wanted"),
            pytest.param("https://www.epochtimes.com/gb/about.htm", ("--render", "splash"), "", id="neither"),
        ],
    )
    def test_goes_what_a_crawl_would_fetch_through_it(
        self, mirror: Mirror, monkeypatch: pytest.MonkeyPatch, url: str, words: tuple[str, ...], selector: str
    ) -> None:
        mirror.site.set("/_ping", "maxrss")
        monkeypatch.setattr(OUTLETS["epochtimes"], "scripted", ("article",))
        asked: list[str] = []
        monkeypatch.setattr("mirror_crawler.commands.savefixture._fetched", lambda *what: asked.append(what[-1]))
        mirror.ask("savefixture", "epochtimes", url, *words, "--case", "x", settings={"SPLASH_URL": mirror.site.proxy})
        assert asked == [selector]

    def test_a_page_that_was_not_built_is_told(self) -> None:
        answers: list[tuple[str, bytes]] = []
        said: list[str] = []
        page = OnePage(OUTLETS["epochtimes"], ARTICLE, answers, said.append, "#artbody p")
        page.parse(HtmlResponse(ARTICLE, body=b"<p>", flags=[UNRENDERED]))
        assert said == [f"{ARTICLE}: its scripts built nothing that #artbody p finds; it is saved as it is"]
        assert answers == [(ARTICLE, b"<p>")]


def sample(mirror: Mirror) -> str:
    """The address of an article that the sample outlet serves."""
    return next(url for url in mirror.site._pages if "www.epochtimes.com" in url and "/n1" in url)


def test_help_names_what_it_takes() -> None:
    command = Command()
    parser = argparse.ArgumentParser(conflict_handler="resolve")
    command.settings = Settings()
    command.add_options(parser)
    assert set(re.findall("--[a-z]+", command.syntax())) <= set(parser.format_help().replace(",", " ").split())
    assert "fixture" in command.short_desc()
