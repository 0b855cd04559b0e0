"""An embedding without identities: features of a detector, whitened on crops of anything."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.framework import keras

__all__ = ["whitened"]

TINY = 1e-6  # of the largest standard deviation, added to each


def whitened(features: Any, crops: NDArray[np.uint8], dimensions: int = 128) -> Any:
    """The network whose vectors are the whitened principal components of a network's features.

    Jégou and Chum, "Negative evidences and co-occurrences in image retrieval: the benefit of PCA and
    whitening", ECCV 2012: features have length 1 before, and the components have length 1 after.

    Args:
        features: a Keras model: RGB uint8 (B, height, width, 3) → (B, C).
        crops: uint8 (N, height, width, 3), for mean and covariance; more than ``dimensions``.
        dimensions: of the vectors.

    Returns:
        A Keras model: RGB uint8 (B, height, width, 3) → float32 (B, dimensions).
    """
    found = np.asarray(features.predict(crops, batch_size=64, verbose=0), float)  # (N, C)
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    mean = found.mean(axis=0)  # (C,)
    _, spread, axes = np.linalg.svd(found - mean, full_matrices=False)
    deviation = spread[:dimensions] / np.sqrt(len(found)) + TINY * spread[0]  # (dimensions,)
    kernel = axes[:dimensions].T / deviation  # (C, dimensions)
    unit = keras.layers.UnitNormalization(name="unit_features")(features.output)
    project = keras.layers.Dense(dimensions, name="whiten")
    out = keras.layers.UnitNormalization(name="unit")(project(unit))
    project.set_weights([kernel.astype(np.float32), (-mean @ kernel).astype(np.float32)])
    return keras.Model(features.input, out, name="embedding")
