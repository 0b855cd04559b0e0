"""Open a network over time: its ``.onnx`` file, if its card says that it is one."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.engines import OnnxEngine
from yolo_cli.errors import DataError
from yolo_cli.text import shorten
from yolo_cli.weights import check_pair, find_model, read_card

__all__ = ["NetworkOverTime", "open_network"]

_LARGEST = 1e6  # corrections are fractions of a box, scores and logits a few units


@dataclass(frozen=True, slots=True)
class NetworkOverTime:
    """A network in ONNX Runtime.

    Attributes:
        name: of its file, for messages.
        engine: what runs it.
    """

    name: str
    engine: OnnxEngine

    def run(self, batch: NDArray[Any], *shapes: tuple[int, ...]) -> list[NDArray[Any]]:
        """Its outputs for a batch, each float32 and of one of ``shapes``.

        Raises:
            DataError: if it gives others, or values that are not finite, or far too large.
        """
        found = self.engine.run(batch)
        if [each.shape for each in found] != [*shapes]:
            raise DataError(f"{self.name}: gives {[each.shape for each in found]}, but {[*shapes]} is needed")
        if not all((np.abs(each) < _LARGEST).all() for each in found):  # false for NaN, too
            raise DataError(f"{self.name}: gives values that are not finite, or far too large")
        return list(found)


def open_network(weights: str | os.PathLike[str], kind: str) -> NetworkOverTime:
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
    return NetworkOverTime(str(files.onnx), OnnxEngine(files.onnx, "cpu"))
