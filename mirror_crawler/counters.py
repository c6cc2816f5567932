"""The counters of a crawl, ours and Scrapy's; docs/operations.md lists them."""

from __future__ import annotations

from scrapy.statscollectors import MemoryStatsCollector


class Counters(MemoryStatsCollector):
    """Scrapy's own (setting STATS_CLASS), without its look for a deprecated argument at every use of an attribute: some
    forty counts belong to a page, and that look was most of what they cost.
    """

    __getattribute__ = object.__getattribute__
