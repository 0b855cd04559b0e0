"""Train the heads of R-CNN and Fast R-CNN on examples."""

from __future__ import annotations

from typing import Any

import numpy as np

from yolo_cli.framework import keras, ops
from yolo_cli.model.region_heads import DELTA_SCALE, build_linear_head, build_mlp_head
from yolo_cli.training.regions.examples import Examples
from yolo_cli.training.workspace import NO_WORKSPACE, EpochBatches, Workspace, compile_adamw, set_seed

__all__ = ["box_loss", "fit_linear_head", "fit_mlp_head", "one_class_loss"]

BATCH = 256
RATE = 5e-4


class _Batches(EpochBatches):
    """Examples, shuffled in every epoch."""

    def __init__(self, examples: Examples, background: int, seed: int) -> None:
        super().__init__(len(examples.class_id), BATCH, seed)
        self._examples, self._background = examples, background

    def __getitem__(self, index: int) -> tuple[Any, tuple[Any, Any]]:
        """Features (B, rows, columns, C); class ids (B,) and, for the boxes, class id and deltas (B, 5)."""
        chosen = self.chosen(index)  # (B,)
        class_id = self._examples.class_id[chosen]  # (B,)
        boxes = np.concatenate([class_id[:, None], self._examples.deltas[chosen]], axis=1)  # (B, 5)
        target = np.where(class_id < 0, self._background, class_id)  # (B,)
        return self._examples.features[chosen].astype(np.float32), (target, boxes.astype(np.float32))


def one_class_loss(class_id: Any, logits: Any) -> Any:
    """Binary cross-entropy (B,) of one classifier per class; the target of background (-1) is 0 for all."""
    wanted = ops.one_hot(ops.cast(ops.reshape(class_id, (-1,)), "int32"), logits.shape[-1])  # (B, K)
    return ops.sum(ops.binary_crossentropy(wanted, logits, from_logits=True), axis=-1)


def box_loss(target: Any, deltas: Any) -> Any:
    """Huber loss (B,) of the box of the right class; 0 for background.

    Args:
        target: (B, 5), class id (-1 for background) and the four deltas.
        deltas: (B, 4 K), output of the network.
    """
    own = ops.one_hot(ops.cast(target[:, 0], "int32"), deltas.shape[-1] // 4)  # (B, K)
    said = ops.sum(ops.reshape(deltas, (-1, own.shape[-1], 4)) * own[:, :, None], axis=1)  # (B, 4)
    miss = ops.abs(said - target[:, 1:]) / ops.convert_to_tensor(DELTA_SCALE)  # (B, 4)
    loss = ops.where(miss < 1.0, 0.5 * miss * miss, miss - 0.5)  # (B, 4)
    return ops.sum(loss, axis=-1) * ops.sum(own, axis=-1)


def fit_linear_head(
    examples: Examples,
    classes: int,
    epochs: int,
    seed: int = 0,
    workspace: Workspace = NO_WORKSPACE,
    rate: float = RATE,
) -> Any:
    """Train R-CNN's head on ``examples`` with the peak learning rate ``rate``."""
    set_seed(seed)
    model = build_linear_head(examples.features.shape[1:], classes)
    batches = _Batches(examples, -1, seed)
    compile_adamw(model, [one_class_loss, box_loss], rate, epochs * len(batches))
    workspace.fit(model, batches, epochs)
    return model


def fit_mlp_head(
    examples: Examples,
    classes: int,
    epochs: int,
    seed: int = 0,
    workspace: Workspace = NO_WORKSPACE,
    reduced: int | None = None,
) -> Any:
    """Train Fast R-CNN's head on ``examples``; ``reduced`` channels follow its first layer."""
    set_seed(seed)
    model = build_mlp_head(examples.features.shape[1:], classes, reduced=reduced)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    batches = _Batches(examples, classes, seed)
    compile_adamw(model, [loss, box_loss], RATE, epochs * len(batches))
    workspace.fit(model, batches, epochs)
    return model
