"""Regions of training images as features with their targets, computed once."""

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
from yolo_cli.training.regions.labelling import Labelled, label, teaching
from yolo_cli.training.workspace import NO_WORKSPACE, Workspace

__all__ = ["Draw", "Examples", "choose_regions", "collect"]

Floats = NDArray[np.floating[Any]]
Describe = Callable[[Image, Floats], Floats]


@dataclass(frozen=True, slots=True)
class Draw:
    """Which proposals of an image become examples, as in Fast R-CNN.

    Attributes:
        near: at most so many that show an object.
        far: at most so many that show background.
        shows: overlap with a ground truth from which a proposal shows it.
        grazes: background that overlaps a ground truth by at least this is drawn first, being hard to tell.
    """

    near: int = 16
    far: int = 32
    shows: float = 0.5
    grazes: float = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """Regions of many images.

    Attributes:
        features: float16, (M, rows, columns, C).
        class_id: (M,), -1 for background.
        deltas: (M, 4), how the box must change to be the ground truth's; 0 for background.
    """

    features: NDArray[np.float16]
    class_id: NDArray[np.int64]
    deltas: NDArray[np.float32]


def collect(
    samples: Sequence[Sample],
    propose: Callable[[Image], Floats],
    describe: Describe,
    draw: Draw,
    seed: int = 0,
    workspace: Workspace = NO_WORKSPACE,
) -> Examples:
    """Features and targets of chosen regions of every image.

    Args:
        samples: the images.
        propose: where to look on each.
        describe: image and boxes (N, 4) → features (N, rows, columns, C).
        draw: which proposals to take.
        seed: the same seed draws the same.
        workspace: keeps what each image gave.
    """

    def work(number: int, sample: Sample) -> tuple[NDArray[Any], ...]:
        image, ground_truth = sample.read(), teaching(sample.ground_truth)
        chosen = choose_regions(propose(image), ground_truth, draw, np.random.default_rng((seed, number)))
        features = describe(image, chosen.xyxy).astype(np.float16)  # (N, rows, columns, C)
        shown = np.where(chosen.overlap >= draw.shows, chosen.class_id, -1)  # (N,)
        return features, shown, _deltas(chosen, ground_truth, shown >= 0)

    parts = workspace.each_image(samples, work)
    return Examples(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def choose_regions(
    proposals: Floats, ground_truth: GroundTruth, draw: Draw, random: np.random.Generator
) -> Labelled:
    """The ground truths themselves and some of the proposals (N, 4)."""
    every = label(np.concatenate([ground_truth.xyxy, proposals]).astype(np.float64), ground_truth)
    shows = every.overlap >= draw.shows  # (N,)
    grazes = ~shows & (every.overlap >= draw.grazes)  # (N,)
    near = _some(np.flatnonzero(shows), draw.near, random)
    hard = _some(np.flatnonzero(grazes), draw.far * 3 // 4, random)
    easy = _some(np.flatnonzero(~shows & ~grazes), draw.far - len(hard), random)
    return every[np.concatenate([near, hard, easy])]


def _some(places: NDArray[np.intp], count: int, random: np.random.Generator) -> NDArray[np.intp]:
    """At most ``count`` of them."""
    return random.permutation(places)[:count]


def _deltas(chosen: Labelled, ground_truth: GroundTruth, shows: NDArray[np.bool_]) -> NDArray[np.float32]:
    """How each region must change, (N, 4); 0 where it shows nothing."""
    deltas = np.zeros((len(chosen), 4), np.float32)
    if shows.any():
        deltas[shows] = deltas_between(chosen.xyxy[shows], ground_truth.xyxy[chosen.ground_truth[shows]])
    return deltas
