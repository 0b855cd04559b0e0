"""Small good model files of other programs' formats, to be mutated."""

from __future__ import annotations

import io
import random
import tempfile
import zipfile
from pathlib import Path

import numpy as np

from tests.fuzz.mutations import mutated, odd_json

__all__ = ["changed_member", "darknet_files", "darknet_weights", "keras_files", "ncnn_files", "torch_files"]


def torch_files() -> dict[str, bytes]:
    from tests.torch_files import older_form, zip_form

    tensors = {"a.weight": np.arange(24, dtype=np.float32).reshape(2, 3, 4), "b": np.arange(5)}
    return {".pth": zip_form(tensors), "o.pth": older_form(tensors)}


def ncnn_files() -> dict[str, bytes]:
    """The first blocks of a NanoDet-Plus, with kernels of each kind: ``.param`` files, and their ``.bin``."""
    from tests.oracles_nanodet import Oracle

    made = {}
    for kind, stored in (("f", "float32"), ("h", "float16"), ("i", "int8")):
        oracle = Oracle(np.random.default_rng(0), 3, stored)  # type: ignore[arg-type]
        image = oracle.layer("Input", [], np.zeros((3, 16, 16)))
        oracle.conv(image, 8, 3, "a")
        oracle.depthwise(oracle.conv(image, 8, 3, "b"), 3, "c")
        with tempfile.TemporaryDirectory() as folder:
            for path in oracle.write(Path(folder) / "a"):
                made[kind + path.suffix] = path.read_bytes()
    return made


def darknet_files() -> dict[str, bytes]:
    from tests.networks import EVERY_LAYER

    return {".cfg": EVERY_LAYER.encode()}


def darknet_weights() -> dict[str, bytes]:
    from tests.tiny import write_tiny

    with tempfile.TemporaryDirectory() as folder:
        return {".weights": write_tiny(Path(folder)).weights.read_bytes()}


def keras_files() -> dict[str, bytes]:
    """A network as Keras saves it: its description, and its weights in HDF5."""
    from yolo_cli.framework import keras

    image = keras.Input((None, None, 3), dtype="uint8", name="rgb")
    x = keras.layers.Rescaling(1 / 255)(image)
    x = keras.layers.Conv2D(4, 3, strides=32, padding="same", use_bias=False)(x)
    x = keras.layers.LeakyReLU()(keras.layers.BatchNormalization()(x))
    model = keras.Model(image, keras.layers.Conv2D(18, 1)(x))
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder) / "a.keras")
        return {".keras": (Path(folder) / "a.keras").read_bytes()}


def changed_member(data: bytes, rng: random.Random) -> bytes:
    """A zip archive with one file in it changed: values of JSON, or bytes of what HDF5 reads."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    name = rng.choice(["config.json", "model.weights.h5", "model.weights.h5"])
    change = odd_json if name.endswith(".json") and rng.random() < 0.7 else mutated
    files[name] = change(files[name], rng)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for member, content in files.items():
            archive.writestr(member, content)
    return buffer.getvalue()
