"""An explanation together with its image: as data, as text and drawn."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.explanation.drawing import draw_explanation
from yolo_cli.explanation.grid import CellExplanation
from yolo_cli.explanation.regions import RegionExplanation
from yolo_cli.explanation.text import explanation_text
from yolo_cli.files import path_of
from yolo_cli.images import Image, write_image
from yolo_cli.text import Jsonable

__all__ = ["Explanation", "Plotted"]


class Plotted(Jsonable):
    """A result about one image, `image`, that can be drawn."""

    __slots__ = ()
    image: Image

    def plot(self) -> NDArray[np.uint8]:
        """The result as an image: uint8, (height, width, 3), RGB."""
        raise NotImplementedError

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write `plot` to a file, or as a PNG into an existing folder; return the path.

        Raises:
            UserError: if the suffix is unknown, or the file cannot be written.
        """
        path = path_of(path, "path")
        if path.is_dir():
            path /= f"{Path(self.image.name).stem}.png"
        write_image(path, self.plot())
        return path


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Explanation(Plotted):
    """A model's predictions at one point of an image.

    Attributes:
        image: the image.
        class_names: the model's class names, by class id.
        conf: the confidence threshold.
        details: the predictions at the point and the outcomes of its boxes.
    """

    image: Image
    class_names: tuple[str, ...]
    conf: float
    details: CellExplanation | RegionExplanation

    def __repr__(self) -> str:
        x, y = self.details.point
        kept = [self.class_names[outcome.class_id] for outcome in self.details.outcomes if outcome.kept]
        return f"<Explanation {self.image.name} at {x:g},{y:g}: {', '.join(kept) or 'nothing'}>"

    def to_dict(self) -> dict[str, Any]:
        """The explanation as plain data, with class names beside class ids."""
        values = asdict(self.details)
        entries = [entry for name in ("predictions", "best", "outcomes") for entry in values.get(name, ())]
        for entry in entries:
            entry["class_name"] = self.class_names[entry["class_id"]]
            if "scores" in entry:
                entry["scores"] = dict(zip(self.class_names, entry["scores"], strict=True))
        return {"image": self.image.name, **values}

    def to_text(self) -> str:
        """The explanation for people."""
        lines = explanation_text(self.details, self.image.name, self.class_names, self.conf)
        return "".join(f"{line}\n" for line in lines)

    def plot(self) -> NDArray[np.uint8]:
        """Grids or regions, and the boxes before and after suppression: uint8, (height, width, 3), RGB."""
        return draw_explanation(self.image, self.details, self.class_names)
