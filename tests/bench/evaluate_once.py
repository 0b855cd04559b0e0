"""Evaluate made-up detections once, by one program, and print seconds and peak memory as JSON.

``python -m tests.bench.evaluate_once ours|pycocotools|faster-coco-eval [IMAGES]``. Each program gets the same
5,000 images, 80 classes, 36,000 ground-truth boxes and 100 detections an image, in the form that it takes:
ours ``Detections`` and ``GroundTruth`` an image, the others a loaded COCO object. Building that form is not
timed; what is timed is, for the others, ``evaluate`` and ``accumulate``, and for us everything after it:
adding the images one by one, gathering, matching, all curves. Peak memory is
that of the whole process, the form included.
"""

from __future__ import annotations

import contextlib
import io
import json
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

CLASSES = 80


@dataclass(frozen=True)
class Scene:
    """Boxes (N, 4) xyxy with two decimals, by image."""

    images: int
    gt_image: np.ndarray
    gt_class: np.ndarray
    ground_truth: np.ndarray
    crowd: np.ndarray
    found_image: np.ndarray
    found_class: np.ndarray
    found: np.ndarray
    confidence: np.ndarray


def scene(images: int = 5000, seed: int = 0) -> Scene:
    """Half of the detections near ground-truth boxes, most of those of the right class; half anywhere."""
    random = np.random.default_rng(seed)
    ground_truths = images * 36 // 5
    frequency = 1 / np.arange(1, CLASSES + 1)
    frequency /= frequency.sum()
    gt_image = np.sort(random.integers(0, images, ground_truths))
    kinds = random.choice(CLASSES, (images, 4), p=frequency)  # each image shows few classes
    gt_class = kinds[gt_image, random.integers(0, 4, ground_truths)]
    ground_truth = _boxes(random, ground_truths)
    found_image = np.repeat(np.arange(images), 100)
    start = np.searchsorted(gt_image, np.arange(images + 1))
    beside = np.diff(start)[found_image]
    near = (beside > 0) & (random.random(len(found_image)) < 0.5)
    pick = np.minimum(
        start[found_image] + random.integers(0, 1 << 30, len(near)) % np.maximum(beside, 1), ground_truths - 1
    )
    shift = random.normal(0, 0.12, (len(near), 4)) * np.tile(
        ground_truth[pick, 2:] - ground_truth[pick, :2], 2
    )
    moved = (ground_truth[pick] + shift).clip(0, 640)
    moved = np.concatenate(
        [np.minimum(moved[:, :2], moved[:, 2:]), np.maximum(moved[:, :2], moved[:, 2:])], 1
    )
    right = near & (random.random(len(near)) < 0.85)
    return Scene(
        images,
        gt_image,
        gt_class,
        ground_truth,
        random.random(ground_truths) < 0.01,
        found_image,
        np.where(right, gt_class[pick], random.choice(CLASSES, len(near), p=frequency)),
        np.where(near[:, None], moved, _boxes(random, len(near))).round(2),
        np.where(near, random.beta(1, 3, len(near)), random.beta(0.5, 8, len(near))).round(4),
    )


def _boxes(random: np.random.Generator, count: int) -> np.ndarray:
    half = np.exp(random.normal(3.5, 1.0, (count, 2))).clip(2, 250)
    centre = random.uniform(0, 640, (count, 2))
    return np.concatenate([centre - half, centre + half], axis=1).clip(0, 640).round(2)


def ours(data: Scene) -> Callable[[], list[float]]:
    from yolo_cli.detections import Detections, GroundTruth
    from yolo_cli.evaluation import Evaluator, evaluate

    places = np.arange(data.images + 1)
    a, b = np.searchsorted(data.found_image, places), np.searchsorted(data.gt_image, places)
    images = [
        (
            Detections(*(part[a[p] : a[p + 1]] for part in (data.found, data.confidence, data.found_class))),
            GroundTruth(*(part[b[p] : b[p + 1]] for part in (data.ground_truth, data.gt_class, data.crowd))),
        )
        for p in range(data.images)
    ]

    def run() -> list[float]:
        evaluator = Evaluator([str(k) for k in range(CLASSES)])
        for place, (found, ground_truth) in enumerate(images):
            evaluator.add(f"{place:06d}.jpg", found, ground_truth, rank=place)
        return [-1.0 if value is None else value for value in evaluate(evaluator.gathered()).coco.values()]

    return run


def theirs(data: Scene, coco_class: Any, eval_class: Any) -> Callable[[], list[float]]:
    ground_truth, found = coco_class(), coco_class()
    shared = {
        "info": {},
        "images": [{"id": place + 1, "width": 640, "height": 640} for place in range(data.images)],
        "categories": [{"id": k + 1, "name": str(k)} for k in range(CLASSES)],
    }
    gt_rows = zip(data.gt_image, data.gt_class, _xywh(data.ground_truth), data.crowd, strict=True)
    ground_truth.dataset = {
        **shared,
        "annotations": [
            _row(n, *row[:3]) | {"iscrowd": int(row[3])} for n, row in enumerate(gt_rows, start=1)
        ],
    }
    found_rows = zip(data.found_image, data.found_class, _xywh(data.found), data.confidence, strict=True)
    found.dataset = {
        **shared,
        "annotations": [
            _row(n, *row[:3]) | {"iscrowd": 0, "score": float(row[3])}
            for n, row in enumerate(found_rows, start=1)
        ],
    }
    ground_truth.createIndex()
    found.createIndex()

    def run() -> list[float]:
        run = eval_class(ground_truth, found, "bbox")
        run.evaluate()
        run.accumulate()
        run.summarize()
        return [float(value) for value in run.stats[:12]]

    return run


def _xywh(boxes: np.ndarray) -> list[list[float]]:
    return np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1).tolist()


def _row(number: int, image: int, class_id: int, box: list[float]) -> dict[str, Any]:
    return {
        "id": number,
        "image_id": int(image) + 1,
        "category_id": int(class_id) + 1,
        "bbox": box,
        "area": box[2] * box[3],
    }


def _program(name: str, data: Scene) -> Callable[[], list[float]]:
    if name == "ours":
        return ours(data)
    if name == "pycocotools":
        from pycocotools.coco import COCO
        from pycocotools.cocoeval import COCOeval

        return theirs(data, COCO, COCOeval)
    from faster_coco_eval import COCO, COCOeval_faster

    return theirs(data, COCO, COCOeval_faster)


def main() -> None:
    images = int(sys.argv[2]) if len(sys.argv) > 2 else 5000
    with contextlib.redirect_stdout(io.StringIO()):
        run = _program(sys.argv[1], scene(images))
        start = time.perf_counter()
        figures = run()
        seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "peak_mib": peak, "figures": figures}))


if __name__ == "__main__":
    main()
