"""The MIRROR_* settings, read and checked once: what an operator set wrongly is one clear line before any request."""

from __future__ import annotations

import dataclasses
import errno
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, get_args
from urllib.parse import urlsplit

from scrapy.settings import BaseSettings

from mirror_crawler import hooks, paths, remotes
from mirror_crawler.body import one_line
from mirror_crawler.labels import Language, is_one_line
from mirror_crawler.remotes import Remote
from mirror_crawler.render import PageOptions, Renderer
from mirror_crawler.theme import Words, read_words
from mirror_crawler.volumes import VOLUME, has_days

_Choice = TypeVar("_Choice")
_MINUTE = 60
_LONGEST_ADDRESS = 500
"""Of the root of a tree; with the path of a page it has to fit into a QR code, which takes about 2,300 bytes."""

_TEN_YEARS = 10 * 366 * 24
_A_DAY = 24 * 3600


class SettingError(ValueError):
    """A setting that cannot be used; the message, one line whatever the setting holds, names it and the mend."""

    def __init__(self, message: str) -> None:
        super().__init__(one_line(message))


def _check_writable(directory: Path) -> None:
    """OSError when files cannot be made in a directory."""
    if os.statvfs(directory).f_flag & os.ST_RDONLY:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))
    if not os.access(directory, os.W_OK | os.X_OK):
        raise OSError(errno.EACCES, os.strerror(errno.EACCES))


def why_not_written(error: OSError) -> str:
    """Why a file or directory cannot be written, and what a person can do about it when that is known."""
    mend = _mend(error)
    return f"{error.strerror}; {mend}" if mend else str(error.strerror)


def _mend(error: OSError) -> str:
    mends = {
        errno.EACCES: f"make it this user's (chown -R {os.geteuid()}:{os.getegid()})",
        errno.EROFS: "mount it so that it can be written",
        errno.ENOSPC: "free some space",
    }
    return mends.get(error.errno or 0, "")


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
    publishes: bool
    remotes: tuple[Remote, ...]
    branch: str
    author: str
    push_seconds: int
    repo_limit: int | None
    image_width: int
    image_bytes: int
    images_per_article: int
    images_bytes: int
    pages: PageOptions

    @classmethod
    def from_settings(cls, settings: BaseSettings) -> MirrorConfig:
        """Read the settings; raise SettingError for the first that cannot be used."""
        data = Path(settings["MIRROR_DATA"])
        try:
            paths.check_pattern(settings["MIRROR_PATH"])
        except ValueError as error:
            raise SettingError(f"MIRROR_PATH: {error}") from None
        config = cls(
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
            publishes=_choice(settings, "MIRROR_PUBLISH", ("0", "1")) == "1",
            remotes=_remotes(settings),
            branch=_checked(settings, "MIRROR_GIT_BRANCH", remotes.check_branch),
            author=_checked(settings, "MIRROR_GIT_AUTHOR", remotes.check_author),
            push_seconds=_number(settings, "MIRROR_PUSH_SECONDS", minimum=1),
            repo_limit=_size(settings, "MIRROR_REPO_LIMIT") or None,
            image_width=_number(settings, "MIRROR_IMAGE_WIDTH", minimum=16, maximum=16_383),
            image_bytes=_size(settings, "MIRROR_IMAGE_MAX_BYTES"),
            images_per_article=_number(settings, "MIRROR_IMAGES_PER_ARTICLE", minimum=0),
            images_bytes=_size(settings, "MIRROR_IMAGES_PER_RUN_BYTES"),
            pages=_page_options(settings),
        )
        config._check_volumes()
        return config

    def _check_volumes(self) -> None:
        """A mirror of several volumes needs all of its addresses to tell them apart, and paths that tell the day."""
        addresses = {"MIRROR_BASE_URL": (self.pages.base_url,), "MIRROR_HOMES": self.pages.homes}
        addresses["MIRROR_REMOTES"] = tuple(remote.address for remote in self.remotes)
        if not any(VOLUME in address for found in addresses.values() for address in found):
            if self.repo_limit is not None:
                raise SettingError(
                    f"MIRROR_REPO_LIMIT: needs {VOLUME} in MIRROR_BASE_URL and MIRROR_REMOTES, "
                    f"such as https://git.example/me/news-{VOLUME}/blob/main"
                )
            return
        for name, found in addresses.items():
            if not all(VOLUME in address for address in found):
                raise SettingError(f"{name}: must contain {VOLUME}, for the other addresses of the mirror do")
        if not has_days(self.path):
            raise SettingError(f"MIRROR_PATH={self.path}: must contain {{year}}, {{month}} and {{day}} with {VOLUME}")

    @property
    def images(self) -> Path:
        """Where the pictures are kept."""
        return self.data / "images"

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
                _check_writable(directory)
            except OSError as error:
                mend = f"{_mend(error) or 'mend that'}, or set another directory"
                raise SettingError(f"{name}={directory}: cannot be written: {error.strerror}; {mend}") from None
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
    try:
        words = read_words(Path(theme_dir)) if theme_dir else Words()
    except ValueError as error:
        raise SettingError(f"MIRROR_THEME_DIR: {error}") from None
    base_url = _public_address("MIRROR_BASE_URL", str(settings["MIRROR_BASE_URL"]).strip())
    homes = [_public_address("MIRROR_HOMES", home) for home in str(settings["MIRROR_HOMES"]).split()]
    if homes and not base_url:
        raise SettingError("MIRROR_HOMES: are the other addresses of the mirror; set MIRROR_BASE_URL to its first one")
    navigation = text_or_file("MIRROR_NAVIGATION", settings["MIRROR_NAVIGATION"])
    return PageOptions(
        theme=settings["MIRROR_THEME"],
        theme_dir=Path(theme_dir) if theme_dir else None,
        images=_choice(settings, "MIRROR_IMAGES", ("local", "remote", "none")),
        links=_choice(settings, "MIRROR_LINKS", ("neutral", "keep")),
        base_url=base_url,
        homes=tuple(home for home in dict.fromkeys(homes) if home != base_url),
        navigation=_line("MIRROR_NAVIGATION", navigation) or words.navigation,
        footer=text_or_file("MIRROR_FOOTER", settings["MIRROR_FOOTER"]) or words.footer,
        counter=_line("MIRROR_COUNTER", settings["MIRROR_COUNTER"]),
        title=_line("MIRROR_TITLE", settings["MIRROR_TITLE"]) or words.title,
        language=_choice(settings, "MIRROR_LANGUAGE", get_args(Language)),
        labels=words.labels,
    )


def _public_address(name: str, address: str) -> str:
    """The address of a tree, to which a path can be added; all readers see it."""
    if re.match(r"[^/]*//[^/?#]*@", address):
        raise SettingError(f"{name}: every page shows it, so it must not contain a user name or password")
    try:
        parts = urlsplit(address)
        usable = parts.scheme in ("https", "http") and parts.hostname and not re.search(r"[?#\x00-\x20\x7f]", address)
    except ValueError:  # brackets that hold no IPv6 address
        usable = False
    if address and not usable:
        raise SettingError(
            f"{name}={address}: must be the http(s) address where the tree is published, without ? and #"
        )
    if len(address) > _LONGEST_ADDRESS:
        raise SettingError(f"{name}={address[:40]}…: must have {_LONGEST_ADDRESS} characters at most")
    return address.rstrip("/")


def _remotes(settings: BaseSettings) -> tuple[Remote, ...]:
    try:
        return remotes.read_remotes(text_or_file("MIRROR_REMOTES", settings["MIRROR_REMOTES"]))
    except ValueError as error:
        raise SettingError(f"MIRROR_REMOTES: {error}") from None


def _line(name: str, value: str) -> str:
    """The value of a setting that stands on one line of a page; blanks and line ends around it are none of it."""
    line = value.strip()
    if not is_one_line(line):
        raise SettingError(f"{name}: must be one line")
    return line


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


def _size(settings: BaseSettings, name: str) -> int:
    """A number of bytes, as ``8388608`` or ``8M``."""
    match = re.fullmatch(r"([0-9]{1,15})([KMGkmg]?)", str(settings[name]).strip())
    if match is None:
        raise SettingError(f"{name}={settings[name]}: use a number of bytes, such as 8388608, 8192K, 8M or 1G")
    return int(match[1]) << {"": 0, "k": 10, "m": 20, "g": 30}[match[2].lower()]


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
