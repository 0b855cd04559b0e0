"""The learning rate of each step, and the progress of a run."""

from __future__ import annotations

import math
from dataclasses import dataclass

from yolo_cli.config import TrainConfig

__all__ = ["Schedule"]


@dataclass(frozen=True, slots=True)
class Schedule:
    """Linear warm-up, then a cosine (Loshchilov and Hutter, "SGDR", 2017) over the whole run.

    With a time budget, progress is the used fraction of time if that is larger than the fraction of steps, so
    that the cosine always completes; see `Journey` for the time.

    Attributes:
        config: the options.
        rate: the peak learning rate.
        epochs: of the whole run.
        steps: batches per epoch.
    """

    config: TrainConfig
    rate: float
    epochs: int
    steps: int

    @property
    def total(self) -> int:
        """Steps of the whole run."""
        return self.epochs * self.steps

    def progress(self, step: int, seconds: float, time_to_train: float | None) -> float:
        """The progress in [0, 1] before ``step`` (counted over all epochs, from 0) at ``seconds``.

        ``time_to_train`` is the time in seconds at which training ends; None without a time budget.
        """
        done = step / self.total
        return min(1.0, done if time_to_train is None else max(done, seconds / time_to_train))

    def learning_rate(self, progress: float, since_restart: int, expected: int | None = None) -> float:
        """The rate at ``progress``.

        Args:
            progress: of the run, in [0, 1].
            since_restart: steps since the optimizer was recreated.
            expected: steps of the whole run, if the time budget ends it before `total`.
        """
        low = self.config.final_rate
        cosine = low + (1 - low) * (1 + math.cos(math.pi * progress)) / 2
        return self.rate * cosine * min(1.0, (since_restart + 1) / max(1, self.warmup(expected)))

    def warmup(self, expected: int | None = None) -> int:
        """Steps of warm-up: as given, but at most a tenth of the ``expected`` steps of the run."""
        return min(self.config.warmup, (self.total if expected is None else expected) // 10)

    def mosaic_closed(self, progress: float) -> bool:
        """Whether mosaic and mixup are off."""
        return progress >= 1 - self.config.close_mosaic

    def epochs_that_fit(self, step: int, progress: float) -> int:
        """Number of epochs at the speed so far: fewer than `epochs` if the time budget is short.

        Args:
            step: steps done, over all epochs; at least one.
            progress: of the run then.

        >>> schedule = Schedule(TrainConfig(max_minutes=1), 1e-3, epochs=100, steps=10)
        >>> schedule.epochs_that_fit(step=10, progress=8.0 / 60)  # 60 s / 8 s an epoch = 7.5
        8
        """
        return min(self.epochs, math.ceil(round(step / self.steps / progress, 6)))
