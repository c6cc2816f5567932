"""The MIRROR_* settings, read and checked once: what an operator set wrongly is one clear line before any request."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from scrapy.settings import BaseSettings

from mirror_crawler import hooks, paths
from mirror_crawler.render import PageOptions, Renderer

_Choice = TypeVar("_Choice")
_MINUTE = 60
_TEN_YEARS = 10 * 366 * 24
_A_DAY = 24 * 3600


class SettingError(ValueError):
    """A setting that cannot be used; the message names it and the mend."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class MirrorConfig:
    """Where a mirror keeps its things and how its pages look. docs/settings.md describes every setting."""

    data: Path
    output: Path
    database: str
    path: str
    max_list_pages: int
    revisit_hours: int
    render: str
    render_wait: int
    waits_when_busy: bool
    logs_json: bool
    hook_command: str
    hook_url: str
    schedule: str
    jitter: int
    pages: PageOptions

    @classmethod
    def from_settings(cls, settings: BaseSettings) -> MirrorConfig:
        """Read the settings; raise SettingError for the first that cannot be used."""
        data = Path(settings["MIRROR_DATA"])
        try:
            paths.check_pattern(settings["MIRROR_PATH"])
        except ValueError as error:
            raise SettingError(f"MIRROR_PATH: {error}") from None
        return cls(
            data=data,
            output=Path(settings["MIRROR_OUTPUT"]),
            database=settings["MIRROR_DB"] or f"sqlite:///{data / 'mirror.db'}",
            path=settings["MIRROR_PATH"],
            max_list_pages=_number(settings, "MIRROR_MAX_LIST_PAGES", minimum=1),
            revisit_hours=_number(settings, "MIRROR_REVISIT_HOURS", minimum=0, maximum=_TEN_YEARS),
            render=_choice(settings, "MIRROR_RENDER", ("declared", "splash", "none")),
            render_wait=_number(settings, "MIRROR_RENDER_WAIT", minimum=1, maximum=_MINUTE),
            waits_when_busy=_choice(settings, "MIRROR_BUSY", ("leave", "wait")) == "wait",
            logs_json=_choice(settings, "MIRROR_LOG", ("human", "json")) == "json",
            hook_command=_checked(settings, "MIRROR_HOOK_COMMAND", hooks.check_command),
            hook_url=_checked(settings, "MIRROR_HOOK_URL", hooks.check_url),
            schedule=text_or_file("MIRROR_SCHEDULE", settings["MIRROR_SCHEDULE"]),
            jitter=_number(settings, "MIRROR_JITTER", minimum=0, maximum=_A_DAY),
            pages=_page_options(settings),
        )

    def renderer(self) -> Renderer:
        """The renderer of this mirror's pages; SettingError when the theme or an operator's template cannot be used."""
        try:
            return Renderer(self.pages)
        except ValueError as error:
            raise SettingError(f"MIRROR_THEME or MIRROR_THEME_DIR: {error}") from None

    def prepare(self) -> None:
        """Make both directories and see that they can be written; SettingError names the one that cannot."""
        for name, directory in (("MIRROR_DATA", self.data), ("MIRROR_OUTPUT", self.output)):
            try:
                directory.mkdir(parents=True, exist_ok=True)
                usable = os.access(directory, os.W_OK | os.X_OK)
            except OSError as error:
                raise SettingError(
                    f"{name}={directory}: {error.strerror}; set it to a directory that can be written"
                ) from None
            if not usable:
                raise SettingError(
                    f"{name}={directory}: cannot be written; give this user the right to, or set another"
                )
        data, output = self.data.resolve(), self.output.resolve()
        if data == output or output in data.parents:
            raise SettingError(
                f"MIRROR_DATA={self.data}: lies inside MIRROR_OUTPUT={self.output}, which is published; "
                "set it beside it"
            )


def _page_options(settings: BaseSettings) -> PageOptions:
    theme_dir = settings["MIRROR_THEME_DIR"]
    if theme_dir and not Path(theme_dir).is_dir():
        raise SettingError(f"MIRROR_THEME_DIR={theme_dir}: no such directory")
    base_url = str(settings["MIRROR_BASE_URL"]).rstrip("/")
    if base_url and not base_url.startswith(("https://", "http://")):
        raise SettingError(f"MIRROR_BASE_URL={base_url}: must be the http(s) address where the tree is published")
    navigation = text_or_file("MIRROR_NAVIGATION", settings["MIRROR_NAVIGATION"])
    if "\n" in navigation:
        raise SettingError("MIRROR_NAVIGATION: must be one line of Markdown")
    return PageOptions(
        theme=settings["MIRROR_THEME"],
        theme_dir=Path(theme_dir) if theme_dir else None,
        images=_choice(settings, "MIRROR_IMAGES", ("none", "remote")),
        links=_choice(settings, "MIRROR_LINKS", ("neutral", "keep")),
        base_url=base_url,
        navigation=navigation,
        footer=text_or_file("MIRROR_FOOTER", settings["MIRROR_FOOTER"]),
        counter=settings["MIRROR_COUNTER"],
        title=settings["MIRROR_TITLE"],
    )


def _checked(settings: BaseSettings, name: str, check: Callable[[str], None]) -> str:
    """A setting that ``check`` accepts. What it says is shown, and not the value, which may hold a secret."""
    value = text_or_file(name, str(settings[name]))
    try:
        check(value)
    except ValueError as error:
        raise SettingError(f"{name}: {error}") from None
    return value


def _choice(settings: BaseSettings, name: str, choices: tuple[_Choice, ...]) -> _Choice:
    for choice in choices:
        if settings[name] == choice:
            return choice
    raise SettingError(f"{name}={settings[name]}: use {' or '.join(map(str, choices))}")


def _number(settings: BaseSettings, name: str, *, minimum: int, maximum: int | None = None) -> int:
    convert: Callable[[str], int] = settings.getint
    try:
        value = convert(name)
    except (TypeError, ValueError):
        value = minimum - 1
    if value < minimum:
        raise SettingError(f"{name}={settings[name]}: use a whole number from {minimum}")
    if maximum is not None and value > maximum:
        raise SettingError(f"{name}={settings[name]}: use a whole number from {minimum} to {maximum}")
    return value


def text_or_file(name: str, value: str) -> str:
    """The value of a setting, or with ``@file`` the content of the file: for what has several lines, and for secrets.

    SettingError when the file cannot be read.
    """
    if not value.startswith("@"):
        return value
    try:
        return Path(value[1:]).read_text(encoding="utf-8").strip("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"{name}={value}: cannot read the file: {error}") from None
