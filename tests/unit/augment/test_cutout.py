"""Hiding rectangles."""

from __future__ import annotations

import cv2
import numpy as np

from yolo_cli.augment.cutout import cut_out
from yolo_cli.config import AugmentConfig
from yolo_cli.detections import GroundTruth
from yolo_cli.letterbox import GREY

WHITE = np.full((100, 200, 3), 255, np.uint8)
ALWAYS = AugmentConfig(cutout=1.0, cutout_side=0.5, min_visible=0.25)


def test_never_means_never():
    rgb, ground_truth = cut_out(WHITE, GroundTruth(), np.random.default_rng(0), AugmentConfig(cutout=0.0))
    assert rgb is WHITE
    assert len(ground_truth) == 0


def test_holes_are_grey_and_no_larger_than_allowed():
    shares = []
    for seed in range(60):
        rgb, _ = cut_out(WHITE, GroundTruth(), np.random.default_rng(seed), ALWAYS)
        grey = (rgb == GREY).all(axis=2)
        assert (grey | (rgb == 255).all(axis=2)).all()
        shares.append(grey.mean())
    # One hole: between (0.2 * 0.5)² = 0.01 and 0.5² = 0.25 of the image; three: at most 0.75.
    assert min(shares) >= 0.01
    assert 0.25 < max(shares) <= 0.75
    assert (WHITE == 255).all()


def test_one_to_three_holes():
    counts = set()
    for seed in range(60):
        rgb, _ = cut_out(
            WHITE, GroundTruth(), np.random.default_rng(seed), AugmentConfig(cutout=1, cutout_side=0.1)
        )
        counts.add(cv2.connectedComponents((rgb[..., 0] == GREY).astype(np.uint8))[0] - 1)
    assert counts == {1, 2, 3}


def test_enough_of_every_object_stays_in_sight():
    boxes = np.float32([[10, 10, 50, 40], [80, 20, 100, 90], [150, 5, 160, 15]])
    ground_truth = GroundTruth(boxes, np.array([0, 1, 2]))
    hidden_somewhere = np.zeros(3, bool)
    for seed in range(100):
        rgb, after = cut_out(WHITE, ground_truth, np.random.default_rng(seed), ALWAYS)
        assert after is ground_truth
        for index, (left, top, right, bottom) in enumerate(boxes.astype(int).tolist()):
            seen = (rgb[top:bottom, left:right] == 255).all(axis=2).mean()
            assert seen >= 0.25
            hidden_somewhere[index] |= seen < 0.5
    # Holes do fall on objects; the law above is not empty.
    assert hidden_somewhere.all()
