"""What `yolo train` reaches with its own choices: the whole command, evaluated by pycocotools."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.shared import SHARED, needs_shared


def yolo(*words: object) -> str:
    """What a command of ours prints."""
    command = [sys.executable, "-m", "yolo_cli", *map(str, words), "--quiet"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def reached(name: str, split: str, seed: int, out: Path, *more: str) -> tuple[float, float]:
    """mAP50 and mAP50-95 by pycocotools on a split of a shared data set, after training on it."""
    data, start = SHARED / "data" / name, time.monotonic()
    best = yolo("train", "--data", data, "--seed", seed, "--out", out, *more).splitlines()[1]
    minutes = (time.monotonic() - start) / 60
    words = ["--split", split, "--cross-check", "--no-save", "--format", "json"]
    figures = json.loads(yolo("eval", "--data", data, "--weights", best, *words))["cross_check"]
    ap, ap50 = figures["AP"]["pycocotools"], figures["AP50"]["pycocotools"]
    print(f"\n{name}, seed {seed}: mAP50 {ap50:.3f}, mAP50-95 {ap:.3f} after {minutes:.1f} minutes")
    return ap50, ap


@pytest.mark.slow
@needs_shared("data", "fridge")
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_bottles_and_cans(seed: int, tmp_path: Path) -> None:
    """96 images to learn from, 32 to evaluate on; two cores take some six minutes."""
    ap50, ap = reached("fridge", "val", seed, tmp_path / "run")
    assert ap50 >= 0.97
    assert ap >= 0.72


@pytest.mark.slow
@needs_shared("data", "bccd")
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_blood_cells(seed: int, tmp_path: Path) -> None:
    """292 images to learn from, 72 others to evaluate on; two cores take half an hour."""
    ap50, _ = reached("bccd", "test", seed, tmp_path / "run", "--use-val")
    assert ap50 >= 0.92
