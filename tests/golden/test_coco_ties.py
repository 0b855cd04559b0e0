"""IoUs exactly on a threshold are decided as in pycocotools, which reads width and height from the file."""

from __future__ import annotations

import contextlib
import io
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from yolo_cli.datasets import open_dataset
from yolo_cli.detections import Detections
from yolo_cli.evaluation import Evaluator, evaluate

IMAGES, OBJECTS = 4, 12


def _write(folder: Path, seed: int) -> list[dict[str, Any]]:
    """Ground truth in hundredths of a pixel, and detections that are 10/20 to 19/20 of it.

    Each box is cut on one side only, so its IoU is that fraction, up to rounding: a tie with a threshold.
    """
    random = np.random.default_rng(seed)
    annotations, found = [], []
    for number in range(IMAGES * OBJECTS):
        box = (random.integers([0, 0, 1000, 1000], [30000, 30000, 20000, 20000]) / 100).tolist()
        common = {"image_id": number % IMAGES + 1, "category_id": 1, "iscrowd": 0}
        annotations.append({"id": number + 1, "bbox": box, "area": box[2] * box[3], **common})
        side = random.integers(2, 4)
        cut = [edge * random.integers(10, 20) / 20 if at == side else edge for at, edge in enumerate(box)]
        found.append({"bbox": cut, "score": random.random(), **common})
    images = [{"id": i + 1, "file_name": f"{i}.jpg", "width": 640, "height": 640} for i in range(IMAGES)]
    value = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "cat"}]}
    (folder / "annotations.json").write_text(json.dumps(value))
    (folder / "found.json").write_text(json.dumps(found))
    for i in range(IMAGES):
        (folder / f"{i}.jpg").touch()
    return found


def _pycocotools(folder: Path) -> list[float]:
    """Its twelve figures."""
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ground_truth = COCO(str(folder / "annotations.json"))
        run = COCOeval(ground_truth, ground_truth.loadRes(str(folder / "found.json")), "bbox")
        run.evaluate()
        run.accumulate()
        run.summarize()
    return run.stats.tolist()


@pytest.mark.parametrize("seed", range(20))
def test_ties_are_decided_as_in_pycocotools(tmp_path: Path, seed: int) -> None:
    found = _write(tmp_path, seed)
    evaluator = Evaluator(("cat",))
    for sample in open_dataset(tmp_path).samples:
        own = [row for row in found if row["image_id"] == sample.image_id]
        xywh = np.array([row["bbox"] for row in own])  # (N, 4)
        xyxy = np.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], axis=1)  # (N, 4)
        scores = np.array([row["score"] for row in own])  # (N,)
        detections = Detections(xyxy, scores, np.zeros(len(own), int), xywh[:, 2:])
        evaluator.add(sample.name, detections, sample.ground_truth, rank=int(sample.image_id))
    ours = [-1 if value is None else value for value in evaluate(evaluator.gathered()).coco.values()]
    np.testing.assert_allclose(ours, _pycocotools(tmp_path), rtol=0, atol=1e-12)
