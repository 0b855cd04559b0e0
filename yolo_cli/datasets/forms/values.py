"""Values of parsed JSON and XML, which may be of any type, and the geometry of annotated shapes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from yolo_cli.text import number

__all__ = [
    "Corners",
    "as_list",
    "as_map",
    "as_text",
    "bounds",
    "circle",
    "ellipse",
    "flat",
    "is_true",
    "numbers",
    "pair",
    "size_of",
    "xywh",
]

Corners = tuple[float, float, float, float]
Points = Sequence[tuple[float, float]]
_LARGEST = 1e9  # pixels; no image is wider


def as_map(value: Any) -> Mapping[str, Any]:
    """The value if it is a mapping, else an empty one."""
    return value if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    """The value if it is a list, the values of a mapping (as in VIA 1), else an empty list."""
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def as_text(value: Any) -> str:
    """A text or a number as text without outer blanks; "" for anything else."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return ""
    return str(value).strip()


def is_true(value: Any) -> bool:
    """Whether a value says yes: true, 1 or a text of these.

    >>> [is_true(value) for value in (True, "true", 1, "False", None, [1])]
    [True, True, True, False, False, False]
    """
    return as_text(value if value is not True else 1).lower() in ("true", "1", "1.0")


def numbers(values: Iterable[Any]) -> tuple[float, ...] | None:
    """Every value as a float, or None if one is not a number."""
    found = [number(value) for value in values]
    return None if None in found else tuple(value for value in found if value is not None)


def pair(value: Any) -> tuple[float, float] | None:
    """``[x, y]`` or ``{"x": x, "y": y}`` as numbers, or None."""
    values = (value.get("x"), value.get("y")) if isinstance(value, dict) else value
    found = numbers(values) if isinstance(values, (list, tuple)) else None
    return (found[0], found[1]) if found and len(found) == 2 else None


def bounds(points: Points) -> Corners | None:
    """The box around points; None for fewer than two. NaN in a point makes NaN of the box.

    >>> bounds([(3, 1), (0, 5), (2, 2)])
    (0, 1, 3, 5)
    """
    if len(points) < 2:
        return None
    xs, ys = zip(*points, strict=True)
    if any(map(math.isnan, (*xs, *ys))):  # min and max could pass over it
        return (math.nan,) * 4
    return min(xs), min(ys), max(xs), max(ys)


def circle(centre: tuple[float, float], edge: tuple[float, float]) -> Corners:
    """The box around a circle, given its centre and a point on it.

    >>> circle((10, 20), (13, 24))
    (5.0, 15.0, 15.0, 25.0)
    """
    radius = math.hypot(edge[0] - centre[0], edge[1] - centre[1])
    return ellipse(centre, radius, radius)


def ellipse(centre: tuple[float, float], rx: float, ry: float, angle: float = 0.0) -> Corners:
    """The box around an ellipse whose first radius is turned by ``angle`` radians.

    >>> ellipse((10, 20), 2, 3)
    (8.0, 17.0, 12.0, 23.0)
    """
    if angle and math.isfinite(angle):
        cos, sin = math.cos(angle), math.sin(angle)
        rx, ry = math.hypot(rx * cos, ry * sin), math.hypot(rx * sin, ry * cos)
    x, y = centre
    return float(x - rx), float(y - ry), float(x + rx), float(y + ry)


def xywh(values: Iterable[Any]) -> Corners | None:
    """Left, top, width and height → the box's edges, or None if they are not four numbers."""
    found = numbers(values)
    if found is None or len(found) != 4:
        return None
    x, y, w, h = found
    return x, y, x + w, y + h


def flat(points: Points) -> tuple[float, ...]:
    """Points as one ring ``x1, y1, x2, y2, …``."""
    return tuple(value for point in points for value in point)


def size_of(height: Any, width: Any) -> tuple[int, int] | None:
    """Height and width of an image as its label states them, or None."""
    found = numbers((height, width))
    if found is None or not all(abs(value) < _LARGEST for value in found):
        return None
    return int(found[0]), int(found[1])
