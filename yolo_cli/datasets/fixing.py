"""Write a fixed copy of a data set: in its own form if that can be written, else in COCO form.

Unambiguous faults are fixed, unusable entries are left out, and the rest is kept, as listed in the rules. The
original is only read.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from yolo_cli.boxes import clip_boxes
from yolo_cli.datasets.checks import faults_of, in_pixels, size_faults, turned, turned_points
from yolo_cli.datasets.copies import CopiedSample, coco_labels, voc_labels, yolo_labels
from yolo_cli.datasets.corrections import Correction, correct
from yolo_cli.datasets.findings import UNUSABLE, Finding
from yolo_cli.datasets.inspection import Inspection
from yolo_cli.datasets.layout import plain
from yolo_cli.datasets.lint import LintReport, twins
from yolo_cli.datasets.place import free_place
from yolo_cli.datasets.rewriting import copy_images, rewrite
from yolo_cli.datasets.sample import UNSPLIT, Dataset, Sample
from yolo_cli.errors import DataError
from yolo_cli.files import atomic_folder, make_folder

__all__ = ["fix"]

_LABELS = {"yolo": yolo_labels, "coco": coco_labels, "voc": voc_labels}


def fix(
    report: LintReport, out: str | os.PathLike[str], corrections: Sequence[Correction] = ()
) -> tuple[str, ...]:
    """Write a fixed copy of the data set that was linted.

    Args:
        report: the findings.
        out: a new or empty folder outside the data set.
        corrections: of boxes, by a person, from `read_corrections`.

    Returns:
        One line for each fix and correction.

    Raises:
        UsageError: if ``out`` is not empty, or is in the data set.
        DataError: if nothing would be left, or the copy cannot be written.
    """
    place = free_place(plain(out), [report.dataset])
    copied = _corrected(_copied(report), corrections, report.dataset.class_names)
    if not copied:
        raise DataError(
            f"{report.dataset.location}: nothing would be left in a fixed copy; see what `yolo lint` lists"
        )
    with atomic_folder(place) as draft:
        notes = _write_copy(report.dataset, copied, draft)
    fixes = filter(None, (_action(finding) for finding in report.findings))
    return (*notes, *fixes, *(f"{correction.image}: {correction}" for correction in corrections))


def _write_copy(dataset: Dataset, copied: list[CopiedSample], draft: Path) -> list[str]:
    """Write images and labels, with rows as they are where the form allows it; returns what to know of it."""
    if dataset.kind not in _LABELS:
        return [rewrite(dataset, copied, draft)]
    copy_images(copied, draft)
    for name, text in _LABELS[dataset.kind](dataset, copied):
        (make_folder((draft / name).parent) / Path(name).name).write_bytes(text.encode())
    return []


def _corrected(
    copied: list[CopiedSample], corrections: Sequence[Correction], names: Sequence[str]
) -> list[CopiedSample]:
    """The samples of the copy with their corrections."""
    by_sample: dict[tuple[str, str], list[Correction]] = {}
    for correction in corrections:
        by_sample.setdefault((correction.split, correction.image), []).append(correction)
    return [
        correct(entry, by_sample.get((entry.sample.split, entry.sample.name), []), names) for entry in copied
    ]


def _copied(report: LintReport) -> list[CopiedSample]:
    """The samples of the copy, with new image paths and changed boxes."""
    dataset, inspections = report.dataset, report.inspections
    gone = {
        (t.sample.split, t.sample.name) for t in twins(dataset, inspections) if t.code in ("Y501", "Y503")
    }
    kept = [sample for sample in dataset.samples if (sample.split, sample.name) not in gone]
    fixed = [(sample, _boxes(sample, inspections[sample.path], report.imgsz)) for sample in kept]
    usable = [(sample, boxes) for sample, boxes in fixed if boxes is not None]
    files = _files(dataset.kind, (sample for sample, _ in usable))
    return [
        CopiedSample(
            sample,
            file,
            _size(inspections[sample.path]),
            boxes,
            keypoints=_turned_points(sample, inspections[sample.path]),
        )
        for (sample, boxes), file in zip(usable, files, strict=True)
    ]


def _size(inspection: Inspection) -> tuple[int, int]:
    """Height and width of the upright image in pixels."""
    return inspection.header.upright if inspection.header else (0, 0)


def _boxes(
    sample: Sample, inspection: Inspection, imgsz: int
) -> dict[int, NDArray[np.float64] | None] | None:
    """The kept boxes of a sample, by index, each with new edges (4,) in pixels or None if unchanged.

    None if the image is left out.
    """
    faults = faults_of(sample, inspection, imgsz)
    codes = {fault.code for fault in faults}
    if inspection.header is None or codes & UNUSABLE:
        return None
    size = inspection.header.upright
    xyxy = in_pixels(sample, size)  # (N, 4)
    if "Y104" in codes:
        xyxy = turned(xyxy, inspection.header)  # (N, 4)
    inside = np.asarray(clip_boxes(xyxy, size), float)  # (N, 4)
    dropped = {fault.box for fault in faults if fault.code == "Y305"}
    clipped = {fault.box for fault in faults if fault.code == "Y304"}
    return {
        i: inside[i] if "Y104" in codes or i in clipped else None
        for i in range(len(xyxy))
        if i not in dropped and (inside[i, 2:] > inside[i, :2]).all()
    }


def _turned_points(sample: Sample, inspection: Inspection) -> NDArray[np.float64] | None:
    """The key points (N, K, 3) of a sample that is turned with its image; None if they stay as they are."""
    header, found = inspection.header, sample.labels.keypoints
    if header is None or found is None:
        return None
    labels = sample.ground_truth
    if all(fault.code != "Y104" for fault in size_faults(sample, header, np.asarray(labels.xyxy))):
        return None
    return turned_points(np.asarray(labels.keypoints), header)


def _files(kind: str, samples: Iterable[Sample]) -> list[str]:
    """The path of each image in the copy. Names that would use the same label file get a number."""
    taken: dict[str, int] = {}
    files = []
    for sample in samples:
        folder = "images" if sample.split == UNSPLIT else f"images/{sample.split}"
        first = stem = f"{'JPEGImages' if kind == 'voc' else folder}/{sample.path.stem}"
        while stem in taken:
            taken[first] += 1
            stem = f"{first}_{taken[first]}"
        taken[stem] = 1
        files.append(stem + sample.path.suffix)
    return files


def _action(finding: Finding) -> str | None:
    """What was done about a finding, or None."""
    fixing = finding.rule.fixing
    if fixing.startswith("kept"):
        return None
    return f"{finding.code} {finding.where}: {fixing}"
