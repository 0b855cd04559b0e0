"""Tables for people on stdout: as wide as the terminal, in colours where it has them."""

from __future__ import annotations

import os
import shutil
import sys
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from yolo_cli.cli.terminal import shown
from yolo_cli.text_table import columns

if TYPE_CHECKING:
    from yolo_cli.pipeline import Outcome

__all__ = ["detection_table", "table", "terminal_width", "video_table"]

_TITLES = ("image", "found", "confidence", "left", "top", "right", "bottom")
_VIDEO_TITLES = ("video", "found", "frames", "most at once", "first", "last")
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

    plain = [[shown(" ".join(cell.split())) for cell in row] for row in rows]  # a name may hold a line break
    return columns(plain, left=left, width=terminal_width(), paint=paint if coloured else None)


def detection_table(outcomes: Iterable[Outcome], class_names: Sequence[str]) -> str:
    """One row a box, the image's name in its first row; below it, how many there are of each class."""
    counts: Counter[str] = Counter()
    rows: list[Sequence[str]] = [_TITLES]
    for outcome in outcomes:
        rows += _rows(outcome, class_names)
        counts.update(class_names[number] for number in outcome.detections.class_id)
    total = shown(", ".join(f"{name} {count}" for name, count in counts.most_common()))
    return table(rows, (0, 1), {_FAILED: "red", _NOTHING: "bright_black"}) + (f"\n{total}\n" if total else "")


def video_table(outcomes: Iterable[Outcome], class_names: Sequence[str]) -> str:
    """One row a class and video: in how many frames, how many at once, from which second to which.

    It does not grow with the number of frames. A video that ends early has its rows.
    """
    seen: dict[str, dict[int, _Seen]] = {}
    failed: list[str] = []
    for outcome in outcomes:
        if outcome.image is None:
            failed.append(outcome.name)
            continue
        frame = outcome.image.frame
        classes = seen.setdefault(frame.video if frame else outcome.name, {})
        for class_id, number in Counter(outcome.detections.class_id.tolist()).items():
            classes.setdefault(class_id, _Seen()).add(number, frame.time_s if frame else None)
    rows: list[Sequence[str]] = [_VIDEO_TITLES]
    for name, classes in seen.items():
        found = [(class_names[key], *each.cells()) for key, each in classes.items()]
        rows += [("" if at else name, *cells) for at, cells in enumerate(found or [(_NOTHING, *[""] * 4)])]
    rows += [(name, _FAILED, *[""] * 4) for name in failed if name not in seen]
    return table(rows, (0, 1), {_FAILED: "red", _NOTHING: "bright_black"})


@dataclass(slots=True)
class _Seen:
    """A class in a video: its frames, the most in one of them, and their first and last time."""

    frames: int = 0
    most: int = 0
    first_s: float | None = None
    last_s: float | None = None

    def add(self, number: int, time_s: float | None) -> None:
        self.frames += 1
        self.most = max(self.most, number)
        self.first_s = time_s if self.first_s is None else self.first_s
        self.last_s = time_s

    def cells(self) -> tuple[str, ...]:
        times = ("" if time_s is None else f"{time_s:.1f} s" for time_s in (self.first_s, self.last_s))
        return str(self.frames), str(self.most), *times


def _rows(outcome: Outcome, class_names: Sequence[str]) -> Iterator[list[str]]:
    """The rows of one image: at least one."""
    found = outcome.detections
    if not len(found):
        yield [outcome.name, _FAILED if outcome.error else _NOTHING, *[""] * 5]
    for index in range(len(found)):
        name = "" if index else outcome.name
        edges = (f"{edge:.0f}" for edge in found.xyxy[index])
        yield [name, class_names[found.class_id[index]], f"{found.confidence[index]:.2f}", *edges]
