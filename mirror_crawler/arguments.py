"""What an operator asked of a crawl: the ``-a`` arguments of every outlet, checked before the first request."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from urllib.parse import urljoin

from mirror_crawler.addresses import Addresses, ArticleAddress, ListAddress, tag_slug

ARGUMENTS = ("section", "tag", "url", "pages")


class ArgumentError(ValueError):
    """An argument that cannot be meant; the message is one line that names it and the valid choices."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run starts from. ``pages`` is how many pages of each list: a number, None for all of them, or 0 for
    the default: on until one whole page brings nothing new.
    """

    lists: tuple[ListAddress, ...]
    articles: tuple[ArticleAddress, ...]
    pages: int | None = 0


def read_plan(
    arguments: Mapping[str, str], addresses: Addresses, sections: Collection[str], default_sections: Collection[str]
) -> Plan:
    """The plan that ``arguments`` (name → text, as given on the command line) ask for; ArgumentError if none can be."""
    if unknown := sorted(arguments.keys() - set(ARGUMENTS)):
        raise ArgumentError(f"unknown argument {unknown[0]!r}; use {', '.join(ARGUMENTS)}")
    lists: list[ListAddress] = []
    articles: list[ArticleAddress] = []
    for name in _words(arguments, "section"):
        if name not in sections:
            raise ArgumentError(
                f"section={name}: unknown section; use {', '.join(sections)} (or url= for any other list)"
            )
        lists.append(ListAddress(kind="section", list_id=name, url=addresses.list_url("section", name)))
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
    if not {"section", "tag", "url"} & arguments.keys():
        lists = [
            ListAddress(kind="section", list_id=name, url=addresses.list_url("section", name))
            for name in default_sections
        ]
    return Plan(lists=tuple(dict.fromkeys(lists)), articles=tuple(dict.fromkeys(articles)), pages=_pages(arguments))


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
