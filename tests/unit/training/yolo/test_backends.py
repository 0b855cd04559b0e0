"""Every backend learns the same, and so do several devices."""

from __future__ import annotations

import json
import os
import subprocess
from functools import cache
from pathlib import Path

import pytest

from tests.backends import python_of
from tests.shared import ROOT
from tests.training_sets import write_shapes, write_tiny_cfg

SCRIPT = ROOT / "tests" / "unit" / "training" / "yolo" / "three_steps.py"


@cache
def three_steps(backend: str, *words: str) -> dict[str, list[float]]:
    environment = os.environ | {
        "KERAS_BACKEND": backend, "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": "",
        "XLA_FLAGS": "--xla_force_host_platform_device_count=2" if "devices" in words else "",
    }  # fmt: skip
    done = subprocess.run(
        [python_of(backend), str(SCRIPT), *words],
        env=environment,
        cwd=Path(ROOT),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
@pytest.mark.parametrize("words", [(), ("gfl",)])
def test_three_steps_give_the_losses_of_tensorflow(backend: str, words: tuple[str, ...]) -> None:
    found, expected = (three_steps(name, *words)["losses"] for name in (backend, "tensorflow"))
    assert found == pytest.approx(expected, abs=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_settings_of_each_step_do_what_they_do_on_tensorflow(backend: str) -> None:
    """Rates, and the momentums of moving statistics and of averaged weights."""
    found, expected = (three_steps(name, "settings") for name in (backend, "tensorflow"))
    assert found["losses"] == pytest.approx(expected["losses"], abs=1e-3)
    assert found["sums"] == pytest.approx(expected["sums"], rel=1e-3)
    assert expected["sums"] != pytest.approx(three_steps("tensorflow")["sums"], rel=1e-2)


def test_pytorch_updates_all_variables_at_once() -> None:
    """In half the time: Keras does it for its own class only, and for what derives from what that becomes."""
    script = """
from yolo_cli.training.yolo.optimizer import AveragingAdamW
assert any(hasattr(one, "_parallel_update_step") for one in AveragingAdamW.__mro__), AveragingAdamW.__mro__
"""
    done = subprocess.run(
        [python_of("torch"), "-c", script],
        env=os.environ | {"KERAS_BACKEND": "torch", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_two_devices_learn_what_one_learns() -> None:
    assert three_steps("jax", "devices")["losses"] == pytest.approx(three_steps("jax")["losses"], abs=1e-3)


@pytest.mark.slow
def test_two_devices_of_tensorflow_learn_nearly_the_same() -> None:
    # Each divides by its own number of positive slots, so that halves do not weigh quite alike.
    both, one = three_steps("tensorflow", "devices")["losses"], three_steps("tensorflow")["losses"]
    assert both == pytest.approx(one, rel=0.05)
    assert both[2] < both[0]


@pytest.mark.slow
def test_losses_fall() -> None:
    losses = three_steps("tensorflow")["losses"]
    assert losses[2] < losses[1] < losses[0]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("backend", "module"),
    [("jax", "yolo_cli"), ("torch", "yolo_cli"), ("torch", "tests.unit.training.yolo.like_cuda")],
)
def test_the_whole_command_runs_on_it(backend: str, module: str, tmp_path: Path) -> None:
    data, cfg, out = write_shapes(tmp_path / "data"), write_tiny_cfg(tmp_path), tmp_path / "out"
    words = ["--data", data, "--model", cfg, "--out", out, "--epochs", "2", "--batch", "4"]
    done = subprocess.run(
        [python_of(backend), "-m", module, "train", *map(str, words)],
        env=os.environ | {"KERAS_BACKEND": backend, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == str(out / "weights" / "best.keras")
    assert len((out / "results.csv").read_text(encoding="utf-8").splitlines()) == 3
