"""LeNet-5 and AlexNet without classifiers, as backbones: what is not in `keras.applications`.

Padded, so that every map has exactly one cell per 4, 8, 16 or 32 pixels.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from yolo_cli.framework import keras

__all__ = ["CLASSICS", "add_classic"]


def add_classic(name: str, image: Any) -> Any:
    """Add a network.

    Args:
        name: a key of `CLASSICS`.
        image: RGB pixels (B, H, W, 3), 0 to 255.

    Returns:
        Its last feature map, (B, H / 32, W / 32, C).
    """
    x = keras.layers.Rescaling(1 / 127.5, -1, dtype="float32", name="scale")(image)
    return CLASSICS[name](x)


def _lenet(x: Any) -> Any:
    """LeNet-5 (LeCun et al., 1998): three 5 x 5 convolutions with tanh, averages between them.

    Its last one, which spanned the whole 32 x 32 digit, is kept as a convolution. Its map has a cell per 4
    pixels; further averages bring it to the strides of detection heads.
    """
    for filters in (6, 16):
        x = keras.layers.Conv2D(filters, 5, padding="same", activation="tanh")(x)
        x = keras.layers.AveragePooling2D(2)(x)
    x = keras.layers.Conv2D(120, 5, padding="same", activation="tanh")(x)
    for _ in range(3):
        x = keras.layers.AveragePooling2D(2)(x)
    return x


def _alexnet(x: Any) -> Any:
    """AlexNet (Krizhevsky et al., 2012), on one GPU: five convolutions with ReLU, overlapping max pooling.

    Without its local response normalisation, which later networks found useless.
    """
    for filters, size, stride, pooled in (
        (96, 11, 4, True),
        (256, 5, 1, True),
        (384, 3, 1, False),
        (384, 3, 1, False),
        (256, 3, 1, True),
    ):
        x = keras.layers.Conv2D(filters, size, stride, "same", activation="relu")(x)
        if pooled:
            x = keras.layers.MaxPooling2D(3, 2, "same")(x)
    return x


CLASSICS: Mapping[str, Any] = {"LeNet-5": _lenet, "AlexNet": _alexnet}
"""What adds each network to scaled pixels."""
