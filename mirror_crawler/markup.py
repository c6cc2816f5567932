"""Hostile markup → the closed vocabulary of ``body_html``; the only code that meets what a page really sent.

The parsed tree is walked once, without recursion, by :class:`_Walker`. It never copies markup: it fills a small tree
of blocks (paragraphs, figures, lists, tables …) and the text of each block as pieces with their inline formats.
Blocks are then tidied (:func:`_tidy`) and written (:class:`_Writer`), so the result is well-formed by construction,
an HTML5 parser reads back exactly what was written, and cleaning it again changes nothing.

What comes out (docs/output-format.md): ``p h2 h3 h4 blockquote ul ol li a strong em sub sup code pre br hr figure
figcaption img table thead tbody tr th td`` with ``href src alt colspan rowspan``; addresses absolute http(s), ASCII.
An embed is a paragraph with an empty link, ``<p><a href="https://www.youtube.com/watch?v=ID"></a></p>``: what the
link says depends on the language of the page it is shown on. An empty link anywhere else does not survive.
"""

from __future__ import annotations

import dataclasses
import functools
import re
import unicodedata
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from html import escape, unescape
from typing import ClassVar, TypeAlias
from urllib.parse import parse_qs, quote, urljoin, urlsplit, urlunsplit

from selectolax.lexbor import LexborHTMLParser, LexborNode

from mirror_crawler.items import Embed, Image

_DEPTH = 24
"""Lists, quotes and tables inside each other: what lies deeper keeps its text and loses its box."""

_NAMES = 100
"""Different keys in ``CleanBody.removed``: a page cannot fill the statistics with names it invents."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CleanBody:
    """A body in the closed vocabulary and what was found in it.

    ``removed`` counts what did not pass, by keys ``removed/<element>`` (gone with its contents),
    ``unwrapped/<element>`` (its contents stay) and ``attribute/<name>`` (of an element that stays).
    """

    html: str
    images: list[Image]
    embeds: list[Embed]
    removed: Counter[str]


def sanitise(html: str, base_url: str) -> str:
    """Any markup → the closed vocabulary. ``base_url`` resolves relative addresses. Idempotent."""
    root = LexborHTMLParser(html, is_fragment=True).root
    return _clean(root, base_url, bold_headings=False).html


def clean(node: LexborNode, base_url: str, *, bold_headings: bool = False) -> CleanBody:
    """The children of a parsed container → :class:`CleanBody`; the tree is not changed.

    ``bold_headings`` turns short bold-only paragraphs into ``h2``, as one outlet sets its sub-headings
    (FACTS B4, C8).
    """
    return _clean(node.child, base_url, bold_headings=bold_headings)


def plain_text(body_html: str) -> str:
    """The text of a body in the closed vocabulary: a blank line between blocks, list items and captions included.

    ``br`` is a line end; a table row is a line with its cells separated by tabs; pictures and empty links are
    nothing.
    """
    text = _PlainText()
    for match in _TOKEN.finditer(body_html):
        if match["text"]:
            text.add(unescape(match["text"]))
        else:
            text.tag(match["name"], closing=bool(match["closing"]))
    return "".join(text.parts)


def _words(words: str) -> frozenset[str]:
    return frozenset(words.split())


# Addresses ------------------------------------------------------------------------------------------------------------

_ADDRESS_LIMIT = 4_000
_JUNK = " \t\r\n\f\u3000\xa0\"'“”‘’。;\\"
_ENCODED_JUNK = re.compile(r"%22|%27|%E2%80%9[89CD]|%E3%80%82", re.IGNORECASE)
"""What editors glue to addresses: quotes, a full stop, a semicolon (FACTS A1, B1)."""

_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?)*")
_PLAIN = re.compile(
    r"https?://[a-z0-9](?:[a-z0-9-]{0,60}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,60}[a-z0-9])?){1,3}"
    r"/(?:[A-Za-z0-9/._~@:-]|%(?!22|27|E2%80%9[89CD]|E3%80%82)[0-9A-F]{2})*"
)
"""Most addresses: nothing about them needs a change."""

_TRACKING = re.compile(r"(?:utm_\w+|fbclid|gclid|ref_src)(?:=|$)")
_BARE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ESCAPED = re.compile(r"%[0-9a-f]{2}", re.IGNORECASE)
_PICTURE_FILE = re.compile(r"\.(?:jpe?g|png|gif|webp|bmp|avif)(?:[?#]|$)", re.IGNORECASE)
_PLACEHOLDER = re.compile(
    r"/(?:blank|spacer|placeholder|loading|lazy(?:load)?|transparent|trans|pixel|clear|empty|1x1|gr[ae]y|dot)"
    r"(?:[-_]?\d+(?:x\d+)?)?\.(?:gif|png|svg|webp|jpe?g)(?:[?#]|$)",
    re.IGNORECASE,
)
_AD = re.compile(
    r"https?://(?:ads?\.|(?:[^/]*\.)?(?:doubleclick\.net|googlesyndication\.com|googleadservices\.com|adnxs\.com"
    r"|googletagmanager\.com|google-analytics\.com|amazon-adsystem\.com|taboola\.com|outbrain\.com|dable\.io"
    r"|criteo\.(?:com|net)|scorecardresearch\.com|rubiconproject\.com|pubmatic\.com|openx\.net"
    r"|adservice\.google\.[a-z.]+)(?:[:/?#]|$)"
    r"|www\.facebook\.com/(?:tr\b|(?:v[\d.]+/)?plugins/(?!video|post))|platform\.twitter\.com/widgets)"
)


def _address(raw: str, base: str) -> str | None:
    """An address as it may stand in a body: absolute http(s), ASCII, no user information, no tracking parameters.

    None for anything else, and for what a second pass would change: what is kept is stable.
    """
    if len(raw) <= _ADDRESS_LIMIT and _PLAIN.fullmatch(raw):
        return raw
    found = _cleaned_address(raw, "" if raw.startswith(("http://", "https://")) else base)
    return found if found and (_PLAIN.fullmatch(found) or _cleaned_address(found, "") == found) else None


@functools.lru_cache(maxsize=8192)
def _cleaned_address(raw: str, base: str) -> str | None:
    raw = _without_junk(raw) if len(raw) <= _ADDRESS_LIMIT else ""
    if not raw or raw.startswith("#"):
        return None
    try:
        parts = urlsplit(urljoin(base, raw))
        host, port = (parts.hostname or "").encode("idna").decode(), parts.port
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or "@" in parts.netloc or not _HOST.fullmatch(host):
        return None
    query = parts.query
    if "utm_" in query or "clid" in query or "ref_src" in query:
        query = "&".join(part for part in query.split("&") if not _TRACKING.match(part))
    place = (_ascii(part) for part in (parts.path or "/", query, parts.fragment))
    address = urlunsplit((parts.scheme, host if port is None else f"{host}:{port}", *place))
    return address if len(address) <= _ADDRESS_LIMIT else None


def _without_junk(raw: str) -> str:
    raw = raw.strip(_JUNK)
    while match := _ENCODED_JUNK.match(raw):
        raw = raw[match.end() :].lstrip(_JUNK)
    while match := _ENCODED_JUNK.search(raw, max(0, len(raw) - 9)):
        if match.end() != len(raw):
            break
        raw = raw[: match.start()].rstrip(_JUNK)
    return raw


def _ascii(part: str) -> str:
    """Percent-encode what is not plain in a URL; escapes that are there stay, in upper case."""
    part = quote(_BARE_PERCENT.sub("%25", part), safe="%/:?=&+$,;@!*~()-._[]#", errors="replace")
    return _ESCAPED.sub(lambda match: match[0].upper(), part) if "%" in part else part


def image_address(node: LexborNode, base_url: str) -> str | None:
    """The real address of an ``img``, past lazy loading (FACTS C4); None for placeholders and tracking pixels."""
    return _picture(node.attributes, base_url)


def _picture(attributes: Mapping[str, str | None], base: str) -> str | None:
    if attributes.get("width") in ("0", "1") or attributes.get("height") in ("0", "1"):
        return None
    for name in ("data-src", "data-original", "data-lazy-src", "data-srcset", "srcset", "src"):
        value = attributes.get(name)
        if not value:
            continue
        address = _address(_largest(value) if name.endswith("srcset") else value, base)
        if address and not _PLACEHOLDER.search(address) and not _AD.match(address):
            return address
    return None


def _largest(srcset: str) -> str:
    """The candidate of a ``srcset`` with the greatest width or density."""
    sized = []
    for candidate in re.split(r",\s+", srcset.strip()):
        address, _, size = candidate.strip(" ,").partition(" ")
        number = re.fullmatch(r"\s*(\d{1,6}(?:\.\d{1,3})?)[wx]", size)
        sized.append((float(number[1]) if number else 0.0, address))
    return max(sized, key=lambda pair: pair[0])[1]


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
    address = _address(url, "")
    if address and _FACEBOOK_PLUGIN.match(address):
        address = _address(parse_qs(urlsplit(address).query).get("href", [""])[0], "") or address
    if address is None or _AD.match(address):
        return None
    for kind, form, target in _EMBEDS:
        if match := form.fullmatch(address):
            return Embed(kind=kind, url=target.format(*match.groups()) if target else address)
    return None


# Text -----------------------------------------------------------------------------------------------------------------

_Formats: TypeAlias = tuple[str, ...]
"""The inline formats around a text, outermost first, each as its start tag."""

_Piece: TypeAlias = tuple[str, _Formats, int]
"""Text as the source has it, its formats, and which ``a`` element it stands in (0: none; also links not kept)."""

_Segment: TypeAlias = tuple[str, _Formats]
"""Text as it is written, and its formats. A line break is a line feed."""

_BR = "\x00"
_WHITE = " \t\n\r\f"
_BLANK = _WHITE + "\xa0\u1680\u180e\u2000-\u200d\u2028\u2029\u202f\u205f\u2060\u3000\ufeff"
_EDGE = _BLANK.replace("\u2000-\u200d", "".join(map(chr, range(0x2000, 0x200E))))
_EDGE_OR_BR = _EDGE + _BR
_WHITE_OR_BR = f"[{_WHITE}{_BR}]"
_GAP = re.compile(f"{_WHITE_OR_BR}{_WHITE_OR_BR}*")
"""Not written with ``+``: a search that begins with a plain set is twice as fast, and this is the one that counts."""

_PARAGRAPH_BREAK = re.compile(f"{_BR}(?:[{_BLANK}]*{_BR})+")
_BLANK_LINES = re.compile(r"(?:[ \t]*\n)+")
_CONTROL = re.compile(
    r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
)
"""Control characters, halves of surrogate pairs, non-characters, and the marks that reverse the text after them."""


@functools.lru_cache(maxsize=8192)
def _wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in ("W", "F")


def _paragraphs(pieces: list[_Piece]) -> list[list[_Segment]]:
    """Pieces → paragraphs of segments: white space collapsed, blank edges stripped, blank paragraphs left out.

    Two or more line breaks in a row separate paragraphs.
    """
    if len(pieces) == 1:
        text = _GAP.sub(_worth, pieces[0][0].strip(_EDGE_OR_BR))
        return [[(text, pieces[0][1])]] if text else []
    whole = "".join([piece[0] for piece in pieces])
    line = _Line(pieces, whole)
    if whole.count(_BR) < 2:
        return [segments] if (segments := line.segments(0, len(whole))) else []
    ends, position = [], 0
    for match in _PARAGRAPH_BREAK.finditer(whole):
        ends.append((position, match.start()))
        position = match.end()
    ends.append((position, len(whole)))
    return [segments for start, end in ends if (segments := line.segments(start, end))]


def _joined(paragraphs: list[list[_Segment]]) -> list[_Segment]:
    """Paragraphs as lines of one, for what must not be split."""
    found: list[_Segment] = []
    for segments in paragraphs:
        if found:
            before, after = found[-1][1], segments[0][1]
            found.append(("\n", before[: _shared(before, after)]))
        found += segments
    return found


class _Line:
    """Pieces side by side: ``whole`` is their text, so that white space is judged across inline elements."""

    def __init__(self, pieces: list[_Piece], whole: str) -> None:
        self._pieces = pieces
        self._whole = whole
        self._starts = [0]
        for text, _, _ in pieces:
            self._starts.append(self._starts[-1] + len(text))

    def segments(self, start: int, end: int) -> list[_Segment]:
        """``whole[start:end]`` without blank edges, each gap replaced by what it is worth."""
        text = self._whole[start:end]
        end -= len(text) - len(text.rstrip(_EDGE_OR_BR))
        start += len(text) - len(text.lstrip(_EDGE_OR_BR))
        found: list[tuple[str, _Formats | None]] = []
        for match in _GAP.finditer(self._whole, start, max(start, end)):
            found += self.cut(start, match.start())
            worth = _worth(match)
            if worth == " " and self._is_link_edge(match):
                worth = ""
            if worth:
                found.append((worth, None))
            start = match.end()
        found += self.cut(start, end)
        return list(_placed(found))

    def cut(self, start: int, end: int) -> Iterator[_Segment]:
        """The pieces of ``whole[start:end]``."""
        index = bisect_right(self._starts, start) - 1
        while start < end:
            stop = min(end, self._starts[index + 1])
            yield self._whole[start:stop], self._pieces[index][1]
            start = stop
            index += 1

    def _is_link_edge(self, gap: re.Match[str]) -> bool:
        """White space between two wide characters where a link begins or ends (FACTS C7: links set by a machine)."""
        left, right = gap.start() - 1, gap.end()
        return _wide(self._whole[left]) and _wide(self._whole[right]) and self._link(left) != self._link(right)

    def _link(self, offset: int) -> int:
        return self._pieces[bisect_right(self._starts, offset) - 1][2]


def _worth(gap: re.Match[str]) -> str:
    """What white space and line breaks inside a paragraph come to: a line break, a space, or nothing.

    Nothing is a line end of the source next to a wide character: Chinese is written without spaces.
    """
    found = gap[0]
    if found == " ":
        return found
    if _BR in found:
        return "\n"
    if "\n" in found or "\r" in found:
        text = gap.string
        return "" if _wide(text[gap.start() - 1]) or _wide(text[gap.end()]) else " "
    return " "


def _placed(found: list[tuple[str, _Formats | None]]) -> Iterator[_Segment]:
    """Give spaces and line breaks the formats that both neighbours share: no format begins or ends with a space."""
    before: _Formats = ()
    for index, (text, formats) in enumerate(found):
        if formats is None:
            after = found[index + 1][1] or ()
            formats = before[: _shared(before, after)]
        else:
            before = formats
        yield text, formats


def _shared(one: _Formats, other: _Formats) -> int:
    """How many formats from the outermost on are the same."""
    if one == other:
        return len(one)
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return count


def _preformatted(pieces: list[_Piece]) -> list[list[_Segment]]:
    """The lines of a ``pre`` as they stand, without blank lines at the top and blanks at the end."""
    plain = [
        (re.sub(r"\r\n?", "\n", text).replace(_BR, "\n").replace("\f", " "), formats, link)
        for text, formats, link in pieces
    ]
    whole = "".join([piece[0] for piece in plain])
    top = _BLANK_LINES.match(whole)
    segments = list(_Line(plain, whole).cut(top.end() if top else 0, len(whole.rstrip(_EDGE))))
    return [segments] if segments else []


def _text_of(segments: list[_Segment]) -> str:
    return "".join([text for text, _ in segments])


# Blocks ---------------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(slots=True)
class _Text:
    """A paragraph, heading or ``pre``. ``source`` numbers the element it comes from (0: none)."""

    kind: str
    segments: list[_Segment]
    source: int = 0


@dataclasses.dataclass(slots=True)
class _Picture:
    """An ``img``; ``link`` is the start tag of the link around it, or empty."""

    url: str
    alt: str
    link: str


@dataclasses.dataclass(slots=True)
class _Figure:
    """Pictures under one caption (or none)."""

    pictures: list[_Picture]
    caption: list[_Segment]


@dataclasses.dataclass(slots=True)
class _EmbedLink:
    """A paragraph with an empty link."""

    url: str


@dataclasses.dataclass(slots=True)
class _Rule:
    """``hr``."""


@dataclasses.dataclass(slots=True)
class _Box:
    """An element that holds blocks: a quote, list, item, table, section, row, cell, or the body itself (``""``).

    ``bare`` marks a list made for items that had none.
    """

    kind: str
    parent: _Box | None = None
    depth: int = 0
    attributes: str = ""
    bare: bool = False
    children: list[_Text | _Figure | _EmbedLink | _Rule | _Box] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(slots=True)
class _FigureContext:
    """A ``figure`` of the source: where its pictures go, and a caption that came before its picture."""

    box: _Box
    start: int
    caption: list[_Segment] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(slots=True)
class _Quote:
    """A post of another site quoted with its text: the last link to it in the text, or the address in an attribute."""

    embed: Embed | None
    linked: bool = False


# The walk -------------------------------------------------------------------------------------------------------------

_FORMATS = {
    "b": "strong",
    "strong": "strong",
    "i": "em",
    "em": "em",
    "sub": "sub",
    "sup": "sup",
    "code": "code",
    "tt": "code",
}
_TEXTS = {"p": "p", "dd": "p", "dt": "p", "h1": "h2", "h2": "h2", "h3": "h3", "h4": "h4", "h5": "h4", "h6": "h4"}
_TEXTS |= {"pre": "pre", "listing": "pre", "xmp": "pre"}
_BOXES = {"blockquote": "blockquote", "ul": "ul", "menu": "ul", "dir": "ul", "ol": "ol", "li": "li", "table": "table"}
_BOXES |= {"thead": "thead", "tbody": "tbody", "tfoot": "tbody", "tr": "tr", "td": "td", "th": "th"}
_INSIDE = {"thead": ("table",), "tbody": ("table",), "tr": ("thead", "tbody"), "td": ("tr",), "th": ("tr",)}
_LISTS = ("ul", "ol")
_LEVELS = {"table": 4, "ul": 2, "ol": 2}
"""How deep a box goes at least: a table its section, row and cell, a list its item."""

_BLOCKS = _words(
    "address article body caption center details dialog div dl fieldset figcaption figure footer hgroup html legend "
    "main plaintext section summary"
)
"""Unwrapped, and a paragraph ends where they begin and end."""

_REMOVED = _words(
    "applet area aside base button canvas col colgroup datalist form frame frameset head header input link math meta "
    "meter nav noembed noframes optgroup option param progress script select source style svg template textarea title "
    "track twitter-widget"
)
_JUNK_IDS = _words("below_article_ad recommend_post gtx-anchor fb-root")
_JUNK_CLASSES = _words(
    "adsbygoogle single_ad post_related related-posts print_link mceTemp dable_placeholder gtx-bubble jfk-bubble"
)
_CAPTION_CLASSES = _words("wp-caption-text wp-caption-dd caption")
_QUOTE_CLASSES = _words(
    "twitter-tweet twitter-video instagram-media tiktok-embed fb-post fb-video fb-xfbml-parse-ignore"
)
_QUOTE_ADDRESSES = ("data-href", "data-instgrm-permalink", "cite")
_SANE_NAME = re.compile(r"[a-z][a-z0-9_-]{0,29}")
_HAN = re.compile(r"[\u3400-\u9fff]")

_State: TypeAlias = tuple[_Box, str, _Formats, int, int, "_FigureContext | None", "_Quote | None"]
_Attributes: TypeAlias = Mapping[str, str | None]


@dataclasses.dataclass(slots=True)
class _Frame:
    """What to do at an element's end: end the paragraph, ``finish``, go back to ``state``."""

    block: bool = False
    state: _State | None = None
    finish: Callable[[], None] | None = None


_INLINE = _Frame()
_BLOCK = _Frame(block=True)


class _Walker:
    """Walks a parsed tree and fills :attr:`body` with blocks."""

    def __init__(self, base: str) -> None:
        self.body = self.box = _Box("")
        self.embeds: dict[str, Embed] = {}
        self.removed: Counter[str] = Counter()
        self.pictured: set[int] = set()
        self._base = base
        self._page = (_address(base, "") or "").partition("#")[0]
        self._kind = "p"
        self._formats: _Formats = ()
        self._link = 0
        self._source = 0
        self._figure: _FigureContext | None = None
        self._quote: _Quote | None = None
        self._serial = 0
        self._run: list[_Piece] = []
        self._caption: list[list[_Segment]] = []
        self._lazy = False

    def walk(self, node: LexborNode | None) -> None:
        """Take in ``node`` and everything after it on its level, with all that is inside."""
        stack: list[tuple[LexborNode, _Frame]] = []
        while True:
            while node is not None:
                tag = node.tag
                if tag == "-text":
                    self._add_text(node.text_content or "")
                elif (frame := self._enter(node, tag)) is not None:
                    child = node.child
                    if child is not None:
                        stack.append((node, frame))
                        node = child
                        continue
                    self._leave(frame)
                node = node.next
            if not stack:
                break
            node, frame = stack.pop()
            self._leave(frame)
            node = node.next
        self._end_paragraph()

    def _enter(self, node: LexborNode, tag: str | None) -> _Frame | None:
        """Begin an element; None when its contents are not to be walked."""
        if tag is None or tag[0] in "-!":
            self._remove("comment")
            return None
        attributes: _Attributes = node.attributes
        if attributes and self._is_junk(attributes):
            self._remove(tag)
            return None
        if enter := self._ENTER.get(tag):
            return enter(self, node, tag, attributes)
        if tag in _REMOVED:
            self._remove(tag)
            return None
        self._count("unwrapped", tag)
        if attributes and (frame := self._enter_marked(attributes)):
            return frame
        if tag in _BLOCKS:
            self._end_paragraph()
            return _BLOCK
        return _INLINE

    def _leave(self, frame: _Frame) -> None:
        if frame.block:
            self._end_paragraph()
        if frame.finish:
            frame.finish()
        if frame.state:
            (self.box, self._kind, self._formats, self._link, self._source, self._figure, self._quote) = frame.state

    def _state(self) -> _State:
        return self.box, self._kind, self._formats, self._link, self._source, self._figure, self._quote

    # what does not pass

    def _count(self, what: str, name: str) -> None:
        key = f"{what}/{name}" if _SANE_NAME.fullmatch(name) else f"{what}/other"
        if key not in self.removed and len(self.removed) >= _NAMES:
            key = f"{what}/other"
        self.removed[key] += 1

    def _remove(self, name: str) -> None:
        self._count("removed", name)

    def _drop_attributes(self, attributes: _Attributes, *kept: str) -> None:
        for name in attributes:
            if name not in kept:
                self._count("attribute", name)

    @staticmethod
    def _is_junk(attributes: _Attributes) -> bool:
        """Advertisements, leftovers of editors and translators, lists of other articles (FACTS A4, B4)."""
        name = attributes.get("id")
        if name and (name in _JUNK_IDS or name.startswith("div-gpt-ad")):
            return True
        classes = attributes.get("class")
        if classes and not _JUNK_CLASSES.isdisjoint(classes.split()):
            return True
        return "data-google-query-id" in attributes

    # text

    def _add_text(self, text: str) -> None:
        if not text.isprintable() and _CONTROL.search(text):
            text, number = _CONTROL.subn("", text)
            self.removed["removed/control"] += number
        if not self._run and self._kind != "pre":
            text = text.lstrip(_WHITE)
        if not text:
            return
        self._run.append((text, self._formats, self._link))
        if self._lazy and text.strip(_EDGE):
            self._lazy = False

    def _end_paragraph(self) -> None:
        if not self._run:
            return
        run, self._run = self._run, []
        if self._kind == "caption":
            self._caption += _paragraphs(run)
            return
        found = _preformatted(run) if self._kind == "pre" else _paragraphs(run)
        if len(found) > 1 and self._kind != "p":
            found = [_joined(found)]
        for segments in found:
            self._place().children.append(_Text(self._kind, segments, self._source))

    def _enter_text(self, _node: LexborNode, tag: str, attributes: _Attributes) -> _Frame:
        if attributes:
            if frame := self._enter_marked(attributes):
                return frame
            self._drop_attributes(attributes)
        kind = _TEXTS[tag]
        self._end_paragraph()
        state = self._state()
        if self._kind in ("p", "pre") or (kind not in ("p", "pre") and self._kind != "caption"):
            self._kind = kind
        if tag == "dt":
            self._formats = self._with("<strong>")
        self._serial += 1
        self._source = self._serial
        return _Frame(block=True, state=state)

    def _enter_format(self, _node: LexborNode, tag: str, attributes: _Attributes) -> _Frame:
        self._drop_attributes(attributes)
        state = self._state()
        self._formats = self._with(f"<{_FORMATS[tag]}>")
        return _Frame(state=state)

    def _with(self, start_tag: str) -> _Formats:
        return self._formats if start_tag in self._formats else (*self._formats, start_tag)

    def _enter_link(self, node: LexborNode, _tag: str, attributes: _Attributes) -> _Frame | None:
        state = self._state()
        self._serial += 1
        address = self._elsewhere(attributes.get("href"))
        if address is None:
            self._count("unwrapped", "a")
            self._link = self._serial
            return _Frame(state=state)
        self._drop_attributes(attributes, "href")
        if node.child is None:
            self._empty_link(node, address)
            return None
        if self._quote and (embed := embed_of(address)):
            self._quote.embed, self._quote.linked = embed, True
        self._link = self._serial
        self._formats = (*(one for one in self._formats if not one.startswith("<a ")), f'<a href="{escape(address)}">')
        return _Frame(state=state)

    def _elsewhere(self, raw: str | None) -> str | None:
        """The address of something that is neither an advertisement nor a place in the page itself."""
        address = _address(raw, self._base) if raw else None
        if address and (_AD.match(address) or ("#" in address and address.partition("#")[0] == self._page)):
            return None
        return address

    def _empty_link(self, node: LexborNode, address: str) -> None:
        """Alone in a paragraph and leading to something embeddable it is an embed, else nothing."""
        parent = node.parent
        alone = node.prev is None and node.next is None and parent is not None and parent.tag == "p"
        if alone and (embed := embed_of(address)):
            self._add_embed(embed)
        else:
            self._remove("a")

    def _add_break(self, _node: LexborNode, _tag: str, attributes: _Attributes) -> None:
        self._drop_attributes(attributes)
        if self._run or self._kind == "pre":
            self._run.append((_BR, self._formats, self._link))

    def _add_rule(self, _node: LexborNode, _tag: str, attributes: _Attributes) -> None:
        self._drop_attributes(attributes)
        self._end_paragraph()
        self._place().children.append(_Rule())

    # boxes

    def _place(self) -> _Box:
        """The box that a block goes into.

        What stands loose in a list is part of its last item, and what stands loose in a table goes beside it.
        """
        box = self.box
        while box.parent and box.kind in ("table", "thead", "tbody", "tr"):
            box = box.parent
        if box.kind not in _LISTS:
            return box
        if not box.children:
            box.children.append(_Box("li", box, box.depth + 1))
        item = box.children[-1]
        assert isinstance(item, _Box)  # noqa: S101  lists hold items only
        return item

    def _enter_box(self, _node: LexborNode, tag: str, attributes: _Attributes) -> _Frame:
        self._end_paragraph()
        kind = _BOXES[tag]
        state = self._state()
        quote = self._quote_of(attributes) if attributes else None
        parent = self._parent_for(kind)
        if parent is None:
            self._count("unwrapped", tag)
        else:
            self._drop_attributes(attributes, *(("colspan", "rowspan") if kind in ("td", "th") else ()))
            spans = _spans(attributes) if kind in ("td", "th") else ""
            self.box = _Box(kind, parent, parent.depth + 1, spans)
            parent.children.append(self.box)
            self._kind, self._figure = "p", None
        if quote:
            return self._quote_frame(quote, state)
        return _Frame(block=True, state=state)

    def _parent_for(self, kind: str) -> _Box | None:
        """Where a box of this kind may open; None: nowhere, its contents stay without it."""
        if self._kind == "caption":
            return None
        if kind in _INSIDE:
            return self.box if self.box.kind in _INSIDE[kind] else None
        if kind == "li":
            return self.box if self.box.kind in _LISTS else self._bare_list()
        place = self._place()
        return place if place.depth + _LEVELS.get(kind, 1) <= _DEPTH else None

    def _bare_list(self) -> _Box | None:
        """The list of items that stand outside any list (FACTS A4: pages of 2001)."""
        place = self._place()
        last = place.children[-1] if place.children else None
        if isinstance(last, _Box) and last.bare:
            return last
        if place.depth + _LEVELS["ul"] > _DEPTH:
            return None
        made = _Box("ul", place, place.depth + 1, bare=True)
        place.children.append(made)
        return made

    # pictures

    def _enter_figure(self, _node: LexborNode, _tag: str, attributes: _Attributes) -> _Frame:
        self._drop_attributes(attributes)
        return self._figure_frame()

    def _figure_frame(self) -> _Frame:
        self._end_paragraph()
        state = self._state()
        place = self._place()
        figure = self._figure = _FigureContext(place, len(place.children))

        def finish() -> None:
            if figure.caption:
                self._place().children.append(_Text("p", figure.caption))

        return _Frame(block=True, state=state, finish=finish)

    def _enter_caption(self, _node: LexborNode, _tag: str, attributes: _Attributes) -> _Frame:
        self._drop_attributes(attributes)
        return self._caption_frame()

    def _caption_frame(self) -> _Frame:
        self._end_paragraph()
        if self._kind == "caption":
            return _BLOCK
        state = self._state()
        outer, self._caption = self._caption, []
        self._kind = "caption"

        def finish() -> None:
            caption, self._caption = self._caption, outer
            if caption:
                self._place_caption(_joined(caption))

        return _Frame(block=True, state=state, finish=finish)

    def _place_caption(self, caption: list[_Segment]) -> None:
        """Under the picture before it, else kept for the picture after it in the same figure, else a paragraph."""
        if figure := self._open_figure():
            figure.caption = caption
        elif self._figure and not self._figure.caption:
            self._figure.caption = caption
        else:
            self._place().children.append(_Text("p", caption))

    def _open_figure(self) -> _Figure | None:
        """The figure written last, when it can still take a caption."""
        place = self._place()
        start = self._figure.start if self._figure and self._figure.box is place else 0
        last = place.children[-1] if len(place.children) > start else None
        return last if isinstance(last, _Figure) and not last.caption else None

    def _enter_marked(self, attributes: _Attributes) -> _Frame | None:
        """Elements that a class or attribute makes something else: captions, players, quoted posts."""
        classes = (attributes.get("class") or "").split()
        if not _CAPTION_CLASSES.isdisjoint(classes) and (self._figure or (not self._run and self._open_figure())):
            return self._caption_frame()
        if "wp-caption" in classes:
            return self._figure_frame()
        if quote := self._quote_of(attributes):
            self._end_paragraph()
            return self._quote_frame(quote, self._state())
        if embed := _player(classes, attributes):
            self._add_embed(embed)
        return None

    def _add_image(self, _node: LexborNode, _tag: str, attributes: _Attributes) -> None:
        address = _picture(attributes, self._base)
        self._lazy = address is None
        if address is None:
            self._remove("img")
        else:
            self._add_picture(address, attributes)
            self._drop_attributes(attributes, "src", "alt")
        if swallowed := _swallowed(attributes):
            self._end_paragraph()
            self._count("unwrapped", "swallowed-text")
            self._add_text(swallowed)
            self._end_paragraph()

    def _add_picture(self, address: str, attributes: _Attributes) -> None:
        self._end_paragraph()
        self.pictured.add(self._source)
        link = next((one for one in self._formats if one.startswith("<a ")), "")
        if link and _PICTURE_FILE.search(unescape(link[9:-2])):
            self._count("unwrapped", "a")
            link = ""
        alt = re.sub(f"[{_BLANK}]+", " ", _CONTROL.sub("", attributes.get("alt") or "")).strip()
        picture = _Picture(address, alt, link)
        figure = self._open_figure()
        context = self._figure
        if context and not context.caption and figure and context.box is self._place():
            figure.pictures.append(picture)
            return
        made = _Figure([picture], [])
        if context and context.box is self._place():
            made.caption, context.caption = context.caption, []
        self._place().children.append(made)

    def _enter_noscript(self, node: LexborNode, _tag: str, _attributes: _Attributes) -> None:
        """Gone, but for the picture of a lazy image that has no real address itself (FACTS C4, C6)."""
        self._remove("noscript")
        image = node.css_first("img") if self._lazy else None
        if image is not None and (address := image_address(image, self._base)):
            self._lazy = False
            self._add_picture(address, image.attributes)

    # embeds

    def _add_embed(self, embed: Embed) -> None:
        """Record an embed and let a link stand for it; one that was there already stands where it stood first."""
        self._end_paragraph()
        if embed.url in self.embeds:
            return
        self.embeds[embed.url] = embed
        if embed_of(embed.url):
            self._place().children.append(_EmbedLink(embed.url))
        else:
            # Nothing but the address itself can tell a reader what this is.
            self._place().children.append(_Text("p", [(embed.url, (f'<a href="{escape(embed.url)}">',))]))

    def _quote_of(self, attributes: _Attributes) -> _Quote | None:
        classes = (attributes.get("class") or "").split()
        if self._quote or _QUOTE_CLASSES.isdisjoint(classes):
            return None
        addresses = (attributes.get(name) for name in _QUOTE_ADDRESSES)
        return _Quote(next((embed for address in addresses if address and (embed := embed_of(address))), None))

    def _quote_frame(self, quote: _Quote, state: _State) -> _Frame:
        """A quoted post keeps its text, and the link in it; without such a link one is put after it."""
        self._quote = quote
        outer = state[0]

        def finish() -> None:
            if quote.embed and quote.linked:
                self.embeds.setdefault(quote.embed.url, quote.embed)
            elif quote.embed:
                self.box = outer
                self._add_embed(quote.embed)

        return _Frame(block=True, state=state, finish=finish)

    def _add_frame(self, _node: LexborNode, tag: str, attributes: _Attributes) -> None:
        self._add_media_at(
            tag, "frame", (attributes.get(name) for name in ("data-src", "data-lazy-src", "src")), attributes
        )

    def _add_media(self, node: LexborNode, tag: str, attributes: _Attributes) -> None:
        """``video`` and ``audio``; what they hold besides their sources is for browsers that play neither."""
        sources = [attributes.get("src"), *(source.attributes.get("src") for source in node.css("source"))]
        self._add_media_at(tag, tag, iter(sources), attributes)

    def _add_media_at(self, tag: str, kind: str, sources: Iterator[str | None], attributes: _Attributes) -> None:
        address = next((found for source in sources if (found := self._elsewhere(source))), None)
        hidden = attributes.get("width") in ("0", "1") or attributes.get("height") in ("0", "1")
        if address is None or (hidden and kind == "frame"):
            self._remove(tag)
        else:
            self._add_embed(embed_of(address) or Embed(kind=kind, url=address))

    def _add_plugin(self, node: LexborNode, tag: str, attributes: _Attributes) -> None:
        """``object`` and ``embed``, the players of before 2015: kept as a link when the address is a known one."""
        inner = [part.attributes for part in node.css("embed, param")] if tag == "object" else []
        for found in (attributes, *inner):
            for name in ("src", "data", "value"):
                address = self._elsewhere(found.get(name))
                if address and (embed := embed_of(address)):
                    return self._add_embed(embed)
        return self._remove(tag)

    def _enter_script(self, _node: LexborNode, tag: str, attributes: _Attributes) -> None:
        """Gone; but one kind of player is nothing else than a script (FACTS A4, B4)."""
        embed = embed_of(_address(attributes.get("src") or "", self._base) or "")
        if embed and embed.kind == "youmaker":
            self._add_embed(embed)
        else:
            self._remove(tag)

    _ENTER: ClassVar[dict[str, Callable[[_Walker, LexborNode, str, _Attributes], _Frame | None]]] = {
        **dict.fromkeys(_TEXTS, _enter_text),
        **dict.fromkeys(_FORMATS, _enter_format),
        **dict.fromkeys(_BOXES, _enter_box),
        "a": _enter_link,
        "audio": _add_media,
        "br": _add_break,
        "embed": _add_plugin,
        "figcaption": _enter_caption,
        "figure": _enter_figure,
        "hr": _add_rule,
        "iframe": _add_frame,
        "img": _add_image,
        "noscript": _enter_noscript,
        "object": _add_plugin,
        "script": _enter_script,
        "video": _add_media,
    }


def _spans(attributes: _Attributes) -> str:
    found = ((name, attributes.get(name) or "") for name in ("colspan", "rowspan"))
    return "".join(
        f' {name}="{int(span)}"' for name, span in found if re.fullmatch(r"0*[1-9]\d?", span) and int(span) > 1
    )


def _player(classes: list[str], attributes: _Attributes) -> Embed | None:
    """The embed that an element announces which only a script would fill (FACTS A4)."""
    name = attributes.get("data-id") or ""
    viewer = re.match(r"DV-viewer-(\d+)", attributes.get("id") or "")
    address = ""
    if "player-container" in classes:
        address = f"https://vs.youmaker.com/assets/player/{name.removeprefix('player-')}"
    elif "infogram-embed" in classes:
        address = f"https://infogram.com/{name}"
    elif viewer:
        address = f"https://www.documentcloud.org/documents/{viewer[1]}"
    embed = embed_of(address)
    return embed if embed and embed.kind != "frame" else None


def _swallowed(attributes: _Attributes) -> str:
    """Text that an ``img`` without its closing bracket took for attributes (FACTS A4).

    From the first name with Han characters up to the next ``<``; ordinary attributes in between are none of it.
    """
    words: list[str] = []
    for name, value in attributes.items():
        if not words and not _HAN.search(name):
            continue
        if value and not _HAN.search(name):
            continue
        word, bracket, _ = name.partition("<")
        words.append(f"{word}={value}" if value else word)
        if bracket:
            break
    return " ".join(words)


# The blocks, tidied and written ---------------------------------------------------------------------------------------

_RELATED = _words("相关文章 相关新闻 相关视频 推荐阅读 相關文章 相關新聞 相關視頻 相關影片 推薦閱讀")
_RELATED_LENGTH = 6
_HEADING_LENGTH = 45

_Block: TypeAlias = _Text | _Figure | _EmbedLink | _Rule | _Box


def _clean(first: LexborNode | None, base_url: str, *, bold_headings: bool) -> CleanBody:
    walker = _Walker(base_url)
    walker.walk(first)
    _tidy(walker.body)
    if bold_headings:
        _set_headings(walker.body.children, walker.pictured)
    writer = _Writer()
    for block in walker.body.children:
        writer.write(block)
    return CleanBody(
        html="".join(writer.parts),
        images=writer.images,
        embeds=list(walker.embeds.values()),
        removed=walker.removed,
    )


def _tidy(box: _Box) -> None:
    """Drop empty boxes and lists of related articles, open tables of one cell, part figures without a caption."""
    found: list[_Block] = []
    for block in box.children:
        if isinstance(block, _Box):
            _tidy(block)
            cells = _cells(block) if block.kind == "table" else []
            if len(cells) == 1:
                found += cells[0].children
            elif not _is_empty(block):
                found.append(block)
        elif isinstance(block, _Figure) and not block.caption:
            found += [_Figure([picture], []) for picture in block.pictures]
        else:
            found.append(block)
    box.children = _without_related(found)
    if box.kind in ("thead", "tbody") and not any("rowspan" in cell.attributes for cell in _cells(box)):
        # A row of empty cells may stay where a cell above reaches into it.
        box.children = [
            row for row in box.children if isinstance(row, _Box) and any(cell.children for cell in _cells(row))
        ]


def _cells(box: _Box) -> list[_Box]:
    """The cells of a table, section or row; a cell is its own."""
    if box.kind in ("td", "th"):
        return [box]
    return [cell for child in box.children if isinstance(child, _Box) for cell in _cells(child)]


def _is_empty(box: _Box) -> bool:
    if box.kind in ("td", "th"):
        return False
    if box.kind == "table":
        return not any(cell.children for cell in _cells(box))
    return not box.children


def _without_related(blocks: list[_Block]) -> list[_Block]:
    """Without the headings 相关文章 and the like that only links follow (FACTS A4), and without those links.

    From the end backwards, so that what is left holds no such list either.
    """
    kept: list[_Block] = []
    for block in reversed(blocks):
        if kept and _is_related_heading(block) and _is_links(kept[-1]):
            while kept and _is_links(kept[-1]):
                kept.pop()
        else:
            kept.append(block)
    return kept[::-1]


def _is_related_heading(block: _Block) -> bool:
    if not isinstance(block, _Text) or len(block.segments[0][0]) > _RELATED_LENGTH:
        return False
    return _text_of(block.segments).strip("：:　 ") in _RELATED


def _is_links(block: _Block) -> bool:
    """Nothing but links: a paragraph of them, or a list of such."""
    if isinstance(block, _Text):
        return all(
            any(one.startswith("<a ") for one in formats) for text, formats in block.segments if text.strip(_EDGE)
        )
    if not isinstance(block, _Box) or block.kind not in _LISTS:
        return False
    items = [item.children for item in block.children if isinstance(item, _Box)]
    return all(isinstance(part, _Text) and _is_links(part) for parts in items for part in parts)


def _set_headings(blocks: list[_Block], pictured: set[int]) -> None:
    """Bold-only short paragraphs between others become headings."""
    for block in blocks[1:-1]:
        if isinstance(block, _Text) and block.kind == "p" and block.source not in pictured and _is_bold(block.segments):
            block.kind = "h2"
            block.segments = [
                (text, tuple(one for one in formats if one != "<strong>")) for text, formats in block.segments
            ]


def _is_bold(segments: list[_Segment]) -> bool:
    text = _text_of(segments)
    return (
        len(text) <= _HEADING_LENGTH
        and "\n" not in text
        and not text.startswith(("【", "（", "("))
        and not text.endswith(("。", "，", "；"))
        and all("<strong>" in formats for part, formats in segments if part != " ")
    )


class _Writer:
    """Blocks → HTML in :attr:`parts`, and the pictures in their order in :attr:`images`."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.images: list[Image] = []

    def write(self, block: _Block) -> None:
        """Append one block."""
        match block:
            case _Text():
                self.parts.append(f"<{block.kind}>{_inline(block.segments, block.kind)}</{block.kind}>")
            case _Figure():
                self._write_figure(block)
            case _EmbedLink():
                self.parts.append(f'<p><a href="{escape(block.url)}"></a></p>')
            case _Box():
                self._write_box(block)
            case _:
                self.parts.append("<hr>")

    def _write_box(self, box: _Box) -> None:
        self.parts.append(f"<{box.kind}{box.attributes}>")
        paragraphs = [block for block in box.children if isinstance(block, _EmbedLink) or _is_paragraph(block)]
        for block in box.children:
            alone = len(paragraphs) == 1 and block is box.children[0] and box.kind in ("li", "td", "th")
            if alone and isinstance(block, _Text) and block.kind == "p":
                # The usual item or cell: one paragraph, which needs no element, perhaps with a list under it.
                self.parts.append(_inline(block.segments, "p"))
            else:
                self.write(block)
        self.parts.append(f"</{box.kind}>")

    def _write_figure(self, figure: _Figure) -> None:
        self.parts.append("<figure>")
        caption = _text_of(figure.caption)
        for picture in figure.pictures:
            image = f'<img src="{escape(picture.url)}" alt="{escape(picture.alt)}">'
            self.parts.append(f"{picture.link}{image}</a>" if picture.link else image)
            self.images.append(Image(url=picture.url, alt=picture.alt, caption=caption))
        if caption:
            self.parts.append(f"<figcaption>{_inline(figure.caption, 'figcaption')}</figcaption>")
        self.parts.append("</figure>")


def _is_paragraph(block: _Block) -> bool:
    return isinstance(block, _Text) and block.kind == "p"


def _inline(segments: list[_Segment], kind: str) -> str:
    """Segments → text and inline elements, opening and closing as few as possible."""
    parts: list[str] = []
    open_: _Formats = ()
    for text, formats in segments:
        if formats != open_:
            shared = _shared(open_, formats)
            parts += [_end_tag(one) for one in reversed(open_[shared:])]
            parts += formats[shared:]
            open_ = formats
        if text == "\n" and kind != "pre":
            parts.append("<br>")
        else:
            parts.append(escape(text, quote=False) if "&" in text or "<" in text or ">" in text else text)
    parts += [_end_tag(one) for one in reversed(open_)]
    return "".join(parts)


def _end_tag(start_tag: str) -> str:
    return "</a>" if start_tag.startswith("<a ") else f"</{start_tag[1:]}"


# Plain text -----------------------------------------------------------------------------------------------------------

_TOKEN = re.compile(r"<(?P<closing>/?)(?P<name>[a-z][a-z0-9]*)[^>]*>|(?P<text>[^<]+)")
_SPOKEN = _words("p h2 h3 h4 blockquote ul ol li pre hr figure figcaption table")


class _PlainText:
    """Text parts with what separates them: nothing, tabs, a line end or a blank line."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self._gap = ""
        self._tables = 0
        self._first_cell = True
        self._cell_is_empty = True

    def add(self, text: str) -> None:
        """A run of text."""
        if self._gap and self.parts:
            self.parts.append(self._gap)
        self._gap = ""
        self._cell_is_empty = False
        self.parts.append(text)

    def tag(self, name: str, *, closing: bool) -> None:
        """A start or end tag."""
        if name == "table":
            self._tables += -1 if closing else 1
            self._separate("\n" if self._tables - (not closing) else "\n\n")
        elif name in _SPOKEN:
            self._separate("\n" if self._tables else "\n\n")
        elif name == "br":
            self.add("\n")
        elif name == "tr" and not closing:
            self._gap = "\n\n" if "\n\n" in self._gap else "\n"
            self._first_cell = True
        elif name in ("td", "th") and not closing:
            self._begin_cell()

    def _begin_cell(self) -> None:
        if not self._first_cell:
            self._gap = self._gap + "\t" if self._cell_is_empty else "\t"
        self._first_cell, self._cell_is_empty = False, True

    def _separate(self, gap: str) -> None:
        """At least ``gap``; where a cell has just begun, its tab is enough."""
        if gap == "\n" and self._gap.endswith("\t"):
            return
        self._gap = max(self._gap.rstrip("\t"), gap, key=len)
