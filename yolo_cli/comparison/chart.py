"""A chart of accuracy against time, with labels that do not overlap."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from markupsafe import Markup

from yolo_cli.comparison.measure import ComparisonRow
from yolo_cli.report.svg import Frame

__all__ = ["accuracy_chart", "place_names"]

Point = tuple[float, float]
Rectangle = tuple[float, float, float, float]  # left, top, right, bottom

_LETTER, _LINE = 7.6, 16.0  # width and height of text in a narrow window, where it is largest
_DOT = 7.0  # radius with a margin
_RINGS = 12  # maximum distance of a label from its dot, in lines


def accuracy_chart(rows: Sequence[ComparisonRow]) -> Markup | None:
    """mAP50 over milliseconds per image, logarithmic; None if no row has an accuracy."""
    rows = [row for row in rows if row.map50 is not None]
    if not rows:
        return None
    times = [max(row.total_ms, 0.1) for row in rows]
    values = _time_ticks(min(times), max(times))
    span = math.log10(values[0]), math.log10(values[-1])
    frame = Frame(span, right=26)
    frame = replace(frame, x_ticks=_labelled(frame, values))
    dots = [
        (frame.across(math.log10(at)), frame.down(row.map50 or 0))
        for at, row in zip(times, rows, strict=True)
    ]
    area = (frame.left, frame.top, frame.width - frame.right, frame.height - frame.bottom)
    places = place_names(dots, [row.name for row in rows], area)
    parts = [_named(row.name, *pair) for row, pair in zip(rows, zip(dots, places, strict=True), strict=True)]
    axes = ("milliseconds per image", "mAP50")
    return frame.drawing("mAP50 over milliseconds per image", axes, *parts)


def _time_ticks(low: float, high: float) -> list[float]:
    """1, 2 and 5 times powers of ten, from slightly below ``low`` to slightly above ``high``."""
    powers = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 2)
    values = [round(step * 10.0**power, 6) for power in powers for step in (1, 2, 5)]
    first = max(value for value in values if value <= low * 0.9)
    last = min(value for value in values if value >= high * 1.1)
    return [value for value in values if first <= value <= last]


def _labelled(frame: Frame, values: Sequence[float]) -> tuple[tuple[float, str], ...]:
    """Ticks with their labels; a label that would touch the previous one is dropped."""
    ticks: list[tuple[float, str]] = []
    end = -math.inf
    for value in values:
        at, label = math.log10(value), f"{value:,g}"
        half = len(label) * _LETTER / 2
        if frame.across(at) - half > end:
            ticks.append((at, label))
            end = frame.across(at) + half
    return tuple(ticks)


def place_names(dots: Sequence[Point], names: Sequence[str], area: Rectangle) -> list[Rectangle]:
    """The nearest place for each dot's label inside ``area`` that covers no dot and no other label."""
    taken: list[Rectangle] = [(x - _DOT, y - _DOT, x + _DOT, y + _DOT) for x, y in dots]
    places = []
    for dot, name in zip(dots, names, strict=True):
        choices = list(_around(dot, len(name) * _LETTER))
        free = [it for it in choices if _is_inside(it, area) and not any(_meet(it, old) for old in taken)]
        places.append(free[0] if free else choices[0])
        taken.append(places[-1])
    return places


def _around(dot: Point, width: float) -> Iterator[Rectangle]:
    """Candidate places of a label: right, left, above and below the dot, then farther away line by line."""
    (x, y), gap = dot, _DOT + 3
    for ring in range(_RINGS):
        for shift in (-ring * _LINE, ring * _LINE) if ring else (0.0,):
            top = y - _LINE / 2 + shift
            yield x + gap, top, x + gap + width, top + _LINE
            yield x - gap - width, top, x - gap, top + _LINE
        for top in (y - gap - _LINE * (ring + 1), y + gap + _LINE * ring):
            yield x - width / 2, top, x + width / 2, top + _LINE


def _is_inside(place: Rectangle, area: Rectangle) -> bool:
    return place[0] >= area[0] and place[1] >= area[1] and place[2] <= area[2] and place[3] <= area[3]


def _meet(one: Rectangle, other: Rectangle) -> bool:
    """Whether two rectangles overlap."""
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _named(name: str, dot: Point, place: Rectangle) -> Markup:
    """A dot and its label, with a leader line if the label is not beside the dot."""
    middle = (place[0] + place[2]) / 2, (place[1] + place[3]) / 2
    far = abs(middle[1] - dot[1]) > _LINE + _DOT + 3
    end = min(max(dot[0], place[0]), place[2]), min(max(dot[1], place[1]), place[3])
    line = Markup('<line class="leader" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>').format(*dot, *end)
    return Markup(
        '{}<circle class="point" r="5" cx="{:.1f}" cy="{:.1f}"/>'
        '<text class="name" x="{:.1f}" y="{:.1f}" text-anchor="middle">{}</text>'
    ).format(line if far else "", *dot, middle[0], middle[1] + 4, name)
