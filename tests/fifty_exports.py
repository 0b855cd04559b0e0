"""The protocol of exports: 50 images, every format, and models of three origins.

Nothing is trained: ``YOLO_CLI_TEST_TRAINED`` names a model that was trained on `fridge`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.shared import SHARED
from yolo_cli import import_model, load_detector

IMAGES = 50
FORMATS = {
    "onnx": {},
    "onnx half": {"half": True},
    "onnx nms": {"nms": True},
    "openvino": {},
    "openvino half nms": {"half": True, "nms": True},
    "saved-model": {},
    "tflite": {},
    "tflite half": {"half": True},
}


def formats_of(origin: str) -> list[str]:
    """The formats in which a model agrees.

    Half precision rounds random weights so that boxes are up to 1.5 % narrower or wider, which is refused.
    That is rounding itself: where float16 holds the weights exactly, they agree. That one has ONNX only.
    """
    names = {
        "seeded": [name for name in FORMATS if "half" not in name],
        "rounded": ["onnx half", "openvino half nms"],
    }
    return names.get(origin, list(FORMATS))


def seeded(folder: Path) -> Path:
    """yolov7-tiny of Darknet with the weights of seed 1."""
    made = SHARED / "darknet" / "architectures"
    weights = folder / "yolov7-tiny.weights"
    command = [sys.executable, str(made / "make_weights.py"), str(made / "yolov7-tiny.cfg"), str(weights)]
    subprocess.run([*command, "--seed", "1"], check=True, timeout=300)
    names = folder / "names"
    names.write_text("\n".join(load_detector("yolov4-tiny-coco").class_names))
    return import_model([made / "yolov7-tiny.cfg", weights], names, folder / "yolov7-tiny").keras


def rounded(folder: Path) -> Path:
    """The same network with kernels that float16 holds exactly, as an ``.onnx`` file."""
    import numpy as np
    import onnx

    network = onnx.load(str(seeded(folder).with_suffix(".onnx")))
    for array in network.graph.initializer:
        if array.data_type == onnx.TensorProto.FLOAT and len(array.dims) == 4:
            values = onnx.numpy_helper.to_array(array).astype(np.float16).astype(np.float32)
            array.CopyFrom(onnx.numpy_helper.from_array(values, array.name))
    onnx.save(network, str(folder / "rounded.onnx"))
    return folder / "rounded.onnx"


def model_of(origin: str, folder: Path) -> dict[str, Any]:
    """The options of `export` for a model; only the split ``train`` of fridge has 50 images."""
    coco = {"data": SHARED / "data" / "coco128-val", "limit": IMAGES}
    if origin == "bundled":
        return {"weights": "yolov4-tiny-coco", **coco}
    if origin == "seeded":
        return {"weights": seeded(folder), **coco}
    if origin == "rounded":
        return {"weights": rounded(folder), **coco}
    trained = os.environ.get("YOLO_CLI_TEST_TRAINED")
    if trained is None:
        pytest.skip("YOLO_CLI_TEST_TRAINED names no model that was trained on fridge")
    return {"weights": trained, "data": SHARED / "data" / "fridge", "split": "train", "limit": IMAGES}
