"""Data sets in memory, and what has to be the same after they were written and read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tests.made_sets import write_image
from yolo_cli.datasets import Dataset, Sample
from yolo_cli.datasets.extras import Extra
from yolo_cli.detections import GroundTruth

__all__ = ["NAMES", "SIZES", "contents", "make_images", "memory_set", "same_boxes"]

NAMES = ("milk bottle", "café", "can")
SIZES = {"a": (64, 48), "b": (37, 91), "c": (640, 427), "d": (33, 33)}  # width, height
TOLERANCE = 1e-9  # pixels: numbers are written with 15 digits


def make_images(folder: Path) -> Path:
    """The four images."""
    for seed, (stem, size) in enumerate(SIZES.items()):
        write_image(folder / f"{stem}.png", size, seed)
    return folder


def memory_set(
    folder: Path,
    boxes: dict[str, Sequence[Sequence[float]]],
    splits: Sequence[str] = ("train", "train", "val", "val"),
    **flags: Any,
) -> Dataset:
    """A data set of rows ``class, x1, y1, x2, y2`` for each image, with flags and extras for every box."""
    samples = []
    for (stem, rows), split in zip(boxes.items(), splits, strict=False):
        table = np.array(rows, float).reshape(-1, 5)  # (N, 5)
        labels = GroundTruth(table[:, 1:], table[:, 0].astype(np.int64), **_flags(flags, len(table)))
        extras = (flags["extra"],) * len(table) if isinstance(flags.get("extra"), Extra) else ()
        rows_at = tuple(range(len(table)))
        sample = Sample(
            f"{stem}.png", folder / f"{stem}.png", split, stem, "", labels, rows_at, extras=extras
        )
        samples.append(sample)
    return Dataset(folder, "yolo", NAMES, tuple(samples))


def _flags(flags: dict[str, Any], count: int) -> dict[str, Any]:
    return {name: np.full(count, True) for name in ("crowd", "difficult") if flags.get(name)}


def contents(dataset: Dataset) -> dict[tuple[str, str], list[tuple[Any, ...]]]:
    """Class name and edges of every box, by split and name of the image."""
    return {
        (sample.split, sample.path.stem): [
            (dataset.class_names[class_id], *edges)
            for class_id, edges in zip(
                sample.ground_truth.class_id, sample.ground_truth.xyxy.tolist(), strict=True
            )
        ]
        for sample in dataset.samples
    }


def same_boxes(first: Dataset, second: Dataset, tolerance: float = TOLERANCE) -> None:
    """Check that images, splits, classes and boxes are the same, in the same order."""
    assert first.class_names == second.class_names
    ours, theirs = contents(first), contents(second)
    assert ours.keys() == theirs.keys()
    for key, rows in ours.items():
        assert [row[0] for row in rows] == [row[0] for row in theirs[key]], key
        edges = [np.array([row[1:] for row in part], float).reshape(-1, 4) for part in (rows, theirs[key])]
        np.testing.assert_allclose(*edges, rtol=0, atol=tolerance, err_msg=str(key))
