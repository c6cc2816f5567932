"""``scrapy publish``, and crawls that publish at their end."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from mirror_crawler.commands.publish import Command
from mirror_crawler.feeds import AtomicFileStorage
from mirror_crawler.git import GitError
from mirror_crawler.publish import Publisher
from tests.mirror import SECTION, Mirror, Reactor, news
from tests.repositories import bare, files, refuse, subjects, tip
from tests.site import SampleSite
from tests.site.changes import body_renamed
from tests.site.world import World

SECRET = "glpat-4f1c-top-secret"


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory, reactor: Reactor) -> Iterator[Mirror]:
    """A crawled mirror that was published to ``a.git`` beside it; tests leave it as it is."""
    with SampleSite(World(news("epochtimes", 6))) as site:
        mirror = Mirror(tmp_path_factory.mktemp("publish"), site, reactor)
        settings = {"MIRROR_PUBLISH": "1", "MIRROR_REMOTES": str(bare(mirror.root / "a.git"))}
        outcome = mirror.crawl("epochtimes", settings, section=SECTION["epochtimes"])
        assert (outcome.verdict, outcome.faults) == ("ok", [])
        assert (outcome.stats["publish/commits"], outcome.stats["publish/reached"]) == (1, 1)
        yield mirror


def remotes(*places: object) -> dict[str, str]:
    return {"MIRROR_REMOTES": " ".join(map(str, places))}


class TestCrawl:
    def test_publishes_the_tree(self, crawled: Mirror) -> None:
        host = crawled.root / "a.git"
        assert files(host) == crawled.files()
        assert subjects(host)[-1] == "Publish 11 pages: 11 new"

    @pytest.mark.untraced
    def test_a_remote_that_did_not_get_it_degrades_the_run(self, mirror: Mirror, tmp_path: Path) -> None:
        host = bare(tmp_path / "a.git")
        words = ("crawl", "epochtimes", "-a", "section=nsc413", "-L", "DEBUG")
        hosts = f"{host} http://me:{SECRET}@127.0.0.1:9/m.git"
        asked = mirror.command(*words, MIRROR_PUBLISH="1", MIRROR_REMOTES=hosts)
        assert asked.returncode == 4  # a new mirror does not begin before it has asked both
        assert "  ! not published: http://127.0.0.1:9/m.git: unreachable (fatal: unable to access" in asked.stderr
        assert f"  ! not published: {host}: waiting" in asked.stderr
        said = (asked.stdout + asked.stderr).encode()
        written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
        assert SECRET.encode() not in b"".join([said, *written])
        # The next one brings what this one could not, with nothing new at the outlet.
        outcome = mirror.crawl("epochtimes", {"MIRROR_PUBLISH": "1", **remotes(host)}, section="nsc413")
        assert (outcome.verdict, outcome.stats["publish/commits"]) == ("ok", 1)
        assert files(host) == mirror.files()
        report = mirror.crawl("epochtimes", {"MIRROR_PUBLISH": "1", **remotes(host)}, section="nsc413")
        assert "publish/commits" not in report.stats
        assert len(subjects(host)) == 1
        # Never what a run brought that failed.
        mirror.site.serve(body_renamed(World(news("epochtimes", 24)), "epochtimes"))
        failed = mirror.crawl("epochtimes", {"MIRROR_PUBLISH": "1", **remotes(host)}, section="nsc413")
        assert failed.verdict == "failed"
        assert "publish/reached" not in failed.stats

    @pytest.mark.parametrize("error", [GitError("git fast-import: fatal: no room"), OSError(28, "No space left")])
    def test_a_commit_that_fails_degrades_the_run(
        self, crawled: Mirror, monkeypatch: pytest.MonkeyPatch, error: Exception
    ) -> None:
        monkeypatch.setattr(Publisher, "publish", mock.Mock(side_effect=error))
        outcome = crawled.crawl("epochtimes", {"MIRROR_PUBLISH": "1"}, section=SECTION["epochtimes"])
        assert (outcome.verdict, outcome.faults) == ("degraded", [f"not published: {error}"])

    def test_not_when_a_feed_could_not_be_stored(
        self, crawled: Mirror, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        publish = mock.Mock()
        monkeypatch.setattr(Publisher, "publish", publish)
        monkeypatch.setattr(AtomicFileStorage, "store", mock.Mock(side_effect=OSError(28, "No space left")))
        feeds = {f"{tmp_path}/feed.jsonl": {"format": "records", "store_empty": True}}
        outcome = crawled.crawl("epochtimes", {"MIRROR_PUBLISH": "1", "FEEDS": feeds}, section=SECTION["epochtimes"])
        assert outcome.faults == ["a feed could not be stored; the next run will write it"]
        publish.assert_not_called()

    def test_not_unless_asked_to(self, crawled: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Publisher, "publish", mock.Mock(side_effect=AssertionError))
        settings = remotes(crawled.root / "a.git")
        assert crawled.crawl("epochtimes", settings, section=SECTION["epochtimes"]).verdict == "ok"

    def test_without_git_no_request_is_sent(
        self, crawled: Mirror, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        assert crawled.ask("crawl", "epochtimes", settings={"MIRROR_PUBLISH": "1"}) == 2
        assert capsys.readouterr().err.startswith("scrapy crawl: git is not installed; install it")


class TestCommand:
    def test_everything_everywhere(self, crawled: Mirror, capsys: pytest.CaptureFixture[str]) -> None:
        host = crawled.root / "a.git"
        assert crawled.ask("publish", settings=remotes(host)) == 0
        assert capsys.readouterr() == ("", f"Nothing has changed\n{host}: up to date\n")

    @pytest.mark.untraced
    def test_what_is_missing_is_said_and_tried_again(
        self, crawled: Mirror, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        refusing, late = bare(tmp_path / "refusing.git"), tmp_path / "late.git"
        refuse(refusing, "quota")
        hosts = remotes(refusing, late, crawled.root / "a.git")
        assert crawled.ask("publish", settings=hosts) == 1
        out, err = capsys.readouterr()
        first, second = out.splitlines()
        assert first == f"{refusing}: refused ([remote rejected] (pre-receive hook declined): remote: quota)"
        assert second.startswith(f"{late}: unreachable (fatal: ")
        assert err == f"Nothing has changed\n{crawled.root / 'a.git'}: up to date\n"
        (refusing / "hooks" / "pre-receive").unlink()
        bare(late)
        assert crawled.ask("publish", settings=hosts) == 0
        assert capsys.readouterr().out == ""
        assert tip(refusing) == tip(late) == tip(crawled.root / "a.git")

    def test_without_remotes_it_commits(self, crawled: Mirror, capsys: pytest.CaptureFixture[str]) -> None:
        by_hand = crawled.output / "LICENSE"
        by_hand.write_text("free", encoding="utf-8")
        assert crawled.ask("publish") == 0
        assert capsys.readouterr().err == "Nothing has changed\n"
        assert crawled.ask("publish", "--all") == 0
        assert capsys.readouterr().err == "Publish 1 file\n"
        by_hand.unlink()
        assert crawled.ask("publish", "--all") == 0
        assert files(crawled.data / "publish" / "1.git") == crawled.files()

    def test_other_output(self, crawled: Mirror, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (tmp_path / "tree").mkdir()
        settings = {"MIRROR_DATA": str(tmp_path / "data")}
        assert crawled.ask("publish", "--output", str(tmp_path / "tree"), settings=settings) == 0
        assert capsys.readouterr().err == "Nothing has changed\n"

    def test_a_store_named_by_mistake_publishes_nothing(
        self, crawled: Mirror, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        host = crawled.root / "a.git"
        before = tip(host)
        settings = remotes(host) | {"MIRROR_DATA": str(tmp_path / "typo")}
        assert crawled.ask("publish", settings=settings) == 1
        out, err = capsys.readouterr()
        assert (out, err.count("\n")) == ("", 1)
        assert err.startswith(
            f"scrapy publish: MIRROR_DATA={tmp_path}/typo: the store has no article, though the tree "
        )
        assert tip(host) == before

    def test_an_output_named_by_mistake_empties_no_remote(
        self, crawled: Mirror, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        host = crawled.root / "a.git"
        assert crawled.ask("publish", settings=remotes(host)) == 0
        before = tip(host)
        capsys.readouterr()
        assert crawled.ask("publish", "--output", str(tmp_path / "typo"), settings=remotes(host)) == 1
        out, err = capsys.readouterr()
        assert (out, err.startswith(f"scrapy publish: MIRROR_OUTPUT: {tmp_path}/typo has no home page")) == ("", True)
        assert tip(host) == before
        assert crawled.ask("publish", settings=remotes(host)) == 0
        assert tip(host) == before

    @pytest.mark.untraced
    def test_the_real_command(self, crawled: Mirror) -> None:
        ended = crawled.command("publish", MIRROR_REMOTES=f"http://me:{SECRET}@127.0.0.1:9/m.git")
        assert (ended.returncode, ended.stderr) == (1, "Nothing has changed\n")
        assert ended.stdout.startswith("http://127.0.0.1:9/m.git: unreachable (fatal: unable to access")
        assert SECRET not in ended.stdout

    @pytest.mark.parametrize(
        ("words", "settings", "said"),
        [
            pytest.param(["extra"], {}, "unknown argument 'extra'", id="argument"),
            pytest.param(
                [], {"MIRROR_REMOTES": f"ftp://{SECRET}@h/m"}, "MIRROR_REMOTES: address 1: must", id="remotes"
            ),
            pytest.param([], {"MIRROR_GIT_BRANCH": "a..b"}, "MIRROR_GIT_BRANCH: must be the name", id="branch"),
            pytest.param([], {"MIRROR_GIT_AUTHOR": "me"}, "MIRROR_GIT_AUTHOR: must be a name and", id="author"),
            pytest.param([], {"MIRROR_PUSH_SECONDS": "0"}, "MIRROR_PUSH_SECONDS=0: use a whole number", id="seconds"),
            pytest.param([], {"MIRROR_PUBLISH": "yes"}, "MIRROR_PUBLISH=yes: use 0 or 1", id="publish"),
            pytest.param([], {"MIRROR_DB": "x"}, "MIRROR_DB", id="store"),
        ],
    )
    def test_misuse_is_one_line(
        self, crawled: Mirror, capsys: pytest.CaptureFixture[str], words: list[str], settings: dict[str, Any], said: str
    ) -> None:
        assert crawled.ask("publish", *words, settings=settings) == 2
        out, err = capsys.readouterr()
        assert err.startswith(f"scrapy publish: {said}")
        assert (out, err.count("\n"), SECRET in err) == ("", 1, False)

    def test_no_git_is_one_line(
        self, crawled: Mirror, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        assert crawled.ask("publish") == 1
        assert capsys.readouterr().err.startswith("scrapy publish: git is not installed; install it")

    def test_a_tree_that_cannot_be_read_is_one_line(
        self, crawled: Mirror, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        error = PermissionError(13, "Permission denied", "/srv/output")
        monkeypatch.setattr(Publisher, "publish", mock.Mock(side_effect=error))
        assert crawled.ask("publish") == 1
        assert capsys.readouterr().err.startswith("scrapy publish: /srv/output: Permission denied; make it")

    def test_only_for_scrapys_command_line(self) -> None:
        with pytest.raises(RuntimeError):
            Command().run([], argparse.Namespace())
        assert Command().short_desc()
