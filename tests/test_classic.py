"""The classic look of a body: one tag or text a line; test_seeds.py compares whole pages."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from mirror_crawler.body import Choices
from mirror_crawler.classic import body_html
from mirror_crawler.labels import labels_of

HELD = {"https://www.epochtimes.com/gb/21/1/2/n7.htm": "../../02/n7.md"}
VIDEO = "https://www.youtube.com/watch?v=abc_DEF-123"
PICTURE = "https://i.epochtimes.com/a.jpg?b=1&amp;c=2"
FIGURE = f'<figure><img src="{PICTURE}" alt="河"><figcaption>江城</figcaption></figure>'

NEUTRAL = Choices(labels=labels_of("zh-Hans"), resolve=HELD.get)
KEEP = Choices(labels=labels_of("zh-Hans"), resolve=HELD.get, picture=lambda address: address, links="keep")

CASES = [
    pytest.param(
        "<p>甲<strong>乙</strong><br>丙</p>",
        [" <p>", "  甲", "  <strong>", "   乙", "  </strong>", "  <br/>", "  丙", " </p>"],
        id="inline",
    ),
    pytest.param(
        "<h2>甲</h2><h3>乙</h3><h4>丙</h4><hr>",
        [" <h4>", "  甲", " </h4>", " <h4>", "  乙", " </h4>", " <h4>", "  丙", " </h4>", " <hr/>"],
        id="headings",
    ),
    pytest.param(
        '<p><a href="https://www.epochtimes.com/gb/21/1/2/n7.htm">甲</a></p>',
        [" <p>", '  <a href="../../02/n7.md">', "   甲", "  </a>", " </p>"],
        id="link-in-the-mirror",
    ),
    pytest.param(
        '<p><a href="https://example.com/?a=1&amp;b=2">甲</a></p>',
        [" <p>", '  <ok href="https://example.com/?a=1&amp;b=2">', "   甲", "  </ok>", " </p>"],
        id="link-elsewhere",
    ),
    pytest.param(
        f'<p><a href="{VIDEO}"></a></p>',
        [" <p>", f'  <ok href="{VIDEO}">', f"   ▶ YouTube 视频：{VIDEO}", "  </ok>", " </p>"],
        id="embed",
    ),
    pytest.param(
        '<p>a &amp; b &lt;i&gt; "c"\n\n d</p>', [" <p>", "  a &amp; b &lt;i&gt; &quot;c&quot; d", " </p>"], id="escaped"
    ),
    pytest.param("<p> </p><p>甲</p>", [" <p>", " </p>", " <p>", "  甲", " </p>"], id="blank-text"),
    pytest.param("<pre>甲\n\n  乙</pre>", [" <pre>", "  甲&#10;&#10;  乙", " </pre>"], id="no-empty-line"),
    pytest.param(
        FIGURE, [" <figure>", "  〔图〕", "  <figcaption>", "   江城", "  </figcaption>", " </figure>"], id="figure"
    ),
    pytest.param(
        f'<figure><img src="{PICTURE}" alt="河&lt;"></figure>',
        [" <figure>", "  〔图〕河&lt;", " </figure>"],
        id="figure-without-caption",
    ),
    pytest.param(
        '<table><tbody><tr><td rowspan="2">甲</td></tr></tbody></table>',
        [
            " <table>",
            "  <tbody>",
            "   <tr>",
            '    <td rowspan="2">',
            "     甲",
            "    </td>",
            "   </tr>",
            "  </tbody>",
            " </table>",
        ],
        id="table",
    ),
]


@pytest.mark.parametrize(("body", "lines"), CASES)
def test_each_tag_and_text_has_its_line(body: str, lines: list[str]) -> None:
    assert body_html(body, NEUTRAL).split("\n") == lines


def test_what_the_operator_keeps_is_live() -> None:
    body = f'{FIGURE}<p><a href="https://example.com/">甲</a><a href="{VIDEO}"></a></p>'
    assert [line.strip() for line in body_html(body, KEEP).split("\n")] == [
        "<figure>",
        f'<img alt="河" src="{PICTURE}"/>',
        "<figcaption>",
        "江城",
        "</figcaption>",
        "</figure>",
        "<p>",
        '<a href="https://example.com/">',
        "甲",
        "</a>",
        f'<a href="{VIDEO}">',
        "▶ YouTube 视频",
        "</a>",
        "</p>",
    ]


def test_depth_is_where_the_page_wants_the_body() -> None:
    assert body_html("<p>甲</p>", NEUTRAL, depth=0) == "<p>\n 甲\n</p>"


def test_deep_nesting_loses_no_text() -> None:
    assert body_html("<blockquote>" * 2000 + "底", NEUTRAL).count("底") == 1


@pytest.mark.untraced
@settings(deadline=None)
@given(st.text(st.sampled_from("中。 \n\t<>&'\"`*_ab"), max_size=12))
def test_text_survives_and_no_line_is_empty(text: str) -> None:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;")
    page = body_html(f"<p>始{escaped}</p><pre>始{escaped}</pre>", NEUTRAL)
    assert all(line.strip() for line in page.split("\n"))
    shown = LexborHTMLParser(page).body
    assert shown is not None
    assert "".join(shown.text(deep=True).split()) == "".join(f"始{text}始{text}".split())


@pytest.mark.parametrize(
    ("held", "lines"),
    [
        ("b", ["<figure>", '<img alt="b" src="../b.webp"/>', "<figcaption>", "江城", "</figcaption>", "</figure>"]),
        ("", ["<figure>", "〔图〕", "〔图〕", "<figcaption>", "江城", "</figcaption>", "</figure>"]),
    ],
    ids=["one-of-two", "none"],
)
def test_a_figure_shows_the_pictures_that_the_mirror_has(held: str, lines: list[str]) -> None:
    figure = '<figure><img src="a" alt="a"><img src="b" alt="b"><figcaption>江城</figcaption></figure>'
    some = dataclasses.replace(NEUTRAL, picture=lambda address: "../b.webp" if address == held else None)
    assert [line.strip() for line in body_html(figure, some).split("\n")] == lines
