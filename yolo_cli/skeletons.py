"""Draw key points and the lines between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["VISIBLE", "draw_skeleton"]

VISIBLE = 0.5
"""Points of at least this visibility are drawn."""

_EDGE = (16, 16, 16)  # around points and lines, so that they show on any image
_FARTHEST = 1 << 20  # pixels, which OpenCV's integers can bear


def draw_skeleton(
    canvas: NDArray[np.uint8],
    points: NDArray[np.floating[Any]],
    skeleton: Sequence[tuple[int, int]],
    colours: Sequence[tuple[int, int, int]],
    line: int,
) -> None:
    """Draw one object's key points on an image, in place.

    Args:
        canvas: uint8, (height, width, 3).
        points: (K, 3): x and y in pixels of it, and visibility.
        skeleton: pairs of points, from 0.
        colours: of each point (K), so that left and right can be told apart, and at the end of the lines.
        line: width of lines in pixels.
    """
    seen = points[:, 2] >= VISIBLE  # (K,)
    places = np.rint(np.clip(points[:, :2], -_FARTHEST, _FARTHEST)).astype(int).tolist()
    pairs = [(places[a], places[b]) for a, b in skeleton if seen[a] and seen[b]]
    for ink, more in ((_EDGE, 2), (colours[-1], 0)):
        for start, end in pairs:
            cv2.line(canvas, start, end, ink, line + more, cv2.LINE_AA)
    for place, shown, colour in zip(places, seen, colours[:-1], strict=True):
        if shown:
            cv2.circle(canvas, place, line + 3, _EDGE, -1, cv2.LINE_AA)
            cv2.circle(canvas, place, line + 2, colour, -1, cv2.LINE_AA)
