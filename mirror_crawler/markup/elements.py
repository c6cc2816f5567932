"""What becomes of an element, by its name, its class or its id. What is named nowhere here is unwrapped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

Attributes: TypeAlias = Mapping[str, str | None]
"""The attributes of an element; None for one without a value."""


def _words(words: str) -> frozenset[str]:
    return frozenset(words.split())


FORMATS = {
    "b": "strong",
    "strong": "strong",
    "i": "em",
    "em": "em",
    "sub": "sub",
    "sup": "sup",
    "code": "code",
    "tt": "code",
}
"""Inline formats, and as which they are kept."""

TEXTS = {"p": "p", "dd": "p", "dt": "p", "h1": "h2", "h2": "h2", "h3": "h3", "h4": "h4", "h5": "h4", "h6": "h4"}
TEXTS |= {"pre": "pre", "listing": "pre", "xmp": "pre"}
"""Blocks of text, and as which they are kept."""

BOXES = {"blockquote": "blockquote", "ul": "ul", "menu": "ul", "dir": "ul", "ol": "ol", "li": "li", "table": "table"}
BOXES |= {"thead": "thead", "tbody": "tbody", "tfoot": "tbody", "tr": "tr", "td": "td", "th": "th"}
"""Elements that hold blocks, and as which they are kept."""

BLOCKS = _words(
    "address article body caption center details dialog div dl fieldset figcaption figure footer hgroup html legend "
    "main plaintext section summary"
)
"""Unwrapped, and a paragraph ends where they begin and end."""

REMOVED = _words(
    "applet area aside base button canvas col colgroup datalist form frame frameset head header input link math meta "
    "meter nav noembed noframes optgroup option param progress select source style svg template textarea title track "
    "twitter-widget"
)
"""Gone with all that is in them."""

_JUNK_IDS = _words("below_article_ad recommend_post gtx-anchor fb-root")
_JUNK_CLASSES = _words(
    "adsbygoogle single_ad post_related related-posts print_link mceTemp dable_placeholder gtx-bubble jfk-bubble"
)

CAPTION_CLASSES = _words("wp-caption-text wp-caption-dd caption")
"""The text under a picture, whatever its element."""

QUOTE_CLASSES = _words(
    "twitter-tweet twitter-video instagram-media tiktok-embed fb-post fb-video fb-xfbml-parse-ignore"
)
"""A post of another site, quoted with its text for a script to replace."""

QUOTE_ADDRESSES = ("data-href", "data-instgrm-permalink", "cite")
"""Where such a quote has the address of the post."""


def is_junk(attributes: Attributes) -> bool:
    """Advertisements, leftovers of editors and translators, lists of other articles (FACTS A4, B4)."""
    name = attributes.get("id")
    if name and (name in _JUNK_IDS or name.startswith("div-gpt-ad")):
        return True
    classes = attributes.get("class")
    if classes and not _JUNK_CLASSES.isdisjoint(classes.split()):
        return True
    return "data-google-query-id" in attributes
