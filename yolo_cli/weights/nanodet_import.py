"""Import NanoDet-Plus models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from yolo_cli.darknet import read_names
from yolo_cli.weights.card import ModelCard
from yolo_cli.weights.darknet_import import identifier
from yolo_cli.weights.save import save_model
from yolo_cli.weights.store import ModelFiles, sha256

__all__ = ["import_nanodet"]

INPUT_SIZE = (416, 416)  # of most of the authors' models


def import_nanodet(
    files: Sequence[Path],
    names: Path,
    out: Path,
    *,
    half: bool = False,
    about: dict[str, Any] | None = None,
) -> ModelFiles:
    """Write ``out.keras``, ``out.onnx`` and ``out.md`` for a NanoDet-Plus.

    Args:
        files: its ``.param`` and ``.bin``, or its ``.onnx``, ``.pth`` or ``.ckpt``.
        names: its class names, one per line.
        out: path of the result, without a suffix.
        half: store kernels as float16, which halves the files.
        about: fields of the card that these files do not contain; see `about.read_about`.

    Raises:
        DataError: if the files cannot be read, are another network's, or do not fit the names.
    """
    class_names = read_names(names)
    from yolo_cli.model.nanodet import gfl_heads
    from yolo_cli.model.nanodet_weights import read_nanodet

    model, size = read_nanodet(files, len(class_names), identifier(out.name))
    card = ModelCard(
        name=out.name,
        class_names=class_names,
        heads=gfl_heads(len(class_names)),
        input_size=(size[0], size[1]) if size else INPUT_SIZE,
        resize="stretch",  # its authors train without keeping the aspect
        source={"weights": files[-1].name, "weights_sha256": sha256(files[-1])},
    )
    return save_model(model, replace(card, **(about or {})), out, half=half, page=True)
