"""The record of a run: which detections were right on which image, to compare it with another run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from yolo_cli.errors import DataError, unreadable
from yolo_cli.evaluation.matching import Matches
from yolo_cli.evaluation.protocol import GRID, Interpolation
from yolo_cli.evaluation.report import gt_hash
from yolo_cli.limits import read_file

__all__ = ["RUN_FILE", "RunRecord", "record_run"]

RUN_FILE = "run.json"
"""The file in a run's folder that holds its figures and its record."""

Integers = NDArray[np.integer[Any]]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class RunRecord:
    """The data of a run that a comparison needs: which detections were right on which image.

    Detections are ordered by class and descending confidence. Those below the last hit of their class change
    no figure and are left out.

    Attributes:
        class_names: K names.
        images: P names.
        gt_hash: fingerprint of the ground truth.
        interpolation: how the curve is averaged.
        image: (N,), index of each detection's image.
        class_id: (N,), ascending.
        hit: (10, N), true positives at each threshold of ``GRID``.
        ignored: (10, N), ignored detections.
        gt_image: (T,), index of the image of each ground truth that is not ignored.
        gt_class: (T,), its class.
    """

    class_names: tuple[str, ...]
    images: tuple[str, ...]
    gt_hash: str
    interpolation: Interpolation
    image: Integers
    class_id: Integers
    hit: Bools
    ignored: Bools
    gt_image: Integers
    gt_class: Integers

    def to_json(self) -> dict[str, Any]:
        """The record as plain data; thresholds are bits of an integer, 0.50 the lowest."""
        bits = 1 << np.arange(len(GRID))  # (10,)
        return {
            "class_names": list(self.class_names),
            "images": list(self.images),
            "gt_hash": self.gt_hash,
            "interpolation": self.interpolation,
            "image": self.image.tolist(),
            "class_id": self.class_id.tolist(),
            "hit": (bits @ self.hit).tolist(),
            "ignored": (bits @ self.ignored).tolist(),
            "gt_image": self.gt_image.tolist(),
            "gt_class": self.gt_class.tolist(),
        }

    @classmethod
    def read(cls, path: Path) -> RunRecord:
        """The record of an earlier run.

        Args:
            path: the folder of the run, or its ``run.json``.

        Raises:
            DataError: if there is none.
        """
        path = path / RUN_FILE if path.is_dir() else path
        try:
            text = read_file(path)
        except OSError as fault:
            raise unreadable(path, fault, "--baseline needs an earlier run") from fault
        try:
            return cls.from_json(json.loads(text)["record"])
        except (DataError, ValueError, KeyError, TypeError, RecursionError) as fault:
            raise DataError(f"{path}: is not a {RUN_FILE} of yolo eval; run the baseline again") from fault

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> RunRecord:
        """The inverse of :meth:`to_json`.

        Raises:
            DataError: if it is not a record.
        """
        try:
            return _record_from(data)
        except (KeyError, TypeError, ValueError, OverflowError) as fault:
            raise DataError("not the record of a run; write it again with yolo eval") from fault


def record_run(matches: Matches) -> RunRecord:
    """The record of the matches of a run."""
    gathered = matches.evaluation_set
    grid = [matches.thresholds.index(iou) for iou in GRID]
    hit, ranking = matches.hit[0, grid], matches.ranking  # (10, M)
    last = np.zeros(len(gathered.class_names), np.int64)  # (K,), one past the last hit
    at = np.flatnonzero(hit.any(axis=0))  # (hits,)
    np.maximum.at(last, ranking.class_id[at], at + 1)
    keep = np.arange(len(ranking)) < last[ranking.class_id]  # (M,)
    counted = ~gathered.ignored  # (T,)
    return RunRecord(
        gathered.class_names,
        gathered.images,
        gt_hash(gathered),
        matches.protocol.interpolation,
        ranking.image[keep],
        ranking.class_id[keep],
        hit[:, keep],
        matches.ignored[0][grid][:, keep],
        gathered.gt_image[counted],
        gathered.ground_truth.class_id[counted],
    )


def _record_from(data: Mapping[str, Any]) -> RunRecord:
    """A record from plain data; raises KeyError, TypeError, ValueError or OverflowError if it is invalid."""
    names, images = tuple(map(str, data["class_names"])), tuple(map(str, data["images"]))
    interpolation: Interpolation = data["interpolation"]
    if interpolation not in get_args(Interpolation):
        raise ValueError("an unknown interpolation")
    overlaps = 1 << len(GRID)
    limits = {
        "image": len(images),
        "class_id": len(names),
        "hit": overlaps,
        "ignored": overlaps,
        "gt_image": len(images),
        "gt_class": len(names),
    }
    column = {name: _column(data[name], limit) for name, limit in limits.items()}
    if len({len(column[name]) for name in ("image", "class_id", "hit", "ignored")}) > 1:
        raise ValueError("columns of different lengths")
    if len(column["gt_image"]) != len(column["gt_class"]) or (np.diff(column["class_id"]) < 0).any():
        raise ValueError("columns of different lengths, or detections not sorted by class")
    hit, ignored = _bits(column.pop("hit")), _bits(column.pop("ignored"))
    return RunRecord(names, images, str(data["gt_hash"]), interpolation, hit=hit, ignored=ignored, **column)


def _column(values: Any, limit: int) -> Integers:
    """Integers (N,) from 0 to below ``limit``; raises ValueError otherwise."""
    column = np.array(values)  # (N,)
    if column.ndim != 1 or (column.size and column.dtype.kind != "i"):
        raise ValueError("not a list of whole numbers")
    if (column < 0).any() or (column >= limit).any():
        raise ValueError("a number out of range")
    return column.astype(np.int64)


def _bits(numbers: Integers) -> Bools:
    """(10, N): the bits of ``numbers`` (N,), lowest first."""
    bits: Bools = (numbers >> np.arange(len(GRID))[:, None] & 1).astype(bool)  # (10, N)
    return bits
