"""A picture as it came → the picture that pages show: upright, not wider than asked, WebP, nothing else in it.

Pure functions of bytes. What comes is believed in nothing: neither in its name nor in what its server called it. Only
formats that Pillow knows by their content are opened, and no pixel is decoded before the header has told how many
there are.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import math
import warnings

from PIL import Image, ImageCms, UnidentifiedImageError
from PIL.JpegImagePlugin import JpegImageFile

FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "AVIF")
MOST_PIXELS = {"JPEG": 40_000_000}
"""The largest pictures of today's cameras, by format; a file of a few bytes can claim any number."""
MOST_PIXELS_OF_OTHERS = 10_000_000
"""Only JPEG can be decoded at a smaller scale; of all others a pixel takes about 30 bytes on the way."""
MOST_SAMPLES = 100_000_000
"""Values of all colours of a JPEG in several scans, which has to be kept whole, at two bytes each, until the last one.

With it no picture takes more than 250 MiB (``python -m benchmarks.pictures``); a run decodes one at a time.
"""
MOST_SCANS = 100
"""Passes over a progressive JPEG, each of which may take as long as the picture; they have about ten."""
LEAST_SIDE = 16
"""Pixels; what is smaller on both sides is a mark of a page's furniture or counts its readers."""

_LONGEST_SIDE = 16_383  # what WebP can hold
_QUALITY = 80
_EFFORT = 4
_MARGIN = 2  # a JPEG is decoded at the scale that leaves at least so many times the pixels that are kept
_START_OF_SCAN = b"\xff\xda"  # within a scan 0xff is always followed by 0 or a restart marker
_ORIENTATION = 0x0112  # EXIF tag
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""Orientation by EXIF → what turns the picture upright; from 5 on it lies on its side."""

_SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))

Image.MAX_IMAGE_PIXELS = None  # Pillow's own limit warns between once and twice its value; ours is the only one
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")  # of damaged metadata, which we drop anyway


class ImageError(ValueError):
    """What came cannot be shown as a picture; the cause in a few words.

    ``lasting``: it would be no better if it came once more.
    """

    def __init__(self, cause: str, *, lasting: bool = True) -> None:
        super().__init__(cause)
        self.lasting = lasting


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A picture as it is kept: the bytes of its WebP file, and its sides in pixels."""

    webp: bytes
    width: int
    height: int


def prepare(content: bytes, *, width: int) -> Prepared:
    """The picture in ``content`` as pages show it, not wider than ``width`` and never larger than it was.

    The first frame of an animation; transparent parts are white, since hosts may be dark; colours are sRGB. The same
    bytes give the same picture. Raises ImageError, whatever the bytes are.
    """
    try:
        return _prepare(content, width)
    except ImageError:
        raise
    except Exception as error:  # decoders raise almost anything when bytes are hostile
        raise _told(error) from error


def _told(error: Exception) -> ImageError:
    if isinstance(error, UnidentifiedImageError):
        return ImageError("no picture")
    return ImageError("truncated" if "truncated" in str(error).lower() else "broken", lasting=False)


def _prepare(content: bytes, width: int) -> Prepared:
    with Image.open(io.BytesIO(content), formats=FORMATS) as image:
        _check_size(*image.size, MOST_PIXELS.get(image.format or "", MOST_PIXELS_OF_OTHERS))
        if isinstance(image, JpegImageFile):
            _check_scans(image, content.count(_START_OF_SCAN))
        turned = _orientation(image)
        lying = turned >= 5
        upright = image.size[::-1] if lying else image.size
        kept = _fitted(*upright, width)
        size = kept[::-1] if lying else kept
        image.draft(None, (size[0] * _MARGIN, size[1] * _MARGIN))
        image.load()
        shown = _in_srgb(image)
    if shown.size != size:
        shown = shown.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
    if turned in _UPRIGHT:
        shown = shown.transpose(_UPRIGHT[turned])
    written = io.BytesIO()
    shown.info = {}
    shown.save(written, "WEBP", quality=_QUALITY, method=_EFFORT)
    return Prepared(webp=written.getvalue(), width=shown.width, height=shown.height)


def _check_size(width: int, height: int, most_pixels: int) -> None:
    if width * height > most_pixels:
        raise ImageError("too many pixels")
    if max(width, height) < LEAST_SIDE:
        raise ImageError("too small")


def _check_scans(image: JpegImageFile, scans: int) -> None:
    if scans > MOST_SCANS:
        raise ImageError("too many scans")
    colours = [across * down for _, across, down, _ in image.layer]
    if scans > 1 and image.width * image.height * sum(colours) > MOST_SAMPLES * max(colours):
        raise ImageError("too many pixels")


def _fitted(width: int, height: int, most: int) -> tuple[int, int]:
    """The size at which a picture is kept."""
    scale = min(1.0, most / width, _LONGEST_SIDE / height)
    return max(1, math.floor(width * scale + 0.5)), max(1, math.floor(height * scale + 0.5))


def _orientation(image: Image.Image) -> int:
    """How a camera held the picture, by EXIF; 1 is upright, and so is what says nothing that can be read."""
    with contextlib.suppress(Exception):
        exif = Image.Exif()
        exif.load(image.info.get("exif", b""))
        return int(exif.get(_ORIENTATION, 1))
    return 1


def _in_srgb(image: Image.Image) -> Image.Image:
    """The picture in RGB on white, its colours those that its profile means."""
    profile = image.info.get("icc_profile")
    if image.mode.startswith("I"):  # 16 bits of grey, which a conversion would cut and not scale
        return image.convert("I").point(lambda value: value * (1 / 256)).convert("L").convert("RGB")
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        image = Image.new("RGB", layer.size, "white")
        image.paste(layer, mask=layer.getchannel("A"))
    elif image.mode not in ("RGB", "L", "CMYK"):
        image = image.convert("RGB")
    if profile:
        with contextlib.suppress(ImageCms.PyCMSError, OSError):  # a broken profile, or one of another kind of colours
            meant = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            image = ImageCms.profileToProfile(image, meant, _SRGB, outputMode="RGB") or image
    return image.convert("RGB")
