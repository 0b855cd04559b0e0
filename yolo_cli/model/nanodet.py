"""NanoDet-Plus (RangiLyu, 2021, https://github.com/RangiLyu/nanodet): a detector for small processors.

    image ─ backbone ─┬─ stride 8 ──┐
                      ├─ stride 16 ─┼─ neck ─ a head for each of the strides 8, 16, 32 and 64
                      └─ stride 32 ─┘

The backbone is ShuffleNetV2 (Ma et al., 2018). The neck is Ghost-PAN: a path aggregation network (Liu et al.,
2018) of ghost modules (Han et al., *GhostNet*, 2020). A head gives class logits and the distributions of
generalised focal loss (Li et al., 2020), which `yolo_cli.codec` decodes as kind ``gfl``.

Layers are named after the tensors of the authors' ``.pth`` files: the layer ``backbone_conv1_0`` takes
``backbone.conv1.0.weight``. Batch normalisation is part of the convolutions, as in the authors' other files.
Activations are LeakyReLU with slope 0.1. Maps are (B, rows, columns, channels).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from yolo_cli.codec import Head
from yolo_cli.framework import keras
from yolo_cli.model.layers import BilinearDouble, BlueGreenRed, ChannelGroup, ChannelShuffle, PaddedMaxPool

__all__ = ["STRIDES", "VARIANTS", "Variant", "build_nanodet", "gfl_heads"]

STRIDES = (8, 16, 32, 64)
BINS = 8  # distances of 0 to 7 strides
STEM = 24  # channels
UNITS = (4, 8, 4)  # of the backbone's stages

MEAN, DEVIATION = (103.53, 116.28, 123.675), (57.375, 57.12, 58.395)  # of ImageNet's pixels, BGR


class Variant(NamedTuple):
    """The widths of one NanoDet-Plus: channels of each stage of the backbone, and of neck and heads."""

    stages: tuple[int, int, int]
    width: int


VARIANTS: Mapping[str, Variant] = {
    "nanodet-plus-m": Variant((116, 232, 464), 96),
    "nanodet-plus-m-1.5x": Variant((176, 352, 704), 128),
}


def gfl_heads(class_count: int) -> tuple[Head, ...]:
    """The description of the network's heads, finest first."""
    return tuple(Head("gfl", (), stride, class_count, bins=BINS) for stride in STRIDES)


def build_nanodet(variant: Variant, class_count: int, name: str = "nanodet") -> Any:
    """Build the network, with random weights.

    Returns:
        A functional model: RGB uint8 (B, H, W, 3) → a list of four float32 (B, h, w, classes + 4 · 8), finest
        first. H and W are dynamic multiples of 32; the grid of stride 64 is rounded up.
    """
    image = keras.Input((None, None, 3), dtype="uint8", name="rgb")
    levels = _neck(_backbone(_scaled(image), variant.stages), variant.width)
    channels = gfl_heads(class_count)[0].channels
    heads = [_head(x, channels, level) for level, x in enumerate(levels)]
    return keras.Model(image, heads, name=name)


def _scaled(image: Any) -> Any:
    """RGB uint8 → BGR with the mean and deviation that the network was trained with."""
    scale, offset = [1 / d for d in DEVIATION], [-m / d for m, d in zip(MEAN, DEVIATION, strict=True)]
    bgr = BlueGreenRed(name="bgr")(image)
    return keras.layers.Rescaling(scale, offset, dtype="float32", name="scale")(bgr)


def _backbone(x: Any, stages: tuple[int, ...]) -> list[Any]:
    """ShuffleNetV2: the maps of strides 8, 16 and 32."""
    x = _convolve(x, STEM, 3, "backbone_conv1_0", stride=2)
    x = PaddedMaxPool(3, 2, padding=2, name="backbone_maxpool")(x)
    maps = []
    for number, (channels, units) in enumerate(zip(stages, UNITS, strict=True), start=2):
        for unit in range(units):
            add = _shuffle_unit if unit else _halving_unit
            x = add(x, channels // 2, f"backbone_stage{number}_{unit}")
        maps.append(x)
    return maps


def _shuffle_unit(x: Any, width: int, name: str) -> Any:
    """A unit that changes half of the channels, and mixes both halves for the next one."""
    left, right = (ChannelGroup(2, half, name=f"{name}_half{half}")(x) for half in (0, 1))
    return _mix([left, _right_branch(right, width, name, stride=1)], name)


def _halving_unit(x: Any, width: int, name: str) -> Any:
    """A unit that halves the resolution; both branches see the whole input."""
    left = _depthwise(x, 3, f"{name}_branch1_0", stride=2, active=False)
    left = _convolve(left, width, 1, f"{name}_branch1_2")
    return _mix([left, _right_branch(x, width, name, stride=2)], name)


def _right_branch(x: Any, width: int, name: str, stride: int) -> Any:
    x = _convolve(x, width, 1, f"{name}_branch2_0")
    x = _depthwise(x, 3, f"{name}_branch2_3", stride, active=False)
    return _convolve(x, width, 1, f"{name}_branch2_5")


def _mix(halves: list[Any], name: str) -> Any:
    return ChannelShuffle(2, name=f"{name}_shuffle")(keras.layers.Concatenate(name=f"{name}_concat")(halves))


def _neck(maps: list[Any], width: int) -> list[Any]:
    """Ghost-PAN: maps of strides 8, 16 and 32 → maps of `width` channels of strides 8, 16, 32 and 64."""
    fine, middle, coarse = (
        _convolve(x, width, 1, f"fpn_reduce_layers_{level}_conv") for level, x in enumerate(maps)
    )
    doubled = BilinearDouble(name="fpn_upsample_0")(coarse)
    middle = _ghost_block([doubled, middle], width, "fpn_top_down_blocks_0")
    doubled = BilinearDouble(name="fpn_upsample_1")(middle)
    fine = _ghost_block([doubled, fine], width, "fpn_top_down_blocks_1")
    halved = _separable(fine, "fpn_downsamples_0", stride=2)
    middle = _ghost_block([halved, middle], width, "fpn_bottom_up_blocks_0")
    halved = _separable(middle, "fpn_downsamples_1", stride=2)
    lowest = _ghost_block([halved, coarse], width, "fpn_bottom_up_blocks_1")
    extra = [
        _separable(coarse, "fpn_extra_lvl_in_conv_0", stride=2),
        _separable(lowest, "fpn_extra_lvl_out_conv_0", stride=2),
    ]
    return [fine, middle, lowest, keras.layers.Add(name="fpn_extra_lvl")(extra)]


def _ghost_block(inputs: list[Any], width: int, name: str) -> Any:
    """Two ghost modules beside a shortcut; only the first module is activated."""
    x = keras.layers.Concatenate(name=f"{name}_concat")(inputs)
    ghost = _ghost(x, width, f"{name}_blocks_0_ghost1", active=True)
    ghost = _ghost(ghost, width, f"{name}_blocks_0_ghost2", active=False)
    shortcut = _depthwise(x, 5, f"{name}_blocks_0_shortcut_0", active=False)
    shortcut = _convolve(shortcut, width, 1, f"{name}_blocks_0_shortcut_2", active=False)
    return keras.layers.Add(name=f"{name}_add")([ghost, shortcut])


def _ghost(x: Any, width: int, name: str, active: bool) -> Any:
    """Half of the channels by a convolution, the other half from them by a cheap, depthwise one."""
    primary = _convolve(x, width // 2, 1, f"{name}_primary_conv_0", active=active)
    cheap = _depthwise(primary, 3, f"{name}_cheap_operation_0", active=active)
    return keras.layers.Concatenate(name=f"{name}_concat")([primary, cheap])


def _head(x: Any, channels: int, level: int) -> Any:
    for place in (0, 1):
        x = _separable(x, f"head_cls_convs_{level}_{place}")
    return keras.layers.Conv2D(channels, 1, dtype="float32", name=f"head_gfl_cls_{level}")(x)


def _separable(x: Any, name: str, stride: int = 1) -> Any:
    """A depthwise convolution and one across channels, both activated."""
    width = x.shape[-1]
    return _convolve(_depthwise(x, 5, f"{name}_depthwise", stride), width, 1, f"{name}_pointwise")


def _convolve(x: Any, filters: int, size: int, name: str, stride: int = 1, active: bool = True) -> Any:
    x, border = _padded(x, size, stride, name)
    x = keras.layers.Conv2D(filters, size, stride, border, name=name)(x)
    return _activate(x, name) if active else x


def _depthwise(x: Any, size: int, name: str, stride: int = 1, active: bool = True) -> Any:
    x, border = _padded(x, size, stride, name)
    x = keras.layers.DepthwiseConv2D(size, stride, border, name=name)(x)
    return _activate(x, name) if active else x


def _padded(x: Any, size: int, stride: int, name: str) -> tuple[Any, str]:
    """The input with zeros on every side, as in PyTorch, and the padding that is left for the convolution."""
    if stride == 1:
        return x, "same"
    # Keras's "same" would pad the left less than the right.
    return keras.layers.ZeroPadding2D(size // 2, name=f"{name}_pad")(x), "valid"


def _activate(x: Any, name: str) -> Any:
    return keras.layers.LeakyReLU(negative_slope=0.1, name=f"{name}_leaky")(x)
