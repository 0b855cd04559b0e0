"""Key points against ground truth, by object key point similarity: COCO's rules for ``keypoints``.

OKS takes the place of IoU (Lin et al., "Microsoft COCO", ECCV 2014, and cocodataset.org/#keypoints-eval):

    OKS = mean over the labelled points of exp(−d² / (2 · area · (2σ)²))

with d the distance in pixels, the area of the annotation, and the σ of each point: how far apart people place
it, as a fraction of the root of the area. Objects without a labelled point are ignored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.detections import GroundTruth
from yolo_cli.evaluation.average_precision import Averages, averages, class_mean
from yolo_cli.evaluation.evaluation_set import EvaluationSet
from yolo_cli.evaluation.matching import match
from yolo_cli.evaluation.protocol import AREAS, Protocol

__all__ = ["KEYPOINT_FIGURES", "KeypointFigures", "keypoint_figures", "oks_protocol"]

Floats = NDArray[np.floating[Any]]

KEYPOINT_FIGURES = ("AP", "AP50", "AP75", "APmedium", "APlarge", "AR", "AR50", "AR75", "ARmedium", "ARlarge")
"""The names of COCO's ten figures of key points, in the order of pycocotools."""

MAX_DETECTIONS = 20  # of a class per image


@dataclass(frozen=True, slots=True)
class KeypointFigures:
    """Average precision of key points, by OKS.

    Attributes:
        sigmas: of each key point, (K,).
        objects: number of objects with a labelled key point.
        figures: COCO's ten, by ``KEYPOINT_FIGURES``: AP is over OKS 0.50 to 0.95; None without objects.
        per_class: AP of each class over OKS 0.50 to 0.95, by its name.
    """

    sigmas: tuple[float, ...]
    objects: int
    figures: Mapping[str, float | None]
    per_class: Mapping[str, float | None] = field(default_factory=dict)

    @property
    def ap(self) -> float | None:
        """Average precision over OKS 0.50 to 0.95, the mean over classes; None without objects."""
        return self.figures["AP"]

    def to_json(self) -> dict[str, Any]:
        """As in ``yolo eval --format json``."""
        return {
            "sigmas": list(self.sigmas),
            "objects": self.objects,
            **self.figures,
            "per_class": [{"class_name": name, "AP": ap} for name, ap in self.per_class.items()],
        }


def oks_protocol(sigmas: Sequence[float]) -> Protocol:
    """COCO's rules for key points with these sigmas, (K,)."""
    return Protocol(
        "coco-keypoints", 0.5, "101 points", "best free ground truth", MAX_DETECTIONS,
        areas=(AREAS[0], *AREAS[2:]), sigmas=tuple(sigmas),
    )  # fmt: skip


def keypoint_figures(gathered: EvaluationSet, sigmas: Sequence[float]) -> KeypointFigures:
    """The figures of an evaluation set whose detections and ground truth have key points.

    Raises:
        ValueError: if they have another number of them than there are sigmas.
    """
    figures = averages(match(_without_unlabelled(gathered), oks_protocol(sigmas)))
    names = gathered.class_names
    per_class = {name: class_mean(figures.precision[0, :, k]) for k, name in enumerate(names)}
    return KeypointFigures(tuple(sigmas), int(figures.ground_truths[0].sum()), _ten(figures), per_class)


def _without_unlabelled(gathered: EvaluationSet) -> EvaluationSet:
    """The same set, in which objects without a labelled point are ignored."""
    ground_truth = gathered.ground_truth
    points = ground_truth.keypoints
    if points is None:
        raise ValueError("the ground truth has no key points")
    unlabelled = ~np.asarray((points[..., 2] > 0).any(axis=1))  # (T,)
    ignored: GroundTruth = replace(ground_truth, difficult=ground_truth.difficult | unlabelled)
    return replace(gathered, ground_truth=ignored)


def _ten(figures: Averages) -> dict[str, float | None]:
    """COCO's ten figures, by name."""
    parts = []
    for values in (figures.precision, figures.recall):  # (3, 10, K) each
        half, three_quarters = figures.at(0.5), figures.at(0.75)
        parts += [values[0], values[0, half], values[0, three_quarters], values[1], values[2]]
    return dict(zip(KEYPOINT_FIGURES, map(class_mean, parts), strict=True))
