"""A network that can learn: a Keras model with the loss of its heads, in the wanted precision."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras

from yolo_cli.config import Precision
from yolo_cli.loss import YoloLoss
from yolo_cli.training.normalisation import LearningNormalization

__all__ = ["LOSSES", "LearningModel", "averaged", "choose_precision", "memory_for", "with_precision"]

LOSSES = ("box", "objectness", "class")
POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}
LONGEST_MEMORY = 0.97  # how much of its old mean and variance batch normalisation keeps in a step, at most

EXACT_LAYERS = ("scale", "head_", "predict_")  # these compute in float32 always


class LearningModel(keras.Model):  # type: ignore[misc]
    """A functional model whose loss is `YoloLoss`; it reports each of the three terms."""

    def __init__(self, *args: Any, yolo_loss: YoloLoss | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.yolo_loss = yolo_loss
        self.box_mean, self.objectness_mean, self.class_mean = (keras.metrics.Mean(name=n) for n in LOSSES)

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """The sum of the terms for targets ``y`` and raw heads ``y_pred``."""
        del x, sample_weight, training
        assert self.yolo_loss is not None
        heads = y_pred if isinstance(y_pred, list | tuple) else [y_pred]
        terms = self.yolo_loss(y, heads)
        for mean, name in zip((self.box_mean, self.objectness_mean, self.class_mean), LOSSES, strict=True):
            mean.update_state(terms[name])
        return sum(terms.values()) / _replicas()


def with_precision(model: Any, precision: str, memory: float = LONGEST_MEMORY) -> Any:
    """A copy of a model, weights and all, whose layers compute in ``precision`` and follow new data quickly.

    Weights stay float32 in any case, and so do the heads.

    Args:
        model: a functional model.
        precision: a key of `POLICIES`.
        memory: how much of its old mean and variance batch normalisation keeps in a step.
    """

    def copied(layer: Any) -> Any:
        config = layer.get_config()
        if not layer.name.startswith(EXACT_LAYERS):
            config["dtype"] = POLICIES[precision]
        if isinstance(layer, keras.layers.BatchNormalization):
            return LearningNormalization.from_config({**config, "momentum": memory})
        return layer.__class__.from_config(config)

    copy = keras.models.clone_model(model, clone_function=copied)
    copy.set_weights(model.get_weights())
    return copy


def memory_for(steps: int) -> float:
    """How much of its old mean and variance batch normalisation may keep in a step of a run of so many.

    A run from scratch must forget the variance of 1 that it begins with; Keras' 0.99 takes thousands of steps
    to, where true variances are small. A tenth of the run is enough to forget all but e⁻¹ of it.

    >>> memory_for(50), memory_for(150), memory_for(5000)
    (0.8, 0.933, 0.97)
    """
    return min(LONGEST_MEMORY, round(1 - 10 / max(steps, 20), 3))


def choose_precision(wanted: Precision, gpu: bool) -> str:
    """What "auto" means here: float16 on a GPU, bfloat16 where the processor computes in it, else float32."""
    if wanted != "auto":
        return wanted
    if gpu:
        return "float16"
    return "bfloat16" if _processor_flags() & {"avx512_bf16", "amx_bf16"} else "float32"


def _processor_flags() -> set[str]:
    """What the processor can do, as Linux tells it; nothing elsewhere."""
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:  # noqa: PTH123
            lines = [line for line in file if line.startswith("flags")]
    except OSError:
        return set()
    return set(lines[0].split()) if lines else set()


def _replicas() -> int:
    """How many devices share a step on TensorFlow, which adds up their gradients; elsewhere that is one."""
    if keras.backend.backend() != "tensorflow":
        return 1
    import tensorflow as tf

    return int(tf.distribute.get_strategy().num_replicas_in_sync)


@contextmanager
def averaged(model: Any) -> Iterator[None]:
    """In this block the model has its averaged weights, where its optimizer keeps them; then the old ones."""
    optimizer = model.optimizer
    if not optimizer.use_ema:
        yield
        return
    if keras.backend.backend() == "jax":
        model.jax_state_sync()
    variables = optimizer._trainable_variables
    own = [keras.ops.convert_to_numpy(variable) for variable in variables]
    own = [values.copy() for values in own]
    for variable, average in zip(variables, optimizer._model_variables_moving_average, strict=True):
        variable.assign(average)
    try:
        yield
    finally:
        for variable, values in zip(variables, own, strict=True):
            variable.assign(values)
