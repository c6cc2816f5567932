"""No request leaves the outlet's own hosts."""

from __future__ import annotations

import pytest

from tests.mirror import Mirror, news
from tests.site import Answer, SampleSite
from tests.site.world import list_address

ROBOTS = "https://www.epochtimes.com/robots.txt"
FIRST = news("epochtimes", 1)[0]


class TestOutletHostsOnly:
    @pytest.mark.untraced
    @pytest.mark.parametrize(
        "target",
        [
            pytest.param("https://evil.example/gb/26/4/30/n14800000.htm", id="foreign"),
            pytest.param("https://www.ntdtv.com/gb/2026/05/01/a104110000.html", id="the-other-outlet"),
            pytest.param("https://www.epochtimes.com.evil.example/", id="look-alike"),
            pytest.param("https://www.epochtimes.com:8443/gb/", id="port"),
            pytest.param("https://user@www.epochtimes.com/gb/", id="user-information"),
            pytest.param("file:///etc/passwd", id="file"),
        ],
    )
    @pytest.mark.parametrize("retried", [False, True], ids=["at-once", "after-500"])
    def test_a_redirect_leads_nowhere_else(self, mirror: Mirror, site: SampleSite, target: str, retried: bool) -> None:
        """Scrapy's own middleware lets retried requests pass, and with them their redirects."""
        redirect = Answer(status=302, headers={"Location": target})
        site.set_sequence(FIRST.url, *([Answer(status=500)] if retried else []), redirect)
        outcome = mirror.crawl("epochtimes", url=FIRST.url)
        assert set(site.asked()) == {ROBOTS, FIRST.url}
        assert outcome.verdict == "failed"
        assert mirror.articles() == {}

    def test_a_list_that_moved_to_another_host_is_a_fault(self, mirror: Mirror, site: SampleSite) -> None:
        site.set(
            list_address("epochtimes", "section", "nsc413", 1),
            status=301,
            headers={"Location": "https://evil.example/"},
        )
        outcome = mirror.crawl("epochtimes", section="nsc413")
        assert outcome.verdict == "failed"
        assert outcome.stats["requests/foreign_host"] == 1
        cause = "Not a host of the outlet: evil.example: 1"
        assert outcome.faults == [f"1 of 1 lists could not be had ({cause}): https://evil.example/"]

    @pytest.mark.untraced
    def test_a_pager_that_leads_elsewhere_is_not_followed(self, mirror: Mirror, site: SampleSite) -> None:
        first, second = (list_address("epochtimes", "section", "nsc413", page) for page in (1, 2))
        site.set(first, site.page(first).replace(second, "https://evil.example/2.htm"))
        outcome = mirror.crawl("epochtimes", section="nsc413")
        assert (outcome.verdict, outcome.stats["articles/new"]) == ("ok", 5)
        assert {url.split("/")[2] for url in site.asked()} == {"www.epochtimes.com"}
