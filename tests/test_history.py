"""What a reader is told an outlet changed: texts block by block, words within them, pictures, withdrawals."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirror_crawler import history
from mirror_crawler.history import Change, Edit, Text, changes
from mirror_crawler.items import Article, Image
from tests.test_items import ARTICLE

OPENING = "青禾镇图书馆的夜读灯每晚亮到十点，来的人比去年多了三成。"
MIDDLE = "馆员说，最受欢迎的是靠窗的那一排座位，冬天也坐满了人。"
LATER = OPENING.replace("三成", "四成")
ENDING = "下月起，图书馆还将在周末开放到午夜。"
FIRST = dataclasses.replace(
    ARTICLE,
    lead_image=None,
    images=[],
    text=f"{OPENING}\n\n{MIDDLE}\n\n{ENDING}",
    fetched_at="2026-10-10T00:00:00+00:00",
)


def revised(article: Article = FIRST, *blocks: str, **fields: Any) -> Article:
    """The next revision of ``article``: other blocks, other fields."""
    if blocks:
        fields["text"] = "\n\n".join(blocks)
    later = f"2026-10-10T0{article.revision}:00:00+00:00"
    changed: dict[str, Any] = {"revision": article.revision + 1, "fetched_at": later} | fields
    return dataclasses.replace(article, **changed)


def change(newer: Article, older: Article = FIRST) -> Change:
    (found,) = changes([older, newer])
    return found


def said(text: Text) -> str:
    """A text with what differs in brackets."""
    return "".join(f"[{run.text}]" if run.differs else run.text for run in text)


def told(edit: Edit) -> tuple[Any, ...]:
    if edit.kind == "kept":
        return edit.kind, edit.count
    return edit.kind, [said(text) for text in edit.before], [said(text) for text in edit.after]


def edits(newer: Article, older: Article = FIRST) -> list[tuple[Any, ...]]:
    """The edits of the text, in short."""
    return [told(edit) for edit in change(newer, older).edits if edit.part == "text"]


def texts(found: Change, part: str) -> list[tuple[Any, ...]]:
    return [told(edit) for edit in found.edits if edit.part == part]


class TestText:
    def test_an_added_block(self) -> None:
        assert edits(revised(FIRST, OPENING, "馆长表示欢迎。", MIDDLE, ENDING)) == [
            ("kept", 1),
            ("added", [], ["馆长表示欢迎。"]),
            ("kept", 2),
        ]

    def test_removed_blocks_stand_together(self) -> None:
        assert edits(revised(FIRST, ENDING)) == [("removed", [OPENING, MIDDLE], []), ("kept", 1)]

    def test_a_changed_block_tells_which_words(self) -> None:
        assert edits(revised(FIRST, LATER, MIDDLE, ENDING)) == [
            (
                "changed",
                ["青禾镇图书馆的夜读灯每晚亮到十点，来的人比去年多了[三]成。"],
                ["青禾镇图书馆的夜读灯每晚亮到十点，来的人比去年多了[四]成。"],
            ),
            ("kept", 2),
        ]

    def test_a_changed_block_is_found_among_new_ones(self) -> None:
        newer = revised(FIRST, "全新的第一段。", "又一段新的文字。", OPENING.replace("十点", "九点"), MIDDLE, ENDING)
        assert [edit[0] for edit in edits(newer)] == ["added", "changed", "kept"]
        assert [edit[0] for edit in edits(FIRST, newer)] == ["removed", "changed", "kept"]

    def test_pairs_keep_their_order(self) -> None:
        older = revised(FIRST, "甲" * 20, OPENING, "乙" * 20, MIDDLE)
        newer = revised(older, "丙" * 20, LATER, MIDDLE.replace("冬天", "夏天"), "丁" * 20)
        assert [edit[0] for edit in edits(newer, older)] == [
            "removed",
            "added",
            "changed",
            "removed",
            "changed",
            "added",
        ]

    def test_a_rewritten_block_is_another_one(self) -> None:
        assert edits(revised(FIRST, "天气晴朗，宜出行。", MIDDLE, ENDING)) == [
            ("removed", [OPENING], []),
            ("added", [], ["天气晴朗，宜出行。"]),
            ("kept", 2),
        ]

    def test_line_ends_stay_in_a_block_and_tables_fall_into_rows(self) -> None:
        older = revised(FIRST, "上行\n下行", "年份\t信件\n2020\t1,204 件\n2021\t988 件")
        newer = revised(older, "上行\n下行", "年份\t信件\n2020\t1,204 件\n2021\t989 件")
        assert edits(newer, older) == [("kept", 3), ("changed", ["2021\t[988] 件"], ["2021\t[989] 件"])]

    def test_an_article_without_text(self) -> None:
        empty = dataclasses.replace(FIRST, text="")
        assert edits(revised(empty, OPENING), empty) == [("added", [], [OPENING])]


class TestWords:
    @pytest.mark.parametrize(
        ("before", "after", "marked"),
        [
            (
                "共有 1,204 人到场观看演出",
                "共有 1,240 人到场观看演出",
                ("共有 [1,204] 人到场观看演出", "共有 [1,240] 人到场观看演出"),
            ),
            (
                "演出由 Smith 主持并致词",
                "演出由 Smyth 主持并致词",
                ("演出由 [Smith] 主持并致词", "演出由 [Smyth] 主持并致词"),
            ),
            (
                "见https://example.com/a.htm的说明",
                "见https://example.com/b.htm的说明",
                ("见[https://example.com/a.htm]的说明", "见[https://example.com/b.htm]的说明"),
            ),
            ("他说今天会来看演出", "他说今天不会来看演出", ("他说今天会来看演出", "他说今天[不]会来看演出")),
            ("他昨天上午到达并致词", "他今天下午到达并致词", ("他[昨天上]午到达并致词", "他[今天下]午到达并致词")),
            ("他来了，然后又离开了", "他来了。然后又离开了", ("他来[了，]然后又离开了", "他来[了。]然后又离开了")),
            ("演出十分精彩", "演出十分精彩！", ("演出十分精彩", "演出十分精[彩！]")),
            ("“好一场演出", "好一场演出", ("[“]好一场演出", "好一场演出")),
            ("三点开始的演出。", "四点开始的演唱。", ("[三]点开始的演[出]。", "[四]点开始的演[唱]。")),
        ],
        ids=[
            "number",
            "name",
            "address",
            "insertion",
            "single-kept",
            "punctuation",
            "at-the-end",
            "at-the-start",
            "both-ends",
        ],
    )
    def test_what_differs(self, before: str, after: str, marked: tuple[str, str]) -> None:
        (edit,) = change(revised(title=after), dataclasses.replace(FIRST, title=before)).edits[:1]
        assert (said(edit.before[0]), said(edit.after[0])) == marked

    def test_nothing_is_marked_in_a_headline_made_anew(self) -> None:
        found = change(revised(title="午夜开放"))
        assert texts(found, "title") == [("changed", ["青禾镇图书馆"], ["午夜开放"])]

    @pytest.mark.untraced
    @given(st.text(alphabet="甲乙丙a1 ，。\n", max_size=40), st.text(alphabet="甲乙丙a1 ，。\n", max_size=40))
    def test_no_character_is_lost(self, before: str, after: str) -> None:
        old, new = history._marked(before, after)
        assert ("".join(run.text for run in old), "".join(run.text for run in new)) == (before, after)


def picture(name: str, caption: str = "", host: str = "i.epochtimes.com") -> Image:
    return Image(url=f"https://{host}/{name}.jpg", alt="灯", caption=caption)


class TestPictures:
    @pytest.mark.parametrize(
        ("before", "after", "expected"),
        [
            (None, picture("a", "夜"), [("added", [], ["夜 https://i.epochtimes.com/a.jpg"])]),
            (picture("a"), None, [("removed", ["灯 https://i.epochtimes.com/a.jpg"], [])]),
            (picture("a", "夜读灯亮了"), picture("a", "夜读灯灭了"), [("changed", ["夜读灯[亮]了"], ["夜读灯[灭]了"])]),
            (
                picture("a", "夜读灯"),
                picture("b", "夜读灯"),
                [("changed", ["夜读灯 [https://i.epochtimes.com/a.jpg]"], ["夜读灯 [https://i.epochtimes.com/b.jpg]"])],
            ),
            (picture("a", "夜"), picture("a", "夜", "i.ntdtv.com"), []),
            (picture("a"), picture("a-600x400"), []),
            (picture("a"), picture("a"), []),
        ],
        ids=["added", "removed", "caption", "replaced", "other-host", "other-size", "same"],
    )
    def test_lead(self, before: Image | None, after: Image | None, expected: list[Any]) -> None:
        found = change(revised(lead_image=after), dataclasses.replace(FIRST, lead_image=before))
        assert texts(found, "lead") == expected

    @pytest.mark.parametrize(
        ("before", "after", "expected"),
        [
            (["a"], ["a", "b"], [("added", [], ["灯 https://i.epochtimes.com/b.jpg"])]),
            (
                ["a", "b"],
                ["c"],
                [
                    ("removed", ["灯 https://i.epochtimes.com/a.jpg", "灯 https://i.epochtimes.com/b.jpg"], []),
                    ("added", [], ["灯 https://i.epochtimes.com/c.jpg"]),
                ],
            ),
            (
                ["a"],
                ["b"],
                [("changed", ["灯 [https://i.epochtimes.com/a.jpg]"], ["灯 [https://i.epochtimes.com/b.jpg]"])],
            ),
            (["a", "b"], ["b"], [("removed", ["灯 https://i.epochtimes.com/a.jpg"], [])]),
            (["a"], ["a", "a"], [("added", [], ["灯 https://i.epochtimes.com/a.jpg"])]),
            (["a", "b"], ["a", "b"], []),
        ],
        ids=["added", "others", "replaced", "fewer", "twice", "same"],
    )
    def test_body(self, before: list[str], after: list[str], expected: list[Any]) -> None:
        older = dataclasses.replace(FIRST, images=[picture(name) for name in before])
        assert texts(change(revised(older, images=[picture(name) for name in after]), older), "picture") == expected

    def test_a_caption_in_the_text_is_told_once(self) -> None:
        older = revised(FIRST, OPENING, "夜读灯亮了。", images=[picture("a", "夜读灯亮了。")])
        newer = revised(older, OPENING, "夜读灯灭了。", images=[picture("a", "夜读灯灭了。")])
        assert [edit.part for edit in change(newer, older).edits if edit.kind != "kept"] == ["text"]

    def test_a_caption_that_no_text_has_is_told(self) -> None:
        older = dataclasses.replace(FIRST, images=[picture("a", "夜读灯亮了。")])
        found = change(revised(older, images=[picture("a", "夜读灯灭了。")]), older)
        assert [(edit.part, edit.kind) for edit in found.edits if edit.kind != "kept"] == [("picture", "changed")]


class TestChange:
    def test_newest_first_with_their_times(self) -> None:
        second = revised(title="青禾镇图书馆夜读")
        third = revised(second, OPENING)
        assert [
            (found.newer, found.newer_at, found.older, found.older_at) for found in changes([FIRST, second, third])
        ] == [
            (3, "2026-10-10T02:00:00+00:00", 2, "2026-10-10T01:00:00+00:00"),
            (2, "2026-10-10T01:00:00+00:00", 1, "2026-10-10T00:00:00+00:00"),
        ]

    def test_a_single_revision_has_no_change(self) -> None:
        assert changes([FIRST]) == []

    def test_order_of_parts(self) -> None:
        found = change(revised(FIRST, OPENING, title="题", lead_image=picture("a"), images=[picture("b")]))
        assert [edit.part for edit in found.edits] == ["title", "lead", "text", "text", "picture"]

    def test_what_a_reader_does_not_see(self) -> None:
        found = change(revised(body_html='<p>夜读灯<a href="https://example.com/">亮</a>到十点。</p>'))
        assert (found.edits, found.counts, found.left_out) == ((), {}, False)

    def test_counts(self) -> None:
        found = change(revised(FIRST, "新一段。", "新二段。", LATER, title="题"))
        assert found.counts == {"changed": 2, "added": 2, "removed": 2}

    @pytest.mark.parametrize(
        ("before", "after", "expected"),
        [
            (None, "2026-10-10T08:30:00+08:00", "2026-10-10T08:30:00+08:00"),
            ("2026-10-10T08:30:00+08:00", "2026-10-10T08:30:00+08:00", None),
            ("2026-10-10T08:30:00+08:00", None, None),
        ],
        ids=["told", "same", "no-longer-told"],
    )
    def test_time_that_the_outlet_tells(self, before: str | None, after: str | None, expected: str | None) -> None:
        older = dataclasses.replace(FIRST, modified_at=before)
        assert change(revised(older, modified_at=after), older).source_modified_at == expected

    def test_a_withdrawn_article_that_came_back(self) -> None:
        gone = dataclasses.replace(FIRST, withdrawn_at="2026-10-10T00:30:00+00:00")
        assert change(revised(gone, withdrawn_at=None), gone).withdrawn_at == "2026-10-10T00:30:00+00:00"


class TestLimits:
    def test_details_of_early_changes_give_way(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(history, "_MOST_TEXT", 90)
        second = revised(FIRST, "甲" * 25)
        third = revised(second, "甲" * 25, "乙" * 25)
        assert [(found.left_out, bool(found.edits)) for found in changes([FIRST, second, third])] == [
            (False, True),
            (True, False),
        ]
        assert changes([FIRST, second, third])[1].counts == {"added": 1, "removed": 3}

    def test_many_small_edits_fill_a_page_too(self) -> None:
        older = revised(FIRST, *(f"{number}\n同" for number in range(9000)))
        newer = revised(older, *(f"{number}\n同" for number in range(1, 9000, 2)))
        assert change(newer, older).left_out

    @pytest.mark.parametrize(
        ("limits", "expected"),
        [
            (["_MOST_PAIRS"], [("removed", [OPENING], []), ("added", [], [LATER]), ("kept", 2)]),
            (
                ["_MOST_BLOCKS", "_MOST_PAIRS"],
                [("removed", [OPENING, MIDDLE, ENDING], []), ("added", [], [LATER, MIDDLE, ENDING])],
            ),
            (["_MOST_WORDS"], [("changed", [OPENING], [LATER]), ("kept", 2)]),
        ],
        ids=["pairs", "blocks", "words"],
    )
    def test_too_much_to_compare_is_told_as_a_whole(
        self, monkeypatch: pytest.MonkeyPatch, limits: list[str], expected: list[Any]
    ) -> None:
        for limit in limits:
            monkeypatch.setattr(history, limit, 0)
        assert edits(revised(FIRST, LATER, MIDDLE, ENDING)) == expected

    @pytest.mark.untraced
    @settings(deadline=None)
    @given(
        st.lists(st.text(alphabet="甲乙丙丁ab ，。\t\n", max_size=12), max_size=8),
        st.lists(st.text(alphabet="甲乙丙丁ab ，。\t\n", max_size=12), max_size=8),
    )
    def test_both_texts_can_be_put_together_again(self, old: list[str], new: list[str]) -> None:
        older, newer = dataclasses.replace(FIRST, text="\n\n".join(old)), revised(FIRST, text="\n\n".join(new))
        blocks = {article.revision: history._blocks(article.text) for article in (older, newer)}
        before: list[str] = []
        after: list[str] = []
        for edit in history._texts(older, newer):
            if edit.kind == "kept":
                before += blocks[1][len(before) : len(before) + edit.count]
                after += blocks[2][len(after) : len(after) + edit.count]
            before += ["".join(run.text for run in text) for text in edit.before]
            after += ["".join(run.text for run in text) for text in edit.after]
        assert (before, after) == (blocks[1], blocks[2])
