"""Propose, classify, suppress, with parts that say what the test wants."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from tests.contract import assert_is_detector
from tests.regions import FixedRegions
from tests.strategies import boxes
from yolo_cli.config import DetectConfig
from yolo_cli.detectors.regions import (
    RegionDetector,
    apply_deltas,
    deltas_between,
    softmax,
)
from yolo_cli.detectors.trace import RegionScores
from yolo_cli.errors import UsageError
from yolo_cli.images import Image
from yolo_cli.weights import ModelCard

CARD = ModelCard("fake", ("cat", "dog"), (), (64, 64), "stretch")
IMAGE = Image(np.zeros((50, 100, 3), np.uint8))


def detector(found, scores, xyxy=None, **options):
    found = np.array(found, np.float32)
    xyxy = found[:, None] if xyxy is None else xyxy
    regions = RegionScores(np.array(scores, np.float32), xyxy)
    config = DetectConfig(**options)
    return RegionDetector(FixedRegions(found, regions), CARD, config)


def test_every_class_above_the_confidence():
    [found] = detector([[0, 0, 10, 10]], [[0.3, 0.8]]).detect([IMAGE])
    assert found.class_id.tolist() == [1, 0]
    assert found.confidence == pytest.approx([0.8, 0.3])


def test_a_region_has_its_best_class_only():
    [found] = detector([[0, 0, 10, 10]], [[0.3, 0.8]], multi_label=False).detect([IMAGE])
    assert found.class_id.tolist() == [1]
    [found] = detector([[0, 0, 10, 10]], [[0.3, 0.8]], multi_label=False, classes=(0,)).detect([IMAGE])
    assert found.class_id.tolist() == []


def test_the_threshold_itself_is_not_above():
    [found] = detector([[0, 0, 10, 10]], [[0.25, 0.26]]).detect([IMAGE])
    assert found.class_id.tolist() == [1]


def test_suppression_is_by_class():
    two = [[0, 0, 10, 10], [0, 0, 10, 9]]  # IoU 0.9
    [found] = detector(two, [[0.9, 0.3], [0.8, 0.7]]).detect([IMAGE])
    assert list(zip(found.class_id.tolist(), found.xyxy[:, 3].tolist(), strict=True)) == [(0, 10), (1, 9)]
    [found] = detector(two, [[0.9, 0.3], [0.8, 0.7]], agnostic=True).detect([IMAGE])
    assert found.class_id.tolist() == [0]


def test_boxes_are_clipped_and_those_outside_go():
    [found] = detector([[-5, -5, 120, 20], [200, 0, 210, 10]], [[0.9, 0], [0.8, 0]]).detect([IMAGE])
    assert found.xyxy.tolist() == [[0, 0, 100, 20]]


def test_each_class_has_its_own_box():
    xyxy = np.float32([[[0, 0, 10, 10], [50, 5, 60, 20]]])
    [found] = detector([[0, 0, 30, 30]], [[0.5, 0.9]], xyxy).detect([IMAGE])
    assert found.xyxy.tolist() == [[50, 5, 60, 20], [0, 0, 10, 10]]


def test_wanted_classes_and_limit():
    args = [[0, 0, 10, 10], [40, 0, 50, 10]], [[0.9, 0.8], [0.7, 0.6]]
    assert detector(*args, classes=(1,)).detect([IMAGE])[0].class_id.tolist() == [1, 1]
    assert detector(*args, max_det=1).detect([IMAGE])[0].confidence == pytest.approx([0.9])


def test_times_and_no_images():
    found, times = detector([[0, 0, 10, 10]], [[0.9, 0.1]]).detect_timed([IMAGE, IMAGE])
    assert len(found) == 2
    assert min(times.prepare_ms, times.infer_ms, times.post_ms) > 0
    assert detector([[0, 0, 1, 1]], [[0, 0]]).detect([]) == []


def test_the_view_of_an_image_is_computed_once_for_both_parts():
    viewed = []

    class Both(FixedRegions):
        def view(self, image):
            viewed.append(image.name)
            return f"map of {image.name}"

        def propose(self, view):
            assert view == "map of image"
            return np.float32([[0, 0, 9, 9]])

        def classify(self, view, boxes):
            assert view == "map of image"
            return RegionScores(np.float32([[0.9, 0.1]]), boxes[:, None])

    both = RegionDetector(Both(), CARD)
    assert both.detect([IMAGE, IMAGE])[1].class_id.tolist() == [0]
    assert viewed == ["image", "image"]
    trace = both.trace(IMAGE)
    assert viewed == ["image"] * 3
    assert (trace.regions.shape, trace.evaluated) == ((1, 4), 1)
    assert trace.proposed.origins(np.array([0])) == ["proposal 1"]
    assert trace.grid is None


@pytest.mark.parametrize("options", [{"classes": (2,)}, {"imgsz": (64, 64)}, {"resize": "letterbox"}])
def test_options_that_do_not_fit(options):
    with pytest.raises(UsageError, match=next(iter(options))):
        detector([[0, 0, 1, 1]], [[0, 0]], **options)


def test_scores_and_boxes_must_fit():
    with pytest.raises(ValueError, match="do not fit"):
        RegionScores(np.zeros((3, 2)), np.zeros((3, 5, 4)))


def test_it_is_a_detector():
    assert_is_detector(detector([[0, 0, 70, 70], [5, 5, 30, 70]], [[0.9, 0.3], [0.4, 0.6]]))


def test_softmax_by_hand_and_for_large_values():
    assert softmax(np.array([[0.0, np.log(3)]])) == pytest.approx(np.array([[0.25, 0.75]]))
    assert softmax(np.array([[1000.0, 0.0]])) == pytest.approx(np.array([[1.0, 0.0]]))


def test_deltas_by_hand():
    # From centre (5, 10), size 10 x 20, to centre (6, 15), size 20 x 10: dx 1/10, dy 5/20, dw ln 2, dh -ln 2.
    change = deltas_between(np.array([[0, 0, 10, 20.0]]), np.array([[-4, 10, 16, 20.0]]))
    assert change[0] == pytest.approx([0.1, 0.25, np.log(2), -np.log(2)])


@given(boxes(min_count=4, max_count=4, degenerate=False))
def test_deltas_go_there_and_back(xyxy):
    here, goal = xyxy[:2].astype(float), xyxy[2:].astype(float)
    assert apply_deltas(here, deltas_between(here, goal)[:, None])[:, 0] == pytest.approx(goal, abs=1e-9)


def test_wild_deltas_stay_finite():
    assert np.isfinite(apply_deltas(np.array([[0, 0, 10, 20.0]]), np.full((1, 1, 4), 1e4))).all()
