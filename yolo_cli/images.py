"""Bytes ↔ RGB uint8, upright."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Image"]


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """One upright picture.

    Attributes:
        rgb: uint8, (height, width, 3), in the order red, green, blue.
        name: where it came from, as the user named it: a path, or "-" for standard input.

    Raises:
        ValueError: if ``rgb`` is no uint8 array of shape (height, width, 3) with at least one pixel.
    """

    rgb: NDArray[np.uint8]
    name: str = "image"

    def __post_init__(self) -> None:
        rgb: Any = self.rgb
        if not (isinstance(rgb, np.ndarray) and rgb.dtype == np.uint8 and rgb.ndim == 3 and rgb.shape[2] == 3 and rgb.size):
            raise ValueError("rgb must be a uint8 array of shape (height, width, 3) with at least one pixel")

    @property
    def height(self) -> int:
        """In pixels."""
        return int(self.rgb.shape[0])

    @property
    def width(self) -> int:
        """In pixels."""
        return int(self.rgb.shape[1])
