"""From a data set to the files of a region detector."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from yolo_cli.datasets import Dataset
from yolo_cli.detectors.feature_map import SIDE as MAP_SIDE
from yolo_cli.detectors.feature_map import image_features, region_features
from yolo_cli.detectors.loading import open_backbone
from yolo_cli.detectors.localisation import coarse_features
from yolo_cli.detectors.rcnn import SIDE as CROP_SIDE
from yolo_cli.detectors.rcnn import crop_features
from yolo_cli.detectors.selective_search import SearchConfig, selective_search
from yolo_cli.detectors.windows import WINDOW
from yolo_cli.engines import OnnxEngine
from yolo_cli.errors import DataError, UsageError
from yolo_cli.images import Image
from yolo_cli.model.windows import as_convolutions
from yolo_cli.region_training.examples import Draw, Examples, collect
from yolo_cli.region_training.faster_rcnn import fit_faster_rcnn
from yolo_cli.region_training.heads import fit_linear_head, fit_mlp_head
from yolo_cli.region_training.localisation import collect_views, fit_localisation_head
from yolo_cli.region_training.run import UNKEPT, Run
from yolo_cli.region_training.windows import train_window_classifier
from yolo_cli.weights import ModelCard, ModelFiles, find_model
from yolo_cli.weights.save import save_model
from yolo_cli.weights.store import sha256

__all__ = ["BACKBONE", "REGION_DETECTORS", "RegionRecipe", "train_regions"]

BACKBONE = "yolov4-tiny-coco:route_034"
"""On whose features all but the windows stand: 384 channels, a cell every 16 pixels."""

REGION_DETECTORS = ("localisation", "conv-sliding-window", "rcnn", "fast-rcnn", "faster-rcnn")

# A quarter of the variations finds most objects, and training needs only some proposals of each image.
SEARCH = SearchConfig(colour_spaces=("hsv",), scales=(50.0,))


@dataclass(frozen=True, slots=True)
class RegionRecipe:
    """How a region detector is trained.

    Attributes:
        detector: one of ``REGION_DETECTORS``; the sliding window has the model of the convolutional one.
        epochs: how often the network sees all examples; None takes what suits some thousand images.
        seed: the same seed draws the same examples.

    Raises:
        UsageError: if there is no such detector, or there would be nothing to do.
    """

    detector: str
    epochs: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.detector not in REGION_DETECTORS:
            known = ", ".join(REGION_DETECTORS)
            raise UsageError(f"--detector {self.detector}: cannot be trained this way; there are {known}")
        if self.epochs is not None and self.epochs < 1:
            raise UsageError(f"--epochs is {self.epochs}, and must be at least 1")


def train_regions(data: Dataset, out: Path, recipe: RegionRecipe, run: Run = UNKEPT) -> ModelFiles:
    """Train on every image of ``data`` and write ``out.keras`` and ``out.onnx``.

    Args:
        data: the images to learn from: choose the split before.
        out: where the model goes, without a suffix.
        recipe: which detector, and how.
        run: keeps what is done, and goes on from what was kept. What it keeps must be of the same data.

    Raises:
        DataError: if no image shows an object, or something cannot be written.
    """
    if not any(len(sample.labels) for sample in data.samples):
        raise DataError(f"{data.root}: no image shows an object, so there is nothing to learn")
    trainers = {
        "localisation": _train_localisation,
        "conv-sliding-window": _train_windows,
        "faster-rcnn": _train_faster_rcnn,
    }
    model, card = trainers.get(recipe.detector, _train_on_features)(data, recipe, run)
    # A model of the same layers that was never compiled: the optimiser's memory would treble the file.
    bare = keras.Model(model.inputs, model.outputs, name=model.name)
    return save_model(bare, _named(card, data, out), out, half=True)


def _train_windows(data: Dataset, recipe: RegionRecipe, run: Run) -> tuple[Any, dict[str, Any]]:
    model = train_window_classifier(
        data.samples, len(data.class_names), recipe.epochs or 12, recipe.seed, run
    )
    return as_convolutions(model), {"detector": recipe.detector, "input_size": (WINDOW, WINDOW)}


def _train_localisation(data: Dataset, recipe: RegionRecipe, run: Run) -> tuple[Any, dict[str, Any]]:
    backbone, classes = open_backbone(BACKBONE), len(data.class_names)
    views = collect_views(
        data.samples, lambda image: coarse_features(backbone, image), classes, recipe.seed, run
    )
    model = fit_localisation_head(views, classes, recipe.epochs or 15, recipe.seed, run)
    return model, _standing_card(recipe, MAP_SIDE)


def _train_faster_rcnn(data: Dataset, recipe: RegionRecipe, run: Run) -> tuple[Any, dict[str, Any]]:
    epochs = (recipe.epochs or 6, recipe.epochs or 7)
    model = fit_faster_rcnn(
        data.samples, open_backbone(BACKBONE), len(data.class_names), epochs, recipe.seed, run
    )
    return model, _standing_card(recipe, MAP_SIDE)


def _train_on_features(data: Dataset, recipe: RegionRecipe, run: Run) -> tuple[Any, dict[str, Any]]:
    fast = recipe.detector == "fast-rcnn"
    backbone = open_backbone(BACKBONE)
    examples = _examples(data, backbone, recipe, run)
    fit = fit_mlp_head if fast else fit_linear_head
    model = fit(examples, len(data.class_names), recipe.epochs or 7, recipe.seed, run)
    return model, _standing_card(recipe, MAP_SIDE if fast else CROP_SIDE)


def _standing_card(recipe: RegionRecipe, side: int) -> dict[str, Any]:
    """What the card says of a network that stands on the backbone's features."""
    file = find_model(BACKBONE.partition(":")[0]).onnx
    assert file is not None  # it was opened above
    source = {"backbone_sha256": sha256(file)}
    return {
        "detector": recipe.detector,
        "input_size": (side, side),
        "backbone": BACKBONE,
        "source": source,
    }


def _examples(data: Dataset, backbone: OnnxEngine, recipe: RegionRecipe, run: Run) -> Examples:
    """Features of chosen regions of every image, in the way of the detector that is trained."""
    fast = recipe.detector == "fast-rcnn"

    def describe(image: Image, boxes: Any) -> Any:
        if fast:
            return region_features(image_features(backbone, image), image, boxes)
        return crop_features(backbone, image, boxes)

    def propose(image: Image) -> Any:
        return selective_search(image, SEARCH)

    draw = (
        Draw() if fast else Draw(near=10, far=22)
    )  # a crop costs a run of the network, a part of a map little
    return collect(data.samples, propose, describe, draw, recipe.seed, run)


def _named(card: dict[str, Any], data: Dataset, out: Path) -> ModelCard:
    boxes = int(np.sum([len(sample.labels) for sample in data.samples]))
    return ModelCard(
        name=out.name,
        class_names=data.class_names,
        heads=(),
        resize="stretch",
        origin="trained by yolo train",
        training_data=f"{len(data)} images with {boxes} boxes",
        **card,
    )
