"""The NanoDet-Plus models of their authors, imported: figures and boxes, with ONNX Runtime and with Keras."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pytest

from tests.shared import SHARED, needs_shared
from yolo_cli import evaluate, import_model, load_detector
from yolo_cli.graphs import multiply_accumulates

MADE = Path(mkdtemp(prefix="yolo-cli-nanodet-"))
FILES = {"m": "nanodet-plus-m_416", "m-1.5x": "nanodet-plus-m-1.5x_416-int8"}
FIGURES = {"m": (0.362, 0.525), "m-1.5x": (0.382, 0.553)}  # AP and AP50 by another program

pytestmark = needs_shared("nanodet")


@cache
def imported(name: str) -> str:
    """The path of the model, as the program's own import makes it."""
    files = [SHARED / "nanodet" / f"{FILES[name]}{suffix}" for suffix in (".param", ".bin")]
    return str(import_model(files, SHARED / "darknet" / "coco.names", MADE / name).onnx)


@pytest.mark.parametrize("engine", ["onnx", "keras"])
def test_the_dog_the_bicycle_and_the_truck(engine):
    detector = load_detector(imported("m-1.5x"), engine=engine, conf=0.4)
    found = detector(SHARED / "darknet" / "images" / "dog.jpg").detections
    names = [detector.class_names[i] for i in found.class_id]
    expected = {"bicycle": 0.79, "dog": 0.72, "truck": 0.57, "car": 0.42}
    assert names == list(expected)
    assert found.confidence.tolist() == pytest.approx(list(expected.values()), abs=0.01)


@pytest.mark.parametrize(("name", "published"), [("m", 1.52), ("m-1.5x", 2.97)])
def test_arithmetic_is_what_its_authors_publish(name, published):
    """In billions of operations, two for each multiply-accumulate."""
    count = multiply_accumulates(Path(imported(name)), np.zeros((1, 416, 416, 3), np.uint8))
    assert round(2 * count / 1e9, 2) == published


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["onnx", "keras"])
@pytest.mark.parametrize("name", FIGURES)
@needs_shared("data", "coco128-val")
def test_average_precision(name, engine, tmp_path):
    """pycocotools' protocol: confidence above .001, class-wise IoU .6, 100 boxes, images stretched."""
    data = SHARED / "data" / "coco128-val"
    report = evaluate(data, weights=imported(name), engine=engine, nms_iou=0.6, max_det=100)
    assert (report.map50_95, report.map50) == pytest.approx(FIGURES[name], abs=0.003)
