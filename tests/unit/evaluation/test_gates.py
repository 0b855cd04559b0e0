"""Figures that must be reached."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.evaluation_sets import image_set
from yolo_cli.detections import Detections, GroundTruth
from yolo_cli.errors import UsageError
from yolo_cli.evaluation import (
    COCO,
    VOC07,
    Evaluator,
    Protocol,
    check_gates,
    evaluate,
    missed_gates,
    read_gates,
)

BOX = (0.0, 0.0, 50.0, 50.0)


def report() -> Any:
    """Class 0: found; class 1: one of two found. mAP50 is (1 + 51/101) / 2."""
    ground_truth = [(BOX, 0), (BOX, 1), ((60.0, 60.0, 99.0, 99.0), 1)]
    return evaluate(image_set(([(BOX, 0.9, 0), (BOX, 0.8, 1)], ground_truth), classes=3))


def test_gates_that_are_met_and_missed() -> None:
    gates = read_gates(["map50=0.75", "recall=0.6", "ap:class 1=0.6", "AP50=0.7", "map50-95=1"])
    assert missed_gates(gates, report()) == [
        "ap:class 1 is 0.5050, but must be at least 0.6",
        "map50_95 is 0.7525, but must be at least 1",
    ]


def test_a_figure_that_is_missing_meets_no_gate() -> None:
    assert missed_gates({"ap:class 2": 0}, report()) == ["ap:class 2 has no value, but must be at least 0"]


@pytest.mark.parametrize("text", ["map50", "map50=", "map50=x", "map50=2", "map50=-1", "map50=nan", "=0.5x"])
def test_a_gate_that_is_none_is_one_line(text: str) -> None:
    with pytest.raises(UsageError, match="must be NAME=VALUE with a value from 0 to 1"):
        read_gates([text])


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("mapp50", "unknown figure 'mapp50'; did you mean map50"),
        (
            "foo",
            "unknown figure 'foo'; there are map, map50, map50_95, precision, recall, f1, and ap:CLASS",
        ),
        ("ap:class 9", "did you mean ap:class [012]"),
    ],
)
def test_a_gate_of_nothing_is_refused_and_offers_the_nearest(name: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        check_gates([name], COCO, ["class 0", "class 1", "class 2"])


@pytest.mark.parametrize("rules", [COCO, VOC07])
def test_every_gate_that_is_accepted_has_a_figure(rules: Protocol) -> None:
    """A class's own name keeps its hyphens; COCO's twelve figures are there by its rules only."""
    names = ["tv-monitor", "class 1"]
    plain = ["map", "map50", "map50-95", "precision", "recall", "f1", "ap:tv-monitor", "ap:class 1"]
    gates = read_gates(f"{name}=0" for name in [*plain, *(["AP", "ARlarge"] if rules is COCO else [])])
    check_gates(gates, rules, names)
    evaluator = Evaluator(names)
    evaluator.add("a.jpg", Detections(), GroundTruth(np.float32([BOX]), np.array([0])))
    missed_gates(gates, evaluate(evaluator.gathered(), rules))
    if rules is VOC07:
        with pytest.raises(UsageError, match="unknown figure 'ARlarge'"):
            check_gates(["ARlarge"], rules, names)


def test_of_two_gates_for_a_figure_the_higher_counts() -> None:
    assert read_gates(["map50=0.6", "map50=0.8", "map50=0.7"]) == {"map50": 0.8}
