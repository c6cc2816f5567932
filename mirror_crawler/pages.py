"""A fetched page → its fields. Pure: no crawler, no network, no clock of ours.

A page class states its selectors as class attributes and is subclassed per outlet in the outlet's spider module; most
outlets override attributes only. :class:`ListPage` is for section and tag lists, :class:`ArticlePage` for articles.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from functools import cached_property
from typing import Any, ClassVar, Self
from urllib.parse import unquote, urljoin, urlsplit

from scrapy.http import Response, TextResponse
from selectolax.lexbor import LexborHTMLParser, LexborNode

from mirror_crawler.addresses import Addresses, ArticleAddress, tag_slug
from mirror_crawler.clock import Clock, ClockEvidence, read_clock
from mirror_crawler.credits import CreditRules, read_credits
from mirror_crawler.encoding import decoded
from mirror_crawler.items import Article, Embed, Image, Section
from mirror_crawler.markup import CleanBody, clean, embed_of, image_address, plain_text

_MANY_TAGS = 8_000
_DEPTH_LIMIT = 5_000
_LONGEST_NAME = 40
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)(?:[^<>]*(/)>)?")
_VOID = ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr")
_UNNESTED = frozenset((*_VOID, "p", "li", "option"))
"""Elements without an end tag, or whose end tag may be left out."""
_NEXT = frozenset(("下一页", "下一頁", "下页", "下頁", ">", "›", "next"))
_LOADING = re.compile(
    r"(?:[内內]容|[页頁]面)?正?在?(?:加[载載]|[载載]入|[读讀]取|loading)中?[ .。…,，]*(?:[请請]稍[候后後等])?[ .。…]*",
    re.IGNORECASE,
)
"""What a page says where its scripts have yet to put something."""
_MARKUP = re.compile(r"<[^>]*>")
_SHORT = 1_000
"""Characters; what only says so is shorter, its markup included."""
_ARROWS = " .>›»→"
_JSON = json.JSONDecoder(strict=False)
_FURNITURE = frozenset(("aside", "nav", "footer", "header"))


class PageError(Exception):
    """The page is not what its address promised; the message says in a few words why.

    ``field`` is what the page lacks (``title``, ``body`` or ``list``) and ``selector`` what it was looked for with;
    both None when the fault is another.
    """

    field: str | None = None
    selector: str | None = None

    @classmethod
    def lacking(cls, field: str, selector: str, what: str = "") -> Self:
        """The error of a page on which ``selector`` finds no ``field``; ``what`` names it for people."""
        error = cls(f"no {what or field} ({selector})")
        error.field, error.selector = field, selector
        return error


class EmptyListError(PageError):
    """A list page that names no article."""


class GonePageError(PageError):
    """The outlet has the article not any more, and says so by a status code or a page of another kind."""


@dataclasses.dataclass(frozen=True, slots=True)
class ListEntry:
    """One article that a list page names."""

    address: ArticleAddress
    title: str


@dataclasses.dataclass(frozen=True, slots=True)
class Statements:
    """What a page says of itself for machines.

    ``metas``: content of the first meta element with each ``property`` or ``name``. ``canonical``: the address in its
    canonical link, empty without one. ``scripts``: the sources of its JSON-LD. ``players``: the addresses of the frames
    and films in the boxes of the selector that was asked for beside.
    """

    metas: dict[str, str]
    canonical: str
    scripts: list[str]
    players: list[str]

    SELECTOR: ClassVar[str] = '[content], [rel=canonical], [type="application/ld+json"]'
    """Attributes alone: the parser compares the names of elements at half the pace."""

    @classmethod
    def of(cls, tree: LexborHTMLParser, boxes: str = "") -> Self:
        """All of it from one walk through the page: each walk costs a tenth of the parsing, whatever it looks for.

        Not only the head is looked at: a picture in its noscript ends it early, and what follows lies in the body.
        """
        metas: dict[str, str] = {}
        canonical: list[str] = []
        scripts: list[str] = []
        sources: list[str] = []
        for node in tree.css(f"{cls.SELECTOR}, {boxes}" if boxes else cls.SELECTOR):
            attributes = node.attributes
            match node.tag:
                case "meta":
                    for name in (attributes.get("property"), attributes.get("name")):
                        if name and name not in metas and "content" in attributes:
                            metas[name] = _collapse(attributes.get("content") or "")
                case "link" if (attributes.get("rel") or "").lower() == "canonical":
                    canonical.append(attributes.get("href") or "")
                case "script" if (attributes.get("type") or "").lower() == "application/ld+json":
                    scripts.append(node.text())
                case _ if boxes and _is(node, boxes):
                    sources.extend(_source(player) for player in node.css("iframe, video"))
        return cls(metas, canonical[0] if canonical else "", scripts, sources)


def _source(player: LexborNode) -> str:
    attributes = player.attributes
    source = attributes.get("src") or attributes.get("data-src") or ""
    if not source and (inner := player.css_first("source")) is not None:
        source = inner.attributes.get("src") or ""
    return source


class Page:
    """A parsed HTML page at ``url``; ``html`` as bytes is UTF-8. Parsed once, whatever is asked of it."""

    def __init__(self, html: str | bytes, url: str, addresses: Addresses) -> None:
        self.tree = parsed(html if isinstance(html, bytes) else html.encode(errors="replace"))
        self.url = url
        self.addresses = addresses

    @classmethod
    def from_response(cls, response: Response, addresses: Addresses) -> Self:
        """Parse a response, whatever encoding it claims; PageError when it is no text."""
        if not isinstance(response, TextResponse):
            raise PageError("not an HTML page")
        html = decoded(response)
        if html is None:
            raise PageError("cannot be decoded as text")
        return cls(html, response.url, addresses)

    def first(self, selector: str) -> LexborNode | None:
        """The first element that matches, in the order of the selector's alternatives, not of the page."""
        for alternative in selector.split(", "):
            if (node := self.tree.css_first(alternative)) is not None:
                return node
        return None

    def _each(self, selector: str) -> Iterator[LexborNode]:
        """The elements that match. Mostly the first is all that is asked for, and it is found faster than all."""
        if (node := self.tree.css_first(selector)) is not None:
            yield node
            yield from self.tree.css(selector)[1:]


class ListPage(Page):
    """A page of a section or tag: its name, the articles it names and where it goes on."""

    NAME: ClassVar[str] = "h1.block_title, main h1, h1"
    ENTRIES: ClassVar[str] = ".one_post .title a"
    """Title links of the entries."""
    TOP: ClassVar[str] = "main h2 > a, main a:has(> h2)"
    """Links of stories set above the entries: page 1 has a layout of its own (FACTS A3)."""
    FALLBACK: ClassVar[str] = "main a, .post_list a, #artlist a"
    """Where any article link counts when no entry is found by ENTRIES."""
    RENDERED: ClassVar[str] = ""
    """Where scripts build the page: what it has once they are done. Empty: ENTRIES."""
    PAGER: ClassVar[str] = "a.page-numbers, .pagination a, .menu_page a, a[rel~=next]"

    @property
    def name(self) -> str:
        """What the list calls itself; empty when it does not say."""
        node = self.first(self.NAME)
        title = text_of(node) if node is not None else ""
        if not title and (head := self.tree.css_first("head > title")) is not None:
            title = text_of(head)
        return re.split(r"\s+[|｜-]\s+", title)[0]

    def entries(self) -> list[ListEntry]:
        """The articles of the page in order, each once; links that lead elsewhere (ads among them) are passed over."""
        listed = any(self._articles(self.ENTRIES))
        found: dict[str, ListEntry] = {}
        for link, address in self._articles(f"{self.TOP}, {self.ENTRIES}" if listed else self.FALLBACK):
            title = text_of(link) or _collapse(link.attributes.get("title") or "")
            known = found.get(address.article_id)
            if known is None or (title and not known.title):
                found[address.article_id] = ListEntry(known.address if known else address, title)
        return list(found.values())

    def next_url(self, page: int) -> str | None:
        """The address of the page after number ``page``, as the pager itself links it; None on the last page.

        It is asked from the host that served this page, whatever scheme and alias the pager writes.
        """
        by_number = None
        for link in self.tree.css(self.PAGER):
            address = self._page_address(link)
            if address is None:
                continue
            label = text_of(link).lower()
            marks = f"{link.attributes.get('class') or ''} {link.attributes.get('rel') or ''}".split()
            if "next" in marks or label in _NEXT or label.rstrip(_ARROWS) in _NEXT:
                return address
            if label.replace(",", "") == str(page + 1):
                by_number = address
        return by_number

    def _page_address(self, link: LexborNode) -> str | None:
        """Where a link of the pager leads on this host; None for this very page and for what is not the outlet's."""
        try:
            target = urlsplit(urljoin(self.url, (link.attributes.get("href") or "").strip()))
        except ValueError:
            return None
        if self.addresses.path_of(target.geturl()) is None:
            return None
        here = urlsplit(self.url)
        if (unquote(target.path), target.query) == (unquote(here.path), here.query):
            return None
        return here._replace(path=target.path, query=target.query, fragment="").geturl()

    def _articles(self, selector: str) -> Iterator[tuple[LexborNode, ArticleAddress]]:
        """The links to articles outside the page's furniture."""
        for link in self.tree.css(selector):
            address = self.addresses.find_article(link.attributes.get("href") or "", self.url)
            if address is not None and not _inside(link, _is_furniture):
                yield link, address


class ArticlePage(Page):
    """An article page. Selectors are tried in their order, from today's layout to the oldest (FACTS A4, B4)."""

    TITLE: ClassVar[str] = "h1.title, main h1, h1"
    BODY: ClassVar[str] = "#artbody, [itemprop=articleBody]"
    LEAD: ClassVar[str] = ".featured_image"
    LEAD_CAPTION: ClassVar[str] = ".caption, figcaption"
    LEAD_EMBED: ClassVar[str] = ".featured_video"
    """Boxes with the frame or film of a video."""
    CLOCK: ClassVar[str] = "time"
    """Elements that print the page's times; the first with a ``datetime`` attribute gives the modified clock."""
    BREADCRUMB: ClassVar[str] = "a.breadcrumbs, .breadcrumbs a, .breadcrumb a, #breadcrumb a"
    TAGS: ClassVar[str] = "a[rel=tag]"
    OUTSIDE_BODY: ClassVar[str] = ""
    """What may stand inside the body container without being part of the body."""
    STATION_NAMES: ClassVar[re.Pattern[str]] = re.compile(r"大[纪紀]元|新唐人|epoch|ntd|[电電][视視]", re.IGNORECASE)
    """An author in the metadata that matches is the outlet, not a person."""
    TITLE_SUFFIX: ClassVar[re.Pattern[str]] = re.compile(r"\s+[-|]\s+(?:大[纪紀]元|新唐人).*$", re.DOTALL)
    ERROR: ClassVar[re.Pattern[str]] = re.compile(
        r"\b404\b|not found|不存在|未找到|[无無]法找到|[没沒]有找到|已[经經]?[删刪移]除", re.IGNORECASE
    )
    """Words in the title of a page that stands where an article was."""
    CREDITS: ClassVar[CreditRules]
    RENDERED: ClassVar[str] = ""
    """Where scripts build the page: what it has once they are done. Empty: BODY, which must have something in it."""
    UPDATE_LABEL_MEANS_UPDATE: ClassVar[bool] = False
    """A printed 更新 label marks the time of an update (ntdtv) and not the publication (epochtimes)."""
    BOLD_HEADINGS: ClassVar[bool] = False
    """The outlet writes its headings as short bold paragraphs (FACTS B4)."""

    disputed_clock = False
    """Set by :meth:`article`: the page's clocks contradict each other."""

    def article(self, outlet: str, fetched_at: str) -> Article:
        """The article of this page, its hash still empty; PageError when it lacks headline or body, or is another."""
        address = self.address
        if not self.title:
            raise PageError.lacking("title", self.TITLE, "headline")
        # Reading the body takes away what stands in it without being body, so what is read there comes first.
        lead_image, clocks = self.lead_image, self.clocks
        body = self.body
        text = plain_text(body.html)
        read = read_credits(text.split("\n\n"), self.CREDITS, address.day)
        clock = self._clock(clocks, read.dateline)
        self.disputed_clock = clock.disputed
        return Article(
            outlet=outlet,
            article_id=address.article_id,
            url=address.url,
            language=address.language,
            title=self.title,
            authors=read.authors or self.metadata_authors(),
            editor=read.editor,
            published_at=clock.published_at,
            modified_at=clock.modified_at,
            published_source=clock.published_source,
            section=self.section,
            tags=self.tags,
            lead_image=lead_image,
            images=body.images,
            embeds=body.embeds,
            body_html=body.html,
            text=text,
            content_hash="",
            first_seen_at=fetched_at,
            fetched_at=fetched_at,
        )

    def meta(self, name: str) -> str:
        """The content of the first meta element with this ``property`` or ``name``; empty when there is none."""
        return self.stated.metas.get(name, "")

    @cached_property
    def stated(self) -> Statements:
        """What the page says of itself for machines, and the players in the boxes of LEAD_EMBED."""
        return Statements.of(self.tree, self.LEAD_EMBED)

    @property
    def claims_an_article(self) -> bool:
        """Whether the page says of itself that it is this article, be it readable or not."""
        canonical = self.stated.canonical
        stated = self.addresses.find_article(canonical, self.url) if canonical else None
        if stated is not None and stated.article_id == self.address.article_id:
            return True
        return bool(self.json_ld or self.meta("article:published_time"))

    @property
    def stands_for_another(self) -> bool:
        """Whether the page says of itself that it is another than this article.

        One that only does not say which it is may be drawn with a new template.
        """
        return bool(self.stated.canonical) and not self.claims_an_article

    @property
    def is_error_page(self) -> bool:
        """Whether the page says in its head that there is nothing at its address, and not that it is an article.

        The outlets' own error pages are not known (FACTS A7, B7), so this goes by the words such pages have.
        """
        titles = [text_of(node) for node in self.tree.css("title, h1")]
        return any(map(self.ERROR.search, titles)) and not self.claims_an_article

    @cached_property
    def address(self) -> ArticleAddress:
        """Whose page this is: the canonical link when it names the same article as the final address, else that."""
        final = self.addresses.find_article(self.url)
        if final is None:
            raise GonePageError(f"led to no article ({self.url:.200})")
        href = self.stated.canonical
        stated = self.addresses.find_article(href, self.url) if href and href != self.url else None
        return (
            stated if stated and (stated.article_id, stated.language) == (final.article_id, final.language) else final
        )

    @cached_property
    def title(self) -> str:
        """The headline as printed, else the one in the metadata without the outlet's name."""
        for alternative in self.TITLE.split(", "):
            for node in self._each(alternative):
                if text := text_of(node):
                    return text
        return self.TITLE_SUFFIX.sub("", self.meta("og:title"))

    @cached_property
    def body(self) -> CleanBody:
        """The body in the closed vocabulary, a lead video in front of it. PageError when there is nothing in it, or
        only that something is being loaded.
        """
        containers = self._containers()
        if not containers:
            raise PageError.lacking("body", self.BODY)
        lead, parts = self.lead_embed, []
        for container in containers:
            for node in _outermost(self._not_body(container)):
                node.decompose()
            parts.append(clean(container, self.url, bold_headings=self.BOLD_HEADINGS))
        body = _joined(parts)
        if lead is not None and lead not in body.embeds:
            anchor = f'<p><a href="{lead.url.replace("&", "&amp;")}"></a></p>'
            body = dataclasses.replace(body, html=anchor + body.html, embeds=[lead, *body.embeds])
        if not body.html or _is_placeholder(body):
            raise PageError.lacking("body", self.BODY, "text in the body")
        return body

    def _containers(self) -> list[LexborNode]:
        """The elements that hold the body: those of the first alternative that the page has, the outermost of each."""
        for alternative in self.BODY.split(", "):
            found = self.tree.css(alternative)
            if found:
                return _outermost(found)
        return []

    def _not_body(self, container: LexborNode) -> list[LexborNode]:
        """What stands in the body without being part of it: the headline again, and what OUTSIDE_BODY names."""
        found = container.css(f"h1, {self.OUTSIDE_BODY}" if self.OUTSIDE_BODY else "h1")
        return [node for node in found if self._is_headline(node) or self._is_outside(node)]

    def _is_headline(self, node: LexborNode) -> bool:
        return node.tag == "h1" and text_of(node) == self.title

    def _is_outside(self, node: LexborNode) -> bool:
        if node.tag == "h1" and not (self.OUTSIDE_BODY and _is(node, self.OUTSIDE_BODY)):
            return False
        return not _inside(node, _is_body)

    @cached_property
    def clocks(self) -> list[tuple[str, str]]:
        """What the page prints as times: visible text and ``datetime`` attribute of each element of the first
        alternative of CLOCK that the page has. Times pasted into a body are none of the page's own.
        """
        return [(text_of(node), node.attributes.get("datetime") or "") for node in self._all(self.CLOCK)]

    def _all(self, selector: str) -> list[LexborNode]:
        """The elements that match the first alternative which the page has."""
        return next(filter(None, map(self.tree.css, selector.split(", "))), [])

    def _target(self, link: LexborNode) -> tuple[str, str]:
        return self.addresses.find_target(link.attributes.get("href") or "", self.url) or ("", "")

    def _clock(self, clocks: list[tuple[str, str]], dateline: date | None) -> Clock:
        metadata = self.json_ld
        return read_clock(
            ClockEvidence(
                printed=tuple(dict.fromkeys(text for text, _ in clocks if text)),
                update_label_means_update=self.UPDATE_LABEL_MEANS_UPDATE,
                attribute=next((stamp for _, stamp in clocks if stamp), ""),
                ld_published=_string(metadata.get("datePublished")),
                ld_modified=_string(metadata.get("dateModified")),
                meta_published=self.meta("article:published_time"),
                meta_modified=self.meta("article:modified_time"),
                dateline=dateline,
            )
        )

    @property
    def section(self) -> Section | None:
        """The last section that the breadcrumb names."""
        for link in reversed(self._all(self.BREADCRUMB)):
            kind, list_id = self._target(link)
            if kind == "section" and (name := text_of(link)):
                return Section(id=list_id, name=name)
        return None

    @property
    def tags(self) -> list[str]:
        """The slugs of the page's own keywords, each once; from the metadata when the page has no keyword links."""
        slugs = []
        for link in self.tree.css(self.TAGS):
            kind, list_id = self._target(link)
            slugs.append(list_id if kind == "tag" else tag_slug(text_of(link)))
        if not slugs:
            slugs = [tag_slug(word) for word in re.split(r"[,，、]", self.meta("keywords"))]
        return list(dict.fromkeys(filter(None, slugs)))

    @property
    def lead_image(self) -> Image | None:
        """The picture above the body, by its real address (FACTS A4, B4)."""
        for box in self._each(self.LEAD):
            if _inside(box, _is_body):  # a picture of the body, then
                continue
            for node in box.css("img"):
                if url := image_address(node, self.url):
                    alt = _collapse(node.attributes.get("alt") or "")
                    return Image(url=url, alt=alt, caption=self._caption_of(box))
        return None

    def _caption_of(self, box: LexborNode) -> str:
        """The caption in a picture's box or right after it: the facts leave open which (FACTS A4)."""
        caption = box.css_first(self.LEAD_CAPTION)
        if caption is None and (after := _next_element(box)) is not None:
            caption = after.css_first(self.LEAD_CAPTION)
            if caption is not None and (after.css_first("img") is not None or text_of(caption) != text_of(after)):
                caption = None  # of another picture
        return text_of(caption) if caption is not None else ""

    @cached_property
    def lead_embed(self) -> Embed | None:
        """The video shown above the body (FACTS B4), if any."""
        for source in self.stated.players:
            if source and (embed := embed_of(urljoin(self.url, source))):
                return embed
        return None

    def metadata_authors(self) -> list[str]:
        """Persons that the metadata names as authors; the outlet itself is none."""
        stated = self.json_ld.get("author")
        names = [_person(entry) for entry in _as_list(stated)]
        names = [name for name in (*names, self.meta("author")) if name and not self.STATION_NAMES.search(name)]
        return list(dict.fromkeys(name for name in names if len(name) <= _LONGEST_NAME))

    @cached_property
    def json_ld(self) -> dict[str, Any]:
        """The JSON-LD node of this very article; pages hold other nodes too (FACTS A4)."""
        for script in self.stated.scripts:
            try:
                data = _JSON.decode(script)
            except (ValueError, RecursionError):
                continue
            for node in _nodes(data):
                main = node.get("mainEntityOfPage")
                places = (node.get("url"), node.get("@id"), main.get("@id") if isinstance(main, dict) else main)
                if "datePublished" in node and any(map(self._is_here, filter(None, map(_string, places)))):
                    return node
        return {}

    def _is_here(self, href: str) -> bool:
        """Whether a link leads to this very article."""
        if href == self.url:
            return True
        address = self.addresses.find_article(href, self.url)
        return address is not None and address.article_id == self.address.article_id


def text_of(node: LexborNode) -> str:
    """The visible text of an element, white space collapsed."""
    return _collapse(node.text())


def _collapse(text: str) -> str:
    return " ".join(text.split())


def _next_element(node: LexborNode) -> LexborNode | None:
    following = node.next
    while following is not None and (following.tag or "").startswith("-"):
        following = following.next
    return following


def _is(node: LexborNode, selector: str) -> bool:
    """Whether a node matches; ``css_matches`` is also true of one with something inside that does."""
    found = node.css_first(selector)
    return found is not None and found.mem_id == node.mem_id


def _outermost(nodes: Sequence[LexborNode]) -> list[LexborNode]:
    """Those of ``nodes`` that lie in none of the others."""
    ids = {node.mem_id for node in nodes}
    return [node for node in nodes if not _inside(node, lambda parent: parent.mem_id in ids)]


def _inside(node: LexborNode, test: Callable[[LexborNode], bool]) -> bool:
    """Whether an ancestor of ``node`` passes the test."""
    parent = node.parent
    while parent is not None:
        if test(parent):
            return True
        parent = parent.parent
    return False


def _is_furniture(node: LexborNode) -> bool:
    return node.tag in _FURNITURE


def _is_body(node: LexborNode) -> bool:
    return "itemprop" in node.attributes and node.attributes["itemprop"] == "articleBody"


def _is_placeholder(body: CleanBody) -> bool:
    if body.images or body.embeds or len(body.html) > _SHORT:
        return False
    return bool(_LOADING.fullmatch(_collapse(_MARKUP.sub(" ", body.html))))


def _joined(parts: Sequence[CleanBody]) -> CleanBody:
    """Bodies one after another as one."""
    if len(parts) == 1:
        return parts[0]
    return CleanBody(
        html="".join(part.html for part in parts),
        images=[image for part in parts for image in part.images],
        embeds=list(dict.fromkeys(embed for part in parts for embed in part.embeds)),
        removed=sum((part.removed for part in parts), Counter()),
    )


def parsed(source: bytes) -> LexborHTMLParser:
    """The tree of a page in UTF-8; PageError for one that would take minutes."""
    if source.count(b"<") > _MANY_TAGS and _depth(source.decode()) > _DEPTH_LIMIT:
        raise PageError("nested too deeply")
    return LexborHTMLParser(source)


def _depth(html: str) -> int:
    """How deep elements nest at the most; parsing time grows with its square."""
    depth = deepest = 0
    for closing, name, empty in _TAG.findall(html):
        if empty or name.lower() in _UNNESTED:
            continue
        depth = max(0, depth - 1) if closing else depth + 1
        deepest = max(deepest, depth)
    return deepest


def _nodes(data: Any) -> Iterator[dict[str, Any]]:
    """Every top-level object of a JSON-LD script, those of its ``@graph`` included."""
    for entry in _as_list(data):
        if isinstance(entry, dict):
            yield entry
            yield from (node for node in _as_list(entry.get("@graph")) if isinstance(node, dict))


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _person(author: Any) -> str:
    """The name in an ``author`` of JSON-LD, which is text or an object; empty when it is an organisation's."""
    if isinstance(author, dict):
        return "" if author.get("@type") == "Organization" else _string(author.get("name"))
    return _string(author)


def _string(value: Any) -> str:
    """A text of JSON-LD; half a surrogate pair, which JSON can spell, could not be stored."""
    return value.strip().encode(errors="replace").decode() if isinstance(value, str) else ""
