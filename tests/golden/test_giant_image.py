"""`yolo detect --tile` on 12,000 × 9,000 pixels, the size of an aerial photograph, in bounded memory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.montage import Montage, montages
from tests.shared import needs_shared
from yolo_cli.boxes import box_iou
from yolo_cli.config import DetectConfig
from yolo_cli.detectors import load_detector

pytestmark = [pytest.mark.slow, needs_shared("data", "coco128-val")]

HEIGHT, WIDTH = 9000, 12_000


@pytest.fixture(scope="module")
def montage() -> Montage:
    """4000 × 3000 pixels with 80 or so images."""
    return next(montages())


@pytest.fixture
def giant(montage: Montage, tmp_path: Path) -> Path:
    """The montage in the lower right corner; the rest is grey."""
    rgb = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    rgb[-montage.image.height :, -montage.image.width :] = montage.image.rgb
    path = tmp_path / "giant.png"
    cv2.imwrite(str(path), rgb[:, :, ::-1])
    return path


def test_what_is_sure_on_the_images_is_found_in_its_place(montage: Montage, giant: Path) -> None:
    words = ["detect", str(giant), "--tile", "--engine", "onnx", "--format", "json", "--no-save"]
    program = (
        "import resource, subprocess, sys\n"
        "done = subprocess.run([sys.executable, '-m', 'yolo_cli', *sys.argv[1:]], capture_output=True)\n"
        "sys.stdout.buffer.write(done.stdout)\n"
        "sys.exit(f'{done.returncode} {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10}')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *words], capture_output=True, text=True, check=False
    )
    code, megabytes = map(int, done.stderr.split())
    [image] = json.loads(done.stdout)["images"]
    assert (code, image["height"], image["width"]) == (0, HEIGHT, WIDTH)

    found = np.array([each["box"] for each in image["detections"]])
    classes = np.array([each["class_id"] for each in image["detections"]])
    detector = load_detector(config=DetectConfig(conf=0.6), engine="onnx")
    there = total = 0
    for sample, (x, y) in montage.samples:
        alone = detector.detect([sample.read()])[0]
        moved = alone.xyxy + np.tile([x + WIDTH - 4000, y + HEIGHT - 3000], 2)
        total += len(alone)
        same = (box_iou(moved, found) > 0.5) & (alone.class_id[:, None] == classes)
        there += int(same.any(axis=1).sum())
    print(f"{there} of {total} sure objects, {len(found)} in all, {megabytes} MB")
    assert there >= 0.9 * total
    assert (found[:, :2] > [WIDTH - 4100, HEIGHT - 3100]).all()  # nothing in the grey
    assert megabytes < 1100  # 324 for the pixels; read, they are there twice
