"""The QR code of a page's address, for readers who share a page from phone to phone."""

from __future__ import annotations

import io

import segno

_PIXELS_PER_MODULE = 4
_MASK = 0  # any mask can be read; to find the most even of all eight takes five times as long
_BORDER_MODULES = 4  # the quiet zone that ISO/IEC 18004 asks for


def qr_png(address: str) -> bytes:
    """A PNG image of the QR code of ``address``; the same address gives the same bytes.

    Raises ValueError when the address is too long for a QR code (about 2,300 bytes).
    """
    code = segno.make(address, error="m", encoding="utf-8", micro=False, mask=_MASK)
    image = io.BytesIO()
    code.save(image, kind="png", scale=_PIXELS_PER_MODULE, border=_BORDER_MODULES)
    return image.getvalue()
