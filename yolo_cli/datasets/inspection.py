"""Inspect image files: readability, hashes and near duplicates."""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from yolo_cli.damage import DamagedError
from yolo_cli.datasets.sizes import ImageHeader, image_header
from yolo_cli.errors import DataError
from yolo_cli.images import decode_image, read_image
from yolo_cli.limits import MAX_IMAGE, read_file

__all__ = ["HASH_BITS", "NEAR_BITS", "NEAR_LEVELS", "Inspection", "Watch", "inspect_images", "near_pairs"]

HASH_BITS = 255
NEAR_BITS = 40
"""Near duplicates: at most this many of the 255 bits of their hashes differ …"""
NEAR_LEVELS = 48
"""… and no cell of their 32x32 thumbnails differs by more than this many of 255 levels in any channel.

Measured on four sets of photographs: copies that were recompressed, halved or brightened by a tenth differ by
0 to 19 bits and 3 to 34 levels, copies with 2 % cropped from every edge by about 35 bits, and unrelated
images of the same kind by 82 bits or more. The second condition separates images of a fixed camera in which
something small, but visible, has moved.
"""
_SIDE = 32
_ENOUGH = 2 * _SIDE  # pixels of the shorter side for a thumbnail
_LOW = 16
_BLOCK = 2048
_AHEAD = 256  # images under way
_KEPT = 4096  # thumbnails of images that look alike, of 3 KiB each


@dataclass(frozen=True, slots=True, eq=False)
class Inspection:
    """What is seen of one image file.

    Attributes:
        fault: why it cannot be read, or "".
        sha256: of the file's content, in hex; "" if it cannot be read.
        header: size and orientation as stored, or None if it cannot be read.
        bits: int8, (255,), the perceptual hash as -1, 0 and 1.
        path: the file.
        code: the rule that says why it cannot be read.
    """

    fault: str
    sha256: str = ""
    header: ImageHeader | None = None
    bits: NDArray[np.int8] | None = None
    path: Path | None = None
    code: str = "Y101"


Watch = Callable[[Iterable[Inspection], int], Iterable[Inspection]]
"""Wraps the stream of inspections, whose number is given, to show progress."""


def inspect_images(
    paths: Iterable[Path], watch: Watch | None = None, *, decode: bool = True
) -> dict[Path, Inspection]:
    """Read every image once, on all cores.

    Args:
        paths: image files; duplicates are read once.
        decode: decode and hash the images; else only their headers are read.
        watch: wraps the stream of inspections, to show progress.
    """
    unique = list(dict.fromkeys(paths))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        inspections = _mapped(pool, _inspect if decode else _inspect_header, unique)
        return dict(
            zip(unique, inspections if watch is None else watch(inspections, len(unique)), strict=True)
        )


def _mapped(
    pool: ThreadPoolExecutor, look: Callable[[Path], Inspection], paths: Sequence[Path]
) -> Iterator[Inspection]:
    """`pool.map`, of which only so many are under way at once: each waiting one takes memory."""
    waiting: deque[Future[Inspection]] = deque()
    for path in paths:
        waiting.append(pool.submit(look, path))
        if len(waiting) >= _AHEAD:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def near_pairs(
    inspections: Sequence[Inspection], others: Sequence[Inspection]
) -> Iterator[tuple[int, int, int, int]]:
    """Pairs of near-duplicate images whose files differ.

    Every inspection must be of a readable image.

    Yields:
        Index in ``inspections``, index in ``others``, differing bits, largest difference of thumbnails.
    """
    look = lru_cache(_KEPT)(_thumbnail_of)
    for start in range(0, len(inspections), _BLOCK):
        left = _stacked(inspections[start : start + _BLOCK])  # (B, 255)
        for begin in range(0, len(others), _BLOCK):  # both in blocks, so that memory is bounded
            right = _stacked(others[begin : begin + _BLOCK])  # (C, 255)
            apart = (HASH_BITS - left @ right.T) / 2  # (B, C); -1 * 1 is one bit, 0 * anything half a bit
            for i, j in np.argwhere(apart <= NEAR_BITS).tolist():  # (K, 2)
                a, b = inspections[start + i], others[begin + j]
                if a.sha256 != b.sha256 and (levels := _levels(a, b, look)) <= NEAR_LEVELS:
                    yield start + i, begin + j, round(float(apart[i, j])), levels


def _stacked(inspections: Sequence[Inspection]) -> NDArray[np.float32]:
    """The hashes of readable images, (N, 255)."""
    return np.stack([it.bits for it in inspections if it.bits is not None]).astype(np.float32)


def _inspect(path: Path) -> Inspection:
    """Inspect one file."""
    try:
        header = image_header(path)
        data = read_file(path, most=MAX_IMAGE, kind="image")
        small = _thumbnail(decode_image(data, str(path), at_least=_ENOUGH).rgb)  # (32, 32, 3)
    except OSError as fault:
        return Inspection(f"cannot be read: {fault.strerror or fault}")
    except DataError as fault:
        code = "Y107" if isinstance(fault, DamagedError) else "Y101"
        return Inspection(fault.text.removeprefix(f"{path}: "), code=code)
    return Inspection("", hashlib.sha256(data).hexdigest(), header, _hash(small), path)


def _inspect_header(path: Path) -> Inspection:
    """Size and orientation of one file."""
    try:
        return Inspection("", header=image_header(path))
    except DataError as fault:
        return Inspection(str(fault).removeprefix(f"{path}: "))


def _thumbnail(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """An image (height, width, 3) at (32, 32, 3)."""
    small: NDArray[np.uint8] = cv2.resize(rgb, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).astype(np.uint8)
    return small


def _thumbnail_of(path: Path) -> NDArray[np.uint8]:
    """The thumbnail of a file, (32, 32, 3), read again: of all images they would fill the memory."""
    return _thumbnail(read_image(path, at_least=_ENOUGH).rgb)


def _hash(thumbnail: NDArray[np.uint8]) -> NDArray[np.int8]:
    """Signs (255,) of the 255 lowest frequencies (without the mean) relative to their median: -1, 0 or 1.

    After Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions", 2010, with more bits.
    """
    grey = cv2.cvtColor(thumbnail, cv2.COLOR_RGB2GRAY).astype(np.float32)  # (32, 32)
    low = cv2.dct(grey)[:_LOW, :_LOW].ravel()[1:]  # (255,)
    median = np.partition(low, HASH_BITS // 2)[HASH_BITS // 2]
    signs: NDArray[np.int8] = np.sign(low - median).astype(np.int8)  # (255,)
    return signs


def _levels(a: Inspection, b: Inspection, look: Callable[[Path], NDArray[np.uint8]]) -> int:
    """The largest difference of two thumbnails, which ``look`` gives, in any cell and channel."""
    if a.path is None or b.path is None:
        return 255
    return int(np.abs(look(a.path).astype(np.int16) - look(b.path)).max())
