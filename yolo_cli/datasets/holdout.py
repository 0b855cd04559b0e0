"""Hold out validation images from a data set without a val split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from yolo_cli.datasets.layout import in_order
from yolo_cli.datasets.sample import UNSPLIT, Dataset, Sample
from yolo_cli.errors import DataError, UsageError

__all__ = ["chosen", "hold_out", "presence"]


def hold_out(dataset: Dataset, fraction: float = 0.2, seed: int = 0) -> Dataset:
    """Add a split "val", taken from "train", or from all images of an unsplit data set.

    About ``fraction`` of the images of every class, and of those without boxes, are held out, by iterative
    stratification: Sechidis, Tsoumakas and Vlahavas, "On the Stratification of Multi-Label Data", ECML PKDD
    2011. The same images, fraction and seed give the same split.

    Args:
        dataset: returned unchanged if it has both "train" and "val".
        fraction: the fraction to hold out, between 0 and 1.
        seed: random seed.

    Raises:
        UsageError: if the fraction is not between 0 and 1.
        DataError: if there are fewer than two training images.
    """
    if not 0 < fraction < 1:
        raise UsageError(f"the fraction to hold out is {fraction}, but must be between 0 and 1")
    if {"train", "val"} <= set(dataset.splits):
        return dataset
    pool = [sample for sample in dataset.samples if sample.split in ("train", UNSPLIT)]
    if len(pool) < 2:
        have = ", ".join(dataset.splits) or "none"
        raise DataError(f"{dataset.root}: has {len(pool)} training images (splits: {have}); add some")
    held = chosen(presence(pool, len(dataset.class_names)), fraction, np.random.default_rng(seed))  # (n,)
    parted = [
        replace(sample, split="val" if out else "train") for sample, out in zip(pool, held, strict=True)
    ]
    rest = [sample for sample in dataset.samples if sample.split not in ("train", UNSPLIT)]
    categories = dict(dataset.categories)
    for split in ("train", UNSPLIT):
        if split in categories:
            categories["train"] = categories["val"] = categories[split]
    return replace(dataset, samples=in_order(parted + rest), categories=categories)


def presence(samples: Sequence[Sample], classes: int) -> NDArray[np.bool_]:
    """Whether each image shows each class, (n, classes + 1); the last column marks images without boxes."""
    shown = np.zeros((len(samples), classes + 1), bool)
    for row, sample in zip(shown, samples, strict=True):
        row[sample.labels.class_id if len(sample.labels) else -1] = True
    return shown


def chosen(shown: NDArray[np.bool_], fraction: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Whether each image is held out, (n,): at least one, and not all."""
    count = len(shown)
    fractions = np.array([1 - fraction, fraction])  # (2,): to keep, to hold out
    wanted = fractions[:, None] * shown.sum(axis=0)  # (2, classes + 1)
    missing = fractions * count  # (2,)
    held = np.zeros(count, bool)
    left = np.ones(count, bool)
    while left.any():
        per_class = shown[left].sum(axis=0)  # (classes + 1,)
        rarest = int(np.argmin(np.where(per_class > 0, per_class, count + 1)))
        for index in rng.permutation(np.flatnonzero(left & shown[:, rarest])):
            # The side that lacks most of this class, then most images.
            side = int(np.lexsort((-missing, -wanted[:, rarest]))[0])
            held[index], left[index] = side == 1, False
            wanted[side] -= shown[index]
            missing[side] -= 1
    if held.all() or not held.any():
        held[-1] = not held[-1]
    return held
