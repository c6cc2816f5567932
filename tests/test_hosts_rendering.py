"""Pages read well on code hosts: GitHub's renderer and its published allow-list lose nothing and show no markup.

What a page must show is read from the stored body by another way than the themes': its text nodes, in order.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from urllib.parse import unquote

import pytest
from selectolax.lexbor import LexborHTMLParser, LexborNode

from mirror_crawler.history import changes
from mirror_crawler.items import Article, Image, Section
from mirror_crawler.labels import labels_of
from mirror_crawler.render import ArticlePlace, HomeView, Link, ListView, OutletView, PageOptions, Renderer
from tests.site.host import rendered, sanitised
from tests.test_fixtures import ARTICLES, article_of
from tests.test_render import REVISED

HARD_TITLE = (
    r"1. # *星* **粗** <script>alert(1)</script> [甲](乙) | `丙` &amp; @me ~~删~~ \_ :smile: 见 www.example.org ##"
)
HARD = {
    "emphasis": "<p><strong>“荷花坊”。</strong>将于<em>（下月）</em>停业<strong><em>，</em>据说</strong>。</p>",
    "looks-like-markdown": "".join(
        f"<p>{text}</p>"
        for text in (
            *("# 甲", "1. 乙", "- 丙", "+ 丁", "&gt; 戊", "---", "===", "***", "    己", "| a | b |", "| - | - |"),
            *(
                "[x]: http://a.example",
                "![a](b)",
                "`c`",
                "~~~",
                "&amp;nbsp;",
                "&lt;b&gt;",
                "\\*",
                "*a*",
                "_b_",
                "~~c~~",
            ),
        )
    ),
    "addresses": "<p>见https://a.example/b?c=d&amp;e=f，或 www.example.org。信箱 me@example.org</p>",
    "lists": "<ul><li><p>甲</p><p>乙</p><ol><li>1. 丙</li></ol></li></ul><ul><li>丁</li></ul><ol><li>戊</li></ol>",
    "quotes": "<blockquote><p>甲</p><ul><li>乙<blockquote><p># 丙</p></blockquote></li></ul></blockquote>",
    "tables": (
        '<table><thead><tr><th colspan="2">年|份</th></tr></thead><tbody><tr><td><p>*甲*</p><p>乙</p></td>'
        '<td>丙<br>丁 &lt;i&gt; <img src="https://i.epochtimes.com/t.jpg" alt="图"></td></tr></tbody></table><p>后</p>'
    ),
    "figures": (
        '<figure><img src="https://i.epochtimes.com/a.jpg" alt="[甲]*"><img src="https://i.epochtimes.com/b.jpg">'
        "<figcaption>*说明* &lt;b&gt;（林一／示例社）</figcaption></figure>"
        '<figure><img src="https://i.epochtimes.com/c.jpg" alt="乙"></figure>'
    ),
    "links": (
        '<p><a href="https://held.example/1">[湖心]*邮局*</a>和<a href="https://else.example/?a=1&amp;b=2">别处]</a>'
        '<strong><a href="https://held.example/1">再</a></strong>！<a href="https://held.example/1">又</a></p>'
        '<p><a href="https://www.youtube.com/watch?v=abcdefgh"></a></p>'
    ),
    "code": "<pre>a &lt; b\n\n\n  *c* `d`\n```</pre><p><code>``e``</code></p>",
    "headings": "<h2># 甲 #</h2><h3>乙<br>1. 丙</h3><h4>*丁* ##</h4><hr><p>末</p>",
    "hidden-in-text": "<p>甲&lt;!-- 乙 --&gt;&lt;ok href='x'&gt;丙&lt;/ok&gt;&lt;div&gt;&lt;/p&gt;&lt;h1&gt;</p>",
}
PLAIN = Article(
    outlet="epochtimes",
    article_id="n13465147",
    url="https://www.epochtimes.com/gb/21/12/28/n13465147.htm",
    language="zh-Hans",
    title=HARD_TITLE,
    authors=["林*一*", "<b>"],
    editor=None,
    published_at="2021-12-28T21:35:10-05:00",
    modified_at=None,
    published_source="clock",
    section=Section(id="nsc413", name="大陆*新闻*"),
    tags=["荷花坊", "C++|[]"],
    lead_image=Image(url="https://i.epochtimes.com/lead.jpg", alt="题[图]", caption="题图*说明* <i>"),
    images=[],
    embeds=[],
    body_html="",
    text="",
    content_hash="0" * 64,
    first_seen_at="2021-12-29T03:00:00+00:00",
    fetched_at="2021-12-29T03:00:00+00:00",
)
OUTLET = Link(title="大纪元", path="epochtimes/README.md")
SECTION = Link(title="大陆*新闻*", path="epochtimes/sections/nsc413/README.md")
HELD = {"https://held.example/1": "epochtimes/2021/12/27/n13460001.md"}
ASSET = "assets/ab/cd/0123456789abcdef.webp"
PLACE = ArticlePlace(
    path="epochtimes/2021/12/28/n13465147.md",
    resolve=HELD.get,
    picture=lambda _: ASSET,
    outlet=OUTLET,
    section=SECTION,
    tags=[Link(title="荷花坊", path="epochtimes/tags/3f/荷花坊/README.md"), Link(title="C++|[]", path=None)],
)
OPTIONS = PageOptions(
    images="local",
    base_url="https://git.example/me/news/blob/main",
    homes=("https://other.example/m",),
    footer="#### [《江城志》]({root}/README.md) &nbsp;|&nbsp; [帮助](https://help.example/wiki#起步)\n\n内容来自原作者。",
)
THEMES = ["github", "classic"]
_MARKUP = re.compile(r"[*`<>\[\]\\~#|$]|&\w+;|:\w+:")
"""What would be seen of Markdown or HTML that a host does not understand."""


@functools.cache
def renderer(theme: str, images: str = "local") -> Renderer:
    options: dict[str, str] = {"theme": theme, "images": images}
    return Renderer(dataclasses.replace(OPTIONS, **options))  # type: ignore[arg-type]


def article_named(name: str) -> Article:
    return article_of(name) if name in ARTICLES else dataclasses.replace(PLAIN, body_html=HARD[name])


def squeezed(text: str) -> str:
    """Without white space, which pages and hosts treat in many ways."""
    return "".join(text.split())


def words(node: LexborNode) -> Iterator[str]:
    """The texts in an element, squeezed; without raised and lowered digits, which Markdown writes as other letters."""
    for child in node.iter(include_text=True):
        if child.tag == "-text":
            if text := squeezed(child.text_content or ""):
                yield text
        elif child.tag not in ("sup", "sub") or not re.fullmatch(r"[0-9+=()ni-]*", squeezed(child.text())):
            yield from words(child)


def parsed(markup: str) -> LexborNode:
    body = LexborHTMLParser(markup).body
    assert body is not None
    return body


def rest(text: str, expected: Sequence[str]) -> str:
    """``text`` without the ``expected`` texts, each of which must stand in it, after the one before."""
    left = []
    for word in expected:
        before, found, text = text.partition(word)
        assert found, f"{word!r} is not shown after what comes before it"
        left.append(before)
    return "\n".join([*left, text])


def above(theme: str, article: Article) -> list[str]:
    """What stands above the body, but for words without anything special."""
    texts = [article.title, f"{labels_of(article.language).home}|大纪元|大陆*新闻*"]
    texts += article.authors if theme == "github" else []
    texts += [article.lead_image.caption] if article.lead_image else []
    return list(map(squeezed, texts))


def below(theme: str) -> list[str]:
    return ["荷花坊·C++|[]", "《江城志》|帮助"] if theme == "github" else ["《江城志》|帮助"]


def hrefs(node: LexborNode) -> list[str]:
    return [unquote(link.attributes["href"] or "") for link in node.css("a[href]")]


@pytest.mark.untraced
@pytest.mark.parametrize("name", [*HARD, *ARTICLES])
@pytest.mark.parametrize("theme", THEMES)
def test_an_article_is_shown_whole_and_without_markup(theme: str, name: str) -> None:
    article = article_named(name)
    markup = rendered(renderer(theme).article(article, PLACE))
    page = parsed(sanitised(markup))
    body = parsed(article.body_html)

    lost = Counter(node.tag for node in parsed(markup).css("*")) - Counter(node.tag for node in page.css("*"))
    assert lost.keys() <= {"ok", "figure", "figcaption"}, "these may go; what they hold stays"
    headline = page.css_first("h1" if theme == "github" else "h3")
    assert headline is not None
    assert squeezed(headline.text()) == squeezed(article.title)
    left = rest(squeezed(page.text()), [*above(theme, article), *words(body), *below(theme)])
    assert _MARKUP.findall(left) == [], "markup is shown as text"

    tables = [[squeezed(cell.text()) for cell in table.css("th, td")] for table in page.css("table")]
    assert tables == [[squeezed(cell.text()) for cell in table.css("th, td")] for table in body.css("table")]
    for tag in ("blockquote", "pre", "li", "h2, h3, h4"):
        shown = "\n".join(squeezed(node.text()) for node in page.css(tag)).replace("\n", "" if "h2" in tag else "\n")
        assert [text for text in (squeezed(node.text()) for node in body.css(tag)) if text not in shown] == []


@pytest.mark.untraced
@pytest.mark.parametrize("name", [*HARD, *ARTICLES])
@pytest.mark.parametrize("theme", THEMES)
def test_links_and_pictures_of_an_article_live(theme: str, name: str) -> None:
    article = article_named(name)
    page = parsed(sanitised(rendered(renderer(theme).article(article, PLACE))))
    body = parsed(article.body_html)

    pictures = [image.attributes["src"] for image in page.css("img")]
    asset = f"../../../../{ASSET}"
    count = len(body.css("img")) + (article.lead_image is not None)
    assert Counter(pictures) == Counter({asset: count, "n13465147.md.png": 1}) - Counter()
    alts = [image.attributes.get("alt") or "" for image in body.css("img")]
    assert [alt for alt in alts if alt not in {image.attributes.get("alt") or "" for image in page.css("img")}] == []

    links = hrefs(page)
    held = [link for link in body.css("a") if link.attributes["href"] in HELD]
    assert links.count("../27/n13460001.md") == len(held)
    outside = {link for link in links if ":" in link} - {f"{OPTIONS.base_url}/{PLACE.path}"}
    if theme == "classic" and article.outlet == "epochtimes":
        outside.remove(article.url)  # a bare address at the end of the page, as on the older mirrors
    assert outside == {"https://help.example/wiki#起步"}, "a neutral link leaves its text and nothing else"
    assert {"../../../../README.md", "../../../README.md"} <= set(links)
    assert article.url in page.text()


@pytest.mark.parametrize("theme", THEMES)
def test_the_footer_is_live(theme: str) -> None:
    pages = [renderer(theme).article(article_named("links"), PLACE), *list_pages(theme)]
    depths = ["../../../..", "../../..", "."]
    for page, root in zip(pages, depths, strict=True):
        shown = parsed(sanitised(rendered(page)))
        footer = {node.text(): unquote(node.attributes["href"] or "") for node in shown.css("h4 a")}
        assert footer["《江城志》"] == f"{root}/README.md"
        assert footer["帮助"] == "https://help.example/wiki#起步"
        assert "&nbsp;" not in shown.text()


@pytest.mark.parametrize("theme", THEMES)
def test_without_pictures_words_stand_for_them(theme: str) -> None:
    page = parsed(sanitised(rendered(renderer(theme, "none").article(article_named("figures"), PLACE))))
    assert [image.attributes["src"] for image in page.css("img")] == ["n13465147.md.png"]
    assert "〔图〕" in page.text()
    assert "*说明* <b>（林一／示例社）" in page.text()


def list_pages(theme: str) -> list[str]:
    entries = [
        Link(title=HARD_TITLE, path="epochtimes/2021/12/28/n13465147.md", day="2021-12-29"),
        Link(title="[图] 江城*邮局*]", path="epochtimes/2021/12/27/n1(3).md"),
    ]
    section = ListView(
        path=SECTION.path or "",
        language="zh-Hans",
        outlet=OUTLET,
        kind="section",
        name=SECTION.title,
        entries=entries,
        front=SECTION.path or "",
        numbered=[Link(title="12", path="epochtimes/sections/nsc413/pages/0/12.md")],
    )
    home = HomeView(outlets=[OutletView(link=OUTLET, sections=[SECTION], latest=entries)])
    return [renderer(theme).list_page(section), renderer(theme).home(home)]


@pytest.mark.parametrize("theme", THEMES)
def test_lists_name_articles_as_they_are(theme: str) -> None:
    for page, directory in zip(list_pages(theme), ["../../", "epochtimes/"], strict=True):
        shown = parsed(sanitised(rendered(page)))
        items = [(node.text(), node.attributes["href"]) for node in shown.css("li a")]
        assert squeezed(shown.css("li")[0].text()) == f"2021-12-29{squeezed(HARD_TITLE)}"
        assert [(squeezed(text), href) for text, href in items] == [
            (squeezed(HARD_TITLE), f"{directory}2021/12/28/n13465147.md"),
            ("[图]江城*邮局*]", f"{directory}2021/12/27/n1%283%29.md"),
        ]
        codes = [image.attributes["src"] for image in shown.css("img")]
        assert codes == ["README.md.png"]


@pytest.mark.parametrize("theme", THEMES)
def test_a_history_shows_texts_as_they_were(theme: str) -> None:
    newer = dataclasses.replace(REVISED[-1], text="\n\n".join(squeezed(text) for text in (HARD_TITLE, "> 甲", "- 乙")))
    page = renderer(theme).history(newer, PLACE, changes([*REVISED, dataclasses.replace(newer, revision=5)]))
    shown = parsed(sanitised(rendered(page)))
    assert [node.text() for node in shown.css("script, ol, h1 ~ h1")] == []
    quotes = [squeezed(quote.text()) for quote in shown.css("blockquote")]
    assert any(squeezed(HARD_TITLE) in quote for quote in quotes)
    assert any(quote.endswith("-乙") for quote in quotes)


def test_the_host_takes_out_what_it_must() -> None:
    """The allow-list that the pages go through is a real one."""
    shown = sanitised(
        '<p onclick="x()" class="a">甲<script>x()</script><ok href="https://a.example">乙</ok></p>'
        '<iframe src="https://a.example"></iframe><a href="javascript:x()" style="color:red">丙</a><img src="a.png">'
    )
    assert shown == '<p>甲乙</p><a>丙</a><img src="a.png">'
