"""What an operator asked of a crawl: the ``-a`` arguments of every outlet, checked before the first request."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Literal
from urllib.parse import quote, urljoin

from mirror_crawler.addresses import LANGUAGES, Addresses, ArticleAddress, ListAddress, tag_slug
from mirror_crawler.clock import BEIJING

ARGUMENTS = ("section", "tag", "url", "pages", "since", "until", "source", "refresh", "render")

Source = Literal["lists", "feed", "sitemap"]
"""Where articles are found: list pages, feeds, sitemaps."""

Render = Literal["splash", "none"]
"""Whether all pages of lists and articles are fetched through Splash, or none."""

_EARLIER, _LATER = 1, 2
"""An article is published so many days before to so many after the day in its address (FACTS A1, B1); the few that
are later by weeks cannot be told by their address.
"""


class ArgumentError(ValueError):
    """An argument that cannot be meant; the message is one line that names it and the valid choices."""


def check_repeated(names: Iterable[str]) -> None:
    """ArgumentError for a name that is given twice: Scrapy would silently take the last value."""
    for name, times in Counter(names).items():
        if times > 1:
            raise ArgumentError(f"{name}= is given {times} times; give it once, with all of its values")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The days of publication that are asked for, in Beijing, both inclusive; None is open.

    ``url_day`` is always the day in an article's address, None when it has no real one. It is near the day of
    publication, not the same (FACTS A1, B1).
    """

    since: date | None = None
    until: date | None = None

    @property
    def name(self) -> str:
        """``2026-11-01..2026-11-07``, an open end left empty; the empty string when both are open."""
        if self.since is None and self.until is None:
            return ""
        return f"{self.since or ''}..{self.until or ''}"

    def may_hold(self, url_day: date | None) -> bool:
        """Whether an article with this day in its address may have been published in the window."""
        if url_day is None:
            return True
        too_late = self.until is not None and (url_day - self.until).days > _EARLIER
        return not too_late and not self.is_past(url_day)

    def is_past(self, url_day: date | None) -> bool:
        """Whether an article with this day in its address was published before the window.

        Lists begin with the newest article, so a list page with nothing else is the last one worth a look.
        """
        return url_day is not None and self.since is not None and (self.since - url_day).days > _LATER

    def holds(self, published_at: str | None, url_day: date | None) -> bool:
        """Whether an article was published in the window: by its time (ISO 8601 with offset), else by ``url_day``.
        One of which neither is known is held, lest it be lost.
        """
        day = url_day if published_at is None else datetime.fromisoformat(published_at).astimezone(BEIJING).date()
        if day is None:
            return True
        return (self.since is None or self.since <= day) and (self.until is None or day <= self.until)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run starts from.

    ``pages`` is how many pages of each list: a number, None for all of them, or 0 for the default: on until one whole
    page brings nothing new, at most MIRROR_MAX_LIST_PAGES, or as far as the window reaches (``bounded_by_window``).
    ``window`` bounds what lists, feeds and sitemaps name; ``articles`` and ``refresh`` are taken whenever they were
    published. ``feeds`` and ``sitemaps`` are addresses; an outlet may have given them up. ``refresh`` are ids of
    articles to look at again if they are stored, or ``all`` that are; None when nothing was asked. ``render`` is None
    when the outlet and the settings decide.
    """

    lists: tuple[ListAddress, ...]
    articles: tuple[ArticleAddress, ...]
    pages: int | None = 0
    window: Window | None = None
    sources: tuple[Source, ...] = ("lists",)
    feeds: tuple[str, ...] = ()
    sitemaps: tuple[str, ...] = ()
    refresh: tuple[str, ...] | Literal["all"] | None = None
    render: Render | None = None

    @property
    def window_name(self) -> str:
        """The name of the window, empty when there is none: the key of a walk beside its list."""
        return self.window.name if self.window else ""

    @property
    def bounded_by_window(self) -> bool:
        """Whether lists are walked, past what is stored and without a limit of pages, until a page
        :meth:`Window.is_past` as a whole; with an open beginning that is the end of the list.
        """
        return self.window is not None and self.pages == 0


def read_plan(
    arguments: Mapping[str, str],
    addresses: Addresses,
    sections: Collection[str],
    default_sections: Collection[str],
    *,
    section_feed: str = "",
    feeds: Sequence[str] = (),
    sitemaps: Sequence[str] = (),
    today: date = date.max,
) -> Plan:
    """The plan that ``arguments`` (name → text, as given on the command line) ask for; ArgumentError if none can be.

    ``section_feed`` is the form of the address of a section's feed, with ``{id}`` and perhaps ``{script}``; ``feeds``
    and ``sitemaps`` are those of the whole outlet. An outlet has the sources that it states addresses for. ``today``
    is the day in Beijing; no window begins later.

    Without ``section``, ``tag`` and ``url`` the default sections are meant; with ``refresh`` alone nothing is.
    A source that is asked for is used: sections contribute their own feeds, and where none of them has any, or
    none is named, so does the outlet.
    """
    if unknown := sorted(arguments.keys() - set(ARGUMENTS)):
        raise ArgumentError(f"unknown argument {unknown[0]!r}; use {', '.join(ARGUMENTS)}")
    sources = _sources(arguments, feed=bool(section_feed or feeds), sitemap=bool(sitemaps))
    lists, articles = _named(arguments, addresses, sections)
    named = bool({"section", "tag", "url"} & arguments.keys())
    if not named and ("refresh" not in arguments or "source" in arguments):
        lists = [_section(name, addresses) for name in default_sections]
    found: list[str] = []
    if "feed" in sources:
        found = _section_feeds(lists, section_feed)
        if not (named and found):
            found += feeds
        if not found:
            raise ArgumentError("source=feed: nothing of what is asked for has a feed; name sections")
    return Plan(
        lists=tuple(dict.fromkeys(lists)) if "lists" in sources else (),
        articles=tuple(dict.fromkeys(articles)),
        pages=_pages(arguments),
        window=_window(arguments, today),
        sources=sources,
        feeds=tuple(dict.fromkeys(found)),
        sitemaps=tuple(dict.fromkeys(sitemaps)) if "sitemap" in sources else (),
        refresh=_refresh(arguments, addresses),
        render=_render(arguments),
    )


def _named(
    arguments: Mapping[str, str], addresses: Addresses, sections: Collection[str]
) -> tuple[list[ListAddress], list[ArticleAddress]]:
    """The lists and articles that ``section``, ``tag`` and ``url`` name."""
    lists: list[ListAddress] = []
    articles: list[ArticleAddress] = []
    for name in _words(arguments, "section"):
        if name not in sections:
            raise ArgumentError(
                f"section={name}: unknown section; use {', '.join(sections)} (or url= for any other list)"
            )
        lists.append(_section(name, addresses))
    for name in _words(arguments, "tag"):
        tag = _tag(name, addresses)
        if tag is None:
            raise ArgumentError(
                f"tag={name!r:.60}: cannot be a tag; a tag is a word as its page's address spells it, no '/'"
            )
        lists.append(tag)
    for url in _urls(arguments):
        article, found = addresses.find_article(url), addresses.find_list(url)
        if article is not None:
            articles.append(article)
        elif found is not None:
            url = urljoin(found.url, addresses.path_of(url)) if found.page > 1 else found.url
            lists.append(dataclasses.replace(found, url=url))
        else:
            raise ArgumentError(
                f"url={url:.200}: neither an article nor a list of this outlet; "
                f"its hosts are {', '.join(sorted(addresses.hosts))}"
            )
    return lists, articles


def _section(name: str, addresses: Addresses) -> ListAddress:
    return ListAddress(kind="section", list_id=name, url=addresses.list_url("section", name))


def _tag(name: str, addresses: Addresses) -> ListAddress | None:
    """The list of a tag; None when no tag is called so, or the address it would have is another page's."""
    slug = tag_slug(name)
    if slug is None:
        return None
    tag = ListAddress(kind="tag", list_id=slug, url=addresses.list_url("tag", slug))
    return tag if addresses.find_list(tag.url) == tag else None


def _words(arguments: Mapping[str, str], name: str) -> list[str]:
    """The comma-separated words of one argument; an argument that is given must name something."""
    if name not in arguments:
        return []
    words = [word.strip() for word in re.split(r"[,，]", arguments[name])]
    if not all(words):
        raise ArgumentError(f"{name}={arguments[name]}: an empty name; give one or more, separated by commas")
    return words


def _urls(arguments: Mapping[str, str]) -> Iterator[str]:
    """The addresses of ``url=``, separated by white space; ``@file`` stands for the lines of a file without those
    that start with #.
    """
    if "url" not in arguments:
        return
    words = arguments["url"].split()
    if not words:
        raise ArgumentError("url=: empty; give one or more addresses separated by spaces, or @file")
    for word in words:
        if not word.startswith("@"):
            yield word
            continue
        try:
            lines = Path(word[1:]).read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise ArgumentError(f"url={word}: cannot read the file: {error}") from None
        addresses = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
        if not addresses:
            raise ArgumentError(f"url={word}: the file names no address; give one a line")
        yield from addresses


def _pages(arguments: Mapping[str, str]) -> int | None:
    text = arguments.get("pages")
    if text is None:
        return 0
    if text == "all":
        return None
    if re.fullmatch(r"[1-9][0-9]{0,5}", text):
        return int(text)
    raise ArgumentError(f"pages={text}: use a number from 1, or all")


def _sources(arguments: Mapping[str, str], *, feed: bool, sitemap: bool) -> tuple[Source, ...]:
    """The sources that are asked for, each once; ``feed`` and ``sitemap`` say whether the outlet has such."""
    has: dict[str, Source] = {"lists": "lists"}
    if feed:
        has["feed"] = "feed"
    if sitemap:
        has["sitemap"] = "sitemap"
    words = _words(arguments, "source") or ["lists"]
    for word in words:
        if word not in has:
            raise ArgumentError(f"source={word!r:.60}: no source of this outlet; it has {', '.join(has)}")
    return tuple(dict.fromkeys(has[word] for word in words))


def _section_feeds(lists: Sequence[ListAddress], section_feed: str) -> list[str]:
    """The addresses of the feeds of those lists that are sections, in the script of each list."""
    if not section_feed:
        return []
    return [
        section_feed.format(script=script, id=quote(address.list_id, safe="/"))
        for address in lists
        if address.kind == "section"
        for script in LANGUAGES
        if f"/{script}/" in address.url
    ]


def _window(arguments: Mapping[str, str], today: date) -> Window | None:
    since, until = _day(arguments, "since"), _day(arguments, "until")
    if since is None and until is None:
        return None
    if since is not None and since > today:
        raise ArgumentError(f"since={since}: in the future; today is {today} in Beijing")
    if since is not None and until is not None and since > until:
        raise ArgumentError(f"since={since} until={until}: ends before it begins")
    return Window(since=since, until=until)


def _day(arguments: Mapping[str, str], name: str) -> date | None:
    text = arguments.get(name)
    if text is None:
        return None
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise ArgumentError(f"{name}={text!r:.60}: no day; use YYYY-MM-DD, a day in Beijing")


def _refresh(arguments: Mapping[str, str], addresses: Addresses) -> tuple[str, ...] | Literal["all"] | None:
    """The ids of the articles to look at again. Given by id or address; white space may separate them too."""
    if "refresh" not in arguments:
        return None
    words = [word for words in _words(arguments, "refresh") for word in words.split()]
    if "all" in words:
        if set(words) != {"all"}:
            raise ArgumentError("refresh: all is every stored article; give it alone, or name articles")
        return "all"
    return tuple(dict.fromkeys(_article_id(word, addresses) for word in words))


def _render(arguments: Mapping[str, str]) -> Render | None:
    choices: dict[str | None, Render | None] = {None: None, "splash": "splash", "none": "none"}
    text = arguments.get("render")
    if text not in choices:
        raise ArgumentError(f"render={text!r:.60}: use splash or none")
    return choices[text]


def _article_id(word: str, addresses: Addresses) -> str:
    """The id that ``word`` is, or that the address it is leads to."""
    if article := addresses.find_article(word):
        return article.article_id
    # The form of an id is known by that of an address only, so one is made up for it.
    number = word.removeprefix(addresses.article_id.format(number=""))
    made_up = addresses.article_url.format(script="gb", number=number, year=2001, short_year=1, month=1, day=1)
    article = addresses.find_article(made_up)
    if article is None or article.article_id != word:
        example = addresses.article_id.format(number=14860001)
        raise ArgumentError(
            f"refresh={word!r:.200}: neither the id of an article, such as {example}, nor the address of one; "
            "all is every stored article"
        )
    return word
