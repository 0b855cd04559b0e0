"""Samples of the images and annotations of a COCO file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from yolo_cli.datasets.coco_columns import Columns
from yolo_cli.datasets.coco_images import ImageEntry, ImageFinder
from yolo_cli.datasets.findings import Finding
from yolo_cli.datasets.layout import (
    below,
    box_faults,
    box_finding,
    is_usable,
    place_of,
    unusable_faults,
)
from yolo_cli.datasets.sample import Sample
from yolo_cli.detections import GroundTruth

__all__ = ["CocoPart", "make_samples"]

_LARGEST_AREA = 1e18  # square pixels


@dataclass(frozen=True, slots=True, eq=False)
class CocoPart:
    """One COCO file: a split.

    Attributes:
        path: the file.
        where: its path below the data set's folder.
        split: its split.
        images: the images, with ids of their own.
        columns: the annotations, by index of image and category.
        categories: id and name of each category.
        findings: entries that were left out.
        keypoints: names of the key points, and the pairs of the skeleton, from 0.
    """

    path: Path
    where: str
    split: str
    images: Sequence[ImageEntry]
    columns: Columns
    categories: tuple[tuple[int, str], ...]
    findings: tuple[Finding, ...]
    keypoints: tuple[tuple[str, ...], tuple[tuple[int, int], ...]] = ((), ())


@dataclass(frozen=True, slots=True, eq=False)
class _Files:
    """The image files of a COCO part.

    Attributes:
        paths: the path of each entry.
        first: int, (I,): for each entry the first entry of the same file.
        twins: for each file with several entries, their indices.
    """

    paths: list[Path]
    first: NDArray[np.int64]
    twins: dict[int, list[int]]


def make_samples(part: CocoPart, names: Sequence[str], root: Path) -> tuple[list[Sample], list[Finding]]:
    """The images of one file with their boxes, and findings.

    Args:
        part: the file.
        names: the data set's class names.
        root: the data set's folder.
    """
    files = _files(part, root)
    columns = part.columns
    image = files.first[columns.image]  # (M,)
    boxes, faults = _boxes(part, image, names)
    findings = list(_box_findings(part, files, image, boxes.xyxy, faults, root))
    unusable = unusable_faults(faults)  # (M,)
    refused = {int(files.first[at]) for at in columns.refused.values()} | set(image[unusable].tolist())
    order = np.argsort(image, kind="stable")  # (M,)
    order = order[faults[order] == 0]  # (K,)
    cuts = np.searchsorted(image[order], np.arange(len(part.images) + 1))  # (I + 1,)
    emptied = set(image[faults > 0].tolist()) - set(image[order].tolist()) - refused
    boxes, rows = boxes[order], columns.row[order].tolist()
    extras = [columns.extras[at] for at in order] if columns.extras else []
    samples = []
    for index, entry in enumerate(part.images):
        if files.first[index] != index:
            continue
        name = below_root(files.paths[index], root)
        fault = _entry_fault(part, files, index, name)
        if index in emptied:
            fault.append(Finding("Y212", name, "none of its annotations is a box", name, part.split))
        findings += fault
        if index not in refused and not any(it.unusable for it in fault):
            cut = slice(cuts[index], cuts[index + 1])
            sample = Sample(
                name,
                files.paths[index],
                part.split,
                entry.image_id,
                part.where,
                boxes[cut],
                tuple(rows[cut]),
                declared_size=entry.size,
                extras=tuple(extras[cut]),
                other_ids=tuple(part.images[at].image_id for at in files.twins.get(index, [])[1:]),
            )
            samples.append(_without_doubles(sample) if sample.other_ids else sample)
    return samples, findings


def below_root(path: Path, root: Path) -> str:
    """`below`, faster where the path begins with the root."""
    text, start = str(path), f"{root}/"
    return text[len(start) :] if text.startswith(start) else below(path, root)


def _files(part: CocoPart, root: Path) -> _Files:
    """Where the images are, and which entries are of one file."""
    finder = ImageFinder(part.path, root, (entry.file_name for entry in part.images))
    paths = [finder.find(entry.file_name) for entry in part.images]
    place: dict[Path, int] = {}
    first = np.array([place.setdefault(path, index) for index, path in enumerate(paths)], np.int64)  # (I,)
    twins: dict[int, list[int]] = {}
    for index in np.flatnonzero(first != np.arange(len(first))).tolist():
        twins.setdefault(int(first[index]), [int(first[index])]).append(index)
    return _Files(paths, first, twins)


def _boxes(
    part: CocoPart, image: NDArray[np.int64], names: Sequence[str]
) -> tuple[GroundTruth, NDArray[np.int64]]:
    """The boxes (M, 4) of all images, and the fault of each (M,), as in `box_faults`."""
    columns = part.columns
    wh = columns.xywh[:, 2:]  # (M, 2)
    xyxy = np.concatenate([columns.xywh[:, :2], columns.xywh[:, :2] + wh], axis=1)  # (M, 4)
    sizes = [entry.size if entry.size and min(entry.size) > 0 else (np.inf, np.inf) for entry in part.images]
    frames = np.array(sizes, float).reshape(-1, 2)  # (I, 2)
    index = {name: at for at, name in enumerate(names)}
    class_of = np.array([index[name] for _, name in part.categories], np.int64)  # (C,)
    with np.errstate(over="ignore", invalid="ignore"):
        area = np.where(np.abs(columns.area) < _LARGEST_AREA, columns.area, np.prod(wh, axis=1))  # (M,)
    labels = GroundTruth(
        xyxy,
        class_of[columns.category],
        columns.crowd,
        np.zeros(len(xyxy), bool),
        area,
        np.ascontiguousarray(wh),
    )
    return labels, box_faults(xyxy, frames[image])


def _box_findings(
    part: CocoPart,
    files: _Files,
    image: NDArray[np.int64],
    xyxy: NDArray[np.floating],
    faults: NDArray[np.int64],
    root: Path,
) -> Iterator[Finding]:
    """A finding for each box with a fault, and for each annotation refused before, with its image."""
    for at in np.flatnonzero(faults).tolist():
        name = below(files.paths[image[at]], root)
        found = box_finding(
            int(faults[at]), place_of("coco", part.where, int(part.columns.row[at])), xyxy[at]
        )
        yield replace(found, what=f"{name}: {found.what}", image=name, split=part.split)
    for finding in part.columns.findings:
        index = part.columns.refused.get(finding.where)
        named = (
            replace(finding, image=below(files.paths[index], root), split=part.split)
            if index is not None
            else finding
        )
        yield named


def _entry_fault(part: CocoPart, files: _Files, index: int, name: str) -> list[Finding]:
    """What is wrong with the entries of one file."""
    entry = part.images[index]
    if not is_usable(files.paths[index], entry.size):
        return [Finding("Y102", name, f"the image is listed in {part.where} but missing", name, part.split)]
    if entry.rival:
        what = f"its id {entry.image_id!r} is that of {entry.rival}, too, so the boxes may be of either"
        return [Finding("Y211", name, what, name, part.split)]
    twins = [part.images[at] for at in files.twins.get(index, [])]
    ids = ", ".join(repr(twin.image_id) for twin in twins)
    if len({twin.size for twin in twins}) > 1:
        what = f"the entries with the ids {ids} give different sizes of it"
        return [Finding("Y211", name, what, name, part.split)]
    if twins:
        what = f"the image is listed {len(twins)} times, with the ids {ids}; it has the boxes of all"
        return [Finding("Y205", name, what, name, part.split)]
    return []


def _without_doubles(sample: Sample) -> Sample:
    """A sample without boxes that entries of the same file repeat exactly."""
    keys = np.column_stack([sample.labels.xyxy, sample.labels.class_id])  # (N, 5)
    kept = np.sort(np.unique(keys, axis=0, return_index=True)[1])  # (K,)
    return replace(
        sample,
        labels=sample.labels[kept],
        rows=tuple(sample.rows[at] for at in kept),
        extras=tuple(sample.extras[at] for at in kept) if sample.extras else (),
    )
