"""Callbacks around each step and epoch of `model.fit`."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from yolo_cli.evaluation import Report
from yolo_cli.framework import keras
from yolo_cli.text import counted
from yolo_cli.training.events import Pace, State, Step, Watcher, require_finite
from yolo_cli.training.yolo.network import LOSSES
from yolo_cli.training.yolo.schedule import Schedule

__all__ = ["FreezeStatisticsCallback", "Journey", "RateCallback", "SaveCallback"]


@dataclass(slots=True)
class Journey:
    """The mutable state of a run.

    Attributes:
        state: after the last complete epoch.
        started: start of this session, by `time.monotonic`, minus the seconds of earlier sessions.
    """

    state: State
    started: float

    @property
    def seconds(self) -> float:
        """Training time in seconds, over all sessions."""
        return time.monotonic() - self.started


class RateCallback(keras.callbacks.Callback):  # type: ignore[misc]
    """Sets the learning rate of each step, and reports progress."""

    def __init__(
        self, schedule: Schedule, journey: Journey, watcher: Watcher, batch: int, first_epoch: int
    ) -> None:
        super().__init__()
        self.schedule, self.journey, self.watcher, self.batch = schedule, journey, watcher, batch
        self.first_step = first_epoch * schedule.steps
        self.pace = Pace()
        self.told = schedule.config.max_minutes is None
        self.epoch = 0
        self.rate = 0.0
        self.epoch_start = 0.0

    def rate_of(self, number: int) -> float:
        """The learning rate of a step that is done now, counted from 0 through all epochs."""
        progress = self.schedule.progress(number, self.journey.seconds)
        return self.schedule.learning_rate(progress, number - self.first_step)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Start the clock of the epoch."""
        self.epoch, self.epoch_start = epoch, time.monotonic()

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Set the rate, unless it comes with the batch."""
        self.rate = self.rate_of(self.epoch * self.schedule.steps + batch)
        if keras.backend.backend() != "jax":
            self.model.optimizer.learning_rate = self.rate

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Report progress; stop when the time budget is used up."""
        number = self.epoch * self.schedule.steps + batch + 1
        progress = self.schedule.progress(number, self.journey.seconds)
        self.pace.count()
        self.watcher.step(require_finite(self._report(number, progress, logs or {}), self._remedy))
        if progress >= 1:
            self.model.stop_training = True

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Report how many epochs fit into the time budget, once their speed is known."""
        if not self.told:
            epochs = self.schedule.epochs_that_fit((epoch + 1) * self.schedule.steps, self.journey.seconds)
            minutes = self.schedule.config.max_minutes
            budget = counted(minutes or 0.0, "minute")
            self.watcher.say(f"at this speed, {budget} allow {counted(epochs, 'epoch')}")
            self.told = True

    def _report(self, number: int, progress: float, logs: Mapping[str, Any]) -> Step:
        """Progress after ``number`` steps of all epochs."""
        seconds, done = self.journey.seconds, number - self.epoch * self.schedule.steps
        spent = max(time.monotonic() - self.epoch_start, 1e-9)
        return Step(
            f"epoch {self.epoch + 1} of {self.schedule.epochs_that_fit(number, seconds)}",
            done,
            self.schedule.steps,
            "steps",
            seconds_left=self._seconds_left(number),
            progress=progress,
            losses={name: float(logs.get(name, float("nan"))) for name in LOSSES},
            learning_rate=self.rate,
            images_per_second=done * self.batch / spent,
            memory_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            epoch_follows=True,
        )

    def _seconds_left(self, number: int) -> float | None:
        """Estimate for the run after ``number`` steps of all epochs; None before the second step."""
        schedule, limit = self.schedule, self.schedule.config.max_minutes
        left = self.pace.seconds_for(schedule.epochs * schedule.steps - number)
        if limit is None:
            return left
        budget = max(0.0, 60 * limit - self.journey.seconds)
        return budget if left is None else min(left, budget)

    @property
    def _remedy(self) -> str:
        """What to do where training diverges."""
        lower = f"{self.rate / 5:.0e}".replace("e-0", "e-")
        precise = ", or --precision float32" if self.model.compute_dtype == "float16" else ""
        return f"train again with --learning-rate {lower}{precise}"


class FreezeStatisticsCallback(keras.callbacks.Callback):  # type: ignore[misc]
    """Freezes the moving statistics of batch normalisation once mosaic is closed.

    Whole images have other means and variances than mosaics. The weights were trained with both, and by then
    the learning rate is too low for them to adapt: with the statistics of the last epochs alone, figures
    drop. So the earlier statistics are kept to the end.

    Args:
        schedule: determines when mosaic is closed.
        journey: has the time of the run so far.
    """

    def __init__(self, schedule: Schedule, journey: Journey) -> None:
        super().__init__()
        self.schedule, self.journey = schedule, journey
        self.before: list[Any] = []

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Copy the statistics."""
        self.before = [keras.ops.convert_to_numpy(each).copy() for each in self._statistics()]

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Restore them, once mosaic is closed."""
        last_step = (epoch + 1) * self.schedule.steps - 1
        progress = self.schedule.progress(last_step, self.journey.seconds)
        if self.schedule.mosaic_closed(progress) and not self.schedule.mosaic_closed(0):
            for each, values in zip(self._statistics(), self.before, strict=True):
                each.assign(values)

    def _statistics(self) -> list[Any]:
        """The moving mean and variance of each layer of batch normalisation."""
        layers = [each for each in self.model.layers if isinstance(each, keras.layers.BatchNormalization)]
        return [each for layer in layers for each in (layer.moving_mean, layer.moving_variance)]


class SaveCallback(keras.callbacks.Callback):  # type: ignore[misc]
    """At the end of an epoch: evaluate, keep the best, write a checkpoint."""

    def __init__(
        self,
        journey: Journey,
        watcher: Watcher,
        evaluate: Callable[[int, bool], Report | None],
        save: Callable[[State], None],
        patience: int,
        images: int,
    ) -> None:
        super().__init__()
        self.journey, self.watcher, self.evaluate = journey, watcher, evaluate
        self.save, self.patience, self.images = save, patience, images
        self.start = 0.0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Start the clock of the epoch."""
        self.start = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Evaluate, save, and stop early without improvement."""
        trained, before = time.monotonic() - self.start, self.journey.state
        best, best_epoch = before.best, before.best_epoch
        row = {name: float((logs or {}).get(name, float("nan"))) for name in ("loss", *LOSSES)}
        row = {"epoch": epoch + 1.0, "learning_rate": float(self.model.optimizer.learning_rate), **row}
        start = time.monotonic()
        report = self.evaluate(epoch, self.model.stop_training)
        if report is not None:
            row["evaluation_seconds"] = time.monotonic() - start
            if report.map50 is None or report.map50_95 is None:
                best_epoch = epoch + 1  # no figure says that an earlier epoch was better
            else:
                row |= {"map50": report.map50, "map50_95": report.map50_95}
                if report.map50_95 > best:
                    best, best_epoch = report.map50_95, epoch + 1
        seconds = self.journey.seconds
        row |= {"images_per_second": self.images / trained, "seconds": seconds}
        state = State(epoch + 1, seconds, best, best_epoch, (*before.history, row))
        self.save(state)
        self.journey.state = state
        self.watcher.epoch(state)
        if self.patience and epoch + 1 - best_epoch >= self.patience:
            self.watcher.say(f"no improvement for {counted(self.patience, 'epoch')}: stopping early")
            self.model.stop_training = True
