"""The spider to compare with: it fetches the addresses in a file and does nothing with the pages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import scrapy
from scrapy.http import Response


class BareSpider(scrapy.Spider):
    """``-a urls=FILE``: one address a line."""

    name = "bare"

    def __init__(self, *, urls: str) -> None:
        super().__init__()
        self._urls = Path(urls).read_text(encoding="utf-8").splitlines()

    async def start(self) -> AsyncIterator[scrapy.Request]:
        """Every address of the file."""
        for url in self._urls:
            yield scrapy.Request(url)

    def parse(self, response: Response) -> None:
        """Take the page and forget it."""
