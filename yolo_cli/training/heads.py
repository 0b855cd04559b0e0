"""New heads on a network: what it knew and still needs is kept.

The last layer of each head, a 1 × 1 convolution, is made anew for the new classes and anchors. Rows of the
old one are carried over where they mean the same: box and objectness of the old anchor that is nearest in
size, and each class that has the same name. The rest starts small.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from yolo_cli.codec import Head

__all__ = ["remake_heads", "trainable_heads"]

Floats = NDArray[np.float32]

# How probable "something is here" and "it is of this class" are before anything is learnt.
PRIOR_OBJECT, PRIOR_CLASS = 0.01, 0.1
REACH = 2.0  # scale_x_y of new heads: neighbouring cells can answer, too


def trainable_heads(heads: Sequence[Head], class_count: int) -> tuple[Head, ...]:
    """The heads that a network gets for training: the same anchors, other classes, a wider reach."""
    return tuple(replace(head, kind="yolo", class_count=class_count, scale_x_y=REACH) for head in heads)


def remake_heads(
    model: Any,
    old: Sequence[Head],
    new: Sequence[Head],
    old_names: Sequence[str] | None,
    new_names: Sequence[str],
) -> Any:
    """The same network with new heads; its other layers are shared with ``model``.

    Args:
        model: as `yolo_cli.model` builds them.
        old: its heads.
        new: the heads to be, of kind "yolo".
        old_names: class names of the old heads; None if nothing was learnt yet.
        new_names: class names of the new heads.
    """
    outputs = []
    for index, (output, was, head) in enumerate(zip(model.outputs, old, new, strict=True)):
        last = _last_convolution(output)
        layer = keras.layers.Conv2D(head.channels, 1, dtype="float32", name=f"predict_{index}")
        raw = layer(last.input)
        layer.set_weights(
            _values(
                last.get_weights() if old_names else None,
                last.input.shape[-1],
                was,
                head,
                list(old_names or ()),
                new_names,
            )
        )
        outputs.append(keras.layers.Activation("linear", dtype="float32", name=f"head_{index}")(raw))
    return keras.Model(model.inputs, outputs, name=model.name)


def _last_convolution(output: Any) -> Any:
    """The convolution that an output comes from."""
    layer = output._keras_history.operation
    while not isinstance(layer, keras.layers.Conv2D):
        layer = layer.input._keras_history.operation
    return layer


def _values(
    learnt: list[Floats] | None,
    width: int,
    was: Head,
    head: Head,
    old_names: list[str],
    new_names: Sequence[str],
) -> list[Floats]:
    """Kernel (1, 1, width, channels) and bias (channels,) of a new head."""
    kernel, bias = _fresh(width, head)  # (width, A, 5 + classes), (A, 5 + classes)
    if learnt is not None and was.kind == "yolo":
        old_kernel = learnt[0].reshape(width, len(was.anchors), -1)  # (width, A', 5 + classes')
        old_bias = learnt[1].reshape(len(was.anchors), -1)  # (A', 5 + classes')
        sizes = np.log(np.asarray(head.anchors))[:, None] - np.log(np.asarray(was.anchors))  # (A, A', 2)
        nearest = np.abs(sizes).sum(axis=2).argmin(axis=1)  # (A,)
        kernel[..., :5], bias[:, :5] = old_kernel[:, nearest, :5], old_bias[nearest, :5]
        # Near its middle σ is steeper by the wider reach, so less of it gives the same centre.
        kernel[..., :2] *= was.scale_x_y / head.scale_x_y
        bias[:, :2] *= was.scale_x_y / head.scale_x_y
        bias[:, 2:4] -= sizes[np.arange(len(nearest)), nearest]
        for place, name in enumerate(new_names):
            if name in old_names:
                row = 5 + old_names.index(name)
                kernel[..., 5 + place], bias[:, 5 + place] = (
                    old_kernel[:, nearest, row],
                    old_bias[nearest, row],
                )
    return [kernel.reshape(1, 1, width, -1), bias.reshape(-1)]


def _fresh(width: int, head: Head) -> tuple[Floats, Floats]:
    """Small values, and biases that say how rare objects are (Lin et al., "Focal Loss", 2017)."""
    shape = (width, len(head.anchors), 5 + head.class_count)
    kernel = np.array(keras.random.normal(shape, stddev=0.01), np.float32)
    bias = np.zeros(shape[1:], np.float32)
    bias[:, 4], bias[:, 5:] = _logit(PRIOR_OBJECT), _logit(PRIOR_CLASS)
    return kernel, bias


def _logit(share: float) -> float:
    return float(np.log(share / (1 - share)))
