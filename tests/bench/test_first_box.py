"""How long the first box takes, as ratios against a named reference of the same run. Never pass or fail.

`pytest -m bench -s tests/bench/test_first_box.py`
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.shared import ROOT
from yolo_cli.config import bundled
from yolo_cli.detectors import YoloDetector, load_detector
from yolo_cli.hardware import installed
from yolo_cli.images import read_image

pytestmark = pytest.mark.bench

IMAGE = ROOT / "examples" / "coffee.jpg"
MODEL = bundled("weights") / "yolov4-tiny-coco.onnx"

# The minimum that any program must do: import the runtimes, read and resize the image, run the network once.
BARE = f"""
import cv2, numpy, onnxruntime
session = onnxruntime.InferenceSession({str(MODEL)!r}, providers=["CPUExecutionProvider"])
image = cv2.resize(cv2.imread({str(IMAGE)!r}), (416, 416))[None, :, :, ::-1]
session.run(None, {{session.get_inputs()[0].name: numpy.ascontiguousarray(image)}})
"""


@pytest.fixture(autouse=True)
def compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python may keep what it compiles, as it does for an installed package."""
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    monkeypatch.setenv("PYTHONPYCACHEPREFIX", str(tmp_path / "compiled"))


def seconds(*commands: Sequence[str], times: int = 10) -> list[float]:
    """Median wall time of whole processes, in turns after one that does not count."""
    found: list[list[float]] = [[] for _ in commands]
    for number in range(times + 1):
        for command, spent in zip(commands, found, strict=True):
            start = time.perf_counter()
            subprocess.run(command, capture_output=True, check=True)
            if number:
                spent.append(time.perf_counter() - start)
    return [statistics.median(spent) for spent in found]


def median(action: Callable[[], object], times: int) -> float:
    found = []
    for _ in range(times):
        start = time.perf_counter()
        action()
        found.append(time.perf_counter() - start)
    return statistics.median(found)


def test_whole_process() -> None:
    detect = [sys.executable, "-m", "yolo_cli", "detect", str(IMAGE), "--format", "json", "--no-save"]
    engines = ("onnx", "openvino") if installed("openvino") else ("onnx",)
    bare, *ours = seconds([sys.executable, "-c", BARE], *([*detect, "--engine", name] for name in engines))
    for name, spent in zip(engines, ours, strict=True):
        print(f"\nyolo detect, {name}: {spent:.3f} s, {spent / bare:.2f} x a bare ONNX script ({bare:.3f} s)")
    about, empty = seconds([sys.executable, "-m", "yolo_cli", "--help"], [sys.executable, "-c", "pass"])
    print(f"yolo --help {about:.3f} s: {about / empty:.2f} x an empty Python ({empty:.3f} s)")


@pytest.mark.parametrize(
    ("name", "precision"), [("onnx", "float32"), ("openvino", "float32"), ("openvino", "bfloat16")]
)
def test_one_image_in_a_running_process(name: Any, precision: Any) -> None:
    """Read, letterbox, run, decode and suppress, against the bare run of the same network."""
    pytest.importorskip(name if name == "openvino" else "onnxruntime", reason=f"{name} is not installed")
    detector = load_detector("yolov4-tiny-coco", engine=name, device="cpu", precision=precision)
    assert isinstance(detector, YoloDetector)
    engine = detector.engine
    batch = np.zeros((1, *detector.input_size, 3), np.uint8)
    detector.letterbox(image := read_image(IMAGE)).apply(image.rgb, out=batch[0])
    pairs = [
        (median(lambda: engine.run(batch), 1), median(lambda: detector.detect([read_image(IMAGE)]), 1))
        for _ in range(100)  # in turns, so that both see the same machine
    ]
    bare, whole = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(
        f"\none image {1000 * whole:.1f} ms: {whole / bare:.3f} x {name} {precision} ({1000 * bare:.1f} ms)"
    )
