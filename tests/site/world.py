"""Everything the sample outlets serve: articles, section and tag lists with their pagers, feeds, robots.txt, traps.

Hand-written articles are the static pages under tests/fixtures; :func:`tests.site.load.many` makes the rest.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Literal

from tests.site import epochtimes, feeds, load, ntdtv, pictures
from tests.site.stories import HOSTS, SECTIONS, Story, section_url, tag_url

FIXTURES = Path(__file__).parent.parent / "fixtures"


def robots(crawl_delay: float | None = None) -> bytes:
    """The robots.txt of an outlet."""
    rules = "User-agent: *\nDisallow: /wp-admin/\nDisallow: /gb/private/\n"
    return (rules + (f"Crawl-delay: {crawl_delay:g}\n" if crawl_delay is not None else "")).encode()


ALIASES = {
    **{f"{prefix}epochtimes.com": HOSTS["epochtimes"] for prefix in ("", "cn.", "m.")},
    **{f"{prefix}ntdtv.com": HOSTS["ntdtv"] for prefix in ("", "www2.", "cn.", "m.")},
    "www.dajiyuan.com": HOSTS["epochtimes"],
    "dajiyuan.com": HOSTS["epochtimes"],
}
"""Hosts that redirect to the outlet's own (FACTS A7, B1)."""

TRAPS = {
    "no-body": "https://www.epochtimes.com/gb/26/9/1/n14700101.htm",
    "soft-404": "https://www.epochtimes.com/gb/26/9/1/n14700102.htm",
    "challenge": "https://www.epochtimes.com/gb/26/9/1/n14700103.htm",
    "no-entries": "https://www.epochtimes.com/gb/nf1001.htm",
}
"""Pages answered with 200 that are no articles, and a section without an entry. No list names them."""

Kind = Literal["section", "tag"]


class World:
    """The sample outlets with the given articles, ready to be served.

    ``pages`` and ``aliases`` are what :class:`tests.site.server.SampleSite` serves. ``truth`` holds every article by
    (outlet, article id), ``lists`` the article ids of every list by (outlet, kind, list id), newest first, and
    ``list_pages`` the addresses of its pages. A section exists when an article is in it; nsc418 is drawn as in 2015
    to 2019. Sections of epochtimes have a feed, and ntdtv has a news sitemap, which knows articles of no list too.
    """

    def __init__(self, stories: Iterable[Story], *, per_page: int = 30, weight: int = 1) -> None:
        self.aliases = ALIASES
        self.truth = {(story.outlet, story.article_id): story for story in stories}
        self.lists: dict[tuple[str, Kind, str], tuple[str, ...]] = {}
        self.list_pages: dict[tuple[str, Kind, str], tuple[str, ...]] = {}
        self.pages: dict[str, tuple[bytes, ...]] = {story.url: story.page for story in self.truth.values()}
        self._per_page = per_page
        self._weight = weight
        members: dict[tuple[str, Kind, str], list[Story]] = defaultdict(list)
        for story in sorted(self.truth.values(), key=lambda story: (story.moment, story.article_id), reverse=True):
            for section in story.sections:
                members[story.outlet, "section", section].append(story)
            for tag in story.tags if story.sections else ():
                members[story.outlet, "tag", tag].append(story)
        for (outlet, kind, identity), found in members.items():
            self._add_list(outlet, kind, identity, found)
        self._add_feeds(members)
        self._add_furnishings()

    def changed(self, *stories: Story, without: Collection[str] = ()) -> World:
        """The world some time later: ``stories`` are new or in place of what they were; ``without`` are ids of
        articles that are gone, from the lists too.
        """
        kept = {key: story for key, story in self.truth.items() if key[1] not in without}
        kept |= {(story.outlet, story.article_id): story for story in stories}
        return World(kept.values(), per_page=self._per_page, weight=self._weight)

    def listed(self, outlet: str) -> set[str]:
        """The ids of the articles that at least one list names."""
        return {identity for (owner, identity), story in self.truth.items() if owner == outlet and story.sections}

    def memberships(self, outlet: str, article_id: str) -> set[tuple[Kind, str]]:
        """The lists that name an article."""
        return {
            (kind, name) for (owner, kind, name), ids in self.lists.items() if owner == outlet and article_id in ids
        }

    def list_page(self, key: tuple[str, Kind, str], page: int, stories: Sequence[Story]) -> tuple[bytes, ...]:
        """The page number ``page`` of a list, with ``stories`` as its entries."""
        outlet, kind, identity = key
        name = SECTIONS[outlet][identity] if kind == "section" else identity
        if outlet == "ntdtv":
            draw = ntdtv.list_page
        else:
            draw = epochtimes.old_list_page if identity == "nsc418" else epochtimes.list_page
        return draw(name, stories, page, self.list_pages[key], weight=self._weight)

    def _add_list(self, outlet: str, kind: Kind, identity: str, stories: Sequence[Story]) -> None:
        key = outlet, kind, identity
        self.lists[key] = tuple(story.article_id for story in stories)
        chunks = [stories[at : at + self._per_page] for at in range(0, len(stories), self._per_page)]
        self.list_pages[key] = tuple(list_address(outlet, kind, identity, page) for page in range(1, len(chunks) + 1))
        for page, (address, chunk) in enumerate(zip(self.list_pages[key], chunks, strict=True), 1):
            self.pages[address] = self.list_page(key, page, chunk)

    def _add_feeds(self, members: dict[tuple[str, Kind, str], list[Story]]) -> None:
        for (outlet, kind, identity), found in members.items():
            if (outlet, kind) == ("epochtimes", "section"):
                self.pages[feeds.feed_url(identity)] = (feeds.feed(identity, found),)
        self.pages[feeds.SITEMAP] = (feeds.sitemap(story for story in self.truth.values() if story.outlet == "ntdtv"),)

    def _add_furnishings(self) -> None:
        """robots.txt of both outlets and of the hosts of their pictures, their home pages, and the traps."""
        for host in pictures.HOSTS.values():
            self.pages[f"https://{host}/robots.txt"] = (b"User-agent: *\nDisallow: /assets/private/\n",)
        for host in HOSTS.values():
            self.pages[f"https://{host}/robots.txt"] = (robots(),)
            self.pages[f"https://{host}/gb/"] = ("<!DOCTYPE html><title>首页</title><h1>首页</h1>".encode(),)
            self.pages[f"https://{host}/gb/private/"] = (b"<!DOCTYPE html><p>private",)
        for case in ("no-body", "soft-404", "challenge"):
            self.pages[TRAPS[case]] = ((FIXTURES / "epochtimes" / f"not-{case}" / "page.html").read_bytes(),)
        self.pages[TRAPS["no-entries"]] = ((FIXTURES / "epochtimes" / "list-empty" / "page.html").read_bytes(),)


def list_address(outlet: str, kind: Kind, identity: str, page: int) -> str:
    """The address of a list page. Pagers are spelled in as many ways as the outlets do (FACTS A1, B1)."""
    first = section_url(outlet, identity) if kind == "section" else tag_url(outlet, identity)
    if page == 1:
        return first
    if kind == "section":
        return f"{first}/{page}" if outlet == "ntdtv" else first.replace(".htm", f"_{page}.htm")
    return first.replace(".htm", f"_{page}.htm") if outlet == "ntdtv" else first.replace(".html", f".{page}.html")


def written(outlet: str) -> list[Story]:
    """The hand-written articles of ``outlet``: the pages under tests/fixtures whose meta.json has their truth."""
    stories = []
    for place in sorted((FIXTURES / outlet).iterdir()):
        meta = json.loads((place / "meta.json").read_text(encoding="utf-8"))
        if meta["kind"] != "article":
            continue
        truth = meta["truth"]
        stories.append(
            Story(
                outlet=outlet,
                article_id=truth["article_id"],
                url=truth["url"],
                title=truth["title"],
                published_at=truth["published_at"],
                modified_at=truth["modified_at"],
                published_source=truth["published_source"],
                section=(truth["section"]["id"], truth["section"]["name"]) if truth["section"] else None,
                tags=tuple(truth["tags"]),
                authors=tuple(truth["authors"]),
                editor=truth["editor"],
                sections=tuple(meta["sections"]),
                summary=meta["note"],
                thumbnail=truth["lead_image"] or "",
                page=((place / "page.html").read_bytes(),),
            )
        )
    return stories


def default_world(generated: int = 60) -> World:
    """Both outlets: every hand-written article and ``generated`` more of each."""
    stories = [story for outlet in HOSTS for story in [*written(outlet), *load.many(outlet, generated)]]
    return World(stories)
