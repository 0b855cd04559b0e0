"""Costs by hand, and costs that fall."""

from __future__ import annotations

import numpy as np
import pytest

from yolo_cli.framework import keras, ops
from yolo_cli.styling import StyleConfig
from yolo_cli.styling.transfer import gram, transfer


@pytest.fixture(scope="module")
def features():
    """Two random layers; their style is that of a small texture."""
    keras.utils.set_random_seed(0)
    pixels = keras.Input((None, None, 3))
    scaled = keras.layers.Rescaling(1 / 128, -1)(pixels)
    fine = keras.layers.Conv2D(6, 3, 2, "same", activation="leaky_relu")(scaled)
    coarse = keras.layers.Conv2D(8, 3, 2, "same", activation="leaky_relu")(fine)
    model = keras.Model(pixels, [fine, coarse])
    model.trainable = False
    return model


GREY = np.full((32, 32, 3), 100, np.float32)
STRIPES = np.repeat(np.tile(np.float32([[30], [220]]), (16, 32))[..., None], 3, axis=2)


def test_a_gram_matrix_by_hand():
    """Two cells (1, 2) and (3, 4): [[1·1 + 3·3, 1·2 + 3·4], [·, 2·2 + 4·4]] / 2 = [[5, 7], [7, 10]]."""
    cells = ops.convert_to_tensor(np.float32([[[[1, 2], [3, 4]]]]))
    assert ops.convert_to_numpy(gram(cells)).tolist() == [[5, 7], [7, 10]]


def test_a_gram_matrix_keeps_no_places():
    cells = np.random.default_rng(0).normal(size=(1, 4, 4, 3)).astype(np.float32)
    moved = cells[:, ::-1, [2, 0, 3, 1]]
    assert ops.convert_to_numpy(gram(cells)) == pytest.approx(ops.convert_to_numpy(gram(moved)), abs=1e-6)


def test_the_costs_fall(features):
    pixels, costs = transfer(features, GREY, STRIPES, StyleConfig(steps=40))
    assert costs[0].content == pytest.approx(0, abs=1e-6)  # it starts as the image
    assert costs[0].variation == 0
    assert costs[-1].total < 0.5 * costs[0].total
    assert costs[-1].style < 0.5 * costs[0].style
    assert costs[-1].content > 0
    assert pixels.shape == (32, 32, 3)
    assert (pixels.min() >= 0, pixels.max() <= 255) == (True, True)
    for one in (costs[0], costs[-1]):
        assert one.total == pytest.approx(one.content + 60 * one.style + 60 * one.variation, rel=1e-4)


def test_what_has_the_style_already_stays(features):
    pixels, costs = transfer(features, STRIPES, STRIPES, StyleConfig(steps=3, variation=0))
    assert costs[0].total == pytest.approx(0, abs=1e-6)
    assert np.abs(pixels - STRIPES).max() < 1


def test_without_weight_of_the_style_the_image_stays(features):
    pixels, _ = transfer(features, GREY, STRIPES, StyleConfig(style=0, steps=3))
    assert np.abs(pixels - GREY).max() < 1


def test_variation_makes_smoother(features):
    rough, smooth = (
        transfer(features, GREY, STRIPES, StyleConfig(steps=30, variation=weight))[1][-1].variation
        for weight in (0, 1000)
    )
    assert smooth < 0.5 * rough
