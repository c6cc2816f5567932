"""A mirror of several repositories: what belongs where, and that no link between them is dead."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import unquote

import pytest
from scrapy.settings import Settings

from mirror_crawler import paths
from mirror_crawler.config import MirrorConfig, SettingError
from mirror_crawler.git import GitError
from mirror_crawler.items import Article
from mirror_crawler.outbox import Outbox
from mirror_crawler.outlet import load_outlets
from mirror_crawler.publish import Publisher, Report, Share
from mirror_crawler.records import read_record
from mirror_crawler.render import Renderer
from mirror_crawler.store import ArticleStore
from mirror_crawler.tree import Tree
from mirror_crawler.verify import Verifier
from mirror_crawler.volumes import Volumes, has_days
from mirror_crawler.writer import PageWriter
from tests.mirror import contents, dead_links, decoded, links_of
from tests.repositories import bare, files, git, subjects, tip
from tests.test_store import OUTLET, RUN, article, listing

BASE = "https://git.example/me/news-{volume}/blob/main"
ONE = "https://git.example/me/news-1/blob/main"
TWO = "https://git.example/me/news-2/blob/main"
LIST = "epochtimes/sections/nsc413/README.md"
NOW = datetime(2026, 11, 22, 15, 59, tzinfo=UTC)  # 23:59 in Beijing


class TestPure:
    @pytest.fixture
    def three(self) -> Volumes:
        return Volumes(paths.PATTERN, BASE, ("2025-06-01", "2026-11-23"))

    @pytest.mark.parametrize(
        ("path", "volume"),
        [
            ("epochtimes/2021/03/04/n1.md", 1),
            ("epochtimes/2025/05/31/n1.md", 1),
            ("epochtimes/2025/06/01/n1.md", 2),
            ("epochtimes/2025/06/01/n1.md.png", 2),
            ("epochtimes/2025/06/01/n1.history.md", 2),
            ("epochtimes/2025/06/01/n1.history.md.png", 2),
            ("epochtimes/2026/11/22/n1.md", 2),
            ("epochtimes/2026/11/23/n1.md", 3),
            ("epochtimes/0000/00/00/n1.md", 1),
            ("README.md", 3),
            ("README.md.png", 3),
            (LIST, 3),
            ("epochtimes/pages/0/1.md", 3),
            ("epochtimes/tags/5f/渡轮/pages/0/1.md", 3),
        ],
    )
    def test_of(self, three: Volumes, path: str, volume: int) -> None:
        assert three.of(path) == volume

    @pytest.mark.parametrize("volumes", [Volumes(), Volumes(paths.PATTERN, ONE, ("2025-06-01",))])
    def test_without_the_mark_there_is_one(self, volumes: Volumes) -> None:
        assert volumes.newest == volumes.of("epochtimes/2026/11/22/n1.md") == volumes.of(LIST) == 1
        assert volumes.link("a/b.md", "c.md") == "c.md"
        assert volumes.path_at(f"{ONE}/README.md") is None

    @pytest.mark.parametrize(
        ("pattern", "path"),
        [
            ("{outlet}/{section}/{year}-{month}/{day}-{article_id}.md", "o/大陆/2025-06/01-n1.md"),
            ("{year}/{month}/{day}/{outlet}/{year}.{article_id}.md", "2025/06/01/o/2025.n1.md"),
            ("a+(b)/{outlet}/{day}{month}{year}{article_id}.md", "a+(b)/o/01062025n1.md"),
        ],
    )
    def test_other_patterns(self, pattern: str, path: str) -> None:
        volumes = Volumes(pattern, BASE, ("2025-06-01", "2025-06-02"))
        assert (volumes.of(path), volumes.of("x" + path.partition("/")[2]), volumes.of(LIST)) == (2, 3, 3)

    @pytest.mark.parametrize("pattern", ["{outlet}/{article_id}.md", "{outlet}/{year}/{month}/{article_id}.md"])
    def test_has_days(self, pattern: str) -> None:
        assert has_days(paths.PATTERN)
        assert not has_days(pattern)

    @pytest.mark.parametrize(
        ("source", "target", "since", "link"),
        [
            pytest.param("o/2025/06/02/n2.md", "o/2025/06/01/n1.md", 1, "", id="within"),
            pytest.param("o/2025/06/01/n1.md", "o/2021/03/04/n1.md", 1, f"{ONE}/o/2021/03/04/n1.md", id="to an older"),
            pytest.param("o/2021/03/04/n1.md", "o/2025/06/01/n1.md", 1, f"{TWO}/o/2025/06/01/n1.md", id="to a newer"),
            pytest.param(LIST, "o/2025/06/01/n1.md", 1, f"{TWO}/o/2025/06/01/n1.md", id="from a list"),
            pytest.param("README.md", LIST, 1, "", id="between lists"),
            pytest.param("o/2025/06/01/n1.md", LIST, 2, "", id="to a list that was there"),
            pytest.param(
                "o/2021/03/04/n1.md", LIST, 2, f"{BASE.replace('{volume}', '3')}/{LIST}", id="to a later list"
            ),
        ],
    )
    def test_link(self, three: Volumes, source: str, target: str, since: int, link: str) -> None:
        assert three.link(source, target, since) == (link or target)

    def test_addresses(self, three: Volumes) -> None:
        assert three.home(2) == f"{TWO}/README.md"
        assert three.fill("x{volume}/{volume}", "o/2025/06/01/n1.md") == "x2/2"
        assert three.link(LIST, 'o/2025/06/01/"1 渡.md'.replace("/o", "o")) == f"{TWO}/o/2025/06/01/%221%20%E6%B8%A1.md"

    @pytest.mark.parametrize(
        ("address", "path"),
        [
            (f"{TWO}/o/2025/06/01/n1.md", "o/2025/06/01/n1.md"),
            (f"{TWO}/o/2025/06/01/%6E1.md?a#b", "o/2025/06/01/%6E1.md"),
            (f"{ONE}/o/2025/06/01/n1.md", None),
            (f"{TWO}/README.md", None),
            ("https://git.example/me/news-3/blob/main/README.md", "README.md"),
            ("https://git.example/me/news-03/blob/main/README.md", None),
            ("https://elsewhere.example/README.md", None),
            ("README.md", None),
        ],
    )
    def test_path_at(self, three: Volumes, address: str, path: str | None) -> None:
        assert three.path_at(address) == path

    def test_the_number_more_than_once(self) -> None:
        twice = Volumes(paths.PATTERN, "https://v{volume}.example/{volume}+x", ("2025-06-01",))
        assert twice.path_at("https://v2.example/2+x/README.md") == "README.md"
        assert twice.path_at("https://v2.example/1+x/README.md") is None
        assert twice.path_at("https://v2.example/2x/README.md") is None


class TestPictures:
    """Which pictures a volume has."""

    NAMES = ("0a" * 16, "0b" * 16, "0c" * 16)
    OLD, NEW = "o/2021/03/04/n1.md", "o/2026/11/23/n2.md"

    @pytest.fixture
    def tree(self, tmp_path: Path) -> Tree:
        tree = Tree(tmp_path)
        for name in self.NAMES[:2]:
            tree.write(paths.asset_path(name), b"RIFF")
        first, second, gone = (paths.asset_path(name) for name in self.NAMES)
        tree.write(self.OLD, f"![](../../../../{first}) ![](../../../../{gone})".encode())
        tree.write(self.NEW, f"![](../../../../{first}) ![](../../../../{second})".encode())
        tree.write("README.md", b"home")
        tree.write(f"{self.NEW}.png", b"code")
        return tree

    def share(self, tree: Tree, volume: int, first_days: tuple[str, ...] = ("2026-11-23",)) -> Share:
        return Share(Volumes(paths.PATTERN, BASE, first_days), volume, tree)

    def test_of_what_changed(self, tree: Tree) -> None:
        first, second, gone = (paths.asset_path(name) for name in self.NAMES)
        changed = sorted([first, second, gone, self.NEW, f"{self.NEW}.png", "README.md"])
        assert list(self.share(tree, 1).of_changed(changed)) == [gone]
        assert list(self.share(tree, 2).of_changed(changed)) == [
            *("README.md", gone, self.NEW, f"{self.NEW}.png"),
            *(first, second),
        ]
        assert list(self.share(tree, 1).of_changed([self.OLD])) == [self.OLD, first, gone]
        assert list(self.share(tree, 1, ()).of_changed(changed)) == changed

    def test_of_the_whole_tree(self, tree: Tree) -> None:
        first, second, gone = (paths.asset_path(name) for name in self.NAMES)
        assert list(self.share(tree, 1).of_tree()) == [first, self.OLD]
        assert list(self.share(tree, 2).of_tree()) == ["README.md", first, second, self.NEW, f"{self.NEW}.png"]
        assert list(self.share(tree, 1, ()).of_tree()) == list(tree.files())
        held = [(path, "hash") for path in (LIST, "README.md", first, second, gone, self.OLD, self.NEW)]
        assert [path for path, _ in self.share(tree, 1).of_commit(held)] == [first, gone, self.OLD]
        assert list(self.share(tree, 1, ()).of_commit(held)) == held


@pytest.fixture(autouse=True, scope="module")
def themes_are_compiled_once() -> Iterator[None]:
    compiled: dict[str, Renderer] = {}

    def renderer(config: MirrorConfig) -> Renderer:
        return compiled.setdefault(repr(config.pages), compiled.get(repr(config.pages)) or Renderer(config.pages))

    with mock.patch.object(MirrorConfig, "renderer", renderer):
        yield


class Mirror:
    """A mirror of articles of several days, with hosts for two volumes."""

    def __init__(self, root: Path, store: ArticleStore) -> None:
        self.root = root
        self.store = store
        self.hosts = {number: bare(root / f"news-{number}.git") for number in (1, 2)}
        self.finder = self.writer().links
        self.reports: list[Report] = []
        self.closed: dict[str, bytes] = {}
        self.before: dict[int, dict[str, bytes]] = {}

    def writer(self, **changed: str) -> PageWriter:
        settings = Settings()
        settings.setmodule("mirror_crawler.settings")
        places = {"MIRROR_DATA": str(self.root / "data"), "MIRROR_OUTPUT": str(self.root / "output")}
        addresses = {"MIRROR_BASE_URL": BASE, "MIRROR_REMOTES": f"{self.root}/news-{{volume}}.git"}
        settings.setdict(places | addresses | changed, "cmdline")
        return PageWriter(self.store, MirrorConfig.from_settings(settings), load_outlets(settings))

    def put(
        self, number: int, day: str, *, links: Sequence[str] = (), listed: Sequence[str] = (), **changes: Any
    ) -> None:
        """An article of a day (yy/m/d) in nsc413 and in the lists of tags, its body with links to others."""
        finder = self.finder
        body = "".join(f'<p><a href="{href}">看</a></p>' for href in links) or "<p>桥。</p>"
        item = article(number, url=url(number, day), body_html=body, **changes)
        self.store.put_listing(listing(number), RUN)
        for tag in listed:
            self.store.put_listing(listing(number, tag, "tag", list_name=tag), RUN)
        self.store.put_article(item, RUN, finder.targets_of(item))

    def publish(self, at: datetime = NOW, /, **changed: str) -> Report:
        writer = self.writer(**changed)
        writer.write_stale(OUTLET)
        return Publisher(writer).publish(at)

    def files(self, volume: int) -> dict[str, bytes]:
        return files(self.hosts[volume])

    def problems(self) -> list[str]:
        return [f"{problem.kind} {problem.path} {problem.what}" for problem in Verifier(self.writer()).problems()]


def url(number: int, day: str) -> str:
    return f"https://www.epochtimes.com/gb/{day}/n{number}.htm"


LIMIT = {"MIRROR_REPO_LIMIT": "1K"}
OLD, LATER = "epochtimes/2026/11/22/n1000.md", "epochtimes/2026/11/23/n2000.md"


@pytest.fixture(scope="module")
def rolled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mirror]:
    """A mirror of sixty articles that has come to its limit; then one of the next day came, and links to and from it.

    An old article has a tag whose list begins only with the next volume.
    """
    root = tmp_path_factory.mktemp("volumes")
    with ArticleStore(f"sqlite:///{root / 'data' / 'mirror.db'}") as store:
        mirror = Mirror(root, store)
        mirror.put(1000, "26/11/22", links=(url(2000, "26/11/23"), url(1001, "26/11/21")), tags=["渡轮"], listed=())
        for number in range(1001, 1060):
            mirror.put(number, "26/11/21")
        mirror.reports += [mirror.publish(**LIMIT)]
        mirror.closed = mirror.files(1)
        mirror.reports += [mirror.publish(**LIMIT)]
        mirror.put(2000, "26/11/23", links=(url(1000, "26/11/22"),), tags=["渡轮"], listed=["渡轮"])
        mirror.reports += [mirror.publish(**LIMIT)]
        yield mirror


def there(volume: int) -> str:
    return BASE.replace("{volume}", str(volume))


def absolute_links(page: str) -> set[tuple[int, str]]:
    """The pages of volumes that a page leads to by their addresses: (volume, path)."""
    pattern = BASE.replace("{volume}", r"(\d+)") + r"/([^\s)`\"'<]+)"
    return {(int(match[1]), unquote(match[2])) for match in re.finditer(rf"\]\({pattern}", page)}


class TestNextVolume:
    @pytest.mark.untraced
    def test_reports(self, rolled: Mirror) -> None:
        first, again, second = rolled.reports
        # Sixty articles, the home page, the outlet's and the section's front page with two numbered pages each.
        assert first.commits == ["Publish 67 pages: 67 new", "Go on in volume 2", "Publish 7 pages: 7 new"]
        assert again.commits == []
        assert [commit.partition(":")[0] for commit in second.commits] == ["Publish 1 page", "Publish 10 pages"]
        assert [result.state for report in rolled.reports for result in report.results] == [
            *("pushed", "pushed"),
            *("up to date", "up to date"),
            *("pushed", "pushed"),
        ]
        assert rolled.store.outbox.first_days() == ["2026-11-23"]

    def test_the_closed_volume_keeps_its_lists_and_leads_on(self, rolled: Mirror) -> None:
        closed = rolled.closed
        assert {LIST, OLD, "README.md", f"{OLD}.png"} < closed.keys()
        assert f"**之后的文章：[第2卷]({TWO}/README.md)**" in closed["README.md"].decode()
        assert f"`{ONE}/README.md`" in closed["README.md"].decode()
        assert dead_links(closed) == set()

    def test_the_next_one_begins_with_the_lists(self, rolled: Mirror) -> None:
        volumes = rolled.writer().volumes
        assert subjects(rolled.hosts[2])[-1] == "Publish 7 pages: 7 new"
        for volume, host in rolled.hosts.items():
            changed = git(host, "diff-tree", "-r", "--root", "--name-only", "--no-commit-id", "main").split()
            assert all(volumes.of(path) == volume for path in changed)
        assert f"更早的文章：[第1卷]({ONE}/README.md)" in rolled.files(2)["README.md"].decode()
        assert [path for path in rolled.files(2) if "/2026/" in path] == [LATER, f"{LATER}.png"]

    def test_later_changes_go_to_the_old_volume(self, rolled: Mirror) -> None:
        now, closed = rolled.files(1), rolled.closed
        assert subjects(rolled.hosts[1])[:2] == ["Publish 1 page: 1 changed", "Go on in volume 2"]
        assert {path for path in now.keys() | closed.keys() if now.get(path) != closed.get(path)} == {OLD}

    def test_links_of_an_old_page(self, rolled: Mirror) -> None:
        page = rolled.files(1)[OLD].decode()
        assert links_of(OLD, page) >= {"README.md", "epochtimes/README.md", "epochtimes/2026/11/21/n1001.md"}
        tag = paths.front_path(paths.list_directory(OUTLET, "tag", "渡轮"))
        assert absolute_links(page) == {(2, LATER), (2, tag)}
        assert f"`{ONE}/{OLD}`" in page

    def test_links_of_a_new_page(self, rolled: Mirror) -> None:
        page = rolled.files(2)[LATER].decode()
        assert absolute_links(page) == {(1, OLD)}
        assert LIST in links_of(LATER, page)
        assert f"`{TWO}/{LATER}`" in page

    @pytest.mark.parametrize("volume", [1, 2])
    def test_no_link_is_dead(self, rolled: Mirror, volume: int) -> None:
        held = {number: rolled.files(number) for number in rolled.hosts}
        assert dead_links(held[volume]) == set()
        pages = [content.decode() for path, content in held[volume].items() if path.endswith(".md")]
        away = set().union(*map(absolute_links, pages))
        assert away
        assert {(number, path) for number, path in away if path not in held[number]} == set()

    @pytest.mark.untraced
    def test_the_tree_is_right(self, rolled: Mirror) -> None:
        assert rolled.problems() == []
        assert list(rolled.writer().differing()) == []

    @pytest.mark.untraced
    def test_verify_sees_a_dead_link_to_another_volume(self, rolled: Mirror) -> None:
        page = rolled.root / "output" / OLD
        content = page.read_bytes()
        page.unlink()
        problems = rolled.problems()
        assert f"dead link {LATER} links to {OLD}, which is not there" in problems
        page.write_bytes(content)
        assert rolled.problems() == []

    @pytest.mark.untraced
    def test_the_whole_tree_is_in_the_volumes(self, rolled: Mirror) -> None:
        assert Publisher(rolled.writer()).publish(NOW, whole=True).commits == []
        held = rolled.files(1) | rolled.files(2)
        assert {path: held[path] for path in contents(rolled.root / "output")} == contents(rolled.root / "output")

    @pytest.mark.untraced
    def test_lost_repositories_come_back_whole(self, rolled: Mirror) -> None:
        shutil.rmtree(rolled.root / "data" / "publish")
        report = Publisher(rolled.writer(**LIMIT)).publish(NOW)
        assert (report.commits, [result.state for result in report.results]) == ([], ["up to date"] * 2)
        assert not list((rolled.root / "data" / "publish").rglob("shallow"))

    def test_without_the_mark_nothing_is_published(self, rolled: Mirror) -> None:
        writer = rolled.writer(MIRROR_BASE_URL=ONE, MIRROR_REMOTES="")
        with pytest.raises(GitError, match="the mirror has 2 volumes: MIRROR_BASE_URL and MIRROR_REMOTES must contain"):
            Publisher(writer).publish(NOW)


MOVED = {"MIRROR_BASE_URL": "https://host.example/n{volume}/"}


@pytest.fixture(scope="module")
def housed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mirror]:
    root = tmp_path_factory.mktemp("moving")
    with ArticleStore(f"sqlite:///{root / 'data' / 'mirror.db'}") as store:
        mirror = Mirror(root, store)
        mirror.hosts[3] = bare(root / "news-3.git")
        mirror.put(1000, "26/11/22", links=(url(2000, "26/11/23"),), tags=["渡轮"], listed=["渡轮"])
        for number in range(1001, 1004):
            mirror.put(number, "26/11/21")
        mirror.publish(**LIMIT)
        mirror.put(1100, "26/11/21", listed=["渡轮"])  # late: on the lists of the next volume alone
        mirror.put(2000, "26/11/23", links=(url(1000, "26/11/22"),), listed=["5g"])
        mirror.publish(NOW + timedelta(days=1), **LIMIT)
        mirror.put(3000, "26/11/24", listed=["渡轮", "5g"])
        mirror.publish(NOW + timedelta(days=1))
        mirror.before = {volume: mirror.files(volume) for volume in mirror.hosts}
        mirror.writer(**MOVED).write_all()
        mirror.reports = [Publisher(mirror.writer(**MOVED)).publish(NOW)]
        yield mirror


class TestMoving:
    """A mirror of three volumes moves to another address; what the closed ones keep goes with it."""

    @pytest.mark.untraced
    def test_no_old_address_is_left_in_any_volume(self, housed: Mirror) -> None:
        assert [f"]({TWO}" in files[LIST].decode() for files in housed.before.values()] == [False, False, True]
        (report,) = housed.reports
        assert [result.state for result in report.results] == ["pushed"] * 3
        assert len(report.commits) == 3
        for volume, before in housed.before.items():
            now, base = housed.files(volume), f"https://host.example/n{volume}"
            assert now.keys() == before.keys()
            assert dead_links(now) == set()
            for path, content in before.items():
                if path.endswith(".md"):
                    moved = re.sub(
                        r"https://git\.example/me/news-(\d)/blob/main", r"https://host.example/n\1", content.decode()
                    )
                    assert now[path].decode() == moved
                else:
                    assert decoded(now[path]) == f"{base}/{path.removesuffix('.png')}"
        assert Publisher(housed.writer(**MOVED)).publish(NOW).commits == []
        assert list(Verifier(housed.writer(**MOVED)).problems()) == []

    def test_settings_that_the_tree_was_not_written_with_change_nothing(self, housed: Mirror) -> None:
        tips = [tip(host) for host in housed.hosts.values()]
        Publisher(housed.writer(MIRROR_THEME="classic", **MOVED)).publish(NOW)
        assert [tip(host) for host in housed.hosts.values()] == tips

    @pytest.mark.untraced
    def test_a_lost_repository_that_comes_back_with_the_old_address(self, housed: Mirror) -> None:
        git(housed.hosts[1], "update-ref", "refs/heads/main", "main^")
        assert housed.files(1) == housed.before[1]
        shutil.rmtree(housed.root / "data" / "publish" / "1.git")
        report = Publisher(housed.writer(**MOVED)).publish(NOW)
        assert [result.state for result in report.results] == ["pushed", "up to date", "up to date"]
        assert [path for path, content in housed.files(1).items() if b"git.example" in content] == []

    def test_a_page_of_a_day_to_come(self, tmp_path: Path) -> None:
        """It was in the volume that is closed now, and belongs to the one after."""
        with ArticleStore(f"sqlite:///{tmp_path / 'data' / 'mirror.db'}") as store:
            mirror = Mirror(tmp_path, store)
            mirror.put(1000, "26/11/22")
            mirror.put(5000, "26/12/25")
            mirror.publish(**LIMIT)
            future = "epochtimes/2026/12/25/n5000.md"
            assert {f"{future}", f"{future}.png"} < mirror.files(1).keys() & mirror.files(2).keys()
            mirror.writer(**MOVED).write_all()
            Publisher(mirror.writer(**MOVED)).publish(NOW)
            now = mirror.files(1)
            assert [path for path, content in now.items() if "n5000" in path or b"git.example" in content] == []
            assert f"](https://host.example/n2/{future})" in now[LIST].decode()
            assert dead_links(now) == dead_links(mirror.files(2)) == set()


@pytest.mark.untraced
def test_an_export_brings_the_volumes_back(housed: Mirror, tmp_path: Path) -> None:
    """On a new machine, with nothing but an export and the remotes."""
    with ArticleStore(f"sqlite:///{tmp_path / 'data' / 'mirror.db'}") as store:
        mirror = Mirror(tmp_path, store)
        mirror.hosts = {
            number: shutil.copytree(host, tmp_path / host.name, dirs_exist_ok=True)
            for number, host in housed.hosts.items()
        }
        lines = [line.encode() for line in housed.store.records()]
        items = [read_record(line, mirror.finder.outlets) for line in lines]
        ties = [mirror.finder.ties_of(item) if isinstance(item, Article) else set() for item in items]
        store.restore_all(zip(items, ties, strict=True))
        assert [line.encode() for line in store.records()] == lines
        mirror.writer(**MOVED).write_all()
        assert set(mirror.writer(**MOVED).differing()) == set()
        tips = {number: tip(host) for number, host in mirror.hosts.items()}
        report = Publisher(mirror.writer(**MOVED)).publish(NOW)
        assert {result.state for result in report.results} <= {"pushed", "up to date"}
        for number, host in mirror.hosts.items():
            assert git(host, "merge-base", tips[number], "main").strip() == tips[number]
            assert mirror.files(number).keys() == housed.files(number).keys()
            assert dead_links(mirror.files(number)) == set()


@pytest.mark.parametrize("moment", ["the old one is closed", "the next one is noted"])
def test_a_kill_between_two_volumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    settle = Outbox.settle

    def dying(outbox: Outbox, root: str, tips: dict[str, str], *next_volume: Any) -> None:
        if next_volume:
            raise KeyboardInterrupt
        settle(outbox, root, tips)

    with ArticleStore(f"sqlite:///{tmp_path / 'data' / 'mirror.db'}") as store:
        mirror = Mirror(tmp_path, store)
        mirror.put(1000, "26/11/22")
        with monkeypatch.context() as patch:
            if moment == "the old one is closed":
                patch.setattr(Outbox, "settle", dying)
            else:
                patch.setattr(PageWriter, "write_lists", mock.Mock(side_effect=KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                mirror.publish(**LIMIT)
        assert [result.state for result in mirror.publish(**LIMIT).results] == ["pushed", "pushed"]
        assert absolute_links(mirror.files(2)[LIST].decode()) == {(1, OLD)}
        assert mirror.problems() == []
        closed = mirror.files(1)
        assert f"]({TWO}/README.md)**" in closed["README.md"].decode()
        assert dead_links(closed) == dead_links(mirror.files(2)) == set()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"MIRROR_REPO_LIMIT": "5G"}, "MIRROR_REPO_LIMIT: needs {volume} in MIRROR_BASE_URL and MIRROR_REMOTES"),
        ({"MIRROR_REPO_LIMIT": "much"}, "MIRROR_REPO_LIMIT=much: use a number of bytes"),
        ({"MIRROR_REMOTES": "/srv/m-{volume}.git"}, "MIRROR_BASE_URL: must contain {volume}, for the other"),
        ({"MIRROR_BASE_URL": BASE, "MIRROR_REMOTES": "/srv/{volume} /srv/m"}, "MIRROR_REMOTES: must contain {volume}"),
        ({"MIRROR_BASE_URL": BASE, "MIRROR_HOMES": "https://h/{volume} https://i"}, "MIRROR_HOMES: must contain {vol"),
        (
            {"MIRROR_BASE_URL": BASE, "MIRROR_PATH": "{outlet}/{article_id}.md"},
            "MIRROR_PATH={outlet}/{article_id}.md: ",
        ),
    ],
)
def test_settings_that_do_not_fit(settings: dict[str, str], said: str) -> None:
    made = Settings()
    made.setmodule("mirror_crawler.settings")
    made.setdict(settings, "cmdline")
    with pytest.raises(SettingError, match=f"^{re.escape(said)}"):
        MirrorConfig.from_settings(made)
