"""Corrections of labels that a person accepted, as saved by the page of suspects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from yolo_cli.boxes import clip_boxes
from yolo_cli.datasets.copies import CopiedSample
from yolo_cli.datasets.sample import Dataset
from yolo_cli.errors import DataError
from yolo_cli.text import read_json

__all__ = ["Action", "Correction", "correct", "read_corrections"]

Action = Literal["add", "remove", "class", "box"]
"""Add a box, remove one, or give one another class or other edges."""

_NEEDED: Mapping[Action, tuple[str, ...]] = {
    "add": ("class_name", "box"),
    "remove": ("row",),
    "class": ("row", "class_name"),
    "box": ("row", "box"),
}


_TYPES: Mapping[str, type] = {"row": int, "box": tuple}


@dataclass(frozen=True, slots=True)
class Correction:
    """One change of one box.

    Attributes:
        split, image: the sample's split and name.
        action: what to do.
        row: the box, as in ``Sample.rows``; None where a box is added.
        class_name: its new class, or "" if that stays.
        box: its new edges, xyxy, in pixels of the upright image, or None if they stay.
    """

    split: str
    image: str
    action: Action
    row: int | None = None
    class_name: str = ""
    box: tuple[float, float, float, float] | None = None

    def __str__(self) -> str:
        edges = "" if self.box is None else f" at {' '.join(f'{edge:.0f}' for edge in self.box)}"
        if self.action == "add":
            return f"added {self.class_name}{edges}"
        done = {"remove": "removed", "class": f"is {self.class_name} now", "box": f"moved: now{edges}"}
        return f"box {self.row} {done[self.action]}"


def read_corrections(path: Path, dataset: Dataset) -> tuple[Correction, ...]:
    """Read the corrections of a data set.

    Raises:
        DataError: if the file cannot be read, is not a file of corrections, or belongs to other data.
    """
    document = read_json(path)
    entries = document.get("corrections") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise DataError(f"{path}: is not a file of corrections; save one from the page of `yolo lint`")
    if document.get("content_hash") != dataset.content_hash:
        raise DataError(
            f"{path}: was made for other data than {dataset.location} holds; run `yolo lint --weights` again"
        )
    rows = {(sample.split, sample.name): sample.rows for sample in dataset.samples}
    corrections = []
    for number, entry in enumerate(entries, start=1):
        correction = _correction(entry)
        fault = _fault(correction, rows, dataset.class_names)
        if correction is None or fault:
            raise DataError(f"{path}: correction {number}: {fault}; save it again from the page")
        corrections.append(correction)
    _check_agreement(path, corrections)
    return tuple(corrections)


def _check_agreement(path: Path, corrections: Sequence[Correction]) -> None:
    """Raise DataError if a box gets two classes or two places, or is removed and changed."""
    of_box: dict[tuple[str, str, int | None], dict[Action, int]] = {}
    for number, correction in enumerate(corrections, start=1):
        if correction.row is None:
            continue
        others = of_box.setdefault((correction.split, correction.image, correction.row), {})
        for action, other in others.items():
            if "remove" in (action, correction.action) or action == correction.action:
                raise DataError(
                    f"{path}: corrections {other} and {number} contradict each other: both change row "
                    f"{correction.row} of {correction.image}; keep one of them"
                )
        others[correction.action] = number


def _correction(entry: Any) -> Correction | None:
    """An entry of the file; None if a value is missing or of another type."""
    if not isinstance(entry, dict) or entry.get("action") not in get_args(Action):
        return None
    names = ("split", "image", "action", *_NEEDED[entry["action"]])
    given: dict[str, Any] = {name: entry.get(name) for name in names}
    if "box" in given:
        given["box"] = _edges(given["box"])
    right = all(type(value) is _TYPES.get(name, str) and value != "" for name, value in given.items())
    return Correction(**given) if right else None


def _edges(box: Any) -> tuple[float, ...] | None:
    """Four finite edges in their order; None for anything else."""
    numbers = isinstance(box, list) and len(box) == 4 and all(isinstance(edge, int | float) for edge in box)
    if not numbers or not all(map(isfinite, box)) or not (box[0] < box[2] and box[1] < box[3]):
        return None
    return tuple(map(float, box))


def _fault(
    correction: Correction | None, rows: Mapping[tuple[str, str], Sequence[int]], names: Sequence[str]
) -> str:
    """Why a correction cannot be applied, or ""."""
    if correction is None:
        return "is not understood"
    known = rows.get((correction.split, correction.image))
    if known is None:
        return f"there is no image {correction.image} in {correction.split}"
    if correction.row is not None and correction.row not in known:
        return f"{correction.image} has no box in row {correction.row}"
    if correction.class_name and correction.class_name not in names:
        return f"there is no class {correction.class_name}"
    return ""


def correct(copied: CopiedSample, corrections: Sequence[Correction], names: Sequence[str]) -> CopiedSample:
    """A sample of the copy with its corrections; one for a box that the copy leaves out does nothing."""
    boxes, classes, added = dict(copied.boxes), dict(copied.classes), list(copied.added)
    for correction in corrections:
        edges = None if correction.box is None else clip_boxes(np.array([correction.box]), copied.size)[0]
        class_id = names.index(correction.class_name) if correction.class_name else -1
        if correction.row is None:
            assert edges is not None
            added.append((class_id, edges))
            continue
        index = copied.sample.rows.index(correction.row)
        if index not in boxes:
            continue
        if correction.action == "remove":
            del boxes[index]
        elif correction.action == "class":
            classes[index] = class_id
        else:
            boxes[index] = edges
    return replace(copied, boxes=boxes, classes=classes, added=tuple(added))
