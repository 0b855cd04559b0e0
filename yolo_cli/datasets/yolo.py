"""Data sets in YOLO form: one text file per image, one line ``class cx cy w h`` per box.

The numbers are fractions of the width and height of the upright image. A line with seven or more numbers, an
odd number, is a polygon ``class x1 y1 x2 y2 …``, and becomes its bounding box, unless ``data.yaml`` says
with ``kpt_shape`` that key points follow the box. The label's path has
``labels`` in place of the last ``images`` of the image's path; else the label is beside the image. An empty
label means that there are no objects.

A ``data.yaml`` names splits and classes: ``names`` as a list or by number; ``train``, ``val`` (or
``valid``) and ``test``, each a folder, a list of folders, or a ``.txt`` with an image on each line; an
optional ``path`` that they start from. Darknet's ``.data`` file is equivalent. Paths are relative to the file
that names them; if they do not exist, they are tried without ``path``, without leading folders and from one
folder higher, as exports of well-known tools need. Without such a file, the folders determine everything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from yolo_cli.datasets.findings import Finding
from yolo_cli.datasets.layout import (
    below,
    empty_splits,
    extras_of,
    gather,
    in_order,
    is_there,
    of_image,
    place_of,
    without_repeats,
)
from yolo_cli.datasets.sample import Dataset, Sample
from yolo_cli.datasets.yolo_layout import Plan, label_of, label_places, plan_of
from yolo_cli.datasets.yolo_names import NAME_FILES
from yolo_cli.datasets.yolo_rows import Columns, label_rows, parse_row
from yolo_cli.errors import DataError
from yolo_cli.files import find_files
from yolo_cli.images import SUFFIXES
from yolo_cli.text import read_text

__all__ = ["read_yolo"]


@dataclass(frozen=True, slots=True)
class _Read:
    """What reading one image's label gave.

    Attributes:
        sample: the image with its boxes, or None if it is left out.
        findings: faults, of which one is the reason if it is.
        label: the label file below the root, or "".
        outlines: the number of polygons.
        corners: the number of polygons of four corners.
    """

    sample: Sample | None
    findings: tuple[Finding, ...] = ()
    label: str = ""
    outlines: int = 0
    corners: int = 0


def read_yolo(place: Path, allow_unlabelled: bool = False) -> Dataset:
    """Read a YOLO data set from its ``data.yaml``, ``.data`` file or folder; it may be empty.

    Raises:
        DataError: if its description is broken.
    """
    plan = plan_of(place)
    labels = {image: label_of(image) for images in plan.images.values() for image in images}
    read = [
        _read(plan, image, split, labels, allow_unlabelled)
        for split, images in plan.images.items()
        for image in images
    ]
    shared = _shared(plan, labels)
    kept = (each.sample for each in read if each.sample and each.sample.name not in shared)
    samples, repeats = without_repeats(kept)
    findings = [*plan.findings, *repeats, *_orphans(plan), *shared.values(), *_four_corners(read)]
    findings += [fault for each in read for fault in each.findings]
    findings += empty_splits(((split, plan.source) for split in plan.images), samples)
    names = plan.names
    if names is None:
        most = max((int(sample.labels.class_id.max(initial=-1)) for sample in samples), default=-1)
        names = tuple(str(i) for i in range(most + 1))
        findings.append(Finding("Y405", plan.source, "no file names the classes; their numbers are used"))
    return Dataset(
        plan.root,
        "yolo",
        names,
        in_order(samples),
        tuple(sorted(set(findings))),
        keypoint_names=plan.keypoint_names,
        skeleton=plan.skeleton,
        flip_idx=plan.flip_idx,
        kpt_shape=plan.kpt_shape,
    )


def _read(
    plan: Plan, image: Path, split: str, labels: Mapping[Path, Path | None], allow_unlabelled: bool
) -> _Read:
    """One image with its boxes."""
    name = below(image, plan.root)

    def left_out(code: str, where: str, what: str) -> _Read:
        return _Read(None, (Finding(code, where, what, name, split),))

    if not is_there(image):
        return left_out("Y102", name, f"the image is listed in {split} but missing")
    path = labels[image]
    if path is None and allow_unlabelled:
        return _Read(Sample(name, image, split, image.stem, ""))
    if path is None:
        expected = below(label_places(image)[0], plan.root)
        return left_out("Y201", name, f"the image has no label; an empty {expected} means no objects")
    try:
        text = read_text(path)
    except DataError as fault:
        label = below(path, plan.root)
        return left_out("Y203", label, fault.text.replace(str(path), "the label"))
    return _of_label(plan, Sample(name, image, split, image.stem, below(path, plan.root)), text)


def _of_label(plan: Plan, sample: Sample, text: str) -> _Read:
    """A sample with the boxes of its label, or without one if a row of it was refused."""
    label = sample.label
    columns = Columns(len(plan.names) if plan.names is not None else None, plan.kpt_shape)
    found = label_rows(text, label, columns)
    boxes, kept, more = gather(found.rows, (1.0, 1.0), lambda row: place_of("yolo", label, row))
    gone, faults = of_image((*found.findings, *more), sample.name, sample.split, label, len(kept))
    filled = replace(sample, labels=boxes, rows=kept, fractions=True, extras=extras_of(found.rows, kept))
    return _Read(None if gone else filled, faults, label, found.outlines, found.corners)


def _shared(plan: Plan, labels: Mapping[Path, Path | None]) -> dict[str, Finding]:
    """A finding for every image, by its name, whose label file is that of another image, too."""
    count = Counter(label for label in labels.values() if label)
    twice = {image: label for image, label in labels.items() if label and count[label] > 1}
    splits = {image: split for split, images in plan.images.items() for image in images}
    found = {}
    for image, label in twice.items():
        name = below(image, plan.root)
        what = f"its label {below(label, plan.root)} is that of {count[label]} images; rename them"
        found[name] = Finding("Y210", name, what, name, splits[image])
    return found


def _four_corners(read: list[_Read]) -> Iterator[Finding]:
    """A finding if all polygons of a data set have four corners."""
    corners = sum(each.corners for each in read)
    if corners and corners == sum(each.outlines for each in read):
        first = next(each.label for each in read if each.corners)
        what = f"{corners} rows have four corners, as rotated boxes (OBB) do"
        yield Finding("Y209", first, f"{what}; the upright box around each is used")


def _orphans(plan: Plan) -> Iterator[Finding]:
    """Findings for label files without an image."""
    images = [image for group in plan.images.values() for image in group]
    usual = [label_of(image) or label_places(image)[0] for image in images]
    found = set(find_files(plan.root / "labels", (".txt",)))
    for place in {path.parent for path in usual}:
        found |= set(find_files(place, (".txt",), recursive=False))
    used = set(usual) | {image.with_suffix(".txt") for image in images}
    for path in sorted(set(map(Path, found)) - used):
        if path.name not in NAME_FILES and _is_orphan(path):
            yield Finding("Y202", below(path, plan.root), "the label belongs to no image")


def _is_orphan(path: Path) -> bool:
    """Whether a label file matches no image, listed or not; notes beside images are not labels."""
    parts = path.parts
    at = next((i for i in range(len(parts) - 2, -1, -1) if parts[i].lower() == "labels"), None)
    if at is None and not _looks_like_labels(path):
        return False
    folders = [path.parent] if at is None else [path.parent, Path(*parts[:at], "images", *parts[at + 1 : -1])]
    names = {path.stem + suffix for suffix in (*SUFFIXES, *map(str.upper, SUFFIXES))}
    return not any((folder / name).exists() for folder in folders for name in names)


def _looks_like_labels(path: Path) -> bool:
    """Whether the first line of a text file is a row of a label."""
    try:
        return parse_row(read_text(path).split("\n", 1)[0], 1) is not None
    except DataError:
        return False
