"""Training examples of regions: features and targets, computed once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.datasets import Sample
from yolo_cli.detections import GroundTruth
from yolo_cli.detectors.regions import deltas_between
from yolo_cli.images import Image
from yolo_cli.training.regions.labelling import Labelled, in_ignored, label, trainable
from yolo_cli.training.workspace import NO_WORKSPACE, Workspace

__all__ = ["Examples", "Sampling", "choose_regions", "collect"]

Floats = NDArray[np.floating[Any]]
Describe = Callable[[Image, Floats], Floats]


@dataclass(frozen=True, slots=True)
class Sampling:
    """How proposals of an image are sampled as training examples, as in Fast R-CNN.

    Attributes:
        positive: maximum of proposals on objects.
        negative: maximum of proposals on background.
        positive_iou: IoU with a ground truth from which a proposal is positive.
        hard_iou: background with at least this IoU is preferred, as hard negatives.
    """

    positive: int = 16
    negative: int = 32
    positive_iou: float = 0.5
    hard_iou: float = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """Regions of many images.

    Attributes:
        features: float16, (M, rows, columns, C).
        class_id: (M,), -1 for background.
        deltas: (M, 4), from the region to its ground truth; 0 for background.
    """

    features: NDArray[np.float16]
    class_id: NDArray[np.int64]
    deltas: NDArray[np.float32]


def collect(
    samples: Sequence[Sample],
    propose: Callable[[Image], Floats],
    describe: Describe,
    sampling: Sampling,
    seed: int = 0,
    workspace: Workspace = NO_WORKSPACE,
) -> Examples:
    """Features and targets of sampled regions of every image.

    Args:
        samples: the images.
        propose: image → boxes (N, 4).
        describe: image and boxes (N, 4) → features (N, rows, columns, C).
        sampling: how proposals are sampled.
        seed: random seed.
        workspace: stores the results of each image.
    """

    def work(number: int, sample: Sample) -> tuple[NDArray[Any], ...]:
        image, ground_truth = sample.read(), sample.ground_truth
        chosen = choose_regions(propose(image), ground_truth, sampling, np.random.default_rng((seed, number)))
        features = describe(image, chosen.xyxy).astype(np.float16)  # (N, rows, columns, C)
        shown = np.where(chosen.overlap >= sampling.positive_iou, chosen.class_id, -1)  # (N,)
        return features, shown, _deltas(chosen, trainable(ground_truth), shown >= 0)

    parts = workspace.each_image(samples, work)
    return Examples(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def choose_regions(
    proposals: Floats, ground_truth: GroundTruth, sampling: Sampling, random: np.random.Generator
) -> Labelled:
    """The trainable ground-truth boxes and a sample of the proposals (N, 4), labelled.

    A proposal on a difficult object or in a crowd is background only in name, so it is left out.
    """
    targets = trainable(ground_truth)
    every = label(np.concatenate([targets.xyxy, proposals]).astype(np.float64), targets)
    positive = every.overlap >= sampling.positive_iou  # (N,)
    used = positive | ~in_ignored(every.xyxy, ground_truth)  # (N,)
    every, positive = every[used], positive[used]
    hard_to_tell = ~positive & (every.overlap >= sampling.hard_iou)  # (N,)
    chosen_positive = _some(np.flatnonzero(positive), sampling.positive, random)
    hard = _some(np.flatnonzero(hard_to_tell), sampling.negative * 3 // 4, random)
    easy = _some(np.flatnonzero(~positive & ~hard_to_tell), sampling.negative - len(hard), random)
    return every[np.concatenate([chosen_positive, hard, easy])]


def _some(places: NDArray[np.intp], count: int, random: np.random.Generator) -> NDArray[np.intp]:
    """A random sample of at most ``count``."""
    return random.permutation(places)[:count]


def _deltas(chosen: Labelled, ground_truth: GroundTruth, positive: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The deltas from each region to its ground truth, (N, 4); 0 for background."""
    deltas = np.zeros((len(chosen), 4), np.float32)
    if positive.any():
        deltas[positive] = deltas_between(
            chosen.xyxy[positive], ground_truth.xyxy[chosen.ground_truth[positive]]
        )
    return deltas
