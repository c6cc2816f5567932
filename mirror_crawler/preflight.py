"""What every crawl needs, checked before its first request: outlet, arguments, settings, directories, theme, store.

``scrapy crawl`` checks what it was asked for, ``scrapy schedule`` each of its entries. Scrapy's own settings are
checked before: see scrapy_settings.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from mirror_crawler import git
from mirror_crawler.arguments import ArgumentError
from mirror_crawler.browser import check_splash
from mirror_crawler.config import MirrorConfig, SettingError
from mirror_crawler.git import GitError
from mirror_crawler.proxy import check_proxies
from mirror_crawler.store import ArticleStore, StoreError

if TYPE_CHECKING:
    from scrapy.settings import BaseSettings

    from mirror_crawler.outlet import OutletSpider

REFUSALS = (ArgumentError, GitError, SettingError, StoreError)
"""What the checks raise. The message is one line that names what cannot be used and the mend."""


def check_crawl(
    settings: BaseSettings,
    outlets: Mapping[str, type[OutletSpider]],
    outlet: str,
    arguments: Mapping[str, str],
) -> None:
    """One of :data:`REFUSALS` when no crawl of ``outlet`` with these arguments and settings could begin.

    Makes the directories and the store.
    """
    plan = outlets[outlet].read_plan(arguments)
    check_proxies(settings, outlets)
    config = MirrorConfig.from_settings(settings)
    check_splash(settings, outlet, outlets[outlet].rendered_in(plan, config.render))
    config.prepare()
    config.renderer()
    if config.publishes:
        git.check_installed()
    ArticleStore(config.database).close()
