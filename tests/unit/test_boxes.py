"""The geometry of boxes: numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from yolo_cli import boxes

A = np.float32([[0, 0, 4, 4]])
PAIRWISE = (boxes.intersection, boxes.box_iou)


def test_two_overlapping_squares():
    # A is 4 x 4 at the origin, b the same moved by (2, 2). They share 2 x 2 = 4, and fill 16 + 16 - 4 = 28.
    # The centres are (2, 2) apart, d² = 8; the diagonal of the enclosing box, 6 x 6, has c² = 72.
    b = np.float32([[2, 2, 6, 6]])
    assert boxes.intersection(A, b) == pytest.approx(4)
    assert boxes.box_iou(A, b) == pytest.approx(4 / 28)
    assert boxes.paired_centre_distance(A, b) == pytest.approx(8 / 72)


def test_boxes_that_do_not_touch():
    # b is 2 x 4, 6 to the right. Nothing shared. Centres (2, 2) and (11, 2): d² = 81; c² = 144 + 16 = 160.
    b = np.float32([[10, 0, 12, 4]])
    assert boxes.box_iou(A, b) == 0
    assert boxes.paired_centre_distance(A, b) == pytest.approx(81 / 160)


def test_adjacent_boxes_do_not_overlap():
    assert boxes.box_iou(A, np.float32([[4, 0, 8, 4]])) == 0


def test_one_inside_the_other():
    # 2 x 3 of 4 x 4: IoU 6 / 16.
    assert boxes.box_iou(A, np.float32([[1, 1, 3, 4]])) == pytest.approx(6 / 16)


def test_matrix_has_a_row_for_each_of_a_and_a_column_for_each_of_b():
    b = np.float32([[0, 0, 4, 4], [2, 0, 6, 4], [8, 8, 9, 9]])
    # Moved by 2 of 4: 8 / 24.
    assert boxes.box_iou(A, b) == pytest.approx(np.array([[1, 8 / 24, 0]]))
    assert boxes.box_iou(b, A) == pytest.approx(np.array([[1], [8 / 24], [0]]))


@pytest.mark.parametrize("function", PAIRWISE)
@pytest.mark.parametrize(("n", "m"), [(0, 0), (0, 3), (2, 0)])
def test_no_boxes_give_an_empty_matrix(function, n, m):
    assert function(np.zeros((n, 4), np.float32), np.ones((m, 4), np.float32)).shape == (n, m)


@pytest.mark.parametrize("function", PAIRWISE)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_type_is_kept(function, dtype):
    assert function(A.astype(dtype), A.astype(dtype)).dtype == dtype


@pytest.mark.parametrize("function", PAIRWISE)
def test_degenerate_boxes_give_numbers_without_warnings(function):
    # A point, two lines, edges out of order, and a side so short that its square underflows.
    strange = np.float32(
        [[3, 3, 3, 3], [0, 2, 9, 2], [2, 0, 2, 9], [5, 5, 1, 1], [0, 0, 1e-30, 1e-30], [0, 0, 4, 4]]
    )
    assert np.isfinite(function(strange, strange)).all()


def test_a_box_without_area_has_no_overlap_even_with_itself():
    point = np.float32([[3, 3, 3, 3]])
    assert boxes.box_iou(point, point) == 0


def test_edges_out_of_order_are_no_area():
    turned = np.float32([[4, 4, 0, 0]])
    assert boxes.box_area(turned) == 0
    assert boxes.box_iou(A, turned) == 0


def test_paired_is_the_diagonal_of_the_matrix():
    a, b = np.float32([[0, 0, 4, 4], [0, 0, 4, 4]]), np.float32([[2, 0, 6, 4], [1, 1, 3, 4]])
    assert boxes.paired_iou(a, b).tolist() == np.diag(boxes.box_iou(a, b)).tolist()


def test_conversions():
    # Left 10, top 20, 30 wide, 44 high: right 40, bottom 64, centre (25, 42).
    xyxy = np.float32([[10, 20, 40, 64]])
    assert boxes.xyxy_to_xywh(xyxy).tolist() == [[10, 20, 30, 44]]
    assert boxes.xyxy_to_cxcywh(xyxy).tolist() == [[25, 42, 30, 44]]
    assert boxes.cxcywh_to_xyxy(np.float32([[25, 42, 30, 44]])).tolist() == xyxy.tolist()


def test_clip_keeps_boxes_inside():
    outside = np.float32([[-5, -5, 20, 10], [3, 4, 200, 100], [150, 60, 160, 70], [1, 2, 3, 4]])
    inside = [[0, 0, 20, 10], [3, 4, 100, 50], [100, 50, 100, 50], [1, 2, 3, 4]]
    assert boxes.clip_boxes(outside, (50, 100)).tolist() == inside


def test_boxes_whose_edges_are_swapped_have_no_area():
    swapped = np.float32([[4, 0, 0, 3], [0, 3, 4, 0], [4, 3, 0, 0]])
    assert boxes.box_area(swapped).tolist() == [0, 0, 0]
