"""Batches: the same whenever and by whomever they are made, and true to their images."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.training_sets import write_shapes
from yolo_cli.codec import Head, encode
from yolo_cli.config import AugmentConfig
from yolo_cli.datasets import open_dataset
from yolo_cli.training.yolo.data import BatchMaker, Capacity, Images

HEADS = (Head("yolo", ((16.0, 16.0), (28.0, 28.0)), 16, 2, 2.0),)
STILL = AugmentConfig(
    flip=0, scale=0, aspect=0, shift=0, hue=0, saturation=0, brightness=0, contrast=0, mosaic=0, cutout=0
)


@pytest.fixture
def shapes(tmp_path: Path) -> Path:
    return write_shapes(tmp_path)


def maker(root: Path, config: AugmentConfig = STILL, seed: int = 0, batch: int = 3) -> BatchMaker:
    samples = open_dataset(root).in_split("train").samples
    images = Images(samples, 64)
    return BatchMaker(images, HEADS, (64, 64), batch, Capacity.of(samples, HEADS), config, seed)


def same(one, other) -> bool:
    return np.array_equal(one[0], other[0]) and all(np.array_equal(one[1][k], other[1][k]) for k in one[1])


def test_an_epoch_shows_every_image_and_fills_the_last_batch(shapes: Path) -> None:
    made = maker(shapes)
    assert made.steps == 3  # 8 images in threes: 3, 3, 2 and one of the beginning
    shown = np.concatenate([made.make(0, step, True)[0] for step in range(3)])
    assert len(shown) == 9
    assert len({image.tobytes() for image in shown}) == 8
    assert shown[8].tobytes() == shown[0].tobytes()


def test_the_parts_of_a_step_are_the_step(shapes: Path) -> None:
    whole = maker(shapes, AugmentConfig(), batch=4)
    parts = [replace(whole, part=(number, 2)).make(1, 0, False) for number in (0, 1)]
    together = {key: np.concatenate([part[1][key] for part in parts]) for key in parts[0][1]}
    assert same((np.concatenate([part[0] for part in parts]), together), whole.make(1, 0, False))


def test_targets_are_those_of_the_image(shapes: Path) -> None:
    made = maker(shapes, batch=8)
    images, targets = made.make(0, 0, True)
    by_bytes = {
        sample.read().rgb.tobytes(): sample.ground_truth
        for sample in open_dataset(shapes).in_split("train").samples
    }
    for n, image in enumerate(images):
        ground_truth = by_bytes[image.tobytes()]
        wanted = encode(ground_truth.xyxy, ground_truth.class_id, HEADS, [(4, 4)])
        count = int(targets["positive"][n].sum())
        assert targets["slot"][n][:count].tolist() == wanted.slot.tolist()
        assert targets["class_id"][n][:count].tolist() == wanted.class_id.tolist()
        np.testing.assert_allclose(targets["ground_truths"][n][: len(ground_truth)], ground_truth.xyxy)


def test_batches_depend_on_seed_epoch_and_step_alone(shapes: Path) -> None:
    config = AugmentConfig()
    one = maker(shapes, config)
    for _ in range(3):
        one.make(0, 1, False)
    assert same(one.make(2, 1, False), maker(shapes, config).make(2, 1, False))
    assert not same(one.make(2, 1, False), one.make(3, 1, False))
    assert not same(one.make(2, 1, False), maker(shapes, config, seed=1).make(2, 1, False))


def test_batches_after_close_mosaic_have_none(shapes: Path) -> None:
    made = maker(shapes, AugmentConfig(mosaic=1.0))
    most = [
        int((made.make(0, 0, close_mosaic)[1]["ground_truths"].any(axis=2)).sum(axis=1).max())
        for close_mosaic in (True, False)
    ]
    assert most[0] <= 2 < most[1]


def test_large_images_are_shrunk_with_their_boxes(shapes: Path) -> None:
    sample = open_dataset(shapes).in_split("train").samples[0]
    rgb, ground_truth = Images([sample], 16)[0]  # kept at 1.5 × 16 = 24 pixels, of 64
    assert rgb.shape == (24, 24, 3)
    np.testing.assert_allclose(ground_truth.xyxy, sample.ground_truth.xyxy * 24 / 64)
