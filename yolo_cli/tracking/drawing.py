"""Frames with ids, trails and counts drawn in."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from yolo_cli.images import Image
from yolo_cli.render import (
    DrawStyle,
    LabelledBox,
    class_colour,
    draw_border,
    draw_boxes,
    put_text,
    text_width,
)
from yolo_cli.tracking.counting import Counter, LineCounter
from yolo_cli.tracks import Tracks

__all__ = ["TrackDrawing"]

Pixels = NDArray[np.uint8]

_INK, _PAPER = (255, 255, 255), (32, 32, 32)


class TrackDrawing:
    """Draws one frame after the other, and remembers where each object was.

    Args:
        class_names: by class id.
        style: as for `draw`.
        trail: frames that a trail goes back.
    """

    def __init__(self, class_names: Sequence[str], style: DrawStyle, trail: int = 30) -> None:
        self._names = class_names
        self._style = style
        self._trail = trail
        self._trails: dict[int, deque[tuple[int, int]]] = {}
        self._last: dict[int, int] = {}

    def draw(self, image: Image, tracks: Tracks, counters: Sequence[Counter], objects: int) -> Pixels:
        """The frame with boxes, trails, borders and counts: uint8, (height, width, 3), RGB.

        Args:
            image: the frame.
            tracks: what is seen in it.
            counters: lines and zones with their counts so far.
            objects: how many different objects there were so far.
        """
        self._remember(tracks)
        canvas = image.rgb.copy()
        line = self._style.line_width or max(1, round((image.height * image.width) ** 0.5 / 240))
        for name, trail in self._trails.items():
            points = np.array(trail, np.int32).reshape(-1, 1, 2)
            cv2.polylines(canvas, [points], False, class_colour(name), max(1, line - 1), cv2.LINE_AA)
        for counter in counters:
            draw_border(canvas, counter.points, line + 1, closed=not isinstance(counter, LineCounter))
        if self._style.region:
            draw_border(canvas, self._style.region, line)
        drawn = draw_boxes(Image(canvas), list(map(self._labelled, *_columns(tracks))))
        texts = [f"{len(tracks)} now, {objects} in all", *map(_count, counters)]
        return _with_texts(drawn, texts)

    def _remember(self, tracks: Tracks) -> None:
        """Lengthen the trails of what is seen, and drop those of objects that are gone."""
        centres = np.rint((tracks.xyxy[:, :2] + tracks.xyxy[:, 2:]) / 2).astype(int)  # (N, 2)
        for name, frame, (x, y) in zip(
            tracks.track_id.tolist(), tracks.frame.tolist(), centres.tolist(), strict=True
        ):
            self._trails.setdefault(name, deque(maxlen=self._trail)).append((x, y))
            self._last[name] = frame
        now = int(tracks.frame[0]) if len(tracks) else max(self._last.values(), default=0)
        for name in [name for name, frame in self._last.items() if now - frame > self._trail]:
            del self._trails[name], self._last[name]

    def _labelled(self, name: int, box: Any, confidence: float, class_id: int) -> LabelledBox:
        text = f"{name} {self._names[class_id]}" + (f" {confidence:.2f}" if self._style.confidence else "")
        label = text if self._style.labels else ""
        return LabelledBox(tuple(box), label, class_colour(name), self._style.line_width)


def _columns(tracks: Tracks) -> tuple[list[Any], ...]:
    order = np.argsort(-tracks.confidence, kind="stable")
    arrays = (tracks.track_id, tracks.xyxy, tracks.confidence, tracks.class_id)
    return tuple(array[order].tolist() for array in arrays)


def _count(counter: Counter) -> str:
    return f"{counter.name}: {counter.counts['in']} in, {counter.counts['out']} out"


def _with_texts(canvas: Pixels, texts: Sequence[str]) -> Pixels:
    """Lines of text in the upper left corner, on a dark ground."""
    size = max(12, round((canvas.shape[0] * canvas.shape[1]) ** 0.5 / 38))
    height, pad = round(size * 1.4), size // 3
    wide = max(text_width(text, size) for text in texts) + 2 * pad
    canvas[: height * len(texts) + pad, :wide] = _PAPER
    for row, text in enumerate(texts, start=1):
        put_text(canvas, text, (pad, height * row - pad // 2), size, _INK)
    return canvas
