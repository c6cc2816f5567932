"""Dateline, authors and editor of an article, read from its text.

Neither outlet marks them up: the dateline opens the text, epochtimes credits its reporters right after it, ntdtv in
the last paragraphs, and both name the editor at the end (FACTS A5, B5). Names are found by the labels, roles and verbs
around them. Where only a place stands between a name and the verb (李明纽约报导), the name ends where a known place
begins. What could as well be a phrase as a name is left out.

Everything is matched on *folded* text: no white space except inside Latin names, full-width signs as ASCII, and the
traditional characters of the credits' vocabulary as simplified ones. Folding keeps the length, so a name is found in
the folded text and taken from the same place of the text as printed.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Sequence
from datetime import date

_HEAD = 3
"""Paragraphs that may hold the dateline: an introduction can come first (FACTS A5)."""

_TAIL = 3
"""Paragraphs that may hold the closing credits: links and notes follow them now and then (FACTS A5, B5)."""

_LONGEST_HEAD = 600
_LONGEST_TAIL = 300
_LONGEST_LINE = 80
"""Characters of a paragraph that is nothing but credits."""

_AUTHOR, _EDITOR = "author", "editor"

_Found = list[tuple[str, str]]
"""Pairs of a role and what fills it."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CreditRules:
    """How one outlet writes its datelines and credits; the patterns match folded text.

    ``dateline`` begins a paragraph and has the groups ``year`` (may be unset), ``month`` and ``day``. ``house`` is the
    outlet's own name, with which a credit begins that does without 记者.
    """

    dateline: re.Pattern[str]
    house: re.Pattern[str]


EPOCHTIMES = CreditRules(
    dateline=re.compile(r"【大纪元(?:(?P<year>20[0-9]{2})年)?(?P<month>[0-9]{1,2})月(?P<day>[0-9]{1,2})日讯?】?"),
    house=re.compile(r"(?:英文|香港|台湾)?大纪元(?:时报)?(?:英文)?"),
)
"""FACTS A5; in 2001 the year was not printed."""

NTDTV = CreditRules(
    dateline=re.compile(
        r"【新[唐塘]人(?:电视台?|亚太台)?(?:北京时间)?"
        r"(?P<year>20[0-9]{2})年(?P<month>[0-9]{1,2})月(?P<day>[0-9]{1,2})日讯?】?"
    ),
    # The 台 of 台湾 and 台北 belongs to the place.
    house=re.compile(r"新[唐塘]人(?:亚太)?(?:电视)?(?:台(?![湾北中南东]))?"),
)
"""FACTS B5; 新塘人 is a known slip."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Credits:
    """What a text says of its origin.

    ``dateline``: the Beijing day. ``authors``: persons, never desks: who reported, wrote, translated or compiled, in
    the order of the text and each once. ``editor``: one name, or several joined by ``、``.
    """

    dateline: date | None = None
    authors: list[str] = dataclasses.field(default_factory=list)
    editor: str | None = None


def read_credits(paragraphs: Sequence[str], rules: CreditRules, address_day: date | None) -> Credits:
    """Read the credits from the visible texts of an article's blocks, in order.

    ``address_day``, the day in the article's address, only chooses the year of a dateline without one. Never raises.
    """
    texts = [text for text in paragraphs if text and not text.isspace()]
    head = [_Text.of(text[:_LONGEST_HEAD]) for text in texts[:_HEAD]]
    dateline, found = _opening(head, rules, address_day)
    for text in texts[-_TAIL:]:
        found += _closing(_Text.of(text[-_LONGEST_TAIL:]), rules)
    editors = [name for role, name in found if role == _EDITOR]
    return Credits(
        dateline=dateline,
        authors=list(dict.fromkeys(name for role, name in found if role == _AUTHOR)),
        # An editor named before the last one is that of a quoted article.
        editor=editors[-1] if editors else None,
    )


# ---- text

_PAIRS = (
    # words of credits
    "紀纪訊讯電电視视臺台亞亚時时間间記记責责編编輯辑譯译報报導导綜综採采訪访圖图專专欄栏資资評评論论員员聯联連连線线現现場场"
    "獨独題题簡简攝摄後后製制轉转據据網网錄录監监寫写來来聞闻組组"
    # places
    "國国灣湾紐纽約约華华頓顿倫伦蘭兰爾尔溫温維维羅罗馬马韓韩橫横濱滨東东廣广門门歐欧聖圣魯鲁義义烏乌達达費费鳳凤鹽盐矽硅"
    "舊旧邁迈奧奥內内雲云蓮莲園园縣县漢汉萊莱納纳賓宾蘇苏澤泽葉叶區区緬缅磯矶滿满愛爱祕秘徹彻麥麦陸陆臘腊輔辅"
    # full-width signs
    "（(）)：:／/｜|；;，,＃#＊*＠@＆&．."
)
"""What folding replaces: each character by the one after it."""

_FOLD = dict(zip(_PAIRS[::2], _PAIRS[1::2], strict=True)) | {chr(0xFF10 + n): str(n) for n in range(10)}
_FOLDED = re.compile(f"[{''.join(_FOLD)}]")
"""Twice as fast as ``str.translate``, which looks up every character of a text."""

_LATIN = "A-Za-zÀ-ɏ"
_HAN = "\u3400-\u9fff\U00020000-\U000323af"
_SPACE = re.compile(r"[\s\u200b-\u200f\u2060\ufeff]+")
_LOOSE_SPACE = re.compile(rf"(?<![{_LATIN}.,'’]) | (?![{_LATIN}])")


@dataclasses.dataclass(frozen=True, slots=True)
class _Text:
    """A text without loose white space, as printed and folded; both have the same length."""

    printed: str
    folded: str

    @classmethod
    def of(cls, text: str) -> _Text:
        printed = text
        if " " in text or not text.isprintable():  # of white space, only the plain space counts as printable
            printed = _LOOSE_SPACE.sub("", _SPACE.sub(" ", text).strip())
        return cls(printed, _FOLDED.sub(lambda match: _FOLD[match[0]], printed))

    def part(self, start: int, end: int | None = None) -> _Text:
        return _Text(self.printed[start:end], self.folded[start:end])

    def group(self, match: re.Match[str], group: str) -> _Text:
        return self.part(*match.span(group))


# ---- where credits stand

_MARKS = "@*#◇"
_BRACKETED_START = re.compile(r"(?:【[^】]{1,30}】)?\((?P<credit>[^()]{0,120}(?:\([^()]{0,60}\)[^()]{0,60}){0,4})\)")
_BRACKETED_END = re.compile(rf"\((?P<credit>[^()]{{2,{_LONGEST_LINE}}})\)?[{_MARKS}]*$")
_GLUED_EDITOR = re.compile(rf"责[任人]?编辑+是?:(?P<names>[^:;。()]{{2,24}}?)\)?[{_MARKS}]*$")


def _opening(head: Sequence[_Text], rules: CreditRules, address_day: date | None) -> tuple[date | None, _Found]:
    """The dateline and the credits around it."""
    day = None
    found: _Found = []
    for paragraph in head:
        text = paragraph
        if not day and (dateline := rules.dateline.match(text.folded)):
            day = _day(dateline, address_day)
            text = text.part(dateline.end())
        if bracketed := _BRACKETED_START.match(text.folded):
            found += _credits(text.group(bracketed, "credit"), rules)
        elif len(text.folded) <= _LONGEST_LINE and _LABELLED.match(text.folded):
            found += _credits(_unmarked(text), rules)
    return day, found


def _closing(text: _Text, rules: CreditRules) -> _Found:
    """The credits that a paragraph near the end is, or ends with."""
    inner = _unmarked(text)
    is_credit = text.folded.startswith("(") or _LABELLED.match(inner.folded) or rules.house.match(inner.folded)
    if is_credit and len(inner.folded) <= _LONGEST_LINE and (found := _credits(inner, rules)):
        return found
    if bracketed := _BRACKETED_END.search(text.folded):
        return _credits(text.group(bracketed, "credit"), rules)
    if glued := _GLUED_EDITOR.search(text.folded):
        return _filled(_EDITOR, text.group(glued, "names"))
    return []


def _unmarked(text: _Text) -> _Text:
    """Without the print marks and brackets around a credit."""
    start = len(text.folded) - len(text.folded.lstrip(_MARKS + "("))
    end = len(text.folded.rstrip(_MARKS + "。)"))
    return text.part(start, max(start, end))


def _day(match: re.Match[str], address_day: date | None) -> date | None:
    """The day of a dateline; without a year, the one nearest to ``address_day``."""
    if match["year"]:
        years = [int(match["year"])]
    elif address_day:
        years = [year for year in range(address_day.year - 1, address_day.year + 2) if 2000 <= year < 2100]
    else:
        return None
    days = []
    for year in years:
        try:
            days.append(date(year, int(match["month"]), int(match["day"])))
        except ValueError:
            continue
    return min(days, key=lambda day: abs(day - (address_day or day)), default=None)


# ---- the grammar of a credit

_LABEL = (
    r"(?:(?P<author>采访(?:编辑|报导|报道|整理)?|采写|(?:图文|文字|录音)?整理|图文|文字?|作者|撰文|撰稿|编译|翻译|译者)"
    r"|(?P<editor>责?[任人]?编辑+|责编)"
    r"|(?:后制|摄影|剪辑|配音|主持|制作|监制|图片?|(?:资料|文章)?来源))是?[:/|]"
)
_ANY_LABEL = re.sub(r"\?P<\w+>", "?:", _LABEL)
_LABELLED = re.compile(rf"{_LABEL}(?P<names>[^:/|;()]{{0,30}}?)(?=[,、]?{_ANY_LABEL}|[/|;]|[,、]?$)[/|;,、]*")
_REPORTED = re.compile(
    r"(?P<role>[^、,:()]{0,14}?(?:记者|专栏作家|作家|评论员|撰稿人))?"
    r"(?P<names>.*?)"
    r"(?:综合|编译|翻译|采访|整理|专题|独家|联合|现场|连线|简讯)*"
    r"(?P<verb>报[导道]|编译|翻译|撰文|撰稿|整理|译)"
)
_TOKEN = re.compile(rf"{_LABELLED.pattern}|(?P<part>[^/|;]+)|[/|;]+")
_NOBODY = re.compile(r"^[据转站]|[社台网报站部组]$|中心|新闻|制作|研究|电视|通讯|本[报台文]|资料|网络|录音|根据|《")
"""Desks, agencies and sources, in the place of a name."""


def _credits(credit: _Text, rules: CreditRules) -> _Found:
    """Read a credit from left to right: ``label:names`` or ``role names place verb``, parted by slashes or semicolons.

    The slash is also what TV credits put after a label (采访/X 编辑/Y), so labels are tried first.
    """
    found: _Found = []
    for match in _TOKEN.finditer(credit.folded):
        if match["part"]:
            found += _reported(credit.group(match, "part"), rules)
        elif match["author"] or match["editor"]:
            found += _filled(_AUTHOR if match["author"] else _EDITOR, credit.group(match, "names"))
    return found


def _reported(part: _Text, rules: CreditRules) -> _Found:
    """The persons of ``role names place verb``, if ``part`` is of that form."""
    match = _REPORTED.fullmatch(part.folded)
    if not match:
        return []
    names = part.group(match, "names")
    if not match["role"]:
        house = rules.house.match(names.folded)
        if house:
            names = names.part(house.end())
        elif match["verb"] in ("报导", "报道"):
            # Without role and house it is an agency that reports.
            return []
    return [] if _NOBODY.search(names.folded) else _filled(_AUTHOR, names)


# ---- names

_SEPARATOR = re.compile(r"[、,&]| and ", re.IGNORECASE)
_BRACKETS = re.compile(r"\([^()]*\)?")
_HOUSE_AT_END = re.compile(r"[·・‧•]?(?:英文)?(?:大纪元|新唐人)(?:时报|电视台?)?$")
_NAME = re.compile(
    rf"[{_HAN}]{{2,4}}"
    rf"|[{_HAN}]{{1,6}}(?:[·・‧•.][{_HAN}]{{1,6}}){{1,3}}"
    rf"|[{_LATIN}][{_LATIN}.'’ -]{{1,23}}"
)
_NO_NAME = frozenset({"佚名", "匿名", "网络", "本报", "本台", "编辑部", "记者", "作者"})
_PLACE = re.compile(
    "大陆|中国|北京|上海|广州|深圳|香港|澳门|台湾|台北|新北|桃园|新竹|苗栗|台中|彰化|南投|云林|嘉义|台南|高雄|"
    "屏东|宜兰|花莲|台东|基隆|澎湖|金门|日本|东京|大阪|名古屋|千叶|横滨|韩国|首尔|汉城|仁川|釜山|新加坡|马来西亚|"
    "吉隆坡|泰国|曼谷|越南|河内|印尼|印度尼西亚|雅加达|菲律宾|马尼拉|印度|新德里|以色列|土耳其|澳洲|澳大利亚|"
    "悉尼|雪梨|墨尔本|布里斯班|堪培拉|珀斯|阿德莱德|昆士兰|新西兰|纽西兰|奥克兰|美国|美东|美西|美南|美中|纽约|"
    "新泽西|新州|华盛顿|华府|大华府|费城|宾州|波士顿|麻州|亚特兰大|佛州|佛罗里达|迈阿密|奥兰多|芝加哥|伊州|"
    "底特律|密歇根|俄亥俄|休斯顿|休士顿|达拉斯|德州|奥斯汀|丹佛|凤凰城|亚利桑那|拉斯维加斯|盐湖城|西雅图|波特兰|"
    "加州|南加州|北加州|硅谷|湾区|旧金山|三藩市|圣荷西|沙加缅度|洛杉矶|圣地亚哥|圣地牙哥|橙县|夏威夷|明尼苏达|"
    "北卡|南卡|维州|弗州|马里兰|得梅因|加拿大|多伦多|温哥华|蒙特利尔|满地可|渥太华|卡尔加里|卡城|埃德蒙顿|爱民顿|"
    "温尼伯|墨西哥|巴西|阿根廷|秘鲁|智利|欧洲|英国|英格兰|苏格兰|伦敦|曼彻斯特|爱尔兰|都柏林|法国|巴黎|德国|柏林|"
    "法兰克福|慕尼黑|汉堡|科隆|奥地利|维也纳|瑞士|苏黎世|日内瓦|意大利|义大利|罗马|米兰|西班牙|马德里|巴塞罗那|葡萄牙|"
    "荷兰|海牙|阿姆斯特丹|比利时|布鲁塞尔|瑞典|斯德哥尔摩|丹麦|哥本哈根|挪威|奥斯陆|芬兰|赫尔辛基|波兰|华沙|捷克|"
    "布拉格|匈牙利|布达佩斯|罗马尼亚|希腊|俄罗斯|莫斯科|乌克兰|基辅|南非"
)
"""Where the outlets' reporters write from; nothing else tells a place after a name from the name."""


def _filled(role: str, names: _Text) -> _Found:
    """The names of a list in one role; editors together, as the item has one field for them."""
    persons = [name for name in map(_name, _split(names)) if name]
    if role == _EDITOR and persons:
        return [(role, "、".join(persons))]
    return [(role, person) for person in persons]


def _split(names: _Text) -> Iterator[_Text]:
    start = 0
    for match in _SEPARATOR.finditer(names.folded):
        yield names.part(start, match.start())
        start = match.end()
    yield names.part(start)


def _name(text: _Text) -> str | None:
    """The person's name in one entry of a list, or None when it holds none."""
    for noise in (_BRACKETS, _HOUSE_AT_END):
        if match := noise.search(text.folded):
            text = text.part(0, match.start())
    if _PLACE.match(text.folded):
        return None
    # A name has two characters at least, so a place that begins earlier is part of it.
    if match := _PLACE.search(text.folded, 2):
        text = text.part(0, match.start())
    name = text.printed.strip(" .-")
    return name if _NAME.fullmatch(name) and text.folded not in _NO_NAME else None
