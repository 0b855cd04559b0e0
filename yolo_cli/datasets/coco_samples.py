"""Samples of the images and annotations of a COCO file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from yolo_cli.datasets.coco_columns import Columns
from yolo_cli.datasets.coco_images import ImageEntry, ImageFinder
from yolo_cli.datasets.extras import Extra
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

Integers = NDArray[np.int64]

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
        missing: indices of entries whose file does not exist.
        first: int, (I,): for each entry the first entry of the same file.
        twins: for each file with several entries, their indices.
    """

    paths: list[Path]
    missing: frozenset[int]
    first: NDArray[np.int64]
    twins: dict[int, list[int]]


@dataclass(frozen=True, slots=True, eq=False)
class _Assigned:
    """The usable boxes of a COCO part, in the order of the images.

    Attributes:
        boxes: of all images, one after the other.
        rows: the row of each box.
        extras: the extra of each box, or nothing.
        cuts: where the boxes of each image begin, and where those of the last one end.
        refused: indices of images with an annotation or a box that leaves them out.
        emptied: indices of images whose boxes were all dropped.
    """

    boxes: GroundTruth
    rows: list[int]
    extras: list[Extra]
    cuts: list[int]
    refused: set[int]
    emptied: set[int]


def make_samples(part: CocoPart, names: Sequence[str], root: Path) -> tuple[list[Sample], list[Finding]]:
    """The images of one file with their boxes, and findings.

    Args:
        part: the file.
        names: the data set's class names.
        root: the data set's folder.
    """
    files = _files(part, root)
    image = files.first[part.columns.image]  # (M,)
    boxes, faults = _boxes(part, image, names)
    findings = list(_box_findings(part, files, image, boxes.xyxy, faults, root))
    assigned = _assigned(part, files, image, boxes, faults)
    rivals = {index for index, entry in enumerate(part.images) if entry.rival}
    odd = files.missing | files.twins.keys() | rivals | assigned.emptied | assigned.refused
    samples, start = [], f"{root}/"
    for index in np.flatnonzero(files.first == np.arange(len(files.first))).tolist():
        name = _below(files.paths[index], start, root)
        fault = _entry_fault(part, files, index, name, assigned) if index in odd else []
        findings += fault
        if index not in assigned.refused and not any(it.unusable for it in fault):
            samples.append(_sample(part, files, assigned, index, name))
    return samples, findings


def _assigned(
    part: CocoPart, files: _Files, image: Integers, boxes: GroundTruth, faults: Integers
) -> _Assigned:
    """The boxes (M,) of the images (M,) without faults (M,), sorted by image."""
    columns = part.columns
    order = np.argsort(image, kind="stable")  # (M,)
    order = order[faults[order] == 0]  # (K,)
    cuts = np.searchsorted(image[order], np.arange(len(part.images) + 1))  # (I + 1,)
    refused = {int(files.first[at]) for at in columns.refused.values()}
    refused |= set(image[unusable_faults(faults)].tolist())
    faulty = set(image[faults > 0].tolist()) - refused
    return _Assigned(
        boxes[order],
        columns.row[order].tolist(),
        [columns.extras[at] for at in order.tolist()] if columns.extras else [],
        cuts.tolist(),
        refused,
        {index for index in faulty if cuts[index] == cuts[index + 1]},
    )


def _sample(part: CocoPart, files: _Files, assigned: _Assigned, index: int, name: str) -> Sample:
    """One image with its boxes."""
    entry, twins = part.images[index], files.twins.get(index)
    cut = slice(assigned.cuts[index], assigned.cuts[index + 1])
    sample = Sample(
        name,
        files.paths[index],
        part.split,
        entry.image_id,
        part.where,
        assigned.boxes[cut],
        tuple(assigned.rows[cut]),
        declared_size=entry.size,
        extras=tuple(assigned.extras[cut]),
    )
    if twins is None:
        return sample
    others = tuple(part.images[at].image_id for at in twins[1:])
    return _without_doubles(replace(sample, other_ids=others))


def _below(path: Path, start: str, root: Path) -> str:
    """`below`, faster for a path that begins with ``start``, the root with a slash."""
    text = str(path)
    return text[len(start) :] if text.startswith(start) else below(path, root)


def _files(part: CocoPart, root: Path) -> _Files:
    """Where the images are, and which entries are of one file."""
    finder = ImageFinder(part.path, root, (entry.file_name for entry in part.images))
    paths, there = [], []
    for entry in part.images:
        path, found = finder.find(entry.file_name)
        paths.append(path)
        there.append(found)
    missing = frozenset(np.flatnonzero(~np.array(there, bool)).tolist())
    place: dict[str, int] = {}  # text is hashed faster than paths
    first = np.array(
        [place.setdefault(str(path), index) for index, path in enumerate(paths)], np.int64
    )  # (I,)
    twins: dict[int, list[int]] = {}
    for index in np.flatnonzero(first != np.arange(len(first))).tolist():
        twins.setdefault(int(first[index]), [int(first[index])]).append(index)
    return _Files(paths, missing, first, twins)


def _boxes(
    part: CocoPart, image: NDArray[np.int64], names: Sequence[str]
) -> tuple[GroundTruth, NDArray[np.int64]]:
    """The boxes (M, 4) of all images, and the fault of each (M,), as in `box_faults`."""
    columns = part.columns
    wh = columns.xywh[:, 2:]  # (M, 2)
    with np.errstate(over="ignore", invalid="ignore"):  # `box_faults` finds what is not finite
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
        columns.keypoints,
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


def _entry_fault(part: CocoPart, files: _Files, index: int, name: str, assigned: _Assigned) -> list[Finding]:
    """What is wrong with the entries of one file."""
    if index in assigned.emptied:
        return [Finding("Y212", name, "none of its annotations is a box", name, part.split)]
    entry = part.images[index]
    if index in files.missing and not is_usable(files.paths[index], entry.size):
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
