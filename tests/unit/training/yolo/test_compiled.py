"""On JAX a step of training is compiled: traced once, and run as one program."""

from __future__ import annotations

import json
import os
import re
import subprocess
from typing import Any

import pytest

from tests.backends import python_of
from tests.shared import ROOT


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a run of eight epochs gave; see `compiled_run`."""
    folder = tmp_path_factory.mktemp("jax")
    done = subprocess.run(
        [python_of("jax"), "-m", "tests.unit.training.yolo.compiled_run", str(folder)],
        env=os.environ | {"KERAS_BACKEND": "jax", "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(folder)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result | {"stderr": done.stderr}


def test_steps_are_traced_once(found: dict[str, Any]) -> None:
    """Uncompiled, Python would go through each of the sixteen steps.

    The last batch of each evaluation is short: five images, four a batch. Two networks are evaluated: the one
    that is trained, and at the end the one that is shipped.
    """
    assert found["steps"] == 16
    assert found["traces"] == {"train_step": 1, "predict_step": 2}


def test_an_epoch_compiles_nothing_that_an_earlier_one_did(found: dict[str, Any]) -> None:
    # The first epoch compiles the step, the first evaluation, after the sixth, the prediction.
    compiled = found["compiled"]
    assert compiled[0] > 0
    assert compiled[:5] == [compiled[0]] * 5
    assert compiled[5:] == [compiled[0] + 1] * 3


def test_each_step_has_the_rate_of_the_schedule(found: dict[str, Any]) -> None:
    # What the optimizer holds after the last step is the rate that was told of it, as float32.
    assert found["last_rate"] == pytest.approx(found["rates"][-1], rel=1e-6)
    assert len(set(found["rates"])) == found["steps"]


def test_the_first_step_does_not_guess_the_time_left(found: dict[str, Any]) -> None:
    assert found["seconds_left"] is None


def test_a_resumed_run_ends_with_the_same_bytes(found: dict[str, Any]) -> None:
    straight, broken = found["digests"]
    assert straight == broken


def test_tensorflow_which_keras_imports_to_seed_it_logs_nothing(found: dict[str, Any]) -> None:
    assert not re.findall("absl|oneDNN|cuda", found["stderr"])
