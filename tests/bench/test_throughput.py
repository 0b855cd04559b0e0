"""Images a second of a folder and of a video, as ratios against the bare engine of the same run.

Never pass or fail.

`pytest -m bench -s tests/bench/test_throughput.py`
"""

from __future__ import annotations

import itertools
import statistics
import subprocess
import sys
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

ROUNDS, IMAGES, FRAMES = 9, 12, 80
PEAK = """
import re, sys
from yolo_cli.cli import main
try:
    main()
finally:  # of this program alone; the peak of getrusage is at least that of the one that started it
    print(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1], file=sys.stderr)
"""


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


def write_jpegs(folder: Path, count: int) -> None:
    """Images of 640 x 480."""
    folder.mkdir(exist_ok=True)
    pixels = read_image(ROOT / "examples" / "astronaut.jpg").rgb
    tall = np.concatenate([pixels, pixels[:128]], axis=0)  # (640, 512, 3)
    for number in range(count):
        write_image(folder / f"{number}.jpg", np.roll(tall[:, :480], 9 * number, axis=0).swapaxes(0, 1))


def test_a_folder_of_jpegs(tmp_path: Path) -> None:
    """640 x 480, nothing saved."""
    detector = load_detector("yolov4-tiny-coco", engine="onnx")
    write_jpegs(tmp_path, IMAGES)
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
    source = open_source([str(SHARED / "video" / "vtest.avi")], choice=FrameChoice(max_frames=FRAMES))
    numbers = itertools.count()

    def whole(overlap: bool) -> None:
        folder = tmp_path / str(next(numbers))
        saving = Saving(True, False, False, DrawStyle(None, True, True))
        outcomes = run_detector(detector, source, read_ahead=overlap)
        outcomes = ahead(outcomes, 2) if overlap else outcomes
        for _ in save_outcomes(outcomes, folder, saving, detector.class_names, {}):
            pass

    actions = {
        "engine": bare(detector, FRAMES),
        "in turn": lambda: whole(False),
        "overlapped": lambda: whole(True),
    }
    show("a video, drawn and encoded", ratios(actions))


@pytest.mark.parametrize(
    ("engine", "precision", "asked"),
    [("onnx", "float32", 0.95), ("openvino", "float32", 0.95), ("openvino", "bfloat16", 0.88)],
)
def test_a_thousand_jpegs(tmp_path: Path, engine: str, precision: str, asked: float) -> None:
    """As `yolo detect FOLDER --no-save` does it, against the same number of runs of the engine, in blocks."""
    if engine == "openvino":
        pytest.importorskip("openvino", reason="openvino is not installed")
    detector = load_detector("yolov4-tiny-coco", engine=engine, precision=precision)
    write_jpegs(tmp_path, 1000)
    outcomes = run_detector(detector, open_source([str(tmp_path)]), read_ahead=True)
    run, found = bare(detector, 50), []
    run()
    for _ in range(20):
        start = time.perf_counter()
        run()
        between = time.perf_counter()
        for _ in itertools.islice(outcomes, 50):
            pass
        found.append((between - start) / (time.perf_counter() - between))
    print(f"\n1,000 JPEGs, {engine} {precision}: {statistics.median(found):.3f} ({asked} asked)")


def test_memory_of_a_folder(tmp_path: Path) -> None:
    """The peak of the whole command for 100 and for 1,000 images."""
    for count in (100, 1000):
        write_jpegs(tmp_path / str(count), count)
        words = [
            sys.executable,
            "-c",
            PEAK,
            "detect",
            str(tmp_path / str(count)),
            "--no-save",
            "--engine",
            "onnx",
        ]
        done = subprocess.run([*words, "--format", "ndjson"], capture_output=True, text=True, check=True)
        print(f"\npeak memory for {count} images: {int(done.stderr.split()[-1]) / 1024:.0f} MB")
