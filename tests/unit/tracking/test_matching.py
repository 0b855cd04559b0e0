"""The best assignment among near pairs: against all possible ones, and all pairs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tests.oracles_tracking import best_assignment
from tests.strategies import boxes
from yolo_cli.boxes import box_iou
from yolo_cli.tracking.matching import assigned, near_pairs

SIMILARITIES = arrays.arrays(
    float, st.tuples(st.integers(1, 4), st.integers(1, 4)), elements=st.integers(0, 16).map(lambda n: n / 16)
)


@given(SIMILARITIES, st.sampled_from([0.125, 0.5]))
@settings(deadline=None)
def test_assignment_is_the_best(similarity, threshold) -> None:
    rows, columns = np.divmod(np.arange(similarity.size), similarity.shape[1])
    taken, by = assigned(rows, columns, similarity.ravel(), threshold)
    assert len(set(taken)) == len(taken)
    assert len(set(by)) == len(by)
    assert (similarity[taken, by] >= threshold).all()
    gain = (similarity[taken, by] - threshold).sum()
    assert gain == pytest.approx(best_assignment(similarity, threshold))


def test_nothing_near_is_nothing_assigned() -> None:
    none = np.zeros(0, int)
    taken, by = assigned(none, none, np.zeros(0), 0.5)
    assert (len(taken), len(by)) == (0, 0)


@given(boxes(), boxes())
def test_near_pairs_are_all(a, b) -> None:
    rows, columns, iou = near_pairs(a, b, 0.1)
    all_iou = box_iou(a.astype(float), b.astype(float))
    found = {(row, column): value for row, column, value in zip(rows, columns, iou, strict=True)}
    expected = {pair: all_iou[pair] for pair in zip(*np.nonzero(all_iou >= 0.1), strict=True)}
    assert found == pytest.approx(expected)
