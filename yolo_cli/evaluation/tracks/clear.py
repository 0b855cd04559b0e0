"""MOTA of the CLEAR MOT metrics (Bernardin and Stiefelhagen, EURASIP JIVP 2008), as py-motmetrics counts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from yolo_cli.evaluation.tracks.sequence import MATCH_IOU, PairedFrame, Sequence, reaches

__all__ = ["Clear", "clear_of"]

_NEVER = 1e6  # costs more than any number of pairs that match


@dataclass(frozen=True, slots=True)
class Clear:
    """Counts of boxes; those of several sequences can be added.

    Attributes:
        objects: boxes of the ground truth.
        misses: those without a match.
        false_positives: boxes of tracks without a match.
        switches: matches of an object with another track than in its match before.
    """

    objects: int = 0
    misses: int = 0
    false_positives: int = 0
    switches: int = 0

    def __add__(self, other: Clear) -> Clear:
        return Clear(
            self.objects + other.objects,
            self.misses + other.misses,
            self.false_positives + other.false_positives,
            self.switches + other.switches,
        )

    @property
    def mota(self) -> float | None:
        """1 − (misses + false positives + switches) / objects; below 0 if errors are many."""
        errors = self.misses + self.false_positives + self.switches
        return 1 - errors / self.objects if self.objects else None


def clear_of(sequence: Sequence) -> Clear:
    """The counts of one sequence.

    A pair of the frames before goes on as long as it overlaps enough; only what is left is assigned.
    """
    last: dict[int, int] = {}  # the track that each object was last matched with
    total = Clear()
    for frame in sequence.frames():
        pairs = dict(_matches(frame, last))
        switches = sum(last.get(number, track) != track for number, track in pairs.items())
        last.update(pairs)
        misses, false_positives = len(frame.gt) - len(pairs), len(frame.found) - len(pairs)
        total += Clear(len(frame.gt), misses, false_positives, switches)
    return total


def _matches(frame: PairedFrame, last: dict[int, int]) -> Iterator[tuple[int, int]]:
    """The object and the track of each match."""
    from scipy.optimize import linear_sum_assignment

    cost = np.where(reaches(frame.iou, MATCH_IOU), 1 - frame.iou, _NEVER)  # (G, F)
    for row, column in _kept(frame, last):
        if cost[row, column] < _NEVER:
            yield int(frame.gt[row]), int(frame.found[column])
            cost[row, :] = cost[:, column] = _NEVER
    for row, column in zip(*linear_sum_assignment(cost), strict=True):
        if cost[row, column] < _NEVER:
            yield int(frame.gt[row]), int(frame.found[column])


def _kept(frame: PairedFrame, last: dict[int, int]) -> Iterator[tuple[int, int]]:
    """Places of the pairs that were matched before, in the order of the objects."""
    columns = {int(track): column for column, track in enumerate(frame.found)}
    for row, number in enumerate(frame.gt.tolist()):
        column = columns.get(last.get(number, -1))
        if column is not None:
            yield row, column
