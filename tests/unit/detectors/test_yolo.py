"""The one path from image to boxes, with an engine that answers what the test says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from tests.contract import assert_is_detector
from yolo_cli.codec import Head
from yolo_cli.config import DetectConfig
from yolo_cli.detectors import Cost, YoloDetector
from yolo_cli.errors import UserError
from yolo_cli.images import Image
from yolo_cli.letterbox import Letterbox
from yolo_cli.weights import ModelCard

HEAD = Head("yolo", anchors=((32.0, 64.0),), stride=32, class_count=3)
CARD = ModelCard("fake", ("cat", "dog", "cow"), (HEAD,), (64, 64), "letterbox")
SURE, NEVER = 20.0, -20.0  # raw values: σ(20) is 1 to 2e-9, σ(-20) is 2e-9


@dataclass
class Answer:
    """An engine that sees the same thing on every image: (1, 2, 2, 8), nothing but what `cells` says."""

    cells: dict[tuple[int, int], list[float]]

    def run(self, batch: np.ndarray) -> list[np.ndarray]:
        raw = np.full((len(batch), 2, 2, 8), NEVER, np.float32)
        for (row, column), values in self.cells.items():
            raw[:, row, column] = values
        return [raw]

    def multiply_accumulates(self, batch: np.ndarray) -> int:
        """As if each pixel cost one."""
        return int(np.prod(batch.shape[:3]))


def detector(cells: dict[tuple[int, int], list[float]], **options: Any) -> YoloDetector:
    return YoloDetector(Answer(cells), CARD, DetectConfig(**options))


def make_image(height: int, width: int) -> Image:
    return Image(np.zeros((height, width, 3), np.uint8))


DOG = [0.0, 0.0, 0.0, 0.0, SURE, NEVER, SURE, NEVER]


def test_one_box_by_hand() -> None:
    """An image 128 wide, 64 high goes into 64 x 64 at scale 1/2, with 16 rows of grey above and below.

    The cell at row 1, column 0 answers: centre x = (0 + σ(0)) · 32 = 16, y = (1 + 0.5) · 32 = 48;
    width 32 · exp(0) = 32, height 64. So xyxy = (0, 16, 32, 80) in the network's pixels. Back: x / (1/2),
    (y - 16) / (1/2): (0, 0, 64, 128), of which the image holds (0, 0, 64, 64).
    """
    [found] = detector({(1, 0): DOG}).detect([make_image(64, 128)])
    np.testing.assert_allclose(found.xyxy, [[0, 0, 64, 64]], atol=1e-4)
    np.testing.assert_allclose(found.confidence, [1.0], atol=1e-6)
    assert found.class_id.tolist() == [1]


def test_stretch_by_hand() -> None:
    """The same cell; now 64 x 64 is the image scaled by 1/2 across and 1 down: (0, 16, 64, 64 of 80)."""
    [found] = detector({(1, 0): DOG}, resize="stretch").detect([make_image(64, 128)])
    np.testing.assert_allclose(found.xyxy, [[0, 16, 64, 64]], atol=1e-4)


def test_one_box_may_carry_several_classes() -> None:
    both = [0.0, 0.0, 0.0, 0.0, SURE, 2.0, 1.0, NEVER]  # σ(2) = 0.8808, σ(1) = 0.7311
    [found] = detector({(0, 0): both}).detect([make_image(64, 64)])
    assert found.class_id.tolist() == [0, 1]
    np.testing.assert_allclose(found.confidence, [0.8808, 0.7311], atol=1e-4)


def test_soft_suppression_keeps_to_the_confidence() -> None:
    # The same box twice, IoU 1: 0.7311 · exp(-1 / 0.5) = 0.0989 is left of the second.
    both = [0.0, 0.0, 0.0, 0.0, SURE, 2.0, 1.0, NEVER]
    for conf, left in ((0.05, [0.8808, 0.0989]), (0.25, [0.8808])):
        soft = detector({(0, 0): both}, agnostic=True, suppression="soft", conf=conf)
        [found] = soft.detect([make_image(64, 64)])
        np.testing.assert_allclose(found.confidence, left, atol=1e-4)


def test_a_box_has_its_best_class_only() -> None:
    """One box is a dog at 0.88 and a cow at 0.73; another, of another cell, is a cat."""
    both = [0.0, 0.0, 0.0, 0.0, SURE, NEVER, 2.0, 1.0]
    cat = [0.0, 0.0, 0.0, 0.0, SURE, 1.5, NEVER, NEVER]
    cells = {(0, 0): both, (1, 1): cat}
    [found] = detector(cells, multi_label=False).detect([make_image(64, 64)])
    assert found.class_id.tolist() == [1, 0]
    [every] = detector(cells).detect([make_image(64, 64)])
    assert every.class_id.tolist() == [1, 0, 2]
    # A cow only where that is its best class: what is left out changes nothing of the rest.
    [cows] = detector(cells, multi_label=False, classes=(2,)).detect([make_image(64, 64)])
    assert len(cows) == 0


def test_class_agnostic_suppression_leaves_one_of_them() -> None:
    both = [0.0, 0.0, 0.0, 0.0, SURE, 2.0, 1.0, NEVER]
    [found] = detector({(0, 0): both}, agnostic=True).detect([make_image(64, 64)])
    assert found.class_id.tolist() == [0]


def test_only_wanted_classes_and_only_so_many() -> None:
    cells = {(row, column): DOG for row in (0, 1) for column in (0, 1)}
    [all_of_them] = detector(cells, nms_iou=1.0).detect([make_image(64, 64)])
    [few] = detector(cells, nms_iou=1.0, max_det=3).detect([make_image(64, 64)])
    [none] = detector(cells, classes=(0, 2)).detect([make_image(64, 64)])
    assert (len(all_of_them), len(few), len(none)) == (4, 3, 0)


@pytest.mark.parametrize(
    ("calibration", "conf", "confidences"),
    [
        (None, 0.25, [1.0]),
        (None, 0.1, [1.0, 0.1218]),
        (((0.0, 0.5, 1.0), (0.0, 0.9, 1.0)), 0.25, [1.0]),
        (((0.0, 0.5, 1.0), (0.0, 0.9, 1.0)), 0.2, [1.0, 0.2192]),
    ],
)
def test_soft_suppression_leaves_nothing_below_the_confidence(calibration, conf, confidences) -> None:
    """The same box twice, at 1 and 0.9: Soft-NMS leaves the second 0.9 · exp(-1² / 0.5) = 0.1218.

    Calibration maps that to 0.1218 · 0.9 / 0.5 = 0.2192.
    """
    first = [SURE, 0.0, 0.0, 0.0, SURE, NEVER, SURE, NEVER]  # centre x = (0 + 1) · 32
    second = [NEVER, 0.0, 0.0, 0.0, SURE, NEVER, 2.1972, NEVER]  # centre x = (1 + 0) · 32, σ(2.1972) = 0.9
    engine, config = Answer({(0, 0): first, (0, 1): second}), DetectConfig(conf=conf, suppression="soft")
    [found] = YoloDetector(engine, replace(CARD, calibration=calibration), config).detect(
        [make_image(64, 64)]
    )
    np.testing.assert_allclose(found.confidence, confidences, atol=1e-4)


def test_a_box_beyond_the_border_is_not_found() -> None:
    """Shifted by scale_x_y: with s = 9, centre x = (0 + 9 · σ(-20) − 4) · 32 = −128, so it ends at −112."""
    head = replace(HEAD, scale_x_y=9.0)
    outside = YoloDetector(Answer({(0, 0): [NEVER, *DOG[1:]]}), replace(CARD, heads=(head,)), DetectConfig())
    [found] = outside.detect([make_image(64, 64)])
    assert len(found) == 0


def test_images_of_different_sizes_go_together_and_keep_their_order() -> None:
    shapes = [(64, 128), (128, 64), (64, 64)]
    alone = [detector({(1, 0): DOG}).detect([make_image(*shape)])[0] for shape in shapes]
    together = detector({(1, 0): DOG}).detect([make_image(*shape) for shape in shapes])
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one.xyxy, other.xyxy)


def test_nothing_in_nothing_out() -> None:
    assert detector({}).detect([]) == []
    [found] = detector({}).detect([make_image(1, 1)])
    assert len(found) == 0


def test_it_is_a_detector() -> None:
    assert_is_detector(detector({(1, 0): DOG}))


def test_a_trace_by_hand() -> None:
    """The network's box (0, 16, 32, 80) of `test_one_box_by_hand` is (0, 0, 64, 128) before clipping."""
    trace = detector({(1, 0): DOG}).trace(make_image(64, 128))
    np.testing.assert_allclose(trace.selection.candidates.xyxy, [[0, 0, 64, 128]], atol=1e-4)
    np.testing.assert_allclose(trace.selection.boxes, [[0, 0, 0.5, 2]], atol=1e-4)
    assert trace.selection.candidates.slot.tolist() == [2]  # the third cell, of one anchor each
    assert trace.evaluated == 4
    assert trace.regions is None


def test_cost_is_one_run_of_the_network() -> None:
    assert detector({}).cost(make_image(64, 128)) == Cost(64 * 64, 0)


def test_boxes_are_transformed_back_once(monkeypatch: pytest.MonkeyPatch) -> None:
    undone = []

    def undo(letterbox: Letterbox, xyxy: np.ndarray) -> np.ndarray:
        undone.append(len(xyxy))
        return original(letterbox, xyxy)

    original = Letterbox.undo
    monkeypatch.setattr(Letterbox, "undo", undo)
    detector({(1, 0): DOG}).detect([make_image(64, 128)])
    assert undone == [1]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"imgsz": (64, 65)}, "multiple of 32"),
        ({"imgsz": (16, 64)}, "between 32 and 4096"),
        ({"classes": (3,)}, "classes 0 to 2"),
        ({"conf": 1.5}, "conf is 1.5"),
        ({"nms_iou": -0.1}, "nms_iou is -0.1"),
        ({"max_det": 0}, "max_det is 0"),
    ],
)
def test_options_that_cannot_be(options: dict[str, Any], says: str) -> None:
    with pytest.raises(UserError, match=says) as fault:
        detector({}, **options)
    assert fault.value.exit_code == 2


@pytest.mark.parametrize("kind", ["iou", "greedynms", "diounms", "soft"])
@pytest.mark.parametrize("shape", [(64, 64), (40, 160)])
def test_detection_stops_early_with_the_same_result(kind: Any, shape: tuple[int, int]) -> None:
    """A network of random answers, at 640 x 640: 1,200 candidates, many of them outside a wide image."""

    class Noise(Answer):
        def run(self, batch: np.ndarray) -> list[np.ndarray]:
            return [np.random.default_rng(1).normal(0, 1.5, (len(batch), 20, 20, 8)).astype(np.float32)]

    config = DetectConfig(conf=0.001, max_det=20, suppression=kind, imgsz=(640, 640))
    noisy, image = YoloDetector(Noise({}), CARD, config), make_image(*shape)
    trace, [found] = noisy.trace(image), noisy.detect([image])
    assert len(trace.selection.candidates) == 1200
    assert len(found) == 20 < len(trace.selection.kept)
    np.testing.assert_array_equal(found.xyxy, trace.detections.xyxy)
    np.testing.assert_array_equal(found.confidence, trace.detections.confidence)
    np.testing.assert_array_equal(found.class_id, trace.detections.class_id)
