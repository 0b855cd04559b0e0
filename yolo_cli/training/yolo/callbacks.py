"""Callbacks around each step and epoch of `model.fit`."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from yolo_cli.evaluation import Report
from yolo_cli.framework import keras
from yolo_cli.hardware import peak_memory
from yolo_cli.text import counted
from yolo_cli.training.events import State, Step, Watcher, require_finite
from yolo_cli.training.yolo.choices import Phase
from yolo_cli.training.yolo.journey import Journey
from yolo_cli.training.yolo.network import AVERAGING, RATE, STATISTICS, momentum_for
from yolo_cli.training.yolo.optimizer import averaging_momentum

__all__ = ["FreezeStatisticsCallback", "SaveCallback", "StepCallback"]


class StepCallback(keras.callbacks.Callback):  # type: ignore[misc]
    """Sets the learning rate of each step, and reports progress.

    Where a time budget may end the run early, the momentums of averaged weights and moving statistics follow
    the steps that it allows, too.
    """

    def __init__(self, journey: Journey, watcher: Watcher, phase: Phase) -> None:
        super().__init__()
        self.schedule, self.journey, self.watcher = journey.schedule, journey, watcher
        self.first_step, self.stop_step = (each * self.schedule.steps for each in (phase.start, phase.stop))
        self.told = journey.limit is None
        self.epoch = 0
        self.rate = 0.0
        self.epoch_start = 0.0

    def settings_of(self, number: int) -> dict[str, float]:
        """The settings of a step that is done now, counted from 0 through all epochs."""
        expected = self.journey.expected_steps(number)
        progress, since = self.journey.progress(number), number - self.first_step
        settings = {RATE: self.schedule.learning_rate(progress, since, expected)}
        if self.journey.limit is not None:
            steps = min(self.stop_step, expected) - self.first_step
            settings[AVERAGING] = averaging_momentum(self.schedule.config, steps)
            settings[STATISTICS] = momentum_for(expected)
        return settings

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Start the clock of the epoch."""
        self.epoch, self.epoch_start = epoch, time.monotonic()

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Set the rate and the others, unless they come with the batch."""
        settings = self.settings_of(self.epoch * self.schedule.steps + batch)
        self.rate = settings[RATE]
        if keras.backend.backend() != "jax":
            self.model.use(settings)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Report progress; stop when the time budget is used up."""
        number = self.epoch * self.schedule.steps + batch + 1
        self.journey.pace.count()
        progress = self.journey.progress(number)
        self.watcher.step(require_finite(self._report(number, progress, logs or {}), self._remedy))
        if progress >= 1:
            self.model.stop_training = True

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Report how many epochs fit into the time budget, once their speed is known."""
        if not self.told:
            done = (epoch + 1) * self.schedule.steps
            epochs = self.schedule.epochs_that_fit(done, self.journey.progress(done))
            minutes = self.schedule.config.max_minutes
            budget = counted(minutes or 0.0, "minute")
            self.watcher.say(f"at this speed, {budget} allow {counted(epochs, 'epoch')}")
            self.told = True

    def _report(self, number: int, progress: float, logs: Mapping[str, Any]) -> Step:
        """Progress after ``number`` steps of all epochs."""
        done = number - self.epoch * self.schedule.steps
        spent = max(time.monotonic() - self.epoch_start, 1e-9)
        return Step(
            f"epoch {self.epoch + 1} of {self.schedule.epochs_that_fit(number, progress)}",
            done,
            self.schedule.steps,
            "steps",
            seconds_left=self._seconds_left(number),
            progress=progress,
            losses={name: float(logs.get(name, float("nan"))) for name in self.model.yolo_loss.names},
            learning_rate=self.rate,
            images_per_second=done * self.journey.ending.batch / spent,
            memory_mib=peak_memory(),
            epoch_follows=True,
        )

    def _seconds_left(self, number: int) -> float | None:
        """Estimate for the run after ``number`` steps of all epochs; None before the second step."""
        left, limit = self.journey.pace.seconds_for(self.schedule.total - number), self.journey.limit
        if limit is None:
            return left
        budget = max(0.0, limit - self.journey.seconds)
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
        journey: determines when mosaic is closed.
    """

    def __init__(self, journey: Journey) -> None:
        super().__init__()
        self.schedule, self.journey = journey.schedule, journey
        self.before: list[Any] = []

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Copy the statistics."""
        self.before = [keras.ops.convert_to_numpy(each).copy() for each in self._statistics()]

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Restore them, once mosaic is closed."""
        progress = self.journey.progress((epoch + 1) * self.schedule.steps - 1)
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
    ) -> None:
        super().__init__()
        self.journey, self.watcher, self.evaluate = journey, watcher, evaluate
        self.save, self.patience = save, patience
        self.start, self.steps = 0.0, 0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Start the clock of the epoch."""
        self.start, self.steps = time.monotonic(), 0

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Count the steps: a time budget may end the epoch early."""
        self.steps += 1

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Evaluate, save, and stop early without improvement."""
        trained, before = time.monotonic() - self.start, self.journey.state
        best, best_epoch = before.best, before.best_epoch
        row = {
            name: float((logs or {}).get(name, float("nan")))
            for name in ("loss", *self.model.yolo_loss.names)
        }
        row = {"epoch": epoch + 1.0, "learning_rate": float(self.model.optimizer.learning_rate), **row}
        start = time.monotonic()
        report = self.evaluate(epoch, self.model.stop_training)
        if report is not None:
            row["evaluation_seconds"] = time.monotonic() - start
            self.journey.evaluated(row["evaluation_seconds"], report.images)
            if report.map50 is None or report.map50_95 is None:
                best_epoch = epoch + 1  # no figure says that an earlier epoch was better
            else:
                row |= {"map50": report.map50, "map50_95": report.map50_95}
                row |= {"keypoints_map": report.keypoints.ap or 0.0} if report.keypoints else {}
                if report.fitness > best:
                    best, best_epoch = report.fitness, epoch + 1
        seconds = self.journey.seconds
        row |= {"images_per_second": self.steps * self.journey.ending.batch / trained, "seconds": seconds}
        state = State(epoch + 1, seconds, best, best_epoch, (*before.history, row))
        self.save(state)
        self.journey.state = state
        self.watcher.epoch(state)
        if report is not None and self.journey.is_over_after(row["evaluation_seconds"]):
            self.model.stop_training = True
        if state.stale(self.patience):
            self.watcher.say(f"no improvement for {counted(self.patience, 'epoch')}: stopping early")
            self.model.stop_training = True
