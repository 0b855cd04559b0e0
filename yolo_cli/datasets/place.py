"""The folder of a new data set: never in a source, never over anything."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from yolo_cli.datasets.sample import Dataset
from yolo_cli.errors import UsageError

__all__ = ["check_outside", "free_place"]


def free_place(out: Path, datasets: Sequence[Dataset]) -> Path:
    """``out``, after checking that it is new or empty, and outside the data sets.

    Raises:
        UsageError: if it is not.
    """
    check_outside(out, datasets)
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise UsageError(f"{out}: exists and is not empty; name another folder")
    return out


def check_outside(out: Path, datasets: Sequence[Dataset]) -> None:
    """Raise UsageError if a folder is in a data set."""
    real = out.resolve()
    if any(real.is_relative_to(dataset.root.resolve()) for dataset in datasets):
        raise UsageError(f"{out}: is in the data set, which is never written to; name a folder outside")
