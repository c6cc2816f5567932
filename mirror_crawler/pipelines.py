"""Item pipelines, in their order; each has one reason to be.

:class:`Normalise` gives one spelling to the same thing, :class:`Validate` stops what no reader should see,
:class:`Deduplicate` lets each thing through once a run, :class:`Store` makes it durable, :class:`WritePages` makes the
tree follow the store. An item that comes out at the end is stored: only then do the feeds take it.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import re
import unicodedata
from datetime import datetime
from typing import TYPE_CHECKING, Self

from scrapy.exceptions import DropItem

from mirror_crawler.config import why_not_written
from mirror_crawler.items import Article, Image, Listing, content_hash
from mirror_crawler.links import LinkFinder
from mirror_crawler.outlet import load_outlets
from mirror_crawler.publish import Publisher
from mirror_crawler.run import Run
from mirror_crawler.store import StoreError
from mirror_crawler.writer import PageWriter

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

logger = logging.getLogger(__name__)

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]")
"""Control characters, separators that break lines, and marks that would turn the reading direction of a page around."""
_LONGEST_LINE = 300


class Normalise:
    """One spelling: names and titles without control characters, in NFC, white space collapsed; then the hash."""

    def process_item(self, item: Article | Listing) -> Article | Listing:
        """The item with its texts normalised."""
        if isinstance(item, Listing):
            name, title = plain(item.list_name), plain(item.title)
            is_plain = (name, title) == (item.list_name, item.title)
            return item if is_plain else dataclasses.replace(item, list_name=name, title=title)
        title, lead = plain(item.title), _plain_image(item.lead_image) if item.lead_image else None
        return dataclasses.replace(
            item,
            title=title,
            authors=_distinct(item.authors),
            editor=plain(item.editor or "") or None,
            section=dataclasses.replace(item.section, name=plain(item.section.name)) if item.section else None,
            tags=_distinct(item.tags),
            lead_image=lead,
            images=[_plain_image(image) for image in item.images],
            content_hash=content_hash(title, lead, item.body_html),
        )


class Validate:
    """No article without headline and body, none with a time that is no instant, no key that is not the outlet's."""

    def __init__(self, crawler: Crawler) -> None:
        self.run = Run.of(crawler)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Scrapy's factory."""
        return cls(crawler)

    def process_item(self, item: Article | Listing) -> Article | Listing:
        """The item as it is; DropItem with the reason when it cannot be kept. An article is then asked for again."""
        reason = self._fault(item)
        if reason:
            self.run.count("items/invalid")
            if isinstance(item, Article) and item.outlet == self.run.outlet:
                self.run.article_lost(item.article_id, item.url, reason)
            else:
                logger.error("Dropped %s of %s: %s", type(item).__name__.lower(), item.url, reason)
            raise DropItem(reason)
        return item

    def _fault(self, item: Article | Listing) -> str | None:
        if item.outlet != self.run.outlet:
            return f"outlet {item.outlet!r} is not this spider's"
        if isinstance(item, Listing):
            return None
        if not item.title or not item.body_html:
            return "no title or no body"
        for name, moment in (("published_at", item.published_at), ("modified_at", item.modified_at)):
            if moment is not None and not _is_instant(moment):
                return f"{name} {moment!r:.40} is no time with a zone"
        return None


class Deduplicate:
    """Each article and each listing once a run, whatever hosts, scripts or pages led to it."""

    def __init__(self) -> None:
        self._seen: set[tuple[str, ...]] = set()

    def process_item(self, item: Article | Listing) -> Article | Listing:
        """The item; DropItem when its like has passed."""
        key = (item.list_kind, item.list_id, item.article_id) if isinstance(item, Listing) else (item.article_id,)
        if key in self._seen:
            raise DropItem(f"a second {' '.join(key)}")
        self._seen.add(key)
        return item


class Store:
    """Into the store. What it holds already in the same words goes no further."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.run = Run.of(crawler)
        outlets = {name: outlet.addresses for name, outlet in load_outlets(crawler.settings).items()}
        self.links = LinkFinder(outlets, self.run.config.images_per_article)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Scrapy's factory."""
        return cls(crawler)

    def process_item(self, item: Article | Listing) -> Article | Listing:
        """The item as it is stored: with its revision and the time it was first seen."""
        try:
            stored, outcome = self._listing(item) if isinstance(item, Listing) else self._article(item)
        except StoreError as error:
            self.run.store_failed(error)
            raise DropItem(str(error)) from None
        self.run.count(f"{'listings' if isinstance(item, Listing) else 'articles'}/{outcome}")
        if outcome in ("known", "unchanged"):
            raise DropItem(f"{item.url} is stored as it is")
        return stored

    def _listing(self, listing: Listing) -> tuple[Listing, str]:
        new = self.run.store.put_listing(listing, self.run.name)
        return listing, "new" if new else "known"

    def _article(self, article: Article) -> tuple[Article, str]:
        if article.withdrawn_at is not None:
            self.run.store.withdraw(article, self.run.name)
            return article, "withdrawn"
        state = self.run.states.pop(article.url, None)
        stored, outcome = self.run.store.put_article(article, self.run.name, self.links.ties_of(article), state)
        if outcome in ("new", "revised"):
            pictures = len(self.links.pictures_of(article))
            self.run.count("pictures/beyond_article", max(0, pictures - self.links.most_pictures))
        return stored, outcome


class WritePages:
    """The tree follows the store when the crawl has ended: only what changed is written."""

    def __init__(self, crawler: Crawler) -> None:
        self.run = Run.of(crawler)
        self.writer = PageWriter(self.run.store, self.run.config, load_outlets(crawler.settings))

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Scrapy's factory."""
        return cls(crawler)

    async def close_spider(self) -> None:
        """Write what is stale; in a thread, so signals are still answered.

        After a run that failed the outlet's pages stay as the last good run left them.
        """
        try:
            self.run.conclude()
            if self.run.publishes:
                await self._write()
        except StoreError as error:
            self._failed(str(error))
        except OSError as error:
            self._failed(f"{error.filename or self.run.config.output}: {why_not_written(error)}")
        except Exception:  # Scrapy shows it, and would take the run for a good one
            self.run.count("pages/failed")
            raise

    def _failed(self, cause: str) -> None:
        logger.critical("The pages could not be written: %s", cause)
        self.run.count("pages/failed")

    async def _write(self) -> None:
        self.run.store.begin_publishing(self.run.outlet, self.run.name)
        tally = await asyncio.to_thread(self.writer.write_stale, self.run.outlet)
        if self.run.config.publishes:
            self.run.publisher = Publisher(self.writer)
        self.run.count("pages/written", tally.written)
        self.run.count("pages/unchanged", tally.unchanged)
        self.run.count("pages/removed", tally.removed)


def plain(text: str) -> str:
    """A line of text: NFC, no control characters, white space collapsed, cut where no headline or name goes on."""
    line = _cleaned(text)
    return line if len(line) <= _LONGEST_LINE else f"{line[: _LONGEST_LINE - 1]}…"


def _is_instant(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _cleaned(text: str) -> str:
    return " ".join(_CONTROL.sub(" ", unicodedata.normalize("NFC", text)).split())


def _plain_image(image: Image) -> Image:
    return dataclasses.replace(image, alt=plain(image.alt), caption=_cleaned(image.caption))


def _distinct(texts: list[str]) -> list[str]:
    return list(dict.fromkeys(filter(None, map(plain, texts))))
