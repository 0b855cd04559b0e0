"""The start of training: a trained model, a Darknet cfg, or an image classifier."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from yolo_cli.anchors import read_anchors
from yolo_cli.codec import Head
from yolo_cli.config import DEFAULT_ANCHORS, DEFAULT_MODEL
from yolo_cli.errors import DataError
from yolo_cli.model.keras_file import load_keras
from yolo_cli.training.job import TrainJob

__all__ = ["Start", "choose_start"]

# Default input size of an image classifier with the heads of YOLOv4-tiny.
INPUT_SIZE = (416, 416)


@dataclass(frozen=True, slots=True)
class Start:
    """A network, before its heads are replaced for the new classes.

    Attributes:
        model: a float32 model of `yolo_cli.model`.
        heads: its heads.
        class_names: the classes of its heads; None if it is untrained.
        input_size: its default height and width, pixels.
        learnt: names of the trained layers.
        origin: its description, for the model card.
        licence: of its weights.
    """

    model: Any
    heads: tuple[Head, ...]
    class_names: Sequence[str] | None
    input_size: tuple[int, int]
    learnt: frozenset[str]
    origin: str
    licence: str


def choose_start(job: TrainJob) -> Start:
    """Build or load the starting network of a job.

    Raises:
        DataError: if it cannot be read.
    """
    if job.model is not None:
        return _from_cfg(Path(job.model))
    if job.backbone is not None:
        return _from_backbone(job.backbone, job.backbone_weights)
    name = job.weights or DEFAULT_MODEL
    start = _from_weights(name)
    return _forgotten(start, name) if job.from_scratch else start


def _from_weights(name: str) -> Start:
    """Start from a trained model."""
    import yolo_cli.model  # noqa: F401 - its layers must be known before a file names them
    from yolo_cli.weights import find_model, read_card

    files = find_model(name)
    if files.keras is None:
        raise DataError(f"{files.first}: training needs the model's .keras file, and none is beside it")
    card = read_card(files.keras)
    model = load_keras(files.keras)
    origin = f"fine-tuned from {card.name}"
    return Start(model, card.heads, card.class_names, card.input_size, _layers(model), origin, card.licence)


def _forgotten(start: Start, name: str) -> Start:
    """The same network with random weights."""
    from yolo_cli.framework import keras

    fresh = keras.models.clone_model(start.model)
    origin = f"trained from scratch, built like {name}"
    return replace(start, model=fresh, class_names=None, learnt=frozenset(), origin=origin, licence="none")


def _from_cfg(path: Path) -> Start:
    """The network of a Darknet cfg, with random weights."""
    from yolo_cli.darknet import read_cfg
    from yolo_cli.model import build_model
    from yolo_cli.weights.darknet_import import heads_of

    network = read_cfg(path)
    size = (network.net.integer("height"), network.net.integer("width"))
    origin = f"trained from scratch, built like {path.name}"
    return Start(build_model(network), heads_of(network), None, size, frozenset(), origin, "none")


def _from_backbone(name: str, weights: str | None) -> Start:
    """An image classifier under the heads of YOLOv4-tiny."""
    from yolo_cli.model.backbones import backbone_layers, build_backbone_model

    source: Path | Literal["imagenet"] | None = None
    if weights is not None:
        source = "imagenet" if weights == "imagenet" else Path(weights)
    model, heads = build_backbone_model(name, 1, _anchors(), source)
    learnt = _names(backbone_layers(model)) if weights else frozenset()
    words = f"with weights {weights}" if weights else "from scratch"
    licence = "that of the backbone's weights" if weights else "none"
    return Start(model, heads, None, INPUT_SIZE, learnt, f"{name} under YOLO heads, {words}", licence)


def _layers(model: Any) -> frozenset[str]:
    return _names(model.layers)


def _names(layers: Iterable[Any]) -> frozenset[str]:
    return frozenset(layer.name for layer in layers)


def _anchors() -> tuple[tuple[tuple[float, float], ...], ...]:
    """Anchors (width, height) of YOLOv4-tiny's coarse and fine head; one anchor is used by both."""
    wh = [(float(w), float(h)) for w, h in read_anchors(DEFAULT_ANCHORS).wh]
    return tuple(wh[3:6]), tuple(wh[1:4])
