"""Every window of an image: a pyramid of scales and aspects, and a grid of places on each level.

The network sees windows of one size. So the image is resized instead: on a level for windows of h by w
pixels it grows until those are as large as the network's input. Where windows lie on that level, every
``STRIDE`` pixels, is then the same question for crops and for a convolution over the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from yolo_cli.detectors.regions import Cost, RegionScores, softmax
from yolo_cli.engines import Engine
from yolo_cli.images import Image
from yolo_cli.letterbox import GREY

__all__ = ["STRIDE", "WINDOW", "Level", "Pyramid", "WindowScan", "levels"]

Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.integer[Any]]
Pixels = NDArray[np.uint8]

WINDOW = 128  # pixels of the network's input, height and width
STRIDE = 16  # pixels between windows: what the network's layers with strides come to


@dataclass(frozen=True, slots=True)
class Pyramid:
    """Which windows there are.

    Attributes:
        sizes: square roots of the windows' areas, as shares of the image's longer side.
        aspects: width over height.
    """

    sizes: tuple[float, ...] = (0.25, 0.36, 0.52, 0.75, 1.0)
    aspects: tuple[float, ...] = (0.5, 1.0, 2.0)


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """One image at one size.

    Attributes:
        rgb: uint8 (H, W, 3), with grey right and below so that windows cover all of it.
        scale: (2,), pixels of the level for each pixel of the image, along x and y.
    """

    rgb: Pixels
    scale: Floats

    @property
    def rows(self) -> int:
        """How many windows lie one below the other."""
        return int(self.rgb.shape[0] - WINDOW) // STRIDE + 1

    @property
    def columns(self) -> int:
        """How many windows lie side by side."""
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
    """Each level of the pyramid over ``image``, small windows first; those without any room are left out.

    A window larger than the image has room if no more than a third of it lies outside on each side.
    """
    longer = max(image.height, image.width)
    for size, aspect in product(pyramid.sizes, pyramid.aspects):
        width, height = size * longer * aspect**0.5, size * longer / aspect**0.5
        if width < 1.5 * image.width and height < 1.5 * image.height:
            yield _level(image, WINDOW / width, WINDOW / height)


def _level(image: Image, scale_x: float, scale_y: float) -> Level:
    wide, high = max(1, round(image.width * scale_x)), max(1, round(image.height * scale_y))
    shrinks = wide * high < image.width * image.height
    kind = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    full = np.full((_covered(high), _covered(wide), 3), GREY, np.uint8)  # (H, W, 3)
    full[:high, :wide] = cv2.resize(image.rgb, (wide, high), interpolation=kind)
    return Level(full, np.array([wide / image.width, high / image.height]))


def _covered(length: int) -> int:
    """The shortest length of at least ``length`` pixels that windows cover without a rest."""
    steps = -(-max(length - WINDOW, 0) // STRIDE)
    return WINDOW + steps * STRIDE


@dataclass(frozen=True, slots=True)
class WindowScan:
    """All windows of a pyramid, and what a network says of them.

    Attributes:
        network: images, uint8 (B, H, W, 3) → scores before softmax (B, rows, columns, classes), background
            last, for the window at each row and column.
        look: how the network sees a level: its scores (N, classes) for each of the level's windows.
        price: what that costs for an image on these levels.
        pyramid: which windows there are.
    """

    network: Engine
    look: Callable[[Engine, Level], NDArray[np.float32]]
    price: Callable[[Engine, Iterable[Level]], Cost]
    pyramid: Pyramid = Pyramid()

    def propose(self, image: Image) -> Floats:
        """All windows (N, 4) in pixels of ``image``."""
        return np.concatenate([level.windows for level in levels(image, self.pyramid)])

    def origins(self, image: Image, numbers: Integers) -> list[str]:
        """Where in the pyramid the windows ``numbers`` (N,) of `propose` lie, in words."""
        grids = [(level.rows, level.columns, WINDOW / level.scale) for level in levels(image, self.pyramid)]
        ends = np.cumsum([rows * columns for rows, columns, _ in grids])  # (L,)
        words = []
        for number, at in zip(
            numbers.tolist(), np.searchsorted(ends, numbers, "right").tolist(), strict=True
        ):
            rows, columns, (wide, high) = grids[at]
            row, column = divmod(number - int(ends[at]) + rows * columns, columns)
            size = f"windows of {wide:.0f}x{high:.0f}"
            words.append(f"level {at + 1} of {len(grids)}, {size}, row {row}, column {column}")
        return words

    def cost(self, image: Image) -> Cost:
        """What looking at every level costs."""
        return self.price(self.network, levels(image, self.pyramid))

    def classify(self, image: Image, boxes: Floats) -> RegionScores:
        """What the windows ``boxes`` (N, 4) show: those that `propose` gave, in the same order."""
        logits = [self.look(self.network, level) for level in levels(image, self.pyramid)]
        return RegionScores(softmax(np.concatenate(logits))[:, :-1], boxes[:, None])
