"""JSON lines for downstream programs: one feed of articles and one of listings a run, complete or absent."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from scrapy.exporters import BaseItemExporter
from scrapy.extensions.feedexport import FileFeedStorage

from mirror_crawler.items import Article, Listing

if TYPE_CHECKING:
    from scrapy import Spider


_NAME = re.compile(r"(?:articles|listings)-(\d{8}T\d{6}Z)\.jsonl(?:\.gz)?")


class AtomicFileStorage(FileFeedStorage):
    """Writes beside the feed's place and moves the file there once it is whole. Appending (``-o``) stays Scrapy's."""

    def open(self, spider: Spider) -> IO[bytes]:
        """The file that the exporter writes to."""
        if self.write_mode == "ab":
            return super().open(spider)
        target = Path(self.path)
        target.parent.mkdir(parents=True, exist_ok=True)
        return unfinished(target).open("wb")

    def store(self, file: IO[bytes]) -> None:
        """Make the file durable and put it in its place."""
        if self.write_mode == "ab":
            file.close()
            return
        with file:
            file.flush()
            os.fsync(file.fileno())
        unfinished(Path(self.path)).replace(self.path)


class RecordExporter(BaseItemExporter):
    """Items in their one JSON form, so a line of a feed is to the letter the line that ``scrapy export`` writes."""

    def __init__(self, file: IO[bytes], **options: Any) -> None:
        super().__init__(dont_fail=True, **options)
        self.file = file

    def export_item(self, item: Article | Listing) -> None:
        """Write one line."""
        self.file.write(f"{item.to_json()}\n".encode())


def feed_path(data: Path, outlet: str, kind: str, run: str) -> Path:
    """The place of a run's feed as the setting FEEDS states it; ``kind`` is ``articles`` or ``listings``."""
    return data / "feeds" / outlet / f"{kind}-{run}.jsonl"


def run_of(path: Path) -> str:
    """The run whose feed a file is, by its name as :func:`feed_path` makes it, also packed (``.gz``); "" for others."""
    found = _NAME.fullmatch(path.name)
    return found[1] if found else ""


def write_feed(path: Path, lines: Iterable[str]) -> int:
    """Write JSON lines (without line ends) as one whole file; returns how many. No lines, no file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    number = 0
    with unfinished(path).open("w", encoding="utf-8") as file:
        for line in lines:
            file.write(line + "\n")
            number += 1
        file.flush()
        os.fsync(file.fileno())
    if number:
        unfinished(path).replace(path)
    else:
        with contextlib.suppress(FileNotFoundError):
            unfinished(path).unlink()
    return number


def unfinished(path: Path) -> Path:
    """The name of a file while it is being written."""
    return path.with_name(path.name + ".part")
