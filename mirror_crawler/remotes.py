"""Where a mirror is pushed to: addresses taken apart, so nothing secret in them is shown or stands on a command line.

Pure. git gets the address without user and password, and these through a credential helper that reads them from the
environment.
"""

from __future__ import annotations

import base64
import dataclasses
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from mirror_crawler.volumes import VOLUME

NICKNAME = "mirror-crawler"
"""What git calls the remote that it is given."""

_SCHEMES = ("https", "http", "ssh", "git", "file")
_SSH_FORM = re.compile(r"(?:([\w.~+-]+)@)?([\w.-]+|\[[0-9a-fA-F:.]+\]):(?!//)(.+)")
_HELPER = (
    '!f() { if test "$1" = get; then'
    ' printf \'username=%s\\npassword=%s\\n\' "$MIRROR_REMOTE_USER" "$MIRROR_REMOTE_PASSWORD"; fi; }; f'
)
_BRANCH = re.compile(r"(?!.*(?:\.\.|//|/\.|\.lock(?:/|$)|@\{))[\w][\w./+@-]*(?<![./])")
_AUTHOR = re.compile(r"[^<>\x00-\x1f\x7f]*[^<>\s\x00-\x1f\x7f] <[^<>\s\x00-\x1f\x7f]*>")
_USER_INFO = re.compile(r"(?<=://)[^/\s@'\"]+@")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """A repository at a host.

    ``name`` is for people and ``address`` for git; neither has user or password. Both may hold ``{volume}``.
    """

    name: str
    address: str
    user: str = dataclasses.field(default="", repr=False)
    password: str = dataclasses.field(default="", repr=False)

    def of(self, volume: int) -> Remote:
        """The repository of a volume."""
        name, address = (text.replace(VOLUME, str(volume)) for text in (self.name, self.address))
        return dataclasses.replace(self, name=name, address=address)

    @property
    def config(self) -> list[tuple[str, str]]:
        """What git has to know of it."""
        pairs = [(f"remote.{NICKNAME}.url", self.address)]
        if self.user or self.password:
            pairs += [("credential.helper", ""), ("credential.helper", _HELPER)]  # the empty one: nobody else's
        return pairs

    @property
    def secrets(self) -> Mapping[str, str]:
        """The variables that the helper reads."""
        return {"MIRROR_REMOTE_USER": self.user, "MIRROR_REMOTE_PASSWORD": self.password}

    def redacted(self, text: str) -> str:
        """What somebody said about it, without what is secret of it in any spelling.

        That is the password; the user when there is none, for then it is a token.
        """
        secret = self.password or self.user
        both = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        for spelling in (both, quote(secret, safe=""), quote(secret), secret):
            text = text.replace(spelling, "…") if secret else text
        return _USER_INFO.sub("", text)


def read_remotes(text: str) -> tuple[Remote, ...]:
    """The remotes in a text, apart by white space, each once.

    Raises ValueError, with the mend, for what is no address. The message does not repeat it: it may hold a secret.
    """
    remotes = []
    for number, address in enumerate(text.split(), 1):
        try:
            remotes.append(_read(address))
        except ValueError as error:
            raise ValueError(f"address {number}: {error}") from None
    return tuple(dict.fromkeys(remotes))


def _read(address: str) -> Remote:
    if not address.isprintable():
        raise ValueError("has a character that an address cannot have")
    if "://" in address:
        return _read_url(address)
    if address.startswith("-"):
        raise ValueError("begins with '-'; give an address such as https://host/me/mirror.git")
    if match := _SSH_FORM.fullmatch(address):
        _, host, path = match.groups()
        _check_path(path)
        return Remote(name=f"{host}:{path}", address=address)
    if address.startswith("//"):
        raise ValueError("begins with '//'; give an address such as https://host/me/mirror.git")
    place = str(Path(address).absolute())
    return Remote(name=place, address=place)


def _read_url(address: str) -> Remote:
    parts = urlsplit(address)
    if parts.scheme not in _SCHEMES:
        raise ValueError(f"must begin with {', '.join(f'{scheme}://' for scheme in _SCHEMES)} or be a directory")
    if parts.query or parts.fragment:
        raise ValueError("holds '?' or '#', which addresses of repositories do not have; a token goes before the host")
    if not parts.path.strip("/") or (parts.scheme != "file" and not parts.hostname):
        raise ValueError("names no repository at a host")
    if parts.scheme != "file":
        _check_path(parts.path)
    info, _, host = parts.netloc.rpartition("@")
    user, _, password = (unquote(part) for part in info.partition(":"))
    if not (user + password + "x").isprintable():
        raise ValueError("has a character in its user or password that cannot be passed on")
    plain = f"{parts.scheme}://{host}{parts.path}"
    if parts.scheme in ("http", "https"):
        return Remote(name=plain, address=plain, user=user, password=password)
    if password:
        raise ValueError(f"{parts.scheme}:// takes no password; use a key")
    return Remote(name=plain, address=address)


def _check_path(path: str) -> None:
    """A user and password that a slip has put into the path would be shown."""
    if "@" in path:
        raise ValueError("has '@' behind the host; begin with https://, and write '/' of a password as %2F")


def check_branch(branch: str) -> None:
    """Raise ValueError when git would not take a name as that of a branch."""
    if not _BRANCH.fullmatch(branch) or branch == "HEAD":
        raise ValueError("must be the name of a branch, such as main")


def check_author(author: str) -> None:
    """Raise ValueError when a text is no author of commits."""
    if not _AUTHOR.fullmatch(author):
        raise ValueError("must be a name and an address, such as Mirror <mirror@localhost>")


def without_volume(remotes: Iterable[Remote]) -> list[str]:
    """The names of those remotes that are the same for each volume."""
    return [remote.name for remote in remotes if VOLUME not in remote.address]
