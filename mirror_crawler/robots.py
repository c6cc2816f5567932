"""What an outlet's robots.txt says: what may be fetched, and how fast."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, cast

from protego import Protego
from scrapy import Request, signals
from scrapy.downloadermiddlewares.robotstxt import RobotsTxtMiddleware
from scrapy.exceptions import IgnoreRequest
from scrapy.extensions.throttle import AutoThrottle
from scrapy.http import Response
from scrapy.utils.httpobj import urlparse_cached
from scrapy.utils.misc import build_from_crawler
from twisted.internet.defer import Deferred

from mirror_crawler.ending import RunEndedError
from mirror_crawler.run import PICTURE, Run

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.robotstxt import RobotParser

    from mirror_crawler.outlet import OutletSpider

logger = logging.getLogger(__name__)

LONGEST_DELAY = 600.0
"""Seconds; an outlet that asks for more between two requests gets this, or a run would not end within its hour."""
_PICTURES_WAIT = 30
"""Seconds for the robots.txt of a host of pictures: the requests that wait for it take the place of others."""


def is_robotstxt(request: Request) -> bool:
    """Whether a request is the crawl's own for a robots.txt."""
    return bool(request.meta.get("dont_obey_robotstxt"))


def pictures_slot(outlet: str) -> str:
    """The downloader's slot for an outlet's pictures, which other hosts serve than its pages."""
    return f"{outlet}.pictures"


def asked_delay(rules: RobotParser, user_agent: str) -> float:
    """The seconds that ``rules`` want between two requests of ours (Crawl-delay, Request-rate); 0.0 if they do not say.

    A Request-rate for some hours of the day is taken for all of them.
    """
    delay = rules.crawl_delay(user_agent) or 0.0
    parsed = getattr(rules, "rp", None)
    if isinstance(parsed, Protego) and (rate := parsed.request_rate(user_agent)) is not None:
        delay = max(delay, rate.seconds / rate.requests)
    return delay


class RobotsTxt(RobotsTxtMiddleware):
    """Scrapy's robots.txt check, mended in three ways.

    Of several requests that wait for one robots.txt, Scrapy 2.14 to 2.19 gives the parsed file to the first only and
    lets the others through unchecked. It takes any answer for rules, and none for leave to fetch everything: here
    HTTP 4xx means that there are no rules (RFC 9309 2.3.1.3), and where the file cannot be had nothing is fetched
    (2.3.1.4). And it leaves it to others to go as slowly as the file asks: here the whole outlet does.

    Hosts that serve nothing but pictures are judged for themselves: what they say is no matter of the outlet.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        # Of a file that cannot be had it shows where in its own code; _robots_error tells all in one line.
        logging.getLogger(RobotsTxtMiddleware.__module__).setLevel(logging.CRITICAL)
        self._delays: dict[str, float] = {}
        crawler.signals.connect(self._slow_down, signals.robots_parsed)

    async def process_request(self, request: Request) -> None:  # type: ignore[override]  # without what is deprecated
        """Check a request; that for a robots.txt itself takes its turn among the outlet's others, or its pictures."""
        if is_robotstxt(request):
            host = urlparse_cached(request).netloc
            request.meta["download_slot"] = self._slots(host)[0]
            if not self._is_of_pages(host):
                pictures = {PICTURE: request.url, "dont_retry": True, "autothrottle_dont_adjust_delay": True}
                request.meta.update(pictures, download_timeout=_PICTURES_WAIT)
        await super().process_request(request)

    async def robot_parser(self, request: Request) -> RobotParser | None:
        """The rules of the request's host, None when it has none. RunEndedError when the run is being ended: a file
        that was not sent for must not be taken for one that forbids.
        """
        parser = await super().robot_parser(request)
        if Run.of(self.crawler).ending:
            raise RunEndedError
        if parser is None:
            waited = self._parsers.get(urlparse_cached(request).netloc)
            parser = None if isinstance(waited, Deferred) else waited
        return parser

    @property
    def _outlet(self) -> str:
        return self.crawler.spider.name if self.crawler.spider else ""

    def _is_of_pages(self, host: str) -> bool:
        return host in cast("OutletSpider", self.crawler.spider).addresses.hosts

    def _slots(self, host: str) -> list[str]:
        """The downloader's slots in which a host is asked; its pages may show pictures of its own."""
        slots = [self._outlet, pictures_slot(self._outlet)]
        return slots if self._is_of_pages(host) else slots[1:]

    async def _parse_robots(self, response: Response, netloc: str, request: Request) -> None:
        if 400 <= response.status < 500:
            response = response.replace(body=b"")
        elif not 200 <= response.status < 300:
            raise IgnoreRequest(f"HTTP {response.status}")  # Scrapy logs other exceptions with their traceback
        await super()._parse_robots(response, netloc, request)

    def _robots_error(self, exc: Exception, netloc: str) -> None:
        cause = str(exc) if isinstance(exc, IgnoreRequest) else type(exc).__name__
        run = Run.of(self.crawler)
        run.count(f"robotstxt/exception_count/{type(exc)}")
        message = f"robots.txt of {netloc}: {cause}; nothing is fetched from there until it can be read"
        if isinstance(exc, RunEndedError):
            logger.info("%s", message)
        elif self._is_of_pages(netloc):
            run.problem(message)
        else:
            logger.warning("%s", message)
        waited = self._parsers[netloc]
        nothing: RobotParser = build_from_crawler(self._parserimpl, self.crawler, b"User-agent: *\nDisallow: /")
        self._parsers[netloc] = nothing
        cast("Deferred[RobotParser | None]", waited).callback(nothing)

    def _slow_down(self, robotparser: RobotParser, request: Request) -> None:
        """Keep the outlet's requests as far apart as a robots.txt asks, before the first that waited for it is sent.

        All hosts of an outlet are one slot, so the slowest of them sets its pace; those of its pictures are another.
        """
        asked = asked_delay(robotparser, self._robotstxt_useragent or self._default_useragent)
        delay = min(asked, LONGEST_DELAY)
        host = urlparse_cached(request).netloc
        slots = [slot for slot in self._slots(host) if delay > self._delays.get(slot, 0.0)]
        if not slots:
            return
        self._delays.update(dict.fromkeys(slots, delay))
        if asked > delay:
            logger.warning("robots.txt of %s asks for %.6g s between requests; taken as %.6g s", host, asked, delay)
        else:
            logger.info("robots.txt of %s asks for %.6g s between requests", host, asked)
        if self._outlet in slots:
            self._stats.set_value("robotstxt/crawl_delay", delay)
        for slot in slots:
            space_out(self.crawler, slot, delay, throttled=slot == self._outlet)


def space_out(crawler: Crawler, name: str, delay: float, *, throttled: bool = True) -> None:
    """Never send two requests of the downloader's slot ``name`` within ``delay`` seconds. A longer delay stays.

    Neither AutoThrottle, if the slot is ``throttled`` by it, nor the random part of the delay gets below it.
    """
    downloader = crawler.engine.downloader
    throttle = crawler.get_extension(AutoThrottle) if throttled else None
    stated = downloader.per_slot_settings.get(name, {})
    start = shortest = max(delay, stated.get("delay", crawler.settings.getfloat("DOWNLOAD_DELAY")))
    if throttle is not None:
        throttle.mindelay = shortest = max(delay, throttle.mindelay)
        throttle.maxdelay = max(delay, throttle.maxdelay)
        start = max(start, crawler.settings.getfloat("AUTOTHROTTLE_START_DELAY"))
    jitter = min(stated.get("jitter", crawler.settings.getfloat("DOWNLOAD_DELAY_JITTER")), 1 - delay / shortest)
    # Scrapy forgets a slot that was idle for a minute, and makes it anew from these.
    downloader.per_slot_settings[name] = {**stated, "delay": start, "jitter": jitter}
    if (slot := downloader.slots.get(name)) is not None:
        slot.delay, slot.jitter = max(slot.delay, delay), min(slot.jitter, jitter)
