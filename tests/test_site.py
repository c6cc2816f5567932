"""The sample outlets themselves: a crawl's tests are worth what their server is worth."""

import http.client
import json
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from email.message import Message
from pathlib import Path

import pytest

from tests.site import Answer, SampleSite
from tests.site.load import many
from tests.site.world import TRAPS, World, default_world, list_address, written

HOME = "https://www.epochtimes.com/gb/"


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: object) -> None:
        return None


def get(site: SampleSite, url: str, timeout: float = 5) -> tuple[int, bytes, Message]:
    """Fetch one address through the proxy, as a crawler would; certificates are not verified, as in Scrapy."""
    context = ssl._create_unverified_context()
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({"http": site.proxy, "https": site.proxy}),
        urllib.request.HTTPSHandler(context=context),
        _NoRedirect(),
    )
    try:
        with opener.open(url, timeout=timeout) as response:
            return response.status, response.read(), response.headers
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(), error.headers


@pytest.fixture(scope="module")
def world() -> World:
    return default_world(40)


@pytest.fixture
def site(world: World) -> Iterator[SampleSite]:
    with SampleSite(world) as running:
        yield running


@pytest.mark.parametrize("url", [HOME, "https://www.ntdtv.com/gb/"], ids=["epochtimes", "ntdtv"])
def test_outlets_answer_inside_a_tunnel(site: SampleSite, url: str) -> None:
    status, body, headers = get(site, url)
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=UTF-8")
    assert "首页" in body.decode()
    assert [(request.method, request.url, request.status) for request in site.requests] == [("GET", url, 200)]


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("http://www.epochtimes.com/gb/?a=1", HOME + "?a=1"),
        ("https://cn.epochtimes.com/gb/", HOME),
        ("http://dajiyuan.com/gb/", HOME),
        ("http://www2.ntdtv.com/gb/", "https://www.ntdtv.com/gb/"),
    ],
    ids=["plain http", "old host", "old name", "mirror host"],
)
def test_aliases_redirect_to_the_canonical_address(site: SampleSite, url: str, target: str) -> None:
    status, _, headers = get(site, url)
    assert (status, headers["Location"]) == (301, target)


def test_unknown_pages_are_not_found(site: SampleSite) -> None:
    assert get(site, HOME + "nothing.htm")[0] == 404


def test_other_hosts_are_refused_and_recorded(site: SampleSite) -> None:
    assert get(site, "http://www.example.org/x")[0] == 502
    with pytest.raises(OSError, match="Tunnel connection failed: 502"):
        get(site, "https://www.example.org/x")
    assert [(request.method, request.url, request.status) for request in site.requests] == [
        ("GET", "http://www.example.org/x", 502),
        ("CONNECT", "www.example.org:443", 502),
    ]


def test_a_connection_serves_many_requests(site: SampleSite) -> None:
    connection = http.client.HTTPSConnection(
        "127.0.0.1", int(site.proxy.rsplit(":", 1)[1]), context=ssl._create_unverified_context(), timeout=5
    )
    connection.set_tunnel("www.ntdtv.com", 443)
    for _ in range(3):
        connection.request("GET", "/robots.txt", headers={"User-Agent": "sample"})
        response = connection.getresponse()
        assert response.read().startswith(b"User-agent: *")
    connection.request("HEAD", "/robots.txt")
    assert connection.getresponse().read() == b""
    connection.request("GET", "/gb/")
    assert connection.getresponse().read()
    connection.request("POST", "/gb/", headers={"Content-Length": "0"})
    assert connection.getresponse().status == 405
    connection.close()
    assert site.requests[0].headers["user-agent"] == "sample"


def test_answers_in_sequence_end_with_the_last(site: SampleSite) -> None:
    url = HOME + "sequence.htm"
    site.set_sequence(url, Answer(status=503, headers={"Retry-After": "1"}), Answer(parts=(b"now", b" then")))
    seen = [get(site, url) for _ in range(3)]
    assert [(status, body) for status, body, _ in seen] == [(503, b""), (200, b"now then"), (200, b"now then")]
    assert seen[0][2]["Retry-After"] == "1"
    site.reset(url)
    assert get(site, url)[0] == 404


def test_addresses_are_compared_decoded(site: SampleSite) -> None:
    site.set(HOME + "tag/茶叶.html", "set")
    assert get(site, HOME + "tag/%E8%8C%B6%e5%8f%b6.html")[1] == b"set"
    site.set(HOME + "tag/茶叶.html?page=2", b"\xff")
    assert get(site, HOME + "tag/%E8%8C%B6%E5%8F%B6.html?page=2")[1] == b"\xff"
    assert get(site, HOME + "tag/%E8%8C%B6%E5%8F%B6.html?page=3")[1] == b"set"
    assert len(site.asked("?page")) == 2


def test_a_slow_answer_comes_whole(site: SampleSite) -> None:
    site.set(HOME + "slow.htm", "slow", delay=0.05)
    assert get(site, HOME + "slow.htm")[1] == b"slow"


def test_a_hanging_answer_never_comes(site: SampleSite) -> None:
    site.set(HOME + "hang.htm", hang=True)
    with pytest.raises(TimeoutError):
        get(site, HOME + "hang.htm", timeout=0.2)
    assert site.requests[-1].status == 0


def test_a_cut_answer_is_noticed(site: SampleSite) -> None:
    site.set(HOME + "cut.htm", "x" * 1000, cut=True)
    with pytest.raises(http.client.IncompleteRead, match=r"500 bytes read, 500 more expected"):
        get(site, HOME + "cut.htm")


def test_an_unsized_answer_ends_with_the_connection(site: SampleSite) -> None:
    chunk = b"x" * 65_536
    site.set_sequence(HOME + "huge.htm", Answer(parts=(chunk,) * 50, sized=False, status=299))
    status, body, headers = get(site, HOME + "huge.htm")
    assert (status, len(body), headers["Content-Length"]) == (299, 50 * 65_536, None)


def test_the_world_can_change_under_the_server(site: SampleSite) -> None:
    stories = many("ntdtv", 2)
    assert stories[1].title in get(site, stories[1].url)[1].decode()
    site.serve(World(stories[:1]))
    assert get(site, stories[1].url)[0] == 404
    assert stories[0].title in site.page(stories[0].url)


def test_crawlers_get_no_other_proxy(site: SampleSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "www.ntdtv.com")
    proxies = {key: value for key, value in site.environment.items() if key.lower().endswith("_proxy")}
    assert proxies == {"http_proxy": site.proxy, "https_proxy": site.proxy}


def test_a_taken_port_is_an_error(site: SampleSite, world: World) -> None:
    with pytest.raises(OSError, match="address already in use"), SampleSite(world, int(site.proxy.rsplit(":", 1)[1])):
        pass


@pytest.mark.parametrize("outlet", ["epochtimes", "ntdtv"])
def test_lists_name_what_the_truth_says(world: World, outlet: str) -> None:
    named: set[tuple[str, str]] = set()
    for (owner, kind, identity), ids in world.lists.items():
        if owner != outlet:
            continue
        pages = range(1, -(-len(ids) // 30) + 1)
        text = "".join(b"".join(world.pages[list_address(outlet, kind, identity, page)]).decode() for page in pages)
        missing = [name for name in ids if f"/{name}.htm" not in text]
        assert not missing
        assert list_address(outlet, kind, identity, len(pages) + 1) not in world.pages
        named.update((identity, name) for name in ids)
    for (owner, name), story in world.truth.items():
        if owner == outlet:
            expected = {*story.sections, *story.tags} if story.sections else set()
            assert {identity for _, identity in world.memberships(outlet, name)} == expected
    assert world.listed(outlet) == {name for _, name in named}


def test_articles_grow_without_changing(world: World) -> None:
    assert many("epochtimes", 6)[4:] == many("epochtimes", 2, start=4)
    moments = [story.moment for story in many("ntdtv", 50)]
    assert moments == sorted(set(moments))


def test_links_between_articles_lead_to_articles(world: World) -> None:
    for story in many("epochtimes", 30)[1:]:
        page = b"".join(story.page).decode()
        found = {url for url in page.split('"') if url in world.pages and "/n148" in url} - {story.url}
        assert len(found) == 1


@pytest.mark.parametrize("outlet", ["epochtimes", "ntdtv"])
def test_hand_written_articles_say_what_they_are_for(outlet: str) -> None:
    stories = written(outlet)
    assert len(stories) >= 12
    assert len({story.article_id for story in stories}) == len({story.url for story in stories}) == len(stories)
    for place in (Path(__file__).parent / "fixtures" / outlet).iterdir():
        meta = json.loads((place / "meta.json").read_text(encoding="utf-8"))
        assert {"kind", "url", "note"} <= meta.keys()
        assert meta["note"]
        assert (place / "page.html").stat().st_size < 40_000


def test_traps_are_served(site: SampleSite) -> None:
    assert {name: get(site, url)[0] for name, url in TRAPS.items()} == dict.fromkeys(TRAPS, 200)


@pytest.mark.parametrize("arguments", [[], ["--load", "ntdtv", "--weight", "2"]], ids=["default", "load"])
def test_command_prints_its_address_and_ends_when_told(arguments: list[str]) -> None:
    command = [sys.executable, "-m", "tests.site", "--articles", "2", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parent.parent) as process:
        assert process.stdout
        proxy = process.stdout.readline().strip()
        connection = http.client.HTTPConnection(proxy.removeprefix("http://"), timeout=5)
        connection.request("GET", "http://www.ntdtv.com/gb/")
        assert connection.getresponse().status == 301
        connection.close()
        process.terminate()
        assert process.wait(timeout=10) == 0
