"""Of which boxes rounding decides whether both programs have them."""

from __future__ import annotations

import numpy as np
import pytest

from yolo_cli.detections import Detections
from yolo_cli.exporting.agreement import Agreement, pair_up
from yolo_cli.exporting.ties import Choice
from yolo_cli.suppression import Rule

NAMES = ("cat", "dog")
SURE = (0, 0, 100, 100, 0.9, 0)


def found(*rows):
    """Detections from left, top, right, bottom, confidence, class."""
    table = np.float64(rows).reshape(-1, 6)
    return Detections(
        table[:, :4].astype(np.float32), table[:, 4].astype(np.float32), table[:, 5].astype(int)
    )


def compared(ours, theirs, threshold=0.45):
    choice = Choice(0.25, Rule(threshold), (200, 200))
    return Agreement.of(1, pair_up("a", found(*ours), found(*theirs), NAMES, choice))


def test_a_box_at_the_threshold_of_suppression_may_be_missing():
    """100 x 100, moved down by 38: IoU 62 / 138 = 0.449; the threshold is 0.45."""
    tie = (0, 38, 100, 138, 0.6, 0)
    for one, other in (([SURE, tie], [SURE]), ([SURE], [SURE, tie])):
        done = compared(one, other)
        assert (done.unpaired, done.tied, done.disagreeing) == (1, 1, ())


@pytest.mark.parametrize(
    "alone",
    [
        (0, 45, 100, 145, 0.6, 0),
        (0, 38, 100, 138, 0.6, 1),
        (0, 38, 100, 138, 0.95, 0),
        (0, 30, 100, 130, 0.6, 0),
    ],
    ids=["IoU 0.38", "another class", "more confident", "IoU 0.54"],
)
def test_any_other_box_may_not(alone):
    for one, other in (([SURE, alone], [SURE]), ([SURE], [SURE, alone])):
        done = compared(one, other)
        assert (done.unpaired, done.tied, len(done.disagreeing)) == (1, 0, 1)


def test_what_a_tied_box_suppresses_may_be_missing_too():
    """Ours keeps a tied box, and so suppresses a third one, which theirs keeps."""
    tie = (0, 38, 100, 138, 0.6, 0)
    far = (0, 78, 100, 178, 0.5, 0)  # IoU with the tied one 60 / 140 = 0.429, below the margin
    assert len(compared([SURE, tie], [SURE, far]).disagreeing) == 1
    near = (0, 73, 100, 173, 0.5, 0)  # 65 / 135 = 0.481: suppressed, and no pair of it
    done = compared([SURE, tie], [SURE, near])
    assert (done.unpaired, done.tied, done.disagreeing) == (2, 2, ())


def test_two_classes_that_are_equally_confident_may_change_places():
    ours, theirs = (0, 0, 50, 50, 0.41, 0), (0, 0, 50, 50, 0.412, 1)
    assert compared([ours], [theirs]).disagreeing == ()
    assert len(compared([ours], [(0, 0, 50, 50, 0.43, 1)]).disagreeing) == 2


@pytest.mark.parametrize(
    ("candidates", "agree"),
    [([SURE, (0, 0, 100, 92, 0.899, 0)], True), ([SURE], False), ([SURE, (0, 0, 100, 92, 0.85, 0)], False)],
    ids=["as confident", "not one of ours", "less confident"],
)
def test_of_two_boxes_of_an_object_that_are_equally_confident_either_may_be_kept(candidates, agree):
    """IoU 0.92; ours is 0.9 and 0.899, theirs 0.899 and 0.9."""
    choice = Choice(0.25, Rule(0.45), (200, 200), found(*candidates))
    pairs = pair_up("a", found(SURE), found((0, 0, 100, 92, 0.9, 0)), NAMES, choice)
    assert [(pair.agrees, pair.tied) for pair in pairs] == [(agree, agree)]
