"""Runs of training on JAX, and how often something was traced and compiled; prints it as JSON.

A script of its own, as a process has one backend: ``python -m tests.unit.training.yolo.compiled_run FOLDER``.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from tests.training_sets import write_shapes, write_tiny_cfg
from tests.unit.training.watchers import CrashError, Crashing, Noting
from yolo_cli.config import TrainConfig
from yolo_cli.training import State, TrainJob, read_job, train

EPOCHS = 8  # evaluated after the sixth and the eighth


class Counting(Noting):
    """Notes after each epoch how many programs were compiled so far."""

    def __init__(self) -> None:
        super().__init__()
        self.compiled, self.after = 0, []

    def record(self, event: str, _seconds: float, **_more: Any) -> None:
        self.compiled += event.endswith("backend_compile_duration")

    def epoch(self, state: State) -> None:
        super().epoch(state)
        self.after.append(self.compiled)


def count_traces(calls: Counter[str]) -> None:
    """Count how often Python goes through a step: once a program if it is compiled."""
    import keras

    for name in ("train_step", "predict_step"):
        whole = getattr(keras.Model, name)

        def counted(self: Any, *given: Any, name: str = name, whole: Any = whole) -> Any:
            calls[name] += 1
            return whole(self, *given)

        setattr(keras.Model, name, counted)


def digest(run: Path) -> str:
    """Of all arrays of a checkpoint."""
    with np.load(run / "weights" / "checkpoint.npz") as file:
        values = [file[key].tobytes() for key in sorted(file.files) if key != "state"]
    return hashlib.sha256(b"".join(values)).hexdigest()


def measure(folder: Path) -> dict[str, Any]:
    """What happened in a run that went straight through, and in one that was cut off and resumed."""
    import yolo_cli.model  # noqa: F401, I001 - before JAX: it imports Keras as the command does
    import jax.monitoring

    data, cfg = write_shapes(folder / "data", val=5), write_tiny_cfg(folder)
    config = TrainConfig(epochs=EPOCHS, batch=4, precision="float32")
    calls: Counter[str] = Counter()
    count_traces(calls)
    watcher = Counting()
    jax.monitoring.register_event_duration_secs_listener(watcher.record)
    straight, broken = (TrainJob(str(data), folder / name, model=str(cfg), config=config) for name in "ab")
    train(straight, watcher)
    once = dict(calls)
    try:
        train(broken, Crashing(f"epoch 6 of {EPOCHS}", 1))
    except CrashError:
        train(read_job(broken.out), Noting(), resume=True)
    return {
        "traces": once,
        "compiled": watcher.after,
        "steps": EPOCHS * watcher.steps[-1].total,
        "rates": [step.learning_rate for step in watcher.steps],
        "last_rate": watcher.states[-1].history[-1]["learning_rate"],
        "seconds_left": watcher.steps[0].seconds_left,
        "digests": [digest(run.out) for run in (straight, broken)],
    }


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]))))
