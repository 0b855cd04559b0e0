"""For detectors that judge regions: which windows or proposals lie over a point, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.detectors.trace import RegionOutput, RegionScores
from yolo_cli.explanation.fates import Contest, Fate, covers

__all__ = ["Judged", "Region", "RegionExplanation", "explain_regions"]

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


def explain_regions(
    proposed: RegionOutput, contest: Contest, point: tuple[float, float]
) -> RegionExplanation:
    """The regions over ``point`` (x, y in pixels of the image), and what became of their boxes."""
    boxes, scores = proposed.regions, proposed.predictions.scores  # (N, 4), (N, C)
    over = np.flatnonzero(covers(boxes, point))  # (P,)
    over = over[np.argsort(-scores[over].max(axis=1), kind="stable")]  # (P,), the best first
    source = contest.selection.candidates.slot  # (M,), the region of each candidate
    regions = _regions(proposed, np.union1d(over[:BEST], source))
    shown = covers(contest.xyxy, point) | covers(boxes[source], point)  # (M,)
    return RegionExplanation(
        point,
        len(boxes),
        tuple(tuple(box) for box in boxes[over].tolist()),
        tuple(_judgement(proposed.predictions, regions[number]) for number in over[:BEST].tolist()),
        contest.fates(shown, regions.__getitem__),
        contest.rule.threshold,
        contest.rule.kind,
    )


def _regions(proposed: RegionOutput, numbers: NDArray[np.integer[Any]]) -> dict[int, Region]:
    """The regions ``numbers`` (R,), each by its number."""
    origins, edges = proposed.origins(numbers), proposed.regions[numbers].tolist()
    return {
        number: Region(number, origin, tuple(box))
        for number, origin, box in zip(numbers.tolist(), origins, edges, strict=True)
    }


def _judgement(predictions: RegionScores, region: Region) -> Judged:
    """The prediction for a region."""
    scores, drawn = predictions.scores[region.number], predictions.xyxy[region.number]  # (C,), (C or 1, 4)
    best = int(scores.argmax())
    box = drawn[best] if len(drawn) > 1 else drawn[0]  # (4,)
    return Judged(region, best, float(scores[best]), tuple(scores.tolist()), tuple(box.tolist()))
