"""A detector that finds what its test says, on images that are made on the spot."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner

from tests.images import encode, smooth
from yolo_cli.cli import main
from yolo_cli.config import DetectConfig
from yolo_cli.detections import Detections
from yolo_cli.detectors import Times

NAMES = ("cat", "dog", "traffic light")


@dataclass(frozen=True)
class FakeDetector:
    """Two boxes on every image: a dog in its left half, and a cat of the upper left 10 x 20 pixels."""

    config: DetectConfig = field(default_factory=DetectConfig)
    engine: object = None
    class_names: tuple[str, ...] = NAMES
    input_size: tuple[int, int] = (416, 416)
    sizes: list[int] = field(default_factory=list)  # of the batches that came
    interrupt_after: int = 10**9

    @property
    def card(self):
        return SimpleNamespace(name="fake", detector="yolo", class_names=self.class_names, keypoints=None)

    def detect_timed(self, images):
        self.sizes.append(len(images))
        if sum(self.sizes) > self.interrupt_after:
            raise KeyboardInterrupt
        return [self._find(image) for image in images], Times(1.0, 20.0, 3.0)

    def with_config(self, config):
        return replace(self, config=config)

    def _find(self, image):
        xyxy = np.float32([[0, 0, image.width / 2, image.height], [0, 0, 10, 20]])
        found = Detections(xyxy, np.float32([0.87654, 0.4]), np.array([1, 0]))
        wanted = self.config.classes or range(len(NAMES))
        return found[(found.confidence > self.config.conf) & np.isin(found.class_id, wanted)]


@dataclass
class Cli:
    """Run `yolo …` in this process; ``fake`` is the detector, and ``loaded`` says how it was asked for."""

    fake: FakeDetector
    loaded: list[dict[str, object]]

    def __call__(self, *words, stdin=None):
        return CliRunner().invoke(main, [str(word) for word in words], input=stdin, prog_name="yolo")


@pytest.fixture
def cli(tmp_path, monkeypatch):
    """`yolo` in an empty folder, with three images of 60 x 40 in ``p`` and a file that is none."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p").mkdir()
    for name in ("a.jpg", "b 2.png", "10.jpg"):
        (tmp_path / "p" / name).write_bytes(encode(smooth(), "PNG" if name.endswith("png") else "JPEG"))
    (tmp_path / "bad.jpg").write_text("hello")
    run = Cli(FakeDetector(), [])

    def load_detector(**named):
        run.loaded.append(named)
        from dataclasses import replace

        return replace(run.fake, config=named["config"])

    monkeypatch.setattr("yolo_cli.detectors.load_detector", load_detector)
    return run
