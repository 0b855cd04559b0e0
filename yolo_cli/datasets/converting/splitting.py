"""Divide a data set among splits: seeded, stratified, and what belongs together on one side."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from yolo_cli.datasets.grouping import group_images
from yolo_cli.datasets.inspection import Watch
from yolo_cli.datasets.layout import in_order
from yolo_cli.datasets.sample import Dataset, Sample
from yolo_cli.datasets.stratification import presence, stratify
from yolo_cli.errors import DataError, UsageError
from yolo_cli.text import number

__all__ = ["SPLITS", "Grouping", "split_dataset", "split_fractions"]

SPLITS = ("train", "val", "test")


@dataclass(frozen=True, slots=True)
class Grouping:
    """How a data set was divided.

    Attributes:
        dataset: with its new splits.
        groups: how many groups of images that belong together there are, each on one side.
        together: the number of images in groups of two or more.
    """

    dataset: Dataset
    groups: int
    together: int


def split_fractions(given: str | Mapping[str, float]) -> dict[str, float]:
    """The fraction of the images for each split, from a mapping or from text.

    Raises:
        UsageError: if they are not fractions of train, val and test that add up to 1.

    >>> split_fractions("train=.8,val=.2")
    {'train': 0.8, 'val': 0.2}
    """
    pairs = given.items() if isinstance(given, Mapping) else _pairs(given)
    fractions = {name: number(value) or 0.0 for name, value in pairs}
    wrong = [name for name, value in fractions.items() if name not in SPLITS or not 0 < value <= 1]
    if wrong or abs(sum(fractions.values()) - 1) > 1e-6:
        raise UsageError(f"--split {given}: give fractions that add up to 1, as train=.8,val=.1,test=.1")
    return fractions


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    """Name and value of each part of ``a=1,b=2``."""
    for part in text.split(","):
        name, _, value = part.partition("=")
        yield name.strip(), value


def split_dataset(
    dataset: Dataset,
    fractions: Mapping[str, float],
    *,
    pattern: str | None = None,
    seed: int = 0,
    watch: Watch | None = None,
) -> Grouping:
    """Divide all images, whatever split they were in.

    Every split gets about its part of the images of every class, and of those without boxes. Images stay
    together if ``pattern`` says so, or if they are equal or near-duplicates.

    Args:
        dataset: the images.
        fractions: of the images, by split.
        pattern: a regular expression that is searched for in the image's name; images for which its first
            group (or all of it, without groups) is the same text are one group.
        seed: random seed.
        watch: wraps the stream of images, to show progress.

    Raises:
        UsageError: if the pattern is not a regular expression, or matches no name.
        DataError: if there are fewer groups than splits.
    """
    samples = dataset.samples
    group = group_images(samples, _pattern_keys(samples, pattern), watch)  # (n,)
    sizes = np.bincount(group)  # (groups,)
    if len(sizes) < len(fractions):
        raise DataError(
            f"{dataset.location}: has {len(sizes)} groups of images for {len(fractions)} splits; use fewer"
        )
    shown = presence(samples, len(dataset.class_names))
    sides = stratify(shown, group, list(fractions.values()), np.random.default_rng(seed))  # (n,)
    names = list(fractions)
    divided = [replace(s, split=names[side]) for s, side in zip(samples, sides.tolist(), strict=True)]
    ids = next(iter(dataset.categories.values()), None)
    categories = dict.fromkeys(names, ids) if ids and len(set(dataset.categories.values())) == 1 else {}
    result = replace(dataset, samples=in_order(divided), categories=categories)
    return Grouping(result, len(sizes), int(sizes[sizes > 1].sum()))


def _pattern_keys(samples: Sequence[Sample], pattern: str | None) -> list[tuple[int, Hashable]]:
    """Index and key of every image whose name matches the pattern."""
    if pattern is None:
        return []
    try:
        search = re.compile(pattern).search
    except re.error as fault:
        raise UsageError(f"--group-by {pattern}: is not a regular expression: {fault}") from None
    found = [(i, match) for i, sample in enumerate(samples) if (match := search(sample.name))]
    if not found:
        first = samples[0].name if samples else ""
        raise UsageError(f"--group-by {pattern}: matches no image's name; one is {first}")
    return [(i, ("name", match[1] if match.re.groups else match[0])) for i, match in found]
