"""A part of a page is no page: it is asked for again, and in the end told as a failure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Self

from scrapy import Request
from scrapy.downloadermiddlewares.retry import get_retry_request
from scrapy.exceptions import ResponseDataLossError
from scrapy.http import HtmlResponse, Response

from mirror_crawler.run import PICTURE, Run

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

_END = re.compile(rb"</html", re.IGNORECASE)
_NEAR_THE_END = 4096
"""Bytes; caches add remarks behind the end."""


class WholePages:
    """Downloader middleware for what Scrapy lets through: it takes only an answer that is shorter than its stated
    length, or whose last chunk is missing, for cut off.

    It must see pages decompressed. Pictures are judged by what decodes them.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Scrapy's factory."""
        return cls(crawler)

    def process_response(self, request: Request, response: Response) -> Request | Response:
        """Let a whole answer through; for another the request once more, or ResponseDataLossError at last."""
        if request.meta.get(PICTURE) or is_whole(response):
            return response
        again = get_retry_request(request, spider=Run.of(self.crawler).spider, reason="cut off")
        if again is None:
            raise ResponseDataLossError
        return again


def is_whole(response: Response) -> bool:
    """Whether an answer is all that there is. Nobody asked for a part (206). And where an answer states no length, the
    connection may have ended before the page did (Scrapy's flag ``partial``).
    """
    if response.status == 206:
        return False
    if "partial" not in response.flags or not isinstance(response, HtmlResponse):
        return True
    return _END.search(response.body[-_NEAR_THE_END:]) is not None
