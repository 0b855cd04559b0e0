"""Suppression: numbers worked out by hand."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest

from yolo_cli import suppression
from yolo_cli.suppression import Limit, nms, overlap, soft_nms, suppress

# Three boxes of 10 x 10 in a row, each moved by 3: neighbours share 70 of 130, the outer two 40 of 160.
ROW = np.float32([[0, 0, 10, 10], [3, 0, 13, 10], [6, 0, 16, 10]])
ONE_CLASS = np.array([5, 5, 5])


def kept(xyxy, confidence, class_id, **options):
    positions, left = suppress(xyxy, np.float32(confidence), class_id, **options)
    assert len(positions) == len(left)
    return positions.tolist()


def test_a_suppressed_box_suppresses_nothing():
    # 0 suppresses 1 (0.54 > 0.45). 2 overlaps 1 as much, but 1 is gone, and 0 overlaps 2 by 0.25 only.
    assert kept(ROW, [0.9, 0.8, 0.7], ONE_CLASS) == [0, 2]


def test_the_middle_one_removes_both_neighbours():
    assert kept(ROW, [0.8, 0.9, 0.7], ONE_CLASS) == [1]


def test_most_confident_first():
    assert kept(ROW, [0.7, 0.8, 0.9], ONE_CLASS) == [2, 0]


def test_overlap_equal_to_the_threshold_stays():
    # 10 x 10 and its own left half: 50 of 100, exactly 0.5.
    halves = np.float32([[0, 0, 10, 10], [0, 0, 5, 10]])
    assert kept(halves, [0.9, 0.8], ONE_CLASS[:2], threshold=0.5) == [0, 1]
    assert kept(halves, [0.9, 0.8], ONE_CLASS[:2], threshold=0.49) == [0]


def test_classes_do_not_suppress_each_other_unless_asked():
    assert kept(ROW, [0.9, 0.8, 0.7], np.array([0, 1, 0])) == [0, 1, 2]
    assert kept(ROW, [0.9, 0.8, 0.7], np.array([0, 1, 0]), agnostic=True) == [0, 2]


def test_of_equals_the_first_stays():
    same = np.float32([[0, 0, 4, 4]] * 3)
    assert kept(same, [0.5, 0.5, 0.5], ONE_CLASS) == [0]
    assert kept(ROW[[0, 2]], [0.5, 0.5], ONE_CLASS[:2]) == [0, 1]


@pytest.mark.parametrize("kind", ["iou", "greedynms", "diounms", "soft"])
def test_nothing_in_nothing_out(kind):
    positions, left = suppress(
        np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64), kind=kind
    )
    assert positions.shape == left.shape == (0,)
    assert left.dtype == np.float32


def test_greedynms_takes_the_distance_of_the_centres_off():
    # Boxes 0 and 1: IoU 70/130 = 0.538. Centres 3 apart, enclosing box 13 x 10: d²/c² = 9/269.
    # (9/269)^0.6 = 0.130, so 0.538 - 0.130 = 0.408: plain IoU drops box 1 at 0.45, greedynms keeps it.
    two, confidence = ROW[:2], [0.9, 0.8]
    assert overlap(two[:1], two[1:], "greedynms") == pytest.approx(70 / 130 - (9 / 269) ** 0.6)
    assert kept(two, confidence, ONE_CLASS[:2]) == [0]
    assert kept(two, confidence, ONE_CLASS[:2], kind="greedynms") == [0, 1]
    assert kept(two, confidence, ONE_CLASS[:2], kind="greedynms", threshold=0.4) == [0]


def test_beta_is_the_exponent_of_diounms_and_of_nothing_else():
    # With exponent 1: 0.538 - 9/269 = 0.505, above 0.45.
    two, confidence = ROW[:2], [0.9, 0.8]
    assert kept(two, confidence, ONE_CLASS[:2], kind="diounms", beta=0.6) == [0, 1]
    assert kept(two, confidence, ONE_CLASS[:2], kind="diounms", beta=1.0) == [0]
    assert kept(two, confidence, ONE_CLASS[:2], kind="greedynms", beta=1.0) == [0, 1]


def test_soft_lowers_the_confidence_of_what_overlaps():
    # 0 stays as it is. 1 overlaps it by 70/130, 2 by 40/160 = 0.25 and then 1 by 70/130.
    # After 0: 1 has 0.8 exp(-0.29/0.5) = 0.448, 2 has 0.7 exp(-0.125) = 0.618: 2 is next and lowers 1 again.
    iou = 70 / 130
    positions, left = suppress(ROW, np.float32([0.9, 0.8, 0.7]), ONE_CLASS, kind="soft")
    assert positions.tolist() == [0, 2, 1]
    assert left == pytest.approx(
        [0.9, 0.7 * math.exp(-0.125), 0.8 * math.exp(-2 * iou * iou / 0.5)], abs=1e-6
    )


def test_soft_drops_what_has_almost_nothing_left():
    # 30 equal boxes: the k-th has 0.9 exp(-2 (k - 1)) left: 0.0022 for k = 4, and 0.0003 for k = 5.
    same = np.repeat(ROW[:1], 30, axis=0)
    positions, left = suppress(same, np.full(30, 0.9, np.float32), np.zeros(30, np.int64), kind="soft")
    assert positions.tolist() == [0, 1, 2, 3]
    assert left == pytest.approx([0.9 * math.exp(-2 * k) for k in range(4)], rel=1e-5)


def test_soft_drops_what_is_no_longer_above_the_confidence():
    # Of the 30 equal boxes with 0.9 exp(-2 (k - 1)): 0.9 and 0.122, then 0.016.
    same = np.repeat(ROW[:1], 30, axis=0)
    options = {"kind": "soft", "conf": 0.1}
    assert kept(same, np.full(30, 0.9), np.zeros(30, np.int64), **options) == [0, 1]
    assert kept(ROW[:1], [0.25], ONE_CLASS[:1], kind="soft", conf=0.25) == []  # above, not equal to


@pytest.mark.parametrize("kind", ["iou", "greedynms", "diounms", "soft"])
def test_a_limit_ends_the_result_with_the_last_box_that_counts(kind):
    # Four boxes apart from each other. The second does not count: for two, three have to be kept.
    apart = np.float32([[20 * k, 0, 20 * k + 10, 10] for k in range(4)])
    arguments = (apart, [0.9, 0.8, 0.7, 0.6], np.zeros(4, np.int64))
    counted = np.array([True, False, True, True])
    assert kept(*arguments, kind=kind, limit=Limit(1, counted)) == [0]
    assert kept(*arguments, kind=kind, limit=Limit(2, counted)) == [0, 1, 2]
    assert kept(*arguments, kind=kind, limit=Limit(4, counted)) == [0, 1, 2, 3]


def test_soft_looks_at_what_a_lowered_confidence_lets_pass(monkeypatch):
    # Of 0 and 1, equal boxes, 1 is left 0.8 exp(-2) = 0.108: 2, which had 0.3, comes before it. With two
    # boxes looked at, b is 0.3, and 1 is left less: not enough, so 2 must be looked at.
    monkeypatch.setattr(suppression, "HANDFUL", 1)
    boxes = np.float32([[0, 0, 10, 10], [0, 0, 10, 10], [20, 0, 30, 10]])
    limit = Limit(1, np.array([False, True, True]))
    assert kept(boxes, [0.9, 0.8, 0.3], ONE_CLASS, kind="soft", limit=limit) == [0, 2]


def test_soft_keeps_a_box_of_exactly_the_lowest_confidence():
    assert kept(ROW[:1], [0.001], ONE_CLASS[:1], kind="soft") == [0]


def test_soft_keeps_what_has_any_confidence_unless_asked():
    assert soft_nms(ROW[:1], np.float32([0.5]), ONE_CLASS[:1])[0].tolist() == [0]


def test_the_exponent_of_diounms_is_0_6_unless_asked():
    # Centres 3 apart; the box around both is 13 x 10: IoU 70/130, and (9 / 269) ^ 0.6 off.
    assert overlap(ROW[0], ROW[1], "diounms") == pytest.approx(70 / 130 - (9 / 269) ** 0.6)


def test_nms_takes_its_threshold():
    # Neighbours overlap by 0.538.
    assert nms(ROW, np.float32([0.9, 0.8, 0.7]), threshold=0.6).tolist() == [0, 1, 2]


def test_nms_knows_no_classes():
    assert nms(ROW, np.float32([0.9, 0.8, 0.7])).tolist() == [0, 2]


def test_boxes_without_area_stay():
    points = np.float32([[3, 3, 3, 3]] * 2 + [[5, 0, 1, 9]])
    for kind in ("iou", "greedynms", "diounms", "soft"):
        assert kept(points, [0.9, 0.8, 0.7], ONE_CLASS, kind=kind) == [0, 1, 2]


def test_coordinates_far_apart_and_below_zero():
    # The second pair is where neighbouring float32 are 0.0625 apart.
    far = np.float32(
        [[-50, -50, -40, -40], [-49, -50, -39, -40], [1e6, 0, 1e6 + 10, 10], [1e6 + 1, 0, 1e6 + 11, 10]]
    )
    assert kept(far, [0.9, 0.8, 0.7, 0.6], np.array([7, 7, 7, 7])) == [0, 2]


def test_huge_boxes_do_not_overflow():
    # Their area is 4e56: no float32. A network with bad weights gives such boxes.
    huge = np.float32([[-1e28, -1e28, 1e28, 1e28], [-1e28, -1e28, 1e28, 1e28], [0, 0, 4, 4]])
    assert kept(huge, [0.9, 0.8, 0.7], ONE_CLASS) == [0, 2]


def test_threshold_below_0_is_refused():
    with pytest.raises(ValueError, match="threshold must be at least 0"):
        suppress(ROW, np.float32([0.9, 0.8, 0.7]), ONE_CLASS, threshold=-0.1)


def test_no_argument_is_changed():
    xyxy, confidence, class_id = ROW.copy(), np.float32([0.7, 0.9, 0.8]), ONE_CLASS.copy()
    for kind in ("iou", "greedynms", "diounms", "soft"):
        suppress(xyxy, confidence, class_id, kind=kind, agnostic=True)
    assert np.array_equal(xyxy, ROW)
    assert confidence == pytest.approx([0.7, 0.9, 0.8])
    assert np.array_equal(class_id, ONE_CLASS)


def test_equal_boxes_of_different_classes_both_stay():
    # They are as wide as everything there is: the classes must be laid further apart than that.
    assert kept(ROW[[0, 0]], [0.9, 0.8], np.array([0, 1])) == [0, 1]


def test_boxes_too_small_to_tell_apart_among_their_class_still_meet():
    # A width of 1e-20 vanishes beside any distance between classes.
    tiny = np.float32([[0, 0, 1e-20, 1e-20], [0, 0, 1e-20, 1e-20], [0, 0, 100, 100]])
    assert kept(tiny, [0.9, 0.8, 0.7], np.array([79, 79, 79])) == [0, 2]


@pytest.mark.parametrize("kind", ["iou", "greedynms", "diounms"])
@pytest.mark.parametrize("count", [suppression.FEW, suppression.FEW + 1])
def test_a_few_boxes_are_suppressed_like_many(monkeypatch, count, kind):
    """With one box more than `FEW`, only near ones are compared; the same boxes stay."""
    rng = np.random.default_rng(count)
    low = rng.uniform(0, 20, (count, 2))
    xyxy = np.concatenate([low, low + rng.uniform(5, 15, (count, 2))], axis=1).astype(np.float32)
    confidence, classes = rng.choice([0.4, 0.6, 0.9], count), rng.integers(0, 3, count)
    found = kept(xyxy, confidence, classes, kind=kind, threshold=0.3)
    monkeypatch.setattr(suppression, "FEW", 0)
    assert found == kept(xyxy, confidence, classes, kind=kind, threshold=0.3)
    assert 0 < len(found) < count


def test_a_limit_above_what_there_is_costs_nothing():
    """`--conf 0 --nms-iou 1 --max-det 100000`: every box for every class; it took 3 s for these, now 0.1."""
    rng = np.random.default_rng(0)
    low = rng.uniform(0, 1, (400, 2))
    boxes = np.concatenate([low, low + rng.uniform(0.02, 0.4, (400, 2))], axis=1).astype(np.float32)
    xyxy, classes = np.repeat(boxes, 80, axis=0), np.tile(np.arange(80), 400)
    confidence, counted = rng.random(len(xyxy)).astype(np.float32), np.ones(len(xyxy), bool)
    start = time.process_time()
    positions, _ = suppress(xyxy, confidence, classes, threshold=1.0, limit=Limit(100_000, counted))
    assert time.process_time() - start < 1
    assert len(positions) == len(xyxy)


def test_soft_lowers_what_has_exactly_the_lowest_confidence():
    # 1 has its turn after 0, which touches nothing, and lowers the equal box 2 from 0.001 to 0.001·exp(-2).
    boxes = np.float32([[0, 0, 1, 1], [10, 10, 20, 20], [10, 10, 20, 20]])
    assert kept(boxes, [0.9, 0.5, 0.001], ONE_CLASS, kind="soft") == [0, 1]


def test_a_limit_is_reached_by_as_many_boxes_as_it_counts():
    assert Limit(2, np.array([True, True, True])).length(np.array([2, 0])) == 2
    assert Limit(2, np.array([True, False, True])).length(np.array([2, 1])) is None


def test_a_crowd_below_a_box_without_area():
    # It is kept once, and of the 699 equal ones the first.
    boxes = np.tile(np.float32([0, 0, 10, 10]), (700, 1))
    boxes[0] = 50, 50, 50, 50
    assert kept(boxes, np.linspace(0.9, 0.5, 700), np.zeros(700, int)) == [0, 1]
