"""Anchors fitted to a data set: as data, as text and drawn."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.anchors.drawing import draw_anchors
from yolo_cli.anchors.kmeans import anchor_figures
from yolo_cli.anchors.sizes import Anchors, write_anchors
from yolo_cli.errors import UsageError
from yolo_cli.files import path_of
from yolo_cli.images import write_image
from yolo_cli.text import Jsonable, counted
from yolo_cli.text_table import columns

__all__ = ["FittedAnchors"]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FittedAnchors(Jsonable):
    """Anchors fitted to the boxes of a data set, beside those they are compared with.

    Attributes:
        anchors: the fitted anchors.
        present: the anchors to compare with.
        wh: the boxes (N, 2): width and height in pixels at ``anchors.imgsz``.
        data: the path of the data set.
        content_hash: of the data that was used.
        images: number of images.
    """

    anchors: Anchors
    present: Anchors
    wh: NDArray[np.float64]
    data: str
    content_hash: str
    images: int

    def __repr__(self) -> str:
        figures = anchor_figures(self.wh, self.anchors.wh)
        return f"<FittedAnchors {self.anchors.name}: mean IoU {figures['mean_iou']:.3f}>"

    def to_dict(self) -> dict[str, Any]:
        """The anchors and how well they fit, as plain data."""
        imgsz = self.anchors.imgsz
        return {
            "data": self.data,
            "content_hash": self.content_hash,
            "images": self.images,
            "boxes": len(self.wh),
            "imgsz": imgsz,
            "anchors": [[round(w, 2), round(h, 2)] for w, h in self.anchors.wh.tolist()],
            **anchor_figures(self.wh, self.anchors.wh),
            "present": {"name": self.present.name, **anchor_figures(self.wh, self.present.at(imgsz))},
        }

    def to_text(self) -> str:
        """The anchors and how well they fit, for people."""
        values = self.to_dict()
        present = values["present"]
        boxes, images = counted(len(self.wh), "box"), counted(self.images, "image")
        head = f"{boxes} on {images}, at {self.anchors.imgsz} pixels"
        sizes = [("width", "height"), *((f"{w:.1f}", f"{h:.1f}") for w, h in values["anchors"])]
        figures = [("", "mean IoU", "best possible recall")] + [
            (name, f"{row['mean_iou']:.3f}", f"{row['best_possible_recall']:.3f}")
            for name, row in (("these", values), (f"present ({present['name']})", present))
        ]
        pairs = ",  ".join(f"{w:.0f},{h:.0f}" for w, h in values["anchors"])
        tables = columns(sizes, left=()), columns(figures)
        return "\n".join([f"{head}\n", *tables, f"in a Darknet cfg: anchors = {pairs}\n"])

    def plot(self) -> NDArray[np.uint8]:
        """The boxes and both sets of anchors: uint8, (height, width, 3), RGB."""
        return draw_anchors(self.wh, self.anchors, self.present)

    def save(self, path: str | os.PathLike[str], *, exist_ok: bool = False) -> Path:
        """Write a file of anchors with its `plot` beside it, a .png; return the path.

        Args:
            path: the file; in an existing folder, it is ``anchors.yaml``. If it is called ``.png``, that is
                the plot, with the anchors beside it in a ``.yaml``.
            exist_ok: overwrite existing files.

        Raises:
            UserError: if one of them exists, or cannot be written.
        """
        path = path_of(path, "path")
        path = path / "anchors.yaml" if path.is_dir() else path
        path = path.with_suffix(".yaml") if path.suffix.lower() == ".png" else path
        plot = path.with_suffix(".png")
        for file in (path, plot):
            if file.exists() and not exist_ok:
                raise UsageError(f"--out {path}: {file.name} exists; name another file, or add --exist-ok")
        write_anchors(path, self.anchors)
        write_image(plot, self.plot())
        return path
