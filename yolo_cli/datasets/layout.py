"""The common part of the three forms: splits, lists of images, and rows of boxes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from yolo_cli.datasets.extras import NOT_LABELLED, Extra, Point
from yolo_cli.datasets.findings import UNUSABLE, Finding
from yolo_cli.datasets.sample import Kind, Sample
from yolo_cli.detections import GroundTruth
from yolo_cli.files import find_files
from yolo_cli.images import FOREIGN, SUFFIXES

__all__ = [
    "POINT_FAULT",
    "Row",
    "below",
    "box_faults",
    "box_finding",
    "empty_splits",
    "extras_of",
    "gather",
    "images_below",
    "in_order",
    "is_there",
    "is_usable",
    "name_findings",
    "odd_points",
    "of_image",
    "place_of",
    "plain",
    "unusable_faults",
    "without_image_files",
    "without_repeats",
]

_FILES_WANTED: ContextVar[bool] = ContextVar("files_wanted", default=True)
_ORDER = {"train": 0, "val": 1, "test": 2}
_BY_LINE = ("yolo", "csv", "openimages", "imagefolder")
_LARGEST = 1e9  # pixels; no image is wider, and areas of larger boxes could overflow
POINT_FAULT = "a key point is not two finite coordinates and a visibility of 0, 1 or 2"
_BOX_FAULTS = (
    ("", ""),
    ("Y301", "a coordinate is not a finite number"),
    ("Y308", "the corners of the box are swapped"),
    ("Y302", "the box has no width or no height"),
    ("Y303", "the box is completely outside the image"),
)


class Row(NamedTuple):
    """One box of a label file.

    Attributes:
        row: its position in the file: see ``Sample.rows``.
        class_id: index into the data set's class names.
        xyxy: left, upper, right, lower edge, 0-based, in pixels or fractions.
        crowd: whether the box is around a group, as COCO's ``iscrowd``.
        difficult: VOC's ``difficult``.
        extra: what the annotation has besides, if `extras_wanted`.
        keypoints: its key points; () if it has none.
    """

    row: int
    class_id: int
    xyxy: tuple[float, float, float, float]
    crowd: bool = False
    difficult: bool = False
    extra: Extra | None = None
    keypoints: tuple[Point, ...] = ()


def gather(
    rows: Sequence[Row], frame: tuple[float, float] | None, where: Callable[[int], str]
) -> tuple[GroundTruth, tuple[int, ...], list[Finding]]:
    """Convert rows to boxes; invalid rows are left out, with a finding.

    Args:
        rows: the rows of the file.
        frame: height and width of the image in the boxes' unit, which boxes must overlap; None if unknown.
        where: the place of a row, for messages.

    Returns:
        The boxes in float64, the row of each, and findings for the others.
    """
    xyxy = np.array([row.xyxy for row in rows], float).reshape(-1, 4)  # (M, 4)
    faults = box_faults(xyxy, np.array([frame or (np.inf, np.inf)]))  # (M,)
    hint = " (pixels where fractions belong?)" if frame == (1, 1) else ""
    findings = [
        box_finding(int(fault), where(row.row), row.xyxy, hint)
        for row, fault in zip(rows, faults, strict=True)
        if fault
    ]
    findings += [
        Finding("Y204", where(row.row), POINT_FAULT)
        for row in rows
        if row.keypoints and odd_points(np.array(row.keypoints)).any()
    ]
    kept = [row for row, fault in zip(rows, faults, strict=True) if not fault]
    return _ground_truth(kept), tuple(row.row for row in kept), findings


def box_faults(xyxy: NDArray[np.float64], frame: NDArray[np.float64]) -> NDArray[np.int64]:
    """The first fault of each box (M, 4), as a place in ``_BOX_FAULTS``, (M,); 0 is none.

    Boxes must overlap their frame: height and width, (M, 2), or (1, 2) for all; infinite where unknown.
    """
    finite = np.all(np.abs(xyxy) < _LARGEST, axis=1)  # (M,); comparisons with NaN are false
    with np.errstate(invalid="ignore"):  # infinity - infinity
        wh = xyxy[:, 2:] - xyxy[:, :2]  # (M, 2)
    flat, reversed_ = (wh == 0).any(axis=1), (wh < 0).any(axis=1)  # (M,), (M,)
    known = np.isfinite(frame).all(axis=1)  # (M,) or (1,)
    touching = ((xyxy[:, 2:] > 0) & (xyxy[:, :2] < frame[:, ::-1])).all(axis=1)  # (M,)
    return np.select([~finite, reversed_, flat, known & ~touching], [1, 2, 3, 4], 0)


def odd_points(points: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether key points (…, 3) are of no use, (…): not finite, or their visibility is not 0, 1 or 2."""
    finite = np.all(np.abs(points) < _LARGEST, axis=-1)  # comparisons with NaN are false
    return np.asarray(~(finite & np.isin(points[..., 2], (0, 1, 2))))


def unusable_faults(faults: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether faults of `box_faults` (M,) leave the image out, and not only the box, (M,)."""
    return np.array([code in UNUSABLE for code, _ in _BOX_FAULTS])[faults]


def of_image(
    findings: Iterable[Finding], name: str, split: str, label: str, boxes: int
) -> tuple[bool, tuple[Finding, ...]]:
    """Whether an image is left out for what was found in its label, and the findings, with its name.

    It is if a row was refused, or if rows were dropped and none of the ``boxes`` is left: it shows an object
    that would be learnt as background.
    """
    named = tuple(replace(finding, image=name, split=split) for finding in findings)
    if any(finding.unusable for finding in named):
        return True, named
    if named and not boxes:
        return True, (*named, Finding("Y212", label, "none of its rows is a box", name, split))
    return False, named


def box_finding(fault: int, where: str, xyxy: Iterable[float], hint: str = "") -> Finding:
    """The finding for a fault of `box_faults`; ``hint`` is added where a box is outside."""
    code, what = _BOX_FAULTS[fault]
    return Finding(code, where, f"{what}{hint if code == 'Y303' else ''}: {_corners(xyxy)}")


def extras_of(rows: Sequence[Row], kept: Sequence[int]) -> tuple[Extra, ...]:
    """The extra of each kept row, given by ``Row.row``; () if no row has one."""
    found = {row.row: row.extra for row in rows if row.extra}
    return tuple(found.get(row) or Extra() for row in kept) if found else ()


def _ground_truth(rows: Sequence[Row]) -> GroundTruth:
    """The boxes of valid rows."""
    xyxy = np.array([row.xyxy for row in rows], float).reshape(-1, 4)  # (N, 4)
    return GroundTruth(
        xyxy,
        np.array([row.class_id for row in rows], np.int64),
        np.array([row.crowd for row in rows], bool),
        np.array([row.difficult for row in rows], bool),
        keypoints=_keypoints(rows),
    )


def _keypoints(rows: Sequence[Row]) -> NDArray[np.float64] | None:
    """The key points (N, K, 3) of rows; None if none has any."""
    count = max((len(row.keypoints) for row in rows), default=0)
    none = (NOT_LABELLED,) * count
    return np.array([row.keypoints or none for row in rows], float) if count else None


def _corners(xyxy: Iterable[float]) -> str:
    """Edges for a message."""
    return "left {:.6g}, top {:.6g}, right {:.6g}, bottom {:.6g}".format(*xyxy)


def place_of(kind: Kind, label: str, row: int) -> str:
    """The place of a row for messages: a line, an object counted from 1, or an index into ``annotations``."""
    if kind == "coco":
        return f"{label}:annotations[{row}]"
    return f"{label}:{row}" if kind in _BY_LINE else f"{label}: object {row}"


def in_order(samples: Iterable[Sample]) -> tuple[Sample, ...]:
    """Samples by split (train, val, test, then others by name), and by name within each."""
    by_name = sorted(samples, key=attrgetter("name"))
    return tuple(sorted(by_name, key=lambda s: (_ORDER.get(s.split, 3), s.split)))


def plain(path: str | os.PathLike[str]) -> Path:
    """An absolute path without ``..``; links are not resolved, since labels are beside the link."""
    return Path(os.path.abspath(path))  # noqa: PTH100  # Path.resolve would follow links


def is_there(path: Path) -> bool:
    """Whether a path exists; False for invalid names, too."""
    return os.path.exists(path)  # noqa: PTH110  # Path.exists raises for names that are too long


def below(path: Path, root: Path) -> str:
    """A path relative to the data set's folder, with slashes; it may begin with ``..``."""
    try:
        return Path(os.path.relpath(path, root)).as_posix()
    except ValueError:  # another drive on Windows
        return path.as_posix()


@contextmanager
def without_image_files() -> Iterator[None]:
    """Within the block, readers keep images whose file is missing if their label gives the image's size."""
    token = _FILES_WANTED.set(False)
    try:
        yield
    finally:
        _FILES_WANTED.reset(token)


def is_usable(path: Path, size: tuple[int, int] | None) -> bool:
    """Whether an image of this size (None: unknown) can be used: its file exists, or is not needed."""
    return is_there(path) or (not _FILES_WANTED.get() and size is not None and min(size) > 0)


def images_below(folder: Path) -> Iterator[Path]:
    """Every file with an image's suffix in a folder and those below it, also of kinds that are not read."""
    return map(Path, find_files(folder, SUFFIXES + FOREIGN))


def without_repeats(samples: Iterable[Sample]) -> tuple[list[Sample], list[Finding]]:
    """The first sample of each split and name, and a finding for every duplicate."""
    kept: dict[tuple[str, str], Sample] = {}
    findings = []
    for sample in samples:
        key = (sample.split, sample.name)
        if key in kept:
            findings.append(Finding("Y205", sample.name, f"the image is listed twice in {sample.split}"))
        else:
            kept[key] = sample
    return list(kept.values()), findings


def empty_splits(named: Iterable[tuple[str, str]], samples: Iterable[Sample]) -> list[Finding]:
    """Findings for splits without usable images; each split is given with the place that names it."""
    filled = {sample.split for sample in samples}
    return [
        Finding("Y504", where, f"no image of the split {split!r} can be used")
        for split, where in named
        if split not in filled
    ]


def name_findings(names: Sequence[Any], where: str) -> list[Finding]:
    """Findings for class names that are equal, or differ only in case or spaces."""
    first: dict[str, int] = {}
    findings = []
    for index, name in enumerate(names):
        earlier = first.setdefault("".join(str(name).split()).casefold(), index)
        if earlier != index:
            alike = "have the same name" if names[earlier] == name else "differ only in case or blanks"
            what = f"classes {earlier} and {index} {alike}: {names[earlier]!r}, {name!r}"
            findings.append(Finding("Y406", where, what))
    return findings
