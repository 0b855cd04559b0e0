"""Sliding windows: a pyramid of scales and aspects, and a grid of windows on each level.

The network takes windows of one size, so the image is resized instead: on the level for windows of h by w
pixels, it is scaled so that they are as large as the network's input. Windows are ``STRIDE`` pixels apart,
for crops as for a convolution over the whole level.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from yolo_cli.detectors.protocol import Cost
from yolo_cli.detectors.regions import softmax
from yolo_cli.detectors.trace import RegionScores
from yolo_cli.engines import Engine
from yolo_cli.images import Image
from yolo_cli.letterbox import GREY

__all__ = ["STRIDE", "WINDOW", "Level", "Pyramid", "Scan", "WindowScan", "levels"]

Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.integer[Any]]
Pixels = NDArray[np.uint8]

WINDOW = 128  # pixels of the network's input, height and width
STRIDE = 16  # pixels between windows: the network's total stride
NARROWEST = 1 / 32  # of the image's longer side


@dataclass(frozen=True, slots=True)
class Pyramid:
    """The sizes and shapes of windows.

    Attributes:
        sizes: square roots of the windows' areas, as fractions of the image's longer side.
        aspects: width over height.
    """

    sizes: tuple[float, ...] = (0.25, 0.36, 0.52, 0.75, 1.0)
    aspects: tuple[float, ...] = (0.5, 1.0, 2.0)


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """One level of the pyramid.

    Attributes:
        rgb: uint8 (H, W, 3), the resized image, padded with grey right and below to whole windows.
        scale: (2,), pixels of the level per pixel of the image, along x and y.
    """

    rgb: Pixels
    scale: Floats

    @property
    def rows(self) -> int:
        """Number of rows of windows."""
        return int(self.rgb.shape[0] - WINDOW) // STRIDE + 1

    @property
    def columns(self) -> int:
        """Number of columns of windows."""
        return int(self.rgb.shape[1] - WINDOW) // STRIDE + 1

    @property
    def windows(self) -> Floats:
        """The windows in pixels of the image, (rows · columns, 4), row by row."""
        row, column = np.indices((self.rows, self.columns)).reshape(2, -1)  # (N,), (N,)
        low = np.stack([column, row], axis=1) * float(STRIDE)  # (N, 2), pixels of the level
        return np.concatenate([low, low + WINDOW], axis=1) / np.tile(self.scale, 2)

    def crops(self) -> Iterator[Pixels]:
        """The pixels (columns, WINDOW, WINDOW, 3) of each row of windows, in the order of ``windows``."""
        for row in range(self.rows):
            strip = self.rgb[row * STRIDE : row * STRIDE + WINDOW]  # (WINDOW, W, 3)
            starts = range(0, self.columns * STRIDE, STRIDE)
            yield np.stack([strip[:, start : start + WINDOW] for start in starts])


def levels(image: Image, pyramid: Pyramid) -> Iterator[Level]:
    """The levels of the pyramid over ``image`` whose windows fit, small windows first.

    A window fits if at most a third of it is outside the image. In an image too narrow for any of them, the
    windows are as large as its shorter side, but at least `NARROWEST` of the longer one: with smaller windows
    the level would not fit into memory.
    """
    longer, shorter = max(image.height, image.width), min(image.height, image.width)
    sizes = [
        (size * longer * aspect**0.5, size * longer / aspect**0.5)
        for size, aspect in product(pyramid.sizes, pyramid.aspects)
    ]
    fitting = [(w, h) for w, h in sizes if w < 1.5 * image.width and h < 1.5 * image.height]
    side = max(shorter, NARROWEST * longer)
    for width, height in fitting or [(side, side)]:
        yield _level(image, WINDOW / width, WINDOW / height)


def _level(image: Image, scale_x: float, scale_y: float) -> Level:
    wide, high = max(1, round(image.width * scale_x)), max(1, round(image.height * scale_y))
    shrinks = wide * high < image.width * image.height
    kind = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    full = np.full((_covered(high), _covered(wide), 3), GREY, np.uint8)  # (H, W, 3)
    full[:high, :wide] = cv2.resize(image.rgb, (wide, high), interpolation=kind)
    return Level(full, np.array([wide / image.width, high / image.height]))


def _covered(length: int) -> int:
    """The smallest length of at least ``length`` pixels that windows cover exactly."""
    steps = -(-max(length - WINDOW, 0) // STRIDE)
    return WINDOW + steps * STRIDE


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """The pyramid over one image.

    Attributes:
        levels: of the pyramid, small windows first; there is at least one.
        windows: of all levels, (N, 4) in pixels of the image.
    """

    levels: tuple[Level, ...]
    windows: Floats


@dataclass(frozen=True, slots=True)
class WindowScan(ABC):
    """Classifies all windows of a pyramid; a `RegionMethod` without `logits` and `cost`.

    Attributes:
        network: images, uint8 (B, H, W, 3) → scores before softmax (B, rows, columns, classes), background
            last, for the window at each row and column.
        pyramid: the sizes and shapes of the windows.
    """

    network: Engine
    pyramid: Pyramid = Pyramid()

    @abstractmethod
    def logits(self, level: Level) -> NDArray[np.float32]:
        """Scores before softmax (N, classes) of the windows of one level."""

    @abstractmethod
    def cost(self, image: Image) -> Cost:
        """Cost of classifying the windows of every level."""

    def view(self, image: Image) -> Scan:
        """The pyramid over ``image``."""
        found = tuple(levels(image, self.pyramid))
        return Scan(found, np.concatenate([level.windows for level in found]))

    def propose(self, scan: Scan) -> Floats:
        """All windows, (N, 4) in pixels of the image."""
        return scan.windows

    def classify(self, scan: Scan, boxes: Floats) -> RegionScores:
        """The predictions for the windows ``boxes`` (N, 4).

        Raises:
            ValueError: unless they are all windows of the scan, in its order.
        """
        if not np.array_equal(boxes, scan.windows):
            raise ValueError("only the windows of the scan can be classified, all of them in its order")
        logits = np.concatenate([self.logits(level) for level in scan.levels])  # (N, classes)
        return RegionScores(softmax(logits)[:, :-1], boxes[:, None])

    def origins(self, scan: Scan, numbers: Integers) -> list[str]:
        """A description of the position in the pyramid of each of the windows ``numbers`` (M,)."""
        ends = np.cumsum([level.rows * level.columns for level in scan.levels])  # (L,)
        words = []
        for number, at in zip(
            numbers.tolist(), np.searchsorted(ends, numbers, "right").tolist(), strict=True
        ):
            level = scan.levels[at]
            row, column = divmod(number - int(ends[at]) + level.rows * level.columns, level.columns)
            wide, high = WINDOW / level.scale
            size = f"windows of {wide:.0f}x{high:.0f}"
            words.append(f"level {at + 1} of {len(ends)}, {size}, row {row}, column {column}")
        return words
