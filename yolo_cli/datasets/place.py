"""The folder of a new data set: never in a source, never over anything."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from yolo_cli.datasets.sample import Dataset
from yolo_cli.errors import UsageError
from yolo_cli.run_folders import check_outside

__all__ = ["free_place"]


def free_place(out: Path, datasets: Sequence[Dataset]) -> Path:
    """``out``, after checking that it is new or empty, and outside the data sets.

    Raises:
        UsageError: if it is not.
    """
    check_outside(out, [dataset.root for dataset in datasets])
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise UsageError(f"{out}: exists and is not empty; name another folder")
    return out
