"""Train a little on the second of two devices, and print which devices computed: what `test_devices` runs."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import keras

from tests.training_sets import write_shapes, write_tiny_cfg
from yolo_cli.config import TrainConfig
from yolo_cli.engines import on_keras
from yolo_cli.training import TrainJob, train
from yolo_cli.training.yolo import devices, recipe
from yolo_cli.training.yolo.validation import LiveEngine


def main(folder: Path) -> None:
    """One epoch with ``gpu:1``, which is the second CPU device here."""
    for module in (on_keras, devices, recipe):
        module.keras_gpus = lambda: 2
    place = keras.device
    keras.device = lambda name: place(name.replace("gpu", "cpu"))
    seen: dict[str, set[int]] = {"trained": set(), "evaluated": set()}
    run, fit = LiveEngine.run, recipe._Training._fit

    def note(kind: str, model: Any) -> None:
        seen[kind] |= {device.id for each in model.weights for device in each.value.devices()}

    def run_and_note(self: LiveEngine, batch: Any) -> Any:
        found = run(self, batch)
        note("evaluated", self.model)
        return found

    def fit_and_note(self: Any, *given: Any) -> None:
        fit(self, *given)
        note("trained", self.model)

    LiveEngine.run, recipe._Training._fit = run_and_note, fit_and_note
    data, cfg = write_shapes(folder / "data"), write_tiny_cfg(folder)
    config = TrainConfig(epochs=1, batch=4, precision="float32", device="gpu:1")
    train(TrainJob(str(data), folder / "run", model=str(cfg), config=config))
    print(json.dumps({kind: sorted(found) for kind, found in seen.items()}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
