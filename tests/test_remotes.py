"""Addresses of repositories: what is shown of them, what git is given, and what is refused."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from mirror_crawler import remotes
from mirror_crawler.remotes import Remote, read_remotes


@pytest.mark.parametrize(
    ("text", "name", "address"),
    [
        ("https://host.example/me/m.git", "https://host.example/me/m.git", "https://host.example/me/m.git"),
        ("http://me:pw@h:81/m", "http://h:81/m", "http://h:81/m"),
        ("https://token@h/m", "https://h/m", "https://h/m"),
        ("git@host.example:me/m.git", "host.example:me/m.git", "git@host.example:me/m.git"),
        ("[::1]:m.git", "[::1]:m.git", "[::1]:m.git"),
        ("ssh://git@h:22/me/m.git", "ssh://h:22/me/m.git", "ssh://git@h:22/me/m.git"),
        ("git://127.0.0.1:9418/m", "git://127.0.0.1:9418/m", "git://127.0.0.1:9418/m"),
        ("file:///srv/m.git", "file:///srv/m.git", "file:///srv/m.git"),
        ("/srv/m.git", "/srv/m.git", "/srv/m.git"),
        ("./a:b", str(Path("./a:b").absolute()), str(Path("./a:b").absolute())),
    ],
)
def test_forms(text: str, name: str, address: str) -> None:
    (remote,) = read_remotes(text)
    assert (remote.name, remote.address) == (name, address)


def test_several_each_once() -> None:
    found = read_remotes("\n https://a/m  git@b:m\thttps://a/m ")
    assert [remote.name for remote in found] == ["https://a/m", "b:m"]
    assert read_remotes("") == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ftp://me:hidden@h/m", "address 1: must begin with https://"),
        ("ext::sh -c hidden", "address 2: begins with '-'"),
        ("https://hidden@/m", "address 1: names no repository"),
        ("https://hidden@h/", "address 1: names no repository"),
        ("https://h/m?token=hidden", "holds '?'"),
        ("x-access-token:hidden@127.0.0.1/me/news.git", "has '@' behind the host"),
        ("https:/me:hidden@h/x.git", "has '@' behind the host"),
        ("https:me:hidden@h/x.git", "has '@' behind the host"),
        ("https://me:hid/den@h/x.git", "has '@' behind the host"),
        ("//me:hidden@h/x.git", "begins with '//'"),
        ("https://h/m#hidden", "holds '?'"),
        ("ssh://git:hidden@h/m", "takes no password; use a key"),
        ("https://u%0ahidden@h/m", "cannot be passed on"),
        ("a --upload-pack=hidden", "address 2: begins with '-'"),
        ("https://[hidden/m", "address 1: "),
        ("https://h/m\x01hidden", "a character that an address cannot have"),
    ],
)
def test_what_is_no_address_is_not_repeated(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=r"^address \d: ") as error:
        read_remotes(text)
    assert said in str(error.value)
    assert "hidden" not in str(error.value)


def test_user_and_password_are_for_the_helper_alone() -> None:
    (remote,) = read_remotes("https://m%65:p%40w@h/m")
    assert remote.secrets == {"MIRROR_REMOTE_USER": "me", "MIRROR_REMOTE_PASSWORD": "p@w"}
    assert "p@w" not in repr(remote) + repr(remote.config)
    assert [key for key, _ in remote.config] == ["remote.mirror-crawler.url", "credential.helper", "credential.helper"]
    (public,) = read_remotes("https://h/m")
    assert [key for key, _ in public.config] == ["remote.mirror-crawler.url"]


@pytest.mark.parametrize(
    "text",
    [
        "p@w/1",
        "p%40w%2F1",
        "p%40w/1",
        base64.b64encode(b"me:p@w/1").decode(),
        "see https://me:p@h/x",
        "http://other@h/x",
    ],
)
def test_redacts(text: str) -> None:
    (remote,) = read_remotes("https://me:p%40w%2F1@h/m")
    said = remote.redacted(f"fatal: {text}.")
    assert said in ("fatal: ….", "fatal: see https://h/x.", "fatal: http://h/x.")


def test_a_user_alone_is_a_token() -> None:
    (remote,) = read_remotes("https://t0ken@h/m")
    assert remote.redacted("t0ken me") == "… me"
    assert Remote(name="h", address="h").redacted("anything") == "anything"


def test_volumes() -> None:
    found = read_remotes("https://me:pw@h/m-{volume}.git git@h:m")
    assert found[0].of(3).address == "https://h/m-3.git"
    assert (found[0].of(3).password, found[1].of(3)) == ("pw", found[1])
    assert remotes.without_volume(found) == ["h:m"]


@pytest.mark.parametrize("branch", ["main", "pages/新", "v1.2", "a_b-c+d"])
def test_branches(branch: str) -> None:
    remotes.check_branch(branch)


@pytest.mark.parametrize(
    "branch", ["", "HEAD", "-a", "a..b", "a//b", "/a", "a/", "a.", "a.lock", "a.lock/b", "a b", "a/.b", "a~1"]
)
def test_no_branches(branch: str) -> None:
    with pytest.raises(ValueError, match="name of a branch"):
        remotes.check_branch(branch)


@pytest.mark.parametrize("author", ["Mirror <mirror@localhost>", "编辑 <>", "A. B. <a b>"])
def test_authors(author: str) -> None:
    if author.endswith("b>"):
        with pytest.raises(ValueError, match="a name and an address"):
            remotes.check_author(author)
    else:
        remotes.check_author(author)


@pytest.mark.parametrize("author", ["", "Mirror", "<a@b>", "A <a@b> <c@d>", "A <a@b>\n", "A  b<c>", "A\n <a@b>"])
def test_no_authors(author: str) -> None:
    with pytest.raises(ValueError, match="a name and an address"):
        remotes.check_author(author)
