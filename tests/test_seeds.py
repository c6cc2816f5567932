"""The classic theme reproduces the model pages line for line.

The real model pages are read when they lie beside the repository; the invented twins, written in the same two looks,
always are.
"""

from __future__ import annotations

import dataclasses
import re
from html import escape
from pathlib import Path
from urllib.parse import unquote

import pytest

from mirror_crawler.items import Article, Image, Section, content_hash
from mirror_crawler.pipelines import Normalise
from mirror_crawler.render import ArticlePlace, Link, PageOptions, Renderer
from mirror_crawler.spiders.epochtimes import EpochtimesSpider
from mirror_crawler.spiders.ntdtv import NtdtvSpider

REPO = Path(__file__).parent.parent
SEEDS = REPO.parent / "shared" / "seeds"
TWINS = REPO / "tests" / "golden" / "seeds"

BLOB = "https://github.com/gfw-breaker"
NAVIGATION_000 = " &nbsp;|&nbsp; ".join(
    (
        "[首页]({root}?{article_id})",
        "[评论]({root}/../epoch-comment?{article_id})",
        "[专题]({root}/../epoch-special?{article_id})",
        "[禁闻]({root}/../epoch-news?{article_id})",
        "[禁书]({root}/../books?{article_id})",
        f"[翻墙]({BLOB}/nogfw/blob/master/README.md?{{article_id}})",
    )
)
NAVIGATION_001 = (
    f"[首页]({BLOB}/banned-news3/blob/master/README.md) &nbsp;&nbsp;|&nbsp;&nbsp; "
    "[法轮功真相](https://github.com/begood0513/basic/blob/master/README.md)  &nbsp;&nbsp;|&nbsp;&nbsp; "
    f"[手把手翻墙教程]({BLOB}/guides/wiki)  &nbsp;&nbsp;|&nbsp;&nbsp; "
    f"[一键翻墙软件]({BLOB}/nogfw/blob/master/README.md)  "
)
FOOTER_001 = (
    f"#### [首页]({BLOB}/banned-news3/blob/master/README.md) &nbsp;|&nbsp; "
    f"[一键翻墙软件]({BLOB}/nogfw/blob/master/README.md) &nbsp;| "
    f"[《九评共产党》]({BLOB}/9ping.md/blob/master/README.md#九评之一评共产党是什么) | "
    f"[《解体党文化》]({BLOB}/jtdwh.md/blob/master/README.md) | "
    f"[《共产主义的终极目的》]({BLOB}/gczydzjmd.md/blob/master/README.md)"
)


JUNK = (
    '<div class="single_ad"><script>show();</script></div><div class="print_link"><a href="#">列印</a></div>'
    '<div id="below_article_ad"><ins class="adsbygoogle">广告</ins></div>'
)


@dataclasses.dataclass(frozen=True)
class Seed:
    """A model page and what must be known to make it again: who, where, and the operator's settings."""

    file: Path
    outlet: str
    article_id: str
    path: str
    options: PageOptions


def seed_000(directory: Path) -> Seed:
    return Seed(
        directory / "000_3078d70d0ab3e5f7.txt",
        "epochtimes",
        "n13465147",
        "gb/21/12/28/n13465147.md",
        PageOptions(theme="classic", images="remote", navigation=NAVIGATION_000),
    )


def seed_001(directory: Path) -> Seed:
    return Seed(
        directory / "001_b508d4ae776652b4.txt",
        "ntdtv",
        "a103306294",
        "pages/prog204/a103306294.md",
        PageOptions(
            theme="classic",
            images="remote",
            navigation=NAVIGATION_001,
            base_url=f"{BLOB}/banned-news3/blob/master",
            footer=FOOTER_001,
            counter="http://gfw-breaker.win/banned-news3",
        ),
    )


def lines_that_count(page: str) -> list[str]:
    """Lines of a page without HTML comments, empty ad boxes and the class of the lead picture; addresses decoded."""
    page = re.sub(r"^ *<!--.*-->\n", "", page, flags=re.MULTILINE)
    page = re.sub(r'^( *)<div (?:id="below_article_ad"|class="single_ad")>\n\1</div>\n', "", page, flags=re.MULTILINE)
    page = re.sub(r'(<img alt="[^"]*") class="[^"]*"', r"\1", page)
    return unquote(page.removesuffix("\n")).split("\n")


def article_of(page: str, seed: Seed) -> Article:
    """The article that a model page shows, its body back in the closed vocabulary."""
    lines = page.split("\n")
    title = lines[0].removeprefix("### ")
    inner = re.search(r'itemprop="articleBody">\n(.*?)\n</div>', page, re.DOTALL)
    assert inner is not None
    body = re.sub(r'<!--.*?-->|<div (?:id|class)="[a-z_]*ad">\s*</div>', "", inner[1])
    body = "".join(line.strip() for line in body.split("\n"))
    body = body.replace("<ok ", "<a ").replace("</ok>", "</a>").replace("h4>", "h2>")
    picture = re.search(r'<img alt="([^"]*)"[^>]* src="([^"]*)"/>\n<div class="caption">\n *(.*)\n', page)
    lead = Image(url=picture[2], alt=picture[1], caption=picture[3]) if picture else None
    (url,) = re.findall(r"翻墙(?:访问)?）：(\S+)", page)
    return Article(
        outlet=seed.outlet,
        article_id=seed.article_id,
        url=url,
        language="zh-Hans",
        title=title,
        authors=[],
        editor=None,
        published_at=None,
        modified_at=None,
        published_source="none",
        section=Section(id="prog204", name="大陆"),
        tags=[],
        lead_image=lead,
        images=[],
        embeds=[],
        body_html=body,
        text="",
        content_hash=content_hash(title, lead, body),
        first_seen_at="2021-12-30T00:00:00+00:00",
        fetched_at="2021-12-30T00:00:00+00:00",
    )


def article_page_of(article: Article) -> tuple[str, str]:
    """The address of an article, and its page as its outlet draws it (FACTS A4, B4): what a reader sees of it stands
    between menus, scripts and advertisements.
    """
    lead = article.lead_image
    figure = (
        f'<div class="featured_image"><a href="{lead.url}"><img src="{lead.url}" alt="{escape(lead.alt)}"></a>'
        f'<div class="caption">{escape(lead.caption)}</div></div>'
        if lead
        else ""
    )
    if article.outlet == "epochtimes":
        title, body = (
            '<h1 class="title">{}</h1>',
            '<div id="artbody" class="post_content" itemprop="articleBody">{}</div>',
        )
    else:
        title = '<div class="article_title"><h1>{}</h1></div>'
        body = '<div class="post_content" itemprop="articleBody">{}</div>'
    html = (
        "<!doctype html><html><head><title>别处</title><script>var a = '</p>';</script></head><body>"
        f'<nav><a href="/gb/">首页</a></nav><main>{title.format(escape(article.title))}{figure}'
        f"{body.format(article.body_html + JUNK)}</main><footer><p>关于我们</p></footer></body></html>"
    )
    return article.url, html


def page_of(article: Article, seed: Seed, **changes: object) -> str:
    place = ArticlePlace(
        path=seed.path,
        resolve=lambda address: None,
        outlet=Link(title="大纪元", path=f"{seed.outlet}/README.md"),
    )
    options = dataclasses.replace(seed.options, **changes)  # type: ignore[arg-type]
    return Renderer(options).article(article, place)


CASES = [
    pytest.param(seed_000(TWINS), id="twin-epochtimes"),
    pytest.param(seed_001(TWINS), id="twin-ntdtv"),
    pytest.param(seed_000(SEEDS), id="model-epochtimes"),
    pytest.param(seed_001(SEEDS), id="model-ntdtv"),
]


def read(seed: Seed) -> str:
    if seed.file.parent == SEEDS and not seed.file.exists():
        pytest.skip("the model pages do not lie beside the repository")
    return seed.file.read_text()


@pytest.mark.parametrize("seed", CASES)
def test_the_page_equals_the_model_line_for_line(seed: Seed) -> None:
    model = read(seed)

    page = page_of(article_of(model, seed), seed)

    assert lines_that_count(page) == lines_that_count(model)


@pytest.mark.parametrize("seed", CASES)
def test_the_article_page_makes_the_model(seed: Seed) -> None:
    model = read(seed)
    outlet = {"epochtimes": EpochtimesSpider, "ntdtv": NtdtvSpider}[seed.outlet]
    url, html = article_page_of(article_of(model, seed))

    parsed = outlet.article_page(html, url, outlet.addresses)
    article = Normalise().process_item(parsed.article(seed.outlet, "2021-12-30T00:00:00+00:00"))

    assert isinstance(article, Article)
    assert lines_that_count(page_of(article, seed)) == lines_that_count(model)


@pytest.mark.parametrize("seed", CASES)
def test_the_comparison_sees_every_line(seed: Seed) -> None:
    model = read(seed)
    article = dataclasses.replace(article_of(model, seed), title="另一标题")

    page = page_of(article, seed)

    differing = [
        pair for pair in zip(lines_that_count(page), lines_that_count(model), strict=True) if len(set(pair)) > 1
    ]
    assert [line for line, _ in differing] == ["### 另一标题"]


def test_without_pictures_only_the_caption_of_the_lead_stays() -> None:
    seed = seed_000(TWINS)
    model = read(seed)

    page = page_of(article_of(model, seed), seed, images="none")

    start = model.index("<img ")
    end = model.index('<div class="caption">')
    assert lines_that_count(page) == lines_that_count(model[:start] + model[end:])
