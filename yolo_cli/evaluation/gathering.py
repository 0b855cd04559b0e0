"""Detections and samples → what is judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from yolo_cli.datasets import Sample
from yolo_cli.detections import Detections
from yolo_cli.evaluation import EvaluationSet, Evaluator
from yolo_cli.judging.classes import ClassMatch

__all__ = ["gather"]


def gather(
    samples: Sequence[Sample], found: Mapping[str, Detections], match: ClassMatch, floor: float = 0.0
) -> EvaluationSet:
    """Put what was found on each sample beside its ground truth.

    Args:
        samples: the images that are judged.
        found: detections by name of the sample, with the model's class ids; samples that are not among them
            are not judged.
        match: which classes are judged.
        floor: detections below this confidence are not judged.

    Raises:
        DataError: if a detection cannot be judged, or no image is left.
    """
    judge = Evaluator(match.names)
    ids = [sample.image_id for sample in samples]
    ranked = all(isinstance(image_id, int) for image_id in ids)  # COCO's own program goes by the id
    for sample, image_id in zip(samples, ids, strict=True):
        if sample.name in found:
            kept = found[sample.name][found[sample.name].confidence >= floor]
            rank = int(image_id) if ranked else None
            judge.add(sample.name, match.found(kept), match.ground_truth(sample.ground_truth), rank)
    return judge.gathered()
