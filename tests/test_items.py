"""Items and their JSON form: what goes out comes back, and what is not quite an item does not pass."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirror_crawler.items import Article, Embed, Image, Listing, Section, content_hash

ARTICLE = Article(
    outlet="epochtimes",
    article_id="n14860001",
    url="https://www.epochtimes.com/gb/26/10/7/n14860001.htm",
    language="zh-Hans",
    title="青禾镇图书馆",
    authors=["林知远"],
    editor=None,
    published_at="2026-10-08T00:29:39+08:00",
    modified_at=None,
    published_source="clock",
    section=Section(id="nsc413", name="大陆新闻"),
    tags=["图书馆"],
    lead_image=Image(url="https://i.epochtimes.com/a.jpg", alt="灯", caption="夜读灯。"),
    images=[Image(url="https://i.epochtimes.com/b.jpg")],
    embeds=[Embed(kind="youtube", url="https://www.youtube.com/watch?v=abcdefghijk")],
    body_html="<p>夜读灯亮到十点。</p>",
    text="夜读灯亮到十点。",
    content_hash="0" * 64,
    first_seen_at="2026-10-10T00:00:00+00:00",
    fetched_at="2026-10-10T00:00:00+00:00",
)
LISTING = Listing(
    outlet="epochtimes",
    list_kind="section",
    list_id="nsc413",
    list_name="大陆新闻",
    article_id="n14860001",
    url="https://www.epochtimes.com/gb/26/10/7/n14860001.htm",
    title="青禾镇图书馆",
    page=1,
    position=3,
    seen_at="2026-10-10T00:00:00+00:00",
)


def record(**changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(ARTICLE.to_json())
    return made | changes


class TestJson:
    @pytest.mark.parametrize("item", [ARTICLE, LISTING], ids=["article", "listing"])
    def test_comes_back(self, item: Article | Listing) -> None:
        assert type(item).from_record(json.loads(item.to_json())) == item

    @pytest.mark.parametrize("item", [ARTICLE, LISTING], ids=["article", "listing"])
    def test_fields_in_the_order_of_their_declaration(self, item: Article | Listing) -> None:
        assert list(json.loads(item.to_json())) == [field.name for field in dataclasses.fields(item)]

    def test_one_line_and_characters_as_they_are(self) -> None:
        line = dataclasses.replace(ARTICLE, title="图\n书\u2028馆").to_json()
        assert "\n" not in line
        assert "书" in line

    def test_schema_comes_first(self) -> None:
        assert ARTICLE.to_json().startswith('{"schema": 1, "outlet": "epochtimes"')

    @pytest.mark.untraced
    @given(text=st.text())
    def test_any_text_comes_back(self, text: str) -> None:
        article = dataclasses.replace(ARTICLE, title=text, editor=text, tags=[text])
        assert Article.from_record(json.loads(article.to_json())) == article


class TestFromRecord:
    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            pytest.param({"title": None}, "title: None is not str", id="null"),
            pytest.param({"title": 3}, "title: 3 is not str", id="number for text"),
            pytest.param({"title": "\ud800"}, "title: half a surrogate pair", id="half a pair"),
            pytest.param({"authors": ["\udfff"]}, "authors: half a surrogate pair", id="half a pair in a list"),
            pytest.param({"revision": True}, "revision: True is not int", id="truth for number"),
            pytest.param({"revision": 1.0}, "revision: 1.0 is not int", id="fraction for number"),
            pytest.param({"authors": "林知远"}, "authors: '林知远' is not list", id="text for list"),
            pytest.param({"authors": [None]}, "authors: None is not str", id="null in a list"),
            pytest.param({"editor": 1}, "editor: 1 is not str", id="number for text or null"),
            pytest.param(
                {"published_source": "guess"},
                "published_source: 'guess' is not clock or metadata or dateline or none",
                id="no such choice",
            ),
            pytest.param({"published_source": ["clock"]}, "published_source: .* is not clock", id="list for choice"),
            pytest.param({"section": "nsc413"}, "section: not an object", id="text for object"),
            pytest.param({"section": {"id": "nsc413"}}, r"section\.name: missing", id="missing in an object"),
            pytest.param(
                {"images": [{"url": "x", "alt": "", "caption": "", "w": 1}]}, r"images\.w: unknown", id="extra"
            ),
            pytest.param({"extra": 1}, "extra: unknown field", id="unknown"),
            pytest.param({"withdrawn_at": 1}, "withdrawn_at: 1 is not str", id="number for time or null"),
            pytest.param({"outlet": "../x"}, r"outlet: '\.\./x' is not a short word", id="outlet is a path"),
            pytest.param({"article_id": "n1/../2"}, "article_id: ", id="id is a path"),
        ],
    )
    def test_refused(self, changes: dict[str, Any], message: str) -> None:
        with pytest.raises(ValueError, match=f"^{message}"):
            Article.from_record(record(**changes))

    def test_missing(self) -> None:
        made = record()
        del made["tags"], made["title"]
        with pytest.raises(ValueError, match=r"^tags: missing$"):
            Article.from_record(made)

    def test_what_has_a_default_may_be_absent(self) -> None:
        """Lines of earlier versions lack what was added since."""
        made = record(images=[{"url": "https://i.epochtimes.com/b.jpg"}])
        del made["withdrawn_at"], made["revision"]
        assert Article.from_record(made) == ARTICLE
        stored = record()
        del stored["withdrawn_at"]
        assert Article.from_stored(stored) == ARTICLE

    @pytest.mark.parametrize("value", [None, [], "x", 1])
    def test_no_object(self, value: Any) -> None:
        with pytest.raises(ValueError, match=r"^record: not an object$"):
            Article.from_record(value)

    def test_message_stays_short(self) -> None:
        with pytest.raises(ValueError, match="title") as caught:
            Article.from_record(record(title=["x" * 10_000]))
        assert len(str(caught.value)) < 200

    def test_nothing_optional_is_null(self) -> None:
        article = Article.from_record(
            record(section=None, lead_image=None, editor=None, published_at=None, published_source="none")
        )
        assert (article.section, article.lead_image, article.published_at) == (None, None, None)


class TestKeys:
    def test_key(self) -> None:
        assert ARTICLE.key == ("epochtimes", "n14860001")

    @pytest.mark.parametrize("value", ["", "N1", "1n", "n 1", "n1\n", "n１", "../n1", "n1.md", "con.", "x" * 32, "图"])
    @pytest.mark.parametrize("name", ["outlet", "article_id"])
    @pytest.mark.parametrize("item", [ARTICLE, LISTING], ids=["article", "listing"])
    def test_only_short_words_pass(self, item: Article | Listing, name: str, value: str) -> None:
        with pytest.raises(ValueError, match=f"^{name}: "):
            dataclasses.replace(item, **{name: value})  # type: ignore[arg-type]

    def test_a_list_has_a_name(self) -> None:
        with pytest.raises(ValueError, match=r"^list_id: empty$"):
            dataclasses.replace(LISTING, list_id="")


class TestContentHash:
    BASE = ("题", Image(url="u", alt="a", caption="c"), "<p>文</p>")

    def test_known_value(self) -> None:
        assert content_hash("题", None, "<p>文</p>") == (
            "d25c35d88275cce19737e0e8d720928fcc641757259399ba36fc292010302f0e"
        )

    @pytest.mark.parametrize(
        "changed",
        [
            ("题目", BASE[1], BASE[2]),
            ("题", None, BASE[2]),
            ("题", Image(url="v", alt="a", caption="c"), BASE[2]),
            ("题", Image(url="u", alt="a", caption="d"), BASE[2]),
            ("题", BASE[1], "<p>文章</p>"),
        ],
        ids=["title", "no lead", "lead", "caption", "body"],
    )
    def test_changes_with_what_a_reader_sees(self, changed: tuple[str, Image | None, str]) -> None:
        assert content_hash(*changed) != content_hash(*self.BASE)

    def test_does_not_change_with_what_a_reader_does_not_see(self) -> None:
        title, _, body = self.BASE
        assert content_hash(title, Image(url="u", alt="b", caption="c"), body) == content_hash(*self.BASE)
