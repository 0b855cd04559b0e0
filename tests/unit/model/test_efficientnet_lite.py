"""EfficientNet-Lite: its plan of blocks, hand-worked; its published weights see a cat and an espresso."""

from __future__ import annotations

import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from tests.backbone_files import published
from tests.torch_files import zip_form
from yolo_cli.config import bundled
from yolo_cli.errors import DataError
from yolo_cli.images import read_image
from yolo_cli.model.efficientnet_lite import (
    SCALES,
    _blocks,
    _round_to_8,
    add_classifier,
    add_features,
    load_published,
    published_file,
)

SIDES = {"efficientnet-lite0": 224, "efficientnet-lite1": 240, "efficientnet-lite2": 260}


@pytest.mark.parametrize(
    ("filters", "rounded"),
    # 17.6 + 4 = 21.6 → 16, and 16 ≥ 0.9 · 17.6 = 15.84; 26.4 + 4 = 30.4 → 24 ≥ 23.76; 44 + 4 → 48;
    # 123.2 + 4 = 127.2 → 120 ≥ 110.9; 11 + 4 = 15 → 8, but 8 < 9.9, so 16
    [(16, 16), (17.6, 16), (26.4, 24), (44, 48), (88, 88), (123.2, 120), (211.2, 208), (352, 352), (11, 16)],
)
def test_filters_are_rounded_to_8_but_not_down_by_more_than_a_tenth(filters, rounded):
    assert _round_to_8(filters) == rounded


@pytest.mark.parametrize(
    ("name", "repeats"),
    # 2 · 1.1 = 2.2 → 3, 3 · 1.1 = 3.3 → 4, 4 · 1.1 = 4.4 → 5; first and last stage stay
    [("efficientnet-lite0", [1, 2, 2, 3, 3, 4, 1]), ("efficientnet-lite1", [1, 3, 3, 4, 4, 5, 1])],
)
def test_only_a_stages_first_block_has_its_stride(name, repeats):
    blocks = list(_blocks(*SCALES[name]))
    filters = [16, 24, 40, 80, 112, 192, 320]
    assert [block.filters for block in blocks] == list(np.repeat(filters, repeats))
    first = np.cumsum([0, *repeats[:-1]])  # the place of each stage's first block
    strides = np.ones(len(blocks), int)
    strides[first] = [1, 2, 2, 2, 1, 2, 1]
    assert [block.stride for block in blocks] == list(strides)


def test_lite0_has_the_published_number_of_parameters():
    """4,652,008 trainable ones, as published: 4.7 million."""
    model = classifier("efficientnet-lite0")
    assert sum(int(np.prod(weight.shape)) for weight in model.trainable_weights) == 4_652_008


def test_pixels_become_minus_one_to_one():
    """(x − 127) / 128, as these networks were trained: 0 → −127/128, 127 → 0, 255 → 1."""
    image = keras.Input((None, None, 3), dtype="uint8")
    model = keras.Model(image, add_features("efficientnet-lite0", image))
    scaled = keras.Model(image, model.get_layer("scale").output)(np.uint8([[[[0, 127, 255]]]]))
    np.testing.assert_allclose(np.asarray(scaled).ravel(), [-127 / 128, 0, 1])


def classifier(name):
    image = keras.Input((None, None, 3), dtype="uint8")
    return keras.Model(image, add_classifier(add_features(name, image)))


@pytest.mark.parametrize("name", SCALES)
def test_published_weights_know_a_cat_and_an_espresso(name):
    """Classes of ImageNet: 281 tabby, 282 tiger cat, 285 Egyptian cat; 967 espresso."""
    model = classifier(name)
    load_published(model, published(name))
    for image, classes in (("cat", {281, 282, 285}), ("coffee", {967})):
        rgb = middle(image, SIDES[name])
        logits = np.asarray(model(rgb[None], training=False))[0]  # (1000,)
        assert int(logits.argmax()) in classes


def middle(name, side):
    """The middle square of an example image at the network's size."""
    import cv2

    rgb = read_image(bundled("examples") / f"{name}.jpg").rgb
    rows, columns = rgb.shape[:2]
    edge = min(rows, columns)
    top, left = (rows - edge) // 2, (columns - edge) // 2
    return cv2.resize(rgb[top : top + edge, left : left + edge], (side, side), interpolation=cv2.INTER_AREA)


def small_network():
    """One convolution, one normalisation and one dense layer that bear published names."""
    x = keras.Input((4, 4, 3))
    y = keras.layers.Conv2D(2, 1, use_bias=False, name="conv_stem")(x)
    y = keras.layers.DepthwiseConv2D(3, use_bias=False, name="blocks_3_depthwise_conv")(y)
    y = keras.layers.BatchNormalization(name="blocks_3_bn1")(y)
    return keras.Model(x, keras.layers.Dense(5, name="fc")(y))


def small_tensors():
    numbers = np.random.default_rng(0)
    shapes = {
        "_conv_stem.weight": (2, 3, 1, 1),
        "_blocks.3._depthwise_conv.weight": (2, 1, 3, 3),
        "_blocks.3._bn1.weight": (2,),
        "_blocks.3._bn1.bias": (2,),
        "_blocks.3._bn1.running_mean": (2,),
        "_blocks.3._bn1.running_var": (2,),
        "_fc.weight": (5, 2),
        "_fc.bias": (5,),
    }
    return {name: numbers.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


def test_each_tensor_reaches_its_layer_with_its_axes_turned(tmp_path):
    model, tensors = small_network(), small_tensors()
    path = tmp_path / "w.pth"
    path.write_bytes(zip_form(tensors))
    load_published(model, path)
    [stem] = model.get_layer("conv_stem").get_weights()
    assert stem[0, 0, 2, 1] == tensors["_conv_stem.weight"][1, 2, 0, 0]
    [depthwise] = model.get_layer("blocks_3_depthwise_conv").get_weights()
    assert depthwise[0, 2, 1, 0] == tensors["_blocks.3._depthwise_conv.weight"][1, 0, 0, 2]
    norm = model.get_layer("blocks_3_bn1").get_weights()  # gamma, beta, mean, variance
    parts = ("weight", "bias", "running_mean", "running_var")
    np.testing.assert_array_equal(norm, [tensors[f"_blocks.3._bn1.{part}"] for part in parts])
    kernel, bias = model.get_layer("fc").get_weights()
    assert kernel[1, 4] == tensors["_fc.weight"][4, 1]
    np.testing.assert_array_equal(bias, tensors["_fc.bias"])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"_fc.bias": None}, "holds no _fc.bias"),
        ({"_fc.bias": np.zeros(4, np.float32)}, "_fc has shape"),
        ({"_fc.bias": np.full(5, np.nan, np.float32)}, "_fc.bias holds NaN"),
    ],
)
def test_a_file_of_another_network_is_one_line(change, says, tmp_path):
    tensors = {k: v for k, v in {**small_tensors(), **change}.items() if v is not None}
    path = tmp_path / "w.pth"
    path.write_bytes(zip_form(tensors))
    with pytest.raises(DataError) as caught:
        load_published(small_network(), path)
    assert str(caught.value).startswith(f"{path}: ")
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_where_the_package_is_not_installed_one_line_names_it():
    with pytest.raises(DataError, match=r"pip install efficientnet-lite7-pytorch-model==0\.1\.0"):
        published_file("efficientnet-lite7")


def test_the_package_is_found_and_not_imported(tmp_path, monkeypatch):
    package = tmp_path / "efficientnet_lite7_pytorch_model"
    (package / "models").mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    (package / "models" / "efficientnet-lite7-0.pth").write_bytes(b"")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    assert published_file("efficientnet-lite7") == Path(package / "models" / "efficientnet-lite7-0.pth")
