"""Average precision of key points equals pycocotools' on random data, ties and crowds included."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.pycocotools_reference import reference
from yolo_cli.detections import Detections, GroundTruth
from yolo_cli.evaluation import Evaluator, evaluate

NAMES = ("cat", "dog")


def boxes(rng: np.random.Generator, count: int) -> np.ndarray:
    low, size = rng.uniform(0, 200, (count, 2)), rng.uniform(5, 180, (count, 2))
    return np.concatenate([low, low + size], axis=1)


def random_gt(rng: np.random.Generator, points: int) -> GroundTruth:
    count = int(rng.integers(0, 6))
    xyxy = boxes(rng, count)
    wh = xyxy[:, 2:] - xyxy[:, :2]
    keypoints = np.zeros((count, points, 3))
    keypoints[..., :2] = xyxy[:, None, :2] + rng.random((count, points, 2)) * wh[:, None]
    keypoints[..., 2] = rng.integers(0, 3, (count, points)) * (rng.random((count, 1)) < 0.7)
    keypoints[keypoints[..., 2] == 0] = 0
    area, crowd = wh.prod(axis=1) * rng.uniform(0.3, 1, count), rng.random(count) < 0.15
    class_id = rng.integers(0, 2, count)
    return GroundTruth(xyxy, class_id, crowd, area=area, wh=wh, keypoints=keypoints)


def random_found(rng: np.random.Generator, gt: GroundTruth, points: int) -> Detections:
    """Key points near those of an object, or anywhere; more than the 20 that count, with equal scores."""
    count = int(rng.integers(0, 30))
    xyxy, keypoints = boxes(rng, count), np.ones((count, points, 3))
    keypoints[..., :2] = rng.uniform(0, 300, (count, points, 2))
    assert gt.keypoints is not None
    for at in np.flatnonzero(rng.random(count) < 0.8 * bool(len(gt))):
        of = rng.integers(len(gt))
        xyxy[at] = gt.xyxy[of]
        keypoints[at, :, :2] = gt.keypoints[of, :, :2] + rng.normal(0, rng.choice([1, 4, 10]), (points, 2))
    confidence, class_id = np.round(rng.random(count), 1), rng.integers(0, 2, count)
    return Detections(xyxy, confidence, class_id, xyxy[:, 2:] - xyxy[:, :2], keypoints)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_ten_figures_of_pycocotools(seed: int) -> None:
    rng = np.random.default_rng(seed)
    points = int(rng.integers(1, 6))
    sigmas = tuple(rng.uniform(0.02, 0.2, points).tolist())
    gts = [random_gt(rng, points) for _ in range(int(rng.integers(1, 8)))]
    pairs: list[Any] = [(random_found(rng, gt, points), gt) for gt in gts]
    pairs.append((random_found(rng, pairs[0][1], points), gts[0]))
    evaluator = Evaluator(NAMES, sigmas)
    for number, pair in enumerate(pairs):
        evaluator.add(str(number), *pair, rank=number)
    gathered = evaluator.gathered()
    ours, theirs = evaluate(gathered).keypoints, reference(gathered, "keypoints").stats
    assert ours is not None
    values = [-1 if value is None else value for value in ours.figures.values()]
    np.testing.assert_allclose(values, theirs, rtol=0, atol=1e-9)
