"""Laws of augmentation, above all: boxes follow pixels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import ground_truths, images
from yolo_cli.augment import augment
from yolo_cli.augment.placement import MIN_SIDE, Placement
from yolo_cli.config import AugmentConfig
from yolo_cli.detections import GroundTruth

SEEDS = st.integers(0, 2**32 - 1)
COUNTS = st.sampled_from([1, 2, 4, 5])
# Everything that moves pixels, and nothing that recolours or hides them.
MOVES = AugmentConfig(
    flip_vertical=0.5, scale=1.0, aspect=0.5, hue=0, saturation=0, brightness=0, contrast=0, cutout=0
)
EVERYTHING = replace(AugmentConfig(), flip_vertical=0.5, cutout=1.0)


@st.composite
def painted_objects(draw, channel=0):
    """A black image with one rectangle that is bright in one channel, and that rectangle as its object."""
    height, width = draw(st.integers(20, 120)), draw(st.integers(20, 120))
    left, top = draw(st.integers(0, width - 8)), draw(st.integers(0, height - 8))
    right, bottom = draw(st.integers(left + 8, width)), draw(st.integers(top + 8, height))
    rgb = np.zeros((height, width, 3), np.uint8)
    rgb[top:bottom, left:right, channel] = 255
    return rgb, GroundTruth(np.float32([[left, top, right, bottom]]), np.array([channel]))


def bounds(mask):
    """xyxy of the true pixels."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]


def coloured(rgb, channel):
    """Where a channel is more than half bright and the others dark: not in the grey."""
    others = np.delete(rgb, channel, axis=2).max(axis=2)
    return (rgb[..., channel] >= 128) & (others < 100)


@given(painted_objects(), SEEDS, st.sampled_from([(64, 64), (64, 96), (96, 64)]))
def test_boxes_follow_pixels(sample, seed, net_size):
    rgb, seen = augment([sample], np.random.default_rng(seed), MOVES, net_size)
    # Between two pixel centres brightness changes evenly, and is half at the edge: a pixel is bright when its
    # centre is inside the box, so that the bounds are within half a pixel of the edges.
    if len(seen):
        assert bounds(coloured(rgb, 0)) == pytest.approx(seen.xyxy[0], abs=0.51)


@given(st.tuples(*(painted_objects(channel) for channel in (0, 1, 2, 0))), SEEDS)
def test_boxes_follow_pixels_into_a_mosaic(samples, seed):
    rgb, seen = augment(samples, np.random.default_rng(seed), MOVES, (96, 96))
    for channel in (1, 2):  # each of these colours occurs in one image only
        boxes = seen.xyxy[seen.class_id == channel]
        assert len(boxes) <= 1
        if len(boxes):
            assert bounds(coloured(rgb, channel)) == pytest.approx(boxes[0], abs=0.51)


@given(painted_objects(0), painted_objects(2), SEEDS)
def test_boxes_follow_pixels_through_mixup(first, second, seed):
    # Where the two images are over each other or over grey, colours mix; all that an object adds is its own
    # channel, so against the same blend without the object it is what differs.
    for at, (sample, channel) in enumerate(((first, 0), (second, 2))):
        empty = (np.zeros_like(sample[0]), sample[1])
        blank = [first, second]
        blank[at] = empty
        rgb, seen = augment([first, second], np.random.default_rng(seed), MOVES, (96, 96))
        without, _ = augment(blank, np.random.default_rng(seed), MOVES, (96, 96))
        more = rgb[..., channel].astype(int) - without[..., channel]
        boxes = seen.xyxy[seen.class_id == channel]
        if len(boxes):
            assert bounds(more > more.max() / 2) == pytest.approx(boxes[0], abs=0.6)


@given(st.lists(st.tuples(images(), ground_truths(width=40, height=40)), min_size=1, max_size=5), SEEDS)
def test_what_comes_out_is_a_training_image(samples, seed):
    samples = samples[: 2 if len(samples) == 3 else 5]
    rgb, seen = augment(samples, np.random.default_rng(seed), EVERYTHING, (64, 96))
    assert rgb.shape == (64, 96, 3)
    assert rgb.dtype == np.uint8
    assert (seen.xyxy >= 0).all()
    assert (seen.xyxy <= (96, 64, 96, 64)).all()
    assert (seen.xyxy[:, 2:] - seen.xyxy[:, :2] >= MIN_SIDE).all()
    assert len(seen) <= sum(len(ground_truth) for _, ground_truth in samples)


@given(st.tuples(images(), ground_truths(width=40, height=40)), COUNTS, SEEDS)
def test_the_same_seed_gives_the_same_bytes(sample, count, seed):
    first, second = (
        augment([sample] * count, np.random.default_rng(seed), EVERYTHING, (64, 64)) for _ in range(2)
    )
    assert np.array_equal(first[0], second[0])
    for field in ("xyxy", "class_id", "crowd", "difficult", "area"):
        assert np.array_equal(getattr(first[1], field), getattr(second[1], field))


@given(st.tuples(images(), ground_truths(width=40, height=40)), COUNTS, SEEDS)
def test_no_argument_is_changed(sample, count, seed):
    rgb, ground_truth = sample[0].copy(), sample[1].xyxy.copy()
    out, seen = augment([sample] * count, np.random.default_rng(seed), EVERYTHING, (64, 64))
    out[...] = 0
    seen.xyxy[...] = 0
    assert np.array_equal(sample[0], rgb)
    assert np.array_equal(sample[1].xyxy, ground_truth)


@given(ground_truths(min_count=1, width=60, height=40), SEEDS)
def test_flags_follow_their_boxes(ground_truth, seed):
    # The class id says which box it was; flags must be that box's.
    numbered = replace(ground_truth, class_id=np.arange(len(ground_truth)))
    rgb = np.zeros((40, 60, 3), np.uint8)
    _, seen = augment([(rgb, numbered)], np.random.default_rng(seed), MOVES, (64, 64))
    assert seen.crowd.tolist() == ground_truth.crowd[seen.class_id].tolist()
    assert seen.difficult.tolist() == ground_truth.difficult[seen.class_id].tolist()
    # These areas are the boxes' own, and stay so.
    size = seen.xyxy[:, 2:] - seen.xyxy[:, :2]
    assert seen.area == pytest.approx(size.prod(axis=1), rel=1e-4)


@given(painted_objects(), SEEDS, st.sampled_from([0.1, 0.25, 0.5, 0.9]))
def test_an_object_is_in_the_ground_truth_if_enough_of_its_pixels_show(sample, seed, min_visible):
    (rgb, ground_truth), rng = sample, np.random.default_rng(seed)
    placement = Placement.centred(rgb.shape[:2], (64, 64)).varied(rng, MOVES).moved((48, 48), *rng.random(2))
    canvas = np.zeros((48, 48, 3), np.uint8)
    placement.paint(rgb, canvas, lambda piece: piece)
    left, top, right, bottom = placement.forward(ground_truth.xyxy)[0]
    fraction = coloured(canvas, 0).sum() / ((right - left) * (bottom - top))
    # Whole pixels against an exact edge: off by half a pixel on each side, of the shortest side at worst.
    slack = 2 / min(right - left, bottom - top)
    if len(placement.carry(ground_truth, min_visible)):
        assert fraction > min_visible - slack
    elif fraction > min_visible + slack:
        shown = bounds(coloured(canvas, 0))
        assert min(shown[2] - shown[0], shown[3] - shown[1]) <= MIN_SIDE
