"""``mirror.toml``: the operator's words, and one line for each mistake in it. Pages speak three languages."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest
from scrapy.settings import Settings

from mirror_crawler.config import MirrorConfig, SettingError
from mirror_crawler.history import changes
from mirror_crawler.labels import LABELS, Labels, labels_of
from mirror_crawler.markup.embeds import _EMBED_FORMS
from mirror_crawler.render import PageOptions, Renderer
from mirror_crawler.theme import FILE, Words, read_words
from tests.test_render import ARTICLE, FRONT, HOME, NUMBERED, OUTLET_FRONT, PLACE, REVISED

DOCS = Path(__file__).parent.parent / "docs" / "themes.md"

EVERYTHING = """
title = "江城镜像"
navigation = "[回家]({root}/README.md)"
footer = \"\"\"
第一行

第二行
\"\"\"

[labels.zh-Hans]
home = "主页"
page = "之{number}"

[labels.zh-Hans.embeds]
youtube = "油管"

[labels.en]
older = "Before that"
counts.added = "{count} more"
"""


def words_of(directory: Path, text: str) -> Words:
    (directory / FILE).write_text(text, encoding="utf-8")
    return read_words(directory)


class TestReading:
    def test_no_file(self, tmp_path: Path) -> None:
        assert read_words(tmp_path) == Words()
        assert Words().labels == LABELS

    def test_an_empty_file(self, tmp_path: Path) -> None:
        assert words_of(tmp_path, "# nothing yet\n") == Words()

    def test_everything(self, tmp_path: Path) -> None:
        words = words_of(tmp_path, EVERYTHING)
        assert (words.title, words.navigation) == ("江城镜像", "[回家]({root}/README.md)")
        assert words.footer == "第一行\n\n第二行"
        simplified, traditional, english = (words.labels[language] for language in LABELS)
        assert (simplified.home, simplified.page, simplified.older) == ("主页", "之{number}", "更早")
        assert simplified.embed_named("youtube") == "▶ 油管"
        assert simplified.embed_named("vimeo") == "▶ Vimeo 视频"
        assert traditional == LABELS["zh-Hant"]
        assert (english.older, english.counts["added"], english.counts["removed"]) == (
            "Before that",
            "{count} more",
            "{count} removed",
        )

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            pytest.param("title = 江城", "Invalid value (at line 1, column 9)", id="no-toml"),
            pytest.param("naviagtion = ''", "naviagtion is unknown; there are footer, labels, nav", id="unknown-key"),
            pytest.param("title = 1", "title must be a text in quotes", id="number"),
            pytest.param("footer = ['a']", "footer must be a text in quotes", id="list"),
            pytest.param("title = 'a\\nb'\n", None, id="a-backslash-is-no-line-end"),
            pytest.param('title = "a\\nb"', "title must be one line", id="two-lines"),
            pytest.param('title = "a\\rb"', "title must be one line", id="two-lines-of-another-system"),
            pytest.param('navigation = "a\\nb"', "navigation must be one line", id="two-lines-of-navigation"),
            pytest.param("labels = 'x'", "labels must be a table: [labels]", id="labels-no-table"),
            pytest.param("[labels.fr]", "labels.fr is unknown; there are en, zh-Hans, zh-Hant", id="language"),
            pytest.param("labels.en = 'x'", "labels.en must be a table: [labels.en]", id="language-no-table"),
            pytest.param("labels.en.hom = 'x'", "labels.en.hom is unknown; there are added, after, back", id="label"),
            pytest.param("labels.en.home = 1", "labels.en.home must be a text in quotes", id="label-number"),
            pytest.param("labels.en.home = ' '", "labels.en.home must be one line that says something", id="blank"),
            pytest.param('labels.en.home = "a\\nb"', "labels.en.home must be one line that", id="label-lines"),
            pytest.param("labels.en.parts.text = ''", None, id="blank-where-ours-is"),
            pytest.param("labels.en.embeds = 'x'", "labels.en.embeds must be a table", id="table-of-labels"),
            pytest.param("labels.en.embeds.tv = 'x'", "labels.en.embeds.tv is unknown; there are audio", id="kind"),
            pytest.param(
                "labels.en.page = 'p. {count}'", "labels.en.page has unknown {count}; there are {number}", id="field"
            ),
            pytest.param("labels.en.page = '{number!r}'", "labels.en.page has unknown {number!r}", id="conversion"),
            pytest.param("labels.en.page = '{number:>9999999}'", "labels.en.page has unknown {number:>", id="spec"),
            pytest.param(
                "labels.en.page = '{number.real}'", "labels.en.page has unknown {number.real}", id="attribute"
            ),
            pytest.param("labels.en.page = '{'", "labels.en.page: Single '{' encountered", id="brace"),
            pytest.param("labels.en.page = 'page'", None, id="field-left-out"),
            pytest.param("labels.en.home = '{'", None, id="brace-where-nothing-is-filled-in"),
        ],
    )
    def test_a_mistake_is_one_line(self, tmp_path: Path, text: str, message: str | None) -> None:
        if message is None:
            assert words_of(tmp_path, text) != Words() or "parts" in text
            return
        with pytest.raises(ValueError, match=re.escape(f"{tmp_path}/{FILE}: {message}")) as caught:
            words_of(tmp_path, text)
        assert "\n" not in str(caught.value)

    def test_another_encoding(self, tmp_path: Path) -> None:
        (tmp_path / FILE).write_bytes('title = "江城"'.encode("gbk"))
        with pytest.raises(ValueError, match=r"mirror\.toml: is not UTF-8$"):
            read_words(tmp_path)

    def test_a_directory(self, tmp_path: Path) -> None:
        (tmp_path / FILE).mkdir()
        with pytest.raises(ValueError, match=r"mirror\.toml: Is a directory$"):
            read_words(tmp_path)

    def test_the_example_of_the_docs(self, tmp_path: Path) -> None:
        (example,) = re.findall(r"```toml\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
        words = words_of(tmp_path, example)
        assert words.title
        assert words.navigation
        assert words.footer
        assert words.labels != LABELS


class TestDocs:
    def test_every_label_is_listed(self) -> None:
        rows = re.findall(
            r"^\| `([\w.]+)` \| (.*) \| (.*) \|$", DOCS.read_text(encoding="utf-8").split("## All labels")[1], re.M
        )
        listed = {name: (simplified, english) for name, simplified, english in rows}
        words = zip(flat(LABELS["zh-Hans"]).items(), flat(LABELS["en"]).values(), strict=True)
        assert {name: [text.strip("`") for text in texts] for name, texts in listed.items()} == {
            name: [simplified, english] for (name, simplified), english in words
        }

    @pytest.mark.untraced
    def test_the_complete_theme_is_one(self, tmp_path: Path) -> None:
        files = re.findall(r"^`themes/(\S+)`\n\n```jinja\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.M | re.DOTALL)
        assert len(files) == 3
        for name, text in files:
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(text, encoding="utf-8")
        renderer = Renderer(PageOptions(theme="plain", theme_dir=tmp_path, base_url="https://e.example"))
        page = renderer.article(REVISED[-1], PLACE)
        assert "[原站改过 3 次](n13465147.history.md)" in page
        assert page.endswith("![二维码](n13465147.md.png)\n")
        assert renderer.home(HOME).startswith("# 新闻镜像\n")
        assert renderer.list_page(FRONT).startswith("# 大陆新闻")


def flat(labels: Labels) -> dict[str, str]:
    """The labels by the names that they have in the file."""
    texts: dict[str, str] = {}
    for field in dataclasses.fields(labels):
        value = getattr(labels, field.name)
        texts |= {field.name: value} if isinstance(value, str) else {f"{field.name}.{k}": v for k, v in value.items()}
    return texts


def config(**settings: str) -> MirrorConfig:
    made = Settings()
    made.setmodule("mirror_crawler.settings")
    made.update(settings)
    return MirrorConfig.from_settings(made)


class TestSettings:
    def test_the_file_is_read(self, tmp_path: Path) -> None:
        words = words_of(tmp_path, EVERYTHING)
        pages = config(MIRROR_THEME_DIR=str(tmp_path)).pages
        assert (pages.title, pages.navigation, pages.footer) == (words.title, words.navigation, words.footer)
        assert pages.labels == words.labels

    def test_settings_win(self, tmp_path: Path) -> None:
        words_of(tmp_path, EVERYTHING)
        own = {"MIRROR_TITLE": "甲", "MIRROR_NAVIGATION": "乙", "MIRROR_FOOTER": "丙"}
        pages = config(MIRROR_THEME_DIR=str(tmp_path), **own).pages
        assert (pages.title, pages.navigation, pages.footer) == ("甲", "乙", "丙")

    def test_a_mistake_names_the_setting_and_the_file(self, tmp_path: Path) -> None:
        (tmp_path / FILE).write_text("titel = ''", encoding="utf-8")
        with pytest.raises(SettingError, match=rf"^MIRROR_THEME_DIR: {tmp_path}/mirror\.toml: titel is unknown"):
            config(MIRROR_THEME_DIR=str(tmp_path))

    def test_the_file_is_part_of_the_look(self, tmp_path: Path) -> None:
        looks = [config(MIRROR_THEME_DIR=str(tmp_path)).renderer().look]
        for text in ("", "title = '甲'", "labels.en.home = 'H'"):
            words_of(tmp_path, text)
            looks.append(config(MIRROR_THEME_DIR=str(tmp_path)).renderer().look)
        assert looks[0] == looks[1]  # a file that says nothing changes no page
        assert len(set(looks)) == 3
        assert config(MIRROR_THEME_DIR=str(tmp_path)).renderer().look == looks[-1]

    def test_a_picture_beside_the_templates_is_no_template(self, tmp_path: Path) -> None:
        (tmp_path / "logo.png").write_bytes(b"\x89PNG\xff")
        assert config(MIRROR_THEME_DIR=str(tmp_path)).renderer().look


class TestPages:
    def test_the_words_stand_on_the_pages(self, tmp_path: Path) -> None:
        words_of(tmp_path, EVERYTHING)
        renderer = config(MIRROR_THEME_DIR=str(tmp_path)).renderer()
        home = renderer.home(HOME)
        assert home.startswith("# 江城镜像\n\n[回家](./README.md)\n")
        assert home.endswith("\n---\n\n第一行\n\n第二行\n")
        assert renderer.list_page(NUMBERED).startswith("# 大陆新闻 · 大纪元 · 之12\n\n[主页](")
        assert "▶ 油管" in renderer.article(ARTICLE, PLACE)

    @pytest.mark.parametrize("theme", ["github", "classic"])
    def test_in_english(self, theme: str) -> None:
        renderer = Renderer(PageOptions(theme=theme, base_url="https://e.example", homes=("https://f.example",)))
        article = dataclasses.replace(
            ARTICLE, title="A title", authors=["A. Lin", "B. Zhou"], language="en", revision=4, body_html="<p>Text</p>"
        )
        page = renderer.article(article, PLACE)
        assert "Original (blocked in mainland China): " in page
        assert "[Changed by the outlet: 3×](n13465147.history.md)" in page
        assert "Other addresses of this page:" in page
        if theme == "github":
            assert "2021-12-29 10:35 Beijing time · A. Lin, B. Zhou · [" in page
            assert "\nTags: [荷花坊]" in page
        told = renderer.history(dataclasses.replace(REVISED[-1], language="en"), PLACE, changes(REVISED[:2]))
        assert "Compared with version 1 (2021-12-29 11:00 Beijing time): 3 changed, 1 added, 2 removed." in told
        assert "> Before: " in told
        assert told.startswith("# Changes: ")

    def test_home_and_lists_in_english(self) -> None:
        renderer = Renderer(PageOptions())
        home = renderer.home(dataclasses.replace(HOME, language="en"))
        assert home.startswith("# News mirror\n")
        assert "\nSections: [大陆新闻]" in home
        assert "\nOlder: [12]" in renderer.list_page(dataclasses.replace(FRONT, language="en"))
        assert "page 12\n\n[Home](" in renderer.list_page(dataclasses.replace(NUMBERED, language="en"))

    @pytest.mark.parametrize("language", ["en", "en-GB"])
    def test_no_chinese_is_left_in_english(self, language: str) -> None:
        renderer = Renderer(PageOptions(base_url="https://e.example", homes=("https://f.example",), title="T"))
        article = dataclasses.replace(
            REVISED[-1], title="A", authors=["B"], tags=[], section=None, body_html="<p>C</p>", language=language
        )
        place = dataclasses.replace(PLACE, outlet=dataclasses.replace(PLACE.outlet, title="D"), section=None, tags=())
        page = renderer.article(article, place)
        assert re.findall(r"[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]", page) == []

    def test_the_list_of_tags_has_a_name(self) -> None:
        assert "[标签](tags/README.md)" in Renderer(PageOptions()).list_page(OUTLET_FRONT)


class TestLanguages:
    @pytest.mark.parametrize(
        ("language", "home"),
        [
            ("zh-Hans", "首页"),
            ("zh", "首页"),
            ("ja", "首页"),
            ("zh-Hant", "首頁"),
            ("zh-TW", "首頁"),
            ("zh-hk", "首頁"),
            ("zh-MO", "首頁"),
            ("en", "Home"),
            ("EN-us", "Home"),
        ],
    )
    def test_words_of_a_language(self, language: str, home: str) -> None:
        assert labels_of(language).home == home

    def test_each_language_names_the_same_embeds_and_more_than_one(self) -> None:
        for labels in LABELS.values():
            assert labels.embeds.keys() == LABELS["zh-Hans"].embeds.keys()
            assert labels.embeds.keys() == _EMBED_FORMS.keys() - {"frame"}
            assert labels.counts.keys() == {"changed", "added", "removed"}
            assert labels.parts.keys() == LABELS["zh-Hans"].parts.keys()

    def test_each_language_fills_in_the_same(self) -> None:
        """An operator who translates a label must not have to find out which fields it takes."""
        for field in dataclasses.fields(LABELS["zh-Hans"]):
            texts = [getattr(labels, field.name) for labels in LABELS.values()]
            fields = [set(re.findall(r"{\w+}", str(text))) for text in texts]
            assert fields[0] == fields[1] == fields[2], field.name
