"""The recipe of each region method: data set → trained network and its model card."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from yolo_cli.config import DEFAULT_MODEL
from yolo_cli.datasets import Dataset, hold_out
from yolo_cli.detectors.feature_map import SIDE as MAP_SIDE
from yolo_cli.detectors.feature_map import image_features, region_features
from yolo_cli.detectors.loading import open_backbone
from yolo_cli.detectors.localisation import coarse_features
from yolo_cli.detectors.rcnn import SIDE as CROP_SIDE
from yolo_cli.detectors.rcnn import crop_features
from yolo_cli.detectors.selective_search import SearchConfig, selective_search
from yolo_cli.detectors.windows import WINDOW
from yolo_cli.engines import Engine, Runtime, check_keras_device, keras_device, onnx_uses_cuda
from yolo_cli.framework import keras
from yolo_cli.hardware import Device
from yolo_cli.images import Image
from yolo_cli.model.windows import as_convolutions
from yolo_cli.training.dataset import require_boxes
from yolo_cli.training.job import TrainJob
from yolo_cli.training.regions.examples import Examples, Sampling, collect
from yolo_cli.training.regions.faster_rcnn import fit_faster_rcnn
from yolo_cli.training.regions.heads import fit_linear_head, fit_mlp_head
from yolo_cli.training.regions.localisation import collect_views, fit_localisation_head
from yolo_cli.training.regions.windows import train_window_classifier
from yolo_cli.training.result import TrainResult
from yolo_cli.training.workspace import NO_WORKSPACE, Workspace
from yolo_cli.weights import ModelCard, ModelFiles, find_model
from yolo_cli.weights.save import save_model
from yolo_cli.weights.store import sha256

__all__ = ["BACKBONE", "METHODS", "fit_method", "train_regions"]

BACKBONE = f"{DEFAULT_MODEL}:route_034"
"""All methods except sliding windows use these features: 384 channels, stride 16."""

# A quarter of the variations covers most objects, and training needs only some proposals per image.
SEARCH = SearchConfig(colour_spaces=("hsv",), scales=(50.0,))

Fitted = tuple[Any, dict[str, Any]]  # a network, and fields of its card
Method = Callable[[Dataset, int | None, int, Workspace, Device], Fitted]  # data, epochs, seed → network


def train_regions(job: TrainJob, data: Dataset, workspace: Workspace) -> TrainResult:
    """The recipe of every region method: train on the split "train", without the images of "val".

    As for YOLO, these are held out if the data set has none.

    Raises:
        DataError: if no image has a box, or something cannot be written.
        UsageError: if a GPU is asked for, and there is none.
    """
    data = hold_out(data, seed=job.config.seed)
    learn = require_boxes(data.in_split("train"))
    best = job.out / "weights" / "best"
    if job.finished:
        workspace.watcher.say("this run is finished already")
        files = find_model(str(best))
    else:
        check_keras_device(job.config.device, workspace.watcher.say)
        with keras_device(job.config.device):
            model, fields = fit_method(
                job.detector, learn, job.config.epochs, job.config.seed, workspace, job.config.device
            )
        source = {"data_sha256": data.content_hash, "learnt_from": "train", "seed": str(job.config.seed)}
        card = _card(best.name, learn, {"detector": job.detector, **fields}, source)
        # A model of the same layers without an optimizer, whose state would triple the file.
        bare = keras.Model(model.inputs, model.outputs, name=model.name)
        files = save_model(bare, card, best, half=True)
    return _result(job, files, len(learn))


def _result(job: TrainJob, files: ModelFiles, images: int) -> TrainResult:
    assert files.keras is not None
    return TrainResult(job.out, files.keras, files.onnx, images)


def fit_method(
    detector: str,
    data: Dataset,
    epochs: int | None,
    seed: int = 0,
    workspace: Workspace = NO_WORKSPACE,
    device: Device = "auto",
) -> Fitted:
    """Train the network of a region method; also return the fields of its card that depend on the method.

    Args:
        detector: a key of `METHODS`.
        data: the training images.
        epochs: number of epochs; None means a default for a few thousand images.
        seed: random seed.
        workspace: stores intermediate results, and resumes from those of the same data.
        device: runs the backbone, in ONNX Runtime. Keras computes where `keras_device` says.
    """
    return METHODS[detector](data, epochs, seed, workspace, device)


def _backbone(device: Device) -> Engine:
    """The features on this device, or on the CPU if only Keras can use the GPU."""
    return open_backbone(BACKBONE, Runtime(device if onnx_uses_cuda() else "cpu"))


def _localisation(
    data: Dataset, epochs: int | None, seed: int, workspace: Workspace, device: Device
) -> Fitted:
    backbone, classes = _backbone(device), len(data.class_names)
    views = collect_views(
        data.samples, lambda image: coarse_features(backbone, image), classes, seed, workspace
    )
    return fit_localisation_head(views, classes, epochs or 15, seed, workspace), _on_backbone(MAP_SIDE)


def _windows(data: Dataset, epochs: int | None, seed: int, workspace: Workspace, _: Device) -> Fitted:
    model = train_window_classifier(data.samples, len(data.class_names), epochs or 12, seed, workspace)
    return as_convolutions(model), {"input_size": (WINDOW, WINDOW)}


def _rcnn(data: Dataset, epochs: int | None, seed: int, workspace: Workspace, device: Device) -> Fitted:
    backbone = _backbone(device)

    def describe(image: Image, boxes: Any) -> Any:
        return crop_features(backbone, image, boxes)

    # Fewer regions than Fast R-CNN: each crop costs a run of the network.
    examples = _examples(data, describe, Sampling(positive=10, negative=22), seed, workspace)
    model = fit_linear_head(examples, len(data.class_names), epochs or 7, seed, workspace)
    return model, _on_backbone(CROP_SIDE)


def _fast_rcnn(data: Dataset, epochs: int | None, seed: int, workspace: Workspace, device: Device) -> Fitted:
    backbone = _backbone(device)

    def describe(image: Image, boxes: Any) -> Any:
        return region_features(image_features(backbone, image), image, boxes)

    examples = _examples(data, describe, Sampling(), seed, workspace)
    model = fit_mlp_head(examples, len(data.class_names), epochs or 7, seed, workspace)
    return model, _on_backbone(MAP_SIDE)


def _faster_rcnn(
    data: Dataset, epochs: int | None, seed: int, workspace: Workspace, device: Device
) -> Fitted:
    both = (epochs or 6, epochs or 7)
    backbone = _backbone(device)
    model = fit_faster_rcnn(data.samples, backbone, len(data.class_names), both, seed, workspace)
    return model, _on_backbone(MAP_SIDE)


METHODS: Mapping[str, Method] = {
    "localisation": _localisation,
    "conv-sliding-window": _windows,
    "rcnn": _rcnn,
    "fast-rcnn": _fast_rcnn,
    "faster-rcnn": _faster_rcnn,
}
"""The sliding window uses the model of the convolutional one."""


def _examples(data: Dataset, describe: Any, sampling: Sampling, seed: int, workspace: Workspace) -> Examples:
    """Features of sampled proposals of selective search, of every image."""

    def propose(image: Image) -> Any:
        return selective_search(image, SEARCH)

    return collect(data.samples, propose, describe, sampling, seed, workspace)


def _on_backbone(side: int) -> dict[str, Any]:
    """Fields of the card of a network on the backbone's features."""
    file = find_model(BACKBONE.partition(":")[0]).onnx
    assert file is not None  # it was opened above
    source = {"backbone_sha256": sha256(file)}
    return {"input_size": (side, side), "backbone": BACKBONE, "source": source}


def _card(name: str, data: Dataset, fields: dict[str, Any], source: dict[str, str]) -> ModelCard:
    """The card of a model that was trained on ``data``; ``source`` is added to that of ``fields``."""
    boxes = int(np.sum([len(sample.labels) for sample in data.samples]))
    return ModelCard(
        name=name,
        class_names=data.class_names,
        heads=(),
        resize="stretch",
        origin="trained by yolo train",
        training_data=f"{len(data)} images with {boxes} boxes",
        **{**fields, "source": fields.get("source", {}) | source},
    )
