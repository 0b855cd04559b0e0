"""Laws of fitted anchors."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from yolo_cli.anchors import best_possible_recall, fit_anchors, mean_iou
from yolo_cli.anchors.kmeans import _refined, _start

SIZES = arrays(
    float, st.tuples(st.integers(6, 40), st.just(2)), elements=st.integers(1, 60).map(lambda n: n / 4)
)
FAST = settings(deadline=None, max_examples=60)


def anchors_for(boxes, **options):
    return fit_anchors(boxes, min(3, len(np.unique(boxes, axis=0))), **options)


@FAST
@given(SIZES, st.integers(0, 5))
def test_k_means_is_never_worse_than_its_start(boxes, seed):
    start = _start(boxes, 3, np.random.default_rng(seed))
    assert mean_iou(boxes, _refined(boxes, start)) >= mean_iou(boxes, start)


@FAST
@given(SIZES, st.integers(0, 5))
def test_more_starts_are_never_worse(boxes, seed):
    figures = [mean_iou(boxes, anchors_for(boxes, seed=seed, starts=starts)) for starts in (1, 3, 6)]
    assert figures == sorted(figures)


@FAST
@given(SIZES, st.randoms(use_true_random=False))
def test_the_order_of_boxes_does_not_matter(boxes, random):
    order = random.sample(range(len(boxes)), len(boxes))
    np.testing.assert_array_equal(anchors_for(boxes[order], starts=2), anchors_for(boxes, starts=2))


@FAST
@given(SIZES)
def test_anchors_come_by_area_and_grow_with_the_boxes(boxes):
    anchors = anchors_for(boxes, starts=2)
    assert (np.diff(anchors.prod(axis=1)) >= 0).all()
    np.testing.assert_array_equal(anchors_for(boxes * 4, starts=2), anchors * 4)


@FAST
@given(SIZES)
def test_figures_are_shares_and_no_box_is_lost_at_iou_0(boxes):
    anchors = anchors_for(boxes, starts=1)
    recalls = [best_possible_recall(boxes, anchors, iou) for iou in (0, 0.3, 0.6, 0.9)]
    assert recalls[0] == 1
    assert recalls == sorted(recalls, reverse=True)
    assert 0 < mean_iou(boxes, anchors) <= 1


@FAST
@given(SIZES)
def test_boxes_are_not_changed(boxes):
    before = boxes.copy()
    anchors_for(boxes, starts=1)
    np.testing.assert_array_equal(boxes, before)
