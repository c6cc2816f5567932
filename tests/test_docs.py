"""The documentation names what there is: commands, places, counters, settings, modules."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.mirror import REPO

PAGES = [REPO / "README.md", REPO / "CHANGELOG.md", *sorted((REPO / "docs").glob("*.md"))]
SOURCES = sorted((REPO / "mirror_crawler").rglob("*.py"))


def text(name: str) -> str:
    return (REPO / name).read_text(encoding="utf-8")


def test_every_counter_is_explained() -> None:
    """Of those with a part that differs from page to page, the part before it."""
    counted = re.compile(r'(?:\.count|inc_value|set_value)\(\s*f?"([a-z_]+/[^"{]*)')
    found = {name for source in SOURCES for name in counted.findall(source.read_text(encoding="utf-8"))}
    assert len(found) > 40
    assert {name for name in found if f"`{name}" not in text("docs/operations.md")} == set()


def test_every_setting_is_explained() -> None:
    found = set(re.findall(r'environ\.get\("(\w+)"', text("mirror_crawler/settings.py")))
    assert len(found) > 30
    assert {name for name in found if f"`{name}`" not in text("docs/settings.md")} == set()


def test_every_module_has_its_place_in_the_house() -> None:
    package = REPO / "mirror_crawler"
    modules = {source.name for source in package.glob("*.py")} - {"__init__.py"}
    modules |= {f"{directory.parent.name}/" for directory in package.glob("[a-z]*/__init__.py")}
    told = text("docs/architecture.md")
    assert {name for name in modules if f"`{name}" not in told} == set()


def anchors(page: Path) -> set[str]:
    """What hosts make of its headings."""
    headings = re.findall(r"(?m)^#+ (.+)$", page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(page: Path) -> Iterator[str]:
    prose = re.sub(r"(?s)```.*?```|`[^`\n]*`", "", page.read_text(encoding="utf-8"))
    for link in re.findall(r'\]\(([^)\s]+)\)|src="([^"]+)"', prose):
        yield link[0] or link[1]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in links(page):
        path, _, anchor = unquote(link).partition("#")
        if ":" in path:
            continue
        target = page.parent / path if path else page
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target), link


def test_two_commands_set_everything_up() -> None:
    def does(*words: str) -> str:
        return subprocess.run(
            ["make", "--dry-run", *words], cwd=REPO, capture_output=True, text=True, check=True, timeout=60
        ).stdout

    assert does("crawl").rstrip().endswith(".venv/bin/scrapy crawl epochtimes")
    other = does("crawl", "OUTLET=ntdtv", "ARGS=-a section=prog204")
    assert other.rstrip().endswith(".venv/bin/scrapy crawl ntdtv -a section=prog204")
    checks = does("test")
    for tool in ("ruff check", "ruff format --check", "mypy", "pytest"):
        assert f".venv/bin/{tool}" in checks
    assert "tests.site.demo" in does("demo")
    named = set(re.findall(r"(?m)^(?:`?)make ([a-z-]+)", "\n".join(map(text, ("README.md", "docs/operations.md")))))
    assert {"crawl", "test", "demo"} <= named
    for target in named:
        does(target)
