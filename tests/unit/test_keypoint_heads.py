"""Key points of heads: decoded as worked by hand, and nothing changes where there are none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from yolo_cli.codec import Head, decode
from yolo_cli.keypoint_codec import decode_keypoints

PLAIN = Head("yolo", ((8.0, 16.0),), 16, 2)
WITH = replace(PLAIN, key_points=2)


def raw_of(head: Head, values: list[float]) -> np.ndarray:
    """A head of one row and two columns; the first cell is empty."""
    raw = np.full((1, 2, head.channels), -20, np.float32)
    raw[0, 1] = values
    return raw


def test_points_are_relative_to_their_box() -> None:
    # σ(0) = 0.5, so the centre is at (1.5, 0.5) cells = (24, 8) pixels; exp(0) keeps the anchor, 8 × 16.
    raw = raw_of(WITH, [0, 0, 0, 0, 9, 9, -9, 0.25, -0.5, 0, -0.5, 0.25, 9])
    found = decode([raw], [WITH], 0.5)
    assert found.slot.tolist() == [1]
    points = decode_keypoints([raw], [WITH], found.slot)
    # x = 24 + 0.25 · 8 = 26, y = 8 − 0.5 · 16 = 0; x = 24 − 0.5 · 8 = 20, y = 8 + 0.25 · 16 = 12.
    np.testing.assert_allclose(points[0], [[26, 0, 0.5], [20, 12, 1]], atol=2e-4)


def test_slots_of_a_second_head() -> None:
    coarse = replace(WITH, stride=32, anchors=((4.0, 4.0),))
    first = raw_of(WITH, [0] * 13)
    second = np.zeros((1, 1, coarse.channels), np.float32)
    second[0, 0, 7:] = [1, 0, 0, 0, 1, 0]
    points = decode_keypoints([first, second], [WITH, coarse], np.array([2]))
    # Slot 2 is the only cell of the coarse head, whose centre is (16, 16), with a box of 4 × 4.
    np.testing.assert_allclose(points[0], [[20, 16, 0.5], [16, 20, 0.5]], atol=1e-5)


def test_boxes_do_not_depend_on_points() -> None:
    rng = np.random.default_rng(0)
    raw = rng.normal(0, 2, (3, 4, PLAIN.channels)).astype(np.float32)
    longer = np.concatenate([raw, rng.normal(0, 9, (3, 4, 6)).astype(np.float32)], axis=2)
    one, other = decode([raw], [PLAIN], 0.1), decode([longer], [WITH], 0.1)
    assert len(one)
    for name in ("xyxy", "confidence", "class_id", "slot"):
        assert np.array_equal(getattr(one, name), getattr(other, name))
