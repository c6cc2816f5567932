"""Feeds: complete or absent, and enough to make the same mirror again."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast
from unittest import mock

import pytest
from scrapy import Spider

from mirror_crawler import feeds
from mirror_crawler.run import Run, feed_parameters
from tests.mirror import Mirror, Reactor, contents, fingerprint, news
from tests.site import SampleSite
from tests.site.changes import edited
from tests.site.world import World
from tests.test_items import ARTICLE, LISTING

SPIDER = cast(Spider, SimpleNamespace(settings={"MIRROR_DATA": "/srv/data"}, crawler=None))


def storage(path: Path, *, overwrite: bool = True) -> feeds.AtomicFileStorage:
    return feeds.AtomicFileStorage(str(path), feed_options={"overwrite": overwrite})


class TestStorage:
    def test_is_absent_until_it_is_whole(self, tmp_path: Path) -> None:
        path = tmp_path / "feeds" / "x" / "articles.jsonl"
        kept = storage(path)
        file = kept.open(SPIDER)
        file.write("一\n".encode())
        file.flush()
        assert not path.exists()
        kept.store(file)
        assert path.read_text(encoding="utf-8") == "一\n"
        assert file.closed
        assert list(path.parent.iterdir()) == [path]

    def test_keeps_the_old_feed_until_then(self, tmp_path: Path) -> None:
        path = tmp_path / "articles.jsonl"
        path.write_bytes(b"old\n")
        kept = storage(path)
        file = kept.open(SPIDER)
        file.write(b"new\n")
        assert path.read_bytes() == b"old\n"
        kept.store(file)
        assert path.read_bytes() == b"new\n"

    def test_starts_anew_over_what_a_kill_left_behind(self, tmp_path: Path) -> None:
        path = tmp_path / "articles.jsonl"
        feeds.unfinished(path).write_bytes(b"half of an earlier feed")
        kept = storage(path)
        kept.store(kept.open(SPIDER))
        assert path.read_bytes() == b""

    def test_is_made_durable_first(self, tmp_path: Path) -> None:
        path = tmp_path / "articles.jsonl"
        kept = storage(path)
        file = kept.open(SPIDER)
        with (
            mock.patch("os.fsync", side_effect=OSError(28, "No space left on device")),
            pytest.raises(OSError, match="space"),
        ):
            kept.store(file)
        file.close()
        assert not path.exists()

    def test_appending_stays_scrapys(self, tmp_path: Path) -> None:
        path = tmp_path / "articles.jsonl"
        path.write_bytes(b"one\n")
        kept = storage(path, overwrite=False)
        file = kept.open(SPIDER)
        file.write(b"two\n")
        kept.store(file)
        assert path.read_bytes() == b"one\ntwo\n"


def test_a_line_is_the_one_form_of_an_item() -> None:
    file = io.BytesIO()
    exporter = feeds.RecordExporter(file, encoding="utf-8", indent=None)
    exporter.export_item(ARTICLE)
    exporter.export_item(LISTING)
    assert file.getvalue().decode() == f"{ARTICLE.to_json()}\n{LISTING.to_json()}\n"


@pytest.mark.parametrize(
    ("name", "run"),
    [
        pytest.param("articles-20261010T000000Z.jsonl", "20261010T000000Z", id="articles"),
        pytest.param("a/b/listings-20261010T000000Z.jsonl", "20261010T000000Z", id="listings"),
        pytest.param("articles-20261010T000000Z.jsonl.gz", "20261010T000000Z", id="packed"),
        pytest.param("articles-20261010T000000Z.jsonl.part", "", id="unfinished"),
        pytest.param("pictures-20261010T000000Z.jsonl", "", id="no feed"),
        pytest.param("all-articles-20261010T000000Z.jsonl", "", id="longer"),
        pytest.param("articles-20261010.jsonl", "", id="a day's export"),
        pytest.param("-", "", id="standard input"),
    ],
)
def test_is_known_by_its_name(name: str, run: str) -> None:
    assert feeds.run_of(Path(name)) == run


class TestWriteFeed:
    def test_lines(self, tmp_path: Path) -> None:
        path = tmp_path / "x" / "articles.jsonl"
        assert feeds.write_feed(path, iter(['{"题": 1}', "{}"])) == 2
        assert path.read_bytes() == '{"题": 1}\n{}\n'.encode()
        assert list(path.parent.iterdir()) == [path]

    def test_no_lines_no_file(self, tmp_path: Path) -> None:
        path = tmp_path / "articles.jsonl"
        assert feeds.write_feed(path, []) == 0
        assert list(tmp_path.iterdir()) == []

    def test_absent_when_the_lines_fail(self, tmp_path: Path) -> None:
        path = tmp_path / "articles.jsonl"

        def lines() -> Iterator[str]:
            yield "{}"
            raise RuntimeError

        with pytest.raises(RuntimeError):
            feeds.write_feed(path, lines())
        assert not path.exists()


def test_names_follow_the_settings(tmp_path: Path) -> None:
    """What finishes a killed run's feeds must find the place where Scrapy would have put them."""
    from mirror_crawler import settings

    run = SimpleNamespace(name="20261010T000000Z")
    with mock.patch.object(Run, "of", return_value=run):
        parameters = feed_parameters({"name": "ntdtv", "time": "x"}, SPIDER)
    assert parameters == {"name": "ntdtv", "time": "x", "data": "/srv/data", "run": "20261010T000000Z"}
    assert [template % parameters for template in settings.FEEDS] == [
        str(feeds.feed_path(Path("/srv/data"), "ntdtv", kind, run.name)) for kind in ("articles", "listings")
    ]
    assert {feeds.run_of(Path(template % parameters)) for template in settings.FEEDS} == {run.name}


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory, reactor: Reactor) -> Iterator[Mirror]:
    """Two runs of an outlet, and one of the other: the second brings what was published between what the first did."""
    stories = news("epochtimes", 120)
    early, late = stories[::2], stories[1::2]
    with SampleSite(World(early)) as site:
        mirror = Mirror(tmp_path_factory.mktemp("feeds"), site, reactor)
        lists = {"section": "nsc413", "tag": "渡轮,5g", "pages": "all"}
        assert mirror.crawl("epochtimes", **lists).faults == []
        site.serve(World([edited(early[3], title="换了标题"), *early[:3], *early[4:], *late, *news("ntdtv", 8)]))
        assert mirror.crawl("ntdtv", section="prog204").faults == []
        assert mirror.crawl("epochtimes", **lists).faults == []
        with mirror.store() as store:
            assert store.list_size("epochtimes", "section", "nsc413") == 120
        yield mirror


@pytest.mark.untraced
@pytest.mark.parametrize("backwards", [False, True], ids=["as a shell names them", "the other way round"])
def test_restore_the_tree_that_the_crawls_made(crawled: Mirror, tmp_path: Path, backwards: bool) -> None:
    files = sorted(map(str, crawled.feed_files()), reverse=backwards)
    other = {"MIRROR_DATA": str(tmp_path / "data")}
    assert crawled.ask("import", *files, settings=other) == 0
    assert crawled.ask("render", "--output", str(tmp_path / "tree"), settings=other) == 0
    assert fingerprint(contents(tmp_path / "tree")) == fingerprint(crawled.files())
