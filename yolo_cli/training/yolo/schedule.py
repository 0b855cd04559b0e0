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
    that the cosine always completes.

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

    def progress(self, step: int, seconds: float) -> float:
        """The progress in [0, 1] before ``step`` (counted over all epochs, from 0) at ``seconds``."""
        done = step / (self.epochs * self.steps)
        limit = self.config.max_minutes
        return min(1.0, done if limit is None else max(done, seconds / (60 * limit)))

    def learning_rate(self, progress: float, since_restart: int) -> float:
        """The rate at ``progress``; ``since_restart`` counts steps since the optimizer was recreated."""
        low = self.config.final_rate
        cosine = low + (1 - low) * (1 + math.cos(math.pi * progress)) / 2
        return self.rate * cosine * min(1.0, (since_restart + 1) / max(1, self.warmup))

    @property
    def warmup(self) -> int:
        """Steps of warm-up: as given, but at most a tenth of the run."""
        return min(self.config.warmup, self.epochs * self.steps // 10)

    def mosaic_closed(self, progress: float) -> bool:
        """Whether mosaic and mixup are off."""
        return progress >= 1 - self.config.close_mosaic

    def epochs_that_fit(self, step: int, seconds: float) -> int:
        """Number of epochs at the speed so far: fewer than `epochs` if the time budget is short.

        Args:
            step: steps done, over all epochs; at least one.
            seconds: their duration.

        >>> schedule = Schedule(TrainConfig(max_minutes=1), 1e-3, epochs=100, steps=10)
        >>> schedule.epochs_that_fit(step=10, seconds=8.0)  # 60 s / 8 s an epoch = 7.5
        8
        """
        whole = step / self.steps / self.progress(step, seconds)
        return min(self.epochs, math.ceil(round(whole, 6)))
