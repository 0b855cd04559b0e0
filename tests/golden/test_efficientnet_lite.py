"""EfficientNet-Lite from its published file says what plain PyTorch says of the same file."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.backbone_files import published
from tests.golden.test_backends import python_of
from tests.shared import ROOT
from yolo_cli.config import bundled
from yolo_cli.images import read_image


@pytest.mark.parametrize("name", ["efficientnet-lite0", "efficientnet-lite1", "efficientnet-lite2"])
def test_features_and_logits_are_those_of_pytorch(name: str, tmp_path: Path) -> None:
    """On the whole photograph of a cat cut to 192 x 160 pixels, so that no side is like the other."""
    path, python = published(name), python_of("torch")
    rgb = read_image(bundled("examples") / "cat.jpg").rgb[100:292, 60:220]
    pixels, out = tmp_path / "pixels.npy", tmp_path / "out.npz"
    np.save(pixels, rgb[None])
    program = "tests/golden/torch_efficientnet.py"
    subprocess.run([python, program, str(path), str(pixels), str(out)], cwd=ROOT, check=True)
    theirs = np.load(out)
    for kind, ours in zip(("features", "logits"), _ours(name, path, rgb[None]), strict=True):
        gap = np.abs(ours - theirs[kind]).max() / theirs[kind].std()
        print(f"{name} {kind} {theirs[kind].shape}: largest difference {gap:.1e} of the standard deviation")
        assert gap < 1e-4


def _ours(name: str, path: Path, batch: np.ndarray) -> list[np.ndarray]:
    import keras

    from yolo_cli.model.efficientnet_lite import add_classifier, add_features, load_published

    image = keras.Input((None, None, 3), dtype="uint8")
    features = add_features(name, image)
    model = keras.Model(image, [features, add_classifier(features)])
    load_published(model, path)
    return [keras.ops.convert_to_numpy(output) for output in model(batch, training=False)]
