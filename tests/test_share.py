"""QR codes of page addresses, read by a decoder that has nothing to do with the encoder."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from mirror_crawler.share import qr_png
from tests.mirror import decoded

ADDRESSES = [
    pytest.param("https://git.example/me/news/blob/main/README.md", id="short"),
    pytest.param("https://git.example/me/news/blob/main/epochtimes/2026/10/07/n14860001.md", id="article"),
    pytest.param("http://192.0.2.7:8080/~me/README.md", id="bare-host"),
    pytest.param("https://git.example/me/news/blob/main/epochtimes/tags/26/图书馆/README.md", id="han-letters"),
    pytest.param("https://git.example/été/README.md", id="latin-letters"),
    pytest.param(f"https://git.example/{'a' * 500}/epochtimes/tags/26/{'图' * 20}/pages/0/400.md", id="longest"),
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_the_code_says_the_address(address: str) -> None:
    assert decoded(qr_png(address)) == address


def test_the_same_address_gives_the_same_picture() -> None:
    assert qr_png("https://git.example/a") == qr_png("https://git.example/a")
    assert qr_png("https://git.example/a") != qr_png("https://git.example/b")


def test_a_picture_is_small_and_large_enough() -> None:
    code = qr_png("https://github.com/someone/a-mirror-of-news/blob/main/epochtimes/2026/10/07/n14860001.md")
    with Image.open(io.BytesIO(code)) as image:
        assert image.format == "PNG"
        assert image.width == image.height
        assert 100 <= image.width <= 300
    assert len(code) < 1500


def test_no_code_holds_an_address_without_end() -> None:
    with pytest.raises(ValueError, match="Data too large"):
        qr_png("https://git.example/" + "a" * 3000)
