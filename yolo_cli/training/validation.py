"""How good a network is while it learns: through the one path from image to boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.config import DetectConfig
from yolo_cli.datasets import Sample
from yolo_cli.detectors import YoloDetector
from yolo_cli.engines import Engine
from yolo_cli.errors import UsageError
from yolo_cli.evaluation import Conditions, EvaluationSet, Evaluator, Report, evaluate
from yolo_cli.images import Image
from yolo_cli.weights import ModelCard

__all__ = ["JUDGED", "LiveEngine", "Validator"]

JUDGED = DetectConfig(conf=0.001)
"""How detections are made for judging: nearly all of them, as curves need the weak ones, too."""

KEPT_BYTES = 512 << 20  # images are kept in memory up to this size


@dataclass(frozen=True, slots=True)
class LiveEngine:
    """An `Engine` that is a Keras model in memory.

    Attributes:
        model: as `yolo_cli.model` builds them.
        batch: it always runs so many images, so that it is compiled once.
    """

    model: Any
    batch: int

    def run(self, batch: NDArray[Any]) -> list[NDArray[np.float32]]:
        """Pixels (B, H, W, 3) → raw heads, each (B, rows, columns, channels)."""
        count = len(batch)
        if count < self.batch:
            batch = np.concatenate([batch, np.zeros((self.batch - count, *batch.shape[1:]), np.uint8)])
        heads = self.model.predict_on_batch(batch)
        heads = heads if isinstance(heads, list | tuple) else [heads]
        return [np.asarray(head[:count], np.float32) for head in heads]

    def multiply_accumulates(self, batch: NDArray[Any]) -> int:
        """Not known: it is counted from ONNX graphs.

        Raises:
            UsageError: always.
        """
        raise UsageError(f"arithmetic for {batch.shape} is counted from .onnx files, not while training")


class Validator:
    """Judges networks on the same samples again and again.

    Args:
        samples: images with ground truth.
        card: how to read the network.
        batch: so many images at once.
        config: thresholds of detection.
    """

    def __init__(
        self, samples: Sequence[Sample], card: ModelCard, batch: int, config: DetectConfig = JUDGED
    ) -> None:
        self.samples, self.card, self.batch, self.config = tuple(samples), card, batch, config
        self._kept: dict[int, Image] = {}
        self._bytes = 0

    def judge(self, engine: Engine) -> Report:
        """Detect on all samples, and judge by COCO's rules."""
        return evaluate(self.gather(engine), conditions=self.conditions)

    @property
    def conditions(self) -> Conditions:
        """How detections are made, for the protocol of every figure."""
        height, width = self.card.input_size
        return Conditions(
            confidence_floor=self.config.conf,
            suppression=f"{self.card.suppression} {self.config.nms_iou:g}",
            max_detections=self.config.max_det,
            resize=f"{self.card.resize} {height}x{width}",
        )

    def gather(self, engine: Engine) -> EvaluationSet:
        """What a network finds on all samples, beside their ground truth."""
        detector = YoloDetector(engine, self.card, self.config)
        evaluator = Evaluator(self.card.class_names)
        for start in range(0, len(self.samples), self.batch):
            places = range(start, min(start + self.batch, len(self.samples)))
            found = detector.detect([self._image(place) for place in places])
            for place, detections in zip(places, found, strict=True):
                evaluator.add(self.samples[place].name, detections, self.samples[place].ground_truth)
        return evaluator.gathered()

    def judge_model(self, model: Any) -> Report:
        """Figures of a Keras model in memory."""
        return self.judge(LiveEngine(model, self.batch))

    def read(self, name: str) -> Image:
        """The image of the sample of that name."""
        return next(sample for sample in self.samples if sample.name == name).read()

    def _image(self, place: int) -> Image:
        kept = self._kept.get(place)
        if kept is None:
            kept = self.samples[place].read()
            if self._bytes < KEPT_BYTES:
                self._kept[place] = kept
                self._bytes += kept.rgb.nbytes
        return kept
