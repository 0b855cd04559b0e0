"""HOTA: detection and association in one figure, as TrackEval computes it.

Luiten et al., "HOTA: A Higher Order Metric for Evaluating Multi-Object Tracking", IJCV 2021.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.evaluation.tracks.sequence import PairedFrame, Sequence, reaches

__all__ = ["ALPHAS", "Hota", "hota_of"]

Floats = NDArray[np.floating[Any]]

ALPHAS = np.arange(0.05, 0.99, 0.05)  # IoU thresholds of a match, (19,)


@dataclass(frozen=True, slots=True, eq=False)
class Hota:
    """What HOTA is made of, as sums over matches: those of several sequences can be added.

    Attributes:
        matches, misses, false_positives: (19,), boxes, at each of `ALPHAS`.
        association: (19,), sum over matches of the overlap of their object's and their track's boxes: those
            matched with each other over all of both.
        localisation: (19,), sum over matches of their IoU.
    """

    matches: Floats
    misses: Floats
    false_positives: Floats
    association: Floats
    localisation: Floats

    def __add__(self, other: Hota) -> Hota:
        return Hota(
            self.matches + other.matches,
            self.misses + other.misses,
            self.false_positives + other.false_positives,
            self.association + other.association,
            self.localisation + other.localisation,
        )

    @property
    def det_a(self) -> Floats:
        """Detection accuracy (19,): matches over all boxes of either kind."""
        return self.matches / np.maximum(1, self.matches + self.misses + self.false_positives)

    @property
    def ass_a(self) -> Floats:
        """Association accuracy (19,): the mean over matches."""
        return self.association / np.maximum(1, self.matches)

    @property
    def loc_a(self) -> Floats:
        """Localisation accuracy (19,): the mean IoU of matches; 1 without a match."""
        return np.where(self.matches > 0, self.localisation / np.maximum(1, self.matches), 1.0)

    @property
    def hota(self) -> Floats:
        """(19,), the geometric mean of detection and association accuracy."""
        return np.sqrt(self.det_a * self.ass_a)


def hota_of(sequence: Sequence) -> Hota:
    """The sums of one sequence."""
    alignment = _alignment(sequence)  # (G, F)
    matched = np.zeros((len(ALPHAS), *alignment.shape))  # (19, G, F), boxes of object and track that match
    localisation = np.zeros(len(ALPHAS))
    for frame in sequence.frames():
        rows, columns, enough = _matches(frame, alignment)  # (M,), (M,), (19, M)
        # An object has one box in a frame, and so has a track: no pair occurs twice.
        matched[:, frame.gt[rows], frame.found[columns]] += enough
        localisation += enough @ frame.iou[rows, columns]
    matches = matched.sum(axis=(1, 2))  # (19,)
    both = sequence.gt_boxes[:, None] + sequence.found_boxes  # (G, F)
    association = (matched**2 / np.maximum(1, both - matched)).sum(axis=(1, 2))  # (19,)
    misses, false_positives = len(sequence.gt) - matches, len(sequence.found) - matches
    return Hota(matches, misses, false_positives, association, localisation)


def _alignment(sequence: Sequence) -> Floats:
    """How well each track follows each object in the whole video (G, F), in [0, 1]; decides matches."""
    together = np.zeros((len(sequence.gt_boxes), len(sequence.found_boxes)))  # (G, F)
    for frame in sequence.frames():
        union = frame.iou.sum(axis=0) + frame.iou.sum(axis=1)[:, None] - frame.iou  # (g, f)
        some = union > np.finfo(float).eps
        weight = np.divide(frame.iou, union, where=some, out=np.zeros_like(union))  # (g, f)
        together[np.ix_(frame.gt, frame.found)] += weight
    return together / (sequence.gt_boxes[:, None] + sequence.found_boxes - together)


def _matches(frame: PairedFrame, alignment: Floats) -> tuple[Any, Any, Floats]:
    """Pairs of boxes (M,) and (M,), and whether each is a match at each threshold (19, M)."""
    from scipy.optimize import linear_sum_assignment

    score = alignment[np.ix_(frame.gt, frame.found)] * frame.iou  # (g, f)
    rows, columns = linear_sum_assignment(score, maximize=True)
    enough = reaches(frame.iou[rows, columns], ALPHAS[:, None])  # (19, M)
    return rows, columns, enough.astype(float)
