"""Which proxy an outlet is asked through, and that nobody reads its password."""

from __future__ import annotations

import base64
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from mirror_crawler import pace
from mirror_crawler.config import SettingError
from mirror_crawler.proxy import check_proxies, proxy_of
from tests.mirror import Mirror, news
from tests.site import Answer, SampleSite, server
from tests.site.world import World

FIRST = news("epochtimes", 1)[0].url
ROBOTS = "https://www.epochtimes.com/robots.txt"
OURS, ALL = "http://ours.example:3128", "http://all.example:3128"
SECRET = "geheim"


class TestProxyOf:
    @pytest.mark.parametrize(
        ("settings", "address"),
        [
            pytest.param({}, "", id="none"),
            pytest.param({"MIRROR_PROXY": ""}, "", id="empty"),
            pytest.param({"MIRROR_PROXY": ALL}, ALL, id="for-all"),
            pytest.param({"MIRROR_PROXY_NTDTV": OURS}, OURS, id="for-this-one"),
            pytest.param({"MIRROR_PROXY_NTDTV": OURS, "MIRROR_PROXY": ALL}, OURS, id="this-one-first"),
            pytest.param({"MIRROR_PROXY_NTDTV": "", "MIRROR_PROXY": ALL}, ALL, id="empty-for-this-one"),
            pytest.param({"MIRROR_PROXY_EPOCHTIMES": OURS}, "", id="for-another"),
            pytest.param({"MIRROR_PROXY": f" {ALL} "}, ALL, id="white-space"),
            pytest.param({"MIRROR_PROXY": "http://u:p%40@127.0.0.1:80/"}, "http://u:p%40@127.0.0.1:80/", id="user"),
            pytest.param({"MIRROR_PROXY": "http://[::1]:3128"}, "http://[::1]:3128", id="ipv6"),
            pytest.param({"MIRROR_PROXY": "http://proxy"}, "http://proxy", id="no-port"),
        ],
    )
    def test_is_the_nearest_setting(self, settings: dict[str, str], address: str) -> None:
        assert proxy_of(settings, "ntdtv") == address

    def test_is_read_from_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "proxy").write_text(f"{OURS}\n")
        assert proxy_of({"MIRROR_PROXY": f"@{tmp_path / 'proxy'}"}, "ntdtv") == OURS
        with pytest.raises(SettingError, match="MIRROR_PROXY=@/no/such: cannot read the file"):
            proxy_of({"MIRROR_PROXY": "@/no/such"}, "ntdtv")

    @pytest.mark.parametrize(
        "address",
        [
            pytest.param(f"socks5://u:{SECRET}@host:1080", id="socks"),
            pytest.param(f"https://u:{SECRET}@host:3128", id="https"),
            pytest.param(f"u:{SECRET}@host:3128", id="no-scheme"),
            pytest.param(f"http://u:{SECRET}@:3128", id="no-host"),
            pytest.param(f"http://u:{SECRET}@host:port", id="no-number"),
            pytest.param(f"http://u:{SECRET}@host:0", id="port-0"),
            pytest.param(f"http://u:{SECRET}@host:99999", id="port-too-large"),
            pytest.param(f"http://u:{SECRET}@[::1:3128", id="half-an-address"),
            pytest.param(f"http://u:{SECRET}@host:3128/path", id="path"),
            pytest.param(f"http://u:{SECRET}@host:3128?x", id="query"),
            pytest.param(f"http://u:{SECRET} @host:3128", id="blank"),
            pytest.param(f"http://u:{SECRET}@主机:3128", id="not-ascii"),
        ],
    )
    def test_an_address_that_cannot_be_used_is_refused_unseen(self, address: str) -> None:
        with pytest.raises(SettingError, match=r"^MIRROR_PROXY_NTDTV: .*use the address of an http proxy") as refused:
            proxy_of({"MIRROR_PROXY_NTDTV": address, "MIRROR_PROXY": ALL}, "ntdtv")
        assert SECRET not in str(refused.value)
        assert "\n" not in str(refused.value)

    def test_all_are_checked_before_a_crawl(self) -> None:
        check_proxies({"MIRROR_PROXY": ALL, "MIRROR_PROXY_NTDTV": OURS, "BOT_NAME": "x"}, ["epochtimes", "ntdtv"])
        with pytest.raises(SettingError, match="MIRROR_PROXY_NTDVT: no such outlet; use MIRROR_PROXY or MIRROR_PROXY_"):
            check_proxies({"MIRROR_PROXY_NTDVT": OURS}, ["epochtimes", "ntdtv"])
        with pytest.raises(SettingError, match="MIRROR_PROXY_NTDTV: "):
            check_proxies({"MIRROR_PROXY_NTDTV": "socks5://host:1080"}, ["epochtimes", "ntdtv"])


class TestOutletProxy:
    @pytest.fixture
    def other(self, world: World) -> Iterator[SampleSite]:
        """A second proxy; the environment names the first."""
        with SampleSite(world) as running:
            yield running

    @pytest.mark.untraced
    @pytest.mark.parametrize("name", ["MIRROR_PROXY", "MIRROR_PROXY_EPOCHTIMES"])
    def test_everything_goes_through_it(self, mirror: Mirror, site: SampleSite, other: SampleSite, name: str) -> None:
        outcome = mirror.crawl("epochtimes", {name: other.proxy}, section="nsc413")
        assert (outcome.verdict, outcome.stats["articles/new"]) == ("ok", 12)
        assert other.asked(ROBOTS) == [ROBOTS]
        assert site.requests == []

    def test_another_outlets_is_not_used(self, mirror: Mirror, site: SampleSite, other: SampleSite) -> None:
        assert mirror.crawl("epochtimes", {"MIRROR_PROXY_NTDTV": other.proxy}, url=FIRST).verdict == "ok"
        assert site.asked() == [ROBOTS, FIRST]
        assert other.requests == []

    @pytest.mark.untraced
    def test_is_read_from_the_environment(self, mirror: Mirror, site: SampleSite, other: SampleSite) -> None:
        ended = mirror.command("crawl", "epochtimes", "-a", f"url={FIRST}", MIRROR_PROXY_EPOCHTIMES=other.proxy)
        assert ended.returncode == 0, ended.stderr
        assert other.asked() == [ROBOTS, FIRST]
        assert site.requests == []

    @pytest.mark.parametrize("name", ["MIRROR_PROXY", "MIRROR_PROXY_NTDVT"])
    def test_one_that_cannot_be_used_is_refused_before_any_request(
        self, mirror: Mirror, site: SampleSite, capsys: pytest.CaptureFixture[str], name: str
    ) -> None:
        settings = {name: f"socks5://u:{SECRET}@127.0.0.1:1"}
        assert mirror.ask("crawl", "epochtimes", settings=settings) == 2
        said = capsys.readouterr().err
        assert said.startswith(f"scrapy crawl: {name}: ")
        assert said.count("\n") == 1
        assert SECRET not in said
        assert site.requests == []

    @pytest.mark.untraced
    def test_credentials_are_for_the_proxy_only(
        self,
        mirror: Mirror,
        other: SampleSite,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        """They are sent for robots.txt, for pages and for what is asked for again."""
        monkeypatch.setattr(pace, "BROKEN_REST", 0.0)
        caplog.set_level(logging.DEBUG)
        offered = []
        real = server._Connection._tunnel

        def noted(connection: server._Connection, target: str, headers: dict[str, str]) -> None:
            offered.append(headers.get("proxy-authorization"))
            real(connection, target, headers)

        monkeypatch.setattr(server._Connection, "_tunnel", noted)
        again = Answer(status=503, headers={"Connection": "close"})
        other.set_sequence(FIRST, again, again, Answer(parts=news("epochtimes", 1)[0].page))
        outcome = mirror.crawl(
            "epochtimes", {"MIRROR_PROXY": other.proxy.replace("//", f"//wang:{SECRET}%40@")}, url=FIRST
        )
        assert outcome.verdict == "ok"
        word = base64.b64encode(f"wang:{SECRET}@".encode()).decode()
        assert set(offered) == {f"Basic {word}"}
        assert not any("proxy-authorization" in request.headers for request in other.requests)
        said = caplog.text + "".join(capfd.readouterr()) + str(outcome)
        assert SECRET not in said
        assert word not in said

    def test_one_that_is_down_is_named_without_credentials(
        self, mirror: Mirror, site: SampleSite, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
    ) -> None:
        caplog.set_level(logging.DEBUG)
        outcome = mirror.crawl("epochtimes", {"MIRROR_PROXY": f"http://wang:{SECRET}@127.0.0.1:1"}, url=FIRST)
        assert outcome.verdict == "failed"
        assert SECRET not in caplog.text + "".join(capfd.readouterr()) + str(outcome)
        assert site.requests == []
