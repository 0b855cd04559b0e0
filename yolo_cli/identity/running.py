"""Images → who is on them, one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from yolo_cli.detections import Detections
from yolo_cli.identity.embedder import Embedder
from yolo_cli.identity.gallery import Gallery
from yolo_cli.identity.identified import Identified
from yolo_cli.identity.recognition import Match, Threshold, recognise
from yolo_cli.pipeline import Outcome, read_outcome
from yolo_cli.pipeline.formats import Model
from yolo_cli.pipeline.running import Readable

__all__ = ["WHOLE", "Each", "Identification", "whole_images"]

WHOLE = "image"
"""The class of whole images."""

Each: TypeAlias = Identified | Outcome
"""One image with who is on it, or the outcome of one that could not be read."""


@dataclass(frozen=True, slots=True)
class Identification:
    """Iterated over once, it gives each image with who is on it, in order; memory stays flat.

    Attributes:
        outcomes: what was detected on each image.
        detector: what the output says of the detector; None where whole images are taken.
        embedder: the embedding network.
        gallery: those who are known.
        threshold: the lowest score of somebody known.
    """

    outcomes: Iterable[Outcome]
    detector: Model | None
    embedder: Embedder
    gallery: Gallery
    threshold: Threshold

    def __iter__(self) -> Iterator[Each]:
        names = self.detector.class_names if self.detector else (WHOLE,)
        return (
            outcome if outcome.image is None else self._identified(outcome, names)
            for outcome in self.outcomes
        )

    @property
    def identities(self) -> tuple[str, ...]:
        """The names in the gallery, in the order in which they were learnt."""
        return tuple(self.gallery.names)

    def _identified(self, outcome: Outcome, names: Sequence[str]) -> Identified:
        result = outcome.result(names)
        matches: list[Match] = []
        if result:
            vectors = self.embedder(result.image, result.xyxy)
            matches = recognise(self.gallery, self.embedder.card, vectors, self.threshold.score)
        return Identified(result, tuple(matches), self.identities)


def whole_images(items: Iterable[Readable]) -> Iterator[Outcome]:
    """Outcomes of images as if one thing had been detected on each that fills it."""
    for item in items:
        outcome = read_outcome(item)
        if outcome.image is not None:
            box = np.array([[0, 0, outcome.image.width, outcome.image.height]], np.float32)
            whole = Detections(box, np.ones(1, np.float32), np.zeros(1, np.int64))
            outcome = replace(outcome, detections=whole)
        yield outcome
