"""Train Faster R-CNN: first the region proposal network, then the head on its proposals.

Ren et al. (NIPS 2015) alternate between both in four steps, because the shared layers change. Here the shared
features are frozen, so one step each is enough, and they are computed only once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.datasets import Sample
from yolo_cli.detections import GroundTruth
from yolo_cli.detectors.feature_map import SIDE, image_features, region_features
from yolo_cli.detectors.proposal_network import best_proposals
from yolo_cli.engines import Engine
from yolo_cli.images import Image
from yolo_cli.letterbox import Letterbox
from yolo_cli.model.proposals import merge_with_head
from yolo_cli.training.regions.examples import Examples, Sampling, collect
from yolo_cli.training.regions.heads import fit_mlp_head
from yolo_cli.training.regions.proposals import fit_proposal_network
from yolo_cli.training.workspace import NO_WORKSPACE, Workspace

__all__ = ["fit_faster_rcnn"]

REDUCED = 96  # channels after the head's first layer; the file is a third as large as without that layer

Maps = dict[str, NDArray[np.float16]]


def fit_faster_rcnn(
    samples: Sequence[Sample],
    backbone: Engine,
    classes: int,
    epochs: tuple[int, int],
    seed: int = 0,
    workspace: Workspace = NO_WORKSPACE,
) -> Any:
    """Train both networks one after the other, and merge them into one model.

    Args:
        samples: the images, with unique names.
        backbone: computes the feature map that both use.
        classes: number of classes.
        epochs: of the proposal network, and of the head.
        seed: random seed.
        workspace: stores intermediate results.
    """

    def see(_number: int, sample: Sample) -> tuple[NDArray[np.float16]]:
        return (image_features(backbone, sample.read()).astype(np.float16),)  # (rows, columns, C)

    seen = workspace.each_image(samples, see, "maps")
    maps = {sample.name: features for sample, (features,) in zip(samples, seen, strict=True)}
    ground_truths = [_in_square(sample) for sample in samples]
    proposer = fit_proposal_network(list(maps.values()), ground_truths, epochs[0], seed, workspace)
    examples = _examples(samples, maps, proposer, seed, workspace)
    return merge_with_head(proposer, fit_mlp_head(examples, classes, epochs[1], seed, workspace, REDUCED))


def _in_square(sample: Sample) -> GroundTruth:
    """The boxes of an image in pixels of the network's input."""
    ground_truth = sample.ground_truth
    square = Letterbox.fit(*sample.size, SIDE, SIDE).forward(ground_truth.xyxy)  # (N, 4)
    return GroundTruth(square, ground_truth.class_id, ground_truth.crowd, ground_truth.difficult)


def _examples(
    samples: Sequence[Sample], maps: Maps, proposer: Any, seed: int, workspace: Workspace
) -> Examples:
    """Features of sampled proposals of every image: the head's training data."""

    def propose(image: Image) -> Any:
        [raw] = proposer.predict_on_batch(maps[image.name][None].astype(np.float32))  # (rows, columns, 5 A)
        return best_proposals(raw, image)

    def describe(image: Image, boxes: Any) -> Any:
        return region_features(maps[image.name].astype(np.float32), image, boxes)

    return collect(samples, propose, describe, Sampling(), seed, workspace)
