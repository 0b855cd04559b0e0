"""Compare several detectors on the same images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from yolo_cli.comparison.entries import ENTRIES, Entry
from yolo_cli.comparison.measure import TIME_LIMIT, ComparisonRow, Measured, measure
from yolo_cli.comparison.page import write_page
from yolo_cli.datasets import Dataset

__all__ = ["Comparison", "compare"]


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """The measurements of several detectors.

    Attributes:
        data: the images, and the ground truth if it has class names.
        measured: measurements of each detector, in the order of the entries.
    """

    data: Dataset
    measured: tuple[Measured, ...]

    @property
    def rows(self) -> tuple[ComparisonRow, ...]:
        """The figures of each detector."""
        return tuple(one.row for one in self.measured)

    def to_dict(self) -> dict[str, Any]:
        """The figures as plain data."""
        return {"images": len(self.data), "detectors": [asdict(row) for row in self.rows]}

    def write_page(self, path: Path) -> None:
        """Write the comparison as one self-contained HTML file.

        Raises:
            DataError: if it cannot be written.
        """
        title = f"From the sliding window to YOLO: {len(self.data)} images of {self.data.root.name}"
        write_page(path, self.measured, self.data, title)


def compare(
    data: Dataset,
    entries: Sequence[Entry] = ENTRIES,
    *,
    time_limit: float = TIME_LIMIT,
    started: Callable[[Entry], None] = lambda _: None,
    finished: Callable[[ComparisonRow], None] = lambda _: None,
) -> Comparison:
    """Measure one detector after the other on the same images.

    Args:
        data: the images, from `open_images`.
        entries: the detectors.
        time_limit: seconds after which a detector begins no further image.
        started: called with each entry before it is measured.
        finished: called with the figures of each.

    Raises:
        UserError: if a model is missing, or an image cannot be read.
    """
    measured = []
    for entry in entries:
        started(entry)
        measured.append(measure(entry, data, time_limit=time_limit))
        finished(measured[-1].row)
    return Comparison(data, tuple(measured))
