"""Thresholds and pseudo-labels, worked by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yolo_cli.datasets import Sample
from yolo_cli.detections import Detections, GroundTruth
from yolo_cli.evaluation import Evaluator, Report, evaluate
from yolo_cli.training.unlabelled.labelling import UNCERTAIN, pseudo_labels, repeated, thresholds


def boxes(count: int) -> np.ndarray:
    """Boxes (count, 4) far apart."""
    left = 20.0 * np.arange(count)
    return np.stack([left, 0 * left, left + 10, 0 * left + 10], axis=1)


def report(found: dict[int, list[tuple[float, bool]]], objects: dict[int, int]) -> Report:
    """Of one image: for each class its detections, as confidence and whether right, and its objects."""
    evaluator, every, objects_of = Evaluator(("cat", "dog")), [], []
    for class_id, count in objects.items():
        places = boxes(count) + np.array([0, 100, 0, 100]) * class_id
        objects_of += [(place, class_id) for place in places]
        right = iter(places)
        for confidence, correct in found[class_id]:
            every.append((next(right) if correct else [0, 900, 10, 910], confidence, class_id))
    xyxy, confidence, class_ids = zip(*every, strict=True)
    detections = Detections(np.array(xyxy, float), np.array(confidence), np.array(class_ids))
    ground_truth = GroundTruth(
        np.array([place for place, _ in objects_of]), np.array([number for _, number in objects_of])
    )
    evaluator.add("a.jpg", detections, ground_truth)
    return evaluate(evaluator.gathered())


def test_a_threshold_is_where_four_of_five_are_right() -> None:
    """Cats by confidence: .9 .8 .7 .6 right, .5 wrong (4 of 5), .4 wrong (4 of 6), .3 right (5 of 7).

    Dogs are right down to .2, and .15 too: but no threshold is below .2. Neither class has fewer than ten.
    """
    cats = [(0.9, True), (0.8, True), (0.7, True), (0.6, True), (0.5, False), (0.4, False), (0.3, True)]
    dogs = [(0.9, True), (0.2, True), (0.15, True)]
    assert thresholds(report({0: cats, 1: dogs}, {0: 10, 1: 10})).tolist() == [0.5, 0.2]


def test_a_class_that_is_never_precise_has_the_highest_threshold() -> None:
    """Cats: .9 wrong, .85 right (1 of 2). Dogs: right from .95 on only, which is more than .8."""
    cats, dogs = [(0.9, False), (0.85, True)], [(0.95, True), (0.9, False), (0.85, False)]
    assert thresholds(report({0: cats, 1: dogs}, {0: 10, 1: 10})).tolist() == [0.8, 0.8]


def test_a_class_with_few_objects_has_the_threshold_of_all() -> None:
    """All together: .9 right, .7 right, .6 right, .5 right, .4 wrong (4 of 5): .4. Nine dogs say nothing."""
    cats, dogs = [(0.9, True), (0.7, True), (0.6, True), (0.5, True)], [(0.4, False)]
    assert thresholds(report({0: cats, 1: dogs}, {0: 10, 1: 9})).tolist() == [0.5, 0.4]


def sample(name: str) -> Sample:
    return Sample(name, Path(name), "train", name, "")


def detections(confidence: list[float], class_id: list[int]) -> Detections:
    return Detections(boxes(len(confidence)), np.array(confidence), np.array(class_id, np.int64))


def test_confident_boxes_teach_and_the_others_are_ignored() -> None:
    """Thresholds .5 (cat) and .7 (dog). On a: cat .5 teaches, dog .6 is ignored. On b none teaches."""
    found = [
        (sample("a"), detections([0.5, 0.6], [0, 1])),
        (sample("b"), detections([0.4, 0.69], [0, 1])),
        (sample("c"), detections([0.9, 0.8, 0.7], [1, 1, 1])),
        (sample("d"), Detections()),
    ]
    labels = pseudo_labels(found, np.array([0.5, 0.7]))
    assert [each.name for each in labels.samples] == ["a", "c"]
    assert labels.counts.tolist() == [1, 3]
    assert labels.uncertain == 1
    first, second = (each.ground_truth for each in labels.samples)
    assert first.difficult.tolist() == [False, True]
    assert first.class_id.tolist() == [0, 1]
    assert first.xyxy.tolist() == boxes(2).tolist()
    assert not second.difficult.any()


@given(st.lists(st.tuples(st.floats(UNCERTAIN, 1), st.integers(0, 2)), max_size=12), st.floats(0.1, 1))
def test_no_box_is_lost_on_an_image_that_teaches(pairs: list[tuple[float, int]], limit: float) -> None:
    found = detections([confidence for confidence, _ in pairs], [number for _, number in pairs])
    labels = pseudo_labels([(sample("a"), found)], np.full(3, limit))
    boxes_kept = sum(len(each.labels) for each in labels.samples)
    assert boxes_kept == labels.counts.sum() + labels.uncertain
    assert boxes_kept == (len(found) if any(confidence >= limit for confidence, _ in pairs) else 0)


@pytest.mark.parametrize("times", [0, 1, 3])
def test_repeated_samples_have_names_of_their_own(times: int) -> None:
    names = [each.name for each in repeated([sample("a"), sample("b")], times)]
    assert len(names) == len(set(names)) == 2 * times
