"""All figures of one evaluation."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from tests.evaluation_sets import Mixture, image_set, on_image, random_set
from yolo_cli.detections import GroundTruth
from yolo_cli.errors import UsageError
from yolo_cli.evaluation import (
    COCO,
    VOC07,
    Conditions,
    Evaluator,
    evaluate,
    gt_hash,
    protocol,
    thresholds_for_precision,
)

BOX = (0.0, 0.0, 40.0, 40.0)
HALF = (0.0, 0.0, 40.0, 20.0)
FAR = (100.0, 100.0, 140.0, 140.0)


def _report(**options):
    # Class 0: right at 0.9, wrong at 0.6, of 2 ground-truth boxes. Class 1: overlap 1/2 at 0.7. Class 2:
    # nothing at all.
    gathered = image_set(
        ([(BOX, 0.9, 0), (FAR, 0.6, 0)], [(BOX, 0)]),
        ([(HALF, 0.7, 1)], [(BOX, 0), (BOX, 1)]),
    )
    return evaluate(gathered, **options)


def test_headline_figures() -> None:
    report = _report()
    # Class 0 at 0.5: precision 1 up to recall 0.5, which is 51 of 101 levels. Class 1: found.
    assert report.map50 == pytest.approx((51 / 101 + 1) / 2)
    # Above 0.5, class 1 is never found.
    assert report.map50_95 == pytest.approx((51 / 101 + 0.1) / 2)
    assert report.map == report.map50
    assert report.images == 2


def test_map_is_at_the_overlap_asked_for() -> None:
    report = _report(protocol=protocol("coco", 0.6))
    assert report.map == pytest.approx(51 / 101 / 2)
    assert report.map50 == pytest.approx((51 / 101 + 1) / 2)
    assert [figures.ap for figures in report.per_class] == [pytest.approx(51 / 101), 0, None]
    assert [figures.ap50 for figures in report.per_class] == [pytest.approx(51 / 101), 1, None]


def test_precision_and_recall_are_where_f1_is_greatest() -> None:
    # From 0.9 down: 1/1 of 1/3; 2/2 of 2/3, F1 0.8; 2/3 of 2/3. The middle one is at 0.7.
    plain = _report().to_json()
    assert (plain["confidence"], plain["precision"], plain["recall"]) == (0.7, 1, pytest.approx(2 / 3))
    assert plain["f1"] == pytest.approx(0.8)


def test_each_class_and_each_size() -> None:
    report = _report()
    assert [(f.class_name, f.ground_truths, f.found) for f in report.per_class] == [
        ("class 0", 2, 2),
        ("class 1", 1, 1),
        ("class 2", 0, 0),
    ]
    # 40 × 40 = 1600 px² is medium: all ground-truth boxes are.
    assert [(f.name, f.ground_truths, f.ap) for f in report.per_size] == [
        ("small", 0, None),
        ("medium", 3, pytest.approx((51 / 101 + 1) / 2)),
        ("large", 0, None),
    ]


def test_json_is_what_the_command_line_promises() -> None:
    plain = json.loads(json.dumps(_report().to_json()))
    promised = {
        "protocol",
        "images",
        "map50",
        "map50_95",
        "map",
        "per_class",
        "precision",
        "recall",
        "confidence",
    }
    assert promised <= set(plain)
    assert {"class_name", "ap", "ground_truths"} <= set(plain["per_class"][0])
    assert len(plain["coco"]) == 12
    assert plain["coco"]["AP50"] == plain["map50"]


def test_json_says_how_it_was_measured() -> None:
    conditions = Conditions(0.001, "iou 0.45", 300, "letterbox 416x416", "abc", {"sofa": "couch"}, "the best")
    rules = _report(conditions=conditions).to_json()["protocol"]
    assert rules["interpolation"] == "101 points"
    assert {"difficult", "crowd", "iou", "matching"} <= set(rules)
    assert {name: rules[name] for name in dataclasses.asdict(conditions)} == {
        "confidence_floor": 0.001,
        "suppression": "iou 0.45",
        "max_detections": 300,
        "resize": "letterbox 416x416",
        "data_hash": "abc",
        "class_synonyms": {"sofa": "couch"},
        "classes_per_box": "the best",
    }


def test_the_twelve_figures_are_coco_s_alone() -> None:
    assert _report(protocol=VOC07).coco == {}


def test_nothing_found_gives_zeros_and_no_confidence() -> None:
    plain = evaluate(image_set(([], [(BOX, 0)]))).to_json()
    assert (plain["map50"], plain["precision"], plain["confidence"]) == (0, None, None)
    assert json.dumps(plain, allow_nan=False)


def test_no_ground_truth_gives_no_figure() -> None:
    plain = evaluate(image_set(([(BOX, 0.9, 0)], []))).to_json()
    assert (plain["map50"], plain["map50_95"], plain["map"]) == (None, None, None)
    assert json.dumps(plain, allow_nan=False)


def test_hash_knows_the_ground_truth_and_nothing_else() -> None:
    gathered = random_set(Mixture(found=30))
    same = random_set(Mixture(found=30)).above(0.5)
    assert gt_hash(gathered) == gt_hash(same)
    assert len(gt_hash(gathered)) == 16
    others = [
        _changed(
            gathered,
            lambda ground_truth: GroundTruth(
                ground_truth.xyxy + 1, ground_truth.class_id, ground_truth.crowd, ground_truth.difficult
            ),
        ),
        _changed(
            gathered,
            lambda ground_truth: GroundTruth(
                ground_truth.xyxy, 2 - ground_truth.class_id, ground_truth.crowd, ground_truth.difficult
            ),
        ),
        _changed(
            gathered,
            lambda ground_truth: GroundTruth(
                ground_truth.xyxy, ground_truth.class_id, ~ground_truth.crowd, ground_truth.difficult
            ),
        ),
        _changed(
            gathered,
            lambda ground_truth: GroundTruth(
                ground_truth.xyxy, ground_truth.class_id, ground_truth.crowd, ~ground_truth.difficult
            ),
        ),
        _changed(gathered, lambda ground_truth: ground_truth, prefix="other"),
    ]
    assert len({gt_hash(gathered), *map(gt_hash, others)}) == 6


def _changed(gathered, change, prefix: str = ""):
    evaluator = Evaluator(gathered.class_names)
    for place, image in enumerate(gathered.images):
        found, ground_truth = on_image(gathered, place)
        evaluator.add(prefix + image, found, change(ground_truth))
    return evaluator.gathered()


def test_a_report_is_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        _report().map = 1.0


def test_figures_do_not_depend_on_float32_where_numbers_fit() -> None:
    gathered = random_set(Mixture(found=80))
    evaluator = Evaluator(gathered.class_names)
    for place, image in enumerate(gathered.images):
        found, ground_truth = on_image(gathered, place)
        narrow = dataclasses.replace(found, xyxy=found.xyxy.astype(np.float32))
        evaluator.add(image, narrow, ground_truth)
    assert evaluate(evaluator.gathered(), COCO).coco == evaluate(gathered, COCO).coco


def test_thresholds_for_a_precision_class_by_class() -> None:
    # Class 0: right at 0.9, wrong at 0.8, right at 0.7: precision 1, 1/2, 2/3. Class 1: only wrong.
    found = [
        (BOX, 0.9, 0),
        ((80.0, 0.0, 90.0, 10.0), 0.8, 0),
        (FAR, 0.7, 0),
        (BOX, 0.6, 1),
    ]
    report = evaluate(image_set((found, [(BOX, 0), (FAR, 0), (FAR, 1)])))
    chosen = thresholds_for_precision(report, 0.6)
    assert chosen["class 0"].confidence == 0.7
    assert (chosen["class 1"], chosen["class 2"]) == (None, None)
    assert thresholds_for_precision(report, 0.95)["class 0"].confidence == 0.9


@pytest.mark.parametrize("precision", [0, -1, 1.1, float("nan")])
def test_a_precision_out_of_range_is_a_usage_error(precision: float) -> None:
    with pytest.raises(UsageError, match="target_precision"):
        thresholds_for_precision([], precision)


def test_a_model_without_figures_has_the_fitness_0() -> None:
    assert evaluate(image_set(([(BOX, 0.9, 0)], []))).fitness == 0
    report = _report()
    assert report.fitness == report.map50_95
