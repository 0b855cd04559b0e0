"""A made video: squares that move over a grey ground, and a detector that sees them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np

from yolo_cli.config import DetectConfig
from yolo_cli.detections import Detections
from yolo_cli.detectors import Times

__all__ = ["SquareDetector", "frame", "write_video"]

HEIGHT, WIDTH = 96, 128
COLOURS = ((255, 0, 0), (0, 0, 255))  # a cat is red, a dog is blue


def frame(number: int) -> np.ndarray:
    """RGB: a red square goes right from x = 4, a blue one below left from 100, 4 pixels a frame."""
    image = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    for colour, left, top in ((COLOURS[0], 4 + 4 * number, 16), (COLOURS[1], 100 - 4 * number, 60)):
        image[top : top + 16, max(left, 0) : left + 16] = colour
    return image


def write_video(path: Path, frames: int = 20) -> Path:
    """A video of `frame`s, 10 a second."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (WIDTH, HEIGHT))
    for number in range(frames):
        writer.write(np.ascontiguousarray(frame(number)[:, :, ::-1]))
    writer.release()
    return path


@dataclass(frozen=True)
class SquareDetector:
    """Finds the red square as a cat and the blue one as a dog, by colour."""

    config: DetectConfig = field(default_factory=DetectConfig)
    class_names: tuple[str, ...] = ("cat", "dog")
    input_size: tuple[int, int] = (416, 416)
    interrupt_after: int = 10**9
    batches: list[int] = field(default_factory=list)

    @property
    def card(self) -> Any:
        return SimpleNamespace(name="squares", detector="yolo", class_names=self.class_names, keypoints=None)

    def with_config(self, config: DetectConfig) -> SquareDetector:
        return replace(self, config=config)

    def detect_timed(self, images: Any) -> tuple[list[Detections], Times]:
        self.batches.append(len(images))
        if sum(self.batches) > self.interrupt_after:
            raise KeyboardInterrupt
        return [self._found(image.rgb) for image in images], Times(1.0, 2.0, 0.5)

    def _found(self, rgb: np.ndarray) -> Detections:
        rows = []
        for class_id, colour in enumerate(COLOURS):
            y, x = np.nonzero(np.abs(rgb.astype(int) - colour).sum(axis=2) < 120)
            if len(x) > 40 and class_id in (self.config.classes or (0, 1)):
                rows.append((x.min(), y.min(), x.max() + 1, y.max() + 1, 0.9, class_id))
        table = np.array(rows, float).reshape(-1, 6)
        return Detections(
            table[:, :4].astype(np.float32), table[:, 4].astype(np.float32), table[:, 5].astype(int)
        )
