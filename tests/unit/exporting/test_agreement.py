"""Of which boxes rounding decides whether both programs have them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yolo_cli.boxes import clip_boxes
from yolo_cli.detections import Detections
from yolo_cli.exporting.agreement import Agreement, pair_up
from yolo_cli.exporting.ties import Choice
from yolo_cli.suppression import Rule, batched_nms

NAMES = ("cat", "dog")
SIZE = (200, 200)
SURE = (0, 0, 100, 100, 0.9, 0)
TIE = (0, 38, 100, 138, 0.6, 0)  # IoU with it 62 / 138 = 0.449; the threshold is 0.45


def found(*rows):
    """Detections from left, top, right, bottom, confidence, class."""
    table = np.float64(rows).reshape(-1, 6)
    return Detections(
        table[:, :4].astype(np.float32), table[:, 4].astype(np.float32), table[:, 5].astype(int)
    )


def compared(ours, theirs, *candidates, most=300):
    """The agreement of two programs, the first of which has these candidates before suppression."""
    every = found(*candidates)
    choice = Choice(0.25, Rule(0.45), SIZE, most, every, np.arange(len(every)))
    return Agreement.of(1, pair_up("a", found(*ours), found(*theirs), NAMES, choice))


def test_a_box_at_the_threshold_of_suppression_may_be_missing():
    for one, other in (([SURE, TIE], [SURE]), ([SURE], [SURE, TIE])):
        done = compared(one, other, SURE, TIE)
        assert (done.unpaired, done.tied, done.disagreeing) == (1, 1, ())


@pytest.mark.parametrize(
    "alone",
    [(0, 45, 100, 145, 0.6, 0), (0, 38, 100, 138, 0.6, 1), (0, 38, 100, 138, 0.95, 0)],
    ids=["IoU 0.38", "another class", "more confident"],
)
def test_a_box_that_nothing_suppresses_may_not(alone):
    done = compared([SURE, alone], [SURE], SURE, alone)
    assert (done.unpaired, done.tied, len(done.disagreeing)) == (1, 0, 1)


@pytest.mark.parametrize("known", [True, False], ids=["suppressed for certain", "not one of ours"])
def test_a_box_that_ours_cannot_have_may_not_be_there(known):
    """IoU 70 / 130 = 0.54."""
    extra = (0, 30, 100, 130, 0.6, 0)
    done = compared([SURE], [SURE, extra], SURE, *([extra] if known else []))
    assert (done.unpaired, done.tied, len(done.disagreeing)) == (1, 0, 1)


def test_what_a_tied_box_suppresses_may_be_missing_too():
    """Ours keeps a tied box, and so suppresses a third one, which theirs keeps."""
    far = (0, 80, 100, 180, 0.5, 0)  # IoU with the tied one 58 / 142 = 0.408, below the margin of 0.02
    assert len(compared([SURE, TIE, far], [SURE], SURE, TIE, far).disagreeing) == 1
    near = (0, 73, 100, 173, 0.5, 0)  # 65 / 135 = 0.481
    done = compared([SURE, TIE], [SURE, near], SURE, TIE, near)
    assert (done.unpaired, done.tied, done.disagreeing) == (2, 2, ())


def test_two_classes_that_are_as_good_as_equally_confident_may_change_places():
    ours, theirs = (0, 0, 50, 50, 0.41, 0), (0, 0, 50, 50, 0.412, 1)
    choice = Choice(0.25, Rule(0.45), SIZE, 300, found(ours, (0, 0, 50, 50, 0.409, 1)), np.array([7, 7]))
    pairs = list(pair_up("a", found(ours), found(theirs), NAMES, choice))
    assert [(pair.agrees, pair.tied) for pair in pairs] == [(True, True)] * 2
    assert len(compared([ours], [theirs], ours).disagreeing) == 2


@pytest.mark.parametrize(
    ("candidates", "agree"),
    [([SURE, (0, 0, 100, 92, 0.899, 0)], True), ([SURE], False), ([SURE, (0, 0, 100, 92, 0.85, 0)], False)],
    ids=["as confident", "not one of ours", "less confident"],
)
def test_of_two_boxes_of_an_object_that_are_equally_confident_either_may_be_kept(candidates, agree):
    """IoU 0.92; ours is 0.9 and 0.899, theirs 0.899 and 0.9."""
    done = compared([SURE], [(0, 0, 100, 92, 0.9, 0)], *candidates)
    assert [(pair.agrees, pair.tied) for pair in done.pairs] == [(agree, agree)]


def test_where_an_image_has_as_many_boxes_as_it_may_the_last_ones_may_change_places():
    """Two of four are returned. The second and third are as good as equally confident."""
    boxes = [
        (50 * k, 0, 50 * k + 30, 30, confidence, 0) for k, confidence in enumerate((0.9, 0.6, 0.597, 0.5))
    ]
    done = compared(boxes[:2], [boxes[0], boxes[2]], *boxes, most=2)
    assert (done.unpaired, done.tied, done.disagreeing) == (2, 2, ())
    assert len(compared(boxes[:2], [boxes[0], boxes[3]], *boxes, most=2).disagreeing) == 1
    assert len(compared(boxes[:2], boxes[1:3], *boxes, most=2).disagreeing) == 1


SLOTS = st.lists(
    st.tuples(
        st.sampled_from([0, 20, 36, 38, 40, 60]), st.sampled_from([0, 2, 30]),  # left, top; 100 x 100
        st.sampled_from([0.25, 0.256, 0.5, 0.505, 0.51, 0.6]), st.sampled_from([0.1, 0.5, 0.506]),  # by class
        st.sampled_from([-0.4, 0, 0.4]), *[st.sampled_from([-0.0049, 0.0049])] * 2,
    ),
    min_size=1, max_size=9,
)  # fmt: skip


def program(slots, moved, most):
    """What a program finds: `moved` to the right by up to 0.4 of 100 pixels, IoU 99.6 / 100.4 = 0.992."""
    rows = []
    for left, top, cat, dog, shift, more_cat, more_dog in slots:
        both = cat + moved * more_cat, dog + moved * more_dog
        x = left + moved * shift
        rows.append((x, top, x + 100, top + 100, max(both), int(np.argmax(both))))
    every = found(*(row for row in rows if row[4] > 0.25))
    kept = batched_nms(every.xyxy, every.confidence, every.class_id, Rule(0.45))[:most]
    return replace(every[kept], xyxy=clip_boxes(every[kept].xyxy, SIZE))


def candidates_of(slots):
    rows, places = [], []
    for place, (left, top, cat, dog, *_) in enumerate(slots):
        for kind, confidence in enumerate((cat, dog)):
            if confidence >= max(cat, dog) - 0.01 and confidence > 0.23:
                rows.append((left, top, left + 100, top + 100, confidence, kind))
                places.append(place)
    return found(*rows), np.array(places, int)


@given(SLOTS, st.sampled_from([2, 300]))
def test_whatever_moves_as_far_as_it_may_agrees(slots, most):
    ours, theirs = program(slots, 0, most), program(slots, 1, most)
    choice = Choice(0.25, Rule(0.45), SIZE, most, *candidates_of(slots))
    assert [pair for pair in pair_up("a", ours, theirs, NAMES, choice) if not pair.agrees] == []


@given(SLOTS, st.sampled_from([2, 300]), st.integers(0, 8))
def test_what_every_such_program_has_may_not_be_missing(slots, most, place):
    """Nor may it be another class's."""
    ours = program(slots, 0, most)
    choice = Choice(0.25, Rule(0.45), SIZE, most, *candidates_of(slots))
    certain = np.flatnonzero(~choice.either_way(ours, ours)[0])
    if not len(certain):
        return
    gone = certain[place % len(certain)]
    assert ours.confidence[gone] > 0.255
    for theirs in (np.delete(np.arange(len(ours)), gone), None):
        other = ours.class_id.copy()
        other[gone] = 1 - other[gone]
        seen = replace(ours, class_id=other) if theirs is None else ours[theirs]
        assert any(not pair.agrees for pair in pair_up("a", ours, seen, NAMES, choice))
