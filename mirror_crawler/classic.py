"""A body in the look of the older mirrors: HTML, each tag and each text on a line of its own.

One space of indentation a level, as shared model pages have it. Links that are neutral keep their address in an
``ok`` element, which code hosts drop while they show its text.
"""

from __future__ import annotations

from mirror_crawler.body import Choices, parse, tokens

_HEADINGS = {"h2": "h4", "h3": "h4"}
"""The page's own title is a heading of level 3; hosts show levels below 4 smaller than the text."""

_SPACE = " \t\n\r\f"


def body_html(body: str, choices: Choices, *, depth: int = 1) -> str:
    """``body`` (closed vocabulary) as indented lines, the outermost tags ``depth`` spaces in; no empty line.

    Without empty lines the whole is one HTML block of Markdown, whatever characters its text has.
    """
    lines = []
    for kind, markup in tokens(parse(body), choices, neutral_tag="ok", rename=_HEADINGS):
        if kind == "close":
            depth -= 1
        text = markup.strip(_SPACE) if kind == "text" else markup
        if text:
            lines.append(" " * depth + text)
        if kind == "open":
            depth += 1
    return "\n".join(lines)
