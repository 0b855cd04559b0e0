"""Data sets in YOLO form: one text file per image, one line ``class cx cy w h`` per box.

The numbers are fractions of the width and height of the upright image. A line with seven or more numbers, an
odd number, is a polygon ``class x1 y1 x2 y2 …``, and becomes its bounding box. The label's path has
``labels`` in place of the last ``images`` of the image's path; else the label is beside the image. An empty
label means that there are no objects.

A ``data.yaml`` names splits and classes: ``names`` as a list or by number; ``train``, ``val`` (or
``valid``) and ``test``, each a folder, a list of folders, or a ``.txt`` with an image on each line; an
optional ``path`` that they start from. Darknet's ``.data`` file is equivalent. Paths are relative to the file
that names them; if they do not exist, they are tried without ``path``, without a leading ``../`` and from one
folder higher, as exports of well-known tools need. Without such a file, the folders determine everything.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from yolo_cli.datasets.extras import Extra, extras_wanted
from yolo_cli.datasets.findings import Finding
from yolo_cli.datasets.layout import (
    Row,
    below,
    empty_splits,
    extras_of,
    gather,
    in_order,
    is_there,
    place_of,
    without_repeats,
)
from yolo_cli.datasets.sample import Dataset, Sample
from yolo_cli.datasets.yolo_layout import NAME_FILES, Plan, label_of, label_places, plan_of
from yolo_cli.errors import DataError
from yolo_cli.files import find_files
from yolo_cli.images import SUFFIXES
from yolo_cli.text import number, read_text, shorten

__all__ = ["parse_row", "read_yolo"]


def read_yolo(place: Path, allow_unlabelled: bool = False) -> Dataset:
    """Read a YOLO data set from its ``data.yaml``, ``.data`` file or folder; it may be empty.

    Raises:
        DataError: if its description is broken.
    """
    plan = plan_of(place)
    read = [
        _sample(plan, image, split, allow_unlabelled)
        for split, images in plan.images.items()
        for image in images
    ]
    samples, repeats = without_repeats(sample for sample, _ in read if sample)
    findings = [*plan.findings, *repeats, *_orphans(plan), *(fault for _, faults in read for fault in faults)]
    findings += empty_splits(((split, plan.source) for split in plan.images), samples)
    names = plan.names
    if names is None:
        most = max((int(sample.labels.class_id.max(initial=-1)) for sample in samples), default=-1)
        names = tuple(str(i) for i in range(most + 1))
        findings.append(Finding("Y405", plan.source, "no file names the classes; their numbers are used"))
    return Dataset(plan.root, "yolo", names, in_order(samples), tuple(sorted(set(findings))))


def _sample(
    plan: Plan, image: Path, split: str, allow_unlabelled: bool
) -> tuple[Sample | None, list[Finding]]:
    """One image with its boxes, or None if it cannot be used, and findings."""
    name = below(image, plan.root)
    if not is_there(image):
        return None, [Finding("Y102", name, f"the image is listed in {split} but missing")]
    path = label_of(image)
    if path is None and allow_unlabelled:
        return Sample(name, image, split, image.stem, ""), []
    if path is None:
        expected = below(label_places(image)[0], plan.root)
        return None, [Finding("Y201", name, f"the image has no label; an empty {expected} means no objects")]
    label = below(path, plan.root)
    try:
        text = read_text(path)
    except DataError as fault:
        return None, [Finding("Y203", label, fault.text.replace(str(path), "the label"))]
    rows, faults = _rows(text, label, len(plan.names) if plan.names is not None else None)
    ground_truth, kept, more = gather(rows, (1.0, 1.0), lambda row: place_of("yolo", label, row))
    sample = Sample(
        name,
        image,
        split,
        image.stem,
        label,
        ground_truth,
        kept,
        fractions=True,
        extras=extras_of(rows, kept),
    )
    return sample, faults + more


def _rows(text: str, label: str, classes: int | None) -> tuple[list[Row], list[Finding]]:
    """The rows of a label file, and findings for invalid ones."""
    rows, findings = [], []
    for line, content in enumerate(text.split("\n"), start=1):
        if content.strip():
            row = parse_row(content, line)
            if row is None:
                what = f"the row is neither 'class cx cy w h' nor a polygon: {shorten(content)!r}"
                findings.append(Finding("Y204", f"{label}:{line}", what))
            elif row.class_id < 0 or (classes is not None and row.class_id >= classes):
                what = f"class {row.class_id} is not within 0 to {(classes or 0) - 1}"
                findings.append(Finding("Y401", f"{label}:{line}", what))
            else:
                rows.append(row)
    return rows, findings


def parse_row(content: str, line: int) -> Row | None:
    """One line of a label file as a row, with edges in fractions; None if it is neither box nor polygon.

    >>> parse_row("2 0.5 0.5 0.25 0.5", 1).xyxy
    (0.375, 0.25, 0.625, 0.75)
    >>> parse_row("2 0.1 0.2 0.5 0.3 0.4 0.9", 1).xyxy
    (0.1, 0.2, 0.5, 0.9)
    """
    values = [number(field) for field in content.split()]
    numbers = [value for value in values if value is not None]
    odd_one = len(values) == 5 or (len(values) >= 7 and len(values) % 2 == 1)
    if not odd_one or len(numbers) != len(values) or not numbers[0].is_integer():
        return None
    if len(values) == 5:
        _, cx, cy, w, h = numbers
        return Row(line, int(numbers[0]), (cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2))
    xs, ys = numbers[1::2], numbers[2::2]
    if any(value != value for value in numbers):  # noqa: PLR0124  # NaN; min and max would pass over it
        return Row(line, int(numbers[0]), (float("nan"),) * 4)
    extra = Extra(polygons=(tuple(numbers[1:]),)) if extras_wanted() else None
    return Row(line, int(numbers[0]), (min(xs), min(ys), max(xs), max(ys)), extra=extra)


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
