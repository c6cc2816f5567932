"""Conditional requests (RFC 9110 13): a page that has not changed is neither sent nor read again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from scrapy import Request
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response

from mirror_crawler.run import Run
from mirror_crawler.store import Validator

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

CONDITIONAL = "conditional"
"""Request meta key: answer 304 if the page is as it was when it was stored."""
NOT_MODIFIED = 304

_LONGEST = 512
_ASKED = ((b"If-None-Match", "etag"), (b"If-Modified-Since", "modified"))


class Conditional:
    """Sends back what the outlet said of a page's state, with the requests that ask for it."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Scrapy's factory."""
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        """Add the headers. What a redirect leads to is asked with the state of the page that was meant."""
        if not request.meta.get(CONDITIONAL):
            return
        validator = Run.of(self.crawler).store.validator(asked_url(request))
        if validator is not None:
            for header, part in _ASKED:
                if value := getattr(validator, part):
                    request.headers[header] = value

    def process_response(self, request: Request, response: Response) -> Response:
        """Count what was not sent. A 304 to a request that did not say what is known stands for nothing: IgnoreRequest,
        so it is told as a failure.
        """
        if response.status == NOT_MODIFIED:
            if not any(header in request.headers for header, _ in _ASKED):
                raise IgnoreRequest("HTTP 304 without being asked for it")
            Run.of(self.crawler).count("http/not_modified")
        return response


def asked_url(request: Request) -> str:
    """The address that was asked for in the first place, whatever redirects made of it."""
    urls: list[str] = request.meta.get("redirect_urls") or [request.url]
    return urls[0]


def validator_of(response: Response, next_url: str = "") -> Validator:
    """What a response says of the state of its page; empty when it says nothing, or nothing that can be sent back."""
    return Validator(_header(response, "ETag"), _header(response, "Last-Modified"), next_url)


def _header(response: Response, name: str) -> str:
    text = (response.headers.get(name) or b"").decode("latin-1").strip()
    return text if len(text) <= _LONGEST and text.isascii() and text.isprintable() else ""
