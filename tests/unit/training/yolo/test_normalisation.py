"""Batch normalisation in one step says what Keras' says, and learns what Keras' learns."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from yolo_cli.training.yolo.normalisation import LearningNormalization, Momentum

tensorflow_only = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="gradients are taken with TensorFlow's tape"
)


def pair(epsilon: float = 1e-6, **options: Any) -> tuple[Any, Any, Any]:
    """Keras' layer and ours with the same weights, and a batch (4, 5, 6, 3) with a narrow channel."""
    numbers = np.random.default_rng(0)
    x = numbers.normal([3, -1, 0], [2, 0.5, 3e-3], (4, 5, 6, 3)).astype("float32")
    layers = [
        kind(epsilon=epsilon, momentum=0.9, **options)
        for kind in (keras.layers.BatchNormalization, LearningNormalization)
    ]
    for layer in layers:
        layer.build(x.shape)
    layers[0].set_weights([numbers.uniform(0.5, 2, weight.shape) for weight in layers[0].get_weights()])
    layers[1].set_weights(layers[0].get_weights())
    return *layers, x


def expect_same(a: Any, b: Any, tolerance: float = 2e-5) -> None:
    a, b = keras.ops.convert_to_numpy(a), keras.ops.convert_to_numpy(b)
    np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance * np.abs(a).max())


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("options", [{}, {"scale": False}, {"center": False}])
def test_it_says_and_remembers_the_same(training: bool, options: dict[str, bool]) -> None:
    plain, ours, x = pair(**options)
    expect_same(plain(x, training=training), ours(x, training=training))
    for theirs, own in zip(plain.get_weights(), ours.get_weights(), strict=True):
        expect_same(theirs, own)


def test_a_momentum_that_changes() -> None:
    """A step with 0.5 and one with 0.75, on ones and on fives: 0.5 · 1, and 0.75 · 0.5 + 0.25 · 5 = 1.625."""
    layer = LearningNormalization(momentum=0.99)
    layer.changing = Momentum(0.5)
    layer(np.ones((2, 3, 3, 1), np.float32), training=True)
    layer.changing.assign(0.75)
    layer(np.full((2, 3, 3, 1), 5, np.float32), training=True)
    assert float(layer.moving_mean.value[0]) == pytest.approx(1.625)
    with layer.changing.at(0.0):  # for a step that is traced
        layer(np.full((2, 3, 3, 1), 7, np.float32), training=True)
    assert float(layer.moving_mean.value[0]) == pytest.approx(7)
    assert len(layer.get_weights()) == 4  # it is not one of them


def test_a_frozen_layer_keeps_what_it_remembers() -> None:
    plain, ours, x = pair()
    plain.trainable = ours.trainable = False
    before = ours.get_weights()
    expect_same(plain(x, training=True), ours(x, training=True))
    assert all(np.array_equal(a, b) for a, b in zip(before, ours.get_weights(), strict=True))


@tensorflow_only
def test_gradients_are_the_same() -> None:
    import tensorflow as tf

    plain, ours, x = pair()
    weights = tf.constant(np.random.default_rng(1).normal(size=x.shape).astype("float32"))
    found = []
    for layer in (plain, ours):
        inputs = tf.constant(x)
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            loss = tf.reduce_sum(layer(inputs, training=True) * weights)
        found.append(tape.gradient(loss, [inputs, *(v.value for v in layer.trainable_variables)]))
    for theirs, own in zip(*found, strict=True):
        expect_same(theirs, own, 1e-3)


def test_half_precision_sums_up_in_full() -> None:
    """In bfloat16 a sum of 120 values near 3 would stop growing at 256: 8 bits of mantissa."""
    plain, ours, x = pair(dtype="mixed_bfloat16")
    expect_same(
        keras.ops.cast(plain(x, training=True), "float32"),
        keras.ops.cast(ours(x, training=True), "float32"),
        1e-2,
    )
    expect_same(plain.moving_mean.value, ours.moving_mean.value, 1e-3)
