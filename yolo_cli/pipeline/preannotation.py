"""Outcomes → tasks for annotation tools: the model proposes, a person corrects, `convert` reads it back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from yolo_cli.pipeline.outcome import Outcome
from yolo_cli.results import Detection, each_detection
from yolo_cli.skeletons import VISIBLE
from yolo_cli.text import json_line

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from yolo_cli.pipeline.formats import Model

__all__ = ["cvat_text", "label_studio_text"]


def label_studio_text(results: Iterable[Outcome], model: Model) -> Iterator[str]:
    """Label Studio's tasks with predictions. Images are files of its local storage, by their path."""
    from yolo_cli.datasets.writing.label_studio import image_url

    yield "["
    separator = "\n"
    for outcome in results:
        if outcome.image is None:
            continue
        size = (outcome.image.height, outcome.image.width)
        found = enumerate(each_detection(outcome.detections, model.class_names), start=1)
        result = [one for i, detection in found for one in _regions(i, detection, model, size)]
        scores = [one["score"] for one in result]
        prediction = {"model_version": model.name, "score": min(scores, default=0.0), "result": result}
        task = {"data": {"image": image_url(outcome.name)}, "predictions": [prediction]}
        yield separator + json_line(task)
        separator = ",\n"
    yield "\n]\n"


def _regions(
    number: int, detection: Detection, model: Model, size: tuple[int, int]
) -> Iterator[dict[str, Any]]:
    """The rectangle of a detection and its visible key points, for an image's height and width ``size``."""
    from yolo_cli.datasets.writing.label_studio import point, region

    found = detection.to_dict()
    score = {"score": found["confidence"]}
    yield region(number, detection.class_name, found["box"], size) | score
    names = model.keypoints.names if model.keypoints else ()
    for name, (x, y, visible) in zip(names, detection.keypoints, strict=True):
        if visible >= VISIBLE:
            yield point(number, name, (x, y), size) | score


def cvat_text(results: Iterable[Outcome], model: Model) -> Iterator[str]:
    """An annotation file of "CVAT for images 1.1", which CVAT matches by the images' names."""
    from xml.etree.ElementTree import Element

    from yolo_cli.datasets.writing.cvat import cvat_meta, cvat_shape

    yield "<annotations>\n  <version>1.1</version>\n"
    yield _indented(cvat_meta(model.class_names))
    for index, outcome in enumerate(results):
        if outcome.image is None:
            continue
        image = Element("image", id=str(index), name=outcome.name)
        image.set("width", str(outcome.image.width))
        image.set("height", str(outcome.image.height))
        for one in each_detection(outcome.detections, model.class_names):
            image.append(cvat_shape(one.class_name, one.to_dict()["box"], source="auto"))
        yield _indented(image)
    yield "</annotations>\n"


def _indented(element: Element) -> str:
    """The lines of an element of the second level."""
    from xml.etree.ElementTree import indent, tostring  # which no other format needs

    indent(element, level=1)
    return f"  {tostring(element, encoding='unicode').rstrip()}\n"
