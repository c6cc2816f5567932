"""The MIRROR_* settings: what they give, and one clear line for each that cannot be used."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from scrapy.settings import Settings

from mirror_crawler.config import MirrorConfig, SettingError
from mirror_crawler.render import PageOptions, Renderer


def settings(**changes: Any) -> Settings:
    made = Settings()
    made.setmodule("mirror_crawler.settings")
    made.update(changes)
    return made


def config(**changes: Any) -> MirrorConfig:
    return MirrorConfig.from_settings(settings(**changes))


class TestRead:
    def test_defaults(self) -> None:
        made = config()
        assert (made.data, made.output) == (Path("data"), Path("output"))
        assert made.database == "sqlite:///data/mirror.db"
        assert made.path == "{outlet}/{year}/{month}/{day}/{article_id}.md"
        assert made.max_list_pages == 100
        assert (made.revisit_hours, made.waits_when_busy, made.logs_json) == (72, False, False)
        assert (made.hook_command, made.hook_url) == ("", "")
        assert (made.image_width, made.image_bytes) == (800, 8 << 20)
        assert (made.images_per_article, made.images_bytes) == (30, 512 << 20)
        assert made.images == Path("data/images")
        assert made.pages == PageOptions()

    def test_everything_else(self, tmp_path: Path) -> None:
        footer = tmp_path / "footer.md"
        footer.write_text("一行\n两行\n", encoding="utf-8")
        made = config(
            MIRROR_DATA="/srv/data",
            MIRROR_DB="postgresql://db/mirror",
            MIRROR_PATH="{outlet}/{article_id}.md",
            MIRROR_MAX_LIST_PAGES="7",
            MIRROR_THEME="classic",
            MIRROR_THEME_DIR=str(tmp_path),
            MIRROR_IMAGES="remote",
            MIRROR_LINKS="keep",
            MIRROR_BASE_URL="https://host.example/mirror/",
            MIRROR_HOMES=" https://b.example/m/ \n https://host.example/mirror http://[::1]:80/~m https://b.example/m ",
            MIRROR_LANGUAGE="en",
            MIRROR_NAVIGATION="[首页]({root})",
            MIRROR_FOOTER=f"@{footer}",
            MIRROR_COUNTER="https://count.example/",
            MIRROR_TITLE="镜像\r\n",
        )
        assert (made.database, made.path, made.max_list_pages) == (
            "postgresql://db/mirror",
            "{outlet}/{article_id}.md",
            7,
        )
        assert made.pages == PageOptions(
            theme="classic",
            theme_dir=tmp_path,
            images="remote",
            links="keep",
            base_url="https://host.example/mirror",
            homes=("https://b.example/m", "http://[::1]:80/~m"),
            language="en",
            navigation="[首页]({root})",
            footer="一行\n两行",
            counter="https://count.example/",
            title="镜像",
        )

    def test_of_a_scheduled_life(self) -> None:
        made = config(
            MIRROR_REVISIT_HOURS="0",
            MIRROR_BUSY="wait",
            MIRROR_LOG="json",
            MIRROR_HOOK_COMMAND="mail -s 'a mirror' me",
            MIRROR_HOOK_URL="https://user:word@hooks.example/x?token=1",
        )
        assert (made.revisit_hours, made.waits_when_busy, made.logs_json) == (0, True, True)
        assert made.hook_command == "mail -s 'a mirror' me"
        assert made.hook_url == "https://user:word@hooks.example/x?token=1"

    def test_of_pages_that_scripts_build(self) -> None:
        made = config()
        assert (made.render, made.render_wait) == ("declared", 10)
        made = config(MIRROR_RENDER="splash", MIRROR_RENDER_WAIT="60")
        assert (made.render, made.render_wait) == ("splash", 60)

    def test_of_a_schedule(self, tmp_path: Path) -> None:
        assert (config().schedule, config().jitter) == ("", 60)
        file = tmp_path / "schedule"
        file.write_text("ntdtv @daily\nepochtimes @hourly\n")
        made = config(MIRROR_SCHEDULE=f"@{file}", MIRROR_JITTER="0")
        assert (made.schedule, made.jitter) == ("ntdtv @daily\nepochtimes @hourly", 0)

    @pytest.mark.parametrize(
        ("name", "secret"), [("MIRROR_HOOK_URL", "https://hooks.example/4f1c"), ("MIRROR_HOOK_COMMAND", "tell me")]
    )
    def test_a_secret_in_a_file(self, tmp_path: Path, name: str, secret: str) -> None:
        (tmp_path / "secret").write_text(f"{secret}\n")
        assert getattr(config(**{name: f"@{tmp_path / 'secret'}"}), name.removeprefix("MIRROR_").lower()) == secret

    @pytest.mark.parametrize(
        ("name", "value"), [("MIRROR_HOOK_URL", "hooks.example/?token=secret"), ("MIRROR_HOOK_COMMAND", "'secret")]
    )
    def test_a_refused_hook_is_not_shown(self, name: str, value: str) -> None:
        with pytest.raises(SettingError) as caught:
            config(**{name: value})
        assert str(caught.value).startswith(f"{name}: ")
        assert "secret" not in str(caught.value)

    @pytest.mark.parametrize(
        "address", ["https://me:secret@a.example/m", "https://secret@a.example/m", "ftp://a:secret@b?c"]
    )
    def test_an_address_that_every_page_shows_holds_no_secret(self, address: str) -> None:
        first = {"MIRROR_BASE_URL": "https://a.example"}
        for changes in ({"MIRROR_BASE_URL": address}, {**first, "MIRROR_HOMES": address}):
            with pytest.raises(SettingError, match="must not contain a user name or password") as caught:
                config(**changes)
            assert "secret" not in str(caught.value)

    def test_database_lies_in_the_data_directory(self) -> None:
        assert config(MIRROR_DATA="/srv/data").database == "sqlite:////srv/data/mirror.db"

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"MIRROR_PATH": "{outlet}.md"}, "MIRROR_PATH: '{outlet}.md' must contain"),
            ({"MIRROR_MAX_LIST_PAGES": "0"}, "MIRROR_MAX_LIST_PAGES=0: use a whole number from 1"),
            (
                {"MIRROR_REVISIT_HOURS": "999999999999"},
                "MIRROR_REVISIT_HOURS=999999999999: use a whole number from 0 to 87840",
            ),
            ({"MIRROR_MAX_LIST_PAGES": "many"}, "MIRROR_MAX_LIST_PAGES=many: use a whole number"),
            ({"MIRROR_MAX_LIST_PAGES": ""}, "MIRROR_MAX_LIST_PAGES=: use a whole number"),
            ({"MIRROR_REVISIT_HOURS": "-1"}, "MIRROR_REVISIT_HOURS=-1: use a whole number from 0"),
            ({"MIRROR_REVISIT_HOURS": "1.5"}, "MIRROR_REVISIT_HOURS=1.5: use a whole number from 0"),
            ({"MIRROR_BUSY": ""}, "MIRROR_BUSY=: use leave or wait"),
            ({"MIRROR_LOG": "JSON"}, "MIRROR_LOG=JSON: use human or json"),
            ({"MIRROR_HOOK_URL": "@/no/such"}, "MIRROR_HOOK_URL=@/no/such: cannot read the file"),
            ({"MIRROR_JITTER": "86401"}, "MIRROR_JITTER=86401: use a whole number from 0 to 86400"),
            ({"MIRROR_HOOK_COMMAND": " "}, "MIRROR_HOOK_COMMAND: holds no command"),
            ({"MIRROR_RENDER": ""}, "MIRROR_RENDER=: use declared or splash or none"),
            ({"MIRROR_RENDER_WAIT": "61"}, "MIRROR_RENDER_WAIT=61: use a whole number from 1 to 60"),
            ({"MIRROR_IMAGES": "all"}, "MIRROR_IMAGES=all: use local or remote or none"),
            ({"MIRROR_IMAGE_WIDTH": "15"}, "MIRROR_IMAGE_WIDTH=15: use a whole number from 16"),
            ({"MIRROR_IMAGE_WIDTH": "16384"}, "MIRROR_IMAGE_WIDTH=16384: use a whole number from 16 to 16383"),
            ({"MIRROR_IMAGES_PER_ARTICLE": "-1"}, "MIRROR_IMAGES_PER_ARTICLE=-1: use a whole number from 0"),
            ({"MIRROR_IMAGE_MAX_BYTES": "8 MB"}, "MIRROR_IMAGE_MAX_BYTES=8 MB: use a number of bytes, such as"),
            ({"MIRROR_IMAGES_PER_RUN_BYTES": ""}, "MIRROR_IMAGES_PER_RUN_BYTES=: use a number of bytes, such as"),
            ({"MIRROR_LINKS": "live"}, "MIRROR_LINKS=live: use neutral or keep"),
            ({"MIRROR_THEME_DIR": "/no/such"}, "MIRROR_THEME_DIR=/no/such: no such directory"),
            ({"MIRROR_BASE_URL": "host.example"}, "MIRROR_BASE_URL=host.example: must be the http(s) address"),
            ({"MIRROR_BASE_URL": "javascript:x"}, "MIRROR_BASE_URL=javascript:x: must be"),
            ({"MIRROR_BASE_URL": "https://"}, "MIRROR_BASE_URL=https://: must be"),
            ({"MIRROR_BASE_URL": "https://[::/m"}, "MIRROR_BASE_URL=https://[::/m: must be"),
            ({"MIRROR_BASE_URL": "https://a.example/m?raw"}, "MIRROR_BASE_URL=https://a.example/m?raw: must be"),
            ({"MIRROR_BASE_URL": "https://a.example/m#top"}, "MIRROR_BASE_URL=https://a.example/m#top: must be"),
            ({"MIRROR_BASE_URL": "https://a.example/a b"}, "MIRROR_BASE_URL=https://a.example/a b: must be"),
            ({"MIRROR_BASE_URL": f"https://a.example/{'a' * 500}"}, "MIRROR_BASE_URL=https://a.example/aaaaaa"),
            ({"MIRROR_HOMES": "https://a.example"}, "MIRROR_HOMES: are the other addresses of the mirror; set"),
            (
                {"MIRROR_BASE_URL": "https://a.example", "MIRROR_HOMES": "https://b.example c.example"},
                "MIRROR_HOMES=c.example: must be the http(s) address",
            ),
            ({"MIRROR_LANGUAGE": "zh"}, "MIRROR_LANGUAGE=zh: use zh-Hans or zh-Hant or en"),
            ({"MIRROR_NAVIGATION": "a\nb"}, "MIRROR_NAVIGATION: must be one line"),
            ({"MIRROR_NAVIGATION": "a\rb"}, "MIRROR_NAVIGATION: must be one line"),
            ({"MIRROR_TITLE": "镜\u2028像"}, "MIRROR_TITLE: must be one line"),
            ({"MIRROR_TITLE": "镜\n\n# 像"}, "MIRROR_TITLE: must be one line"),
            ({"MIRROR_COUNTER": "https://count.example/\n)"}, "MIRROR_COUNTER: must be one line"),
            ({"MIRROR_BUSY": "leave\nnow"}, "MIRROR_BUSY=leave now: use leave or wait"),
            ({"MIRROR_FOOTER": "@/no/such.md"}, "MIRROR_FOOTER=@/no/such.md: cannot read the file"),
        ],
    )
    def test_refused(self, changes: dict[str, str], message: str) -> None:
        with pytest.raises(SettingError) as caught:
            config(**changes)
        assert str(caught.value).startswith(message)
        assert "\n" not in str(caught.value)


class TestRenderer:
    def test_of_the_pages(self) -> None:
        assert isinstance(config(MIRROR_THEME="classic").renderer(), Renderer)

    def test_unknown_theme(self) -> None:
        with pytest.raises(SettingError, match=r"^MIRROR_THEME or MIRROR_THEME_DIR: theme 'blue' is unknown"):
            config(MIRROR_THEME="blue").renderer()

    def test_broken_template(self, tmp_path: Path) -> None:
        (tmp_path / "github").mkdir()
        (tmp_path / "github" / "article.md.j2").write_text("{{ title", encoding="utf-8")
        with pytest.raises(SettingError, match=r"^MIRROR_THEME or MIRROR_THEME_DIR: template"):
            config(MIRROR_THEME_DIR=str(tmp_path)).renderer()


class TestPrepare:
    def test_makes_both_directories(self, tmp_path: Path) -> None:
        made = config(MIRROR_DATA=str(tmp_path / "a" / "data"), MIRROR_OUTPUT=str(tmp_path / "b" / "output"))
        made.prepare()
        made.prepare()
        assert made.data.is_dir()
        assert made.output.is_dir()

    @pytest.mark.parametrize("name", ["MIRROR_DATA", "MIRROR_OUTPUT"])
    def test_a_file_in_the_way(self, tmp_path: Path, name: str) -> None:
        (tmp_path / "file").touch()
        made = config(
            **{"MIRROR_DATA": str(tmp_path / "data"), "MIRROR_OUTPUT": str(tmp_path / "output")}
            | {name: str(tmp_path / "file" / "x")}
        )
        with pytest.raises(SettingError, match=f"^{name}=.*file/x: .*: Not a directory; .* or set another"):
            made.prepare()

    @pytest.mark.parametrize("name", ["data", "output"])
    def test_a_directory_that_is_not_ours(self, tmp_path: Path, name: str) -> None:
        made = config(MIRROR_DATA=str(tmp_path / "data"), MIRROR_OUTPUT=str(tmp_path / "output"))
        with (
            mock.patch("os.access", lambda path, _mode: path != tmp_path / name),
            pytest.raises(SettingError) as refused,
        ):
            made.prepare()
        assert str(refused.value) == (
            f"MIRROR_{name.upper()}={tmp_path / name}: cannot be written: Permission denied; make it this user's"
            f" (chown -R {os.geteuid()}:{os.getegid()}), or set another directory"
        )

    def test_a_file_system_that_is_mounted_read_only(self, tmp_path: Path) -> None:
        made = config(MIRROR_DATA=str(tmp_path / "data"), MIRROR_OUTPUT=str(tmp_path / "output"))
        with (
            mock.patch("os.statvfs", return_value=mock.Mock(f_flag=os.ST_RDONLY)),
            pytest.raises(SettingError, match="/data: cannot be written: Read-only file system; mount it so that"),
        ):
            made.prepare()

    @pytest.mark.parametrize("data", ["output", "output/data", "output/../output/x/data"])
    def test_private_data_may_not_be_published(self, tmp_path: Path, data: str) -> None:
        made = config(MIRROR_DATA=str(tmp_path / data), MIRROR_OUTPUT=str(tmp_path / "output"))
        with pytest.raises(SettingError, match=re.escape(f"MIRROR_DATA={tmp_path / data}: lies inside MIRROR_OUTPUT=")):
            made.prepare()

    def test_output_inside_the_data_is_private_too(self, tmp_path: Path) -> None:
        made = config(MIRROR_DATA=str(tmp_path), MIRROR_OUTPUT=str(tmp_path / "output"))
        made.prepare()
        assert made.output.is_dir()
