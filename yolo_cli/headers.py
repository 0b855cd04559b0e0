"""The header of an image file, read without decoding: format, size, transparency, completeness.

Decoding a hostile or broken file costs memory and prints warnings of C libraries; the header costs
microseconds. Layouts are those of the formats' own specifications: ITU-T T.81 (JPEG), W3C PNG,
RFC 9649 (WebP), TIFF 6.0, GIF89a, Microsoft's BITMAPINFOHEADER and Netpbm.
"""

from __future__ import annotations

import math
import re
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from yolo_cli.errors import DataError
from yolo_cli.jpeg import jpeg_segments
from yolo_cli.tiff import read_directory

__all__ = ["KINDS", "Header", "read_header"]

KINDS = "JPEG, PNG, WebP, BMP, TIFF, GIF or PNM"
_CUT = "is truncated"
MAX_SCANS = 1_000  # of a JPEG file; usual are ten
MAX_SCANNED = 3_000_000_000  # pixels of all scans: each goes over all, and 50 bytes may be one of 36 million


@dataclass(frozen=True, slots=True)
class Header:
    """The header of an image file.

    Attributes:
        kind: the format's usual name, such as "JPEG".
        width: in pixels, as stored (before EXIF orientation).
        height: in pixels, as stored.
        alpha: whether the file can hold transparent pixels.
        orientation: EXIF orientation 1 to 8 (JPEG, PNG, WebP); 1 for the other kinds, of which only TIFF can
            have one, which is applied by the decoder.
        fault: how the file is visibly incomplete, or None.
        transparent: the grey level (8 bits, or 16 of 16) that is transparent in a grey PNG, or None.
        cost: bytes of memory a pixel that decoding takes beside its result, at most.
    """

    kind: str
    width: int
    height: int
    alpha: bool = False
    orientation: int = 1
    fault: str | None = None
    transparent: int | None = None
    cost: float = 1.0


def read_header(data: bytes, name: str) -> Header:
    """Read what the bytes of an image file say of it, without decoding them.

    Raises:
        DataError: if the bytes are not an image of a known kind, or the header is cut short or absurd.

    >>> read_header(b"GIF89a" + bytes([3, 0, 2, 0, 0, 0, 0]), "dot.gif")
    Header(kind='GIF', width=3, height=2, alpha=True, orientation=1, fault=None, transparent=None, cost=16.0)
    """
    if not data:
        raise DataError(f"{name}: is empty (0 bytes); save or download it again")
    read = next((read for magic, read in _READERS if magic.match(data)), None)
    if read is None:
        raise DataError(f"{name}: {_what_else(data)}; give a {KINDS} file")
    try:
        header = read(data)
    except (struct.error, IndexError, ValueError) as fault:
        raise DataError(f"{name}: the image's header {_CUT} or damaged; save or download it again") from fault
    if header.width < 1 or header.height < 1:
        raise DataError(f"{name}: the header gives a size of {header.width}x{header.height}; save it again")
    return header


def _jpeg(data: bytes) -> Header:
    """Walk the marker segments to the first scan; a complete file has an end marker (FF D9) after it.

    Inside a scan FF is always followed by 00 or a restart marker, so FF D9 there ends the image;
    the end marker of an embedded thumbnail is before the scan and is not taken for it.
    """
    width = height = 0
    orientation, cost, start, end, parts, frame = None, 0.5, 0, 2, 0, 0
    for marker, start, end in jpeg_segments(data):
        if marker in _FRAME_MARKERS:
            frame, (height, width, parts) = marker, struct.unpack_from(">HHB", data, start + 5)
            cost = 2.0 * parts + 1 if marker in _PROGRESSIVE else 0.5  # two bytes a coefficient of each part
        if marker == 0xE1 and orientation is None and data[start + 4 : start + 10] == b"Exif\0\0":
            orientation = _orientation(data[start + 10 : end])
    one_scan = frame not in _PROGRESSIVE and data[start + 4] == parts  # libjpeg refuses more then
    if not one_scan and data.count(b"\xff\xda") > min(MAX_SCANS, MAX_SCANNED // (width * height or 1)):
        raise ValueError("too many scans")
    fault = None if data.rfind(b"\xff\xd9", end) >= 0 else _CUT
    cost += 3 if orientation and orientation > 1 else 0  # a copy, turned
    return Header("JPEG", width, height, orientation=orientation or 1, fault=fault, cost=cost)


_FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})


def _png(data: bytes) -> Header:
    """Walk the chunks to IEND; critical chunks must match their checksum, else libpng prints to stderr."""
    width, height, depth, colour = struct.unpack_from(">IIBB", data, 16)
    alpha, orientation, fault, transparent = colour in (4, 6), 1, _CUT, None
    at, view = 8, memoryview(data)
    while at + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if end > len(data):
            break
        needed = kind[:1].isupper()
        if needed and zlib.crc32(view[at + 4 : end - 4]) != struct.unpack_from(">I", data, end - 4)[0]:
            fault = f"is damaged at byte {at}"
            break
        alpha |= kind == b"tRNS"
        if kind == b"eXIf":
            orientation = _orientation(data[at + 8 : end - 4]) or 1
        if kind == b"tRNS" and colour == 0 and length >= 2:
            transparent = _grey_level(struct.unpack_from(">H", data, at + 8)[0], depth)
        if kind == b"IEND":
            return Header(
                "PNG", width, height, alpha, orientation, None, transparent, _png_cost(alpha, depth)
            )
        at = end
    return Header("PNG", width, height, alpha, orientation, fault, cost=_png_cost(alpha, depth))


def _png_cost(alpha: bool, depth: int) -> float:
    """Pixels that can be transparent are decoded with all their bits."""
    return 1.0 + alpha * (8 if depth == 16 else 4)


def _grey_level(level: int, depth: int) -> int:
    """A grey level of 1 to 16 bits as decoders give it: 8 bits, or 16 as they are."""
    return level if depth == 16 else (level & ((1 << depth) - 1)) * 255 // ((1 << depth) - 1)


def _webp(data: bytes) -> Header:
    """Read the first chunk: VP8 (lossy), VP8L (lossless) or VP8X (extended: the canvas of either)."""
    total, kind = struct.unpack_from("<4xI4x4s", data)
    fault = _CUT if total + 8 > len(data) else None
    if kind == b"VP8X":
        flags = data[20]
        width = int.from_bytes(data[24:27], "little") + 1
        height = int.from_bytes(data[27:30], "little") + 1
        orientation = _webp_orientation(data) if flags & 0x08 else 1
        cost = 16.0 if flags & 0x02 else 8.0  # an animation has two canvases
        return Header("WebP", width, height, bool(flags & 0x10), orientation, fault, cost=cost)
    if kind == b"VP8L":
        bits = struct.unpack_from("<I", data, 21)[0]
        return Header(
            "WebP",
            (bits & 0x3FFF) + 1,
            (bits >> 14 & 0x3FFF) + 1,
            bool(bits >> 28 & 1),
            fault=fault,
            cost=8.0,
        )
    width, height = struct.unpack_from("<HH", data, 26)
    return Header("WebP", width & 0x3FFF, height & 0x3FFF, fault=fault)


def _webp_orientation(data: bytes) -> int:
    """Walk the chunks of an extended WebP to its EXIF chunk."""
    at = 12
    while at + 8 <= len(data):
        kind, length = struct.unpack_from("<4sI", data, at)
        if kind == b"EXIF":
            return _orientation(data[at + 8 : at + 8 + length].removeprefix(b"Exif\0\0")) or 1
        at += 8 + length + length % 2
    return 1


def _bmp(data: bytes) -> Header:
    """A BITMAPCOREHEADER has 16-bit sides, all later headers signed 32-bit ones (negative: top down)."""
    size = struct.unpack_from("<I", data, 14)[0]
    width, height = struct.unpack_from("<HH" if size == 12 else "<ii", data, 18)
    return Header("BMP", width, abs(height))


def _gif(data: bytes) -> Header:
    """Read the logical screen; any frame may name a transparent colour."""
    width, height = struct.unpack_from("<HH", data, 6)
    return Header("GIF", width, height, alpha=True, cost=16.0)


def _tiff(data: bytes) -> Header:
    """Read the first directory; the decoder itself turns TIFF files upright."""
    tags = read_directory(data)
    height, width = tags.size
    alpha = tags.first(338, 0) in (1, 2)
    part = math.prod(tags.part_size) * -(-tags.bits // 8)  # bytes of a strip or tile, held beside the pixels
    cost = 1.0 + alpha * (8 if tags.first(258, 1) > 8 else 4) + part / max(1, width * height)
    return Header("TIFF", width, height, alpha=alpha, cost=cost)


def _pnm(data: bytes) -> Header:
    """``P6``, then width and height in decimal, with comments up to a line's end between."""
    size = re.match(rb"P[1-6](?:\s|#[^\n]*\n)+(\d{1,9})(?:\s|#[^\n]*\n)+(\d{1,9})\s", data[:4096])
    if size is None:
        raise ValueError("no size")
    return Header("PNM", int(size[1]), int(size[2]))


def _orientation(block: bytes) -> int | None:
    """EXIF orientation, 1 to 8, of a TIFF-shaped EXIF block; None if it is absent or damaged."""
    try:
        value = read_directory(block).first(274, 0)
    except (struct.error, ValueError):
        return None
    return value if 1 <= value <= 8 else None


_READERS: tuple[tuple[re.Pattern[bytes], Callable[[bytes], Header]], ...] = (
    (re.compile(rb"\xff\xd8\xff"), _jpeg),
    (re.compile(rb"\x89PNG\r\n\x1a\n"), _png),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), _webp),
    (re.compile(rb"BM.{12}(?:\x0c|[\x28-\x7c])\0\0\0", re.DOTALL), _bmp),
    (re.compile(rb"II\*\0|MM\0\*"), _tiff),
    (re.compile(rb"GIF8[79]a"), _gif),
    (re.compile(rb"P[1-6][\s#]"), _pnm),
)

_OTHERS = (
    (re.compile(rb"....ftyp(?:avif|avis)", re.DOTALL), "holds AVIF, which is not read here"),
    (re.compile(rb"....ftyp(?:hei|hev|mif1|msf1)", re.DOTALL), "holds HEIC, which is not read here"),
    (re.compile(rb"\xff\x0a|\0\0\0\x0cJXL ", re.DOTALL), "holds JPEG XL, which is not read here"),
    (re.compile(rb"\0\0\0\x0cjP {2}|\xff\x4f\xff\x51"), "holds JPEG 2000, which is not read here"),
    (re.compile(rb"II\+\0|MM\0\+"), "holds BigTIFF, which is not read here"),
    (re.compile(rb"%PDF"), "holds a PDF document, not an image"),
    (re.compile(rb"[\t\n\f\r\x20-\x7e\x80-\xff]{1,256}\Z", re.DOTALL), "holds text, not an image"),
)


def _what_else(data: bytes) -> str:
    """Describe bytes that are not an image."""
    head = data[:256]
    return next((words for magic, words in _OTHERS if magic.match(head)), "is not an image")
