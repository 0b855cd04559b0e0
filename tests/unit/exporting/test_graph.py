"""The exported ONNX graph in ONNX Runtime against the detector, box by box."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx
import pytest

from tests.grid_networks import KNOTS, SIZE, card_of, write_grid
from tests.images import smooth
from yolo_cli.boxes import clip_boxes
from yolo_cli.config import DetectConfig
from yolo_cli.detectors import load_detector
from yolo_cli.exporting.onnx_file import build_onnx
from yolo_cli.exporting.plan import Form, Plan
from yolo_cli.graphs import open_session
from yolo_cli.images import Image

# Larger, smaller, equal to the network's input, wide, narrow, and a single pixel: (height, width).
SIZES = [(200, 310), (23, 17), SIZE, (40, 400), (333, 21), (1, 1), (2, 1), (128, 192)]


def made(folder, card, form, **options):
    """The detector, and a function that runs its exported graph: images → outputs by name."""
    path = write_grid(folder / "grid.onnx", card)
    plan = Plan.of(load_detector(str(path), engine="onnx", config=DetectConfig(**options)), form)
    graph = build_onnx(onnx.load(str(path)), plan, {})
    session = open_session(graph.SerializeToString(), ["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return plan.detector, lambda images: dict(zip(names, session.run(names, {"images": images}), strict=True))


def image_of(size, seed=0):
    height, width = size
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    return Image(np.maximum(noise, smooth(height, width)), "made")


def check_candidates(detector, outputs, image, conf):
    """Every pair of a box and a class above the threshold is in both."""
    found = detector.trace(image).selection.candidates
    boxes, scores = outputs["boxes"][0], outputs["scores"][0]
    calibrated = found.confidence
    if detector.card.calibration:
        calibrated = np.interp(calibrated, *detector.card.calibration)
    assert len(found) > 0
    assert np.count_nonzero(scores > conf) == len(found)
    assert scores[found.slot, found.class_id] == pytest.approx(calibrated, abs=1e-5)
    assert boxes[found.slot] == pytest.approx(found.xyxy, abs=1e-2, rel=1e-4)


def check_detections(found, outputs, row=0):
    count = int(outputs["num_detections"][row])
    assert count == len(found)
    assert outputs["class_ids"][row, :count].tolist() == found.class_id.tolist()
    assert outputs["scores"][row, :count] == pytest.approx(found.confidence, abs=1e-5)
    assert outputs["boxes"][row, :count] == pytest.approx(found.xyxy, abs=1e-2)
    assert not outputs["boxes"][row, count:].any()
    assert not outputs["scores"][row, count:].any()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", ["yolo", "region", "new_coords"])
def test_every_candidate_is_that_of_the_detector(tmp_path, kind, size):
    detector, run = made(tmp_path, card_of(kind), Form(), conf=0.1)
    image = image_of(size)
    check_candidates(detector, run(image.rgb[None]), image, 0.1)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("resize", ["letterbox", "stretch"])
def test_suppression_in_the_graph_is_that_by_iou(tmp_path, resize, size):
    detector, run = made(tmp_path, replace(card_of(), resize=resize), Form(nms=True), conf=0.1, nms_iou=0.3)
    image = image_of(size)
    found = detector.detect([image])[0]
    if min(size) > 2:  # else there is hardly a box
        assert len(found) < len(detector.trace(image).selection.candidates)  # something is suppressed
    check_detections(found, run(image.rgb[None]))


def test_calibrated_confidences(tmp_path):
    detector, run = made(tmp_path, card_of(calibration=KNOTS), Form(), conf=0.1)
    image = image_of((90, 70))
    check_candidates(detector, run(image.rgb[None]), image, 0.1)


@pytest.mark.parametrize("knots", [KNOTS, None])
def test_calibration_and_threshold_with_suppression(tmp_path, knots):
    detector, run = made(tmp_path, card_of(calibration=knots), Form(nms=True), conf=0.3)
    image = image_of((90, 70))
    found = detector.detect([image])[0]
    assert len(found) > 3
    check_detections(found, run(image.rgb[None]))


def test_a_box_has_its_best_class_only_unless_several_are_asked_for(tmp_path):
    """As `yolo detect` does by default; with every class there are more detections."""
    detector, run = made(tmp_path, card_of(), Form(nms=True), conf=0.1, multi_label=False)
    image = image_of((90, 70))
    found = detector.detect([image])[0]
    several, _ = made(tmp_path, card_of(), Form(nms=True), conf=0.1)
    assert 0 < len(found) < len(several.detect([image])[0])
    check_detections(found, run(image.rgb[None]))


def test_at_most_the_maximum_of_detections_for_each_image_of_a_batch(tmp_path):
    detector, run = made(tmp_path, card_of(), Form(nms=True), conf=0.05, max_det=5)
    images = [image_of((70, 90), seed) for seed in range(4)]
    outputs = run(np.stack([image.rgb for image in images]))
    assert outputs["boxes"].shape == (4, 5, 4)
    for row, found in enumerate(detector.detect(images)):
        assert len(found) == 5
        check_detections(found, outputs, row)


def test_a_batch_in_which_one_image_has_nothing(tmp_path):
    """A threshold between the best boxes of two images: one of them has none."""
    card = card_of()
    loose, _ = made(tmp_path, card, Form(nms=True), conf=0.01)
    images = [image_of((70, 90), seed) for seed in range(2)]
    tops = [found.confidence[0] for found in loose.detect(images)]
    detector, run = made(tmp_path, card, Form(nms=True), conf=float(np.mean(tops)))
    outputs = run(np.stack([image.rgb for image in images]))
    counts = [len(found) for found in detector.detect(images)]
    assert min(counts) == 0 < max(counts)
    assert outputs["num_detections"].tolist() == counts
    for row, found in enumerate(detector.detect(images)):
        check_detections(found, outputs, row)


def test_nothing_at_all(tmp_path):
    _, run = made(tmp_path, card_of(), Form(nms=True), conf=1.0)
    outputs = run(image_of((70, 90)).rgb[None])
    assert outputs["num_detections"].tolist() == [0]
    assert not outputs["boxes"].any()


@pytest.mark.parametrize("dynamic", [False, True])
def test_without_preprocessing_boxes_are_in_the_input(tmp_path, dynamic):
    form = Form(nms=True, preprocess=False, dynamic=dynamic)
    size = (96, 32) if dynamic else SIZE
    detector, run = made(tmp_path, card_of(), form, conf=0.1, imgsz=size if dynamic else None)
    image = image_of((80, 61))
    letterbox = detector.letterbox(image)
    pixels = letterbox.apply(image.rgb).transpose(2, 0, 1)[None].astype(np.float32)
    outputs = run(pixels)
    count = int(outputs["num_detections"][0])
    boxes = clip_boxes(letterbox.undo(outputs["boxes"][0, :count]), (80, 61))
    inside = (boxes[:, 2:] > boxes[:, :2]).all(axis=1)  # others are in the padding
    found = detector.detect([image])[0]
    assert len(found) > 5
    assert boxes[inside] == pytest.approx(found.xyxy, abs=1e-2)


def test_sizes_in_the_file(tmp_path):
    path = write_grid(tmp_path / "grid.onnx", card_of())
    detector = load_detector(str(path), engine="onnx")

    def shapes(form):
        graph = build_onnx(onnx.load(str(path)), Plan.of(detector, form), {}).graph
        return {
            value.name: [side.dim_param or side.dim_value for side in value.type.tensor_type.shape.dim]
            for value in [*graph.input, *graph.output]
        }

    # 4 x 6 and 2 x 3 cells of two anchors each: 48 + 12 = 60 boxes before suppression.
    assert shapes(Form()) == {
        "images": ["batch", "height", "width", 3],
        "boxes": ["batch", 60, 4],
        "scores": ["batch", 60, 3],
    }
    assert shapes(Form(preprocess=False, batch=2))["images"] == [2, 3, 64, 96]
    assert shapes(Form(preprocess=False, dynamic=True))["images"] == ["batch", 3, "height", "width"]
    assert shapes(Form(nms=True, batch=1)) == {
        "images": [1, "height", "width", 3],
        "num_detections": [1],
        "boxes": [1, 300, 4],
        "scores": [1, 300],
        "class_ids": [1, 300],
    }
