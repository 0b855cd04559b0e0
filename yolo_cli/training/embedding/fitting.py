"""Photos of identities → a trained embedding network."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from yolo_cli.model.embedding import build_embedding
from yolo_cli.training.embedding.batches import BATCH, IdentityBatches, quarter_turned
from yolo_cli.training.embedding.data import Identities
from yolo_cli.training.embedding.job import EmbeddingJob
from yolo_cli.training.embedding.losses import LOSSES
from yolo_cli.training.workspace import NO_WORKSPACE, Workspace, compile_adamw, set_seed

__all__ = ["embedded", "epochs_for", "fit_embedding"]

STEPS = 1500  # of a run whose epochs are not given
RATE, FINE_RATE = 2e-3, 2e-4  # peak learning rates: from random weights, and from trained ones
WEIGHT_DECAY = 1e-4

Pixels = NDArray[np.uint8]


def epochs_for(photos: int, quarter_turns: bool, steps: int = STEPS) -> int:
    """The number of epochs in which so many photos are ``steps`` steps."""
    return math.ceil(steps / max(1, photos * (4 if quarter_turns else 1) // BATCH))


def fit_embedding(
    job: EmbeddingJob,
    people: Identities,
    epochs: int,
    start: Any = None,
    workspace: Workspace = NO_WORKSPACE,
) -> Any:
    """Train an embedding network.

    Args:
        job: how; its data are not read.
        people: those to learn from.
        epochs: their number.
        start: a network of this loss to go on from; None is a new one.
        workspace: reports progress.

    Returns:
        A Keras model: RGB uint8 (B, height, width, 3) → float32 (B, D).
    """
    set_seed(job.seed)
    model = build_embedding(job.size, job.loss) if start is None else start
    photos, groups = people.photos, people.groups
    if job.quarter_turns:
        photos, groups = quarter_turned(photos, groups)
    batches = IdentityBatches(photos, groups, model.input_shape[1:3], job.seed, not job.no_augment)
    rate = RATE if start is None else FINE_RATE
    compile_adamw(model, LOSSES[job.loss], rate, epochs * len(batches), WEIGHT_DECAY)
    workspace.fit(model, batches, epochs)
    return model


def embedded(model: Any, photos: Pixels, batch: int = 64) -> NDArray[np.float32]:
    """Embeddings (N, D) of photos (N, side, side, 3), resized to the network's input."""
    height, width = model.input_shape[1:3]
    small = [cv2.resize(photo, (width, height), interpolation=cv2.INTER_AREA) for photo in photos]
    parts = [np.stack(small[at : at + batch]) for at in range(0, len(small), batch)]
    return np.concatenate([np.asarray(model.predict_on_batch(part)) for part in parts])
