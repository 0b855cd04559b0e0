"""The stored figures of the course's backbones are those of the networks; this is how they are measured."""

from __future__ import annotations

import math
import subprocess
import sys

import pytest

from yolo_cli.weights.backbone_table import SIDE, course_backbones

ROWS = {row.name: row for row in course_backbones().rows}


def test_the_table_needs_no_framework():
    listed = "import sys, yolo_cli; yolo_cli.list_backbones(); sys.exit('keras' in sys.modules)"
    subprocess.run([sys.executable, "-c", listed], check=True)


# LeNet-5 by hand, on maps of 224, 112 and 56 pixels a side, whose last layer sees 5 x 5 cells as well:
#   weights 5·5·3·6 + 6 = 456, 5·5·6·16 + 16 = 2,416, 5·5·16·120 + 120 = 48,120; together 50,992
#   arithmetic 224²·450 + 112²·2,400 + 56²·48,000 = 22,579,200 + 30,105,600 + 150,528,000 = 203,212,800
def test_the_first_row_by_hand():
    row = ROWS["LeNet-5"]
    assert (row.depth, row.parameters, row.multiply_accumulates) == (3, 50_992, 203_212_800)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name == "LeNet-5" else pytest.mark.slow) for name in ROWS]
)
def test_the_networks_have_these_figures(name):
    assert measured(name) == (ROWS[name].depth, ROWS[name].parameters, ROWS[name].multiply_accumulates)


def measured(name):
    """Depth, parameters and multiply-accumulates of a backbone, built with random weights."""
    from yolo_cli.framework import keras
    from yolo_cli.model.backbones import build_backbone

    network = build_backbone(name)
    steps = network.operations
    inside = keras.Model(network.input, [step.output for step in steps])
    shapes = inside.compute_output_shape((1, SIDE, SIDE, 3))
    total = sum(arithmetic(step, shape) for step, shape in zip(steps, shapes, strict=True))
    return depth_of(steps), network.count_params(), total


def is_convolution(step):
    return type(step).__name__ in ("Conv2D", "DepthwiseConv2D")


def arithmetic(step, shape):
    """Multiply-accumulates of a convolution: each value of its map (1, H, W, C) takes h · w · inputs."""
    if not is_convolution(step):
        return 0
    high, wide, inputs, _ = (int(side) for side in step.kernel.shape)  # depthwise: (h, w, C, 1)
    return math.prod(shape) * high * wide * (1 if type(step).__name__ == "DepthwiseConv2D" else inputs)


def depth_of(steps):
    """The most convolutions on a way from the input to the last of the steps, which are in order."""
    from yolo_cli.framework import keras

    depth = {}
    for step in steps:
        before = max((depth.get(id(source), 0) for source in keras.tree.flatten(step.input)), default=0)
        depth[id(step.output)] = before + is_convolution(step)
    return depth[id(steps[-1].output)]
