"""Arrays as panels: maps and patches in colours, tiled, with a title above each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from yolo_cli.explanation.legend import BACKGROUND, titled

__all__ = ["SIDE", "heat", "overlaid", "rows_of_panels", "signed", "square", "tiled"]

Floats = NDArray[np.floating[Any]]
Pixels = NDArray[np.uint8]

SIDE = 320  # pixels of a panel
_GAP = 8
_MOST = 0.995  # fraction of the values that colours distinguish; the extreme ones saturate


def rows_of_panels(panels: Sequence[tuple[str, Pixels]], columns: int) -> Pixels:
    """Titled panels of one size, in rows of ``columns``, uint8 (H, W, 3)."""
    cells = [titled(title, panel) for title, panel in panels]
    empty = np.full_like(cells[0], BACKGROUND)
    cells += [empty] * (-len(cells) % columns)
    rows = [_joined(cells[at : at + columns], 1) for at in range(0, len(cells), columns)]
    return _joined(rows, 0)


def tiled(tiles: Sequence[Pixels], line: int = 1, *, columns: int = 0) -> Pixels:
    """Tiles (h, w, 3) of one size with a line between, in columns; 0 is as near to a square as they go."""
    columns = columns or math.ceil(math.sqrt(len(tiles)))
    framed = [
        cv2.copyMakeBorder(each, 0, line, 0, line, cv2.BORDER_CONSTANT, value=BACKGROUND) for each in tiles
    ]
    framed += [np.full_like(framed[0], BACKGROUND)] * (-len(framed) % columns)
    rows = [np.concatenate(framed[at : at + columns], 1) for at in range(0, len(framed), columns)]
    return np.concatenate(rows, 0)


def square(pixels: Pixels, side: int = SIDE, *, sharp: bool = False) -> Pixels:
    """Pixels scaled to fit a square, centred; ``sharp`` keeps the edges of single values."""
    scale = side / max(pixels.shape[:2])
    height, width = (max(1, round(length * scale)) for length in pixels.shape[:2])
    how = cv2.INTER_NEAREST if sharp else cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    scaled = cv2.resize(pixels, (width, height), interpolation=how)
    canvas = np.full((side, side, 3), BACKGROUND, np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    canvas[top : top + height, left : left + width] = scaled
    return canvas


def heat(values: Floats) -> Pixels:
    """Values (H, W) from dark blue (the lowest) to yellow (the highest), uint8 (H, W, 3)."""
    low, high = np.quantile(values, [1 - _MOST, _MOST])
    grey = np.clip(255 * (values - low) / max(high - low, 1e-12), 0, 255).round().astype(np.uint8)
    return np.ascontiguousarray(cv2.applyColorMap(grey, cv2.COLORMAP_CIVIDIS)[..., ::-1])


def signed(values: Floats) -> Pixels:
    """Values (H, W) with zero as grey, positive ones brighter and negative ones darker, uint8 (H, W, 3)."""
    most = max(float(np.quantile(np.abs(values), _MOST)), 1e-12)
    grey = np.clip(127.5 + 127.5 * values / most, 0, 255).round().astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def overlaid(rgb: Pixels, values: Floats) -> Pixels:
    """Values (H, W) as heat over a grey copy of an image (H, W, 3)."""
    grey = np.repeat(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    return np.asarray(cv2.addWeighted(grey, 0.45, heat(values), 0.55, 0), np.uint8)


def _joined(parts: Sequence[Pixels], axis: int) -> Pixels:
    """Parts beside or below each other, with gaps."""
    shape = list(parts[0].shape)
    shape[axis] = _GAP
    gap = np.full(shape, BACKGROUND, np.uint8)
    return np.concatenate([piece for part in parts for piece in (gap, part)][1:], axis=axis)
