"""What the largest pictures that are accepted cost: memory and time of ``images.prepare``, in a process for each.

``python -m benchmarks.pictures`` makes them and prints a table.
"""

from __future__ import annotations

import io
import multiprocessing
import sys
import time
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from mirror_crawler.images import MOST_PIXELS, MOST_PIXELS_OF_OTHERS, MOST_SAMPLES, ImageError, prepare

_WIDTH = 800
_QUALITY = 5  # so that none has more bytes than are fetched


def _side(pixels: int) -> int:
    return int(pixels**0.5)


def _picture(mode: str, pixels: int) -> Image.Image:
    """A square that does not compress to nothing."""
    tile = Image.effect_noise((256, 256), 60)
    side = _side(pixels)
    whole = Image.new("L", (side, side))
    for x in range(0, side, 256):
        for y in range(0, side, 256):
            whole.paste(tile, (x, y))
    return whole if mode == "L" else Image.merge(mode, [whole] * len(Image.new(mode, (1, 1)).getbands()))


def _file(mode: str, kind: str, pixels: int, **options: object) -> bytes:
    file = io.BytesIO()
    _picture(mode, pixels).save(file, kind, **options)
    return file.getvalue()


def _palette() -> bytes:
    file = io.BytesIO()
    picture = _picture("L", MOST_PIXELS_OF_OTHERS).convert("P")
    picture.save(file, "PNG", transparency=bytes(range(256)))
    return file.getvalue()


def _deep() -> bytes:
    """16 bits of grey."""
    file = io.BytesIO()
    picture = _picture("L", MOST_PIXELS_OF_OTHERS).convert("I").point(lambda value: value * 256).convert("I;16")
    picture.save(file, "PNG")
    return file.getvalue()


def _animated(kind: str) -> bytes:
    file = io.BytesIO()
    first = _picture("RGB", MOST_PIXELS_OF_OTHERS)
    first.save(file, kind, save_all=True, append_images=[Image.new("RGB", first.size)] * 3)
    return file.getvalue()


_JPEG = MOST_PIXELS["JPEG"]
CASES: dict[str, Callable[[], bytes]] = {
    "JPEG": lambda: _file("RGB", "JPEG", _JPEG, quality=_QUALITY),
    "JPEG, progressive": lambda: _file("RGB", "JPEG", _JPEG, quality=_QUALITY, progressive=True),
    "JPEG, progressive, all colours": lambda: _file(
        "RGB", "JPEG", MOST_SAMPLES // 3, quality=_QUALITY, progressive=True, subsampling=0
    ),
    "JPEG, CMYK": lambda: _file("CMYK", "JPEG", _JPEG, quality=_QUALITY),
    "JPEG, CMYK, progressive": lambda: _file("CMYK", "JPEG", MOST_SAMPLES // 4, quality=_QUALITY, progressive=True),
    "PNG": lambda: _file("RGB", "PNG", MOST_PIXELS_OF_OTHERS),
    "PNG, transparent": lambda: _file("RGBA", "PNG", MOST_PIXELS_OF_OTHERS),
    "PNG, palette with transparency": _palette,
    "PNG, 16 bits of grey": _deep,
    "GIF, animated": lambda: _animated("GIF"),
    "WebP, transparent": lambda: _file("RGBA", "WEBP", MOST_PIXELS_OF_OTHERS, method=0),
    "WebP, animated": lambda: _animated("WEBP"),
    "BMP": lambda: _file("RGB", "BMP", MOST_PIXELS_OF_OTHERS),
    "AVIF": lambda: _file("RGB", "AVIF", MOST_PIXELS_OF_OTHERS, speed=10),
}


def _memory(field: str) -> int:
    """A line of /proc/self/status, in MiB."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition(f"{field}:")[2].split()[0]) // 1024


def _measure(content: bytes) -> tuple[int, float, str]:
    """Extra memory (MiB) and seconds of :func:`prepare` in this process, and what came of it."""
    prepare(_small(), width=_WIDTH)  # what is loaded once
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak is from now on
    before, started = _memory("VmRSS"), time.process_time()
    try:
        made = prepare(content, width=_WIDTH)
        said = f"{made.width} x {made.height}"
    except ImageError as error:
        said = str(error)
    return _memory("VmHWM") - before, time.process_time() - started, said


def _small() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (100, 100)).save(file, "JPEG")
    return file.getvalue()


def main() -> None:
    """Measure each case in a process that has never had more memory than it needs."""
    for name in CASES:
        with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as makers:
            content = makers.apply(make_case, (name,))
        with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
            extra, seconds, said = pool.apply(_measure, (content,))
        sys.stdout.write(f"{name:32} {len(content) / 1e6:6.1f} MB  +{extra:4} MiB  {seconds:5.2f} s  {said}\n")
        sys.stdout.flush()


def make_case(name: str) -> bytes:
    """The file of a case."""
    return CASES[name]()


if __name__ == "__main__":
    main()
