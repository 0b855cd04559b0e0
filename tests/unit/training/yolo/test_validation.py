"""Evaluation during training: one shape for the network, and suppression while it runs on the next batch."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.training_sets import write_shapes
from yolo_cli.codec import Head
from yolo_cli.config import DetectConfig
from yolo_cli.datasets import Sample, open_dataset
from yolo_cli.detectors import YoloDetector
from yolo_cli.errors import DataError
from yolo_cli.pipeline import run_detector
from yolo_cli.training.yolo.validation import NEARLY_ALL, LiveEngine, Validator
from yolo_cli.weights import ModelCard

HEAD = Head("yolo", anchors=((32.0, 64.0),), stride=32, class_count=2)
CARD = ModelCard("fake", ("circle", "square"), (HEAD,), (64, 64), "letterbox")


@dataclass
class Noise:
    """A model whose raw heads (B, 2, 2, 7) depend on the pixels of each image alone."""

    shapes: list[tuple[int, ...]] = field(default_factory=list)
    stop_after: int = 99

    def predict_on_batch(self, batch: np.ndarray) -> np.ndarray:
        if len(self.shapes) == self.stop_after:
            raise KeyboardInterrupt
        self.shapes.append(batch.shape)
        seeds = batch.sum(axis=(1, 2, 3), dtype=np.int64)
        return np.stack([np.random.default_rng(seed).normal(size=(2, 2, 7)) for seed in seeds])


@pytest.fixture
def samples(tmp_path: Path) -> Sequence[Sample]:
    return open_dataset(write_shapes(tmp_path / "data", train=7, val=0)).samples


@pytest.mark.parametrize("batch", [1, 3, 7, 8])
def test_figures_are_those_of_detection_image_by_image(batch: int, samples: Sequence[Sample]) -> None:
    model = Noise()
    gathered = Validator(samples, CARD, batch).gather(LiveEngine(model, batch))
    outcomes = list(run_detector(YoloDetector(LiveEngine(Noise(), 1), CARD, NEARLY_ALL), samples))
    assert gathered.images == tuple(outcome.name for outcome in outcomes)
    for field_name in ("xyxy", "confidence", "class_id"):
        expected = np.concatenate([getattr(outcome.detections, field_name) for outcome in outcomes])
        np.testing.assert_array_equal(getattr(gathered.found, field_name), expected)
    # 7 images in batches of 3 are 3, 3 and 1: the last one is filled up, for a network compiled once.
    assert model.shapes == [(batch, 64, 64, 3)] * -(-7 // batch)


def test_the_network_runs_on_while_a_batch_is_suppressed(
    monkeypatch: pytest.MonkeyPatch, samples: Sequence[Sample]
) -> None:
    second = threading.Event()

    class Model(Noise):
        def predict_on_batch(self, batch: np.ndarray) -> np.ndarray:
            if self.shapes:
                second.set()
            return super().predict_on_batch(batch)

    select = YoloDetector.select

    def patient(*given: Any) -> Any:
        assert second.wait(30), "the first batch was suppressed before the network got the second one"
        return select(*given)

    monkeypatch.setattr(YoloDetector, "select", patient)
    assert len(Validator(samples, CARD, 3).gather(LiveEngine(Model(), 3)).images) == 7


def test_a_fault_in_suppression_ends_the_evaluation(
    monkeypatch: pytest.MonkeyPatch, samples: Sequence[Sample]
) -> None:
    def broken(*_: Any) -> Any:
        raise ArithmeticError("seen")

    monkeypatch.setattr(YoloDetector, "select", broken)
    with pytest.raises(ArithmeticError, match="seen"):
        Validator(samples, CARD, 3).gather(LiveEngine(Noise(), 3))


def test_an_image_that_cannot_be_read_ends_the_evaluation(samples: Sequence[Sample]) -> None:
    samples[4].path.write_bytes(b"not an image")
    with pytest.raises(DataError, match=samples[4].path.name):
        Validator(samples, CARD, 3).gather(LiveEngine(Noise(), 3))


def test_an_interrupt_leaves_no_thread_behind(samples: Sequence[Sample]) -> None:
    with pytest.raises(KeyboardInterrupt):
        Validator(samples, CARD, 2).gather(LiveEngine(Noise(stop_after=2), 2))
    assert not [each for each in threading.enumerate() if each.name.startswith("suppression")]


def test_the_options_of_detection_go_before_those_of_the_card() -> None:
    head = Head("yolo", ((32.0, 32.0),), 32, 1)
    card = ModelCard("mine", ("cat",), (head,), (64, 96), "stretch", suppression="greedynms")
    plain = Validator([], card, 1).conditions
    assert (plain.suppression, plain.resize) == ("greedynms 0.45", "stretch 64x96")
    config = DetectConfig(conf=0.1, suppression="diounms", resize="letterbox", nms_iou=0.6)
    other = Validator([], card, 1, config).conditions
    assert (other.suppression, other.resize, other.confidence_floor) == (
        "diounms 0.6",
        "letterbox 64x96",
        0.1,
    )
