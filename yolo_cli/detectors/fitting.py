"""Whether the heads of a network are those that its card describes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from yolo_cli.engines import FileEngine
from yolo_cli.errors import DataError
from yolo_cli.weights import ModelCard

__all__ = ["check_engine", "check_heads"]

_BOX = 4


def check_engine(engine: FileEngine, card: ModelCard, path: Path, *, proposer: bool = False) -> None:
    """Raise a DataError unless a network has as many heads, and channels in each, as its card means.

    Args:
        engine: the network in the file.
        card: the card in the file.
        path: the file.
        proposer: it is the proposal network of `FasterRcnn`.
    """
    wanted = _proposer_channels() if proposer else _channels(card)
    given = engine.channels
    fit = (have in (None, want) for have, want in zip(given, wanted, strict=False))
    if len(given) != len(wanted) or not all(fit):
        found = ", ".join("?" if have is None else str(have) for have in given)
        needed = ", ".join(map(str, wanted))
        raise DataError(f"{path}: has heads of {found} channels, but its model card needs {needed}")


def _proposer_channels() -> list[int]:
    from yolo_cli.detectors.proposal_network import ANCHORS  # YOLO starts sooner without

    return [ANCHORS * (1 + _BOX)]


def _channels(card: ModelCard) -> list[int]:
    """The channels of each head of a detector's network."""
    classes = len(card.class_names)
    return {
        "localisation": [1 + _BOX + classes],
        "sliding-window": [classes + 1],
        "conv-sliding-window": [classes + 1],
        "rcnn": [classes, _BOX * classes],
        "fast-rcnn": [classes + 1, _BOX * classes],
        "faster-rcnn": [classes + 1, _BOX * classes],
    }.get(card.detector, [head.channels for head in card.heads])


def _grid(height: int, width: int, stride: int) -> tuple[int, int]:
    """Rows and columns of the grid of a head; a cell that is cut by the edge counts."""
    return math.ceil(height / stride), math.ceil(width / stride)


def check_heads(raw_heads: Sequence[NDArray[Any]], card: ModelCard, shape: tuple[int, ...]) -> None:
    """Raise a DataError unless raw heads have the shape that a YOLO card means for a batch.

    Args:
        raw_heads: what the network returned.
        card: the card in its file.
        shape: of the batch, (B, H, W, 3).
    """
    count, height, width = shape[:3]
    wanted = [(count, *_grid(height, width, head.stride), head.channels) for head in card.heads]
    given = [raw.shape for raw in raw_heads]
    if given != wanted:
        raise DataError(f"{card.name}: its heads have the shapes {given}, but its card needs {wanted}")
