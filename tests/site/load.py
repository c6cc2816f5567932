"""Articles by the thousand: invented news from word lists, the same at every run.

Article ``i`` of an outlet depends on ``i`` alone, so a world can grow: ``many("epochtimes", 3, start=60)`` are three
articles newer than the sixty of ``many("epochtimes", 60)``.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import quote

from tests.site import epochtimes, ntdtv
from tests.site.furniture import escape
from tests.site.stories import BEIJING, SECTIONS, Story, tag_url

_BEGIN = datetime(2026, 5, 1, 0, 5, 9, tzinfo=BEIJING)
_STEP = timedelta(minutes=47)
_FIRST_NUMBER = {"epochtimes": 14800000, "ntdtv": 104110000}

TAGS = ("图书馆", "渡轮", "茶叶", "天文台", "老街", "龙舟", "候鸟", "mq-9观测", "5g")
"""The keywords of the generated articles; each is also a list page."""

_PLACES = ("青禾镇", "云栖县", "白鹭湾", "南岭市", "柳溪村", "望海港", "松月岛", "石桥区", "枫叶谷", "长汀渡")
_PEOPLE = ("林知远", "苏晚晴", "陈望舒", "叶清河", "顾南乔", "沈星野", "周小满", "许听澜", "何青山", "方若水")
_BODIES = (
    "镇图书馆",
    "渡轮公司",
    "茶农合作社",
    "天文台",
    "民俗馆",
    "气象站",
    "植物园",
    "陶艺社",
    "钟表修理铺",
    "合唱团",
)
_EVENTS = (
    "延长了开放时间",
    "公布了一份旧地图",
    "恢复夜间班次",
    "迎来秋收",
    "拍到罕见流星雨",
    "修好了百年水车",
    "办起露天音乐会",
    "发现一批旧信札",
    "试种新茶树",
    "重新开放石桥",
)
_DETAILS = (
    "负责人{person}说，准备工作前后花了{number}个月，参加的居民有{count}人。",
    "“大家一起动手，事情就快了。”{person}笑着说，“明年还想再办一次。”",
    "据{place}的记录，上一次类似的活动是在{number}年前，当时只来了{count}人。",
    "当天气温约{number}度，风不大，码头边停着{count}条小船。",
    "志愿者把{count}册旧书擦干净、编好号，放回靠窗的书架上；窗外就是{place}的老榕树。",
    "{person}介绍，这里每周开放{number}天，学生和老人可免费入内。",
    "附近的店家也跟着忙起来，卖豆花的{person}一上午送出{count}碗。",
    "记录显示，{place}今年的雨水比往年多了{number}%，溪边的步道因此加高了一层。",
)


def many(outlet: str, count: int, *, start: int = 0, weight: int = 1) -> list[Story]:
    """``count`` articles of ``outlet``, the oldest first; ``weight`` is that of :mod:`tests.site.furniture`."""
    return [_story(outlet, index, weight) for index in range(start, start + count)]


@functools.lru_cache(maxsize=1_000)
def _story(outlet: str, index: int, weight: int) -> Story:
    choose = random.Random(f"{outlet} {index}")
    sections = list(SECTIONS[outlet])
    main = choose.choices(sections[:4], (5, 2, 2, 1))[0]
    published = _published(outlet, index)
    modified = published + timedelta(minutes=choose.randrange(0, 900))
    place, person, house = choose.choice(_PLACES), choose.choice(_PEOPLE), choose.choice(_BODIES)
    title = f"{place}{house}{choose.choice(_EVENTS)} 第{index + 1}号消息"
    tags = tuple(choose.sample(TAGS, choose.randrange(1, 4)))
    reporter, editor = choose.sample(_PEOPLE, 2)
    paragraphs = [_paragraph(choose, outlet, tags) for _ in range(choose.randrange(9, 16))]
    _decorate(choose, outlet, index, paragraphs)
    dress = _epochtimes_body if outlet == "epochtimes" else _ntdtv_body
    body = dress(published, reporter, editor, paragraphs)
    image = _image(outlet, index)
    kept = {
        "url": _address(outlet, index),
        "title": title,
        "published": published,
        "modified": modified,
        "body": body,
        "section": main,
        "tags": tags,
        "weight": weight,
    }
    if outlet == "epochtimes":
        lead = epochtimes.lead(image, f"{place}的{house}。（{person}／大纪元）", title) if index % 5 else ""
        page = epochtimes.page(**kept, lead=lead, second_layout=index % 3 == 2)  # type: ignore[arg-type]
    else:
        lead = (
            ntdtv.lead(image, f"{place}的{house}。({person}提供)", title)
            if index % 5
            else ntdtv.video(f"sample{index:05}")
        )
        page = ntdtv.page(**kept, lead=lead, bare_clock=index % 3 == 2)  # type: ignore[arg-type]
    return Story(
        outlet=outlet,
        article_id=f"{'n' if outlet == 'epochtimes' else 'a'}{number(outlet, index)}",
        url=_address(outlet, index),
        title=title,
        published_at=published.isoformat(),
        modified_at=modified.isoformat(),
        section=(main, SECTIONS[outlet][main]),
        tags=tags,
        authors=(reporter,),
        editor=editor,
        sections=(main, sections[4 + index % (len(sections) - 4)]),
        summary=f"{place}{house}的{person}说，准备工作已经完成。",
        thumbnail=image,
        page=page,
    )


def number(outlet: str, index: int) -> int:
    """The number in the address of article ``index``."""
    return _FIRST_NUMBER[outlet] + index


def _day_in_america(published: datetime) -> datetime:
    """Epochtimes puts an article under the day that its American office had when it came out (FACTS A1)."""
    return published - timedelta(hours=15)


def _image(outlet: str, index: int) -> str:
    host, size = ("i.epochtimes.com", "600x400") if outlet == "epochtimes" else ("i.ntdtv.com", "868x488")
    return f"https://{host}/assets/uploads/2026/05/id{13000000 + index}-sample-{size}.jpg"


def _paragraph(choose: random.Random, outlet: str, tags: tuple[str, ...]) -> str:
    """A few sentences, one of them with an auto-link to a tag."""
    sentences = [
        choose.choice(_DETAILS).format(
            person=choose.choice(_PEOPLE),
            place=choose.choice(_PLACES),
            number=choose.randrange(2, 30),
            count=choose.randrange(31, 900),
        )
        for _ in range(choose.randrange(2, 5))
    ]
    tag = choose.choice(tags)
    address = tag_url(outlet, quote(tag) if choose.random() < 0.5 else tag)
    sentences.insert(1, f'不少人是为了<a href="{address}">{escape(tag)}</a>来的。')
    return f"<p>{''.join(sentences)}</p>"


def _decorate(choose: random.Random, outlet: str, index: int, paragraphs: list[str]) -> None:
    """Put headings, pictures and embeds between the paragraphs, each in the outlet's own markup."""
    heading = "<h2>{}</h2>" if outlet == "epochtimes" else "<p><strong>{}</strong></p>"
    paragraphs.insert(6, heading.format(f"{choose.choice(_PLACES)}的一天"))
    paragraphs.insert(3, heading.format("居民怎么说"))
    if index % 2:
        source = _image(outlet, 500_000 + index)
        paragraphs.insert(
            5,
            f'<figure id="attachment_{index}" class="wp-caption aligncenter" style="width: 600px"><a href="{source}">'
            f'<img class="size-large" src="{source}" alt="" width="600" height="400"></a>'
            f'<figcaption class="wp-caption-text">{choose.choice(_PLACES)}的清晨。'
            f"（{choose.choice(_PEOPLE)}提供）</figcaption></figure>",
        )
    extras: dict[int, Callable[[], str]] = {
        3: lambda: (
            '<div class="video_fit_container"><iframe width="600" height="338" '
            f'src="https://www.youtube.com/embed/demo{index:07}?rel=0" allowfullscreen></iframe></div>'
        ),
        5: lambda: (
            '<blockquote class="twitter-tweet"><p lang="zh" dir="ltr">今天的晚霞很好看。</p>&mdash; 云栖气象 '
            f'(@yunqi_sample) <a href="https://twitter.com/yunqi_sample/status/{index}?ref_src=twsrc">May 1, 2026</a>'
            '</blockquote><p><script async src="https://platform.twitter.com/widgets.js"></script></p>'
        ),
        7: lambda: (
            "<table><tbody><tr><td><strong>站点</strong></td><td><strong>班次</strong></td></tr>"
            "<tr><td>望海港</td><td>12</td></tr><tr><td>松月岛</td><td>8</td></tr></tbody></table>"
        ),
        9: lambda: "<ul><li>带一件外套</li><li>提前一天预约</li></ul><p>&nbsp;</p>",
    }
    if index % 10 in extras:
        paragraphs.insert(4, extras[index % 10]())
    if index:
        earlier = choose.randrange(max(0, index - 40), index)
        paragraphs.insert(-1, f'<p>延伸阅读：<a href="{_address(outlet, earlier)}">第{earlier + 1}号消息</a></p>')
    paragraphs.insert(-1, '<p>资料来自<a href="https://www.example.org/records?utm_source=sample">旧档案</a>。</p>')


def _published(outlet: str, index: int) -> datetime:
    """When article ``index`` came out; a later article is always newer."""
    return _BEGIN + index * _STEP + timedelta(seconds=random.Random(f"clock {outlet} {index}").randrange(60))


def _address(outlet: str, index: int) -> str:
    """The address of article ``index``."""
    published = _published(outlet, index)
    if outlet == "epochtimes":
        return epochtimes.address(number(outlet, index), _day_in_america(published))
    return ntdtv.address(number(outlet, index), published)


def _epochtimes_body(published: datetime, reporter: str, editor: str, paragraphs: list[str]) -> str:
    dateline = f"【大纪元{published:%Y年%m月%d日}讯】（大纪元记者{reporter}综合报导）"
    first = paragraphs[0].replace("<p>", f"<p>{dateline}", 1)
    return "\n".join([first, *paragraphs[1:], f"<p>责任编辑：{editor}#</p>"])


def _ntdtv_body(published: datetime, reporter: str, editor: str, paragraphs: list[str]) -> str:
    dateline = f"【新唐人北京时间{published:%Y年%m月%d日}讯】"
    first = paragraphs[0].replace("<p>", f"<p>{dateline}", 1)
    return "\n".join([first, *paragraphs[1:], f"<p>（记者{reporter}综合报导/责任编辑：{editor}）</p>"])
