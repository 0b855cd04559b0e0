from __future__ import annotations

import json

import numpy as np
import pytest

from yolo_cli.detections import Detections
from yolo_cli.images import Image
from yolo_cli.pipeline import Outcome
from yolo_cli.pipeline.formats import FORMATS, Model

MODEL = Model("m", ("cat",), (416, 416))
BAD = Outcome("bad.jpg", Detections(), "bad.jpg: is bad")


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_takes_nothing_and_faults(form):
    for results in ([], [BAD], [BAD, BAD]):
        text = "".join(FORMATS[form](results, MODEL))
        if form in ("json", "coco"):
            json.loads(text)


@pytest.mark.parametrize("form", FORMATS)
def test_formats_give_each_image_as_soon_as_it_comes(form):
    seen = []

    def results():
        for number in range(3):
            seen.append(number)
            found = Detections(np.float32([[0, 0, 1, 1]]), np.float32([0.5]), np.array([0]))
            yield Outcome(f"{number}.png", found, image=Image(np.zeros((2, 2, 3), np.uint8)))

    first = next(text for text in FORMATS[form](results(), MODEL) if "0.5" in text or "0.png" in text)
    assert first
    assert seen == [0]


def test_coco_ids_of_namesakes_in_other_folders_differ():
    found = Detections(np.float32([[0, 0, 1, 1]]), np.float32([0.5]), np.array([0]))
    names = ("1.jpg", "a/1.jpg", "b/x.jpg", "c/x.jpg", "1.jpg")
    entries = json.loads("".join(FORMATS["coco"]([Outcome(name, found) for name in names], MODEL)))
    assert [entry["image_id"] for entry in entries] == [1, "a/1.jpg", "x.jpg", "c/x.jpg", 1]


def test_coco_boxes_hold_width_and_height():
    found = Detections(np.float32([[10, 20, 34.5, 50]]), np.float32([0.5]), np.array([0]))
    [entry] = json.loads(
        "".join(FORMATS["coco"]([Outcome("x/007.png", found)], Model("m", ("a",), (32, 32))))
    )
    assert entry == {"image_id": 7, "category_id": 1, "bbox": [10.0, 20.0, 24.5, 30.0], "score": 0.5}
