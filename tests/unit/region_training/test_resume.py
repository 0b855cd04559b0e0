"""Nothing is lost: a region detector's run that was cut off goes on as if nothing had happened."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.training_sets import write_shapes
from yolo_cli.datasets import Dataset, open_dataset
from yolo_cli.errors import DataError
from yolo_cli.region_training import (
    RegionJob,
    RegionRecipe,
    Run,
    heads,
    localisation,
    proposals,
    read_region_job,
    train,
    train_regions,
    windows,
    write_region_job,
)
from yolo_cli.region_training.run import Stage

EPOCHS = 3
LATER = [
    pytest.param(kind, marks=pytest.mark.slow)
    for kind in ("localisation", "conv-sliding-window", "rcnn", "faster-rcnn")
]


class CrashError(BaseException):
    """As sudden as a kill, as far as one process can tell."""


class Crashing:
    """Keeps what it is told, and ends the run when it hears ``name``, so much of it done."""

    def __init__(self, name: str = "", done: int = 0) -> None:
        self.when, self.told, self.lines = (name, done), [], []

    def say(self, text: str) -> None:
        self.lines.append(text)

    def stage(self, stage: Stage) -> None:
        self.told.append((stage.name, stage.done))
        if (stage.name, stage.done) == self.when:
            raise CrashError


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    """Eight images; epochs of several steps; and no time spent on writing a model's files."""
    monkeypatch.setattr(heads, "BATCH", 64)
    monkeypatch.setattr(localisation, "BATCH", 8)
    monkeypatch.setattr(proposals, "BATCH", 2)
    monkeypatch.setattr(windows, "IMAGES_AT_ONCE", 3)
    monkeypatch.setattr(train, "save_model", lambda model, *_, **__: model)
    return open_dataset(write_shapes(tmp_path / "data")).in_split("train")


def learn(data: Dataset, kind: str, run: Run) -> Any:
    recipe = RegionRecipe(kind, epochs=EPOCHS)
    return train_regions(data, Path("best"), recipe, run).get_weights()


def assert_same_bytes(one: Any, other: Any) -> None:
    assert [values.shape for values in one] == [values.shape for values in other]
    assert all(a.tobytes() == b.tobytes() for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("kind", ["fast-rcnn", *LATER])
def test_crashes_then_resume_give_the_same_bytes(kind, data, tmp_path):
    straight = learn(data, kind, Run())
    broken = tmp_path / "broken"
    crashes = [("looking at images", 3), ("epoch 2 of 3", 2)]
    for name, done in crashes[1:] if kind == "conv-sliding-window" else crashes:
        with pytest.raises(CrashError):
            learn(data, kind, Run(broken, Crashing(name, done)))
    watcher = Crashing()
    resumed = learn(data, kind, Run(broken, watcher))
    assert watcher.lines == ["going on after epoch 1"]
    assert next(name for name, _ in watcher.told if name.startswith("epoch")) == "epoch 2 of 3"
    assert_same_bytes(straight, resumed)


@pytest.mark.slow
def test_another_seed_gives_other_bytes(data):
    one, other = (
        train_regions(data, Path("best"), RegionRecipe("conv-sliding-window", 1, seed)).get_weights()
        for seed in (0, 1)
    )
    with pytest.raises(AssertionError):
        assert_same_bytes(one, other)


def test_each_image_is_worked_out_once(data, tmp_path):
    asked: list[int] = []

    def work(number: int, _sample: Any) -> tuple[np.ndarray, ...]:
        asked.append(number)
        return np.full((2, number), number, np.float16), np.arange(number)

    with pytest.raises(CrashError):
        Run(tmp_path, Crashing("looking at images", 5)).each_image(data.samples, work)
    (tmp_path / "unfinished" / "features-000001.npz").write_bytes(b"half of it")
    parts = Run(tmp_path).each_image(data.samples, work)
    assert asked == [0, 1, 2, 3, 4, 1, 5, 6, 7]
    for number, (grid, line) in enumerate(parts):
        assert grid.dtype == np.float16
        assert grid.tolist() == [[number] * number] * 2
        assert line.tolist() == list(range(number))


def test_two_kinds_of_work_are_kept_apart(data, tmp_path):
    run = Run(tmp_path)
    for what, value in (("features", 1.0), ("maps", 2.0)) * 2:
        parts = run.each_image(data.samples, lambda *_, v=value: (np.full(1, v),), what)
        assert [one.tolist() for (one,) in parts] == [[value]] * 8


def test_what_is_kept_can_be_forgotten(data, tmp_path):
    run = Run(tmp_path)
    run.each_image(data.samples, lambda *_: (np.zeros(1),))
    run.forget()
    assert not (tmp_path / "unfinished").exists()
    Run().forget()  # nothing was kept


def test_the_time_that_is_left_counts_what_was_worked_out_now(data, tmp_path, monkeypatch):
    """Two of eight images are kept already; the other six take 2 s each."""
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)

    def work(*_: Any) -> tuple[np.ndarray, ...]:
        nonlocal now
        now += 2
        return (np.zeros(1),)

    with pytest.raises(CrashError):
        Run(tmp_path, Crashing("looking at images", 2)).each_image(data.samples, work)
    left: list[float] = []

    class Noting(Crashing):
        def stage(self, stage: Stage) -> None:
            left.append(stage.seconds_left)

    Run(tmp_path, Noting()).each_image(data.samples, work)
    assert left == [0, 0, 10, 8, 6, 4, 2, 0]


def test_a_job_is_written_down_and_read_again(tmp_path):
    job = RegionJob("some/where", tmp_path, RegionRecipe("rcnn", None, 3), True, "abc")
    write_region_job(job)
    assert read_region_job(tmp_path) == job


@pytest.mark.parametrize(
    "text", ["", "- 1\n", "weights: x\n", "version: 1\ndetector: ssd\nepochs: 1\nseed: 0\n", "{"]
)
def test_a_folder_that_is_no_run_is_named(text, tmp_path):
    (tmp_path / "args.yaml").write_text(text)
    with pytest.raises(DataError, match=r"args\.yaml: is not as `yolo train` wrote it") as caught:
        read_region_job(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_damaged_checkpoint_is_named(data, tmp_path):
    (tmp_path / "unfinished").mkdir()
    (tmp_path / "unfinished" / "window_classifier.npz").write_bytes(b"half of it")
    with pytest.raises(DataError, match=r"window_classifier\.npz: is no checkpoint"):
        learn(data, "conv-sliding-window", Run(tmp_path))


def start(folder: Path, *words: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "yolo_cli", "train", *words]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def weights(run: Path) -> list[np.ndarray]:
    """Every array of the run's .onnx file."""
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(str(run / "weights" / "best.onnx")).graph
    return [numpy_helper.to_array(one) for one in sorted(graph.initializer, key=lambda one: one.name)]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["conv-sliding-window", "fast-rcnn"])
def test_kills_at_random_instants(kind, tmp_path):
    write_shapes(tmp_path / "data")
    words = ["--detector", kind, "--data", "data", "--epochs", "12", "--exist-ok", "--out"]
    assert start(tmp_path, *words, "straight").wait() == 0
    rng = np.random.default_rng(0)
    process, kills = start(tmp_path, *words, "killed"), 0
    while kills < 6:
        try:
            process.wait(timeout=float(rng.uniform(1, 14)))
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            kills += 1
        there = (tmp_path / "killed" / "args.yaml").exists()
        process = start(tmp_path, *(("--resume", "killed") if there else (*words, "killed")))
    assert process.wait() == 0
    assert_same_bytes(weights(tmp_path / "killed"), weights(tmp_path / "straight"))
    assert not (tmp_path / "killed" / "unfinished").exists()
