"""The sound of a video file → an Opus track beside the frames of another."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

__all__ = ["Sound"]

_RATE = 48_000  # samples a second, as Opus has them


class Sound:
    """Encodes the sound of a file into another one, as far as its frames have come.

    Damaged sound ends early, without a fault: the frames count.

    Args:
        path: the video file; one without sound gives none.
        file: what PyAV writes to. No frame has been written yet.
        start_s: second of the sound that is to be at 0.
    """

    def __init__(self, path: Path, file: Any, start_s: float) -> None:
        import av

        self._faults = (av.FFmpegError, OSError, ValueError)
        self._file, self._start_s = file, start_s
        self._track: Any = None
        self._samples: Iterator[Any] = iter(())
        self._waiting: Any = None
        self._source = path.open("rb")  # a path might be taken for an address
        with suppress(*self._faults):
            self._container: Any = av.open(self._source)
            if self._container.streams.audio:
                self._track = file.add_stream("libopus", rate=_RATE, layout="stereo")
                self._samples = self._decoded()

    def until(self, time_s: float) -> None:
        """Write the sound before a time of the new file."""
        with suppress(*self._faults):
            while (samples := self._waiting or next(self._samples, None)) is not None:
                self._waiting = samples
                if samples.time >= time_s:
                    return
                self._waiting = None
                self._file.mux(self._track.encode(samples))

    def close(self) -> None:
        """Write what the encoder still holds."""
        with suppress(*self._faults):
            if self._track is not None:
                self._file.mux(self._track.encode(None))
        self._source.close()

    def _decoded(self) -> Iterator[Any]:
        """Samples from the start on, with their times in the new file."""
        if self._start_s:
            self._container.seek(int(self._start_s * 1_000_000), backward=True)
        for samples in self._container.decode(audio=0):
            if samples.time is not None and samples.time >= self._start_s:
                samples.pts -= round(self._start_s / samples.time_base)
                yield samples
