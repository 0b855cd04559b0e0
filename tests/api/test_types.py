"""What a type checker says to callers of the Python API."""

from __future__ import annotations

import re

from mypy import api as mypy

from tests.shared import ROOT

PROGRAM = """\
from pathlib import Path
from typing import Any, assert_type

import numpy as np
from PIL import Image as Pillow
from yolo_cli import (
    Calibrated, Comparison, Detection, EvaluationResult, LintReport, Result, Step, TrainResult, Watcher,
    calibrate, compare, draw, evaluate, lint, load_detector, train,
)

detector = load_detector("mine", conf=0.4, classes=["cat", 3], imgsz=320)
assert_type(detector(np.zeros((3, 3, 3), np.uint8), bgr=True), Result)
assert_type(detector(b""), Result)
assert_type(detector(Pillow.new("RGB", (9, 9))), Result)
assert_type(detector([Path("a.jpg"), "b.jpg", b""], batch=2), list[Result])
result: Result = detector("a.jpg")
several: list[Result] = detector("folder")
assert_type(result[0], Detection)
assert_type(result[1:], Result)
assert_type(result[result.confidence > 0.5], Result)
assert_type([found.class_name for found in result], list[str])
draw(result.image, result, line_width=2)
steps: list[Step] = []
assert_type(train("data", progress=steps.append, epochs=3, imgsz=(64, 96)), TrainResult)
assert_type(train(resume=Path("runs/train"), progress=Watcher()), TrainResult)
assert_type(evaluate("data", detector, conf=0.01, map={"sofa": "couch"}, protocol="voc07"), EvaluationResult)
assert_type(evaluate(Path("data"), detections="r.json", names=["cat"]), EvaluationResult)
assert_type(calibrate("data", "mine", out="yours", test="test"), Calibrated)
assert_type(compare("data", ["YOLO"], limit=3), Comparison)
assert_type(lint("data", fix="fixed"), LintReport)
detector("a.jpg", bgf=True)  # refused
load_detector("mine", confidence=0.4)  # refused
result.filter(classes=0.5)  # refused
train("data", epoch=3)  # refused
evaluate("data", protocol="mine")  # refused
compare("data", limits=3)  # refused
"""


def test_types(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MYPYPATH", str(ROOT))
    (tmp_path / "program.py").write_text(PROGRAM)
    shown, _, _ = mypy.run(["--strict", f"--config-file={ROOT / 'pyproject.toml'}", "program.py"])
    refused = {int(line) for line in re.findall(r"^program.py:(\d+): error", shown, re.MULTILINE)}
    marked = {n for n, line in enumerate(PROGRAM.splitlines(), 1) if line.endswith("# refused")}
    assert refused == marked, shown
