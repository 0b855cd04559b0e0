"""Evaluation during training records the same conditions as `yolo eval`."""

from __future__ import annotations

from yolo_cli.codec import Head
from yolo_cli.config import DetectConfig
from yolo_cli.training.yolo.validation import Validator
from yolo_cli.weights import ModelCard


def test_the_options_of_detection_go_before_those_of_the_card() -> None:
    head = Head("yolo", ((32.0, 32.0),), 32, 1)
    card = ModelCard("mine", ("cat",), (head,), (64, 96), "stretch", suppression="greedynms")
    plain = Validator([], card, 1).conditions
    assert (plain.suppression, plain.resize) == ("greedynms 0.45", "stretch 64x96")
    config = DetectConfig(conf=0.1, suppression="diounms", resize="letterbox", nms_iou=0.6)
    other = Validator([], card, 1, config).conditions
    assert (other.suppression, other.resize, other.confidence_floor) == (
        "diounms 0.6",
        "letterbox 64x96",
        0.1,
    )
