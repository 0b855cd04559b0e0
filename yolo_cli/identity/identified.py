"""The detections of one image with who each is."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.detections import Detections
from yolo_cli.identity.recognition import Match
from yolo_cli.results import Result
from yolo_cli.text import Jsonable

__all__ = ["UNKNOWN", "Identified"]

UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, eq=False)
class Identified(Jsonable):
    """One image with who is on it.

    Attributes:
        result: image and detections.
        matches: who each detection is.
        identities: the names in the gallery, in the order in which they were learnt.
    """

    result: Result
    matches: tuple[Match, ...]
    identities: tuple[str, ...]

    @property
    def named(self) -> Result:
        """The same boxes with identities as classes: those of the gallery, and ``unknown`` at the end.

        Their confidence is the score of the nearest identity, at least 0. It has all that results have:
        drawn and saved images, tables, and forms for other programs.
        """
        names = (*self.identities, UNKNOWN)
        place = {name: number for number, name in reversed(list(enumerate(names)))}
        class_id = np.array([place[match.identity or UNKNOWN] for match in self.matches], np.int64)
        scores = np.array([match.score for match in self.matches], np.float32).clip(0, 1)
        found = self.result.detections
        boxes = Detections(found.xyxy, scores, class_id, None, found.keypoints, found.skeleton)
        return Result(self.result.image, boxes, names, self.result.time_ms)

    def to_dict(self) -> dict[str, Any]:
        """The object that ``yolo identify --format ndjson`` prints: that of detect, with an identity each."""
        values = self.result.to_dict()
        pairs = zip(values["detections"], self.matches, strict=True)
        return {**values, "detections": [{**found, **match.to_dict()} for found, match in pairs]}

    def draw(self, **style: Any) -> NDArray[np.uint8]:
        """The image with the name of each box and its score: uint8, (height, width, 3), RGB.

        Args:
            **style: as for `Result.plot`.
        """
        return self.named.plot(**style)

    def save(self, path: str | os.PathLike[str], **style: Any) -> Path:
        """Write `draw` to a file, or into an existing folder under the image's name; return the path.

        Args:
            path: as for `Result.save`.
            **style: as for `Result.plot`.

        Raises:
            UserError: if the suffix is unknown, or the file cannot be written.
        """
        return self.named.save(path, **style)
