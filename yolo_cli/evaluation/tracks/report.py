"""MOT files → a table of figures: one sequence, or a folder of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any

from yolo_cli.errors import DataError, UsageError
from yolo_cli.evaluation.tracks.figures import TrackFigures, evaluate_tracks
from yolo_cli.text import Jsonable
from yolo_cli.text_table import columns
from yolo_cli.tracks import read_mot

__all__ = ["TrackReport", "evaluate_mot"]

_GATES = ("hota", "det_a", "ass_a", "mota", "idf1")
_TITLES = ("sequence", "HOTA", "DetA", "AssA", "MOTA", "IDF1", "switches", "misses", "false positives")
_SHOWN = ("hota", "det_a", "ass_a", "mota", "idf1", "id_switches", "misses", "false_positives")


@dataclass(frozen=True, slots=True, eq=False)
class TrackReport(Jsonable):
    """The figures of each sequence, and of all together.

    Attributes:
        sequences: the figures of each, by name.
    """

    sequences: Mapping[str, TrackFigures]

    @property
    def overall(self) -> TrackFigures:
        """All sequences as if they were one: large ones count more."""
        return reduce(add, self.sequences.values())

    def to_dict(self) -> dict[str, Any]:
        """What ``yolo eval --mot --format json`` prints."""
        each = [{"sequence": name, **figures.to_dict()} for name, figures in self.sequences.items()]
        return {**self.overall.to_dict(), "sequences": each}

    def to_text(self) -> str:
        """A table with a row for each sequence, and one for all if there are several."""
        rows = {**self.sequences, **({"all": self.overall} if len(self.sequences) > 1 else {})}
        return columns([_TITLES, *([name, *_cells(figures)] for name, figures in rows.items())])

    @property
    def gates(self) -> dict[str, float | None]:
        """The figures that ``--fail-under`` may name, of all sequences."""
        figures = self.overall.to_dict()
        return {name: figures[name] for name in _GATES}


def _cells(figures: TrackFigures) -> list[str]:
    values = figures.to_dict()
    return [f"{values[name]:.3f}" if name in _GATES else f"{values[name]}" for name in _SHOWN]


def evaluate_mot(ground_truth: Path, tracks: Path) -> TrackReport:
    """Evaluate MOT files.

    Args:
        ground_truth: a file; or a folder with one ``NAME.txt``, or ``NAME/gt/gt.txt`` as MOTChallenge has
            it, for each sequence.
        tracks: a file; or a folder with a ``NAME.txt`` for each sequence.

    Raises:
        UserError: if a file cannot be read or is missing, or the ground truth holds no box.
    """
    pairs = _pairs(ground_truth, tracks)
    return TrackReport({name: _evaluate(*files) for name, files in pairs.items()})


def _evaluate(ground_truth: Path, tracks: Path) -> TrackFigures:
    boxes = read_mot(ground_truth)
    if not len(boxes):
        raise DataError(f"{ground_truth}: holds no box that counts; give the ground truth of a video")
    return evaluate_tracks(boxes, read_mot(tracks))


def _pairs(ground_truth: Path, tracks: Path) -> dict[str, tuple[Path, Path]]:
    """The two files of each sequence, by its name."""
    if ground_truth.is_dir() != tracks.is_dir():
        raise UsageError(f"{ground_truth} and {tracks}: give two files, or two folders")
    if not ground_truth.is_dir():
        return {tracks.stem: (ground_truth, tracks)}
    found = {path.parents[1].name: path for path in sorted(ground_truth.glob("*/gt/gt.txt"))}
    found |= {path.stem: path for path in sorted(ground_truth.glob("*.txt"))}
    if not found:
        raise DataError(f"{ground_truth}: holds no NAME.txt and no NAME/gt/gt.txt")
    missing = [name for name in found if not (tracks / f"{name}.txt").is_file()]
    if missing:
        raise DataError(f"{tracks}: has no {missing[0]}.txt for that sequence of {ground_truth}")
    return {name: (path, tracks / f"{name}.txt") for name, path in found.items()}
