"""An ImageNet network under YOLO heads: which maps the heads read, what comes out, what can be frozen."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from tests.backbone_files import published
from yolo_cli.codec import Head
from yolo_cli.errors import DataError, UsageError
from yolo_cli.model.backbones import BACKBONES, backbone_layers, build_backbone_model, feature_maps
from yolo_cli.model.torch_file import read_torch_file

TWO = [[(80, 82), (120, 150), (200, 210)], [(10, 14), (23, 27)]]
THREE = [*TWO, [(4, 5)]]


def pixels(rows=64, columns=96):
    return np.random.default_rng(0).integers(0, 256, (2, rows, columns, 3), np.uint8)


@pytest.mark.parametrize("backbone", ["efficientnet-lite0", "MobileNetV3Small"])
def test_every_head_has_a_cell_for_each_stride_and_channels_for_its_anchors(backbone):
    model, heads = build_backbone_model(backbone, 4, THREE, width=32)
    assert heads == (
        Head("yolo", ((80.0, 82.0), (120.0, 150.0), (200.0, 210.0)), 32, 4),
        Head("yolo", ((10.0, 14.0), (23.0, 27.0)), 16, 4),
        Head("yolo", ((4.0, 5.0),), 8, 4),
    )
    found = model(pixels(), training=False)
    assert [tuple(raw.shape) for raw in found] == [(2, 2, 3, 27), (2, 4, 6, 18), (2, 8, 12, 9)]
    assert {raw.dtype for raw in map(np.asarray, found)} == {np.dtype(np.float32)}
    assert all(np.isfinite(raw).all() for raw in map(np.asarray, found))
    assert {"head_0", "head_1", "head_2"} <= {layer.name for layer in model.layers}


def test_one_head_alone_is_allowed():
    model, heads = build_backbone_model("vgg16", 1, [[(50, 50)]], width=16)
    assert [head.stride for head in heads] == [32]
    assert model.compute_output_shape((1, 64, 64, 3)) in ([(1, 2, 2, 6)], (1, 2, 2, 6))


@pytest.mark.parametrize(
    ("backbone", "channels"),
    [
        # the last of each stage of VGG; of the others the widened map before each strided convolution
        ("VGG16", {8: 512, 16: 512, 32: 512}),
        ("MobileNetV2", {8: 192, 16: 576, 32: 1280}),
        ("efficientnet-lite0", {8: 240, 16: 672, 32: 320}),
    ],
)
def test_heads_read_the_widest_map_that_a_coarser_layer_reads(backbone, channels):
    model, _ = build_backbone_model(backbone, 1, THREE, width=8)
    for stride, width in channels.items():
        assert model.get_layer(f"neck_{stride}_own_conv").input.shape[-1] == width


def test_feature_maps_of_a_small_network():
    """By hand: a is wide but nothing coarser reads it; b feeds c, which has half its rows; d is last."""
    image = keras.Input((None, None, 3), dtype="uint8")
    x = keras.layers.Rescaling(1 / 255)(image)
    x = keras.layers.Conv2D(4, 8, 8, name="eighth")(x)
    keep = x
    x = keras.layers.Conv2D(9, 1, name="a")(x)
    x = keras.layers.Conv2D(5, 1, name="b")(x)
    x = keras.layers.Conv2D(6, 2, 2, name="c")(x)
    x = keras.layers.Concatenate(name="both")([x, keras.layers.MaxPooling2D(2, name="pooled")(keep)])
    x = keras.layers.ZeroPadding2D(1, name="odd")(x)
    x = keras.layers.Conv2D(7, 4, 2, name="d")(x)
    found = feature_maps(keras.Model(image, x))
    names = {stride: tensor._keras_history.operation.name for stride, tensor in found.items()}
    assert (names[8], names[16], names[32]) == ("b", "both", "d")


def test_frozen_layers_leave_neck_and_heads_to_train():
    model, _ = build_backbone_model("efficientnet-lite0", 2, TWO, weights=None, width=16)
    frozen = backbone_layers(model)
    for layer in frozen:
        layer.trainable = False
    left = {weight.path.split("/")[0] for weight in model.trainable_weights}
    assert {name.split("_")[0] for name in left} == {"neck", "head"}
    assert {"conv_stem", "blocks_15_bn2"} <= {layer.name for layer in frozen}


def test_published_weights_are_in_the_detector():
    path = published("efficientnet-lite0")
    model, _ = build_backbone_model("efficientnet-lite0", 2, TWO, weights=path, width=16)
    stem = read_torch_file(path)["_conv_stem.weight"]  # (32, 3, 3, 3): out, in, h, w
    [kernel] = model.get_layer("conv_stem").get_weights()  # (3, 3, 3, 32): h, w, in, out
    assert kernel[0, 1, 2, 5] == stem[5, 2, 0, 1]
    gamma = read_torch_file(path)["_blocks.15._bn2.weight"]
    np.testing.assert_array_equal(model.get_layer("blocks_15_bn2").get_weights()[0], gamma)


@pytest.mark.parametrize(
    ("backbone", "says"),
    [
        ("mobilenetv22", "did you mean MobileNetV2?"),
        ("efficientnet_lite0", "did you mean efficientnet-lite0?"),
        ("xyz", "there are efficientnet-lite0, "),
    ],
)
def test_an_unknown_backbone_names_the_nearest(backbone, says):
    with pytest.raises(UsageError) as caught:
        build_backbone_model(backbone, 2, TWO)
    assert str(caught.value).startswith(f"backbone {backbone}: is not known; {says}")


@pytest.mark.parametrize("anchors", [[], [[]], [[(1, 1)]] * 4])
def test_one_to_three_heads_with_anchors_each(anchors):
    with pytest.raises(UsageError, match="one to three heads"):
        build_backbone_model("vgg16", 2, anchors)


def test_a_missing_weights_file_is_one_line(tmp_path: Path):
    with pytest.raises(DataError, match=r"no\.pth: no such file"):
        build_backbone_model("efficientnet-lite0", 2, TWO, weights=tmp_path / "no.pth")


@pytest.mark.slow
@pytest.mark.parametrize("backbone", BACKBONES)
def test_every_backbone_gives_exact_grids(backbone):
    model, _ = build_backbone_model(backbone, 1, THREE, width=8)
    shapes = [tuple(shape) for shape in model.compute_output_shape((1, 288, 352, 3))]
    assert shapes == [(1, 9, 11, 18), (1, 18, 22, 12), (1, 36, 44, 6)]
