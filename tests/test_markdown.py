"""Markdown of texts and bodies, judged by what GitHub's own parser makes of it."""

from __future__ import annotations

import html
import re
from urllib.parse import unquote

import cmarkgfm
import pytest
from cmarkgfm.cmark import Options
from hypothesis import example, given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser, LexborNode

from mirror_crawler.body import Choices
from mirror_crawler.items import Image
from mirror_crawler.labels import labels_of
from mirror_crawler.markdown import (
    body_markdown,
    code_span,
    destination,
    escape,
    label,
    path_destination,
    picture,
    quote_block,
)

HELD = {"https://www.epochtimes.com/gb/21/1/2/n7.htm": "../../02/n7.md"}
VIDEO = "https://www.youtube.com/watch?v=abc_DEF-123"
PICTURE = "https://i.epochtimes.com/a.jpg"

NEUTRAL = Choices(labels=labels_of("zh-Hans"), resolve=HELD.get)
KEEP = Choices(labels=labels_of("zh-Hans"), resolve=HELD.get, picture=lambda address: address, links="keep")

SCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱ₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎", "0123456789+-=()ni0123456789+-=()")


def shown(markdown: str, *, footnotes: bool = False) -> str:
    """HTML as GitHub makes it; raw HTML passes, since tables need it."""
    options = Options.CMARK_OPT_UNSAFE | (Options.CMARK_OPT_FOOTNOTES if footnotes else 0)
    return str(cmarkgfm.github_flavored_markdown_to_html(markdown, options))


def root(markup: str) -> LexborNode:
    node = LexborHTMLParser(markup).body
    assert node is not None
    return node


def words(markup: str) -> str:
    """The text of HTML without any white space; raised and lowered digits on the line."""
    return "".join((root(markup).text(deep=True)).translate(SCRIPTS).split())


# Texts

NASTY = [
    "1. 不是列表",
    "12) 也不是",
    "- 不是列表",
    "+ 不是列表",
    "* 不是列表",
    "# 不是标题",
    "标题 ##",
    "> 不是引文",
    "=====",
    "-----",
    "- - -",
    "___",
    "***",
    "```",
    "~~~",
    ":---",
    "| --- |",
    "--- | ---",
    "[ ] 不是任务",
    "[^1] 不是脚注",
    "[^1]: 不是脚注",
    "[词]: https://例子.com",
    "*星* **双星** _线_ __双线__",
    "~删~ ~~删~~",
    "`码` ``码``",
    "\\ 与 \\* 与 \\\\",
    "<b>不是标签</b> <!-- 不是注释 --> <?不是?>",
    "3 < 5 > 2 && 1",
    "&amp; &copy; &#35; &#x41; AT&T",
    "![不是图](x) [不是链接](y)",
    "见 https://example.com/a_b*c?d=1&copy;=2，然后",
    "www.example.com。",
    "HTTP://EXAMPLE.COM",
    "http://例子",
    "写给 news_desk@example.com.tw 或 mailto:a@b.cc",
    "ftp://example.com/“引号”",
    "价格 $5 与 $6",
    ":smile: 与 @name 与 #12",
    "a_b_c 与 _a_",
    "结尾反斜线\\",
    "结尾感叹号!",
    "`http://a.b`",
]


@pytest.mark.untraced
@pytest.mark.parametrize("footnotes", [False, True], ids=["plain", "footnotes"])
@pytest.mark.parametrize("text", NASTY)
def test_a_text_comes_out_as_typed(text: str, footnotes: bool) -> None:
    expected = "".join(text.split())

    paragraph = shown(escape(text), footnotes=footnotes)
    assert words(paragraph) == expected
    assert re.fullmatch(r"<p>.*</p>\n", paragraph), paragraph
    assert not re.search(r"<(a|em|strong|del|img|input|sup)\b", paragraph), paragraph

    heading = shown(f"# {escape(text)}\n\n正文", footnotes=footnotes)
    assert words(heading) == expected + "正文"
    assert heading.startswith("<h1>")

    entry = shown(f"- [{label(text)}](a.md) · 2021-12-29\n- {escape(text)}", footnotes=footnotes)
    assert words(entry) == f"{expected}·2021-12-29{expected}"
    assert entry.count("<a ") == 1


TEXT = st.text(st.sampled_from("中文。“”（）１ ab1.-+#>`~=|:*_[]()<>&;!\\$@/wh　 "), max_size=24)
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=24)


@pytest.mark.untraced
@settings(deadline=None)
@given(st.one_of(TEXT, ANY_TEXT, st.lists(st.sampled_from([*NASTY, "http", "www.", "@", "。"])).map("".join)))
@example("~删~ ~~删~~www.example.com。")
def test_any_text_comes_out_as_typed_in_a_quote(text: str) -> None:
    """Whatever of it stands out, and in one quote with what follows."""
    expected = "".join(text.translate(SCRIPTS).split())
    for at in (0, len(text) // 2, len(text)):
        runs = [(text[:at], False), (text[at:], True)]
        for footnotes in (False, True):
            seen = shown(
                f"**修改**\n\n{quote_block(runs, '改前：')}\n>\n{quote_block(runs)}\n\n完", footnotes=footnotes
            )
            assert words(seen) == f"修改改前：{expected}{expected}完"
            assert "<a " not in seen
            quote = root(seen).css_first("blockquote")
            assert quote is not None
            assert {node.tag for node in quote.css("*")} <= {"blockquote", "p", "br", "strong", "code"}


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ([("人数为", False), ("三", True), ("成。", False)], "> 人数为**三**成。"),
        ([("甲&copy", False), ("; 乙", True)], "> 甲\\&copy; **乙**"),
        ([("甲&", True), ("copy; 乙", False)], "> **甲**\\&copy; 乙"),
        ([("他来", False), ("了。", True), ("然后", False)], "> 他来**了**。然后"),
        ([("上行\n下", False), ("行\n末行", True)], "> 上行  \n> 下**行**  \n> **末行**"),
        ([("- 一\r2. 二\t三", False)], "> \\- 一 2. 二 三"),
        ([("见~www", False), (".example.com。", True)], "> 见\\~`www.example.com`。"),
        ([("甲@", True), ("b.example 乙", False), ("丙", True)], "> **甲**@b.example 乙**丙**"),
        ([("写信到a@", True), ("b.example 乙", False), ("丙", True)], "> **写信到**`a@b.example` 乙**丙**"),
        ([("见mailto:@b.example。", False)], "> 见`mailto:@b.example`。"),
        ([("~.a@.b.example~", False)], "> \\~`.a@.b.example`\\~"),
        ([], ""),
    ],
    ids=[
        "word",
        "entity-begun-before",
        "entity-begun-within",
        "punctuation",
        "lines",
        "control-characters",
        "address",
        "no-address",
        "mail",
        "mail-without-a-name",
        "mail-with-odd-host",
        "nothing",
    ],
)
def test_a_quote_shows_what_stands_out(runs: list[tuple[str, bool]], expected: str) -> None:
    assert quote_block(runs) == expected


@pytest.mark.untraced
@settings(deadline=None)
@given(st.one_of(TEXT, ANY_TEXT, st.lists(st.sampled_from([*NASTY, "http", "www.", "@", "。"])).map("".join)))
def test_any_text_comes_out_as_typed(text: str) -> None:
    expected = "".join(text.translate(SCRIPTS).split())
    for footnotes in (False, True):
        heading = shown(f"# {escape(text)}", footnotes=footnotes)
        assert words(heading) == expected
        assert "<a " not in heading
        if expected:
            paragraph = shown(escape(text), footnotes=footnotes)
            assert words(paragraph) == expected
            assert paragraph.startswith("<p>")
        assert words(shown(f"[{label(text)}](a.md)", footnotes=footnotes)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "【大纪元2021年12月29日讯】（记者李冰报导）“相互宝”也将于明年1月关停。",
        "他说：《书名》——价格是1,000元（约5%），比2020年高3.5倍！",
        "iPhone 13 与 A&B、C+D、x=1/2，#话题 #2 号，3 < 5",
        "snake_case 与 a:b",
    ],
)
def test_ordinary_text_is_not_escaped(text: str) -> None:
    assert escape(text) == text
    assert label(text) == text


def test_a_text_becomes_one_line() -> None:
    assert escape(" 第一行\r\n# 第二行\0 ") == "第一行 # 第二行"
    assert label("第一行\n第二行") == "第一行 第二行"


@pytest.mark.parametrize("text", ["a", "`", "``", "a`", " a ", " ", "a``b`c"])
def test_a_code_span_shows_its_text(text: str) -> None:
    assert shown(f"前{code_span(text)}后") == f"<p>前<code>{text}</code>后</p>\n"


def test_code_spans_are_one_line() -> None:
    assert code_span("a\nb") == "`a b`"


@pytest.mark.parametrize(
    "address",
    ["https://a.b/c_(d)?e=1&copy;=2", 'https://a.b/"x"<y>', "https://a.b/路径 空格", "https://a.b/\\x`|"],
)
def test_an_address_survives_as_a_destination(address: str) -> None:
    link = root(shown(f"[字]({destination(address)})")).css_first("a")
    assert link is not None
    assert link.text() == "字"
    encoded = re.sub(r'[ "<>()\\`|]', lambda match: f"%{ord(match[0]):02X}", address)
    assert link.attributes["href"] == re.sub("[路径空格]", lambda match: _percent(match[0]), encoded)


def _percent(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode())


def test_a_path_stays_readable() -> None:
    assert path_destination("../tags/3f/相互宝/a b(1).md") == "../tags/3f/相互宝/a%20b%281%29.md"


# Pictures


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        pytest.param(Image(url=PICTURE, alt="标题", caption="说明_一_"), "〔图〕说明_一\\_", id="caption"),
        pytest.param(Image(url=PICTURE, alt="另有说明"), "〔图〕另有说明", id="alt"),
        pytest.param(Image(url=PICTURE, alt="标题"), "", id="alt-repeats-the-title"),
        pytest.param(Image(url=PICTURE), "", id="nothing"),
    ],
)
def test_a_picture_without_pictures(image: Image, expected: str) -> None:
    assert picture(image, NEUTRAL.labels, None, title="标题") == expected


def test_a_picture_from_its_place() -> None:
    image = Image(url=PICTURE, alt="[图]", caption="河上。（林一／示例社）")
    assert picture(image, KEEP.labels, PICTURE) == f"![\\[图\\]]({PICTURE})  \n*河上。（林一／示例社）*"
    assert picture(Image(url=PICTURE), KEEP.labels, "../a.webp") == "![](../a.webp)"


# Emphasis in bodies

EMPHASIS = [
    ("<p><strong>中国。</strong>然后</p>", "**中国**。然后", "<strong>中国</strong>。然后"),
    ("<p>说<strong>“你好”</strong>的人</p>", "说“**你好**”的人", "说“<strong>你好</strong>”的人"),
    ("<p><strong>问：</strong>为何？</p>", "**问**：为何？", "<strong>问</strong>：为何？"),
    ("<p><strong>问：</strong>“为何？”</p>", "**问：**“为何？”", "<strong>问：</strong>“为何？”"),
    ("<p><strong>整段。</strong></p>", "**整段。**", "<strong>整段。</strong>"),
    ("<p>前<strong>中</strong><strong>国</strong>后</p>", "前**中国**后", "前<strong>中国</strong>后"),
    ("<p>前<em>中</em><strong>国</strong>后</p>", "前中**国**后", "前中<strong>国</strong>后"),
    ("<p>前<strong>中<em>国</em></strong>后</p>", "前**中国**后", "前<strong>中国</strong>后"),
    ("<p>前<em>中国</em>后</p>", "前*中国*后", "前<em>中国</em>后"),
    ("<p>前<strong>。</strong>后</p>", "前。后", "前。后"),
    ("<p>前 <strong> 中 </strong>后</p>", "前  **中** 后", None),
    ("<p>前<strong>￥5</strong>后</p>", "前￥**5**后", "前￥<strong>5</strong>后"),
    ("<p>前<strong>中<br>国</strong>后</p>", "前**中**  \n**国**后", None),
    ("<p>前<strong>*星*</strong>后</p>", "前\\***星**\\*后", "前*<strong>星</strong>*后"),
    ("<p>前<strong>见<code>x</code></strong>后</p>", "前**见**`x`后", None),
    ("<p>前<strong>见http://a.b/c。</strong>后</p>", "前**见**`http://a.b/c`。后", None),
]


@pytest.mark.parametrize(("body", "markdown", "inner"), EMPHASIS, ids=[case[0] for case in EMPHASIS])
def test_emphasis_works_among_han_characters(body: str, markdown: str, inner: str | None) -> None:
    assert body_markdown(body, NEUTRAL) == markdown
    assert "*" not in words(shown(markdown)).replace("*星*", "")
    if inner is not None:
        assert shown(markdown) == f"<p>{inner}</p>\n"


# Links and embeds in bodies

LINKS = [
    pytest.param(
        '<p>见<a href="https://www.epochtimes.com/gb/21/1/2/n7.htm">前文</a>。</p>',
        "见[前文](../../02/n7.md)。",
        "见[前文](../../02/n7.md)。",
        id="in-the-mirror",
    ),
    pytest.param(
        '<p>见<a href="https://example.com/(a)">别处</a>。</p>',
        "见别处。",
        "见[别处](https://example.com/%28a%29)。",
        id="elsewhere",
    ),
    pytest.param(
        '<p>前<strong>见<a href="https://example.com/">别处</a>。</strong></p>',
        "前**见别处。**",
        "前**见**[**别处**](https://example.com/)。",
        id="within-strong",
    ),
    pytest.param(
        '<p>前<a href="https://example.com/"><strong>“别处”</strong></a>后</p>',
        "前“**别处**”后",
        "前[**“别处”**](https://example.com/)后",
        id="strong-within",
    ),
    pytest.param(
        '<p><a href="https://example.com/"><strong>别处\u3000</strong></a>后</p>',
        "**别处**\u3000后",
        "[**别处**\u3000](https://example.com/)后",
        id="strong-with-wide-space",
    ),
    pytest.param(
        '<p><a href="https://example.com/">别<strong>处</strong><code>x]</code></a></p>',
        "别**处**`x]`",
        "[别处`x]`](https://example.com/)",
        id="partly-strong",
    ),
    pytest.param(
        '<p>go<a href="https://example.com/"> there<br>or here </a>now</p>',
        "go there  \nor here now",
        "go [there](https://example.com/)  \n[or here](https://example.com/) now",
        id="over-two-lines",
    ),
    pytest.param(
        '<p>看!<a href="https://example.com/">这</a></p>',
        "看!这",
        "看\\![这](https://example.com/)",
        id="after-an-exclamation-mark",
    ),
    pytest.param(
        '<p><a href="https://example.com/">https://example.com/a_b</a></p>',
        "`https://example.com/a_b`",
        "[https://example.com/a_b](https://example.com/)",
        id="address-as-text",
    ),
    pytest.param(
        f'<p><a href="{VIDEO}"></a></p>',
        f"▶ YouTube 视频：`{VIDEO}`",
        f"[▶ YouTube 视频]({VIDEO})",
        id="embed",
    ),
    pytest.param(
        '<p><a href="https://example.com/frame"></a></p>',
        "▶ 网页内容：`https://example.com/frame`",
        "[▶ 网页内容](https://example.com/frame)",
        id="unknown-embed",
    ),
]


@pytest.mark.parametrize(("body", "neutral", "kept"), LINKS)
def test_links(body: str, neutral: str, kept: str) -> None:
    assert body_markdown(body, NEUTRAL) == neutral
    assert body_markdown(body, KEEP) == kept


def test_code_in_parts_in_a_link_is_one() -> None:
    body = '<p><a href="https://example.com/"><code>http</code><code>x</code></a></p>'
    assert body_markdown(body, KEEP) == "[`httpx`](https://example.com/)"


def test_a_paragraph_of_thousands_of_addresses() -> None:
    """Each is met once: they were once all gone through again for each."""
    number = 20_000
    text = body_markdown(f"<p>{'<strong>甲</strong>a@b.cc ' * number}</p>", NEUTRAL)
    assert text == " ".join(["**甲**`a@b.cc`"] * number)


# Blocks of bodies

BLOCKS = [
    pytest.param(
        "<h2>甲</h2><h3>乙 #</h3><h4>丙<br>丁</h4>", "## 甲\n\n### 乙 \\#\n\n#### 丙\n\n#### 丁", id="headings"
    ),
    pytest.param("<h2><strong>甲。</strong>乙</h2>", "## 甲。乙", id="no-strong-in-headings"),
    pytest.param("<p>甲<br>乙<br><br>丙</p>", "甲  \n乙  \n丙", id="line-breaks"),
    pytest.param("<p>甲<br>1. 乙<br>---</p>", "甲  \n1\\. 乙  \n\\---", id="line-starts"),
    pytest.param("<p>a | b<br>--- | ---</p>", "a | b  \n\\--- | ---", id="not-a-table"),
    pytest.param(
        "<p>10<sup>6</sup> 与 H<sub>2</sub>O 与 x<sup>[注]</sup></p>", "10⁶ 与 H₂O 与 x\\[注\\]", id="scripts"
    ),
    pytest.param("<blockquote><p>甲</p><p>乙<br>丙</p></blockquote>", "> 甲\n>\n> 乙  \n> 丙", id="quote"),
    pytest.param(
        "<blockquote><p>甲</p></blockquote><blockquote><p>乙</p></blockquote>", "> 甲\n\n> 乙", id="two-quotes"
    ),
    pytest.param("<ul><li>甲</li><li>乙</li></ul>", "- 甲\n- 乙", id="list"),
    pytest.param("<ol><li>甲</li><li><p>乙</p></li></ol>", "1. 甲\n2. 乙", id="numbers"),
    pytest.param(
        "<ul><li>甲<ol><li>乙<ul><li>丙</li></ul></li></ol></li><li>丁</li></ul>",
        "- 甲\n  1. 乙\n     - 丙\n- 丁",
        id="nested-lists",
    ),
    pytest.param("<ul><li><p>甲</p><p>乙</p></li><li>丙</li></ul>", "- 甲\n\n  乙\n\n- 丙", id="loose-list"),
    pytest.param(
        "<ul><li>甲</li></ul><ul><li>乙</li></ul><ul><li>丙</li></ul>", "- 甲\n\n+ 乙\n\n- 丙", id="lists-in-a-row"
    ),
    pytest.param("<ol><li>甲</li></ol><ol><li>乙</li></ol>", "1. 甲\n\n1) 乙", id="numbers-in-a-row"),
    pytest.param("<ul><li>甲</li></ul><p>乙</p><ul><li>丙</li></ul>", "- 甲\n\n乙\n\n- 丙", id="lists-apart"),
    pytest.param("<ul>甲<li>乙</li><li></li></ul>", "- 甲\n- 乙", id="text-in-a-list"),
    pytest.param("<ul><li><hr></li></ul><hr>", "- ***\n\n***", id="rule"),
    pytest.param("<pre>a\n\n  ```b</pre>", "````\na\n\n  ```b\n````", id="code"),
    pytest.param("<pre>\n</pre><p>甲 <code>b`</code></p>", "甲 `` b` ``", id="code-in-text"),
    pytest.param("<p><code> </code>甲</p>", "甲", id="blank-code"),
    pytest.param(
        "<p>http://a.b/c<code>`x</code></p>", "`` http://a.b/c`x ``".replace(" ", ""), id="address-beside-code"
    ),
    pytest.param("松<strong>散</strong><p>甲</p>文字", "松**散**\n\n甲\n\n文字", id="loose-text"),
    pytest.param(
        "<table><tbody><tr><td>1 &lt; 2</td><td colspan=2><p>甲</p></td></tr></tbody></table>",
        '<table>\n<tbody><tr><td>1 &lt; 2</td><td colspan="2"><p>甲</p></td></tr>\n</tbody>\n</table>',
        id="table",
    ),
    pytest.param(
        "<table><tr><td>见<a href='https://example.com'>别处</a> http://a.b/c<pre>x\n\ny</pre></td></tr></table>",
        "<table>\n<tbody><tr><td>见别处 <code>http://a.b/c</code><pre>x&#10;&#10;y</pre></td></tr>\n</tbody>\n</table>",
        id="table-with-addresses",
    ),
    pytest.param(
        "<ul><li><table><tr><td>甲</td></tr></table><ul><li>乙</li></ul></li></ul>",
        "- <table>\n  <tbody><tr><td>甲</td></tr>\n  </tbody>\n  </table>\n\n  - 乙",
        id="table-in-a-list",
    ),
]


@pytest.mark.parametrize(("body", "markdown"), BLOCKS)
def test_blocks(body: str, markdown: str) -> None:
    assert body_markdown(body, NEUTRAL) == markdown


FIGURE = f'<figure><img src="{PICTURE}" alt="河"><figcaption>江城。（<strong>林一</strong>）</figcaption></figure>'
FIGURES = [
    pytest.param(FIGURE, "〔图〕江城。（**林一**）", f"![河]({PICTURE})  \n*江城。（林一）*", id="caption"),
    pytest.param(f'<figure><img src="{PICTURE}" alt="河"></figure>', "〔图〕河", f"![河]({PICTURE})", id="alt"),
    pytest.param(f'<figure><img src="{PICTURE}" alt=""></figure>', "〔图〕", f"![]({PICTURE})", id="nothing"),
    pytest.param(
        f'<figure><img src="{PICTURE}" alt=""><img src="{PICTURE}" alt=""><figcaption>两张</figcaption></figure>',
        "〔图〕两张",
        f"![]({PICTURE})  \n![]({PICTURE})  \n*两张*",
        id="two-pictures",
    ),
    pytest.param(f'<p>甲<img src="{PICTURE}" alt="河">乙</p>', "甲〔图〕河乙", f"甲![河]({PICTURE})乙", id="inline"),
    pytest.param("<figure><p>甲</p><figcaption>乙</figcaption></figure>", "甲\n\n乙", "甲\n\n乙", id="no-picture"),
    pytest.param(
        f'<figure><img src="{PICTURE}" alt=""><figcaption>见<a href="https://example.com/">别处</a></figcaption></figure>',
        "〔图〕见别处",
        f"![]({PICTURE})  \n*见*[*别处*](https://example.com/)",
        id="link-in-caption",
    ),
]


@pytest.mark.parametrize(("body", "none", "remote"), FIGURES)
def test_figures(body: str, none: str, remote: str) -> None:
    assert body_markdown(body, NEUTRAL) == none
    assert body_markdown(body, KEEP) == remote


HELD_HERE = {f"https://i.epochtimes.com/{name}.jpg": f"../../assets/{name}.webp" for name in "bc"}
SOME = Choices(labels=labels_of("zh-Hans"), resolve=HELD.get, picture=HELD_HERE.get)
"""The mirror has some pictures."""
A, B, C = (f'<img src="https://i.epochtimes.com/{name}.jpg" alt="{name}">' for name in "abc")
FIGCAPTION = "<figcaption>江城。</figcaption>"


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        pytest.param(
            f"<figure>{A}{B}{C}{FIGCAPTION}</figure>",
            "![b](../../assets/b.webp)  \n![c](../../assets/c.webp)  \n*江城。*",
            id="those-it-has",
        ),
        pytest.param(f"<figure>{A}{FIGCAPTION}</figure>", "〔图〕江城。", id="none-of-them"),
        pytest.param(f"<figure>{A}{A}</figure>", "〔图〕a", id="none-of-them-and-no-caption"),
        pytest.param(f"<p>甲{A}乙{B}</p>", "甲〔图〕a乙![b](../../assets/b.webp)", id="inline"),
        pytest.param(
            f"<table><tr><td>{A}</td><td>{B}</td></tr></table>",
            '<table>\n<tbody><tr><td>〔图〕a</td><td><img alt="b" src="../../assets/b.webp"/></td></tr>\n'
            "</tbody>\n</table>",
            id="table",
        ),
        pytest.param(
            f"<table><tr><td><figure>{A}{C}{FIGCAPTION}</figure></td></tr></table>",
            '<table>\n<tbody><tr><td><figure><img alt="c" src="../../assets/c.webp"/>'
            "<figcaption>江城。</figcaption></figure></td></tr>\n</tbody>\n</table>",
            id="figure-in-a-table",
        ),
    ],
)
def test_some_pictures_are_the_mirror_s_own(body: str, shown: str) -> None:
    assert body_markdown(body, SOME) == shown


def test_a_link_around_a_picture_keeps_it() -> None:
    body = f'<p><a href="https://example.com/"><img src="{PICTURE}" alt="河"> </a></p>'
    assert body_markdown(body, KEEP) == f"[![河]({PICTURE})](https://example.com/)"
    assert body_markdown('<p><a href="https://example.com/">甲<br> <br>乙</a></p>', KEEP) == (
        "[甲](https://example.com/)  \n[乙](https://example.com/)"
    )


def test_traditional_characters_name_pictures_and_embeds() -> None:
    choices = Choices(labels=labels_of("zh-Hant"), resolve=HELD.get)
    body = f'<figure><img src="{PICTURE}" alt="河"></figure><p><a href="{VIDEO}"></a></p>'
    assert body_markdown(body, choices) == f"〔圖〕河\n\n▶ YouTube 影片：`{VIDEO}`"


@pytest.mark.untraced
@pytest.mark.parametrize("tag", ["blockquote", "ul><li", "strong", "sub"])
def test_deep_nesting_loses_no_text(tag: str) -> None:
    depth = 3000
    markdown = body_markdown(f"<{tag}>" * depth + "底", NEUTRAL)
    assert words(shown(markdown)) == "底"


# Properties of bodies

HAN = st.text(st.sampled_from("中国新闻记者报导"), min_size=1, max_size=4)
PLAIN = st.one_of(HAN, TEXT, st.sampled_from(NASTY)).map(lambda text: html.escape(text, quote=False))
HREF = st.sampled_from([*HELD, "https://example.com/?a=1&amp;b=(2)"])


def _inline(text: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    def wrapped(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        marked = st.builds(lambda tag, body: f"<{tag}>{body}</{tag}>", st.sampled_from(["strong", "em", "sup"]), inner)
        return st.one_of(marked, st.lists(inner, min_size=2, max_size=4).map("".join))

    link = st.builds(lambda href, body: f'<a href="{href}">字{body}</a>', HREF, text)
    code = text.map(lambda body: f"<code>{body}</code>")
    return st.recursive(st.one_of(text, text, link, code), wrapped, max_leaves=6)


INLINE = _inline(PLAIN)
LINES = st.lists(INLINE, min_size=1, max_size=3).map("<br>".join)
LEAF = st.one_of(
    LINES.map(lambda body: f"<p>{body}</p>"),
    st.builds(lambda level, body: f"<h{level}>{body}</h{level}>", st.integers(2, 4), INLINE),
    PLAIN.map(lambda body: f"<pre>{body}\n\n{body}</pre>"),
    st.just("<hr>"),
    INLINE.map(lambda body: f"<table><tbody><tr><td>{body}</td><th>头</th></tr></tbody></table>"),
    INLINE.map(lambda body: f'<figure><img src="{PICTURE}" alt=""><figcaption>图{body}</figcaption></figure>'),
)


def _nested(blocks: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    many = st.lists(blocks, min_size=1, max_size=3).map("".join)
    items = st.lists(st.one_of(many, LINES), min_size=1, max_size=3).map(
        lambda bodies: "".join(f"<li>{body}</li>" for body in bodies)
    )
    return st.one_of(
        many,
        many.map(lambda body: f"<blockquote>{body}</blockquote>"),
        items.map(lambda body: f"<ul>{body}</ul>"),
        items.map(lambda body: f"<ol>{body}</ol>"),
    )


BODY = st.recursive(LEAF, _nested, max_leaves=6)


@pytest.mark.untraced
@settings(deadline=None)
@given(BODY)
def test_a_body_keeps_its_text(body: str) -> None:
    for choices in (NEUTRAL, KEEP):
        for footnotes in (False, True):
            seen = shown(body_markdown(body, choices), footnotes=footnotes)
            assert words(seen).replace("〔图〕", "") == words(body)
    assert "<img" not in shown(body_markdown(body, NEUTRAL))


@pytest.mark.untraced
@settings(deadline=None)
@given(BODY)
def test_a_body_keeps_its_structure(body: str) -> None:
    seen = root(shown(body_markdown(body, KEEP)))
    given_body = root(body)
    for selector in ("table", "td", "hr", "img"):
        assert len(seen.css(selector)) == len(given_body.css(selector)), selector
    for selector in ("ul", "ol", "li", "blockquote", "pre", "h2", "h3", "h4"):
        assert len(seen.css(selector)) == len([node for node in given_body.css(selector) if _shows(node)]), selector
    held = [node.attributes["href"] for node in given_body.css("a")]
    links = [unquote(node.attributes["href"] or "") for node in seen.css("a")]
    assert links == [HELD.get(href or "", href) for href in held]


def _shows(node: LexborNode) -> bool:
    return bool(node.text(deep=True).strip(" \t\n\r\f")) or node.css_first("img, hr, table") is not None


@pytest.mark.untraced
@settings(deadline=None)
@given(_inline(st.text(st.sampled_from("中国，。“”（）！"), min_size=1, max_size=5)))
def test_no_space_and_no_asterisk_comes_between_han_characters(inline: str) -> None:
    for choices in (NEUTRAL, KEEP):
        seen = root(shown(body_markdown(f"<p>{inline}</p>", choices))).text(deep=True).strip()
        assert seen == root(inline).text(deep=True)
