"""What every engine does, and the parts of a network that it can run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Engine", "Heads", "Part", "first_line"]

Part = tuple[str, Sequence[int]]
"""Part of a network with several inputs: an input, and the positions of the heads that need only it."""
Heads = list[NDArray[np.float32]]


class Engine(Protocol):
    """Runs one network. Thread-safe."""

    def run(self, batch: NDArray[Any]) -> Heads:
        """Pixels (B, H, W, 3) → raw heads, each (B, rows, columns, channels).

        The second part of a split network takes float32 features in place of pixels.
        """
        ...

    def multiply_accumulates(self, batch: NDArray[Any]) -> int:
        """Number of multiply-accumulates for a batch of this shape."""
        ...


def first_line(fault: Exception) -> str:
    """The first line of what a runtime says, at most 160 characters."""
    return (str(fault).strip().splitlines() or [type(fault).__name__])[0][:160]
