"""A small Darknet network with every kind of layer, and values for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from yolo_cli.darknet import Convolution, Network, read_cfg, shapes

EVERY_LAYER = """
[net]
width=32
height=32
channels=3

[convolutional]
batch_normalize=1
filters=8
size=3
stride=2
pad=1
activation=leaky

[convolutional]
# 1: grouped
batch_normalize=1
filters=12
size=3
stride=1
pad=1
groups=4
activation=mish

[convolutional]
# 2: depthwise
filters=12
size=3
stride=1
pad=1
groups=12
activation=swish

[shortcut]
# 3: 12 channels, the first 8 of them and those of layer 0
from=-3
activation=linear

[maxpool]
# 4: keeps its size
size=2
stride=1

[maxpool]
# 5: pads one on every side
size=3
stride=2
padding=2

[avgpool]

[convolutional]
# 7
filters=12
size=1
stride=1
activation=logistic

[scale_channels]
# 8: layer 5, a factor a channel
from=-3

[convolutional]
# 9
filters=12
size=1
stride=1
activation=logistic

[sam]
# 10
from=-2

[reorg]
# 11: 48 channels at stride 8
stride=2

[route]
# 12: layer 10 again
layers=-2

[reorg3d]
# 13
stride=2

[route]
# 14: the later half of both
layers=-1,11
groups=2
group_id=1

[dropout]
probability=0.5

[convolutional]
# 16
batch_normalize=1
filters=6
size=1
stride=1
activation=relu

[upsample]
stride=2

[route]
# 18: stride 4 again
layers=-1,10

[convolutional]
# 19
filters=14
size=1
stride=1
activation=linear

[yolo]
mask=0,1
anchors=4,6, 9,8
classes=2
num=2
"""


def every_layer(folder: Path) -> Network:
    """The network above, by way of a file."""
    path = folder / "every-layer.cfg"
    path.write_text(EVERY_LAYER)
    return read_cfg(path)


def random_values(network: Network, seed: int = 0) -> dict[int, Convolution]:
    """Values for every convolution that keep activations of a useful size."""
    numbers, found = np.random.default_rng(seed), {}
    inputs_of = [3, *(shape.channels for shape in shapes(network))]
    for index, layer in enumerate(network.layers):
        if layer.kind != "convolutional":
            continue
        filters, size = layer.integer("filters", 1), layer.integer("size", 1)
        inputs = inputs_of[index] // layer.integer("groups", 1)
        kernel = numbers.normal(0, (inputs * size * size) ** -0.5, (filters, inputs, size, size))
        vectors = [numbers.normal(0, 0.1, filters)]
        if layer.integer("batch_normalize", 0):
            vectors += [numbers.uniform(0.8, 1.2, filters), numbers.normal(0, 0.1, filters)]
            vectors += [numbers.uniform(0.8, 1.2, filters)]
        found[index] = Convolution(kernel.astype(np.float32), *(v.astype(np.float32) for v in vectors))
    return found
