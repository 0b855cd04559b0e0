"""Who is on images → text, a piece at a time.

JSON, NDJSON and CSV have what `yolo detect` prints, and who each detection is. Forms that have one class for
each box have the identity as the class.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from yolo_cli.identity.identified import UNKNOWN, Identified
from yolo_cli.identity.running import Each, Identification
from yolo_cli.pipeline import Outcome
from yolo_cli.pipeline import formats as detected
from yolo_cli.pipeline.formats import Model, csv_row, json_document
from yolo_cli.results import keypoint_columns
from yolo_cli.text import json_line

__all__ = ["FORMATS", "identity_texts", "named_outcome"]

FORMATS = ("json", "ndjson", "csv", "coco", "yolo", "label-studio", "cvat")
_COLUMNS = ("class_id", "class_name", "confidence", "identity", "score", "nearest", "false_accept")
_OF_IMAGE, _EDGES = ("image", "frame", "time_s", "width", "height"), ("x1", "y1", "x2", "y2")


def identity_texts(kind: str, found: Iterable[Each], run: Identification) -> Iterator[str]:
    """The text of a form.

    Args:
        kind: one of `FORMATS`.
        found: what ``run`` gives, as it comes.
        run: the detector, the embedding and the gallery.
    """
    if kind == "ndjson":
        yield from (json_line(_record(each)) + "\n" for each in found)
    elif kind == "json":
        yield from _document(found, run)
    elif kind == "csv":
        points = keypoint_columns(len(run.detector.keypoints or ()) if run.detector else 0)
        yield csv_row(*_OF_IMAGE, *_COLUMNS, *_EDGES, *points)
        yield from (csv_row(*row) for each in found for row in _rows(_record(each)))
    else:
        model = Model(run.embedder.card.name, (*run.identities, UNKNOWN), run.embedder.card.input_size)
        yield from detected.FORMATS[kind](map(named_outcome, found), model)


def named_outcome(each: Each) -> Outcome:
    """An outcome whose classes are identities, by their number in the gallery, and ``unknown`` at the end."""
    if isinstance(each, Outcome):
        return each
    named = each.named
    return Outcome(named.image.name, named.detections, None, named.image, named.time_ms)


def _document(found: Iterable[Each], run: Identification) -> Iterator[str]:
    detector = run.detector
    names = {} if detector is None else {"name": detector.name, "input_size": detector.input_size}
    facts: dict[str, Any] = {
        "model": {**names, "class_names": detector.class_names} if detector else None,
        "embedding": run.embedder.card.name,
        "identities": run.identities,
        "min_score": round(run.threshold.score, 4),
    }
    return json_document(facts, map(_record, found))


def _record(each: Each) -> dict[str, Any]:
    if isinstance(each, Identified):
        return each.to_dict()
    return {"image": each.name, "error": each.error}


def _rows(record: dict[str, Any]) -> Iterator[tuple[object, ...]]:
    """A row of CSV for each detection; empty cells where there is no frame, identity or rate."""
    of_image = [record.get(name, "") for name in _OF_IMAGE]
    for found in record.get("detections", ()):
        cells = ["" if found[name] is None else found[name] for name in _COLUMNS]
        points = (value for point in found.get("keypoints", ()) for value in point)
        yield (*of_image, *cells, *found["box"], *points)
