"""The loss of key points: by hand, and zero where nothing is labelled."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import keras
import numpy as np
import pytest

from tests.unit.test_loss import GRIDS, HEADS, noise, packed, some_boxes
from yolo_cli.codec import Head, encode
from yolo_cli.loss import LossWeights, YoloLoss

ONE = (Head("yolo", ((8.0, 16.0),), 16, 1, key_points=2),)
UNIT = LossWeights(box=1, objectness=1, classes=1, keypoints=1, visible=1, label_smoothing=0)


def targets_of(points: list[list[float]]) -> dict[str, Any]:
    """One image with one object, whose box is the anchor in the only cell, and its key points."""
    box = np.float32([[4, 0, 12, 16]])
    targets = packed([(box, np.array([0]))], rows=1, heads=ONE, grids=[(1, 1)])
    return targets | {"keypoints": np.float32([[points]])}


def terms(raw: list[float], points: list[list[float]]) -> dict[str, float]:
    heads = [np.float32(raw).reshape(1, 1, 1, -1)]
    found = YoloLoss(ONE, UNIT, sigmas=(0.1, 0.05))(targets_of(points), heads)
    return {name: float(value) for name, value in found.items()}


def test_by_hand() -> None:
    # The box is that of the target: centre (8, 8), 8 × 16 pixels, area 0.53 · 128 = 67.84. The first point is
    # 2 pixels off: e = 4 / (67.84 · 2 · 0.2²) = 0.737028, ln(1 + e) = 0.552175. The second is 1 pixel off:
    # e = 1 / (67.84 · 2 · 0.1²) = 0.737028, too. Both are labelled, and predicted with σ(0): −ln 0.5.
    found = terms([0, 0, 0, 0, 0, 0, 0.25, 0, 0, 0, 1 / 16, 0], [[8, 8, 2], [8, 8, 1]])
    assert found["keypoints"] == pytest.approx(0.552175, abs=1e-5)
    assert found["visible"] == pytest.approx(np.log(2), abs=1e-6)


def test_a_point_that_is_not_labelled_may_be_anywhere() -> None:
    near = terms([0, 0, 0, 0, 0, 0, 0.25, 0, 9, 0, 0, -9], [[8, 8, 2], [0, 0, 0]])
    far = terms([0, 0, 0, 0, 0, 0, 0.25, 0, 9, 99, 99, -9], [[8, 8, 2], [0, 0, 0]])
    assert near["keypoints"] == far["keypoints"] == pytest.approx(0.552175, abs=1e-5)
    assert near["visible"] == pytest.approx(1.2e-4, abs=1e-5)  # ln(1 + e⁻⁹), for both


def test_an_object_without_points_has_no_such_loss() -> None:
    found = terms([0, 0, 0, 0, 0, 0, 5, 5, 5, 5, 5, 5], [[0, 0, 0], [0, 0, 0]])
    assert found["keypoints"] == found["visible"] == 0


def test_other_terms_are_those_of_heads_without_points() -> None:
    images = [some_boxes(1, 3), some_boxes(2, 2)]
    longer = tuple(replace(head, key_points=2) for head in HEADS)
    raw = noise(3, 2)
    rng = np.random.default_rng(4)
    wide = []
    for values, head in zip(raw, HEADS, strict=True):
        parts = values.reshape(*values.shape[:3], len(head.anchors), -1)
        more = rng.normal(size=(*parts.shape[:4], 6)).astype(np.float32)
        wide.append(np.concatenate([parts, more], axis=4).reshape(*values.shape[:3], -1))
    targets = packed(images)
    points = {"keypoints": np.zeros((2, 40, 2, 3), np.float32)}
    plain, other = YoloLoss(HEADS), YoloLoss(longer, sigmas=(0.05, 0.05))
    before, after = plain(targets, raw), other(targets | points, wide)
    assert plain.names == ("box", "objectness", "class")
    for name in plain.names:
        assert float(before[name]) == float(after[name])


@pytest.mark.parametrize("labelled", [0, 2])
def test_training_moves_points_and_not_boxes(labelled: int) -> None:
    if keras.backend.backend() != "tensorflow":
        pytest.skip("gradients are taken with TensorFlow here; the loss itself runs on every backend")
    import tensorflow as tf

    raw = tf.Variable(np.zeros((1, 1, 1, 12), np.float32))
    with tf.GradientTape() as tape:
        found = YoloLoss(ONE, UNIT, (0.1, 0.05))(targets_of([[9, 8, labelled], [8, 9, labelled]]), [raw])
        loss = found["keypoints"] + found["visible"]
    gradient = tape.gradient(loss, raw).numpy().ravel()
    assert (gradient[:6] == 0).all()  # the box, objectness and class
    assert (gradient[6:] != 0).any() == bool(labelled)


def test_padding_has_no_points() -> None:
    images = [some_boxes(1, 3)]
    count = len(encode(*images[0], HEADS, GRIDS))
    assert packed(images)["positive"].sum() == count < 40


def test_the_mean_is_over_objects_with_points() -> None:
    # Twice the object of test_by_hand: 0.552175 and ln 2 each, and the mean of two equal ones is the same.
    raw = np.float32([0, 0, 0, 0, 0, 0, 0.25, 0, 0, 0, 1 / 16, 0]).reshape(1, 1, 1, -1)
    targets = targets_of([[8, 8, 2], [8, 8, 1]])
    twice = {name: np.concatenate([each, each]) for name, each in targets.items()}
    found = YoloLoss(ONE, UNIT, sigmas=(0.1, 0.05))(twice, [np.concatenate([raw, raw])])
    assert float(found["keypoints"]) == pytest.approx(0.552175, abs=1e-5)
    assert float(found["visible"]) == pytest.approx(np.log(2), abs=1e-6)
