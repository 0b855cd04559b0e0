"""Match the convolutions of two descriptions of the same network by what they compute.

Exporters rename and reorder layers, so neither names nor positions tell which convolution is which. But each
has a signature: its own shape, and the signatures of everything that it computes from, back to the image. Two
networks are the same where their convolutions have the same signatures.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.framework import keras

__all__ = ["PASSES", "Step", "Values", "keras_steps", "load_values", "match", "with_values"]

Floats = NDArray[np.float32]

PASSES = ""
"""The kind of a step that does not help to tell convolutions apart: it has its first input's signature."""


@dataclass(frozen=True, slots=True, eq=False)
class Values:
    """The values of one convolution.

    Attributes:
        kernel: float32, (out, in / groups, height, width).
        bias: float32, (out,).
    """

    kernel: Floats
    bias: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One operation of a network.

    Attributes:
        name: for messages.
        kind: ``convolution``, ``concat``, ``add``, `PASSES`, or any other kind that must be the same.
        inputs, outputs: names of the values that it takes and gives.
        shape: of a convolution, that of its kernel, and its stride.
        values: of a convolution, if they are known.
    """

    name: str
    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    shape: tuple[int, ...] = ()
    values: Values | None = None


def with_values(step: Step, values: Values, stride: int) -> Step:
    """The convolution ``step`` with its values."""
    return Step(step.name, "convolution", step.inputs, step.outputs, (*values.kernel.shape, stride), values)


def match(model: Any, steps: Iterable[Step]) -> dict[str, Values]:
    """The values of each convolution of a Keras model, by the name of its layer.

    Args:
        model: the model, functional.
        steps: another description of the same network, with values, each step after those that it needs.

    Raises:
        ValueError: if a convolution of the model has no counterpart, or more than one.
    """
    found: dict[str, Values] = {}
    for signature, step in _signed(steps):
        if step.values is not None:
            if signature in found:
                raise ValueError(f"{step.name} computes the same as another convolution")
            found[signature] = step.values
    named = {step.name: signature for signature, step in _signed(keras_steps(model))}
    missing = [name for name, signature in named.items() if signature not in found]
    if missing:
        raise ValueError(f"it has no counterpart of {missing[0]}")
    return {name: found[signature] for name, signature in named.items()}


def _signed(steps: Iterable[Step]) -> Iterator[tuple[str, Step]]:
    """Every convolution with its signature."""
    known: dict[str, str] = {}  # of each value that was computed
    for step in steps:
        inputs = [known.get(name, "") for name in step.inputs]
        if step.kind == PASSES:
            signature = inputs[0] if inputs else ""
        else:
            inputs = sorted(inputs) if step.kind == "add" else inputs
            text = f"{step.kind} {step.shape} {inputs}"
            signature = hashlib.sha256(text.encode()).hexdigest()
        known.update(dict.fromkeys(step.outputs, signature))
        if step.kind == "convolution":
            yield signature, step


def keras_steps(model: Any) -> Iterator[Step]:
    """The layers of a functional model, in order."""
    for layer in model.layers:
        given = layer.input if isinstance(layer.input, list) else [layer.input]
        kind, shape = _kind(layer)
        yield Step(layer.name, kind, tuple(str(id(x)) for x in given), (str(id(layer.output)),), shape)


def _kind(layer: Any) -> tuple[str, tuple[int, ...]]:
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        rows, columns, channels, _ = layer.kernel.shape
        return "convolution", (channels, 1, rows, columns, layer.strides[0])
    if isinstance(layer, keras.layers.Conv2D):
        rows, columns, before, filters = layer.kernel.shape
        return "convolution", (filters, before, rows, columns, layer.strides[0])
    if isinstance(layer, keras.layers.LeakyReLU):
        return leaky(layer.negative_slope), ()
    kinds: Mapping[type, str] = {keras.layers.Concatenate: "concat", keras.layers.Add: "add"}
    return kinds.get(type(layer), PASSES), ()


def leaky(slope: float) -> str:
    """The kind of a LeakyReLU."""
    return f"leaky {slope:.4g}"


def load_values(model: Any, values: Mapping[str, Values]) -> None:
    """Set the weights of the layers of a model, by their names.

    Raises:
        ValueError: if a shape does not fit, or a value is not finite.
    """
    for name, own in values.items():
        layer = model.get_layer(name)
        depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
        # (C, 1, h, w) → (h, w, C, 1) or (out, in, h, w) → (h, w, in, out)
        kernel = own.kernel.transpose((2, 3, 0, 1) if depthwise else (2, 3, 1, 0))
        if not (np.isfinite(kernel).all() and np.isfinite(own.bias).all()):
            raise ValueError(f"{name} has NaN or infinite values")
        layer.set_weights([kernel, own.bias])
