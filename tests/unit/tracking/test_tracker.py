"""The life of tracks: births, matches in three rounds, classes by vote, losses and returns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yolo_cli.config import TrackConfig
from yolo_cli.detections import Detections
from yolo_cli.errors import UsageError
from yolo_cli.tracking import Tracker

Row = tuple[float, float] | tuple[float, float, int]


def seen(*rows: Row) -> Detections:
    """Boxes 20 x 40: left edge, confidence and class of each."""
    table = [(left, confidence, rest[0] if rest else 0) for left, confidence, *rest in rows]
    left, confidence, class_id = np.array(table, float).reshape(-1, 3).T
    xyxy = np.stack([left, 0 * left, left + 20, 0 * left + 40], axis=1).astype(np.float32)
    return Detections(xyxy, confidence.astype(np.float32), class_id.astype(int))


def ids(tracker: Tracker, frames: Sequence[Detections]) -> list[list[int]]:
    return [tracker.update(found, number).track_id.tolist() for number, found in enumerate(frames)]


def test_everything_in_the_first_frame_has_an_id_at_once() -> None:
    assert ids(Tracker(), [seen((0, 0.9), (100, 0.5), (200, 0.2))]) == [[1, 2]]


def test_later_an_object_is_confirmed_by_its_second_detection() -> None:
    assert ids(Tracker(), [seen()] + [seen((0, 0.9))] * 3) == [[], [], [1], [1]]
    assert ids(Tracker(TrackConfig(min_hits=1)), [seen()] + [seen((0, 0.9))] * 2) == [[], [1], [1]]


def test_a_false_alarm_is_forgotten_in_the_next_frame() -> None:
    alarm = seen((0, 0.9))
    assert ids(Tracker(), [seen(), alarm, seen(), alarm, seen()]) == [[]] * 5


def test_doubtful_detections_continue_tracks_and_start_none() -> None:
    frames = [seen((0, 0.9)), seen((1, 0.15), (100, 0.15)), seen((2, 0.15), (100, 0.15)), seen((3, 0.05))]
    assert ids(Tracker(), frames) == [[1], [1], [1], []]


def test_doubtful_detections_bring_back_what_was_lost() -> None:
    assert ids(Tracker(), [seen((0, 0.9)), seen(), seen((0, 0.15)), seen((0, 0.9))]) == [[1], [], [1], [1]]


def test_confident_detections_go_first() -> None:
    """The doubtful one overlaps more, but the confident one is the object."""
    tracker = Tracker()
    tracker.update(seen((0, 0.9)), 0)
    tracks = tracker.update(seen((0, 0.2), (6, 0.8)), 1)
    assert tracks.confidence.tolist() == pytest.approx([0.8])


@pytest.mark.parametrize(("gap", "expected"), [(6, 1), (7, 2)])
def test_a_lost_object_keeps_its_id_for_some_frames(gap: int, expected: int) -> None:
    frames = [seen((0, 0.9)), *[seen()] * (gap - 1), *[seen((0, 0.9))] * 2]
    assert ids(Tracker(TrackConfig(lost=5)), frames)[-1] == [expected]


def test_motion_carries_an_object_through_a_gap() -> None:
    """At 4 pixels a frame it is 32 away after the gap, where a box 20 wide does not overlap any more."""
    frames = [seen((4 * number, 0.9)) if not 10 < number < 18 else seen() for number in range(20)]
    assert ids(Tracker(), frames)[-1] == [1]


def test_frames_may_be_left_out() -> None:
    tracker = Tracker()
    for number in range(0, 60, 5):
        tracks = tracker.update(seen((2 * number, 0.9)), number)
    assert (tracks.track_id.tolist(), tracks.frame.tolist()) == ([1], [55])


@pytest.mark.parametrize("number", [3, 2])
def test_frames_go_forward(number: int) -> None:
    tracker = Tracker()
    tracker.update(seen(), 3)
    with pytest.raises(ValueError, match=f"frame {number} does not follow frame 3"):
        tracker.update(seen(), number)


def test_two_that_pass_keep_their_ids() -> None:
    """Detections come in any order, and there is only one while they overlap."""
    tracker = Tracker()
    for number in range(60):
        a, b = 3.0 * number, 180 - 3.0 * number
        rows = [(a, 0.9), (b, 0.8)]
        found = seen(*(rows if number % 2 else rows[::-1])) if abs(a - b) > 10 else seen((a, 0.9))
        tracks = tracker.update(found, number)
    assert tracks.track_id.tolist() == [1, 2] if tracks.xyxy[0, 0] > 100 else [2, 1]
    assert len(tracks) == 2


def test_class_by_vote() -> None:
    """2 x 0.5 for class 3 outweigh 0.6 for class 7, and the track goes on through the change."""
    tracker = Tracker()
    classes = [
        tracker.update(found, number).class_id.tolist()
        for number, found in enumerate([seen((0, 0.5, 3)), seen((0, 0.6, 7)), seen((0, 0.5, 3))])
    ]
    assert classes == [[3], [7], [3]]


def test_another_class_needs_more_overlap() -> None:
    """Where the rider is missed, the bicycle does not get the id: IoU 12/28, and half of it counts."""
    for class_id, expected in ((1, []), (0, [1])):
        tracker = Tracker()
        tracker.update(seen((0, 0.9, 0)), 0)
        assert tracker.update(seen((8, 0.6, class_id)), 1).track_id.tolist() == expected


def test_the_camera_may_move() -> None:
    for moved, expected in ((None, 2), (np.array([[1.0, 0, 50], [0, 1, 0]]), 1)):
        tracker = Tracker()
        tracker.update(seen((0, 0.9)), 0)
        tracker.update(seen((50, 0.9)), 1, moved)
        assert tracker.update(seen((50, 0.9)), 2).track_id.tolist() == [expected]


def test_boxes_are_smoother_than_detections() -> None:
    rng = np.random.default_rng(0)
    tracker, errors, noise = Tracker(), [], rng.normal(0, 2, 200)
    for number in range(200):
        tracks = tracker.update(seen((number + noise[number], 0.9)), number)
        errors.append(tracks.xyxy[0, 0] - number)
    assert np.std(errors[20:]) < 0.75 * np.std(noise[20:])


@given(st.lists(st.lists(st.tuples(st.integers(0, 100), st.sampled_from([0.05, 0.2, 0.9])), max_size=6)))
@settings(deadline=None)
def test_laws(frames) -> None:
    """An id is once in a frame, none is ever given twice, and no box is reported that was not detected."""
    tracker, highest = Tracker(), 0
    for number, rows in enumerate(frames):
        tracks = tracker.update(seen(*rows), number)
        assert len(set(tracks.track_id)) == len(tracks) <= len(rows)
        new = tracks.track_id[tracks.track_id > highest]
        assert new.tolist() == list(range(highest + 1, highest + 1 + len(new)))
        highest += len(new)


@pytest.mark.parametrize(
    "wrong", [{"conf": 1.5}, {"low_conf": -0.1}, {"min_hits": 0}, {"lost": -1}, {"lost": 1.5}]
)
def test_options_have_ranges(wrong: dict[str, float]) -> None:
    (name,) = wrong
    with pytest.raises(UsageError, match=f"{name} is "):
        TrackConfig(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(("seen", "ids"), [(True, [2, 1]), (False, [])])
def test_a_lost_object_is_found_again_by_its_look(seen, ids):
    """Two objects hide for three frames, and come back elsewhere in the other order: only looks can tell."""
    looks = np.eye(2, dtype=np.float32) if seen else None
    sure, one_class = np.float32([0.9, 0.9]), np.zeros(2, int)
    tracker = Tracker()
    tracker.update(
        Detections(np.float32([[0, 0, 20, 40], [300, 0, 320, 40]]), sure, one_class), 0, None, looks
    )
    for frame in (1, 2, 3):
        tracker.update(Detections(), frame)
    back = Detections(np.float32([[450, 0, 470, 40], [150, 0, 170, 40]]), sure, one_class)
    tracks = tracker.update(back, 4, None, looks)
    assert tracks.track_id[np.argsort(tracks.xyxy[:, 0])].tolist() == ids  # new ones are not confirmed yet


def test_an_object_starts_from_a_surer_detection_than_it_goes_on_with() -> None:
    # A quarter of the way from 0.25 to 1 more: 0.4375.
    assert ids(Tracker(), [seen((0, 0.43))] * 3) == [[], [], []]
    assert ids(Tracker(), [seen((0, 0.44)), seen((0, 0.3)), seen((0, 0.3))]) == [[1], [1], [1]]
