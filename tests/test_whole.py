"""What is all of an answer, and what only a part."""

from __future__ import annotations

import functools
import gzip
import zlib
from collections.abc import Callable
from typing import Any

import brotli
import pytest
from backports import zstd
from scrapy import Request
from scrapy.exceptions import ResponseDataLossError
from scrapy.http import HtmlResponse, Response, TextResponse, XmlResponse

from mirror_crawler.run import PICTURE, Run
from mirror_crawler.whole import WholePages, is_whole
from tests.mirror import Mirror
from tests.test_run import begun

URL = "https://www.epochtimes.com/gb/26/11/22/n14900001.htm"
MOST = 20_000_000
PAGE = b"<!DOCTYPE html><html><body><p>...</p></body>"


def answer(body: bytes = PAGE, kind: type[Response] = HtmlResponse, **more: Any) -> Response:
    return kind(URL, body=body, **more)


@pytest.mark.parametrize(
    ("response", "whole"),
    [
        pytest.param(answer(), True, id="as-long-as-it-says"),
        pytest.param(answer(status=206), False, id="a-part-that-nobody-asked-for"),
        pytest.param(answer(kind=Response, status=206), False, id="of-whatever-kind"),
        pytest.param(answer(flags=["partial"]), False, id="without-length-and-end"),
        pytest.param(answer(PAGE + b"</html>", flags=["partial"]), True, id="without-length"),
        pytest.param(answer(PAGE + b"</HTML >\n<!-- cached -->", flags=["partial"]), True, id="a-remark-behind-it"),
        pytest.param(answer(b"</html>" + PAGE * 200, flags=["partial"]), False, id="with-an-end-long-before"),
        pytest.param(answer(b"<rss>", XmlResponse, flags=["partial"]), True, id="a-feed-is-read-as-far-as-it-goes"),
        pytest.param(answer(b"User-agent: *", TextResponse, flags=["partial"]), True, id="a-text-has-no-end"),
    ],
)
def test_is_whole(response: Response, whole: bool) -> None:
    assert is_whole(response, MOST) is whole


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "br": functools.partial(brotli.compress, quality=5),  # the best quality takes seconds
    "zstd": zstd.compress,
}


@pytest.mark.parametrize("encoding", PACKERS)
class TestPacked:
    """What unpacks half a stream gives half a page, and says nothing."""

    PAGE = b"".join(b"<p>%d</p>" % number for number in range(200_000))

    def answer(self, encoding: str, body: bytes) -> Response:
        return answer(body, Response, headers={"Content-Encoding": encoding})

    def test_to_its_end(self, encoding: str) -> None:
        packed = PACKERS[encoding](self.PAGE)
        assert is_whole(self.answer(encoding, packed), MOST)
        assert is_whole(self.answer(encoding.upper(), packed + b"\0"), MOST)

    @pytest.mark.parametrize("part", [0.02, 0.5, 0.99])
    def test_cut_off(self, encoding: str, part: float) -> None:
        packed = PACKERS[encoding](self.PAGE)
        assert not is_whole(self.answer(encoding, packed[: int(len(packed) * part)]), MOST)

    def test_what_is_too_large_is_left_to_others(self, encoding: str) -> None:
        packed = PACKERS[encoding](self.PAGE)
        assert is_whole(self.answer(encoding, packed[:-1]), 1000)

    @pytest.mark.parametrize("body", [b"", b"<p>not packed</p>"])
    def test_so_is_what_is_not_packed(self, encoding: str, body: bytes) -> None:
        assert is_whole(self.answer(encoding, body), MOST)


def test_an_unknown_packing_is_left_to_others() -> None:
    assert is_whole(answer(zlib.compress(PAGE)[:9], Response, headers={"Content-Encoding": "deflate"}), MOST)


class TestPart:
    @pytest.fixture
    def middleware(self, mirror: Mirror) -> WholePages:
        return WholePages.from_crawler(begun(mirror, RETRY_TIMES=1).crawler)

    def test_is_asked_for_again_and_then_given_up(self, middleware: WholePages) -> None:
        request = Request(URL)
        again = middleware.process_response(request, answer(status=206))
        assert isinstance(again, Request)
        assert again.url == URL
        with pytest.raises(ResponseDataLossError):
            middleware.process_response(again, answer(status=206))
        assert Run.of(middleware.crawler).counted("retry/reason_count/cut off") == 1

    def test_of_a_picture_is_not_judged_here(self, middleware: WholePages) -> None:
        request, part = Request(URL, meta={PICTURE: URL}), answer(status=206)
        assert middleware.process_response(request, part) is part

    def test_all_of_it_is_passed_on(self, middleware: WholePages) -> None:
        whole = answer()
        assert middleware.process_response(Request(URL), whole) is whole
