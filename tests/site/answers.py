"""What an outlet answers when it gives no page: for ``SampleSite.set_sequence`` (one address) and ``storm`` (all)."""

from __future__ import annotations

from pathlib import Path

from tests.site import furniture
from tests.site.server import Answer
from tests.site.stories import HOSTS, section_url

_FIXTURES = Path(__file__).parent.parent / "fixtures" / "epochtimes"
_STATION = {"epochtimes": "大纪元", "ntdtv": "新唐人中文电视台在线"}


def gone(status: int = 410) -> Answer:
    """The page is not there: 404 or 410."""
    return Answer(parts=("<!DOCTYPE html><title>404</title><h1>页面不存在</h1>".encode(),), status=status)


def moved(url: str, status: int = 302) -> Answer:
    """The page is at ``url``."""
    return Answer(status=status, headers={"Location": url})


def sent_home(outlet: str) -> Answer:
    """Led to the home page of an outlet, as outlets do with articles that they took back (FACTS A7)."""
    return moved(f"https://{HOSTS[outlet]}/gb/")


def sent_to_list(outlet: str, section: str) -> Answer:
    """Led to the page of a section; it must be one of the world's."""
    return moved(section_url(outlet, section))


def error_page(outlet: str) -> Answer:
    """An error page that says so in words only: its status is 200."""
    if outlet == "epochtimes":
        return Answer(parts=((_FIXTURES / "not-soft-404" / "page.html").read_bytes(),))
    page = (
        '<!DOCTYPE html>\n<html lang="zh-Hans"><head><meta charset="utf-8">'
        f"<title>页面不存在 | {_STATION[outlet]}</title>{furniture.scripts(1)}</head><body><header>"
        f'{furniture.menu(outlet, 1)}</header>\n<div id="content"><div class="page404"><h2>对不起，您要找的页面不存在'
        f'</h2></div><div class="post_hot">{furniture.hot_list(outlet, 1)}</div></div></body></html>\n'
    )
    return Answer(parts=(page.encode(),))


def challenge(outlet: str = "epochtimes", status: int = 200) -> Answer:
    """The page of a protection service that asks whether one is human; such services also say 403 or 503."""
    page = (_FIXTURES / "not-challenge" / "page.html").read_text(encoding="utf-8")
    return Answer(parts=(page.replace(HOSTS["epochtimes"], HOSTS[outlet]).encode(),), status=status)


def forbidden() -> Answer:
    """403: the crawler is banned (FACTS A7)."""
    return Answer(parts=(b"<!DOCTYPE html><h1>403 Forbidden</h1>",), status=403)


def too_many(retry_after: str | int | None = None) -> Answer:
    """429, with or without a Retry-After (seconds or an HTTP date)."""
    return _later(429, retry_after)


def unavailable(retry_after: str | int | None = None) -> Answer:
    """503, with or without a Retry-After (seconds or an HTTP date)."""
    return _later(503, retry_after)


def _later(status: int, retry_after: str | int | None) -> Answer:
    return Answer(status=status, headers={} if retry_after is None else {"Retry-After": str(retry_after)})
