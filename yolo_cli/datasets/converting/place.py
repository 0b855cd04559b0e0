"""The folder of a new data set: never in a source, never over anything but a data set."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from yolo_cli.datasets.opening import read_dataset
from yolo_cli.datasets.sample import Dataset
from yolo_cli.errors import DataError, UsageError
from yolo_cli.files import atomic_folder

__all__ = ["free_place", "new_folder"]


def free_place(out: Path, datasets: Sequence[Dataset], exist_ok: bool = False) -> Path:
    """``out``, after checking that it is free, and neither in a data set nor around one.

    Raises:
        UsageError: if it is not.
    """
    real = out.resolve()
    if any(real.is_relative_to(dataset.root.resolve()) for dataset in datasets):
        raise UsageError(f"{out}: is in the data set, which is never written to; name a folder outside")
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return out
    if not exist_ok:
        raise UsageError(f"{out}: exists and is not empty; name another folder, or add --exist-ok")
    sources = (sample.path for dataset in datasets for sample in dataset.samples)
    if any(path.resolve().is_relative_to(real) for path in sources):
        raise UsageError(f"{out}: holds images of the data set, which is never written to")
    try:
        read_dataset(out)
    except DataError:
        raise UsageError(f"{out}: is not a data set, so it is not replaced; name another folder") from None
    return out


@contextmanager
def new_folder(place: Path) -> Iterator[Path]:
    """A temporary folder that replaces ``place`` when the block ends, and is removed on failure.

    Raises:
        DataError: if the folder, or a file in it, cannot be written.
    """
    old = place.with_name(f".{place.name[:100]}.replaced")
    if not place.is_dir() or not any(place.iterdir()):
        with atomic_folder(place) as draft:
            yield draft
        return
    fresh = place.with_name(f".{place.name[:100]}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    with atomic_folder(fresh) as draft:
        yield draft
    place.rename(old)
    fresh.rename(place)
    shutil.rmtree(old, ignore_errors=True)
