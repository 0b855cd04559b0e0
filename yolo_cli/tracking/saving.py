"""What a run leaves in its folder: a video, MOT text, and tables of objects and crossings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yolo_cli.files import atomic_write_text, unwritable
from yolo_cli.pipeline.formats import csv_row
from yolo_cli.tracking.drawing import TrackDrawing
from yolo_cli.tracks import mot_text
from yolo_cli.video import SegmentWriter

if TYPE_CHECKING:
    from yolo_cli.tracking.counting import Counter
    from yolo_cli.tracking.running import TrackedFrame, TrackRun

__all__ = ["TrackSaving"]

_TRACKS = ("track_id", "class_id", "class_name", "first_frame", "last_frame", "first_s", "last_s", "frames")
_CROSSINGS = ("counter", "direction", "frame", "time_s", "track_id", "class_name")


class TrackSaving:
    """Saves frame after frame; what is done is kept if the run ends early.

    Args:
        folder: an existing folder.
        rate: frames a second of the video.
        drawing: how its frames are drawn.
        segment: minutes of each file of the video; None is one file.
        sound: the video file whose sound is kept; None for none.

    Raises:
        DataError: if the folder cannot be written to.
    """

    def __init__(
        self,
        folder: Path,
        rate: float,
        drawing: TrackDrawing,
        segment: float | None = None,
        sound: Path | None = None,
    ) -> None:
        self.folder = folder
        self._drawing = drawing
        self._video = SegmentWriter(folder / "video", rate, segment, sound)
        self._mot = folder / "mot.txt"
        atomic_write_text(self._mot, "")

    def add(self, tracked: TrackedFrame, counters: Sequence[Counter], objects: int) -> None:
        """Write one frame.

        Raises:
            DataError: if a file cannot be written.
        """
        try:
            with self._mot.open("a", encoding="utf-8") as file:
                file.write(mot_text(tracked.tracks))
        except OSError as fault:
            raise unwritable(self._mot, fault) from fault
        if tracked.image is not None:
            self._video.add(
                self._drawing.draw(tracked.image, tracked.tracks, counters, objects), tracked.time_s
            )

    def close(self, run: TrackRun) -> None:
        """Write the tables, and finish the video."""
        self._video.close()
        result = run.to_dict()
        _write_csv(self.folder / "tracks.csv", (*_TRACKS, "path_px"), result["tracks"])
        if run.counters:
            _write_csv(self.folder / "crossings.csv", _CROSSINGS, result["crossings"])


def _write_csv(path: Path, names: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    atomic_write_text(path, csv_row(*names) + "".join(csv_row(*map(row.get, names)) for row in rows))
