"""You Only Look Once: one run of one network sees every object (Redmon et al., 2016).

This is the one path from image to boxes: letterbox → network → decode → suppress. Detection,
evaluation, comparison and training's validation all come through here.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from yolo_cli.boxes import clip_boxes
from yolo_cli.codec import Candidates, decode
from yolo_cli.config import EVALUATION_FLOOR, DetectConfig
from yolo_cli.detections import Detections
from yolo_cli.detectors.protocol import Times
from yolo_cli.engines import Engine
from yolo_cli.errors import UsageError
from yolo_cli.images import Image
from yolo_cli.letterbox import Letterbox
from yolo_cli.suppression import suppress
from yolo_cli.weights import ModelCard

__all__ = ["YoloDetector"]

DEFAULTS = DetectConfig()


@dataclass(frozen=True, slots=True)
class YoloDetector:
    """A YOLO network with what is needed to read its answers; a `Detector`.

    Attributes:
        engine: runs the network.
        card: what the model says of itself.
        config: thresholds and limits.

    Raises:
        UsageError: if the options do not fit the model.
    """

    engine: Engine
    card: ModelCard
    config: DetectConfig = DEFAULTS

    def __post_init__(self) -> None:
        step = max(head.stride for head in self.card.heads)
        if any(side % step for side in self.input_size):
            raise UsageError(
                f"--imgsz {self.input_size}: each side must be a multiple of {step} for {self.card.name}"
            )
        unknown = [i for i in self.config.classes or () if not 0 <= i < len(self.class_names)]
        if unknown:
            raise UsageError(
                f"--classes {unknown[0]}: {self.card.name} has classes 0 to {len(self.class_names) - 1}"
            )

    @property
    def class_names(self) -> tuple[str, ...]:
        """The name of each class id."""
        return self.card.class_names

    @property
    def input_size(self) -> tuple[int, int]:
        """Height and width at which the network runs."""
        return self.config.imgsz or self.card.input_size

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        """Find the objects on each image, in the images' order, most confident first.

        All images go through the network at once, so give a few at a time.
        """
        return self.detect_timed(images)[0]

    def detect_timed(self, images: Sequence[Image]) -> tuple[list[Detections], Times]:
        """As `detect`, and how long each part took for all the images together."""
        if not images:
            return [], Times(0.0, 0.0, 0.0)
        start = time.perf_counter()
        letterboxes = [self.letterbox(image) for image in images]
        batch = np.empty((len(images), *self.input_size, 3), np.uint8)
        for row, image, letterbox in zip(batch, images, letterboxes, strict=True):
            letterbox.apply(image.rgb, out=row)
        prepared = time.perf_counter()
        raw_heads = self.engine.run(batch)  # each (B, rows, columns, channels)
        inferred = time.perf_counter()
        found = [
            self.read_heads([raw[i] for raw in raw_heads], letterbox, image)
            for i, (letterbox, image) in enumerate(zip(letterboxes, images, strict=True))
        ]
        done = time.perf_counter()
        spent = (prepared - start, inferred - prepared, done - inferred)
        return found, Times(*(1000 * seconds for seconds in spent))

    def letterbox(self, image: Image) -> Letterbox:
        """How ``image`` gets the network's size."""
        kind = self.config.resize or self.card.resize
        return Letterbox.fit(image.height, image.width, *self.input_size, kind=kind)

    def read_heads(
        self, raw_heads: Sequence[NDArray[np.float32]], letterbox: Letterbox, image: Image
    ) -> Detections:
        """Boxes of one image from its raw heads, each (rows, columns, channels)."""
        candidates = self.candidates(raw_heads)
        chosen, confidence = self.survivors(candidates, letterbox, image)
        xyxy = clip_boxes(letterbox.undo(candidates.xyxy[chosen]), (image.height, image.width))
        some = np.asarray((xyxy[:, 2:] > xyxy[:, :2]).all(axis=1))  # a box beyond the border leaves nothing
        found = Detections(xyxy, self._calibrated(confidence), candidates.class_id[chosen])[some]
        return found[: self.config.max_det]

    def candidates(self, raw_heads: Sequence[NDArray[np.float32]]) -> Candidates:
        """What the network says before suppression, of the classes that are wanted."""
        found = decode(raw_heads, self.card.heads, self._raw_threshold)
        if self.config.classes is None:
            return found
        return found[np.isin(found.class_id, self.config.classes)]

    @property
    def _raw_threshold(self) -> float:
        """The network's own confidence that calibration makes ``config.conf``."""
        wanted = self.config.conf
        if self.card.calibration is None:
            return wanted
        given, true = self.card.calibration
        return max(float(np.interp(wanted, true, given)), min(wanted, EVALUATION_FLOOR))

    def _calibrated(self, confidence: NDArray[np.floating]) -> NDArray[np.floating]:
        """What the network's confidences (N,) mean: the share of such detections that are right, (N,).

        The map rises, so what stood above stays above: suppression comes to the same before and after it.
        """
        if self.card.calibration is None:
            return confidence
        mapped: NDArray[np.floating] = np.interp(confidence, *self.card.calibration).astype(np.float32)
        return mapped

    def survivors(
        self, candidates: Candidates, letterbox: Letterbox, image: Image
    ) -> tuple[NDArray[np.intp], NDArray[np.floating]]:
        """Positions and confidences of the candidates that suppression leaves, most confident first.

        Darknet suppresses in units of the image's width and height. For IoU that makes no difference, but
        the distances of ``greedynms`` and ``diounms`` depend on it.
        """
        size = np.array([image.width, image.height] * 2, np.float32)
        return suppress(
            letterbox.undo(candidates.xyxy) / size,
            candidates.confidence,
            candidates.class_id,
            threshold=self.config.nms_iou,
            kind=self.config.suppression or self.card.suppression,
            beta=self.card.beta,
            agnostic=self.config.agnostic,
            conf=self._raw_threshold,
        )
