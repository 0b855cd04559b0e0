"""You Only Look Once: one run of one network finds every object (Redmon et al., 2016).

The path from image to boxes: letterbox → network → decode → suppress, used by detection, evaluation,
comparison and validation during training.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.boxes import clip_boxes
from yolo_cli.codec import Candidates, decode
from yolo_cli.config import EVALUATION_CONF, DetectConfig
from yolo_cli.detections import Detections
from yolo_cli.detectors.fitting import check_heads
from yolo_cli.detectors.protocol import Cost, Detector
from yolo_cli.detectors.selection import check_classes, survivors
from yolo_cli.detectors.trace import GridOutput, Selection, Times, Trace
from yolo_cli.engines import Engine, StreamedEngine
from yolo_cli.errors import UsageError
from yolo_cli.images import Image
from yolo_cli.keypoint_codec import decode_keypoints
from yolo_cli.letterbox import Letterbox
from yolo_cli.suppression import Limit
from yolo_cli.weights import ModelCard

__all__ = ["YoloDetector"]

DEFAULTS = DetectConfig()

Floats = NDArray[np.floating[Any]]
Raw = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class _Predicted:
    """The network's part of a batch: (B,) letterboxes, raw heads (B, rows, columns, channels), and times."""

    letterboxes: list[Letterbox]
    raw_heads: list[Raw]
    prepare_ms: float
    infer_ms: float


@dataclass(frozen=True, slots=True, eq=False)
class _Steps:
    """The steps of one batch: (B,) letterboxes, raw heads (B, rows, columns, channels), and selections."""

    letterboxes: list[Letterbox]
    raw_heads: list[Raw]
    selections: list[Selection]
    times: Times


@dataclass(frozen=True, slots=True)
class YoloDetector:
    """A YOLO network with its decoding and suppression; a `Detector`.

    Attributes:
        engine: runs the network.
        card: the card of the model.
        config: thresholds and limits.

    Raises:
        UsageError: if the options do not fit the model.
    """

    engine: Engine
    card: ModelCard
    config: DetectConfig = DEFAULTS

    def __post_init__(self) -> None:
        step = self.card.size_step
        if any(side % step for side in self.input_size):
            size = "{}x{}".format(*self.input_size)
            raise UsageError(f"--imgsz {size}: each side must be a multiple of {step} for {self.card.name}")
        check_classes(self.config, self.card)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The name of each class id."""
        return self.card.class_names

    @property
    def input_size(self) -> tuple[int, int]:
        """Height and width at which the network runs."""
        return self.config.imgsz or self.card.input_size

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        """Find the objects in each image, in the images' order, most confident first.

        All images form one batch, so pass a few at a time.
        """
        return self.detect_timed(images)[0]

    def detect_timed(self, images: Sequence[Image]) -> tuple[list[Detections], Times]:
        """As `detect`, and how long each step took for all images together."""
        if not images:
            return [], Times(0.0, 0.0, 0.0)
        steps = self._run(images)
        return [selection.detections for selection in steps.selections], steps.times

    def trace(self, image: Image) -> Trace:
        """Every step of the detection of one image, with the raw predictions of each cell."""
        steps = self._run([image], whole=True)
        raw_heads = tuple(raw[0] for raw in steps.raw_heads)  # each (rows, columns, channels)
        grid = GridOutput(raw_heads, self.card.heads, steps.letterboxes[0])
        return Trace(steps.times, steps.selections[0], grid=grid)

    def cost(self, _image: Image) -> Cost:
        """One run of the network; the same for every image."""
        return Cost(self.engine.multiply_accumulates(np.zeros((1, *self.input_size, 3), np.uint8)), 0)

    def with_config(self, config: DetectConfig) -> Detector:
        """The same network with other thresholds and limits."""
        from yolo_cli.detectors.tiling import in_tiles  # YOLO starts sooner without

        return in_tiles(replace(self, config=config))

    def with_card(self, card: ModelCard) -> YoloDetector:
        """The same network with another card."""
        return replace(self, card=card)

    def in_streams(self) -> tuple[YoloDetector, int]:
        """The same detector for several calls at a time, and for how many; see `StreamedEngine`."""
        if not isinstance(self.engine, StreamedEngine):
            return self, 1
        engine, count = self.engine.in_streams()
        return replace(self, engine=engine), count

    def begin(self, images: Sequence[Image]) -> Callable[[], list[Detections]]:
        """Run the network on a batch of at least one image.

        Returns:
            A function that decodes and suppresses, and returns what `detect` does. Another thread may call it
            while the network runs on the next batch.
        """
        predicted = self._predict(images)
        return lambda: [selection.detections for selection in self._select_all(images, predicted)]

    def _run(self, images: Sequence[Image], whole: bool = False) -> _Steps:
        """All steps for a batch of at least one image; with ``whole`` suppression, see `select`."""
        predicted = self._predict(images)
        start = time.perf_counter()
        selections = self._select_all(images, predicted, whole)
        post = 1000 * (time.perf_counter() - start)
        times = Times(predicted.prepare_ms, predicted.infer_ms, post)
        return _Steps(predicted.letterboxes, predicted.raw_heads, selections, times)

    def _predict(self, images: Sequence[Image]) -> _Predicted:
        """The raw heads of a batch."""
        start = time.perf_counter()
        letterboxes = [self.letterbox(image) for image in images]
        batch = np.empty((len(images), *self.input_size, 3), np.uint8)
        for row, image, letterbox in zip(batch, images, letterboxes, strict=True):
            letterbox.apply(image.rgb, out=row)
        prepared = time.perf_counter()
        raw_heads = self.engine.run(batch)
        check_heads(raw_heads, self.card, batch.shape)
        prepare_ms, infer_ms = 1000 * (prepared - start), 1000 * (time.perf_counter() - prepared)
        return _Predicted(letterboxes, raw_heads, prepare_ms, infer_ms)

    def _select_all(
        self, images: Sequence[Image], predicted: _Predicted, whole: bool = False
    ) -> list[Selection]:
        """The selection of each image of a batch, see `select`."""
        return [
            self.select([raw[i] for raw in predicted.raw_heads], letterbox, image, whole)
            for i, (letterbox, image) in enumerate(zip(predicted.letterboxes, images, strict=True))
        ]

    def letterbox(self, image: Image) -> Letterbox:
        """The letterbox of ``image``."""
        kind = self.config.resize or self.card.resize
        return Letterbox.fit(image.height, image.width, *self.input_size, kind=kind)

    def select(
        self, raw_heads: Sequence[Raw], letterbox: Letterbox, image: Image, whole: bool = False
    ) -> Selection:
        """The candidates of one image from its raw heads, (rows, columns, channels) each, and the best."""
        raw = self._wanted(decode(raw_heads, self.card.heads, self.raw_threshold))
        selection = self.choose(replace(raw, xyxy=letterbox.undo(raw.xyxy)), image, whole)
        kind = self.card.keypoints
        if kind is None:
            return selection
        points = decode_keypoints(raw_heads, self.card.heads, raw.slot[selection.returned])  # (D, K, 3)
        points[..., :2] = letterbox.undo(points[..., :2])
        found = replace(selection.detections, keypoints=points, skeleton=kind.skeleton)
        return replace(selection, detections=found)

    def choose(self, candidates: Candidates, image: Image, whole: bool = False) -> Selection:
        """The best of the candidates of one image, in pixels of it.

        Suppression stops when there are enough detections, unless the ``whole`` of it is asked for.

        Darknet suppresses in units of the image's width and height. For IoU that makes no difference, but
        the distances of ``greedynms`` and ``diounms`` depend on it.
        """
        size = np.array([image.width, image.height] * 2, np.float32)  # (4,)
        boxes: Floats = candidates.xyxy / size  # (N, 4)
        xyxy = clip_boxes(candidates.xyxy, (image.height, image.width))  # (N, 4)
        # (N,): clipping leaves nothing of a box outside, which suppresses others, but is not returned.
        inside = np.asarray((xyxy[:, 2:] > xyxy[:, :2]).all(axis=1))
        limit = None if whole else Limit(self.config.max_det, inside)
        kept, confidence = survivors(boxes, candidates, self.config, self.card, self.raw_threshold, limit)
        best = inside[kept].nonzero()[0][: self.config.max_det]  # (D,)
        returned = kept[best]
        found = Detections(xyxy[returned], self.calibrated(confidence[best]), candidates.class_id[returned])
        return Selection(candidates, boxes, kept, returned, found)

    def _wanted(self, candidates: Candidates) -> Candidates:
        """The candidates of the selected classes, or of those for which they are the best of their box."""
        if not self.config.multi_label:
            candidates = candidates.of_best_class()
        if self.config.classes is None:
            return candidates
        return candidates[np.isin(candidates.class_id, self.config.classes)]

    @property
    def raw_threshold(self) -> float:
        """The uncalibrated confidence that calibration maps to ``config.conf``."""
        wanted = self.config.conf
        if self.card.calibration is None:
            return wanted
        given, true = self.card.calibration
        return max(float(np.interp(wanted, true, given)), min(wanted, EVALUATION_CONF))

    def calibrated(self, confidence: NDArray[np.floating]) -> NDArray[np.floating]:
        """The calibrated confidences (N,): the expected precision of such detections.

        The map is monotonic, so suppression gives the same result before and after it.
        """
        if self.card.calibration is None:
            return confidence
        mapped: NDArray[np.floating] = np.interp(confidence, *self.card.calibration).astype(np.float32)
        return mapped
