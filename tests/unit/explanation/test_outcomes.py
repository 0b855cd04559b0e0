"""Who suppressed whom, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from yolo_cli.codec import Candidates
from yolo_cli.detections import Detections
from yolo_cli.detectors.trace import Selection
from yolo_cli.explanation.outcomes import Rule, Suppression

# Widths 40, 34 and 35, all 20 high. The third shares 25 columns with the first: IoU 25 / 50 = 0.5, and 20
# with the second: 20 / 49 = 0.408. The first two share 10: 10 / 64 = 0.156.
BOXES = np.float32([[0, 0, 40, 20], [30, 0, 64, 20], [15, 0, 50, 20]])


def suppression(class_id=(0, 0, 0), returned=(0, 1), agnostic=False) -> Suppression:
    candidates = Candidates(BOXES, np.float32([0.9, 0.8, 0.7]), np.array(class_id), np.arange(3))
    selection = Selection(candidates, BOXES, np.array([0, 1]), np.array(returned), Detections())
    return Suppression(selection, BOXES, Rule("iou", 0.4, 0.6, agnostic))


def test_of_two_that_could_the_more_confident_one_is_named():
    winner, overlaps = suppression().suppressors()
    assert winner.tolist() == [-1, -1, 0]
    assert overlaps[2] == pytest.approx(0.5)


def test_another_class_suppresses_only_where_classes_do_not_count():
    assert suppression(class_id=(1, 0, 0)).suppressors()[0].tolist() == [-1, -1, 1]
    assert suppression(class_id=(1, 0, 0), agnostic=True).suppressors()[0].tolist() == [-1, -1, 0]


def test_the_winner_is_told_of_though_it_was_not_asked_for():
    outcomes = suppression().outcomes(np.array([False, False, True]), lambda slot: f"box {slot}")
    assert [outcome.source for outcome in outcomes] == ["box 0", "box 2"]  # its winner, and itself
    assert [outcome.kept for outcome in outcomes] == [True, False]
    assert [outcome.suppressed_by for outcome in outcomes] == [None, 0]


def test_a_survivor_beyond_the_limit_is_not_kept_and_suppresses_all_the_same():
    outcomes = suppression(class_id=(1, 0, 0), returned=(0,)).outcomes(np.ones(3, bool), int)
    assert [outcome.kept for outcome in outcomes] == [True, False, False]
    assert [outcome.suppressed_by for outcome in outcomes] == [None, None, 1]
