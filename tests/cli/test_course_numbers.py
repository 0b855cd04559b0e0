"""The numbers that the course works out are those of its programs, and of the networks they are about."""

from __future__ import annotations

from importlib import import_module

import pytest

from tests.cli.test_course import PAGE, TEXT


@pytest.fixture(autouse=True)
def beside(monkeypatch):
    """The programs of the course import each other."""
    monkeypatch.syspath_prepend(str(PAGE.parent / "course"))


def test_the_edge_by_hand():
    # Three rows of 10 · 1 + 10 · 0 + 0 · (-1) are 30 where the edge is, else 10 − 10 or 0 − 0.
    # With padding 1 and stride 2 the first window has a column of zeros and two of 10: rows of 0 − 10, two in
    # the image at the top, so −20, and three below, so −30.
    valid, padded, pooled = import_module("edges").maps().values()
    assert valid.tolist() == [[0, 30, 30, 0]] * 4
    assert padded.tolist() == [[-20, 20, 0], [-30, 30, 0], [-30, 30, 0]]
    assert pooled.tolist() == [[30, 30], [30, 30]]


def test_the_simple_network_has_as_many_weights():
    from yolo_cli.framework import keras

    network = keras.Sequential(
        [
            keras.Input((39, 39, 3)),
            keras.layers.Conv2D(10, 3),
            keras.layers.Conv2D(20, 5, 2),
            keras.layers.Conv2D(40, 5, 2),
            keras.layers.Flatten(),
            keras.layers.Dense(1),
        ]
    )
    assert f"That is {network.count_params():,} weights" in TEXT
    volumes = import_module("volumes")
    chain = volumes.volumes(*volumes.SIMPLE)
    assert chain == [
        (39, 3),
        *((layer.output.shape[1], layer.output.shape[3]) for layer in network.layers[:3]),
    ]
    assert f"{39 * 39 * 3 * 37 * 37 * 10:,}" in TEXT


def test_the_blocks_cost_what_the_page_says():
    volumes = import_module("volumes")
    costs = []
    for start, steps in volumes.BLOCKS.values():
        chain = volumes.volumes(start, steps)
        costs.append([step.arithmetic(volume) for step, volume in zip(steps, chain, strict=False)])
    assert [list(map(volumes.million, each)) for each in costs] == [
        ["120.4 M"],  # 28² · 25 · 192 · 32 = 120,422,400
        ["2.4 M", "10.0 M"],  # 28² · 192 · 16 and 28² · 25 · 16 · 32
        ["585.3 M"],  # 56² · 9 · 144²
        ["4.1 M", "65.0 M"],  # 56² · 9 · 144 and 56² · 144²
        ["10.8 M", "4.1 M", "10.8 M"],  # 56² · 24 · 144, 56² · 9 · 144 and 56² · 144 · 24
    ]
    assert round(sum(costs[3]) / sum(costs[2]), 3) == 0.118
    assert "that is 0.118" in TEXT
    assert sum(costs[4]) == 56 * 56 * 6 * 24 * (2 * 24 + 9)  # t · c · (2c + f²) a cell
    assert "25.7 million" in TEXT


@pytest.mark.slow
def test_mobilenet_v2_has_that_bottleneck():
    from yolo_cli.model.backbones import build_backbone

    layers = {layer.name: layer for layer in build_backbone("MobileNetV2").operations}
    kernels = [tuple(layers[f"block_2_{part}"].kernel.shape) for part in ("expand", "depthwise", "project")]
    assert kernels == [(1, 1, 24, 144), (3, 3, 144, 1), (1, 1, 144, 24)]
    assert "block_2_add" in layers


def test_drawings_of_one_character_are_alike():
    # Two drawings of one character are nearer to each other than to one of another, mostly.
    import numpy as np

    seen = import_module("pairs").drawings(20, 0).astype(float)
    own = np.abs(seen[:, 0] - seen[:, 1]).mean((1, 2, 3))
    other = np.abs(seen[:, 0] - np.roll(seen[:, 1], 1, axis=0)).mean((1, 2, 3))
    assert (own < other).mean() > 0.7
