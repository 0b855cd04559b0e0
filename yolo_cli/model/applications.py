"""The networks of `keras.applications` without classifiers, as backbones."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, Literal

import numpy as np

from yolo_cli.errors import DataError
from yolo_cli.framework import keras
from yolo_cli.model.layers import BlueGreenRed

__all__ = ["APPLICATIONS", "Scaling", "Weights", "add_application"]

Scaling = Literal["caffe", "tf", "torch", "inside"]
Weights = Path | Literal["imagenet"] | None
"""Weights from a file, downloaded by Keras, or random."""

_BY_SCALING: Mapping[Scaling, str] = {
    "caffe": "VGG16 VGG19 ResNet50 ResNet101 ResNet152",
    "tf": """
        ResNet50V2 ResNet101V2 ResNet152V2 InceptionV3 InceptionResNetV2 Xception MobileNet MobileNetV2
    """,
    "torch": "DenseNet121 DenseNet169 DenseNet201",
    "inside": """
        MobileNetV3Small MobileNetV3Large EfficientNetB0 EfficientNetB1 EfficientNetB2 EfficientNetB3
        EfficientNetB4 EfficientNetB5 EfficientNetB6 EfficientNetB7 EfficientNetV2B0 EfficientNetV2B1
        EfficientNetV2B2 EfficientNetV2B3 EfficientNetV2S EfficientNetV2M EfficientNetV2L
    """,
}
APPLICATIONS: Mapping[str, Scaling] = {
    name: scaling for scaling, names in _BY_SCALING.items() for name in names.split()
}
"""The pixel scaling of each network. Excluded are NASNet, whose cells do not match at every multiple of 32
pixels, and ConvNeXt, whose layers are nested."""

_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's pixels, RGB, 0 to 1
_CAFFE_MEAN = (103.939, 116.779, 123.68)  # BGR, 0 to 255


def add_application(name: str, image: Any, weights: Weights = None) -> Any:
    """Add a network with the pixel scaling that it was trained with.

    Unpadded convolutions and poolings of the original are padded, so that every map has exactly one cell per
    8, 16 or 32 pixels. That changes no weights, and values only near the border.

    Args:
        name: a key of `APPLICATIONS`.
        image: RGB pixels (B, H, W, 3), 0 to 255.
        weights: a weights file of that network without its classifier, ``imagenet`` for Keras's download,
            None for random weights.

    Returns:
        Its last feature map, (B, H / 32, W / 32, C).

    Raises:
        DataError: if the weights are unavailable or do not fit.
    """
    original = _original(name, weights)
    pads = {id(layer.output) for layer in original.layers if isinstance(layer, keras.layers.ZeroPadding2D)}

    def copied(layer: Any) -> Any:
        if isinstance(layer, keras.layers.Normalization):
            return _as_rescaling(layer)
        config = layer.get_config()
        if config.get("padding") == "valid" and id(layer.input) not in pads:
            config["padding"] = "same"
        return type(layer).from_config(config)

    pixels = _scaled(image, APPLICATIONS[name])

    def scaled_first(layer: Any, x: Any, *rest: Any, **options: Any) -> Any:
        return layer(pixels if x is image else x, *rest, **options)

    copy = keras.models.clone_model(original, image, copied, call_function=scaled_first)
    for layer in copy.layers:
        if layer.weights:
            layer.set_weights(original.get_layer(layer.name).get_weights())
    return copy.output


def _original(name: str, weights: Weights) -> Any:
    source = None if weights is None else str(weights)
    if isinstance(weights, Path) and not weights.is_file():
        raise DataError(f"{weights}: no such weights file")
    try:
        with warnings.catch_warnings(), redirect_stdout(sys.stderr):  # Keras reports its downloads
            warnings.simplefilter("ignore")  # a dynamic input size is intended
            maker = getattr(keras.applications, name)
            return maker(include_top=False, weights=source, input_shape=(None, None, 3))
    except Exception as fault:
        reason = (str(fault).strip().splitlines() or [type(fault).__name__])[0][:160]
        what = f"cannot be loaded into {name} without its classifier"
        raise DataError(
            f"{'the ImageNet weights' if source == 'imagenet' else source}: {what} ({reason})"
        ) from None


def _as_rescaling(layer: Any) -> Any:
    """An equivalent of a `Normalization` layer, whose constants would become inputs in ONNX."""
    mean, variance = (keras.ops.convert_to_numpy(v).ravel() for v in (layer.mean, layer.variance))  # (3,)
    deviation = np.maximum(np.sqrt(variance), keras.config.epsilon())
    return keras.layers.Rescaling((1 / deviation).tolist(), (-mean / deviation).tolist(), name=layer.name)


def _scaled(image: Any, scaling: Scaling) -> Any:
    """RGB pixels, 0 to 255, scaled for the network."""
    if scaling == "caffe":
        image = BlueGreenRed(name="bgr")(image)
        scale, offset = [1.0] * 3, [-mean for mean in _CAFFE_MEAN]
    elif scaling == "torch":
        scale = [1 / (255 * deviation) for deviation in _DEVIATION]
        offset = [-mean / deviation for mean, deviation in zip(_MEAN, _DEVIATION, strict=True)]
    else:
        scale, offset = ([1 / 127.5] * 3, [-1.0] * 3) if scaling == "tf" else ([1.0] * 3, [0.0] * 3)
    return keras.layers.Rescaling(scale, offset, dtype="float32", name="scale")(image)
