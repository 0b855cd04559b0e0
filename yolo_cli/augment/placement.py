"""The position of an image on a canvas, for its pixels and its boxes.

The mapping is the letterbox's, except that the image may be larger than the canvas, anywhere on it, and
mirrored first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
"""Objects whose box is narrower or lower than this, in pixels of the network's input, are left out."""


@dataclass(frozen=True, slots=True)
class Placement:
    """The position of an image on a canvas.

    Attributes:
        frame: size of the image, and its size and upper left corner on the canvas; the corner is negative if
            the image is cut off.
        mirrored: left and right are swapped first.
        overturned: top and bottom are swapped first.
    """

    frame: Letterbox
    mirrored: bool = False
    overturned: bool = False

    @classmethod
    def centred(cls, shape: Canvas, canvas: Canvas) -> Placement:
        """An image of this height and width, placed as by the letterbox: complete and centred."""
        return cls(Letterbox.fit(*shape, *canvas))

    def varied(self, rng: np.random.Generator, config: AugmentConfig, size: float = 1.0) -> Placement:
        """The same, randomly mirrored and resized.

        Factors are uniform on a logarithmic scale: twice as large is as likely as half as large.

        Args:
            rng: the source of all random numbers.
            config: probabilities and strengths.
            size: a further factor on the size.
        """
        across, down = (rng.random(2) < (config.flip, config.flip_vertical)).tolist()
        size *= (1 + config.scale) ** rng.uniform(-1, 1)
        # Each side gets half of the change of aspect, so that the area stays the same.
        aspect = (1 + config.aspect) ** rng.uniform(-0.5, 0.5)
        scaled_height = max(1, round(self.frame.scaled_height * size / aspect))
        scaled_width = max(1, round(self.frame.scaled_width * size * aspect))
        frame = replace(self.frame, scaled_height=scaled_height, scaled_width=scaled_width)
        return Placement(frame, across, down)

    def moved(self, canvas: Canvas, x: float, y: float) -> Placement:
        """The same on another canvas, with the fractions ``x`` and ``y`` of the free space left and above.

        0.5 is the middle. If the image is larger than the canvas, the space is the part that is cut off.
        """
        (height, width), frame = canvas, self.frame
        top, left = round((height - frame.scaled_height) * y), round((width - frame.scaled_width) * x)
        return replace(self, frame=replace(frame, net_height=height, net_width=width, top=top, left=left))

    def paint(self, rgb: Pixels, canvas: Pixels, recolour: Callable[[Pixels], Pixels]) -> None:
        """Lay the image (height, width, 3) on ``canvas`` (its height, its width, 3), in place.

        It is resized as by the letterbox; the visible part is passed through ``recolour``.
        """
        left, top, right, bottom = self._shown()
        scaled, size = rgb, (self.frame.scaled_width, self.frame.scaled_height)
        if size[::-1] != rgb.shape[:2]:
            scaled = cv2.resize(rgb, size, interpolation=cv2.INTER_LINEAR)
        if self.mirrored or self.overturned:
            # OpenCV's code: 1 swaps left and right, 0 top and bottom, -1 both.
            scaled = cv2.flip(scaled, 1 if not self.overturned else 0 if not self.mirrored else -1)
        y, x = self.frame.top, self.frame.left
        piece = scaled[top - y : bottom - y, left - x : right - x]
        canvas[top:bottom, left:right] = recolour(piece)

    def forward(self, xyxy: Floats) -> Floats:
        """Boxes (N, 4) in pixels of the image → boxes (N, 4) in pixels of the canvas, not clipped."""
        left, top, right, bottom = xyxy.T  # each (N,)
        if self.mirrored:
            left, right = self.frame.width - right, self.frame.width - left
        if self.overturned:
            top, bottom = self.frame.height - bottom, self.frame.height - top
        return self.frame.forward(np.stack([left, top, right, bottom], axis=1))

    def carry(
        self, ground_truth: GroundTruth, min_visible: float, flip_idx: Sequence[int] = ()
    ) -> GroundTruth:
        """The objects that are still visible, in pixels of the canvas, clipped to it.

        An object is kept if at least the fraction ``min_visible`` of its box (the part inside the image) is
        visible, and the visible part is at least ``MIN_SIDE`` pixels wide and high. A key point that is not
        is no longer labelled; in a mirrored image, each becomes the one that ``flip_idx`` says.
        """
        inside = clip_boxes(ground_truth.xyxy, (self.frame.height, self.frame.width))  # (N, 4)
        moved = self.forward(inside)  # (N, 4)
        xyxy = clip_boxes(moved, (self.frame.net_height, self.frame.net_width))  # (N, 4)
        shown = box_area(xyxy)  # (N,)
        large = (xyxy[:, 2:] - xyxy[:, :2] >= MIN_SIDE).all(axis=1)  # (N,)
        stays = large & (shown >= min_visible * box_area(moved))  # (N,)
        # The outline's area scales with the box's; kept boxes have an area, so nothing is divided by 0.
        growth = shown[stays] / box_area(inside)[stays]  # (K,)
        seen = ground_truth[stays]
        points = None if seen.keypoints is None else self._carried(seen.keypoints, flip_idx)
        return seen.moved(xyxy[stays], seen.area * growth, points)

    def _carried(self, points: Floats, flip_idx: Sequence[int]) -> Floats:
        """Key points (N, K, 3) in pixels of the canvas; zeros for those that are not visible."""
        x, y, visibility = np.moveaxis(points, 2, 0)  # (N, K) each
        x = self.frame.width - x if self.mirrored else x
        y = self.frame.height - y if self.overturned else y
        xy = self.frame.forward(np.stack([x, y], axis=2))  # (N, K, 2)
        left, top, right, bottom = self._shown()
        inside = ((xy >= (left, top)) & (xy < (right, bottom))).all(axis=2)  # (N, K)
        carried = np.concatenate([xy, visibility[..., None]], axis=2)  # (N, K, 3)
        carried[~inside | (visibility <= 0)] = 0
        # One mirror exchanges left and right, be it upright or level; two are a rotation.
        swapped = self.mirrored != self.overturned and len(flip_idx)
        return carried[:, list(flip_idx)] if swapped else carried

    def _shown(self) -> tuple[int, int, int, int]:
        """Left, top, right and bottom of the part of the canvas covered by the image."""
        frame = self.frame
        bottom, right = frame.top + frame.scaled_height, frame.left + frame.scaled_width
        left, top = max(frame.left, 0), max(frame.top, 0)
        return left, top, max(left, min(right, frame.net_width)), max(top, min(bottom, frame.net_height))
