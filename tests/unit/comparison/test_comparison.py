"""What is measured is what the detectors do; where the arithmetic went adds up."""

from __future__ import annotations

import numpy as np
import pytest

from tests.shared import ROOT
from yolo_cli.comparison import CONTENDERS, Measured, Row, measure, write_page
from yolo_cli.comparison.measure import look_at
from yolo_cli.comparison.memory import forget_peak, peak_memory
from yolo_cli.comparison.page import arithmetic_map
from yolo_cli.config import DetectConfig
from yolo_cli.datasets import Dataset, Sample
from yolo_cli.detections import Detections, GroundTruth
from yolo_cli.detectors import load_detector
from yolo_cli.detectors.regions import Cost
from yolo_cli.errors import DataError

EXAMPLES = ROOT / "examples"
YOLO = next(one for one in CONTENDERS if one.name == "YOLO")


def data(*names: str) -> Dataset:
    """Images on which the whole of each shows a cat."""
    samples = []
    for name in names:
        sample = Sample(name, EXAMPLES / name, "val", name, "")
        width, height = sample.size
        ground_truth = GroundTruth(np.array([[0, 0, width, height]], float), np.array([0]))
        samples.append(Sample(name, EXAMPLES / name, "val", name, "", ground_truth, (1,)))
    return Dataset(EXAMPLES, "voc", ("cat",), tuple(samples))


def row(name: str = "x", **changes: object) -> Row:
    values = {"map50": 0.5, "recall": None, "peak_bytes": None}
    numbers = dict.fromkeys(("propose_ms", "classify_ms", "suppress_ms", "regions"), 1.0)
    rest = {"images": 1, "finished": True, "multiply_accumulates": 10, "model_bytes": 10}
    return Row(name=name, weights="w", trained_on="t", **{**values, **numbers, **rest, **changes})


def measured(regions: list[list[float]], cost: Cost, **changes: object) -> Measured:
    return Measured(row(**changes), ("cat",), {}, np.array(regions, float).reshape(-1, 4), cost)


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


def test_a_look_finds_what_detection_finds():
    detector = load_detector("fast-rcnn-voc", engine="onnx", config=DetectConfig(conf=0.5))
    image = data("cat.jpg").samples[0].read()
    look, [found] = look_at(detector, image), detector.detect([image])
    assert np.allclose(look.found.xyxy, found.xyxy)
    assert look.regions is not None
    assert (look.spent > 0).all()


def test_arithmetic_adds_up_by_hand():
    # 12 over all of 4 x 3 pixels is 1 each; 8 for each region: 2 a pixel on 2 x 2, and 8 on a single one.
    spent = arithmetic_map(measured([[0, 0, 2, 2], [3, 2, 4, 3]], Cost(12, 8)), height=3, width=4)
    assert spent.tolist() == [[3, 3, 1, 1], [3, 3, 1, 1], [1, 1, 1, 9]]


def test_arithmetic_adds_up_whatever_the_regions():
    random = np.random.default_rng(0)
    corners = random.uniform(-10, 60, (200, 2, 2))  # some reach out of the image, some lie outside
    regions = np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)
    spent = arithmetic_map(measured(regions.tolist(), Cost(1000, 7)), height=30, width=50)
    assert spent.sum() == pytest.approx(1000 + 200 * 7)
    assert spent.min() >= 0


def test_the_page_stands_alone(tmp_path):
    images = data("cat.jpg", "coffee.jpg").samples
    box = Detections(np.float32([[5, 5, 90, 90]]), np.float32([0.9]), np.array([0]))
    one = Measured(row("<first>"), ("cat",), {"cat.jpg": box}, np.zeros((0, 4)), Cost(10, 0))
    write_page(tmp_path / "page.html", [one, measured([], Cost(5, 0), name="second")], images, "A & B", "1")
    text = (tmp_path / "page.html").read_text()
    assert "&lt;first&gt;" in text
    assert "A &amp; B" in text
    assert "not reached in its time" in text
    assert "http" not in text.replace("http-equiv", "")  # nothing is loaded from elsewhere
    assert "<svg" in text


def test_the_page_without_accuracy_has_no_chart(tmp_path):
    one = measured([], Cost(5, 0), map50=None)
    write_page(tmp_path / "page.html", [one], data("cat.jpg").samples, "t", "1")
    assert "<svg" not in (tmp_path / "page.html").read_text()


def test_a_page_that_cannot_be_written(tmp_path):
    with pytest.raises(DataError, match="cannot be written"):
        write_page(tmp_path / "no" / "p.html", [measured([], Cost(5, 0))], data("cat.jpg").samples, "t", "1")


def test_memory_peaks_and_is_forgotten():
    if not forget_peak():
        pytest.skip("this system does not tell the peak of memory")
    before = peak_memory()
    block = np.ones(30_000_000)  # 240 MB
    assert peak_memory() - before > 200e6
    del block
    forget_peak()
    assert peak_memory() - before < 100e6
