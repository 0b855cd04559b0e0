"""Evaluation during training, through the same path from image to boxes as detection."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.config import EVALUATION_CONF, DetectConfig
from yolo_cli.datasets import Sample
from yolo_cli.detections import Detections
from yolo_cli.detectors import YoloDetector
from yolo_cli.detectors.tiling import TiledDetector
from yolo_cli.engines import Engine
from yolo_cli.errors import UsageError
from yolo_cli.evaluation import Conditions, EvaluationSet, Evaluator, Report, evaluate
from yolo_cli.images import Image
from yolo_cli.pipeline.evaluating import conditions_of
from yolo_cli.training.yolo.cache import Cache
from yolo_cli.weights import ModelCard

__all__ = ["NEARLY_ALL", "LiveEngine", "Validator"]

NEARLY_ALL = DetectConfig(conf=EVALUATION_CONF)
"""The options of an evaluation: nearly all detections, since curves need the weak ones, too."""

Begin = Callable[[Sequence[Image]], Callable[[], list[Detections]]]
"""Runs a network on a batch, as `YoloDetector.begin`."""

KEPT_BYTES = 512 << 20  # maximum size of the image cache
AHEAD = 1  # batches by which the network runs ahead of suppression; each holds its images and raw heads


@dataclass(frozen=True, slots=True)
class LiveEngine:
    """An `Engine` that is a Keras model in memory.

    Attributes:
        model: a model of `yolo_cli.model`.
        batch: batch size; the last batch is padded to it, so that the model is compiled once.
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
        """Not supported: it is counted from ONNX graphs.

        Raises:
            UsageError: always.
        """
        raise UsageError(f"arithmetic for {batch.shape} is counted from .onnx files, not while training")


class Validator:
    """Evaluates networks on the same samples.

    Args:
        samples: images with ground truth.
        card: the card of the network.
        batch: batch size.
        config: thresholds of detection.
    """

    def __init__(
        self, samples: Sequence[Sample], card: ModelCard, batch: int, config: DetectConfig = NEARLY_ALL
    ) -> None:
        self.samples, self.card, self.batch, self.config = tuple(samples), card, batch, config
        self._cache: Cache[Image] = Cache(
            lambda place: self.samples[place].read(), lambda image: image.rgb.nbytes, KEPT_BYTES
        )

    def sampled(self, count: int, seed: int) -> Validator:
        """An evaluation on a random part of ``count`` of the samples."""
        places = np.sort(np.random.default_rng(seed).permutation(len(self.samples))[:count])  # (count,)
        return Validator([self.samples[place] for place in places], self.card, self.batch, self.config)

    def evaluate_model(self, model: Any) -> Report:
        """Figures of a Keras model in memory on all samples, by COCO's rules."""
        return evaluate(self.gather(LiveEngine(model, self.batch)), conditions=self.conditions)

    @property
    def conditions(self) -> Conditions:
        """The options that affect the figures."""
        return conditions_of(self.config, self.card, self.card.input_size)

    def gather(self, engine: Engine) -> EvaluationSet:
        """The detections of a network on all samples, with the ground truth.

        Raises:
            DataError: if an image cannot be read.
        """
        points = self.card.keypoints
        evaluator = Evaluator(self.card.class_names, points.sigmas if points else ())
        detector = YoloDetector(engine, self.card, self.config)
        begin = detector.begin if self.config.tile is None else TiledDetector(detector).begin
        detections = self._detect(begin)
        for sample, found in zip(self.samples, detections, strict=True):
            evaluator.add(sample.name, found, sample.ground_truth)
        return evaluator.gathered()

    def _detect(self, begin: Begin) -> Iterator[Detections]:
        """The detections on each sample; a thread decodes and suppresses while the network runs on."""
        behind: deque[Future[list[Detections]]] = deque()
        with ThreadPoolExecutor(1, "suppression") as thread:
            for start in range(0, len(self.samples), self.batch):
                places = range(start, min(start + self.batch, len(self.samples)))
                behind.append(thread.submit(begin([self._cache[place] for place in places])))
                if len(behind) > AHEAD:
                    yield from behind.popleft().result()
            for future in behind:
                yield from future.result()

    def read(self, name: str) -> Image:
        """The image of a sample, by name."""
        return next(sample for sample in self.samples if sample.name == name).read()
