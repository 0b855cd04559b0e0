"""Read NanoDet-Plus models."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from yolo_cli.darknet import read_names
from yolo_cli.weights.card import ModelCard
from yolo_cli.weights.darknet_import import identifier
from yolo_cli.weights.store import sha256

__all__ = ["nanodet_model"]

INPUT_SIZE = (416, 416)  # of most of the authors' models


def nanodet_model(files: Sequence[Path], names: Path, name: str) -> tuple[Any, ModelCard]:
    """A NanoDet-Plus as a Keras model, and its card.

    Args:
        files: its ``.param`` and ``.bin``, or its ``.onnx``, ``.pth`` or ``.ckpt``.
        names: its class names, one per line.
        name: what to call it.

    Raises:
        DataError: if the files cannot be read, are another network's, or do not fit the names.
    """
    class_names = read_names(names)
    from yolo_cli.model.nanodet import gfl_heads
    from yolo_cli.model.nanodet_weights import read_nanodet

    model, size = read_nanodet(files, len(class_names), identifier(name))
    return model, ModelCard(
        name=name,
        class_names=class_names,
        heads=gfl_heads(len(class_names)),
        input_size=(size[0], size[1]) if size else INPUT_SIZE,
        resize="stretch",  # its authors train without keeping the aspect
        source={"weights": files[-1].name, "weights_sha256": sha256(files[-1])},
    )
