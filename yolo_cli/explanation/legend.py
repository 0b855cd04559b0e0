"""Titles above the panels of an image, and a legend below them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from yolo_cli.render import put_text, text_width

__all__ = ["BACKGROUND", "BAR", "Entry", "legend", "titled"]

Pixels = NDArray[np.uint8]
Colour = tuple[int, int, int]

BACKGROUND: Colour = (32, 37, 43)
BAR = 30  # height of a title, and of a line of the legend, in pixels
_INK: Colour = (235, 238, 242)
_TEXT, _SMALLEST, _PAD, _SWATCH = 15, 8, 8, 26  # pixels


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a legend.

    Attributes:
        kind: the style of its swatch.
        colour: RGB.
        line_width: of a frame, in pixels.
        text: its description, in ASCII: OpenCV 4 draws "?" for other letters.
    """

    kind: Literal["dot", "filled", "frame"]
    colour: Colour
    line_width: int
    text: str


def titled(title: str, panel: Pixels) -> Pixels:
    """The panel below a bar with its title; the text is smaller in a narrow panel."""
    bar = np.full((BAR, panel.shape[1], 3), BACKGROUND, np.uint8)
    size = _TEXT
    while size > _SMALLEST and text_width(title, size) > bar.shape[1] - 2 * _PAD:
        size -= 1
    put_text(bar, title, (_PAD, BAR - 10), size, _INK)
    return np.concatenate([bar, panel], axis=0)


def legend(entries: Sequence[Entry], note: str, width: int) -> Pixels:
    """Entries side by side, then a note, on as many lines as ``width`` pixels need: (H, width, 3)."""
    places: list[tuple[int, int]] = []  # left and line of each entry, then of the note
    left, line = _PAD, 0
    for text, swatch in [*((entry.text, _SWATCH + _PAD) for entry in entries), (note, 0)]:
        wide = swatch + text_width(text, _TEXT) + 2 * _PAD
        if left > _PAD and left + wide > width:
            left, line = _PAD, line + 1
        places.append((left, line))
        left += wide
    canvas = np.full(((line + 1) * BAR + _PAD, width, 3), BACKGROUND, np.uint8)
    for entry, (x, at) in zip(entries, places, strict=False):
        _swatch(canvas, entry, x, at * BAR + _PAD)
        put_text(canvas, entry.text, (x + _SWATCH + _PAD, (at + 1) * BAR - 6), _TEXT, _INK)
    x, at = places[-1]
    put_text(canvas, note, (x, (at + 1) * BAR - 6), _TEXT, _INK)
    return canvas


def _swatch(canvas: Any, entry: Entry, left: int, top: int) -> None:
    """The swatch of an entry, 26 x 18 pixels."""
    right, bottom = left + _SWATCH, top + 18
    if entry.kind == "dot":
        cv2.circle(canvas, ((left + right) // 2, (top + bottom) // 2), 5, entry.colour, -1, cv2.LINE_AA)
    elif entry.kind == "filled":
        canvas[top:bottom, left:right] = entry.colour
    else:
        cv2.rectangle(canvas, (left + 1, top + 1), (right - 2, bottom - 2), entry.colour, entry.line_width)
