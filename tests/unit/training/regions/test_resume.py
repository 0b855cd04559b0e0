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
from tests.unit.training.watchers import CrashError, Crashing, Noting
from yolo_cli.datasets import Dataset, open_dataset
from yolo_cli.errors import DataError
from yolo_cli.training.regions import heads, localisation, proposals, windows
from yolo_cli.training.regions.recipes import fit_method
from yolo_cli.training.workspace import Workspace

EPOCHS = 3
LATER = [
    pytest.param(kind, marks=pytest.mark.slow)
    for kind in ("localisation", "conv-sliding-window", "rcnn", "faster-rcnn")
]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    """Eight images; epochs of several steps."""
    monkeypatch.setattr(heads, "BATCH", 64)
    monkeypatch.setattr(localisation, "BATCH", 8)
    monkeypatch.setattr(proposals, "BATCH", 2)
    monkeypatch.setattr(windows, "BATCH", 3)
    return open_dataset(write_shapes(tmp_path / "data")).in_split("train")


def learn(data: Dataset, kind: str, workspace: Workspace) -> Any:
    return fit_method(kind, data, EPOCHS, 0, workspace)[0].get_weights()


def assert_same_bytes(one: Any, other: Any) -> None:
    assert [values.shape for values in one] == [values.shape for values in other]
    assert all(a.tobytes() == b.tobytes() for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("kind", ["fast-rcnn", *LATER])
def test_crashes_then_resume_give_the_same_bytes(kind, data, tmp_path):
    straight = learn(data, kind, Workspace())
    broken = tmp_path / "broken"
    crashes = [("preparing images", 3), ("epoch 2 of 3", 2)]
    for name, done in crashes[1:] if kind == "conv-sliding-window" else crashes:
        with pytest.raises(CrashError):
            learn(data, kind, Workspace(broken, Crashing(name, done)))
    watcher = Noting()
    resumed = learn(data, kind, Workspace(broken, watcher))
    assert watcher.lines == ["continuing after epoch 1"]
    assert next(step.part for step in watcher.steps if step.part.startswith("epoch")) == "epoch 2 of 3"
    assert_same_bytes(straight, resumed)


@pytest.mark.slow
def test_another_seed_gives_other_bytes(data):
    one, other = (fit_method("conv-sliding-window", data, 1, seed)[0].get_weights() for seed in (0, 1))
    with pytest.raises(AssertionError):
        assert_same_bytes(one, other)


def test_each_image_is_worked_out_once(data, tmp_path):
    asked: list[int] = []

    def work(number: int, _sample: Any) -> tuple[np.ndarray, ...]:
        asked.append(number)
        return np.full((2, number), number, np.float16), np.arange(number)

    with pytest.raises(CrashError):
        Workspace(tmp_path, Crashing("preparing images", 5)).each_image(data.samples, work)
    (tmp_path / "unfinished" / "features-000001.npz").write_bytes(b"half of it")
    parts = Workspace(tmp_path).each_image(data.samples, work)
    assert asked == [0, 1, 2, 3, 4, 1, 5, 6, 7]
    for number, (grid, line) in enumerate(parts):
        assert grid.dtype == np.float16
        assert grid.tolist() == [[number] * number] * 2
        assert line.tolist() == list(range(number))


def test_two_kinds_of_work_are_kept_apart(data, tmp_path):
    workspace = Workspace(tmp_path)
    for what, value in (("features", 1.0), ("maps", 2.0)) * 2:
        parts = workspace.each_image(data.samples, lambda *_, v=value: (np.full(1, v),), what)
        assert [one.tolist() for (one,) in parts] == [[value]] * 8


def test_what_is_kept_can_be_forgotten(data, tmp_path):
    workspace = Workspace(tmp_path)
    workspace.each_image(data.samples, lambda *_: (np.zeros(1),))
    workspace.clear()
    assert not (tmp_path / "unfinished").exists()
    Workspace().clear()  # nothing was kept


def test_the_time_that_is_left_counts_what_was_worked_out_now(data, tmp_path, monkeypatch):
    """Two of eight images are kept already; the other six take 2 s each."""
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)

    def work(*_: Any) -> tuple[np.ndarray, ...]:
        nonlocal now
        now += 2
        return (np.zeros(1),)

    with pytest.raises(CrashError):
        Workspace(tmp_path, Crashing("preparing images", 2)).each_image(data.samples, work)
    watcher = Noting()
    Workspace(tmp_path, watcher).each_image(data.samples, work)
    assert [step.seconds_left for step in watcher.steps] == [0, 0, 10, 8, 6, 4, 2, 0]


def test_a_damaged_checkpoint_is_named(data, tmp_path):
    (tmp_path / "unfinished").mkdir()
    (tmp_path / "unfinished" / "window_classifier.npz").write_bytes(b"half of it")
    with pytest.raises(DataError, match=r"window_classifier\.npz: is not a checkpoint"):
        learn(data, "conv-sliding-window", Workspace(tmp_path))


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
