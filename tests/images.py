"""Small images in memory, written by Pillow: another program than the one that reads them."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

__all__ = ["QUARTERS", "encode", "huge_header", "reference", "smooth"]

# Red, green over blue, yellow: any turn or mirroring shows. 32 high, 48 wide.
QUARTERS: NDArray[np.uint8] = np.zeros((32, 48, 3), np.uint8)
QUARTERS[:16, :24], QUARTERS[:16, 24:] = (255, 0, 0), (0, 255, 0)
QUARTERS[16:, :24], QUARTERS[16:, 24:] = (0, 0, 255), (255, 255, 0)


def smooth(height: int = 40, width: int = 60) -> NDArray[np.uint8]:
    """An image without sharp edges, (height, width, 3), so that lossy formats keep it closely."""
    y, x = np.mgrid[:height, :width]
    channels = (np.sin(x / 9), np.cos(y / 7), np.sin((x + y) / 11))
    return (127.5 + 120 * np.stack(channels, axis=-1)).astype(np.uint8)


def encode(pixels: NDArray[np.generic], kind: str, mode: str | None = None, **options: object) -> bytes:
    """Encode with Pillow, after a change to its ``mode`` ("CMYK", "P", "LA", …) if given."""
    image = Pillow.fromarray(pixels)
    out = io.BytesIO()
    (image if mode is None else image.convert(mode)).save(out, kind, **options)
    return out.getvalue()


def reference(data: bytes) -> NDArray[np.int64]:
    """What Pillow sees in the bytes, (height, width, 3), not turned by EXIF."""
    return np.asarray(Pillow.open(io.BytesIO(data)).convert("RGB")).astype(int)


def huge_header(width: int = 20_000, height: int = 20_000) -> bytes:
    """A tiny, well-formed PNG whose header claims width x height pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
