"""Batches: the same whenever and by whomever they are made, and true to their images."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.made_sets import write_image
from tests.training_sets import write_shapes
from yolo_cli.codec import Head, encode
from yolo_cli.config import AugmentConfig
from yolo_cli.datasets import Sample, open_dataset
from yolo_cli.detections import GroundTruth
from yolo_cli.letterbox import Letterbox
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
    return BatchMaker(images, HEADS, (64, 64), batch, config, seed)


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


def crowded(folder: Path, full: int = 30) -> BatchMaker:
    """One image of 30 boxes, and seven of one box."""
    samples = list(open_dataset(write_shapes(folder)).in_split("train").samples)
    corner = np.random.default_rng(0).uniform(0, 0.7, (full, 2))
    boxes = GroundTruth(np.concatenate([corner, corner + 0.3], axis=1), np.zeros(full, np.int64))
    one = boxes[:1]
    several = [boxes, *[one] * 7]
    samples = [
        replace(sample, labels=labels, rows=tuple(range(len(labels))), fractions=True)
        for sample, labels in zip(samples, several, strict=True)
    ]
    return BatchMaker(Images(samples, 64), HEADS, (64, 64), 8, AugmentConfig(mosaic=1.0, mixup=0.5), 0)


def test_mosaic_cuts_no_slot_and_no_ground_truth(tmp_path: Path) -> None:
    """Drawn with replacement, the full image may be there five times: 150 boxes."""
    made, counts = crowded(tmp_path), []
    for step in range(40):
        _, targets = made.make(step, 0, False)
        # Cut slots would be marked as assigned, but without a target.
        assert np.array_equal(targets["taken"].sum(axis=1), targets["positive"].sum(axis=1))
        counts.append(targets["ground_truths"].any(axis=2).sum(axis=1).max())
    assert max(counts) > 30 + 4  # more than the five fullest images have
    assert made.capacity == Capacity(150, made.slot_count)  # each of 32 slots is assigned at most once


def test_the_capacity_follows_the_augmentation(shapes: Path) -> None:
    # At most two boxes an image; three cells for each of two anchors, but there are only 32 slots.
    assert maker(shapes).capacity == Capacity(2, 12)
    assert maker(shapes, AugmentConfig(mosaic=0.5)).capacity == Capacity(8, 32)


def test_of_too_many_ground_truths_the_ignored_ones_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("yolo_cli.training.yolo.data.GROUND_TRUTH_LIMIT", 3)
    [sample, *_] = open_dataset(write_shapes(tmp_path)).in_split("train").samples
    crowd = np.array([False, False, False, False, True])
    boxes = GroundTruth(np.tile([0.0, 0, 0.5, 0.5], (5, 1)), np.zeros(5, np.int64), crowd)
    sample = replace(sample, labels=boxes, rows=tuple(range(5)), fractions=True)
    _, targets = BatchMaker(Images([sample], 64), HEADS, (64, 64), 1, STILL, 0).make(0, 0, True)
    assert targets["ignored"].tolist() == [[1, 0, 0]]


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
    rgb, ground_truth = Images([sample], 8)[0]  # kept at 4 × 8 = 32 pixels, of 64
    assert rgb.shape == (32, 32, 3)
    np.testing.assert_allclose(ground_truth.xyxy, sample.ground_truth.xyxy * 32 / 64)


def test_an_image_is_resized_as_detection_resizes_it(tmp_path: Path) -> None:
    """Without augmentation the bytes are the same, also of an image three times as large as the input."""
    path = write_image(tmp_path / "large.png", (192, 144))
    sample = Sample("large.png", path, "train", "large", "")
    images, _ = BatchMaker(Images([sample], 64), HEADS, (64, 64), 1, STILL, 0).make(0, 0, True)
    rgb = sample.read().rgb
    assert np.array_equal(images[0], Letterbox.fit(*rgb.shape[:2], 64, 64).apply(rgb))


def test_crowds_and_difficult_objects_have_no_slots(tmp_path: Path) -> None:
    """Of an object, a crowd and a difficult object only the first has slots; all are known to the loss."""
    [sample, *_] = open_dataset(write_shapes(tmp_path)).in_split("train").samples
    boxes = GroundTruth(
        np.array([[0.0, 0, 0.3, 0.3], [0.3, 0.3, 0.6, 0.6], [0.7, 0.7, 1, 1]]), np.array([0, 1, 1]),
        np.array([False, True, False]), np.array([False, False, True]),
    )  # fmt: skip
    sample = replace(sample, labels=boxes, rows=(0, 1, 2), fractions=True)
    _, targets = BatchMaker(Images([sample], 64), HEADS, (64, 64), 1, STILL, 0).make(0, 0, True)
    positive = targets["positive"][0] > 0
    assert positive.any()
    assert set(targets["class_id"][0][positive].tolist()) == {0}
    assert targets["taken"][0].sum() == positive.sum()
    flags = dict(zip(targets["ground_truths"][0][:, 0].round().tolist(), targets["ignored"][0], strict=True))
    assert flags == {0.0: 0, 19.0: 1, 45.0: 1}  # 0.3 and 0.7 of 64 pixels
