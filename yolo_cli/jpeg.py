"""JPEG files by libjpeg-turbo, which says what is missing or corrupt in them.

OpenCV has the same library, and gives the same pixels, but keeps for itself what it says. `simplejpeg`
passes it on, and writes RGB at once, which takes a third less time.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

__all__ = ["decode_jpeg"]

_UNSUPPORTED = re.compile("(?i)unsupported|colou?r ?space|cmyk|subsampling")  # what OpenCV reads all the same


def decode_jpeg(data: bytes, height: int = 0, width: int = 0) -> tuple[NDArray[np.uint8] | None, str]:
    """RGB of a JPEG file, (height, width, 3), and what is wrong with it.

    Args:
        data: the content of the file.
        height: rows that are enough: the file is decoded at a half, a quarter or an eighth of its size if it
            has as many; 0 means all.
        width: columns that are enough.

    Returns:
        The pixels, as far as they are there, or None if there are none, or the file is of a kind that is not
        read so, as CMYK; and the end of a sentence on the damage, or "".
    """
    import simplejpeg

    try:
        return simplejpeg.decode_jpeg(data, "RGB", min_height=height, min_width=width, strict=True), ""
    except ValueError as fault:
        reason = " ".join(str(fault).split())
    if _UNSUPPORTED.search(reason):
        return None, _cmyk_damage(data)
    damage = f"is damaged ({reason[:80]})"
    try:
        pixels = simplejpeg.decode_jpeg(data, "RGB", min_height=height, min_width=width, strict=False)
    except ValueError:
        return None, damage
    return pixels, damage


def _cmyk_damage(data: bytes) -> str:
    """What is wrong with a file in CMYK, as `decode_jpeg` says it; "" if it is of yet another kind."""
    import simplejpeg

    try:
        simplejpeg.decode_jpeg(data, "CMYK", strict=True)
    except ValueError as fault:
        reason = " ".join(str(fault).split())
        return "" if _UNSUPPORTED.search(reason) else f"is damaged ({reason[:80]})"
    return ""
