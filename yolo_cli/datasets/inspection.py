"""Inspect image files: readability, hashes and near duplicates."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from yolo_cli.datasets.sizes import ImageHeader, image_header
from yolo_cli.errors import DataError
from yolo_cli.images import decode_image

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
_LOW = 16
_BLOCK = 2048


@dataclass(frozen=True, slots=True, eq=False)
class Inspection:
    """What is seen of one image file.

    Attributes:
        fault: why it cannot be read, or "".
        sha256: of the file's content, in hex; "" if it cannot be read.
        header: size and orientation as stored, or None if it cannot be read.
        bits: float32, (255,), the perceptual hash as -1, 0 and 1.
        thumbnail: uint8, (32, 32, 3), RGB.
    """

    fault: str
    sha256: str = ""
    header: ImageHeader | None = None
    bits: NDArray[np.float32] | None = None
    thumbnail: NDArray[np.uint8] | None = None


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
        inspections = pool.map(_inspect if decode else _inspect_header, unique)
        return dict(
            zip(unique, inspections if watch is None else watch(inspections, len(unique)), strict=True)
        )


def near_pairs(
    inspections: Sequence[Inspection], others: Sequence[Inspection]
) -> Iterator[tuple[int, int, int, int]]:
    """Pairs of near-duplicate images whose files differ.

    Every inspection must be of a readable image.

    Yields:
        Index in ``inspections``, index in ``others``, differing bits, largest difference of thumbnails.
    """
    if not inspections or not others:
        return
    right = np.stack([inspection.bits for inspection in others if inspection.bits is not None])  # (M, 255)
    for start in range(0, len(inspections), _BLOCK):
        left = np.stack(
            [
                inspection.bits
                for inspection in inspections[start : start + _BLOCK]
                if inspection.bits is not None
            ]
        )  # (B, 255)
        apart = (HASH_BITS - left @ right.T) / 2  # (B, M); -1 * 1 is one bit, 0 * anything half a bit
        for i, j in np.argwhere(apart <= NEAR_BITS):  # (K, 2)
            a, b = inspections[start + i], others[j]
            levels = _levels(a, b)
            if a.sha256 != b.sha256 and levels <= NEAR_LEVELS:
                yield start + int(i), int(j), round(float(apart[i, j])), levels


def _inspect(path: Path) -> Inspection:
    """Inspect one file."""
    try:
        data = path.read_bytes()
        rgb = decode_image(data, path.name).rgb  # (height, width, 3)
        header = image_header(path)
    except OSError as fault:
        return Inspection(f"cannot be read: {fault.strerror or fault}")
    except DataError as fault:
        return Inspection(str(fault).removeprefix(f"{path.name}: "))
    thumbnail = cv2.resize(rgb, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).astype(np.uint8)  # (32, 32, 3)
    return Inspection("", hashlib.sha256(data).hexdigest(), header, _hash(thumbnail), thumbnail)


def _inspect_header(path: Path) -> Inspection:
    """Size and orientation of one file."""
    try:
        return Inspection("", header=image_header(path))
    except DataError as fault:
        return Inspection(str(fault).removeprefix(f"{path}: "))


def _hash(thumbnail: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Signs (255,) of the 255 lowest frequencies (without the mean) relative to their median: -1, 0 or 1.

    After Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions", 2010, with more bits.
    """
    grey = cv2.cvtColor(thumbnail, cv2.COLOR_RGB2GRAY).astype(np.float32)  # (32, 32)
    low = cv2.dct(grey)[:_LOW, :_LOW].ravel()[1:]  # (255,)
    signs: NDArray[np.float32] = np.sign(low - np.median(low)).astype(np.float32)  # (255,)
    return signs


def _levels(a: Inspection, b: Inspection) -> int:
    """The largest difference of two thumbnails in any cell and channel."""
    if a.thumbnail is None or b.thumbnail is None:
        return 255
    return int(np.abs(a.thumbnail.astype(np.int16) - b.thumbnail).max())
