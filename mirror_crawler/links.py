"""What an article's page links to and shows, as identities: so it is written again when what it lacks arrives."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from html import unescape

from mirror_crawler.addresses import Addresses
from mirror_crawler.items import Article
from mirror_crawler.shelf import picture_target
from mirror_crawler.store import Target

_KEPT = 10_000
_HREF = re.compile(r'<a href="([^"]*)"')


class LinkFinder:
    """Finds what addresses lead to at any of the outlets. Tags recur from article to article, so answers are kept.

    ``most_pictures``: so many of an article's pictures its page shows, when they are the mirror's own.
    """

    def __init__(self, outlets: Mapping[str, Addresses], most_pictures: int = 30) -> None:
        self.outlets = outlets
        self.most_pictures = most_pictures
        self.find = functools.lru_cache(maxsize=_KEPT)(self._find)
        """``find(href)``: the target of an absolute address, None when it is no article or list of an outlet."""

    def _find(self, href: str) -> Target | None:
        for outlet, addresses in self.outlets.items():
            if (found := addresses.find_target(href)) is not None:
                return Target(outlet, *found)
        return None

    def targets_of(self, article: Article) -> set[Target]:
        """What the page of ``article`` links to if the mirror holds it: body links, its section, its tags."""
        targets = {self.find(href) for href in body_links(article.body_html)}
        targets |= {Target(article.outlet, "tag", tag) for tag in article.tags}
        if article.section:
            targets.add(Target(article.outlet, "section", article.section.id))
        own = Target(article.outlet, "article", article.article_id)
        return {target for target in targets if target is not None and target != own}

    def pictures_of(self, article: Article) -> list[str]:
        """The addresses of the pictures of ``article`` that lie at its outlet's hosts, each once, the lead first; all
        of them where the project does not know the outlet any more.
        """
        addresses = self.outlets.get(article.outlet)
        shown = [article.lead_image, *article.images] if article.lead_image else article.images
        urls = dict.fromkeys(image.url for image in shown)
        return [url for url in urls if addresses is None or addresses.picture_url(url)]

    def pictures_shown(self, article: Article) -> list[str]:
        """:meth:`pictures_of`, as many as the page of ``article`` shows."""
        return self.pictures_of(article)[: self.most_pictures]

    def ties_of(self, article: Article) -> set[Target]:
        """All that the page of ``article`` depends on: :meth:`targets_of` and pictures, as many as it shows."""
        return self.targets_of(article) | set(map(picture_target, self.pictures_shown(article)))


def body_links(body_html: str) -> list[str]:
    """The addresses that a body in the closed vocabulary links to, each once, in order."""
    return list(dict.fromkeys(unescape(href) for href in _HREF.findall(body_html)))
