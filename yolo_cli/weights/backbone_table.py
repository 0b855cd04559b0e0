"""The backbones of the course side by side: depth, parameters, arithmetic, and what each brought.

The figures are stored, as building the networks takes 16 seconds; a test builds and measures them again.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from yolo_cli.text import Jsonable
from yolo_cli.text_table import columns

__all__ = ["SIDE", "Backbone", "Backbones", "course_backbones"]

SIDE = 224
"""Pixels of the input at which arithmetic is counted."""


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


_ROWS = (
    Backbone(
        "LeNet-5", 3, 50_992, 203_212_800, "convolutions that are learned, with pooling between them (1998)"
    ),
    Backbone(
        "AlexNet",
        5,
        3_747_200,
        1_197_901_824,
        "depth on GPUs, ReLU, dropout; the start of deep vision (2012)",
    ),
    Backbone(
        "VGG-16",
        13,
        14_714_688,
        15_346_630_656,
        "only 3 x 3 convolutions, channels doubled as sides are halved (2014)",
    ),
    Backbone(
        "Inception",
        47,
        21_802_784,
        3_796_717_568,
        "several sizes side by side, 1 x 1 convolutions to make that cheap (2014; v3, as here, 2015)",
    ),
    Backbone(
        "ResNet",
        49,
        23_587_712,
        3_855_925_248,
        "shortcuts past two or three layers: depth stops hurting (2015)",
    ),
    Backbone(
        "MobileNet",
        27,
        3_228_864,
        567_716_352,
        "depthwise and 1 x 1 convolutions in place of full ones (2017)",
    ),
    Backbone(
        "MobileNetV2",
        52,
        2_257_984,
        299_494_272,
        "shortcuts between thin maps, depthwise on wide ones: bottlenecks (2018)",
    ),
    Backbone(
        "EfficientNet", 81, 4_049_564, 384_534_752, "depth, width and resolution scaled together (2019)"
    ),
)


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


def course_backbones() -> Backbones:
    """The backbones of the course, measured without classifiers."""
    return Backbones(_ROWS)
