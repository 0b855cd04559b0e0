"""What is measured is what the detectors do."""

from __future__ import annotations

import numpy as np
import pytest

from tests.comparisons import data
from yolo_cli.comparison import CONTENDERS, measure
from yolo_cli.comparison.memory import forget_peak, peak_memory
from yolo_cli.config import DetectConfig
from yolo_cli.detectors import load_detector

YOLO = next(one for one in CONTENDERS if one.name == "YOLO")


def test_yolo_on_one_image():
    done: list[int] = []
    found = measure(YOLO, data("cat.jpg"), DetectConfig(conf=0.25), 60, progress=done.append)
    assert done == [1]
    assert found.row.finished
    assert found.row.map50 == 1.0  # the cat fills the image
    assert found.row.recall is None  # YOLO proposes nothing
    assert found.row.regions == (13 * 13 + 26 * 26) * 3
    assert found.row.multiply_accumulates == 3_453_938_176  # 6.9 BFLOPs, two for each
    [same] = load_detector(config=DetectConfig(conf=0.25)).detect([data("cat.jpg").samples[0].read()])
    assert np.array_equal(found.found["cat.jpg"].xyxy, same.xyxy)


def test_time_that_is_up_leaves_one_image():
    found = measure(YOLO, data("cat.jpg", "coffee.jpg"), DetectConfig(), time_limit=0)
    assert (found.row.images, found.row.finished) == (1, False)
    assert list(found.found) == ["cat.jpg"]


def test_without_labels_there_is_no_accuracy():
    found = measure(YOLO, data("cat.jpg"), DetectConfig(), 60, labelled=False)
    assert found.row.map50 is None


def test_memory_peaks_and_is_forgotten():
    if not forget_peak():
        pytest.skip("this system does not tell the peak of memory")
    before = peak_memory()
    block = np.ones(30_000_000)  # 240 MB
    assert peak_memory() - before > 200e6
    del block
    forget_peak()
    assert peak_memory() - before < 100e6
