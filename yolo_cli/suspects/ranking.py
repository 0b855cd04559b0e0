"""Labels and detections → suspects, most probable first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.boxes import box_iou
from yolo_cli.datasets import Sample
from yolo_cli.datasets.layout import place_of
from yolo_cli.datasets.sample import Kind as Form
from yolo_cli.detections import Detections, GroundTruth
from yolo_cli.results import Detection
from yolo_cli.suspects.scoring import ImageScores, agreement, invented, score_image
from yolo_cli.suspects.suspect import Kind, Label, Suspect

__all__ = ["THRESHOLD", "rank"]

THRESHOLD = 0.1
"""Labels with a lower score are left out."""

MISSING_THRESHOLD = 0.25
"""Missing labels with a lower score are left out: there is no end of faint detections."""

_REPEATED = 0.5  # IoU from which two detections are of the same overlooked object

Bools = NDArray[np.bool_]


def rank(
    images: Sequence[tuple[Sample, GroundTruth, Detections]], names: Sequence[str], form: Form, known: Bools
) -> tuple[Suspect, ...]:
    """The suspects among the labels of some images, and the objects without a label, most probable first.

    Labels that evaluation ignores (crowd, difficult), and those of unknown classes, are not ranked, but they
    account for detections. A label is a suspect of one kind, the most probable.

    Args:
        images: samples with their labels and detections, of the same class ids.
        names: class names.
        form: the form of the data set, for the places of labels.
        known: (K,), whether the model knows each class.
    """
    agrees = agreement([(labels, found) for _, labels, found in images])  # each (M,)
    scores = [
        score_image(labels, found, part) for (_, labels, found), part in zip(images, agrees, strict=True)
    ]
    eligible = [~(it.crowd | it.difficult) & known[it.class_id] for _, it, _ in images]  # each (L,)
    supports = [score.support[mask] for score, mask in zip(scores, eligible, strict=True)]
    unsupported = invented(np.concatenate([np.zeros(0), *supports]))  # (labels that are eligible,)
    parts = np.split(unsupported, np.cumsum([len(support) for support in supports])[:-1])
    suspects: list[Suspect] = []
    for image, score, mask, part in zip(images, scores, eligible, parts, strict=False):
        looked = _Looked(*image, score, names, form)
        ranked = map(looked.label, np.flatnonzero(mask).tolist(), part.tolist())
        suspects += (suspect for suspect in ranked if suspect.score >= THRESHOLD)
        suspects += looked.overlooked()
    return tuple(sorted(suspects, key=_order))


def _order(suspect: Suspect) -> tuple[float | str | int, ...]:
    """Most probable first; then by place, so that the order of the images does not matter."""
    row = -1 if suspect.label is None else suspect.label.row
    return (-suspect.score, suspect.split, suspect.image, row, suspect.kind)


@dataclass(frozen=True, slots=True)
class _Looked:
    """One image with what was found on it, and the scores."""

    sample: Sample
    labels: GroundTruth
    found: Detections
    scores: ImageScores
    names: Sequence[str]
    form: Form

    def label(self, index: int, unsupported: float) -> Suspect:
        """The most probable fault of a label, which is invented with the given probability."""
        scores = self.scores
        kinds: dict[Kind, tuple[float, int]] = {
            "swapped": (float(scores.swapped[index]), int(scores.swapped_by[index])),
            "misplaced": (float(scores.misplaced[index]), int(scores.misplaced_by[index])),
            "invented": (unsupported, -1),
        }
        kind = max(kinds, key=lambda name: kinds[name][0])
        score, by = kinds[kind]
        labels, row = self.labels, self.sample.rows[index]
        label = Label(row, self.names[labels.class_id[index]], _edges(labels.xyxy[index]))
        where = place_of(self.form, self.sample.label, row)
        return self._suspect(kind, score, where, label, self._detection(by))

    def overlooked(self) -> Iterator[Suspect]:
        """The objects without a label, each once."""
        scores, kept = self.scores.overlooked, list[int]()
        for at in np.argsort(-scores, kind="stable").tolist():
            if scores[at] < MISSING_THRESHOLD:
                break
            if box_iou(self.found.xyxy[kept], self.found.xyxy[[at]]).max(initial=0) < _REPEATED:
                kept.append(at)
                seen = self._detection(at)
                yield self._suspect("overlooked", float(scores[at]), self.sample.name, None, seen)

    def _detection(self, at: int) -> Detection | None:
        """One detection; None for -1."""
        if at < 0:
            return None
        class_id, confidence = int(self.found.class_id[at]), float(self.found.confidence[at])
        return Detection(self.names[class_id], class_id, confidence, _edges(self.found.xyxy[at]))

    def _suspect(
        self, kind: Kind, score: float, where: str, label: Label | None, seen: Detection | None
    ) -> Suspect:
        return Suspect(kind, score, self.sample.split, self.sample.name, where, label, seen)


def _edges(xyxy: NDArray[np.floating[Any]]) -> tuple[float, float, float, float]:
    """Edges (4,) as plain numbers."""
    left, top, right, bottom = map(float, xyxy)
    return left, top, right, bottom
