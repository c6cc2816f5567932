"""Every page under tests/fixtures gives the fields, and in both themes the Markdown, that lie beside it.

A case is a directory: page.html and meta.json (``url``, ``kind``, what it is a trap for) are its input, expected.json
and for articles expected.md (theme github, no pictures) and expected.classic.md (theme classic, remote pictures) its
goldens. A missing golden is written, and the test fails until somebody has reviewed it.
"""

from __future__ import annotations

import dataclasses
import functools
import json
from pathlib import Path
from typing import Any

import pytest
from scrapy.http import HtmlResponse
from scrapy.settings import Settings

from mirror_crawler import paths
from mirror_crawler.items import Article
from mirror_crawler.links import LinkFinder
from mirror_crawler.outlet import OutletSpider, load_outlets
from mirror_crawler.pages import ArticlePage, ListPage, PageError
from mirror_crawler.pipelines import Normalise
from mirror_crawler.render import ArticlePlace, Link, PageOptions, Renderer

FIXTURES = Path(__file__).parent / "fixtures"
FETCHED_AT = "2026-10-10T00:00:00+00:00"


def outlets() -> dict[str, type[OutletSpider]]:
    settings = Settings()
    settings.setmodule("mirror_crawler.settings")
    return load_outlets(settings)


OUTLETS = outlets()
FIELDS = {
    "article": [field.name for field in dataclasses.fields(Article)],
    "list": ["name", "entries", "next"],
    "other": ["refused"],
}
PAGES = {
    "expected.md": Renderer(PageOptions()),
    "expected.classic.md": Renderer(PageOptions(theme="classic", images="remote")),
}
META: dict[str, dict[str, Any]] = {
    path.parent.relative_to(FIXTURES).as_posix(): json.loads(path.read_text(encoding="utf-8"))
    for path in sorted(FIXTURES.glob("*/*/meta.json"))
}
ARTICLES = [case for case, meta in META.items() if meta["kind"] == "article"]


def page_of(case: str) -> ArticlePage | ListPage:
    meta, spider = META[case], OUTLETS[case.partition("/")[0]]
    response = HtmlResponse(meta["url"], body=(FIXTURES / case / "page.html").read_bytes())
    kind = spider.list_page if meta["kind"] == "list" else spider.article_page
    return kind.from_response(response, spider.addresses)


@functools.cache
def article_of(case: str) -> Article:
    page = page_of(case)
    assert isinstance(page, ArticlePage)
    article = Normalise().process_item(page.article(case.partition("/")[0], FETCHED_AT))
    assert isinstance(article, Article)
    return article


@functools.cache
def fields_of(case: str) -> dict[str, Any]:
    meta = META[case]
    if meta["kind"] == "list":
        return list_fields(case)
    try:
        record: dict[str, Any] = json.loads(article_of(case).to_json())
    except PageError as error:
        return {"refused": str(error).partition(" (")[0]}
    return record


def list_fields(case: str) -> dict[str, Any]:
    page = page_of(case)
    assert isinstance(page, ListPage)
    address = page.addresses.find_list(page.url)
    assert address is not None
    return {
        "name": page.name,
        "entries": [[entry.address.article_id, entry.address.url, entry.title] for entry in page.entries()],
        "next": page.next_url(address.page),
    }


@functools.cache
def expected_of(case: str) -> dict[str, Any]:
    made = json.dumps(fields_of(case), ensure_ascii=False, indent=1) + "\n"
    record: dict[str, Any] = json.loads(golden(FIXTURES / case / "expected.json", made))
    return record


def golden(path: Path, made: str) -> str:
    if not path.exists():
        path.write_text(made, encoding="utf-8")
        pytest.fail(f"made {path.relative_to(FIXTURES)}: review it")
    return path.read_text(encoding="utf-8")


@functools.cache
def held() -> dict[tuple[str, str], str]:
    """The page of every article of the fixtures."""
    return {article_of(case).key: paths.path_of(paths.PATTERN, article_of(case)) for case in ARTICLES}


def place_of(article: Article) -> ArticlePlace:
    """The article in a mirror that holds every article of the fixtures, and this article's own section and tags."""
    links = LinkFinder({name: spider.addresses for name, spider in OUTLETS.items()})

    def front(kind: str, list_id: str) -> str:
        return paths.front_path(paths.list_directory(article.outlet, kind, list_id))

    def resolve(href: str) -> str | None:
        target = links.find(href)
        if target is None or target.kind == "section":
            return None
        if target.kind == "tag":
            return front("tag", target.id) if target.id in article.tags else None
        return held().get((target.outlet, target.id))

    section = article.section
    return ArticlePlace(
        path=paths.path_of(paths.PATTERN, article),
        resolve=resolve,
        outlet=Link(title=OUTLETS[article.outlet].title, path=front("all", "")),
        section=Link(title=section.name, path=front("section", section.id)) if section else None,
        tags=[Link(title=tag, path=front("tag", tag)) for tag in article.tags],
    )


@pytest.mark.untraced
@pytest.mark.parametrize("case", META)
def test_fields(case: str) -> None:
    made, expected = fields_of(case), expected_of(case)
    assert made.keys() == expected.keys() == set(FIELDS[META[case]["kind"]])
    for field, value in expected.items():
        assert made[field] == value, field


@pytest.mark.untraced
@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("case", ARTICLES)
def test_page(case: str, name: str) -> None:
    article = article_of(case)
    made = PAGES[name].article(article, place_of(article))
    assert made == golden(FIXTURES / case / name, made)


@pytest.mark.parametrize("case", ARTICLES)
def test_truth(case: str) -> None:
    """What the author of the page says of it, independent of what the code made of it."""
    truth, article = META[case]["truth"], expected_of(case)
    assert article["title"] == truth["title"]
    assert (article["published_at"], article["modified_at"]) == (truth["published_at"], truth["modified_at"])
    assert [text for text in truth["contains"] if text not in article["text"]] == []
    assert [text for text in truth["lacks"] if text in article["text"]] == []


@pytest.mark.parametrize("outlet", OUTLETS)
@pytest.mark.parametrize("kind", FIELDS)
def test_every_outlet_has_fixtures(outlet: str, kind: str) -> None:
    assert [case for case, meta in META.items() if case.startswith(f"{outlet}/") and meta["kind"] == kind]


def test_every_fixture_is_of_an_outlet() -> None:
    assert {path.name for path in FIXTURES.iterdir()} == OUTLETS.keys()


@pytest.mark.parametrize("outlet", OUTLETS)
def test_every_field_is_filled_somewhere(outlet: str) -> None:
    """All but the one that no page tells: an article that was taken down has none."""
    articles = [expected_of(case) for case in ARTICLES if case.startswith(f"{outlet}/")]
    empty = [field for field in FIELDS["article"] if not any(article[field] for article in articles)]
    assert empty == ["withdrawn_at"]


@pytest.mark.parametrize("case", ARTICLES)
def test_no_article_is_empty(case: str) -> None:
    article = expected_of(case)
    assert [field for field in ("title", "url", "body_html", "content_hash") if not article[field]] == []
