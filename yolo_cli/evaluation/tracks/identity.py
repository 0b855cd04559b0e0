"""IDF1: how long each object keeps one id.

Ristani et al., "Performance Measures and a Data Set for Multi-Target, Multi-Camera Tracking", ECCV
Workshops 2016.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from yolo_cli.evaluation.tracks.sequence import MATCH_IOU, Sequence, reaches

__all__ = ["Identity", "identity_of"]


@dataclass(frozen=True, slots=True)
class Identity:
    """Counts of boxes; those of several sequences can be added.

    Attributes:
        matches: boxes where an object and the one track that is assigned to it overlap enough.
        objects: boxes of the ground truth.
        found: boxes of tracks.
    """

    matches: int = 0
    objects: int = 0
    found: int = 0

    def __add__(self, other: Identity) -> Identity:
        return Identity(self.matches + other.matches, self.objects + other.objects, self.found + other.found)

    @property
    def idf1(self) -> float | None:
        """Matches over the mean number of boxes of both; None without a box."""
        return 2 * self.matches / (self.objects + self.found) if self.objects + self.found else None


def identity_of(sequence: Sequence) -> Identity:
    """The counts of one sequence, for the assignment of tracks to objects that has the most matches."""
    from scipy.optimize import linear_sum_assignment

    together = np.zeros((len(sequence.gt_boxes), len(sequence.found_boxes)), int)  # (G, F)
    for frame in sequence.frames():
        together[np.ix_(frame.gt, frame.found)] += reaches(frame.iou, MATCH_IOU)
    best = together[linear_sum_assignment(together, maximize=True)].sum()
    return Identity(int(best), len(sequence.gt), len(sequence.found))
