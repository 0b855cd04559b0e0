"""Tables for people on stdout: as wide as the terminal, in colours where it has them."""

from __future__ import annotations

import os
import shutil
import sys
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import click

from yolo_cli.text import columns

if TYPE_CHECKING:
    from yolo_cli.pipeline import Outcome

__all__ = ["detection_table", "table", "terminal_width"]

_TITLES = ("image", "found", "confidence", "left", "top", "right", "bottom")
_FAILED, _NOTHING = "could not be read", "nothing"


def terminal_width() -> int | None:
    """Characters of a line on stdout; None if it is not a terminal."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def table(
    rows: Sequence[Sequence[str]], left: Container[int] = (0,), colours: Mapping[str, str] | None = None
) -> str:
    """Rows as `columns` has them, for stdout.

    Args:
        rows: the titles and what is below them.
        left: places of the columns that are aligned to the left, and wrapped if need be.
        colours: the colour of each cell that has one, by its text.
    """
    coloured = sys.stdout.isatty() and not os.environ.get("NO_COLOR")

    def paint(row: int, at: int, cell: str) -> str:
        colour, words = (colours or {}).get(rows[row][at]), cell.strip()
        if not words or not (colour or row == 0):
            return cell
        return cell.replace(words, click.style(words, bold=row == 0 or None, fg=colour))

    plain = [[" ".join(cell.split()) for cell in row] for row in rows]  # a name may hold a line break
    return columns(plain, left=left, width=terminal_width(), paint=paint if coloured else None)


def detection_table(outcomes: Iterable[Outcome], class_names: Sequence[str]) -> str:
    """One row a box, the image's name in its first row; below it, how many there are of each class."""
    counts: Counter[str] = Counter()
    rows: list[Sequence[str]] = [_TITLES]
    for outcome in outcomes:
        rows += _rows(outcome, class_names)
        counts.update(class_names[number] for number in outcome.detections.class_id)
    total = ", ".join(f"{name} {count}" for name, count in counts.most_common())
    return table(rows, (0, 1), {_FAILED: "red", _NOTHING: "bright_black"}) + (f"\n{total}\n" if total else "")


def _rows(outcome: Outcome, class_names: Sequence[str]) -> Iterator[list[str]]:
    """The rows of one image: at least one."""
    found = outcome.detections
    if not len(found):
        yield [outcome.name, _FAILED if outcome.error else _NOTHING, *[""] * 5]
    for index in range(len(found)):
        name = "" if index else outcome.name
        edges = (f"{edge:.0f}" for edge in found.xyxy[index])
        yield [name, class_names[found.class_id[index]], f"{found.confidence[index]:.2f}", *edges]
