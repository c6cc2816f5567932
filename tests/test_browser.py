"""Which pages need a browser, and what an operator is told when there is none."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from scrapy import Request
from scrapy.settings import Settings
from scrapy.utils.request import RequestFingerprinter
from scrapy.utils.test import get_crawler

from mirror_crawler import browser
from mirror_crawler.browser import KINDS, RENDER, Fingerprinter, PageKind, check_splash, options, rendered_kinds
from mirror_crawler.config import SettingError
from mirror_crawler.spiders.epochtimes import EpochtimesSpider
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
        ],
    )
    def test_an_address_that_cannot_be_one_is_refused_though_nothing_needs_it(self, url: str) -> None:
        with pytest.raises(SettingError, match=r"^SPLASH_URL=\S+: use the address of a Splash server"):
            check_splash(Settings({"SPLASH_URL": url}), "epochtimes", ())

    def test_one_where_nobody_answers_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        waits: list[float] = []
        monkeypatch.setattr(browser, "STARTS", 0.05)
        monkeypatch.setattr("mirror_crawler.browser.time.sleep", waits.append)
        with pytest.raises(SettingError, match=r"no Splash answers there \(.*Connection refused\)"):
            check_splash(Settings({"SPLASH_URL": NOBODY}), "epochtimes", KINDS)
        assert waits

    def test_one_where_another_server_answers_is_refused(self, site: SampleSite) -> None:
        with pytest.raises(SettingError, match="no Splash answers there"):
            check_splash(Settings({"SPLASH_URL": site.proxy}), "epochtimes", KINDS)
        site.set("/_ping", "hello")
        with pytest.raises(SettingError, match=r"no Splash answers there \(another server does\)"):
            check_splash(Settings({"SPLASH_URL": site.proxy}), "epochtimes", KINDS)

    def test_one_that_answers_is_taken(self, site: SampleSite) -> None:
        site.set("/_ping", '{"maxrss": 1, "status": "ok"}')
        check_splash(Settings({"SPLASH_URL": site.proxy}), "epochtimes", KINDS)


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
            pytest.param([], {"MIRROR_RENDER": "splash", "SPLASH_URL": NOBODY}, id="nobody-there"),
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

    def test_never_asks_without_a_browser_for_what_needs_one(
        self, mirror: Mirror, site: SampleSite, quiet: None
    ) -> None:
        """A scheduler of one's own may not go through the command, which would have refused."""
        outcome = mirror.crawl("epochtimes", {"MIRROR_RENDER": "splash", "SPLASH_URL": ""}, url=FIRST)
        assert outcome.failures == [f"article {FIRST}: not sent: it needs Splash, and SPLASH_URL is not set"]
        assert site.asked(FIRST) == []

    def test_imports_nothing_of_scrapy_splash_unless_it_is_needed(self) -> None:
        code = (
            "import sys; from scrapy.utils.project import get_project_settings; from scrapy.crawler import Crawler;"
            "from mirror_crawler.outlet import load_outlets; settings = get_project_settings();"
            "from scrapy.utils.misc import build_from_crawler, load_object;"
            "crawler = Crawler(load_outlets(settings)['epochtimes'], settings);"
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
