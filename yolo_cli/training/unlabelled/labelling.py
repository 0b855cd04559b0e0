"""Pseudo-labels: the boxes that a model finds on images without labels, as ground truth to learn from.

Confident boxes teach (Lee, "Pseudo-Label", ICML Workshops 2013; Sohn et al., "A Simple Semi-Supervised
Learning Framework for Object Detection", 2020). Between those and the background are boxes that may be right:
they are marked as difficult, so that training ignores them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from yolo_cli.datasets import Sample
from yolo_cli.detections import Detections, GroundTruth
from yolo_cli.evaluation import Curve, Report

__all__ = ["HIGHEST", "PRECISION", "UNCERTAIN", "PseudoLabels", "pseudo_labels", "repeated", "thresholds"]

UNCERTAIN = 0.1
"""The confidence below which a box is taken for background."""
PRECISION = 0.8
"""The fraction of boxes at or above the threshold of a class that are right on the validation images."""
LOWEST, HIGHEST = 0.2, 0.8  # a threshold is between these
ENOUGH_OBJECTS = 10  # of a class on the validation images to have a threshold of its own

Floats = NDArray[np.floating]


@dataclass(frozen=True, slots=True, eq=False)
class PseudoLabels:
    """Images with pseudo-labels.

    Attributes:
        samples: the images with a confident box; their uncertain boxes are difficult.
        counts: (classes,), the number of confident boxes of each class.
        uncertain: the number of uncertain boxes on these images.
    """

    samples: tuple[Sample, ...]
    counts: NDArray[np.int64]
    uncertain: int


def thresholds(report: Report) -> Floats:
    """The confidence of each class, (classes,), from which a box is taken for right.

    It is the lowest at which `PRECISION` of the boxes are right on the images of the report, for a class with
    few objects there that of all classes together.
    """
    common = _threshold(report.curve, HIGHEST)
    return np.array(
        [
            _threshold(each.curve, HIGHEST) if each.ground_truths >= ENOUGH_OBJECTS else common
            for each in report.per_class
        ]
    )


def _threshold(curve: Curve, otherwise: float) -> float:
    """The threshold of one curve; ``otherwise`` if it is never as precise as that."""
    point = curve.reaching(PRECISION)
    return otherwise if point is None else min(max(point.confidence, LOWEST), HIGHEST)


def pseudo_labels(found: Iterable[tuple[Sample, Detections]], limits: Floats) -> PseudoLabels:
    """The images on which something was found with confidence, with their boxes.

    Args:
        found: each image with what a model found on it, of `UNCERTAIN` or above.
        limits: (classes,), from `thresholds`.
    """
    samples, counts, uncertain = [], np.zeros(len(limits), np.int64), 0
    for sample, detections in found:
        sure = detections.confidence >= limits[detections.class_id]  # (N,)
        if sure.any():
            samples.append(_labelled(sample, detections, sure))
            counts += np.bincount(detections.class_id[sure], minlength=len(limits))
            uncertain += int((~sure).sum())
    return PseudoLabels(tuple(samples), counts, uncertain)


def _labelled(sample: Sample, found: Detections, sure: NDArray[np.bool_]) -> Sample:
    """The image with these boxes as its ground truth."""
    labels = GroundTruth(found.xyxy.astype(np.float64), found.class_id, difficult=~sure)
    return replace(sample, labels=labels, rows=tuple(range(1, len(labels) + 1)))


def repeated(samples: Sequence[Sample], times: int) -> Iterator[Sample]:
    """The samples several times, under different names."""
    for number in range(times):
        for sample in samples:
            yield replace(sample, name=f"{sample.name}#{number}")
