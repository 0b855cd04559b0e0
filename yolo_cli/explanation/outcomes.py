"""The outcome of suppression for each box: kept, or suppressed by which other box."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from yolo_cli.config import DetectConfig, SuppressionKind
from yolo_cli.detectors.trace import Selection
from yolo_cli.errors import UsageError
from yolo_cli.images import Image
from yolo_cli.suppression import overlap
from yolo_cli.weights import ModelCard

__all__ = ["BoxOutcome", "Rule", "Suppression", "check_point", "covers"]

Floats = NDArray[np.floating[Any]]
Bools = NDArray[np.bool_]
Where = TypeVar("Where")


@dataclass(frozen=True, slots=True)
class BoxOutcome(Generic[Where]):
    """A box above the confidence threshold, and its outcome in suppression.

    Attributes:
        source: its cell and anchor, or its region.
        class_id: its class.
        confidence: of the network.
        xyxy: in pixels of the image, inside it.
        kept: whether detection returns it.
        suppressed_by: the position among the outcomes of the box that suppressed it, or None.
        overlap: with that box, as measured by the rule; None if it was not suppressed.
    """

    source: Where
    class_id: int
    confidence: float
    xyxy: tuple[float, ...]
    kept: bool
    suppressed_by: int | None = None
    overlap: float | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """The suppression rule; for the attributes see `suppress`."""

    kind: SuppressionKind
    threshold: float
    beta: float
    agnostic: bool

    @classmethod
    def of(cls, config: DetectConfig, card: ModelCard) -> Rule:
        """The rule of a detector.

        Raises:
            UsageError: if it is soft, which removes nothing.
        """
        kind = config.suppression or card.suppression
        if kind == "soft":
            raise UsageError("--suppression soft: removes no boxes outright; choose another rule")
        return cls(kind, config.nms_iou, card.beta, config.agnostic)


@dataclass(frozen=True, slots=True, eq=False)
class Suppression:
    """The candidates of an image, and the suppression rule.

    Attributes:
        selection: the candidates, and those kept by suppression.
        xyxy: (N, 4), their boxes clipped to the image, in its pixels.
        rule: the rule.
    """

    selection: Selection
    xyxy: Floats
    rule: Rule

    def suppressors(self) -> tuple[NDArray[np.int64], Floats]:
        """For each box (N,) the survivor that suppressed it (-1 for survivors), and their overlap (N,).

        It is the most confident survivor that overlaps the box too much, as suppression processes boxes in
        that order.
        """
        rule, class_id = self.rule, self.selection.candidates.class_id  # (N,)
        boxes = self.selection.boxes.astype(np.float64)  # (N, 4), in the unit of suppression
        suppressor, overlaps = np.full(len(boxes), -1), np.zeros(len(boxes))
        for n in self.selection.kept[::-1].tolist():  # the more confident one overwrites the other
            common = overlap(boxes[n], boxes, rule.kind, rule.beta)  # (N,)
            hit = common > rule.threshold  # (N,)
            if not rule.agnostic:
                hit &= class_id == class_id[n]
            suppressor[hit], overlaps[hit] = n, common[hit]
        suppressor[self.selection.kept] = -1
        return suppressor, overlaps

    def outcomes(self, shown: Bools, source: Callable[[int], Where]) -> tuple[BoxOutcome[Where], ...]:
        """Outcomes of the boxes ``shown`` (N,) and of those that suppressed them, most confident first.

        ``source`` returns the source of a candidate, given its slot.
        """
        suppressor, overlaps = self.suppressors()  # (N,), (N,)
        candidates, returned = self.selection.candidates, set(self.selection.returned.tolist())
        described = np.flatnonzero(shown)  # (S,)
        described = np.union1d(
            described, suppressor[described][suppressor[described] >= 0]
        )  # with those that suppressed them
        described = described[np.argsort(-candidates.confidence[described], kind="stable")]
        number = {n: i for i, n in enumerate(described.tolist())}
        return tuple(
            BoxOutcome(
                source(int(candidates.slot[n])),
                int(candidates.class_id[n]),
                float(candidates.confidence[n]),
                tuple(self.xyxy[n].tolist()),
                n in returned,
                number.get(int(suppressor[n])),
                float(overlaps[n]) if suppressor[n] >= 0 else None,
            )
            for n in described.tolist()
        )


def covers(xyxy: Floats, point: tuple[float, float]) -> Bools:
    """Which (N,) of the boxes (N, 4) contain a point.

    >>> covers(np.array([[0, 0, 10, 10], [3, 0, 5, 10]]), (5, 5)).tolist()
    [True, False]
    """
    x1, y1, x2, y2 = xyxy.T.astype(np.float64)  # (N,) each; in float32 the point would be rounded, too
    x, y = point
    over: Bools = (x1 <= x) & (x < x2) & (y1 <= y) & (y < y2)  # (N,)
    return over


def check_point(image: Image, point: tuple[float, float]) -> None:
    """Raise UsageError if ``point`` (x, y in pixels) is outside ``image``."""
    x, y = point
    if not (0 <= x < image.width and 0 <= y < image.height):
        size = f"{image.width}x{image.height}"
        raise UsageError(f"--at {x:g},{y:g}: is outside {image.name}, which has {size} pixels")
