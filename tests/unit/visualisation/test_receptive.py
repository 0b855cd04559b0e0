"""A pixel changes a cell if and only if it is in the cell's receptive field."""

from __future__ import annotations

import numpy as np
import pytest

from yolo_cli.framework import keras
from yolo_cli.model.layers import PaddedMaxPool, SpaceToDepth
from yolo_cli.visualisation.receptive import ReceptiveField, receptive_fields

SIDE = 32


def branches(x):
    """A short and a long way, which meet."""
    long = keras.layers.Conv2D(3, 3, padding="same")(keras.layers.Conv2D(3, 3, padding="same")(x))
    return keras.layers.Concatenate()([keras.layers.Conv2D(3, 1)(x), long])


STACKS = {
    "valid": lambda x: keras.layers.Conv2D(2, 3)(keras.layers.Conv2D(2, 5)(x)),
    "same, stride 2": lambda x: keras.layers.Conv2D(2, 3, 2, "same")(keras.layers.Conv2D(2, 3, 2, "same")(x)),
    "dilated": keras.layers.Conv2D(2, 3, padding="same", dilation_rate=2),
    "padded as Darknet": lambda x: keras.layers.Conv2D(2, 3, 2)(
        keras.layers.ZeroPadding2D(((1, 0), (1, 0)))(x)
    ),
    "pooled": lambda x: keras.layers.Conv2D(2, 3, padding="same")(keras.layers.AveragePooling2D(2)(x)),
    "darknet's pooling": PaddedMaxPool(3, 2, 2),
    "space to depth": lambda x: keras.layers.Conv2D(2, 3, padding="same")(SpaceToDepth(2)(x)),
    "depthwise": keras.layers.DepthwiseConv2D(5, 2, "same"),
    "branches": branches,
}


@pytest.mark.parametrize("name", STACKS)
def test_it_is_what_a_change_of_each_pixel_shows(name):
    keras.utils.set_random_seed(0)
    image = keras.Input((SIDE, SIDE, 3))
    model = keras.Model(image, STACKS[name](image))
    field = receptive_fields(model)[model.layers[-1].name]
    plain = np.random.default_rng(0).uniform(5, 6, (1, SIDE, SIDE, 3)).astype(np.float32)
    changed = np.repeat(plain, SIDE, 0)
    changed[np.arange(SIDE), :, np.arange(SIDE)] += 100  # of the nth, column n
    before, after = (model.predict_on_batch(pixels) for pixels in (plain, changed))
    cell = before.shape[2] // 2
    moved = np.flatnonzero(np.abs(after[:, cell, cell] - before[0, cell, cell]).max(-1) > 1e-3)
    first, end = field.span(cell)
    assert (moved.min(), moved.max() + 1) == (first, end)


def test_upsampling_repeats_cells():
    """Cells 4 and 5 repeat cell 2, which sees pixels 4 and 5; the span of each holds them."""
    fine = ReceptiveField(1, 1, 0).through(2, 2, 0).enlarged(2)
    assert fine.stride == 1
    for cell in (4, 5):
        first, end = fine.span(cell)
        assert first <= 4
        assert end >= 6


def test_all_of_it_after_global_pooling():
    image = keras.Input((8, 8, 3))
    model = keras.Model(image, keras.layers.GlobalAveragePooling2D(keepdims=True, name="pool")(image))
    assert receptive_fields(model)["pool"].size == np.inf
