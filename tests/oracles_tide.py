"""What each kind of error costs, one detection after the other, as TIDE's authors do it.

Bolya et al., "TIDE: A General Toolbox for Identifying Object Detection Errors", ECCV 2020; their program is
tidecv 1.0.1. It knows no crowds and nothing difficult.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np

from tests.evaluation_sets import on_image
from tests.oracles_evaluation import slow_overlap
from yolo_cli.evaluation import KINDS, EvaluationSet

Points = dict[int, list[tuple[float, bool]]]  # by class: confidence, and whether it is right


@dataclass
class _Tide:
    hits: list[tuple[int, float]] = field(default_factory=list)  # class, confidence
    errors: list[tuple[str, int, float, int, int | None]] = field(default_factory=list)
    """Kind, class, confidence, class of the ground truth, and a key of that if nothing found it."""
    ground_truths: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    not_found: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    missed: dict[int, int] = field(default_factory=lambda: defaultdict(int))


def tide_costs(gathered: EvaluationSet) -> dict[str, float]:
    """The cost of each of ``KINDS``, of "false_positive" and of "false_negative", in parts of 1."""
    tide = _Tide()
    for image in range(len(gathered.images)):
        _add_image(tide, gathered, image)
    base = _mean_precision(_points(tide, ""), tide.ground_truths)
    costs = {}
    for kind in KINDS:
        left = {k: n - (tide.missed[k] if kind == "missed" else 0) for k, n in tide.ground_truths.items()}
        costs[kind] = max(_mean_precision(_points(tide, kind), left) - base, 0.0)
    right_only = _points(tide, "", errors=False)
    found_only = {k: n - tide.not_found[k] for k, n in tide.ground_truths.items()}
    return {
        **costs,
        "false_positive": _mean_precision(right_only, tide.ground_truths) - base,
        "false_negative": _mean_precision(_points(tide, ""), found_only) - base,
    }


def _add_image(tide: _Tide, gathered: EvaluationSet, image: int) -> None:
    found, ground_truth = on_image(gathered, image)
    found = found[np.argsort(-found.confidence, kind="stable")]
    overlap = np.array([[slow_overlap(a, b, False) for b in ground_truth.xyxy] for a in found.xyxy])
    same = found.class_id[:, None] == ground_truth.class_id
    used = np.zeros(len(ground_truth), bool)
    wrong = []
    for d in range(len(found)):
        free = [g for g in range(len(ground_truth)) if same[d, g] and not used[g] and overlap[d, g] >= 0.5]
        if free:
            used[max(free, key=lambda g: overlap[d, g])] = True
            tide.hits.append((int(found.class_id[d]), float(found.confidence[d])))
        else:
            wrong.append(d)
    usable = used.copy()
    for d in wrong:
        kind, g = _kind(overlap[d], same[d], used) if len(ground_truth) else ("background", -1)
        fixable = kind in ("classification", "localisation")
        key = image * 1000 + g if fixable and not used[g] else None
        if fixable:
            usable[g] = True
        gt_class = int(ground_truth.class_id[g]) if g >= 0 else -1
        tide.errors.append((kind, int(found.class_id[d]), float(found.confidence[d]), gt_class, key))
    for g, k in enumerate(ground_truth.class_id.tolist()):
        tide.ground_truths[k] += 1
        tide.not_found[k] += not used[g]
        tide.missed[k] += not usable[g]


def _kind(overlap: np.ndarray, same: np.ndarray, used: np.ndarray) -> tuple[str, int]:
    """The kind of a wrong detection with these overlaps (T,), and the ground truth that it is of, or -1."""
    own, other = overlap * same, overlap * ~same
    if 0.1 <= own.max() <= 0.5:
        return "localisation", int(own.argmax())
    if other.max() >= 0.5:
        return "classification", int(other.argmax())
    if (own * used).max() >= 0.5:
        return "duplicate", -1
    return ("background" if overlap.max() <= 0.1 else "both"), -1


def _points(tide: _Tide, fixed: str, errors: bool = True) -> Points:
    """All detections, with the errors of one kind fixed: of several on one object, the best."""
    points: Points = defaultdict(list)
    best: dict[int, float] = {}
    for _, _, confidence, _, key in tide.errors:
        if key is not None:  # a wrong class and a wrong box compete for one ground truth
            best[key] = max(best.get(key, 0.0), confidence)
    for kind, class_id, confidence, gt_class, key in tide.errors if errors else ():
        if kind != fixed:
            points[class_id].append((confidence, False))
        elif key is not None and best[key] == confidence:
            points[gt_class].append((confidence, True))
    for class_id, confidence in tide.hits:
        points[class_id].append((confidence, True))
    return points


def _mean_precision(points: Points, ground_truths: dict[int, int]) -> float:
    """Over the classes that have a detection or a ground truth; one without a ground truth has 0."""
    classes = [k for k in {*points, *ground_truths} if points.get(k) or ground_truths.get(k)]
    scores = [_average_precision(points.get(k, []), ground_truths.get(k, 0)) for k in classes]
    return sum(scores) / len(scores)


def _average_precision(points: list[tuple[float, bool]], ground_truths: int) -> float:
    if not ground_truths:
        return 0.0
    right = np.cumsum([hit for _, hit in sorted(points, key=lambda point: -point[0])])
    precision = [n / (place + 1) for place, n in enumerate(right)]
    recall = [n / ground_truths for n in right]
    # Levels with COCO's roundings: tidecv takes x / 100, which differs in the last bit.
    levels = np.linspace(0, 1, 101).tolist()
    reached = [[p for p, r in zip(precision, recall, strict=True) if r >= level] for level in levels]
    return sum(max(beyond, default=0.0) for beyond in reached) / len(levels)
