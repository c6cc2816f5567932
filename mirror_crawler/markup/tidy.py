"""The tree of blocks as a whole: what is empty or advertises other articles goes, headings are found."""

from __future__ import annotations

from mirror_crawler.markup.blocks import CELLS, LISTS, Block, Box, Figure, Text
from mirror_crawler.markup.inline import EDGE, Segment, text_of

_RELATED = {"相关文章", "相关新闻", "相关视频", "推荐阅读"}
_RELATED |= {"相關文章", "相關新聞", "相關視頻", "相關影片", "推薦閱讀"}
_RELATED_LENGTH = 6
_HEADING_LENGTH = 45


def tidy(box: Box) -> None:
    """Drop empty boxes and lists of related articles, open tables of one cell, part figures without a caption."""
    found: list[Block] = []
    for block in box.children:
        if isinstance(block, Box):
            tidy(block)
            cells = _cells(block) if block.kind == "table" else []
            if len(cells) == 1:
                found += cells[0].children
            elif not _is_empty(block):
                found.append(block)
        elif isinstance(block, Figure) and not block.caption:
            found += [Figure([picture], []) for picture in block.pictures]
        else:
            found.append(block)
    box.children = _without_related(found)
    if box.kind in ("thead", "tbody") and not any("rowspan" in cell.attributes for cell in _cells(box)):
        # A row of empty cells may stay where a cell above reaches into it.
        box.children = [
            row for row in box.children if isinstance(row, Box) and any(cell.children for cell in _cells(row))
        ]


def _cells(box: Box) -> list[Box]:
    """The cells of a table, section or row; a cell is its own."""
    if box.kind in CELLS:
        return [box]
    return [cell for child in box.children if isinstance(child, Box) for cell in _cells(child)]


def _is_empty(box: Box) -> bool:
    if box.kind in CELLS:
        return False
    if box.kind == "table":
        return not any(cell.children for cell in _cells(box))
    return not box.children


def _without_related(blocks: list[Block]) -> list[Block]:
    """Without the headings 相关文章 and the like that only links follow (FACTS A4), and without those links.

    From the end backwards, so that what is left holds no such list either.
    """
    kept: list[Block] = []
    for block in reversed(blocks):
        if kept and _is_related_heading(block) and _is_links(kept[-1]):
            while kept and _is_links(kept[-1]):
                kept.pop()
        else:
            kept.append(block)
    return kept[::-1]


def _is_related_heading(block: Block) -> bool:
    if not isinstance(block, Text) or len(block.segments[0][0]) > _RELATED_LENGTH:
        return False
    return text_of(block.segments).strip("：:　 ") in _RELATED


def _is_links(block: Block) -> bool:
    """Nothing but links: a paragraph of them, or a list of such."""
    if isinstance(block, Text):
        return all(
            any(one.startswith("<a ") for one in formats) for text, formats in block.segments if text.strip(EDGE)
        )
    if not isinstance(block, Box) or block.kind not in LISTS:
        return False
    items = [item.children for item in block.children if isinstance(item, Box)]
    return all(isinstance(part, Text) and _is_links(part) for parts in items for part in parts)


def set_headings(blocks: list[Block], pictured: set[int]) -> None:
    """Bold-only short paragraphs between others become headings."""
    for block in blocks[1:-1]:
        if isinstance(block, Text) and block.kind == "p" and block.source not in pictured and _is_bold(block.segments):
            block.kind = "h2"
            block.segments = [
                (text, tuple(one for one in formats if one != "<strong>")) for text, formats in block.segments
            ]


def _is_bold(segments: list[Segment]) -> bool:
    text = text_of(segments)
    return (
        len(text) <= _HEADING_LENGTH
        and "\n" not in text
        and not text.startswith(("【", "（", "("))
        and not text.endswith(("。", "，", "；"))
        and all("<strong>" in formats for part, formats in segments if part != " ")
    )
