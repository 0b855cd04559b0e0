"""Samples and the detections on them → an evaluation set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from yolo_cli.detections import Detections
from yolo_cli.evaluation.classes import ClassMatch
from yolo_cli.evaluation.evaluation_set import EvaluationSet, Evaluator

if TYPE_CHECKING:  # evaluation itself reads no images or annotation files
    from yolo_cli.datasets import Sample

__all__ = ["gather"]


def gather(
    samples: Sequence[Sample],
    found: Mapping[str, Detections],
    match: ClassMatch,
    minimum_confidence: float = 0.0,
    sigmas: Sequence[float] = (),
) -> EvaluationSet:
    """Pair the detections on each sample with its ground truth.

    Args:
        samples: the images.
        found: detections by sample name, with the model's class ids; other samples are left out.
        match: the evaluated classes.
        minimum_confidence: confidence threshold.
        sigmas: of key points to evaluate, (K,); () evaluates boxes only.

    Raises:
        DataError: if a detection cannot be evaluated, or no image is left.
    """
    evaluator = Evaluator(match.names, sigmas)
    ids = [sample.image_id for sample in samples]
    ranked = all(isinstance(image_id, int) for image_id in ids)  # pycocotools orders images by id
    for sample, image_id in zip(samples, ids, strict=True):
        if sample.name in found:
            detections = found[sample.name]
            kept = detections[detections.confidence >= minimum_confidence]
            rank = int(image_id) if ranked else None
            evaluator.add(sample.name, match.found(kept), match.ground_truth(sample.ground_truth), rank)
    return evaluator.gathered()
