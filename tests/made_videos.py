"""Videos of a few frames, made for tests, and what is done to them."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

__all__ = ["grey", "grey_level", "paged", "promise", "turn", "write_video"]

HEIGHT, WIDTH = 48, 64


def grey(number: int, size: tuple[int, int] = (HEIGHT, WIDTH)) -> np.ndarray:
    """A frame that tells its number by its grey: 16, 28, 40, …, 19 frames at most."""
    return np.full((*size, 3), 16 + 12 * number, np.uint8)


def grey_level(rgb: np.ndarray) -> int:
    """The number that `grey` was given."""
    return round((float(rgb.mean()) - 16) / 12)


def write_video(path: Path, times: Any, *, size: tuple[int, int] = (HEIGHT, WIDTH), **form: Any) -> Path:
    """`grey` frames at times in seconds, by PyAV: H.264, or ``codec`` in ``pixels``; AVI has ten a second."""
    unit = Fraction(1, 10 if path.suffix == ".avi" else 1000)
    av = pytest.importorskip("av", reason="av is not installed")
    with av.open(str(path), "w") as file:
        stream = file.add_stream(form.get("codec", "libx264"), rate=10, options={"crf": "10"})
        stream.height, stream.width = size
        stream.pix_fmt = form.get("pixels", "yuv420p")
        stream.codec_context.time_base = unit
        for number, time_s in enumerate(times):
            frame = av.VideoFrame.from_ndarray(grey(number, size), format="rgb24")
            frame.pts, frame.time_base = round(time_s / unit), unit
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return path


def turn(path: Path) -> None:
    """Say in the track header of an MP4 that it is to be turned by 90 degrees clockwise, as phones do."""
    data = path.read_bytes()
    whole = (1 << 16).to_bytes(4)
    none = (0).to_bytes(4)
    upright = whole + none * 3 + whole  # a 3 x 3 matrix, row by row, up to the middle
    at = data.index(upright, data.index(b"tkhd"))
    turned = none + whole + none + (-(1 << 16)).to_bytes(4, signed=True) + none
    path.write_bytes(data[:at] + turned + data[at + len(turned) :])


def promise(path: Path, frames: int) -> None:
    """Write another number of frames into the two headers of an AVI."""
    data = bytearray(path.read_bytes())
    for at in (data.index(b"avih") + 8 + 16, data.index(b"strh") + 8 + 32):
        data[at : at + 4] = frames.to_bytes(4, "little")
    path.write_bytes(data)


def paged(kind: str, *levels: int) -> bytes:
    """A TIFF of several pages, or an animation, with a grey level for each."""
    first, *rest = [Pillow.fromarray(grey(level)) for level in levels]
    file = io.BytesIO()
    first.save(file, kind, save_all=True, append_images=rest)
    return file.getvalue()
