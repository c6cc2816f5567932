"""``scrapy export``, ``scrapy import`` and the reading of records: what was written comes back, and nothing else."""

import argparse
import contextlib
import gzip
import importlib
import io
import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from scrapy.commands import ScrapyCommand
from scrapy.exceptions import UsageError
from scrapy.settings import Settings

from mirror_crawler import feeds
from mirror_crawler.database import Database
from mirror_crawler.items import Article, Embed, Image, Picture, Volume, content_hash
from mirror_crawler.store import ArticleStore
from tests.test_store import LATER, NEXT, OTHER, OUTLET, RUN, SEEN, article, fill, fill_others, listing, withdraw

REPO = Path(__file__).parent.parent


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = Settings()
    made.setmodule("mirror_crawler.settings")
    made.set("MIRROR_DATA", str(tmp_path / "data"))
    made.set("MIRROR_DB", "")
    return made


def store_of(settings: Settings) -> ArticleStore:
    return ArticleStore(f"sqlite:///{settings['MIRROR_DATA']}/mirror.db")


def run(name: str, settings: Settings, *words: str) -> int:
    """Run a command as Scrapy's command line does; its exit code."""
    command: ScrapyCommand = importlib.import_module(f"mirror_crawler.commands.{name}").Command()
    command.settings = settings
    parser = argparse.ArgumentParser(conflict_handler="resolve")
    command.add_options(parser)
    options, arguments = parser.parse_known_args(list(words))
    command.process_options(arguments, options)
    command.run(arguments, options)
    return command.exitcode


@pytest.fixture
def filled(settings: Settings) -> Settings:
    with store_of(settings) as store:
        fill(store, 1000)
    return settings


def other_mirror(tmp_path: Path, settings: Settings) -> Settings:
    made = settings.copy()
    made.set("MIRROR_DATA", str(tmp_path / "other"))
    return made


def come_back(store: ArticleStore, base: int, day: int = 23) -> None:
    """A withdrawn article is there again."""
    store.put_article(article(base + 2, hour=8, fetched_at=f"2026-11-{day}T00:00:00+00:00"), f"202611{day}T000000Z")


def lose(store: ArticleStore, base: int) -> None:
    """Articles are withdrawn: one that had come back, and the current revision of one that was revised."""
    for number in (2, 1):
        withdraw(store, base + number, "2026-11-24T00:00:00+00:00")
    come_back(store, base, 25)
    withdraw(store, base + 2, "2026-11-26T00:00:00+00:00")


def come_back_for_good(store: ArticleStore, base: int) -> None:
    come_back(store, base, 27)


def articles_in(export: Path) -> list[str]:
    return [line for line in export.read_text(encoding="utf-8").splitlines() if '"list_kind"' not in line]


class TestExport:
    def test_writes_every_record(self, filled: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert run("export", filled, "--output", str(tmp_path / "all.jsonl")) == 0
        with store_of(filled) as store:
            lines = list(store.records())
        assert (tmp_path / "all.jsonl").read_text(encoding="utf-8") == "".join(f"{line}\n" for line in lines)
        assert capsys.readouterr().err == f"{len(lines)} records exported\n"

    def test_to_standard_output(self, filled: Settings, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
        assert run("export", filled, "--output", "-", "--outlet", OUTLET) == 0
        printed = capsysbinary.readouterr().out
        assert printed.endswith(b"}\n")
        assert "溪上新桥" in printed.decode()

    @pytest.mark.parametrize("outlet", [OUTLET, OTHER])
    def test_of_one_outlet_of_several(self, filled: Settings, tmp_path: Path, outlet: str) -> None:
        with store_of(filled) as store:
            fill_others(store)
            lines = list(store.records())
        assert run("export", filled, "--output", str(tmp_path / "one.jsonl"), "--outlet", outlet) == 0
        wanted = [line for line in lines if json.loads(line)["outlet"] == outlet]
        assert 0 < len(wanted) < len(lines)
        assert (tmp_path / "one.jsonl").read_text(encoding="utf-8").splitlines() == wanted

    def test_replaces_the_file_whole(self, filled: Settings, tmp_path: Path) -> None:
        target = tmp_path / "all.jsonl"
        target.write_text("old")
        before = target.open()
        run("export", filled, "--output", str(target))
        assert before.read() == "old"
        before.close()
        assert sorted(file.name for file in tmp_path.iterdir()) == ["all.jsonl", "data"]

    @pytest.mark.parametrize(
        ("since", "count"),
        [
            pytest.param("2026-11-23", 1, id="day"),
            pytest.param("2026-11-23T00:00:01", 0, id="time-in-utc"),
            pytest.param("2026-11-23T08:00:00+08:00", 1, id="time-with-offset"),
        ],
    )
    def test_since(self, filled: Settings, tmp_path: Path, since: str, count: int) -> None:
        run("export", filled, "--output", str(tmp_path / "new.jsonl"), "--since", since)
        assert len((tmp_path / "new.jsonl").read_text(encoding="utf-8").splitlines()) == count

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            pytest.param([], "--output FILE is missing", id="no-output"),
            pytest.param(["--output", "-", "extra"], "unknown argument 'extra'", id="extra"),
            pytest.param(["--output", "-", "--since", "gestern"], "--since gestern: use ISO 8601", id="since"),
            pytest.param(["--output", "-", "--outlet", "x"], "--outlet x: .*stored outlets: epochtimes$", id="outlet"),
        ],
    )
    def test_misuse_is_one_line(self, filled: Settings, words: list[str], said: str) -> None:
        with pytest.raises(UsageError, match=said):
            run("export", filled, *words)

    def test_of_an_empty_store(self, settings: Settings, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="stored outlets: none"):
            run("export", settings, "--output", "-", "--outlet", OUTLET)
        assert run("export", settings, "--output", str(tmp_path / "none.jsonl")) == 0
        assert (tmp_path / "none.jsonl").read_bytes() == b""

    @pytest.mark.parametrize("command", [("export", "--output", "-"), ("import", "x")])
    def test_wrong_store_is_one_line(self, settings: Settings, command: tuple[str, ...]) -> None:
        settings.set("MIRROR_DB", "postgresql://host/db")
        with pytest.raises(UsageError, match=r"^MIRROR_DB: databases of kind postgresql are not"):
            run(command[0], settings, *command[1:])

    @pytest.mark.parametrize("command", ["export", "import"])
    def test_only_for_scrapys_command_line(self, command: str) -> None:
        made: ScrapyCommand = importlib.import_module(f"mirror_crawler.commands.{command}").Command()
        with pytest.raises(RuntimeError):
            made.run([], argparse.Namespace())
        assert made.short_desc()
        assert made.syntax()

    def test_output_that_cannot_be_written(
        self, filled: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run("export", filled, "--output", str(tmp_path / "none" / "all.jsonl")) == 1
        assert capsys.readouterr().err.endswith("all.jsonl: No such file or directory\n")

    @pytest.mark.untraced
    def test_reader_that_goes_away(self, filled: Settings) -> None:
        code = (
            "import sys; from scrapy.cmdline import execute; sys.stdout.flush();"
            f"execute(['scrapy', 'export', '--output', '-', '-s', 'MIRROR_DATA={filled['MIRROR_DATA']}'])"
        )
        with subprocess.Popen(
            [sys.executable, "-c", code], cwd=REPO, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as child:
            assert child.stdout is not None
            assert child.stderr is not None
            child.stdout.close()
            said = child.stderr.read()
        assert (child.returncode, said) == (1, "scrapy export: cannot write -: Broken pipe\n")


class TestImport:
    def test_export_import_export_is_the_same_to_the_byte(self, filled: Settings, tmp_path: Path) -> None:
        first, second = tmp_path / "1.jsonl", tmp_path / "2.jsonl"
        run("export", filled, "--output", str(first))
        other = other_mirror(tmp_path, filled)
        assert run("import", other, str(first)) == 0
        run("export", other, "--output", str(second))
        assert first.read_bytes() == second.read_bytes() != b""

    def test_exports_of_several_times_in_any_order(
        self, settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        names = []
        changes: list[Callable[[ArticleStore, int], None]] = [fill, come_back, lose, come_back_for_good]
        with store_of(settings) as store:
            for number, change in enumerate(changes):
                change(store, 1000)
                names.append(str(tmp_path / f"{number}.jsonl"))
                run("export", settings, "--output", names[-1])
        other = other_mirror(tmp_path, settings)
        assert run("import", other, names[2], names[0], names[3], names[1]) == 0
        assert capsys.readouterr().err.endswith("known, 0 broken\n")
        run("export", other, "--output", str(tmp_path / "again.jsonl"))
        assert articles_in(tmp_path / "again.jsonl") == articles_in(Path(names[3]))

    def test_feeds_of_all_runs_are_an_export(self, settings: Settings, tmp_path: Path) -> None:
        """What each run stored, one file after the other: what a run said of a withdrawal is part of it."""
        lines: list[str] = []
        with store_of(settings) as store:
            store.put_article(article(1001), RUN)
            lines += store.run_articles(OUTLET, RUN)
            withdraw(store, 1001)
            lines += store.run_articles(OUTLET, NEXT)
            store.put_article(article(1001, "新题"), "20261123T000000Z")
            lines += store.run_articles(OUTLET, "20261123T000000Z")
            expected = list(store.revisions(OUTLET, "n1001"))
        assert [json.loads(line)["withdrawn_at"] for line in lines] == [None, LATER, None]
        (tmp_path / "feeds.jsonl").write_text("\n".join(lines), encoding="utf-8")
        other = other_mirror(tmp_path, settings)
        assert run("import", other, str(tmp_path / "feeds.jsonl")) == 0
        with store_of(other) as copy:
            assert list(copy.revisions(OUTLET, "n1001")) == expected

    def test_record_without_a_word_of_withdrawal(self, settings: Settings, tmp_path: Path) -> None:
        record = changed(article(1001))
        del record["withdrawn_at"]
        (tmp_path / "a.jsonl").write_text(json.dumps(record), encoding="utf-8")
        assert run("import", settings, str(tmp_path / "a.jsonl")) == 0
        with store_of(settings) as store:
            assert list(store.records()) == [article(1001).to_json()]

    def test_from_standard_input_and_compressed(
        self,
        settings: Settings,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        with gzip.open(tmp_path / "a.jsonl.gz", "wb") as file:
            file.write(article(1001).to_json().encode() + b"\n\n" + article(1002).to_json().encode())
        given = io.TextIOWrapper(io.BytesIO(f"{listing(1001).to_json()}\n{listing(1001).to_json()}\n".encode()))
        monkeypatch.setattr(sys, "stdin", given)
        assert run("import", settings, str(tmp_path / "a.jsonl.gz"), "-") == 0
        assert capsys.readouterr().err == "3 records imported, 1 known, 0 broken\n"
        with store_of(settings) as store:
            assert store.list_size(OUTLET, "section", "nsc413") == 1

    def test_links_are_known_again(self, settings: Settings, tmp_path: Path) -> None:
        body = f'<p>见<a href="{article(1002).url}">前文</a>。</p>'
        (tmp_path / "a.jsonl").write_text(article(1001, body_html=body).to_json(), encoding="utf-8")
        assert run("import", settings, str(tmp_path / "a.jsonl")) == 0
        with store_of(settings) as store:
            store.settle(store.stale(99))
            store.put_article(article(1002), RUN)
            assert store.stale(99) == []
            store.place(OUTLET)
            assert {page.id for page in store.stale(99, ["article"])} == {"n1001", "n1002"}

    def test_what_was_imported_is_held_and_due(self, filled: Settings, tmp_path: Path) -> None:
        run("export", filled, "--output", str(tmp_path / "all.jsonl"))
        other = other_mirror(tmp_path, filled)
        run("import", other, str(tmp_path / "all.jsonl"))
        with store_of(other) as store:
            due = {page[:4] for page in store.stale(999)}
            assert due == {page[:4] for page in store.all_pages()} != set()
            assert {page_id for _, kind, page_id, _ in due if kind == "article"} == {
                f"n{number}" for number in (1001, 1002, 1005, 1006, 1007, 1010)
            }

    def test_broken_lines_are_reported_and_the_rest_goes_in(
        self, settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        good, gap = article(1001).to_json(), article(1002, revision=3).to_json()
        lines = [good, "{", "", gap, article(1004).to_json(), "[]"]
        (tmp_path / "a.jsonl").write_text("\n".join(lines), encoding="utf-8")
        assert run("import", settings, str(tmp_path / "a.jsonl")) == 1
        place = f"{tmp_path}/a.jsonl"
        said = capsys.readouterr().err.splitlines()
        assert sorted(said[:-1]) == [
            f"{place}:2: not JSON: Expecting property name enclosed in double quotes at character 3",
            f"{place}:4: revision 3 of n1002 without revision 1",
            f"{place}:6: not a JSON object",
        ]
        assert said[-1] == "2 records imported, 0 known, 3 broken"
        with store_of(settings) as store:
            assert store.stored(OUTLET, ["n1001", "n1002", "n1004"]) == {"n1001", "n1004"}

    def test_file_that_cannot_be_read(
        self, settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        whole = gzip.compress("".join(f"{article(number).to_json()}\n" for number in range(400)).encode())
        (tmp_path / "half.gz").write_bytes(whole[: len(whole) // 2])
        (tmp_path / "good.jsonl").write_text(article(999).to_json(), encoding="utf-8")
        names = ["none.jsonl", "half.gz", "good.jsonl"]
        assert run("import", settings, *(str(tmp_path / name) for name in names)) == 1
        said = capsys.readouterr().err
        assert "none.jsonl: cannot be read: [Errno 2]" in said
        assert "half.gz: cannot be read" in said
        with store_of(settings) as store:
            assert store.stored(OUTLET, ["n999"]) == {"n999"}

    def test_without_files(self, settings: Settings) -> None:
        with pytest.raises(UsageError, match="name the files to import"):
            run("import", settings)


LAST = "20261122T033717Z"
"""The run after :data:`NEXT`."""
AT_LAST = "2026-11-22T03:37:17+00:00"


def other_article(number: int, hour: int, at: str) -> Article:
    url = f"https://www.ntdtv.com/gb/2021/03/04/a{number}.html"
    return article(number, hour=hour, outlet=OTHER, article_id=f"a{number}", url=url, fetched_at=at)


def crawl(store: ArticleStore, run: str, at: str) -> None:
    """What a run stores, in an order that is not that of publication, and the places that it gives in the end.

    The first stores an article of which a list is only read by the last, and lists one that only the second can store;
    the later two bring what was published between the articles of the first, and one of them again as it reads then.
    """
    number = 1000 + 10 * [RUN, NEXT, LAST].index(run)
    for place, hour in ((1, 18), (2, 8), (3, 12), (4, 15)):
        hour += [RUN, NEXT, LAST].index(run)
        store.put_article(article(number + place, hour=hour, fetched_at=at), run)
        store.put_article(other_article(number + place, hour, at), run)
        if (run, place) != (RUN, 4):
            named = listing(number + place, seen_at=at), listing(number + place, "丙", "tag", seen_at=at)
            store.put_listings(named, run)
    if run == RUN:
        store.put_listing(listing(1015, seen_at=at), run)
    elif run == NEXT:
        store.put_article(article(1015, hour=1, fetched_at=at), run)
        store.put_article(article(1002, "新题", hour=8, fetched_at=at), run)
    else:
        store.put_listings([listing(1004, "甲", "tag", seen_at=at), listing(1004, seen_at=at)], run)
    store.place(OUTLET)
    store.place(OTHER)


@pytest.fixture
def fed(settings: Settings, tmp_path: Path) -> dict[str, list[str]]:
    """The feeds of three runs: run → files; an export of before the last two and one of what the last one brought."""
    names: dict[str, list[str]] = {}
    with store_of(settings) as store:
        for run_name, at in ((RUN, SEEN), (NEXT, LATER), (LAST, AT_LAST)):
            crawl(store, run_name, at)
            for outlet in (OUTLET, OTHER):
                for kind, lines in (("articles", store.run_articles), ("listings", store.run_listings)):
                    path = feeds.feed_path(tmp_path, outlet, kind, run_name)
                    if feeds.write_feed(path, lines(outlet, run_name)):
                        names.setdefault(run_name, []).append(str(path))
            if run_name == RUN:
                run("export", settings, "--output", str(tmp_path / "first.jsonl"))
    run("export", settings, "--output", str(tmp_path / "last.jsonl"), "--since", AT_LAST)
    return names


def records_of(settings: Settings) -> list[str]:
    with store_of(settings) as store:
        return list(store.records())


class TestImportOfFeeds:
    """The places are those that the crawls gave: an export has the lines in their order."""

    def test_in_any_order(self, settings: Settings, fed: dict[str, list[str]], tmp_path: Path) -> None:
        files = [name for names in fed.values() for name in names]
        for number, order in enumerate((files, sorted(files), sorted(files, reverse=True))):
            other = other_mirror(tmp_path / str(number), settings)
            assert run("import", other, *order) == 0
            assert records_of(other) == records_of(settings)

    def test_with_exports_between_them(self, settings: Settings, fed: dict[str, list[str]], tmp_path: Path) -> None:
        """Exports keep their place in the command: what comes later may need them, or they what came before."""
        other = other_mirror(tmp_path, settings)
        assert run("import", other, str(tmp_path / "first.jsonl"), *fed[NEXT], str(tmp_path / "last.jsonl")) == 0
        assert records_of(other) == records_of(settings)

    def test_what_a_failed_run_brought_still_waits(self, settings: Settings, tmp_path: Path) -> None:
        with store_of(settings) as store:
            failed = store.begin_run(OUTLET, SEEN)
            store.put_article(article(1001), failed)
            store.end_run(OUTLET, failed, finished_at=LATER, verdict="failed", report={})
            feed = feeds.feed_path(tmp_path, OUTLET, "articles", failed)
            feeds.write_feed(feed, store.run_articles(OUTLET, failed))
            assert run("import", settings, str(feed)) == 0
            assert store.list_size(OUTLET, "all", "") == 0

    def test_one_command_for_each(self, settings: Settings, fed: dict[str, list[str]], tmp_path: Path) -> None:
        """As xargs does when they are too many for one command; a run may be cut in two then."""
        other = other_mirror(tmp_path, settings)
        for name in [name for names in fed.values() for name in names]:
            assert run("import", other, name) == 0
        assert records_of(other) == records_of(settings)

    def test_cut_off_at_any_moment_and_done_again(
        self, settings: Settings, fed: dict[str, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("mirror_crawler.commands.import._BATCH", 3)
        files = sorted(name for names in fed.values() for name in names)
        left, write = 0, Database.write

        @contextlib.contextmanager
        def fragile(database: Database) -> Iterator[sqlite3.Connection]:
            nonlocal left
            left -= 1
            if not left:
                raise KeyboardInterrupt
            with write(database) as db:
                yield db

        monkeypatch.setattr(Database, "write", fragile)
        for moment in range(1, 999):
            other = other_mirror(tmp_path / str(moment), settings)
            left = moment
            try:
                run("import", other, *files)
            except KeyboardInterrupt:
                left = 0
                assert run("import", other, *files) == 0
                assert records_of(other) == records_of(settings), moment
            else:
                break
        assert moment > 30

    def test_broken_lines_cost_only_themselves(
        self, settings: Settings, fed: dict[str, list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        feed = Path(fed[NEXT][0])
        feed.write_bytes(b"{\n" + feed.read_bytes())
        other = other_mirror(tmp_path, settings)
        capsys.readouterr()
        assert run("import", other, *fed[LAST], *fed[NEXT], *fed[RUN], str(tmp_path / f"articles-{RUN}.jsonl")) == 1
        absent, broken, counted = capsys.readouterr().err.splitlines()
        assert absent.startswith(f"{tmp_path}/articles-{RUN}.jsonl: cannot be read: ")
        assert broken.startswith(f"{feed}:1: not JSON: ")
        assert counted.endswith(" 0 known, 2 broken")
        assert records_of(other) == records_of(settings)


def changed(item: Any, **changes: Any) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(item.to_json())
    return record | changes


PICTURE = Picture(
    outlet=OUTLET,
    url="https://i.epochtimes.com/assets/bridge.jpg",
    asset="0123456789abcdef" * 2,
    width=800,
    height=533,
    stored_at=LATER,
)

BROKEN = {
    "missing-field": ({"outlet": OUTLET}, "article_id: missing|authors: missing|body_html: missing"),
    "unknown-field": (changed(article(1001), extra=1), "extra: unknown field"),
    "type": (changed(article(1001), revision="1"), "revision: '1' is not int"),
    "schema": (changed(article(1001), schema=2), "schema: 2 is not 1"),
    "outlet": (changed(article(1001), outlet="daily"), "outlet: daily is not one of epochtimes, ntdtv"),
    "id-like-a-path": (changed(article(1001), article_id="../x"), "article_id: '../x' is not a short word"),
    "id-of-another-url": (changed(article(1001), article_id="n1002"), "is not the address of epochtimes n1002"),
    "url-of-another-outlet": (
        changed(article(1001), url="https://example.org/gb/21/3/4/n1001.htm"),
        "is not the address",
    ),
    "url-not-canonical": (changed(article(1001), url=f"{article(1001).url}?a=1"), "is not the address of"),
    "time": (changed(article(1001), fetched_at="2026-11-22"), "fetched_at: '2026-11-22' is not an ISO 8601 time with"),
    "time-words": (changed(article(1001), published_at="昨天"), "published_at: '昨天' is not an ISO 8601 time"),
    "no-title": (changed(article(1001), title=""), "title or body_html: empty"),
    "no-body": (changed(article(1001), body_html=""), "title or body_html: empty"),
    "script": (
        changed(article(1001), body_html="<p>桥<script>x</script></p>"),
        "body_html: not in the closed vocabulary",
    ),
    "hash": (changed(article(1001), content_hash="0" * 64), "content_hash: not that of"),
    "image": (
        changed(article(1001), images=[{"url": "javascript:x", "alt": "", "caption": ""}]),
        "not an http.s. addr",
    ),
    "embed": (changed(article(1001), embeds=[{"kind": "video", "url": "data:x"}]), "not an http.s. address"),
    "lead": (changed(article(1001), lead_image={"url": "/x", "alt": "", "caption": ""}), "not an http.s. address"),
    "surrogate": (changed(article(1001), title="\ud800"), "surrogate"),
    "listing-kind": (changed(listing(1001), list_kind="author"), "list_kind: 'author' is not"),
    "listing-page": (changed(listing(1001), page=0), "page: 0 is not from 1"),
    "listing-position": (changed(listing(1001), position=-1), "position: -1 is not from 1"),
    "listing-section": (changed(listing(1001), list_id="../x"), "list_id: '../x' cannot be a section of epochtimes"),
    "listing-tag": (changed(listing(1001, "A/B", "tag")), "list_id: 'A/B' cannot be a tag of epochtimes"),
    "listing-url": (changed(listing(1001), url=listing(1002).url), "is not the address of epochtimes n1001"),
    "picture-outlet": (changed(PICTURE, outlet="daily"), "outlet: daily is not one of epochtimes, ntdtv"),
    "picture-host": (
        changed(PICTURE, url="https://i.ntdtv.com/a.jpg"),
        "is not the address of a picture of epochtimes",
    ),
    "picture-asset": (changed(PICTURE, asset="../../../mirror.db"), "asset: '../../../mirror.db' is not 32 digits"),
    "picture-size": (changed(PICTURE, height=0), "height: 0 is not from 1"),
    "picture-time": (changed(PICTURE, stored_at="x"), "stored_at: 'x' is not an ISO 8601 time"),
    "volume-number": ({"volume": 1, "first_day": "2026-11-23"}, "volume: 1 is not from 2"),
    "volume-day": ({"volume": 2, "first_day": "2026-13-01"}, "first_day: '2026-13-01' is not a day such as"),
    "picture-field": (changed(PICTURE, title="桥"), "title: unknown field"),
    "listing-time": (changed(listing(1001), seen_at="x"), "seen_at: 'x' is not an ISO 8601 time"),
}


@pytest.fixture(scope="module")
def read() -> Callable[[bytes], Any]:
    records = importlib.import_module("mirror_crawler.records")
    outlet = importlib.import_module("mirror_crawler.outlet")
    made = Settings()
    made.setmodule("mirror_crawler.settings")
    outlets = {name: spider.addresses for name, spider in outlet.load_outlets(made).items()}
    return lambda line: records.read_record(line, outlets)


class TestReading:
    @pytest.mark.parametrize(("record", "said"), BROKEN.values(), ids=BROKEN)
    def test_untrue_records_are_refused(self, read: Callable[[bytes], Any], record: Any, said: str) -> None:
        with pytest.raises(ValueError, match=said):
            read(json.dumps(record).encode())

    @pytest.mark.parametrize(
        ("line", "said"),
        [
            pytest.param(b"\xff\xfe\xfd", "not UTF-8", id="bytes"),
            pytest.param(b"[" * 100_000, "nested too deeply", id="deep"),
            pytest.param(b"3", "not a JSON object", id="number"),
            pytest.param(b'{"a": }', "not JSON: ", id="syntax"),
        ],
    )
    def test_lines_that_are_no_record(self, read: Callable[[bytes], Any], line: bytes, said: str) -> None:
        with pytest.raises(ValueError, match=said):
            read(line)

    def test_what_is_true_comes_back(self, read: Callable[[bytes], Any]) -> None:
        for item in (
            rich(),
            article(1001),
            article(1001, withdrawn_at=LATER),
            listing(1001),
            listing(1001, "相互宝", "tag"),
            PICTURE,
            Volume(volume=2, first_day="2026-11-23"),
        ):
            assert read(item.to_json().encode()) == item


def rich() -> Article:
    lead = Image(url="https://i.epochtimes.com/assets/bridge.jpg", alt="桥", caption="新桥（图片来源：样本）")
    body = '<h2>山谷</h2><p>第一段。</p><p><a href="https://www.youtube.com/watch?v=abcdefghijk"></a></p>'
    return article(
        1001,
        lead_image=lead,
        images=[],
        embeds=[Embed(kind="youtube", url="https://www.youtube.com/watch?v=abcdefghijk")],
        body_html=body,
        tags=["桥"],
        authors=["林小溪"],
        editor="山青",
        modified_at="2021-03-05T08:00:00+08:00",
        content_hash=content_hash("溪上新桥", lead, body),
    )


def schema_of(name: str) -> Any:
    loaded = json.loads((REPO / "docs" / f"{name}.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(loaded)
    return jsonschema.Draft202012Validator(loaded)


@pytest.mark.untraced
class TestSchemas:
    @pytest.mark.parametrize("item", [article(1001), rich(), article(1001, section=None, published_at=None)])
    def test_articles(self, item: Article) -> None:
        schema_of("article").validate(json.loads(item.to_json()))

    @pytest.mark.parametrize("item", [listing(1001), listing(1001, "桥", "tag")])
    def test_listings(self, item: Any) -> None:
        schema_of("listing").validate(json.loads(item.to_json()))

    @pytest.mark.parametrize("name", ["extra-field", "missing-field", "bad-id", "bad-time"])
    @pytest.mark.parametrize("kind", ["article", "listing", "picture"])
    def test_refuse_what_is_no_record(self, kind: str, name: str) -> None:
        record = changed({"article": article(1001), "listing": listing(1001), "picture": PICTURE}[kind])
        time = {"article": "fetched_at", "listing": "seen_at", "picture": "stored_at"}[kind]
        broken: dict[str, dict[str, Any]] = {
            "extra-field": {"x": 1},
            "bad-id": {"asset" if kind == "picture" else "article_id": "../x"},
            "bad-time": {time: "heute"},
        }
        assert schema_of(kind).is_valid(record)
        record |= broken.get(name, {})
        if name == "missing-field":
            del record["url"]
        assert not schema_of(kind).is_valid(record)

    @pytest.mark.parametrize(
        ("kind", "item"),
        [
            ("article", rich()),
            ("listing", listing(1001)),
            ("picture", PICTURE),
            ("volume", Volume(volume=2, first_day="2026-11-23")),
        ],
    )
    def test_name_every_field(self, kind: str, item: Any) -> None:
        described = schema_of(kind).schema
        assert list(described["properties"]) == described["required"] == list(json.loads(item.to_json()))
