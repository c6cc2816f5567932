"""Read a JSON line back into the item it was made from, and trust nothing in it.

A line may come from another mirror or from a text editor. What passes here is what the pipelines could have stored:
fields of the right types, identity and address of an outlet that the project knows, a body in the closed vocabulary.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from mirror_crawler.addresses import Addresses, tag_slug
from mirror_crawler.items import SCHEMA, Article, Listing, Picture, Volume, content_hash
from mirror_crawler.markup import sanitise


def read_record(line: bytes, outlets: Mapping[str, Addresses]) -> Article | Listing | Picture | Volume:
    """The item of a JSON line. Raises ValueError with the reason, in one line, when it cannot be taken."""
    try:
        record: Any = json.loads(line)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8: {error.reason} at byte {error.start + 1}") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg} at character {error.pos + 1}") from None
    if not isinstance(record, dict):
        raise ValueError("not a JSON object")
    if "list_kind" in record:
        listing = Listing.from_record(record)
        _check_listing(listing, outlets)
        return listing
    if "asset" in record:
        picture = Picture.from_record(record)
        _check_picture(picture, outlets)
        return picture
    if "first_day" in record:
        return Volume.from_record(record)
    article = Article.from_record(record)
    _check_article(article, outlets)
    return article


def _check_article(article: Article, outlets: Mapping[str, Addresses]) -> None:
    if article.schema != SCHEMA:
        raise ValueError(f"schema: {article.schema} is not {SCHEMA}")
    _check_identity(article, outlets)
    for name in ("published_at", "modified_at", "first_seen_at", "fetched_at", "withdrawn_at"):
        _check_time(name, getattr(article, name))
    pictures = [article.lead_image, *article.images]
    for url in [picture.url for picture in pictures if picture] + [embed.url for embed in article.embeds]:
        if not url.startswith(("https://", "http://")):
            raise ValueError(f"url: {url!r:.60} is not an http(s) address")
    if not article.title or not article.body_html:
        raise ValueError("title or body_html: empty")
    if sanitise(article.body_html, article.url) != article.body_html:
        raise ValueError("body_html: not in the closed vocabulary")
    if content_hash(article.title, article.lead_image, article.body_html) != article.content_hash:
        raise ValueError("content_hash: not that of title, lead_image and body_html")


def _check_picture(picture: Picture, outlets: Mapping[str, Addresses]) -> None:
    addresses = outlets.get(picture.outlet)
    if addresses is None:
        raise ValueError(f"outlet: {picture.outlet} is not one of {', '.join(outlets)}")
    if addresses.picture_url(picture.url) is None:
        raise ValueError(f"url: {picture.url!r:.100} is not the address of a picture of {picture.outlet}")
    for name, number in (("width", picture.width), ("height", picture.height)):
        if number < 1:
            raise ValueError(f"{name}: {number} is not from 1")
    _check_time("stored_at", picture.stored_at)


def _check_listing(listing: Listing, outlets: Mapping[str, Addresses]) -> None:
    addresses = _check_identity(listing, outlets)
    _check_time("seen_at", listing.seen_at)
    for name, number in (("page", listing.page), ("position", listing.position)):
        if number < 1:
            raise ValueError(f"{name}: {number} is not from 1")
    if listing.list_kind == "tag":
        known = tag_slug(listing.list_id) == listing.list_id
    else:
        found = addresses.find_list(addresses.list_url("section", listing.list_id))
        known = found is not None and (found.kind, found.list_id) == ("section", listing.list_id)
    if not known:
        raise ValueError(f"list_id: {listing.list_id!r:.60} cannot be a {listing.list_kind} of {listing.outlet}")


def _check_identity(item: Article | Listing, outlets: Mapping[str, Addresses]) -> Addresses:
    """The address must be the canonical one of that article at that outlet."""
    addresses = outlets.get(item.outlet)
    if addresses is None:
        raise ValueError(f"outlet: {item.outlet} is not one of {', '.join(outlets)}")
    found = addresses.find_article(item.url)
    if found is None or (found.article_id, found.url) != (item.article_id, item.url):
        raise ValueError(f"url: {item.url!r:.100} is not the address of {item.outlet} {item.article_id}")
    return addresses


def _check_time(name: str, value: str | None) -> None:
    if value is None:
        return
    try:
        offset = datetime.fromisoformat(value).utcoffset()
    except ValueError:
        offset = None
    if offset is None:
        raise ValueError(f"{name}: {value!r:.40} is not an ISO 8601 time with an offset")
