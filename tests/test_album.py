"""Where pictures are kept: one file for each content, whole or not at all."""

from __future__ import annotations

import hashlib
from pathlib import Path
from unittest import mock

import pytest

from mirror_crawler.album import Album, find_whole, read_whole
from mirror_crawler.paths import asset_path

CONTENT = b"RIFF and so on"
NAME = hashlib.sha256(CONTENT).hexdigest()[:32]


@pytest.fixture
def album(tmp_path: Path) -> Album:
    return Album(tmp_path / "images")


def test_name_is_that_of_the_content(album: Album) -> None:
    assert album.put(CONTENT) == NAME
    assert album.place(NAME) == album.root / NAME[:2] / NAME[2:4] / f"{NAME}.webp"
    assert album.place(NAME).read_bytes() == CONTENT
    assert asset_path(NAME) == f"assets/{NAME[:2]}/{NAME[2:4]}/{NAME}.webp"


def test_what_is_kept_is_not_written_again(album: Album) -> None:
    album.put(CONTENT)
    before = written(album)
    assert album.put(CONTENT) == NAME
    assert written(album) == before
    assert len(list(album.root.rglob("*.*"))) == 1


def written(album: Album) -> tuple[int, ...]:
    """All that a file system says of the picture but when it was read last."""
    stat = album.place(NAME).stat()
    return (
        stat.st_mode,
        stat.st_ino,
        stat.st_nlink,
        stat.st_uid,
        stat.st_gid,
        stat.st_size,
        stat.st_mtime_ns,
        stat.st_ctime_ns,
    )


def test_what_is_damaged_is_written_again(album: Album) -> None:
    album.put(CONTENT)
    for damaged in (b"", CONTENT[:-1], CONTENT[:-1] + b"?"):
        album.place(NAME).write_bytes(damaged)
        assert album.put(CONTENT) == NAME
        assert read_whole(album.place(NAME)) == CONTENT


def test_nothing_half_is_left(album: Album) -> None:
    full = OSError(28, "No space left on device")
    with mock.patch("os.fsync", side_effect=full), pytest.raises(OSError, match="space"):
        album.put(CONTENT)
    assert [path for path in album.root.rglob("*") if path.is_file()] == []
    assert album.put(CONTENT) == NAME


def test_read_whole(album: Album) -> None:
    album.put(CONTENT)
    assert read_whole(album.place(NAME)) == CONTENT
    album.place(NAME).write_bytes(CONTENT[:-1])
    assert read_whole(album.place(NAME)) is None
    assert read_whole(album.place("0" * 32)) is None


@pytest.mark.parametrize("error", [IsADirectoryError(21, "Is a directory"), OSError(5, "Input/output error")])
def test_what_cannot_be_read_is_not_whole(album: Album, error: OSError) -> None:
    album.put(CONTENT)
    with mock.patch.object(Path, "read_bytes", side_effect=error):
        assert read_whole(album.place(NAME)) is None


def test_what_may_not_be_read_is_not_taken_for_lost(album: Album) -> None:
    album.put(CONTENT)
    denied = PermissionError(13, "Permission denied")
    with mock.patch.object(Path, "read_bytes", side_effect=denied), pytest.raises(PermissionError):
        read_whole(album.place(NAME))


def test_the_first_that_is_whole(album: Album, tmp_path: Path) -> None:
    files = [tmp_path / number / f"{NAME}.webp" for number in "123"]
    for file, content in zip(files[1:], (CONTENT[:5], CONTENT), strict=True):
        file.parent.mkdir()
        file.write_bytes(content)
    assert find_whole([album.place(NAME), *files]) == files[2]
    assert find_whole(files[:2]) is None
