"""Whole runs that end early: by patience, or by a time budget; and runs with many validation images."""

from __future__ import annotations

import csv
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tests.training_sets import write_shapes, write_tiny_cfg
from tests.unit.training.watchers import Noting
from yolo_cli.config import TrainConfig
from yolo_cli.evaluation import Report
from yolo_cli.training import Step, TrainJob, train
from yolo_cli.training.workspace import Workspace
from yolo_cli.training.yolo.journey import WRITING
from yolo_cli.training.yolo.validation import Validator
from yolo_cli.weights import read_card


def job(folder: Path, *, training: int = 8, validation: int = 4, **options: object) -> TrainJob:
    data, cfg = write_shapes(folder / "data", training, validation), write_tiny_cfg(folder)
    config = TrainConfig(**{"batch": 4, "precision": "float32", **options})
    return TrainJob(str(data), folder / "run", model=str(cfg), config=config)


def rows(run: Path) -> list[dict[str, str]]:
    with (run / "results.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_patience_waits_for_a_figure(tmp_path: Path) -> None:
    """With three times as many images to validate on, only epochs 10 and 12 of 12 are evaluated."""
    result = train(job(tmp_path, training=4, validation=12, epochs=12, patience=2), Noting())
    evaluated = [int(row["epoch"]) for row in rows(result.out) if row["map50_95"]]
    assert evaluated == [10, 12]
    assert result.state.epoch == 12
    assert result.keras.is_file()


class Ticking(Noting):
    """The first step takes 10 s, the others 2 s."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__()
        self.now = 0.0
        monkeypatch.setattr("yolo_cli.training.run.Workspace", partial(Workspace, started=0.0))
        for module in ("events", "yolo.callbacks", "yolo.journey"):
            clock = SimpleNamespace(monotonic=lambda: self.now)
            monkeypatch.setattr(f"yolo_cli.training.{module}.time", clock)

    def step(self, step: Step) -> None:
        super().step(step)
        self.now += 2.0 if len(self.steps) > 1 else 10.0


def test_a_run_in_a_short_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """81 s for steps: 37 of 40,000, so that the fourth epoch of ten ends early."""
    watcher = Ticking(monkeypatch)
    budget = (81 + WRITING) / 60
    result = train(job(tmp_path, training=40, epochs=4000, max_minutes=budget), watcher)
    assert len(watcher.steps) == pytest.approx(37, abs=1)
    last = rows(result.out)[-1]
    # The images that were seen since the epoch began, not all of the 40.
    done = watcher.steps[-1].done
    assert done < 10
    assert float(last["images_per_second"]) == 2.0  # 4 images a step of 2 s
    with np.load(result.out / "weights" / "checkpoint.npz") as file:
        scalars = [float(file[key]) for key in file.files if key != "state" and file[key].shape == ()]
    # The window of the averages is a tenth of the steps that were done, not of those that were planned.
    assert any(value == pytest.approx(1 - 1 / 3.7, abs=0.02) for value in scalars)
    rates = [step.learning_rate for step in watcher.steps]
    assert np.argmax(rates) < 5  # warm-up is over after a tenth of the steps, too
    assert rates[-1] < 0.1 * max(rates)  # and the cosine completes


def test_an_evaluation_at_the_end_of_the_time_is_the_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes 12 s, as nobody knew before: three epochs of ten steps, and not one step of a fourth."""
    watcher, evaluate = Ticking(monkeypatch), Validator.evaluate_model

    def slow(self: Validator, model: object) -> Report:
        watcher.now += 12.0
        return evaluate(self, model)

    monkeypatch.setattr(Validator, "evaluate_model", slow)
    result = train(job(tmp_path, training=40, epochs=4000, max_minutes=(81 + WRITING) / 60), watcher)
    found = rows(result.out)
    assert [row["evaluation_seconds"] for row in found] == ["", "", "12"]
    assert len(watcher.steps) == 30


def test_of_many_validation_images_epochs_use_a_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("yolo_cli.training.yolo.prepare.MOST_VALIDATED", 5)
    watcher = Noting()
    result = train(job(tmp_path, validation=9, epochs=2), watcher)
    assert "epochs are evaluated on a random 5 of the 9 images, the result on all of them" in watcher.lines
    assert result.report.images == 9
    assert "chosen by 5 of these images" in " ".join(read_card(result.keras).figures)
