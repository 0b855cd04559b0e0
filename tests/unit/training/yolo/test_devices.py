from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import keras
import pytest

from yolo_cli import engines
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
    with devices.shared_step(ALONE, device):
        assert names == asked


def test_region_methods_refuse_a_gpu_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    from tests.training_sets import write_shapes
    from yolo_cli.errors import UsageError
    from yolo_cli.training import new_job, train

    monkeypatch.setattr(engines, "keras_gpus", lambda: 0)
    data = write_shapes(tmp_path / "data")
    job = new_job(data=str(data), out=tmp_path / "out", detector="rcnn", device="gpu")
    with pytest.raises(UsageError, match="device gpu: Keras sees no GPU"):
        train(job)
    assert not (tmp_path / "out").exists()
