"""Views and their vectors, the loss by hand, and a network that learns what can be learnt."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from yolo_cli.detections import GroundTruth
from yolo_cli.detectors.localisation import decode, encode
from yolo_cli.images import Image
from yolo_cli.training.regions.localisation import (
    Views,
    collect_views,
    fit_localisation_head,
    localisation_loss,
    views_of,
)

# 208 x 104 pixels become 416 x 208, with 104 above: two pixels of the square for each of the image.
RGB = np.random.default_rng(0).integers(0, 256, (104, 208, 3), np.uint8)
GROUND_TRUTH = GroundTruth(np.array([[0, 0, 30, 20], [100, 20, 200, 100]], float), np.array([2, 1]))


def test_views_by_hand():
    views = list(views_of(RGB, GROUND_TRUTH, np.random.default_rng(0)))
    assert len(views) == 5  # whole, three that vary, and a part that shows nothing
    assert all(rgb.shape == (416, 416, 3) for rgb, _ in views)
    assert views[0][1].xyxy.tolist() == [[0, 104, 60, 144], [200, 144, 400, 304]]
    assert not len(views[-1][1])
    assert not any(np.array_equal(views[0][0], rgb) for rgb, _ in views[1:])


def test_no_empty_part_where_the_object_fills_the_image():
    full = GroundTruth(np.array([[0, 0, 208, 104]], float), np.array([0]))
    assert len(list(views_of(RGB, full, np.random.default_rng(0)))) == 4


class OneSample:
    ground_truth = GROUND_TRUTH

    def read(self) -> Image:
        return Image(RGB)


def test_the_largest_object_counts():
    views = collect_views([OneSample()], lambda image: image.rgb[:2, :2, :1] / 255, 3)
    assert views.features.shape == (5, 2, 2, 1)
    # (200, 144) to (400, 304) of 416: centre (300, 224), 160 high, 200 wide.
    assert views.vectors[0] == pytest.approx([1, 300 / 416, 224 / 416, 160 / 416, 200 / 416, 0, 1, 0])
    assert views.vectors[-1].tolist() == [0] * 8


def test_difficult_objects_and_crowds_are_ignored():
    class Difficult(OneSample):
        ground_truth = GroundTruth(
            GROUND_TRUTH.xyxy, GROUND_TRUTH.class_id, difficult=np.array([False, True])
        )

    views = collect_views([Difficult()], lambda image: image.rgb[:2, :2, :1] / 255, 3)
    assert views.vectors[0, 5:].tolist() == [0, 0, 1]


def test_views_of_ignored_objects_alone_teach_nothing():
    class Crowd(OneSample):
        ground_truth = GroundTruth(
            GROUND_TRUTH.xyxy, GROUND_TRUTH.class_id, np.array([True, False]), np.array([False, True])
        )

    class Nothing(OneSample):
        ground_truth = GroundTruth()

    def describe(image: Image) -> np.ndarray:
        return image.rgb[:2, :2, :1] / 255

    # Only the part without either of them says that nothing is there; all five views without ground truth do.
    assert collect_views([Crowd()], describe, 3).vectors.tolist() == [[0.0] * 8]
    assert collect_views([Crowd(), Nothing()], describe, 3).features.shape == (1 + 5, 2, 2, 1)


def test_loss_by_hand():
    right = np.concatenate([[0.0], [0.0, 0.0, 0.0, 0.0], [0.0, 0.0]])  # σ(0) = 1/2: the box in the middle
    middle = encode(np.array([0.25, 0.25, 0.75, 0.75]), 0, 2)
    nothing = encode(None, 0, 2)
    # p_c at 1/2 costs ln 2 either way; the box is right; two classes alike cost ln 2, whatever the smoothing.
    # Where nothing is there only p_c counts.
    found = keras.ops.convert_to_numpy(
        localisation_loss(np.stack([middle, nothing]), np.stack([right, right]).astype(np.float32))
    )
    assert found == pytest.approx([2 * np.log(2), np.log(2)], abs=1e-4)


def test_a_box_beside_the_ground_truth_costs_its_weight():
    # The middle against the upper left quarter: IoU 1/16 of 1/4 + 1/4 - 1/16 is 1/7; centres (1/4, 1/4) apart
    # in a hull of 3/4: (2/16) / (2 · 9/16) = 1/9. 3 (1 - 1/7 + 1/9), and ln 2 twice as before.
    quarter = encode(np.array([0.0, 0.0, 0.5, 0.5]), 1, 2)
    [found] = keras.ops.convert_to_numpy(localisation_loss(quarter[None], np.zeros((1, 7), np.float32)))
    assert found == pytest.approx(2 * np.log(2) + 3 * (1 - 1 / 7 + 1 / 9), abs=1e-4)


def test_it_learns_class_and_box():
    """A bright square cell says where; its channel says what."""
    random = np.random.default_rng(0)
    features = random.normal(0, 0.1, (1500, 8, 8, 3)).astype(np.float16)
    vectors = np.zeros((1500, 8), np.float32)
    for one, vector in zip(features, vectors, strict=True):
        row, column, class_id = *random.integers(0, 5, 2), random.integers(0, 3)
        one[row : row + 4, column : column + 4, class_id] += 2
        vector[:] = encode(np.array([column, row, column + 4, row + 4]) / 8, class_id, 3)
    model = fit_localisation_head(Views(features[:1300], vectors[:1300]), 3, 12)
    scores, xyxy = decode(np.asarray(model.predict_on_batch(features[1300:].astype(np.float32)), float))
    assert (scores.argmax(axis=1) == vectors[1300:, 5:].argmax(axis=1)).mean() > 0.95
    _, ground_truth = decode(
        np.concatenate([[[9.0]] * 200, _logit(vectors[1300:, 1:5]), np.zeros((200, 3))], axis=1)
    )
    assert np.abs(xyxy - ground_truth).mean() < 0.05


def _logit(fraction: np.ndarray) -> np.ndarray:
    return np.log(fraction / (1 - fraction))
