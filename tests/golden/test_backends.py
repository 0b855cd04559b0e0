"""JAX and PyTorch under Keras say what TensorFlow and Darknet say.

A backend lives in an environment of its own. ``YOLO_CLI_BACKEND_PYTHONS`` names their interpreters, as in
``jax=/envs/jax/bin/python:torch=/envs/torch/bin/python``; without it the current one is asked.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.backends import python_of
from tests.golden.on_backend import losses
from tests.models import MODELS, Darknet, imported
from tests.shared import ROOT, SHARED, needs_shared
from yolo_cli.config import bundled
from yolo_cli.detectors import load_detector
from yolo_cli.engines import OnnxEngine
from yolo_cli.images import read_image

BACKENDS = ("jax", "torch")
HEADS = "tests/golden/test_same_heads_as_darknet.py"
PNG = SHARED / "darknet" / "references" / "png"


def run(backend: str, *arguments: str) -> str:
    """Run Python on ``backend``; its output, if it ended well."""
    environment = {**os.environ, "KERAS_BACKEND": backend}
    done = subprocess.run(
        [python_of(backend), *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def losses_here(tmp_path_factory: pytest.TempPathFactory) -> list[float]:
    return losses(tmp_path_factory.mktemp("here"))


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_layer_learns_alike(backend: str, losses_here: list[float], tmp_path: Path) -> None:
    """Three steps on a network with every kind of layer give the losses that Keras gives here."""
    out = tmp_path / "out.npz"
    run(backend, "-m", "tests.golden.on_backend", str(out), str(tmp_path))
    ours = np.load(out)["losses"]
    assert ours[2] < ours[0]
    np.testing.assert_allclose(ours, losses_here, rtol=1e-4)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_detector_finds_the_same_boxes(backend: str, tmp_path: Path) -> None:
    """By way of ``load_detector(…, engine="keras")``, against Keras here."""
    program = (
        "import sys, numpy, yolo_cli.detectors\n"
        "detector = yolo_cli.detectors.load_detector('yolov4-tiny-coco', engine='keras')\n"
        "[found] = detector.detect([yolo_cli.read_image(sys.argv[1])])\n"
        "numpy.savez(sys.argv[2], xyxy=found.xyxy, confidence=found.confidence, class_id=found.class_id)"
    )
    image, out = bundled("examples") / "coffee.jpg", tmp_path / "out.npz"
    run(backend, "-c", program, str(image), str(out))
    [expected] = load_detector("yolov4-tiny-coco", engine="keras").detect([read_image(image)])
    found = np.load(out)
    assert len(expected)
    np.testing.assert_array_equal(found["class_id"], expected.class_id)
    np.testing.assert_allclose(found["confidence"], expected.confidence, atol=1e-4)
    np.testing.assert_allclose(found["xyxy"], expected.xyxy, atol=0.05)


@needs_shared("darknet", "architectures")
@pytest.mark.parametrize("marker", ["not slow", pytest.param("slow", marks=pytest.mark.slow)])
@pytest.mark.parametrize("backend", BACKENDS)
def test_architectures_give_the_heads_of_darknet(backend: str, marker: str) -> None:
    """The golden test of that name, run on this backend."""
    said = run(
        backend, "-m", "pytest", HEADS, "-q", "-k", "raw and keras", "-m", marker, "-p", "no:cacheprovider"
    )
    assert " passed" in said
    assert "skipped" not in said


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
def test_trained_models_give_the_same_heads(backend: str, tmp_path: Path) -> None:
    """Raw heads of every trained model at hand, within a thousandth of their spread, against ONNX Runtime."""
    models = [model for model in MODELS if model.there]
    if not models:
        pytest.skip("no trained model is at hand")
    files = [Path(imported(model)) for model in models]
    pairs = [
        str(p) for m, f in zip(models, files, strict=True) for p in (image_of(m), f.with_suffix(".keras"))
    ]
    run(backend, "-m", "tests.golden.on_backend", str(tmp_path / "out.npz"), str(tmp_path), *pairs)
    found = np.load(tmp_path / "out.npz")
    for model, file in zip(models, files, strict=True):
        for k, raw in enumerate(OnnxEngine(file).run(read_image(image_of(model)).rgb[None])):
            gap = np.abs(found[f"{file.stem}/{k}"] - raw).max() / raw.std()
            print(f"{model.name} {backend} head {k}: largest difference {gap:.1e} of the standard deviation")
            assert gap < 1e-3


def image_of(model: Darknet) -> Path:
    """A reference image of the network's own size."""
    from yolo_cli.darknet import read_cfg

    net = read_cfg(model.folder / f"{model.name}.cfg").net
    return PNG / f"dog_{net.integer('width')}x{net.integer('height')}.png"
