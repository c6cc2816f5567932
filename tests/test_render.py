"""Whole pages: their frame, navigation, indexes, templates of an operator. Golden pages lie in tests/golden."""

from __future__ import annotations

import dataclasses
import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cmarkgfm
import pytest
from PIL import Image as Picture
from selectolax.lexbor import LexborHTMLParser

from mirror_crawler.history import changes
from mirror_crawler.items import Article, Image, PublishedSource, Section
from mirror_crawler.labels import labels_of
from mirror_crawler.references import references
from mirror_crawler.render import (
    ArticlePlace,
    HomeView,
    ImageMode,
    Link,
    ListView,
    OutletView,
    PageOptions,
    Renderer,
    published_text,
)

GOLDEN = Path(__file__).parent / "golden"
TEMPLATES = Path(__file__).parent.parent / "mirror_crawler" / "templates"
HELD = {"https://www.epochtimes.com/gb/21/12/27/n13460001.htm": "epochtimes/2021/12/27/n13460001.md"}
VIDEO = "https://www.youtube.com/watch?v=abc_DEF-123"

BODY = (
    "<p>【大纪元2021年12月29日讯】（大纪元记者林一综合报导）江城最后一座水上邮局<strong>“荷花坊”。</strong>将于下月停业。"
    '此前<a href="https://www.epochtimes.com/gb/21/12/27/n13460001.htm">湖心邮局</a>已经'
    '<a href="https://example.com/news?id=1&amp;page=2">关停</a>。</p>'
    "<h2>邮船改作茶舫？</h2>"
    '<figure><img src="https://i.epochtimes.com/assets/uploads/2021/12/boat.jpg" alt="邮船">'
    "<figcaption>邮船停在码头。（林一／示例社）</figcaption></figure>"
    "<blockquote><p>“信少了，”邮差说。<br>“两条航线都空着。”</p></blockquote>"
    "<ul><li>一号航线<ol><li>东码头</li><li>西码头</li></ol></li><li>二号航线</li></ul>"
    "<table><tbody><tr><th>年份</th><th>信件</th></tr><tr><td>2020</td><td>1,204 件</td></tr></tbody></table>"
    f'<p><a href="{VIDEO}"></a></p>'
    "<p>责任编辑：周二#</p>"
)

ARTICLE = Article(
    outlet="epochtimes",
    article_id="n13465147",
    url="https://www.epochtimes.com/gb/21/12/28/n13465147.htm",
    language="zh-Hans",
    title="江城最后一座水上邮局“荷花坊”停业 *独家* <b>",
    authors=["林一", "周二"],
    editor="周二",
    published_at="2021-12-28T21:35:10-05:00",
    modified_at=None,
    published_source="clock",
    section=Section(id="nsc413", name="大陆新闻"),
    tags=["荷花坊", "C++"],
    lead_image=Image(
        url="https://i.epochtimes.com/assets/uploads/2021/12/post.jpg",
        alt="邮局",
        caption="荷花坊邮局。（林一／示例社）",
    ),
    images=[],
    embeds=[],
    body_html=BODY,
    text="",
    content_hash="0" * 64,
    first_seen_at="2021-12-29T03:00:00+00:00",
    fetched_at="2021-12-29T03:00:00+00:00",
)
OUTLET = Link(title="大纪元", path="epochtimes/README.md")
PLACE = ArticlePlace(
    path="epochtimes/2021/12/28/n13465147.md",
    resolve=HELD.get,
    outlet=OUTLET,
    section=Link(title="大陆新闻", path="epochtimes/sections/nsc413/README.md"),
    tags=[Link(title="荷花坊", path="epochtimes/tags/3f/荷花坊/README.md"), Link(title="C++", path=None)],
)
ENTRIES = [
    Link(title="[图] 江城*邮局*", path="epochtimes/2021/12/28/n13465147.md", day="2021-12-29"),
    Link(title="无日期", path="epochtimes/2021/12/27/n13460001.md"),
]
FRONT = ListView(
    path="epochtimes/sections/nsc413/README.md",
    language="zh-Hans",
    outlet=OUTLET,
    kind="section",
    name="大陆新闻",
    entries=ENTRIES,
    front="epochtimes/sections/nsc413/README.md",
    numbered=[
        Link(title="12", path="epochtimes/sections/nsc413/pages/0/12.md"),
        Link(title="11", path="epochtimes/sections/nsc413/pages/0/11.md"),
    ],
)
NUMBERED = dataclasses.replace(
    FRONT,
    path="epochtimes/sections/nsc413/pages/0/12.md",
    number=12,
    numbered=[Link(title="11", path="epochtimes/sections/nsc413/pages/0/11.md")],
)
OUTLET_FRONT = ListView(
    path="epochtimes/README.md",
    language="zh-Hans",
    outlet=OUTLET,
    kind="all",
    name="",
    entries=ENTRIES,
    front="epochtimes/README.md",
    sections=[Link(title="大陆新闻", path="epochtimes/sections/nsc413/README.md")],
    tags=Link(title="标签", path="epochtimes/tags/README.md"),
)
TAGS = ListView(
    path="epochtimes/tags/README.md",
    language="zh-Hant",
    outlet=Link(title="大紀元", path="epochtimes/README.md"),
    kind="tags",
    name="",
    entries=[Link(title="C++", path="epochtimes/tags/aa/C-0123456789ab/README.md")],
    front="epochtimes/tags/README.md",
)
HOME = HomeView(
    outlets=[
        OutletView(
            link=OUTLET,
            sections=[Link(title="大陆新闻", path="epochtimes/sections/nsc413/README.md")],
            latest=ENTRIES,
        ),
        OutletView(link=Link(title="新唐人", path="ntdtv/README.md")),
    ]
)
FULL = PageOptions(
    images="remote",
    links="keep",
    base_url="https://example.org/mirror/blob/main/",
    homes=("https://git.example.net/m/raw/",),
    navigation="[首页]({root}/README.md?{article_id}) | [帮助](https://example.org/help)",
    footer="[首页]({root}/README.md)\n\n本站内容来自原作者。\n",
    counter="https://count.example.org/m",
    title="江城镜像",
)

REVISED = [
    dataclasses.replace(
        ARTICLE,
        title="江城最后一座水上邮局停业",
        text="邮局建于1931年。\n\n邮船还在原处。\n\n年份\t信件\n2020\t1,204 件\n\n责任编辑：周二#",
        withdrawn_at="2021-12-29T04:30:00+00:00",
    ),
    dataclasses.replace(
        ARTICLE,
        revision=2,
        fetched_at="2021-12-29T05:02:00+00:00",
        modified_at="2021-12-29T12:50:00+08:00",
        text="# 见 https://example.org/a <b>\n\n邮局建于1932年，\n曾是一景。\n\n邮船还在原处。\n\n- 责任编辑：周二#",
    ),
    dataclasses.replace(
        ARTICLE,
        revision=3,
        fetched_at="2021-12-29T19:00:00+00:00",
        lead_image=None,
        images=[Image(url="https://i.epochtimes.com/assets/uploads/2021/12/boat.jpg", alt="邮船")],
        text="邮局建于1932年，\n曾是一景。\n\n邮船还在原处。\n\n- 责任编辑：周二#",
    ),
    dataclasses.replace(
        ARTICLE,
        revision=4,
        fetched_at="2021-12-30T01:00:00+00:00",
        lead_image=None,
        images=[Image(url="https://i.epochtimes.com/assets/uploads/2021/12/boat.jpg", alt="邮船")],
        text="邮局建于1932年，\n曾是一景。\n\n邮船还在原处。\n\n- 责任编辑：周二#",
        withdrawn_at="2021-12-30T16:30:00+00:00",
    ),
]

PAGES: dict[str, Callable[[Renderer], str]] = {
    "article": lambda renderer: renderer.article(ARTICLE, PLACE),
    "revised": lambda renderer: renderer.article(REVISED[-1], PLACE),
    "history": lambda renderer: renderer.history(REVISED[-1], PLACE, changes(REVISED)),
    "section": lambda renderer: renderer.list_page(FRONT),
    "numbered": lambda renderer: renderer.list_page(NUMBERED),
    "outlet": lambda renderer: renderer.list_page(OUTLET_FRONT),
    "tags": lambda renderer: renderer.list_page(TAGS),
    "home": lambda renderer: renderer.home(HOME),
}
SETTINGS = {"default": PageOptions(), "full": FULL}


@pytest.mark.untraced
@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("theme", ["github", "classic"])
def test_a_page_equals_its_golden_copy(theme: str, settings: str, page: str) -> None:
    renderer = Renderer(dataclasses.replace(SETTINGS[settings], theme=theme))

    text = PAGES[page](renderer)

    golden = GOLDEN / theme / settings / f"{page}.md"
    if not golden.exists():
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_text(text)
        pytest.fail(f"{golden} was made: review it")
    assert text == golden.read_text()
    assert PAGES[page](renderer) == text


def shown(markdown: str) -> LexborHTMLParser:
    return LexborHTMLParser(cmarkgfm.github_flavored_markdown_to_html(markdown, 1 << 17))


@pytest.mark.parametrize("page", PAGES)
def test_by_default_nothing_leads_or_loads_from_outside(page: str) -> None:
    parser = shown(PAGES[page](Renderer(PageOptions())))

    assert parser.css("img, iframe, script") == []
    links = [node.attributes["href"] or "" for node in parser.css("a")]
    assert [link for link in links if "//" in link or "@" in link] == []
    assert links


@pytest.mark.parametrize("page", [name for name in PAGES if name not in ("article", "revised")])
def test_github_pages_have_no_html_but_tables(page: str) -> None:
    assert "<" not in PAGES[page](Renderer(FULL)).replace("\\<", "")


def test_the_article_page_has_no_html_but_its_table() -> None:
    text = PAGES["article"](Renderer(FULL)).replace("\\<", "")
    assert "<" not in re.sub(r"<table>.*</table>", "", text, flags=re.DOTALL)


def test_titles_are_shown_as_typed() -> None:
    parser = shown(PAGES["article"](Renderer(PageOptions())))
    heading = parser.css_first("h1")
    assert heading is not None
    assert heading.text() == ARTICLE.title


@pytest.mark.parametrize(
    ("published_at", "source", "expected"),
    [
        pytest.param("2021-12-28T21:35:10-05:00", "clock", "2021-12-29 10:35 北京时间", id="another-zone"),
        pytest.param("2021-12-29T00:00:00+08:00", "metadata", "2021-12-29 00:00 北京时间", id="midnight"),
        pytest.param("2021-12-29T00:00:00+08:00", "dateline", "2021-12-29", id="only-the-day"),
        pytest.param(None, "none", "", id="unknown"),
    ],
)
def test_publication_time(published_at: str | None, source: PublishedSource, expected: str) -> None:
    article = dataclasses.replace(ARTICLE, published_at=published_at, published_source=source)
    assert published_text(article, labels_of("zh-Hans")) == expected
    lines = Renderer(PageOptions()).article(dataclasses.replace(article, authors=[]), PLACE).split("\n")
    assert lines[4] == (expected or "〔图〕荷花坊邮局。（林一／示例社）")


def test_an_article_that_says_little_has_a_page_all_the_same() -> None:
    article = dataclasses.replace(
        ARTICLE, authors=[], published_at=None, published_source="none", lead_image=None, body_html="<p>正文</p>"
    )
    place = ArticlePlace(path="n1.md", resolve=HELD.get, outlet=OUTLET)
    assert Renderer(PageOptions()).article(article, place) == (
        "# 江城最后一座水上邮局“荷花坊”停业 \\*独家\\* \\<b>\n\n"
        "[首页](README.md) | [大纪元](epochtimes/README.md)\n\n正文\n\n---\n\n"
        "原文地址（需翻墙访问）：`https://www.epochtimes.com/gb/21/12/28/n13465147.htm`\n"
    )


def test_traditional_characters_for_a_traditional_article() -> None:
    text = Renderer(FULL).article(dataclasses.replace(ARTICLE, language="zh-Hant"), PLACE)
    assert "原文地址（需翻牆訪問）" in text
    assert "2021-12-29 10:35 北京時間" in text


def test_a_caption_with_line_ends_cannot_end_the_html() -> None:
    lead = Image(url="https://example.com/a.jpg", caption="上\n\n下")
    text = Renderer(PageOptions(theme="classic")).article(dataclasses.replace(ARTICLE, lead_image=lead), PLACE)
    assert '<div class="caption">\n 上 下\n</div></div>' in text


# Revisions and withdrawals


@pytest.mark.parametrize("theme", ["github", "classic"])
@pytest.mark.parametrize(
    ("fields", "notice", "link"),
    [
        pytest.param({}, "", "", id="neither"),
        pytest.param({"revision": 2}, "", "原站改过 1 次", id="revised"),
        pytest.param({"withdrawn_at": "2021-12-30T16:30:00+00:00"}, "2021-12-31 00:30 北京时间", "", id="withdrawn"),
        pytest.param(
            {"revision": 3, "withdrawn_at": "2021-12-30T16:30:00Z", "language": "zh-Hant"},
            "2021-12-31 00:30 北京時間",
            "原站改過 2 次",
            id="both-traditional",
        ),
    ],
)
def test_an_article_page_tells_what_became_of_the_article(
    theme: str, fields: dict[str, Any], notice: str, link: str
) -> None:
    article = dataclasses.replace(ARTICLE, authors=[], published_at=None, published_source="none")
    parser = shown(Renderer(PageOptions(theme=theme)).article(dataclasses.replace(article, **fields), PLACE))
    body = parser.body
    assert body is not None
    quotes = [node.text() for node in body.css("blockquote") if node.css_first("br") is None]
    assert [notice in quote for quote in quotes] == ([True] if notice else [])
    links = [
        (node.text(), node.attributes["href"]) for node in body.css("a") if "history" in (node.attributes["href"] or "")
    ]
    assert links == ([(link, "n13465147.history.md")] if link else [])


def test_a_history_tells_the_first_version_last() -> None:
    parser = shown(Renderer(PageOptions()).history(REVISED[-1], PLACE, changes(REVISED)))
    assert [node.text() for node in parser.css("h2")] == [
        "第 4 版 · 2021-12-30 09:00 北京时间",
        "第 3 版 · 2021-12-30 03:00 北京时间",
        "第 2 版 · 2021-12-29 13:02 北京时间",
        "第 1 版 · 2021-12-29 11:00 北京时间",
    ]


def test_a_history_shows_texts_as_typed() -> None:
    hostile = "1. # <script>x</script> ![a](https://evil.example/x.png) **b** `c` &amp; @name"
    newer = dataclasses.replace(REVISED[-1], text=f"> {hostile}\r- \t{hostile}\n\n{hostile}")
    page = Renderer(PageOptions()).history(newer, PLACE, changes([*REVISED, dataclasses.replace(newer, revision=5)]))
    parser = shown(page)
    quote = parser.css_first("h2 ~ blockquote:has(code)")
    assert quote is not None
    assert parser.css("script, img, ol, ul") == []
    assert hostile in parser.text()
    assert f"> {hostile} -  {hostile}" in " ".join(node.text() for node in parser.css("blockquote p")).replace(
        "\n", " "
    )


def test_a_change_whose_details_are_left_out_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mirror_crawler.history._MOST_TEXT", 0)
    text = Renderer(PageOptions()).history(REVISED[-1], PLACE, changes(REVISED[:2]))
    assert "修改 3 处" in text
    assert "细节从略" in text
    assert "邮局建于" not in text


# Share addresses


def test_the_share_code_is_a_picture_of_the_address() -> None:
    renderer = Renderer(PageOptions(base_url="https://example.org/m/"))
    code = renderer.share_code(PLACE.path)
    assert renderer.share_address(PLACE.path) == "https://example.org/m/epochtimes/2021/12/28/n13465147.md"
    assert code is not None
    assert code == renderer.share_code(PLACE.path)
    assert code != renderer.share_code("other.md")
    with Picture.open(io.BytesIO(code)) as image:
        assert image.format == "PNG"
        assert image.width == image.height >= 100


def test_without_a_base_address_there_is_nothing_to_share() -> None:
    renderer = Renderer(PageOptions())
    assert renderer.share_address("a.md") == ""
    assert renderer.share_code("a.md") is None


# Templates of an operator


def write(directory: Path, **templates: str) -> Path:
    for name, text in templates.items():
        file = directory / "github" / f"{name}.md.j2"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    return directory


def test_an_operator_overrides_file_by_file(tmp_path: Path) -> None:
    theme_dir = write(tmp_path, article="{{ title | md }}：{{ article.url | code }}", list="{% include 'line.j2' %}")
    (tmp_path / "line.j2").write_text("列表 {{ path | md }}")
    renderer = Renderer(PageOptions(theme_dir=theme_dir))
    assert renderer.article(dataclasses.replace(ARTICLE, title="甲"), PLACE) == f"甲：`{ARTICLE.url}`\n"
    assert renderer.list_page(TAGS) == "列表 epochtimes/tags/README.md\n"
    assert renderer.home(HOME) == Renderer(PageOptions()).home(HOME)


def test_an_operator_overrides_one_outlet(tmp_path: Path) -> None:
    (tmp_path / "github" / "epochtimes").mkdir(parents=True)
    (tmp_path / "github" / "epochtimes" / "article.md.j2").write_text("只有大纪元")
    renderer = Renderer(PageOptions(theme_dir=tmp_path))
    assert renderer.article(ARTICLE, PLACE) == "只有大纪元\n"
    assert renderer.article(dataclasses.replace(ARTICLE, outlet="ntdtv"), PLACE).startswith("# 江城")


def test_an_operator_adds_a_theme(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    for page in ("article", "list", "home"):
        (tmp_path / "plain" / f"{page}.md.j2").write_text(f"{page} {{{{ title | md }}}}")
    plain = Renderer(PageOptions(theme="plain", theme_dir=tmp_path))
    assert PAGES["history"](plain) == PAGES["history"](Renderer(PageOptions()))
    assert Renderer(PageOptions(theme="plain", theme_dir=tmp_path)).home(HOME) == "home 新闻镜像\n"
    (tmp_path / "plain" / "list.md.j2").unlink()
    with pytest.raises(ValueError, match=r"^theme 'plain' has no template list\.md\.j2$"):
        Renderer(PageOptions(theme="plain", theme_dir=tmp_path))


@pytest.mark.parametrize(
    ("template", "message"),
    [
        pytest.param("{% if %}", r"github/article\.md\.j2, line 1: Expected an expression", id="syntax"),
        pytest.param("\n{{ title | nothing }}", r"article\.md\.j2, line 2: No filter named 'nothing'", id="filter"),
        pytest.param("{{ titel | md }}", r"github/article\.md\.j2: unknown name 'titel'; there are address", id="name"),
        pytest.param("{% include 'no.j2' %}", r"github/article\.md\.j2: cannot read no\.j2", id="missing-include"),
        pytest.param("{% include path %}", None, id="include-known-only-later"),
    ],
)
def test_a_broken_template_is_told_before_any_page_is_written(
    tmp_path: Path, template: str, message: str | None
) -> None:
    theme_dir = write(tmp_path, article=template)
    if message is None:
        renderer = Renderer(PageOptions(theme_dir=theme_dir))
        with pytest.raises(ValueError, match=r"^template github/article\.md\.j2: "):
            renderer.article(ARTICLE, PLACE)
        return
    with pytest.raises(ValueError, match=message) as caught:
        Renderer(PageOptions(theme_dir=theme_dir))
    assert "\n" not in str(caught.value)


def test_a_template_that_is_no_text_is_told(tmp_path: Path) -> None:
    write(tmp_path, article="")
    (tmp_path / "github/article.md.j2").write_bytes(b"\xff")
    with pytest.raises(ValueError, match=r"^template github/article\.md\.j2: cannot read 'utf-8' codec"):
        Renderer(PageOptions(theme_dir=tmp_path))


@pytest.mark.untraced
def test_a_template_that_was_changed_is_used_as_it_is_now(tmp_path: Path) -> None:
    before = Renderer(PageOptions(theme_dir=write(tmp_path, home="早")))
    after = Renderer(PageOptions(theme_dir=write(tmp_path, home="晚")))
    assert (before.home(HOME), after.home(HOME)) == ("早\n", "晚\n")
    assert before.look != after.look


def test_a_template_that_asks_for_an_unknown_field_names_itself(tmp_path: Path) -> None:
    renderer = Renderer(PageOptions(theme_dir=write(tmp_path, article="{{ article.titel | md }}")))
    with pytest.raises(ValueError, match=r"^template github/article\.md\.j2: .*titel"):
        renderer.article(ARTICLE, PLACE)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"theme": "neon"}, "theme 'neon' is unknown; there are classic, github", id="theme"),
        pytest.param({"images": "all"}, "images: 'all' is not one of local, remote, none", id="images"),
        pytest.param({"links": "all"}, "links: 'all' is not one of neutral, keep", id="links"),
        pytest.param({"navigation": "a\nb"}, "navigation: must be one line", id="navigation"),
        pytest.param({"title": "a\u2028b"}, "title: must be one line", id="title"),
        pytest.param({"theme_dir": Path("/no/such")}, "theme directory /no/such is not a directory", id="theme_dir"),
    ],
)
def test_a_choice_that_cannot_be_is_told_in_one_line(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        Renderer(dataclasses.replace(PageOptions(), **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("template", sorted(TEMPLATES.rglob("*.j2")), ids=lambda path: str(path.relative_to(TEMPLATES)))
def test_every_variable_of_our_templates_passes_a_filter(template: Path) -> None:
    expressions = re.findall(r"{{(.*?)}}", template.read_text())
    assert [
        expression
        for expression in expressions
        if not re.search(r"\| (md|code|destination|html|link|ready|quote(?:\(label\.\w+\))?) $", expression)
    ] == []


def test_a_theme_directory_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies beside the templates is passed over; what cannot be listed is said."""
    (tmp_path / "notes.txt").write_text("no template")
    (tmp_path / "closed").mkdir()
    Renderer(PageOptions(theme_dir=tmp_path))
    listed = Path.iterdir

    def listing(directory: Path) -> Iterator[Path]:
        if directory.name == "closed":
            raise PermissionError(13, "Permission denied")
        return listed(directory)

    monkeypatch.setattr(Path, "iterdir", listing)
    with pytest.raises(ValueError, match=r"templates in .*closed: Permission denied"):
        Renderer(PageOptions(theme_dir=tmp_path))


ASSET = "assets/ab/cd/abcd.webp"
PHOTO = Image(url="https://i.epochtimes.com/assets/uploads/2021/12/boat.jpg", alt="邮船", caption="岸边")
IN_BODY = f'<figure><img src="{PHOTO.url}" alt="邮船"><figcaption>岸边</figcaption></figure>'


@pytest.mark.untraced
@pytest.mark.parametrize("theme", ["github", "classic"])
@pytest.mark.parametrize("lead", [True, False], ids=["lead", "body"])
@pytest.mark.parametrize(
    ("images", "held", "loaded"),
    [
        ("local", {PHOTO.url: ASSET}, f"../../../../{ASSET}"),
        ("local", {}, None),
        ("remote", {PHOTO.url: ASSET}, PHOTO.url),
        ("none", {PHOTO.url: ASSET}, None),
    ],
    ids=["local", "not-there-yet", "remote", "none"],
)
def test_where_a_page_loads_pictures_from(
    theme: str, lead: bool, images: ImageMode, held: dict[str, str], loaded: str | None
) -> None:
    options = PageOptions(theme=theme, images=images)
    article = dataclasses.replace(
        ARTICLE, lead_image=PHOTO if lead else None, body_html="<p>文</p>" if lead else IN_BODY
    )
    page = Renderer(options).article(article, dataclasses.replace(PLACE, picture=held.get))
    found = references(page)
    assert [*found.shown, *found.outside] == ([loaded] if loaded else [])
    assert "岸边" in page
    assert ("邮船" in page) is (loaded is not None)
