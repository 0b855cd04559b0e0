"""Evaluation sets for tests: random ones that are full of hard cases, and small ones written by hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from yolo_cli.detections import Detections, GroundTruth
from yolo_cli.evaluation import EvaluationSet, Evaluator

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Mixture:
    """What a random set is made of. Coordinates are multiples of 1/4, so that every overlap is exact."""

    seed: int = 0
    images: int = 5
    classes: int = 3
    ground_truths: int = 20
    found: int = 60
    levels: int = 8  # so many different confidences: few make many ties
    crowd: float = 0.1
    difficult: float = 0.1


def mixtures(**fixed: Any) -> st.SearchStrategy[Mixture]:
    """Mixtures with empty images, classes without ground truth, ties, crowds, and over 100 of a class."""
    parts: dict[str, st.SearchStrategy[Any]] = {
        "seed": st.integers(0, 2**32 - 1),
        "images": st.integers(1, 6),
        "classes": st.integers(1, 4),
        "ground_truths": st.integers(0, 40),
        "found": st.one_of(st.integers(0, 60), st.integers(200, 500)),
        "levels": st.sampled_from([1, 3, 20, 1000]),
        "crowd": st.sampled_from([0.0, 0.2]),
        "difficult": st.sampled_from([0.0, 0.2]),
    }
    return st.builds(Mixture, **{**parts, **{name: st.just(value) for name, value in fixed.items()}})


def random_set(mixture: Mixture) -> EvaluationSet:
    """Ground-truth boxes of all sizes, and detections on, beside and far from them."""
    random = np.random.default_rng(mixture.seed)
    gt_image = random.integers(0, mixture.images, mixture.ground_truths)
    ground_truth = GroundTruth(
        _boxes(random, mixture.ground_truths),
        random.integers(0, mixture.classes, mixture.ground_truths),
        random.random(mixture.ground_truths) < mixture.crowd,
        random.random(mixture.ground_truths) < mixture.difficult,
    )
    found_image, found = _found_near(random, mixture, ground_truth, gt_image)
    evaluator = Evaluator([f"class {k}" for k in range(mixture.classes)])
    for image in range(mixture.images):
        evaluator.add(f"{image:04d}.jpg", found[found_image == image], ground_truth[gt_image == image])
    return evaluator.gathered()


def image_set(
    *images: tuple[list[tuple[Box, float, int]], list[tuple[Box, int]]], classes: int = 3
) -> EvaluationSet:
    """A set by hand: for each image its detections (box, confidence, class) and objects (box, class)."""
    evaluator = Evaluator([f"class {k}" for k in range(classes)])
    for number, (found, ground_truth) in enumerate(images):
        evaluator.add(f"{number:04d}.jpg", _detections(found), _ground_truth(ground_truth))
    return evaluator.gathered()


def on_image(gathered: EvaluationSet, place: int) -> tuple[Detections, GroundTruth]:
    """The detections and the ground truth of the image at place ``place``."""
    return gathered.found[gathered.found_image == place], gathered.ground_truth[gathered.gt_image == place]


def perfect(gathered: EvaluationSet, confidence: float = 0.9) -> EvaluationSet:
    """The same ground truth, with each counted ground truth found exactly and nothing else."""
    evaluator = Evaluator(gathered.class_names)
    for place, image in enumerate(gathered.images):
        ground_truth = on_image(gathered, place)[1]
        counted = ground_truth[~(ground_truth.crowd | ground_truth.difficult)]
        scores = np.full(len(counted), confidence)
        evaluator.add(image, Detections(counted.xyxy, scores, counted.class_id), ground_truth)
    return evaluator.gathered()


def with_found(gathered: EvaluationSet, found: list[Detections]) -> EvaluationSet:
    """The same ground truth with other detections: one entry an image."""
    evaluator = Evaluator(gathered.class_names)
    for place, image in enumerate(gathered.images):
        evaluator.add(image, found[place], on_image(gathered, place)[1])
    return evaluator.gathered()


def _detections(rows: list[tuple[Box, float, int]]) -> Detections:
    return Detections(
        np.array([row[0] for row in rows], float).reshape(-1, 4),
        np.array([row[1] for row in rows], float),
        np.array([row[2] for row in rows], int),
    )


def _ground_truth(rows: list[tuple[Box, int]]) -> GroundTruth:
    boxes = np.array([row[0] for row in rows], float).reshape(-1, 4)
    return GroundTruth(boxes, np.array([row[1] for row in rows], int))


def _boxes(random: np.random.Generator, count: int) -> NDArray[np.float64]:
    """(N, 4): sides of 8 to 192 px, so that all three sizes occur, with many exact and near repeats."""
    side = random.choice([8, 16, 31.75, 32, 40, 96, 96.25, 192], (count, 2))
    low = random.integers(0, 80, (count, 2)) * 2.5
    return np.concatenate([low, low + side], axis=1)


def _found_near(
    random: np.random.Generator,
    mixture: Mixture,
    ground_truth: GroundTruth,
    gt_image: NDArray[np.integer[Any]],
) -> tuple[NDArray[np.integer[Any]], Detections]:
    """Detections and their images: four of five near a object, often exactly on it, of its class or not."""
    count = mixture.found
    image = random.integers(0, mixture.images, count)
    class_id = random.integers(0, mixture.classes, count)
    xyxy = _boxes(random, count)
    if mixture.ground_truths:
        near = random.random(count) < 0.8
        pick = random.integers(0, mixture.ground_truths, count)
        shift = np.round(random.normal(0, 4, (count, 4)) * random.integers(0, 2, (count, 1)) * 4) / 4
        moved = ground_truth.xyxy[pick] + shift
        xyxy[near] = np.concatenate([moved[:, :2], np.maximum(moved[:, :2], moved[:, 2:])], axis=1)[near]
        image[near] = gt_image[pick][near]
        same = near & (random.random(count) < 0.8)
        class_id[same] = ground_truth.class_id[pick][same]
    confidence = random.integers(1, mixture.levels + 1, count) / mixture.levels
    return image, Detections(xyxy, confidence, class_id)
