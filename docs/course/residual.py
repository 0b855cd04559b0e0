"""The residual lesson: one deep network with and without shortcuts (He et al., 2016); see `plots.py`.

Both have 40 convolutions with batch normalisation and equal numbers of weights, start from the same seed and
see the same images. A shortcut lets a block begin as "change nothing", and lets the gradient past it.
"""

from __future__ import annotations

import numpy as np

from yolo_cli.framework import keras

DEPTH, FILTERS, SIDE, CLASSES, BATCH, STEPS = 40, 12, 16, 4, 32, 240


def images(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Gratings of four directions in noise, (count, SIDE, SIDE, 1), and their directions (count,)."""
    numbers = np.random.default_rng(seed)
    labels = numbers.integers(0, CLASSES, count)
    angle = labels * np.pi / CLASSES
    y, x = np.mgrid[:SIDE, :SIDE]
    along = x * np.cos(angle)[:, None, None] + y * np.sin(angle)[:, None, None]
    waves = np.sin(along * numbers.uniform(0.8, 1.4, (count, 1, 1)) + numbers.uniform(0, 6, (count, 1, 1)))
    return (waves + numbers.normal(0, 1, waves.shape))[..., None].astype(np.float32), labels


def network(residual: bool) -> keras.Model:
    """Blocks of two convolutions after a first one; ``residual`` adds the input of each to its output."""
    image = keras.Input((SIDE, SIDE, 1))
    x = convolution(image)
    for _ in range((DEPTH - 2) // 2):
        y = keras.layers.BatchNormalization()(
            keras.layers.Conv2D(FILTERS, 3, padding="same", use_bias=False)(convolution(x))
        )
        x = keras.layers.ReLU()(x + y if residual else y)
    x = keras.layers.GlobalAveragePooling2D()(convolution(x))
    return keras.Model(image, keras.layers.Dense(CLASSES)(x))


def convolution(x: object) -> object:
    """Convolution, batch normalisation, ReLU."""
    x = keras.layers.Conv2D(FILTERS, 3, padding="same", use_bias=False)(x)
    return keras.layers.ReLU()(keras.layers.BatchNormalization()(x))


def losses(residual: bool, steps: int = STEPS) -> list[float]:
    """The cross-entropy of each training step."""
    keras.utils.set_random_seed(0)
    model = network(residual)
    model.compile(
        keras.optimizers.SGD(0.05, momentum=0.9),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=False,
    )
    found = []
    for step in range(steps):
        found.append(float(model.train_on_batch(*images(BATCH, step), return_dict=True)["loss"]))
        model.reset_metrics()
    return found
