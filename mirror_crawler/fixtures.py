"""A page as a fixture of the tests: what it is by its address, what the selectors of today read on it, its place."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Literal

from scrapy.http import HtmlResponse

from mirror_crawler.browser import PageKind
from mirror_crawler.encoding import decoded
from mirror_crawler.items import Article, Listing
from mirror_crawler.outlet import OutletSpider, utc_now
from mirror_crawler.pages import PageError
from mirror_crawler.pipelines import Normalise

CASE = re.compile(r"[a-z0-9][a-z0-9-]{0,60}")
"""What a case may be called."""
_NOTE = "say what this page is a trap for"


def kind_of(outlet: type[OutletSpider], url: str) -> PageKind | Literal["other"]:
    """``article``, ``list`` or ``other``, by the address; ValueError when it is no page of the outlet."""
    if outlet.addresses.path_of(url) is None:
        raise ValueError(f"{url} is no page of {outlet.name}")
    if outlet.addresses.find_article(url):
        return "article"
    return "list" if outlet.addresses.find_list(url) else "other"


def name_of(outlet: type[OutletSpider], url: str) -> str:
    """A name for the case of a page: the id of what it shows; empty when it has none that can be a name."""
    article, listed = outlet.addresses.find_article(url), outlet.addresses.find_list(url)
    name = article.article_id if article else f"list-{listed.list_id}" if listed else ""
    return name if CASE.fullmatch(name) else ""


def describe(outlet: type[OutletSpider], url: str, body: bytes) -> tuple[dict[str, Any], str]:
    """What ``meta.json`` says of a page, and what is wrong with it: empty when the selectors of today can read it.

    The truth is a draft of what they read. It is for a person to hold against the page. ValueError for what is no text.
    """
    kind = kind_of(outlet, url)
    meta: dict[str, Any] = {"kind": kind, "url": url, "note": _NOTE}
    response = HtmlResponse(url, body=body)
    if decoded(response) is None:
        raise ValueError(f"{url}: what was got for it cannot be decoded as text; nothing is saved")
    try:
        if kind == "list":
            entries = outlet.list_page.from_response(response, outlet.addresses).entries()
            return meta | {"truth": {"articles": [entry.address.article_id for entry in entries]}}, ""
        if kind == "other":
            return meta, ""
        article = outlet.article_page.from_response(response, outlet.addresses).article(outlet.name, utc_now())
        return meta | {"sections": [], "truth": _truth(Normalise().process_item(article))}, ""
    except PageError as error:
        return meta | ({"sections": [], "truth": _unread(outlet, url)} if kind == "article" else {}), str(error)


def save(directory: Path, body: bytes, meta: dict[str, Any]) -> None:
    """Write a case into a new directory; OSError, FileExistsError among them, when it cannot be."""
    directory.mkdir(parents=True)
    (directory / "page.html").write_bytes(body)
    (directory / "meta.json").write_text(f"{json.dumps(meta, ensure_ascii=False, indent=2)}\n", encoding="utf-8")


def _unread(outlet: type[OutletSpider], url: str) -> dict[str, Any]:
    """The truth of an article that cannot be read: what its address tells, the rest to be filled in."""
    address = outlet.addresses.find_article(url)
    known = {"article_id": address.article_id, "url": address.url, "language": address.language} if address else {}
    absent = dict.fromkeys(("published_at", "modified_at", "published_source", "section", "editor", "lead_image"))
    several: dict[str, list[str]] = {name: [] for name in ("tags", "authors", "images", "embeds", "contains", "lacks")}
    return {**known, "title": "", **absent, **several}


def _truth(article: Article | Listing) -> dict[str, Any]:
    record = json.loads(article.to_json())
    as_read = ("article_id", "url", "language", "title", "published_at", "modified_at", "published_source", "section")
    return {
        **{name: record[name] for name in (*as_read, "tags", "authors", "editor")},
        "lead_image": record["lead_image"]["url"] if record["lead_image"] else None,
        "images": [image["url"] for image in record["images"]],
        "embeds": [embed["url"] for embed in record["embeds"]],
        "contains": [],
        "lacks": [],
    }
