"""JPEG files by libjpeg-turbo, which says what is missing or corrupt in them.

OpenCV has the same library, and gives the same pixels, but keeps for itself what it says. `simplejpeg`
passes it on, and writes RGB at once, which takes a third less time.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

__all__ = ["decode_jpeg", "jpeg_segments"]

_UNSUPPORTED = re.compile("(?i)unsupported|colou?r ?space|cmyk|subsampling")  # what OpenCV reads all the same
_IN_HEADER = re.compile("ICC marker|JFIF revision|Adobe color|SOS parameters|before marker 0x(?!d[0-79])")
_BEHIND_PIXELS = re.compile("([0-9]+) extraneous bytes before marker 0xd9")
_BARE_MARKERS = frozenset({0x00, 0x01, 0xFF, *range(0xD0, 0xD9)})
_MOST_LEFT = 16  # bytes of any values behind the last pixel that do not show that pixels were lost


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
    pixels, reason = _decoded(data, "RGB", height, width)
    if _UNSUPPORTED.search(reason):
        pixels, reason = None, _decoded(data, "CMYK")[1]
    if not reason or _UNSUPPORTED.search(reason):  # of yet another kind
        return pixels, ""
    return pixels, f"is damaged ({reason[:80]})"


def _decoded(
    data: bytes, colours: str, height: int = 0, width: int = 0
) -> tuple[NDArray[np.uint8] | None, str]:
    """The pixels, and why libjpeg thinks that some are missing, corrupt or of an unsupported kind."""
    import simplejpeg

    pixels, reason = _strict(data, colours, height, width)
    if _IN_HEADER.search(reason):  # only the first warning is told, and the pixels may have faults, too
        data = _bare(data)
        pixels, reason = _strict(data, colours, height, width)
    if not reason or _UNSUPPORTED.search(reason):
        return pixels, reason
    try:
        pixels = simplejpeg.decode_jpeg(data, colours, min_height=height, min_width=width, strict=False)
    except ValueError:
        return None, reason
    return pixels, "" if _is_padded(data, reason) else reason


def _strict(data: bytes, colours: str, height: int, width: int) -> tuple[NDArray[np.uint8] | None, str]:
    """The pixels, or what libjpeg says first of the file."""
    import simplejpeg

    try:
        return simplejpeg.decode_jpeg(data, colours, min_height=height, min_width=width, strict=True), ""
    except ValueError as fault:
        return None, " ".join(str(fault).split())


def jpeg_segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, start and end of each segment of a JPEG file, the header of its first scan last.

    Raises:
        ValueError, struct.error, IndexError: if the file ends before.
    """
    marker, end = 0, 2
    while marker != 0xDA:  # start of scan
        start = data.index(b"\xff", end)
        marker, end = data[start + 1], start + 1
        if marker not in _BARE_MARKERS:
            end += 1 + struct.unpack_from(">H", data, start + 2)[0]
            yield marker, start, end


def _is_padded(data: bytes, reason: str) -> bool:
    """Whether all that is wrong is padding between the last pixel and the end marker, as cameras write it.

    More bytes, of many values, are compressed pixels that found no place: data before them is corrupt.
    """
    left = _BEHIND_PIXELS.search(reason)
    if left is None:
        return False
    *_, (_, _, scan) = jpeg_segments(data)
    end, count = data.index(b"\xff\xd9", scan), int(left[1])
    return count <= _MOST_LEFT or len(set(data[end - count : end])) <= 2  # FF is written as FF 00


def _bare(data: bytes) -> bytes:
    """The file without metadata and numbers that its pixels do not need, whatever libjpeg says of them.

    Three numbers at the end of a scan's header are for progressive files; in others some phones write values
    that T.81 does not have there.
    """
    kept, sequential, end = [data[:2]], False, 2
    for marker, start, end in jpeg_segments(data):
        sequential |= marker in (0xC0, 0xC1)
        segment = data[start:end]
        known = segment[9:10] == b"\1" if marker == 0xE0 else marker == 0xEE and segment[-1] <= 2
        if known or not (0xE0 <= marker <= 0xEF or marker == 0xFE):
            kept.append(segment)
    if sequential:
        kept[-1] = kept[-1][:-3] + b"\0\x3f\0"
    return b"".join(kept) + data[end:]
