"""What the sample outlets report, and what a faithful crawl must bring back of it."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta, timezone

BEIJING = timezone(timedelta(hours=8))

SECTIONS = {
    "epochtimes": {
        "nsc413": "大陆新闻",
        "nsc418": "国际新闻",
        "nsc412": "美国新闻",
        "nsc415": "港澳新闻",
        "nsc414": "台湾新闻",
        "nsc420": "财经新闻",
        "nsc419": "科技新闻",
        "nsc422": "纪元社论",
        "nsc423": "专栏文集",
        "nsc424": "纪元特稿",
        "nsc993": "自由广场",
        "nsc994": "社会新闻",
        "nsc1002": "健康",
        "nsc1004": "台湾地方",
        "nsc1025": "评论",
        "nsc2007": "文化",
        "nsc2008": "生活",
        "ncid277": "中国",
        "ncid278": "人权",
        "ncid1349361": "台湾",
        "ncid1349362": "香港",
        "nf4514": "头条集锦",
        "n24hr": "即时新闻",
    },
    "ntdtv": {
        "prog204": "大陆新闻",
        "prog202": "国际新闻",
        "prog203": "美国新闻",
        "prog647": "文史",
        "prog208": "财经新闻",
        "prog205": "港澳新闻",
        "prog207": "评论",
        "prog209": "科教新闻",
        "prog210": "娱乐新闻",
        "prog211": "体育新闻",
        "prog424": "文史专题",
        "prog1138": "中国时局",
        "prog1255": "健康",
        "prog1530": "专题",
        "prog1695": "百年故事",
        "prog1699": "历史",
    },
}
"""Every section of the sample outlets by name (FACTS A1, B1); the first four of each are the large ones."""

HOSTS = {"epochtimes": "www.epochtimes.com", "ntdtv": "www.ntdtv.com"}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """An article of the sample outlets: its page and the truth about it.

    ``section`` is what the breadcrumb of the page says; ``sections`` are the section lists that name the article.
    Times have the field formats of :class:`mirror_crawler.items.Article`.
    """

    outlet: str
    article_id: str
    url: str
    title: str
    published_at: str | None
    modified_at: str | None = None
    published_source: str = "clock"
    section: tuple[str, str] | None = None
    tags: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    editor: str | None = None
    sections: tuple[str, ...] = ()
    summary: str = ""
    thumbnail: str = ""
    page: tuple[bytes, ...] = ()

    @property
    def moment(self) -> datetime:
        """What the outlet orders its lists by."""
        return datetime.fromisoformat(self.published_at or "2000-01-01T00:00:00+08:00")


def section_url(outlet: str, section: str, script: str = "gb") -> str:
    """The address of a section's first list page."""
    return f"https://{HOSTS[outlet]}/{script}/{section}" + (".htm" if outlet == "epochtimes" else "")


def tag_url(outlet: str, tag: str, script: str = "gb") -> str:
    """The address of a tag's first list page, the tag as it is read."""
    return f"https://{HOSTS[outlet]}/{script}/" + (f"tag/{tag}.html" if outlet == "epochtimes" else f"{tag}.htm")
