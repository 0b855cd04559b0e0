"""How far the detections of two programs on the same images are apart, box by box."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from yolo_cli.boxes import box_iou
from yolo_cli.detections import Detections
from yolo_cli.exporting.ties import LARGEST_DIFFERENCE, LOWEST_IOU, Choice

__all__ = ["Agreement", "Pair", "pair_up"]


@dataclass(frozen=True, slots=True)
class Pair:
    """A detection of one of two programs, and the other's detection of the same object.

    Attributes:
        image: the name of the image.
        class_name: the class of both.
        ours, theirs: the confidences; None if one of them did not find it.
        iou: of the two boxes; 0 if there is one only.
        tied: they differ, or there is one only, because rounding decides which is returned; see `ties`.
    """

    image: str
    class_name: str
    ours: float | None
    theirs: float | None
    iou: float
    tied: bool = False

    @property
    def difference(self) -> float:
        """Of the two confidences; 1 if one of them did not find it."""
        return 1.0 if self.ours is None or self.theirs is None else abs(self.ours - self.theirs)

    @property
    def agrees(self) -> bool:
        """Whether the two are as good as equal."""
        return self.tied or (self.iou >= LOWEST_IOU and self.difference <= LARGEST_DIFFERENCE)


@dataclass(frozen=True, slots=True)
class Agreement:
    """The pairs of all images.

    Attributes:
        images: number of images.
        pairs: those that are furthest apart first.
    """

    images: int
    pairs: tuple[Pair, ...]

    @classmethod
    def of(cls, images: int, pairs: Iterable[Pair]) -> Agreement:
        """The agreement of ``images`` images with these pairs."""
        return cls(images, tuple(sorted(pairs, key=lambda pair: (pair.agrees, pair.iou - pair.difference))))

    @property
    def lowest_iou(self) -> float | None:
        """Of the pairs with two boxes that are not tied; None if there are none."""
        return min((pair.iou for pair in self.pairs if pair.iou and not pair.tied), default=None)

    @property
    def largest_difference(self) -> float | None:
        """Of the confidences of a pair with two boxes; None if there are none."""
        return max((pair.difference for pair in self.pairs if pair.iou), default=None)

    @property
    def unpaired(self) -> int:
        """Boxes that only one of the two programs has."""
        return sum(not pair.iou for pair in self.pairs)

    @property
    def tied(self) -> int:
        """Pairs in which rounding decides what is returned."""
        return sum(pair.tied for pair in self.pairs)

    @property
    def disagreeing(self) -> tuple[Pair, ...]:
        """The pairs that are not as good as equal."""
        return tuple(pair for pair in self.pairs if not pair.agrees)


def pair_up(
    image: str, ours: Detections, theirs: Detections, class_names: tuple[str, ...], choice: Choice
) -> Iterator[Pair]:
    """Pair the boxes of one image, the best IoU within a class first.

    A box alone is left out where its confidence is so near to the threshold that the other program may have
    been below, and boxes that are both below it are.

    Args:
        image: its name.
        ours: the detections of one program.
        theirs: of the other.
        class_names: by class id.
        choice: how both choose among their boxes.
    """
    tied = choice.either_way(ours, theirs)
    free = np.ones(len(ours), bool), np.ones(len(theirs), bool)
    for i, j, iou in _partners(ours, theirs):
        free[0][i] = free[1][j] = False
        both = float(ours.confidence[i]), float(theirs.confidence[j])
        if max(both) > choice.conf:
            other = iou < LOWEST_IOU or abs(both[0] - both[1]) > LARGEST_DIFFERENCE
            either = bool(other and tied[0][i] and tied[1][j])
            yield Pair(image, class_names[ours.class_id[i]], *both, iou, either)
    for k, found in enumerate((ours, theirs)):
        for at in np.flatnonzero(free[k] & (found.confidence > choice.conf + LARGEST_DIFFERENCE)):
            alone = float(found.confidence[at])
            name = class_names[found.class_id[at]]
            yield Pair(image, name, alone if k == 0 else None, alone if k else None, 0.0, bool(tied[k][at]))


def _partners(ours: Detections, theirs: Detections) -> Iterator[tuple[int, int, float]]:
    """Positions of a box of each, and their IoU, which is above 0.5: the best within a class first."""
    same = ours.class_id[:, None] == theirs.class_id[None]  # (N, M)
    iou = np.where(same, box_iou(ours.xyxy, theirs.xyxy), 0)  # (N, M)
    while iou.size and iou.max() > 0.5:
        i, j = (int(k) for k in np.unravel_index(np.argmax(iou), iou.shape))
        yield i, j, float(iou[i, j])
        iou[i, :] = iou[:, j] = 0
