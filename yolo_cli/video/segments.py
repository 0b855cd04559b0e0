"""Frames → several video files of so many minutes each, of which a power cut takes only the last."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from yolo_cli.errors import UsageError
from yolo_cli.video.writing import VideoWriter

__all__ = ["SegmentWriter"]


class SegmentWriter:
    """Writes ``STEM-001``, ``STEM-002``, …, each as a `VideoWriter` does; one file without a length.

    Args:
        stem: the path without number and suffix.
        rate: frames a second, for frames without a time.
        minutes: the length of a segment by the times of frames; None writes one file.
        sound: the file whose sound is kept; None for none.

    Raises:
        UsageError: if ``minutes`` is out of range.
    """

    def __init__(
        self, stem: Path, rate: float, minutes: float | None = None, sound: Path | None = None
    ) -> None:
        if minutes is not None and not minutes > 0:
            raise UsageError(f"--segment is {minutes:g}, but must be above 0 minutes")
        self._stem, self._rate, self._minutes, self._sound = stem, rate, minutes, sound
        self._writer: VideoWriter | None = None
        self._number, self._frames, self._began_s = 0, 0, 0.0

    def add(self, rgb: NDArray[np.uint8], time_s: float | None = None) -> None:
        """Append a frame, to a new segment if the present one is long enough.

        Raises:
            DataError: if the file cannot be written.
        """
        time_s = self._frames / self._rate if time_s is None else time_s
        self._frames += 1
        if self._minutes is not None and time_s - self._began_s >= self._minutes * 60:
            self.close()
        if self._writer is None:
            self._number, self._began_s = self._number + 1, time_s
            name = self._stem.name if self._minutes is None else f"{self._stem.name}-{self._number:03d}"
            self._writer = VideoWriter(self._stem.with_name(name), self._rate, self._sound)
        self._writer.add(rgb, time_s)

    def close(self) -> None:
        """Finish the present file.

        Raises:
            DataError: if it cannot be written.
        """
        writer, self._writer = self._writer, None
        if writer:
            writer.close()
