"""Train the localisation network: class and box of the largest object of an image."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.augment import augment
from yolo_cli.boxes import box_area, clip_boxes, intersection
from yolo_cli.config import AugmentConfig
from yolo_cli.datasets import Sample
from yolo_cli.detections import GroundTruth
from yolo_cli.detectors.feature_map import SIDE
from yolo_cli.detectors.localisation import BOX, encode
from yolo_cli.framework import ops
from yolo_cli.images import Image
from yolo_cli.letterbox import Letterbox
from yolo_cli.loss import ciou
from yolo_cli.model.region_heads import build_localisation_head
from yolo_cli.training.regions.labelling import away_from_gt, trainable
from yolo_cli.training.workspace import NO_WORKSPACE, EpochBatches, Workspace, compile_adamw, set_seed

__all__ = ["Views", "collect_views", "fit_localisation_head", "localisation_loss", "views_of"]

BATCH = 64
RATE = 1e-3
SMOOTHING = 0.1  # label smoothing: the network easily overfits two thousand images
BOX_WEIGHT = 3.0  # weight of the box loss relative to p_c and the classes
VARIED = AugmentConfig(mosaic=0.0, cutout=0.0)
IGNORED = -1.0  # p_c of a view that teaches nothing
TRIES = 40  # candidate positions for a crop without objects

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Views:
    """Features and targets of augmented views of images.

    Attributes:
        features: float16, (M, rows, columns, C).
        vectors: targets (M, 5 + K) from `yolo_cli.detectors.localisation.encode`.
    """

    features: NDArray[np.float16]
    vectors: NDArray[np.float32]


def collect_views(
    samples: Sequence[Sample],
    describe: Callable[[Image], NDArray[np.float32]],
    classes: int,
    seed: int = 0,
    workspace: Workspace = NO_WORKSPACE,
) -> Views:
    """Features and vectors of the views of every image, without those that show only ignored objects.

    Args:
        samples: the images.
        describe: image → features (rows, columns, C).
        classes: number of classes.
        seed: random seed.
        workspace: stores the results of each image.
    """

    def work(number: int, sample: Sample) -> tuple[NDArray[Any], ...]:
        random = np.random.default_rng((seed, number + 1))
        views = list(views_of(sample.read().rgb, sample.ground_truth, random))
        features = [describe(Image(rgb)).astype(np.float16) for rgb, _ in views]  # each (rows, columns, C)
        return np.stack(features), np.stack([_vector(ground_truth, classes) for _, ground_truth in views])

    parts = workspace.each_image(samples, work)
    features, vectors = (np.concatenate(column) for column in zip(*parts, strict=True))
    known = vectors[:, 0] != IGNORED  # (M,)
    return Views(features[known], vectors[known])


def views_of(
    rgb: Pixels, ground_truth: GroundTruth, random: np.random.Generator, varied: int = 3
) -> Iterator[tuple[Pixels, GroundTruth]]:
    """Views (SIDE, SIDE, 3) of one image, each with its boxes.

    The complete image; ``varied`` views that are randomly flipped, resized, moved and recoloured; and, if
    possible, a crop without objects: most data sets have no empty images, and without them the network would
    not learn p_c = 0.
    """
    letterbox = _square(rgb)
    whole = GroundTruth(
        letterbox.forward(ground_truth.xyxy),
        ground_truth.class_id,
        ground_truth.crowd,
        ground_truth.difficult,
    )
    yield letterbox.apply(rgb), whole
    for _ in range(varied):
        yield augment([(rgb, ground_truth)], random, VARIED, (SIDE, SIDE))
    part = _empty_part(rgb, ground_truth, random)
    if part is not None:
        yield _square(part).apply(part), GroundTruth()


def _square(rgb: Pixels) -> Letterbox:
    """The letterbox of an image (height, width, 3) in the network's input."""
    return Letterbox.fit(rgb.shape[0], rgb.shape[1], SIDE, SIDE)


def _empty_part(rgb: Pixels, ground_truth: GroundTruth, random: np.random.Generator) -> Pixels | None:
    """The largest candidate crop without objects; None if there is none."""
    height, width = rgb.shape[:2]
    tried = away_from_gt((height, width), ground_truth, TRIES, random).xyxy  # (N, 4)
    inside = np.rint(clip_boxes(tried, (height, width)))  # (N, 4)
    free = inside[~(intersection(inside, ground_truth.xyxy.astype(np.float64)) > 0).any(axis=1)]  # (M, 4)
    if not len(free) or box_area(free).max() < 1:
        return None
    left, top, right, bottom = free[box_area(free).argmax()].astype(int).tolist()
    return np.ascontiguousarray(rgb[top:bottom, left:right])


def _vector(ground_truth: GroundTruth, classes: int) -> NDArray[np.float32]:
    """The target vector of the largest of the boxes, in pixels of the input.

    Its p_c is IGNORED if all are difficult or crowds: there is something, but nothing to learn from.
    """
    shown = trainable(ground_truth)
    if not len(shown):
        vector = encode(None, 0, classes)
        vector[0] = IGNORED if box_area(ground_truth.xyxy).any() else 0
        return vector
    xyxy = clip_boxes(shown.xyxy.astype(np.float64), (SIDE, SIDE)) / SIDE  # (N, 4)
    largest = int(box_area(xyxy).argmax())
    return encode(xyxy[largest], int(shown.class_id[largest]), classes)


def localisation_loss(vector: Any, raw: Any) -> Any:
    """The loss of raw vectors (B, 5 + K): (B,).

    Binary cross-entropy of p_c; and, as in the course, only if there is an object, the losses of box and
    classes: BOX_WEIGHT times 1 − CIoU (Zheng et al., "Distance-IoU Loss", AAAI 2020), and cross-entropy. The
    course uses squared errors, which weigh an error of a few pixels equally for small and large boxes.
    """
    there, wanted = vector[:, 0], vector[:, 1 + BOX :]  # (B,), (B, K)
    object_loss = ops.softplus(raw[:, 0]) - raw[:, 0] * there  # (B,)
    wanted = (1 - SMOOTHING) * wanted + SMOOTHING / wanted.shape[-1]  # (B, K)
    class_loss = -ops.sum(wanted * ops.log_softmax(raw[:, 1 + BOX :]), axis=-1)  # (B,)
    _, overlap = ciou(_xyxy(ops.sigmoid(raw[:, 1 : 1 + BOX])), _xyxy(vector[:, 1 : 1 + BOX]))  # (B,)
    return object_loss + there * (class_loss + BOX_WEIGHT * (1 - overlap))


def _xyxy(box: Any) -> Any:
    """Corners (B, 4) of b_x, b_y, b_h and b_w (B, 4)."""
    x, y, height, width = (box[:, place] for place in range(BOX))  # each (B,)
    return ops.stack([x - width / 2, y - height / 2, x + width / 2, y + height / 2], axis=-1)


class _Batches(EpochBatches):
    """Views, shuffled in every epoch."""

    def __init__(self, views: Views, seed: int) -> None:
        super().__init__(len(views.vectors), BATCH, seed)
        self._views = views

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Features (B, rows, columns, C) and vectors (B, 5 + K)."""
        chosen = self.chosen(index)  # (B,)
        return self._views.features[chosen].astype(np.float32), self._views.vectors[chosen]


def fit_localisation_head(
    views: Views, classes: int, epochs: int, seed: int = 0, workspace: Workspace = NO_WORKSPACE
) -> Any:
    """Train the localisation head on ``views``."""
    set_seed(seed)
    model = build_localisation_head(views.features.shape[1:], classes)
    batches = _Batches(views, seed)
    compile_adamw(model, [localisation_loss], RATE, epochs * len(batches))
    workspace.fit(model, batches, epochs)
    return model
