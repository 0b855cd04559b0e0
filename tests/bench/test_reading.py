"""Data sets of COCO's size, as ratios. Run alone: `pytest -m bench -s tests/bench/test_reading.py`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import process_time

import cv2
import numpy as np
import pytest

from yolo_cli.datasets import lint
from yolo_cli.images import decode_image

pytestmark = pytest.mark.bench
IMAGES, BOXES, CATEGORIES = 118_000, 860_000, 80  # COCO's train2017
PHOTOGRAPHS = 20_000

# Seconds of processor time and the peak in KiB of one way to read a file, in a process of its own.
READ = """
import contextlib, io, resource, sys, time
if sys.argv[1] == "ours":
    from yolo_cli.datasets import read_dataset as read
else:
    from pycocotools.coco import COCO as read
start = time.process_time()
with contextlib.redirect_stdout(io.StringIO()):
    data = read(sys.argv[2])
print(time.process_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def write_annotations(root: Path) -> Path:
    """Annotations of COCO's size, with empty files for images."""
    rng = np.random.default_rng(0)
    (root / "train2017").mkdir(parents=True)
    names = [f"{index:012d}.jpg" for index in range(IMAGES)]
    for name in names:
        (root / "train2017" / name).touch()
    images = [{"id": at, "file_name": name, "width": 640, "height": 480} for at, name in enumerate(names)]
    xywh = (rng.random((BOXES, 4)) * [500, 380, 100, 80] + [0, 0, 5, 5]).round(2).tolist()  # (BOXES, 4)
    owner, kind = rng.integers(0, IMAGES, BOXES).tolist(), rng.integers(1, CATEGORIES + 1, BOXES).tolist()
    annotations = [
        {"segmentation": [], "area": box[2] * box[3], "iscrowd": 0, "image_id": owner[at], "bbox": box,
         "category_id": kind[at], "id": at}
        for at, box in enumerate(xywh)
    ]  # fmt: skip
    categories = [{"id": number, "name": f"c{number}"} for number in range(1, CATEGORIES + 1)]
    path = root / "annotations" / "instances_train2017.json"
    path.parent.mkdir()
    path.write_text(json.dumps({"images": images, "annotations": annotations, "categories": categories}))
    return path


def measured(way: str, path: Path) -> tuple[float, float]:
    """The minimum of three: processor time in seconds, and peak memory in MiB."""
    runs = [
        subprocess.run(
            [sys.executable, "-c", READ, way, str(path)], check=True, capture_output=True, text=True
        )
        for _ in range(3)
    ]
    figures = [tuple(map(float, run.stdout.split())) for run in runs]
    return min(seconds for seconds, _ in figures), min(peak for _, peak in figures) / 1024


def test_reading_annotations_of_cocos_size_against_pycocotools(tmp_path: Path) -> None:
    pytest.importorskip("pycocotools", reason="pycocotools is not installed")
    path = write_annotations(tmp_path)
    theirs, ours = measured("pycocotools", path), measured("ours", path)
    print(f"\npycocotools {theirs[0]:.2f} s, {theirs[1]:.0f} MiB; ours {ours[0]:.2f} s, {ours[1]:.0f} MiB")
    print(f"ratio of time {ours[0] / theirs[0]:.2f} (at most 1.3), of memory {ours[1] / theirs[1]:.2f} (1.2)")


def test_lint_against_reading_and_decoding_with_as_many_threads(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for at in range(PHOTOGRAPHS):
        split = "train" if at % 5 else "val"
        for kind in ("images", "labels"):
            (tmp_path / kind / split).mkdir(parents=True, exist_ok=True)
        pixels = cv2.resize(rng.integers(0, 256, (30, 40, 3), np.uint8), (640, 480))
        cv2.imwrite(str(tmp_path / "images" / split / f"{at}.jpg"), pixels)
        (tmp_path / "labels" / split / f"{at}.txt").write_text("0 .5 .5 .2 .3\n1 .3 .3 .1 .1\n")
    files = sorted(tmp_path.rglob("*.jpg"))
    start = process_time()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for _ in pool.map(lambda path: decode_image(path.read_bytes(), path.name).height, files):
            pass
    decoded = process_time() - start
    start = process_time()
    lint(tmp_path)
    linted = process_time() - start
    print(f"\ndecoding {decoded:.1f} s, lint {linted:.1f} s: ratio {linted / decoded:.2f} (at most 1.5)")
