"""Every layer type computes what Darknet computes: raw heads of eleven architectures with seeded weights.

The reference values are in ``../shared/darknet/architectures``; its README says how they were made. The
weights are regenerated from their seed, which takes seconds, and are not kept.
"""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from tests.shared import SHARED, needs_shared
from yolo_cli.codec import decode
from yolo_cli.darknet import read_cfg, read_weights
from yolo_cli.images import read_image
from yolo_cli.weights.darknet_import import heads_of

ARCHITECTURES = SHARED / "darknet" / "architectures"
SMALL = ("enet-coco", "yolov7-tiny", "yolov2-tiny-voc")
LARGE = (
    "csresnext50-panet-spp",
    "yolov2",
    "yolov3",
    "yolov3-spp",
    "yolov4",
    "yolov4-csp",
    "yolov4-sam-mish-csp-reorg-bfm",
    "yolov4x-mish",
)

pytestmark = needs_shared("darknet", "architectures")


@pytest.mark.parametrize("engine", ["keras", "onnx"])
@pytest.mark.parametrize("name", [*SMALL, *(pytest.param(name, marks=pytest.mark.slow) for name in LARGE)])
def test_raw_heads_agree(name: str, engine: str, tmp_path: Path) -> None:
    cfg = ARCHITECTURES / f"{name}.cfg"
    network = read_cfg(cfg)
    side = network.net.integer("width")
    image = read_image(SHARED / "darknet" / "references" / "png" / f"dog_{side}x{side}.png")
    heads = _run(name, engine, image.rgb[None], tmp_path)

    reference = np.load(ARCHITECTURES / f"{name}.npz")
    assert len(heads) == reference["heads"]
    for k, raw in enumerate(heads):  # (1, rows, columns, channels)
        ours = raw[0].transpose(2, 0, 1).reshape(-1)[reference[f"head{k}_indices"]]  # (2000,)
        gap = np.abs(ours - reference[f"head{k}_values"]).max() / reference[f"head{k}_std"]
        print(f"{name} {engine} head {k}: largest difference {gap:.1e} of the standard deviation")
        assert gap < 1e-3


@pytest.mark.parametrize("name", [*SMALL, *(pytest.param(name, marks=pytest.mark.slow) for name in LARGE)])
def test_decoded_pairs_agree(name: str, tmp_path: Path) -> None:
    """The 50 most confident (class, box) pairs of Darknet, without suppression, are among ours."""
    network = read_cfg(ARCHITECTURES / f"{name}.cfg")
    side = network.net.integer("width")
    image = read_image(SHARED / "darknet" / "references" / "png" / f"dog_{side}x{side}.png")
    raw_heads = _run(name, "keras", image.rgb[None], tmp_path)
    found = decode([raw[0] for raw in raw_heads], heads_of(network), 0.2)
    xyxy = found.xyxy / side  # (N, 4)
    cxcywh = np.concatenate([(xyxy[:, :2] + xyxy[:, 2:]) / 2, xyxy[:, 2:] - xyxy[:, :2]], axis=1)  # (N, 4)
    for class_id, confidence, *box in json.loads((ARCHITECTURES / f"{name}.darknet.json").read_text())[
        "detections"
    ]:
        near = (found.class_id == class_id) & (np.abs(found.confidence - confidence) < 1e-3)
        close = np.abs(cxcywh - box) < 1e-3 * np.maximum(1, np.abs(box))
        assert (near & close.all(axis=1)).any(), f"class {class_id} at {box} with {confidence}"


def _run(name: str, engine: str, batch: np.ndarray, folder: Path) -> list[np.ndarray]:
    import keras

    from yolo_cli.engines import OnnxEngine
    from yolo_cli.model import build_model
    from yolo_cli.weights.save import export_graph

    weights = folder / f"{name}.weights"
    _generator().make_weights(ARCHITECTURES / f"{name}.cfg", weights, 1)
    network = read_cfg(ARCHITECTURES / f"{name}.cfg")
    model = build_model(network, read_weights(weights, network)[0])
    weights.unlink()
    if engine == "onnx":
        export_graph(model, folder / "model.onnx")
        return OnnxEngine(folder / "model.onnx").run(batch)
    heads = model(batch, training=False)
    return [
        keras.ops.convert_to_numpy(head) for head in (heads if isinstance(heads, list | tuple) else [heads])
    ]


def _generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_weights", ARCHITECTURES / "make_weights.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
