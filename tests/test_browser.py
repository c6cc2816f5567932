"""Which pages need a browser, and what an operator is told when there is none."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from scrapy import Request
from scrapy.settings import Settings
from scrapy.utils.request import RequestFingerprinter
from scrapy.utils.test import get_crawler

from mirror_crawler import browser
from mirror_crawler.browser import (
    KINDS,
    RENDER,
    Fingerprinter,
    PageKind,
    check_splash,
    options,
    rendered_kinds,
    splash_address,
    splash_problem,
)
from mirror_crawler.config import SettingError
from mirror_crawler.spiders.epochtimes import EpochtimesSpider
from mirror_crawler.stopping import stop
from tests.mirror import REPO, Mirror, news
from tests.site import SampleSite

FIRST = news("epochtimes", 1)[0].url
NOBODY = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser, "STARTS", 0.0)


class TestRenderedKinds:
    @pytest.mark.parametrize(
        ("declared", "asked", "kinds"),
        [
            pytest.param((), "declared", (), id="nothing"),
            pytest.param(("list",), "declared", ("list",), id="declared"),
            pytest.param((), "splash", KINDS, id="forced"),
            pytest.param(KINDS, "none", (), id="switched-off"),
        ],
    )
    def test_are_those_declared_unless_told_otherwise(
        self, declared: tuple[PageKind, ...], asked: str, kinds: tuple[PageKind, ...]
    ) -> None:
        assert rendered_kinds(declared, asked) == frozenset(kinds)

    def test_the_argument_goes_before_the_setting(self) -> None:
        plan = EpochtimesSpider.read_plan({"render": "none"})
        assert EpochtimesSpider.rendered_in(plan, "splash") == frozenset()
        assert EpochtimesSpider.rendered_in(EpochtimesSpider.read_plan({}), "splash") == frozenset(KINDS)

    @pytest.mark.parametrize("kind", KINDS)
    def test_only_their_requests_are_marked(self, kind: PageKind, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(EpochtimesSpider, "scripted", (kind,))
        spider = EpochtimesSpider.from_crawler(get_crawler(EpochtimesSpider, {"MIRROR_RENDER": "declared"}))
        address = spider.addresses.find_article(FIRST)
        section = spider.plan.lists[0]
        assert address is not None
        requests = {
            "list": spider.list_request(section.url, section, 1),
            "article": spider.article_request(address),
            "feed": spider.source_request("https://www.epochtimes.com/gb/nsc413.xml", "feed"),
        }
        assert [name for name, request in requests.items() if RENDER in request.meta] == [kind]

    def test_alternatives_of_a_selector_are_tried_one_by_one(self) -> None:
        assert options("#artbody p, .post")["args"] == {"built": ["#artbody p", ".post"]}


class TestCheckSplash:
    def test_nothing_is_needed_where_no_page_is_rendered(self) -> None:
        check_splash(Settings({"SPLASH_URL": ""}), "epochtimes", ())
        check_splash(Settings({"SPLASH_URL": NOBODY}), "epochtimes", ())

    @pytest.mark.parametrize(
        ("kinds", "pages"),
        [
            pytest.param(("article",), "article pages", id="one"),
            pytest.param(("article", "list"), "list pages and article pages", id="both"),
        ],
    )
    def test_that_it_is_not_set_is_said_at_once(self, kinds: tuple[PageKind, ...], pages: str) -> None:
        with pytest.raises(SettingError, match=f"^SPLASH_URL: is not set, and the {pages} of epochtimes are built by"):
            check_splash(Settings({"SPLASH_URL": ""}), "epochtimes", kinds)

    @pytest.mark.parametrize(
        "url",
        [
            pytest.param("127.0.0.1:8050", id="no-scheme"),
            pytest.param("ftp://127.0.0.1:8050", id="scheme"),
            pytest.param("http://:8050", id="no-host"),
            pytest.param("http://127.0.0.1:port", id="no-number"),
            pytest.param("http://127.0.0.1:0", id="port-0"),
            pytest.param("http://127.0.0.1:8050/execute", id="path"),
            pytest.param("http://127.0.0.1:8050?x", id="query"),
            pytest.param("http://wang:secret@127.0.0.1:port", id="password"),
        ],
    )
    def test_an_address_that_cannot_be_one_is_refused_though_nothing_needs_it(self, url: str) -> None:
        with pytest.raises(SettingError, match=r"^SPLASH_URL: use the address of a Splash server") as error:
            check_splash(Settings({"SPLASH_URL": url}), "epochtimes", ())
        assert "secret" not in str(error.value)

    def test_nobody_is_asked(self, site: SampleSite) -> None:
        """That it does not answer is a matter of the run, whose end is told to the operator."""
        check_splash(Settings({"SPLASH_URL": site.proxy}), "epochtimes", KINDS)
        assert site.requests == []


class TestTheAddress:
    @pytest.mark.parametrize(
        ("stated", "url", "word"),
        [
            pytest.param(NOBODY, NOBODY, "", id="plain"),
            pytest.param("https://splash.example/", "https://splash.example", "", id="slash"),
            pytest.param(
                "http://wang:p%40ss%3A@splash.example:8050",
                "http://splash.example:8050",
                "Basic d2FuZzpwQHNzOg==",
                id="password",
            ),
        ],
    )
    def test_is_told_without_its_password(self, stated: str, url: str, word: str) -> None:
        assert splash_address(Settings({"SPLASH_URL": stated})) == (url, word)

    def test_can_stand_in_a_file(self, tmp_path: Path) -> None:
        file = tmp_path / "splash"
        file.write_text(f"{NOBODY}\n")
        assert splash_address(Settings({"SPLASH_URL": f"@{file}"})).url == NOBODY


class TestSplashProblem:
    def test_nobody_answers(self, monkeypatch: pytest.MonkeyPatch) -> None:
        waits: list[float] = []
        monkeypatch.setattr(browser, "STARTS", 0.05)
        monkeypatch.setattr("mirror_crawler.browser.time.sleep", waits.append)
        problem = splash_problem(Settings({"SPLASH_URL": NOBODY.replace("//", "//wang:secret@")}))
        assert problem.startswith(f"no Splash answers at {NOBODY} (")
        assert problem.endswith("Connection refused); start it, or correct SPLASH_URL")
        assert waits

    def test_is_not_waited_for_once_told_to_stop(self, monkeypatch: pytest.MonkeyPatch) -> None:
        waits: list[float] = []
        monkeypatch.setattr(browser, "STARTS", 60.0)
        monkeypatch.setattr(stop, "asked", False)

        def told(seconds: float) -> None:
            waits.append(seconds)
            stop.asked = True

        monkeypatch.setattr("mirror_crawler.browser.time.sleep", told)
        assert splash_problem(Settings({"SPLASH_URL": NOBODY}))
        assert len(waits) == 1

    def test_another_server_answers(self, site: SampleSite) -> None:
        settings = Settings({"SPLASH_URL": site.proxy})
        assert "(Bad Gateway)" in splash_problem(settings)
        site.set("/_ping", "hello")
        assert splash_problem(settings).startswith(f"no Splash answers at {site.proxy} (another server does); ")

    @pytest.mark.parametrize("status", [401, 404, 500])
    def test_is_not_waited_for_where_another_server_is(
        self, site: SampleSite, monkeypatch: pytest.MonkeyPatch, status: int
    ) -> None:
        monkeypatch.setattr(browser, "STARTS", 60.0)
        site.set("/_ping", "hello", status=status)
        problem = splash_problem(Settings({"SPLASH_URL": site.proxy}))
        assert f"(another server does, with HTTP {status}); " in problem
        assert len(site.requests) == 1

    def test_it_answers(self, site: SampleSite) -> None:
        site.set("/_ping", '{"maxrss": 1, "status": "ok"}')
        settings = Settings({"SPLASH_URL": site.proxy.replace("//", "//wang:secret@")})
        assert splash_problem(settings) == ""
        assert site.requests[0].headers["authorization"] == "Basic d2FuZzpzZWNyZXQ="

    def test_none_is_named(self) -> None:
        assert splash_problem(Settings({"SPLASH_URL": ""})).startswith("SPLASH_URL: use the address of")


class TestTheCrawl:
    @pytest.fixture
    def quiet(self, capsys: pytest.CaptureFixture[str]) -> Iterator[None]:
        yield
        capsys.readouterr()

    @pytest.mark.parametrize(
        ("words", "settings"),
        [
            pytest.param(["-a", "render=splash"], {}, id="argument"),
            pytest.param([], {"MIRROR_RENDER": "splash"}, id="setting"),
            pytest.param([], {"SPLASH_URL": "here"}, id="no-address"),
            pytest.param([], {"MIRROR_RENDER": "yes"}, id="no-choice"),
            pytest.param([], {"MIRROR_RENDER_WAIT": "0"}, id="no-time"),
        ],
    )
    def test_is_refused_in_one_line_before_any_request(
        self,
        mirror: Mirror,
        site: SampleSite,
        capsys: pytest.CaptureFixture[str],
        words: list[str],
        settings: dict[str, str],
    ) -> None:
        assert mirror.ask("crawl", "epochtimes", *words, settings={"SPLASH_URL": "", **settings}) == 2
        said = capsys.readouterr().err
        assert said.startswith(("scrapy crawl: SPLASH_URL", "scrapy crawl: MIRROR_RENDER"))
        assert said.count("\n") == 1
        assert site.requests == []

    def test_without_its_splash_is_a_run_that_failed(
        self, mirror: Mirror, site: SampleSite, tmp_path: Path, quiet: None
    ) -> None:
        """A scheduled crawl is looked at by nobody: there is a report, and hooks are told."""
        told = tmp_path / "told"
        settings = {"SPLASH_URL": NOBODY, "MIRROR_HOOK_COMMAND": f"tee {told}"}
        outcome = mirror.crawl("epochtimes", settings, section="nsc413", render="splash")
        assert outcome.verdict == "failed"
        assert outcome.faults[0].startswith(f"no Splash answers at {NOBODY} (")
        assert site.requests == []
        (report,) = (mirror.data / "runs").glob("epochtimes-*.json")
        assert [json.loads(file.read_text())["verdict"] for file in (report, told)] == ["failed"] * 2

    def test_with_a_splash_that_does_not_do_it_is_a_run_that_failed(
        self, mirror: Mirror, site: SampleSite, quiet: None
    ) -> None:
        site.set("/_ping", "maxrss")
        settings = {"SPLASH_URL": site.proxy, "MIRROR_RENDER": "splash"}
        outcome = mirror.crawl("epochtimes", settings, section="nsc413")
        assert outcome.verdict == "failed"
        assert outcome.faults[0].startswith(f"Splash at {site.proxy} refuses to work: HTTP 405")
        assert site.asked("nsc413") == []

    def test_asks_for_splash_only_where_it_is_needed(self, mirror: Mirror, quiet: None) -> None:
        outcome = mirror.crawl("epochtimes", {"SPLASH_URL": NOBODY}, url=FIRST)
        assert outcome.verdict == "ok"

    def test_never_asks_without_a_browser_for_what_needs_one(
        self, mirror: Mirror, site: SampleSite, quiet: None
    ) -> None:
        """A scheduler of one's own may not go through the command, which would have refused."""
        outcome = mirror.crawl("epochtimes", {"MIRROR_RENDER": "splash", "SPLASH_URL": ""}, url=FIRST)
        assert outcome.verdict == "failed"
        assert outcome.faults[0].startswith("SPLASH_URL: use the address of a Splash server")
        assert site.requests == []

    @pytest.mark.untraced
    def test_imports_splash_and_scrapys_client_only_where_they_are_needed(self) -> None:
        """Each is part of the start of every command that imports it; the client is a seventh of it."""
        code = (
            "import pkgutil, sys; from importlib import import_module; from mirror_crawler import commands;"
            "names = [f'{commands.__name__}.{name}' for _, name, _ in pkgutil.iter_modules(commands.__path__)];"
            "[import_module(name) for name in names];"
            "from scrapy.utils.project import get_project_settings; from scrapy.crawler import Crawler;"
            "from mirror_crawler.outlet import load_outlets; settings = get_project_settings();"
            "from scrapy.utils.misc import build_from_crawler, load_object;"
            "crawler = Crawler(load_outlets(settings)['epochtimes'], settings);"
            "assert 'scrapy.core.downloader.handlers.http11' not in sys.modules;"
            "load_object(settings['DOWNLOAD_HANDLERS']['https']);"
            "build_from_crawler(load_object(settings['REQUEST_FINGERPRINTER_CLASS']), crawler);"
            "sys.exit('scrapy_splash' in sys.modules or 'mirror_crawler.splash' in sys.modules)"
        )
        assert subprocess.run([sys.executable, "-c", code], cwd=REPO, check=False).returncode == 0


class TestFingerprinter:
    def test_is_scrapys_own_without_splash(self) -> None:
        assert isinstance(Fingerprinter.from_crawler(get_crawler()), RequestFingerprinter)

    def test_tells_a_rendered_page_from_the_page_as_it_is_sent(self) -> None:
        fingerprinter = Fingerprinter.from_crawler(get_crawler(settings_dict={"SPLASH_URL": NOBODY}))
        plain, rendered = Request(FIRST), Request(FIRST, meta={RENDER: options("#artbody")})
        assert fingerprinter.fingerprint(plain) == fingerprinter.fingerprint(Request(FIRST))
        assert fingerprinter.fingerprint(rendered) != fingerprinter.fingerprint(plain)
