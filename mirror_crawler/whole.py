"""A part of a page is no page: it is asked for again, and in the end told as a failure."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Self

import brotli
from backports import zstd
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
_CHUNK = 1 << 20


class WholePages:
    """Downloader middleware for what Scrapy lets through: it takes only an answer that is shorter than its stated
    length, or whose last chunk is missing, for cut off.

    It must see answers as they were sent: what unpacks them makes a whole page of half a stream. Pictures are judged by
    what decodes them.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self._most = crawler.settings.getint("DOWNLOAD_MAXSIZE")

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Scrapy's factory."""
        return cls(crawler)

    def process_response(self, request: Request, response: Response) -> Request | Response:
        """Let a whole answer through; for another the request once more, or ResponseDataLossError at last."""
        if request.meta.get(PICTURE) or is_whole(response, self._most):
            return response
        again = get_retry_request(request, spider=Run.of(self.crawler).spider, reason="cut off")
        if again is None:
            raise ResponseDataLossError
        return again


def is_whole(response: Response, most: int) -> bool:
    """Whether an answer, as it was sent, is all that there is. Nobody asked for a part (206). A packed one has an end
    of its own. And where an answer states no length, the connection may have ended before the page did (Scrapy's flag
    ``partial``).

    Nothing is unpacked beyond ``most`` bytes: such an answer is refused later.
    """
    if response.status == 206:
        return False
    if packed := response.headers.get("Content-Encoding"):
        return not response.body or _has_its_end(response.body, packed.strip().lower(), most)
    if "partial" not in response.flags or not isinstance(response, HtmlResponse):
        return True
    return _END.search(response.body[-_NEAR_THE_END:]) is not None


def _has_its_end(body: bytes, encoding: bytes, most: int) -> bool:
    """True too for what is in no encoding of these, or damaged: others will say so."""
    match encoding:
        case b"gzip" | b"x-gzip":
            deflated = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
            return _unpacks_to_its_end(
                body,
                most,
                lambda more: deflated.decompress(deflated.unconsumed_tail + more, _CHUNK),
                lambda: deflated.eof,
            )
        case b"br":
            brotlied = brotli.Decompressor()
            return _unpacks_to_its_end(
                body, most, lambda more: brotlied.process(more, output_buffer_limit=_CHUNK), brotlied.is_finished
            )
        case b"zstd":
            zstded = zstd.ZstdDecompressor()
            return _unpacks_to_its_end(body, most, lambda more: zstded.decompress(more, _CHUNK), lambda: zstded.eof)
    return True


def _unpacks_to_its_end(body: bytes, most: int, unpack: Callable[[bytes], bytes], is_over: Callable[[], bool]) -> bool:
    """``unpack`` takes the whole body first, then nothing more, and gives at most a chunk each time."""
    size = 0
    try:
        while not is_over() and (unpacked := unpack(body)):
            size += len(unpacked)
            if size > most:
                return True
            body = b""
    except (zlib.error, brotli.error, zstd.ZstdError):
        return True
    return is_over()
