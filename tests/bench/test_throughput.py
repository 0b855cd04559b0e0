"""Images a second of a folder and of a video, as ratios against the bare engine of the same run.

Never pass or fail.

`pytest -m bench -s tests/bench/test_throughput.py`
"""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.shared import ROOT, SHARED, needs_shared
from yolo_cli.detectors import load_detector
from yolo_cli.images import read_image, write_image
from yolo_cli.pipeline import ahead, run_detector
from yolo_cli.pipeline.saving import Saving, save_outcomes
from yolo_cli.render import DrawStyle
from yolo_cli.sources import open_source
from yolo_cli.video import FrameChoice

pytestmark = pytest.mark.bench

ROUNDS, IMAGES = 9, 12


def ratios(actions: dict[str, Callable[[], object]]) -> dict[str, float]:
    """The first action's time divided by each action's: the median of rounds in which each has its turn."""
    found: dict[str, list[float]] = {name: [] for name in actions}
    for _ in range(ROUNDS):
        for name, action in actions.items():
            start = time.perf_counter()
            action()
            found[name].append(time.perf_counter() - start)
    first = next(iter(found.values()))
    return {
        name: statistics.median(bare / one for bare, one in zip(first, times, strict=True))
        for name, times in found.items()
    }


def show(title: str, found: dict[str, float]) -> None:
    print(f"\n{title}: " + ", ".join(f"{name} {ratio:.3f}" for name, ratio in found.items()))


def bare(detector: object, count: int) -> Callable[[], object]:
    """The engine alone, on input that is ready."""
    batch = np.zeros((1, *detector.input_size, 3), np.uint8)
    image = read_image(ROOT / "examples" / "coffee.jpg")
    detector.letterbox(image).apply(image.rgb, out=batch[0])
    return lambda: [detector.engine.run(batch) for _ in range(count)]


def test_a_folder_of_jpegs(tmp_path: Path) -> None:
    """640 x 480, nothing saved."""
    detector = load_detector("yolov4-tiny-coco", engine="onnx")
    pixels = read_image(ROOT / "examples" / "astronaut.jpg").rgb
    tall = np.concatenate([pixels, pixels[:128]], axis=0)  # (640, 512, 3)
    for number in range(IMAGES):
        write_image(tmp_path / f"{number}.jpg", np.roll(tall[:, :480], 9 * number, axis=0).swapaxes(0, 1))
    source = open_source([str(tmp_path)])

    def whole(overlap: bool) -> None:
        for _ in run_detector(detector, source, read_ahead=overlap):
            pass

    actions = {
        "engine": bare(detector, IMAGES),
        "in turn": lambda: whole(False),
        "overlapped": lambda: whole(True),
    }
    show("a folder of 640 x 480 JPEGs", ratios(actions))


@needs_shared("video", "vtest.avi")
def test_a_video_with_boxes_drawn_and_encoded(tmp_path: Path) -> None:
    """768 x 576, VP9."""
    detector = load_detector("yolov4-tiny-coco", engine="onnx")
    source = open_source([str(SHARED / "video" / "vtest.avi")], choice=FrameChoice(max_frames=IMAGES))
    numbers = itertools.count()

    def whole(overlap: bool) -> None:
        folder = tmp_path / str(next(numbers))
        saving = Saving(True, False, False, DrawStyle(None, True, True))
        outcomes = run_detector(detector, source, read_ahead=overlap)
        outcomes = ahead(outcomes, 2) if overlap else outcomes
        for _ in save_outcomes(outcomes, folder, saving, detector.class_names, {}):
            pass

    actions = {
        "engine": bare(detector, IMAGES),
        "in turn": lambda: whole(False),
        "overlapped": lambda: whole(True),
    }
    show("a video, drawn and encoded", ratios(actions))
