"""How well confidence agrees with precision."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.evaluation_sets import Mixture, random_set
from yolo_cli.evaluation import Scored, evaluate, match, reliability, scored


def _overconfident(seed: int, count: int) -> Scored:
    """Detections that are right with the square of their confidence."""
    random = np.random.default_rng(seed)
    confidence = random.random(count)
    return Scored(confidence, random.random(count) < confidence**2)


def test_the_error_is_the_mean_gap_weighed_by_detections() -> None:
    # Upper bin: 0.9, 0.7, 0.8: mean 0.8, 2 of 3 right: gap 2/15. Lower: 0.25, 0 of 1: gap 0.25.
    seen = Scored(np.array([0.9, 0.25, 0.7, 0.8]), np.array([True, False, True, False]))
    diagram = reliability(seen, bins=2)
    assert diagram.count.tolist() == [1, 3]
    assert diagram.confidence.tolist() == pytest.approx([0.25, 0.8])
    assert diagram.precision.tolist() == pytest.approx([0, 2 / 3])
    assert diagram.expected_calibration_error == pytest.approx((3 * 2 / 15 + 1 * 0.25) / 4)


def test_a_confidence_on_an_edge_belongs_above_and_one_to_the_last_bin() -> None:
    seen = Scored(np.array([0.0, 0.5, 1.0]), np.array([False, True, True]))
    assert reliability(seen, bins=2).count.tolist() == [1, 2]


def test_empty_bins_are_left_out_of_the_plain_data() -> None:
    plain = reliability(Scored(np.array([0.9]), np.array([True])), bins=10).to_json()
    assert json.loads(json.dumps(plain, allow_nan=False)) == {
        "d_ece": pytest.approx(0.1),
        "bins": [{"from": 0.9, "to": 1.0, "count": 1, "confidence": 0.9, "precision": 1.0}],
    }


def test_without_detections_there_is_no_error() -> None:
    assert reliability(Scored(np.zeros(0), np.zeros(0, bool))).expected_calibration_error is None


@given(st.integers(0, 2**32 - 1), st.integers(1, 200), st.integers(1, 30))
def test_the_error_by_its_definition(seed: int, count: int, bins: int) -> None:
    seen = _overconfident(seed, count)
    expected = 0.0
    for low in range(bins):
        inside = [i for i, c in enumerate(seen.confidence) if low <= c * bins < low + 1]
        if inside:
            precision = sum(seen.correct[i] for i in inside) / len(inside)
            confidence = sum(seen.confidence[i] for i in inside) / len(inside)
            expected += len(inside) / count * abs(precision - confidence)
    assert reliability(seen, bins).expected_calibration_error == pytest.approx(expected)


def test_scored_detections_leave_out_what_is_ignored() -> None:
    gathered = random_set(Mixture(found=60, difficult=0.5, crowd=0.3))
    report = evaluate(gathered)
    seen = scored(match(gathered))
    assert len(seen.correct) == sum(figures.found for figures in report.per_class)
    assert seen.correct.mean() == pytest.approx(report.curve.precision[-1])
