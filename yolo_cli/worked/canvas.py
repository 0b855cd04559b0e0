"""What the plots of worked examples have in common."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from yolo_cli.detectors.trace import GridOutput
from yolo_cli.errors import UsageError
from yolo_cli.images import Image

__all__ = ["Box", "Floats", "Pixels", "cell_maps", "check_box", "enlarged", "named", "overlaid_cells"]

Box = tuple[float, ...]
Floats = NDArray[np.floating[Any]]
Pixels = NDArray[np.uint8]

SIDE = 480  # pixels of the longer side of a panel


def check_box(image: Image, box: Box) -> Box:
    """The box, x1, y1, x2, y2 in pixels.

    Raises:
        UsageError: if its edges are out of order, or it is not within the image.
    """
    x1, y1, x2, y2 = box
    if not (0 <= x1 < x2 <= image.width and 0 <= y1 < y2 <= image.height):
        where = f"within {image.name}, which has {image.width}x{image.height} pixels"
        raise UsageError(f"--box {named(box)}: must be X1,Y1,X2,Y2 with X1 < X2 and Y1 < Y2, {where}")
    return box


def named(box: Box) -> str:
    """The edges of a box, as ``--box`` takes them.

    >>> named((1.0, 2.25, 3, 4))
    '1,2.2,3,4'
    """
    return ",".join(f"{round(edge, 1):g}" for edge in box)


def enlarged(image: Image) -> tuple[Pixels, float]:
    """A copy of the pixels with a longer side of 480 pixels, and its scale."""
    scale = SIDE / max(image.height, image.width)
    size = round(image.width * scale), round(image.height * scale)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image.rgb, size, interpolation=how), np.uint8), scale


def cell_maps(best: Floats, grid: GridOutput, image: Image) -> list[tuple[int, Floats]]:
    """For each head its stride, and at each pixel of the image (H, W) the highest value of its cell.

    Args:
        best: a value of each slot, (S,), counted through all heads.
        grid: the heads, and how the image was fitted into the network's input.
        image: the image.
    """
    corners = np.array([[0, 0, image.width, image.height]], float)
    x1, y1, x2, y2 = grid.letterbox.forward(corners)[0].tolist()
    found, first = [], 0
    for raw, head in zip(grid.raw_heads, grid.heads, strict=True):
        rows, columns = raw.shape[:2]
        count = rows * columns * head.boxes
        cells = best[first : first + count].reshape(rows, columns, head.boxes).max(axis=2)  # (rows, columns)
        row = (np.linspace(y1, y2, image.height, endpoint=False) / head.stride).astype(int)  # (H,)
        column = (np.linspace(x1, x2, image.width, endpoint=False) / head.stride).astype(int)  # (W,)
        found.append((head.stride, cells[row.clip(0, rows - 1)][:, column.clip(0, columns - 1)]))
        first += count
    return found


def overlaid_cells(canvas: Pixels, values: Floats) -> Pixels:
    """Values (h, w) from 0 to 1 as yellow over a dark grey copy of an image (H, W, 3) of any size."""
    size = canvas.shape[1], canvas.shape[0]
    large = np.asarray(cv2.resize(values.astype(np.float32), size, interpolation=cv2.INTER_NEAREST))  # (H, W)
    grey = np.repeat(cv2.cvtColor(canvas, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2) * 0.6  # (H, W, 3)
    cover = np.clip(large, 0, 1)[..., None] * 0.8  # (H, W, 1)
    covered: Pixels = np.rint(grey * (1 - cover) + np.array((255, 220, 0)) * cover).astype(np.uint8)
    return covered
