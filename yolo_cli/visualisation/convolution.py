"""Convolution, padding, stride and pooling of one grey image, in NumPy, one step at a time.

What is called convolution in neural networks is cross-correlation: the kernel is not turned.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from yolo_cli.errors import UsageError

__all__ = ["HORIZONTAL_EDGES", "VERTICAL_EDGES", "convolve", "output_size", "pool"]

Floats = NDArray[np.floating[Any]]

VERTICAL_EDGES: Floats = np.array([[1.0, 0, -1], [2, 0, -2], [1, 0, -1]])
"""Sobel's filter for vertical edges: bright left of dark is positive."""
HORIZONTAL_EDGES: Floats = VERTICAL_EDGES.T
"""The same for horizontal edges: bright above dark is positive."""


def output_size(side: int, kernel: int, padding: int = 0, stride: int = 1) -> int:
    """The side of the map that a kernel leaves: ⌊(n + 2p − f) / s⌋ + 1.

    >>> output_size(6, 3), output_size(6, 3, padding=1), output_size(7, 3, stride=2)
    (4, 6, 3)

    Raises:
        UsageError: if the kernel is larger than the padded side.
    """
    if kernel > side + 2 * padding:
        raise UsageError(f"a kernel of {kernel} does not fit {side} pixels with padding {padding}")
    return (side + 2 * padding - kernel) // stride + 1


def convolve(grey: Floats, kernel: Floats, padding: int = 0, stride: int = 1) -> Floats:
    """Slide a kernel (f, f) over an image (H, W), padded with zeros: (H', W'), see `output_size`.

    >>> step = np.array([[10.0, 10, 10, 0, 0, 0]] * 6)
    >>> convolve(step, np.array([[1.0, 0, -1]] * 3))[0].tolist()  # the edge of the lecture
    [0.0, 30.0, 30.0, 0.0]
    """
    windows = _windows(np.pad(grey, padding), kernel.shape[0], stride)  # (H', W', f, f)
    convolved: Floats = np.einsum("hwij,ij->hw", windows, kernel)
    return convolved


def pool(grey: Floats, size: int = 2, *, average: bool = False) -> Floats:
    """The largest value, or the average, of each square of an image (H, W): (H // size, W // size)."""
    windows = _windows(grey, size, size)  # (H', W', size, size)
    pooled: Floats = windows.mean((2, 3)) if average else windows.max((2, 3))
    return pooled


def _windows(grey: Floats, size: int, stride: int) -> Floats:
    """The windows of an image, (H', W', size, size)."""
    rows, columns = (output_size(side, size, stride=stride) for side in grey.shape)
    windows: Floats = sliding_window_view(grey, (size, size))[::stride, ::stride]
    return windows[:rows, :columns]
