"""Boxes that bear the id of the object that they show, over frames; and the text form of MOTChallenge."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.boxes import xyxy_to_xywh
from yolo_cli.errors import DataError
from yolo_cli.text import read_lines, shorten

__all__ = ["Tracks", "joined_tracks", "mot_text", "read_mot"]

Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.integer[Any]]
Bools = NDArray[np.bool_]

_LARGEST = 2**53  # every smaller integer is exact as a float
_ONE_BASED = np.array([1.0, 1.0, 0.0, 0.0])  # MOTChallenge counts pixels from 1


@dataclass(frozen=True, slots=True, eq=False)
class Tracks:
    """Boxes with the object that each shows, of one frame or of many.

    Attributes:
        frame: integer, (N,), the number of the frame, from 0.
        track_id: integer, (N,), the same for the same object; once in a frame.
        xyxy: float, (N, 4), pixels of the upright original.
        confidence: float, (N,), in [0, 1]; 1 where none is known.
        class_id: integer, (N,), an index into the detector's ``class_names``.

    Raises:
        ValueError: if the arrays have different lengths.
    """

    frame: Integers = field(default_factory=lambda: np.zeros(0, np.int64))
    track_id: Integers = field(default_factory=lambda: np.zeros(0, np.int64))
    xyxy: Floats = field(default_factory=lambda: np.zeros((0, 4), np.float32))
    confidence: Floats = field(default_factory=lambda: np.zeros(0, np.float32))
    class_id: Integers = field(default_factory=lambda: np.zeros(0, np.int64))

    def __post_init__(self) -> None:
        count = len(self.frame)
        shapes = [array.shape for array in (self.frame, self.track_id, self.confidence, self.class_id)]
        if self.xyxy.shape != (count, 4) or any(shape != (count,) for shape in shapes):
            raise ValueError(f"{shapes} and {self.xyxy.shape} do not fit together")

    def __len__(self) -> int:
        return len(self.frame)

    def __getitem__(self, index: slice | Integers | Bools) -> Tracks:
        """The boxes at ``index``: a slice, integer positions (K,) or a mask (N,)."""
        return Tracks(
            self.frame[index],
            self.track_id[index],
            self.xyxy[index],
            self.confidence[index],
            self.class_id[index],
        )


def joined_tracks(parts: Sequence[Tracks]) -> Tracks:
    """The boxes of all ``parts``, in their order."""
    parts = parts or [Tracks()]
    return Tracks(
        np.concatenate([part.frame for part in parts]),
        np.concatenate([part.track_id for part in parts]),
        np.concatenate([part.xyxy for part in parts]),
        np.concatenate([part.confidence for part in parts]),
        np.concatenate([part.class_id for part in parts]),
    )


def read_mot(path: Path) -> Tracks:
    """Read MOTChallenge's text: lines of ``frame,id,left,top,width,height[,confidence,…]``.

    Frames and pixels are counted from 1 there. Rows with the confidence 0 are left out: in ground truth it
    marks boxes that are ignored. A confidence below 0 means that there is none. The class is not read:
    files differ in what their eighth column is.

    Returns:
        Boxes in float64, in the order of the lines, with the class 0.

    Raises:
        DataError: if the file cannot be read, a line is not of this form, or an id occurs twice in a frame.
    """
    lines = enumerate(read_lines(path), start=1)
    rows = [_row(f"{path}: line {number}", line) for number, line in lines if line.strip()]
    table = np.array(rows, float).reshape(-1, 7)  # (N, 7)
    table = table[table[:, 6] != 0]
    frame, track_id = table[:, :2].astype(np.int64).T  # (N,) each
    _check_unique(path, frame, track_id)
    corner = table[:, 2:4] - _ONE_BASED[:2]  # (N, 2)
    xyxy = np.concatenate([corner, corner + table[:, 4:6]], axis=1)  # (N, 4)
    confidence = np.where(table[:, 6] < 0, 1.0, table[:, 6])  # (N,)
    return Tracks(frame - 1, track_id, xyxy, confidence, np.zeros(len(table), np.int64))


def _row(where: str, line: str) -> list[float]:
    """Frame, id, left, top, width, height and confidence of a line."""
    words = line.replace(",", " ").split()
    try:
        values = [float(word) for word in words[:7]]
    except ValueError:
        raise DataError(f"{where}: '{shorten(line)}' is not a row of numbers with commas between") from None
    if len(values) < 6:
        raise DataError(f"{where}: has {len(values)} columns, but needs frame,id,left,top,width,height")
    if not all(math.isfinite(value) and abs(value) < _LARGEST for value in values):
        raise DataError(f"{where}: '{shorten(line)}' holds a number out of range")
    if values[0] < 1 or values[0] % 1 or values[1] % 1:
        raise DataError(f"{where}: frame {words[0]} and id {words[1]} must be integers, the frame from 1")
    return [*values, -1.0][:7]


def _check_unique(path: Path, frame: Integers, track_id: Integers) -> None:
    """Raise DataError if an id occurs twice in a frame."""
    pairs, counts = np.unique(np.stack([frame, track_id]), axis=1, return_counts=True)
    if counts.max(initial=0) > 1:
        number, name = pairs[:, counts.argmax()].tolist()
        raise DataError(f"{path}: frame {number} has the id {name} twice; give each object its own")


def mot_text(tracks: Tracks) -> str:
    r"""Lines of MOTChallenge's text, as `read_mot` reads them; edges to 0.01 pixels.

    >>> box = np.float32([[0, 10, 30, 50]])
    >>> one = Tracks(np.array([0]), np.array([7]), box, np.float32([0.9]), np.array([2]))
    >>> mot_text(one)
    '1,7,1.00,11.00,30.00,40.00,0.9000,-1,-1,-1\n'
    """
    boxes = xyxy_to_xywh(tracks.xyxy) + _ONE_BASED  # (N, 4)
    columns: Iterable[Any] = zip(
        (tracks.frame + 1).tolist(),
        tracks.track_id.tolist(),
        boxes.tolist(),
        # 0 means "ignored" there.
        np.maximum(tracks.confidence, 0.0001).tolist(),
        strict=True,
    )
    return "".join(
        f"{frame},{name},{','.join(f'{edge:.2f}' for edge in box)},{confidence:.4f},-1,-1,-1\n"
        for frame, name, box, confidence in columns
    )
