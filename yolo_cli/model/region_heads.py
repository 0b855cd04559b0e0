"""Heads on shared features: classes and boxes of regions, or of the one object of an image."""

from __future__ import annotations

from typing import Any

from yolo_cli.framework import keras

__all__ = ["DELTA_SCALE", "MOMENTUM", "build_linear_head", "build_localisation_head", "build_mlp_head"]

Shape = tuple[int, int, int]

MOMENTUM = 0.9
"""Of the moving statistics of batch normalisation.

The shortest runs have about 70 steps. After these the statistics at the start still weigh 0.9^70 = 0.0006;
with Keras's 0.99 it would be a half.
"""

# Typical size of dx, dy, dw and dh in training, so that the network's outputs are near 1.
DELTA_SCALE = (0.1, 0.1, 0.2, 0.2)


def build_linear_head(shape: Shape, classes: int) -> Any:
    """R-CNN's head: one linear classifier and one linear box regression per class.

    Returns:
        A Keras model: float32 (B, *shape) → a list of scores before σ (B, classes) and box deltas (B,
        4 · classes).
    """
    features = keras.Input(shape, name="features")
    x = _standardised(features)
    return keras.Model(features, _outputs(x, classes, classes), name="linear_head")


def build_mlp_head(shape: Shape, classes: int, hidden: int = 128, reduced: int | None = None) -> Any:
    """Fast R-CNN's head: one hidden layer for classes and boxes.

    Args:
        shape: rows, columns and channels of a region's features.
        classes: number of classes, without background.
        hidden: units of the hidden layer.
        reduced: output channels of a first 1 × 1 layer, for a smaller file; None leaves it out.

    Returns:
        A Keras model: float32 (B, *shape) → a list of scores before softmax (B, classes + 1), background
        last, and box deltas (B, 4 · classes).
    """
    features = keras.Input(shape, name="features")
    x = keras.layers.BatchNormalization(momentum=MOMENTUM, name="standard")(features)
    if reduced is not None:
        x = keras.layers.Conv2D(reduced, 1, activation="relu", name="reduce")(x)
    x = keras.layers.Flatten(name="flat")(x)
    x = keras.layers.Dense(hidden, activation="relu", name="hidden")(x)
    x = keras.layers.Dropout(0.3, name="dropout")(x)
    return keras.Model(features, _outputs(x, classes + 1, classes), name="mlp_head")


def build_localisation_head(shape: Shape, classes: int, width: int = 64) -> Any:
    """The head for images with one object: two convolutions, which shrink the map, and dense layers.

    Returns:
        A Keras model: float32 (B, *shape) → a list of one raw vector (B, 5 + classes): p_c, b_x, b_y, b_h,
        b_w and the classes, before σ and softmax.
    """
    features = keras.Input(shape, name="features")
    x = keras.layers.BatchNormalization(momentum=MOMENTUM, name="standard")(features)
    for index, (size, stride) in enumerate(((1, 1), (3, 2))):
        x = keras.layers.Conv2D(width, size, stride, padding="same", activation="relu", name=f"conv_{index}")(
            x
        )
        x = keras.layers.Dropout(0.2, name=f"dropout_{index}")(x)
    x = keras.layers.Dense(96, activation="relu", name="hidden")(keras.layers.Flatten(name="flat")(x))
    x = keras.layers.Dropout(0.2, name="dropout")(x)
    vector = keras.layers.Dense(5 + classes, name="vector")(x)
    return keras.Model(features, [vector], name="localisation_head")


def _standardised(features: Any) -> Any:
    """Standardise each channel to mean 0 and variance 1 over the training regions."""
    return keras.layers.Flatten(name="flat")(
        keras.layers.BatchNormalization(momentum=MOMENTUM, name="standard")(features)
    )


def _outputs(x: Any, scores: int, classes: int) -> list[Any]:
    deltas = keras.layers.Dense(4 * classes, kernel_initializer="zeros", name="deltas_in_scale")(x)
    scale = keras.layers.Rescaling(list(DELTA_SCALE) * classes, name="deltas")
    return [keras.layers.Dense(scores, name="scores")(x), scale(deltas)]
