"""Memory that processes share: arrays in a file that has no name, and so leaves nothing behind."""

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
    """Whether this system has such memory; Linux does, whatever the size of ``/dev/shm``."""
    return hasattr(os, "memfd_create")


def allocate(layout: Layout) -> int:
    """A file descriptor of memory for these arrays, all zero; pages that are never written cost nothing.

    Raises:
        OSError: if the system has too little.
    """
    descriptor = os.memfd_create("yolo-cli")
    os.ftruncate(descriptor, sum(_bytes(layout).values()))
    return descriptor


def attach(descriptor: int, layout: Layout) -> dict[str, NDArray[Any]]:
    """The arrays; what one process writes, all see. The descriptor may be closed then."""
    sizes = _bytes(layout)
    memory = mmap.mmap(descriptor, sum(sizes.values()))
    arrays, offset = {}, 0
    for name, (kind, shape) in layout.items():
        arrays[name] = np.ndarray(shape, kind, memory, offset)
        offset += sizes[name]
    return arrays


def _bytes(layout: Layout) -> dict[str, int]:
    """What each array takes."""
    return {
        name: -(-prod(shape) * np.dtype(kind).itemsize // ALIGNMENT) * ALIGNMENT
        for name, (kind, shape) in layout.items()
    }
