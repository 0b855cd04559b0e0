"""The annotations of a COCO file as columns, one array for each key.

Hundreds of thousands of annotations are checked at once, and the objects of the JSON file can be freed before
samples are made of the columns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import chain
from operator import itemgetter, not_
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.datasets.extras import Extra, extras_wanted, plain_values
from yolo_cli.datasets.findings import Finding
from yolo_cli.datasets.layout import POINT_FAULT, odd_points, place_of
from yolo_cli.text import number, shorten

__all__ = ["Columns", "annotation_columns", "as_rows", "brief", "column", "numbers_of"]

_LARGEST = 1e9  # pixels; no image is wider

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Annotations; M are usable.

    Attributes:
        row: int, (M,): index into ``annotations``.
        image: int, (M,): index of the image.
        category: int, (M,): index of the category.
        xywh: float, (M, 4), in pixels, unchecked.
        crowd: bool, (M,).
        area: float, (M,); NaN where the file has none.
        findings: one for each annotation that is not usable.
        refused: by the place of each annotation that is not usable (``Finding.where``): its image's index.
        extras: for each usable annotation what else it holds, or () if nobody asked.
        keypoints: float, (M, K, 3): x, y and visibility; None if the categories have no key points.
    """

    row: NDArray[np.int64]
    image: NDArray[np.int64]
    category: NDArray[np.int64]
    xywh: NDArray[np.float64]
    crowd: NDArray[np.bool_]
    area: NDArray[np.float64]
    findings: tuple[Finding, ...]
    refused: Mapping[str, int]
    extras: tuple[Extra, ...] = ()
    keypoints: NDArray[np.float64] | None = None


@dataclass(frozen=True, slots=True)
class _Problem:
    """What is wrong with some annotations: the rule, which they are, and the words for one of them."""

    code: str
    wrong: NDArray[np.bool_]
    words: Callable[[Mapping[str, Any]], str]


def annotation_columns(
    rows: Sequence[Mapping[str, Any]], image: Integers, category: Integers, where: str, points: int = 0
) -> Columns:
    """Check annotations, and turn them into columns.

    Args:
        rows: the annotations, from `as_rows`.
        image: the index of each one's image, (N,), or -1.
        category: the index of each one's category, (N,), or -1.
        where: the file, for messages.
        points: number of key points that the categories name.
    """
    xywh = _boxes(column(rows, "bbox"))  # (N, 4)
    problems = (
        _Problem("Y204", _empty(rows), lambda _: "an annotation must be an object"),
        _Problem("Y202", image < 0, lambda e: f"the image_id {brief(e.get('image_id'))} belongs to no image"),
        _Problem("Y401", category < 0, _no_category),
        _Problem("Y204", np.isnan(xywh).any(axis=1) & ~_given_nan(rows, xywh), _no_box),
        _Problem("Y208", _rotated(rows), _rotated_words),
        _Problem("Y204", _uncounted(rows, points), partial(_uncounted_words, points)),
        _Problem("Y204", _odd(rows, points), lambda _: POINT_FAULT),
    )
    bad = np.any([problem.wrong for problem in problems], axis=0)  # (N,)
    good = np.flatnonzero(~bad)  # (M,)
    return Columns(
        good,
        image[good],
        category[good],
        xywh[good],
        _flags(column(rows, "iscrowd"))[good],
        _floats(column(rows, "area"))[good],
        (*_findings(rows, bad, problems, where), *_repeated(column(rows, "id"), where)),
        {place_of("coco", where, at): int(image[at]) for at in np.flatnonzero(bad & (image >= 0)).tolist()},
        tuple(_extra(rows[at]) for at in good.tolist()) if extras_wanted() else (),
        _keypoints([rows[at] for at in good.tolist()], points) if points else None,
    )


def as_rows(entries: Sequence[Any]) -> Sequence[Mapping[str, Any]]:
    """The annotations of a file; an empty one for each entry that is not an object."""
    if set(map(type, entries)) <= {dict}:
        return entries
    return [entry if type(entry) is dict else {} for entry in entries]


def column(rows: Sequence[Mapping[str, Any]], key: str) -> list[Any]:
    """The value of each row under a key, or None."""
    try:
        return list(map(itemgetter(key), rows))
    except KeyError:
        return [row.get(key) for row in rows]


def brief(value: Any) -> str:
    """A value of a wrong entry as in JSON, or its type, as its text could be huge."""
    if isinstance(value, dict):
        return f"an object with {shorten(', '.join(map(str, value)))}"
    return (
        shorten(repr(value), 40)
        if isinstance(value, (int, float, str)) or value is None
        else type(value).__name__
    )


def numbers_of(values: Any, step: int) -> tuple[float, ...]:
    """A list of numbers whose length is a multiple of ``step``; () for anything else."""
    found = tuple(map(number, values)) if isinstance(values, list) else ()
    return () if None in found or len(found) % step else found  # type: ignore[return-value]  # None is not in it


def _pixels_of(values: Any, step: int) -> tuple[float, ...]:
    """As `numbers_of`; () where one of them is NaN, infinite or far too large, which JSON may not hold."""
    found = numbers_of(values, step)
    return found if all(abs(each) < _LARGEST for each in found) else ()


def _empty(rows: Sequence[Mapping[str, Any]]) -> NDArray[np.bool_]:
    """Whether annotations hold nothing, (N,)."""
    return np.fromiter(map(not_, rows), bool, len(rows))


def _boxes(values: Sequence[Any]) -> NDArray[np.float64]:
    """Boxes (N, 4); a row of NaN for what is not four numbers."""
    fours = set(map(type, values)) <= {list} and set(map(len, values)) <= {4}
    if fours and set(map(type, chain.from_iterable(values))) <= {int, float}:
        with suppress(OverflowError):  # an integer of more than 300 digits
            return np.fromiter(chain.from_iterable(values), float, 4 * len(values)).reshape(-1, 4)
    return np.array([_box(value) for value in values], float).reshape(-1, 4)


def _box(value: Any) -> tuple[float, ...]:
    found = numbers_of(value, 4)
    return found if len(found) == 4 else (np.nan,) * 4


def _given_nan(rows: Sequence[Mapping[str, Any]], xywh: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether a box (N, 4) that holds NaN does so in the file: it is a box, though not a finite one."""
    given = np.zeros(len(rows), bool)
    for at in np.flatnonzero(np.isnan(xywh).any(axis=1)).tolist():
        given[at] = len(numbers_of(rows[at].get("bbox"), 4)) == 4
    return given


def _floats(values: Sequence[Any]) -> NDArray[np.float64]:
    """Numbers (N,); NaN for what is none."""
    if set(map(type, values)) <= {float}:
        return np.array(values, float)
    return np.array([np.nan if (found := number(value)) is None else found for value in values], float)


def _flags(values: Sequence[Any]) -> NDArray[np.bool_]:
    """Flags (N,), which may be written as numbers or as text."""
    kinds = set(map(type, values))
    if kinds <= {int, type(None)}:
        return np.fromiter(map(bool, values), bool, len(values))
    return np.array([value is True or bool(number(value)) for value in values], bool)


def _rotated(rows: Sequence[Mapping[str, Any]]) -> NDArray[np.bool_]:
    """Whether annotations are rotated boxes, (N,): CVAT writes an attribute ``rotation`` in degrees."""
    turned = np.zeros(len(rows), bool)
    for at in [at for at, row in enumerate(rows) if "attributes" in row]:
        attributes = rows[at]["attributes"]
        if isinstance(attributes, dict):
            turned[at] = bool((number(attributes.get("rotation")) or 0.0) % 360)
    return turned


def _uncounted(rows: Sequence[Mapping[str, Any]], points: int) -> NDArray[np.bool_]:
    """Whether annotations (N,) have something for key points, but not three numbers for each named one."""
    if not points:
        return np.zeros(len(rows), bool)
    given = column(rows, "keypoints")
    return np.fromiter((bool(each) and not _is_counted(each, points) for each in given), bool, len(rows))


def _is_counted(value: Any, points: int) -> bool:
    return isinstance(value, list) and len(value) == 3 * points and bool(numbers_of(value, 3))


def _uncounted_words(points: int, entry: Mapping[str, Any]) -> str:
    value = entry["keypoints"]
    wanted = f"the {points} key points of the first category that has some need {3 * points} numbers"
    has = f"has {len(value)}" if numbers_of(value, 1) else f"is {brief(value)}, with more than numbers"
    return f"{wanted}, keypoints {has}"


def _odd(rows: Sequence[Mapping[str, Any]], points: int) -> NDArray[np.bool_]:
    """Whether annotations (N,) have a key point that is of no use."""
    return np.asarray(odd_points(_keypoints(rows, points)).any(axis=1))


def _keypoints(rows: Sequence[Mapping[str, Any]], points: int) -> NDArray[np.float64]:
    """The key points (M, K, 3) of annotations; zeros (not labelled) for one without."""
    none = (0.0,) * (3 * points)
    given = column(rows, "keypoints")
    flat = [numbers_of(each, 3) if _is_counted(each, points) else none for each in given]
    return np.array(flat, float).reshape(len(rows), points, 3)  # (M, K, 3)


def _findings(
    rows: Sequence[Mapping[str, Any]],
    bad: NDArray[np.bool_],
    problems: Sequence[_Problem],
    where: str,
) -> Iterator[Finding]:
    """The first problem of each bad annotation."""
    for at in np.flatnonzero(bad).tolist():
        problem = next(problem for problem in problems if problem.wrong[at])
        yield Finding(problem.code, place_of("coco", where, at), problem.words(rows[at]))


def _no_category(entry: Mapping[str, Any]) -> str:
    return f"the category_id {brief(entry.get('category_id'))} belongs to no category"


def _no_box(_: Mapping[str, Any]) -> str:
    return "bbox must be [x, y, width, height], four numbers"


def _rotated_words(entry: Mapping[str, Any]) -> str:
    return (
        f"the box is rotated by {entry['attributes']['rotation']} degrees, and bbox is that before rotation"
    )


def _repeated(ids: Sequence[Any], where: str) -> Iterator[Finding]:
    """A finding for every annotation with the id of an earlier one."""
    with suppress(TypeError):  # a list or an object
        if len(set(ids)) == len(ids):
            return
    known = [own if isinstance(own, (int, str)) else None for own in ids]
    seen: set[int | str] = set()
    for index, own in enumerate(known):
        if own in seen and own is not None:
            yield Finding("Y207", place_of("coco", where, index), f"an earlier one has the id {own}, too")
        elif own is not None:
            seen.add(own)


def _extra(entry: Mapping[str, Any]) -> Extra:
    """What an annotation has besides its box; parts that are not in COCO's form are left out."""
    outline = entry.get("segmentation")
    rings = [_pixels_of(ring, 2) for ring in outline] if isinstance(outline, list) else []
    own = entry.get("id")
    return Extra(
        tuple(ring for ring in rings if len(ring) >= 6),
        tuple(zip(*[iter(_pixels_of(entry.get("keypoints"), 3))] * 3, strict=True)),
        plain_values(entry.get("attributes")),
        outline if isinstance(outline, dict) else None,
        own if isinstance(own, (int, str)) else None,
    )
