"""Draw `Detections` on an image.

Every class has one colour, the same in every image and every run. Lines and labels follow the image's
size. With OpenCV 5 labels may be in any script; OpenCV 4 draws "?" for letters beyond ASCII.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from yolo_cli.detections import Detections
from yolo_cli.errors import UsageError
from yolo_cli.images import Image
from yolo_cli.skeletons import draw_skeleton

__all__ = [
    "PALETTE_SIZE",
    "DrawStyle",
    "LabelledBox",
    "class_colour",
    "draw",
    "draw_border",
    "draw_boxes",
    "put_text",
    "text_width",
]

PALETTE_SIZE = 128
_BORDER = (255, 210, 0)
_SMALLEST_TEXT = 8  # pixels; smaller letters cannot be read, so the label is left out

Colour = tuple[int, int, int]
Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class _Rectangle:
    """In whole pixels; left and top are inclusive, right and bottom exclusive."""

    left: int
    top: int
    right: int
    bottom: int

    def overlap(self, other: _Rectangle) -> int:
        """The common area in pixels."""
        wide = min(self.right, other.right) - max(self.left, other.left)
        high = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(wide, 0) * max(high, 0)


@dataclass(frozen=True, slots=True)
class _Label:
    """A text of ``size`` pixels on its filled rectangle, ``padding`` pixels from its border."""

    text: str
    place: _Rectangle
    colour: Colour
    size: int
    padding: int


@dataclass(frozen=True, slots=True)
class DrawStyle:
    """What is drawn for each detection.

    Attributes:
        line_width: width of the frame in pixels; None follows the image's size.
        labels: whether boxes are labelled with class names.
        confidence: whether labels show the confidence.
        region: the corners (x, y) of a polygon to draw, in pixels; () for none.

    Raises:
        UsageError: if the line is thinner than a pixel.
    """

    line_width: int | None = None
    labels: bool = True
    confidence: bool = True
    region: tuple[tuple[float, float], ...] = ()

    def __post_init__(self) -> None:
        if self.line_width is not None and self.line_width < 1:
            raise UsageError(f"--line-width is {self.line_width}, but must be at least 1 pixel")


_PLAIN = DrawStyle()


@dataclass(frozen=True, slots=True)
class LabelledBox:
    """A box to draw.

    Attributes:
        xyxy: in pixels of the image.
        text: its label; "" for none.
        colour: RGB.
        line_width: in pixels; None follows the image's size.
    """

    xyxy: tuple[float, ...]
    text: str
    colour: Colour
    line_width: int | None = None


def draw(
    image: Image, detections: Detections, class_names: Sequence[str], style: DrawStyle = _PLAIN
) -> Pixels:
    """Draw boxes with class names and confidences, and key points, on a copy of the image.

    More confident detections are drawn on top, and their labels are placed first.

    Args:
        image: the image; it is not changed.
        detections: boxes in pixels of that image.
        class_names: by class id; an id beyond them is shown as a number.
        style: what is drawn.

    Returns:
        uint8, (height, width, 3), RGB, as large as the image.
    """
    order = np.argsort(-detections.confidence, kind="stable")  # (N,), most confident first
    drawn = draw_boxes(image, [_labelled(detections, int(at), class_names, style) for at in order])
    width = style.line_width or max(1, round((image.height * image.width) ** 0.5 / 240))
    if detections.keypoints is not None:
        own = [class_colour(number) for number in range(detections.keypoints.shape[1])]
        for at in order[::-1]:
            colours = [*own, class_colour(int(detections.class_id[at]))]
            draw_skeleton(drawn, detections.keypoints[at], detections.skeleton, colours, width)
    if style.region:
        draw_border(drawn, style.region, width)
    return drawn


def draw_border(canvas: Pixels, points: ArrayLike, width: int, closed: bool = True) -> None:
    """Draw the border of a region or zone, or a line that counts, into an image.

    Args:
        canvas: the image; it is changed.
        points: corners (K, 2) in pixels.
        width: in pixels.
        closed: whether the last corner is joined with the first.
    """
    corners = np.rint(points).astype(np.int32).reshape(-1, 1, 2)
    cv2.polylines(canvas, [corners], closed, _BORDER, width, cv2.LINE_AA)


def _labelled(detections: Detections, at: int, class_names: Sequence[str], style: DrawStyle) -> LabelledBox:
    """One detection with its label and colour."""
    number = int(detections.class_id[at])
    text = class_names[number] if 0 <= number < len(class_names) else f"class {number}"
    if style.confidence:
        text += f" {detections.confidence[at]:.2f}"
    label = text if style.labels else ""
    return LabelledBox(tuple(detections.xyxy[at].tolist()), label, class_colour(number), style.line_width)


def draw_boxes(image: Image, boxes: Sequence[LabelledBox]) -> Pixels:
    """Draw boxes on a copy of the image. Earlier boxes are on top, and their labels are placed first.

    Returns:
        uint8, (height, width, 3), RGB, as large as the image.
    """
    canvas = image.rgb.copy()
    side = (image.height * image.width) ** 0.5
    line, size = max(1, round(side / 240)), _text_size(side, len(boxes))
    places = _pixel_boxes(np.array([box.xyxy for box in boxes]).reshape(-1, 4), image.width, image.height)
    labels: list[_Label] = []
    for box, place in zip(boxes, places, strict=True):
        taken = [old.place for old in labels]
        label = _label(box.text, box.colour, place, size, canvas, taken) if box.text else None
        labels += [label] if label else []
    for box, place in zip(boxes[::-1], places[::-1], strict=True):
        _draw_box(canvas, place, box.colour, box.line_width or line)
    for label in reversed(labels):
        _draw_label(canvas, label)
    return canvas


def _text_size(side: float, count: int) -> int:
    """Text height in pixels: 1/42 of the image's side, larger in small images, smaller with many boxes."""
    wanted = max(side / 42, min(12, side / 10), _SMALLEST_TEXT)
    return round(max(wanted * 0.8, min(wanted, 10)) if count > 24 else wanted)


def class_colour(class_id: int) -> Colour:
    """The colour of a class as red, green, blue; the colours repeat after `PALETTE_SIZE` classes.

    >>> class_colour(0) == class_colour(PALETTE_SIZE) != class_colour(1)
    True
    """
    red, green, blue = _palette()[class_id % PALETTE_SIZE]
    return int(red), int(green), int(blue)


@cache
def _palette() -> Pixels:
    """Maximally distinct colours, (PALETTE_SIZE, 3), RGB; a longer palette begins with the same colours.

    Each colour is the one farthest in CIELAB from all earlier ones, after Glasbey, van der Heijden, Toh and
    Gray, "Colour displays for categorical images" (2007).
    """
    steps = np.linspace(0, 255, 14).round().astype(np.uint8)
    grid = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)  # (2744, 3)
    lab = _lab(grid)  # (2744, 3)
    strong = (lab[:, 0] > 50) & (lab[:, 0] < 92) & (np.hypot(lab[:, 1], lab[:, 2]) > 50)  # (2744,)
    grid, lab = grid[strong], lab[strong]
    chosen = [int(np.argmin(np.abs(grid.astype(int) - (255, 60, 60)).sum(axis=1)))]  # begin with a red
    far = np.full(len(grid), np.inf)  # distance to the nearest chosen colour
    while len(chosen) < PALETTE_SIZE:
        far = np.minimum(far, np.linalg.norm(lab - lab[chosen[-1]], axis=1))
        chosen.append(int(np.argmax(far)))
    palette: Pixels = grid[chosen]
    return palette


def _pixel_boxes(xyxy: NDArray[np.floating], width: int, height: int) -> list[_Rectangle]:
    """Boxes in whole pixels inside the image, each at least one pixel wide and high."""
    edges = np.clip(np.rint(xyxy), 0, (width, height, width, height)).astype(int)  # (N, 4)
    start = np.minimum(edges[:, :2], (width - 1, height - 1))  # (N, 2)
    end = np.maximum(edges[:, 2:], start + 1)  # (N, 2)
    return [_Rectangle(*box) for box in np.hstack([start, end]).tolist()]


def _draw_box(canvas: Pixels, box: _Rectangle, colour: Colour, line: int) -> None:
    """Paint a frame of ``line`` pixels just inside the box."""
    area = canvas[box.top : box.bottom, box.left : box.right]  # a view: painting it paints the canvas
    line = min(line, max(1, min(area.shape[:2]) // 3))  # a small box is not filled
    area[:line], area[-line:], area[:, :line], area[:, -line:] = (colour,) * 4


def _label(
    text: str, colour: Colour, box: _Rectangle, size: int, canvas: Pixels, taken: list[_Rectangle]
) -> _Label | None:
    """Lay out a label near its box, smaller if the image is narrow; None if it would be illegible."""
    height, width = canvas.shape[:2]
    while True:
        padding = max(1, size // 5)
        wide, high = text_width(text, size) + 2 * padding, round(size * 1.25) + padding
        if wide <= width and high <= height:
            return _Label(text, _free_place(box, wide, high, (width, height), taken), colour, size, padding)
        if size <= _SMALLEST_TEXT:
            return None
        size -= 1


def _free_place(
    box: _Rectangle, wide: int, high: int, image: tuple[int, int], taken: list[_Rectangle]
) -> _Rectangle:
    """Above the box, else inside its top, below it, or inside its bottom, on the left or right.

    The first place that covers no other label wins, else the one that covers the smallest area of them.
    """
    right = box.right - wide
    corners = [
        (x, y) for y in (box.top - high, box.top, box.bottom, box.bottom - high) for x in (box.left, right)
    ]
    best, smallest = None, float("inf")
    for x, y in corners:
        left, top = min(max(x, 0), image[0] - wide), min(max(y, 0), image[1] - high)
        place = _Rectangle(left, top, left + wide, top + high)
        covered = sum(place.overlap(other) for other in taken)
        if covered < smallest:
            best, smallest = place, covered
    assert best is not None
    return best


def _draw_label(canvas: Pixels, label: _Label) -> None:
    """Fill the rectangle and write on it in black or white, whichever has more contrast."""
    place = label.place
    canvas[place.top : place.bottom, place.left : place.right] = label.colour
    ink = (0, 0, 0) if _luminance(label.colour) > 0.179 else (255, 255, 255)
    at = (place.left + label.padding, place.bottom - label.padding // 2 - round(label.size * 0.25))
    put_text(canvas, label.text, at, label.size, ink)


def put_text(canvas: Pixels, text: str, at: tuple[int, int], size: int, ink: Colour) -> None:
    """Write a line of ``size`` pixels on ``canvas``; its baseline begins at ``at`` (x, y)."""
    if hasattr(cv2, "FontFace"):
        cv2.putText(canvas, text, at, ink, _font(), size, 500)
    else:
        cv2.putText(canvas, text, at, cv2.FONT_HERSHEY_SIMPLEX, size / 30, ink, 1, cv2.LINE_AA)


def text_width(text: str, size: int) -> int:
    """The width in pixels of a line of ``size`` pixels."""
    if hasattr(cv2, "FontFace"):
        return int(cv2.getTextSize((0, 0), text, (0, 0), _font(), size, 500)[2])
    return int(cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, size / 30, 1)[0][0])


@cache
def _font() -> cv2.FontFace:
    """OpenCV 5's own sans-serif font."""
    return cv2.FontFace("sans")


def _luminance(colour: Colour) -> float:
    """Relative luminance, 0 to 1, after WCAG 2.1; above 0.179 black contrasts more than white."""
    return float(_linear(np.array(colour)) @ _RGB_TO_XYZ[1])


def _lab(rgb: Pixels) -> NDArray[np.floating]:
    """CIELAB of sRGB colours under D65 light, both (N, 3). OpenCV's own takes 90 ms at its first call."""
    xyz = _linear(rgb) @ _RGB_TO_XYZ.T / _RGB_TO_XYZ.sum(axis=1)  # (N, 3), white is (1, 1, 1)
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)  # (N, 3)
    x, y, z = f.T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)


def _linear(rgb: NDArray[np.integer]) -> NDArray[np.floating]:
    """Undo sRGB's curve: 0 to 255 becomes an amount of light, 0 to 1; any shape."""
    part = rgb / 255
    return np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)


_RGB_TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
