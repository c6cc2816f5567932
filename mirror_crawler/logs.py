"""The log of the process: Scrapy's own for people, or one JSON object a line (``MIRROR_LOG=json``).

Scrapy makes its log handler anew several times while it starts, and always one for people. So for JSON there is a
handler of ours from the beginning to the end, and Scrapy is told to have none.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from scrapy.settings import BaseSettings

MODES = ("human", "json")
"""What MIRROR_LOG may be."""

logger = logging.getLogger(__name__)


def line(level: str, name: str, message: str, *, at: float | None = None, **more: Any) -> str:
    """One JSON object without a line end: something of logger ``name``, at a time since the epoch or now.

    Of ``more`` (``outlet``, ``run``, ``error`` …) what is empty is left out. All is ASCII: no stream and no collector
    of logs can break or refuse it.
    """
    moment = datetime.fromtimestamp(time.time() if at is None else at, UTC)
    told = {"time": moment.isoformat(timespec="milliseconds"), "level": level, "logger": name, "message": message}
    return json.dumps(told | {key: value for key, value in more.items() if value}, default=str)


def tell(
    settings: Mapping[str, Any] | None, level: str, name: str, for_people: str, *, message: str = "", **more: Any
) -> None:
    """Say something on standard error, in one line: as it is for people; with MIRROR_LOG=json as something of logger
    ``name``, where ``message`` is the same without what the line has of its own, such as the time.
    """
    said = for_people
    if settings is not None and settings["MIRROR_LOG"] == "json":
        said = line(level, name, message or for_people, **more)
    sys.stderr.write(f"{said}\n")
    sys.stderr.flush()


class JsonFormatter(logging.Formatter):
    """Makes log records such lines; ``outlet`` and ``run`` are part of each from the time when they are known."""

    outlet = ""
    run = ""

    def format(self, record: logging.LogRecord) -> str:
        """The record in one line, its traceback as ``error``."""
        error = self.formatException(record.exc_info) if record.exc_info and record.exc_info[0] else ""
        return line(
            record.levelname,
            record.name,
            record.getMessage(),
            at=record.created,
            outlet=self.outlet,
            run=self.run,
            error=error,
        )


def take_over(settings: BaseSettings) -> None:
    """With MIRROR_LOG=json, log to where and from what level Scrapy would, and make Scrapy leave it to us.

    To be called when the settings are complete and before Scrapy sets up its own log. OSError when the file of LOG_FILE
    cannot be opened.
    """
    if settings["MIRROR_LOG"] != "json":
        return
    handler: logging.Handler
    if settings["LOG_FILE"]:
        mode = "a" if settings.getbool("LOG_FILE_APPEND") else "w"
        handler = logging.FileHandler(settings["LOG_FILE"], mode=mode, encoding="utf-8")
    elif settings.getbool("LOG_ENABLED"):
        handler = logging.StreamHandler()
    else:
        handler = logging.NullHandler()
    handler.setLevel(settings["LOG_LEVEL"])
    handler.setFormatter(JsonFormatter())
    logging.root.addHandler(handler)
    logging.captureWarnings(capture=True)
    sys.excepthook = _log_uncaught
    settings.set("LOG_ENABLED", value=False, priority="cmdline")
    settings.set("LOG_FILE", value=None, priority="cmdline")


def name_run(outlet: str, run: str) -> None:
    """From now on each JSON line says to which run it belongs."""
    for handler in logging.root.handlers:
        if isinstance(handler.formatter, JsonFormatter):
            handler.formatter.outlet, handler.formatter.run = outlet, run


def make_no_more_than(level: str | int) -> None:
    """Scrapy's engine makes a record of every page and item, and of every one that is dropped; from now on none below
    ``level`` (LOG_LEVEL), which its handlers throw away.
    """
    logging.getLogger("scrapy.core").setLevel(level)


def _log_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """What ends the process is told in one line too."""
    logger.critical("%s: %s", kind.__name__, error, exc_info=(kind, error, trace))
