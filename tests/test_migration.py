"""A store that an earlier version of the program made: nothing it holds is lost on the way to today's tables."""

import json
import re
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from mirror_crawler import schema, statements
from mirror_crawler.items import Article, Listing, Picture
from mirror_crawler.store import ArticleStore, Run, Stale, StoreError, Target, Validator, Walk, Wanted
from tests import mirror

OUTLET = "epochtimes"
STORES = Path(__file__).parent / "stores"
ROOT = "/srv/mirror/output"
URL = "https://www.epochtimes.com/gb/21/3/4/n14865002.htm"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A store of format 1."""
    return store_of(1, tmp_path)


def store_of(version: int, directory: Path) -> Path:
    """A store as a program of that format left it."""
    made = directory / "mirror.db"
    with closing(sqlite3.connect(made)) as db:
        db.executescript((STORES / f"{version}.sql").read_text(encoding="utf-8"))
    return made


@pytest.fixture
def store(file: Path) -> Iterator[ArticleStore]:
    with ArticleStore(address_of(file)) as opened:
        yield opened


def address_of(file: Path) -> str:
    return f"sqlite:///{file}"


def asked(file: Path, statement: str) -> list[Any]:
    with closing(sqlite3.connect(file)) as db:
        return db.execute(statement).fetchall()


def dump(file: Path) -> list[str]:
    """All that a store holds, tables and rows, and its version."""
    with closing(sqlite3.connect(file)) as db:
        return [*db.iterdump(), str(db.execute("PRAGMA user_version").fetchone())]


def tables_in(file: Path) -> list[str]:
    return [name for (name,) in asked(file, "SELECT name FROM sqlite_schema WHERE type = 'table'")]


def rows_of(file: Path, table: str) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(file)) as db:
        db.row_factory = sqlite3.Row
        return sorted(map(dict, db.execute(f"SELECT * FROM {table}")), key=repr)


def of_columns(rows: list[dict[str, Any]], model: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """``rows`` with the columns of ``model`` only; what a column that is gone held is taken from the model."""
    if len(rows) != len(model):
        return []
    return sorted(
        ({name: row.get(name, old[name]) for name in old} for row, old in zip(rows, model, strict=True)), key=repr
    )


class TestWhatIsKept:
    @pytest.mark.parametrize(
        ("version", "count", "changes"), [(1, 13, {"versions"}), (2, 16, {"links"}), (3, 20, set())]
    )
    def test_every_column_that_is_still_there(
        self, tmp_path: Path, version: int, count: int, changes: set[str]
    ) -> None:
        file = store_of(version, tmp_path)
        before = {name: rows_of(file, name) for name in tables_in(file)}
        ArticleStore(address_of(file)).close()
        after = {name: rows_of(file, name) for name in before}
        assert len(before) == count
        assert sum(map(bool, before.values())) >= 13
        assert {name for name in before if of_columns(after[name], before[name]) != before[name]} == changes
        assert [row for row in before["links"] if row not in after["links"]] == []

    def test_records_say_that_nothing_was_withdrawn(self, file: Path) -> None:
        before = asked(file, "SELECT * FROM versions ORDER BY number")
        ArticleStore(address_of(file)).close()
        after = asked(file, "SELECT * FROM versions ORDER BY number")
        assert [row[:-1] for row in after] == [row[:-1] for row in before]
        for (*_, old), (*_, new) in zip(before, after, strict=True):
            assert json.loads(new) == json.loads(old) | {"withdrawn_at": None}
            assert new == Article.from_record(json.loads(old)).to_json()

    def test_lists_and_runs(self, store: ArticleStore) -> None:
        assert store.lists(OUTLET, "section") == [("nsc413", "名nsc413")]
        assert store.list_size(OUTLET, "section", "nsc413") == 4
        assert store.list_name(OUTLET, "section", "nsc412") == "美国新闻"
        assert store.last_runs(OUTLET, 9) == [
            Run("20261120T020000Z", "2026-11-20T02:00:00+00:00", None, None, {}),
            Run(
                "20261120T010000Z",
                "2026-11-20T01:00:00+00:00",
                "2026-11-20T01:05:00+00:00",
                "ok",
                {"articles/new": 4},
            ),
        ]
        assert store.looked_until(OUTLET) is None

    def test_open_walks(self, store: ArticleStore) -> None:
        assert store.walk_begin(OUTLET, "section", "nsc412", "美国新闻") == Walk("", 1)
        assert store.walk_begin(OUTLET, "section", "nsc413", "大陆新闻") is None
        assert store.walk_begin(OUTLET, "section", "nsc412", "美国新闻", "2026-11-01..2026-11-02") is None

    def test_pages(self, store: ArticleStore) -> None:
        assert [row[:4] for row in store.stale(9)] == [(OUTLET, "article", "n14865002", 0)]
        store.place()
        assert [entry.member for entry in store.entries(OUTLET, "all", "", 1, 9)] == [
            f"n1486500{number}" for number in (1, 2, 3, 4, 7)
        ]
        assert (OUTLET, "article", "n14865007", 0) in {row[:4] for row in store.stale(9)}
        assert store.tree_look(ROOT) == "look of version 1"
        assert list(store.file_hashes(ROOT, ["README.md"])) == ["README.md"]
        assert set(store.held([Target(OUTLET, "article", "n14865007"), Target(OUTLET, "tag", "溪流")])) == {
            Target(OUTLET, "article", "n14865007"),
            Target(OUTLET, "tag", "溪流"),
        }

    def test_stamps_are_not_used_again(self, store: ArticleStore) -> None:
        (known,) = store.stale(9)
        store.settle([known])
        (current,) = store.articles([(OUTLET, "n14865003")])
        store.put_article(replaced(current, title="新题"), "20261122T000000Z")
        assert store.stale(1) == [Stale(OUTLET, "article", "n14865003", 0, known.stamp + 1)]


def replaced(article: Article, **changes: Any) -> Article:
    return Article.from_record(json.loads(article.to_json()) | {"content_hash": "0" * 64} | changes)


class TestWhatItCanDoNow:
    def test_looks_and_withdrawals(self, store: ArticleStore) -> None:
        failed = Wanted("n14865009", "https://www.epochtimes.com/gb/21/3/4/n14865009.htm", stored=False)
        assert store.wanted(OUTLET, 9) == [failed]
        found = store.due_looks(OUTLET, [("2021-03-03", "2021-03-05")], "2099")
        assert set(found) == {f"n1486500{number}" for number in (1, 2, 3, 4, 7)}
        (current,) = store.articles([(OUTLET, "n14865002")])
        unchanged = replaced(current, fetched_at="2026-11-22T00:00:00+00:00")
        assert store.put_article(unchanged, "20261122T000000Z", (), Validator("1", "")) == (current, "unchanged")
        assert store.validator(URL) == Validator("1", "")
        for run in ("20261122T010000Z", "20261122T020000Z"):
            gone = store.note_gone(OUTLET, "n14865002", URL, run, "2026-11-22T02:00:00+00:00")
        assert gone is not None
        store.withdraw(gone, "20261122T020000Z")
        assert store.withdrawn(OUTLET, found) == {"n14865002"}
        assert [each.withdrawn_at is None for each in store.revisions(OUTLET, "n14865002")] == [True, False]
        store.end_run(
            OUTLET, "20261120T020000Z", finished_at="x", verdict="ok", report={}, looked_until="2026-11-22T02:00:00Z"
        )
        assert store.looked_until(OUTLET) == "2026-11-22T02:00:00Z"

    def test_export_import_export_is_the_same_to_the_byte(self, store: ArticleStore, tmp_path: Path) -> None:
        lines = list(store.records())
        assert len(lines) == 12
        with ArticleStore(address_of(tmp_path / "copy.db")) as copy:
            for line in lines:
                record = json.loads(line)
                copy.restore((Listing if "list_kind" in record else Article).from_record(record))
            assert list(copy.records()) == lines


@pytest.mark.untraced
class TestTables:
    @pytest.mark.parametrize("version", [1, 2])
    def test_are_those_of_a_new_store(self, tmp_path: Path, version: int) -> None:
        file = store_of(version, tmp_path)
        for made in (file, tmp_path / "new.db"):
            ArticleStore(address_of(made)).close()
        assert tables_of(file) == tables_of(tmp_path / "new.db")
        assert len(tables_of(file)) > 25

    @pytest.mark.parametrize(
        "name", ["DUE_LOOKS", "WANTED", "LISTED", "WITHDRAWN", "ENTRIES", "WANTED_PICTURES", "SHOWN_PICTURES"]
    )
    def test_are_searched_as_in_a_new_store(self, file: Path, tmp_path: Path, name: str) -> None:
        plans = []
        for made in (file, tmp_path / "new.db"):
            text = getattr(statements, name)
            with ArticleStore(address_of(made)) as store, store.database.read() as db:
                values = dict.fromkeys(re.findall(r":(\w+)", text)) | {"keys": "[]"}
                plans.append([row["detail"] for row in db.execute(f"EXPLAIN QUERY PLAN {text}", values)])
        assert plans[0] == plans[1]
        assert not any(step.startswith("SCAN articles") for step in plans[0])


def tables_of(file: Path) -> dict[str, object]:
    """Tables and indexes by name: their SQL without white space and with the columns in any order of writing."""
    found = {}
    for name, text in asked(file, "SELECT name, sql FROM sqlite_schema"):
        words = re.sub(r"\s+", " ", text or "").replace("( ", "(").replace(" )", ")").replace(" ,", ",").strip()
        found[name] = re.sub(r"\) WITHOUT ROWID.*", ") WITHOUT ROWID", words)
    columns = {
        f"columns of {name}": asked(file, f"SELECT * FROM pragma_table_xinfo('{name}')")
        for (name,) in asked(file, "SELECT name FROM sqlite_schema WHERE type = 'table'")
    }
    return {**found, **columns}


STEPS = [(1, "_TO_2"), (2, "_TO_3"), (3, "_TO_4")]
"""Format that is left, and the name of what leads to the next."""

PLACES = [
    pytest.param(version, name, place, id=f"{name}-{place}")
    for version, name in STEPS
    for place in range(len(getattr(schema, name).split(";\n")))
]

MIGRATE_AND_DIE = """
import itertools, os, signal, sqlite3, sys
from mirror_crawler import schema
from mirror_crawler.store import ArticleStore
left = itertools.count(int(sys.argv[2]), -1)
version = int(sys.argv[3])

def step(connection):
    for statement in (schema._TO_2, schema._TO_3)[version - 1].split(";\\n"):
        if next(left) == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        connection.execute(statement)
    if next(left) == 0:
        os.kill(os.getpid(), signal.SIGKILL)

schema._STEPS = (*schema._STEPS[:version], step, *schema._STEPS[version + 1:])
ArticleStore(sys.argv[1]).close()
"""


def test_one_picture_at_two_addresses_is_found_by_an_index(tmp_path: Path) -> None:
    made = store_of(3, tmp_path)
    ArticleStore(address_of(made)).close()
    plan = f"EXPLAIN QUERY PLAN {statements.SHOWN_ASSETS}".replace(":keys", "'[]'")
    assert any("pictures_by_asset" in detail for *_, detail in asked(made, plan))
    with ArticleStore(address_of(made)) as store:
        assert store.pictures.named(["0a" * 16, "0b" * 16]) == {"0a" * 16}


def test_stored_articles_want_their_pictures(tmp_path: Path) -> None:
    made = store_of(2, tmp_path)
    ArticleStore(address_of(made)).close()
    pictures = [f"https://i.epochtimes.com/assets/uploads/2021/03/id{number}-600x400.jpg" for number in (1, 2)]
    assert asked(made, "SELECT * FROM pictures") == [(url, OUTLET, 0, None, None, None, None, None) for url in pictures]
    assert asked(made, "SELECT article_id, to_id FROM links WHERE to_kind = 'picture'") == [
        ("n14865003", pictures[0]),
        ("n14865003", pictures[1]),
        ("n14865011", pictures[1]),
    ]
    with ArticleStore(address_of(made)) as store:
        assert store.pictures.wanted(OUTLET, 9) == pictures
        store.place()
        store.settle(store.stale(99))
        picture = Picture(outlet=OUTLET, url=pictures[1], asset="a" * 32, width=1, height=1, stored_at="2026-11-22")
        assert store.pictures.keep(picture)
        assert {page.id for page in store.stale(99)} == {"n14865003", "n14865011"}


class TestOnTheWay:
    @pytest.mark.parametrize(("version", "name", "place"), PLACES)
    def test_failure_leaves_the_old_store(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: int, name: str, place: int
    ) -> None:
        file = store_of(version, tmp_path)
        before = dump(file)
        broken = getattr(schema, name).split(";\n")
        broken.insert(place, "SELECT x FROM nowhere")
        monkeypatch.setattr(schema, name, ";\n".join(broken))
        with pytest.raises(StoreError, match=r"^MIRROR_DB: .* failed: no such table: nowhere$"):
            ArticleStore(address_of(file))
        assert dump(file) == before
        monkeypatch.undo()
        ArticleStore(address_of(file)).close()
        assert asked(file, "PRAGMA user_version") == [(schema.VERSION,)]

    @pytest.mark.untraced
    @pytest.mark.parametrize(("version", "place"), [(1, 1), (1, 8), (2, 3), (2, 9)])
    def test_kill_leaves_the_old_store(self, tmp_path: Path, version: int, place: int) -> None:
        file = store_of(version, tmp_path)
        before = dump(file)
        records = len(rows_of(file, "versions") + rows_of(file, "listings"))
        ended = mirror.run("-c", MIGRATE_AND_DIE, address_of(file), str(place), str(version))
        assert (ended.returncode, ended.stderr) == (-signal.SIGKILL, "")
        assert dump(file) == before
        with ArticleStore(address_of(file)) as store:
            assert len(list(store.records())) == records

    @pytest.mark.untraced
    def test_many_processes_may_open_it_at_once(self, file: Path) -> None:
        code = f"from mirror_crawler.store import ArticleStore; ArticleStore({address_of(file)!r}).close()"
        for opener in [mirror.start("-c", code) for _ in range(4)]:
            with opener:
                assert (opener.communicate(timeout=60), opener.wait()) == (("", ""), 0)
        (lines,) = zip(*asked(file, "SELECT record FROM versions"), strict=True)
        assert [line.count("withdrawn_at") for line in lines] == [1] * len(lines) == [1] * 6

    def test_second_opening_does_nothing(self, file: Path) -> None:
        ArticleStore(address_of(file)).close()
        before = file.read_bytes()
        ArticleStore(address_of(file)).close()
        assert file.read_bytes() == before

    def test_new_store_is_left_as_it_is_too(self, tmp_path: Path) -> None:
        made = tmp_path / "new.db"
        ArticleStore(address_of(made)).close()
        before = made.read_bytes()
        ArticleStore(address_of(made)).close()
        assert made.read_bytes() == before

    @pytest.mark.parametrize("ahead", [1, 7])
    def test_newer_store_is_refused_and_left_alone(self, file: Path, ahead: int) -> None:
        with closing(sqlite3.connect(file)) as db:
            db.execute(f"PRAGMA user_version = {schema.VERSION + ahead}")
        before = dump(file)
        with pytest.raises(StoreError, match=rf"newer version .*format {schema.VERSION + ahead}, known is"):
            ArticleStore(address_of(file))
        assert dump(file) == before

    def test_there_is_a_step_to_each_version(self) -> None:
        assert len(schema._STEPS) == schema.VERSION
        assert sorted(int(name.stem) for name in STORES.glob("*.sql")) == list(range(1, schema.VERSION))
