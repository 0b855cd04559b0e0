"""Open a network over time: its ``.onnx`` file, if its card says that it is one."""

from __future__ import annotations

import os

from yolo_cli.engines import OnnxEngine
from yolo_cli.errors import DataError
from yolo_cli.text import shorten
from yolo_cli.weights import check_pair, find_model, read_card

__all__ = ["open_network"]


def open_network(weights: str | os.PathLike[str], kind: str) -> OnnxEngine:
    """The network of a model, on the processor.

    Args:
        weights: the model's name, or the path of one of its files.
        kind: what its card must call it.

    Raises:
        DataError: if there is no such model, it is of another kind, or has no ``.onnx`` file.
    """
    files = find_model(os.fspath(weights))
    if files.onnx is None:
        raise DataError(f"{files.first}: has no .onnx file beside it; `yolo weights export` writes it")
    check_pair(files)
    if (found := read_card(files.onnx).detector) != kind:
        raise DataError(f"{files.onnx}: is a model for {shorten(found, 40)}, but a {kind} is needed")
    return OnnxEngine(files.onnx, "cpu")
