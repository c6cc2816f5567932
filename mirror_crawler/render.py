"""Pages of the mirror as a pure function of what they show: no clock, no network, no store.

A theme is a directory of Jinja templates for the page around the body; the body itself is written by
``markdown.py`` or, for the theme ``classic``, by ``classic.py``. docs/themes.md lists what a template can use.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import html
import posixpath
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Literal, get_args

import jinja2
import jinja2.meta

from mirror_crawler import classic, markdown
from mirror_crawler.body import Choices, LinkMode, one_line
from mirror_crawler.clock import BEIJING
from mirror_crawler.history import Change
from mirror_crawler.items import Article
from mirror_crawler.labels import LABELS, Labels, Language, is_one_line, labels_of
from mirror_crawler.paths import HOME, code_path, history_path, relative
from mirror_crawler.share import qr_png
from mirror_crawler.volumes import Volumes

ImageMode = Literal["local", "remote", "none"]
"""Where pages load pictures from: the mirror itself, the outlet, or nowhere."""

_TEMPLATES = files("mirror_crawler") / "templates"  # in an egg these are no files of the system
_PAGES = ("article", "list", "home")
_ADDRESS = re.compile("https?://")
_NAMES = frozenset(
    (
        *("address", "counter", "elsewhere", "footer", "home", "images", "label", "navigation", "path", "share_code"),
        *("share_label", "title"),
        *("article", "authors", "body", "history", "lead", "lead_picture", "place", "published"),
        *("back", "changes", "front", "self", "view"),
    )
)
"""The variables of a page; a template that asks for another one is broken."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PageOptions:
    """What an operator chooses about pages.

    ``theme`` names a directory of templates, under ``theme_dir`` (an operator's own, file by file before ours) or ours.
    ``navigation`` is one line of Markdown, ``footer`` any number; both may hold ``{root}`` (relative path of the
    tree's root), ``{article_id}`` and ``{base_url}``. ``base_url`` is the public address of the tree's root: with it
    pages show their address and QR code, and their addresses at the other ``homes`` of the mirror. ``counter`` is the
    address prefix of an image that counts views; off when empty. ``language`` is that of pages which no article
    gives one; ``labels`` are the words of all languages, ``title`` is the mirror's, else a label is.
    """

    theme: str = "github"
    theme_dir: Path | None = None
    images: ImageMode = "local"
    links: LinkMode = "neutral"
    base_url: str = ""
    homes: tuple[str, ...] = ()
    navigation: str = ""
    footer: str = ""
    counter: str = ""
    title: str = ""
    language: Language = "zh-Hans"
    labels: Mapping[Language, Labels] = dataclasses.field(default_factory=lambda: LABELS)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A page by name: ``path`` in the tree (in another volume its address), None when the mirror has no such page;
    ``day`` is yyyy-mm-dd or empty.
    """

    title: str
    path: str | None
    day: str = ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ArticlePlace:
    """Where an article's page lies (``path``) and what surrounds it in the tree.

    ``resolve`` maps an absolute address in the body to the tree path of the page it leads to, or None; ``picture`` the
    address of a picture to the tree path of the mirror's own copy, or None.
    """

    path: str
    resolve: Callable[[str], str | None]
    picture: Callable[[str], str | None] = lambda _: None
    outlet: Link
    section: Link | None = None
    tags: Sequence[Link] = ()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ListView:
    """One page of a list of an outlet: its front page (``number`` None) or a numbered one.

    ``entries`` stand newest first; ``front`` is the tree path of the front page; ``numbered`` are the numbered pages
    that go on with older entries, newest first, their titles being numbers. ``sections`` and ``tags`` (the list of
    tags) are for an outlet's front page.
    """

    path: str
    language: str
    outlet: Link
    kind: Literal["all", "section", "tag", "tags"]
    name: str
    entries: Sequence[Link]
    number: int | None = None
    front: str
    numbered: Sequence[Link] = ()
    sections: Sequence[Link] = ()
    tags: Link | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class OutletView:
    """An outlet on the home page: its front page, sections and newest articles."""

    link: Link
    sections: Sequence[Link] = ()
    latest: Sequence[Link] = ()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class HomeView:
    """The home page of the mirror, or of one of its volumes: ``earlier`` are those before it, newest first, ``later``
    is the one that goes on.
    """

    path: str = HOME
    outlets: Sequence[OutletView]
    earlier: Sequence[Link] = ()
    later: Link | None = None
    language: str = "zh-Hans"


class Renderer:
    """Writes pages in one theme.

    Raises ValueError, one line, for an unknown theme or choice and for a template that is missing or broken.
    """

    def __init__(self, options: PageOptions) -> None:
        _check(options)
        self._options = options
        self._sources = _read_templates(options)
        self._templates = _compile(options.theme, self._sources)
        self.volumes = Volumes()
        """Where the pages are; to be set anew when a volume begins."""
        self._write_body = classic.body_html if options.theme == "classic" else markdown.body_markdown

    @property
    def look(self) -> str:
        """A name for all that pages depend on beside what they show: options and templates. Same look, same bytes."""
        return hashlib.sha256(repr((self._options, self._sources)).encode()).hexdigest()

    def labels(self, language: str) -> Labels:
        """The words that pages in a language add, with those that the operator changed."""
        return labels_of(language, self._options.labels)

    def article(self, article: Article, place: ArticlePlace) -> str:
        """The page of an article, ending in one line end. Who can read the article can read its language, so words that
        are added are in that, too.
        """
        labels = self.labels(article.language)
        choices = Choices(
            labels=labels,
            resolve=lambda address: _link_path(place.path, place.resolve(address)),
            picture=self._pictures(place),
            links=self._options.links,
        )
        lead = article.lead_image
        lead_picture = choices.picture(lead.url) if lead else None
        return self._render(
            f"{article.outlet}/article",
            place.path,
            labels,
            article_id=article.article_id,
            article=article,
            place=place,
            title=article.title,
            published=published_text(article, labels),
            share_label=labels.share,
            authors=labels.enumeration.join(article.authors),
            history=_history_link(article, place, labels),
            lead=markdown.picture(lead, labels, lead_picture, title=article.title) if lead else "",
            lead_picture=lead_picture or "",
            body=self._write_body(article.body_html, choices),
        )

    def _pictures(self, place: ArticlePlace) -> Callable[[str], str | None]:
        """What the page at ``place`` loads for the address of a picture."""
        if self._options.images == "remote":
            return lambda address: address
        if self._options.images == "local":
            return lambda address: _link_path(place.path, place.picture(address))
        return lambda _: None

    def history(self, article: Article, place: ArticlePlace, changes: Sequence[Change]) -> str:
        """What the outlet changed in an article, newest change first: the page beside that at ``place.path``."""
        labels = self.labels(article.language)
        return self._render(
            f"{article.outlet}/history",
            history_path(place.path),
            labels,
            article_id=article.article_id,
            article=article,
            place=place,
            title=f"{labels.history}{labels.colon}{article.title}",
            back=Link(title=labels.back, path=place.path),
            changes=changes,
        )

    def list_page(self, view: ListView) -> str:
        """A page of a list. A numbered page says nothing that could change once the page is full."""
        labels = self.labels(view.language)
        name = view.outlet.title if view.kind == "all" else labels.tags if view.kind == "tags" else view.name
        return self._render(
            "list",
            view.path,
            labels,
            view=view,
            title=_list_title(view, name, labels),
            front=Link(title=name, path=view.front),
        )

    def home(self, view: HomeView) -> str:
        """The home page of the mirror."""
        labels = self.labels(view.language)
        return self._render("home", view.path, labels, view=view, title=self._options.title or labels.mirror)

    def share_address(self, path: str) -> str:
        """The public address of a page; empty without ``base_url``."""
        return self._address(self._options.base_url, path) if self._options.base_url else ""

    def other_addresses(self, path: str) -> list[str]:
        """The addresses of a page at the other homes of the mirror; none without ``base_url``."""
        return [self._address(home, path) for home in self._options.homes] if self._options.base_url else []

    def _address(self, base_url: str, path: str) -> str:
        return f"{self.volumes.fill(base_url, path).rstrip('/')}/{markdown.path_destination(path)}"

    def share_code(self, path: str) -> bytes | None:
        """PNG image of the QR code of a page's public address, which pages expect at :func:`paths.code_path`.

        None without ``base_url``. The same address gives the same bytes.
        """
        address = self.share_address(path)
        return qr_png(address) if address else None

    def files(self, path: str, text: str) -> Iterator[tuple[str, bytes]]:
        """The files of a page that reads ``text``: itself, and its share code."""
        yield path, text.encode()
        if code := self.share_code(path):
            yield code_path(path), code

    def _render(self, page: str, path: str, labels: Labels, *, article_id: str = "", **variables: Any) -> str:
        options = self._options
        template = self._templates.get(page) or self._templates[page.rpartition("/")[2]]
        placeholders = {
            "{root}": posixpath.relpath(".", posixpath.dirname(path) or "."),
            "{article_id}": article_id,
            "{base_url}": self.volumes.fill(options.base_url, path).rstrip("/"),
        }
        variables.setdefault("share_label", labels.share_page)
        try:
            text = template.render(
                path=path,
                label=labels,
                images=options.images,
                home=Link(title=labels.home, path=HOME),
                navigation=_filled(options.navigation, placeholders),
                footer=_filled(options.footer.strip("\n"), placeholders),
                address=self.share_address(path),
                elsewhere=self.other_addresses(path),
                share_code=posixpath.basename(code_path(path)),
                counter=f"{options.counter.rstrip('/')}/{markdown.path_destination(path)}" if options.counter else "",
                **variables,
            )
        except jinja2.TemplateError as error:
            raise ValueError(f"template {template.name}: {error}") from error
        return text.strip("\n") + "\n"


def published_text(article: Article, labels: Labels) -> str:
    """When an article was published, in Beijing time; only the day when nothing but a dateline told it."""
    if not article.published_at:
        return ""
    if article.published_source == "dateline":
        return article.published_at[:10]
    return _beijing_time(article.published_at, labels)


def _beijing_time(time: str, labels: Labels) -> str:
    return f"{datetime.fromisoformat(time).astimezone(BEIJING):%Y-%m-%d %H:%M} {labels.beijing_time}"


def _history_link(article: Article, place: ArticlePlace, labels: Labels) -> Link | None:
    if article.revision == 1:
        return None
    return Link(title=labels.revisions.format(count=article.revision - 1), path=history_path(place.path))


def _list_title(view: ListView, name: str, labels: Labels) -> str:
    parts = [name] if view.kind == "all" else [name, view.outlet.title]
    if view.number is not None:
        parts.append(labels.page.format(number=view.number))
    return " · ".join(parts)


def _link_path(source: str, target: str | None) -> str | None:
    """The destination of a link: relative, but for a page that is in another volume, whose address ``target`` is."""
    if target is None:
        return None
    if _ADDRESS.match(target):
        return markdown.destination(target)
    return markdown.path_destination(relative(source, target))


def _filled(text: str, placeholders: Mapping[str, str]) -> str:
    for name, value in placeholders.items():
        text = text.replace(name, value)
    return text


def _check(options: PageOptions) -> None:
    for name, value, choices in (
        ("images", options.images, get_args(ImageMode)),
        ("links", options.links, get_args(LinkMode)),
    ):
        if value not in choices:
            raise ValueError(f"{name}: {value!r} is not one of {', '.join(choices)}")
    for name, text in (("title", options.title), ("navigation", options.navigation)):
        if not is_one_line(text):
            raise ValueError(f"{name}: must be one line")
    if options.theme_dir is not None and not options.theme_dir.is_dir():
        raise ValueError(f"theme directory {options.theme_dir} is not a directory")


# Templates


_Sources = tuple[tuple[str, str], ...]
"""The templates' names, in order, each with its text."""


def _read_templates(options: PageOptions) -> _Sources:
    """All templates that there are: the operator's, and ours that they do not replace."""
    sources: dict[str, str] = {}
    directories: list[Traversable] = [_TEMPLATES] if options.theme_dir is None else [_TEMPLATES, options.theme_dir]
    for directory in directories:
        for name, file in _files_under(directory):
            try:
                sources[name] = file.read_text(encoding="utf-8")
            except (UnicodeDecodeError, OSError) as error:
                raise ValueError(f"template {name}: cannot read {error}") from None
    return tuple(sorted(sources.items()))


def _files_under(directory: Traversable, name: str = "") -> Iterator[tuple[str, Traversable]]:
    """Every template under a directory with its relative path."""
    try:
        files_here = list(directory.iterdir())
    except OSError as error:
        raise ValueError(f"templates in {directory}: {error.strerror}") from None
    for file in files_here:
        if file.is_dir():
            yield from _files_under(file, f"{name}{file.name}/")
        elif file.name.endswith(".j2"):
            yield f"{name}{file.name}", file


def _environment(sources: _Sources) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.DictLoader(dict(sources)),
        autoescape=False,  # noqa: S701  (pages are Markdown; every variable passes one of the filters below)
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters.update(
        {
            "md": _of_text(markdown.escape),  # plain text → Markdown that shows it
            "code": _of_text(markdown.code_span),  # plain text → a code span
            "destination": _of_text(markdown.destination),  # an address → the destination of a Markdown link
            "html": _of_text(_html),  # plain text → one line of HTML
            "link": _link,  # a Link → a relative Markdown link, or its title
            "quote": markdown.quote_block,  # a text of a change → a quote, what differs in bold
            "beijing": _beijing,  # an ISO 8601 time → the same for readers, plain text
            "ready": str,  # what is Markdown already
        }
    )
    return environment


def _of_text(write: Callable[[str], str]) -> Callable[[object], str]:
    """A filter that fails as a template does when it is given a field that does not exist."""
    return lambda value: write(str(value))


def _html(text: str) -> str:
    """An empty line would end the HTML block that the text stands in."""
    return html.escape(one_line(text))


@jinja2.pass_context
def _link(context: jinja2.runtime.Context, link: Link) -> str:
    """A Link as Markdown: relative to the page that is being written, plain text when there is no such page."""
    target = _link_path(context["path"], link.path)
    return markdown.escape(link.title) if target is None else f"[{markdown.label(link.title)}]({target})"


@jinja2.pass_context
def _beijing(context: jinja2.runtime.Context, time: object) -> str:
    return _beijing_time(str(time), context["label"])


@functools.lru_cache(maxsize=8)  # to compile a theme takes longer than to write a hundred pages
def _compile(theme: str, sources: _Sources) -> Mapping[str, jinja2.Template]:
    """The theme's templates by ``page`` and by ``outlet/page``, each checked as far as that goes without a page."""
    environment = _environment(sources)
    prefix = f"{theme}/"
    found = [name for name, _ in sources if name.startswith(prefix) and name.endswith(".md.j2")]
    if not found:
        raise ValueError(f"theme {theme!r} is unknown; there are {', '.join(_themes(sources))}")
    names = {name.removeprefix(prefix).removesuffix(".md.j2"): name for name in found}
    names.setdefault("history", "github/history.md.j2")  # a theme older than history pages has none
    templates = {}
    for page, name in names.items():
        try:
            templates[page] = environment.get_template(name)
            _check_template(environment, name, dict(sources)[name])
        except jinja2.TemplateSyntaxError as error:
            raise ValueError(f"template {error.filename or name}, line {error.lineno}: {error.message}") from None
        except jinja2.TemplateNotFound as error:
            raise ValueError(f"template {name}: cannot read {error}") from None
    if missing := [page for page in _PAGES if page not in templates]:
        raise ValueError(f"theme {theme!r} has no template {missing[0]}.md.j2")
    return templates


def _themes(sources: _Sources) -> list[str]:
    return sorted({name.partition("/")[0] for name, _ in sources if name.endswith(".md.j2")})


def _check_template(environment: jinja2.Environment, name: str, source: str) -> None:
    """Find what would fail only when a page is written: a name that no page has, a template that is not there."""
    tree = environment.parse(source)
    if unknown := jinja2.meta.find_undeclared_variables(tree) - _NAMES:
        raise ValueError(f"template {name}: unknown name {min(unknown)!r}; there are {', '.join(sorted(_NAMES))}")
    for used in jinja2.meta.find_referenced_templates(tree):
        if used is not None:
            environment.get_template(used)
