"""`yolo detect --tile` on 12,000 × 9,000 pixels, the size of an aerial photograph, in bounded memory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile

from tests.montage import Montage, montages
from tests.shared import ROOT, needs_shared
from yolo_cli.boxes import box_iou
from yolo_cli.config import DetectConfig
from yolo_cli.detectors import load_detector
from yolo_cli.images import read_image

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


def run(words: list[str]) -> subprocess.CompletedProcess[str]:
    """The command; stderr says its exit code and the most memory that it took, in MB."""
    program = (
        "import resource, subprocess, sys\n"
        "done = subprocess.run([sys.executable, '-m', 'yolo_cli', *sys.argv[1:]], capture_output=True)\n"
        "sys.stdout.buffer.write(done.stdout)\n"
        "sys.exit(f'{done.returncode} {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10}')"
    )
    return subprocess.run(
        [sys.executable, "-c", program, *words], capture_output=True, text=True, check=False
    )


def test_a_tiff_of_240_megapixels_is_read_in_strips(tmp_path: Path) -> None:
    """Its pixels are 687 MB. They are in a temporary file, and only parts of them in memory."""
    cup = read_image(ROOT / "examples" / "coffee.jpg").rgb
    rgb = np.full((8000, 30_000, 3), 128, np.uint8)
    lefts = range(0, 29_000, 3000)
    for left in lefts:
        rgb[7000 : 7000 + cup.shape[0], left : left + cup.shape[1]] = cup
    tifffile.imwrite(
        path := tmp_path / "giant.tif", rgb, photometric="rgb", compression="zlib", rowsperstrip=64
    )
    words = ["--tile", "1248", "--conf", "0.6", "--classes", "cup", "--format", "json", "--out"]
    done = run(["detect", str(path), *words, str(tmp_path / "o")])
    code, megabytes = map(int, done.stderr.split())
    [image] = json.loads(done.stdout)["images"]
    print(f"{len(image['detections'])} cups of {len(lefts)}, {megabytes} MB")
    assert (code, image["height"], image["width"]) == (0, 8000, 30_000)
    found = sorted(each["box"] for each in image["detections"])
    expected = [[left + 168, 7013, left + 410, 7292] for left in lefts]
    assert np.array(found) == pytest.approx(np.array(expected), abs=40)
    assert read_image(tmp_path / "o" / "giant.tif").rgb.shape == (2000, 7500, 3)
    assert megabytes < 1000  # most of it the pages of eight wide tiles, which the system can take back


def test_what_is_sure_on_the_images_is_found_in_its_place(montage: Montage, giant: Path) -> None:
    words = ["detect", str(giant), "--tile", "--engine", "onnx", "--format", "json", "--no-save"]
    done = run(words)
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
