"""The sample outlets themselves: a crawl's tests are worth what their server is worth."""

import dataclasses
import gzip
import http.client
import json
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Mapping
from email.message import Message
from pathlib import Path

import pytest
from scrapy.http import HtmlResponse

from mirror_crawler.items import Article, content_hash
from mirror_crawler.outlet import OutletSpider
from mirror_crawler.pages import PageError
from mirror_crawler.spiders.epochtimes import EpochtimesSpider
from mirror_crawler.spiders.ntdtv import NtdtvSpider
from tests.site import Answer, SampleSite, answers, changes
from tests.site.feeds import SITEMAP, feed_url
from tests.site.load import many
from tests.site.stories import Story
from tests.site.world import TRAPS, World, default_world, list_address, robots, written

HOME = "https://www.epochtimes.com/gb/"
OUTLETS = ("epochtimes", "ntdtv")
SPIDERS: dict[str, type[OutletSpider]] = {"epochtimes": EpochtimesSpider, "ntdtv": NtdtvSpider}


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: object) -> None:
        return None


def get(
    site: SampleSite, url: str, headers: Mapping[str, str] | None = None, timeout: float = 5
) -> tuple[int, bytes, Message]:
    """Fetch one address through the proxy, as a crawler would; certificates are not verified, as in Scrapy."""
    request = urllib.request.Request(url, headers=dict(headers or {}))
    context = ssl._create_unverified_context()
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({"http": site.proxy, "https": site.proxy}),
        urllib.request.HTTPSHandler(context=context),
        _NoRedirect(),
    )
    try:
        with opener.open(request, timeout=timeout) as response:
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


@pytest.mark.parametrize("outlet", OUTLETS)
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


@pytest.mark.parametrize("outlet", OUTLETS)
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


@pytest.mark.untraced
class TestValidators:
    URL = many("epochtimes", 1)[0].url

    def test_what_did_not_change_is_not_sent_again(self, site: SampleSite) -> None:
        _, _, first = get(site, self.URL)
        for headers in (
            {"If-None-Match": first["ETag"]},
            {"If-None-Match": f'"other", W/{first["ETag"]}'},
            {"If-None-Match": "*"},
            {"If-Modified-Since": first["Last-Modified"]},
            {"If-None-Match": first["ETag"], "If-Modified-Since": "Thu, 01 Jan 1998 00:00:00 GMT"},
        ):
            status, body, again = get(site, self.URL, headers)
            assert (status, body) == (304, b"")
            assert (again["ETag"], again["Last-Modified"]) == (first["ETag"], first["Last-Modified"])
            assert (again["Content-Type"], again["Content-Length"]) == (None, None)
        assert [request.status for request in site.requests] == [200, 304, 304, 304, 304, 304]

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"If-None-Match": '"other"'},
            {"If-Modified-Since": "Thu, 01 Jan 1998 00:00:00 GMT"},
            {"If-None-Match": '"other"', "If-Modified-Since": "{Last-Modified}"},
        ],
        ids=["neither", "etag", "date", "another etag goes before the date"],
    )
    def test_anything_else_is_answered_in_full(self, site: SampleSite, headers: dict[str, str]) -> None:
        _, body, first = get(site, self.URL)
        asked = {name: value.replace("{Last-Modified}", first["Last-Modified"]) for name, value in headers.items()}
        assert get(site, self.URL, asked)[:2] == (200, body)

    @pytest.mark.parametrize("header", ["ETag", "Last-Modified"])
    def test_another_content_has_others(self, site: SampleSite, world: World, header: str) -> None:
        story = many("epochtimes", 1)[0]
        condition = {"If-None-Match" if header == "ETag" else "If-Modified-Since": get(site, self.URL)[2][header]}
        site.serve(world.changed(changes.edited(story, added="又及。")))
        status, body, headers = get(site, self.URL, condition)
        assert status == 200
        assert "又及。" in body.decode()
        assert headers[header] not in condition.values()
        site.serve(world)
        assert get(site, self.URL, condition)[0] == 304

    def test_lists_robots_and_what_was_set_have_them_too(self, site: SampleSite) -> None:
        site.set(HOME + "set.htm", "<p>set", headers={"X-Sample": "1"})
        for url in (
            list_address("epochtimes", "section", "nsc413", 1),
            HOME.replace("gb/", "robots.txt"),
            HOME + "set.htm",
        ):
            assert get(site, url, {"If-None-Match": get(site, url)[2]["ETag"]})[0] == 304
        assert get(site, HOME + "set.htm")[2]["X-Sample"] == "1"

    def test_an_answer_that_states_its_own_is_left_alone(self, site: SampleSite) -> None:
        site.set(self.URL, "x", headers={"ETag": '"mine"'})
        _, _, headers = get(site, self.URL, {"If-None-Match": '"mine"'})
        assert (headers["ETag"], headers["Last-Modified"]) == ('"mine"', None)

    @pytest.mark.parametrize(
        "answer", [{"status": 404}, {"status": 302, "headers": {"Location": "/"}}, {"sized": False}]
    )
    def test_only_whole_pages_have_them(self, site: SampleSite, answer: dict[str, object]) -> None:
        site.set(self.URL, "x", **answer)  # type: ignore[arg-type]
        assert get(site, self.URL, {"If-None-Match": "*"})[2]["ETag"] is None
        assert site.requests[-1].status == answer.get("status", 200)

    def test_the_whole_site_can_do_without(self, site: SampleSite) -> None:
        tag = get(site, self.URL)[2]["ETag"]
        site.validators = False
        status, _, headers = get(site, self.URL, {"If-None-Match": tag})
        assert (status, headers["ETag"], headers["Last-Modified"]) == (200, None, None)

    @pytest.mark.parametrize("stated", [{"etag": 'W/"1"'}, {"modified": "Sun, 03 May 2026 00:00:00 GMT"}, {}])
    def test_an_address_can_have_its_own_or_none(self, site: SampleSite, stated: dict[str, str]) -> None:
        site.set_validators(self.URL, **stated)
        _, _, headers = get(site, self.URL)
        assert headers["ETag"] == stated.get("etag")
        assert headers["Last-Modified"] == stated.get("modified")
        assert get(site, self.URL, {"If-None-Match": '"1"'})[0] == (304 if "etag" in stated else 200)
        assert get(site, self.URL, {"If-None-Match": "*"})[0] == (304 if "etag" in stated else 200)
        since = "Sun, 03 May 2026 00:00:00 GMT"
        assert get(site, self.URL, {"If-Modified-Since": since})[0] == (304 if "modified" in stated else 200)

    def test_they_are_the_same_in_every_process(self, site: SampleSite, world: World) -> None:
        with SampleSite(world) as other:
            assert get(other, self.URL)[2]["ETag"] == get(site, self.URL)[2]["ETag"]


class TestStorms:
    def test_everything_is_answered_so_for_a_while(self, site: SampleSite) -> None:
        site.storm(answers.too_many(7), count=2)
        first = get(site, HOME)
        assert (first[0], first[2]["Retry-After"]) == (429, "7")
        assert get(site, "https://www.ntdtv.com/robots.txt")[0] == 200
        assert [get(site, url)[0] for url in ("https://www.ntdtv.com/gb/", HOME)] == [429, 200]

    def test_a_storm_without_end_ends_when_told(self, site: SampleSite) -> None:
        site.set(HOME, "set")
        site.storm(answers.unavailable(), of="epochtimes")
        assert [get(site, url)[0] for url in (HOME, HOME + "x.htm", "https://www.ntdtv.com/gb/")] == [503, 503, 200]
        assert get(site, HOME.replace("gb/", "robots.txt"))[0] == 503
        assert get(site, HOME)[2]["Retry-After"] is None
        site.calm()
        assert get(site, HOME)[1] == b"set"


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (answers.gone(), 410),
        (answers.gone(404), 404),
        (answers.moved(HOME, 301), 301),
        (answers.forbidden(), 403),
        (answers.challenge(status=403), 403),
        (answers.error_page("epochtimes"), 200),
        (answers.error_page("ntdtv"), 200),
        (answers.challenge("ntdtv"), 200),
    ],
    ids=["gone", "not found", "moved", "forbidden", "challenge 403", "soft 404", "soft 404 of ntdtv", "challenge"],
)
def test_answers_that_are_no_article(site: SampleSite, answer: Answer, status: int) -> None:
    story = many("ntdtv", 1)[0]
    site.set_sequence(story.url, answer)
    found, body, _ = get(site, story.url)
    assert found == status
    with pytest.raises(PageError):
        article_of(story, body)


@pytest.mark.parametrize("answer", [answers.sent_home("ntdtv"), answers.sent_to_list("ntdtv", "prog204")])
def test_articles_that_were_taken_back_lead_to_a_page_of_the_outlet(site: SampleSite, answer: Answer) -> None:
    site.set_sequence(HOME + "taken-back.htm", answer)
    status, _, headers = get(site, HOME + "taken-back.htm")
    assert status == 302
    assert get(site, headers["Location"])[0] == 200


def test_robots_can_ask_for_a_delay(site: SampleSite) -> None:
    url = HOME.replace("gb/", "robots.txt")
    site.set(url, robots(crawl_delay=2.5))
    assert get(site, url)[1].splitlines()[-1] == b"Crawl-delay: 2.5"
    assert b"Crawl-delay" not in robots()


class TestFeeds:
    def test_a_section_of_epochtimes_has_one(self, site: SampleSite, world: World) -> None:
        status, body, headers = get(site, feed_url("nsc413"))
        assert (status, headers["Content-Type"]) == (200, "text/xml; charset=UTF-8")
        items = ET.fromstring(body).findall("channel/item")
        ids = [(item.findtext("link") or "").rpartition("/")[2].removesuffix(".htm") for item in items]
        assert ids == list(world.lists["epochtimes", "section", "nsc413"][:30])
        assert {(item.findtext("link") or "").partition(":")[0] for item in items} == {"http", "https"}
        story = world.truth["epochtimes", ids[0]]
        content = items[0].findtext("{http://purl.org/rss/1.0/modules/content/}encoded") or ""
        assert content.startswith("<p>【大纪元")
        assert content in b"".join(story.page).decode()
        assert (items[0].findtext("pubDate") or "").endswith("+0800")

    def test_ntdtv_has_a_news_sitemap(self, site: SampleSite) -> None:
        site.serve(World(many("ntdtv", 12)))
        _, body, headers = get(site, SITEMAP)
        assert (headers["Content-Type"], headers["Content-Encoding"]) == ("application/gzip", None)
        names = {"": "http://www.sitemaps.org/schemas/sitemap/0.9"}
        news = "{http://www.google.com/schemas/sitemap-news/0.9}"
        entries = ET.fromstring(gzip.decompress(body)).findall("url", names)
        newest = many("ntdtv", 12)[-1]
        assert entries[0].findtext("loc", namespaces=names) == newest.url
        assert entries[0].findtext(f"{news}news/{news}title") == newest.title
        assert entries[0].findtext(f"{news}news/{news}publication_date") == f"{newest.moment:%Y-%m-%dT%H:%M:%SZ}"
        assert len(entries) == 12

    def test_it_names_what_no_list_names_but_no_other_script(self) -> None:
        stories = [dataclasses.replace(story, sections=()) for story in written("ntdtv")]
        assert World(stories).listed("ntdtv") == set()
        text = gzip.decompress(World(stories).pages[SITEMAP][0]).decode()
        assert {"/gb/" in story.url for story in stories} == {True, False}
        assert [story.url for story in stories if (story.url in text) != ("/gb/" in story.url)] == []


def article_of(story: Story, page: bytes | None = None) -> Article:
    """What the project reads from an article's page."""
    spider = SPIDERS[story.outlet]
    response = HtmlResponse(story.url, body=b"".join(story.page) if page is None else page, encoding="utf-8")
    return spider.article_page.from_response(response, spider.addresses).article(
        story.outlet, "2026-05-01T00:00:00+00:00"
    )


def seen(story: Story) -> str:
    """The hash of what a reader of an article sees."""
    article = article_of(story)
    return content_hash(article.title, article.lead_image, article.body_html)


@pytest.mark.untraced
@pytest.mark.parametrize("outlet", OUTLETS)
class TestEdits:
    @pytest.mark.parametrize(
        ("edit", "gone", "come"),
        [
            (lambda story: changes.edited(story, title='另一个"<标题>"'), "号消息\n", '另一个"<标题>"\n'),
            (lambda story: changes.edited(story, added="又及。"), None, "\n又及。"),
            (lambda story: changes.edited(story, dropped=1), "不少人", ""),
            (lambda story: changes.edited(story, replaced={"不少人": "很多人"}), "不少人", "很多人"),
        ],
        ids=["title", "added", "dropped", "replaced"],
    )
    def test_what_a_reader_sees(self, outlet: str, edit: Callable[[Story], Story], gone: str | None, come: str) -> None:
        for story in many(outlet, 10):
            after = edit(story)
            old, new = article_of(story), article_of(after)
            assert seen(after) != seen(story)
            assert (new.title, new.published_at, new.modified_at) == (
                after.title,
                after.published_at,
                after.modified_at,
            )
            assert new.modified_at != old.modified_at
            before, now = f"{old.title}\n{old.text}", f"{new.title}\n{new.text}"
            assert come in now
            assert gone is None or now.count(gone) < before.count(gone)

    @pytest.mark.parametrize(
        "edit",
        [changes.edited, changes.redecorated, changes.retracked, changes.relazied],
        ids=["clock only", "furniture", "tracking", "lazy loading"],
    )
    def test_what_no_reader_sees(self, outlet: str, edit: Callable[[Story], Story]) -> None:
        for story in many(outlet, 10)[1:5]:  # the first of every five has no picture
            after = edit(story)
            assert b"".join(after.page) != b"".join(story.page)
            assert seen(after) == seen(story)
            assert article_of(after).published_source == "clock"

    def test_lists_show_another_title(self, outlet: str) -> None:
        story = many(outlet, 1)[0]
        world = World([story]).changed(changes.edited(story, title="另一个标题"))
        page = b"".join(world.pages[list_address(outlet, "section", story.sections[0], 1)]).decode()
        assert "另一个标题" in page
        assert story.title not in page

    def test_an_edit_that_changes_nothing_is_a_mistake(self, outlet: str) -> None:
        story = many(outlet, 1)[0]
        with pytest.raises(ValueError, match="is not there"):
            changes.edited(story, replaced={"此地无银": ""})
        with pytest.raises(ValueError, match="nothing to change"):
            changes.relazied(story)  # it has no picture
        with pytest.raises(ValueError, match="not drawn with"):
            changes.redecorated(next(old for old in written(outlet) if b'"articleBody"' not in b"".join(old.page)))


@pytest.mark.untraced
@pytest.mark.parametrize("outlet", OUTLETS)
class TestTemplates:
    @pytest.fixture
    def small(self) -> World:
        return World([story for owner in OUTLETS for story in many(owner, 12)], per_page=5)

    def test_another_body_container(self, outlet: str, small: World) -> None:
        after = changes.body_renamed(small, outlet)
        for story in small.truth.values():
            page = b"".join(after.pages[story.url])
            if story.outlet == outlet:
                with pytest.raises(PageError, match="body"):
                    article_of(story, page)
            else:
                assert article_of(story, page).title == story.title

    @pytest.mark.parametrize(("wholly", "sources"), [(True, {"none"}), (False, {"metadata", "dateline"})])
    def test_no_clock(self, outlet: str, small: World, wholly: bool, sources: set[str]) -> None:
        after = changes.clock_dropped(small, outlet, wholly=wholly)
        found = {article_of(s, b"".join(after.pages[s.url])).published_source for s in many(outlet, 12)}
        assert found <= sources

    def test_no_section(self, outlet: str, small: World) -> None:
        after = changes.section_dropped(small, outlet)
        assert {article_of(s, b"".join(after.pages[s.url])).section for s in many(outlet, 12)} == {None}
        assert article_of(many(outlet, 1)[0]).section is not None

    def test_no_entries(self, outlet: str, small: World) -> None:
        after = changes.lists_emptied(small, outlet)
        spider = SPIDERS[outlet]
        for (owner, _, _), addresses in small.list_pages.items():
            for address in addresses:
                response = HtmlResponse(address, body=b"".join(after.pages[address]), encoding="utf-8")
                named = SPIDERS[owner].list_page.from_response(response, SPIDERS[owner].addresses).entries()
                assert bool(named) == (owner != outlet)
        assert spider.name == outlet

    def test_a_change_that_changes_nothing_is_a_mistake(self, outlet: str) -> None:
        nothing = World([])
        for change in (changes.body_renamed, changes.clock_dropped, changes.section_dropped, changes.lists_emptied):
            with pytest.raises(ValueError, match="no page is changed"):
                change(nothing, outlet)


def test_a_world_goes_on(world: World) -> None:
    """New articles are in their lists, those taken out are gone from theirs, and the other outlet is as it was."""
    taken = many("ntdtv", 5)[4]
    new = many("ntdtv", 2, start=40)
    after = world.changed(*new, without=[taken.article_id])
    assert taken.url not in after.pages
    assert after.listed("ntdtv") == world.listed("ntdtv") - {taken.article_id} | {story.article_id for story in new}
    assert {key: ids for key, ids in after.lists.items() if key[0] == "epochtimes"} == {
        key: ids for key, ids in world.lists.items() if key[0] == "epochtimes"
    }
    changed = {url for url in after.pages.keys() | world.pages.keys() if after.pages.get(url) != world.pages.get(url)}
    assert {story.url for story in new} < changed
    assert not [url for url in changed if "epochtimes" in url]


@pytest.mark.untraced
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
