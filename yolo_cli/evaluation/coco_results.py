"""COCO results lists of any program: ``[{"image_id", "category_id", "bbox": [x, y, w, h], "score"}, …]``.

Such a file has a hundred characters per box, and parsing it in one go needs ten times its size in memory. So
it is read entry by entry, and only seven numbers of each are kept.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from yolo_cli.errors import DataError, unreadable
from yolo_cli.limits import open_file

__all__ = ["MAX_BYTES", "CocoResults", "check_size", "read_coco_results"]

_ROUNDING = 1e-6
MAX_BYTES = 1 << 29  # five million boxes: a hundred per image on ten times the images of COCO val2017

_CHUNK = 1 << 20  # characters
_LONGEST_ENTRY = 1 << 24  # characters; an entry may carry an outline
_BLANK = " \t\r\n"


@dataclass(frozen=True, slots=True, eq=False)
class CocoResults:
    """N entries, not yet checked against a data set.

    Attributes:
        image_ids: I different image ids, in order of first occurrence.
        image: (N,), the index of each entry's image in ``image_ids``.
        category_id: (N,), as in the file.
        xyxy: float64, (N, 4), pixels.
        score: float64, (N,), in [0, 1].
        wh: float64, (N, 2), pixels, as in the file.
        keypoints: float64, (N, K, 3), x and y in pixels and visibility; None without.
    """

    image_ids: tuple[int | str, ...]
    image: NDArray[np.int64]
    category_id: NDArray[np.int64]
    xyxy: NDArray[np.float64]
    score: NDArray[np.float64]
    wh: NDArray[np.float64]
    keypoints: NDArray[np.float64] | None = None


def read_coco_results(path: Path) -> CocoResults:
    """Read a results list.

    Raises:
        DataError: if the file is missing, over ``MAX_BYTES``, cut short or not such a list, or if a number in
            it is not finite, a box has a negative side, or a score is outside [0, 1].
    """
    check_size(path)
    places: dict[int | str, int] = {}
    numbers, ids, points = array("d"), array("q"), array("d")
    counts = set()
    for index, entry in enumerate(_entries(path), start=1):
        try:
            x, y, width, height = entry["bbox"]
            numbers.extend((x, y, width, height, entry["score"]))
            ids.extend((places.setdefault(_image_id(entry["image_id"]), len(places)), entry["category_id"]))
            points.extend(own := entry.get("keypoints") or ())
            counts.add(len(own))
        except (KeyError, TypeError, ValueError, OverflowError):
            raise DataError(f"{path}: entry {index} {_missing_from(entry)}") from None
    values = np.array(numbers, float).reshape(-1, 5)  # (N, 5): x, y, w, h, score
    pairs = np.array(ids, np.int64).reshape(-1, 2)  # (N, 2): image, category
    values[:, 4] = unit_rounded(values[:, 4])
    _check_numbers(values, path)
    xyxy = np.concatenate([values[:, :2], values[:, :2] + values[:, 2:4]], axis=1)  # (N, 4)
    keypoints = _keypoints(points, counts, path)
    return CocoResults(tuple(places), pairs[:, 0], pairs[:, 1], xyxy, values[:, 4], values[:, 2:4], keypoints)


def _keypoints(values: array[float], counts: set[int], path: Path) -> NDArray[np.float64] | None:
    """Key points (N, K, 3); None without. Raises DataError if entries have different numbers of them."""
    if not values:
        return None
    if len(counts) > 1 or min(counts) % 3:
        raise DataError(f"{path}: each entry needs x, y, visible of all key points, as many in each")
    points = np.array(values, float).reshape(-1, min(counts) // 3, 3)
    if not np.isfinite(points).all():
        raise DataError(
            f"{path}: a key point holds a number that is not finite; fix the program that wrote it"
        )
    return points


def check_size(path: Path) -> None:
    """Raise DataError if a file is missing or over ``MAX_BYTES``."""
    try:
        size = path.stat().st_size
    except OSError as fault:
        raise unreadable(path, fault) from fault
    if size > MAX_BYTES:
        raise DataError(
            f"{path}: is {size / 2**30:.1f} GiB, and more than {MAX_BYTES / 2**30:.1f} GiB is not read; "
            "write only the 100 most confident boxes of each image"
        )


def unit_rounded(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scores with those just outside 0 to 1, by rounding in float32 or by softmax, moved to the edge."""
    clipped = np.clip(scores, 0, 1)
    return np.asarray(np.where(np.abs(scores - clipped) <= _ROUNDING, clipped, scores))


def _image_id(value: Any) -> int | str:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise TypeError
    return value


def _missing_from(entry: Any) -> str:
    """The fault of an invalid entry."""
    if not isinstance(entry, dict):
        return "is not an object with image_id, category_id, bbox and score"
    needed = ("image_id", "category_id", "bbox", "score")
    missing = [key for key in needed if key not in entry]
    if missing:
        return f"has no {missing[0]}; each needs {', '.join(needed)}"
    return "needs bbox [x, y, width, height] and score as numbers, and category_id as a whole number"


def _check_numbers(values: NDArray[np.float64], path: Path) -> None:
    """Raise DataError for the first invalid row of (N, 5): x, y, width, height, score."""
    tests = (
        (~np.isfinite(values).all(axis=1), "holds a number that is not finite"),
        ((values[:, 2:4] < 0).any(axis=1), "has a box of negative width or height (bbox is x, y, w, h)"),
        ((values[:, 4] < 0) | (values[:, 4] > 1), "has a score outside 0 to 1"),
    )
    for wrong, what in tests:
        if wrong.any():
            at = int(wrong.argmax())
            shown = ", ".join(f"{value:.10g}" for value in values[at])
            more = int(wrong.sum()) - 1
            count = f" (and so have {more} more)" if more else ""
            raise DataError(f"{path}: entry {at + 1} {what}: {shown}{count}; fix the program that wrote it")


def _entries(path: Path) -> Iterator[Any]:
    """The entries of the JSON list in a file, one by one.

    Raises:
        DataError: if it is not a list, or is truncated.
    """
    done = 0
    try:
        with TextIOWrapper(open_file(path, str(path)), encoding="utf-8-sig") as file:
            for entry in _list_entries(file):
                yield entry
                done += 1
    except OSError as fault:
        raise unreadable(path, fault) from fault
    except _NoListError:
        raise DataError(
            f"{path}: is not a COCO results file, which is a JSON list and begins with ["
        ) from None
    except (ValueError, RecursionError):  # also raised for invalid UTF-8
        raise DataError(f"{path}: is cut short or broken after {done} entries; write it again") from None


class _NoListError(Exception):
    """The first character is not a bracket."""


def _list_entries(file: TextIO) -> Iterator[Any]:
    """The entries of a JSON list; raises ValueError if it is truncated."""
    decode = json.JSONDecoder().raw_decode
    text = file.read(_CHUNK).lstrip(_BLANK)
    if not text.startswith("["):
        raise _NoListError
    at = _next_character(text, 1)
    while True:
        try:
            if text[at] == "]":
                break
            value, end = decode(text, at)
            after = _next_character(text, end)
            closing = text[after] == "]"
        except (ValueError, IndexError):  # no complete entry is left: read on
            more = file.read(max(_CHUNK, len(text) - at))  # doubling avoids quadratic time for a long entry
            if not more or len(text) - at > _LONGEST_ENTRY:
                raise ValueError("the list breaks off") from None
            text = text[at:] + more
            at = _next_character(text, 0)
            continue
        if not closing and text[after] != ",":
            raise ValueError("a comma is missing")
        yield value
        at = after if closing else _next_character(text, after + 1)


def _next_character(text: str, at: int) -> int:
    """The index of the first non-blank character from ``at``; the text's length if there is none."""
    while at < len(text) and text[at] in _BLANK:
        at += 1
    return at
