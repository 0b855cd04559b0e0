"""Which regions teach what."""

from __future__ import annotations

import numpy as np
import pytest

from yolo_cli.boxes import box_area, box_iou, intersection
from yolo_cli.detections import GroundTruth
from yolo_cli.detectors.regions import apply_deltas
from yolo_cli.images import Image
from yolo_cli.training.regions.examples import Sampling, choose_regions, collect
from yolo_cli.training.regions.labelling import (
    NEGATIVE_IOU,
    POSITIVE_IOU,
    around_gt,
    away_from_gt,
    label,
    trainable,
)

GROUND_TRUTH = GroundTruth(np.array([[10, 10, 50, 40], [60, 20, 90, 80]], float), np.array([3, 7]))


def test_label_by_hand():
    # (10, 10, 50, 30) fills two thirds of the first ground truth; (60, 20, 75, 80) half of the second.
    boxes = np.array([[10, 10, 50, 30], [60, 20, 75, 80], [0, 90, 5, 95]], float)
    found = label(boxes, GROUND_TRUTH)
    assert found.overlap == pytest.approx([2 / 3, 0.5, 0])
    assert found.class_id.tolist() == [3, 7, -1]
    assert found.ground_truth.tolist() == [0, 1, -1]


def test_label_without_ground_truth():
    found = label(np.zeros((2, 4)), GroundTruth())
    assert found.class_id.tolist() == [-1, -1]


def test_trainable_leaves_out_what_does_not_count():
    boxes = np.array([[0, 0, 9, 9], [0, 0, 9, 9], [0, 0, 9, 9], [5, 5, 5, 9]], float)
    odd = GroundTruth(boxes, np.arange(4), np.array([0, 1, 0, 0], bool), np.array([0, 0, 1, 0], bool))
    assert trainable(odd).class_id.tolist() == [0]


def test_windows_around_ground_truth_fit_and_differ():
    found = around_gt(GROUND_TRUTH, 40, np.random.default_rng(0))
    assert len(found) == 40
    assert found.overlap.min() >= POSITIVE_IOU
    assert set(found.class_id.tolist()) == {3, 7}
    assert len(np.unique(found.xyxy, axis=0)) == 40


def test_windows_away_from_ground_truth():
    found = away_from_gt((90, 100), GROUND_TRUTH, 40, np.random.default_rng(0))
    assert len(found) == 40
    assert box_iou(found.xyxy, GROUND_TRUTH.xyxy).max() < NEGATIVE_IOU


def test_no_ground_truth_no_windows_around_it():
    assert len(around_gt(GroundTruth(), 5, np.random.default_rng(0))) == 0
    assert len(away_from_gt((90, 100), GroundTruth(), 5, np.random.default_rng(0))) == 5


def proposals() -> np.ndarray:
    """Eight moved copies of the first ground truth, some of which show it, and ten boxes far away."""
    moved = GROUND_TRUTH.xyxy[0] + np.arange(8)[:, None] * np.array([4.0, 0, 4, 0])
    return np.concatenate([moved, np.tile([200.0, 200, 240, 240], (10, 1)) + np.arange(10)[:, None]])


def test_choice_of_regions():
    # Shifted by s of its width of 40 it has IoU (40 - s) / (40 + s): 0.5 up to s = 13.3, so 4 of the 8.
    chosen = choose_regions(
        proposals(), GROUND_TRUTH, Sampling(positive=99, negative=99), np.random.default_rng(0)
    )
    assert (chosen.overlap >= 0.5).sum() == 4 + len(GROUND_TRUTH)
    few = choose_regions(
        proposals(), GROUND_TRUTH, Sampling(positive=3, negative=8), np.random.default_rng(0)
    )
    assert (few.overlap >= 0.5).sum() == 3
    assert len(few) == 11
    assert ((few.overlap < 0.5) & (few.overlap >= 0.1)).sum() == 4  # all that graze, at most three quarters


class OneSample:
    """An image with the two ground-truth boxes."""

    ground_truth = GROUND_TRUTH

    def read(self) -> Image:
        return Image(np.zeros((90, 100, 3), np.uint8))


def test_examples_lead_to_the_ground_truth():
    """The changes of the box, applied to it, give a ground truth of the class."""
    seen: list[np.ndarray] = []

    def describe(_image: Image, boxes: np.ndarray) -> np.ndarray:
        seen.append(boxes)
        return boxes.reshape(-1, 1, 1, 4)

    examples = collect([OneSample(), OneSample()], lambda _: proposals(), describe, Sampling())
    boxes = np.concatenate(seen)
    assert np.array_equal(examples.features, boxes.reshape(-1, 1, 1, 4).astype(np.float16))
    near = examples.class_id >= 0
    goal = apply_deltas(boxes[near], examples.deltas[near, None].astype(float))[:, 0]
    first = examples.class_id[near] == 3
    assert goal[first] == pytest.approx(np.tile(GROUND_TRUTH.xyxy[0], (first.sum(), 1)), abs=1e-3)
    assert goal[~first] == pytest.approx(np.tile(GROUND_TRUTH.xyxy[1], ((~first).sum(), 1)), abs=1e-3)
    assert not examples.deltas[~near].any()


CROWD = GroundTruth(np.array([[60, 20, 90, 80]], float), np.array([7]), crowd=np.array([True]))
DIFFICULT = GroundTruth(np.array([[60, 20, 90, 80]], float), np.array([7]), difficult=np.array([True]))


@pytest.mark.parametrize("ignored", [CROWD, DIFFICULT])
def test_windows_on_what_is_ignored_are_no_background(ignored):
    found = away_from_gt((90, 100), ignored, 200, np.random.default_rng(0))
    assert len(found) == 200
    inside = intersection(found.xyxy, ignored.xyxy)[:, 0] / box_area(found.xyxy)  # (200,)
    assert 0.3 < inside.max() <= 0.5  # those that touch it are used


@pytest.mark.parametrize("ignored", [CROWD, DIFFICULT])
def test_proposals_on_what_is_ignored_teach_nothing(ignored):
    # The first is half inside, the second a little more, the third is it, the fourth is far away.
    boxes = np.array([[30, 20, 90, 80], [32, 20, 90, 80], [60, 20, 90, 80], [0, 0, 20, 20]], float)
    chosen = choose_regions(boxes, ignored, Sampling(), np.random.default_rng(0))
    assert sorted(chosen.xyxy[:, 0].tolist()) == [0, 30]
    assert chosen.class_id.tolist() == [-1, -1]


def test_an_object_in_a_crowd_teaches_what_it_is():
    one = np.array([[10, 10, 50, 40], [0, 0, 100, 90]], float)
    both = GroundTruth(one, np.array([3, 3]), crowd=np.array([False, True]))
    chosen = choose_regions(np.array([[12, 10, 52, 40], [70, 50, 90, 80]], float), both, Sampling(),
                            np.random.default_rng(0))  # fmt: skip
    assert sorted(chosen.xyxy[:, 0].tolist()) == [10, 12]
    assert chosen.class_id.tolist() == [3, 3]
