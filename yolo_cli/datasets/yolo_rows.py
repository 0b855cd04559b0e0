"""The rows of a YOLO label file: boxes, polygons, and boxes with key points.

What a row means is said by the data set: with ``kpt_shape`` in ``data.yaml``, a box is followed by key
points; without it, seven or more numbers are an outline. Rows of no such form are refused.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from yolo_cli.datasets.extras import Extra, extras_wanted
from yolo_cli.datasets.findings import Finding
from yolo_cli.datasets.layout import Row
from yolo_cli.text import counted, number, shorten

__all__ = ["Columns", "LabelRows", "label_rows", "parse_row"]

_MOST_UNNAMED = 10_000
"""Class numbers without names are below this: a larger one is a mistake, and would make as many classes."""
_CORNERS = 9  # numbers of a row with four corners


@dataclass(frozen=True, slots=True)
class Columns:
    """What a data set says of its rows.

    Attributes:
        classes: the number of class names, or None if no file has them.
        kpt_shape: the number of key points of a box and of the numbers of each (2, or 3 with visibility).
    """

    classes: int | None = None
    kpt_shape: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class LabelRows:
    """The rows of one label file.

    Attributes:
        rows: those that could be understood.
        findings: one for each of the others.
        outlines: the number of polygons.
        corners: the number of polygons of four corners.
    """

    rows: tuple[Row, ...]
    findings: tuple[Finding, ...]
    outlines: int = 0
    corners: int = 0


def label_rows(text: str, label: str, columns: Columns) -> LabelRows:
    """The rows of a label file, whose name is only for messages."""
    rows, findings, widths = [], [], []
    for line, content in enumerate(text.split("\n"), start=1):
        if content.strip():
            row = parse_row(content, line, columns.kpt_shape)
            code, what = _fault(row, content, columns)
            if row is None or code:
                findings.append(Finding(code, f"{label}:{line}", what))
            else:
                rows.append(row)
                widths.append(len(content.split()))
    outlines = [width for width in widths if width > 5 and columns.kpt_shape is None]
    return LabelRows(tuple(rows), tuple(findings), len(outlines), outlines.count(_CORNERS))


def parse_row(content: str, line: int, kpt_shape: tuple[int, int] | None = None) -> Row | None:
    """One line of a label file as a row, with edges in fractions; None if it is of no known form.

    >>> parse_row("2 0.5 0.5 0.25 0.5", 1).xyxy
    (0.375, 0.25, 0.625, 0.75)
    >>> parse_row("2 0.1 0.2 0.5 0.3 0.4 0.9", 1).xyxy
    (0.1, 0.2, 0.5, 0.9)
    >>> parse_row("2 0.5 0.5 0.25 0.5 0.1 0.9", 1, (1, 2)).xyxy
    (0.375, 0.25, 0.625, 0.75)
    """
    values = [number(field) for field in content.split()]
    numbers = [value for value in values if value is not None]
    if len(numbers) != len(values) or len(values) < 5 or not numbers[0].is_integer():
        return None
    if len(values) == 5 or (kpt_shape and len(values) == 5 + math.prod(kpt_shape)):
        return _box(numbers, line, kpt_shape)
    return _outline(numbers, line) if kpt_shape is None and len(values) % 2 and len(values) > 5 else None


def _box(numbers: Sequence[float], line: int, kpt_shape: tuple[int, int] | None) -> Row:
    """A box, and the key points behind it if it has some and they are wanted."""
    class_id, cx, cy, w, h = numbers[:5]
    xyxy = (cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2)
    points = _keypoints(numbers[5:], kpt_shape) if kpt_shape else ()
    extra = Extra(keypoints=points) if points and extras_wanted() else None
    return Row(line, int(class_id), xyxy, extra=extra, keypoints=points)


def _keypoints(
    numbers: Sequence[float], kpt_shape: tuple[int, int]
) -> tuple[tuple[float, float, float], ...]:
    """Key points x, y, visibility; without visibility, a point at 0, 0 is not labelled."""
    step = kpt_shape[1]
    points = [numbers[at : at + step] for at in range(0, len(numbers), step)]
    return tuple((p[0], p[1], p[2] if step == 3 else 2.0 * (p[0] != 0 or p[1] != 0)) for p in points)


def _outline(numbers: Sequence[float], line: int) -> Row:
    """The box around a polygon."""
    xs, ys = numbers[1::2], numbers[2::2]
    xyxy = (min(xs), min(ys), max(xs), max(ys))
    if any(map(math.isnan, numbers)):  # min and max would pass over it
        xyxy = (math.nan,) * 4
    extra = Extra(polygons=(tuple(numbers[1:]),)) if extras_wanted() else None
    return Row(line, int(numbers[0]), xyxy, extra=extra)


def _fault(row: Row | None, content: str, columns: Columns) -> tuple[str, str]:
    """Code and description of what is wrong with a line; "" if nothing is."""
    if row is None:
        return "Y204", f"{_misread(content, columns)}: {shorten(content)!r}"
    most = columns.classes if columns.classes is not None else _MOST_UNNAMED
    if 0 <= row.class_id < most:
        return "", ""
    why = f"is not within 0 to {most - 1}" + ("" if columns.classes else ", and no file names the classes")
    return "Y401", f"class {shorten(row.class_id, 24)} {why}"


def _misread(content: str, columns: Columns) -> str:
    """Why a line cannot be read, with the mistake that is known to lead to it, if any."""
    words = content.split()
    if columns.kpt_shape and len(words) > 5:
        points, step = columns.kpt_shape
        wanted = f"kpt_shape [{points}, {step}] needs {5 + points * step} numbers"
        return f"{wanted}, the row has {len(words)}"
    if "," in content:
        return "the numbers must be separated by blanks, not commas"
    if len(words) == 6 and all(number(word) is not None for word in words):
        return "a sixth number (a confidence?) does not belong in a label; remove it"
    if (
        len(words) in (9, 10)
        and number(words[8]) is None
        and all(number(word) is not None for word in words[:8])
    ):
        return "a rotated box in DOTA's form, which is not read here"
    return "the row is neither 'class cx cy w h' nor a polygon" + _unnamed_points(words)


def _unnamed_points(words: Sequence[str]) -> str:
    """A hint where a row may be a box with key points of which the data set does not tell."""
    likely = len(words) > 5 and len(words) % 6 == 2  # 5 + 3 K, and even: an odd number may be a polygon
    if not likely or any(number(word) is None for word in words):
        return ""
    points = (len(words) - 5) // 3
    what = counted(points, "key point")
    return f"; if it is a box with {what}, data.yaml lacks kpt_shape: [{points}, 3]"
