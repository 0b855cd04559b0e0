"""What suppression did to each box, and which box was to blame."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from yolo_cli.config import DetectConfig, SuppressionKind
from yolo_cli.errors import UsageError
from yolo_cli.images import Image
from yolo_cli.suppression import overlap
from yolo_cli.weights import ModelCard

__all__ = ["Contest", "Fate", "Rule", "check_point", "covers", "tell_fates"]

Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.integer[Any]]
Bools = NDArray[np.bool_]
Where = TypeVar("Where")


@dataclass(frozen=True, slots=True)
class Fate(Generic[Where]):
    """A box above the confidence, and what suppression did to it.

    Attributes:
        place: what it came from: the cell and anchor, or the region.
        class_id: its class.
        confidence: as the network gives it.
        xyxy: in pixels of the image, inside it.
        kept: whether detection returns it.
        suppressed_by: which of the explanation's fates suppressed it, or None.
        overlap: with that one, as the rule of suppression reckons it; None where nothing suppressed it.
    """

    place: Where
    class_id: int
    confidence: float
    xyxy: tuple[float, ...]
    kept: bool
    suppressed_by: int | None = None
    overlap: float | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """When a box suppresses another; the attributes are those of `suppress`."""

    kind: SuppressionKind
    threshold: float
    beta: float
    class_agnostic: bool

    @classmethod
    def of(cls, config: DetectConfig, card: ModelCard) -> Rule:
        """That of a detector.

        Raises:
            UsageError: if it is soft, which removes nothing.
        """
        kind = config.suppression or card.suppression
        if kind == "soft":
            raise UsageError("--suppression soft: removes no box because of another one; choose another rule")
        return cls(kind, config.nms_iou, card.beta, config.agnostic)


@dataclass(frozen=True, slots=True, eq=False)
class Contest:
    """The boxes of an image above the confidence, the most confident first.

    Attributes:
        boxes: (N, 4), in the unit in which suppression sees them.
        xyxy: (N, 4), inside the image, in its pixels.
        confidence: (N,).
        class_id: (N,).
        kept: (K,), positions of those that suppression leaves.
        found: which of those detection returns.
    """

    boxes: Floats
    xyxy: Floats
    confidence: Floats
    class_id: Integers
    kept: Integers
    found: frozenset[int]

    def winners(self, rule: Rule) -> tuple[NDArray[np.int64], Floats]:
        """For each box (N,) which survivor suppressed it, -1 for survivors, and their overlap (N,).

        The most confident survivor that overlaps it too much: suppression came to that one first. It is more
        confident than the box itself, as a box that nothing before it suppresses is a survivor.
        """
        boxes = self.boxes.astype(np.float64)  # (N, 4), as suppression takes them
        winner, share = np.full(len(boxes), -1), np.zeros(len(boxes))
        for place in sorted(self.kept.tolist(), reverse=True):  # the more confident one overwrites the other
            common = overlap(boxes[place], boxes, rule.kind, rule.beta)  # (N,)
            hit = common > rule.threshold  # (N,)
            if not rule.class_agnostic:
                hit &= self.class_id == self.class_id[place]
            winner[hit], share[hit] = place, common[hit]
        winner[self.kept] = -1
        return winner, share


def tell_fates(
    contest: Contest, rule: Rule, shown: Bools, place: Callable[[int], Where]
) -> tuple[Fate[Where], ...]:
    """What became of the boxes ``shown`` (N,), and of those that suppressed them, most confident first."""
    winner, share = contest.winners(rule)  # (N,), (N,)
    told = np.flatnonzero(shown)  # (S,)
    told = np.unique(np.concatenate([told, winner[told][winner[told] >= 0]]))  # with who suppressed them
    number = {int(n): i for i, n in enumerate(told)}
    return tuple(
        Fate(
            place(int(n)),
            int(contest.class_id[n]),
            float(contest.confidence[n]),
            tuple(contest.xyxy[n].tolist()),
            int(n) in contest.found,
            number[int(winner[n])] if winner[n] >= 0 else None,
            float(share[n]) if winner[n] >= 0 else None,
        )
        for n in told
    )


def covers(xyxy: Floats, point: tuple[float, float]) -> Bools:
    """Which (N,) of the boxes (N, 4) lie over a point.

    >>> covers(np.array([[0, 0, 10, 10], [3, 0, 5, 10]]), (5, 5)).tolist()
    [True, False]
    """
    x1, y1, x2, y2 = xyxy.T.astype(np.float64)  # (N,) each; in float32 the point would be rounded, too
    x, y = point
    over: Bools = (x1 <= x) & (x < x2) & (y1 <= y) & (y < y2)  # (N,)
    return over


def check_point(image: Image, point: tuple[float, float]) -> None:
    """Raise UsageError if ``point`` (x, y in pixels) lies outside ``image``."""
    x, y = point
    if not (0 <= x < image.width and 0 <= y < image.height):
        size = f"{image.width}x{image.height}"
        raise UsageError(f"--at {x:g},{y:g}: lies outside {image.name}, which has {size} pixels")
