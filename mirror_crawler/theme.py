"""What an operator says in ``mirror.toml``, the one file of words in a theme directory; docs/themes.md describes it.

It is read once, at the start, and strictly: a key that means nothing is a mistake that its writer wants to know of.
"""

from __future__ import annotations

import dataclasses
import string
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mirror_crawler.labels import LABELS, Labels, Language, is_one_line

FILE = "mirror.toml"

_TEXTS = ("title", "navigation", "footer")
_ONE_LINE = ("title", "navigation")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The texts of a mirror that its operator chose, empty where none was, and the labels with those that he changed.

    ``navigation`` is one line of Markdown, ``footer`` any number.
    """

    title: str = ""
    navigation: str = ""
    footer: str = ""
    labels: Mapping[Language, Labels] = dataclasses.field(default_factory=lambda: LABELS)


def read_words(theme_dir: Path) -> Words:
    """The words of the file in ``theme_dir``; those of the project when there is no such file.

    Raises ValueError, one line that names file and key, for what cannot be used.
    """
    file = theme_dir / FILE
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Words()
    except OSError as error:
        raise ValueError(f"{file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{file}: is not UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{file}: {error}") from None
    try:
        return _words(table)
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from None


def _words(table: Mapping[str, Any]) -> Words:
    _check_keys("", table, (*_TEXTS, "labels"))
    texts = {key: _text(key, table.get(key, "")).strip("\n") for key in _TEXTS}
    for key in _ONE_LINE:
        if not is_one_line(texts[key]):
            raise ValueError(f"{key} must be one line")
    overrides = _table("labels", table.get("labels", {}))
    _check_keys("labels.", overrides, LABELS)
    labels = {
        language: _overridden(words, f"labels.{language}", overrides.get(language, {}))
        for language, words in LABELS.items()
    }
    return Words(**texts, labels=labels)


def _overridden(words: Labels, name: str, value: object) -> Labels:
    """``words`` with those of the table ``value``, which is called ``name``, in place of its own."""
    table = _table(name, value)
    ours = {field.name: getattr(words, field.name) for field in dataclasses.fields(words)}
    return dataclasses.replace(words, **_merged(ours, name, table))


def _merged(ours: Mapping[str, Any], name: str, table: Mapping[str, Any]) -> dict[str, Any]:
    _check_keys(f"{name}.", table, ours)
    merged: dict[str, Any] = {}
    for key, value in table.items():
        place = f"{name}.{key}"
        if isinstance(ours[key], str):
            merged[key] = _label(place, value, ours[key])
        else:
            merged[key] = dict(ours[key]) | _merged(ours[key], place, _table(place, value))
    return merged


def _label(place: str, value: object, ours: str) -> str:
    text = _text(place, value)
    if not is_one_line(text) or (ours and not text.strip()):
        raise ValueError(f"{place} must be one line that says something")
    if not (known := _placeholders(ours)):
        return text
    try:
        unknown = _placeholders(text) - known
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from None
    if unknown:
        raise ValueError(f"{place} has unknown {{{min(unknown)}}}; there are {_braced(known)}")
    return text


def _placeholders(text: str) -> set[str]:
    """The fields of a format string, each as it is written between its braces."""
    return {
        f"{name}{f'!{conversion}' if conversion else ''}{f':{spec}' if spec else ''}"
        for _, name, spec, conversion in string.Formatter().parse(text)
        if name is not None
    }


def _text(key: str, value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{key} must be a text in quotes")
    return value


def _table(name: str, value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{name} must be a table: [{name}]")
    return value


def _check_keys(prefix: str, table: Iterable[str], known: Iterable[str]) -> None:
    if unknown := set(table) - set(known):
        raise ValueError(f"{prefix}{min(unknown)} is unknown; there are {', '.join(sorted(known))}")


def _braced(names: Iterable[str]) -> str:
    return " ".join(f"{{{name}}}" for name in sorted(names))
