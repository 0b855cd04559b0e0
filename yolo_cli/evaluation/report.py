"""All figures of one evaluation, with its protocol."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from yolo_cli.errors import UsageError
from yolo_cli.evaluation.average_precision import Averages, averages, class_mean, coco_figures
from yolo_cli.evaluation.curves import Curve, OperatingPoint, precision_recall_curve
from yolo_cli.evaluation.evaluation_set import EvaluationSet
from yolo_cli.evaluation.matching import Matches, match
from yolo_cli.evaluation.oks import KeypointFigures, keypoint_figures
from yolo_cli.evaluation.protocol import COCO, Protocol

__all__ = [
    "ClassFigures",
    "Conditions",
    "Report",
    "SizeFigures",
    "evaluate",
    "gt_hash",
    "report_of",
    "thresholds_for_precision",
]


@dataclass(frozen=True, slots=True)
class Conditions:
    """How the detections were made; None if unknown, as for another program's results.

    Attributes:
        confidence_floor: confidence threshold applied before the evaluation.
        suppression: the suppression rule with its threshold, such as "iou 0.45".
        max_detections: maximum detections per image.
        resize: resizing with the network's input size, such as "letterbox 416x416".
        data_hash: hash of the ground truth; see :func:`gt_hash`.
        class_synonyms: classes of the model matched as synonyms, and their names in the data.
        classes_per_box: which classes of a box are detections.
    """

    confidence_floor: float | None = None
    suppression: str | None = None
    max_detections: int | None = None
    resize: str | None = None
    data_hash: str | None = None
    class_synonyms: Mapping[str, str] = field(default_factory=dict)
    classes_per_box: str | None = None


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """Figures of one class; None if it has no ground truth.

    Attributes:
        ap: average precision at the IoU threshold of the protocol.
        ap50: the same at 0.5.
        ap50_95: the mean over 0.50 to 0.95.
        ground_truths: number of ground-truth boxes that are not ignored.
        found: number of detections that are not ignored.
        curve: precision and recall by confidence, at the IoU threshold of the protocol.
    """

    class_name: str
    ap: float | None
    ap50: float | None
    ap50_95: float | None
    ground_truths: int
    found: int
    curve: Curve


@dataclass(frozen=True, slots=True)
class SizeFigures:
    """Figures of one range of sizes: means over the classes with ground truth in it, or None."""

    name: str
    ap: float | None
    ap50_95: float | None
    recall: float | None
    ground_truths: int
    curve: Curve


@dataclass(frozen=True, slots=True)
class Report:
    """All figures of one evaluation.

    Attributes:
        protocol: the rules of the evaluation.
        conditions: how the detections were made.
        images: number of images.
        map: the mean over classes of average precision at the protocol's IoU threshold; None without
            ground-truth boxes.
        map50: the same at 0.5.
        map50_95: the same, averaged over 0.50 to 0.95.
        per_class: one entry per class, in the order of the class names.
        per_size: one entry per range of sizes after the first.
        curve: precision and recall by confidence at that threshold, all classes in one pool.
        coco: COCO's twelve figures under its names; empty under another protocol.
        keypoints: the figures of key points; None without.
    """

    protocol: Protocol
    conditions: Conditions
    images: int
    map: float | None
    map50: float | None
    map50_95: float | None
    per_class: tuple[ClassFigures, ...]
    per_size: tuple[SizeFigures, ...]
    curve: Curve
    coco: Mapping[str, float | None] = field(default_factory=dict)
    keypoints: KeypointFigures | None = None

    @property
    def fitness(self) -> float:
        """The figure that chooses among models: the mean AP, or the mean of it and that of key points."""
        boxes = self.map50_95 or 0.0
        return boxes if self.keypoints is None else (boxes + (self.keypoints.ap or 0.0)) / 2

    def to_json(self) -> dict[str, Any]:
        """The figures as plain data, as printed by ``yolo eval --format json``.

        ``precision``, ``recall`` and ``confidence`` are those of the best F1 over all classes in one pool.
        """
        return {
            "protocol": {**self.protocol.to_json(), **asdict(self.conditions)},
            "images": self.images,
            "map50": self.map50,
            "map50_95": self.map50_95,
            "map": self.map,
            "per_class": [_class_json(figures) for figures in self.per_class],
            "per_size": [_size_json(figures) for figures in self.per_size],
            **_best_json(self.curve),
            "coco": dict(self.coco),
            **({"keypoints": self.keypoints.to_json()} if self.keypoints else {}),
        }


def evaluate(
    gathered: EvaluationSet, protocol: Protocol = COCO, conditions: Conditions | None = None
) -> Report:
    """All figures of an evaluation set.

    Args:
        gathered: detections and ground truth.
        protocol: the rules.
        conditions: how the detections were made; only recorded.
    """
    return report_of(match(gathered, protocol), conditions)


def report_of(matches: Matches, conditions: Conditions | None = None) -> Report:
    """Like `evaluate`, for matches that exist already."""
    gathered, protocol = matches.evaluation_set, matches.protocol
    figures = averages(matches)
    at = figures.at(protocol.iou)
    return Report(
        protocol,
        conditions or Conditions(),
        len(gathered.images),
        class_mean(figures.precision[0, at]),
        class_mean(figures.precision[0, figures.at(0.5)]),
        class_mean(figures.precision[0, figures.grid]),
        tuple(_class_figures(gathered.class_names[k], k, matches, figures, at) for k in _places(gathered)),
        tuple(_size_figures(sizes.name, a, matches, figures, at) for a, sizes in _sizes(protocol)),
        _curve(matches, 0, at, slice(None), int(figures.ground_truths[0].sum())),
        coco_figures(figures) if protocol.name == "coco" else {},
        keypoint_figures(gathered, gathered.sigmas) if gathered.has_keypoints else None,
    )


def thresholds_for_precision(report: Report, precision: float) -> dict[str, OperatingPoint | None]:
    """For each class the lowest threshold of three decimals whose precision is at least ``precision``.

    None for a class that never reaches it. With few detections, other images may fall short of it.

    Raises:
        UsageError: unless 0 < ``precision`` <= 1.
    """
    if not 0 < precision <= 1:
        raise UsageError(f"--target-precision is {precision}; it must be above 0 and at most 1")
    return {figures.class_name: figures.curve.reaching(precision) for figures in report.per_class}


def gt_hash(gathered: EvaluationSet) -> str:
    """A hash of names and ground truth; it does not depend on the detections."""
    ground_truth = gathered.ground_truth
    state = hashlib.sha256("\n".join([*gathered.class_names, "", *gathered.images]).encode())
    for part in (
        gathered.gt_image,
        ground_truth.xyxy,
        ground_truth.class_id,
        ground_truth.crowd,
        ground_truth.difficult,
        ground_truth.area,
    ):
        # Little-endian, so that it is the same on every machine.
        array = np.ascontiguousarray(part)
        state.update(array.astype(array.dtype.newbyteorder("<")).tobytes())
    if ground_truth.keypoints is not None:
        state.update(ground_truth.keypoints.astype("<f8").tobytes())
    return state.hexdigest()[:16]


def _places(gathered: EvaluationSet) -> range:
    return range(len(gathered.class_names))


def _sizes(protocol: Protocol) -> list[tuple[int, Any]]:
    """The ranges of sizes after the first, each with its index."""
    return list(enumerate(protocol.areas))[1:]


def _class_figures(name: str, k: int, matches: Matches, figures: Averages, at: int) -> ClassFigures:
    """The figures of class ``k`` at the ``at``-th threshold."""
    rows = slice(int(matches.ranking.start[k]), int(matches.ranking.start[k + 1]))
    ground_truths = int(figures.ground_truths[0, k])
    return ClassFigures(
        name,
        class_mean(figures.precision[0, [at], k]),
        class_mean(figures.precision[0, [figures.at(0.5)], k]),
        class_mean(figures.precision[0, figures.grid, k]),
        ground_truths,
        int(np.count_nonzero(~matches.ignored[0, at, rows])),
        _curve(matches, 0, at, rows, ground_truths),
    )


def _size_figures(name: str, a: int, matches: Matches, figures: Averages, at: int) -> SizeFigures:
    """The figures of the ``a``-th range of sizes at the ``at``-th threshold."""
    ground_truths = int(figures.ground_truths[a].sum())
    return SizeFigures(
        name,
        class_mean(figures.precision[a, at]),
        class_mean(figures.precision[a, figures.grid]),
        class_mean(figures.recall[a, at]),
        ground_truths,
        _curve(matches, a, at, slice(None), ground_truths),
    )


def _curve(matches: Matches, a: int, t: int, rows: slice, ground_truths: int) -> Curve:
    """The curve of the ranked detections in ``rows``, in one range of sizes at one threshold."""
    kept = ~matches.ignored[a, t, rows]  # (rows,)
    return precision_recall_curve(
        matches.ranking.confidence[rows][kept], matches.hit[a, t, rows][kept], ground_truths
    )


def _best_json(curve: Curve) -> dict[str, float | None]:
    """Precision, recall, F1 and confidence at the best F1; None without detections."""
    best = curve.best
    if best is None:
        return dict.fromkeys(("precision", "recall", "f1", "confidence"))
    return {
        "precision": best.precision, "recall": best.recall, "f1": best.f1, "confidence": best.confidence
    }  # fmt: skip


def _class_json(figures: ClassFigures) -> dict[str, Any]:
    return {
        "class_name": figures.class_name,
        "ap": figures.ap,
        "ap50": figures.ap50,
        "ap50_95": figures.ap50_95,
        "ground_truths": figures.ground_truths,
        "found": figures.found,
        **_best_json(figures.curve),
    }


def _size_json(figures: SizeFigures) -> dict[str, Any]:
    return {
        "size": figures.name,
        "ap": figures.ap,
        "ap50_95": figures.ap50_95,
        "ground_truths": figures.ground_truths,
        **_best_json(figures.curve),
    }
