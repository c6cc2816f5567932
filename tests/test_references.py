"""What a page leads to and loads, however it is written."""

from __future__ import annotations

import posixpath
from pathlib import Path
from urllib.parse import unquote

import pytest

from mirror_crawler.references import host_of, references
from tests.mirror import links_of

GOLDEN = sorted((Path(__file__).parent / "golden").rglob("*.md"))


@pytest.mark.untraced
@pytest.mark.parametrize("page", GOLDEN, ids=["-".join(path.parts[-3:]) for path in GOLDEN])
def test_golden_pages_as_the_other_reader_of_the_tests_sees_them(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    found = references(text)
    seen = {posixpath.normpath(posixpath.join("a/b/c", unquote(link))) for link in found.links + found.shown}
    assert seen == {link.partition("?")[0] for link in links_of("a/b/c/page.md", text)}
    assert seen


@pytest.mark.parametrize(
    ("page", "links"),
    [
        pytest.param("[题](../a.md)", ["../a.md"], id="link"),
        pytest.param("[题](<a b.md> '名')", ["a%20b.md"], id="space and title"),
        pytest.param("[题][1]\n\n[1]: a.md", ["a.md"], id="reference"),
        pytest.param("[题](标签/图书馆.md)", ["%E6%A0%87%E7%AD%BE/%E5%9B%BE%E4%B9%A6%E9%A6%86.md"], id="script"),
        pytest.param("[题](a.md#top) [题](a.md?x=1) [题](a.md)", ["a.md"], id="fragment and query"),
        pytest.param("[题](#top) [题]()", [], id="same page"),
        pytest.param("# [题](a.md)\n\n> - [题](b.md)", ["a.md", "b.md"], id="in blocks"),
        pytest.param("| [题](a.md) |\n|---|\n| [题](b.md) |", ["a.md", "b.md"], id="table"),
        pytest.param("> - " * 11 + "[题](a.md)", ["a.md"], id="deep"),
        pytest.param("<div>\n<A\n HREF=a.md>题</A>\n<map><area href='b.md'></map></div>", ["a.md", "b.md"], id="HTML"),
        pytest.param("<a href='a.md?x&amp;y'>题</a> <a href='a&#45;b.md'>题</a>", ["a.md", "a-b.md"], id="entities"),
        pytest.param("<a href=' a\n.md '>题</a> <a href='b\\c.md'>题</a>", ["a.md", "b/c.md"], id="as browsers read"),
        pytest.param("`[题](a.md)` \\[题](b.md)\n\n    [题](c.md)", [], id="code and escapes"),
        pytest.param("<!-- [题](a.md) <a href='b.md'></a> -->", [], id="comment"),
        pytest.param("<ok href='a.md'>题</ok> <b title='[题](b.md)'>题</b>", [], id="no links"),
        pytest.param("[题](https://a.example/b.md) www.a.example [题](mailto:a@b.example)", [], id="absolute"),
        pytest.param("<a href='//a.example/b.md'>题</a> <a href='\\\\a.example'>题</a>", [], id="of a scheme"),
    ],
)
def test_links(page: str, links: list[str]) -> None:
    assert references(page) == (links, [], [])


@pytest.mark.parametrize(
    ("element", "shown"),
    [
        pytest.param("![图](~A)", 1, id="Markdown"),
        pytest.param("![图][1]\n\n[1]: ~A", 1, id="reference"),
        pytest.param("<img src=~A>", 1, id="img"),
        pytest.param("<picture><source srcset='~A 1x, ~B 2x,~C'></picture>", 3, id="srcset"),
        pytest.param("<video poster=~A></video>", 1, id="poster"),
        pytest.param("<audio><source src=~A><track src=~B></audio>", 2, id="audio"),
        pytest.param("<iframe src=~A></iframe>", 1, id="iframe"),
        pytest.param("<object data=~A></object><embed src=~B>", 2, id="object"),
        pytest.param("<script src=~A></script>", 1, id="script"),
        pytest.param("<link rel=stylesheet href=~A>", 1, id="link"),
        pytest.param("<link rel=preload as=image imagesrcset='~A 1x'>", 1, id="imagesrcset"),
        pytest.param("<table background=~A><tr><td></table>", 1, id="background"),
        pytest.param("<p style=\"background: URL('~A')\">题</p>", 1, id="style"),
        pytest.param("<a style='background:url(~A)'>题</a>", 1, id="style of a link"),
        pytest.param("<style>@import '~A'; p { background: url( ~A ) }</style>", 1, id="sheet"),
        pytest.param("<svg><image href=~A /><image xlink:href=~B /><use href=~A /></svg>", 2, id="svg"),
        pytest.param("<svg><filter><feImage href=~A /></filter></svg>", 1, id="svg filter"),
        pytest.param("<meta http-equiv=refresh content='0; URL=~A'>", 1, id="refresh"),
        pytest.param("<input type=image src=~A>", 1, id="input"),
    ],
)
@pytest.mark.parametrize("where", ["https://a.example/", "HTTP://a.example/", "//a.example/", "pictures/", "../"])
def test_what_is_loaded(element: str, shown: int, where: str) -> None:
    loaded = [f"{where}{name}" for name in "ABC"[:shown]]
    found = references(element.replace("~", where))
    assert (found.shown, found.outside) == (([], loaded) if "//" in where else (loaded, []))


@pytest.mark.parametrize(
    "page",
    [
        "[题](https://a.example/a.png)",
        "<img alt='https://a.example/a.png'>",
        "<img src=''> <img src> ![图]()",
        "<img src='data:image/png;base64,AAAA'>",
        "<q cite='https://a.example/'>题</q>",
        "<p style='color: red'>https://a.example/</p>",
        "<div data='a.png'>题</div>",
        "<meta name=description content='https://a.example/'>",
        "`<img src=https://a.example/a.png>`",
    ],
)
def test_what_is_not_loaded(page: str) -> None:
    assert references(page)[1:] == ([], [])


def test_backslashes_of_html_are_slashes() -> None:
    assert references("<img src='\\\\a.example\\a.png'>").outside == ["//a.example/a.png"]


def test_each_once_in_order() -> None:
    page = "[题](b.md) [题](a.md) [题](b.md) ![图](b.png) ![图](a.png) ![图](b.png)"
    assert references(page) == (["b.md", "a.md"], ["b.png", "a.png"], [])


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://A.Example:8080/a@b", "a.example"),
        ("//user:word@a.example?x", "a.example"),
        ("https:a.example/b", "a.example"),
        ("", ""),
    ],
)
def test_host(address: str, host: str) -> None:
    assert host_of(address) == host
