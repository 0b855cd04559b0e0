"""The rules of an evaluation."""

from __future__ import annotations

from dataclasses import replace

import pytest

from yolo_cli.errors import UsageError
from yolo_cli.evaluation.protocol import COCO, GRID, PROTOCOLS, Protocol, protocol


def test_grid_is_coco_s() -> None:
    assert [round(iou, 2) for iou in GRID] == [0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95]


def test_a_threshold_of_the_grid_is_evaluated_once() -> None:
    assert protocol("coco", 0.6).thresholds == GRID
    assert protocol("coco", 0.3).thresholds == (0.3, *GRID)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_each_protocol_names_itself(name: str) -> None:
    assert protocol(name).to_json()["name"] == name


def test_unknown_protocol_is_a_usage_error_that_lists_those_known() -> None:
    with pytest.raises(UsageError, match="unknown protocol 'voc12': choose from coco, voc07, voc10"):
        protocol("voc12")


@pytest.mark.parametrize("iou", [0.0, -0.5, 1.01, 1.5, float("nan")])
def test_an_overlap_out_of_range_is_a_usage_error(iou: float) -> None:
    with pytest.raises(UsageError, match="iou is"):
        protocol("coco", iou)


def test_protocols_differ_where_their_definitions_do() -> None:
    rules = [(p.interpolation, p.rule, p.max_detections) for p in PROTOCOLS.values()]
    assert rules == [
        ("101 points", "best free ground truth", 100),
        ("11 points", "closest ground truth", None),
        ("area under curve", "closest ground truth", None),
    ]
    assert [area.name for area in COCO.areas] == ["all", "small", "medium", "large"]
    assert isinstance(COCO, Protocol)


def test_areas_are_coco_s() -> None:
    # 32² = 1,024 and 96² = 9,216 square pixels, which belong to both ranges.
    assert [(each.name, each.low, each.high) for each in COCO.areas] == [
        ("all", 0, 1e10), ("small", 0, 1024), ("medium", 1024, 9216), ("large", 9216, 1e10)
    ]  # fmt: skip


def test_rules_of_ones_own_have_a_threshold_in_range() -> None:
    with pytest.raises(UsageError, match="iou is 1"):
        replace(COCO, iou=1.5)
