"""The classifier of sliding windows, with dense layers and as convolutions.

No layer pads, so the output for a window does not depend on its position: run over a whole image, the same
layers give the same output for every window as for its crop. Only the dense layers must be converted to
convolutions, with the same weights: OverFeat (Sermanet et al., 2014), and before it Matan, Burges, LeCun and
Denker (1991).
"""

from __future__ import annotations

from typing import Any

from yolo_cli.framework import keras
from yolo_cli.model.region_heads import MOMENTUM

__all__ = ["as_convolutions", "build_window_classifier"]

EDGE = 4  # rows and columns of one window before the dense layers


def build_window_classifier(classes: int, side: int = 128, width: int = 16) -> Any:
    """A classifier of single windows, with dense layers.

    Args:
        classes: number of classes, including background as the last.
        side: side of a window in pixels.
        width: channels of the first layer.

    Returns:
        A Keras model: uint8 (B, side, side, 3) → one list of float32 (B, classes), before softmax. Its total
        stride is 16.
    """
    image = keras.Input((side, side, 3), dtype="uint8", name="rgb")
    x = _trunk(image, width)  # (B, 4, 4, 8 · width) for a side of 128
    x = keras.layers.Flatten(name="flat")(x)
    x = keras.layers.Dense(4 * width, activation="relu", name="hidden")(x)
    return keras.Model(image, [keras.layers.Dense(classes, name="scores")(x)], name="window_classifier")


def as_convolutions(model: Any) -> Any:
    """The same network for images of any size.

    Returns:
        A Keras model: uint8 (B, H, W, 3) → one list of float32 (B, rows, columns, classes), where row r and
        column c belong to the window at (16 r, 16 c).
    """
    hidden, scores = model.get_layer("hidden"), model.get_layer("scores")
    width = model.get_layer("conv_0").filters
    image = keras.Input((None, None, 3), dtype="uint8", name="rgb")
    x = _trunk(image, width)
    x = keras.layers.Conv2D(hidden.units, EDGE, activation="relu", name="hidden")(x)
    x = keras.layers.Conv2D(scores.units, 1, name="scores")(x)
    whole = keras.Model(image, [x], name="window_classifier")
    for layer in whole.layers:
        values = model.get_layer(layer.name).get_weights()
        if layer.name in ("hidden", "scores"):  # (inputs, units) → (rows, columns, channels, units)
            kernel, bias = values
            values = [kernel.reshape(layer.kernel.shape), bias]
        layer.set_weights(values)
    return whole


def _trunk(image: Any, width: int) -> Any:
    """Four convolutions, each with normalisation and ReLU; total stride 16."""
    x = keras.layers.Rescaling(1 / 127.5, offset=-1.0, dtype="float32", name="scale")(image)
    for index, (size, stride, factor) in enumerate(((5, 2, 1), (3, 1, 2), (3, 1, 4), (3, 1, 8))):
        x = keras.layers.Conv2D(width * factor, size, stride, use_bias=False, name=f"conv_{index}")(x)
        x = keras.layers.BatchNormalization(momentum=MOMENTUM, name=f"norm_{index}")(x)
        x = keras.layers.ReLU(name=f"relu_{index}")(x)
        if index < 3:
            x = keras.layers.MaxPooling2D(2, name=f"pool_{index}")(x)
    return x
