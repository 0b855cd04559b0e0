"""Images a second of Ray on this machine, as a ratio against the pipeline of one process on all cores.

Never pass or fail. Ray's start, seconds whatever the number of images, is told beside it.

`pytest -m bench -s tests/bench/test_scaling.py`
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.unit.scaling.test_ray import MODEL, photographs
from yolo_cli import detect_on_ray
from yolo_cli.detectors import load_detector
from yolo_cli.hardware import cores
from yolo_cli.pipeline import run_detector
from yolo_cli.sources import open_source

pytestmark = pytest.mark.bench

IMAGES, SHARD = 400, 20


def alone(folder: Path) -> float:
    """Images a second in one process."""
    detector, start = load_detector(**MODEL), time.perf_counter()
    for _ in run_detector(detector, open_source([str(folder)]), read_ahead=True):
        pass
    return IMAGES / (time.perf_counter() - start)


def together(folder: Path, out: Path) -> tuple[float, float]:
    """Images a second once every worker has done a shard, and the seconds until then."""
    start, ends = time.perf_counter(), []
    detect_on_ray(folder, out, shard_images=SHARD, watch=lambda _: ends.append(time.perf_counter()), **MODEL)
    warm = cores()
    seconds = ends[-1] - ends[warm - 1]
    return SHARD * (len(ends) - warm) / seconds, ends[warm - 1] - start


def test_one_process_and_ray(tmp_path: Path) -> None:
    folder = photographs(tmp_path / "p", IMAGES)
    before = alone(folder)
    rate, start = together(folder, tmp_path / "out")
    after = alone(folder)
    ratio = 2 * rate / (before + after)
    print(
        f"\none process {before:.1f} and {after:.1f} images a second, Ray with {cores()} workers of one core"
        f" {rate:.1f}: ratio {ratio:.3f}; {start:.1f} s until each has done its first shard"
    )
