"""Scrapy's own settings, checked before a crawl: Scrapy itself finds most mistakes in them when it is too late to say
so in a line.

What a setting has to be is what its default in :mod:`scrapy.settings.default_settings` is; what the default does not
tell is in the tables below. Only what a command line gives is checked: the rest is the project's own.
"""

from __future__ import annotations

import codecs
import logging
import math
import re
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scrapy.settings import SETTINGS_PRIORITIES, default_settings
from scrapy.spidermiddlewares.referer import RefererMiddleware
from scrapy.utils.misc import load_object

from mirror_crawler.config import SettingError

if TYPE_CHECKING:
    from scrapy.settings import BaseSettings

SECONDS = ("DNS_TIMEOUT", "DOWNLOAD_DELAY", "DOWNLOAD_TIMEOUT")
"""Have a whole number as default, and may have any."""
_ENVIRONMENT_ONLY = {
    "MIRROR_LOG_LEVEL": "on a command line use -L LEVEL or -s LOG_LEVEL=LEVEL",
    "MIRROR_CONTACT": "set it there",
}
"""Other settings are made of them before a command line is read."""
_NOT_TO_CHANGE = ("FORCE_CRAWLER_PROCESS", "TWISTED_REACTOR", "TWISTED_REACTOR_ENABLED")
"""The crawl is an asyncio task."""
_COMPONENTS = ("ADDONS", "DOWNLOADER_MIDDLEWARES", "EXTENSIONS", "ITEM_PIPELINES", "SPIDER_MIDDLEWARES")
"""Import path → order; None switches off."""
_BY_NAME = ("DOWNLOAD_HANDLERS", "FEED_EXPORTERS", "FEED_STORAGES")
"""Name → import path; None switches off."""
_OBJECTS = ("DOWNLOAD_SLOTS", "FEEDS")
"""Name → options."""
_IMPORT_PATH = re.compile(r"(?:scrapy|twisted)(?:\.\w+)+")


def give(settings: BaseSettings, given: Mapping[str, str]) -> None:
    """Set what a command line gives as ``-s NAME=VALUE``; SettingError when a value is not JSON where it has to be."""
    for name, value in given.items():
        try:
            settings.set(name, value, priority="cmdline")
        except (AttributeError, TypeError, ValueError):  # whatever dict-like settings make of other text
            raise SettingError(f'{name}={value}: use a JSON object, such as {{"name": "value"}}') from None


def check_settings(settings: BaseSettings) -> None:
    """SettingError for the first setting with which no crawl could begin, or would be another than was meant."""
    for name, mend in _ENVIRONMENT_ONLY.items():
        if _is_given(settings, name):
            raise SettingError(f"{name}: is read from the environment only; {mend}")
    check_log_level(settings)
    for name, usual in vars(default_settings).items():
        if _is_given(settings, name) and settings[name] is not None and settings[name] != usual:
            _check_one(settings, name, usual)
    _check_places(settings)


def _is_given(settings: BaseSettings, name: str) -> bool:
    return settings.getpriority(name) == SETTINGS_PRIORITIES["cmdline"]


def check_log_level(settings: BaseSettings) -> None:
    """SettingError for a level that there is not."""
    level = str(settings["LOG_LEVEL"])
    if level not in logging.getLevelNamesMapping():
        raise SettingError(f"MIRROR_LOG_LEVEL={level}: use DEBUG, INFO, WARNING or ERROR")


def _check_one(settings: BaseSettings, name: str, usual: Any) -> None:
    """SettingError when a setting is not of the kind of its default."""
    if name in _NOT_TO_CHANGE:
        raise SettingError(f"{name}={settings[name]}: the crawler needs {usual}; leave the setting out")
    if isinstance(usual, bool):
        _read(settings, name, settings.getbool, "True or False")
    elif isinstance(usual, int | float):
        _check_number(settings, name, usual)
    elif isinstance(usual, list):
        _check_list(settings, name, usual)
    elif isinstance(usual, dict):
        _check_dict(settings, name)
    else:
        _check_text(settings, name, usual)


def _read(settings: BaseSettings, name: str, read: Callable[[str], Any], wanted: str) -> Any:
    """The value of a setting as Scrapy reads it; SettingError when Scrapy could not."""
    try:
        return read(name)
    except (LookupError, OverflowError, RuntimeError, TypeError, ValueError):
        raise SettingError(f"{name}={settings[name]}: use {wanted}") from None


def _check_number(settings: BaseSettings, name: str, usual: float) -> None:
    fractional = isinstance(usual, float) or name in SECONDS
    smallest = 1 if name.startswith("CONCURRENT_") else -math.inf if "PRIORITY" in name else 0
    wanted = "a number" if fractional else "a whole number"
    if smallest >= 0:
        wanted += f" from {smallest}"
    value = _read(settings, name, settings.getfloat if fractional else settings.getint, wanted)
    if not math.isfinite(value) or value < smallest:
        raise SettingError(f"{name}={settings[name]}: use {wanted}")


def _check_list(settings: BaseSettings, name: str, usual: list[Any]) -> None:
    values = _read(settings, name, settings.getlist, "values with commas between them")
    if name.endswith("_CODES"):
        _read(settings, name, lambda _: [int(value) for value in values], "numbers with commas between them")
    elif name == "SPIDER_MODULES":
        _load_all(name, values, import_module)
    elif any(isinstance(value, type) for value in usual):
        _load_all(name, values)


def _check_dict(settings: BaseSettings, name: str) -> None:
    values = settings.getdict(name)
    if name in _COMPONENTS:
        for path, order in values.items():
            if order is not None and not isinstance(order, int | float):
                raise SettingError(f"{name}: {path} has the order {order}; use a number, or null to switch it off")
        _load_all(name, [path for path, order in values.items() if order is not None])
    elif name in _BY_NAME:
        _load_all(name, values.values())
    elif name in _OBJECTS and not all(isinstance(options, Mapping) for options in values.values()):
        raise SettingError(f'{name}: use a JSON object of objects, such as {{"name": {{}}}}')


def _check_text(settings: BaseSettings, name: str, usual: Any) -> None:
    value = settings[name]
    if name.endswith("_ENCODING"):
        _read(settings, name, lambda _: codecs.lookup(value), "an encoding, such as utf-8")
    elif name.endswith("_LOG_LEVEL"):
        _read(settings, name, lambda _: logging.getLevelNamesMapping()[value], "DEBUG, INFO, WARNING or ERROR")
    elif name == "REFERRER_POLICY":
        _read(settings, name, lambda _: RefererMiddleware(settings), "a policy of the W3C, such as no-referrer")
    elif isinstance(usual, str) and _IMPORT_PATH.fullmatch(usual):
        _load_all(name, [value])


def _load_all(name: str, paths: Iterable[Any], load: Callable[[str], Any] = load_object) -> None:
    """SettingError for an import path that leads to nothing. What is no text is the thing itself, or nothing."""
    for path in paths:
        if isinstance(path, str):
            try:
                load(path)
            except Exception as error:  # noqa: BLE001 - a module can raise anything when it is imported
                raise SettingError(f"{name}: {path} cannot be imported ({error}); correct its path") from None


def _check_places(settings: BaseSettings) -> None:
    """SettingError for a file or directory that cannot be made. Makes them, as the crawl would."""
    try:
        if settings["LOG_FILE"]:
            Path(settings["LOG_FILE"]).open("ab").close()
    except OSError as error:
        raise SettingError(
            f"LOG_FILE={settings['LOG_FILE']}: {error.strerror}; set it to a file that can be written"
        ) from None
    try:
        if settings["JOBDIR"]:
            Path(settings["JOBDIR"]).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingError(
            f"JOBDIR={settings['JOBDIR']}: {error.strerror}; set it to a directory that can be written"
        ) from None
