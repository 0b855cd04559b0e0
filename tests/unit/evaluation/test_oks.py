"""OKS by hand, and what is evaluated of other programs' key points."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from yolo_cli.detections import Detections, GroundTruth
from yolo_cli.errors import DataError
from yolo_cli.evaluation import Evaluator, evaluate
from yolo_cli.evaluation.coco_results import read_coco_results
from yolo_cli.evaluation.pairs import _oks

BOX = np.array([[0.0, 0.0, 20.0, 10.0]])
GT = GroundTruth(
    BOX, np.array([0]), area=np.array([100.0]), keypoints=np.array([[[5.0, 5, 2], [15, 5, 1], [0, 0, 0]]])
)


def figures(points: Any, gt: GroundTruth = GT, sigmas: Any = (0.1, 0.05, 0.05)) -> Any:
    evaluator = Evaluator(("cat",), sigmas)
    evaluator.add("a", Detections(BOX, np.array([0.9]), np.array([0]), keypoints=np.array(points)), gt)
    return evaluate(evaluator.gathered()).keypoints


def test_by_hand() -> None:
    # The first point is 2 pixels off: 4 / (2 · 100 · 0.2²) = 0.5, exp(−0.5) = 0.6065. The second is exact: 1.
    # The third is not labelled. OKS = (0.6065 + 1) / 2 = 0.8033: found at 0.50 to 0.80, seven of ten.
    found = figures([[[7.0, 5, 1], [15, 5, 1], [99, 99, 1]]])
    assert found.ap == pytest.approx(0.7)
    assert (found.figures["AP75"], found.objects) == (1.0, 1)
    assert found.per_class == {"cat": pytest.approx(0.7)}


def test_an_object_without_points_counts_neither_way() -> None:
    unmarked = GroundTruth(BOX, np.array([0]), keypoints=np.zeros((1, 3, 3)))
    assert figures(np.ones((1, 3, 3)), unmarked).ap is None


def test_boxes_are_evaluated_without_sigmas() -> None:
    assert figures(np.ones((1, 3, 3)), sigmas=()) is None


def test_another_number_of_points() -> None:
    with pytest.raises(DataError, match="a: has 2 key points an object, but the data has 3"):
        figures(np.ones((1, 2, 3)))


def entry(**more: Any) -> dict[str, Any]:
    return {"image_id": 1, "category_id": 1, "bbox": [0, 0, 9, 9], "score": 0.5, **more}


def results(folder: Path, *entries: dict[str, Any]) -> Path:
    path = folder / "results.json"
    path.write_text(json.dumps(entries))
    return path


def test_results_of_another_program(tmp_path: Path) -> None:
    read = read_coco_results(results(tmp_path, entry(keypoints=[1, 2, 1, 3, 4, 1]), entry(keypoints=[0] * 6)))
    assert read.keypoints is not None
    assert read.keypoints[0].tolist() == [[1, 2, 1], [3, 4, 1]]
    assert read_coco_results(results(tmp_path, entry())).keypoints is None


@pytest.mark.parametrize("odd", [[1, 2], [1, 2, 1], [1, 2, 1, 3, float("nan"), 1], ["x"] * 6])
def test_results_that_do_not_fit(tmp_path: Path, odd: list[Any]) -> None:
    with pytest.raises(DataError, match=r"results\.json: .*(each entry needs|not finite|entry 2)"):
        read_coco_results(results(tmp_path, entry(keypoints=[1, 2, 1, 3, 4, 1]), entry(keypoints=odd)))


def test_the_fitness_is_the_mean_of_boxes_and_key_points() -> None:
    evaluator = Evaluator(("cat",), (0.1, 0.05, 0.05))
    found = Detections(BOX, np.array([0.9]), np.array([0]), keypoints=np.ones((1, 3, 3)))
    evaluator.add("a", found, GroundTruth(BOX, np.array([0]), keypoints=np.zeros((1, 3, 3))))
    report = evaluate(evaluator.gathered())
    # The box is right, and there is no AP of key points, as no point is labelled: (1 + 0) / 2.
    assert (report.map50_95, report.fitness) == (1.0, 0.5)


def test_an_object_without_points_is_compared_by_a_box_three_times_as_large() -> None:
    # The box 0, 0, 20, 10 becomes -20, -10, 40, 20. The points are 3 and 4 pixels beyond its right and lower
    # edge, inside, and 2 beyond its left one: squares 25, 0 and 4, over 2 · area 200 · (2σ = 0.2)² = 16.
    evaluator = Evaluator(("cat",), (0.1, 0.1, 0.1))
    points = np.array([[[43.0, 24, 1], [5, 5, 1], [-22, 0, 1]]])
    found = Detections(BOX, np.array([0.9]), np.array([0]), keypoints=points)
    evaluator.add("a", found, GroundTruth(BOX, np.array([0]), keypoints=np.zeros((1, 3, 3))))
    [similar] = _oks(np.full(3, 0.1), evaluator.gathered(), np.array([0]), np.array([0]))
    assert similar == pytest.approx((math.exp(-25 / 16) + 1 + math.exp(-4 / 16)) / 3)
