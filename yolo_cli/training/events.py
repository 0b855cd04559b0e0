"""Progress events of a run, and their receivers."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from yolo_cli.errors import DataError
from yolo_cli.text import counted

__all__ = ["CallbackWatcher", "Pace", "Plan", "State", "Step", "Watcher", "require_finite"]

Row = dict[str, float]


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan of a run.

    Attributes:
        images, val_images: number of images to train on, and to evaluate on.
        class_names: the classes.
        size: height and width of the network's input, pixels.
        epochs: number of epochs.
        batch: batch size.
        precision: compute type.
        origin: description of the starting weights.
        max_minutes: time budget in minutes, in which fewer epochs may fit; None means no limit.
    """

    images: int
    val_images: int
    class_names: tuple[str, ...]
    size: tuple[int, int]
    epochs: int
    batch: int
    precision: str
    origin: str
    max_minutes: float | None = None

    def __str__(self) -> str:
        names = ", ".join(self.class_names[:6]) + (", …" if len(self.class_names) > 6 else "")
        height, width = self.size
        limit = self.max_minutes
        most, within = ("", "") if limit is None else ("up to ", f" in {counted(limit, 'minute')}")
        return (
            f"{self.origin}: {counted(len(self.class_names), 'class')} ({names}), "
            f"{counted(self.images, 'image')} to learn from, "
            f"{self.val_images} to validate on; {most}{counted(self.epochs, 'epoch')}{within} "
            f"at {height}x{width} (height x width), batch size {self.batch}, {self.precision}"
        )


@dataclass(frozen=True, slots=True)
class Step:
    """Progress inside an epoch, or inside another part of a run.

    Attributes:
        part: name of the part, such as "epoch 2 of 12".
        done, total: of this part, in ``unit``.
        unit: what is counted: "images" or "steps".
        seconds_left: estimate for the whole run, or for this part where nothing is trained; None if it is
            not known yet: the first step also compiles.
        progress: of the run, or of this part, in [0, 1].
        losses: mean of each term since the start of the epoch.
        learning_rate: of this step; None if unknown.
        images_per_second: in this epoch; None if images are not counted.
        memory_mib: peak memory of the process; None if not measured.
        epoch_follows: whether `Watcher.epoch` is called after this part.
    """

    part: str
    done: int
    total: int
    unit: str
    seconds_left: float | None
    progress: float
    losses: Mapping[str, float] = field(default_factory=dict)
    learning_rate: float | None = None
    images_per_second: float | None = None
    memory_mib: float | None = None
    epoch_follows: bool = False

    def __str__(self) -> str:
        losses = (f"{name} {value:.3f}" for name, value in self.losses.items())
        words = [f"{self.done} of {self.total} {self.unit}", *losses]
        if self.images_per_second is not None:
            words.append(f"{self.images_per_second:.1f} images/s")
        if self.memory_mib is not None:
            words.append(f"{self.memory_mib / 1024:.1f} GiB")
        if self.seconds_left is not None:
            words.append(f"{clock(self.seconds_left)} left")
        return f"{self.part}: {', '.join(words)}"


class Pace:
    """How fast a sitting is, by its steps after the first: that one also compiles."""

    def __init__(self) -> None:
        self._steps, self._first = 0, 0.0

    def count(self) -> None:
        """A step is done."""
        self._steps += 1
        if self._steps == 1:
            self._first = time.monotonic()

    def seconds_for(self, steps: int) -> float | None:
        """Estimate of the time that so many more steps take; None before the second step."""
        if self._steps < 2:
            return None
        return (time.monotonic() - self._first) / (self._steps - 1) * steps


def require_finite(step: Step, remedy: str) -> Step:
    """The step itself.

    Args:
        step: with its losses.
        remedy: what to do where they are not finite.

    Raises:
        DataError: if a loss is not finite, as no later step would bring it back.
    """
    if all(map(math.isfinite, step.losses.values())):
        return step
    place = f"{step.part}, {step.unit[:-1]} {step.done} of {step.total}"
    raise DataError(f"{place}: the loss is not finite any more; {remedy}")


@dataclass(frozen=True, slots=True)
class State:
    """The state of a run.

    Attributes:
        epoch: number of complete epochs.
        seconds: their duration, over all sessions.
        best: the best mAP50-95 so far; negative before the first evaluation.
        best_epoch: its epoch.
        history: one row of figures per epoch.
    """

    epoch: int = 0
    seconds: float = 0.0
    best: float = -1.0
    best_epoch: int = 0
    history: tuple[Row, ...] = field(default=())

    def stale(self, patience: int) -> bool:
        """Whether the last epoch was evaluated, at least ``patience`` epochs after the best; 0 never is."""
        evaluated = bool(self.history) and "evaluation_seconds" in self.history[-1]
        return bool(patience) and evaluated and self.epoch - self.best_epoch >= patience

    def __str__(self) -> str:
        if not self.history:
            return "no epoch yet"
        row = self.history[-1]
        line = f"epoch {self.epoch}: loss {row['loss']:.3f}, {row['images_per_second']:.1f} images/s"
        if "map50_95" in row:
            best = (
                "best" if self.best_epoch == self.epoch else f"best {self.best:.3f}, epoch {self.best_epoch}"
            )
            points = f", key points {row['keypoints_map']:.3f}" if "keypoints_map" in row else ""
            line += f", mAP50 {row['map50']:.3f}, mAP50-95 {row['map50_95']:.3f}{points} ({best})"
        return line


class Watcher:
    """Receives the events of a run. This class ignores them: override what you need."""

    def start(self, plan: Plan) -> None:
        """Called before the first step, and again if the batch size is reduced."""

    def say(self, text: str) -> None:
        """A message for the user, one line."""

    def step(self, step: Step) -> None:
        """Called after each step, and after each image that is prepared once for all epochs."""

    def epoch(self, state: State) -> None:
        """Called after each epoch; its figures are the last row of the history."""


class CallbackWatcher(Watcher):
    """Passes each step to a function.

    Args:
        progress: called with every `Step`. An exception that it raises ends the run, which can be resumed.
    """

    def __init__(self, progress: Callable[[Step], object]) -> None:
        self._progress = progress

    def step(self, step: Step) -> None:
        """Call the function."""
        self._progress(step)


def clock(seconds: float) -> str:
    """A time in words.

    >>> clock(75), clock(600), clock(9000)
    ('75 s', '10 min', '2 h 30 min')
    """
    if seconds < 120:
        return f"{round(seconds)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"
