"""Anchors and proposals by hand, and Faster R-CNN with parts that say what the test wants."""

from __future__ import annotations

import numpy as np
import pytest

from tests.contract import assert_is_detector
from yolo_cli.boxes import box_iou
from yolo_cli.config import DetectConfig
from yolo_cli.detectors.faster_rcnn import FasterRcnn
from yolo_cli.detectors.proposal_network import ANCHORS, PROPOSALS, anchor_boxes, best_proposals
from yolo_cli.detectors.regions import RegionDetector
from yolo_cli.images import Image
from yolo_cli.weights import ModelCard

CARD = ModelCard("fake", ("cat", "dog"), (), (416, 416), "stretch")
LANDSCAPE = Image(np.zeros((208, 416, 3), np.uint8))  # is between 104 and 312 of the square, at its own size
QUIET = -20.0  # raw: surely no object


def raw(*said: tuple[int, int, int, float, tuple[float, ...]]) -> np.ndarray:
    """A map of 26 x 26 cells that says of (row, column, anchor) how likely it is and how it changes."""
    values = np.zeros((26, 26, ANCHORS, 5))
    values[..., 0] = QUIET
    for row, column, anchor, likely, deltas in said:
        values[row, column, anchor] = (likely, *deltas)
    return values.reshape(26, 26, -1)


def test_anchors_by_hand():
    boxes = anchor_boxes(2, 3).reshape(2, 3, ANCHORS, 4)
    # Cell (1, 2): its middle is at x = 2.5 · 16 = 40, y = 1.5 · 16 = 24. Size 64, aspect 1: the fifth.
    assert boxes[1, 2, 4].tolist() == [40 - 32, 24 - 32, 40 + 32, 24 + 32]
    # Size 32, aspect 2: 32 √2 wide and 32 / √2 high, so the area is 32².
    wide = boxes[0, 0, 2, 2:] - boxes[0, 0, 2, :2]
    assert wide == pytest.approx([32 * 2**0.5, 32 / 2**0.5])


def test_proposals_by_hand():
    # Cell (13, 13), anchor 4: 64 x 64 around (216, 216). Half its width to the right, and half as wide: its
    # centre 248, 32 wide. In the image y is 104 less. Anchor 1 of cell (13, 2): 32 x 32 around (40, 216).
    found = best_proposals(
        raw((13, 13, 4, 3.0, (0.5, 0, np.log(0.5), 0)), (13, 2, 1, 5.0, (0, 0, 0, 0))), LANDSCAPE
    )
    assert found[0] == pytest.approx([24, 96, 56, 128])
    assert found[1] == pytest.approx([232, 80, 264, 144])


def test_proposals_end_at_the_edge_of_the_image():
    # 352 x 352 around (8, 216) reaches from -168 to 184 and, less 104, from -64 to 288: 0 to 184, 0 to 208.
    found = best_proposals(raw((13, 0, 13, 5.0, (0, 0, 0, 0))), LANDSCAPE)
    assert found[0] == pytest.approx([0, 0, 184, 208])
    assert (found[:, :2] >= 0).all()
    assert (found[:, 2:] <= (416, 208)).all()
    assert ((found[:, 2:] - found[:, :2]) >= 8 - 1e-9).all()  # nothing of what is in the padding


def test_of_those_that_overlap_the_likeliest_is_proposed():
    same = (raw((13, 13, 4, 3.0, (0, 0, 0, 0)), (13, 13, 1, 4.0, (0, 0, np.log(2), np.log(2)))), LANDSCAPE)
    found = best_proposals(*same)
    assert found[0] == pytest.approx([184, 80, 248, 144])
    overlaps = box_iou(found, found) - np.eye(len(found))
    assert overlaps.max() <= 0.7
    assert len(found) <= PROPOSALS


class Backbone:
    """A feature map that holds the image's mean, two channels."""

    runs = 0

    def run(self, batch):
        Backbone.runs += 1
        return [np.full((1, 2, 26, 26), batch.mean(), np.float32)]

    def multiply_accumulates(self, _batch):
        return 1000


class Proposer:
    def run(self, features):
        assert features.shape == (1, 26, 26, 2)
        return [raw((13, 13, 7, 5.0, (0, 0, 0, 0)))[None]]

    def multiply_accumulates(self, _batch):
        return 100


class Head:
    """Says that the first region is a dog, and of all others nothing."""

    def run(self, features):
        assert features.shape[1:] == (4, 4, 2)
        logits = np.tile([[0.0, 0.0, 9.0]], (len(features), 1))
        logits[0] = (0, 9, 0)
        return [logits, np.zeros((len(features), 8))]

    def multiply_accumulates(self, batch):
        return 10 * len(batch)


def detector(**options) -> RegionDetector:
    return RegionDetector(FasterRcnn(Backbone(), Head(), Proposer()), CARD, DetectConfig(**options))


def test_it_is_a_detector():
    assert_is_detector(detector(conf=0.5))


def test_one_object_from_the_first_proposal():
    [found] = detector(conf=0.5).detect([LANDSCAPE])
    assert found.class_id.tolist() == [1]
    assert found.xyxy[0] == pytest.approx([216 - 64, 112 - 64, 216 + 64, 112 + 64])


def test_the_backbone_runs_once():
    before = Backbone.runs
    detector().detect([LANDSCAPE])
    assert Backbone.runs == before + 1


def test_cost_is_both_networks_and_the_head_for_each():
    cost = detector().cost(LANDSCAPE)
    assert (cost.whole, cost.each) == (1100, 10)
