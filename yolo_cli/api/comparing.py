"""Several detectors on the same images: `compare`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any, TypedDict, Unpack

from yolo_cli import comparison
from yolo_cli.api.detection import config_with
from yolo_cli.api.options import check_options
from yolo_cli.comparison import CONFIG, ENTRIES, Comparison, ComparisonRow, Entry, choose_entries
from yolo_cli.config import TileSize
from yolo_cli.datasets import Dataset
from yolo_cli.files import path_of

__all__ = ["CompareOptions", "compare"]


class CompareOptions(TypedDict, total=False):
    """The options of ``yolo compare``.

    Attributes:
        split: only this part; else ``val``, or all of an unsplit data set.
        limit: maximum number of images, evenly spaced.
        time_limit: seconds after which a detector begins no further image.
        tile: as in `DetectOptions`.
        tile_overlap: as in `DetectOptions`.
        say: called with one line about each kind of thing in the data that is left out or repaired.
        started: called with each entry before it is measured.
        finished: called with the figures of each.
    """

    split: str | None
    limit: int | None
    time_limit: float
    tile: int | TileSize | None
    tile_overlap: float
    say: Callable[[str], object]
    started: Callable[[Entry], object]
    finished: Callable[[ComparisonRow], object]


def compare(
    data: str | os.PathLike[str] | Dataset,
    detectors: str | Iterable[str | Entry] | None = None,
    **options: Unpack[CompareOptions],
) -> Comparison:
    """Measure one detector after the other on the same images. Nothing is saved; the result can be.

    Args:
        data: a data set, or a folder of images without labels, on which no accuracy is measured.
        detectors: their names, such as ``["sliding window", "R-CNN", "YOLO"]``; None is all.
        **options: see `CompareOptions`: ``split``, ``limit``, ``time_limit``, …

    Raises:
        UserError: if there are no images or no such detector, or a model is not at hand.
    """
    given: dict[str, Any] = {**options}
    check_options(given, CompareOptions)
    split, limit, say = given.pop("split", None), given.pop("limit", None), given.pop("say", lambda _: None)
    entries = ENTRIES if detectors is None else choose_entries(detectors)
    if isinstance(data, Dataset):
        images = comparison.choose_images(data, split, limit)
    else:
        images = comparison.open_images(str(path_of(data, "data")), split, limit, say)
    tiles: dict[str, Any] = {name: given.pop(name) for name in ("tile", "tile_overlap") if name in given}
    return comparison.compare(images, entries, config=config_with(CONFIG, tiles), **given)
