"""A track as the network sees it, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from yolo_cli.temporal.sequences import CHANNELS, TrackSequence, backwards, mirrored


def sequence() -> TrackSequence:
    """A box 10 wide and 20 high that goes right: at steps 0 and 3, but not in between."""
    boxes = np.array([[0.0, 0, 10, 20], [6, 0, 16, 20]])
    return TrackSequence.of(np.array([0, 3]), boxes, np.array([0.6, 0.9]))


def test_gaps_are_filled_by_linear_interpolation() -> None:
    made = sequence()
    assert made.boxes[:, 0].tolist() == [0, 2, 4, 6]
    assert made.seen.tolist() == [True, False, False, True]
    assert made.confidence == pytest.approx([0.6, 0.7, 0.8, 0.9])


def test_inputs() -> None:
    x, y, width, _ = sequence().inputs()
    assert x.shape == (4, CHANNELS)
    # 2 pixels a step are 0.2 of the width, times 10; the first step has none before it.
    assert x[:, 0] == pytest.approx([0, 2, 2, 2])
    assert (y[:, 0], width[:, 0]) == (pytest.approx(0), pytest.approx(0))
    assert (x[:, 1].tolist(), width[:, 1].tolist()) == ([0] * 4, [1] * 4)
    assert x[:, 2].tolist() == [1, 0, 0, 1]  # seen
    assert x[:, 3].tolist() == [1, 1, 1, 1]  # inside the track
    assert x[:, 4] == pytest.approx([0.6, 0, 0, 0.9])
    # Steps since a box 0, 1, 2, 0, and until one 0, 2, 1, 0; 32 are 1.
    assert x[:, 5] * 32 == pytest.approx([0, 1, 2, 0])
    assert x[:, 6] * 32 == pytest.approx([0, 2, 1, 0])


def test_inputs_do_not_tell_place_and_size() -> None:
    steps, confidence = np.array([0, 1, 4]), np.array([0.5, 0.6, 0.7])
    boxes = np.array([[0.0, 0, 10, 20], [3, 1, 12, 22], [9, 5, 20, 24]])
    far = TrackSequence.of(steps, 7 * boxes + 1000, confidence)
    assert far.inputs() == pytest.approx(TrackSequence.of(steps, boxes, confidence).inputs(), abs=1e-4)


def test_correction() -> None:
    made = sequence()
    target = made.boxes + np.array([1.0, 0, 1, 0])  # 1 pixel right: a tenth of the width
    correction = made.correction_to(target)
    assert correction == pytest.approx(np.array([[1.0] * 4, [0] * 4, [0] * 4, [0] * 4]))
    assert made.corrected(correction) == pytest.approx(target)


def test_no_correction_leaves_less_than_half_of_a_side() -> None:
    made = sequence()
    correction = np.zeros((4, 4), np.float32)
    correction[2] = -1000
    assert np.ptp(made.corrected(correction)[:, [0, 2]], axis=1) == pytest.approx(5)


def test_a_box_without_a_size() -> None:
    point = TrackSequence.of(np.array([0]), np.array([[5.0, 5, 5, 5]]), np.array([0.5]))
    assert np.isfinite(point.inputs()).all()


def test_mirrored_and_backwards_are_what_the_other_track_looks_like() -> None:
    """Boxes of one size: the width of a mirrored path does not change."""
    steps, confidence = np.array([0, 1, 4]), np.array([0.5, 0.6, 0.7])
    left = np.array([0.0, 3, 12])
    boxes = np.stack([left, left, left + 10, left + 20], axis=1)
    inputs = TrackSequence.of(steps, boxes, confidence).inputs()
    away = TrackSequence.of(steps, boxes * [-1, -1, -1, -1] + [10, 20, 10, 20], confidence)
    away = TrackSequence(away.boxes[:, [2, 3, 0, 1]], away.seen, away.confidence)
    assert mirrored(inputs) == pytest.approx(away.inputs(), abs=1e-5)
    back = TrackSequence.of(4 - steps[::-1], boxes[::-1], confidence[::-1])
    assert backwards(inputs) == pytest.approx(back.inputs(), abs=1e-5)
