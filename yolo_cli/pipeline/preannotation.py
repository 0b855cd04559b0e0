"""Outcomes → tasks for annotation tools: the model proposes, a person corrects, `convert` reads it back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from yolo_cli.pipeline.outcome import Outcome
from yolo_cli.results import each_detection

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from yolo_cli.pipeline.formats import Model

__all__ = ["cvat_text", "label_studio_text"]


def label_studio_text(results: Iterable[Outcome], model: Model) -> Iterator[str]:
    """Label Studio's tasks with predictions. Images are files of its local storage, by their path."""
    from yolo_cli.datasets.writing.label_studio import image_url, region

    yield "["
    separator = "\n"
    for outcome in results:
        if outcome.image is None:
            continue
        size = (outcome.image.height, outcome.image.width)
        found = list(each_detection(outcome.detections, model.class_names))
        result = [
            region(i, one.class_name, one.to_dict()["box"], size) | {"score": one.to_dict()["confidence"]}
            for i, one in enumerate(found, start=1)
        ]
        scores = [one["score"] for one in result]
        prediction = {"model_version": model.name, "score": min(scores, default=0.0), "result": result}
        task = {"data": {"image": image_url(outcome.name)}, "predictions": [prediction]}
        yield separator + json.dumps(task, ensure_ascii=False, allow_nan=False)
        separator = ",\n"
    yield "\n]\n"


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
