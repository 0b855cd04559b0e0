"""What ends a run, or makes it start over: memory that runs out, a loss that is not finite."""

from __future__ import annotations

import time
from itertools import chain
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest

from tests.training_sets import write_shapes, write_tiny_cfg
from tests.unit.training.watchers import Noting
from yolo_cli.config import TrainConfig
from yolo_cli.errors import DataError
from yolo_cli.training import State, TrainJob, train
from yolo_cli.training.events import Pace
from yolo_cli.training.workspace import EpochBatches, Workspace, compile_adamw
from yolo_cli.training.yolo.callbacks import StepCallback
from yolo_cli.training.yolo.choices import Phase
from yolo_cli.training.yolo.failures import out_of_memory
from yolo_cli.training.yolo.journey import Journey
from yolo_cli.training.yolo.schedule import Schedule

TERMS = SimpleNamespace(names=("box", "objectness", "class"))


def fault(name: str, text: str) -> Exception:
    """An exception of a framework that is not here."""
    return type(name, (Exception,), {})(text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ResourceExhaustedError", "OOM when allocating tensor with shape[64,208,208,32]"),  # TensorFlow
        ("JaxRuntimeError", "RESOURCE_EXHAUSTED: Failed to allocate request for 1.29GiB on device ordinal 0"),
        ("XlaRuntimeError", "RESOURCE_EXHAUSTED: Out of memory while trying to allocate 5368709120 bytes."),
        ("XlaRuntimeError", "INTERNAL: CUDNN_STATUS_ALLOC_FAILED in cudnn_graph.cc"),
        ("OutOfMemoryError", "CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0 has 79.1 GiB in all."),
        ("RuntimeError", "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        (
            "RuntimeError",
            "[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory: you ",
        ),
    ],
)
def test_memory_that_ran_out_is_recognised(name: str, text: str) -> None:
    assert out_of_memory(fault(name, text))


def test_other_faults_are_not_about_memory() -> None:
    assert out_of_memory(MemoryError())
    assert not out_of_memory(fault("XlaRuntimeError", "INVALID_ARGUMENT: shapes must be equal"))
    assert not out_of_memory(ValueError("space for 3"))


def test_a_run_starts_over_with_half_the_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tried, fit = [], keras.Model.fit

    def fitting(self: Any, batches: Any, **options: Any) -> Any:
        first = next(batches)
        tried.append(len(first[0]))
        if tried[-1] > 2:
            raise fault("JaxRuntimeError", "RESOURCE_EXHAUSTED: Failed to allocate request for 9.5GiB")
        return fit(self, (each for each in chain([first], batches)), **options)

    monkeypatch.setattr(keras.Model, "fit", fitting)
    watcher = Noting()
    config = TrainConfig(epochs=1, batch=8, precision="float32")
    cfg = str(write_tiny_cfg(tmp_path))
    train(TrainJob(str(write_shapes(tmp_path / "data")), tmp_path / "out", model=cfg, config=config), watcher)
    assert tried == [8, 4, 2]
    assert [line for line in watcher.lines if "memory" in line] == [
        "out of memory with a batch size of 8; trying 4",
        "out of memory with a batch size of 4; trying 2",
    ]


@pytest.mark.parametrize(
    ("dtype", "remedy"),
    [
        ("float32", "train again with learning_rate 2e-4"),
        ("float16", "train again with learning_rate 2e-4, or precision float32"),
    ],
)
def test_a_loss_that_is_not_finite_ends_in_one_line(dtype: str, remedy: str) -> None:
    schedule = Schedule(TrainConfig(warmup=0), rate=1e-3, epochs=3, steps=10)
    callback = StepCallback(Journey(schedule, State(), time.monotonic()), Noting(), Phase(0, 3, False))
    callback.set_model(SimpleNamespace(compute_dtype=dtype, use=dict, yolo_loss=TERMS))
    callback.on_epoch_begin(0)
    callback.on_train_batch_begin(4)
    with pytest.raises(DataError) as told:
        callback.on_train_batch_end(4, {"box": 1.0, "objectness": float("inf"), "class": 2.0})
    assert str(told.value) == f"epoch 1 of 3, step 5 of 10: the loss is not finite any more; {remedy}"


def test_a_run_that_diverges_ends_in_one_line(tmp_path: Path) -> None:
    config = TrainConfig(epochs=8, batch=4, precision="float32", weight_decay=1e9, warmup=0)
    data, cfg = write_shapes(tmp_path / "data"), str(write_tiny_cfg(tmp_path))
    with pytest.raises(DataError, match=r"the loss is not finite any more; train again with learning_rate"):
        train(TrainJob(str(data), tmp_path / "out", model=cfg, config=config), Noting())


class Ones(EpochBatches):
    """Four examples: ones, with targets that are not numbers."""

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        count = len(self.chosen(index))
        return np.ones((count, 2), np.float32), np.full((count, 1), np.nan, np.float32)


def test_a_region_head_that_diverges_ends_in_one_line(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)], name="head")
    compile_adamw(model, "mean_squared_error", 1e-3, 4)
    with pytest.raises(
        DataError, match=r"^epoch 1 of 2, step 1 of 2: the loss is not finite any more; .*lint"
    ):
        Workspace(tmp_path).fit(model, Ones(4, 2, 0), 2)


def test_the_first_step_does_not_count_for_the_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    # It takes 60 s, as it compiles; the next two take 2 s each, so ten more take 20 s.
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    pace, found = Pace(), []
    for seconds in (60.0, 2.0, 2.0):
        now += seconds
        pace.count()
        found.append(pace.seconds_for(10))
    assert found == [None, 20.0, 20.0]


@pytest.mark.parametrize(("minutes", "expected"), [(None, 20.0), (1.1, 4.0)])
def test_a_time_budget_bounds_the_time_left(
    minutes: float | None, expected: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Twelve steps; the first takes 60 s, the second 2 s: ten more take 20 s, but 66 s are the limit.
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    schedule = Schedule(TrainConfig(max_minutes=minutes), rate=1e-3, epochs=1, steps=12)
    watcher = Noting()
    callback = StepCallback(Journey(schedule, State(), 0.0), watcher, Phase(0, 1, False))
    callback.set_model(SimpleNamespace(compute_dtype="float32", use=dict, yolo_loss=TERMS))
    callback.on_epoch_begin(0)
    for batch, seconds in enumerate((60.0, 2.0)):
        callback.on_train_batch_begin(batch)
        now += seconds
        callback.on_train_batch_end(batch, dict.fromkeys(("box", "objectness", "class"), 1.0))
    assert watcher.steps[-1].seconds_left == pytest.approx(expected)
