"""Networks of `keras.applications`: the same values as Keras's own chain, a cell for every 32 pixels."""

from __future__ import annotations

import importlib

import keras
import numpy as np
import pytest

from yolo_cli.errors import DataError
from yolo_cli.model.applications import APPLICATIONS, _scaled, add_application

# One network of each kind of scaling that pads explicitly, so that nothing about it is changed.
UNCHANGED = {"VGG16": "vgg16", "MobileNetV2": "mobilenet_v2", "MobileNetV3Small": "mobilenet_v3"}
HOMES = {"caffe": "vgg16", "tf": "mobilenet_v2", "torch": "densenet", "inside": "efficientnet_v2"}


def pixels(rows=64, columns=96):
    return np.random.default_rng(0).integers(0, 256, (1, rows, columns, 3), np.uint8)


def built(name, weights=None):
    image = keras.Input((None, None, 3), dtype="uint8")
    return keras.Model(image, add_application(name, image, weights))


@pytest.mark.parametrize(("scaling", "home"), HOMES.items())
def test_pixels_are_scaled_as_keras_scales_them(scaling, home):
    image = keras.Input((None, None, 3), dtype="uint8")
    ours = keras.Model(image, _scaled(image, scaling))(pixels())
    theirs = importlib.import_module(f"keras.applications.{home}").preprocess_input(
        pixels().astype(np.float32)
    )
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-4)


def test_every_network_is_one_of_keras_and_scaled_as_its_module_says():
    for name, scaling in APPLICATIONS.items():
        home = getattr(keras.applications, name).__module__.rsplit(".", 1)[1]
        module = importlib.import_module(f"keras.applications.{home}")
        scaled = module.preprocess_input(np.full((1, 1, 1, 3), 255.0, np.float32))
        expected = importlib.import_module(f"keras.applications.{HOMES[scaling]}").preprocess_input(
            np.full((1, 1, 1, 3), 255.0, np.float32)
        )
        np.testing.assert_allclose(scaled, expected, err_msg=name)


@pytest.mark.parametrize(("name", "home"), UNCHANGED.items())
def test_with_the_same_weights_it_says_what_keras_says(name, home, tmp_path):
    original = getattr(keras.applications, name)(include_top=False, weights=None, input_shape=(None, None, 3))
    scatter(original)
    original.save_weights(tmp_path / "it.weights.h5")
    ours = np.asarray(built(name, tmp_path / "it.weights.h5")(pixels(), training=False))
    scaled = importlib.import_module(f"keras.applications.{home}").preprocess_input(
        pixels().astype(np.float32)
    )
    theirs = np.asarray(original(scaled, training=False))
    assert theirs.std() > 0.01
    np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-4 * theirs.std())


def scatter(model):
    """Give normalisations values of their own, so that each must arrive where it belongs."""
    numbers = np.random.default_rng(1)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([numbers.uniform(0.8, 1.2, weight.shape) for weight in layer.get_weights()])


@pytest.mark.parametrize("name", ["InceptionV3", "Xception"])
def test_a_network_that_eats_its_border_is_padded(name):
    """InceptionV3 leaves 8 x 8 cells of 320 pixels, by itself; a head needs 10 x 10."""
    model = built(name)
    assert model.compute_output_shape((1, 320, 416, 3))[1:3] == (10, 13)
    inner = [layer for layer in model.layers if getattr(layer, "padding", None) == "valid"]
    pads = {id(layer.output) for layer in model.layers if isinstance(layer, keras.layers.ZeroPadding2D)}
    assert all(id(layer.input) in pads for layer in inner)


def test_constants_of_normalisation_stay_constants():
    """EfficientNetV2-B0 takes (x / 255 − mean) / deviation: of a red of 255, (1 − 0.485) / 0.229."""
    model = built("EfficientNetV2B0")
    assert not any(isinstance(layer, keras.layers.Normalization) for layer in model.layers)
    scaled = keras.Model(
        model.input,
        next(each for each in model.layers if each.name.startswith("normalization")).output,
    )
    red = np.asarray(scaled(np.uint8([[[[255, 0, 0]]]])))[0, 0, 0]
    np.testing.assert_allclose(red, [0.515 / 0.229, -0.456 / 0.224, -0.406 / 0.225], rtol=1e-5)


def test_a_file_that_does_not_fit_is_one_line(tmp_path):
    other = tmp_path / "other.weights.h5"
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)]).save_weights(other)
    with pytest.raises(DataError) as caught:
        built("MobileNetV2", other)
    line = str(caught.value)
    assert line.startswith(f"{other}: cannot be loaded into MobileNetV2 without its classifier (")
    assert "\n" not in line
    with pytest.raises(DataError, match=r"no\.h5: no such weights file"):
        built("MobileNetV2", tmp_path / "no.h5")
