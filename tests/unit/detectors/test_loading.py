"""Bundled models opened as detectors: how often files are opened, threads, and images of extreme shapes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from tests.bundled import MODELS
from tests.contract import assert_is_detector
from tests.images import smooth
from tests.shared import ROOT
from yolo_cli.config import DetectConfig
from yolo_cli.detectors import DETECTORS, load_detector, loading
from yolo_cli.engines import on_onnxruntime
from yolo_cli.images import Image, read_image
from yolo_cli.weights import find_model


@pytest.fixture
def opened(monkeypatch):
    """What ONNX Runtime opened: the path of a file, or None for a part of one."""
    sources = []

    def open_session(model, *how):
        sources.append(model if isinstance(model, Path) else None)
        return original(model, *how)

    original = on_onnxruntime.open_session
    monkeypatch.setattr(on_onnxruntime, "open_session", open_session)
    return sources


def test_faster_rcnn_opens_only_the_parts_that_it_runs(opened):
    load_detector("faster-rcnn-voc", engine="onnx", device="cpu")
    assert opened == [None, None, None]  # the backbone up to its map, the proposal network and the head


def test_a_model_is_opened_once(opened):
    load_detector(engine="onnx", device="cpu")
    assert opened == [find_model("yolov4-tiny-coco").onnx]


def test_files_that_were_found_are_not_looked_for_again(monkeypatch):
    files = find_model("yolov4-tiny-coco")
    monkeypatch.setattr(loading, "find_model", lambda name: pytest.fail(f"looked for {name} again"))
    assert load_detector(files, engine="onnx").card.name == "yolov4-tiny-coco"


def test_a_path_serves_as_well_as_a_name():
    path = find_model("yolov4-tiny-coco").onnx
    assert load_detector(path).card == load_detector("yolov4-tiny-coco").card


@pytest.mark.parametrize(
    ("kind", "engine"),
    [("yolo", "onnx"), ("yolo", "keras"), ("conv-sliding-window", "onnx"), ("faster-rcnn", "onnx")],
)
def test_several_threads_may_use_one_detector(kind, engine):
    detector = load_detector(MODELS[kind], engine=engine, device="cpu", kind=kind)
    images = [read_image(ROOT / "examples" / name) for name in ("cat.jpg", "coffee.jpg")] * 4
    alone = [detector.detect([image])[0] for image in images]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda image: detector.detect([image])[0], images))
    for one, other in zip(alone, together, strict=True):
        assert len(one) == len(other)
        assert np.array_equal(one.class_id, other.class_id)
        np.testing.assert_allclose(one.xyxy, other.xyxy, atol=1e-3)


@pytest.mark.parametrize("kind", DETECTORS)
def test_images_of_extreme_shapes(kind):
    """Longer than 8.5 : 1, no window of the pyramid fits; at 64 : 1 a letterbox leaves a few rows."""
    config = DetectConfig(conf=0.05)
    detector = load_detector(MODELS[kind], engine="onnx", device="cpu", config=config, kind=kind)
    shapes = [(1, 300), (300, 1), (9, 90), (90, 9)]
    assert_is_detector(detector, [Image(smooth(*shape), f"{shape}") for shape in shapes])
