"""Several machines learn together; here they are processes of one."""

from __future__ import annotations

import csv
import os
import socket
import subprocess
from pathlib import Path

import keras
import numpy as np
import pytest

from tests.backends import python_of
from tests.shared import ROOT
from tests.training_sets import write_shapes, write_tiny_cfg
from yolo_cli.config import TrainConfig
from yolo_cli.errors import UsageError
from yolo_cli.training.yolo.machines import join_machines


def named(count: int, number: str, address: str = "127.0.0.1:1") -> dict[str, str]:
    """The environment that names ``count`` machines, of which this is one."""
    values = {"JOB_ADDRESSES": address, "NUM_PROCESSES": str(count), "PROCESS_ID": number}
    return {f"KERAS_DISTRIBUTION_{name}": value for name, value in values.items()}


def test_one_machine_needs_no_others() -> None:
    assert join_machines(TrainConfig()).count == 1
    assert join_machines(TrainConfig()).all_reduce_min(2e-4) == 2e-4  # to the last bit


@pytest.mark.parametrize(
    ("backend", "number", "options", "line"),
    [
        ("tensorflow", "0", {}, "only JAX trains on several machines; set KERAS_BACKEND=jax"),
        ("jax", "first", {}, "KERAS_DISTRIBUTION_PROCESS_ID must be a number"),
        ("jax", "0", {"max_minutes": 5.0}, "max_minutes: several machines would not stop"),
        ("jax", "0", {"patience": 5}, "patience: several machines would not stop"),
    ],
)
def test_what_several_machines_cannot_do_is_said_before_they_wait(
    monkeypatch: pytest.MonkeyPatch, backend: str, number: str, options: dict[str, float], line: str
) -> None:
    monkeypatch.setattr(keras.backend, "backend", lambda: backend)
    for name, value in named(2, number).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UsageError, match=line):
        join_machines(TrainConfig(**options))


def train_on(*words_of_each: list[str]) -> list[str]:
    """Run `yolo train` with these words, a machine for each list of them; what each says on stderr."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    running = []
    for number, words in enumerate(words_of_each):
        others = named(len(words_of_each), str(number), address) if len(words_of_each) > 1 else {}
        command = [python_of("jax"), "-m", "yolo_cli", "train", *words]
        environment = os.environ | {"KERAS_BACKEND": "jax", "PYTHONPATH": str(ROOT)} | others
        running.append(subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True))
    return [process.communicate()[1] for process in running]


def rows(run: Path) -> list[dict[str, str]]:
    with (run / "results.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_two_machines_learn_what_one_learns(tmp_path: Path) -> None:
    data, cfg = write_shapes(tmp_path / "data"), write_tiny_cfg(tmp_path)
    words = ["--data", data, "--model", cfg, "--epochs", "4", "--batch", "4", "--precision", "float32"]
    alone, one, other = (tmp_path / name for name in ("alone", "one", "other"))
    each = [[*map(str, words), "--out", str(run)] for run in (alone, one, other)]
    said = train_on(each[0]) + train_on(*each[1:])
    for run in (one, other):
        assert (run / "weights" / "best.keras").is_file(), said
        for mine, theirs in zip(rows(run), rows(alone), strict=True):
            for key in ("loss", "box", "objectness", "class"):
                assert float(mine[key]) == pytest.approx(float(theirs[key]), abs=1e-3), key
    checkpoints = [np.load(run / "weights" / "checkpoint.npz") for run in (one, other)]
    weights = [key for key in checkpoints[0] if key != "state"]
    assert all(np.array_equal(checkpoints[0][key], checkpoints[1][key]) for key in weights)

    # They go on together, or not at all.
    (other / "weights" / "checkpoint.npz").unlink()
    for text in train_on(["--resume", str(one)], ["--resume", str(other)]):
        assert "machine 1 has another last epoch in its run's folder than machine 0" in text


@pytest.mark.slow
def test_machines_that_were_told_different_things_stop_with_one_line(tmp_path: Path) -> None:
    data, cfg = write_shapes(tmp_path / "data"), write_tiny_cfg(tmp_path)
    words = ["--data", str(data), "--model", str(cfg), "--epochs", "1"]
    each = [[*words, "--out", str(tmp_path / seed), "--seed", seed] for seed in "01"]
    for text in train_on(*each):
        assert "machine 1 has other data, options or precision than machine 0" in text
