"""Who suppressed whom, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from yolo_cli.codec import Candidates
from yolo_cli.detections import Detections
from yolo_cli.detectors.trace import Selection
from yolo_cli.explanation.fates import Contest, Rule

# Widths 40, 34 and 35, all 20 high. The third shares 25 columns with the first: IoU 25 / 50 = 0.5, and 20
# with the second: 20 / 49 = 0.408. The first two share 10: 10 / 64 = 0.156.
BOXES = np.float32([[0, 0, 40, 20], [30, 0, 64, 20], [15, 0, 50, 20]])


def contest(class_id=(0, 0, 0), returned=(0, 1), agnostic=False) -> Contest:
    candidates = Candidates(BOXES, np.float32([0.9, 0.8, 0.7]), np.array(class_id), np.arange(3))
    selection = Selection(candidates, BOXES, np.array([0, 1]), np.array(returned), Detections())
    return Contest(selection, BOXES, Rule("iou", 0.4, 0.6, agnostic))


def test_of_two_that_could_the_more_confident_one_is_named():
    winner, overlaps = contest().winners()
    assert winner.tolist() == [-1, -1, 0]
    assert overlaps[2] == pytest.approx(0.5)


def test_another_class_suppresses_only_where_classes_do_not_count():
    assert contest(class_id=(1, 0, 0)).winners()[0].tolist() == [-1, -1, 1]
    assert contest(class_id=(1, 0, 0), agnostic=True).winners()[0].tolist() == [-1, -1, 0]


def test_the_winner_is_told_of_though_it_was_not_asked_for():
    fates = contest().fates(np.array([False, False, True]), lambda slot: f"box {slot}")
    assert [fate.place for fate in fates] == ["box 0", "box 2"]  # its winner, and itself
    assert [fate.kept for fate in fates] == [True, False]
    assert [fate.suppressed_by for fate in fates] == [None, 0]


def test_a_survivor_beyond_the_limit_is_not_kept_and_suppresses_all_the_same():
    fates = contest(class_id=(1, 0, 0), returned=(0,)).fates(np.ones(3, bool), int)
    assert [fate.kept for fate in fates] == [True, False, False]
    assert [fate.suppressed_by for fate in fates] == [None, None, 1]
