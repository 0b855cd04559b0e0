"""Suppression against OpenCV's, in one process, one after the other."""

from __future__ import annotations

from statistics import median
from time import perf_counter

import cv2
import numpy as np
import pytest

from tests.bench.clock import fastest
from tests.random_boxes import jittered_boxes
from yolo_cli.suppression import Limit, suppress

pytestmark = pytest.mark.bench

CASES = {
    "10,000 boxes, 80 classes, up to 100 px": (10_000, 80, 100),
    "10,000 boxes, 80 classes, up to 400 px": (10_000, 80, 400),
    "10,000 boxes, 1 class, up to 100 px": (10_000, 1, 100),
    "10,000 boxes, 1 class, up to 400 px": (10_000, 1, 400),
    "1,000 boxes, 80 classes": (1_000, 80, 100),
    "300 boxes, 20 classes": (300, 20, 100),
    "20 boxes, 20 classes": (20, 20, 100),
}


@pytest.mark.parametrize("case", CASES)
def test_suppression_against_opencv(case):
    count, classes, largest = CASES[case]
    rng = np.random.default_rng(0)
    centre, half = rng.uniform(0, 416, (count, 2)), rng.uniform(2, largest / 2, (count, 2))
    xyxy = np.concatenate([centre - half, centre + half], axis=1).astype(np.float32)
    xywh = np.concatenate([centre - half, 2 * half], axis=1)
    confidence, class_id = (
        rng.uniform(0.01, 1, count).astype(np.float32),
        rng.integers(0, classes, count, np.int32),
    )

    def ours():
        return suppress(xyxy, confidence, class_id, threshold=0.45)[0]

    def theirs():
        return cv2.dnn.NMSBoxesBatched(xywh, confidence, class_id, 0.0, 0.45)

    different = len(set(ours().tolist()) ^ set(np.ravel(theirs()).tolist()))
    mine, other = fastest(ours), fastest(theirs)
    print(f"\n{case}: {1e3 * mine:.3f} ms, OpenCV {1e3 * other:.3f} ms, ratio {mine / other:.2f}")
    print(f"boxes that only one of the two keeps: {different}")


@pytest.mark.parametrize("kind", ["greedynms", "diounms", "soft"])
def test_other_rules_against_plain_iou(kind):
    rng = np.random.default_rng(0)
    centre, half = rng.uniform(0, 416, (3000, 2)), rng.uniform(2, 50, (3000, 2))
    xyxy = np.concatenate([centre - half, centre + half], axis=1).astype(np.float32)
    confidence, class_id = rng.uniform(0.01, 1, 3000).astype(np.float32), rng.integers(0, 80, 3000)
    plain = fastest(lambda: suppress(xyxy, confidence, class_id))
    other = fastest(lambda: suppress(xyxy, confidence, class_id, kind=kind))
    print(f"\n3,000 boxes, {kind}: {1e3 * other:.2f} ms, {other / plain:.2f} of plain IoU")


@pytest.mark.parametrize("agnostic", [False, True])
@pytest.mark.parametrize("kind", ["iou", "greedynms", "diounms", "soft"])
def test_the_first_300_against_all(kind, agnostic):
    boxes = jittered_boxes(np.random.default_rng(0), objects=60, each=250, classes=7)
    limit = Limit(300, np.ones(len(boxes[0]), bool))
    all_ms, first_ms = [], []
    for _ in range(5):
        start = perf_counter()
        suppress(*boxes, kind=kind, agnostic=agnostic)
        between = perf_counter()
        suppress(*boxes, kind=kind, agnostic=agnostic, limit=limit)
        all_ms.append(1e3 * (between - start))
        first_ms.append(1e3 * (perf_counter() - between))
    most, few = median(all_ms), median(first_ms)
    title = f"15,000 boxes, 7 classes, {kind}{', agnostic' if agnostic else ''}"
    print(f"\n{title}: all {most:.2f} ms, the first 300 {few:.2f} ms, {most / few:.1f} times faster")
