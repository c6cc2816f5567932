"""Embeds: what an address shows when it is embedded."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

from mirror_crawler.items import Embed
from mirror_crawler.markup.hrefs import is_advert, safe_address

_EMBED_FORMS: Mapping[str, Mapping[str, str]] = {
    "youtube": {
        r"youtube(?:-nocookie)?\.com/(?:embed|v|shorts|live)/(?!videoseries|live_stream)([\w-]{6,20})": "watch?v={0}",
        r"youtube\.com/watch/?\?(?:[^#]*&)?v=([\w-]{6,20})": "watch?v={0}",
        r"youtu\.be/([\w-]{6,20})": "watch?v={0}",
        r"youtube\.com/(?:embed/(?:videoseries)?|playlist)\?(?:[^#]*&)?list=([\w-]{6,60})": "playlist?list={0}",
    },
    "youmaker": {
        r"(?:[\w-]+\.)?youmaker\.com/assets/player/([\w-]{6,60})": "https://vs.youmaker.com/assets/player/{0}",
        r"youmaker\.com/(video|v|embed)/([\w-]{6,60})": "{0}/{1}",
    },
    "ganjingworld": {
        r"ganjingworld\.com/(?:[a-z]{2}-[A-Z]{2}/)?(?:embed|video)/([\w-]{4,60})": "video/{0}",
        r"ganjingworld\.com/(?:[a-z]{2}-[A-Z]{2}/)?live/([\w-]{4,60})": "live/{0}",
    },
    "tweet": {
        r"(?:twitter|x)\.com/(\w{1,20})/status(?:es)?/(\d{1,25})": "https://twitter.com/{0}/status/{1}",
        r"platform\.twitter\.com/embed/[Tt]weet\.html\?(?:[^#]*&)?id=(\d{1,25})": "https://twitter.com/i/status/{0}",
    },
    "instagram": {r"instagram\.com/(?:[\w.]{1,30}/)?(p|reel|tv)/([\w-]{4,60})": "{0}/{1}/"},
    "facebook": {
        r"facebook\.com/([\w.%-]+/(?:videos|posts|photos)/[\w.%:/-]+)": "{0}",
        r"facebook\.com/(?:watch/?|video\.php)\?(?:[^#]*&)?v=(\d{1,25})": "watch/?v={0}",
    },
    "vimeo": {r"(?:player\.)?vimeo\.com/(?:video/)?(\d{4,15})": "https://vimeo.com/{0}"},
    "documentcloud": {r"(?:embed\.)?documentcloud\.org/documents/(\d{1,15})(?:[.-][^/?#]*)?": "documents/{0}"},
    "infogram": {r"(?:e\.)?infogram\.com/((?:_/)?[\w-]{6,120})": "https://infogram.com/{0}"},
    "video": {r"[^?#]+\.(?:mp4|m4v|webm|ogv|mov|m3u8)": ""},
    "audio": {r"[^?#]+\.(?:mp3|m4a|ogg|oga|opus|wav|aac)": ""},
    "frame": {r"(?:.*[./_-])?(?:embed|player|plugins?|widgets?|iframe)(?:[._-].*)?": ""},
}
"""By kind: what follows ``https://`` and ``www.`` in an address, and the canonical address made of it.

A target without a host is a path of ``www.<kind>.com`` (or ``.org``); an empty one is the address as it is.
"""


def _target(kind: str, target: str) -> str:
    if not target or target.startswith("https:"):
        return target
    return f"https://www.{kind}.{'org' if kind == 'documentcloud' else 'com'}/{target}"


_EMBEDS = [
    (
        kind,
        re.compile(rf"https?://(?:(?:www|m|mobile|web|music)\.)?{form}(?:[/?&#].*)?", re.ASCII),
        _target(kind, target),
    )
    for kind, forms in _EMBED_FORMS.items()
    for form, target in forms.items()
]
_FACEBOOK_PLUGIN = re.compile(r"https?://www\.facebook\.com/(?:v[\d.]+/)?plugins/(?:video|post)\.php\?")


@functools.lru_cache(maxsize=2048)
def embed_of(url: str) -> Embed | None:
    """What an address shows when it is embedded, under its canonical address; None when the address alone does not
    tell. Of ``kind``: youtube youmaker ganjingworld tweet instagram facebook vimeo documentcloud infogram video audio
    frame (something else's player or widget). ``embed_of(embed_of(url).url)`` is the same embed.
    """
    address = safe_address(url, "")
    if address and _FACEBOOK_PLUGIN.match(address):
        address = safe_address(parse_qs(urlsplit(address).query).get("href", [""])[0], "") or address
    if address is None or is_advert(address):
        return None
    for kind, form, target in _EMBEDS:
        if match := form.fullmatch(address):
            return Embed(kind=kind, url=target.format(*match.groups()) if target else address)
    return None
