"""Outcomes on disk, image by image, so that an interrupted run can be resumed.

The file is NDJSON: a header with the model and options, then one line per image:
``{"image": …, "boxes": [[x1, y1, x2, y2], …], "confidence": […], "class_id": […]}``, with ``keypoints`` where
there are some, or ``{"image": …, "error": …}``. Numbers are written exactly.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self, TextIO

import numpy as np
from numpy.typing import NDArray

from yolo_cli.detections import Detections
from yolo_cli.errors import DataError, unreadable
from yolo_cli.files import atomic_write_text, unwritable
from yolo_cli.pipeline.outcome import Outcome

__all__ = ["Journal"]


class Journal:
    """A file of outcomes, flushed after each; images and times are not stored.

    Attributes:
        done: the outcomes that were in the file when it was opened, by image.
    """

    def __init__(self, file: TextIO, done: Mapping[str, Outcome], path: Path) -> None:
        self._file, self._path = file, path
        self.done = done

    @classmethod
    def start(cls, path: Path, header: Mapping[str, Any]) -> Self:
        """Begin a new file with a header.

        Raises:
            DataError: if it cannot be written.
        """
        atomic_write_text(path, _line(header))
        return cls(_open(path, "a"), {}, path)

    @classmethod
    def resume(cls, path: Path, header: Mapping[str, Any]) -> Self:
        """Continue a file. An incomplete last line is dropped.

        Raises:
            DataError: if there is no such file, or its header differs: another model, or other options.
        """
        try:
            lines = path.read_bytes().split(b"\n")
        except OSError as fault:
            raise unreadable(path, fault, "there is nothing to resume") from fault
        whole = lines[:-1]  # the part after the last newline is incomplete
        _check_header(path, whole[0] if whole else b"", header)
        done = {outcome.name: outcome for outcome in _outcomes(path, whole[1:])}
        file = _open(path, "r+")
        file.truncate(sum(len(line) + 1 for line in whole))
        file.seek(0, 2)
        return cls(file, done, path)

    def add(self, outcome: Outcome) -> None:
        """Append one outcome, and flush.

        Raises:
            DataError: if it cannot be written.
        """
        if outcome.error is not None:
            self._write({"image": outcome.name, "error": outcome.error})
            return
        found = outcome.detections
        self._write(
            {
                "image": outcome.name,
                "boxes": found.xyxy.tolist(),
                "confidence": found.confidence.tolist(),
                "class_id": found.class_id.tolist(),
                **({} if found.keypoints is None else {"keypoints": found.keypoints.tolist()}),
            }
        )

    def _write(self, value: Mapping[str, Any]) -> None:
        try:
            self._file.write(_line(value))
            self._file.flush()
        except OSError as fault:
            raise unwritable(self._path, fault) from fault

    def close(self) -> None:
        """Close the file."""
        with suppress(OSError):  # what could not be written was told by `add`
            self._file.close()


def _line(value: Mapping[str, Any]) -> str:
    return json.dumps(value) + "\n"


def _open(path: Path, mode: str) -> TextIO:
    try:
        return path.open(mode, encoding="utf-8", newline="\n")  # type: ignore[return-value]  # text modes only
    except OSError as fault:
        raise unwritable(path, fault) from fault


def _check_header(path: Path, line: bytes, header: Mapping[str, Any]) -> None:
    """Raise DataError unless a first line equals ``header``."""
    try:
        had = json.loads(line)
    except (ValueError, RecursionError):
        had = None
    wanted = json.loads(json.dumps(header))
    if not isinstance(had, dict):
        raise DataError(f"{path}: is not the journal of an evaluation; start again without --resume")
    other = [key for key in wanted if had.get(key) != wanted[key]]
    if other:
        was, now = had.get(other[0]), wanted[other[0]]
        raise DataError(
            f"{path}: was made with {other[0]} {was}, not {now}; use the same options, or leave out --resume"
        )


def _outcomes(path: Path, lines: list[bytes]) -> Iterator[Outcome]:
    """The outcomes in the lines after the header; raises DataError for an invalid line."""
    for number, line in enumerate(lines, start=2):
        try:
            yield _outcome(json.loads(line))
        except (ValueError, KeyError, TypeError, RecursionError):
            raise DataError(f"{path}:{number}: is not an outcome of an image; delete this line") from None


def _outcome(value: Any) -> Outcome:
    if "error" in value:
        return Outcome(str(value["image"]), Detections(), str(value["error"]))
    found = Detections(
        np.array(value["boxes"], np.float32).reshape(-1, 4),
        np.array(value["confidence"], np.float32),
        np.array(value["class_id"], np.int64),
        keypoints=_keypoints(value.get("keypoints")),
    )
    return Outcome(value["image"], found)


def _keypoints(value: Any) -> NDArray[np.float32] | None:
    """Key points (N, K, 3), if there are any."""
    if value is None:
        return None
    points = np.array(value, np.float32)
    return points if len(points) else None
