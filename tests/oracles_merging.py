"""The slow, clear version of merging boxes across tiles."""

from __future__ import annotations

from typing import Any

from tests.oracles import slow_area, slow_iou


def slow_merge(pieces: Any, iou: float, max_det: int) -> list[tuple[list[float], float, int]]:
    """`merge` of the boxes on tiles, one box at a time: rows of box, confidence and class."""
    rows = [
        (box, confidence, class_id, cut)
        for box, confidence, class_id, cut in zip(
            pieces.xyxy.tolist(), pieces.confidence.tolist(), pieces.class_id.tolist(), pieces.cut.tolist(),
            strict=True,
        )
    ]  # fmt: skip
    rows.sort(key=lambda row: (-row[1], row[0], row[2], row[3][::-1]))
    rows += _joined_rows([row for row in rows if any(row[3])])
    rows.sort(key=lambda row: -row[1])
    kept: list[Any] = []
    for row in [row for row in rows if not any(row[3])]:
        if not any(row[2] == other[2] and slow_iou(row[0], other[0]) > iou for other in kept):
            kept.append(row)
    kept = kept[:max_det]
    for row in [row for row in rows if any(row[3])]:
        same = [other for other in kept if row[2] == other[2]]
        if not any(_over_smaller(row[0], o[0]) > 0.5 or slow_iou(row[0], o[0]) > iou for o in same):
            kept.append(row)
    order = sorted(range(len(kept)), key=lambda i: (-kept[i][1], rows.index(kept[i])))
    return [(kept[i][0], round(kept[i][1], 4), kept[i][2]) for i in order[:max_det]]


def _joined_rows(cut: list[Any]) -> list[Any]:
    """The boxes around groups of cut rows that continue each other to the right or below."""
    group = list(range(len(cut)))
    for _ in cut:
        for i, one in enumerate(cut):
            for j, other in enumerate(cut):
                if one[2] == other[2] and (_goes_on(one, other, 0) or _goes_on(one, other, 1)):
                    group[i] = group[j] = min(group[i], group[j])
    joined = []
    for first in sorted(set(group)):
        rows = [row for row, member in zip(cut, group, strict=True) if member == first]
        if len(rows) > 1:
            outer = [min(rows, key=lambda row: row[0][0]), min(rows, key=lambda row: row[0][1])]
            outer += [max(rows, key=lambda row: row[0][2]), max(rows, key=lambda row: row[0][3])]
            box = [row[0][side] for side, row in enumerate(outer)]
            cuts = [row[3][side] for side, row in enumerate(outer)]
            joined.append((box, min(row[1] for row in rows), rows[0][2], cuts))
    return joined


def _goes_on(one: Any, other: Any, axis: int) -> bool:
    """Whether a cut box is continued by another along an axis (0 is x, 1 is y)."""
    a, b, across = one[0], other[0], 1 - axis
    if not (one[3][axis + 2] and other[3][axis]):
        return False
    if not a[axis] < b[axis] < a[axis + 2] < b[axis + 2]:
        return False
    common = min(a[across + 2], b[across + 2]) - max(a[across], b[across])
    return bool(common >= 0.5 * (max(a[across + 2], b[across + 2]) - min(a[across], b[across])))


def _over_smaller(a: list[float], b: list[float]) -> float:
    shared = slow_area([max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])])
    return shared / min(slow_area(a), slow_area(b))
