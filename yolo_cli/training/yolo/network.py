"""A trainable network: a Keras model with the loss of its heads, in the chosen precision."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.config import Precision
from yolo_cli.framework import keras
from yolo_cli.gfl_loss import GflLoss
from yolo_cli.loss import LOSSES, YoloLoss
from yolo_cli.training.yolo.normalisation import LearningNormalization, Momentum
from yolo_cli.training.yolo.optimizer import innermost

if TYPE_CHECKING:
    from yolo_cli.training.yolo.data import Batch

__all__ = [
    "AVERAGING",
    "RATE",
    "STATISTICS",
    "LearningModel",
    "averaged",
    "choose_precision",
    "momentum_for",
    "with_precision",
    "with_settings",
]

# The settings of a step, by their keys among the targets, on JAX.
RATE, AVERAGING, STATISTICS = "learning_rate", "averaging_momentum", "statistics_momentum"
POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}
MOST_MOMENTUM = 0.97  # momentum of the moving statistics of batch normalisation

EXACT_LAYERS = re.compile(r"scale|head_\d|predict_")  # these always compute in float32


class LearningModel(keras.Model):  # type: ignore[misc]
    """A functional model whose loss is `YoloLoss` or `GflLoss`, with a metric for each of its terms.

    ``momentum`` is that of the moving statistics of its layers, where it changes.
    """

    def __init__(
        self,
        *args: Any,
        yolo_loss: YoloLoss | GflLoss | None = None,
        momentum: Momentum | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.yolo_loss, self.momentum = yolo_loss, momentum
        self.term_means = [keras.metrics.Mean(name=n) for n in (yolo_loss.names if yolo_loss else LOSSES)]

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
        for mean in self.term_means:
            mean.update_state(terms[mean.name])
        return sum(terms.values()) / _replicas()

    def train_step(self, *given: Any) -> Any:
        """One step of training; on JAX with the settings that came with the batch, if any did."""
        if keras.backend.backend() != "jax":
            return super().train_step(*given)
        (trainable, others, optimizer, metrics), (images, targets, *weights) = given
        optimizer, targets = list(optimizer), dict(targets)
        held = {RATE: self.optimizer.learning_rate, AVERAGING: innermost(self.optimizer).ema_momentum}
        for name in held.keys() & targets.keys():
            [place] = [i for i, each in enumerate(self.optimizer.variables) if each is held[name]]
            optimizer[place] = targets.pop(name)[0]
        statistics = targets.pop(STATISTICS, None)
        with self.momentum.at(statistics[0]) if self.momentum and statistics is not None else nullcontext():
            return super().train_step((trainable, others, optimizer, metrics), (images, targets, *weights))

    def use(self, settings: Mapping[str, float]) -> None:
        """Set what `with_settings` sends with each batch on JAX; for the other backends."""
        self.optimizer.learning_rate = settings[RATE]
        if AVERAGING in settings:
            innermost(self.optimizer).ema_momentum.assign(settings[AVERAGING])
        if STATISTICS in settings and self.momentum:
            self.momentum.assign(settings[STATISTICS])


def with_precision(
    model: Any, precision: str, momentum: float = MOST_MOMENTUM, changing: Momentum | None = None
) -> Any:
    """A copy of a model, including weights, whose layers compute in ``precision``.

    Weights and heads are always float32.

    Args:
        model: a functional model.
        precision: a key of `POLICIES`.
        momentum: of the moving mean and variance of batch normalisation.
        changing: replaces it.
    """

    def copied(layer: Any) -> Any:
        config = layer.get_config()
        if not EXACT_LAYERS.match(layer.name):
            config["dtype"] = POLICIES[precision]
        if isinstance(layer, keras.layers.BatchNormalization):
            learning = LearningNormalization.from_config({**config, "momentum": momentum})
            learning.changing = changing
            return learning
        return layer.__class__.from_config(config)

    copy = keras.models.clone_model(model, clone_function=copied)
    copy.set_weights(model.get_weights())
    return copy


def momentum_for(steps: int) -> float:
    """The momentum of moving means and variances in a run with this number of steps.

    A run from scratch must forget the initial variance of 1; with Keras's 0.99 and small true variances, that
    takes thousands of steps. Here the time constant is a tenth of the run.

    >>> momentum_for(50), momentum_for(150), momentum_for(5000)
    (0.8, 0.933, 0.97)
    """
    return min(MOST_MOMENTUM, round(1 - 10 / max(steps, 20), 3))


def choose_precision(precision: Precision, gpu: bool) -> str:
    """``precision``; for "auto" float16 on a GPU, bfloat16 if the CPU supports it, else float32."""
    if precision != "auto":
        return precision
    if gpu:
        return "float16"
    return "bfloat16" if _processor_flags() & {"avx512_bf16", "amx_bf16"} else "float32"


def _processor_flags() -> set[str]:
    """The CPU flags listed by Linux; empty elsewhere."""
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:  # noqa: PTH123
            lines = [line for line in file if line.startswith("flags")]
    except OSError:
        return set()
    return set(lines[0].split()) if lines else set()


def _replicas() -> int:
    """Number of replicas on TensorFlow, which sums their gradients; 1 elsewhere."""
    if keras.backend.backend() != "tensorflow":
        return 1
    import tensorflow as tf

    return int(tf.distribute.get_strategy().num_replicas_in_sync)


def _copies(variables: Iterable[Any]) -> list[NDArray[Any]]:
    """The values of variables. Two variables must not share a buffer: a compiled step takes over its own."""
    return [keras.ops.convert_to_numpy(variable).copy() for variable in variables]


def with_settings(
    batches: Iterable[Batch], settings_of: Callable[[int], Mapping[str, float]], start: int
) -> Iterator[Batch]:
    """Batches with the settings of their step for `LearningModel.train_step`, float32 (B,) each.

    Args:
        batches: from step ``start`` on.
        settings_of: step, counted from 0 through all epochs → the learning rate and others.
        start: the first step.
    """
    for number, (images, targets) in enumerate(batches, start):
        settings = settings_of(number)
        yield images, targets | {k: np.full(len(images), v, np.float32) for k, v in settings.items()}


@contextmanager
def averaged(model: Any) -> Iterator[None]:
    """A context in which the model has its averaged weights, if its optimizer keeps them."""
    optimizer = innermost(model.optimizer)
    if not optimizer.use_ema:
        yield
        return
    variables = optimizer._trainable_variables
    own, averages = map(_copies, (variables, optimizer._model_variables_moving_average))
    for variable, average in zip(variables, averages, strict=True):
        variable.assign(average)
    try:
        yield
    finally:
        for variable, values in zip(variables, own, strict=True):
            variable.assign(values)
