"""Anchors for a data set: `fit_anchors`."""

from __future__ import annotations

import os
from collections.abc import Callable

from yolo_cli import anchors
from yolo_cli.anchors.result import FittedAnchors
from yolo_cli.config import DEFAULT_ANCHORS
from yolo_cli.datasets import Dataset, open_usable
from yolo_cli.errors import UsageError
from yolo_cli.files import path_of
from yolo_cli.text import counted

__all__ = ["fit_anchors"]


def fit_anchors(  # noqa: PLR0913 - options by name only
    data: str | os.PathLike[str] | Dataset,
    k: int = 6,
    *,
    imgsz: int = 416,
    against: str | os.PathLike[str] = DEFAULT_ANCHORS,
    starts: int = 10,
    seed: int = 0,
    say: Callable[[str], object] = lambda _: None,
) -> FittedAnchors:
    """Fit anchors to the boxes of a data set. Nothing is saved; the result can be.

    Args:
        data: the data set; with splits, only ``train`` is used.
        k: number of anchors.
        imgsz: longer side of the network's input in pixels.
        against: anchors to compare with: a name or a file.
        starts: random starts of k-means.
        seed: random seed.
        say: called with one line about each kind of thing in the data that is left out or repaired.

    Raises:
        UserError: if the data cannot be used, or an option is out of range.
    """
    if not 32 <= imgsz <= 4096:
        raise UsageError(f"imgsz is {imgsz}, but must be between 32 and 4096")
    present = anchors.read_anchors(path_of(against, "against"))
    dataset = data if isinstance(data, Dataset) else open_usable(path_of(data, "data"), say, decode=False)
    part = dataset.in_split("train") if "train" in dataset.splits else dataset
    wh = part.box_sizes(imgsz)  # (N, 2)
    sizes = anchors.fit_anchors(wh, k, seed=seed, starts=starts)  # (k, 2)
    name, digest = part.root.name, part.content_hash
    source = f"yolo anchors: {counted(len(wh), 'box')} of {name}, data {digest[:12]}, seed {seed}"
    fitted = anchors.Anchors(sizes, imgsz, f"{name}-{k}", source)
    return FittedAnchors(fitted, present, wh, str(part.location), digest, len(part))
