"""What `yolo train` reaches with nothing but `--data`: the whole command, judged by pycocotools."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.shared import SHARED, needs_shared

FRIDGE = SHARED / "data" / "fridge"


def yolo(*words: object) -> str:
    """What a command of ours prints."""
    command = [sys.executable, "-m", "yolo_cli", *map(str, words), "--quiet"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.mark.slow
@needs_shared("data", "fridge")
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_bottles_and_cans(seed: int, tmp_path: Path) -> None:
    """96 pictures to learn from, 32 to judge; two cores take some ten minutes."""
    start = time.monotonic()
    best = yolo("train", "--data", FRIDGE, "--seed", seed, "--out", tmp_path / "run").splitlines()[1]
    minutes = (time.monotonic() - start) / 60
    judged = yolo(
        "eval", "--data", FRIDGE, "--weights", best, "--cross-check", "--no-save", "--format", "json"
    )
    figures = json.loads(judged)["cross_check"]
    ap, ap50 = figures["AP"]["pycocotools"], figures["AP50"]["pycocotools"]
    print(f"\nfridge, seed {seed}: mAP50 {ap50:.3f}, mAP50-95 {ap:.3f} after {minutes:.1f} minutes")
    assert ap50 >= 0.97
    assert ap >= 0.72
