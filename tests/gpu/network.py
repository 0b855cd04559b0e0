"""The network and the batches that the checks of a GPU train: made from seeds alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tests.training_sets import write_tiny_cfg

__all__ = ["ROOT", "make_batch", "make_network", "trainable"]

ROOT = Path(__file__).resolve().parents[2]
Batch = tuple[np.ndarray, dict[str, np.ndarray]]
BOXES, SLOTS = 4, 64  # of an image: boxes, and the slots that they are assigned to


def make_network(folder: Path | None) -> tuple[Any, Any]:
    """A Keras model and its heads: the bundled one, or with a folder the smallest, which is written there."""
    import keras

    from yolo_cli.darknet import read_cfg
    from yolo_cli.model import build_model
    from yolo_cli.weights import read_card
    from yolo_cli.weights.darknet_import import heads_of

    keras.utils.set_random_seed(0)
    if folder is not None:
        network = read_cfg(write_tiny_cfg(folder))
        return build_model(network), heads_of(network)
    path = ROOT / "weights" / "yolov4-tiny-coco.keras"
    return keras.saving.load_model(path, compile=False), read_card(path).heads


def trainable(network: tuple[Any, Any], precision: str) -> Any:
    """It in a precision, compiled as `yolo train` compiles it."""
    from yolo_cli.config import TrainConfig
    from yolo_cli.engines import compiles
    from yolo_cli.loss import YoloLoss
    from yolo_cli.training.yolo.network import LearningModel, with_precision
    from yolo_cli.training.yolo.optimizer import make_optimizer

    model, heads = network
    twin = with_precision(model, precision)
    learning = LearningModel(twin.input, twin.outputs, yolo_loss=YoloLoss(heads))
    learning.compile(optimizer=make_optimizer(TrainConfig(), 1e-4, 100), jit_compile=compiles())
    return learning


def make_batch(heads: Any, side: int, count: int) -> Batch:
    """Random images with random boxes, as `BatchMaker` gives them."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (count, side, side, 3)).astype(np.uint8)
    rows = [_targets(heads, side, rng) for _ in range(count)]
    return images, {key: np.stack([row[key] for row in rows]) for key in rows[0]}


def _targets(heads: Any, side: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    from yolo_cli.codec import encode

    grids = [(side // head.stride, side // head.stride) for head in heads]
    low = rng.uniform(0, side * 0.6, (BOXES, 2))
    xyxy = np.concatenate([low, low + rng.uniform(side * 0.1, side * 0.4, (BOXES, 2))], axis=1)
    found = encode(xyxy.astype(np.float32), rng.integers(0, 2, BOXES), heads, grids)
    count = min(SLOTS, len(found))
    taken = np.zeros(sum(h * w * len(head.anchors) for (h, w), head in zip(grids, heads, strict=True)))
    taken[found.slot[:count]] = 1
    cxcywh = np.ones((SLOTS, 4), np.float32)
    cxcywh[:count] = found.cxcywh[:count]
    padded = {name: np.zeros(SLOTS, np.int32) for name in ("slot", "class_id")}
    padded["slot"][:count], padded["class_id"][:count] = found.slot[:count], found.class_id[:count]
    return padded | {
        "taken": taken.astype(np.uint8),
        "cxcywh": cxcywh,
        "positive": (np.arange(SLOTS) < count).astype(np.float32),
        "ground_truths": xyxy.astype(np.float32),
        "ignored": np.zeros(BOXES, np.float32),
    }
