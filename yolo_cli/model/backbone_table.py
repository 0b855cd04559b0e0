"""The backbones of the course side by side: depth, parameters, arithmetic, and what each brought."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from yolo_cli.framework import keras
from yolo_cli.model.backbones import build_backbone
from yolo_cli.text import Jsonable
from yolo_cli.text_table import columns

__all__ = ["Backbone", "Backbones", "measure_backbones"]

BROUGHT: Mapping[str, str] = {
    "LeNet-5": "convolutions that are learned, with pooling between them (1998)",
    "AlexNet": "depth on GPUs, ReLU, dropout; the start of deep vision (2012)",
    "VGG-16": "only 3 x 3 convolutions, channels doubled as sides are halved (2014)",
    "Inception": "several sizes side by side, 1 x 1 convolutions to make that cheap (2014)",
    "ResNet": "shortcuts past two or three layers: depth stops hurting (2015)",
    "MobileNet": "depthwise and 1 x 1 convolutions in place of full ones (2017)",
    "EfficientNet": "depth, width and resolution scaled together (2019)",
}
SIDE = 224  # pixels of the input at which arithmetic is counted


@dataclass(frozen=True, slots=True)
class Backbone:
    """One backbone, without its classifier.

    Attributes:
        name: for ``--backbone``.
        depth: convolutions on the longest way from the input to the output.
        parameters: numbers that are learned.
        multiply_accumulates: of its convolutions for one image of 224 x 224 pixels.
        brought: what was new.
    """

    name: str
    depth: int
    parameters: int
    multiply_accumulates: int
    brought: str


@dataclass(frozen=True, slots=True)
class Backbones(Jsonable):
    """The backbones of the course, from the oldest.

    Attributes:
        rows: one for each.
    """

    rows: tuple[Backbone, ...]

    def to_dict(self) -> dict[str, Any]:
        """The rows as plain data."""
        return {"side": SIDE, "backbones": [asdict(row) for row in self.rows]}

    def to_text(self) -> str:
        """A table."""
        title = ("backbone", "depth", "parameters", "multiply-accumulates", "brought")
        rows = [
            (
                row.name,
                str(row.depth),
                f"{row.parameters / 1e6:.2f} M",
                f"{row.multiply_accumulates / 1e9:.2f} G",
                row.brought,
            )
            for row in self.rows
        ]
        return columns([title, *rows], left=(0, 4))


def measure_backbones() -> Backbones:
    """Build the backbones of the course with random weights, and measure each."""
    return Backbones(tuple(_measured(name, brought) for name, brought in BROUGHT.items()))


def _measured(name: str, brought: str) -> Backbone:
    network = build_backbone(name)
    steps = network.operations
    shapes = keras.Model(network.input, [step.output for step in steps]).compute_output_shape(
        (1, SIDE, SIDE, 3)
    )
    total = sum(_arithmetic(step, shape) for step, shape in zip(steps, shapes, strict=True))
    return Backbone(name, _depth(steps), network.count_params(), total, brought)


def _is_convolution(step: Any) -> bool:
    return type(step).__name__ in ("Conv2D", "DepthwiseConv2D")


def _arithmetic(step: Any, shape: tuple[int, ...]) -> int:
    """Multiply-accumulates of a convolution: each value of its map (1, H, W, C) takes h · w · inputs."""
    if not _is_convolution(step):
        return 0
    high, wide, inputs, _ = (int(side) for side in step.kernel.shape)  # depthwise: (h, w, C, 1)
    return math.prod(shape) * high * wide * (1 if type(step).__name__ == "DepthwiseConv2D" else inputs)


def _depth(steps: Any) -> int:
    """The most convolutions on a way from the input to the last of ``steps``, which are in order."""
    depth: dict[int, int] = {}
    for step in steps:
        before = max((depth.get(id(source), 0) for source in keras.tree.flatten(step.input)), default=0)
        depth[id(step.output)] = before + _is_convolution(step)
    return depth[id(steps[-1].output)]
