"""A page as a code host shows it: through GitHub's own Markdown renderer, then through its published allow-list.

Hosts differ; this one is strict. What survives here is there for readers everywhere.
"""

from __future__ import annotations

import cmarkgfm
import nh3

# The allow-list of html-pipeline's SanitizationFilter 2.x, which GitHub published as its own. Later versions know more
# elements (figure, figcaption, caption, span …); other hosts do not.
_ELEMENTS = (
    "h1 h2 h3 h4 h5 h6 h7 h8 br b i strong em a pre code img tt div ins del sup sub p ol ul table thead tbody tfoot"
    " blockquote dl dt dd kbd q samp var hr ruby rt rp li tr td th s strike summary details"
)
_ATTRIBUTES = {
    "a": "href",
    "img": "src longdesc",
    "div": "itemscope itemtype",
    "blockquote": "cite",
    "del": "cite",
    "ins": "cite",
    "q": "cite",
    "*": "abbr accept accept-charset accesskey action align alt axis border cellpadding cellspacing char charoff"
    " charset checked clear cols colspan color compact coords datetime dir disabled enctype for frame headers"
    " height hreflang hspace ismap label lang maxlength media method multiple name nohref noshade nowrap open"
    " prompt readonly rel rev rows rowspan rules scope selected shape size span start summary tabindex target"
    " title type usemap valign value vspace width itemprop",
}
_SCHEMES = {"http", "https", "mailto"}

_STYLE = """
body { margin: 0; background: #fff; color: #1f2328; font: 16px/1.5 "Noto Sans CJK SC", "Noto Sans", sans-serif;
  overflow-wrap: break-word }
main { max-width: 896px; margin: 24px auto; padding: 32px; border: 1px solid #d1d9e0; border-radius: 6px }
@media (max-width: 700px) { main { margin: 0; padding: 16px; border: 0 } }
h1, h2, h3, h4 { margin: 24px 0 16px; line-height: 1.25; font-weight: 600 }
main > :first-child { margin-top: 0 }
h1 { font-size: 2em } h2 { font-size: 1.5em } h3 { font-size: 1.25em } h4 { font-size: 1em }
h1, h2 { padding-bottom: .3em; border-bottom: 1px solid #d1d9e0 }
p, ul, ol, table, blockquote, pre { margin: 0 0 16px } ul, ol { padding-left: 2em } li + li { margin-top: .25em }
a { color: #0969da } img { max-width: 100%; box-sizing: content-box; background: #fff }
blockquote { padding: 0 1em; color: #59636e; border-left: .25em solid #d1d9e0 }
hr { height: .25em; padding: 0; margin: 24px 0; background: #d1d9e0; border: 0 }
table { display: block; width: max-content; max-width: 100%; overflow: auto; border-collapse: collapse }
th, td { padding: 6px 13px; border: 1px solid #d1d9e0 } tr:nth-child(2n) { background: #f6f8fa }
code, pre { font-family: monospace, "Noto Sans Mono CJK SC"; font-size: 85%; background: #818b981f; border-radius: 6px }
code { padding: .2em .4em; white-space: break-spaces } pre { padding: 16px; overflow: auto }
pre code { padding: 0; background: none }
"""
"""What GitHub's stylesheet does to a page, as far as it can be seen."""


def rendered(page: str) -> str:
    """A page (Markdown, with HTML in it) as HTML, before anything is taken out."""
    made: str = cmarkgfm.github_flavored_markdown_to_html(page, cmarkgfm.Options.CMARK_OPT_UNSAFE)
    return made


def sanitised(page_html: str) -> str:
    """What the host lets through."""
    return nh3.clean(
        page_html,
        tags=set(_ELEMENTS.split()),
        clean_content_tags={"script"},
        attributes={tag: set(names.split()) for tag, names in _ATTRIBUTES.items()},
        url_schemes=_SCHEMES,
        link_rel=None,
    )


def shown(page: str) -> str:
    """A page as the host shows it."""
    return sanitised(rendered(page))


def document(content: str, *, style: bool = True) -> str:
    """A whole HTML document around ``content``; with ``style`` it looks like GitHub's."""
    sheet = f"<style>{_STYLE}</style>" if style else ""
    icon = '<link rel="icon" href="data:,">'  # else browsers ask for one
    viewport = '<meta name="viewport" content="width=device-width">'
    head = f'<head><meta charset="utf-8">{icon}{viewport}{sheet}</head>'
    return f"<!DOCTYPE html><html>{head}<body><main>{content}</main></body></html>"
