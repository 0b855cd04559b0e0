"""Keras gets the backend that `hardware` chooses, whichever module is imported first."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import yolo_cli

IMPORTS_KERAS = re.compile(r"^\s*(import keras|from keras)\b", re.MULTILINE)
FIRST = ("loss", "training.checkpoint", "training.yolo.normalisation", "training.regions.heads", "model")


@pytest.mark.parametrize("module", FIRST)
def test_the_backend_is_chosen_before_keras_is_imported(module: str) -> None:
    """NumPy's backend is never the default, so that only the choice can lead to it."""
    code = (
        "from yolo_cli import hardware; hardware.choose_backend = lambda: 'numpy'\n"
        f"import yolo_cli.{module}, keras; print(keras.backend.backend())"
    )
    environment = {name: value for name, value in os.environ.items() if name != "KERAS_BACKEND"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "numpy\n"


def test_one_module_imports_keras() -> None:
    package = Path(yolo_cli.__file__).parent
    found = [path.name for path in package.rglob("*.py") if IMPORTS_KERAS.search(path.read_text("utf-8"))]
    assert found == ["framework.py"]
