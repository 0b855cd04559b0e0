"""Precision, recall and F1 by confidence."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yolo_cli.evaluation.curves import OperatingPoint, precision_recall_curve

# Right at 0.9, wrong at 0.8, right at 0.7, wrong at 0.6; 3 ground-truth boxes.
CURVE = precision_recall_curve(np.array([0.7, 0.9, 0.6, 0.8]), np.array([True, True, False, False]), 3)


def test_points_run_from_the_most_confident_down() -> None:
    assert CURVE.confidence.tolist() == [0.9, 0.8, 0.7, 0.6]
    assert CURVE.precision.tolist() == pytest.approx([1, 1 / 2, 2 / 3, 2 / 4])
    assert CURVE.recall.tolist() == pytest.approx([1 / 3, 1 / 3, 2 / 3, 2 / 3])
    # F1 = 2PR / (P + R): 2·1·⅓ / (4/3) = 1/2, 2·½·⅓ / (5/6) = 2/5, 2/3, 2·½·⅔ / (7/6) = 4/7
    assert CURVE.f1.tolist() == pytest.approx([1 / 2, 2 / 5, 2 / 3, 4 / 7])


def test_the_best_confidence_is_where_f1_is_greatest() -> None:
    assert CURVE.best == OperatingPoint(0.7, 2 / 3, 2 / 3)
    assert CURVE.best.f1 == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("confidence", "precision", "recall"),
    [(0.9, 1, 1 / 3), (0.75, 1 / 2, 1 / 3), (0.7, 2 / 3, 2 / 3), (0.0, 1 / 2, 2 / 3)],
)
def test_any_confidence_has_its_point(confidence: float, precision: float, recall: float) -> None:
    assert CURVE.at(confidence) == OperatingPoint(confidence, pytest.approx(precision), pytest.approx(recall))


def test_a_precision_is_reached_at_the_lowest_confidence_that_has_it() -> None:
    assert CURVE.reaching(0.6) == OperatingPoint(0.7, 2 / 3, 2 / 3)
    assert CURVE.reaching(0.7) == OperatingPoint(0.9, 1.0, 1 / 3)
    assert precision_recall_curve(np.array([0.9]), np.array([False]), 1).reaching(0.1) is None


def test_above_all_detections_nothing_is_left_and_there_is_no_precision() -> None:
    assert CURVE.at(1.0) == OperatingPoint(1.0, None, 0.0)


def test_the_best_threshold_is_rounded_down_so_that_it_keeps_what_it_counts() -> None:
    # Rounded to the nearest, 0.6998 would be 0.70 or 0.700, and drop the detection that makes recall 1.
    curve = precision_recall_curve(np.array([0.9, 0.6998]), np.array([True, True]), 2)
    assert curve.best == OperatingPoint(0.69, 1.0, 1.0)
    assert curve.reaching(1.0) == OperatingPoint(0.699, 1.0, 1.0)


def test_the_best_threshold_counts_all_that_it_keeps() -> None:
    # Right at 0.5008, wrong at 0.5003: no two or three decimals part them, so 0.50 keeps both, 1 of 2 right.
    curve = precision_recall_curve(np.array([0.5008, 0.5003]), np.array([True, False]), 1)
    assert curve.best == OperatingPoint(0.5, 0.5, 1.0)
    assert curve.reaching(0.75) is None


@given(st.integers(0, 2**32 - 1), st.integers(1, 300), st.sampled_from([1000, 999, 10**6]))
def test_a_rounded_threshold_keeps_its_figures_however_it_is_written(
    seed: int, count: int, levels: int
) -> None:
    random = np.random.default_rng(seed)
    confidence = random.integers(0, levels + 1, count) / levels
    curve = precision_recall_curve(confidence, random.random(count) < 0.5, count)
    assert curve.at(float(f"{curve.best.confidence:.2f}")) == curve.best
    if point := curve.reaching(0.5):
        assert curve.at(float(f"{point.confidence:.3f}")) == point
    assert curve.rounded(1000).rounded(1000).confidence.tolist() == curve.rounded(1000).confidence.tolist()
    assert curve.best.f1 == max(curve.at(step / 100).f1 for step in range(101))


def test_nothing_found_has_no_best() -> None:
    empty = precision_recall_curve(np.zeros(0), np.zeros(0, bool), 3)
    assert empty.best is None
    assert empty.reaching(0.5) is None
    assert empty.at(0.5) == OperatingPoint(0.5, None, 0.0)
    assert empty.at(0.5).f1 == 0
    assert empty.thinned() is empty


def test_without_ground_truth_recall_is_zero() -> None:
    curve = precision_recall_curve(np.array([0.5]), np.array([False]), 0)
    assert (curve.recall.tolist(), curve.f1.tolist()) == ([0], [0])


@given(st.integers(0, 2**32 - 1), st.integers(1, 300), st.integers(10, 60))
def test_thinning_keeps_real_points_the_best_and_the_ends(seed: int, count: int, points: int) -> None:
    random = np.random.default_rng(seed)
    curve = precision_recall_curve(random.random(count), random.random(count) < 0.5, count)
    thin = curve.thinned(points)
    assert len(thin.confidence) <= points or len(curve.confidence) <= points
    best = (curve.best.precision, curve.best.recall)
    assert best in zip(thin.precision, thin.recall, strict=True)
    ends = curve if len(curve.confidence) <= points else curve.rounded(1000)
    assert (thin.confidence[0], thin.confidence[-1]) == (ends.confidence[0], ends.confidence[-1])
    assert all(curve.at(c).recall == r for c, r in zip(thin.confidence, thin.recall, strict=True))


def test_of_equal_f1_the_higher_threshold_is_the_best() -> None:
    # Four ground-truth boxes. At 0.9 one of one is right: P 1, R 1/4, so F1 is 0.4. At 0.5 two of six are:
    # P 1/3, R 1/2, F1 0.4.
    confidence = np.array([0.9, 0.8, 0.8, 0.8, 0.8, 0.5])
    curve = precision_recall_curve(confidence, np.array([True, False, False, False, False, True]), 4)
    assert curve.f1[[0, -1]] == pytest.approx([0.4, 0.4], abs=1e-15)
    assert curve.best is not None
    assert curve.best.confidence == 0.9
