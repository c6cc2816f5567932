"""Outlets whose pages are built by script, crawled through a real Splash server."""

from __future__ import annotations

import base64
import dataclasses
import json
import os
import signal
import socket
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mirror_crawler import pace, splash
from mirror_crawler.spiders.epochtimes import EpochtimesArticlePage, EpochtimesSpider
from tests.life import statuses
from tests.mirror import Mirror, Outcome, article_requests, fingerprint, news, wait_until
from tests.site import Answer, SampleSite, answers, scripted, server
from tests.site.world import World, list_address
from tests.splash import SplashServer, splash_python

pytestmark = [
    pytest.mark.untraced,
    pytest.mark.skipif(splash_python() is None, reason="Splash is not installed: run make splash-install"),
]

STORIES = news("epochtimes", 5)
FIRST, SECOND = STORIES[:2]
ROBOTS = "https://www.epochtimes.com/robots.txt"
LIST = list_address("epochtimes", "section", "nsc413", 1)
PLAIN = World(STORIES, per_page=3)
ONE_BY_ONE = {"CONCURRENT_REQUESTS_PER_DOMAIN": "1", "DOWNLOAD_DELAY": "0.01"}
BUILT = "#artbody > p + p"


@pytest.fixture
def world() -> World:
    return scripted.scripted(PLAIN)


@pytest.fixture(autouse=True)
def declared(monkeypatch: pytest.MonkeyPatch) -> None:
    """The outlet says that its pages are built by script, and by what one can tell."""
    monkeypatch.setattr(EpochtimesSpider, "scripted", ("list", "article"))
    monkeypatch.setattr(EpochtimesArticlePage, "RENDERED", BUILT)


@pytest.fixture
def settings(running: SplashServer) -> dict[str, str]:
    return {"SPLASH_URL": running.url}


def page(url: str) -> str:
    return b"".join(PLAIN.pages[url]).decode()


def answered(url: str) -> Answer:
    """A page built by script at once."""
    return Answer(parts=(scripted.at_once(page(url)).encode(),))


class TestTheTree:
    def test_is_that_of_the_same_content_in_plain_html(
        self, mirror: Mirror, site: SampleSite, settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rendered = mirror.crawl("epochtimes", settings, section="nsc413")
        assert (rendered.verdict, rendered.stats["articles/new"]) == ("ok", 5)
        assert rendered.stats["splash/execute/request_count"] == 7
        monkeypatch.setattr(EpochtimesSpider, "scripted", ())
        with SampleSite(PLAIN) as plain_site:
            plain = Mirror(mirror.root / "plain", plain_site, mirror.reactor)
            assert plain.crawl("epochtimes", section="nsc413").verdict == "ok"
        assert fingerprint(mirror.files()) == fingerprint(plain.files())
        assert len(mirror.files()) > 5

    def test_is_not_made_without_a_browser(self, mirror: Mirror, settings: dict[str, str]) -> None:
        """The pages of this site are nothing without their scripts."""
        outcome = mirror.crawl("epochtimes", settings, section="nsc413", render="none")
        assert outcome.verdict == "failed"
        assert mirror.articles() == {}

    def test_only_what_is_declared_is_rendered(
        self, mirror: Mirror, site: SampleSite, settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(EpochtimesSpider, "scripted", ("article",))
        site.serve(World(STORIES, per_page=3))
        outcome = mirror.crawl("epochtimes", settings, section="nsc413", source="lists,feed")
        assert outcome.verdict == "ok"
        assert outcome.stats["splash/execute/request_count"] == 5
        by_browser = {request.url for request in site.requests if "br" not in request.headers["accept-encoding"]}
        assert by_browser == {story.url for story in STORIES}
        assert any(url.endswith(".xml") for url in site.asked())

    def test_by_the_real_command_with_the_argument(
        self, mirror: Mirror, site: SampleSite, running: SplashServer
    ) -> None:
        site.serve(PLAIN)
        ended = mirror.command(
            "crawl", "epochtimes", "-a", f"url={FIRST.url}", "-a", "render=splash", SPLASH_URL=running.url
        )
        assert ended.returncode == 0, ended.stderr
        assert len(mirror.articles()) == 1
        assert len(site.asked(FIRST.url)) == 1


class TestAnswers:
    """What the outlet answers behaves as it does without Splash."""

    def fetch(self, mirror: Mirror, settings: Mapping[str, Any], url: str = FIRST.url) -> Outcome:
        return mirror.crawl("epochtimes", settings, url=url)

    def test_an_article_that_is_gone(self, mirror: Mirror, site: SampleSite, settings: dict[str, str]) -> None:
        assert self.fetch(mirror, settings).verdict == "ok"
        for status in (410, 404):
            site.set_sequence(FIRST.url, answers.gone(status))
            outcome = mirror.crawl("epochtimes", settings, refresh=FIRST.article_id)
            assert outcome.stats["articles/gone"] == 1
        assert mirror.articles()["epochtimes", FIRST.article_id]["withdrawn_at"]
        assert statuses(site, FIRST.url)[1:] == [410, 404]

    def test_one_that_was_never_there(self, mirror: Mirror, site: SampleSite, settings: dict[str, str]) -> None:
        site.set_sequence(FIRST.url, answers.gone(404))
        assert self.fetch(mirror, settings).failures == [f"article {FIRST.url}: HTTP 404"]

    def test_one_that_comes_in_the_end(
        self, mirror: Mirror, site: SampleSite, settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pace, "BROKEN_REST", 0.0)
        whole = answered(FIRST.url)
        cut = Answer(parts=whole.parts, cut=True)
        none = Answer(status=204)
        site.set_sequence(FIRST.url, Answer(status=503), cut, answers.too_many(0), none, whole)
        outcome = self.fetch(mirror, settings)
        assert outcome.verdict == "ok"
        assert outcome.stats["retry/count"] == 3
        assert statuses(site, FIRST.url) == [503, 200, 429, 204, 200]
        assert outcome.stats["requests/slowed_down"] == 2

    def test_data_that_asks_for_a_rest_speaks_for_the_page(
        self, mirror: Mirror, site: SampleSite, settings: dict[str, str]
    ) -> None:
        site.set(FIRST.url, scripted.loading(page(FIRST.url), FIRST.url))
        data = scripted.data_url(FIRST.url)
        site.set_sequence(
            data,
            answers.unavailable(0),
            Answer(parts=(scripted.data(page(FIRST.url)),), headers={"Content-Type": "application/json"}),
        )
        outcome = self.fetch(mirror, settings | {"MIRROR_RENDER_WAIT": "1"})
        assert outcome.verdict == "ok"
        assert outcome.stats["requests/slowed_down"] == 1

    def test_redirects_are_followed_by_the_crawler(
        self, mirror: Mirror, site: SampleSite, settings: dict[str, str]
    ) -> None:
        site.set_sequence(FIRST.url, answers.moved(SECOND.url.partition(".com")[2]))
        outcome = self.fetch(mirror, settings)
        assert outcome.failures == [f"article {FIRST.url}: led to another article ({SECOND.article_id})"]
        pages = [url for url in site.asked() if url in (FIRST.url, SECOND.url)]
        assert pages == [FIRST.url, SECOND.url] * 2
        assert outcome.stats["splash/execute/request_count"] == 4

    def test_redirects_lead_nowhere_else(self, mirror: Mirror, site: SampleSite, settings: dict[str, str]) -> None:
        targets = (
            "https://evil.example/gb/26/4/30/n14800000.htm",
            f"{settings['SPLASH_URL']}/_ping",
            "https://www.epochtimes.com:8443/gb/",
        )
        for story, target in zip(STORIES, targets, strict=False):
            site.set_sequence(story.url, answers.moved(target))
        asked = [story.url for story in STORIES[: len(targets)]]
        outcome = self.fetch(mirror, settings, " ".join(asked))
        assert outcome.stats["requests/foreign_host"] == len(targets)
        assert set(site.asked()) == {ROBOTS, *asked}

    def test_what_robots_txt_closes_is_not_asked_for(
        self, mirror: Mirror, site: SampleSite, settings: dict[str, str]
    ) -> None:
        site.set(ROBOTS, f"User-agent: *\nDisallow: {FIRST.url.partition('.com')[2]}\n")
        site.set_sequence(SECOND.url, answers.moved(FIRST.url))
        outcome = self.fetch(mirror, settings, f"{FIRST.url} {SECOND.url}")
        forbidden = {f"article {url}: Forbidden by robots.txt" for url in (FIRST.url, SECOND.url)}
        assert set(outcome.failures) == forbidden
        assert site.asked() == [ROBOTS, SECOND.url]

    def test_what_did_not_change_is_not_sent_again(
        self, mirror: Mirror, site: SampleSite, settings: dict[str, str]
    ) -> None:
        site.set(LIST, scripted.at_once(page(LIST)))
        for _ in range(2):
            assert mirror.crawl("epochtimes", settings, section="nsc413", pages="1").verdict == "ok"
        assert statuses(site, LIST) == [200, 304]

    def test_a_page_that_loads_its_text_is_always_sent(
        self, mirror: Mirror, site: SampleSite, settings: dict[str, str]
    ) -> None:
        """What the outlet says of its state is true of the empty page only."""
        site.set(LIST, scripted.loading(page(LIST), LIST))
        site.set(scripted.data_url(LIST), scripted.data(page(LIST)), headers={"Content-Type": "application/json"})
        for _ in range(2):
            assert mirror.crawl("epochtimes", settings, section="nsc413", pages="1").verdict == "ok"
        assert statuses(site, LIST) == [200, 200]

    def test_headers_are_those_of_the_crawler(self, mirror: Mirror, site: SampleSite, settings: dict[str, str]) -> None:
        self.fetch(mirror, {**settings, "USER_AGENT": "mirror_crawler/test"})
        sent = next(request.headers for request in site.requests if request.url == FIRST.url)
        assert sent["user-agent"] == "mirror_crawler/test"
        assert sent["accept-language"] == "zh-CN,zh;q=0.9"
        assert "br" not in sent["accept-encoding"]
        assert "referer" not in sent

    def test_cookies_come_back(self, mirror: Mirror, site: SampleSite, settings: dict[str, str]) -> None:
        headers = {"Set-Cookie": "a=1; Path=/\r\nSet-Cookie: b=2; Path=/"}
        site.set_sequence(LIST, dataclasses.replace(answered(LIST), headers=headers))
        mirror.crawl("epochtimes", settings | {"COOKIES_ENABLED": True}, section="nsc413", pages="1")
        sent = [
            request.headers.get("cookie", "")
            for request in site.requests
            if request.url in (FIRST.url, STORIES[-1].url)
        ]
        assert sent
        assert all("a=1" in cookies and "b=2" in cookies for cookies in sent)

    def test_one_that_hangs_is_given_up(self, mirror: Mirror, site: SampleSite, settings: dict[str, str]) -> None:
        site.set(FIRST.url, hang=True)
        outcome = self.fetch(mirror, {**settings, "DOWNLOAD_TIMEOUT": 1, "RETRY_TIMES": 0})
        assert outcome.failures == [f"article {FIRST.url}: DownloadTimeoutError"]
        assert len(site.asked(FIRST.url)) == 1


class TestUnrendered:
    def test_modern_script_is_reported(self, mirror: Mirror, site: SampleSite, settings: dict[str, str]) -> None:
        """The browser is of 2016, and shows what such a page is before its script has run."""
        for url in (FIRST.url, LIST):
            site.set(url, scripted.modern(page(url)))
        outcome = mirror.crawl("epochtimes", settings | {"MIRROR_RENDER_WAIT": "1"}, url=f"{FIRST.url} {LIST}")
        assert outcome.verdict == "failed"
        assert mirror.articles() == {}
        assert f"no body in 1 of 1 articles ({BUILT}): {FIRST.url}" in outcome.faults
        assert f"no article link in 1 of 1 lists ({EpochtimesSpider.list_page.ENTRIES}): {LIST}" in outcome.faults
        assert outcome.failures == [f"article {FIRST.url}: no rendered body ({BUILT})"]
        assert (outcome.stats["lists/unrendered"], outcome.stats["articles/unrendered"]) == (1, 2)

    def test_a_page_that_says_that_there_is_nothing_is_gone(
        self, mirror: Mirror, site: SampleSite, settings: dict[str, str]
    ) -> None:
        site.set_sequence(FIRST.url, answers.error_page("epochtimes"))
        outcome = mirror.crawl("epochtimes", settings | {"MIRROR_RENDER_WAIT": "1"}, url=FIRST.url)
        assert outcome.failures == [f"article {FIRST.url}: soft 404: a page without an article"]

    def test_a_challenge_is_known(self, mirror: Mirror, site: SampleSite, settings: dict[str, str]) -> None:
        site.set_sequence(FIRST.url, answers.challenge())
        outcome = mirror.crawl("epochtimes", settings | {"MIRROR_RENDER_WAIT": "1"}, url=FIRST.url)
        assert outcome.stats["blocked/challenge"] == 1


class TestHostilePages:
    def test_go_nowhere(self, mirror: Mirror, site: SampleSite, settings: dict[str, str]) -> None:
        met: list[bytes] = []
        with socket.create_server(("127.0.0.1", 0)) as trap:
            port = trap.getsockname()[1]

            def meet() -> None:
                while True:
                    try:
                        connection, _ = trap.accept()
                    except OSError:
                        return
                    with connection:
                        met.append(connection.recv(100))

            threading.Thread(target=meet, daemon=True).start()
            site.set(
                FIRST.url, scripted.at_once(scripted.with_script(_HOSTILE.replace("PORT", str(port)), page(FIRST.url)))
            )
            outcome = mirror.crawl("epochtimes", settings, url=FIRST.url)
            trap.shutdown(socket.SHUT_RDWR)
        assert outcome.verdict == "ok"
        assert met == []
        assert {request.url for request in site.requests} == {ROBOTS, FIRST.url}

    def test_one_without_end_costs_only_itself(self, mirror: Mirror, site: SampleSite) -> None:
        python = splash_python()
        assert python is not None
        site.set(FIRST.url, scripted.with_script("while (true) {}", page(FIRST.url)))
        with SplashServer(python, stuck=1) as running:
            settings = {"SPLASH_URL": running.url, **ONE_BY_ONE}
            outcome = mirror.crawl("epochtimes", settings, url=f"{FIRST.url} {SECOND.url}")
        assert outcome.failures == [f"article {FIRST.url}: Splash ended twice while it had this page"]
        assert set(mirror.articles()) == {("epochtimes", SECOND.article_id)}


_HOSTILE = """
var ours = document.createElement('iframe'), written = document.createElement('iframe');
document.documentElement.appendChild(ours);
document.documentElement.appendChild(written);
written.contentDocument.write('<script>new WebSocket("wss://127.0.0.1:PORT/")<' + '/script>');
written.contentDocument.close();
['http://127.0.0.1:PORT/', 'https://127.0.0.1:PORT/', 'https://evil.example/', 'https://www.epochtimes.com:8443/',
 'file:///etc/passwd'].forEach(function (url) {
  [window, ours.contentWindow, written.contentWindow].forEach(function (where) {
    ['WebSocket', 'Worker', 'SharedWorker', 'EventSource'].forEach(function (name) {
      try { new where[name](name === 'WebSocket' ? url.replace('http', 'ws') : url) } catch (error) {}
    });
    try {
      var request = new where.XMLHttpRequest();
      request.open('GET', url);
      request.send();
    } catch (error) {}
    try { new where.Image().src = url } catch (error) {}
    try { where.open(url) } catch (error) {}
  });
  ['script', 'iframe', 'video', 'img', 'embed'].forEach(function (name) {
    var element = document.createElement(name);
    element.src = url;
    document.documentElement.appendChild(element);
  });
  setTimeout(function () { location.href = url }, 50);
});
setTimeout(function () { location.href = '/gb/private/' }, 60);
"""


class TestTheServer:
    def test_is_waited_for_when_it_is_killed(
        self, mirror: Mirror, site: SampleSite, running: SplashServer, settings: dict[str, str]
    ) -> None:
        """Its launcher starts it again."""

        def kill() -> None:
            wait_until(lambda: len(article_requests(site.requests)) > 1)
            os.kill(running.child, signal.SIGKILL)

        killer = threading.Thread(target=kill)
        killer.start()
        outcome = mirror.crawl(
            "epochtimes", settings | {"CONCURRENT_REQUESTS_PER_DOMAIN": "2", "DOWNLOAD_DELAY": "0.05"}, section="nsc413"
        )
        killer.join()
        assert outcome.verdict == "ok"
        assert len(mirror.articles()) == 5

    def test_that_stays_away_ends_the_run(
        self, mirror: Mirror, site: SampleSite, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(splash, "COMES_BACK", 0.5)
        monkeypatch.setattr(EpochtimesSpider, "obstacle", no_obstacle)  # it goes away once the run has begun
        outcome = mirror.crawl("epochtimes", {"SPLASH_URL": "http://127.0.0.1:9"}, section="nsc413")
        assert outcome.verdict == "failed"
        assert outcome.faults[0].startswith("Splash at http://127.0.0.1:9 cannot be reached (SPLASH_URL)")
        assert site.asked() == [ROBOTS]


async def no_obstacle(_: EpochtimesSpider) -> str:
    return ""


def test_a_page_is_saved_as_the_mirror_would_see_it(mirror: Mirror, site: SampleSite, running: SplashServer) -> None:
    site.set(LIST, scripted.at_once(page(LIST)))
    words = ("savefixture", "epochtimes", LIST, "--render", "splash", "--into", str(mirror.root))
    done = mirror.command(*words, SPLASH_URL=running.url)
    assert done.returncode == 0, done.stderr
    assert "list: the selectors can read it" in done.stderr
    case = Path(done.stdout.strip())
    assert STORIES[-1].article_id in json.loads((case / "meta.json").read_text(encoding="utf-8"))["truth"]["articles"]


class TestProxies:
    def test_pages_go_through_the_outlets_own_and_its_password_no_further(
        self, mirror: Mirror, site: SampleSite, settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        offered = set()
        real = server._Connection._tunnel

        def asking(connection: server._Connection, target: str, headers: dict[str, str]) -> None:
            word = headers.get("proxy-authorization")
            if word is None:
                connection._send(Answer(status=407, headers={"Proxy-Authenticate": 'Basic realm="x"'}), "CONNECT")
            else:
                offered.add(word)
                real(connection, target, headers)

        monkeypatch.setattr(server._Connection, "_tunnel", asking)
        with SampleSite(scripted.scripted(PLAIN)) as other:
            proxy = other.proxy.replace("//", "//wang:p%40ss%2F%3A@")
            proxies = {"MIRROR_PROXY_EPOCHTIMES": proxy, "MIRROR_PROXY": "http://127.0.0.1:9"}
            assert mirror.crawl("epochtimes", settings | proxies, url=FIRST.url).verdict == "ok"
            assert FIRST.url in other.asked()
            assert not any("proxy-authorization" in request.headers for request in other.requests)
        assert site.requests == []
        assert offered == {f"Basic {base64.b64encode(b'wang:p@ss/:').decode()}"}
