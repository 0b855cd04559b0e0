"""Evaluation, detection by detection, straight from the definitions: slow but easy to verify.

COCO: Lin et al., "Microsoft COCO", ECCV 2014, and the text of its evaluation page. VOC: Everingham et al.,
"The Pascal Visual Object Classes Challenge", IJCV 2010, and the description of its development kit; boxes
here have continuous coordinates, so that no side grows by 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np

from tests.evaluation_sets import on_image
from yolo_cli.detections import Detections, GroundTruth
from yolo_cli.evaluation import EvaluationSet, Protocol
from yolo_cli.evaluation.protocol import AreaRange


@dataclass(frozen=True)
class Verdict:
    """One detection: ``kind`` is "hit", "ignored" or "false"."""

    confidence: float
    kind: str


def slow_overlap(a: np.ndarray, b: np.ndarray, crowd: bool) -> float:
    """Intersection over union of two boxes (4,), or over the first's area if the second is a crowd."""
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    area_a, area_b = (a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1])
    both = width * height
    whole = area_a if crowd else area_a + area_b - both
    return both / whole if both > 0 else 0.0


def slow_verdicts(
    gathered: EvaluationSet, class_id: int, protocol: Protocol, iou: float, sizes: AreaRange
) -> tuple[list[Verdict], int]:
    """All verdicts on one class in order of falling confidence, and the number of ground-truth boxes."""
    verdicts, ground_truths = [], 0
    for image in range(len(gathered.images)):
        found, ground_truth = on_image(gathered, image)
        found, ground_truth = (
            found[found.class_id == class_id],
            ground_truth[ground_truth.class_id == class_id],
        )
        found = found[np.argsort(-found.confidence, kind="stable")[: protocol.max_detections]]
        ignored = [
            bool(
                ground_truth.crowd[g]
                or ground_truth.difficult[g]
                or not sizes.low <= ground_truth.area[g] <= sizes.high
            )
            for g in range(len(ground_truth))
        ]
        ground_truths += ignored.count(False)
        choose = _coco_choice if protocol.rule == "best free ground truth" else _voc_choice
        taken: set[int] = set()
        for d in range(len(found)):
            kind = choose(found, ground_truth, d, ignored, taken, iou)
            own = float(np.prod(found.xyxy[d, 2:] - found.xyxy[d, :2]))
            if kind == "nothing":
                kind = "false" if sizes.low <= own <= sizes.high else "ignored"
            verdicts.append(Verdict(float(found.confidence[d]), kind))
    return sorted(verdicts, key=lambda verdict: -verdict.confidence), ground_truths


def _coco_choice(
    found: Detections, ground_truth: GroundTruth, d: int, ignored: list[bool], taken: set[int], iou: float
) -> str:
    """The best free ground truth that counts; failing that, the best free one that is ignored."""
    for wanted in (False, True):
        best, best_overlap = -1, min(iou, 1 - 1e-10)
        for g in range(len(ground_truth)):
            if ignored[g] != wanted or (g in taken and not ground_truth.crowd[g]):
                continue
            overlap = slow_overlap(found.xyxy[d], ground_truth.xyxy[g], bool(ground_truth.crowd[g]))
            if overlap >= best_overlap:
                best, best_overlap = g, overlap
        if best >= 0:
            taken.add(best)
            return "ignored" if wanted else "hit"
    return "nothing"


def _voc_choice(
    found: Detections, ground_truth: GroundTruth, d: int, ignored: list[bool], taken: set[int], iou: float
) -> str:
    """The closest ground truth, taken or not; failing that, a crowd."""
    for crowd in (False, True):
        overlaps = [
            slow_overlap(found.xyxy[d], ground_truth.xyxy[g], crowd)
            if ground_truth.crowd[g] == crowd
            else 0.0
            for g in range(len(ground_truth))
        ]
        if not overlaps or max(overlaps) < min(iou, 1 - 1e-10):
            continue
        closest = overlaps.index(max(overlaps))
        if ignored[closest]:
            return "ignored"
        if closest in taken:
            return "false"
        taken.add(closest)
        return "hit"
    return "nothing"


def slow_average_precision(
    verdicts: list[Verdict], ground_truths: int, interpolation: str
) -> Fraction | None:
    """Average precision in exact numbers; None without ground-truth boxes."""
    if ground_truths == 0:
        return None
    points: list[tuple[Fraction, Fraction]] = []  # (recall, precision) after each detection that counts
    hits = counted = 0
    for verdict in verdicts:
        if verdict.kind != "ignored":
            counted += 1
            hits += verdict.kind == "hit"
            points.append((Fraction(hits, ground_truths), Fraction(hits, counted)))
    if interpolation == "area under curve":
        recalls = [Fraction(0), *(recall for recall, _ in points)]
        return sum(
            ((b - a) * _best_beyond(points, b) for a, b in pairwise(recalls)),
            Fraction(0),
        )
    steps = 100 if interpolation == "101 points" else 10
    levels = [Fraction(step, steps) for step in range(steps + 1)]
    if interpolation == "101 points":
        # COCO's levels are floats, some of them just above the hundredth, and compared with floats.
        levels = [Fraction(float(level)) for level in np.linspace(0, 1, 101)]
        points = [(Fraction(float(recall)), precision) for recall, precision in points]
    return sum((_best_beyond(points, level) for level in levels), Fraction(0)) / (steps + 1)


def _best_beyond(points: list[tuple[Fraction, Fraction]], recall: Fraction) -> Fraction:
    return max((precision for reached, precision in points if reached >= recall), default=Fraction(0))
