"""Draw an explanation: the predictions at the point, and the boxes after suppression."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from yolo_cli.explanation.grid import CellAnchor, CellExplanation
from yolo_cli.explanation.legend import BACKGROUND, Entry, legend, titled
from yolo_cli.explanation.outcomes import BoxOutcome, covers
from yolo_cli.explanation.regions import RegionExplanation
from yolo_cli.images import Image
from yolo_cli.render import LabelledBox, class_colour, draw_boxes

__all__ = ["draw_explanation"]

Pixels = NDArray[np.uint8]
Box = tuple[float, ...]
Colour = tuple[int, int, int]
Numbered = Sequence[tuple[int, BoxOutcome[Any]]]

MIN_SIDE = 640  # pixels: a smaller image is enlarged, so that grid and anchors can be distinguished
WHITE, BLACK, RED, YELLOW, GAP = (255, 255, 255), (0, 0, 0), (255, 60, 60), (255, 220, 0), 12
KEPT, SUPPRESSED = 3, 1  # line widths
NAMED = 10  # suppressed boxes with a number, as many as in the text
FAINT = (0.08, 0.5)  # opacity of a line, with many frames and with few
FEW = 15  # frames; beyond twice this number, each becomes fainter

_POINT = Entry("dot", RED, 0, "the point")
_GRID = (
    Entry("filled", YELLOW, 0, "cell that holds the point"),
    Entry("frame", WHITE, 1, "anchor of that cell"),
)
_REGIONS = (Entry("frame", WHITE, 1, "window or proposal over the point"),)
_NUMBERS = "Numbers as in the text; a colour for each class."


def draw_explanation(
    image: Image, explained: CellExplanation | RegionExplanation, class_names: tuple[str, ...]
) -> Pixels:
    """Panels side by side above a legend, uint8 (H, W, 3).

    For YOLO, one panel per head: its grid, the cell that holds the point, that cell's anchors, and the
    head's boxes over the point. For other detectors, one panel: faint, every window or proposal over the
    point and every box above the confidence; in front, the boxes listed in the text, and the region of the
    best of them. The last panel shows the boxes after suppression. Boxes are numbered like the explanation's
    ``outcomes``, from 1.
    """
    scale = max(1.0, MIN_SIDE / max(image.height, image.width))
    size = round(image.width * scale), round(image.height * scale)
    large = Image(np.asarray(cv2.resize(image.rgb, size, interpolation=cv2.INTER_CUBIC), np.uint8))
    entries: tuple[Entry, ...] = _REGIONS
    if isinstance(explained, CellExplanation):
        panels, entries = _heads(large, explained, class_names, scale), _GRID
    else:
        panels = [_regions(large, explained, scale)]
    panels.append(("after suppression", _left(large, explained, class_names, scale)))
    for _, panel in panels:
        _point(panel, explained.point, scale)
    row = _beside([titled(title, panel) for title, panel in panels])
    entries = (_POINT, *entries, *_box_entries(explained.outcomes))
    return np.concatenate([row, legend(entries, _NUMBERS, row.shape[1])], axis=0)


def _box_entries(outcomes: Sequence[BoxOutcome[Any]]) -> tuple[Entry, Entry]:
    """Legend entries of boxes, in the colour of the first."""
    colour = class_colour(outcomes[0].class_id if outcomes else 1)
    return Entry("frame", colour, KEPT, "box that is kept"), Entry(
        "frame", colour, SUPPRESSED, "suppressed box"
    )


def _beside(panels: Sequence[Pixels]) -> Pixels:
    """Panels of the same height side by side, with gaps."""
    gap = np.full((panels[0].shape[0], GAP, 3), BACKGROUND, np.uint8)
    return np.concatenate([part for panel in panels for part in (gap, panel)][1:], axis=1)


def _left(
    image: Image, explained: CellExplanation | RegionExplanation, class_names: tuple[str, ...], scale: float
) -> Pixels:
    """The boxes kept by suppression."""
    outcomes: Sequence[BoxOutcome[Any]] = explained.outcomes
    kept = [(number, outcome) for number, outcome in enumerate(outcomes, start=1) if outcome.kept]
    return _with_boxes(image, kept, class_names, scale)


def _with_boxes(image: Image, outcomes: Numbered, class_names: tuple[str, ...], scale: float) -> Pixels:
    """Boxes labelled with number, class and confidence, the first on top."""
    return draw_boxes(
        image,
        [
            _box(outcome, f"{number}. {class_names[outcome.class_id]} {outcome.confidence:.2f}", scale)
            for number, outcome in outcomes
        ],
    )


def _box(outcome: BoxOutcome[Any], text: str, scale: float) -> LabelledBox:
    """A box in its class's colour, bold if it is kept."""
    xyxy = tuple(edge * scale for edge in outcome.xyxy)
    return LabelledBox(xyxy, text, class_colour(outcome.class_id), KEPT if outcome.kept else SUPPRESSED)


def _named(outcomes: Sequence[BoxOutcome[Any]]) -> Numbered:
    """The outcomes listed in the text, numbered from 1: all kept, and the first suppressed ones."""
    numbered = list(enumerate(outcomes, start=1))
    suppressed = [number for number, outcome in numbered if outcome.suppressed_by is not None]
    unnamed = set(suppressed[NAMED:])
    return [(number, outcome) for number, outcome in numbered if number not in unnamed]


def _heads(
    image: Image, explained: CellExplanation, class_names: tuple[str, ...], scale: float
) -> list[tuple[str, Pixels]]:
    """A titled panel per head: its grid with the point's cell, that cell's anchors and the head's boxes."""
    panels = []
    for head in sorted({prediction.source.head for prediction in explained.predictions}):
        places = [prediction.source for prediction in explained.predictions if prediction.source.head == head]
        canvas, stride, box = image.rgb.copy(), places[0].stride, explained.letterbox
        _grid(canvas, explained, places[0], scale)
        for place in places:
            _frame(canvas, _anchor_box(place, explained), WHITE, scale, 1)
        outcomes = [
            (number, outcome) for number, outcome in _named(explained.outcomes) if outcome.source.head == head
        ]
        title = f"stride {stride}: {box.net_height // stride} x {box.net_width // stride} cells"
        panels.append((title, _with_boxes(Image(canvas), outcomes, class_names, scale)))
    return panels


def _regions(image: Image, explained: RegionExplanation, scale: float) -> tuple[str, Pixels]:
    """The regions over the point, and their boxes, numbered."""
    canvas = _net(image.rgb // 2, explained.over, WHITE, scale)
    for class_id in sorted({outcome.class_id for outcome in explained.outcomes}):
        of_class = [outcome.xyxy for outcome in explained.outcomes if outcome.class_id == class_id]
        canvas = _net(canvas, of_class, class_colour(class_id), scale)
    kept = [
        outcome
        for outcome in explained.outcomes
        if outcome.kept and covers(np.array([outcome.xyxy]), explained.point)
    ]
    for outcome in kept[:1]:
        _frame(canvas, outcome.source.xyxy, WHITE, scale, 1)
    title = f"{len(explained.over):,} of {explained.regions:,} regions are over the point"
    boxes = [_box(outcome, str(number), scale) for number, outcome in _named(explained.outcomes)]
    return title, draw_boxes(Image(canvas), boxes)


def _net(image: Pixels, boxes: Sequence[Box], colour: Colour, scale: float) -> Pixels:
    """A copy with a faint frame around each box, fainter for many boxes and darker where frames overlap."""
    lines = np.zeros(image.shape[:2], np.float32)  # (H, W), how many frames cover each pixel
    for box in boxes:
        once = np.zeros(image.shape[:2], np.uint8)  # (H, W)
        cv2.rectangle(once, *_corners(box, scale), 1, 1)
        lines += once
    faint = np.clip(FEW / max(1, len(boxes)), *FAINT)
    cover = (1 - (1 - faint) ** lines)[..., None]  # (H, W, 1)
    covered: Pixels = np.rint(image * (1 - cover) + np.array(colour) * cover).astype(np.uint8)
    return covered


def _to_image(xyxy: Box, explained: CellExplanation) -> Box:
    """A box in pixels of the network's input → pixels of the image."""
    return tuple(explained.letterbox.undo(np.array([xyxy], float))[0].tolist())


def _grid(canvas: Pixels, explained: CellExplanation, place: CellAnchor, scale: float) -> None:
    """Draw thin lines between the cells of one head, and tint the cell of ``place`` yellow."""
    box, stride = explained.letterbox, place.stride
    for column in range(0, box.net_width + 1, stride):
        x = round(_to_image((column, 0, column, 0), explained)[0] * scale)
        if 0 <= x < canvas.shape[1]:
            canvas[:, x] = _contrasting(canvas[:, x])
    for row in range(0, box.net_height + 1, stride):
        y = round(_to_image((0, row, 0, row), explained)[1] * scale)
        if 0 <= y < canvas.shape[0]:
            canvas[y] = _contrasting(canvas[y])
    left, top = place.column * stride, place.row * stride
    cell = _to_image((left, top, left + stride, top + stride), explained)
    x1, y1, x2, y2 = (max(0, round(edge * scale)) for edge in cell)
    canvas[y1:y2, x1:x2] = canvas[y1:y2, x1:x2] // 2 + np.array(YELLOW, np.uint8) // 2


def _contrasting(line: Any) -> Any:
    """Pixels (N, 3): dark ones lightened, light ones darkened."""
    dark = line.mean(axis=1, keepdims=True) < 128  # (N, 1)
    return (line.astype(int) + np.where(dark, 255, 0)) // 2


def _anchor_box(place: CellAnchor, explained: CellExplanation) -> Box:
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
    cv2.circle(canvas, at, 4, RED, -1, cv2.LINE_AA)
