"""Batch normalisation for training: the same as that of Keras, in one operation where TensorFlow has one."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

__all__ = ["LearningNormalization"]


class LearningNormalization(keras.layers.BatchNormalization):  # type: ignore[misc]
    """`keras.layers.BatchNormalization` over the channels, faster on TensorFlow.

    Keras writes it as some ten operations on float32 copies of the whole activation. TensorFlow has one
    operation for all of them, which reads bfloat16 and adds up in float32; with it a training step of a tiny
    YOLO takes about a quarter less time on a CPU. Other backends compute as Keras does.
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """(B, H, W, C) → the same, with mean `beta` and deviation `gamma` in each channel of a batch."""
        if not (training and self.trainable and self._in_one_step(inputs)):
            return super().call(inputs, training=training, mask=mask)
        from tensorflow.raw_ops import FusedBatchNormV3  # the friendly name raises epsilon to 1.001e-5

        found = FusedBatchNormV3(
            x=inputs,
            scale=ops.convert_to_tensor(self.gamma.value),
            offset=ops.convert_to_tensor(self.beta.value),
            mean=ops.zeros(0),  # in training these two are found, not given
            variance=ops.zeros(0),
            epsilon=self.epsilon,
            is_training=True,
        )
        values = ops.cast(ops.prod(ops.shape(inputs)[:-1]), "float32")
        variance = found.batch_variance * (values - 1) / values  # Keras keeps that of the batch itself
        for kept, new in ((self.moving_mean, found.batch_mean), (self.moving_variance, variance)):  # (C,)
            kept.assign(kept * self.momentum + new * (1 - self.momentum))
        return found.y

    def _in_one_step(self, inputs: Any) -> bool:
        """Whether this backend has one operation for it."""
        if keras.backend.backend() != "tensorflow":
            return False
        return len(inputs.shape) == 4 and self.axis in (-1, 3) and self.center and self.scale
