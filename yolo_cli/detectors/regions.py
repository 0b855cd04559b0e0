"""Propose, classify, suppress: the common part of all detectors before YOLO.

A `RegionMethod` proposes regions (all windows, selective search, or a proposal network) and classifies them
(each crop in a run of its own, or all from one shared feature map). The rest is the same for all methods.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from yolo_cli.boxes import clip_boxes, cxcywh_to_xyxy, xyxy_to_cxcywh
from yolo_cli.codec import Candidates
from yolo_cli.config import DetectConfig
from yolo_cli.detections import Detections
from yolo_cli.detectors.protocol import Cost, Detector
from yolo_cli.detectors.selection import check_classes, survivors
from yolo_cli.detectors.tiling import in_tiles
from yolo_cli.detectors.trace import RegionOutput, RegionScores, Selection, Times, Trace
from yolo_cli.errors import UsageError
from yolo_cli.images import Image
from yolo_cli.suppression import Limit
from yolo_cli.weights import ModelCard

__all__ = [
    "RegionDetector",
    "RegionMethod",
    "apply_deltas",
    "deltas_between",
    "proposal_origins",
    "softmax",
]

Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.integer[Any]]
View = TypeVar("View")

DEFAULTS = DetectConfig()

# exp(8) is a box 3,000 times as large; the bound keeps float32 finite whatever a network predicts.
LARGEST_LOG_SCALE = 8.0


class RegionMethod(Protocol[View]):
    """Proposes and classifies regions. It is stateless, so its methods may be called in any order."""

    def view(self, image: Image) -> View:
        """The common input of `propose` and `classify`, computed once: a feature map or a pyramid.

        Its time counts as classification, which needs it in any case.
        """
        ...

    def propose(self, view: View) -> Floats:
        """The regions to classify, (N, 4) in pixels of the image; they may extend beyond it."""
        ...

    def classify(self, view: View, boxes: Floats) -> RegionScores:
        """The predictions for the regions ``boxes`` (N, 4)."""
        ...

    def origins(self, view: View, numbers: Integers) -> list[str]:
        """A description of the origin of each of the regions ``numbers`` (M,) of `propose`."""
        ...

    def cost(self, image: Image) -> Cost:
        """Cost of classifying the regions of ``image``."""
        ...


def proposal_origins(numbers: Integers) -> list[str]:
    """Origins of the regions ``numbers`` (M,), where only their rank is known."""
    return [f"proposal {number + 1}" for number in numbers.tolist()]


@dataclass(frozen=True, slots=True)
class RegionDetector:
    """A `Detector` that classifies the regions proposed by its method.

    Attributes:
        method: proposes and classifies.
        card: the card of the model.
        config: thresholds and limits.

    Raises:
        UsageError: if the options do not fit the model.
    """

    method: RegionMethod[Any]
    card: ModelCard
    config: DetectConfig = DEFAULTS

    def __post_init__(self) -> None:
        check_classes(self.config, self.card)
        if self.config.imgsz or self.config.resize:
            option = "--imgsz" if self.config.imgsz else "--resize"
            raise UsageError(f"{option}: {self.card.name} evaluates regions of the image; leave it out")

    @property
    def class_names(self) -> tuple[str, ...]:
        """The name of each class id."""
        return self.card.class_names

    @property
    def input_size(self) -> tuple[int, int]:
        """Height and width of the network's input."""
        return self.card.input_size

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        """Find the objects in each image, in the images' order, most confident first."""
        return self.detect_timed(images)[0]

    def detect_timed(self, images: Sequence[Image]) -> tuple[list[Detections], Times]:
        """Like `detect`, with the time of proposing, classifying and suppressing for all images together."""
        found, spent = [], np.zeros(3)
        for image in images:
            trace = self._trace(image)
            found.append(trace.detections)
            spent += (trace.times.prepare_ms, trace.times.infer_ms, trace.times.post_ms)
        return found, Times(*spent.tolist())

    def trace(self, image: Image) -> Trace:
        """Every step of the detection of one image, with the predictions for each region."""
        return self._trace(image, whole=True)

    def _trace(self, image: Image, whole: bool = False) -> Trace:
        """`trace`, but without ``whole`` suppression stops when there are enough detections."""
        start = time.perf_counter()
        view = self.method.view(image)
        viewed = time.perf_counter()
        boxes = self.method.propose(view)  # (N, 4)
        proposed = time.perf_counter()
        predictions = self.method.classify(view, boxes)
        classified = time.perf_counter()
        selection = self.select(predictions, image, whole)
        done = time.perf_counter()
        spent = (proposed - viewed, viewed - start + classified - proposed, done - classified)
        output = RegionOutput(boxes, predictions, lambda numbers: self.method.origins(view, numbers))
        return Trace(Times(*(1000 * seconds for seconds in spent)), selection, proposed=output)

    def cost(self, image: Image) -> Cost:
        """Multiply-accumulates for one image: as a whole, and for each of its regions."""
        return self.method.cost(image)

    def with_config(self, config: DetectConfig) -> Detector:
        """The same networks with other thresholds and limits."""
        return in_tiles(replace(self, config=config))

    def with_card(self, card: ModelCard) -> RegionDetector:
        """The same networks with another card."""
        return replace(self, card=card)

    def select(self, predictions: RegionScores, image: Image, whole: bool) -> Selection:
        """The (region, class) pairs above the confidence, and those kept by NMS."""
        candidates = self._candidates(predictions, image)
        config, boxes = self.config, candidates.xyxy  # (M, 4)
        limit = None if whole else Limit(config.max_det, np.ones(len(boxes), bool))
        kept, confidence = survivors(boxes, candidates, config, self.card, config.conf, limit)
        returned = kept[: config.max_det]  # (D,)
        best = candidates[returned]
        found = Detections(best.xyxy, confidence[: len(returned)], best.class_id)
        return Selection(candidates, boxes, kept, returned, found)

    def _candidates(self, predictions: RegionScores, image: Image) -> Candidates:
        """The (region, class) pairs above the confidence, of the wanted classes, clipped to the image."""
        scores = predictions.scores  # (N, C)
        wanted = scores > self.config.conf  # (N, C)
        if not self.config.multi_label:
            wanted &= np.arange(scores.shape[1]) == scores.argmax(axis=1)[:, None]
        if self.config.classes is not None:
            wanted &= np.isin(np.arange(wanted.shape[1]), self.config.classes)
        region, class_id = np.nonzero(wanted)  # (M,), (M,)
        confidence = scores[region, class_id].astype(np.float32)  # (M,)
        boxes = np.broadcast_to(predictions.xyxy, (*wanted.shape, 4))[region, class_id]  # (M, 4)
        xyxy = clip_boxes(boxes.astype(np.float32), (image.height, image.width))  # (M, 4)
        inside = np.asarray((xyxy[:, 2:] > xyxy[:, :2]).all(axis=1))  # (M,), not empty
        return Candidates(xyxy, confidence, class_id, region)[inside]


def softmax(logits: Floats) -> Floats:
    """Softmax (…, C) of ``logits`` (…, C) over the last axis.

    >>> softmax(np.log([[1.0, 3.0]]))
    array([[0.25, 0.75]])
    """
    weight = np.exp(logits - logits.max(axis=-1, keepdims=True))  # (…, C)
    normalised: Floats = weight / weight.sum(axis=-1, keepdims=True)
    return normalised


def deltas_between(boxes: Floats, goals: Floats) -> Floats:
    """The deltas from each of ``boxes`` (N, 4) to its goal (N, 4): the inverse of `apply_deltas`.

    As in R-CNN (Girshick et al., CVPR 2014, appendix C): the centre moves by dx times the width and dy times
    the height, and width and height are multiplied by exp(dw) and exp(dh).

    Returns:
        dx, dy, dw, dh: (N, 4).

    >>> deltas_between(np.array([[0.0, 0.0, 10.0, 20.0]]), np.array([[1.0, 5.0, 11.0, 25.0]]))
    array([[0.1 , 0.25, 0.  , 0.  ]])
    """
    here, there = xyxy_to_cxcywh(boxes), xyxy_to_cxcywh(goals)  # (N, 4), (N, 4)
    shift = (there[:, :2] - here[:, :2]) / here[:, 2:]  # (N, 2)
    return np.concatenate([shift, np.log(there[:, 2:] / here[:, 2:])], axis=1)


def apply_deltas(boxes: Floats, deltas: Floats) -> Floats:
    """Apply the ``deltas`` (N, C, 4) of each class to ``boxes`` (N, 4): (N, C, 4).

    >>> apply_deltas(np.array([[0.0, 0.0, 10.0, 20.0]]), np.array([[[0.1, 0.25, 0.0, 0.0]]])).tolist()
    [[[1.0, 5.0, 11.0, 25.0]]]
    """
    here = xyxy_to_cxcywh(boxes)[:, None]  # (N, 1, 4)
    centre = here[..., :2] + deltas[..., :2] * here[..., 2:]  # (N, C, 2)
    size = here[..., 2:] * np.exp(np.minimum(deltas[..., 2:], LARGEST_LOG_SCALE))  # (N, C, 2)
    rows = np.concatenate([centre, size], axis=-1).reshape(-1, 4)  # (N·C, 4)
    return cxcywh_to_xyxy(rows).reshape(deltas.shape)
