"""read_credits: datelines, authors and editors in the outlets' shapes. All names and texts are invented."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirror_crawler.credits import EPOCHTIMES, NTDTV, CreditRules, Credits, read_credits

DAY = date(2020, 10, 14)
TEXT = "山溪镇的居民周三表示，新桥将于明年春天通车，两岸往来从此方便。"
PLACES = """
廣州 澳門 臺灣 台北 桃園 雲林 嘉義 屏東 宜蘭 花蓮 千葉 橫濱 韓國 首爾 馬來西亞 雅加達
菲律賓 墨爾本 阿德萊德 紐西蘭 奧克蘭 紐約 新澤西 華盛頓 費城 佛羅里達 邁阿密 休士頓 鳳凰城
拉斯維加斯 鹽湖城 西雅圖 矽谷 灣區 舊金山 聖荷西 沙加緬度 洛杉磯 橙縣 明尼蘇達 多倫多 溫哥華
滿地可 愛民頓 秘魯 祕魯 歐洲 曼徹斯特 愛爾蘭 漢堡 維也納 日內瓦 義大利 羅馬 比利時 布魯塞爾
丹麥 奧斯陸 希臘 俄羅斯 烏克蘭 基輔 大陸
"""
"""Where reporters write from, in traditional script."""


def epochtimes(*paragraphs: str, address_day: date | None = DAY) -> Credits:
    return read_credits(paragraphs, EPOCHTIMES, address_day)


def ntdtv(*paragraphs: str) -> Credits:
    return read_credits(paragraphs, NTDTV, DAY)


def opened_by(credit: str) -> list[str]:
    """Authors of an epochtimes article with this credit after the dateline."""
    return epochtimes(f"【大纪元2020年10月14日讯】（{credit}）{TEXT}", TEXT, TEXT, TEXT).authors


def closed_by(*lines: str) -> Credits:
    """Credits of an ntdtv article with these last paragraphs."""
    return ntdtv(f"【新唐人北京时间2020年10月14日讯】{TEXT}", TEXT, TEXT, TEXT, *lines)


class TestWholeArticles:
    def test_epochtimes(self) -> None:
        assert epochtimes(
            f"【大纪元2020年10月14日讯】（大纪元记者田小禾综合报导）{TEXT}", TEXT, TEXT, "责任编辑：柳一舟#"
        ) == Credits(dateline=DAY, authors=["田小禾"], editor="柳一舟")

    def test_epochtimes_in_traditional_script(self) -> None:
        assert epochtimes(
            f"【大紀元2020年10月14日訊】（大紀元記者葉小龍紐約採訪報導）{TEXT}", TEXT, "責任編輯：劉一蘭＃"
        ) == Credits(dateline=DAY, authors=["葉小龍"], editor="劉一蘭")

    def test_ntdtv(self) -> None:
        assert closed_by("（记者田小禾综合报导/责任编辑：柳一舟）") == Credits(
            dateline=DAY, authors=["田小禾"], editor="柳一舟"
        )

    def test_ntdtv_in_traditional_script(self) -> None:
        assert ntdtv(
            f"【新唐人北京時間2020年10月14日訊】{TEXT}", TEXT, "（記者葉小龍綜合報導／責任編輯：劉一蘭）"
        ) == Credits(dateline=DAY, authors=["葉小龍"], editor="劉一蘭")

    @pytest.mark.parametrize("rules", [EPOCHTIMES, NTDTV], ids=["epochtimes", "ntdtv"])
    @pytest.mark.parametrize("paragraphs", [[], [""], ["  ", "\n"], [TEXT], [TEXT] * 9], ids=str)
    def test_a_text_without_any(self, rules: CreditRules, paragraphs: Sequence[str]) -> None:
        assert read_credits(paragraphs, rules, DAY) == Credits(dateline=None, authors=[], editor=None)


class TestDateline:
    @pytest.mark.parametrize(
        "text",
        [
            pytest.param("【大纪元2020年10月14日讯】", id="usual"),
            pytest.param("【大 纪元2020年 10月\n14日讯 】", id="split by links"),
            pytest.param("【大纪元2020年10月14日】", id="without 讯"),
            pytest.param("【大纪元2020年10月14日讯 今天", id="without closing bracket"),
            pytest.param("【大纪元２０２０年１０月１４日讯】", id="full-width digits"),
            pytest.param("\u200b【大纪元2020年10月14日讯】", id="zero-width space"),
        ],
    )
    def test_epochtimes(self, text: str) -> None:
        assert epochtimes(text + TEXT).dateline == DAY

    @pytest.mark.parametrize(
        "text",
        [
            pytest.param("【新唐人北京时间2020年10月14日讯】", id="usual"),
            pytest.param("【新唐人 北京 时间2020年10月14日讯】", id="split by links"),
            pytest.param("【新唐人2020年10月14日讯】", id="older"),
            pytest.param("【新唐人亚太台 2020 年 10 月 14 日讯】", id="Asia-Pacific"),
            pytest.param("【新唐人亞太台2020年10月14日訊】", id="Asia-Pacific, traditional"),
            pytest.param("【新塘人2020年10月14日讯】", id="slip"),
        ],
    )
    def test_ntdtv(self, text: str) -> None:
        assert ntdtv(text + TEXT).dateline == DAY

    @pytest.mark.parametrize(
        "text",
        [
            pytest.param("【大纪元2020年13月14日讯】", id="month 13"),
            pytest.param("【大纪元2020年02月30日讯】", id="30 February"),
            pytest.param("【大纪元1020年10月14日讯】", id="year 1020"),
            pytest.param("【大纪元13月40日讯】", id="without year, impossible"),
            pytest.param("转自【大纪元2020年10月14日讯】", id="not at the start"),
            pytest.param("【新唐人2020年10月14日讯】", id="of another outlet"),
        ],
    )
    def test_what_is_none(self, text: str) -> None:
        assert epochtimes(text + TEXT).dateline is None

    @pytest.mark.parametrize("before", [1, 2])
    def test_after_an_introduction(self, before: int) -> None:
        assert epochtimes(*["编者按"] * before, "", "【大纪元2020年10月14日讯】" + TEXT).dateline == DAY

    def test_not_deep_in_the_text(self) -> None:
        assert epochtimes(TEXT, TEXT, TEXT, "【大纪元2020年10月14日讯】" + TEXT).dateline is None

    def test_the_first_of_two(self) -> None:
        assert epochtimes("【大纪元2020年10月14日讯】" + TEXT, "【大纪元2019年01月01日讯】").dateline == DAY

    @pytest.mark.parametrize(
        ("text", "address_day", "day"),
        [
            pytest.param("1月10日", date(2001, 1, 10), date(2001, 1, 10), id="same day"),
            pytest.param("1月1日", date(2001, 12, 31), date(2002, 1, 1), id="over the new year"),
            pytest.param("12月31日", date(2002, 1, 1), date(2001, 12, 31), id="back over the new year"),
            pytest.param("12月31日", date(2000, 1, 1), date(2000, 12, 31), id="not before the outlet"),
            pytest.param("2月29日", date(2001, 2, 28), date(2000, 2, 29), id="leap day"),
            pytest.param("2月29日", date(2002, 2, 28), None, id="no leap year near"),
            pytest.param("1月10日", None, None, id="no address day"),
        ],
    )
    def test_a_missing_year_is_the_nearest(self, text: str, address_day: date | None, day: date | None) -> None:
        assert epochtimes(f"【大纪元{text}讯】{TEXT}", address_day=address_day).dateline == day


class TestOpeningCredit:
    @pytest.mark.parametrize(
        ("credit", "authors"),
        [
            pytest.param("大纪元记者田小禾综合报导", ["田小禾"], id="综合报导"),
            pytest.param("大纪元记者田禾报道", ["田禾"], id="报道"),
            pytest.param("大纪元记者田小禾编译报导", ["田小禾"], id="编译报导"),
            pytest.param("大纪元记者田小禾香港报导", ["田小禾"], id="place"),
            pytest.param("大纪元记者田禾墨尔本采访报导", ["田禾"], id="place after two characters"),
            pytest.param("大纪元记者田小禾美国宾州哈里斯堡报导", ["田小禾"], id="known place before an unknown one"),
            pytest.param("大纪元记者田小禾美国华盛顿DC报导", ["田小禾"], id="place with Latin letters"),
            pytest.param("香港大纪元记者田小禾、柳一舟采访报导", ["田小禾", "柳一舟"], id="two names"),
            pytest.param("大纪元记者田小禾，柳一舟、白帆纽约报导", ["田小禾", "柳一舟", "白帆"], id="comma and place"),
            pytest.param("大纪元记者欧阳小禾报导", ["欧阳小禾"], id="four characters"),
            pytest.param("大纪元特约记者田小禾报道", ["田小禾"], id="special correspondent"),
            pytest.param("记者田小禾综合报导", ["田小禾"], id="without house"),
            pytest.param("大纪元英文记者Alan Fielding报导／柳一舟编译", ["Alan Fielding", "柳一舟"], id="Latin"),
            pytest.param("英文大纪元专栏作家ALAN FIELDING撰文/柳一舟编译", ["ALAN FIELDING", "柳一舟"], id="columnist"),
            pytest.param("英文大纪元 Alan O'Field-Hill 报导", ["Alan O'Field-Hill"], id="house without role"),
            pytest.param("英文大纪元资深记者田艾伦（Alan Fielding）报导/柳一舟翻译", ["田艾伦", "柳一舟"], id="nested"),
            pytest.param(
                "作者：ALAN FIELDING AND EVE MARCH/大纪元记者田小禾编译报导",
                ["ALAN FIELDING", "EVE MARCH", "田小禾"],
                id="labelled, then reported",
            ),
            pytest.param("大纪元记者艾伦·菲尔德报导", ["艾伦·菲尔德"], id="transliterated"),
            pytest.param("大纪元记者田小禾、田小禾报导", ["田小禾"], id="twice the same"),
            pytest.param("大纪元香港新闻中心报导", [], id="desk"),
            pytest.param("大纪元香港综合报导", [], id="house and place"),
            pytest.param("大纪元记者台北报导", [], id="place only"),
            pytest.param("大纪元记者站报导", [], id="bureau"),
            pytest.param("大纪元讯", [], id="no verb"),
            pytest.param("大纪元综合报导", [], id="nobody"),
            pytest.param("法新社报导", [], id="agency"),
            pytest.param("彭博综合报导", [], id="agency by its name"),
            pytest.param("据路透社编译", [], id="translated agency"),
            pytest.param("大纪元记者田小禾不知名的小镇子报导", [], id="unknown place"),
            pytest.param("大纪元记者田报导", [], id="one character"),
            pytest.param("大纪元记者综合报导", [], id="a verb is no name"),
            pytest.param("作者：佚名", [], id="anonymous"),
            pytest.param("本文有删节", [], id="remark"),
            pytest.param("根据录音整理", [], id="from a recording"),
            pytest.param("大纪元记者拍摄", [], id="picture"),
        ],
    )
    def test_shapes(self, credit: str, authors: list[str]) -> None:
        assert opened_by(credit) == authors

    @pytest.mark.parametrize(
        ("paragraphs", "authors"),
        [
            pytest.param(
                ["【大纪元2020年10月14日讯】【山溪纪行】（大纪元记者田小禾报导）正文"], ["田小禾"], id="series"
            ),
            pytest.param(["【大纪元2020年10月14日讯】(大纪元记者田小禾报导)正文"], ["田小禾"], id="ASCII brackets"),
            pytest.param(
                ["【大纪元2020年10月14日讯】", "（大纪元记者田小禾报导）正文"], ["田小禾"], id="next paragraph"
            ),
            pytest.param(["（大纪元记者田小禾报导）正文"], ["田小禾"], id="without dateline"),
            pytest.param(["【大纪元2020年10月14日讯】（大纪 元记者 田小 禾 报导）正文"], ["田小禾"], id="links"),
            pytest.param(["【大纪元2020年10月14日讯】正文（大纪元记者田小禾报导）"], [], id="not at the start"),
        ],
    )
    def test_places(self, paragraphs: list[str], authors: list[str]) -> None:
        assert epochtimes(*paragraphs, TEXT, TEXT, TEXT).authors == authors

    @pytest.mark.untraced
    @pytest.mark.parametrize("place", PLACES.split())
    def test_places_in_traditional_script(self, place: str) -> None:
        assert opened_by(f"大紀元記者葉小禾{place}報導") == ["葉小禾"]
        assert opened_by(f"大紀元記者葉禾{place}綜合報導") == ["葉禾"]


class TestLabels:
    @pytest.mark.parametrize(
        ("line", "authors", "editor"),
        [
            pytest.param("文｜田小禾", ["田小禾"], None, id="文｜"),
            pytest.param("文：田小禾 | 翻译：柳一舟", ["田小禾", "柳一舟"], None, id="文 and 翻译"),
            pytest.param("作者：田小禾 / 整理：柳一舟・大纪元", ["田小禾", "柳一舟"], None, id="作者 and 整理"),
            pytest.param("撰文：Eve March", ["Eve March"], None, id="Latin"),
            pytest.param("图文整理：田小禾，责任编辑：柳一舟", ["田小禾"], "柳一舟", id="图文整理"),
            pytest.param("文字整理：田小禾；责任编辑：柳一舟#", ["田小禾"], "柳一舟", id="文字整理"),
            pytest.param("资料来源：山溪报;文字整理：田小禾", ["田小禾"], None, id="来源"),
            pytest.param("摄影：白帆", [], None, id="picture"),
            pytest.param("记者：您最近有什么打算？", [], None, id="a question of an interview"),
            pytest.param("作者：" + "长" * 100, [], None, id="a sentence"),
        ],
    )
    @pytest.mark.parametrize("at_end", [False, True], ids=["start", "end"])
    def test_a_line_of_labels(self, line: str, authors: list[str], editor: str | None, at_end: bool) -> None:
        lines = [TEXT] * 4
        lines.insert(4 if at_end else 1, line)
        credits_ = epochtimes(*lines)
        assert (credits_.authors, credits_.editor) == (authors, editor)

    def test_after_the_dateline(self) -> None:
        assert epochtimes("【大纪元2020年10月14日讯】文｜田小禾", TEXT, TEXT, TEXT).authors == ["田小禾"]

    def test_a_line_in_the_middle_is_text(self) -> None:
        assert epochtimes(TEXT, TEXT, TEXT, "作者：田小禾", "责任编辑：柳一舟", TEXT, TEXT, TEXT) == Credits()


class TestEditor:
    @pytest.mark.parametrize(
        ("line", "editor"),
        [
            pytest.param("责任编辑：柳一舟", "柳一舟", id="usual"),
            pytest.param("责任编辑：柳一舟#", "柳一舟", id="#"),
            pytest.param("责任编辑：柳一舟 ＃", "柳一舟", id="＃"),
            pytest.param("责任编辑：柳一舟◇", "柳一舟", id="◇"),
            pytest.param("@*#责任编辑：柳一舟", "柳一舟", id="marks before"),
            pytest.param("（责任编辑：柳一舟）", "柳一舟", id="brackets"),
            pytest.param("(责任编辑:柳一舟", "柳一舟", id="unclosed"),
            pytest.param("责人编辑：柳一舟", "柳一舟", id="slip 责人"),
            pytest.param("责任编辑辑：柳一舟", "柳一舟", id="doubled character"),
            pytest.param("责任编辑是：柳一舟", "柳一舟", id="是"),
            pytest.param("编辑：柳一舟", "柳一舟", id="short"),
            pytest.param("责任编辑：柳一舟、白帆", "柳一舟、白帆", id="two"),
            pytest.param("责任编辑：Eve", "Eve", id="Latin"),
            pytest.param("责任编辑：", None, id="no name"),
            pytest.param("责任编辑：#", None, id="no name but a mark"),
            pytest.param("责任编辑：编辑部", None, id="desk"),
            pytest.param("桥上“灯火通明”。责任编辑：柳一舟#", "柳一舟", id="glued to the text"),
            pytest.param("桥上“灯火通明”。责任编辑辑：柳一舟", "柳一舟", id="glued, doubled character"),
            pytest.param(TEXT * 30 + "责任编辑：柳一舟", "柳一舟", id="glued to a long text"),
            pytest.param("他说责任编辑：这份工作不容易，所以他走了。", None, id="a sentence"),
            pytest.param("《山溪志》（责任编辑：白帆），山溪出版社。", None, id="of a cited book"),
        ],
    )
    def test_shapes(self, line: str, editor: str | None) -> None:
        assert epochtimes(TEXT, TEXT, TEXT, line).editor == editor

    def test_links_may_follow(self) -> None:
        assert epochtimes(TEXT, TEXT, TEXT, "责任编辑：柳一舟", "附件一", "附件二").editor == "柳一舟"

    def test_the_last_one_counts(self) -> None:
        assert epochtimes(TEXT, "（责任编辑：白帆）", "责任编辑：柳一舟").editor == "柳一舟"


class TestClosingCredit:
    @pytest.mark.untraced
    @pytest.mark.parametrize(
        ("line", "authors", "editor"),
        [
            pytest.param("（记者田小禾报导/责任编辑：柳一舟）", ["田小禾"], "柳一舟", id="usual"),
            pytest.param("(记者田小禾编译报导/责任编辑：柳一舟)", ["田小禾"], "柳一舟", id="ASCII"),
            pytest.param("（记者田小禾综合报导／责任编辑：柳一舟", ["田小禾"], "柳一舟", id="unclosed"),
            pytest.param("(记者田小禾综合报导)", ["田小禾"], None, id="no editor"),
            pytest.param("（转自大纪元/责任编辑：柳一舟）", [], "柳一舟", id="reposted"),
            pytest.param("（转自《看山河》/文字整理：田小禾/责任编辑：柳一舟）", ["田小禾"], "柳一舟", id="compiled"),
            pytest.param("（作者提供／责任编辑：柳一舟）", [], "柳一舟", id="from the author"),
            pytest.param("（责任编辑：柳一舟）", [], "柳一舟", id="editor only"),
            pytest.param("（记者田艾伦（Alan Fielding）报导/责任编辑：柳一舟）", ["田艾伦"], "柳一舟", id="nested"),
            pytest.param("（转自大纪元）", [], None, id="source only"),
            pytest.param(
                "——转自《山溪报》（记者田小禾、白帆雅加达报导）", ["田小禾", "白帆"], None, id="behind a source"
            ),
            pytest.param("新唐人电视台记者田小禾、白帆综合报导", ["田小禾", "白帆"], None, id="TV"),
            pytest.param("新唐人记者田小禾美国首都华盛顿报导。", ["田小禾"], None, id="TV with place"),
            pytest.param("新唐人亚太电视田小禾整理报导", ["田小禾"], None, id="station without role"),
            pytest.param("新唐人亞太電視田小禾臺灣臺中採訪報導", ["田小禾"], None, id="station, traditional"),
            pytest.param("新唐人亚太电视田小禾、台湾台中采访报导", ["田小禾"], None, id="place as an entry"),
            pytest.param("新唐人亚太电视台湾台北综合报导", [], None, id="台 of Taiwan"),
            pytest.param("新唐人记者田小禾报导/责任编辑：柳一舟", ["田小禾"], "柳一舟", id="TV and editor"),
            pytest.param("新唐人电视综合报导", [], None, id="station"),
            pytest.param("新唐人日本记者站报导", [], None, id="bureau"),
            pytest.param("新唐人记者站丹麦哥本哈根的报道", [], None, id="bureau and place"),
            pytest.param("新唐人电视台各地记者站采访报导", [], None, id="bureaus"),
            pytest.param("采访/田小禾 编辑/柳一舟 后制/白帆", ["田小禾"], "柳一舟", id="TV labels"),
            pytest.param(
                "採訪／田小禾、林禾 編輯／柳一舟 後製／白帆", ["田小禾", "林禾"], "柳一舟", id="TV traditional"
            ),
            pytest.param("采访/田小禾 编辑/柳一舟 后制/", ["田小禾"], "柳一舟", id="TV labels, one empty"),
            pytest.param("采访编辑/田小禾/白帆", ["田小禾"], None, id="TV label of both"),
            pytest.param("新唐人每日为读者推荐热点新闻和视频节目。", [], None, id="about the station"),
            pytest.param("(记者田小禾/摄影)", [], None, id="picture"),
            pytest.param("据记者田小禾综合报导", [], None, id="a sentence"),
            pytest.param("新唐人" + TEXT * 3 + "／田小禾编译／", [], None, id="a long paragraph"),
        ],
    )
    def test_shapes(self, line: str, authors: list[str], editor: str | None) -> None:
        credits_ = closed_by(line)
        assert (credits_.authors, credits_.editor) == (authors, editor)

    def test_compiler_and_editor_in_two_lines(self) -> None:
        credits_ = closed_by("文字整理：田小禾", "（转自大纪元/责任编辑：柳一舟）")
        assert (credits_.authors, credits_.editor) == (["田小禾"], "柳一舟")

    def test_a_credit_at_the_end_of_the_text(self) -> None:
        assert closed_by(TEXT + "（编译：Eve）").authors == ["Eve"]
        assert closed_by("新唐人电视台周三播出。（编译：Eve）").authors == ["Eve"]
        assert closed_by("（小桥）" + TEXT + "（编译：Eve）").authors == ["Eve"]

    def test_both_ends_of_an_article(self) -> None:
        assert epochtimes(
            "【大纪元2020年10月14日讯】（大纪元记者田小禾报导）" + TEXT, TEXT, TEXT, "文字整理：白帆；责任编辑：柳一舟"
        ).authors == ["田小禾", "白帆"]

    def test_four_paragraphs_from_the_end_is_text(self) -> None:
        assert closed_by("（记者田小禾报导/责任编辑：柳一舟）", TEXT, TEXT, TEXT).authors == []


PIECES = st.sampled_from(
    [
        *"【】（）()/／|：:；;、，#＃@*◇ \n·",
        "大纪元",
        "新唐人",
        "电视台",
        "记者",
        "责任编辑",
        "编辑",
        "采访",
        "作者",
        "文",
        "整理",
        "综合",
        "报导",
        "报道",
        "编译",
        "2020年",
        "2月",
        "30日",
        "讯",
        "田小禾",
        "欧阳",
        "纽约",
        "台",
        "Eve",
        " and ",
    ]
)
PARAGRAPHS = st.lists(st.one_of(st.lists(PIECES, max_size=14).map("".join), st.text(max_size=60)), max_size=6)


class TestAnyText:
    @pytest.mark.untraced
    @settings(max_examples=200, deadline=None)
    @given(PARAGRAPHS, st.sampled_from([EPOCHTIMES, NTDTV]), st.none() | st.dates())
    def test_it_never_raises_and_names_are_names(
        self, paragraphs: list[str], rules: CreditRules, address_day: date | None
    ) -> None:
        found = read_credits(paragraphs, rules, address_day)
        assert found.dateline is None or 2000 <= found.dateline.year <= 2099
        assert len(set(found.authors)) == len(found.authors)
        names = [*found.authors, *(found.editor.split("、") if found.editor else [])]
        for name in names:
            assert 2 <= len(name) <= 28
            assert not set(name) & set("【】（）()/／|：:；;，,。#＃@*◇\n、0123456789")
            assert name == name.strip()

    @pytest.mark.parametrize(
        "text",
        [
            pytest.param("（" * 200_000, id="brackets"),
            pytest.param("责任编辑：" * 50_000, id="labels"),
            pytest.param("大纪元记者" * 50_000, id="roles"),
            pytest.param("采访/" * 50_000, id="TV labels"),
            pytest.param(" " * 500_000 + "#", id="spaces"),
        ],
    )
    def test_huge_paragraphs(self, text: str) -> None:
        assert epochtimes(text, text, text, text).authors == []
