"""What every engine does, and the parts of a network that it can run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from yolo_cli.errors import DataError, UserError

__all__ = ["Engine", "FileEngine", "Heads", "Part", "StreamedEngine", "failing", "first_line"]

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


@runtime_checkable
class StreamedEngine(Protocol):
    """An engine that may be faster with several calls at a time."""

    def in_streams(self) -> tuple[Engine, int]:
        """The same network with the same output, and the number of calls at a time for which it is opened.

        Its calls are slower one by one, and faster together. It is opened with the first use of this method.
        The engine itself, and 1, where that is not faster.
        """
        ...


class FileEngine(Engine, Protocol):
    """An engine of a model file."""

    @property
    def channels(self) -> list[int | None]:
        """The channels of each head; None where the file does not say them."""
        ...


@contextmanager
def failing(name: str) -> Iterator[None]:
    """Within the block, whatever a runtime raises while it runs a network is a DataError with its file."""
    try:
        yield
    except (UserError, MemoryError):
        raise
    except Exception as fault:
        raise DataError(f"{name}: fails while it runs ({first_line(fault)})") from None


def first_line(fault: Exception) -> str:
    """The first line of what a runtime says, at most 160 characters."""
    return (str(fault).strip().splitlines() or [type(fault).__name__])[0][:160]
