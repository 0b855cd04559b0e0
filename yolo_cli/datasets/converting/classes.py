"""Classes of a converted data set: merged by name, renamed, chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from yolo_cli.datasets.layout import in_order
from yolo_cli.datasets.sample import UNSPLIT, Dataset, Sample
from yolo_cli.detections import class_ids
from yolo_cli.errors import UsageError
from yolo_cli.text import did_you_mean

__all__ = ["choose_classes", "merge", "rename_classes"]


def merge(datasets: Sequence[Dataset]) -> Dataset:
    """Data sets as one: a class is one with those of the same name, in the order of first appearance.

    Root, form, categories and key points are those of the first. An unsplit data set becomes training data if
    others are split.
    """
    if len({UNSPLIT in dataset.splits for dataset in datasets}) == 2:
        datasets = [_as_train(dataset) for dataset in datasets]
    first = datasets[0]
    if len(datasets) == 1:
        return first
    names = tuple(dict.fromkeys(name for dataset in datasets for name in dataset.class_names))
    samples = [sample for dataset in datasets for sample in _numbered(dataset, names).samples]
    findings = tuple(finding for dataset in datasets for finding in dataset.findings)
    categories = first.categories if names == first.class_names else {}
    return replace(
        first, class_names=names, samples=in_order(samples), findings=findings, categories=categories
    )


def _as_train(dataset: Dataset) -> Dataset:
    """The data set with unsplit images as training images."""
    samples = (replace(s, split="train") if s.split == UNSPLIT else s for s in dataset.samples)
    return replace(dataset, samples=tuple(samples))


def rename_classes(dataset: Dataset, renamed: Mapping[str, str]) -> Dataset:
    """The data set with new names for classes; those that get the same name become one.

    Raises:
        UsageError: if there is no such class.
    """
    for old in renamed:
        if old not in dataset.class_names:
            hint = did_you_mean(old, dataset.class_names, f"it has {', '.join(dataset.class_names[:5])}")
            raise UsageError(f"--map {old}={renamed[old]}: the data has no class {old!r}; {hint}")
    called = tuple(renamed.get(name, name) for name in dataset.class_names)
    names = tuple(dict.fromkeys(called))
    return _numbered(replace(dataset, class_names=called), names)


def choose_classes(dataset: Dataset, wanted: Sequence[str | int]) -> Dataset:
    """The data set with only some classes, with new ids; images that then have no box are kept.

    Raises:
        UsageError: if there is no such class.
    """
    names = tuple(dataset.class_names[i] for i in class_ids(wanted, dataset.class_names, "data"))
    return _numbered(dataset, names)


def _numbered(dataset: Dataset, names: tuple[str, ...]) -> Dataset:
    """The data set with other class names, and without boxes of other classes."""
    known = {name: number for number, name in reversed([*enumerate(names)])}
    ids = np.array([known.get(name, -1) for name in dataset.class_names], np.int64)
    if names == dataset.class_names:
        return dataset
    samples = tuple(_with_ids(sample, ids) for sample in dataset.samples)
    categories = {
        split: tuple(own[int(np.flatnonzero(ids == i)[0])] if i in ids else -1 for i in range(len(names)))
        for split, own in dataset.categories.items()
    }
    return replace(dataset, class_names=names, samples=samples, categories=categories)


def _with_ids(sample: Sample, ids: NDArray[np.int64]) -> Sample:
    """A sample with new class ids; boxes whose new id is -1 are left out."""
    new = ids[sample.labels.class_id]  # (N,)
    kept = np.flatnonzero(new >= 0)  # (K,)
    labels = sample.labels[kept]
    return replace(
        sample,
        labels=replace(labels, class_id=new[kept]),
        rows=tuple(sample.rows[i] for i in kept),
        extras=tuple(sample.extras[i] for i in kept if sample.extras),
    )
