"""How long data sets take, as ratios. Run alone: `pytest -m bench -s tests/bench/test_datasets.py`."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.shared import SHARED, needs_shared
from yolo_cli.anchors import fit_anchors
from yolo_cli.datasets import lint, open_dataset

pytestmark = pytest.mark.bench
VOC = SHARED / "data" / "voc2012-subset"


def seconds(work: Callable[[], object]) -> float:
    """The best of three."""
    taken = []
    for _ in range(3):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return min(taken)


@needs_shared("data", "voc2012-subset")
def test_reading_hashing_linting_and_fitting_against_decoding_every_image() -> None:
    dataset = open_dataset(VOC)
    boxes = dataset.box_sizes(416)
    decode = seconds(lambda: [sample.read() for sample in dataset.samples])
    print(f"\n{len(dataset)} images, {len(boxes)} boxes; decoding them on one core takes {decode:.2f} s")
    for what, work in (
        ("open_dataset", lambda: open_dataset(VOC)),
        ("content_hash", lambda: replace(dataset).content_hash),
        ("box_sizes", lambda: dataset.box_sizes(416)),
        ("lint", lambda: lint(dataset)),
        ("fit_anchors, k 9", lambda: fit_anchors(boxes, 9)),
    ):
        taken = seconds(work)
        print(f"{what:18} {taken:6.2f} s  {taken / decode:5.2f} of decoding")
