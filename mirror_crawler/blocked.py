"""Notice when the outlet refuses us, and leave instead of hammering: 403 answers and challenge pages."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Self

from scrapy import Request
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response, TextResponse
from selectolax.lexbor import LexborHTMLParser

from mirror_crawler.gate import NotSentError
from mirror_crawler.pace import NOT_SENT, Pace, is_good, stop
from mirror_crawler.robots import is_robotstxt
from mirror_crawler.run import KNOWN_TO_FAIL, PICTURE, Run

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

logger = logging.getLogger(__name__)

IN_A_ROW = 5
"""So many refusals without a good answer between end the run."""

_PARTS = (b"challenge", b"cf-turnstile", b"cf_chl")
"""A page with none of these in it is not looked at further, unless it has one of the titles in front of its body."""
_TITLES = ("Just a moment", "请稍候", "請稍候")
_TITLE_HINTS = tuple(title.encode() for title in _TITLES)
_FOLDED_TITLES = frozenset(map(str.casefold, _TITLES))
_MARKS = '.cf-turnstile, .cf-challenge, #cf-challenge-running, form[action*="__cf_chl"]'
_SCRIPT = re.compile(r"_cf_chl_opt|/cdn-cgi/challenge-platform/(?!scripts/)")
"""What is under ``scripts/`` watches visitors of ordinary pages."""
_SAYS_WHAT_IT_IS = 'link[rel~="canonical"], meta[property^="og:"], article, [itemprop="articleBody"]'
"""Found in pages with content, in no challenge page."""
_MANY_TAGS = 2_000
"""More than a challenge page has; and one that is nested without end would take minutes."""
_LITTLE_TEXT = 1_000
"""Characters; a challenge page has a few lines, the furniture alone of an outlet's page has more."""


class ChallengeError(IgnoreRequest):
    """A page came that wants to see a browser at work, instead of what was asked for."""


class Blocked:
    """Downloader middleware: counts refusals, keeps challenge pages from the spider, and ends a run that is refused.

    A refusal is a 403 or a challenge page; :data:`IN_A_ROW` of them without a good answer between end the run. A 403
    for an article that earlier runs could not get either does not count as one once the outlet has served us anything:
    a few articles may be closed to everybody for good. After as many of those in a row, the others are left for the
    next run.

    It must see pages decompressed, and before anything is asked for again.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self._refusals = 0
        self._closed = 0
        self._served = False

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Scrapy's factory."""
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        """Raise IgnoreRequest for what must not be sent any more."""
        if Pace.of(self.crawler).stopped:
            raise NotSentError(NOT_SENT)
        if request.meta.get(KNOWN_TO_FAIL) and self._closed >= IN_A_ROW:
            raise IgnoreRequest("not sent: the outlet forbids one after another of those that failed before")

    def process_response(self, request: Request, response: Response) -> Response:
        """Let an answer through unless it is a challenge page: then raise IgnoreRequest."""
        if is_robotstxt(request) and 400 <= response.status < 500:
            return response  # robots.py says what that means
        if request.meta.get(PICTURE) and not is_challenge(response):
            return response  # good or not, it says nothing of the outlet's pages
        if is_challenge(response):
            if not request.meta.get(PICTURE):
                self._refused(request, "challenge")
            raise ChallengeError("challenge page")
        if response.status == 403:
            self._refused(request, "forbidden")
        elif is_good(response) and not is_robotstxt(request):
            self._refusals = self._closed = 0
            self._served = True
        return response

    def _refused(self, request: Request, how: str) -> None:
        run = Run.of(self.crawler)
        run.count(f"blocked/{how}")
        run.tally.refused_by_outlet(request.url, "HTTP 403" if how == "forbidden" else "challenge page")
        if how == "forbidden" and request.meta.get(KNOWN_TO_FAIL) and self._served:
            self._closed += 1
            return
        self._refusals += 1
        if is_robotstxt(request):
            stop(self.crawler, f"a challenge page instead of {request.url}")
        elif self._refusals >= IN_A_ROW:
            answers = "challenge pages" if how == "challenge" else "HTTP 403"
            stop(self.crawler, f"{self._refusals} refusals in a row, {answers} at last: {request.url}")


def is_challenge(response: Response) -> bool:
    """Whether an answer is a page that wants to see a browser at work first, whatever its status.

    Only what a page is made of counts, never what its text says: an article may well write about such pages, and
    ordinary pages carry some of their parts (a widget beside a form, a script that watches visitors).
    """
    if (response.headers.get("Cf-Mitigated") or b"").strip().lower() == b"challenge":
        return True
    body = response.body
    # In the order of what it costs: this is done to every page.
    if not isinstance(response, TextResponse) or body.count(b"<") > _MANY_TAGS or not _has_hints(body):
        return False
    page = LexborHTMLParser(body)
    return _asks_for_a_browser(page) and not page.css_matches(_SAYS_WHAT_IT_IS) and _text(page) < _LITTLE_TEXT


def _has_hints(body: bytes) -> bool:
    head = body[: body.find(b"<body")]  # nearly all where there is no such tag
    return any(part in body for part in _PARTS) or any(title in head for title in _TITLE_HINTS)


def _asks_for_a_browser(page: LexborHTMLParser) -> bool:
    title = page.css_first("title")
    if title is not None and title.text().strip().rstrip(".…").casefold() in _FOLDED_TITLES:
        return True
    scripts = (f"{script.attributes.get('src') or ''} {script.text()}" for script in page.css("script"))
    return page.css_matches(_MARKS) or any(map(_SCRIPT.search, scripts))


def _text(page: LexborHTMLParser) -> int:
    """The number of characters that a reader sees."""
    page.strip_tags(["head", "script", "style", "noscript"])
    return len("".join(page.root.text().split())) if page.root is not None else 0
