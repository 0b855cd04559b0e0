"""Each trained model finds what the C program Darknet found, on images of the network's own size.

The references were made at threshold 0.05, suppression at 0.45. A reference is met by a detection of the
same class with IoU ≥ 0.99 and a confidence within 0.001. Every reference must be met, and nothing more
may be found but within 0.002 of the threshold.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from tests.models import Darknet, imported, parameters
from tests.shared import SHARED, needs_shared
from yolo_cli.boxes import box_iou, clip_boxes, cxcywh_to_xyxy
from yolo_cli.config import DetectConfig
from yolo_cli.detections import Detections
from yolo_cli.detectors import load_detector
from yolo_cli.images import read_image

REFERENCES = SHARED / "darknet" / "references"
THRESHOLD, SLACK = 0.05, 0.002


@needs_shared("darknet", "references")
@pytest.mark.parametrize("engine", ["onnx", "keras"])
@pytest.mark.parametrize("model", parameters())
def test_every_reference_is_met_and_nothing_more(model: Darknet, engine: Any) -> None:
    file = REFERENCES / f"{model.name}.darknet_thr0.05_nms0.45.json"
    config = DetectConfig(conf=THRESHOLD - SLACK, nms_iou=0.45)
    detector = load_detector(imported(model), engine=engine, config=config)
    worst = 0.0
    references = json.loads(file.read_text())
    for png, rows in references.items():
        image = read_image(REFERENCES / "png" / png)
        [found] = detector.detect([image])
        expected = _reference(rows, image.width, image.height)
        worst = max(worst, _meet(expected, found, png))
    print(f"{model.name} {engine}: largest difference in confidence {worst:.1e}")


def _reference(rows: list[Any], width: int, height: int) -> Detections:
    """Rows [class_id, name, confidence, cx, cy, w, h], relative to the image."""
    cxcywh = np.array([row[3:] for row in rows], float).reshape(-1, 4) * ([width, height] * 2)
    return Detections(
        clip_boxes(cxcywh_to_xyxy(cxcywh), (height, width)),
        np.array([row[2] for row in rows], float),
        np.array([row[0] for row in rows], int),
    )


def _meet(expected: Detections, found: Detections, png: str) -> float:
    """Assert that the two agree; return the largest difference in confidence."""
    overlap = box_iou(expected.xyxy, found.xyxy.astype(float))  # (E, F)
    gap = np.abs(expected.confidence[:, None] - found.confidence[None])  # (E, F)
    met = (overlap >= 0.99) & (gap <= 0.001) & (expected.class_id[:, None] == found.class_id[None])  # (E, F)
    missed = np.flatnonzero(~met.any(axis=1))
    assert not len(missed), (
        f"{png}: missed {[(expected.class_id[i], expected.confidence[i]) for i in missed]}"
    )
    extra = ~met.any(axis=0) & (found.confidence > THRESHOLD + SLACK)
    assert not extra.any(), f"{png}: too many {found.class_id[extra]} {found.confidence[extra]}"
    return float(np.where(met, gap, np.inf).min(axis=1, initial=np.inf).max(initial=0.0))
