"""Compare several detectors on the same images."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from yolo_cli.comparison.entries import ENTRIES, Entry
from yolo_cli.comparison.measure import CONFIG, TIME_LIMIT, ComparisonRow, Measured, measure
from yolo_cli.comparison.page import write_page
from yolo_cli.config import DetectConfig
from yolo_cli.datasets import Dataset
from yolo_cli.files import path_of
from yolo_cli.text import Jsonable, counted
from yolo_cli.text_table import columns

__all__ = ["Comparison", "compare"]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Comparison(Jsonable):
    """The measurements of several detectors.

    Attributes:
        data: the images, and the ground truth if it has class names.
        measured: measurements of each detector, in the order of the entries.
    """

    data: Dataset
    measured: tuple[Measured, ...]

    def __repr__(self) -> str:
        names = ", ".join(row.name for row in self.rows)
        return f"<Comparison of {names} on {counted(len(self.data), 'image')} of {self.data.root.name}>"

    @property
    def rows(self) -> tuple[ComparisonRow, ...]:
        """The figures of each detector."""
        return tuple(one.row for one in self.measured)

    def to_dict(self) -> dict[str, Any]:
        """The figures as plain data."""
        data = {"data": str(self.data.location), "images": len(self.data)}
        return {**data, "detectors": [asdict(row) for row in self.rows]}

    def to_text(self) -> str:
        """The figures as a table for people."""
        return _table(self.rows)

    def write_page(self, path: str | os.PathLike[str]) -> None:
        """Write the comparison as one self-contained HTML file.

        Raises:
            DataError: if it cannot be written.
        """
        title = (
            f"From the sliding window to YOLO: {counted(len(self.data), 'image')} of {self.data.root.name}"
        )
        write_page(path_of(path, "path"), self.measured, self.data, title)


def compare(
    data: Dataset,
    entries: Sequence[Entry] = ENTRIES,
    *,
    time_limit: float = TIME_LIMIT,
    config: DetectConfig = CONFIG,
    started: Callable[[Entry], None] = lambda _: None,
    finished: Callable[[ComparisonRow], None] = lambda _: None,
) -> Comparison:
    """Measure one detector after the other on the same images.

    Args:
        data: the images, from `open_images`.
        entries: the detectors.
        time_limit: seconds after which a detector begins no further image.
        config: thresholds and limits.
        started: called with each entry before it is measured.
        finished: called with the figures of each.

    Raises:
        UserError: if a model is missing, or an image cannot be read.
    """
    measured = []
    for entry in entries:
        started(entry)
        measured.append(measure(entry, data, config=config, time_limit=time_limit))
        finished(measured[-1].row)
    return Comparison(data, tuple(measured))


def _table(rows: Sequence[ComparisonRow]) -> str:
    """The figures for people: times in milliseconds per image, multiply-accumulates in billions."""
    title = ("detector", "mAP50", "recall", "regions", "propose", "classify", "suppress", "MACs", "images")
    body = [
        (
            row.name,
            _figure(row.map50),
            _figure(row.recall),
            f"{row.regions:,.0f}",
            f"{row.propose_ms:,.1f} ms",
            f"{row.classify_ms:,.1f} ms",
            f"{row.suppress_ms:,.1f} ms",
            f"{row.multiply_accumulates / 1e9:,.2f} G",
            f"{row.images}" if row.finished else f"{row.images} (time limit)",
        )
        for row in rows
    ]
    return columns([title, *body])


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
