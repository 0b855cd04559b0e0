"""The optimizer of YOLO's training."""

from __future__ import annotations

from typing import Any

from yolo_cli.config import TrainConfig
from yolo_cli.framework import keras

__all__ = ["averaging_momentum", "innermost", "make_optimizer"]


# On PyTorch Keras makes AdamW an object of a class that updates all variables at once, but no subclass.
_AdamW: Any = type(keras.optimizers.AdamW())


class AveragingAdamW(_AdamW):  # type: ignore[misc]
    """AdamW whose averages are only read (`averaged`), never written over the weights.

    Keras would write them at the end of `fit`. A run that continues after the frozen phase would then differ
    from one that was resumed there from its checkpoint.

    The momentum of the averages is a variable, as it changes where a time budget ends the run.
    """

    def __init__(self, *args: Any, ema_momentum: float, **kwargs: Any) -> None:
        super().__init__(*args, ema_momentum=ema_momentum, **kwargs)
        self.ema_momentum = keras.Variable(
            ema_momentum, trainable=False, dtype="float32", name="ema_momentum"
        )

    def finalize_variable_values(self, var_list: Any) -> None:
        """Leave the weights unchanged."""


def make_optimizer(config: TrainConfig, rate: float, steps: int) -> Any:
    """AdamW (Loshchilov and Hutter, 2019) with clipped gradients and averaged weights."""
    optimizer = AveragingAdamW(
        rate,
        weight_decay=config.weight_decay,
        global_clipnorm=config.clip_norm,
        use_ema=config.ema > 0,
        ema_momentum=averaging_momentum(config, steps),
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer


def averaging_momentum(config: TrainConfig, steps: int) -> float:
    """The momentum of averages whose window is the fraction ``config.ema`` of so many steps.

    >>> averaging_momentum(TrainConfig(ema=0.1), 1000), averaging_momentum(TrainConfig(ema=0.1), 7)
    (0.99, 0.5)
    """
    return 1 - 1 / max(2.0, config.ema * steps)


def innermost(optimizer: Any) -> Any:
    """The optimizer that keeps the averages: in float16 it is inside one that scales the loss."""
    return getattr(optimizer, "inner_optimizer", optimizer)
