"""For detectors that judge regions: which windows or proposals lie over a point, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.detectors import RegionDetector
from yolo_cli.detectors.regions import RegionCandidates, RegionScores
from yolo_cli.explanation.fates import Contest, Fate, Rule, check_point, covers, tell_fates
from yolo_cli.images import Image

__all__ = ["Judged", "Region", "RegionExplanation", "explain_regions"]

Floats = NDArray[np.floating[Any]]
Box = tuple[float, ...]

BEST = 10  # so many of the regions over the point are told of one by one


@dataclass(frozen=True, slots=True)
class Region:
    """One window or proposal.

    Attributes:
        number: its place among all regions of the image, from 0.
        origin: where it came from, in words.
        xyxy: in pixels of the image; it may reach out of it.
    """

    number: int
    origin: str
    xyxy: Box


@dataclass(frozen=True, slots=True)
class Judged:
    """What the network says of one region.

    Attributes:
        place: the region.
        class_id: the class that it thinks likeliest.
        confidence: of that class.
        scores: of every class, (C,).
        xyxy: the box that the class draws, in pixels of the image: the region itself if the detector fixes
            no boxes.
    """

    place: Region
    class_id: int
    confidence: float
    scores: tuple[float, ...]
    xyxy: Box


@dataclass(frozen=True, slots=True)
class RegionExplanation:
    """All that is to be said of one point.

    Attributes:
        point: x and y in pixels of the image.
        regions: how many regions of the image were judged.
        over: the boxes of those that lie over the point, the best first.
        best: the best of these: those with the highest score of any class.
        fates: boxes above the confidence that lie over the point, or whose region does, and those that
            suppressed them, the most confident first.
        threshold: the overlap above which a box goes.
        rule: the rule of suppression.
    """

    point: tuple[float, float]
    regions: int
    over: tuple[Box, ...]
    best: tuple[Judged, ...]
    fates: tuple[Fate[Region], ...]
    threshold: float
    rule: str


def explain_regions(detector: RegionDetector, image: Image, point: tuple[float, float]) -> RegionExplanation:
    """Say why ``detector`` found what it found at ``point`` (x, y in pixels) of ``image``.

    Raises:
        UsageError: if the point lies outside the image, or the suppression is soft, which removes nothing.
    """
    check_point(image, point)
    rule = Rule.of(detector.config, detector.card)
    boxes, judged, _ = detector.judge(image)  # (N, 4)
    over = np.flatnonzero(covers(boxes, point))  # (P,)
    over = over[np.argsort(-judged.scores[over].max(axis=1), kind="stable")]  # (P,), the best first
    candidates = detector.candidates(judged, image)
    candidates = candidates[np.argsort(-candidates.confidence, kind="stable")]
    regions = _regions(detector, image, boxes, np.union1d(over[:BEST], candidates.region))
    shown = covers(candidates.xyxy, point) | covers(boxes[candidates.region], point)  # (M,)
    return RegionExplanation(
        point,
        len(boxes),
        tuple(tuple(box) for box in boxes[over].tolist()),
        tuple(_judgement(judged, regions[number]) for number in over[:BEST].tolist()),
        tell_fates(_contest(detector, candidates), rule, shown, lambda n: regions[int(candidates.region[n])]),
        rule.threshold,
        rule.kind,
    )


def _regions(
    detector: RegionDetector, image: Image, boxes: Floats, numbers: NDArray[np.integer[Any]]
) -> dict[int, Region]:
    """The regions ``numbers`` (R,) among ``boxes`` (N, 4), each by its number."""
    origins, edges = detector.origins(image, numbers), boxes[numbers].tolist()
    return {
        number: Region(number, origin, tuple(box))
        for number, origin, box in zip(numbers.tolist(), origins, edges, strict=True)
    }


def _judgement(judged: RegionScores, region: Region) -> Judged:
    """What was said of a region."""
    scores, drawn = judged.scores[region.number], judged.xyxy[region.number]  # (C,), (C or 1, 4)
    best = int(scores.argmax())
    box = drawn[best] if len(drawn) > 1 else drawn[0]  # (4,)
    return Judged(region, best, float(scores[best]), tuple(scores.tolist()), tuple(box.tolist()))


def _contest(detector: RegionDetector, candidates: RegionCandidates) -> Contest:
    """What suppression has to choose from, and what it chooses."""
    kept, _ = detector.survivors(candidates)  # (K,)
    found = frozenset(kept[: detector.config.max_det].tolist())
    xyxy = candidates.xyxy  # (M, 4)
    return Contest(xyxy, xyxy, candidates.confidence, candidates.class_id, kept, found)
