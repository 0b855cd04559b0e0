"""Whether the pixels of an image file are all there, by its structure, where the decoder would not say.

OpenCV decodes a file that is cut short, or whose compressed data is corrupt, as far as it goes, and fills the
rest. What libjpeg finds is asked of it while it decodes (`yolo_cli.decoding`); here are the other formats,
after their specifications: TIFF 6.0, RFC 9649 (WebP), RFC 6386 (VP8), BITMAPINFOHEADER, GIF89a.
"""

from __future__ import annotations

import io
import os
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache

from yolo_cli.errors import DataError
from yolo_cli.headers import Header
from yolo_cli.jpeg import decode_jpeg
from yolo_cli.tiff import Directory, read_directory

__all__ = ["DAMAGED", "DamagedError", "accept_damaged", "damage_of"]

_NONE, _JPEG, _DEFLATE, _OLD_DEFLATE = 1, 7, 8, 32946  # TIFF's tag 259, compression


class DamagedError(DataError):
    """An image of which pixels are missing or corrupt."""


class _Damaged:
    """Whether damaged images are read, and what was said of those that were.

    It holds for the process, and for those that it starts: images are read in many threads, and in workers.
    """

    def __init__(self) -> None:
        self.notes: list[str] = []

    @property
    def accepted(self) -> bool:
        """Whether damaged images are read."""
        return os.environ.get(_SWITCH) == "1"

    def note(self, text: str) -> None:
        """Keep what is to be said of an image that was read all the same, once."""
        if text not in self.notes and len(self.notes) < _MOST_NOTES:
            self.notes.append(text)


DAMAGED = _Damaged()
_SWITCH, _MOST_NOTES = "YOLO_CLI_ACCEPT_DAMAGED", 1_000


@contextmanager
def accept_damaged(on: bool = True) -> Iterator[list[str]]:
    """Within the block, images of which pixels are missing or corrupt are read, not refused.

    Yields:
        A line on each image that was read so, which grows as they are.
    """
    had, DAMAGED.notes = os.environ.get(_SWITCH), []
    if on:
        os.environ[_SWITCH] = "1"
    try:
        yield DAMAGED.notes
    finally:
        if had is None:
            os.environ.pop(_SWITCH, None)


def damage_of(data: bytes, header: Header) -> str:
    """What is missing or corrupt in an image file, as the end of a sentence; "" if nothing is found.

    Args:
        data: the content of the file.
        header: its header.
    """
    if header.fault:
        return header.fault
    try:
        return _CHECKS.get(header.kind, _nothing)(data, header)
    except (struct.error, IndexError):  # a place beyond its end
        return "is truncated"
    except (ValueError, zlib.error):
        return "is damaged"


def _nothing(_data: bytes, _header: Header) -> str:
    return ""


def _tiff(data: bytes, _header: Header) -> str:
    """Every strip or tile of the first page must be in the file, and as long as it must be."""
    tags = read_directory(data)
    wanted = tags.parts
    offsets, counts = tags.numbers(324) or tags.numbers(273), tags.numbers(325) or tags.numbers(279)
    if len(offsets) < wanted or (counts and len(counts) < wanted):
        return f"has {min(len(offsets), len(counts))} of {wanted} strips"
    compression = tags.first(259, _NONE)
    for number in range(wanted):
        count = counts[number] if counts else tags.part_bytes(number)
        if offsets[number] + count > len(data):
            return f"is truncated before strip {number + 1} of {wanted}"
        if compression == _NONE and count < tags.part_bytes(number):
            return f"lacks pixels in strip {number + 1} of {wanted}"
    if compression in (_DEFLATE, _OLD_DEFLATE):
        return _inflated(data, tags, offsets, counts)
    if compression == _JPEG:
        return _jpegs(data, tags, offsets, counts)
    return "" if compression == _NONE else _pillow(data)


def _inflated(data: bytes, tags: Directory, offsets: tuple[int, ...], counts: tuple[int, ...]) -> str:
    """Every strip must inflate to its size; deflate has a checksum of what it holds."""
    for number in range(tags.parts):
        inflate = zlib.decompressobj()
        size, left = tags.part_bytes(number), data[offsets[number] : offsets[number] + counts[number]]
        found = len(inflate.decompress(left, size + 1))
        if found < size or not (inflate.eof or inflate.unconsumed_tail):
            return f"lacks pixels in strip {number + 1} of {tags.parts}"
    return ""


def _jpegs(data: bytes, tags: Directory, offsets: tuple[int, ...], counts: tuple[int, ...]) -> str:
    """Every strip is a JPEG file without its tables, which are in a tag of their own."""
    tables = bytes(tags.numbers(347))[:-2]  # without the mark of its end
    for number in range(tags.parts):
        strip = data[offsets[number] : offsets[number] + counts[number]]
        if damage := decode_jpeg(tables + strip[2:] if tables else strip)[1]:
            return damage
    return ""


def _pillow(data: bytes) -> str:
    """What Pillow says of a TIFF file that it can read; it passes on what libtiff says."""
    import warnings

    from PIL import Image

    _silence_libtiff()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(io.BytesIO(data))
    except Exception:  # of a kind that Pillow does not know, or larger than it likes
        return ""
    try:
        image.load()
    except (OSError, SyntaxError) as fault:
        return f"is damaged ({' '.join(str(fault).split())[:60]})"
    except Exception:
        return ""
    return ""


@cache
def _silence_libtiff() -> None:
    """Let Pillow's libtiff print nothing on stderr: what it finds is the decoder's error, too."""
    import ctypes

    from PIL import _imaging

    with suppress(AttributeError, OSError):  # where it is linked in another way
        library = ctypes.CDLL(_imaging.__file__)
        library.TIFFSetErrorHandler(None)
        library.TIFFSetWarningHandler(None)


def _webp(data: bytes, _header: Header) -> str:
    """Every chunk must be in the file, and every partition of a lossy image in its chunk."""
    end = min(8 + struct.unpack_from("<I", data, 4)[0], len(data))
    kinds = []
    for kind, start, length in _chunks(data, 12, end):
        if start + length > end:
            return f"is truncated within its chunk {kind.decode('ascii', 'replace').strip()}"
        kinds.append(kind)
        if kind == b"VP8 " and _short_partition(data[start : start + min(length, 64)], length):
            return "lacks a part of its pixels"
        inside = (
            {part for part, *_ in _chunks(data, start + 16, start + length)} if kind == b"ANMF" else set()
        )
        if kind == b"ANMF" and not inside & {b"VP8 ", b"VP8L"}:
            return "has a frame without pixels"
    return "" if (_PIXELS | {b"ANMF"}) & set(kinds) else "has no pixels"


_PIXELS = {b"VP8 ", b"VP8L"}


def _chunks(data: bytes, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and length of each chunk of a RIFF file."""
    while at + 8 <= end:
        kind, length = struct.unpack_from("<4sI", data, at)
        yield kind, at + 8, length
        at += 8 + length + length % 2


def _short_partition(head: bytes, length: int) -> bool:
    """Whether the first partition of a VP8 frame, whose size is in its first 19 bits of 24, is cut short."""
    return (int.from_bytes(head[:3], "little") >> 5) + 10 > length


def _bmp(data: bytes, header: Header) -> str:
    """An image without compression has rows of a multiple of four bytes."""
    start, size = struct.unpack_from("<I4x", data, 10)[0], struct.unpack_from("<I", data, 14)[0]
    bits = struct.unpack_from("<H", data, 24 if size == 12 else 28)[0]
    compression = struct.unpack_from("<I", data, 30)[0] if size >= 40 else 0
    if compression in (1, 2):  # run lengths, which end with a mark of their own
        return "" if data.rstrip(b"\0").endswith(b"\1") else "has no end"
    row = (header.width * bits + 31) // 32 * 4
    return "" if start + row * header.height <= len(data) + 3 else "is truncated before its last row"


def _gif(data: bytes, _header: Header) -> str:
    """The blocks of the first image must reach its end."""
    at = 13 + _table_bytes(data[10])
    while data[at] != 0x2C:  # an image
        if data[at] != 0x21:  # an extension
            return "has no image"
        at = _past_blocks(data, at + 2)
    _past_blocks(data, at + 11 + _table_bytes(data[at + 9]))  # IndexError where it ends before
    return ""


def _table_bytes(flags: int) -> int:
    """Bytes of the table of colours that a GIF's flags announce."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _past_blocks(data: bytes, at: int) -> int:
    """The place after a row of GIF's blocks, each of which begins with its length; 0 ends them."""
    while length := data[at]:
        at += length + 1
    return at + 1


_CHECKS: Mapping[str, Callable[[bytes, Header], str]] = {
    "TIFF": _tiff,
    "WebP": _webp,
    "BMP": _bmp,
    "GIF": _gif,
}
