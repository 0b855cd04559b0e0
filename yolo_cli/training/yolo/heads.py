"""Replace the heads of a network, and reuse the weights of the old heads where possible.

The last layer of each head, a 1 × 1 convolution, is replaced for the new classes and anchors. Channels of the
old one are copied where they correspond: box and objectness from the old anchor nearest in size, classes by
name, and key points if there are as many. The others are initialised with small values.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.codec import Head
from yolo_cli.framework import keras
from yolo_cli.model.backbones import feature_maps

__all__ = ["remake_heads"]

Floats = NDArray[np.float32]
Kept = Sequence[tuple[int, int]]
"""Indices of each class that the network knows already: among the old classes, and among the new."""

# Prior probability of an object in a slot, and of each class.
PRIOR_OBJECT, PRIOR_CLASS = 0.01, 0.1


def remake_heads(
    model: Any,
    old: Sequence[Head],
    new: Sequence[Head],
    old_names: Sequence[str] | None,
    new_names: Sequence[str],
) -> Any:
    """The same network with new heads; the other layers are those of ``model``.

    Args:
        model: a model of `yolo_cli.model`.
        old: its heads, coarsest first.
        new: the new heads, of kind "yolo", or "gfl" if the old ones are; one more than the old ones adds one
            with finer cells.
        old_names: class names of the old heads; None if they are untrained.
        new_names: class names of the new heads.
    """
    last = [_last_convolution(output) for output in model.outputs]
    features = [layer.input for layer in last]
    known = list(old_names or ())
    kept = [(known.index(name), place) for place, name in enumerate(new_names) if name in known]
    if len(new) > len(old):
        features.append(_finer(model, features[-1]))
    outputs = []
    for index, (feature, head) in enumerate(zip(features, new, strict=True)):
        layer = keras.layers.Conv2D(head.channels, 1, dtype="float32", name=f"predict_{index}")
        raw = layer(feature)
        kernel, bias = _fresh(feature.shape[-1], head)  # (width, A, values), (A, values)
        if old_names is not None and index < len(old) and old[index].kind == head.kind:
            carry_over = _carry_over_distances if head.kind == "gfl" else _carry_over
            carry_over(last[index], old[index], (kernel, bias), head, kept)
        layer.set_weights([kernel.reshape(1, 1, len(kernel), -1), bias.reshape(-1)])
        outputs.append(keras.layers.Activation("linear", dtype="float32", name=f"head_{index}")(raw))
    return keras.Model(model.input, outputs, name=model.name)


def _last_convolution(output: Any) -> Any:
    """The last convolution before an output."""
    layer = output._keras_history.operation
    while not isinstance(layer, keras.layers.Conv2D):
        layer = layer.input._keras_history.operation
    return layer


def _finer(model: Any, coarse: Any) -> Any:
    """The input of a head with cells half as large, as in the YOLOv4-tiny with three heads of Darknet.

    Args:
        model: the network.
        coarse: the input of its finest head, (B, H / 16, W / 16, C).

    Returns:
        (B, H / 8, W / 8, 128).
    """
    backbone = keras.Model(model.input, model.outputs[0])
    x = _convolution(coarse, 64, 1, "fine_coarse")
    x = keras.layers.UpSampling2D(2, name="fine_upsample")(x)
    x = keras.layers.Concatenate(name="fine_concat")([x, feature_maps(backbone)[8]])
    return _convolution(x, 128, 3, "fine_mix")


def _convolution(x: Any, filters: int, size: int, name: str) -> Any:
    x = keras.layers.Conv2D(filters, size, padding="same", use_bias=False, name=f"{name}_conv")(x)
    x = keras.layers.BatchNormalization(epsilon=1e-5, name=f"{name}_norm")(x)
    return keras.layers.LeakyReLU(negative_slope=0.1, name=f"{name}_leaky")(x)


def _carry_over(layer: Any, was: Head, values: tuple[Floats, Floats], head: Head, kept: Kept) -> None:
    """Copy weights of the convolution ``layer`` of an old head into the initial ``values`` of a new one."""
    kernel, bias = values  # (width, A, values), (A, values)
    weights, biases = layer.get_weights()
    old_kernel = weights.reshape(len(kernel), len(was.anchors), -1)  # (width, A', values')
    old_bias = biases.reshape(len(was.anchors), -1)  # (A', values')
    apart = np.log(np.asarray(head.anchors))[:, None] - np.log(np.asarray(was.anchors))  # (A, A', 2)
    nearest = np.abs(apart).sum(axis=2).argmin(axis=1)  # (A,)
    kernel[..., :5], bias[:, :5] = old_kernel[:, nearest, :5], old_bias[nearest, :5]
    # With a wider range, σ is steeper around 0, so smaller weights give the same centre.
    kernel[..., :2] *= was.scale_x_y / head.scale_x_y
    bias[:, :2] *= was.scale_x_y / head.scale_x_y
    bias[:, 2:4] -= apart[np.arange(len(nearest)), nearest]
    for row, place in kept:
        kernel[..., 5 + place] = old_kernel[:, nearest, 5 + row]
        bias[:, 5 + place] = old_bias[nearest, 5 + row]
    if head.key_points == was.key_points:
        old_end, end = 5 + was.class_count, 5 + head.class_count
        kernel[..., end:], bias[:, end:] = old_kernel[:, nearest, old_end:], old_bias[nearest, old_end:]


def _carry_over_distances(
    layer: Any, was: Head, values: tuple[Floats, Floats], head: Head, kept: Kept
) -> None:
    """As `_carry_over` for heads of kind "gfl": the distances of all classes, and each class by its name."""
    kernel, bias = values  # (width, 1, values), (1, values)
    weights, biases = layer.get_weights()  # (1, 1, width, values'), (values',)
    distances = [(was.class_count + i, head.class_count + i) for i in range(4 * head.bins)]
    old, new = zip(*kept, *distances, strict=True)
    kernel[:, 0, new], bias[0, new] = weights[0, 0][:, old], biases[list(old)]


def _fresh(width: int, head: Head) -> tuple[Floats, Floats]:
    """Small weights, and biases for the prior probabilities (Lin et al., "Focal Loss", 2017)."""
    shape, end = (width, head.boxes, head.channels // head.boxes), 5 + head.class_count
    kernel = np.array(keras.ops.convert_to_numpy(keras.random.normal(shape, stddev=0.01)), np.float32)
    bias = np.zeros(shape[1:], np.float32)
    if head.kind == "gfl":
        bias[:, : head.class_count] = _logit(PRIOR_CLASS)
        return kernel, bias
    bias[:, 4], bias[:, 5:end] = _logit(PRIOR_OBJECT), _logit(PRIOR_CLASS)
    return kernel, bias


def _logit(p: float) -> float:
    return float(np.log(p / (1 - p)))
