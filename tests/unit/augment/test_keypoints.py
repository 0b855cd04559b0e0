"""Key points in augmented images: mirrored, moved, and no longer labelled where they are not seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from yolo_cli.augment import augment
from yolo_cli.augment.placement import Placement
from yolo_cli.config import AugmentConfig
from yolo_cli.detections import GroundTruth

OFF = AugmentConfig.off()
# left eye, right eye, nose; the last is not labelled
POINTS = np.array([[[12.0, 10.0, 2.0], [20.0, 10.0, 1.0], [0.0, 0.0, 0.0]]])
ANIMAL = GroundTruth(np.array([[10.0, 5.0, 30.0, 25.0]]), np.array([0]), keypoints=POINTS)
IMAGE = np.zeros((40, 40, 3), np.uint8)
FLIP = (1, 0, 2)


def one(config: AugmentConfig, flip_idx: tuple[int, ...] = FLIP, count: int = 1) -> GroundTruth:
    return augment([(IMAGE, ANIMAL)] * count, np.random.default_rng(0), config, (40, 40), flip_idx)[1]


def test_nothing_changes_without_augmentation() -> None:
    assert np.array_equal(one(OFF).keypoints, POINTS)


def test_a_mirror_exchanges_left_and_right() -> None:
    # x becomes 40 − x: the left eye of the mirrored image is where the right one was, at 40 − 20.
    found = one(replace(OFF, flip=1.0)).keypoints
    np.testing.assert_allclose(found, [[[20, 10, 1], [28, 10, 2], [0, 0, 0]]])


def test_two_mirrors_are_a_rotation_and_exchange_nothing() -> None:
    found = one(replace(OFF, flip=1.0, flip_vertical=1.0)).keypoints
    np.testing.assert_allclose(found, [[[28, 30, 2], [20, 30, 1], [0, 0, 0]]])


def test_a_point_beyond_the_image_is_no_longer_labelled() -> None:
    # 40 pixels at twice their size on a canvas of 40, flush right and bottom: x becomes 2x − 40.
    large = Placement.centred((40, 40), (80, 80)).moved((40, 40), 1.0, 0.0)
    found = large.carry(ANIMAL, 0.1, FLIP).keypoints
    np.testing.assert_allclose(found, [[[0, 0, 0], [0, 20, 1], [0, 0, 0]]])


def test_a_mosaic_moves_points_with_their_boxes() -> None:
    found = one(replace(OFF, mosaic=1.0, min_visible=0.0), count=4)
    assert found.keypoints is not None
    for box, points in zip(found.xyxy, found.keypoints, strict=True):
        seen = points[:, 2] > 0
        assert (points[seen, :2] >= box[:2] - 1e-9).all()
        assert (points[seen, :2] <= box[2:] + 1e-9).all()
        assert (points[~seen] == 0).all()


def test_images_without_points_join_those_with() -> None:
    bare = replace(ANIMAL, keypoints=None)
    samples = [(IMAGE, ANIMAL), (IMAGE, bare), (IMAGE, ANIMAL), (IMAGE, bare)]
    found = augment(samples, np.random.default_rng(1), replace(OFF, min_visible=0.0), (40, 40), FLIP)[1]
    assert found.keypoints is not None
    assert found.keypoints.shape == (len(found), 3, 3)
