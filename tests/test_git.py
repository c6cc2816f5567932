"""Running git: what it gets to know, what is heard of it, and when it is ended."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

import pytest

from mirror_crawler import git
from mirror_crawler.git import Answer, GitError


@pytest.fixture
def pretend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program in the place of git; the test writes what it does."""
    program = tmp_path / "bin" / "git"
    program.parent.mkdir()
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    program.touch(stat.S_IRWXU)
    return program


def test_the_environment(pretend: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend.write_text("#!/bin/sh\nenv\n", encoding="utf-8")
    for name in filter(re.compile("GIT_|MIRROR_|SSH_").match, list(os.environ)):
        monkeypatch.delenv(name)
    for name in ("GIT_DIR", "GIT_TRACE", "GIT_CONFIG_COUNT", "MIRROR_REMOTES", "GIT_SSH_COMMAND", "SSH_AUTH_SOCK"):
        monkeypatch.setenv(name, "theirs")
    answer = git.ask(tmp_path, "push", config=[("a.b", "c"), ("a.b", "")], secrets={"MIRROR_REMOTE_USER": "me"})
    told = dict(line.split("=", 1) for line in answer.out.decode().splitlines() if "=" in line)
    ours = {name: value for name, value in told.items() if name.startswith(("GIT_", "MIRROR_", "SSH_"))}
    assert ours == {
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "",
        "GIT_SSH_COMMAND": "theirs",
        "SSH_AUTH_SOCK": "theirs",
        "SSH_ASKPASS": "",
        "SSH_ASKPASS_REQUIRE": "never",
        "MIRROR_REMOTE_USER": "me",
        "GIT_CONFIG_COUNT": "2",
        "GIT_CONFIG_KEY_0": "a.b",
        "GIT_CONFIG_VALUE_0": "c",
        "GIT_CONFIG_KEY_1": "a.b",
        "GIT_CONFIG_VALUE_1": "",
    }
    assert told["LC_ALL"] == "C"


def test_a_time_limit_ends_all_that_it_started(pretend: Path, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    pretend.write_text(f"#!/bin/sh\n(sleep 1; touch {mark}) &\nsleep 60\n", encoding="utf-8")
    answer = git.ask(tmp_path, "push", seconds=0.2)
    assert (answer.code, answer.reason) == (None, "it took too long")
    assert not mark.exists()


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("fatal: no\n\nfatal: no\nhint: pull\n", "fatal: no"),
        (
            "To /srv/m\nremote: \nremote: too   large        \nerror: failed to push some refs to 'x'\n",
            "remote: too large",
        ),
        ("", "git ended with 128"),
        ("fatal: \x1b[31mred\x1b[0m\x07 \x9bx\n", "fatal: red x"),
        ("fatal: " + "x" * 400, "fatal: " + "x" * 292 + "…"),
    ],
)
def test_reason(said: str, reason: str) -> None:
    assert Answer(128, b"", said).reason == reason


def test_what_must_succeed(tmp_path: Path) -> None:
    with pytest.raises(GitError, match=r"^git rev-parse: fatal: not a git repository"):
        git.tell(tmp_path / "none", "rev-parse", "HEAD")


def test_talk_that_ends_early(tmp_path: Path) -> None:
    def write_for_ever() -> None:
        with git.talk(tmp_path, "rev-parse") as (to, _):
            while True:
                to.write(b"x" * 65536)

    with pytest.raises(GitError, match=r"^git rev-parse: fatal: not a git"):
        write_for_ever()


def test_talk_that_the_caller_breaks_off(tmp_path: Path) -> None:
    git.tell(tmp_path, "init", "--quiet", "--bare", str(tmp_path))

    def break_off() -> None:
        with git.talk(tmp_path, "cat-file", "--batch-check") as (to, out):
            to.write(b"HEAD\n")
            to.flush()
            assert out.readline() == b"HEAD missing\n"
            to.write(b"HEAD\n")  # waits in our buffer, for nobody
            raise KeyError

    with pytest.raises(KeyError):
        break_off()


def test_no_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git.check_installed()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitError, match="git is not installed; install it"):
        git.check_installed()
    with pytest.raises(GitError, match="git cannot be started: No such file"):
        git.ask(tmp_path, "init")
