"""Darknet's layers as plain loops over one image, (rows, columns, channels): what its C program computes.

Slow and clear; nothing here is shared with the program. Values are float64.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from yolo_cli.darknet import Convolution, Network, Section

Map = np.ndarray


def slow_network(network: Network, values: Mapping[int, Convolution], pixels: Map) -> list[Map]:
    """The raw heads of a network for uint8 RGB pixels (H, W, 3)."""
    x, outputs, heads = pixels / 255.0, [], []
    for index, layer in enumerate(network.layers):
        key = "layers" if layer.kind == "route" else "from"
        named = []
        if layer.kind in ("route", "shortcut", "scale_channels", "sam"):
            named = [outputs[n] for n in network.references(index, key)]
        if layer.kind in ("yolo", "region"):
            heads.append(x)
        else:
            x = slow_layer(layer, x, named, values.get(index))
        outputs.append(x)
    return heads


def slow_layer(layer: Section, x: Map, named: Sequence[Map], values: Convolution | None) -> Map:  # noqa: C901
    """One layer; ``named`` are the outputs that it names, ``values`` those of a convolution."""
    stride = layer.integer("stride", 2 if layer.kind == "upsample" else 1)
    match layer.kind:
        case "convolutional":
            size = layer.integer("size", 1)
            padding = size // 2 if layer.integer("pad", 0) else layer.integer("padding", 0)
            y = slow_convolution(x, values.kernel, stride, padding, layer.integer("groups", 1))
            y = slow_norm(y, values)
        case "maxpool":
            size = layer.integer("size", stride)
            return slow_maxpool(x, size, stride, layer.integer("padding", size - 1))
        case "avgpool":
            return x.mean(axis=(0, 1), keepdims=True)
        case "upsample":
            return np.array(
                [[x[r // stride, c // stride] for c in cells(x, 1, stride)] for r in cells(x, 0, stride)]
            )
        case "reorg":
            return slow_reorg(x, stride)
        case "reorg3d":
            return slow_space_to_depth(x, stride)
        case "route":
            return slow_route(named, layer.integer("groups", 1), layer.integer("group_id", 0))
        case "shortcut":
            y = slow_shortcut(x, named)
        case "scale_channels" | "sam":
            y = named[0] * x
        case "dropout":
            return x
    default = "logistic" if layer.kind == "convolutional" else "linear"
    return np.vectorize(lambda value: slow_activation(layer.text("activation", default), value))(y)


def cells(x: Map, axis: int, factor: int) -> range:
    return range(x.shape[axis] * factor)


def slow_activation(kind: str, value: float) -> float:
    return {
        "linear": lambda: value,
        "leaky": lambda: value if value > 0 else 0.1 * value,
        "relu": lambda: max(value, 0.0),
        "relu6": lambda: min(max(value, 0.0), 6.0),
        "mish": lambda: value * math.tanh(math.log1p(math.exp(value))),
        "swish": lambda: value / (1 + math.exp(-value)),
        "logistic": lambda: 1 / (1 + math.exp(-value)),
    }[kind]()


def slow_convolution(x: Map, kernel: Map, stride: int, padding: int, groups: int = 1) -> Map:
    """``kernel``: (out, in / groups, h, w). Padding of zeros on every side."""
    out, inputs, high, wide = kernel.shape
    rows, columns = ((n + 2 * padding - k) // stride + 1 for n, k in zip(x.shape, (high, wide), strict=False))
    y = np.zeros((rows, columns, out))
    for f in range(out):
        first = f // (out // groups) * inputs  # the first input channel of this filter's group
        for r in range(rows):
            for c in range(columns):
                for i in range(high):
                    for j in range(wide):
                        row, column = r * stride - padding + i, c * stride - padding + j
                        if 0 <= row < x.shape[0] and 0 <= column < x.shape[1]:
                            y[r, c, f] += x[row, column, first : first + inputs] @ kernel[f, :, i, j]
    return y


def slow_norm(y: Map, values: Convolution) -> Map:
    if values.gamma is None:
        return y + values.bias
    return values.gamma * (y - values.mean) / np.sqrt(values.variance + 1e-5) + values.bias


def slow_maxpool(x: Map, size: int, stride: int, padding: int) -> Map:
    """``padding`` cells in all, half of them (rounded down) above and left; none of them ever wins."""
    rows, columns = ((n + padding - size) // stride + 1 for n in x.shape[:2])
    y = np.full((rows, columns, x.shape[2]), -np.inf)
    for r in range(rows):
        for c in range(columns):
            for i in range(size):
                for j in range(size):
                    row, column = r * stride - padding // 2 + i, c * stride - padding // 2 + j
                    if 0 <= row < x.shape[0] and 0 <= column < x.shape[1]:
                        y[r, c] = np.maximum(y[r, c], x[row, column])
    return y


def slow_space_to_depth(x: Map, step: int) -> Map:
    """Channel (dy · step + dx) · C + c of cell (r, k) is channel c of cell (r · step + dy, k · step + dx)."""
    rows, columns, channels = x.shape
    y = np.zeros((rows // step, columns // step, channels * step**2))
    for r in range(rows):
        for k in range(columns):
            place = (r % step * step + k % step) * channels
            y[r // step, k // step, place : place + channels] = x[r, k]
    return y


def slow_reorg(x: Map, step: int) -> Map:
    """Space to depth of the wrong image: Darknet keeps channels slowest, and reads its buffer of
    C x H x W values as if there were C / step² channels of H · step x W · step cells."""
    rows, columns, channels = x.shape
    buffer = [x[r, k, c] for c in range(channels) for r in range(rows) for k in range(columns)]
    wide = np.reshape(buffer, (channels // step**2, rows * step, columns * step))
    deep = slow_space_to_depth(wide.transpose(1, 2, 0), step).transpose(2, 0, 1)  # (C, H, W)
    return np.reshape(deep.ravel(), (channels * step**2, rows // step, columns // step)).transpose(1, 2, 0)


def slow_route(named: Sequence[Map], groups: int, part: int) -> Map:
    parts = []
    for source in named:
        width = source.shape[2] // groups
        parts.append(source[:, :, part * width : (part + 1) * width])
    return np.concatenate(parts, axis=2)


def slow_shortcut(x: Map, named: Sequence[Map]) -> Map:
    """Keeps the width of ``x``; channels that another layer does not have get nothing from it."""
    y = x.copy()
    for other in named:
        for c in range(min(x.shape[2], other.shape[2])):
            y[:, :, c] += other[:, :, c]
    return y
