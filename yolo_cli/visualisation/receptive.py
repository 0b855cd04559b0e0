"""Receptive fields: the pixels of the input that a cell of a feature map depends on.

Each layer is followed from the input on, with its kernel, stride and padding (Araujo et al., *Computing
Receptive Fields of Convolutional Neural Networks*, 2019).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from yolo_cli.framework import keras

__all__ = ["ReceptiveField", "receptive_fields"]

_POOLS = ("MaxPooling2D", "AveragePooling2D")
_KERNELS = ("Conv2D", "DepthwiseConv2D", "SeparableConv2D", "GroupedConv2D", *_POOLS)
_WHOLE = ("GlobalAveragePooling2D", "GlobalMaxPooling2D", "Flatten")


@dataclass(frozen=True, slots=True)
class ReceptiveField:
    """What the cells of a map depend on, along either axis, in pixels of the input.

    Attributes:
        size: pixels that one cell depends on; infinite after global pooling.
        stride: pixels between the fields of neighbouring cells.
        start: the first pixel of the field of cell 0; negative in the padding.
    """

    size: float
    stride: float
    start: float

    def span(self, cell: int) -> tuple[float, float]:
        """The first pixel of the field of a cell, and the first one after it.

        >>> ReceptiveField(7, 4, -3).span(2)
        (5, 12)
        """
        first = self.start + cell * self.stride
        return first, first + self.size

    def through(self, kernel: int, stride: int, padding: int) -> ReceptiveField:
        """The field after a layer that slides a kernel over the map.

        Two 3 x 3 convolutions of stride 2 see 3 + 2·2 = 7 pixels:

        >>> ReceptiveField(1, 1, 0).through(3, 2, 1).through(3, 2, 1)
        ReceptiveField(size=7, stride=4, start=-3)
        """
        return ReceptiveField(
            self.size + (kernel - 1) * self.stride, self.stride * stride, self.start - padding * self.stride
        )

    def enlarged(self, factor: int) -> ReceptiveField:
        """The field after upsampling: each cell is repeated; the widest of the repetitions counts."""
        finer = self.stride / factor
        return ReceptiveField(self.size + (factor - 1) * finer, finer, self.start - (factor - 1) * finer)


def receptive_fields(model: Any) -> Mapping[str, ReceptiveField]:
    """The receptive field of each layer of a functional model, by the layer's name, from input to output.

    Where branches meet, it is the union of theirs.
    """
    found: dict[int, ReceptiveField] = {}
    named: dict[str, ReceptiveField] = {}
    for step in model.operations:
        sources = [found[id(source)] for source in keras.tree.flatten(step.input) if id(source) in found]
        field = _through(step, _union(sources)) if sources else ReceptiveField(1, 1, 0)
        named[step.name] = field
        found.update((id(output), field) for output in keras.tree.flatten(step.output))
    return named


def _union(fields: list[ReceptiveField]) -> ReceptiveField:
    start = min(field.start for field in fields)
    end = max(field.start + field.size for field in fields)
    return ReceptiveField(end - start, max(field.stride for field in fields), start)


def _through(step: Any, field: ReceptiveField) -> ReceptiveField:
    """The field after one layer; layers that work on each cell by itself change nothing."""
    kind = type(step).__name__
    if kind in _KERNELS:
        return _through_kernel(step, field)
    if kind == "ZeroPadding2D":
        return field.through(1, 1, step.padding[0][0])
    if kind == "PaddedMaxPool":
        return field.through(step.size, step.stride, step.padding // 2)
    if kind in ("SpaceToDepth", "Reorg"):
        return field.through(step.stride, step.stride, 0)
    if kind in ("UpSampling2D", "BilinearDouble"):
        return field.enlarged(step.size[0] if kind == "UpSampling2D" else 2)
    return ReceptiveField(math.inf, field.stride, -math.inf) if kind in _WHOLE else field


def _through_kernel(step: Any, field: ReceptiveField) -> ReceptiveField:
    """A convolution or pooling; "same" padding of a map whose size is a multiple of the stride."""
    pool = type(step).__name__ in _POOLS
    size, stride = (step.pool_size if pool else step.kernel_size)[0], step.strides[0]
    reach = size if pool else (size - 1) * step.dilation_rate[0] + 1
    padding = max(reach - stride, 0) // 2 if step.padding == "same" else 0
    return field.through(reach, stride, padding)
