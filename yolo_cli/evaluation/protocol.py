"""The rules of an evaluation: COCO's, or one of the two of Pascal VOC.

The rules differ in three things: which ground truth a detection is matched with, how the curve is averaged,
and which IoU thresholds are used. Figures mean little without their protocol, so every result carries one.
All use continuous coordinates: a box that covers one pixel is (0, 0, 1, 1). VOC's development kit numbers
pixels from 1 and adds 1 to each side, which is equivalent once the upper left corners are moved by -1.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from yolo_cli.config import check_number
from yolo_cli.errors import UsageError

__all__ = ["AREAS", "COCO", "GRID", "PROTOCOLS", "VOC07", "VOC10", "AreaRange", "Protocol", "protocol"]

Interpolation = Literal["101 points", "11 points", "area under curve"]
Rule = Literal["best free ground truth", "closest ground truth"]

GRID = tuple(np.linspace(0.5, 0.95, 10).tolist())
"""COCO's ten IoU thresholds, 0.50 to 0.95, with the rounding of pycocotools."""


@dataclass(frozen=True, slots=True)
class AreaRange:
    """A range of sizes: ground-truth boxes of ``low`` to ``high`` square pixels, inclusive."""

    name: str
    low: float
    high: float


AREAS = (
    AreaRange("all", 0.0, 1e10),
    AreaRange("small", 0.0, 32.0**2),
    AreaRange("medium", 32.0**2, 96.0**2),
    AreaRange("large", 96.0**2, 1e10),
)


@dataclass(frozen=True, slots=True)
class Protocol:
    """How detections are matched and averaged.

    Attributes:
        name: its name in ``--protocol``.
        iou: the IoU threshold of a match for ``map``, precision and recall: ``--iou``.
        interpolation: how the precision-recall curve is averaged.
            "101 points" and "11 points": the mean of the best precision at or beyond evenly spaced recalls;
            "area under curve": the area below the best precision at or beyond each recall.
        rule: which ground truth of its class a detection is matched with, in order of descending confidence.
            "best free ground truth" (COCO): the one it overlaps most that no earlier detection matched;
            ignored ground-truth boxes come last, and a crowd can be matched any number of times.
            "closest ground truth" (VOC): the one it overlaps most; if an earlier detection matched it, this
            is a false positive. VOC has no crowds: here they count as difficult, for detections that overlap
            no other ground truth enough.
        max_detections: maximum detections of a class per image; None for all.
        grid: the IoU thresholds averaged in ``map50_95``.
        areas: ranges of sizes that are evaluated separately; the first must hold all.
        sigmas: of key points, whose OKS then takes the place of IoU; () for boxes.

    Ground-truth boxes that are crowd or difficult, or of a size outside the range, are *ignored*: neither
    finding nor missing them changes a figure. For a crowd, overlap is the fraction of the detection inside
    it. An unmatched detection of a size outside the range is ignored, too.
    """

    name: str
    iou: float
    interpolation: Interpolation
    rule: Rule
    max_detections: int | None
    grid: tuple[float, ...] = GRID
    areas: tuple[AreaRange, ...] = AREAS
    sigmas: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not 0 < self.iou <= 1:
            raise UsageError(f"--iou is {self.iou}; it must be above 0 and at most 1")

    @property
    def thresholds(self) -> tuple[float, ...]:
        """Every IoU threshold, ascending: ``grid`` and ``iou``."""
        return tuple(sorted({*self.grid, self.iou}))

    def to_json(self) -> dict[str, Any]:
        """The rules as plain data, readable by people and programs."""
        return {
            "name": self.name,
            "iou": self.iou,
            "interpolation": self.interpolation,
            "matching": self.rule,
            "difficult": "ignored",
            "crowd": "ignored; overlap is the fraction of the detection in it",
            "max_detections_per_class": self.max_detections,
        }


COCO = Protocol("coco", 0.5, "101 points", "best free ground truth", 100)
VOC07 = Protocol("voc07", 0.5, "11 points", "closest ground truth", None)
VOC10 = Protocol("voc10", 0.5, "area under curve", "closest ground truth", None)

PROTOCOLS = {rules.name: rules for rules in (COCO, VOC07, VOC10)}


def protocol(name: str, iou: float = 0.5) -> Protocol:
    """The rules called ``name``, with ``iou`` as the IoU threshold of a match.

    Raises:
        UsageError: if the name is unknown, or ``iou`` is out of range.

    >>> protocol("voc07", iou=0.6).interpolation
    '11 points'
    """
    if name not in PROTOCOLS:
        raise UsageError(f"unknown protocol {name!r}: choose from {', '.join(PROTOCOLS)}")
    check_number("--iou", iou, 0, 1)
    # 0.6 as typed and 0.6 of the grid may differ in the last bit, but mean the same.
    near = [step for step in GRID if abs(step - iou) < 1e-9]
    return replace(PROTOCOLS[name], iou=near[0] if near else iou)
