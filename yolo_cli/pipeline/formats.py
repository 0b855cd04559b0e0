"""Outcomes → text, a piece at a time: JSON, NDJSON, CSV, COCO results, YOLO lines, tasks to annotate.

Each format takes the outcomes as they come and gives text as soon as it can, so that memory stays flat.
JSON and NDJSON hold failed images in-band; the others have no place for them.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yolo_cli.detections import Detections
from yolo_cli.images import Image
from yolo_cli.keypoints import KeyPoints
from yolo_cli.names import as_cell
from yolo_cli.pipeline.outcome import Outcome
from yolo_cli.results import each_detection, keypoint_columns
from yolo_cli.skeletons import VISIBLE
from yolo_cli.text import json_line

if TYPE_CHECKING:
    from yolo_cli.detectors import Detector

__all__ = ["FORMATS", "Format", "Model", "csv_row", "json_document", "yolo_lines"]


@dataclass(frozen=True, slots=True)
class Model:
    """What the output says of the model.

    Attributes:
        name: the model's name.
        class_names: the name of each class id.
        input_size: height and width of the network's input.
        video: whether there are frames of videos, for which CSV has two more columns.
        keypoints: the key points of each box, for each of which CSV has three more columns; None without.
    """

    name: str
    class_names: tuple[str, ...]
    input_size: tuple[int, int]
    video: bool = False
    keypoints: KeyPoints | None = None

    @classmethod
    def of(cls, detector: Detector, *, video: bool = False) -> Model:
        """What the output says of a detector."""
        card = detector.card
        return cls(card.name, card.class_names, detector.input_size, video, card.keypoints)


Format = Callable[[Iterable[Outcome], Model], Iterator[str]]


def _json(results: Iterable[Outcome], model: Model) -> Iterator[str]:
    """One JSON document."""
    facts: dict[str, Any] = {"name": model.name, "input_size": model.input_size}
    facts["class_names"] = model.class_names
    if model.keypoints:
        facts |= {"keypoint_names": model.keypoints.names, "skeleton": model.keypoints.skeleton}
    return json_document({"model": facts}, (_record(result, model) for result in results))


def json_document(
    head: Mapping[str, Any], images: Iterable[Any], rest: Callable[[], Mapping[str, Any]] = dict
) -> Iterator[str]:
    """One JSON document, as its images come: the ``head``, "images", and what is known at the end."""
    yield f'{json_line(head)[:-1]},\n "images": ['
    for index, image in enumerate(images):
        yield f"{',' if index else ''}\n  {json_line(image)}"
    yield "\n ]"
    for name, value in rest().items():
        yield f',\n "{name}": {json_line(value)}'
    yield "}\n"


def _ndjson(results: Iterable[Outcome], model: Model) -> Iterator[str]:
    """One JSON object a line, each as soon as its image is done."""
    for result in results:
        yield json_line(_record(result, model)) + "\n"


def _csv(results: Iterable[Outcome], model: Model) -> Iterator[str]:
    """One row a box, after a row of names."""
    where = ("frame", "time_s") if model.video else ()
    names = ("class_id", "class_name", "confidence", "x1", "y1", "x2", "y2")
    yield csv_row("image", *where, "width", "height", *names, *keypoint_columns(len(model.keypoints or ())))
    for result in results:
        if result.image is not None:
            frame, size = result.image.frame, (result.image.width, result.image.height)
            at = (frame.number, frame.time_s) if frame else ("", "")
            for found in _found(result.detections, model):
                row = (found["class_id"], found["class_name"], found["confidence"], *found["box"])
                row += tuple(value for point in found.get("keypoints", ()) for value in point)
                yield csv_row(result.name, *at[: len(where)], *size, *row)


def csv_row(*values: object) -> str:
    """A line of CSV; see `as_cell` for names that look like formulas."""
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(map(as_cell, values))
    return line.getvalue()


def _coco(results: Iterable[Outcome], model: Model) -> Iterator[str]:
    """COCO's results list, with boxes as x, y, width, height.

    ``image_id`` is the number that the file is called (``000000000139.jpg`` is 139), else the file's name;
    the whole name if an earlier image, of another folder, has that id.
    """
    from yolo_cli.class_names import coco_category_ids

    categories = coco_category_ids(model.class_names)
    names: dict[int | str, str] = {}
    yield "["
    separator = "\n"
    for result in results:
        image_id = _image_id(result.name)
        if names.setdefault(image_id, result.name) != result.name:
            image_id = result.name
        for found in _found(result.detections, model):
            x1, y1, x2, y2 = found["box"]
            bbox = [x1, y1, round(x2 - x1, 2), round(y2 - y1, 2)]
            category = categories[found["class_id"]]
            entry = {
                "image_id": image_id,
                "category_id": category,
                "bbox": bbox,
                "score": found["confidence"],
            }
            if points := found.get("keypoints"):
                entry["keypoints"] = [value for point in points for value in point]
            yield separator + json_line(entry)
            separator = ",\n"
    yield "\n]\n"


def _image_id(name: str) -> int | str:
    """The number or the name of a file."""
    path = Path(name)
    return int(path.stem) if path.stem.isascii() and path.stem.isdigit() else path.name


def _yolo(results: Iterable[Outcome], _: Model) -> Iterator[str]:
    """A line ``# NAME`` for each image, then ``class_id cx cy w h confidence`` for each box."""
    for result in results:
        if result.image is not None:
            yield f"# {' '.join(result.name.split())}\n" + yolo_lines(result.image, result.detections, True)


def _label_studio(results: Iterable[Outcome], model: Model) -> Iterator[str]:
    """Label Studio's tasks with predictions."""
    from yolo_cli.pipeline.preannotation import label_studio_text

    return label_studio_text(results, model)


def _cvat(results: Iterable[Outcome], model: Model) -> Iterator[str]:
    """CVAT's XML."""
    from yolo_cli.pipeline.preannotation import cvat_text

    return cvat_text(results, model)


FORMATS: dict[str, Format] = {
    "json": _json,
    "ndjson": _ndjson,
    "csv": _csv,
    "coco": _coco,
    "yolo": _yolo,
    "label-studio": _label_studio,
    "cvat": _cvat,
}


def yolo_lines(image: Image, detections: Detections, with_confidence: bool) -> str:
    r"""Lines of ``class_id cx cy w h``: the box's centre and size as parts of the image's width and height.

    Key points follow, ``x y visible`` each: as labels, 2 for those that are and 0 0 0 for others; with
    confidence, as they are.

    >>> import numpy as np
    >>> image = Image(np.zeros((50, 100, 3), np.uint8))
    >>> found = Detections(np.float32([[10, 10, 30, 20]]), np.float32([0.9]), np.array([7]))
    >>> yolo_lines(image, found, with_confidence=True)
    '7 0.200000 0.300000 0.200000 0.200000 0.9000\n'
    """
    lines = []
    for (x1, y1, x2, y2), confidence, class_id, points in _rows(detections):
        centre = ((x1 + x2) / 2 / image.width, (y1 + y2) / 2 / image.height)
        size = ((x2 - x1) / image.width, (y2 - y1) / image.height)
        parts = " ".join(f"{part:.6f}" for part in centre + size)
        parts += "".join(
            _yolo_point(x / image.width, y / image.height, seen, with_confidence) for x, y, seen in points
        )
        lines.append(f"{class_id} {parts}{f' {confidence:.4f}' if with_confidence else ''}\n")
    return "".join(lines)


def _yolo_point(x: float, y: float, visible: float, as_is: bool) -> str:
    """One key point in fractions; in a label, which knows no probabilities, it is visible or not there."""
    if as_is:
        return f" {x:.6f} {y:.6f} {visible:.4f}"
    return f" {x:.6f} {y:.6f} 2" if visible >= VISIBLE and 0 <= x <= 1 and 0 <= y <= 1 else " 0 0 0"


def _record(outcome: Outcome, model: Model) -> dict[str, Any]:
    """One image for JSON."""
    if outcome.image is None:
        return {"image": outcome.name, "error": outcome.error}
    return outcome.result(model.class_names).to_dict()


def _found(detections: Detections, model: Model) -> list[dict[str, Any]]:
    """Each box as plain numbers, rounded to what they can bear."""
    return [detection.to_dict() for detection in each_detection(detections, model.class_names)]


def _rows(detections: Detections) -> Iterator[tuple[list[float], float, int, list[list[float]]]]:
    """Box, confidence, class id and key points of each detection, as Python's own numbers."""
    points = [[]] * len(detections) if detections.keypoints is None else detections.keypoints.tolist()
    columns = (detections.xyxy.tolist(), detections.confidence.tolist(), detections.class_id.tolist(), points)
    return zip(*columns, strict=True)
