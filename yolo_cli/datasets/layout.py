"""The common part of the three forms: splits, lists of images, and rows of boxes."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from yolo_cli.datasets.extras import Extra
from yolo_cli.datasets.findings import Finding
from yolo_cli.datasets.sample import Kind, Sample
from yolo_cli.detections import GroundTruth
from yolo_cli.files import find_files
from yolo_cli.images import SUFFIXES

__all__ = [
    "Row",
    "below",
    "empty_splits",
    "extras_of",
    "gather",
    "images_below",
    "in_order",
    "is_there",
    "name_findings",
    "place_of",
    "plain",
    "split_called",
    "without_repeats",
]

_SPLIT_WORDS = {"train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val",
                "test": "test", "testing": "test"}  # fmt: skip
_ORDER = {"train": 0, "val": 1, "test": 2}
_BY_LINE = ("yolo", "csv", "openimages", "imagefolder")
_LARGEST = 1e9  # pixels; no image is wider, and areas of larger boxes could overflow


class Row(NamedTuple):
    """One box of a label file.

    Attributes:
        row: its position in the file: see ``Sample.rows``.
        class_id: index into the data set's class names.
        xyxy: left, upper, right, lower edge, 0-based, in pixels or fractions.
        crowd: COCO's ``iscrowd``.
        difficult: VOC's ``difficult``.
        area: COCO's ``area`` in square pixels; NaN if the file has none.
        wh: COCO's width and height in pixels; None in the other forms.
        extra: what the annotation has besides, if `extras_wanted`.
    """

    row: int
    class_id: int
    xyxy: tuple[float, float, float, float]
    crowd: bool = False
    difficult: bool = False
    area: float = float("nan")
    wh: tuple[float, float] | None = None
    extra: Extra | None = None


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
    finite = np.all(np.abs(xyxy) < _LARGEST, axis=1)  # (M,); comparisons with NaN are false
    proper = np.all(xyxy[:, 2:] > xyxy[:, :2], axis=1)  # (M,)
    inside = _touches(xyxy, frame)  # (M,)
    findings = [
        Finding(code, where(row.row), f"{what}: {_corners(row.xyxy)}")
        for row, a, b, c in zip(rows, finite, proper, inside, strict=True)
        for code, what in [_fault(a, b, c, frame == (1, 1))]
        if code
    ]
    kept = [row for row, good in zip(rows, finite & proper & inside, strict=True) if good]
    return _ground_truth(kept), tuple(row.row for row in kept), findings


def extras_of(rows: Sequence[Row], kept: Sequence[int]) -> tuple[Extra, ...]:
    """The extra of each kept row, given by ``Row.row``; () if no row has one."""
    found = {row.row: row.extra for row in rows if row.extra}
    return tuple(found.get(row) or Extra() for row in kept) if found else ()


def _fault(finite: bool, proper: bool, inside: bool, fractions: bool) -> tuple[str, str]:
    """Code and description of the first fault of a box; "" if there is none."""
    if not finite:
        return "Y301", "a coordinate is not a finite number"
    if not proper:
        return "Y302", "the box has no width or no height, or its corners are swapped"
    if not inside:
        hint = " (pixels where fractions belong?)" if fractions else ""
        return "Y303", f"the box is completely outside the image{hint}"
    return "", ""


def _touches(xyxy: NDArray[np.float64], frame: tuple[float, float] | None) -> NDArray[np.bool_]:
    """Whether boxes (M, 4) overlap a frame: (M,); all do if there is none."""
    if frame is None:
        return np.ones(len(xyxy), bool)
    low, high = xyxy[:, :2], xyxy[:, 2:]  # (M, 2), (M, 2)
    return np.asarray(((high > 0) & (low < np.array(frame[::-1]))).all(axis=1))


def _ground_truth(rows: Sequence[Row]) -> GroundTruth:
    """The boxes of valid rows; a missing area is the box's."""
    xyxy = np.array([row.xyxy for row in rows], float).reshape(-1, 4)  # (N, 4)
    given = np.array([row.area for row in rows], float)  # (N,)
    wh = np.array([row.wh for row in rows if row.wh], float).reshape(-1, 2)  # (N, 2), or (0, 2)
    known = wh if len(wh) == len(rows) else None
    own = np.prod(xyxy[:, 2:] - xyxy[:, :2] if known is None else known, axis=1)  # (N,)
    return GroundTruth(
        xyxy,
        np.array([row.class_id for row in rows], np.int64),
        np.array([row.crowd for row in rows], bool),
        np.array([row.difficult for row in rows], bool),
        np.where(np.abs(given) < _LARGEST**2, given, own),
        known,
    )


def _corners(xyxy: Iterable[float]) -> str:
    """Edges for a message."""
    return "left {:.6g}, top {:.6g}, right {:.6g}, bottom {:.6g}".format(*xyxy)


def place_of(kind: Kind, label: str, row: int) -> str:
    """The place of a row for messages: a line, an object counted from 1, or an index into ``annotations``."""
    if kind == "coco":
        return f"{label}:annotations[{row}]"
    return f"{label}:{row}" if kind in _BY_LINE else f"{label}: object {row}"


def split_called(word: str) -> str | None:
    """The split in the name of a folder, file or key, or None.

    >>> [split_called(word) for word in ("valid", "instances_val2017", "testing", "trainval", "rain")]
    ['val', 'val', 'test', None, None]
    """
    for part in re.split(r"[^a-z]+", word.lower()):
        if part in _SPLIT_WORDS:
            return _SPLIT_WORDS[part]
    return None


def in_order(samples: Iterable[Sample]) -> tuple[Sample, ...]:
    """Samples by split (train, val, test, then others by name), and by name within each."""
    return tuple(sorted(samples, key=lambda s: (_ORDER.get(s.split, 3), s.split, s.name)))


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


def images_below(folder: Path) -> Iterator[Path]:
    """Every file with an image's suffix in a folder and those below it."""
    return map(Path, find_files(folder, SUFFIXES))


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
