"""Arrays in memory that processes share: a file without a name, which vanishes with them."""

from __future__ import annotations

import mmap
import os
from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Layout", "allocate", "attach", "can_share"]

Layout = Mapping[str, tuple[type[np.generic], tuple[int, ...]]]
"""Kind and shape of arrays by name."""

ALIGNMENT = 64  # bytes, a cache line


def can_share() -> bool:
    """Whether this system has such memory. Linux does; the size of ``/dev/shm`` does not matter."""
    return hasattr(os, "memfd_create")


def allocate(layout: Layout) -> int:
    """A file descriptor of zeroed memory for these arrays; pages that are never written take no memory.

    Raises:
        OSError: if the system has too little.
    """
    descriptor = os.memfd_create("yolo-cli")
    os.ftruncate(descriptor, sum(_bytes(layout).values()))
    return descriptor


def attach(descriptor: int, layout: Layout) -> dict[str, NDArray[Any]]:
    """The arrays, which all processes read and write. The descriptor may be closed afterwards."""
    sizes = _bytes(layout)
    memory = mmap.mmap(descriptor, sum(sizes.values()))
    arrays, offset = {}, 0
    for name, (kind, shape) in layout.items():
        arrays[name] = np.ndarray(shape, kind, memory, offset)
        offset += sizes[name]
    return arrays


def _bytes(layout: Layout) -> dict[str, int]:
    """The size of each array in bytes, aligned."""
    return {
        name: -(-prod(shape) * np.dtype(kind).itemsize // ALIGNMENT) * ALIGNMENT
        for name, (kind, shape) in layout.items()
    }
