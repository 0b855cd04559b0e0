"""The part of a network on whose layers content and style are compared."""

from __future__ import annotations

import os
from typing import Any

from yolo_cli.framework import keras
from yolo_cli.model.backbones import build_backbone
from yolo_cli.visualisation.networks import feature_layers, open_network

__all__ = ["STRIDES", "feature_model"]

STRIDES = (2, 4, 8, 16)
"""Of the layers, in pixels; a coarser one sees more than a stroke."""


def feature_model(weights: str | os.PathLike[str] | None = None, backbone: str | None = None) -> Any:
    """The layers of a network that show style.

    They take RGB (B, H, W, 3), 0 to 255, as float32, and return a map for each of `STRIDES`.

    Args:
        weights: a YOLO model with a ``.keras`` file; None is the default model.
        backbone: in place of it, a backbone with its published ImageNet weights, such as efficientnet-lite0.

    Raises:
        UserError: if there is no such network, or its weights are not at hand.
    """
    network = open_network(weights).model if backbone is None else build_backbone(backbone, "imagenet")
    names = {layer.stride: layer.name for layer in feature_layers(network)}
    # A copy on pixels in float32: through uint8, no gradient comes back.
    pixels = keras.Input((None, None, 3), name="pixels")
    copy = keras.models.clone_model(network, input_tensors=pixels)
    copy.set_weights(network.get_weights())
    maps = keras.Model(pixels, [copy.get_layer(names[stride]).output for stride in STRIDES])
    maps.trainable = False
    return maps
