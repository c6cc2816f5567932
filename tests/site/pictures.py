"""Pictures of the sample outlets: hills under a sky, another view for each address, drawn when they are asked for."""

from __future__ import annotations

import functools
import hashlib
import io
import math
import random
import re
from urllib.parse import urlsplit

from PIL import Image, ImageDraw

HOSTS = {"epochtimes": "i.epochtimes.com", "ntdtv": "i.ntdtv.com"}
"""The hosts that serve the outlets' pictures (FACTS A4, B1)."""

_FORMATS = {"jpg": "JPEG", "jpeg": "JPEG", "png": "PNG", "gif": "GIF", "webp": "WEBP"}
_SIZE = re.compile(r"-(\d{2,4})x(\d{2,4})\.\w+$")
_SKIES = (
    ((64, 120, 190), (250, 214, 165)),
    ((120, 170, 220), (235, 245, 250)),
    ((40, 50, 110), (240, 150, 110)),
    ((150, 180, 200), (250, 240, 220)),
)


def has_picture(url: str) -> bool:
    """Whether there is a picture at an address: under any name in the outlets' directory of uploads."""
    parts = urlsplit(url)
    suffix = parts.path.rpartition(".")[2].lower()
    return parts.netloc in HOSTS.values() and parts.path.startswith("/assets/uploads/") and suffix in _FORMATS


@functools.lru_cache(maxsize=1_000)
def picture(url: str) -> bytes:
    """The picture at an address, in the format and the size that its name says."""
    suffix = url.rpartition(".")[2].lower()
    size = _SIZE.search(url)
    width, height = (int(size[1]), int(size[2])) if size else (1200, 800)
    return encoded(view(hashlib.sha256(url.encode()).hexdigest(), width, height), _FORMATS[suffix])


def view(seed: str, width: int, height: int) -> Image.Image:
    """A view that ``seed`` decides about."""
    choose = random.Random(seed)
    above, below = choose.choice(_SKIES)
    sky = Image.new("RGB", (1, 64))
    for y in range(64):
        sky.putpixel((0, y), _between(above, below, y / 63))
    image = sky.resize((width, height))
    draw = ImageDraw.Draw(image)
    radius, x, y = height // 12, choose.randrange(width), choose.randrange(height // 8, height // 3)
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(255, 250, 225))
    for layer in range(4):
        base, waves, shift = 0.5 + layer * 0.13, choose.uniform(1.0, 3.5), choose.uniform(0, 6.3)
        ridge = [
            (x, int(height * (base + 0.06 * math.sin(waves * 6.3 * x / width + shift)))) for x in range(0, width + 8, 8)
        ]
        draw.polygon([(0, height), *ridge, (width, height)], fill=_between((130, 160, 150), (35, 70, 50), layer / 3))
    return image


def encoded(image: Image.Image, kind: str) -> bytes:
    """The file of an image."""
    written = io.BytesIO()
    image.save(written, kind)
    return written.getvalue()


def _between(one: tuple[int, int, int], other: tuple[int, int, int], part: float) -> tuple[int, int, int]:
    red, green, blue = (round(a + (b - a) * part) for a, b in zip(one, other, strict=True))
    return red, green, blue
