"""What a run tells of its progress, and to whom."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

__all__ = ["CallbackWatcher", "Plan", "State", "Step", "Watcher"]

Row = dict[str, float]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is going to do.

    Attributes:
        images, val_images: number of images to learn from, and to evaluate on.
        class_names: the classes.
        size: height and width of the network's input, pixels.
        epochs: how often each image is seen.
        batch: images a step.
        precision: what the network computes in.
        origin: where it starts from.
        max_minutes: the time budget, in which fewer epochs may fit; None is none.
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
        part: what is being done, such as "epoch 2 of 12".
        done, total: of this part, in ``unit``.
        unit: what is counted: "images" or "steps".
        seconds_left: estimate for the whole run, or for this part where nothing is trained.
        progress: of the run, or of this part, in [0, 1].
        losses: mean of each term since the epoch began.
        learning_rate: of this step; None if it is not known.
        images_per_second: in this epoch; None if images are not counted.
        memory_mib: the most memory that the process has held; None if it was not measured.
        epoch_follows: `Watcher.epoch` is called once the part is done.
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
    """Where a run is.

    Attributes:
        epoch: number of whole epochs.
        seconds: how long they took, over all sittings.
        best: the best mAP50-95 so far; below 0 before the first.
        best_epoch: when that was.
        history: one row of figures an epoch.
    """

    epoch: int = 0
    seconds: float = 0.0
    best: float = -1.0
    best_epoch: int = 0
    history: tuple[Row, ...] = field(default=())


class Watcher:
    """Is told how a run goes. This one ignores all of it: override what you want to hear."""

    def start(self, plan: Plan) -> None:
        """Before the first step, and again if the batch size must be reduced."""

    def say(self, text: str) -> None:
        """A message for the user, one line."""

    def step(self, step: Step) -> None:
        """After each step, and after each image that is prepared once for all epochs."""

    def epoch(self, state: State) -> None:
        """After each epoch; its figures are the last row of the history."""


class CallbackWatcher(Watcher):
    """Passes each step on to one function.

    Args:
        progress: called with every `Step`. An exception that it raises ends the run, which can be resumed.
    """

    def __init__(self, progress: Callable[[Step], None]) -> None:
        self._progress = progress

    def step(self, step: Step) -> None:
        """Pass it on."""
        self._progress(step)
