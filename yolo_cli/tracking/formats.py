"""Tracked frames → text for standard output, a piece at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from yolo_cli.pipeline.formats import csv_row, json_document
from yolo_cli.text import json_line
from yolo_cli.text_table import columns
from yolo_cli.tracks import mot_text

if TYPE_CHECKING:
    from yolo_cli.tracking.running import TrackRun

__all__ = ["FORMATS"]


def _ndjson(run: TrackRun) -> Iterator[str]:
    """One JSON object a frame, as soon as it is done."""
    for frame in run:
        yield json_line(frame.to_dict()) + "\n"


def _json(run: TrackRun) -> Iterator[str]:
    """One JSON document: the model, each frame, then each object, count and crossing."""
    return json_document({"model": run.model}, (frame.to_dict() for frame in run), run.to_dict)


def _csv(run: TrackRun) -> Iterator[str]:
    """One row a box, after a row of names."""
    where = ("image", "frame", "time_s", "width", "height")
    what = ("track_id", "class_id", "class_name", "confidence")
    yield csv_row(*where, *what, "x1", "y1", "x2", "y2")
    for frame in run:
        about = frame.to_dict()
        for found in about.get("detections", ()):
            yield csv_row(*map(about.get, where), *map(found.get, what), *found["box"])


def _mot(run: TrackRun) -> Iterator[str]:
    """MOTChallenge's text."""
    for frame in run:
        yield mot_text(frame.tracks)


def _table(run: TrackRun) -> Iterator[str]:
    """One row for each object, when all frames are done; then the counts."""
    for _ in run:
        pass
    rows = [row.values() for row in run.to_dict()["tracks"]]
    titles = ["track", "class", "first frame", "last frame", "first s", "last s", "frames", "path in pixels"]
    cells = (["–" if cell is None else str(cell) for cell in row] for row in rows)
    yield columns([titles, *([track, *rest] for track, _, *rest in cells)], left=(1,))
    for count in run.to_dict()["counts"]:
        yield f"{count['counter']}: {count['in']} in, {count['out']} out\n"


FORMATS: dict[str, Callable[[TrackRun], Iterator[str]]] = {
    "table": _table,
    "json": _json,
    "ndjson": _ndjson,
    "csv": _csv,
    "mot": _mot,
}
