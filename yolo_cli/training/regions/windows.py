"""Train the classifier of sliding windows: slightly moved object boxes against background."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.datasets import Sample
from yolo_cli.detectors.crops import warp
from yolo_cli.detectors.windows import WINDOW
from yolo_cli.framework import keras
from yolo_cli.model.windows import build_window_classifier
from yolo_cli.training.regions.labelling import around_gt, away_from_gt, trainable
from yolo_cli.training.workspace import NO_WORKSPACE, EpochBatches, Workspace, compile_adamw, set_seed

__all__ = ["WindowBatches", "recoloured", "train_window_classifier"]

BATCH = 16  # images
POSITIVE, NEGATIVE = 4, 8  # windows per image


class WindowBatches(EpochBatches):
    """Windows of training images, sampled again in every epoch; reproducible by seed."""

    def __init__(self, samples: Sequence[Sample], classes: int, seed: int = 0) -> None:
        super().__init__(len(samples), BATCH, seed)
        self._samples, self._background = list(samples), classes

    def __getitem__(self, index: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """Pixels (B, WINDOW, WINDOW, 3) and class ids (B,), background last."""
        random = np.random.default_rng((self.seed, self.epoch, index))
        parts = [self._windows(self._samples[i], random) for i in self.chosen(index)]
        return np.concatenate([pixels for pixels, _ in parts]), np.concatenate([ids for _, ids in parts])

    def _windows(self, sample: Sample, random: np.random.Generator) -> tuple[Any, NDArray[np.int64]]:
        image, ground_truth = sample.read(), sample.ground_truth
        near = around_gt(trainable(ground_truth), POSITIVE, random)
        far = away_from_gt((image.height, image.width), ground_truth, NEGATIVE, random)
        pixels = warp(image.rgb, np.concatenate([near.xyxy, far.xyxy]), WINDOW)  # (N, WINDOW, WINDOW, 3)
        if random.random() < 0.5:
            pixels = pixels[:, :, ::-1]
        pixels = recoloured(pixels, random.uniform(0.7, 1.3), random.uniform(-20, 20))
        return pixels, np.concatenate([near.class_id, np.full(len(far), self._background)])


def recoloured(pixels: NDArray[np.uint8], contrast: float, brightness: float) -> NDArray[np.uint8]:
    """Pixels of any shape, multiplied, moved and clipped."""
    levels = np.rint(contrast * np.arange(256) + brightness)  # (256,)
    table: NDArray[np.uint8] = np.clip(levels, 0, 255).astype(np.uint8)
    return table[pixels]


def train_window_classifier(
    samples: Sequence[Sample], classes: int, epochs: int, seed: int = 0, workspace: Workspace = NO_WORKSPACE
) -> Any:
    """Train a classifier with dense layers and ``classes`` + 1 outputs, background last."""
    set_seed(seed)
    batches = WindowBatches(samples, classes, seed)
    model = build_window_classifier(classes + 1)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    compile_adamw(model, loss, 2e-3, epochs * len(batches), weight_decay=1e-3)
    workspace.fit(model, batches, epochs)
    return model
