"""Divide images among splits so that each has its part of every class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from heapq import heappop, heappush

import numpy as np
from numpy.typing import NDArray

from yolo_cli.datasets.sample import Sample

__all__ = ["presence", "stratify"]


def presence(samples: Sequence[Sample], classes: int) -> list[list[int]]:
    """The classes that each image shows, in order; of images without boxes, one of their own: ``classes``."""
    return [sorted(set(sample.labels.class_id.tolist())) or [classes] for sample in samples]


def stratify(
    shown: Sequence[Sequence[int]],
    group: NDArray[np.integer],
    fractions: Sequence[float],
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Assign images to sides, those of a group to one side, by iterative stratification.

    Sechidis, Tsoumakas and Vlahavas, "On the Stratification of Multi-Label Data", ECML PKDD 2011: the rarest
    class first, each group to the side that lacks most of it, then most images.

    Args:
        shown: the classes of each of n images; every image shows one.
        group: the group of each image, (n,), numbered from 0.
        fractions: the part of the images for each side.
        rng: orders the groups of a class.

    Returns:
        The side of each image, (n,).
    """
    sizes = np.bincount(group)  # (groups,)
    counts: list[Counter[int]] = [Counter() for _ in sizes]
    for ids, which in zip(shown, group.tolist(), strict=True):
        counts[which].update(ids)
    sides: NDArray[np.int64] = _sides(counts, sizes, fractions, rng)[group]
    return sides


def _sides(
    counts: Sequence[Counter[int]],
    sizes: NDArray[np.integer],
    fractions: Sequence[float],
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """The side of each group, (n,), by its size (n,) and its number of images of each class."""
    left: Counter[int] = Counter()  # images of each class without a side
    members: dict[int, list[int]] = {}  # groups of each class
    for group, count in enumerate(counts):
        left.update(count)
        for i in count:
            members.setdefault(i, []).append(group)
    wanted = {i: np.array(fractions) * images for i, images in left.items()}  # each (sides,)
    missing = np.array(fractions) * sizes.sum()  # (sides,)
    sides = np.full(len(counts), -1, np.int64)
    heap = sorted((images, i) for i, images in left.items())
    while heap:
        images, rarest = heappop(heap)
        if images != left[rarest] or not images:  # an old entry, or done
            continue
        order = rng.permutation(np.array([g for g in members[rarest] if sides[g] < 0], np.int64))
        for index in order[np.argsort(-sizes[order], kind="stable")].tolist():  # large groups first
            side = sides[index] = int(np.lexsort((-missing, -wanted[rarest]))[0])
            missing[side] -= sizes[index]
            for i, images in counts[index].items():
                wanted[i][side] -= images
                left[i] -= images
                heappush(heap, (left[i], i))
    return sides
