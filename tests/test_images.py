"""``prepare``: what becomes of a picture, and that nothing that comes can do harm."""

from __future__ import annotations

import io
import random
import struct
import zlib
from typing import Any

import pytest
from PIL import Image, ImageCms, ImageDraw

from mirror_crawler import images
from mirror_crawler.images import FORMATS, ImageError, Prepared, prepare

CAUSES = {"", "no picture", "broken", "truncated", "too small", "too many pixels", "too many scans"}
RED, BLUE, WHITE = (220, 30, 30), (30, 30, 220), (255, 255, 255)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    written = io.BytesIO()
    image.save(written, kind, **options)
    return written.getvalue()


def halves(width: int = 120, height: int = 80) -> Image.Image:
    """Red on the left, blue on the right, white below."""
    image = Image.new("RGB", (width, height), RED)
    draw = ImageDraw.Draw(image)
    draw.rectangle((width // 2, 0, width, height), fill=BLUE)
    draw.rectangle((0, height * 3 // 4, width, height), fill=WHITE)
    return image


def shown(prepared: Prepared) -> Image.Image:
    """What a reader sees."""
    image = Image.open(io.BytesIO(prepared.webp))
    assert image.format == "WEBP"
    assert image.size == (prepared.width, prepared.height)
    assert getattr(image, "n_frames", 1) == 1
    return image.convert("RGB")


def alike(one: Any, other: tuple[int, int, int], within: int = 12) -> bool:
    return all(abs(mine - theirs) <= within for mine, theirs in zip(one, other, strict=True))


def looks_like_halves(image: Image.Image) -> bool:
    width, height = image.size
    points = ((0.25, 0.3, RED), (0.75, 0.3, BLUE), (0.25, 0.9, WHITE), (0.75, 0.9, WHITE))
    return all(alike(image.getpixel((int(width * x), int(height * y))), colour) for x, y, colour in points)


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_by_its_content(kind: str) -> None:
    prepared = prepare(encoded(halves(), kind), width=800)
    assert (prepared.width, prepared.height) == (120, 80)
    assert looks_like_halves(shown(prepared))


@pytest.mark.parametrize("kind", ["ICO", "TIFF", "PPM", "PDF", "TGA", "JPEG2000"])
def test_other_formats_are_no_pictures(kind: str) -> None:
    with pytest.raises(ImageError, match=r"^no picture$"):
        prepare(encoded(halves(), kind), width=800)


class TestSize:
    @pytest.mark.untraced
    @pytest.mark.parametrize(
        ("size", "kept"),
        [
            ((1600, 900), (800, 450)),
            ((801, 601), (800, 600)),
            ((800, 2000), (800, 2000)),
            ((799, 10), (799, 10)),
            ((16, 1), (16, 1)),
            ((4000, 2), (800, 1)),
            ((200, 20_000), (164, 16_383)),
        ],
    )
    def test_never_wider_and_never_enlarged(self, size: tuple[int, int], kept: tuple[int, int]) -> None:
        prepared = prepare(encoded(Image.new("L", size), "PNG"), width=800)
        assert (prepared.width, prepared.height) == kept

    def test_large_jpeg_looks_the_same(self) -> None:
        assert looks_like_halves(shown(prepare(encoded(halves(2400, 1600), "JPEG"), width=300)))

    def test_tiny_ones_count_readers(self) -> None:
        assert prepare(encoded(Image.new("RGB", (15, 16)), "GIF"), width=800).height == 16
        with pytest.raises(ImageError, match=r"^too small$") as raised:
            prepare(encoded(Image.new("RGB", (15, 15)), "GIF"), width=800)
        assert raised.value.lasting

    @pytest.mark.parametrize("kind", ["PNG", "GIF", "BMP"])
    def test_bombs_are_not_decoded(self, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
        def load(_self: Image.Image) -> None:
            raise AssertionError("decoded")

        side = 7_000
        content = {
            "PNG": png_header(side, side),
            "GIF": b"GIF89a\x01\0\x01\0\0\0\0,\0\0\0\0" + struct.pack("<HH", side, side) + b"\0\x02\x02L\x01\0;",
            "BMP": b"BM"
            + struct.pack("<IHHI", 54, 0, 0, 54)
            + struct.pack("<IiiHHIIiiII", 40, side, side, 1, 24, *[0] * 6),
        }[kind]
        monkeypatch.setattr("PIL.ImageFile.ImageFile.load", load)
        monkeypatch.setattr("PIL.GifImagePlugin.GifImageFile.load_prepare", load)
        with pytest.raises(ImageError, match=r"^too many pixels$") as raised:
            prepare(content, width=800)
        assert raised.value.lasting
        with pytest.raises(ImageError, match=r"^broken$"):  # what is small enough would be
            prepare(png_header(300, 300), width=800)

    def test_limit_is_that_of_the_module(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(images, "MOST_PIXELS_OF_OTHERS", 120 * 80)
        assert prepare(encoded(halves(), "PNG"), width=800).width == 120
        monkeypatch.setattr(images, "MOST_PIXELS_OF_OTHERS", 120 * 80 - 1)
        assert prepare(encoded(halves(), "JPEG"), width=800).width == 120
        with pytest.raises(ImageError, match="too many pixels"):
            prepare(encoded(halves(), "PNG"), width=800)

    def test_scans_of_a_jpeg_are_counted(self) -> None:
        """Each pass over a progressive picture may take as long as the picture; a file of a few bytes can have many."""
        written = io.BytesIO()
        halves().save(written, "JPEG", progressive=True)
        content = written.getvalue()
        last = content.rindex(b"\xff\xda")
        assert 5 < content.count(b"\xff\xda") < 20
        assert prepare(content, width=800).width == 120
        with pytest.raises(ImageError, match=r"^too many scans$"):
            prepare(content[:last] + content[last:-2] * 100 + content[-2:], width=800)

    def test_a_jpeg_that_must_be_kept_whole_has_a_limit_of_its_own(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """All its values are in memory until the last scan: three or four for a pixel, or fewer."""
        scans = {"progressive": True, "quality": 50}
        fine = encoded(halves(), "JPEG", subsampling="4:4:4", **scans)
        monkeypatch.setattr(images, "MOST_SAMPLES", 3 * 120 * 80 - 1)
        with pytest.raises(ImageError, match=r"^too many pixels$"):
            prepare(fine, width=800)
        with pytest.raises(ImageError, match=r"^too many pixels$"):
            prepare(encoded(halves().convert("CMYK"), "JPEG", **scans), width=800)
        assert prepare(encoded(halves(), "JPEG", subsampling="4:2:0", **scans), width=800).width == 120
        assert prepare(encoded(halves(), "JPEG", subsampling="4:4:4"), width=800).width == 120


def png_header(width: int, height: int) -> bytes:
    """A PNG of these measures whose pixels are a few bytes."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


class TestColours:
    @pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK", "YCbCr", "LA", "RGBA"])
    def test_modes(self, mode: str) -> None:
        kind = "JPEG" if mode in ("CMYK", "YCbCr") else "PNG"
        given = halves().quantize(8) if mode == "P" else halves().convert(mode)
        image = shown(prepare(encoded(given, kind), width=800))
        assert alike(image.getpixel((30, 72)), WHITE)
        if mode in ("P", "CMYK", "YCbCr", "RGBA"):
            assert looks_like_halves(image)

    def test_sixteen_bits_are_scaled(self) -> None:
        image = shown(prepare(encoded(Image.new("I;16", (40, 40), 40_000), "PNG"), width=800))
        assert alike(image.getpixel((20, 20)), (156, 156, 156))

    @pytest.mark.parametrize("mode", ["RGBA", "LA", "PA", "P", "L"])
    def test_transparent_parts_are_white(self, mode: str) -> None:
        image = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
        image.paste((0, 0, 0, 255), (0, 0, 32, 64))
        options = {}
        if mode in ("P", "L"):
            image = Image.new(mode, (64, 64), 1)
            image.paste(0, (0, 0, 32, 64))
            if mode == "P":
                image.putpalette([0, 0, 0, 9, 9, 9])
            options = {"transparency": 1}
        elif mode == "PA":
            image = image.convert("RGB").quantize(4).convert("RGBA")
            image.putalpha(Image.new("L", (64, 64), 0))
            image.paste((0, 0, 0, 255), (0, 0, 32, 64))
        else:
            image = image.convert(mode)
        seen = shown(prepare(encoded(image, "PNG", **options), width=800))
        assert alike(seen.getpixel((16, 32)), (0, 0, 0))
        assert alike(seen.getpixel((48, 32)), WHITE)

    def test_profile_is_applied(self) -> None:
        """In the profile's colours red and blue are exchanged: a reader must see them as they are meant."""
        lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        swapped = lab.replace(b"rXYZ", b"temp").replace(b"bXYZ", b"rXYZ").replace(b"temp", b"bXYZ")
        plain = shown(prepare(encoded(halves(), "PNG"), width=800))
        meant = shown(prepare(encoded(halves(), "PNG", icc_profile=swapped), width=800))
        assert alike(plain.getpixel((30, 20)), RED)
        assert alike(meant.getpixel((30, 20)), BLUE, within=20)
        assert alike(meant.getpixel((30, 72)), WHITE)

    @pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "CMYK"])
    @pytest.mark.parametrize("profile", ["broken", "of other colours"])
    def test_profile_that_does_not_fit_costs_nothing(self, mode: str, profile: str) -> None:
        icc = (
            b"no profile" * 20
            if profile == "broken"
            else ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
        )
        kind = "JPEG" if mode == "CMYK" else "PNG"
        image = shown(prepare(encoded(halves().convert(mode), kind, icc_profile=icc), width=800))
        assert looks_like_halves(image) or mode == "L"


class TestOrientation:
    @pytest.mark.parametrize("orientation", range(1, 9))
    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
    def test_is_turned_upright(self, orientation: int, kind: str) -> None:
        back = {5: 5, 6: 8, 7: 7, 8: 6}.get(orientation, orientation)  # what undoes it
        image = halves(900, 600)
        if back in images._UPRIGHT:
            image = image.transpose(images._UPRIGHT[back])
        exif = Image.Exif()
        exif[0x0112] = orientation
        prepared = prepare(encoded(image, kind, exif=exif), width=300)
        assert (prepared.width, prepared.height) == (300, 200)
        assert looks_like_halves(shown(prepared))

    @pytest.mark.filterwarnings("ignore::UserWarning:PIL")  # as the module does for itself outside of tests
    @pytest.mark.parametrize("exif", [b"Exif\0\0junk", b"Exif\0\0II*\0\xff\xff\xff\x7f", b"", b"\xff" * 40])
    def test_junk_in_exif_costs_nothing(self, exif: bytes) -> None:
        assert looks_like_halves(shown(prepare(encoded(halves(), "JPEG", exif=exif), width=800)))

    @pytest.mark.parametrize("orientation", [0, 9, 65_535])
    def test_unknown_orientation_is_upright(self, orientation: int) -> None:
        exif = Image.Exif()
        exif[0x0112] = orientation
        assert looks_like_halves(shown(prepare(encoded(halves(), "JPEG", exif=exif), width=800)))


class TestWhatIsLeftOut:
    def test_metadata(self) -> None:
        exif = Image.Exif()
        exif[0x010F] = "a camera that could tell who took the picture"
        profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        content = encoded(halves(), "JPEG", exif=exif, icc_profile=profile, comment=b"taken by somebody", xmp=b"<x/>")
        image = Image.open(io.BytesIO(prepare(content, width=800).webp))
        assert not image.info.keys() & {"exif", "icc_profile", "xmp", "comment"}
        assert not dict(image.getexif())
        assert b"camera" in content

    @pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
    def test_all_frames_but_the_first(self, kind: str) -> None:
        frames = [Image.new("RGB", (40, 40), BLUE) for _ in range(3)]
        content = encoded(halves(40, 40), kind, save_all=True, append_images=frames)
        assert looks_like_halves(shown(prepare(content, width=800)))


def test_same_bytes_give_the_same_picture() -> None:
    content = encoded(halves(1000, 700), "JPEG")
    assert prepare(content, width=800) == prepare(content, width=800)
    assert prepare(content, width=800) != prepare(content, width=400)


def outcome(content: bytes) -> str:
    """Why it cannot be shown; empty when it can."""
    try:
        return str(prepare(content, width=32).width > 32 or "")
    except ImageError as error:
        return str(error)


class TestHostile:
    @pytest.mark.parametrize("kind", FORMATS)
    @pytest.mark.parametrize("part", [0.5, 0.98])
    def test_truncated_is_refused(self, kind: str, part: float) -> None:
        noise = Image.effect_noise((200, 150), 90).convert("RGB")
        content = encoded(noise, kind)
        with pytest.raises(ImageError, match=r"^(truncated|broken|no picture)$") as raised:
            prepare(content[: int(len(content) * part)], width=800)
        assert raised.value.lasting == (str(raised.value) == "no picture")

    @pytest.mark.parametrize(
        "content",
        [b"", b"<!DOCTYPE html><p>Just a moment", b"\xff\xd8\xff", b"GIF89a", b"%PDF-1.4", b"\0" * 5000, b"<svg/>"],
        ids=["empty", "html", "jpeg", "gif", "pdf", "zeros", "svg"],
    )
    def test_no_picture(self, content: bytes) -> None:
        with pytest.raises(ImageError):
            prepare(content, width=800)

    @pytest.mark.parametrize("kind", FORMATS)
    def test_damage_raises_nothing_else(self, kind: str) -> None:
        choose = random.Random(kind)
        whole = encoded(halves(48, 40), kind)
        for _ in range(80):
            content = bytearray(whole)
            for _ in range(choose.randrange(1, 12)):
                content[choose.randrange(len(content))] = choose.randrange(256)
            assert outcome(bytes(content)) in CAUSES
