"""What a model card may say: a check of each of its fields, since files of strangers may say anything."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any, get_args

from yolo_cli.codec import Head, HeadKind
from yolo_cli.config import Resize, SuppressionKind
from yolo_cli.keypoints import KeyPoints
from yolo_cli.limits import MAX_POINTS, name_fault, names_fault
from yolo_cli.text import shorten

__all__ = ["CHECKS", "checked_fields"]

MAX_TEXT = 100_000  # characters of a free text
MAX_LINES = 1_000  # of figures, limits and sources
MAX_HEADS, MAX_ANCHORS, MAX_BINS, MAX_STRIDE, MAX_SIDE = 16, 100, 100, 1_024, 4_096
MAX_KNOTS = 100_000  # of a calibration
REQUIRED = ("name", "class_names", "heads", "input_size", "resize")


def checked_fields(values: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a card, from JSON, as a `ModelCard` holds them.

    Raises:
        ValueError: if one is missing, unknown, or not what it must be; it names the field.
    """
    if missing := [key for key in REQUIRED if key not in values]:
        raise ValueError(f"it has no {missing[0]}")
    fields = {key: _checked(key, value) for key, value in values.items()}
    count = len(fields["class_names"])
    if any(head.class_count != count for head in fields["heads"]):
        raise ValueError(f"class_names has {count} names, but heads has another class_count")
    points = len(fields.get("keypoints") or ())
    if any(head.key_points != points for head in fields["heads"]):
        raise ValueError(f"keypoints has {points} points, but heads has another number of key_points")
    if not fields["heads"] and fields.get("detector", "yolo") == "yolo":
        raise ValueError("heads is empty")
    return fields


def _checked(key: str, value: Any) -> Any:
    if key not in CHECKS:
        raise ValueError(f"it has a field {shorten(repr(key), 40)}, which is not known")
    try:
        return CHECKS[key](value)
    except (TypeError, ValueError) as fault:
        raise ValueError(f"{key} {fault}") from None


def _text(value: Any, most: int = MAX_TEXT) -> str:
    if not isinstance(value, str) or len(value) > most:
        raise ValueError(f"is not a text of at most {most:,} characters")
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise ValueError("holds half a character (a lone surrogate)")
    return value


def _name(value: Any) -> str:
    if fault := name_fault(value):
        raise ValueError(fault)
    return str(value)


def _one_of(*words: str) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if not isinstance(value, str) or value not in words:
            raise ValueError(f"is {shorten(repr(value), 40)}, but must be one of {', '.join(words)}")
        return value

    return check


def _number(value: Any, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ValueError(f"holds {shorten(repr(value), 40)}, which is not a number from {low:g} to {high:g}")
    return float(value)


def _whole(value: Any, low: int, high: int) -> int:
    if not isinstance(value, int) or not _number(value, low, high).is_integer():
        raise ValueError(f"holds {shorten(repr(value), 40)}, which is not a whole number")
    return value


def _list(value: Any, fewest: int, most: int) -> list[Any]:
    if not isinstance(value, list) or not fewest <= len(value) <= most:
        raise ValueError(f"is not a list of {fewest} to {most:,} values")
    return value


def _lines(value: Any) -> tuple[str, ...]:
    return tuple(_text(line) for line in _list(value, 0, MAX_LINES))


def _class_names(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError("is not a list")
    if fault := names_fault(value):
        raise ValueError(fault)
    return tuple(value)


def _size(value: Any) -> tuple[int, int]:
    height, width = (_whole(side, 1, MAX_SIDE) for side in _list(value, 2, 2))
    return height, width


def _heads(value: Any) -> tuple[Head, ...]:
    return tuple(_head(each) for each in _list(value, 0, MAX_HEADS))


def _head(value: Any) -> Head:
    known, optional = {"kind", "anchors", "stride", "class_count"}, {"scale_x_y", "bins", "key_points"}
    if not isinstance(value, dict) or not known <= set(value) <= known | optional:
        raise ValueError(f"holds a head without the fields {', '.join(sorted(known | optional))}")
    kind = _one_of(*get_args(HeadKind))(value["kind"])
    anchors, bins = (0, 1) if kind == "gfl" else (1, 0)  # a kind has either anchors or bins
    pairs = [_list(pair, 2, 2) for pair in _list(value["anchors"], anchors, anchors * MAX_ANCHORS)]
    return Head(
        kind,  # type: ignore[arg-type]
        tuple((_number(w, 1e-6, 1e6), _number(h, 1e-6, 1e6)) for w, h in pairs),
        _whole(value["stride"], 1, MAX_STRIDE),
        _whole(value["class_count"], 1, 1 << 30),
        _number(value.get("scale_x_y", 1.0), 1e-3, 100),
        _whole(value.get("bins", 0), bins, bins * MAX_BINS),
        _whole(value.get("key_points", 0), 0, MAX_POINTS if kind == "yolo" else 0),
    )


def _keypoints(value: Any) -> KeyPoints | None:
    if value is None:
        return None
    if not isinstance(value, dict) or set(value) != {"names", "skeleton", "flip_idx", "sigmas"}:
        raise ValueError("must hold names, skeleton, flip_idx and sigmas")
    names = _class_names(_list(value["names"], 1, MAX_POINTS))
    last = len(names) - 1
    pairs = [_list(pair, 2, 2) for pair in _list(value["skeleton"], 0, MAX_LINES)]
    flip = tuple(_whole(point, 0, last) for point in _list(value["flip_idx"], 0, len(names)))
    if flip and sorted(flip) != list(range(len(names))):
        raise ValueError("has a flip_idx that does not hold each point once")
    sigmas = _list(value["sigmas"], len(names), len(names))
    return KeyPoints(
        names,
        tuple((_whole(a, 0, last), _whole(b, 0, last)) for a, b in pairs),
        flip,
        tuple(_number(sigma, 1e-6, 1e3) for sigma in sigmas),
    )


def _source(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or len(value) > MAX_LINES:
        raise ValueError(f"is not a mapping of at most {MAX_LINES:,} texts")
    return {_text(key): _text(text) for key, text in value.items()}


def _calibration(value: Any) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
    if value is None:
        return None
    rows = [_list(row, 2, MAX_KNOTS) for row in _list(value, 2, 2)]
    given, true = (tuple(_number(knot, -math.inf, math.inf) for knot in row) for row in rows)
    rise = all(low < high for row in (given, true) for low, high in pairwise(row))
    if len(given) != len(true) or not rise or min(true) < 0 or max(true) > 1:
        raise ValueError("must be two lists of equal length that increase from 0 to 1")
    return given, true


def _false_accepts(value: Any) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
    if value is None:
        return None
    rows = [_list(row, 1, MAX_KNOTS) for row in _list(value, 2, 2)]
    scores, rates = (tuple(_number(each, -1, 1) for each in row) for row in rows)
    rise = all(low < high for low, high in pairwise(scores))
    fall = all(high >= low for high, low in pairwise(rates))
    if len(scores) != len(rates) or not rise or not fall or min(rates) < 0:
        raise ValueError("must be rising scores, and as many rates that do not rise")
    return scores, rates


CHECKS: Mapping[str, Callable[[Any], Any]] = {
    "name": _name,
    "class_names": _class_names,
    "heads": _heads,
    "input_size": _size,
    "resize": _one_of(*get_args(Resize)),
    "suppression": _one_of(*get_args(SuppressionKind)),
    "beta": lambda value: _number(value, 0, 1_000),
    "licence": _text,
    "origin": _text,
    "training_data": _text,
    "source": _source,
    "figures": _lines,
    "limits": _lines,
    "calibration": _calibration,
    "detector": lambda value: _text(value, 100),
    "backbone": lambda value: _text(value, 1_000),
    "metric": _one_of("", "cosine", "logistic"),
    "false_accepts": _false_accepts,
    "keypoints": _keypoints,
}
"""The check of each field of a `ModelCard`: its value as the card holds it, or ValueError."""
