"""Laws of neighbours: no pair that overlaps by the fraction is left out, and none comes twice."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import boxes, class_ids
from yolo_cli.boxes import box_iou
from yolo_cli.neighbours import Neighbours, near_pairs

THRESHOLDS = st.sampled_from([0.0, 0.25, 0.45, 0.5, 1 / 3, 0.7, 1.0])
CROWDS = boxes(max_count=12, width=8, height=8)


@given(CROWDS, CROWDS, THRESHOLDS, st.sampled_from([1.0, 1e-9, 1 / 3, 1e28]))
def test_no_pair_of_two_sets_is_left_out(a, b, threshold, unit):
    a, b = a.astype(np.float64) * unit, b.astype(np.float64) * unit
    pairs = list(zip(*(rows.tolist() for rows in near_pairs(a, b, threshold)), strict=True))
    assert len(pairs) == len(set(pairs))
    assert set(pairs) >= set(map(tuple, np.argwhere(box_iou(a, b) > threshold).tolist()))


@given(CROWDS, THRESHOLDS, st.sampled_from([1.0, 1e-9, 1 / 3, 1e28]), st.data())
def test_no_pair_of_one_set_is_left_out(xyxy, threshold, unit, data):
    classes = data.draw(class_ids(len(xyxy)))
    scaled = xyxy.astype(np.float64) * unit
    near = Neighbours.of(scaled, classes, threshold)
    pairs = [tuple(pair) for rows in near.pairs() for pair in rows.T.tolist()]
    assert len(pairs) == len(set(pairs)) <= near.total
    assert all(first < second for first, second in pairs)
    hit = (box_iou(scaled, scaled) > threshold) & (classes[:, None] == classes)
    assert set(pairs) >= {(i, j) for i, j in np.argwhere(hit).tolist() if i < j}


def test_a_box_apart_is_not_near():
    # Sides of 10: an IoU above 0.5 needs more than 5 of each, and these share 4 of x.
    one, other = np.array([[0.0, 0, 10, 10]]), np.array([[6.0, 0, 16, 10]])
    assert [len(rows) for rows in near_pairs(one, other, 0.5)] == [0, 0]
    assert [len(rows) for rows in near_pairs(one, other, 0.3)] == [1, 1]
    assert Neighbours.of(np.concatenate([one, other]), np.array([0, 0]), 0.5).total == 0
