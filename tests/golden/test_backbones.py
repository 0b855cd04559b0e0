"""A detector on an ImageNet network says the same in ONNX Runtime and on other backends as in Keras here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tests.golden.test_backends import BACKENDS, run
from yolo_cli.config import bundled
from yolo_cli.engines import OnnxEngine
from yolo_cli.images import read_image, write_image
from yolo_cli.model.backbones import build_backbone_model
from yolo_cli.weights.save import export_graph

# One of each way to scale pixels, one that is padded, one with bare operations between its layers.
NETWORKS = (
    "efficientnet-lite0",
    "VGG16",
    "InceptionV3",
    "DenseNet121",
    "EfficientNetV2B0",
    "MobileNetV3Small",
)
ANCHORS = [[(80, 82), (120, 150)], [(10, 14), (23, 27)]]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=NETWORKS)
def network(request) -> Any:
    keras.utils.set_random_seed(0)
    model, _ = build_backbone_model(request.param, 3, ANCHORS, width=32)
    numbers = np.random.default_rng(0)
    for layer in model.layers:  # as built, heads of some networks hardly depend on the image
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([numbers.uniform(0.8, 1.2, weight.shape) for weight in layer.get_weights()])
    return model


@pytest.fixture(scope="module")
def make_image(tmp_path_factory) -> Path:
    """160 x 96 pixels of the cat."""
    path = tmp_path_factory.mktemp("image") / "cat.png"
    write_image(path, read_image(bundled("examples") / "cat.jpg").rgb[100:196, 60:220])
    return path


def expect_same(network: Any, found: list[np.ndarray], image: Path) -> None:
    heads = network(read_image(image).rgb[None], training=False)
    for ours, theirs in zip(map(keras.ops.convert_to_numpy, heads), found, strict=True):
        assert ours.std() > 1e-3
        gap = np.abs(ours - theirs).max() / ours.std()
        print(f"{network.name} {ours.shape}: largest difference {gap:.1e} of the standard deviation")
        assert gap < 1e-3


def test_in_onnx(network: Any, image: Path, tmp_path: Path) -> None:
    export_graph(network, tmp_path / "it.onnx")
    expect_same(network, OnnxEngine(tmp_path / "it.onnx").run(read_image(image).rgb[None]), image)


@pytest.mark.parametrize("backend", BACKENDS)
def test_on_another_backend(network: Any, backend: str, image: Path, tmp_path: Path) -> None:
    keras_file, out = tmp_path / "it.keras", tmp_path / "out.npz"
    network.save(keras_file)
    run(backend, "-m", "tests.golden.on_backend", str(out), str(tmp_path), str(image), str(keras_file))
    found = np.load(out)
    expect_same(network, [found["it/0"], found["it/1"]], image)
