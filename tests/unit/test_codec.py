"""Raw heads become boxes: one cell of each kind by hand, all cells against loops, and two laws."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.oracles_codec import slow_decode
from yolo_cli.codec import Candidates, boxes_from_raw, decode, decode_values, scores_from_raw
from yolo_cli.heads import Head, grid, slot_anchors, slot_cells

ANCHORS = ((10.0, 14.0), (23.0, 27.0))
HEAD = Head("yolo", ANCHORS, 32, 2)
GFL = Head("gfl", (), 8, 1, bins=8)
# Two rows, three columns, two anchors; the slot of row 1, column 2, anchor 1 is (1 · 3 + 2) · 2 + 1 = 11.
SLOT = 11


def one_slot(values, head=HEAD, nothing=-20.0):
    """A head of 2 x 3 cells where only the slot above says something."""
    raw = np.full((2, 3, 2, 7), nothing, np.float32)
    raw[1, 2, 1] = values
    return decode([raw.reshape(2, 3, 14)], [head], 0.1)


def test_yolo_by_hand():
    """σ(0) = 1/2, σ(ln 3) = 3/4, σ(ln 9) = 9/10, σ(ln 4) = 4/5, e^ln 2 = 2.

    Centre: ((2 + 1/2) · 32, (1 + 3/4) · 32) = (80, 56). Size: 23 · 2 = 46 by 27 · 1 = 27.
    Edges: 80 ∓ 23 and 56 ∓ 13.5. Confidences: 9/10 · 1/2 = 0.45 and 9/10 · 4/5 = 0.72.
    """
    found = one_slot([0, np.log(3), np.log(2), 0, np.log(9), 0, np.log(4)])
    np.testing.assert_allclose(found.xyxy, [[57, 42.5, 103, 69.5]] * 2, rtol=1e-6)
    np.testing.assert_allclose(found.confidence, [0.45, 0.72], rtol=1e-6)
    assert found.class_id.tolist() == [0, 1]
    assert found.slot.tolist() == [SLOT, SLOT]
    assert (found.xyxy.dtype, found.confidence.dtype) == (np.float32, np.float32)


def test_a_wider_reach_by_hand():
    """s = 2: centre ((2 + 2 · 1/2 − 1/2) · 32, (1 + 2 · 3/4 − 1/2) · 32) = (80, 64)."""
    found = one_slot([0, np.log(3), np.log(2), 0, np.log(9), 0, -20], replace(HEAD, scale_x_y=2.0))
    np.testing.assert_allclose(found.xyxy, [[57, 50.5, 103, 77.5]], rtol=1e-6)


def test_new_coords_by_hand():
    """σ has been: centre ((2 + 1/2) · 32, (1 + 3/4) · 32) = (80, 56). Size: 23 · (2 · 1/2)² = 23 by
    27 · (2 · 1)² = 108. Confidences: 0.9 · 0.5 and 0.9 · 0.8."""
    found = one_slot([0.5, 0.75, 0.5, 1, 0.9, 0.5, 0.8], replace(HEAD, kind="new_coords"), nothing=0.0)
    np.testing.assert_allclose(found.xyxy, [[68.5, 2, 91.5, 110]] * 2, rtol=1e-6)
    np.testing.assert_allclose(found.confidence, [0.45, 0.72], rtol=1e-6)


def test_region_by_hand():
    """Softmax of (0, ln 3): 1 / (1 + 3) and 3 / (1 + 3). Confidences: 9/10 · 1/4 = 0.225 and 0.675."""
    values = [0, np.log(3), np.log(2), 0, np.log(9), 0, np.log(3)]
    found = one_slot(values, replace(HEAD, kind="region"))
    np.testing.assert_allclose(found.xyxy, [[57, 42.5, 103, 69.5]] * 2, rtol=1e-6)
    np.testing.assert_allclose(found.confidence, [0.225, 0.675], rtol=1e-6)


def test_distances_by_hand():
    """Two bins, stride 32. The logits 0, ln 3 are 1/4, 3/4 of the mean, so 0.75 cells; 0, 0 are 0.5 cells.

    Row 1, column 2: left (2 − 3/4) · 32 = 40, top (1 − 1/2) · 32 = 16, right (2 + 1/2) · 32 = 80 and bottom
    (1 + 3/4) · 32 = 56. Confidences σ(ln 4) = 4/5 and σ(0) = 1/2. Slot 1 · 3 + 2 = 5.
    """
    raw = np.full((2, 3, 2 + 4 * 2), -20, np.float32)
    raw[1, 2] = [np.log(4), 0, 0, np.log(3), 0, 0, 0, 0, 0, np.log(3)]
    found = decode([raw], [Head("gfl", (), 32, 2, bins=2)], 0.1)
    np.testing.assert_allclose(found.xyxy, [[40, 16, 80, 56]] * 2, rtol=1e-6)
    np.testing.assert_allclose(found.confidence, [0.8, 0.5], rtol=1e-6)
    assert (found.class_id.tolist(), found.slot.tolist()) == ([0, 1], [5, 5])
    assert (found.xyxy.dtype, found.confidence.dtype) == (np.float32, np.float32)


def test_a_distance_never_exceeds_the_last_bin():
    """Eight bins: at most 7 cells of 8 pixels on each side, whatever the values."""
    raw = np.zeros((1, 1, 1 + 4 * 8), np.float32)
    raw[..., [8, 16, 24, 32]] = 1000
    found = decode([raw], [Head("gfl", (), 8, 1, bins=8)], 0.25)
    np.testing.assert_array_equal(found.xyxy, [[-56, -56, 56, 56]])


def test_slots_count_on_through_heads_without_anchors():
    raw = np.zeros((1, 1, 1 + 4 * 8), np.float32)
    found = decode([raw, np.zeros((2, 3, 14), np.float32), raw], [GFL, HEAD, GFL], 0.4)
    assert found.slot.tolist() == [0, 1 + 2 * 3 * 2]


def test_slots_count_on_through_heads():
    """One cell with one anchor before: slot 11 of the second head is slot 12 of all."""
    first = Head("yolo", ((5.0, 5.0),), 64, 2)
    second = np.full((2, 3, 2, 7), -20.0, np.float32)
    second[1, 2, 1] = 5
    found = decode([np.full((1, 1, 7), 5, np.float32), second.reshape(2, 3, 14)], [first, HEAD], 0.5)
    assert found.slot.tolist() == [0, 0, SLOT + 1, SLOT + 1]


def test_a_pair_must_be_above_the_threshold():
    """σ(0) · σ(0) is 1/4 exactly."""
    raw = np.zeros((1, 1, 14), np.float32)
    assert len(decode([raw], [HEAD], 0.25)) == 0
    assert len(decode([raw], [HEAD], np.nextafter(np.float32(0.25), np.float32(0)))) == 4


@pytest.mark.parametrize("kind", ["yolo", "region"])
def test_at_threshold_0_everything_comes_and_at_1_nothing(kind):
    raw = np.random.default_rng(0).normal(size=(2, 3, 14)).astype(np.float32)
    head = replace(HEAD, kind=kind)
    assert len(decode([raw], [head], 0.0)) == 2 * 3 * 2 * 2
    assert len(decode([raw], [head], 1.0)) == 0


def test_no_value_makes_an_infinite_box():
    """e^15 = 3,269,017 times the anchor is the most; beyond that float32 ends at e^88."""
    found = one_slot([0, 0, 1000, 16, 20, 20, 20])
    np.testing.assert_allclose(found.xyxy[0, 2] - found.xyxy[0, 0], 23 * 3_269_017.37, rtol=1e-4)
    assert np.isfinite(found.xyxy).all()


@pytest.mark.parametrize("value", [np.nan, -np.inf])
def test_a_broken_network_finds_nothing(value):
    raw = np.full((2, 3, 14), value, np.float32)
    with np.errstate(invalid="ignore"):
        assert len(decode([raw], [HEAD], 0.25)) == 0
        assert len(decode([np.full((2, 3, 33), value, np.float32)], [GFL], 0.25)) == 0


def test_grid_goes_along_rows_anchors_fastest():
    """Column, row."""
    expected = [
        [0, 0],
        [0, 0],
        [1, 0],
        [1, 0],
        [2, 0],
        [2, 0],
        [0, 1],
        [0, 1],
        [1, 1],
        [1, 1],
        [2, 1],
        [2, 1],
    ]
    assert grid(2, 3, 2).tolist() == expected


def test_channels_of_a_head():
    assert Head("yolo", ANCHORS, 32, 80).channels == 2 * (5 + 80)
    assert Head("gfl", (), 32, 80, bins=8).channels == 80 + 4 * 8


def test_the_best_class_of_each_slot():
    """Slot 5 has 0.4, 0.9 and 0.9 for the classes 2, 1 and 0; slot 3 only 0.3."""
    zeros = np.zeros((4, 4), np.float32)
    confidence, classes = np.float32([0.4, 0.9, 0.3, 0.9]), np.array([2, 1, 1, 0])
    best = Candidates(zeros, confidence, classes, np.array([5, 5, 3, 5])).of_best_class()
    assert (best.slot.tolist(), best.class_id.tolist()) == ([3, 5], [1, 0])
    assert len(Candidates(zeros[:0], confidence[:0], classes[:0], classes[:0]).of_best_class()) == 0


def test_candidates_can_be_picked():
    found = one_slot([0, 0, 0, 0, 20, 20, 20])
    picked = found[np.array([1])]
    assert (len(found), len(picked), picked.class_id.tolist()) == (2, 1, [1])


@st.composite
def raw_heads(draw):
    """One to three heads of any kind with their raw values; those of new_coords are in [0, 1]."""
    heads, raws = [], []
    for _ in range(draw(st.integers(1, 3))):
        anchors = draw(st.lists(st.tuples(st.integers(1, 300), st.integers(1, 300)), min_size=1, max_size=3))
        kind = draw(st.sampled_from(["yolo", "new_coords", "region", "gfl"]))
        head = Head(
            kind,
            () if kind == "gfl" else tuple((float(w), float(h)) for w, h in anchors),
            draw(st.sampled_from([8, 16, 32])),
            draw(st.integers(1, 4)),
            draw(st.sampled_from([1.0, 1.05, 2.0])),
            draw(st.integers(1, 9)),
        )
        numbers = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
        shape = (draw(st.integers(1, 4)), draw(st.integers(1, 4)), head.channels)
        new = head.kind == "new_coords"
        raws.append((numbers.uniform(size=shape) if new else numbers.normal(0, 3, shape)).astype(np.float32))
        heads.append(head)
    return raws, heads


@given(raw_heads(), st.integers(0, 31))
def test_every_slot_against_loops(made, step):
    threshold = (step + 0.37) / 32  # no product of two logistic values falls on it
    raws, heads = made
    expected = slow_decode(raws, heads, threshold)
    found = decode(raws, heads, threshold)
    assert list(zip(found.slot.tolist(), found.class_id.tolist(), strict=True)) == [p[:2] for p in expected]
    np.testing.assert_allclose(found.confidence, [p[2] for p in expected], rtol=1e-5)
    np.testing.assert_allclose(
        found.xyxy, np.reshape([p[3] for p in expected], (-1, 4)), rtol=1e-4, atol=1e-2
    )


@given(raw_heads())
def test_decoding_every_slot_at_once_is_the_same(made):
    """As exported graphs do it: every box, and every class of it."""
    raws, heads = made
    for raw, head in zip(raws, heads, strict=True):
        every = decode([raw], [head], 0.0)
        cell, anchor = slot_cells([head], [raw.shape[:2]]), slot_anchors([head], [raw.shape[:2]])
        xyxy, scores = decode_values(raw.reshape(len(cell), -1), cell, anchor, head, np)
        np.testing.assert_allclose(every.xyxy, xyxy[every.slot], rtol=1e-5, atol=1e-3)
        np.testing.assert_allclose(every.confidence, scores[every.slot, every.class_id], rtol=1e-6)


@given(raw_heads(), st.floats(0, 0.99))
def test_thresholding_early_loses_nothing(made, threshold):
    """Deciding by objectness first gives what deciding by confidence at the end gives."""
    raws, heads = made
    everything = decode(raws, heads, 0.0)
    late = everything[everything.confidence > np.float32(threshold)]
    early = decode(raws, heads, float(np.float32(threshold)))
    for name in ("xyxy", "confidence", "class_id", "slot"):
        np.testing.assert_array_equal(getattr(early, name), getattr(late, name))


@given(st.floats(-6, 6, width=32), st.sampled_from(["yolo", "region"]))
def test_a_pair_just_above_the_threshold_stays(objectness, kind):
    """With a class that is certain, all the confidence is objectness: nothing to spare for a bound."""
    head = Head(kind, ((8.0, 8.0),), 8, 1)
    raw = np.array([0, 0, 0, 0, objectness, 30], np.float32).reshape(1, 1, 6)
    [confidence] = decode([raw], [head], 0.0).confidence
    assert len(decode([raw], [head], float(np.nextafter(confidence, np.float32(0))))) == 1


@given(raw_heads(), st.floats(0, 1), st.floats(0, 1))
def test_a_higher_threshold_leaves_fewer(made, one, other):
    few, many = decode(*made, max(one, other)), decode(*made, min(one, other))
    pairs = [set(zip(found.slot.tolist(), found.class_id.tolist(), strict=True)) for found in (few, many)]
    assert pairs[0] <= pairs[1]


@given(st.integers(-8, 8), st.sampled_from([1.0, 1.05, 2.0]), st.sampled_from(["yolo", "new_coords"]))
def test_moving_the_cell_moves_the_box(column, scale_x_y, kind):
    """By one stride a cell, whatever the network says."""
    head = replace(HEAD, kind=kind, scale_x_y=scale_x_y)
    raw = np.array([0.25, 0.5, 0.75, 0.125])
    anchor = np.array([10.0, 14.0])
    moved = boxes_from_raw(raw, np.array([column, 2.0]), anchor, head)
    still = boxes_from_raw(raw, np.array([0.0, 2.0]), anchor, head)
    np.testing.assert_allclose(moved - still, [32 * column, 0, 0, 0], atol=1e-9)


def test_nothing_found_has_the_shapes_of_something():
    found = decode([np.full((2, 3, HEAD.channels), -20, np.float32)], [HEAD], 0.5)
    assert [each.shape for each in (found.xyxy, found.confidence, found.class_id, found.slot)] == [
        (0, 4), (0,), (0,), (0,)
    ]  # fmt: skip


def test_slots_without_anchors_have_the_size_0():
    assert slot_anchors([Head("gfl", (), 8, 2)], [(1, 2)]).tolist() == [[0, 0], [0, 0]]


def test_classes_of_any_size_share_one():
    """exp(500) is not a float32: the largest is taken off. σ(0) = 1/2 of softmax(500, 500) = 1/2 each."""
    head = Head("region", ((10.0, 10.0),), 32, 2)
    assert scores_from_raw(np.float32([[0, 500, 500]]), head).tolist() == [[0.25, 0.25]]


def test_values_of_slots_in_rows_and_columns_decode_as_in_a_list():
    """(2, 3, …) as (6, …)."""
    values = np.random.default_rng(0).normal(size=(2, 3, HEAD.values)).astype(np.float32)
    cell, anchor = np.zeros((2, 3, 2), np.float32), np.full((2, 3, 2), 10, np.float32)
    grid_like = decode_values(values, cell, anchor, HEAD, np)
    flat = decode_values(values.reshape(6, -1), cell.reshape(6, 2), anchor.reshape(6, 2), HEAD, np)
    for one, other in zip(grid_like, flat, strict=True):
        assert one.reshape(6, -1) == pytest.approx(other)


def test_values_behind_the_classes_are_neither_box_nor_class():
    head = replace(HEAD, key_points=1)  # three values more
    values = np.float32([[0.1, 0.2, 0.3, 0.4, 1, 2, 3, 7, 8, 9]])[:, : 5 + head.class_count + 3]
    cell, anchor = np.float32([[1, 1]]), np.float32([[10, 14]])
    xyxy, scores = decode_values(values, cell, anchor, head, np)
    bare, bare_scores = decode_values(values[:, : 5 + head.class_count], cell, anchor, HEAD, np)
    assert np.array_equal(xyxy, bare)
    assert np.array_equal(scores, bare_scores)
    assert np.array_equal(
        boxes_from_raw(values, cell, anchor, head), boxes_from_raw(values[:, :4], cell, anchor, HEAD)
    )
