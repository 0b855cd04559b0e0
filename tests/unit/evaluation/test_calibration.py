"""Confidence that means something: diagrams, maps and thresholds."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.evaluation_sets import Mixture, image_set, on_image, random_set, with_found
from yolo_cli.detections import Detections
from yolo_cli.errors import DataError
from yolo_cli.evaluation import (
    CalibrationMap,
    Scored,
    calibrate,
    evaluate,
    fit_calibration,
    match,
    random_halves,
    reliability,
    scored,
)
from yolo_cli.evaluation.calibration import _grouped, _pooled

BOX = (0.0, 0.0, 10.0, 10.0)


def _overconfident(seed: int, count: int) -> Scored:
    """Detections that are right with the square of their confidence."""
    random = np.random.default_rng(seed)
    confidence = random.random(count)
    return Scored(confidence, random.random(count) < confidence**2)


def test_a_map_by_hand() -> None:
    # 20 wrong at 0.2, 10 of 20 right at 0.4, 5 of 20 at 0.6, 20 of 20 at 0.8. The middle two are pooled:
    # 15 of 40 at 0.5. Then 1 % of the identity goes in.
    confidence = np.repeat([0.2, 0.4, 0.6, 0.8], 20)
    right = np.concatenate([np.arange(20) < n for n in (0, 10, 5, 20)])
    fitted = fit_calibration(Scored(confidence, right))
    assert fitted.given == pytest.approx((0, 0.2, 0.5, 0.8, 1))
    assert fitted.true == pytest.approx((0, 0.002, 0.99 * 0.375 + 0.005, 0.998, 1))
    # Halfway between two knots, halfway between their values.
    assert fitted.apply(np.array([0.35])) == pytest.approx((fitted.true[1] + fitted.true[2]) / 2)


@given(st.integers(0, 2**32 - 1), st.integers(20, 500), st.sampled_from([1, 2, 5, 1000]))
def test_a_map_rises_strictly_and_stays_in_range(seed: int, count: int, levels: int) -> None:
    random = np.random.default_rng(seed)
    seen = Scored(random.integers(0, levels + 1, count) / levels, random.random(count) < random.random())
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
    after = Scored(fitted.apply(unseen.confidence), unseen.correct)
    assert reliability(unseen).expected_calibration_error == pytest.approx(1 / 6, abs=0.02)  # ∫ c - c² dc
    assert reliability(after).expected_calibration_error < 0.03


def test_a_map_leaves_average_precision_as_it_was() -> None:
    gathered = random_set(Mixture(found=300, ground_truths=40, levels=1000))
    fitted = fit_calibration(scored(match(gathered)))
    found = [on_image(gathered, place)[0] for place in range(len(gathered.images))]
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
    with pytest.raises(DataError, match="too few detections to calibrate on: 19; take at least 20"):
        fit_calibration(_overconfident(0, 19))


def confident_liar(seed: int) -> Any:
    """40 images of 10 detections each that are right with the square of their confidence."""
    random = np.random.default_rng(seed)
    images = []
    for _ in range(40):
        places = [(60.0 * i, 0.0, 60.0 * i + 50, 50.0) for i in range(10)]
        confidence = random.uniform(0.1, 1.0, 10)
        right = random.random(10) < confidence**2
        found = [(place, float(c), 0) for place, c in zip(places, confidence, strict=True)]
        images.append((found, [(place, 0) for place, hit in zip(places, right, strict=True) if hit]))
    return image_set(*images, classes=1)


def test_calibration_learns_what_confidence_is_worth() -> None:
    """The true map is the square; the gap to it is ∫ c - c² over 0.1 to 1, about 0.18 on the mean."""
    done = calibrate(confident_liar(0), confident_liar(1), reliable_from=0.05)
    assert done.before.reliability.expected_calibration_error == pytest.approx(0.18, abs=0.03)
    assert done.after.reliability.expected_calibration_error is not None
    assert done.after.reliability.expected_calibration_error < 0.08
    assert (done.after.map50, done.after.map50_95) == (done.before.map50, done.before.map50_95)
    assert done.calibration.apply(np.array([0.5])) == pytest.approx(0.25, abs=0.12)


def test_the_same_detections_are_measured_before_and_after() -> None:
    """What the map lowers below that confidence still counts."""
    done = calibrate(confident_liar(0), confident_liar(1), reliable_from=0.4)
    counts = [int(seen.reliability.count.sum()) for seen in (done.before, done.after)]
    assert counts[0] == counts[1] > 200


def test_too_few_detections_are_one_line() -> None:
    few = image_set(([(BOX, 0.9, 0)], [(BOX, 0)]))
    with pytest.raises(DataError, match="too few detections to calibrate on: 1;"):
        calibrate(few, few, reliable_from=0.05)


@pytest.mark.parametrize(("count", "first"), [(2, 1), (7, 4), (600, 300)])
def test_halves(count: int, first: int) -> None:
    assert random_halves(count, 3).sum() == first
    assert np.array_equal(random_halves(count, 3), random_halves(count, 3))
