"""What a detection head of a network predicts, as model cards describe it, and the slots of its grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["Head", "HeadKind", "grid", "size_step", "slot_anchors", "slot_cells"]

HeadKind = Literal["yolo", "new_coords", "region", "gfl"]
"""The formulas that decode a head, see `yolo_cli.codec`."""


@dataclass(frozen=True, slots=True)
class Head:
    """The description of one detection head.

    Attributes:
        kind: the decoding formulas, see `yolo_cli.codec`.
        anchors: (width, height) of each anchor in pixels of the network's input; none for `gfl`.
        stride: side of a grid cell in pixels of the network's input.
        class_count: number of classes.
        scale_x_y: range of the centre in cells; with 1 it cannot leave its cell.
        bins: of `gfl`, number of values in the distribution of each side.
        key_points: of `yolo`, number of key points of each box, with three values each.
    """

    kind: HeadKind
    anchors: tuple[tuple[float, float], ...]
    stride: int
    class_count: int
    scale_x_y: float = 1.0
    bins: int = 0
    key_points: int = 0

    @property
    def boxes(self) -> int:
        """Number of boxes that each cell predicts: one for each anchor, or one."""
        return len(self.anchors) or 1

    @property
    def channels(self) -> int:
        """Number of output channels: values per cell."""
        if self.kind == "gfl":
            return self.class_count + 4 * self.bins
        return len(self.anchors) * self.values

    @property
    def values(self) -> int:
        """Number of values per anchor: box, objectness, classes, then x, y and visible of each key point."""
        return 5 + self.class_count + 3 * self.key_points


def size_step(heads: Sequence[Head]) -> int:
    """What both sides of the network's input must be multiples of.

    It is the largest stride; with `gfl` heads the largest but one, as the last grid is rounded up.
    """
    strides = sorted(head.stride for head in heads)
    return strides[-2] if heads[0].kind == "gfl" and len(strides) > 1 else strides[-1]


def grid(rows: int, columns: int, anchor_count: int) -> NDArray[np.float32]:
    """Column and row of the cell of each slot: (rows · columns · anchors, 2), anchors fastest."""
    row, column, _ = np.indices((rows, columns, anchor_count), dtype=np.float32).reshape(3, -1)
    return np.stack([column, row], axis=-1)


def slot_cells(heads: Sequence[Head], grids: Sequence[tuple[int, int]]) -> NDArray[np.float32]:
    """Column and row of the cell of every slot of all heads, (S, 2).

    Args:
        heads: the heads.
        grids: rows and columns of each head.
    """
    cells = [grid(*shape, head.boxes) for head, shape in zip(heads, grids, strict=True)]
    return np.concatenate(cells)


def slot_anchors(heads: Sequence[Head], grids: Sequence[tuple[int, int]]) -> NDArray[np.float32]:
    """Width and height in pixels of the anchor of every slot of all heads, (S, 2); 0 without anchors."""
    sizes = [
        np.tile(np.asarray(head.anchors or ((0, 0),), np.float32), (rows * columns, 1))
        for head, (rows, columns) in zip(heads, grids, strict=True)
    ]
    return np.concatenate(sizes)
