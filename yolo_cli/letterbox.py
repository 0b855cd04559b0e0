"""Letterbox: an image to the network's input size, and boxes back to the image.

The edge at x of the original is at ``left + x * scaled_width / width`` in the network's input; y likewise.
The scaled size is rounded to whole pixels, so the two axes have slightly different scales; undoing uses
the exact scale of each.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from yolo_cli.config import Resize

__all__ = ["GREY", "Letterbox"]

Floats = NDArray[np.floating[Any]]
Pixels = NDArray[np.uint8]

# Darknet pads with 0.5 on its scale from 0 to 1, that is 127.5 of 255: no byte is nearer than 128.
GREY = 128


@dataclass(frozen=True, slots=True)
class Letterbox:
    """The position of one image in the network's input; see :meth:`fit`.

    Attributes:
        height, width: of the original image, in pixels.
        net_height, net_width: of the network's input, in pixels.
        scaled_height, scaled_width: what the image is resized to, in pixels.
        top, left: padding above and to the left, in pixels.
    """

    height: int
    width: int
    net_height: int
    net_width: int
    scaled_height: int
    scaled_width: int
    top: int
    left: int

    @classmethod
    @lru_cache(maxsize=64)
    def fit(
        cls, height: int, width: int, net_height: int, net_width: int, kind: Resize = "letterbox"
    ) -> Letterbox:
        """Fit an image of ``height`` by ``width`` pixels into ``net_height`` by ``net_width`` pixels.

        ``letterbox`` keeps the aspect ratio: the image is resized to touch two opposite edges, and the rest
        is padded equally on both sides. As in Darknet, the other side is rounded down (at least 1), and the
        smaller part of an odd padding is above or left. ``stretch`` fills the input.

        Raises:
            ValueError: if a length is below 1.

        >>> fitted = Letterbox.fit(375, 500, 416, 416)
        >>> fitted.scaled_height, fitted.scaled_width, fitted.top, fitted.left
        (312, 416, 52, 0)
        """
        if min(height, width, net_height, net_width) < 1:
            raise ValueError(f"cannot fit {height} by {width} pixels into {net_height} by {net_width}")
        scaled_height, scaled_width = net_height, net_width
        if kind == "letterbox":
            # In whole numbers, so that no rounding error decides: of the two scales the smaller one counts.
            scaled_height = min(net_height, max(1, height * net_width // width))
            scaled_width = min(net_width, max(1, width * net_height // height))
        top, left = (net_height - scaled_height) // 2, (net_width - scaled_width) // 2
        return cls(height, width, net_height, net_width, scaled_height, scaled_width, top, left)

    def apply(self, rgb: Pixels, out: Pixels | None = None) -> Pixels:
        """The network's input (net_height, net_width, 3) for the image ``rgb`` (height, width, 3), uint8.

        Bilinear, as in the reference figures; an image that already has the scaled size is copied unchanged.

        Args:
            rgb: the image; it is not changed.
            out: where to write the result, such as one row of a batch; None allocates it.

        Returns:
            ``out``.

        Raises:
            ValueError: if ``rgb`` or ``out`` is not a uint8 array of its shape.
        """
        _check("rgb", rgb, (self.height, self.width, 3))
        if out is None:
            out = np.empty((self.net_height, self.net_width, 3), np.uint8)
        _check("out", out, (self.net_height, self.net_width, 3))
        bottom, right = self.top + self.scaled_height, self.left + self.scaled_width
        for padding in (out[: self.top], out[bottom:], out[:, : self.left], out[:, right:]):
            padding[...] = GREY
        inner = out[self.top : bottom, self.left : right]  # (scaled_height, scaled_width, 3)
        if inner.shape == rgb.shape:
            inner[...] = rgb
        else:
            cv2.resize(
                rgb, (self.scaled_width, self.scaled_height), dst=inner, interpolation=cv2.INTER_LINEAR
            )
        return out

    def forward(self, xyxy: Floats) -> Floats:
        """Boxes (…, 4) or points (…, 2) in pixels of the original → in pixels of the network's input."""
        scale, offset = self._transform(xyxy)  # (4,) or (2,) each
        return xyxy * scale + offset

    def undo(self, xyxy: Floats) -> Floats:
        """Boxes (…, 4) or points (…, 2) in pixels of the network's input → in pixels of the original.

        A box that extends into the padding extends beyond the image; clip it if that matters.
        """
        scale, offset = self._transform(xyxy)  # (4,) or (2,) each
        return (xyxy - offset) / scale

    def _transform(self, values: Floats) -> tuple[Floats, Floats]:
        """Scale and offset of boxes (4,) or points (2,): them * scale + offset is in the network's input."""
        x, y = self.scaled_width / self.width, self.scaled_height / self.height
        times = values.shape[-1] // 2
        scale, offset = [x, y] * times, [self.left, self.top] * times
        return np.array(scale, values.dtype), np.array(offset, values.dtype)


def _check(name: str, array: Any, shape: tuple[int, int, int]) -> None:
    """Raise ValueError unless ``array`` is uint8 and of this shape."""
    if array.dtype != np.uint8 or array.shape != shape:
        raise ValueError(f"{name} must be uint8 of shape {shape}, not {array.dtype} {array.shape}")
