"""Keep only a part of the images without boxes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from yolo_cli.datasets.writing import Entry
from yolo_cli.errors import UsageError

__all__ = ["thin_background"]


def thin_background(entries: Sequence[Entry], fraction: float, seed: int) -> list[Entry]:
    """The images, with at most ``fraction`` of each split without boxes; a random choice of these is kept.

    Raises:
        UsageError: if the fraction is not from 0 to below 1.
    """
    if not 0 <= fraction < 1:
        raise UsageError(f"--background {fraction:g}: must be from 0 to below 1")
    rng = np.random.default_rng(seed)
    dropped: set[int] = set()
    for split in dict.fromkeys(entry.split for entry in entries):
        own = [i for i, entry in enumerate(entries) if entry.split == split]
        empty = [i for i in own if not len(entries[i].boxes)]
        most = int(fraction / (1 - fraction) * (len(own) - len(empty)) + 1e-9)
        dropped |= set(rng.permutation(empty)[most:].tolist())
    return [entry for i, entry in enumerate(entries) if i not in dropped]
