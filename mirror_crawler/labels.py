"""The words that pages add to what the outlets wrote, in both Chinese scripts."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """Words of one script; ``embeds`` names each kind of embed, ``embed`` any other.

    The second half is for what happened to an article at its outlet. ``{count}``, ``{number}`` (of a revision) and
    ``{time}`` are filled in.
    """

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
    share_code: str
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

    def embed_named(self, kind: str) -> str:
        """What a reader is told stands at the place of an embed of this kind."""
        return f"▶ {self.embeds.get(kind, self.embed)}"


_HANS = Labels(
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
    share_code="二维码",
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
    share_code="二維碼",
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


def labels_of(language: str) -> Labels:
    """The words for a BCP 47 language; simplified characters unless it asks for traditional ones."""
    return _HANT if language.lower().startswith(("zh-hant", "zh-tw", "zh-hk")) else _HANS
