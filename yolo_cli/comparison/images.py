"""The images of a comparison: a data set, or a folder of images without labels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from yolo_cli.datasets import UNSPLIT, Dataset, Sample, open_dataset, usable_part
from yolo_cli.datasets.usable import Say
from yolo_cli.errors import DataError, UsageError
from yolo_cli.files import find_files
from yolo_cli.images import SUFFIXES

__all__ = ["choose_images", "open_images"]


def open_images(
    path: str, split: str | None = None, limit: int | None = None, say: Say = lambda _: None
) -> Dataset:
    """The readable images at ``path``. Without labels, the data set has no class names and no boxes.

    Args:
        path: a data set, or a folder of images.
        split: the split to use; None means ``val`` if there is one, else all images.
        limit: maximum number of images, evenly spaced.
        say: called with one line about each kind of thing that is left out or repaired.

    Raises:
        DataError: if there are no images, or the data set cannot be used.
        UsageError: if there is no such split, or the limit is not positive.
    """
    _check_limit(limit)
    chosen = choose_images(_opened(path), split, limit)
    usable = usable_part(chosen, say, path)
    if not usable.samples:
        raise DataError(f"{path}: none of its {len(chosen)} images can be used; `yolo lint` says why")
    return usable


def choose_images(data: Dataset, split: str | None = None, limit: int | None = None) -> Dataset:
    """Like `open_images`, of an opened data set."""
    _check_limit(limit)
    if split or "val" in data.splits:
        data = data.in_split(split or "val")
    count = min(limit or len(data), len(data))
    chosen = tuple(data.samples[place * len(data) // count] for place in range(count))
    return replace(data, samples=chosen)


def _check_limit(limit: int | None) -> None:
    if limit is not None and limit < 1:
        raise UsageError(f"--limit is {limit}, but must be at least 1")


def _opened(path: str) -> Dataset:
    """A data set, or the images of a folder."""
    try:
        found = open_dataset(path)
    except DataError:
        found = _unlabelled(Path(path))
        if not found.samples:
            raise
    return found


def _unlabelled(folder: Path) -> Dataset:
    """The images of a folder as a data set without classes; empty if it is not a folder."""
    paths = map(Path, find_files(folder, SUFFIXES, recursive=False))
    samples = tuple(Sample(path.name, path, UNSPLIT, path.stem, "") for path in paths)
    return Dataset(folder, "yolo", (), samples)
