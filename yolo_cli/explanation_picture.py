"""An explanation as a picture: what the network had to choose from, and what was left of it."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from yolo_cli.detections import Detections
from yolo_cli.explanation import Explanation, Fate, Place
from yolo_cli.images import Image
from yolo_cli.render import class_colour, draw

__all__ = ["draw_explanation"]

Pixels = NDArray[np.uint8]
Box = tuple[float, ...]

LEAST_SIDE = 640  # pixels: a smaller picture is enlarged, so that grid and anchors can be told apart
WHITE, BLACK, GAP = (255, 255, 255), (0, 0, 0), 12


def draw_explanation(image: Image, explained: Explanation, class_names: tuple[str, ...]) -> Pixels:
    """Two pictures side by side, uint8 (H, W, 3).

    Left: the grid that answered, the cell with the point filled, its anchors in white, and a thin frame
    around every box over the point. Right: those that suppression left.
    """
    scale = max(1.0, LEAST_SIDE / max(image.height, image.width))
    size = round(image.width * scale), round(image.height * scale)
    large: Any = cv2.resize(image.rgb, size, interpolation=cv2.INTER_CUBIC)
    before, after = large.copy(), Image(large)
    place = _answering(explained)
    _grid(before, explained, place.stride, scale)
    for answer in explained.answers:
        if answer.place.stride == place.stride:
            _frame(before, _anchor_box(answer.place, explained), WHITE, scale, 1)
    for fate in reversed(explained.fates):
        _frame(before, fate.xyxy, class_colour(fate.class_id), scale, 2)
    left, right = before, draw(after, _kept(explained.fates, scale), class_names)
    for panel in (left, right):
        _point(panel, explained.point, scale)
    gap = np.full((size[1], GAP, 3), 255, np.uint8)
    return np.concatenate([left, gap, right], axis=1)


def _answering(explained: Explanation) -> Place:
    """The place that the most confident box over the point came from; else the best of the point's cells."""
    return explained.fates[0].place if explained.fates else explained.answers[0].place


def _to_picture(xyxy: Box, explained: Explanation) -> Box:
    """A box in pixels of the network's input → pixels of the picture."""
    return tuple(explained.letterbox.undo(np.array([xyxy], float))[0].tolist())


def _grid(canvas: Pixels, explained: Explanation, stride: int, scale: float) -> None:
    """Thin lines between the cells of one head, and a veil over the cell that holds the point."""
    box = explained.letterbox
    for column in range(0, box.net_width + 1, stride):
        x = round(_to_picture((column, 0, column, 0), explained)[0] * scale)
        if 0 <= x < canvas.shape[1]:
            canvas[:, x] = (canvas[:, x].astype(int) + 255) // 2
    for row in range(0, box.net_height + 1, stride):
        y = round(_to_picture((0, row, 0, row), explained)[1] * scale)
        if 0 <= y < canvas.shape[0]:
            canvas[y] = (canvas[y].astype(int) + 255) // 2
    column, row = (int(value // stride) for value in explained.network_point)
    cell = (column * stride, row * stride, (column + 1) * stride, (row + 1) * stride)
    x1, y1, x2, y2 = (max(0, round(edge * scale)) for edge in _to_picture(cell, explained))
    canvas[y1:y2, x1:x2] = canvas[y1:y2, x1:x2] // 2 + np.array([127, 110, 0], np.uint8)


def _anchor_box(place: Place, explained: Explanation) -> Box:
    """The anchor in the middle of its cell, in pixels of the picture."""
    x, y = (place.column + 0.5) * place.stride, (place.row + 0.5) * place.stride
    wide, high = place.anchor_size
    return _to_picture((x - wide / 2, y - high / 2, x + wide / 2, y + high / 2), explained)


def _frame(canvas: Pixels, xyxy: Box, colour: tuple[int, int, int], scale: float, line: int) -> None:
    x1, y1, x2, y2 = (round(edge * scale) for edge in xyxy)
    cv2.rectangle(canvas, (x1, y1), (x2 - 1, y2 - 1), BLACK, line + 2, cv2.LINE_AA)
    cv2.rectangle(canvas, (x1, y1), (x2 - 1, y2 - 1), colour, line, cv2.LINE_AA)


def _point(canvas: Pixels, point: tuple[float, float], scale: float) -> None:
    at = round(point[0] * scale), round(point[1] * scale)
    cv2.circle(canvas, at, 6, BLACK, -1, cv2.LINE_AA)
    cv2.circle(canvas, at, 4, (255, 60, 60), -1, cv2.LINE_AA)


def _kept(fates: tuple[Fate, ...], scale: float) -> Detections:
    """What detection returns of them, in pixels of the enlarged picture."""
    kept = [fate for fate in fates if fate.kept]
    return Detections(
        np.array([fate.xyxy for fate in kept], np.float32).reshape(-1, 4) * np.float32(scale),
        np.array([fate.confidence for fate in kept], np.float32),
        np.array([fate.class_id for fate in kept], np.int64),
    )
