"""Confidence that means something: diagrams, maps and thresholds."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.evaluation_sets import Mixture, image_set, random_set, with_found
from yolo_cli.detections import Detections
from yolo_cli.errors import DataError, UsageError
from yolo_cli.evaluation import (
    CalibrationMap,
    Outcomes,
    evaluate,
    fit_calibration,
    outcomes,
    reliability,
    thresholds_for_precision,
)
from yolo_cli.evaluation.calibration import _grouped, _pooled

BOX = (0.0, 0.0, 10.0, 10.0)


def _overconfident(seed: int, count: int) -> Outcomes:
    """Detections that are right with the square of their confidence."""
    random = np.random.default_rng(seed)
    confidence = random.random(count)
    return Outcomes(confidence, random.random(count) < confidence**2)


def test_the_error_is_the_mean_gap_weighed_by_detections() -> None:
    # Upper bin: 0.9, 0.7, 0.8: mean 0.8, 2 of 3 right: gap 2/15. Lower: 0.25, 0 of 1: gap 0.25.
    seen = Outcomes(np.array([0.9, 0.25, 0.7, 0.8]), np.array([True, False, True, False]))
    diagram = reliability(seen, bins=2)
    assert diagram.count.tolist() == [1, 3]
    assert diagram.confidence.tolist() == pytest.approx([0.25, 0.8])
    assert diagram.precision.tolist() == pytest.approx([0, 2 / 3])
    assert diagram.error == pytest.approx((3 * 2 / 15 + 1 * 0.25) / 4)


def test_a_confidence_on_an_edge_belongs_above_and_one_to_the_last_bin() -> None:
    seen = Outcomes(np.array([0.0, 0.5, 1.0]), np.array([False, True, True]))
    assert reliability(seen, bins=2).count.tolist() == [1, 2]


def test_empty_bins_are_left_out_of_the_plain_data() -> None:
    plain = reliability(Outcomes(np.array([0.9]), np.array([True])), bins=10).to_json()
    assert json.loads(json.dumps(plain, allow_nan=False)) == {
        "d_ece": pytest.approx(0.1),
        "bins": [{"from": 0.9, "to": 1.0, "count": 1, "confidence": 0.9, "precision": 1.0}],
    }


def test_without_detections_there_is_no_error() -> None:
    assert reliability(Outcomes(np.zeros(0), np.zeros(0, bool))).error is None


@given(st.integers(0, 2**32 - 1), st.integers(1, 200), st.integers(1, 30))
def test_the_error_by_its_definition(seed: int, count: int, bins: int) -> None:
    seen = _overconfident(seed, count)
    expected = 0.0
    for low in range(bins):
        inside = [i for i, c in enumerate(seen.confidence) if low <= c * bins < low + 1]
        if inside:
            precision = sum(seen.right[i] for i in inside) / len(inside)
            confidence = sum(seen.confidence[i] for i in inside) / len(inside)
            expected += len(inside) / count * abs(precision - confidence)
    assert reliability(seen, bins).error == pytest.approx(expected)


def test_outcomes_leave_out_what_is_ignored() -> None:
    gathered = random_set(Mixture(found=60, difficult=0.5, crowd=0.3))
    report = evaluate(gathered)
    seen = outcomes(gathered)
    assert len(seen.right) == sum(figures.found for figures in report.per_class)
    assert seen.right.mean() == pytest.approx(report.curve.precision[-1])


def test_a_map_by_hand() -> None:
    # 20 wrong at 0.2, 10 of 20 right at 0.4, 5 of 20 at 0.6, 20 of 20 at 0.8. The middle two are pooled:
    # 15 of 40 at 0.5. Then 1 % of the identity goes in.
    confidence = np.repeat([0.2, 0.4, 0.6, 0.8], 20)
    right = np.concatenate([np.arange(20) < n for n in (0, 10, 5, 20)])
    fitted = fit_calibration(Outcomes(confidence, right))
    assert fitted.given == pytest.approx((0, 0.2, 0.5, 0.8, 1))
    assert fitted.true == pytest.approx((0, 0.002, 0.99 * 0.375 + 0.005, 0.998, 1))
    # Halfway between two knots, halfway between their values.
    assert fitted.apply(np.array([0.35])) == pytest.approx((fitted.true[1] + fitted.true[2]) / 2)


@given(st.integers(0, 2**32 - 1), st.integers(20, 500), st.sampled_from([1, 2, 5, 1000]))
def test_a_map_rises_strictly_and_stays_in_range(seed: int, count: int, levels: int) -> None:
    random = np.random.default_rng(seed)
    seen = Outcomes(random.integers(0, levels + 1, count) / levels, random.random(count) < random.random())
    fitted = fit_calibration(seen)
    spread = fitted.apply(np.linspace(0, 1, 1001))
    assert (np.diff(spread) > 0).all()
    assert spread.min() >= 0
    assert spread.max() <= 1


@given(st.integers(0, 2**32 - 1), st.integers(20, 300))
def test_pools_are_the_best_rising_fit(seed: int, count: int) -> None:
    """Isotonic regression by its formula: at i, max over a ≤ i of min over b ≥ i of the mean of a to b."""
    given_, true, weight = _grouped(_overconfident(seed, count))
    pools, level = _pooled(given_, true, weight)
    for i in range(len(true)):
        best = max(
            min(np.average(true[a : b + 1], weights=weight[a : b + 1]) for b in range(i, len(true)))
            for a in range(i + 1)
        )
        assert np.abs(level - best).min() < 1e-9
    assert (np.diff(pools) > 0).all()
    assert (np.diff(level) > 0).all()


def test_a_map_halves_the_error_on_detections_it_has_not_seen() -> None:
    fitted = fit_calibration(_overconfident(1, 5000))
    unseen = _overconfident(2, 5000)
    after = Outcomes(fitted.apply(unseen.confidence), unseen.right)
    assert reliability(unseen).error == pytest.approx(1 / 6, abs=0.02)  # ∫ c - c² dc
    assert reliability(after).error < 0.03


def test_a_map_leaves_average_precision_as_it_was() -> None:
    gathered = random_set(Mixture(found=300, ground_truths=40, levels=1000))
    fitted = fit_calibration(outcomes(gathered))
    found = [gathered.on(place)[0] for place in range(len(gathered.images))]
    mapped = with_found(gathered, [Detections(f.xyxy, fitted.apply(f.confidence), f.class_id) for f in found])
    assert evaluate(mapped).coco == evaluate(gathered).coco


def test_json_goes_there_and_back() -> None:
    fitted = fit_calibration(_overconfident(3, 200))
    assert CalibrationMap.from_json(json.loads(json.dumps(fitted.to_json()))) == fitted


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"given": [0, 1]},
        {"given": [0, 1], "true": "ab"},
        {"given": [0, 1], "true": 1},
        {"given": [0, 1], "true": [0, None]},
        {"given": [0], "true": [0]},
        {"given": [0, 1], "true": [0, 0.5, 1]},
        {"given": [0, 0.5], "true": [0, 1]},
        {"given": [0.1, 1], "true": [0, 1]},
        {"given": [0, 0.5, 0.5, 1], "true": [0, 0.1, 0.2, 1]},
        {"given": [0, 0.5, 1], "true": [0, 0, 1]},
        {"given": [0, 1], "true": [0, 1.5]},
        {"given": [0, 1], "true": [-0.5, 1]},
        {"given": [0, float("nan"), 1], "true": [0, 0.5, 1]},
    ],
)
def test_what_is_no_map_is_refused(data: dict) -> None:
    with pytest.raises(DataError, match="calibration map"):
        CalibrationMap.from_json(data)


def test_too_few_detections_are_refused() -> None:
    with pytest.raises(DataError, match="19 detections are too few to calibrate on; take at least 20"):
        fit_calibration(_overconfident(0, 19))


def test_thresholds_for_a_precision_class_by_class() -> None:
    # Class 0: right at 0.9, wrong at 0.8, right at 0.7: precision 1, 1/2, 2/3. Class 1: only wrong.
    far = (50.0, 50.0, 60.0, 60.0)
    found = [(BOX, 0.9, 0), ((80.0, 0.0, 90.0, 10.0), 0.8, 0), (far, 0.7, 0), (BOX, 0.6, 1)]
    report = evaluate(image_set((found, [(BOX, 0), (far, 0), (far, 1)])))
    chosen = thresholds_for_precision(report.per_class, 0.6)
    assert chosen["class 0"].confidence == 0.7
    assert (chosen["class 1"], chosen["class 2"]) == (None, None)
    assert thresholds_for_precision(report.per_class, 0.95)["class 0"].confidence == 0.9


@pytest.mark.parametrize("precision", [0, -1, 1.1, float("nan")])
def test_a_precision_out_of_range_is_a_usage_error(precision: float) -> None:
    with pytest.raises(UsageError, match="--target-precision"):
        thresholds_for_precision([], precision)
