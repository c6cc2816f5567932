"""Feeds and sitemaps: what they name, and that nobody's broken or hostile file does harm."""

from __future__ import annotations

import gzip
import random
import subprocess
import sys
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirror_crawler import discovery
from mirror_crawler.discovery import FeedEntry, Sitemap, SitemapEntry, feed_entries, sitemap_entries
from mirror_crawler.pages import PageError

REPO = Path(__file__).parent.parent
E = "https://www.epochtimes.com/gb/26/10/7"
N = "https://www.ntdtv.com/gb/2026/10/07"
SITEMAPS = "http://www.sitemaps.org/schemas/sitemap/0.9"
NEWS = "http://www.google.com/schemas/sitemap-news/0.9"

RSS = f"""<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:media="http://search.yahoo.com/mrss/"
  xmlns:atom="http://www.w3.org/2005/Atom">
<channel>
  <title>大陆新闻</title><link>https://www.epochtimes.com/gb/nsc413.htm</link>
  <atom:link href="https://www.epochtimes.com/gb/nsc413.xml" rel="self"/>
  <image><url>https://i.example.org/logo.png</url><title>标志</title></image>
  <item>
    <media:title>图片的标题</media:title><media:item>图片</media:item>
    <atom:link href="https://www.epochtimes.com/"/>
    <title>水车
      转了起来</title>
    <link>http://www.epochtimes.com/gb/26/10/7/n14860001.htm</link>
    <guid isPermaLink="false">https://www.epochtimes.com/?p=14860001</guid>
    <content:encoded><![CDATA[<p>全文 <link>https://example.org/</link></p>]]></content:encoded>
    <media:group><title>也不是标题</title><link>https://example.org/</link></media:group>
  </item>
  <item><title><![CDATA[渡轮 & 码头]]></title><link/><guid>{E}/n14860002.htm</guid></item>
  <item><title>没有地址</title></item>
</channel></rss>"""

ATOM = f"""<feed xmlns="http://www.w3.org/2005/Atom"><title>新闻</title><link href="https://www.ntdtv.com/gb/"/><id>x</id>
<entry>
  <link rel="enclosure" href="https://media.example.org/a.mp3"/>
  <link rel="alternate" href=" {N}/a104130001.html "/>
  <link href="{N}/a104130009.html"/>
  <id>tag:ntdtv,104130001</id>
  <title type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">水车<b>转</b>了</div></title>
  <source><title>别处</title><id>y</id></source>
  <author><name>某人</name></author>
</entry>
<entry><id>{N}/a104130002.html</id></entry>
</feed>"""

NEWS_SITEMAP = f"""<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="{SITEMAPS}" xmlns:news="{NEWS}" xmlns:image="http://www.google.com/schemas/sitemap-image/1.1">
<url>
  <image:image><image:loc>https://i.example.org/a.jpg</image:loc><image:title>图</image:title></image:image>
  <loc> {N}/a104130001.html </loc>
  <news:news>
    <news:publication><news:name>新唐人</news:name><news:language>zh-cn</news:language></news:publication>
    <news:publication_date>2026-10-07T10:35:00Z</news:publication_date><news:title>水车 &amp; 渡轮</news:title>
  </news:news>
</url>
<url><loc>{N}/a104130002.html</loc><lastmod>2026-10-07</lastmod></url>
<url><lastmod>2026-10-07</lastmod></url>
</urlset>"""


MANY_ELEMENTS = """
import gzip, resource
from mirror_crawler.discovery import sitemap_entries
body = gzip.compress(b"<urlset>" + b"<a/>" * 500_000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
assert sitemap_entries(body).entries == []
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
"""Prints by how many MiB the process grew."""


def packed(text: str) -> bytes:
    return gzip.compress(text.encode())


class TestFeed:
    def test_rss(self) -> None:
        assert feed_entries(RSS.encode()) == [
            FeedEntry(
                link="http://www.epochtimes.com/gb/26/10/7/n14860001.htm",
                guid="https://www.epochtimes.com/?p=14860001",
                title="水车 转了起来",
            ),
            FeedEntry(link="", guid=f"{E}/n14860002.htm", title="渡轮 & 码头"),
        ]

    def test_atom(self) -> None:
        assert feed_entries(ATOM.encode()) == [
            FeedEntry(link=f"{N}/a104130001.html", guid="tag:ntdtv,104130001", title="水车转了"),
            FeedEntry(link="", guid=f"{N}/a104130002.html", title=""),
        ]

    def test_without_entries(self) -> None:
        assert feed_entries(b"<rss><channel><title>x</title></channel></rss>") == []

    def test_packed(self) -> None:
        assert feed_entries(packed(RSS)) == feed_entries(RSS.encode())

    @pytest.mark.parametrize(
        "body",
        [
            pytest.param(b"\xef\xbb\xbf" + RSS.encode(), id="byte order mark"),
            pytest.param(b"\r\n \n" + RSS.encode(), id="blank lines first"),
            pytest.param(RSS.replace("UTF-8", "gb2312").encode(), id="declares another encoding than it has"),
            pytest.param(RSS.replace("UTF-8", "no-such").encode(), id="declares an encoding that is none"),
            pytest.param(RSS.replace("UTF-8", "gb18030").encode("gb18030"), id="declares the encoding it has"),
            pytest.param(b"\n" + RSS.replace("UTF-8", "gb18030").encode("gb18030"), id="and has a blank line first"),
            pytest.param(RSS.replace("UTF-8", "UTF-16").encode("utf-16"), id="utf-16"),
            pytest.param(RSS.replace("水车", "水\x01车").encode(), id="control character"),
            pytest.param(RSS.replace("<p>全文", "<p>\0全文").encode(), id="NUL in the text of an article"),
            pytest.param(RSS.replace("转了起来", "&nbsp;转了起来").encode(), id="entity of HTML"),
            pytest.param(RSS.replace("转了起来", "转了起来 <").encode(), id="lone bracket"),
            pytest.param(RSS.replace("</channel></rss>", "").encode(), id="cut off at the end"),
            pytest.param(RSS.replace("  </item>", "").encode(), id="end tag missing"),
            pytest.param((RSS + "<!-- 2026 --> Warning: <b>").encode(), id="junk after it"),
        ],
    )
    def test_broken(self, body: bytes) -> None:
        assert feed_entries(body) == feed_entries(RSS.encode())

    def test_an_entry_that_is_cut_off_is_left_out(self) -> None:
        body = RSS.encode()
        cut = body.index(b"</link>\n    <guid")
        assert feed_entries(body[:cut]) == []
        assert [entry.title for entry in feed_entries(body[: body.rindex(b"</item>")])] == [
            "水车 转了起来",
            "渡轮 & 码头",
        ]

    def test_broken_bytes(self) -> None:
        (entry,) = feed_entries(
            f"<rss><item><link>{E}/n14860001.htm</link><title>水".encode() + b"\xff</title></item></rss>"
        )
        assert (entry.link, entry.title[0]) == (f"{E}/n14860001.htm", "水")

    def test_end_tag_missing_in_a_field(self) -> None:
        body = "<rss><item><link>a</link><title>甲<item><link>b</link><title>乙</title></item></rss>".encode()
        assert [(entry.link, entry.title) for entry in feed_entries(body)] == [("a", ""), ("b", "乙")]


class TestNoFeed:
    @pytest.mark.parametrize(
        ("body", "cause"),
        [
            pytest.param(b"", "not XML", id="empty"),
            pytest.param(b"  \n", "not XML", id="blank"),
            pytest.param("找不到".encode(), "not XML", id="text"),
            pytest.param(b'{"items": []}', "not XML", id="JSON"),
            pytest.param(bytes(range(256)), "not XML", id="binary"),
            pytest.param(b"<!DOCTYPE html><html><body><item><link>x</link></item></body></html>", "<html>", id="HTML"),
            pytest.param(NEWS_SITEMAP.encode(), "<urlset>", id="sitemap"),
            pytest.param(b"<" + b"x" * 100 + b"/>", f"<{'x' * 40}>", id="long name"),
            pytest.param(b"\x1f\x8b", "cannot be unpacked", id="packed, cut off"),
            pytest.param(b"\x1f\x8bnothing", "cannot be unpacked", id="packed by nobody"),
            pytest.param(packed(RSS)[:10] + b"\xff" * 99, "cannot be unpacked", id="packed, broken"),
        ],
    )
    def test_says_so(self, body: bytes, cause: str) -> None:
        with pytest.raises(PageError) as caught:
            feed_entries(body)
        assert str(caught.value) == f"no feed ({cause})"


class TestSitemap:
    @pytest.mark.parametrize("body", [NEWS_SITEMAP.encode(), packed(NEWS_SITEMAP)], ids=["plain", "packed"])
    def test_news(self, body: bytes) -> None:
        assert sitemap_entries(body) == Sitemap(
            entries=[
                SitemapEntry(
                    url=f"{N}/a104130001.html", title="水车 & 渡轮", published="2026-10-07T10:35:00Z"
                ),
                SitemapEntry(url=f"{N}/a104130002.html", title="", published=""),
            ],
            sitemaps=[],
        )  # fmt: skip

    @pytest.mark.parametrize(
        "text",
        [
            pytest.param(NEWS_SITEMAP.replace(f' xmlns="{SITEMAPS}"', ""), id="without a namespace"),
            pytest.param(NEWS_SITEMAP.replace(SITEMAPS, "http://www.google.com/schemas/sitemap/0.84"), id="another"),
            pytest.param(NEWS_SITEMAP.replace(f' xmlns:news="{NEWS}"', ""), id="prefix never declared"),
        ],
    )
    def test_whatever_its_namespace(self, text: str) -> None:
        assert sitemap_entries(text.encode()) == sitemap_entries(NEWS_SITEMAP.encode())

    def test_index(self) -> None:
        body = (
            f'<sitemapindex xmlns="{SITEMAPS}"><sitemap><loc>https://www.ntdtv.com/1.xml.gz</loc></sitemap>'
            f"<sitemap><lastmod>2026</lastmod></sitemap><url><loc>{N}/a104130001.html</loc></url>"
            "<sitemap><loc>https://www.ntdtv.com/2.xml</loc></sitemap></sitemapindex>"
        )
        nested = ["https://www.ntdtv.com/1.xml.gz", "https://www.ntdtv.com/2.xml"]
        assert sitemap_entries(body.encode()) == Sitemap(entries=[], sitemaps=nested)

    @pytest.mark.untraced
    def test_cut_off_while_it_was_packed(self) -> None:
        noise = random.Random(1)  # what packs well would be in one piece
        urls = [f"{N}/a{noise.randrange(10**11, 10**12)}.html" for _ in range(20_000)]
        body = packed("<urlset>" + "".join(f"<url><loc>{url}</loc></url>" for url in urls))
        found = [entry.url for entry in sitemap_entries(body[: len(body) // 2]).entries]
        assert 0 < len(found) < len(urls)
        assert found == urls[: len(found)]

    @pytest.mark.parametrize("body", [RSS.encode(), b"<html/>", b""], ids=["feed", "HTML", "empty"])
    def test_none(self, body: bytes) -> None:
        with pytest.raises(PageError, match=r"^no sitemap \("):
            sitemap_entries(body)


class TestHostile:
    def test_number_of_entries_is_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(discovery, "MOST_ENTRIES", 3)
        body = "<urlset>" + "".join(f"<url><loc>{number}</loc></url>" for number in range(9)) + "</urlset>"
        assert [entry.url for entry in sitemap_entries(body.encode()).entries] == ["0", "1", "2"]

    def test_number_of_elements_is_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(discovery, "MOST_ELEMENTS", 5)
        body = "<rss><item><link>1</link></item><x/><item><link>2</link></item><item><link>3</link></item></rss>"
        assert [entry.link for entry in feed_entries(body.encode())] == ["1"]

    def test_what_unpacks_to_too_much(self) -> None:
        body = gzip.compress(b"<urlset>" + b" " * discovery.LONGEST)
        assert len(body) < 100_000
        with pytest.raises(PageError, match=r"^no sitemap \(unpacks to more than 32 MiB\)$"):
            sitemap_entries(body)

    @pytest.mark.untraced
    def test_elements_are_not_kept(self) -> None:
        # In a process of its own: what another test took would hide what this one takes.
        made = subprocess.run(
            [sys.executable, "-c", MANY_ELEMENTS], cwd=REPO, capture_output=True, text=True, check=True
        )
        assert int(made.stdout) < 20  # MiB; the unpacked text is 2, a tree of its elements would be 50

    @pytest.mark.parametrize(
        ("doctype", "content"),
        [
            pytest.param('<!DOCTYPE rss [<!ENTITY x SYSTEM "{file}">]>', "geheim", id="entity"),
            pytest.param('<!DOCTYPE rss SYSTEM "{file}">', '<!ENTITY x "geheim">', id="definition"),
            pytest.param('<!DOCTYPE rss [<!ENTITY % y SYSTEM "{file}"> %y;]>', '<!ENTITY x "geheim">', id="parameter"),
        ],
    )
    def test_nothing_outside_is_read(self, tmp_path: Path, doctype: str, content: str) -> None:
        secret = tmp_path / "secret"
        secret.write_text(content, encoding="utf-8")
        body = doctype.format(file=secret.as_uri()) + "<rss><item><title>甲&x;乙</title><link>a</link></item></rss>"
        assert feed_entries(body.encode()) == [FeedEntry(link="a", guid="", title="甲乙")]

    @pytest.mark.parametrize("place", ["<link>{}</link>", '<link href="{}"/>'], ids=["text", "attribute"])
    def test_entities_cannot_grow(self, place: str) -> None:
        levels = "".join(f'<!ENTITY a{level} "{f"&a{level - 1};" * 10}">' for level in range(1, 12))
        body = f'<!DOCTYPE rss [<!ENTITY a0 "{"a" * 50}">{levels}]><rss><item>{place.format("&a11;")}</item></rss>'
        assert sum(len(entry.link) for entry in feed_entries(body.encode())) < 5_000_000

    def test_deep_nesting(self) -> None:
        assert feed_entries(b"<rss><item><link>a</link></item>" + b"<item><x>" * 200_000) == [
            FeedEntry(link="a", guid="", title="")
        ]


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"], exclude_characters="\ufffe\uffff"), max_size=20)
ENTRIES = st.lists(st.tuples(TEXT, TEXT, TEXT), max_size=5)


def collapsed(text: str) -> str:
    return " ".join(text.split())


def rss(entries: list[tuple[str, str, str]]) -> bytes:
    items = "".join(
        f"<item><title>{escape(title)}</title><link>{escape(link)}</link><guid>{escape(guid)}</guid></item>"
        for link, guid, title in entries
    )
    return f"<rss><channel>{items}</channel></rss>".encode()


def atom(entries: list[tuple[str, str, str]]) -> bytes:
    items = "".join(
        f"<entry><title>{escape(title)}</title><link href={quoteattr(link)}/><id>{escape(guid)}</id></entry>"
        for link, guid, title in entries
    )
    return f'<feed xmlns="http://www.w3.org/2005/Atom">{items}</feed>'.encode()


class TestProperties:
    @pytest.mark.untraced
    @settings(max_examples=150, deadline=None)
    @given(ENTRIES)
    def test_what_is_written_is_read(self, entries: list[tuple[str, str, str]]) -> None:
        expected = [tuple(map(collapsed, entry)) for entry in entries]
        expected = [entry for entry in expected if entry[0] or entry[1]]
        assert [(entry.link, entry.guid, entry.title) for entry in feed_entries(rss(entries))] == expected
        found = [(collapsed(entry.link), entry.guid, entry.title) for entry in feed_entries(atom(entries))]
        assert found == expected

    @pytest.mark.untraced
    @settings(max_examples=200, deadline=None)
    @given(st.data())
    def test_no_other_error_than_page_error(self, data: st.DataObject) -> None:
        samples = [RSS.encode(), ATOM.encode(), NEWS_SITEMAP.encode(), packed(NEWS_SITEMAP)]
        body = bytearray(data.draw(st.sampled_from(samples)))
        for _ in range(data.draw(st.integers(0, 5))):
            start = data.draw(st.integers(0, len(body)))
            junk = data.draw(
                st.one_of(st.binary(max_size=8), st.sampled_from([b"<", b"</item>", b"&x;", b"<![CDATA["]))
            )
            body[start : start + data.draw(st.integers(0, 40))] = junk
        for read in (feed_entries, sitemap_entries):
            try:
                read(bytes(body))
            except PageError as error:
                assert str(error).startswith(("no feed (", "no sitemap ("))  # noqa: PT017

    @pytest.mark.untraced
    @settings(max_examples=200, deadline=None)
    @given(st.binary(max_size=200))
    def test_any_bytes(self, body: bytes) -> None:
        for prefix in (b"", b"<rss>", b"\x1f\x8b\x08\x00"):
            try:
                assert feed_entries(prefix + body) is not None
            except PageError:
                continue
