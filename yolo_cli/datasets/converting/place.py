"""The folder of a new data set, which may replace another data set."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from yolo_cli.datasets.opening import read_dataset
from yolo_cli.datasets.sample import Dataset
from yolo_cli.errors import DataError, UsageError
from yolo_cli.files import atomic_folder, exchange
from yolo_cli.run_folders import check_outside

__all__ = ["new_folder", "replaced_place"]


def replaced_place(out: Path, datasets: Sequence[Dataset]) -> Path:
    """``out``, after checking that it is new, empty, or another data set than the sources.

    Raises:
        UsageError: if it is not.
    """
    check_outside(out, [dataset.root for dataset in datasets])
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return out
    real = out.resolve()
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
    if not place.is_dir() or not any(place.iterdir()):
        with atomic_folder(place) as draft:
            yield draft
        return
    fresh = place.with_name(f".{place.name[:32]}.new-{os.getpid()}")
    with atomic_folder(fresh) as draft:
        yield draft
    try:
        exchange(fresh, place)
    except OSError as fault:
        raise DataError(
            f"{place}: cannot be replaced: {fault.strerror}; the new folder is {fresh}"
        ) from fault
    shutil.rmtree(fresh, ignore_errors=True)
