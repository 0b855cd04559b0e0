"""Neural style transfer: an image with the content of one and the style of another.

Gatys et al., *Image Style Transfer Using Convolutional Neural Networks*, 2016. The pixels are what is
learned: a network that was trained for something else says how far the content and the style are off.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.framework import keras, ops

__all__ = ["Costs", "StyleConfig", "gram", "transfer"]

Floats = NDArray[np.float32]
Watch = Callable[[Iterable[int], int], Iterable[int]]


@dataclass(frozen=True, slots=True)
class StyleConfig:
    """What counts how much, and how long.

    Attributes:
        style: weight of the style cost; that of the content cost is 1.
        variation: weight of the total variation, which keeps neighbouring pixels alike.
        steps: of the optimizer.
        learning_rate: of Adam, in brightness levels of 255.
    """

    style: float = 60.0
    variation: float = 60.0
    steps: int = 200
    learning_rate: float = 8.0


@dataclass(frozen=True, slots=True)
class Costs:
    """The costs after one step.

    Attributes:
        content: mean squared difference of the features, relative to those of the image.
        style: the same of the Gram matrices, relative to those of the painting, as a mean over layers.
        variation: mean squared difference of neighbouring pixels, of 1.
        total: their weighted sum.
    """

    content: float
    style: float
    variation: float
    total: float


def gram(features: Any) -> Any:
    """Which channels are active together: G = FᵀF / n of features F (1, H, W, C) in n = H·W cells, (C, C).

    It keeps no places, so that it tells of texture and colour, not of objects.
    """
    _, height, width, channels = ops.shape(features)
    cells = ops.reshape(features, (height * width, channels))
    return ops.matmul(ops.transpose(cells), cells) / ops.cast(height * width, "float32")


def transfer(
    features: Any,
    content: Floats,
    style: Floats,
    config: StyleConfig,
    watch: Watch = lambda items, _: items,
) -> tuple[Floats, tuple[Costs, ...]]:
    """Change the pixels of ``content`` until the network sees the style of ``style`` in them.

    Args:
        features: RGB (1, H, W, 3), 0 to 255 → maps from fine to coarse.
        content: RGB (H, W, 3), 0 to 255; the result starts as it.
        style: RGB (h, w, 3), 0 to 255.
        config: weights and steps.
        watch: passed the numbers of the steps and how many there are, for progress.

    Returns:
        The pixels (H, W, 3), 0 to 255, and the costs before each step.
    """
    canvas = _Canvas(features, content[None], style[None], config)
    canvas.compile(
        keras.optimizers.Adam(config.learning_rate), loss=lambda _, costs: costs[0, -1], jit_compile=False
    )
    unused, costs = np.zeros((1, 4), np.float32), []
    for _ in watch(range(config.steps), config.steps):
        canvas.train_on_batch(unused, unused)
        costs.append(Costs(*(float(value) for value in ops.convert_to_numpy(canvas.costs[0]))))
    return np.clip(ops.convert_to_numpy(canvas.pixels[0]), 0, 255), tuple(costs)


class _Canvas(keras.Model):  # type: ignore[misc]
    """A model whose only weights are the pixels, and whose output is what they cost."""

    def __init__(self, features: Any, content: Floats, style: Floats, config: StyleConfig) -> None:
        super().__init__(name="canvas")
        self.features, self.config = features, config
        self.content = features(content)[-1]  # of the coarsest layer: the objects, not each pixel
        self.grams = [gram(one) for one in features(style)]
        self.pixels = self.add_weight(shape=content.shape, initializer="zeros", name="pixels")
        self.pixels.assign(content)
        self.costs = self.add_weight(shape=(1, 4), initializer="zeros", trainable=False, name="costs")

    def call(self, _: Any) -> Any:
        """Costs (1, 4): content, style, variation and total."""
        maps = self.features(self.pixels, training=False)
        content = _relative(maps[-1], self.content)
        pairs = zip(maps, self.grams, strict=True)
        style = sum(_relative(gram(one), wanted) for one, wanted in pairs) / len(maps)
        variation = _variation(self.pixels / 255.0)
        total = content + self.config.style * style + self.config.variation * variation
        costs = ops.stack([content, style, variation, total])[None]
        self.costs.assign(costs)
        return costs


def _relative(found: Any, wanted: Any) -> Any:
    """The mean squared difference, relative to the mean square of what is wanted."""
    return ops.mean(ops.square(found - wanted)) / (ops.mean(ops.square(wanted)) + keras.config.epsilon())


def _variation(pixels: Any) -> Any:
    """The mean squared difference of neighbouring pixels (1, H, W, 3), down and to the right."""
    down, right = pixels[:, 1:] - pixels[:, :-1], pixels[:, :, 1:] - pixels[:, :, :-1]
    return ops.mean(ops.square(down)) + ops.mean(ops.square(right))
