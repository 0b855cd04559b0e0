"""What is said of a training, in words."""

from __future__ import annotations

from dataclasses import fields

from yolo_cli.training.events import Plan


def test_one_of_a_kind_is_in_the_singular() -> None:
    given = {
        "origin": "yolov4-tiny-coco",
        "class_names": ("cat",),
        "images": 1,
        "val_images": 1,
        "epochs": 1,
        "size": (64, 96),
        "batch": 1,
        "precision": "float32",
        "max_minutes": 1.0,
    }
    named = {field.name for field in fields(Plan)}
    words = str(Plan(**{name: value for name, value in given.items() if name in named}))
    assert words.startswith("yolov4-tiny-coco: 1 class (cat), 1 image to learn from, 1 to validate on; ")
    assert "up to 1 epoch in 1 minute at 64x96" in words
