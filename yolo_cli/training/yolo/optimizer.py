"""The optimizer of YOLO's training."""

from __future__ import annotations

from typing import Any

from yolo_cli.config import TrainConfig
from yolo_cli.framework import keras

__all__ = ["make_optimizer"]


class AveragingAdamW(keras.optimizers.AdamW):  # type: ignore[misc]
    """AdamW whose averages are only read (`averaged`), never written over the weights.

    Keras would write them at the end of `fit`. A run that continues after the frozen phase would then differ
    from one that was resumed there from its checkpoint.
    """

    def finalize_variable_values(self, var_list: Any) -> None:
        """Leave the weights unchanged."""


def make_optimizer(config: TrainConfig, rate: float, steps: int) -> Any:
    """AdamW (Loshchilov and Hutter, 2019) with clipped gradients and averaged weights."""
    momentum = 1 - 1 / max(2.0, config.ema * steps)
    optimizer = AveragingAdamW(
        rate,
        weight_decay=config.weight_decay,
        global_clipnorm=config.clip_norm,
        use_ema=config.ema > 0,
        ema_momentum=momentum,
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer
