"""Anchor files: the box sizes that a network's heads scale.

A file of anchors is YAML::

    name: yolov3-tiny
    imgsz: 416
    source: origin
    anchors:        # width, height in pixels of an image whose longer side is imgsz pixels
      - [10, 14]
      - [23, 27]

Their order is that of the model's heads; fitted anchors are sorted by area, smallest first.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from yolo_cli.config import bundled
from yolo_cli.errors import DataError, UsageError
from yolo_cli.files import atomic_write_text, make_folder
from yolo_cli.text import read_yaml

__all__ = ["MOST_ANCHORS", "Anchors", "known_anchors", "read_anchors", "write_anchors"]

Floats = NDArray[np.floating[Any]]

MOST_ANCHORS = 100


@dataclass(frozen=True, slots=True, eq=False)
class Anchors:
    """Box sizes with the image size that they are meant for.

    Attributes:
        wh: float64, (K, 2): width and height in pixels at ``imgsz``.
        imgsz: the longer side of the network's input in pixels.
        name: their name.
        source: their origin.

    Raises:
        ValueError: if ``wh`` is not a (K, 2) array of positive finite numbers.
    """

    wh: Floats
    imgsz: int = 416
    name: str = "anchors"
    source: str = ""

    def __post_init__(self) -> None:
        wh = self.wh
        if wh.ndim != 2 or wh.shape[1] != 2 or not len(wh) or not (np.isfinite(wh).all() and (wh > 0).all()):
            raise ValueError(f"wh must be positive finite numbers of shape (K, 2), not {wh.shape}")

    def at(self, imgsz: int) -> Floats:
        """The sizes (K, 2) in pixels, rescaled to another input size."""
        return self.wh * (imgsz / self.imgsz)


def known_anchors() -> tuple[str, ...]:
    """The names of the bundled anchors."""
    return tuple(sorted(path.stem for path in bundled("anchors").glob("*.yaml")))


def read_anchors(name_or_path: str | os.PathLike[str]) -> Anchors:
    """Read bundled anchors by name, or a file of anchors.

    Raises:
        UsageError: if there is neither.
        DataError: if the file is not a file of anchors.
    """
    path = Path(name_or_path)
    if not path.is_file() and path.name == str(name_or_path):
        path = bundled("anchors") / f"{name_or_path}.yaml"
    if not path.is_file():
        names = ", ".join(known_anchors())
        raise UsageError(f"{name_or_path}: no such anchors; give a file, or one of {names}")
    return _checked(read_yaml(path), path)


def write_anchors(path: str | os.PathLike[str], anchors: Anchors) -> None:
    """Write a file of anchors, atomically. Sizes are rounded to two decimals.

    Raises:
        DataError: if the file cannot be written.
    """
    path = Path(path)
    rows = "".join(f"  - [{_brief(w)}, {_brief(h)}]\n" for w, h in anchors.wh)
    head = yaml.safe_dump(
        {"name": anchors.name, "imgsz": anchors.imgsz, "source": anchors.source},
        sort_keys=False,
        allow_unicode=True,
    )
    comment = f"# width, height in pixels of an image whose longer side is {anchors.imgsz} pixels"
    make_folder(path.parent)
    atomic_write_text(path, f"{head}anchors:  {comment}\n{rows}")


def _checked(keys: Any, path: Path) -> Anchors:
    """The anchors of a parsed YAML file; raises DataError naming what is missing."""
    rows = keys.get("anchors") if isinstance(keys, dict) else None
    size = keys.get("imgsz", 416) if isinstance(keys, dict) else None
    if not isinstance(rows, list) or not 1 <= len(rows) <= MOST_ANCHORS or not all(map(_is_pair, rows)):
        raise DataError(f"{path}: needs 'anchors:' with a line '- [width, height]', both above 0, for each")
    if not isinstance(size, int) or isinstance(size, bool) or not 1 <= size <= 100_000:
        raise DataError(f"{path}: imgsz must be the network's size in pixels, such as 416")
    return Anchors(np.array(rows, float), size, str(keys.get("name", path.stem)), str(keys.get("source", "")))


def _is_pair(row: Any) -> bool:
    """Whether a row is a width and a height."""
    return (
        isinstance(row, list)
        and len(row) == 2
        and all(
            isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < 1e6
            for value in row
        )
    )


def _brief(value: float) -> str:
    """A size with at most two decimals, but never 0."""
    return f"{max(value, 0.01):.2f}".rstrip("0").rstrip(".")
