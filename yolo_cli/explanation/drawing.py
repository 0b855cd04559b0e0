"""Draw an explanation: the predictions at the point, and the boxes after suppression."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from yolo_cli.explanation.details import Details
from yolo_cli.explanation.legend import BACKGROUND, Entry, legend, titled
from yolo_cli.explanation.outcomes import BoxOutcome
from yolo_cli.images import Image
from yolo_cli.render import LabelledBox, class_colour, draw_boxes

__all__ = [
    "WHITE",
    "draw_explanation",
    "draw_frame",
    "faint_frames",
    "labelled_box",
    "numbered_as_text",
    "with_boxes",
]

Pixels = NDArray[np.uint8]
Box = tuple[float, ...]
Colour = tuple[int, int, int]
Numbered = Sequence[tuple[int, BoxOutcome[Any]]]

MIN_SIDE = 640  # pixels: a smaller image is enlarged, so that grid and anchors can be distinguished
WHITE, BLACK, RED, GAP = (255, 255, 255), (0, 0, 0), (255, 60, 60), 12
KEPT, SUPPRESSED = 3, 1  # line widths
NAMED = 10  # suppressed boxes with a number, as many as in the text
FAINT = (0.08, 0.5)  # opacity of a line, with many frames and with few
FEW = 15  # frames; beyond twice this number, each becomes fainter

_POINT = Entry("dot", RED, 0, "the point")
_NUMBERS = "Numbers as in the text; a colour for each class."


def draw_explanation(image: Image, explained: Details, class_names: tuple[str, ...]) -> Pixels:
    """Panels side by side above a legend, uint8 (H, W, 3).

    The last panel shows the boxes after suppression. Boxes are numbered like the explanation's ``outcomes``,
    from 1.
    """
    scale = max(1.0, MIN_SIDE / max(image.height, image.width))
    size = round(image.width * scale), round(image.height * scale)
    large = Image(np.asarray(cv2.resize(image.rgb, size, interpolation=cv2.INTER_CUBIC), np.uint8))
    kept = [(number, outcome) for number, outcome in enumerate(explained.outcomes, start=1) if outcome.kept]
    panels = explained.panels(large, class_names, scale)
    panels.append(("after suppression", with_boxes(large, kept, class_names, scale)))
    for _, panel in panels:
        _point(panel, explained.point, scale)
    row = _beside([titled(title, panel) for title, panel in panels])
    entries = (_POINT, *explained.legend, *_box_entries(explained.outcomes))
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


def with_boxes(image: Image, outcomes: Numbered, class_names: tuple[str, ...], scale: float) -> Pixels:
    """Boxes labelled with number, class and confidence, the first on top."""
    return draw_boxes(
        image,
        [
            labelled_box(
                outcome, f"{number}. {class_names[outcome.class_id]} {outcome.confidence:.2f}", scale
            )
            for number, outcome in outcomes
        ],
    )


def labelled_box(outcome: BoxOutcome[Any], text: str, scale: float) -> LabelledBox:
    """A box in its class's colour, bold if it is kept."""
    xyxy = tuple(edge * scale for edge in outcome.xyxy)
    return LabelledBox(xyxy, text, class_colour(outcome.class_id), KEPT if outcome.kept else SUPPRESSED)


def numbered_as_text(outcomes: Sequence[BoxOutcome[Any]]) -> Numbered:
    """The outcomes listed in the text, numbered from 1: all kept, and the first suppressed ones."""
    numbered = list(enumerate(outcomes, start=1))
    suppressed = [number for number, outcome in numbered if outcome.suppressed_by is not None]
    unnamed = set(suppressed[NAMED:])
    return [(number, outcome) for number, outcome in numbered if number not in unnamed]


def faint_frames(image: Pixels, boxes: Sequence[Box], colour: Colour, scale: float) -> Pixels:
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


def draw_frame(canvas: Pixels, xyxy: Box, colour: Colour, scale: float, line: int = 1) -> None:
    """Draw the edges of a box in a black outline."""
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
