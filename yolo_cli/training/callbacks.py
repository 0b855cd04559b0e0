"""What happens around each step and epoch of `model.fit`."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import keras

from yolo_cli.checkpoint import State
from yolo_cli.evaluation import Report
from yolo_cli.training.network import LOSSES
from yolo_cli.training.schedule import Schedule

__all__ = ["CalmCallback", "Journey", "Plan", "RateCallback", "SaveCallback", "Step", "Watcher"]


@dataclass(frozen=True, slots=True)
class Step:
    """What can be said while an epoch runs.

    Attributes:
        epoch, epochs: which one (from 1), of how many.
        step, steps: which batch of it (from 1), of how many.
        losses: mean of each term since the epoch began.
        learning_rate: of this step.
        speed: images a second, in this epoch.
        memory: most memory that the program has held, MiB.
        progress: how far the run is, in [0, 1].
        seconds_left: estimate.
    """

    epoch: int
    epochs: int
    step: int
    steps: int
    losses: dict[str, float]
    learning_rate: float
    speed: float
    memory: float
    progress: float
    seconds_left: float


@dataclass(frozen=True, slots=True)
class Plan:
    """What is about to be done.

    Attributes:
        images, judged: how many images to learn from, and to validate on.
        class_names: what is learnt.
        size: height and width of the network's input, pixels.
        epochs, batch: how often each image is seen, and how many a step.
        precision: what the network computes in.
        origin: where it starts from.
    """

    images: int
    judged: int
    class_names: tuple[str, ...]
    size: tuple[int, int]
    epochs: int
    batch: int
    precision: str
    origin: str


class Watcher(Protocol):
    """Someone who looks on."""

    def start(self, plan: Plan) -> None:
        """This is about to be done."""

    def say(self, text: str) -> None:
        """Something worth a line."""

    def step(self, step: Step) -> None:
        """A step is done."""

    def epoch(self, state: State) -> None:
        """An epoch is done; its figures are the last row of the history."""


@dataclass(slots=True)
class Journey:
    """The one thing that changes while a run goes on: where it is.

    Attributes:
        state: after the last whole epoch.
        started: when this sitting began, by `time.monotonic`, less the seconds of those before.
    """

    state: State
    started: float

    @property
    def seconds(self) -> float:
        """Time spent training, over all sittings."""
        return time.monotonic() - self.started


class RateCallback(keras.callbacks.Callback):  # type: ignore[misc]
    """Sets the learning rate of each step, and tells the watcher how it goes."""

    def __init__(
        self, schedule: Schedule, journey: Journey, watcher: Watcher, batch: int, first_epoch: int
    ) -> None:
        super().__init__()
        self.schedule, self.journey, self.watcher, self.batch = schedule, journey, watcher, batch
        self.first_step = first_epoch * schedule.steps
        self.epoch = 0
        self.rate = 0.0
        self.epoch_start = 0.0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Start the clock of the epoch."""
        self.epoch, self.epoch_start = epoch, time.monotonic()

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Set the rate."""
        number = self.epoch * self.schedule.steps + batch
        progress = self.schedule.progress(number, self.journey.seconds)
        self.rate = self.schedule.learning_rate(progress, number - self.first_step)
        if keras.backend.backend() == "jax":
            self.model.jax_state_sync()
        self.model.optimizer.learning_rate = self.rate

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Tell the watcher; stop when time is over."""
        number = self.epoch * self.schedule.steps + batch + 1
        progress = self.schedule.progress(number, self.journey.seconds)
        spent = max(time.monotonic() - self.epoch_start, 1e-9)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        losses = {name: float((logs or {}).get(name, float("nan"))) for name in LOSSES}
        left = self.journey.seconds * (1 - progress) / max(progress, 1e-9)
        self.watcher.step(
            Step(
                self.epoch + 1, self.schedule.epochs, batch + 1, self.schedule.steps, losses, self.rate,
                (batch + 1) * self.batch / spent, memory, progress, left,
            )
        )  # fmt: skip
        if progress >= 1:
            self.model.stop_training = True


class CalmCallback(keras.callbacks.Callback):  # type: ignore[misc]
    """Keeps what batch normalisation remembers while mosaic is over.

    Whole images have other means and variances than mosaics. The weights grew up with both, and the rate is
    too low by then for them to follow: with the statistics of the last epochs alone, figures fall. So what
    was remembered before holds to the end.

    Args:
        schedule: says when it is calm.
        journey: says how long it took so far.
    """

    def __init__(self, schedule: Schedule, journey: Journey) -> None:
        super().__init__()
        self.schedule, self.journey = schedule, journey
        self.before: list[Any] = []

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Remember."""
        self.before = [keras.ops.convert_to_numpy(each).copy() for each in self._statistics()]

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Put it back, once it is calm."""
        if keras.backend.backend() == "jax":
            self.model.jax_state_sync()
        last_step = (epoch + 1) * self.schedule.steps - 1
        progress = self.schedule.progress(last_step, self.journey.seconds)
        if self.schedule.calm(progress) and not self.schedule.calm(0):
            for each, values in zip(self._statistics(), self.before, strict=True):
                each.assign(values)

    def _statistics(self) -> list[Any]:
        """Mean and variance of each layer of batch normalisation."""
        layers = [each for each in self.model.layers if isinstance(each, keras.layers.BatchNormalization)]
        return [each for layer in layers for each in (layer.moving_mean, layer.moving_variance)]


class SaveCallback(keras.callbacks.Callback):  # type: ignore[misc]
    """At the end of an epoch: judge, keep the best, write down where the run is."""

    def __init__(
        self,
        journey: Journey,
        watcher: Watcher,
        judge: Callable[[int, bool], Report | None],
        save: Callable[[State], None],
        patience: int,
        images: int,
    ) -> None:
        super().__init__()
        self.journey, self.watcher, self.judge = journey, watcher, judge
        self.save, self.patience, self.images = save, patience, images
        self.start = 0.0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Start the clock of the epoch."""
        self.start = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Judge, save, and stop if nothing gets better."""
        trained, before = time.monotonic() - self.start, self.journey.state
        best, best_epoch = before.best, before.best_epoch
        row = {name: float((logs or {}).get(name, float("nan"))) for name in ("loss", *LOSSES)}
        row = {"epoch": epoch + 1.0, "learning_rate": float(self.model.optimizer.learning_rate), **row}
        report = self.judge(epoch, self.model.stop_training)
        if report is not None:
            row |= {"map50": report.map50 or 0.0, "map50_95": report.map50_95 or 0.0}
            if row["map50_95"] > best:
                best, best_epoch = row["map50_95"], epoch + 1
        seconds = self.journey.seconds
        row |= {"images_per_second": self.images / trained, "seconds": seconds}
        state = State(epoch + 1, seconds, best, best_epoch, (*before.history, row))
        self.save(state)
        self.journey.state = state
        self.watcher.epoch(state)
        if self.patience and epoch + 1 - best_epoch >= self.patience:
            self.watcher.say(f"no better figure for {self.patience} epochs: stopping early")
            self.model.stop_training = True
