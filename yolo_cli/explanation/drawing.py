"""An explanation as an image: what the detector had to choose from, and what was left of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from yolo_cli.detections import Detections
from yolo_cli.explanation.fates import Fate, covers
from yolo_cli.explanation.regions import RegionExplanation
from yolo_cli.explanation.yolo import Explanation, Place
from yolo_cli.images import Image
from yolo_cli.render import class_colour, draw

__all__ = ["draw_explanation"]

Pixels = NDArray[np.uint8]
Box = tuple[float, ...]
Colour = tuple[int, int, int]

LEAST_SIDE = 640  # pixels: a smaller image is enlarged, so that grid and anchors can be told apart
WHITE, BLACK, GAP = (255, 255, 255), (0, 0, 0), 12
FAINT = (0.08, 0.5)  # how much one line covers of what is below it: of many frames, and of few
FEW = 15  # frames; beyond twice as many, each becomes fainter


def draw_explanation(
    image: Image, explained: Explanation | RegionExplanation, class_names: tuple[str, ...]
) -> Pixels:
    """Two images side by side, uint8 (H, W, 3).

    Left: what there was to choose from. For YOLO the grid that answered, the cell with the point filled, its
    anchors in white, and a thin frame around every box over the point. For others, faint, a white frame
    around every window or proposal over the point and a coloured one around every box above the confidence;
    bold the most confident detection there, and in white the region that it came from.
    Right: what suppression left.
    """
    scale = max(1.0, LEAST_SIDE / max(image.height, image.width))
    size = round(image.width * scale), round(image.height * scale)
    large: Any = cv2.resize(image.rgb, size, interpolation=cv2.INTER_CUBIC)
    fates: Sequence[Fate[Any]] = explained.fates
    right = draw(Image(large), _kept(fates, scale), class_names)
    left = (
        _cells(large, explained, scale)
        if isinstance(explained, Explanation)
        else _regions(large, explained, scale)
    )
    for panel in (left, right):
        _point(panel, explained.point, scale)
    gap = np.full((size[1], GAP, 3), 255, np.uint8)
    return np.concatenate([left, gap, right], axis=1)


def _regions(image: Pixels, explained: RegionExplanation, scale: float) -> Pixels:
    """The regions over the point, and the boxes that became of them."""
    canvas = _net(image // 2, explained.over, WHITE, scale)
    for class_id in sorted({fate.class_id for fate in explained.fates}):
        boxes = [fate.xyxy for fate in explained.fates if fate.class_id == class_id]
        canvas = _net(canvas, boxes, class_colour(class_id), scale)
    kept = [fate for fate in explained.fates if fate.kept and covers(np.array([fate.xyxy]), explained.point)]
    for fate in kept[:1]:
        _frame(canvas, fate.place.xyxy, WHITE, scale, 1)
        _frame(canvas, fate.xyxy, class_colour(fate.class_id), scale, 3)
    return canvas


def _net(image: Pixels, boxes: Sequence[Box], colour: Colour, scale: float) -> Pixels:
    """A copy with a faint frame around each box: the fainter the more there are, less so where they meet."""
    lines = np.zeros(image.shape[:2], np.float32)  # (H, W), how many frames cover each pixel
    for box in boxes:
        once = np.zeros(image.shape[:2], np.uint8)  # (H, W)
        cv2.rectangle(once, *_corners(box, scale), 1, 1)
        lines += once
    faint = np.clip(FEW / max(1, len(boxes)), *FAINT)
    cover = (1 - (1 - faint) ** lines)[..., None]  # (H, W, 1)
    covered: Pixels = np.rint(image * (1 - cover) + np.array(colour) * cover).astype(np.uint8)
    return covered


def _cells(image: Pixels, explained: Explanation, scale: float) -> Pixels:
    """The grid that answered, the point's cell, its anchors, and the boxes over the point."""
    canvas, place = image.copy(), _answering(explained)
    _grid(canvas, explained, place.stride, scale)
    for answer in explained.answers:
        if answer.place.stride == place.stride:
            _frame(canvas, _anchor_box(answer.place, explained), WHITE, scale, 1)
    for fate in reversed(explained.fates):
        _frame(canvas, fate.xyxy, class_colour(fate.class_id), scale, 2)
    return canvas


def _answering(explained: Explanation) -> Place:
    """The place that the most confident box over the point came from; else the best of the point's cells."""
    return explained.fates[0].place if explained.fates else explained.answers[0].place


def _to_image(xyxy: Box, explained: Explanation) -> Box:
    """A box in pixels of the network's input → pixels of the image."""
    return tuple(explained.letterbox.undo(np.array([xyxy], float))[0].tolist())


def _grid(canvas: Pixels, explained: Explanation, stride: int, scale: float) -> None:
    """Thin lines between the cells of one head, and a veil over the cell that holds the point."""
    box = explained.letterbox
    for column in range(0, box.net_width + 1, stride):
        x = round(_to_image((column, 0, column, 0), explained)[0] * scale)
        if 0 <= x < canvas.shape[1]:
            canvas[:, x] = (canvas[:, x].astype(int) + 255) // 2
    for row in range(0, box.net_height + 1, stride):
        y = round(_to_image((0, row, 0, row), explained)[1] * scale)
        if 0 <= y < canvas.shape[0]:
            canvas[y] = (canvas[y].astype(int) + 255) // 2
    column, row = (int(value // stride) for value in explained.network_point)
    cell = (column * stride, row * stride, (column + 1) * stride, (row + 1) * stride)
    x1, y1, x2, y2 = (max(0, round(edge * scale)) for edge in _to_image(cell, explained))
    canvas[y1:y2, x1:x2] = canvas[y1:y2, x1:x2] // 2 + np.array([127, 110, 0], np.uint8)


def _anchor_box(place: Place, explained: Explanation) -> Box:
    """The anchor in the middle of its cell, in pixels of the image."""
    x, y = (place.column + 0.5) * place.stride, (place.row + 0.5) * place.stride
    wide, high = place.anchor_size
    return _to_image((x - wide / 2, y - high / 2, x + wide / 2, y + high / 2), explained)


def _frame(canvas: Pixels, xyxy: Box, colour: Colour, scale: float, line: int) -> None:
    cv2.rectangle(canvas, *_corners(xyxy, scale), BLACK, line + 2, cv2.LINE_AA)
    cv2.rectangle(canvas, *_corners(xyxy, scale), colour, line, cv2.LINE_AA)


def _corners(xyxy: Box, scale: float) -> tuple[tuple[int, int], tuple[int, int]]:
    """The first and the last pixel of a box."""
    x1, y1, x2, y2 = (round(edge * scale) for edge in xyxy)
    return (x1, y1), (x2 - 1, y2 - 1)


def _point(canvas: Pixels, point: tuple[float, float], scale: float) -> None:
    at = round(point[0] * scale), round(point[1] * scale)
    cv2.circle(canvas, at, 6, BLACK, -1, cv2.LINE_AA)
    cv2.circle(canvas, at, 4, (255, 60, 60), -1, cv2.LINE_AA)


def _kept(fates: Sequence[Fate[Any]], scale: float) -> Detections:
    """What detection returns of them, in pixels of the enlarged image."""
    kept = [fate for fate in fates if fate.kept]
    return Detections(
        np.array([fate.xyxy for fate in kept], np.float32).reshape(-1, 4) * np.float32(scale),
        np.array([fate.confidence for fate in kept], np.float32),
        np.array([fate.class_id for fate in kept], np.int64),
    )
