"""An ImageNet backbone with YOLO heads.

The backbone gives feature maps with strides 32, 16 and optionally 8. A small neck, that of YOLOv4-tiny (Wang
et al., *Scaled-YOLOv4*, 2021), passes information from coarse maps to finer ones, and each has a head.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from yolo_cli.codec import Head
from yolo_cli.errors import UsageError
from yolo_cli.framework import keras
from yolo_cli.model.applications import APPLICATIONS, Weights, add_application
from yolo_cli.model.classics import CLASSICS, add_classic
from yolo_cli.model.efficientnet_lite import SCALES, add_features, load_published, published_file
from yolo_cli.text import did_you_mean

__all__ = ["BACKBONES", "backbone_layers", "build_backbone", "build_backbone_model", "feature_maps"]

CALLED: Mapping[str, str] = {
    "VGG-16": "VGG16",
    "ResNet": "ResNet50",
    "Inception": "InceptionV3",
    "EfficientNet": "EfficientNetB0",
}
"""What lectures call a network: a name without the number of a variant means the smallest here."""

BACKBONES = (*SCALES, *CLASSICS, *APPLICATIONS, *CALLED)
"""The names of the available backbones."""

STRIDES = (32, 16, 8)
OWN = ("neck_", "head_", "predict_")  # name prefixes of the layers outside the backbone
PROBE = 416  # image side in pixels at which the strides of feature maps are determined

Anchors = Sequence[tuple[float, float]]


def build_backbone_model(
    backbone: str,
    class_count: int,
    anchors: Sequence[Anchors],
    weights: Weights = None,
    width: int = 256,
) -> tuple[Any, tuple[Head, ...]]:
    """Build a detector on an ImageNet backbone, with random weights in neck and heads.

    Args:
        backbone: one of `BACKBONES`, ignoring case.
        class_count: number of classes.
        anchors: for each head, widths and heights in pixels; the strides of the heads are 32, 16 and 8. One
            to three heads.
        weights: a file (``.pth`` for efficientnet-lite, one that Keras reads for others); ``imagenet`` for
            the published ones: from the installed package for efficientnet-lite, downloaded by Keras for
            others; None for random weights.
        width: channels of the neck at the coarsest map; half as many at each finer one.

    Returns:
        A functional model, uint8 (B, H, W, 3) → a list of float32 (B, h, w, anchors × (5 + classes)), with H
        and W any multiples of 32; and its heads.

    Raises:
        UsageError: if the backbone is unknown, or the number of heads is not one to three.
        DataError: if the weights are unavailable or do not fit.
    """
    name = _known(backbone)
    if not 1 <= len(anchors) <= len(STRIDES) or not all(anchors):
        raise UsageError(f"{name}: needs anchors for one to three heads, not {[len(a) for a in anchors]}")
    strides = STRIDES[: len(anchors)]
    heads = tuple(
        Head("yolo", tuple((float(w), float(h)) for w, h in group), stride, class_count)
        for stride, group in zip(strides, anchors, strict=True)
    )
    image = keras.Input((None, None, 3), dtype="uint8", name="rgb")
    maps = feature_maps(_features(name, image, weights))
    outputs = [
        _head(x, head, i) for i, (x, head) in enumerate(zip(_neck(maps, strides, width), heads, strict=True))
    ]
    return keras.Model(image, outputs, name="".join(c if c.isalnum() else "_" for c in name)), heads


def build_backbone(backbone: str, weights: Weights = None) -> Any:
    """Build a backbone alone: a functional model, RGB (B, H, W, 3), 0 to 255 → (B, H / 32, W / 32, C).

    Args:
        backbone: as for `build_backbone_model`.
        weights: as for `build_backbone_model`.

    Raises:
        UserError: as for `build_backbone_model`.
    """
    return _features(_known(backbone), keras.Input((None, None, 3), name="rgb"), weights)


def backbone_layers(model: Any) -> tuple[Any, ...]:
    """The backbone's layers in a model of `build_backbone_model`, also after `remake_heads`.

    Training is faster while they are frozen: on a CPU, the gradients of depthwise convolutions are slow.
    """
    return tuple(layer for layer in model.layers if not layer.name.startswith(OWN))


def feature_maps(network: Any) -> Mapping[int, Any]:
    """The feature map of each stride: the widest that a coarser layer reads; and the network's output.

    Args:
        network: a functional model, pixels → one feature map.

    Returns:
        Symbolic tensors by stride in pixels.
    """
    steps = network.operations  # layers, and operations between them
    outputs = [step.output for step in steps]
    shapes = keras.Model(network.input, outputs).compute_output_shape((1, PROBE, PROBE, 3))
    shape_of = {id(output): tuple(shape) for output, shape in zip(outputs, shapes, strict=True)}
    read = [
        source
        for step, shape in zip(steps, shapes, strict=True)
        for source in keras.tree.flatten(step.input)
        if len(shape) == len(shape_of[id(source)]) == 4 and tuple(shape[1:3]) != shape_of[id(source)][1:3]
    ]
    found: dict[int, Any] = {}
    for source in [*read, network.output]:
        _, rows, columns, channels = shape_of[id(source)]
        stride = PROBE // rows
        exact = rows == columns and rows * stride == PROBE
        if exact and (source is network.output or stride not in found or channels >= found[stride].shape[-1]):
            found[stride] = source
    return found


def _known(backbone: str) -> str:
    names = {name.lower(): name for name in BACKBONES}
    if backbone.lower() in names:
        name = names[backbone.lower()]
        return CALLED.get(name, name)
    hint = did_you_mean(backbone, BACKBONES, f"there are {', '.join(BACKBONES)}")
    raise UsageError(f"--backbone {backbone}: is not known; {hint}")


def _features(name: str, image: Any, weights: Weights) -> Any:
    """The network without its classifier, from ``image`` to its last feature map."""
    if name in APPLICATIONS:
        return keras.Model(image, add_application(name, image, weights))
    if name in CLASSICS:
        if weights is not None:
            raise UsageError(f"{name}: no weights are published for it; train it from scratch")
        return keras.Model(image, add_classic(name, image))
    network = keras.Model(image, add_features(name, image))
    if weights is not None:
        load_published(network, published_file(name) if weights == "imagenet" else weights)
    return network


def _neck(maps: Mapping[int, Any], strides: Sequence[int], width: int) -> list[Any]:
    """The inputs of the heads (B, H / s, W / s, 2·width / 2^level) from the maps (B, H / s, W / s, C)."""
    found: list[Any] = []
    for level, stride in enumerate(strides):
        out, name = 2 * width >> level, f"neck_{stride}"
        x = _convolution(maps[stride], out // 2, 1, f"{name}_own")
        if found:
            coarse = _convolution(found[-1], out // 2, 1, f"{name}_coarse")
            coarse = keras.layers.UpSampling2D(2, name=f"{name}_upsample")(coarse)
            x = keras.layers.Concatenate(name=f"{name}_concat")([x, coarse])
        found.append(_convolution(x, out, 3, f"{name}_mix"))
    return found


def _convolution(x: Any, filters: int, size: int, name: str) -> Any:
    x = keras.layers.Conv2D(filters, size, padding="same", use_bias=False, name=f"{name}_conv")(x)
    x = keras.layers.BatchNormalization(epsilon=1e-3, name=f"{name}_norm")(x)
    return keras.layers.LeakyReLU(negative_slope=0.1, name=f"{name}_leaky")(x)


def _head(x: Any, head: Head, index: int) -> Any:
    x = keras.layers.Conv2D(head.channels, 1, name=f"head_{index}_conv")(x)
    return keras.layers.Activation("linear", dtype="float32", name=f"head_{index}")(x)
