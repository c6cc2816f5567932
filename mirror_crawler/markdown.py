"""Bodies and texts as GitHub Flavored Markdown that reads the same on every host.

Two traps shape this module. CommonMark lets ``**`` open or close emphasis only next to certain characters, and Chinese
text, which has no spaces, often offers none of them (``**中国。**然后`` shows its asterisks): emphasis therefore is
written flat, one run of text at a time, with punctuation moved out of it where the rule asks for that. And hosts make
live links of bare addresses, some even of escaped ones: an address in a text is written as a code span.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from typing import Literal, NamedTuple
from urllib.parse import quote

from selectolax.lexbor import LexborNode

from mirror_crawler.body import (
    Choices,
    evened,
    may_hold_address,
    one_line,
    parse,
    shown_at,
    split_addresses,
    text_of,
    tokens,
)
from mirror_crawler.items import Image
from mirror_crawler.labels import Labels

Mark = Literal["", "*", "**"]

_DEEPEST = 12
"""Quotes and lists nested deeper than this become plain paragraphs: no reader sees the difference."""

_CONTAINERS = ("blockquote", "ul", "ol", "li", "figure", "figcaption", "table", "thead", "tbody", "tr", "th", "td")
_BLOCKS = frozenset(("p", "h2", "h3", "h4", "pre", "hr", *_CONTAINERS))

_SUSPECT = re.compile(r"[\\`*\[\]~$_<&:@]")
"""All that :data:`_ESCAPED` can begin with; most texts have none of it, and this is much quicker to tell."""

_ESCAPED = re.compile(
    r"[\\`*\[\]~$]"
    r"|(?<![^\W_])_|_(?![^\W_])"  # between letters an underscore is itself
    r"|<(?=[A-Za-z/!?]|\Z)"
    r"|&(?=#?\w+;)"
    r"|:(?=[A-Za-z0-9_+-]+:)"  # :emoji:
    r"|@(?=[A-Za-z0-9])"  # @name
)
_OPEN_ENTITY = re.compile(r"&(?=#?\w*\Z)")
"""What the text after a run could make an entity."""
_LINE_START = re.compile(
    r"(?=[-+](?:[ \t]|$)|#{1,6}(?:[ \t]|$)|>|=+[ \t]*$|[-|:][-|: \t]*$)"  # the first character is escaped
    r"|[0-9]{1,9}(?=[.)](?:[ \t]|$))"  # or what follows the number
)
_LIST = re.compile(r"[-+] |[0-9]+[.)] ")
"""How a list begins; a text that begins so is escaped."""

_CLOSING_HASHES = re.compile(r"(?<=[ \t])(?=#+[ \t]*$)")
_UNSAFE_IN_PATH = re.compile(r"[^\w./~-]+")
_UNSAFE_IN_ADDRESS = re.compile(r"[\x00-\x20<>()\\\"`|\x7f]+")
_ENTITY = re.compile(r"&(?=#?\w+;)")

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

_SEPARATING = frozenset(("Zs", "Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps"))

_RAISED = str.maketrans("0123456789+-=()ni", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱ")
_LOWERED = str.maketrans("0123456789+-=()", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎")


class _Piece(NamedTuple):
    """A run of inline content. ``text`` is plain for kinds text and code, Markdown for link and image."""

    kind: Literal["text", "code", "link", "image", "break"]
    text: str
    mark: Mark = ""


_BREAK = _Piece("break", "")


# Texts


def escape(text: str) -> str:
    """``text`` as one line of Markdown that shows it as typed, wherever on a line or in a heading it stands."""
    parts = split_addresses(one_line(text))
    shown = "".join(code_span(part) if is_address else _escaped(part) for part, is_address in parts)
    return _open_ended(_line_start(shown))


def label(text: str) -> str:
    """``text`` as the label of a link or the alternative text of a picture."""
    return _escaped(one_line(text))


def code_span(text: str) -> str:
    """``text`` as a code span, whatever backticks it holds."""
    text = text.replace("\n", " ")
    fence = "`" * (_longest_run("`", text) + 1)
    pad = " " if text.strip(" ") and (text[0] in "` " or text[-1] in "` ") else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def path_destination(path: str) -> str:
    """A relative path as the destination of a link; letters of any script stay readable."""
    return _UNSAFE_IN_PATH.sub(lambda match: quote(match[0], safe=""), path)


def destination(address: str) -> str:
    """An absolute address as the destination of a link."""
    encoded = _UNSAFE_IN_ADDRESS.sub(lambda match: quote(match[0], safe=""), address)
    return _ENTITY.sub("&amp;", encoded)


def picture(image: Image, labels: Labels, address: str | None, *, title: str = "") -> str:
    """The paragraph of a picture that stands alone; ``address`` is what the page loads for it.

    Without one it is the caption, else the alternative text unless that only repeats ``title``, else nothing.
    """
    caption = one_line(image.caption)
    if address is None:
        words = caption or (image.alt if image.alt != title else "")
        return _paragraph([_Piece("text", labels.picture + words)]) if words else ""
    return _paragraph([_image_piece(image.alt, address), _BREAK, _Piece("text", caption, "*")])


def quote_block(runs: Iterable[tuple[str, bool]], prefix: str = "") -> str:
    """Plain text as a quote, line by line; ``runs`` are its pieces, each with whether it stands out."""
    pieces = [_Piece("text", prefix)]
    for text, stands_out in runs:
        for index, line in enumerate(text.split("\n")):
            pieces += [_BREAK] * (index > 0) + [_Piece("text", _CONTROL.sub(" ", line), "**" if stands_out else "")]
    return _quoted(_paragraph(pieces))


def _escaped(text: str) -> str:
    return _ESCAPED.sub(r"\\\g<0>", text) if _SUSPECT.search(text) else text


def _line_start(line: str) -> str:
    """``line`` with what would start a block, underline a heading or rule a table escaped."""
    match = _LINE_START.match(line)
    return f"{match[0]}\\{line[match.end() :]}" if match else line


def _open_ended(line: str) -> str:
    """``line`` with a final run of # escaped, which a heading would swallow."""
    return _CLOSING_HASHES.sub(r"\\", line)


def _longest_run(character: str, text: str) -> int:
    return max(map(len, re.findall(f"{re.escape(character)}+", text)), default=0)


# Bodies


def body_markdown(body: str, choices: Choices) -> str:
    """``body`` (closed vocabulary) as Markdown without a final line end; raw HTML only for tables."""
    return "\n\n".join(_blocks(parse(body), choices, 0))


def _blocks(container: LexborNode, choices: Choices, depth: int) -> list[str]:
    """The blocks that the children of ``container`` make; loose inline content makes paragraphs."""
    blocks: list[str] = []
    inline: list[LexborNode] = []
    last_list = ""

    def end_paragraph() -> None:
        nonlocal last_list
        if inline and (text := _paragraph(_pieces(inline, choices))):
            blocks.append(text)
            last_list = ""
        inline.clear()

    for node in container.iter(include_text=True):
        tag = node.tag or ""
        if tag not in _BLOCKS or depth >= _DEEPEST:
            inline.append(node)
            continue
        end_paragraph()
        if tag in ("ul", "ol"):
            # Two lists in a row would join into one: the second takes the other marker.
            last_list = f"{tag}+" if last_list == tag else tag
            text = _list(node, choices, depth, ordered=tag == "ol", alternate=last_list.endswith("+"))
        else:
            text = _WRITERS.get(tag, _transparent)(node, choices, depth)
            last_list = "" if text else last_list
        if text:
            blocks.append(text)
    end_paragraph()
    return blocks


def _transparent(node: LexborNode, choices: Choices, depth: int) -> str:
    return "\n\n".join(_blocks(node, choices, depth + 1))


def _text_block(node: LexborNode, choices: Choices, _depth: int) -> str:
    return _paragraph(_content(node, choices))


def _heading(node: LexborNode, choices: Choices, _depth: int) -> str:
    """A heading; one with line breaks becomes several, since a heading of Markdown is one line."""
    hashes = "#" * int((node.tag or "h2")[1])
    lines = _lines([piece._replace(mark="") for piece in _pieces([node], choices)])
    return "\n\n".join(f"{hashes} {_open_ended(line)}" for line in lines)


def _quote(node: LexborNode, choices: Choices, depth: int) -> str:
    return _quoted("\n\n".join(_blocks(node, choices, depth + 1)))


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}" if line else ">" for line in text.split("\n")) if text else ""


def _list(node: LexborNode, choices: Choices, depth: int, *, ordered: bool, alternate: bool) -> str:
    items: list[str] = []
    loose = False
    for child in node.iter(include_text=True):
        text = _item(child, choices, depth)
        if text:
            marker = f"{len(items) + 1}{')' if alternate else '.'}" if ordered else ("+" if alternate else "-")
            loose = loose or "\n\n" in text
            items.append(f"{marker} {_indented(text, len(marker) + 1)}")
    return ("\n\n" if loose else "\n").join(items)


def _item(node: LexborNode, choices: Choices, depth: int) -> str:
    if node.tag != "li":
        return _paragraph(_pieces([node], choices))
    blocks = _blocks(node, choices, depth + 1)
    # An empty line between an item's text and the list under it would make paragraphs of all items.
    tight = len(blocks) == 2 and _LIST.match(blocks[1]) and not blocks[0].startswith("<")
    return ("\n" if tight else "\n\n").join(blocks)


def _indented(text: str, width: int) -> str:
    """``text`` with all lines but the first moved right."""
    return re.sub(r"\n(?=[^\n])", "\n" + " " * width, text)


def _rule(_node: LexborNode, _choices: Choices, _depth: int) -> str:
    return "***"


def _preformatted(node: LexborNode, _choices: Choices, _depth: int) -> str:
    code = (node.text(deep=True) or "").strip("\n")
    fence = "`" * max(3, _longest_run("`", code) + 1)
    return f"{fence}\n{code}\n{fence}" if code.strip(" \t\n") else ""


def _figure(node: LexborNode, choices: Choices, depth: int) -> str:
    images = node.css("img")
    if not images:
        return _transparent(node, choices, depth)
    caption_node = node.css_first("figcaption")
    shown: list[_Piece] = []
    for image in images:
        if (address := shown_at(image, choices)) is not None:
            shown += [_image_piece(image.attributes.get("alt") or "", address), _BREAK]
    mark: Mark = "*" if shown else ""
    caption = _content(caption_node, choices, mark=mark) if caption_node is not None else []
    if not shown:
        words = caption or [_Piece("text", images[0].attributes.get("alt") or "")]
        return _paragraph([_Piece("text", choices.labels.picture), *words])
    return _paragraph([*shown, *(_captioned(piece) for piece in caption)])


def _table(node: LexborNode, choices: Choices, _depth: int) -> str:
    """Raw HTML, which alone can hold every table; without empty lines, which would end it."""
    parts = ["<table>\n"]
    for kind, markup in tokens(node, choices, code_addresses=True):
        parts.append(markup)
        if kind == "close" and markup in ("</tr>", "</thead>", "</tbody>"):
            parts.append("\n")
    parts.append("</table>")
    return re.sub(r"\n+", "\n", "".join(parts))


_WRITERS: dict[str, Callable[[LexborNode, Choices, int], str]] = {
    "p": _text_block,
    "figcaption": _text_block,
    "h2": _heading,
    "h3": _heading,
    "h4": _heading,
    "blockquote": _quote,
    "hr": _rule,
    "pre": _preformatted,
    "figure": _figure,
    "table": _table,
}


# Inline content


def _content(node: LexborNode, choices: Choices, *, mark: Mark = "", linked: bool = False) -> list[_Piece]:
    """The inline content of an element, see :func:`_pieces`. Most often it is one text."""
    child = node.child
    if child is not None and child.tag == "-text" and child.next is None:
        return [_Piece("text", evened(child.text_content or ""), mark)]
    return _pieces(node.iter(include_text=True), choices, mark=mark, linked=linked)


def _pieces(nodes: Iterable[LexborNode], choices: Choices, *, mark: Mark = "", linked: bool = False) -> list[_Piece]:
    """The inline content of ``nodes`` in document order; blocks inside it become lines of their own.

    An explicit stack: depth costs no recursion. ``linked`` says that ``nodes`` stand in a link already.
    """
    pieces: list[_Piece] = []
    stack: list[_Level] = [(iter(nodes), mark, _PLAIN, False)]
    while stack:
        level, mark, script, is_block = stack.pop()
        for node in level:
            tag = node.tag or ""
            if tag == "-text":
                text = evened(node.text_content or "")
                pieces.append(_Piece("text", _scripted(text, script) if script else text, mark))
            elif tag == "br":
                pieces.append(_BREAK)
            elif tag == "a" and not linked:
                pieces.extend(_link(node, mark, choices))
            elif tag in ("img", "code"):
                pieces.append(_leaf(node, mark, choices))
            else:
                if tag in _BLOCKS:
                    pieces.append(_BREAK)
                stack.append((level, mark, script, is_block))  # to be gone on with after what is inside
                stack.append((node.iter(include_text=True), *_style(tag, mark, script), tag in _BLOCKS))
                break
        else:
            if is_block:
                pieces.append(_BREAK)
    return pieces


_Script = dict[int, int]
"""Characters that have a raised or lowered form; empty on the line."""
_PLAIN: _Script = {}

_Level = tuple[Iterator[LexborNode], Mark, _Script, bool]
"""What is left of an element's children, in which style, and whether the element is a block."""


def _style(tag: str, mark: Mark, script: _Script) -> tuple[Mark, _Script]:
    """The style of what stands in an element. Markdown's emphasis is kept flat: strong within em is strong."""
    if tag == "strong":
        return "**", script
    if tag == "em":
        return mark or "*", script
    return mark, {"sup": _RAISED, "sub": _LOWERED}.get(tag, script)


def _scripted(text: str, script: _Script) -> str:
    """``text`` raised or lowered when all of it can be, since 10⁶ must not become 106."""
    return text.translate(script) if all(ord(character) in script for character in text) else text


def _leaf(node: LexborNode, mark: Mark, choices: Choices) -> _Piece:
    if node.tag == "img":
        alt = node.attributes.get("alt") or ""
        address = shown_at(node, choices)
        return _Piece("text", choices.labels.picture + alt) if address is None else _image_piece(alt, address)
    text = text_of(node)
    return _Piece("code", text) if text.strip(" ") else _Piece("text", text, mark)


def _image_piece(alt: str, address: str) -> _Piece:
    return _Piece("image", f"![{label(alt)}]({destination(address)})")


def _captioned(piece: _Piece) -> _Piece:
    return piece._replace(mark="*") if piece.kind == "text" else piece


def _link(node: LexborNode, mark: Mark, choices: Choices) -> list[_Piece]:
    """A link, or its content alone when it leads nowhere on this page; an embed gets its label."""
    href = node.attributes.get("href") or ""
    target = choices.live(href)
    content = _content(node, choices, mark=mark, linked=True)
    if not any(piece.text.strip(" ") for piece in content):
        name, colon = choices.embed_label(href), choices.labels.colon
        content = [_Piece("text", name)] if target else [_Piece("text", f"{name}{colon}"), _Piece("code", href)]
    if target is None:
        return content
    # A relative target comes from our own tree, whose paths are encoded already.
    address = destination(target)
    pieces: list[_Piece] = []
    line: list[_Piece] = []
    for piece in [*content, _BREAK]:
        if piece.kind != "break":
            line.append(piece)
            continue
        pieces += [*_linked(line, address), _BREAK]
        line = []
    return pieces[:-1]


def _linked(content: list[_Piece], address: str) -> Iterator[_Piece]:
    """One line of a link; spaces at its ends stay outside, emphasis of all of it goes inside the brackets."""
    words = "".join(
        code_span(piece.text) if piece.kind == "code" else piece.text if piece.kind == "image" else _escaped(piece.text)
        for piece in _joined(content)
    )
    name = words.strip(" ")
    if not name:
        return
    marks = {piece.mark for piece in content if piece.text.strip()}
    core = name.strip()  # ideographic spaces too: delimiters beside them would not work
    if core and len(marks) == 1:
        mark = marks.pop()
        name = name.replace(core, f"{mark}{core}{mark}", 1)
    if words.startswith(" "):
        yield _Piece("text", " ")
    yield _Piece("link", f"[{name}]({address})")
    if words.endswith(" "):
        yield _Piece("text", " ")


def _paragraph(pieces: list[_Piece]) -> str:
    """Lines of one paragraph, with hard breaks between them."""
    return "  \n".join(_lines(pieces))


def _lines(pieces: list[_Piece]) -> list[str]:
    text = _plain_text(pieces)
    lines = [_escaped(text)] if text is not None else _shown(_settled(pieces)).split("\n")
    return [_line_start(line) for line in (line.strip(" ") for line in lines) if line]


def _plain_text(pieces: list[_Piece]) -> str | None:
    """The text of pieces that are nothing but plain text, as those of most paragraphs are; None of all others."""
    for kind, _, mark in pieces:
        if kind != "text" or mark:
            return None
    text = "".join([piece.text for piece in pieces])
    return None if may_hold_address(text) else text


def _settled(pieces: list[_Piece]) -> list[_Piece]:
    """Adjacent runs of one style joined, emphasis that Markdown could not show dropped, addresses in code."""
    runs = _joined(pieces)
    if any(run.mark for run in runs):
        runs = _joined([run._replace(mark="") if run.mark and not _core(run.text) else run for run in runs])
        strong = [run.mark == "**" for run in runs]
        for index, run in enumerate(runs):
            beside = strong[max(index - 1, 0) : index] + strong[index + 1 : index + 2]
            if run.mark == "*" and any(beside):  # runs of * and ** side by side pair up in surprising ways
                runs[index] = run._replace(mark="")
        runs = _joined(runs)
    if not may_hold_address("".join(run.text for run in runs if _is_text(run))):
        return runs
    split: list[_Piece] = []
    for is_text, group in itertools.groupby(runs, _is_text):
        some = list(group)
        split += _with_addresses(some) if is_text else some
    return _joined(split)


def _is_text(run: _Piece) -> bool:
    return run.kind == "text"


def _with_addresses(runs: list[_Piece]) -> Iterator[_Piece]:
    """Text runs beside each other with the addresses in them as code; one that changes its style midway too."""
    rest = list(reversed(runs))
    for part, is_address in split_addresses("".join(run.text for run in runs)):
        if is_address:
            yield _Piece("code", part)
        left = len(part)
        while left:
            run = rest.pop()
            if len(run.text) > left:
                rest.append(run._replace(text=run.text[left:]))
                run = run._replace(text=run.text[:left])
            left -= len(run.text)
            if not is_address:
                yield run


def _joined(pieces: list[_Piece]) -> list[_Piece]:
    runs: list[_Piece] = []
    for piece in pieces:
        if not piece.text and piece.kind != "break":
            continue
        last = runs[-1] if runs else _BREAK
        if piece.kind in ("text", "code") and (last.kind, last.mark) == (piece.kind, piece.mark):
            runs[-1] = _Piece(piece.kind, last.text + piece.text, piece.mark)
        else:
            runs.append(piece)
    return runs


def _shown(runs: list[_Piece]) -> str:
    """Markdown of settled runs, with a line end for each break."""
    shown: list[str] = []
    before = " "
    for run, following in zip(runs, [*runs, _BREAK][1:], strict=True):
        if run.kind == "break":
            shown.append("\n")
            before = " "
        elif run.kind == "text":
            text = _emphasised(run, before, _first(following)) if run.mark else _escaped(run.text)
            shown.append(_OPEN_ENTITY.sub(r"\&", text) if following.kind == "text" else text)
            before = run.text[-1]
        else:
            if run.kind == "link" and before == "!" and shown[-1].endswith("!"):
                shown[-1] = f"{shown[-1][:-1]}\\!"  # else a picture
            shown.append(code_span(run.text) if run.kind == "code" else run.text)
            before = ")"
    return "".join(shown)


def _first(run: _Piece) -> str:
    """The first character that ``run`` shows, or one of the same class."""
    if run.kind == "break":
        return " "
    return run.text[0] if run.kind == "text" else "["


def _emphasised(run: _Piece, before: str, after: str) -> str:
    """A run between its delimiters, with all outer punctuation moved out where the delimiters could not work."""
    if not _core(run.text):
        return _escaped(run.text)
    core = run.text.strip()
    lead, _, trail = run.text.partition(core)
    if not (_can_flank(core[0], (lead or before)[-1]) and _can_flank(core[-1], (trail or after)[0])):
        core = _core(run.text)
        lead, _, trail = run.text.partition(core)
    return f"{_escaped(lead)}{run.mark}{_escaped(core)}{run.mark}{_escaped(trail)}"


def _can_flank(inner: str, outer: str) -> bool:
    """CommonMark's rule for a delimiter run between the emphasised character ``inner`` and ``outer``.

    Hosts differ on whether symbols count as punctuation; what is true here is true under both readings.
    """
    return not _delimits(inner) or outer in " \t\n$+<=>^`|~" or unicodedata.category(outer) in _SEPARATING


def _core(text: str) -> str:
    """``text`` without punctuation, symbols and spaces at its ends."""
    start, end = 0, len(text)
    while start < end and _delimits(text[start]):
        start += 1
    while end > start and _delimits(text[end - 1]):
        end -= 1
    return text[start:end]


def _delimits(character: str) -> bool:
    return character.isspace() or unicodedata.category(character)[:1] in ("P", "S", "Z")
