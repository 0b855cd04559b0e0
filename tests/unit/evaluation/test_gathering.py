"""Samples and detections → an evaluation set."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.made_sets import write_coco, write_yolo
from yolo_cli.datasets import open_dataset
from yolo_cli.detections import Detections
from yolo_cli.evaluation import evaluate, gather, match_classes


def boxes(*rows: tuple[float, int]) -> Detections:
    """(confidence, class) each, all in one place."""
    place = np.float32([[32, 24, 64, 48]] * len(rows))
    return Detections(place, np.float32([row[0] for row in rows]), np.array([row[1] for row in rows]))


def test_only_samples_with_detections_are_evaluated(tmp_path: Path) -> None:
    """d.jpg holds a cat at 32, 24, 64, 48; c.jpg could not be read."""
    data = open_dataset(write_yolo(tmp_path)).in_split("val")
    match = match_classes(["dog", "cat"], data.class_names)
    gathered = gather(data.samples, {"images/val/d.jpg": boxes((0.9, 1), (0.5, 0))}, match)
    assert gathered.images == ("images/val/d.jpg",)
    assert gathered.found.class_id.tolist() == [0, 1]
    assert evaluate(gathered).map50 == 1.0


def test_detections_below_the_minimum_are_left_out(tmp_path: Path) -> None:
    data = open_dataset(write_yolo(tmp_path)).in_split("val")
    match = match_classes(data.class_names, data.class_names)
    found = {sample.name: boxes((0.25, 0), (0.24, 0)) for sample in data.samples}
    assert gather(data.samples, found, match, minimum_confidence=0.25).found.confidence.tolist() == [
        0.25,
        0.25,
    ]


def test_images_of_coco_are_ordered_by_their_ids(tmp_path: Path) -> None:
    """COCO's own program orders equally confident detections by image id; so do we. d is 7, c 100."""
    file = write_coco(tmp_path) / "annotations" / "instances_val2017.json"
    file.write_text(file.read_text().replace("101", "7"))
    data = open_dataset(tmp_path).in_split("val")
    match = match_classes(data.class_names, data.class_names)
    gathered = gather(data.samples, {sample.name: boxes((0.5, 0)) for sample in data.samples}, match)
    assert gathered.images == ("val2017/d.jpg", "val2017/c.jpg")
