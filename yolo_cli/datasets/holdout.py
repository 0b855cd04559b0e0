"""Hold out validation images from a data set without a val split."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from yolo_cli.datasets.grouping import group_images
from yolo_cli.datasets.layout import in_order
from yolo_cli.datasets.sample import UNSPLIT, Dataset
from yolo_cli.datasets.stratification import presence, stratify
from yolo_cli.errors import DataError, UsageError

__all__ = ["hold_out"]


def hold_out(dataset: Dataset, fraction: float = 0.2, seed: int = 0) -> Dataset:
    """Add a split "val", taken from "train", or from all images of an unsplit data set.

    About ``fraction`` of the images of every class, and of those without boxes, are held out, by iterative
    stratification: Sechidis, Tsoumakas and Vlahavas, "On the Stratification of Multi-Label Data", ECML PKDD
    2011. The same images, fraction and seed give the same split. Equal images and near-duplicates stay
    together, unless all are.

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
        raise DataError(f"{dataset.location}: has {len(pool)} training images (splits: {have}); add some")
    shown = presence(pool, len(dataset.class_names))
    held = _chosen(shown, group_images(pool), fraction, np.random.default_rng(seed))  # (n,)
    parted = [
        replace(sample, split="val" if out else "train") for sample, out in zip(pool, held, strict=True)
    ]
    rest = [sample for sample in dataset.samples if sample.split not in ("train", UNSPLIT)]
    categories = dict(dataset.categories)
    for split in ("train", UNSPLIT):
        if split in categories:
            categories["train"] = categories["val"] = categories[split]
    return replace(dataset, samples=in_order(parted + rest), categories=categories)


def _chosen(
    shown: list[list[int]], group: NDArray[np.integer], fraction: float, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Whether each image is held out, (n,): at least one, and not all."""
    if not group.any():  # all are one group
        group = np.arange(len(shown))
    held: NDArray[np.bool_] = stratify(shown, group, (1 - fraction, fraction), rng) == 1  # (n,)
    if held.all() or not held.any():
        held[group == group[-1]] = not held.any()
    return held
