"""Laws of the geometry of boxes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.oracles import slow_area, slow_iou
from tests.strategies import boxes as some_boxes
from yolo_cli import boxes


@given(some_boxes(), some_boxes())
def test_iou_equals_the_slow_one(a, b):
    slow = [[slow_iou(p, q) for q in b.tolist()] for p in a.tolist()]
    assert boxes.box_iou(a, b) == pytest.approx(np.array(slow).reshape(len(a), len(b)), abs=1e-6)


@given(some_boxes())
def test_area_equals_the_slow_one(a):
    assert boxes.box_area(a).tolist() == [slow_area(box) for box in a.tolist()]


@given(a=some_boxes(), b=some_boxes())
def test_iou_and_distance_are_symmetric(a, b):
    for measure in (boxes.paired_iou, boxes.paired_centre_distance):
        assert np.array_equal(measure(a[:, None], b), measure(b[:, None], a).T)


@given(some_boxes(), some_boxes())
def test_iou_and_distance_are_between_0_and_1(a, b):
    for measure in (boxes.paired_iou, boxes.paired_centre_distance):
        values = measure(a[:, None], b)
        assert ((values >= 0) & (values <= 1)).all()


@given(st.integers(0, 2**32 - 1))
def test_iou_stays_between_0_and_1_with_coordinates_that_round(seed):
    rng = np.random.default_rng(seed)
    low = rng.uniform(0, 400, (20, 2)).astype(np.float32)
    some = np.concatenate([low, low + rng.uniform(0, 2, (20, 2)).astype(np.float32)], axis=1)
    near = some + rng.uniform(-1e-4, 1e-4, some.shape).astype(np.float32)
    iou = boxes.box_iou(some, near)
    assert ((iou >= 0) & (iou <= 1)).all()


@given(a=some_boxes())
def test_iou_of_a_box_with_itself_is_1_unless_its_area_is_0(a):
    assert np.diag(boxes.box_iou(a, a)).tolist() == (boxes.box_area(a) > 0).tolist()


@given(some_boxes(), some_boxes(), st.integers(-99, 99), st.integers(-99, 99), st.sampled_from([0.5, 2, 4]))
def test_moving_and_scaling_both_changes_nothing(a, b, x, y, scale):
    move = np.float32([x, y, x, y])
    for measure in (boxes.paired_iou, boxes.paired_centre_distance):
        moved = measure(((a + move) * np.float32(scale))[:, None], (b + move) * np.float32(scale))
        assert moved == pytest.approx(measure(a[:, None], b), abs=1e-6)


@given(some_boxes())
def test_conversions_go_there_and_back(a):
    assert np.array_equal(boxes.cxcywh_to_xyxy(boxes.xyxy_to_cxcywh(a)), a)


@given(some_boxes(), st.integers(1, 64), st.integers(1, 64))
def test_clip_is_the_intersection_with_the_image(a, width, height):
    clipped = boxes.clip_boxes(a, (height, width))
    image = np.float32([[0, 0, width, height]])
    assert np.array_equal(boxes.box_area(clipped), boxes.intersection(a, image)[:, 0])
    assert np.array_equal(boxes.clip_boxes(clipped, (height, width)), clipped)


@given(some_boxes(min_count=1), some_boxes(min_count=1))
def test_no_argument_is_changed(a, b):
    before = a.copy(), b.copy()
    for function in (boxes.box_iou, boxes.intersection):
        function(a, b)
    boxes.paired_centre_distance(a[:, None], b)
    for function in (
        boxes.box_area,
        boxes.xyxy_to_xywh,
        boxes.xyxy_to_cxcywh,
        boxes.cxcywh_to_xyxy,
    ):
        function(a)
    boxes.clip_boxes(a, (3, 3))
    assert np.array_equal(a, before[0])
    assert np.array_equal(b, before[1])
