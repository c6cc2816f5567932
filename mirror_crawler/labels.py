"""The words that pages add to what the outlets wrote: in both Chinese scripts and in English."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Literal

Language = Literal["zh-Hans", "zh-Hant", "en"]


def is_one_line(text: str) -> bool:
    """Whether a text that stands on a line of Markdown stays on it: no end of a line of any system within or behind."""
    return text.splitlines() in ([], [text])


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """Words of one language; ``embeds`` names each kind of embed, ``embed`` any other.

    The second half is for what happened to an article at its outlet. ``{count}``, ``{number}`` (of a revision, page or
    volume) and ``{time}`` are filled in. ``colon``, ``comma``, ``enumeration`` (between names) and ``full_stop`` bring
    the space that the language wants after them. ``mirror`` is the title of a mirror that has not been given one.
    """

    mirror: str
    home: str
    sections: str
    tags: str
    latest: str
    older: str
    page: str
    beijing_time: str
    original: str
    original_link: str
    share: str
    share_page: str
    share_code: str
    elsewhere: str
    volume: str
    earlier: str
    later: str
    picture: str
    embed: str
    embeds: Mapping[str, str]
    withdrawn: str
    revisions: str
    history: str
    history_note: str
    back: str
    revision: str
    first_revision: str
    compared: str
    source_modified: str
    returned: str
    counts: Mapping[str, str]
    parts: Mapping[str, str]
    added: str
    removed: str
    changed: str
    before: str
    after: str
    kept: str
    unseen: str
    left_out: str
    colon: str = "："
    comma: str = "，"
    enumeration: str = "、"
    full_stop: str = "。"

    def embed_named(self, kind: str) -> str:
        """What a reader is told stands at the place of an embed of this kind."""
        return f"▶ {self.embeds.get(kind, self.embed)}"


_HANS = Labels(
    mirror="新闻镜像",
    home="首页",
    sections="栏目",
    tags="标签",
    latest="最新",
    older="更早",
    page="第 {number} 页",
    beijing_time="北京时间",
    original="原文地址（需翻墙访问）",
    original_link="原文链接（需翻墙）",
    share="手机上长按并复制下列链接或二维码分享本文章",
    share_page="手机上长按并复制下列链接或二维码分享本页",
    share_code="二维码",
    elsewhere="本页的其他地址",
    volume="第{number}卷",
    earlier="更早的文章",
    later="之后的文章",
    picture="〔图〕",
    embed="网页内容",
    embeds={
        "youtube": "YouTube 视频",
        "vimeo": "Vimeo 视频",
        "youmaker": "视频",
        "ganjingworld": "干净世界视频",
        "video": "视频",
        "audio": "音频",
        "tweet": "推文",
        "facebook": "Facebook 帖子",
        "instagram": "Instagram 帖子",
        "infogram": "图表",
        "documentcloud": "文档",
    },
    withdrawn="原站已撤下此文（{time}发现）。这里保留的是撤下前的最后版本。",
    revisions="原站改过 {count} 次",
    history="修改记录",
    history_note="最新的修改在最前。时间是本站取得该版本的时间，原站的修改在此之前。粗体是有变动的字。",
    back="返回文章",
    revision="第 {number} 版",
    first_revision="本站最早取得的版本。",
    compared="与第 {number} 版（{time}）相比",
    source_modified="原站标明的修改时间：{time}",
    returned="第 {number} 版曾被原站撤下（{time}发现），后来重新刊出。",
    counts={"changed": "修改 {count} 处", "added": "增加 {count} 处", "removed": "删除 {count} 处"},
    parts={"title": "标题", "lead": "题图", "text": "", "picture": "图片"},
    added="增加",
    removed="删除",
    changed="修改",
    before="改前：",
    after="改后：",
    kept="〔此处 {count} 段未变〕",
    unseen="其他改动，不影响所见的文字（例如链接或格式）。",
    left_out="这次修改较早，细节从略。",
)

_HANT = Labels(
    mirror="新聞鏡像",
    home="首頁",
    sections="欄目",
    tags="標籤",
    latest="最新",
    older="更早",
    page="第 {number} 頁",
    beijing_time="北京時間",
    original="原文地址（需翻牆訪問）",
    original_link="原文連結（需翻牆）",
    share="手機上長按並複製下列連結或二維碼分享本文章",
    share_page="手機上長按並複製下列連結或二維碼分享本頁",
    share_code="二維碼",
    elsewhere="本頁的其他地址",
    volume="第{number}卷",
    earlier="更早的文章",
    later="之後的文章",
    picture="〔圖〕",
    embed="網頁內容",
    embeds={
        "youtube": "YouTube 影片",
        "vimeo": "Vimeo 影片",
        "youmaker": "影片",
        "ganjingworld": "乾淨世界影片",
        "video": "影片",
        "audio": "音訊",
        "tweet": "推文",
        "facebook": "Facebook 貼文",
        "instagram": "Instagram 貼文",
        "infogram": "圖表",
        "documentcloud": "文件",
    },
    withdrawn="原站已撤下此文（{time}發現）。這裡保留的是撤下前的最後版本。",
    revisions="原站改過 {count} 次",
    history="修改記錄",
    history_note="最新的修改在最前。時間是本站取得該版本的時間，原站的修改在此之前。粗體是有變動的字。",
    back="返回文章",
    revision="第 {number} 版",
    first_revision="本站最早取得的版本。",
    compared="與第 {number} 版（{time}）相比",
    source_modified="原站標明的修改時間：{time}",
    returned="第 {number} 版曾被原站撤下（{time}發現），後來重新刊出。",
    counts={"changed": "修改 {count} 處", "added": "增加 {count} 處", "removed": "刪除 {count} 處"},
    parts={"title": "標題", "lead": "題圖", "text": "", "picture": "圖片"},
    added="增加",
    removed="刪除",
    changed="修改",
    before="改前：",
    after="改後：",
    kept="〔此處 {count} 段未變〕",
    unseen="其他改動，不影響所見的文字（例如連結或格式）。",
    left_out="這次修改較早，細節從略。",
)


_EN = Labels(
    mirror="News mirror",
    home="Home",
    sections="Sections",
    tags="Tags",
    latest="Latest",
    older="Older",
    page="page {number}",
    beijing_time="Beijing time",
    original="Original (blocked in mainland China)",
    original_link="Original (blocked in mainland China)",
    share="To share this article on a phone, press and hold the link or the QR code, and copy it",
    share_page="To share this page on a phone, press and hold the link or the QR code, and copy it",
    share_code="QR code",
    elsewhere="Other addresses of this page",
    volume="Volume {number}",
    earlier="Earlier articles",
    later="Later articles",
    picture="[Picture] ",
    embed="Web content",
    embeds={
        "youtube": "YouTube video",
        "vimeo": "Vimeo video",
        "youmaker": "Video",
        "ganjingworld": "Gan Jing World video",
        "video": "Video",
        "audio": "Audio",
        "tweet": "Tweet",
        "facebook": "Facebook post",
        "instagram": "Instagram post",
        "infogram": "Chart",
        "documentcloud": "Document",
    },
    withdrawn="The outlet has taken this article down (noticed {time}). This is the last version before that.",
    revisions="Changed by the outlet: {count}×",
    history="Changes",
    history_note="The latest change comes first. Times are when this mirror got a version; the outlet changed it "
    "before that. What differs is bold.",
    back="Back to the article",
    revision="Version {number}",
    first_revision="The earliest version that this mirror has.",
    compared="Compared with version {number} ({time})",
    source_modified="Time of the change as the outlet tells it: {time}",
    returned="The outlet had taken version {number} down (noticed {time}) and published the article again later.",
    counts={"changed": "{count} changed", "added": "{count} added", "removed": "{count} removed"},
    parts={"title": "Headline", "lead": "Lead picture", "text": "", "picture": "Picture"},
    added="Added",
    removed="Removed",
    changed="Changed",
    before="Before: ",
    after="After: ",
    kept="[Unchanged paragraphs here: {count}]",
    unseen="Other changes that do not show in the text, such as links or formatting.",
    left_out="This change is an early one; details are left out.",
    colon=": ",
    comma=", ",
    enumeration=", ",
    full_stop=".",
)

LABELS: Mapping[Language, Labels] = {"zh-Hans": _HANS, "zh-Hant": _HANT, "en": _EN}
"""The words of the project, by language."""


def labels_of(language: str, labels: Mapping[Language, Labels] = LABELS) -> Labels:
    """The words for a BCP 47 language: English ones for English, else Chinese ones, in simplified characters unless it
    asks for traditional ones.
    """
    asked = language.lower()
    if asked.startswith("en"):
        return labels["en"]
    return labels["zh-Hant" if asked.startswith(("zh-hant", "zh-tw", "zh-hk", "zh-mo")) else "zh-Hans"]
