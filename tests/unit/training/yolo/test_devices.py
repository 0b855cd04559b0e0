from __future__ import annotations

import json
import os
import subprocess
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import keras
import pytest

from tests.backends import python_of
from tests.shared import ROOT
from tests.training_sets import write_shapes
from yolo_cli.datasets import open_dataset
from yolo_cli.engines import Runtime, on_keras
from yolo_cli.errors import UsageError
from yolo_cli.training import new_job, train
from yolo_cli.training.regions import recipes
from yolo_cli.training.yolo import devices
from yolo_cli.training.yolo.machines import ALONE


@pytest.mark.parametrize(
    ("device", "backend", "gpus", "count"),
    [
        ("auto", "jax", 0, 1),
        ("auto", "jax", 4, 4),
        ("gpu", "tensorflow", 4, 4),
        ("auto", "torch", 4, 1),
        ("gpu:2", "jax", 4, 1),
        ("cpu", "tensorflow", 4, 1),
    ],
)
def test_how_many_devices_compute_a_step(
    monkeypatch: pytest.MonkeyPatch, device: str, backend: str, gpus: int, count: int
) -> None:
    monkeypatch.setattr(keras.backend, "backend", lambda: backend)
    monkeypatch.setattr(devices, "keras_gpus", lambda: gpus)
    assert devices.sharing(ALONE, device) == count


@pytest.mark.parametrize(("device", "asked"), [("gpu:2", ["gpu:2"]), ("cpu", ["cpu"]), ("auto", [])])
def test_a_step_runs_on_the_device_that_is_named(
    monkeypatch: pytest.MonkeyPatch, device: str, asked: list[str]
) -> None:
    names: list[str] = []

    def place(name: str) -> Any:
        names.append(name)
        return nullcontext()

    monkeypatch.setattr(keras, "device", place)
    monkeypatch.setattr(devices, "keras_gpus", lambda: 0)
    with devices.placed(ALONE, device), devices.shared_step(ALONE, device):
        assert names == asked


def test_several_devices_are_not_narrowed_to_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "keras_gpus", lambda: 4)
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    monkeypatch.setattr(keras, "device", None)  # not called
    with devices.placed(ALONE, "gpu"):
        pass


@pytest.mark.parametrize(
    ("cuda", "device", "expected"),
    [
        (True, "gpu:1", "gpu:1"),
        (True, "auto", "auto"),
        (True, "cpu", "cpu"),
        (False, "gpu:1", "cpu"),  # Keras may use that GPU, but this ONNX Runtime cannot
    ],
)
def test_the_backbone_of_a_region_method_runs_on_the_device_that_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cuda: bool, device: str, expected: str
) -> None:
    opened: list[str] = []

    def open_backbone(_: str, runtime: Runtime) -> None:
        opened.append(runtime.device)
        raise StopError

    class StopError(Exception):
        pass

    monkeypatch.setattr(recipes, "onnx_uses_cuda", lambda: cuda)
    monkeypatch.setattr(recipes, "open_backbone", open_backbone)
    data = open_dataset(write_shapes(tmp_path / "data"))
    for method in set(recipes.METHODS) - {"conv-sliding-window"}:
        with pytest.raises(StopError):
            recipes.fit_method(method, data, 1, device=device)
    assert opened == [expected] * 4


def test_region_methods_refuse_a_gpu_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(on_keras, "keras_gpus", lambda: 0)
    data = write_shapes(tmp_path / "data")
    job = new_job(data=str(data), out=tmp_path / "out", detector="rcnn", device="gpu")
    with pytest.raises(UsageError, match="device gpu: Keras sees no GPU"):
        train(job)
    assert not (tmp_path / "out").exists()


def test_a_whole_run_is_on_the_second_gpu(tmp_path: Path) -> None:
    done = subprocess.run(
        [python_of("jax"), "-m", "tests.unit.training.yolo.second_device", str(tmp_path)],
        env=os.environ | {
            "KERAS_BACKEND": "jax", "PYTHONPATH": str(ROOT), "YOLO_CLI_CACHE": "off",
            "XLA_FLAGS": "--xla_force_host_platform_device_count=2",
        },
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {"trained": [1], "evaluated": [1]}
