"""Intersection over union of two boxes, worked out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from yolo_cli.boxes import box_area, box_iou, intersection
from yolo_cli.explanation.drawing import draw_frame
from yolo_cli.explanation.legend import Entry, legend, titled
from yolo_cli.explanation.result import Plotted
from yolo_cli.images import Image
from yolo_cli.worked.canvas import Box, Pixels, check_box, enlarged, named

__all__ = ["BoxOverlap", "show_overlap"]

_FIRST, _SECOND, _BOTH = (0, 160, 255), (255, 140, 0), (60, 220, 90)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class BoxOverlap(Plotted):
    """Two boxes and what they have in common.

    Attributes:
        image: the image.
        first, second: x1, y1, x2, y2 in pixels.
        names: what each is.
        areas: of both, in square pixels.
        common: the area of the intersection.
        iou: intersection over union.
    """

    image: Image
    first: Box
    second: Box
    names: tuple[str, str]
    areas: tuple[float, float]
    common: float
    iou: float

    @property
    def union(self) -> float:
        """The area that at least one of them covers."""
        return sum(self.areas) - self.common

    def to_dict(self) -> dict[str, Any]:
        """The boxes and the numbers."""
        return {
            "image": self.image.name,
            "boxes": [list(self.first), list(self.second)],
            "names": list(self.names),
            "areas": list(self.areas),
            "intersection": self.common,
            "union": self.union,
            "iou": self.iou,
        }

    def to_text(self) -> str:
        """The sum for people."""
        first, second = (
            f"{name} {named(box)}" for name, box in zip(self.names, (self.first, self.second), strict=True)
        )
        lines = [
            f"{self.image.name}: {first} and {second}",
            _product(self.names[0], self.first, self.areas[0]),
            _product(self.names[1], self.second, self.areas[1]),
            f"intersection: {self._sides()} = {self.common:,.0f}",
            f"union: {self.areas[0]:,.0f} + {self.areas[1]:,.0f} - {self.common:,.0f} = {self.union:,.0f}",
            f"IoU: {self.common:,.0f} / {self.union:,.0f} = {self.iou:.3f}",
        ]
        return "".join(f"{line}\n" for line in lines)

    def plot(self) -> Pixels:
        """Both boxes, and their intersection filled, uint8 (H, W, 3)."""
        canvas, scale = enlarged(self.image)
        x1, y1, x2, y2 = (round(edge * scale) for edge in self._intersection())
        if x1 < x2 and y1 < y2:
            canvas[y1:y2, x1:x2] = canvas[y1:y2, x1:x2] // 2 + np.array(_BOTH, np.uint8) // 2
        for box, colour in ((self.first, _FIRST), (self.second, _SECOND)):
            draw_frame(canvas, box, colour, scale, 2)
        entries = [
            Entry("frame", _FIRST, 3, self.names[0]),
            Entry("frame", _SECOND, 3, self.names[1]),
            Entry("filled", _BOTH, 0, "intersection"),
        ]
        panel = titled(f"IoU = {self.common:,.0f} / {self.union:,.0f} = {self.iou:.3f}", canvas)
        return np.concatenate([panel, legend(entries, "", panel.shape[1])], axis=0)

    def _intersection(self) -> Box:
        pairs = list(zip(self.first, self.second, strict=True))
        return (*(max(pair) for pair in pairs[:2]), *(min(pair) for pair in pairs[2:]))

    def _sides(self) -> str:
        x1, y1, x2, y2 = self._intersection()
        return f"{max(0.0, x2 - x1):g} x {max(0.0, y2 - y1):g}"


def show_overlap(image: Image, first: Box, second: Box, names: tuple[str, str]) -> BoxOverlap:
    """Work out the intersection over union of two boxes, x1, y1, x2, y2 in pixels of the image.

    Raises:
        UsageError: if a box is not within the image.
    """
    a, b = (np.array([check_box(image, box)], float) for box in (first, second))  # (1, 4) each
    areas = float(box_area(a)[0]), float(box_area(b)[0])
    return BoxOverlap(
        image, first, second, names, areas, float(intersection(a, b)[0, 0]), float(box_iou(a, b)[0, 0])
    )


def _product(name: str, box: Box, area: float) -> str:
    x1, y1, x2, y2 = box
    return f"{name}: {x2 - x1:g} x {y2 - y1:g} = {area:,.0f}"
