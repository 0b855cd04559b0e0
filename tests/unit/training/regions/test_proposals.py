"""The targets of the region proposal network, worked out by hand; and that it learns."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from yolo_cli.boxes import box_iou
from yolo_cli.detections import GroundTruth
from yolo_cli.detectors.proposal_network import ANCHORS, anchor_boxes, best_proposals
from yolo_cli.detectors.regions import apply_deltas
from yolo_cli.images import Image
from yolo_cli.training.regions.proposals import (
    MOST_POSITIVE,
    SAMPLED,
    fit_proposal_network,
    label_anchors,
    proposal_loss,
)


def labels(anchors, ground_truth):
    return label_anchors(np.array(anchors, float), ground_truth, np.random.default_rng(0))


def test_labels_by_hand():
    ground_truth = GroundTruth(np.array([[0, 0, 100, 100], [300, 300, 340, 340]], float), np.array([3, 4]))
    said = labels(
        [
            [0, 0, 100, 80],  # 0.8 of the first ground truth: holds it
            [0, 0, 100, 50],  # 0.5 of it: not asked
            [300, 300, 340, 320],  # half of the second, but none is nearer: holds it
            [150, 150, 200, 200],  # nothing: empty
            [0, 0, 50, 50],  # a quarter: empty
        ],
        ground_truth,
    )
    assert said[:, 0].tolist() == [1, -1, 1, 0, 0]
    # From centre (50, 40), 100 x 80, to centre (50, 50), 100 x 100: dy 10 / 80, dh ln (100 / 80).
    assert said[0, 1:] == pytest.approx([0, 0.125, 0, np.log(1.25)])
    assert not said[[1, 3, 4], 1:].any()


def test_anchors_on_difficult_objects_are_ignored():
    ground_truth = GroundTruth(np.array([[0, 0, 100, 100]], float), np.array([3]), difficult=np.array([True]))
    assert labels([[0, 0, 100, 90], [200, 200, 300, 300]], ground_truth)[:, 0].tolist() == [-1, 0]


def test_anchors_in_crowds_are_ignored():
    # The first is 0.01 of the crowd, but all of it is inside; of the second 0.4 is.
    crowd = GroundTruth(np.array([[0, 0, 200, 200]], float), np.array([3]), crowd=np.array([True]))
    assert labels([[50, 50, 70, 70], [180, 0, 230, 50]], crowd)[:, 0].tolist() == [-1, 0]


def test_without_objects_all_that_are_asked_are_empty():
    said = label_anchors(anchor_boxes(26, 26), GroundTruth(), np.random.default_rng(0))
    assert (said[:, 0] == 0).sum() == SAMPLED
    assert (said[:, 0] == 1).sum() == 0


def test_both_kinds_are_drawn_and_lead_to_the_ground_truth():
    ground_truth = GroundTruth(np.array([[100, 90, 230, 250], [20, 300, 90, 380]], float), np.array([0, 1]))
    anchors = anchor_boxes(26, 26)
    said = label_anchors(anchors, ground_truth, np.random.default_rng(0))
    holds = said[:, 0] == 1
    assert 2 <= holds.sum() <= MOST_POSITIVE
    assert (said[:, 0] >= 0).sum() == SAMPLED
    goals = apply_deltas(anchors[holds], said[holds, None, 1:].astype(float))[:, 0]
    assert box_iou(goals, ground_truth.xyxy).max(axis=1) == pytest.approx(1, abs=1e-5)
    assert box_iou(goals, ground_truth.xyxy).max(axis=0) == pytest.approx(
        1, abs=1e-5
    )  # each ground truth has one


def test_loss_by_hand():
    # One cell, two anchors. The first holds: -ln σ(0) = ln 2, and dx misses by 0.2 = 2 · 0.1, so 2 - 0.5. The
    # second is not asked, whatever it says.
    target = np.array([1, 0.2, 0, 0, 0, -1, 0, 0, 0, 0], np.float32).reshape(1, 1, 1, 10)
    said = np.array([0, 0, 0, 0, 0, 7, 9, 9, 9, 9], np.float32).reshape(1, 1, 1, 10)
    [found] = keras.ops.convert_to_numpy(proposal_loss(target, said))
    assert found == pytest.approx((np.log(2) + 1.5) / SAMPLED, abs=1e-6)


def test_it_learns_to_propose():
    """Bright cells are the object."""
    random = np.random.default_rng(0)
    maps, ground_truths = [], []
    for _ in range(160):
        row, column = random.integers(0, 18, 2)
        one = random.normal(0, 0.1, (26, 26, 3))
        one[row : row + 8, column : column + 8] += 1
        maps.append(one.astype(np.float16))
        ground_truths.append(
            GroundTruth(16 * np.array([[column, row, column + 8, row + 8]], float), np.array([0]))
        )
    model = fit_proposal_network(maps[:120], ground_truths[:120], 6)
    image, found = Image(np.zeros((416, 416, 3), np.uint8)), []
    for one, ground_truth in zip(maps[120:], ground_truths[120:], strict=True):
        said = np.asarray(model.predict_on_batch(one[None].astype(np.float32)))
        found.append(
            box_iou(best_proposals(said.reshape(26, 26, 5 * ANCHORS), image)[:10], ground_truth.xyxy).max()
        )
    assert np.mean(found) > 0.7
