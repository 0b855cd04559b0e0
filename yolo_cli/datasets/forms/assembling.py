"""Make a data set of the entries that a reader parsed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from yolo_cli.datasets.extras import NOT_LABELLED, Extra, Point
from yolo_cli.datasets.findings import Finding
from yolo_cli.datasets.forms.locating import Images
from yolo_cli.datasets.forms.values import Corners, is_true
from yolo_cli.datasets.layout import (
    Row,
    below,
    empty_splits,
    extras_of,
    gather,
    in_order,
    name_findings,
    of_image,
    place_of,
)
from yolo_cli.datasets.sample import UNSPLIT, Dataset, Sample
from yolo_cli.datasets.splits import split_called
from yolo_cli.text import number, shorten

__all__ = ["NAMELESS", "Entry", "Export", "Shape", "assemble", "by_name", "split_of", "with_flags"]

_FLAGS = ("is_crowd", "difficult")
NAMELESS = "object"
"""The class of boxes in an export without classes."""


class Shape(NamedTuple):
    """One annotated object: where it is in its file, its class name, its box, and its named key points."""

    row: int
    name: str
    xyxy: Corners
    crowd: bool = False
    difficult: bool = False
    extra: Extra | None = None
    keypoints: Mapping[str, Point] = MappingProxyType({})


def by_name(points: Iterable[tuple[str, Point]]) -> dict[str, Point]:
    """The key points of one object by their names; a number tells those with the same name apart.

    >>> by_name([("eye", (1.0, 2.0, 2.0)), ("eye", (3.0, 2.0, 2.0))])
    {'eye': (1.0, 2.0, 2.0), 'eye 2': (3.0, 2.0, 2.0)}
    """
    found: dict[str, Point] = {}
    seen: Counter[str] = Counter()
    for name, point in points:
        seen[name] += 1
        found[name if seen[name] == 1 else f"{name} {seen[name]}"] = point
    return found


def with_flags(shape: Shape, attributes: Mapping[str, Any]) -> Shape:
    """A shape with the flags that Datumaro writes as attributes: ``is_crowd`` and ``difficult``."""
    crowd, difficult = (is_true(attributes.get(key)) for key in _FLAGS)
    extra = shape.extra
    if extra and not extra.attributes.keys().isdisjoint(_FLAGS):
        rest = {key: value for key, value in extra.attributes.items() if key not in _FLAGS}
        extra = replace(extra, attributes=rest)
    return shape._replace(crowd=shape.crowd or crowd, difficult=shape.difficult or difficult, extra=extra)


@dataclass(slots=True)
class Entry:
    """One image of an export.

    Attributes:
        file: the image as the export names it.
        label: the label file.
        split: its split, or ``UNSPLIT``.
        shapes: the objects that were understood.
        refused: row and reason of each that was not; any of them leaves the image out.
        size: height and width according to the export, or None.
        fractions: whether boxes are fractions of the image's size.
        image_id: the export's id of the image, or None for its file name without suffix.
        own_name: the name that the label file's own name suggests, tried last; or "".
        hint: what to do if the image is missing; or "".
    """

    file: str
    label: Path
    split: str = UNSPLIT
    shapes: list[Shape] = field(default_factory=list)
    refused: list[tuple[int, str]] = field(default_factory=list)
    size: tuple[int, int] | None = None
    fractions: bool = False
    image_id: int | str | None = None
    own_name: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Export:
    """A parsed export.

    Attributes:
        root: the data set's folder.
        kind: ``Dataset.kind``.
        entries: its images.
        names: the class names that it declares; () if it declares none.
        keypoint_names: the key points that it declares, in order; () if it declares none.
        findings: what could not be read.
        lists_all: whether it lists images without objects, so that others do not belong to it.
    """

    root: Path
    kind: str
    entries: Sequence[Entry]
    names: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    lists_all: bool = True
    keypoint_names: tuple[str, ...] = ()


def split_of(path: Path, root: Path, *, by_name: bool = False) -> str:
    """The split in the names of a file's folders below the root, the innermost first.

    ``by_name`` tries the file's own name before, for files that list many images.
    """
    words = [path.stem] if by_name else []
    words += reversed(Path(below(path.parent, root)).parts)
    return next(filter(None, map(split_called, words)), UNSPLIT)


def assemble(export: Export, allow_unlabelled: bool = False) -> Dataset:
    """The data set of an export; it may be empty.

    Class ids follow the declared order, else that of the sorted names (numbers by value).
    """
    images = Images(export.root)
    names = export.names or _occurring(export.entries)
    class_ids = {name: index for index, name in reversed(list(enumerate(names)))}
    found, findings = _located(export, images)
    points = _keypoint_names(export)
    samples = []
    for (_, path), entry in found.items():
        sample, faults = _sample(export, entry, path, class_ids, points)
        samples += [sample] if sample else []
        findings += faults
    if not export.lists_all:
        more, faults = _unlisted(export, images, {path for _, path in found}, allow_unlabelled)
        samples += more
        findings += faults
    findings += name_findings(names, export.kind)
    splits = {entry.split: below(entry.label, export.root) for entry in export.entries}
    findings += empty_splits(splits.items(), samples)
    if names == (NAMELESS,) and not export.names:
        findings.append(Finding("Y405", export.kind, f"the export names no class; {NAMELESS!r} is used"))
    everything = tuple(sorted({*export.findings, *findings}))
    return Dataset(export.root, export.kind, names, in_order(samples), everything, keypoint_names=points)


def _occurring(entries: Iterable[Entry]) -> tuple[str, ...]:
    """The class names that occur, sorted; numbers come first, by value."""
    names = {shape.name for entry in entries for shape in entry.shapes}
    return tuple(sorted(names, key=_sort_key))


def _keypoint_names(export: Export) -> tuple[str, ...]:
    """The key points that occur, in the declared order if all are declared, else sorted as class names."""
    names = {name for entry in export.entries for shape in entry.shapes for name in shape.keypoints}
    if names and names <= set(export.keypoint_names):
        return export.keypoint_names
    return tuple(sorted(names, key=_sort_key))


def _sort_key(name: str) -> tuple[float, str]:
    value = number(name) if name.isdecimal() else None
    return (float("inf") if value is None else value, name)


def _located(export: Export, images: Images) -> tuple[dict[tuple[str, Path], Entry], list[Finding]]:
    """The entry of each split and image file, and findings for images without a file or with two entries."""
    found: dict[tuple[str, Path], Entry] = {}
    torn: set[tuple[str, Path]] = set()
    findings = []
    for entry in export.entries:
        where = below(entry.label, export.root)
        path, why = images.find(entry.file, entry.label.parent)
        if path is None and entry.own_name:
            path, _ = images.find(entry.own_name, entry.label.parent)
        if path is None:
            findings.append(Finding("Y102", where, f"{shorten(entry.file)}: {why}{entry.hint}"))
            continue
        first = found.setdefault((entry.split, path), entry)
        if first is not entry and _content(first) == _content(entry):
            findings.append(Finding("Y205", where, f"{below(path, export.root)}: the image is listed twice"))
        elif first is not entry:
            torn.add((entry.split, path))
    for key in torn:
        where = below(found.pop(key).label, export.root)
        what = "two entries annotate the image differently; it is left out"
        findings.append(Finding("Y204", where, f"{below(key[1], export.root)}: {what}"))
    return found, findings


def _content(entry: Entry) -> tuple[object, ...]:
    """What an entry says of its image, wherever that is written."""
    return ([shape[1:3] for shape in entry.shapes], [what for _, what in entry.refused])


def _sample(
    export: Export, entry: Entry, path: Path, class_ids: Mapping[str, int], points: Sequence[str]
) -> tuple[Sample | None, list[Finding]]:
    """The sample of an entry, or None if not all its objects were understood, and findings."""
    label, name = below(entry.label, export.root), below(path, export.root)
    refused = [("Y204", row, what) for row, what in entry.refused]
    refused += [
        ("Y401", shape.row, f"there is no class {shorten(shape.name)!r}")
        for shape in entry.shapes
        if shape.name not in class_ids
    ]
    if refused:
        return None, [
            Finding(
                code,
                place_of(export.kind, label, row),
                f"{name}: {what}; the image is left out",
                name,
                entry.split,
            )
            for code, row, what in refused
        ]
    rows = [_row(shape, class_ids[shape.name], points) for shape in entry.shapes]
    frame = entry.size if entry.size and min(entry.size) > 0 else None
    unit = (1.0, 1.0) if entry.fractions else frame
    boxes, kept, faults = gather(rows, unit, lambda row: place_of(export.kind, label, row))
    named = [replace(fault, what=f"{name}: {fault.what}") for fault in faults]
    gone, findings = of_image(named, name, entry.split, label, len(kept))
    if gone:
        return None, list(findings)
    sample = Sample(
        name,
        path,
        entry.split,
        path.stem if entry.image_id is None else entry.image_id,
        label,
        boxes,
        kept,
        fractions=entry.fractions,
        declared_size=entry.size,
        extras=extras_of(rows, kept),
    )
    return sample, list(findings)


def _row(shape: Shape, class_id: int, names: Sequence[str]) -> Row:
    """A shape as a row; key points that it lacks are not labelled."""
    points = tuple(shape.keypoints.get(name, NOT_LABELLED) for name in names) if shape.keypoints else ()
    extra = replace(shape.extra, keypoints=points) if shape.extra and points else shape.extra
    return Row(shape.row, class_id, shape.xyxy, shape.crowd, shape.difficult, extra, points)


def _unlisted(
    export: Export, images: Images, listed: set[Path], allow_unlabelled: bool
) -> tuple[list[Sample], list[Finding]]:
    """Images beside listed ones that the export does not name: samples if allowed, else findings."""
    samples, findings = [], []
    for path in images.unlisted(listed):
        name = below(path, export.root)
        if allow_unlabelled:
            samples.append(Sample(name, path, split_of(path, export.root), path.stem, ""))
        else:
            findings.append(Finding("Y201", name, "the image has no annotation"))
    return samples, findings
