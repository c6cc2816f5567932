"""The words that pages add to what the outlets wrote, in both Chinese scripts."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """Words of one script; ``embeds`` names each kind of embed, ``embed`` any other."""

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
)


def labels_of(language: str) -> Labels:
    """The words for a BCP 47 language; simplified characters unless it asks for traditional ones."""
    return _HANT if language.lower().startswith(("zh-hant", "zh-tw", "zh-hk")) else _HANS
