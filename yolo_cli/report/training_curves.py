"""The figures of a training by epoch, from its ``results.csv``."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from yolo_cli.errors import DataError

__all__ = ["TrainingCurves", "read_training_curves"]

_EPOCH = "epoch"


@dataclass(frozen=True, slots=True)
class TrainingCurves:
    """Figures by epoch.

    Attributes:
        epochs: E increasing numbers.
        figures: by name, E values each; NaN if missing.
    """

    epochs: tuple[float, ...]
    figures: Mapping[str, tuple[float, ...]]


def read_training_curves(path: Path) -> TrainingCurves:
    """Read a CSV file with a header. Columns without any number are left out.

    Raises:
        DataError: if the file cannot be read, or has no row of figures.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [{str(key).strip(): value for key, value in row.items()} for row in csv.DictReader(file)]
    except (OSError, UnicodeDecodeError, csv.Error) as fault:
        raise DataError(f"{path}: cannot be read as CSV: {fault}") from fault
    if not rows:
        raise DataError(f"{path}: has no row of figures")
    names = [name for name in rows[0] if name != _EPOCH]
    columns = {name: tuple(_number(row.get(name)) for row in rows) for name in names}
    epochs = tuple(_number(row.get(_EPOCH, str(place))) for place, row in enumerate(rows, start=1))
    some = {name: column for name, column in columns.items() if any(map(math.isfinite, column))}
    return TrainingCurves(epochs, some)


def _number(text: str | None) -> float:
    """A number as text, or NaN."""
    try:
        return float(text or "nan")
    except ValueError:
        return float("nan")
