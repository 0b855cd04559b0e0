"""An image of one thing → a vector by which it can be told from others: embedding networks."""

from __future__ import annotations

from typing import Any

from yolo_cli.framework import keras, ops

__all__ = ["NonNegativeScale", "build_embedding", "pooled_halves"]

MOMENTUM = 0.9  # of batch normalisation: runs are short


@keras.saving.register_keras_serializable(package="yolo_cli")
class NonNegativeScale(keras.layers.Layer):  # type: ignore[misc]
    """Each dimension times a learned factor of at least 0."""

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Make the factors (D,)."""
        self.factor = self.add_weight(
            shape=shape[-1:], initializer="ones", constraint="non_neg", name="factor"
        )

    def call(self, x: Any) -> Any:
        """(B, D) → (B, D)."""
        return x * ops.cast(self.factor, x.dtype)


def build_embedding(
    size: tuple[int, int], loss: str = "triplet", dimensions: int = 64, width: int = 64
) -> Any:
    """A network of four convolutions, as in Vinyals et al., "Matching Networks", 2016, with random weights.

    Args:
        size: height and width of its input.
        loss: "triplet" for vectors of length 1; "siamese" for the same with a learned factor for each
            dimension, so that the sum of absolute differences is a weighted one, as in Koch et al., 2015,
            where vectors are sigmoids instead.
        dimensions: of the vectors.
        width: channels of each convolution.

    Returns:
        A Keras model: RGB uint8 (B, height, width, 3) → float32 (B, dimensions).
    """
    image = keras.Input((*size, 3), dtype="uint8", name="image")
    x = keras.layers.Rescaling(1 / 127.5, name="scale")(image)
    for number in range(4):
        x = keras.layers.Conv2D(
            width // (1 if number else 2), 3, padding="same", use_bias=False, name=f"conv_{number}"
        )(x)
        x = keras.layers.BatchNormalization(momentum=MOMENTUM, name=f"norm_{number}")(x)
        x = keras.layers.Activation("relu", name=f"relu_{number}")(x)
        if number < 3:
            x = keras.layers.MaxPooling2D(2, padding="same", name=f"pool_{number}")(x)
    x = keras.layers.Dense(dimensions, name="project")(keras.layers.Flatten(name="flat")(x))
    x = keras.layers.UnitNormalization(name="unit")(x)
    if loss == "siamese":
        x = NonNegativeScale(name="weighted")(x)
    return keras.Model(image, x, name="embedding")


def pooled_halves(detector: Any, layer: str, side: int) -> Any:
    """The first layers of a detector, as features of a square image.

    Args:
        detector: a Keras model of RGB images.
        layer: its last layer that is used.
        side: height and width of the image in pixels.

    Returns:
        A Keras model: RGB uint8 (B, side, side, 3) → float32 (B, 2 · channels), the layer's means over the
        upper and the lower half.
    """
    image = keras.Input((side, side, 3), dtype="uint8", name="image")
    part = keras.Model(detector.inputs, detector.get_layer(layer).output)
    x = part(image)
    x = keras.layers.AveragePooling2D((x.shape[1] // 2, x.shape[2]), name="halves")(x)
    return keras.Model(image, keras.layers.Flatten(name="flat")(x), name="features")
