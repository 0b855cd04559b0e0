"""Intermediate results in a run's folder, from which an interrupted run is resumed.

The arrays of each image are computed once, and each epoch ends with a checkpoint. Random numbers depend only
on the seed and the number of the image or epoch, so a resumed run ends with the same bytes as an
uninterrupted one.
"""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from yolo_cli.datasets import Sample
from yolo_cli.engines import compiles
from yolo_cli.files import atomic_write, make_folder
from yolo_cli.framework import keras, silence
from yolo_cli.training.checkpoint import load_checkpoint, restore, save_checkpoint
from yolo_cli.training.events import Pace, State, Step, Watcher, require_finite

__all__ = ["NO_WORKSPACE", "UNFINISHED", "EpochBatches", "Workspace", "compile_adamw", "set_seed"]

REMEDY = "`yolo lint` finds faulty boxes, and another --seed starts elsewhere"
UNFINISHED = "unfinished"
"""A folder in the run's folder, removed when the run is finished."""

Arrays = tuple[NDArray[Any], ...]


class EpochBatches(keras.utils.PyDataset):  # type: ignore[misc]
    """Batches of examples in another order in every epoch, which depends on seed and epoch alone.

    Args:
        count: number of examples.
        batch: examples a batch.
        seed: random seed.
    """

    def __init__(self, count: int, batch: int, seed: int) -> None:
        super().__init__(workers=1)
        self.epoch, self.seed, self._count, self._batch = 0, seed, count, batch

    def __len__(self) -> int:
        return math.ceil(self._count / self._batch)

    def chosen(self, index: int) -> NDArray[np.int64]:
        """The examples (B,) of a batch of the current epoch."""
        order = np.random.default_rng((self.seed, self.epoch)).permutation(self._count)
        return order[index * self._batch : (index + 1) * self._batch]

    def on_epoch_end(self) -> None:
        """Start the next epoch."""
        self.epoch += 1


def compile_adamw(model: Any, loss: Any, rate: float, steps: int, weight_decay: float = 0.02) -> None:
    """Compile a model with AdamW; the learning rate falls from ``rate`` to 0 along a cosine of ``steps``."""
    schedule = keras.optimizers.schedules.CosineDecay(rate, steps)
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=weight_decay)
    model.compile(optimizer=optimizer, loss=loss, jit_compile=compiles())


@dataclass(frozen=True, slots=True)
class Workspace:
    """Stores the intermediate results of a run, and reports progress.

    Attributes:
        folder: the run's folder; None stores nothing.
        watcher: notified of every image and step.
        started: start of the run, by `time.monotonic`.
    """

    folder: Path | None = None
    watcher: Watcher = field(default_factory=Watcher)
    started: float = field(default_factory=time.monotonic)

    def each_image(
        self, samples: Sequence[Sample], work: Callable[[int, Sample], Arrays], what: str = "features"
    ) -> list[Arrays]:
        """The arrays that ``work`` computes for each image, in order; stored ones are read instead.

        Args:
            samples: the images.
            work: image number and sample → arrays. Its random numbers must depend only on the number.
            what: the name to store them by, unique for each kind of work in a run.

        Raises:
            DataError: if an image cannot be read, or the disk is full.
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
            done, total = number + 1, len(samples)
            self.watcher.step(Step("preparing images", done, total, "images", left, done / total))
        return parts

    def fit(self, model: Any, batches: EpochBatches, epochs: int) -> None:
        """Train a compiled ``model`` for its remaining epochs.

        Raises:
            DataError: if its checkpoint is damaged or another network's, or the disk is full.
        """
        path = self._place(f"{model.name}.npz")
        state, arrays = (load_checkpoint(path) if path else None) or (State(), None)
        if arrays is not None:
            model.optimizer.build(model.trainable_variables)
            restore(model, arrays, optimizer=True)
            self.watcher.say(f"continuing after epoch {state.epoch}")
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

    def clear(self) -> None:
        """Remove everything stored, at the start or the end of a run."""
        if self.folder is not None:
            shutil.rmtree(self.folder / UNFINISHED, ignore_errors=True)

    def _place(self, name: str) -> Path | None:
        """The path of stored arrays; None if nothing is stored."""
        if self.folder is None:
            return None
        return make_folder(self.folder / UNFINISHED) / name


def set_seed(seed: int) -> None:
    """Seed Python, NumPy and Keras. On any backend Keras imports TensorFlow for it, which logs."""
    with silence():
        keras.utils.set_random_seed(seed)


NO_WORKSPACE = Workspace()
"""Stores nothing, and reports nothing."""


def _keep(path: Path | None, arrays: Arrays) -> None:
    """Store the arrays of an image."""
    if path is None:
        return

    def write(draft: Path) -> None:
        with draft.open("wb") as file:
            np.savez(file, *arrays)

    atomic_write(path, write)


def _kept(path: Path | None) -> Arrays | None:
    """The stored arrays of an image, or None if they are missing or damaged."""
    if path is None or not path.is_file():
        return None
    try:
        with np.load(path) as file:
            return tuple(file[f"arr_{i}"] for i in range(len(file.files)))
    except (OSError, ValueError, KeyError, BadZipFile):
        return None


class _Keeper(keras.callbacks.Callback):  # type: ignore[misc]
    """Reports each step, and writes a checkpoint after each epoch."""

    def __init__(self, path: Path | None, watcher: Watcher, epochs: int) -> None:
        super().__init__()
        self._path, self._watcher, self._epochs = path, watcher, epochs
        self._pace, self._epoch = Pace(), 0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Store its number."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Report progress; the last step is reported once its checkpoint is written."""
        self._pace.count()
        if batch + 1 < self.params["steps"]:
            self._tell(batch + 1, logs)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Write the checkpoint."""
        if self._path is not None:
            save_checkpoint(self._path, self.model, State(epoch + 1))
        self._tell(self.params["steps"], logs)

    def _tell(self, done: int, logs: Any) -> None:
        steps = self.params["steps"]
        rest = steps * (self._epochs - self._epoch) - done
        loss = float((logs or {}).get("loss", float("nan")))
        part, progress = f"epoch {self._epoch + 1} of {self._epochs}", 1 - rest / (steps * self._epochs)
        step = Step(part, done, steps, "steps", self._pace.seconds_for(rest), progress, {"loss": loss})
        self._watcher.step(require_finite(step, REMEDY))
