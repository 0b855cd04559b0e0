"""Targets of one image, worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from yolo_cli.codec import boxes_from_raw, encode, raw_from_boxes
from yolo_cli.heads import Head, slot_anchors, slot_cells

# Two anchors on a grid of 4 × 4 cells of 16 pixels; a centre can be half a cell beyond its cell.
HEAD = Head("yolo", ((16.0, 16.0), (40.0, 20.0)), 16, 3, scale_x_y=2.0)
GRIDS = [(4, 4)]


def encoded(*xyxy: list[float], heads: tuple[Head, ...] = (HEAD,), grids: list[tuple[int, int]] = GRIDS):
    boxes = np.float32(xyxy).reshape(-1, 4)
    return encode(boxes, np.arange(len(boxes)), heads, grids)


def test_one_box_by_hand() -> None:
    # The box (20, 10, 44, 26): centre (32, 18), size 24 × 16. In cells: (2.0, 1.125).
    # Its cell is column 2, row 1. From column 1 the centre is 1.0 away: σ must give (1.0 + 0.5) / 2 = 0.75,
    # which it can; from column 3 it is −1.0 away: −0.25, which σ cannot give. From row 0 it is 1.125 away:
    # 0.8125; from row 2 −0.875: −0.19. So three cells answer: (2, 1), (1, 1) and (2, 0).
    # Both anchors fit: 24 / 16 = 1.5 and 40 / 24 = 1.67 are below 4.
    # slot = (row · 4 + column) · 2 + anchor: 12 and 13, 10 and 11, 4 and 5.
    targets = encoded([20, 10, 44, 26])
    assert targets.slot.tolist() == [4, 5, 10, 11, 12, 13]
    assert targets.cxcywh.tolist() == [[32, 18, 24, 16]] * 6
    assert targets.class_id.tolist() == targets.ground_truth.tolist() == [0] * 6


def test_raw_values_by_hand() -> None:
    # In cell (2, 1), anchor 16 × 16: σ(tx) = (0 + 0.5) / 2 = 1/4, so tx = ln(1/3); σ(ty) = (0.125 + 0.5) / 2,
    # that is 5/16, so ty = ln(5/11); tw = ln(24 / 16), th = ln(16 / 16).
    raw = raw_from_boxes(np.float32([32, 18, 24, 16]), np.float32([2, 1]), np.float32([16, 16]), HEAD)
    assert raw == pytest.approx([np.log(1 / 3), np.log(5 / 11), np.log(1.5), 0], abs=1e-6)


def test_raw_values_of_new_coords_by_hand() -> None:
    # σ is in the network already: x = (0 + 0.5) / 2 and y = 0.3125; (2 · tw)² = 1.5: tw = √1.5 / 2; th = 1/2.
    head = Head("new_coords", HEAD.anchors, 16, 3, scale_x_y=2.0)
    raw = raw_from_boxes(np.float32([32, 18, 24, 16]), np.float32([2, 1]), np.float32([16, 16]), head)
    assert raw == pytest.approx([0.25, 0.3125, np.sqrt(1.5) / 2, 0.5], abs=1e-6)


def test_neighbours_to_the_right_and_below_by_hand() -> None:
    # The box (32, 22, 56, 38): its centre (44, 30) is at (2.75, 1.875) cells, in column 2, row 1. From column
    # 3 it is −0.25 away: σ must give (−0.25 + 0.5) / 2 = 0.125; from row 2 −0.125 away: 0.1875. From column 1
    # it is 1.75 away, from row 0 1.875: more than 1. Slots of (2, 1), (3, 1) and (2, 2), two anchors each:
    assert encoded([32, 22, 56, 38]).slot.tolist() == [12, 13, 14, 15, 20, 21]


def test_both_sides_have_to_fit_an_anchor() -> None:
    # 70 × 16 pixels: 70 / 16 = 4.4 is too wide for the first anchor; the second fits, 70 / 40 and 20 / 16.
    assert encoded([-3, 10, 67, 26]).slot.tolist() == [5, 11, 13]


def test_the_last_column_of_a_grid_that_is_not_square() -> None:
    # Two rows of four cells. The centre (56, 8) is in the middle of column 3, row 0: no neighbour reaches it.
    assert encoded([48, 0, 64, 16], grids=[(2, 4)]).slot.tolist() == [6, 7]


def test_a_centre_too_far_to_the_right_comes_as_close_as_it_can() -> None:
    # From cell (0, 1) the centre is 2 cells away: σ cannot give (2 + 0.5) / 2. It gives almost 1: 1.5 cells.
    raw = raw_from_boxes(np.float32([32, 18, 24, 16]), np.float32([0, 1]), np.float32([16, 16]), HEAD)
    assert boxes_from_raw(raw, np.float32([0, 1]), np.float32([16, 16]), HEAD)[0] == pytest.approx(
        1.5 * 16, abs=1e-3
    )


def test_narrow_reach_leaves_only_the_own_cell() -> None:
    head = Head("yolo", HEAD.anchors, 16, 3, scale_x_y=1.05)
    assert encoded([20, 10, 44, 26], heads=(head,)).slot.tolist() == [12, 13]


def test_slots_count_on_through_heads() -> None:
    # A second head of 2 × 2 cells begins at 4 · 4 · 2 = 32. The centre is (1.0, 0.5625) of its cells: it is
    # in cell (1, 0), and 1.0 away from (0, 0). The anchor 64 × 64 is 64 / 16 = 4 times too high: too much.
    coarse = Head("yolo", ((64.0, 64.0), (30.0, 30.0)), 32, 3, scale_x_y=2.0)
    slots = encoded([20, 10, 44, 26], heads=(HEAD, coarse), grids=[(4, 4), (2, 2)]).slot
    assert slots.tolist() == [4, 5, 10, 11, 12, 13, 32 + 1, 32 + 3]


def test_a_box_that_fits_no_anchor_gets_the_best() -> None:
    # 2 × 2 pixels at (8, 8): 16 / 2 = 8 and 40 / 2 = 20 are both above 4; the first is nearer.
    # The centre is the middle of cell (0, 0): 0.5, which no other cell reaches well.
    assert encoded([7, 7, 9, 9]).slot.tolist() == [0]


def test_a_contested_slot_goes_to_the_nearer_size() -> None:
    # Two boxes around (24, 24), the middle of cell (1, 1), anchors 10 and 11: 16 × 16 is anchor 0 itself, and
    # 40 × 20 is anchor 1 itself; each anchor also fits the other box, less well.
    targets = encoded([16, 16, 32, 32], [4, 14, 44, 34])
    assert targets.slot.tolist() == [10, 11]
    assert targets.ground_truth.tolist() == [0, 1]


def test_a_centre_on_the_far_edge_belongs_to_the_last_cell() -> None:
    # Centre (64, 64) would be in column 4, row 4 of 4. In cell (3, 3): slot (3 · 4 + 3) · 2 = 30 and 31.
    assert encoded([56, 56, 72, 72]).slot.tolist() == [30, 31]


def test_no_ground_truth_has_no_target() -> None:
    targets = encoded()
    assert len(targets) == 0
    assert targets.cxcywh.shape == (0, 4)


def test_slots_are_laid_out_as_decode_counts_them() -> None:
    # Slot 13 of the first head is cell 6 = row 1, column 2, anchor 1.
    assert slot_cells([HEAD], GRIDS)[13].tolist() == [2, 1]
    assert slot_anchors([HEAD], GRIDS)[13].tolist() == [40, 20]
    assert len(slot_cells([HEAD], GRIDS)) == len(slot_anchors([HEAD], GRIDS)) == 32


@pytest.mark.parametrize(("ratio", "fits"), [(3.9, True), (4.1, False), (1 / 3.9, True), (1 / 4.1, False)])
def test_how_much_larger_or_smaller_an_object_may_be(ratio: float, fits: bool) -> None:
    """The box is as large as the second anchor, and ``ratio`` times the first; its cell is (1, 1)."""
    side = 16.0 * ratio
    head = Head("yolo", ((16.0, 16.0), (side, side)), 16, 3, scale_x_y=1.0)
    assert encoded(
        [24 - side / 2, 24 - side / 2, 24 + side / 2, 24 + side / 2], heads=(head,)
    ).slot.tolist() == ([10, 11] if fits else [11])


@pytest.mark.parametrize(("offset", "reached"), [(0.94, True), (0.96, False)])
def test_how_far_a_cell_reaches(offset: float, reached: bool) -> None:
    """With a reach of two cells σ = (distance + 1/2) / 2, so the distance to the left cell is 2σ − 1/2."""
    x = 16 * (2 * offset - 0.5)  # the centre, in pixels from the first cell's edge; in the second cell
    slots = encoded([x - 8, 0, x + 8, 16]).slot.tolist()  # in the middle of the first row: σ 0.5
    assert 2 in slots  # (row 0, column 1), anchor 0
    assert (0 in slots) is reached


def test_a_centre_before_the_first_cell_belongs_to_it() -> None:
    # The centre (−8, 8) is in no cell; column 0 is the nearest, and no neighbour reaches it.
    assert set((encoded([-16, 0, 0, 16]).slot // 2).tolist()) == {0}


def test_a_centre_out_of_reach_comes_as_close_as_it_can() -> None:
    # In cell (2, 2) with the centre of cell (0, 0): σ would have to be negative, so it is 1e-6.
    raw = raw_from_boxes(np.float32([8, 8, 16, 16]), np.float32([2, 2]), np.float32([16, 16]), HEAD)
    assert raw[:2] == pytest.approx([np.log(1e-6 / (1 - 1e-6))] * 2)


def test_a_contested_slot_goes_to_the_nearer_centre() -> None:
    # Both are 16 × 16. (24, 24) is the centre of cell (1, 1): σ = 1/2 twice. (18, 18) asks for 0.3125 there.
    near, far = [16, 16, 32, 32], [10, 10, 26, 26]
    for boxes, nearer in (((near, far), 0), ((far, near), 1)):
        targets = encoded(*boxes)
        # slot (1 · 4 + 1) · 2 + 0
        assert targets.ground_truth[targets.slot == 10].tolist() == [nearer]
