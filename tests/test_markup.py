"""The closed vocabulary: one example for every rule, hostile input, and properties that hold for any input."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser, LexborNode

from mirror_crawler.items import Embed, Image
from mirror_crawler.markup import CleanBody, clean, embed_of, image_address, plain_text, sanitise

BASE = "https://www.epochtimes.com/gb/20/10/1/n12345678.htm"
PICTURE = "https://i.tw/a.jpg"
VIDEO = "https://www.youtube.com/watch?v=abcdefghijk"
VIDEO_LINK = f'<p><a href="{VIDEO}"></a></p>'
FIGURE = f'<figure><img src="{PICTURE}" alt=""></figure>'

VOCABULARY = set(
    re.findall(r"\w+", "p h2 h3 h4 blockquote ul ol li a strong em sub sup code pre br hr figure figcaption img")
)
VOCABULARY |= {"table", "thead", "tbody", "tr", "th", "td"}
ATTRIBUTES = {"a": {"href"}, "img": {"src", "alt"}, "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}}


def body(html: str, *, bold_headings: bool = False, base: str = BASE) -> CleanBody:
    node = LexborHTMLParser(f'<!doctype html><body><div id="artbody">{html}</div>').css_first("#artbody")
    assert node is not None
    return clean(node, base, bold_headings=bold_headings)


def parsed(html: str) -> LexborNode:
    root = LexborHTMLParser(f"<!doctype html><body><main>{html}</main>").css_first("main")
    assert root is not None
    return root


def elements(html: str) -> Iterator[LexborNode]:
    yield from (node for node in parsed(html).css("*") if node.tag != "main")


def check(html: str) -> None:
    """What every result must be: stable, well-formed, within the vocabulary, without empty blocks."""
    assert sanitise(html, BASE) == html
    assert sanitise(html, "") == html
    main = parsed(html)
    assert (main.inner_html or "").replace("&nbsp;", "\xa0") == html
    assert not re.search(
        r"<(script|style|iframe|!--|!|\?)|javascript:\w*[^<]*\"|\son\w+=[^<>]*>", re.sub(r">[^<]*<", "><", html)
    )
    for node in elements(html):
        assert node.tag in VOCABULARY
        assert set(node.attributes) <= ATTRIBUTES.get(node.tag or "", set())
        for name in ("href", "src"):
            if name in node.attributes:
                assert re.fullmatch(r"https?://[!#-&(-;=?-\[\]_a-z~]+", node.attributes[name] or "")
        if node.tag not in ("br", "hr", "img", "td", "th", "a", "tr"):
            assert node.css("img, td, th, a, hr") or (node.text() or "").strip()


CASES = [
    # renaming and unwrapping
    ("paragraph", "<p>天气晴朗。</p>", "<p>天气晴朗。</p>"),
    ("bold and italic", "<p><b>甲</b><i>乙</i></p>", "<p><strong>甲</strong><em>乙</em></p>"),
    (
        "other formats",
        "<p>H<sub>2</sub>O x<sup>2</sup> <tt>ls</tt></p>",
        "<p>H<sub>2</sub>O x<sup>2</sup> <code>ls</code></p>",
    ),
    ("format in itself", "<p><b>甲<strong>乙</strong></b></p>", "<p><strong>甲乙</strong></p>"),
    ("neighbours of one format", "<p><b>甲</b><b>乙</b></p>", "<p><strong>甲乙</strong></p>"),
    (
        "format across paragraphs",
        "<strong><p>甲</p><p>乙</p></strong>",
        "<p><strong>甲</strong></p><p><strong>乙</strong></p>",
    ),
    ("overlapping formats", "<p><b>甲<i>乙</b>丙</i></p>", "<p><strong>甲<em>乙</em></strong><em>丙</em></p>"),
    (
        "heading levels",
        "<h1>一</h1><h2>二</h2><h3>三</h3><h4>四</h4><h5>五</h5><h6>六</h6>",
        "<h2>一</h2><h2>二</h2><h3>三</h3><h4>四</h4><h4>五</h4><h4>六</h4>",
    ),
    ("inline unwrapped", '<p><span style="x"><font color=red><u>甲</u></font></span><s>乙</s></p>', "<p>甲乙</p>"),
    (
        "blocks unwrapped",
        "<div>甲</div><section>乙<center>丙</center></section>丁",
        "<p>甲</p><p>乙</p><p>丙</p><p>丁</p>",
    ),
    ("bare text", "甲<p>乙</p>丙", "<p>甲</p><p>乙</p><p>丙</p>"),
    ("block in heading", "<h3><div>甲</div><p>乙</p></h3>", "<h3>甲</h3><h3>乙</h3>"),
    ("definition list", "<dl><dt>词</dt><dd>义</dd></dl>", "<p><strong>词</strong></p><p>义</p>"),
    ("stray end tags", "<p>甲</p>\n</p><p>乙</p></div>", "<p>甲</p><p>乙</p>"),
    (
        "empty blocks",
        "<p></p><p>&nbsp;</p><h2><b> </b></h2><ul><li></li></ul><blockquote><p>\u200b</p></blockquote><p>甲</p>",
        "<p>甲</p>",
    ),
    ("rule", "<p>甲<hr>乙", "<p>甲</p><hr><p>乙</p>"),
    ("old ad element with prose", "<ins>甲</ins>", "<p>甲</p>"),
    ("prose in .tags", '<div class="info"><div class="tags">这是正文。</div></div>', "<p>这是正文。</p>"),
    # dropped with contents
    *(
        (f"dropped {name}", f"<p>甲</p>{html}<p>乙</p>", "<p>甲</p><p>乙</p>")
        for name, html in {
            "script": "<script>alert('<p>x</p>')</script>",
            "style": "<style>p{}</style>",
            "header": "<header>人气 12</header>",
            "aside": "<aside>广告</aside>",
            "template": "<template><p>x</p></template>",
            "noscript": "<noscript>&lt;a&gt;x</noscript>",
            "form": "<form>x<input><select><option>x</select><textarea>x</textarea></form>",
            "button": "<button>x</button>",
            "svg": "<svg><text>x</text></svg>",
            "math": "<math><mi>x</mi></math>",
            "canvas": "<canvas>x</canvas>",
            "object": '<object data="x.swf">x</object>',
            "embed": '<embed src="x.swf">',
            "comment": "<!-- x -->",
            "instruction": "<?pi x?>",
            "ad": '<ins class="adsbygoogle">x</ins>',
            "below_article_ad": '<div id="below_article_ad">x</div>',
            "recommend_post": '<div id="recommend_post">x</div>',
            "single_ad": '<div class="a single_ad">x</div>',
            "post_related": '<div class="post_related">x</div>',
            "related-posts": '<div class="related-posts">x</div>',
            "print_link": '<div class="print_link">x</div>',
            "mceTemp": '<div class="mceTemp">x</div>',
            "dable": '<div class="dable_placeholder">x</div>',
            "query id": '<div data-google-query-id="1">x</div>',
            "twitter-widget": "<twitter-widget>x</twitter-widget>",
            "gtx-anchor": '<div id="gtx-anchor">x</div>',
            "gtx-bubble": '<div class="gtx-bubble">x</div>',
            "jfk-bubble": '<div class="jfk-bubble">x</div>',
            "fb-root": '<div id="fb-root">x</div>',
            "gpt": '<div id="div-gpt-ad-123">x</div>',
            "advertising frame": '<iframe src="https://ads.example.com/x"></iframe>',
            "empty frame": '<iframe src="about:blank"></iframe>',
            "pixel frame": '<iframe width="1" src="https://t.example.com/embed/x"></iframe>',
            "like box": '<iframe src="https://www.facebook.com/plugins/like.php?href=x"></iframe>',
            "related heading": '<h3>相关文章：</h3><ul><li><a href="/a.htm">另文</a></li></ul>',
            "related paragraphs": (
                '<p><b>推荐阅读</b></p><p><a href="/a.htm">另文</a></p><p><a href="/b.htm">又一文</a></p>'
            ),
            "two related headings": (
                '<h3>相關新聞</h3><ul><li><a href="/a.htm">另文</a></li></ul><h3>相关视频</h3><ul><li>'
                '<a href="/b.htm">文</a></li></ul>'
            ),
        }.items()
    ),
    ("related heading over prose", "<h3>相关新闻</h3><p>记者还了解到。</p>", "<h3>相关新闻</h3><p>记者还了解到。</p>"),
    (
        "related heading over a list with prose",
        '<h3>相关新闻</h3><ul><li>甲<a href="https://a.tw/">乙</a></li></ul>',
        '<h3>相关新闻</h3><ul><li>甲<a href="https://a.tw/">乙</a></li></ul>',
    ),
    (
        "related heading over a quote",
        "<h3>相关新闻</h3><blockquote>甲</blockquote>",
        "<h3>相关新闻</h3><blockquote><p>甲</p></blockquote>",
    ),
    # boxes
    ("quote", "<blockquote>甲<p>乙</p></blockquote>", "<blockquote><p>甲</p><p>乙</p></blockquote>"),
    ("list", "<ul><li>甲<li><p>乙</p></ul>", "<ul><li>甲</li><li>乙</li></ul>"),
    ("item of two paragraphs", "<ol><li>甲<p>乙</p></li></ol>", "<ol><li><p>甲</p><p>乙</p></li></ol>"),
    ("list in an item", "<ul><li>甲<ul><li>乙</li></ul></li></ul>", "<ul><li>甲<ul><li>乙</li></ul></li></ul>"),
    ("list in a list", "<ul><li>甲</li><ul><li>乙</li></ul></ul>", "<ul><li>甲<ul><li>乙</li></ul></li></ul>"),
    (
        "list before text in an item",
        "<ul><li><ul><li>乙</li></ul>甲</li></ul>",
        "<ul><li><ul><li>乙</li></ul><p>甲</p></li></ul>",
    ),
    ("text loose in a list", "<ul>甲<li>乙</li></ul>", "<ul><li>甲</li><li>乙</li></ul>"),
    ("items without a list", "甲<li>乙<li>丙</li>丁", "<p>甲</p><ul><li>乙</li><li>丙</li></ul><p>丁</p>"),
    (
        "table",
        (
            "<table border=1><thead><tr><th>年<th>数</thead><tr><td colspan=2 rowspan=0>甲</td>"
            "</tr><tfoot><tr><td>和<td>三</tfoot></table>"
        ),
        (
            '<table><thead><tr><th>年</th><th>数</th></tr></thead><tbody><tr><td colspan="2">甲</td></tr></tbody>'
            "<tbody><tr><td>和</td><td>三</td></tr></tbody></table>"
        ),
    ),
    (
        "odd spans",
        '<table><tr><td colspan="1" rowspan="x">甲<td rowspan="+3">乙<td colspan=999>丙</table>',
        "<table><tbody><tr><td>甲</td><td>乙</td><td>丙</td></tr></tbody></table>",
    ),
    (
        "empty cell",
        "<table><tr><td>甲<td></tr><tr><td><td></tr></table>",
        "<table><tbody><tr><td>甲</td><td></td></tr></tbody></table>",
    ),
    (
        "empty row under a tall cell",
        "<table><tr><td rowspan=2>甲<td>乙</tr><tr><td></tr><tr><td>丙<td>丁</table>",
        (
            '<table><tbody><tr><td rowspan="2">甲</td><td>乙</td></tr><tr><td></td></tr><tr>'
            "<td>丙</td><td>丁</td></tr></tbody></table>"
        ),
    ),
    ("empty table", "<table><tr><td rowspan=2></td><td></td></tr></table>", ""),
    ("table of one cell", "<table><tr><td><p>甲</p><p>乙</p></td></tr></table>", "<p>甲</p><p>乙</p>"),
    (
        "table caption",
        "<table><caption>题</caption><tr><td>甲<td>乙</table>",
        "<table><tbody><tr><td>甲</td><td>乙</td></tr></tbody></table><p>题</p>",
    ),
    ("pre", "<pre>\n\n  甲\r\n\n<b>乙</b> 丙<br>丁 \n</pre>", "<pre>  甲\n\n<strong>乙</strong> 丙\n丁</pre>"),
    ("blank pre", "<pre> \n </pre>", ""),
    ("xmp", "<xmp><b>x</b></xmp>", "<pre>&lt;b&gt;x&lt;/b&gt;</pre>"),
    # text
    ("spaces collapse", "<p>  a \t b  </p>", "<p>a b</p>"),
    ("line end between Han", "<p>甲\n  乙</p>", "<p>甲乙</p>"),
    ("line end by punctuation", "<p>COVID-19\n，乙</p>", "<p>COVID-19，乙</p>"),
    ("line end between Latin", "<p>New\r\nYork</p>", "<p>New York</p>"),
    (
        "line end across elements",
        "<p>甲\n<a href='/t'>乙</a>\n丙</p>",
        '<p>甲<a href="https://www.epochtimes.com/t">乙</a>丙</p>',
    ),
    ("space at a link", "<p>甲 <a href='/t'>乙</a> 丙</p>", '<p>甲<a href="https://www.epochtimes.com/t">乙</a>丙</p>'),
    ("space at a link that goes", "<p>甲 <a name=x>乙</a> 丙</p>", "<p>甲乙丙</p>"),
    ("space between Han", "<p>甲 乙<b> 丙</b></p>", "<p>甲 乙 <strong>丙</strong></p>"),
    (
        "space at a link in Latin",
        "<p>a <a href='/t'> b </a>c</p>",
        '<p>a <a href="https://www.epochtimes.com/t">b</a> c</p>',
    ),
    ("indent", "<p>　　甲　乙&nbsp;</p>", "<p>甲　乙</p>"),
    ("nbsp inside", "<p>a&nbsp;b</p>", "<p>a\xa0b</p>"),
    ("line break", "<p><br>甲 <br/> 乙<br></p>", "<p>甲<br>乙</p>"),
    ("line break in a format", "<p><b>甲<br>乙</b><br>丙</p>", "<p><strong>甲<br>乙</strong><br>丙</p>"),
    ("two line breaks", "<p>甲<br>&nbsp;<br>　乙<br><br><br>丙</p>", "<p>甲</p><p>乙</p><p>丙</p>"),
    ("two line breaks in a heading", "<h2>甲<br><br>乙</h2>", "<h2>甲<br>乙</h2>"),
    ("two line breaks in a bold heading", "<h2><b>甲<br><br>乙</b></h2>", "<h2><strong>甲<br>乙</strong></h2>"),
    ("control characters", "<p>甲\x01\x7f\u202e乙&#x85;丙</p>", "<p>甲乙…丙</p>"),
    ("entities", "<p>&lt;b&gt; &amp;amp; &quot;甲&quot; &copy;</p>", '<p>&lt;b&gt; &amp;amp; "甲" ©</p>'),
]


@pytest.mark.parametrize(("html", "expected"), [pytest.param(*case[1:], id=case[0]) for case in CASES])
def test_vocabulary(html: str, expected: str) -> None:
    assert body(html).html == expected
    assert sanitise(html, BASE) == expected
    check(expected)


ADDRESSES = [
    ("absolute", "https://example.org/a?b=1&c=2#d", "https://example.org/a?b=1&amp;c=2#d"),
    ("relative", "../2/n1.htm", "https://www.epochtimes.com/gb/20/10/2/n1.htm"),
    ("without scheme", "//example.org/a", "https://example.org/a"),
    ("host only", "HTTP://Example.ORG", "http://example.org/"),
    ("port", "http://example.org:8080/a", "http://example.org:8080/a"),
    ("host in Han", "https://例子.tw/", "https://xn--fsqu00a.tw/"),
    ("junk around", " \n“https://example.org/a.htm”;。 ", "https://example.org/a.htm"),
    ("encoded junk around", "%22https://example.org/a%E2%80%9D;", "https://example.org/a"),
    ("raw Han", "https://example.org/习.htm", "https://example.org/%E4%B9%A0.htm"),
    ("lower-case escapes", "https://example.org/%e4%b9%a0.htm", "https://example.org/%E4%B9%A0.htm"),
    ("percent sign", "https://example.org/100%", "https://example.org/100%25"),
    ("tracking", "https://example.org/a?utm_source=x&id=1&fbclid=y&gclid=z", "https://example.org/a?id=1"),
    ("nothing but tracking", "https://example.org/a?utm_source=x", "https://example.org/a"),
    (
        "hostile characters",
        "https://example.org/a b\"'<>\\`{}|^\x01c",
        "https://example.org/a%20b%22%27%3C%3E%5C%60%7B%7D%7C%5E%01c",
    ),
    ("javascript", "javascript:alert(1)", None),
    ("javascript in disguise", " java\tscript&colon;alert(1)", None),
    ("data", "data:text/html,x", None),
    ("mailto", "mailto:a@example.org", None),
    ("fragment", "#_edn1", None),
    ("fragment of this page", f"{BASE}#_edn1", None),
    ("user information", "https://www.epochtimes.com@example.org/", None),
    ("backslash host", "https://example.org\\@example.com/", None),
    ("no host", "https:///a", None),
    ("broken host", "http://[::1/", None),
    ("impossible host", "http://a..b/", None),
    ("impossible port", "http://example.org:x/", None),
    ("endless", "https://example.org/" + "a" * 5000, None),
    ("endless once encoded", "https://example.org/" + "习" * 600, None),
    ("advertising", "https://ad.doubleclick.net/x", None),
    ("empty", "", None),
]


@pytest.mark.parametrize(("href", "expected"), [pytest.param(*case[1:], id=case[0]) for case in ADDRESSES])
def test_addresses_of_links(href: str, expected: str | None) -> None:
    escaped = href.replace('"', "&quot;")
    found = body(f'<p>看<a href="{escaped}" title="x">这里</a></p>')
    assert found.html == ("<p>看这里</p>" if expected is None else f'<p>看<a href="{expected}">这里</a></p>')
    assert found.removed == Counter(["unwrapped/a"] if expected is None else ["attribute/title"])
    check(found.html)


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        pytest.param(
            '<a href="/1"><p>甲</p><p>乙</p></a>',
            '<p><a href="@/1">甲</a></p><p><a href="@/1">乙</a></p>',
            id="around blocks",
        ),
        pytest.param(
            '<p><a href="/1">甲<a href="/2">乙</p>',
            '<p><a href="@/1">甲</a><a href="@/2">乙</a></p>',
            id="never closed",
        ),
        pytest.param(
            '<a href="/1">甲<table><tr><td><a href="/2">乙</a><td>丙</table></a>',
            (
                '<p><a href="@/1">甲</a></p><table><tbody><tr><td><a href="@/2">乙</a></td><td>'
                '<a href="@/1">丙</a></td></tr></tbody></table>'
            ),
            id="link in link by way of a table",
        ),
        pytest.param('<p>甲<a href="/1"></a>乙</p>', "<p>甲乙</p>", id="empty"),
        pytest.param('<p><a href="/1"></a></p>', "", id="empty and alone"),
        pytest.param(f'<p>甲<a href="{VIDEO}"></a></p>', "<p>甲</p>", id="empty to a video, not alone"),
        pytest.param(
            '<p>注<a href="#_edn1" name="_ednref1"><sup>[1]</sup></a></p>', "<p>注<sup>[1]</sup></p>", id="footnote"
        ),
    ],
)
def test_links(html: str, expected: str) -> None:
    found = body(html).html
    assert found == expected.replace("@", "https://www.epochtimes.com")
    check(found)


LAZY = "https://www.epochtimes.com/assets/themes/djy/images/blank.gif"
IMAGES = [
    ("plain", f'<img src="{PICTURE}">', FIGURE),
    ("in a paragraph", f'<p>甲<img src="{PICTURE}">乙</p>', f"<p>甲</p>{FIGURE}<p>乙</p>"),
    ("in a heading", f'<h2><img src="{PICTURE}">甲</h2>', f"{FIGURE}<h2>甲</h2>"),
    ("in an item", f'<ul><li><img src="{PICTURE}"></li></ul>', f"<ul><li>{FIGURE}</li></ul>"),
    (
        "alternative text",
        f'<img alt=\' 甲 "乙"\n&lt;丙\x02\' src="{PICTURE}">',
        f'<figure><img src="{PICTURE}" alt="甲 &quot;乙&quot; &lt;丙"></figure>',
    ),
    ("data-src", f'<img src="{LAZY}" data-src="{PICTURE}">', FIGURE),
    ("data-original", f'<img src="data:image/gif;base64,x" data-original="{PICTURE}">', FIGURE),
    ("data-lazy-src", f'<img src="x/1x1.gif" data-lazy-src="{PICTURE}">', FIGURE),
    ("largest of srcset", f'<img src="/small.jpg" srcset="/b.jpg 300w, {PICTURE} 1024w, /c.jpg">', FIGURE),
    ("useless data-src", f'<img src="{PICTURE}" data-src="data:,">', FIGURE),
    ("placeholder", f'<img src="{LAZY}">', ""),
    ("pixel", '<img width=1 height=1 src="https://t.example.org/p">', ""),
    ("advertising", '<img src="https://ads.ntdtv.com/banner.jpg">', ""),
    ("javascript", '<img src="javascript:alert(1)">', ""),
    ("noscript twin", f'<img data-src="{PICTURE}" src="{LAZY}"><noscript><img src="{PICTURE}"></noscript>', FIGURE),
    (
        "only in noscript",
        f'<p><a href="{PICTURE}"><img class=lazy src="{LAZY}"></a> <noscript><img src="{PICTURE}"></noscript></p>',
        FIGURE,
    ),
    ("noscript without lazy image", f'<p>甲</p><noscript><img src="{PICTURE}"></noscript>', "<p>甲</p>"),
    ("noscript after other text", f'<img src="{LAZY}">甲<noscript><img src="{PICTURE}"></noscript>', "<p>甲</p>"),
    (
        "noscript that helps nothing",
        f'<img src="{LAZY}"><noscript><img src="{LAZY}"></noscript><noscript>x</noscript>',
        "",
    ),
    ("linked to itself", f'<a href="https://i.epochtimes.com/full.JPG?x"><img src="{PICTURE}"></a>', FIGURE),
    (
        "linked elsewhere",
        f'<a href="https://a.tw/"><img src="{PICTURE}"></a>',
        f'<figure><a href="https://a.tw/"><img src="{PICTURE}" alt=""></a></figure>',
    ),
    (
        "caption",
        (
            f'<figure class="wp-caption" style="width:600px"><a href="{PICTURE}">'
            f'<img src="{PICTURE}"></a><figcaption>说明（甲/乙）</figcaption></figure>'
        ),
        f'<figure><img src="{PICTURE}" alt=""><figcaption>说明（甲/乙）</figcaption></figure>',
    ),
    ("empty caption", f'<figure><img src="{PICTURE}"><figcaption> </figcaption></figure>', FIGURE),
    (
        "caption first",
        f'<figure><figcaption>说明</figcaption><img src="{PICTURE}"></figure>',
        f'<figure><img src="{PICTURE}" alt=""><figcaption>说明</figcaption></figure>',
    ),
    (
        "caption of two paragraphs",
        (
            f'<figure><img src="{PICTURE}"><figcaption><p>甲</p><p class="caption">乙</p><ul>'
            "<li>丙</ul></figcaption></figure>"
        ),
        f'<figure><img src="{PICTURE}" alt=""><figcaption>甲<br>乙<br>丙</figcaption></figure>',
    ),
    (
        "format across paragraphs of a caption",
        f'<figure><img src="{PICTURE}"><figcaption><b><p>甲</p><p>乙</p></b></figcaption></figure>',
        f'<figure><img src="{PICTURE}" alt=""><figcaption><strong>甲<br>乙</strong></figcaption></figure>',
    ),
    (
        "picture in a caption",
        f'<figure><figcaption>说明<img src="{PICTURE}"></figcaption></figure>',
        f'<figure><img src="{PICTURE}" alt=""><figcaption>说明</figcaption></figure>',
    ),
    (
        "old caption",
        f'<div class="wp-caption"><img src="{PICTURE}"><p class="wp-caption-text">说明</p></div>',
        f'<figure><img src="{PICTURE}" alt=""><figcaption>说明</figcaption></figure>',
    ),
    (
        "caption outside",
        f'<img src="{PICTURE}"><br><span class="caption">说明</span>',
        f'<figure><img src="{PICTURE}" alt=""><figcaption>说明</figcaption></figure>',
    ),
    ("class of a caption without picture", '<p class="caption">甲</p>', "<p>甲</p>"),
    ("stray caption", "<figcaption>甲</figcaption>", "<p>甲</p>"),
    ("caption without picture", "<figure><figcaption>甲</figcaption></figure>", "<p>甲</p>"),
    (
        "two captions",
        (
            f'<figure><img src="{PICTURE}"><figcaption>甲</figcaption><figcaption>乙</figcaption>'
            "<figcaption>丙</figcaption></figure>"
        ),
        f'<figure><img src="{PICTURE}" alt=""><figcaption>甲</figcaption></figure><p>丙</p><p>乙</p>',
    ),
    (
        "gallery",
        f'<figure><img src="{PICTURE}"><img src="/b.jpg"></figure>',
        FIGURE + FIGURE.replace(PICTURE, "https://www.epochtimes.com/b.jpg"),
    ),
    (
        "gallery with one caption",
        f'<figure><img src="{PICTURE}"><img src="/b.jpg"><figcaption>说明</figcaption></figure>',
        (
            f'<figure><img src="{PICTURE}" alt="">'
            '<img src="https://www.epochtimes.com/b.jpg" alt=""><figcaption>说明</figcaption>'
            "</figure>"
        ),
    ),
    (
        "figure never closed",
        f'<figure><img src="{PICTURE}"><p>正文</p><blockquote><img src="{PICTURE}"></blockquote>',
        f"{FIGURE}<p>正文</p><blockquote>{FIGURE}</blockquote>",
    ),
    (
        "figure of a table",
        "<figure><table><tr><td>甲<td>乙</table><figcaption>表</figcaption></figure>",
        "<table><tbody><tr><td>甲</td><td>乙</td></tr></tbody></table><p>表</p>",
    ),
    (
        "swallowed text",
        f'<p><img src="{PICTURE}" alt="" 责任编辑：甲乙 width=3 他=1 丙</p>\n<p>后文</p>',
        f"{FIGURE}<p>责任编辑：甲乙 他=1 丙</p><p>后文</p>",
    ),
]


@pytest.mark.parametrize(("html", "expected"), [pytest.param(*case[1:], id=case[0]) for case in IMAGES])
def test_images(html: str, expected: str) -> None:
    found = body(html)
    assert found.html == expected
    assert [image.url for image in found.images] == re.findall(r'<img src="([^"]*)"', expected)
    check(found.html)


def test_images_are_listed_in_order_with_caption_and_alternative_text() -> None:
    found = body(
        f'<img src="{PICTURE}" alt="甲"><figure><img src="/b.jpg"><img src="/c.jpg">'
        "<figcaption>一<br><b>二</b></figcaption></figure>"
    )
    site = "https://www.epochtimes.com"
    assert found.images == [
        Image(url=PICTURE, alt="甲"),
        Image(url=f"{site}/b.jpg", caption="一\n二"),
        Image(url=f"{site}/c.jpg", caption="一\n二"),
    ]


def test_image_address_is_for_lead_pictures_too() -> None:
    node = LexborHTMLParser(f'<img src="{LAZY}" data-src="/a.jpg">').css_first("img")
    assert node is not None
    assert image_address(node, BASE) == "https://www.epochtimes.com/a.jpg"


PLAYER = "https://vs.youmaker.com/assets/player/0a1b2c3d-1111-2222-3333-444455556666"
TWEET = "https://twitter.com/someone/status/1234567890"
EMBEDS = [
    (
        "youtube",
        '<div class="video_fit_container"><iframe src="//www.youtube.com/embed/abcdefghijk?rel=0"></iframe></div>',
        VIDEO_LINK,
        [("youtube", VIDEO)],
    ),
    (
        "lazy frame",
        '<iframe data-src="https://www.youtube-nocookie.com/embed/abcdefghijk" src="about:blank"></iframe>',
        VIDEO_LINK,
        [("youtube", VIDEO)],
    ),
    (
        "the same twice",
        '<iframe src="https://youtu.be/abcdefghijk"></iframe><p>甲</p><iframe src="https://youtu.be/abcdefghijk"></iframe>',
        f"{VIDEO_LINK}<p>甲</p>",
        [("youtube", VIDEO)],
    ),
    (
        "inside a paragraph",
        '<p>甲<iframe src="https://youtu.be/abcdefghijk"></iframe>乙</p>',
        f"<p>甲</p>{VIDEO_LINK}<p>乙</p>",
        [("youtube", VIDEO)],
    ),
    (
        "in an item",
        '<ul><li><iframe src="https://youtu.be/abcdefghijk"></iframe></ul>',
        f"<ul><li>{VIDEO_LINK}</li></ul>",
        [("youtube", VIDEO)],
    ),
    (
        "loose in a list",
        '<ul><iframe src="https://youtu.be/abcdefghijk"></iframe></ul>',
        f"<ul><li>{VIDEO_LINK}</li></ul>",
        [("youtube", VIDEO)],
    ),
    (
        "text and embed in an item",
        '<ul><li>甲<iframe src="https://youtu.be/abcdefghijk"></iframe></ul>',
        f"<ul><li><p>甲</p>{VIDEO_LINK}</li></ul>",
        [("youtube", VIDEO)],
    ),
    (
        "flash player",
        '<object><param name=movie value="http://www.youtube.com/v/abcdefghijk&hl=en"><embed src="x"></object>',
        VIDEO_LINK,
        [("youtube", VIDEO)],
    ),
    ("kept as it is", VIDEO_LINK, VIDEO_LINK, [("youtube", VIDEO)]),
    ("ordinary link", f'<p><a href="{VIDEO}">看</a></p>', f'<p><a href="{VIDEO}">看</a></p>', []),
    (
        "script player",
        (
            '<div class="epoch_player">'
            '<div class="player-container" data-id="player-0a1b2c3d-1111-2222-3333-444455556666">'
            f'</div><script src="{PLAYER}?r=16x9&amp;s=1"></script></div>'
        ),
        f'<p><a href="{PLAYER}"></a></p>',
        [("youmaker", PLAYER)],
    ),
    ("player without id", '<div class="player-container">甲</div>', "<p>甲</p>", []),
    (
        "documents",
        '<div class="DC-embed" id="DV-viewer-7213-某文件"></div><noscript>&amp;lt;a href=…&amp;gt;</noscript>',
        '<p><a href="https://www.documentcloud.org/documents/7213"></a></p>',
        [("documentcloud", "https://www.documentcloud.org/documents/7213")],
    ),
    (
        "infographic",
        '<div class="infogram-embed" data-id="6b7c8d9e-aa"></div>',
        '<p><a href="https://infogram.com/6b7c8d9e-aa"></a></p>',
        [("infogram", "https://infogram.com/6b7c8d9e-aa")],
    ),
    (
        "tweet",
        (
            '<blockquote class="twitter-tweet">'
            '<p lang="zh">推文<a href="https://t.co/x">t.co/x</a>'
            f'</p>— 某人 <a href="{TWEET}?ref_src=twsrc%5Etfw">10月1日</a></blockquote>'
            '<script async src="https://platform.twitter.com/widgets.js"></script>'
        ),
        (
            '<blockquote><p>推文<a href="https://t.co/x">t.co/x</a></p>'
            f'<p>— 某人 <a href="{TWEET}">10月1日</a></p></blockquote>'
        ),
        [("tweet", TWEET)],
    ),
    (
        "tweet without link",
        '<blockquote class="twitter-tweet">推文</blockquote>',
        "<blockquote><p>推文</p></blockquote>",
        [],
    ),
    (
        "instagram",
        '<blockquote class="instagram-media" data-instgrm-permalink="https://www.instagram.com/p/AbCd12/?utm_source=x">看图</blockquote>',
        '<blockquote><p>看图</p></blockquote><p><a href="https://www.instagram.com/p/AbCd12/"></a></p>',
        [("instagram", "https://www.instagram.com/p/AbCd12/")],
    ),
    (
        "facebook post",
        (
            '<div class="fb-post" data-href="https://www.facebook.com/a.b/posts/12">'
            '<blockquote class="fb-xfbml-parse-ignore">文</blockquote></div>'
        ),
        '<blockquote><p>文</p></blockquote><p><a href="https://www.facebook.com/a.b/posts/12"></a></p>',
        [("facebook", "https://www.facebook.com/a.b/posts/12")],
    ),
    (
        "facebook frame",
        '<iframe src="https://www.facebook.com/plugins/video.php?href=https%3A%2F%2Fwww.facebook.com%2Fa%2Fvideos%2F12%2F&amp;width=5"></iframe>',
        '<p><a href="https://www.facebook.com/a/videos/12/"></a></p>',
        [("facebook", "https://www.facebook.com/a/videos/12/")],
    ),
    (
        "video",
        '<video width=1><source src="/v.mp4"><a href="/v.mp4">v</a></video>',
        '<p><a href="https://www.epochtimes.com/v.mp4"></a></p>',
        [("video", "https://www.epochtimes.com/v.mp4")],
    ),
    (
        "audio",
        '<audio src="https://media5.ntdtv.com/HourlyNews//a.mp3"></audio>',
        '<p><a href="https://media5.ntdtv.com/HourlyNews//a.mp3"></a></p>',
        [("audio", "https://media5.ntdtv.com/HourlyNews//a.mp3")],
    ),
    (
        "video of an untelling address",
        '<video src="https://a.tw/stream?id=1&b=2"></video>',
        '<p><a href="https://a.tw/stream?id=1&amp;b=2">https://a.tw/stream?id=1&amp;b=2</a></p>',
        [("video", "https://a.tw/stream?id=1&b=2")],
    ),
    ("video without address", "<video>x</video>", "", []),
    (
        "other player",
        '<iframe src="https://player.example.org/1"></iframe>',
        '<p><a href="https://player.example.org/1"></a></p>',
        [("frame", "https://player.example.org/1")],
    ),
    (
        "other frame",
        '<iframe src="https://maps.example.org/1"></iframe>',
        '<p><a href="https://maps.example.org/1">https://maps.example.org/1</a></p>',
        [("frame", "https://maps.example.org/1")],
    ),
]


@pytest.mark.parametrize(("html", "expected", "embeds"), [pytest.param(*case[1:], id=case[0]) for case in EMBEDS])
def test_embeds(html: str, expected: str, embeds: list[tuple[str, str]]) -> None:
    found = body(html)
    assert found.html == expected
    assert found.embeds == [Embed(kind=kind, url=url) for kind, url in embeds]
    check(found.html)


@pytest.mark.parametrize(
    ("url", "kind", "canonical"),
    [
        ("https://m.youtube.com/watch?list=x&v=abcdefghijk&t=1", "youtube", VIDEO),
        ("https://www.youtube.com/shorts/abcdefghijk", "youtube", VIDEO),
        (
            "https://www.youtube.com/embed/videoseries?list=PL12345678",
            "youtube",
            "https://www.youtube.com/playlist?list=PL12345678",
        ),
        (
            "https://www.youtube.com/embed/live_stream?channel=x",
            "frame",
            "https://www.youtube.com/embed/live_stream?channel=x",
        ),
        ("https://www.youmaker.com/video/0a1b2c3d-11", "youmaker", "https://www.youmaker.com/video/0a1b2c3d-11"),
        (
            "https://www.ganjingworld.com/zh-CN/embed/1abcd?x=1",
            "ganjingworld",
            "https://www.ganjingworld.com/video/1abcd",
        ),
        ("https://www.ganjingworld.com/live/1abcd", "ganjingworld", "https://www.ganjingworld.com/live/1abcd"),
        ("https://x.com/someone/status/1234567890/photo/1", "tweet", TWEET),
        ("https://platform.twitter.com/embed/Tweet.html?dnt=1&id=12", "tweet", "https://twitter.com/i/status/12"),
        ("https://m.facebook.com/a.b/photos/a.1/2/?type=3", "facebook", "https://www.facebook.com/a.b/photos/a.1/2/"),
        ("https://www.facebook.com/watch/?ref=x&v=12", "facebook", "https://www.facebook.com/watch/?v=12"),
        ("https://player.vimeo.com/video/123456?h=1", "vimeo", "https://vimeo.com/123456"),
        (
            "https://www.documentcloud.org/documents/7213-某文件.html",
            "documentcloud",
            "https://www.documentcloud.org/documents/7213",
        ),
        ("https://e.infogram.com/abcdef-12?src=embed", "infogram", "https://infogram.com/abcdef-12"),
    ],
)
def test_embed_of(url: str, kind: str, canonical: str) -> None:
    assert embed_of(url) == Embed(kind=kind, url=canonical)
    assert embed_of(canonical) == embed_of(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://www.youtube.com/channel/UC123456",
        "https://example.org/a.htm",
        "javascript:1",
        "",
        "https://platform.twitter.com/widgets/follow.html",
        "https://www.facebook.com/plugins/page.php?href=x",
    ],
)
def test_embed_of_other_addresses(url: str) -> None:
    assert embed_of(url) is None


HEADINGS = [
    ("short and bold", "<p><b>小标题</b></p>", "<h2>小标题</h2>"),
    (
        "with a link in it",
        '<p><b>小<a href="https://a.tw/">标</a></b> <b>题</b></p>',
        '<h2>小<a href="https://a.tw/">标</a>题</h2>',
    ),
    ("partly bold", "<p><b>小标题</b>文</p>", "<p><strong>小标题</strong>文</p>"),
    ("45 characters", f"<p><b>{'字' * 45}</b></p>", f"<h2>{'字' * 45}</h2>"),
    ("46 characters", f"<p><b>{'字' * 46}</b></p>", f"<p><strong>{'字' * 46}</strong></p>"),
    ("ends a sentence", "<p><b>这是一句。</b></p>", "<p><strong>这是一句。</strong></p>"),
    ("dateline", "<p><b>【某台讯】</b></p>", "<p><strong>【某台讯】</strong></p>"),
    ("credit", "<p><b>（责任编辑：甲）</b></p>", "<p><strong>（责任编辑：甲）</strong></p>"),
    ("line break", "<p><b>甲<br>乙</b></p>", "<p><strong>甲<br>乙</strong></p>"),
    ("picture", f'<p><img src="{PICTURE}"><b>甲</b></p>', f"{FIGURE}<p><strong>甲</strong></p>"),
]


@pytest.mark.parametrize(("html", "expected"), [pytest.param(*case[1:], id=case[0]) for case in HEADINGS])
def test_bold_headings(html: str, expected: str) -> None:
    found = body(f"<p>前文</p>{html}<p>后文</p>", bold_headings=True).html
    assert found == f"<p>前文</p>{expected}<p>后文</p>"
    check(found)


def test_bold_headings_are_never_first_or_last_and_only_on_request() -> None:
    html = "<p><strong>首</strong></p><p><strong>中</strong></p><p><strong>末</strong></p>"
    assert body(html, bold_headings=True).html == html.replace("<p><strong>中</strong></p>", "<h2>中</h2>")
    assert body(html).html == html


def test_what_does_not_pass_is_counted() -> None:
    found = body(
        '<div><p onclick="x()" class="a">甲<span>乙</span><foo-bar>丙</foo-bar></p></div><script>x</script><!-- x -->'
        f'<p 汉字="1">丁\x01</p><{"x" * 40}>戊</{"x" * 40}><img src="{PICTURE}" width="600">'
    )
    assert found.removed == Counter(
        [
            "unwrapped/div",
            "attribute/onclick",
            "attribute/class",
            "unwrapped/span",
            "unwrapped/foo-bar",
            "removed/script",
            "removed/comment",
            "attribute/other",
            "removed/control",
            "unwrapped/other",
            "attribute/width",
        ]
    )
    assert not body(found.html).removed


def test_invented_names_do_not_flood_the_statistics() -> None:
    found = body("".join(f"<p a{n}>甲</p><b{n}>乙</b{n}>" for n in range(500)))
    assert len(found.removed) < 110
    assert found.removed.total() == 1000


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p>甲</p><p>乙<br>丙</p>", "甲\n\n乙\n丙"),
        (f"{FIGURE}<p>甲</p>{VIDEO_LINK}<p>乙</p>", "甲\n\n乙"),
        ("<figure><img src='x' alt='y'><figcaption>说明</figcaption></figure><p>甲</p>", "说明\n\n甲"),
        ("<ul><li>甲<ul><li>乙</li></ul></li><li>丙</li></ul>", "甲\n\n乙\n\n丙"),
        (
            "<p>前</p><table><thead><tr><th>年</th><th>数</th></tr></thead><tbody><tr><td></td><td>三</td></tr></tbody></table><p>后</p>",
            "前\n\n年\t数\n\t三\n\n后",
        ),
        (
            "<table><tbody><tr><td><p>甲</p><p>乙</p></td><td><p>丙</p></td><td></td><td>丁</td></tr></tbody></table>",
            "甲\n乙\t丙\t\t丁",
        ),
        ("<pre>a\n  b</pre><hr><p>&lt;甲&gt; &amp;amp;</p>", "a\n  b\n\n<甲> &amp;"),
        ("", ""),
    ],
    ids=[
        "paragraphs",
        "pictures and embeds",
        "caption",
        "lists",
        "table",
        "cells of paragraphs",
        "pre and entities",
        "nothing",
    ],
)
def test_plain_text(html: str, expected: str) -> None:
    assert plain_text(html) == expected


HOSTILE = {
    "unclosed script": "<p>甲<script>alert(1)",
    "script in attribute": '<p title="<script>alert(1)</script>">甲</p>',
    "handlers": '<img src=x onerror=alert(1)><p onmouseover="alert(1)">甲</p><body onload=alert(1)>',
    "math confusion": (
        '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">'
    ),
    "svg confusion": '<svg></p><style><a id="</style><img src=1 onerror=alert(1)>">',
    "noscript confusion": '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
    "form confusion": "<form><div></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "comment confusion": "<!--><img src=x onerror=alert(1)>--><p>甲<!--",
    "plaintext": "<p>甲<plaintext></p><script>alert(1)</script>",
    "frameset": "<frameset onload=alert(1)><frame src=javascript:alert(1)>",
    "meta and base": (
        '<base href="https://evil.example/"><meta http-equiv=refresh content="0;url=x"><p><a href="/a">甲</a></p>'
    ),
    "entities twice": "<p>&amp;lt;script&amp;gt;alert(1)&amp;lt;/script&amp;gt;</p>",
    "null characters": "<scr\x00ipt>alert(1)</scr\x00ipt><p>\x00甲&#0;</p>",
    "half a surrogate pair": "<p>甲\ud800</p>",
    "select in table": "<table><tr><td><select><option><table></table><p>甲",
    "tables in tables": "<table><tr><td>" * 60 + "甲<td>乙",
    "quotes in quotes": "<blockquote>甲" * 60,
    "lists in lists": "<ul><li>甲" * 60,
    "items in items": "<li><div>甲" * 60,
    "caption in tables": "<table><caption><table><tr><td>甲<td><figure><figcaption><table><tr><td>乙<td>丙",
}


@pytest.mark.parametrize("html", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_markup(html: str) -> None:
    found = sanitise(html, BASE)
    check(found)
    check(body(html).html)


@pytest.mark.untraced
def test_deep_nesting_keeps_the_text() -> None:
    assert sanitise("<span>" * 50_000 + "甲", BASE) == "<p>甲</p>"
    assert sanitise("<b>" * 50_000 + "甲", BASE) == "<p><strong>甲</strong></p>"
    found = body("<blockquote>" * 5_000 + "甲")
    assert found.html == "<blockquote>" * 24 + "<p>甲</p>" + "</blockquote>" * 24
    assert found.removed == {"unwrapped/blockquote": 4_976}


@pytest.mark.untraced
@pytest.mark.parametrize(
    "html",
    [
        "&nbsp;" * 200_000 + "甲",
        "<br>" * 100_000 + "甲",
        "<p>" + "甲 \n" * 200_000,
        "<a href=/x>甲</a> " * 20_000,
        "<h3>相关文章</h3>" * 20_000,
        f"<figure><img src={PICTURE}>" * 3_000,
        "<p><a href='" + "&quot;" * 100_000 + "'>甲</a>",
    ],
    ids=["blanks", "line breaks", "line ends", "links", "related headings", "open figures", "quotes around an address"],
)
def test_big_input_comes_through(html: str) -> None:
    found = sanitise(html, BASE)
    assert ("甲" in found) == ("甲" in html)
    assert sanitise(found, BASE) == found


TAGS = sorted(
    (VOCABULARY - {"p", "a"})
    | {
        "div",
        "span",
        "font",
        "b",
        "h1",
        "dl",
        "dt",
        "dd",
        "center",
        "caption",
        "noscript",
        "aside",
        "iframe",
        "video",
        "svg",
        "math",
        "style",
        "script",
        "template",
        "select",
        "xmp",
        "plaintext",
        "body",
        "ins",
        "button",
    }
)
ATTRIBUTE_SOUP = st.sampled_from(
    [
        "",
        "",
        "",
        ' class="wp-caption"',
        ' class="caption"',
        ' class="twitter-tweet"',
        ' class="player-container" data-id="12345678"',
        ' src="/a.jpg"',
        ' src="/blank.gif"',
        ' src="https://youtu.be/abcdefghijk"',
        ' href="/b"',
        f' href="{VIDEO}"',
        ' href="javascript:x"',
        ' href="https://twitter.com/a/status/1"',
        ' width="1"',
        ' rowspan="2"',
        " colspan=3",
        ' onclick="x()"',
        " 汉字",
        ' alt="甲 乙"',
    ]
)
TEXT_SOUP = st.sampled_from(
    [
        "甲",
        "乙丙",
        "a",
        "b c",
        " ",
        "\n",
        "\n  ",
        "&nbsp;",
        "　",
        "<br>",
        "<br>",
        "<br><br>",
        "<hr>",
        "相关文章",
        "&lt;",
        "&amp;",
        '"',
        "\x00",
        "\r",
        "\u200b",
        "<!-- x -->",
        "<",
        "</",
        "。",
        "【",
    ]
)
START = st.builds(
    lambda tag, attributes: f"<{tag}{attributes}>",
    st.sampled_from([*TAGS, "p", "p", "a", "a", "img", "li"]),
    ATTRIBUTE_SOUP,
)
END = st.builds(lambda tag: f"</{tag}>", st.sampled_from([*TAGS, "p", "p", "a", "a"]))
SOUP = st.lists(st.one_of(START, START, END, TEXT_SOUP, TEXT_SOUP), max_size=40).map("".join)


@pytest.mark.untraced
@settings(max_examples=400, deadline=None)
@given(SOUP)
def test_tag_soup(html: str) -> None:
    check(sanitise(html, BASE))


@pytest.mark.untraced
@settings(max_examples=200, deadline=None)
@given(SOUP)
def test_tag_soup_in_a_page(html: str) -> None:
    found = body(html, bold_headings=True)
    check(found.html)
    assert [image.url for image in found.images] == [
        node.attributes["src"] for node in elements(found.html) if node.tag == "img"
    ]
    shown = re.sub(
        r"\s+", "", "".join(node.text() or "" for node in LexborHTMLParser(f"<body>{found.html}").css("body"))
    )
    assert re.sub(r"\s+", "", plain_text(found.html)) == shown


@pytest.mark.untraced
@settings(max_examples=300, deadline=None)
@given(st.text())
def test_any_text(text: str) -> None:
    check(sanitise(text, BASE))
    check(sanitise(f"<p>{text}", BASE))


ADDRESS_SOUP = st.lists(
    st.sampled_from(
        [
            "https://",
            "http:",
            "//",
            "/",
            "a.tw",
            "www.youtube.com/embed/",
            "abcdefgh",
            "?",
            "&",
            "=",
            "#",
            "%",
            "%e4",
            "%22",
            ";",
            "。",
            "习",
            "”",
            " ",
            "@",
            ":",
            "80",
            "\\",
            "..",
            "utm_source=1",
            "v=",
            "facebook.com/plugins/video.php?href=",
            ".mp4",
            "player",
            "\t",
        ]
    ),
    max_size=12,
).map("".join)


@pytest.mark.untraced
@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        ADDRESS_SOUP,
        ADDRESS_SOUP.map(lambda soup: f"https://a.tw/{soup}"),
        st.text().map(lambda text: f"https://a.tw/{text}"),
    )
)
def test_any_address(address: str) -> None:
    escaped = address.replace("&", "&amp;").replace('"', "&quot;")
    check(sanitise(f'<p><a href="{escaped}">甲</a></p><iframe src="{escaped}"></iframe><img src="{escaped}">', BASE))
    if embed := embed_of(address):
        assert embed_of(embed.url) == embed
