"""The whole way from images to a training image."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from yolo_cli.augment import augment, images_needed
from yolo_cli.config import AugmentConfig
from yolo_cli.detections import GroundTruth
from yolo_cli.letterbox import Letterbox

STILL = AugmentConfig(
    flip=0, scale=0, aspect=0, shift=0, hue=0, saturation=0, brightness=0, contrast=0, cutout=0
)


def make_image(height, width, colour=None):
    """Noise or one colour, and two objects: the whole image and its left upper quarter."""
    noise = np.random.default_rng(height).integers(0, 256, (height, width, 3), np.uint8)
    rgb = noise if colour is None else np.full((height, width, 3), colour, np.uint8)
    boxes = np.float32([[0, 0, width, height], [0, 0, width / 2, height / 2]])
    return rgb, GroundTruth(boxes, np.array([0, 1]), np.array([False, True]), np.array([True, False]))


def test_without_strength_it_is_the_letterbox():
    rgb, ground_truth = make_image(60, 80)
    fitted = Letterbox.fit(60, 80, 96, 64)
    out, seen = augment([(rgb, ground_truth)], np.random.default_rng(0), STILL, (96, 64))
    assert np.array_equal(out, fitted.apply(rgb))
    assert np.array_equal(seen.xyxy, fitted.forward(ground_truth.xyxy))
    assert seen.crowd.tolist() == [False, True]
    assert seen.difficult.tolist() == [True, False]


def test_mirroring_twice_is_nothing():
    rgb, ground_truth = make_image(64, 96)
    for config in (
        replace(STILL, flip=1),
        replace(STILL, flip_vertical=1),
        replace(STILL, flip=1, flip_vertical=1),
    ):
        once = augment([(rgb, ground_truth)], np.random.default_rng(0), config, (64, 96))
        twice = augment([once], np.random.default_rng(1), config, (64, 96))
        assert not np.array_equal(once[0], rgb)
        assert np.array_equal(twice[0], rgb)
        assert np.array_equal(twice[1].xyxy, ground_truth.xyxy)


def test_mosaic_without_strength_is_a_grid():
    # Four images of 64 x 64 fill the quarters of 64 x 64: each is halved, to 32 x 32.
    colours = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0))
    out, seen = augment(
        [make_image(64, 64, colour) for colour in colours], np.random.default_rng(0), STILL, (64, 64)
    )
    for (y, x), colour in zip(((0, 0), (0, 32), (32, 0), (32, 32)), colours, strict=True):
        assert (out[y : y + 32, x : x + 32] == colour).all()
    whole = [[0, 0, 32, 32], [32, 0, 64, 32], [0, 32, 32, 64], [32, 32, 64, 64]]
    assert seen.xyxy[::2].tolist() == whole
    # Their left upper quarters are 16 x 16.
    assert seen.xyxy[1::2].tolist() == [[x, y, x + 16, y + 16] for x, y, _, _ in whole]
    assert seen.crowd.tolist() == [False, True] * 4


def test_a_long_image_in_a_mosaic_is_not_blown_up():
    # 640 x 64 letterboxed to 64 x 64 is 64 x 6. To cover a quarter, 32 x 32, it would have to grow fivefold:
    # it stays 64 wide and 6 high, with one of its corners at the middle.
    red = np.full((64, 640, 3), (255, 0, 0), np.uint8)
    out, _ = augment([(red, GroundTruth())] * 4, np.random.default_rng(0), STILL, (64, 64))
    assert (out[26:38] == (255, 0, 0)).all()
    assert (out[:26] == 128).all()
    assert (out[38:] == 128).all()


def test_mixup_has_the_boxes_of_both_and_a_blend_of_colours():
    pair = [make_image(64, 64, (200, 0, 0)), make_image(64, 64, (0, 0, 200))]
    out, seen = augment(pair, np.random.default_rng(0), STILL, (64, 64))
    red, green, blue = out[10, 10].astype(int).tolist()
    assert green == 0
    # The weights of the two add up to 1.
    assert red + blue == pytest.approx(200, abs=1)
    assert min(red, blue) > 20
    assert seen.xyxy.tolist() == [[0, 0, 64, 64], [0, 0, 32, 32]] * 2


def test_five_images_are_a_mosaic_and_another_over_it():
    black = [make_image(64, 64, 0)] * 4
    out, seen = augment([*black, make_image(64, 64, (0, 0, 200))], np.random.default_rng(0), STILL, (64, 64))
    assert (out[..., 2] == out[0, 0, 2]).all()
    assert 20 < out[0, 0, 2] < 180
    assert len(seen) == 10


def test_a_crop_that_loses_every_object_is_not_made():
    # A small object in a corner of an image that grows up to fivefold: most crops would miss it.
    rgb, config = np.zeros((64, 64, 3), np.uint8), replace(STILL, scale=4, shift=0.5)
    ground_truth = GroundTruth(np.float32([[0, 0, 8, 8]]), np.array([0]))
    sizes = []
    for seed in range(40):
        _, seen = augment([(rgb, ground_truth)], np.random.default_rng(seed), config, (64, 64))
        assert len(seen) == 1
        sizes.append(seen.xyxy.tolist() == [[0, 0, 8, 8]])
    assert 5 < sum(sizes) < 35


@pytest.mark.parametrize(
    ("mosaic", "mixup", "expected"),
    [(0, 0, {1}), (1, 0, {4}), (0, 1, {2}), (1, 1, {5}), (0.5, 0.5, {1, 2, 4, 5})],
)
def test_images_needed(mosaic, mixup, expected):
    rng, config = np.random.default_rng(0), AugmentConfig(mosaic=mosaic, mixup=mixup)
    assert {images_needed(rng, config) for _ in range(60)} == expected


@pytest.mark.parametrize("count", [0, 3, 6])
def test_other_numbers_of_images_are_refused(count):
    with pytest.raises(ValueError, match=f"takes 1, 2, 4 or 5 images, not {count}"):
        augment([make_image(8, 8)] * count, np.random.default_rng(0), AugmentConfig(), (32, 32))


def test_images_without_objects():
    rgb = make_image(40, 50)[0]
    for count in (1, 2, 4, 5):
        out, seen = augment(
            [(rgb, GroundTruth())] * count, np.random.default_rng(0), AugmentConfig(cutout=1), (64, 64)
        )
        assert out.shape == (64, 64, 3)
        assert len(seen) == 0
