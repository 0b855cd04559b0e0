"""Crops of an image → embeddings."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from yolo_cli.engines import Engine, Runtime
from yolo_cli.errors import DataError, UsageError
from yolo_cli.hardware import Device
from yolo_cli.images import Image, crop
from yolo_cli.weights import ModelCard, check_pair, find_model, read_card
from yolo_cli.weights.store import sha256

__all__ = ["DEFAULT_EMBEDDING", "Embedder", "load_embedder"]

DEFAULT_EMBEDDING = "objects-embedding"
BATCH = 32  # crops

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class Embedder:
    """A loaded embedding network. Thread-safe.

    Attributes:
        card: the model card.
        digest: the SHA-256 of its file.
        engine: the network.
    """

    card: ModelCard
    digest: str
    engine: Engine

    def __call__(self, image: Image, boxes: Floats) -> NDArray[np.float32]:
        """Embeddings (N, D) of the boxes (N, 4) on an image; N is at least 1.

        Each crop is stretched to the network's input. A box beside the image is a grey one.

        Raises:
            DataError: if the network does not give one finite vector for each.
        """
        crops = np.stack([self._fitted(crop(image, box)) for box in boxes])  # (N, height, width, 3)
        parts = [self.engine.run(crops[at : at + BATCH])[0] for at in range(0, len(crops), BATCH)]
        found = np.concatenate(parts)
        if found.ndim != 2 or len(found) != len(boxes) or not np.isfinite(found).all():
            raise DataError(f"{self.card.name}: does not give one finite vector for a crop")
        return np.asarray(found, np.float32)

    @property
    def length(self) -> int:
        """Numbers in an embedding."""
        return int(self(Image(np.full((1, 1, 3), 127, np.uint8)), np.array([[0, 0, 1, 1.0]])).shape[1])

    def _fitted(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        height, width = self.card.input_size
        if not pixels.size:
            return np.full((height, width, 3), 127, np.uint8)
        shrinks = pixels.shape[0] * pixels.shape[1] > height * width
        kind = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(pixels, (width, height), interpolation=kind), np.uint8)


def load_embedder(weights: str | os.PathLike[str] | None = None, device: Device = "auto") -> Embedder:
    """Load an embedding network.

    Args:
        weights: a model's name, the path of one of its files, or the folder of a training run; None is
            `DEFAULT_EMBEDDING`.
        device: where it runs.

    Raises:
        UserError: if there is no such model, its files do not match, or it is a detector.
    """
    files = find_model(os.fspath(weights or DEFAULT_EMBEDDING))
    check_pair(files)
    path = files.onnx or files.first
    card = read_card(path)
    if not card.metric:
        raise UsageError(f"{path}: is a detector, not an embedding; `yolo train --embedding` makes one")
    return Embedder(card, sha256(path), Runtime(device).open(path))
