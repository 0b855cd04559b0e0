"""Where an image lies on a canvas, for its pixels and for its boxes.

One law serves both: the edge at x of the image lies at ``left + x * scaled_width / width`` on the canvas,
and y likewise. That is the letterbox's law, except that the image may be larger than the canvas, lie
anywhere, and be mirrored first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from yolo_cli.boxes import box_area, clip_boxes
from yolo_cli.config import AugmentConfig
from yolo_cli.detections import GroundTruth
from yolo_cli.letterbox import Letterbox

__all__ = ["MIN_SIDE", "Canvas", "Placement"]

Floats = NDArray[np.floating[Any]]
Pixels = NDArray[np.uint8]
Canvas = tuple[int, int]  # height and width, pixels

MIN_SIDE = 2.0
"""Objects whose box is narrower or lower than this many pixels of the network's input leave the object."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where an image lies on a canvas, all in pixels.

    Attributes:
        height, width: of the image.
        scaled_height, scaled_width: what it is resized to.
        top, left: where its upper left corner lies on the canvas; below 0 where it is cut off.
        canvas: height and width of the canvas.
        mirrored: left and right are swapped first.
        overturned: top and bottom are swapped first.
    """

    height: int
    width: int
    scaled_height: int
    scaled_width: int
    top: int
    left: int
    canvas: Canvas
    mirrored: bool = False
    overturned: bool = False

    @classmethod
    def whole(cls, shape: Canvas, canvas: Canvas) -> Placement:
        """An image of this height and width, as the letterbox lays it: whole, in the middle."""
        fit = Letterbox.fit(*shape, *canvas)
        return cls(*shape, fit.scaled_height, fit.scaled_width, fit.top, fit.left, canvas)

    def varied(self, rng: np.random.Generator, config: AugmentConfig, size: float = 1.0) -> Placement:
        """The same, mirrored and resized by chance.

        Factors are evenly distributed on a logarithmic scale: twice as large is as likely as half as large.

        Args:
            rng: all chance comes from here.
            config: how likely, and how much.
            size: a factor on the size besides the one by chance.
        """
        across, down = (rng.random(2) < (config.flip, config.flip_vertical)).tolist()
        size *= (1 + config.scale) ** rng.uniform(-1, 1)
        # Half of the change of aspect goes to each side, so that it leaves the area as it is.
        aspect = (1 + config.aspect) ** rng.uniform(-0.5, 0.5)
        scaled_height = max(1, round(self.scaled_height * size / aspect))
        scaled_width = max(1, round(self.scaled_width * size * aspect))
        return replace(
            self, scaled_height=scaled_height, scaled_width=scaled_width, mirrored=across, overturned=down
        )

    def moved(self, canvas: Canvas, x: float, y: float) -> Placement:
        """The same on another canvas, with the shares ``x`` and ``y`` of the free room left and above.

        0.5 is the middle. Where the image is larger than the canvas, the room is what is cut off.
        """
        top, left = round((canvas[0] - self.scaled_height) * y), round((canvas[1] - self.scaled_width) * x)
        return replace(self, canvas=canvas, top=top, left=left)

    def paint(self, rgb: Pixels, canvas: Pixels, recolour: Callable[[Pixels], Pixels]) -> None:
        """Lay the image (height, width, 3) on ``canvas`` (its height, its width, 3), in place.

        Resized as the letterbox does it; the part that shows goes through ``recolour``.
        """
        left, top, right, bottom = self._shown()
        whole = rgb
        if (self.scaled_height, self.scaled_width) != rgb.shape[:2]:
            whole = cv2.resize(rgb, (self.scaled_width, self.scaled_height), interpolation=cv2.INTER_LINEAR)
        if self.mirrored or self.overturned:
            # OpenCV's code: 1 swaps left and right, 0 top and bottom, -1 both.
            whole = cv2.flip(whole, 1 if not self.overturned else 0 if not self.mirrored else -1)
        piece = whole[top - self.top : bottom - self.top, left - self.left : right - self.left]
        canvas[top:bottom, left:right] = recolour(piece)

    def forward(self, xyxy: Floats) -> Floats:
        """Boxes (N, 4) in pixels of the image → boxes (N, 4) in pixels of the canvas, not clipped."""
        left, top, right, bottom = xyxy.T  # each (N,)
        if self.mirrored:
            left, right = self.width - right, self.width - left
        if self.overturned:
            top, bottom = self.height - bottom, self.height - top
        x, y = self.scaled_width / self.width, self.scaled_height / self.height
        scale = np.array([x, y, x, y], xyxy.dtype)  # (4,)
        offset = np.array([self.left, self.top, self.left, self.top], xyxy.dtype)  # (4,)
        return np.stack([left, top, right, bottom], axis=1) * scale + offset

    def carry(self, ground_truth: GroundTruth, min_visible: float) -> GroundTruth:
        """The objects that can still be seen, in pixels of the canvas, clipped to it.

        An object stays if at least the share ``min_visible`` of its box (the part inside the image) shows,
        and what shows is at least ``MIN_SIDE`` pixels wide and high.
        """
        inside = clip_boxes(ground_truth.xyxy, (self.height, self.width))  # (N, 4)
        moved = self.forward(inside)  # (N, 4)
        xyxy = clip_boxes(moved, self.canvas)  # (N, 4)
        shown = box_area(xyxy)  # (N,)
        large = (xyxy[:, 2:] - xyxy[:, :2] >= MIN_SIDE).all(axis=1)  # (N,)
        stays = large & (shown >= min_visible * box_area(moved))  # (N,)
        # The outline's area follows the box's; what stays has an area, so nothing is divided by 0.
        growth = shown[stays] / box_area(inside)[stays]  # (K,)
        seen = ground_truth[stays]
        assert seen.area is not None  # a Ground truth completes itself
        return replace(seen, xyxy=xyxy[stays], area=seen.area * growth)

    def _shown(self) -> tuple[int, int, int, int]:
        """Left, top, right and bottom of the part of the canvas that the image covers."""
        bottom, right = self.top + self.scaled_height, self.left + self.scaled_width
        left, top = max(self.left, 0), max(self.top, 0)
        return left, top, max(left, min(right, self.canvas[1])), max(top, min(bottom, self.canvas[0]))
