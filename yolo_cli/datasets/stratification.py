"""Divide images among splits so that each has its part of every class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from yolo_cli.datasets.sample import Sample

__all__ = ["presence", "stratify"]


def presence(samples: Sequence[Sample], classes: int) -> NDArray[np.bool_]:
    """Whether each image shows each class, (n, classes + 1); the last column marks images without boxes."""
    shown = np.zeros((len(samples), classes + 1), bool)
    for row, sample in zip(shown, samples, strict=True):
        row[sample.labels.class_id if len(sample.labels) else -1] = True
    return shown


def stratify(
    shown: NDArray[np.bool_],
    group: NDArray[np.integer],
    fractions: Sequence[float],
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Assign images to sides, those of a group to one side, by iterative stratification.

    Sechidis, Tsoumakas and Vlahavas, "On the Stratification of Multi-Label Data", ECML PKDD 2011: the rarest
    class first, each group to the side that lacks most of it, then most images.

    Args:
        shown: whether each image shows each class, (n, classes); every image shows one.
        group: the group of each image, (n,), numbered from 0.
        fractions: the part of the images for each side.
        rng: orders the groups of a class.

    Returns:
        The side of each image, (n,).
    """
    sizes = np.bincount(group)  # (groups,)
    counts = np.zeros((len(sizes), shown.shape[1]), np.int64)  # (groups, classes)
    np.add.at(counts, group, shown)
    sides: NDArray[np.int64] = _sides(counts, sizes, fractions, rng)[group]
    return sides


def _sides(
    shown: NDArray[np.int64],
    sizes: NDArray[np.integer],
    fractions: Sequence[float],
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """The side of each group, (n,), by its size (n,) and its images that show each class (n, classes)."""
    wanted = np.array(fractions)[:, None] * shown.sum(axis=0)  # (sides, classes)
    missing = np.array(fractions) * sizes.sum()  # (sides,)
    sides = np.full(len(shown), -1, np.int64)
    while (left := sides < 0).any():  # (n,)
        per_class = shown[left].sum(axis=0)  # (classes,)
        rarest = int(np.argmin(np.where(per_class > 0, per_class, per_class.sum() + 1)))
        order = rng.permutation(np.flatnonzero(left & (shown[:, rarest] > 0)))
        for index in order[np.argsort(-sizes[order], kind="stable")]:  # large groups first
            side = int(np.lexsort((-missing, -wanted[:, rarest]))[0])
            sides[index] = side
            wanted[side] -= shown[index]
            missing[side] -= sizes[index]
    return sides
