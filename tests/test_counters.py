"""The counters of a crawl."""

from __future__ import annotations

from scrapy.statscollectors import MemoryStatsCollector
from scrapy.utils.test import get_crawler

from mirror_crawler.counters import Counters


def test_count_as_scrapys_own_do() -> None:
    crawler = get_crawler()
    told = []
    for kind in (Counters, MemoryStatsCollector):
        stats = kind(crawler)
        stats.open_spider()
        stats.set_value("a", 1)
        stats.inc_value("a")
        stats.inc_value("b", 3, start=2)
        stats.max_value("b", 4)
        stats.min_value("c", 5)
        stats.close_spider(reason="finished")
        told.append((stats.get_stats(), stats.get_value("a"), stats.get_value("d", 0)))
    assert told == [({"a": 2, "b": 5, "c": 5}, 2, 0)] * 2
