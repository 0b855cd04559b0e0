"""`yolo eval` with a model that finds exactly what is on the made sets."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from click.testing import CliRunner

from tests.made_sets import BOXES, NAMES, write_coco, write_yolo
from yolo_cli.cli import main
from yolo_cli.config import DetectConfig
from yolo_cli.detections import Detections
from yolo_cli.detectors.protocol import Times


@dataclass(frozen=True)
class Fake:
    """Finds every object of the made sets by the image's name; the class names may differ."""

    config: DetectConfig = field(default_factory=DetectConfig)
    class_names: tuple[str, ...] = NAMES
    input_size: tuple[int, int] = (32, 64)
    stop_at: str = ""
    confidence: float = 0.9
    source: dict[str, str] = field(default_factory=dict)  # what its card says of its training data
    seen: list[str] = field(default_factory=list)

    @property
    def card(self):
        return SimpleNamespace(
            name="fake", resize="letterbox", suppression="iou", source=self.source, keypoints=None
        )

    def detect_timed(self, images):
        return [self._find(image) for image in images], Times(1.0, 20.0, 3.0)

    def _find(self, image):
        stem = Path(image.name).stem
        if stem == self.stop_at:
            raise KeyboardInterrupt
        self.seen.append(stem)
        rows = BOXES.get(stem, [])
        return Detections(
            np.array([box for _, box in rows], np.float32).reshape(-1, 4),
            np.full(len(rows), self.confidence, np.float32),
            np.array([k for k, _ in rows], np.int64),
        )


@dataclass
class Cli:
    fake: Fake

    def __call__(self, *words):
        return CliRunner().invoke(main, [str(word) for word in words], prog_name="yolo")

    def figures(self, *words):
        done = self(*words, "--format", "json")
        assert done.exit_code in (0, 5), done.stderr
        return json.loads(done.stdout)


def fake_cli(folder, monkeypatch):
    """`yolo` in a folder with the made set as ``yolo`` and ``coco``; the model is a fake."""
    monkeypatch.chdir(folder)
    write_yolo(folder / "yolo")
    write_coco(folder / "coco")
    run = Cli(Fake())
    monkeypatch.setattr(
        "yolo_cli.detectors.load_detector", lambda **named: replace(run.fake, config=named["config"])
    )
    return run
