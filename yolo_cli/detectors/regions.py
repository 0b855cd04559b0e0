"""Propose, classify, suppress: what every detector before YOLO does.

The detectors differ in where they look (every window, or where selective search points) and in how a region
is judged (its own crop through a network, or its part of one shared feature map). What is the same stands
here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.boxes import clip_boxes, cxcywh_to_xyxy, xyxy_to_cxcywh
from yolo_cli.config import DetectConfig
from yolo_cli.detections import Detections
from yolo_cli.detectors.protocol import Times
from yolo_cli.errors import UsageError
from yolo_cli.images import Image
from yolo_cli.suppression import suppress
from yolo_cli.weights import ModelCard

__all__ = [
    "Cost",
    "RegionCandidates",
    "RegionDetector",
    "RegionScores",
    "apply_deltas",
    "deltas_between",
    "softmax",
]

Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.integer[Any]]

DEFAULTS = DetectConfig()

# exp(8) is a box 3,000 times as large; the bound keeps float32 finite whatever a network says.
LARGEST_LOG_SCALE = 8.0


@dataclass(frozen=True, slots=True, eq=False)
class RegionScores:
    """What a classifier says of the regions of one image.

    Attributes:
        scores: (N, C), in [0, 1]: how sure it is of each class; background is not among them.
        xyxy: (N, C, 4), the box that each class would draw, in pixels of the image. (N, 1, 4) where
            that does not depend on the class.

    Raises:
        ValueError: if the shapes do not fit together.
    """

    scores: Floats
    xyxy: Floats

    def __post_init__(self) -> None:
        count, classes = self.scores.shape
        if self.xyxy.shape not in ((count, classes, 4), (count, 1, 4)):
            raise ValueError(f"boxes {self.xyxy.shape} do not fit scores {self.scores.shape}")


@dataclass(frozen=True, slots=True, eq=False)
class RegionCandidates:
    """Boxes of classes before suppression; a region has one for each class that it may show.

    Attributes:
        region: (M,), which of the image's regions each came from.
        xyxy: (M, 4), inside the image, in its pixels.
        confidence: (M,), in [0, 1].
        class_id: (M,).
    """

    region: Integers
    xyxy: Floats
    confidence: Floats
    class_id: Integers

    def __getitem__(self, index: NDArray[Any]) -> RegionCandidates:
        """Those at ``index``: integer positions (K,) or a mask (M,)."""
        return RegionCandidates(
            self.region[index], self.xyxy[index], self.confidence[index], self.class_id[index]
        )


def as_proposals(_image: Image, numbers: Integers) -> list[str]:
    """Where each of the regions ``numbers`` (N,) came from, if all that is known is their order."""
    return [f"proposal {number + 1}" for number in numbers.tolist()]


def as_it_is(image: Image) -> Image:
    """The image itself."""
    return image


@dataclass(frozen=True, slots=True)
class Cost:
    """How many multiply-accumulates the networks need for one image.

    Attributes:
        whole: for the image as a whole.
        each: for each region on top of that.
    """

    whole: int
    each: int


@dataclass(frozen=True, slots=True)
class RegionDetector:
    """A `Detector` made of two parts.

    Attributes:
        propose: where to look: what was seen → boxes (N, 4) in pixels of the image.
        classify: what was seen and boxes (N, 4) → what is in them.
        cost: image → what classifying its regions costs.
        card: what the model says of itself.
        config: thresholds and limits.
        origins: image and positions (N,) among its boxes → where each came from, in words.
        see: image → what proposing and classifying look at: for most the image itself. Where both look at
            one feature map, this computes it, so that it is computed once.

    Raises:
        UsageError: if the options do not fit the model.
    """

    propose: Callable[[Any], Floats]  # of what `see` gives
    classify: Callable[[Any, Floats], RegionScores]
    cost: Callable[[Image], Cost]
    card: ModelCard
    config: DetectConfig = DEFAULTS
    origins: Callable[[Image, Integers], list[str]] = as_proposals
    see: Callable[[Image], Any] = as_it_is

    def __post_init__(self) -> None:
        unknown = [i for i in self.config.classes or () if not 0 <= i < len(self.class_names)]
        if unknown:
            raise UsageError(
                f"--classes {unknown[0]}: {self.card.name} has classes 0 to {len(self.class_names) - 1}"
            )
        if self.config.imgsz or self.config.resize:
            option = "--imgsz" if self.config.imgsz else "--resize"
            raise UsageError(f"{option}: {self.card.name} looks at regions of the image; leave it out")

    @property
    def class_names(self) -> tuple[str, ...]:
        """The name of each class id."""
        return self.card.class_names

    @property
    def input_size(self) -> tuple[int, int]:
        """Height and width of the network's input."""
        return self.card.input_size

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        """Find the objects on each image, in the images' order, most confident first."""
        return self.detect_timed(images)[0]

    def detect_timed(self, images: Sequence[Image]) -> tuple[list[Detections], Times]:
        """As `detect`, and how long proposing, classifying and suppressing took for all images together."""
        found, spent = [], np.zeros(3)
        for image in images:
            _, scores, looking = self.judge(image)
            start = time.perf_counter()
            found.append(self.choose(scores, image))
            spent += (*looking, 1000 * (time.perf_counter() - start))
        return found, Times(*spent.tolist())

    def judge(self, image: Image) -> tuple[Floats, RegionScores, Floats]:
        """The regions (N, 4) of an image, what they show, and how many milliseconds both took, (2,).

        What proposing and classifying share counts as classifying, as there it would be needed anyway.
        """
        start = time.perf_counter()
        seen = self.see(image)
        sight = time.perf_counter()
        boxes = self.propose(seen)  # (N, 4)
        proposed = time.perf_counter()
        scores = self.classify(seen, boxes)
        classified = time.perf_counter()
        spent = np.array([proposed - sight, sight - start + classified - proposed])  # (2,)
        return boxes, scores, 1000 * spent

    def choose(self, regions: RegionScores, image: Image) -> Detections:
        """The (box, class) pairs above the confidence that suppression leaves."""
        candidates = self.candidates(regions, image)
        kept, confidence = self.survivors(candidates)
        found = Detections(candidates.xyxy[kept], confidence, candidates.class_id[kept])
        return found[: self.config.max_det]

    def candidates(self, regions: RegionScores, image: Image) -> RegionCandidates:
        """The (box, class) pairs above the confidence, of the classes that are wanted."""
        wanted = regions.scores > self.config.conf  # (N, C)
        if self.config.classes is not None:
            wanted &= np.isin(np.arange(wanted.shape[1]), self.config.classes)
        region, class_id = np.nonzero(wanted)  # (M,), (M,)
        confidence = regions.scores[region, class_id].astype(np.float32)  # (M,)
        boxes = np.broadcast_to(regions.xyxy, (*wanted.shape, 4))[region, class_id]  # (M, 4)
        xyxy = clip_boxes(boxes.astype(np.float32), (image.height, image.width))  # (M, 4)
        some = np.asarray((xyxy[:, 2:] > xyxy[:, :2]).all(axis=1))  # (M,), inside the image
        return RegionCandidates(region, xyxy, confidence, class_id)[some]

    def survivors(self, candidates: RegionCandidates) -> tuple[NDArray[np.intp], Floats]:
        """Positions and confidences of the candidates that suppression leaves, most confident first."""
        return suppress(
            candidates.xyxy,
            candidates.confidence,
            candidates.class_id,
            threshold=self.config.nms_iou,
            kind=self.config.suppression or self.card.suppression,
            beta=self.card.beta,
            agnostic=self.config.agnostic,
            conf=self.config.conf,
        )


def softmax(logits: Floats) -> Floats:
    """Positive numbers (…, C) with the sum 1, in the ratio of the exponentials of ``logits`` (…, C).

    >>> softmax(np.log([[1.0, 3.0]]))
    array([[0.25, 0.75]])
    """
    weight = np.exp(logits - logits.max(axis=-1, keepdims=True))  # (…, C)
    share: Floats = weight / weight.sum(axis=-1, keepdims=True)
    return share


def deltas_between(boxes: Floats, goals: Floats) -> Floats:
    """How each of ``boxes`` (N, 4) must change to become its goal (N, 4): the inverse of `apply_deltas`.

    The law of R-CNN (Girshick et al., CVPR 2014, appendix C): the centre moves by dx times the width and dy
    times the height, and width and height grow by exp(dw) and exp(dh).

    Returns:
        dx, dy, dw, dh: (N, 4).

    >>> deltas_between(np.array([[0.0, 0.0, 10.0, 20.0]]), np.array([[1.0, 5.0, 11.0, 25.0]]))
    array([[0.1 , 0.25, 0.  , 0.  ]])
    """
    here, there = xyxy_to_cxcywh(boxes), xyxy_to_cxcywh(goals)  # (N, 4), (N, 4)
    shift = (there[:, :2] - here[:, :2]) / here[:, 2:]  # (N, 2)
    return np.concatenate([shift, np.log(there[:, 2:] / here[:, 2:])], axis=1)


def apply_deltas(boxes: Floats, deltas: Floats) -> Floats:
    """Each of ``boxes`` (N, 4) changed by the ``deltas`` (N, C, 4) of each class: (N, C, 4).

    >>> apply_deltas(np.array([[0.0, 0.0, 10.0, 20.0]]), np.array([[[0.1, 0.25, 0.0, 0.0]]])).tolist()
    [[[1.0, 5.0, 11.0, 25.0]]]
    """
    here = xyxy_to_cxcywh(boxes)[:, None]  # (N, 1, 4)
    centre = here[..., :2] + deltas[..., :2] * here[..., 2:]  # (N, C, 2)
    size = here[..., 2:] * np.exp(np.minimum(deltas[..., 2:], LARGEST_LOG_SCALE))  # (N, C, 2)
    rows = np.concatenate([centre, size], axis=-1).reshape(-1, 4)  # (N·C, 4)
    return cxcywh_to_xyxy(rows).reshape(deltas.shape)
