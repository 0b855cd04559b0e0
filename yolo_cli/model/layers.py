"""Layers that Keras lacks, in `keras.ops`: Darknet's, and some for other backbones.

All of them are channels-last: (batch, height, width, channels).
"""

from __future__ import annotations

from typing import Any

from yolo_cli.framework import keras, ops

__all__ = [
    "BilinearDouble",
    "BlueGreenRed",
    "ChannelGroup",
    "ChannelShuffle",
    "GroupedConv2D",
    "PaddedMaxPool",
    "Reorg",
    "ShortcutAdd",
    "SpaceToDepth",
]

Shape = tuple[int | None, ...]
_register = keras.saving.register_keras_serializable(package="yolo_cli")


def _times(size: int | None, factor: int) -> int | None:
    return None if size is None else size * factor


def _over(size: int | None, divisor: int) -> int | None:
    return None if size is None else size // divisor


@_register
class BilinearDouble(keras.layers.Layer):  # type: ignore[misc]
    """Twice the resolution, bilinear between pixel centres.

    Keras's `UpSampling2D` does the same, but not for inputs of dynamic size in a TensorFlow graph.
    """

    def call(self, x: Any) -> Any:
        """(B, H, W, C) → (B, 2·H, 2·W, C)."""
        batch, rows, columns, channels = ops.shape(x)
        before, after = ops.concatenate([x[:, :1], x[:, :-1]], 1), ops.concatenate([x[:, 1:], x[:, -1:]], 1)
        x = ops.stack([_nearer(x, before), _nearer(x, after)], 2)  # (B, H, 2, W, C)
        x = ops.reshape(x, (batch, 2 * rows, columns, channels))
        before, after = (
            ops.concatenate(pair, 2) for pair in ([x[:, :, :1], x[:, :, :-1]], [x[:, :, 1:], x[:, :, -1:]])
        )
        x = ops.stack([_nearer(x, before), _nearer(x, after)], 3)  # (B, 2·H, W, 2, C)
        return ops.reshape(x, (batch, 2 * rows, 2 * columns, channels))

    def compute_output_shape(self, shape: Shape) -> Shape:
        """(B, 2·H, 2·W, C)."""
        return (shape[0], _times(shape[1], 2), _times(shape[2], 2), shape[3])


def _nearer(near: Any, far: Any) -> Any:
    """The value a quarter of the way from one pixel to the next."""
    return 0.75 * near + 0.25 * far


@_register
class BlueGreenRed(keras.layers.Layer):  # type: ignore[misc]
    """Swap RGB to BGR, for networks that were trained in Caffe."""

    def call(self, x: Any) -> Any:
        """RGB (B, H, W, 3) → BGR (B, H, W, 3)."""
        return ops.take(x, [2, 1, 0], axis=-1)

    def compute_output_shape(self, shape: Shape) -> Shape:
        """The same."""
        return shape


@_register
class ChannelGroup(keras.layers.Layer):  # type: ignore[misc]
    """``[route]`` with ``groups``: one of several equal slices of the channels."""

    def __init__(self, groups: int, group_id: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.groups, self.group_id = groups, group_id

    def call(self, x: Any) -> Any:
        """(B, H, W, C) → (B, H, W, C / groups)."""
        return ops.split(x, self.groups, axis=-1)[self.group_id]  # learns faster than a slice on TensorFlow

    def compute_output_shape(self, shape: Shape) -> Shape:
        """The shape with C / groups channels."""
        return (*shape[:3], _over(shape[3], self.groups))

    def get_config(self) -> dict[str, Any]:
        """The arguments that rebuild the layer."""
        return {**super().get_config(), "groups": self.groups, "group_id": self.group_id}


@_register
class ChannelShuffle(keras.layers.Layer):  # type: ignore[misc]
    """Interleave the channels of groups: a1 a2 b1 b2 → a1 b1 a2 b2 (Zhang et al., *ShuffleNet*, 2018)."""

    def __init__(self, groups: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.groups = groups

    def call(self, x: Any) -> Any:
        """(B, H, W, C) → (B, H, W, C)."""
        batch, rows, columns, channels = ops.shape(x)
        x = ops.reshape(x, (batch, rows, columns, self.groups, channels // self.groups))
        return ops.reshape(ops.transpose(x, (0, 1, 2, 4, 3)), (batch, rows, columns, channels))

    def compute_output_shape(self, shape: Shape) -> Shape:
        """The same."""
        return shape

    def get_config(self) -> dict[str, Any]:
        """The arguments that rebuild the layer."""
        return {**super().get_config(), "groups": self.groups}


@_register
class GroupedConv2D(keras.layers.Conv2D):  # type: ignore[misc]
    """A convolution with ``groups``, as one plain convolution per group.

    Keras has it, too, but on TensorFlow through XLA (TensorFlow cannot train it on a CPU), and functions
    compiled by XLA cannot be exported to ONNX.
    """

    def convolution_op(self, inputs: Any, kernel: Any) -> Any:
        """(B, H, W, C) by (h, w, C / groups, out) → (B, H', W', out)."""
        parts = ops.split(inputs, self.groups, axis=-1)  # each (B, H, W, C / groups)
        kernels = ops.split(kernel, self.groups, axis=-1)  # each (h, w, C / groups, out / groups)
        convolve = super().convolution_op
        pairs = zip(parts, kernels, strict=True)
        return ops.concatenate([convolve(part, weights) for part, weights in pairs], axis=-1)


@_register
class ShortcutAdd(keras.layers.Layer):  # type: ignore[misc]
    """``[shortcut]`` between layers of different width.

    The first min(a, b) channels are added; the rest of the first input passes through.
    """

    def call(self, inputs: Any) -> Any:
        """[(B, H, W, A), (B, H, W, C), …] → (B, H, W, A)."""
        total, *others = inputs
        width = total.shape[-1]
        for other in others:
            missing = max(width - other.shape[-1], 0)
            total = total + ops.pad(other[..., :width], [(0, 0), (0, 0), (0, 0), (0, missing)])
        return total

    def compute_output_shape(self, shapes: list[Shape]) -> Shape:
        """The shape of the first input."""
        return tuple(shapes[0])


@_register
class PaddedMaxPool(keras.layers.Layer):  # type: ignore[misc]
    """``[maxpool]`` with Darknet's padding (-∞): half of it before, the rest after."""

    def __init__(self, size: int, stride: int, padding: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size, self.stride, self.padding = size, stride, padding

    def call(self, x: Any) -> Any:
        """(B, H, W, C) → (B, (H + padding − size) / stride + 1, …, C)."""
        sides = (self.padding // 2, self.padding - self.padding // 2)
        padded = ops.pad(x, [(0, 0), sides, sides, (0, 0)], constant_values=-1e30)
        return ops.max_pool(padded, self.size, self.stride, padding="valid")

    def compute_output_shape(self, shape: Shape) -> Shape:
        """The shape divided by the stride."""
        rows, columns = (
            None if n is None else (n + self.padding - self.size) // self.stride + 1 for n in shape[1:3]
        )
        return (shape[0], rows, columns, shape[3])

    def get_config(self) -> dict[str, Any]:
        """The arguments that rebuild the layer."""
        return {**super().get_config(), "size": self.size, "stride": self.stride, "padding": self.padding}


@_register
class SpaceToDepth(keras.layers.Layer):  # type: ignore[misc]
    """``[reorg3d]``: output channel (dy·s + dx)·C + c takes pixel (y·s + dy, x·s + dx) of channel c."""

    def __init__(self, stride: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.stride = stride

    def call(self, x: Any) -> Any:
        """(B, H, W, C) → (B, H / s, W / s, s²·C)."""
        s = self.stride
        batch, rows, columns, channels = ops.shape(x)
        x = ops.reshape(x, (batch, rows // s, s, columns // s, s, channels))  # (B, y, dy, x, dx, C)
        x = ops.transpose(x, (0, 1, 3, 2, 4, 5))  # (B, y, x, dy, dx, C)
        return ops.reshape(x, (batch, rows // s, columns // s, s * s * channels))

    def compute_output_shape(self, shape: Shape) -> Shape:
        """(B, H / s, W / s, s²·C)."""
        s = self.stride
        return (shape[0], _over(shape[1], s), _over(shape[2], s), _times(shape[3], s * s))

    def get_config(self) -> dict[str, Any]:
        """The arguments that rebuild the layer."""
        return {**super().get_config(), "stride": self.stride}


@_register
class Reorg(SpaceToDepth):
    """``[reorg]``, which differs from space-to-depth, although it was meant to be one.

    Darknet reinterprets the buffer (C, H, W) as (C / s², H·s, W·s), applies ``[reorg3d]``, and reinterprets
    the result as (C·s², H / s, W / s). Published weights were trained with it.
    """

    def call(self, x: Any) -> Any:
        """(B, H, W, C) → (B, H / s, W / s, s²·C)."""
        s = self.stride
        batch, rows, columns, channels = ops.shape(x)
        x = ops.transpose(x, (0, 3, 1, 2))  # (B, C, H, W): Darknet's buffer
        x = ops.reshape(x, (batch, channels // s**2, rows, s, columns, s))  # (B, C / s², y, dy, x, dx)
        x = ops.transpose(x, (0, 3, 5, 1, 2, 4))  # (B, dy, dx, C / s², y, x)
        x = ops.reshape(x, (batch, channels * s * s, rows // s, columns // s))
        return ops.transpose(x, (0, 2, 3, 1))
