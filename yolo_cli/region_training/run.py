"""One run: what it has done lies in its folder, so that it can go on where it was cut off.

Each image's share is worked out once, and each epoch ends with a checkpoint. Every draw depends on the
seed and the number of the image or epoch alone, so a run that was cut off ends with the same bytes as one
that was not.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from zipfile import BadZipFile

import keras
import numpy as np
from numpy.typing import NDArray

from yolo_cli.checkpoint import State, load_checkpoint, restore, save_checkpoint
from yolo_cli.datasets import Sample
from yolo_cli.files import atomic_write, make_folder

__all__ = ["UNKEPT", "EpochBatches", "Run", "Silent", "Stage", "Watcher"]

UNFINISHED = "unfinished"  # the folder in a run's folder that goes when the run is done

Arrays = tuple[NDArray[Any], ...]


@dataclass(frozen=True, slots=True)
class Stage:
    """How far one part of a run is.

    Attributes:
        name: what is being done, such as "epoch 2 of 12".
        done, total: of it.
        unit: what is counted: "images" or "steps".
        seconds_left: estimate for this part, or where it is an epoch, for all epochs.
        loss: mean since the epoch began; None where nothing learns.
    """

    name: str
    done: int
    total: int
    unit: str
    seconds_left: float
    loss: float | None = None


class Watcher(Protocol):
    """Someone who looks on."""

    def say(self, text: str) -> None:
        """Something worth a line."""

    def stage(self, stage: Stage) -> None:
        """An image or a step is done."""


class Silent:
    """Looks on and says nothing."""

    def say(self, text: str) -> None:
        """Nothing."""

    def stage(self, stage: Stage) -> None:
        """Nothing."""


class EpochBatches(keras.utils.PyDataset):  # type: ignore[misc]
    """Batches that differ from epoch to epoch, and depend on nothing but the number of the epoch."""

    def __init__(self) -> None:
        super().__init__(workers=1)
        self.epoch = 0

    def on_epoch_end(self) -> None:
        """Go on to the next epoch."""
        self.epoch += 1


@dataclass(frozen=True, slots=True)
class Run:
    """Where a run keeps what it has done, and who looks on.

    Attributes:
        folder: the run's folder; None keeps nothing.
        watcher: is told how far it is.
    """

    folder: Path | None = None
    watcher: Watcher = field(default_factory=Silent)

    def each_image(
        self, samples: Sequence[Sample], work: Callable[[int, Sample], Arrays], what: str = "features"
    ) -> list[Arrays]:
        """What ``work`` makes of each image's number and sample, in their order; if it is kept, as it is.

        Args:
            samples: the images.
            work: makes arrays of an image. All its chance must come from the number.
            what: the name to keep them by, one for each kind of work in a run.

        Raises:
            DataError: if an image cannot be read, or there is no room to keep the arrays.
        """
        parts, made, start = [], 0, time.monotonic()
        for number, sample in enumerate(samples):
            path = self._place(f"{what}-{number:06d}.npz")
            arrays = _kept(path)
            if arrays is None:
                arrays, made = work(number, sample), made + 1
                _keep(path, arrays)
            parts.append(arrays)
            left = (time.monotonic() - start) / max(1, made) * (len(samples) - number - 1)
            self.watcher.stage(Stage("looking at images", number + 1, len(samples), "images", left))
        return parts

    def fit(self, model: Any, batches: EpochBatches, epochs: int) -> None:
        """Train ``model``, which is compiled, for those of its epochs that are not done yet.

        Raises:
            DataError: if its checkpoint is damaged or another network's, or there is no room for a new one.
        """
        path = self._place(f"{model.name}.npz")
        state, arrays = (load_checkpoint(path) if path else None) or (State(), None)
        if arrays is not None:
            model.optimizer.build(model.trainable_variables)
            restore(model, arrays, optimizer=True)
            self.watcher.say(f"going on after epoch {state.epoch}")
        batches.epoch = state.epoch
        if state.epoch < epochs:
            keeper = _Keeper(path, self.watcher, epochs)
            model.fit(
                batches,
                initial_epoch=state.epoch,
                epochs=epochs,
                shuffle=False,
                verbose=0,
                callbacks=[keeper],
            )

    def forget(self) -> None:
        """Remove what was kept: a run begins, or is done."""
        if self.folder is not None:
            shutil.rmtree(self.folder / UNFINISHED, ignore_errors=True)

    def _place(self, name: str) -> Path | None:
        """Where something is kept; None if nothing is."""
        if self.folder is None:
            return None
        return make_folder(self.folder / UNFINISHED) / name


UNKEPT = Run()
"""Keeps nothing, and tells nobody."""


def _keep(path: Path | None, arrays: Arrays) -> None:
    """Write the arrays of an image."""
    if path is None:
        return

    def write(draft: Path) -> None:
        with draft.open("wb") as file:
            np.savez(file, *arrays)

    atomic_write(path, write)


def _kept(path: Path | None) -> Arrays | None:
    """The arrays of an image, or None if they are not there, or damaged."""
    if path is None or not path.is_file():
        return None
    try:
        with np.load(path) as file:
            return tuple(file[f"arr_{i}"] for i in range(len(file.files)))
    except (OSError, ValueError, KeyError, BadZipFile):
        return None


class _Keeper(keras.callbacks.Callback):  # type: ignore[misc]
    """Tells of each step, and writes a checkpoint after each epoch."""

    def __init__(self, path: Path | None, watcher: Watcher, epochs: int) -> None:
        super().__init__()
        self._path, self._watcher, self._epochs = path, watcher, epochs
        self._start, self._steps, self._epoch = time.monotonic(), 0, 0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Note which it is."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Tell how far it is; the end of the epoch tells of its last step, when it is safe."""
        self._steps += 1
        if batch + 1 < self.params["steps"]:
            self._tell(batch + 1, logs)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Keep it."""
        if self._path is not None:
            save_checkpoint(self._path, self.model, State(epoch + 1))
        self._tell(self.params["steps"], logs)

    def _tell(self, done: int, logs: Any) -> None:
        steps = self.params["steps"]
        rest = steps * (self._epochs - self._epoch) - done
        left = (time.monotonic() - self._start) / max(1, self._steps) * rest
        loss = float((logs or {}).get("loss", float("nan")))
        name = f"epoch {self._epoch + 1} of {self._epochs}"
        self._watcher.stage(Stage(name, done, steps, "steps", left, loss))
