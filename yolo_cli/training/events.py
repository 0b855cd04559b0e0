"""Progress events of a run, and their receivers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

__all__ = ["CallbackWatcher", "Plan", "State", "Step", "Watcher"]

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


@dataclass(frozen=True, slots=True)
class Step:
    """Progress inside an epoch, or inside another part of a run.

    Attributes:
        part: name of the part, such as "epoch 2 of 12".
        done, total: of this part, in ``unit``.
        unit: "images" or "steps".
        seconds_left: estimate for the run, or for this part if nothing is trained in it.
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
    seconds_left: float
    progress: float
    losses: Mapping[str, float] = field(default_factory=dict)
    learning_rate: float | None = None
    images_per_second: float | None = None
    memory_mib: float | None = None
    epoch_follows: bool = False


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
