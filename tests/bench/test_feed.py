"""Batches without a network: what more workers bring, and processes over threads; prints, never fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from time import perf_counter, sleep

import cv2
import numpy as np
import pytest

from yolo_cli.codec import Head
from yolo_cli.config import AugmentConfig
from yolo_cli.datasets import Sample
from yolo_cli.detections import GroundTruth
from yolo_cli.training.yolo.data import Batch, BatchMaker, Images
from yolo_cli.training.yolo.feed import Feed, ahead, open_feed

SIDE, BATCH, IMAGES = 416, 8, 64
ROUNDS, SLICE, AHEAD = 30, 10, 6  # turns; batches of each; more than any feed has ready
HEADS = (
    Head("coarse", ((81, 82), (135, 169), (344, 319)), 32, 5),
    Head("fine", ((23, 27), (37, 58), (81, 82)), 16, 5),
)
KINDS = {"1 thread": (1, 0), "2 threads": (2, 0), "1 process": (None, 1), "2 processes": (None, 2)}


@pytest.mark.bench
def test_two_workers_against_one_at_416_pixels(tmp_path: Path) -> None:
    """All feeds are open at once and take turns, so that whatever else the machine does disturbs them alike.

    Medians are what they did, the best tenth what they do in quiet moments.
    """
    maker = synthetic(tmp_path)
    with ExitStack() as stack:
        feeds = {kind: stack.enter_context(open_feed(maker, *how)) for kind, how in KINDS.items()}
        batches = {kind: stack.enter_context(closing(endless(maker, feed))) for kind, feed in feeds.items()}
        for each in batches.values():
            images_a_second(each, 2 * maker.steps)  # processes start, images are decoded
        turns = [
            {kind: images_a_second(each, SLICE) for kind, each in batches.items()} for _ in range(ROUNDS)
        ]
    rates = {kind: np.array([turn[kind] for turn in turns]) for kind in KINDS}
    print()
    for kind, values in rates.items():
        print(f"{kind}: {np.median(values):.0f} images a second, best {np.quantile(values, 0.9):.0f}")
    for one, two in (("1 thread", "2 threads"), ("1 process", "2 processes"), ("2 threads", "2 processes")):
        best = np.quantile(rates[two], 0.9) / np.quantile(rates[one], 0.9)
        print(f"{two} / {one}: {np.median(rates[two] / rates[one]):.2f}, best {best:.2f}")


def synthetic(folder: Path) -> BatchMaker:
    """JPEG images of 500 × 375 pixels with five boxes each, and default augmentation."""
    rng = np.random.default_rng(0)
    samples = []
    for number in range(IMAGES):
        path = folder / f"{number}.jpg"
        rgb = cv2.GaussianBlur(rng.integers(0, 256, (375, 500, 3), np.uint8), (0, 0), 3)
        path.write_bytes(cv2.imencode(".jpg", rgb)[1].tobytes())
        corner = rng.uniform(0, 300, (5, 2))
        boxes = GroundTruth(np.concatenate([corner, corner + 60], axis=1), np.arange(5))
        samples.append(Sample(path.name, path, "train", path.stem, "", boxes, tuple(range(5))))
    return BatchMaker(Images(samples, SIDE), HEADS, (SIDE, SIDE), BATCH, AugmentConfig(), seed=0)


def endless(maker: BatchMaker, feed: Feed) -> Iterator[Batch]:
    return ahead(lambda number: feed.make(*divmod(number, maker.steps), False), feed.threads)


def images_a_second(batches: Iterator[Batch], count: int) -> float:
    """Over ``count`` batches, after those that were made while others had their turn."""
    for _ in range(AHEAD):
        next(batches)
    start = perf_counter()
    for _ in range(count):
        next(batches)
    seconds = perf_counter() - start
    sleep(0.1)  # until what was asked for in advance is made
    return count * BATCH / seconds
