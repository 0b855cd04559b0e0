"""Gathering images: order, types, and every fault of the input named."""

from __future__ import annotations

import numpy as np
import pytest

from tests.evaluation_sets import on_image
from yolo_cli.detections import Detections, GroundTruth
from yolo_cli.errors import DataError
from yolo_cli.evaluation import Evaluator

BOX = [[1.0, 2.0, 5.0, 6.0]]
NONE = (Detections(), GroundTruth())


def _found(box=BOX, confidence=0.5, class_id=0, kind=np.float32) -> Detections:
    return Detections(np.array(box, kind), np.array([confidence], kind), np.array([class_id]))


def _ground_truth(box=BOX, class_id=0) -> GroundTruth:
    return GroundTruth(np.array(box, np.float32), np.array([class_id]), area=np.float32([16]))


def _evaluator(*names: str) -> Evaluator:
    return Evaluator(names or ("cat", "dog"))


def test_images_are_sorted_by_name() -> None:
    evaluator = _evaluator()
    evaluator.add("b.jpg", _found(confidence=0.25), _ground_truth())
    evaluator.add("a.jpg", _found(confidence=0.75), GroundTruth())
    gathered = evaluator.gathered()
    assert gathered.images == ("a.jpg", "b.jpg")
    assert gathered.found.confidence.tolist() == [0.75, 0.25]
    assert (gathered.found_image.tolist(), gathered.gt_image.tolist()) == ([0, 1], [1])


def test_a_rank_goes_before_the_name() -> None:
    evaluator = _evaluator()
    evaluator.add("a.jpg", *NONE, rank=10)
    evaluator.add("b.jpg", *NONE, rank=9)
    assert evaluator.gathered().images == ("b.jpg", "a.jpg")


def test_a_rank_for_some_only_is_a_fault_of_the_caller() -> None:
    evaluator = _evaluator()
    evaluator.add("a.jpg", *NONE, rank=0)
    evaluator.add("b.jpg", *NONE)
    with pytest.raises(ValueError, match="every image or for none"):
        evaluator.gathered()


def test_float64_is_kept_to_the_last_digit() -> None:
    evaluator = _evaluator()
    evaluator.add("a.jpg", _found([[0.1, 0.2, 0.3, 0.4]], kind=np.float64), GroundTruth())
    assert evaluator.gathered().found.xyxy.tolist() == [[0.1, 0.2, 0.3, 0.4]]


def test_one_image_comes_back_as_it_went_in() -> None:
    evaluator = _evaluator()
    evaluator.add("a.jpg", _found(), GroundTruth())
    evaluator.add("b.jpg", Detections(), _ground_truth(class_id=1))
    found, ground_truth = on_image(evaluator.gathered(), 1)
    assert (len(found), ground_truth.class_id.tolist()) == (0, [1])
    found, ground_truth = on_image(evaluator.gathered(), 0)
    assert (found.xyxy.tolist(), len(ground_truth)) == (BOX, 0)


def test_above_keeps_the_confidence_asked_for_and_more() -> None:
    evaluator = _evaluator()
    for name, confidence in (("a", 0.25), ("b", 0.5), ("c", 0.75)):
        evaluator.add(name, _found(confidence=confidence), _ground_truth())
    kept = evaluator.gathered().above(0.5)
    assert (kept.found.confidence.tolist(), kept.found_image.tolist()) == ([0.5, 0.75], [1, 2])
    assert (len(kept.images), len(kept.ground_truth)) == (3, 3)


def test_an_empty_set_is_bad_data() -> None:
    with pytest.raises(DataError, match="no image"):
        _evaluator().gathered()


def test_an_image_may_come_once() -> None:
    evaluator = _evaluator()
    evaluator.add("a.jpg", *NONE)
    with pytest.raises(DataError, match=r"a\.jpg: this image occurs twice"):
        evaluator.add("a.jpg", *NONE)


@pytest.mark.parametrize(
    "box",
    [
        [5, 2, 1, 6],
        [1, 6, 5, 2],
        [np.nan, 2, 5, 6],
        [1, 2, np.inf, 6],
        [-np.inf, 2, np.inf, 6],
        [np.inf] * 4,
        [0, 0, 2e9, 1],
    ],
)
def test_a_box_that_is_none_is_named(box: list[float]) -> None:
    with pytest.raises(DataError, match=r"a\.jpg: detection 1 is not a box: its edges are"):
        _evaluator().add("a.jpg", _found([box]), GroundTruth())
    with pytest.raises(DataError, match=r"a\.jpg: ground truth 1 is not a box: its edges are"):
        _evaluator().add("a.jpg", Detections(), _ground_truth([box]))


def test_a_box_without_area_is_one() -> None:
    _evaluator().add("a.jpg", _found([[1, 2, 1, 2]]), _ground_truth([[0, 0, 0, 4]]))


@pytest.mark.parametrize("confidence", [-0.01, 1.01, np.nan, np.inf])
def test_a_confidence_out_of_range_is_named(confidence: float) -> None:
    with pytest.raises(DataError, match=r"a\.jpg: detection 1 has confidence"):
        _evaluator().add("a.jpg", _found(confidence=confidence), GroundTruth())


@pytest.mark.parametrize("class_id", [-1, 2])
def test_a_class_that_is_none_is_named(class_id: int) -> None:
    with pytest.raises(DataError, match=rf"detection 1 has class id {class_id}; there are 2 classes"):
        _evaluator().add("a.jpg", _found(class_id=class_id), GroundTruth())
    with pytest.raises(DataError, match=rf"ground truth 1 has class id {class_id}; there are 2 classes"):
        _evaluator().add("a.jpg", Detections(), _ground_truth(class_id=class_id))


def test_the_second_of_two_is_named_as_the_second() -> None:
    found = Detections(np.float32([*BOX, [3, 3, 1, 1]]), np.float32([0.5, 0.5]), np.array([0, 0]))
    with pytest.raises(DataError, match="detection 2 is not a box: its edges are 3, 3, 1, 1"):
        _evaluator().add("a.jpg", found, GroundTruth())


def test_faults_are_one_line() -> None:
    with pytest.raises(DataError) as fault:
        _evaluator().add("a.jpg", _found(confidence=np.nan), GroundTruth())
    assert "\n" not in str(fault.value)
