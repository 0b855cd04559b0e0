"""What stands on the features of a region: which class it shows, and how its box must change."""

from __future__ import annotations

from typing import Any

import keras

__all__ = ["DELTA_SCALE", "build_linear_head", "build_mlp_head"]

Shape = tuple[int, int, int]

# How far dx, dy, dw and dh lie from 0 in training, about: the network's own values are near 1 then.
DELTA_SCALE = (0.1, 0.1, 0.2, 0.2)


def build_linear_head(shape: Shape, classes: int) -> Any:
    """R-CNN's: one linear classifier and one linear regression for each class, on the same features.

    Returns:
        A Keras model: float32 (B, *shape) → a list of scores before σ (B, classes) and changes of the box
        (B, 4 · classes).
    """
    features = keras.Input(shape, name="features")
    x = _standardised(features)
    return keras.Model(features, _outputs(x, classes, classes), name="linear_head")


def build_mlp_head(shape: Shape, classes: int, hidden: int = 128) -> Any:
    """Fast R-CNN's: one hidden layer for both questions.

    Returns:
        A Keras model: float32 (B, *shape) → a list of scores before softmax (B, classes + 1), background
        last, and changes of the box (B, 4 · classes).
    """
    features = keras.Input(shape, name="features")
    x = keras.layers.Dense(hidden, activation="relu", name="hidden")(_standardised(features))
    x = keras.layers.Dropout(0.3, name="dropout")(x)
    return keras.Model(features, _outputs(x, classes + 1, classes), name="mlp_head")


def _standardised(features: Any) -> Any:
    """Each channel with mean 0 and variance 1 over the training regions, all bins end to end."""
    return keras.layers.Flatten(name="flat")(keras.layers.BatchNormalization(name="standard")(features))


def _outputs(x: Any, scores: int, classes: int) -> list[Any]:
    deltas = keras.layers.Dense(4 * classes, kernel_initializer="zeros", name="deltas_in_scale")(x)
    scale = keras.layers.Rescaling(list(DELTA_SCALE) * classes, name="deltas")
    return [keras.layers.Dense(scores, name="scores")(x), scale(deltas)]
