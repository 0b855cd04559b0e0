"""A model's network opened for what happens inside: its feature maps, and what they depend on."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.config import DEFAULT_MODEL
from yolo_cli.errors import UsageError
from yolo_cli.files import path_of
from yolo_cli.images import Image
from yolo_cli.letterbox import Letterbox
from yolo_cli.weights import ModelCard, find_model, read_card

__all__ = ["FeatureLayer", "Network", "open_network"]

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]
_ACTIVATIONS = ("LeakyReLU", "ReLU", "Activation", "Mish")


@dataclass(frozen=True, slots=True)
class FeatureLayer:
    """The last activation before the map gets coarser.

    Attributes:
        name: of the layer.
        stride: pixels of the input between neighbouring cells.
        channels: of the map.
        field_size: side of the receptive field of a cell in pixels of the input.
        start: the first pixel of the field of cell 0.
    """

    name: str
    stride: int
    channels: int
    field_size: int
    start: int

    def box(self, row: int, column: int) -> tuple[float, ...]:
        """The receptive field of a cell: xyxy in pixels of the input; it may extend beyond it."""
        left, top = self.start + column * self.stride, self.start + row * self.stride
        return left, top, left + self.field_size, top + self.field_size


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """A network, and its feature maps from fine to coarse.

    Attributes:
        model: the Keras model.
        card: its card.
        size: height and width of the input in pixels.
        layers: one for each stride.
        inner: the model up to those layers: its outputs are their maps.
    """

    model: Any
    card: ModelCard
    size: tuple[int, int]
    layers: tuple[FeatureLayer, ...]
    inner: Any

    def letterbox(self, image: Image) -> Letterbox:
        """How an image is fitted into the input."""
        return Letterbox.fit(image.height, image.width, *self.size, kind=self.card.resize)

    def maps(self, pixels: Sequence[Pixels]) -> list[Floats]:
        """The map of each layer (B, H, W, C) for inputs, each (height, width, 3)."""
        from yolo_cli.framework import keras, ops

        outputs = keras.tree.flatten(self.inner(np.stack(pixels), training=False))
        return [np.asarray(ops.convert_to_numpy(one)) for one in outputs]

    def first_kernels(self) -> Floats:
        """The kernels of the first convolution, (h, w, C, filters)."""
        first = next(layer for layer in self.model.layers if type(layer).__name__.endswith("Conv2D"))
        return np.asarray(first.get_weights()[0])


def open_network(
    weights: str | os.PathLike[str] | None = None, imgsz: int | tuple[int, int] | None = None
) -> Network:
    """Open a model that takes whole images.

    Args:
        weights: a model, as for `load_detector`; None is the default model.
        imgsz: height and width of the input, or a side; None follows the model.

    Raises:
        UserError: if there is no such model, it has no ``.keras`` file, works on features of another
            network, or has a larger stride than ``imgsz`` allows.
    """
    from yolo_cli.framework import keras
    from yolo_cli.model.keras_file import load_keras

    files = find_model(DEFAULT_MODEL if weights is None else str(path_of(weights, "weights")))
    if files.keras is None:
        raise UsageError(f"{files.name}: has no .keras file, whose layers are shown")
    card, model = read_card(files.keras), load_keras(files.keras)
    if model.input.shape[-1] != 3:
        raise UsageError(f"{files.name}: works on the features of another network; name a YOLO model")
    height, width = (imgsz, imgsz) if isinstance(imgsz, int) else imgsz or card.input_size
    if height % card.size_step or width % card.size_step:
        raise UsageError(f"imgsz {height}x{width}: each side must be a multiple of {card.size_step}")
    layers = feature_layers(model)
    inner = keras.Model(model.input, [model.get_layer(layer.name).output for layer in layers])
    return Network(model, card, (height, width), layers, inner)


def _is_activation(layer: Any) -> bool:
    linear = layer.get_config().get("activation") == "linear"
    return type(layer).__name__ in _ACTIVATIONS and not linear


def feature_layers(model: Any) -> tuple[FeatureLayer, ...]:
    """The last activation of each stride, from fine to coarse; those after an upsampling do not count."""
    from yolo_cli.visualisation.receptive import receptive_fields

    fields, found = receptive_fields(model), dict[int, FeatureLayer]()
    for layer in filter(_is_activation, model.layers):
        field = fields[layer.name]
        stride = int(field.stride)
        if field.size == np.inf or stride < max(found, default=2):
            continue
        found[stride] = FeatureLayer(
            layer.name, stride, int(layer.output.shape[-1]), int(field.size), int(field.start)
        )
    return tuple(found.values())
