"""Figures on real ground truth, against COCO's own program."""

from __future__ import annotations

import json
from functools import cache

import numpy as np
import pytest

from tests.pycocotools_reference import reference
from tests.shared import SHARED, needs_shared
from yolo_cli.detections import Detections, GroundTruth
from yolo_cli.evaluation import EvaluationSet, Evaluator, diagnose, evaluate, match

pytestmark = needs_shared("data", "coco128-val")


@cache
def _coco128(jitter: float, kind: str) -> EvaluationSet:
    """The real object; each box found three times, moved by a fraction of its size, one in five misnamed."""
    data = json.loads((SHARED / "data" / "coco128-val" / "annotations.json").read_text())
    places = {category["id"]: place for place, category in enumerate(data["categories"])}
    random = np.random.default_rng(5)
    evaluator = Evaluator([category["name"] for category in data["categories"]])
    for image in data["images"]:
        rows = [row for row in data["annotations"] if row["image_id"] == image["id"]]
        ground_truth = GroundTruth(
            np.array([[x, y, x + w, y + h] for x, y, w, h in (row["bbox"] for row in rows)]).reshape(-1, 4),
            np.array([places[row["category_id"]] for row in rows], int),
            crowd=np.array([bool(row["iscrowd"]) for row in rows], bool),
            area=np.array([row["area"] for row in rows], float),
        )
        evaluator.add(
            image["file_name"],
            _found(random, ground_truth, jitter, np.dtype(kind)),
            ground_truth,
            rank=image["id"],
        )
    return evaluator.gathered()


def _found(
    random: np.random.Generator, ground_truth: GroundTruth, jitter: float, kind: np.dtype
) -> Detections:
    boxes = np.repeat(ground_truth.xyxy, 3, axis=0)  # (3T, 4)
    size = np.tile(boxes[:, 2:] - boxes[:, :2], 2)  # (3T, 4)
    moved = boxes + random.normal(0, jitter, boxes.shape) * size
    moved = np.concatenate(
        [np.minimum(moved[:, :2], moved[:, 2:]), np.maximum(moved[:, :2], moved[:, 2:])], 1
    )
    class_id = np.repeat(ground_truth.class_id, 3)
    misnamed = random.random(len(class_id)) < 0.2
    confidence = random.random(len(class_id))
    return Detections(moved.astype(kind), confidence.astype(kind), np.where(misnamed, 0, class_id))


@pytest.mark.parametrize("jitter", [0.02, 0.1, 0.3])
@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_twelve_figures_on_real_ground_truth_equal_pycocotools(jitter: float, kind: str) -> None:
    gathered = _coco128(jitter, kind)
    theirs = reference(gathered)
    ours = list(evaluate(gathered).coco.values())
    np.testing.assert_allclose(ours, theirs.stats, rtol=0, atol=1e-9)


def test_figures_on_real_ground_truth_stay_what_they_were() -> None:
    report = evaluate(_coco128(0.1, "float64"))
    figures = (report.map50, report.map50_95, report.curve.best.f1)
    assert figures == pytest.approx((0.844736, 0.461349, 0.664789), abs=1e-6)


def test_real_mistakes_are_all_accounted_for() -> None:
    gathered = _coco128(0.3, "float64")
    diagnosis, report = diagnose(match(gathered)), evaluate(gathered)
    wrong = sum(figures.found for figures in report.per_class) * (1 - report.curve.precision[-1])
    assert len(diagnosis.found) == round(wrong)
    assert diagnosis.map50 == pytest.approx(report.map50)
