"""Laws of the geometry of boxes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.oracles import slow_area, slow_iou
from tests.strategies import boxes as some_boxes
from yolo_cli import boxes

SIMILARITIES = (boxes.iou, boxes.giou, boxes.diou, boxes.ciou)


@given(some_boxes(), some_boxes())
def test_iou_equals_the_slow_one(a, b):
    slow = [[slow_iou(p, q) for q in b.tolist()] for p in a.tolist()]
    assert boxes.iou(a, b) == pytest.approx(np.array(slow).reshape(len(a), len(b)), abs=1e-6)


@given(some_boxes())
def test_area_equals_the_slow_one(a):
    assert boxes.area(a).tolist() == [slow_area(box) for box in a.tolist()]


@pytest.mark.parametrize("similarity", SIMILARITIES)
@given(a=some_boxes(), b=some_boxes())
def test_similarities_are_symmetric(similarity, a, b):
    assert np.array_equal(similarity(a, b), similarity(b, a).T)


@given(some_boxes(), some_boxes())
def test_iou_lies_between_0_and_1_and_bounds_the_others(a, b):
    iou = boxes.iou(a, b)
    assert ((iou >= 0) & (iou <= 1)).all()
    for other in (boxes.giou(a, b), boxes.diou(a, b), boxes.ciou(a, b)):
        assert (other <= iou).all()
    assert (boxes.giou(a, b) >= -1).all()
    assert (boxes.diou(a, b) >= -1).all()


@given(st.integers(0, 2**32 - 1))
def test_iou_stays_between_0_and_1_with_coordinates_that_round(seed):
    rng = np.random.default_rng(seed)
    low = rng.uniform(0, 400, (20, 2)).astype(np.float32)
    some = np.concatenate([low, low + rng.uniform(0, 2, (20, 2)).astype(np.float32)], axis=1)
    near = some + rng.uniform(-1e-4, 1e-4, some.shape).astype(np.float32)
    iou = boxes.iou(some, near)
    assert ((iou >= 0) & (iou <= 1)).all()


@pytest.mark.parametrize("similarity", SIMILARITIES)
@given(a=some_boxes())
def test_a_box_is_1_with_itself_unless_its_area_is_0(similarity, a):
    assert np.diag(similarity(a, a)).tolist() == (boxes.area(a) > 0).tolist()


@given(some_boxes(), some_boxes(), st.integers(-99, 99), st.integers(-99, 99), st.sampled_from([0.5, 2, 4]))
def test_moving_and_scaling_both_changes_no_similarity(a, b, x, y, scale):
    move = np.float32([x, y, x, y])
    for similarity in SIMILARITIES:
        moved = similarity((a + move) * np.float32(scale), (b + move) * np.float32(scale))
        assert moved == pytest.approx(similarity(a, b), abs=1e-6)


@given(some_boxes())
def test_conversions_go_there_and_back(a):
    assert np.array_equal(boxes.cxcywh_to_xyxy(boxes.xyxy_to_cxcywh(a)), a)
    assert np.array_equal(boxes.xywh_to_xyxy(boxes.xyxy_to_xywh(a)), a)


@given(some_boxes(), st.integers(1, 64), st.integers(1, 64))
def test_clip_is_the_intersection_with_the_image(a, width, height):
    clipped = boxes.clip(a, width, height)
    image = np.float32([[0, 0, width, height]])
    assert np.array_equal(boxes.area(clipped), boxes.intersection(a, image)[:, 0])
    assert np.array_equal(boxes.clip(clipped, width, height), clipped)


@given(some_boxes(min_count=1), some_boxes(min_count=1))
def test_no_argument_is_changed(a, b):
    before = a.copy(), b.copy()
    for function in (*SIMILARITIES, boxes.intersection):
        function(a, b)
    for function in (
        boxes.area,
        boxes.xyxy_to_xywh,
        boxes.xywh_to_xyxy,
        boxes.xyxy_to_cxcywh,
        boxes.cxcywh_to_xyxy,
    ):
        function(a)
    boxes.clip(a, 3, 3)
    assert np.array_equal(a, before[0])
    assert np.array_equal(b, before[1])
